/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_DEEDS_WORDS_H
#define HANDOVER_DEEDS_WORDS_H

#include "host/deeds.h"

/* The words of a shell's line, for deeds.c. */

/* What may be shown, and written into a line again: no blank, no quote, no variable; at most DEED_WORD_MAX bytes. */
bool word_is_plain(const char *word);

/* Keeps copies. More than SHELL_VARIABLES_MAX are not kept. */
void variable_set(struct shell *s, const char *name, const char *value);

/* Puts n bytes behind the *used ones of text, and a NUL. False: it would be longer than SHELL_VALUE_MAX. */
bool word_append(char text[SHELL_VALUE_MAX + 1], size_t *used, const char *more, size_t n);

/*
 * A word with its variables replaced, each by its value's word of that number. NULL: one is not known, or has no more,
 * or the whole is longer than SHELL_VALUE_MAX. It lasts as long as the command.
 */
const char *word_expand(const struct shell *s, const char *word, size_t number);

/* How many words the variables of a word have; at least 1. */
size_t word_alternatives(const struct shell *s, const char *word);

#endif
