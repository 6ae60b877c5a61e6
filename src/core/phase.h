/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PHASE_H
#define HANDOVER_PHASE_H

/*
 * The moments at which Proxmox calls a hookscript (pve-guest-common, PVE/GuestHelpers.pm, exec_hookscript), in the
 * order of a VM's life.
 */
enum phase { PHASE_PRE_START, PHASE_POST_START, PHASE_PRE_STOP, PHASE_POST_STOP, PHASE_BOOT };
#define PHASES 5
#define HOOK_PHASES 4	/* the first four; boot is no hook: it is before all VMs, once */
#define PHASE_BIT(p) (1u << (p))

/* "pre-start" ... */
const char *phase_name(enum phase p);

/* The phase of that name, or -1. "boot" is one. */
int phase_find(const char *name);

#endif
