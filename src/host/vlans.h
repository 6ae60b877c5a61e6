/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_VLANS_H
#define HANDOVER_VLANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The VLANs of a bridge's port, and their text: "1 pvid untagged, 2-4094". Ids ascend; neighbours with the same flags
 * are one range; flags stand behind their id, pvid first. No VLAN at all is "".
 */
#define VLAN_ID_MAX 4094	/* 0 and 4095 are no VLANs (IEEE 802.1Q) */

/* Start with {0}. */
struct vlans {
	uint64_t member[64], untagged[64];	/* a bit for each id */
	unsigned pvid;				/* 0 = none */
};

struct vlan_range {
	unsigned from, to;
	bool pvid, untagged;
};

/* -EINVAL: these are no ids, or the only one that frames without a tag belong to is more than one. */
int vlans_add(struct vlans *v, const struct vlan_range *r);

/* The longest range with the same flags that begins above r->to: start with {0}. False: there is none. */
bool vlans_next(const struct vlans *v, struct vlan_range *r);

/* What v has and other has not. */
struct vlans vlans_without(const struct vlans *v, const struct vlans *other);

/* What v has and other has not or has with other flags. */
struct vlans vlans_unlike(const struct vlans *v, const struct vlans *other);

/* Reads the text; neighbours need not be one range. -EINVAL: it is none, *v is then of no use. */
int vlans_parse(const char *text, struct vlans *v);

/* Writes the text and returns its length, or -E2BIG. */
ssize_t vlans_format(const struct vlans *v, char *buf, size_t size);

#endif
