/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ROUTES_H
#define HANDOVER_ROUTES_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/ip.h"
#include "host/host.h"

/*
 * The routes of a host: /proc/net/route, the main table of IPv4 (net/ipv4/fib_trie.c, fib_route_seq_show()), and
 * /proc/net/ipv6_route, all tables of IPv6 (net/ipv6/ip6_fib.c, ipv6_route_native_seq_show()). Left out is what leads
 * nowhere: over lo, over no interface, or refused. Rules, and other tables of IPv4, are not looked at; of a route with
 * several hops IPv4 shows the first.
 */
#define ROUTES_BYTES_MAX (8 * 1024 * 1024)	/* of each file: some 60000 routes */

struct route {
	struct ip to;
	unsigned prefix;	/* bits of it; 0: a default route */
	uint32_t metric;	/* of two alike, the lower one wins */
	size_t order;		/* in the file */
	char interface[IFNAMSIZ];
};

struct routes {
	struct route *list;	/* the order is routes_find()'s own */
	size_t n;
	const char *missing;	/* why there may be more than these; NULL: all are known */
};

/* A host without IPv6 has no file of its routes; one of IPv4 must be there. */
void routes_read(struct host *h, struct arena *a, struct routes *r);

/* The one that leads there: that of the longest prefix, then of the lowest metric. NULL: there is none. */
const struct route *routes_find(const struct routes *r, const struct ip *to);

#endif
