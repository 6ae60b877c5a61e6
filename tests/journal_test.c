/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal: what is written down is what is read, and what is damaged is refused. And the folder it stands in. */
#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/journal_text.h"

#define VMID 100

/* --- a lease ----------------------------------------------------------------------------------------------------- */

static struct step steps[2];

/* Everything a value may be, and text that has to be written in another way. */
static struct lease lease_make(struct arena *a)
{
	struct lease lease = {
		.vmid = VMID,
		.boot_id = "6f1b0c52-9d3e-4b7a-8a41-2e5c7d90f3b6",
		.generation = "0123456789abcdef",
		.profile = "/etc/handover/profiles/a\tb\\c\nd.yaml",
		.profile_hash = 0xfedcba9876543210,
		.steps = steps,
		.n = COUNT(steps),
		.marks = arena_array(a, COUNT(steps), sizeof(enum mark)),
	};

	for (size_t i = 0; i < COUNT(steps); i++) {
		struct step *s = &steps[i];

		*s = step_new(action_find("bind"), i ? "0000:02:00.1" : "0000:02:00.0", PHASE_PRE_START, a);
		s->id = i ? NULL : "10de:2783:1043:896e";
		s->why = i ? "with 0000:02:00.0: same\tIOMMU\\group" : NULL;
		assert_non_null(s->action);
		step_look(s, arena_fmt(a, "sys/bus/pci/devices/%s/driver", s->device), value_of("nouveau"),
			  value_of("vfio-pci"), value_of(i ? NULL : "nouveau"));
		step_look(s, "module/vfio_pci", value_any(), value_of(""), value_of("-"));
	}
	return lease;
}

static void assert_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static bool same_looks(const struct step *s, const struct looks *x, const struct looks *y)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (x->v[i].kind != y->v[i].kind || !str_same(x->v[i].text, y->v[i].text))
			return false;
	return true;
}

static bool same_step(const struct step *x, const struct step *y)
{
	bool same = x->action == y->action && strcmp(x->device, y->device) == 0 && x->phase == y->phase &&
		    x->n_looks == y->n_looks && (x->id == NULL) == (y->id == NULL) &&
		    (x->why == NULL) == (y->why == NULL) && (!x->id || strcmp(x->id, y->id) == 0) &&
		    (!x->why || strcmp(x->why, y->why) == 0);

	for (size_t i = 0; same && i < x->n_looks; i++)
		same = strcmp(x->look[i], y->look[i]) == 0;
	return same && same_looks(x, &x->from, &y->from) && same_looks(x, &x->to, &y->to) &&
	       same_looks(x, &x->home, &y->home);
}

/* Whether a step is still to be taken back. */
static bool is_out(enum mark m)
{
	return m != MARK_NONE && m < MARK_UNDID;
}

/* The same is done with both: the lease is equal, and the marks leave the same steps to be taken back. */
static bool same_lease(const struct lease *x, const struct lease *y)
{
	bool same = x->vmid == y->vmid && strcmp(x->boot_id, y->boot_id) == 0 &&
		    strcmp(x->generation, y->generation) == 0 && strcmp(x->profile, y->profile) == 0 &&
		    x->profile_hash == y->profile_hash && x->n == y->n && x->held == y->held;

	for (size_t i = 0; same && i < x->n; i++)
		same = same_step(&x->steps[i], &y->steps[i]) && is_out(x->marks[i]) == is_out(y->marks[i]);
	return same;
}

static int parse(struct arena *a, const char *text, size_t n, struct lease *lease, size_t *good)
{
	struct error err = { 0 };
	int code = journal_parse(text, n, "test.journal", a, lease, good, &err);

	if (code < 0) {
		assert_int_equal(err.code, code);
		assert_contains(err.text, "test.journal");
	}
	return code;
}

static int parse_text(struct arena *a, const char *text)
{
	struct lease lease;
	size_t good;

	return parse(a, text, strlen(text), &lease, &good);
}

/* The lease as text, "ready" included, and these marks behind it. */
static const char *text_with(struct arena *a, const char *marks)
{
	struct lease lease = lease_make(a);

	return arena_fmt(a, "%s%s", journal_write_text(&lease, a), marks);
}

/* A whole life of two steps. */
static const char life[] = "do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\nundo\t1\nundid\t1\nundo\t0\nundid\t0\n";

