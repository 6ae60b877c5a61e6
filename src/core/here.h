/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HERE_H
#define HANDOVER_HERE_H

#include "core/profile.h"
#include "host/host.h"

/*
 * By what entries of 'hosts' know a host:
 *   node        the host's name up to its first dot, which is its name as a node of Proxmox (pve-common, PVE/INotify.pm,
 *               nodename)
 *   dmi         what its firmware calls the machine: "EliteDesk 800 G4 DM 35W", or with its vendor in front, "HP EliteDesk
 *               800 G4 DM 35W" (drivers/firmware/dmi-id.c: product_name, sys_vendor), without spaces around either
 *   machine-id  machine-id(5)
 * The texts are compared as they are. What cannot be read is "", which fits nothing.
 */
struct identity {
	const char *node, *product, *full_product, *machine_id;
};

struct identity identity_read(struct host *h, struct arena *a);

/* The first entry of a layer that fits, or NULL. */
const struct host_wish *identity_find(const struct identity *id, const struct layer *layer);

/*
 * The profile as it is on this host: its devices are what the first entry of 'hosts' that fits makes of them, in each file.
 * Without 'hosts' it is p. NULL: a step names a device that is none here, and f says which hosts the profile knows and what
 * this one is (host-unknown), or what its entry lacks (host-incomplete).
 */
const struct profile *profile_here(const struct profile *p, struct host *h, struct findings *f);

#endif
