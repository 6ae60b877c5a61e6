/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_RTNL_H
#define HANDOVER_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/vlans.h"

/*
 * What the program asks of rtnetlink, and does through it; through libmnl. All return 0 or a negative errno as the
 * kernel gave it, -ETIMEDOUT if no answer came within RTNL_MS.
 *
 * That limit does not bound these calls. The kernel works on a request while it is being sent, and waits there for the
 * lock of the network configuration (net/core/rtnetlink.c, rtnetlink_rcv_msg(): rtnl_lock(), which no signal ends);
 * whoever holds it in a driver that does not come back, stops all. So only a process that may be left behind calls
 * them: reader.h's child for reading, a worker for writing.
 */
#define RTNL_MS 2000

struct mnl_socket;

struct rtnl {
	struct mnl_socket *socket;
	unsigned sequence;
};

/* A network interface. */
struct rtnl_link {
	int index;
	char name[IFNAMSIZ];
	unsigned flags;		/* IFF_... */
	uint32_t mtu;
	int master;		/* the index of the interface it belongs to, 0 = none */
	bool is_bridge, is_bond;
	bool is_port;		/* its master is a bridge */
};

int rtnl_open(struct rtnl *r);
void rtnl_close(struct rtnl *r);

/* -ENODEV: there is none of that name, of that index. */
int rtnl_link_named(struct rtnl *r, const char *name, struct rtnl_link *link);
int rtnl_link_at(struct rtnl *r, int index, struct rtnl_link *link);

int rtnl_set_name(struct rtnl *r, int index, const char name[IFNAMSIZ]);
int rtnl_set_mtu(struct rtnl *r, int index, uint32_t mtu);
int rtnl_set_up(struct rtnl *r, int index, bool up);
int rtnl_set_master(struct rtnl *r, int index, int master);

/* The VLANs of a bridge's port. None if the kernel's bridges know no VLANs. */
int rtnl_vlans(struct rtnl *r, int index, struct vlans *v);
int rtnl_vlan_add(struct rtnl *r, int index, const struct vlan_range *range);
int rtnl_vlan_remove(struct rtnl *r, int index, const struct vlan_range *range);

#endif
