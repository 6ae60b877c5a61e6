/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/mounts.h"

#define MOUNTINFO "proc/self/mountinfo"
#define SWAPS "proc/swaps"

/* A host with a few mounts does not pay for one with thousands. */
#define BYTES_FIRST (64 * 1024)
#define BYTES_GROWTH 4

#define OCTAL_DIGITS 3
#define OCTAL_BITS 3
#define FIELDS_BEFORE_OPTIONS 6	/* id, parent, number, root, point, options; then words up to "-" */

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

/* Space, tab, newline and backslash are written as three octal digits: fs/proc_namespace.c, mangle(). */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		unsigned value = 0;

		if (*from != '\\' || !is_octal(from + 1)) {
			*to = *from++;
			continue;
		}
		for (int i = 1; i <= OCTAL_DIGITS; i++)
			value = value << OCTAL_BITS | (unsigned)(from[i] - '0');
		*to = (char)value;
		from += 1 + OCTAL_DIGITS;
	}
	*to = '\0';
	return text;
}

/* -E2BIG: there is more, and whole lines of the beginning are in text. */
static int read_text(struct host *h, struct arena *a, const char *name, char **text, struct error *err)
{
	bool cut = true;
	ssize_t n = 0;

	for (size_t size = BYTES_FIRST; cut && size <= MOUNTS_BYTES_MAX; size *= BYTES_GROWTH) {
		*text = arena_alloc(a, size);
		n = host_read_lines(h, name, *text, size, &cut);
	}
	if (cut)
		return error_set(err, -E2BIG, "/%s is longer than %d bytes", name, MOUNTS_BYTES_MAX);
	return n < 0 ? error_errno(err, (int)n, "/%s cannot be read", name) : 0;
}

static bool parse_mount(char *line, struct mount *m)
{
	char *field[FIELDS_BEFORE_OPTIONS], *word;

	for (size_t i = 0; i < FIELDS_BEFORE_OPTIONS; i++)
		field[i] = strsep(&line, " ");
	do
		word = strsep(&line, " ");
	while (word && strcmp(word, "-") != 0);
	if (!word || !line || !strchr(field[2], ':') || *field[4] != '/')
		return false;
	*m = (struct mount){ .number = field[2], .point = unescape(field[4]) };
	m->type = unescape(strsep(&line, " "));
	m->source = line ? unescape(strsep(&line, " ")) : "";
	m->options = line ? unescape(strsep(&line, " ")) : "";
	return true;
}

static int read_mounts(struct host *h, struct arena *a, struct mounts *m, struct error *err)
{
	bool root = false;
	char *text, *line;
	int code = read_text(h, a, MOUNTINFO, &text, err);

	if (code < 0 && code != -E2BIG)
		return code;
	for (size_t number = 1; (line = strsep(&text, "\n")) != NULL; number++) {
		struct mount mount;

		if (!*line)
			continue;
		if (!parse_mount(line, &mount)) {
			code = error_set(err, -EINVAL, "line %zu of /" MOUNTINFO " is not what the kernel writes",
					 number);
			continue;
		}
		root = root || strcmp(mount.point, "/") == 0;
		m->list = arena_grow(a, m->list, m->n, sizeof(mount));
		m->list[m->n++] = mount;
	}
	if (code == 0 && !root)
		code = error_set(err, -ENODATA, "/" MOUNTINFO " does not tell what / is on");
	return code;
}

static int read_swaps(struct host *h, struct arena *a, struct mounts *m, struct error *err)
{
	struct error why;
	char *text, *line;
	int code = read_text(h, a, SWAPS, &text, &why);

	/* A kernel can do without swap. */
	if (code == -ENOENT)
		return 0;
	if (code < 0)
		*err = why;
	if (code < 0 && code != -E2BIG)
		return code;
	/* The first line is the table's head. */
	strsep(&text, "\n");
	while ((line = strsep(&text, "\n")) != NULL) {
		struct swap swap = { .name = strsep(&line, " \t") };

		if (!*swap.name)
			continue;
		swap.file = line && str_starts(line + strspn(line, " \t"), "file");
		unescape((char *)swap.name);
		m->swaps = arena_grow(a, m->swaps, m->n_swaps, sizeof(swap));
		m->swaps[m->n_swaps++] = swap;
	}
	return 0;
}

int mounts_read(struct host *h, struct arena *a, struct mounts *m, struct error *err)
{
	struct error second;
	int code, swaps;

	*m = (struct mounts){ 0 };
	code = read_mounts(h, a, m, err);
	swaps = read_swaps(h, a, m, code < 0 ? &second : err);
	return code < 0 ? code : swaps;
}

const struct mount *mounts_of_file(const struct mounts *m, const char *file)
{
	const struct mount *best = NULL;
	size_t longest = 0;

	/* The last of two at one place hides the other. */
	for (size_t i = 0; i < m->n; i++) {
		size_t n = strlen(m->list[i].point);

		n -= m->list[i].point[n - 1] == '/';
		if (n >= longest && strncmp(file, m->list[i].point, n) == 0 && (file[n] == '/' || file[n] == '\0')) {
			best = &m->list[i];
			longest = n;
		}
	}
	return best;
}
