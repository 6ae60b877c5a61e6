/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/hostfile.h"
#include "host/sim.h"

/* Where the reader is. */
struct reader {
	struct host *h;
	const char *file;
	unsigned line;
	struct error *err;
	char folder[HOST_NAME_BYTES];	/* of the block: "sys/devices/..." */
	char open[HOST_NAME_BYTES];	/* the F: that takes "| " lines, or "" */
	char gathered[HOSTFILE_LINE_MAX + 1];	/* of it so far */
	size_t n_gathered;
	bool versioned;
};

static int bad(struct reader *r, const char *what)
{
	return error_set(r->err, -EINVAL, "%s:%u: %s", r->file, r->line, what);
}

/* A name as the seam takes it: host_has() refuses the rest, but a tree must not even be built from it. */
static bool name_fits(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < HOST_NAME_BYTES - 1 && name[0] != '/' && name[n - 1] != '/' && !strstr(name, "//") &&
	       !strstr(name, "..");
}

static bool full_name(struct reader *r, const char *key, char name[HOST_NAME_BYTES])
{
	int n = snprintf(name, HOST_NAME_BYTES, "%s/%s", r->folder, key);

	return n > 0 && n < HOST_NAME_BYTES && r->folder[0] && name_fits(key) && name_fits(name);
}

/* In place; the length, which is not strlen()'s if there is a NUL in it. */
static ssize_t unescape(char *s)
{
	static const char escapes[][2] = { { 'n', '\n' }, { '\\', '\\' }, { '0', '\0' } };
	char *to = s, *start = s;

	for (; *s; s++) {
		size_t i = 0;

		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		s++;
		while (i < sizeof(escapes) / sizeof(*escapes) && escapes[i][0] != *s)
			i++;
		if (i == sizeof(escapes) / sizeof(*escapes))
			return -EINVAL;
		*to++ = escapes[i][1];
	}
	*to = '\0';
	return to - start;
}

/* "key=value" in two; false if there is no '='. */
static bool split(char *s, char **value)
{
	char *eq = strchr(s, '=');

	if (!eq)
		return false;
	*eq = '\0';
	*value = eq + 1;
	return true;
}

static int take_hex(struct reader *r, char *key, const char *hex)
{
	unsigned char bytes[HOSTFILE_LINE_MAX / 2];
	char name[HOST_NAME_BYTES], *plus = strchr(key, '+');
	uint64_t offset = 0, v;
	size_t n = strlen(hex);

	if (plus) {
		*plus = '\0';
		if (!str_hex(plus + 1, 1, 3, &offset))
			return bad(r, "the offset behind '+' is one to three hex digits");
	}
	if (!full_name(r, key, name))
		return bad(r, "an H: line needs a P: line before it and a plain file name");
	if (n == 0 || n % 2 || offset + n / 2 > HOST_VALUE_BYTES)
		return bad(r, "bytes are pairs of hex digits, at most 4096 in all");
	for (size_t i = 0; i < n / 2; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		if (!str_hex(pair, 2, 2, &v))
			return bad(r, "bytes are pairs of hex digits");
		bytes[i] = (unsigned char)v;
	}
	sim_set_bytes(r->h, name, offset, bytes, n / 2);
	return 0;
}

static int take_attribute(struct reader *r, char *key, char *value)
{
	char name[HOST_NAME_BYTES];
	ssize_t n;

	if (!full_name(r, key, name) || (n = unescape(value)) < 0)
		return bad(r, "an A: line is 'A: file=text' below a P: line; only \\n, \\\\ and \\0 are escapes");
	sim_set_text(r->h, name, value, (size_t)n);
	return 0;
}

static int take_link(struct reader *r, const char *key, const char *value)
{
	char name[HOST_NAME_BYTES];

	/* The kernel's links always end in the name of what they lead to. */
	if (!full_name(r, key, name) || strlen(value) >= HOST_NAME_BYTES || !name_fits(str_basename(value)))
		return bad(r, "an L: line is 'L: name=target' below a P: line");
	sim_set_link(r->h, name, value);
	return 0;
}

static int take_value(struct reader *r, const char *key, char *value)
{
	ssize_t n;

	if (!name_fits(key) || str_starts(key, "sys/") || (n = unescape(value)) < 0)
		return bad(r, "a V: line is 'V: name=text', the name not below sys/; only \\n, \\\\ and \\0 are escapes");
	sim_set_text(r->h, key, value, (size_t)n);
	return 0;
}

static int take_folder(struct reader *r, const char *path)
{
	if (path[0] != '/' || !name_fits(path + 1) || strlen(path) + 4 >= HOST_NAME_BYTES)
		return bad(r, "a P: line is a path below /sys that starts with '/'");
	snprintf(r->folder, sizeof(r->folder), "sys%s", path);
	sim_make_folder(r->h, r->folder);
	return 0;
}

