/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_NIC_IP_H
#define HANDOVER_LIVE_NIC_IP_H

#include "base/text.h"
#include "host/ipwords.h"
#include "host/live_nic_parts.h"

/* What an attribute of a message says; family 0: there is none, or it is shorter. */
struct ip_bytes nic_ip(const struct nlattr *a, int family);

/* Parts of nic/ADDRESS/loose, separated by commas. */
struct nic_loose {
	struct text text;
	const char *of;		/* the interface on top that they are of; NULL: of itself */
};

__attribute__((format(printf, 2, 3))) void nic_loose_add(struct nic_loose *loose, const char *fmt, ...);

/* "address 192.0.2.1/24 for a while" */
void nic_loose_ip(struct nic_loose *loose, const char *what, const struct ip_bytes *ip, unsigned prefix,
		  const char *how);

/* The addresses of an interface that do not come by themselves. -E2BIG: more than the list takes. */
int nic_addresses(struct nic *nic, struct ip_addresses *list);

/* Those that could not be made anew. */
int nic_loose_addresses(struct nic *nic, struct nic_loose *loose);
int nic_loose_routes(struct nic *nic, struct nic_loose *loose);

#endif
