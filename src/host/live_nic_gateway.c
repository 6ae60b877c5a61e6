/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an interface is of use: its carrier, and the gateway that is reached over it, or over what stands on it. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "host/live_nic_ip.h"
#include "host/live_nic_parts.h"
#include "host/neighbour.h"

#define STACK_MAX 64	/* interfaces that stand on one, itself included; more are not looked at */
#define WAYS_MAX 16	/* default routes that are looked at */

/* include/uapi/linux/if.h, which cannot be included beside net/if.h */
#define LOWER_UP (1U << 16)

static ssize_t read_carrier(struct nic *nic, char *buf, size_t size)
{
	bool on = nic->link.flags & IFF_UP && nic->link.flags & LOWER_UP;

	return on ? nic_put_text(buf, size, "on") : -ENOENT;
}

/* --- default routes ---------------------------------------------------------------------------------------------- */

struct way {
	int index;		/* of the interface it goes out by */
	uint32_t metric;
	struct ip_bytes via, source;
};

struct ways {
	struct way list[WAYS_MAX];
	size_t n;
};

static void add_way(struct ways *ways, int family, const struct rtnl_attributes *hop, int index,
		    const struct rtnl_attributes *route)
{
	const struct rtvia *over = rtnl_bytes(hop->of[RTA_VIA], sizeof(*over) + 16);
	struct way way = {
		.index = index,
		.metric = rtnl_number(route->of[RTA_PRIORITY]),
		.via = nic_ip(hop->of[RTA_GATEWAY], family),
		.source = nic_ip(route->of[RTA_PREFSRC], family),
	};

	if (over && over->rtvia_family == AF_INET6) {
		way.via.family = AF_INET6;
		memcpy(way.via.bytes, over->rtvia_addr, 16);
	}
	if (way.via.family && way.index && ways->n < WAYS_MAX)
		ways->list[ways->n++] = way;
}

/* One route may have several ways. */
static void add_hops(struct ways *ways, int family, const struct rtnl_attributes *route)
{
	const char *at = mnl_attr_get_payload(route->of[RTA_MULTIPATH]);
	size_t left = mnl_attr_get_payload_len(route->of[RTA_MULTIPATH]);
	struct rtnexthop hop;

	while (left >= sizeof(hop)) {
		struct rtnl_attributes all = { 0 };
		size_t len;

		memcpy(&hop, at, sizeof(hop));
		len = ((size_t)hop.rtnh_len + RTNH_ALIGNTO - 1) & ~(size_t)(RTNH_ALIGNTO - 1);
		if (hop.rtnh_len < sizeof(hop) || len > left)
			return;
		mnl_attr_parse_payload(at + sizeof(hop), hop.rtnh_len - sizeof(hop), rtnl_collect, &all);
		add_way(ways, family, &all, hop.rtnh_ifindex, route);
		at += len;
		left -= len;
	}
}

static int take_route(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(m);
	struct rtnl_attributes all = { 0 };

	if (info->rtm_dst_len || info->rtm_src_len || info->rtm_type != RTN_UNICAST || info->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &all);
	if ((all.of[RTA_TABLE] ? rtnl_number(all.of[RTA_TABLE]) : info->rtm_table) != RT_TABLE_MAIN)
		return MNL_CB_OK;
	if (all.of[RTA_MULTIPATH])
		add_hops(data, info->rtm_family, &all);
	else
		add_way(data, info->rtm_family, &all, (int)rtnl_number(all.of[RTA_OIF]), &all);
	return MNL_CB_OK;
}

static int get_ways(struct nic *nic, int family, struct ways *ways)
{
	union rtnl_request q = { 0 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	m->nlmsg_type = RTM_GETROUTE;
	m->nlmsg_flags = NLM_F_DUMP;
	info->rtm_family = (unsigned char)family;
	ways->n = 0;
	return rtnl_exchange(&nic->rtnl, &q, take_route, ways);
}

/* --- what stands on it ------------------------------------------------------------------------------------------- */

/* The interface, the bridge or bond that it is a port of, the VLANs on these, and so on. */
struct stack {
	int index[STACK_MAX];
	size_t n;
};

static bool is_in(const struct stack *s, int index)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->index[i] == index)
			return true;
	return false;
}

static void add_to(struct stack *s, int index)
{
	if (index && !is_in(s, index) && s->n < STACK_MAX)
		s->index[s->n++] = index;
}

