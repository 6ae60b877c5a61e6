/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pve.h"

#define HOOK_S 60		/* ours: Proxmox has no limit and would wait for ever */
#define HELD_MS 1000		/* so long after its end somebody still has its stdout or stderr */
#define READ_BYTES 4096
#define EXIT_NO_EXEC 127
#define VOLUME "local:snippets/"

enum { OUT, ERR, ENDED, EVENTS };

/* The volume's path, looked at anew at each call; a link in it is not resolved. False: Proxmox dies of it. */
static bool check_hookscript(const struct guest *g, char path[TEXT_BYTES], bool *is_set)
{
	char volume[TEXT_BYTES];
	struct stat st;

	*is_set = conf_get(g, "hookscript", volume);
	if (!*is_set)
		return true;
	if (strncmp(volume, VOLUME, strlen(VOLUME)) != 0)
		quit("the emulation knows no volume '%s'", volume);
	text_of(path, SNIPPETS "%s", volume + strlen(VOLUME));
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		say("hookscript: script '%s' does not exist", path);
		return false;
	}
	if (access(path, X_OK) == 0)
		return true;
	say("hookscript: script '%s' is not executable", path);
	return false;
}

static _Noreturn void become(const char *path, const struct guest *g, const char *phase, int in, int out, int err)
{
	char *argv[] = { (char *)path, (char *)g->id, (char *)phase, NULL };

	/* Perl's handlers do not outlive exec; that workers ignore SIGTTOU does. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
		execv(path, argv);
	/* What is no program and has no "#!" is the shell's (perl, execvp(3)). */
	if (errno == ENOEXEC)
		execv("/bin/sh", (char *[]){ (char *)"sh", (char *)path, (char *)g->id, (char *)phase, NULL });
	_exit(EXIT_NO_EXEC);
}

/* The log is whatever our stderr is. False: nobody has the other end any more. */
static bool copy(int from, bool keep)
{
	char bytes[READ_BYTES];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n > 0 && keep && write(STDERR_FILENO, bytes, (size_t)n) != n)
		quit("cannot write the task's log");
	return n > 0;
}

/* pve-common, PVE/Cmd.pm, run: until both are at their end; whether the process has ended does not count. */
static bool read_all(struct pollfd *p, bool stdout_too)
{
	long long end = now_ms() + (long long)setting("PVE_HOOK_S", HOOK_S) * MS_PER_S, ended = 0;

	while (p[OUT].fd >= 0 || p[ERR].fd >= 0) {
		if (poll(p, EVENTS, TICK_MS * TICK_MS) < 0 && errno != EINTR)
			quit("poll: %s", strerror(errno));
		for (int i = OUT; i <= ERR; i++)
			if (p[i].fd >= 0 && p[i].revents && !copy(p[i].fd, i == ERR || stdout_too))
				p[i].fd = -1;
		if (p[ENDED].fd >= 0 && p[ENDED].revents) {
			ended = now_ms();
			p[ENDED].fd = -1;
		}
		if (ended && now_ms() - ended > HELD_MS) {
			trace("holds-pipe");
			ended = 0;
		}
		if (now_ms() > end)
			return false;
	}
	return true;
}

static int wait_for_it(pid_t pid, int out, int err, bool stdout_too)
{
	int pidfd = pidfd_open(pid, 0), status;
	struct pollfd p[EVENTS] = { { out, POLLIN, 0 }, { err, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

	if (!read_all(p, stdout_too)) {
		trace("hangs");
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(pidfd);
	return status;
}

static bool run_command(const char *path, const struct guest *g, const char *phase, bool stdout_too)
{
	int in[2], out[2], err[2], status;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		quit("pipe: %s", strerror(errno));
	close(in[1]);
	pid = fork();
	if (pid < 0)
		quit("fork: %s", strerror(errno));
	if (pid == 0)
		become(path, g, phase, in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	status = wait_for_it(pid, out[0], err[0], stdout_too);
	close(out[0]);
	close(err[0]);
	if (WIFSIGNALED(status)) {
		trace("signal-%d]", WTERMSIG(status));
		say("hookscript error for %s on %s: got signal %d", g->id, phase, WTERMSIG(status));
		return false;
	}
	trace("%d]", WEXITSTATUS(status));
	if (WEXITSTATUS(status))
		say("hookscript error for %s on %s: exit code %d", g->id, phase, WEXITSTATUS(status));
	return WEXITSTATUS(status) == 0;
}

/* How long Proxmox was kept, for those who measure. */
static void note_time(const char *phase, long long ms)
{
	FILE *f = fopen(STATE "/times", "ae");

	if (!f || fprintf(f, "%s %lld\n", phase, ms) < 0 || fclose(f) != 0)
		quit("cannot write " STATE "/times");
}

bool exec_hookscript(const struct guest *g, const char *phase, bool stdout_too)
{
	char path[TEXT_BYTES];
	bool is_set, went_well;
	long long begun = now_ms();

	if (!check_hookscript(g, path, &is_set)) {
		trace("[%s absent]", phase);
		return false;
	}
	if (!is_set)
		return true;
	trace("[%s", phase);
	went_well = run_command(path, g, phase, stdout_too);
	note_time(phase, now_ms() - begun);
	return went_well;
}
