/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/blocks.h"

#define CLASS "sys/class/block"
#define BTRFS "sys/fs/btrfs"
#define SUBSYSTEMS "sys/class/nvme-subsystem"

struct reader {
	struct host *h;
	struct arena *a;
	struct blocks *b;
	char buf[HOST_VALUE_BYTES];
};

static const char *get(struct reader *r, const char *name, const char *file)
{
	const char *path = arena_fmt(r->a, CLASS "/%s/%s", name, file);

	return host_read(r->h, path, r->buf, sizeof(r->buf)) < 0 ? NULL : arena_dup(r->a, r->buf);
}

static bool is_numbered(const char *name, const char *word)
{
	const char *rest = name + strlen(word);

	return str_starts(name, word) && *rest && rest[strspn(rest, "0123456789")] == '\0';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct block *)a)->name, ((const struct block *)b)->name);
}

struct block *blocks_by_name(const struct blocks *b, const char *name)
{
	struct block key = { .name = name };

	return b->n ? bsearch(&key, b->list, b->n, sizeof(key), by_name) : NULL;
}

struct block *blocks_by_number(const struct blocks *b, const char *number)
{
	for (size_t i = 0; i < b->n && *number; i++)
		if (strcmp(b->list[i].number, number) == 0)
			return &b->list[i];
	return NULL;
}

/* Whether name is a node's, but for the '/' that sysfs cannot have in it. */
static bool is_node(const char *name, const char *node)
{
	for (; *name && (*name == *node || (*name == '!' && *node == '/')); name++, node++)
		;
	return *name == '\0' && *node == '\0';
}

struct block *blocks_by_node(const struct blocks *b, const char *node)
{
	static const char dev[] = "/dev/", mapper[] = "/dev/mapper/";

	for (size_t i = 0; i < b->n; i++) {
		struct block *block = &b->list[i];

		if (str_starts(node, dev) && is_node(block->name, node + strlen(dev)))
			return block;
		if (block->mapper && str_starts(node, mapper) && strcmp(block->shown, node + strlen(mapper)) == 0)
			return block;
	}
	return NULL;
}

/* --- one device ------------------------------------------------------------------------------------------------- */

