/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/str.h"
#include "core/pveconf.h"

#define CONFIG_BYTES_MAX (1024 * 1024)	/* pmxcfs takes no larger file */
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

/* "02:00.0", "0000:02:00": Proxmox lets the domain out. False if it is no address. */
static bool add_address(struct hostpci *p, struct arena *a, const char *s)
{
	const char *full = strchr(s, ':') == strrchr(s, ':') ? arena_fmt(a, "0000:%s", s) : arena_dup(a, s);
	struct bdf bdf;

	if (!bdf_parse(strchr(full, '.') ? full : arena_fmt(a, "%s.0", full), &bdf))
		return false;
	p->addresses = arena_grow(a, p->addresses, p->n, sizeof(*p->addresses));
	p->addresses[p->n++] = full;
	return true;
}

static void take_hostpci(struct hostpci *p, struct arena *a, char *value)
{
	/* Of two lines with one key the last counts, as in qemu-server. */
	*p = (struct hostpci){ .present = true };
	for (char *part; (part = strsep(&value, ",")) != NULL;) {
		char *eq = strchr(part, '=');

		if (eq)
			*eq = '\0';
		if (eq && strcmp(part, "mapping") == 0)
			p->mapping = arena_dup(a, eq + 1);
		else if (eq && strcmp(part, "driver") == 0)
			p->keep = strcmp(eq + 1, "keep") == 0;
		else if (eq && strcmp(part, "mdev") == 0)
			p->mdev = true;
		else if (!eq || strcmp(part, "host") == 0)
			for (char *list = eq ? eq + 1 : part, *id; (id = strsep(&list, ";")) != NULL;)
				add_address(p, a, id);
	}
}

static void take_line(struct pve_guest *g, struct arena *a, char *line)
{
	char *colon = strchr(line, ':'), *end, *value;
	uint64_t n;

	if (*line == '#' || !colon)
		return;
	*colon = '\0';
	for (value = colon + 1; isspace((unsigned char)*value); value++)
		;
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	if (str_starts(line, "hostpci") && str_decimal(line + strlen("hostpci"), HOSTPCI_MAX - 1, &n))
		take_hostpci(&g->hostpci[n], a, value);
	else if (str_starts(line, "usb") && isdigit((unsigned char)line[3]) && strstr(value, "spice") != value)
		g->has_usb = true;
}

void pveconf_parse(const char *text, struct arena *a, struct pve_guest *guest)
{
	struct pve_guest g = { 0 };
	char *at = arena_dup(a, text), *line;

	while ((line = strsep(&at, "\n")) != NULL && *line != '[')
		take_line(&g, a, line);
	*guest = g;
}

int pveconf_read(struct host *h, unsigned vmid, struct arena *a, struct pve_guest *guest, struct error *err)
{
	char *buf = arena_alloc(a, CONFIG_BYTES_MAX), name[HOST_NAME_BYTES];
	ssize_t n;

	snprintf(name, sizeof(name), "etc/pve/qemu-server/%u.conf", vmid);
	n = host_read_bytes(h, name, buf, CONFIG_BYTES_MAX);
	if (n < 0)
		return error_errno(err, (int)n, "cannot read '/%s'", name);
	pveconf_parse(buf, a, guest);
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
