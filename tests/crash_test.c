/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crash matrix: every write of a VM's life is broken in every way, and the journal is cut at every byte. Whatever
 * was done to it, the host must end as it was, with no lease left; and what a run said of it must have been true.
 *
 * A "death" ends the run by a long jump out of the write, as kill -9 would: nothing below it gets to clean up. The
 * simulated host and the journal folder are what survives.
 */
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
#include <sys/stat.h>
#include <unistd.h>

#include "core/lend.h"
#include "core/prepare.h"
#include "core/same.h"
#include "host/hostfile.h"
#include "host/sim.h"

#define VMID 100
#define RUNS_MAX 16		/* recoveries in a row: a fault may hit the first */

/* What is being broken. */
struct scene {
	const char *host_file, *profile_text;
	bool keep;		/* 'return: keep': after a whole life the devices are elsewhere, on purpose */
};

static const struct scene scenes[] = {
	{ "tests/hosts/lab-pair.host",
	  "handover: 1\ndevices:\n  nic: {at: \"01:00.0\", id: \"8086:100e\"}\npre-start:\n  - bind: nic\n", false },
	{ "tests/hosts/workstation-4070.host",
	  "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\", functions: all}\npre-start:\n  - bind: gpu\n", false },
	{ "tests/hosts/workstation-4070.host",
	  "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\n  usb: {at: \"79:00.3\"}\n"
	  "pre-start:\n  - bind: gpu\n  - bind: usb\n    driver: nouveau\n    return: xhci_hcd\n", false },
	{ "tests/hosts/workstation-4070.host",
	  "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\npre-start:\n  - bind: gpu\n    return: keep\n", true },
	{ "tests/hosts/workstation-4070.host",
	  "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\npre-start:\n  - bind: gpu\n    return: nouveau\n", true },
};

#define PAIRS_SCENE 0	/* a small host, because there are many */

static const char *source_root;
static char folder[] = "/dev/shm/handover-crash-XXXXXX";	/* memory, as /run is */
static unsigned runs, dirty;

/* --- one run that may die ---------------------------------------------------------------------------------------- */

static jmp_buf death;
static struct lockset locks;	/* outlives a death, as descriptors do not outlive a process */
static struct arena *run_arena;

static void die(void *arg)
{
	(void)arg;
	longjmp(death, 1);
}

/* Cuts the journal: the program dies after this many more bytes of it were written. */
static size_t bytes_left;
static bool cutting;
static int journal_error;	/* or the nth write to it fails with this */
static unsigned journal_writes_left;

ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);

ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	struct stat st;

	if (fd <= 2 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return __real_write(fd, buf, n);
	if (journal_error && --journal_writes_left == 0) {
		int code = journal_error;

		journal_error = 0;
		/* A full disk takes half of it first. */
		if (code == ENOSPC && n > 1)
			return __real_write(fd, buf, n / 2);
		errno = code;
		return -1;
	}
	if (!cutting)
		return __real_write(fd, buf, n);
	if (n > bytes_left) {
		(void)!__real_write(fd, buf, bytes_left);
		die(NULL);
	}
	bytes_left -= n;
	return __real_write(fd, buf, n);
}

enum what { OUT, BACK };

struct stage {
	struct host *host;
	struct store store;
	const struct scene *scene;
};

/* One call of the program, as far as lending goes. A death is OUTCOME_CHANGED, as far as anybody can tell. */
static enum outcome call(struct stage *s, enum what what, bool *died, struct error *err)
{
	static struct lender l;
	static struct findings f;
	static struct planner p;
	const struct profile *profile;
	enum outcome o;
	bool ended;

