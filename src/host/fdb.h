/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_FDB_H
#define HANDOVER_FDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/mac.h"

/*
 * Entries of a bridge's table that somebody has made for a port, and their text: "52:54:00:00:00:02 vlan 5 sticky,
 * 52:54:00:00:00:03 self". Sorted; "local" is the bridge's own address there, "self" one that the card itself takes.
 */
#define FDB_MAX 160	/* more do not fit into a value of the seam */

struct fdb_entry {
	uint8_t mac[MAC_BYTES];
	uint16_t vlan;		/* 0: none */
	bool is_self, is_local, is_sticky;
};

/* Start with {0}. */
struct fdb {
	struct fdb_entry entry[FDB_MAX];
	size_t n;
};

/* -EINVAL: it is one too many, or is there already. */
int fdb_add(struct fdb *fdb, const struct fdb_entry *e);
bool fdb_has(const struct fdb *fdb, const struct fdb_entry *e);

/* -EINVAL: the text is none; *fdb is then of no use. */
int fdb_parse(const char *text, struct fdb *fdb);

/* The length, or -E2BIG. */
ssize_t fdb_format(const struct fdb *fdb, char *buf, size_t size);

#endif
