/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_IP_H
#define HANDOVER_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* An address of IPv4 or IPv6. One of IPv4 that is mapped into IPv6 ("::ffff:10.0.0.5") is one of IPv4. */
#define IP_BYTES 16
#define IP4_BYTES 4

struct ip {
	bool v6;
	uint8_t bytes[IP_BYTES];	/* in the order of the network; IPv4 has the first four, the rest is zero */
};

/* "10.0.0.5", "fd00::5", "fe80::5%eno1" (without what stands behind '%'). False if it is none; *ip is left alone. */
bool ip_parse(const char *s, struct ip *ip);

/*
 * As /proc/net/route, tcp and tcp6 have it: 8 digits for each word, 8 or 32 in all (net/ipv4/tcp_ipv4.c,
 * get_tcp4_sock()). The kernel writes words as the machine has them; Proxmox VE runs where the lowest byte is first.
 */
bool ip_from_words(const char *hex, struct ip *ip);

/* As /proc/net/ipv6_route has it: 32 digits in the order of the network. An address that is mapped stays as it is. */
bool ip6_from_hex(const char *hex, struct ip *ip);

const char *ip_text(const struct ip *ip, struct arena *a);

bool ip_same(const struct ip *x, const struct ip *y);

/* 127.0.0.0/8 and ::1: the host itself. */
bool ip_is_loopback(const struct ip *ip);

/* fe80::/10 and 169.254.0.0/16: of one link, and the same on each. */
bool ip_is_link_local(const struct ip *ip);

/* ff00::/8 and 224.0.0.0/4. */
bool ip_is_multicast(const struct ip *ip);

/* With all bits behind the first prefix ones zero. */
struct ip ip_masked(const struct ip *ip, unsigned prefix);

#endif
