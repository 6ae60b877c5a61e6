/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces on top of a network interface: the text, the simulator, and what a real kernel makes of it. */
#include "nic_ground.h"

#include "host/children.h"
#include "host/sim.h"

/* --- the text ---------------------------------------------------------------------------------------------------- */

static const char *again(const char *text)
{
	static char buf[HOST_VALUE_BYTES];
	static struct children all;
	ssize_t n;

	if (children_parse(text, &all) < 0)
		return "-";
	n = children_format(&all, buf, sizeof(buf));
	assert_int_equal(n, strlen(buf));
	return buf;
}

#define V7 "p0.7 vlan 7 / mtu 1500"

static void they_are_read_and_written_again(void **state)
{
	static const char *const texts[][2] = {
		{ "", "" }, { V7, V7 }, { "p0.7  vlan 7 / mtu 1500 / up", V7 " / up" },
		{ "p0.7 vlan 0 802.1ad bridge-binding loose-binding mvrp gvrp no-reorder-hdr / mtu 68",
		  "p0.7 vlan 0 802.1ad no-reorder-hdr gvrp mvrp loose-binding bridge-binding / mtu 68" },
		{ "mv0 macvlan bridge / mtu 1500 / mac 52:54:00:00:00:07", "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1500" },
		{ "b vlan 2 / mtu 1 // a vlan 1 / mtu 1 // c macvlan vepa / mac 52:54:00:00:00:07 / mtu 1", 
		  "a vlan 1 / mtu 1 // b vlan 2 / mtu 1 // c macvlan vepa / mac 52:54:00:00:00:07 / mtu 1" },
		{ "b vlan 2 / mtu 1 // a vlan 2 802.1ad / mtu 1", "a vlan 2 802.1ad / mtu 1 // b vlan 2 / mtu 1" },
		/* What is as usual is left out. */
		{ V7 " / master b0 / vlans 1 pvid untagged / link txqlen 1000 / port cost 4, learning on / addresses ",
		  V7 " / master b0" },
		{ V7 " / master b0 / vlans", V7 " / master b0 / vlans" },
		{ V7 " / alias up, or down?  / up / routes 10.0.0.0/8 / addresses 10.0.0.1 / fdb 52:54:00:00:00:02 / altnames z a"
		  " / vlans 5 / sysctls ipv6/conf/disable_ipv6 1 / link promisc on / master-mac 52:54:00:00:00:08 / master b0"
		  " / port isolated on // q0.1 vlan 1 / mtu 9000 / master bond0 / port queue 2",
		  V7 " / link promisc on / sysctls ipv6/conf/disable_ipv6 1 / master b0 / port isolated on / vlans 5 / up"
		  " / addresses 10.0.0.1/32 / routes 10.0.0.0/8 / fdb 52:54:00:00:00:02 / master-mac 52:54:00:00:00:08 / altnames a z"
		  " / alias up, or down?  // q0.1 vlan 1 / mtu 9000 / master bond0 / port queue 2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_string_equal(again(texts[i][0]), texts[i][1]);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {
		" ", "p0.7", "p0.7 vlan", "p0.7 vlan 7", "p0.7 vlan 4095 / mtu 1", "p0.7 vlan x / mtu 1", 
		"p0.7 vlan 7 802.1q / mtu 1",
		"p0.7 vlan 7 gvrp gvrp / mtu 1", "p0.7 vlan 7 gvrp 802.1ad / mtu 1", "p/7 vlan 7 / mtu 1",
		"sixteen-letters- vlan 7 / mtu 1",
		"mv0 macvlan / mac 52:54:00:00:00:07 / mtu 1", "mv0 macvlan source / mac 52:54:00:00:00:07 / mtu 1",
		"mv0 macvlan bridge gvrp / mac 52:54:00:00:00:07 / mtu 1", "mv0 macvlan bridge / mtu 1", "v0 veth p1 / mtu 1",
		V7 " /", V7 " / ", V7 " // ", V7 " // / ", V7 " / up / up", V7 " / up up", V7 " / down", V7 " / mtu 1", V7 " / speed 10",
		V7 " / mtu", V7 " / mac", V7 " / mac 01:00:5e:00:00:01", V7 " / addresses", V7 " / addresses 10.0.0.1/33",
		V7 " / routes here",
		V7 " / link speed 1", V7 " / sysctls rp_filter 1", V7 " / master a/b", V7 " / vlans", V7 " / vlans 5",
		V7 " / port isolated on",
		V7 " / master-mac 52:54:00:00:00:08", V7 " / master b0 / port speed 1", V7 " / master b0 / vlans 0", V7 " / fdb x",
		V7 " / altnames a a", V7 " / alias a/b", V7 " // " V7, V7 " // p0.8 vlan 7 / mtu 1", "p0.7 vlan 7 / mtu 2147483648",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(again(texts[i]), "-") != 0)
			fail_msg("'%s' is taken: '%s'", texts[i], again(texts[i]));
}

static void they_have_limits(void **state)
{
	static char many[HOST_VALUE_BYTES + 64], text[512];
	static struct children all;
	char alias[257], buf[64];

	(void)state;
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		snprintf(many + strlen(many), 40, "%sn%02u vlan %u / mtu 1", i ? " // " : "", i, i);
	assert_string_equal(again(many), many);
	strcat(many, " // m vlan 99 / mtu 1");
	assert_string_equal(again(many), "-");
	memset(alias, 'x', 256);
	alias[256] = '\0';
	snprintf(text, sizeof(text), V7 " / alias %s", alias + 1);
	assert_string_equal(again(text), text);
	snprintf(text, sizeof(text), V7 " / alias %s", alias);
	assert_string_equal(again(text), "-");
	/* A text of a page, and one byte more. */
	memset(many, ' ', HOST_VALUE_BYTES);
	many[HOST_VALUE_BYTES] = '\0';
	memcpy(many, "p0.7 vlan 7", 11);
	memcpy(many + HOST_VALUE_BYTES - 1 - strlen(" / mtu 1"), " / mtu 1", strlen(" / mtu 1") + 1);
	assert_string_equal(again(many), "p0.7 vlan 7 / mtu 1");
	memset(many, ' ', HOST_VALUE_BYTES);
	many[HOST_VALUE_BYTES] = '\0';
	memcpy(many, "p0.7 vlan 7", 11);
	memcpy(many + HOST_VALUE_BYTES - strlen(" / mtu 1"), " / mtu 1", strlen(" / mtu 1") + 1);
	assert_string_equal(again(many), "-");
	assert_int_equal(children_parse(V7, &all), 0);
	assert_int_equal(children_format(&all, buf, sizeof(V7)), sizeof(V7) - 1);
	assert_int_equal(children_format(&all, buf, sizeof(V7) - 1), -E2BIG);
	assert_int_equal(children_format(&all, buf, 0), -E2BIG);
}

/* Whatever a page can say has room, and what has none is refused. */
static void there_is_room_for_parts(void **state)
{
	static struct children all;
	struct child_made made = { .kind = CHILD_VLAN, .id = 7 };
	struct child *c;
	int code = 0;

	(void)state;
	children_clear(&all);
	c = children_add(&all, "p0.7", &made);
	assert_non_null(c);
	assert_null(children_add(&all, "p0.7", &(struct child_made){ .id = 8 }));
	assert_null(children_add(&all, "p0.8", &made));
	for (size_t i = 0; i < CHILDREN_TEXT_BYTES && code == 0; i++)
		code = children_set(&all, c, CHILD_MTU, "1500");
	assert_int_equal(code, -E2BIG);
	assert_string_equal(c->part[CHILD_MTU], "1500");
	assert_int_equal(children_set(&all, c, CHILD_UP, "down"), 0);
	assert_null(c->part[CHILD_UP]);
}

/* --- in the simulator --------------------------------------------------------------------------------------------- */

#define SIM_NIC "nic/0000:00:03.0/"
#define OTHER_NIC "nic/0000:00:04.0/"

static struct host *simulated(void)
{
	struct host *h = sim_new();

	sim_set(h, SIM_NIC "name", "p0");
	sim_set(h, SIM_NIC "mtu", "1500");
	sim_set(h, SIM_NIC "up", "down");
	sim_set(h, OTHER_NIC "name", "q0");
	sim_set(h, OTHER_NIC "altnames", "uplink");
	sim_set(h, OTHER_NIC "children", "q0.7 vlan 7 / mtu 1500");
	return h;
}

static void assert_put(struct host *h, const char *what, const char *value, int code)
{
	struct host_stuck stuck;
	char name[64];

	snprintf(name, sizeof(name), SIM_NIC "%s", what);
	assert_int_equal(host_write(h, name, value, 1000, &stuck), code);
}

static void assert_children(struct host *h, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	ssize_t n = host_read(h, SIM_NIC "children", buf, sizeof(buf));

	if (text)
		assert_string_equal(n < 0 ? "" : buf, text);
	else
		assert_int_equal(n, -ENOENT);
}

static void the_simulated_ones_follow(void **state)
{
	_cleanup_host_ struct host *h = simulated();

	(void)state;
	assert_put(h, "children", "mv0 macvlan bridge / mtu 1500 / mac 52:54:00:00:00:07 // p0.7 vlan 7 / mtu 1400 // "
		   "p0.8 vlan 8 loose-binding / mtu 1500", 0);
	assert_put(h, "up", "up", 0);
	assert_children(h, "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1500 // p0.7 vlan 7 / mtu 1400 / up // "
			"p0.8 vlan 8 loose-binding / mtu 1500");
	assert_put(h, "children", "p0.7 vlan 7 / mtu 1400 / up / addresses 10.0.0.1/8, 2001:db8::1/64 / routes 10.9.0.0/16 // "
		   "p0.9 vlan 9 / mtu 1500 / up / addresses 2001:db8:1::1/64", 0);
	assert_put(h, "mtu", "1400", 0);
	assert_put(h, "up", "down", 0);
	assert_children(h, "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1400 // "
			"p0.7 vlan 7 / mtu 1400 / addresses 10.0.0.1/8 // p0.8 vlan 8 loose-binding / mtu 1400 // p0.9 vlan 9 / mtu 1400");
	assert_put(h, "master", "vmbr0", -EBUSY);
	assert_put(h, "children", "p0.7 vlan 70 / mtu 1400", -EEXIST);
	assert_put(h, "children", "p0.6 vlan 7 / mtu 1400", -EEXIST);
}

static void the_simulated_ones_are_refused_as_by_a_kernel(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "p0", -EINVAL }, { "p0 vlan 7 / mtu 1500", -EEXIST }, { "q0 vlan 7 / mtu 1500", -EEXIST },
		{ "uplink vlan 7 / mtu 1500", -EEXIST }, { "q0.7 vlan 7 / mtu 1500", -EEXIST }, { "p0.7 vlan 7 / mtu 1501", -ERANGE },
		{ "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1501", -EINVAL }, { "p0.7 vlan 7 / mtu 1500 / up", -ENETDOWN },
		{ "p0.7 vlan 7 loose-binding / mtu 1500 / routes 10.0.0.0/8", -ENETDOWN },
	};
	_cleanup_host_ struct host *h = simulated();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_put(h, "children", cases[i].text, cases[i].code);
	assert_children(h, NULL);
	assert_put(h, "children", "", 0);
	assert_put(h, "children", "p0.7 vlan 7 loose-binding / mtu 1500 / up", 0);
	assert_put(h, "master", "vmbr0", 0);
	assert_put(h, "children", "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1500", -EBUSY);
	assert_children(h, "p0.7 vlan 7 loose-binding / mtu 1500 / up");
}

