/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/findings.h"

void findings_init(struct findings *f, struct arena *arena)
{
	*f = (struct findings){
		.arena = arena,
		.list = arena_array(arena, FINDINGS_MAX, sizeof(struct finding)),
	};
}

/* Takes the last of the least grave out of the list, if it is less grave than that. */
static bool make_room(struct findings *f, enum severity severity)
{
	size_t least = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].severity <= f->list[least].severity)
			least = i;
	if (f->list[least].severity >= severity)
		return false;
	f->n--;
	memmove(&f->list[least], &f->list[least + 1], (f->n - least) * sizeof(*f->list));
	return true;
}

void finding_vadd(struct findings *f, enum severity severity, const char *code, struct place place,
		  const char *remedy, const char *what, va_list ap)
{
	f->errors += severity == SEVERITY_ERROR;
	f->warnings += severity == SEVERITY_WARNING;
	if (f->n == FINDINGS_MAX) {
		f->dropped++;
		if (!make_room(f, severity))
			return;
	}
	f->list[f->n++] = (struct finding){
		.severity = severity,
		.code = code,
		.place = place,
		.what = arena_vfmt(f->arena, what, ap),
		.remedy = remedy,
	};
}

void finding_add(struct findings *f, enum severity severity, const char *code, struct place place,
		 const char *remedy, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	finding_vadd(f, severity, code, place, remedy, what, ap);
	va_end(ap);
}

static const char *count_text(struct arena *a, const char *text, size_t n, enum severity severity)
{
	return n ? arena_fmt(a, "%s%s%zu %s%s", text, *text ? ", " : "", n, severity_name(severity), n == 1 ? "" : "s") :
	       text;
}

const char *findings_dropped(const struct findings *f, struct arena *arena)
{
	size_t shown[] = { [SEVERITY_NOTE] = 0, [SEVERITY_WARNING] = 0, [SEVERITY_ERROR] = 0 };
	size_t errors, warnings;
	const char *text;

	if (!f->dropped)
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		shown[f->list[i].severity]++;
	errors = f->errors - shown[SEVERITY_ERROR];
	warnings = f->warnings - shown[SEVERITY_WARNING];
	text = count_text(arena, "", errors, SEVERITY_ERROR);
	text = count_text(arena, text, warnings, SEVERITY_WARNING);
	text = count_text(arena, text, f->dropped - errors - warnings, SEVERITY_NOTE);
	return arena_fmt(arena, "%zu more finding%s not shown: %s", f->dropped, f->dropped == 1 ? " is" : "s are", text);
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
