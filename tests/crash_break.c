/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "crash_break.h"

#define DESCRIPTORS 32		/* among the first of them are the journal's */
#define MARK_BYTES 64		/* a line of the journal is shorter, and is cut at every byte; the lease is longer */

struct breaks breaks;
struct break_counts *counts;
unsigned breaks_stride = 1;

/* What is broken now. */
static struct {
	bool open, journal;
	struct host *host;
	struct store *store;
	void (*die)(void *arg);
	unsigned chance, write, line;
	int sync;	/* this child's next flush fails with it */
} now;

static unsigned children, jobs;

bool breaks_init(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	jobs = n > 0 ? (unsigned)n : 1;
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return counts != MAP_FAILED;
}

void must(bool so, const char *what)
{
	if (so)
		return;
	fprintf(stderr, "dirty: %s: %s\n", breaks.text, what);
	fflush(NULL);
	_exit(1);
}

static void reap(unsigned at_most)
{
	int status;

	while (children > at_most) {
		must(wait(&status) > 0, "a child is gone");
		children--;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			__atomic_fetch_add(&counts->dirty, 1, __ATOMIC_RELAXED);
	}
}

void breaks_wait(void)
{
	reap(0);
}

void breaks_exit(void)
{
	reap(0);
	fflush(NULL);
	_exit(0);
}

ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

/* -1: there is none. */
static int copy_journal(const struct store *s)
{
	int copy = s->memory < 0 ? -1 : memfd_create("journal", 0);
	char buf[65536];
	off_t at = 0;
	ssize_t n;

	while (copy >= 0 && (n = pread(s->memory, buf, sizeof(buf), at)) > 0) {
		must(__real_write(copy, buf, (size_t)n) == n, "the journal cannot be copied");
		at += n;
	}
	return copy;
}

/* A child has a journal of its own, under all descriptors that are open to it. */
static void own_journal(const struct store *s, int copy)
{
	struct stat journal, st;

	if (copy < 0)
		return;
	must(fstat(s->memory, &journal) == 0, "the journal is gone");
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		if (fd != copy && fstat(fd, &st) == 0 && st.st_ino == journal.st_ino && st.st_dev == journal.st_dev)
			must(dup2(copy, fd) == fd, "the journal cannot be copied");
	close(copy);
}

/* splitmix64 of the break's own name: the same sample each time. */
static bool is_chosen(const char *text)
{
	uint64_t z = str_hash(STR_HASH_START, text, strlen(text));

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % CHANCE_ALL < now.chance;
}

/* True in the child, where this goes wrong. */
static bool branch(bool in_journal, unsigned n, const char *how)
{
	char text[sizeof(breaks.text)];
	pid_t pid;
	int copy;

	snprintf(text, sizeof(text), "%.60s%s%s %u %s", breaks.text, breaks.depth ? ", " : "", in_journal ? "line" : "write", n,
		 how);
	__atomic_fetch_add(&counts->possible, 1, __ATOMIC_RELAXED);
	if (!is_chosen(text))
		return false;
	__atomic_fetch_add(breaks.depth ? &counts->pairs : &counts->singles, 1, __ATOMIC_RELAXED);
	/* Those of the second kind are waited for at once: the first have brothers. */
	reap(breaks.depth ? 0 : jobs - 1);
	fflush(NULL);
	/* Before the fork: the parent goes on to write to its own. */
	copy = copy_journal(now.store);
	pid = fork();
	must(pid >= 0, "it cannot be forked");
	if (pid) {
		if (copy >= 0)
			close(copy);
		children++;
		return false;
	}
	children = 0;
	now.open = false;
	breaks.depth++;
	breaks.in_journal = in_journal;
	strcpy(breaks.text, text);
	own_journal(now.store, copy);
	return true;
}

static void before_write(void *arg, const char *name, const char *value)
{
	static const char *const how[SIM_FAULTS] = { "fails before", "fails after", "dies before", "dies after", "hangs" };

	(void)arg, (void)name, (void)value;
	now.write++;
	for (int fault = 0; now.open && fault < SIM_FAULTS; fault++)
		if (branch(false, now.write, how[fault]))
			sim_break(now.host, 1, (enum sim_fault)fault, -EIO, now.die, NULL);
}

void breaks_begin(struct host *h, struct store *store, bool journal, unsigned chance, void (*die)(void *arg))
{
	now.open = true;
	now.journal = journal;
	now.host = h;
	now.store = store;
	now.chance = chance;
	now.die = die;
	now.write = now.line = 0;
	sim_watch(h, before_write, NULL);
}

void breaks_end(void)
{
	now.open = false;
	sim_watch(now.host, NULL, NULL);
}

/* --- the journal ------------------------------------------------------------------------------------------------- */

static bool is_journal(int fd)
{
	struct stat st;

	return now.open && now.journal && fd > STDERR_FILENO && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Killed when so many bytes of it were written. */
static void cut(int fd, const void *buf, size_t n)
{
	for (size_t at = 0; now.open && at < n; at += n > MARK_BYTES ? breaks_stride : 1) {
		char how[32];

		snprintf(how, sizeof(how), "is cut at %zu", at);
		if (!branch(true, now.line, how))
			continue;
		(void)!__real_write(fd, buf, at);
		now.die(NULL);
	}
}

ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	if (!is_journal(fd))
		return __real_write(fd, buf, n);
	now.line++;
	cut(fd, buf, n);
	/* A full disk takes half of it first, or nothing. */
	if (now.open && n > 1 && branch(true, now.line, "is written in part"))
		return __real_write(fd, buf, n / 2);
	for (int code = ENOSPC; now.open && code; code = code == ENOSPC ? EIO : 0)
		if (branch(true, now.line, code == ENOSPC ? "has no space" : "is not written")) {
			errno = code;
			return -1;
		}
	return __real_write(fd, buf, n);
}

int __wrap_fdatasync(int fd)
{
	if (is_journal(fd) && branch(true, now.line, "is not flushed")) {
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}
