/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover recover [VMID]: gives back what an interrupted, failed or forgotten run left lent. */
#include <errno.h>
#include <string.h>

#include "core/leftover.h"
#include "core/prepare.h"
#include "verb/json.h"
#include "verb/verb.h"

/* What became of one VM's lease, or the host's own, for a person. */
struct result {
	unsigned vmid;
	enum outcome outcome;
	const char *text;	/* NULL: there is nothing to tell */
};

/* What boot has prepared stays; what it was killed in the middle of goes back to where it came from. */
static bool is_prepared(struct run *r, struct lender *l)
{
	struct lease lease;
	struct error ignored;

	return journal_peek(l->store, HOST_VMID, r->arena, &lease, &ignored) == 0 && lease_is_prepared(l->host, &lease);
}

static struct result recover_host(struct run *r, struct lender *l)
{
	struct error err = { 0 };
	enum outcome o;
	bool ended;

	/* Not even its lock, which a `handover boot` that only looks may have. */
	if (is_prepared(r, l))
		return (struct result){ HOST_VMID, OUTCOME_DONE, NULL };
	o = lend_lock(l, HOST_VMID, &err);
	if (o != OUTCOME_DONE)
		return (struct result){ HOST_VMID, o, arena_dup(r->arena, err.text) };
	/* It may have come to its end while its lock was waited for. */
	if (is_prepared(r, l))
		return (struct result){ HOST_VMID, OUTCOME_DONE, NULL };
	o = lend_back(l, HOST_VMID, &ended, &err);
	if (o != OUTCOME_DONE)
		return (struct result){ HOST_VMID, o, arena_dup(r->arena, err.text) };
	if (!ended)
		return (struct result){ HOST_VMID, o, NULL };
	return (struct result){ HOST_VMID, o, "what boot had begun is taken back; `handover boot` does it again" };
}

/* Of a lease that has ended: said once more, and then no longer kept. NULL: there is nothing, or the VM has a lease. */
static const char *tell_last(struct run *r, struct lender *l, unsigned vmid)
{
	char last[STORE_LAST_BYTES];
	struct error ignored;
	struct lease lease;

	if (journal_peek(l->store, vmid, r->arena, &lease, &ignored) != -ENOENT || store_get_last(l->store, vmid, last) <= 0)
		return NULL;
	if (!r->quiet || r->json)
		store_remove_last(l->store, vmid);
	return arena_fmt(r->arena, "it has no lease; when its last one ended, %s", last);
}

static struct result recover_vm(struct run *r, struct lender *l, unsigned vmid)
{
	/* The guard asks for its own lease, and the VM may have its next one by now. */
	const char *generation = r->n_args < 2 ? NULL : r->args[1], *last = generation ? NULL : tell_last(r, l, vmid);
	struct error err = { 0 };
	struct leftover x;
	enum outcome o;

	if (last)
		return (struct result){ vmid, OUTCOME_DONE, last };
	o = leftover_end(l, vmid, generation, &x, &err);
	if (x.other)
		return (struct result){ vmid, OUTCOME_DONE, "it has no lease of that generation" };
	if (o != OUTCOME_DONE)
		return (struct result){ vmid, o, arena_dup(r->arena, err.text) };
	if (x.qemu)
		return (struct result){ vmid, o, arena_fmt(r->arena, "runs (process %d): its devices stay with it", x.qemu) };
	return (struct result){ vmid, o, x.ended ? "what it was lent is back" : "it has no lease" };
}

static struct result recover(struct run *r, struct host *h, struct store *store, const struct policy *policy, unsigned vmid)
{
	const char *who = vmid == HOST_VMID ? "host" : arena_fmt(r->arena, "%u", vmid);
	struct teller teller = { arena_fmt(r->arena, "%s recover", who), r->quiet || r->json };
	struct result result;
	struct lender l;

	lender_init(&l, h, store, r->arena,
		    arena_fmt(r->arena, "%s%s, recover", vmid == HOST_VMID ? "the " : "VM ", who));
	l.lock_ms = policy->lock_ms;
	l.engine.phase_ms = policy->phase_ms;
	l.engine.tell = tell_event;
	l.engine.arg = &teller;
	result = vmid == HOST_VMID ? recover_host(r, &l) : recover_vm(r, &l, vmid);
	lockset_release(&l.locks);
	return result;
}

static void print(const struct run *r, const struct result *x, struct json_object *list)
{
	const char *who = x->vmid == HOST_VMID ? "host" : arena_fmt(r->arena, "VM %u", x->vmid);
	struct json_object *o;

	if (!list) {
		if (x->outcome != OUTCOME_DONE)
			complain("%s: %s", who, x->text);
		else if (!r->quiet)
			printf("%s: %s\n", who, x->text);
		return;
	}
	o = json_object_new_object();
	json_add(o, "vmid", json_vmid(x->vmid));
	json_add(o, "outcome", json_object_new_int((int)x->outcome));
	json_add(o, "text", json_text(x->text));
	json_object_array_add(list, o);
}

/* A policy that is wrong is told, and keeps nothing from going back. */
static struct policy load_policy(struct run *r, struct host *h)
{
	const struct policy *policy;
	struct findings f;

	findings_init(&f, r->arena);
	policy = open_policy(r, h, &f);
	print_findings(&f, stderr);
	return policy ? *policy : policy_default();
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct json_object *list = r->json ? json_object_new_array() : NULL;
	unsigned only = 0, *vmids = &only;
	enum outcome o = OUTCOME_DONE;
	struct store store = STORE_CLOSED;
	struct policy policy;
	struct error err;
	size_t n = 1, told = 0;

	if (r->n_args && !vmid_parse(r->args[0], &only)) {
		complain("'%s' is no VMID; it is a number from %d to %d", r->args[0], VMID_MIN, VMID_MAX);
		return OUTCOME_REFUSED;
	}
	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	policy = load_policy(r, h);
	block_signals();
	if (store_open(&store, STORE_PATH, &err) < 0 ||
	    (!r->n_args && store_list(&store, r->arena, &vmids, &n, &err) < 0)) {
		complain("%s", err.text);
		store_close(&store);
		return OUTCOME_FAILED;
	}
	for (size_t i = 0; i < n; i++) {
		struct result x = recover(r, h, &store, &policy, vmids[i]);

		if (!x.text)
			continue;
		told++;
		print(r, &x, list);
		o = outcome_worse(o, x.outcome);
	}
	if (list)
		json_print(list);
	else if (told == 0 && !r->quiet)
		puts("nothing is lent");
	store_close(&store);
	return o;
}

const struct verb verb_recover = {
	.name = "recover",
	.args = "[VMID [GENERATION]]",
	.help = "gives back what an interrupted or forgotten run left lent; leaves VMs that run alone",
	.max_args = 2,
	.run = run,
};
