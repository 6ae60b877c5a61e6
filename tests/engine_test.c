/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine, step by step, with an action that writes what its looks shall read; and the outcomes of lending. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/str.h"
#include "core/lend.h"
#include "host/hostfile.h"
#include "host/sim.h"

#define A "0000:01:00.0"
#define B "0000:02:00.0"
#define AT(bdf, file) "sys/bus/pci/devices/" bdf "/" file
#define ID "8086:100e:1af4:1100"
#define WRITES_MAX 64

/* --- an action that writes its looks, and can be made to refuse ------------------------------------------------- */

static const char *refused_look;	/* no way leads there */
static const char *instead_look;	/* of this one only, NULL: of all */
static const char *instead_at;		/* written to instead of the look, which then never changes */

static bool set_next(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *p,
		     struct error *err)
{
	for (size_t i = 0; i < s->n_looks; i++) {
		const char *text = goal->v[i].text;
		bool deaf;

		if (value_fits(&now->v[i], &goal->v[i]))
			continue;
		p->look = i;
		if (refused_look && strcmp(refused_look, s->look[i]) == 0) {
			error_set(err, -EBUSY, "it will not");
			return false;
		}
		snprintf(p->what, sizeof(p->what), "setting it");
		deaf = instead_at && (!instead_look || strcmp(instead_look, s->look[i]) == 0);
		snprintf(p->at, sizeof(p->at), "%s", deaf ? instead_at : s->look[i]);
		snprintf(p->put, sizeof(p->put), "%s", deaf ? s->device : strcmp(text, "(null)") == 0 ? "" : text);
		p->becomes = goal->v[i];
		p->deadline_ms = deaf ? BIND_MS : WRITE_MS;
		return true;
	}
	return false;
}

static void set_plan(struct planner *p, const struct wish *w)
{
	(void)p, (void)w;
}

static const struct action set = { .name = "set", .help = "", .plan = set_plan, .next = set_next };
const struct action *const actions[] = { &set, NULL };

/* --- a host that is watched, and on which something may happen while one waits ----------------------------------- */

struct stage {
	struct host host;	/* what the engine sees */
	struct host *sim;
	void (*on_wait)(struct stage *s);
	char written[WRITES_MAX][64];	/* "LAST-PART-OF-DEVICE FILE VALUE" */
	size_t n;
	int read_error;		/* of the ids and of network interfaces */
	unsigned deaf_reads;	/* of a driver_override that come to nothing */
	unsigned slow_ms;	/* time that each write takes */
	struct arena *arena;
	struct store store;
	struct journal journal;
	struct lease lease;
	struct engine engine;
};

static struct stage *of(struct host *h)
{
	return (struct stage *)h;
}

static ssize_t do_read(struct host *h, const char *name, char *buf, size_t size)
{
	if (of(h)->read_error && (strstr(name, "/vendor") || strncmp(name, "nic/", 4) == 0))
		return of(h)->read_error;
	if (of(h)->deaf_reads && strcmp(str_basename(name), "driver_override") == 0) {
		of(h)->deaf_reads--;
		return -ETIMEDOUT;
	}
	return of(h)->sim->ops->read(of(h)->sim, name, buf, size);
}

static ssize_t do_link(struct host *h, const char *name, char *buf, size_t size)
{
	/* No link, as the running kernel says of them. */
	if (strncmp(name, "nic/", 4) == 0)
		return -EINVAL;
	return of(h)->sim->ops->link(of(h)->sim, name, buf, size);
}

static int do_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	return of(h)->sim->ops->list(of(h)->sim, name, a, names, n);
}

static int do_write(struct host *h, const char *name, const char *value, unsigned ms, struct host_stuck *stuck)
{
	struct stage *s = of(h);
	const char *device = strstr(name, "0000:");

	assert_true(s->n < WRITES_MAX);
	snprintf(s->written[s->n++], sizeof(s->written[0]), "%.12s %.24s %.20s", device ? device : "-",
		 strrchr(name, '/') + 1, value);
	s->sim->ops->wait(s->sim, s->slow_ms);
	return s->sim->ops->write(s->sim, name, value, ms, stuck);
}

