/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVEREFUSE_H
#define HANDOVER_PVEREFUSE_H

#include "base/findings.h"
#include "core/inventory.h"
#include "core/pveconf.h"
#include "core/pvemap.h"

/*
 * What Proxmox itself will say of a VM's configuration when the VM is started, so that no device leaves the host for a
 * start that comes to nothing:
 *   proxmox-leaves-out  a line about a device that Proxmox passes over; the VM starts without the device (a warning)
 *   proxmox-refuses     the VM will not start; a warning where steps of a profile may change that, an error otherwise
 *
 * inv and here NULL: only what the lines alone tell is told.
 */
void pverefuse_tell(struct host *h, const struct pve_guest *g, unsigned vmid, const struct inventory *inv,
		    const struct pvemap_here *here, struct findings *f);

#endif
