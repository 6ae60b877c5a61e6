/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STAKE_DISKS_H
#define HANDOVER_STAKE_DISKS_H

#include "core/blocks.h"
#include "core/mounts.h"
#include "core/stake.h"

/*
 * The parts of stakes_storage(): stake_storage.c finds the things that stand on block devices and ZFS pools, stake_pools.c
 * the disks of these pools; stake_disks.c goes down from each thing to the disks and writes a stake for each of these.
 */
#define ROOT_POINTS 5

/* How grave it is to lose a thing: the lower, the graver. The ranks before RANK_SWAP are those of root_points. */
enum rank {
	RANK_SWAP = ROOT_POINTS,	/* up to here: root-disk */
	RANK_MOUNT,
	RANK_POOL,			/* imported */
	RANK_ELSEWHERE,			/* mounted, but not where it can be seen */
	RANK_HELD,
	RANK_OPEN,			/* up to here: storage-in-use */
	RANK_MEMBER,			/* of a pool that is not imported */
};

/* What a block device or a pool is used for, the gravest first. */
struct use {
	const char *name;	/* "/", "swap" */
	unsigned rank;
};

struct uses {
	struct use *list;
	size_t n;
};

struct thing;

struct pool {
	const char *name;
	bool imported;
	struct uses uses;
	struct block **members;
	size_t n;
};

struct thing {
	struct block *block;	/* what it stands on: this, or */
	struct pool *pool;	/* that */
	unsigned rank;
	const char *name;	/* in a list: "/boot", "pool tank" */
	const char *direct;	/* what the disk does if nothing is between: "holds / and swap" */
	const char *layered;	/* of the uppermost of what is between: "which / is on" */
	const char *remedy;
};

/* The same numbers count the codes of findings. */
enum hold_code { HOLD_ROOT, HOLD_IN_USE, HOLD_MEMBER };
#define HOLD_CODES 3

#define SHOWN_MAX 3	/* names that are told; the others are counted */

/* What of one code stands on a disk. */
struct hold {
	const struct thing *thing;	/* the gravest, NULL: nothing */
	const struct block *member;	/* the partition, or the disk itself */
	const char *layers;		/* between the two, from below: "dm-0 (luks), pve-root (lvm)"; "": nothing */
	const struct thing *last;
	const char *also[SHOWN_MAX];
	size_t n_also;			/* may be more than are shown */
};

/* What is known beyond the block device itself. */
struct standing {
	struct uses uses;
	struct pool *pool;		/* that it is a member of */
	bool physical;			/* it hangs on a PCI function */
	bool asked;			/* and that is asked about */
	bool slow;			/* its label was not read in time */
	struct hold holds[HOLD_CODES];
	const char *doubt;		/* what of it could not be read */
	const struct thing *seen;	/* by whom last, so that nobody goes round in circles */
};

struct storage {
	struct stakes *s;
	struct arena *arena;
	struct blocks blocks;
	struct mounts mounts;
	struct standing *standing;	/* of each block device */
	struct pool **pools;
	size_t n_pools;
	struct thing **things;
	size_t n_things;
	const char *doubt;		/* what of the host could not be read, the first of it; NULL: all could */
	bool blind;			/* where the disks hang could not be read either */
	bool denied;			/* it is for root to read */
	int64_t waited;			/* milliseconds, for labels */
};

struct standing *storage_of(struct storage *w, const struct block *b);

/* What a partition is part of, else the device itself. */
struct block *storage_base(struct block *b);

/* Where a mount is: in a pool, or on a block device; both are NULL if it is on neither. */
void storage_place(struct storage *w, const struct mount *m, struct block **block, struct pool **pool);

/* Whether a file system on that block device is on this one: it is the same, or of the same btrfs. */
bool storage_is_fellow(const struct block *b, const struct block *other);

/* The pool of that name, which is added if it is new. */
struct pool *storage_pool(struct storage *w, const char *name, size_t n);

/* Which pools are imported; what any pool is on, by labels. All else that is on block devices must be known by then. */
void storage_read_imported(struct storage *w);
void storage_find_members(struct storage *w);

/* The kind of file system on it, if it is mounted in any namespace at all; NULL: not, or it does not tell. */
const char *storage_mounted_kind(struct storage *w, const struct block *b);

/* What cannot be read of it is in doubt, but for what has no medium or is gone. */
void storage_doubt_block(struct storage *w, struct block *b, int code, const char *what);

/* Something could not be read, or not be found: what, and why. The first of all is told. */
void storage_doubt(struct storage *w, int code, const char *what, ...) __attribute__((format(printf, 3, 4)));

/* "/", "/ and /boot", "/, /boot, swap and 4 more": the first of n. */
const char *storage_names(struct arena *a, const char *const *names, size_t n);

/* Goes down to the disks. Things must come the gravest first. */
void storage_stand(struct storage *w, const struct thing *t);

/* Whether something graver than RANK_MEMBER is on it. */
bool storage_in_use(struct storage *w, const struct block *disk);

/* A stake for each disk that something stands on, or that is in doubt. */
void storage_write(struct storage *w);

#endif
