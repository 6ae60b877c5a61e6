/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_IPWORDS_H
#define HANDOVER_IPWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Addresses and routes of an interface, and their texts: "192.0.2.1/24 brd 192.0.2.255, 2001:db8::1/64" and
 * "0.0.0.0/0 via 192.0.2.254 table 100, 2001:db8:1::/48 metric 1024". What is as `ip` makes it by itself is left out.
 */
#define IP_ADDRESSES_MAX 64
#define IP_ROUTES_MAX 64
#define IP_LABEL_BYTES 16	/* include/uapi/linux/if.h, IFNAMSIZ */
#define ROUTE_METRICS 18	/* include/uapi/linux/rtnetlink.h, RTAX_MAX, with 0 */

/* Of flags, those that whoever makes an address may give it (include/uapi/linux/if_addr.h). */
#define IP_FLAGS 0x712u

/* An address; family AF_INET or AF_INET6, 0: there is none. */
struct ip_bytes {
	int family;
	uint8_t bytes[16];
};

struct ip_address {
	struct ip_bytes local, peer, broadcast;	/* peer and broadcast may be none */
	unsigned prefix;		/* of the peer's, if there is one */
	unsigned scope;			/* of IPv4 */
	uint32_t metric, flags;
	bool is_deprecated;		/* for ever */
	char label[IP_LABEL_BYTES];	/* "": the interface's name */
};

/* In the kernel's order, which says who is first. Start with {0}. */
struct ip_addresses {
	struct ip_address list[IP_ADDRESSES_MAX];
	size_t n;
};

struct ip_route {
	struct ip_bytes to, via, source;	/* via and source may be none */
	unsigned prefix, tos, type, scope, protocol, preference;
	uint32_t table, metric;
	bool is_onlink;
	uint32_t metrics[ROUTE_METRICS];	/* by RTAX_...; 0: none */
};

/* Sorted by their text. Start with {0}. */
struct ip_routes {
	struct ip_route list[IP_ROUTES_MAX];
	size_t n;
};

bool ip_bytes_same(const struct ip_bytes *a, const struct ip_bytes *b);
bool ip_address_same(const struct ip_address *a, const struct ip_address *b);
bool ip_routes_has(const struct ip_routes *r, const struct ip_route *route);

/* The scope a route has that nobody has given one. */
unsigned ip_route_scope(const struct ip_route *r);

/* -E2BIG: one too many. */
int ip_addresses_add(struct ip_addresses *list, const struct ip_address *a);
int ip_routes_add(struct ip_routes *list, const struct ip_route *r);

/* -EINVAL: the text is none; the list is then of no use. */
int ip_addresses_parse(const char *text, struct ip_addresses *list);
int ip_routes_parse(const char *text, struct ip_routes *list);

/* The length, or -E2BIG. */
ssize_t ip_addresses_format(const struct ip_addresses *list, char *buf, size_t size);
ssize_t ip_routes_format(const struct ip_routes *list, char *buf, size_t size);

#endif
