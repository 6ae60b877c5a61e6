/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "core/guard.h"
#include "guard.h"
#include "host/live_transient.h"
#include "host/worker.h"

#define LOOK_MS 10
#define SYSTEMD "/run/systemd/system"	/* sd_booted(3) */

struct start {
	const char *unit, *description;
	const char *words[8];
};

static int start_unit(void *arg)
{
	const struct start *s = arg;

	return live_transient_start(s->unit, s->description, s->words);
}

/* Twice forked, so that it is nobody's child; of the caller's it keeps nothing, neither its output nor its locks. */
static int start_detached(const struct start *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	sigset_t none;
	pid_t pid;

	if (null < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		for (int fd = 0; fd <= 2; fd++)
			dup2(null, fd);
		close_range(STDERR_FILENO + 1, ~0U, 0);
		if (chdir("/") == 0)
			execv(s->words[0], (char *const *)(const void *)s->words);
		_exit(127);
	}
	close(null);
	if (pid < 0)
		return -errno;
	return waitpid(pid, &status, 0) == pid ? 0 : -errno;
}

/* Beside the program, as in the folder it was built in, or where it is installed. */
static const char *find_guard(const char *handover, struct arena *a)
{
	const char *paths[] = { arena_fmt(a, "%.*shandover-guard", (int)(str_basename(handover) - handover), handover),
				GUARD_PATH };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* While this runs an upgrade may put another program in its place: that one will give back (fs/d_path.c, d_path()). */
static const char *own_path(struct arena *a)
{
	static const char replaced[] = " (deleted)";
	const ssize_t tail = sizeof(replaced) - 1;
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	if (n > tail && n < (ssize_t)sizeof(path) && memcmp(path + n - tail, replaced, (size_t)tail) == 0)
		n -= tail;
	return n > 0 && n < (ssize_t)sizeof(path) ? arena_dupn(a, path, (size_t)n) : "/usr/bin/handover";
}

static int wait_until_it_watches(const char *generation)
{
	for (int waited = 0; waited < GUARD_MS; waited += LOOK_MS) {
		if (guard_find(generation))
			return 0;
		poll(NULL, 0, LOOK_MS);
	}
	return -ETIMEDOUT;
}

int guard_start(unsigned vmid, const char *generation, unsigned after_ms, struct arena *a, struct error *err)
{
	char begun[GUARD_START_BYTES] = "0";
	const char *handover = own_path(a), *guard = find_guard(handover, a);
	struct host_stuck stuck;
	struct start s;
	int code;

	if (!guard)
		return error_set(err, -ENOENT, "handover-guard is not installed");
	guard_process_start(getpid(), begun);
	s = (struct start){
		.unit = arena_fmt(a, "handover-guard-%u-%s.service", vmid, generation),
		.description = arena_fmt(a, "handover: watches over what guest %u was lent", vmid),
		.words = { guard, arena_fmt(a, "%u", vmid), generation, arena_fmt(a, "%d", (int)getpid()), begun,
			   arena_fmt(a, "%u", after_ms), handover, NULL },
	};
	code = access(SYSTEMD, F_OK) == 0 ? worker_run(start_unit, &s, GUARD_MS, &stuck) : start_detached(&s);
	if (code == 0)
		code = wait_until_it_watches(generation);
	return code < 0 ? error_errno(err, code, "cannot start handover-guard") : 0;
}
