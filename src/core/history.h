/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HISTORY_H
#define HANDOVER_HISTORY_H

#include "base/findings.h"
#include "core/inventory.h"
#include "core/select.h"
#include "host/host.h"

/*
 * What was set up on a host before handover came, in files, and would act on the same devices: parameters of vfio-pci,
 * soft dependencies, blacklists, pcie_acs_override, driverctl's overrides, udev rules, and the lines of crontabs, units
 * and scripts that write to the PCI bus. Nothing is edited: each finding has the file and line, what it would do to
 * this host's functions, and the line to drop or to keep.
 *
 * Which files are read, and what of them, is in host/traces.h: so captures have them. What was written to new_id since
 * boot cannot be read back from the kernel, and nothing is said of it.
 */
struct history {
	struct host *host;			/* only read */
	const struct inventory *inventory;	/* of it, as it is found */
	/*
	 * What is asked about: the VM, and the functions that it gets or that leave for it, of this inventory or of a
	 * copy. functions NULL: it is the whole host, and what any VM of it names under hostpci is taken for lent.
	 */
	unsigned vmid;				/* 0: none is known */
	const struct selection *functions;
	/* Those of them that are found anew on the way there or back; NULL: that is not known. */
	const struct selection *found_anew;
};

/*
 * Adds to f what is found, and nothing twice. Of a VM only what concerns its functions, or may; of the host, all.
 *
 * A warning: a plan for these functions, or the network of guests, would break on it: it takes a function away from the
 * host that no VM is to have, gives one of these to another driver while it is moved, or acts on one while the VM may
 * run. A note: the plan takes it into account, or does not need it any more. There are no errors: what cannot be read
 * is not there.
 *
 * It reads some dozens of files, so it is for commands that people run, and not for the hook.
 */
void history_find(const struct history *q, struct findings *f);

/* What the hostpci lines of a VM name by address; what a resource mapping stands for is not among it. */
struct selection history_functions(const struct pve_guest *guest, const struct inventory *inv, struct arena *a);

#endif
