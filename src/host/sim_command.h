/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_COMMAND_H
#define HANDOVER_SIM_COMMAND_H

#include "host/host.h"

/*
 * Commands of the simulated host: "command/usr/local/bin/notify" says that the file is there, and so with any arguments.
 * All end well, and nothing comes of it but that they are counted. What it stands for is src/host/live_command.c;
 * tests/command_test.c asks the same of both.
 */

/* What a name that is not in the tree reads: a command that is there, with arguments it was not run with. */
ssize_t sim_command_read(struct host *h, const char *name, char *buf, size_t size);

int sim_command_write(struct host *h, const char *name, const char *value);

#endif
