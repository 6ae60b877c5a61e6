/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices by the name of a resource mapping of Proxmox: which of several it will be, and which one it was. */
#include "life.h"

#include "core/alternatives.h"
#include "core/builtin.h"
#include "core/reservations.h"
#include "core/settle.h"

/* Two equal cards with their audio, each pair in a group of its own. */
#define FIRST "0000:65:00"
#define SECOND "0000:17:00"
#define AUDIO "0000:65:00.1"
#define CONFIG "etc/pve/qemu-server/100.conf"
#define CARD(node, path) "\tmap id=10de:1ff2,node=" node ",path=" path "\n"
#define ONE "card\n" CARD("pve-twin", FIRST)
#define TWO "card\n" CARD("other", "0000:01:00.0") CARD("pve-twin", FIRST) CARD("pve-twin", SECOND)

#define PROFILE(selector) "handover: 1\ndevices: {card: {" selector "}}\npre-start:\n- bind: card\n"

static struct life *host_of(const char *mappings, const char *config)
{
	struct life *x = life_new(host_load("twin-gpu"));

	/* The second one is the host's too. */
	sim_set(x->sim, PVEMAP_PCI_FILE, mappings);
	sim_set(x->sim, CONFIG, config);
	sim_remove(x->sim, "etc/pve/qemu-server/101.conf");
	sim_set(x->sim, "clock/now", "1000");
	return x;
}

/* The functions of the profile's device, by address. */
static const char *selected(struct life *x, const char *text)
{
	const char *list = "";

	life_plan(x, 100, text);
	for (size_t i = 0; i < x->p.devices[0].n; i++)
		list = arena_fmt(x->a, "%s%s%s", list, *list ? " " : "", x->p.devices[0].list[i]->address);
	return list;
}

static void run_vm(struct life *x, unsigned vmid)
{
	const char *cmdline = arena_fmt(x->a, "kvm -id %u", vmid);
	char *bytes = arena_dup(x->a, cmdline);

	for (char *s = bytes; *s; s++)
		if (*s == ' ')
			*s = '\0';
	sim_set(x->sim, arena_fmt(x->a, "run/qemu-server/%u.pid", vmid), "4711");
	sim_set_bytes(x->sim, "proc/4711/cmdline", 0, bytes, strlen(cmdline) + 1);
}

static void a_mapping_selects_what_it_names_on_this_node(void **state)
{
	static const struct { const char *config, *selector, *functions; } cases[] = {
		{ "name: x\n", "mapping: card", "0000:65:00.0 0000:65:00.1" },
		{ "name: x\n", "mapping: card, id: \"10de:10fa\"", "0000:65:00.1" },
		{ "hostpci3: mapping=card\n", "hostpci: 3", "0000:65:00.0 0000:65:00.1" },
		{ "hostpci3: mapping=card\n", "mapping: card", "0000:65:00.0 0000:65:00.1" },
		{ "hostpci3: mapping=card\n", "mapping: card, at: \"65:00.1\"", "0000:65:00.1" },
		{ "hostpci3: mapping=pair\n", "hostpci: 3", "0000:17:00.0 0000:65:00.0" },
	};
	struct life *x;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		x = host_of(ONE "\npair\n" CARD("pve-twin", SECOND ".0;" FIRST ".0"), cases[i].config);
		assert_string_equal(selected(x, arena_fmt(x->a, PROFILE("%s"), cases[i].selector)), cases[i].functions);
		assert_int_equal(count_findings(&x->f, "mapping-chosen"), 0);
		life_free(x);
	}
}

static void without_vm_a_mapping_is_the_first_one(void **state)
{
	struct life *x = host_of(TWO, "");

	(void)state;
	life_plan(x, 0, PROFILE("mapping: card"));
	assert_string_equal(x->p.devices[0].list[0]->address, FIRST ".0");
	assert_contains(life_finding(x, "mapping-chosen")->what, "of the 2 devices that the mapping 'card' has on this node");
	life_free(x);
}

static void a_mapping_that_has_nothing_here_is_refused(void **state)
{
	static const char *const mappings[] = { "", "other\n" CARD("pve-twin", FIRST), "card\n" CARD("other", FIRST), "card\n" };
	struct life *x;

	(void)state;
	for (size_t i = 0; i < COUNT(mappings); i++) {
		x = host_of(mappings[i], "");
		life_plan(x, 100, PROFILE("mapping: card"));
		assert_contains(life_finding(x, "mapping-absent")->what, "there is no mapping 'card' that has a device of this node");
		life_free(x);
		x = host_of(mappings[i], "hostpci0: mapping=card\n");
		life_plan(x, 100, PROFILE("hostpci: 0"));
		assert_contains(life_finding(x, "hostpci-mapping")->what, "hostpci0 names the mapping 'card', which has no device");
		life_free(x);
	}
}

