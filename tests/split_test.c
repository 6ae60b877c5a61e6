/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of IOMMU groups, foretold from config space, and which functions must leave. The hosts are made; what
 * kernels from 6.1 to 7.2 did with slots like these is what the tests expect.
 */
#include "support.h"

#include "core/split.h"

/* --- made hosts --------------------------------------------------------------------------------------------- */

/* A function by path below the root bus, with its IOMMU group and config space. */
#define FN(path, up, group, config) \
	"P: /devices/pci0000:00/0000:" path "\nA: vendor=0x8086\nA: device=0x1234\nA: class=0x088000\n" \
	"A: driver_override=(null)\nL: iommu_group=" up "../../../kernel/iommu_groups/" group "\n" config
#define SLOT(function, group, config) FN("00:1f." function, "", group, config)
#define BEHIND(bridge, function, group, config) FN("00:" bridge "/0000:02:00." function, "../", group, config)
#define HEAD "handover-host: 1\nsource: made: for a test of groups\n"

#define CLEAR "H: config+0e=00\nH: config+ff=00\n"
#define SET "H: config+0e=80\nH: config+ff=00\n"
/* A capability of PCI Express, and of ACS: what of it is switched on. */
#define EXPRESS "H: config+06=1000\nH: config+34=40\nH: config+40=10000200\nH: config+fff=00\n"
#define SET_EXPRESS "H: config+0e=80\n" EXPRESS
#define SET_ACS(control) SET_EXPRESS "H: config+100=0d0001005f00" control "\n"
#define ACS_ON "1d00"
#define BRIDGE "H: config+0e=01\nH: config+ff=00\n"

/* Function 0 has bit 7, the others have not, as in Intel's chipsets since the 100 series. */
#define SEED(g0, g3, g4, g5, g6) \
	HEAD SLOT("0", g0, SET) SLOT("3", g3, CLEAR) SLOT("4", g4, CLEAR) SLOT("5", g5, CLEAR) SLOT("6", g6, CLEAR)
#define SEED_BOOT SEED("5", "5", "5", "5", "5")

/* QEMU's ICH9: LPC, AHCI and SMBus have bit 7; audio and network have not. */
#define BUILTIN(g0, g2, g3, g5, g6) \
	HEAD SLOT("0", g0, SET) SLOT("2", g2, SET) SLOT("3", g3, SET) SLOT("5", g5, CLEAR) SLOT("6", g6, CLEAR)
#define BUILTIN_BOOT BUILTIN("5", "5", "5", "5", "5")

#define LIST_MAX 8

struct made {
	struct arena *a;
	struct host *host;
	struct inventory inv;
};

static void make(struct made *m, const char *text)
{
	struct error err;

	m->a = arena_new();
	m->host = host_from(text);
	if (inventory_read(m->host, m->a, &m->inv, &err) < 0)
		fail_msg("%s", err.text);
}

static void made_free(struct made *m)
{
	host_close(m->host);
	arena_free(m->a);
}

/* "1f.3" is of bus 0. */
static const char *address(struct arena *a, const char *s)
{
	return strchr(s, ':') ? arena_fmt(a, "0000:%s", s) : arena_fmt(a, "0000:00:%s", s);
}

static const struct function *function(const struct made *m, const char *s)
{
	const struct function *fn = inventory_find(&m->inv, address(m->a, s));

	if (!fn)
		fail_msg("there is no '%s'", s);
	return fn;
}

/* "1f.0 1f.3", in this order. */
static struct selection pick(const struct made *m, const char *text)
{
	struct selection s = { .list = arena_array(m->a, LIST_MAX, sizeof(*s.list)) };
	char *copy = arena_dup(m->a, text), *rest;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		s.list[s.n++] = function(m, word);
	return s;
}

static void foretell(const struct made *m, const char *moved, struct forecast *f)
{
	struct selection s = pick(m, moved);

	split_foretell(&m->inv, &s, m->a, f);
}

/* The outlook of a function, and with whom it will be: "1f.0 1f.3". */
static void will_be(const struct made *m, const struct forecast *f, const char *s, enum outlook outlook,
		    const char *members)
{
	const struct function *fn = function(m, s);
	enum outlook found = f->outlook[fn - m->inv.functions];
	struct selection with = pick(m, members);
	const char *text = "";

	for (size_t i = 0; i < with.n; i++)
		text = arena_fmt(m->a, "%s%s%s", text, *text ? " " : "", with.list[i]->address);
	if (found != outlook || strcmp(forecast_members(f, fn, m->a), text) != 0)
		fail_msg("%s: '%s' with '%s', should be '%s' with '%s'", s, outlook_name(found), forecast_members(f, fn, m->a),
			 outlook_name(outlook), text);
}

