/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/lend.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"

void lender_init(struct lender *l, struct host *host, struct store *store, struct arena *a, const char *purpose)
{
	*l = (struct lender){ .host = host, .store = store, .arena = a, .purpose = purpose };
	l->engine.host = host;
}

static enum outcome lock_outcome(int code)
{
	return code == 0 ? OUTCOME_DONE : code == -EBUSY ? OUTCOME_BUSY : OUTCOME_FAILED;
}

enum outcome lend_lock(struct lender *l, unsigned vmid, struct error *err)
{
	const char *name = arena_fmt(l->arena, "vm-%u", vmid);

	return lock_outcome(store_lock(l->store, &l->locks, &name, 1, l->purpose, LOCK_MS, err));
}

static enum outcome lock_devices(struct lender *l, const struct step *steps, size_t n, struct error *err)
{
	const char **names = arena_array(l->arena, n, sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = steps[i].device;
	return lock_outcome(store_lock(l->store, &l->locks, names, n, l->purpose, LOCK_MS, err));
}

static const char *boot_id(struct lender *l)
{
	char text[64];

	return host_read(l->host, BOOT_ID, text, sizeof(text)) > 0 ? arena_dup(l->arena, text) : "";
}

bool lease_is_of_this_boot(struct host *h, const struct lease *lease)
{
	char text[64];

	/* Where either is unknown the lease is rather believed than forgotten. */
	return *lease->boot_id == '\0' || host_read(h, BOOT_ID, text, sizeof(text)) <= 0 ||
	       strcmp(text, lease->boot_id) == 0;
}

static struct lease new_lease(struct lender *l, unsigned vmid, const struct profile *profile, uint64_t hash,
			      const struct plan *plan)
{
	uint64_t random = 0;

	/* GRND_INSECURE never waits: the number only has to differ from the VM's last one. */
	(void)!getrandom(&random, sizeof(random), GRND_INSECURE);
	return (struct lease){
		.vmid = vmid,
		.boot_id = boot_id(l),
		.generation = arena_fmt(l->arena, "%016" PRIx64, random),
		.profile = profile->file,
		.profile_hash = hash,
		.steps = plan->steps,
		.n = plan->n,
		.marks = arena_array(l->arena, plan->n, sizeof(enum mark)),
	};
}

/* What was begun goes back; the journal goes with it, or stays and says so. */
static enum outcome take_back(struct lender *l, struct journal *j, struct lease *lease, enum goal goal,
			      struct error *err)
{
	struct error ignored;
	int code;

	arena_seal(l->arena, true);
	code = engine_back(&l->engine, j, lease, goal, err);
	if (code < 0)
		journal_stuck(j, lease, &ignored);
	arena_seal(l->arena, false);
	if (code == 0)
		code = journal_end(j, err);
	else
		journal_close(j);
	return code == 0 ? OUTCOME_DONE : OUTCOME_CHANGED;
}

static int check_lease(const struct lease *lease, const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < lease->n; i++)
		for (size_t k = 0; k < plan->n; k++)
			if (strcmp(lease->steps[i].device, plan->steps[k].device) == 0)
				return error_set(err, -EBUSY, "%s is lent to VM %u (%s); stop that VM, or run `handover "
						 "recover %u` if it does not run", plan->steps[k].device, lease->vmid,
						 lease_state(lease), lease->vmid);
	return 0;
}

/* -EBUSY: a device of the plan stands in the lease of another VM; -EBADMSG: another VM's journal is damaged. */
static int check_others(struct lender *l, unsigned vmid, const struct plan *plan, struct error *err)
{
	unsigned *vmids;
	size_t n;
	int code;

	if (l->store->dir < 0 || plan->n == 0)
		return 0;
	code = store_list(l->store, l->arena, &vmids, &n, err);
	for (size_t i = 0; i < n && code == 0; i++) {
		struct lease lease;

		if (vmids[i] == vmid)
			continue;
		code = journal_peek(l->store, vmids[i], l->arena, &lease, err);
		if (code == 0 && lease_is_of_this_boot(l->host, &lease))
			code = check_lease(&lease, plan, err);
		else if (code == -ENOENT)
			code = 0;
	}
	return code;
}

enum outcome lend_out(struct lender *l, unsigned vmid, const struct profile *profile, uint64_t profile_hash,
		      const struct plan *plan, struct error *err)
{
	struct lease lease = new_lease(l, vmid, profile, profile_hash, plan);
	struct error back = { 0 };
	struct journal j;
	enum outcome o;
	int code;

	if (plan->n == 0)
		return OUTCOME_DONE;
	o = lock_devices(l, plan->steps, plan->n, err);
	if (o != OUTCOME_DONE)
		return o;
	/* Under the locks, or two that want the same device could both see that nobody has it. */
	code = check_others(l, vmid, plan, err);
	if (code < 0)
		return code == -EBUSY ? OUTCOME_BUSY : OUTCOME_REFUSED;
	if (journal_begin(&j, l->store, &lease, l->arena, err) < 0)
		return OUTCOME_FAILED;
	arena_seal(l->arena, true);
	code = engine_forward(&l->engine, &j, &lease, err);
	if (code == 0)
		code = journal_hold(&j, &lease, err);
	arena_seal(l->arena, false);
	if (code == 0) {
		journal_close(&j);
		return OUTCOME_DONE;
	}
	if (take_back(l, &j, &lease, GOAL_FROM, &back) == OUTCOME_DONE)
		return OUTCOME_FAILED;
	error_set(err, code, "%s", arena_fmt(l->arena, "%s; and it cannot be taken back: %s", err->text, back.text));
	return OUTCOME_CHANGED;
}

enum outcome lend_back(struct lender *l, unsigned vmid, bool *ended, struct error *err)
{
	struct lease lease;
	struct journal j;
	enum outcome o;
	int code = journal_load(&j, l->store, vmid, l->arena, &lease, err);

	*ended = code != -ENOENT;
	if (code == -ENOENT)
		return OUTCOME_DONE;
	if (code < 0)
		return OUTCOME_CHANGED;
	*ended = lease_is_of_this_boot(l->host, &lease);
	if (!*ended)
		return journal_end(&j, err) == 0 ? OUTCOME_DONE : OUTCOME_CHANGED;
	o = lock_devices(l, lease.steps, lease.n, err);
	if (o != OUTCOME_DONE) {
		journal_close(&j);
		return o == OUTCOME_BUSY ? o : OUTCOME_CHANGED;
	}
	/* We have its lock, so whatever hung on a device has come back. */
	l->engine.stuck.pid = 0;
	return take_back(l, &j, &lease, lease.held ? GOAL_HOME : GOAL_FROM, err);
}