/* The beginning of dm/uuid is the tool's that made it. */
static const char *mapper_kind(const char *uuid)
{
	static const struct {
		const char *prefix, *kind;
	} kinds[] = {
		{ "LVM-", "lvm" }, { "CRYPT-LUKS", "luks" }, { "CRYPT-", "crypt" }, { "mpath-", "multipath" },
		{ "part", NULL },
	};

	for (size_t i = 0; uuid && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (str_starts(uuid, kinds[i].prefix))
			return kinds[i].kind;
	return "dm";
}

static void read_kind(struct reader *r, struct block *b)
{
	const char *text = get(r, b->name, "dm/name");

	b->shown = b->name;
	if (text) {
		b->shown = *text ? text : b->name;
		b->mapper = true;
		b->kind = mapper_kind(get(r, b->name, "dm/uuid"));
		return;
	}
	text = get(r, b->name, "md/level");
	if (text)
		b->kind = *text ? text : "md";
	else if (is_numbered(b->name, "bcache"))
		b->kind = "bcache";
	else if (is_numbered(b->name, "zd"))
		b->kind = "zvol";
	b->file = get(r, b->name, "loop/backing_file");
}

static void read_block(struct reader *r, const char *name)
{
	const char *link = arena_fmt(r->a, CLASS "/%s", name), *hidden = get(r, name, "hidden");
	struct block b = { .name = name };

	/* Each path of an NVMe disk that has several is shown, and cannot be opened: block/genhd.c, GENHD_FL_HIDDEN. */
	if (host_link(r->h, link, r->buf, sizeof(r->buf)) < 0 || str_same(hidden, "1"))
		return;
	b.path = arena_dup(r->a, r->buf);
	b.number = get(r, name, "dev");
	if (!b.number)
		b.number = "";
	b.empty = str_same(get(r, name, "size"), "0");
	read_kind(r, &b);
	r->b->list[r->b->n++] = b;
}

/* --- what stands on what ---------------------------------------------------------------------------------------- */

static void add_below(struct reader *r, struct block *above, struct block *below)
{
	if (!above || !below || above == below)
		return;
	for (size_t i = 0; i < above->n_below; i++)
		if (above->below[i] == below)
			return;
	above->below = arena_grow(r->a, above->below, above->n_below, sizeof(*above->below));
	above->below[above->n_below++] = below;
}

static char **list(struct reader *r, const char *name, const char *folder, size_t *n)
{
	char **names = NULL;

	*n = 0;
	if (host_list(r->h, arena_fmt(r->a, CLASS "/%s/%s", name, folder), r->a, &names, n) < 0)
		*n = 0;
	return names;
}

/* A partition's folder is in its disk's. */
static struct block *find_whole(struct reader *r, const struct block *b)
{
	const char *end = strrchr(b->path, '/');

	if (!end || !get(r, b->name, "partition"))
		return NULL;
	return blocks_by_name(r->b, str_basename(arena_dupn(r->a, b->path, (size_t)(end - b->path))));
}

static void link_block(struct reader *r, struct block *b)
{
	char **names;
	size_t n;

	b->whole = find_whole(r, b);
	if (b->whole == b)
		b->whole = NULL;
	if (b->whole)
		b->whole->parted = true;
	names = list(r, b->name, "slaves", &n);
	for (size_t i = 0; i < n; i++)
		add_below(r, b, blocks_by_name(r->b, names[i]));
	names = list(r, b->name, "holders", &n);
	if (n)
		b->holder = names[0];
	for (size_t i = 0; i < n; i++)
		add_below(r, blocks_by_name(r->b, names[i]), b);
	if (b->file)
		add_below(r, b, blocks_by_node(r->b, b->file));
}

/* Each btrfs that is mounted has its devices there by name: fs/btrfs/sysfs.c, btrfs_sysfs_add_device(). */
static void read_btrfs(struct reader *r)
{
	char **uuids, **names;
	size_t n_uuids, n;

	if (host_list(r->h, BTRFS, r->a, &uuids, &n_uuids) < 0)
		return;
	for (size_t i = 0; i < n_uuids; i++) {
		if (host_list(r->h, arena_fmt(r->a, BTRFS "/%s/devices", uuids[i]), r->a, &names, &n) < 0)
			continue;
		for (size_t k = 0; k < n; k++) {
			struct block *b = blocks_by_name(r->b, names[k]);

			if (b)
				b->btrfs = uuids[i];
		}
	}
}

int blocks_read(struct host *h, struct arena *a, struct blocks *b)
{
	struct reader r = { .h = h, .a = a, .b = b };
	char **names;
	size_t n;
	int code = host_list(h, CLASS, a, &names, &n);

	*b = (struct blocks){ 0 };
	if (code < 0)
		return code;
	b->list = arena_array(a, n, sizeof(*b->list));
	for (size_t i = 0; i < n; i++)
		read_block(&r, names[i]);
	for (size_t i = 0; i < b->n; i++)
		link_block(&r, &b->list[i]);
	/* Who is above is known by both sides, so that one of them that cannot be read does not matter. */
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->list[i].n_below; k++)
			if (!b->list[i].below[k]->holder)
				b->list[i].below[k]->holder = b->list[i].name;
	read_btrfs(&r);
	return 0;
}

/* --- ways ------------------------------------------------------------------------------------------------------- */

const char **block_paths(const struct block *b, struct host *h, struct arena *a, size_t *n)
{
	static const char mark[] = "/nvme-subsystem/";
	const char *at = strstr(b->path, mark), *tail = at ? strchr(at + strlen(mark), '/') : NULL, *folder;
	const char **paths = arena_grow(a, NULL, 0, sizeof(*paths));
	char target[HOST_VALUE_BYTES], **names;
	size_t n_names;

	*n = 0;
	if (!tail) {
		paths[(*n)++] = b->path;
		return paths;
	}
	at += strlen(mark);
	folder = arena_fmt(a, SUBSYSTEMS "/%.*s", (int)(tail - at), at);
	if (host_list(h, folder, a, &names, &n_names) < 0)
		return paths;
	for (size_t i = 0; i < n_names; i++) {
		if (!is_numbered(names[i], "nvme") ||
		    host_link(h, arena_fmt(a, "%s/%s", folder, names[i]), target, sizeof(target)) < 0)
			continue;
		paths = arena_grow(a, paths, *n, sizeof(*paths));
		paths[(*n)++] = arena_fmt(a, "%s%s", target, tail);
	}
	return paths;
}
