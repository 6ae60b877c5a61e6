/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "host/deeds_words.h"

bool word_is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._*?@-";

	return *word && strlen(word) <= DEED_WORD_MAX && word[strspn(word, plain)] == '\0';
}

static const char *variable_of(const struct shell *s, const char *name, size_t n)
{
	for (size_t i = 0; i < s->n_variables; i++)
		if (strlen(s->variables[i].name) == n && strncmp(s->variables[i].name, name, n) == 0)
			return s->variables[i].value;
	return NULL;
}

void variable_set(struct shell *s, const char *name, const char *value)
{
	for (size_t i = 0; i < s->n_variables; i++)
		if (strcmp(s->variables[i].name, name) == 0) {
			s->variables[i].value = value;
			return;
		}
	if (s->n_variables < SHELL_VARIABLES_MAX)
		s->variables[s->n_variables++] = (struct variable){ name, value };
}

/* The word of that number in a value; of a value of one word always that. NULL: it has no such word. */
static const char *word_of(struct arena *a, const char *value, size_t number)
{
	char *words[SHELL_WORDS_MAX];
	size_t n = str_words(arena_dup(a, value), words, SHELL_WORDS_MAX);

	return n == 1 ? words[0] : number < n ? words[number] : NULL;
}

/* "$NAME", "${NAME}", with more behind it: *rest is what follows. */
static const char *variable_at(const struct shell *s, const char *at, const char **rest)
{
	const char *name = at + 1 + (at[1] == '{');
	size_t n = 0;

	while (isalnum((unsigned char)name[n]) || name[n] == '_')
		n++;
	*rest = name + n + (at[1] == '{' && name[n] == '}');
	return n ? variable_of(s, name, n) : NULL;
}

const char *word_expand(const struct shell *s, const char *word, size_t number)
{
	const char *text = "", *dollar;

	while ((dollar = strchr(word, '$')) != NULL) {
		const char *rest, *value = variable_at(s, dollar, &rest), *one;

		one = value ? word_of(s->arena, value, number) : NULL;
		if (!one || strlen(text) > SHELL_LINE_MAX)
			return NULL;
		text = arena_fmt(s->arena, "%s%.*s%s", text, (int)(dollar - word), word, one);
		word = rest;
	}
	return *text ? arena_fmt(s->arena, "%s%s", text, word) : word;
}

size_t word_alternatives(const struct shell *s, const char *word)
{
	size_t most = 1;

	for (const char *dollar = strchr(word, '$'); dollar; dollar = strchr(dollar + 1, '$')) {
		char *words[SHELL_WORDS_MAX];
		const char *rest, *value = variable_at(s, dollar, &rest);
		size_t n = value ? str_words(arena_dup(s->arena, value), words, SHELL_WORDS_MAX) : 0;

		most = n > most ? n : most;
	}
	return most;
}
