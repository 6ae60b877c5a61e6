/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_NIC_PARTS_H
#define HANDOVER_LIVE_NIC_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"
#include "host/host.h"
#include "host/rtnl_ask.h"

/* What live_nic.c has of an interface, and what its parts make of it: nic/ADDRESS/WHAT is read and written there. */

/* The interface of a function. */
struct nic {
	int root;
	char address[BDF_TEXT_MAX];
	char folder[HOST_NAME_BYTES];	/* of the function's interfaces */
	char first[IFNAMSIZ], second[IFNAMSIZ];
	struct rtnl rtnl;
	struct rtnl_link link;
};

/* Each reads or writes one WHAT, as host.h says; -ENOENT: it is absent. */
struct nic_part {
	const char *name;
	ssize_t (*read)(struct nic *nic, char *buf, size_t size);
	int (*write)(struct nic *nic, const char *value);	/* NULL: nobody can */
};

#define NIC_PARTS(name, n) extern const struct nic_part name[n]
NIC_PARTS(nic_link_parts, 4);	/* live_nic_link.c */
NIC_PARTS(nic_port_parts, 3);	/* live_nic_port.c */
NIC_PARTS(nic_ip_parts, 2);	/* live_nic_ip.c */
NIC_PARTS(nic_sysctl_parts, 1);	/* live_nic_sysctl.c */
NIC_PARTS(nic_ethtool_parts, 7);	/* live_nic_ethtool.c */
NIC_PARTS(nic_children_parts, 1);	/* live_nic_children.c */
NIC_PARTS(nic_gateway_parts, 2);	/* live_nic_gateway.c */

/* The part of that name, or NULL. */
const struct nic_part *nic_part_named(const char *name);

/* An interface as the kernel describes it; its attributes point into message. */
struct nic_told {
	union {
		struct nlmsghdr head;
		char bytes[32768];
	} message;
	struct ifinfomsg info;
	struct rtnl_attributes all;
	struct rtnl_attributes port;	/* IFLA_INFO_SLAVE_DATA: what it is to its master */
	bool is_bridge_port, is_bond_port;
};
int nic_ask(struct nic *nic, int index, struct nic_told *t);

/* -E2BIG: it does not fit. */
ssize_t nic_put_text(char *buf, size_t size, const char *text);

#endif
