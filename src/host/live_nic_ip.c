/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of an interface and routes through it, as far as they do not come by themselves once it is there again. */
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/ipwords.h"
#include "host/live_nic_ip.h"
#include "host/live_nic_parts.h"

/* A source that is IPv6 must have been found to be nobody else's before a route may name it. */
#define SOURCE_TRIES 50
#define SOURCE_PAUSE_MS 100

struct ip_bytes nic_ip(const struct nlattr *a, int family)
{
	size_t size = family == AF_INET6 ? 16 : 4;
	const void *bytes = rtnl_bytes(a, size);
	struct ip_bytes ip = { 0 };

	if (bytes) {
		ip.family = family;
		memcpy(ip.bytes, bytes, size);
	}
	return ip;
}

static void put_ip(struct nlmsghdr *m, uint16_t type, const struct ip_bytes *ip)
{
	if (ip->family)
		mnl_attr_put(m, type, ip->family == AF_INET6 ? 16 : 4, ip->bytes);
}

/* --- addresses --------------------------------------------------------------------------------------------------- */

struct address_listener {
	const struct nic *nic;
	struct ip_addresses *list;
	struct nic_loose *loose;
	int code;
};

/* The kernel's own link-local ones, and what it makes of a router's advertisements. */
static bool comes_by_itself(int family, const struct rtnl_attributes *all)
{
	const uint8_t *origin = rtnl_bytes(all->of[IFA_PROTO], 1);

	if (family != AF_INET6)
		return false;
	return rtnl_number(all->of[IFA_FLAGS]) & IFA_F_TEMPORARY ||
	       (origin && (*origin == IFAPROT_KERNEL_RA || *origin == IFAPROT_KERNEL_LL));
}

static bool is_for_a_while(const struct rtnl_attributes *all)
{
	const struct ifa_cacheinfo *times = rtnl_bytes(all->of[IFA_CACHEINFO], sizeof(*times));

	return times && (times->ifa_valid != UINT32_MAX || (times->ifa_prefered != UINT32_MAX && times->ifa_prefered != 0));
}

static void get_address(const struct nic *nic, const struct ifaddrmsg *info, const struct rtnl_attributes *all,
			struct ip_address *a)
{
	const struct ifa_cacheinfo *times = rtnl_bytes(all->of[IFA_CACHEINFO], sizeof(*times));
	const char *label = rtnl_text(all->of[IFA_LABEL]);
	struct ip_bytes other = nic_ip(all->of[IFA_ADDRESS], info->ifa_family);

	/* With a peer, IFA_ADDRESS is the peer's (include/uapi/linux/if_addr.h). */
	a->local = nic_ip(all->of[IFA_LOCAL], info->ifa_family);
	if (!a->local.family)
		a->local = other;
	else if (!ip_bytes_same(&a->local, &other))
		a->peer = other;
	a->broadcast = nic_ip(all->of[IFA_BROADCAST], info->ifa_family);
	a->prefix = info->ifa_prefixlen;
	/* Of IPv6 it follows from the address. */
	a->scope = info->ifa_family == AF_INET ? info->ifa_scope : 0;
	a->metric = rtnl_number(all->of[IFA_RT_PRIORITY]);
	a->flags = rtnl_number(all->of[IFA_FLAGS]) & IP_FLAGS;
	a->is_deprecated = times && times->ifa_prefered == 0;
	if (label && strcmp(label, nic->link.name) != 0)
		snprintf(a->label, sizeof(a->label), "%.*s", IP_LABEL_BYTES - 1, label);
}

static int take_address(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(m);
	struct address_listener *l = data;
	struct rtnl_attributes all = { 0 };
	struct ip_address a = { 0 };

	if ((int)info->ifa_index != l->nic->link.index || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return MNL_CB_OK;
	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &all);
	if (comes_by_itself(info->ifa_family, &all))
		return MNL_CB_OK;
	get_address(l->nic, info, &all, &a);
	if (is_for_a_while(&all) && l->loose)
		nic_loose_ip(l->loose, "address", &a.local, a.prefix, " for a while");
	else if (!is_for_a_while(&all) && l->list && ip_addresses_add(l->list, &a) < 0)
		l->code = -E2BIG;
	return MNL_CB_OK;
}

