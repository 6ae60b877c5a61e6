/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/profile_codes.h"

static const char *const names[PROFILE_CODES] = {
	[CODE_PROFILE_TOO_LARGE] = "profile-too-large",
	[CODE_NOT_UTF8] = "not-utf8",
	[CODE_CONTROL_CHARACTER] = "control-character",
	[CODE_YAML_SYNTAX] = "yaml-syntax",
	[CODE_YAML_EMPTY] = "yaml-empty",
	[CODE_YAML_TAB] = "yaml-tab",
	[CODE_YAML_ANCHOR] = "yaml-anchor",
	[CODE_YAML_ALIAS] = "yaml-alias",
	[CODE_YAML_TAG] = "yaml-tag",
	[CODE_YAML_DIRECTIVE] = "yaml-directive",
	[CODE_YAML_DOCUMENTS] = "yaml-documents",
	[CODE_YAML_MERGE] = "yaml-merge",
	[CODE_TOO_DEEP] = "too-deep",
	[CODE_TOO_MANY_NODES] = "too-many-nodes",
	[CODE_TOO_MANY_KEYS] = "too-many-keys",
	[CODE_BAD_KEY] = "bad-key",
	[CODE_DUPLICATE_KEY] = "duplicate-key",
	[CODE_WRONG_TYPE] = "wrong-type",
	[CODE_MISSING_VALUE] = "missing-value",
	[CODE_PLAIN_SURPRISE] = "plain-surprise",
	[CODE_UNKNOWN_KEY] = "unknown-key",
	[CODE_BAD_NUMBER] = "bad-number",
	[CODE_BAD_WORD] = "bad-word",
	[CODE_TOO_LONG] = "too-long",
	[CODE_EMPTY_LIST] = "empty-list",
	[CODE_TOO_MANY_WORDS] = "too-many-words",
	[CODE_DUPLICATE_WORD] = "duplicate-word",
	[CODE_MISSING_VERSION] = "missing-version",
	[CODE_WRONG_VERSION] = "wrong-version",
	[CODE_EMPTY_NAME] = "empty-name",
	[CODE_UNKNOWN_RISK] = "unknown-risk",
	[CODE_BOOT_ALONE] = "boot-alone",
	[CODE_BAD_WHEN_BUSY] = "bad-when-busy",
	[CODE_BAD_NETWORK] = "bad-network",
	[CODE_AFTER_NETWORK_NONE] = "after-network-none",
	[CODE_BASE_MISSING] = "base-missing",
	[CODE_EXTENDS_CIRCLE] = "extends-circle",
	[CODE_TOO_MANY_BASES] = "too-many-bases",
	[CODE_BAD_HOST] = "bad-host",
	[CODE_TOO_MANY_HOSTS] = "too-many-hosts",
	[CODE_TOO_MANY_DEVICES] = "too-many-devices",
	[CODE_NO_SELECTOR] = "no-selector",
	[CODE_BAD_ID] = "bad-id",
	[CODE_BAD_AT] = "bad-at",
	[CODE_BAD_FUNCTIONS] = "bad-functions",
	[CODE_BAD_MAPPING] = "bad-mapping",
	[CODE_FUNCTIONS_ALONE] = "functions-alone",
	[CODE_UNKNOWN_DEVICE] = "unknown-device",
	[CODE_TOO_MANY_STEPS] = "too-many-steps",
	[CODE_NO_ACTION] = "no-action",
	[CODE_UNKNOWN_ACTION] = "unknown-action",
	[CODE_TWO_ACTIONS] = "two-actions",
	[CODE_WRONG_PHASE] = "wrong-phase",
	[CODE_MISSING_OPTION] = "missing-option",
	[CODE_BAD_TIME] = "bad-time",
	[CODE_BAD_USB] = "bad-usb",
	[CODE_BAD_UNIT] = "bad-unit",
	[CODE_BAD_VERB] = "bad-verb",
	[CODE_BAD_COMMAND] = "bad-command",
};

const char *profile_code_name(enum profile_code code)
{
	return names[code];
}

void profile_bad(struct findings *f, enum profile_code code, struct place place, const char *remedy,
		 const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	finding_vadd(f, SEVERITY_ERROR, names[code], place, remedy, what, ap);
	va_end(ap);
}
