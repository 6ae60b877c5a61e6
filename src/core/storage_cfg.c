/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/storage_cfg.h"

#define SNIPPETS "snippets"
#define BLANKS " \t\r\f\v"	/* what Perl's \s is within a line */
#define COMMAS ",; \t\r\f\v"	/* pve-common, PVE/Tools.pm, split_list() */

/*
 * Types that keep files in a folder. What Proxmox takes for the same on all nodes (Plugin.pm, SHARED_STORAGE) it also
 * mounts there.
 */
static const struct kind {
	const char *type;
	bool shared;
} kinds[] = {
	{ "dir", false }, { "btrfs", false }, { "nfs", true },
	{ "cifs", true }, { "cephfs", true }, { "glusterfs", true },
};

static const struct kind *find_kind(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

/* pve-common, PVE/JSONSchema.pm, parse_storage_id(). */
static bool is_id(const char *s)
{
	size_t n = strlen(s);

	if (n < 2 || !isalpha((unsigned char)*s) || !isalnum((unsigned char)s[n - 1]))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_.", *s))
			return false;
	return true;
}

/* --- a section --------------------------------------------------------------------------------------------------- */

/* What a section says, as it stands there. */
struct section {
	const char *type, *id;
	const char *path, *dirs, *nodes, *mountpoint, *content, *shared, *disable;
};

static const char **value_of(struct section *s, const char *key)
{
	const struct {
		const char *key, **value;
	} known[] = {
		{ "path", &s->path }, { "content-dirs", &s->dirs }, { "nodes", &s->nodes },
		{ "is_mountpoint", &s->mountpoint }, { "content", &s->content }, { "shared", &s->shared },
		{ "disable", &s->disable },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].key, key) == 0)
			return known[i].value;
	return NULL;
}

/* Cuts the blanks off its end. */
static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && strchr(BLANKS, s[n - 1]))
		s[--n] = '\0';
}

/* "    path /var/lib/vz", without blanks at its end. What has no value, a switch, is "1". */
static void take_property(struct section *s, char *line)
{
	char *key = line + strspn(line, BLANKS), *value = key + strcspn(key, BLANKS);
	const char **place;

	if (key == line || !*key)
		return;
	if (*value)
		*value++ = '\0';
	value += strspn(value, BLANKS);
	place = value_of(s, key);
	if (place && !*place)
		*place = *value ? value : "1";
}

