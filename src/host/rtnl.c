/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/str.h"
#include "host/rtnl.h"
#include "host/rtnl_ask.h"

/* No message of a dump is longer (net/netlink/af_netlink.c, netlink_recvmsg()); those of one interface are short. */
#define ANSWER_BYTES 32768

int rtnl_open(struct rtnl *r)
{
	return rtnl_open_bus(r, NETLINK_ROUTE);
}

int rtnl_open_bus(struct rtnl *r, int bus)
{
	struct timeval limit = { .tv_sec = RTNL_MS / 1000, .tv_usec = RTNL_MS % 1000 * 1000 };
	int code;

	r->sequence = 0;
	r->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!r->socket)
		return -errno;
	if (mnl_socket_bind(r->socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    setsockopt(mnl_socket_get_fd(r->socket), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0)
		return 0;
	code = -errno;
	rtnl_close(r);
	return code;
}

void rtnl_close(struct rtnl *r)
{
	if (r->socket)
		mnl_socket_close(r->socket);
	r->socket = NULL;
}

/*
 * An acknowledgement and the last message of a dump begin with an errno. libmnl takes the latter for a good end; a
 * table that says otherwise must name the former too (libmnl's src/callback.c, __mnl_cb_run()).
 */
static int at_end(const struct nlmsghdr *m, void *data)
{
	int code = 0;

	(void)data;
	if (mnl_nlmsg_get_payload_len(m) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(m), sizeof(code));
	if (code >= 0)
		return MNL_CB_STOP;
	errno = -code;
	return MNL_CB_ERROR;
}

int rtnl_exchange(struct rtnl *r, union rtnl_request *q, mnl_cb_t take, void *data)
{
	mnl_cb_t control[NLMSG_DONE + 1] = { [NLMSG_ERROR] = at_end, [NLMSG_DONE] = at_end };
	unsigned port = mnl_socket_get_portid(r->socket);
	char answer[ANSWER_BYTES];
	ssize_t n;

	q->head.nlmsg_seq = ++r->sequence;
	q->head.nlmsg_flags |= NLM_F_REQUEST;
	if ((q->head.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		q->head.nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(r->socket, q, q->head.nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(r->socket, answer, sizeof(answer));
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		n = mnl_cb_run2(answer, (size_t)n, q->head.nlmsg_seq, port, take, data, control,
				MNL_ARRAY_SIZE(control));
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

int rtnl_collect(const struct nlattr *a, void *data)
{
	struct rtnl_attributes *all = data;

	if (mnl_attr_get_type(a) < MNL_ARRAY_SIZE(all->of))
		all->of[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

uint32_t rtnl_number(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

const char *rtnl_text(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(a) : NULL;
}

const void *rtnl_bytes(const struct nlattr *a, size_t size)
{
	return a && mnl_attr_get_payload_len(a) >= size ? mnl_attr_get_payload(a) : NULL;
}

/* --- interfaces -------------------------------------------------------------------------------------------------- */

struct ifinfomsg *rtnl_about_link(union rtnl_request *q, uint16_t type, unsigned char family, int index)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(q);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	m->nlmsg_type = type;
	info->ifi_family = family;
	info->ifi_index = index;
	return info;
}

static int take_link(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct rtnl_attributes all = { 0 }, kinds = { 0 };
	struct rtnl_link *link = data;

	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &all);
	if (all.of[IFLA_LINKINFO])
		mnl_attr_parse_nested(all.of[IFLA_LINKINFO], rtnl_collect, &kinds);
	link->index = info->ifi_index;
	link->flags = info->ifi_flags;
	link->mtu = rtnl_number(all.of[IFLA_MTU]);
	link->master = (int)rtnl_number(all.of[IFLA_MASTER]);
	link->is_bond = str_same(rtnl_text(kinds.of[IFLA_INFO_KIND]), "bond");
	link->is_bridge = str_same(rtnl_text(kinds.of[IFLA_INFO_KIND]), "bridge");
	/* This is the kind of the master (net/core/rtnetlink.c, rtnl_link_slave_info_fill()). */
	link->is_port = str_same(rtnl_text(kinds.of[IFLA_INFO_SLAVE_KIND]), "bridge");
	if (all.of[IFLA_IFNAME] && mnl_attr_validate(all.of[IFLA_IFNAME], MNL_TYPE_NUL_STRING) == 0)
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(all.of[IFLA_IFNAME]));
	return MNL_CB_OK;
}

static int get_link(struct rtnl *r, const char *name, int index, struct rtnl_link *link)
{
	union rtnl_request q = { 0 };

	*link = (struct rtnl_link){ 0 };
	rtnl_about_link(&q, RTM_GETLINK, AF_UNSPEC, index);
	if (name)
		mnl_attr_put_strz(&q.head, IFLA_IFNAME, name);
	mnl_attr_put_u32(&q.head, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return rtnl_exchange(r, &q, take_link, link);
}

int rtnl_link_named(struct rtnl *r, const char *name, struct rtnl_link *link)
{
	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	return get_link(r, name, 0, link);
}

int rtnl_link_at(struct rtnl *r, int index, struct rtnl_link *link)
{
	return get_link(r, NULL, index, link);
}

int rtnl_set_name(struct rtnl *r, int index, const char name[IFNAMSIZ])
{
	union rtnl_request q = { 0 };

	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, index);
	mnl_attr_put_strz(&q.head, IFLA_IFNAME, name);
	return rtnl_exchange(r, &q, NULL, NULL);
}

static int set_number(struct rtnl *r, int index, uint16_t what, uint32_t value)
{
	union rtnl_request q = { 0 };

	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, index);
	mnl_attr_put_u32(&q.head, what, value);
	return rtnl_exchange(r, &q, NULL, NULL);
}

int rtnl_set_mtu(struct rtnl *r, int index, uint32_t mtu)
{
	return set_number(r, index, IFLA_MTU, mtu);
}

int rtnl_set_master(struct rtnl *r, int index, int master)
{
	return set_number(r, index, IFLA_MASTER, (uint32_t)master);
}

int rtnl_set_up(struct rtnl *r, int index, bool up)
{
	union rtnl_request q = { 0 };
	struct ifinfomsg *info = rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, index);

	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return rtnl_exchange(r, &q, NULL, NULL);
}

/* --- VLANs of a bridge's port ------------------------------------------------------------------------------------ */

static int take_vlan(const struct nlattr *entry, void *data)
{
	struct vlan_range range = { 0 };
	struct rtnl_attributes all = { 0 };
	const struct bridge_vlan_info *info;
	const uint16_t *to;

	if (mnl_attr_get_type(entry) != BRIDGE_VLANDB_ENTRY)
		return MNL_CB_OK;
	mnl_attr_parse_nested(entry, rtnl_collect, &all);
	info = rtnl_bytes(all.of[BRIDGE_VLANDB_ENTRY_INFO], sizeof(*info));
	to = rtnl_bytes(all.of[BRIDGE_VLANDB_ENTRY_RANGE], sizeof(*to));
	if (info) {
		range.from = info->vid;
		range.to = to ? *to : info->vid;
		range.pvid = info->flags & BRIDGE_VLAN_INFO_PVID;
		range.untagged = info->flags & BRIDGE_VLAN_INFO_UNTAGGED;
	}
	if (vlans_add(data, &range) == 0)
		return MNL_CB_OK;
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

static int take_vlans(const struct nlmsghdr *m, void *data)
{
	return mnl_attr_parse(m, sizeof(struct br_vlan_msg), take_vlan, data);
}

/* Not RTM_GETLINK: that has no way to ask about one port. */
int rtnl_vlans(struct rtnl *r, int index, struct vlans *v)
{
	union rtnl_request q = { 0 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct br_vlan_msg *about = mnl_nlmsg_put_extra_header(m, sizeof(*about));
	int code;

	m->nlmsg_type = RTM_GETVLAN;
	m->nlmsg_flags = NLM_F_DUMP;
	about->family = AF_BRIDGE;
	about->ifindex = (uint32_t)index;
	*v = (struct vlans){ 0 };
	code = rtnl_exchange(r, &q, take_vlans, v);
	return code == -EOPNOTSUPP ? 0 : code;
}

static void put_vlan(union rtnl_request *q, unsigned id, unsigned flags)
{
	struct bridge_vlan_info info = { .flags = (uint16_t)flags, .vid = (uint16_t)id };

	mnl_attr_put(&q->head, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
}

/* Without IFLA_BRIDGE_FLAGS the request goes to the bridge, not to the port (rtnl_bridge_setlink()). */
static int change_vlan(struct rtnl *r, uint16_t type, int index, const struct vlan_range *range, unsigned flags)
{
	union rtnl_request q = { 0 };
	struct nlattr *nest;

	rtnl_about_link(&q, type, AF_BRIDGE, index);
	nest = mnl_attr_nest_start(&q.head, IFLA_AF_SPEC);
	if (range->from == range->to) {
		put_vlan(&q, range->from, flags);
	} else {
		put_vlan(&q, range->from, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
		put_vlan(&q, range->to, flags | BRIDGE_VLAN_INFO_RANGE_END);
	}
	mnl_attr_nest_end(&q.head, nest);
	return rtnl_exchange(r, &q, NULL, NULL);
}

int rtnl_vlan_add(struct rtnl *r, int index, const struct vlan_range *range)
{
	unsigned flags = 0;

	if (range->pvid)
		flags |= BRIDGE_VLAN_INFO_PVID;
	if (range->untagged)
		flags |= BRIDGE_VLAN_INFO_UNTAGGED;
	return change_vlan(r, RTM_SETLINK, index, range, flags);
}

int rtnl_vlan_remove(struct rtnl *r, int index, const struct vlan_range *range)
{
	return change_vlan(r, RTM_DELLINK, index, range, 0);
}
