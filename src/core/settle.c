/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/reservations.h"
#include "core/settle.h"

struct look {
	const struct lease *lease;
	struct inventory inv;
	struct reservation *reserved;	/* for the VM */
	size_t n_reserved;
	struct reservation *others;	/* for other VMs */
	size_t n_others;
	struct selection given;		/* functions that lines before have got */
	struct arena *a;
};

static bool is_reserved(const struct look *l, const struct function *fn)
{
	for (size_t i = 0; i < l->n_reserved; i++)
		if (function_is_at(fn, l->reserved[i].place))
			return !selection_holds(&l->given, fn);
	return false;
}

/* Whether Proxmox has given the VM all of it. */
static bool is_taken(const struct look *l, const struct alternative *x)
{
	bool any = false;

	for (size_t i = 0; i < l->inv.n; i++) {
		const struct function *fn = &l->inv.functions[i];

		if (!alternative_has(x, fn))
			continue;
		if (!is_reserved(l, fn))
			return false;
		any = true;
	}
	return any;
}

/* Whether a step of the lease has changed a function of it. */
static bool is_prepared(const struct look *l, const struct alternative *x)
{
	for (size_t i = 0; i < l->inv.n; i++)
		for (size_t k = 0; alternative_has(x, &l->inv.functions[i]) && k < l->lease->n; k++)
			if (step_is_lent(&l->lease->steps[k]) && l->lease->marks[k] == MARK_DID &&
			    step_changes(&l->lease->steps[k], l->inv.functions[i].address))
				return true;
	return false;
}

/* What shares an IOMMU group with it, itself included. */
static bool goes_with(const struct look *l, const struct alternative *x, const struct function *fn)
{
	for (size_t i = 0; i < l->inv.n; i++)
		if (alternative_has(x, &l->inv.functions[i]) &&
		    (fn == &l->inv.functions[i] || function_same_group(fn, &l->inv.functions[i])))
			return true;
	return false;
}

static bool is_only_about(const struct look *l, const struct step *s, const struct alternative *x)
{
	bool any = false;

	for (size_t i = 0; i < l->inv.n; i++) {
		const struct function *fn = &l->inv.functions[i];

		if (!step_changes(s, fn->address))
			continue;
		if (!goes_with(l, x, fn))
			return false;
		any = true;
	}
	return any;
}

/* Another VM is being started with it, or runs: it has passed the device on as it is. */
static bool is_of_another(const struct look *l, const struct function *fn)
{
	for (size_t i = 0; i < l->n_others; i++)
		if (function_is_at(fn, l->others[i].place))
			return true;
	return false;
}

/* NULL: something of it is in a group with what the VM has, or another VM has, or a step is about more than it. */
static bool *steps_of(const struct look *l, const struct alternative *x)
{
	bool *which = arena_array(l->a, l->lease->n, sizeof(*which));
	struct selection left = { 0 };

	for (size_t i = 0; i < l->inv.n; i++)
		if ((is_reserved(l, &l->inv.functions[i]) || is_of_another(l, &l->inv.functions[i])) &&
		    goes_with(l, x, &l->inv.functions[i]))
			return NULL;
	for (size_t i = 0; i < l->lease->n; i++)
		which[i] = step_is_lent(&l->lease->steps[i]) && l->lease->marks[i] == MARK_DID &&
			   is_only_about(l, &l->lease->steps[i], x);
	for (size_t i = 0; i < l->inv.n; i++)
		for (size_t k = 0; goes_with(l, x, &l->inv.functions[i]) && k < l->lease->n; k++)
			if (step_is_lent(&l->lease->steps[k]) && l->lease->marks[k] == MARK_DID && !which[k] &&
			    step_changes(&l->lease->steps[k], l->inv.functions[i].address))
				selection_add(&left, &l->inv.functions[i], l->a);
	return left.n ? NULL : which;
}

/*
 * Proxmox binds by new_id, which stays, and vfio-pci would take the device again (drivers/pci/pci-driver.c,
 * new_id_store()).
 */
static const char *remedy_of(const struct look *l, const struct alternative *x)
{
	const char *text = "";

	for (size_t i = 0; i < l->inv.n; i++) {
		const struct function *fn = &l->inv.functions[i];

		if (fn->bridge || !goes_with(l, x, fn) || !str_same(fn->driver, "vfio-pci"))
			continue;
		text = arena_fmt(l->a, "%s%secho %04x %04x >/sys/bus/pci/drivers/vfio-pci/remove_id; echo %s "
				 ">/sys/bus/pci/drivers/vfio-pci/unbind; echo %s >/sys/bus/pci/drivers_probe", text, *text ? "; " : "",
				 fn->vendor, fn->device, fn->address, fn->address);
	}
	return text;
}

static void note_given(struct look *l, const struct alternative *x)
{
	for (size_t i = 0; i < l->inv.n; i++)
		if (alternative_has(x, &l->inv.functions[i]))
			selection_add(&l->given, &l->inv.functions[i], l->a);
}

/* False: it is as it was prepared, or not known. */
static bool settle_line(struct look *l, const struct alternative *list, size_t n, struct settled *s)
{
	const struct alternative *prepared = NULL, *taken = NULL;

	for (size_t i = 0; i < n && !taken; i++)
		if (is_taken(l, &list[i]))
			taken = &list[i];
	for (size_t i = 0; taken && i < n && !prepared; i++)
		if (&list[i] != taken && !is_taken(l, &list[i]) && is_prepared(l, &list[i]))
			prepared = &list[i];
	if (!taken)
		return false;
	*s = (struct settled){ .taken = taken, .prepared = prepared };
	/* Of what a profile has bound by itself the VM may well have the one and not the other. */
	if (!is_prepared(l, taken)) {
		s->steps = prepared ? steps_of(l, prepared) : NULL;
		s->remedy = remedy_of(l, taken);
	}
	return !is_prepared(l, taken) && prepared;
}

static bool names_mappings(const struct pve_guest *guest)
{
	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (guest->hostpci[i].mapping)
			return true;
	return false;
}

int settle(struct host *h, const struct lease *lease, struct arena *a, struct settled **list, size_t *n,
	   struct error *err)
{
	struct pve_guest *guest = arena_alloc(a, sizeof(*guest));
	struct look l = { .lease = lease, .a = a };
	struct pvemap_here here;
	int code;

	*list = NULL;
	*n = 0;
	reservations_of(h, lease->vmid, a, &l.reserved, &l.n_reserved);
	if (l.n_reserved == 0)
		return 0;
	reservations_read(h, lease->vmid, a, &l.others, &l.n_others);
	code = pveconf_read(h, lease->vmid, a, guest, err);
	if (code < 0 || !names_mappings(guest))
		return code;
	code = inventory_read(h, a, &l.inv, err);
	if (code < 0)
		return code;
	here = pvemap_read_here(h, a);
	for (int i = 0; i < HOSTPCI_MAX; i++) {
		const struct hostpci *p = &guest->hostpci[i];
		struct alternative *alternatives;
		struct settled s = { 0 };
		size_t n_alternatives = 0;

		if (!p->mapping || p->refused || p->mdev)
			continue;
		alternatives = alternatives_of(&here, p->mapping, a, &n_alternatives);
		if (settle_line(&l, alternatives, n_alternatives, &s)) {
			s.hostpci = i;
			s.mapping = p->mapping;
			*list = arena_grow(a, *list, *n, sizeof(**list));
			(*list)[(*n)++] = s;
		}
		if (s.taken)
			note_given(&l, s.taken);
	}
	return 0;
}
