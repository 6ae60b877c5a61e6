/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/guests.h"

/*
 * Any text is a configuration; what follows a section is not its current one; and a hookscript that it has, it names.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static bool names(struct arena *a, const char *text, const char *volume)
{
	struct guest guest = { .vmid = 100, .text = text };

	return guest_names_hookscript(&guest, volume, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = n ? arena_dupn(a, (const char *)data, n) : "", *volume = "local:snippets/made-up", *value;

	require(names(a, NULL, volume));
	require(!names(a, text, volume) || strstr(text, volume));
	value = guest_value(text, "hookscript", a);
	require(!value || (*value && !strchr(value, '\n') && names(a, text, value)));
	/* A snapshot's is none of the current configuration, but it is named. */
	text = arena_fmt(a, "%s\n[before]\nhookscript: %s\n", text, volume);
	require(str_same(guest_value(text, "hookscript", a), value) && names(a, text, volume));
	/* The last one counts. */
	text = arena_fmt(a, "%s\nhookscript: %s\n", value ? "hookscript: x" : "", volume);
	require(str_same(guest_value(text, "hookscript", a), volume));
	return 0;
}
