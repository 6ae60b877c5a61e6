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
	const char **names;	/* of all entries of 'devices', good or bad, NULL at the end; NULL: not known */
};

/* profile_words.c */

/* Whether node is of that kind. */
bool node_is(struct loader *l, const struct node *node, enum node_kind kind, const char *subject, const char *remedy);

/* One word of text: not a list, not absent, nothing that a YAML reader might take for a number. */
bool word_read(struct loader *l, const struct node *node, const char *subject, struct word *word);

/* Letters, digits, '-' and '_', at most PROFILE_WORD_MAX: a device's name, a driver's. */
bool word_check(struct loader *l, const struct word *word, const char *subject);

/* A whole number from 0 to max, written plainly. */
bool number_read(struct loader *l, const struct node *node, const char *subject, uint64_t max, const char *remedy,
		 uint64_t *value);

/* One word or a list of them; each that is good is in words, whose place is that of the key. */
void words_read(struct loader *l, const struct node *node, const char *subject, struct words *words);

/* Whether no word stands in a list twice. */
void words_check_twice(struct loader *l, const struct words *words);

/* Whether each of words names an entry of 'devices' (if these are known), and none twice. */
void words_check_devices(struct loader *l, const struct words *words);

/*
 * A remedy: "did you mean 'X'" if one of words is near, else "SUBJECT 'A', 'B', 'C'": all of words, or the first few.
 * NULL when there is no room for another finding.
 */
const char *words_hint(struct loader *l, const char *word, const char *const *words, const char *subject);

/* Says that key is none of keys. where ends the sentence "'KEY' is not known ". */
void key_bad(struct loader *l, const struct node *key, const char *const *keys, const char *where);

/* "'KEY'" of an entry of a map. */
const char *node_subject(struct loader *l, const struct node *node);

/*
 * profile_devices.c: the value of 'devices', then that of 'accept', which names devices. False if the names
 * are not all known then.
 */
bool devices_read(struct loader *l, const struct node *map);
void accepts_read(struct loader *l, const struct node *map);

/* profile_steps.c: the value of a phase's key, after the devices. */
void steps_read(struct loader *l, const struct node *list, enum phase phase);

#endif
