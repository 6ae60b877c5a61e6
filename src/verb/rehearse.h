/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_REHEARSE_H
#define HANDOVER_REHEARSE_H

#include "verb/subject.h"

/* What a rehearsal has to tell; for the command of that name alone. */
#define LIVES 3
#define DIFFERENCES_MAX 20

/* One life of a VM: what was planned, and what the host looked like at its turns. The boot is one that has no end. */
struct life {
	struct subject subject;
	struct inventory before, during, after;
	enum outcome out, back;
	struct error error;
	const char *differences[DIFFERENCES_MAX];
	size_t n_differences;
};

struct rehearsal {
	struct run *run;
	bool idle;		/* there is nothing to rehearse */
	bool boots;		/* there is a host.yaml */
	struct life boot;
	size_t writes_again;	/* what the same boot steps wrote when they were run a second time */
	struct life lives[LIVES];
	size_t n;		/* 0: only the boot was asked for */
};

/* Devices before, after boot, during and after; then a line for each life and each network interface. */
void rehearsal_print(const struct rehearsal *x);
void rehearsal_print_json(const struct rehearsal *x);

/* The worst that happened. */
enum outcome rehearsal_outcome(const struct rehearsal *x);

#endif
