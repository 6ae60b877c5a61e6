/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_INVENTORY_H
#define HANDOVER_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "host/host.h"

/*
 * What is on the PCI buses of a host, typed: read once, const afterwards. Config space is decoded by libpci; where a
 * host does not give it (config space beyond 64 bytes needs root), has_config is false and all that comes from it is
 * zero.
 */
#define FUNCTION_CAPABILITIES_MAX 48

struct capability {
	uint16_t id;		/* PCI_CAP_ID_* or, if extended, PCI_EXT_CAP_ID_* */
	bool extended;
};

struct function {
	const char *address;	/* as sysfs has it: "0000:02:00.0" */
	struct bdf bdf;
	const char *parent;	/* address of the bridge above, NULL on a root bus */
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class;		/* base, sub, interface: 0x030000 */
	const char *id;		/* "10de:2783:1043:8927" */

	bool has_config;
	uint8_t header;		/* register 0x0e: bit 7 = multifunction, the rest the layout */
	bool bridge;		/* header layout 1 or 2, or class 0x0600 (host bridge) and alike: never handed over */
	bool pcie;		/* has a PCI Express capability */
	bool has_acs;		/* has an ACS capability ... */
	uint16_t acs_control;	/* ... and what of it is switched on */
	struct capability capabilities[FUNCTION_CAPABILITIES_MAX];
	size_t n_capabilities;

	const char *life;	/* life/ADDRESS: another one means that it was removed and found anew */
	/* Its network interface and the place it has: "eno1, mtu 1500, in vmbr0, vlans 1 pvid untagged, up"; NULL: none */
	const char *nic;
	const char *driver;	/* NULL: none */
	const char *override;	/* driver_override; NULL: none */
	const char *modules;	/* candidates, separated by spaces, "" if none is known */
	const char *reset_methods;	/* NULL: it cannot be reset */
	const char *power_control;	/* NULL: no such file */
	const char *d3cold;
	int group;		/* IOMMU group, -1 = none. Numbers are reused: compare members */
	int vfs;		/* sriov_numvfs; -1: no SR-IOV */
	bool virtual;		/* a VF */
	/* Reading it does not come back: a write to it hangs in the kernel. override and vfs are unknown then. */
	bool stuck;
};

struct inventory {
	struct function *functions;	/* sorted by address */
	size_t n;
};

/* Reads the host. Only a missing PCI bus is an error; a function that goes while it is read is left out. */
int inventory_read(struct host *h, struct arena *a, struct inventory *inv, struct error *err);

const struct function *inventory_find(const struct inventory *inv, const char *address);

/*
 * Vendor and device in words, or "Device 2783" where pci.ids is older than the device; the class, likewise. They belong
 * to a. Asked for the first time, pci.ids is read (some milliseconds), so not on the way to a VM's start.
 */
const char *function_name(const struct function *fn, struct arena *a);
const char *function_class_name(const struct function *fn, struct arena *a);

/* Whether two functions are in the same IOMMU group (a function without group is alone). */
bool function_same_group(const struct function *a, const struct function *b);
bool function_same_slot(const struct function *a, const struct function *b);

#endif
