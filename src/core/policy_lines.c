/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/policy_lines.h"

#define BLANKS " \t"

struct line {
	const char *text;	/* without its end */
	struct place place;
	struct findings *f;
};

static void refuse(const struct line *l, size_t at, const char *remedy, const char *what)
{
	struct place place = l->place;

	place.column = (unsigned)at + 1;
	finding_add(l->f, SEVERITY_ERROR, "policy-syntax", place, remedy, "%s", what);
}

/* inih drops what stands behind "]". */
static void check_section(const struct line *l)
{
	const char *end = strchr(l->text, ']');

	if (!end)
		refuse(l, 0, "write [NAME]", "there is no ']' after the '['");
	else if (end[1 + strspn(end + 1, BLANKS)])
		refuse(l, (size_t)(end + 1 - l->text), "put it on a line of its own",
		       "something stands behind the ']'");
}

/* inih takes ':' for '=' too. A key of handover has none, an address has. */
static void check_key(const struct line *l)
{
	const char *equals = strchr(l->text, '=');
	size_t n = strcspn(l->text, BLANKS "=");
	char *key;

	if (!equals) {
		refuse(l, 0, "write KEY = VALUE", "there is no '=' in this line");
		return;
	}
	key = arena_dupn(l->f->arena, l->text, n);
	if (!str_is_word(key, n) || l->text + n + strspn(l->text + n, BLANKS) != equals)
		refuse(l, 0, "write KEY = VALUE", "what stands before the '=' is not one word");
}

/* Where inih takes the rest of a line for a comment. */
static const char *find_comment(const char *s)
{
	for (; (s = strchr(s, ';')) != NULL; s++)
		if (strchr(BLANKS, s[-1]))
			return s;
	return NULL;
}

static void check_line(const struct line *l)
{
	const char *s = l->text, *comment;

	if (strlen(s) > POLICY_LINE_MAX) {
		refuse(l, POLICY_LINE_MAX, "write fewer words, or shorter ones",
		       arena_fmt(l->f->arena, "this line is longer than %d bytes", POLICY_LINE_MAX));
		return;
	}
	if (!s[strspn(s, BLANKS)] || *s == '#' || *s == ';')
		return;
	if (strchr(BLANKS, *s)) {
		refuse(l, 0, "begin it in the first column",
		       "this line is indented, as if it went on with the one above");
		return;
	}
	comment = find_comment(s);
	if (comment)
		refuse(l, (size_t)(comment - s), "put the comment on a line of its own",
		       "a ';' after a blank hides the rest of this line");
	else if (*s == '[')
		check_section(l);
	else
		check_key(l);
}

bool policy_lines_check(const char *text, size_t n, const char *file, struct findings *f)
{
	struct line l = { .place = { file, 0, 1 }, .f = f };
	size_t before = f->errors, len;

	for (size_t i = 0; i < n; i += len + 1) {
		const char *end = memchr(text + i, '\n', n - i);

		len = end ? (size_t)(end - text) - i : n - i;
		l.text = arena_dupn(f->arena, text + i, len - (len && text[i + len - 1] == '\r'));
		l.place.line++;
		check_line(&l);
	}
	return f->errors == before;
}
