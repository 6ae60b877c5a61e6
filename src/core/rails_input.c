/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last keyboard, and the last pointer, of the host. */
#include <string.h>

#include "core/rails_parts.h"
#include "core/stake_disks.h"

/* With which it leaves, for it does; what a person called it by is where it was asked for. */
static const struct leaving *leaving_with(const struct rails *r, const struct usb_device *d)
{
	size_t i = 0;

	while (i + 1 < r->n_leaving && !usb_goes_with(d, leaving_name(&r->leaving[i])))
		i++;
	return &r->leaving[i];
}

static const char *input_name(struct arena *a, const struct usb_device *d)
{
	return arena_fmt(a, "%s%s%s at port %s", d->id, *d->product ? " " : "", d->product, d->name);
}

/* ", is on 0000:00:14.0, which leaves" */
static const char *way_of(const struct rails *r, const struct leaving *l, const struct usb_device *d, bool many)
{
	struct arena *a = r->p->arena;
	const char *is = many ? "are" : "is";

	if (l->fn)
		return arena_fmt(a, ", %s on %s, which leaves%s%s", is, l->fn->address,
				 l->because ? " because it shares its IOMMU group with " : "",
				 l->because ? l->because->address : "");
	if (!many && strcmp(d->name, l->usb->name) == 0)
		return ", leaves";
	return arena_fmt(a, ", %s behind port %s, which leaves", is, l->usb->name);
}

/* Those of n that leave with one thing, in one line. */
static void tell_keyboards(struct rails *r, const struct leaving *l, const struct usb_device **lost, size_t n)
{
	struct trouble t = {
		.leaving = l, .code = "last-keyboard",
		.remedy = "move the keyboard to a port of another controller (`handover map` shows which has which), or give the "
			  "VM another one",
	};
	struct arena *a = r->p->arena;
	const struct usb_device *first = NULL;
	const char *names[SHOWN_MAX];

	for (size_t i = 0; i < n; i++) {
		if (leaving_with(r, lost[i]) != l)
			continue;
		first = first ? first : lost[i];
		if (t.n_things < SHOWN_MAX)
			names[t.n_things] = input_name(a, lost[i]);
		trouble_add(r, &t, lost[i]->name, lost[i]->id);
	}
	if (!first)
		return;
	t.what = arena_fmt(a, "the host's last keyboard%s, %s%s%s", t.n_things > 1 ? "s" : "",
			   storage_names(a, names, t.n_things), way_of(r, l, first, t.n_things > 1), r->usb.n_others ?
			   " (a PS/2 keyboard does not count: the kernel shows one whether or not it is there)" : "");
	rails_tell(r->p, &t);
}

static void tell_unknown(struct rails *r, const struct leaving *l)
{
	if (!leaving_has_usb(l))
		return;
	rails_tell(r->p, &(struct trouble){
		.leaving = l, .code = "input-unreadable", .remedy = "try again",
		.what = arena_fmt(r->p->arena, "the host's last keyboard may be on %s: %s", leaving_id(r->p, l),
				  r->usb_error.text) });
}

void rails_check_input(struct rails *r)
{
	struct arena *a = r->p->arena;
	const char **names = arena_array(a, r->n_leaving, sizeof(*names));
	const struct usb_device **lost = arena_array(a, r->usb.n, sizeof(*lost));
	const struct leaving *l;
	size_t n;

	for (size_t i = 0; i < r->n_leaving; i++) {
		names[i] = leaving_name(&r->leaving[i]);
		if (!r->usb_known)
			tell_unknown(r, &r->leaving[i]);
	}
	n = usb_last(&r->usb, USB_KEYBOARD, names, r->n_leaving, lost);
	for (size_t i = 0; i < r->n_leaving; i++)
		tell_keyboards(r, &r->leaving[i], lost, n);
	if (!usb_last(&r->usb, USB_POINTER, names, r->n_leaving, lost))
		return;
	l = leaving_with(r, lost[0]);
	finding_add(r->p->findings, SEVERITY_WARNING, "last-pointer", l->place, NULL, "the host's last pointer, %s%s",
		    input_name(a, lost[0]), way_of(r, l, lost[0], false));
}
