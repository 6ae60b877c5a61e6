/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_LIFE_H
#define HANDOVER_TESTS_LIFE_H

/* A simulated host on which VMs come and go: profiles are planned and lent by a store in a folder of its own. */
#include "support.h"

#include <unistd.h>

#include "core/lend.h"
#include "core/prepare.h"

#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

#define EVENTS_MAX 64

/* What the engine told. */
struct told {
	enum event_kind kind;
	enum goal goal;
	char device[64], text[512];
};

struct life {
	struct host host;	/* what the product sees: sim, but for what follows */
	struct host *sim;
	const char *deaf;	/* reading this name does not come back */
	const char *counted;	/* how often this name is looked at is counted, there or not: each look asks first for a link */
	unsigned reads;
	const struct policy *policy;	/* life_new(): without_rails */
	void (*before)(struct life *x, const char *name, const char *value);	/* of every write */
	void (*after)(struct life *x, const char *name, const char *value);
	unsigned removed;	/* writes to "remove" */
	unsigned scanned;	/* and to "rescan" */

	struct arena *a;	/* of what lives as long as this */
	char folder[40];
	struct store store;
	struct findings f;	/* of the last plan */
	struct planner p;
	struct error err;	/* of the last run */
	bool ended;		/* whether there was a lease to take back */
	struct told told[EVENTS_MAX];
	size_t n_told;
};

/* What the host stands on is told, and refused only where nobody could accept it: these tests are about other things. */
static const char *own_units[] = {
	"networking.service", "netbird.service", "mpd.service", "other.service", "user@1000.service",
	"pve-container@105.service",
};
static const struct policy without_rails = { .automatic = false, .services = { own_units, COUNT(own_units) } };

/* --- the host ---------------------------------------------------------------------------------------------------- */

static inline ssize_t life_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct life *x = (struct life *)h;

	if (x->deaf && strcmp(x->deaf, name) == 0)
		return -ETIMEDOUT;
	return x->sim->ops->read(x->sim, name, buf, size);
}

static inline ssize_t life_link(struct host *h, const char *name, char *buf, size_t size)
{
	struct life *x = (struct life *)h;

	x->reads += x->counted && strcmp(x->counted, name) == 0;
	return x->sim->ops->link(x->sim, name, buf, size);
}

static inline int life_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	struct life *x = (struct life *)h;

	if (x->deaf && strcmp(x->deaf, name) == 0)
		return -EIO;
	return x->sim->ops->list(x->sim, name, a, names, n);
}

static inline int life_write(struct host *h, const char *name, const char *value, unsigned ms, struct host_stuck *stuck)
{
	struct life *x = (struct life *)h;
	const char *file = strrchr(name, '/') + 1;
	int code;

	x->removed += strcmp(file, "remove") == 0;
	x->scanned += strcmp(file, "rescan") == 0;
	if (x->before)
		x->before(x, name, value);
	code = x->sim->ops->write(x->sim, name, value, ms, stuck);
	if (x->after)
		x->after(x, name, value);
	return code;
}

static inline int life_wait(struct host *h, unsigned ms)
{
	struct life *x = (struct life *)h;

	return x->sim->ops->wait(x->sim, ms);
}

static inline int64_t life_now(struct host *h)
{
	struct life *x = (struct life *)h;

	return x->sim->ops->now(x->sim);
}

static inline void life_close(struct host *h)
{
	host_close(((struct life *)h)->sim);
}

static inline struct life *life_new(struct host *sim)
{
	static const struct host_ops ops = {
		.read = life_read, .link = life_link, .list = life_list, .write = life_write, .wait = life_wait,
		.now = life_now, .close = life_close,
	};
	struct life *x = calloc(1, sizeof(*x));
	char path[64];

	assert_non_null(x);
	x->host.ops = &ops;
	x->sim = sim;
	x->policy = &without_rails;
	x->a = arena_new();
	strcpy(x->folder, "/tmp/handover-life-XXXXXX");
	assert_non_null(mkdtemp(x->folder));
	snprintf(path, sizeof(path), "%s/store", x->folder);
	if (store_open(&x->store, path, &x->err) < 0)
		fail_msg("%s", x->err.text);
	return x;
}

/* The same with the guard rails of a host that has no policy. */
static inline struct life *life_guarded(struct host *sim)
{
	struct life *x = life_new(sim);

	x->policy = NULL;
	return x;
}

static inline void life_free(struct life *x)
{
	_cleanup_arena_ struct arena *a = arena_new();

	store_close(&x->store);
	assert_int_equal(system(arena_fmt(a, "rm -rf '%s'", x->folder)), 0);
	host_close(&x->host);
	arena_free(x->a);
	free(x);
}

/* --- plans ------------------------------------------------------------------------------------------------------- */

