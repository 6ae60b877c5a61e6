/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_FINDINGS_H
#define HANDOVER_FINDINGS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* A place in a file a person wrote. line and column count from 1; 0 = the file as a whole; file NULL = nowhere. */
struct place {
	const char *file;
	unsigned line, column;
};

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

/* One thing a person is told. All strings belong to the arena of the list, or are constants. */
struct finding {
	enum severity severity;
	const char *code;	/* stable, lower-case-with-dashes: what scripts and man pages name it by */
	struct place place;
	const char *what;	/* what is wrong, of what, why: lower case, no full stop */
	const char *remedy;	/* what to write or do instead; NULL if there is nothing to be done */
};

#define FINDINGS_MAX 64

/*
 * What a run has to tell. After FINDINGS_MAX findings the rest is only counted: a profile that is wrong everywhere is
 * told often enough by then. But what is graver takes the place of what is less so: no refusal is without its reason
 * because there are many notes.
 */
struct findings {
	struct arena *arena;
	struct finding *list;
	size_t n;		/* in list */
	size_t dropped;		/* more than fitted */
	size_t errors, warnings;	/* of that severity, dropped ones included */
};

void findings_init(struct findings *f, struct arena *arena);

/* what is a format; remedy is plain text, or NULL if there is none: make it with arena_fmt() where it must vary. */
void finding_add(struct findings *f, enum severity severity, const char *code, struct place place,
		 const char *remedy, const char *what, ...) __attribute__((format(printf, 6, 7), nonnull(1, 3, 6)));
void finding_vadd(struct findings *f, enum severity severity, const char *code, struct place place,
		  const char *remedy, const char *what, va_list ap) __attribute__((format(printf, 6, 0), nonnull(1, 3, 6)));

/* "3 more findings are not shown: 1 error, 2 notes"; NULL: all are in the list. */
const char *findings_dropped(const struct findings *f, struct arena *arena);

/* "note", "warning", "error". */
const char *severity_name(enum severity s);

/* "FILE:LINE:COLUMN: error: WHAT; REMEDY [CODE]", without newline; the place as far as it is known. */
const char *finding_line(const struct finding *f, struct arena *arena);

#endif
