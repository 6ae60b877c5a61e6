/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The action 'run': which commands are planned, and what the engine makes of how they end. */
#include "life.h"

#include "core/action.h"
#include "host/command.h"
#include "host/live.h"

#define NOTIFY "/usr/local/bin/notify"
#define HEAD "handover: 1\n"

static const char *listed[] = { NOTIFY, "/bin/sh", "/bin/true" };
static const struct policy allowing = {
	.automatic = true, .phase_ms = PHASE_MS, .lock_ms = LOCK_MS, .run = { listed, COUNT(listed) },
};
static const struct policy forbidding = { .automatic = true, .phase_ms = PHASE_MS, .lock_ms = LOCK_MS };

/* A host that is simulated, but that commands are really run if there is a live one. */
struct mixed {
	struct host host;
	struct host *sim, *live;
};

static struct host *side(struct host *h, const char *name)
{
	struct mixed *m = (struct mixed *)h;

	return m->live && (str_starts(name, "command/") || str_starts(name, "result/")) ? m->live : m->sim;
}

static ssize_t mixed_read(struct host *h, const char *name, char *buf, size_t size)
{
	return side(h, name)->ops->read(side(h, name), name, buf, size);
}

static ssize_t mixed_link(struct host *h, const char *name, char *buf, size_t size)
{
	return side(h, name)->ops->link(side(h, name), name, buf, size);
}

static int mixed_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	return side(h, name)->ops->list(side(h, name), name, a, names, n);
}

static int mixed_write(struct host *h, const char *name, const char *value, unsigned ms, struct host_stuck *stuck)
{
	return side(h, name)->ops->write(side(h, name), name, value, ms, stuck);
}

static int mixed_wait(struct host *h, unsigned ms)
{
	return host_wait(((struct mixed *)h)->sim, ms);
}

static int64_t mixed_now(struct host *h)
{
	return host_now(((struct mixed *)h)->sim);
}

static void mixed_close(struct host *h)
{
	struct mixed *m = (struct mixed *)h;

	host_close(m->sim);
	host_close(m->live);
	free(m);
}

static const struct host_ops mixed_ops = {
	.read = mixed_read, .link = mixed_link, .list = mixed_list, .write = mixed_write, .wait = mixed_wait, .now = mixed_now,
	.close = mixed_close,
};

/* One VM on it. */
struct stage {
	struct arena *a;
	struct host *host;
	struct mixed *mixed;
	struct store store;
	const struct policy *policy;
	struct findings f;
	struct planner p;
	struct error err;
	struct told told[EVENTS_MAX];
	size_t n_told;
};

static struct stage stage_new(bool live)
{
	struct stage s = { .a = arena_new(), .policy = &allowing };

	s.mixed = calloc(1, sizeof(*s.mixed));
	assert_non_null(s.mixed);
	*s.mixed = (struct mixed){ .host = { .ops = &mixed_ops }, .sim = host_load("elitedesk") };
	s.host = &s.mixed->host;
	if (live)
		assert_int_equal(live_open(&s.mixed->live, &s.err), 0);
	sim_set(s.mixed->sim, "command" NOTIFY, "0");
	store_open_memory(&s.store);
	return s;
}

static void stage_end(struct stage *s)
{
	store_close(&s->store);
	host_close(s->host);
	arena_free(s->a);
}

static bool plan(struct stage *s, const char *text)
{
	struct inventory *found = arena_alloc(s->a, sizeof(*found));
	const struct profile *profile;

	findings_init(&s->f, s->a);
	profile = profile_parse(text, strlen(text), "test.yaml", &s->f);
	if (!profile)
		fail_msg("%s", finding_line(&s->f.list[0], s->a));
	assert_int_equal(inventory_read(s->host, s->a, found, &s->err), 0);
	s->p = (struct planner){
		.host = s->host, .found = found, .profile = profile, .policy = s->policy, .findings = &s->f, .arena = s->a,
	};
	return plan_make(&s->p);
}

/* --- plans --------------------------------------------------------------------------------------------------------- */

static void refused(const struct policy *policy, const char *step, const char *line)
{
	struct stage s = stage_new(false);

	s.policy = policy;
	assert_false(plan(&s, arena_fmt(s.a, HEAD "post-stop:\n- %s\n", step)));
	assert_int_equal(s.f.n, 1);
	assert_string_equal(finding_line(&s.f.list[0], s.a), line);
	assert_int_equal(s.p.plan.n, 0);
	stage_end(&s);
}

