/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "host/settings.h"

#define NUMBER_BYTES 16	/* of a value, NUL included */

/* As net/ethernet/eth.c, ether_setup(), has them. */
const struct setting link_settings[LINK_SETTINGS] = {
	[LINK_TXQLEN] = { "txqlen", INT32_MAX, 1000, false },
	[LINK_GROUP] = { "group", UINT32_MAX, 0, false },
	[LINK_PROMISC] = { "promisc", 1, 0, false },
	[LINK_ALLMULTI] = { "allmulti", 1, 0, false },
	[LINK_ARP] = { "arp", 1, 1, false },
	[LINK_MULTICAST] = { "multicast", 1, 1, false },
};

/*
 * As net/bridge/br_if.c, new_nbp(), has them. The cost is never usual: a port that has one that was not set by hand follows
 * its speed, and one that was set would do so no longer.
 */
const struct setting port_settings[PORT_SETTINGS] = {
	[PORT_COST] = { "cost", 65535, 0, true },
	[PORT_PRIORITY] = { "priority", 63, 32, false },
	[PORT_HAIRPIN] = { "hairpin", 1, 0, false },
	[PORT_GUARD] = { "guard", 1, 0, false },
	[PORT_ROOT_BLOCK] = { "root-block", 1, 0, false },
	[PORT_FAST_LEAVE] = { "fast-leave", 1, 0, false },
	[PORT_LEARNING] = { "learning", 1, 1, false },
	[PORT_FLOOD] = { "flood", 1, 1, false },
	[PORT_PROXY_ARP] = { "proxy-arp", 1, 0, false },
	[PORT_PROXY_ARP_WIFI] = { "proxy-arp-wifi", 1, 0, false },
	[PORT_MCAST_ROUTER] = { "mcast-router", 3, 1, false },
	[PORT_MCAST_TO_UNICAST] = { "mcast-to-unicast", 1, 0, false },
	[PORT_VLAN_TUNNEL] = { "vlan-tunnel", 1, 0, false },
	[PORT_MCAST_FLOOD] = { "mcast-flood", 1, 1, false },
	[PORT_BCAST_FLOOD] = { "bcast-flood", 1, 1, false },
	[PORT_GROUP_FWD_MASK] = { "group-fwd-mask", 65535, 0, false },
	[PORT_NEIGH_SUPPRESS] = { "neigh-suppress", 1, 0, false },
	[PORT_ISOLATED] = { "isolated", 1, 0, false },
	[PORT_LOCKED] = { "locked", 1, 0, false },
};

const struct setting bond_port_settings[BOND_PORT_SETTINGS] = {
	[BOND_PORT_QUEUE] = { "queue", 65535, 0, false },
	[BOND_PORT_PRIO] = { "prio", INT32_MAX, 0, false },
};

/* --- cards ------------------------------------------------------------------------------------------------------- */

static const struct setting ring_settings[] = {
	{ "rx", UINT32_MAX, 0, true }, { "rx-mini", UINT32_MAX, 0, true }, { "rx-jumbo", UINT32_MAX, 0, true },
	{ "tx", UINT32_MAX, 0, true },
};

enum { PAUSE_AUTONEG, PAUSE_RX, PAUSE_TX, PAUSES };
static const struct setting pause_settings[PAUSES] = {
	[PAUSE_AUTONEG] = { "autoneg", 1, 0, true },
	[PAUSE_RX] = { "rx", 1, 0, true },
	[PAUSE_TX] = { "tx", 1, 0, true },
};

enum {
	COALESCE_ADAPTIVE_RX, COALESCE_ADAPTIVE_TX, COALESCE_RX_USECS, COALESCE_RX_FRAMES, COALESCE_TX_USECS,
	COALESCE_TX_FRAMES, COALESCES
};
static const struct setting coalesce_settings[COALESCES] = {
	[COALESCE_ADAPTIVE_RX] = { "adaptive-rx", 1, 0, true },
	[COALESCE_ADAPTIVE_TX] = { "adaptive-tx", 1, 0, true },
	[COALESCE_RX_USECS] = { "rx-usecs", UINT32_MAX, 0, true },
	[COALESCE_RX_FRAMES] = { "rx-frames", UINT32_MAX, 0, true },
	[COALESCE_TX_USECS] = { "tx-usecs", UINT32_MAX, 0, true },
	[COALESCE_TX_FRAMES] = { "tx-frames", UINT32_MAX, 0, true },
};

