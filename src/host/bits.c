/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/text.h"
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

static bool take(char *entry, void *bits)
{
	return bits_add(bits, entry, true) == 0;
}

int bits_parse(const char *text, struct bits *bits)
{
	bits->n = 0;
	return text_entries(text, " ", BIT_NAME_BYTES, take, bits);
}

ssize_t bits_format(const struct bits *bits, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < bits->n; i++) {
		if (!bits->list[i].is_on)
			continue;
		text_separate(&t, " ");
		text_add(&t, "%s", bits->list[i].name);
	}
	return text_length(&t);
}
