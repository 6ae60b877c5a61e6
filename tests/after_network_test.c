/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 'after-network': where its steps are planned, and that they are done when an interface is back, and only then. */
#include "life.h"

#include <setjmp.h>

#include "core/action.h"

#define NIC "0000:00:1f.6"
#define SECOND "0000:00:14.3"
#define RUN "unit/netbird.service/run"
#define HEAD \
	"handover: 1\naccept: {unverified-isolation: [nic, audio]}\n" \
	"devices: {nic: {at: \"00:1f.6\"}, wifi: {at: \"00:14.3\"}, audio: {at: \"00:1f.3\"}}\n"
#define AFTER "after-network:\n- service: {restart: netbird.service}\n"
#define OTHERS "post-stop:\n- service: {restart: networking.service}\n"

/* A host whose slot 1f is split, with two units that run. */
static struct life *new_life(void)
{
	struct life *x = life_booted(host_load("elitedesk"));

	sim_set(x->sim, RUN, "of-before");
	sim_set(x->sim, "unit/netbird.service/state", "active");
	sim_set(x->sim, "unit/networking.service/run", "of-before");
	sim_set(x->sim, "unit/networking.service/state", "active");
	return x;
}

/* The steps of the last plan: "pre-start cycle 0000:00:1f.6; pre-start service netbird.service (0000:00:1f.6)". */
static const char *steps_of(struct life *x)
{
	const char *text = "";

	for (size_t i = 0; i < x->p.plan.n; i++) {
		const struct step *s = &x->p.plan.steps[i];
		const char *why = s->why && str_starts(s->why, "after-network: ") ? strchr(s->why, ' ') + 1 : NULL;

		text = arena_fmt(x->a, "%s%s%s %s %s%s%s%s", text, i ? "; " : "", phase_name(s->phase), s->action->name,
				 s->device, why ? " (" : "", why ? why : "", why ? ")" : "");
	}
	return text;
}

#define BACK_IN(phase) phase " service netbird.service (" NIC ")"

