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

static const char *const turn_verbs[] = { "start", "halt", NULL };
static const char *const carry_verbs[] = { "in", "out", NULL };

static const struct field turn_fields[] = {
	{ .name = "turn", .kind = FIELD_UNITS, .required = true, .verbs = turn_verbs, .help = "units" },
	{ .name = "carry", .kind = FIELD_MODULES, .verbs = carry_verbs, .help = "modules" },
	{ .name = "within", .kind = FIELD_TIME, .help = "how long" },
	{ .name = "plug", .kind = FIELD_USB, .help = "what hangs on USB" },
	{ 0 },
};

static const struct action action_turn = {
	.name = "turn",
	.phases = PHASE_BIT(PHASE_POST_STOP) | PHASE_BIT(PHASE_BOOT) | PHASE_BIT(AFTER_NETWORK),
	.phases_why = "it is for the others",
	.fields = turn_fields,
};

const struct action *const actions[] = { &action_lend, &action_full, &action_turn, NULL };

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
		"t.yaml:4:3: error: this step has no action; give one of 'lend', 'full', 'turn' [no-action]");
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
	refuses(DEVICES "after-network:\n- {lend: gpu, to: x}\n",
		"t.yaml:4:3: error: 'lend' cannot stand in after-network: that is for those who use the network, and no device or "
		"driver is changed there; put it under 'pre-start' or 'post-stop' [wrong-phase]");
	refuses("handover: 1\npre-start:\n- turn: {start: a.service}\n",
		"t.yaml:3:3: error: 'turn' cannot stand in pre-start: it is for the others; put it under 'post-stop' or 'boot' or "
		"'after-network' [wrong-phase]");
}

/* --- fields that are no names ------------------------------------------------------------------------------------ */

#define TURN "handover: 1\npost-stop:\n- turn: "

static void a_verb_and_what_it_is_done_to_are_read(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct profile *p;
	const struct wish *w;
	struct findings f;

	(void)state;
	p = parse(&f, a, TURN "{halt: [a.service, b.timer]}\n  carry: {in: x-y_0}\n  within: 10s\n"
		  "  plug: [\"1-2.1\", \"046D:C31C\"]\n");
	assert_non_null(p);
	w = p->steps[PHASE_POST_STOP];
	assert_string_equal(w->fields[0].verb.s, "halt");
	assert_int_equal(w->fields[0].verb.place.line, 3);
	assert_int_equal(w->fields[0].verb.place.column, 10);
	assert_int_equal(w->fields[0].n, 2);
	assert_string_equal(w->fields[0].list[1].s, "b.timer");
	assert_string_equal(w->fields[1].verb.s, "in");
	assert_string_equal(w->fields[1].list[0].s, "x-y_0");
	assert_string_equal(w->fields[2].list[0].s, "10s");
	assert_null(w->fields[2].verb.s);
	assert_int_equal(w->fields[3].n, 2);
}

static void a_verb_is_one_of_the_fields(void **state)
{
	(void)state;
	refuses(TURN "{start: a.service, halt: b.service}\n",
		"t.yaml:3:28: error: a step 'turn' does one thing, and this one has two; make it a step of its own "
		"[bad-verb]");
	refuses(TURN "{}\n",
		"t.yaml:3:9: error: nothing says what 'turn' does; it is one of 'start', 'halt' [bad-verb]");
	refuses(TURN "{strat: a.service}\n",
		"t.yaml:3:10: error: 'strat' is nothing that 'turn' does; did you mean 'start' [bad-verb]");
	/* A verb of another field is as far away as any other word. */
	refuses(TURN "{out: a.service}\n",
		"t.yaml:3:10: error: 'out' is nothing that 'turn' does; it is one of 'start', 'halt' [bad-verb]");
	refuses(TURN "[start, a.service]\n",
		"t.yaml:3:9: error: 'turn' is a list where a map is wanted; write 'turn: {start: NAME}' [wrong-type]");
	refuses(TURN "a.service\n",
		"t.yaml:3:9: error: 'turn' is a word where a map is wanted; write 'turn: {start: NAME}' [wrong-type]");
	refuses(TURN "\n", "t.yaml:3:8: error: 'turn' has no value; write 'turn: {start: NAME}' [missing-value]");
	refuses(TURN "{start: []}\n",
		"t.yaml:3:17: error: the list of 'start' is empty; name at least one, or leave the key out [empty-list]");
}

static void a_time_is_not_longer_than_a_phase(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;
	unsigned s = PHASE_MS / 1000;

	(void)state;
	assert_non_null(parse(&f, a, arena_fmt(a, TURN "{start: a.service}\n  within: %us\n", s)));
	assert_non_null(parse(&f, a, arena_fmt(a, TURN "{start: a.service}\n  within: %ums\n", PHASE_MS)));
	refuses(arena_fmt(a, TURN "{start: a.service}\n  within: %us\n", s + 1),
		arena_fmt(a, "t.yaml:4:11: error: 'within' cannot be '%us'; write a time such as 500ms or 10s, at most %us "
			     "[bad-time]", s + 1, s));
	refuses(TURN "{start: a.service}\n  within: 0s\n",
		arena_fmt(a, "t.yaml:4:11: error: 'within' cannot be '0s'; write a time such as 500ms or 10s, at most %us "
			     "[bad-time]", s));
	/* It is told once, though it is no name either. */
	refuses(TURN "{start: a.service}\n  within: 1.5 s\n",
		arena_fmt(a, "t.yaml:4:11: error: 'within' cannot be '1.5 s'; write a time such as 500ms or 10s, at most %us "
			     "[bad-time]", s));
}

static void a_unit_has_at_most_255_bytes(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	(void)state;
	assert_non_null(parse(&f, a, arena_fmt(a, TURN "{start: n%0246d.service}\n", 0)));
	assert_null(parse(&f, a, arena_fmt(a, TURN "{start: n%0247d.service}\n", 0)));
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].code, "bad-unit");
}

static void a_usb_device_is_told_by_its_form(void **state)
{
	(void)state;
	refuses(TURN "{start: a.service}\n  plug: [\"1-2\", keyboard]\n",
		"t.yaml:4:17: error: 'plug' cannot be 'keyboard'; write vendor:device as 'lsusb' shows it, such as "
		"\"046d:c31c\", or a port such as \"1-2.1\" [bad-usb]");
}

static void boot_stands_alone(void **state)
{
	(void)state;
	refuses("handover: 1\npre-start:\nboot:\n- turn: {start: a.service}\n",
		"t.yaml:2:1: error: 'pre-start' cannot stand beside 'boot', which is done once, before any VM; put 'boot' into "
		"/etc/handover/host.yaml and this into the VM's profile [boot-alone]");
	refuses(DEVICES "boot:\n- {lend: gpu, to: x}\n",
		"t.yaml:4:3: error: 'lend' cannot stand in boot: the VM runs then; put it under 'pre-start' or 'post-stop' "
		"[wrong-phase]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_come_in_the_order_of_the_actions_fields),
		cmocka_unit_test(a_step_has_one_action),
		cmocka_unit_test(a_required_option_is_missed),
		cmocka_unit_test(an_option_of_another_action_is_unknown),
		cmocka_unit_test(an_action_stands_only_in_its_phases),
		cmocka_unit_test(a_verb_and_what_it_is_done_to_are_read),
		cmocka_unit_test(a_verb_is_one_of_the_fields),
		cmocka_unit_test(a_time_is_not_longer_than_a_phase),
		cmocka_unit_test(a_unit_has_at_most_255_bytes),
		cmocka_unit_test(a_usb_device_is_told_by_its_form),
		cmocka_unit_test(boot_stands_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
