/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PLACE_H
#define HANDOVER_PLACE_H

#include "core/plan.h"
#include "core/split.h"

/*
 * What a function has that it loses when its driver lets it go, or when it is removed: its driver, overrides, power,
 * network interface with its place in a bridge, devices at USB ports, IOMMU group. As looks of a step they bring it back.
 */

/* How a step treats a function. */
enum stay {
	STAY_LENT,	/* it is away or somebody else's while lent, and goes home afterwards */
	STAY_KEPT,	/* the same, but it stays away afterwards; only a start that fails brings it back */
	STAY_RETURNS,	/* it leaves and is back within the step */
};

/* power/control, which a driver may change when it takes a function or lets it go; vfio-pci does both. */
void place_power(struct planner *p, struct step *s, const struct function *fn, enum stay stay);

/* reset_method and d3cold_allowed, which the kernel sets anew when it finds a function. */
void place_attributes(struct planner *p, struct step *s, const struct function *fn, enum stay stay);

/*
 * Its network interface, if it has one: all that nic.h keeps of it, and, hoped for, that it has a carrier and that its
 * gateway answers, where that was so. With 'network: ifreload' `ifreload -a` is hoped for beside the gateway: it is run
 * where that does not answer. Nothing of it with 'network: none'.
 */
void place_nic(struct planner *p, struct step *s, const struct function *fn, enum stay stay);

/* That udev has applied its rules again to one that is found anew: hoped for, and looked at only where udev runs. */
void place_udev(struct planner *p, struct step *s, const struct function *fn, enum stay stay);

/* The devices at its ports, if it is a USB controller: hoped for, because a person may unplug one meanwhile. */
void place_usb(struct planner *p, struct step *s, const struct function *fn, enum stay stay);

/* Identity, driver and all of the above of a function that is away while lent: what it goes home to. */
void place_lent(struct planner *p, struct step *s, const struct function *fn);

/* A step has room for the looks of so many functions. */
#define PLACE_FUNCTIONS_MAX 8

/*
 * What place_lent() has, of one that is found within the step; its IOMMU group is what is foretold. is_there: it leaves
 * in this step, and must be who it was then too.
 */
void place_found(struct planner *p, struct step *s, const struct function *fn, const struct forecast *f, bool is_there);

/*
 * One step in which the functions of moved leave together and come back by one rescan: each the same device, with its
 * driver and all of the above, in the IOMMU group that is foretold; siblings that stay keep theirs. It is told as notes
 * what becomes of each group. NULL if anything forbids it (told).
 */
struct step *place_cycle(struct planner *p, const struct wish *w, const struct selection *moved);

/*
 * Whether these functions may leave and be found again: none would join another's IOMMU group, nor a group of which a
 * function is lent. What is wrong is told.
 */
bool place_may_return(struct planner *p, const struct wish *w, const struct forecast *f);

/*
 * When the lease ends, steps are undone from the last to the first: what is found anew then changes IOMMU groups for
 * whoever comes after it, as is foretold here. With whom each will be becomes the home of its look group/. Asked once, when
 * all steps that are undone are planned. What may not come back like that is told.
 */
void place_come_home(struct planner *p);

/*
 * Whether the host can do without a function for a while, or for good: not a bridge, not one whose leaving takes others
 * along, or something that could not be brought back. Told. What the host stands on is looked at when the plan is whole
 * (rails.h).
 */
bool place_may_leave(struct planner *p, const struct wish *w, const struct function *fn);

/* The same of one that nobody has named: it goes with because, whose IOMMU group it is in (NULL: it was named). */
bool place_may_leave_with(struct planner *p, const struct wish *w, const struct function *fn,
			  const struct function *because);

/* Whether a function that was removed can be found again; if not, that is told. A virtual function cannot. */
bool place_may_be_found(struct planner *p, const struct wish *w, const struct function *fn);

#endif
