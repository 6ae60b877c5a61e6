/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VLAN and macvlan interfaces on top of an interface, each with what it has: read and written as the interface itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "host/children.h"
#include "host/live_nic_children.h"
#include "host/live_nic_parts.h"
#include "host/mac.h"

/* Frames for all that wait to be copied: drivers/net/macvlan.c, MACVLAN_DEFAULT_BC_QUEUE_LEN. */
#define MACVLAN_QUEUE 1000

/* --- what is there ----------------------------------------------------------------------------------------------- */

/* One of them, as the kernel tells it; the attributes are of its kind. */
struct standing {
	int index;
	char name[IFNAMSIZ];
	struct child_made made;
	struct rtnl_attributes data;
	bool is_odd;		/* it cannot be made anew */
};

static const uint32_t vlan_flags[] = {
	VLAN_FLAG_REORDER_HDR, VLAN_FLAG_GVRP, VLAN_FLAG_MVRP, VLAN_FLAG_LOOSE_BINDING, VLAN_FLAG_BRIDGE_BINDING,
};

#define FLAGS (sizeof(vlan_flags) / sizeof(*vlan_flags))

static const uint32_t macvlan_modes[CHILD_MODES] = {
	[CHILD_PRIVATE] = MACVLAN_MODE_PRIVATE, [CHILD_VEPA] = MACVLAN_MODE_VEPA, [CHILD_BRIDGE] = MACVLAN_MODE_BRIDGE,
};

static uint16_t two_bytes(const struct nlattr *a)
{
	const void *at = rtnl_bytes(a, sizeof(uint16_t));
	uint16_t n = 0;

	if (at)
		memcpy(&n, at, sizeof(n));
	return n;
}

/* The flag that moves the header is usual, and its absence is told. */
static void get_vlan(struct standing *s)
{
	const struct ifla_vlan_flags *has = rtnl_bytes(s->data.of[IFLA_VLAN_FLAGS], sizeof(*has));
	uint32_t left = (has ? has->flags : 0) ^ VLAN_FLAG_REORDER_HDR;

	s->made.kind = CHILD_VLAN;
	s->made.id = two_bytes(s->data.of[IFLA_VLAN_ID]);
	s->made.is_ad = two_bytes(s->data.of[IFLA_VLAN_PROTOCOL]) == htons(ETH_P_8021AD);
	for (size_t i = 0; i < FLAGS; i++) {
		if (left & vlan_flags[i])
			s->made.flags |= 1u << i;
		left &= ~vlan_flags[i];
	}
	s->is_odd = left || s->data.of[IFLA_VLAN_EGRESS_QOS] || s->data.of[IFLA_VLAN_INGRESS_QOS];
}

static void get_macvlan(struct standing *s)
{
	uint32_t mode = rtnl_number(s->data.of[IFLA_MACVLAN_MODE]);
	const struct nlattr *queue = s->data.of[IFLA_MACVLAN_BC_QUEUE_LEN];

	s->made.kind = CHILD_MACVLAN;
	s->is_odd = two_bytes(s->data.of[IFLA_MACVLAN_FLAGS]) || (queue && rtnl_number(queue) != MACVLAN_QUEUE);
	for (size_t i = 0; i < CHILD_MODES; i++)
		if (macvlan_modes[i] == mode) {
			s->made.mode = (enum child_mode)i;
			return;
		}
	s->is_odd = true;
}

/* Whether it is one of those: one whose interface below is in another network namespace has that one's index. */
static bool get_standing(const struct nic *nic, int index, const struct rtnl_attributes *all, struct standing *s)
{
	struct rtnl_attributes info = { 0 };
	const char *kind, *name = rtnl_text(all->of[IFLA_IFNAME]);

	if ((int)rtnl_number(all->of[IFLA_LINK]) != nic->link.index || all->of[IFLA_LINK_NETNSID] || !name ||
	    !all->of[IFLA_LINKINFO])
		return false;
	*s = (struct standing){ .index = index };
	snprintf(s->name, sizeof(s->name), "%s", name);
	mnl_attr_parse_nested(all->of[IFLA_LINKINFO], rtnl_collect, &info);
	kind = rtnl_text(info.of[IFLA_INFO_KIND]);
	if (!kind || !info.of[IFLA_INFO_DATA])
		return false;
	mnl_attr_parse_nested(info.of[IFLA_INFO_DATA], rtnl_collect, &s->data);
	if (strcmp(kind, "vlan") == 0)
		get_vlan(s);
	else if (strcmp(kind, "macvlan") == 0)
		get_macvlan(s);
	else
		return false;
	return true;
}

