/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_CHILDREN_H
#define HANDOVER_CHILDREN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * VLAN and macvlan interfaces that stand on another and go with it (net/8021q/vlan.c, vlan_device_event();
 * drivers/net/macvlan.c, macvlan_device_event()), and their text:
 *
 *	eno1.10 vlan 10 / mtu 1500 / master vmbr0v10 / up // mv0 macvlan bridge / mac 52:54:00:00:00:07 / mtu 1500
 *
 * They are sorted by name. First stands how one was made, then what it has, each as nic/ADDRESS/... has it (host.h), in
 * the order in which it comes back. The MTU is always there. Left out are a VLAN's address on the wire if it is the one of
 * the interface below, VLANs of a port that are "1 pvid untagged", and "up" if it is down.
 */
#define CHILDREN_MAX 32		/* more would not fit into a value of the seam */
#define CHILDREN_TEXT_BYTES 16384	/* of all parts; a text of a page may be longer when it is written strictly */

enum child_kind { CHILD_VLAN, CHILD_MACVLAN };

/* Of a VLAN, what is not as usual; in the order of their words. */
enum { CHILD_NO_REORDER_HDR = 1, CHILD_GVRP = 2, CHILD_MVRP = 4, CHILD_LOOSE_BINDING = 8, CHILD_BRIDGE_BINDING = 16 };

/* Of a macvlan. */
enum child_mode { CHILD_PRIVATE, CHILD_VEPA, CHILD_BRIDGE, CHILD_MODES };

/* What it is made with. */
struct child_made {
	enum child_kind kind;
	unsigned id;			/* of a VLAN */
	bool is_ad;			/* 802.1ad and not 802.1Q */
	unsigned flags;
	enum child_mode mode;		/* of a macvlan */
};

enum child_part {
	CHILD_MAC, CHILD_MTU, CHILD_LINK, CHILD_SYSCTLS, CHILD_MASTER, CHILD_PORT, CHILD_VLANS, CHILD_UP,
	CHILD_ADDRESSES, CHILD_ROUTES, CHILD_FDB, CHILD_MASTER_MAC, CHILD_ALTNAMES, CHILD_ALIAS, CHILD_PARTS
};

struct child {
	char name[IFNAMSIZ];
	struct child_made made;
	const char *part[CHILD_PARTS];	/* NULL: as usual, or none */
};

/* Start with children_clear(). */
struct children {
	struct child list[CHILDREN_MAX];
	size_t n;
	char text[CHILDREN_TEXT_BYTES];	/* of the parts */
	size_t used;
};

/* As host.h names it: "mtu". */
const char *child_part_name(enum child_part part);

/* What is written for a part that is as usual, or none: ""; NULL: nothing can be. */
const char *child_part_usual(enum child_part part);

/* Whether these differ in more than what can be changed, the flags. */
bool child_is_other(const struct child_made *a, const struct child_made *b);

void children_clear(struct children *all);

/* It is good until the next is added. NULL: it is one too many, is there already, or has a name that is none. */
struct child *children_add(struct children *all, const char *name, const struct child_made *made);

const struct child *children_find(const struct children *all, const char *name);

/* -EINVAL: it is no such text. -E2BIG: there is no room for it. What is as usual, or "", is none. */
int children_set(struct children *all, struct child *c, enum child_part part, const char *text);

/* Whether an alias has a place in the text. */
bool child_has_room_for_alias(const char *alias);

/* -EINVAL: the text is none; *all is then of no use. */
int children_parse(const char *text, struct children *all);

/* The length, or -E2BIG. */
ssize_t children_format(const struct children *all, char *buf, size_t size);

#endif
