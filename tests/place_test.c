/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host may not do without, and what would not come back as it was: refused before anything is written. */
#include "life.h"

#define LPC "0000:00:1f.0"
#define AUDIO "0000:00:1f.3"
#define NIC "0000:00:1f.6"
#define XHCI "0000:00:14.0"

/* Slot 1f of the EliteDesk and of the lab: the same functions. */
#define SLOT \
	"handover: 1\naccept: {unverified-isolation: [lpc, audio, f4, f5, nic]}\n" \
	"devices: {lpc: {at: \"00:1f.0\"}, audio: {at: \"00:1f.3\"}, f4: {at: \"00:1f.4\"}, f5: {at: \"00:1f.5\"}, " \
	"nic: {at: \"00:1f.6\"}}\n"
#define ALONE "handover: 1\naccept: {unverified-isolation: audio}\ndevices: {audio: {at: \"00:1f.3\"}}\n"
#define ALL_OTHERS "(0000:00:1f.3, 0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6)"
#define SPLIT SLOT "boot:\n- isolate: [lpc, audio]\n  moving: [f4, f5, nic]\n"

/* --- merge-risk -------------------------------------------------------------------------------------------------- */

static void function_0_may_not_leave_a_slot_that_is_split(void **state)
{
	static const struct { const char *steps, *siblings; } cases[] = {
		{ "pre-start:\n- cycle: [lpc, audio]\n", "(0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6)" },
		{ "post-stop:\n- cycle: [lpc, audio]\n", "(0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6)" },
		{ "pre-start:\n- cycle: lpc\n", ALL_OTHERS },
		{ "pre-start:\n- bind: lpc\n  return: cycle\n", ALL_OTHERS },
		{ "pre-start:\n- remove: lpc\n", ALL_OTHERS },
	};
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const struct finding *f = life_refused(x, 100, arena_fmt(a, SLOT "%s", cases[i].steps), "merge-risk");

		assert_contains(f->what, LPC " would end in the IOMMU group of another function: bit 7");
		assert_contains(f->remedy, "leave " LPC " where it is");
		assert_contains(f->remedy, cases[i].siblings);
		assert_int_equal(f->place.line, 5);
	}
	life_free(x);
}

/* All of them together are found in the order that makes each alone. */
static void function_0_may_leave_with_its_whole_slot(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	life_must_lend(x, 100, SLOT "pre-start:\n- cycle: [lpc, audio, f4, f5, nic]\n");
	assert_reads(x->sim, "group/" LPC, LPC);
	assert_reads(x->sim, "group/" NIC, NIC);
	life_free(x);
}

/* What nobody has named does not take the network away. */
static void an_interface_that_is_up_is_not_taken_along(void **state)
{
	struct life *x = life_new(host_load("elitedesk"));
	const struct finding *f = life_refused(x, 100, SLOT "pre-start:\n- bind: audio\n", "nic-taken-along");

	(void)state;
	assert_contains(f->what, NIC " shares its IOMMU group with " AUDIO);
	sim_set(x->sim, "nic/" NIC "/up", "down");
	life_must_lend(x, 100, SLOT "pre-start:\n- bind: audio\n");
	life_must_end(x, 100);
	sim_set(x->sim, "nic/" NIC "/up", "up");
	life_must_lend(x, 100, SLOT "pre-start:\n- bind: [audio, nic]\n");
	life_must_end(x, 100);
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	life_free(x);
}

/* Since the function was found, until its interface went up: the network is away so long. */
static unsigned reads_until_up;

static void count_from_the_scan(struct life *x, const char *name, const char *value)
{
	(void)value;
	if (strcmp(str_basename(name), "rescan") == 0 || strcmp(str_basename(name), "driver_override") == 0)
		x->reads = 0;
}

static const char *udev_sets;

static void note_when_up(struct life *x, const char *name, const char *value)
{
	if (strcmp(name, "nic/" NIC "/up") == 0 && strcmp(value, "up") == 0)
		reads_until_up = x->reads;
}

static void an_interface_is_looked_at_once_before_it_is_up(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	x->before = count_from_the_scan;
	x->after = note_when_up;
	x->counted = "nic/" NIC "/sysctls";
	sim_set(x->sim, x->counted, "ipv4/conf/arp_ignore 2");
	life_must_lend(x, 100, SLOT "pre-start:\n- cycle: nic\n");
	assert_int_equal(reads_until_up, 1);
	assert_reads(x->sim, x->counted, "ipv4/conf/arp_ignore 2");
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	life_must_end(x, 100);
	/* While it is another's, nobody asks: it may be anything. */
	life_must_lend(x, 100, SLOT "pre-start:\n- bind: nic\n");
	assert_int_equal(x->reads, 0);
	life_must_end(x, 100);
	life_free(x);
}

