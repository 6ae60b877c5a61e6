/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/trust.h"
#include "host/child.h"
#include "host/worker.h"

#define PIPE_READS 16		/* a pipe holds 64 KiB (pipe(7)), of which a read takes ... */
#define READ_BYTES 4096
#define EXIT_NOT_STARTED 127	/* as shells have it; what counts is 'error' of the child */
#define TENTH_MS 100

/* One run, as the worker sees it. */
struct run {
	struct child *child;
	char *const *words, *const *environment;
	unsigned ms;
};

/* --- the file ---------------------------------------------------------------------------------------------------- */

int child_open(const char *path, struct arena *a, const char **why)
{
	struct distrust distrust = { 0 };
	int fd = trust_follow(&trust_host, path, a, &distrust);
	struct stat st;

	*why = distrust.what;
	if (fd == -EISDIR || fd == -ENXIO)
		return -EPERM;
	if (fd < 0)
		return fd == -EACCES || fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
	if (fstat(fd, &st) == 0 && (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return fd;
	*why = arena_fmt(a, "'%s' is not executable", path);
	close(fd);
	return -EPERM;
}

/* --- in the child's own process ---------------------------------------------------------------------------------- */

/* Signals that we ignore or block would be ignored and blocked by all that it starts. */
static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < _NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct run *r, int file, int out, pid_t worker)
{
	setsid();
	/* Without its worker nobody would end it in time. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(S_IWGRP | S_IWOTH);
	reset_signals();
	if (getppid() == worker && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 && chdir("/") == 0 &&
	    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
		execveat(file, "", r->words, r->environment, AT_EMPTY_PATH);
		/*
		 * The interpreter of a script could not open a descriptor that is gone: fs/binfmt_script.c,
		 * load_script(). The path leads to the same file: trust_follow() has seen that nobody but root can
		 * turn it elsewhere.
		 */
		if (errno == ENOENT)
			execve(r->words[0], r->words, r->environment);
	}
	r->child->error = errno;
	_exit(EXIT_NOT_STARTED);
}

/* --- the worker -------------------------------------------------------------------------------------------------- */

/* False: nobody has the other end any more, or there is nothing to be read. */
static bool hear(struct child *c, int out)
{
	char bytes[READ_BYTES];
	ssize_t n = read(out, bytes, sizeof(bytes));
	size_t room = CHILD_OUTPUT_BYTES - c->n_said, kept;

	if (n <= 0)
		return false;
	kept = (size_t)n < room ? (size_t)n : room;
	/* A value is text. */
	for (size_t i = 0; i < kept; i++)
		c->said[c->n_said + i] = bytes[i] ? bytes[i] : '?';
	c->n_said += kept;
	c->n_lost += (size_t)n - kept;
	return true;
}

/* Whether it has ended by then. */
static bool watch(struct child *c, int pidfd, int out, int64_t end)
{
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN }, { .fd = out, .events = POLLIN } };

	for (;;) {
		int64_t left = end - clock_ms(CLOCK_MONOTONIC);
		int n = poll(p, 2, left > 0 ? (int)left : 0);

		if (n > 0 && p[0].revents)
			return true;
		if (n > 0 && p[1].revents && !hear(c, out))
			p[1].fd = -1;
		if (left <= 0)
			return false;
	}
}

static int ended(struct child *c, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		snprintf(c->how, sizeof(c->how), "it ended well");
		return 0;
	}
	if (c->error)
		snprintf(c->how, sizeof(c->how), "it could not be started: %s", strerrordesc_np(c->error));
	else if (WIFSIGNALED(status))
		snprintf(c->how, sizeof(c->how), "it was ended by signal %d (%s)", WTERMSIG(status),
			 sigdescr_np(WTERMSIG(status)) ?: "unknown");
	else
		snprintf(c->how, sizeof(c->how), "it ended with exit status %d", WEXITSTATUS(status));
	return -ECANCELED;
}

/* With all that it has started, unless that has gone into a process group of its own. */
static int end_it(struct run *r, pid_t pid, int pidfd, int out)
{
	unsigned tenths = (r->ms + TENTH_MS / 2) / TENTH_MS;
	char time[32];
	bool gone;

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	gone = watch(r->child, pidfd, out, clock_ms(CLOCK_MONOTONIC) + CHILD_KILL_MS);
	if (gone)
		waitpid(pid, NULL, 0);
	snprintf(time, sizeof(time), tenths % 10 ? "%u.%u" : "%u", tenths / 10, tenths % 10);
	snprintf(r->child->how, sizeof(r->child->how), "it did not end within %s s and %s", time,
		 gone ? "was killed" : "does not end although it was killed");
	return -ETIME;
}

static int attend(struct run *r, pid_t pid, int out)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + r->ms;
	int pidfd = pidfd_open(pid, 0), status = 0, code;

	if (pidfd < 0) {
		r->child->error = errno;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		return ended(r->child, W_EXITCODE(EXIT_NOT_STARTED, 0));
	}
	if (watch(r->child, pidfd, out, end)) {
		waitpid(pid, &status, 0);
		/* What it has left running may have the pipe, and more to say; that is not waited for. */
		for (int i = 0; i < PIPE_READS && hear(r->child, out); i++)
			;
		code = ended(r->child, status);
	} else {
		code = end_it(r, pid, pidfd, out);
	}
	close(pidfd);
	return code;
}

static int start(struct run *r, int file)
{
	int out[2] = { -1, -1 }, code;
	pid_t worker = getpid(), pid;

	if (pipe2(out, O_CLOEXEC) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0 || (pid = fork()) < 0) {
		r->child->error = errno;
		return ended(r->child, W_EXITCODE(EXIT_NOT_STARTED, 0));
	}
	if (pid == 0)
		become(r, file, out[1], worker);
	close(out[1]);
	code = attend(r, pid, out[0]);
	close(out[0]);
	return code;
}

static int run(void *arg)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct run *r = arg;
	const char *why;
	int file = child_open(r->words[0], a, &why);

	if (file >= 0)
		return start(r, file);
	snprintf(r->child->how, sizeof(r->child->how), "it is not run: %s", why);
	return file;
}

/* --- for the caller ---------------------------------------------------------------------------------------------- */

struct child *child_new(void)
{
	struct child *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return c == MAP_FAILED ? NULL : c;
}

void child_free(struct child *c)
{
	munmap(c, sizeof(*c));
}

int child_run(struct child *c, char *const *words, char *const *environment, unsigned ms, struct host_stuck *stuck)
{
	struct run r = { c, words, environment, ms };

	memset(c, 0, sizeof(*c));
	/* The worker has a limit of its own; this one is for a file system that hangs when the file is opened. */
	return worker_run(run, &r, ms + 2 * CHILD_KILL_MS, stuck);
}
