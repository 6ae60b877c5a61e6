/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_BUILTIN_H
#define HANDOVER_BUILTIN_H

#include "core/plan.h"

/*
 * The profile of a VM that has none: "bind: hostpci" for each hostpci line with an address, with all guard rails and
 * nothing accepted. Entries that name a mapping or a mediated device, or say driver=keep, are left to Proxmox.
 */
#define BUILTIN_FILE "built-in"

/* Whether any hostpci line asks for a device of the host, if only through a mapping. */
bool guest_asks_for_devices(const struct pve_guest *guest);

/*
 * NULL: there is nothing for it to do, or, with an error in f, the policy wants a profile to be written. hash becomes
 * that of its text.
 */
const struct profile *builtin_profile(const struct pve_guest *guest, const struct policy *policy, unsigned vmid,
				      uint64_t *hash, struct findings *f);

/* Whether it is that one, and what to do where it would have to accept something. */
bool builtin_is(const struct profile *profile);
const char *builtin_remedy(const struct planner *p, const char *code);

#endif