static void says_why(const struct made *m, const struct forecast *f, const char *s, const char *part)
{
	assert_contains(forecast_reason(f, function(m, s), m->a), part);
}

/* What was foretold is how things are: for what happens next. */
static void come_true(struct made *m, const struct forecast *f)
{
	for (size_t i = 0; i < m->inv.n; i++)
		m->inv.functions[i].group = f->group[i];
}

static const char *moved_by_plan(const struct made *m, const char *wanted, const char *movable)
{
	struct selection w = pick(m, wanted), may = pick(m, movable), moved;
	const char *why = "", *remedy, *text = "";

	if (!split_plan(&m->inv, &w, &may, m->a, &moved, &why, &remedy))
		return arena_fmt(m->a, "%s; %s", why, remedy ? remedy : "nothing helps");
	for (size_t i = 0; i < moved.n; i++)
		text = arena_fmt(m->a, "%s%s%s", text, *text ? " " : "", moved.list[i]->address + strlen("0000:00:"));
	return text;
}

#define ALL_OTHERS "1f.4 1f.5 1f.6"

/* --- a slot whose functions have bit 7 clear, but for function 0 ---------------------------------------------- */

static void one_function_splits_and_nobody_else_moves(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, SEED_BOOT);
	foretell(&m, "1f.3", &f);
	will_be(&m, &f, "1f.3", OUTLOOK_SPLIT, "1f.3");
	will_be(&m, &f, "1f.0", OUTLOOK_SPLIT, "1f.0 1f.4 1f.5 1f.6");
	will_be(&m, &f, "1f.6", OUTLOOK_SPLIT, "1f.0 1f.4 1f.5 1f.6");
	says_why(&m, &f, "1f.3", "bit 7 of its own header byte (0x0e) is clear");
	assert_null(f.joins[1]);
	assert_true(f.moved[1] && !f.moved[0]);
	made_free(&m);
}

static void all_together_are_all_alone(void **state)
{
	static const char *const all[] = { "1f.0", "1f.3", "1f.4", "1f.5", "1f.6" };
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, SEED_BOOT);
	foretell(&m, "1f.0 1f.3 1f.4 1f.5 1f.6", &f);
	for (size_t i = 0; i < COUNT(all); i++)
		will_be(&m, &f, all[i], OUTLOOK_SPLIT, all[i]);
	says_why(&m, &f, "1f.0", "before any sibling");
	/* In which order they were named does not matter: a slot is scanned from function 0 up. */
	foretell(&m, "1f.6 1f.5 1f.4 1f.3 1f.0", &f);
	for (size_t i = 0; i < COUNT(all); i++)
		will_be(&m, &f, all[i], OUTLOOK_SPLIT, all[i]);
	made_free(&m);
}

static void function_0_comes_back_into_its_siblings_group(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, SEED_BOOT);
	foretell(&m, "1f.0", &f);
	will_be(&m, &f, "1f.0", OUTLOOK_NO_CHANGE, "1f.0 1f.3 1f.4 1f.5 1f.6");
	says_why(&m, &f, "1f.0", "is set, so when it is found again it joins the group of a sibling without ACS");
	says_why(&m, &f, "1f.0", "0000:00:1f.3, 0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6");
	made_free(&m);
	/* When they are in several, nobody can say in which. */
	make(&m, SEED("5", "9", "5", "5", "5"));
	foretell(&m, "1f.0", &f);
	assert_int_equal(f.outlook[0], OUTLOOK_MERGE_RISK);
	assert_non_null(f.joins[0]);
	made_free(&m);
}

static void one_by_one_without_function_0_ends_as_all_together(void **state)
{
	static const char *const order[] = { "1f.3", "1f.6", "1f.4", "1f.5" };
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, SEED_BOOT);
	for (size_t i = 0; i < COUNT(order); i++) {
		foretell(&m, order[i], &f);
		will_be(&m, &f, order[i], OUTLOOK_SPLIT, order[i]);
		come_true(&m, &f);
	}
	for (size_t i = 0; i < m.inv.n; i++)
		assert_true(split_is_alone(&m.inv, &m.inv.functions[i]));
	/* Once alone, one that has bit 7 clear stays so. */
	foretell(&m, "1f.3", &f);
	will_be(&m, &f, "1f.3", OUTLOOK_NO_CHANGE, "1f.3");
	will_be(&m, &f, "1f.0", OUTLOOK_NO_CHANGE, "1f.0");
	made_free(&m);
}

