/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"

/* Without O_DIRECTORY, so that a link or a file in a folder's place is opened too, and can be told from the folder. */
#define LOOK_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)
#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define MODE_BITS 07777
#define LINKS_MAX 40	/* include/linux/namei.h, MAXSYMLINKS */

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

/*
 * How it becomes the owner's. Whoever has a file open for writing still writes to it when it is another's, so a file is
 * copied; a folder is asked anew at each change.
 */
static const char *own_text(const struct trust *t, const struct stat *st, const char *shown, struct arena *a)
{
	bool foreign = st->st_uid != t->owner, open = st->st_mode & (S_IWGRP | S_IWOTH);
	const char *name = S_ISDIR(st->st_mode) ? shown : arena_fmt(a, "%s.new", shown), *text = "";

	if (foreign)
		text = arena_fmt(a, "chown %s: %s", t->owner ? arena_fmt(a, "%u", t->owner) : "root", name);
	if (open)
		text = arena_fmt(a, "%s%schmod go-w %s", text, foreign ? "; " : "", name);
	if (S_ISDIR(st->st_mode))
		return arena_fmt(a, "after a look at what is in it: %s", text);
	return arena_fmt(a, "make a copy, because it may still be open to be written, and look at what is in that: cp %s %s; %s; "
			 "mv %s %s", shown, name, text, name, shown);
}

/* Whether it is the owner's, and only his to write. */
static int check_owner(const struct trust *t, const struct stat *st, const char *shown, struct arena *a,
		       struct distrust *why)
{
	if (st->st_uid == t->owner && !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return refuse(why, -EPERM, mode_text(t, st, shown, a), own_text(t, st, shown, a));
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

/* --- through links ----------------------------------------------------------------------------------------------- */

struct walk {
	const struct trust *t;
	struct arena *a;
	struct distrust *why;
	int dir;		/* where it stands, or -1 */
	const char *top, *shown;	/* the root's path and this folder's, for people; "" = "/" */
	unsigned links;
};

static int stand(struct walk *w, int dir, const char *shown)
{
	if (dir < 0)
		return fail(w->why, w->a, -errno, shown);
	close_fd(&w->dir);
	w->dir = dir;
	w->shown = shown;
	return check_folder(w->t, dir, *shown ? shown : "/", w->a, w->why);
}

static int begin(struct walk *w)
{
	return stand(w, open(w->t->root, O_PATH | O_DIRECTORY | O_CLOEXEC), w->top);
}

/* Above the root there is the root. */
static int climb(struct walk *w)
{
	if (strcmp(w->shown, w->top) == 0)
		return 0;
	return stand(w, openat(w->dir, "..", LOOK_FLAGS), arena_dupn(w->a, w->shown, (size_t)(strrchr(w->shown, '/') - w->shown)));
}

/* What is left of the way goes on behind what the link says. */
static int turn(struct walk *w, int link, const char *shown, char **rest)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));

	if (n < 0 || ++w->links > LINKS_MAX)
		return fail(w->why, w->a, n < 0 ? -errno : -ELOOP, shown);
	*rest = arena_fmt(w->a, "%.*s/%s", (int)n, target, *rest ? *rest : "");
	return *target == '/' ? begin(w) : 0;
}

/* One name further; *found becomes what is no folder and no link. */
static int advance(struct walk *w, const char *name, char **rest, int *found)
{
	const char *shown = arena_fmt(w->a, "%s/%s", w->shown, name);
	_cleanup_fd_ int look = openat(w->dir, name, LOOK_FLAGS);
	struct stat st;

	if (look < 0 || fstat(look, &st) < 0)
		return fail(w->why, w->a, -errno, shown);
	if (S_ISLNK(st.st_mode))
		return turn(w, look, shown, rest);
	if (S_ISDIR(st.st_mode))
		return stand(w, fcntl(look, F_DUPFD_CLOEXEC, 0), shown);
	if (*rest && (*rest)[strspn(*rest, "/")])
		return fail(w->why, w->a, -ENOTDIR, shown);
	*found = fcntl(look, F_DUPFD_CLOEXEC, 0);
	if (*found < 0)
		return fail(w->why, w->a, -errno, shown);
	return check_kind(&st, shown, w->a, w->why) ?: check_owner(w->t, &st, shown, w->a, w->why);
}

int trust_follow(const struct trust *t, const char *path, struct arena *a, struct distrust *why)
{
	const char *top = strcmp(t->root, "/") == 0 ? "" : t->root;
	struct walk w = { .t = t, .a = a, .why = why, .dir = -1, .top = top, .shown = top };
	char *rest = arena_dup(a, path), *name;
	int found = -1, code = begin(&w);

	while (code == 0 && found < 0 && (name = next_name(&rest)) != NULL) {
		if (strcmp(name, "..") == 0)
			code = climb(&w);
		else if (strcmp(name, ".") != 0)
			code = advance(&w, name, &rest, &found);
	}
	close_fd(&w.dir);
	if (code == 0 && found < 0)
		return refuse(why, -EISDIR, arena_fmt(a, "'%s' is a folder", path), "give the path of a file");
	if (code == 0)
		return found;
	close_fd(&found);
	return code;
}

/* --- others ------------------------------------------------------------------------------------------------------ */

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
