/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover boot: what /etc/handover/host.yaml asks for, once per boot, before there is a network. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/off.h"
#include "core/prepare.h"
#include "core/store.h"
#include "verb/verb.h"

#define DIFFERENCES_MAX 20
#define PURPOSE "the host, boot"

/* One run of it. */
struct boot {
	struct run *r;
	struct host *host;
	const struct policy *policy;	/* NULL: it is wrong, and the findings say why */
	struct findings findings;
	struct store store;
	struct lender lender;
	struct teller teller;
};

static enum outcome fail(const struct boot *b, enum outcome o, const struct error *err)
{
	complain("boot: %s", err->text);
	if (o == OUTCOME_CHANGED && !b->lender.all_back)
		complain("boot: the host is not as it was; `handover status` shows what is left, `handover boot` tries again");
	return o;
}

/* It was done in this boot: is it still so? */
static enum outcome verify(struct boot *b, const struct lease *lease)
{
	const char *lines[DIFFERENCES_MAX];
	struct findings ignored;
	enum outcome o = OUTCOME_DONE;
	uint64_t hash = 0;
	size_t n = lend_host_differences(&b->store, b->host, lease, b->r->arena, lines, DIFFERENCES_MAX);

	for (size_t i = 0; i < n; i++) {
		complain("boot: %s", lines[i]);
		o = OUTCOME_CHANGED;
	}
	findings_init(&ignored, b->r->arena);
	profile_load(lease->profile, &hash, &ignored);
	if (hash != lease->profile_hash)
		complain("boot: %s has changed since; it is done at the next boot", lease->profile);
	if (o == OUTCOME_DONE && !b->r->quiet)
		complain("boot: done before, and still so");
	return o;
}

static enum outcome prepare(struct boot *b, const char *path)
{
	struct findings *f = &b->findings;
	struct planner planner = { .host = b->host, .policy = b->policy, .vmid = HOST_VMID, .now = true };
	struct error err = { 0 };
	const struct profile *profile;
	uint64_t hash;
	enum outcome o;
	bool planned;

	planner.profile = profile = profile_load(path, &hash, f);
	if (profile && !profile_is_host(profile))
		finding_add(f, SEVERITY_ERROR, "not-for-boot", (struct place){ .file = path },
			    "put its steps under 'boot', or into the profile of a VM", "there is no 'boot' in it");
	if (profile && profile->n_layers > 1 && !b->r->quiet)
		complain("boot: profile %s", profile_files(profile, b->r->arena));
	planned = profile && f->errors == 0 && prepare_plan(&planner, &b->store, f, &err);
	print_findings(f, stderr);
	if (err.code < 0)
		return fail(b, OUTCOME_FAILED, &err);
	if (!planned)
		return OUTCOME_REFUSED;
	o = lend_out(&b->lender, HOST_VMID, profile, hash, &planner.plan, &err);
	return o == OUTCOME_DONE ? o : fail(b, o, &err);
}

static enum outcome boot_locked(struct boot *b, const char *path)
{
	struct lease lease;
	struct error err = { 0 };
	enum outcome o;
	bool ended;
	int code = journal_peek(&b->store, HOST_VMID, b->r->arena, &lease, &err);

	if (code < 0 && code != -ENOENT)
		return fail(b, OUTCOME_CHANGED, &err);
	if (code == 0 && lease_is_prepared(b->host, &lease))
		return verify(b, &lease);
	/* Somebody ended an earlier run of it half-way. */
	o = lend_back(&b->lender, HOST_VMID, &ended, &err);
	if (o != OUTCOME_DONE && !b->lender.all_back)
		return fail(b, o, &err);
	if (o != OUTCOME_DONE)
		complain("boot: after an earlier run of it: %s", err.text);
	return prepare(b, path);
}

static enum outcome boot_with_store(struct boot *b, const char *path)
{
	struct error err = { 0 };
	enum outcome o;

	if (store_open(&b->store, STORE_PATH, &err) < 0)
		return fail(b, OUTCOME_FAILED, &err);
	block_signals();
	lender_init(&b->lender, b->host, &b->store, b->r->arena, PURPOSE);
	b->teller = (struct teller){ .who = "boot", .quiet = b->r->quiet };
	if (b->policy) {
		b->lender.lock_ms = b->policy->lock_ms;
		b->lender.engine.phase_ms = b->policy->phase_ms;
	}
	b->lender.engine.tell = tell_event;
	b->lender.engine.arg = &b->teller;
	o = lend_lock(&b->lender, HOST_VMID, &err);
	o = o == OUTCOME_DONE ? boot_locked(b, path) : fail(b, o, &err);
	lockset_release(&b->lender.locks);
	store_close(&b->store);
	return o;
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct boot b = { .r = r };
	enum outcome o = open_host(r, &h);
	const char *off;

	if (o != OUTCOME_DONE)
		return o;
	b.host = h;
	findings_init(&b.findings, r->arena);
	off = off_reason(h, r->arena);
	if (off) {
		complain("boot: %s; nothing is done", off);
		return OUTCOME_DONE;
	}
	/* Whatever it is that stands there: a broken link is told of when it is read. */
	if (faccessat(AT_FDCWD, PROFILE_HOST, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
		if (!r->quiet)
			complain("boot: there is no " PROFILE_HOST "; nothing to do");
		return OUTCOME_DONE;
	}
	b.policy = open_policy(r, h, &b.findings);
	return boot_with_store(&b, PROFILE_HOST);
}

const struct verb verb_boot = {
	.name = "boot",
	.args = "",
	.help = "does what " PROFILE_HOST " asks for, once per boot; run again, it only looks whether it is still so",
	.run = run,
};
