/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/action.h"
#include "core/profile.h"
#include "core/pveprops.h"

/*
 * Any bytes are a profile or a list of errors, and never both. A profile that loads keeps what profile.h promises, and
 * written again it is the same, as it is with a comment behind it. What is said about the rest stays one line of
 * printable text, tells where, and comes in the order of the file.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static void touch_words(const struct profile *p, const struct words *words, enum field_kind kind)
{
	size_t most = kind == FIELD_COMMAND ? PROFILE_COMMAND_MAX : PROFILE_WORD_MAX;

	require(words->n <= PROFILE_WORDS_MAX);
	for (size_t i = 0; i < words->n; i++) {
		const struct word *w = &words->list[i];

		require(strlen(w->s) <= most && w->place.line && w->place.column);
		if (kind == FIELD_DEVICES)
			require(profile_device(p, w->s) != NULL);
	}
}

static void touch_device(const struct profile *p, const struct device_wish *w)
{
	require(profile_device(p, w->name) == w && w->place.line);
	require(w->id.s || w->at.s || w->hostpci >= 0 || w->mapping.s);
	require(w->hostpci >= -1 && w->hostpci < 16);
	require(!w->id.s || strlen(w->id.s) == 9 || strlen(w->id.s) == 19);
	require(!w->at.s || strlen(w->at.s) >= 5);
	require(!w->mapping.s || props_is_mapping(w->mapping.s));
}

static void touch_profile(const struct profile *p)
{
	require(!p->name || strlen(p->name) <= PROFILE_NAME_MAX);
	require(p->n_devices <= PROFILE_DEVICES_MAX);
	for (size_t i = 0; i < p->n_devices; i++)
		touch_device(p, &p->devices[i]);
	for (size_t i = 0; i < p->n_accepts; i++) {
		require(strlen(p->accepts[i].code) > 0);
		touch_words(p, &p->accepts[i].devices, FIELD_DEVICES);
	}
	for (int phase = 0; phase < PHASES; phase++) {
		require(p->n_steps[phase] <= PROFILE_STEPS_MAX);
		for (size_t i = 0; i < p->n_steps[phase]; i++) {
			const struct wish *w = &p->steps[phase][i];

			require(w->phase == (enum phase)phase && (w->action->phases & PHASE_BIT(phase)));
			for (size_t k = 0; w->action->fields[k].name; k++)
				touch_words(p, &w->fields[k], w->action->fields[k].kind);
		}
	}
}

/* --- once more --------------------------------------------------------------------------------------------------- */

static void require_same_words(const struct words *x, const struct words *y)
{
	require(x->n == y->n && str_same(x->verb.s, y->verb.s));
	for (size_t i = 0; i < x->n; i++)
		require(strcmp(x->list[i].s, y->list[i].s) == 0);
}

static void require_same(const struct profile *x, const struct profile *y)
{
	require(y && str_same(x->name, y->name) && x->n_devices == y->n_devices && x->n_accepts == y->n_accepts);
	for (size_t i = 0; i < x->n_devices; i++) {
		const struct device_wish *v = &x->devices[i], *w = &y->devices[i];

		require(strcmp(v->name, w->name) == 0 && str_same(v->id.s, w->id.s) && str_same(v->at.s, w->at.s) &&
			v->functions_all == w->functions_all && v->hostpci == w->hostpci &&
			str_same(v->mapping.s, w->mapping.s));
	}
	for (size_t i = 0; i < x->n_accepts; i++) {
		require(strcmp(x->accepts[i].code, y->accepts[i].code) == 0);
		require_same_words(&x->accepts[i].devices, &y->accepts[i].devices);
	}
	for (int phase = 0; phase < PHASES; phase++) {
		require(x->n_steps[phase] == y->n_steps[phase]);
		for (size_t i = 0; i < x->n_steps[phase]; i++) {
			const struct wish *v = &x->steps[phase][i], *w = &y->steps[phase][i];

			require(v->action == w->action);
			for (size_t k = 0; v->action->fields[k].name; k++)
				require_same_words(&v->fields[k], &w->fields[k]);
		}
	}
}

