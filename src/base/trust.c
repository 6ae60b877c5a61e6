/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"

/* Without O_DIRECTORY, so that a link or a file in a folder's place is opened too, and can be told from the folder. */
#define LOOK_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)
#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define MODE_BITS 07777

const struct trust trust_host = { .root = "/", .owner = 0 };

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define _cleanup_fd_ __attribute__((cleanup(close_fd)))

static int refuse(struct distrust *why, int code, const char *what, const char *remedy)
{
	*why = (struct distrust){ code, what, remedy };
	return code;
}

static int fail(struct distrust *why, struct arena *a, int code, const char *shown)
{
	return refuse(why, code, arena_fmt(a, "'%s': %s", shown, strerrordesc_np(-code)), NULL);
}

/* What is wrong with it, in one line. */
static const char *mode_text(const struct trust *t, const struct stat *st, const char *shown, struct arena *a)
{
	const char *owner = st->st_uid ? arena_fmt(a, "user %u", st->st_uid) : "root", *writer = "its group";

	if (st->st_uid != t->owner)
		writer = "that user";
	else if (st->st_mode & S_IWOTH)
		writer = "anybody";
	return arena_fmt(a, "'%s' belongs to %s and has mode %04o, so %s could have written what is read here", shown,
			 owner, st->st_mode & MODE_BITS, writer);
}

/* Whether it is the owner's, and only his to write. */
static int check_owner(const struct trust *t, const struct stat *st, const char *shown, struct arena *a,
		       struct distrust *why)
{
	bool foreign = st->st_uid != t->owner, open = st->st_mode & (S_IWGRP | S_IWOTH);
	const char *chown = "", *chmod = "";

	if (!foreign && !open)
		return 0;
	if (foreign)
		chown = arena_fmt(a, "chown %s: %s", t->owner ? arena_fmt(a, "%u", t->owner) : "root", shown);
	if (open)
		chmod = arena_fmt(a, "chmod go-w %s", shown);
	return refuse(why, -EPERM, mode_text(t, st, shown, a),
		      arena_fmt(a, "after a look at what is in it: %s%s%s", chown, foreign && open ? "; " : "", chmod));
}

static int check_folder(const struct trust *t, int fd, const char *shown, struct arena *a, struct distrust *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(why, a, -errno, shown);
	if (S_ISLNK(st.st_mode))
		return refuse(why, -EPERM, arena_fmt(a, "'%s' is a symbolic link, and no link is followed here", shown),
			      "put the folder itself there");
	if (!S_ISDIR(st.st_mode))
		return fail(why, a, -ENOTDIR, shown);
	return check_owner(t, &st, shown, a, why);
}

static int check_kind(const struct stat *st, const char *shown, struct arena *a, struct distrust *why)
{
	if (S_ISREG(st->st_mode))
		return 0;
	if (S_ISLNK(st->st_mode))
		return refuse(why, -ELOOP, arena_fmt(a, "'%s' is a symbolic link", shown), "put the file itself there");
	if (S_ISDIR(st->st_mode))
		return refuse(why, -EISDIR, arena_fmt(a, "'%s' is a folder", shown), "put a file there");
	return refuse(why, -ENXIO, arena_fmt(a, "'%s' is not a regular file", shown), "put a file there");
}

static int check_file(const struct trust *t, int fd, const char *shown, struct arena *a, struct distrust *why)
{
	struct stat st;
	int code;

	if (fstat(fd, &st) < 0)
		return fail(why, a, -errno, shown);
	code = check_kind(&st, shown, a, why);
	if (code == 0)
		code = check_owner(t, &st, shown, a, why);
	if (code < 0 || st.st_nlink == 1)
		return code;
	return refuse(why, -EPERM, arena_fmt(a, "'%s' has %lu names, and where the others are nobody can say", shown,
					     (unsigned long)st.st_nlink),
		      arena_fmt(a, "give it one of its own: cp %s %s.new; mv %s.new %s", shown, shown, shown, shown));
}

/*
 * The look comes first because to open a device can do something: a watchdog starts to count. The check of what was
 * opened is the one that counts.
 */
static int open_file(const struct trust *t, int dir, const char *name, const char *shown, struct arena *a,
		     struct distrust *why)
{
	_cleanup_fd_ int look = openat(dir, name, LOOK_FLAGS);
	int code = look < 0 ? fail(why, a, -errno, shown) : check_file(t, look, shown, a, why), fd;

	if (code < 0)
		return code;
	fd = openat(dir, name, READ_FLAGS);
	if (fd < 0)
		return fail(why, a, -errno, shown);
	code = check_file(t, fd, shown, a, why);
	if (code == 0)
		return fd;
	close(fd);
	return code;
}

/* The next name of a path, which is cut there. NULL: there is no more. */
static char *next_name(char **rest)
{
	char *name;

	do
		name = strsep(rest, "/");
	while (name && !*name);
	return name;
}

/* Whether each name on the way leads down. */
static bool leads_down(const char *path, struct arena *a)
{
	char *rest = arena_dup(a, path), *name = next_name(&rest);
	bool down = *path == '/' && name;

	for (; name; name = next_name(&rest))
		down = down && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
	return down;
}

/* *dir becomes the folder of that name in it. */
static int enter(const struct trust *t, int *dir, const char *name, const char *shown, struct arena *a,
		 struct distrust *why)
{
	int next = openat(*dir, name, LOOK_FLAGS);

	if (next < 0)
		return fail(why, a, -errno, shown);
	close(*dir);
	*dir = next;
	return check_folder(t, next, shown, a, why);
}

int trust_open(const struct trust *t, const char *path, struct arena *a, struct distrust *why)
{
	_cleanup_fd_ int dir = open(t->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *shown = strcmp(t->root, "/") == 0 ? "" : t->root;
	char *rest = arena_dup(a, path), *name = next_name(&rest), *next;
	int code = dir < 0 ? fail(why, a, -errno, t->root) : check_folder(t, dir, t->root, a, why);

	if (code == 0 && !leads_down(path, a))
		return refuse(why, -EPERM, arena_fmt(a, "'%s' is no path from the top downwards", path),
			      "give the full path, without '.' and '..'");
	while (code == 0 && (next = next_name(&rest)) != NULL) {
		shown = arena_fmt(a, "%s/%s", shown, name);
		code = enter(t, &dir, name, shown, a, why);
		name = next;
	}
	return code < 0 ? code : open_file(t, dir, name, arena_fmt(a, "%s/%s", shown, name), a, why);
}

int plain_open(const char *path, struct arena *a, struct distrust *why)
{
	int fd = open(path, READ_FLAGS), code;
	struct stat st;

	if (fd < 0)
		return fail(why, a, -errno, path);
	code = fstat(fd, &st) < 0 ? fail(why, a, -errno, path) : check_kind(&st, path, a, why);
	if (code == 0)
		return fd;
	close(fd);
	return code;
}

int own_file_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) && st.st_nlink == 0)
		return -ENOENT;
	return S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == geteuid() ? 0 : -EPERM;
}

ssize_t read_whole(int fd, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, buf + n, size - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && n < size);
	return got < 0 ? -errno : (ssize_t)n;
}
