/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inventory of a host, what differs between two of them, and which functions a device of a profile means. */
#include "support.h"

#include "core/inventory.h"
#include "core/pveconf.h"
#include "core/same.h"
#include "core/select.h"

#define DEVICES "sys/bus/pci/devices"

/* --- the inventory ----------------------------------------------------------------------------------------------- */

static void read_inventory(struct host *h, struct arena *a, struct inventory *inv)
{
	struct error err;

	if (inventory_read(h, a, inv, &err) < 0)
		fail_msg("%s", err.text);
}

static const struct function *function_at(const struct inventory *inv, const char *address)
{
	const struct function *fn = inventory_find(inv, address);

	if (!fn)
		fail_msg("no %s", address);
	return fn;
}

static bool has_capability(const struct function *fn, unsigned id, bool extended)
{
	for (size_t i = 0; i < fn->n_capabilities; i++)
		if (fn->capabilities[i].id == id && fn->capabilities[i].extended == extended)
			return true;
	return false;
}

static void a_function_is_what_its_files_say(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;
	const struct function *fn;

	(void)state;
	read_inventory(h, a, &inv);
	fn = function_at(&inv, "0000:02:00.0");
	assert_string_equal(fn->id, "10de:2783:1043:896e");
	assert_int_equal(fn->vendor, 0x10de);
	assert_int_equal(fn->device, 0x2783);
	assert_int_equal(fn->subvendor, 0x1043);
	assert_int_equal(fn->subdevice, 0x896e);
	assert_int_equal(fn->class, 0x030000);
	assert_int_equal(fn->bdf.bus, 2);
	assert_string_equal(fn->driver, "nouveau");
	assert_null(fn->override);
	assert_string_equal(fn->modules, "nvidiafb nouveau");
	assert_string_equal(fn->reset_methods, "bus");
	assert_null(function_at(&inv, "0000:02:00.1")->reset_methods);
	assert_string_equal(fn->power_control, "on");
	assert_string_equal(fn->d3cold, "1");
	assert_int_equal(fn->group, 2);
	assert_int_equal(fn->vfs, -1);
	assert_false(fn->virtual);
	assert_false(fn->bridge);
	host_close(h);
}

static void an_override_is_a_driver_or_nothing(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;

	(void)state;
	sim_set(h, DEVICES "/0000:02:00.0/driver_override", "vfio-pci\n");
	read_inventory(h, a, &inv);
	assert_string_equal(function_at(&inv, "0000:02:00.0")->override, "vfio-pci");
	assert_null(function_at(&inv, "0000:02:00.1")->override);
	host_close(h);
}

static void virtual_functions_are_counted(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;

	(void)state;
	sim_set(h, DEVICES "/0000:07:00.0/sriov_numvfs", "4\n");
	sim_set_link(h, DEVICES "/0000:0c:00.0/physfn", "../0000:07:00.0");
	read_inventory(h, a, &inv);
	assert_int_equal(function_at(&inv, "0000:07:00.0")->vfs, 4);
	assert_false(function_at(&inv, "0000:07:00.0")->virtual);
	assert_true(function_at(&inv, "0000:0c:00.0")->virtual);
	host_close(h);
}

static void the_header_says_what_a_bridge_is(void **state)
{
	static const struct { const char *address; int header; bool bridge; } cases[] = {
		{ "0000:00:00.0", 0x80, true },		/* host bridge: by class alone */
		{ "0000:00:01.1", 0x81, true },
		{ "0000:04:00.0", 0x01, true },
		{ "0000:00:14.3", 0x80, false },	/* ISA bridge: an endpoint like any other */
		{ "0000:02:00.0", 0x80, false },
		{ "0000:77:00.0", 0x00, false },
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;

	(void)state;
	read_inventory(h, a, &inv);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct function *fn = function_at(&inv, cases[i].address);

		assert_true(fn->has_config);
		assert_int_equal(fn->header, cases[i].header);
		assert_int_equal(fn->bridge, cases[i].bridge);
	}
	host_close(h);
}