static void put_text(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', out);
		putc(*s, out);
	}
	putc('"', out);
}

static void put_words(FILE *out, const char *key, const struct words *words)
{
	put_text(out, key);
	fputs(words->verb.s ? ": {" : ": ", out);
	if (words->verb.s)
		put_text(out, words->verb.s);
	fputs(words->verb.s ? ": [" : "[", out);
	for (size_t i = 0; i < words->n; i++) {
		fputs(i ? ", " : "", out);
		put_text(out, words->list[i].s);
	}
	fputs(words->verb.s ? "]}, " : "], ", out);
}

static void put_device(FILE *out, const struct device_wish *w)
{
	put_text(out, w->name);
	fputs(": {", out);
	if (w->id.s)
		fprintf(out, "id: \"%s\", ", w->id.s);
	if (w->at.s)
		fprintf(out, "at: \"%s\", ", w->at.s);
	if (w->functions_all)
		fputs("functions: all, ", out);
	if (w->hostpci >= 0)
		fprintf(out, "hostpci: %d, ", w->hostpci);
	if (w->mapping.s)
		fprintf(out, "mapping: \"%s\"", w->mapping.s);
	fputs("}, ", out);
}

static void put_profile(FILE *out, const struct profile *p)
{
	fprintf(out, "handover: %d\n", PROFILE_VERSION);
	if (p->name) {
		fputs("name: ", out);
		put_text(out, p->name);
	}
	fputs("\ndevices: {", out);
	for (size_t i = 0; i < p->n_devices; i++)
		put_device(out, &p->devices[i]);
	fputs("}\naccept: {", out);
	for (size_t i = 0; i < p->n_accepts; i++)
		put_words(out, p->accepts[i].code, &p->accepts[i].devices);
	fputs("}\n", out);
	for (int phase = 0; phase < PHASES; phase++) {
		if (p->n_steps[phase])
			fprintf(out, "%s:\n", phase_name((enum phase)phase));
		for (size_t i = 0; i < p->n_steps[phase]; i++) {
			const struct wish *w = &p->steps[phase][i];

			fputs("- {", out);
			for (size_t k = 0; w->action->fields[k].name; k++)
				if (w->fields[k].n)
					put_words(out, w->action->fields[k].name, &w->fields[k]);
			fputs("}\n", out);
		}
	}
}

static void require_again(const struct profile *p, const char *text, size_t n)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct findings f;

	if (n > PROFILE_BYTES_MAX)
		return;
	findings_init(&f, arena);
	require_same(p, profile_parse(text, n, "again.yaml", &f));
}

static void write_and_read(const struct profile *p)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	require(out != NULL);
	put_profile(out, p);
	require(fclose(out) == 0);
	require_again(p, text, n);
	free(text);
}

static void read_with_comment(const struct profile *p, const char *data, size_t n)
{
	static const char comment[] = "\n# comment\n";
	char *text = malloc(n + sizeof(comment));

	require(text != NULL);
	memcpy(text, data, n);
	memcpy(text + n, comment, sizeof(comment));
	require_again(p, text, n + strlen(comment));
	free(text);
}

/* --- what is said ------------------------------------------------------------------------------------------------- */

static bool is_before(const struct place *a, const struct place *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void touch_finding(const struct finding *finding, struct arena *arena)
{
	const char *line = finding_line(finding, arena);

	require(finding->code != NULL && strlen(line) < 4096);
	require(finding->place.line && finding->place.column);
	for (; *line; line++)
		require((unsigned char)*line >= 0x20 && *line != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct profile *p;
	struct findings f;

	findings_init(&f, arena);
	p = profile_parse((const char *)data, n, "fuzz.yaml", &f);
	require((p != NULL) == (f.errors == 0) && (p != NULL) == (f.n == 0));
	require(f.n + f.dropped == f.errors);
	if (p) {
		touch_profile(p);
		write_and_read(p);
		read_with_comment(p, (const char *)data, n);
	}
	for (size_t i = 0; i < f.n; i++) {
		touch_finding(&f.list[i], arena);
		require(i == 0 || !is_before(&f.list[i].place, &f.list[i - 1].place));
	}
	return 0;
}
