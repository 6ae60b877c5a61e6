/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/profile.h"
#include "core/profile_parts.h"

#define VERSION_HINT "write 'handover: 1'"

static const char *const top_keys[] = {
	"handover", "name", "when-busy", "accept", "devices", "pre-start", "post-start", "pre-stop", "post-stop", "boot", NULL,
};

static const struct node *entry_find(const struct node *map, const char *key)
{
	for (const struct node *n = map->first; n; n = n->next)
		if (strcmp(n->key->text, key) == 0)
			return n;
	return NULL;
}

/* False if the profile is written in another language: then its keys mean nothing here. */
static bool version_check(struct loader *l, const struct node *top)
{
	const struct node *node = entry_find(top, "handover");
	uint64_t version;

	if (!node) {
		profile_bad(l->f, CODE_MISSING_VERSION, top->place, VERSION_HINT " in the first line",
			    "the key 'handover' is missing");
		return true;
	}
	if (!number_read(l, node, "'handover'", UINT32_MAX, VERSION_HINT, &version) || version == PROFILE_VERSION)
		return true;
	profile_bad(l->f, CODE_WRONG_VERSION, node->place, VERSION_HINT " and the keys of that version",
		    "the profile is of version %s, and only version %d is known", node->text, PROFILE_VERSION);
	return false;
}

static void name_read(struct loader *l, const struct node *node)
{
	struct word name;

	if (!word_read(l, node, "'name'", &name))
		return;
	l->p->name = name.s;
	if (!*name.s)
		profile_bad(l->f, CODE_EMPTY_NAME, name.place, "say what the profile is for, or leave the key out",
			    "'name' is empty");
	else if (strlen(name.s) > PROFILE_NAME_MAX)
		profile_bad(l->f, CODE_TOO_LONG, name.place, "say it shorter", "'name' is longer than %d bytes",
			    PROFILE_NAME_MAX);
}

/* "refuse", or "{wait: TIME}". */
static void when_busy_read(struct loader *l, const struct node *node)
{
	static const char *const verbs[] = { "wait", NULL };
	const char *remedy = "write 'refuse' or '{wait: 60s}'";
	struct word word;

	if (node->kind == NODE_MAP && !node->told && node->first && !node->first->next) {
		const struct node *time = node->first;

		if (strcmp(time->key->text, verbs[0]) != 0)
			key_bad(l, time->key, verbs, "in 'when-busy'");
		else if (word_read(l, time, "'wait'", &word) && !str_duration(word.s, PROFILE_WAIT_MAX_MS, &l->p->wait_ms))
			profile_bad(l->f, CODE_BAD_TIME, word.place,
				    arena_fmt(l->arena, "write a time such as 60s, at most %dm", PROFILE_WAIT_MAX_MS / 60000),
				    "'wait' cannot be %s", yaml_quote(l->arena, word.s));
	} else if (node->kind == NODE_WORD) {
		if (word_read(l, node, "'when-busy'", &word) && strcmp(word.s, "refuse") != 0)
			profile_bad(l->f, CODE_BAD_WHEN_BUSY, word.place, remedy, "'when-busy' cannot be %s",
				    yaml_quote(l->arena, word.s));
	} else if (!node->told) {
		profile_bad(l->f, CODE_BAD_WHEN_BUSY, node->place, remedy, "'when-busy' is one thing: refuse, or wait");
	}
}

static void keys_check(struct loader *l, const struct node *top)
{
	for (const struct node *n = top->first; n; n = n->next) {
		size_t i = 0;

		while (top_keys[i] && strcmp(top_keys[i], n->key->text) != 0)
			i++;
		if (!top_keys[i])
			key_bad(l, n->key, top_keys, "here");
	}
}

/* host.yaml is read before there is any VM, and a VM's profile when the host has long been up. */
static void boot_check(struct loader *l, const struct node *top)
{
	const struct node *boot = entry_find(top, phase_name(PHASE_BOOT)), *busy = entry_find(top, "when-busy");

	if (boot && busy)
		profile_bad(l->f, CODE_BOOT_ALONE, busy->key->place, "leave it out",
			    "'when-busy' cannot stand beside 'boot', which is done before any VM has a device");
	for (int p = 0; boot && p < HOOK_PHASES; p++) {
		const struct node *phase = entry_find(top, phase_name((enum phase)p));

		if (phase)
			profile_bad(l->f, CODE_BOOT_ALONE, phase->key->place,
				    "put 'boot' into /etc/handover/host.yaml and this into the VM's profile",
				    "'%s' cannot stand beside 'boot', which is done once, before any VM", phase->key->text);
	}
}

/* Devices first: what else there is names them, wherever it stands. */
static void top_read(struct loader *l, const struct node *top)
{
	const struct node *name, *busy, *devices, *accept;

	if (!node_is(l, top, NODE_MAP, "the profile", "its first line is 'handover: 1'") || !version_check(l, top))
		return;
	keys_check(l, top);
	boot_check(l, top);
	name = entry_find(top, "name");
	devices = entry_find(top, "devices");
	accept = entry_find(top, "accept");
	busy = entry_find(top, "when-busy");
	if (name)
		name_read(l, name);
	if (busy)
		when_busy_read(l, busy);
	if (devices && !devices_read(l, devices))
		l->names = NULL;
	if (accept)
		accepts_read(l, accept);
	for (int p = 0; p < PHASES; p++) {
		const struct node *phase = entry_find(top, phase_name((enum phase)p));

		if (phase)
			steps_read(l, phase, (enum phase)p);
	}
}

static bool is_before(const struct place *a, const struct place *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* In the order of the file, as a person goes through it; the list is short. */
static void findings_sort(struct findings *f, size_t from)
{
	for (size_t i = from + 1; i < f->n; i++) {
		struct finding finding = f->list[i];
		size_t k = i;

		for (; k > from && is_before(&finding.place, &f->list[k - 1].place); k--)
			f->list[k] = f->list[k - 1];
		f->list[k] = finding;
	}
}

static const struct node *tree_read(const char *text, size_t n, const char *file, struct findings *f)
{
	if (n > PROFILE_BYTES_MAX) {
		profile_bad(f, CODE_PROFILE_TOO_LARGE, (struct place){ file, 0, 0 }, NULL,
			    "a profile has at most %d KiB, and this one has more", PROFILE_BYTES_MAX / 1024);
		return NULL;
	}
	return yaml_tree(text, n, file, f);
}

const struct profile *profile_parse(const char *text, size_t n, const char *file, struct findings *f)
{
	size_t errors = f->errors, from = f->n;
	struct loader l = { .f = f, .arena = f->arena };
	const struct node *top;

	file = arena_dup(f->arena, file);
	top = tree_read(text, n, file, f);
	if (top) {
		l.p = arena_alloc(l.arena, sizeof(*l.p));
		l.p->file = file;
		l.names = arena_array(l.arena, PROFILE_DEVICES_MAX + 1, sizeof(*l.names));
		top_read(&l, top);
	}
	findings_sort(f, from);
	return f->errors == errors ? l.p : NULL;
}

bool profile_is_host(const struct profile *p)
{
	return p->n_steps[PHASE_BOOT] > 0;
}

const struct device_wish *profile_device(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->n_devices; i++)
		if (strcmp(p->devices[i].name, name) == 0)
			return &p->devices[i];
	return NULL;
}
