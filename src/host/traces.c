/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "host/traces.h"

#define STORAGES "etc/pve/storage.cfg"
#define SNIPPETS_LOCAL "var/lib/vz/snippets"

/* Where such files are looked for. With a suffix it is a folder, of which those that end so; "" = all. */
static const struct place {
	const char *name, *suffix;
	enum trace_kind kind;
} places[] = {
	{ "etc/modprobe.d", ".conf", TRACE_MODPROBE },
	{ "etc/modules", NULL, TRACE_MODULES },
	{ "etc/modules-load.d", ".conf", TRACE_MODULES },
	{ "etc/initramfs-tools/modules", NULL, TRACE_MODULES },
	{ "etc/kernel/cmdline", NULL, TRACE_CMDLINE },
	{ "etc/default/grub", NULL, TRACE_CMDLINE },
	{ "etc/default/grub.d", ".cfg", TRACE_CMDLINE },
	{ "etc/driverctl.d", "", TRACE_DRIVERCTL },
	{ "etc/udev/rules.d", ".rules", TRACE_UDEV },
	{ "etc/crontab", NULL, TRACE_CRON },
	{ "etc/cron.d", "", TRACE_CRON },
	{ "var/spool/cron/crontabs", "", TRACE_CRON },
	{ "etc/cron.hourly", "", TRACE_SCRIPT },
	{ "etc/cron.daily", "", TRACE_SCRIPT },
	{ "etc/cron.weekly", "", TRACE_SCRIPT },
	{ "etc/cron.monthly", "", TRACE_SCRIPT },
	{ "etc/systemd/system", ".service", TRACE_UNIT },
	{ "etc/rc.local", NULL, TRACE_SCRIPT },
	{ "etc/network/interfaces", NULL, TRACE_SCRIPT },
	{ "etc/network/interfaces.d", "", TRACE_SCRIPT },
	{ SNIPPETS_LOCAL, "", TRACE_SCRIPT },
};

static bool fits(const char *name)
{
	return strlen(name) < HOST_NAME_BYTES - 1 && !strchr(name, '\n');
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), end = strlen(suffix);

	return n >= end && strcmp(name + n - end, suffix) == 0;
}

/* --- one file ---------------------------------------------------------------------------------------------------- */

static struct trace_file *find(const struct traces *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->list[i]->name, name) == 0)
			return t->list[i];
	return NULL;
}

static void follow(struct host *h, struct traces *t, struct trace_file *f);

/* Text without a NUL: what is behind one belongs to a program. NULL: there is none. */
static char *read_text(struct host *h, struct traces *t, const char *name)
{
	bool cut;
	ssize_t n = fits(name) ? host_read_lines(h, name, t->buf, TRACE_BYTES_MAX, &cut) : -ENAMETOOLONG;

	return n > 0 && strlen(t->buf) == (size_t)n ? t->buf : NULL;
}

static void add_origin(const struct traces *t, struct trace_file *f, const struct trace_origin *o)
{
	for (size_t i = 0; i < f->n_origins; i++)
		if (f->origins[i].by == o->by && f->origins[i].number == o->number && f->origins[i].vmid == o->vmid)
			return;
	f->origins = arena_grow(t->arena, f->origins, f->n_origins, sizeof(*o));
	f->origins[f->n_origins++] = *o;
}

static struct trace_file *read_new(struct host *h, struct traces *t, const char *name, enum trace_kind kind)
{
	struct trace_file *f;
	char *text;

	if (t->n == TRACE_FILES_MAX || t->reads == TRACE_READS_MAX)
		return NULL;
	t->reads++;
	text = read_text(h, t, name);
	if (!text)
		return NULL;
	f = arena_alloc(t->arena, sizeof(*f));
	*f = (struct trace_file){ .name = arena_dup(t->arena, name), .kind = kind };
	trace_parse(f, text, t->arena);
	if (!f->n)
		return NULL;
	t->list = arena_grow(t->arena, t->list, t->n, sizeof(*t->list));
	t->list[t->n++] = f;
	return f;
}

/* Read once, however many run it. origin NULL: it stands where such files are looked for. */
static void read_one(struct host *h, struct traces *t, const char *name, enum trace_kind kind,
		     const struct trace_origin *origin)
{
	struct trace_file *f = find(t, name);
	bool known = f;

	if (!known)
		f = read_new(h, t, name, kind);
	if (!f)
		return;
	if (origin) {
		add_origin(t, f, origin);
		f->depth = known || !origin->by ? f->depth : origin->by->depth + 1;
	}
	if (!known)
		follow(h, t, f);
}

/* The scripts that it runs. */
static void follow(struct host *h, struct traces *t, struct trace_file *f)
{
	if (f->depth == TRACE_DEPTH_MAX)
		return;
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->lines[i].n; k++) {
			const struct trace_line *l = &f->lines[i];

			if (l->deeds[k].kind == DEED_RUNS)
				read_one(h, t, l->deeds[k].value + 1, TRACE_SCRIPT,
					 &(struct trace_origin){ .by = f, .number = l->number, .when = l->when });
		}
}

/* --- folders ----------------------------------------------------------------------------------------------------- */

/* What cloud-init does in a guest, which stands among the snippets too. */
static bool is_of_cloud(const char *name)
{
	return ends_with(name, ".yaml") || ends_with(name, ".yml");
}

