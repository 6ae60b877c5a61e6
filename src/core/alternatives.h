/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ALTERNATIVES_H
#define HANDOVER_ALTERNATIVES_H

#include "core/plan.h"
#include "core/pvemap.h"

/*
 * What the resource mappings that a VM's lines or a profile name are on this node. Each map of the node is an
 * alternative, in the order of the file; Proxmox gives the VM the first that no other VM has reserved and no line before
 * has got (qemu-server, PVE/QemuServer/PCI.pm, choose_hostpci_devices()), and it does so only after pre-start. So the
 * same choice is made here; post-start looks which one it was.
 */
struct alternative {
	const struct pve_map *map;
	const char **places;		/* as they stand in its path: "0000:01:00", "0000:02:00.0" */
	size_t n;
	const char *busy;		/* why it is passed over, NULL: it is free */
};

struct mapped {
	const char *name;
	int hostpci;			/* the VM's line that names it, -1: a profile alone does */
	struct alternative *list;	/* of this node */
	size_t n;
	const struct alternative *chosen;	/* the first that is free, or the first if none is; NULL: there is none */
};

/*
 * Fills in p->mapped for the lines of the VM, and then for those of p->profile, and gives each line of guest (the one
 * that p->guest is, or NULL) the addresses of what was chosen for it. Tells, as a note mapping-chosen, which of several
 * it was. The rest of p that is read before a plan is made must be there.
 */
void alternatives_choose(struct planner *p, struct pve_guest *guest);

/* The alternatives of this node of a mapping, in order; NULL and 0: it has none. They point into here. */
struct alternative *alternatives_of(const struct pvemap_here *here, const char *name, struct arena *a, size_t *n);

/* NULL: no line and no profile names it. */
const struct mapped *alternatives_find(const struct planner *p, const char *name);

bool alternative_has(const struct alternative *x, const struct function *fn);

#endif
