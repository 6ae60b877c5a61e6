/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/trust.h"
#include "core/pveconf.h"
#include "core/store.h"

#define SUFFIX ".journal"
#define LAST ".last"
#define HOST_NAME "host"	/* in place of a VMID: the lease of the host itself */
#define LOCKS "lock"

static int refuse(const char *path, struct error *err)
{
	return error_set(err, -EPERM, "'%s' must be a folder that belongs to the user who runs handover and is closed to all "
				      "others; whoever made it otherwise may have put something into it", path);
}

static int open_private(int parent, const char *path, struct error *err)
{
	struct stat st;
	int fd;

	if (mkdirat(parent, path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, -errno, "cannot make '%s'", path);
	fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* A link answers ENOTDIR here, because of O_DIRECTORY. */
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? refuse(path, err) :
							    error_errno(err, -errno, "cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return fd;
	close(fd);
	return refuse(path, err);
}

int store_open(struct store *s, const char *path, struct error *err)
{
	int fd = open_private(AT_FDCWD, path, err);

	if (fd < 0)
		return fd;
	*s = (struct store){ .dir = fd, .memory = -1 };
	return 0;
}

void store_open_memory(struct store *s)
{
	*s = (struct store){ .dir = -1, .memory = -1 };
}

void store_close(struct store *s)
{
	if (s->dir >= 0)
		close(s->dir);
	if (s->memory >= 0)
		close(s->memory);
	store_open_memory(s);
}

static const char *name_with(unsigned vmid, const char *suffix, char name[32])
{
	if (vmid)
		snprintf(name, 32, "%u%s", vmid, suffix);
	else
		snprintf(name, 32, HOST_NAME "%s", suffix);
	return name;
}

const char *store_name(unsigned vmid, char name[32])
{
	return name_with(vmid, SUFFIX, name);
}

int store_create(struct store *s, unsigned vmid)
{
	char name[32];
	int fd;

	if (s->dir >= 0) {
		fd = openat(s->dir, store_name(vmid, name),
			    O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
		return fd < 0 ? -errno : fd;
	}
	if (s->memory >= 0)
		return -EEXIST;
	s->memory = memfd_create("journal", MFD_CLOEXEC);
	if (s->memory < 0)
		return -errno;
	fd = dup(s->memory);
	return fd < 0 ? -errno : fd;
}

static int open_own(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int code = fd < 0 ? -errno : own_file_check(fd);

	if (code == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	/* A link, a folder, a socket. */
	return code == -ELOOP || code == -EISDIR || code == -ENXIO ? -EPERM : code;
}

int store_append(struct store *s, unsigned vmid)
{
	char name[32];
	int fd;

	if (s->dir >= 0)
		return open_own(s->dir, store_name(vmid, name));
	if (s->memory < 0)
		return -ENOENT;
	fd = dup(s->memory);
	return fd < 0 ? -errno : fd;
}

int store_remove(struct store *s, unsigned vmid)
{
	char name[32];

	if (s->dir >= 0)
		return unlinkat(s->dir, store_name(vmid, name), 0) < 0 ? -errno : 0;
	if (s->memory >= 0)
		close(s->memory);
	s->memory = -1;
	return 0;
}

int store_put_last(struct store *s, unsigned vmid, const char *text)
{
	size_t n = strlen(text);
	char name[32];
	int fd, code;

	if (s->dir < 0)
		return 0;
	if (n >= STORE_LAST_BYTES)
		return -E2BIG;
	store_remove_last(s, vmid);
	fd = openat(s->dir, name_with(vmid, LAST, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	code = write(fd, text, n) == (ssize_t)n ? 0 : -EIO;
	close(fd);
	/* Half of it may say something else. */
	if (code < 0)
		store_remove_last(s, vmid);
	return code;
}

ssize_t store_get_last(struct store *s, unsigned vmid, char text[STORE_LAST_BYTES])
{
	char name[32];
	int fd = s->dir < 0 ? -ENOENT : open_own(s->dir, name_with(vmid, LAST, name));
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, STORE_LAST_BYTES - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n >= 0)
		text[n] = '\0';
	return n;
}

void store_remove_last(struct store *s, unsigned vmid)
{
	char name[32];

	if (s->dir >= 0)
		unlinkat(s->dir, name_with(vmid, LAST, name), 0);
}

static bool is_about(const char *name, const char *suffix, unsigned *vmid)
{
	size_t n = strlen(name), n_suffix = strlen(suffix);
	char digits[16];

	if (n <= n_suffix || n - n_suffix >= sizeof(digits) || strcmp(name + n - n_suffix, suffix) != 0)
		return false;
	memcpy(digits, name, n - n_suffix);
	digits[n - n_suffix] = '\0';
	*vmid = 0;
	return strcmp(digits, HOST_NAME) == 0 || vmid_parse(digits, vmid);
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* Of numbers in order those that are the same are one. */
static size_t once(unsigned *list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

int store_list(struct store *s, struct arena *a, unsigned **vmids, size_t *n, struct error *err)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned *list = NULL, vmid;
	struct dirent *e;
	size_t count = 0;

	if (!dir) {
		int code = -errno;

		if (fd >= 0)
			close(fd);
		return error_errno(err, code, "cannot list the journals");
	}
	while ((e = readdir(dir)) != NULL) {
		if (!is_about(e->d_name, SUFFIX, &vmid) && !is_about(e->d_name, LAST, &vmid))
			continue;
		list = arena_grow(a, list, count, sizeof(*list));
		list[count++] = vmid;
	}
	closedir(dir);
	if (count)
		qsort(list, count, sizeof(*list), by_number);
	*vmids = list;
	*n = once(list, count);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int store_lock(struct store *s, struct lockset *set, const char *const *names, size_t n, const char *purpose,
	       unsigned wait_ms, struct error *err)
{
	const char *sorted[LOCKS_MAX] = { NULL };
	int dir, code = 0;

	if (s->dir < 0)
		return 0;
	if (n > LOCKS_MAX)
		return error_set(err, -E2BIG, "more than %d locks are needed", LOCKS_MAX);
	dir = open_private(s->dir, LOCKS, err);
	if (dir < 0)
		return dir;
	/* Always in the same order, so that two that want the same locks cannot wait for each other. */
	for (size_t i = 0; i < n; i++)
		sorted[i] = names[i];
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 0; i < n && code == 0; i++)
		code = lockset_take(set, dir, sorted[i], purpose, &wait_ms, err);
	close(dir);
	return code;
}
