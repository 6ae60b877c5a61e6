/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SETTINGS_H
#define HANDOVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Settings of a network interface, and their text: "txqlen 1000, promisc on". They stand in the order of their table;
 * one that is as usual is left out, and so is one that the kernel does not know. No setting at all is "".
 */
#define SETTINGS_MAX 32

struct setting {
	const char *name;	/* "hairpin" */
	uint32_t max;		/* 1: it is a switch, "on" or "off" */
	uint32_t usual;		/* what the kernel gives a new interface */
	bool is_told;		/* always: what is usual is the driver's choice */
};

struct setting_value {
	bool is_known;
	uint32_t number;
};

/*
 * Reads the text into a value for each setting of the table, n of them; known are those that stand in it. -EINVAL: it is
 * none, v is then of no use.
 */
int settings_parse(const struct setting *table, size_t n, const char *text, struct setting_value *v);

/* Writes the text and returns its length, or -E2BIG. */
ssize_t settings_format(const struct setting *table, size_t n, const struct setting_value *v, char *buf, size_t size);

/* What an interface with these values shall have, so that its text becomes that of wanted: is_known false means leave it. */
struct setting_value setting_change(const struct setting *s, const struct setting_value *has,
				    const struct setting_value *wanted);

/* Of an interface: nic/ADDRESS/link. */
enum { LINK_TXQLEN, LINK_GROUP, LINK_PROMISC, LINK_ALLMULTI, LINK_ARP, LINK_MULTICAST, LINK_SETTINGS };
extern const struct setting link_settings[LINK_SETTINGS];

/* Of a port of a bridge: nic/ADDRESS/port. */
enum {
	PORT_COST, PORT_PRIORITY, PORT_HAIRPIN, PORT_GUARD, PORT_ROOT_BLOCK, PORT_FAST_LEAVE, PORT_LEARNING, PORT_FLOOD,
	PORT_PROXY_ARP, PORT_PROXY_ARP_WIFI, PORT_MCAST_ROUTER, PORT_MCAST_TO_UNICAST, PORT_VLAN_TUNNEL,
	PORT_MCAST_FLOOD, PORT_BCAST_FLOOD, PORT_GROUP_FWD_MASK, PORT_NEIGH_SUPPRESS, PORT_ISOLATED, PORT_LOCKED,
	PORT_SETTINGS
};
extern const struct setting port_settings[PORT_SETTINGS];

/* Whether a bridge gives a port that cost by itself, by the speed of its carrier: then it comes with the carrier. */
bool port_cost_is_automatic(uint32_t cost);

/* Of a port of a bond. */
enum { BOND_PORT_QUEUE, BOND_PORT_PRIO, BOND_PORT_SETTINGS };
extern const struct setting bond_port_settings[BOND_PORT_SETTINGS];

/*
 * Of a card, as ethtool tells them: nic/ADDRESS/rings and its like. leave_out forgets what the card chooses itself, by what it
 * negotiates or as it goes; NULL: nothing.
 */
struct card_settings {
	const char *name;
	const struct setting *settings;
	size_t n;
	void (*leave_out)(struct setting_value *v);
};

/* In the order of live_nic_ethtool.c's attributes. */
extern const struct card_settings card_rings, card_pause, card_coalesce, card_eee;

#endif
