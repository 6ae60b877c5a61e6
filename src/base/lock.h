/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LOCK_H
#define HANDOVER_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Locks are flock()s on files of a folder, one file a name. They are inherited by children, so a worker that is stuck
 * in the kernel keeps those of the program that started it, even when that one is long dead. That is the whole
 * protocol: whoever gets the lock knows that no write on that device is still under way.
 */
#define LOCKS_MAX 320	/* a plan's devices, and the VM */
#define LOCK_NAME_MAX 40

struct lockset {
	struct {
		char name[LOCK_NAME_MAX];
		int fd;
	} held[LOCKS_MAX];
	size_t n;
};

/*
 * Takes one lock, waiting at most *wait_ms, from which the time waited is subtracted. purpose ("VM 100, pre-start")
 * is written into the file for those who wait. -EBUSY: err names the holder: process, purpose, and where in the kernel
 * it sits. A name held already is fine. -EPERM: something else than a lock stands there, a link say; it is left alone.
 */
int lockset_take(struct lockset *set, int dir, const char *name, const char *purpose, unsigned *wait_ms,
		 struct error *err);

/*
 * Writes into all of them, for those who wait, what their holder's child is doing that does not come back: "0000:03:00.0:
 * unbinding it from 'awkward', writing to '...'".
 */
void lockset_tell(const struct lockset *set, const char *doing);

/* Gives them all back. The files stay: removing a lock file would let two programs hold the same name. */
void lockset_release(struct lockset *set);
#define _cleanup_locks_ __attribute__((cleanup(lockset_release)))

#endif
