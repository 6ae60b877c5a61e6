/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/str.h"
#include "base/trust.h"
#include "base/waits.h"

/* flock() has no timeout and an alarm would disturb the caller, so a lock is asked for this often. */
#define RETRY_MS 20
#define PURPOSE_MAX 128	/* the first line of a lock */
#define DOING_MAX 640	/* the second, if there is one */

static void read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/*
 * fdinfo has a line "lock:" only for the descriptor that holds one, not for those that wait for it. It ends with the
 * device, which is not what stat() says on btrfs, the inode and the range (fs/locks.c, lock_get_status()): a file of that
 * name may be another.
 */
static bool holds(const char *pid, const char *fd, const struct stat *lock)
{
	char path[300], line[1024], is[64];
	FILE *in;
	bool found = false;

	snprintf(is, sizeof(is), ":%lu ", (unsigned long)lock->st_ino);
	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, fd);
	in = fopen(path, "re");
	while (in && !found && fgets(line, sizeof(line), in))
		found = strncmp(line, "lock:", 5) == 0 && strstr(line, is);
	if (in)
		fclose(in);
	return found;
}

/* By the names of its descriptors: to stat() them could hang on somebody's dead file system. */
static bool holds_file(const char *pid, const char *file, const struct stat *lock)
{
	char path[300], target[300];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, file) == 0 && holds(pid, e->d_name, lock);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The process that holds the lock, other than this one: by looking, since the one that took it may be dead. */
static bool find_holder(int fd, char *pid, size_t size)
{
	char path[64], file[300];
	DIR *proc = opendir("/proc");
	struct dirent *e;
	struct stat lock;
	bool found = false;
	ssize_t n;

	if (fstat(fd, &lock) < 0)
		memset(&lock, 0, sizeof(lock));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, file, sizeof(file) - 1);
	file[n > 0 ? n : 0] = '\0';
	while (proc && !found && (e = readdir(proc)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' || atoi(e->d_name) == getpid() ||
		    !holds_file(e->d_name, file, &lock))
			continue;
		snprintf(pid, size, "%.15s", e->d_name);
		found = true;
	}
	if (proc)
		closedir(proc);
	return found;
}

/* What stands in the lock: for what it was taken, and what of that does not come back. */
struct note {
	char purpose[PURPOSE_MAX], doing[DOING_MAX];
};

static void read_note(int fd, struct note *note)
{
	char text[PURPOSE_MAX + DOING_MAX], *doing;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	doing = strchrnul(text, '\n');
	doing += *doing == '\n';
	snprintf(note->doing, sizeof(note->doing), "%.*s", (int)strcspn(doing, "\n"), doing);
	snprintf(note->purpose, sizeof(note->purpose), "%.*s", (int)strcspn(text, "\n"), text);
}

/* Its name, and where in the kernel it waits; how it came there says something only of one that is stuck. */
static void read_process(const char *pid, bool is_stuck, char comm[64], char waits[WAITS_BYTES])
{
	char path[64], wchan[64], stack[1024];

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	read_text(path, comm, 64);
	comm[strcspn(comm, "\n")] = '\0';
	str_harmless(comm);
	snprintf(path, sizeof(path), "/proc/%s/wchan", pid);
	read_text(path, wchan, sizeof(wchan));
	snprintf(path, sizeof(path), "/proc/%s/stack", pid);
	read_text(path, stack, sizeof(stack));
	waits_shown(wchan, is_stuck ? stack : "", waits);
}

static int busy(int fd, const char *name, struct error *err)
{
	char pid[16], comm[64], waits[WAITS_BYTES];
	struct note note;

	read_note(fd, &note);
	if (!find_holder(fd, pid, sizeof(pid)))
		return error_set(err, -EBUSY, "%s is in use by another run (%s); try again", name, note.purpose);
	read_process(pid, *note.doing, comm, waits);
	return error_set(err, -EBUSY, "%s is in use by process %s (%s, for %s)%s%s%s%s; try again when it has ended", name,
			 pid, comm, *note.purpose ? note.purpose : "an unknown purpose", *note.doing ? ": " : "", note.doing,
			 *waits ? ", which waits in the kernel in " : "", waits);
}

static void write_purpose(int fd, const char *purpose)
{
	char line[PURPOSE_MAX];
	int n = snprintf(line, sizeof(line), "%.100s\n", purpose);

	/* Only for people: a lock without it works as well. */
	if (ftruncate(fd, 0) == 0 && n > 0)
		(void)!pwrite(fd, line, (size_t)n, 0);
}

/*
 * The purpose is going to be written into it, so it must be no other file. Whoever finds a FIFO or a device here does
 * not wait for it.
 */
static int open_lock(int dir, const char *name, struct error *err)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	int code = fd < 0 ? -errno : own_file_check(fd);

	if (code == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	if (code == -EPERM || code == -ELOOP || code == -EISDIR || code == -ENXIO)
		return error_set(err, -EPERM,
				 "the lock of %s is not a file of handover's own: it is a link or special file, or has a "
				 "second name or another owner; look what it is, then remove it", name);
	return error_errno(err, code, "cannot open the lock of %s", name);
}

int lockset_take(struct lockset *set, int dir, const char *name, const char *purpose, unsigned *wait_ms,
		 struct error *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	int fd;

	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->held[i].name, name) == 0)
			return 0;
	if (strlen(name) >= LOCK_NAME_MAX)
		return error_set(err, -ENAMETOOLONG, "'%s' is too long for a lock's name", name);
	if (set->n == LOCKS_MAX)
		return error_set(err, -E2BIG, "more than %d locks are needed", LOCKS_MAX);
	fd = open_lock(dir, name, err);
	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int code = -errno;

		if (code == -EWOULDBLOCK && *wait_ms >= RETRY_MS) {
			nanosleep(&pause, NULL);
			*wait_ms -= RETRY_MS;
			continue;
		}
		code = code == -EWOULDBLOCK ? busy(fd, name, err) : error_errno(err, code, "cannot lock %s", name);
		close(fd);
		return code;
	}
	write_purpose(fd, purpose);
	strcpy(set->held[set->n].name, name);
	set->held[set->n++].fd = fd;
	return 0;
}

void lockset_tell(const struct lockset *set, const char *doing)
{
	struct note note;
	char text[sizeof(note) + 2];

	for (size_t i = 0; i < set->n; i++) {
		int n;

		read_note(set->held[i].fd, &note);
		n = snprintf(text, sizeof(text), "%s\n%.*s\n", note.purpose, DOING_MAX - 1, doing);
		/* As with a purpose, the lock is as good without it. */
		if (n > 0)
			(void)!pwrite(set->held[i].fd, text, (size_t)n, 0);
	}
}

void lockset_release(struct lockset *set)
{
	while (set->n)
		close(set->held[--set->n].fd);
}
