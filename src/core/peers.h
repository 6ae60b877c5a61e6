/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PEERS_H
#define HANDOVER_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "core/ip.h"
#include "host/host.h"

/*
 * Those whom the host talks to and must go on talking to, the gravest first:
 *   sessions of SSH     what /proc/net/tcp and tcp6 have at port 22 or one that /etc/ssh/sshd_config or what is in
 *                       sshd_config.d names; of very many sockets only the first are read
 *   corosync's links    ring0_addr to ring7_addr of the other nodes in /etc/pve/corosync.conf or, where that is not
 *                       mounted, /etc/corosync/corosync.conf (corosync.conf(5))
 *   storage             servers of NFS, CIFS, GlusterFS and Ceph in the mount table (nfs(5), mount.cifs(8), mount.ceph(8)), iSCSI
 *                       (drivers/scsi/scsi_transport_iscsi.c), mon_host and the networks in /etc/pve/ceph.conf
 *   the host itself     its own address, as /etc/hosts gives it for its name: Proxmox wants it so (pve-cluster, pveproxy
 *                       and corosync ask PVE/INotify.pm, nodename(), and resolve that)
 * Names are looked up in /etc/hosts only: nobody waits for a name server here.
 */
#define PEERS_MAX 2048		/* more are left out */
#define PEERS_SESSIONS_MAX 512	/* of these */
#define PEERS_PORTS_MAX 16	/* of sshd */
#define PEERS_NAMES_MAX 16	/* of one line of /etc/hosts */
#define PEERS_TEXT_BYTES (4 * 1024 * 1024)	/* of each file but those of sockets */
#define PEERS_SOCKETS_BYTES (1024 * 1024)	/* of each list of sockets: some 7000 */

struct peer {
	struct ip ip;		/* look up this: for a session over an address of one link, the host's own there */
	const char *what;	/* "an SSH session with 192.168.1.7" */
	bool own;		/* of the host itself: at the interface whose link it is in, and no route leads to it */
};

struct peers {
	struct peer *list;
	size_t n;
	bool cut;	/* there are more sockets than were read, so maybe more sessions */
};

void peers_read(struct host *h, struct arena *a, struct peers *p);

#endif
