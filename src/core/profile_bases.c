/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a profile extends: which files it is made of, and what each of them has a say in. */
#include <string.h>

#include "base/str.h"
#include "core/action.h"
#include "core/profile_parts.h"

/* --- the files ---------------------------------------------------------------------------------------------------- */

static const struct node *tree_read(const struct base_text *text, struct findings *f)
{
	if (text->n > PROFILE_BYTES_MAX) {
		profile_bad(f, CODE_PROFILE_TOO_LARGE, (struct place){ text->file, 0, 0 }, NULL,
			    "a profile has at most %d KiB, and this one has more", PROFILE_BYTES_MAX / 1024);
		return NULL;
	}
	return yaml_tree(text->text, text->n, text->file, f);
}

/* False: there is no name of a base in it that could be looked for. */
static bool extends_read(struct loader *l, const struct node *node, struct word *word)
{
	struct word read;

	if (!word_read(l, node, "'extends'", &read) || !word_check(l, &read, "'extends'"))
		return false;
	*word = read;
	return true;
}

/* "a.yaml -> b.yaml -> a.yaml", from the file on that comes again. */
static const char *circle_shown(const struct loader *l, const struct sheets *s, size_t from)
{
	const char *text = "";

	for (size_t i = from; i < s->n; i++)
		text = arena_fmt(l->arena, "%s%s -> ", text, s->list[i].layer.file);
	return arena_fmt(l->arena, "%s%s", text, s->list[from].layer.file);
}

/* Whether what the last file extends may be the next one; if not, why has been told. */
static bool base_fits(struct loader *l, const struct sheets *s, const struct word *word, const char *file)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].layer.file, file) == 0) {
			profile_bad(l->f, CODE_EXTENDS_CIRCLE, word->place, "leave one of them out",
				    "'extends' goes round: %s", circle_shown(l, s, i));
			return false;
		}
	if (s->n < SHEETS_MAX)
		return true;
	profile_bad(l->f, CODE_TOO_MANY_BASES, word->place, "write what is needed into fewer files",
		    "'%s' is the base number %zu, and there are at most %d", word->s, s->n, PROFILE_BASES_MAX);
	return false;
}

/* The text becomes the next file. True: there is nothing wrong with it so far. */
static bool sheet_add(struct loader *l, struct sheets *s, const struct base_text *text)
{
	struct sheet *sheet = &s->list[s->n++];

	*sheet = (struct sheet){ .layer.file = text->file, .top = tree_read(text, l->f) };
	if (sheet->top && node_is(l, sheet->top, NODE_MAP, "the profile", "its first line is 'handover: 1'") &&
	    version_check(l, sheet->top))
		return true;
	sheet->top = NULL;
	return false;
}

void sheets_read(struct loader *l, const struct base_text *text, const struct bases *bases, struct sheets *s)
{
	struct base_text next = *text;
	const struct node *node;
	struct word word;

	while (sheet_add(l, s, &next)) {
		node = map_find(s->list[s->n - 1].top, "extends");
		if (!node) {
			s->whole = true;
			return;
		}
		if (!extends_read(l, node, &word))
			return;
		if (s->n == 1)
			s->extends = word;
		if (!bases || !bases->bring(bases->arg, next.file, &word, l->f, &next) || !base_fits(l, s, &word, next.file))
			return;
		next.file = arena_dup(l->arena, next.file);
	}
}

bool sheets_say(const struct sheets *s, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (s->list[i].top && map_find(s->list[i].top, key))
			return true;
	return false;
}

/* --- all in one ---------------------------------------------------------------------------------------------------- */

static void take_from_base(const struct sheets *s, size_t i, struct profile *p)
{
	const struct profile *base = &s->list[i].own;

	if (!sheets_say(s, i, "name"))
		p->name = base->name;
	if (!sheets_say(s, i, "when-busy"))
		p->wait_ms = base->wait_ms;
	if (!sheets_say(s, i, "network"))
		p->network = base->network;
	if (!sheets_say(s, i, "accept")) {
		p->accepts = base->accepts;
		p->n_accepts = base->n_accepts;
	}
	for (int k = 0; k < PROFILE_SECTIONS; k++)
		if (!sheets_say(s, i, section_name(k))) {
			p->steps[k] = base->steps[k];
			p->n_steps[k] = base->n_steps[k];
		}
}

static const struct word *find_word(const struct words *words, const char *s)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->list[i].s, s) == 0)
			return &words->list[i];
	return NULL;
}

static const struct word *find_in_step(const struct wish *w, const char *device)
{
	const struct word *found = NULL;

	for (size_t k = 0; !found && k < ACTION_FIELDS_MAX && w->action->fields[k].name; k++)
		if (w->action->fields[k].kind == FIELD_DEVICES)
			found = find_word(&w->fields[k], device);
	return found;
}

const struct word *profile_names(const struct profile *p, const char *device, bool accepts)
{
	const struct word *found = NULL;

	for (int section = 0; !found && section < PROFILE_SECTIONS; section++)
		for (size_t i = 0; !found && i < p->n_steps[section]; i++)
			found = find_in_step(&p->steps[section][i], device);
	for (size_t i = 0; accepts && !found && i < p->n_accepts; i++)
		found = find_word(&p->accepts[i].devices, device);
	return found;
}

static void gather(struct profile *p, const struct device_wish *list, size_t n, bool needed, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		if (profile_device(p, list[i].name) || (!needed && !profile_names(p, list[i].name, true)))
			continue;
		p->devices = arena_grow(a, p->devices, p->n_devices, sizeof(*p->devices));
		p->devices[p->n_devices++] = list[i];
	}
}

void profile_gather(struct profile *p, const struct host_wish *const *fits, struct arena *a)
{
	p->devices = NULL;
	p->n_devices = 0;
	for (size_t i = 0; i < p->n_layers; i++) {
		if (fits && fits[i])
			gather(p, fits[i]->devices, fits[i]->n_devices, i == 0, a);
		gather(p, p->layers[i].devices, p->layers[i].n_devices, i == 0, a);
	}
}

struct profile *sheets_merge(struct loader *l, const struct sheets *s)
{
	struct profile *p = arena_alloc(l->arena, sizeof(*p));

	*p = s->list[0].own;
	p->file = s->list[0].layer.file;
	p->extends = s->extends;
	p->layers = arena_array(l->arena, s->n, sizeof(*p->layers));
	p->n_layers = s->n;
	for (size_t i = 0; i < s->n; i++) {
		p->layers[i] = s->list[i].layer;
		if (i)
			take_from_base(s, i, p);
	}
	profile_gather(p, NULL, l->arena);
	return p;
}

const char *profile_files(const struct profile *p, struct arena *a)
{
	const char *text = p->file;

	for (size_t i = 1; i < p->n_layers; i++)
		text = arena_fmt(a, "%s, which extends %s", text, p->layers[i].file);
	return text;
}
