/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/worker.h"

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

static _Noreturn void child(int (*job)(void *arg), void *arg)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), code;

	setsid();
	prctl(PR_SET_NAME, HOST_WORKER);
	if (null < 0)
		_exit(EIO);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	code = -job(arg);
	/* A status has eight bits; the kernel's own errors beyond them are not for programs. */
	_exit(code < 256 ? code : EIO);
}

static int wait_for(pid_t pid, unsigned deadline_ms, struct host_stuck *stuck)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + deadline_ms;
	int pidfd = pidfd_open(pid, 0), n = 0, status;

	/* It cannot be watched, so nobody knows whether its write is done: the same as one that does not come back. */
	if (pidfd < 0) {
		describe(pid, stuck);
		return -ETIMEDOUT;
	}
	for (;;) {
		int64_t left = end - clock_ms(CLOCK_MONOTONIC);
		struct pollfd p = { .fd = pidfd, .events = POLLIN };

		n = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (n > 0 || left <= 0)
			break;
	}
	close(pidfd);
	if (n == 0) {
		describe(pid, stuck);
		return -ETIMEDOUT;
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EOWNERDEAD;
	return -WEXITSTATUS(status);
}

int worker_run(int (*job)(void *arg), void *arg, unsigned deadline_ms, struct host_stuck *stuck)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		child(job, arg);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -errno : wait_for(pid, deadline_ms, stuck);
}