static int do_wait(struct host *h, unsigned ms)
{
	struct stage *s = of(h);

	if (s->on_wait)
		s->on_wait(s);
	return s->sim->ops->wait(s->sim, ms);
}

static int64_t do_now(struct host *h)
{
	return of(h)->sim->ops->now(of(h)->sim);
}

static void do_close(struct host *h)
{
	host_close(of(h)->sim);
}

static const struct host_ops ops = {
	.read = do_read, .link = do_link, .list = do_list, .write = do_write, .wait = do_wait, .now = do_now, .close = do_close,
};
static const char *root = ".";

static int stage_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	char path[4096], *text = malloc(HOSTFILE_BYTES_MAX);
	struct error err;
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/hosts/lab-pair.host", root);
	in = fopen(path, "r");
	if (!s || !text || !in ||
	    hostfile_parse(text, fread(text, 1, HOSTFILE_BYTES_MAX, in), path, &s->sim, &err) < 0)
		return -1;
	fclose(in);
	free(text);
	s->host.ops = &ops;
	s->arena = arena_new();
	store_open_memory(&s->store);
	s->engine.host = &s->host;
	s->lease = (struct lease){
		.vmid = 100, .boot_id = "b", .generation = "0123456789abcdef", .profile = "p",
		.steps = arena_array(s->arena, 8, sizeof(struct step)),
		.marks = arena_array(s->arena, 8, sizeof(enum mark)),
	};
	refused_look = instead_look = instead_at = NULL;
	*state = s;
	return 0;
}

static int stage_down(void **state)
{
	struct stage *s = *state;

	journal_close(&s->journal);
	store_close(&s->store);
	arena_free(s->arena);
	host_close(s->sim);
	free(s);
	return 0;
}

static void add(struct stage *s, const char *device, const char *look, const char *from, const char *to)
{
	struct step *step = &s->lease.steps[s->lease.n++];

	*step = step_new(&set, device, PHASE_PRE_START, s->arena);
	step->id = ID;
	step_look(step, look, value_of(from), value_of(to), value_of(from));
}

/* Three steps: two of A with one of B between them. */
static void add_three(struct stage *s)
{
	add(s, A, AT(A, "driver_override"), "(null)", "one");
	add(s, B, AT(B, "driver_override"), "(null)", "two");
	add(s, A, AT(A, "power/control"), "on", "auto");
}

static void begin(struct stage *s)
{
	struct error err;

	assert_int_equal(journal_begin(&s->journal, &s->store, &s->lease, s->arena, &err), 0);
}

static int forward(struct stage *s, struct error *err)
{
	return engine_forward(&s->engine, &s->journal, &s->lease, PHASE_PRE_START, err);
}

static int back(struct stage *s, struct error *err)
{
	s->n = 0;
	return engine_back(&s->engine, &s->journal, &s->lease, GOAL_FROM, err);
}

static void expect(struct stage *s, const char *name, const char *text)
{
	char buf[HOST_VALUE_BYTES];

	assert_true(host_read(s->sim, name, buf, sizeof(buf)) >= 0);
	assert_string_equal(buf, text);
}

static bool wrote_to(const struct stage *s, const char *device)
{
	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->written[i], device, strlen(device)) == 0)
			return true;
	return false;
}

/* --- the engine -------------------------------------------------------------------------------------------------- */

static void steps_go_in_order_and_come_back_in_reverse(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	assert_int_equal(s->n, 3);
	assert_string_equal(s->written[0], A " driver_override one");
	assert_string_equal(s->written[1], B " driver_override two");
	assert_string_equal(s->written[2], A " control auto");
	assert_int_equal(back(s, &err), 0);
	assert_int_equal(s->n, 3);
	assert_string_equal(s->written[0], A " control on");
	assert_string_equal(s->written[1], B " driver_override ");
	assert_string_equal(s->written[2], A " driver_override ");
	assert_int_equal(s->engine.left, 0);
}