/* "dir: local". What is none begins no section. */
static void take_header(char *line, struct section *s)
{
	size_t n = strcspn(line, BLANKS);
	char *colon = memrchr(line, ':', n), *id;

	if (!colon || colon == line)
		return;
	id = colon + 1 + strspn(colon + 1, BLANKS);
	if (!*id || id[strcspn(id, BLANKS)])
		return;
	*colon = '\0';
	for (char *c = line; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*s = (struct section){ .type = line, .id = id };
}

/* --- what it means ----------------------------------------------------------------------------------------------- */

/* PVE/JSONSchema.pm, parse_boolean(); the schema lets nothing else through. */
static bool is_true(const char *s)
{
	return s && (strcmp(s, "1") == 0 || strcasecmp(s, "on") == 0 || strcasecmp(s, "yes") == 0 ||
		     strcasecmp(s, "true") == 0);
}

static bool lists(const char *list, const char *word)
{
	for (size_t n; list && *list; list += n) {
		list += strspn(list, COMMAS);
		n = strcspn(list, COMMAS);
		if (n == strlen(word) && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

/* "iso=a,snippets=b/c" */
static const char *snippets_dir(const char *dirs, struct arena *a)
{
	const char *dir = NULL;

	for (size_t n; dirs && *dirs; dirs += n) {
		dirs += strspn(dirs, COMMAS);
		n = strcspn(dirs, COMMAS);
		if (str_starts(dirs, SNIPPETS "=") && n > strlen(SNIPPETS "="))
			dir = arena_dupn(a, dirs + strlen(SNIPPETS "="), n - strlen(SNIPPETS "="));
	}
	return dir;
}

/* pve-storage, PVE/Storage/DirPlugin.pm, parse_is_mountpoint(): a boolean, or the path that must be one. */
static const char *mountpoint(const char *value)
{
	if (!value || *value == '/')
		return value;
	return is_true(value) ? "" : NULL;
}

static struct storage storage_of(const struct section *s, struct arena *a)
{
	const struct kind *kind = find_kind(s->type);

	return (struct storage){
		.id = s->id,
		.type = s->type,
		.path = s->path && *s->path == '/' && s->path[1] ? s->path : NULL,
		.dir = snippets_dir(s->dirs, a),
		.nodes = s->nodes,
		.mountpoint = kind && kind->shared ? "" : mountpoint(s->mountpoint),
		.disabled = is_true(s->disable),
		.shared = is_true(s->shared) || (kind && kind->shared),
		.content = s->content,
		.snippets = lists(s->content, SNIPPETS),
	};
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static void add(struct storages *all, struct arena *a, const struct storage *s)
{
	struct storage *known = (struct storage *)storage_find(all, s->id);

	if (known) {
		*known = *s;
		return;
	}
	all->list = arena_grow(a, all->list, all->n, sizeof(*all->list));
	all->list[all->n++] = *s;
}

/* Plugin.pm, parse_config(): "local" is a folder, and that one, on every node; else it is as if it stood nowhere. */
static void ensure_local(struct storages *all, struct arena *a)
{
	struct storage *s = (struct storage *)storage_find(all, STORAGE_LOCAL);
	const struct storage made_up = {
		.id = STORAGE_LOCAL, .type = "dir", .path = STORAGE_LOCAL_PATH, .snippets = true,
	};

	if (!s || strcmp(s->type, "dir") != 0 || (s->path && strcmp(s->path, STORAGE_LOCAL_PATH) != 0)) {
		add(all, a, &made_up);
		return;
	}
	s->path = STORAGE_LOCAL_PATH;
	s->nodes = NULL;
}

/* Of what Proxmox skips nothing is taken: an id that is none. */
static void end_section(struct storages *all, const struct section *section, struct arena *a)
{
	struct storage s;

	if (!section->id || !is_id(section->id))
		return;
	s = storage_of(section, a);
	add(all, a, &s);
}

void storage_parse(const char *text, struct arena *a, struct storages *s)
{
	char *rest = arena_dup(a, text), *line;
	struct section section = { 0 };
	struct storages all = { 0 };

	while ((line = strsep(&rest, "\n")) != NULL) {
		bool empty = !*line;

		if (line[strspn(line, BLANKS)] == '#')
			continue;
		trim(line);
		if (empty) {
			end_section(&all, &section, a);
			section = (struct section){ 0 };
		} else if (section.id) {
			take_property(&section, line);
		} else {
			take_header(line, &section);
		}
	}
	end_section(&all, &section, a);
	ensure_local(&all, a);
	*s = all;
}

int storage_read(struct host *h, struct arena *a, struct storages *s, struct error *err)
{
	char *text = arena_alloc(a, STORAGE_BYTES_MAX);
	ssize_t n = host_read_bytes(h, STORAGE_FILE, text, STORAGE_BYTES_MAX);

	if (n < 0 && n != -ENOENT)
		return error_errno(err, (int)n, "cannot read '/" STORAGE_FILE "'");
	storage_parse(n < 0 ? "" : text, a, s);
	return 0;
}

/* --- questions --------------------------------------------------------------------------------------------------- */

const struct storage *storage_find(const struct storages *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].id, id) == 0)
			return &s->list[i];
	return NULL;
}

bool storage_has_files(const struct storage *s)
{
	return s->path && find_kind(s->type);
}

bool storage_is_of_node(const struct storage *s, const char *node)
{
	return !s->nodes || lists(s->nodes, node);
}

const char *storage_snippets(const struct storage *s, struct arena *a)
{
	return arena_fmt(a, "%s/%s", s->path, s->dir ? s->dir : SNIPPETS);
}

const char *storage_hookscript(const struct storages *s, const char *volume, struct arena *a)
{
	const char *colon = strchr(volume, ':'), *name;
	const struct storage *storage;

	if (!colon || !str_starts(colon + 1, SNIPPETS "/"))
		return NULL;
	name = colon + 1 + strlen(SNIPPETS "/");
	storage = storage_find(s, arena_dupn(a, volume, (size_t)(colon - volume)));
	if (!storage || !storage_has_files(storage) || !*name || strchr(name, '/'))
		return NULL;
	return arena_fmt(a, "%s/%s", storage_snippets(storage, a), name);
}
