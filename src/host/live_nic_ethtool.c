/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `ethtool` sets of a card: features, rings, coalescing, pause, EEE, Wake-on-LAN and what it advertises, through
 * ethtool's netlink family (Documentation/networking/ethtool-netlink.rst). What follows from the carrier, or is chosen by
 * the card as it goes, is left out: it comes by itself.
 */
#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "host/bits.h"
#include "host/live_nic_parts.h"
#include "host/settings.h"

/* A message of the family to GET something, and to SET it. */
struct topic {
	uint8_t get, set;
	uint16_t header;	/* the attribute that says of which interface */
};

static const struct topic features_topic = {
	ETHTOOL_MSG_FEATURES_GET, ETHTOOL_MSG_FEATURES_SET, ETHTOOL_A_FEATURES_HEADER
};
static const struct topic wol_topic = { ETHTOOL_MSG_WOL_GET, ETHTOOL_MSG_WOL_SET, ETHTOOL_A_WOL_HEADER };
static const struct topic modes_topic = { ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_MSG_LINKMODES_SET, ETHTOOL_A_LINKMODES_HEADER };

/* A socket of the family. */
struct family {
	struct rtnl socket;
	uint16_t id;
};

static int take_id(const struct nlmsghdr *m, void *data)
{
	struct rtnl_attributes all = { 0 };
	const uint16_t *id;

	mnl_attr_parse(m, sizeof(struct genlmsghdr), rtnl_collect, &all);
	id = rtnl_bytes(all.of[CTRL_ATTR_FAMILY_ID], sizeof(*id));
	if (id)
		*(uint16_t *)data = *id;
	return MNL_CB_OK;
}

static struct nlmsghdr *begin(union rtnl_request *q, uint16_t type, uint8_t command)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(q);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));

	m->nlmsg_type = type;
	g->cmd = command;
	g->version = 1;
	return m;
}