struct standings {
	const struct nic *nic;
	struct standing list[CHILDREN_MAX];
	size_t n;
};

static int take_standing(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct standings *all = data;
	struct rtnl_attributes attributes = { 0 };
	struct standing s;

	mnl_attr_parse(m, sizeof(*info), rtnl_collect, &attributes);
	if (!get_standing(all->nic, info->ifi_index, &attributes, &s))
		return MNL_CB_OK;
	if (all->n == CHILDREN_MAX) {
		errno = E2BIG;
		return MNL_CB_ERROR;
	}
	/* The attributes end with the message. */
	s.data = (struct rtnl_attributes){ 0 };
	all->list[all->n++] = s;
	return MNL_CB_OK;
}

/* Those of one kind: a kernel that knows it not yet tells all interfaces (net/core/rtnetlink.c, rtnl_dump_ifinfo()). */
static int ask_kind(struct nic *nic, const char *kind, struct standings *all)
{
	union rtnl_request q = { 0 };
	struct nlattr *nest;

	rtnl_about_link(&q, RTM_GETLINK, AF_UNSPEC, 0);
	q.head.nlmsg_flags = NLM_F_DUMP;
	mnl_attr_put_u32(&q.head, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nest = mnl_attr_nest_start(&q.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&q.head, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(&q.head, nest);
	return rtnl_exchange(&nic->rtnl, &q, take_standing, all);
}

static const struct standing *find(const struct standings *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i].name, name) == 0)
			return &all->list[i];
	return NULL;
}

static int ask_standings(struct nic *nic, struct standings *all)
{
	static const char *const kinds[] = { "vlan", "macvlan" };
	int code = 0;

	all->nic = nic;
	all->n = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && code == 0; i++) {
		struct standings some = { .nic = nic };

		code = ask_kind(nic, kinds[i], &some);
		for (size_t k = 0; k < some.n && code == 0; k++) {
			if (find(all, some.list[k].name))
				continue;
			if (all->n == CHILDREN_MAX)
				code = -E2BIG;
			else
				all->list[all->n++] = some.list[k];
		}
	}
	return code;
}

/* --- what each has ----------------------------------------------------------------------------------------------- */

/* One of them, as an interface of its own. It borrows the socket, and gives it back. */
static int open_child(struct nic *nic, int index, struct nic *child)
{
	*child = (struct nic){ .root = nic->root, .rtnl = nic->rtnl };
	return rtnl_link_at(&child->rtnl, index, &child->link);
}

static void close_child(struct nic *nic, const struct nic *child)
{
	nic->rtnl = child->rtnl;
}

/* The address on the wire that VLANs have unless they are given another (net/8021q/vlan_dev.c, vlan_dev_init()). */
static int get_own_mac(struct nic *nic, char text[MAC_TEXT_BYTES])
{
	struct nic_told t;
	int code = nic_ask(nic, nic->link.index, &t);
	const uint8_t *mac = code == 0 ? rtnl_bytes(t.all.of[IFLA_ADDRESS], MAC_BYTES) : NULL;

	*text = '\0';
	if (mac && t.info.ifi_type == ARPHRD_ETHER)
		mac_format(mac, text);
	return code;
}

static int get_part(struct nic *child, const char *own_mac, enum child_part part, struct children *all, struct child *c)
{
	char text[HOST_VALUE_BYTES];
	ssize_t n = nic_part_named(child_part_name(part))->read(child, text, sizeof(text));
	int code;

	c->part[part] = NULL;
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	if ((part == CHILD_MAC && c->made.kind == CHILD_VLAN && strcmp(text, own_mac) == 0) ||
	    (part == CHILD_ALIAS && !child_has_room_for_alias(text)))
		return 0;
	code = children_set(all, c, part, text);
	return code == -EINVAL ? -EBADMSG : code;
}

