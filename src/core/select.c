/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "core/alternatives.h"
#include "core/select.h"

bool selection_holds(const struct selection *s, const struct function *fn)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i] == fn)
			return true;
	return false;
}

void selection_add(struct selection *s, const struct function *fn, struct arena *a)
{
	if (selection_holds(s, fn))
		return;
	s->list = arena_grow(a, s->list, s->n, sizeof(*s->list));
	s->list[s->n++] = fn;
}

/* A device being looked for. */
struct search {
	const struct device_wish *w;
	const struct inventory *inv;
	const struct hostpci *hostpci;	/* NULL: not asked for */
	const struct usb *usb;
	struct findings *f;
	struct arena *a;
};

/* id is a prefix at a ':' of the full id: vendor:device, or all four. */
bool function_has_id(const struct function *fn, const char *id)
{
	size_t n = strlen(id);

	return strncmp(fn->id, id, n) == 0 && (fn->id[n] == ':' || fn->id[n] == '\0');
}

bool function_is_at(const struct function *fn, const char *place)
{
	const char *address = fn->address;
	size_t n = strlen(place);

	if (strchr(place, ':') == strrchr(place, ':')) {
		if (fn->bdf.domain != 0)
			return false;
		address = strchr(address, ':') + 1;
	}
	return strncmp(address, place, n) == 0 && (address[n] == '\0' || address[n] == '.');
}

static bool hostpci_fits(const struct function *fn, const struct hostpci *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (function_is_at(fn, p->addresses[i]))
			return true;
	return false;
}

/* Of what hangs on a function, the first USB device that is meant, or NULL. */
static const struct usb_device *usb_at(const struct search *s, const struct function *fn)
{
	size_t n;
	const struct usb_device *d = usb_on(s->usb, fn->address, &n);

	for (size_t i = 0; i < n; i++)
		if (usb_is_meant(&d[i], s->w->usb.s))
			return &d[i];
	return NULL;
}

static bool fits(const struct search *s, const struct function *fn)
{
	return (!s->w->usb.s || usb_at(s, fn)) && (!s->w->id.s || function_has_id(fn, s->w->id.s)) &&
	       (!s->w->at.s || function_is_at(fn, s->w->at.s)) && (!s->hostpci || hostpci_fits(fn, s->hostpci)) &&
	       (!s->w->mapped || alternative_has(s->w->mapped->chosen, fn));
}

static const char *describe(struct arena *a, const struct function *fn)
{
	const char *name = function_name(fn, a);

	return arena_fmt(a, "%s (%04x:%04x%s%s)", fn->address, fn->vendor, fn->device, *name ? " " : "", name);
}

/* "A, B, C" of those that pass; "" if none does. At most a handful: an error is one line. */
static const char *list_of(const struct search *s, bool (*pass)(const struct search *, const struct function *))
{
	const char *text = "";
	size_t n = 0;

	for (size_t i = 0; i < s->inv->n; i++) {
		if (!pass(s, &s->inv->functions[i]))
			continue;
		if (++n > 4)
			return arena_fmt(s->a, "%s, ...", text);
		text = arena_fmt(s->a, "%s%s%s", text, *text ? ", " : "", describe(s->a, &s->inv->functions[i]));
	}
	return text;
}

static bool pass_id(const struct search *s, const struct function *fn)
{
	return s->w->id.s && function_has_id(fn, s->w->id.s);
}

static bool pass_place(const struct search *s, const struct function *fn)
{
	return (s->w->at.s || s->hostpci || s->w->mapped) && (!s->w->at.s || function_is_at(fn, s->w->at.s)) &&
	       (!s->hostpci || hostpci_fits(fn, s->hostpci)) && (!s->w->mapped || alternative_has(s->w->mapped->chosen, fn));
}

/* Several functions may be meant: those of one slot, if that was said; or those of a hostpci line or a mapping. */
static bool several_are_asked(const struct device_wish *w, const struct selection *found)
{
	if (w->hostpci >= 0 || w->mapped)
		return true;
	for (size_t i = 1; i < found->n; i++)
		if (!function_same_slot(found->list[0], found->list[i]))
			return false;
	return w->functions_all || (w->at.s && !strchr(w->at.s, '.'));
}

/* "046d:c31c at 1-2 on 0000:00:14.0, ...": USB devices, all of them or only those that are meant. At most a handful. */
static const char *usb_list(const struct search *s, bool meant)
{
	const char *text = "";
	size_t n = 0;

	for (size_t i = 0; i < s->usb->n; i++) {
		const struct usb_device *d = &s->usb->devices[i];

		if (meant && !usb_is_meant(d, s->w->usb.s))
			continue;
		if (++n > 4)
			return arena_fmt(s->a, "%s, ...", text);
		text = arena_fmt(s->a, "%s%s%s at %s on %s", text, *text ? ", " : "", d->id, d->name, d->controller);
	}
	return text;
}

static void tell_no_usb(const struct search *s)
{
	const char *meant = usb_list(s, true), *all = usb_list(s, false);
	const struct device_wish *w = s->w;

	if (*meant)
		finding_add(s->f, SEVERITY_ERROR, "device-different", w->usb.place,
			    "correct the other selectors, or leave them out",
			    "'%s': there is %s, and the other selectors mean another device", w->name, meant);
	else
		finding_add(s->f, SEVERITY_ERROR, "usb-absent", w->usb.place,
			    "compare with `handover map`; while a VM has a controller, what hangs on it is not seen",
			    "'%s': no USB device '%s' hangs on any controller%s%s", w->name, w->usb.s,
			    *all ? "; there are " : "", all);
}

