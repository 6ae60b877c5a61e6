/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/holders.h"
#include "core/policy.h"
#include "core/rails.h"
#include "core/usb.h"

#define POLICY_HINT "in " POLICY_PATH
#define EVIDENCE_MAX 3		/* of one code, in one line */

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
	{ "management-nic", true, false },
	{ "network-unreadable", false, true },
	{ "console", true, false },
	{ "last-keyboard", true, false },	/* of no stake, but of all input devices together */
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

/* --- one finding ------------------------------------------------------------------------------------------------- */

/* What is wrong with something that leaves. */
struct trouble {
	const struct leaving *leaving;
	const char *code;
	const char *name;	/* of the thing, for the policy */
	const char *what;
	const char *remedy;	/* NULL: none but accepting it */
};

static const char *leaving_name(const struct leaving *l)
{
	return l->usb ? l->usb->name : l->fn->address;
}

static bool profile_accepts(const struct planner *p, const struct trouble *t)
{
	return t->leaving->fn && planner_accepts(p, t->code, t->leaving->fn);
}

/* What stands in the policy for it: the interface's name, which stays when an address changes, or the address. */
static const char *policy_word(const struct trouble *t)
{
	return strcmp(t->code, "management-nic") == 0 ? t->name : leaving_name(t->leaving);
}

static const char *join(struct arena *a, const char *x, const char *between, const char *y)
{
	return x && y ? arena_fmt(a, "%s%s%s", x, between, y) : x ? x : y;
}

/* The lines that are still missing for it to be accepted; NULL if it cannot be, or nothing is missing. */
static const char *missing_lines(const struct planner *p, const struct trouble *t)
{
	enum consent consent = rails_consent(t->code);
	const char *profile = NULL, *policy = NULL, *name;
	struct arena *a = p->arena;

	/* A single USB device has no name that 'accept' could be about. */
	if (consent == CONSENT_NEVER || !t->leaving->fn)
		return NULL;
	name = planner_name(p, t->leaving->fn);
	if (!profile_accepts(p, t))
		profile = name ? arena_fmt(a, "add 'accept: {%s: %s}' to the profile", t->code, name) :
			  arena_fmt(a, "name %s under 'devices' in the profile and add 'accept: {%s: NAME}'",
				    t->leaving->fn->address, t->code);
	if (consent == CONSENT_BOTH && !policy_allows(p->policy, t->code, t->leaving->fn, t->name))
		policy = arena_fmt(a, "%s'%s = %s' under [allow] " POLICY_HINT, profile ? "" : "add ", t->code, policy_word(t));
	return join(a, profile, " and ", policy);
}

/* At boot there is no network yet; a plan that is made later only foretells that. */
static bool is_before_network(const struct planner *p, const struct trouble *t)
{
	return t->leaving->phase == PHASE_BOOT && !p->now &&
	       (strcmp(t->code, "management-nic") == 0 || strcmp(t->code, "network-unreadable") == 0);
}

static void tell(struct planner *p, const struct trouble *t)
{
	const char *lines = missing_lines(p, t), *remedy;
	enum consent consent = rails_consent(t->code);
	enum severity severity = SEVERITY_ERROR;

	if (is_before_network(p, t)) {
		finding_add(p->findings, SEVERITY_NOTE, t->code, t->leaving->place, NULL,
			    "%s; at boot it leaves and is back before there is a network", t->what);
		return;
	}
	if (consent != CONSENT_NEVER && t->leaving->fn && !lines) {
		finding_add(p->findings, SEVERITY_NOTE, t->code, t->leaving->place, NULL, "%s (accepted)", t->what);
		return;
	}
	if ((consent != CONSENT_NEVER || kind_of(t->code)->doubt) && !p->policy->automatic)
		severity = SEVERITY_WARNING;
	p->refused += severity == SEVERITY_ERROR;
	remedy = t->remedy && lines ? arena_fmt(p->arena, "%s; to hand it over all the same, %s", t->remedy, lines) :
		 t->remedy ? t->remedy : lines;
	finding_add(p->findings, severity, t->code, t->leaving->place, remedy, "%s", t->what);
}

/* --- stakes ------------------------------------------------------------------------------------------------------ */

