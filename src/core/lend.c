/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/str.h"
#include "core/lend.h"

#define HOST_DIFFERENCES_MAX 1024	/* those of what VMs have included, which are left out */
#define BOOT_ID "proc/sys/kernel/random/boot_id"

void lender_init(struct lender *l, struct host *host, struct store *store, struct arena *a, const char *purpose)
{
	*l = (struct lender){ .host = host, .store = store, .arena = a, .purpose = purpose, .lock_ms = LOCK_MS };
	l->engine.host = host;
}

static enum outcome lock_outcome(int code)
{
	return code == 0 ? OUTCOME_DONE : code == -EBUSY ? OUTCOME_BUSY : OUTCOME_FAILED;
}

enum outcome lend_lock(struct lender *l, unsigned vmid, struct error *err)
{
	const char *name = vmid == HOST_VMID ? "host" : arena_fmt(l->arena, "vm-%u", vmid);

	l->all_back = false;
	return lock_outcome(store_lock(l->store, &l->locks, &name, 1, l->purpose, l->lock_ms, err));
}

static void add_name(struct arena *a, const char ***names, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*names)[i], name) == 0)
			return;
	*names = arena_grow(a, *names, *n, sizeof(**names));
	(*names)[(*n)++] = arena_dup(a, name);
}

/*
 * Every function that a step looks at, siblings of one that is found anew included; and the host's rescan, if it does one.
 * marks: of a lease; what was given is another's matter. NULL: there is none yet.
 */
static enum outcome lock_devices(struct lender *l, const struct step *steps, const enum mark *marks, size_t n,
				 struct error *err)
{
	const char **names = NULL;
	size_t n_names = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < steps[i].n_looks && !(marks && marks[i] == MARK_GIVEN); k++) {
			const char *look = steps[i].look[k];
			char address[BDF_TEXT_MAX];

			if (look_function(look, address))
				add_name(l->arena, &names, &n_names, address);
			if (str_starts(look, "life/"))
				add_name(l->arena, &names, &n_names, "rescan");
		}
	return lock_outcome(store_lock(l->store, &l->locks, names, n_names, l->purpose, l->lock_ms, err));
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

/* Those who meet our locks, which a write that has not come back keeps, are told what it is. */
static void tell_stuck(const struct lender *l)
{
	const struct engine *e = &l->engine;
	char doing[sizeof(e->stuck_device) + sizeof(e->stuck_what) + sizeof(e->stuck_at) + 32];

	if (!e->stuck.pid)
		return;
	snprintf(doing, sizeof(doing), "%s: %s, writing to '%s'", e->stuck_device, e->stuck_what, e->stuck_at);
	lockset_tell(&l->locks, doing);
}

/*
 * How a way back ends: code of taking back, after of the steps of post-stop. That the network did not come is the last that
 * is said, for nobody tries that again.
 */
static enum outcome back_outcome(struct lender *l, int code, int after, struct error *err)
{
	const char *lost = l->engine.lost, *rest = "all is back, but";

	l->all_back = code == 0;
	if (*lost && (code < 0 || after < 0))
		rest = arena_fmt(l->arena, "%s; and", err->text);
	if (*lost)
		error_set(err, -ENETUNREACH, "%s the network is not as it was: %s", rest, lost);
	if (code < 0 || *lost)
		return OUTCOME_CHANGED;
	return after < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

static bool any_given(const struct lease *lease)
{
	for (size_t i = 0; i < lease->n; i++)
		if (lease->marks[i] == MARK_GIVEN)
			return true;
	return false;
}

/*
 * The lease ends, or something of it is given back: nobody tries the network again, so that it did not come is kept. What
 * was kept when something was given back before was not looked at now.
 */
static void keep_last(struct lender *l, const struct lease *lease)
{
	unsigned vmid = lease->vmid;
	char seconds[32], when[64] = "";
	uint64_t now;
	struct tm tm;

	if (!*l->engine.lost && !any_given(lease))
		store_remove_last(l->store, vmid);
	if (!*l->engine.lost || vmid == HOST_VMID)
		return;
	if (host_read(l->host, "clock/now", seconds, sizeof(seconds)) > 0 && str_decimal(seconds, INT64_MAX, &now) &&
	    localtime_r(&(time_t){ (time_t)now }, &tm))
		strftime(when, sizeof(when), " (%Y-%m-%d %H:%M:%S)", &tm);
	store_put_last(l->store, vmid, arena_fmt(l->arena, "the network was not as it was%s: %s", when, l->engine.lost));
}

/* What was begun goes back, then the steps of post-stop are done; the journal goes with it, or stays and says so. */
static enum outcome take_back(struct lender *l, struct journal *j, struct lease *lease, enum goal goal,
			      struct error *err)
{
	struct error ignored;
	int code, after = 0;

