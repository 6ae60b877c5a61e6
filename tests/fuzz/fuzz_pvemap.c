/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/pvemap.h"
#include "core/pveprops.h"

/* Any text is a file of mappings; what is taken from it are maps that are some; written again they are the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static void touch_map(struct arena *a, const struct pve_map *map, enum pvemap_kind kind)
{
	size_t n = 0;

	require(map->line && props_is_node(map->node) && props_is_id(map->id));
	if (kind == PVEMAP_USB) {
		require(!map->path || props_is_usb_port(map->path));
		require(!map->group && !map->subsystem);
		return;
	}
	require(props_is_pci_list_with_domain(map->path));
	while (pvemap_path(map, n, a))
		require(strchr(pvemap_path(map, n++, a), '.'));
	require(n > 0);
}

static struct pve_mappings parse(struct arena *a, const char *text, enum pvemap_kind kind)
{
	struct pve_mappings m;

	pvemap_parse(text, kind, a, &m);
	for (size_t i = 0; i < m.n; i++) {
		require(props_is_mapping(m.list[i].name) && m.list[i].n > 0);
		require(pvemap_find(&m, m.list[i].name) == &m.list[i]);
		for (size_t k = 0; k < m.list[i].n; k++)
			touch_map(a, &m.list[i].maps[k], kind);
	}
	for (size_t i = 0; i < m.n_bad; i++)
		require(m.bad[i].why && m.bad[i].text && m.bad[i].line);
	return m;
}

static const char *write_mappings(struct arena *a, const struct pve_mappings *m)
{
	char *text = arena_dup(a, "");

	for (size_t i = 0; i < m->n; i++) {
		text = arena_fmt(a, "%s%s\n%s", text, m->list[i].name, m->list[i].mdev ? "\tmdev 1\n" : "");
		for (size_t k = 0; k < m->list[i].n; k++)
			text = arena_fmt(a, "%s\tmap %s\n", text, m->list[i].maps[k].text);
		text = arena_fmt(a, "%s\n", text);
	}
	return text;
}

static void require_same(const struct pve_mappings *x, const struct pve_mappings *y)
{
	require(x->n == y->n && y->n_bad == 0);
	for (size_t i = 0; i < x->n; i++) {
		const struct pve_mapping *p = &x->list[i], *q = &y->list[i];

		require(strcmp(p->name, q->name) == 0 && p->mdev == q->mdev && p->n == q->n);
		for (size_t k = 0; k < p->n; k++)
			require(strcmp(p->maps[k].text, q->maps[k].text) == 0 && str_same(p->maps[k].path, q->maps[k].path) &&
				str_same(p->maps[k].group, q->maps[k].group));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = n ? arena_dupn(a, (const char *)data, n) : "";

	for (int kind = PVEMAP_PCI; kind <= PVEMAP_USB; kind++) {
		struct pve_mappings m = parse(a, text, (enum pvemap_kind)kind), again;

		/* Writing it takes time in the square of its size. */
		if (n > 4000)
			continue;
		again = parse(a, write_mappings(a, &m), (enum pvemap_kind)kind);
		require_same(&m, &again);
	}
	return 0;
}
