/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "core/off.h"
#include "core/prepare.h"
#include "core/settle.h"
#include "hookscript.h"

#define DIFFERENCES_MAX 20

/* Whether its journal is there and cannot be read: `recover` can do no more then than we could. */
static bool is_unknown(struct call *c)
{
	struct lease lease;
	struct error err;

	return c->lender.store && journal_peek(&c->store, c->vmid, c->r->arena, &lease, &err) < 0 && err.code != -ENOENT;
}

static void tell_what_is_left(struct call *c)
{
	if (is_unknown(c))
		complain("%u %s: nobody knows what it was lent; bring its devices where they belong and remove the journal, or "
			 "reboot the host", c->vmid, phase_name(c->phase));
	else
		complain("%u %s: the host is not as it was; `handover status %u` shows what is left, "
			 "`handover recover %u` tries again", c->vmid, phase_name(c->phase), c->vmid, c->vmid);
}

enum outcome hook_refuse(struct call *c, enum outcome o, const struct error *err)
{
	/* Whether that is waited for is for the end of the try. */
	if (o == OUTCOME_BUSY && c->phase == PHASE_PRE_START) {
		memcpy(c->busy, err->text, sizeof(c->busy));
		return o;
	}
	complain("%u %s: %s", c->vmid, phase_name(c->phase), err->text);
	if (o == OUTCOME_CHANGED && !c->lender.all_back)
		tell_what_is_left(c);
	return o;
}

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

/* One line of the VM for which Proxmox has chosen another device than was prepared. */
static enum outcome settle_line(struct call *c, const struct lease *lease, const struct settled *s)
{
	struct error err = { 0 };
	enum outcome o;

	complain("%u post-start: of the mapping '%s', Proxmox has given hostpci%d the device %s, and not %s, which was "
		 "prepared", c->vmid, s->mapping, s->hostpci, s->taken->map->path, s->prepared->map->path);
	if (*s->remedy)
		complain("%u post-start: Proxmox took %s by itself, so nothing brings it back when the VM stops; then run "
			 "`%s`", c->vmid, s->taken->map->path, s->remedy);
	if (!s->steps) {
		complain("%u post-start: %s stays as it is until the VM stops: by its IOMMU group or its steps it goes with "
			 "what this VM has, or another has reserved it", c->vmid, s->prepared->map->path);
		return OUTCOME_DONE;
	}
	/* Those of the phase are done with. */
	lockset_release(&c->lender.locks);
	o = lend_lock(&c->lender, c->vmid, &err);
	if (o == OUTCOME_DONE)
		o = lend_give(&c->lender, c->vmid, lease->generation, s->steps, &err);
	if (o == OUTCOME_DONE)
		complain("%u post-start: %s is back", c->vmid, s->prepared->map->path);
	else if (c->lender.all_back)
		complain("%u post-start: %s: %s", c->vmid, s->prepared->map->path, err.text);
	else
		complain("%u post-start: %s comes back when the VM stops: %s", c->vmid, s->prepared->map->path, err.text);
	return o;
}

static enum outcome settle_devices(struct call *c, const struct lease *lease)
{
	enum outcome all = OUTCOME_DONE;
	struct settled *list;
	struct error err;
	size_t n;

	if (settle(c->host, lease, c->r->arena, &list, &n, &err) < 0) {
		complain("%u post-start: it is not known which devices of its mappings the VM has: %s", c->vmid, err.text);
		return OUTCOME_DONE;
	}
	for (size_t i = 0; i < n; i++) {
		enum outcome o = settle_line(c, lease, &list[i]);

		all = o == OUTCOME_DONE ? all : o;
	}
	return all;
}

/* The VM runs: has it what it was lent? */
static enum outcome post_start(struct call *c)
{
	const char *lines[DIFFERENCES_MAX];
	struct lease lease;
	enum outcome o, settled;
	struct error err;
	size_t n;

	if (journal_peek(&c->store, c->vmid, c->r->arena, &lease, &err) < 0)
		return err.code == -ENOENT ? OUTCOME_DONE : hook_refuse(c, OUTCOME_CHANGED, &err);
	if (!lease_is_of_this_boot(c->host, &lease))
		return OUTCOME_DONE;
	n = engine_differences(c->host, &lease, GOAL_TO, c->r->arena, lines, DIFFERENCES_MAX);
	for (size_t i = 0; i < n && i < DIFFERENCES_MAX; i++)
		complain("%u post-start: %s", c->vmid, lines[i]);
	o = do_phase(c);
	settled = settle_devices(c, &lease);
	return o == OUTCOME_DONE ? settled : o;
}

static enum outcome post_stop(struct call *c)
{
	struct error err = { 0 };
	bool ended;
	enum outcome o = lend_lock(&c->lender, c->vmid, &err);
	int qemu = pve_running(c->host, c->vmid);

	if (o != OUTCOME_DONE)
		return hook_refuse(c, o == OUTCOME_BUSY ? o : OUTCOME_CHANGED, &err);
	if (qemu) {
		/* A post-stop that comes late, after the VM was started again: its devices are in use. */
		complain("%u post-stop: QEMU runs (process %d); its devices stay with it", c->vmid, qemu);
		return OUTCOME_DONE;
	}
	o = lend_back(&c->lender, c->vmid, &ended, &err);
	return o == OUTCOME_DONE ? o : hook_refuse(c, o, &err);
}

static enum outcome call_phase(struct call *c)
{
	switch (c->phase) {
	case PHASE_PRE_START:
		return hook_pre_start(c);
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

/* Whoever has switched it off wants no device to leave; what has left still comes back, by post-stop. */
static enum outcome stay_off(struct call *c, const char *off)
{
	const struct profile *profile = NULL;
	struct pve_guest guest = { 0 };
	const char *path;
	struct findings f;
	struct error err;
	uint64_t hash;

	if (c->phase != PHASE_PRE_START)
		return OUTCOME_DONE;
	findings_init(&f, c->arena);
	path = profile_path(c->vmid, &f);
	if (path)
		profile = profile_load(path, &hash, &f);
	if (pveconf_read(c->host, c->vmid, c->arena, &guest, &err) < 0 && err.code != -ENOENT)
		return hook_refuse(c, OUTCOME_REFUSED, &err);
	/* A profile that is wrong may well have steps. */
	if (!needs_host(&guest, profile) && (profile || !path))
		return OUTCOME_DONE;
	complain("%u pre-start: %s: no device leaves the host, and VM %u asks for some; it starts after a boot without that word",
		 c->vmid, off, c->vmid);
	return OUTCOME_REFUSED;
}

static enum outcome open_and_call(struct call *c)
{
	const char *off = off_reason(c->host, c->arena);
	struct error err = { 0 };
	enum outcome o;

	if (off && c->phase != PHASE_POST_STOP)
		return stay_off(c, off);
	if (!load_policy(c))
		return OUTCOME_REFUSED;
	if (store_open(&c->store, STORE_PATH, &err) < 0)
		return hook_refuse(c, c->phase == PHASE_POST_STOP ? OUTCOME_CHANGED : OUTCOME_FAILED, &err);
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
	struct call c = { .r = r, .arena = r->arena };
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
