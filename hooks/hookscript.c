/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "core/builtin.h"
#include "core/prepare.h"
#include "guard.h"
#include "hookscript.h"

#define DIFFERENCES_MAX 20

/* include/linux/pci_ids.h, PCI_BASE_CLASS_DISPLAY, PCI_CLASS_SERIAL_USB */
#define CLASS_DISPLAY 0x03
#define CLASS_USB 0x0c03

/* One call of the hook. */
struct call {
	struct run *r;
	unsigned vmid;
	enum phase phase;
	struct host *host;
	const struct policy *policy;
	struct store store;
	struct lender lender;
	struct teller teller;
	bool needs_guard;
};

static enum outcome refuse(const struct call *c, enum outcome o, const struct error *err)
{
	complain("%u %s: %s", c->vmid, phase_name(c->phase), err->text);
	if (o == OUTCOME_CHANGED)
		complain("%u %s: the host is not as it was; `handover status %u` shows what is left, "
			 "`handover recover %u` tries again", c->vmid, phase_name(c->phase), c->vmid, c->vmid);
	return o;
}

/* --- pre-start -------------------------------------------------------------------------------------------------- */

/* What an earlier life left: its start failed after pre-start, or its post-stop never came. */
static enum outcome end_earlier_life(struct call *c)
{
	struct error err = { 0 };
	bool ended;
	enum outcome o = lend_back(&c->lender, c->vmid, &ended, &err);

	/* All is back; what post-stop could not do is no reason not to start. */
	if (o == OUTCOME_FAILED)
		complain("%u pre-start: after an earlier start of this VM: %s", c->vmid, err.text);
	else if (o != OUTCOME_DONE)
		return refuse(c, o, &err);
	if (ended)
		complain("%u pre-start: gave back what an earlier start of this VM had left lent", c->vmid);
	return OUTCOME_DONE;
}

/* Without it the host would be hard to reach, or dark, until somebody notices that nobody called. */
static bool needs_guard(const struct planner *p)
{
	for (size_t i = 0; i < p->n_leaving; i++) {
		const struct function *fn = p->leaving[i].fn;

		if (!fn || fn->nic || fn->class >> 16 == CLASS_DISPLAY || fn->class >> 8 == CLASS_USB)
			return true;
	}
	return false;
}

static int start_guard(void *arg, const struct lease *lease, struct error *err)
{
	struct call *c = arg;
	struct error why;

	if (!c->policy->guard || guard_start(c->vmid, lease->generation, c->policy->post_stop_ms, c->r->arena, &why) == 0)
		return 0;
	if (c->needs_guard)
		return error_set(err, why.code, "%s, and a network card, USB controller or display would leave with nobody to bring it "
				 "back if the start fails; nothing was touched", why.text);
	complain("%u pre-start: %s; if the start fails, run `handover recover %u`", c->vmid, why.text, c->vmid);
	return 0;
}

static enum outcome lend(struct call *c, const struct profile *profile, uint64_t hash, struct findings *f)
{
	struct planner planner = { .host = c->host, .policy = c->policy, .profile = profile, .vmid = c->vmid, .now = true };
	struct error err = { 0 };
	enum outcome o;
	bool planned;

	if (profile && profile_is_host(profile))
		finding_add(f, SEVERITY_ERROR, "boot-in-vm", (struct place){ .file = profile->file },
			    "move 'boot' to " PROFILE_HOST, "'boot' stands in the profile of a VM");
	planned = profile && f->errors == 0 && prepare_plan(&planner, &c->store, f, &err);
	print_findings(f, stderr);
	if (!planned && err.code)
		return refuse(c, OUTCOME_FAILED, &err);
	if (!planned)
		return OUTCOME_REFUSED;
	c->needs_guard = needs_guard(&planner);
	c->lender.ready = start_guard;
	c->lender.ready_arg = c;
	o = lend_out(&c->lender, c->vmid, profile, hash, &planner.plan, &err);
	return o == OUTCOME_DONE ? o : refuse(c, o, &err);
}

/* Without a profile, "bind: hostpci" stands in; for a VM that asks for no device of the host there is nothing to do. */
static enum outcome lend_builtin(struct call *c)
{
	const struct profile *profile;
	struct pve_guest guest;
	struct findings f;
	struct error err;
	uint64_t hash = 0;

	if (pveconf_read(c->host, c->vmid, c->r->arena, &guest, &err) < 0)
		return err.code == -ENOENT ? OUTCOME_DONE : refuse(c, OUTCOME_REFUSED, &err);
	findings_init(&f, c->r->arena);
	profile = builtin_profile(&guest, c->policy, c->vmid, &hash, &f);
	if (!profile && f.errors == 0)
		return OUTCOME_DONE;
	if (profile)
		complain("%u pre-start: no profile; built in: 'bind: hostpci', and nothing accepted", c->vmid);
	return lend(c, profile, hash, &f);
}

static enum outcome lend_profile(struct call *c, const char *path)
{
	const struct profile *profile;
	struct findings f;
	uint64_t hash = 0;

	findings_init(&f, c->r->arena);
	profile = profile_load(path, &hash, &f);
	return lend(c, profile, hash, &f);
}

static enum outcome pre_start(struct call *c)
{
	const char *path;
	struct error err = { 0 };
	enum outcome o = lend_lock(&c->lender, c->vmid, &err);
	int qemu = pve_running(c->host, c->vmid);

