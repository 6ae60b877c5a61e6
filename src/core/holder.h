/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HOLDER_H
#define HANDOVER_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "host/host.h"

/*
 * Who has a device node open, by the lines of the seam's holder/, "PID UNIT COMMAND". To ask for one node is to go
 * through all processes, as their list is; so each folder of nodes is listed once, and only what is in that list is
 * asked for. A process that is being moved between control groups may take READ_MS (host/reader.h) to be looked at: all
 * questions of one struct holder_look together take no longer than HOLDER_ASK_MS and one more such read. What is asked
 * later than that is not known (-ETIMEDOUT).
 */
#define HOLDER_ASK_MS 10000
#define HOLDER_BYTES (16 * 1024)	/* of the lines of one node; what is more is left out by whole lines */

struct holder_process {
	const char *pid, *command;
	const char *unit;	/* of systemd, or what stands in its place: "101.scope", "lxc/105"; NULL: none is known */
	unsigned guest;		/* the VM or container it is of, 0 = none */
	const char *text;	/* "process 733 (pipewire) of user@1000.service", "... of VM 101 (101.scope)" */
	const char *remedy;	/* "stop VM 101 first", "end process 733 first" */
};

struct holder_look {
	struct host *host;
	struct arena *arena;
	int64_t spent;		/* milliseconds waited for answers so far */
	struct holder_folder *folders;
	size_t n_folders;
};

/*
 * The processes that have "dev/sda" open, none too. A negative errno: it is not known whether somebody has; -EACCES: not
 * all processes may be looked at. They belong to the arena.
 */
int holder_ask(struct holder_look *look, const char *node, struct holder_process **list, size_t *n);

/*
 * The names of what somebody has open in a folder of nodes ("dev"), folders too. A negative errno: not known; what
 * cannot be listed because there is none is empty.
 */
int holder_list(struct holder_look *look, const char *folder, char ***names, size_t *n);

#endif