	runs++;
	*died = false;
	run_arena = arena_new();
	memset(err, 0, sizeof(*err));
	lender_init(&l, s->host, &s->store, run_arena, "crash test");
	if (setjmp(death)) {
		*died = true;
		locks = l.locks;
		lockset_release(&locks);
		arena_free(run_arena);
		return OUTCOME_CHANGED;
	}
	o = lend_lock(&l, VMID, err);
	assert_int_equal(o, OUTCOME_DONE);
	/* Both ways begin with what an earlier life left, as the hook does. */
	o = lend_back(&l, VMID, &ended, err);
	if (what == OUT && o == OUTCOME_DONE) {
		findings_init(&f, run_arena);
		profile = profile_parse(s->scene->profile_text, strlen(s->scene->profile_text), "crash.yaml", &f);
		assert_non_null(profile);
		assert_true(prepare_plan(&p, s->host, NULL, profile, VMID, &f, err));
		o = lend_out(&l, VMID, profile, 1, &p.plan, err);
	}
	lockset_release(&l.locks);
	arena_free(run_arena);
	return o;
}

/* --- the host before and after ------------------------------------------------------------------------------------ */

static char *read_file(const char *name, size_t *n)
{
	char path[4096], *text = malloc(HOSTFILE_BYTES_MAX);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", source_root, name);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(text);
	*n = fread(text, 1, HOSTFILE_BYTES_MAX, in);
	fclose(in);
	return text;
}

/* Modules that were loaded are not given back ("as it was" is core/same.h); everything else is compared. */
static char *dump(struct host *h)
{
	char *text = NULL, *line, *next, *to;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	sim_dump(h, out);
	fclose(out);
	for (line = to = text; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (strncmp(line, "module/vfio_pci", 15) == 0 || strncmp(line, "sys/module/", 11) == 0 ||
		    strncmp(line, "sys/bus/pci/drivers/vfio-pci/", 29) == 0)
			continue;
		memmove(to, line, (size_t)(next - line));
		to += next - line;
	}
	*to = '\0';
	return text;
}

static struct stage stage_new(const struct scene *scene)
{
	struct stage s = { .scene = scene };
	struct error err;
	size_t n;
	char *text = read_file(scene->host_file, &n);

	assert_int_equal(hostfile_parse(text, n, scene->host_file, &s.host, &err), 0);
	free(text);
	assert_int_equal(store_open(&s.store, folder, &err), 0);
	return s;
}

static void stage_end(struct stage *s)
{
	store_remove(&s->store, VMID);
	store_close(&s->store);
	host_close(s->host);
}

