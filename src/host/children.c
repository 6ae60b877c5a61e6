/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "host/children.h"
#include "host/fdb.h"
#include "host/host.h"
#include "host/ipwords.h"
#include "host/mac.h"
#include "host/names.h"
#include "host/settings.h"
#include "host/sysctls.h"
#include "host/vlans.h"

#define BETWEEN_CHILDREN " // "
#define BETWEEN_PARTS " / "
#define WORDS_MAX 12	/* more than any has */
#define ALIAS_MAX 255	/* include/uapi/linux/if.h, IFALIASZ */
#define VLANS_USUAL "1 pvid untagged"	/* net/bridge/br_vlan.c, nbp_vlan_init(), default_pvid */

/* --- what it has ------------------------------------------------------------------------------------------------- */

/* Each reads a text and writes it again, strictly: the length, or a negative errno. */

static ssize_t put(char *buf, size_t size, const char *text)
{
	int n = snprintf(buf, size, "%s", text);

	return n < 0 || (size_t)n >= size ? -E2BIG : n;
}

static ssize_t again_mac(const char *text, char *buf, size_t size)
{
	uint8_t mac[MAC_BYTES];

	return mac_parse(text, mac) ? put(buf, size, text) : -EINVAL;
}

static ssize_t again_mtu(const char *text, char *buf, size_t size)
{
	uint64_t mtu;
	char strict[16];

	if (!str_decimal(text, INT32_MAX, &mtu))
		return -EINVAL;
	snprintf(strict, sizeof(strict), "%u", (unsigned)mtu);
	return put(buf, size, strict);
}

static ssize_t again_link(const char *text, char *buf, size_t size)
{
	struct setting_value v[LINK_SETTINGS];

	if (settings_parse(link_settings, LINK_SETTINGS, text, v) < 0)
		return -EINVAL;
	return settings_format(link_settings, LINK_SETTINGS, v, buf, size);
}

static ssize_t again_port(const char *text, char *buf, size_t size)
{
	struct setting_value v[SETTINGS_MAX];

	if (settings_parse(bond_port_settings, BOND_PORT_SETTINGS, text, v) == 0)
		return settings_format(bond_port_settings, BOND_PORT_SETTINGS, v, buf, size);
	if (settings_parse(port_settings, PORT_SETTINGS, text, v) < 0)
		return -EINVAL;
	if (port_cost_is_automatic(v[PORT_COST].number))
		v[PORT_COST].is_known = false;
	return settings_format(port_settings, PORT_SETTINGS, v, buf, size);
}

static ssize_t again_master(const char *text, char *buf, size_t size)
{
	return str_is_interface(text) ? put(buf, size, text) : -EINVAL;
}

static ssize_t again_up(const char *text, char *buf, size_t size)
{
	if (strcmp(text, "down") == 0)
		return put(buf, size, "");
	return strcmp(text, "up") == 0 ? put(buf, size, text) : -EINVAL;
}

static ssize_t again_alias(const char *text, char *buf, size_t size)
{
	return child_has_room_for_alias(text) ? put(buf, size, text) : -EINVAL;
}

#define LIST(kind, type) \
	static ssize_t again_##kind(const char *text, char *buf, size_t size) \
	{ \
		struct type list; \
		return kind##_parse(text, &list) < 0 ? -EINVAL : kind##_format(&list, buf, size); \
	}

LIST(sysctls, sysctls)
LIST(vlans, vlans)
LIST(fdb, fdb)
LIST(ip_addresses, ip_addresses)
LIST(ip_routes, ip_routes)
LIST(names, names)

