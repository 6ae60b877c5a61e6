/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/builtin.h"
#include "core/holders.h"
#include "core/nic.h"
#include "core/policy.h"
#include "core/rails_parts.h"
#include "core/split.h"
#include "core/stake_disks.h"

#define EVIDENCE_MAX 3		/* of one code, in one line */
#define CLASS_USB 0x0c03	/* include/linux/pci_ids.h, PCI_CLASS_SERIAL_USB */

/* In the order in which they are told: the gravest first. */
static const struct kind {
	const char *code;
	bool acceptable;	/* there is a sane way to live with it */
	bool doubt;		/* it is not known to be so */
} kinds[] = {
	{ "root-disk", false, false },
	{ "storage-in-use", false, false },
	{ "storage-unreadable", false, true },
	{ "other-guest", false, false },
	{ "watchdog-armed", false, false },
	{ "device-held", false, false },
	{ "device-busy", false, false },
	{ "holders-unreadable", false, true },
	{ "management-nic", true, false },
	{ "network-unreadable", false, true },
	{ "console", true, false },
	{ "last-keyboard", true, false },	/* of no stake, but of all input devices together */
	{ "input-unreadable", false, true },	/* the same */
	{ "storage-member", true, false },
	{ "platform-function", true, false },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void read_others(struct stakes *s, unsigned vmid)
{
	stakes_storage(s);
	stakes_network(s);
	stakes_console(s);
	stakes_platform(s);
	stakes_guests(s, vmid);
}

void rails_read(struct stakes *s, unsigned vmid)
{
	read_others(s, vmid);
	stakes_busy(s, vmid);
}

static const struct kind *kind_of(const char *code)
{
	static const struct kind other = { "", false, false };

	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].code, code) == 0)
			return &kinds[i];
	return &other;
}

enum consent rails_consent(const char *code)
{
	if (!kind_of(code)->acceptable)
		return CONSENT_NEVER;
	return policy_needs_consent(code) ? CONSENT_BOTH : CONSENT_PROFILE;
}

/* --- what leaves ------------------------------------------------------------------------------------------------- */

const char *leaving_name(const struct leaving *l)
{
	return l->usb ? l->usb->name : l->fn->address;
}

const char *leaving_id(const struct planner *p, const struct leaving *l)
{
	if (l->usb)
		return arena_fmt(p->arena, "%s (%s)", l->usb->name, l->usb->id);
	if (!l->because)
		return l->fn->address;
	return arena_fmt(p->arena, "%s, which shares its IOMMU group with %s", l->fn->address, l->because->address);
}

bool leaving_has_usb(const struct leaving *l)
{
	return l->usb || l->fn->class >> 8 == CLASS_USB;
}

const char *rails_join(struct arena *a, const char *x, const char *between, const char *y)
{
	return x && y ? arena_fmt(a, "%s%s%s", x, between, y) : x ? x : y;
}

const char *rails_split(const struct planner *p, const struct function *fn)
{
	return split_can(p->inventory, fn, p->arena) ? "split the group at boot ('isolate')" : NULL;
}

const char *leaving_remedy(const struct planner *p, const struct leaving *l, const char *remedy)
{
	const char *first = NULL;

	if (l->because)
		first = rails_join(p->arena, rails_split(p, l->because), ", or ",
				   arena_fmt(p->arena, "leave %s", l->because->address));
	return rails_join(p->arena, first, "; ", remedy);
}

/* Whose acceptance counts: the function itself, or the controller of a USB device. */
static const struct function *function_of(const struct planner *p, const struct leaving *l)
{
	return l->usb ? inventory_find(p->inventory, l->usb->controller) : l->fn;
}

/* --- one finding ------------------------------------------------------------------------------------------------- */

void trouble_add(const struct rails *r, struct trouble *t, const char *name, const char *id)
{
	t->things = arena_grow(r->p->arena, t->things, t->n_things, sizeof(*t->things));
	t->things[t->n_things++] = (struct called){ name, id };
}

static bool is_allowed(const struct planner *p, const char *code, const struct called *thing)
{
	return policy_allows(p->policy, code, NULL, thing->name) || policy_allows(p->policy, code, NULL, thing->id);
}

/* The device as a whole, or each thing on it: consent to one thing says nothing of the one beside it. */
static bool policy_accepts(const struct planner *p, const struct trouble *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_things; i++)
		n += is_allowed(p, t->code, &t->things[i]);
	return policy_allows(p->policy, t->code, function_of(p, t->leaving), NULL) || (n && n == t->n_things);
}