static void rename_it(struct life *x, const char *name, const char *value)
{
	note_when_up(x, name, value);
	if (strcmp(name, "sys/bus/pci/drivers/e1000e/bind") != 0 || strcmp(value, NIC) != 0)
		return;
	sim_set(x->sim, "nic/" NIC "/name", "eth0");
	sim_set(x->sim, "nic/" NIC "/sysctls", udev_sets);
	x->reads = 0;
}

/* They are those that the kernel gives it; should udev have set others, that is seen once it is up. */
static void the_settings_of_a_new_interface_are_written_and_not_read(void **state)
{
	static const char *const sets[] = { "", "ipv4/conf/arp_ignore 2", "ipv4/conf/arp_ignore 2, ipv6/conf/accept_ra 0" };

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct life *x = life_booted(host_load("elitedesk"));

		x->counted = "nic/" NIC "/sysctls";
		sim_set(x->sim, x->counted, "ipv4/conf/arp_ignore 2");
		life_must_lend(x, 100, SLOT "pre-start:\n- bind: nic\n");
		udev_sets = sets[i];
		x->after = rename_it;
		life_must_end(x, 100);
		assert_int_equal(reads_until_up, 0);
		assert_true(x->reads > 0);
		assert_reads(x->sim, x->counted, "ipv4/conf/arp_ignore 2");
		assert_reads(x->sim, "nic/" NIC "/up", "up");
		life_free(x);
	}
}

/* It takes time, too, and can wait for the carrier. */
static void what_comes_after_an_interface_is_up_is_looked_at_then(void **state)
{
	static const char *const later[][2] = { { "alias", "uplink" }, { "wol", "magic" } };

	(void)state;
	for (size_t i = 0; i < COUNT(later); i++) {
		struct life *x = life_booted(host_load("elitedesk"));
		char name[HOST_NAME_BYTES];

		snprintf(name, sizeof(name), "nic/" NIC "/%s", later[i][0]);
		sim_set(x->sim, name, later[i][1]);
		x->before = count_from_the_scan;
		x->after = note_when_up;
		x->counted = name;
		life_must_lend(x, 100, SLOT "pre-start:\n- cycle: nic\n");
		assert_int_equal(reads_until_up, 0);
		assert_true(x->reads > 0);
		assert_reads(x->sim, name, later[i][1]);
		life_must_end(x, 100);
		life_free(x);
	}
}

/* A driver that takes what it is told, and leaves all as it was. */
static int (*write_on)(struct host *h, const char *name, const char *value, unsigned ms, struct host_stuck *stuck);

static int write_but_sysctls(struct host *h, const char *name, const char *value, unsigned ms, struct host_stuck *stuck)
{
	return strcmp(name, "nic/" NIC "/sysctls") == 0 ? 0 : write_on(h, name, value, ms, stuck);
}

static void a_write_to_an_interface_that_did_nothing_is_found_out(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));
	struct host_ops deaf = *x->host.ops;

	(void)state;
	sim_set(x->sim, "nic/" NIC "/sysctls", "ipv4/conf/arp_ignore 2");
	write_on = deaf.write;
	deaf.write = write_but_sysctls;
	x->host.ops = &deaf;
	assert_int_equal(life_lend(x, 100, SLOT "pre-start:\n- cycle: nic\n"), OUTCOME_CHANGED);
	assert_contains(x->err.text, "setting its interface's sysctls to 'ipv4/conf/arp_ignore 2' did nothing");
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	assert_reads(x->sim, "nic/" NIC "/up", "up");
	deaf.write = write_on;
	life_must_end(x, 100);
	assert_reads(x->sim, "nic/" NIC "/sysctls", "ipv4/conf/arp_ignore 2");
	life_free(x);
}

static void a_scan_does_not_bring_back_what_was_removed_on_purpose(void **state)
{
	static const char *const steps[] = {
		"pre-start:\n- remove: nic\n- cycle: audio\n", "pre-start:\n- remove: [audio, nic]\n- rescan: audio\n",
	};
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const struct finding *f = life_refused(x, 100, arena_fmt(a, SLOT "%s", steps[i]), "scan-brings-back");

		assert_contains(f->what, NIC " too, which an earlier step has removed");
	}
	/* After the stop all is back before anything is looked for. */
	life_must_lend(x, 100, SLOT "pre-start:\n- remove: f4\npost-stop:\n- cycle: audio\n");
	assert_contains(life_refused(x, 101, ALONE "pre-start:\n- cycle: audio\n", "scan-brings-back")->what,
			"0000:00:1f.4 too, which VM 100 has removed");
	assert_contains(life_refused(x, 101, ALONE "pre-start:\n- bind: audio\n  return: cycle\n", "scan-brings-back")->remedy,
			"stop VM 100 first");
	life_must_end(x, 100);
	life_must_lend(x, 101, ALONE "pre-start:\n- cycle: audio\n");
	life_free(x);
}

