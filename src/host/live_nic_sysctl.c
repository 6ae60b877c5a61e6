/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of an interface below proc/sys/net, as far as they are not those of "default", which a new one gets. In a
 * network namespace other than the first there is no "default" of neigh (net/core/neighbour.c, neigh_sysctl_register()):
 * nothing of these is said there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/live_nic_parts.h"
#include "host/sysctls.h"

#define NUMBER_BYTES 64

/* The folder of an interface, or of "default". */
static int open_folder(int root, const char *folder, const char *interface)
{
	char name[HOST_NAME_BYTES];
	int fd;

	if (snprintf(name, sizeof(name), "proc/sys/net/%s/%s", folder, interface) >= (int)sizeof(name))
		return -ENOENT;
	fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * A file of such a folder, without the newline. -ENOENT: it is not there, or does not say (ipv6's stable_secret). There are
 * hundreds, read while the network is away: not with read_file(), which reads each to its end. The first read of one gives
 * all of it (kernel/sysctl.c, proc_dointvec()).
 */
static ssize_t get(int folder, const char *file, char *buf, size_t size)
{
	int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == EACCES ? -ENOENT : -errno;
	n = read(fd, buf, size - 1);
	n = n < 0 ? -errno : n;
	close(fd);
	if (n < 0)
		return n == -EIO ? -ENOENT : n;
	if ((size_t)n == size - 1)
		return -E2BIG;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return n;
}

/* ipv6's mtu follows the interface's, unless it was set below it; what is as large as that is as usual. */
static bool is_usual(const struct nic *nic, const char *file, const char *text, const char *usual)
{
	char mtu[16];

	snprintf(mtu, sizeof(mtu), "%u", (unsigned)nic->link.mtu);
	return strcmp(text, usual) == 0 || (strcmp(file, "mtu") == 0 && strcmp(text, mtu) == 0);
}

/* An interface's folder and that of the usual values. */
struct folders {
	const char *name;
	int own, usual;
};

static int add_file(const struct nic *nic, const struct folders *f, const char *file, struct sysctls *all)
{
	char text[NUMBER_BYTES], usual[NUMBER_BYTES];
	ssize_t n;

	/* The same as the files ending in _ms, in another unit. */
	if (strcmp(file, "retrans_time") == 0 || strcmp(file, "base_reachable_time") == 0)
		return 0;
	n = get(f->own, file, text, sizeof(text));
	if (n >= 0)
		n = get(f->usual, file, usual, sizeof(usual));
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	return is_usual(nic, file, text, usual) ? 0 : sysctls_add(all, f->name, file, text);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_file(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int add_files(const struct nic *nic, const struct folders *f, struct sysctls *all)
{
	struct dirent **list;
	int code = 0, n = scandirat(f->own, ".", &list, is_file, by_name);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (code == 0)
			code = add_file(nic, f, list[i]->d_name, all);
		free(list[i]);
	}
	free(list);
	return code;
}

/* Without IPv6, and where these are not to be seen, there are none. */
static int add_folder(const struct nic *nic, const char *name, struct sysctls *all)
{
	struct folders f = { name, open_folder(nic->root, name, nic->link.name), -ENOENT };
	int code;

	if (f.own < 0)
		return f.own == -ENOENT ? 0 : f.own;
	f.usual = open_folder(nic->root, name, "default");
	code = f.usual >= 0 ? add_files(nic, &f, all) : f.usual == -ENOENT ? 0 : f.usual;
	if (f.usual >= 0)
		close(f.usual);
	close(f.own);
	return code;
}

static int get_all(const struct nic *nic, struct sysctls *all)
{
	int code = 0;

	all->n = 0;
	for (size_t i = 0; i < SYSCTL_FOLDERS && code == 0; i++)
		code = add_folder(nic, sysctl_folders[i], all);
	return code;
}

static ssize_t read_sysctls(struct nic *nic, char *buf, size_t size)
{
	struct sysctls all;
	ssize_t n = get_all(nic, &all);

	if (n == 0)
		n = sysctls_format(&all, buf, size);
	return n == 0 ? -ENOENT : n;
}

static ssize_t get_usual(const struct nic *nic, const struct sysctl *s, char text[NUMBER_BYTES])
{
	int folder = open_folder(nic->root, s->folder, "default");
	ssize_t n = folder < 0 ? folder : get(folder, s->file, text, NUMBER_BYTES);

	if (folder >= 0)
		close(folder);
	return n;
}

static int set(const struct nic *nic, const struct sysctl *s, const char *text)
{
	char name[HOST_NAME_BYTES];
	ssize_t n;
	int fd;

	if (snprintf(name, sizeof(name), "proc/sys/net/%s/%s/%s", s->folder, nic->link.name, s->file) >= (int)sizeof(name))
		return -ENOENT;
	fd = openat(nic->root, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

/* What is no longer to be another gets the usual. */
static int write_sysctls(struct nic *nic, const char *value)
{
	struct sysctls wanted, there = { .n = 0 };
	char usual[NUMBER_BYTES];
	int code = sysctls_parse(value, &wanted);

	if (code == 0)
		code = get_all(nic, &there);
	if (code < 0)
		return code;
	for (size_t i = 0; i < there.n && code == 0; i++)
		if (!sysctls_find(&wanted, &there.list[i]) && get_usual(nic, &there.list[i], usual) >= 0)
			code = set(nic, &there.list[i], usual);
	for (size_t i = 0; i < wanted.n && code == 0; i++) {
		const struct sysctl *has = sysctls_find(&there, &wanted.list[i]);

		if (!has || strcmp(has->text, wanted.list[i].text) != 0)
			code = set(nic, &wanted.list[i], wanted.list[i].text);
	}
	return code;
}

const struct nic_part nic_sysctl_parts[1] = { { "sysctls", read_sysctls, write_sysctls } };