static void a_line_that_proxmox_does_not_take_selects_nothing(void **state)
{
	static const struct { const char *line, *code, *what; } cases[] = {
		{ "hostpci0: 0A:00.0\n", "hostpci-bad", "hex digits in small letters" },
		{ "hostpci0: 65:00.0,mapping=card\n", "hostpci-bad", "'host' and 'mapping' are both set" },
		{ "hostpci0: mapping=card,mdev=nvidia-1\n", "hostpci-mapping", "a mediated device of type 'nvidia-1'" },
		{ "hostpci0: mapping=card,driver=keep\n", "hostpci-keep", "driver=keep" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = host_of(ONE, cases[i].line);

		life_plan(x, 100, PROFILE("hostpci: 0"));
		assert_contains(life_finding(x, cases[i].code)->what, cases[i].what);
		assert_int_equal(x->p.plan.n, 0);
		life_free(x);
	}
}

/* --- which of several --------------------------------------------------------------------------------------------- */

static void the_first_that_is_free_is_prepared(void **state)
{
	static const struct { const char *config, *reserved, *functions; bool told; } cases[] = {
		{ "hostpci0: mapping=card\n", "", FIRST ".0 " FIRST ".1", true },
		{ "hostpci0: mapping=card\n", FIRST ".0 102 time:1001\n", SECOND ".0 " SECOND ".1", true },
		/* Any function of it. */
		{ "hostpci0: mapping=card\n", FIRST ".1 102 time:1001\n", SECOND ".0 " SECOND ".1", true },
		/* It has run out; or is its own; or is of a VM that runs no longer. */
		{ "hostpci0: mapping=card\n", FIRST ".0 102 time:1000\n", FIRST ".0 " FIRST ".1", true },
		{ "hostpci0: mapping=card\n", FIRST ".0 100 time:1001\n", FIRST ".0 " FIRST ".1", true },
		{ "hostpci0: mapping=card\n", FIRST ".0 102 pid:4712\n", FIRST ".0 " FIRST ".1", true },
		/* VM 103 runs. */
		{ "hostpci0: mapping=card\n", FIRST ".0 103 pid:4711\n", SECOND ".0 " SECOND ".1", true },
		/* None is free: then it is said why the first one is not. */
		{ "hostpci0: mapping=card\n", FIRST ".0 102 time:1001\n" SECOND ".0 103 pid:4711\n", FIRST ".0 " FIRST ".1",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = host_of(TWO, cases[i].config);

		run_vm(x, 103);
		sim_set(x->sim, RESERVATIONS_PATH, cases[i].reserved);
		assert_string_equal(selected(x, PROFILE("hostpci: 0")), cases[i].functions);
		assert_int_equal(count_findings(&x->f, "mapping-chosen"), cases[i].told);
		life_free(x);
	}
}

static void what_a_line_before_has_got_is_passed_over(void **state)
{
	static const struct { const char *config, *device, *functions; } cases[] = {
		{ "hostpci0: 65:00.1\nhostpci1: mapping=card\n", "hostpci: 1", SECOND ".0 " SECOND ".1" },
		{ "hostpci0: mapping=card\nhostpci1: mapping=card\n", "hostpci: 0", FIRST ".0 " FIRST ".1" },
		{ "hostpci0: mapping=card\nhostpci1: mapping=card\n", "hostpci: 1", SECOND ".0 " SECOND ".1" },
		{ "hostpci0: mapping=card\n", "mapping: card", FIRST ".0 " FIRST ".1" },
		/* What a profile names by itself is none of a line's. */
		{ "hostpci0: 65:00\n", "mapping: card", SECOND ".0 " SECOND ".1" },
		/* A mediated device takes nothing away. */
		{ "hostpci0: 65:00.0,mdev=a\nhostpci1: mapping=card\n", "hostpci: 1", FIRST ".0 " FIRST ".1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = host_of(TWO, cases[i].config);

		assert_string_equal(selected(x, arena_fmt(x->a, PROFILE("%s"), cases[i].device)), cases[i].functions);
		life_free(x);
	}
}

/* Proxmox has not reserved yet what a VM that is being started was lent; of one that is gone it comes back first. */
static void what_another_vm_is_lent_is_passed_over_while_that_runs(void **state)
{
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");

	(void)state;
	life_must_lend(x, 103, PROFILE("at: \"65:00\""));
	assert_string_equal(selected(x, PROFILE("hostpci: 0")), FIRST ".0 " FIRST ".1");
	run_vm(x, 103);
	assert_string_equal(selected(x, PROFILE("hostpci: 0")), SECOND ".0 " SECOND ".1");
	assert_contains(life_finding(x, "mapping-chosen")->what, SECOND " is what Proxmox will choose as the host is now; "
			"VM 103 is lent 0000:65:00.0");
	life_free(x);
}

static void the_builtin_profile_is_about_mappings_too(void **state)
{
	static const struct policy none = { 0 };
	_cleanup_arena_ struct arena *a = arena_new();
	struct pve_guest guest;
	struct findings f;
	uint64_t hash;

	(void)state;
	findings_init(&f, a);
	pveconf_parse("hostpci0: mapping=card\nhostpci1: mapping=card,mdev=x\nhostpci2: mapping=card,driver=keep\n"
		      "hostpci4: 0A:00.0\nhostpci5: 01:00.0\n", a, &guest);
	const struct profile *p = builtin_profile(&guest, &none, 100, &hash, &f);

	assert_non_null(p);
	assert_int_equal(p->n_devices, 2);
	assert_int_equal(p->devices[0].hostpci, 0);
	assert_int_equal(p->devices[1].hostpci, 5);
}

/* --- which one it was --------------------------------------------------------------------------------------------- */

/* What Proxmox has reserved for VM 100, whose lease is held. */
static size_t settle_with(struct life *x, const char *reserved, struct settled **list, struct lease *lease)
{
	size_t n;

	sim_set(x->sim, RESERVATIONS_PATH, reserved);
	assert_int_equal(journal_peek(&x->store, 100, x->a, lease, &x->err), 0);
	assert_int_equal(settle(&x->host, lease, x->a, list, &n, &x->err), 0);
	return n;
}

static enum outcome give(struct life *x, const struct lease *lease, const bool *steps)
{
	struct lender l;
	enum outcome o;

	life_lender(x, &l, x->a, 100);
	o = lend_give(&l, 100, lease->generation, steps, &x->err);
	lockset_release(&l.locks);
	return o;
}

static void what_was_prepared_and_taken_is_as_it_should_be(void **state)
{
	static const char *const reserved[] = {
		"", FIRST ".0 100 time:1001\n" FIRST ".1 100 time:1001\n", FIRST ".0 100 pid:4711\n" FIRST ".1 100 pid:4711\n",
		/* Another's; half of it; one that has run out. */
		SECOND ".0 102 time:1001\n" SECOND ".1 102 time:1001\n", SECOND ".0 100 time:1001\n",
		SECOND ".0 100 time:999\n" SECOND ".1 100 time:999\n",
	};
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");
	struct settled *list;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, PROFILE("hostpci: 0"));
	run_vm(x, 100);
	for (size_t i = 0; i < COUNT(reserved); i++)
		if (settle_with(x, reserved[i], &list, &lease) != 0)
			fail_msg("case %zu", i);
	life_must_end(x, 100);
	life_free(x);
}

#define TOOK_SECOND SECOND ".0 100 time:1001\n" SECOND ".1 100 time:1001\n"

static void what_was_prepared_and_not_taken_goes_back(void **state)
{
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");
	struct settled *list;
	struct lease lease;
	char driver[32];

	(void)state;
	assert_true(host_read(x->sim, DEVICES "/" FIRST ".0/driver", driver, sizeof(driver)) > 0);
	life_must_lend(x, 100, PROFILE("hostpci: 0"));
	assert_reads(x->sim, DEVICES "/" FIRST ".0/driver", "vfio-pci");
	assert_int_equal(settle_with(x, TOOK_SECOND, &list, &lease), 1);
	assert_int_equal(list[0].hostpci, 0);
	assert_string_equal(list[0].mapping, "card");
	assert_string_equal(list[0].taken->map->path, SECOND);
	assert_string_equal(list[0].prepared->map->path, FIRST);
	assert_non_null(list[0].steps);
	assert_int_equal(give(x, &lease, list[0].steps), OUTCOME_DONE);
	assert_reads(x->sim, DEVICES "/" FIRST ".0/driver", driver);
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
	/* The lease is still that of a VM that runs, and is about nothing. */
	assert_int_equal(settle_with(x, TOOK_SECOND, &list, &lease), 0);
	assert_string_equal(lease_state(&lease), "held");
	assert_int_equal(engine_differences(&x->host, &lease, GOAL_TO, x->a, NULL, 0), 0);
	/* Another VM may have it now. */
	life_must_lend(x, 104, PROFILE("at: \"65:00\""));
	life_must_end(x, 100);
	assert_reads(x->sim, DEVICES "/" FIRST ".0/driver", "vfio-pci");
	life_must_end(x, 104);
	assert_reads(x->sim, DEVICES "/" FIRST ".0/driver", driver);
	life_free(x);
}

/* That is why Proxmox has not taken it: to unbind it now would take it from under the other VM's QEMU. */
static void what_another_vm_has_reserved_is_not_taken_home(void **state)
{
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");
	struct settled *list;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, PROFILE("hostpci: 0"));
	assert_int_equal(settle_with(x, TOOK_SECOND FIRST ".0 200 time:1001\n", &list, &lease), 1);
	assert_null(list[0].steps);
	assert_int_equal(settle_with(x, TOOK_SECOND FIRST ".1 200 time:1001\n", &list, &lease), 1);
	assert_null(list[0].steps);
	life_must_end(x, 100);
	life_free(x);
}

static void other_devices_of_the_lease_stay_with_the_vm(void **state)
{
	static const char profile[] = "handover: 1\naccept: {platform-function: other}\ndevices: {card: {hostpci: 0}, "
				      "other: {at: \"00:16.0\"}}\npre-start:\n- bind: card\n- bind: other\n";
	struct life *x = host_of(TWO, "hostpci0: mapping=card\nhostpci1: 00:16.0\n");
	struct settled *list;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, profile);
	assert_int_equal(settle_with(x, TOOK_SECOND, &list, &lease), 1);
	assert_int_equal(give(x, &lease, list[0].steps), OUTCOME_DONE);
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
	assert_reads(x->sim, DEVICES "/0000:00:16.0/driver", "vfio-pci");
	life_must_end(x, 100);
	assert_reads(x->sim, DEVICES "/0000:00:16.0/driver", "mei_me");
	life_free(x);
}