static int ask_addresses(struct nic *nic, struct address_listener *l)
{
	union rtnl_request q = { 0 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
	int code;

	m->nlmsg_type = RTM_GETADDR;
	m->nlmsg_flags = NLM_F_DUMP;
	info->ifa_family = AF_UNSPEC;
	l->nic = nic;
	code = rtnl_exchange(&nic->rtnl, &q, take_address, l);
	return code < 0 ? code : l->code;
}

int nic_addresses(struct nic *nic, struct ip_addresses *list)
{
	struct address_listener l = { .list = list };

	list->n = 0;
	return ask_addresses(nic, &l);
}

int nic_loose_addresses(struct nic *nic, struct nic_loose *loose)
{
	struct address_listener l = { .loose = loose };

	return ask_addresses(nic, &l);
}

static ssize_t read_addresses(struct nic *nic, char *buf, size_t size)
{
	struct ip_addresses list;
	ssize_t n = nic_addresses(nic, &list);

	if (n == 0)
		n = ip_addresses_format(&list, buf, size);
	return n == 0 ? -ENOENT : n;
}

static int change_address(struct nic *nic, uint16_t type, const struct ip_address *a)
{
	struct ifa_cacheinfo times = { .ifa_valid = UINT32_MAX };
	union rtnl_request q = { 0 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	m->nlmsg_type = type;
	m->nlmsg_flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
	info->ifa_family = (uint8_t)a->local.family;
	info->ifa_prefixlen = (uint8_t)a->prefix;
	info->ifa_scope = (uint8_t)a->scope;
	info->ifa_index = (uint32_t)nic->link.index;
	put_ip(m, IFA_LOCAL, &a->local);
	put_ip(m, IFA_ADDRESS, a->peer.family ? &a->peer : &a->local);
	put_ip(m, IFA_BROADCAST, &a->broadcast);
	if (type == RTM_NEWADDR && a->flags)
		mnl_attr_put_u32(m, IFA_FLAGS, a->flags);
	if (type == RTM_NEWADDR && a->metric)
		mnl_attr_put_u32(m, IFA_RT_PRIORITY, a->metric);
	if (type == RTM_NEWADDR && a->is_deprecated)
		mnl_attr_put(m, IFA_CACHEINFO, sizeof(times), &times);
	if (a->local.family == AF_INET)
		mnl_attr_put_strz(m, IFA_LABEL, *a->label ? a->label : nic->link.name);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

static size_t only_of(const struct ip_addresses *all, int family, struct ip_addresses *some)
{
	some->n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].local.family == family)
			some->list[some->n++] = all->list[i];
	return some->n;
}

/* Whether there stands at the beginning of wanted, or, where last is, at its end. */
static bool continues(const struct ip_addresses *there, const struct ip_addresses *wanted, bool last)
{
	if (there->n > wanted->n)
		return false;
	for (size_t i = 0; i < there->n; i++)
		if (!ip_address_same(&there->list[i], &wanted->list[i + (last ? wanted->n - there->n : 0)]))
			return false;
	return true;
}

/*
 * The order says which is first, and whose secondary an address is. IPv4 adds behind (net/ipv4/devinet.c,
 * __inet_insert_ifa()), IPv6 before those of its scope (net/ipv6/addrconf.c, ipv6_link_dev_addr()). If there are others
 * in between, all are made anew.
 */
static int write_family(struct nic *nic, int family, const struct ip_addresses *all, const struct ip_addresses *all_wanted)
{
	struct ip_addresses there, wanted;
	bool is_v6 = family == AF_INET6;
	size_t missing;
	int code = 0;

	only_of(all, family, &there);
	only_of(all_wanted, family, &wanted);
	if (!continues(&there, &wanted, is_v6)) {
		while (code == 0 && there.n > 0) {
			code = change_address(nic, RTM_DELADDR, &there.list[--there.n]);
			/* A secondary may go with its first (devinet.c, __inet_del_ifa()). */
			code = code == -EADDRNOTAVAIL ? 0 : code;
		}
	}
	missing = wanted.n - there.n;
	for (size_t i = 0; code == 0 && i < missing; i++)
		code = change_address(nic, RTM_NEWADDR, &wanted.list[is_v6 ? missing - 1 - i : there.n + i]);
	return code;
}

static int write_addresses(struct nic *nic, const char *value)
{
	struct ip_addresses there, wanted;
	int code = ip_addresses_parse(value, &wanted);

	if (code == 0)
		code = nic_addresses(nic, &there);
	if (code == 0)
		code = write_family(nic, AF_INET, &there, &wanted);
	if (code == 0)
		code = write_family(nic, AF_INET6, &there, &wanted);
	return code;
}

/* --- routes ------------------------------------------------------------------------------------------------------ */

struct route_listener {
	const struct nic *nic;
	struct ip_routes *list;
	struct nic_loose *loose;
	const struct ip_addresses *own;
	int code;
};

static bool take_metrics(const struct nlattr *nest, struct ip_route *r)
{
	struct rtnl_attributes all = { 0 };

	if (!nest)
		return true;
	mnl_attr_parse_nested(nest, rtnl_collect, &all);
	/* A congestion control of its own, and what we have no word for. */
	for (size_t i = 0; i < RTNL_ATTRIBUTES; i++)
		if (all.of[i] && (i == RTAX_CC_ALGO || i > RTAX_FASTOPEN_NO_COOKIE))
			return false;
	for (size_t i = 0; i < ROUTE_METRICS; i++)
		r->metrics[i] = rtnl_number(all.of[i]);
	return true;
}

/* False: it cannot be made anew from this. */
static bool get_route(const struct rtmsg *info, const struct rtnl_attributes *all, struct ip_route *r)
{
	const uint8_t *preference = rtnl_bytes(all->of[RTA_PREF], 1);
	const struct rta_cacheinfo *times = rtnl_bytes(all->of[RTA_CACHEINFO], sizeof(*times));
	const struct rtvia *over = rtnl_bytes(all->of[RTA_VIA], sizeof(*over) + 16);

	*r = (struct ip_route){
		.to = nic_ip(all->of[RTA_DST], info->rtm_family),
		.via = nic_ip(all->of[RTA_GATEWAY], info->rtm_family),
		.source = nic_ip(all->of[RTA_PREFSRC], info->rtm_family),
		.prefix = info->rtm_dst_len,
		.tos = info->rtm_tos,
		.type = info->rtm_type,
		.scope = info->rtm_scope,
		.protocol = info->rtm_protocol,
		.preference = preference ? *preference : 0,
		.table = all->of[RTA_TABLE] ? rtnl_number(all->of[RTA_TABLE]) : info->rtm_table,
		.metric = rtnl_number(all->of[RTA_PRIORITY]),
		.is_onlink = info->rtm_flags & RTNH_F_ONLINK,
	};
	/* Of the default route there is none. */
	r->to.family = info->rtm_family;
	if (over && over->rtvia_family == AF_INET6) {
		r->via.family = AF_INET6;
		memcpy(r->via.bytes, over->rtvia_addr, 16);
	}
	return take_metrics(all->of[RTA_METRICS], r) && !all->of[RTA_NH_ID] && !all->of[RTA_ENCAP] && !all->of[RTA_FLOW] &&
	       !info->rtm_src_len && (info->rtm_family != AF_INET6 || !times || !times->rta_expires);
}

/* Whether one of several ways of a route leads there. */
static bool has_hop(const struct nlattr *list, int index)
{
	const char *at = list ? mnl_attr_get_payload(list) : NULL;
	size_t left = list ? mnl_attr_get_payload_len(list) : 0;
	struct rtnexthop hop;

	while (left >= sizeof(hop)) {
		size_t len;

		memcpy(&hop, at, sizeof(hop));
		if (hop.rtnh_ifindex == index)
			return true;
		len = ((size_t)hop.rtnh_len + RTNH_ALIGNTO - 1) & ~(size_t)(RTNH_ALIGNTO - 1);
		if (hop.rtnh_len < sizeof(hop) || len > left)
			return false;
		at += len;
		left -= len;
	}
	return false;
}

static bool leads_here(const struct nic *nic, const struct rtnl_attributes *all)
{
	return (int)rtnl_number(all->of[RTA_OIF]) == nic->link.index || has_hop(all->of[RTA_MULTIPATH], nic->link.index);
}

/* A route over another interface that has one of this one's addresses for its source goes with that address. */
static bool has_our_source(const struct route_listener *l, const struct ip_bytes *source)
{
	for (size_t i = 0; source->family && l->own && i < l->own->n; i++)
		if (ip_bytes_same(&l->own->list[i].local, source))
			return true;
	return false;
}

static int take_route(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(m);
	struct route_listener *l = data;
	struct rtnl_attributes all = { 0 };
	struct ip_route r;
	bool here, whole;

	if ((info->rtm_family != AF_INET && info->rtm_family != AF_INET6) || info->rtm_flags & RTM_F_CLONED ||
	    info->rtm_protocol == RTPROT_KERNEL || info->rtm_protocol == RTPROT_RA || info->rtm_protocol == RTPROT_REDIRECT)
		return MNL_CB_OK;
	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &all);
	here = leads_here(l->nic, &all);
	whole = get_route(info, &all, &r) && !all.of[RTA_MULTIPATH];
	if (here && whole && l->list && ip_routes_add(l->list, &r) < 0)
		l->code = -E2BIG;
	else if (here && !whole && l->loose)
		nic_loose_ip(l->loose, "route", &r.to, r.prefix, "");
	else if (!here && l->loose && has_our_source(l, &r.source))
		nic_loose_ip(l->loose, "route", &r.to, r.prefix, " over another interface");
	return MNL_CB_OK;
}

