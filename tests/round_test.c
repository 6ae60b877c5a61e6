/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The round trip: on random hosts random profiles are planned, lent, disturbed and taken back, and the host is as it was.
 *
 *     round_test ROOT                  this many cases, always the same ones
 *     round_test ROOT SEED [FOLDER]    one of them; its host and profile are kept in the folder
 *     round_test ROOT FROM-TO          others
 */
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/lend.h"
#include "core/prepare.h"
#include "core/same.h"
#include "dump.h"
#include "round.h"

#define CASES 1000
#define LENT_PERCENT_MIN 50	/* of the cases; the others are refused, which shows little */
#define VMID 100
#define RUNS_MAX 8		/* ways back in a row, of which a fault may hit the first */
#define LIVES 2
#define DIFFERENCES_MAX 32
#define FAULT_WRITES 24		/* one of so many writes goes wrong, if there are as many */

static struct policy policy = { .automatic = false };

/* One case. */
struct round {
	uint64_t seed;
	struct dice dice;
	struct arena *a;
	struct host *h;
	struct store store;
	const char *profile;
	struct inventory was;
	char *dumped;
	bool runs[MADE_UNITS];	/* the units, before */
};

static unsigned lent, refused, refused_later, failed_starts;
static uint64_t first_seed = 1, last_seed = CASES;
static const char *keep_in;
static bool alone;

/* --- runs that may die ------------------------------------------------------------------------------------------- */

static jmp_buf death;

static void die(void *arg)
{
	(void)arg;
	longjmp(death, 1);
}

static void tell(void *arg, const struct event *e)
{
	(void)arg;
	if (alone)
		print_message("  %s %s, goal %d: %s %s\n", e->step->action->name, e->step->device, (int)e->goal,
			      e->kind == EVENT_FAILED ? "FAILED" : e->kind == EVENT_GONE ? "gone" : "reached", e->text ? e->text : "");
}

static void see_write(void *arg, const char *name, const char *value)
{
	(void)arg;
	print_message("    '%s' to %s\n", value, name);
}

enum call { CALL_OUT, CALL_POST_START, CALL_PRE_STOP, CALL_BACK };

static enum outcome call_inside(struct round *r, struct lender *l, enum call what, const struct planner *p,
				struct error *err)
{
	bool ended;

	switch (what) {
	case CALL_OUT:
		return lend_out(l, VMID, p->profile, 1, &p->plan, err);
	case CALL_POST_START:
		return lend_phase(l, VMID, PHASE_POST_START, err);
	case CALL_PRE_STOP:
		return lend_phase(l, VMID, PHASE_PRE_STOP, err);
	case CALL_BACK:
		return lend_back(l, VMID, &ended, err);
	}
	fail_msg("seed %llu: no such call", (unsigned long long)r->seed);
	return OUTCOME_FAILED;
}

static enum outcome call(struct round *r, enum call what, const struct planner *p, bool *died, struct error *err)
{
	static struct lender l;
	static struct arena *a;
	enum outcome o;

	*died = false;
	a = arena_new();
	*err = (struct error){ 0 };
	lender_init(&l, r->h, &r->store, a, "round trip");
	l.engine.tell = tell;
	if (setjmp(death)) {
		*died = true;
		arena_free(a);
		return OUTCOME_CHANGED;
	}
	o = call_inside(r, &l, what, p, err);
	if (alone)
		print_message("call %d: outcome %d %s\n", (int)what, (int)o, err->text);
	arena_free(a);
	return o;
}

/* --- as it was --------------------------------------------------------------------------------------------------- */

static bool unit_runs(struct round *r, size_t i)
{
	char state[32];

	return host_read(r->h, arena_fmt(r->a, "unit/%s/state", made_units[i]), state, sizeof(state)) > 0 &&
	       strcmp(state, "active") == 0;
}

static void remember(struct round *r)
{
	struct error err;

	if (inventory_read(r->h, r->a, &r->was, &err) < 0)
		fail_msg("%s", err.text);
	free(r->dumped);
	r->dumped = dump(r->h);
	for (size_t i = 0; i < MADE_UNITS; i++)
		r->runs[i] = unit_runs(r, i);
}

/*
 * One that had no driver may have been taken by one if it was found anew, or if a driver was loaded: what a boot would do.
 */
static bool is_taken_now(const struct round *r, const struct inventory *now, const char *line)
{
	bool loaded = strstr(r->profile, "module:") != NULL;

	for (size_t i = 0; i < r->was.n; i++) {
		const struct function *x = &r->was.functions[i], *y = inventory_find(now, x->address);

		if (!x->driver && y && y->driver && (loaded || !str_same(x->life, y->life)) && strstr(line, x->address))
			return true;
	}
	return false;
}

