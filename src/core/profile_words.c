/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "core/profile_parts.h"

#define HINT_WORDS_MAX 16	/* in a list of what would be right */
#define REMEDY_TEXT_MAX 40	/* bytes of foreign text repeated in a remedy */

const struct node *map_find(const struct node *map, const char *key)
{
	for (const struct node *n = map->first; n; n = n->next)
		if (strcmp(n->key->text, key) == 0)
			return n;
	return NULL;
}

const char *node_subject(struct loader *l, const struct node *node)
{
	return yaml_quote(l->arena, node->key->text);
}

bool node_is(struct loader *l, const struct node *node, enum node_kind kind, const char *subject, const char *remedy)
{
	if (node->told)
		return false;
	if (node_is_absent(node)) {
		profile_bad(l->f, CODE_MISSING_VALUE, node->place, remedy, "%s has no value", subject);
		return false;
	}
	if (node->kind == kind)
		return true;
	profile_bad(l->f, CODE_WRONG_TYPE, node->place, remedy, "%s is %s where %s is wanted", subject,
		    node_kind_name(node->kind), node_kind_name(kind));
	return false;
}

static const char *quotes_hint(struct arena *a, const char *text)
{
	if (strlen(text) > REMEDY_TEXT_MAX)
		return "put it in quotes if it is meant as text";
	return arena_fmt(a, "put it in quotes: \"%s\"", text);
}

bool word_read_or(struct loader *l, const struct node *node, const char *subject, const char *instead, struct word *word)
{
	const char *surprise;

	if (!node_is(l, node, NODE_WORD, subject, "write one word"))
		return false;
	surprise = node->plain ? yaml_surprise(node->text) : NULL;
	if (surprise) {
		profile_bad(l->f, CODE_PLAIN_SURPRISE, node->place, instead ? instead : quotes_hint(l->arena, node->text),
			    "%s without quotes means %s to some readers of YAML", yaml_quote(l->arena, node->text),
			    surprise);
		return false;
	}
	*word = (struct word){ node->text, node->place };
	return true;
}

bool word_read(struct loader *l, const struct node *node, const char *subject, struct word *word)
{
	return word_read_or(l, node, subject, NULL, word);
}

bool word_check(struct loader *l, const struct word *word, const char *subject)
{
	if (strlen(word->s) > PROFILE_WORD_MAX) {
		profile_bad(l->f, CODE_TOO_LONG, word->place, "write a shorter one", "%s %s is longer than %d bytes",
			    subject, yaml_quote(l->arena, word->s), PROFILE_WORD_MAX);
		return false;
	}
	if (str_is_word(word->s, PROFILE_WORD_MAX))
		return true;
	profile_bad(l->f, CODE_BAD_WORD, word->place, "write letters, digits, '-' and '_', a letter or digit first",
		    "%s cannot be %s", subject, yaml_quote(l->arena, word->s));
	return false;
}

bool number_read(struct loader *l, const struct node *node, const char *subject, uint64_t max, const char *remedy,
		 uint64_t *value)
{
	if (!node_is(l, node, NODE_WORD, subject, remedy))
		return false;
	if (node->plain && str_decimal(node->text, max, value))
		return true;
	if (node->plain)
		profile_bad(l->f, CODE_BAD_NUMBER, node->place, remedy, "%s cannot be %s", subject,
			    yaml_quote(l->arena, node->text));
	else
		profile_bad(l->f, CODE_BAD_NUMBER, node->place, remedy, "%s is text in quotes where a number is wanted",
			    subject);
	return false;
}

static void words_add(struct loader *l, struct words *words, const struct node *node, const char *subject, const char *instead)
{
	struct word word;

	if (!word_read_or(l, node, subject, instead, &word))
		return;
	words->list = arena_grow(l->arena, words->list, words->n, sizeof(*words->list));
	words->list[words->n++] = word;
}

void words_read(struct loader *l, const struct node *node, const char *subject, const char *instead, struct words *words)
{
	size_t n = 0;

	words->place = node->key->place;
	if (node->kind == NODE_WORD) {
		words_add(l, words, node, subject, instead);
		return;
	}
	if (node->kind == NODE_MAP) {
		profile_bad(l->f, CODE_WRONG_TYPE, node->place, "write 'NAME' or '[NAME, NAME]'",
			    "%s is a map where a word or a list of words is wanted", subject);
		return;
	}
	if (!node->first)
		profile_bad(l->f, CODE_EMPTY_LIST, node->place, "name at least one, or leave the key out",
			    "the list of %s is empty", subject);
	for (const struct node *item = node->first; item; item = item->next) {
		if (++n > PROFILE_WORDS_MAX) {
			profile_bad(l->f, CODE_TOO_MANY_WORDS, item->place, NULL,
				    "the list of %s has more than %d words", subject, PROFILE_WORDS_MAX);
			return;
		}
		words_add(l, words, item, subject, instead);
	}
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static bool is_repeated(const struct words *words, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(words->list[i].s, words->list[at].s) == 0)
			return true;
	return false;
}

static void tell_twice(struct loader *l, const struct word *w)
{
	profile_bad(l->f, CODE_DUPLICATE_WORD, w->place, "name it once", "%s stands in this list twice",
		    yaml_quote(l->arena, w->s));
}

void words_check_twice(struct loader *l, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (is_repeated(words, i))
			tell_twice(l, &words->list[i]);
}

void words_check_devices(struct loader *l, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++) {
		const struct word *w = &words->list[i];

		if (is_repeated(words, i))
			tell_twice(l, w);
		else if (l->names && !is_one_of(w->s, l->names))
			profile_bad(l->f, CODE_UNKNOWN_DEVICE, w->place,
				    words_hint(l, w->s, l->names, "'devices' has"),
				    "%s is not an entry of 'devices'", yaml_quote(l->arena, w->s));
	}
}

const char *words_hint(struct loader *l, const char *word, const char *const *words, const char *subject)
{
	const char *nearest, *text = subject;
	struct arena *a = l->arena;

	/* Nobody will see it, and a search for each of 30,000 wrong words would take long. */
	if (l->f->n == FINDINGS_MAX)
		return NULL;
	nearest = str_nearest(word, words);
	if (nearest)
		return arena_fmt(a, "did you mean %s", yaml_quote(a, nearest));
	if (!*words)
		return arena_fmt(a, "%s nothing", subject);
	for (size_t i = 0; words[i]; i++) {
		if (i == HINT_WORDS_MAX)
			return arena_fmt(a, "%s, ...", text);
		text = arena_fmt(a, "%s%s %s", text, i ? "," : "", yaml_quote(a, words[i]));
	}
	return text;
}

void key_bad(struct loader *l, const struct node *key, const char *const *keys, const char *where)
{
	profile_bad(l->f, CODE_UNKNOWN_KEY, key->place, words_hint(l, key->text, keys, "known are"),
		    "%s is not known %s", yaml_quote(l->arena, key->text), where);
}
