/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SETTLE_H
#define HANDOVER_SETTLE_H

#include "core/alternatives.h"
#include "core/journal.h"

/*
 * Of a mapping with several devices on this node one was prepared before the VM started, as Proxmox would choose. It
 * chooses after that, and another VM may have come in between: what it has reserved for the VM tells which one it was.
 */
struct settled {
	int hostpci;			/* the VM's line */
	const char *mapping;
	const struct alternative *taken;	/* what the VM has; nothing of the lease is about it */
	const struct alternative *prepared;	/* what the lease has in its place, NULL: nothing */
	bool *steps;			/* of the lease, that bring prepared home; NULL: they may not be taken home alone */
	/* How taken comes home after the VM has stopped, since Proxmox brings nothing home. */
	const char *remedy;
};

/*
 * The lines of a VM that runs for which it was another one; n = 0 if all is as it was prepared, or nobody knows. Reads
 * the host, and changes nothing.
 */
int settle(struct host *h, const struct lease *lease, struct arena *a, struct settled **list, size_t *n,
	   struct error *err);

#endif