/* The way back that is begun and does not end is gone on by post-stop. */
static void what_does_not_go_back_is_tried_again_when_the_vm_stops(void **state)
{
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");
	struct settled *list;
	struct lender l;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, PROFILE("hostpci: 0") "pre-stop:\n- check: card\n");
	assert_int_equal(settle_with(x, TOOK_SECOND, &list, &lease), 1);
	sim_break(x->sim, 1, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(give(x, &lease, list[0].steps), OUTCOME_CHANGED);
	assert_int_equal(journal_peek(&x->store, 100, x->a, &lease, &x->err), 0);
	assert_string_equal(lease_state(&lease), "returning");
	/* The VM runs all the same, and its steps are due. */
	life_lender(x, &l, x->a, 100);
	assert_int_equal(lend_phase(&l, 100, PHASE_PRE_STOP, &x->err), OUTCOME_DONE);
	lockset_release(&l.locks);
	assert_int_equal(journal_peek(&x->store, 100, x->a, &lease, &x->err), 0);
	assert_int_equal(lease.marks[lease.n - 1], MARK_DID);
	life_must_end(x, 100);
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
	life_free(x);
}

static void a_lease_of_another_time_is_let_alone(void **state)
{
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");
	struct settled *list;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, PROFILE("hostpci: 0"));
	assert_int_equal(settle_with(x, TOOK_SECOND, &list, &lease), 1);
	lease.generation = "0000000000000000";
	assert_int_equal(give(x, &lease, list[0].steps), OUTCOME_BUSY);
	assert_reads(x->sim, DEVICES "/" FIRST ".0/driver", "vfio-pci");
	life_must_end(x, 100);
	assert_int_equal(give(x, &lease, list[0].steps), OUTCOME_DONE);
	life_free(x);
}

