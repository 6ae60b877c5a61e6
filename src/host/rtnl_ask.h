/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_RTNL_ASK_H
#define HANDOVER_RTNL_ASK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdint.h>

#include "host/rtnl.h"

/* How a question of rtnl.h is put, for the files that put them. */

/* The longest of ours are all features of a card, by name. */
#define RTNL_REQUEST_BYTES 8192

union rtnl_request {
	struct nlmsghdr head;
	char bytes[RTNL_REQUEST_BYTES];
};

/* rtnl_open() for another family of netlink: ethtool's has the same lock. */
int rtnl_open_bus(struct rtnl *r, int bus);

/* Sends the request and gives each message of the answer to take, up to the end of a dump or the acknowledgement. */
int rtnl_exchange(struct rtnl *r, union rtnl_request *q, mnl_cb_t take, void *data);

/* Begins a request of that type about an interface. */
struct ifinfomsg *rtnl_about_link(union rtnl_request *q, uint16_t type, unsigned char family, int index);

/* The attributes of a message or of one of its attributes, by type; those of high types are of no use here. */
#define RTNL_ATTRIBUTES 80
struct rtnl_attributes {
	const struct nlattr *of[RTNL_ATTRIBUTES];
};

/* For mnl_attr_parse() and its like; data is a struct rtnl_attributes. */
int rtnl_collect(const struct nlattr *a, void *data);

/* 0, or NULL: there is no such attribute, or it is shorter. */
uint32_t rtnl_number(const struct nlattr *a);
const void *rtnl_bytes(const struct nlattr *a, size_t size);

/* Its text, or NULL. */
const char *rtnl_text(const struct nlattr *a);

#endif
