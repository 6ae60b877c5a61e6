/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_GUESTS_H
#define HANDOVER_GUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

/*
 * The guests of all nodes, VMs and containers, by their configurations: etc/pve/nodes/NODE/qemu-server/VMID.conf and
 * .../lxc/VMID.conf. Proxmox gives each number once in a cluster. For questions about hookscripts; what a guest's
 * device lines say is pveconf.h's.
 */
#define GUESTS_NODES "etc/pve/nodes"
#define GUESTS_CONF_BYTES_MAX (1024 * 1024)	/* pmxcfs takes no larger file */

struct guest {
	unsigned vmid;
	const char *node;
	bool container;
	const char *name;	/* of its configuration on the seam */
	const char *text;	/* its configuration; NULL: it cannot be read */
};

struct guests {
	struct guest *list;	/* by node, VMs before containers */
	size_t n;
	char **nodes;
	size_t n_nodes;
	const char *here;	/* this node */
};

/*
 * -ENOENT: there are no nodes, so that it is no Proxmox host, or its cluster file system is not mounted. A
 * configuration that goes while it is looked for is left out.
 */
int guests_read(struct host *h, struct arena *a, struct guests *g, struct error *err);

/* NULL: there is none of that number. */
const struct guest *guests_find(const struct guests *g, unsigned vmid);

/* Its text as it is now. Returns its length, or a negative errno; text belongs to a. */
ssize_t guest_reread(struct host *h, const struct guest *guest, struct arena *a, const char **text);

/* The value of "key: value" in the current configuration, as pveline.h reads it; NULL: it is not there. */
const char *guest_value(const char *text, const char *key, struct arena *a);

/*
 * Whether its hookscript is that volume, now or in a snapshot, which may be rolled back to. One that cannot be read may
 * have it, and counts as if.
 */
bool guest_names_hookscript(const struct guest *guest, const char *volume, struct arena *a);

#endif
