/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_NAMES_H
#define HANDOVER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A set of names, and their text: sorted, separated by spaces. */
#define NAMES_MAX 32
#define NAME_BYTES 128	/* net/core/dev.c: ALTIFNAMSIZ */

/* Start with {0}. */
struct names {
	char name[NAMES_MAX][NAME_BYTES];
	size_t n;
};

/* -EINVAL: it is no name that the text could hold, or one too many, or it is there already. */
int names_add(struct names *names, const char *name);

bool names_has(const struct names *names, const char *name);

/* -EINVAL: the text is none; *names is then of no use. */
int names_parse(const char *text, struct names *names);

/* The length, or -E2BIG. */
ssize_t names_format(const struct names *names, char *buf, size_t size);

#endif
