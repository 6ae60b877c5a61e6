/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "core/pveline.h"

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

void pveline_start(struct pve_reader *r, const char *text, bool container, struct arena *a)
{
	*r = (struct pve_reader){ .container = container, .arena = a, .at = arena_dup(a, text) };
}

static void cut_end(char *s)
{
	size_t n = strlen(s);

	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	s[n] = '\0';
}

static char *skip_space(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* A "[" that is not closed is no section. */
static bool is_section(const char *line)
{
	const char *end = *line == '[' ? strchr(line, ']') : NULL;

	return end && end[1] == '\0';
}

/* --- the description ---------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* The byte that "%XX" is; 0: it is none. A text cannot hold a NUL, which stays as it is written. */
static int decoded(const char *s)
{
	int high = *s == '%' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);

	return low < 0 ? 0 : high * 16 + low;
}

static void describe(struct pve_reader *r, const char *s, const char *end)
{
	/* What is decoded is never longer, and all of it was in the text: there is room for it and a newline a line. */
	if (!r->description)
		r->description = arena_alloc(r->arena, strlen(s) + (r->at ? strlen(r->at) : 0) + sizeof("\n"));
	for (; *s; s++) {
		int byte = decoded(s);

		r->description[r->n_description++] = byte ? (char)byte : *s;
		s += byte ? 2 : 0;
	}
	for (; *end; end++)
		r->description[r->n_description++] = *end;
	r->description[r->n_description] = '\0';
}

const char *pveline_description(struct pve_reader *r)
{
	if (r->description)
		cut_end(r->description);
	return r->description;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

/* The length of "lxc.mount.entry", and how long what stands between it and the value is; 0: it is no line of lxc. */
static size_t lxc_key(const char *line, size_t *gap)
{
	size_t n = str_starts(line, "lxc.") ? strspn(line, SMALL DIGITS "_-.") : 0, space = n ? strspn(line + n, " \t") : 0;

	if (n && line[n] == ':')
		*gap = 1;
	else if (n && line[n + space] == '=')
		*gap = space + 1;
	else
		n = 0;
	return n;
}

static size_t plain_key(const char *line, bool container, size_t *gap)
{
	size_t n = islower((unsigned char)*line) ? strspn(line, container ? SMALL "_" : SMALL "_-") : 0;

	n += n ? strspn(line + n, DIGITS) : 0;
	*gap = 1;
	return n && line[n] == ':' ? n : 0;
}

static void split(const struct pve_reader *r, char *text, struct pve_line *line)
{
	bool raw = r->container && str_starts(text, "lxc.");
	size_t gap = 0, n = raw ? lxc_key(text, &gap) : plain_key(text, r->container, &gap);
	char *value = n ? skip_space(text + n + gap) : NULL;

	*line = (struct pve_line){ .number = r->number, .text = text };
	/* Only lines of lxc may be without value. */
	if (!n || (!raw && !*value))
		return;
	line->key = arena_dupn(r->arena, text, n);
	line->value = value;
}

bool pveline_next(struct pve_reader *r, struct pve_line *line)
{
	char *text;

	while ((text = strsep(&r->at, "\n")) != NULL) {
		r->number++;
		cut_end(text);
		if (*text == '\0')
			continue;
		if (is_section(text)) {
			r->rest = r->at;
			break;
		}
		if (*text == '#') {
			describe(r, text + 1, "\n");
			continue;
		}
		split(r, text, line);
		if (!line->key || strcmp(line->key, "description") != 0)
			return true;
		describe(r, line->value, "");
	}
	r->at = NULL;
	return false;
}

bool pveline_next_section(struct pve_reader *r)
{
	r->at = r->rest;
	r->rest = NULL;
	r->description = NULL;
	r->n_description = 0;
	return r->at;
}