/* Groups may only become smaller: what was split stays so. */
static bool is_smaller_group(struct round *r, const struct inventory *now, const char *line)
{
	char address[BDF_TEXT_MAX], other[BDF_TEXT_MAX];
	const struct function *x, *y;
	const char *members;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(line, " "), line);
	x = inventory_find(&r->was, address);
	y = inventory_find(now, address);
	if (!strstr(line, "IOMMU group members") || !x || !y || y->group < 0)
		return false;
	for (members = group_members(now, y, r->a); *members; members += strspn(members, " ")) {
		const struct function *z;

		snprintf(other, sizeof(other), "%.*s", (int)strcspn(members, " "), members);
		z = inventory_find(&r->was, other);
		if (!z || !function_same_group(x, z))
			return false;
		members += strcspn(members, " ");
	}
	return true;
}

static const char *compare_functions(struct round *r, const struct inventory *now)
{
	const char *lines[DIFFERENCES_MAX];
	size_t n = same_differences(&r->was, now, r->a, lines, DIFFERENCES_MAX);

	for (size_t i = 0; i < n && i < DIFFERENCES_MAX; i++)
		if (!is_taken_now(r, now, lines[i]) && !is_smaller_group(r, now, lines[i]))
			return lines[i];
	return NULL;
}

/* Units and groups are looked at elsewhere; what was loaded stays. */
static bool is_apart(const struct round *r, const struct inventory *now, const char *line, bool before)
{
	return str_starts(line, "unit/") || str_starts(line, "group of ") || is_taken_now(r, now, line) ||
	       (!before && str_starts(line, "module/"));
}

static const char *compare_dumps(struct round *r, const struct inventory *now)
{
	char *text = dump(r->h);
	size_t n;
	const char **lines = dump_differences(r->dumped, text, r->a, &n);

	free(text);
	for (size_t i = 0; i < n; i++)
		if (!is_apart(r, now, lines[i] + 1, *lines[i] == '-'))
			return lines[i];
	return NULL;
}

/* What is done in post-stop is not undone, nor that of 'after-network', which stands behind it, and what is restarted runs. */
static const char *compare_units(struct round *r)
{
	const char *after = strstr(r->profile, "\npost-stop:");

	if (!after)
		after = strstr(r->profile, "\nafter-network:");

	for (size_t i = 0; i < MADE_UNITS; i++)
		if (unit_runs(r, i) != r->runs[i] && !(after && strstr(after, made_units[i])) &&
		    !strstr(r->profile, arena_fmt(r->a, "restart: %s", made_units[i])))
			return arena_fmt(r->a, "%s %s", made_units[i], r->runs[i] ? "ran" : "did not run");
	return NULL;
}

/* What is not as it was, NULL if nothing is. */
static const char *compare(struct round *r)
{
	struct inventory now;
	struct error err;
	const char *what;

	if (inventory_read(r->h, r->a, &now, &err) < 0)
		return arena_dup(r->a, err.text);
	what = compare_functions(r, &now);
	if (!what)
		what = compare_dumps(r, &now);
	if (!what)
		what = compare_units(r);
	if (!what && r->store.memory >= 0)
		what = "a lease is left";
	return what;
}

/* --- lives ------------------------------------------------------------------------------------------------------- */

static const char *fault_name = "none";

/* In half of the lives something goes wrong, once. */
static void disturb(struct round *r)
{
	static const char *const names[SIM_FAULTS] = { "fails before", "fails after", "dies before", "dies after", "hangs" };
	unsigned n = 1 + dice_pick(&r->dice, FAULT_WRITES);
	enum sim_fault fault = (enum sim_fault)dice_pick(&r->dice, SIM_FAULTS);

	fault_name = "none";
	sim_break(r->h, 0, fault, -EIO, die, NULL);
	if (dice_chance(&r->dice, 50))
		return;
	fault_name = names[fault];
	sim_break(r->h, n, fault, -EIO, die, NULL);
}

static const char *take_back(struct round *r)
{
	struct error err = { 0 };
	enum outcome o;
	bool died;

	for (int n = 0; n < RUNS_MAX; n++) {
		o = call(r, CALL_BACK, NULL, &died, &err);
		/* FAILED: all is back, but a step of post-stop failed. */
		if (o == OUTCOME_DONE || o == OUTCOME_FAILED)
			return NULL;
	}
	return arena_fmt(r->a, "it never comes back: %s", err.text);
}

/* Lends and takes back. NULL: all was well. */
static const char *live(struct round *r, const struct planner *p, bool *was_lent)
{
	struct error err = { 0 };
	enum outcome o;
	bool died;

	disturb(r);
	o = call(r, CALL_OUT, p, &died, &err);
	*was_lent = o == OUTCOME_DONE && p->plan.n > 0;
	if (o != OUTCOME_DONE && o != OUTCOME_FAILED && o != OUTCOME_CHANGED)
		return arena_fmt(r->a, "outcome %d of lending: %s", (int)o, err.text);
	if (o == OUTCOME_FAILED)
		return compare(r);
	if (o == OUTCOME_DONE && r->store.memory >= 0) {
		call(r, CALL_POST_START, NULL, &died, &err);
		if (!died || dice_chance(&r->dice, 50))
			call(r, CALL_PRE_STOP, NULL, &died, &err);
	}
	return take_back(r);
}

