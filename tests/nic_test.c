/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: the text of VLANs, and what a real kernel answers in a network namespace of the test's own. */
#include "nic_ground.h"

#include "host/vlans.h"

/* --- VLANs as text ----------------------------------------------------------------------------------------------- */

static void assert_vlans(const struct vlans *v, const char *text)
{
	char buf[HOST_VALUE_BYTES];

	assert_int_equal(vlans_format(v, buf, sizeof(buf)), strlen(text));
	assert_string_equal(buf, text);
}

static void good_text_is_read_and_written_again(void **state)
{
	static const char *const texts[] = {
		"", "1", "4094", "1-4094", "1 pvid untagged, 2-4094", "1 pvid", "1 untagged", "63-64, 127-128 untagged",
		"2-9, 10 pvid untagged, 11-4094", "1-3, 4-6 untagged, 8", "9, 10 pvid, 11",
	};
	struct vlans v;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(vlans_parse(texts[i], &v), 0);
		assert_vlans(&v, texts[i]);
	}
	assert_int_equal(vlans_parse("1, 2, 3-5, 6 untagged, 7-8 untagged", &v), 0);
	assert_vlans(&v, "1-5, 6-8 untagged");
}

static void bad_text_is_refused(void **state)
{
	static const char *const texts[] = {
		" ", "0", "4095", "4096", "65537", "4294967297", "01", "+1", "-1", "1-", "1-1", "2-1", "1-4095", "0-1",
		"1,2", "1,  2", "1, ", ", 1", "1 ", " 1", "2, 1", "1, 1", "1-3, 3", "1-3, 2-5", "a", "1a", "1 pvidx",
		"1 PVID", "1 untagged pvid", "1 pvid pvid", "1-2 pvid", "1 pvid, 2 pvid", "1\n", "1 - 2", "0x1",
	};
	struct vlans v;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (vlans_parse(texts[i], &v) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
}

static void ids_have_limits(void **state)
{
	static const struct {
		struct vlan_range range;
		int code;
	} cases[] = {
		{ { 0, 0, false, false }, -EINVAL }, { { 0, 1, false, false }, -EINVAL },
		{ { 1, 1, false, false }, 0 }, { { 1, 4094, false, true }, 0 }, { { 4094, 4094, true, true }, 0 },
		{ { 4094, 4095, false, false }, -EINVAL }, { { 4095, 4095, false, false }, -EINVAL },
		{ { 2, 1, false, false }, -EINVAL }, { { 1, 2, true, false }, -EINVAL },
		{ { 70000, 70000, false, false }, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct vlans v = { 0 };

		assert_int_equal(vlans_add(&v, &cases[i].range), cases[i].code);
	}
}

static void text_that_does_not_fit_is_an_error(void **state)
{
	struct vlans v = { 0 };
	char buf[8];

	(void)state;
	assert_int_equal(vlans_parse("1-4094", &v), 0);
	assert_int_equal(vlans_format(&v, buf, 7), 6);
	assert_int_equal(vlans_format(&v, buf, 6), -E2BIG);
	assert_int_equal(vlans_format(&v, buf, 0), -E2BIG);
	v = (struct vlans){ 0 };
	assert_int_equal(vlans_format(&v, buf, 1), 0);
}

static void differences_are_found(void **state)
{
	struct vlans a, b, left;

	(void)state;
	vlans_parse("1 pvid untagged, 2-10", &a);
	vlans_parse("1, 5-20, 30 pvid untagged", &b);
	left = vlans_without(&a, &b);
	assert_vlans(&left, "2-4");
	left = vlans_without(&b, &a);
	assert_vlans(&left, "11-20, 30 pvid untagged");
	left = vlans_unlike(&a, &b);
	assert_vlans(&left, "1 pvid untagged, 2-4");
	left = vlans_unlike(&b, &a);
	assert_vlans(&left, "1, 11-20, 30 pvid untagged");
	left = vlans_unlike(&a, &a);
	assert_vlans(&left, "");
}

/* --- on a real kernel ---------------------------------------------------------------------------------------------- */

static void names_that_are_none_are_absent(void **state)
{
	static const char *const names[] = {
		"", "/", ADDRESS, ADDRESS "/", ADDRESS "/speed", ADDRESS "/mtu/x", "0000:01:00.1/mtu", "../mtu", "/mtu",
		"01:00.0/mtu", "0000:01:00.00000000000000000000000000000000/mtu",
	};
	struct ground *g = on_kernel(state);
	char buf[64];

	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(live_nic_read(g->root, names[i], buf, sizeof(buf)), -ENOENT);
		assert_int_equal(live_nic_write(g->root, names[i], "1500"), -ENOENT);
	}
	assert_int_equal(poke(g, "loose", ""), -EACCES);
}

static void a_function_without_an_interface_has_nothing(void **state)
{
	struct ground *g = on_kernel(state);

	assert_int_equal(unlinkat(g->root, DEVICES "/" ADDRESS "/net/p0", AT_REMOVEDIR), 0);
	assert_no_nic(g, "name");
	assert_no_nic(g, "loose");
	/* sysfs has it, the kernel no longer has. */
	make_folder(g, DEVICES "/" ADDRESS "/net/gone0");
	assert_no_nic(g, "name");
	assert_int_equal(poke(g, "mtu", "1400"), -ENODEV);
}

static void virtio_has_it_one_folder_below(void **state)
{
	struct ground *g = on_kernel(state);

	assert_int_equal(unlinkat(g->root, DEVICES "/" ADDRESS "/net/p0", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(g->root, DEVICES "/" ADDRESS "/net", AT_REMOVEDIR), 0);
	make_folder(g, DEVICES "/" ADDRESS "/virtio3");
	assert_no_nic(g, "name");
	make_folder(g, DEVICES "/" ADDRESS "/virtio3/net/p0");
	assert_nic(g, "name", "p0");
	assert_no_nic(g, "loose");
}

static void mtu_is_set(void **state)
{
	static const char *const bad[] = { "", "-1", "1400 ", "0x400", "01400", "4294967296", "2147483648", "many" };
	struct ground *g = on_kernel(state);

	assert_nic(g, "mtu", "1500");
	assert_int_equal(poke(g, "mtu", "1400"), 0);
	assert_nic(g, "mtu", "1400");
	assert_contains(said("ip -j link show p0"), "\"mtu\":1400,");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(poke(g, "mtu", bad[i]), -EINVAL);
	/* The kernel's own limits: below what IPv4 needs at least, above what veth can. */
	assert_int_equal(poke(g, "mtu", "67"), -EINVAL);
	assert_int_equal(poke(g, "mtu", "65536"), -EINVAL);
	assert_nic(g, "mtu", "1400");
}

static void it_goes_up_and_down(void **state)
{
	struct ground *g = on_kernel(state);

	assert_nic(g, "up", "down");
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_nic(g, "up", "up");
	assert_contains(said("ip -j link show p0"), "\"UP\"");
	assert_int_equal(poke(g, "up", "down"), 0);
	assert_nic(g, "up", "down");
	assert_int_equal(poke(g, "up", ""), -EINVAL);
	assert_int_equal(poke(g, "up", "upward"), -EINVAL);
}

static void it_is_renamed(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "a:b", "a b", "a\n", "eth%d", "sixteen-letters-",
	};
	struct ground *g = on_kernel(state);

	assert_nic(g, "name", "p0");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(poke(g, "name", bad[i]), -EINVAL);
	assert_int_equal(poke(g, "name", "peer0"), -EEXIST);
	assert_int_equal(poke(g, "name", "fifteen-letters"), 0);
	assert_contains(said("ip -j link show fifteen-letters"), "\"ifname\":\"fifteen-letters\"");
	/* The real sysfs follows it; here the test does. */
	assert_no_nic(g, "name");
	make_folder(g, DEVICES "/" ADDRESS "/net/fifteen-letters");
	assert_nic(g, "name", "fifteen-letters");
	assert_int_equal(poke(g, "name", "p0"), 0);
}

static void it_joins_a_bridge_and_leaves_it(void **state)
{
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "master");
	assert_no_nic(g, "vlans");
	assert_int_equal(poke(g, "vlans", "1"), -ENOENT);
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_nic(g, "master", "b0");
	assert_contains(said("ip -j link show p0"), "\"master\":\"b0\"");
	/* It is the same again, and another. */
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_int_equal(poke(g, "master", "b1"), 0);
	assert_nic(g, "master", "b1");
	assert_int_equal(poke(g, "master", "nothere"), -ENODEV);
	assert_int_equal(poke(g, "master", "peer0"), -ENODEV);
	assert_int_equal(poke(g, "master", "b%d"), -EINVAL);
	assert_int_equal(poke(g, "master", "sixteen-letters-"), -EINVAL);
	assert_nic(g, "master", "b1");
	assert_no_nic(g, "loose");
	assert_int_equal(poke(g, "master", ""), 0);
	assert_no_nic(g, "master");
	assert_int_equal(poke(g, "master", ""), 0);
}

