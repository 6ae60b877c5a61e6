/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/neighbour.h"

/* One way to ask: its socket, what is sent, and what counts as an answer. */
struct question {
	int socket;
	const struct neighbour *n;
	int (*send)(const struct question *q);
	bool (*is_answer)(const struct question *q, const void *bytes, size_t size);
};

/* --- IPv4: ARP --------------------------------------------------------------------------------------------------- */

static int send_arp(const struct question *q)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = q->n->index,
		.sll_halen = ETH_ALEN,
	};
	struct ether_arp arp = {
		.ea_hdr = {
			.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETH_P_IP),
			.ar_hln = ETH_ALEN,
			.ar_pln = 4,
			.ar_op = htons(ARPOP_REQUEST),
		},
	};

	memset(to.sll_addr, 0xff, ETH_ALEN);
	memcpy(arp.arp_sha, q->n->mac, ETH_ALEN);
	memcpy(arp.arp_spa, q->n->from.bytes, 4);
	memcpy(arp.arp_tpa, q->n->ip.bytes, 4);
	return sendto(q->socket, &arp, sizeof(arp), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static bool is_arp_answer(const struct question *q, const void *bytes, size_t size)
{
	struct ether_arp arp;

	if (size < sizeof(arp))
		return false;
	memcpy(&arp, bytes, sizeof(arp));
	return arp.ea_hdr.ar_op == htons(ARPOP_REPLY) && arp.ea_hdr.ar_pro == htons(ETH_P_IP) && arp.ea_hdr.ar_pln == 4 &&
	       arp.ea_hdr.ar_hln == ETH_ALEN && memcmp(arp.arp_spa, q->n->ip.bytes, 4) == 0;
}

static int open_arp(const struct neighbour *n)
{
	struct sockaddr_ll from = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = n->index };
	int code, fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}

/* --- IPv6: neighbour discovery ----------------------------------------------------------------------------------- */

/* The kernel chooses the source, and adds the checksum (RFC 3542, 3.1). */
static int send_solicitation(const struct question *q)
{
	static const uint8_t group[] = { 0xff, 0x02, [11] = 0x01, 0xff };
	struct {
		struct nd_neighbor_solicit head;
		struct nd_opt_hdr option;
		uint8_t mac[ETH_ALEN];
	} ask = {
		.head.nd_ns_type = ND_NEIGHBOR_SOLICIT,
		.option = { .nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1 },
	};
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)q->n->index };

	/* The group of all whose address ends so (RFC 4291, 2.7.1). */
	memcpy(&to.sin6_addr, group, sizeof(group));
	memcpy((uint8_t *)&to.sin6_addr + 13, q->n->ip.bytes + 13, 3);
	memcpy(&ask.head.nd_ns_target, q->n->ip.bytes, 16);
	memcpy(ask.mac, q->n->mac, ETH_ALEN);
	return sendto(q->socket, &ask, sizeof(ask), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static bool is_advertisement(const struct question *q, const void *bytes, size_t size)
{
	struct nd_neighbor_advert advert;

	if (size < sizeof(advert))
		return false;
	memcpy(&advert, bytes, sizeof(advert));
	return advert.nd_na_type == ND_NEIGHBOR_ADVERT && memcmp(&advert.nd_na_target, q->n->ip.bytes, 16) == 0;
}

static int open_discovery(const struct neighbour *n)
{
	struct icmp6_filter only;
	int code, hops = 255, fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &only);
	/* Neighbours hear only what no router can have sent on, which this number tells (RFC 4861, 7.1.1). */
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only)) == 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) == 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &n->index, sizeof(n->index)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &n->index, sizeof(n->index)) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}

/* --- both -------------------------------------------------------------------------------------------------------- */

static bool is_answered(const struct question *q, int64_t end)
{
	struct pollfd p = { .fd = q->socket, .events = POLLIN };
	uint8_t bytes[256];
	int64_t left;

	while ((left = end - clock_ms(CLOCK_MONOTONIC)) > 0) {
		ssize_t n = poll(&p, 1, (int)left) > 0 ? recv(q->socket, bytes, sizeof(bytes), MSG_DONTWAIT) : -1;

		if (n > 0 && q->is_answer(q, bytes, (size_t)n))
			return true;
	}
	return false;
}

/* Whoever has just come up may not be able to send yet: that is no answer, and is tried again. */
static int ask(const struct question *q)
{
	int64_t begun = clock_ms(CLOCK_MONOTONIC);
	int code = 0;

	for (int i = 1; i <= NEIGHBOUR_TRIES; i++) {
		code = q->send(q);
		if (is_answered(q, begun + (int64_t)i * NEIGHBOUR_TRY_MS))
			return 0;
	}
	return code < 0 ? code : -EHOSTUNREACH;
}

int neighbour_ask(const struct neighbour *n)
{
	struct question q = { .n = n, .send = send_arp, .is_answer = is_arp_answer };
	int code;

	if (n->ip.family == AF_INET6) {
		q.send = send_solicitation;
		q.is_answer = is_advertisement;
	}
	q.socket = n->ip.family == AF_INET6 ? open_discovery(n) : open_arp(n);
	if (q.socket < 0)
		return q.socket;
	code = ask(&q);
	close(q.socket);
	return code;
}