/* --- on a real kernel --------------------------------------------------------------------------------------------- */

static struct ground *with_vlans(void **state)
{
	struct ground *g = on_kernel(state);

	if (!runs("ip link add link p0 name p0.4000 type vlan id 4000 2>/dev/null")) {
		fprintf(stderr, "skipped: this kernel has no VLAN interfaces\n");
		skip();
	}
	assert_true(runs("ip link delete p0.4000"));
	assert_true(runs("ip link set p0 address 52:54:00:00:00:01"));
	return g;
}

/* Twice the same is once, and is read the same. */
static void assert_written(const struct ground *g, const char *text)
{
	assert_int_equal(poke(g, "children", text), 0);
	assert_nic(g, "children", text);
	assert_int_equal(poke(g, "children", text), 0);
	assert_nic(g, "children", text);
}

static void they_are_made_and_mended(void **state)
{
	static const char *const texts[] = {
		V7, V7 " / link txqlen 500 / altnames seven / alias to the office",
		"p0.7 vlan 7 no-reorder-hdr loose-binding / mtu 1400", "p0.7 vlan 7 gvrp mvrp / mac 52:54:00:00:00:77 / mtu 1500", V7,
		V7 " / sysctls ipv4/conf/rp_filter 2, ipv6/conf/disable_ipv6 1 / master b0",
		V7 " / master b0 / port isolated on / fdb 52:54:00:00:00:02", V7,
		V7 " // p0.8 vlan 7 802.1ad / mtu 1300",
	};
	struct ground *g = with_vlans(state);

	assert_no_nic(g, "children");
	for (size_t i = 0; i < COUNT(texts); i++) {
		char text[256];

		/* A port has VLANs and its bridge an address, whatever the kernel says they are. */
		snprintf(text, sizeof(text), "%s", texts[i]);
		if (strstr(text, "master")) {
			assert_true(runs("ip link set b0 address 52:54:00:00:00:b0"));
			assert_int_equal(poke(g, "children", text), 0);
			assert_contains(said("ip -j link show p0.7"), "\"master\":\"b0\"");
			continue;
		}
		assert_written(g, text);
	}
	assert_contains(said("ip -d -j link show p0.8"), "802.1ad");
	assert_int_equal(poke(g, "children", "p0.7 vlan 9 / mtu 1500"), -EEXIST);
	assert_int_equal(poke(g, "children", "p0.9 vlan 9 / mtu 1501"), -ERANGE);
	assert_int_equal(poke(g, "children", "peer0 vlan 9 / mtu 1500"), -EEXIST);
	assert_int_equal(poke(g, "children", "p0.10 vlan 10 / mtu 1500 / up"), -ENETDOWN);
	assert_int_equal(poke(g, "children", "p0.7 vlan 7"), -EINVAL);
}