static void a_step_that_will_not_go_back_stops_its_device_only(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	refused_look = AT(A, "power/control");
	assert_int_equal(back(s, &err), -EBUSY);
	assert_int_equal(s->engine.left, 2);
	expect(s, AT(A, "driver_override"), "one");
	expect(s, AT(B, "driver_override"), "(null)");
	assert_non_null(strstr(err.text, A));
	/* Tried again, only what is left is done. */
	refused_look = NULL;
	assert_int_equal(back(s, &err), 0);
	assert_int_equal(s->n, 2);
	expect(s, AT(A, "driver_override"), "(null)");
}

static void a_device_whose_write_hangs_is_left_alone(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	sim_break(s->sim, 3, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(forward(s, &err), -ETIMEDOUT);
	assert_int_equal(s->n, 3);
	assert_int_not_equal(back(s, &err), 0);
	assert_int_equal(s->engine.left, 2);
	assert_false(wrote_to(s, A));
	assert_true(wrote_to(s, B));
	expect(s, AT(B, "driver_override"), "(null)");
}

static void another_device_at_the_address_is_not_touched(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	sim_set(s->sim, AT(A, "device"), "0x1234");
	assert_int_equal(back(s, &err), 0);
	assert_false(wrote_to(s, A));
	expect(s, AT(A, "driver_override"), "one");
	expect(s, AT(B, "driver_override"), "(null)");
}

/* After an update of the firmware, say: what was meant has moved, and another card is at its address. */
static void a_device_that_has_moved_is_named_with_its_address(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	sim_set(s->sim, AT(A, "device"), "0x1234");
	assert_int_equal(forward(s, &err), -ESTALE);
	assert_non_null(strstr(err.text, "the plan was made for " ID ", but there is 8086:1234"));
	assert_non_null(strstr(err.text, "that device is at " B));
	sim_set(s->sim, AT(B, "device"), "0x1234");
	assert_int_equal(forward(s, &err), -ESTALE);
	assert_non_null(strstr(err.text, "that device is nowhere on this host"));
	assert_int_equal(s->n, 0);
}

/* A driver's own time-out is no worker that hangs. */
static void a_probe_that_times_out_is_tried_again(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	sim_break(s->sim, 1, SIM_FAIL_BEFORE, -ETIMEDOUT, NULL, NULL);
	assert_int_equal(back(s, &err), 0);
	assert_int_equal(s->n, 4);
	assert_int_equal(s->engine.stuck.pid, 0);
}

static void a_device_that_cannot_be_read_is_not_given_up(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	s->read_error = -EMFILE;
	assert_int_equal(back(s, &err), -EMFILE);
	assert_int_equal(s->engine.left, 3);
	s->read_error = 0;
	assert_int_equal(back(s, &err), 0);
	expect(s, AT(A, "driver_override"), "(null)");
}

static void a_plan_for_another_device_is_stale(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	sim_set(s->sim, AT(A, "device"), "0x1234");
	assert_int_equal(forward(s, &err), -ESTALE);
	assert_int_equal(s->n, 0);
}

static void a_plan_for_another_state_is_stale(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	sim_set(s->sim, AT(A, "driver_override"), "else");
	assert_int_equal(forward(s, &err), -ESTALE);
	assert_non_null(strstr(err.text, "else"));
	assert_int_equal(s->n, 0);
}

static void a_write_that_fails_is_tried_again_on_the_way_back_only(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	sim_break(s->sim, 1, SIM_FAIL_BEFORE, -EINVAL, NULL, NULL);
	assert_int_equal(back(s, &err), 0);
	assert_int_equal(s->n, 4);
}

static void a_write_that_fails_on_the_way_out_ends_it(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	sim_break(s->sim, 1, SIM_FAIL_BEFORE, -EINVAL, NULL, NULL);
	assert_int_equal(forward(s, &err), -EINVAL);
	assert_int_equal(s->n, 1);
}

static void a_write_that_fails_but_took_effect_is_done(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	sim_break(s->sim, 1, SIM_FAIL_AFTER, -EIO, NULL, NULL);
	assert_int_equal(forward(s, &err), 0);
	assert_int_equal(s->n, 3);
}

static void probe_later(struct stage *s)
{
	sim_set(s->sim, AT(A, "driver_override"), "one");
}

/* The kernel tries again only when another device finds its driver, which may never be: so the way back does. */
static void a_deferred_probe_is_asked_again_on_the_way_back(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, A, AT(A, "driver_override"), "(null)", "one");
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	sim_break(s->sim, 1, SIM_FAIL_BEFORE, -EAGAIN, NULL, NULL);
	assert_int_equal(back(s, &err), 0);
	/* The one that failed did nothing. */
	assert_int_equal(s->n, 2);
	expect(s, AT(A, "driver_override"), "(null)");
}