static void only_what_the_policy_lists_is_run(void **state)
{
	static const char line[] = "test.yaml:3:8: error: the policy of this host does not allow to run " NOTIFY "; add 'run = "
				   NOTIFY "' under [allow] in /etc/handover/handover.conf [run-not-allowed]";

	(void)state;
	refused(&forbidding, "run: " NOTIFY, line);
	refused(&forbidding, "run:  [" NOTIFY ", a]", "test.yaml:3:10: error: the policy of this host does not allow to run "
		NOTIFY "; add 'run = " NOTIFY "' under [allow] in /etc/handover/handover.conf [run-not-allowed]");
	/* Not what is below it, nor beside it. */
	refused(&allowing, "run: " NOTIFY "/x", "test.yaml:3:8: error: the policy of this host does not allow to run " NOTIFY
		"/x; write 'run = " NOTIFY " /bin/sh /bin/true " NOTIFY "/x' under [allow] in /etc/handover/handover.conf [run-not-allowed]");
}

static void a_command_that_is_not_there_is_told(void **state)
{
	(void)state;
	refused(&allowing, "run: [/bin/true, x]", "test.yaml:3:9: error: /bin/true is no executable file, or others than root "
		"could have put it there: it, and all folders on the way, must belong to root and be writable by nobody else; compare "
		"with `namei -l /bin/true` [run-missing]");
}

#define FULL HEAD "pre-start:\n- run: [" NOTIFY ", \"%0100d\", \"%0*d\"]\n", 0

static void what_does_not_fit_in_a_name_is_told(void **state)
{
	struct stage s = stage_new(false);
	int room = HOST_NAME_BYTES - 1 - (int)strlen("command" NOTIFY COMMAND_GAP COMMAND_GAP) - 100;

	(void)state;
	assert_true(plan(&s, arena_fmt(s.a, FULL, room, 0)));
	assert_int_equal(strlen(s.p.plan.steps[0].look[0]), HOST_NAME_BYTES - 1);
	assert_false(plan(&s, arena_fmt(s.a, FULL, room + 1, 0)));
	assert_string_equal(finding_line(assert_only(&s.f, "run-too-long"), s.a), "test.yaml:3:3: error: the command and its "
			    "arguments do not fit in 255 bytes; put them into a script, and run that [run-too-long]");
	stage_end(&s);
}

static void it_is_run_once_and_nothing_goes_back(void **state)
{
	static const char *const phases[] = { "pre-start", "post-start", "pre-stop", "post-stop" };
	static struct poke w[STEP_WRITES_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(phases); i++) {
		struct stage s = stage_new(false);
		const struct step *step;

		assert_true(plan(&s, arena_fmt(s.a, HEAD "%s:\n- run: [" NOTIFY ", a b, \"\"]\n", phases[i])));
		assert_int_equal(s.p.plan.n, 1);
		step = &s.p.plan.steps[0];
		assert_string_equal(step->device, NOTIFY " \"a b\" \"\"");
		assert_int_equal(step_writes(step, &step->from, &step->to, w), 1);
		assert_string_equal(w[0].what, "running it");
		assert_string_equal(w[0].at, "command" NOTIFY "%20a+b%20");
		assert_string_equal(w[0].put, "run");
		assert_false(w[0].perhaps);
		assert_int_equal(w[0].deadline_ms, 10000);
		assert_int_equal(step_writes(step, &step->to, &step->from, w), 0);
		assert_int_equal(step_writes(step, &step->to, &step->home, w), 0);
		stage_end(&s);
	}
}

static void it_has_the_time_it_is_given(void **state)
{
	static struct poke w[STEP_WRITES_MAX];
	struct stage s = stage_new(false);
	const struct step *step;

	(void)state;
	assert_true(plan(&s, HEAD "post-stop:\n- run: " NOTIFY "\n  for: 45s\n"));
	step = &s.p.plan.steps[0];
	assert_int_equal(step_writes(step, &step->from, &step->to, w), 1);
	assert_int_equal(w[0].deadline_ms, PHASE_MS);
	stage_end(&s);
}

/* --- leases -------------------------------------------------------------------------------------------------------- */

static void hear(void *arg, const struct event *e)
{
	struct stage *s = arg;
	struct told *t = &s->told[s->n_told++];

	assert_true(s->n_told < EVENTS_MAX);
	*t = (struct told){ .kind = e->kind, .goal = e->goal };
	snprintf(t->device, sizeof(t->device), "%s", e->step->device);
	snprintf(t->text, sizeof(t->text), "%s", e->text ? e->text : "");
}

static struct lender lender_of(struct stage *s)
{
	struct lender l;

	lender_init(&l, s->host, &s->store, s->a, "a test");
	l.engine.tell = hear;
	l.engine.arg = s;
	s->n_told = 0;
	s->err = (struct error){ 0 };
	return l;
}

static enum outcome lend(struct stage *s, const char *text)
{
	struct lender l = lender_of(s);

	if (!plan(s, text))
		fail_msg("%s", finding_line(&s->f.list[0], s->a));
	return lend_out(&l, 100, s->p.profile, 1, &s->p.plan, &s->err);
}

