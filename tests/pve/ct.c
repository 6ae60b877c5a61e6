/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Proxmox does with a container: pve-container, PVE/LXC.pm, src/lxc-pve-poststop-hook. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pve.h"

#define LOCK_S 10
#define STOP_S 60
/* Of the container and of its monitor (lxc, src/lxc/cgroups/cgfsng.c); here their files are written by hand. */
#define CGROUP "/sys/fs/cgroup/lxc/%s"
#define EVENTS CGROUP "/cgroup.events"
#define MONITOR "/sys/fs/cgroup/lxc.monitor/%s"
#define MONITOR_PROCS MONITOR "/cgroup.procs"

static bool ct_runs(const struct guest *g)
{
	char path[TEXT_BYTES];

	return access(text_of(path, CGROUP, g->id), F_OK) == 0;
}

static bool make_cgroups(const struct guest *g, const char *pid)
{
	char path[TEXT_BYTES];

	mkdir("/sys/fs/cgroup/lxc", 0755);
	mkdir("/sys/fs/cgroup/lxc.monitor", 0755);
	mkdir(text_of(path, MONITOR, g->id), 0755);
	mkdir(text_of(path, CGROUP, g->id), 0755);
	return write_file(text_of(path, MONITOR_PROCS, g->id), pid) &&
	       write_file(text_of(path, EVENTS, g->id), "populated 1\nfrozen 0\n");
}

static void empty_cgroup(const struct guest *g)
{
	char path[TEXT_BYTES];

	write_file(text_of(path, EVENTS, g->id), "populated 0\nfrozen 0\n");
}

static void remove_cgroups(const struct guest *g)
{
	char path[TEXT_BYTES];

	unlink(text_of(path, EVENTS, g->id));
	rmdir(text_of(path, CGROUP, g->id));
	unlink(text_of(path, MONITOR_PROCS, g->id));
	rmdir(text_of(path, MONITOR, g->id));
}

/*
 * lxc's monitor of the container, in a session of its own. Signals stand for what becomes of the container: SIGUSR1 it
 * powers off, SIGUSR2 it reboots, SIGTERM it is told to stop, SIGHUP it crashes. All but the reboot end in lxc's
 * post-stop hook, without Proxmox's lock.
 */
static _Noreturn void monitor(const struct guest *g)
{
	char path[TEXT_BYTES];
	sigset_t set;
	int how;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	while (sigwait(&set, &how) == 0 && how == SIGUSR2)
		trace("reset");
	empty_cgroup(g);
	exec_hookscript(g, "post-stop", false);
	remove_cgroups(g);
	unlink(text_of(path, STATE "/ct-%s.pid", g->id));
	trace("lxc:gone");
	_exit(EXIT_SUCCESS);
}

static bool start_monitor(const struct guest *g)
{
	char path[TEXT_BYTES], pid[TEXT_BYTES];
	const char *fail = getenv("PVE_FAIL");
	sigset_t set;
	pid_t child;

	if (fail && strcmp(fail, "lxc") == 0)
		return false;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child = fork();
	if (child == 0) {
		int log;

		text_of(path, STATE "/ct-%s.stderr", g->id);
		log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		setsid();
		dup2(log, STDERR_FILENO);
		/* The configuration's lock is not lxc's. */
		close_range(STDERR_FILENO + 1, ~0U, 0);
		monitor(g);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	text_of(pid, "%d\n", child);
	return child > 0 && make_cgroups(g, pid) && write_file(text_of(path, STATE "/ct-%s.pid", g->id), pid);
}

static pid_t monitor_pid(const struct guest *g)
{
	char path[TEXT_BYTES], line[TEXT_BYTES];

	return first_line(text_of(path, STATE "/ct-%s.pid", g->id), line) ? (pid_t)strtol(line, NULL, 10) : 0;
}

static const char *start_locked(const struct guest *g)
{
	if (!conf_exists(g))
		return "no-config";
	if (ct_runs(g))
		return "runs";
	if (!exec_hookscript(g, "pre-start", true))
		return "hook";
	if (!start_monitor(g))
		return "lxc";
	exec_hookscript(g, "post-start", true);
	return NULL;
}

static bool pct_start(const struct guest *g, char **args)
{
	int lock = lock_conf(g, setting("PVE_LOCK_S", LOCK_S));
	const char *wrong = lock < 0 ? "no-flock" : start_locked(g);

	(void)args;
	trace("start:%s", wrong ? wrong : "ok");
	close(lock);
	return !wrong;
}

/* It waits for the container, and the container is gone only when lxc's own hooks are through. */
static bool stop_locked(const struct guest *g, int how)
{
	long long end = now_ms() + (long long)STOP_S * MS_PER_S;
	pid_t pid = monitor_pid(g);

	if (!pid)
		return true;
	exec_hookscript(g, "pre-stop", true);
	kill(pid, how);
	while (monitor_pid(g) && now_ms() < end)
		sleep_ms(TICK_MS);
	return !monitor_pid(g);
}

static bool stop(const struct guest *g, int how, const char *name)
{
	int lock = lock_conf(g, setting("PVE_LOCK_S", LOCK_S));
	bool stopped = lock >= 0 && stop_locked(g, how);

	trace("%s:%s", name, stopped ? "ok" : "failed");
	close(lock);
	return stopped;
}

static bool pct_stop(const struct guest *g, char **args)
{
	(void)args;
	return stop(g, SIGTERM, "stop");
}

static bool pct_shutdown(const struct guest *g, char **args)
{
	(void)args;
	return stop(g, SIGUSR1, "stop");
}

static bool pct_reboot(const struct guest *g, char **args)
{
	return stop(g, SIGUSR1, "reboot") && pct_start(g, args);
}

static bool guest_does(const struct guest *g, char **args)
{
	pid_t pid = monitor_pid(g);

	if (!pid || !args[0])
		return false;
	if (strcmp(args[0], "reboot") == 0)
		return kill(pid, SIGUSR2) == 0;
	return kill(pid, strcmp(args[0], "poweroff") == 0 ? SIGUSR1 : SIGHUP) == 0;
}

const struct command ct_commands[] = {
	{ "start", pct_start, true },
	{ "stop", pct_stop, true },
	{ "shutdown", pct_shutdown, true },
	{ "reboot", pct_reboot, true },
	{ "guest", guest_does, false },
	{ 0 },
};
