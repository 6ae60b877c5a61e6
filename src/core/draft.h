/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_DRAFT_H
#define HANDOVER_DRAFT_H

#include "core/plan.h"
#include "core/policy.h"

/*
 * A first profile for a VM: what its hostpci lines name on this host, each function with the way back that it can have.
 * What the guard rails or the isolation speak against is written down as a comment, with the reason and the lines that
 * would allow it, and is not done: the rest can be checked and planned as it stands. Where a device shares its IOMMU
 * group with what stays, the host.yaml that would split it at boot is shown.
 */
#define DRAFT_FILE "draft"	/* as findings name it */

struct drafting {
	struct host *host;		/* to be read only */
	const struct policy *policy;
	const struct pve_guest *guest;
	unsigned vmid;
	struct arena *arena;
	/* filled in: */
	const char *text;		/* the profile, comments and all */
	struct findings findings;	/* of its plan, as it stands; errors are the VM's own lines' then */
	struct error unread;		/* why a plan could not be made; none: code is 0 */
	size_t n_done, n_open;		/* devices that are handed over, and those that wait for a decision */
};

/* False: the host could not be read, and err says why. */
bool draft_make(struct drafting *d, struct error *err);

#endif