static bool plan(struct round *r, struct planner *p, struct findings *f)
{
	const struct profile *profile;
	struct error err = { 0 };
	bool planned;

	findings_init(f, r->a);
	profile = profile_parse(r->profile, strlen(r->profile), "round.yaml", f);
	if (!profile)
		fail_msg("seed %llu: %s", (unsigned long long)r->seed, finding_line(&f->list[0], r->a));
	*p = (struct planner){ .host = r->h, .policy = &policy, .profile = profile, .vmid = VMID };
	planned = prepare_plan(p, &r->store, f, &err);
	for (size_t i = 0; alone && i < f->n; i++)
		print_message("%s\n", finding_line(&f->list[i], r->a));
	if (err.code)
		fail_msg("seed %llu: %s", (unsigned long long)r->seed, err.text);
	return planned;
}

/* Plans and lives, LIVES times. NULL: all was well. */
static const char *live_all(struct round *r)
{
	struct planner p;
	struct findings f;
	const char *what = NULL;
	bool was_lent = false, ever = false;

	for (int i = 0; i < LIVES && !what; i++) {
		unsigned writes = sim_writes(r->h);

		remember(r);
		if (!plan(r, &p, &f)) {
			refused += i == 0;
			refused_later += i > 0;
			lent += ever;
			what = compare(r);
			return what || sim_writes(r->h) == writes ? what : "a plan was refused, and something was written";
		}
		what = live(r, &p, &was_lent);
		if (!what)
			what = compare(r);
		ever = ever || was_lent;
	}
	lent += ever;
	failed_starts += !ever;
	return what;
}

/* --- cases ------------------------------------------------------------------------------------------------------- */

static void keep(const struct round *r, const char *suffix, const char *text)
{
	const char *name = arena_fmt(r->a, "%s/round-%llu.%s", keep_in, (unsigned long long)r->seed, suffix);
	FILE *out = fopen(name, "we");

	if (!out)
		fail_msg("cannot write '%s'", name);
	fputs(text, out);
	fclose(out);
}

/* Whoever administers it may have set what a boot does not. */
static void set_up(struct round *r, const struct made_host *made)
{
	for (size_t i = 0; i < made->n; i++) {
		const char *name = arena_fmt(r->a, "sys/bus/pci/devices/%s/reset_method", made->f[i].address);
		char methods[64];

		if (!dice_chance(&r->dice, 10) || host_read(r->h, name, methods, sizeof(methods)) < 0)
			continue;
		methods[strcspn(methods, " ")] = '\0';
		assert_int_equal(poke_host(r->h, name, methods), 0);
	}
}

static bool round_trip(uint64_t seed)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct round r = { .seed = seed, .dice = { seed }, .a = a };
	const struct made_host *made = make_host(&r.dice, a);
	const char *what;

	r.profile = make_profile(&r.dice, made, a);
	if (alone)
		print_message("%s\n", r.profile);
	if (keep_in) {
		keep(&r, "host", made->text);
		keep(&r, "yaml", r.profile);
	}
	r.h = host_from(made->text);
	set_up(&r, made);
	if (alone)
		sim_watch(r.h, see_write, NULL);
	store_open_memory(&r.store);
	what = live_all(&r);
	if (what)
		print_message("seed %llu, fault %s: %s\n", (unsigned long long)seed, fault_name, what);
	free(r.dumped);
	store_close(&r.store);
	host_close(r.h);
	return !what;
}

static void a_round_trip_leaves_the_host_as_it_was(void **state)
{
	unsigned bad = 0, n = 0;

	(void)state;
	for (uint64_t seed = first_seed; seed <= last_seed; seed++, n++)
		bad += !round_trip(seed);
	assert_int_equal(bad, 0);
	if (!alone)
		assert_true(lent * 100 >= LENT_PERCENT_MIN * n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_round_trip_leaves_the_host_as_it_was) };
	int failed;
	char *end;

	if (argc > 2) {
		first_seed = last_seed = strtoull(argv[2], &end, 10);
		alone = *end != '-';
		if (!alone)
			last_seed = strtoull(end + 1, NULL, 10);
	}
	keep_in = argc > 3 ? argv[3] : NULL;
	policy.services.list = (const char **)made_units;
	policy.services.n = MADE_UNITS;
	policy.modules.list = (const char **)made_modules;
	policy.modules.n = MADE_MODULES;
	policy.run.list = (const char **)made_commands;
	policy.run.n = MADE_COMMANDS;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	printf("figure round-trips %llu\nfigure round-lent %u\n", (unsigned long long)(last_seed - first_seed + 1), lent);
	printf("refused %u, and %u only the second time; failed to start %u\n", refused, refused_later, failed_starts);
	return failed;
}
