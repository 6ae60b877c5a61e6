/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover-guard VMID GENERATION PID START MS HANDOVER: one process for each lease, started before the lease's first
 * write. Proxmox does not call post-stop after a start that failed, and in other cases may not (core/guard.h), so somebody
 * has to look. It waits, without ever waking up by itself:
 *
 *   for the hook (PID, started at START) to end;
 *   for Proxmox's configuration lock to be free: then the start has come to its end, one way or the other;
 *   if the guest runs, for its end, and then MS milliseconds for its post-stop.
 *
 * If the lease is still there then, and the guest does not run, HANDOVER is run to give it back. It acts on its own
 * GENERATION only: a lease that has ended, or is the guest's next one, is none of its business. It changes nothing
 * itself, and needs next to no memory: nothing of the program's libraries is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/trust.h"
#include "core/guard.h"
#include "core/pveconf.h"
#include "core/store.h"
#include "host/host.h"

#define ARGUMENTS 7
#define WAIT_MAX_MS (24 * 60 * 60 * 1000)
#define HEAD_BYTES 1024		/* of a journal: its generation stands there */
#define BUSY 4			/* the exit status of handover */
#define TRIES 20		/* to give back while somebody else is at it */
#define TRY_MS 3000

struct guard {
	struct host host;
	unsigned vmid;
	const char *generation, *handover;
	int after_ms;
	bool container;
	int changes;		/* inotify */
};

/* --- a host of files --------------------------------------------------------------------------------------------- */

