/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crash matrix: every write of a VM's life is broken in every way, and the journal is cut at every byte. Whatever
 * was done to it, the host must end as it was, with no lease left; and what a run said of it must have been true.
 *
 * A "death" ends the run by a long jump out of the write, as kill -9 would: nothing below it gets to clean up. The
 * simulated host and the journal folder are what survives.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
	const char *host_file;
	const char *profile;	/* text, or the name of a file */
	const char *boot;	/* what boot has done before, undisturbed; NULL: nothing */
	bool keep;		/* 'return: keep': after a whole life the devices are elsewhere, on purpose */
	bool is_boot;		/* the profile is a host.yaml: it is done once, and done again until it is done */
};

/* What each host allows, and has. */
#define COMMAND "/usr/local/bin/notify"
static const char *commands[] = { COMMAND };

#define LAB "tests/hosts/lab-pair.host"
#define WORKSTATION "tests/hosts/workstation-4070.host"
#define ELITEDESK "tests/hosts/elitedesk.host"
#define ELITEDESK_SEED "tests/hosts/elitedesk-seed.host"
#define ELITEDESK_BOOT "profiles/elitedesk/host.yaml"

/* The host's VM has these by its own configuration, so each profile must accept that. */
#define SPLIT_SLOT \
	"handover: 1\naccept: {unverified-isolation: [lpc, audio, nic]}\ndevices:\n  lpc: {at: \"00:1f.0\"}\n" \
	"  audio: {at: \"00:1f.3\"}\n  nic: {at: \"00:1f.6\"}\n"

static const struct scene scenes[] = {
	{ .host_file = LAB, .profile = "handover: 1\ndevices:\n  nic: {at: \"01:00.0\", id: \"8086:100e\"}\n"
				       "pre-start:\n  - bind: nic\n" },
	{ .host_file = WORKSTATION, .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\", functions: all}\n"
					       "pre-start:\n  - bind: gpu\n" },
	{ .host_file = WORKSTATION,
	  .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\n  usb: {at: \"79:00.3\"}\n"
		     "pre-start:\n  - bind: gpu\n  - bind: usb\n    driver: nouveau\n    return: xhci_hcd\n" },
	{ .host_file = WORKSTATION, .keep = true,
	  .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\npre-start:\n  - bind: gpu\n    return: keep\n" },
	{ .host_file = WORKSTATION, .keep = true,
	  .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\npre-start:\n  - bind: gpu\n    return: nouveau\n" },
	/* The seeds' profiles: all pairs too. */
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT, .profile = "profiles/elitedesk/100.yaml" },
	{ .host_file = WORKSTATION, .profile = "profiles/workstation/100.yaml" },
	{ .host_file = ELITEDESK, .profile = ELITEDESK_BOOT, .is_boot = true },
	{ .host_file = ELITEDESK_SEED, .boot = ELITEDESK_BOOT, .profile = "profiles/elitedesk/100.yaml" },
	{ .host_file = ELITEDESK_SEED, .profile = ELITEDESK_BOOT, .is_boot = true },
	/* Every other action, in every phase it may stand in, and a network card that leaves and comes back. */
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT "  smbus: {at: \"00:1f.4\"}\n  wifi: {at: \"00:14.3\"}\n"
		     "pre-start:\n  - bind: wifi\n  - module: {unload: iwlwifi}\n  - service: {stop: netbird.service}\n  - usb: \"8087:0aaa\"\n"
		     "  - cycle: nic\n  - remove: smbus\n  - rescan: smbus\n  - wait: smbus\n    driver: i801_smbus\n"
		     "  - check: smbus\n    group: alone\n  - remove: audio\n"
		     "post-start:\n  - service: {start: networking.service}\n  - check: nic\n"
		     "pre-stop:\n  - service: {restart: networking.service}\n"
		     "post-stop:\n  - cycle: [audio, nic]\n  - service: {restart: netbird.service}\n" },
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT "pre-start:\n  - bind: nic\n    return: cycle\n" },
	/* Commands, before and behind what goes back, and the same one twice in a phase. */
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT
		     "pre-start:\n  - run: " COMMAND "\n  - bind: audio\n  - run: [" COMMAND ", a b]\n  - run: " COMMAND "\n"
		     "post-start:\n  - run: " COMMAND "\npre-stop:\n  - run: " COMMAND "\n"
		     "post-stop:\n  - run: " COMMAND "\n  - run: [" COMMAND ", a b]\n  - run: " COMMAND "\n" },
};
#define SMALL_SCENES 5	/* whose journal is cut at every byte; the others' at every line's ends and here and there */

