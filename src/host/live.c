/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/live.h"
#include "host/live_command.h"
#include "host/live_holder.h"
#include "host/live_module.h"
#include "host/live_nic.h"
#include "host/live_unit.h"
#include "host/reader.h"
#include "host/worker.h"

/* Events can be lost when the socket's buffer is full; nobody waits longer than this without looking again. */
#define WAIT_SLICE_MS 200
#define WAIT_BLIND_MS 20

struct live {
	struct host host;
	int root;		/* "/" */
	int uevents;		/* kernel's uevents, -1 until the first write */
	struct reader reader;	/* for what may block */
	struct worker worker;	/* for writes */
	struct kmod_ctx *kmod;	/* made when first asked for */
	struct command *commands;	/* that were run */
};

static struct live *live_of(struct host *h)
{
	return (struct live *)h;
}

static struct kmod_ctx *kmod_of(struct live *l)
{
	if (!l->kmod)
		l->kmod = live_module_open();
	return l->kmod;
}

/* Whether name belongs to this provider; *rest is then what stands behind its prefix. */
static bool belongs(const char *name, const char *prefix, const char **rest)
{
	*rest = name + strlen(prefix);
	return str_starts(name, prefix);
}

/* These take a lock to be read that another may hold for ever, or wait for a device's reset to end; see reader.h. */
static bool may_block(const char *name)
{
	static const char *const folders[] = {
		"nic/", "label/", "udev/", "sys/class/vtconsole/", "sys/class/tty/console/", "sys/class/iscsi_connection/",
		"sys/kernel/iommu_groups/",
	};
	static const char *const files[] = {
		"driver_override", "sriov_numvfs", "config", "product", "manufacturer", "carrier", "mountinfo",
	};
	const char *file = str_basename(name);

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (str_starts(name, folders[i]))
			return true;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (strcmp(file, files[i]) == 0)
			return true;
	/* Of a process, not the kernel's own. */
	return str_starts(name, "proc/") && strcmp(file, "cmdline") == 0 && strcmp(name, "proc/cmdline") != 0;
}

/* An inode of sysfs is given out once: fs/kernfs/dir.c, __kernfs_new_node(), with a generation above its 32 bits. */
static ssize_t read_life(int root, const char *bdf, char *buf, size_t size)
{
	char name[HOST_NAME_BYTES];
	struct stat st;
	int n;

	snprintf(name, sizeof(name), "sys/bus/pci/devices/%.200s", bdf);
	if (fstatat(root, name, &st, 0) < 0)
		return -errno;
	n = snprintf(buf, size, "%llu", (unsigned long long)st.st_ino);
	return (size_t)n < size ? n : -E2BIG;
}

/* What does not fit is left out by whole lines. */
static ssize_t read_holders(struct live *l, const char *name, char *buf, size_t size)
{
	char all[READER_BYTES];
	ssize_t n = reader_read(&l->reader, l->root, name, all, sizeof(all));

	return n < 0 ? n : live_holder_cut(all, (size_t)n, buf, size);
}

/* Its file may be on a file system that hangs. */
static ssize_t read_command(struct live *l, const char *name, char *buf, size_t size)
{
	char none[1];
	ssize_t n = reader_read(&l->reader, l->root, name, none, sizeof(none));

	return n < 0 ? n : live_command_count(l->commands, name, buf, size);
}

/*
 * A file that people keep somewhere. Nothing else is opened: to open a FIFO lets its writer go on, to open a watchdog
 * starts it (drivers/watchdog/watchdog_dev.c, watchdog_open()).
 */
static ssize_t read_plain(int root, const char *name, char *buf, size_t size)
{
	char path[sizeof("proc/self/fd/") + 3 * sizeof(int)];
	int fd = openat(root, name, O_PATH | O_CLOEXEC);
	ssize_t n = -ENXIO;
	struct stat st;

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0)
		n = -errno;
	else if (S_ISREG(st.st_mode))
		n = read_file(AT_FDCWD, path, buf, size);
	else if (S_ISDIR(st.st_mode))
		n = -EISDIR;
	close(fd);
	return n;
}

/* What is no file of the kernel's, and none that Proxmox makes while it runs. */
static bool is_plain(const char *name)
{
	static const char *const folders[] = { "etc/", "var/", "root/", "home/", "opt/", "srv/", "usr/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (str_starts(name, folders[i]))
			return true;
	return false;
}

static ssize_t read_clock(char *buf, size_t size)
{
	int n = snprintf(buf, size, "%lld", (long long)time(NULL));

	return (size_t)n < size ? n : -E2BIG;
}

static ssize_t live_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct live *l = live_of(h);
	const char *rest;

	if (belongs(name, "module/", &rest))
		return kmod_of(l) ? live_module_state(l->kmod, rest, buf, size) : -ENOENT;
	if (belongs(name, "modalias/", &rest))
		return kmod_of(l) ? live_module_candidates(l->kmod, rest, buf, size) : -ENOENT;
	if (belongs(name, "unit/", &rest))
		return live_unit_read(rest, buf, size);
	if (belongs(name, "life/", &rest))
		return read_life(l->root, rest, buf, size);
	if (belongs(name, "holder/", &rest))
		return read_holders(l, name, buf, size);
	if (belongs(name, "clock/", &rest))
		return strcmp(rest, "now") == 0 ? read_clock(buf, size) : -ENOENT;
	if (belongs(name, "command/", &rest))
		return read_command(l, name, buf, size);
	if (belongs(name, "result/", &rest))
		return live_command_result(l->commands, name, buf, size);
	if (may_block(name))
		return reader_read(&l->reader, l->root, name, buf, size);
	return is_plain(name) ? read_plain(l->root, name, buf, size) : read_file(l->root, name, buf, size);
}