static const struct {
	const char *name;
	ssize_t (*again)(const char *text, char *buf, size_t size);
	const char *usual;
	bool is_of_port;
} parts[CHILD_PARTS] = {
	[CHILD_MAC] = { "mac", again_mac, NULL, false },
	[CHILD_MTU] = { "mtu", again_mtu, NULL, false },
	[CHILD_LINK] = { "link", again_link, "", false },
	[CHILD_SYSCTLS] = { "sysctls", again_sysctls, "", false },
	[CHILD_MASTER] = { "master", again_master, "", false },
	[CHILD_PORT] = { "port", again_port, "", true },
	[CHILD_VLANS] = { "vlans", again_vlans, VLANS_USUAL, true },
	[CHILD_UP] = { "up", again_up, "down", false },
	[CHILD_ADDRESSES] = { "addresses", again_ip_addresses, "", false },
	[CHILD_ROUTES] = { "routes", again_ip_routes, "", false },
	[CHILD_FDB] = { "fdb", again_fdb, "", false },
	[CHILD_MASTER_MAC] = { "master-mac", again_mac, NULL, true },
	[CHILD_ALTNAMES] = { "altnames", again_names, "", false },
	[CHILD_ALIAS] = { "alias", again_alias, "", false },
};

const char *child_part_name(enum child_part part)
{
	return parts[part].name;
}

const char *child_part_usual(enum child_part part)
{
	return parts[part].usual;
}

bool child_has_room_for_alias(const char *alias)
{
	return strlen(alias) <= ALIAS_MAX && !strchr(alias, '/');
}

int children_set(struct children *all, struct child *c, enum child_part part, const char *text)
{
	char *strict = all->text + all->used;
	ssize_t n = parts[part].again(text, strict, sizeof(all->text) - all->used);

	if (n < 0)
		return (int)n;
	/* A port without any VLAN is another thing than one with the usual ones. */
	if (part == CHILD_VLANS ? strcmp(strict, VLANS_USUAL) == 0 : n == 0) {
		c->part[part] = NULL;
		return 0;
	}
	all->used += (size_t)n + 1;
	c->part[part] = strict;
	return 0;
}

/* --- how it is made ---------------------------------------------------------------------------------------------- */

static const char *const modes[CHILD_MODES] = { "private", "vepa", "bridge" };

static const char *const flags[] = { "no-reorder-hdr", "gvrp", "mvrp", "loose-binding", "bridge-binding" };

#define FLAGS (sizeof(flags) / sizeof(*flags))

bool child_is_other(const struct child_made *a, const struct child_made *b)
{
	return a->kind != b->kind || (a->kind == CHILD_VLAN && (a->id != b->id || a->is_ad != b->is_ad)) ||
	       (a->kind == CHILD_MACVLAN && a->mode != b->mode);
}

static bool take_flag(const char *word, struct child_made *made)
{
	for (size_t i = 0; i < FLAGS; i++) {
		if (strcmp(word, flags[i]) != 0 || made->flags & 1u << i)
			continue;
		made->flags |= 1u << i;
		return true;
	}
	return false;
}

/* Of the words behind "vlan". */
static bool take_vlan(char **words, size_t n, struct child_made *made)
{
	uint64_t id;

	if (n == 0 || !str_decimal(words[0], VLAN_ID_MAX, &id))
		return false;
	made->id = (unsigned)id;
	made->is_ad = n > 1 && strcmp(words[1], "802.1ad") == 0;
	for (size_t i = made->is_ad ? 2 : 1; i < n; i++)
		if (!take_flag(words[i], made))
			return false;
	return true;
}

static bool take_macvlan(char **words, size_t n, struct child_made *made)
{
	made->kind = CHILD_MACVLAN;
	for (size_t i = 0; n == 1 && i < CHILD_MODES; i++)
		if (strcmp(words[0], modes[i]) == 0) {
			made->mode = (enum child_mode)i;
			return true;
		}
	return false;
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

void children_clear(struct children *all)
{
	all->n = all->used = 0;
}

/* Whether they could not both be there: the kernel has one of each VLAN (net/8021q/vlan.c, vlan_check_real_dev()). */
static bool are_at_odds(const struct child *c, const char *name, const struct child_made *made)
{
	return strcmp(c->name, name) == 0 || (made->kind == CHILD_VLAN && !child_is_other(&c->made, made));
}

struct child *children_add(struct children *all, const char *name, const struct child_made *made)
{
	size_t at = all->n;

	if (all->n == CHILDREN_MAX || !str_is_interface(name))
		return NULL;
	for (size_t i = 0; i < all->n; i++)
		if (are_at_odds(&all->list[i], name, made))
			return NULL;
	for (; at > 0 && strcmp(all->list[at - 1].name, name) > 0; at--)
		all->list[at] = all->list[at - 1];
	all->n++;
	all->list[at] = (struct child){ .made = *made };
	snprintf(all->list[at].name, sizeof(all->list[at].name), "%s", name);
	return &all->list[at];
}

const struct child *children_find(const struct children *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i].name, name) == 0)
			return &all->list[i];
	return NULL;
}

