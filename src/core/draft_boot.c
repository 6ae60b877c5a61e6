/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The split at boot that would let devices go which share their IOMMU group with what stays. */
#include <string.h>

#include "core/draft_parts.h"

#define NAMED_MAX 8	/* functions of a slot */

/* The functions of one slot: those that are to be alone, and those that would leave for it. */
struct parting {
	const struct function *fn[NAMED_MAX];
	struct draft_device device[NAMED_MAX];
	bool wanted[NAMED_MAX];		/* is to be alone */
	size_t n;
};

/* Something of its slot is in its group and is not the VM's. */
static bool is_bound_to_others(const struct units *u, const struct function *fn)
{
	const struct inventory *inv = u->inventory;

	for (size_t i = 0; i < inv->n; i++) {
		const struct function *other = &inv->functions[i];

		if (other != fn && function_same_slot(fn, other) && function_same_group(fn, other) && !selection_holds(&u->all, other))
			return true;
	}
	return false;
}

static const struct function *first_bound(const struct units *u)
{
	for (size_t i = 0; i < u->n; i++)
		for (size_t k = 0; u->list[i].open && k < u->list[i].functions.n; k++)
			if (is_bound_to_others(u, u->list[i].functions.list[k]))
				return u->list[i].functions.list[k];
	return NULL;
}

static bool name_is_taken(const struct parting *x, const char *name)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->device[i].name, name) == 0)
			return true;
	return false;
}

static void find_slot(struct drafting *d, const struct units *u, const struct function *first, struct parting *x)
{
	const struct inventory *inv = u->inventory;

	for (size_t i = 0; i < inv->n && x->n < NAMED_MAX; i++) {
		const struct function *fn = &inv->functions[i];
		const char *name;
		size_t nth = 1;

		if (!function_same_slot(fn, first))
			continue;
		do
			name = draft_name(d, fn, nth++);
		while (name_is_taken(x, name));
		x->fn[x->n] = fn;
		x->device[x->n].name = name;
		x->wanted[x->n++] = selection_holds(&u->all, fn);
	}
}

static const char *names_where(struct drafting *d, const struct parting *x, bool wanted)
{
	const char *all = "";

	for (size_t i = 0; i < x->n; i++)
		if (x->wanted[i] == wanted)
			all = draft_join(d->arena, all, x->device[i].name);
	return all;
}

/* Each line behind mark. */
static const char *host_yaml(struct drafting *d, const struct parting *x, const char *mark)
{
	struct arena *a = d->arena;
	const char *accepted = draft_accepts(d, x->device, x->n), *moving = names_where(d, x, false);
	const char *text = arena_fmt(a, "%shandover: 1\n", mark);

	if (*accepted)
		text = arena_fmt(a, "%s%saccept: {%s}\n", text, mark, accepted);
	text = arena_fmt(a, "%s%sdevices:\n", text, mark);
	for (size_t i = 0; i < x->n; i++)
		text = arena_fmt(a, "%s%s  %s: {id: \"%04x:%04x\", at: \"%s\"}\n", text, mark, x->device[i].name, x->fn[i]->vendor,
				 x->fn[i]->device, x->fn[i]->address);
	text = arena_fmt(a, "%s%sboot:\n%s  - isolate: [%s]\n", text, mark, mark, names_where(d, x, true));
	return *moving ? arena_fmt(a, "%s%s    moving: [%s]\n", text, mark, moving) : text;
}

/* Each error about a function of the slot that a profile may accept. False: there is one that nobody may, or nothing is new. */
static bool accept_more(struct parting *x, const struct findings *f)
{
	bool more = false;

	for (size_t k = 0; k < f->n; k++) {
		const struct finding *e = &f->list[k];
		bool added = false;

		if (e->severity != SEVERITY_ERROR)
			continue;
		if (!draft_is_acceptable(e->code))
			return false;
		for (size_t i = 0; i < x->n && !added; i++)
			added = strstr(e->what, x->fn[i]->address) && draft_add_code(&x->device[i], e->code);
		more = more || added;
	}
	return more;
}

/* What is left when all that a profile may accept is accepted: the policy's word, or what forbids it. */
static const char *policy_lines(struct drafting *d, const struct findings *f)
{
	const char *text = "";

	for (size_t k = 0; k < f->n; k++)
		if (f->list[k].severity == SEVERITY_ERROR)
			text = arena_fmt(d->arena, "%s#   - %s%s%s [%s]\n", text, f->list[k].what, f->list[k].remedy ? "; " : "",
					 f->list[k].remedy ? f->list[k].remedy : "", f->list[k].code);
	return text;
}

static bool is_possible(const struct findings *f)
{
	for (size_t k = 0; k < f->n; k++)
		if (f->list[k].severity == SEVERITY_ERROR && !draft_is_acceptable(f->list[k].code))
			return false;
	return true;
}

const char *draft_boot(struct drafting *d, const struct units *u)
{
	const struct function *first = first_bound(u);
	struct parting x = { 0 };
	struct findings f;

	if (!first)
		return NULL;
	find_slot(d, u, first, &x);
	do
		draft_plan(d, host_yaml(d, &x, ""), 0, &f);
	while (accept_more(&x, &f));
	if (!is_possible(&f))
		return NULL;
	return arena_fmt(d->arena,
			 "#\n# What the VM is to have of slot %.*s shares an IOMMU group with what stays. It can be split at boot, before there\n"
			 "# is a network, by this /etc/handover/host.yaml; then `systemctl enable handover-boot.service`, a reboot, and with\n"
			 "# this file out of the way `handover init %u` once more.\n%s%s",
			 (int)strlen(first->address) - 2, first->address, d->vmid,
			 f.errors ? arena_fmt(d->arena, "# It needs a word of the host's policy too:\n%s", policy_lines(d, &f)) : "",
			 host_yaml(d, &x, "# "));
}
