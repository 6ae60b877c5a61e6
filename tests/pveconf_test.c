/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of Proxmox: a VM's configuration, and whether it runs. */
#include "support.h"

#include "base/str.h"
#include "core/prepare.h"
#include "core/pvecluster.h"
#include "core/pveconf.h"

/* --- VMIDs ------------------------------------------------------------------------------------------------------- */

static void vmids_are_numbers_from_100_to_999999999(void **state)
{
	static const char *const bad[] = { "", "0", "99", "1000000000", "4294967396", "18446744073709551716", "0100",
					   "+100", "-1", " 100", "100 ", "1e3", "0x64", "abc", "100.conf" };
	unsigned vmid;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		vmid = 7;
		assert_false(vmid_parse(bad[i], &vmid));
		assert_int_equal(vmid, 7);
	}
	assert_true(vmid_parse("100", &vmid));
	assert_int_equal(vmid, 100);
	assert_true(vmid_parse("999999999", &vmid));
	assert_int_equal(vmid, 999999999);
}

static void a_profile_is_named_after_its_vm(void **state)
{
	(void)state;
	assert_int_equal(profile_vmid("/etc/handover/profiles/100.yaml"), 100);
	assert_int_equal(profile_vmid("999999999.yaml"), 999999999);
	assert_int_equal(profile_vmid("99.yaml"), 0);
	assert_int_equal(profile_vmid("0100.yaml"), 0);
	assert_int_equal(profile_vmid("100.yml"), 0);
	assert_int_equal(profile_vmid("100"), 0);
	assert_int_equal(profile_vmid("100/gpu.yaml"), 0);
	assert_int_equal(profile_vmid(".yaml"), 0);
	assert_int_equal(profile_vmid("100.old.yaml"), 0);
	assert_int_equal(profile_vmid(""), 0);
}

/* --- a VM's configuration ---------------------------------------------------------------------------------------- */

static struct pve_guest parse(struct arena *a, const char *text)
{
	struct pve_guest guest;

	pveconf_parse(text, a, &guest);
	return guest;
}

/* What hostpci0 of this value becomes. */
static struct hostpci parse_entry(struct arena *a, const char *value)
{
	struct pve_guest guest = parse(a, arena_fmt(a, "hostpci0: %s\n", value));

	assert_int_equal(guest.hostpci[0].present, *value != '\0');
	return guest.hostpci[0];
}

static void only_the_current_configuration_counts(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct pve_guest guest;

	(void)state;
	guest = parse(a, "hostpci0: 02:00.0\n\n[PENDING]\nhostpci1: 03:00.0\n[before-update]\nhostpci2: 04:00.0\n");
	assert_true(guest.hostpci[0].present);
	assert_false(guest.hostpci[1].present);
	assert_false(guest.hostpci[2].present);
	guest = parse(a, "[PENDING]\nhostpci0: 02:00.0\n");
	assert_false(guest.hostpci[0].present);
}

static void comments_are_no_configuration(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct pve_guest guest = parse(a, "#hostpci0: 02:00.0\n# hostpci1: 02:00.1\n#usb0: host=1-2\n");

	(void)state;
	assert_false(guest.hostpci[0].present);
	assert_false(guest.hostpci[1].present);
	assert_false(guest.has_usb);
}

static void an_address_is_written_with_and_without_domain(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const struct { const char *value, *address; } cases[] = {
		{ "02:00.0", "0000:02:00.0" },
		{ "02:00", "0000:02:00" },
		{ "0000:02:00.1,pcie=1,x-vga=1", "0000:02:00.1" },
		{ "10000:e1:00.0", "10000:e1:00.0" },
		{ "host=02:00.0,pcie=1", "0000:02:00.0" },
		{ "pcie=1,host=0000:02:00", "0000:02:00" },
		{ "02:00.0 \t\r", "0000:02:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hostpci p = parse_entry(a, cases[i].value);

		assert_int_equal(p.n, 1);
		assert_string_equal(p.addresses[0], cases[i].address);
		assert_null(p.mapping);
		assert_false(p.keep);
		assert_false(p.mdev);
	}
}

static void an_entry_may_list_addresses(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct hostpci p = parse_entry(a, "host=02:00.0;0000:03:00;04:00.7,pcie=1");

	(void)state;
	assert_int_equal(p.n, 3);
	assert_string_equal(p.addresses[0], "0000:02:00.0");
	assert_string_equal(p.addresses[1], "0000:03:00");
	assert_string_equal(p.addresses[2], "0000:04:00.7");
}

static void what_is_no_address_is_left_out(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char *const bad[] = { "host=", "0A:00.0", "0000:0A:00.0", "2:00.0", "02:00.0.0", "00:02:00:00.0", "gpu",
					   "02:00.0;", ";02:00.0", "02:00.0;;03:00.0", "02:00.0x", "000:02:00.0",
					   "02:00.0;0A:00.0;03:00.0", "02:00.00", "02:00." };

	(void)state;
	assert_false(parse_entry(a, "").present);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct hostpci p = parse_entry(a, bad[i]);

		assert_int_equal(p.n, 0);
		assert_non_null(p.left_out);
		assert_string_equal(p.value, bad[i]);
	}
	/* Proxmox knows no such function either, but it is of the right form. */
	assert_string_equal(parse_entry(a, "02:3f.f").addresses[0], "0000:02:3f.f");
}

