/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SPLIT_H
#define HANDOVER_SPLIT_H

#include "core/inventory.h"
#include "core/select.h"

/*
 * What becomes of IOMMU groups when functions are removed together and found again by one rescan: foretold from config
 * space, without touching anything. The kernel chooses the group of a function while it adds it, before it notes that the
 * slot has several functions, so only the function's own header byte counts then (drivers/pci/probe.c,
 * pci_scan_slot(); drivers/iommu/iommu.c, pci_device_group(), get_pci_function_alias_group()). Seen on 6.1 to 7.2.
 *
 * A group is a set of functions here; its number is the kernel's and is reused.
 */
enum outlook {
	OUTLOOK_NO_CHANGE,	/* it shares its group with the same functions as before */
	OUTLOOK_SPLIT,		/* with fewer */
	OUTLOOK_MERGE_RISK,	/* with a function that it did not share one with, or nobody can say */
};

/* "NO CHANGE", "SPLIT", "MERGE RISK" */
const char *outlook_name(enum outlook o);

/*
 * Whether a function gets a group of its own when it is found again, whatever else is in its slot: bit 7 of its own
 * header byte is clear, or it has ACS that isolates it. False where config space is unknown.
 */
bool split_leaves(const struct function *fn);

/* Whether its own header byte says so. Where config space is unknown, nobody can say: false. */
bool function_is_one_of_several(const struct function *fn);

/* What is foretold of every function of the inventory; out->outlook and the others have inv->n entries. */
struct forecast {
	const struct inventory *inv;
	enum outlook *outlook;
	int *group;			/* members have the same number; -1: none. As the kernel counts, if nothing else does */
	const struct function **joins;	/* a moved function that does not get a group of its own: one it may join, or NULL */
	bool *moved;
};

void split_foretell(const struct inventory *inv, const struct selection *moved, struct arena *a, struct forecast *out);

/* "0000:00:1f.0 0000:00:1f.4": who will share fn's group; "" if it has none. */
const char *forecast_members(const struct forecast *f, const struct function *fn, struct arena *a);

/* One sentence on why it will be so, for a person. */
const char *forecast_reason(const struct forecast *f, const struct function *fn, struct arena *a);

/* The functions of its slot, other than itself, that a function found again could join: those that stay, without ACS. */
const char *forecast_siblings(const struct forecast *f, const struct function *fn, struct arena *a);

/*
 * Which functions must leave and be found again so that each of wanted is alone in its IOMMU group: only wanted and
 * movable ones, and as few as can be; none if all are alone already. False: it cannot be done, *why says why and
 * *remedy, if not NULL, what could be done.
 */
bool split_plan(const struct inventory *inv, const struct selection *wanted, const struct selection *movable,
		struct arena *a, struct selection *moved, const char **why, const char **remedy);

/* Whether any functions of its slot that may leave the host, found again, would let fn be alone in its IOMMU group. */
bool split_can(const struct inventory *inv, const struct function *fn, struct arena *a);

/* Whether a function shares its IOMMU group with nobody. */
bool split_is_alone(const struct inventory *inv, const struct function *fn);

#endif
