/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proxmox's mappings name IOMMU groups by number: it is told where one is not, or will not be, what it says. */
#include "life.h"

#include "core/pvemap.h"

#define LPC "0000:00:1f.0"
#define AUDIO "0000:00:1f.3"
#define NIC "0000:00:1f.6"

#define SLOT \
	"handover: 1\naccept: {unverified-isolation: [lpc, audio, f4, f5, nic]}\n" \
	"devices: {lpc: {at: \"00:1f.0\"}, audio: {at: \"00:1f.3\"}, f4: {at: \"00:1f.4\"}, f5: {at: \"00:1f.5\"}, " \
	"nic: {at: \"00:1f.6\"}}\n"
#define SPLIT SLOT "boot:\n- isolate: [lpc, audio]\n  moving: [f4, f5, nic]\n"

#define PCI_CFG(line) "audio\n\tmap id=8086:a348," line "\n\n"

/* Whether anything is told of the mappings. */
static bool mapped(struct life *x, const char *cfg, const char *steps)
{
	sim_set(x->sim, PVEMAP_FILE, cfg);
	life_must_plan(x, 100, arena_fmt(x->a, SLOT "%s", steps));
	return find_code(&x->f, "mapping-group");
}

static void a_mapping_with_another_group_is_told(void **state)
{
	static const char *const cfgs[] = {
		PCI_CFG("iommugroup=9,node=pve,path=" AUDIO ",subsystem-id=103c:83e2"),
		/* Only the first path's group counts. */
		PCI_CFG("iommugroup=9,node=pve,path=" AUDIO ";" NIC),
		PCI_CFG("path=" AUDIO ",node=pve,iommugroup=9"),
		"audio\r\n\tmap id=8086:a348,iommugroup=9,node=pve,path=" AUDIO "\r\n",
		"other\n\tdescription map\n\tmdev 1\n\n" PCI_CFG("node=pve,path=" AUDIO ",iommugroup=9"),
		"audio\n\tmap iommugroup=7,node=other,path=" AUDIO "\n\tmap iommugroup=9,node=pve,path=" AUDIO,
	};
	struct life *x = life_new(host_load("elitedesk"));

	(void)state;
	for (size_t i = 0; i < COUNT(cfgs); i++) {
		const struct finding *f;

		if (!mapped(x, cfgs[i], "pre-start:\n- check: audio\n"))
			fail_msg("silent about %s", cfgs[i]);
		f = life_finding(x, "mapping-group");
		assert_int_equal(f->severity, SEVERITY_WARNING);
		assert_string_equal(f->place.file, "/" PVEMAP_FILE);
		assert_string_equal(f->what, "the mapping 'audio' says iommugroup=9 for " AUDIO ", which is in "
				    "group 7: Proxmox will not start a VM with it");
		assert_string_equal(f->remedy, "write iommugroup=7 there");
		assert_int_equal(count_findings(&x->f, "mapping-group"), 1);
	}
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
	assert_contains(life_finding(x, "mapping-group")->what, "says iommugroup=7 for " AUDIO ", which is in group ");
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
		PCI_CFG("node=pve,path=" AUDIO),
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
	sim_remove(x->sim, PVEMAP_FILE);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_with_another_group_is_told),
		cmocka_unit_test(a_mapping_whose_group_the_plan_changes_is_told),
		cmocka_unit_test(a_group_that_keeps_its_members_keeps_its_number),
		cmocka_unit_test(what_is_no_matter_of_this_host_or_plan_is_silent),
		cmocka_unit_test(the_numbers_that_were_foretold_are_those_of_the_host),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