static int ask_routes(struct nic *nic, struct route_listener *l)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int code = 0;

	l->nic = nic;
	for (size_t i = 0; i < sizeof(families) && code == 0; i++) {
		union rtnl_request q = { 0 };
		struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
		struct rtmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

		m->nlmsg_type = RTM_GETROUTE;
		m->nlmsg_flags = NLM_F_DUMP;
		info->rtm_family = families[i];
		code = rtnl_exchange(&nic->rtnl, &q, take_route, l);
	}
	return code < 0 ? code : l->code;
}

static int get_routes(struct nic *nic, struct ip_routes *list)
{
	struct route_listener l = { .list = list };

	list->n = 0;
	return ask_routes(nic, &l);
}

int nic_loose_routes(struct nic *nic, struct nic_loose *loose)
{
	struct ip_addresses own;
	struct route_listener l = { .loose = loose, .own = &own };
	int code = nic_addresses(nic, &own);

	/* More than can be kept are no matter here: they are refused where they are read. */
	return code < 0 && code != -E2BIG ? code : ask_routes(nic, &l);
}

static ssize_t read_routes(struct nic *nic, char *buf, size_t size)
{
	struct ip_routes list;
	ssize_t n = get_routes(nic, &list);

	if (n == 0)
		n = ip_routes_format(&list, buf, size);
	return n == 0 ? -ENOENT : n;
}

