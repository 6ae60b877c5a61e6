/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/profile.h"
#include "core/profile_parts.h"

#define VERSION_HINT "write 'handover: 1'"

static const char *const top_keys[] = {
	"handover", "name", "extends", "when-busy", "network", "after-network", "accept", "devices", "hosts", "pre-start",
	"post-start", "pre-stop", "post-stop", "boot", NULL,
};

const char *section_name(int section)
{
	return section == AFTER_NETWORK ? "after-network" : phase_name((enum phase)section);
}

bool version_check(struct loader *l, const struct node *top)
{
	const struct node *node = map_find(top, "handover");
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
	const char *hint = arena_fmt(l->arena, "write a time such as 60s, at most %dm", PROFILE_WAIT_MAX_MS / 60000);
	struct word word;

	if (node->kind == NODE_MAP && !node->told && node->first && !node->first->next) {
		const struct node *time = node->first;

		if (strcmp(time->key->text, verbs[0]) != 0)
			key_bad(l, time->key, verbs, "in 'when-busy'");
		else if (word_read_or(l, time, "'wait'", hint, &word) && !str_duration(word.s, PROFILE_WAIT_MAX_MS, &l->p->wait_ms))
			profile_bad(l->f, CODE_BAD_TIME, word.place, hint, "'wait' cannot be %s", yaml_quote(l->arena, word.s));
	} else if (node->kind == NODE_WORD) {
		if (word_read(l, node, "'when-busy'", &word) && strcmp(word.s, "refuse") != 0)
			profile_bad(l->f, CODE_BAD_WHEN_BUSY, word.place, remedy, "'when-busy' cannot be %s",
				    yaml_quote(l->arena, word.s));
	} else if (!node->told) {
		profile_bad(l->f, CODE_BAD_WHEN_BUSY, node->place, remedy, "'when-busy' is one thing: refuse, or wait");
	}
}

static void network_read(struct loader *l, const struct node *node)
{
	static const char *const words[] = {
		[NETWORK_RESTORE] = "restore", [NETWORK_IFRELOAD] = "ifreload", [NETWORK_NONE] = "none", NULL,
	};
	struct word word;

	if (!word_read(l, node, "'network'", &word))
		return;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], word.s) == 0) {
			l->p->network = (enum network)i;
			return;
		}
	profile_bad(l->f, CODE_BAD_NETWORK, word.place, words_hint(l, word.s, words, "write"), "'network' cannot be %s",
		    yaml_quote(l->arena, word.s));
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
	const struct node *busy = map_find(top, "when-busy"), *after = map_find(top, section_name(AFTER_NETWORK));

	if (busy)
		profile_bad(l->f, CODE_BOOT_ALONE, busy->key->place, "leave it out",
			    "'when-busy' cannot stand beside 'boot', which is done before any VM has a device");
	if (after)
		profile_bad(l->f, CODE_BOOT_ALONE, after->key->place,
			    "leave it out; a unit that needs the network has 'After=network-online.target'",
			    "'%s' cannot stand beside 'boot', which is done before there is a network", after->key->text);
	for (int p = 0; p < HOOK_PHASES; p++) {
		const struct node *phase = map_find(top, phase_name((enum phase)p));

		if (phase)
			profile_bad(l->f, CODE_BOOT_ALONE, phase->key->place,
				    "put 'boot' into /etc/handover/host.yaml and this into the VM's profile",
				    "'%s' cannot stand beside 'boot', which is done once, before any VM", phase->key->text);
	}
}

/* Which devices there are: what else there is names them, wherever it stands, in whichever file. */
static void names_read(struct loader *l, struct sheet *s)
{
	const struct node *devices = map_find(s->top, "devices"), *hosts = map_find(s->top, "hosts");

	l->p = &s->own;
	l->layer = &s->layer;
	if (devices)
		devices_read(l, devices);
	s->layer.devices = s->own.devices;
	s->layer.n_devices = s->own.n_devices;
	if (hosts)
		hosts_read(l, hosts);
}

