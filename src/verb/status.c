/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover status [VMID]: what is lent to whom. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/waits.h"
#include "core/builtin.h"
#include "core/guard.h"
#include "core/prepare.h"
#include "verb/json.h"
#include "verb/verb.h"

#define DIFFERENCES_MAX 20

/* One VM's lease, or the host's own, as far as it can be read. */
struct entry {
	unsigned vmid;
	struct lease lease;
	int code;
	struct error error;
	int qemu;		/* process id, 0: does not run */
	pid_t guard;		/* that watches over it, 0: nobody does */
	bool profile_changed;
	const char *differences[DIFFERENCES_MAX];
	size_t n_differences;
	char last[STORE_LAST_BYTES];	/* of a lease that has ended, "" */
	const char *doubts[DIFFERENCES_MAX];	/* of writes that had not come back */
	size_t n_doubts;
	bool hangs;		/* one of these processes has not ended */
};

/* Where that process is now; NULL: it has ended. Its number may be another's by now, but not its name. */
static const char *whereabouts(struct run *r, struct host *h, int pid)
{
	char comm[64], wchan[64] = "", stack[1024] = "", waits[WAITS_BYTES];

	if (host_read(h, arena_fmt(r->arena, "proc/%d/comm", pid), comm, sizeof(comm)) < 0 ||
	    strcmp(comm, HOST_WORKER) != 0)
		return NULL;
	if (host_read(h, arena_fmt(r->arena, "proc/%d/wchan", pid), wchan, sizeof(wchan)) < 0)
		*wchan = '\0';
	if (host_read_bytes(h, arena_fmt(r->arena, "proc/%d/stack", pid), stack, sizeof(stack)) < 0)
		*stack = '\0';
	waits_shown(wchan, stack, waits);
	return *waits ? arena_fmt(r->arena, "waits in the kernel in %s", waits) : "has not ended";
}

static void read_doubts(struct run *r, struct host *h, struct entry *e)
{
	for (size_t i = 0; i < e->lease.n && e->n_doubts < DIFFERENCES_MAX; i++) {
		const struct doubt *d = &e->lease.doubts[i];
		const char *where = d->pid ? whereabouts(r, h, d->pid) : NULL;

		if (!d->pid)
			continue;
		if (where && str_starts(d->at, "unit/"))
			where = "waits for systemd; `systemctl list-jobs` shows what is under way";
		else
			e->hangs = e->hangs || where;
		e->doubts[e->n_doubts++] = arena_fmt(r->arena, "%s: %s: process %d (" HOST_WORKER "), which was writing to '%s', %s",
						     e->lease.steps[i].device, d->what, d->pid, d->at,
						     where ? where : "has ended by now");
	}
}

static void read_entry(struct run *r, struct host *h, struct store *store, struct entry *e)
{
	enum goal goal = GOAL_FROM;
	struct findings ignored;
	uint64_t hash = 0;

	if (store_get_last(store, e->vmid, e->last) < 0)
		*e->last = '\0';
	e->code = journal_peek(store, e->vmid, r->arena, &e->lease, &e->error);
	if (e->code == 0 && !lease_is_of_this_boot(h, &e->lease))
		e->code = error_set(&e->error, -ENOENT, "it has ended with the last boot");
	if (e->code < 0)
		return;
	read_doubts(r, h, e);
	e->qemu = e->vmid == HOST_VMID ? 0 : pve_running(h, e->vmid);
	e->guard = guard_find(e->lease.generation);
	/* The built-in one is no file. */
	if (strcmp(e->lease.profile, BUILTIN_FILE) != 0) {
		findings_init(&ignored, r->arena);
		profile_load(e->lease.profile, &hash, &ignored);
		e->profile_changed = hash != e->lease.profile_hash;
	}
	if (lease_is_prepared(h, &e->lease)) {
		e->n_differences = lend_host_differences(store, h, &e->lease, r->arena, e->differences, DIFFERENCES_MAX);
		return;
	}
	/* Against where it shall be now: with the VM, or on its way home, or back where it came from. */
	if (strcmp(lease_state(&e->lease), "held") == 0)
		goal = GOAL_TO;
	else if (e->lease.held)
		goal = GOAL_HOME;
	e->n_differences = engine_differences(h, &e->lease, goal, r->arena, e->differences, DIFFERENCES_MAX);
}

/* Whose it is, and how it stands. */
static void print_state(const struct entry *e)
{
	const char *state = lease_state(&e->lease);

	if (e->vmid != HOST_VMID && e->qemu)
		printf("VM %u  %s, QEMU runs as process %d", e->vmid, state, e->qemu);
	else if (e->vmid != HOST_VMID)
		printf("VM %u  %s, QEMU does not run", e->vmid, state);
	else if (strcmp(state, "held") == 0)
		printf("host  prepared at boot");
	else
		printf("host  %s", state);
}

/* What a person can do. What was tried in vain is in vain again, as long as nothing has changed. */
static void print_remedy(const struct entry *e)
{
	if (e->vmid == HOST_VMID && strcmp(lease_state(&e->lease), "held") != 0)
		printf("  `handover boot` takes it back and does it again\n");
	if (e->vmid == HOST_VMID || e->qemu || e->lease.n == 0)
		return;
	if (e->hangs)
		printf("  that process hangs in the kernel until what it waits for comes, or until this host is booted\n");
	if (e->lease.stuck)
		printf("  giving it back has failed; when %s, `handover recover %u` tries again\n",
		       e->hangs ? "it has ended" : "what differs is seen to", e->vmid);
	else
		printf("  `handover recover %u` gives it back\n", e->vmid);
}

