/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

#define BLOCK_SIZE ((size_t)64 * 1024)
#define ALIGNMENT _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t size, used;
	max_align_t data[];
};

struct arena {
	struct block *blocks;
	size_t used;
	bool sealed;
};

static void *memory_or_die(void *p)
{
	static const char line[] = "handover: out of memory; nothing was changed\n";

	if (p)
		return p;
	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	_exit(1);
}

struct arena *arena_new(void)
{
	return memory_or_die(calloc(1, sizeof(struct arena)));
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->blocks;

	assert(!a->sealed);
	if (size > SIZE_MAX / 2)
		memory_or_die(NULL);
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = memory_or_die(calloc(1, sizeof(*b) + room));
		b->size = room;
		b->next = a->blocks;
		a->blocks = b;
	}
	b->used += size;
	a->used += size;
	return (char *)b->data + b->used - size;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		memory_or_die(NULL);
	return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
	void *bigger;

	/* Room is always a power of two, so it is used up exactly when n is one (or nothing was given yet). */
	if (array && (n < 4 || (n & (n - 1))))
		return array;
	bigger = arena_array(a, n < 4 ? 4 : n * 2, size);
	if (array && n)
		memcpy(bigger, array, n * size);
	return bigger;
}

char *arena_dupn(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *arena_dup(struct arena *a, const char *s)
{
	return arena_dupn(a, s, strlen(s));
}

char *arena_lower(struct arena *a, const char *s)
{
	char *copy = arena_dup(a, s);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		memory_or_die(NULL);
	text = arena_alloc(a, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	return text;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return text;
}

void arena_seal(struct arena *a, bool sealed)
{
	a->sealed = sealed;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
