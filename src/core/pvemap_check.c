/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/pvemap_check.h"

/* Whether any step looks at the function. */
static bool is_planned(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; i < p->plan.n; i++)
		for (size_t k = 0; k < p->plan.steps[i].n_looks; k++) {
			char address[BDF_TEXT_MAX];

			if (look_function(p->plan.steps[i].look[k], address) && strcmp(address, fn->address) == 0)
				return true;
		}
	return false;
}

/* Only the first path's group is compared; ids are of all of them. */
static bool is_about(const struct planner *p, const struct pve_map *map, enum pve_map_fault fault)
{
	const char *path;

	for (size_t i = 0; (path = pvemap_path(map, i, p->arena)) != NULL; i++) {
		const struct function *fn = inventory_find(p->found, path);

		if (fn && is_planned(p, fn))
			return true;
		if (fault == MAP_GROUP || fault == MAP_RIGHT)
			break;
	}
	return false;
}

static void tell_fault(struct planner *p, const struct pve_mapping *m, const struct pve_map *map,
		       enum pve_map_fault fault, const char *why)
{
	const struct place place = { .file = "/" PVEMAP_PCI_FILE, .line = map->line, .column = 1 };
	const char *right = pvemap_right_line(map, p->found, p->arena);
	const char *remedy = "correct it in Datacenter, Resource Mappings";
	const char *what = arena_fmt(p->arena, "the mapping '%s' is not right: %s: Proxmox will not start a VM with it",
				     m->name, why);

	if (right && fault != MAP_MDEV)
		remedy = arena_fmt(p->arena, "write there '%s'", right);
	if (fault == MAP_GROUP)
		finding_add(p->findings, SEVERITY_WARNING, "mapping-group", place, remedy, "%s", what);
	else
		finding_add(p->findings, SEVERITY_WARNING, "mapping-invalid", place, remedy, "%s", what);
}

/* What will be, is foretold. */
static void tell_change(struct planner *p, const struct pve_mapping *m, const struct pve_map *map)
{
	const struct function *now = inventory_find(p->found, pvemap_path(map, 0, p->arena));
	const struct function *then = now ? inventory_find(p->inventory, now->address) : NULL;

	if (!then || then->group == now->group)
		return;
	finding_add(p->findings, SEVERITY_WARNING, "mapping-group",
		    (struct place){ .file = "/" PVEMAP_PCI_FILE, .line = map->line, .column = 1 },
		    arena_fmt(p->arena, "afterwards write there '%s', if that is the number which "
			      "/sys/bus/pci/devices/%s/iommu_group leads to then", pvemap_right_line(map, p->inventory, p->arena), now->address),
		    "the mapping '%s' says iommugroup=%s for %s, which will be in another: Proxmox will not start a VM "
		    "with it", m->name, map->group ? map->group : "", now->address);
}

/* Of what the VM's own lines name, pverefuse.h tells. */
static bool is_the_vms(const struct planner *p, const struct pve_mapping *m)
{
	for (int i = 0; p->guest && i < HOSTPCI_MAX; i++)
		if (str_same(p->guest->hostpci[i].mapping, m->name))
			return true;
	return false;
}

static void check_map(struct planner *p, const struct pve_mapping *m, const struct pve_map *map)
{
	const char *why;
	enum pve_map_fault fault = pvemap_fault(p->host, m, map, p->found, p->arena, &why);

	if (!is_about(p, map, fault))
		return;
	if (fault == MAP_RIGHT)
		tell_change(p, m, map);
	else if (!is_the_vms(p, m))
		tell_fault(p, m, map, fault, why);
}

void pvemap_check(struct planner *p)
{
	const struct pve_mappings *all = &p->mappings.pci;

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->list[i].n; k++)
			if (strcmp(all->list[i].maps[k].node, p->mappings.node) == 0)
				check_map(p, &all->list[i], &all->list[i].maps[k]);
}
