/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_MOUNTS_H
#define HANDOVER_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

/*
 * What is mounted, as proc/self/mountinfo tells it (Documentation/filesystems/proc.rst, 3.5), and what is swapped to,
 * as proc/swaps does. The escapes of both are undone.
 */
struct mount {
	const char *number;	/* "8:3"; "0:35" is made up: no file system of a single block device has it */
	const char *point;	/* "/boot/efi" */
	const char *type;	/* "ext4" */
	const char *source;	/* "/dev/sda3", "rpool/ROOT/pve-1" */
	const char *options;	/* of the file system: "rw,addr=10.0.0.5" */
};

struct swap {
	const char *name;	/* "/dev/dm-1", "/swapfile" */
	bool file;		/* on a file system */
};

struct mounts {
	struct mount *list;
	size_t n;
	struct swap *swaps;
	size_t n_swaps;
};

#define MOUNTS_BYTES_MAX (4 * 1024 * 1024)

/* On an error m has what could be read nevertheless: of a list that is longer than MOUNTS_BYTES_MAX, its beginning. */
int mounts_read(struct host *h, struct arena *a, struct mounts *m, struct error *err);

/* The mount that a file is on; NULL: on none. */
const struct mount *mounts_of_file(const struct mounts *m, const char *file);

#endif
