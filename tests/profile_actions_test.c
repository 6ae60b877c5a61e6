/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps of a profile against actions made for this test: what the loader does must not depend on which actions there
 * are today. This file brings its own table of actions, so it is linked without the real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/action.h"
#include "core/profile.h"

static const struct field lend_fields[] = {
	{ .name = "lend", .kind = FIELD_DEVICES, .required = true, .help = "the devices" },
	{ .name = "to", .kind = FIELD_WORD, .required = true, .help = "who gets them" },
	{ .name = "beside", .kind = FIELD_DEVICES, .help = "what else may go" },
	{ 0 },
};

static const struct action action_lend = {
	.name = "lend",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_POST_STOP),
	.phases_why = "the VM runs then",
	.fields = lend_fields,
};

static const struct field full_fields[ACTION_FIELDS_MAX + 1] = {
	{ .name = "full", .kind = FIELD_WORD, .required = true, .help = "a word" },
	{ .name = "f1", .kind = FIELD_WORD }, { .name = "f2", .kind = FIELD_WORD }, { .name = "f3", .kind = FIELD_WORD },
	{ .name = "f4", .kind = FIELD_WORD }, { .name = "f5", .kind = FIELD_WORD }, { .name = "f6", .kind = FIELD_WORD },
	{ .name = "f7", .kind = FIELD_WORD },
};

static const struct action action_full = {
	.name = "full",
	.phases = PHASE_BIT(PHASE_POST_START),
	.phases_why = "it needs a VM",
	.fields = full_fields,
};

const struct action *const actions[] = { &action_lend, &action_full, NULL };

#define DEVICES "handover: 1\ndevices: {gpu: {hostpci: 0}, nic: {hostpci: 1}}\n"

static const struct profile *parse(struct findings *f, struct arena *a, const char *text)
{
	findings_init(f, a);
	return profile_parse(text, strlen(text), "t.yaml", f);
}

/* Exactly that one finding. */
static void refuses(const char *text, const char *line)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	assert_null(parse(&f, a, text));
	assert_int_equal(f.n, 1);
	assert_string_equal(finding_line(&f.list[0], a), line);
}

static void options_come_in_the_order_of_the_actions_fields(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct profile *p;
	const struct wish *w;
	struct findings f;

	(void)state;
	p = parse(&f, a, DEVICES "post-stop:\n- {beside: [nic], to: x, lend: gpu}\n"
		  "post-start:\n- {f7: seven, full: [word]}\n");
	assert_non_null(p);
	w = p->steps[PHASE_POST_STOP];
	assert_ptr_equal(w->action, &action_lend);
	assert_string_equal(w->fields[0].list[0].s, "gpu");
	assert_string_equal(w->fields[1].list[0].s, "x");
	assert_string_equal(w->fields[2].list[0].s, "nic");
	w = p->steps[PHASE_POST_START];
	assert_string_equal(w->fields[0].list[0].s, "word");
	assert_string_equal(w->fields[ACTION_FIELDS_MAX - 1].list[0].s, "seven");
	assert_int_equal(w->fields[1].n, 0);
}

static void a_step_has_one_action(void **state)
{
	(void)state;
	refuses(DEVICES "pre-start:\n- lend: gpu\n  to: x\n  full: y\n",
		"t.yaml:6:3: error: a step has one action, and this one has 'lend' and 'full'; "
		"make it a step of its own [two-actions]");
	refuses(DEVICES "pre-start:\n- to: x\n",
		"t.yaml:4:3: error: this step has no action; give one of 'lend', 'full' [no-action]");
	refuses(DEVICES "pre-start:\n- to: x\n  lendd: gpu\n",
		"t.yaml:5:3: error: 'lendd' is not an action; did you mean 'lend' [unknown-action]");
}

static void a_required_option_is_missed(void **state)
{
	(void)state;
	refuses(DEVICES "pre-start:\n- lend: gpu\n",
		"t.yaml:4:3: error: 'lend' needs 'to'; add 'to: ...': who gets them [missing-option]");
}

static void an_option_of_another_action_is_unknown(void **state)
{
	(void)state;
	refuses(DEVICES "pre-start:\n- lend: gpu\n  to: x\n  f1: y\n",
		"t.yaml:6:3: error: 'f1' is not known in a step 'lend'; "
		"known are 'lend', 'to', 'beside' [unknown-key]");
}

static void an_action_stands_only_in_its_phases(void **state)
{
	(void)state;
	refuses(DEVICES "pre-stop:\n- {lend: gpu, to: x}\n",
		"t.yaml:4:3: error: 'lend' cannot stand in pre-stop: the VM runs then; put it under 'pre-start' or "
		"'post-stop' [wrong-phase]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_come_in_the_order_of_the_actions_fields),
		cmocka_unit_test(a_step_has_one_action),
		cmocka_unit_test(a_required_option_is_missed),
		cmocka_unit_test(an_option_of_another_action_is_unknown),
		cmocka_unit_test(an_action_stands_only_in_its_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