static void a_mapping_is_no_address(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct hostpci p = parse_entry(a, "mapping=gpu,pcie=1");

	(void)state;
	assert_string_equal(p.mapping, "gpu");
	assert_int_equal(p.n, 0);
}

static void only_driver_keep_keeps(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_true(parse_entry(a, "02:00.0,driver=keep").keep);
	assert_false(parse_entry(a, "02:00.0,driver=vfio").keep);
	assert_false(parse_entry(a, "02:00.0").keep);
}

static void a_mediated_device_is_seen(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_true(parse_entry(a, "00:02.0,mdev=i915-GVTg_V5_4").mdev);
	assert_false(parse_entry(a, "00:02.0,legacy-igd=1").mdev);
}

static void hostpci_counts_from_0_to_15(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct pve_guest guest =
		parse(a, "hostpci0: 02:00.0\nhostpci15: 03:00.0\nhostpci16: 04:00.0\nhostpci01: 05:00.0\n"
			 "hostpci: 06:00.0\nhostpcix: 07:00.0\nxhostpci1: 08:00.0\n");

	(void)state;
	for (int i = 0; i < HOSTPCI_MAX; i++)
		assert_int_equal(guest.hostpci[i].present, i == 0 || i == 15);
	assert_string_equal(guest.hostpci[15].addresses[0], "0000:03:00.0");
}

static void of_two_lines_with_one_key_the_last_good_one_counts(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char *const configs[] = {
		"hostpci0: 02:00.0,driver=keep\nhostpci0: 03:00.0\n", "hostpci0: 03:00.0\nhostpci0: 0A:00.0\n",
		"hostpci0: 0A:00.0\nhostpci0: 03:00.0\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(configs); i++) {
		struct pve_guest guest = parse(a, configs[i]);

		assert_int_equal(guest.hostpci[0].n, 1);
		assert_string_equal(guest.hostpci[0].addresses[0], "0000:03:00.0");
		assert_false(guest.hostpci[0].keep);
		assert_null(guest.hostpci[0].left_out);
		assert_int_equal(guest.n_left_out, i ? 1 : 0);
	}
}

static void a_usb_device_of_the_host_is_seen(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const struct { const char *line; bool usb; } cases[] = {
		{ "usb0: host=1-2", true }, { "usb4: host=046d:c52b,usb3=1", true }, { "usb1: mapping=stick", true },
		{ "usb0: spice", false },   { "usb0: spice,usb3=1", false },	     { "usbdevice: host=1-2", false },
		{ "unused0: host=1-2", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(parse(a, cases[i].line).has_usb, cases[i].usb);
}

static void lines_may_end_in_carriage_return(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct pve_guest guest =
		parse(a, "hostpci0: 02:00.0\r\nhostpci1: 03:00.0,driver=keep\r\n\r\n[snap]\r\nhostpci2: 04:00\r\n");

	(void)state;
	assert_string_equal(guest.hostpci[0].addresses[0], "0000:02:00.0");
	assert_true(guest.hostpci[1].keep);
	assert_false(guest.hostpci[2].present);
}

static void a_last_line_needs_no_newline(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_int_equal(parse(a, "name: x\nhostpci3: 02:00.0").hostpci[3].n, 1);
	assert_false(parse(a, "").hostpci[0].present);
}

static void a_configuration_of_1_mib_is_read(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char *text = arena_alloc(a, PVECONF_BYTES_MAX + 2);
	struct pve_guest guest = { .has_usb = true };
	struct error err;

	(void)state;
	memset(text, 'x', PVECONF_BYTES_MAX);
	memcpy(text, "hostpci0: 02:00.0\n#", 19);
	sim_set(h, "etc/pve/qemu-server/100.conf", text);
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), 0);
	assert_int_equal(guest.hostpci[0].n, 1);
	/* One byte more is refused, not cut. */
	text[PVECONF_BYTES_MAX] = 'x';
	sim_set(h, "etc/pve/qemu-server/100.conf", text);
	guest.has_usb = true;
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), -E2BIG);
	assert_contains(err.text, "/etc/pve/qemu-server/100.conf");
	assert_true(guest.has_usb);
	host_close(h);
}

