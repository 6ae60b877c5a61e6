/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVEMAP_H
#define HANDOVER_PVEMAP_H

#include "core/plan.h"

/*
 * Proxmox's resource mappings of PCI devices (etc/pve/mapping/pci.cfg) name the IOMMU group a device is in by its
 * number, and Proxmox refuses to start a VM if that is not the number now (pve-guest-common, PVE/Mapping/PCI.pm,
 * assert_valid). A function that was found anew has another number.
 */
#define PVEMAP_FILE "etc/pve/mapping/pci.cfg"

/*
 * Warns of each entry of this node whose first path is a function the plan is about, and whose group is, or will be,
 * another one. Nothing to say where there is no such file, as at boot.
 */
void pvemap_check(struct planner *p);

#endif