/* What a look of a step shall read, "" if it has no such look. */
static const char *goal_of(const struct step *s, const char *look)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (strcmp(s->look[i], look) == 0)
			return s->to.v[i].text;
	return "";
}

static void a_function_that_leaves_alone_keeps_all_groups(void **state)
{
	static const char *const looks[][2] = {
		{ "group/" AUDIO, AUDIO }, { "group/" LPC, LPC }, { "group/0000:00:1f.4", "0000:00:1f.4" },
		{ "group/0000:00:1f.5", "0000:00:1f.5" }, { "group/" NIC, NIC },
	};
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	life_must_lend(x, 100, SLOT "pre-start:\n- cycle: audio\n");
	assert_contains(life_finding(x, "iommu-outlook")->what, AUDIO " NO CHANGE: bit 7");
	for (size_t i = 0; i < COUNT(looks); i++) {
		assert_string_equal(goal_of(&x->p.plan.steps[0], looks[i][0]), looks[i][1]);
		assert_reads(x->sim, looks[i][0], looks[i][1]);
	}
	assert_int_equal(x->removed, 5);
	life_free(x);
}

/* Who comes home first changes what the next one finds; and what is done after the stop finds what came home. */
static void what_comes_home_changes_groups_for_what_follows(void **state)
{
	static const struct { unsigned line; const char *steps; } cases[] = {
		{ 5, "pre-start:\n- bind: lpc\n  return: cycle\n- bind: audio\n  return: cycle\n" },
		{ 8, "pre-start:\n- bind: audio\n  return: cycle\npost-stop:\n- cycle: lpc\n" },
		{ 7, "pre-start:\n- remove: audio\npost-stop:\n- cycle: lpc\n" },
		{ 9, "pre-start:\n- remove: nic\n- bind: audio\n  return: cycle\npost-stop:\n- cycle: [lpc, f4]\n" },
		{ 8, "pre-start:\n- bind: [audio, lpc]\n  return: cycle\npost-stop:\n- cycle: lpc\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = life_idle(host_load("elitedesk"));
		const char *text = arena_fmt(x->a, SLOT "%s", cases[i].steps);
		const struct finding *f = life_refused(x, 100, text, "merge-risk");

		assert_contains(f->what, LPC " would end in the IOMMU group of another function");
		assert_int_equal(f->place.line, cases[i].line);
		life_free(x);
	}
}

static void whoever_comes_home_finds_what_was_foretold(void **state)
{
	static const struct { const char *steps, *lpc, *nic; } cases[] = {
		/* Function 0 first, while all are one group. */
		{ "pre-start:\n- bind: audio\n  return: cycle\n- bind: lpc\n  return: cycle\n", LPC, NIC },
		{ "pre-start:\n- bind: [lpc, audio]\n  return: cycle\n", LPC, NIC },
		{ "pre-start:\n- remove: [audio, lpc]\n", LPC " 0000:00:1f.4 0000:00:1f.5 " NIC,
		  LPC " 0000:00:1f.4 0000:00:1f.5 " NIC },
		{ "pre-start:\n- remove: lpc\n- remove: nic\n", LPC " " AUDIO " 0000:00:1f.4 0000:00:1f.5", NIC },
		{ "pre-start:\n- remove: lpc\n- remove: audio\npost-stop:\n- cycle: f4\n", LPC " 0000:00:1f.5 " NIC,
		  LPC " 0000:00:1f.5 " NIC },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = life_idle(host_load("elitedesk"));

		life_must_lend(x, 100, arena_fmt(x->a, SLOT "%s", cases[i].steps));
		life_must_end(x, 100);
		assert_reads(x->sim, "group/" LPC, cases[i].lpc);
		assert_reads(x->sim, "group/" NIC, cases[i].nic);
		life_free(x);
	}
}

/* Before it is split, function 0 finds its siblings' group, which is its own. */
static void function_0_may_leave_a_slot_that_is_one_group(void **state)
{
	struct life *x = life_new(host_load("lab-seed"));

	(void)state;
	life_must_lend(x, 100, SLOT "pre-start:\n- cycle: lpc\n");
	assert_reads(x->sim, "group/" LPC, LPC " " AUDIO " 0000:00:1f.4 0000:00:1f.5 " NIC);
	life_free(x);
}

/* On a real kernel function 0 ended in a sibling's group, then in the network card's. */
static void the_labs_orders_for_function_0_are_refused(void **state)
{
	struct life *x = life_new(host_load("lab-seed"));

	(void)state;
	life_must_lend(x, HOST_VMID, SPLIT);
	assert_reads(x->sim, "group/" LPC, LPC);
	assert_contains(life_refused(x, 100, SLOT "post-stop:\n- cycle: lpc\n", "merge-risk")->what, LPC);
	assert_contains(life_refused(x, 100, SLOT "post-stop:\n- cycle: [lpc, audio]\n", "merge-risk")->remedy,
			"(0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6)");
	life_free(x);
}

#define ICH9 \
	"handover: 1\naccept: {unverified-isolation: [hda]}\n" \
	"devices: {lpc: {at: \"00:1f.0\"}, ahci: {at: \"00:1f.2\"}, smbus: {at: \"00:1f.3\"}, " \
	"hda: {at: \"00:1f.5\"}, nic: {at: \"00:1f.6\"}}\n"

static size_t count_code(const struct life *x, const char *code, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < x->f.n; i++)
		n += strcmp(x->f.list[i].code, code) == 0 && strstr(x->f.list[i].what, part);
	return n;
}