	arena_seal(l->arena, true);
	code = engine_back(&l->engine, j, lease, goal, err);
	if (code == 0) {
		after = engine_after(&l->engine, j, lease, err);
		code = l->engine.left ? after : 0;
	}
	if (code < 0)
		journal_stuck(j, lease, &ignored);
	tell_stuck(l);
	arena_seal(l->arena, false);
	keep_last(l, lease);
	if (code == 0)
		code = journal_end(j, after < 0 ? &ignored : err);
	else
		journal_close(j);
	return back_outcome(l, code, after, err);
}

static int check_lease(struct lender *l, const struct lease *lease, const struct plan *plan, struct error *err)
{
	/* What boot has prepared is the host as VMs find it. */
	if (lease->vmid == HOST_VMID && lease->held)
		return 0;
	for (size_t i = 0; i < lease->n; i++)
		for (size_t k = 0; k < plan->n; k++) {
			char address[BDF_TEXT_MAX];

			if (lease->marks[i] == MARK_GIVEN || !steps_share(&lease->steps[i], &plan->steps[k], address))
				continue;
			if (lease->vmid == HOST_VMID)
				return error_set(err, -EBUSY, "%s is still being prepared by `handover boot`; if that was interrupted, run it "
						 "again", address);
			l->rival = lease->vmid;
			return error_set(err, -EBUSY, "%s is lent to VM %u (%s); stop that VM, or run `handover recover "
					 "%u` if it does not run", address, lease->vmid, lease_state(lease), lease->vmid);
		}
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
			code = check_lease(l, &lease, plan, err);
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

	l->rival = 0;
	l->all_back = false;
	if (plan->n == 0) {
		store_remove_last(l->store, vmid);
		return OUTCOME_DONE;
	}
	o = lock_devices(l, plan->steps, NULL, plan->n, err);
	if (o != OUTCOME_DONE)
		return o;
	/* Under the locks, or two that want the same device could both see that nobody has it. */
	code = check_others(l, vmid, plan, err);
	if (code < 0)
		return code == -EBUSY ? OUTCOME_BUSY : OUTCOME_REFUSED;
	if (journal_begin(&j, l->store, &lease, l->arena, err) < 0)
		return OUTCOME_FAILED;
	store_remove_last(l->store, vmid);
	if (l->ready && l->ready(l->ready_arg, &lease, err) < 0)
		return journal_end(&j, &back) < 0 ? OUTCOME_CHANGED : OUTCOME_REFUSED;
	arena_seal(l->arena, true);
	code = engine_forward(&l->engine, &j, &lease, vmid == HOST_VMID ? PHASE_BOOT : PHASE_PRE_START, err);
	if (code == 0)
		code = journal_hold(&j, &lease, err);
	arena_seal(l->arena, false);
	if (code == 0) {
		journal_close(&j);
		return OUTCOME_DONE;
	}
	if (take_back(l, &j, &lease, GOAL_FROM, &back) != OUTCOME_CHANGED)
		return OUTCOME_FAILED;
	error_set(err, code, "%s", arena_fmt(l->arena, "%s; %s%s", err->text,
					     l->all_back ? "" : "and it cannot be taken back: ", back.text));
	return OUTCOME_CHANGED;
}

enum outcome lend_back(struct lender *l, unsigned vmid, bool *ended, struct error *err)
{
	struct lease lease;
	struct journal j;
	enum outcome o;
	int code = journal_load(&j, l->store, vmid, l->arena, &lease, err);

	l->all_back = false;
	*ended = code != -ENOENT;
	if (code == -ENOENT)
		return OUTCOME_DONE;
	if (code < 0)
		return OUTCOME_CHANGED;
	*ended = lease_is_of_this_boot(l->host, &lease);
	if (!*ended)
		return journal_end(&j, err) == 0 ? OUTCOME_DONE : OUTCOME_CHANGED;
	o = lock_devices(l, lease.steps, lease.marks, lease.n, err);
	if (o != OUTCOME_DONE) {
		journal_close(&j);
		return o == OUTCOME_BUSY ? o : OUTCOME_CHANGED;
	}
	/* We have its lock, so whatever hung on a device has come back. */
	l->engine.stuck.pid = 0;
	return take_back(l, &j, &lease, lease.held ? GOAL_HOME : GOAL_FROM, err);
}

enum outcome lend_phase(struct lender *l, unsigned vmid, enum phase phase, struct error *err)
{
	struct lease lease;
	struct journal j;
	enum outcome o;
	int code = journal_load(&j, l->store, vmid, l->arena, &lease, err);

	if (code == -ENOENT)
		return OUTCOME_DONE;
	if (code < 0)
		return OUTCOME_CHANGED;
	/* One of which a device was given back, or could not be, is held all the same. */
	if (!lease_is_of_this_boot(l->host, &lease) || !lease.held || lease.stuck) {
		journal_close(&j);
		return OUTCOME_DONE;
	}
	o = lock_devices(l, lease.steps, lease.marks, lease.n, err);
	if (o == OUTCOME_DONE) {
		arena_seal(l->arena, true);
		o = engine_forward(&l->engine, &j, &lease, phase, err) == 0 ? OUTCOME_DONE : OUTCOME_FAILED;
		tell_stuck(l);
		arena_seal(l->arena, false);
	}
	journal_close(&j);
	return o;
}

enum outcome lend_give(struct lender *l, unsigned vmid, const char *generation, const bool *which, struct error *err)
{
	struct lease lease;
	struct journal j;
	enum outcome o;
	int code = journal_load(&j, l->store, vmid, l->arena, &lease, err);