static int take_file(struct reader *r, const char *name)
{
	if (!name_fits(name) || str_starts(name, "sys/"))
		return bad(r, "an F: line names a file that is not below sys/");
	snprintf(r->open, sizeof(r->open), "%s", name);
	r->n_gathered = 0;
	r->gathered[0] = '\0';
	return 0;
}

static int take_text(struct reader *r, const char *text)
{
	size_t n;

	if (!r->open[0])
		return bad(r, "a line that starts with '|' belongs below an F: line");
	if (*text == ' ')
		text++;
	n = strlen(text);
	if (r->n_gathered + n + 1 > HOSTFILE_LINE_MAX)
		return bad(r, "the file is longer than 16384 bytes");
	memcpy(r->gathered + r->n_gathered, text, n);
	memcpy(r->gathered + r->n_gathered + n, "\n", 2);
	r->n_gathered += n + 1;
	return 0;
}

/* The F: that was open, if any, is whole. */
static void put_file(struct reader *r)
{
	if (r->open[0])
		sim_set(r->h, r->open, r->gathered);
	r->open[0] = '\0';
}

static int take_header(struct reader *r, const char *key, const char *value)
{
	if (strcmp(key, "handover-host") == 0) {
		if (strcmp(value, "1") != 0)
			return bad(r, "this program reads 'handover-host: 1'");
		r->versioned = true;
		return 0;
	}
	if (strcmp(key, "source") == 0) {
		if (!str_starts(value, "captured") && !str_starts(value, "transcribed") && !str_starts(value, "made"))
			return bad(r, "source starts with captured, transcribed or made");
		sim_set(r->h, "source", value);
		return 0;
	}
	if (strcmp(key, "kernel") == 0) {
		sim_set(r->h, "proc/sys/kernel/osrelease", value);
		return 0;
	}
	return bad(r, "unknown line; P: A: H: L: V: F: | handover-host: source: kernel: are known");
}

static int take_pair(struct reader *r, char letter, char *rest)
{
	char *value;

	if (letter == 'P')
		return take_folder(r, rest);
	if (letter == 'F')
		return take_file(r, rest);
	if (letter == 'E' || letter == 'N' || letter == 'S')
		return 0;
	if (!split(rest, &value))
		return bad(r, "there is no '='");
	if (letter == 'A')
		return take_attribute(r, rest, value);
	if (letter == 'H')
		return take_hex(r, rest, value);
	if (letter == 'L')
		return take_link(r, rest, value);
	if (letter == 'V')
		return take_value(r, rest, value);
	return bad(r, "unknown line; P: A: H: L: V: F: | are known");
}

static int take_line(struct reader *r, char *line)
{
	char *colon;

	if (*line == '\0' || *line == '#')
		return 0;
	if (*line == '|')
		return take_text(r, line + 1);
	put_file(r);
	colon = strchr(line, ':');
	if (!colon || colon[1] != ' ')
		return bad(r, "there is no ': '");
	*colon = '\0';
	if (colon == line + 1 && isupper((unsigned char)line[0]))
		return take_pair(r, line[0], colon + 2);
	return take_header(r, line, colon + 2);
}

static int take_all(struct reader *r, const char *text, size_t n)
{
	char line[HOSTFILE_LINE_MAX + 1];
	const char *end = text + n;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline ? newline : end) - text);
		int code;

		r->line++;
		if (len > HOSTFILE_LINE_MAX)
			return bad(r, "the line is longer than 16384 bytes");
		if (memchr(text, '\0', len))
			return bad(r, "there is a NUL byte; this is not a .host text");
		memcpy(line, text, len);
		line[len] = '\0';
		code = take_line(r, line);
		if (code < 0)
			return code;
		text += len + (newline != NULL);
		if (r->line == 1 && !r->versioned && line[0] != 'P')
			return bad(r, "the first line is 'handover-host: 1'");
		if (sim_memory(r->h) > HOSTFILE_MEMORY_MAX)
			return bad(r, "up to here the host takes more than 64 MiB of memory; no real one does");
	}
	put_file(r);
	return r->line ? 0 : bad(r, "the text is empty");
}

int hostfile_parse(const char *text, size_t n, const char *file, struct host **h, struct error *err)
{
	struct reader r = { .file = file, .err = err };
	int code;

	if (n > HOSTFILE_BYTES_MAX)
		return error_set(err, -E2BIG, "%s: longer than %d bytes", file, HOSTFILE_BYTES_MAX);
	r.h = sim_new();
	code = take_all(&r, text, n);
	if (code == 0 && sim_settle(r.h, err) < 0)
		code = error_in(err, "%s", file);
	if (code < 0)
		host_close(r.h);
	else
		*h = r.h;
	return code;
}
