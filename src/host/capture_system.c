/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "host/capture.h"

#define READ_BYTES (1024 * 1024)	/* of a file that only some lines are taken of */
#define PORT_SSH 22
#define PORTS_MAX 16
#define ESTABLISHED "01"		/* include/net/tcp_states.h, as /proc/net/tcp writes it */
#define ROUTE_LOCAL 0x80000000u		/* include/uapi/linux/ipv6_route.h, RTF_LOCAL: one of this host's own addresses */
#define ROUTE_ANYCAST 0x00100000u

#define SSHD_CONFIG "etc/ssh/sshd_config"
#define UUID_MAX 64
#define POOLS "proc/spl/kstat/zfs"
#define VMS "run/qemu-server"
#define RESERVATIONS "run/qemu-server/pci-id-reservations"
#define CONTAINERS "etc/pve/lxc"
#define CONTAINERS_RUNNING "sys/fs/cgroup/lxc"

struct system {
	struct writer *w;
	char *big;			/* READ_BYTES */
	char text[HOSTFILE_LINE_MAX];	/* of an F:, each line with its newline */
	size_t n;
	unsigned ports[PORTS_MAX];	/* of sshd */
	size_t n_ports;
	struct words names;		/* of hosts that this one needs */
};

/* --- files of several lines -------------------------------------------------------------------------------------- */

/* A text, for next_line(). What is longer than READ_BYTES, or has a NUL, is none. */
static char *read_lines(struct system *s, const char *name)
{
	ssize_t n = host_read_bytes(s->w->h, name, s->big, READ_BYTES);

	s->n = 0;
	return n > 0 && strlen(s->big) == (size_t)n ? s->big : NULL;
}

/* The next line without its newline; NULL: there is none. */
static char *next_line(char **at)
{
	char *line = strsep(at, "\n");

	return line && (*line || *at) ? line : NULL;
}

static void keep(struct system *s, const char *line)
{
	size_t n = strlen(line);

	if (n + strlen("| ") > HOSTFILE_LINE_MAX || s->n + n + 1 > sizeof(s->text))
		return;
	memcpy(s->text + s->n, line, n);
	s->text[s->n + n] = '\n';
	s->n += n + 1;
}

static void put_file(struct system *s, const char *name)
{
	fprintf(s->w->out, "\nF: %s\n", name);
	for (size_t at = 0; at < s->n;) {
		size_t n = (size_t)((char *)memchr(s->text + at, '\n', s->n - at) - (s->text + at));

		fprintf(s->w->out, "| %.*s\n", (int)n, s->text + at);
		at += n + 1;
	}
}

/* A file of which some lines are taken (wanted NULL: all); without any it is left out. */
static void put_some(struct system *s, const char *name, bool (*wanted)(struct system *s, char *line))
{
	char *at = read_lines(s, name), *line;

	while ((line = next_line(&at)) != NULL)
		if (!wanted || wanted(s, line))
			keep(s, line);
	if (s->n)
		put_file(s, name);
}

/* Words of a line, which is taken apart. */
static size_t split(char *line, const char *separators, char **words, size_t max)
{
	size_t n = 0;

	for (char *word; n < max && (word = strsep(&line, separators)) != NULL;)
		if (*word)
			words[n++] = word;
	return n;
}

/* --- storage ----------------------------------------------------------------------------------------------------- */

#define MOUNT_WORDS 32

static bool has_prefix(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (str_starts(text, *list))
			return true;
	return false;
}

/* "server:/path", "//server/path", "user@server:path", "one,two:6789:/": of these hosts the addresses are wanted too. */
static void want_hosts(struct system *s, const char *source)
{
	char *words[MOUNT_WORDS], *copy = arena_dup(s->w->arena, source), *at = strchr(copy, '@');
	size_t n = split(at ? at + 1 : copy, ",:/;[]= \t", words, MOUNT_WORDS);

	for (size_t i = 0; i < n; i++)
		capture_remember(s->w, &s->names, words[i]);
}

/* Of a file system's own options only those that say where it is: others name users, and more. */
static const char *cut_options(struct system *s, char *options)
{
	static const char *const kept[] = { "rw", "ro", "addr=", "mountaddr=", "mon_addr=", "subvol=", "subvolid=",
					    "device=", NULL };
	const char *text = NULL;

	for (char *option; (option = strsep(&options, ",")) != NULL;)
		if (has_prefix(kept, option))
			text = text ? arena_fmt(s->w->arena, "%s,%s", text, option) : option;
	return text ? text : "rw";
}

