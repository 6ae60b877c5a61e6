/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/action.h"
#include "core/profile.h"
#include "core/profile_codes.h"
#include "core/pveprops.h"

/*
 * Any bytes are a profile or a list of errors, and never both. A profile that loads keeps what profile.h promises, and
 * written again it is the same, as it is with a comment behind it. What is said about the rest stays one line of
 * printable text, tells where, and comes in the order of the file. Where a line "#base NAME" stands, what follows is what
 * the text before it may extend by that name, up to the next such line; so it is read too.
 */
#define BASE_LINE "\n#base "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static bool has_device(const struct device_wish *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

/* Whether a device of that name is found on some host, or may be in a base that was not looked for. */
static bool is_known(const struct profile *p, const char *name)
{
	if (p->extends.s && p->n_layers == 1)
		return true;
	for (size_t i = 0; i < p->n_layers; i++) {
		const struct layer *l = &p->layers[i];

		if (has_device(l->devices, l->n_devices, name))
			return true;
		for (size_t k = 0; k < l->n_hosts; k++)
			if (has_device(l->hosts[k].devices, l->hosts[k].n_devices, name))
				return true;
	}
	return false;
}

static void touch_words(const struct profile *p, const struct words *words, enum field_kind kind)
{
	size_t most = kind == FIELD_COMMAND ? PROFILE_COMMAND_MAX : kind == FIELD_UNITS ? STR_UNIT_MAX : PROFILE_WORD_MAX;

	require(words->n <= PROFILE_WORDS_MAX);
	for (size_t i = 0; i < words->n; i++) {
		const struct word *w = &words->list[i];

		require(strlen(w->s) <= most && w->place.line && w->place.column);
		if (kind == FIELD_DEVICES)
			require(is_known(p, w->s));
	}
}

static void touch_device(const struct device_wish *w)
{
	require(w->place.line && strlen(w->name) > 0);
	require(w->id.s || w->at.s || w->hostpci >= 0 || w->mapping.s || w->usb.s);
	require(!w->usb.s || str_is_usb_id(w->usb.s) || str_is_usb_port(w->usb.s));
	require(w->hostpci >= -1 && w->hostpci < 16);
	require(!w->id.s || strlen(w->id.s) == 9 || strlen(w->id.s) == 19);
	require(!w->at.s || strlen(w->at.s) >= 5);
	require(!w->mapping.s || props_is_mapping(w->mapping.s));
}

static void touch_layer(const struct layer *l)
{
	require(l->file != NULL && l->n_devices <= PROFILE_DEVICES_MAX && l->n_hosts <= PROFILE_HOSTS_MAX);
	for (size_t i = 0; i < l->n_devices; i++)
		touch_device(&l->devices[i]);
	for (size_t i = 0; i < l->n_hosts; i++) {
		const struct host_wish *w = &l->hosts[i];

		require(w->words.n > 0 && w->words.n <= PROFILE_WORDS_MAX && w->key < HOST_KEYS && w->place.line);
		for (size_t k = 0; k < w->words.n; k++)
			require(*w->words.list[k].s && strlen(w->words.list[k].s) <= PROFILE_DMI_MAX);
		for (size_t k = 0; k < w->n_devices; k++)
			touch_device(&w->devices[k]);
	}
}

