/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_CRASH_BREAK_H
#define HANDOVER_TESTS_CRASH_BREAK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store.h"
#include "host/sim.h"

/*
 * Everything that can go wrong in a run is tried from within it: before each write on the host and to the journal a child
 * is forked for each way in which that write can fail. The child's goes wrong, the parent's goes on; so what comes before a
 * break is done once for all of them.
 */
struct breaks {
	unsigned depth;		/* breaks that this process has had; 0: nothing has gone wrong here */
	bool in_journal;	/* the last of them was in the journal's file */
	char text[128];		/* which: "write 3 hangs, write 1 dies before" */
};
extern struct breaks breaks;

/* Shared by all processes. */
struct break_counts {
	unsigned long singles, pairs, possible;	/* breaks that were tried; and those that there are */
	unsigned dirty;
};
extern struct break_counts *counts;

bool breaks_init(void);

/*
 * What this host, and the journal if journal is set, are asked to do from now on is broken. Of breaks of a second kind only
 * a sample is taken: each with this chance of a million.
 */
#define CHANCE_ALL 1000000
void breaks_begin(struct host *h, struct store *store, bool journal, unsigned chance, void (*die)(void *arg));
void breaks_end(void);

/* A child has seen what came of its break, and ends; the process in which nothing went wrong waits for the last ones. */
void breaks_exit(void) __attribute__((noreturn));
void breaks_wait(void);

/* How a long write to the journal is cut: at every so many bytes. */
extern unsigned breaks_stride;

/* What a test needs to go on at all: else the process ends, and that counts as dirty. */
void must(bool so, const char *what);

#endif