	if (o != OUTCOME_DONE)
		return refuse(c, o, &err);
	if (qemu) {
		complain("%u pre-start: VM %u runs already (process %d); nothing was touched", c->vmid, c->vmid, qemu);
		return OUTCOME_REFUSED;
	}
	o = end_earlier_life(c);
	if (o != OUTCOME_DONE)
		return o;
	path = profile_path(c->vmid, c->r->arena);
	return path ? lend_profile(c, path) : lend_builtin(c);
}

/* --- the others ------------------------------------------------------------------------------------------------- */

/* Steps while the VM runs. Proxmox takes their failure for a warning, whatever they say. */
static enum outcome do_phase(struct call *c)
{
	struct error err = { 0 };
	enum outcome o = lend_lock(&c->lender, c->vmid, &err);

	if (o == OUTCOME_DONE)
		o = lend_phase(&c->lender, c->vmid, c->phase, &err);
	if (o != OUTCOME_DONE)
		complain("%u %s: %s", c->vmid, phase_name(c->phase), err.text);
	return o;
}

/* The VM runs: has it what it was lent? */
static enum outcome post_start(struct call *c)
{
	const char *lines[DIFFERENCES_MAX];
	struct lease lease;
	struct error err;
	size_t n;

	if (journal_peek(&c->store, c->vmid, c->r->arena, &lease, &err) < 0)
		return err.code == -ENOENT ? OUTCOME_DONE : refuse(c, OUTCOME_CHANGED, &err);
	if (!lease_is_of_this_boot(c->host, &lease))
		return OUTCOME_DONE;
	n = engine_differences(c->host, &lease, GOAL_TO, c->r->arena, lines, DIFFERENCES_MAX);
	for (size_t i = 0; i < n && i < DIFFERENCES_MAX; i++)
		complain("%u post-start: %s", c->vmid, lines[i]);
	return do_phase(c);
}

static enum outcome post_stop(struct call *c)
{
	struct error err = { 0 };
	bool ended;
	enum outcome o = lend_lock(&c->lender, c->vmid, &err);
	int qemu = pve_running(c->host, c->vmid);

	if (o != OUTCOME_DONE)
		return refuse(c, o == OUTCOME_BUSY ? o : OUTCOME_CHANGED, &err);
	if (qemu) {
		/* A post-stop that comes late, after the VM was started again: its devices are in use. */
		complain("%u post-stop: QEMU runs (process %d); its devices stay with it", c->vmid, qemu);
		return OUTCOME_DONE;
	}
	o = lend_back(&c->lender, c->vmid, &ended, &err);
	return o == OUTCOME_DONE ? o : refuse(c, o, &err);
}

static enum outcome call_phase(struct call *c)
{
	switch (c->phase) {
	case PHASE_PRE_START:
		return pre_start(c);
	case PHASE_POST_START:
		return post_start(c);
	case PHASE_PRE_STOP:
		/* QEMU still holds the devices, and Proxmox does not call it when the guest powers itself off. */
		return do_phase(c);
	case PHASE_POST_STOP:
		return post_stop(c);
	case PHASE_BOOT:
		break;
	}
	return OUTCOME_DONE;
}

/* A start waits until its policy is right; whoever gives back does it with what holds where nothing is said. */
static bool load_policy(struct call *c)
{
	struct policy *policy = arena_alloc(c->r->arena, sizeof(*policy));
	struct findings f;

	*policy = policy_default();
	findings_init(&f, c->r->arena);
	c->policy = open_policy(c->r, c->host, &f);
	print_findings(&f, stderr);
	if (!c->policy && c->phase == PHASE_PRE_START)
		return false;
	c->policy = c->policy ? c->policy : policy;
	return true;
}

static enum outcome open_and_call(struct call *c)
{
	struct error err = { 0 };
	enum outcome o;

	if (!load_policy(c))
		return OUTCOME_REFUSED;
	if (store_open(&c->store, STORE_PATH, &err) < 0)
		return refuse(c, c->phase == PHASE_POST_STOP ? OUTCOME_CHANGED : OUTCOME_FAILED, &err);
	lender_init(&c->lender, c->host, &c->store, c->r->arena,
		    arena_fmt(c->r->arena, "VM %u, %s", c->vmid, phase_name(c->phase)));
	c->teller = (struct teller){ arena_fmt(c->r->arena, "%u %s", c->vmid, phase_name(c->phase)), c->r->quiet };
	c->lender.lock_ms = c->policy->lock_ms;
	c->lender.engine.phase_ms = c->policy->phase_ms;
	c->lender.engine.tell = tell_event;
	c->lender.engine.arg = &c->teller;
	block_signals();
	o = call_phase(c);
	lockset_release(&c->lender.locks);
	store_close(&c->store);
	return o;
}

enum outcome hookscript(struct run *r, int argc, char **argv)
{
	_cleanup_host_ struct host *h = NULL;
	struct call c = { .r = r };
	enum outcome o;
	int phase;

	if (!vmid_parse(argv[0], &c.vmid)) {
		complain("'%s' is no VMID; it is a number from %d to %d", argv[0], VMID_MIN, VMID_MAX);
		return OUTCOME_REFUSED;
	}
	if (argc != 2) {
		complain("usage: handover VMID PHASE");
		return OUTCOME_REFUSED;
	}
	if (r->host_file || r->policy_file) {
		complain("a hook works on this host only, by its own policy; to see what it would do on a file, use `handover rehearse`");
		return OUTCOME_REFUSED;
	}
	phase = phase_find(argv[1]);
	if (phase < 0 || phase >= HOOK_PHASES) {
		complain("phase '%s' is unknown; nothing to do", argv[1]);
		return OUTCOME_DONE;
	}
	c.phase = (enum phase)phase;
	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	c.host = h;
	return open_and_call(&c);
}