/* What follows the carrier comes when it comes. */
#define STEADY \
	"sed -E 's/\"(ifindex|link_index|[a-z_]*timer)\":[0-9.]+,|\"operstate\":\"[A-Z]*\",|,\"LOWER_UP\"|\"NO-CARRIER\",|" \
	"\"linkdown\"//g'"

/* What was there before, lost with the interface below, comes back as `ip` and `bridge` tell it. */
static void they_come_back_as_they_were(void **state)
{
	static const char *const tell[] = {
		"ip -d -j link show p0.7 | " STEADY, "ip -d -j link show p0.8 | " STEADY, "bridge -j vlan show dev p0.7",
		"ip -j address show dev p0.8 scope global | " STEADY, "ip -j route show dev p0.8 | " STEADY,
		"ip -j -6 route show table 7 | " STEADY, "sysctl net.ipv6.conf.p0/7.disable_ipv6",
	};
	char before[COUNT(tell)][8192], text[HOST_VALUE_BYTES];
	struct ground *g = with_vlans(state);

	assert_true(runs("ip link set p0 up && ip link set peer0 up"));
	assert_true(runs("ip link add link p0 name p0.7 type vlan id 7 && sysctl -qw net.ipv6.conf.p0/7.disable_ipv6=1"));
	assert_true(runs("ip link set p0.7 mtu 1400 && ip link set p0.7 master b0"));
	assert_true(runs("ip link set p0.7 type bridge_slave learning off"));
	assert_true(runs("ip link set p0.7 up && bridge vlan add dev p0.7 vid 20-30 && bridge vlan del dev p0.7 vid 1"));
	assert_true(runs("ip link add link p0 name p0.8 type vlan id 8 gvrp on && ip link set p0.8 up"));
	assert_true(runs("ip address add 192.0.2.1/24 brd + dev p0.8 && ip address add 2001:db8::1/64 dev p0.8 nodad"));
	assert_true(runs("ip route add default via 192.0.2.254 && ip -6 route add default via 2001:db8::ff dev p0.8 table 7"));
	assert_true(live_nic_read(g->root, ADDRESS "/children", text, sizeof(text)) > 0);
	assert_contains(text, "p0.8 vlan 8 gvrp / mtu 1500 / up / addresses 192.0.2.1/24 brd 192.0.2.255, "
			"2001:db8::1/64 nodad / routes");
	for (size_t i = 0; i < COUNT(tell); i++)
		snprintf(before[i], sizeof(before[i]), "%s", said(tell[i]));
	assert_true(runs("ip link delete p0 && ip link add p0 type veth peer name peer0 && ip link set peer0 up"));
	assert_true(runs("ip link set p0 address 52:54:00:00:00:01 up"));
	assert_no_nic(g, "children");
	assert_written(g, text);
	for (size_t i = 0; i < COUNT(tell); i++)
		assert_string_equal(said(tell[i]), before[i]);
}

