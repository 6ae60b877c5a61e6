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
#include "base/str.h"
#include "base/trust.h"
#include "host/command.h"
#include "host/live_command.h"
#include "host/worker.h"

#define HOW_BYTES 512		/* with a path in it */
#define PIPE_READS 16		/* a pipe holds 64 KiB (pipe(7)), of which a read takes ... */
#define READ_BYTES 4096
#define EXIT_NOT_STARTED 127	/* as shells have it; what counts is 'error' below */
#define TENTH_MS 100

/* A command that was run: in memory that this program, the worker and the command until its execve() share. */
struct command {
	struct command *next;
	char name[HOST_NAME_BYTES];	/* behind "command/" */
	unsigned count;
	int error;			/* why it could not be started */
	char how[HOW_BYTES];		/* its last run ended, "" as long as it runs */
	char said[COMMAND_OUTPUT_BYTES + 1];
	size_t n_said;
	size_t n_lost;			/* bytes that were not kept */
};

/* One run of it, as the worker sees it. */
struct run {
	struct command *command;
	struct command_words words;
	unsigned ms;
};

/* --- the file ---------------------------------------------------------------------------------------------------- */

/*
 * A symbolic link counts as what it leads to. What is refused is -EPERM; what is not there, or cannot be reached,
 * -ENOENT. why belongs to the arena.
 */
static int open_file(const char *path, struct arena *a, const char **why)
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

int live_command_look(const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct command_words words;
	const char *why;
	int fd;

	if (!command_name_parse(name, &words))
		return -EINVAL;
	fd = open_file(words.word[0], a, &why);
	if (fd < 0)
		return fd == -EPERM ? -ENOENT : fd;
	close(fd);
	return 0;
}

/* --- in the command's own process -------------------------------------------------------------------------------- */

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
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8", mark[] = "HANDOVER=1";
	static char *const environment[] = { path, locale, mark, NULL };
	char *const *words = r->words.word;

	setsid();
	/* Without its worker nobody would end it in time. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(S_IWGRP | S_IWOTH);
	reset_signals();
	if (getppid() == worker && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 && chdir("/") == 0 &&
	    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
		execveat(file, "", words, environment, AT_EMPTY_PATH);
		/*
		 * The interpreter of a script could not open a descriptor that is gone: fs/binfmt_script.c, load_script(). The
		 * path leads to the same file: trust_follow() has seen that nobody but root can turn it elsewhere.
		 */
		if (errno == ENOENT)
			execve(words[0], words, environment);
	}
	r->command->error = errno;
	_exit(EXIT_NOT_STARTED);
}

/* --- the worker -------------------------------------------------------------------------------------------------- */

/* False: nobody has the other end any more, or there is nothing to be read. */
static bool hear(struct command *c, int out)
{
	char bytes[READ_BYTES];
	ssize_t n = read(out, bytes, sizeof(bytes));
	size_t room = COMMAND_OUTPUT_BYTES - c->n_said, kept;

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
static bool watch(struct command *c, int pidfd, int out, int64_t end)
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

static int ended(struct command *c, int status)
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
	gone = watch(r->command, pidfd, out, clock_ms(CLOCK_MONOTONIC) + COMMAND_KILL_MS);
	if (gone)
		waitpid(pid, NULL, 0);
	snprintf(time, sizeof(time), tenths % 10 ? "%u.%u" : "%u", tenths / 10, tenths % 10);
	snprintf(r->command->how, sizeof(r->command->how), "it did not end within %s s and %s", time,
		 gone ? "was killed" : "does not end although it was killed");
	return -ETIME;
}

static int attend(struct run *r, pid_t pid, int out)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + r->ms;
	int pidfd = pidfd_open(pid, 0), status = 0, code;

	if (pidfd < 0) {
		r->command->error = errno;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		return ended(r->command, W_EXITCODE(EXIT_NOT_STARTED, 0));
	}
	if (watch(r->command, pidfd, out, end)) {
		waitpid(pid, &status, 0);
		/* What it has left running may have the pipe, and more to say; that is not waited for. */
		for (int i = 0; i < PIPE_READS && hear(r->command, out); i++)
			;
		code = ended(r->command, status);
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
		r->command->error = errno;
		return ended(r->command, W_EXITCODE(EXIT_NOT_STARTED, 0));
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
	int file = open_file(r->words.word[0], a, &why);

	if (file >= 0)
		return start(r, file);
	snprintf(r->command->how, sizeof(r->command->how), "it is not run: %s", why);
	return file;
}

/* --- the provider ------------------------------------------------------------------------------------------------ */

static const struct command *find(const struct command *list, const char *rest)
{
	while (list && strcmp(list->name, rest) != 0)
		list = list->next;
	return list;
}

ssize_t live_command_count(const struct command *list, const char *name, char *buf, size_t size)
{
	const struct command *c = find(list, name + strlen(COMMAND_PREFIX));
	int n = snprintf(buf, size, "%u", c ? c->count : 0);

	return (size_t)n < size ? n : -E2BIG;
}

ssize_t live_command_result(const struct command *list, const char *name, char *buf, size_t size)
{
	const struct command *c = find(list, name + strlen("result/"));
	char lost[64] = "";
	int n;

	if (!c || !*c->how)
		return -ENOENT;
	if (c->n_lost)
		snprintf(lost, sizeof(lost), "\n(%zu more bytes)", c->n_lost);
	n = snprintf(buf, size, "%s\n%s%s", c->how, c->said, lost);
	return n >= 0 && (size_t)n < size ? n : -E2BIG;
}

/* Its place in the list, which is made if it was never run. */
static struct command *enlist(struct command **list, const char *rest)
{
	struct command *c = (struct command *)find(*list, rest);

	if (c)
		return c;
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	strcpy(c->name, rest);
	c->next = *list;
	*list = c;
	return c;
}

int live_command_write(struct command **list, const char *name, const char *value, unsigned deadline_ms,
		       struct host_stuck *stuck)
{
	struct run r = { .ms = deadline_ms };
	struct command *c;
	int code;

	if (!command_name_parse(name, &r.words) || strcmp(value, "run") != 0)
		return -EINVAL;
	c = enlist(list, name + strlen(COMMAND_PREFIX));
	if (!c)
		return -ENOMEM;
	c->error = 0;
	c->n_said = c->n_lost = 0;
	memset(c->how, 0, sizeof(c->how));
	memset(c->said, 0, sizeof(c->said));
	r.command = c;
	/* The worker has a limit of its own; this one is for a file system that hangs when the file is opened. */
	code = worker_run(run, &r, deadline_ms + 2 * COMMAND_KILL_MS, stuck);
	if (code == 0)
		c->count++;
	return code;
}

void live_command_close(struct command *list)
{
	while (list) {
		struct command *next = list->next;

		munmap(list, sizeof(*list));
		list = next;
	}
}
