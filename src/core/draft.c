/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/draft_parts.h"
#include "core/prepare.h"

bool draft_is_acceptable(const char *code)
{
	for (size_t i = 0; profile_accept_codes[i]; i++)
		if (strcmp(profile_accept_codes[i], code) == 0)
			return true;
	return false;
}

void draft_plan(struct drafting *d, const char *text, unsigned vmid, struct findings *f)
{
	struct planner p = { .host = d->host, .policy = d->policy, .vmid = vmid };
	struct error err = { 0 };

	findings_init(f, d->arena);
	p.profile = profile_parse(text, strlen(text), DRAFT_FILE, f);
	if (p.profile && !prepare_plan(&p, NULL, f, &err) && err.code)
		d->unread = err;
}

static void add_reason(struct drafting *d, struct unit *u, const char *reason)
{
	for (size_t i = 0; i < u->n_reasons; i++)
		if (strcmp(u->reasons[i], reason) == 0)
			return;
	u->reasons = arena_grow(d->arena, u->reasons, u->n_reasons, sizeof(*u->reasons));
	u->reasons[u->n_reasons++] = reason;
}

/* Of what stands at no line, the function that it speaks of tells whom it is about. */
static bool speaks_of(const struct finding *f, const struct unit *u)
{
	for (size_t i = 0; i < u->functions.n; i++)
		if (strstr(f->what, u->functions.list[i]->address))
			return true;
	return false;
}

static bool is_about(const struct finding *f, const struct unit *u)
{
	if (f->severity != SEVERITY_ERROR || !f->place.file || strcmp(f->place.file, DRAFT_FILE) != 0)
		return false;
	return f->place.line == 0 ? speaks_of(f, u) :
	       f->place.line == u->device_line || f->place.line == u->step_line ||
	       (u->cycle && f->place.line == u->step_line + 1);
}

static bool is_about_finding_anew(const char *code)
{
	static const char *const codes[] = { "merge-risk", "scan-brings-back", "cycle-too-large", "virtual-function" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

/* True: it is done without being found anew from now on, and all that was said of it is of no use. */
static bool give_up_cycle(struct unit *u, const struct finding *f)
{
	if (!u->cycle || !is_about_finding_anew(f->code))
		return false;
	u->cycle = false;
	u->no_cycle = f->what;
	return true;
}

/* What speaks against a device as it would be done now. True: it is to be done otherwise, or not. */
static bool object(struct unit *u, const struct finding *f)
{
	if (u->open || !is_about(f, u))
		return false;
	if (!give_up_cycle(u, f))
		u->open = true;
	return true;
}

/* What is left of them can be planned as it stands, but for what the VM's own lines do without us. */
static void leave_out_what_is_refused(struct drafting *d, struct units *u)
{
	bool again = true;

	while (again) {
		struct findings f;

		again = false;
		draft_plan(d, draft_trial(d, u, NULL), d->vmid, &f);
		for (size_t i = 0; i < f.n; i++)
			for (size_t k = 0; k < u->n; k++)
				again = object(&u->list[k], &f.list[i]) || again;
	}
}

bool draft_has_code(const struct draft_device *x, const char *code, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(x->codes[i], code) == 0)
			return true;
	return false;
}

bool draft_add_code(struct draft_device *x, const char *code)
{
	if (draft_has_code(x, code, x->n_codes) || x->n_codes == DRAFT_CODES_MAX)
		return false;
	x->codes[x->n_codes++] = code;
	return true;
}

/* The function that a finding is about is the first that it names; what goes along is explained with it. NULL: none. */
static const struct function *subject_of(const struct finding *f, const struct inventory *inv)
{
	const struct function *first = NULL;
	const char *at = NULL;

	for (size_t i = 0; i < inv->n; i++) {
		const char *there = strstr(f->what, inv->functions[i].address);

		if (there && (!at || there < at)) {
			at = there;
			first = &inv->functions[i];
		}
	}
	return first;
}

/* What is not its own would leave with it. */
static bool take_along(struct drafting *d, const struct units *all, struct unit *u, const struct finding *f)
{
	const struct function *fn = subject_of(f, all->inventory);

	if (!fn || selection_holds(&u->functions, fn))
		return false;
	if (selection_holds(&all->all, fn)) {
		add_reason(d, u, arena_fmt(d->arena, "%s, which shares its IOMMU group, waits too", fn->address));
		return true;
	}
	u->impossible = true;
	if (!strstr(u->along, fn->address))
		u->along = draft_join(d->arena, u->along, arena_fmt(d->arena, "%s [%s]", fn->address, f->code));
	return true;
}

/* One error of a device that waits, of whose codes so many are accepted. True: with one more it may look better. */
static bool take_error(struct drafting *d, const struct units *all, struct unit *u, const struct finding *f, size_t n_accepted)
{
	bool acceptable = draft_is_acceptable(f->code);

	/* What the policy has to say to it has been told with what the profile has. */
	if (draft_has_code(&u->device, f->code, n_accepted) || take_along(d, all, u, f))
		return false;
	add_reason(d, u, arena_fmt(d->arena, "%s%s%s [%s]", f->what, f->remedy ? "; " : "", f->remedy ? f->remedy : "", f->code));
	u->impossible = u->impossible || !acceptable;
	return acceptable && draft_add_code(&u->device, f->code);
}

/* What it would take to hand it over. */
static void look_for_a_way(struct drafting *d, struct units *all, struct unit *u)
{
	bool again = true;

	u->along = "";
	while (again && !u->impossible) {
		size_t n_accepted = u->device.n_codes;
		struct findings f;

		again = false;
		draft_plan(d, draft_trial(d, all, u), d->vmid, &f);
		for (size_t i = 0; i < f.n && !again; i++)
			again = is_about(&f.list[i], u) && give_up_cycle(u, &f.list[i]);
		if (again)
			continue;
		for (size_t i = 0; i < f.n; i++)
			if (is_about(&f.list[i], u))
				again = take_error(d, all, u, &f.list[i], n_accepted) || again;
	}
}

bool draft_make(struct drafting *d, struct error *err)
{
	struct inventory inv;
	struct units u = { .inventory = &inv };

	if (inventory_read(d->host, d->arena, &inv, err) < 0)
		return false;
	draft_find_units(d, &u);
	leave_out_what_is_refused(d, &u);
	for (size_t i = 0; i < u.n; i++) {
		if (u.list[i].open)
			look_for_a_way(d, &u, &u.list[i]);
		d->n_open += u.list[i].open;
		d->n_done += !u.list[i].open;
	}
	d->text = draft_text(d, &u, draft_boot(d, &u));
	draft_plan(d, d->text, d->vmid, &d->findings);
	*err = d->unread;
	return !err->code;
}
