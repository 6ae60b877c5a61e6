/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an interface has of its own: other names, an alias, its address on the wire, queue and flags. */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/live_nic_parts.h"
#include "host/mac.h"
#include "host/names.h"
#include "host/settings.h"

#define ALIAS_MAX 255	/* include/uapi/linux/if.h, IFALIASZ */

static int take_told(const struct nlmsghdr *m, void *data)
{
	struct nic_told *t = data;

	if (m->nlmsg_len > sizeof(t->message)) {
		errno = EMSGSIZE;
		return MNL_CB_ERROR;
	}
	memcpy(&t->message, m, m->nlmsg_len);
	return MNL_CB_OK;
}

static void take_port(struct nic_told *t)
{
	struct rtnl_attributes info = { 0 };
	const char *kind;

	if (t->all.of[IFLA_LINKINFO])
		mnl_attr_parse_nested(t->all.of[IFLA_LINKINFO], rtnl_collect, &info);
	kind = rtnl_text(info.of[IFLA_INFO_SLAVE_KIND]);
	t->is_bridge_port = str_same(kind, "bridge");
	t->is_bond_port = str_same(kind, "bond");
	if (kind && info.of[IFLA_INFO_SLAVE_DATA])
		mnl_attr_parse_nested(info.of[IFLA_INFO_SLAVE_DATA], rtnl_collect, &t->port);
}

