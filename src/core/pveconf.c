/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/str.h"
#include "core/pvecluster.h"
#include "core/pveconf.h"

#define CMDLINE_BYTES_MAX (64 * 1024)

bool vmid_parse(const char *s, unsigned *vmid)
{
	uint64_t v;

	if (!str_decimal(s, VMID_MAX, &v) || v < VMID_MIN)
		return false;
	*vmid = (unsigned)v;
	return true;
}

unsigned pveconf_name(const char *name, struct arena *a)
{
	const char *dot = strrchr(name, '.');
	unsigned vmid;

	return dot && strcmp(dot, ".conf") == 0 && vmid_parse(arena_dupn(a, name, (size_t)(dot - name)), &vmid) ? vmid : 0;
}

int pveconf_index(const char *key, const char *prefix, unsigned max)
{
	uint64_t n;

	return str_starts(key, prefix) && str_decimal(key + strlen(prefix), max, &n) ? (int)n : -1;
}

/* NULL: it cannot be read, and err says why. */
static char *read_config(struct host *h, const char *name, struct arena *a, struct error *err)
{
	char *text = arena_alloc(a, PVECONF_BYTES_MAX + 1);
	ssize_t n = host_read_bytes(h, name, text, PVECONF_BYTES_MAX + 1);

	if ((n == -ENOENT || n == -ENOTCONN) && pvecluster_is_down(h, err))
		return NULL;
	if (n < 0) {
		error_errno(err, (int)n, "cannot read '/%s'", name);
		return NULL;
	}
	/* To Proxmox a NUL is a letter like another that no setting may have. */
	for (char *nul = text; (nul = memchr(nul, '\0', (size_t)(text + n - nul))) != NULL;)
		*nul = '\x01';
	return text;
}

int pveconf_read(struct host *h, unsigned vmid, struct arena *a, struct pve_guest *guest, struct error *err)
{
	const char *text = read_config(h, arena_fmt(a, "etc/pve/qemu-server/%u.conf", vmid), a, err);

	if (!text)
		return err->code;
	pveconf_parse(text, a, guest);
	return 0;
}

int pvect_read(struct host *h, unsigned ctid, struct arena *a, struct pve_container *ct, struct error *err)
{
	const char *text = read_config(h, arena_fmt(a, "etc/pve/lxc/%u.conf", ctid), a, err);

	if (!text)
		return err->code;
	pvect_parse(text, a, ct);
	return 0;
}

static int vm_running(struct host *h, unsigned vmid)
{
	static char cmdline[CMDLINE_BYTES_MAX];
	char name[HOST_NAME_BYTES], pid[32], id[16];
	const char *end;
	uint64_t n;
	ssize_t len;

	snprintf(name, sizeof(name), "run/qemu-server/%u.pid", vmid);
	len = host_read(h, name, pid, sizeof(pid));
	if (len < 0)
		return len == -ENOENT ? 0 : -1;
	if (!str_decimal(pid, 1 << 30, &n))
		return 0;
	snprintf(name, sizeof(name), "proc/%u/cmdline", (unsigned)n);
	len = host_read_bytes(h, name, cmdline, sizeof(cmdline));
	/* A command line that is too long or cannot be read: rather believe it runs than take its devices. */
	if (len < 0)
		return len == -ENOENT || len == -ESRCH ? 0 : (int)n;
	snprintf(id, sizeof(id), "%u", vmid);
	end = cmdline + len;
	for (const char *s = cmdline; s < end; s += strlen(s) + 1)
		if (strcmp(s, "-id") == 0 && s + 4 < end && strcmp(s + 4, id) == 0)
			return (int)n;
	return 0;
}

/* While its monitor calls the hook for post-stop, the container's own control group is empty already. */
static int container_running(struct host *h, unsigned ctid)
{
	char name[HOST_NAME_BYTES], text[128];
	ssize_t n;
	uint64_t pid;

	snprintf(name, sizeof(name), CONTAINER_EVENTS, ctid);
	n = host_read(h, name, text, sizeof(text));
	if (n == -ENOENT || n == -ENODEV || (n >= 0 && !strstr(text, "populated 1")))
		return 0;
	snprintf(name, sizeof(name), "sys/fs/cgroup/lxc.monitor/%u/cgroup.procs", ctid);
	n = host_read(h, name, text, sizeof(text));
	if (n > 0)
		text[strcspn(text, "\n")] = '\0';
	return n > 0 && str_decimal(text, 1 << 30, &pid) ? (int)pid : -1;
}

int pve_running(struct host *h, unsigned vmid)
{
	int pid = vm_running(h, vmid);

	return pid ? pid : container_running(h, vmid);
}

bool pve_is_container(struct host *h, unsigned vmid)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), "etc/pve/lxc/%u.conf", vmid);
	return host_has(h, name);
}

void pve_lock_path(unsigned vmid, bool container, char path[PVE_LOCK_PATH_BYTES])
{
	snprintf(path, PVE_LOCK_PATH_BYTES, container ? "/run/lock/lxc/pve-config-%u.lock" : "/run/lock/qemu-server/lock-%u.conf",
		 vmid);
}

static bool is_locked(unsigned vmid, bool container)
{
	char path[PVE_LOCK_PATH_BYTES];
	bool locked;
	int fd;

	pve_lock_path(vmid, container, path);
	/* Anybody may make a folder in /run/lock before Proxmox does: a FIFO there must not hold us up. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

bool pve_config_locked(unsigned vmid)
{
	return is_locked(vmid, false) || is_locked(vmid, true);
}