/* Plans a profile; the findings are kept in x->f. */
static inline bool life_plan(struct life *x, unsigned vmid, const char *text)
{
	const struct profile *profile;
	bool planned;

	findings_init(&x->f, x->a);
	profile = profile_parse(text, strlen(text), "test.yaml", &x->f);
	if (!profile)
		fail_msg("%s", finding_line(&x->f.list[0], x->a));
	x->err = (struct error){ 0 };
	x->p = (struct planner){ .host = &x->host, .policy = x->policy, .profile = profile, .vmid = vmid };
	planned = prepare_plan(&x->p, &x->store, &x->f, &x->err);
	if (x->err.code)
		fail_msg("%s", x->err.text);
	assert_int_equal(planned, x->f.errors == 0);
	return planned;
}

/* The only error of a plan, and it is this one; nothing was written for it. */
static inline const struct finding *life_refused(struct life *x, unsigned vmid, const char *text, const char *code)
{
	unsigned writes = sim_writes(x->sim);
	const struct finding *found = NULL;

	life_plan(x, vmid, text);
	for (size_t i = 0; i < x->f.n; i++) {
		if (x->f.list[i].severity != SEVERITY_ERROR)
			continue;
		if (found || strcmp(x->f.list[i].code, code) != 0)
			fail_msg("unexpected: %s", finding_line(&x->f.list[i], x->a));
		found = &x->f.list[i];
	}
	if (!found)
		fail_msg("'%s' is not refused: %s", text, code);
	assert_int_equal(sim_writes(x->sim), writes);
	return found;
}

/* What the last plan told under this code; it must have. */
static inline const struct finding *life_finding(struct life *x, const char *code)
{
	static const struct finding none = { .code = "", .what = "", .remedy = "" };
	const struct finding *f = find_code(&x->f, code);

	if (!f)
		fail_msg("nothing is told of %s", code);
	return f ? f : &none;
}

static inline void life_must_plan(struct life *x, unsigned vmid, const char *text)
{
	if (!life_plan(x, vmid, text))
		fail_msg("%s", finding_line(&x->f.list[x->f.n - 1], x->a));
}

/* --- leases ------------------------------------------------------------------------------------------------------ */

static inline void life_hear(void *arg, const struct event *e)
{
	struct life *x = arg;
	struct told *t = &x->told[x->n_told++];

	assert_true(x->n_told < EVENTS_MAX);
	*t = (struct told){ .kind = e->kind, .goal = e->goal };
	snprintf(t->device, sizeof(t->device), "%s", e->step->device);
	snprintf(t->text, sizeof(t->text), "%s", e->text ? e->text : "");
}

static inline const struct told *life_event(const struct life *x, enum event_kind kind, const char *device)
{
	for (size_t i = 0; i < x->n_told; i++)
		if (x->told[i].kind == kind && strcmp(x->told[i].device, device) == 0)
			return &x->told[i];
	return NULL;
}

static inline void life_lender(struct life *x, struct lender *l, struct arena *a, unsigned vmid)
{
	x->err = (struct error){ 0 };
	x->n_told = 0;
	lender_init(l, &x->host, &x->store, a, "a test");
	l->engine.tell = life_hear;
	l->engine.arg = x;
	assert_int_equal(lend_lock(l, vmid, &x->err), OUTCOME_DONE);
}

/* A plan that is good is lent. */
static inline enum outcome life_lend(struct life *x, unsigned vmid, const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lender l;
	enum outcome o;

	life_must_plan(x, vmid, text);
	life_lender(x, &l, a, vmid);
	o = lend_out(&l, vmid, x->p.profile, 1, &x->p.plan, &x->err);
	lockset_release(&l.locks);
	return o;
}

static inline void life_must_lend(struct life *x, unsigned vmid, const char *text)
{
	if (life_lend(x, vmid, text) != OUTCOME_DONE)
		fail_msg("%s", x->err.text);
}

static inline enum outcome life_back(struct life *x, unsigned vmid)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lender l;
	enum outcome o;

	life_lender(x, &l, a, vmid);
	o = lend_back(&l, vmid, &x->ended, &x->err);
	lockset_release(&l.locks);
	return o;
}

static inline void life_must_end(struct life *x, unsigned vmid)
{
	if (life_back(x, vmid) != OUTCOME_DONE)
		fail_msg("%s", x->err.text);
	assert_true(x->ended);
}

/* Whether the VM has a lease. */
static inline bool life_has_lease(struct life *x, unsigned vmid)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lease lease;
	struct error ignored;

	return journal_peek(&x->store, vmid, a, &lease, &ignored) == 0;
}

/* A host whose slot 1f is one group: its network interface is down, so the slot may go as a whole. */
static inline struct life *life_idle(struct host *sim)
{
	sim_set(sim, "nic/0000:00:1f.6/up", "down");
	return life_new(sim);
}

/* The EliteDesk after its host.yaml: each of 1f.0 and 1f.3 to 1f.6 is alone. No VM asks for any of them. */
static inline struct life *life_booted(struct host *sim)
{
	struct life *x = life_new(sim);
	size_t n;
	char *text = file_read(x->a, "profiles/elitedesk/host.yaml", &n);

	text[n] = '\0';
	sim_remove(sim, "etc/pve/qemu-server/100.conf");
	life_must_lend(x, HOST_VMID, text);
	return x;
}

#endif
