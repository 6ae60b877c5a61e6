/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ENGINE_H
#define HANDOVER_ENGINE_H

#include "core/journal.h"
#include "core/plan.h"
#include "host/host.h"

/* What the engine tells while it works; for whoever prints. */
enum event_kind {
	EVENT_REACHED,	/* the step is where it was to be; writes and ms say what it took */
	EVENT_GONE,	/* its device is no longer there, or another is in its place: nothing to give back */
	EVENT_FAILED,	/* text says why */
	EVENT_SAID,	/* a command that was run has said text, one line; of the rest only step is given */
};

struct event {
	enum event_kind kind;
	const struct step *step;
	size_t index, total;	/* from 0 */
	enum goal goal;
	unsigned writes;
	int64_t ms;
	const char *text;	/* EVENT_REACHED: what was hoped for and is missing, or NULL */
};

struct engine {
	struct host *host;
	void (*tell)(void *arg, const struct event *e);	/* NULL: nobody listens */
	void *arg;
	unsigned phase_ms;	/* what a phase may take; 0: PHASE_MS */
	/* filled in while it works: */
	int64_t end;			/* of the phase's time, on host_now()'s clock */
	bool back;			/* it is on the way back: no wait takes more than half of what is left */
	struct host_stuck stuck;	/* pid != 0: a write is still in the kernel, */
	char stuck_device[HOST_NAME_BYTES];	/* on this device, */
	char stuck_at[HOST_NAME_BYTES];	/* to this name, */
	char stuck_what[POKE_WHAT_BYTES];	/* to do this */
	size_t left;			/* steps that could not be taken back */
	unsigned writes;		/* of the step at hand */
	char missing[ERROR_MAX];	/* what it hoped for in vain, "" */
	char lost[ERROR_MAX];		/* what of that is the network's, since engine_back() or engine_give() began, "" */
};

/*
 * Does the steps of a lease that belong to a phase, in order, each with its marks; what is done already is left out.
 * Stops at the first that fails; what was begun stands in the lease's marks, for engine_back(). -ESTALE: a device is
 * not what the plan was made for. Memory is not asked for; the arena may be sealed.
 */
int engine_forward(struct engine *e, struct journal *j, struct lease *lease, enum phase phase, struct error *err);

/*
 * Takes back all steps that were begun, but for those of post-stop, last first, to where they came from (GOAL_FROM) or
 * shall go (GOAL_HOME). A step that fails stops the steps that change one of its functions, or find one anew that it shall
 * share an IOMMU group with; the others go on, and so do the other functions of the step itself. Returns 0 if all is back; else the first failure, and e->left counts the steps
 * that are not. A device that is gone is back. All may be back and the host yet not as it was: see e->lost.
 */
int engine_back(struct engine *e, struct journal *j, struct lease *lease, enum goal goal, struct error *err);

/*
 * Takes these steps home while the VM runs and keeps the others, so that the lease stays held: it has not got their
 * devices after all. If one fails, all is as after engine_back() that has failed.
 */
int engine_give(struct engine *e, struct journal *j, struct lease *lease, const bool *which, struct error *err);

/*
 * Does the steps of post-stop, once all is back. One that fails is taken back itself and does not stop the others; for
 * that there is the time of a phase once more.
 * Returns 0 or the first failure; e->left counts those that are neither done nor back. May be called again.
 */
int engine_after(struct engine *e, struct journal *j, struct lease *lease, struct error *err);

/*
 * What differs now from where the steps of a lease shall be at a goal: one line for each look, as
 * "0000:02:00.0 driver: nouveau, should be vfio-pci". A step of post-stop that is under way shall be where it came from;
 * the others of post-stop say nothing. Returns how many; tells at most max of them.
 */
size_t engine_differences(struct host *h, const struct lease *lease, enum goal goal, struct arena *a,
			  const char **lines, size_t max);

#endif
