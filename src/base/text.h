/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TEXT_H
#define HANDOVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Lists that are text, "1 pvid untagged, 10-20": put together in a buffer, and taken to pieces. */

struct text {
	char *buf;
	size_t size, n;
	bool is_full;
};

/* A text that is empty, in the caller's buffer; with no bytes it is full. */
struct text text_begin(char *buf, size_t size);

/* What does not fit is cut, and the text is full: nothing is added any more. */
__attribute__((format(printf, 2, 3))) void text_add(struct text *t, const char *fmt, ...);

/* Between two entries; before the first nothing. */
void text_separate(struct text *t, const char *separator);

/* Without the NUL behind it; -E2BIG: it is full. */
ssize_t text_length(const struct text *t);

/*
 * Gives each entry to take, which may write into it; the next begins behind the separator. No text has no entry.
 * -EINVAL: take refuses one, one does not fit into size bytes (at most TEXT_ENTRY_BYTES) with its NUL, or another thing
 * than the whole separator and an entry follows one.
 */
#define TEXT_ENTRY_BYTES 512
int text_entries(const char *text, const char *separator, size_t size, bool (*take)(char *entry, void *arg), void *arg);

#endif