/* A profile that binds both has prepared what was taken. */
static void what_a_profile_binds_by_itself_stays(void **state)
{
	struct life *x = host_of(TWO, "hostpci0: mapping=card\n");
	struct settled *list;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, "handover: 1\ndevices: {a: {at: \"65:00\"}, b: {at: \"17:00\"}}\npre-start:\n- bind: [a, b]\n");
	assert_int_equal(settle_with(x, TOOK_SECOND, &list, &lease), 0);
	life_must_end(x, 100);
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_selects_what_it_names_on_this_node),
		cmocka_unit_test(without_vm_a_mapping_is_the_first_one),
		cmocka_unit_test(a_mapping_that_has_nothing_here_is_refused),
		cmocka_unit_test(a_line_that_proxmox_does_not_take_selects_nothing),
		cmocka_unit_test(the_first_that_is_free_is_prepared),
		cmocka_unit_test(what_a_line_before_has_got_is_passed_over),
		cmocka_unit_test(what_another_vm_is_lent_is_passed_over_while_that_runs),
		cmocka_unit_test(the_builtin_profile_is_about_mappings_too),
		cmocka_unit_test(what_was_prepared_and_taken_is_as_it_should_be),
		cmocka_unit_test(what_was_prepared_and_not_taken_goes_back),
		cmocka_unit_test(what_another_vm_has_reserved_is_not_taken_home),
		cmocka_unit_test(other_devices_of_the_lease_stay_with_the_vm),
		cmocka_unit_test(what_does_not_go_back_is_tried_again_when_the_vm_stops),
		cmocka_unit_test(a_lease_of_another_time_is_let_alone),
		cmocka_unit_test(what_a_profile_binds_by_itself_stays),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