static void the_pair_of_function_0_and_another_merges_after_a_split(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, SEED("5", "9", "11", "12", "10"));
	foretell(&m, "1f.0 1f.3", &f);
	assert_int_equal(f.outlook[0], OUTLOOK_MERGE_RISK);
	says_why(&m, &f, "1f.0", "0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6");
	/* 1f.3 is found later and never joins anybody. */
	will_be(&m, &f, "1f.3", OUTLOOK_NO_CHANGE, "1f.3");
	/* With all of the slot away it is alone again. */
	foretell(&m, "1f.0 1f.3 1f.4 1f.5 1f.6", &f);
	will_be(&m, &f, "1f.0", OUTLOOK_NO_CHANGE, "1f.0");
	made_free(&m);
}

/* --- a slot with several functions that have bit 7 ------------------------------------------------------------ */

static void of_a_mixed_slot_only_those_with_bit_7_clear_split(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, BUILTIN_BOOT);
	foretell(&m, "1f.2", &f);
	will_be(&m, &f, "1f.2", OUTLOOK_NO_CHANGE, "1f.0 1f.2 1f.3 1f.5 1f.6");
	foretell(&m, "1f.3", &f);
	will_be(&m, &f, "1f.3", OUTLOOK_NO_CHANGE, "1f.0 1f.2 1f.3 1f.5 1f.6");
	foretell(&m, "1f.5", &f);
	will_be(&m, &f, "1f.5", OUTLOOK_SPLIT, "1f.5");
	foretell(&m, "1f.6", &f);
	will_be(&m, &f, "1f.6", OUTLOOK_SPLIT, "1f.6");
	made_free(&m);
}

static void the_rest_of_the_slot_would_join_the_one_that_is_lent(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, BUILTIN("5", "5", "5", "9", "5"));
	foretell(&m, "1f.0 1f.2 1f.3 1f.6", &f);
	will_be(&m, &f, "1f.0", OUTLOOK_MERGE_RISK, "1f.0 1f.2 1f.3 1f.5");
	will_be(&m, &f, "1f.2", OUTLOOK_MERGE_RISK, "1f.0 1f.2 1f.3 1f.5");
	will_be(&m, &f, "1f.3", OUTLOOK_MERGE_RISK, "1f.0 1f.2 1f.3 1f.5");
	/* The one that stays is told of it too. */
	will_be(&m, &f, "1f.5", OUTLOOK_MERGE_RISK, "1f.0 1f.2 1f.3 1f.5");
	will_be(&m, &f, "1f.6", OUTLOOK_SPLIT, "1f.6");
	assert_ptr_equal(f.joins[0], function(&m, "1f.5"));
	made_free(&m);
}

/* --- cards behind bridges ------------------------------------------------------------------------------------- */

static void a_graphics_card_with_bit_7_everywhere_never_splits(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	/* Its root port isolates it, so the port is in another group. */
	make(&m, HEAD FN("00:01.0", "", "1", BRIDGE) BEHIND("01.0", "0", "2", SET_EXPRESS)
		 BEHIND("01.0", "1", "2", SET_EXPRESS));
	foretell(&m, "02:00.1", &f);
	will_be(&m, &f, "02:00.1", OUTLOOK_NO_CHANGE, "02:00.0 02:00.1");
	says_why(&m, &f, "02:00.1", "joins the group of a sibling without ACS that is there: 0000:02:00.0");
	foretell(&m, "02:00.0", &f);
	will_be(&m, &f, "02:00.0", OUTLOOK_NO_CHANGE, "02:00.0 02:00.1");
	foretell(&m, "02:00.0 02:00.1", &f);
	will_be(&m, &f, "02:00.0", OUTLOOK_NO_CHANGE, "02:00.0 02:00.1");
	will_be(&m, &f, "02:00.1", OUTLOOK_NO_CHANGE, "02:00.0 02:00.1");
	says_why(&m, &f, "02:00.0", "before any sibling");
	/* The bridge above is not of the slot. */
	will_be(&m, &f, "01.0", OUTLOOK_NO_CHANGE, "01.0");
	made_free(&m);
	/* As pcie_acs_override leaves them: a rescan puts them together. */
	make(&m, HEAD FN("00:01.0", "", "1", BRIDGE) BEHIND("01.0", "0", "2", SET_EXPRESS)
		 BEHIND("01.0", "1", "3", SET_EXPRESS));
	foretell(&m, "02:00.1", &f);
	will_be(&m, &f, "02:00.1", OUTLOOK_MERGE_RISK, "02:00.0 02:00.1");
	made_free(&m);
}

