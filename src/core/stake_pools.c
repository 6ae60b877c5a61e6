/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ZFS pools, and the labels by which their disks are found. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/stake_disks.h"

#define POOLS "proc/spl/kstat/zfs"
#define ZFS_MEMBER "zfs_member"
#define LABEL_ROUNDS 5		/* a disk that has to spin up first has so often READ_MS (host/reader.h), some 10 s */

struct pool *storage_pool(struct storage *w, const char *name, size_t n)
{
	struct pool *pool;

	for (size_t i = 0; i < w->n_pools; i++)
		if (strncmp(w->pools[i]->name, name, n) == 0 && w->pools[i]->name[n] == '\0')
			return w->pools[i];
	pool = arena_alloc(w->arena, sizeof(*pool));
	pool->name = arena_dupn(w->arena, name, n);
	w->pools = arena_grow(w->arena, w->pools, w->n_pools, sizeof(*w->pools));
	w->pools[w->n_pools++] = pool;
	return pool;
}

/* Each pool that is imported has a folder there, among files: module/zfs/spa_stats.c, spa_stats_init(). */
void storage_read_imported(struct storage *w)
{
	struct host *h = w->s->host;
	char **names, **inside;
	size_t n, n_inside;
	int code = host_list(h, POOLS, w->arena, &names, &n);

	if (code < 0) {
		if (code != -ENOENT)
			storage_doubt(w, code, "/" POOLS " cannot be read: %s", strerror(-code));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (host_list(h, arena_fmt(w->arena, POOLS "/%s", names[i]), w->arena, &inside, &n_inside) == 0)
			storage_pool(w, names[i], strlen(names[i]))->imported = true;
}

/* --- labels ----------------------------------------------------------------------------------------------------- */

/*
 * Reading a label may wake a disk. So none is read of what is known to have something else on it, of a CD, and of zvols,
 * which are guests' disks.
 */
static bool may_have_label(struct storage *w, struct block *b)
{
	struct block *base = storage_base(b);

	return !b->holder && !b->parted && !b->empty && !b->file && !storage_of(w, b)->uses.n &&
	       !storage_mounted_kind(w, b) && !str_starts(b->name, "sr") && (base->n_below || storage_of(w, base)->physical);
}

/* What cannot be read is in doubt, but for what has no medium or is gone. */
void storage_doubt_block(struct storage *w, struct block *b, int code, const char *what)
{
	struct block *base = storage_base(b);

	if (code == -ENOENT || code == -ENOMEDIUM || code == -ENXIO || code == -ENODEV)
		return;
	w->denied = w->denied || code == -EACCES || code == -EPERM;
	if (storage_of(w, base)->physical)
		storage_of(w, base)->doubt = arena_fmt(w->arena, "%s %s cannot be read: %s", what, b->name,
						       strerror(-code));
	else
		storage_doubt(w, code, "%s %s cannot be read: %s", what, b->shown, strerror(-code));
}

static bool any_imported(const struct storage *w)
{
	for (size_t i = 0; i < w->n_pools; i++)
		if (w->pools[i]->imported)
			return true;
	return false;
}

/* A pool that is imported has to be somewhere. */
static bool any_lost(const struct storage *w)
{
	for (size_t i = 0; i < w->n_pools; i++)
		if (w->pools[i]->imported && !w->pools[i]->n)
			return true;
	return false;
}

static bool is_volume(struct storage *w, struct block *b)
{
	(void)w;
	return str_same(storage_base(b)->kind, "lvm");
}

static void take_label(struct storage *w, struct block *b, const char *label)
{
	const char *name = label + strlen(ZFS_MEMBER);
	struct pool *pool;

	if (!str_starts(label, ZFS_MEMBER))
		return;
	name += strspn(name, " ");
	if (!*name && any_imported(w)) {
		storage_doubt_block(w, b, -ENODATA, "the name of the ZFS pool on");
		return;
	}
	pool = storage_pool(w, name, strlen(name));
	/* That of a guest's disk is the guest's. */
	if (is_volume(w, b) && !pool->imported)
		return;
	pool->members = arena_grow(w->arena, pool->members, pool->n, sizeof(*pool->members));
	pool->members[pool->n++] = b;
	storage_of(w, b)->pool = pool;
}

/* False: it may answer later. */
static bool read_label(struct storage *w, struct block *b)
{
	char label[HOST_VALUE_BYTES];
	int64_t begun = host_now(w->s->host);
	ssize_t n = -ETIMEDOUT;

	if (w->waited < STAKES_LABELS_MS)
		n = host_read(w->s->host, arena_fmt(w->arena, "label/%s", b->name), label, sizeof(label));
	w->waited += host_now(w->s->host) - begun;
	storage_of(w, b)->slow = n == -ETIMEDOUT;
	if (n == -ETIMEDOUT)
		return false;
	if (n < 0)
		storage_doubt_block(w, b, (int)n, "what is on");
	else
		take_label(w, b, label);
	return true;
}

/* Disks that spin up do it all at once: each is asked, and then again those that have not answered. */
static void read_labels(struct storage *w, bool (*wanted)(struct storage *w, struct block *b))
{
	struct block **waiting = arena_array(w->arena, w->blocks.n, sizeof(struct block *));
	size_t n = 0;

	for (size_t i = 0; i < w->blocks.n; i++)
		if (may_have_label(w, &w->blocks.list[i]) && wanted(w, &w->blocks.list[i]))
			waiting[n++] = &w->blocks.list[i];
	for (size_t round = 0; n && round < LABEL_ROUNDS; round++) {
		size_t kept = 0;

		for (size_t i = 0; i < n; i++)
			if (!read_label(w, waiting[i]))
				waiting[kept++] = waiting[i];
		n = kept;
	}
	/* Of what is no disk itself it is a doubt about the host: nothing tells below which function it would be. */
	for (size_t i = 0; i < n; i++)
		if (!storage_of(w, storage_base(waiting[i]))->physical)
			storage_doubt_block(w, waiting[i], -ETIMEDOUT, "what is on");
}

/* What is no disk itself may be on any. */
static bool is_asked(struct storage *w, struct block *b)
{
	const struct standing *base = storage_of(w, storage_base(b));

	return !is_volume(w, b) && (base->asked || !base->physical);
}

static bool is_not_asked(struct storage *w, struct block *b)
{
	return !is_volume(w, b) && !is_asked(w, b);
}

/*
 * An imported pool that is on none of the disks asked about is looked for on the others, and then on logical volumes. Most
 * of these are disks of guests, who may have called their pools like the host's.
 */
void storage_find_members(struct storage *w)
{
	read_labels(w, is_asked);
	if (any_lost(w))
		read_labels(w, is_not_asked);
	if (any_lost(w))
		read_labels(w, is_volume);
}