	l->all_back = false;
	if (code < 0)
		return code == -ENOENT ? OUTCOME_DONE : OUTCOME_CHANGED;
	if (strcmp(lease.generation, generation) != 0 || !lease.held || lease.stuck) {
		journal_close(&j);
		error_set(err, -ESTALE, "the lease is not what it was when that was looked at");
		return OUTCOME_BUSY;
	}
	o = lock_devices(l, lease.steps, lease.marks, lease.n, err);
	if (o == OUTCOME_DONE) {
		arena_seal(l->arena, true);
		code = engine_give(&l->engine, &j, &lease, which, err);
		tell_stuck(l);
		arena_seal(l->arena, false);
		keep_last(l, &lease);
		o = back_outcome(l, code, 0, err);
	}
	journal_close(&j);
	return o;
}

/* What a VM has goes home to something; what its steps only look at, or find anew and leave, is the host's. */
static bool goes_home(const struct step *s)
{
	for (size_t i = 0; step_is_lent(s) && i < s->n_looks; i++)
		if (s->home.v[i].kind != VALUE_ANY && s->home.v[i].kind != VALUE_PRESENT)
			return true;
	return false;
}

/* All functions of a step; it is called by the first of them. */
static void add_lent(const struct step *s, unsigned vmid, struct arena *a, struct lent **lent, size_t *n)
{
	char address[BDF_TEXT_MAX], last[BDF_TEXT_MAX] = "";

	for (size_t i = 0; i < s->n_looks; i++) {
		if (!look_function(s->look[i], address) || strcmp(address, last) == 0 || !step_changes(s, address))
			continue;
		*lent = arena_grow(a, *lent, *n, sizeof(**lent));
		(*lent)[(*n)++] = (struct lent){ vmid, arena_dup(a, address) };
		strcpy(last, address);
	}
}

void lend_list(struct store *store, struct host *h, unsigned vmid, struct arena *a, struct lent **lent, size_t *n)
{
	unsigned *vmids = NULL;
	struct error ignored;
	size_t n_vmids = 0;

	*lent = NULL;
	*n = 0;
	if (store->dir < 0 || store_list(store, a, &vmids, &n_vmids, &ignored) < 0)
		return;
	for (size_t i = 0; i < n_vmids; i++) {
		struct lease lease;

		if (vmids[i] == vmid || vmids[i] == HOST_VMID ||
		    journal_peek(store, vmids[i], a, &lease, &ignored) < 0 || !lease_is_of_this_boot(h, &lease))
			continue;
		for (size_t k = 0; k < lease.n; k++)
			if (lease.marks[k] != MARK_GIVEN && goes_home(&lease.steps[k]))
				add_lent(&lease.steps[k], vmids[i], a, lent, n);
	}
}

bool lease_is_prepared(struct host *h, const struct lease *lease)
{
	return lease->vmid == HOST_VMID && lease_is_of_this_boot(h, lease) && strcmp(lease_state(lease), "held") == 0;
}

static bool is_lent(const struct lent *lent, size_t n, const char *line)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(line, lent[i].address))
			return true;
	return false;
}

/* After boot these are for others to set: the network's configuration, whoever saves power, whoever plugs. */
static bool is_for_others(const char *look)
{
	return str_starts(look, "nic/") || str_starts(look, "usb/") || strstr(look, "/power/control");
}

/* Those looks are left out, and not even read: a network that is busy with itself is no reason to wait. */
static struct lease what_stays(const struct lease *lease, struct arena *a)
{
	struct lease copy = *lease;

	copy.steps = arena_array(a, lease->n, sizeof(*copy.steps));
	for (size_t i = 0; i < lease->n; i++) {
		const struct step *s = &lease->steps[i];

		copy.steps[i] = step_new(s->action, s->device, s->phase, a);
		for (size_t k = 0; k < s->n_looks; k++)
			if (!is_for_others(s->look[k]))
				step_look(&copy.steps[i], s->look[k], s->from.v[k], s->to.v[k], s->home.v[k]);
	}
	return copy;
}

size_t lend_host_differences(struct store *store, struct host *h, const struct lease *lease, struct arena *a,
			     const char **lines, size_t max)
{
	const char *all[HOST_DIFFERENCES_MAX];
	struct lease stays = what_stays(lease, a);
	struct lent *lent;
	size_t n_lent, n, kept = 0;

	lend_list(store, h, HOST_VMID, a, &lent, &n_lent);
	n = engine_differences(h, &stays, GOAL_TO, a, all, HOST_DIFFERENCES_MAX);
	for (size_t i = 0; i < n && i < HOST_DIFFERENCES_MAX && kept < max; i++)
		if (!is_lent(lent, n_lent, all[i]))
			lines[kept++] = all[i];
	return kept;
}