static void a_deferred_probe_is_waited_for(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, A, AT(A, "driver_override"), "(null)", "one");
	begin(s);
	sim_break(s->sim, 1, SIM_FAIL_BEFORE, -EAGAIN, NULL, NULL);
	s->on_wait = probe_later;
	assert_int_equal(forward(s, &err), 0);
	assert_int_equal(s->n, 1);
}

static void a_write_that_did_nothing_is_a_failure(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, A, AT(A, "driver_override"), "(null)", "one");
	begin(s);
	instead_at = "sys/bus/pci/drivers_probe";
	assert_int_equal(forward(s, &err), -EIO);
	assert_true(host_now(s->sim) >= WRITE_MS);
}

static void a_look_that_cannot_be_read_is_a_failure(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, A, "sys/bus/pci/devices", "(null)", "one");
	begin(s);
	assert_int_equal(forward(s, &err), -EISDIR);
	assert_int_equal(s->n, 0);
}

/* Each of the writes takes 20 s; the fourth would begin after 60. */
static void a_phase_has_45_seconds_and_the_way_back_as_much_again(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	add(s, B, AT(B, "power/control"), "on", "auto");
	begin(s);
	s->slow_ms = 20000;
	assert_int_equal(forward(s, &err), -ETIME);
	assert_int_equal(s->n, 3);
	s->slow_ms = 0;
	assert_int_equal(back(s, &err), 0);
	expect(s, AT(A, "driver_override"), "(null)");
	expect(s, AT(B, "driver_override"), "(null)");
}

/* A driver that is asked and does not come has its time, and leaves some to those behind it. */
static void what_does_not_come_back_leaves_time_for_the_others(void **state)
{
	struct stage *s = *state;
	struct error err;
	int64_t begun;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	instead_look = AT(A, "power/control");
	instead_at = "sys/bus/pci/drivers_probe";
	begun = host_now(s->sim);
	assert_int_equal(back(s, &err), -EIO);
	assert_in_range(host_now(s->sim) - begun, 20000, PHASE_MS);
	assert_int_equal(s->engine.left, 2);
	expect(s, AT(B, "driver_override"), "(null)");
}

static void a_function_that_will_not_go_back_does_not_keep_others_of_its_step(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, A, AT(A, "driver_override"), "(null)", "one");
	step_look(&s->lease.steps[0], AT(B, "driver_override"), value_of("(null)"), value_of("two"), value_of("(null)"));
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	refused_look = AT(A, "driver_override");
	assert_int_equal(back(s, &err), -EBUSY);
	assert_int_equal(s->engine.left, 1);
	assert_non_null(strstr(err.text, "it will not"));
	expect(s, AT(A, "driver_override"), "one");
	expect(s, AT(B, "driver_override"), "(null)");
}

/* A step is called by the first of its functions, and hangs at another: that is the one to leave alone. */
static void what_hangs_is_the_function_and_not_the_first_of_its_step(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, B, AT(B, "driver_override"), "(null)", "two");
	add(s, A, AT(A, "driver_override"), "(null)", "one");
	add(s, A, AT(A, "power/control"), "on", "auto");
	step_look(&s->lease.steps[2], AT(B, "power/control"), value_of("on"), value_of("auto"), value_of("on"));
	begin(s);
	sim_break(s->sim, 4, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(forward(s, &err), -ETIMEDOUT);
	assert_string_equal(s->engine.stuck_device, B);
	assert_int_not_equal(back(s, &err), 0);
	assert_false(wrote_to(s, B));
}

