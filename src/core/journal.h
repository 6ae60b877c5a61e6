/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_JOURNAL_H
#define HANDOVER_JOURNAL_H

#include "core/plan.h"
#include "core/store.h"

/*
 * A lease: what one VM was lent, and how far that has come. The journal is the lease on disk: all its steps with
 * their ways back, written and flushed before the first of them is done, then a mark before and after each. Nothing
 * reads the profile again until the lease has ended.
 *
 * States, and what may happen in each:
 *
 *   absent   - no file
 *       journal_begin() writes it -> writing
 *   writing  - no line "ready": the writer was killed before it touched anything
 *       it is dropped: journal_load() removes it and answers absent
 *   running  - "ready", perhaps marks "do N", "did N": on the way out, or killed there
 *       journal_hold() -> held; or everything done is undone to where it came from (GOAL_FROM) -> absent
 *   held     - "held": the VM has what it asked for
 *       steps of post-start and pre-stop are done, with the same marks; everything is taken home (GOAL_HOME), then the
 *       steps of post-stop are done -> absent
 *   held, with marks "undo N", "undid N", then "given N" of the same steps: the VM has not got these devices after all,
 *       which have gone home while it runs. Nothing is done about such a step any more, and its devices are nobody's
 *   running or held, with marks "undo N", "undid N": on the way back, or killed there; the same way is gone on
 *   stuck    - "stuck": the way back ended at something that would not yield
 *       the same way is tried again, whenever somebody asks
 *   any of the last three, with "doubt N": a write of step N, which is being done or undone, had not come back when its
 *       time was over. Whether it takes effect nobody knows; its process holds the locks of its run as long as it lasts, so
 *       whoever gets these finds it ended, looks what it did, and goes the same way on. "did N" and "undid N" end it
 *
 * A mark is written before the act it announces, so what was begun is always known; what was finished is looked at on
 * the host. A last line without newline was never written. Any other damage is refused (-EBADMSG): then nobody
 * touches the host, because nobody knows.
 */
#define JOURNAL_VERSION 2	/* the one before is read too: a lease may be held while the program is replaced */
#define JOURNAL_BYTES_MAX (1024 * 1024)
#define GENERATION_BYTES 17	/* 16 hex digits, NUL */

enum mark { MARK_NONE, MARK_DO, MARK_DID, MARK_UNDO, MARK_UNDID, MARK_GIVEN };

/* A write that had not come back. */
struct doubt {
	int pid;		/* of its process; 0: there is none */
	const char *what;	/* "unbinding it from 'awkward'" */
	const char *at;		/* the file */
};

struct lease {
	unsigned vmid;			/* 0: the host's own, made at boot */
	const char *boot_id;
	const char *generation;		/* random: tells this lease from the VM's next */
	const char *profile;		/* file it was planned from */
	uint64_t profile_hash;		/* str_hash() of its bytes */
	struct step *steps;
	size_t n;
	enum mark *marks;		/* of each step */
	struct doubt *doubts;		/* of each step; of a lease that was read, else NULL */
	bool held, stuck;
};

struct journal {
	struct store *store;
	unsigned vmid;
	int fd;
};

/* Writes the lease, whole and flushed. -EEXIST: the VM has a journal already. */
int journal_begin(struct journal *j, struct store *store, const struct lease *lease, struct arena *a,
		  struct error *err);

/* A mark, flushed, in file and lease alike. */
int journal_mark(struct journal *j, struct lease *lease, size_t step, enum mark mark, struct error *err);
/* What a look read when its step, or its way back, was begun; before the mark that says so. */
int journal_was(struct journal *j, struct lease *lease, size_t step, size_t look, const char *text, struct error *err);

/* A write of the step has not come back. What it is and its file may be cut, and lose what a line cannot hold. */
int journal_doubt(struct journal *j, size_t step, const struct doubt *doubt, struct error *err);

int journal_hold(struct journal *j, struct lease *lease, struct error *err);
int journal_stuck(struct journal *j, struct lease *lease, struct error *err);

/*
 * Opens the VM's journal to go on with it; the caller holds the VM's lock. -ENOENT: the VM has no lease. -EBADMSG:
 * damaged; err says where. A torn last line is cut off the file, and a journal in which nothing was begun is removed.
 */
int journal_load(struct journal *j, struct store *store, unsigned vmid, struct arena *a, struct lease *lease,
		 struct error *err);

/* Only reads it, and needs no lock: the journal may be another's, who writes it at this moment. */
int journal_peek(struct store *store, unsigned vmid, struct arena *a, struct lease *lease, struct error *err);

/*
 * The same from text. *good is the length without a torn last line. -ENODATA: there is no "ready", so nothing was
 * begun. Actions are looked up by name; one that this program does not have is damage.
 */
int journal_parse(const char *text, size_t n, const char *file, struct arena *a, struct lease *lease, size_t *good,
		  struct error *err);

/* The lease has ended: the file goes. */
int journal_end(struct journal *j, struct error *err);

void journal_close(struct journal *j);

/* "running", "held", "returning", "stuck": the state for a person. */
const char *lease_state(const struct lease *lease);

#endif
