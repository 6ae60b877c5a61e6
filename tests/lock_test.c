/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks: who has one keeps it, even when only its child is left. */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "core/store.h"

/* A folder of the test's own. */
struct ground {
	char path[64];
	int dir;
};

static int set_up(void **state)
{
	struct ground *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	strcpy(g->path, "/tmp/handover-lock-XXXXXX");
	assert_non_null(mkdtemp(g->path));
	g->dir = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(g->dir >= 0);
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	struct ground *g = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", g->path);
	close(g->dir);
	free(g);
	return system(command);
}

static int take(struct lockset *set, int dir, const char *name, unsigned wait_ms, struct error *err)
{
	return lockset_take(set, dir, name, "VM 100, pre-start", &wait_ms, err);
}

static void assert_taken(struct lockset *set, int dir, const char *name)
{
	struct error err;

	if (take(set, dir, name, 0, &err) < 0)
		fail_msg("%s", err.text);
}

static bool is_free(int dir, const char *name)
{
	_cleanup_locks_ struct lockset set = { 0 };
	struct error err;

	return take(&set, dir, name, 0, &err) == 0;
}

static void a_lock_that_is_held_may_be_taken_again(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };

	assert_taken(&set, g->dir, "0000:02:00.0");
	assert_taken(&set, g->dir, "0000:02:00.0");
	assert_int_equal(set.n, 1);
	assert_false(is_free(g->dir, "0000:02:00.0"));
	assert_true(is_free(g->dir, "0000:02:00.1"));
	lockset_release(&set);
	assert_int_equal(set.n, 0);
	assert_true(is_free(g->dir, "0000:02:00.0"));
	/* The file stays, and twice released is released. */
	assert_int_equal(faccessat(g->dir, "0000:02:00.0", F_OK, 0), 0);
	lockset_release(&set);
}

/* Takes a lock in another process, which then waits to be killed. */
static pid_t hold(int dir, const char *name, const char *doing)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		static struct lockset set;
		struct error err;

		if (take(&set, dir, name, 0, &err) == 0 && doing)
			lockset_tell(&set, doing);
		if (set.n)
			(void)!write(ends[1], "x", 1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_busy_lock_names_its_holder(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;
	pid_t pid = hold(g->dir, "0000:02:00.0", NULL);
	char process[32];
	int code = take(&set, g->dir, "0000:02:00.0", 0, &err);

	end(pid);
	assert_int_equal(code, -EBUSY);
	snprintf(process, sizeof(process), "process %d ", (int)pid);
	assert_contains(err.text, "0000:02:00.0 is in use by ");
	assert_contains(err.text, process);
	assert_contains(err.text, "VM 100, pre-start");
	assert_int_equal(set.n, 0);
	/* With its holder the lock is gone. */
	assert_taken(&set, g->dir, "0000:02:00.0");
	lockset_release(&set);
}

static void what_its_holder_does_not_finish_is_told(void **state)
{
#define DOING "0000:02:00.0: removing it, writing to 'sys/x'"
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;
	pid_t pid = hold(g->dir, "0000:02:00.0", DOING);
	int code = take(&set, g->dir, "0000:02:00.0", 0, &err);

	end(pid);
	assert_int_equal(code, -EBUSY);
	assert_contains(err.text, "for VM 100, pre-start): " DOING);
	assert_contains(err.text, "; try again when it has ended");
	/* Whoever takes it next has begun nothing. */
	pid = hold(g->dir, "0000:02:00.0", NULL);
	code = take(&set, g->dir, "0000:02:00.0", 0, &err);
	end(pid);
	assert_int_equal(code, -EBUSY);
	assert_null(strstr(err.text, "removing"));
}

/* Where in the kernel it waits; that of a process that sleeps in pause() can be read by whoever started it. */
static void where_its_holder_waits_is_told(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;
	pid_t pid = hold(g->dir, "0000:02:00.0", NULL);
	char path[64], wchan[64] = "";
	FILE *in;
	int code;

	snprintf(path, sizeof(path), "/proc/%d/wchan", (int)pid);
	for (int i = 0; i < 100 && (!*wchan || strcmp(wchan, "0") == 0); i++) {
		usleep(10 * 1000);
		in = fopen(path, "re");
		if (in && !fgets(wchan, sizeof(wchan), in))
			*wchan = '\0';
		if (in)
			fclose(in);
	}
	code = take(&set, g->dir, "0000:02:00.0", 0, &err);
	end(pid);
	assert_int_equal(code, -EBUSY);
	if (!*wchan || strcmp(wchan, "0") == 0)
		skip();
	assert_contains(err.text, ", which waits in the kernel in ");
	assert_contains(err.text, wchan);
}

static void the_time_waited_is_taken_off(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	unsigned wait_ms = 100;
	struct error err;
	pid_t pid = hold(g->dir, "vm-100", NULL);
	int code = lockset_take(&set, g->dir, "vm-100", "test", &wait_ms, &err);

	end(pid);
	assert_int_equal(code, -EBUSY);
	assert_true(wait_ms < 100);
	wait_ms = 100;
	assert_int_equal(lockset_take(&set, g->dir, "vm-100", "test", &wait_ms, &err), 0);
	assert_int_equal(wait_ms, 100);
	lockset_release(&set);
}

static void a_lock_that_comes_free_in_time_is_taken(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;
	pid_t pid = hold(g->dir, "vm-100", NULL), killer = fork();

	if (killer == 0) {
		usleep(100 * 1000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(take(&set, g->dir, "vm-100", 10000, &err), 0);
	waitpid(killer, NULL, 0);
	end(pid);
	lockset_release(&set);
}

static void a_child_keeps_the_locks_its_parent_gave_back(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;
	char process[32];
	pid_t pid;
	int code;

	assert_taken(&set, g->dir, "0000:02:00.0");
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	lockset_release(&set);
	code = take(&set, g->dir, "0000:02:00.0", 0, &err);
	end(pid);
	assert_int_equal(code, -EBUSY);
	snprintf(process, sizeof(process), "process %d ", (int)pid);
	assert_contains(err.text, process);
	assert_true(is_free(g->dir, "0000:02:00.0"));
}

static void a_program_that_is_started_does_not_keep_them(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };

	assert_taken(&set, g->dir, "vm-100");
	assert_true(fcntl(set.held[0].fd, F_GETFD) & FD_CLOEXEC);
	lockset_release(&set);
}

static void a_set_holds_320_locks(void **state)
{
	const struct ground *g = *state;
	static struct lockset set;
	struct error err;
	char name[LOCK_NAME_MAX];

	for (int i = 0; i < LOCKS_MAX; i++) {
		snprintf(name, sizeof(name), "lock-%d", i);
		assert_taken(&set, g->dir, name);
	}
	assert_int_equal(set.n, LOCKS_MAX);
	assert_int_equal(take(&set, g->dir, "one-more", 0, &err), -E2BIG);
	assert_contains(err.text, "320");
	/* One that is held needs no room. */
	assert_taken(&set, g->dir, "lock-0");
	lockset_release(&set);
	assert_true(is_free(g->dir, "lock-255"));
}

static void a_name_has_39_bytes_at_most(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;
	char name[LOCK_NAME_MAX + 1];

	memset(name, 'x', sizeof(name) - 1);
	name[LOCK_NAME_MAX - 1] = '\0';
	assert_taken(&set, g->dir, name);
	name[LOCK_NAME_MAX - 1] = 'x';
	name[LOCK_NAME_MAX] = '\0';
	assert_int_equal(take(&set, g->dir, name, 0, &err), -ENAMETOOLONG);
	lockset_release(&set);
}

static void a_lock_file_that_is_a_link_is_not_followed(void **state)
{
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct error err;

	assert_int_equal(symlinkat("elsewhere", g->dir, "vm-100"), 0);
	assert_true(take(&set, g->dir, "vm-100", 0, &err) < 0);
	assert_int_equal(faccessat(g->dir, "elsewhere", F_OK, 0), -1);
}

/* --- a store's locks --------------------------------------------------------------------------------------------- */

static void a_store_takes_many_at_once(void **state)
{
	static const char *const names[] = { "0000:02:00.1", "vm-100", "0000:02:00.0", "0000:02:00.1" };
	static const char *const more[] = { "0000:02:00.0", "0000:03:00.0" };
	const struct ground *g = *state;
	static struct lockset mine, theirs;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, g->path, &err), 0);
	assert_int_equal(store_lock(&store, &mine, names, COUNT(names), "mine", 0, &err), 0);
	assert_int_equal(mine.n, 3);
	assert_string_equal(mine.held[0].name, "0000:02:00.0");
	assert_string_equal(mine.held[2].name, "vm-100");
	assert_int_equal(store_lock(&store, &theirs, &more[1], 1, "theirs", 0, &err), 0);
	assert_int_equal(store_lock(&store, &theirs, more, COUNT(more), "theirs", 0, &err), -EBUSY);
	assert_contains(err.text, "0000:02:00.0");
	/* What was held before is held still. */
	assert_int_equal(theirs.n, 1);
	lockset_release(&mine);
	assert_int_equal(store_lock(&store, &theirs, more, COUNT(more), "theirs", 0, &err), 0);
	assert_int_equal(store_lock(&store, &theirs, NULL, 0, "theirs", 0, &err), 0);
	lockset_release(&theirs);
	store_close(&store);
}