static void a_macvlan_comes_back(void **state)
{
	struct ground *g = with_vlans(state);

	assert_written(g, "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1400 // "
			  "mv1 macvlan private / mac 52:54:00:00:00:08 / mtu 1500 / addresses 192.0.2.1/24");
	assert_contains(said("ip -d -j link show mv0"), "\"mode\":\"bridge\"");
	assert_int_equal(poke(g, "children", "mv0 macvlan vepa / mac 52:54:00:00:00:07 / mtu 1400"), -EEXIST);
	assert_int_equal(poke(g, "children", "mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1501"), -EINVAL);
	assert_int_equal(poke(g, "master", "b0"), -EBUSY);
}

static void others_stay(void **state)
{
	struct ground *g = with_vlans(state);

	assert_true(runs("ip link add link p0 name p0.3 type vlan id 3 && ip link add link peer0 name peer0.7 type vlan id 7"));
	assert_int_equal(poke(g, "children", V7), 0);
	assert_nic(g, "children", "p0.3 vlan 3 / mtu 1500 // " V7);
	assert_int_equal(poke(g, "children", ""), 0);
	assert_nic(g, "children", "p0.3 vlan 3 / mtu 1500 // " V7);
	/* One that is another's, of whatever name. */
	assert_int_equal(poke(g, "children", "peer0.7 vlan 5 / mtu 1500"), -EEXIST);
	assert_int_equal(poke(g, "children", "p0.77 vlan 3 / mtu 1500"), -EEXIST);
}

