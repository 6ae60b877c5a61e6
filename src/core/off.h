/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_OFF_H
#define HANDOVER_OFF_H

#include "core/profile.h"
#include "core/pveconf.h"

/*
 * Whether somebody in trouble wants the host as the kernel makes it: then nothing leaves it, and what has left still comes
 * back. The kernel command line says so:
 *   handover=off
 *   systemd.unit=rescue.target, =emergency.target, or the words that systemd takes for these (src/basic/runlevel.c,
 *   runlevel_to_target(): rescue, single, s, S, -s, 1, emergency, -b); of several the last counts, as it does there
 *   modprobe.blacklist=...,vfio_pci (libkmod/libkmod-config.c) or module_blacklist=...,vfio_pci (kernel/module/main.c): an
 *   entry of the boot menu in which no VM shall have a device. '-' and '_' are the same.
 *
 * Returns why, as the beginning of a sentence: "'handover=off' stands on the kernel command line". NULL: it is not.
 */
const char *off_reason(struct host *h, struct arena *a);

/* Whether a VM needs something of the host: it has hostpci lines, or its profile has steps. Either may be NULL. */
bool needs_host(const struct pve_guest *guest, const struct profile *profile);

#endif
