/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/pverefuse.h"
#include "core/select.h"

#define SHOWN "%.200s"

/* What is being looked at. */
struct look {
	struct host *h;
	const struct pve_guest *g;
	unsigned vmid;
	const struct inventory *inv;
	struct findings *f;
	struct arena *a;
	const char *node;
	struct pve_mappings pci, usb;
};

static struct place place_of(const struct look *l)
{
	return (struct place){ .file = arena_fmt(l->a, "/etc/pve/qemu-server/%u.conf", l->vmid) };
}

static void tell(const struct look *l, const char *key, int n, enum severity severity, const char *remedy,
		 const char *why)
{
	const char *what = arena_fmt(l->a, "Proxmox will not start the VM: %s%d: %s", key, n, why);

	if (severity == SEVERITY_ERROR)
		finding_add(l->f, SEVERITY_ERROR, "proxmox-refuses", place_of(l), remedy, "%s", what);
	else
		finding_add(l->f, SEVERITY_WARNING, "proxmox-refuses", place_of(l), remedy, "%s", what);
}

static void tell_left_out(const struct look *l)
{
	for (size_t i = 0; i < l->g->n_left_out; i++) {
		const struct pve_left_out *x = &l->g->left_out[i];
		struct place place = place_of(l);

		if (!x->line.key || (!str_starts(x->line.key, "hostpci") && !str_starts(x->line.key, "usb")))
			continue;
		place.line = x->line.number;
		place.column = 1;
		finding_add(l->f, SEVERITY_WARNING, "proxmox-leaves-out", place,
			    arena_fmt(l->a, "correct it with `qm set %u`", l->vmid),
			    "Proxmox leaves out the line '" SHOWN "', and starts the VM without that device: %s",
			    x->line.text, x->why);
	}
}

/* --- hostpciN ----------------------------------------------------------------------------------------------------- */

static bool is_q35(const struct pve_guest *g)
{
	return g->machine && strstr(g->machine, "q35");
}

/* PVE/QemuServer/PCI.pm, parse_hostpci_devices(); what the lines tell when they are taken together. */
static const char *why_not_together(const struct pve_guest *g, int n)
{
	const struct hostpci *p = &g->hostpci[n];

	if (p->pcie && !is_q35(g))
		return "pcie=1 needs a machine of type q35";
	if (!p->legacy_igd)
		return NULL;
	if (!str_same(g->vga, "none"))
		return "legacy-igd needs 'vga: none'";
	if (is_q35(g))
		return "legacy-igd goes with no machine of type q35";
	for (int i = 0; i < n; i++)
		if (g->hostpci[i].legacy_igd)
			return "legacy-igd is for one device only";
	return NULL;
}

/* An address of which the host has no function; NULL: there is none such. */
static const char *absent(const struct look *l, const struct hostpci *p)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t k;

		for (k = 0; k < l->inv->n; k++)
			if (function_is_at(&l->inv->functions[k], p->addresses[i]))
				break;
		if (k == l->inv->n)
			return p->addresses[i];
	}
	return NULL;
}

static bool has(const struct hostpci *p, const struct function *fn)
{
	for (size_t i = 0; i < p->n; i++)
		if (function_is_at(fn, p->addresses[i]))
			return true;
	return false;
}

/*
 * A mediated device is of no function that another line could not name (choose_hostpci_devices()). Of a mapping it may
 * be another device by the time it counts.
 */
static void tell_twice(const struct look *l, int n)
{
	const struct hostpci *p = l->g->hostpci;

	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < l->inv->n && !p[n].mdev && !p[i].mdev && !p[n].mapping && !p[i].mapping; k++) {
			const struct function *fn = &l->inv->functions[k];

			if (!has(&p[n], fn) || !has(&p[i], fn))
				continue;
			tell(l, "hostpci", n, SEVERITY_ERROR, "name it once",
			       arena_fmt(l->a, "%s is in hostpci%d already", fn->address, i));
			return;
		}
}

static bool is_here(const struct look *l, const struct pve_map *map)
{
	return strcmp(map->node, l->node) == 0;
}

static void tell_fault(const struct look *l, int n, const struct pve_mapping *m, const struct pve_map *map)
{
	const char *why, *right = pvemap_right_line(map, l->inv, l->a), *remedy;
	enum pve_map_fault fault = pvemap_fault(l->h, m, map, l->inv, l->a, &why);
	bool may_change = fault == MAP_GROUP || fault == MAP_ABSENT || fault == MAP_MDEV;

	if (fault == MAP_RIGHT)
		return;
	remedy = right && fault != MAP_MDEV ? arena_fmt(l->a, "write in /" PVEMAP_PCI_FILE " '%s'", right)
					    : "correct it in Datacenter, Resource Mappings";
	tell(l, "hostpci", n, may_change ? SEVERITY_WARNING : SEVERITY_ERROR, remedy,
	       arena_fmt(l->a, "the mapping '%s', line %u of /" PVEMAP_PCI_FILE ", is not right: %s", m->name, map->line,
			 why));
}

