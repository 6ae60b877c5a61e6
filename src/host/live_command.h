/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_COMMAND_H
#define HANDOVER_LIVE_COMMAND_H

#include "host/host.h"

/*
 * The provider command/ of the running host, and result/ with it; see host.h for what they answer.
 *
 * A command is run as child.h says.
 */
struct command;

/*
 * 0: it is there and may be run: a regular executable file that nobody but root can have written or put there, wherever
 * links lead (trust_follow()). Whoever could change it, or the way to it, would be root. -ENOENT: it is not. May block
 * with a dead file system: reader.h asks.
 */
int live_command_look(const char *name);

/* The number of times it has ended well. */
ssize_t live_command_count(const struct command *list, const char *name, char *buf, size_t size);

/* name is "result/...". -ENOENT: it has not been run. */
ssize_t live_command_result(const struct command *list, const char *name, char *buf, size_t size);

/*
 * Runs it, as host.h says of writing. The first run of a command adds it to the list. It takes at most deadline_ms and
 * a little more than CHILD_KILL_MS (child.h).
 */
int live_command_write(struct command **list, const char *name, const char *value, unsigned deadline_ms,
		       struct host_stuck *stuck);

void live_command_close(struct command *list);

#endif