static void what_would_be_lost_is_named(void **state)
{
	struct ground *g = on_kernel(state);
	char small[4], name[] = ADDRESS "/loose";

	assert_no_nic(g, "loose");
	assert_true(runs("ip link set p0 up && ip link set peer0 up"));
	assert_true(runs("ip address add fe80::1/64 dev p0 nodad"));
	assert_true(runs("ip address add 198.51.100.9/24 dev peer0"));
	assert_true(runs("ip address add 192.0.2.1/24 dev p0"));
	assert_true(runs("ip address add 2001:db8::1/64 dev p0 nodad"));
	assert_no_nic(g, "loose");
	/* Of a lease, and of whoever made it, nothing is known. */
	assert_true(runs("ip address add 192.0.2.5/32 dev p0 valid_lft 600 preferred_lft 600"));
	assert_true(runs("ip address add 2001:db8::2/64 dev p0 nodad valid_lft 600 preferred_lft 300"));
	assert_nic(g, "loose", "address 192.0.2.5/32 for a while, address 2001:db8::2/64 for a while");
	assert_int_equal(live_nic_read(g->root, name, small, sizeof(small)), -E2BIG);
	assert_true(runs("ip address add 203.0.113.1/24 dev peer0 && ip address delete 192.0.2.5/32 dev p0"));
	assert_true(runs("ip address delete 2001:db8::2/64 dev p0"));
	assert_true(runs("ip route add 198.18.0.0/24 nexthop via 192.0.2.2 dev p0 nexthop via 203.0.113.2 dev peer0"));
	assert_true(runs("ip route add 198.18.1.0/24 via 203.0.113.2 src 192.0.2.1"));
	assert_true(runs("ip route add 198.18.2.0/24 via 192.0.2.2 congctl reno"));
	assert_nic(g, "loose", "route 198.18.0.0/24, route 198.18.1.0/24 over another interface, route 198.18.2.0/24");
	assert_true(runs("ip address flush dev p0"));
	assert_true(runs("ip route flush 198.18.0.0/24; ip address flush dev peer0"));

	make_folder(g, DEVICES "/" ADDRESS "/net/p0/upper_p0.7");
	make_folder(g, DEVICES "/" ADDRESS "/net/p0/upper_b0");
	make_folder(g, DEVICES "/" ADDRESS "/net/p0/statistics");
	make_folder(g, DEVICES "/" ADDRESS "/net/p1");
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_nic(g, "loose", "upper p0.7, second interface p1");
}

