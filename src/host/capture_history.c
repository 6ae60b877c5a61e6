/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people have written in files of what shall be done with devices: the lines that say so, each with its number. */
#include <string.h>

#include "base/str.h"
#include "host/capture.h"
#include "host/traces.h"

/* An F: holds so many bytes, with a newline for each line. */
static bool fits(const struct trace_file *f, struct arena *a)
{
	size_t n = f->n ? f->lines[f->n - 1].number : 0;

	for (size_t i = 0; i < f->n; i++) {
		size_t line = strlen(trace_written(f, &f->lines[i], a));

		n += line;
		if (line + strlen("| ") > HOSTFILE_LINE_MAX)
			return false;
	}
	return n < HOSTFILE_LINE_MAX;
}

static void put_file(struct writer *w, const struct trace_file *f)
{
	unsigned number = 1;

	if (!fits(f, w->arena) || strstr(f->name, "..") || strstr(f->name, "//"))
		return;
	fprintf(w->out, "\nF: %s\n", f->name);
	for (size_t i = 0; i < f->n; i++) {
		for (; number < f->lines[i].number; number++)
			fputs("|\n", w->out);
		fprintf(w->out, "| %s\n", trace_written(f, &f->lines[i], w->arena));
		number++;
	}
}

/* Of the storages on this host only where they are. */
static void put_storages(struct writer *w)
{
	char *text = arena_alloc(w->arena, TRACE_BYTES_MAX), *line, *words[2];
	bool cut, inside = false, any = false;

	if (host_read_lines(w->h, "etc/pve/storage.cfg", text, TRACE_BYTES_MAX, &cut) < 0)
		return;
	while ((line = strsep(&text, "\n")) != NULL) {
		bool indented = *line == ' ' || *line == '\t';
		size_t n = str_words(line, words, 2);

		if (!indented && n)
			inside = n == 2 && (strcmp(words[0], "dir:") == 0 || strcmp(words[0], "btrfs:") == 0);
		if (n != 2 || !inside || (indented && strcmp(words[0], "path") != 0) ||
		    strlen(words[1]) > DEED_PATH_MAX)
			continue;
		if (!any)
			fprintf(w->out, "\nF: etc/pve/storage.cfg\n");
		any = true;
		fprintf(w->out, "| %s%s %s\n", indented ? "\t" : "", words[0], words[1]);
	}
}

void capture_history(struct writer *w)
{
	struct traces t;

	traces_read(w->h, w->arena, &t);
	for (size_t i = 0; i < t.n; i++)
		put_file(w, t.list[i]);
	put_storages(w);
}
