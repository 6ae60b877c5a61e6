/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "core/mounts.h"
#include "host/child.h"
#include "host/worker.h"
#include "verb/register.h"

#define ANSWER_MS 5000		/* for the file system of a storage, which may be a network's */
#define NEW_NAME "." HOOK_NAME ".new"
#define FOLDER_MODE 0755

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define _cleanup_fd_ __attribute__((cleanup(close_fd)))

/* --- looking ----------------------------------------------------------------------------------------------------- */

static bool is_same_file(const struct stat *x, const char *path)
{
	struct stat y;

	return stat(path, &y) == 0 && x->st_dev == y.st_dev && x->st_ino == y.st_ino;
}

enum link_state link_look(const struct registry *g, const char *path, const char **target)
{
	char text[PATH_MAX];
	struct stat st;
	bool is_link;
	ssize_t n;

	if (target)
		*target = NULL;
	if (lstat(path, &st) < 0)
		return LINK_ABSENT;
	is_link = S_ISLNK(st.st_mode);
	n = is_link && target ? readlink(path, text, sizeof(text)) : -1;
	if (n >= 0)
		*target = arena_dupn(g->a, text, (size_t)n);
	if (stat(path, &st) < 0)
		return LINK_DANGLING;
	if (is_same_file(&st, g->program))
		return LINK_OURS;
	if (is_link)
		return LINK_ELSEWHERE;
	return S_ISREG(st.st_mode) ? LINK_FILE : LINK_OTHER;
}

struct link link_in(const struct registry *g, const struct storage *s)
{
	struct link l = {
		.storage = s,
		.volume = arena_fmt(g->a, "%s:snippets/" HOOK_NAME, s->id),
		.folder = storage_snippets(s, g->a),
	};

	l.path = arena_fmt(g->a, "%s/" HOOK_NAME, l.folder);
	return l;
}

