/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pre-start: an earlier life is ended, and devices are lent; or the start is refused, or waits for its turn. */
#include <errno.h>
#include <string.h>

#include "core/builtin.h"
#include "core/leftover.h"
#include "core/prepare.h"
#include "core/pverefuse.h"
#include "guard.h"
#include "hookscript.h"

#define RIVALS_MAX 64	/* VMs whose leftovers one start gives back */
#define STALE_MAX 2	/* times a plan is made anew because the host has changed under it */

/*
 * A lock that is let go, a QEMU that ends and a reservation that runs out have no event in common, so what is waited
 * for is looked at this often. A look is a plan, some ten milliseconds.
 */
#define LOOK_AGAIN_MS 500

/* include/linux/pci_ids.h, PCI_BASE_CLASS_DISPLAY, PCI_CLASS_SERIAL_USB */
#define CLASS_DISPLAY 0x03
#define CLASS_USB 0x0c03

/* What an earlier life left: its start failed after pre-start, or its post-stop never came. */
static enum outcome end_earlier_life(struct call *c)
{
	struct error err = { 0 };
	bool ended;
	enum outcome o = lend_back(&c->lender, c->vmid, &ended, &err);

	if (o != OUTCOME_DONE && !c->lender.all_back)
		return hook_refuse(c, o, &err);
	/* What post-stop could not do is no reason not to start, nor is a network that does not come. */
	if (o != OUTCOME_DONE)
		complain("%u pre-start: after an earlier start of this VM: %s", c->vmid, err.text);
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

	if (!c->policy->guard || guard_start(c->vmid, lease->generation, c->policy->post_stop_ms, c->arena, &why) == 0)
		return 0;
	if (c->needs_guard)
		return error_set(err, why.code, "%s, and a network card, USB controller or display would leave with nobody to bring it "
				 "back if the start fails; nothing was touched", why.text);
	complain("%u pre-start: %s; if the start fails, run `handover recover %u`", c->vmid, why.text, c->vmid);
	return 0;
}

/* Nothing is wrong but that others have what is wanted: that may pass. */
static const struct finding *only_busy(const struct findings *f)
{
	const struct finding *first = NULL;

	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].severity != SEVERITY_ERROR)
			continue;
		if (strcmp(f->list[i].code, "other-guest") != 0)
			return NULL;
		first = first ? first : &f->list[i];
	}
	return f->dropped ? NULL : first;
}

/* What is no error once, however often it is tried. */
static void tell_findings(struct call *c, const struct findings *f)
{
	if (!c->told || f->errors)
		print_findings(f, stderr);
	c->told = true;
}

/* Who waits longer than a lock may take does not do it with other locks in his hands. */
static void learn_patience(struct call *c, const struct profile *profile)
{
	c->looked = true;
	c->wait_ms = profile ? profile->wait_ms : 0;
	c->lender.lock_ms = c->wait_ms ? 0 : c->policy->lock_ms;
}

static enum outcome lend(struct call *c, const struct pve_guest *guest, const struct profile *profile, uint64_t hash,
			 struct findings *f)
{
	struct planner planner = { .host = c->host, .policy = c->policy, .profile = profile, .vmid = c->vmid, .guest = guest,
				   .now = true };
	const struct finding *busy;
	struct error err = { 0 };
	enum outcome o;
	bool planned;