static enum outcome back(struct stage *s)
{
	struct lender l = lender_of(s);
	bool ended;

	return lend_back(&l, 100, &ended, &s->err);
}

static enum outcome phase(struct stage *s, enum phase phase)
{
	struct lender l = lender_of(s);

	return lend_phase(&l, 100, phase, &s->err);
}

/* Another program comes, which has run nothing yet. */
static void next_program(struct stage *s)
{
	sim_set(s->mixed->sim, "command" NOTIFY, "0");
}

#define TWICE "- run: " NOTIFY "\n- run: " NOTIFY "\n"

static void each_step_is_done_once_in_its_phase(void **state)
{
	struct stage s = stage_new(false);

	(void)state;
	assert_int_equal(lend(&s, HEAD "pre-start:\n" TWICE "post-start:\n" TWICE "pre-stop:\n" TWICE "post-stop:\n" TWICE),
			 OUTCOME_DONE);
	assert_reads(s.host, "command" NOTIFY, "2");
	next_program(&s);
	assert_int_equal(phase(&s, PHASE_POST_START), OUTCOME_DONE);
	assert_reads(s.host, "command" NOTIFY, "2");
	assert_int_equal(phase(&s, PHASE_POST_START), OUTCOME_DONE);
	assert_reads(s.host, "command" NOTIFY, "2");
	next_program(&s);
	assert_int_equal(phase(&s, PHASE_PRE_STOP), OUTCOME_DONE);
	assert_reads(s.host, "command" NOTIFY, "2");
	next_program(&s);
	assert_int_equal(back(&s), OUTCOME_DONE);
	assert_reads(s.host, "command" NOTIFY, "2");
	stage_end(&s);
}

/* That the next program counts from 0 again is no difference from what it should be. */
static void what_has_run_differs_in_nothing(void **state)
{
	struct stage s = stage_new(false);
	const char *lines[4];
	struct lease lease;

	(void)state;
	assert_int_equal(lend(&s, HEAD "pre-start:\n- run: " NOTIFY "\n"), OUTCOME_DONE);
	next_program(&s);
	assert_int_equal(journal_peek(&s.store, 100, s.a, &lease, &s.err), 0);
	assert_int_equal(engine_differences(s.host, &lease, GOAL_TO, s.a, lines, COUNT(lines)), 0);
	stage_end(&s);
}