/* On a real kernel the disk controller was put into the VM's group and failed. */
static void the_rest_of_a_slot_of_which_a_vm_has_one_is_refused(void **state)
{
	static const char rest[] = ICH9 "boot:\n- cycle: [lpc, ahci, smbus, nic]\n";
	struct life *x = life_new(host_load("lab-builtin"));
	unsigned writes;

	(void)state;
	life_must_lend(x, HOST_VMID, ICH9 "boot:\n- isolate: hda\n");
	assert_reads(x->sim, "group/0000:00:1f.5", "0000:00:1f.5");
	writes = sim_writes(x->sim);
	assert_false(life_plan(x, 100, rest));
	assert_int_equal(count_code(x, "merge-risk", "would end in the IOMMU group of another function"), 3);
	assert_int_equal(x->f.errors, 3);
	assert_int_equal(sim_writes(x->sim), writes);

	life_must_lend(x, 101, ICH9 "pre-start:\n- bind: hda\n");
	writes = sim_writes(x->sim);
	assert_false(life_plan(x, 100, rest));
	assert_int_equal(count_code(x, "merge-risk", "would join the IOMMU group of a sibling while VM 101 has "
				    "0000:00:1f.5: "), 3);
	assert_int_equal(count_code(x, "merge-risk", "0000:00:1f.2 would join"), 1);
	assert_int_equal(x->f.errors, 3);
	assert_string_equal(x->f.list[0].remedy, "stop VM 101 first");
	assert_int_equal(sim_writes(x->sim), writes);
	life_free(x);
}

/* Not even where nothing would change: what joins is the group of a running VM. */
static void a_group_that_a_vm_has_is_joined_by_nobody(void **state)
{
	struct life *x = life_new(host_load("lab-builtin"));
	const struct finding *f;

	(void)state;
	life_must_lend(x, 101, ICH9 "pre-start:\n- bind: smbus\n  driver: ahci\n");
	f = life_refused(x, 100, ICH9 "pre-start:\n- cycle: lpc\n", "merge-risk");
	assert_contains(f->what, LPC " would join the IOMMU group of a sibling while VM 101 has 0000:00:1f.3: ");
	assert_string_equal(f->remedy, "stop VM 101 first");
	/* Its own lease is in nobody's way, and one that has ended neither. */
	life_must_plan(x, 101, ICH9 "pre-start:\n- cycle: lpc\n");
	life_must_end(x, 101);
	life_must_plan(x, 100, ICH9 "pre-start:\n- cycle: lpc\n");
	life_free(x);
}

/* To look at a function, or to find it anew before or after, is not to have it. */
static void a_function_that_a_vm_only_looks_at_is_in_nobodys_way(void **state)
{
	static const char *const steps[] = {
		"pre-start:\n- check: nic\n  driver: e1000\n", "pre-start:\n- wait: hda\n",
		"pre-start:\n- cycle: smbus\n", "post-start:\n- check: smbus\n", "post-stop:\n- cycle: smbus\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct life *x = life_new(host_load("lab-builtin"));

		life_must_lend(x, 101, arena_fmt(x->a, ICH9 "%s", steps[i]));
		life_must_plan(x, 100, ICH9 "pre-start:\n- cycle: lpc\n");
		life_free(x);
	}
}

