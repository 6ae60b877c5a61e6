/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [protect] of the policy: what it names stays, and so does what that hangs on. */
#include <string.h>

#include "core/rails_parts.h"

/* Of one thing that leaves: the words that are told of it already. */
struct look {
	struct rails *r;
	const struct leaving *l;
	const char *words[3 * POLICY_NAMES_MAX];
	size_t n;
};

/* thing: what is protected, where it is not what leaves itself. */
static void refuse(struct look *k, const char *word, const char *thing, const char *how)
{
	struct planner *p = k->r->p;
	const char *id = leaving_id(p, k->l);

	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->words[i], word) == 0)
			return;
	k->words[k->n++] = word;
	p->refused++;
	finding_add(p->findings, SEVERITY_ERROR, "protected", k->l->place,
		    leaving_remedy(p, k->l, arena_fmt(p->arena, "take '%s' out of [protect] in " POLICY_PATH ", if the host can do "
						      "without it", word)),
		    "the host's policy protects %s: '%s'", thing ? arena_fmt(p->arena, "%s, which %s %s", thing, how, id) : id, word);
}

static void check_nics(struct look *k)
{
	const struct netifs *nets = &k->r->nets;

	for (size_t i = 0; i < nets->n; i++) {
		const char *word = policy_protects(k->r->p->policy, NULL, nets->list[i].name);

		if (word && netif_stands_on(nets, &nets->list[i], leaving_name(k->l)))
			refuse(k, word, nets->list[i].name, nets->list[i].function ? "is on" : "stands on");
	}
}

static void check_usb(struct look *k)
{
	const struct usb *u = &k->r->usb;
	const struct planner *p = k->r->p;

	for (size_t i = 0; i < u->n; i++) {
		const struct usb_device *d = &u->devices[i];
		const char *word = policy_protects_usb(p->policy, d->id, d->name);
		bool itself = k->l->usb && strcmp(d->name, k->l->usb->name) == 0;

		if (word && usb_goes_with(d, leaving_name(k->l)))
			refuse(k, word, itself ? NULL : arena_fmt(p->arena, "%s (%s)", d->name, d->id),
			       k->l->usb ? "is behind" : "is on");
	}
}

/* rails_check_input() tells that too, but where the rails only warn it would be a warning. */
static void check_usb_unknown(struct rails *r, const struct leaving *l)
{
	struct planner *p = r->p;

	if (r->usb_known || !p->policy->usb.n || !leaving_has_usb(l))
		return;
	p->refused++;
	finding_add(p->findings, SEVERITY_ERROR, "protected", l->place, leaving_remedy(p, l, "try again"),
		    "the host's policy protects USB devices, and it is not known whether one is on %s: %s",
		    leaving_id(p, l), r->usb_error.text);
}

void rails_check_protected(struct rails *r, const struct leaving *l)
{
	struct look k = { .r = r, .l = l };
	const char *word = l->fn ? policy_protects(r->p->policy, l->fn, NULL) : NULL;

	if (word)
		refuse(&k, word, NULL, NULL);
	check_nics(&k);
	check_usb(&k);
	check_usb_unknown(r, l);
}

/* --- what is not there ------------------------------------------------------------------------------------------- */

static bool has_function(const struct rails *r, const char *word)
{
	const struct policy one = { .devices = { &word, 1 } };
	const struct inventory *inv = r->stakes.inventory;

	for (size_t i = 0; i < inv->n; i++)
		if (policy_protects(&one, &inv->functions[i], NULL))
			return true;
	return false;
}

static bool has_nic(const struct rails *r, const char *word)
{
	return netif_find(&r->nets, word);
}

static bool has_usb(const struct rails *r, const char *word)
{
	const struct policy one = { .usb = { &word, 1 } };

	for (size_t i = 0; i < r->usb.n; i++)
		if (policy_protects_usb(&one, r->usb.devices[i].id, r->usb.devices[i].name))
			return true;
	/* Then it is not known. */
	return !r->usb_known;
}

void rails_check_absent(const struct rails *r, const struct policy *policy, struct findings *f)
{
	const struct {
		const char *key;
		const struct names *names;
		bool (*has)(const struct rails *r, const char *word);
		const char *remedy;
	} keys[] = {
		{ "devices", &policy->devices, has_function, "compare with `lspci -nn`" },
		{ "nics", &policy->nics, has_nic, "compare with `ip link`" },
		{ "usb", &policy->usb, has_usb, "compare with `handover map`" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		for (size_t k = 0; k < keys[i].names->n; k++)
			if (!keys[i].has(r, keys[i].names->list[k]))
				finding_add(f, SEVERITY_WARNING, "protected-absent", (struct place){ .file = policy->file },
					    keys[i].remedy, "'%s' of '%s' under [protect] is nothing that this host has, so it protects "
					    "nothing", keys[i].names->list[k], keys[i].key);
}
