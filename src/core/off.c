/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/off.h"

#define MODULE "vfio_pci"

/* As modules and the parameters of the kernel are compared. */
static char *with_underscores(char *text)
{
	for (char *s = text; *s; s++)
		if (*s == '-')
			*s = '_';
	return text;
}

static bool blacklists_vfio(const char *word, struct arena *a)
{
	char *list = arena_dup(a, word), *eq = strchr(list, '='), *name;

	if (!eq)
		return false;
	*eq = '\0';
	with_underscores(list);
	if (strcmp(list, "modprobe.blacklist") != 0 && strcmp(list, "module_blacklist") != 0)
		return false;
	for (char *at = eq + 1; (name = strsep(&at, ",")) != NULL;)
		if (strcmp(with_underscores(name), MODULE) == 0)
			return true;
	return false;
}

/* What systemd starts: 1 for a target in which people mend a host, 0 for another one, -1: the word is about something else. */
static int says_rescue(const char *word)
{
	static const char *const targets[] = { "systemd.unit=rescue.target", "systemd.unit=emergency.target", "rescue",
					       "emergency", "single", "s", "S", "-s", "1", "-b" };
	static const char *const others[] = { "2", "3", "4", "5" };

	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		if (strcmp(word, targets[i]) == 0)
			return 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(word, others[i]) == 0)
			return 0;
	return str_starts(word, "systemd.unit=") ? 0 : -1;
}

/* Without the quotes that may stand around a word or a part of it. */
static char *unquoted(char *word)
{
	char *to = word;

	for (const char *s = word; *s; s++)
		if (*s != '"')
			*to++ = *s;
	*to = '\0';
	return word;
}

const char *off_reason(struct host *h, struct arena *a)
{
	char text[HOST_VALUE_BYTES], *at = text, *word;
	const char *off = NULL, *target = NULL;

	if (host_read(h, "proc/cmdline", text, sizeof(text)) < 0)
		return NULL;
	while ((word = strsep(&at, " \t\n")) != NULL) {
		int rescue = says_rescue(unquoted(word));

		if (rescue >= 0)
			target = rescue ? arena_dup(a, word) : NULL;
		if (!off && (strcmp(word, "handover=off") == 0 || blacklists_vfio(word, a)))
			off = arena_dup(a, word);
	}
	off = off ? off : target;
	return off ? arena_fmt(a, "'%s' stands on the kernel command line", off) : NULL;
}

bool needs_host(const struct pve_guest *guest, const struct profile *profile)
{
	for (int i = 0; guest && i < HOSTPCI_MAX; i++)
		if (guest->hostpci[i].present)
			return true;
	for (int phase = 0; profile && phase < PHASES; phase++)
		if (profile->n_steps[phase])
			return true;
	return false;
}
