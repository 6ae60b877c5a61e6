/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ARENA_H
#define HANDOVER_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * An arena holds all memory of one run. Nothing in it is freed on its own; arena_free() ends it all.
 *
 * While the host is being changed the arena is sealed: nothing may need memory between two writes, because
 * running out there would leave the host half-way. Asking a sealed arena is a bug and ends the program.
 *
 * Out of memory ends the program with one line and status 1. That is safe because it can only happen before
 * the seal, when nothing has been changed.
 */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);
void arena_freep(struct arena **a);
#define _cleanup_arena_ __attribute__((cleanup(arena_freep)))

/* Zeroed memory, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* Like arena_alloc(), for n elements of size bytes; an overflow counts as out of memory. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Room for one more element: returns array itself while its n elements leave room, else a copy of it with
 * twice the room. n is the number of elements in use; start with NULL and 0.
 */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size) __attribute__((returns_nonnull));

char *arena_dup(struct arena *a, const char *s) __attribute__((malloc, returns_nonnull, nonnull));
char *arena_dupn(struct arena *a, const char *s, size_t n) __attribute__((malloc, returns_nonnull, nonnull));
/* A copy with ASCII capitals made small. */
char *arena_lower(struct arena *a, const char *s) __attribute__((malloc, returns_nonnull, nonnull));
char *arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), malloc, returns_nonnull));
char *arena_vfmt(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0), malloc, returns_nonnull));

/* While sealed, asking for memory is a bug. */
void arena_seal(struct arena *a, bool sealed);

/* Bytes given out so far, for tests and limits. */
size_t arena_used(const struct arena *a);

#endif
