/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/stake_disks.h"

#define POOLS "proc/spl/kstat/zfs"
#define ZFS_MEMBER "zfs_member"

/* Without these the host does not run, or not start again; the gravest first. */
static const char *const root_points[ROOT_POINTS] = { "/", "/boot", "/boot/efi", "/usr", "/var" };

static unsigned rank_of(const char *point)
{
	for (unsigned i = 0; i < ROOT_POINTS; i++)
		if (strcmp(root_points[i], point) == 0)
			return i;
	return RANK_MOUNT;
}

static void add_use(struct storage *w, struct uses *u, const char *name, unsigned rank)
{
	size_t at = u->n;

	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->list[i].name, name) == 0)
			return;
	u->list = arena_grow(w->arena, u->list, u->n, sizeof(*u->list));
	for (; at > 0 && u->list[at - 1].rank > rank; at--)
		u->list[at] = u->list[at - 1];
	u->list[at] = (struct use){ name, rank };
	u->n++;
}

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

/* --- what is mounted and swapped to ----------------------------------------------------------------------------- */

bool storage_is_fellow(const struct block *b, const struct block *other)
{
	return b == other || (b->btrfs && str_same(b->btrfs, other->btrfs));
}

void storage_place(struct storage *w, const struct mount *m, struct block **block, struct pool **pool)
{
	*block = NULL;
	*pool = NULL;
	if (strcmp(m->type, "zfs") == 0) {
		*pool = storage_pool(w, m->source, strcspn(m->source, "/"));
		return;
	}
	*block = blocks_by_number(&w->blocks, m->number);
	/* btrfs has several devices, and a number that is made up: fs/super.c, get_anon_bdev(). */
	if (!*block && str_starts(m->number, "0:"))
		*block = blocks_by_node(&w->blocks, m->source);
}

static void use_mount(struct storage *w, const struct mount *m, const char *name, unsigned rank)
{
	struct block *block;
	struct pool *pool;

	storage_place(w, m, &block, &pool);
	if (pool) {
		pool->imported = true;
		add_use(w, &pool->uses, name, rank);
	}
	for (size_t i = 0; block && i < w->blocks.n; i++)
		if (storage_is_fellow(block, &w->blocks.list[i]))
			add_use(w, &w->standing[i].uses, name, rank);
	if (!pool && !block && rank <= RANK_SWAP &&
	    (!str_starts(m->number, "0:") || str_starts(m->source, "/dev/")))
		storage_doubt(w, -ENODEV, "%s is on %s (%s), which is not among the block devices", name, m->source,
			      m->number);
}

static void use_swap(struct storage *w, const struct swap *swap)
{
	struct block *block = blocks_by_node(&w->blocks, swap->name);
	const struct mount *m = block ? NULL : mounts_of_file(&w->mounts, swap->name);

	if (block)
		add_use(w, &storage_of(w, block)->uses, "swap", RANK_SWAP);
	else if (swap->file && m)
		use_mount(w, m, arena_fmt(w->arena, "swap file %s", swap->name), RANK_SWAP);
	else
		storage_doubt(w, -ENODEV, "swap is on %s, which is not among the block devices", swap->name);
}

static void read_uses(struct storage *w)
{
	struct error err = { 0 };

	if (mounts_read(w->s->host, w->arena, &w->mounts, &err) < 0)
		storage_doubt(w, err.code, "%s", err.text);
	for (size_t i = 0; i < w->mounts.n; i++)
		use_mount(w, &w->mounts.list[i], w->mounts.list[i].point, rank_of(w->mounts.list[i].point));
	for (size_t i = 0; i < w->mounts.n_swaps; i++)
		use_swap(w, &w->mounts.swaps[i]);
}

