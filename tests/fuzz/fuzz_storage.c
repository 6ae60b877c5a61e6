/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/storage_cfg.h"

/*
 * Any text is a list of storages with "local" in it, no two of one name; a path that is a storage's is a full one; and
 * written again they are taken for the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static void touch(struct arena *a, const struct storages *all, const struct storage *s)
{
	const char *volume = arena_fmt(a, "%s:snippets/x", s->id), *file = storage_hookscript(all, volume, a);

	require(storage_find(all, s->id) == s);
	require(!s->path || (*s->path == '/' && s->path[1] && !strchr(s->path, '\n')));
	require(storage_has_files(s) == (file != NULL));
	require(!file || strcmp(file, arena_fmt(a, "%s/x", storage_snippets(s, a))) == 0);
	storage_is_of_node(s, "pve1");
}

static char *write_storage(struct arena *a, const struct storage *s, char *text)
{
	text = arena_fmt(a, "%s%s: %s\n", text, s->type, s->id);
	if (s->path)
		text = arena_fmt(a, "%s\tpath %s\n", text, s->path);
	if (s->dir)
		text = arena_fmt(a, "%s\tcontent-dirs snippets=%s\n", text, s->dir);
	if (s->nodes)
		text = arena_fmt(a, "%s\tnodes %s\n", text, s->nodes);
	if (s->mountpoint)
		text = arena_fmt(a, "%s\tis_mountpoint %s\n", text, *s->mountpoint ? s->mountpoint : "1");
	return arena_fmt(a, "%s%s%s%s\n", text, s->disabled ? "\tdisable\n" : "", s->shared ? "\tshared 1\n" : "",
			 s->snippets ? "\tcontent iso,snippets\n" : "");
}

static void require_same(const struct storage *x, const struct storage *y)
{
	require(y && strcmp(x->type, y->type) == 0 && str_same(x->path, y->path) && str_same(x->dir, y->dir) &&
		str_same(x->nodes, y->nodes) && str_same(x->mountpoint, y->mountpoint) && x->disabled == y->disabled &&
		x->shared == y->shared && x->snippets == y->snippets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = n ? arena_dupn(a, (const char *)data, n) : "";
	struct storages all, again;
	char *written = arena_dup(a, "");

	storage_parse(text, a, &all);
	for (size_t i = 0; i < all.n; i++) {
		touch(a, &all, &all.list[i]);
		written = write_storage(a, &all.list[i], written);
	}
	require(storage_find(&all, STORAGE_LOCAL) && storage_has_files(storage_find(&all, STORAGE_LOCAL)));
	storage_parse(written, a, &again);
	require(all.n == again.n);
	for (size_t i = 0; i < all.n; i++)
		require_same(&all.list[i], storage_find(&again, all.list[i].id));
	return 0;
}
