/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"
#include "host/host.h"
#include "host/live_holder.h"
#include "host/reader.h"

#define DELETED " (deleted)"		/* fs/d_path.c */
#define PATH_BYTES (HOST_NAME_BYTES + 1)	/* "/" and a name of the seam */

/* What is looked for, and what is done with a process that has it. */
struct search {
	int root;
	pid_t ours;
	const char *path;	/* "/dev/sda", or the folder "/dev/snd/" */
	bool in_folder;		/* all that is in it is looked for, and what is in a folder there */
	/* name: in the folder, "snd/timer", else "". False: the process needs no further look. */
	bool (*found)(void *data, const char *pid, const char *name);
	void *data;
	bool is_refused;	/* some process could not be looked at */
};

/* --- looking ----------------------------------------------------------------------------------------------------- */

static DIR *open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

static ssize_t read_process(int root, const char *pid, const char *file, char *buf, size_t size)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), "proc/%.20s/%.20s", pid, file);
	return read_file(root, name, buf, size);
}

/* Fields 1 to 4 of proc(5)'s stat: pid, the name in brackets, which may hold some itself, state, parent. */
static bool is_ours(const struct search *s, const char *pid)
{
	char text[1024], *end;

	if (strtol(pid, NULL, 10) == s->ours)
		return true;
	if (read_process(s->root, pid, "stat", text, sizeof(text)) < 0)
		return false;
	end = strrchr(text, ')');
	return end && strlen(end) > strlen(") S ") && strtol(end + strlen(") S "), NULL, 10) == s->ours;
}

/* Whether the target's name is that of a node no more; it is cut to what it was. */
static bool cut_deleted(char *target)
{
	size_t n = strlen(target), deleted = strlen(DELETED);
	bool is_deleted = n > deleted && strcmp(target + n - deleted, DELETED) == 0;

	if (is_deleted)
		target[n - deleted] = '\0';
	return is_deleted;
}

/* The target's name in the folder that is looked for, "" if a node is; NULL: it is not what is looked for. */
static const char *match(const struct search *s, const char *target)
{
	const char *name;

	/* drivers/watchdog/watchdog_dev.c, watchdog_cdev_register(): the first has a second node, which daemons use. */
	if (strcmp(target, "/dev/watchdog") == 0)
		target = "/dev/watchdog0";
	if (!str_starts(target, s->path))
		return NULL;
	name = target + strlen(s->path);
	return s->in_folder == (*name != '\0') ? name : NULL;
}

/*
 * Anybody can have a file of that name, in a mount namespace of his own; and a container, whose /dev is another one, the
 * node itself. So the device's number counts. A name that the kernel has taken from /dev was that of another device, which
 * may have had the same number; taken from any other folder it says nothing.
 */
static bool is_node_of_host(const struct search *s, int fds, const char *fd, const char *target, bool is_deleted)
{
	struct statx is;
	struct stat node;

	if (fstatat(s->root, target + 1, &node, AT_SYMLINK_NOFOLLOW) < 0 || (!S_ISCHR(node.st_mode) && !S_ISBLK(node.st_mode)) ||
	    statx(fds, fd, AT_STATX_DONT_SYNC, STATX_TYPE, &is) < 0)
		return false;
	return (is.stx_mode & S_IFMT) == (node.st_mode & S_IFMT) &&
	       makedev(is.stx_rdev_major, is.stx_rdev_minor) == node.st_rdev &&
	       !(is_deleted && makedev(is.stx_dev_major, is.stx_dev_minor) == node.st_dev);
}

/* The first part of a name that has more: no link is followed, for in /dev/shm anybody makes them. */
static bool is_folder_of_host(const struct search *s, const char *name)
{
	char path[2 * PATH_BYTES];
	struct stat st;

	snprintf(path, sizeof(path), "%s%.*s", s->path + 1, (int)strcspn(name, "/"), name);
	return fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void look_at(struct search *s, const char *pid)
{
	char name[HOST_NAME_BYTES], target[PATH_BYTES + sizeof(DELETED)];
	bool is_known = false, is_deleted;
	struct dirent *e;
	DIR *dir;

	snprintf(name, sizeof(name), "proc/%.20s/fd", pid);
	dir = open_folder(s->root, name);
	if (!dir) {
		s->is_refused |= errno == EACCES || errno == EPERM;
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
		const char *found;

		if (n < 0)
			continue;
		target[n] = '\0';
		is_deleted = cut_deleted(target);
		found = match(s, target);
		if (!found || !(strchr(found, '/') ? is_folder_of_host(s, found) :
						     is_node_of_host(s, dirfd(dir), e->d_name, target, is_deleted)))
			continue;
		if (!is_known && is_ours(s, pid))
			break;
		is_known = true;
		if (!s->found(s->data, pid, found))
			break;
	}
	closedir(dir);
}

static int look_at_all(struct search *s)
{
	DIR *proc = open_folder(s->root, "proc");
	struct dirent *e;
	uint64_t pid;

	if (!proc)
		return -errno;
	while ((e = readdir(proc)) != NULL)
		if (str_decimal(e->d_name, INT32_MAX, &pid))
			look_at(s, e->d_name);
	closedir(proc);
	return 0;
}

/* Below dev/, and such as the kernel and udev's rules name nodes. */
static bool is_node(const char *rest)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+@,=!";

	if (!str_starts(rest, "dev/") || strlen(rest) >= HOST_NAME_BYTES)
		return false;
	for (const char *s = rest;; s++) {
		size_t n = strspn(s, plain);

		if (n == 0 || *s == '.')
			return false;
		s += n;
		if (*s != '/')
			return *s == '\0';
	}
}

