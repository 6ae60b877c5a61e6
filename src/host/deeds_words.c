/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "host/deeds_words.h"

#define BLANKS " \t"

bool word_is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._*?@-";

	return *word && strlen(word) <= DEED_WORD_MAX && word[strspn(word, plain)] == '\0';
}

static const char *variable_of(const struct shell *s, const char *name, size_t n)
{
	for (size_t i = 0; i < s->n_variables; i++)
		if (strncmp(s->variables[i].name, name, n) == 0 && s->variables[i].name[n] == '\0')
			return s->variables[i].value;
	return NULL;
}

void variable_set(struct shell *s, const char *name, const char *value)
{
	struct variable *v = s->variables;
	size_t n = strnlen(value, SHELL_VALUE_MAX);

	while (v < s->variables + s->n_variables && strcmp(v->name, name) != 0)
		v++;
	if (v == s->variables + SHELL_VARIABLES_MAX)
		return;
	if (v == s->variables + s->n_variables) {
		*v = (struct variable){ arena_dup(s->arena, name), arena_alloc(s->arena, SHELL_VALUE_MAX + 1) };
		s->n_variables++;
	}
	memcpy(v->value, value, n);
	v->value[n] = '\0';
}

static const char *next_word(const char *at)
{
	at += strcspn(at, BLANKS);
	return at + strspn(at, BLANKS);
}

static size_t words_in(const char *value)
{
	size_t n = 0;

	for (value += strspn(value, BLANKS); *value && n < SHELL_WORDS_MAX; n++)
		value = next_word(value);
	return n;
}

/*
 * The word of that number in a value, up to a blank; of a value of one word always that. NULL: it has no such word.
 * It is not copied: a line may ask for very many words of a long value.
 */
static const char *word_of(const char *value, size_t number)
{
	size_t n = words_in(value);

	if (n == 1)
		number = 0;
	if (number >= n)
		return NULL;
	for (value += strspn(value, BLANKS); number; number--)
		value = next_word(value);
	return value;
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

bool word_append(char text[SHELL_VALUE_MAX + 1], size_t *used, const char *more, size_t n)
{
	if (n > SHELL_VALUE_MAX - *used)
		return false;
	memcpy(text + *used, more, n);
	*used += n;
	text[*used] = '\0';
	return true;
}

const char *word_expand(const struct shell *s, const char *word, size_t number)
{
	char text[SHELL_VALUE_MAX + 1];
	const char *dollar;
	size_t used = 0;

	while ((dollar = strchr(word, '$')) != NULL) {
		const char *rest, *value = variable_at(s, dollar, &rest), *one = value ? word_of(value, number) : NULL;

		if (!one || !word_append(text, &used, word, (size_t)(dollar - word)) ||
		    !word_append(text, &used, one, strcspn(one, BLANKS)))
			return NULL;
		word = rest;
	}
	if (!used)
		return word;
	return word_append(text, &used, word, strlen(word)) ? arena_dupn(s->scratch, text, used) : NULL;
}

size_t word_alternatives(const struct shell *s, const char *word)
{
	size_t most = 1;

	for (const char *dollar = strchr(word, '$'); dollar; dollar = strchr(dollar + 1, '$')) {
		const char *rest, *value = variable_at(s, dollar, &rest);
		size_t n = value ? words_in(value) : 0;

		most = n > most ? n : most;
	}
	return most;
}