static const char *not_here(const struct look *l, const struct pve_mapping *m, const char *name)
{
	return m ? arena_fmt(l->a, "the mapping '%s' has no device of the node '%s'", name, l->node)
		 : arena_fmt(l->a, "there is no mapping '%s'", name);
}

static void tell_mapping(const struct look *l, int n, const char *name)
{
	const struct pve_mapping *m = pvemap_find(&l->pci, name);
	size_t here = 0;

	for (size_t i = 0; m && i < m->n; i++)
		if (is_here(l, &m->maps[i])) {
			tell_fault(l, n, m, &m->maps[i]);
			here++;
		}
	if (!here)
		tell(l, "hostpci", n, SEVERITY_ERROR, "add it in Datacenter, Resource Mappings",
		       not_here(l, m, name));
}

/*
 * qemu-server, PVE/QemuServer/PCI.pm, prepare_pci_device(): "cannot prepare PCI pass-through, IOMMU not present". It looks
 * whether /sys/class/iommu has an entry (pve-common, PVE/SysFSTools.pm, check_iommu_support()); then functions are in groups.
 */
static bool is_iommu_missing(const struct look *l)
{
	for (size_t i = 0; l->inv && i < l->inv->n; i++)
		if (l->inv->functions[i].group >= 0)
			return false;
	return l->inv;
}

static void look_at_hostpci(const struct look *l, int n)
{
	const struct hostpci *p = &l->g->hostpci[n];
	const char *why = p->refused ? p->refused : why_not_together(l->g, n), *missing;

	if (!p->present || p->left_out)
		return;
	if (why)
		tell(l, "hostpci", n, SEVERITY_ERROR, arena_fmt(l->a, "correct it with `qm set %u`", l->vmid), why);
	if (p->refused || !l->inv)
		return;
	if (is_iommu_missing(l))
		tell(l, "hostpci", n, SEVERITY_ERROR,
		     "switch VT-d or AMD-Vi on in the firmware and the IOMMU on the kernel command line", "this host has no IOMMU");
	missing = p->mapping ? NULL : absent(l, p);
	if (missing)
		tell(l, "hostpci", n, SEVERITY_WARNING, "compare with `lspci -nn`",
		       arena_fmt(l->a, "there is no device at %s, unless a step finds it", missing));
	tell_twice(l, n);
	if (p->mapping && l->node)
		tell_mapping(l, n, p->mapping);
}

/* --- usbN --------------------------------------------------------------------------------------------------------- */

/* PVE/QemuServer/USB.pm, parse_usb_device(). Whether the device is plugged in is not asked: it may be, in time. */
static const char *why_not_usb(const struct look *l, const char *name)
{
	const struct pve_mapping *m = pvemap_find(&l->usb, name);
	size_t here = 0;

	for (size_t i = 0; m && i < m->n; i++)
		here += is_here(l, &m->maps[i]);
	if (here > 1)
		return arena_fmt(l->a, "the mapping '%s' has %zu devices of the node '%s', and of USB there can be one", name,
				 here, l->node);
	if (here == 1)
		return NULL;
	return not_here(l, m, name);
}

static void look_at_usb(const struct look *l, int n)
{
	const struct pve_usb *u = &l->g->usb[n];
	const char *why = u->refused;

	if (!u->present || u->left_out)
		return;
	if (why)
		tell(l, "usb", n, SEVERITY_ERROR, arena_fmt(l->a, "correct it with `qm set %u`", l->vmid), why);
	why = u->refused || !u->mapping || !l->node || !l->inv ? NULL : why_not_usb(l, u->mapping);
	if (why)
		tell(l, "usb", n, SEVERITY_ERROR, "correct it in Datacenter, Resource Mappings", why);
}

void pverefuse_tell(struct host *h, const struct pve_guest *g, unsigned vmid, const struct inventory *inv,
		    const struct pvemap_here *here, struct findings *f)
{
	struct look l = { .h = h, .g = g, .vmid = vmid, .inv = inv, .f = f, .a = f->arena };
	struct error ignored;

	/* Without its mappings, the host is asked nothing about them. */
	if (here && here->node && pvemap_read(h, PVEMAP_USB, l.a, &l.usb, &ignored) == 0) {
		l.pci = here->pci;
		l.node = here->node;
	}
	tell_left_out(&l);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		look_at_hostpci(&l, i);
	for (int i = 0; i < PVE_USB_MAX; i++)
		look_at_usb(&l, i);
}