	if (profile && profile_is_host(profile))
		finding_add(f, SEVERITY_ERROR, "boot-in-vm", (struct place){ .file = profile->file },
			    "move 'boot' to " PROFILE_HOST, "'boot' stands in the profile of a VM");
	learn_patience(c, profile);
	planned = profile && f->errors == 0 && prepare_plan(&planner, &c->store, f, &err);
	busy = c->wait_ms && !err.code ? only_busy(f) : NULL;
	if (busy) {
		error_set(&err, -EBUSY, "%s", busy->what);
		return hook_refuse(c, OUTCOME_BUSY, &err);
	}
	tell_findings(c, f);
	if (!planned && err.code)
		return hook_refuse(c, OUTCOME_FAILED, &err);
	if (!planned)
		return OUTCOME_REFUSED;
	c->needs_guard = needs_guard(&planner);
	c->lender.ready = start_guard;
	c->lender.ready_arg = c;
	o = lend_out(&c->lender, c->vmid, profile, hash, &planner.plan, &err);
	c->stale = o == OUTCOME_FAILED && err.code == -ESTALE && c->n_stale++ < STALE_MAX;
	if (c->stale)
		complain("%u pre-start: %s; the plan is made anew", c->vmid, err.text);
	return o == OUTCOME_DONE || c->stale ? o : hook_refuse(c, o, &err);
}

/* Without a profile, "bind: hostpci" stands in; for a VM that asks for no device of the host there is nothing to do. */
static enum outcome lend_builtin(struct call *c, const struct pve_guest *guest)
{
	const struct profile *profile;
	struct findings f;
	uint64_t hash = 0;

	findings_init(&f, c->arena);
	profile = builtin_profile(guest, c->policy, c->vmid, &hash, &f);
	if (!profile && f.errors == 0) {
		pverefuse_tell(c->host, guest, c->vmid, NULL, NULL, &f);
		print_findings(&f, stderr);
		return f.errors ? OUTCOME_REFUSED : OUTCOME_DONE;
	}
	if (profile && !c->told)
		complain("%u pre-start: no profile; built in: 'bind: hostpci', and nothing accepted", c->vmid);
	return lend(c, guest, profile, hash, &f);
}

static enum outcome lend_profile(struct call *c, const struct pve_guest *guest, const char *path, struct findings *f)
{
	uint64_t hash = 0;
	const struct profile *profile = profile_load(path, &hash, f);

	if (profile && !c->named && !c->r->quiet)
		complain("%u pre-start: profile %s", c->vmid, profile_files(profile, c->arena));
	c->named = true;
	return lend(c, guest, profile, hash, f);
}

static enum outcome lend_to(struct call *c)
{
	struct pve_guest guest;
	struct findings f;
	struct error err;
	bool is_read = pveconf_read(c->host, c->vmid, c->arena, &guest, &err) == 0;
	const char *path;

	/* It is started for a backup alone, and then Proxmox leaves its devices out (PVE/QemuServer.pm, vm_start_nolock). */
	if (is_read && guest.template)
		return OUTCOME_DONE;
	findings_init(&f, c->arena);
	path = profile_path(c->vmid, &f);
	if (path)
		return lend_profile(c, is_read ? &guest : NULL, path, &f);
	if (is_read)
		return lend_builtin(c, &guest);
	return err.code == -ENOENT ? OUTCOME_DONE : hook_refuse(c, OUTCOME_REFUSED, &err);
}

/* A start from its beginning, whatever was seen before: nothing was locked meanwhile. */
static enum outcome try_start(struct call *c)
{
	struct error err = { 0 };
	enum outcome o = lend_lock(&c->lender, c->vmid, &err);
	int qemu = pve_running(c->host, c->vmid);

	if (o != OUTCOME_DONE)
		return hook_refuse(c, o, &err);
	if (qemu) {
		complain("%u pre-start: VM %u runs already (process %d); nothing was touched", c->vmid, c->vmid, qemu);
		return OUTCOME_REFUSED;
	}
	o = end_earlier_life(c);
	return o == OUTCOME_DONE ? lend_to(c) : o;
}

/* --- its turn ----------------------------------------------------------------------------------------------------- */

/*
 * The VM that has a device of ours may be gone: its start failed after pre-start, or its post-stop never came. Then what
 * it was lent is given back here. OUTCOME_DONE: it may be tried again. OUTCOME_BUSY: the VM has it rightly.
 */
