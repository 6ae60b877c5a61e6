/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVEPROPS_H
#define HANDOVER_PVEPROPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * Property strings of Proxmox: "02:00.0,pcie=1,romfile=card.rom" (pve-common, PVE/JSONSchema.pm,
 * parse_property_string). Parts are separated by commas, in any order; one without '=' is the value of the default key.
 * Nothing is trimmed.
 */
enum prop_kind { PROP_TEXT, PROP_FLAG, PROP_INTEGER };

struct prop {
	const char *key;
	enum prop_kind kind;
	bool (*fits)(const char *value);	/* NULL: any text */
	const char *what;			/* that fits(), in words */
	bool is_default, required;
};

/*
 * values[i] becomes that of format[i], NULL where it is not given; a flag is "1" or "0". A key that is not in format is passed
 * over: a later Proxmox may know it. Returns NULL, or why Proxmox
 * refuses the whole string: then values are not to be used.
 */
const char *props_parse(const char *text, const struct prop *format, size_t n, const char **values, struct arena *a);

/* 1, on, yes, true; 0, off, no, false; -1: neither (PVE/JSONSchema.pm, parse_boolean). */
int props_flag(const char *s);

/* The name of a mapping (PVE/JSONSchema.pm, pve-configid), and of a node (pve-node). */
bool props_is_mapping(const char *s);
bool props_is_node(const char *s);

/* "10de:1f82", in letters of either size; "1-2.1", bus and ports, numbers of whatever size. */
bool props_is_id(const char *s);
bool props_is_usb_port(const char *s);

/*
 * A list of addresses with ';' between: hex digits in small letters, "02:00.0", or without the function for all of them
 * (qemu-server, PVE/QemuServer/PCI.pm, and pve-guest-common, PVE/Mapping/PCI.pm, PCIRE). Of a mapping each has its
 * domain.
 */
bool props_is_pci_list(const char *s);
bool props_is_pci_list_with_domain(const char *s);

#endif
