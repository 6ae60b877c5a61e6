/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proxmox's mappings name IOMMU groups by number: it is told where one is not, or will not be, what it says. */
#include "life.h"

#include "core/pvecluster.h"
#include "core/pvemap.h"
#include "core/pverefuse.h"

#define LPC "0000:00:1f.0"
#define AUDIO "0000:00:1f.3"
#define NIC "0000:00:1f.6"
#define SUBSYSTEM "103c:83e2"

#define SLOT \
	"handover: 1\naccept: {unverified-isolation: [lpc, audio, f4, f5, nic]}\n" \
	"devices: {lpc: {at: \"00:1f.0\"}, audio: {at: \"00:1f.3\"}, f4: {at: \"00:1f.4\"}, f5: {at: \"00:1f.5\"}, " \
	"nic: {at: \"00:1f.6\"}}\n"
#define SPLIT SLOT "boot:\n- isolate: [lpc, audio]\n  moving: [f4, f5, nic]\n"

#define PCI_CFG(line) "audio\n\tmap id=8086:a348,subsystem-id=" SUBSYSTEM "," line "\n\n"

/* Whether anything is told of the mappings. */
static bool mapped(struct life *x, const char *cfg, const char *steps)
{
	sim_set(x->sim, PVEMAP_PCI_FILE, cfg);
	life_must_plan(x, 100, arena_fmt(x->a, SLOT "%s", steps));
	return find_code(&x->f, "mapping-group");
}

static void a_mapping_with_another_group_is_told(void **state)
{
	static const char *const cfgs[] = {
		PCI_CFG("iommugroup=9,node=pve,path=" AUDIO),
		/* Only the first path's group counts. */
		PCI_CFG("iommugroup=9,node=pve,path=" AUDIO ";" NIC),
		PCI_CFG("path=" AUDIO ",node=pve,iommugroup=9"),
		"audio\r\n\tmap id=8086:a348,iommugroup=9,node=pve,path=" AUDIO "\r\n",
		"other\n\tdescription map\n\tmdev 1\n\n" PCI_CFG("node=pve,path=" AUDIO ",iommugroup=9"),
		"audio\n\tmap id=8086:a348,iommugroup=7,node=other,path=" AUDIO "\n\tmap id=8086:a348,iommugroup=9,node=pve,path="
		AUDIO,
		/* In another order, with what does not count between. */
		"# audio\naudio\n\t# map\n\tmap path=" AUDIO ",node=pve,iommugroup=9,description=it,id=8086:a348",
	};
	static const unsigned lines[COUNT(cfgs)] = { 2, 2, 2, 2, 6, 3, 4 };
	struct life *x = life_new(host_load("elitedesk"));

	(void)state;
	for (size_t i = 0; i < COUNT(cfgs); i++) {
		const struct finding *f;

		if (!mapped(x, cfgs[i], "pre-start:\n- check: audio\n"))
			fail_msg("silent about %s", cfgs[i]);
		f = life_finding(x, "mapping-group");
		assert_int_equal(f->severity, SEVERITY_WARNING);
		assert_string_equal(f->place.file, "/" PVEMAP_PCI_FILE);
		assert_string_equal(f->what, "the mapping 'audio' is not right: it says iommugroup=9 for "
				    AUDIO ", which has 7: Proxmox will not start a VM with it");
		assert_contains(f->remedy, "write there 'map id=8086:a348,iommugroup=7,node=pve,path=" AUDIO);
		assert_contains(f->remedy, ",subsystem-id=" SUBSYSTEM "'");
		assert_int_equal(f->place.line, lines[i]);
		assert_int_equal(count_findings(&x->f, "mapping-group"), 1);
	}
	life_free(x);
}

static void a_mapping_of_something_else_is_told(void **state)
{
	static const char *const cfgs[] = {
		"audio\n\tmap id=8086:dead,iommugroup=7,node=pve,path=" AUDIO "\n",
		"audio\n\tmap id=8086:a348,iommugroup=7,node=pve,path=" AUDIO ";0000:ff:00.0,subsystem-id=" SUBSYSTEM "\n",
		"audio\n\tmap id=8086:a348,iommugroup=7,node=pve,path=" AUDIO "\n",
	};
	struct life *x = life_new(host_load("elitedesk"));

	(void)state;
	for (size_t i = 0; i < COUNT(cfgs); i++) {
		const struct finding *f;

		assert_false(mapped(x, cfgs[i], "pre-start:\n- check: audio\n"));
		f = life_finding(x, "mapping-invalid");
		assert_int_equal(f->severity, SEVERITY_WARNING);
		assert_int_equal(f->place.line, 2);
		assert_contains(f->remedy, "write there 'map id=8086:a348,iommugroup=7,node=pve,path=" AUDIO);
	}
	/* It is no matter of a plan that does nothing with the device. */
	mapped(x, cfgs[0], "pre-start:\n- check: lpc\n");
	assert_int_equal(count_findings(&x->f, "mapping-invalid"), 0);
	life_free(x);
}