/* What post-stop cannot finish in its time goes back in a time of its own. */
static void a_step_of_post_stop_has_time_to_be_taken_back(void **state)
{
	struct stage *s = *state;
	struct error err;

	add(s, A, AT(A, "driver_override"), "(null)", "one");
	step_look(&s->lease.steps[0], AT(A, "power/control"), value_of("on"), value_of("auto"), value_any());
	s->lease.steps[0].phase = PHASE_POST_STOP;
	begin(s);
	s->slow_ms = PHASE_MS;
	assert_int_equal(engine_after(&s->engine, &s->journal, &s->lease, &err), -ETIME);
	assert_int_equal(s->engine.left, 0);
	expect(s, AT(A, "driver_override"), "(null)");
}

static void an_unreadable_moment_does_not_end_the_way_back(void **state)
{
	struct stage *s = *state;
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	s->deaf_reads = 2;
	assert_int_equal(back(s, &err), 0);
	assert_int_equal(s->deaf_reads, 0);
}

static void differences_are_told_look_by_look(void **state)
{
	struct stage *s = *state;
	const char *lines[2];
	struct error err;

	add_three(s);
	begin(s);
	assert_int_equal(forward(s, &err), 0);
	assert_int_equal(engine_differences(s->sim, &s->lease, GOAL_TO, s->arena, lines, 2), 0);
	assert_int_equal(engine_differences(s->sim, &s->lease, GOAL_FROM, s->arena, lines, 2), 3);
	assert_string_equal(lines[0], A " driver_override: one, should be (null)");
}

/* A step may be about several functions; it is called by the first of them. */
static void a_difference_names_its_function(void **state)
{
	struct stage *s = *state;
	const char *lines[1];

	add(s, A, AT(A, "power/control"), "on", "on");
	step_look(&s->lease.steps[0], AT(B, "driver_override"), value_any(), value_of("two"), value_any());
	s->lease.marks[0] = MARK_DID;
	assert_int_equal(engine_differences(s->sim, &s->lease, GOAL_TO, s->arena, lines, 1), 1);
	assert_string_equal(lines[0], B " driver_override: (null), should be two");
}

/* --- lending ----------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/handover-engine-XXXXXX";
static const struct profile profile = { .file = "p.yaml" };

static struct lender lender(struct stage *s)
{
	struct lender l;
	struct error err;

	store_close(&s->store);
	assert_int_equal(store_open(&s->store, folder, &err), 0);
	lender_init(&l, &s->host, &s->store, s->arena, "a test");
	return l;
}

static struct plan plan_of(const struct stage *s)
{
	return (struct plan){ s->lease.steps, s->lease.n };
}

static enum outcome end(struct lender *l, struct error *err)
{
	bool ended;

	return lend_back(l, 100, &ended, err);
}

static void a_device_somebody_works_on_is_busy(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s), other = lender(s);
	struct plan plan = plan_of((add_three(s), s));
	const char *name = B;
	struct error err;

	assert_int_equal(store_lock(&s->store, &other.locks, &name, 1, "another", 0, &err), 0);
	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_BUSY);
	assert_non_null(strstr(err.text, B));
	assert_int_equal(s->n, 0);
	assert_int_equal(store_append(&s->store, 100), -ENOENT);
	lockset_release(&l.locks);
	lockset_release(&other.locks);
}

static void what_cannot_be_taken_back_is_said_and_kept(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s);
	struct plan plan = plan_of((add_three(s), s));
	struct lease lease;
	struct error err;

	sim_break(s->sim, 3, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_CHANGED);
	assert_int_equal(journal_peek(&s->store, 100, s->arena, &lease, &err), 0);
	assert_string_equal(lease_state(&lease), "stuck");
	assert_int_equal(end(&l, &err), OUTCOME_DONE);
	expect(s, AT(A, "driver_override"), "(null)");
	assert_int_equal(store_append(&s->store, 100), -ENOENT);
	lockset_release(&l.locks);
}

static void what_another_vm_has_is_refused(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s);
	struct plan plan = plan_of((add_three(s), s));
	struct error err;

	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_DONE);
	lockset_release(&l.locks);
	s->n = 0;
	assert_int_equal(lend_out(&l, 101, &profile, 1, &plan, &err), OUTCOME_BUSY);
	assert_non_null(strstr(err.text, "VM 100"));
	assert_int_equal(s->n, 0);
	assert_int_equal(store_append(&s->store, 101), -ENOENT);
	/* A lease of another boot has ended, whoever looks: what is wrong now is that the plan is of before. */
	sim_set(s->sim, "proc/sys/kernel/random/boot_id", "another");
	assert_int_equal(lend_out(&l, 101, &profile, 1, &plan, &err), OUTCOME_FAILED);
	s->n = 0;
	assert_int_equal(end(&l, &err), OUTCOME_DONE);
	assert_int_equal(s->n, 0);
	assert_int_equal(store_append(&s->store, 100), -ENOENT);
	lockset_release(&l.locks);
}

