/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_SUPPORT_H
#define HANDOVER_TESTS_SUPPORT_H

/* What tests on simulated hosts share. Each test program includes it once; its first argument is the source tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "host/hostfile.h"
#include "host/sim.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const char *source_root = ".";

/* A file of the source tree. */
static inline char *file_read(struct arena *a, const char *name, size_t *n)
{
	char *text = arena_alloc(a, HOSTFILE_BYTES_MAX + 1);
	FILE *in = fopen(arena_fmt(a, "%s/%s", source_root, name), "re");

	if (!in)
		fail_msg("cannot open '%s/%s'", source_root, name);
	*n = fread(text, 1, HOSTFILE_BYTES_MAX, in);
	fclose(in);
	return text;
}

static inline struct host *host_from_bytes(const char *text, size_t n, const char *file)
{
	struct host *h = NULL;
	struct error err = { 0 };

	if (hostfile_parse(text, n, file, &h, &err) < 0)
		fail_msg("%s", err.text);
	return h;
}

static inline struct host *host_from(const char *text)
{
	return host_from_bytes(text, strlen(text), "test.host");
}

/* One of tests/hosts. */
static inline struct host *host_load(const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *file = arena_fmt(a, "tests/hosts/%s.host", name);
	size_t n;
	const char *text = file_read(a, file, &n);

	return host_from_bytes(text, n, file);
}

static inline const char *host_dump(struct arena *a, struct host *h)
{
	char *text = NULL, *copy;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	sim_dump(h, out);
	fclose(out);
	copy = arena_dupn(a, text, n);
	free(text);
	return copy;
}

static inline const char *host_capture(struct arena *a, struct host *h)
{
	char *text = NULL, *copy;
	struct error err;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	if (hostfile_write(h, "made by a test", out, &err) < 0)
		fail_msg("%s", err.text);
	fclose(out);
	copy = arena_dupn(a, text, n);
	free(text);
	return copy;
}

static inline void assert_reads(struct host *h, const char *name, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	ssize_t n = host_read(h, name, buf, sizeof(buf));

	if (n < 0)
		fail_msg("%s: error %d, should be '%s'", name, (int)n, text);
	assert_string_equal(buf, text);
}

static inline void assert_absent(struct host *h, const char *name)
{
	char buf[HOST_VALUE_BYTES];

	assert_int_equal(host_read(h, name, buf, sizeof(buf)), -ENOENT);
}

static inline int poke_host(struct host *h, const char *name, const char *value)
{
	struct host_stuck stuck;

	return host_write(h, name, value, 1000, &stuck);
}

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static inline const struct finding *find_code(const struct findings *f, const char *code)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].code, code) == 0)
			return &f->list[i];
	return NULL;
}

static inline size_t count_findings(const struct findings *f, const char *code)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += strcmp(f->list[i].code, code) == 0;
	return n;
}

/* Exactly one finding, and it is this one. */
static inline const struct finding *assert_only(const struct findings *f, const char *code)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].code, code) != 0)
			fail_msg("unexpected: %s", finding_line(&f->list[i], f->arena));
	assert_int_equal(f->n, 1);
	return &f->list[0];
}

#endif
