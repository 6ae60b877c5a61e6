/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network interface has of its own, and has at its bridge or bond: the texts, and a real kernel's answers. */
#include "nic_ground.h"

#include "host/bits.h"
#include "host/fdb.h"
#include "host/mac.h"
#include "host/names.h"
#include "host/settings.h"
#include "host/sysctls.h"

/* --- texts ------------------------------------------------------------------------------------------------------- */

enum { DEPTH, SPEED, SHINY, LOUD, TABLE };
static const struct setting table[TABLE] = {
	[DEPTH] = { "depth", 4096, 0, true },
	[SPEED] = { "speed", UINT32_MAX, 1000, false },
	[SHINY] = { "shiny", 1, 0, false },
	[LOUD] = { "loud", 1, 1, false },
};

static void settings_are_read_and_written_again(void **state)
{
	static const char *const texts[][2] = {
		{ "", "" }, { "depth 0", "depth 0" }, { "depth 4096", "depth 4096" }, { "speed 4294967295", "speed 4294967295" },
		{ "shiny on", "shiny on" }, { "loud off", "loud off" }, { "speed 1000", "" }, { "shiny off, loud on", "" },
		{ "loud off, shiny on, speed 1, depth 2", "depth 2, speed 1, shiny on, loud off" },
	};
	struct setting_value v[TABLE];
	char buf[64];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(settings_parse(table, TABLE, texts[i][0], v), 0);
		assert_int_equal(settings_format(table, TABLE, v, buf, sizeof(buf)), strlen(texts[i][1]));
		assert_string_equal(buf, texts[i][1]);
	}
}

