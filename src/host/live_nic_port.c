/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an interface is to its bridge or bond: its settings as a port, entries of the bridge's table, the master's address. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "host/fdb.h"
#include "host/live_nic_parts.h"
#include "host/mac.h"
#include "host/settings.h"

/* --- settings ---------------------------------------------------------------------------------------------------- */

struct port_attribute {
	uint16_t type;
	uint8_t bytes;
};

static const struct port_attribute bridge_attributes[PORT_SETTINGS] = {
	[PORT_COST] = { IFLA_BRPORT_COST, 4 },
	[PORT_PRIORITY] = { IFLA_BRPORT_PRIORITY, 2 },
	[PORT_HAIRPIN] = { IFLA_BRPORT_MODE, 1 },
	[PORT_GUARD] = { IFLA_BRPORT_GUARD, 1 },
	[PORT_ROOT_BLOCK] = { IFLA_BRPORT_PROTECT, 1 },
	[PORT_FAST_LEAVE] = { IFLA_BRPORT_FAST_LEAVE, 1 },
	[PORT_LEARNING] = { IFLA_BRPORT_LEARNING, 1 },
	[PORT_FLOOD] = { IFLA_BRPORT_UNICAST_FLOOD, 1 },
	[PORT_PROXY_ARP] = { IFLA_BRPORT_PROXYARP, 1 },
	[PORT_PROXY_ARP_WIFI] = { IFLA_BRPORT_PROXYARP_WIFI, 1 },
	[PORT_MCAST_ROUTER] = { IFLA_BRPORT_MULTICAST_ROUTER, 1 },
	[PORT_MCAST_TO_UNICAST] = { IFLA_BRPORT_MCAST_TO_UCAST, 1 },
	[PORT_VLAN_TUNNEL] = { IFLA_BRPORT_VLAN_TUNNEL, 1 },
	[PORT_MCAST_FLOOD] = { IFLA_BRPORT_MCAST_FLOOD, 1 },
	[PORT_BCAST_FLOOD] = { IFLA_BRPORT_BCAST_FLOOD, 1 },
	[PORT_GROUP_FWD_MASK] = { IFLA_BRPORT_GROUP_FWD_MASK, 2 },
	[PORT_NEIGH_SUPPRESS] = { IFLA_BRPORT_NEIGH_SUPPRESS, 1 },
	[PORT_ISOLATED] = { IFLA_BRPORT_ISOLATED, 1 },
	[PORT_LOCKED] = { IFLA_BRPORT_LOCKED, 1 },
};

static const struct port_attribute bond_attributes[BOND_PORT_SETTINGS] = {
	[BOND_PORT_QUEUE] = { IFLA_BOND_SLAVE_QUEUE_ID, 2 },
	[BOND_PORT_PRIO] = { IFLA_BOND_SLAVE_PRIO, 4 },
};

/* The settings of one kind of port. */
struct port_kind {
	const char *name;
	const struct setting *settings;
	const struct port_attribute *attributes;
	size_t n;
};

static const struct port_kind bridge_kind = { "bridge", port_settings, bridge_attributes, PORT_SETTINGS };
static const struct port_kind bond_kind = { "bond", bond_port_settings, bond_attributes, BOND_PORT_SETTINGS };

static uint32_t port_number(const struct nlattr *a, uint8_t bytes)
{
	const void *at = rtnl_bytes(a, bytes);
	uint16_t two;

	if (!at || bytes == 4)
		return rtnl_number(a);
	if (bytes == 1)
		return *(const uint8_t *)at;
	memcpy(&two, at, sizeof(two));
	return two;
}

static const struct port_kind *get_port(struct nic *nic, struct setting_value v[SETTINGS_MAX], int *code)
{
	const struct port_kind *kind;
	struct nic_told t;

	*code = nic_ask(nic, nic->link.index, &t);
	if (*code < 0)
		return NULL;
	kind = t.is_bridge_port ? &bridge_kind : t.is_bond_port ? &bond_kind : NULL;
	for (size_t i = 0; kind && i < kind->n; i++) {
		const struct nlattr *a = t.port.of[kind->attributes[i].type];

		v[i] = (struct setting_value){ a != NULL, port_number(a, kind->attributes[i].bytes) };
	}
	if (!kind)
		*code = -ENOENT;
	return kind;
}

