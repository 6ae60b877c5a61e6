/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/draft_parts.h"

/* include/linux/pci_ids.h */
static const struct class_name {
	unsigned class;		/* base and sub class, or only the base */
	bool base;
	const char *name;
} class_names[] = {
	{ 0x0403, false, "audio" },
	{ 0x0c03, false, "usb" },
	{ 0x0108, false, "nvme" },
	{ 0x0106, false, "sata" },
	{ 0x0601, false, "lpc" },
	{ 0x0c05, false, "smbus" },
	{ 0x0c80, false, "spi" },
	{ 0x03, true, "gpu" },
	{ 0x02, true, "nic" },
	{ 0x01, true, "storage" },
	{ 0x04, true, "media" },
	{ 0x07, true, "serial" },
	{ 0x12, true, "accelerator" },
};

const char *draft_name(struct drafting *d, const struct function *fn, size_t nth)
{
	const char *name = "device";

	for (size_t i = 0; i < sizeof(class_names) / sizeof(*class_names); i++)
		if ((class_names[i].base ? fn->class >> 16 : fn->class >> 8) == class_names[i].class) {
			name = class_names[i].name;
			break;
		}
	return nth > 1 ? arena_fmt(d->arena, "%s%zu", name, nth) : name;
}

static bool has_name(const struct units *u, const char *name)
{
	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->list[i].device.name, name) == 0)
			return true;
	return false;
}

static struct unit *add_unit(struct drafting *d, struct units *u, int entry)
{
	struct unit *new;

	u->list = arena_grow(d->arena, u->list, u->n, sizeof(*u->list));
	new = &u->list[u->n];
	*new = (struct unit){ .entry = entry };
	return new;
}

/* Its functions are known. */
static void name_unit(struct drafting *d, struct units *u, struct unit *new)
{
	size_t nth = 1;

	do
		new->device.name = new->functions.n ? draft_name(d, new->functions.list[0], nth++) :
			    arena_fmt(d->arena, "hostpci%d", new->entry);
	while (new->functions.n && has_name(u, new->device.name));
	u->n++;
}

/*
 * Of a bus that the VM has as a whole QEMU asks VFIO for a reset of all its functions together (drivers/vfio/pci/vfio_pci_core.c,
 * vfio_pci_ioctl_pci_hot_reset(); QEMU, hw/vfio/pci.c, vfio_pci_hot_reset()). There is none of a root bus.
 */
static bool is_reset_with_its_bus(const struct units *u, const struct function *fn)
{
	for (size_t i = 0; fn->parent && i < u->inventory->n; i++) {
		const struct function *other = &u->inventory->functions[i];

		if (str_same(other->parent, fn->parent) && !selection_holds(&u->all, other))
			return false;
	}
	return fn->parent;
}

static bool wants_cycle(const struct units *u, const struct function *fn)
{
	return !fn->reset_methods && !fn->virtual && !is_reset_with_its_bus(u, fn);
}

static bool all_alike(const struct units *u, const struct selection *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (wants_cycle(u, s->list[i]) != wants_cycle(u, s->list[0]))
			return false;
	return true;
}

/* A line whose functions differ in how they can go back is one device for each. */
static void add_functions(struct drafting *d, struct units *u, int entry, const struct selection *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct function *fn = s->list[i];
		struct unit *new = add_unit(d, u, entry);

		selection_add(&new->functions, fn, d->arena);
		new->selector = arena_fmt(d->arena, "{id: \"%04x:%04x\", at: \"%s\"}", fn->vendor, fn->device, fn->address);
		new->cycle = wants_cycle(u, fn);
		name_unit(d, u, new);
	}
}

static void add_entry(struct drafting *d, struct units *u, int entry, const struct selection *s)
{
	struct unit *new;

	if (!all_alike(u, s)) {
		add_functions(d, u, entry, s);
		return;
	}
	new = add_unit(d, u, entry);
	new->functions = *s;
	new->selector = arena_fmt(d->arena, "{hostpci: %d}", entry);
	new->cycle = s->n && wants_cycle(u, s->list[0]);
	name_unit(d, u, new);
}

/* What is not found is told when the profile is tried. */
static struct selection functions_of(struct drafting *d, const struct inventory *inv, int entry)
{
	const struct device_wish w = { .name = "", .hostpci = entry };
	struct selection s = { 0 };
	struct findings f;

	findings_init(&f, d->arena);
	return select_functions(&w, inv, d->guest, NULL, &s, &f) ? s : (struct selection){ 0 };
}

void draft_find_units(struct drafting *d, struct units *u)
{
	struct selection found[HOSTPCI_MAX] = { 0 };

	for (int i = 0; i < HOSTPCI_MAX; i++) {
		const struct hostpci *h = &d->guest->hostpci[i];

		if (h->present && !h->mdev && !h->keep)
			found[i] = functions_of(d, u->inventory, i);
		for (size_t k = 0; k < found[i].n; k++)
			selection_add(&u->all, found[i].list[k], d->arena);
	}
	for (int i = 0; i < HOSTPCI_MAX; i++) {
		const struct hostpci *h = &d->guest->hostpci[i];

		if (h->present && !h->mdev && !h->keep)
			add_entry(d, u, i, &found[i]);
	}
}
