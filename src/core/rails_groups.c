/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who shares an IOMMU group with what a VM is to have. */
#include <string.h>

#include "base/str.h"
#include "core/isolation.h"
#include "core/rails.h"
#include "core/rails_parts.h"

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

/*
 * Proxmox binds every endpoint of the group of what it hands over (PVE/SysFSTools.pm, pci_dev_group_bind_to_vfio): the
 * function that the VM has named, this one maybe. NULL: it leaves it alone.
 */
static const struct function *taken_by_proxmox(const struct planner *p, const struct function *fn)
{
	if (!fn->bridge && is_named_by_vm(p, fn))
		return fn;
	for (size_t i = 0; !fn->bridge && i < p->inventory->n; i++)
		if (function_same_group(fn, &p->inventory->functions[i]) && is_named_by_vm(p, &p->inventory->functions[i]))
			return &p->inventory->functions[i];
	return NULL;
}

static bool leaves_already(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; i < p->n_leaving; i++)
		if (p->leaving[i].fn && strcmp(p->leaving[i].fn->address, fn->address) == 0)
			return true;
	return false;
}

const char *driver_lent(const struct planner *p, const struct function *fn)
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
	if (fn->group < 0 || may_share_with_vm(driver_lent(p, fn)) || taken_by_proxmox(p, fn))
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
		    rails_join(p->arena, arena_fmt(p->arena, "hand %s over too, or take it off its driver", fn->address),
			       ", or ", rails_split(p, lent)),
		    "%s stays with the driver '%s' in the IOMMU group of %s, which the VM is to have: QEMU would say that the "
		    "group is not viable", fn->address, driver_lent(p, fn), lent->address);
}

/* The host would not get it back: Proxmox unbinds nothing when a VM stops (PVE/QemuServer.pm, cleanup_pci_devices()). */
static void tell_left(struct planner *p, const struct function *fn, const char *file)
{
	if (!str_same(driver_lent(p, fn), "vfio-pci"))
		finding_add(p->findings, SEVERITY_WARNING, "hostpci-not-bound", (struct place){ .file = file },
			    "let a step of the profile bind it",
			    "no step hands over %s, which the VM has by a hostpci line: Proxmox takes it, and after the VM it stays with "
			    "vfio-pci", fn->address);
}

void rails_check_groups(struct planner *p)
{
	const char *file = arena_fmt(p->arena, "/etc/pve/qemu-server/%u.conf", p->vmid);

	/* What was not planned for another reason would only be told a second time. */
	bool whole = p->findings->errors == 0;

	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct function *fn = &p->inventory->functions[i], *taken = taken_by_proxmox(p, fn);

		if (whole)
			check_viable(p, fn);
		if (!taken)
			continue;
		isolation_check(p, (struct place){ .file = file }, fn, false);
		if (taken == fn && !leaves_already(p, fn))
			tell_left(p, fn, file);
		if (!leaves_already(p, fn))
			planner_leaves(p, (struct leaving){ .fn = fn, .because = taken == fn ? NULL : taken, .by_proxmox = true,
							    .place = { .file = file }, .phase = PHASE_PRE_START });
	}
	/* A person has named it, in the VM's configuration. */
	for (size_t i = 0; i < p->n_leaving; i++)
		if (p->leaving[i].because && is_named_by_vm(p, p->leaving[i].fn))
			p->leaving[i].because = NULL;
}
