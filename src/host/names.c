/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

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

int names_parse(const char *text, struct names *names)
{
	*names = (struct names){ 0 };
	while (*text) {
		size_t n = strcspn(text, " ");
		char name[NAME_BYTES];

		if (n >= sizeof(name))
			return -EINVAL;
		memcpy(name, text, n);
		name[n] = '\0';
		if (names_add(names, name) < 0 || (text[n] && !text[n + 1]))
			return -EINVAL;
		text += n + (text[n] != '\0');
	}
	return 0;
}

ssize_t names_format(const struct names *names, char *buf, size_t size)
{
	size_t n = 0;

	if (size == 0)
		return -E2BIG;
	buf[0] = '\0';
	for (size_t i = 0; i < names->n; i++) {
		int len = snprintf(buf + n, size - n, "%s%s", i ? " " : "", names->name[i]);

		if (len < 0 || (size_t)len >= size - n)
			return -E2BIG;
		n += (size_t)len;
	}
	return (ssize_t)n;
}