static const struct setting eee_settings[] = { { "enabled", 1, 0, true } };

static void leave_out_pause(struct setting_value *v)
{
	if (v[PAUSE_AUTONEG].number)
		v[PAUSE_RX].is_known = v[PAUSE_TX].is_known = false;
}

static void leave_out_coalesce(struct setting_value *v)
{
	if (v[COALESCE_ADAPTIVE_RX].number)
		v[COALESCE_RX_USECS].is_known = v[COALESCE_RX_FRAMES].is_known = false;
	if (v[COALESCE_ADAPTIVE_TX].number)
		v[COALESCE_TX_USECS].is_known = v[COALESCE_TX_FRAMES].is_known = false;
}

const struct card_settings card_rings = { "rings", ring_settings, 4, NULL };
const struct card_settings card_pause = { "pause", pause_settings, PAUSES, leave_out_pause };
const struct card_settings card_coalesce = { "coalesce", coalesce_settings, COALESCES, leave_out_coalesce };
const struct card_settings card_eee = { "eee", eee_settings, 1, NULL };

/* --- text -------------------------------------------------------------------------------------------------------- */

/* net/bridge/br_if.c, port_cost() */
bool port_cost_is_automatic(uint32_t cost)
{
	static const uint32_t by_speed[] = { 1, 2, 3, 4, 5, 19, 100 };

	for (size_t i = 0; i < sizeof(by_speed) / sizeof(*by_speed); i++)
		if (cost == by_speed[i])
			return true;
	return false;
}

static bool take_number(const struct setting *s, const char *text, uint32_t *number)
{
	uint64_t n;

	if (s->max == 1 && (strcmp(text, "on") == 0 || strcmp(text, "off") == 0))
		*number = strcmp(text, "on") == 0;
	else if (s->max == 1 || !str_decimal(text, s->max, &n))
		return false;
	else
		*number = (uint32_t)n;
	return true;
}

/* What a text is taken into. */
struct taker {
	const struct setting *table;
	size_t n;
	struct setting_value *v;
};

/* "NAME VALUE" */
static bool take(char *entry, void *arg)
{
	const struct taker *t = arg;

	for (size_t i = 0; i < t->n; i++) {
		size_t name = strlen(t->table[i].name);

		if (strncmp(entry, t->table[i].name, name) != 0 || entry[name] != ' ')
			continue;
		if (t->v[i].is_known || strlen(entry + name + 1) >= NUMBER_BYTES)
			return false;
		t->v[i].is_known = true;
		return take_number(&t->table[i], entry + name + 1, &t->v[i].number);
	}
	return false;
}

int settings_parse(const struct setting *table, size_t n, const char *text, struct setting_value *v)
{
	memset(v, 0, n * sizeof(*v));
	return text_entries(text, ", ", TEXT_ENTRY_BYTES, take, &(struct taker){ table, n, v });
}

ssize_t settings_format(const struct setting *table, size_t n, const struct setting_value *v, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < n; i++) {
		if (!v[i].is_known || (!table[i].is_told && v[i].number == table[i].usual))
			continue;
		text_separate(&t, ", ");
		if (table[i].max == 1)
			text_add(&t, "%s %s", table[i].name, v[i].number ? "on" : "off");
		else
			text_add(&t, "%s %u", table[i].name, (unsigned)v[i].number);
	}
	return text_length(&t);
}

struct setting_value setting_change(const struct setting *s, const struct setting_value *has,
				    const struct setting_value *wanted)
{
	struct setting_value change = { !s->is_told, s->usual };

	if (wanted->is_known)
		change = *wanted;
	if (has->is_known ? has->number == change.number : !wanted->is_known)
		change.is_known = false;
	return change;
}
