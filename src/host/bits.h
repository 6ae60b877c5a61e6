/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_BITS_H
#define HANDOVER_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Bits of a card that have names, as ethtool tells them, and their text: the names of those that are on, separated by
 * spaces, in the kernel's order: "tx-checksum-ip-generic tx-scatter-gather".
 */
#define BITS_MAX 128
#define BIT_NAME_BYTES 32	/* include/uapi/linux/ethtool.h, ETH_GSTRING_LEN */

/* Start with {0}. */
struct bits {
	struct {
		char name[BIT_NAME_BYTES];
		bool is_on;
	} list[BITS_MAX];
	size_t n;
	bool is_list;	/* for whoever reads them: only those that are on are told */
};

/* -EINVAL: it is no name that the text could hold, or one too many, or is there already. */
int bits_add(struct bits *bits, const char *name, bool is_on);

/* Whether there is one of that name, and whether it is on. */
bool bits_know(const struct bits *bits, const char *name);
bool bits_have(const struct bits *bits, const char *name);

/* All of the text are on. -EINVAL: it is none; *bits is then of no use. */
int bits_parse(const char *text, struct bits *bits);

/* The length, or -E2BIG. */
ssize_t bits_format(const struct bits *bits, char *buf, size_t size);

#endif
