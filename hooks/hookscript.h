/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HOOKSCRIPT_H
#define HANDOVER_HOOKSCRIPT_H

#include "verb/verb.h"

/*
 * `handover VMID PHASE`: what Proxmox calls, with exactly these two words (pve-guest-common, PVE/GuestHelpers.pm,
 * exec_hookscript), under the VM's configuration lock and without a timeout. Only the status of pre-start matters to
 * it: anything but 0 aborts the start, and then no other hook follows. An unknown phase is none of our business.
 */
enum outcome hookscript(struct run *r, int argc, char **argv);

#endif