static const char *leaving_id(const struct planner *p, const struct leaving *l)
{
	return l->usb ? arena_fmt(p->arena, "%s (%s)", l->usb->name, l->usb->id) : l->fn->address;
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

static const char *begins(const char *code)
{
	if (strcmp(code, "device-busy") == 0)
		return "its driver would not let go of";
	return strcmp(code, "other-guest") == 0 ? "another guest has" : "the host stands on";
}

/* All stakes of one kind on it, in one line. */
static void check_kind(struct planner *p, const struct stakes *s, const struct leaving *l, const char *code)
{
	struct trouble t = { .leaving = l, .code = code };
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct stake *stake = &s->list[i];

		if (strcmp(stake->code, code) != 0 || !stake_is_on(stake, leaving_name(l)) ||
		    is_over_by_then(p, l, stake) || n++ >= EVIDENCE_MAX)
			continue;
		t.what = join(p->arena, t.what, "; ", stake->what);
		if (!t.remedy || !stake->remedy || strcmp(t.remedy, stake->remedy) != 0)
			t.remedy = join(p->arena, t.remedy, "; ", stake->remedy);
		t.name = t.name ? t.name : stake->name;
	}
	if (n == 0)
		return;
	if (n > EVIDENCE_MAX)
		t.what = arena_fmt(p->arena, "%s; and %zu more", t.what, n - EVIDENCE_MAX);
	t.what = arena_fmt(p->arena, "%s %s: %s", begins(code), leaving_id(p, l), t.what);
	tell(p, &t);
}

/* The name of its network interface; NULL: none. */
static const char *nic_of(const struct planner *p, const struct function *fn)
{
	return fn->nic ? arena_dupn(p->arena, fn->nic, strcspn(fn->nic, ",")) : NULL;
}

static void check_protected(struct planner *p, const struct leaving *l)
{
	const char *word = l->usb ? policy_protects_usb(p->policy, l->usb->id, l->usb->name) :
			   policy_protects(p->policy, l->fn, nic_of(p, l->fn));

	if (!word)
		return;
	p->refused++;
	finding_add(p->findings, SEVERITY_ERROR, "protected", l->place,
		    arena_fmt(p->arena, "take '%s' out of [protect] " POLICY_HINT ", if the host can do without it", word),
		    "the host's policy protects %s: '%s'", leaving_id(p, l), word);
}

/* --- input ------------------------------------------------------------------------------------------------------- */

/* What a person called it by is where it was asked for. */
static const struct leaving *leaving_with(const struct planner *p, const struct usb_device *d)
{
	for (size_t i = 0; i < p->n_leaving; i++) {
		const char *name = leaving_name(&p->leaving[i]);

		if (strcmp(name, d->controller) == 0 || strcmp(name, d->name) == 0)
			return &p->leaving[i];
	}
	return NULL;
}

static const char *input_id(const struct planner *p, const struct usb_device *d)
{
	return arena_fmt(p->arena, "%s%s%s at port %s, is on %s, which leaves", d->id, *d->product ? " " : "", d->product,
			 d->name, d->controller);
}

static void check_input(struct planner *p)
{
	const char **names = arena_array(p->arena, p->n_leaving, sizeof(*names));
	const struct usb_device *keyboard, *pointer;
	struct usb u;
	struct error err;

	if (p->n_leaving == 0 || usb_read(p->host, p->arena, &u, &err) < 0)
		return;
	for (size_t i = 0; i < p->n_leaving; i++)
		names[i] = leaving_name(&p->leaving[i]);
	keyboard = usb_last(&u, USB_KEYBOARD, names, p->n_leaving);
	pointer = usb_last(&u, USB_POINTER, names, p->n_leaving);
	if (keyboard)
		tell(p, &(struct trouble){
			.leaving = leaving_with(p, keyboard),
			.code = "last-keyboard",
			.name = keyboard->name,
			.what = arena_fmt(p->arena, "the host's last keyboard, %s%s", input_id(p, keyboard), u.n_others ?
					  " (a PS/2 keyboard does not count: the kernel shows one whether or not it is there)" : ""),
			.remedy = "move the keyboard to a port of another controller (`handover map` shows which has which), or "
				  "give the VM another one" });
	if (pointer)
		finding_add(p->findings, SEVERITY_WARNING, "last-pointer", leaving_with(p, pointer)->place, NULL,
			    "the host's last pointer, %s", input_id(p, pointer));
}