/* Whether things of that code are told by their own names: those stay when an address changes. */
static bool goes_by_names(const struct planner *p, const struct trouble *t)
{
	bool named = t->leaving->usb || strcmp(t->code, "management-nic") == 0;

	for (size_t i = 0; i < t->n_things; i++)
		named = named || is_allowed(p, t->code, &t->things[i]);
	return named && t->n_things;
}

/* What is missing in the policy: the names of the things, or the device as a whole. */
static const char *policy_words(const struct planner *p, const struct trouble *t)
{
	const char *words = NULL;

	if (!goes_by_names(p, t))
		return leaving_name(t->leaving);
	for (size_t i = 0; i < t->n_things; i++) {
		bool known = is_allowed(p, t->code, &t->things[i]);

		for (size_t k = 0; k < i; k++)
			known = known || strcmp(t->things[k].name, t->things[i].name) == 0;
		if (!known)
			words = rails_join(p->arena, words, " ", t->things[i].name);
	}
	return words;
}

/* A key stands in the policy once. */
static const char *policy_line(const struct planner *p, const struct trouble *t)
{
	for (size_t i = 0; i < p->policy->n_allows; i++)
		if (strcmp(p->policy->allows[i].code, t->code) == 0)
			return arena_fmt(p->arena, "'%s' to '%s' under [allow] in " POLICY_PATH, policy_words(p, t), t->code);
	return arena_fmt(p->arena, "'%s = %s' under [allow] in " POLICY_PATH, t->code, policy_words(p, t));
}

/* The lines that are still missing for it to be accepted; NULL if it cannot be, or nothing is missing. */
static const char *missing_lines(const struct planner *p, const struct trouble *t)
{
	const struct function *fn = function_of(p, t->leaving);
	enum consent consent = rails_consent(t->code);
	const char *profile = NULL, *policy = NULL, *name;
	struct arena *a = p->arena;

	if (consent == CONSENT_NEVER || !fn)
		return NULL;
	name = planner_name(p, fn);
	if (builtin_is(p->profile))
		profile = builtin_remedy(p, t->code);
	else if (!planner_accepts(p, t->code, fn))
		profile = name ? arena_fmt(a, "add 'accept: {%s: %s}' to the profile", t->code, name) :
			  arena_fmt(a, "name %s under 'devices' in the profile and add 'accept: {%s: NAME}'",
				    fn->address, t->code);
	if (consent == CONSENT_BOTH && !policy_accepts(p, t))
		policy = arena_fmt(a, "%s%s", profile ? "" : "add ", policy_line(p, t));
	return rails_join(a, profile, " and ", policy);
}

/* At boot there is no network yet; a plan that is made later only foretells that. */
static bool is_before_network(const struct planner *p, const struct trouble *t)
{
	return t->leaving->phase == PHASE_BOOT && !p->now &&
	       (strcmp(t->code, "management-nic") == 0 || strcmp(t->code, "network-unreadable") == 0);
}

enum told rails_tell(struct planner *p, const struct trouble *t)
{
	const char *lines = missing_lines(p, t), *remedy = leaving_remedy(p, t->leaving, t->remedy);
	enum consent consent = rails_consent(t->code);
	enum severity severity = SEVERITY_ERROR;

	if (is_before_network(p, t)) {
		finding_add(p->findings, SEVERITY_NOTE, t->code, t->leaving->place, NULL,
			    "%s; at boot it leaves and is back before there is a network", t->what);
		return TOLD_FORETOLD;
	}
	if (consent != CONSENT_NEVER && function_of(p, t->leaving) && !lines) {
		finding_add(p->findings, SEVERITY_NOTE, t->code, t->leaving->place, NULL, "%s (accepted)", t->what);
		return TOLD_ACCEPTED;
	}
	if ((consent != CONSENT_NEVER || kind_of(t->code)->doubt) && !p->policy->automatic)
		severity = SEVERITY_WARNING;
	p->refused += severity == SEVERITY_ERROR;
	if (remedy && lines)
		remedy = arena_fmt(p->arena, "%s; to hand it over all the same, %s", remedy, lines);
	finding_add(p->findings, severity, t->code, t->leaving->place, remedy ? remedy : lines, "%s", t->what);
	return severity == SEVERITY_ERROR ? TOLD_REFUSED : TOLD_WARNED;
}

/* --- stakes ------------------------------------------------------------------------------------------------------ */

static bool is_kind(const struct stake *stake, const struct leaving *l, const char *code)
{
	return strcmp(stake->code, code) == 0 && stake_is_on(stake, leaving_name(l));
}