/* The root file system, of which something is always told. */
static bool is_root(struct system *s, const char *line)
{
	char *words[5], *copy = arena_dup(s->w->arena, line);

	return split(copy, " ", words, 5) == 5 && strcmp(words[4], "/") == 0;
}

/* Documentation/filesystems/proc.rst, 3.5: /, what comes from a device or over the network, and not the rest. */
static void put_mounts(struct system *s)
{
	static const char *const types[] = { "zfs", "btrfs", "nfs", "cifs", "smb3", "ceph", "fuse.ceph", "fuse.sshfs",
					     "fuse.glusterfs", "9p", NULL };
	char *at = read_lines(s, "proc/self/mountinfo"), *line;

	while ((line = next_line(&at)) != NULL) {
		char *rest = strstr(line, " - "), *words[3];
		size_t n = rest ? split(rest + strlen(" - "), " ", words, 3) : 0;

		if (n < 3 || (!str_starts(words[1], "/dev/") && !has_prefix(types, words[0]) && !is_root(s, line)))
			continue;
		*rest = '\0';
		if (!str_starts(words[1], "/dev/"))
			want_hosts(s, words[1]);
		keep(s, arena_fmt(s->w->arena, "%s - %s %s %s", line, words[0], words[1], cut_options(s, words[2])));
	}
	if (s->n)
		put_file(s, "proc/self/mountinfo");
}