/* IFLA_LINK is what a VLAN stands on; of a pair of veth, the other one, which may even be elsewhere. */
static int take_link(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct rtnl_attributes all = { 0 }, kinds = { 0 };
	struct stack *s = data;

	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &all);
	if (is_in(s, info->ifi_index))
		add_to(s, (int)rtnl_number(all.of[IFLA_MASTER]));
	if (all.of[IFLA_LINKINFO])
		mnl_attr_parse_nested(all.of[IFLA_LINKINFO], rtnl_collect, &kinds);
	if (!all.of[IFLA_LINK_NETNSID] && !str_same(rtnl_text(kinds.of[IFLA_INFO_KIND]), "veth") &&
	    is_in(s, (int)rtnl_number(all.of[IFLA_LINK])))
		add_to(s, info->ifi_index);
	return MNL_CB_OK;
}

static int get_stack(struct nic *nic, struct stack *s)
{
	size_t before = 0;
	int code = 0;

	*s = (struct stack){ 0 };
	add_to(s, nic->link.index);
	/* They come in no order that says what stands on what. */
	while (code == 0 && s->n > before) {
		union rtnl_request q = { 0 };

		before = s->n;
		rtnl_about_link(&q, RTM_GETLINK, AF_UNSPEC, 0);
		q.head.nlmsg_flags = NLM_F_DUMP;
		mnl_attr_put_u32(&q.head, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		code = rtnl_exchange(&nic->rtnl, &q, take_link, s);
	}
	return code;
}

/* --- the gateway ------------------------------------------------------------------------------------------------- */

/* The one that the kernel prefers. -ENOENT: there is none over this interface. */
static int find_way(struct nic *nic, int family, struct way *way)
{
	struct ways ways;
	struct stack stack;
	int code = get_ways(nic, family, &ways);

	if (code == 0 && ways.n)
		code = get_stack(nic, &stack);
	if (code != 0)
		return code;
	code = -ENOENT;
	for (size_t i = 0; i < ways.n; i++) {
		if (!is_in(&stack, ways.list[i].index) || (code == 0 && ways.list[i].metric >= way->metric))
			continue;
		*way = ways.list[i];
		code = 0;
	}
	return code;
}

static bool is_in_net(const struct ip_bytes *ip, const struct ip_address *a)
{
	const struct ip_bytes *net = a->peer.family ? &a->peer : &a->local;

	if (a->local.family != ip->family)
		return false;
	for (unsigned bit = 0; bit < a->prefix; bit++)
		if ((ip->bytes[bit / 8] ^ net->bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/* The host's address there: the route's own, or one in the gateway's net, or the first. None is no reason not to ask. */
static struct ip_bytes find_source(struct nic *nic, const struct way *way)
{
	int own = nic->link.index, code;
	struct ip_bytes first = { 0 };
	struct ip_addresses list;

	if (way->source.family)
		return way->source;
	nic->link.index = way->index;
	code = nic_addresses(nic, &list);
	nic->link.index = own;
	if (code < 0)
		return first;
	for (size_t i = 0; i < list.n; i++) {
		if (is_in_net(&way->via, &list.list[i]))
			return list.list[i].local;
		if (!first.family && list.list[i].local.family == AF_INET)
			first = list.list[i].local;
	}
	return first;
}

static int ask_over(struct nic *nic, const struct way *way, char name[IFNAMSIZ])
{
	struct neighbour n = { .index = way->index, .ip = way->via };
	const uint8_t *mac;
	struct nic_told t;
	int code = nic_ask(nic, way->index, &t);

	if (code < 0)
		return code;
	mac = rtnl_bytes(t.all.of[IFLA_ADDRESS], MAC_BYTES);
	if (t.info.ifi_type != ARPHRD_ETHER || !mac || !rtnl_text(t.all.of[IFLA_IFNAME]))
		return -ENOENT;
	snprintf(name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, rtnl_text(t.all.of[IFLA_IFNAME]));
	memcpy(n.mac, mac, MAC_BYTES);
	if (way->via.family == AF_INET)
		n.from = find_source(nic, way);
	return neighbour_ask(&n);
}

static ssize_t read_gateway(struct nic *nic, char *buf, size_t size)
{
	char ip[INET6_ADDRSTRLEN] = "?", name[IFNAMSIZ], text[sizeof(ip) + sizeof(name) + 8];
	struct way way = { 0 };
	int code = find_way(nic, AF_INET, &way);

	if (code == -ENOENT)
		code = find_way(nic, AF_INET6, &way);
	if (code == 0)
		code = ask_over(nic, &way, name);
	/* Whoever is just going or coming has no gateway: it is asked again by whoever waits for it. */
	if (code < 0)
		return code == -ETIMEDOUT || code == -EINTR ? code : -ENOENT;
	inet_ntop(way.via.family, way.via.bytes, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s over %s", ip, name);
	return nic_put_text(buf, size, text);
}

const struct nic_part nic_gateway_parts[2] = {
	{ "carrier", read_carrier, NULL },
	{ "gateway", read_gateway, NULL },
};