static ssize_t read_file_of(struct host *h, const char *name, char *buf, size_t size)
{
	char path[HOST_NAME_BYTES + 1];
	ssize_t n;
	int fd;

	(void)h;
	snprintf(path, sizeof(path), "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	n = read_whole(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

static ssize_t link_of(struct host *h, const char *name, char *buf, size_t size)
{
	char path[HOST_NAME_BYTES + 1];
	ssize_t n;

	(void)h;
	snprintf(path, sizeof(path), "/%s", name);
	n = readlink(path, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

static const struct host_ops files = { .read = read_file_of, .link = link_of };

/* --- what is so now ---------------------------------------------------------------------------------------------- */

/* Whether the lease on disk is ours. A journal that cannot be read is somebody's: then it is left alone. */
static bool is_ours(const struct guard *g)
{
	char path[64], name[32], text[HEAD_BYTES], line[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), STORE_PATH "/%s", store_name(g->vmid, name));
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = own_file_check(fd) == 0 ? read_whole(fd, text, sizeof(text) - 1) : -EPERM;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	snprintf(line, sizeof(line), "\ngeneration\t%s\n", g->generation);
	return strstr(text, line) != NULL;
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

static void drain(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

/* Until fd says something, or until; -1: for as long as that takes. */
static void wait_on(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = until < 0 ? -1 : until - clock_ms(CLOCK_BOOTTIME);

	if (until < 0 || left > 0)
		poll(&p, 1, (int)left);
}

/* The process may be long gone, and its number another's by now. */
static void wait_for_hook(const char *pid, const char *start)
{
	char begun[GUARD_START_BYTES];
	uint64_t n;
	int fd;

	if (!str_decimal(pid, INT32_MAX, &n))
		return;
	fd = pidfd_open((pid_t)n, 0);
	if (fd < 0)
		return;
	if (guard_process_start((pid_t)n, begun) && strcmp(begun, start) == 0)
		wait_on(fd, -1);
	close(fd);
}

/* Taken shared and dropped at once: that is all we ever do to a lock of Proxmox's. */
static void wait_for_lock(const struct guard *g)
{
	char path[PVE_LOCK_PATH_BYTES];
	int fd;

	pve_lock_path(g->vmid, g->container, path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (flock(fd, LOCK_SH) < 0 && errno == EINTR)
		;
	close(fd);
}

/* Its control group says when the last process of a container has gone: that file is told of as changed. */
static void wait_for_container(struct guard *g)
{
	char events[HOST_NAME_BYTES];
	int watch;

	snprintf(events, sizeof(events), "/" CONTAINER_EVENTS, g->vmid);
	watch = inotify_add_watch(g->changes, events, IN_MODIFY | IN_DELETE_SELF);
	while (watch >= 0 && pve_running(&g->host, g->vmid)) {
		wait_on(g->changes, -1);
		drain(g->changes);
	}
	if (watch >= 0)
		inotify_rm_watch(g->changes, watch);
	else if (pve_running(&g->host, g->vmid))
		poll(NULL, 0, TRY_MS);	/* the kernel has no watch to give: it is looked again and again */
}

static void wait_for_guest(struct guard *g, int pid)
{
	int fd;

	if (g->container) {
		wait_for_container(g);
		return;
	}
	fd = pid > 0 ? pidfd_open(pid, 0) : -1;
	/* It may have ended between the two, and its number be another's. */
	if (fd >= 0 && pve_running(&g->host, g->vmid) == pid)
		wait_on(fd, -1);
	else if (fd < 0)
		poll(NULL, 0, TRY_MS);
	if (fd >= 0)
		close(fd);
}

/* Its post-stop ends the lease, if it comes. */
static void wait_for_post_stop(struct guard *g)
{
	int64_t until = clock_ms(CLOCK_BOOTTIME) + g->after_ms;
	int watch = inotify_add_watch(g->changes, STORE_PATH, IN_DELETE | IN_MOVED_TO | IN_CREATE);

	while (is_ours(g) && clock_ms(CLOCK_BOOTTIME) < until && !pve_running(&g->host, g->vmid)) {
		wait_on(g->changes, until);
		drain(g->changes);
	}
	if (watch >= 0)
		inotify_rm_watch(g->changes, watch);
}

/* --- giving back ------------------------------------------------------------------------------------------------- */

/* The exit status of `handover recover`, or -1. */
static int recover(const struct guard *g)
{
	char vmid[16];
	int status;
	pid_t pid;

	snprintf(vmid, sizeof(vmid), "%u", g->vmid);
	pid = fork();
	if (pid == 0) {
		execl(g->handover, "handover", "recover", vmid, g->generation, NULL);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Only when all is done: a log that does not take its lines keeps whoever writes one for as long as it likes. */
static void tell(const struct guard *g, int status)
{
	if (status == 0)
		syslog(LOG_WARNING, "%u: it did not run, and its lease had not ended: it has now", g->vmid);
	else if (status == BUSY && is_ours(g))
		syslog(LOG_ERR, "%u: it did not run, and somebody else was at its lease; see `handover status %u`", g->vmid, g->vmid);
	else if (status != BUSY && is_ours(g))
		syslog(LOG_ERR, "%u: giving back ended with status %d; see `handover status %u`", g->vmid, status, g->vmid);
	else if (status != BUSY)
		syslog(LOG_ERR, "%u: the lease has ended, but with status %d; see `handover status %u`", g->vmid, status, g->vmid);
}

static int watch_over(struct guard *g)
{
	int status = BUSY;

	for (int tries = 0; is_ours(g) && status == BUSY && tries < TRIES; tries++) {
		int pid = pve_running(&g->host, g->vmid);

		if (pid) {
			wait_for_guest(g, pid);
			wait_for_post_stop(g);
			tries = 0;
		}
		wait_for_lock(g);
		if (!is_ours(g) || pve_running(&g->host, g->vmid))
			continue;
		status = recover(g);
		/* It runs after all. */
		if (status == 0 && is_ours(g))
			status = BUSY;
		if (status == BUSY)
			poll(NULL, 0, TRY_MS);
	}
	tell(g, status);
	return status == BUSY && is_ours(g) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct guard g = { .host = { &files } };
	char lock[GUARD_LOCK_BYTES];
	int fd, taken = -1;
	uint64_t ms;

	if (argc != ARGUMENTS || !vmid_parse(argv[1], &g.vmid) || !str_decimal(argv[5], WAIT_MAX_MS, &ms)) {
		fputs("usage: handover-guard VMID GENERATION PID START MS HANDOVER\n", stderr);
		return 2;
	}
	g.generation = argv[2];
	g.handover = argv[6];
	g.after_ms = (int)ms;
	g.container = pve_is_container(&g.host, g.vmid);
	/* Whoever started us waits for this lock, and `handover status` asks for it. */
	guard_lock_path(g.generation, lock);
	fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* They ask by taking it themselves for a moment: that is not to be mistaken for somebody who has it. */
	while (fd >= 0 && (taken = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
		;
	if (taken < 0)
		return 1;
	dprintf(fd, "%d\n", (int)getpid());
	g.changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	openlog("handover-guard", 0, LOG_DAEMON);
	wait_for_hook(argv[3], argv[4]);
	fd = watch_over(&g);
	/* Of this generation there is no other: nobody can be waiting for the name. */
	unlink(lock);
	return fd;
}
