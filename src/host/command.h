/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_COMMAND_H
#define HANDOVER_COMMAND_H

#include "host/host.h"

/*
 * The names of commands on the seam: "command" and the full path, then "%20" and a word for each argument, so that a
 * command with its arguments is one name. In the words a space is "+", and every other byte but letters, digits, '.',
 * '_', '-' and the path's own '/' is %XX; so is a '.' behind another one, since ".." stands in no name. Each command has
 * exactly one name.
 */
#define COMMAND_PREFIX "command/"
#define COMMAND_GAP "%20"	/* between two words */
#define COMMAND_WORDS_MAX (HOST_NAME_BYTES / (sizeof(COMMAND_GAP) - 1))

/* The words of a command, NULL behind the last. */
struct command_words {
	char *word[COMMAND_WORDS_MAX + 1];
	char text[HOST_NAME_BYTES];	/* where they are */
};

/* Adds a word to a name, which is "" before the first. False if it does not fit; the name then means nothing. */
bool command_name_add(char name[HOST_NAME_BYTES], const char *word);

/* The words that a name was made of. False if it is no such name, or if its first word is no full path. */
bool command_name_parse(const char *name, struct command_words *words);

#endif