static bool has_journal(struct stage *s)
{
	int fd = store_append(&s->store, VMID);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void note(bool bad, const struct scene *scene, const char *what, unsigned n, const char *fault, const char *text)
{
	if (!bad)
		return;
	dirty++;
	print_message("dirty: scene %d, %s %u, %s: %s\n", (int)(scene - scenes), what, n, fault, text);
}

/* What must hold when a run has ended with this outcome, before anybody recovers. */
static const char *lie(struct stage *s, enum outcome o, bool died, const char *before)
{
	char *now = dump(s->host);
	bool same = strcmp(now, before) == 0;
	const char *text = NULL;

	if (!died && (o == OUTCOME_FAILED || o == OUTCOME_REFUSED || o == OUTCOME_BUSY) && !same)
		text = "it said the host is as it was, and it is not";
	if (!died && (o == OUTCOME_FAILED || o == OUTCOME_REFUSED) && has_journal(s))
		text = "it said the host is as it was, and left a journal";
	free(now);
	return text;
}

/* A way back says that all is home and has no journal left, or that the host is not as it was. */
static bool lie_back(struct stage *s, enum outcome o, bool died, const char *home)
{
	char *now = dump(s->host);
	bool same = strcmp(now, home) == 0;

	free(now);
	return !died && o != OUTCOME_CHANGED && (o != OUTCOME_DONE || !same || has_journal(s));
}

/* Recovers until it is done, and says what is wrong then; NULL if nothing is. */
static const char *recover(struct stage *s, const char *home)
{
	struct error err;
	const char *text = NULL;
	char *now;
	bool died;
	int n = 0;

	while (call(s, BACK, &died, &err) != OUTCOME_DONE)
		if (++n == RUNS_MAX)
			return "it never recovers";
	now = dump(s->host);
	if (strcmp(now, home) != 0)
		text = "the host is not as it was";
	else if (has_journal(s))
		text = "a journal is left";
	free(now);
	return text;
}

/* --- the matrix --------------------------------------------------------------------------------------------------- */

/* What a scene's whole life leaves, undisturbed: the host before, and at home after; and how much it wrote. */
struct life {
	char *before, *home;
	unsigned writes_out, writes_back;
	size_t bytes_out, bytes_back;
};

static size_t count_bytes(struct stage *s, enum what what)
{
	struct error err;
	bool died;

	bytes_left = SIZE_MAX;
	cutting = true;
	assert_int_equal(call(s, what, &died, &err), OUTCOME_DONE);
	cutting = false;
	return SIZE_MAX - bytes_left;
}

static struct life live(const struct scene *scene)
{
	struct stage s = stage_new(scene);
	struct life l = { .before = dump(s.host) };

	l.bytes_out = count_bytes(&s, OUT);
	l.writes_out = sim_writes(s.host);
	l.bytes_back = count_bytes(&s, BACK);
	l.writes_back = sim_writes(s.host) - l.writes_out;
	l.home = dump(s.host);
	assert_true(l.writes_out > 0 && l.bytes_out > 0 && l.bytes_back > 0 && (scene->keep || l.writes_back > 0));
	assert_int_equal(strcmp(l.before, l.home) == 0, !scene->keep);
	stage_end(&s);
	return l;
}

static void life_end(struct life *l)
{
	free(l->before);
	free(l->home);
}

static const char *const fault_names[SIM_FAULTS] = { "fails before", "fails after", "dies before", "dies after",
						     "hangs" };

/* Whether the host may be at home after this: only if the whole life was lent once. */
static void finish(struct stage *s, const struct life *l, bool lent, const char *what, unsigned n, const char *fault)
{
	const char *text = recover(s, lent ? l->home : l->before);

	note(text != NULL, s->scene, what, n, fault, text);
}

static void break_out(const struct scene *scene, const struct life *l, unsigned n, enum sim_fault fault)
{
	struct stage s = stage_new(scene);
	struct error err;
	const char *text;
	enum outcome o;
	bool died;

	sim_break(s.host, n, fault, -EIO, die, NULL);
	o = call(&s, OUT, &died, &err);
	text = lie(&s, o, died, l->before);
	note(text != NULL, scene, "write out", n, fault_names[fault], text);
	finish(&s, l, o == OUTCOME_DONE, "write out", n, fault_names[fault]);
	stage_end(&s);
}

static void break_back(const struct scene *scene, const struct life *l, unsigned n, enum sim_fault fault)
{
	struct stage s = stage_new(scene);
	struct error err;
	enum outcome o;
	bool died;

	assert_int_equal(call(&s, OUT, &died, &err), OUTCOME_DONE);
	sim_break(s.host, n, fault, -EIO, die, NULL);
	o = call(&s, BACK, &died, &err);
	note(lie_back(&s, o, died, l->home), scene, "write back", n, fault_names[fault], "it did not say what is left");
	finish(&s, l, true, "write back", n, fault_names[fault]);
	stage_end(&s);
}

/* A second start without a stop: the earlier life is ended first, and may be broken there. */
static void break_again(const struct scene *scene, const struct life *l, unsigned n, enum sim_fault fault)
{
	struct stage s = stage_new(scene);
	struct error err;
	bool died;

	assert_int_equal(call(&s, OUT, &died, &err), OUTCOME_DONE);
	sim_break(s.host, n, fault, -EIO, die, NULL);
	call(&s, OUT, &died, &err);
	finish(&s, l, true, "write of the second start", n, fault_names[fault]);
	stage_end(&s);
}

static void every_write_broken_in_every_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		struct life l = live(&scenes[i]);

		for (int fault = 0; fault < SIM_FAULTS; fault++) {
			for (unsigned n = 1; n <= l.writes_out; n++)
				break_out(&scenes[i], &l, n, (enum sim_fault)fault);
			for (unsigned n = 1; n <= l.writes_back; n++)
				break_back(&scenes[i], &l, n, (enum sim_fault)fault);
			for (unsigned n = 1; n <= l.writes_back + l.writes_out; n++)
				break_again(&scenes[i], &l, n, (enum sim_fault)fault);
		}
		life_end(&l);
	}
	assert_int_equal(dirty, 0);
}