static void a_store_takes_320_locks_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *g = *state;
	static struct lockset set;
	const char *names[LOCKS_MAX + 1];
	struct store store;
	struct error err;

	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = arena_fmt(a, "lock-%zu", i);
	assert_int_equal(store_open(&store, g->path, &err), 0);
	assert_int_equal(store_lock(&store, &set, names, LOCKS_MAX + 1, "test", 0, &err), -E2BIG);
	assert_int_equal(set.n, 0);
	assert_int_equal(store_lock(&store, &set, names, LOCKS_MAX, "test", 0, &err), 0);
	assert_int_equal(set.n, LOCKS_MAX);
	lockset_release(&set);
	store_close(&store);
}

static void locks_of_a_store_in_memory_are_free(void **state)
{
	static const char *const names[] = { "vm-100" };
	struct lockset set = { 0 };
	struct store store;
	struct error err;

	(void)state;
	store_open_memory(&store);
	assert_int_equal(store_lock(&store, &set, names, 1, "test", 0, &err), 0);
	assert_int_equal(set.n, 0);
	store_close(&store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_lock_that_is_held_may_be_taken_again),
		IN_FOLDER(a_busy_lock_names_its_holder),
		IN_FOLDER(what_its_holder_does_not_finish_is_told),
		IN_FOLDER(where_its_holder_waits_is_told),
		IN_FOLDER(the_time_waited_is_taken_off),
		IN_FOLDER(a_lock_that_comes_free_in_time_is_taken),
		IN_FOLDER(a_child_keeps_the_locks_its_parent_gave_back),
		IN_FOLDER(a_program_that_is_started_does_not_keep_them),
		IN_FOLDER(a_set_holds_320_locks),
		IN_FOLDER(a_name_has_39_bytes_at_most),
		IN_FOLDER(a_lock_file_that_is_a_link_is_not_followed),
		IN_FOLDER(a_store_takes_many_at_once),
		IN_FOLDER(a_store_takes_320_locks_at_most),
		IN_FOLDER(locks_of_a_store_in_memory_are_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
