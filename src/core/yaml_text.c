/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/profile_codes.h"
#include "core/yaml.h"
#include "core/yaml_text.h"

#define QUOTE_MAX 48		/* characters of foreign text in a message */
#define ESCAPE_MAX 10		/* bytes one of them may need: \u10ffff */

static const char utf8_mark[] = "\xef\xbb\xbf";

/* Decodes one character; 0 if it is not UTF-8 (too long forms and surrogates included). */
static size_t utf8_next(const char *text, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = (unsigned char)*text;
	size_t len = lead < 0x80 ? 1 : lead >> 5 == 0x06 ? 2 : lead >> 4 == 0x0e ? 3 : lead >> 3 == 0x1e ? 4 : 0;
	uint32_t v = len == 1 ? lead : len == 0 ? 0 : lead & (0x7fu >> len);

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)text[i] & 0x3fu);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	*c = v;
	return len;
}

/*
 * Characters that do not show, end a line for some programs only, or turn the direction of what follows: with them a
 * file says something else than what a person sees.
 */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200b || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

static bool is_line_text(const char *text, size_t n, uint32_t c)
{
	if (c == '\r')
		return n > 1 && text[1] == '\n';
	return c == '\n' || c == '\t' || !is_hidden(c);
}

size_t text_mark(const char *text, size_t n)
{
	size_t len = sizeof(utf8_mark) - 1;

	return n >= len && memcmp(text, utf8_mark, len) == 0 ? len : 0;
}

bool text_check(const char *text, size_t n, const char *file, struct findings *f)
{
	struct place place = { file, 1, 1 };
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		uint32_t c;

		len = utf8_next(text + i, n - i, &c);
		if (!len) {
			profile_bad(f, CODE_NOT_UTF8, place, "save the file as UTF-8",
				    "byte 0x%02x here is not UTF-8", (unsigned char)text[i]);
			return false;
		}
		if (!is_line_text(text + i, n - i, c)) {
			profile_bad(f, CODE_CONTROL_CHARACTER, place, "delete it",
				    "character U+%04X here does not show", (unsigned)c);
			return false;
		}
		place.column++;
		if (c == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return true;
}

bool text_is_printable(const char *text, size_t n)
{
	uint32_t c;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = utf8_next(text + i, n - i, &c);
		if (!len || is_hidden(c))
			return false;
	}
	return true;
}

void text_show(const char *text, char *buf, size_t size)
{
	static const char more[] = "...";
	size_t n = strlen(text), used = 0, len;

	for (size_t i = 0; i < n; i += len) {
		const char *piece = text + i;
		uint32_t c = 0;
		size_t shown = utf8_next(piece, n - i, &c);

		len = shown ? shown : 1;
		if (!shown || is_hidden(c)) {
			piece = c == '\t' ? " " : "?";
			shown = 1;
		}
		/* Either there is room for the dots behind it, or for all the rest. */
		if (used + shown + sizeof(more) > size && used + (n - i) >= size) {
			memcpy(buf + used, more, sizeof(more));
			return;
		}
		memcpy(buf + used, piece, shown);
		used += shown;
	}
	buf[used] = '\0';
}

size_t text_offset(const char *text, size_t n, size_t character)
{
	size_t at = 0, i = 0;

	for (; i < n; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && at++ == character)
			break;
	return i;
}

bool text_starts_directive(const char *text, size_t n, size_t character, struct place *place)
{
	const char *s = text + text_offset(text, n, character), *end = text + n;

	while (s < end) {
		const char *line = s;

		while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
			s++;
		if (end - s >= 3 && memcmp(s, "...", 3) == 0)
			s += 3;
		else if (s < end && *s != '\n' && *s != '#') {
			*place = (struct place){ place->file, place->line, 1 };
			return s == line && *s == '%';
		}
		s = memchr(s, '\n', (size_t)(end - s));
		if (!s)
			return false;
		s++;
		place->line++;
	}
	return false;
}

/* One pass over the text beside the list of scalars: outside of them '#' always starts a comment. */
void text_check_tabs(const char *text, size_t n, const struct span *spans, size_t n_spans, const char *file,
		     struct findings *f)
{
	struct place place = { file, 1, 0 };
	size_t at = 0, span = 0;
	bool comment = false, told = false;

	for (size_t i = 0; i < n; i++) {
		bool inside;

		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		while (span < n_spans && spans[span].end <= at)
			span++;
		inside = span < n_spans && spans[span].start <= at;
		place.column++;
		at++;
		if (text[i] == '\n') {
			place.line++;
			place.column = 0;
			comment = told = false;
		} else if (text[i] == '#' && !inside) {
			comment = true;
		} else if (text[i] == '\t' && !comment && !told && !(inside && spans[span].quoted)) {
			profile_bad(f, CODE_YAML_TAB, place, "use spaces", "a tab stands here");
			told = true;
		}
	}
}

const char *yaml_quote(struct arena *a, const char *text)
{
	char line[QUOTE_MAX * ESCAPE_MAX + sizeof("'...'")] = "'";
	size_t used = 1, n = strlen(text), at = 0;

	for (size_t chars = 0; at < n && chars < QUOTE_MAX; chars++) {
		uint32_t c;
		size_t len = utf8_next(text + at, n - at, &c);

		if (len && !is_hidden(c)) {
			memcpy(line + used, text + at, len);
			used += len;
		} else if (!len || c < 0x80) {
			used += (size_t)snprintf(line + used, ESCAPE_MAX, "\\x%02x", (unsigned char)text[at]);
		} else {
			used += (size_t)snprintf(line + used, ESCAPE_MAX, "\\u%04x", (unsigned)c);
		}
		at += len ? len : 1;
	}
	snprintf(line + used, sizeof(line) - used, "%s'", at < n ? "..." : "");
	return arena_dup(a, line);
}