static void behind_a_bridge_that_isolates_nothing_nothing_changes(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, HEAD FN("00:01.0", "", "1", BRIDGE) BEHIND("01.0", "0", "1", SET) BEHIND("01.0", "1", "1", CLEAR));
	foretell(&m, "02:00.1", &f);
	will_be(&m, &f, "02:00.1", OUTLOOK_NO_CHANGE, "01.0 02:00.0 02:00.1");
	says_why(&m, &f, "02:00.1", "behind the bridge 0000:00:01.0, which isolates nothing");
	foretell(&m, "02:00.0 02:00.1", &f);
	will_be(&m, &f, "02:00.0", OUTLOOK_NO_CHANGE, "01.0 02:00.0 02:00.1");
	assert_string_equal(moved_by_plan(&m, "02:00.1", "02:00.0"),
			    "0000:02:00.1 stands behind the bridge 0000:00:01.0, which isolates nothing: it shares its group "
			    "wherever it is found; nothing helps");
	made_free(&m);
}

static void acs_isolates_if_it_is_switched_on(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, HEAD SLOT("0", "5", SET_ACS(ACS_ON)) SLOT("1", "5", SET_ACS(ACS_ON)) SLOT("2", "5", SET_ACS("0000")));
	assert_true(split_leaves(function(&m, "1f.1")));
	assert_false(split_leaves(function(&m, "1f.2")));
	foretell(&m, "1f.1", &f);
	will_be(&m, &f, "1f.1", OUTLOOK_SPLIT, "1f.1");
	says_why(&m, &f, "1f.1", "it has ACS, so it gets a group of its own");
	/* Of its siblings none is without ACS, so it joins nobody. */
	foretell(&m, "1f.2", &f);
	will_be(&m, &f, "1f.2", OUTLOOK_SPLIT, "1f.2");
	assert_string_equal(moved_by_plan(&m, "1f.0", ""), "1f.0");
	made_free(&m);
}

/* --- what cannot be known ------------------------------------------------------------------------------------- */

static void without_iommu_there_is_nothing_to_split(void **state)
{
	static const char text[] = HEAD
		"P: /devices/pci0000:00/0000:00:1f.0\nA: vendor=0x8086\nA: device=0x1234\nA: class=0x088000\n" SET
		"P: /devices/pci0000:00/0000:00:1f.3\nA: vendor=0x8086\nA: device=0x1234\nA: class=0x088000\n" CLEAR;
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, text);
	foretell(&m, "1f.0 1f.3", &f);
	will_be(&m, &f, "1f.0", OUTLOOK_NO_CHANGE, "");
	will_be(&m, &f, "1f.3", OUTLOOK_NO_CHANGE, "");
	says_why(&m, &f, "1f.3", "0000:00:1f.3 is in no IOMMU group");
	assert_string_equal(moved_by_plan(&m, "1f.3", ""), "");
	made_free(&m);
}

static void without_config_space_the_worst_is_foretold(void **state)
{
	struct made m;
	struct forecast f;

	(void)state;
	make(&m, HEAD SLOT("0", "5", SET) SLOT("3", "5", ""));
	assert_false(function(&m, "1f.3")->has_config);
	assert_false(split_leaves(function(&m, "1f.3")));
	foretell(&m, "1f.3", &f);
	will_be(&m, &f, "1f.3", OUTLOOK_NO_CHANGE, "1f.0 1f.3");
	says_why(&m, &f, "1f.3", "its config space cannot be read");
	assert_contains(moved_by_plan(&m, "1f.3", "1f.0"),
			"0000:00:1f.3 shares its IOMMU group with 0000:00:1f.0, and neither can leave it: of 0000:00:1f.3, its "
			"config space cannot be read; of 0000:00:1f.0, bit 7");
	made_free(&m);
	make(&m, HEAD SLOT("0", "5", SET) SLOT("3", "9", ""));
	foretell(&m, "1f.3", &f);
	will_be(&m, &f, "1f.3", OUTLOOK_MERGE_RISK, "1f.0 1f.3");
	made_free(&m);
}

/* --- the gentlest way ----------------------------------------------------------------------------------------- */

static void only_what_must_move_moves(void **state)
{
	struct made m;

	(void)state;
	make(&m, SEED_BOOT);
	assert_string_equal(moved_by_plan(&m, "1f.3", ""), "1f.3");
	/* What may move does not, if it need not. */
	assert_string_equal(moved_by_plan(&m, "1f.3", ALL_OTHERS), "1f.3");
	assert_string_equal(moved_by_plan(&m, "1f.3 1f.6", "1f.0 1f.4 1f.5"), "1f.3 1f.6");
	/* Function 0 is alone once the others have left; it never leaves itself, not even where it may. */
	assert_string_equal(moved_by_plan(&m, "1f.0", "1f.3 " ALL_OTHERS), "1f.3 1f.4 1f.5 1f.6");
	assert_string_equal(moved_by_plan(&m, "1f.0 1f.3", ALL_OTHERS), "1f.3 1f.4 1f.5 1f.6");
	assert_string_equal(moved_by_plan(&m, "1f.3 1f.0", "1f.0 " ALL_OTHERS), "1f.3 1f.4 1f.5 1f.6");
	made_free(&m);
}