/* An imported pool is a folder; its state, which newer ones have, makes it one here too. */
static void put_pools(struct system *s)
{
	struct writer *w = s->w;
	char **names, **inside;
	size_t n, n_inside;
	bool any = false;

	if (host_list(w->h, POOLS, w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *folder = arena_fmt(w->arena, POOLS "/%s", names[i]);
		ssize_t length;

		if (host_list(w->h, folder, w->arena, &inside, &n_inside) < 0)
			continue;
		if (!any)
			fputc('\n', w->out);
		any = true;
		length = capture_get(w, folder, "state", NULL);
		capture_line(w, 'V', arena_fmt(w->arena, "%s/state", folder), w->buf, length > 0 ? (size_t)length : 0);
	}
}

/* Boot partitions that are not mounted; a number stands for the UUID of each, which says whose it is. */
static void put_boot(struct system *s)
{
	struct writer *w = s->w;
	char *at = read_lines(s, "etc/kernel/proxmox-boot-uuids"), *uuid;
	unsigned number = 0;

	while ((uuid = next_line(&at)) != NULL) {
		uuid[strcspn(uuid, " \t\r#")] = '\0';
		if (!str_is_word(uuid, UUID_MAX) || capture_get(w, "dev/disk/by-uuid", uuid, NULL) <= 0)
			continue;
		fprintf(w->out, "%sV: dev/disk/by-uuid/%04u=%s\n", number ? "" : "\n", number + 1, w->buf);
		keep(s, arena_fmt(w->arena, "%04u", ++number));
	}
	if (s->n)
		put_file(s, "etc/kernel/proxmox-boot-uuids");
}

/* --- network ----------------------------------------------------------------------------------------------------- */

/* Not the host's own addresses, of which many are made of a card's. */
static bool is_way(struct system *s, char *line)
{
	char *words[10], *copy = arena_dup(s->w->arena, line);
	uint64_t flags;

	return split(copy, " ", words, 10) == 10 && str_hex(words[8], 8, 8, &flags) &&
	       !(flags & (ROUTE_LOCAL | ROUTE_ANYCAST)) && !str_starts(words[0], "ff");
}

static void add_port(struct system *s, const char *text)
{
	uint64_t port;

	if (str_decimal(text, UINT16_MAX, &port) && s->n_ports < PORTS_MAX)
		s->ports[s->n_ports++] = (unsigned)port;
}

/* "Port 2222", and the port of "ListenAddress 10.0.0.1:2222": sshd_config(5). */
static bool is_port_line(struct system *s, char *line)
{
	char *words[2], *copy = arena_dup(s->w->arena, line), *colon;

	copy[strcspn(copy, "#\r")] = '\0';
	if (split(copy, " \t=", words, 2) != 2)
		return false;
	if (strcasecmp(words[0], "port") == 0) {
		add_port(s, words[1]);
		return true;
	}
	colon = strrchr(words[1], ':');
	/* An address of IPv6 without brackets has no port. */
	if (strcasecmp(words[0], "listenaddress") != 0 || !colon ||
	    (strchr(words[1], ':') != colon && colon[-1] != ']'))
		return false;
	add_port(s, colon + 1);
	return true;
}

static void put_ports(struct system *s)
{
	char **names;
	size_t n;

	/* What was begun before another was said goes on. */
	s->ports[s->n_ports++] = PORT_SSH;
	put_some(s, SSHD_CONFIG, is_port_line);
	if (host_list(s->w->h, SSHD_CONFIG ".d", s->w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *name = arena_fmt(s->w->arena, SSHD_CONFIG ".d/%s", names[i]), *dot = strrchr(name, '.');

		if (strcmp(dot, ".conf") == 0 && strlen(name) < HOST_NAME_BYTES - 1 && !strchr(name, '\n'))
			put_some(s, name, is_port_line);
	}
}

/* The heading, and who is logged in: "0: 0100007F:0016 0200007F:C001 01 ...", the local address first. */
static bool is_session(struct system *s, char *line)
{
	char *words[4], *copy = arena_dup(s->w->arena, line), *colon;
	uint64_t port;

	if (split(copy, " ", words, 4) != 4)
		return false;
	colon = strrchr(words[1], ':');
	if (!colon)
		return strcmp(words[0], "sl") == 0;
	if (strcmp(words[3], ESTABLISHED) != 0 || !str_hex(colon + 1, 4, 4, &port))
		return false;
	for (size_t i = 0; i < s->n_ports; i++)
		if (s->ports[i] == port)
			return true;
	return false;
}

/* corosync.conf(5): of each node "ring0_addr: 10.0.0.1" and "name: pve1", which tells that it is another. */
static bool is_ring(struct system *s, char *line)
{
	char *words[2], *copy = arena_dup(s->w->arena, line);
	const char *text = line + strspn(line, " \t");
	size_t n;

	if (*text == '}' || str_starts(text, "nodelist") || str_starts(text, "node ") || str_starts(text, "node{"))
		return true;
	if (split(copy, " \t:", words, 1) != 1)
		return false;
	if (strcmp(words[0], "name") == 0)
		return true;
	n = str_starts(words[0], "ring") ? strspn(words[0] + strlen("ring"), "0123456789") : 0;
	if (n == 0 || strcmp(words[0] + strlen("ring") + n, "_addr") != 0)
		return false;
	want_hosts(s, strchr(line, ':') ? strchr(line, ':') + 1 : "");
	return true;
}

/* Ceph takes ' ', '_' and '-' in a name for the same. */
static bool is_ceph(struct system *s, char *line)
{
	static const char *const keys[] = { "mon_host", "public_network", "cluster_network" };
	char *key = arena_dup(s->w->arena, line + strspn(line, " \t")), *equals = strchr(key, '=');

	if (!equals)
		return false;
	*equals = '\0';
	for (char *end = equals; end > key && strchr(" \t", end[-1]);)
		*--end = '\0';
	for (char *c = key; *c; c++)
		*c = *c == ' ' || *c == '-' ? '_' : *c;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(key, keys[i]) == 0) {
			want_hosts(s, equals + 1);
			return true;
		}
	return false;
}

/* The addresses of hosts that were named, and no others. */
static void put_hosts(struct system *s)
{
	char *at = read_lines(s, "etc/hosts"), *line, *words[MOUNT_WORDS];

	while ((line = next_line(&at)) != NULL) {
		const char *kept = NULL;
		size_t n;

		line[strcspn(line, "#")] = '\0';
		n = split(line, " \t", words, MOUNT_WORDS);
		for (size_t i = 1; i < n; i++)
			for (size_t k = 0; k < s->names.n; k++)
				if (strcasecmp(s->names.list[k], words[i]) == 0)
					kept = arena_fmt(s->w->arena, "%s %s", kept ? kept : words[0], words[i]);
		if (kept)
			keep(s, kept);
	}
	if (s->n)
		put_file(s, "etc/hosts");
}

static void put_network(struct system *s)
{
	/* Where the host itself is by its name. */
	if (host_read(s->w->h, "proc/sys/kernel/hostname", s->w->buf, sizeof(s->w->buf)) > 0)
		capture_remember(s->w, &s->names, s->w->buf);
	put_some(s, "proc/net/route", NULL);
	put_some(s, "proc/net/ipv6_route", is_way);
	put_ports(s);
	put_some(s, "proc/net/tcp", is_session);
	put_some(s, "proc/net/tcp6", is_session);
	put_some(s, "etc/pve/corosync.conf", is_ring);
	put_some(s, "etc/corosync/corosync.conf", is_ring);
	put_some(s, "etc/pve/ceph.conf", is_ceph);
	put_hosts(s);
}

/* --- guests ------------------------------------------------------------------------------------------------------ */

static bool says_id(const char *cmdline, size_t n, const char *vmid)
{
	const char *end = cmdline + n;

	for (const char *s = cmdline; s < end; s += strlen(s) + 1)
		if (strcmp(s, "-id") == 0 && s + 4 < end)
			return strcmp(s + 4, vmid) == 0;
	return false;
}

/* A VM that runs: its process, and of its command line what says that it is this one. */
static void put_vm(struct system *s, const char *vmid, bool *any)
{
	struct writer *w = s->w;
	const char *file = arena_fmt(w->arena, VMS "/%s.pid", vmid), *cmdline, *text;
	uint64_t pid;
	ssize_t n;

	if (host_read(w->h, file, w->buf, sizeof(w->buf)) < 0 || !str_decimal(w->buf, INT32_MAX, &pid))
		return;
	cmdline = arena_fmt(w->arena, "proc/%u/cmdline", (unsigned)pid);
	n = host_read_bytes(w->h, cmdline, s->big, READ_BYTES);
	if (n < 0 || !says_id(s->big, (size_t)n, vmid))
		return;
	fprintf(w->out, "%sV: %s=%u\n", *any ? "" : "\n", file, (unsigned)pid);
	*any = true;
	text = arena_fmt(w->arena, "kvm%c-id%c%s", '\0', '\0', vmid);
	capture_line(w, 'V', cmdline, text, strlen("kvm.-id.") + strlen(vmid));
}

static void put_vms(struct system *s)
{
	char **names;
	bool any = false;
	uint64_t vmid;
	size_t n;

	if (host_list(s->w->h, VMS, s->w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char *dot = strrchr(names[i], '.');

		if (!dot || strcmp(dot, ".pid") != 0)
			continue;
		*dot = '\0';
		if (str_decimal(names[i], UINT32_MAX, &vmid))
			put_vm(s, names[i], &any);
	}
}

/* What Proxmox has reserved for VMs, and the time, by which it is seen whether that still holds. */
static void put_reservations(struct system *s)
{
	struct writer *w = s->w;
	ssize_t n;

	put_some(s, RESERVATIONS, NULL);
	if (s->n == 0)
		return;
	n = host_read(w->h, "clock/now", w->buf, sizeof(w->buf));
	if (n < 0)
		return;
	fputc('\n', w->out);
	capture_line(w, 'V', "clock/now", w->buf, (size_t)n);
}

/* What a container has of the host's devices, and its hook. */
static bool is_device_line(const char *line)
{
	size_t n;

	if (str_starts(line, "lxc.mount.entry") || str_starts(line, "lxc.cgroup2.devices") || str_starts(line, "hookscript:"))
		return true;
	/* What is a network card's, and not its address. */
	if (str_starts(line, "lxc.net."))
		return strstr(line, ".type") || strstr(line, ".link");
	n = str_starts(line, "dev") ? strspn(line + strlen("dev"), "0123456789") : 0;
	return n && line[strlen("dev") + n] == ':';
}

static void put_containers(struct system *s)
{
	struct writer *w = s->w;
	char **names;
	size_t n;

	if (host_list(w->h, CONTAINERS, w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *name = arena_fmt(w->arena, CONTAINERS "/%s", names[i]);
		char *at, *line;

		if (strlen(name) >= HOST_NAME_BYTES - 1 || strchr(name, '\n'))
			continue;
		at = read_lines(s, name);
		while ((line = next_line(&at)) != NULL && *line != '[')
			if (is_device_line(line))
				keep(s, line);
		put_file(s, name);
	}
}

static void put_running_containers(struct writer *w)
{
	uint64_t ctid;
	char **names;
	size_t n;

	if (host_list(w->h, CONTAINERS_RUNNING, w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (str_decimal(names[i], UINT32_MAX, &ctid))
			capture_folder(w, arena_fmt(w->arena, CONTAINERS_RUNNING "/%s", names[i]) + strlen("sys"));
}

void capture_system(struct writer *w)
{
	static const char policy[] = "etc/handover/handover.conf";
	struct system *s = arena_alloc(w->arena, sizeof(*s));

	s->w = w;
	s->big = arena_alloc(w->arena, READ_BYTES);
	put_running_containers(w);
	put_pools(s);
	put_vms(s);
	put_reservations(s);
	put_mounts(s);
	put_some(s, "proc/swaps", NULL);
	put_boot(s);
	put_network(s);
	put_containers(s);
	/* The owner's rules for this host, whole or not at all. */
	if (read_lines(s, policy) && strlen(s->big) + strlen("| ") <= HOSTFILE_LINE_MAX)
		put_some(s, policy, NULL);
}
