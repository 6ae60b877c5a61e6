/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Proxmox does with a VM: PVE/QemuServer.pm, PVE/API2/Qemu.pm, PVE/CLI/qm.pm, PVE/VZDump/QemuServer.pm. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pve.h"

#define LOCK_S 10
#define CLEANUP_LOCK_S 60
#define EXIT_S 30		/* `qm cleanup` since 9.1.13 */
#define STOP_S 60
#define ROLLBACK_STOP_S 5
#define PERL_MS 0		/* what a new `qm` needs until it gets to work; the order of a race hangs on it */

enum { NORMAL = 0, SKIP_LOCK = 1, MINIMISED = 2, NO_PRE_STOP = 4, NO_POST_STOP = 8, NO_FLOCK = 16 };

static const char *state_path(const struct guest *g, const char *what, char path[TEXT_BYTES])
{
	return text_of(path, RUN "/%s.%s", g->id, what);
}

/* --- start ------------------------------------------------------------------------------------------------------ */

/* The word for what kept it from starting; NULL: it runs. */
static const char *bring_up(const struct guest *g, int flags)
{
	char path[TEXT_BYTES];
	const char *wrong;

	unlink(state_path(g, "reboot", path));
	if (!exec_hookscript(g, "pre-start", true))
		return "hook";
	wrong = flags & MINIMISED ? NULL : pci_prepare(g);
	if (wrong)
		return wrong;
	if (!qemu_start(g, flags & MINIMISED))
		return "qemu";
	if (!(flags & MINIMISED))
		pci_started(g);
	if (!is_old() && !write_file(state_path(g, "cleanup", path), ""))
		quit("cannot write %s", path);
	if (!(flags & MINIMISED))
		exec_hookscript(g, "post-start", true);
	return NULL;
}

static const char *start_locked(const struct guest *g, int flags)
{
	char lock[TEXT_BYTES];

	if (!conf_exists(g))
		return "no-config";
	if (!(flags & SKIP_LOCK) && conf_get(g, "lock", lock) && strcmp(lock, "suspended") != 0)
		return "locked";
	if (qemu_pid(g))
		return "runs";
	return bring_up(g, flags);
}

static bool start(const struct guest *g, int flags)
{
	const char *wrong;
	int lock = lock_conf(g, setting("PVE_LOCK_S", LOCK_S));

	/* Empty where there is no migration; nothing else has it (QemuServer.pm, vm_start_nolock). */
	setenv("PVE_MIGRATED_FROM", g->source ? g->source : "", 1);
	wrong = lock < 0 ? "no-flock" : start_locked(g, flags);
	unsetenv("PVE_MIGRATED_FROM");
	trace("start:%s", wrong ? wrong : "ok");
	/* A restore goes on under the lock. */
	if (!wrong)
		sleep_ms(setting("PVE_RESTORE_MS", 0));
	close(lock);
	return !wrong;
}

static bool qm_start(const struct guest *g, char **args)
{
	(void)args;
	return start(g, NORMAL);
}

/* --- stop ------------------------------------------------------------------------------------------------------- */

/* QUIT, or POWER_BUTTON for a guest that does as it is bid. */
static bool stop_locked(const struct guest *g, enum qemu_word how, unsigned seconds, int flags)
{
	char path[TEXT_BYTES];
	pid_t pid = qemu_pid(g);

	if (!pid)
		return true;
	if (!(flags & NO_PRE_STOP))
		exec_hookscript(g, "pre-stop", true);
	qemu_tell(g, how);
	if (!qemu_wait(g, seconds)) {
		say("VM still running - terminating now with SIGKILL");
		kill(pid, SIGKILL);
		if (!qemu_wait(g, seconds))
			return false;
	}
	pci_release(g);
	if (!is_old() && unlink(state_path(g, "cleanup", path)) == 0 && !(flags & NO_POST_STOP))
		exec_hookscript(g, "post-stop", true);
	return true;
}

static bool stop(const struct guest *g, enum qemu_word how, unsigned seconds, int flags)
{
	int lock = flags & NO_FLOCK ? -1 : lock_conf(g, setting("PVE_LOCK_S", LOCK_S));
	bool stopped = (lock >= 0 || flags & NO_FLOCK) && stop_locked(g, how, seconds, flags);

	trace("stop:%s", stopped ? "ok" : "failed");
	close(lock);
	return stopped;
}

static bool qm_stop(const struct guest *g, char **args)
{
	(void)args;
	return stop(g, QUIT, STOP_S, NORMAL);
}

static bool qm_shutdown(const struct guest *g, char **args)
{
	(void)args;
	return stop(g, POWER_BUTTON, STOP_S, NORMAL);
}

/* The start is left to the `qm cleanup` that will follow. */
static bool qm_reboot(const struct guest *g, char **args)
{
	int lock = lock_conf(g, setting("PVE_LOCK_S", LOCK_S));
	char path[TEXT_BYTES];
	bool stopped;

	(void)args;
	if (lock < 0 || !qemu_pid(g) || !write_file(state_path(g, "reboot", path), ""))
		return false;
	stopped = stop_locked(g, POWER_BUTTON, STOP_S, NORMAL);
	trace("reboot:%s", stopped ? "ok" : "failed");
	close(lock);
	return stopped;
}

/* --- qm cleanup ------------------------------------------------------------------------------------------------- */