int nic_ask(struct nic *nic, int index, struct nic_told *t)
{
	union rtnl_request q = { 0 };
	int code;

	rtnl_about_link(&q, RTM_GETLINK, AF_UNSPEC, index);
	mnl_attr_put_u32(&q.head, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	t->message.head = (struct nlmsghdr){ 0 };
	t->all = t->port = (struct rtnl_attributes){ 0 };
	code = rtnl_exchange(&nic->rtnl, &q, take_told, t);
	if (code < 0)
		return code;
	if (t->message.head.nlmsg_len < mnl_nlmsg_size(sizeof(t->info)))
		return -ENODEV;
	memcpy(&t->info, mnl_nlmsg_get_payload(&t->message.head), sizeof(t->info));
	mnl_attr_parse(&t->message.head, sizeof(t->info), rtnl_collect, &t->all);
	take_port(t);
	return 0;
}

/* --- other names ------------------------------------------------------------------------------------------------- */

static int take_name(const struct nlattr *a, void *data)
{
	const char *name = mnl_attr_get_type(a) == IFLA_ALT_IFNAME ? rtnl_text(a) : NULL;

	if (!name || names_add(data, name) == 0)
		return MNL_CB_OK;
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

static int get_names(struct nic *nic, struct names *names)
{
	struct nic_told t;
	int code = nic_ask(nic, nic->link.index, &t);

	*names = (struct names){ 0 };
	if (code == 0 && t.all.of[IFLA_PROP_LIST] &&
	    mnl_attr_parse_nested(t.all.of[IFLA_PROP_LIST], take_name, names) < 0)
		code = -errno;
	return code;
}

static ssize_t read_altnames(struct nic *nic, char *buf, size_t size)
{
	struct names names;
	ssize_t n = get_names(nic, &names);

	if (n == 0)
		n = names_format(&names, buf, size);
	return n == 0 ? -ENOENT : n;
}

static int change_name(struct nic *nic, uint16_t type, const char *name)
{
	union rtnl_request q = { 0 };
	struct nlattr *list;

	rtnl_about_link(&q, type, AF_UNSPEC, nic->link.index);
	q.head.nlmsg_flags |= type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0;
	list = mnl_attr_nest_start(&q.head, IFLA_PROP_LIST | NLA_F_NESTED);
	mnl_attr_put_strz(&q.head, IFLA_ALT_IFNAME, name);
	mnl_attr_nest_end(&q.head, list);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

static int write_altnames(struct nic *nic, const char *value)
{
	struct names wanted, there;
	int code = names_parse(value, &wanted);

	if (code == 0)
		code = get_names(nic, &there);
	for (size_t i = 0; code == 0 && i < there.n; i++)
		if (!names_has(&wanted, there.name[i]))
			code = change_name(nic, RTM_DELLINKPROP, there.name[i]);
	for (size_t i = 0; code == 0 && i < wanted.n; i++)
		if (!names_has(&there, wanted.name[i]))
			code = change_name(nic, RTM_NEWLINKPROP, wanted.name[i]);
	return code;
}

/* --- alias, address ---------------------------------------------------------------------------------------------- */

static ssize_t read_alias(struct nic *nic, char *buf, size_t size)
{
	struct nic_told t;
	int code = nic_ask(nic, nic->link.index, &t);
	const char *alias = code == 0 ? rtnl_text(t.all.of[IFLA_IFALIAS]) : NULL;

	if (code < 0)
		return code;
	return alias && *alias ? nic_put_text(buf, size, alias) : -ENOENT;
}

static int write_alias(struct nic *nic, const char *value)
{
	union rtnl_request q = { 0 };

	if (strlen(value) > ALIAS_MAX)
		return -EINVAL;
	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, nic->link.index);
	mnl_attr_put_str(&q.head, IFLA_IFALIAS, value);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

/* A bond gives its ports one address; each keeps its own, to have it again (drivers/net/bonding/bond_main.c). */
static const uint8_t *own_mac(const struct nic_told *t)
{
	if (t->is_bond_port)
		return rtnl_bytes(t->port.of[IFLA_BOND_SLAVE_PERM_HWADDR], MAC_BYTES);
	return rtnl_bytes(t->all.of[IFLA_ADDRESS], MAC_BYTES);
}

/* The card's own comes by itself. */
static ssize_t read_mac(struct nic *nic, char *buf, size_t size)
{
	char text[MAC_TEXT_BYTES];
	const uint8_t *mac, *permanent;
	struct nic_told t;
	int code = nic_ask(nic, nic->link.index, &t);

	if (code < 0)
		return code;
	mac = own_mac(&t);
	permanent = rtnl_bytes(t.all.of[IFLA_PERM_ADDRESS], MAC_BYTES);
	if (t.info.ifi_type != ARPHRD_ETHER || !mac || (permanent && memcmp(mac, permanent, MAC_BYTES) == 0))
		return -ENOENT;
	mac_format(mac, text);
	return nic_put_text(buf, size, text);
}

static int write_mac(struct nic *nic, const char *value)
{
	union rtnl_request q = { 0 };
	uint8_t mac[MAC_BYTES];

	if (!mac_parse(value, mac))
		return -EINVAL;
	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, nic->link.index);
	mnl_attr_put(&q.head, IFLA_ADDRESS, sizeof(mac), mac);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

/* --- queue and flags --------------------------------------------------------------------------------------------- */

static const unsigned flags[LINK_SETTINGS] = {
	[LINK_PROMISC] = IFF_PROMISC,
	[LINK_ALLMULTI] = IFF_ALLMULTI,
	[LINK_ARP] = IFF_NOARP,
	[LINK_MULTICAST] = IFF_MULTICAST,
};

static const uint16_t attributes[LINK_SETTINGS] = { [LINK_TXQLEN] = IFLA_TXQLEN, [LINK_GROUP] = IFLA_GROUP };

static int get_settings(struct nic *nic, struct setting_value v[LINK_SETTINGS])
{
	struct nic_told t;
	int code = nic_ask(nic, nic->link.index, &t);

	if (code < 0)
		return code;
	for (size_t i = 0; i < LINK_SETTINGS; i++) {
		v[i].is_known = flags[i] || t.all.of[attributes[i]];
		v[i].number = flags[i] ? !!(t.info.ifi_flags & flags[i]) : rtnl_number(t.all.of[attributes[i]]);
	}
	v[LINK_ARP].number = !v[LINK_ARP].number;
	return 0;
}

static ssize_t read_link(struct nic *nic, char *buf, size_t size)
{
	struct setting_value v[LINK_SETTINGS];
	int code = get_settings(nic, v);

	ssize_t n = code < 0 ? code : settings_format(link_settings, LINK_SETTINGS, v, buf, size);

	return n == 0 ? -ENOENT : n;
}

static int write_link(struct nic *nic, const char *value)
{
	struct setting_value has[LINK_SETTINGS], wanted[LINK_SETTINGS];
	union rtnl_request q = { 0 };
	struct ifinfomsg *info;
	int code = settings_parse(link_settings, LINK_SETTINGS, value, wanted);

	if (code == 0)
		code = get_settings(nic, has);
	if (code < 0)
		return code;
	info = rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, nic->link.index);
	for (size_t i = 0; i < LINK_SETTINGS; i++) {
		struct setting_value change = setting_change(&link_settings[i], &has[i], &wanted[i]);

		if (!change.is_known)
			continue;
		info->ifi_change |= flags[i];
		if (flags[i] && change.number != (i == LINK_ARP))
			info->ifi_flags |= flags[i];
		else if (!flags[i])
			mnl_attr_put_u32(&q.head, attributes[i], change.number);
	}
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

const struct nic_part nic_link_parts[4] = {
	{ "altnames", read_altnames, write_altnames },
	{ "alias", read_alias, write_alias },
	{ "mac", read_mac, write_mac },
	{ "link", read_link, write_link },
};