/* One that gets a group of its own joins nobody's; but the VM's own function is the VM's. */
static void a_function_that_a_vm_has_is_not_found_anew(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));
	unsigned writes;

	(void)state;
	life_must_lend(x, 101, SLOT "pre-start:\n- bind: audio\n");
	writes = sim_writes(x->sim);
	assert_int_equal(life_lend(x, 100, SLOT "pre-start:\n- cycle: audio\n"), OUTCOME_BUSY);
	assert_contains(x->err.text, AUDIO " is lent to VM 101 (held)");
	assert_int_equal(sim_writes(x->sim), writes);
	life_must_plan(x, 100, SLOT "pre-start:\n- cycle: f4\n");
	life_free(x);
}

/* --- isolate ----------------------------------------------------------------------------------------------------- */

static void what_cannot_leave_its_group_says_who_must(void **state)
{
	struct life *x = life_new(host_load("elitedesk"));
	const struct finding *f;

	(void)state;
	f = life_refused(x, 0, SLOT "boot:\n- isolate: lpc\n", "cannot-isolate");
	assert_contains(f->what, LPC " can be alone only if " AUDIO " leaves its IOMMU group: bit 7");
	assert_string_equal(f->remedy, "name " AUDIO " under 'moving'");
	f = life_refused(x, 0, SLOT "boot:\n- isolate: [lpc, audio]\n  moving: [f4, f5]\n", "cannot-isolate");
	assert_string_equal(f->remedy, "name " NIC " under 'moving'");
	life_must_plan(x, 0, SPLIT);
	life_free(x);

	x = life_new(host_load("lab-builtin"));
	f = life_refused(x, 0, ICH9 "boot:\n- isolate: smbus\n  moving: [lpc, ahci, hda, nic]\n", "cannot-isolate");
	assert_contains(f->what, "0000:00:1f.3 shares its IOMMU group with " LPC ", and neither can leave it: of both");
	assert_null(f->remedy);
	life_free(x);
}

#define BARE(devices) \
	"handover: 1\n" devices \
	"devices: {lpc: {at: \"00:1f.0\"}, audio: {at: \"00:1f.3\"}, igpu: {at: \"00:02.0\"}}\n"

static void what_is_only_bookkeeping_must_be_accepted(void **state)
{
	struct life *x = life_new(host_load("elitedesk"));
	const struct finding *f;

	(void)state;
	f = life_refused(x, 0, BARE("") "boot:\n- isolate: audio\n", "unverified-isolation");
	assert_contains(f->what, AUDIO " can get an IOMMU group of its own, but nothing says that the hardware");
	assert_contains(f->remedy, "accept: {unverified-isolation: audio}");
	assert_int_equal(f->place.line, 4);
	/* For the device that is isolated, and not for another. */
	life_refused(x, 0, BARE("accept: {unverified-isolation: lpc}\n") "boot:\n- isolate: audio\n",
		     "unverified-isolation");
	life_must_lend(x, HOST_VMID, BARE("accept: {unverified-isolation: audio}\n") "boot:\n- isolate: audio\n");
	assert_reads(x->sim, "group/" AUDIO, AUDIO);
	assert_reads(x->sim, "group/" NIC, LPC " 0000:00:1f.4 0000:00:1f.5 " NIC);
	assert_int_equal(x->removed, 1);
	/* It is so already, and still is no more than bookkeeping. */
	life_refused(x, 101, BARE("") "pre-start:\n- isolate: audio\n", "unverified-isolation");
	/* These have no sibling without ACS. */
	life_must_plan(x, 101, BARE("") "pre-start:\n- isolate: igpu\n");
	life_free(x);
}

static void the_network_leaves_at_boot_or_not_at_all(void **state)
{
	struct life *x = life_new(host_load("elitedesk"));
	const struct finding *f;

	(void)state;
	f = life_refused(x, 100, SLOT "pre-start:\n- isolate: lpc\n  moving: [audio, f4, f5, nic]\n", "nic-moves");
	assert_contains(f->what, "the network interface eno1 (" NIC ") would have to leave");
	assert_contains(f->remedy, "'boot' in /etc/handover/host.yaml");
	life_refused(x, 100, SLOT "pre-start:\n- isolate: nic\n", "nic-moves");
	/* Who leaves is counted, not who may. */
	life_must_plan(x, 100, SLOT "pre-start:\n- isolate: audio\n  moving: [f4, f5, nic]\n");
	life_must_plan(x, 0, SLOT "boot:\n- isolate: nic\n");
	life_free(x);
}

static void what_is_so_already_is_only_looked_at(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));
	unsigned writes = sim_writes(x->sim);

	(void)state;
	life_must_lend(x, 100, SLOT "pre-start:\n- isolate: [lpc, audio, nic]\n  moving: [f4, f5]\n");
	assert_int_equal(x->p.plan.n, 3);
	assert_int_equal(sim_writes(x->sim), writes);
	life_must_end(x, 100);
	assert_int_equal(sim_writes(x->sim), writes);
	life_free(x);
}

