/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STORE_H
#define HANDOVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/lock.h"

/*
 * Where journals and locks are: a folder that only its owner may enter, /run/handover on a host; or, for a rehearsal,
 * nothing but memory, where the locks are free.
 */
#define STORE_PATH "/run/handover"

struct store {
	int dir;		/* -1: memory */
	int memory;		/* the journal of a store in memory, -1 until there is one */
};

#define STORE_CLOSED { .dir = -1, .memory = -1 }

/*
 * Opens the folder, making it (mode 0700) if its parent exists. A folder that belongs to somebody else, that others
 * may enter, or that is a link is refused (-EPERM).
 */
int store_open(struct store *s, const char *path, struct error *err);
void store_open_memory(struct store *s);
void store_close(struct store *s);

/* The name of its journal: "100.journal", or "host.journal". Returns name. */
const char *store_name(unsigned vmid, char name[32]);

/*
 * The journal's descriptor: made anew (-EEXIST if anything is there), or opened for reading and appending (-ENOENT).
 * -EPERM: what is there is no regular file that belongs to whoever runs this, or it has a second name; it is left alone.
 */
int store_create(struct store *s, unsigned vmid);
int store_append(struct store *s, unsigned vmid);
int store_remove(struct store *s, unsigned vmid);

/*
 * A line about a VM whose lease has ended, kept until it is replaced or removed, or the host is booted. Get: its length, or
 * a negative errno, -ENOENT if there is none. In memory nothing is kept.
 */
#define STORE_LAST_BYTES 2048
int store_put_last(struct store *s, unsigned vmid, const char *text);
ssize_t store_get_last(struct store *s, unsigned vmid, char text[STORE_LAST_BYTES]);
void store_remove_last(struct store *s, unsigned vmid);

/* The VMs that have a journal, or of which a last line is kept, in order; 0, the host's own, comes first. */
int store_list(struct store *s, struct arena *a, unsigned **vmids, size_t *n, struct error *err);

/*
 * Takes the locks of these names (addresses of functions, "vm-100"), sorted, waiting at most wait_ms for all together.
 * Locks that set holds already are kept. -EBUSY: somebody has one; err names who, and what it does.
 */
int store_lock(struct store *s, struct lockset *set, const char *const *names, size_t n, const char *purpose,
	       unsigned wait_ms, struct error *err);

#endif
