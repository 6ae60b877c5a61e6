/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_NIC_H
#define HANDOVER_NIC_H

#include <stdbool.h>

#include "core/plan.h"

/*
 * The network interface of a function as a plan found it. Each is read once, when it is first asked for: what is checked
 * and what is brought back must be one answer, or an interface that could not be read for a moment would leave as if
 * there were none.
 */
enum nic_what {
	/* In the order in which they come back: what keeps the network away first. */
	NIC_NAME, NIC_MAC, NIC_MTU, NIC_LINK, NIC_SYSCTLS, NIC_MASTER, NIC_PORT, NIC_VLANS, NIC_UP, NIC_ADDRESSES, NIC_ROUTES,
	NIC_FDB, NIC_MASTER_MAC, NIC_CHILDREN, NIC_ALTNAMES, NIC_ALIAS, NIC_FEATURES, NIC_RINGS, NIC_COALESCE, NIC_PAUSE,
	NIC_EEE, NIC_WOL, NIC_MODES,
	NIC_KEPT,		/* so many are brought back */
	NIC_LOOSE = NIC_KEPT,	/* and this cannot be */
	NIC_WHATS,
};

/* What tells whether one that is back is of use. Nobody can write it; it is waited for. */
#define NIC_CARRIER "carrier"
#define NIC_GATEWAY "gateway"

struct nic {
	const char *address;
	const char *text[NIC_WHATS];	/* as nic/ADDRESS/WHAT reads (host.h); NULL: absent, or not known */
	const char *unknown;		/* the first WHAT that cannot be read, and why; NULL: all is known */
	const char *why;
	const char *carrier, *gateway;	/* as nic_hopes_of() has found them; NULL: none */
	bool is_asked;
};

/* Whether an interface that comes back has it by itself, as a rule: it is the driver's choice, or the master's. */
bool nic_comes_by_itself(const char *what);

/* As host.h names it: "mtu". */
const char *nic_what_name(enum nic_what what);

/* What is known of the function's interface. It belongs to the planner. */
const struct nic *nic_of(struct planner *p, const struct function *fn);

/*
 * The same, with its carrier and its gateway, which is asked over the network: only when a step is about to be planned in
 * which it leaves. Nothing is lost if they cannot be had: then they are not waited for when it is back.
 */
const struct nic *nic_hopes_of(struct planner *p, const struct function *fn);

/* Whether it has none for sure. */
bool nic_is_none(const struct nic *nic);

#endif