static void a_mapping_whose_group_the_plan_changes_is_told(void **state)
{
	static const char cfg[] = PCI_CFG("iommugroup=7,node=pve,path=" AUDIO);
	struct life *x = life_new(host_load("elitedesk"));
	const struct finding *f;

	(void)state;
	/* It is right, and nothing becomes of it. */
	assert_false(mapped(x, cfg, "pre-start:\n- check: audio\n"));
	assert_true(mapped(x, cfg, "boot:\n- isolate: audio\n"));
	f = life_finding(x, "mapping-group");
	assert_contains(f->what, "the mapping 'audio' says iommugroup=7 for " AUDIO ", which will be in another");
	assert_contains(f->remedy, DEVICES "/" AUDIO "/iommu_group");
	/* After the split the number is another; the old one is wrong from then on. */
	life_must_lend(x, HOST_VMID, SPLIT);
	assert_true(mapped(x, cfg, "pre-start:\n- check: audio\n"));
	assert_contains(life_finding(x, "mapping-group")->what, "says iommugroup=7 for " AUDIO ", which has ");
	life_free(x);
}

/* Its number is free when it leaves, and the lowest one that is free is what it gets when it comes back. */
static void a_group_that_keeps_its_members_keeps_its_number(void **state)
{
	static const char *const steps[] = {
		"pre-start:\n- cycle: audio\n", "post-stop:\n- cycle: audio\n",
		"pre-start:\n- bind: audio\n  return: cycle\n", "pre-start:\n- remove: audio\n",
	};
	struct life *x = life_booted(host_load("elitedesk"));
	char group[32];

	(void)state;
	assert_true(host_read(x->sim, DEVICES "/" AUDIO "/iommu_group", group, sizeof(group)) > 0);
	for (size_t i = 0; i < COUNT(steps); i++)
		if (mapped(x, arena_fmt(x->a, PCI_CFG("iommugroup=%s,node=pve,path=" AUDIO), group), steps[i]))
			fail_msg("told of %s", steps[i]);
	life_free(x);
}

static void what_is_no_matter_of_this_host_or_plan_is_silent(void **state)
{
	static const char *const cfgs[] = {
		"", "\n", "audio\n", "audio\n\tmap\n", "audio\n\tmap \n", "audio\n\tmap node=pve,path=\n",
		PCI_CFG("iommugroup=9,node=other,path=" AUDIO),
		PCI_CFG("iommugroup=9,node=pve2,path=" AUDIO),
		PCI_CFG("iommugroup=9,path=" AUDIO),
		PCI_CFG("iommugroup=,node=pve,path=" AUDIO),
		PCI_CFG("iommugroup=x,node=pve,path=" AUDIO),
		PCI_CFG("iommugroup=9,node=pve,path=0000:00:02.0"),
		PCI_CFG("iommugroup=9,node=pve,path=0000:ff:02.0"),
		PCI_CFG("iommugroup=9,node=pve,path=0000:00:02.0;" AUDIO),
		PCI_CFG("iommugroup=7,node=pve,path=" AUDIO),
	};
	struct life *x = life_new(host_load("elitedesk"));

	(void)state;
	for (size_t i = 0; i < COUNT(cfgs); i++)
		if (mapped(x, cfgs[i], "pre-start:\n- check: audio\n"))
			fail_msg("told of %s", cfgs[i]);
	sim_remove(x->sim, PVEMAP_PCI_FILE);
	life_must_plan(x, 100, SLOT "pre-start:\n- check: audio\n");
	assert_int_equal(count_findings(&x->f, "mapping-group"), 0);
	life_free(x);
}

