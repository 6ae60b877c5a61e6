/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/stake_disks.h"

#define BOOT_UUIDS "etc/kernel/proxmox-boot-uuids"
#define BY_UUID "dev/disk/by-uuid"
#define UUID_MAX 64

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

/*
 * Boot partitions that are not mounted: proxmox-boot-tool keeps their UUIDs, a line each, and udev a link for each UUID
 * (rules.d/60-persistent-storage.rules), which reads as the device's name.
 */
static void use_boot(struct storage *w)
{
	char text[HOST_VALUE_BYTES], name[HOST_NAME_BYTES], *at = text, *uuid;
	struct block *block;
	bool cut;

	if (host_read_lines(w->s->host, BOOT_UUIDS, text, sizeof(text), &cut) < 0)
		return;
	while ((uuid = strsep(&at, "\n")) != NULL) {
		uuid[strcspn(uuid, " \t\r#")] = '\0';
		if (!str_is_word(uuid, UUID_MAX) ||
		    host_read(w->s->host, arena_fmt(w->arena, BY_UUID "/%s", uuid), name, sizeof(name)) < 0)
			continue;
		block = blocks_by_name(&w->blocks, name);
		if (block)
			add_use(w, &storage_of(w, block)->uses, "the boot loader", rank_of("/boot/efi"));
	}
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
	use_boot(w);
}

/* The kind of file system on it, if it is mounted in any namespace at all; NULL: not, or it does not tell. */
const char *storage_mounted_kind(struct storage *w, const struct block *b)
{
	/* Each has a folder for what is mounted, say fs/ext4/sysfs.c, ext4_register_sysfs(). */
	static const char *const kinds[] = { "ext4", "xfs", "f2fs" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (host_has(w->s->host, arena_fmt(w->arena, "sys/fs/%s/%s", kinds[i], b->name)))
			return kinds[i];
	return b->btrfs ? "btrfs" : NULL;
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
	const char *kind = d->uses.n ? NULL : storage_mounted_kind(w, b);
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

/* They keep disks open that they only look after: multipathd the paths of its maps, udev what it looks at just now. */
static bool is_keeper(const struct holder_process *p)
{
	static const char *const keepers[] = { "multipathd", "(udev-worker)", "systemd-udevd" };

	for (size_t i = 0; i < sizeof(keepers) / sizeof(*keepers); i++)
		if (strcmp(p->command, keepers[i]) == 0)
			return true;
	return false;
}

static size_t without_keepers(struct holder_process *list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_keeper(&list[i]))
			list[kept++] = list[i];
	return kept;
}

static void stand_open(struct storage *w, struct block *b)
{
	char *node = arena_fmt(w->arena, "dev/%s", b->name);
	struct holder_process *list;
	struct thing *t;
	size_t n;
	int code;

	if (!storage_of(w, storage_base(b))->asked)
		return;
	for (char *s = node; *s; s++)
		if (*s == '!')
			*s = '/';
	code = stake_ask(w->s, node, &list, &n);
	if (code < 0)
		storage_doubt_block(w, b, code, "who has open");
	n = without_keepers(list, n);
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

static bool is_block_asked(const struct stakes *s, const struct block *b)
{
	const char **paths;
	size_t n;

	if (!s->asked)
		return true;
	paths = block_paths(b, s->host, s->arena, &n);
	for (size_t i = 0; i < n; i++)
		if (stakes_ask(s, paths[i]))
			return true;
	/* Where it hangs is not known. */
	return n == 0;
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
	for (size_t i = 0; i < w.blocks.n; i++) {
		w.standing[i].physical = path_function(w.blocks.list[i].path, s->arena) ||
					 strstr(w.blocks.list[i].path, "/nvme-subsystem/");
		w.standing[i].asked = w.standing[i].physical && is_block_asked(s, &w.blocks.list[i]);
	}
	read_uses(&w);
	storage_read_imported(&w);
	storage_find_members(&w);
	stand_all(&w);
	stand_free(&w, stand_holder, true);
	stand_free(&w, stand_open, false);
	storage_write(&w);
}
