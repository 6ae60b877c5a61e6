/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PLAN_H
#define HANDOVER_PLAN_H

#include "base/findings.h"
#include "core/action.h"
#include "core/inventory.h"
#include "core/policy.h"
#include "core/profile.h"
#include "core/pveconf.h"
#include "core/pvemap.h"
#include "core/select.h"
#include "core/step.h"

/* The steps of a whole lease, in the order in which they are done. What is printed is this, and what is run is this. */
struct plan {
	struct step *steps;
	size_t n;
};

struct usb_device;
struct mapped;

/* A function that a VM has now. */
struct lent {
	unsigned vmid;
	const char *address;
};

/* What the plan takes from the host, if only for a moment, and where that was asked for: a function or a USB device. */
struct leaving {
	const struct function *fn;
	const struct usb_device *usb;
	const struct function *because;	/* nobody has named it: it leaves with this one, whose IOMMU group it is in; or NULL */
	bool by_proxmox;		/* no step takes it: Proxmox does, by itself */
	struct place place;
	enum phase phase;
	size_t after;		/* so many steps were planned before it */
};

/* What an action's plan() works with. */
struct planner {
	struct host *host;			/* to be read only */
	const struct policy *policy;		/* of this host */
	const struct profile *profile;
	unsigned vmid;				/* 0: the host's own, or none is known */
	bool now;				/* it is about to be done; else it is only looked at */
	const struct inventory *found;		/* the host as it is */
	const struct pve_guest *guest;		/* NULL: no VM is known */
	const struct lent *lent;		/* to VMs, as far as it is known */
	size_t n_lent;
	struct pvemap_here mappings;
	struct mapped *mapped;			/* mappings that the VM or the profile names: alternatives.h */
	size_t n_mapped;
	struct findings *findings;
	struct arena *arena;
	/* filled in: */
	const struct inventory *inventory;	/* the host as it will be when the next step is done: IOMMU groups change */
	struct plan plan;
	const struct wish **wishes;		/* that the steps of the plan are of */
	struct selection *devices;		/* of profile->devices; n = 0 where the device was not found */
	struct leaving *leaving;
	size_t n_leaving;
	struct nic **nics;			/* that nic.h has read */
	size_t n_nics;
	struct selection doubted;		/* that isolation.h has told of */
	size_t refused;				/* errors of rails.h and isolation.h: but for them the plan is whole */
};

/*
 * Makes the plan of a profile for a host. Pure: it reads the host and changes nothing. False if there is any error in
 * findings; the plan is then not to be used, or, where p->refused are all the errors there are, only to be shown.
 * p->host to p->arena are given.
 */
bool plan_make(struct planner *p);

/* The functions a wish's field names, without doubles, by address. n = 0 if one was not found: that has been told. */
struct selection planner_select(struct planner *p, const struct words *names);

/* Whether any wish of this action names the function itself. */
bool planner_names(const struct planner *p, const struct action *action, const struct function *fn);

/* Whether the profile accepts this risk for the function. */
bool planner_accepts(const struct planner *p, const char *code, const struct function *fn);

/* The profile's name for a device that the function is one of, or NULL. */
const char *planner_name(const struct planner *p, const struct function *fn);

/* What leaves the host for a while, as a wish asks. */
void planner_leaves(struct planner *p, struct leaving leaving);

/* From here on, IOMMU groups are what is foretold. */
struct forecast;
void planner_foresee(struct planner *p, const struct forecast *f);

/* A new step at the end of the plan, for the action to fill in. NULL if there are PLAN_STEPS_MAX already (told). */
struct step *planner_add(struct planner *p, const struct wish *w, const struct function *fn);

/* The same about something that is no PCI function: a unit, a module, a USB device. */
struct step *planner_add_named(struct planner *p, const struct wish *w, const char *device);

/*
 * A step that changes nothing and waits at most patience_ms until the function is there, and, where not NULL, is bound to
 * that driver and shares its IOMMU group with these functions only.
 */
void planner_expect(struct planner *p, const struct wish *w, const struct function *fn, const char *driver,
		    const char *members, unsigned patience_ms);

/* The one word of a field, or otherwise if it was not given. */
const char *field_word(const struct words *w, const char *otherwise);

#endif