/* Which number a function gets is foretold: the lowest one that is free when it is found. */
static void the_numbers_that_were_foretold_are_those_of_the_host(void **state)
{
	static const char *const steps[] = {
		"pre-start:\n- cycle: audio\n", "pre-start:\n- cycle: [audio, f4]\n",
		"pre-start:\n- cycle: [nic, lpc, f5]\n",
		"pre-start:\n- cycle: f4\n- cycle: audio\n- cycle: nic\npost-stop:\n- cycle: f4\n",
		"pre-start:\n- bind: audio\n  return: cycle\n- bind: lpc\n  return: cycle\n",
		"pre-start:\n- remove: [nic, lpc]\n- remove: audio\npost-stop:\n- cycle: [audio, f4, f5]\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct life *x = life_idle(host_load("elitedesk"));

		life_must_lend(x, 100, arena_fmt(x->a, SLOT "%s", steps[i]));
		life_must_end(x, 100);
		for (size_t k = 0; k < x->p.inventory->n; k++) {
			const struct function *fn = &x->p.inventory->functions[k];

			assert_reads(x->sim, arena_fmt(x->a, DEVICES "/%s/iommu_group", fn->address),
				     arena_fmt(x->a, "%d", fn->group));
		}
		life_free(x);
	}
}

/* --- is it right, as Proxmox looks at it? -------------------------------------------------------------------------- */

static enum pve_map_fault fault_of(struct host *h, struct arena *a, const char *cfg, const char **why)
{
	struct pve_mappings m;
	struct inventory inv;
	struct error err;

	pvemap_parse(cfg, PVEMAP_PCI, a, &m);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.n_bad, 0);
	assert_int_equal(inventory_read(h, a, &inv, &err), 0);
	return pvemap_fault(h, &m.list[0], &m.list[0].maps[0], &inv, a, why);
}

#define MAP(words) "audio\n\tmap node=pve," words "\n"
#define RIGHT "id=8086:a348,iommugroup=7,subsystem-id=" SUBSYSTEM

static void a_map_is_right_if_all_that_proxmox_compares_is(void **state)
{
	static const struct {
		const char *cfg;
		enum pve_map_fault fault;
		const char *why;
	} cases[] = {
		{ MAP(RIGHT ",path=" AUDIO), MAP_RIGHT, "" },
		{ MAP(RIGHT ",path=0000:ff:1f.3"), MAP_ABSENT, "there is no 0000:ff:1f.3" },
		/* Without function the first one stands for all, and must be there. */
		{ MAP(RIGHT ",path=0000:ff:1f"), MAP_ABSENT, "there is no 0000:ff:1f.0" },
		{ MAP(RIGHT ",path=" AUDIO ";0000:ff:1f.3"), MAP_ABSENT, "there is no 0000:ff:1f.3" },
		{ MAP("id=8086:a349,iommugroup=7,subsystem-id=" SUBSYSTEM ",path=" AUDIO), MAP_ID,
		  "it says id=8086:a349 for " AUDIO ", which has 8086:a348" },
		/* Capitals are allowed where it is written, and are not equal where it is compared. */
		{ MAP("id=8086:A348,iommugroup=7,subsystem-id=" SUBSYSTEM ",path=" AUDIO), MAP_ID, "it says id=8086:A348" },
		/* The id is that of every path. */
		{ MAP(RIGHT ",path=" AUDIO ";" NIC), MAP_ID, "for " NIC ", which has 8086:15bb" },
		{ MAP("id=8086:a348,iommugroup=9,subsystem-id=" SUBSYSTEM ",path=" AUDIO), MAP_GROUP,
		  "it says iommugroup=9 for " AUDIO ", which has 7" },
		{ MAP("id=8086:a348,iommugroup=07,subsystem-id=" SUBSYSTEM ",path=" AUDIO), MAP_GROUP, "iommugroup=07" },
		{ MAP("id=8086:a348,subsystem-id=" SUBSYSTEM ",path=" AUDIO), MAP_GROUP, "it lacks iommugroup=7 for " AUDIO },
		{ MAP("id=8086:a348,iommugroup=7,path=" AUDIO), MAP_SUBSYSTEM, "it lacks subsystem-id=" SUBSYSTEM },
		{ MAP("id=8086:a348,iommugroup=7,subsystem-id=103c:83e3,path=" AUDIO), MAP_SUBSYSTEM,
		  "it says subsystem-id=103c:83e3 for " AUDIO ", which has " SUBSYSTEM },
		{ "audio\n\tmdev 1\n\tmap node=pve," RIGHT ",path=" AUDIO, MAP_MDEV,
		  "it says mdev=1, and " AUDIO " provides no mediated devices" },
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("elitedesk");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = "";

		if (fault_of(h, a, cases[i].cfg, &why) != cases[i].fault)
			fail_msg("case %zu: '%s'", i, why);
		assert_contains(why, cases[i].why);
	}
	sim_set(h, DEVICES "/" AUDIO "/mdev_supported_types/i915-GVTg_V5_4/available_instances", "1");
	assert_int_equal(fault_of(h, a, cases[COUNT(cases) - 1].cfg, &(const char *){ "" }), MAP_RIGHT);
	host_close(h);
}

