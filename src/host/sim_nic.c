/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "host/bits.h"
#include "host/fdb.h"
#include "host/ipwords.h"
#include "host/mac.h"
#include "host/names.h"
#include "host/settings.h"
#include "host/sim.h"
#include "host/sim_nic.h"
#include "host/sim_nic_children.h"
#include "host/sysctls.h"
#include "host/vlans.h"

#define MTU_DEFAULT "1500"	/* net/ethernet/eth.c, ether_setup() */
/* Some drivers take less, some not that much. */
#define MTU_MIN 68		/* the same, and ETH_MIN_MTU */
#define MTU_MAX 65535		/* ETH_MAX_MTU */
#define ALIAS_MAX 255		/* include/uapi/linux/if.h, IFALIASZ */
/* What the kernel gives a new port of a bridge (net/bridge/br_vlan.c, nbp_vlan_init(), default_pvid). */
#define VLANS_DEFAULT "1 pvid untagged"

struct nic_name nic_at(const char *bdf, const char *what)
{
	struct nic_name n;

	snprintf(n.text, sizeof(n.text), "nic/%.40s/%.40s", bdf, what);
	return n;
}

/* Whether another interface has that name, among others maybe (net/core/dev.c, netdev_name_node_lookup()). */
static bool is_taken(struct host *h, const char *bdf, const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char text[HOST_VALUE_BYTES], **functions;
	struct names others;
	size_t n = 0;

	if (host_list(h, "nic", a, &functions, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(functions[i], bdf) == 0)
			continue;
		if (host_read(h, nic_at(functions[i], "name").text, text, sizeof(text)) >= 0 && strcmp(text, name) == 0)
			return true;
		if (host_read(h, nic_at(functions[i], "altnames").text, text, sizeof(text)) >= 0 &&
		    names_parse(text, &others) == 0 && names_has(&others, name))
			return true;
	}
	return false;
}

/* What is written is kept, or refused as the running kernel and live_nic.c refuse it. */

static int write_name(struct host *h, const char *bdf, const char *value)
{
	char text[64] = "";

	if (!str_is_interface(value))
		return -EINVAL;
	/* net/core/dev.c, dev_change_name(): before 6.2 even the same name is refused then. */
	if (host_read(h, nic_at(bdf, "up").text, text, sizeof(text)) >= 0 && strcmp(text, "up") == 0)
		return -EBUSY;
	host_read(h, nic_at(bdf, "name").text, text, sizeof(text));
	if (strcmp(text, value) == 0)
		return 0;
	if (is_taken(h, bdf, value))
		return -EEXIST;
	sim_set(h, nic_at(bdf, "name").text, value);
	return 0;
}

static int write_mtu(struct host *h, const char *bdf, const char *value)
{
	uint64_t mtu;

	if (!str_decimal(value, MTU_MAX, &mtu) || mtu < MTU_MIN)
		return -EINVAL;
	sim_set(h, nic_at(bdf, "mtu").text, value);
	sim_nic_children_follow(h, bdf, "mtu");
	return 0;
}

/*
 * Routes go when it goes down, and so do the IPv6 addresses, but for link-local ones (net/ipv4/fib_frontend.c,
 * fib_disable_ip(); net/ipv6/addrconf.c, addrconf_ifdown()).
 */
