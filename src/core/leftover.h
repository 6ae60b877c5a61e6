/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LEFTOVER_H
#define HANDOVER_LEFTOVER_H

#include "core/lend.h"

/* What became of a VM's lease of which it is not known whether anybody still needs it. */
struct leftover {
	bool ended;	/* it had one, and that has ended */
	bool other;	/* it has none of that generation: nothing was touched */
	bool starting;	/* Proxmox is at the VM: nothing was touched */
	int qemu;	/* it runs as this process (below 0: that cannot be found out): nothing was touched */
};

/*
 * Ends the lease of a VM that does not run and is not being started, under its lock, which is taken here. For whoever is
 * not that VM's hook: `handover recover`, and the start of another VM that wants one of its devices. generation: only
 * the lease that has this one, for the VM may have its next one by now; NULL: any. OUTCOME_DONE: see x.
 * OUTCOME_BUSY: Proxmox or another run is at it. OUTCOME_FAILED: all is back, but a step of post-stop failed, or
 * its lock cannot be had. OUTCOME_CHANGED: as of lend_back(). On any other outcome than DONE, err says why.
 */
enum outcome leftover_end(struct lender *l, unsigned vmid, const char *generation, struct leftover *x,
			  struct error *err);

#endif