/* --- last-keyboard ----------------------------------------------------------------------------------------------- */

/* A profile of one device and one phase. */
static const char *one(struct life *x, const char *at, const char *steps)
{
	return arena_fmt(x->a, "handover: 1\naccept: {unverified-isolation: it}\ndevices: {it: {at: \"%s\"}}\n%s", at, steps);
}

static void the_last_keyboard_stays(void **state)
{
	static const char receiver[] = "062a:4101 2.4G Keyboard Mouse at port 1-1, is on " XHCI ", which leaves";
	static const char alone[] = "062a:4101 2.4G Keyboard Mouse at port 1-1, leaves";
	static const char uhk[] = "1d50:6124 UHK 60 v2 at port 1-1, is on 0000:0d:00.0, which leaves";
	static const struct { const char *host, *at, *steps, *keyboard; } cases[] = {
		{ "elitedesk", "00:14.0", "pre-start:\n- bind: it\n", receiver },
		{ "elitedesk", "00:14.0", "pre-start:\n- bind: it\n  driver: ahci\n", receiver },
		{ "elitedesk", "00:14.0", "pre-start:\n- bind: it\n  return: cycle\n", receiver },
		{ "elitedesk", "00:14.0", "pre-start:\n- cycle: it\n", receiver },
		{ "elitedesk", "00:14.0", "post-stop:\n- cycle: it\n", receiver },
		{ "elitedesk", "00:14.0", "boot:\n- cycle: it\n", receiver },
		{ "elitedesk", "00:14.0", "pre-start:\n- remove: it\n", receiver },
		/* A sibling of its IOMMU group takes it along. */
		{ "elitedesk", "00:14.2", "pre-start:\n- bind: it\n", receiver },
		{ "elitedesk", "00:14.2", "pre-start:\n- usb: \"062a:4101\"\n", alone },
		{ "elitedesk", "00:14.2", "pre-start:\n- usb: \"1-1\"\n", alone },
		{ "elitedesk", "00:14.2", "post-start:\n- usb: [\"8087:0aaa\", \"1-1\"]\n", alone },
		{ "workstation-4070", "0d:00.0", "pre-start:\n- cycle: it\n", uhk },
		{ "workstation-4070", "0d:00.0", "pre-start:\n- remove: it\n", uhk },
		{ "workstation-4070", "0d:00.0", "pre-start:\n- bind: it\n", uhk },
		{ "workstation-4070", "0e:00.0", "pre-start:\n- bind: it\n", uhk },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = life_guarded(host_load(cases[i].host));
		const struct finding *f;

		/* To find 14.0 anew may be a matter of groups too. */
		assert_false(life_plan(x, 0, one(x, cases[i].at, cases[i].steps)));
		f = life_finding(x, "last-keyboard");
		assert_contains(f->what, cases[i].keyboard);
		assert_int_equal(f->place.line, 5);
		assert_int_equal(sim_writes(x->sim), 0);
		life_free(x);
	}
}

static void a_device_that_is_no_keyboard_may_leave(void **state)
{
	struct life *x = life_guarded(host_load("elitedesk"));

	(void)state;
	life_must_plan(x, 0, one(x, "00:14.2", "pre-start:\n- usb: \"8087:0aaa\"\n"));
	life_must_plan(x, 0, one(x, "00:14.2", "pre-start:\n- cycle: it\n"));
	life_free(x);
	x = life_guarded(host_load("workstation-4070"));
	life_must_plan(x, 0, one(x, "77:00.0", "pre-start:\n- bind: it\n"));
	life_free(x);
}

#define SECOND "P: /devices/pci0000:00/0000:00:08.1/0000:79:00.3/usb7/7-2"
static const char second_keyboard[] =
	SECOND "\nA: idVendor=046d\nA: idProduct=c31c\nA: product=Keyboard K120\nA: authorized=1\n"
	SECOND "/7-2:1.0\nA: bInterfaceClass=03\nA: bInterfaceSubClass=01\nA: bInterfaceProtocol=01\n"
	SECOND "/7-2:1.0/0003:046D:C31C.0009/input/input19\nA: name=K120\n"
	"A: capabilities/key=1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n";

/* The workstation with a second keyboard, on 79:00.3. */
static struct host *two_keyboards(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n;
	char *text = file_read(a, "tests/hosts/workstation-4070.host", &n);

	text[n] = '\0';
	return host_from(arena_fmt(a, "%s\n%s", text, second_keyboard));
}

