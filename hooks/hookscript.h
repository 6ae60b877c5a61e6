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


/* --- the parts of it -------------------------------------------------------------------------------------------- */

/* One call of the hook. */
struct call {
	struct run *r;
	struct arena *arena;	/* of this try to start, or of the run */
	unsigned vmid;
	enum phase phase;
	struct host *host;
	const struct policy *policy;
	struct store store;
	struct lender lender;
	struct teller teller;
	/* of pre-start: */
	bool looked;		/* there is a profile, or it is known that there is none; then */
	unsigned wait_ms;	/* so long it waits for what is busy */
	bool named;		/* it was told which files it is */
	bool told;		/* its findings were */
	bool needs_guard;
	bool stale;		/* the host has changed between plan and lease: another VM's devices have come back, say */
	unsigned n_stale;
	char busy[ERROR_MAX];	/* why the last try was */
};

/* Tells why it ends like this. A start that is busy is told when it is known that it does not wait. Returns o. */
enum outcome hook_refuse(struct call *c, enum outcome o, const struct error *err);

/* start.c: its status decides whether the VM starts. */
enum outcome hook_pre_start(struct call *c);

#endif