static void read_folder(struct host *h, struct traces *t, const char *folder, const char *suffix, enum trace_kind kind)
{
	char **names;
	size_t n;

	if (host_list(h, folder, t->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n && i < TRACE_FOLDER_MAX; i++)
		if (ends_with(names[i], suffix) && !is_of_cloud(names[i]))
			read_one(h, t, arena_fmt(t->arena, "%s/%s", folder, names[i]), kind, NULL);
}

/* systemd.unit(5): what NAME.service.d has is added to the unit of that name, wherever that is. */
static void read_dropped_in(struct host *h, struct traces *t)
{
	static const char folder[] = "etc/systemd/system";
	char **names;
	size_t n;

	if (host_list(h, folder, t->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n && i < TRACE_FOLDER_MAX; i++)
		if (ends_with(names[i], ".service.d"))
			read_folder(h, t, arena_fmt(t->arena, "%s/%s", folder, names[i]), ".conf", TRACE_UNIT);
}

/* --- hookscripts ------------------------------------------------------------------------------------------------- */

/* "dir: NAME", then lines that are indented: PVE::SectionConfig. */
const char *trace_snippets(struct host *h, const char *storage, struct arena *a)
{
	char *text = arena_alloc(a, TRACE_BYTES_MAX), *line, *words[2];
	bool cut, inside = false;

	if (host_read_lines(h, STORAGES, text, TRACE_BYTES_MAX, &cut) < 0)
		text = NULL;
	while ((line = strsep(&text, "\n")) != NULL) {
		bool indented = *line == ' ' || *line == '\t';
		size_t n = str_words(line, words, 2);

		if (!indented && n)
			inside = n == 2 && (strcmp(words[0], "dir:") == 0 || strcmp(words[0], "btrfs:") == 0) &&
				 strcmp(words[1], storage) == 0;
		else if (inside && n == 2 && strcmp(words[0], "path") == 0 && str_is_path(words[1], DEED_PATH_MAX))
			return arena_fmt(a, "%s/snippets", words[1] + 1);
	}
	return strcmp(storage, "local") == 0 ? SNIPPETS_LOCAL : NULL;
}

static void read_hookscript(struct host *h, struct traces *t, unsigned vmid, char *volume)
{
	char *name = strchr(volume, ':');
	const char *folder;

	if (!name || !str_starts(name, ":snippets/") || strchr(name + strlen(":snippets/"), '/'))
		return;
	*name = '\0';
	folder = trace_snippets(h, volume, t->arena);
	if (folder)
		read_one(h, t, arena_fmt(t->arena, "%s/%s", folder, name + strlen(":snippets/")), TRACE_SCRIPT,
			 &(struct trace_origin){ .vmid = vmid });
}

static void read_guest(struct host *h, struct traces *t, const char *folder, const char *name)
{
	char *text = read_text(h, t, arena_fmt(t->arena, "%s/%s", folder, name)), *line;
	uint64_t vmid;

	if (!text || !ends_with(name, ".conf") ||
	    !str_decimal(arena_dupn(t->arena, name, strlen(name) - strlen(".conf")), INT32_MAX, &vmid))
		return;
	text = arena_dup(t->arena, text);
	while ((line = strsep(&text, "\n")) != NULL && *line != '[') {
		char *words[2];

		if (str_starts(line, "hookscript:") && str_words(line, words, 2) == 2) {
			words[1][strcspn(words[1], "\r")] = '\0';
			read_hookscript(h, t, (unsigned)vmid, words[1]);
		}
	}
}

static void read_guests(struct host *h, struct traces *t)
{
	static const char *const folders[] = { "etc/pve/qemu-server", "etc/pve/lxc" };
	char **names;
	size_t n;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (host_list(h, folders[i], t->arena, &names, &n) < 0)
			continue;
		for (size_t k = 0; k < n; k++)
			read_guest(h, t, folders[i], names[k]);
	}
}

/* --- what is of no interest -------------------------------------------------------------------------------------- */

/* Scripts in which nothing was found are nobody's business: who runs them, least of all. */
static void drop_runs(const struct traces *t, struct trace_line *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->deeds[i].kind != DEED_RUNS || find(t, l->deeds[i].value + 1))
			l->deeds[n++] = l->deeds[i];
	l->n = n;
}

static bool drop_lines(const struct traces *t, struct trace_file *f)
{
	size_t n = 0, before = f->n;

	for (size_t i = 0; i < f->n; i++) {
		drop_runs(t, &f->lines[i]);
		if (f->lines[i].n || f->lines[i].text)
			f->lines[n++] = f->lines[i];
	}
	f->n = n;
	return n < before;
}

/* A script that runs only such scripts is one itself. */
static void drop(struct traces *t)
{
	bool dropped = true;

	while (dropped) {
		size_t n = 0;

		dropped = false;
		for (size_t i = 0; i < t->n; i++) {
			dropped = drop_lines(t, t->list[i]) || dropped;
			if (t->list[i]->n)
				t->list[n++] = t->list[i];
		}
		t->n = n;
	}
}

void traces_read(struct host *h, struct arena *a, struct traces *t)
{
	*t = (struct traces){ .arena = a, .buf = arena_alloc(a, TRACE_BYTES_MAX) };
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i].suffix)
			read_folder(h, t, places[i].name, places[i].suffix, places[i].kind);
		else
			read_one(h, t, places[i].name, places[i].kind, NULL);
	}
	read_dropped_in(h, t);
	read_guests(h, t);
	drop(t);
}