/* Else it would be taken for a lease of another boot, and what was lent forgotten. */
static void a_lease_whose_boot_is_unknown_is_believed(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s);
	struct plan plan = plan_of((add_three(s), s));
	struct error err;

	sim_set(s->sim, "proc/sys/kernel/random/boot_id", "");
	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_DONE);
	sim_set(s->sim, "proc/sys/kernel/random/boot_id", "known");
	assert_int_equal(end(&l, &err), OUTCOME_DONE);
	expect(s, AT(A, "driver_override"), "(null)");
	lockset_release(&l.locks);
}

static void a_damaged_journal_of_another_vm_is_refused(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s);
	struct plan plan = plan_of((add_three(s), s));
	struct error err;
	int fd = store_create(&s->store, 105);

	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	close(fd);
	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_REFUSED);
	assert_int_equal(s->n, 0);
	assert_int_equal(store_append(&s->store, 100), -ENOENT);
	plan.n = 0;
	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_DONE);
	assert_int_equal(store_remove(&s->store, 105), 0);
	lockset_release(&l.locks);
}

static void a_damaged_journal_is_not_touched(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s);
	struct plan plan = plan_of((add_three(s), s));
	struct error err;
	int fd;

	assert_int_equal(lend_out(&l, 100, &profile, 1, &plan, &err), OUTCOME_DONE);
	fd = store_append(&s->store, 100);
	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	close(fd);
	s->n = 0;
	assert_int_equal(end(&l, &err), OUTCOME_CHANGED);
	assert_non_null(strstr(err.text, "damaged"));
	assert_int_equal(s->n, 0);
	assert_int_equal(store_remove(&s->store, 100), 0);
	lockset_release(&l.locks);
}

