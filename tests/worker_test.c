/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that writes: one for the writes that follow each other, with the caller's locks, whatever happens to either. */
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/worker.h"

#define SOON_MS 5000

/* What the worker leaves to be seen. */
static struct seen {
	volatile pid_t pid;
	volatile unsigned writes, ended;
} *seen;

static int job(void *arg, const char *name, const char *value)
{
	seen->pid = getpid();
	seen->writes++;
	assert_ptr_equal(arg, seen);
	if (strcmp(name, "die") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(name, "sleep") == 0)
		poll(NULL, 0, atoi(value));
	seen->ended++;
	return strcmp(name, "fail") == 0 ? -EBUSY : 0;
}

static int write_it(struct worker *w, const char *name, const char *value, unsigned ms, struct host_stuck *stuck)
{
	memset(stuck, 0, sizeof(*stuck));
	return worker_write(w, job, seen, name, value, ms, stuck);
}

static struct worker new_worker(void)
{
	memset(seen, 0, sizeof(*seen));
	return (struct worker){ .socket = -1 };
}

/* One that has done a write, and the process that it was. */
static pid_t begin(struct worker *w)
{
	struct host_stuck stuck;

	*w = new_worker();
	assert_int_equal(write_it(w, "some", "1", SOON_MS, &stuck), 0);
	assert_int_equal(stuck.pid, 0);
	return seen->pid;
}

/* Also of one that is no child of ours any more. */
static void wait_for_end(pid_t pid)
{
	for (int i = 0; i < SOON_MS / 10 && waitpid(pid, NULL, WNOHANG) != pid && kill(pid, 0) == 0; i++)
		poll(NULL, 0, 10);
	assert_int_equal(kill(pid, 0), -1);
}

static void one_process_does_the_writes_that_follow_each_other(void **state)
{
	struct worker w;
	struct host_stuck stuck;
	pid_t first = begin(&w);

	(void)state;
	assert_int_not_equal(first, getpid());
	assert_int_equal(write_it(&w, "fail", "1", SOON_MS, &stuck), -EBUSY);
	assert_int_equal(write_it(&w, "some", "2", SOON_MS, &stuck), 0);
	assert_int_equal(seen->pid, first);
	assert_int_equal(seen->writes, 3);
	assert_int_equal(stuck.pid, 0);
	worker_end(&w);
	assert_int_equal(kill(first, 0), -1);
	worker_end(&w);
	assert_int_equal(write_it(&w, "some", "3", SOON_MS, &stuck), 0);
	assert_int_not_equal(seen->pid, first);
	worker_end(&w);
}

static bool is_free(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool free = flock(fd, LOCK_EX | LOCK_NB) == 0;

	close(fd);
	return free;
}

static void a_lock_is_held_until_it_ends(void **state)
{
	char path[] = "/tmp/worker-test-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	struct worker w = new_worker();
	struct host_stuck stuck;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(write_it(&w, "some", "1", SOON_MS, &stuck), 0);
	close(fd);
	assert_false(is_free(path));
	worker_end(&w);
	assert_true(is_free(path));
	unlink(path);
}

static void one_that_does_not_come_back_is_left_alone(void **state)
{
	struct worker w = new_worker();
	struct host_stuck stuck;
	pid_t first;

	(void)state;
	assert_int_equal(write_it(&w, "sleep", "1000", 100, &stuck), -ETIMEDOUT);
	first = seen->pid;
	assert_int_equal(stuck.pid, first);
	assert_int_equal(write_it(&w, "some", "1", SOON_MS, &stuck), 0);
	assert_int_not_equal(seen->pid, first);
	assert_int_equal(stuck.pid, 0);
	/* It ends with its write. */
	wait_for_end(first);
	assert_int_equal(seen->ended, 2);
	worker_end(&w);
}

static void one_that_is_killed_is_told(void **state)
{
	struct worker w = new_worker();
	struct host_stuck stuck;

	(void)state;
	assert_int_equal(write_it(&w, "die", "1", SOON_MS, &stuck), -EOWNERDEAD);
	assert_int_equal(stuck.pid, 0);
	assert_int_equal(write_it(&w, "some", "1", SOON_MS, &stuck), 0);
	worker_end(&w);
}

/* Nothing was under way: another takes its place. */
static void one_that_is_killed_between_two_writes_is_replaced(void **state)
{
	struct worker w;
	struct host_stuck stuck;
	pid_t first = begin(&w);

	(void)state;
	kill(first, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)first, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(write_it(&w, "fail", "2", SOON_MS, &stuck), -EBUSY);
	assert_int_not_equal(seen->pid, first);
	assert_int_equal(seen->writes, 2);
	assert_int_equal(kill(first, 0), -1);
	worker_end(&w);
}

/* Whoever kills the caller does not kill a write that is inside the kernel. */
static void it_ends_with_the_caller_but_not_in_a_write(void **state)
{
	struct worker w = new_worker();
	struct host_stuck stuck;
	pid_t caller, worker;

	(void)state;
	caller = fork();
	if (caller == 0) {
		write_it(&w, "some", "1", SOON_MS, &stuck);
		write_it(&w, "sleep", "300", SOON_MS, &stuck);
		_exit(0);
	}
	for (int i = 0; i < SOON_MS / 10 && seen->writes < 2; i++)
		poll(NULL, 0, 10);
	worker = seen->pid;
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	assert_int_equal(seen->ended, 1);
	/* It becomes ours (main). */
	wait_for_end(worker);
	assert_int_equal(seen->ended, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_process_does_the_writes_that_follow_each_other),
		cmocka_unit_test(a_lock_is_held_until_it_ends),
		cmocka_unit_test(one_that_does_not_come_back_is_left_alone),
		cmocka_unit_test(one_that_is_killed_is_told),
		cmocka_unit_test(one_that_is_killed_between_two_writes_is_replaced),
		cmocka_unit_test(it_ends_with_the_caller_but_not_in_a_write),
	};

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