static void virtual_functions_count(void **state)
{
	static const struct {
		const char *text, *loose;
	} cases[] = {
		{ "4\n", "4 virtual functions" }, { "1\n", "1 virtual function" }, { "0\n", NULL },
	};
	struct ground *g = on_kernel(state);

	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd = openat(g->root, DEVICES "/" ADDRESS "/sriov_numvfs", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		assert_int_equal(write(fd, cases[i].text, strlen(cases[i].text)), strlen(cases[i].text));
		close(fd);
		if (cases[i].loose)
			assert_nic(g, "loose", cases[i].loose);
		else
			assert_no_nic(g, "loose");
	}
}

static void vlans_become_exactly_what_is_written(void **state)
{
	static const char *const texts[] = {
		"1 pvid untagged, 2-4094",
		"2-9, 10 pvid untagged, 11-4094",
		"1, 10 pvid",
		"1 pvid, 10",
		"1-10",
		"1-10 untagged",
		"1-4, 5-8 untagged, 9 pvid, 4094",
		"",
		"4094 pvid untagged",
		"1, 3, 5, 7, 9, 11 pvid untagged, 4093",
		"1 pvid untagged",
	};
	struct ground *g = on_kernel(state);

	if (!has_vlans)
		skip();
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_nic(g, "vlans", "1 pvid untagged");
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(poke(g, "vlans", texts[i]), 0);
		assert_nic(g, "vlans", texts[i]);
	}
	assert_int_equal(poke(g, "vlans", "1-4095"), -EINVAL);
	assert_nic(g, "vlans", "1 pvid untagged");
}