static void more_than_can_be_kept_are_an_error(void **state)
{
	struct ground *g = with_vlans(state);
	char buf[HOST_VALUE_BYTES], command[128];

	for (unsigned i = 1; i <= CHILDREN_MAX; i++) {
		snprintf(command, sizeof(command), "ip link add link p0 name p0.%u type vlan id %u", i, i);
		assert_true(runs(command));
	}
	assert_true(live_nic_read(g->root, ADDRESS "/children", buf, sizeof(buf)) > 0);
	assert_true(runs("ip link add link p0 name p0.99 type vlan id 99"));
	assert_int_equal(live_nic_read(g->root, ADDRESS "/children", buf, sizeof(buf)), -E2BIG);
}

static void what_cannot_come_back_is_named(void **state)
{
	static const struct {
		const char *command, *loose;
	} cases[] = {
		{ "ip link set p0.7 type vlan egress 1:2", "upper p0.7 has a map of priorities" },
		{ "ip address add 192.0.2.9/24 dev p0.7 valid_lft 600 preferred_lft 600",
		  "upper p0.7 has address 192.0.2.9/24 for a while" },
		{ "ip link set p0.7 alias a/b", "upper p0.7 has an alias with a slash" },
	};
	struct ground *g = with_vlans(state);

	make_folder(g, DEVICES "/" ADDRESS "/net/p0/upper_p0.7");
	assert_nic(g, "loose", "upper p0.7");
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(runs("ip link add link p0 name p0.7 type vlan id 7"));
		assert_no_nic(g, "loose");
		assert_true(runs(cases[i].command));
		assert_nic(g, "loose", cases[i].loose);
		assert_true(runs("ip link delete p0.7"));
	}
	assert_true(runs("ip link add link p0 name p0.7 type vlan id 7 && ip link set p0.7 master b0"));
	make_folder(g, DEVICES "/" ADDRESS "/net/p0/upper_p0.7/upper_b0");
	assert_no_nic(g, "loose");
	make_folder(g, DEVICES "/" ADDRESS "/net/p0/upper_p0.7/upper_p0.7.5");
	assert_nic(g, "loose", "upper p0.7 has p0.7.5 on it");
	assert_true(runs("ip link delete p0.7 && ip link add link p0 name p0.7 type macvlan mode passthru"));
	make_folder(g, DEVICES "/" ADDRESS "/net/p0/upper_p0.7/upper_b0");
	assert_nic(g, "loose", "upper p0.7 has a mode, flag or queue that is not known, upper p0.7 has b0 on it, "
		   "upper p0.7 has p0.7.5 on it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_read_and_written_again),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(they_have_limits),
		cmocka_unit_test(there_is_room_for_parts),
		cmocka_unit_test(the_simulated_ones_follow),
		cmocka_unit_test(the_simulated_ones_are_refused_as_by_a_kernel),
		KERNEL(they_are_made_and_mended),
		KERNEL(they_come_back_as_they_were),
		KERNEL(a_macvlan_comes_back),
		KERNEL(others_stay),
		KERNEL(more_than_can_be_kept_are_an_error),
		KERNEL(what_cannot_come_back_is_named),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
