/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STEP_H
#define HANDOVER_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/phase.h"
#include "host/host.h"

/*
 * A step is data: what of a device is to change, what it reads before (from), while lent (to), and after the lease
 * (home). What to write is not stored: the action's next() finds it from what the host reads at that moment, which
 * is the same rule forwards, backwards, and after a crash anywhere in between.
 */
#define STEP_LOOKS_MAX 5
#define PLAN_STEPS_MAX 256

/* A value of a look. NULL text means the name does not exist: no driver, no device. */
struct value {
	bool any;		/* whatever it is, it is right */
	const char *text;
};

struct looks {
	struct value v[STEP_LOOKS_MAX];
};

struct step {
	const struct action *action;
	const char *device;		/* PCI address: undo of a device stops where it will not yield, others go on */
	enum phase phase;		/* in which the step is done; all steps are undone when the lease ends */
	size_t n_looks;
	const char *look[STEP_LOOKS_MAX];	/* names on the host, as host_read() takes them */
	struct looks from, to, home;
	const char *why;		/* "with 0000:02:00.0: same IOMMU group", or NULL */
	const char *id;			/* vendor:device:subvendor:subdevice when planned, NULL if no PCI function */
};

/*
 * Every wait is bounded (milliseconds). A phase that needs longer than PHASE_MS is given up and undone; going back has
 * the same time once more.
 */
#define WRITE_MS 10000
#define BIND_MS 30000
#define PHASE_MS 45000
#define LOCK_MS 5000

/* One write on the host, and what it changes. */
struct poke {
	char what[128];			/* for a person: "binding it to 'e1000'" */
	char at[HOST_NAME_BYTES];
	char put[HOST_VALUE_BYTES];
	size_t look;			/* index of the look that changes */
	struct value becomes;		/* what it will read */
	bool perhaps;			/* foretold only: it is left out if the host reads so already */
	unsigned deadline_ms;		/* for the write, and for what must then be seen */
};

#endif
