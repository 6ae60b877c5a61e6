/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_COMMAND_H
#define HANDOVER_LIVE_COMMAND_H

#include "host/host.h"

/*
 * The provider command/ of the running host, and result/ with it; see host.h for what they answer.
 *
 * A command is run by a child of a worker (worker.h): if this program is killed, the worker still ends the command at
 * its deadline, and holds the locks until then. The command itself holds nothing of ours: no descriptor but /dev/null
 * and a pipe, no signal mask, no variable of our environment; it has a session of its own, so it keeps neither the locks
 * nor the output that Proxmox waits for the end of, whatever it leaves running. No shell is involved.
 */
struct command;

#define COMMAND_OUTPUT_BYTES 3072	/* of what a command says, so much is kept, from its beginning */
#define COMMAND_KILL_MS 1000		/* for a command to end when it is killed */

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
 * a little more than COMMAND_KILL_MS.
 */
int live_command_write(struct command **list, const char *name, const char *value, unsigned deadline_ms,
		       struct host_stuck *stuck);

void live_command_close(struct command *list);

#endif