static int open_family(struct family *f)
{
	union rtnl_request q = { 0 };
	int code = rtnl_open_bus(&f->socket, NETLINK_GENERIC);

	f->id = 0;
	if (code < 0)
		return code;
	mnl_attr_put_strz(begin(&q, GENL_ID_CTRL, CTRL_CMD_GETFAMILY), CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	code = rtnl_exchange(&f->socket, &q, take_id, &f->id);
	if (code == 0 && f->id == 0)
		code = -ENOENT;
	if (code < 0)
		rtnl_close(&f->socket);
	return code;
}

static struct nlmsghdr *about(union rtnl_request *q, const struct family *f, const struct nic *nic, uint8_t command,
			      uint16_t header)
{
	struct nlmsghdr *m = begin(q, f->id, command);
	struct nlattr *nest = mnl_attr_nest_start(m, header);

	mnl_attr_put_u32(m, ETHTOOL_A_HEADER_DEV_INDEX, (uint32_t)nic->link.index);
	mnl_attr_nest_end(m, nest);
	return m;
}

/* What the card has no word for is absent. */
static int ask(struct nic *nic, const struct topic *topic, mnl_cb_t take, void *data)
{
	union rtnl_request q = { 0 };
	struct family f;
	int code = open_family(&f);

	if (code != 0)
		return code;
	about(&q, &f, nic, topic->get, topic->header);
	code = rtnl_exchange(&f.socket, &q, take, data);
	rtnl_close(&f.socket);
	return code == -EOPNOTSUPP ? -ENOENT : code;
}

/* --- sets of bits ------------------------------------------------------------------------------------------------ */

static int take_bit(const struct nlattr *a, void *data)
{
	struct rtnl_attributes bit = { 0 };
	struct bits *bits = data;
	const char *name;

	if (mnl_attr_get_type(a) != ETHTOOL_A_BITSET_BITS_BIT)
		return MNL_CB_OK;
	mnl_attr_parse_nested(a, rtnl_collect, &bit);
	name = rtnl_text(bit.of[ETHTOOL_A_BITSET_BIT_NAME]);
	/* Bits that no longer mean anything have none. */
	if (!name || !*name || bits_add(bits, name, bits->is_list || bit.of[ETHTOOL_A_BITSET_BIT_VALUE]) == 0)
		return MNL_CB_OK;
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

static int take_bits(const struct nlattr *set, struct bits *bits)
{
	struct rtnl_attributes all = { 0 };

	bits->n = 0;
	if (!set)
		return -ENOENT;
	mnl_attr_parse_nested(set, rtnl_collect, &all);
	/* Without a mask, those that are set are listed, and with one those that it has. */
	bits->is_list = all.of[ETHTOOL_A_BITSET_NOMASK];
	if (all.of[ETHTOOL_A_BITSET_BITS] && mnl_attr_parse_nested(all.of[ETHTOOL_A_BITSET_BITS], take_bit, bits) < 0)
		return -errno;
	return 0;
}

static void put_bits(struct nlmsghdr *m, uint16_t type, const struct bits *bits)
{
	struct nlattr *set = mnl_attr_nest_start(m, type), *list, *bit;

	list = mnl_attr_nest_start(m, ETHTOOL_A_BITSET_BITS);
	for (size_t i = 0; i < bits->n; i++) {
		bit = mnl_attr_nest_start(m, ETHTOOL_A_BITSET_BITS_BIT);
		mnl_attr_put_strz(m, ETHTOOL_A_BITSET_BIT_NAME, bits->list[i].name);
		if (bits->list[i].is_on)
			mnl_attr_put(m, ETHTOOL_A_BITSET_BIT_VALUE, 0, NULL);
		mnl_attr_nest_end(m, bit);
	}
	mnl_attr_nest_end(m, list);
	mnl_attr_nest_end(m, set);
}

/* What of a card is a set of bits. */
struct told_bits {
	struct bits can, has;	/* what may be set, what is */
	bool is_there;
	int code;
};

static int take_features(const struct nlmsghdr *m, void *data)
{
	struct rtnl_attributes all = { 0 };
	struct told_bits *t = data;

	mnl_attr_parse(m, sizeof(struct genlmsghdr), rtnl_collect, &all);
	t->code = take_bits(all.of[ETHTOOL_A_FEATURES_HW], &t->can);
	if (t->code == 0)
		t->code = take_bits(all.of[ETHTOOL_A_FEATURES_WANTED], &t->has);
	t->is_there = true;
	return MNL_CB_OK;
}

static int take_wol(const struct nlmsghdr *m, void *data)
{
	struct rtnl_attributes all = { 0 };
	struct told_bits *t = data;

	mnl_attr_parse(m, sizeof(struct genlmsghdr), rtnl_collect, &all);
	t->code = take_bits(all.of[ETHTOOL_A_WOL_MODES], &t->has);
	t->can = t->has;
	t->is_there = true;
	return MNL_CB_OK;
}

/* One that does not negotiate tells its speed here, which it has of the carrier. */
static int take_modes(const struct nlmsghdr *m, void *data)
{
	struct rtnl_attributes all = { 0 };
	struct told_bits *t = data;
	const uint8_t *negotiates;

	mnl_attr_parse(m, sizeof(struct genlmsghdr), rtnl_collect, &all);
	negotiates = rtnl_bytes(all.of[ETHTOOL_A_LINKMODES_AUTONEG], 1);
	t->code = negotiates && *negotiates ? take_bits(all.of[ETHTOOL_A_LINKMODES_OURS], &t->has) : -ENOENT;
	t->can = t->has;
	t->is_there = true;
	return MNL_CB_OK;
}

static int get_bits(struct nic *nic, const struct topic *topic, mnl_cb_t take, struct told_bits *t)
{
	int code;

	*t = (struct told_bits){ 0 };
	code = ask(nic, topic, take, t);
	if (code == 0)
		code = t->is_there ? t->code : -ENOENT;
	/* Of those that cannot be set nothing is said. */
	for (size_t i = 0; i < t->can.n; i++)
		t->can.list[i].is_on = bits_have(&t->has, t->can.list[i].name);
	return code;
}

static ssize_t read_bits(struct nic *nic, const struct topic *topic, mnl_cb_t take, char *buf, size_t size)
{
	struct told_bits t;
	int code = get_bits(nic, topic, take, &t);

	return code < 0 ? code : bits_format(&t.can, buf, size);
}

static int write_bits(struct nic *nic, const struct topic *topic, mnl_cb_t take, uint16_t set, const char *value)
{
	union rtnl_request q = { 0 };
	struct told_bits t;
	struct bits wanted;
	struct family f;
	int code = bits_parse(value, &wanted);

	if (code == 0)
		code = get_bits(nic, topic, take, &t);
	if (code != 0)
		return code;
	for (size_t i = 0; i < wanted.n; i++)
		if (!bits_know(&t.can, wanted.list[i].name))
			return -EOPNOTSUPP;
	/* Only what differs: some may not even be named. */
	t.has.n = 0;
	for (size_t i = 0; i < t.can.n; i++)
		if (t.can.list[i].is_on != bits_have(&wanted, t.can.list[i].name))
			bits_add(&t.has, t.can.list[i].name, !t.can.list[i].is_on);
	code = open_family(&f);
	if (code != 0)
		return code;
	put_bits(about(&q, &f, nic, topic->set, topic->header), set, &t.has);
	code = rtnl_exchange(&f.socket, &q, NULL, NULL);
	rtnl_close(&f.socket);
	return code;
}

static ssize_t read_features(struct nic *nic, char *buf, size_t size)
{
	return read_bits(nic, &features_topic, take_features, buf, size);
}

static int write_features(struct nic *nic, const char *value)
{
	return write_bits(nic, &features_topic, take_features, ETHTOOL_A_FEATURES_WANTED, value);
}

static ssize_t read_wol(struct nic *nic, char *buf, size_t size)
{
	return read_bits(nic, &wol_topic, take_wol, buf, size);
}

static int write_wol(struct nic *nic, const char *value)
{
	return write_bits(nic, &wol_topic, take_wol, ETHTOOL_A_WOL_MODES, value);
}

static ssize_t read_modes(struct nic *nic, char *buf, size_t size)
{
	return read_bits(nic, &modes_topic, take_modes, buf, size);
}

static int write_modes(struct nic *nic, const char *value)
{
	return write_bits(nic, &modes_topic, take_modes, ETHTOOL_A_LINKMODES_OURS, value);
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

/* What of a card are numbers: settings, and the attribute of each. */
struct numbers {
	struct topic topic;
	const struct card_settings *card;
	const struct {
		uint16_t type;
		uint8_t bytes;
	} attributes[SETTINGS_MAX];
};

static const struct numbers rings = {
	{ ETHTOOL_MSG_RINGS_GET, ETHTOOL_MSG_RINGS_SET, ETHTOOL_A_RINGS_HEADER },
	&card_rings,
	{ { ETHTOOL_A_RINGS_RX, 4 }, { ETHTOOL_A_RINGS_RX_MINI, 4 }, { ETHTOOL_A_RINGS_RX_JUMBO, 4 }, { ETHTOOL_A_RINGS_TX, 4 } },
};
static const struct numbers flow = {
	{ ETHTOOL_MSG_PAUSE_GET, ETHTOOL_MSG_PAUSE_SET, ETHTOOL_A_PAUSE_HEADER },
	&card_pause,
	{ { ETHTOOL_A_PAUSE_AUTONEG, 1 }, { ETHTOOL_A_PAUSE_RX, 1 }, { ETHTOOL_A_PAUSE_TX, 1 } },
};
static const struct numbers coalesce = {
	{ ETHTOOL_MSG_COALESCE_GET, ETHTOOL_MSG_COALESCE_SET, ETHTOOL_A_COALESCE_HEADER },
	&card_coalesce,
	{ { ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, 1 }, { ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX, 1 },
	  { ETHTOOL_A_COALESCE_RX_USECS, 4 }, { ETHTOOL_A_COALESCE_RX_MAX_FRAMES, 4 },
	  { ETHTOOL_A_COALESCE_TX_USECS, 4 }, { ETHTOOL_A_COALESCE_TX_MAX_FRAMES, 4 } },
};
static const struct numbers eee = {
	{ ETHTOOL_MSG_EEE_GET, ETHTOOL_MSG_EEE_SET, ETHTOOL_A_EEE_HEADER },
	&card_eee, { { ETHTOOL_A_EEE_ENABLED, 1 } },
};

struct told_numbers {
	const struct numbers *kind;
	struct setting_value v[SETTINGS_MAX];
};

static int take_numbers(const struct nlmsghdr *m, void *data)
{
	struct rtnl_attributes all = { 0 };
	struct told_numbers *t = data;

	mnl_attr_parse(m, sizeof(struct genlmsghdr), rtnl_collect, &all);
	for (size_t i = 0; i < t->kind->card->n; i++) {
		const struct nlattr *a = all.of[t->kind->attributes[i].type];
		const uint8_t *byte = rtnl_bytes(a, 1);

		t->v[i].is_known = byte != NULL;
		t->v[i].number = byte && t->kind->attributes[i].bytes == 1 ? *byte : rtnl_number(a);
	}
	if (t->kind->card->leave_out)
		t->kind->card->leave_out(t->v);
	return MNL_CB_OK;
}

static ssize_t read_numbers(struct nic *nic, const struct numbers *kind, char *buf, size_t size)
{
	struct told_numbers t = { .kind = kind };
	ssize_t n = ask(nic, &kind->topic, take_numbers, &t);

	if (n == 0)
		n = settings_format(kind->card->settings, kind->card->n, t.v, buf, size);
	return n == 0 ? -ENOENT : n;
}

static int write_numbers(struct nic *nic, const struct numbers *kind, const char *value)
{
	struct setting_value wanted[SETTINGS_MAX];
	struct told_numbers t = { .kind = kind };
	union rtnl_request q = { 0 };
	struct nlmsghdr *m;
	struct family f;
	int code = settings_parse(kind->card->settings, kind->card->n, value, wanted);

	if (code == 0)
		code = ask(nic, &kind->topic, take_numbers, &t);
	if (code == 0)
		code = open_family(&f);
	if (code != 0)
		return code;
	m = about(&q, &f, nic, kind->topic.set, kind->topic.header);
	for (size_t i = 0; i < kind->card->n; i++) {
		struct setting_value change = setting_change(&kind->card->settings[i], &t.v[i], &wanted[i]);

		if (change.is_known && kind->attributes[i].bytes == 1)
			mnl_attr_put_u8(m, kind->attributes[i].type, (uint8_t)change.number);
		else if (change.is_known)
			mnl_attr_put_u32(m, kind->attributes[i].type, change.number);
	}
	code = rtnl_exchange(&f.socket, &q, NULL, NULL);
	rtnl_close(&f.socket);
	return code;
}

static ssize_t read_rings(struct nic *nic, char *buf, size_t size)
{
	return read_numbers(nic, &rings, buf, size);
}

static int write_rings(struct nic *nic, const char *value)
{
	return write_numbers(nic, &rings, value);
}

static ssize_t read_coalesce(struct nic *nic, char *buf, size_t size)
{
	return read_numbers(nic, &coalesce, buf, size);
}

static int write_coalesce(struct nic *nic, const char *value)
{
	return write_numbers(nic, &coalesce, value);
}

static ssize_t read_pause(struct nic *nic, char *buf, size_t size)
{
	return read_numbers(nic, &flow, buf, size);
}

static int write_pause(struct nic *nic, const char *value)
{
	return write_numbers(nic, &flow, value);
}

static ssize_t read_eee(struct nic *nic, char *buf, size_t size)
{
	return read_numbers(nic, &eee, buf, size);
}

static int write_eee(struct nic *nic, const char *value)
{
	return write_numbers(nic, &eee, value);
}

const struct nic_part nic_ethtool_parts[7] = {
	{ "features", read_features, write_features },
	{ "rings", read_rings, write_rings },
	{ "coalesce", read_coalesce, write_coalesce },
	{ "pause", read_pause, write_pause },
	{ "eee", read_eee, write_eee },
	{ "wol", read_wol, write_wol },
	{ "modes", read_modes, write_modes },
};
