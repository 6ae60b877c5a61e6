/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LEND_H
#define HANDOVER_LEND_H

#include "core/engine.h"
#include "core/journal.h"
#include "core/plan.h"
#include "core/store.h"

/* How a run ended: the exit status of the program, the same everywhere. */
enum outcome {
	OUTCOME_DONE = 0,	/* done, or nothing to do */
	OUTCOME_FAILED = 1,	/* failed; the host is as it was */
	OUTCOME_REFUSED = 2,	/* usage, profile, or refused; the host was not touched */
	OUTCOME_CHANGED = 3,	/* the host is not as it was; the message says what */
	OUTCOME_BUSY = 4,	/* somebody else is at it; try again */
	OUTCOME_WARNINGS = 5,	/* doctor: there are warnings */
	OUTCOME_WILL_FAIL = 6,	/* doctor, register: it will fail */
};

/* The lease of the host itself: what `handover boot` has prepared. It is held until the next boot and never ends. */
#define HOST_VMID 0

/* What lending and taking back work with. */
struct lender {
	struct host *host;
	struct store *store;
	struct arena *arena;
	struct engine engine;	/* host, tell and arg are set by the caller or lender_init() */
	struct lockset locks;	/* released by whoever made the lender */
	const char *purpose;	/* "VM 100, pre-start": for those who wait for our locks */
	/*
	 * Called when a lease is written down and nothing has been changed yet; less than 0: nothing shall be, and err says
	 * why. NULL: nobody wants to know.
	 */
	int (*ready)(void *arg, const struct lease *lease, struct error *err);
	void *ready_arg;
	unsigned lock_ms;	/* how long they wait; lender_init(): LOCK_MS */
	unsigned rival;		/* filled in: the VM whose lease made lend_out() busy, 0: another reason */
	/*
	 * Filled in by what takes back: nothing is left to be given back, and to try again would do nothing. With
	 * OUTCOME_CHANGED: the network did not come back with its interface (engine.h, lost), and err says what of it.
	 */
	bool all_back;
};

void lender_init(struct lender *l, struct host *host, struct store *store, struct arena *a, const char *purpose);

/* Takes the VM's own lock; must be held before lend_out() or lend_back(). OUTCOME_DONE, OUTCOME_BUSY, or _FAILED. */
enum outcome lend_lock(struct lender *l, unsigned vmid, struct error *err);

/*
 * Lends: locks the functions, writes the lease down, does its steps. If one fails, all is taken back at once. Only
 * OUTCOME_DONE leaves a lease (held) behind; OUTCOME_CHANGED leaves it as it is, for recover, but with all_back. A network
 * that does not come back with an interface which leaves only for a moment is told and fails nothing. An empty plan is done
 * without a lease. OUTCOME_BUSY if somebody works on one of the devices, or another VM has it; OUTCOME_REFUSED if another
 * VM's journal is damaged, so that nobody knows what it was lent. On any other outcome than DONE, err says why.
 */
enum outcome lend_out(struct lender *l, unsigned vmid, const struct profile *profile, uint64_t profile_hash,
		      const struct plan *plan, struct error *err);

/*
 * The steps of post-start or pre-stop of the VM's lease, if it is held. OUTCOME_FAILED: one failed, and those behind it
 * were not begun; err says why. The lease stays.
 */
enum outcome lend_phase(struct lender *l, unsigned vmid, enum phase phase, struct error *err);

/*
 * These steps of the VM's lease go home while it runs: it has not got their devices (settle.h). Nothing is done if it has
 * another lease by now, or one that is not held. OUTCOME_CHANGED: not all is back, and post-stop tries again; or all_back.
 */
enum outcome lend_give(struct lender *l, unsigned vmid, const char *generation, const bool *which, struct error *err);

/* What other VMs have, as far as their journals can be read: for prepare_plan(). */
void lend_list(struct store *store, struct host *h, unsigned vmid, struct arena *a, struct lent **lent, size_t *n);

/* Whether it is the host's own, done to its end and in this boot: then it stays as it is. */
bool lease_is_prepared(struct host *h, const struct lease *lease);

/*
 * What of the host's own lease is no longer as boot has prepared it, as engine_differences() tells it; without what VMs
 * have at the moment, which comes back when they stop, and what the host's own programs set after boot, such as all that
 * is said of network interfaces. Returns how many lines there are, at most max.
 */
size_t lend_host_differences(struct store *store, struct host *h, const struct lease *lease, struct arena *a,
			     const char **lines, size_t max);

/*
 * Ends the VM's lease: what was held goes home, what was half-way goes back to where it came from; then the steps of
 * post-stop are done. OUTCOME_FAILED: all is back, but such a step failed. OUTCOME_CHANGED: not all is back, and the
 * lease stays; or all_back. No lease: OUTCOME_DONE. *ended says whether there was one. Safe to be called again, after
 * anything.
 */
enum outcome lend_back(struct lender *l, unsigned vmid, bool *ended, struct error *err);

/* A boot gives every device back to its driver, so a lease that outlived one speaks of another time and has ended. */
bool lease_is_of_this_boot(struct host *h, const struct lease *lease);

#endif
