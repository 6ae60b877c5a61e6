/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_NETIF_H
#define HANDOVER_NETIF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "core/inventory.h"
#include "host/host.h"

/*
 * The network interfaces of a host and what stands on what: sys/class/net, whose links lower_* and upper_* the kernel
 * makes for bridges, bonds, VLANs and all that is stacked (net/core/dev.c, netdev_adjacent_sysfs_add()).
 */
#define NETIF_NEST_MAX 9	/* net/core/dev.c: MAX_NEST_DEV is 8; and one for Open vSwitch */

struct netif {
	const char *name;	/* "eno1" */
	const char *path;	/* the target of its link in sysfs */
	const char *function;	/* the PCI function it is on, NULL: it is virtual */
	const char *usb;	/* and the USB device, "1-2.1"; NULL: none */
	struct netif *card;	/* the first interface on the same device, itself maybe; NULL: it is virtual */
	/* netif_look() fills these in: */
	bool looked;
	struct netif **lower;
	size_t n_lower;
	bool has_upper;
	bool bridge, bond;	/* it is one, or is named like Proxmox names them: "vmbr0", "bond0" */
	const char *physical;	/* the function that its own, a virtual one, is part of; NULL: none */
	unsigned mark;		/* for whoever walks: of the last walk that came here */
};

struct netifs {
	struct host *host;
	const struct inventory *inventory;
	struct arena *arena;
	struct netif *list;	/* sorted by name */
	size_t n;
};

/* A negative errno: the class cannot be listed, and there is none in n. */
int netifs_read(struct host *h, const struct inventory *inv, struct arena *a, struct netifs *n);

/* NULL: there is none of that name. */
struct netif *netif_find(const struct netifs *n, const char *name);

/*
 * What it stands on, and whether anything stands on it; read when first asked for. A port of Open vSwitch has no link
 * to the switch's cards (net/openvswitch/vport-internal_dev.c), so that what stands on nothing and belongs to nothing
 * stands on the switch, if there is one.
 */
void netif_look(const struct netifs *n, struct netif *nic);

/*
 * Whether the interface goes when that PCI function or USB device does: it is on it, or is a virtual function of it, or
 * something below it is, of which there may be others.
 */
bool netif_stands_on(const struct netifs *n, struct netif *nic, const char *device);

/* It is up, as far as it was asked for: the carrier does not matter. */
bool netif_is_up(const struct netifs *n, const struct netif *nic);

/* It can be a port of a bridge in place of another card: Ethernet on a cable, no virtual function. */
bool netif_is_wired(const struct netifs *n, const struct netif *nic);

/* "0000:00:1f.6", "USB 1-2 at 0000:00:14.0". */
const char *netif_place(const struct netif *nic, struct arena *a);

#endif
