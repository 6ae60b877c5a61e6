/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/worker.h"

#define WORKER_END_MS 1000	/* for one that has nothing to do, to end */

static void read_proc(pid_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
}

static void describe(pid_t pid, struct host_stuck *stuck)
{
	stuck->pid = pid;
	read_proc(pid, "wchan", stuck->wchan, sizeof(stuck->wchan));
	read_proc(pid, "stack", stuck->stack, sizeof(stuck->stack));
}

/* --- in the worker's process -------------------------------------------------------------------------------------- */

static void settle(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	prctl(PR_SET_NAME, HOST_WORKER);
	if (null < 0)
		_exit(EIO);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
}

static _Noreturn void child(int (*job)(void *arg), void *arg)
{
	int code;

	settle();
	code = -job(arg);
	/* A status has eight bits; the kernel's own errors beyond them are not for programs. */
	_exit(code < 256 ? code : EIO);
}

struct order {
	char name[HOST_NAME_BYTES];
	char value[HOST_VALUE_BYTES];
};

static _Noreturn void serve(int socket, worker_job job, void *arg)
{
	struct order o;

	settle();
	while (recv(socket, &o, sizeof(o), 0) == sizeof(o)) {
		int code = job(arg, o.name, o.value);

		if (send(socket, &code, sizeof(code), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* --- its end ----------------------------------------------------------------------------------------------------- */

/* Whether there is something to be read, or nobody at the other end, by then. */
static bool wait_until_readable(int fd, unsigned deadline_ms)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + deadline_ms;

	for (;;) {
		int64_t left = end - clock_ms(CLOCK_MONOTONIC);
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (left > 0 && poll(&p, 1, (int)left) > 0)
			return true;
		if (left <= 0)
			return false;
	}
}

static int wait_for(pid_t pid, unsigned deadline_ms, struct host_stuck *stuck)
{
	int pidfd = pidfd_open(pid, 0), status;
	bool has_ended;

	/* It cannot be watched, so nobody knows whether its write is done: the same as one that does not come back. */
	if (pidfd < 0) {
		describe(pid, stuck);
		return -ETIMEDOUT;
	}
	has_ended = wait_until_readable(pidfd, deadline_ms);
	close(pidfd);
	if (!has_ended) {
		describe(pid, stuck);
		return -ETIMEDOUT;
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EOWNERDEAD;
	return -WEXITSTATUS(status);
}

/* --- for the caller ---------------------------------------------------------------------------------------------- */

/* As fork(): the child has all signals blocked from its first moment. */
static pid_t fork_deaf(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int worker_run(int (*job)(void *arg), void *arg, unsigned deadline_ms, struct host_stuck *stuck)
{
	pid_t pid = fork_deaf();

	if (pid == 0)
		child(job, arg);
	return pid < 0 ? -errno : wait_for(pid, deadline_ms, stuck);
}

static int start(struct worker *w, worker_job job, void *arg)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	w->pid = fork_deaf();
	if (w->pid == 0) {
		close(pair[0]);
		serve(pair[1], job, arg);
	}
	close(pair[1]);
	if (w->pid < 0) {
		close(pair[0]);
		return -errno;
	}
	w->socket = pair[0];
	return 0;
}

/* It ends when it has done what it is at; another that was forked meanwhile may have the socket, too. */
static void leave(struct worker *w)
{
	shutdown(w->socket, SHUT_RDWR);
	close(w->socket);
	w->socket = -1;
}

void worker_end(struct worker *w)
{
	struct host_stuck ignored;

	if (w->socket < 0)
		return;
	leave(w);
	wait_for(w->pid, WORKER_END_MS, &ignored);
}

static bool is_given(const struct worker *w, const struct order *o)
{
	return w->socket >= 0 && send(w->socket, o, sizeof(*o), MSG_NOSIGNAL) == sizeof(*o);
}

/* One that does not take its order, perhaps because it was killed since its last one, has begun nothing. */
static int give(struct worker *w, worker_job job, void *arg, const struct order *o)
{
	int code;

	if (is_given(w, o))
		return 0;
	worker_end(w);
	code = start(w, job, arg);
	if (code < 0 || is_given(w, o))
		return code;
	code = -errno;
	worker_end(w);
	return code;
}

int worker_write(struct worker *w, worker_job job, void *arg, const char *name, const char *value, unsigned deadline_ms,
		 struct host_stuck *stuck)
{
	struct order o = { "", "" };
	int code;

	snprintf(o.name, sizeof(o.name), "%s", name);
	snprintf(o.value, sizeof(o.value), "%s", value);
	code = give(w, job, arg, &o);
	if (code < 0)
		return code;
	if (!wait_until_readable(w->socket, deadline_ms)) {
		describe(w->pid, stuck);
		leave(w);
		return -ETIMEDOUT;
	}
	if (recv(w->socket, &code, sizeof(code), MSG_DONTWAIT) == sizeof(code))
		return code;
	worker_end(w);
	return -EOWNERDEAD;
}
