/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>

#include "base/findings.h"

void findings_init(struct findings *f, struct arena *arena)
{
	*f = (struct findings){
		.arena = arena,
		.list = arena_array(arena, FINDINGS_MAX, sizeof(struct finding)),
	};
}

void finding_add(struct findings *f, enum severity severity, const char *code, struct place place,
		 const char *remedy, const char *what, ...)
{
	va_list ap;

	if (severity == SEVERITY_ERROR)
		f->errors++;
	if (f->n == FINDINGS_MAX) {
		f->dropped++;
		return;
	}
	va_start(ap, what);
	f->list[f->n++] = (struct finding){
		.severity = severity,
		.code = code,
		.place = place,
		.what = arena_vfmt(f->arena, what, ap),
		.remedy = remedy,
	};
	va_end(ap);
}

const char *severity_name(enum severity s)
{
	switch (s) {
	case SEVERITY_NOTE:
		return "note";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_ERROR:
		return "error";
	}
	return "?";
}

static const char *place_text(struct place p, struct arena *arena)
{
	if (!p.file)
		return "";
	if (!p.line)
		return arena_fmt(arena, "%s: ", p.file);
	return arena_fmt(arena, "%s:%u:%u: ", p.file, p.line, p.column);
}

const char *finding_line(const struct finding *f, struct arena *arena)
{
	return arena_fmt(arena, "%s%s: %s%s%s [%s]", place_text(f->place, arena), severity_name(f->severity),
			 f->what, f->remedy ? "; " : "", f->remedy ? f->remedy : "", f->code);
}