void rails_check(struct planner *p)
{
	struct stakes s = { .host = p->host, .inventory = p->found, .arena = p->arena };

	if (p->n_leaving == 0)
		return;
	read_others(&s, p->vmid);
	read_busy(p, &s);
	for (size_t i = 0; i < p->n_leaving; i++) {
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told = told || strcmp(leaving_name(&p->leaving[k]), leaving_name(&p->leaving[i])) == 0;
		for (size_t k = 0; !told && k < KINDS; k++)
			check_kind(p, &s, &p->leaving[i], kinds[k].code);
		if (!told)
			check_protected(p, &p->leaving[i]);
	}
	check_input(p);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

static bool is_named_by_vm(const struct planner *p, const struct function *fn)
{
	for (int i = 0; p->guest && i < HOSTPCI_MAX; i++) {
		const struct hostpci *h = &p->guest->hostpci[i];

		for (size_t k = 0; h->present && !h->keep && !h->mdev && k < h->n; k++)
			if (function_is_at(fn, h->addresses[k]))
				return true;
	}
	return false;
}

/* Proxmox binds every endpoint of the group of what it hands over (PVE/SysFSTools.pm, pci_dev_group_bind_to_vfio). */
static bool is_taken_by_proxmox(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; !fn->bridge && i < p->inventory->n; i++)
		if (function_same_group(fn, &p->inventory->functions[i]) && is_named_by_vm(p, &p->inventory->functions[i]))
			return true;
	return false;
}

static bool leaves_already(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; i < p->n_leaving; i++)
		if (p->leaving[i].fn && strcmp(p->leaving[i].fn->address, fn->address) == 0)
			return true;
	return false;
}

/* The driver it has while lent: what the last step about it makes of it. NULL: none. */
static const char *driver_lent(const struct planner *p, const struct function *fn)
{
	const char *look = arena_fmt(p->arena, "sys/bus/pci/devices/%s/driver", fn->address), *driver = fn->driver;

	for (size_t i = 0; i < p->plan.n; i++) {
		const struct step *s = &p->plan.steps[i];

		for (size_t k = 0; k < s->n_looks; k++)
			if (strcmp(s->look[k], look) == 0 && s->to.v[k].kind == VALUE_TEXT)
				driver = s->to.v[k].text;
	}
	return driver;
}

/* drivers/vfio/vfio_main.c; drivers with driver_managed_dma do not claim the group for the host. */
static bool may_share_with_vm(const char *driver)
{
	return !driver || str_starts(driver, "vfio") || strcmp(driver, "pci-stub") == 0 || strcmp(driver, "pcieport") == 0;
}

/* The function of the VM's that shares a group with one that stays with its driver; NULL: none. */
static const struct function *spoiled_by(const struct planner *p, const struct function *fn)
{
	if (fn->group < 0 || may_share_with_vm(driver_lent(p, fn)) || is_taken_by_proxmox(p, fn))
		return NULL;
	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct function *other = &p->inventory->functions[i];
		const char *driver = driver_lent(p, other);

		/* What was with vfio-pci before is another's matter. */
		if (other != fn && function_same_group(fn, other) && driver && strcmp(driver, "vfio-pci") == 0 &&
		    (leaves_already(p, other) || is_named_by_vm(p, other)))
			return other;
	}
	return NULL;
}

static void check_viable(struct planner *p, const struct function *fn)
{
	const struct function *lent = spoiled_by(p, fn);

	if (!lent)
		return;
	p->refused++;
	finding_add(p->findings, SEVERITY_ERROR, "group-not-viable", (struct place){ .file = p->profile->file },
		    arena_fmt(p->arena, "hand %s over too, take it off its driver, or split the group at boot ('isolate')",
			      fn->address),
		    "%s stays with the driver '%s' in the IOMMU group of %s, which the VM is to have: QEMU would say that the "
		    "group is not viable", fn->address, driver_lent(p, fn), lent->address);
}

void rails_check_groups(struct planner *p)
{
	const char *file = arena_fmt(p->arena, "/etc/pve/qemu-server/%u.conf", p->vmid);

	/* What was not planned for another reason would only be told a second time. */
	bool whole = p->findings->errors == 0;

	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct function *fn = &p->inventory->functions[i];

		if (whole)
			check_viable(p, fn);
		if (!leaves_already(p, fn) && is_taken_by_proxmox(p, fn))
			planner_leaves(p, (struct leaving){ .fn = fn, .place = { .file = file }, .phase = PHASE_PRE_START });
	}
}