static void rest_read(struct loader *l, struct sheet *s)
{
	const struct node *name = map_find(s->top, "name"), *accept = map_find(s->top, "accept");
	const struct node *busy = map_find(s->top, "when-busy"), *network = map_find(s->top, "network");

	l->p = &s->own;
	if (name)
		name_read(l, name);
	if (busy)
		when_busy_read(l, busy);
	if (network)
		network_read(l, network);
	if (accept)
		accepts_read(l, accept);
	for (int section = 0; section < PROFILE_SECTIONS; section++) {
		const struct node *steps = map_find(s->top, section_name(section));

		if (steps)
			steps_read(l, steps, section);
	}
}

/* Of the files, each that could be read to its end. */
static struct sheet *sheet_at(struct sheets *s, size_t i)
{
	return s->list[i].top ? &s->list[i] : NULL;
}

static void all_read(struct loader *l, struct sheets *s)
{
	struct sheet *sheet;

	for (size_t i = 0; i < s->n && (sheet = sheet_at(s, i)); i++) {
		keys_check(l, sheet->top);
		if (sheets_say(s, s->n, phase_name(PHASE_BOOT)))
			boot_check(l, sheet->top);
		names_read(l, sheet);
	}
	if (!s->whole)
		l->names = NULL;
	for (size_t i = 0; i < s->n && (sheet = sheet_at(s, i)); i++)
		rest_read(l, sheet);
}

/* The key in the first file that has it, or NULL. */
static const struct node *find_first(struct sheets *s, const char *key)
{
	const struct node *found = NULL;
	struct sheet *sheet;

	for (size_t i = 0; i < s->n && !found && (sheet = sheet_at(s, i)); i++)
		found = map_find(sheet->top, key);
	return found;
}

/* One may be a base's, and the other of who extends it. */
static void after_network_check(struct loader *l, struct sheets *s, const struct profile *p)
{
	const struct node *after = find_first(s, section_name(AFTER_NETWORK)), *network = find_first(s, "network");
	const char *of = "";

	if (p->network != NETWORK_NONE || p->n_steps[AFTER_NETWORK] == 0)
		return;
	if (!str_same(after->place.file, network->place.file))
		of = arena_fmt(l->arena, " of %s", network->place.file);
	profile_bad(l->f, CODE_AFTER_NETWORK_NONE, after->key->place,
		    "leave one of the two out, or write 'after-network: []'",
		    "'after-network' cannot stand beside 'network: none'%s: nobody looks then whether an interface comes "
		    "back", of);
}

/* The first of the files of a profile comes first; what is of none, last. */
static size_t file_order(const struct sheets *s, const char *file)
{
	size_t i = 0;

	while (i < s->n && !str_same(s->list[i].layer.file, file))
		i++;
	return i;
}

static bool is_before(const struct sheets *s, const struct place *a, const struct place *b)
{
	size_t x = file_order(s, a->file), y = file_order(s, b->file);

	if (x != y)
		return x < y;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* In the order of the files, as a person goes through them; the list is short. */
static void findings_sort(struct findings *f, size_t from, const struct sheets *s)
{
	for (size_t i = from + 1; i < f->n; i++) {
		struct finding finding = f->list[i];
		size_t k = i;

		for (; k > from && is_before(s, &finding.place, &f->list[k - 1].place); k--)
			f->list[k] = f->list[k - 1];
		f->list[k] = finding;
	}
}

const struct profile *profile_parse_with(const char *text, size_t n, const char *file, const struct bases *bases,
					 struct findings *f)
{
	size_t errors = f->errors, from = f->n;
	struct loader l = { .f = f, .arena = f->arena };
	struct base_text first = { arena_dup(f->arena, file), text, n };
	struct sheets *s = arena_alloc(f->arena, sizeof(*s));
	const struct profile *p;

	l.names = arena_array(l.arena, PROFILE_DEVICES_MAX + 1, sizeof(*l.names));
	sheets_read(&l, &first, bases, s);
	all_read(&l, s);
	p = sheets_merge(&l, s);
	after_network_check(&l, s, p);
	findings_sort(f, from, s);
	return f->errors == errors ? p : NULL;
}

const struct profile *profile_parse(const char *text, size_t n, const char *file, struct findings *f)
{
	return profile_parse_with(text, n, file, NULL, f);
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
