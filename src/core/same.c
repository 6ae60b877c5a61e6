/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/same.h"

/* The list being made. */
struct list {
	struct arena *a;
	const char **lines;
	size_t n, max;
};

static void differ(struct list *l, const char *address, const char *what, const char *then, const char *now)
{
	if (str_same(then, now))
		return;
	if (l->n++ < l->max)
		l->lines[l->n - 1] = arena_fmt(l->a, "%s %s: %s, was %s", address, what, now ? now : "none",
					       then ? then : "none");
}

const char *group_members(const struct inventory *inv, const struct function *fn, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; fn->group >= 0 && i < inv->n; i++)
		if (inv->functions[i].group == fn->group)
			text = arena_fmt(a, "%s%s%s", text, *text ? " " : "", inv->functions[i].address);
	return text;
}

size_t same_differences(const struct inventory *then, const struct inventory *now, struct arena *a, const char **lines,
			size_t max)
{
	struct list l = { a, lines, 0, max };

	for (size_t i = 0; i < then->n; i++) {
		const struct function *x = &then->functions[i], *y = inventory_find(now, x->address);

		differ(&l, x->address, "id", x->id, y ? y->id : NULL);
		if (!y)
			continue;
		differ(&l, x->address, "driver", x->driver, y->driver);
		differ(&l, x->address, "driver_override", x->override, y->override);
		differ(&l, x->address, SAME_GROUP, group_members(then, x, a), group_members(now, y, a));
		differ(&l, x->address, "reset_method", x->reset_methods, y->reset_methods);
		differ(&l, x->address, "power/control", x->power_control, y->power_control);
		differ(&l, x->address, "d3cold_allowed", x->d3cold, y->d3cold);
		differ(&l, x->address, "network interface", x->nic, y->nic);
		differ(&l, x->address, "sriov_numvfs", arena_fmt(a, "%d", x->vfs), arena_fmt(a, "%d", y->vfs));
	}
	for (size_t i = 0; i < now->n; i++)
		if (!inventory_find(then, now->functions[i].address))
			differ(&l, now->functions[i].address, "id", NULL, now->functions[i].id);
	return l.n;
}