static int get_child(struct nic *nic, const struct standing *s, const char *own_mac, struct children *all)
{
	struct child *c = children_add(all, s->name, &s->made);
	struct nic child;
	int code = c ? open_child(nic, s->index, &child) : -EBADMSG;

	for (enum child_part part = 0; part < CHILD_PARTS && code == 0; part++)
		code = get_part(&child, own_mac, part, all, c);
	if (c)
		close_child(nic, &child);
	return code;
}

static ssize_t read_children(struct nic *nic, char *buf, size_t size)
{
	char own_mac[MAC_TEXT_BYTES];
	struct standings there;
	struct children all;
	ssize_t n = ask_standings(nic, &there);

	children_clear(&all);
	if (n == 0 && there.n)
		n = get_own_mac(nic, own_mac);
	for (size_t i = 0; i < there.n && n == 0; i++)
		n = get_child(nic, &there.list[i], own_mac, &all);
	if (n == 0)
		n = children_format(&all, buf, size);
	return n == 0 ? -ENOENT : n;
}

/* --- making them ------------------------------------------------------------------------------------------------- */

static void put_flags(struct nlmsghdr *m, const struct child_made *made)
{
	struct ifla_vlan_flags wanted = { 0 };

	for (size_t i = 0; i < FLAGS; i++) {
		wanted.mask |= vlan_flags[i];
		if (made->flags & 1u << i)
			wanted.flags |= vlan_flags[i];
	}
	wanted.flags ^= VLAN_FLAG_REORDER_HDR;
	mnl_attr_put(m, IFLA_VLAN_FLAGS, sizeof(wanted), &wanted);
}

static void put_made(struct nlmsghdr *m, const struct child_made *made, bool is_new)
{
	bool is_vlan = made->kind == CHILD_VLAN;
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(m, IFLA_INFO_KIND, is_vlan ? "vlan" : "macvlan");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	if (is_vlan && is_new) {
		mnl_attr_put_u16(m, IFLA_VLAN_ID, (uint16_t)made->id);
		mnl_attr_put_u16(m, IFLA_VLAN_PROTOCOL, htons(made->is_ad ? ETH_P_8021AD : ETH_P_8021Q));
	}
	if (is_vlan)
		put_flags(m, made);
	else
		mnl_attr_put_u32(m, IFLA_MACVLAN_MODE, macvlan_modes[made->mode]);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
}

/* With its address at once: udev gives one of its own to whoever has a random one. */
static int make(struct nic *nic, const struct child *wanted)
{
	union rtnl_request q = { 0 };
	uint8_t mac[MAC_BYTES];

	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, 0);
	q.head.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(&q.head, IFLA_IFNAME, wanted->name);
	mnl_attr_put_u32(&q.head, IFLA_LINK, (uint32_t)nic->link.index);
	if (wanted->part[CHILD_MAC] && mac_parse(wanted->part[CHILD_MAC], mac))
		mnl_attr_put(&q.head, IFLA_ADDRESS, sizeof(mac), mac);
	put_made(&q.head, &wanted->made, true);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

static int change_flags(struct nic *nic, const struct standing *s, const struct child_made *wanted)
{
	union rtnl_request q = { 0 };

	rtnl_about_link(&q, RTM_NEWLINK, AF_UNSPEC, s->index);
	put_made(&q.head, wanted, false);
	return rtnl_exchange(&nic->rtnl, &q, NULL, NULL);
}

/* Only what differs. What is read last may have followed from what was written before. */
static int mend_parts(struct nic *child, const char *own_mac, const struct child *wanted, struct children *all)
{
	struct child *c = children_add(all, wanted->name, &wanted->made);
	int code = c ? 0 : -E2BIG;

	for (enum child_part part = 0; part < CHILD_PARTS && code == 0; part++) {
		const char *text = wanted->part[part];

		code = get_part(child, own_mac, part, all, c);
		if (code < 0 || str_same(c->part[part], text))
			continue;
		if (!text)
			text = part == CHILD_MAC ? own_mac : child_part_usual(part);
		if (text)
			code = nic_part_named(child_part_name(part))->write(child, text);
		if (code == 0)
			code = rtnl_link_at(&child->rtnl, child->link.index, &child->link);
	}
	return code;
}

static int write_child(struct nic *nic, const struct standings *there, const char *own_mac, const struct child *wanted,
		       struct children *all)
{
	const struct standing *s = find(there, wanted->name);
	struct rtnl_link made = { 0 };
	struct nic child;
	int code = 0;

