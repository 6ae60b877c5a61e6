/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of a network interface and routes over it: the texts, and what a real kernel makes of them. */
#include "nic_ground.h"

#include "host/ipwords.h"

/* --- texts ------------------------------------------------------------------------------------------------------- */

static const char *again(int (*parse)(const char *, void *), ssize_t (*format)(const void *, char *, size_t), void *list,
			 const char *text)
{
	static char buf[HOST_VALUE_BYTES];
	ssize_t n;

	if (parse(text, list) < 0)
		return "-";
	n = format(list, buf, sizeof(buf));
	assert_int_equal(n, strlen(buf));
	return buf;
}

static int parse_addresses(const char *text, void *list)
{
	return ip_addresses_parse(text, list);
}

static ssize_t format_addresses(const void *list, char *buf, size_t size)
{
	return ip_addresses_format(list, buf, size);
}

static int parse_routes(const char *text, void *list)
{
	return ip_routes_parse(text, list);
}

static ssize_t format_routes(const void *list, char *buf, size_t size)
{
	return ip_routes_format(list, buf, size);
}

static void addresses_are_read_and_written_again(void **state)
{
	static const char *const texts[][2] = {
		{ "", "" }, { "192.0.2.1", "192.0.2.1/32" }, { "192.0.2.1/0", "192.0.2.1/0" },
		{ "2001:DB8::1/64", "2001:db8::1/64" },
		{ "192.0.2.5 peer 192.0.2.6/30", "192.0.2.5 peer 192.0.2.6/30" },
		{ "192.0.2.1/24 noprefixroute metric 7 label p0:1 scope 253 brd 192.0.2.255",
		  "192.0.2.1/24 brd 192.0.2.255 scope 253 label p0:1 metric 7 noprefixroute" },
		{ "2001:db8::1/64 deprecated autojoin mngtmpaddr home nodad, 192.0.2.1/24",
		  "2001:db8::1/64 nodad home mngtmpaddr autojoin deprecated, 192.0.2.1/24" },
	};
	static const char *const bad[] = {
		" ", "192.0.2.1/33", "2001:db8::1/129", "192.0.2.1/24,", "192.0.2.1/24, ", "192.0.2.256", "here", "192.0.2.1/",
		"192.0.2.1/024", "192.0.2.1/24 brd", "192.0.2.1/24 brd 2001:db8::1", "2001:db8::1/64 brd 192.0.2.1",
		"192.0.2.1 peer 2001:db8::1", "192.0.2.1/24 scope 256", "192.0.2.1/24 label sixteen-letters-", "192.0.2.1/24 dad",
		"192.0.2.1/24 metric 4294967296", "192.0.2.1/24 brd 192.0.2.255 brd 192.0.2.255",
	};
	static struct ip_addresses list;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_string_equal(again(parse_addresses, format_addresses, &list, texts[i][0]), texts[i][1]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (ip_addresses_parse(bad[i], &list) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
}

static void routes_are_read_and_written_again(void **state)
{
	static const char *const texts[][2] = {
		{ "", "" }, { "::/0 via fe80::1 metric 1024", "::/0 via fe80::1 metric 1024" },
		{ "198.51.100.0/24 scope 253 proto 3 table 254 type 1 metric 0", "198.51.100.0/24" },
		{ "198.51.100.0/24 scope 0", "198.51.100.0/24 scope 0" },
		{ "198.51.100.0/24 via 192.0.2.2 scope 0", "198.51.100.0/24 via 192.0.2.2" },
		{ "198.51.100.7 onlink mtu 1400 tos 16 src 192.0.2.1 proto 4 metric 10 table 100 via 2001:db8::2",
		  "198.51.100.7/32 via 2001:db8::2 table 100 metric 10 proto 4 src 192.0.2.1 tos 16 mtu 1400 onlink" },
		{ "2001:db8:1::/48 pref 1, 0.0.0.0/0", "0.0.0.0/0, 2001:db8:1::/48 pref 1" },
	};
	static const char *const bad[] = {
		" ", "default", "0.0.0.0/0 via", "0.0.0.0/0 via here", "::/0 via 192.0.2.2", "0.0.0.0/0 src 2001:db8::1",
		"0.0.0.0/0 dev p0", "0.0.0.0/0 type 99", "0.0.0.0/0 table -1", "0.0.0.0/0, 0.0.0.0/0", "0.0.0.0/0 pref 4",
		"0.0.0.0/0 via 192.0.2.2 via 192.0.2.2", "0.0.0.0/0 tos 256", "0.0.0.0/0,::/0", "0.0.0.0/0 mtu x",
	};
	static struct ip_routes list;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_string_equal(again(parse_routes, format_routes, &list, texts[i][0]), texts[i][1]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (ip_routes_parse(bad[i], &list) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
}

static void lists_have_limits(void **state)
{
	static struct ip_addresses addresses;
	static struct ip_routes routes;
	struct ip_route r = { .to.family = AF_INET, .type = 1 };
	struct ip_address a = { .local.family = AF_INET };
	char buf[16];

	(void)state;
	for (uint8_t i = 0; i < IP_ADDRESSES_MAX; i++) {
		a.local.bytes[3] = r.to.bytes[3] = i;
		assert_int_equal(ip_addresses_add(&addresses, &a), 0);
		assert_int_equal(ip_routes_add(&routes, &r), 0);
	}
	a.local.bytes[3] = r.to.bytes[3] = 200;
	assert_int_equal(ip_addresses_add(&addresses, &a), -E2BIG);
	assert_int_equal(ip_routes_add(&routes, &r), -E2BIG);
	addresses.n = routes.n = 1;
	assert_int_equal(ip_addresses_format(&addresses, buf, 10), 9);
	assert_int_equal(ip_addresses_format(&addresses, buf, 9), -E2BIG);
	assert_int_equal(ip_routes_format(&routes, buf, 9), -E2BIG);
}

/* --- on a real kernel -------------------------------------------------------------------------------------------- */

static void its_addresses_become_what_is_written(void **state)
{
	static const char *const texts[] = {
		"192.0.2.1/24 brd 192.0.2.255",
		/* Those that are first of their net stand before their secondaries. */
		"192.0.2.1/24 brd 192.0.2.255, 198.51.100.1/24 label p0:1, 192.0.2.2/24",
		"192.0.2.2/24, 192.0.2.1/24 brd 192.0.2.255",
		"192.0.2.9/32 scope 253, 192.0.2.5 peer 192.0.2.6/32, 203.0.113.1/24 metric 5 noprefixroute",
		"2001:db8::1/64 nodad",
		"192.0.2.1/24, 2001:db8::3/64 nodad, 2001:db8::2/64 nodad, 2001:db8::1/64 nodad",
		"192.0.2.1/24, 2001:db8::4/64 nodad, 2001:db8::3/64 nodad, 2001:db8::1/64 nodad",
		"2001:db8::5/64 nodad noprefixroute, 2001:db8::1/128 nodad deprecated, fe80::77/64 nodad",
		"2001:db8::1 peer 2001:db8::2/128 nodad, 2001:db8:1::1/64 metric 99 nodad",
		"",
	};
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "addresses");
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_true(runs("ip link set peer0 up"));
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(poke(g, "addresses", texts[i]), 0);
		if (*texts[i])
			assert_nic(g, "addresses", texts[i]);
		else
			assert_no_nic(g, "addresses");
	}
	assert_int_equal(poke(g, "addresses", "192.0.2.1/24,"), -EINVAL);
}

static void addresses_are_as_ip_sees_them(void **state)
{
	struct ground *g = on_kernel(state);

	assert_true(runs("ip link set p0 up && ip link set peer0 up"));
	assert_true(runs("ip address add 192.0.2.1/24 brd + dev p0 && ip address add 192.0.2.2/24 dev p0"));
	assert_true(runs("ip address add 2001:db8::1/64 dev p0 nodad"));
	assert_nic(g, "addresses", "192.0.2.1/24 brd 192.0.2.255, 192.0.2.2/24, 2001:db8::1/64 nodad");
	/* One that the kernel gives itself does not count. */
	assert_contains(said("ip -j -6 address show dev p0 scope link"), "fe80::");
	assert_no_nic(g, "loose");
}

/* What was there before, written again after all was lost, is told alike by `ip`. */
static void addresses_and_routes_come_back_as_ip_tells_them(void **state)
{
	static const char *const tell[] = {
		"ip -j address show dev p0 scope global", "ip -j route show dev p0", "ip -j route show table 100",
		"ip -j -6 route show default", "ip -j -6 route show table 7",
	};
	char before[COUNT(tell)][16384], addresses[HOST_VALUE_BYTES], routes[HOST_VALUE_BYTES];
	struct ground *g = on_kernel(state);

	assert_true(runs("ip link set p0 up && ip link set peer0 up"));
	assert_true(runs("ip address add 192.0.2.1/24 brd + dev p0 && ip address add 192.0.2.2/24 dev p0"));
	assert_true(runs("ip address add 2001:db8::1/64 dev p0 nodad && ip address add 2001:db8::2/64 dev p0 nodad"));
	assert_true(runs("ip route add default via 192.0.2.254 dev p0 && ip -6 route add default via 2001:db8::ffff dev p0"));
	assert_true(runs("ip route add 198.51.100.0/24 dev p0 table 100 metric 5 proto static src 192.0.2.2 mtu 1400"));
	assert_true(runs("ip -6 route add 2001:db8:5::/48 dev p0 table 7 src 2001:db8::2"));
	for (size_t i = 0; i < COUNT(tell); i++)
		snprintf(before[i], sizeof(before[i]), "%s", said(tell[i]));
	assert_true(live_nic_read(g->root, ADDRESS "/addresses", addresses, sizeof(addresses)) > 0);
	assert_true(live_nic_read(g->root, ADDRESS "/routes", routes, sizeof(routes)) > 0);
	assert_true(runs("ip link set p0 down && ip address flush dev p0"));
	assert_no_nic(g, "routes");
	assert_int_equal(poke(g, "routes", routes), -ENETDOWN);
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_int_equal(poke(g, "addresses", addresses), 0);
	assert_int_equal(poke(g, "routes", routes), 0);
	assert_nic(g, "addresses", addresses);
	assert_nic(g, "routes", routes);
	for (size_t i = 0; i < COUNT(tell); i++)
		assert_string_equal(said(tell[i]), before[i]);
}

static void its_routes_become_what_is_written(void **state)
{
	static const char *const texts[] = {
		"198.51.100.0/24",
		"0.0.0.0/0 via 192.0.2.254, 198.51.100.0/24 via 192.0.2.2 metric 10 proto 4",
		"198.51.100.0/24 via 192.0.2.2 metric 10, 198.51.100.0/24 via 192.0.2.3 metric 20",
		"198.18.0.0/15 via 203.0.113.9 onlink, 198.51.100.0/24 table 1000 src 192.0.2.1 mtu 1400 advmss 1300",
		"198.51.100.0/24 via 2001:db8::9",
		"2001:db8:1::/48 table 100 metric 7 pref 1, ::/0 via 2001:db8::ffff metric 1024",
		"2001:db8:1::/48 metric 1024 src 2001:db8::1",
		"",
	};
	struct ground *g = on_kernel(state);

	assert_int_equal(poke(g, "routes", texts[0]), -ENETDOWN);
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_true(runs("ip link set peer0 up"));
	assert_int_equal(poke(g, "addresses", "192.0.2.1/24, 2001:db8::1/64 nodad"), 0);
	assert_no_nic(g, "routes");
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(poke(g, "routes", texts[i]), 0);
		if (*texts[i])
			assert_nic(g, "routes", texts[i]);
		else
			assert_no_nic(g, "routes");
	}
	assert_int_equal(poke(g, "routes", "198.51.100.0/24 via 203.0.113.7"), -ENETUNREACH);
	assert_int_equal(poke(g, "routes", "default"), -EINVAL);
	/* A gateway that is reached by another route. */
	assert_int_equal(poke(g, "routes", "198.18.0.0/24 via 203.0.113.7, 203.0.113.7/32"), 0);
	assert_nic(g, "routes", "198.18.0.0/24 via 203.0.113.7, 203.0.113.7/32");
}

/* The source must be known to be nobody else's first, and that takes a second. */
static void a_route_waits_for_its_source(void **state)
{
	struct ground *g = on_kernel(state);

	assert_true(runs("ip link set p0 up && ip link set peer0 up"));
	assert_int_equal(poke(g, "addresses", "2001:db8::1/64"), 0);
	assert_int_equal(poke(g, "routes", "2001:db8:1::/48 metric 1024 src 2001:db8::1"), 0);
	assert_nic(g, "routes", "2001:db8:1::/48 metric 1024 src 2001:db8::1");
}

static void more_addresses_than_can_be_kept_are_an_error(void **state)
{
	struct ground *g = on_kernel(state);
	char buf[HOST_VALUE_BYTES], command[128];

	for (unsigned i = 1; i <= IP_ADDRESSES_MAX; i++) {
		snprintf(command, sizeof(command), "ip address add 10.0.%u.1/32 dev p0", i);
		assert_true(runs(command));
	}
	assert_true(live_nic_read(g->root, ADDRESS "/addresses", buf, sizeof(buf)) > 0);
	assert_true(runs("ip address add 10.1.0.1/32 dev p0"));
	assert_int_equal(live_nic_read(g->root, ADDRESS "/addresses", buf, sizeof(buf)), -E2BIG);
	assert_no_nic(g, "loose");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written_again),
		cmocka_unit_test(routes_are_read_and_written_again),
		cmocka_unit_test(lists_have_limits),
		KERNEL(its_addresses_become_what_is_written),
		KERNEL(addresses_are_as_ip_sees_them),
		KERNEL(addresses_and_routes_come_back_as_ip_tells_them),
		KERNEL(its_routes_become_what_is_written),
		KERNEL(a_route_waits_for_its_source),
		KERNEL(more_addresses_than_can_be_kept_are_an_error),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