static void go_down(struct host *h, const char *bdf)
{
	struct ip_addresses all = { 0 }, left = { 0 };
	char text[HOST_VALUE_BYTES];

	sim_remove(h, nic_at(bdf, "routes").text);
	if (host_read(h, nic_at(bdf, "addresses").text, text, sizeof(text)) < 0 || ip_addresses_parse(text, &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++)
		if (all.list[i].local.family == AF_INET)
			ip_addresses_add(&left, &all.list[i]);
	if (ip_addresses_format(&left, text, sizeof(text)) > 0)
		sim_set(h, nic_at(bdf, "addresses").text, text);
	else
		sim_remove(h, nic_at(bdf, "addresses").text);
}

static int write_up(struct host *h, const char *bdf, const char *value)
{
	if (strcmp(value, "up") != 0 && strcmp(value, "down") != 0)
		return -EINVAL;
	sim_set(h, nic_at(bdf, "up").text, value);
	if (strcmp(value, "down") == 0)
		go_down(h, bdf);
	sim_nic_children_follow(h, bdf, "up");
	return 0;
}

/* A bond by its name, as Proxmox names them; all others are bridges. */
static bool is_in_bond(struct host *h, const char *bdf)
{
	char master[64];

	return host_read(h, nic_at(bdf, "master").text, master, sizeof(master)) >= 0 && str_starts(master, "bond");
}

/* Where the master's address is kept: it stays when the interface leaves. */
static struct nic_name master_mac(const char *master)
{
	struct nic_name n;

	snprintf(n.text, sizeof(n.text), "sim/master/%.40s/mac", master);
	return n;
}

static void join(struct host *h, const char *bdf, const char *master)
{
	char mac[MAC_TEXT_BYTES];

	sim_set(h, nic_at(bdf, "master").text, master);
	if (host_read(h, master_mac(master).text, mac, sizeof(mac)) >= 0)
		sim_set(h, nic_at(bdf, "master-mac").text, mac);
	/* drivers/net/bonding/bond_main.c, bond_enslave(): it raises its ports. */
	if (is_in_bond(h, bdf))
		sim_set(h, nic_at(bdf, "up").text, "up");
	else
		sim_set(h, nic_at(bdf, "vlans").text, VLANS_DEFAULT);
}

/* What is left of the table are the card's own entries. */
static void leave_table(struct host *h, const char *bdf)
{
	struct fdb fdb = { 0 }, own = { 0 };
	char text[HOST_VALUE_BYTES];

	if (host_read(h, nic_at(bdf, "fdb").text, text, sizeof(text)) >= 0)
		fdb_parse(text, &fdb);
	for (size_t i = 0; i < fdb.n; i++)
		if (fdb.entry[i].is_self)
			fdb_add(&own, &fdb.entry[i]);
	if (fdb_format(&own, text, sizeof(text)) > 0)
		sim_set(h, nic_at(bdf, "fdb").text, text);
	else
		sim_remove(h, nic_at(bdf, "fdb").text);
}

/* Any master is there: none is a PCI function. A bond lowers its ports when they leave it. */
static int write_master(struct host *h, const char *bdf, const char *value)
{
	static const char *const gone[] = { "master", "vlans", "port", "master-mac" };
	char before[64];

	if (*value && !str_is_interface(value))
		return -EINVAL;
	if (host_read(h, nic_at(bdf, "master").text, before, sizeof(before)) >= 0 && strcmp(before, value) == 0)
		return 0;
	if (*value && sim_nic_children_receive(h, bdf))
		return -EBUSY;
	if (is_in_bond(h, bdf))
		write_up(h, bdf, "down");
	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		sim_remove(h, nic_at(bdf, gone[i]).text);
	leave_table(h, bdf);
	if (*value)
		join(h, bdf, value);
	return 0;
}

static int write_vlans(struct host *h, const char *bdf, const char *value)
{
	char text[HOST_VALUE_BYTES];
	struct vlans v;

	if (vlans_parse(value, &v) < 0)
		return -EINVAL;
	if (!host_has(h, nic_at(bdf, "vlans").text))
		return -ENOENT;
	if (vlans_format(&v, text, sizeof(text)) < 0)
		return -E2BIG;
	sim_set(h, nic_at(bdf, "vlans").text, text);
	return 0;
}

/* What reads as nothing is absent. */
static int keep(struct host *h, const char *bdf, const char *what, const char *value)
{
	if (*value)
		sim_set(h, nic_at(bdf, what).text, value);
	else
		sim_remove(h, nic_at(bdf, what).text);
	return 0;
}

static int write_altnames(struct host *h, const char *bdf, const char *value)
{
	char text[HOST_VALUE_BYTES];
	struct names names;

	if (names_parse(value, &names) < 0)
		return -EINVAL;
	for (size_t i = 0; i < names.n; i++)
		if (is_taken(h, bdf, names.name[i]))
			return -EEXIST;
	if (names_format(&names, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "altnames", text);
}

static int write_addresses(struct host *h, const char *bdf, const char *value)
{
	struct ip_addresses list;
	char text[HOST_VALUE_BYTES];

	if (ip_addresses_parse(value, &list) < 0)
		return -EINVAL;
	if (ip_addresses_format(&list, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "addresses", text);
}

static int write_routes(struct host *h, const char *bdf, const char *value)
{
	struct ip_routes list;
	char text[HOST_VALUE_BYTES];

	if (ip_routes_parse(value, &list) < 0)
		return -EINVAL;
	host_read(h, nic_at(bdf, "up").text, text, sizeof(text));
	/* net/ipv4/fib_semantics.c, fib_check_nh(); net/ipv6/route.c, fib6_nh_init() */
	if (list.n && strcmp(text, "up") != 0)
		return -ENETDOWN;
	if (ip_routes_format(&list, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "routes", text);
}

static int write_sysctls(struct host *h, const char *bdf, const char *value)
{
	struct sysctls all;
	char text[HOST_VALUE_BYTES];

	if (sysctls_parse(value, &all) < 0)
		return -EINVAL;
	if (sysctls_format(&all, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "sysctls", text);
}

/* What the driver can do is not known here: all that has the form is taken. */
static int write_bits(struct host *h, const char *bdf, const char *what, const char *value)
{
	struct bits bits;

	if (bits_parse(value, &bits) < 0)
		return -EINVAL;
	sim_set(h, nic_at(bdf, what).text, value);
	return 0;
}

static int write_features(struct host *h, const char *bdf, const char *value)
{
	return write_bits(h, bdf, "features", value);
}

static int write_wol(struct host *h, const char *bdf, const char *value)
{
	return write_bits(h, bdf, "wol", value);
}

static int write_modes(struct host *h, const char *bdf, const char *value)
{
	return write_bits(h, bdf, "modes", value);
}

static int write_numbers(struct host *h, const char *bdf, const struct card_settings *card, const char *value)
{
	struct setting_value v[SETTINGS_MAX];
	char text[HOST_VALUE_BYTES];

	if (settings_parse(card->settings, card->n, value, v) < 0)
		return -EINVAL;
	if (settings_format(card->settings, card->n, v, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, card->name, text);
}

static int write_rings(struct host *h, const char *bdf, const char *value)
{
	return write_numbers(h, bdf, &card_rings, value);
}

static int write_coalesce(struct host *h, const char *bdf, const char *value)
{
	return write_numbers(h, bdf, &card_coalesce, value);
}

static int write_pause(struct host *h, const char *bdf, const char *value)
{
	return write_numbers(h, bdf, &card_pause, value);
}

static int write_eee(struct host *h, const char *bdf, const char *value)
{
	return write_numbers(h, bdf, &card_eee, value);
}

static int write_alias(struct host *h, const char *bdf, const char *value)
{
	return strlen(value) > ALIAS_MAX ? -EINVAL : keep(h, bdf, "alias", value);
}

static int write_mac(struct host *h, const char *bdf, const char *value)
{
	uint8_t mac[MAC_BYTES];

	return mac_parse(value, mac) ? keep(h, bdf, "mac", value) : -EINVAL;
}

static int write_link(struct host *h, const char *bdf, const char *value)
{
	struct setting_value v[LINK_SETTINGS];
	char text[HOST_VALUE_BYTES];

	if (settings_parse(link_settings, LINK_SETTINGS, value, v) < 0)
		return -EINVAL;
	if (settings_format(link_settings, LINK_SETTINGS, v, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "link", text);
}

static int write_port(struct host *h, const char *bdf, const char *value)
{
	bool bond = is_in_bond(h, bdf);
	const struct setting *table = bond ? bond_port_settings : port_settings;
	size_t n = bond ? BOND_PORT_SETTINGS : PORT_SETTINGS;
	struct setting_value v[SETTINGS_MAX];
	char text[HOST_VALUE_BYTES];

	if (!host_has(h, nic_at(bdf, "master").text))
		return -ENOENT;
	if (settings_parse(table, n, value, v) < 0)
		return -EINVAL;
	if (!bond && port_cost_is_automatic(v[PORT_COST].number))
		v[PORT_COST].is_known = false;
	if (settings_format(table, n, v, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "port", text);
}

static int write_fdb(struct host *h, const char *bdf, const char *value)
{
	char text[HOST_VALUE_BYTES];
	struct fdb fdb;

	if (fdb_parse(value, &fdb) < 0)
		return -EINVAL;
	/* net/core/rtnetlink.c, rtnl_fdb_add() */
	for (size_t i = 0; i < fdb.n; i++)
		if (!fdb.entry[i].is_self && !host_has(h, nic_at(bdf, "vlans").text))
			return -EOPNOTSUPP;
	if (fdb_format(&fdb, text, sizeof(text)) < 0)
		return -E2BIG;
	return keep(h, bdf, "fdb", text);
}

static int write_master_mac(struct host *h, const char *bdf, const char *value)
{
	uint8_t mac[MAC_BYTES];
	char master[64];

	if (!mac_parse(value, mac))
		return -EINVAL;
	if (host_read(h, nic_at(bdf, "master").text, master, sizeof(master)) < 0)
		return -ENOENT;
	sim_set(h, master_mac(master).text, value);
	return keep(h, bdf, "master-mac", value);
}

static int write_nothing(struct host *h, const char *bdf, const char *value)
{
	(void)h, (void)bdf, (void)value;
	return -EACCES;
}

static const struct what {
	const char *name;
	int (*write)(struct host *h, const char *bdf, const char *value);
} whats[] = {
	{ "name", write_name },
	{ "mtu", write_mtu },
	{ "up", write_up },
	{ "master", write_master },
	{ "vlans", write_vlans },
	{ "port", write_port },
	{ "fdb", write_fdb },
	{ "master-mac", write_master_mac },
	{ "addresses", write_addresses },
	{ "routes", write_routes },
	{ "features", write_features },
	{ "rings", write_rings },
	{ "coalesce", write_coalesce },
	{ "pause", write_pause },
	{ "eee", write_eee },
	{ "wol", write_wol },
	{ "modes", write_modes },
	{ "altnames", write_altnames },
	{ "sysctls", write_sysctls },
	{ "alias", write_alias },
	{ "mac", write_mac },
	{ "link", write_link },
	{ "children", sim_nic_children_write },
	{ "carrier", write_nothing },
	{ "gateway", write_nothing },
	{ "loose", write_nothing },
};

void sim_nic_leave(struct host *h, const char *bdf, const char *driver)
{
	char name[64], master[64], mac[MAC_TEXT_BYTES];

	if (host_read(h, nic_at(bdf, "name").text, name, sizeof(name)) < 0)
		return;
	/* The others do not lose their master's address because this one leaves. */
	if (host_read(h, nic_at(bdf, "master").text, master, sizeof(master)) >= 0 &&
	    host_read(h, nic_at(bdf, "master-mac").text, mac, sizeof(mac)) >= 0)
		sim_set(h, master_mac(master).text, mac);
	/* Where nothing of the seam can see it: who had it, and what it was called. */
	sim_set(h, nic_at(bdf, "sim_driver").text, driver);
	sim_set(h, nic_at(bdf, "sim_name").text, name);
	sim_nic_note_end(h, bdf);
	for (size_t i = 0; i < sizeof(whats) / sizeof(*whats); i++)
		sim_remove(h, nic_at(bdf, whats[i].name).text);
}

void sim_nic_return(struct host *h, const char *bdf, const char *driver)
{
	char had[64], name[64];

	if (host_read(h, nic_at(bdf, "sim_driver").text, had, sizeof(had)) < 0 || strcmp(had, driver) != 0 ||
	    host_read(h, nic_at(bdf, "sim_name").text, name, sizeof(name)) < 0)
		return;
	sim_set(h, nic_at(bdf, "name").text, name);
	sim_set(h, nic_at(bdf, "mtu").text, MTU_DEFAULT);
	sim_set(h, nic_at(bdf, "up").text, "down");
}

int sim_nic_write(struct host *h, const char *rest, const char *value)
{
	const char *slash = strchr(rest, '/');
	char bdf[BDF_TEXT_MAX];
	int code;

	snprintf(bdf, sizeof(bdf), "%.*s", (int)strcspn(rest, "/"), rest);
	for (size_t i = 0; slash && i < sizeof(whats) / sizeof(*whats); i++) {
		if (strcmp(slash + 1, whats[i].name) != 0)
			continue;
		if (whats[i].write != write_nothing && !host_has(h, nic_at(bdf, "name").text))
			return -ENOENT;
		sim_nic_note_end(h, bdf);
		code = whats[i].write(h, bdf, value);
		sim_nic_meet_end(h, bdf);
		return code;
	}
	return -ENOENT;
}