static ssize_t read_port(struct nic *nic, char *buf, size_t size)
{
	struct setting_value v[SETTINGS_MAX];
	int code;
	const struct port_kind *kind = get_port(nic, v, &code);
	ssize_t n;

	if (!kind)
		return code;
	if (kind == &bridge_kind && port_cost_is_automatic(v[PORT_COST].number))
		v[PORT_COST].is_known = false;
	n = settings_format(kind->settings, kind->n, v, buf, size);
	return n == 0 ? -ENOENT : n;
}

static void put_number(struct nlmsghdr *m, const struct port_attribute *a, uint32_t number)
{
	if (a->bytes == 1)
		mnl_attr_put_u8(m, a->type, (uint8_t)number);
	else if (a->bytes == 2)
		mnl_attr_put_u16(m, a->type, (uint16_t)number);
	else
		mnl_attr_put_u32(m, a->type, number);
}

static int write_port(struct nic *nic, const char *value)
{
	struct setting_value has[SETTINGS_MAX], wanted[SETTINGS_MAX];
	union rtnl_request q = { 0 };
	struct nlattr *info, *data;
	int code;
	const struct port_kind *kind = get_port(nic, has, &code);

	if (!kind)
		return code;
	code = settings_parse(kind->settings, kind->n, value, wanted);
	if (code < 0)
		return code;
	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, nic->link.index);
	info = mnl_attr_nest_start(&q.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&q.head, IFLA_INFO_SLAVE_KIND, kind->name);
	data = mnl_attr_nest_start(&q.head, IFLA_INFO_SLAVE_DATA);
	for (size_t i = 0; i < kind->n; i++) {
		struct setting_value change = setting_change(&kind->settings[i], &has[i], &wanted[i]);

		if (change.is_known)
			put_number(&q.head, &kind->attributes[i], change.number);
	}
	mnl_attr_nest_end(&q.head, data);
	mnl_attr_nest_end(&q.head, info);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

/* --- the table of the bridge ------------------------------------------------------------------------------------- */

struct listener {
	int index;
	uint8_t own[MAC_BYTES];
	struct fdb *fdb;
};

/* Those that somebody has made: not what was learned, nor the port's own address, which the bridge knows by itself. */
static int take_entry(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(m);
	struct listener *l = data;
	struct rtnl_attributes all = { 0 };
	struct fdb_entry e = { 0 };
	const uint8_t *mac;
	const uint16_t *vlan;

	if (m->nlmsg_type != RTM_NEWNEIGH || info->ndm_ifindex != l->index || !(info->ndm_state & (NUD_PERMANENT | NUD_NOARP)))
		return MNL_CB_OK;
	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &all);
	mac = rtnl_bytes(all.of[NDA_LLADDR], MAC_BYTES);
	vlan = rtnl_bytes(all.of[NDA_VLAN], sizeof(*vlan));
	if (!mac || mac[0] & 1 || memcmp(mac, l->own, MAC_BYTES) == 0)
		return MNL_CB_OK;
	memcpy(e.mac, mac, MAC_BYTES);
	e.vlan = vlan ? *vlan : 0;
	e.is_self = info->ndm_flags & NTF_SELF;
	e.is_local = !e.is_self && info->ndm_state & NUD_PERMANENT;
	e.is_sticky = info->ndm_flags & NTF_STICKY;
	if (fdb_add(l->fdb, &e) == 0)
		return MNL_CB_OK;
	errno = E2BIG;
	return MNL_CB_ERROR;
}