static void put_via(struct nlmsghdr *m, const struct ip_route *r)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} over = { AF_INET6, { 0 } };

	if (r->via.family == r->to.family) {
		put_ip(m, RTA_GATEWAY, &r->via);
	} else if (r->via.family) {
		memcpy(over.bytes, r->via.bytes, sizeof(over.bytes));
		mnl_attr_put(m, RTA_VIA, sizeof(over), &over);
	}
}

static void put_metrics(struct nlmsghdr *m, const struct ip_route *r)
{
	struct nlattr *nest = mnl_attr_nest_start(m, RTA_METRICS);

	for (uint16_t i = 1; i < ROUTE_METRICS; i++)
		if (r->metrics[i])
			mnl_attr_put_u32(m, i, r->metrics[i]);
	mnl_attr_nest_end(m, nest);
}

static int change_route(struct nic *nic, uint16_t type, const struct ip_route *r)
{
	union rtnl_request q = { 0 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	m->nlmsg_type = type;
	/* Beside others to the same place, behind them (net/ipv4/fib_trie.c). */
	m->nlmsg_flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	*info = (struct rtmsg){
		.rtm_family = (uint8_t)r->to.family,
		.rtm_dst_len = (uint8_t)r->prefix,
		.rtm_tos = (uint8_t)r->tos,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = (uint8_t)r->protocol,
		.rtm_scope = (uint8_t)r->scope,
		.rtm_type = (uint8_t)r->type,
		.rtm_flags = r->is_onlink ? RTNH_F_ONLINK : 0,
	};
	if (r->prefix)
		put_ip(m, RTA_DST, &r->to);
	mnl_attr_put_u32(m, RTA_TABLE, r->table);
	mnl_attr_put_u32(m, RTA_OIF, (uint32_t)nic->link.index);
	put_via(m, r);
	put_ip(m, RTA_PREFSRC, &r->source);
	if (r->metric)
		mnl_attr_put_u32(m, RTA_PRIORITY, r->metric);
	if (type == RTM_NEWROUTE && r->preference)
		mnl_attr_put_u8(m, RTA_PREF, (uint8_t)r->preference);
	if (type == RTM_NEWROUTE)
		put_metrics(m, r);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

static int add_route(struct nic *nic, const struct ip_route *r)
{
	int code = change_route(nic, RTM_NEWROUTE, r);

	for (int i = 0; i < SOURCE_TRIES && code == -EINVAL && r->source.family == AF_INET6; i++) {
		poll(NULL, 0, SOURCE_PAUSE_MS);
		code = change_route(nic, RTM_NEWROUTE, r);
	}
	return code;
}

/* What a gateway is reached by comes before it. */
static int write_routes(struct nic *nic, const char *value)
{
	struct ip_routes there, wanted;
	int code = ip_routes_parse(value, &wanted);

	if (code == 0)
		code = get_routes(nic, &there);
	for (size_t i = 0; code == 0 && i < there.n; i++)
		if (!ip_routes_has(&wanted, &there.list[i]))
			code = change_route(nic, RTM_DELROUTE, &there.list[i]);
	for (int gateways = 0; gateways < 2; gateways++)
		for (size_t i = 0; code == 0 && i < wanted.n; i++)
			if (!ip_routes_has(&there, &wanted.list[i]) && !!wanted.list[i].via.family == gateways)
				code = add_route(nic, &wanted.list[i]);
	return code;
}

const struct nic_part nic_ip_parts[2] = {
	{ "addresses", read_addresses, write_addresses },
	{ "routes", read_routes, write_routes },
};