/* Some versions of bridge say that a VLAN has no flags, others say nothing. */
static const char *bridge_said(const char *command)
{
	static char text[1 << 16];
	static const char none[] = ",\"flags\":[]";
	char *at;

	snprintf(text, sizeof(text), "%s", said(command));
	while ((at = strstr(text, none)) != NULL)
		memmove(at, at + strlen(none), strlen(at + strlen(none)) + 1);
	return text;
}

static void vlans_are_as_other_tools_see_them(void **state)
{
	struct ground *g = on_kernel(state);

	if (!has_vlans)
		skip();
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_int_equal(poke(g, "vlans", "2-9, 10 pvid untagged, 11-4094"), 0);
	assert_string_equal(bridge_said("bridge -j -compressvlans vlan show dev p0"),
			    "[{\"ifname\":\"p0\",\"vlans\":[{\"vlan\":2,\"vlanEnd\":9},"
			    "{\"vlan\":10,\"flags\":[\"PVID\",\"Egress Untagged\"]},{\"vlan\":11,\"vlanEnd\":4094}]}]");
	assert_true(runs("bridge vlan del vid 20-29 dev p0 && bridge vlan add vid 15 dev p0 untagged"));
	assert_nic(g, "vlans", "2-9, 10 pvid untagged, 11-14, 15 untagged, 16-19, 30-4094");
	/* Those of the bridge itself and of other ports are left alone. */
	assert_true(runs("ip link set peer0 master b0 && bridge vlan add vid 7 dev b0 self"));
	assert_int_equal(poke(g, "vlans", ""), 0);
	assert_contains(bridge_said("bridge -j -compressvlans vlan show dev peer0"), "{\"vlan\":1,");
	assert_contains(bridge_said("bridge -j -compressvlans vlan show dev b0"), "{\"vlan\":7}");
}

/* More of them than one message of the kernel's answer has room for, and than a value may have bytes. */
static void many_single_vlans_are_read_in_full(void **state)
{
	struct ground *g = on_kernel(state);
	char text[HOST_VALUE_BYTES * 4] = "", buf[HOST_VALUE_BYTES * 4];
	size_t n = 0;

	if (!has_vlans)
		skip();
	for (unsigned id = 2; id <= VLAN_ID_MAX; id += 2)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", n ? ", " : "", id);
	assert_int_equal(poke(g, "master", "b0"), 0);
	assert_int_equal(poke(g, "vlans", text), 0);
	assert_int_equal(live_nic_read(g->root, ADDRESS "/vlans", buf, sizeof(buf)), n);
	assert_string_equal(buf, text);
	assert_int_equal(live_nic_read(g->root, ADDRESS "/vlans", buf, HOST_VALUE_BYTES), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_read_and_written_again),
		cmocka_unit_test(bad_text_is_refused),
		cmocka_unit_test(ids_have_limits),
		cmocka_unit_test(text_that_does_not_fit_is_an_error),
		cmocka_unit_test(differences_are_found),
		KERNEL(names_that_are_none_are_absent),
		KERNEL(a_function_without_an_interface_has_nothing),
		KERNEL(virtio_has_it_one_folder_below),
		KERNEL(mtu_is_set),
		KERNEL(it_goes_up_and_down),
		KERNEL(it_is_renamed),
		KERNEL(it_joins_a_bridge_and_leaves_it),
		KERNEL(what_would_be_lost_is_named),
		KERNEL(virtual_functions_count),
		KERNEL(vlans_become_exactly_what_is_written),
		KERNEL(vlans_are_as_other_tools_see_them),
		KERNEL(many_single_vlans_are_read_in_full),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