/* The first break happens on the way out, the second while that is being undone or recovered from. */
static void every_pair_of_breaks(void **state)
{
	const struct scene *scene = &scenes[PAIRS_SCENE];
	struct life l = live(scene);

	(void)state;
	for (unsigned n = 1; n <= l.writes_out; n++)
		for (int first = 0; first < SIM_FAULTS; first++)
			for (unsigned m = 1; m <= l.writes_back + 1; m++)
				for (int second = 0; second < SIM_FAULTS; second++) {
					struct stage s = stage_new(scene);
					struct error err;
					bool died;
					enum outcome o;

					sim_break(s.host, n, (enum sim_fault)first, -EIO, die, NULL);
					o = call(&s, OUT, &died, &err);
					sim_break(s.host, m, (enum sim_fault)second, -EIO, die, NULL);
					call(&s, BACK, &died, &err);
					finish(&s, &l, o == OUTCOME_DONE, "pair at write", n * 1000 + m,
					       fault_names[second]);
					stage_end(&s);
				}
	life_end(&l);
	assert_int_equal(dirty, 0);
}

static void cut_at(const struct scene *scene, const struct life *l, enum what what, size_t bytes)
{
	struct stage s = stage_new(scene);
	struct error err;
	bool died, lent = what == BACK;

	if (what == BACK)
		assert_int_equal(call(&s, OUT, &died, &err), OUTCOME_DONE);
	bytes_left = bytes;
	cutting = true;
	call(&s, what, &died, &err);
	cutting = false;
	if (!died)
		lent = true;
	finish(&s, l, lent, what == OUT ? "journal out, byte" : "journal back, byte", (unsigned)bytes, "cut");
	stage_end(&s);
}

static void the_journal_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		struct life l = live(&scenes[i]);

		for (size_t n = 0; n < l.bytes_out; n++)
			cut_at(&scenes[i], &l, OUT, n);
		for (size_t n = 0; n < l.bytes_back; n++)
			cut_at(&scenes[i], &l, BACK, n);
		life_end(&l);
	}
	assert_int_equal(dirty, 0);
}

static void a_journal_that_cannot_be_written(void **state)
{
	static const int errors[] = { ENOSPC, EIO };

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		struct life l = live(&scenes[i]);

		for (size_t e = 0; e < 2; e++)
			for (unsigned n = 1; n <= 16; n++) {
				struct stage s = stage_new(&scenes[i]);
				struct error err;
				const char *text;
				enum outcome o;
				bool died;

				journal_error = errors[e];
				journal_writes_left = n;
				o = call(&s, OUT, &died, &err);
				text = lie(&s, o, died, l.before);
				note(text != NULL, &scenes[i], "journal write", n, "fails", text);
				call(&s, BACK, &died, &err);
				journal_error = 0;
				finish(&s, &l, o == OUTCOME_DONE, "journal write", n, "fails");
				stage_end(&s);
			}
		life_end(&l);
	}
	assert_int_equal(dirty, 0);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_broken_in_every_way),
		cmocka_unit_test(every_pair_of_breaks),
		cmocka_unit_test(the_journal_cut_at_every_byte),
		cmocka_unit_test(a_journal_that_cannot_be_written),
	};
	int failed;

	source_root = argc > 1 ? argv[1] : ".";
	failed = cmocka_run_group_tests(tests, set_up, tear_down);
	printf("figure crash-runs %u\nfigure crash-dirty %u\n", runs, dirty);
	return failed;
}