static const char *source_root;
static unsigned *runs, *dirty;	/* shared with children */
static unsigned long covered;	/* breaks, of all that are possible */

/* --- one run that may die ---------------------------------------------------------------------------------------- */

static jmp_buf death;
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

static char *read_file(const char *name, size_t *n)
{
	char path[4096], *text = malloc(HOSTFILE_BYTES_MAX);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", source_root, name);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(text);
	*n = fread(text, 1, HOSTFILE_BYTES_MAX - 1, in);
	text[*n] = '\0';
	fclose(in);
	return text;
}

static const struct profile *profile_of(const char *profile, struct findings *f)
{
	size_t n = strlen(profile);
	char *text = strchr(profile, '\n') ? NULL : read_file(profile, &n);
	const struct profile *p = profile_parse(text ? text : profile, n, "crash.yaml", f);

	free(text);
	return p;
}

/* Breaks are counted in steps: what the host stands on is told, and not refused. */
static const char *own_units[] = { "networking.service", "netbird.service" };
static const struct policy without_rails = {
	.automatic = false, .services = { own_units, 2 }, .run = { commands, 1 },
};

/* Plans and lends, as the hook and `handover boot` do. */
static enum outcome lend(struct lender *l, unsigned vmid, const char *text, struct error *err)
{
	static struct findings f;
	static struct planner p;
	const struct profile *profile;

	findings_init(&f, l->arena);
	profile = profile_of(text, &f);
	assert_non_null(profile);
	p = (struct planner){ .host = l->host, .policy = &without_rails, .profile = profile, .vmid = vmid };
	if (!prepare_plan(&p, l->store, &f, err))
		fail_msg("%s", f.n ? finding_line(&f.list[0], l->arena) : err->text);
	return lend_out(l, vmid, profile, 1, &p.plan, err);
}

static bool is_prepared(struct lender *l)
{
	struct lease lease;
	struct error err;

	return journal_peek(l->store, HOST_VMID, l->arena, &lease, &err) == 0 && strcmp(lease_state(&lease), "held") == 0;
}

/* hooks/boot.c: what was begun is undone, and then all is done. */
static enum outcome boot_or_recover(struct lender *l, const char *profile, struct error *err)
{
	enum outcome o;
	bool ended;

	if (is_prepared(l))
		return OUTCOME_DONE;
	o = lend_back(l, HOST_VMID, &ended, err);
	return o == OUTCOME_DONE ? lend(l, HOST_VMID, profile, err) : o;
}

/* The whole life is lent, and what stands in post-start and pre-stop is done; both hooks end with or without it. */
static enum outcome live_through(struct lender *l, const char *profile, struct error *err)
{
	struct error ignored;
	enum outcome o = lend(l, VMID, profile, err);

	if (o != OUTCOME_DONE)
		return o;
	lend_phase(l, VMID, PHASE_POST_START, &ignored);
	lend_phase(l, VMID, PHASE_PRE_STOP, &ignored);
	return o;
}

static enum outcome call_inside(struct stage *s, enum what what, struct lender *l, struct error *err)
{
	unsigned vmid = s->scene->is_boot ? HOST_VMID : VMID;
	enum outcome o;
	bool ended;

	assert_int_equal(lend_lock(l, vmid, err), OUTCOME_DONE);
	if (s->scene->is_boot)
		return boot_or_recover(l, s->scene->profile, err);
	/* Both ways begin with what an earlier life left, as the hook does. */
	o = lend_back(l, VMID, &ended, err);
	return what == OUT && o == OUTCOME_DONE ? live_through(l, s->scene->profile, err) : o;
}

/* One call of the program, as far as lending goes. A death is OUTCOME_CHANGED, as far as anybody can tell. */
static enum outcome call(struct stage *s, enum what what, bool *died, struct error *err)
{
	static struct lender l;
	enum outcome o;

	++*runs;
	*died = false;
	run_arena = arena_new();
	memset(err, 0, sizeof(*err));
	lender_init(&l, s->host, &s->store, run_arena, "crash test");
	if (setjmp(death)) {
		*died = true;
		arena_free(run_arena);
		return OUTCOME_CHANGED;
	}
	o = call_inside(s, what, &l, err);
	arena_free(run_arena);
	return o;
}

/* --- the host before and after ------------------------------------------------------------------------------------ */

/*
 * Lines that may differ: what was loaded is not given back, what was run is counted, and a function found anew has another
 * life and group number ("as it was" is core/same.h). Groups are compared by their members.
 */
