/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_NEIGHBOUR_H
#define HANDOVER_NEIGHBOUR_H

#include "host/ipwords.h"
#include "host/mac.h"

/*
 * Asks a neighbour whether it is there: by ARP, or by neighbour solicitation where its address is IPv6 (RFC 826, RFC 4861).
 * Not by ping, which many do not answer. The ARP request goes to all, from the address that the host has there: with it
 * the switches on the way learn again behind which port the host is, and the neighbours that knew it, at which address.
 */
#define NEIGHBOUR_TRIES 3
#define NEIGHBOUR_TRY_MS 330

struct neighbour {
	int index;			/* of the interface that is asked over: an Ethernet, or what looks like one */
	uint8_t mac[MAC_BYTES];		/* the interface's own */
	struct ip_bytes from;		/* the host's own address there, IPv4; none: it is not told (RFC 5227) */
	struct ip_bytes ip;		/* whose answer is waited for */
};

/* 0: it answers. -EHOSTUNREACH: it does not, NEIGHBOUR_TRIES times. Else the kernel's errno. */
int neighbour_ask(const struct neighbour *n);

#endif
