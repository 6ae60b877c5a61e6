/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVEMAP_H
#define HANDOVER_PVEMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "core/inventory.h"
#include "host/host.h"

/*
 * Proxmox's resource mappings, /etc/pve/mapping/pci.cfg and usb.cfg (pve-guest-common, PVE/Mapping/PCI.pm and USB.pm;
 * pve-common, PVE/SectionConfig.pm, parse_config): a section is a line with a name, then lines that begin with space,
 * each a property; an empty line ends it, one of spaces does not. Lines whose first letter is '#' do not count. Of a
 * property but 'map' the first one counts.
 */
#define PVEMAP_PCI_FILE "etc/pve/mapping/pci.cfg"
#define PVEMAP_USB_FILE "etc/pve/mapping/usb.cfg"

enum pvemap_kind { PVEMAP_PCI, PVEMAP_USB };

/* One 'map' of a mapping: a device of a node. Of several for one node a VM gets the first that is free. */
struct pve_map {
	unsigned line;			/* counted from 1 */
	const char *text;		/* what stands behind 'map' */
	const char *node, *id;		/* "pve1", "10de:1f82" */
	const char *path;		/* PCI: "0000:01:00.0;0000:01:00.1"; USB: "1-4.2", or NULL */
	const char *subsystem, *group;	/* PCI, as they stand there, or NULL */
};

struct pve_mapping {
	const char *name;
	unsigned line;
	bool mdev;			/* its devices provide mediated devices */
	struct pve_map *maps;		/* at least one */
	size_t n;
};

/* What Proxmox passes over, and why. */
struct pve_map_bad {
	unsigned line;
	const char *name;		/* of the section, NULL: it is in none */
	const char *text, *why;
};

struct pve_mappings {
	struct pve_mapping *list;	/* a name once: of two sections the last counts */
	size_t n;
	struct pve_map_bad *bad;
	size_t n_bad;
};

void pvemap_parse(const char *text, enum pvemap_kind kind, struct arena *a, struct pve_mappings *m);

/* The host's. No file is no mapping. -ENOTCONN as pveconf_read(). */
int pvemap_read(struct host *h, enum pvemap_kind kind, struct arena *a, struct pve_mappings *m, struct error *err);

/* Those of PCI devices, and the node that looks at them. */
struct pvemap_here {
	const char *node;		/* NULL: it is not known, or they cannot be read; then there are none */
	struct pve_mappings pci;
};

struct pvemap_here pvemap_read_here(struct host *h, struct arena *a);

const struct pve_mapping *pvemap_find(const struct pve_mappings *m, const char *name);

/*
 * What is wrong with a map of this node: with any fault, Proxmox refuses to start a VM whose line names the mapping,
 * even if another alternative is right (PVE/Mapping/PCI.pm, assert_valid).
 */
enum pve_map_fault {
	MAP_RIGHT,
	MAP_ABSENT,		/* a function of the path is not there */
	MAP_ID,
	MAP_GROUP,		/* of the first path; numbers change when a slot is split */
	MAP_MDEV,		/* the mapping says mdev, and the device provides none */
	MAP_SUBSYSTEM,
};

/*
 * why becomes a sentence about it, without the mapping's name. That a device provides mediated devices and the mapping
 * does not say so is no fault here: as soon as it is bound to vfio-pci, it provides none.
 */
enum pve_map_fault pvemap_fault(struct host *h, const struct pve_mapping *mapping, const struct pve_map *map,
				const struct inventory *inv, struct arena *a, const char **why);

/* The whole line that would be right for the functions of the map as they are in inv; NULL: they are not there. */
const char *pvemap_right_line(const struct pve_map *map, const struct inventory *inv, struct arena *a);

/* "0000:01:00.0" of the n-th path, the function left out being 0; NULL: there are not so many. */
const char *pvemap_path(const struct pve_map *map, size_t n, struct arena *a);

#endif