static void what_the_plan_moves_makes_all_wanted_alone(void **state)
{
	static const char *const wanted[] = { "1f.3", "1f.0", "1f.0 1f.3", "1f.6 1f.0" };

	(void)state;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct made m;
		struct forecast f;
		struct selection w;

		make(&m, SEED_BOOT);
		foretell(&m, moved_by_plan(&m, wanted[i], "1f.3 " ALL_OTHERS), &f);
		for (size_t k = 0; k < m.inv.n; k++)
			assert_true(f.outlook[k] == OUTLOOK_SPLIT);
		come_true(&m, &f);
		w = pick(&m, wanted[i]);
		for (size_t k = 0; k < w.n; k++)
			assert_true(split_is_alone(&m.inv, w.list[k]));
		/* And then nothing is left to do. */
		assert_string_equal(moved_by_plan(&m, wanted[i], ""), "");
		made_free(&m);
	}
}

static void what_may_not_move_is_named(void **state)
{
	struct made m;

	(void)state;
	make(&m, SEED_BOOT);
	assert_string_equal(moved_by_plan(&m, "1f.0 1f.3", "1f.4 1f.6"),
			    "0000:00:1f.0 can be alone only if 0000:00:1f.5 leaves its IOMMU group: bit 7 of its own header "
			    "byte (0x0e) is set, so it joins its siblings' group again; pcie_acs_override cannot help, because "
			    "it is looked at for PCI Express only and this is a conventional PCI function; "
			    "name 0000:00:1f.5 under 'moving'");
	/* When the others have left already, nobody is asked for. */
	made_free(&m);
	make(&m, SEED("5", "9", "11", "12", "10"));
	assert_string_equal(moved_by_plan(&m, "1f.0", ""), "");
	made_free(&m);
}

static void two_with_bit_7_stay_together(void **state)
{
	struct made m;
	const char *said;

	(void)state;
	make(&m, BUILTIN_BOOT);
	said = moved_by_plan(&m, "1f.2", "1f.0 1f.3 1f.5 1f.6");
	assert_contains(said, "0000:00:1f.2 shares its IOMMU group with 0000:00:1f.0, and neither can leave it: of both, bit 7");
	assert_contains(said, "nothing helps");
	assert_string_equal(moved_by_plan(&m, "1f.5", ""), "1f.5");
	made_free(&m);
	/* A graphics card's audio: PCI Express, so nothing is said of pcie_acs_override. */
	make(&m, HEAD FN("00:01.0", "", "1", BRIDGE) BEHIND("01.0", "0", "2", SET_EXPRESS)
		 BEHIND("01.0", "1", "2", SET_EXPRESS));
	said = moved_by_plan(&m, "02:00.1", "02:00.0");
	assert_contains(said, "0000:02:00.1 shares its IOMMU group with 0000:02:00.0, and neither can leave it");
	assert_null(strstr(said, "pcie_acs_override"));
	made_free(&m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_function_splits_and_nobody_else_moves),
		cmocka_unit_test(all_together_are_all_alone),
		cmocka_unit_test(function_0_comes_back_into_its_siblings_group),
		cmocka_unit_test(one_by_one_without_function_0_ends_as_all_together),
		cmocka_unit_test(the_pair_of_function_0_and_another_merges_after_a_split),
		cmocka_unit_test(of_a_mixed_slot_only_those_with_bit_7_clear_split),
		cmocka_unit_test(the_rest_of_the_slot_would_join_the_one_that_is_lent),
		cmocka_unit_test(a_graphics_card_with_bit_7_everywhere_never_splits),
		cmocka_unit_test(behind_a_bridge_that_isolates_nothing_nothing_changes),
		cmocka_unit_test(acs_isolates_if_it_is_switched_on),
		cmocka_unit_test(without_iommu_there_is_nothing_to_split),
		cmocka_unit_test(without_config_space_the_worst_is_foretold),
		cmocka_unit_test(only_what_must_move_moves),
		cmocka_unit_test(what_the_plan_moves_makes_all_wanted_alone),
		cmocka_unit_test(what_may_not_move_is_named),
		cmocka_unit_test(two_with_bit_7_stay_together),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