	if (s && child_is_other(&s->made, &wanted->made))
		return -EEXIST;
	if (!s)
		code = make(nic, wanted);
	else if (s->made.flags != wanted->made.flags)
		code = change_flags(nic, s, &wanted->made);
	if (code == 0)
		code = rtnl_link_named(&nic->rtnl, wanted->name, &made);
	if (code < 0)
		return code;
	code = open_child(nic, made.index, &child);
	if (code == 0)
		code = mend_parts(&child, own_mac, wanted, all);
	close_child(nic, &child);
	return code;
}

/* One that is not named here is somebody else's, and stays. */
static int write_children(struct nic *nic, const char *value)
{
	struct children wanted, all;
	char own_mac[MAC_TEXT_BYTES];
	struct standings there;
	int code = children_parse(value, &wanted);

	children_clear(&all);
	if (code == 0)
		code = ask_standings(nic, &there);
	if (code == 0)
		code = get_own_mac(nic, own_mac);
	for (size_t i = 0; i < wanted.n && code == 0; i++)
		code = write_child(nic, &there, own_mac, &wanted.list[i], &all);
	return code;
}

/* --- what could not be made anew --------------------------------------------------------------------------------- */

/* Whatever is on top of it in its turn, but for its master. */
static int tell_uppers(const struct nic *nic, const char *name, const char *master, struct nic_loose *loose)
{
	char folder[HOST_NAME_BYTES + 2 * IFNAMSIZ + sizeof(NIC_UPPER)];
	struct dirent **list;
	int n;

	snprintf(folder, sizeof(folder), "%s/%s/" NIC_UPPER "%s", nic->folder, nic->first, name);
	n = nic_uppers(nic, folder, &list);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		if (strcmp(list[i]->d_name + strlen(NIC_UPPER), master) != 0)
			nic_loose_add(loose, "%s on it", list[i]->d_name + strlen(NIC_UPPER));
	nic_free_entries(list, n);
	return 0;
}

static void tell_odd(const struct standing *s, struct nic_loose *loose)
{
	bool is_vlan = s->made.kind == CHILD_VLAN;

	if (is_vlan && (s->data.of[IFLA_VLAN_EGRESS_QOS] || s->data.of[IFLA_VLAN_INGRESS_QOS]))
		nic_loose_add(loose, "a map of priorities");
	else if (s->is_odd)
		nic_loose_add(loose, is_vlan ? "a flag that is not known" : "a mode, flag or queue that is not known");
}

static int tell_child(struct nic *nic, struct nic *child, struct nic_loose *loose)
{
	struct rtnl_link master = { 0 };
	char alias[HOST_VALUE_BYTES];
	int code = 0;

	if (child->link.master)
		code = rtnl_link_at(&child->rtnl, child->link.master, &master);
	if (code == 0)
		code = nic_loose_addresses(child, loose);
	if (code == 0)
		code = nic_loose_routes(child, loose);
	if (code == 0)
		code = tell_uppers(nic, child->link.name, master.name, loose);
	if (code < 0)
		return code;
	if (child->link.master && !master.is_bridge && !master.is_bond)
		nic_loose_add(loose, "the master %s, no bridge or bond", master.name);
	if (nic_part_named("alias")->read(child, alias, sizeof(alias)) > 0 && !child_has_room_for_alias(alias))
		nic_loose_add(loose, "an alias with a slash");
	return 0;
}

int nic_loose_child(struct nic *nic, const char *name, struct nic_loose *loose)
{
	struct rtnl_link link = { 0 };
	struct standing s = { 0 };
	struct nic_told t;
	struct nic child;
	int code = rtnl_link_named(&nic->rtnl, name, &link);

	if (code == 0)
		code = nic_ask(nic, link.index, &t);
	if (code == -ENODEV || (code == 0 && !get_standing(nic, link.index, &t.all, &s))) {
		nic_loose_add(loose, "upper %s", name);
		return 0;
	}
	if (code < 0)
		return code;
	loose->of = name;
	tell_odd(&s, loose);
	code = open_child(nic, link.index, &child);
	if (code == 0)
		code = tell_child(nic, &child, loose);
	close_child(nic, &child);
	loose->of = NULL;
	return code;
}

const struct nic_part nic_children_parts[1] = { { "children", read_children, write_children } };
