/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVECLUSTER_H
#define HANDOVER_PVECLUSTER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

/*
 * The cluster file system of Proxmox, /etc/pve: what is in it comes from pmxcfs (pve-cluster, src/pmxcfs). While that
 * does not run it is an empty folder, or answers ENOTCONN, and no guest has a configuration.
 */

/*
 * Whether it is not there although this is a host of Proxmox; err then says so, with -ENOTCONN. A host without the
 * folder has no Proxmox, and nothing is down.
 */
bool pvecluster_is_down(struct host *h, struct error *err);

/*
 * The host's name up to its first dot, which is what Proxmox goes by (pve-common, PVE/INotify.pm, nodename). "": not known.
 */
const char *pvecluster_short_name(struct host *h, struct arena *a);

/* The name of this node, which is that one; NULL: not known, or none that a node could have. */
const char *pvecluster_node(struct host *h, struct arena *a);

/* The node that a guest is on, by etc/pve/.vmlist (src/pmxcfs/status.c, cfs_create_vmlist_msg); NULL: not known. */
const char *pvecluster_node_of(struct host *h, unsigned vmid, struct arena *a);

#endif