/* What boot has prepared: while a VM has one of the functions, that one is as the VM needs it. */
static void what_a_vm_has_is_not_missed_on_the_host(void **state)
{
	struct stage *s = *state;
	struct lender l = lender(s);
	struct step steps[2], vm;
	struct plan boot = { steps, 2 }, life = { &vm, 1 };
	struct error err;
	struct lease lease;
	const char *lines[4];

	add_three(s);
	steps[0] = s->lease.steps[0];
	steps[1] = s->lease.steps[1];
	steps[0].phase = steps[1].phase = PHASE_BOOT;
	assert_int_equal(lend_out(&l, HOST_VMID, &profile, 1, &boot, &err), OUTCOME_DONE);
	assert_int_equal(journal_peek(&s->store, HOST_VMID, s->arena, &lease, &err), 0);
	assert_true(lease_is_prepared(s->sim, &lease));
	add(s, A, AT(A, "driver_override"), "one", "vm");
	vm = s->lease.steps[3];
	assert_int_equal(lend_out(&l, 100, &profile, 1, &life, &err), OUTCOME_DONE);
	assert_int_equal(lend_host_differences(&s->store, s->sim, &lease, s->arena, lines, 4), 0);
	/* The first line is of what the VM has, and hides no other. */
	assert_int_equal(lend_host_differences(&s->store, s->sim, &lease, s->arena, lines, 1), 0);
	/* The network comes up after boot, with what its own configuration says. */
	lease.steps[1].look[0] = "nic/" B "/mtu";
	s->read_error = -ETIMEDOUT;
	assert_int_equal(lend_host_differences(&s->store, &s->host, &lease, s->arena, lines, 4), 0);
	s->read_error = 0;
	lease.steps[1].look[0] = AT(B, "driver_override");
	sim_set(s->sim, AT(B, "driver_override"), "else");
	assert_int_equal(lend_host_differences(&s->store, s->sim, &lease, s->arena, lines, 4), 1);
	assert_string_equal(lines[0], B " driver_override: else, should be two");
	assert_int_equal(lend_host_differences(&s->store, s->sim, &lease, s->arena, lines, 1), 1);
	assert_int_equal(end(&l, &err), OUTCOME_DONE);
	assert_int_equal(lend_host_differences(&s->store, s->sim, &lease, s->arena, lines, 4), 1);
	sim_set(s->sim, "proc/sys/kernel/random/boot_id", "another");
	assert_false(lease_is_prepared(s->sim, &lease));
	assert_int_equal(store_remove(&s->store, HOST_VMID), 0);
	lockset_release(&l.locks);
}

static int folder_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

#define ON_STAGE(f) cmocka_unit_test_setup_teardown(f, stage_up, stage_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(steps_go_in_order_and_come_back_in_reverse),
		ON_STAGE(a_step_that_will_not_go_back_stops_its_device_only),
		ON_STAGE(a_device_whose_write_hangs_is_left_alone),
		ON_STAGE(another_device_at_the_address_is_not_touched),
		ON_STAGE(a_device_that_has_moved_is_named_with_its_address),
		ON_STAGE(a_probe_that_times_out_is_tried_again),
		ON_STAGE(a_device_that_cannot_be_read_is_not_given_up),
		ON_STAGE(a_plan_for_another_device_is_stale),
		ON_STAGE(a_plan_for_another_state_is_stale),
		ON_STAGE(a_write_that_fails_is_tried_again_on_the_way_back_only),
		ON_STAGE(a_write_that_fails_on_the_way_out_ends_it),
		ON_STAGE(a_write_that_fails_but_took_effect_is_done),
		ON_STAGE(a_deferred_probe_is_waited_for),
		ON_STAGE(a_deferred_probe_is_asked_again_on_the_way_back),
		ON_STAGE(a_write_that_did_nothing_is_a_failure),
		ON_STAGE(a_look_that_cannot_be_read_is_a_failure),
		ON_STAGE(a_phase_has_45_seconds_and_the_way_back_as_much_again),
		ON_STAGE(what_does_not_come_back_leaves_time_for_the_others),
		ON_STAGE(a_function_that_will_not_go_back_does_not_keep_others_of_its_step),
		ON_STAGE(what_hangs_is_the_function_and_not_the_first_of_its_step),
		ON_STAGE(a_step_of_post_stop_has_time_to_be_taken_back),
		ON_STAGE(an_unreadable_moment_does_not_end_the_way_back),
		ON_STAGE(differences_are_told_look_by_look),
		ON_STAGE(a_difference_names_its_function),
		ON_STAGE(a_device_somebody_works_on_is_busy),
		ON_STAGE(what_cannot_be_taken_back_is_said_and_kept),
		ON_STAGE(what_another_vm_has_is_refused),
		ON_STAGE(a_lease_whose_boot_is_unknown_is_believed),
		ON_STAGE(a_damaged_journal_of_another_vm_is_refused),
		ON_STAGE(a_damaged_journal_is_not_touched),
		ON_STAGE(what_a_vm_has_is_not_missed_on_the_host),
	};

	if (argc > 1)
		root = argv[1];
	return cmocka_run_group_tests(tests, folder_up, folder_down);
}