static void a_vm_that_is_not_on_this_host_has_no_configuration(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct pve_guest guest;
	struct error err;

	(void)state;
	assert_int_equal(pveconf_read(h, 103, a, &guest, &err), -ENOENT);
	assert_int_equal(pveconf_read(h, 102, a, &guest, &err), 0);
	assert_string_equal(guest.hostpci[2].addresses[0], "0000:77:00.0");
	host_close(h);
}

/* --- the cluster file system -------------------------------------------------------------------------------------- */

static void a_vm_is_not_taken_for_absent_while_nobody_knows(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	struct pve_guest guest;
	struct pve_container ct;
	struct error err;

	(void)state;
	/* No host of Proxmox. */
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), -ENOENT);
	assert_int_equal(pvect_read(h, 100, a, &ct, &err), -ENOENT);
	/* What somebody has put there while pmxcfs did not run. */
	sim_set(h, "etc/pve/handover/100.yaml", "handover: 1\n");
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), -ENOTCONN);
	assert_contains(err.text, "/etc/pve is empty: pmxcfs");
	assert_contains(err.text, "systemctl status pve-cluster");
	assert_int_equal(pvect_read(h, 100, a, &ct, &err), -ENOTCONN);
	sim_set(h, "etc/pve/.version", "{}");
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), -ENOENT);
	sim_remove(h, "etc/pve/.version");
	sim_set(h, "etc/pve/local", "nodes/pve");
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), -ENOENT);
	host_close(h);
}

static void a_guest_of_another_node_is_known_by_its_node(void **state)
{
	static const char vmlist[] = "{\n\"version\": 3,\n\"ids\": {\n\"100\": { \"node\": \"pve1\", \"type\": \"qemu\", \"version\": 4 },\n"
		"\"1001\": { \"node\": \"pve-2\", \"type\": \"lxc\", \"version\": 5 },\n\"102\": { \"type\": \"qemu\" },\n"
		"\"103\": { \"node\": \"a b\" }}\n}\n";
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();

	(void)state;
	assert_null(pvecluster_node_of(h, 100, a));
	sim_set(h, "etc/pve/.vmlist", vmlist);
	assert_string_equal(pvecluster_node_of(h, 100, a), "pve1");
	assert_string_equal(pvecluster_node_of(h, 1001, a), "pve-2");
	assert_null(pvecluster_node_of(h, 101, a));
	assert_null(pvecluster_node_of(h, 102, a));
	assert_null(pvecluster_node_of(h, 103, a));
	host_close(h);
}

