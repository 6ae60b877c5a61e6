/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/trust.h"
#include "verb/register.h"

#define VOLUME_BYTES_MAX 4096

const char *keep_date(struct arena *a)
{
	time_t now = time(NULL);
	char date[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	return arena_dup(a, date);
}

enum outcome keep_open(struct registry *g, const char *purpose, struct error *err)
{
	static const char *const lock = REGISTER_LOCK;
	int code = store_open(&g->keep, KEEP_PATH, err);

	if (code < 0)
		return OUTCOME_FAILED;
	code = store_lock(&g->keep, &g->locks, &lock, 1, purpose, LOCK_MS, err);
	if (code < 0)
		return code == -EBUSY ? OUTCOME_BUSY : OUTCOME_FAILED;
	return OUTCOME_DONE;
}

/* Under that name there is all of it, or nothing: what a run that was killed has left is written anew. */
static int write_whole(int dir, const char *name, const char *text)
{
	size_t n = strlen(text);
	int fd, code = 0;

	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (ssize_t wrote; code == 0 && n; text += wrote, n -= (size_t)wrote) {
		wrote = write(fd, text, n);
		if (wrote < 0) {
			code = -errno;
			break;
		}
	}
	if (code == 0 && fsync(fd) < 0)
		code = -errno;
	close(fd);
	return code;
}

/* A name that no other has yet, of what is complete. */
static int name_it(const struct registry *g, const char *from, const char *base, const char **name)
{
	int dir = g->keep.dir;

	for (int i = 0; i < KEEP_NAMES_MAX; i++) {
		*name = i ? arena_fmt(g->a, "%s.%d", base, i) : base;
		if (renameat2(dir, from, dir, *name, RENAME_NOREPLACE) == 0)
			return fsync(dir) < 0 ? -errno : 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

const char *keep_conf(struct registry *g, unsigned vmid, const char *text, struct error *err)
{
	const char *draft = arena_fmt(g->a, "%u.conf.new", vmid), *name = NULL;
	int code = write_whole(g->keep.dir, draft, text);
	if (code == 0)
		code = name_it(g, draft, arena_fmt(g->a, "%u.conf.%s", vmid, keep_date(g->a)), &name);
	if (code == 0)
		return arena_fmt(g->a, KEEP_PATH "/%s", name);
	error_errno(err, code, "cannot keep its configuration in '" KEEP_PATH "', so it was not changed");
	return NULL;
}

int keep_hookscript(struct registry *g, unsigned vmid, const char *volume, struct error *err)
{
	const char *name = arena_fmt(g->a, "%u.hookscript", vmid), *draft = arena_fmt(g->a, "%s.new", name);
	int dir = g->keep.dir, code;

	if (!volume) {
		code = unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
		return code < 0 ? error_errno(err, code, "cannot remove '" KEEP_PATH "/%s'", name) : 0;
	}
	code = write_whole(dir, draft, arena_fmt(g->a, "%s\n", volume));
	if (code == 0 && renameat(dir, draft, dir, name) < 0)
		code = -errno;
	if (code < 0)
		return error_errno(err, code, "cannot keep its hookscript in '" KEEP_PATH "', so it was not replaced");
	return 0;
}

const char *keep_find_hookscript(struct registry *g, unsigned vmid)
{
	char *text = arena_alloc(g->a, VOLUME_BYTES_MAX + 1);
	const char *name = arena_fmt(g->a, "%u.hookscript", vmid);
	int fd = openat(g->keep.dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 || own_file_check(fd) < 0 ? -1 : read_whole(fd, text, VOLUME_BYTES_MAX);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
	return *text ? text : NULL;
}