static enum outcome end_rival(struct call *c, unsigned rival)
{
	struct teller teller = { arena_fmt(c->arena, "%u pre-start, VM %u", c->vmid, rival), c->r->quiet };
	struct lender l = c->lender;
	struct error err = { 0 };
	struct leftover x;
	enum outcome o;

	l.locks.n = 0;
	l.engine.arg = &teller;
	l.purpose = arena_fmt(c->arena, "VM %u, given back for VM %u", rival, c->vmid);
	o = leftover_end(&l, rival, NULL, &x, &err);
	lockset_release(&l.locks);
	if (x.starting || x.qemu)
		return OUTCOME_BUSY;
	if (o == OUTCOME_BUSY || (o == OUTCOME_FAILED && !x.ended))
		return hook_refuse(c, o, &err);
	if (o == OUTCOME_CHANGED && !l.all_back) {
		complain("%u pre-start: what VM %u, which does not run, was lent is not back: %s; `handover recover %u` tries again",
			 c->vmid, rival, err.text, rival);
		return o;
	}
	if (o != OUTCOME_DONE)
		complain("%u pre-start: VM %u: %s", c->vmid, rival, err.text);
	if (x.ended)
		complain("%u pre-start: gave back what VM %u, which does not run, had left lent", c->vmid, rival);
	return OUTCOME_DONE;
}

/* A try with memory of its own, for there may be many. */
static enum outcome try_alone(struct call *c, bool *again)
{
	_cleanup_arena_ struct arena *a = arena_new();
	enum outcome o;

	c->arena = c->lender.arena = a;
	c->stale = false;
	c->lender.rival = 0;
	o = try_start(c);
	lockset_release(&c->lender.locks);
	*again = c->stale;
	if (o == OUTCOME_BUSY && c->lender.rival) {
		o = end_rival(c, c->lender.rival);
		*again = o == OUTCOME_DONE;
	}
	c->arena = c->lender.arena = c->r->arena;
	return o;
}

/* What the profile says of a busy VM before there was a look at it. */
static void look_for_patience(struct call *c)
{
	struct findings ignored;
	const char *path;
	uint64_t hash;

	if (c->looked)
		return;
	findings_init(&ignored, c->arena);
	path = profile_path(c->vmid, &ignored);
	learn_patience(c, path ? profile_load(path, &hash, &ignored) : NULL);
}

/* Until it is time to look again. False: it has waited long enough, or is told to end. */
static bool wait_for_turn(struct call *c, int64_t *begun)
{
	int64_t now = host_now(c->host), left;
	int signal;

	look_for_patience(c);
	if (*begun < 0) {
		*begun = now;
		if (c->wait_ms)
			complain("%u pre-start: waits at most %g s: %s", c->vmid, c->wait_ms / 1000.0, c->busy);
	}
	left = *begun + c->wait_ms - now;
	if (left <= 0) {
		complain("%u pre-start: %s%s", c->vmid, c->wait_ms ? "has waited in vain: " : "", c->busy);
		return false;
	}
	signal = wait_for_signal(left < LOOK_AGAIN_MS ? (unsigned)left : LOOK_AGAIN_MS);
	if (signal)
		complain("%u pre-start: told to end (%s) while it waited: %s", c->vmid, strsignal(signal), c->busy);
	return signal == 0;
}

enum outcome hook_pre_start(struct call *c)
{
	unsigned at_once = 0;
	int64_t begun = -1;

	for (;;) {
		bool again;
		enum outcome o = try_alone(c, &again);

		if (again && at_once++ < RIVALS_MAX)
			continue;
		if (again)
			o = OUTCOME_BUSY;
		if (o == OUTCOME_DONE && begun >= 0 && !c->r->quiet)
			complain("%u pre-start: had to wait for %.1f s", c->vmid, (double)(host_now(c->host) - begun) / 1000);
		if (o != OUTCOME_BUSY || !wait_for_turn(c, &begun))
			return o;
	}
}