/* The evidence of a stake; disks of one pool are told together, with the first. NULL: told already. */
static const char *evidence(const struct rails *r, const struct leaving *l, const struct stake *stake)
{
	const char *members[SHOWN_MAX], *last = "";
	size_t n = 0;

	for (size_t i = 0; stake->holds && i < r->stakes.n; i++) {
		const struct stake *other = &r->stakes.list[i];

		if (!is_kind(other, l, stake->code) || !str_same(other->holds, stake->holds))
			continue;
		if (n == 0 && other != stake)
			return NULL;
		/* One disk may be there by two ways. */
		if (strcmp(last, other->member) != 0 && n++ < SHOWN_MAX)
			members[n - 1] = other->member;
		last = other->member;
	}
	if (n < 2)
		return stake->what;
	return arena_fmt(r->p->arena, "%s hold %s", storage_names(r->p->arena, members, n), stake->holds);
}

static const char *head(const struct planner *p, const struct leaving *l, const char *code)
{
	const char *id = leaving_id(p, l);

	if (strcmp(code, "storage-member") == 0)
		return arena_fmt(p->arena, "there is storage on %s%s that the host does not use", id, l->because ? "," : "");
	if (strcmp(code, "device-busy") == 0)
		return arena_fmt(p->arena, "its driver would not let go of %s", id);
	return arena_fmt(p->arena, "%s %s", strcmp(code, "other-guest") == 0 ? "another guest has" : "the host stands on", id);
}

/* Whether a step before it is taken away stops that unit, and none starts it again. */
static bool is_stopped_before(const struct planner *p, const struct leaving *l, const char *unit)
{
	const char *look = arena_fmt(p->arena, "unit/%s/run", unit);
	bool stopped = false;

	for (size_t i = 0; i < l->after; i++) {
		const struct step *s = &p->plan.steps[i];

		for (size_t k = 0; s->phase == l->phase && k < s->n_looks; k++)
			if (strcmp(s->look[k], look) == 0)
				stopped = value_fits(&s->to.v[k], &(struct value){ .kind = VALUE_TEXT, .text = "" });
	}
	return stopped;
}

static bool is_busy(const struct stake *stake)
{
	return strcmp(stake->code, "device-busy") == 0;
}

/* Who has it open now says nothing of when the VM will have stopped, nor of when an earlier step has stopped him. */
static bool is_over_by_then(const struct planner *p, const struct leaving *l, const struct stake *stake)
{
	return (is_busy(stake) && l->phase == PHASE_POST_STOP) || (stake->unit && is_stopped_before(p, l, stake->unit));
}

static bool is_any_busy(const struct planner *p, const struct stakes *s)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; is_busy(&s->list[i]) && k < p->n_leaving; k++)
			if (stake_is_on(&s->list[i], leaving_name(&p->leaving[k])) &&
			    !is_over_by_then(p, &p->leaving[k], &s->list[i]))
				return true;
	return false;
}

/* A start is not refused for a program that only looks at a device, as those do that udev runs for one just bound. */
static void read_busy(struct planner *p, struct stakes *s)
{
	int64_t end = p->now ? host_now(p->host) + HOLDERS_MS : 0;
	size_t others = s->n;

	stakes_busy(s, p->vmid);
	while (p->now && is_any_busy(p, s) && host_now(p->host) < end) {
		host_wait(p->host, HOLDERS_PAUSE_MS);
		s->n = others;
		stakes_busy(s, p->vmid);
	}
}

/* All stakes of one kind on it, in one line. */
static enum told check_kind(struct rails *r, const struct leaving *l, const char *code)
{
	struct trouble t = { .leaving = l, .code = code };
	struct arena *a = r->p->arena;
	size_t n = 0;

	for (size_t i = 0; i < r->stakes.n; i++) {
		const struct stake *stake = &r->stakes.list[i];
		const char *what = is_kind(stake, l, code) ? evidence(r, l, stake) : NULL;

		if (!is_kind(stake, l, code) || is_over_by_then(r->p, l, stake))
			continue;
		trouble_add(r, &t, stake->name, NULL);
		if (!what || n++ >= EVIDENCE_MAX)
			continue;
		t.what = rails_join(a, t.what, "; ", what);
		if (!t.remedy || !stake->remedy || strcmp(t.remedy, stake->remedy) != 0)
			t.remedy = rails_join(a, t.remedy, "; ", stake->remedy);
	}
	if (n == 0)
		return TOLD_NOT;
	if (n > EVIDENCE_MAX)
		t.what = arena_fmt(a, "%s; and %zu more", t.what, n - EVIDENCE_MAX);
	t.what = arena_fmt(a, "%s: %s", head(r->p, l, code), t.what);
	return rails_tell(r->p, &t);
}

