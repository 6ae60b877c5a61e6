/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * killer - for LD_PRELOAD: ends the process with SIGKILL in place of its KILLER_AT'th call of KILLER_CALL, which is
 * write or fork. Its children live. What strace does, but several times as fast in an emulated guest.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t first;
static long left_write, left_fork;

__attribute__((constructor)) static void begin(void)
{
	const char *call = getenv("KILLER_CALL"), *at = getenv("KILLER_AT");

	first = getpid();
	if (call && at && strcmp(call, "write") == 0)
		left_write = strtol(at, NULL, 10);
	else if (call && at)
		left_fork = strtol(at, NULL, 10);
}

static void count(long *left)
{
	if (getpid() == first && *left > 0 && --*left == 0)
		kill(first, SIGKILL);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	count(&left_write);
	return syscall(SYS_write, fd, buf, n);
}

/* The C library's own, so that its locks are as they must be in the child. */
extern pid_t __fork(void);

pid_t fork(void)
{
	count(&left_fork);
	return __fork();
}