static const char *cleanup_locked(const struct guest *g)
{
	char lock[TEXT_BYTES], path[TEXT_BYTES];
	bool is_left = true;

	if (qemu_pid(g))
		return "runs";
	if (conf_get(g, "lock", lock) && strcmp(lock, "rollback") == 0)
		return "rollback";
	if (!is_old())
		is_left = unlink(state_path(g, "cleanup", path)) == 0;
	if (!is_left)
		return "nothing";
	pci_release(g);
	exec_hookscript(g, "post-stop", true);
	return "ok";
}

/* What it is told of how QEMU ended changes what is unplugged, and nothing for the hook. */
static bool qm_cleanup(const struct guest *g, char **args)
{
	char path[TEXT_BYTES];
	bool again;
	int lock;

	(void)args;
	sleep_ms(setting("PVE_PERL_MS", PERL_MS));
	if (!conf_exists(g)) {
		trace("cleanup:no-config");
		return true;
	}
	if (!is_old())
		qemu_wait(g, setting("PVE_EXIT_S", EXIT_S));
	lock = lock_conf(g, setting("PVE_CLEANUP_LOCK_S", CLEANUP_LOCK_S));
	if (lock < 0) {
		trace("cleanup:no-flock");
		return false;
	}
	trace("cleanup:%s", cleanup_locked(g));
	again = !qemu_pid(g) && unlink(state_path(g, "reboot", path)) == 0;
	close(lock);
	return !again || start(g, NORMAL);
}

/* --- what is made of these -------------------------------------------------------------------------------------- */

static bool qm_suspend_to_disk(const struct guest *g, char **args)
{
	bool stopped;
	int lock;

	(void)args;
	if (has_hostpci(g)) {
		trace("suspend:refused");
		return false;
	}
	lock = lock_conf(g, setting("PVE_LOCK_S", LOCK_S));
	/* There is no pre-stop: QEMU is told to quit, and post-stop comes with `qm cleanup`. */
	qemu_tell(g, QUIT);
	stopped = lock >= 0 && qemu_wait(g, STOP_S);
	conf_set(g, "lock", "suspended");
	trace("suspend:%s", stopped ? "ok" : "failed");
	close(lock);
	return stopped;
}

/* A VM that did not run is started for it, paused, and stopped again; one that ran is stopped and goes on. */
static bool backup(const struct guest *g, int flags)
{
	bool ran = qemu_pid(g) != 0, done;

	conf_set(g, "lock", "backup");
	done = (!ran || stop(g, POWER_BUTTON, STOP_S, SKIP_LOCK)) && start(g, SKIP_LOCK | flags);
	if (done && !ran)
		done = stop(g, QUIT, STOP_S, SKIP_LOCK);
	conf_set(g, "lock", NULL);
	return done;
}

static bool qm_backup(const struct guest *g, char **args)
{
	char value[TEXT_BYTES];

	(void)args;
	/* Of a template only the disks count: its configuration is cut down, with hostpci lines and the second hook. */
	return backup(g, conf_get(g, "template", value) ? MINIMISED : NORMAL);
}

static bool qm_rollback(const struct guest *g, char **args)
{
	bool stopped;

	(void)args;
	conf_set(g, "lock", "rollback");
	stopped = stop(g, QUIT, ROLLBACK_STOP_S, SKIP_LOCK);
	/* Volumes are rolled back here, without the flock; a `qm cleanup` finds its way in. */
	sleep_ms(setting("PVE_ROLLBACK_MS", 0));
	conf_set(g, "lock", NULL);
	return stopped && start(g, NORMAL);
}

/* On the target; the configuration is the other node's until all has gone well. args: the node, and "fail". */
static bool qm_migrate_in(const struct guest *g, char **args)
{
	struct guest there = *g;
	char from[TEXT_BYTES], to[TEXT_BYTES];

	if (!args[0])
		quit("qm migrate-in VMID NODE [fail]");
	there.source = args[0];
	if (!start(&there, SKIP_LOCK))
		return false;
	if (args[1])
		/* QemuServer.pm, vm_stop with migratedfrom: the one call of a hook that no flock covers. */
		return stop(&there, QUIT, STOP_S, NO_FLOCK | NO_PRE_STOP);
	conf_path(&there, from);
	conf_path(g, to);
	return rename(from, to) == 0;
}

/* On the source: QEMU goes without any hook, and the configuration with it. */
static bool qm_migrate_away(const struct guest *g, char **args)
{
	char path[TEXT_BYTES];

	(void)args;
	conf_path(g, path);
	return unlink(path) == 0 && stop(g, QUIT, STOP_S, NO_PRE_STOP | NO_POST_STOP);
}

static bool guest_does(const struct guest *g, char **args)
{
	static const struct {
		const char *what;
		enum qemu_word word;
	} ways[] = {
		{ "poweroff", GUEST_OFF }, { "reboot", GUEST_REBOOT }, { "crash", CRASH }, { "reset", RESET },
	};
	pid_t pid = qemu_pid(g);

	for (size_t i = 0; pid && args[0] && i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(args[0], ways[i].what) == 0)
			return qemu_tell(g, ways[i].word);
	return false;
}

const struct command vm_commands[] = {
	{ "start", qm_start, true },
	{ "stop", qm_stop, true },
	{ "shutdown", qm_shutdown, true },
	{ "reboot", qm_reboot, true },
	{ "suspend", qm_suspend_to_disk, true },
	{ "backup", qm_backup, true },
	{ "rollback", qm_rollback, true },
	{ "migrate-in", qm_migrate_in, true },
	{ "migrate-away", qm_migrate_away, true },
	{ "cleanup", qm_cleanup, false },
	{ "guest", guest_does, false },
	{ 0 },
};