/*
 * Nobody has named it, and the host may stand on its network in a way that is not seen. What Proxmox takes by itself it
 * takes without handover too, so that is a warning.
 */
static void check_taken_along(struct rails *r, const struct leaving *l, enum told management)
{
	struct planner *p = r->p;
	const struct nic *nic;

	if (!l->because || management == TOLD_REFUSED || management == TOLD_ACCEPTED)
		return;
	nic = nic_of(p, l->fn);
	if (!nic->unknown && (!nic->text[NIC_UP] || strcmp(nic->text[NIC_UP], "up") != 0))
		return;
	p->refused += !l->by_proxmox;
	finding_add(p->findings, l->by_proxmox ? SEVERITY_WARNING : SEVERITY_ERROR, "nic-taken-along", l->place,
		    rails_join(p->arena, rails_split(p, l->because), ", ",
			       arena_fmt(p->arena, "leave %s, or name this device too if the VM is to have it",
					 l->because->address)),
		    "%s shares its IOMMU group with %s, so it would go with it, and its network interface is %s",
		    l->fn->address, l->because->address, nic->unknown ? "not known to be down" : "up");
}

static void check_stakes(struct rails *r, const struct leaving *l)
{
	enum told management = TOLD_NOT;

	for (size_t k = 0; k < KINDS; k++) {
		enum told told = check_kind(r, l, kinds[k].code);

		if (strcmp(kinds[k].code, "management-nic") == 0)
			management = told;
	}
	check_taken_along(r, l, management);
}

/* --- all --------------------------------------------------------------------------------------------------------- */

/* Each once; who was named by anybody does not leave because of another. */
static void list_leaving(struct rails *r)
{
	const struct planner *p = r->p;

	r->leaving = arena_array(p->arena, p->n_leaving, sizeof(*r->leaving));
	for (size_t i = 0; i < p->n_leaving; i++) {
		const struct leaving *l = &p->leaving[i];
		size_t k = 0;

		while (k < r->n_leaving && strcmp(leaving_name(&r->leaving[k]), leaving_name(l)) != 0)
			k++;
		if (k == r->n_leaving)
			r->leaving[r->n_leaving++] = *l;
		else if (!l->because && r->leaving[k].because)
			r->leaving[k] = *l;
	}
}

static void look(struct rails *r, struct host *h, const struct inventory *inv, struct arena *a)
{
	r->stakes = (struct stakes){ .host = h, .inventory = inv, .arena = a };
	netifs_read(h, inv, a, &r->nets);
	r->usb_known = usb_read(h, a, &r->usb, &r->usb_error) == 0;
}

/* Where nothing leaves, the policy may be none. */
static bool protects_anything(const struct policy *policy)
{
	return policy && policy->devices.n + policy->nics.n + policy->usb.n;
}

void rails_check(struct planner *p)
{
	const char **names = arena_array(p->arena, p->n_leaving, sizeof(*names));
	struct rails r = { .p = p };

	if (p->n_leaving == 0 && !protects_anything(p->policy))
		return;
	look(&r, p->host, p->found, p->arena);
	/* Early at boot udev has not named the network interfaces yet, and there are no bridges. */
	if (!p->now || !profile_is_host(p->profile))
		rails_check_absent(&r, p->policy, p->findings);
	if (p->n_leaving == 0)
		return;
	for (size_t i = 0; i < p->n_leaving; i++)
		names[i] = leaving_name(&p->leaving[i]);
	r.stakes.asked = names;
	r.stakes.n_asked = p->n_leaving;
	read_others(&r.stakes, p->vmid);
	read_busy(p, &r.stakes);
	list_leaving(&r);
	for (size_t i = 0; i < r.n_leaving; i++) {
		check_stakes(&r, &r.leaving[i]);
		rails_check_protected(&r, &r.leaving[i]);
	}
	rails_check_input(&r);
}

void rails_check_host(struct host *h, const struct policy *policy, const struct inventory *inv, struct findings *f)
{
	struct rails r = { 0 };

	look(&r, h, inv, f->arena);
	if (policy)
		rails_check_absent(&r, policy, f);
	if (!r.usb_known)
		finding_add(f, SEVERITY_WARNING, "input-unreadable", (struct place){ 0 },
			    "try again; until then no USB controller leaves",
			    "it is not known which keyboard is the host's last: %s", r.usb_error.text);
}
