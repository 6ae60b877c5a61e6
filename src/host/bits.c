/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/bits.h"

static bool is_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == ',')
			return false;
	return *name && strlen(name) < BIT_NAME_BYTES;
}

bool bits_know(const struct bits *bits, const char *name)
{
	for (size_t i = 0; i < bits->n; i++)
		if (strcmp(bits->list[i].name, name) == 0)
			return true;
	return false;
}

bool bits_have(const struct bits *bits, const char *name)
{
	for (size_t i = 0; i < bits->n; i++)
		if (strcmp(bits->list[i].name, name) == 0)
			return bits->list[i].is_on;
	return false;
}

int bits_add(struct bits *bits, const char *name, bool is_on)
{
	if (!is_name(name) || bits->n == BITS_MAX || bits_know(bits, name))
		return -EINVAL;
	strcpy(bits->list[bits->n].name, name);
	bits->list[bits->n++].is_on = is_on;
	return 0;
}

int bits_parse(const char *text, struct bits *bits)
{
	bits->n = 0;
	while (*text) {
		size_t n = strcspn(text, " ");
		char name[BIT_NAME_BYTES];

		if (n >= sizeof(name))
			return -EINVAL;
		memcpy(name, text, n);
		name[n] = '\0';
		if (bits_add(bits, name, true) < 0 || (text[n] && !text[n + 1]))
			return -EINVAL;
		text += n + (text[n] != '\0');
	}
	return 0;
}

ssize_t bits_format(const struct bits *bits, char *buf, size_t size)
{
	size_t n = 0;

	if (size == 0)
		return -E2BIG;
	buf[0] = '\0';
	for (size_t i = 0; i < bits->n; i++) {
		int len;

		if (!bits->list[i].is_on)
			continue;
		len = snprintf(buf + n, size - n, "%s%s", n ? " " : "", bits->list[i].name);
		if (len < 0 || (size_t)len >= size - n)
			return -E2BIG;
		n += (size_t)len;
	}
	return (ssize_t)n;
}
