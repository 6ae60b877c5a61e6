/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/scan.h"

bool scan_is_removed(const struct planner *p, const struct function *fn)
{
	const char *look = arena_fmt(p->arena, "life/%s", fn->address);
	bool removed = false;

	for (size_t i = 0; i < p->plan.n; i++) {
		const struct step *s = &p->plan.steps[i];

		for (size_t k = 0; k < s->n_looks; k++)
			if (strcmp(s->look[k], look) == 0)
				removed = s->to.v[k].kind == VALUE_TEXT;
	}
	return removed;
}

static bool is_scanned(const struct forecast *f, const struct bdf *bdf)
{
	for (size_t i = 0; i < f->inv->n; i++)
		if (f->moved[i] && bdf_same_bus(&f->inv->functions[i].bdf, bdf))
			return true;
	return false;
}

static bool tell(struct planner *p, const struct wish *w, const char *address, const char *who, const char *remedy)
{
	finding_add(p->findings, SEVERITY_ERROR, "scan-brings-back", w->place, remedy,
		    "the rescan of this step would bring back %s too, which %s has removed from the same bus", address, who);
	return false;
}

bool scan_brings_only(struct planner *p, const struct wish *w, const struct forecast *f, bool own)
{
	bool only = true;

	for (size_t i = 0; own && i < f->inv->n; i++) {
		const struct function *fn = &f->inv->functions[i];

		if (!f->moved[i] && is_scanned(f, &fn->bdf) && scan_is_removed(p, fn))
			only = tell(p, w, fn->address, "an earlier step", "put this step before that one, or find both together");
	}
	for (size_t i = 0; i < p->n_lent; i++) {
		struct bdf bdf;

		if (bdf_parse(p->lent[i].address, &bdf) && !inventory_find(p->found, p->lent[i].address) && is_scanned(f, &bdf))
			only = tell(p, w, p->lent[i].address, arena_fmt(p->arena, "VM %u", p->lent[i].vmid),
				    arena_fmt(p->arena, "stop VM %u first", p->lent[i].vmid));
	}
	return only;
}
