/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover recover [VMID]: gives back what an interrupted, failed or forgotten run left lent. */
#include <string.h>

#include "core/pveconf.h"
#include "verb/json.h"
#include "verb/verb.h"

/* What became of one VM's lease, for a person. */
struct result {
	unsigned vmid;
	enum outcome outcome;
	const char *text;
};

static struct result recover_locked(struct run *r, struct lender *l, unsigned vmid)
{
	struct error err = { 0 };
	bool ended;
	enum outcome o;
	int qemu;

	/*
	 * The lock first: a start that is under way holds it until its QEMU runs. Once it is free, either QEMU is there or
	 * nobody is starting it; and a start that begins now waits for the VM's lock of ours.
	 */
	if (pve_config_locked(vmid))
		return (struct result){ vmid, OUTCOME_BUSY, "Proxmox is starting or stopping it just now; try again" };
	qemu = pve_running(l->host, vmid);
	if (qemu)
		return (struct result){ vmid, OUTCOME_DONE,
					arena_fmt(r->arena, "runs (process %d): its devices stay with it", qemu) };
	o = lend_back(l, vmid, &ended, &err);
	if (o != OUTCOME_DONE)
		return (struct result){ vmid, o, arena_dup(r->arena, err.text) };
	return (struct result){ vmid, o, ended ? "what it was lent is back" : "it has no lease" };
}

static struct result recover(struct run *r, struct host *h, struct store *store, unsigned vmid)
{
	struct teller teller = { arena_fmt(r->arena, "%u recover", vmid), r->quiet || r->json };
	struct error err = { 0 };
	struct lender l;
	struct result result;
	enum outcome o;

	lender_init(&l, h, store, r->arena, arena_fmt(r->arena, "VM %u, recover", vmid));
	l.engine.tell = tell_event;
	l.engine.arg = &teller;
	o = lend_lock(&l, vmid, &err);
	if (o == OUTCOME_DONE)
		result = recover_locked(r, &l, vmid);
	else
		result = (struct result){ vmid, o, arena_dup(r->arena, err.text) };
	lockset_release(&l.locks);
	return result;
}

static void print(const struct run *r, const struct result *x, struct json_object *list)
{
	struct json_object *o;

	if (!list) {
		if (x->outcome != OUTCOME_DONE)
			complain("VM %u: %s", x->vmid, x->text);
		else if (!r->quiet)
			printf("VM %u: %s\n", x->vmid, x->text);
		return;
	}
	o = json_object_new_object();
	json_add(o, "vmid", json_object_new_int((int)x->vmid));
	json_add(o, "outcome", json_object_new_int((int)x->outcome));
	json_add(o, "text", json_text(x->text));
	json_object_array_add(list, o);
}

/* What is worst for the host decides: 3 before 1, 1 before 4. */
static enum outcome worse(enum outcome a, enum outcome b)
{
	static const int rank[] = { [OUTCOME_DONE] = 0, [OUTCOME_BUSY] = 1, [OUTCOME_REFUSED] = 2, [OUTCOME_FAILED] = 3,
				    [OUTCOME_CHANGED] = 4 };

	return rank[b] > rank[a] ? b : a;
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct json_object *list = r->json ? json_object_new_array() : NULL;
	unsigned only = 0, *vmids = &only;
	enum outcome o = OUTCOME_DONE;
	struct store store = STORE_CLOSED;
	struct error err;
	size_t n = 1;

	if (r->n_args && !vmid_parse(r->args[0], &only)) {
		complain("'%s' is no VMID; it is a number from %d to %d", r->args[0], VMID_MIN, VMID_MAX);
		return OUTCOME_REFUSED;
	}
	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	block_signals();
	if (store_open(&store, STORE_PATH, &err) < 0 ||
	    (!r->n_args && store_list(&store, r->arena, &vmids, &n, &err) < 0)) {
		complain("%s", err.text);
		store_close(&store);
		return OUTCOME_FAILED;
	}
	for (size_t i = 0; i < n; i++) {
		struct result x = recover(r, h, &store, vmids[i]);

		print(r, &x, list);
		o = worse(o, x.outcome);
	}
	if (list)
		json_print(list);
	else if (n == 0 && !r->quiet)
		puts("nothing is lent");
	store_close(&store);
	return o;
}

const struct verb verb_recover = {
	.name = "recover",
	.args = "[VMID]",
	.help = "gives back what an interrupted or forgotten run left lent; leaves VMs that run alone",
	.max_args = 1,
	.run = run,
};
