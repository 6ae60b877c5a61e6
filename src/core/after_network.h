/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_AFTER_NETWORK_H
#define HANDOVER_AFTER_NETWORK_H

#include "core/plan.h"

/*
 * The steps of 'after-network' are planned wherever a network interface of the host comes back, and nowhere else: where
 * none leaves, nothing is restarted for it. Whether one comes back is seen in the looks that steps have at it
 * (place_nic()).
 */

/* Behind the steps of a wish of this phase, of which from is the first: in them an interface leaves and comes back. */
void after_network_within(struct planner *p, size_t from, enum phase phase);

/*
 * Before the steps of post-stop, when all others are planned: an interface goes home when the lease ends. The steps of
 * post-stop are done after every way back, that of a start which has failed included.
 */
void after_network_home(struct planner *p);

#endif