static void its_steps_are_planned_where_an_interface_comes_back(void **state)
{
	static const struct {
		const char *text, *steps;
	} cases[] = {
		/* Behind the step, before those that follow. */
		{ HEAD AFTER "pre-start:\n- cycle: nic\n- bind: audio\n",
		  "pre-start cycle " NIC "; " BACK_IN("pre-start") "; pre-start bind 0000:00:1f.3" },
		/* When the lease ends, before the profile's own. */
		{ HEAD AFTER "pre-start:\n- bind: nic\n" OTHERS,
		  "pre-start bind " NIC "; " BACK_IN("post-stop") "; post-stop service networking.service" },
		{ HEAD AFTER "pre-start:\n- bind: nic\n  return: cycle\n", "pre-start bind " NIC "; " BACK_IN("post-stop") },
		{ HEAD AFTER "pre-start:\n- remove: nic\n", "pre-start remove " NIC "; " BACK_IN("post-stop") },
		/* It has come back before: it does not once more. */
		{ HEAD AFTER "pre-start:\n- remove: nic\n- rescan: nic\n",
		  "pre-start remove " NIC "; pre-start rescan " NIC "; " BACK_IN("pre-start") },
		/* Twice it leaves, twice it comes back. */
		{ HEAD AFTER "pre-start:\n- cycle: nic\n- bind: nic\n",
		  "pre-start cycle " NIC "; " BACK_IN("pre-start") "; pre-start bind " NIC "; " BACK_IN("post-stop") },
		{ HEAD AFTER "pre-start:\n- bind: nic\npost-stop:\n- cycle: nic\n- service: {restart: networking.service}\n",
		  "pre-start bind " NIC "; " BACK_IN("post-stop") "; post-stop cycle " NIC "; " BACK_IN("post-stop")
		  "; post-stop service networking.service" },
		/* Two that go home together: once. */
		{ HEAD AFTER "pre-start:\n- bind: nic\n- bind: wifi\n",
		  "pre-start bind " NIC "; pre-start bind " SECOND "; post-stop service netbird.service (" NIC ", " SECOND ")" },
		/* It stays with vfio-pci. */
		{ HEAD AFTER "pre-start:\n- bind: nic\n  return: keep\n", "pre-start bind " NIC },
		/* None leaves; and what is not planned is not looked for: there is no such unit. */
		{ HEAD "after-network:\n- service: {restart: absent.service}\npre-start:\n- cycle: audio\n- bind: audio\n" OTHERS,
		  "pre-start cycle 0000:00:1f.3; pre-start bind 0000:00:1f.3; post-stop service networking.service" },
		{ HEAD AFTER OTHERS, "post-stop service networking.service" },
		/* Several steps, in their order. */
		{ HEAD AFTER "- wait: nic\n  for: 5s\n- check: nic\npre-start:\n- cycle: nic\n",
		  "pre-start cycle " NIC "; " BACK_IN("pre-start") "; pre-start wait " NIC " (" NIC "); pre-start check " NIC " (" NIC
		  ")" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = new_life();

		life_must_plan(x, 100, cases[i].text);
		assert_string_equal(steps_of(x), cases[i].steps);
		life_free(x);
	}
}

/* What may not be done is refused where it would be, and only there. */
static void what_the_policy_forbids_is_told_where_it_is_planned(void **state)
{
	struct life *x = new_life();
	const struct finding *f;

	(void)state;
	sim_set(x->sim, "unit/ssh.service/state", "active");
	sim_set(x->sim, "unit/ssh.service/run", "of-before");
	f = life_refused(x, 100, HEAD "after-network:\n- service: {restart: ssh.service}\npre-start:\n- cycle: nic\n",
			 "service-not-allowed");
	assert_int_equal(f->place.line, 5);
	life_must_plan(x, 100, HEAD "after-network:\n- service: {restart: ssh.service}\npre-start:\n- bind: audio\n");
	life_free(x);
}

/* --- what is done ------------------------------------------------------------------------------------------------- */

/* How often the unit was restarted, and whether its interface was there each time. */
static unsigned restarts;

static void count_restarts(struct life *x, const char *name, const char *value)
{
	if (strcmp(name, "unit/netbird.service/state") != 0)
		return;
	assert_string_equal(value, "restart");
	assert_reads(x->sim, "nic/" NIC "/up", "up");
	restarts++;
}

static struct life *counted_life(void)
{
	struct life *x = new_life();

	x->before = count_restarts;
	restarts = 0;
	return x;
}

static void they_are_done_when_it_is_back(void **state)
{
	static const struct {
		const char *steps;
		unsigned lent, ended;
	} cases[] = {
		{ "pre-start:\n- cycle: nic\n", 1, 1 },
		{ "pre-start:\n- remove: nic\n- rescan: nic\n", 1, 1 },
		{ "pre-start:\n- bind: nic\n", 0, 1 },
		{ "pre-start:\n- bind: nic\n  return: cycle\n", 0, 1 },
		{ "pre-start:\n- remove: nic\n", 0, 1 },
		{ "pre-start:\n- bind: audio\npost-stop:\n- cycle: nic\n", 0, 1 },
		{ "pre-start:\n- bind: audio\n", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = counted_life();

		life_must_lend(x, 100, arena_fmt(x->a, HEAD AFTER "%s", cases[i].steps));
		assert_int_equal(restarts, cases[i].lent);
		life_must_end(x, 100);
		assert_int_equal(restarts, cases[i].ended);
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

/* The unit fails once. */
static void break_restart(struct life *x, const char *name, const char *value)
{
	count_restarts(x, name, value);
	if (strcmp(name, "unit/netbird.service/state") == 0 && restarts == 1)
		sim_break(x->sim, 1, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
}

static void one_that_fails_is_a_step_of_its_phase_that_fails(void **state)
{
	struct life *x = counted_life();

	(void)state;
	x->before = break_restart;
	assert_int_equal(life_lend(x, 100, HEAD AFTER "pre-start:\n- cycle: nic\n- bind: audio\n"), OUTCOME_FAILED);
	assert_contains(x->err.text, "netbird.service");
	assert_reads(x->sim, "nic/" NIC "/up", "up");
	assert_false(life_has_lease(x, 100));
	life_free(x);

	x = counted_life();
	x->before = break_restart;
	life_must_lend(x, 100, HEAD AFTER "pre-start:\n- bind: nic\n" OTHERS);
	assert_int_equal(life_back(x, 100), OUTCOME_FAILED);
	assert_contains(x->err.text, "netbird.service");
	/* The others are done all the same. */
	assert_false(life_has_lease(x, 100));
	assert_non_null(life_event(x, EVENT_REACHED, "networking.service"));
	life_free(x);
}

static void break_audio(struct life *x, const char *name, const char *value)
{
	count_restarts(x, name, value);
	if (strcmp(name, DEVICES "/0000:00:1f.3/driver_override") == 0 && strcmp(value, "vfio-pci") == 0)
		sim_break(x->sim, 1, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
}

static void a_start_that_is_undone_brings_it_back_too(void **state)
{
	struct life *x = counted_life();

	(void)state;
	x->before = break_audio;
	assert_int_equal(life_lend(x, 100, HEAD AFTER "pre-start:\n- bind: nic\n- bind: audio\n"), OUTCOME_FAILED);
	assert_int_equal(restarts, 1);
	assert_false(life_has_lease(x, 100));
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_steps_are_planned_where_an_interface_comes_back),
		cmocka_unit_test(what_the_policy_forbids_is_told_where_it_is_planned),
		cmocka_unit_test(they_are_done_when_it_is_back),
		cmocka_unit_test(one_that_fails_is_a_step_of_its_phase_that_fails),
		cmocka_unit_test(a_start_that_is_undone_brings_it_back_too),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