/* --- who has it open --------------------------------------------------------------------------------------------- */

/* A part of a control group's path that systemd has made for what runs in it. */
static bool is_unit(const char *part)
{
	size_t n = strlen(part);

	return (n > 6 && strcmp(part + n - 6, ".scope") == 0) || (n > 8 && strcmp(part + n - 8, ".service") == 0);
}

/* A word in a line: what would end it, or is for a terminal, is replaced. */
static void make_word(char *s)
{
	str_harmless(s);
	for (; *s; s++)
		if (*s == ' ')
			*s = '_';
}

void live_holder_unit(const char *cgroup, char unit[HOLDER_UNIT_BYTES])
{
	char path[HOST_VALUE_BYTES] = "", *at = path, *part, *last = NULL, *before = NULL, *named = NULL;
	uint64_t ctid;

	/* The line of version 2: Documentation/admin-guide/cgroup-v2.rst, "0::$PATH". */
	for (const char *line = cgroup; *line && !*path; line = strchrnul(line, '\n'), line += *line == '\n')
		if (str_starts(line, "0::/"))
			snprintf(path, sizeof(path), "%.*s", (int)strcspn(line + 4, "\n"), line + 4);
	strcpy(unit, "-");
	while ((part = strsep(&at, "/")) != NULL) {
		if (!*part)
			continue;
		before = last;
		last = part;
		/* What runs in a container has units of its own, which say nothing to the host. */
		if (str_same(before, "lxc") && before == path && str_decimal(part, UINT32_MAX, &ctid))
			break;
		/* Nor what a user's own systemd has, which is a unit of the host's itself: user@.service. */
		if (!named || !str_starts(named, "user@"))
			named = is_unit(part) ? part : named;
	}
	if (last && !part && named)
		snprintf(unit, HOLDER_UNIT_BYTES, "%s", named);
	else if (last)
		snprintf(unit, HOLDER_UNIT_BYTES, "%s%s%s", before ? before : "", before ? "/" : "", last);
	make_word(unit);
}

struct lines {
	int root;
	char *buf;
	size_t size, n;
	bool is_full;
};

static bool add_line(void *data, const char *pid, const char *name)
{
	char text[HOST_VALUE_BYTES], unit[HOLDER_UNIT_BYTES], command[128];
	struct lines *l = data;
	ssize_t n;
	int len;

	(void)name;
	live_holder_unit(read_process(l->root, pid, "cgroup", text, sizeof(text)) < 0 ? "" : text, unit);
	n = read_process(l->root, pid, "comm", command, sizeof(command));
	if (n > 0 && command[n - 1] == '\n')
		command[--n] = '\0';
	if (n <= 0)
		strcpy(command, "-");
	make_word(command);
	len = snprintf(text, sizeof(text), "%s%s %s %s", l->n ? "\n" : "", pid, unit, command);
	if (l->is_full || (size_t)len >= l->size - l->n) {
		l->is_full = true;
		return false;
	}
	memcpy(l->buf + l->n, text, (size_t)len + 1);
	l->n += (size_t)len;
	return false;
}

ssize_t live_holder_read(int root, pid_t ours, const char *rest, char *buf, size_t size)
{
	struct lines lines = { .root = root, .buf = buf, .size = size };
	char path[PATH_BYTES];
	struct search s = { .root = root, .ours = ours, .path = path, .found = add_line, .data = &lines };
	int code;

	if (!is_node(rest))
		return -ENOENT;
	snprintf(path, sizeof(path), "/%s", rest);
	code = look_at_all(&s);
	if (code < 0)
		return code;
	if (lines.n)
		return (ssize_t)lines.n;
	return lines.is_full ? -E2BIG : s.is_refused ? -EACCES : -ENOENT;
}

ssize_t live_holder_cut(const char *text, size_t n, char *buf, size_t size)
{
	size_t fit = n;

	while (fit >= size) {
		const char *newline = memrchr(text, '\n', fit);

		if (!newline)
			return -E2BIG;
		fit = (size_t)(newline - text);
	}
	memcpy(buf, text, fit);
	buf[fit] = '\0';
	return (ssize_t)fit;
}

/* --- what is open in a folder ------------------------------------------------------------------------------------ */

struct names {
	struct arena *arena;
	char **list;
	size_t n;
};

static bool add_name(void *data, const char *pid, const char *name)
{
	struct names *names = data;
	char *part = arena_dupn(names->arena, name, strcspn(name, "/"));

	(void)pid;
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], part) == 0)
			return true;
	names->list = arena_grow(names->arena, names->list, names->n, sizeof(*names->list));
	names->list[names->n++] = part;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int live_holder_list(int root, pid_t ours, const char *rest, struct arena *a, char ***names, size_t *n)
{
	struct names found = { .arena = a };
	char path[PATH_BYTES + 1];
	struct search s = { .root = root, .ours = ours, .path = path, .in_folder = true, .found = add_name, .data = &found };
	int code;

	if (strcmp(rest, "dev") != 0 && !is_node(rest))
		return -ENOENT;
	snprintf(path, sizeof(path), "/%s/", rest);
	code = look_at_all(&s);
	if (code < 0)
		return code;
	if (!found.n)
		return s.is_refused ? -EACCES : -ENOENT;
	qsort(found.list, found.n, sizeof(*found.list), by_name);
	*names = found.list;
	*n = found.n;
	return 0;
}