static bool may_differ(const char *line, size_t n)
{
	static const char *const starts[] = {
		"module/vfio_pci", "sys/module/", "sys/bus/pci/drivers/vfio-pci/", "life/", "sim/", "command/",
		"sys/kernel/iommu_groups/",
	};
	static const char *const parts[] = { "/iommu_group ->", "/sim_met =", "/sim_name =", "/sim_driver =", "/run =" };
	char copy[512];

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (strncmp(line, starts[i], strlen(starts[i])) == 0)
			return true;
	snprintf(copy, sizeof(copy), "%.*s", (int)(n < sizeof(copy) - 1 ? n : sizeof(copy) - 1), line);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strstr(copy, parts[i]))
			return true;
	return false;
}

static void put_groups(struct host *h, FILE *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **names, members[HOST_VALUE_BYTES];
	size_t n;

	assert_int_equal(host_list(h, "sys/bus/pci/devices", a, &names, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (host_read(h, arena_fmt(a, "group/%s", names[i]), members, sizeof(members)) >= 0)
			fprintf(out, "group of %s: %s\n", names[i], members);
}

static char *dump(struct host *h)
{
	char *text = NULL, *line, *next, *to;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	sim_dump(h, out);
	put_groups(h, out);
	fclose(out);
	for (line = to = text; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (may_differ(line, (size_t)(next - line)))
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
	struct scene boot = { .profile = scene->boot, .is_boot = true };
	struct error err;
	size_t n;
	bool died;
	char *text = read_file(scene->host_file, &n);

	assert_int_equal(hostfile_parse(text, n, scene->host_file, &s.host, &err), 0);
	free(text);
	sim_set(s.host, "command" COMMAND, "0");
	store_open_memory(&s.store);
	if (scene->boot) {
		struct stage first = { s.host, s.store, &boot };

		--*runs;
		assert_int_equal(call(&first, OUT, &died, &err), OUTCOME_DONE);
		store_close(&first.store);
	}
	return s;
}

static void stage_end(struct stage *s)
{
	store_close(&s->store);
	host_close(s->host);
}

static bool has_journal(struct stage *s)
{
	int fd = store_append(&s->store, s->scene->is_boot ? HOST_VMID : VMID);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void note(bool bad, const struct scene *scene, const char *what, unsigned n, const char *fault, const char *text)
{
	if (!bad)
		return;
	++*dirty;
	print_message("dirty: scene %d, %s %u, %s: %s\n", (int)(scene - scenes), what, n, fault, text);
}

/* What must hold when a run has ended with this outcome, before anybody recovers. */
static const char *lie(struct stage *s, enum outcome o, bool died, const char *before)
{
	char *now = dump(s->host);
	/* What a boot has split stays split. */
	bool same = s->scene->is_boot || strcmp(now, before) == 0;
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
	if (died || o == OUTCOME_CHANGED)
		return false;
	/* FAILED: all is back, but a step of post-stop failed. */
	return (o != OUTCOME_DONE && o != OUTCOME_FAILED) || !same || has_journal(s);
}

/* Recovers until it is done, and says what is wrong then; NULL if nothing is. */
static const char *recover(struct stage *s, const char *home)
{
	static char never[ERROR_MAX + 32];
	struct error err;
	const char *text = NULL;
	char *now;
	bool died;
	int n = 0;

	while (call(s, BACK, &died, &err) != OUTCOME_DONE) {
		snprintf(never, sizeof(never), "it never recovers: %s", err.text);
		if (++n == RUNS_MAX)
			return never;
	}
	now = dump(s->host);
	if (strcmp(now, home) != 0)
		text = "the host is not as it was";
	else if (has_journal(s) != s->scene->is_boot)
		text = "a journal is left, or the host's is not";
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

	unsigned writes = sim_writes(s.host);

	l.bytes_out = count_bytes(&s, OUT);
	l.writes_out = sim_writes(s.host) - writes;
	if (!scene->is_boot) {
		l.bytes_back = count_bytes(&s, BACK);
		l.writes_back = sim_writes(s.host) - l.writes_out - writes;
	}
	l.home = dump(s.host);
	if (scene->is_boot) {
		/* However it is interrupted, it ends where it would have ended. */
		free(l.before);
		l.before = strdup(l.home);
		l.writes_back = l.writes_out;
	}
	assert_true(l.writes_out > 0 && l.bytes_out > 0 && (scene->keep || l.writes_back > 0));
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
			for (unsigned n = 1; n <= l.writes_back && !scenes[i].is_boot; n++)
				break_back(&scenes[i], &l, n, (enum sim_fault)fault);
			for (unsigned n = 1; n <= l.writes_back + l.writes_out && !scenes[i].is_boot; n++)
				break_again(&scenes[i], &l, n, (enum sim_fault)fault);
		}
		covered += SIM_FAULTS * (l.writes_out + (scenes[i].is_boot ? 0 : 2 * l.writes_back + l.writes_out));
		life_end(&l);
	}
	assert_int_equal(*dirty, 0);
}

/* A child goes on with a host and a journal of its own. */
static void own_journal(struct stage *s)
{
	char buf[65536];
	int copy, old = s->store.memory;
	off_t at = 0;
	ssize_t n;

	if (old < 0)
		return;
	copy = memfd_create("journal", 0);
	while ((n = pread(old, buf, sizeof(buf), at)) > 0) {
		assert_int_equal(__real_write(copy, buf, (size_t)n), n);
		at += n;
	}
	s->store.memory = copy;
}

static void break_second(struct stage *s, const struct life *l, bool lent, unsigned n, unsigned m, int fault)
{
	struct error err;
	bool died;
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		return;
	}
	own_journal(s);
	sim_break(s->host, m, (enum sim_fault)fault, -EIO, die, NULL);
	call(s, BACK, &died, &err);
	finish(s, l, lent, "pair at write", n * 1000 + m, fault_names[fault]);
	fflush(NULL);
	_exit(0);
}

/* The first break happens in this call, the second while that is being undone, gone on with, or recovered from. */
static void pairs_of(const struct scene *scene, const struct life *l, enum what what)
{
	unsigned writes = what == OUT ? l->writes_out : l->writes_back;

	for (unsigned n = 1; n <= writes; n++)
		for (int first = 0; first < SIM_FAULTS; first++) {
			struct stage s = stage_new(scene);
			struct error err;
			enum outcome o;
			bool died;

			if (what == BACK)
				assert_int_equal(call(&s, OUT, &died, &err), OUTCOME_DONE);
			sim_break(s.host, n, (enum sim_fault)first, -EIO, die, NULL);
			o = call(&s, what, &died, &err);
			for (unsigned m = 1; m <= l->writes_back + 1; m++)
				for (int second = 0; second < SIM_FAULTS; second++)
					break_second(&s, l, what == BACK || o == OUTCOME_DONE, n, m, second);
			covered += SIM_FAULTS * (l->writes_back + 1);
			stage_end(&s);
		}
}

static const char *pairs_of_scenes;	/* "5 6 7" */

static void every_pair_of_breaks(void **state)
{
	(void)state;
	for (const char *at = pairs_of_scenes; *at; at += strspn(at, " ")) {
		const struct scene *scene = &scenes[strtoul(at, (char **)&at, 10)];
		struct life l = live(scene);

		pairs_of(scene, &l, OUT);
		if (!scene->is_boot)
			pairs_of(scene, &l, BACK);
		life_end(&l);
	}
	assert_int_equal(*dirty, 0);
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

/*
 * The lease itself is one long write, of which every seventeenth byte is as good as any; the marks behind it are short.
 * With the address sanitizer, which is slow, the long write is cut at a few places only.
 */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SLOW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SLOW)
#define STRIDE_SMALL 61
#define STRIDE 199
#else
#define STRIDE_SMALL 1
#define STRIDE 17
#endif

static void the_journal_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		struct life l = live(&scenes[i]);

		for (size_t n = 0; n < l.bytes_out; n += n + 300 > l.bytes_out ? 1 : i < SMALL_SCENES ? STRIDE_SMALL : STRIDE)
			cut_at(&scenes[i], &l, OUT, n);
		for (size_t n = 0; n < l.bytes_back; n++)
			cut_at(&scenes[i], &l, BACK, n);
		life_end(&l);
	}
	assert_int_equal(*dirty, 0);
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
	assert_int_equal(*dirty, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest singles[] = {
		cmocka_unit_test(every_write_broken_in_every_way),
		cmocka_unit_test(the_journal_cut_at_every_byte),
		cmocka_unit_test(a_journal_that_cannot_be_written),
	};
	const struct CMUnitTest pairs[] = { cmocka_unit_test(every_pair_of_breaks) };
	int failed;

	source_root = argc > 1 ? argv[1] : ".";
	runs = mmap(NULL, 2 * sizeof(*runs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	dirty = runs + 1;
	if (runs == MAP_FAILED)
		return 1;
	if (argc > 2) {
		pairs_of_scenes = argv[2];
		failed = cmocka_run_group_tests(pairs, NULL, NULL);
		printf("figure crash-pairs %lu\n", covered);
	} else {
		failed = cmocka_run_group_tests(singles, NULL, NULL);
		printf("figure crash-singles %lu\n", covered);
	}
	printf("figure crash-runs %u\nfigure crash-dirty %u\n", *runs, *dirty);
	return failed;
}