static void a_node_has_the_first_part_of_the_hosts_name(void **state)
{
	static const struct { const char *host, *node; } cases[] = {
		{ "pve", "pve" }, { "pve1.example.org", "pve1" }, { "Desk-2", "Desk-2" }, { "-x", NULL }, { "", NULL },
		{ "a_b", NULL },  { ".", NULL },
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();

	(void)state;
	assert_null(pvecluster_node(h, a));
	for (size_t i = 0; i < COUNT(cases); i++) {
		sim_set(h, "proc/sys/kernel/hostname", cases[i].host);
		assert_true(str_same(pvecluster_node(h, a), cases[i].node));
	}
	host_close(h);
}

static void a_byte_that_no_text_has_ends_no_configuration(void **state)
{
	static const char text[] = "name: a\0b\nhostpci0: 02:00.0\nhostpci1: 03:00.0\0\n";
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	struct pve_guest guest;
	struct error err;

	(void)state;
	sim_set_bytes(h, "etc/pve/qemu-server/100.conf", 0, text, sizeof(text) - 1);
	assert_int_equal(pveconf_read(h, 100, a, &guest, &err), 0);
	assert_int_equal(guest.hostpci[0].n, 1);
	assert_non_null(guest.hostpci[1].left_out);
	host_close(h);
}

/* --- does it run? ------------------------------------------------------------------------------------------------ */

#define CMDLINE(id) "/usr/bin/kvm\0-id\0" id "\0-name\0ws1"

static void set_cmdline(struct host *h, const char *data, size_t n)
{
	sim_set_bytes(h, "proc/4711/cmdline", 0, data, n);
}

static void a_vm_without_pid_file_does_not_run(void **state)
{
	struct host *h = sim_new();

	(void)state;
	set_cmdline(h, CMDLINE("100"), sizeof(CMDLINE("100")));
	assert_int_equal(pve_running(h, 100), 0);
	host_close(h);
}

static void a_pid_file_is_believed_if_qemu_has_that_id(void **state)
{
	struct host *h = sim_new();

	(void)state;
	sim_set(h, "run/qemu-server/100.pid", "4711\n");
	assert_int_equal(pve_running(h, 100), 0);
	set_cmdline(h, CMDLINE("100"), sizeof(CMDLINE("100")));
	assert_int_equal(pve_running(h, 100), 4711);
	host_close(h);
}

static void a_pid_that_is_another_vms_by_now_is_not_believed(void **state)
{
	static const struct { const char *data; size_t n; } others[] = {
		{ CMDLINE("101"), sizeof(CMDLINE("101")) }, { CMDLINE("1000"), sizeof(CMDLINE("1000")) },
		{ CMDLINE("10"), sizeof(CMDLINE("10")) },   { "/usr/sbin/cron\0-f", 18 },
		{ "kvm\0-id 100", 12 },			    { "kvm\0-id", 8 },
		{ "kvm\0-name\0-id100", 17 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		struct host *h = sim_new();

		sim_set(h, "run/qemu-server/100.pid", "4711");
		set_cmdline(h, others[i].data, others[i].n);
		assert_int_equal(pve_running(h, 100), 0);
		host_close(h);
	}
}

static void a_pid_file_that_is_no_number_is_not_believed(void **state)
{
	static const char *const bad[] = { "", "0", "-4711", "x", "4711 4712", "99999999999" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct host *h = sim_new();

		sim_set(h, "run/qemu-server/100.pid", bad[i]);
		set_cmdline(h, CMDLINE("100"), sizeof(CMDLINE("100")));
		assert_int_equal(pve_running(h, 100), 0);
		host_close(h);
	}
}

/* Its devices must not be taken from it because its command line is long. */
static void a_command_line_too_long_to_be_read_is_believed(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char *data = arena_alloc(a, 256 * 1024);

	(void)state;
	sim_set(h, "run/qemu-server/100.pid", "4711\n");
	memset(data, 'x', 256 * 1024);
	memcpy(data, CMDLINE("100"), sizeof(CMDLINE("100")));
	set_cmdline(h, data, 256 * 1024);
	assert_int_equal(pve_running(h, 100), 4711);
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmids_are_numbers_from_100_to_999999999),
		cmocka_unit_test(a_profile_is_named_after_its_vm),
		cmocka_unit_test(only_the_current_configuration_counts),
		cmocka_unit_test(comments_are_no_configuration),
		cmocka_unit_test(an_address_is_written_with_and_without_domain),
		cmocka_unit_test(an_entry_may_list_addresses),
		cmocka_unit_test(what_is_no_address_is_left_out),
		cmocka_unit_test(a_mapping_is_no_address),
		cmocka_unit_test(only_driver_keep_keeps),
		cmocka_unit_test(a_mediated_device_is_seen),
		cmocka_unit_test(hostpci_counts_from_0_to_15),
		cmocka_unit_test(of_two_lines_with_one_key_the_last_good_one_counts),
		cmocka_unit_test(a_usb_device_of_the_host_is_seen),
		cmocka_unit_test(lines_may_end_in_carriage_return),
		cmocka_unit_test(a_last_line_needs_no_newline),
		cmocka_unit_test(a_configuration_of_1_mib_is_read),
		cmocka_unit_test(a_vm_that_is_not_on_this_host_has_no_configuration),
		cmocka_unit_test(a_vm_is_not_taken_for_absent_while_nobody_knows),
		cmocka_unit_test(a_guest_of_another_node_is_known_by_its_node),
		cmocka_unit_test(a_node_has_the_first_part_of_the_hosts_name),
		cmocka_unit_test(a_byte_that_no_text_has_ends_no_configuration),
		cmocka_unit_test(a_vm_without_pid_file_does_not_run),
		cmocka_unit_test(a_pid_file_is_believed_if_qemu_has_that_id),
		cmocka_unit_test(a_pid_that_is_another_vms_by_now_is_not_believed),
		cmocka_unit_test(a_pid_file_that_is_no_number_is_not_believed),
		cmocka_unit_test(a_command_line_too_long_to_be_read_is_believed),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