static void settings_that_are_none_are_refused(void **state)
{
	static const char *const texts[] = {
		" ", "depth", "depth ", "depth  1", "depth 4097", "depth 01", "depth -1", "depth on", "depth 1,", "depth 1, ",
		"depth 1,shiny on", "depth 1, depth 1", ", depth 1", "shiny", "shiny 1", "shiny On", "shiny on ", "width 1",
		"depthx 1", "speed 4294967296", "speed 10000000000000000", "loud\non",
	};
	struct setting_value v[TABLE];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (settings_parse(table, TABLE, texts[i], v) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
}

static void a_text_that_does_not_fit_is_an_error(void **state)
{
	struct setting_value v[TABLE];
	struct names names;
	char buf[16];

	(void)state;
	assert_int_equal(settings_parse(table, TABLE, "depth 1, loud off", v), 0);
	assert_int_equal(settings_format(table, TABLE, v, buf, 16), -E2BIG);
	assert_int_equal(settings_format(table, TABLE, v, buf, 0), -E2BIG);
	v[LOUD].is_known = false;
	assert_int_equal(settings_format(table, TABLE, v, buf, 8), 7);
	assert_int_equal(settings_format(table, TABLE, v, buf, 7), -E2BIG);
	assert_int_equal(names_parse("a bcd", &names), 0);
	assert_int_equal(names_format(&names, buf, 6), 5);
	assert_int_equal(names_format(&names, buf, 5), -E2BIG);
	assert_int_equal(names_format(&names, buf, 0), -E2BIG);
}

static void what_a_setting_becomes(void **state)
{
	static const struct {
		int setting;
		struct setting_value has, wanted, change;
	} cases[] = {
		{ DEPTH, { true, 7 }, { false, 0 }, { false, 0 } }, { DEPTH, { true, 7 }, { true, 7 }, { false, 7 } },
		{ DEPTH, { true, 7 }, { true, 8 }, { true, 8 } }, { SHINY, { true, 1 }, { false, 0 }, { true, 0 } },
		{ SHINY, { true, 0 }, { false, 0 }, { false, 0 } }, { LOUD, { true, 0 }, { false, 0 }, { true, 1 } },
		/* The kernel does not know it: as usual is fine, something else is tried and refused. */
		{ LOUD, { false, 0 }, { false, 0 }, { false, 1 } }, { LOUD, { false, 0 }, { true, 0 }, { true, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct setting_value change = setting_change(&table[cases[i].setting], &cases[i].has, &cases[i].wanted);

		assert_int_equal(change.is_known, cases[i].change.is_known);
		if (change.is_known)
			assert_int_equal(change.number, cases[i].change.number);
	}
}

static void names_are_sorted(void **state)
{
	struct names names;
	char buf[64];

	(void)state;
	assert_int_equal(names_parse("uplink enp0s31f6 a0", &names), 0);
	assert_int_equal(names_format(&names, buf, sizeof(buf)), 19);
	assert_string_equal(buf, "a0 enp0s31f6 uplink");
	assert_int_equal(names_parse("", &names), 0);
	assert_int_equal(names.n, 0);
}

static void names_have_limits(void **state)
{
	static const char *const texts[] = { " ", "a ", " a", "a  b", "a a", "a/b", "a\n", "\xc3\xa4" };
	char name[NAME_BYTES + 1], many[NAMES_MAX * 8 + 8] = "";
	struct names names;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (names_parse(texts[i], &names) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
	memset(name, 'x', NAME_BYTES);
	name[NAME_BYTES] = '\0';
	assert_int_equal(names_parse(name, &names), -EINVAL);
	name[NAME_BYTES - 1] = '\0';
	assert_int_equal(names_parse(name, &names), 0);
	for (unsigned i = 0; i < NAMES_MAX; i++)
		snprintf(many + strlen(many), 8, "%sn%02u", i ? " " : "", i);
	assert_int_equal(names_parse(many, &names), 0);
	strcat(many, " n");
	assert_int_equal(names_parse(many, &names), -EINVAL);
}

static void addresses_on_the_wire_are_strict(void **state)
{
	static const char *const bad[] = {
		"", "52:54:00:00:00:0", "52:54:00:00:00:011", "52-54-00-00-00-01", "52:54:00:00:00:0G", "52:54:00:00:00:0A",
		"00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "525400000001", "52:54:00:00:00: 1",
	};
	uint8_t mac[MAC_BYTES];
	char text[MAC_TEXT_BYTES];

	(void)state;
	assert_true(mac_parse("52:54:00:ab:cd:0f", mac));
	mac_format(mac, text);
	assert_string_equal(text, "52:54:00:ab:cd:0f");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (mac_parse(bad[i], mac))
			fail_msg("'%s' is taken", bad[i]);
}

static void entries_of_a_table_are_read_and_written_again(void **state)
{
	static const char *const texts[][2] = {
		{ "", "" }, { "52:54:00:00:00:02", "52:54:00:00:00:02" },
		{ "52:54:00:00:00:03 self, 52:54:00:00:00:02 sticky vlan 4094, 52:54:00:00:00:02 local",
		  "52:54:00:00:00:02 local, 52:54:00:00:00:02 vlan 4094 sticky, 52:54:00:00:00:03 self" },
	};
	static const char *const bad[] = {
		" ", "52:54:00:00:00:02 vlan", "52:54:00:00:00:02 vlan 0", "52:54:00:00:00:02 vlan 4095", "52:54:00:00:00:02,",
		"52:54:00:00:00:02, ", "52:54:00:00:00:02, 52:54:00:00:00:02", "01:00:5e:00:00:01", "52:54:00:00:00:02 selfish",
		"52:54:00:00:00:02 self local", "self", "52:54:00:00:00:02 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1",
	};
	char buf[128], many[(FDB_MAX + 1) * 32] = "";
	struct fdb fdb;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(fdb_parse(texts[i][0], &fdb), 0);
		assert_int_equal(fdb_format(&fdb, buf, sizeof(buf)), strlen(texts[i][1]));
		assert_string_equal(buf, texts[i][1]);
	}
	assert_int_equal(fdb_format(&fdb, buf, 10), -E2BIG);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (fdb_parse(bad[i], &fdb) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
	for (unsigned i = 0; i < FDB_MAX; i++)
		snprintf(many + strlen(many), 32, "%s52:54:00:00:%02x:%02x", i ? ", " : "", i >> 8, i & 255);
	assert_int_equal(fdb_parse(many, &fdb), 0);
	strcat(many, ", 52:54:00:00:ff:ff");
	assert_int_equal(fdb_parse(many, &fdb), -EINVAL);
}

static void settings_of_protocols_are_read_and_written_again(void **state)
{
	static const char *const good[] = {
		"", "ipv4/conf/rp_filter 2", "ipv4/neigh/gc_stale_time 7, ipv6/conf/accept_dad -1, ipv6/neigh/proxy_qlen 5",
	};
	static const char *const bad[] = {
		" ", "ipv4/conf/rp_filter", "ipv4/conf/rp_filter ", "ipv4/conf/rp_filter x", "ipv4/conf/rp_filter 2 3", "rp_filter 2",
		"ipv4/conf/../all/rp_filter 2", "ipv4/conf// 2", "ipv5/conf/a 1", "ipv4/conf/a 1, ", "ipv4/conf/a 1,ipv4/conf/b 1",
		"ipv4/conf/a 1, ipv4/conf/a 1", "ipv4/conf/a -", "ipv4/confa 1", "ipv4/conf/a 1234567890123456789012345",
	};
	char buf[256], many[(SYSCTLS_MAX + 1) * 24] = "";
	struct sysctls all;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(sysctls_parse(good[i], &all), 0);
		assert_int_equal(sysctls_format(&all, buf, sizeof(buf)), strlen(good[i]));
		assert_string_equal(buf, good[i]);
	}
	assert_int_equal(sysctls_format(&all, buf, 20), -E2BIG);
	assert_int_equal(sysctls_parse("ipv6/conf/b 1, ipv6/conf/a 1, ipv4/conf/z 1", &all), 0);
	assert_true(sysctls_format(&all, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "ipv4/conf/z 1, ipv6/conf/a 1, ipv6/conf/b 1");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (sysctls_parse(bad[i], &all) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
	for (unsigned i = 0; i < SYSCTLS_MAX; i++)
		snprintf(many + strlen(many), 24, "%sipv4/conf/n%u 1", i ? ", " : "", i);
	assert_int_equal(sysctls_parse(many, &all), 0);
	strcat(many, ", ipv4/conf/m 1");
	assert_int_equal(sysctls_parse(many, &all), -EINVAL);
}

static void bits_have_names(void **state)
{
	static const char *const bad[] = { " ", "a ", "a  b", "a a", "a,b", "a\n", "thirty-two-letters-are-one-too-ma" };
	char buf[64], many[(BITS_MAX + 1) * 6] = "";
	struct bits bits;

	(void)state;
	assert_int_equal(bits_parse("tx-scatter-gather 1000baseT/Full", &bits), 0);
	assert_true(bits_have(&bits, "1000baseT/Full") && !bits_have(&bits, "rx-gro") && !bits_know(&bits, "rx-gro"));
	assert_int_equal(bits_add(&bits, "rx-gro", false), 0);
	assert_true(!bits_have(&bits, "rx-gro") && bits_know(&bits, "rx-gro"));
	assert_int_equal(bits_format(&bits, buf, sizeof(buf)), 32);
	assert_string_equal(buf, "tx-scatter-gather 1000baseT/Full");
	assert_int_equal(bits_format(&bits, buf, 32), -E2BIG);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (bits_parse(bad[i], &bits) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
	for (unsigned i = 0; i < BITS_MAX; i++)
		snprintf(many + strlen(many), 6, "%sb%03u", i ? " " : "", i);
	assert_int_equal(bits_parse(many, &bits), 0);
	strcat(many, " c");
	assert_int_equal(bits_parse(many, &bits), -EINVAL);
}

static void what_a_card_chooses_is_left_out(void **state)
{
	struct setting_value v[SETTINGS_MAX];
	char buf[128];

	(void)state;
	assert_int_equal(settings_parse(card_pause.settings, card_pause.n, "autoneg on, rx on, tx off", v), 0);
	card_pause.leave_out(v);
	assert_true(settings_format(card_pause.settings, card_pause.n, v, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "autoneg on");
	assert_int_equal(settings_parse(card_coalesce.settings, card_coalesce.n,
					"adaptive-rx on, adaptive-tx off, rx-usecs 3, tx-usecs 4", v), 0);
	card_coalesce.leave_out(v);
	assert_true(settings_format(card_coalesce.settings, card_coalesce.n, v, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "adaptive-rx on, adaptive-tx off, tx-usecs 4");
}

/* --- on a real kernel -------------------------------------------------------------------------------------------- */

static void it_has_other_names(void **state)
{
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "altnames");
	assert_int_equal(poke(g, "altnames", "uplink enp0s31f6"), 0);
	assert_nic(g, "altnames", "enp0s31f6 uplink");
	assert_contains(said("ip -j link show p0"), "\"altnames\":[");
	assert_true(runs("ip link property add dev p0 altname third"));
	assert_nic(g, "altnames", "enp0s31f6 third uplink");
	assert_int_equal(poke(g, "altnames", "uplink zero"), 0);
	assert_nic(g, "altnames", "uplink zero");
	/* Another's, another's other one, and its own. */
	assert_int_equal(poke(g, "altnames", "peer0 uplink zero"), -EEXIST);
	assert_int_equal(poke(g, "altnames", "a  b"), -EINVAL);
	assert_nic(g, "altnames", "uplink zero");
	assert_int_equal(poke(g, "altnames", ""), 0);
	assert_no_nic(g, "altnames");
}

static void it_has_an_alias(void **state)
{
	struct ground *g = on_kernel(state);
	char text[257];

	assert_no_nic(g, "alias");
	assert_int_equal(poke(g, "alias", "to the switch, port 7"), 0);
	assert_nic(g, "alias", "to the switch, port 7");
	assert_contains(said("ip -j link show p0"), "\"ifalias\":\"to the switch, port 7\"");
	memset(text, 'x', 256);
	text[256] = '\0';
	assert_int_equal(poke(g, "alias", text), -EINVAL);
	text[255] = '\0';
	assert_int_equal(poke(g, "alias", text), 0);
	assert_nic(g, "alias", text);
	assert_int_equal(poke(g, "alias", ""), 0);
	assert_no_nic(g, "alias");
}

static void it_has_another_address_on_the_wire(void **state)
{
	struct ground *g = on_kernel(state);

	assert_int_equal(poke(g, "mac", "52:54:00:00:00:77"), 0);
	assert_nic(g, "mac", "52:54:00:00:00:77");
	assert_contains(said("ip -j link show p0"), "\"address\":\"52:54:00:00:00:77\"");
	assert_int_equal(poke(g, "mac", ""), -EINVAL);
	assert_int_equal(poke(g, "mac", "01:00:5e:00:00:01"), -EINVAL);
	assert_nic(g, "mac", "52:54:00:00:00:77");
}

static void its_queue_and_flags_are_set(void **state)
{
	static const char *const texts[] = {
		"txqlen 500", "group 7, promisc on", "allmulti on, arp off, multicast off", "arp off", "txqlen 0, promisc on",
	};
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "link");
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(poke(g, "link", texts[i]), 0);
		assert_nic(g, "link", texts[i]);
	}
	assert_contains(said("ip -j -d link show p0"), "PROMISC");
	assert_true(runs("ip link set p0 promisc off txqueuelen 1000 group 12"));
	assert_nic(g, "link", "group 12");
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_int_equal(poke(g, "link", "arp 0"), -EINVAL);
	assert_int_equal(poke(g, "link", ""), 0);
	assert_no_nic(g, "link");
	assert_nic(g, "up", "up");
	/* A bridge makes its ports listen to all: that is its own doing. */
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_no_nic(g, "link");
}

static void its_settings_of_protocols_are_set(void **state)
{
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "sysctls");
	assert_true(runs("sysctl -qw net.ipv4.conf.p0.rp_filter=2 net.ipv6.conf.p0.accept_ra=0"));
	assert_nic(g, "sysctls", "ipv4/conf/rp_filter 2, ipv6/conf/accept_ra 0");
	assert_int_equal(poke(g, "sysctls", "ipv4/conf/arp_ignore 2, ipv4/conf/rp_filter 2"), 0);
	assert_nic(g, "sysctls", "ipv4/conf/arp_ignore 2, ipv4/conf/rp_filter 2");
	assert_string_equal(said("cat /proc/sys/net/ipv6/conf/p0/accept_ra"), "1");
	assert_int_equal(poke(g, "sysctls", "ipv4/conf/no_such 2"), -ENOENT);
	assert_int_equal(poke(g, "sysctls", "rp_filter 2"), -EINVAL);
	/* What follows from the size is not of its own. */
	assert_int_equal(poke(g, "mtu", "1400"), 0);
	assert_int_equal(poke(g, "sysctls", "ipv6/conf/mtu 1300"), 0);
	assert_nic(g, "sysctls", "ipv6/conf/mtu 1300");
	assert_int_equal(poke(g, "sysctls", ""), 0);
	assert_no_nic(g, "sysctls");
}

static void features_are_switched(void **state)
{
	struct ground *g = on_kernel(state);
	char before[HOST_VALUE_BYTES];
	ssize_t n;

	n = live_nic_read(g->root, ADDRESS "/features", before, sizeof(before));
	if (n <= 0)
		fail_msg("features: %d", (int)n);
	assert_contains(before, "tx-scatter-gather");
	assert_true(runs("ethtool -K p0 sg off tso off >/dev/null 2>&1"));
	assert_int_equal(poke(g, "features", "tx-checksum-ip-generic"), 0);
	assert_nic(g, "features", "tx-checksum-ip-generic");
	assert_contains(said("ethtool -k p0 | grep tx-scatter-gather:"), "off");
	assert_int_equal(poke(g, "features", before), 0);
	assert_nic(g, "features", before);
	assert_contains(said("ethtool -k p0 | grep tx-scatter-gather:"), "on");
	assert_int_equal(poke(g, "features", "tx-wishful-thinking"), -EOPNOTSUPP);
	assert_int_equal(poke(g, "features", "a  b"), -EINVAL);
	/* A pair of veth has none of these. */
	assert_no_nic(g, "wol");
	assert_no_nic(g, "eee");
	assert_no_nic(g, "pause");
	assert_int_equal(poke(g, "wol", "magic"), -ENOENT);
}

/* --- as a port --------------------------------------------------------------------------------------------------- */

static void a_port_of_a_bridge_has_settings(void **state)
{
	static const char *const texts[] = {
		"cost 50, priority 10, hairpin on", "isolated on", "learning off, flood off", "mcast-flood off, bcast-flood off",
		"cost 51, guard on, root-block on, fast-leave on, mcast-router 2, neigh-suppress on", "proxy-arp on, locked on",
	};
	static const char *const plain[] = { "priority 32", "learning on, flood on", "hairpin off", "" };
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "port");
	assert_int_equal(poke(g, "port", "isolated on"), -ENOENT);
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_no_nic(g, "port");
	assert_true(runs("ip link set p0 up && ip link set peer0 up && ip link set b0 up"));
	assert_no_nic(g, "port");
	for (size_t i = 0; i < COUNT(texts); i++) {
		char with_cost[128];

		assert_int_equal(poke(g, "port", texts[i]), 0);
		/* A cost that was set stays. */
		snprintf(with_cost, sizeof(with_cost), "cost %d, %s", i < 4 ? 50 : 51, texts[i]);
		assert_nic(g, "port", strncmp(texts[i], "cost", 4) == 0 ? texts[i] : with_cost);
	}
	assert_true(runs("ip link set p0 type bridge_slave cost 100"));
	assert_nic(g, "port", texts[5]);
	assert_contains(said("ip -j -d link show p0"), "\"locked\":true");
	for (size_t i = 0; i < COUNT(plain); i++) {
		assert_int_equal(poke(g, "port", plain[i]), 0);
		assert_no_nic(g, "port");
	}
	assert_int_equal(poke(g, "port", "isolated 1"), -EINVAL);
	assert_int_equal(poke(g, "port", "priority 64"), -EINVAL);
	assert_int_equal(poke(g, "port", "queue 1"), -EINVAL);
}

static bool has_bond(void)
{
	return runs("ip link add bond0 type bond mode active-backup 2>/dev/null");
}

static void it_joins_a_bond_and_leaves_it(void **state)
{
	struct ground *g = on_kernel(state);
	char mac[32];

	if (!has_bond())
		skip();
	assert_int_equal(poke(g, "mac", "52:54:00:00:00:77"), 0);
	/* Its ports must be down to join, and are raised by it. */
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_int_equal(poke(g, "master", "bond0"), 0);
	assert_nic(g, "master", "bond0");
	assert_nic(g, "up", "up");
	assert_no_nic(g, "vlans");
	assert_no_nic(g, "loose");
	assert_no_nic(g, "port");
	assert_nic(g, "mac", "52:54:00:00:00:77");
	/* The bond has another address, and so has its port; its own comes back. */
	assert_true(runs("ip link set bond0 address 52:54:00:00:00:78"));
	assert_contains(said("ip -j link show p0"), "\"address\":\"52:54:00:00:00:78\"");
	assert_nic(g, "mac", "52:54:00:00:00:77");
	assert_nic(g, "master-mac", "52:54:00:00:00:78");
	assert_int_equal(poke(g, "port", "queue 3"), 0);
	assert_nic(g, "port", "queue 3");
	assert_int_equal(poke(g, "port", "cost 3"), -EINVAL);
	assert_int_equal(poke(g, "vlans", "1"), -ENOENT);
	/* It is in that bond already, and stays up. */
	assert_int_equal(poke(g, "master", "bond0"), 0);
	assert_nic(g, "up", "up");
	snprintf(mac, sizeof(mac), "%s", "52:54:00:00:00:79");
	assert_int_equal(poke(g, "master-mac", mac), 0);
	assert_nic(g, "master-mac", mac);
	assert_int_equal(poke(g, "master", "b1"), 0);
	assert_nic(g, "mac", "52:54:00:00:00:77");
	assert_true(runs("ip link delete bond0"));
}

static void entries_that_somebody_made_are_kept(void **state)
{
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "fdb");
	/* With a VLAN, one entry without it would be two. */
	assert_true(!has_vlans || runs("ip link set b1 type bridge vlan_default_pvid 0"));
	assert_int_equal(poke(g, "fdb", "52:54:00:00:00:02"), -EOPNOTSUPP);
	assert_int_equal(poke(g, "fdb", "52:54:00:00:00:03 self"), 0);
	assert_nic(g, "fdb", "52:54:00:00:00:03 self");
	assert_int_equal(poke(g, "master", "b1"), 0);
	assert_true(runs("ip link set p0 up && ip link set peer0 up && ip link set b1 up"));
	/* Its own address, and those of groups, are there by themselves. */
	assert_contains(said("bridge fdb show brport p0 | grep permanent"), "permanent");
	assert_nic(g, "fdb", "52:54:00:00:00:03 self");
	assert_true(runs("bridge fdb add 52:54:00:00:00:02 dev p0 master static"));
	assert_true(runs("bridge fdb add 52:54:00:00:00:05 dev p0 master dynamic"));
	assert_nic(g, "fdb", "52:54:00:00:00:02, 52:54:00:00:00:03 self");
	assert_int_equal(poke(g, "fdb", "52:54:00:00:00:04 sticky, 52:54:00:00:00:06 local"), 0);
	assert_nic(g, "fdb", "52:54:00:00:00:04 sticky, 52:54:00:00:00:06 local");
	assert_contains(said("bridge fdb show brport p0 | grep 00:05"), "52:54:00:00:00:05");
	assert_int_equal(poke(g, "fdb", ""), 0);
	assert_no_nic(g, "fdb");
}

/* A bridge has its port's, until somebody gives it one. */
static void the_bridge_has_an_address(void **state)
{
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "master-mac");
	assert_int_equal(poke(g, "master-mac", "52:54:00:00:00:99"), -ENOENT);
	assert_int_equal(poke(g, "mac", "52:54:00:00:00:77"), 0);
	assert_int_equal(poke(g, "master", "b1"), 0);
	assert_nic(g, "master-mac", "52:54:00:00:00:77");
	assert_int_equal(poke(g, "master-mac", "nonsense"), -EINVAL);
	assert_int_equal(poke(g, "master-mac", "52:54:00:00:00:99"), 0);
	assert_int_equal(poke(g, "master", ""), 0);
	assert_int_equal(poke(g, "master", "b1"), 0);
	assert_nic(g, "master-mac", "52:54:00:00:00:99");
}

static void a_master_of_another_kind_is_named(void **state)
{
	struct ground *g = on_kernel(state);

	if (!runs("ip link add red type vrf table 7 2>/dev/null"))
		skip();
	assert_true(runs("ip link set p0 master red"));
	assert_nic(g, "loose", "master red is no bridge or bond");
	assert_int_equal(poke(g, "master", "red"), -ENODEV);
	assert_true(runs("ip link delete red"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_read_and_written_again),
		cmocka_unit_test(settings_that_are_none_are_refused),
		cmocka_unit_test(a_text_that_does_not_fit_is_an_error),
		cmocka_unit_test(what_a_setting_becomes),
		cmocka_unit_test(names_are_sorted),
		cmocka_unit_test(names_have_limits),
		cmocka_unit_test(addresses_on_the_wire_are_strict),
		cmocka_unit_test(entries_of_a_table_are_read_and_written_again),
		cmocka_unit_test(settings_of_protocols_are_read_and_written_again),
		cmocka_unit_test(bits_have_names),
		cmocka_unit_test(what_a_card_chooses_is_left_out),
		KERNEL(it_has_other_names),
		KERNEL(it_has_an_alias),
		KERNEL(it_has_another_address_on_the_wire),
		KERNEL(its_queue_and_flags_are_set),
		KERNEL(its_settings_of_protocols_are_set),
		KERNEL(features_are_switched),
		KERNEL(a_port_of_a_bridge_has_settings),
		KERNEL(it_joins_a_bond_and_leaves_it),
		KERNEL(entries_that_somebody_made_are_kept),
		KERNEL(the_bridge_has_an_address),
		KERNEL(a_master_of_another_kind_is_named),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