/* The kind of file system on it, if it is mounted in any namespace at all; NULL: not, or it does not tell. */
static const char *mounted_kind(struct storage *w, const struct block *b)
{
	/* Each has a folder for what is mounted, say fs/ext4/sysfs.c, ext4_register_sysfs(). */
	static const char *const kinds[] = { "ext4", "xfs", "f2fs" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (host_has(w->s->host, arena_fmt(w->arena, "sys/fs/%s/%s", kinds[i], b->name)))
			return kinds[i];
	return b->btrfs ? "btrfs" : NULL;
}

/* --- ZFS -------------------------------------------------------------------------------------------------------- */

/* Each pool that is imported has a folder there, among files: module/zfs/spa_stats.c, spa_stats_init(). */
static void read_imported(struct storage *w)
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

/*
 * Reading a label may wake a disk. So none is read of what is known to have something else on it, of a CD, and of disks
 * of guests (zvols, logical volumes): pools on these are the guest's, who may have called them like the host's.
 */
static bool may_have_label(struct storage *w, struct block *b)
{
	struct block *base = storage_base(b);

	if (b->holder || b->parted || b->empty || b->file || storage_of(w, b)->uses.n || mounted_kind(w, b) ||
	    str_starts(b->name, "sr") || str_same(base->kind, "lvm"))
		return false;
	return base->n_below || storage_of(w, base)->physical;
}

/* What cannot be read is in doubt, but for what has no medium or is gone. */
static void doubt_block(struct storage *w, struct block *b, int code, const char *what)
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

static void read_label(struct storage *w, struct block *b)
{
	char label[HOST_VALUE_BYTES];
	ssize_t n = host_read(w->s->host, arena_fmt(w->arena, "label/%s", b->name), label, sizeof(label));
	struct pool *pool;
	const char *name;

	if (n < 0)
		doubt_block(w, b, (int)n, "what is on");
	if (n < 0 || !str_starts(label, ZFS_MEMBER))
		return;
	name = label + strlen(ZFS_MEMBER);
	name += strspn(name, " ");
	if (!*name && any_imported(w)) {
		doubt_block(w, b, -ENODATA, "the name of the ZFS pool on");
		return;
	}
	pool = storage_pool(w, name, strlen(name));
	pool->members = arena_grow(w->arena, pool->members, pool->n, sizeof(*pool->members));
	pool->members[pool->n++] = b;
	storage_of(w, b)->pool = pool;
}

/* --- things ----------------------------------------------------------------------------------------------------- */

static struct thing *add_thing(struct storage *w, struct block *block, struct pool *pool, unsigned rank,
			       const char *name)
{
	struct thing *t = arena_alloc(w->arena, sizeof(*t));

	*t = (struct thing){ .block = block, .pool = pool, .rank = rank, .name = name };
	w->things = arena_grow(w->arena, w->things, w->n_things, sizeof(t));
	w->things[w->n_things++] = t;
	return t;
}

static void tell_uses(struct storage *w, struct thing *t, const struct uses *u)
{
	const char *names[SHOWN_MAX] = { NULL }, *all;
	size_t n = 0;

	/* Next to what the host stands on, the rest is not worth a word. */
	while (n < u->n && (t->rank > RANK_SWAP || u->list[n].rank <= RANK_SWAP)) {
		if (n < SHOWN_MAX)
			names[n] = u->list[n].name;
		n++;
	}
	all = storage_names(w->arena, names, n);
	t->direct = arena_fmt(w->arena, "holds %s", all);
	t->layered = arena_fmt(w->arena, "which %s %s on", all, n == 1 ? "is" : "are");
	t->remedy = arena_fmt(w->arena, "unmount %s", all);
}

static void tell_root(struct thing *t)
{
	if (t->rank <= RANK_SWAP)
		t->remedy = "leave it, or move the system to a disk of another controller";
}

static void find_pool(struct storage *w, struct pool *pool)
{
	const char *name = arena_fmt(w->arena, "pool %s", *pool->name ? pool->name : "(no name)");
	struct thing *t = add_thing(w, NULL, pool, pool->imported ? RANK_POOL : RANK_MEMBER, name);

	if (pool->uses.n && pool->uses.list[0].rank < t->rank) {
		t->rank = pool->uses.list[0].rank;
		tell_uses(w, t, &pool->uses);
	} else {
		t->layered = pool->imported ? "which is imported" : "which is not imported";
	}
	if (t->rank <= RANK_SWAP)
		t->name = pool->uses.list[0].name;
	t->remedy = pool->imported ? arena_fmt(w->arena, "zpool export %s", pool->name) : NULL;
	tell_root(t);
	if (pool->imported && !pool->n)
		storage_doubt(w, -ENODEV, "no block device is labelled as part of %s, which is imported", name);
}

/* Two '-' in a name of device mapper are one of LVM's; a single one ends the volume group. */
static const char *volume_group(struct arena *a, const char *name)
{
	char *group = arena_dup(a, name), *to = group;

	for (; *name && (name[0] != '-' || name[1] == '-'); name++) {
		*to++ = *name;
		name += *name == '-';
	}
	*to = '\0';
	return group;
}

static const char *how_to_stop(struct storage *w, const struct block *b)
{
	struct arena *a = w->arena;

	if (str_same(b->kind, "lvm"))
		return arena_fmt(a, "vgchange -an %s", volume_group(a, b->shown));
	if (str_same(b->kind, "luks") || str_same(b->kind, "crypt"))
		return arena_fmt(a, "cryptsetup close %s", b->shown);
	if (str_same(b->kind, "multipath"))
		return arena_fmt(a, "multipath -f %s", b->shown);
	if (b->mapper)
		return arena_fmt(a, "dmsetup remove %s", b->shown);
	if (b->file)
		return arena_fmt(a, "losetup -d /dev/%s", b->name);
	return str_starts(b->name, "md") ? arena_fmt(a, "mdadm --stop /dev/%s", b->name) : NULL;
}

static void find_block(struct storage *w, struct block *b)
{
	struct standing *d = storage_of(w, b);
	struct block *base = storage_base(b);
	const char *kind = d->uses.n ? NULL : mounted_kind(w, b);
	struct thing *t;

	if (d->uses.n) {
		t = add_thing(w, b, NULL, d->uses.list[0].rank, d->uses.list[0].name);
		tell_uses(w, t, &d->uses);
		tell_root(t);
	} else if (kind) {
		t = add_thing(w, b, NULL, RANK_ELSEWHERE, b->shown);
		t->direct = arena_fmt(w->arena, "holds a file system (%s) that a container or service has mounted",
				      kind);
		t->layered = "which a container or service has mounted";
		t->remedy = "stop the container or service";
	} else if (base->n_below && !b->holder && !b->parted && !(d->pool && d->pool->imported)) {
		t = add_thing(w, b, NULL, RANK_HELD, b->shown);
		t->direct = t->layered = "which is active";
		t->remedy = how_to_stop(w, base);
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct thing *x = *(struct thing *const *)a, *y = *(struct thing *const *)b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->block && y->block)
		return strcmp(x->block->name, y->block->name);
	return strcmp(x->name, y->name);
}

static void stand_all(struct storage *w)
{
	for (size_t i = 0; i < w->n_pools; i++)
		find_pool(w, w->pools[i]);
	for (size_t i = 0; i < w->blocks.n; i++)
		find_block(w, &w->blocks.list[i]);
	if (w->n_things)
		qsort(w->things, w->n_things, sizeof(*w->things), by_rank);
	for (size_t i = 0; i < w->n_things; i++)
		storage_stand(w, w->things[i]);
}

/* --- what only the disk itself tells ---------------------------------------------------------------------------- */

/* It has a holder that is not known to stand on it: its links go round in circles, or it is gone meanwhile. */
static void stand_holder(struct storage *w, struct block *b)
{
	struct thing *t = add_thing(w, b, NULL, RANK_HELD, b->holder);

	t->direct = t->layered = arena_fmt(w->arena, "is held by %s", b->holder);
	storage_stand(w, t);
}

static void stand_open(struct storage *w, struct block *b)
{
	char *node = arena_fmt(w->arena, "dev/%s", b->name);
	struct holder_process *list;
	struct thing *t;
	size_t n;
	int code;

	for (char *s = node; *s; s++)
		if (*s == '!')
			*s = '/';
	code = stake_ask(w->s, node, &list, &n);
	if (code < 0)
		doubt_block(w, b, code, "who has open");
	if (n == 0)
		return;
	t = add_thing(w, b, NULL, RANK_OPEN, arena_fmt(w->arena, "process %s", list[0].pid));
	t->direct = t->layered = arena_fmt(w->arena, "is held open by %s%s", list[0].text,
					   n > 1 ? arena_fmt(w->arena, " and %zu more", n - 1) : "");
	t->remedy = list[0].remedy;
	storage_stand(w, t);
}

/* Only of disks that are free so far: what is in use already needs no second reason. */
static void stand_free(struct storage *w, void (*look)(struct storage *w, struct block *b), bool held)
{
	for (size_t i = 0; i < w->blocks.n; i++) {
		struct block *b = &w->blocks.list[i], *base = storage_base(b);

		if (storage_of(w, base)->physical && !storage_in_use(w, base) && (!held || b->holder))
			look(w, b);
	}
}

void stakes_storage(struct stakes *s)
{
	struct storage w = { .s = s, .arena = s->arena };
	int code = blocks_read(s->host, s->arena, &w.blocks);

	/* A kernel that has disks has the class; a capture may be of before it was taken. */
	if (code < 0) {
		w.blind = true;
		storage_doubt(&w, code, "/sys/class/block %s%s", code == -ENOENT ? "is not there" : "cannot be read: ",
			      code == -ENOENT ? "" : strerror(-code));
	}
	w.standing = arena_array(s->arena, w.blocks.n, sizeof(*w.standing));
	for (size_t i = 0; i < w.blocks.n; i++)
		w.standing[i].physical = path_function(w.blocks.list[i].path, s->arena) ||
					 strstr(w.blocks.list[i].path, "/nvme-subsystem/");
	read_uses(&w);
	read_imported(&w);
	for (size_t i = 0; i < w.blocks.n; i++)
		if (may_have_label(&w, &w.blocks.list[i]))
			read_label(&w, &w.blocks.list[i]);
	stand_all(&w);
	stand_free(&w, stand_holder, true);
	stand_free(&w, stand_open, false);
	storage_write(&w);
}
