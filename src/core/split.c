/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/split.h"

/* drivers/iommu/iommu.c, REQ_ACS_FLAGS: source validation, request and completion redirection, upstream forwarding. */
#define ACS_ISOLATES 0x001d
#define HEADER_MULTIFUNCTION 0x80
#define AWAY -2		/* group of a function that is not there yet */

const char *outlook_name(enum outlook o)
{
	static const char *const names[] = { "NO CHANGE", "SPLIT", "MERGE RISK" };

	return names[o];
}

static bool is_isolated(const struct function *fn)
{
	return fn->has_acs && (fn->acs_control & ACS_ISOLATES) == ACS_ISOLATES;
}

bool function_is_one_of_several(const struct function *fn)
{
	return fn->has_config && (fn->header & HEADER_MULTIFUNCTION);
}

bool split_leaves(const struct function *fn)
{
	return fn->has_config && (!(fn->header & HEADER_MULTIFUNCTION) || is_isolated(fn));
}

/* Behind a bridge that isolates nothing a function always shares the bridge's group: finding it again changes nothing. */
static const struct function *bound_to(const struct inventory *inv, const struct function *fn)
{
	const struct function *bridge = fn->parent ? inventory_find(inv, fn->parent) : NULL;

	return bridge && function_same_group(bridge, fn) ? bridge : NULL;
}

static bool may_join(const struct function *fn, const struct function *sibling)
{
	return fn != sibling && function_same_slot(fn, sibling) && !is_isolated(sibling);
}

static size_t index_of(const struct inventory *inv, const struct function *fn)
{
	return (size_t)(fn - inv->functions);
}

/* drivers/iommu/iommu.c, iommu_group_alloc(): the lowest number that is free. Only PCI functions are known here. */
static int free_number(const struct forecast *f)
{
	for (int number = 0;; number++) {
		bool taken = false;

		for (size_t i = 0; i < f->inv->n && !taken; i++)
			taken = f->group[i] == number;
		if (!taken)
			return number;
	}
}

/* A function is added: which group does it get? *sure is false where that hangs on the order of the kernel's list. */
static int find_group(const struct forecast *f, const struct function *fn, int fresh, bool *sure)
{
	const struct inventory *inv = f->inv;
	const struct function *bridge = bound_to(inv, fn);
	int group = fresh;

	*sure = true;
	if (bridge)
		return f->group[index_of(inv, bridge)];
	if (split_leaves(fn))
		return fresh;
	for (size_t i = 0; i < inv->n; i++) {
		if (!may_join(fn, &inv->functions[i]) || f->group[i] == AWAY)
			continue;
		*sure = *sure && (group == fresh || group == f->group[i]);
		f->joins[index_of(inv, fn)] = &inv->functions[i];
		group = f->group[i];
	}
	return group;
}

static enum outlook compare(const struct forecast *f, size_t i)
{
	const struct inventory *inv = f->inv;
	bool lost = false;

	for (size_t k = 0; k < inv->n; k++) {
		bool before = function_same_group(&inv->functions[i], &inv->functions[k]);
		bool after = k == i || (f->group[i] >= 0 && f->group[i] == f->group[k]);

		if (after && !before)
			return OUTLOOK_MERGE_RISK;
		lost = lost || (before && !after);
	}
	return lost ? OUTLOOK_SPLIT : OUTLOOK_NO_CHANGE;
}

void split_foretell(const struct inventory *inv, const struct selection *moved, struct arena *a, struct forecast *out)
{
	bool *unsure = arena_array(a, inv->n, sizeof(bool));

	*out = (struct forecast){
		.inv = inv,
		.outlook = arena_array(a, inv->n, sizeof(enum outlook)),
		.group = arena_array(a, inv->n, sizeof(int)),
		.joins = arena_array(a, inv->n, sizeof(struct function *)),
		.moved = arena_array(a, inv->n, sizeof(bool)),
	};
	for (size_t i = 0; i < inv->n; i++)
		out->group[i] = inv->functions[i].group;
	for (size_t i = 0; i < moved->n; i++) {
		out->moved[index_of(inv, moved->list[i])] = true;
		if (moved->list[i]->group >= 0)
			out->group[index_of(inv, moved->list[i])] = AWAY;
	}
	/* A slot is scanned from function 0 up (drivers/pci/probe.c, pci_scan_slot), and a bus from slot 0. */
	for (size_t i = 0; i < inv->n; i++) {
		bool sure;

		if (out->group[i] != AWAY)
			continue;
		out->group[i] = find_group(out, &inv->functions[i], free_number(out), &sure);
		unsure[i] = !sure;
	}
	for (size_t i = 0; i < inv->n; i++)
		out->outlook[i] = unsure[i] ? OUTLOOK_MERGE_RISK : compare(out, i);
}

const char *forecast_members(const struct forecast *f, const struct function *fn, struct arena *a)
{
	int group = f->group[index_of(f->inv, fn)];
	const char *text = "";

	for (size_t i = 0; group >= 0 && i < f->inv->n; i++)
		if (f->group[i] == group)
			text = arena_fmt(a, "%s%s%s", text, *text ? " " : "", f->inv->functions[i].address);
	return text;
}

