/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PROFILE_PARTS_H
#define HANDOVER_PROFILE_PARTS_H

#include <stdint.h>

#include "core/profile.h"
#include "core/profile_codes.h"
#include "core/yaml.h"

/*
 * The parts of the profile loader: used by core/profile*.c alone. Each reads one piece of the tree into the profile
 * and tells what is wrong with it; a node that has been told is passed over in silence. Subjects in messages ("'at'")
 * bring their own quotes.
 */
struct loader {
	struct findings *f;
	struct arena *arena;
	struct profile *p;
	struct layer *layer;	/* the file that is read */
	const char **names;	/* of all devices, good or bad, NULL at the end; NULL: not known */
};

/* A file of a profile: itself, or one of its bases. */
struct sheet {
	const struct node *top;
	struct profile own;	/* what it says by itself */
	struct layer layer;
};

#define SHEETS_MAX (PROFILE_BASES_MAX + 1)
struct sheets {
	struct sheet list[SHEETS_MAX];
	size_t n;
	struct word extends;	/* of the first */
	bool whole;		/* all files are there, and in this language */
};

/*
 * profile_bases.c: the trees of a text and of its bases; then, when each is read, all in one. bases NULL: only of the text.
 */
void sheets_read(struct loader *l, const struct base_text *text, const struct bases *bases, struct sheets *s);
struct profile *sheets_merge(struct loader *l, const struct sheets *s);

/* Whether one of the first n files has this key at its top. */
bool sheets_say(const struct sheets *s, size_t n, const char *key);

/* profile.c: whether a file is written in this language; else its keys mean nothing here. */
bool version_check(struct loader *l, const struct node *top);

/* profile_words.c */

/* Whether node is of that kind. */
bool node_is(struct loader *l, const struct node *node, enum node_kind kind, const char *subject, const char *remedy);

/* One word of text: not a list, not absent, nothing that a YAML reader might take for a number. */
bool word_read(struct loader *l, const struct node *node, const char *subject, struct word *word);

/* The same; instead is what to write in the place of a number, where the same in quotes would be wrong too. */
bool word_read_or(struct loader *l, const struct node *node, const char *subject, const char *instead, struct word *word);

/* Letters, digits, '-' and '_', at most PROFILE_WORD_MAX: a device's name, a driver's. */
bool word_check(struct loader *l, const struct word *word, const char *subject);

/* A whole number from 0 to max, written plainly. */
bool number_read(struct loader *l, const struct node *node, const char *subject, uint64_t max, const char *remedy,
		 uint64_t *value);

/* One word or a list of them, as word_read_or() has them; each that is good is in words, whose place is that of the key. */
void words_read(struct loader *l, const struct node *node, const char *subject, const char *instead, struct words *words);

/* Whether no word stands in a list twice. */
void words_check_twice(struct loader *l, const struct words *words);

/* Whether each of words names a device (if these are known), and none twice. */
void words_check_devices(struct loader *l, const struct words *words);

/*
 * A remedy: "did you mean 'X'" if one of words is near, else "SUBJECT 'A', 'B', 'C'": all of words, or the first few.
 * NULL when there is no room for another finding.
 */
const char *words_hint(struct loader *l, const char *word, const char *const *words, const char *subject);

/* Says that key is none of keys. where ends the sentence "'KEY' is not known ". */
void key_bad(struct loader *l, const struct node *key, const char *const *keys, const char *where);

/* The entry of a map, or NULL. */
const struct node *map_find(const struct node *map, const char *key);

/* "'KEY'" of an entry of a map. */
const char *node_subject(struct loader *l, const struct node *node);

/*
 * profile_devices.c: the value of 'devices', then that of 'accept', which names devices. What is wrong with a map of devices
 * as a whole leaves the names unknown.
 */
void devices_read(struct loader *l, const struct node *map);
void accepts_read(struct loader *l, const struct node *map);

/* profile_hosts.c: the value of 'hosts', into the layer. */
void hosts_read(struct loader *l, const struct node *list);

/* profile_steps.c: the value of the key of a phase or of 'after-network', after the devices. */
void steps_read(struct loader *l, const struct node *list, int section);

#endif
