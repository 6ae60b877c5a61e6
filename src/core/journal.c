/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/journal_text.h"

/* Whose lease it is, for a person. */
static const char *owner(unsigned vmid, char text[32])
{
	if (vmid)
		snprintf(text, 32, "VM %u", vmid);
	else
		snprintf(text, 32, "the host");
	return text;
}

/* Out of the program and onto the file before the act it announces; on tmpfs the flush costs nothing. */
static int put(const struct journal *j, const char *text, size_t n, struct error *err)
{
	off_t before = lseek(j->fd, 0, SEEK_END);
	ssize_t done = write(j->fd, text, n);
	char who[32];
	int code;

	if (done == (ssize_t)n && fdatasync(j->fd) == 0)
		return 0;
	code = done >= 0 && (size_t)done < n ? -ENOSPC : -errno;
	/* What follows must not be glued to half a line. */
	if (done > 0 && ftruncate(j->fd, before) < 0)
		code = -errno;
	return error_errno(err, code, "cannot write the journal of %s", owner(j->vmid, who));
}

static int put_line(const struct journal *j, const char *line, struct error *err)
{
	return put(j, line, strlen(line), err);
}

int journal_begin(struct journal *j, struct store *store, const struct lease *lease, struct arena *a,
		  struct error *err)
{
	struct journal begun = { .store = store, .vmid = lease->vmid };
	const char *text = journal_write_text(lease, a);
	char who[32];
	int code;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (strlen(text) > JOURNAL_BYTES_MAX / 2)
		return error_set(err, -E2BIG, "the lease is too long to be written down");
	begun.fd = store_create(store, lease->vmid);
	if (begun.fd < 0)
		return error_errno(err, begun.fd, "cannot make a journal for %s", owner(lease->vmid, who));
	code = put_line(&begun, text, err);
	if (code < 0) {
		journal_close(&begun);
		store_remove(store, lease->vmid);
		return code;
	}
	*j = begun;
	return 0;
}

int journal_mark(struct journal *j, struct lease *lease, size_t step, enum mark mark, struct error *err)
{
	char line[32];
	int code;

	/* A way back may be gone again after it failed; the file says so already. */
	if (lease->marks[step] == mark)
		return 0;
	snprintf(line, sizeof(line), "%s\t%zu\n", journal_mark_word(mark), step);
	code = put_line(j, line, err);
	if (code == 0)
		lease->marks[step] = mark;
	return code;
}

int journal_was(struct journal *j, struct lease *lease, size_t step, size_t look, const char *text, struct error *err)
{
	char line[WAS_LINE_BYTES];
	int code;

	if (strlen(text) >= STEP_LIFE_BYTES || strpbrk(text, "\t\n\\"))
		return error_set(err, -EINVAL, "'%s' reads '%.60s', which is no such number", lease->steps[step].look[look],
				 text);
	journal_was_line(line, step, look, text);
	code = put_line(j, line, err);
	if (code == 0)
		step_was(&lease->steps[step], look, text);
	return code;
}

int journal_doubt(struct journal *j, size_t step, const struct doubt *doubt, struct error *err)
{
	char line[DOUBT_LINE_BYTES];

	journal_doubt_line(line, step, doubt);
	return put_line(j, line, err);
}

int journal_hold(struct journal *j, struct lease *lease, struct error *err)
{
	int code = put_line(j, "held\n", err);

	if (code == 0)
		lease->held = true;
	return code;
}

int journal_stuck(struct journal *j, struct lease *lease, struct error *err)
{
	int code = lease->stuck ? 0 : put_line(j, "stuck\n", err);

	if (code == 0)
		lease->stuck = true;
	return code;
}

/* One byte more than allowed is read, so that the parser sees it is too long. What is written meanwhile is left. */
static char *slurp(int fd, struct arena *a, size_t *n)
{
	size_t room;
	struct stat st;
	char *text;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return NULL;
	room = st.st_size > JOURNAL_BYTES_MAX ? JOURNAL_BYTES_MAX + 1 : (size_t)st.st_size;
	text = arena_alloc(a, room + 1);
	for (*n = 0; *n < room; *n += (size_t)got) {
		got = pread(fd, text + *n, room - *n, (off_t)*n);
		if (got < 0)
			return NULL;
		if (got == 0)
			break;
	}
	return text;
}

/* The next mark must not be glued to a line that was torn. */
static int cut(int fd, size_t good)
{
	return ftruncate(fd, (off_t)good) < 0 || lseek(fd, (off_t)good, SEEK_SET) < 0 ? -errno : 0;
}

static int read_lease(int fd, unsigned vmid, struct arena *a, struct lease *lease, size_t *good, struct error *err)
{
	char file[64], who[32];
	const char *text;
	size_t n;
	int code;

	snprintf(file, sizeof(file), STORE_PATH "/%s", store_name(vmid, who));
	text = slurp(fd, a, &n);
	if (!text)
		return error_errno(err, -errno, "cannot read '%s'", file);
	code = journal_parse(text, n, file, a, lease, good, err);
	if (code == 0 && lease->vmid != vmid)
		code = error_set(err, -EBADMSG, "%s: damaged: it is %s's; nothing was touched", file, owner(lease->vmid, who));
	return code;
}

static int refuse_open(unsigned vmid, int code, struct error *err)
{
	char text[32];

	if (code == -EPERM)
		return error_set(err, code,
				 "'" STORE_PATH "/%s' is not a file of handover's own: it is a link or special file, or "
				 "has a second name or another owner; look what it is, then remove it",
				 store_name(vmid, text));
	return error_errno(err, code, "cannot open the journal of %s", owner(vmid, text));
}

int journal_load(struct journal *j, struct store *store, unsigned vmid, struct arena *a, struct lease *lease,
		 struct error *err)
{
	struct journal loaded = { .store = store, .vmid = vmid };
	size_t good = 0;
	char who[32];
	int code;

	loaded.fd = store_append(store, vmid);
	if (loaded.fd < 0)
		return refuse_open(vmid, loaded.fd, err);
	code = read_lease(loaded.fd, vmid, a, lease, &good, err);
	if (code == 0 && (code = cut(loaded.fd, good)) < 0)
		error_errno(err, code, "cannot cut the torn end off the journal of %s", owner(vmid, who));
	if (code == 0) {
		*j = loaded;
		return 0;
	}
	journal_close(&loaded);
	if (code != -ENODATA)
		return code;
	store_remove(store, vmid);
	return error_set(err, -ENOENT, "%s has no lease", owner(vmid, who));
}

int journal_peek(struct store *store, unsigned vmid, struct arena *a, struct lease *lease, struct error *err)
{
	int fd = store_append(store, vmid), code;
	char who[32];
	size_t good;

	if (fd < 0)
		return refuse_open(vmid, fd, err);
	code = read_lease(fd, vmid, a, lease, &good, err);
	close(fd);
	return code == -ENODATA ? error_set(err, -ENOENT, "%s has no lease", owner(vmid, who)) : code;
}

int journal_end(struct journal *j, struct error *err)
{
	int code = store_remove(j->store, j->vmid);
	char who[32];

	journal_close(j);
	return code < 0 ? error_errno(err, code, "cannot remove the journal of %s", owner(j->vmid, who)) : 0;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

const char *lease_state(const struct lease *lease)
{
	if (lease->stuck)
		return "stuck";
	for (size_t i = 0; i < lease->n; i++)
		if (lease->marks[i] == MARK_UNDO || lease->marks[i] == MARK_UNDID)
			return "returning";
	return lease->held ? "held" : "running";
}