static void capabilities_come_from_config_space(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;
	const struct function *fn;

	(void)state;
	read_inventory(h, a, &inv);
	fn = function_at(&inv, "0000:00:01.1");
	assert_true(fn->pcie);
	assert_int_equal(fn->n_capabilities, 5);
	assert_true(has_capability(fn, 0x01, false));		/* power management */
	assert_true(has_capability(fn, 0x10, false));		/* PCI Express */
	assert_true(has_capability(fn, 0x0d, false));		/* subsystem of a bridge */
	assert_true(has_capability(fn, 0x0b, true));		/* vendor's own */
	assert_true(has_capability(fn, 0x0d, true));		/* ACS */
	assert_true(fn->has_acs);
	assert_int_equal(fn->acs_control, 0x1d);
	fn = function_at(&inv, "0000:05:08.0");
	assert_true(fn->pcie);
	assert_false(fn->has_acs);
	assert_int_equal(fn->acs_control, 0);
	fn = function_at(&inv, "0000:00:00.0");
	assert_false(fn->pcie);
	assert_int_equal(fn->n_capabilities, 0);
	host_close(h);
}

static void a_loop_of_capabilities_ends(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;

	(void)state;
	/* The second names itself as the next, and so does the first extended one. */
	sim_set_bytes(h, DEVICES "/0000:02:00.0/config", 0x79, "\x78", 1);
	sim_set_bytes(h, DEVICES "/0000:02:00.0/config", 0x100, "\x0b\x00\x01\x10", 4);
	read_inventory(h, a, &inv);
	assert_true(function_at(&inv, "0000:02:00.0")->n_capabilities <= FUNCTION_CAPABILITIES_MAX);
	host_close(h);
}

static void without_config_space_nothing_is_made_up(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	unsigned char head[63] = { 0xde, 0x10, 0x83, 0x27 };
	struct inventory inv;

	(void)state;
	sim_remove(h, DEVICES "/0000:02:00.0/config");
	sim_remove(h, DEVICES "/0000:00:01.1/config");
	sim_remove(h, DEVICES "/0000:02:00.1/config");
	sim_set_bytes(h, DEVICES "/0000:02:00.1/config", 0, head, sizeof(head));
	read_inventory(h, a, &inv);
	for (const char *const *at = (const char *const[]){ "0000:02:00.0", "0000:02:00.1", "0000:00:01.1", NULL }; *at;
	     at++) {
		const struct function *fn = function_at(&inv, *at);

		assert_false(fn->has_config);
		assert_int_equal(fn->header, 0);
		assert_int_equal(fn->n_capabilities, 0);
		assert_false(fn->pcie);
		assert_false(fn->has_acs);
	}
	/* The class still tells a bridge. */
	assert_true(function_at(&inv, "0000:00:01.1")->bridge);
	assert_true(function_at(&inv, "0000:77:00.0")->has_config);
	host_close(h);
}

static void the_first_64_bytes_are_enough_for_the_header(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	unsigned char head[64] = { 0xde, 0x10, 0x83, 0x27, [0x0e] = 0x80 };
	struct inventory inv;

	(void)state;
	sim_remove(h, DEVICES "/0000:02:00.0/config");
	sim_set_bytes(h, DEVICES "/0000:02:00.0/config", 0, head, sizeof(head));
	read_inventory(h, a, &inv);
	assert_true(function_at(&inv, "0000:02:00.0")->has_config);
	assert_int_equal(function_at(&inv, "0000:02:00.0")->header, 0x80);
	host_close(h);
}

static void the_parent_is_the_bridge_above(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory inv;

	(void)state;
	read_inventory(h, a, &inv);
	assert_null(function_at(&inv, "0000:00:01.1")->parent);
	assert_string_equal(function_at(&inv, "0000:02:00.0")->parent, "0000:00:01.1");
	assert_string_equal(function_at(&inv, "0000:77:00.0")->parent, "0000:12:02.0");
	host_close(h);
}

static void groups_and_slots_are_told_apart(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	const struct function *gpu, *audio, *port, *igpu, *root, *iommu;
	struct inventory inv;

	(void)state;
	read_inventory(h, a, &inv);
	gpu = function_at(&inv, "0000:02:00.0");
	audio = function_at(&inv, "0000:02:00.1");
	port = function_at(&inv, "0000:00:01.1");
	igpu = function_at(&inv, "0000:79:00.0");
	root = function_at(&inv, "0000:00:00.0");
	iommu = function_at(&inv, "0000:00:00.2");
	assert_true(function_same_group(gpu, audio) && function_same_slot(gpu, audio));
	assert_false(function_same_group(gpu, port) || function_same_slot(gpu, port));
	assert_true(function_same_slot(igpu, function_at(&inv, "0000:79:00.1")));
	assert_false(function_same_group(igpu, function_at(&inv, "0000:79:00.1")));
	/* Two without a group are not in the same one. */
	assert_int_equal(root->group, -1);
	assert_int_equal(iommu->group, -1);
	assert_false(function_same_group(root, iommu));
	assert_true(function_same_group(root, root));
	assert_string_equal(group_members(&inv, gpu, a), "0000:02:00.0 0000:02:00.1");
	assert_string_equal(group_members(&inv, root, a), "");
	host_close(h);
}

