/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "host/children.h"
#include "host/ipwords.h"
#include "host/names.h"
#include "host/sim.h"
#include "host/sim_nic.h"
#include "host/sim_nic_children.h"

static void get(struct host *h, const char *bdf, struct children *all)
{
	char text[HOST_VALUE_BYTES];

	children_clear(all);
	if (host_read(h, nic_at(bdf, "children").text, text, sizeof(text)) < 0 || children_parse(text, all) < 0)
		children_clear(all);
}

static int keep(struct host *h, const char *bdf, const struct children *all)
{
	char text[HOST_VALUE_BYTES];
	ssize_t n = children_format(all, text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (n)
		sim_set(h, nic_at(bdf, "children").text, text);
	else
		sim_remove(h, nic_at(bdf, "children").text);
	return 0;
}

static bool is_up(struct host *h, const char *bdf)
{
	char text[16] = "";

	return host_read(h, nic_at(bdf, "up").text, text, sizeof(text)) >= 0 && strcmp(text, "up") == 0;
}

static uint64_t mtu_of(struct host *h, const char *bdf)
{
	char text[16];
	uint64_t mtu;

	if (host_read(h, nic_at(bdf, "mtu").text, text, sizeof(text)) < 0 || !str_decimal(text, UINT32_MAX, &mtu))
		return UINT32_MAX;
	return mtu;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

/* Whether an interface of a function has that name, among others maybe, or, of another function, one on top of it. */
static bool has_name(struct host *h, const char *bdf, const char *name, bool is_own)
{
	char text[HOST_VALUE_BYTES];
	struct children others;
	struct names names;

	if (host_read(h, nic_at(bdf, "name").text, text, sizeof(text)) >= 0 && strcmp(text, name) == 0)
		return true;
	if (host_read(h, nic_at(bdf, "altnames").text, text, sizeof(text)) >= 0 && names_parse(text, &names) == 0 &&
	    names_has(&names, name))
		return true;
	get(h, bdf, &others);
	return !is_own && children_find(&others, name);
}

static bool is_taken(struct host *h, const char *bdf, const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **functions;
	size_t n = 0;

	if (host_list(h, "nic", a, &functions, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (has_name(h, functions[i], name, strcmp(functions[i], bdf) == 0))
			return true;
	return false;
}

/*
 * What the kernel says to one of them: net/8021q/vlan_dev.c, vlan_dev_change_mtu(), vlan_dev_open();
 * drivers/net/macvlan.c, macvlan_change_mtu(), macvlan_port_create(); net/ipv4/fib_semantics.c, fib_check_nh().
 */
static int may_be(struct host *h, const char *bdf, const struct child *c)
{
	bool is_vlan = c->made.kind == CHILD_VLAN;

	if (is_taken(h, bdf, c->name))
		return -EEXIST;
	if (!is_vlan && host_has(h, nic_at(bdf, "master").text))
		return -EBUSY;
	if (strtoull(c->part[CHILD_MTU], NULL, 10) > mtu_of(h, bdf))
		return is_vlan ? -ERANGE : -EINVAL;
	if (c->part[CHILD_UP] && is_vlan && !(c->made.flags & CHILD_LOOSE_BINDING) && !is_up(h, bdf))
		return -ENETDOWN;
	return c->part[CHILD_ROUTES] && !c->part[CHILD_UP] ? -ENETDOWN : 0;
}

/* Those that are not named stay. */
static int add_others(struct children *all, const struct children *there)
{
	for (size_t i = 0; i < there->n; i++) {
		const struct child *has = &there->list[i], *wanted = children_find(all, has->name);
		struct child *c;

		if (wanted && child_is_other(&wanted->made, &has->made))
			return -EEXIST;
		if (wanted)
			continue;
		c = children_add(all, has->name, &has->made);
		if (!c)
			return -EEXIST;
		for (enum child_part part = 0; part < CHILD_PARTS; part++)
			if (has->part[part] && children_set(all, c, part, has->part[part]) < 0)
				return -E2BIG;
	}
	return 0;
}

int sim_nic_children_write(struct host *h, const char *bdf, const char *value)
{
	struct children all, there;
	int code = children_parse(value, &all);

	for (size_t i = 0; code == 0 && i < all.n; i++)
		code = may_be(h, bdf, &all.list[i]);
	if (code < 0)
		return code;
	get(h, bdf, &there);
	code = add_others(&all, &there);
	return code < 0 ? code : keep(h, bdf, &all);
}

/* --- what follows ------------------------------------------------------------------------------------------------ */

/* As for the interface itself: sim_nic.c, go_down(). */
static void go_down(struct children *all, struct child *c)
{
	const char *text = c->part[CHILD_ADDRESSES];
	struct ip_addresses has, left = { .n = 0 };
	char addresses[HOST_VALUE_BYTES];

	c->part[CHILD_UP] = c->part[CHILD_ROUTES] = NULL;
	if (!text || ip_addresses_parse(text, &has) < 0)
		return;
	for (size_t i = 0; i < has.n; i++)
		if (has.list[i].local.family == AF_INET)
			ip_addresses_add(&left, &has.list[i]);
	if (ip_addresses_format(&left, addresses, sizeof(addresses)) >= 0)
		children_set(all, c, CHILD_ADDRESSES, addresses);
}

/*
 * VLANs go up and down with it, and are never larger (net/8021q/vlan.c, vlan_device_event(); drivers/net/macvlan.c,
 * macvlan_device_event()).
 */
void sim_nic_children_follow(struct host *h, const char *bdf, const char *what)
{
	bool up = is_up(h, bdf);
	uint64_t mtu = mtu_of(h, bdf);
	struct children all;
	char text[16];

	get(h, bdf, &all);
	snprintf(text, sizeof(text), "%u", (unsigned)mtu);
	for (size_t i = 0; i < all.n; i++) {
		struct child *c = &all.list[i];
		bool follows = c->made.kind == CHILD_VLAN && !(c->made.flags & CHILD_LOOSE_BINDING);

		if (strcmp(what, "mtu") == 0 && strtoull(c->part[CHILD_MTU], NULL, 10) > mtu)
			children_set(&all, c, CHILD_MTU, text);
		else if (strcmp(what, "up") == 0 && follows && up)
			children_set(&all, c, CHILD_UP, "up");
		else if (strcmp(what, "up") == 0 && follows && c->part[CHILD_UP])
			go_down(&all, c);
	}
	if (all.n)
		keep(h, bdf, &all);
}

bool sim_nic_children_receive(struct host *h, const char *bdf)
{
	struct children all;

	get(h, bdf, &all);
	for (size_t i = 0; i < all.n; i++)
		if (all.list[i].made.kind == CHILD_MACVLAN)
			return true;
	return false;
}
