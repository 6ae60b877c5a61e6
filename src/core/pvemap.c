/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/pvemap.h"

#define HOSTNAME "proc/sys/kernel/hostname"
#define TEXT_MAX 65536

/* "map id=...,iommugroup=7,node=pve,path=0000:00:1f.3;0000:00:1f.0,subsystem-id=..." */
struct entry {
	const char *name;	/* of the mapping */
	const char *node, *path, *group;
};

/* The property's value, or "". line is taken apart. */
static void take_property(struct entry *e, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return;
	*value++ = '\0';
	if (strcmp(word, "node") == 0)
		e->node = value;
	else if (strcmp(word, "iommugroup") == 0)
		e->group = value;
	else if (strcmp(word, "path") == 0)
		e->path = value;
}

static struct entry parse_entry(const char *name, char *line)
{
	struct entry e = { name, "", "", "" };
	char *word;

	while ((word = strsep(&line, ",")) != NULL)
		take_property(&e, word);
	return e;
}

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

static bool gets_another_number(const struct planner *p, const struct function *now)
{
	const struct function *then = inventory_find(p->inventory, now->address);

	return then && then->group != now->group;
}

static void check_entry(struct planner *p, const struct entry *e, const char *node)
{
	char path[BDF_TEXT_MAX];
	const struct function *fn;
	uint64_t group;

	/* Only the first path's group is compared. */
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(e->path, ";"), e->path);
	fn = inventory_find(p->found, path);
	if (strcmp(e->node, node) != 0 || !fn || !is_planned(p, fn) || !str_decimal(e->group, INT32_MAX, &group))
		return;
	if (fn->group != (int)group)
		finding_add(p->findings, SEVERITY_WARNING, "mapping-group", (struct place){ .file = "/" PVEMAP_FILE },
			    arena_fmt(p->arena, "write iommugroup=%d there", fn->group),
			    "the mapping '%s' says iommugroup=%s for %s, which is in group %d: Proxmox will not start a VM with it",
			    e->name, e->group, fn->address, fn->group);
	else if (gets_another_number(p, fn))
		finding_add(p->findings, SEVERITY_WARNING, "mapping-group", (struct place){ .file = "/" PVEMAP_FILE },
			    arena_fmt(p->arena, "afterwards write the number that /sys/bus/pci/devices/%s/iommu_group leads to",
				      fn->address),
			    "the mapping '%s' says iommugroup=%s for %s, which will be in another: Proxmox will not start a VM "
			    "with it", e->name, e->group, fn->address);
}

void pvemap_check(struct planner *p)
{
	char *text = arena_alloc(p->arena, TEXT_MAX), node[256], *line;
	const char *name = "";

	if (host_read_bytes(p->host, PVEMAP_FILE, text, TEXT_MAX) < 0 || host_read(p->host, HOSTNAME, node, sizeof(node)) < 0)
		return;
	/* A node's name is the first part of the host's (pve-common, PVE/INotify.pm, nodename). */
	node[strcspn(node, ".")] = '\0';
	while ((line = strsep(&text, "\n")) != NULL) {
		size_t blank = strspn(line, " \t");

		line[strcspn(line, "\r")] = '\0';
		if (blank == 0 && *line) {
			name = line;
		} else if (str_starts(line + blank, "map ")) {
			struct entry e = parse_entry(name, line + blank + strlen("map "));

			check_entry(p, &e, node);
		}
	}
}