/* Cuts the text at the next such place, and returns what is behind it; NULL: nothing is. */
static char *cut(char *text, const char *between)
{
	char *end = strstr(text, between);

	if (!end)
		return NULL;
	*end = '\0';
	return end + strlen(between);
}

/* "eno1.10 vlan 10" */
static struct child *take_head(char *text, struct children *all)
{
	struct child_made made = { .kind = CHILD_VLAN };
	char *words[WORDS_MAX];
	size_t n = str_words(text, words, WORDS_MAX);

	if (n < 3)
		return NULL;
	if (strcmp(words[1], "vlan") == 0 ? !take_vlan(words + 2, n - 2, &made) :
	    strcmp(words[1], "macvlan") != 0 || !take_macvlan(words + 2, n - 2, &made))
		return NULL;
	return children_add(all, words[0], &made);
}

/* "mtu 1500"; "up" stands alone, and "vlans" may. */
static bool take_part(char *text, struct children *all, struct child *c)
{
	const char *value = cut(text, " ");

	for (enum child_part part = 0; part < CHILD_PARTS; part++) {
		if (strcmp(text, parts[part].name) != 0)
			continue;
		if (c->part[part] || (part == CHILD_UP && value))
			return false;
		if (!value && (part == CHILD_UP || part == CHILD_VLANS))
			value = part == CHILD_UP ? "up" : "";
		return value && children_set(all, c, part, value) == 0;
	}
	return false;
}

static bool take_child(char *text, struct children *all)
{
	char *next = cut(text, BETWEEN_PARTS);
	struct child *c = take_head(text, all);

	while (c && next) {
		text = next;
		next = cut(text, BETWEEN_PARTS);
		if (!take_part(text, all, c))
			return false;
	}
	if (!c || !c->part[CHILD_MTU] || (c->made.kind == CHILD_MACVLAN && !c->part[CHILD_MAC]))
		return false;
	for (enum child_part part = 0; part < CHILD_PARTS; part++)
		if (parts[part].is_of_port && c->part[part] && !c->part[CHILD_MASTER])
			return false;
	return true;
}

int children_parse(const char *text, struct children *all)
{
	char copy[HOST_VALUE_BYTES], *at, *next;

	children_clear(all);
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	for (at = *copy ? copy : NULL; at; at = next) {
		next = cut(at, BETWEEN_CHILDREN);
		if (!take_child(at, all))
			return -EINVAL;
	}
	return 0;
}

static void add_child(struct text *t, const struct child *c)
{
	const struct child_made *made = &c->made;

	if (made->kind == CHILD_MACVLAN)
		text_add(t, "%s macvlan %s", c->name, modes[made->mode]);
	else
		text_add(t, "%s vlan %u%s", c->name, made->id, made->is_ad ? " 802.1ad" : "");
	for (size_t i = 0; i < FLAGS; i++)
		if (made->flags & 1u << i)
			text_add(t, " %s", flags[i]);
	for (enum child_part part = 0; part < CHILD_PARTS; part++) {
		const char *text = c->part[part];

		if (!text)
			continue;
		text_add(t, BETWEEN_PARTS "%s", parts[part].name);
		if (part != CHILD_UP && *text)
			text_add(t, " %s", text);
	}
}

ssize_t children_format(const struct children *all, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < all->n; i++) {
		text_separate(&t, BETWEEN_CHILDREN);
		add_child(&t, &all->list[i]);
	}
	return text_length(&t);
}
