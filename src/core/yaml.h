/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_YAML_H
#define HANDOVER_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"

/*
 * YAML without surprises, as a tree: maps whose keys are words, lists, and words. There are no types here, no anchors,
 * aliases, tags, directives, merge keys or second documents, and no key twice: each is an error where it stands.
 */
#define YAML_DEPTH_MAX 16	/* lists and maps inside one another */
#define YAML_NODES_MAX 32768	/* keys, words, lists and maps together */
#define YAML_KEYS_MAX 256	/* in one map */

enum node_kind { NODE_WORD, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool plain;			/* a word without quotes: yaml_surprise() says whether that can be trusted */
	bool told;			/* something is wrong with it and has been said; text means nothing */
	struct place place;		/* of a block map: of its first key */
	const char *text;		/* of a word: printable UTF-8 in one line; "" where no value stands */
	const struct node *key;		/* of an entry of a map: the word before the ':' */
	const struct node *first;	/* what a list or map holds, in the order of the file ... */
	const struct node *next;	/* ... NULL after the last */
};

/*
 * Reads text into a tree that belongs to the arena of f. NULL if it cannot be read to its end: then f has at least one
 * more error. A tree may come with errors too (told nodes, keys left out), so that the caller can look for more of
 * them; whoever wants to use it compares f->errors.
 */
const struct node *yaml_tree(const char *text, size_t n, const char *file, struct findings *f);

/* "a map", "a list", "a word". */
const char *node_kind_name(enum node_kind kind);

/* Whether there is no value at all: "key:" and then nothing. */
bool node_is_absent(const struct node *node);

/*
 * What a YAML 1.1 or YAML 1.2 reader takes the text for if it stands without quotes: "a number", "a time", "true or
 * false", "no value", "a merge key" ... NULL if it is text to both.
 */
const char *yaml_surprise(const char *text);

/* 'text' in quotes for a message: one line, what cannot be printed as \xNN or \uNNNN, cut when long. */
const char *yaml_quote(struct arena *a, const char *text);

#endif
