/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ISOLATION_H
#define HANDOVER_ISOLATION_H

#include "core/plan.h"

/*
 * Whether a VM may have a function although nothing shows that the hardware keeps it apart from others of its slot: the
 * profile must accept 'unverified-isolation' for it, and the policy must not say 'untrusted-guests = yes'.
 *
 * That functions without ACS are in several groups proves something only if the kernel has looked at each as one of
 * several and knows that their hardware isolates (drivers/pci/quirks.c, pci_dev_acs_enabled()). It has not where one's own header says
 * that it is alone, so that it was found again as such (split.h), nor where pcie_acs_override told it what to believe.
 * Virtual functions are not asked about: SR-IOV is what keeps them apart.
 *
 * alone: it is about to get a group of its own; else groups are as they are foretold (p->inventory). Told once for each
 * function, at this place.
 */
bool isolation_check(struct planner *p, struct place place, const struct function *fn, bool alone);

/*
 * Whether a word of the kernel command line is that of the patch which has the kernel believe that functions are
 * apart (pve-kernel, "pci: Enable overrides for missing ACS capabilities").
 */
bool is_acs_override(const char *word);

#endif