static void touch_profile(const struct profile *p)
{
	require(p->n_layers > 0 && p->n_layers <= PROFILE_BASES_MAX + 1);
	require(!p->extends.s || str_is_word(p->extends.s, PROFILE_WORD_MAX));
	for (size_t i = 0; i < p->n_layers; i++)
		touch_layer(&p->layers[i]);
	require(!p->name || strlen(p->name) <= PROFILE_NAME_MAX);
	require(p->n_devices <= PROFILE_DEVICES_MAX);
	for (size_t i = 0; i < p->n_devices; i++)
		require(profile_device(p, p->devices[i].name) == &p->devices[i]);
	for (size_t i = 0; i < p->n_accepts; i++) {
		require(strlen(p->accepts[i].code) > 0);
		touch_words(p, &p->accepts[i].devices, FIELD_DEVICES);
	}
	require(p->network != NETWORK_NONE || p->n_steps[AFTER_NETWORK] == 0);
	for (int section = 0; section < PROFILE_SECTIONS; section++) {
		require(p->n_steps[section] <= PROFILE_STEPS_MAX);
		for (size_t i = 0; i < p->n_steps[section]; i++) {
			const struct wish *w = &p->steps[section][i];

			require((section == AFTER_NETWORK || w->phase == (enum phase)section) &&
				(w->action->phases & PHASE_BIT(section)));
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

static void require_same_devices(const struct device_wish *v, size_t n, const struct device_wish *w, size_t m)
{
	require(n == m);
	for (; n > 0; n--, v++, w++)
		require(strcmp(v->name, w->name) == 0 && str_same(v->id.s, w->id.s) && str_same(v->at.s, w->at.s) &&
			v->functions_all == w->functions_all && v->hostpci == w->hostpci && str_same(v->usb.s, w->usb.s) &&
			str_same(v->mapping.s, w->mapping.s));
}

static void require_same_hosts(const struct layer *x, const struct layer *y)
{
	require(x->n_hosts == y->n_hosts);
	for (size_t i = 0; i < x->n_hosts; i++) {
		const struct host_wish *v = &x->hosts[i], *w = &y->hosts[i];

		require(v->key == w->key);
		require_same_words(&v->words, &w->words);
		require_same_devices(v->devices, v->n_devices, w->devices, w->n_devices);
	}
}

static void require_same(const struct profile *x, const struct profile *y)
{
	require(y && str_same(x->name, y->name) && x->n_accepts == y->n_accepts && str_same(x->extends.s, y->extends.s));
	require_same_devices(x->devices, x->n_devices, y->devices, y->n_devices);
	require_same_hosts(x->layers, y->layers);
	for (size_t i = 0; i < x->n_accepts; i++) {
		require(strcmp(x->accepts[i].code, y->accepts[i].code) == 0);
		require_same_words(&x->accepts[i].devices, &y->accepts[i].devices);
	}
	for (int section = 0; section < PROFILE_SECTIONS; section++) {
		require(x->n_steps[section] == y->n_steps[section]);
		for (size_t i = 0; i < x->n_steps[section]; i++) {
			const struct wish *v = &x->steps[section][i], *w = &y->steps[section][i];

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
		fprintf(out, "mapping: \"%s\", ", w->mapping.s);
	if (w->usb.s)
		fprintf(out, "usb: \"%s\"", w->usb.s);
	fputs("}, ", out);
}

static void put_hosts(FILE *out, const struct layer *l)
{
	if (l->n_hosts)
		fputs("hosts:\n", out);
	for (size_t i = 0; i < l->n_hosts; i++) {
		const struct host_wish *w = &l->hosts[i];

		fputs("- {", out);
		put_words(out, profile_host_keys[w->key], &w->words);
		fputs("devices: {", out);
		for (size_t k = 0; k < w->n_devices; k++)
			put_device(out, &w->devices[k]);
		fputs("}}\n", out);
	}
}

static void put_profile(FILE *out, const struct profile *p)
{
	fprintf(out, "handover: %d\n", PROFILE_VERSION);
	if (p->name) {
		fputs("name: ", out);
		put_text(out, p->name);
	}
	if (p->extends.s) {
		fputs("\nextends: ", out);
		put_text(out, p->extends.s);
	}
	fputs("\ndevices: {", out);
	for (size_t i = 0; i < p->n_devices; i++)
		put_device(out, &p->devices[i]);
	fputs("}\naccept: {", out);
	for (size_t i = 0; i < p->n_accepts; i++)
		put_words(out, p->accepts[i].code, &p->accepts[i].devices);
	fputs("}\n", out);
	put_hosts(out, p->layers);
	for (int section = 0; section < PROFILE_SECTIONS; section++) {
		if (p->n_steps[section])
			fprintf(out, "%s:\n", section_name(section));
		for (size_t i = 0; i < p->n_steps[section]; i++) {
			const struct wish *w = &p->steps[section][i];

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

/* --- what it extends ----------------------------------------------------------------------------------------------- */

struct input {
	const char *text;
	size_t n;
};

static bool bring(void *arg, const char *file, const struct word *word, struct findings *f, struct base_text *base)
{
	const struct input *in = arg;
	const char *end = in->text + in->n;
	size_t length = strlen(word->s);

	require(file && str_is_word(word->s, PROFILE_WORD_MAX));
	for (const char *at = in->text; (at = memmem(at, (size_t)(end - at), BASE_LINE, strlen(BASE_LINE))) != NULL;) {
		const char *name = at + strlen(BASE_LINE), *text = name + length + 1, *next;

		at = name;
		if ((size_t)(end - name) <= length || memcmp(name, word->s, length) != 0 || name[length] != '\n')
			continue;
		/* The newline belongs to what is next, too. */
		next = memmem(text - 1, (size_t)(end - text) + 1, BASE_LINE, strlen(BASE_LINE));
		next = !next ? end : next < text ? text : next;
		*base = (struct base_text){ arena_fmt(f->arena, "%s.yaml", word->s), text, (size_t)(next - text) };
		return true;
	}
	profile_bad(f, CODE_BASE_MISSING, word->place, NULL, "there is none");
	return false;
}

static void read_with_bases(const char *data, size_t n)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct input in = { data, n };
	const struct bases bases = { bring, &in };
	const char *first = memmem(data, n, BASE_LINE, strlen(BASE_LINE));
	const struct profile *p;
	struct findings f;

	if (!first)
		return;
	findings_init(&f, arena);
	p = profile_parse_with(data, (size_t)(first - data), "fuzz.yaml", &bases, &f);
	require((p != NULL) == (f.errors == 0) && f.n + f.dropped == f.errors);
	if (p)
		touch_profile(p);
	for (size_t i = 0; i < f.n; i++)
		touch_finding(&f.list[i], arena);
	if (p)
		require(strlen(profile_files(p, arena)) > 0 && (p->n_layers > 1) == (p->extends.s != NULL));
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
	read_with_bases((const char *)data, n);
	for (size_t i = 0; i < f.n; i++) {
		touch_finding(&f.list[i], arena);
		require(i == 0 || !is_before(&f.list[i].place, &f.list[i - 1].place));
	}
	return 0;
}