static void a_keyboard_may_leave_where_another_stays(void **state)
{
	static const char *const ways[] = { "cycle: it\n", "remove: it\n", "usb: \"1d50:6124\"\n" };
	static const struct { const char *at, *steps; } both[] = {
		{ "79:00.3", "pre-start:\n- bind: it\n- usb: \"1d50:6124\"\n" },
		{ "79:00.3", "pre-start:\n- usb: [\"046d:c31c\", \"1-1\"]\n" },
		{ "0d:00.0", "pre-start:\n- usb: \"7-2\"\npost-stop:\n- cycle: it\n" },
	};
	struct life *x = life_guarded(two_keyboards());

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++)
		life_must_plan(x, 0, one(x, "0d:00.0", arena_fmt(x->a, "pre-start:\n- %s", ways[i])));
	life_must_plan(x, 0, one(x, "79:00.3", "pre-start:\n- bind: it\n"));
	/* Not both, whatever each leaves by; and each of them is told. */
	for (size_t i = 0; i < COUNT(both); i++) {
		assert_false(life_plan(x, 0, one(x, both[i].at, both[i].steps)));
		assert_int_equal(count_findings(&x->f, "last-keyboard"), 2);
	}
	life_free(x);
}

static void a_keyboard_that_a_vm_has_is_none_of_the_hosts(void **state)
{
	static const char *const ways[] = { "bind: it\n", "usb: \"046d:c31c\"\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct life *x = life_guarded(two_keyboards());
		const char *first = one(x, "0d:00.0", "pre-start:\n- cycle: it\n");

		life_must_lend(x, 101, one(x, "79:00.3", arena_fmt(x->a, "pre-start:\n- %s", ways[i])));
		assert_contains(life_refused(x, 0, first, "last-keyboard")->what, "1d50:6124");
		life_must_end(x, 101);
		life_must_plan(x, 0, first);
		life_free(x);
	}
}

/* Whoever keeps it out, it stays so; what is let back in while a VM has it is let go of again. */
static void a_usb_device_that_is_out_already_stays_out(void **state)
{
	static const char name[] = "sys/bus/usb/devices/1-14/authorized";
	static const char let_go[] = "handover: 1\npre-start:\n- usb: \"8087:0aaa\"\n";
	struct life *x = life_guarded(host_load("elitedesk"));

	(void)state;
	assert_int_equal(poke_host(x->sim, name, "0"), 0);
	life_must_lend(x, 101, let_go);
	life_must_lend(x, 102, let_go);
	life_must_end(x, 102);
	life_must_end(x, 101);
	assert_reads(x->sim, name, "0");
	assert_int_equal(poke_host(x->sim, name, "1"), 0);
	life_must_lend(x, 101, let_go);
	life_must_lend(x, 102, let_go);
	life_must_end(x, 102);
	assert_reads(x->sim, name, "0");
	life_must_end(x, 101);
	assert_reads(x->sim, name, "1");
	life_free(x);
}

/* --- what cannot leave, or not come back as it was ---------------------------------------------------------------- */

/* Whichever way a device leaves. */
static const char *const leaving[] = {
	"pre-start:\n- bind: it\n", "pre-start:\n- bind: it\n  return: cycle\n",
	"pre-start:\n- bind: it\n  return: keep\n", "pre-start:\n- cycle: it\n", "post-stop:\n- cycle: it\n",
	"boot:\n- cycle: it\n", "pre-start:\n- remove: it\n",
};

static void refused_by_all_ways(struct life *x, const char *at, const char *code, const char *what)
{
	for (size_t i = 0; i < COUNT(leaving); i++) {
		const struct finding *f = life_refused(x, 100, one(x, at, leaving[i]), code);

		assert_contains(f->what, what);
		assert_int_equal(f->place.line, 5);
		assert_non_null(f->remedy);
	}
}

static void an_interface_with_loose_ends_stays(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	sim_set(x->sim, "nic/" NIC "/loose", "the VLAN eno1.100");
	refused_by_all_ways(x, "00:1f.6", "nic-loose-ends", "the network interface of " NIC " would lose what handover "
			    "cannot bring back: the VLAN eno1.100");
	/* Who does not leave loses nothing. */
	life_must_plan(x, 100, one(x, "00:1f.4", leaving[0]));
	sim_set(x->sim, "nic/" NIC "/loose", "");
	life_must_plan(x, 100, one(x, "00:1f.6", leaving[0]));
	life_free(x);

	/* At boot too, where it may be moved. */
	x = life_new(host_load("elitedesk"));
	sim_set(x->sim, "nic/" NIC "/loose", "the VLAN eno1.100");
	life_refused(x, 0, SPLIT, "nic-loose-ends");
	life_free(x);
}

