/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVEMAP_CHECK_H
#define HANDOVER_PVEMAP_CHECK_H

#include "core/plan.h"

/*
 * Proxmox's resource mappings of PCI devices name the IOMMU group a device is in by its number, and Proxmox refuses to
 * start a VM if that is not the number now (pvemap.h). A function that was found anew has another number.
 *
 * Warns of each map of this node that names a function the plan is about and is not, or will not be, right. Nothing to
 * say where there are no mappings, as at boot.
 */
void pvemap_check(struct planner *p);

#endif
