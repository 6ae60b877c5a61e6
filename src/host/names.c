/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "host/names.h"

static bool is_name(const char *name)
{
	size_t n = strlen(name);

	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	return n > 0 && n < NAME_BYTES;
}

int names_add(struct names *names, const char *name)
{
	size_t at = names->n;

	if (!is_name(name) || names->n == NAMES_MAX || names_has(names, name))
		return -EINVAL;
	for (; at > 0 && strcmp(names->name[at - 1], name) > 0; at--)
		memcpy(names->name[at], names->name[at - 1], NAME_BYTES);
	strcpy(names->name[at], name);
	names->n++;
	return 0;
}

bool names_has(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}

static bool take(char *entry, void *names)
{
	return names_add(names, entry) == 0;
}

int names_parse(const char *text, struct names *names)
{
	*names = (struct names){ 0 };
	return text_entries(text, " ", NAME_BYTES, take, names);
}

ssize_t names_format(const struct names *names, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < names->n; i++) {
		text_separate(&t, " ");
		text_add(&t, "%s", names->name[i]);
	}
	return text_length(&t);
}