static void print_entry(const struct entry *e, struct arena *a)
{
	bool is_host = e->vmid == HOST_VMID;

	if (e->code == -ENOENT) {
		printf("VM %u  has no lease; when its last one ended, %s\n", e->vmid, e->last);
		printf("  `handover recover %u` forgets that\n", e->vmid);
		return;
	}
	if (e->code < 0) {
		printf("%s  %s\n", is_host ? "host" : arena_fmt(a, "VM %u", e->vmid), e->error.text);
		return;
	}
	print_state(e);
	printf(", from %s%s\n", e->lease.profile, e->profile_changed ? " (which has changed since)" : "");
	if (e->guard)
		printf("  watched over by process %d\n", (int)e->guard);
	for (size_t i = 0; i < e->lease.n; i++)
		if (e->lease.marks[i] == MARK_GIVEN)
			printf("  %s %s  is back already: the VM has another device of that mapping\n", e->lease.steps[i].action->name,
			       e->lease.steps[i].device);
		else
			printf("  %s\n", step_line(&e->lease.steps[i], &e->lease.steps[i].from, &e->lease.steps[i].to, a));
	for (size_t i = 0; i < e->n_differences && i < DIFFERENCES_MAX; i++)
		printf("  differs: %s\n", e->differences[i]);
	for (size_t i = 0; i < e->n_doubts; i++)
		printf("  in doubt: %s\n", e->doubts[i]);
	if (*e->last)
		printf("  when some of it was given back, %s\n", e->last);
	print_remedy(e);
}

static struct json_object *json_entry(const struct entry *e)
{
	struct json_object *o = json_object_new_object(), *steps = json_object_new_array();
	struct json_object *differences = json_object_new_array(), *doubts = json_object_new_array();

	json_add(o, "vmid", json_vmid(e->vmid));
	json_add(o, "error", json_text(e->code < 0 && e->code != -ENOENT ? e->error.text : NULL));
	json_add(o, "state", json_text(e->code < 0 ? NULL : lease_state(&e->lease)));
	json_add(o, "generation", json_text(e->lease.generation));
	json_add(o, "profile", json_text(e->lease.profile));
	json_add(o, "profile_changed", json_object_new_boolean(e->profile_changed));
	json_add(o, "guard", e->guard ? json_object_new_int((int)e->guard) : NULL);
	json_add(o, "qemu", e->qemu ? json_object_new_int(e->qemu) : NULL);
	for (size_t i = 0; i < e->lease.n; i++)
		if (e->lease.marks[i] != MARK_GIVEN)
			json_object_array_add(steps, json_step(&e->lease.steps[i]));
	json_add(o, "steps", steps);
	for (size_t i = 0; i < e->n_differences && i < DIFFERENCES_MAX; i++)
		json_object_array_add(differences, json_text(e->differences[i]));
	json_add(o, "differences", differences);
	for (size_t i = 0; i < e->n_doubts; i++)
		json_object_array_add(doubts, json_text(e->doubts[i]));
	json_add(o, "doubts", doubts);
	json_add(o, "last", json_text(*e->last ? e->last : NULL));
	return o;
}

static enum outcome show(struct run *r, struct host *h, struct store *store, const unsigned *vmids, size_t n)
{
	struct json_object *list = r->json ? json_object_new_array() : NULL;
	enum outcome o = OUTCOME_DONE;
	size_t shown = 0;

	for (size_t i = 0; i < n; i++) {
		struct entry *e = arena_alloc(r->arena, sizeof(*e));

		e->vmid = vmids[i];
		read_entry(r, h, store, e);
		if (e->code == -ENOENT && !*e->last) {
			if (r->n_args && !list && !r->quiet)
				printf("VM %u: it has no lease\n", e->vmid);
			continue;
		}
		shown++;
		if (e->code < 0 || e->lease.stuck || e->n_doubts || *e->last)
			o = OUTCOME_CHANGED;
		if (list)
			json_object_array_add(list, json_entry(e));
		else
			print_entry(e, r->arena);
	}
	if (list)
		json_print(list);
	else if (shown == 0 && !r->n_args && !r->quiet)
		puts("nothing is lent");
	return o;
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	unsigned only = 0, *vmids = &only;
	struct store store;
	struct error err;
	enum outcome o;
	size_t n = 1;

	if (r->n_args && !vmid_parse(r->args[0], &only)) {
		complain("'%s' is no VMID; it is a number from %d to %d", r->args[0], VMID_MIN, VMID_MAX);
		return OUTCOME_REFUSED;
	}
	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	if (store_open(&store, STORE_PATH, &err) < 0) {
		complain("%s", err.text);
		return OUTCOME_FAILED;
	}
	if (!r->n_args && store_list(&store, r->arena, &vmids, &n, &err) < 0) {
		complain("%s", err.text);
		store_close(&store);
		return OUTCOME_FAILED;
	}
	o = show(r, h, &store, vmids, n);
	store_close(&store);
	return o;
}

const struct verb verb_status = {
	.name = "status",
	.args = "[VMID]",
	.help = "shows what is lent to which VM, and what is not as it should be",
	.max_args = 1,
	.run = run,
};