static void die_writing(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/* Killed before or after the nth run; the next program does what is left, and what may not have been done. */
static void after_a_kill_it_is_run_again(void **state)
{
	static const struct { enum sim_fault fault; unsigned nth; const char *then; } kills[] = {
		{ SIM_DIE_BEFORE, 1, "2" }, { SIM_DIE_AFTER, 1, "2" }, { SIM_DIE_BEFORE, 2, "1" }, { SIM_DIE_AFTER, 2, "1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kills); i++) {
		static jmp_buf death;
		static struct stage s;

		s = stage_new(false);
		assert_int_equal(lend(&s, HEAD "post-stop:\n" TWICE), OUTCOME_DONE);
		sim_break(s.mixed->sim, kills[i].nth, kills[i].fault, -EIO, die_writing, &death);
		if (setjmp(death) == 0) {
			back(&s);
			fail_msg("it lives");
		}
		arena_seal(s.a, false);
		next_program(&s);
		assert_int_equal(back(&s), OUTCOME_DONE);
		assert_reads(s.host, "command" NOTIFY, kills[i].then);
		stage_end(&s);
	}
}

static void a_start_that_fails_runs_nothing_to_go_back(void **state)
{
	struct stage s = stage_new(false);

	(void)state;
	sim_break(s.mixed->sim, 2, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
	assert_int_equal(lend(&s, HEAD "pre-start:\n" TWICE "post-stop:\n- run: [" NOTIFY ", after]\n"), OUTCOME_FAILED);
	assert_string_equal(s.err.text, NOTIFY ": running it failed (writing 'run' to 'command" NOTIFY
			    "'): Input/output error");
	assert_reads(s.host, "command" NOTIFY, "1");
	assert_reads(s.host, "command" NOTIFY "%20after", "1");
	assert_int_equal(journal_peek(&s.store, 100, s.a, &(struct lease){ 0 }, &s.err), -ENOENT);
	stage_end(&s);
}

/* --- what a command says ------------------------------------------------------------------------------------------- */

#define SHELL(script) HEAD "pre-start:\n- run: [/bin/sh, -c, \"" script "\"]\n  for: 5s\n"

static void said(const struct stage *s, size_t i, const char *text)
{
	assert_true(i < s->n_told);
	assert_int_equal(s->told[i].kind, EVENT_SAID);
	assert_string_equal(s->told[i].text, text);
}

static void its_lines_are_told_before_its_end(void **state)
{
	struct stage s = stage_new(true);

	(void)state;
	assert_int_equal(lend(&s, SHELL("echo one; echo; printf 'a\\\\tb\\\\033[31m\\\\r2%%\\\\r3%%'; "
					"printf '\\\\303\\\\244\\\\377'")), OUTCOME_DONE);
	said(&s, 0, "one");
	said(&s, 1, "a b?[31m");
	said(&s, 2, "2%");
	said(&s, 3, "3%\303\244?");
	assert_int_equal(s.n_told, 5);
	assert_int_equal(s.told[4].kind, EVENT_REACHED);
	stage_end(&s);
}

static void a_line_is_cut_and_says_so(void **state)
{
	struct stage s = stage_new(true);

	(void)state;
	assert_int_equal(lend(&s, SHELL("printf '%0239d\\\\n%0240d' 1 1")), OUTCOME_DONE);
	assert_int_equal(strlen(s.told[0].text), 239);
	assert_string_equal(s.told[0].text + 236, "001");
	assert_int_equal(strlen(s.told[1].text), 239);
	assert_string_equal(s.told[1].text + 235, "0...");
	stage_end(&s);
}

static void how_it_failed_is_what_the_start_is_refused_with(void **state)
{
	struct stage s = stage_new(true);

	(void)state;
	assert_int_equal(lend(&s, SHELL("echo trying; echo no route to host; exit 3")), OUTCOME_FAILED);
	said(&s, 1, "no route to host");
	assert_string_equal(s.err.text, "/bin/sh -c \"echo trying; echo no route to host; exit 3\": running it failed: it ended with "
			    "exit status 3; it said last: no route to host");
	assert_int_equal(lend(&s, SHELL("kill -9 $$")), OUTCOME_FAILED);
	assert_string_equal(strstr(s.err.text, "failed: "), "failed: it was ended by signal 9 (Killed)");
	assert_int_equal(lend(&s, HEAD "pre-start:\n- run: [/bin/sh, -c, \"sleep 20\"]\n  for: 300ms\n"), OUTCOME_FAILED);
	assert_string_equal(strstr(s.err.text, "failed: "), "failed: it did not end within 0.3 s and was killed");
	/* Nothing of it is stuck, and nothing is left. */
	assert_int_equal(journal_peek(&s.store, 100, s.a, &(struct lease){ 0 }, &s.err), -ENOENT);
	stage_end(&s);
}

/* In post-stop it keeps nothing else from being done, and is not tried for ever. */
static void after_the_stop_the_next_one_is_run(void **state)
{
	struct stage s = stage_new(true);

	(void)state;
	assert_int_equal(lend(&s, HEAD "post-stop:\n- run: [/bin/sh, -c, \"exit 1\"]\n- run: [/bin/true, \"1\"]\n"), OUTCOME_DONE);
	assert_int_equal(back(&s), OUTCOME_FAILED);
	assert_contains(s.err.text, "it ended with exit status 1");
	assert_reads(s.host, "command/bin/true%201", "1");
	assert_int_equal(journal_peek(&s.store, 100, s.a, &(struct lease){ 0 }, &s.err), -ENOENT);
	stage_end(&s);
}

/* --- captures ------------------------------------------------------------------------------------------------------ */

static void a_capture_of_a_simulated_host_keeps_its_commands(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("elitedesk"), *again;
	const char *text;

	(void)state;
	sim_set(h, "command/bin/x", "0");
	sim_set(h, "command/bin/x%20.%2E", "3");
	sim_set(h, "command/usr/bin/y", "0");
	text = host_capture(a, h);
	assert_contains(text, "\nV: command/bin/x=0\nV: command/bin/x%20.%2E=3\nV: command/usr/bin/y=0\n");
	again = host_from(text);
	assert_string_equal(host_capture(a, again), text);
	host_close(again);
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_policy_lists_is_run),
		cmocka_unit_test(a_command_that_is_not_there_is_told),
		cmocka_unit_test(what_does_not_fit_in_a_name_is_told),
		cmocka_unit_test(it_is_run_once_and_nothing_goes_back),
		cmocka_unit_test(it_has_the_time_it_is_given),
		cmocka_unit_test(each_step_is_done_once_in_its_phase),
		cmocka_unit_test(what_has_run_differs_in_nothing),
		cmocka_unit_test(after_a_kill_it_is_run_again),
		cmocka_unit_test(a_start_that_fails_runs_nothing_to_go_back),
		cmocka_unit_test(its_lines_are_told_before_its_end),
		cmocka_unit_test(a_line_is_cut_and_says_so),
		cmocka_unit_test(how_it_failed_is_what_the_start_is_refused_with),
		cmocka_unit_test(after_the_stop_the_next_one_is_run),
		cmocka_unit_test(a_capture_of_a_simulated_host_keeps_its_commands),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