static void a_step_whose_device_the_vm_has_not_got_is_done_with(void **state)
{
	static const char held[] = "do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\n", given[] = "undo\t1\nundid\t1\ngiven\t1\n";
	static const char *const bad[] = { "given\t1\n", "undo\t1\ngiven\t1\n", "given\t2\n" };
	static const char *const after[] = { "given\t1\n", "undo\t1\n", "undid\t1\n", "do\t1\n", "doubt\t1\t4711\tx\ty\n" };
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = text_with(a, arena_fmt(a, "%s%s", held, given));
	struct lease lease;
	size_t good;

	(void)state;
	assert_int_equal(parse(a, text, strlen(text), &lease, &good), 0);
	assert_int_equal(lease.marks[0], MARK_DID);
	assert_int_equal(lease.marks[1], MARK_GIVEN);
	assert_string_equal(lease_state(&lease), "held");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse_text(a, text_with(a, arena_fmt(a, "%s%s", held, bad[i]))), -EBADMSG);
	for (size_t i = 0; i < COUNT(after); i++)
		assert_int_equal(parse_text(a, text_with(a, arena_fmt(a, "%s%s%s", held, given, after[i]))), -EBADMSG);
	/* The rest goes back in the end. */
	assert_int_equal(parse_text(a, text_with(a, arena_fmt(a, "%s%sundo\t0\nundid\t0\n", held, given))), 0);
}

/* A step of each phase, in the order of a profile; the first and the last find a function anew. */
static struct lease lease_of_phases(struct arena *a)
{
	static const enum phase phases[] = { PHASE_PRE_START, PHASE_PRE_START, PHASE_POST_START, PHASE_PRE_STOP,
					     PHASE_POST_STOP, PHASE_POST_STOP };
	struct lease lease = lease_make(a);

	lease.n = COUNT(phases);
	lease.steps = arena_array(a, lease.n, sizeof(struct step));
	lease.marks = arena_array(a, lease.n, sizeof(enum mark));
	for (size_t i = 0; i < lease.n; i++) {
		lease.steps[i] = step_new(action_find("cycle"), "0000:02:00.0", phases[i], a);
		lease.steps[i].patience_ms = (unsigned)i;
		step_look(&lease.steps[i], "life/0000:02:00.0", value_present(), value_new(a), value_present());
		step_look(&lease.steps[i], "usb/0000:02:00.0/1:1", value_any(), value_hoped("a\tb"), value_hoped(NULL));
	}
	return lease;
}

static int parse_phases(struct arena *a, const char *marks, struct lease *read)
{
	struct lease lease = lease_of_phases(a);
	const char *text = arena_fmt(a, "%s%s", journal_write_text(&lease, a), marks);
	size_t good;

	return parse(a, text, strlen(text), read, &good);
}

static void steps_of_all_phases_are_read_as_they_were_written(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lease lease = lease_of_phases(a), read;

	(void)state;
	assert_int_equal(parse_phases(a, "", &read), 0);
	assert_true(same_lease(&lease, &read));
	for (size_t i = 0; i < read.n; i++) {
		assert_int_equal(read.steps[i].patience_ms, i);
		assert_string_equal(read.steps[i].to.v[0].was, "");
	}
}

