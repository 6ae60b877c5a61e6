/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/command.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* Whether this byte stands for itself; before is the one in front of it. */
static bool is_plain(char c, char before, bool in_path)
{
	return (strchr(PLAIN, c) && !(c == '.' && before == '.')) || (in_path && c == '/');
}

static bool add(char name[HOST_NAME_BYTES], const char *text)
{
	size_t n = strlen(name), more = strlen(text);

	if (n + more >= HOST_NAME_BYTES)
		return false;
	memcpy(name + n, text, more + 1);
	return true;
}

bool command_name_add(char name[HOST_NAME_BYTES], const char *word)
{
	bool in_path = *name == '\0', fits;

	/* The path brings its own '/'. */
	fits = in_path ? add(name, "command") : add(name, COMMAND_GAP);
	for (char before = '\0'; fits && *word; before = *word++) {
		char piece[4] = { *word };

		if (*word == ' ')
			piece[0] = '+';
		else if (!is_plain(*word, before, in_path))
			snprintf(piece, sizeof(piece), "%%%02X", (unsigned char)*word);
		fits = add(name, piece);
	}
	return fits;
}

/* One byte of a word; *name goes on behind it. '\0' if there is none. */
static char take_byte(const char **name)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *s = *name, *high, *low;

	if (*s != '%') {
		*name += *s != '\0';
		return *s == '+' ? ' ' : *s;
	}
	high = s[1] ? strchr(digits, s[1]) : NULL;
	low = high && s[2] ? strchr(digits, s[2]) : NULL;
	if (!low)
		return '\0';
	*name += strlen("%XX");
	return (char)((high - digits) << 4 | (low - digits));
}

static bool take_words(const char *name, struct command_words *words)
{
	char *to = words->text;
	size_t n = 0;

	words->word[n++] = to;
	while (*name) {
		if (str_starts(name, COMMAND_GAP)) {
			if (n == COMMAND_WORDS_MAX)
				return false;
			name += strlen(COMMAND_GAP);
			*to++ = '\0';
			words->word[n++] = to;
			continue;
		}
		*to = take_byte(&name);
		if (*to++ == '\0')
			return false;
	}
	*to = '\0';
	words->word[n] = NULL;
	return true;
}

bool command_name_parse(const char *name, struct command_words *words)
{
	char again[HOST_NAME_BYTES] = "";

	if (!str_starts(name, COMMAND_PREFIX) || strlen(name) >= HOST_NAME_BYTES ||
	    !take_words(name + strlen(COMMAND_PREFIX) - 1, words) || !str_is_path(words->word[0], HOST_NAME_BYTES))
		return false;
	for (char **w = words->word; *w; w++)
		if (!command_name_add(again, *w))
			return false;
	return strcmp(again, name) == 0;
}