static void a_function_with_virtual_functions_stays(void **state)
{
	struct life *x = life_new(host_load("workstation-4070"));

	(void)state;
	sim_set(x->sim, DEVICES "/0000:07:00.0/sriov_numvfs", "2");
	refused_by_all_ways(x, "07:00.0", "vfs-enabled", "0000:07:00.0 has 2 virtual functions switched on");
	life_free(x);
}

/* It may be bound; what removes it takes it away for good. */
static void a_virtual_function_is_not_removed(void **state)
{
	struct life *x = life_new(host_load("sriov-nic"));
	unsigned refused = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(leaving); i++) {
		if (!strstr(leaving[i], "cycle") && !strstr(leaving[i], "remove"))
			continue;
		life_refused(x, 100, one(x, "05:10.1", leaving[i]), "virtual-function");
		refused++;
	}
	assert_int_equal(refused, 5);
	life_must_plan(x, 100, one(x, "05:10.1", leaving[0]));
	/* The kernel's answer, as the simulator has it. */
	assert_int_equal(poke_host(x->sim, DEVICES "/0000:05:10.1/remove", "1"), 0);
	assert_int_equal(poke_host(x->sim, "sys/bus/pci/rescan", "1"), 0);
	assert_absent(x->sim, "id/0000:05:10.1");
	life_free(x);
}

static void a_bridge_stays(void **state)
{
	struct life *x = life_new(host_load("workstation-4070"));

	(void)state;
	refused_by_all_ways(x, "00:01.1", "bridge", "0000:00:01.1 is a bridge (");
	life_free(x);
	/* The processor's own. */
	x = life_new(host_load("elitedesk"));
	refused_by_all_ways(x, "00:00.0", "bridge", "0000:00:00.0 is a bridge (");
	life_free(x);
}

static void a_function_that_does_not_answer_stays(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	x->deaf = DEVICES "/" AUDIO "/driver_override";
	refused_by_all_ways(x, "00:1f.3", "device-stuck", AUDIO " does not answer: a write to it hangs in the kernel");
	life_must_plan(x, 100, one(x, "00:1f.4", leaving[0]));
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function_0_may_not_leave_a_slot_that_is_split),
		cmocka_unit_test(function_0_may_leave_with_its_whole_slot),
		cmocka_unit_test(an_interface_that_is_up_is_not_taken_along),
		cmocka_unit_test(an_interface_is_looked_at_once_before_it_is_up),
		cmocka_unit_test(the_settings_of_a_new_interface_are_written_and_not_read),
		cmocka_unit_test(what_comes_after_an_interface_is_up_is_looked_at_then),
		cmocka_unit_test(a_write_to_an_interface_that_did_nothing_is_found_out),
		cmocka_unit_test(a_scan_does_not_bring_back_what_was_removed_on_purpose),
		cmocka_unit_test(a_function_that_leaves_alone_keeps_all_groups),
		cmocka_unit_test(what_comes_home_changes_groups_for_what_follows),
		cmocka_unit_test(whoever_comes_home_finds_what_was_foretold),
		cmocka_unit_test(function_0_may_leave_a_slot_that_is_one_group),
		cmocka_unit_test(the_labs_orders_for_function_0_are_refused),
		cmocka_unit_test(the_rest_of_a_slot_of_which_a_vm_has_one_is_refused),
		cmocka_unit_test(a_group_that_a_vm_has_is_joined_by_nobody),
		cmocka_unit_test(a_function_that_a_vm_only_looks_at_is_in_nobodys_way),
		cmocka_unit_test(a_function_that_a_vm_has_is_not_found_anew),
		cmocka_unit_test(what_cannot_leave_its_group_says_who_must),
		cmocka_unit_test(what_is_only_bookkeeping_must_be_accepted),
		cmocka_unit_test(the_network_leaves_at_boot_or_not_at_all),
		cmocka_unit_test(what_is_so_already_is_only_looked_at),
		cmocka_unit_test(the_last_keyboard_stays),
		cmocka_unit_test(a_device_that_is_no_keyboard_may_leave),
		cmocka_unit_test(a_keyboard_may_leave_where_another_stays),
		cmocka_unit_test(a_keyboard_that_a_vm_has_is_none_of_the_hosts),
		cmocka_unit_test(a_usb_device_that_is_out_already_stays_out),
		cmocka_unit_test(an_interface_with_loose_ends_stays),
		cmocka_unit_test(a_function_with_virtual_functions_stays),
		cmocka_unit_test(a_virtual_function_is_not_removed),
		cmocka_unit_test(a_bridge_stays),
		cmocka_unit_test(a_function_that_does_not_answer_stays),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
