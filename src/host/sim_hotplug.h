/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_HOTPLUG_H
#define HANDOVER_SIM_HOTPLUG_H

#include "host/sim_pci.h"

/*
 * How functions leave the PCI bus and are found again: remove, rescan, and the IOMMU group they get then. Each rule is
 * seen in a real kernel by tests/conformance_*.c on three machines, or names the kernel's file and function beside it.
 */

/* Once the tree is there: the files to write to, and a life for each function, in order of address. */
void sim_hotplug_settle(struct host *h);

/* A write to a resolved name: 0 or a negative errno; -ENOSYS if no rule here is about it. */
int sim_hotplug_write(struct host *h, struct sim_pci *pci, const char *name, const char *value);

#endif