static void functions_are_sorted_by_number_not_by_text(void **state)
{
	static const char *const order[] = { "0000:00:02.0", "0000:ff:1f.7", "2000:00:00.0", "10000:00:00.0" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h =
		host_from("handover-host: 1\n"
			  "P: /devices/pci0000:00/0000:ff:1f.7\nA: vendor=0x1\nA: device=0x2\nA: class=0x020000\n"
			  "P: /devices/pci10000:00/10000:00:00.0\nA: vendor=0x1\nA: device=0x2\nA: class=0x020000\n"
			  "P: /devices/pci2000:00/2000:00:00.0\nA: vendor=0x1\nA: device=0x2\nA: class=0x020000\n"
			  "P: /devices/pci0000:00/0000:00:02.0\nA: vendor=0x1\nA: device=0x2\nA: class=0x020000\n");
	struct inventory inv;

	(void)state;
	read_inventory(h, a, &inv);
	assert_int_equal(inv.n, COUNT(order));
	for (size_t i = 0; i < inv.n; i++)
		assert_string_equal(inv.functions[i].address, order[i]);
	host_close(h);
}

/* libpci's dump knows four digits of domain; ours are told apart all the same. */
static void two_domains_do_not_share_a_config_space(void **state)
{
	static const char text[] =
		"handover-host: 1\n"
		"P: /devices/pci0000:00/0000:00:02.0\nA: vendor=0x8086\nA: device=0x10d3\nA: class=0x020000\n"
		"H: config+0e=00\nH: config+ff=00\n"
		"P: /devices/pci10000:00/10000:00:02.0\nA: vendor=0x8086\nA: device=0x2030\nA: class=0x060400\n"
		"H: config+0e=01\nH: config+ff=00\n";
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(text);
	struct inventory inv;

	(void)state;
	read_inventory(h, a, &inv);
	assert_int_equal(function_at(&inv, "0000:00:02.0")->header, 0x00);
	assert_int_equal(function_at(&inv, "10000:00:02.0")->header, 0x01);
	host_close(h);
}

static void a_function_that_goes_while_it_is_read_is_left_out(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory whole, inv;

	(void)state;
	read_inventory(h, a, &whole);
	sim_remove(h, DEVICES "/0000:02:00.1/vendor");
	read_inventory(h, a, &inv);
	assert_int_equal(inv.n, whole.n - 1);
	assert_null(inventory_find(&inv, "0000:02:00.1"));
	/* What follows it keeps its own config space. */
	assert_int_equal(function_at(&inv, "0000:04:00.0")->header, 1);
	assert_int_equal(function_at(&inv, "0000:77:00.0")->header, 0);
	host_close(h);
}

static void a_host_without_pci_bus_is_an_error(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	struct inventory inv;
	struct error err;

	(void)state;
	assert_int_equal(inventory_read(h, a, &inv, &err), -ENOENT);
	assert_contains(err.text, "sys/bus/pci/devices");
	sim_make_folder(h, DEVICES);
	assert_int_equal(inventory_read(h, a, &inv, &err), 0);
	assert_int_equal(inv.n, 0);
	host_close(h);
}

static void names_are_words_or_nothing(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct function unknown = { .vendor = 0xfffe, .device = 0xfffe, .class = 0xfe0000 };
	struct inventory inv;
	const char *name;

	(void)state;
	read_inventory(h, a, &inv);
	/* A machine may have no pci.ids, or an old one. */
	name = function_name(function_at(&inv, "0000:02:00.0"), a);
	assert_true(*name == '\0' || strstr(name, "NVIDIA") || strstr(name, "Device 2783"));
	name = function_class_name(function_at(&inv, "0000:02:00.0"), a);
	assert_true(*name == '\0' || strstr(name, "VGA"));
	name = function_name(&unknown, a);
	assert_true(*name == '\0' || strstr(name, "Device fffe"));
	host_close(h);
}

static void what_differs_is_told(void **state)
{
	static const struct { const char *file, *value, *line; } cases[] = {
		{ "driver_override", "vfio-pci", "0000:02:00.0 driver_override: vfio-pci, was none" },
		{ "power/control", "auto", "0000:02:00.0 power/control: auto, was on" },
		{ "d3cold_allowed", "0", "0000:02:00.0 d3cold_allowed: 0, was 1" },
		{ "reset_method", "pm", "0000:02:00.0 reset_method: pm, was bus" },
		{ "sriov_numvfs", "3", "0000:02:00.0 sriov_numvfs: 3, was -1" },
		{ "subsystem_device", "0x0001", "0000:02:00.0 id: 10de:2783:1043:0001, was 10de:2783:1043:896e" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct host *h = host_load("workstation-4070");
		struct inventory then, now;
		const char *lines[4];

		read_inventory(h, a, &then);
		assert_int_equal(same_differences(&then, &then, a, lines, 4), 0);
		sim_set(h, arena_fmt(a, DEVICES "/0000:02:00.0/%s", cases[i].file), cases[i].value);
		read_inventory(h, a, &now);
		assert_int_equal(same_differences(&then, &now, a, lines, 4), 1);
		assert_string_equal(lines[0], cases[i].line);
		host_close(h);
	}
}

static void functions_that_go_and_come_are_told(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory then, now;
	const char *lines[4];

	(void)state;
	read_inventory(h, a, &then);
	sim_remove(h, DEVICES "/0000:79:00.3");
	sim_remove(h, DEVICES "/0000:02:00.0/driver");
	read_inventory(h, a, &now);
	assert_int_equal(same_differences(&then, &now, a, lines, 4), 2);
	assert_string_equal(lines[0], "0000:02:00.0 driver: none, was nouveau");
	assert_contains(lines[1], "0000:79:00.3 id: none, was ");
	assert_int_equal(same_differences(&now, &then, a, lines, 4), 2);
	assert_contains(lines[1], "0000:79:00.3 id: 1022:15b6:");
	/* All are counted, even those there is no room for. */
	assert_int_equal(same_differences(&then, &now, a, lines, 1), 2);
	host_close(h);
}

static void a_group_is_its_members_not_its_number(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("workstation-4070");
	struct inventory then, now;
	const char *lines[4];

	(void)state;
	read_inventory(h, a, &then);
	sim_set_link(h, DEVICES "/0000:02:00.0/iommu_group", "../../../../kernel/iommu_groups/77");
	sim_set_link(h, DEVICES "/0000:02:00.1/iommu_group", "../../../../kernel/iommu_groups/77");
	read_inventory(h, a, &now);
	assert_int_equal(same_differences(&then, &now, a, lines, 4), 0);
	sim_set_link(h, DEVICES "/0000:02:00.1/iommu_group", "../../../../kernel/iommu_groups/78");
	read_inventory(h, a, &now);
	assert_int_equal(same_differences(&then, &now, a, lines, 4), 2);
	assert_string_equal(lines[0], "0000:02:00.0 IOMMU group members: 0000:02:00.0, was 0000:02:00.0 0000:02:00.1");
	host_close(h);
}

/* --- which functions a device means ------------------------------------------------------------------------------ */

struct choice {
	struct arena *arena;
	struct host *host;
	struct inventory inv;
	struct findings f;
	struct selection s;
	bool found;
};

static void choose_on(struct choice *c, struct host *h, struct device_wish w, const struct pve_guest *guest)
{
	*c = (struct choice){ .arena = arena_new(), .host = h };
	findings_init(&c->f, c->arena);
	read_inventory(h, c->arena, &c->inv);
	w.name = "it";
	c->found = select_functions(&w, &c->inv, guest, NULL, &c->s, &c->f);
	assert_int_equal(c->found, c->f.n == 0);
}

static void choose(struct choice *c, struct device_wish w, const struct pve_guest *guest)
{
	choose_on(c, host_load("workstation-4070"), w, guest);
}

static void choice_end(struct choice *c)
{
	host_close(c->host);
	arena_free(c->arena);
}

static struct device_wish wish(const char *id, const char *at)
{
	return (struct device_wish){ .id = { .s = id }, .at = { .s = at }, .hostpci = -1 };
}

static void assert_chosen(const struct choice *c, const char *addresses)
{
	const char *text = "";

	for (size_t i = 0; i < c->f.n; i++)
		print_error("%s\n", finding_line(&c->f.list[i], c->arena));
	assert_true(c->found);
	for (size_t i = 0; i < c->s.n; i++)
		text = arena_fmt(c->arena, "%s%s%s", text, *text ? " " : "", c->s.list[i]->address);
	assert_string_equal(text, addresses);
}

static void a_device_is_chosen_by_id_and_by_address(void **state)
{
	static const struct { const char *id, *at, *addresses; } cases[] = {
		{ "10de:2783", NULL, "0000:02:00.0" },
		{ "10de:2783:1043:896e", NULL, "0000:02:00.0" },
		{ NULL, "02:00.0", "0000:02:00.0" },
		{ NULL, "0000:02:00.1", "0000:02:00.1" },
		{ NULL, "02:00", "0000:02:00.0 0000:02:00.1" },
		{ NULL, "0000:02:00", "0000:02:00.0 0000:02:00.1" },
		{ "10de:2783", "02:00", "0000:02:00.0" },
		{ "15b7:5030", "0a:00.0", "0000:0a:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct choice c;

		choose(&c, wish(cases[i].id, cases[i].at), NULL);
		assert_chosen(&c, cases[i].addresses);
		choice_end(&c);
	}
}

static void all_functions_of_the_slot_are_chosen(void **state)
{
	struct device_wish w = wish("10de:2783", NULL);
	struct choice c;

	(void)state;
	w.functions_all = true;
	choose(&c, w, NULL);
	assert_chosen(&c, "0000:02:00.0 0000:02:00.1");
	choice_end(&c);
}

static void a_short_address_means_domain_0(void **state)
{
	static const char text[] = "handover-host: 1\nP: /devices/pci10000:e0/10000:e1:00.0\nA: vendor=0x8086\n"
				   "A: device=0xa80d\nA: class=0x010802\n";
	struct choice c;

	(void)state;
	choose_on(&c, host_from(text), wish(NULL, "e1:00.0"), NULL);
	assert_only(&c.f, "device-absent");
	choice_end(&c);
	choose_on(&c, host_from(text), wish(NULL, "10000:e1:00.0"), NULL);
	assert_chosen(&c, "10000:e1:00.0");
	choice_end(&c);
}

static void an_id_this_host_does_not_have_is_absent(void **state)
{
	static const struct { const char *id, *at, *what; } cases[] = {
		{ "dead:beef", NULL, "'it': this host has no dead:beef" },
		{ "10de:2783:1043:0001", NULL, "'it': this host has no 10de:2783:1043:0001" },
		{ NULL, "55:00.0", "'it': this host has no device at 55:00.0" },
		{ "dead:beef", "55:00.0", "'it': this host has no dead:beef at 55:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct choice c;
		const struct finding *f;

		choose(&c, wish(cases[i].id, cases[i].at), NULL);
		f = assert_only(&c.f, "device-absent");
		assert_string_equal(f->what, cases[i].what);
		assert_contains(f->remedy, "lspci");
		assert_int_equal(c.s.n, 0);
		choice_end(&c);
	}
}

static void a_device_that_moved_is_found_again(void **state)
{
	struct choice c;

	(void)state;
	choose(&c, wish("10de:2783", "05:01.0"), NULL);
	assert_contains(assert_only(&c.f, "device-absent")->remedy, "that device is now at 0000:02:00.0 (10de:2783");
	choice_end(&c);
}

static void another_device_at_the_address_is_different(void **state)
{
	struct choice c;
	const struct finding *f;

	(void)state;
	choose(&c, wish("10de:2783", "77:00.0"), NULL);
	f = assert_only(&c.f, "device-different");
	assert_contains(f->what, "'it' is to be 10de:2783, but there is 0000:77:00.0 (1b21:2426");
	assert_contains(f->remedy, "that device is now at 0000:02:00.0 (10de:2783");
	choice_end(&c);
	choose(&c, wish("dead:beef", "77:00.0"), NULL);
	f = assert_only(&c.f, "device-different");
	assert_contains(f->remedy, "correct 'id'");
	choice_end(&c);
}

static void two_devices_of_one_id_are_ambiguous(void **state)
{
	struct choice c;
	const struct finding *f;

	(void)state;
	choose(&c, wish("15b7:5030", NULL), NULL);
	f = assert_only(&c.f, "device-ambiguous");
	assert_contains(f->what, "fits 2 devices: 0000:06:00.0 (15b7:5030");
	assert_contains(f->what, "0000:0a:00.0 (15b7:5030");
	assert_contains(f->remedy, "'at'");
	choice_end(&c);
}

static void a_long_list_of_candidates_is_cut(void **state)
{
	struct choice c;

	(void)state;
	/* The chipset's ports. */
	choose(&c, wish("1022:43f5", NULL), NULL);
	assert_contains(assert_only(&c.f, "device-ambiguous")->what, ", ...");
	choice_end(&c);
}

static void choose_hostpci(struct choice *c, const char *config, const char *id)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct device_wish w = wish(id, NULL);
	struct pve_guest guest;

	w.hostpci = 0;
	if (config)
		pveconf_parse(config, a, &guest);
	choose(c, w, config ? &guest : NULL);
}

static void a_device_is_chosen_by_the_vms_hostpci(void **state)
{
	static const struct { const char *config, *id, *addresses; } cases[] = {
		{ "hostpci0: 02:00.1\n", NULL, "0000:02:00.1" },
		{ "hostpci0: 02:00\n", NULL, "0000:02:00.0 0000:02:00.1" },
		{ "hostpci0: 02:00\n", "10de:22bc", "0000:02:00.1" },
		{ "hostpci0: 79:00.4;02:00.0\n", NULL, "0000:02:00.0 0000:79:00.4" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct choice c;

		choose_hostpci(&c, cases[i].config, cases[i].id);
		assert_chosen(&c, cases[i].addresses);
		choice_end(&c);
	}
}

static void a_hostpci_that_is_not_there_is_absent(void **state)
{
	struct choice c;

	(void)state;
	choose_hostpci(&c, NULL, NULL);
	assert_contains(assert_only(&c.f, "hostpci-absent")->what, "no VM configuration");
	choice_end(&c);
	choose_hostpci(&c, "hostpci1: 02:00.0\n", NULL);
	assert_contains(assert_only(&c.f, "hostpci-absent")->what, "the VM has no hostpci0");
	choice_end(&c);
	choose_hostpci(&c, "hostpci0: 55:00.0\n", NULL);
	assert_contains(assert_only(&c.f, "device-absent")->what, "where the VM's hostpci line says");
	choice_end(&c);
	choose_hostpci(&c, "hostpci0: 77:00.0\n", "10de:2783");
	assert_contains(assert_only(&c.f, "device-different")->remedy, "that device is now at 0000:02:00.0");
	choice_end(&c);
}

static void a_hostpci_without_address_is_refused(void **state)
{
	struct choice c;

	(void)state;
	choose_hostpci(&c, "hostpci0: mapping=gpu\n", NULL);
	assert_contains(assert_only(&c.f, "hostpci-mapping")->what, "the mapping 'gpu'");
	choice_end(&c);
	choose_hostpci(&c, "hostpci0: 02:00.0,mdev=nvidia-63\n", NULL);
	assert_contains(assert_only(&c.f, "hostpci-mapping")->what, "a mediated device");
	choice_end(&c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_is_what_its_files_say),
		cmocka_unit_test(an_override_is_a_driver_or_nothing),
		cmocka_unit_test(virtual_functions_are_counted),
		cmocka_unit_test(the_header_says_what_a_bridge_is),
		cmocka_unit_test(capabilities_come_from_config_space),
		cmocka_unit_test(a_loop_of_capabilities_ends),
		cmocka_unit_test(without_config_space_nothing_is_made_up),
		cmocka_unit_test(the_first_64_bytes_are_enough_for_the_header),
		cmocka_unit_test(the_parent_is_the_bridge_above),
		cmocka_unit_test(groups_and_slots_are_told_apart),
		cmocka_unit_test(functions_are_sorted_by_number_not_by_text),
		cmocka_unit_test(two_domains_do_not_share_a_config_space),
		cmocka_unit_test(a_function_that_goes_while_it_is_read_is_left_out),
		cmocka_unit_test(a_host_without_pci_bus_is_an_error),
		cmocka_unit_test(names_are_words_or_nothing),
		cmocka_unit_test(what_differs_is_told),
		cmocka_unit_test(functions_that_go_and_come_are_told),
		cmocka_unit_test(a_group_is_its_members_not_its_number),
		cmocka_unit_test(a_device_is_chosen_by_id_and_by_address),
		cmocka_unit_test(all_functions_of_the_slot_are_chosen),
		cmocka_unit_test(a_short_address_means_domain_0),
		cmocka_unit_test(an_id_this_host_does_not_have_is_absent),
		cmocka_unit_test(a_device_that_moved_is_found_again),
		cmocka_unit_test(another_device_at_the_address_is_different),
		cmocka_unit_test(two_devices_of_one_id_are_ambiguous),
		cmocka_unit_test(a_long_list_of_candidates_is_cut),
		cmocka_unit_test(a_device_is_chosen_by_the_vms_hostpci),
		cmocka_unit_test(a_hostpci_that_is_not_there_is_absent),
		cmocka_unit_test(a_hostpci_without_address_is_refused),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
