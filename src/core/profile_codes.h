/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PROFILE_CODES_H
#define HANDOVER_PROFILE_CODES_H

#include "base/findings.h"

/*
 * All that can be wrong with a profile before any host is looked at. Their names are the codes of findings; each has
 * a profile under tests/profiles/bad that shows it.
 */
enum profile_code {
	/* bytes and YAML */
	CODE_PROFILE_TOO_LARGE,
	CODE_NOT_UTF8,
	CODE_CONTROL_CHARACTER,
	CODE_YAML_SYNTAX,
	CODE_YAML_EMPTY,
	CODE_YAML_TAB,
	CODE_YAML_ANCHOR,
	CODE_YAML_ALIAS,
	CODE_YAML_TAG,
	CODE_YAML_DIRECTIVE,
	CODE_YAML_DOCUMENTS,
	CODE_YAML_MERGE,
	CODE_TOO_DEEP,
	CODE_TOO_MANY_NODES,
	CODE_TOO_MANY_KEYS,
	CODE_BAD_KEY,
	CODE_DUPLICATE_KEY,
	/* any value */
	CODE_WRONG_TYPE,
	CODE_MISSING_VALUE,
	CODE_PLAIN_SURPRISE,
	CODE_UNKNOWN_KEY,
	CODE_BAD_NUMBER,
	CODE_BAD_WORD,
	CODE_TOO_LONG,
	CODE_EMPTY_LIST,
	CODE_TOO_MANY_WORDS,
	CODE_DUPLICATE_WORD,
	/* the top */
	CODE_MISSING_VERSION,
	CODE_WRONG_VERSION,
	CODE_EMPTY_NAME,
	CODE_UNKNOWN_RISK,
	CODE_BOOT_ALONE,
	CODE_BAD_WHEN_BUSY,
	CODE_BAD_NETWORK,
	CODE_AFTER_NETWORK_NONE,
	/* what is shared */
	CODE_BASE_MISSING,
	CODE_EXTENDS_CIRCLE,
	CODE_TOO_MANY_BASES,
	CODE_BAD_HOST,
	CODE_TOO_MANY_HOSTS,
	/* devices */
	CODE_TOO_MANY_DEVICES,
	CODE_NO_SELECTOR,
	CODE_BAD_ID,
	CODE_BAD_AT,
	CODE_BAD_FUNCTIONS,
	CODE_BAD_MAPPING,
	CODE_FUNCTIONS_ALONE,
	CODE_UNKNOWN_DEVICE,
	/* steps */
	CODE_TOO_MANY_STEPS,
	CODE_NO_ACTION,
	CODE_UNKNOWN_ACTION,
	CODE_TWO_ACTIONS,
	CODE_WRONG_PHASE,
	CODE_MISSING_OPTION,
	CODE_BAD_TIME,
	CODE_BAD_USB,
	CODE_BAD_UNIT,
	CODE_BAD_VERB,
	CODE_BAD_COMMAND,
};
#define PROFILE_CODES (CODE_BAD_COMMAND + 1)

/* "yaml-syntax" ... */
const char *profile_code_name(enum profile_code code);

/* Adds an error; what is a format, remedy plain text or NULL, as with finding_add(). */
void profile_bad(struct findings *f, enum profile_code code, struct place place, const char *remedy,
		 const char *what, ...) __attribute__((format(printf, 5, 6), nonnull(1, 5)));

#endif