static void tell_several_usb(const struct search *s)
{
	finding_add(s->f, SEVERITY_ERROR, "usb-ambiguous", s->w->usb.place, "name the one you mean by its port",
		    "'%s' is the controller that '%s' hangs on, and there are several: %s", s->w->name, s->w->usb.s,
		    usb_list(s, true));
}

static void tell_none(const struct search *s)
{
	const char *there = list_of(s, pass_place), *elsewhere = list_of(s, pass_id);
	const struct device_wish *w = s->w;

	if (*there && w->id.s)
		finding_add(s->f, SEVERITY_ERROR, "device-different", w->id.place,
			    *elsewhere ? arena_fmt(s->a, "that device is now at %s: correct 'at'", elsewhere)
				       : "correct 'id' if this is the device you mean",
			    "'%s' is to be %s, but there is %s", w->name, w->id.s, there);
	else if (*elsewhere)
		finding_add(s->f, SEVERITY_ERROR, "device-absent", w->place,
			    arena_fmt(s->a, "that device is now at %s: correct the address", elsewhere),
			    "'%s': there is nothing at that address", w->name);
	else
		finding_add(s->f, SEVERITY_ERROR, "device-absent", w->place,
			    "compare with `lspci -nn`; a device in deep sleep or without power is not seen",
			    "'%s': this host has no %s%s%s", w->name, w->id.s ? w->id.s : "device",
			    w->at.s ? " at " : w->hostpci >= 0 ? " where the VM's hostpci line says" :
			    w->mapped ? " where the mapping says" : "",
			    w->at.s ? w->at.s : "");
}

static bool find_hostpci(struct search *s, const struct pve_guest *guest)
{
	const struct device_wish *w = s->w;
	const struct hostpci *p;

	if (!guest) {
		finding_add(s->f, SEVERITY_ERROR, "hostpci-absent", w->hostpci_place,
			    "ask by VMID, or name the file VMID.yaml, with the VM's configuration on the host; or select by 'id' or 'at'",
			    "'%s': there is no VM configuration to look up hostpci%d in", w->name, w->hostpci);
		return false;
	}
	p = &guest->hostpci[w->hostpci];
	if (!p->present) {
		finding_add(s->f, SEVERITY_ERROR, "hostpci-absent", w->hostpci_place,
			    "name an entry the VM has, or add it with `qm set`", "'%s': the VM has no hostpci%d", w->name,
			    w->hostpci);
		return false;
	}
	if (p->left_out || p->refused) {
		finding_add(s->f, SEVERITY_ERROR, "hostpci-bad", w->hostpci_place, "correct the line with `qm set`",
			    "'%s': hostpci%d is nothing that Proxmox starts a VM with: %s", w->name, w->hostpci,
			    p->left_out ? p->left_out : p->refused);
		return false;
	}
	if (p->mdev || !p->n) {
		finding_add(s->f, SEVERITY_ERROR, "hostpci-mapping", w->hostpci_place, "select the device by 'id' or 'at'",
			    p->mdev ? "'%s': hostpci%d names a mediated device of type '%s', which is Proxmox's to make"
				    : "'%s': hostpci%d names the mapping '%s', which has no device of this node", w->name, w->hostpci,
			    p->mdev ? p->mdev : p->mapping);
		return false;
	}
	if (p->keep) {
		finding_add(s->f, SEVERITY_ERROR, "hostpci-keep", w->hostpci_place, "take it out of the profile",
			    "'%s': hostpci%d says driver=keep, so Proxmox leaves its driver alone, and so does handover", w->name,
			    w->hostpci);
		return false;
	}
	s->hostpci = p;
	return true;
}

static bool find_mapping(const struct search *s)
{
	const struct device_wish *w = s->w;

	if (w->mapped && w->mapped->chosen)
		return true;
	finding_add(s->f, SEVERITY_ERROR, "mapping-absent", w->mapping.place,
		    "add it in Datacenter, Resource Mappings, or select by 'id' or 'at'",
		    "'%s': there is no mapping '%s' that has a device of this node", w->name, w->mapping.s);
	return false;
}

/* Every function of the slots that were found. */
static void add_slots(struct search *s, struct selection *out)
{
	struct selection found = *out;

	*out = (struct selection){ 0 };
	for (size_t i = 0; i < s->inv->n; i++)
		for (size_t j = 0; j < found.n; j++)
			if (function_same_slot(&s->inv->functions[i], found.list[j]))
				selection_add(out, &s->inv->functions[i], s->a);
}

bool select_functions(const struct device_wish *w, const struct inventory *inv, const struct pve_guest *guest,
		      const struct usb *usb, struct selection *sel, struct findings *f)
{
	struct search s = { .w = w, .inv = inv, .usb = usb, .f = f, .a = f->arena };
	struct selection out = { 0 };

	if ((w->hostpci >= 0 && !find_hostpci(&s, guest)) || (w->mapping.s && !find_mapping(&s)) || (w->usb.s && !usb))
		return false;
	for (size_t i = 0; i < inv->n; i++)
		if (fits(&s, &inv->functions[i]))
			selection_add(&out, &inv->functions[i], s.a);
	if (out.n == 0) {
		(w->usb.s ? tell_no_usb : tell_none)(&s);
		return false;
	}
	if (w->usb.s && out.n > 1 && !several_are_asked(w, &out)) {
		tell_several_usb(&s);
		return false;
	}
	if (out.n > 1 && !several_are_asked(w, &out)) {
		finding_add(f, SEVERITY_ERROR, "device-ambiguous", w->place, "add 'at' to say which",
			    "'%s' fits %zu devices: %s", w->name, out.n, list_of(&s, fits));
		return false;
	}
	if (w->functions_all)
		add_slots(&s, &out);
	*sel = out;
	return true;
}
