/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * killer - for LD_PRELOAD: ends the process with SIGKILL in place of its KILLER_AT'th call of KILLER_CALL, which is
 * write, fork, or order: what it sends to its worker, to be written (src/host/worker.c). Its children live. For "send", which is
 * netlink's, calls are counted over all processes that it makes, for children send, and the one that is at it is killed;
 * the file KILLER_SAID is made then. What strace does, but several times as fast in an emulated guest.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUESTION_MAX 1024

static pid_t first;
static long left_write, left_fork, left_order;
static atomic_long *left_send;	/* shared with children */
static const char *said;	/* handover drops its environment */

static void begin_sends(long at)
{
	void *page = mmap(NULL, sizeof(*left_send), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		abort();
	left_send = page;
	said = getenv("KILLER_SAID");
	said = said ? strdup(said) : "/dev/null";
	atomic_store(left_send, at);
}

__attribute__((constructor)) static void begin(void)
{
	const char *call = getenv("KILLER_CALL"), *at = getenv("KILLER_AT");

	first = getpid();
	if (call && at && strcmp(call, "write") == 0)
		left_write = strtol(at, NULL, 10);
	else if (call && at && strcmp(call, "fork") == 0)
		left_fork = strtol(at, NULL, 10);
	else if (call && at && strcmp(call, "send") == 0)
		begin_sends(strtol(at, NULL, 10));
	else if (call && at)
		left_order = strtol(at, NULL, 10);
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

/* libmnl's. */
ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
	if (left_send && atomic_fetch_sub(left_send, 1) == 1) {
		close(open(said, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		kill(getpid(), SIGKILL);
	}
	return syscall(SYS_sendto, fd, buf, n, flags, to, size);
}

/* Questions to who reads are names, and short. */
ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	if (n > QUESTION_MAX)
		count(&left_order);
	return syscall(SYS_sendto, fd, buf, n, flags, NULL, 0);
}
