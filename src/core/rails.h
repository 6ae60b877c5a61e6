/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_RAILS_H
#define HANDOVER_RAILS_H

#include "core/plan.h"
#include "core/stake.h"

/*
 * The guard rails: what the host stands on (stake.h) does not leave it. Each finding has a code, its evidence, and, where
 * accepting can be sane, the lines that would accept it: of the profile, and, for what can lock a host out, of the
 * host's policy too.
 */

/* Reads all stakes of a host; vmid is the VM that asks, 0 = none. */
void rails_read(struct stakes *s, unsigned vmid);

/* Whose word a code needs to be accepted. */
enum consent {
	CONSENT_NEVER,		/* nobody's: there is no sane way to */
	CONSENT_PROFILE,	/* the profile's, device by device */
	CONSENT_BOTH,		/* the profile's, and the host's policy's */
};
enum consent rails_consent(const char *code);

/* The driver that a function has when the steps planned so far are done: what the last of them makes of it. NULL: none. */
const char *driver_lent(const struct planner *p, const struct function *fn);

/*
 * After the steps of pre-start: what Proxmox takes along by itself leaves too, and no function that stays with a driver
 * of the host's may share an IOMMU group with one of the VM's (drivers/iommu/iommu.c, iommu_group_claim_dma_owner(); QEMU:
 * "group N is not viable").
 */
void rails_check_groups(struct planner *p);

/* After all wishes: whatever leaves (p->leaving), for a moment even. Counts its errors in p->refused. */
void rails_check(struct planner *p);

/*
 * Without anything that leaves: warnings of what the policy protects and this host has not, and of what could not be
 * looked at. policy may be NULL.
 */
void rails_check_host(struct host *h, const struct policy *policy, const struct inventory *inv, struct findings *f);

#endif