/* --- what Proxmox says of a VM ------------------------------------------------------------------------------------- */

/* The first thing of that code that is told of VM 100 with this configuration; NULL: nothing is. */
static const struct finding *told(struct host *h, struct arena *a, const char *code, const char *config)
{
	struct findings *f = arena_alloc(a, sizeof(*f));
	struct pvemap_here here = pvemap_read_here(h, a);
	struct inventory inv;
	struct pve_guest g;
	struct error err;

	findings_init(f, a);
	pveconf_parse(config, a, &g);
	assert_int_equal(inventory_read(h, a, &inv, &err), 0);
	pverefuse_tell(h, &g, 100, &inv, &here, f);
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].code, code) == 0)
			return &f->list[i];
	return NULL;
}

#define Q35 "machine: pc-q35-8.1\n"

static void what_proxmox_refuses_is_told(void **state)
{
	static const struct {
		const char *config, *what;
		enum severity severity;
	} cases[] = {
		{ "hostpci0: pcie=1\n" Q35, "hostpci0: neither 'host' nor 'mapping' is set", SEVERITY_ERROR },
		{ "hostpci3: 00:1f.3,mapping=audio\n", "hostpci3: 'host' and 'mapping' are both set", SEVERITY_ERROR },
		{ "hostpci0: 00:1f.3,pcie=1\n", "pcie=1 needs a machine of type q35", SEVERITY_ERROR },
		{ "hostpci0: 00:1f.3,pcie=1\nmachine: type=pc-i440fx-9.0\n", "needs a machine of type q35", SEVERITY_ERROR },
		{ "hostpci0: 00:02.0,legacy-igd=1\n", "legacy-igd needs 'vga: none'", SEVERITY_ERROR },
		{ "hostpci0: 00:02.0,legacy-igd=1\nvga: none\n" Q35, "goes with no machine of type q35", SEVERITY_ERROR },
		{ "hostpci0: 00:02.0,legacy-igd=1\nhostpci1: 00:1f.3,legacy-igd=1\nvga: none\n", "for one device only",
		  SEVERITY_ERROR },
		{ "hostpci0: ff:02.0\n", "there is no device at 0000:ff:02.0", SEVERITY_WARNING },
		{ "hostpci0: 00:1f.3;00:1f.8\n", "there is no device at 0000:00:1f.8", SEVERITY_WARNING },
		{ "hostpci0: 00:1f\nhostpci1: 0000:00:1f.3\n", "hostpci1: 0000:00:1f.3 is in hostpci0 already", SEVERITY_ERROR },
		{ "hostpci0: mapping=nothing\n", "there is no mapping 'nothing'", SEVERITY_ERROR },
		{ "hostpci0: mapping=far\n", "the mapping 'far' has no device of the node 'pve'", SEVERITY_ERROR },
		{ "hostpci0: mapping=moved\n", "it says iommugroup=9 for " AUDIO, SEVERITY_WARNING },
		{ "hostpci0: mapping=wrong\n", "the mapping 'wrong', line 11 of /etc/pve/mapping/pci.cfg, is not right: it says "
		  "id=8086:dead", SEVERITY_ERROR },
		{ "usb0: usb3=1\n", "usb0: neither 'host' nor 'mapping' is set", SEVERITY_ERROR },
		{ "usb0: 1-2,mapping=stick\n", "usb0: 'host' and 'mapping' are both set", SEVERITY_ERROR },
		{ "usb0: SPICE,mapping=stick\n", "usb0: 'host' and 'mapping' are both set", SEVERITY_ERROR },
		{ "usb0: mapping=none\n", "there is no mapping 'none'", SEVERITY_ERROR },
		{ "usb0: mapping=far\n", "the mapping 'far' has no device of the node 'pve'", SEVERITY_ERROR },
		{ "usb1: mapping=two\n", "usb1: the mapping 'two' has 2 devices of the node 'pve'", SEVERITY_ERROR },
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("elitedesk");

	(void)state;
	sim_set(h, PVEMAP_PCI_FILE, "far\n\tmap " RIGHT ",node=pve2,path=" AUDIO "\n\nmoved\n\tmap node=pve,id=8086:a348,"
		"iommugroup=9,subsystem-id=" SUBSYSTEM ",path=" AUDIO "\n\nwrong\n\tmap " RIGHT ",node=pve2,path=" AUDIO "\n"
		"\tmap " RIGHT ",node=pve,path=" AUDIO "\n\t# the second one\n"
		"\tmap node=pve,id=8086:dead,path=" AUDIO "\n");
	sim_set(h, PVEMAP_USB_FILE, "far\n\tmap node=pve2,id=046d:c52b\n\ntwo\n\tmap node=pve,id=046d:c52b\n"
		"\tmap node=pve,id=046d:c52b,path=1-2\n\nstick\n\tmap node=pve,id=046d:c52b\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct finding *f = told(h, a, "proxmox-refuses", cases[i].config);

		if (!f)
			fail_msg("silent about %s", cases[i].config);
		assert_contains(f->what, "Proxmox will not start the VM: ");
		assert_contains(f->what, cases[i].what);
		assert_int_equal(f->severity, cases[i].severity);
		assert_string_equal(f->place.file, "/etc/pve/qemu-server/100.conf");
	}
	host_close(h);
}

static void what_proxmox_takes_is_not_told(void **state)
{
	static const char *const configs[] = {
		"", "hostpci0: 00:1f.3\nhostpci1: 00:1f.6\n", ("hostpci0: 00:1f,pcie=1\n" Q35), "hostpci0: mapping=good\n",
		"hostpci0: 00:02.0,mdev=a\nhostpci1: 00:02.0,mdev=a\n", "usb0: spice\nusb1: 1-2\nusb2: mapping=stick\n",
		"usb0: host=spice,mapping=none\n",
		"hostpci0: 00:02.0,legacy-igd=1\nvga: none\n", "hostpci0: nonsense\n", "usb0: nonsense\n",
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("elitedesk");

	(void)state;
	sim_set(h, PVEMAP_PCI_FILE, "good\n\tmap " RIGHT ",node=pve,path=" AUDIO "\n");
	sim_set(h, PVEMAP_USB_FILE, "stick\n\tmap node=pve,id=046d:c52b\n");
	for (size_t i = 0; i < COUNT(configs); i++) {
		const struct finding *f = told(h, a, "proxmox-refuses", configs[i]);

		if (f)
			fail_msg("told of %s: %s", configs[i], f->what);
	}
	host_close(h);
}

static void a_line_that_proxmox_passes_over_is_told(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("elitedesk");
	const struct finding *f = told(h, a, "proxmox-leaves-out", "name: x\nhostpci0: 0A:00.0,pcie=1\n");

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_int_equal(f->place.line, 2);
	assert_contains(f->what, "the line 'hostpci0: 0A:00.0,pcie=1', and starts the VM without that device: 'host' cannot be "
			"'0A:00.0', only addresses such as 0000:02:00.0, hex digits in small letters");
	assert_non_null(told(h, a, "proxmox-leaves-out", "usb14: 1-2\n"));
	assert_non_null(told(h, a, "proxmox-leaves-out", "hostpci16: 00:1f.3\n"));
	assert_null(told(h, a, "proxmox-leaves-out", "nonsense\nreboot: x\n"));
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_with_another_group_is_told),
		cmocka_unit_test(a_mapping_of_something_else_is_told),
		cmocka_unit_test(a_mapping_whose_group_the_plan_changes_is_told),
		cmocka_unit_test(a_group_that_keeps_its_members_keeps_its_number),
		cmocka_unit_test(what_is_no_matter_of_this_host_or_plan_is_silent),
		cmocka_unit_test(the_numbers_that_were_foretold_are_those_of_the_host),
		cmocka_unit_test(a_map_is_right_if_all_that_proxmox_compares_is),
		cmocka_unit_test(what_proxmox_refuses_is_told),
		cmocka_unit_test(what_proxmox_takes_is_not_told),
		cmocka_unit_test(a_line_that_proxmox_passes_over_is_told),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