static int stat_job(void *arg)
{
	struct stat st;

	if (stat(arg, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/*
 * As the mount table has it: without links on the way, and without '/' at its end. The last folder itself is not looked
 * at, for it may be one that does not answer.
 */
static const char *mount_name(const char *path, struct arena *a)
{
	char *text = arena_dup(a, path), real[PATH_MAX], *last;

	for (size_t n = strlen(text); n > 1 && text[n - 1] == '/';)
		text[--n] = '\0';
	last = strrchr(text, '/');
	*last++ = '\0';
	if (!realpath(*text ? text : "/", real))
		return path;
	return arena_fmt(a, "%s/%s", strcmp(real, "/") == 0 ? "" : real, last);
}

/* A folder below a mount point that nothing is mounted on would be hidden as soon as something is. */
static bool is_mounted(const struct registry *g, const struct storage *s, struct error *err)
{
	const char *point = s->mountpoint && *s->mountpoint ? s->mountpoint : s->path, *name;
	struct mounts m = { 0 };

	if (!s->mountpoint)
		return true;
	name = mount_name(point, g->a);
	if (mounts_read(g->host, g->a, &m, err) < 0)
		return false;
	for (size_t i = 0; i < m.n; i++)
		if (strcmp(m.list[i].point, name) == 0)
			return true;
	error_set(err, -ENOENT, "storage '%s' is not mounted: there is nothing at '%s'; `pvesm status --storage %s` "
		  "mounts it if it can be", s->id, point, s->id);
	return false;
}

bool link_answers(const struct registry *g, const struct storage *s, struct error *err)
{
	struct host_stuck stuck;
	int code;

	if (!is_mounted(g, s, err))
		return false;
	code = worker_run(stat_job, (void *)s->path, ANSWER_MS, &stuck);
	if (code == -ETIMEDOUT)
		error_set(err, code, "storage '%s' does not answer: '%s' could not be looked at within %d s", s->id,
			  s->path, ANSWER_MS / 1000);
	else if (code < 0)
		error_set(err, code, "storage '%s' is not there: '%s': %s", s->id, s->path, strerrordesc_np(-code));
	return code == 0;
}

const char *link_path(const struct registry *g, const char *volume, struct error *err)
{
	const char *path = storage_hookscript(&g->storages, volume, g->a);
	const struct storage *s = storage_find(&g->storages, arena_dupn(g->a, volume, strcspn(volume, ":")));

	if (!path || !s) {
		error_set(err, -ENOENT, "there is no storage that has it");
		return NULL;
	}
	return link_answers(g, s, err) ? path : NULL;
}

enum link_state link_of_volume(const struct registry *g, const char *volume)
{
	struct error ignored;
	const char *path = link_path(g, volume, &ignored);

	return path ? link_look(g, path, NULL) : LINK_UNKNOWN;
}

/* Guests whose hookscript it is already, by their numbers: they would call us too. */
static const char *users(const struct registry *g, const char *volume)
{
	const char *text = NULL;

	for (size_t i = 0; i < g->guests.n; i++)
		if (g->guests.list[i].text && guest_names_hookscript(&g->guests.list[i], volume, g->a))
			text = arena_fmt(g->a, "%s%s%u", text ? text : "", text ? ", " : "", g->guests.list[i].vmid);
	return text;
}

static const char *obstacle(const struct registry *g, const struct link *l)
{
	switch (l->state) {
	case LINK_ELSEWHERE:
		return arena_fmt(g->a, "a link to '%s'", l->target ? l->target : "?");
	case LINK_DANGLING:
		return arena_fmt(g->a, "a link to '%s', where nothing is", l->target ? l->target : "?");
	case LINK_FILE:
		return "a file";
	case LINK_OTHER:
		return "neither a file nor a link";
	case LINK_ABSENT:
	case LINK_OURS:
	case LINK_UNKNOWN:
		break;
	}
	return NULL;
}

/* What stands where the link belongs, if it may not be replaced. */
static bool is_free(const struct registry *g, const struct link *l, bool replace, struct error *err)
{
	const char *what = obstacle(g, l), *whose = what ? users(g, l->volume) : NULL;

	if (!what || (replace && l->state != LINK_OTHER))
		return true;
	if (l->state == LINK_OTHER)
		error_set(err, -EEXIST, "'%s' is %s; move it away", l->path, what);
	else
		error_set(err, -EEXIST, "'%s' is %s, and not handover at '%s'%s%s%s; --replace puts a link to handover "
			  "in its place", l->path, what, g->program, whose ? " (it is the hookscript of guest " : "",
			  whose ? whose : "", whose ? ")" : "");
	return false;
}

/* Whoever could write to our file, or to the way there, would be root at the next start of a guest. */
static bool is_trusted(const struct registry *g, struct error *err)
{
	const char *why = NULL;
	int fd = child_open(g->program, g->a, &why);

	if (fd >= 0) {
		close(fd);
		return true;
	}
	error_set(err, fd, "Proxmox would run handover as root from where others could change it: %s; install it, and "
		  "call it from there", why ? why : strerrordesc_np(-fd));
	return false;
}

bool link_check(struct registry *g, const struct link *l, bool replace, struct error *err)
{
	return is_trusted(g, err) && is_free(g, l, replace, err);
}

/* --- making ------------------------------------------------------------------------------------------------------ */

/* One folder further down, made if it is not there; *dir becomes it. */
static int enter(int *dir, const char *name)
{
	bool made = mkdirat(*dir, name, FOLDER_MODE) == 0;
	int next;

	if (!made && errno != EEXIST)
		return -errno;
	next = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (next < 0)
		return -errno;
	/* Whatever our umask is. */
	if (made)
		fchmod(next, FOLDER_MODE);
	close(*dir);
	*dir = next;
	return 0;
}

/* The folder's descriptor. The storage's own is there; what is below it may be several deep. */
static int open_folder(struct registry *g, const struct link *l, struct error *err)
{
	char *rest = arena_dup(g->a, l->folder + strlen(l->storage->path)), *name;
	int dir = open(l->storage->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code = dir < 0 ? -errno : 0;

	while (code == 0 && (name = strsep(&rest, "/")) != NULL)
		if (*name)
			code = enter(&dir, name);
	if (code == 0)
		return dir;
	if (dir >= 0)
		close(dir);
	return error_errno(err, code, "cannot make the folder '%s'", l->folder);
}

/* Another name for what is going to be replaced, so that it stays. A link is only its text, which is told. */
static int keep_file(struct registry *g, const struct link *l, int dir, struct error *err)
{
	const char *base = arena_fmt(g->a, HOOK_NAME ".%s", keep_date(g->a)), *name = base;
	struct stat st;

	if (fstatat(dir, HOOK_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, -errno, "cannot look at '%s'", l->path);
	for (int i = 1; linkat(dir, HOOK_NAME, dir, name, 0) < 0; i++) {
		/* A run that was killed behind this has given it the name already. */
		if (errno == EEXIST && is_same_file(&st, arena_fmt(g->a, "%s/%s", l->folder, name)))
			break;
		if (errno != EEXIST || i == KEEP_NAMES_MAX)
			return error_errno(err, -errno, "cannot keep '%s' as '%s'", l->path, name);
		name = arena_fmt(g->a, "%s.%d", base, i);
	}
	note_add(&g->notes, g->a, "the file that was '%s' is '%s/%s' now", l->path, l->folder, name);
	return 0;
}

/* In one step: at no moment is there nothing. */
static int replace_with(struct registry *g, const struct link *l, int dir, struct error *err)
{
	const char *whose = users(g, l->volume);
	int code = l->state == LINK_FILE ? keep_file(g, l, dir, err) : 0;

	if (code < 0)
		return code;
	if (l->target)
		note_add(&g->notes, g->a, "'%s' led to '%s' before", l->path, l->target);
	if (whose)
		note_add(&g->notes, g->a, "'%s' was the hookscript of guest %s already; that is handover now",
			 l->volume, whose);
	/* One that a killed run has left. */
	unlinkat(dir, NEW_NAME, 0);
	if (symlinkat(g->program, dir, NEW_NAME) < 0 || renameat(dir, NEW_NAME, dir, HOOK_NAME) < 0)
		return error_errno(err, -errno, "cannot put a link to '%s' in the place of '%s'", g->program, l->path);
	return 0;
}

int link_make(struct registry *g, struct link *l, struct error *err)
{
	_cleanup_fd_ int dir = -1;
	int code;

	if (l->state == LINK_OURS)
		return 0;
	dir = open_folder(g, l, err);
	if (dir < 0)
		return dir;
	if (l->state != LINK_ABSENT)
		code = replace_with(g, l, dir, err);
	else if (symlinkat(g->program, dir, HOOK_NAME) < 0)
		code = error_errno(err, -errno, "cannot make the link '%s' to '%s'", l->path, g->program);
	else
		code = 0;
	if (code < 0)
		return code;
	/* Before a guest's configuration names it. */
	fsync(dir);
	l->state = link_look(g, l->path, &l->target);
	l->made = true;
	return l->state == LINK_OURS ? 0 : error_set(err, -EIO, "the link '%s' was made, and does not lead to '%s'",
						     l->path, g->program);
}

/* --- taking away ------------------------------------------------------------------------------------------------- */

bool link_tidy(struct registry *g, const struct storage *s)
{
	struct link l = link_in(g, s);
	struct error ignored;

	if (!link_answers(g, s, &ignored))
		return false;
	l.state = link_look(g, l.path, &l.target);
	/* A file that is ours is a copy somebody has put there. */
	if (!l.target || (l.state != LINK_OURS && l.state != LINK_DANGLING) ||
	    strcmp(str_basename(l.target), HOOK_NAME) != 0)
		return false;
	for (size_t i = 0; i < g->guests.n; i++) {
		if (!guest_names_hookscript(&g->guests.list[i], l.volume, g->a))
			continue;
		note_add(&g->notes, g->a, "the link '%s' stays: '/%s' %s", l.path, g->guests.list[i].name,
			 g->guests.list[i].text ? "names it" : "cannot be read, and may name it");
		return false;
	}
	if (unlink(l.path) < 0)
		return false;
	note_add(&g->notes, g->a, "the link '%s' is gone: no guest names it any more", l.path);
	return true;
}
