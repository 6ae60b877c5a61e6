/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"

struct text text_begin(char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size, .is_full = size == 0 };
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (t->is_full)
		return;
	va_start(ap, fmt);
	len = vsnprintf(t->buf + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= t->size - t->n)
		t->is_full = true;
	else
		t->n += (size_t)len;
}

void text_separate(struct text *t, const char *separator)
{
	if (t->n)
		text_add(t, "%s", separator);
}

ssize_t text_length(const struct text *t)
{
	return t->is_full ? -E2BIG : (ssize_t)t->n;
}

int text_entries(const char *text, const char *separator, size_t size, bool (*take)(char *entry, void *arg), void *arg)
{
	const char begin[2] = { *separator, '\0' };
	char entry[TEXT_ENTRY_BYTES];

	while (*text) {
		size_t n = strcspn(text, begin);

		if (n >= size)
			return -EINVAL;
		memcpy(entry, text, n);
		entry[n] = '\0';
		if (!take(entry, arg))
			return -EINVAL;
		text += n;
		if (*text && (!str_starts(text, separator) || !text[strlen(separator)]))
			return -EINVAL;
		text += *text ? strlen(separator) : 0;
	}
	return 0;
}