/* Of one port: net/core/rtnetlink.c, valid_fdb_dump_legacy(). */
static int get_fdb(struct nic *nic, struct fdb *fdb)
{
	struct listener l = { .index = nic->link.index, .fdb = fdb };
	union rtnl_request q = { 0 };
	const uint8_t *mac;
	struct nic_told t;
	int code = nic_ask(nic, nic->link.index, &t);

	*fdb = (struct fdb){ 0 };
	if (code < 0)
		return code;
	mac = t.info.ifi_type == ARPHRD_ETHER ? rtnl_bytes(t.all.of[IFLA_ADDRESS], MAC_BYTES) : NULL;
	if (!mac)
		return 0;
	memcpy(l.own, mac, MAC_BYTES);
	rtnl_about_link(&q, RTM_GETNEIGH, AF_BRIDGE, nic->link.index);
	q.head.nlmsg_flags = NLM_F_DUMP;
	if (t.is_bridge_port)
		mnl_attr_put_u32(&q.head, IFLA_MASTER, (uint32_t)nic->link.master);
	code = rtnl_exchange(&nic->rtnl, &q, take_entry, &l);
	return code;
}

static ssize_t read_fdb(struct nic *nic, char *buf, size_t size)
{
	struct fdb fdb;
	ssize_t n = get_fdb(nic, &fdb);

	if (n == 0)
		n = fdb_format(&fdb, buf, size);
	return n == 0 ? -ENOENT : n;
}

static int change_entry(struct nic *nic, uint16_t type, const struct fdb_entry *e)
{
	union rtnl_request q = { 0 };
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct ndmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	m->nlmsg_type = type;
	/* One without VLAN brings one for each VLAN of the port (net/bridge/br_fdb.c, br_fdb_add()): it may be there by now. */
	m->nlmsg_flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	info->ndm_family = AF_BRIDGE;
	info->ndm_ifindex = nic->link.index;
	info->ndm_flags = (uint8_t)((e->is_self ? NTF_SELF : NTF_MASTER) | (e->is_sticky ? NTF_STICKY : 0));
	info->ndm_state = e->is_local || e->is_self ? NUD_PERMANENT : NUD_NOARP;
	mnl_attr_put(m, NDA_LLADDR, MAC_BYTES, e->mac);
	if (e->vlan)
		mnl_attr_put_u16(m, NDA_VLAN, e->vlan);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

static int write_fdb(struct nic *nic, const char *value)
{
	struct fdb wanted, there;
	int code = fdb_parse(value, &wanted);

	if (code == 0)
		code = get_fdb(nic, &there);
	for (size_t i = 0; code == 0 && i < there.n; i++)
		if (!fdb_has(&wanted, &there.entry[i]))
			code = change_entry(nic, RTM_DELNEIGH, &there.entry[i]);
	for (size_t i = 0; code == 0 && i < wanted.n; i++)
		if (!fdb_has(&there, &wanted.entry[i]))
			code = change_entry(nic, RTM_NEWNEIGH, &wanted.entry[i]);
	return code;
}

/* --- the master's address ---------------------------------------------------------------------------------------- */

/*
 * A bridge takes that of a port, and a bond that of its first, as long as nobody has given them one (net/bridge/br_stp_if.c,
 * br_stp_recalculate_bridge_id(); bond_main.c, bond_enslave()).
 */
static ssize_t read_master_mac(struct nic *nic, char *buf, size_t size)
{
	char text[MAC_TEXT_BYTES];
	const uint8_t *mac;
	struct nic_told t;
	int code;

	if (!nic->link.master)
		return -ENOENT;
	code = nic_ask(nic, nic->link.master, &t);
	if (code < 0)
		return code;
	mac = rtnl_bytes(t.all.of[IFLA_ADDRESS], MAC_BYTES);
	if (t.info.ifi_type != ARPHRD_ETHER || !mac)
		return -ENOENT;
	mac_format(mac, text);
	return nic_put_text(buf, size, text);
}

static int write_master_mac(struct nic *nic, const char *value)
{
	union rtnl_request q = { 0 };
	uint8_t mac[MAC_BYTES];

	if (!mac_parse(value, mac))
		return -EINVAL;
	if (!nic->link.master)
		return -ENOENT;
	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, nic->link.master);
	mnl_attr_put(&q.head, IFLA_ADDRESS, sizeof(mac), mac);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

const struct nic_part nic_port_parts[3] = {
	{ "port", read_port, write_port },
	{ "fdb", read_fdb, write_fdb },
	{ "master-mac", read_master_mac, write_master_mac },
};