const char *forecast_siblings(const struct forecast *f, const struct function *fn, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < f->inv->n; i++)
		if (may_join(fn, &f->inv->functions[i]) &&
		    (!f->moved[i] || f->inv->functions[i].bdf.function < fn->bdf.function))
			text = arena_fmt(a, "%s%s%s", text, *text ? ", " : "", f->inv->functions[i].address);
	return text;
}

const char *forecast_reason(const struct forecast *f, const struct function *fn, struct arena *a)
{
	const struct function *bridge = bound_to(f->inv, fn);

	if (fn->group < 0)
		return arena_fmt(a, "%s is in no IOMMU group", fn->address);
	if (bridge)
		return arena_fmt(a, "it stands behind the bridge %s, which isolates nothing", bridge->address);
	if (!fn->has_config)
		return "its config space cannot be read";
	if (is_isolated(fn))
		return "it has ACS, so it gets a group of its own";
	if (!(fn->header & HEADER_MULTIFUNCTION))
		return "bit 7 of its own header byte (0x0e) is clear, so the kernel gives it a group of its own when it is "
		       "found again";
	if (!f->joins[index_of(f->inv, fn)])
		return "bit 7 of its own header byte (0x0e) is set, but it is found before any sibling it could join";
	return arena_fmt(a, "bit 7 of its own header byte (0x0e) is set, so when it is found again it joins the group of a "
			    "sibling without ACS that is there: %s", forecast_siblings(f, fn, a));
}

/* --- the gentlest way -------------------------------------------------------------------------------------------- */

bool split_is_alone(const struct inventory *inv, const struct function *fn)
{
	for (size_t i = 0; i < inv->n; i++)
		if (&inv->functions[i] != fn && function_same_group(&inv->functions[i], fn))
			return false;
	return true;
}

/* pcie_acs_override is what people try first; Proxmox's patch of the kernel leaves out what is not PCI Express. */
static const char *stays_because(const struct inventory *inv, const struct function *fn, struct arena *a)
{
	if (bound_to(inv, fn))
		return arena_fmt(a, "it stands behind the bridge %s, which isolates nothing", fn->parent);
	if (!fn->has_config)
		return "its config space cannot be read";
	return arena_fmt(a, "bit 7 of its own header byte (0x0e) is set, so it joins its siblings' group again%s",
			 fn->pcie ? "" : "; pcie_acs_override cannot help, because it is looked at for PCI Express only "
					 "and this is a conventional PCI function");
}

static const char *both_stay_because(const struct inventory *inv, const struct function *x, const struct function *y,
				     struct arena *a)
{
	const char *why_x = stays_because(inv, x, a), *why_y = stays_because(inv, y, a);

	if (strcmp(why_x, why_y) == 0)
		return arena_fmt(a, "of both, %s", why_x);
	return arena_fmt(a, "of %s, %s; of %s, %s", x->address, why_x, y->address, why_y);
}

/* fn itself cannot leave, so all others of its group must. */
static bool empty_group(const struct inventory *inv, const struct function *fn, const struct selection *wanted,
			const struct selection *movable, struct arena *a, struct selection *moved, const char **why,
			const char **remedy)
{
	for (size_t i = 0; i < inv->n; i++) {
		const struct function *other = &inv->functions[i];

		if (other == fn || !function_same_group(other, fn))
			continue;
		if (!split_leaves(other) || bound_to(inv, other)) {
			*why = arena_fmt(a, "%s shares its IOMMU group with %s, and neither can leave it: %s",
					 fn->address, other->address, both_stay_because(inv, fn, other, a));
			return false;
		}
		if (!selection_holds(wanted, other) && !selection_holds(movable, other)) {
			*why = arena_fmt(a, "%s can be alone only if %s leaves its IOMMU group: %s", fn->address,
					 other->address, stays_because(inv, fn, a));
			*remedy = arena_fmt(a, "name %s under 'moving'", other->address);
			return false;
		}
		selection_add(moved, other, a);
	}
	return true;
}

bool split_plan(const struct inventory *inv, const struct selection *wanted, const struct selection *movable,
		struct arena *a, struct selection *moved, const char **why, const char **remedy)
{
	*moved = (struct selection){ 0 };
	*remedy = NULL;
	for (size_t i = 0; i < wanted->n; i++) {
		const struct function *fn = wanted->list[i];

		if (split_is_alone(inv, fn))
			continue;
		if (bound_to(inv, fn)) {
			*why = arena_fmt(a, "%s stands behind the bridge %s, which isolates nothing: it shares its group "
					    "wherever it is found", fn->address, fn->parent);
			return false;
		}
		if (split_leaves(fn))
			selection_add(moved, fn, a);
		else if (!empty_group(inv, fn, wanted, movable, a, moved, why, remedy))
			return false;
	}
	return true;
}

bool split_can(const struct inventory *inv, const struct function *fn, struct arena *a)
{
	struct selection wanted = { 0 }, movable = { 0 }, moved;
	const char *why, *remedy;

	selection_add(&wanted, fn, a);
	for (size_t i = 0; i < inv->n; i++)
		if (function_same_slot(&inv->functions[i], fn) && !inv->functions[i].bridge)
			selection_add(&movable, &inv->functions[i], a);
	return split_plan(inv, &wanted, &movable, a, &moved, &why, &remedy);
}