static void live_ahead(struct host *h, const char *const *names, size_t n)
{
	struct live *l = live_of(h);

	reader_ask_ahead(&l->reader, l->root, names, n);
}

static ssize_t live_link(struct host *h, const char *name, char *buf, size_t size)
{
	static const char *const providers[] = {
		"module/", "modalias/", "unit/", "nic/", "life/", "udev/", "holder/", "label/", "clock/", "command/",
		"result/",
	};
	ssize_t n;

	for (size_t i = 0; i < sizeof(providers) / sizeof(*providers); i++)
		if (str_starts(name, providers[i]))
			return -EINVAL;
	n = readlinkat(live_of(h)->root, name, buf, size);
	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -E2BIG;
	buf[n] = '\0';
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int live_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	const char *rest;
	char **list = NULL;
	struct dirent *e;
	size_t count = 0;
	DIR *dir;
	int fd;

	/* Commands cannot be listed, and a host may have a folder of that name. */
	if (strcmp(name, "command") == 0)
		return -ENOENT;
	if (belongs(name, "holder/", &rest))
		return live_holder_list(live_of(h)->root, getpid(), rest, a, names, n);
	fd = openat(live_of(h)->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		list = arena_grow(a, list, count, sizeof(*list));
		list[count++] = arena_dup(a, e->d_name);
	}
	closedir(dir);
	if (count)
		qsort(list, count, sizeof(*list), by_name);
	*names = list;
	*n = count;
	return 0;
}

static int write_file(int root, const char *name, const char *value)
{
	char line[HOST_VALUE_BYTES];
	int fd, code, len = snprintf(line, sizeof(line), "%s\n", value);
	ssize_t n;

	fd = openat(root, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	n = write(fd, line, (size_t)len);
	code = n < 0 ? -errno : n == len ? 0 : -EIO;
	close(fd);
	return code;
}

static int write_module(struct live *l, const char *module, const char *verb)
{
	bool unload = strcmp(verb, "unload") == 0;

	if (!unload && strcmp(verb, "load") != 0)
		return -EINVAL;
	if (!kmod_of(l))
		return -ENOENT;
	return unload ? live_module_unload(l->kmod, module) : live_module_load(l->kmod, module);
}

static int write_job(void *arg, const char *name, const char *value)
{
	struct live *l = arg;
	const char *rest;

	if (belongs(name, "module/", &rest))
		return write_module(l, rest, value);
	if (belongs(name, "unit/", &rest))
		return live_unit_write(rest, value);
	if (belongs(name, "nic/", &rest))
		return live_nic_write(l->root, rest, value);
	return write_file(l->root, name, value);
}

static int uevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int live_write(struct host *h, const char *name, const char *value, unsigned deadline_ms,
		      struct host_stuck *stuck)
{
	struct live *l = live_of(h);

	if (str_starts(name, "command/"))
		return live_command_write(&l->commands, name, value, deadline_ms, stuck);
	/* Only these may be changed: whatever else a step might name is a bug, or an attack. */
	if (!str_starts(name, "sys/") && !str_starts(name, "module/") && !str_starts(name, "unit/") &&
	    !str_starts(name, "nic/"))
		return -EPERM;
	/* Listen before acting, or the event that is waited for is missed. */
	if (l->uevents < 0)
		l->uevents = uevents_open();
	return worker_write(&l->worker, write_job, l, name, value, deadline_ms, stuck);
}

static void live_rest(struct host *h)
{
	worker_end(&live_of(h)->worker);
}

static int live_wait(struct host *h, unsigned ms)
{
	struct live *l = live_of(h);
	struct pollfd p = { .fd = l->uevents, .events = POLLIN };
	unsigned slice = l->uevents < 0 ? WAIT_BLIND_MS : WAIT_SLICE_MS;
	char event[8192];

	/* A negative descriptor makes poll() a plain sleep. */
	if (poll(&p, 1, (int)(ms < slice ? ms : slice)) > 0)
		while (recv(l->uevents, event, sizeof(event), 0) >= 0)
			;
	return 0;
}

static int64_t live_now(struct host *h)
{
	(void)h;
	return clock_ms(CLOCK_MONOTONIC);
}

static void live_close(struct host *h)
{
	struct live *l = live_of(h);

	live_module_close(l->kmod);
	live_command_close(l->commands);
	worker_end(&l->worker);
	reader_close(&l->reader);
	if (l->uevents >= 0)
		close(l->uevents);
	close(l->root);
	free(l);
}

static const struct host_ops live_ops = {
	.read = live_read,
	.ahead = live_ahead,
	.link = live_link,
	.list = live_list,
	.write = live_write,
	.rest = live_rest,
	.wait = live_wait,
	.now = live_now,
	.close = live_close,
};

int live_open(struct host **h, struct error *err)
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	l->host.ops = &live_ops;
	l->uevents = -1;
	l->reader.socket = -1;
	l->worker.socket = -1;
	l->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->root < 0) {
		int code = -errno;

		free(l);
		return error_errno(err, code, "cannot open '/'");
	}
	*h = &l->host;
	return 0;
}