static void marks_of_all_phases_are_taken(void **state)
{
	static const char whole[] =
		"do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\ndo\t2\ndid\t2\ndo\t3\nundo\t3\nundid\t3\nundo\t2\nundid\t2\n"
		"undo\t1\nundid\t1\nundo\t0\nundid\t0\ndo\t4\nundo\t4\nundid\t4\ndo\t5\ndid\t5\n";
	static const char *const good[] = {
		whole,
		/* A start that failed: post-stop comes all the same. */
		"do\t0\nundo\t0\nundid\t0\ndo\t4\ndid\t4\ndo\t5\n",
		/* A step of post-stop that could not be taken back, or not be looked at: the others are done. */
		"do\t0\nundo\t0\nundid\t0\ndo\t4\nundo\t4\ndo\t5\ndid\t5\nstuck\n",
		"do\t0\nundo\t0\nundid\t0\ndo\t5\ndid\t5\nstuck\n",
		/* A pre-stop without a post-start. */
		"do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\ndo\t3\ndid\t3\n",
	};
	static const char *const bad[] = {
		"do\t2\n", "do\t0\ndid\t0\ndo\t2\n", "do\t0\ndid\t0\nheld\n", "do\t1\n",
		"do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\ndo\t0\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct lease read;

		assert_int_equal(parse_phases(a, good[i], &read), 0);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct lease read;

		if (parse_phases(a, bad[i], &read) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
}

/* As version 1 wrote it: no patience. */
static void a_journal_of_the_version_before_is_read(void **state)
{
	static const char lease_text[] =
		"handover-journal\t1\nvmid\t100\nboot\tb\ngeneration\t0123456789abcdef\nprofile\t/a.yaml\t0000000000000000\n"
		"step\tbind\t0000:02:00.0\tpre-start\t=10de:2783:1043:896e\t-\n"
		"look\tsys/bus/pci/devices/0000:02:00.0/driver\t=nouveau\t=vfio-pci\t*\n";
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = arena_fmt(a, "%sready\t1\t%016llx\ndo\t0\ndid\t0\nheld\n", lease_text,
				     (unsigned long long)str_hash(STR_HASH_START, lease_text, sizeof(lease_text) - 1));
	struct lease read;
	size_t good;

	(void)state;
	assert_int_equal(parse(a, text, strlen(text), &read, &good), 0);
	assert_true(read.held);
	assert_int_equal(read.n, 1);
	assert_int_equal(read.steps[0].patience_ms, 0);
	assert_int_equal(read.steps[0].home.v[0].kind, VALUE_ANY);
	assert_string_equal(read.steps[0].to.v[0].text, "vfio-pci");
}

static void what_a_look_was_is_read_or_refused(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char line[WAS_LINE_BYTES];
	struct lease read;

	(void)state;
	journal_was_line(line, 4, 0, "15369");
	assert_int_equal(parse_phases(a, line, &read), 0);
	assert_string_equal(read.steps[4].to.v[0].was, "15369");
	assert_string_equal(read.steps[5].to.v[0].was, "");
	for (size_t i = 0; line[i + 1]; i++) {
		char damaged[WAS_LINE_BYTES];

		strcpy(damaged, line);
		damaged[i] = damaged[i] == '7' ? '8' : '7';
		if (parse_phases(a, damaged, &read) != -EBADMSG)
			fail_msg("taken: %s", damaged);
	}
	/* A look that is not to be found anew; a step and a look that are not there. */
	journal_was_line(line, 4, 1, "15369");
	assert_int_equal(parse_phases(a, line, &read), -EBADMSG);
	journal_was_line(line, 6, 0, "15369");
	assert_int_equal(parse_phases(a, line, &read), -EBADMSG);
	journal_was_line(line, 4, 2, "15369");
	assert_int_equal(parse_phases(a, line, &read), -EBADMSG);
}

static void a_write_in_doubt_is_read_until_its_step_is_where_it_shall_be(void **state)
{
	static const char *const open[] = { "", "undo\t0\n" };
	static const char *const over[] = { "did\t0\n", "undo\t0\nundid\t0\n" };
	_cleanup_arena_ struct arena *a = arena_new();
	char line[DOUBT_LINE_BYTES];
	struct lease read;

	(void)state;
	journal_doubt_line(line, 0, &(struct doubt){ 4711, "removing it\tnow\\", "sys/x\ny" });
	for (size_t i = 0; i < COUNT(open); i++) {
		assert_int_equal(parse_phases(a, arena_fmt(a, "do\t0\n%s%s", line, open[i]), &read), 0);
		assert_int_equal(read.doubts[0].pid, 4711);
		assert_string_equal(read.doubts[0].what, "removing it?now?");
		assert_string_equal(read.doubts[0].at, "sys/x?y");
		assert_int_equal(read.doubts[1].pid, 0);
		assert_int_equal(parse_phases(a, arena_fmt(a, "do\t0\n%s%s", line, over[i]), &read), 0);
		assert_int_equal(read.doubts[0].pid, 0);
	}
	/* Of what was taken back, though that could not be written. */
	assert_int_equal(parse_phases(a, arena_fmt(a, "do\t0\ndid\t0\n%s", line), &read), 0);
	assert_int_equal(read.doubts[0].pid, 4711);
}

static void a_doubt_of_what_was_not_begun_is_damage(void **state)
{
	static const char *const bad[] = {
		"doubt\t0\t4711\tx\ty\n", "do\t0\ndoubt\t1\t4711\tx\ty\n", "do\t0\ndoubt\t6\t4711\tx\ty\n",
		"do\t0\ndoubt\t0\t0\tx\ty\n", "do\t0\ndoubt\t0\t-1\tx\ty\n", "do\t0\ndoubt\t0\t4711\tx\n",
		"do\t0\nundo\t0\nundid\t0\ndoubt\t0\t4711\tx\ty\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct lease read;

		if (parse_phases(a, bad[i], &read) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
}

static void the_longest_doubt_is_a_whole_line(void **state)
{
	char line[DOUBT_LINE_BYTES], text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	journal_doubt_line(line, PLAN_STEPS_MAX - 1, &(struct doubt){ INT32_MAX, text, text });
	assert_int_equal(line[strlen(line) - 1], '\n');
}

/* --- round trip -------------------------------------------------------------------------------------------------- */

static void a_lease_is_read_as_it_was_written(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lease lease = lease_make(a), read;
	const char *text = journal_write_text(&lease, a);
	size_t good = 0;

	(void)state;
	assert_int_equal(parse(a, text, strlen(text), &read, &good), 0);
	assert_int_equal(good, strlen(text));
	assert_true(same_lease(&lease, &read));
	assert_text(read.profile, lease.profile);
	assert_text(read.steps[1].why, lease.steps[1].why);
	assert_null(read.steps[1].id);
	assert_null(read.steps[1].home.v[0].text);
	assert_false(read.held || read.stuck);
	assert_string_equal(lease_state(&read), "running");
}

/* Begin, mark, read again: in either kind of store. */
static void live_through(struct store *store)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lease lease = lease_make(a), read;
	struct journal j, again;
	struct error err;

	assert_int_equal(journal_load(&j, store, VMID, a, &read, &err), -ENOENT);
	assert_int_equal(journal_peek(store, VMID, a, &read, &err), -ENOENT);
	assert_int_equal(journal_begin(&j, store, &lease, a, &err), 0);
	assert_int_equal(journal_begin(&again, store, &lease, a, &err), -EEXIST);
	assert_int_equal(journal_mark(&j, &lease, 0, MARK_DO, &err), 0);
	assert_int_equal(journal_mark(&j, &lease, 0, MARK_DID, &err), 0);
	assert_int_equal(journal_peek(store, VMID, a, &read, &err), 0);
	assert_true(same_lease(&lease, &read));
	assert_int_equal(read.marks[0], MARK_DID);
	assert_int_equal(read.marks[1], MARK_NONE);
	assert_string_equal(lease_state(&read), "running");
	journal_close(&j);

	assert_int_equal(journal_load(&j, store, VMID, a, &read, &err), 0);
	assert_int_equal(journal_mark(&j, &read, 1, MARK_DO, &err), 0);
	assert_int_equal(journal_mark(&j, &read, 1, MARK_DID, &err), 0);
	assert_int_equal(journal_hold(&j, &read, &err), 0);
	assert_int_equal(journal_peek(store, VMID, a, &lease, &err), 0);
	assert_true(lease.held);
	assert_string_equal(lease_state(&lease), "held");
	assert_int_equal(journal_mark(&j, &read, 1, MARK_UNDO, &err), 0);
	assert_int_equal(journal_peek(store, VMID, a, &lease, &err), 0);
	assert_string_equal(lease_state(&lease), "returning");
	assert_int_equal(journal_stuck(&j, &read, &err), 0);
	assert_int_equal(journal_stuck(&j, &read, &err), 0);
	assert_int_equal(journal_peek(store, VMID, a, &lease, &err), 0);
	assert_true(lease.held && lease.stuck);
	assert_string_equal(lease_state(&lease), "stuck");
	assert_int_equal(journal_end(&j, &err), 0);
	assert_int_equal(journal_peek(store, VMID, a, &lease, &err), -ENOENT);
}

static void a_journal_lives_in_memory(void **state)
{
	struct store store;

	(void)state;
	store_open_memory(&store);
	live_through(&store);
	store_close(&store);
}

/* --- torn ends --------------------------------------------------------------------------------------------------- */

static size_t count_lines(const char *text, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Cut anywhere, a journal is that of the lines which are whole. Nothing was begun while there is no "ready". */
static void a_torn_last_line_was_never_written(void **state)
{
	_cleanup_arena_ struct arena *texts = arena_new();
	const char *text = text_with(texts, life);
	size_t n = strlen(text), ready = n - strlen(life);

	(void)state;
	for (size_t cut = 0; cut <= n; cut++) {
		_cleanup_arena_ struct arena *a = arena_new();
		size_t good = 0, whole = 0, lines = count_lines(text, cut);
		struct lease lease = { .vmid = 7 }, until;
		int code = parse(a, text, cut, &lease, &good);

		if (cut < ready) {
			assert_int_equal(code, -ENODATA);
			assert_int_equal(lease.vmid, 7);
			continue;
		}
		assert_int_equal(code, 0);
		assert_int_equal(count_lines(text, good), lines);
		assert_true(good <= cut && text[good - 1] == '\n');
		assert_int_equal(parse(a, text, good, &until, &whole), 0);
		assert_int_equal(whole, good);
		assert_true(same_lease(&lease, &until));
		for (size_t i = 0; i < lease.n; i++)
			assert_int_equal(lease.marks[i], until.marks[i]);
	}
}

/* --- damage ------------------------------------------------------------------------------------------------------ */

static void each_kind_of_damage_is_refused(void **state)
{
	static const struct { const char *old, *new; } cases[] = {
		{ "handover-journal\t2\n", "" },
		{ "handover-journal\t2\n", "handover-journal\t0\n" },
		{ "handover-journal\t2\n", "handover-journal\t1\n" },
		{ "handover-journal\t2\n", "handover-journal\t3\n" },
		{ "handover-journal\t2\n", "journal\t2\n" },
		{ "vmid\t100\n", "vmid\t99\n" },
		{ "vmid\t100\n", "vmid\t0100\n" },
		{ "vmid\t100\n", "" },
		{ "boot\t", "boots\t" },
		{ "generation\t0123456789abcdef", "generation\t123456789abcdef" },
		{ "generation\t0123456789abcdef", "generation\t0123456789abcdeg" },
		{ "\tfedcba9876543210\n", "\tfedcba987654321\n" },
		{ "\\t", "\\x" },
		{ "step\tbind\t", "step\tnosuch\t" },
		{ "\tpre-start\t", "\tpre-lunch\t" },
		{ "\t=10de:2783", "\t10de:2783" },
		{ "\t=10de:2783", "" },
		{ "look\t", "lock\t" },
		{ "\t=vfio-pci", "\tvfio-pci" },
		{ "\t=vfio-pci", "\t=nouveau!" },
		{ "step\t", "look\ta\t-\t-\t-\nstep\t" },
		{ "ready\t2\t", "ready\t1\t" },
		{ "ready\t2\t", "ready\t\t" },
		{ "ready\t2\t", "\n\tready\t2\t" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *text = text_with(a, "do\t0\n"), *at = strstr(text, cases[i].old);
		int code;

		if (!at)
			fail_msg("'%s' is not in the journal", cases[i].old);
		code = parse_text(a, arena_fmt(a, "%.*s%s%s", (int)(at - text), text, cases[i].new,
					       at + strlen(cases[i].old)));
		if (code != -EBADMSG)
			fail_msg("case %zu: %d", i, code);
	}
}

static void a_line_too_long_or_too_many_is_refused(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = text_with(a, "do\t0\n");
	char *big = arena_alloc(a, JOURNAL_BYTES_MAX + 2);
	size_t n = strlen(text);

	(void)state;
	/* At the limit it is the line that is wrong, one byte above the length. */
	memset(big, 'x', JOURNAL_BYTES_MAX + 1);
	memcpy(big, text, n);
	big[JOURNAL_BYTES_MAX] = '\n';
	assert_int_equal(parse_text(a, big), -EBADMSG);
	big[JOURNAL_BYTES_MAX] = '\0';
	assert_int_equal(parse_text(a, big), 0);
	memset(big + n, '\n', JOURNAL_BYTES_MAX - n);
	assert_int_equal(parse_text(a, big), -EBADMSG);
}

static void marks_out_of_order_are_refused(void **state)
{
	static const char *const bad[] = {
		"did\t0\n",
		"undo\t0\n",
		"undid\t0\n",
		"do\t0\ndo\t0\n",
		"do\t0\ndid\t0\ndid\t0\n",
		"do\t0\nundid\t0\n",
		"do\t0\ndid\t0\ndo\t0\n",
		"do\t0\nundo\t0\ndid\t0\n",
		"do\t0\nundo\t0\nundid\t0\nundo\t0\n",
		"do\t0\nundo\t0\nundid\t0\ndo\t0\n",
		"do\t2\n",
		"do\t-1\n",
		"do\t00\n",
		"do\n",
		"do\t\n",
		"do\t0\t\n",
		"\n",
		"x\n",
		"held\t0\n",
		"ready\t2\t0123456789abcdef\n",
		"stuck\t0\n",
		"DO\t0\n",
		"do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\nheld\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		if (parse_text(a, text_with(a, bad[i])) != -EBADMSG)
			fail_msg("'%s' is taken", bad[i]);
	}
}

static void marks_of_a_life_are_taken(void **state)
{
	static const char *const good[] = {
		"do\t0\n",
		"do\t0\ndid\t0\ndo\t1\n",
		"do\t0\nundo\t0\n",
		"do\t0\nundo\t0\nundo\t0\nundid\t0\n",
		life,
		"do\t0\nundo\t0\nstuck\nundo\t0\nundid\t0\n",
		"do\t0\ndid\t0\ndo\t1\ndid\t1\nheld\nundo\t0\nundid\t0\nstuck\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		if (parse_text(a, text_with(a, good[i])) != 0)
			fail_msg("'%s' is refused", good[i]);
	}
}

/*
 * Steps are done in order, each only when the one before it is done, and held only when all are. A mark that says
 * otherwise is damage: believed, it would leave a device with the wrong driver.
 */
static void steps_begun_out_of_order_are_refused(void **state)
{
	static const char *const bad[] = { "do\t1\n", "do\t0\ndo\t1\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		if (parse_text(a, text_with(a, bad[i])) != -EBADMSG)
			fail_msg("'%s' is taken", bad[i]);
	}
}

static void held_before_all_is_done_is_refused(void **state)
{
	static const char *const bad[] = { "held\n", "do\t0\nheld\n", "do\t0\ndid\t0\nheld\n",
					   "do\t0\ndid\t0\ndo\t1\nheld\n",
					   "do\t0\ndid\t0\ndo\t1\ndid\t1\nundo\t1\nheld\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		if (parse_text(a, text_with(a, bad[i])) != -EBADMSG)
			fail_msg("'%s' is taken", bad[i]);
	}
}

/* --- one byte ---------------------------------------------------------------------------------------------------- */

/* Other values of a byte: each bit turned, and what means something in a journal. */
static size_t other_bytes(char byte, char others[32])
{
	static const char special[] = "\n\t\\\0 019=-*";
	size_t n = 0;

	for (int bit = 0; bit < 8; bit++)
		others[n++] = (char)(byte ^ (1 << bit));
	for (size_t i = 0; i < sizeof(special) - 1; i++)
		if (special[i] != byte)
			others[n++] = special[i];
	return n;
}

static void flip(const char *marks, const char *text, size_t n, size_t at, char byte)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *damaged = arena_dupn(a, text, n);
	size_t good = 0, ready = n - strlen(marks);
	struct lease whole, lease;
	int code;

	assert_int_equal(parse(a, text, n, &whole, &good), 0);
	damaged[at] = byte;
	code = parse(a, damaged, n, &lease, &good);
	/* A newline that is gone from the end looks like a line that was never written. */
	if (at == n - 1)
		return;
	if (code == -EBADMSG)
		return;
	if (code != 0)
		fail_msg("byte %zu as 0x%02x, marks '%s': %d", at, (unsigned char)byte, marks, code);
	/* The hash guards all that is before it; its own letters may be capitals. */
	if (at < ready - strlen("0123456789abcdef\n"))
		fail_msg("byte %zu as 0x%02x is not noticed", at, (unsigned char)byte);
	if (!same_lease(&whole, &lease))
		fail_msg("byte %zu as 0x%02x, marks '%s': another lease is read", at, (unsigned char)byte, marks);
}

static void flip_all(const char *marks)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = text_with(a, marks);
	size_t n = strlen(text);

	for (size_t at = 0; at < n; at++) {
		char others[32];
		size_t count = other_bytes(text[at], others);

		for (size_t i = 0; i < count; i++)
			flip(marks, text, n, at, others[i]);
	}
}

static void a_byte_changed_in_a_lease_is_noticed(void **state)
{
	(void)state;
	flip_all("do\t0\ndid\t0\n");
}

/*
 * After every mark of a life, because the last line has nothing behind it that could contradict it.
 */
static void a_byte_changed_in_a_mark_changes_nothing(void **state)
{
	(void)state;
	for (const char *end = strchr(life, '\n'); end; end = strchr(end + 1, '\n')) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *marks = arena_dupn(a, life, (size_t)(end + 1 - life)), *text = text_with(a, marks);
		size_t n = strlen(text);

		for (size_t at = n - strlen(marks); at < n; at++) {
			char others[32];
			size_t count = other_bytes(text[at], others);

			for (size_t i = 0; i < count; i++)
				flip(marks, text, n, at, others[i]);
		}
	}
}

/* --- the folder -------------------------------------------------------------------------------------------------- */

/* A folder of the test's own; and store, which is not there yet, in it. */
struct ground {
	char folder[64], store[80], other[80];
};

static int set_up(void **state)
{
	struct ground *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->folder, "/tmp/handover-journal-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->store, sizeof(p->store), "%s/store", p->folder);
	snprintf(p->other, sizeof(p->other), "%s/other", p->folder);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	struct ground *p = *state;

	snprintf(command, sizeof(command), "rm -rf '%s'", p->folder);
	free(p);
	return system(command);
}

static void a_journal_lives_in_a_folder(void **state)
{
	const struct ground *p = *state;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	live_through(&store);
	store_close(&store);
}

static void a_store_is_made_for_its_owner_alone(void **state)
{
	const struct ground *p = *state;
	struct lease lease;
	struct store store;
	struct journal j;
	struct error err;
	struct stat st;
	_cleanup_arena_ struct arena *a = arena_new();

	umask(0);
	assert_int_equal(store_open(&store, p->store, &err), 0);
	assert_int_equal(stat(p->store, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	lease = lease_make(a);
	assert_int_equal(journal_begin(&j, &store, &lease, a, &err), 0);
	assert_int_equal(fstat(j.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	journal_close(&j);
	store_close(&store);
	assert_int_equal(store_open(&store, p->store, &err), 0);
	store_close(&store);
}

static void a_folder_that_others_may_enter_is_refused(void **state)
{
	static const mode_t modes[] = { 0701, 0710, 0704, 0740, 0702, 0755, 0777 };
	const struct ground *p = *state;
	struct store store;
	struct error err;

	assert_int_equal(mkdir(p->store, 0700), 0);
	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_int_equal(chmod(p->store, modes[i]), 0);
		assert_int_equal(store_open(&store, p->store, &err), -EPERM);
		assert_contains(err.text, p->store);
	}
	assert_int_equal(chmod(p->store, 0700), 0);
	assert_int_equal(store_open(&store, p->store, &err), 0);
	store_close(&store);
}

static void a_link_and_a_file_are_no_store(void **state)
{
	const struct ground *p = *state;
	struct store store;
	struct error err;
	int fd;

	assert_int_equal(mkdir(p->other, 0700), 0);
	assert_int_equal(symlink(p->other, p->store), 0);
	assert_int_equal(store_open(&store, p->store, &err), -EPERM);
	assert_contains(err.text, p->store);
	assert_int_equal(unlink(p->store), 0);
	assert_int_equal(symlink("/nonexistent", p->store), 0);
	assert_int_equal(store_open(&store, p->store, &err), -EPERM);
	assert_int_equal(unlink(p->store), 0);
	fd = open(p->store, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(store_open(&store, p->store, &err), -EPERM);
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
	const struct ground *p = *state;
	struct store store;
	struct error err;

	if (geteuid() != 0)
		skip();		/* nobody else can give a folder away */
	assert_int_equal(mkdir(p->store, 0700), 0);
	assert_int_equal(chown(p->store, 12345, (gid_t)-1), 0);
	assert_int_equal(store_open(&store, p->store, &err), -EPERM);
	assert_contains(err.text, p->store);
}

static void a_store_without_parent_is_not_made(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, arena_fmt(a, "%s/no/store", p->folder), &err), -ENOENT);
}

static void touch(struct arena *a, const char *folder, const char *name)
{
	int fd = open(arena_fmt(a, "%s/%s", folder, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void journals_are_listed_by_number(void **state)
{
	static const char *const names[] = { "1000.journal", "100.journal",  "999999999.journal",
					     "99.journal",   "0100.journal", "1000000000.journal",
					     "x.journal",    ".journal",     "101.journal.old",
					     "102",	     "100.last",     "105.last",
					     "x.last" };
	static const unsigned expected[] = { 100, 105, 1000, 999999999 };
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	struct store store;
	struct error err;
	unsigned *vmids;
	size_t n;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	assert_int_equal(store_list(&store, a, &vmids, &n, &err), 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < COUNT(names); i++)
		touch(a, p->store, names[i]);
	assert_int_equal(store_list(&store, a, &vmids, &n, &err), 0);
	assert_int_equal(n, COUNT(expected));
	assert_memory_equal(vmids, expected, sizeof(expected));
	store_close(&store);
}

static void a_store_in_memory_lists_nothing(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct error err = { 0 };
	struct store store;
	unsigned *vmids;
	size_t n;

	(void)state;
	store_open_memory(&store);
	assert_true(store_list(&store, a, &vmids, &n, &err) < 0);
	assert_true(err.code < 0);
	store_close(&store);
}

/* --- damage on disk ---------------------------------------------------------------------------------------------- */

static void write_journal(struct store *store, const char *text)
{
	int fd = store_create(store, VMID);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void a_torn_line_is_cut_off_before_the_next_mark(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	struct lease lease;
	struct store store;
	struct journal j;
	struct error err;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	write_journal(&store, text_with(a, "do\t0\ndi"));
	assert_int_equal(journal_peek(&store, VMID, a, &lease, &err), 0);
	assert_int_equal(journal_load(&j, &store, VMID, a, &lease, &err), 0);
	assert_int_equal(lease.marks[0], MARK_DO);
	assert_int_equal(journal_mark(&j, &lease, 0, MARK_DID, &err), 0);
	journal_close(&j);
	assert_int_equal(journal_load(&j, &store, VMID, a, &lease, &err), 0);
	assert_int_equal(lease.marks[0], MARK_DID);
	journal_close(&j);
	store_close(&store);
}

static void a_journal_without_ready_is_dropped(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	const char *text = text_with(a, "");
	struct lease lease;
	struct store store;
	struct journal j;
	struct error err;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	write_journal(&store, arena_dupn(a, text, strlen(text) - 1));
	/* Who only looks leaves it: its writer may be at it. */
	assert_int_equal(journal_peek(&store, VMID, a, &lease, &err), -ENOENT);
	assert_int_equal(store_create(&store, VMID), -EEXIST);
	assert_int_equal(journal_load(&j, &store, VMID, a, &lease, &err), -ENOENT);
	assert_int_equal(store_append(&store, VMID), -ENOENT);
	store_close(&store);
}

static void a_damaged_journal_stays(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	struct lease lease;
	struct store store;
	struct journal j;
	struct error err;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	write_journal(&store, text_with(a, "dont\t0\n"));
	assert_int_equal(journal_load(&j, &store, VMID, a, &lease, &err), -EBADMSG);
	assert_contains(err.text, "100.journal:");
	assert_contains(err.text, "nothing was touched");
	assert_int_equal(store_create(&store, VMID), -EEXIST);
	store_close(&store);
}

static void a_journal_of_another_vm_is_refused(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	struct lease lease;
	struct store store;
	struct journal j;
	struct error err;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	write_journal(&store, text_with(a, "do\t0\n"));
	assert_int_equal(rename(arena_fmt(a, "%s/100.journal", p->store), arena_fmt(a, "%s/101.journal", p->store)), 0);
	assert_int_equal(journal_load(&j, &store, 101, a, &lease, &err), -EBADMSG);
	assert_int_equal(journal_peek(&store, 101, a, &lease, &err), -EBADMSG);
	store_close(&store);
}

static void a_journal_that_is_a_link_is_not_followed(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *p = *state;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, p->store, &err), 0);
	touch(a, p->folder, "elsewhere");
	assert_int_equal(symlink("../elsewhere", arena_fmt(a, "%s/100.journal", p->store)), 0);
	assert_true(store_append(&store, VMID) < 0);
	assert_int_equal(store_create(&store, VMID), -EEXIST);
	store_close(&store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_read_as_it_was_written),
		cmocka_unit_test(steps_of_all_phases_are_read_as_they_were_written),
		cmocka_unit_test(marks_of_all_phases_are_taken),
		cmocka_unit_test(what_a_look_was_is_read_or_refused),
		cmocka_unit_test(a_write_in_doubt_is_read_until_its_step_is_where_it_shall_be),
		cmocka_unit_test(a_doubt_of_what_was_not_begun_is_damage),
		cmocka_unit_test(the_longest_doubt_is_a_whole_line),
		cmocka_unit_test(a_journal_of_the_version_before_is_read),
		cmocka_unit_test(a_journal_lives_in_memory),
		cmocka_unit_test(a_torn_last_line_was_never_written),
		cmocka_unit_test(each_kind_of_damage_is_refused),
		cmocka_unit_test(a_line_too_long_or_too_many_is_refused),
		cmocka_unit_test(marks_out_of_order_are_refused),
		cmocka_unit_test(marks_of_a_life_are_taken),
		cmocka_unit_test(steps_begun_out_of_order_are_refused),
		cmocka_unit_test(held_before_all_is_done_is_refused),
		cmocka_unit_test(a_byte_changed_in_a_lease_is_noticed),
		cmocka_unit_test(a_byte_changed_in_a_mark_changes_nothing),
		IN_FOLDER(a_journal_lives_in_a_folder),
		IN_FOLDER(a_store_is_made_for_its_owner_alone),
		IN_FOLDER(a_folder_that_others_may_enter_is_refused),
		IN_FOLDER(a_link_and_a_file_are_no_store),
		IN_FOLDER(a_folder_of_somebody_else_is_refused),
		IN_FOLDER(a_store_without_parent_is_not_made),
		IN_FOLDER(journals_are_listed_by_number),
		cmocka_unit_test(a_step_whose_device_the_vm_has_not_got_is_done_with),
		cmocka_unit_test(a_store_in_memory_lists_nothing),
		IN_FOLDER(a_torn_line_is_cut_off_before_the_next_mark),
		IN_FOLDER(a_journal_without_ready_is_dropped),
		IN_FOLDER(a_damaged_journal_stays),
		IN_FOLDER(a_journal_of_another_vm_is_refused),
		IN_FOLDER(a_journal_that_is_a_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
