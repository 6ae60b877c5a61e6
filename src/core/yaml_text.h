/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_YAML_TEXT_H
#define HANDOVER_YAML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"

/* The bytes of a YAML file, below what libyaml makes of them. */

/* Where a scalar stands, in characters (not bytes) from the start of the text. */
struct span {
	size_t start, end;
	bool quoted;
};

/* Length of the UTF-8 byte order mark at the start of text: 0 or 3. */
size_t text_mark(const char *text, size_t n);

/* Refuses what is not UTF-8, and characters that do not show. At most one error: the first place. */
bool text_check(const char *text, size_t n, const char *file, struct findings *f);

/* Whether all of a scalar's value shows in one line. */
bool text_is_printable(const char *text, size_t n);

/*
 * Anybody's text as it can be told in one line: a tab is a space, what does not show is '?', and what does not fit is cut
 * off, which "..." says.
 */
void text_show(const char *text, char *buf, size_t size);

/* The offset of a character that libyaml counts; n behind the last. */
size_t text_offset(const char *text, size_t n, size_t character);

/*
 * Whether the first line from that character on which is neither blank nor a comment nor "..." is a directive ("%...").
 * place is that of the character, which ends a line or starts one; on true it is that of the directive.
 */
bool text_starts_directive(const char *text, size_t n, size_t character, struct place *place);

/* Refuses tabs outside of quotes and comments, one error in a line. spans holds all scalars in order. */
void text_check_tabs(const char *text, size_t n, const struct span *spans, size_t n_spans, const char *file,
		     struct findings *f);

#endif
