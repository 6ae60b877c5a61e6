/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_DUMP_H
#define HANDOVER_TESTS_DUMP_H

/* A simulated host as text, without what need not be as it was. Behind cmocka.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "host/sim.h"

/*
 * Lines that may differ: what was loaded is not given back, what was run is counted, and a function found anew has another
 * life and group number ("as it was" is core/same.h). Groups are compared by their members.
 */
static inline bool may_differ(const char *line, size_t n)
{
	static const char *const starts[] = {
		"module/vfio_pci", "sys/module/", "sys/bus/pci/drivers/vfio-pci/", "life/", "sim/", "command/",
		"sys/kernel/iommu_groups/",
	};
	static const char *const parts[] = { "/iommu_group ->", "/sim_met =", "/sim_name =", "/sim_driver =",
					     "/sim_udev =", "/sim_carrier =", "/sim_gateway =",
					     "/sim_master =", "/sim_routes =", "/run =" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (strncmp(line, starts[i], strlen(starts[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (memmem(line, n, parts[i], strlen(parts[i])))
			return true;
	return false;
}

/* "group of 0000:00:1f.3: 0000:00:1f.3" of each function. */
static inline void put_groups(struct host *h, FILE *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **names, members[HOST_VALUE_BYTES];
	size_t n;

	assert_int_equal(host_list(h, "sys/bus/pci/devices", a, &names, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (host_read(h, arena_fmt(a, "group/%s", names[i]), members, sizeof(members)) >= 0)
			fprintf(out, "group of %s: %s\n", names[i], members);
}

/* The caller frees it. */
static inline char *dump(struct host *h)
{
	char *text = NULL, *line, *next, *to;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	sim_dump(h, out);
	put_groups(h, out);
	fclose(out);
	for (line = to = text; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (may_differ(line, (size_t)(next - line)))
			continue;
		memmove(to, line, (size_t)(next - line));
		to += next - line;
	}
	*to = '\0';
	return text;
}

static inline int dump_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline char **dump_lines(char *text, struct arena *a, size_t *n)
{
	char **lines = NULL;

	*n = 0;
	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		lines = arena_grow(a, lines, *n, sizeof(*lines));
		lines[(*n)++] = line;
	}
	qsort(lines, *n, sizeof(*lines), dump_by_text);
	return lines;
}

/* The lines of two dumps of which the other has none: "-" and what was, or "+" and what is. */
static inline const char **dump_differences(const char *then, const char *now, struct arena *a, size_t *count)
{
	size_t n, m, i = 0, k = 0;
	char **old = dump_lines(arena_dup(a, then), a, &n), **new = dump_lines(arena_dup(a, now), a, &m);
	const char **found = NULL;

	*count = 0;
	while (i < n || k < m) {
		int order = i == n ? 1 : k == m ? -1 : strcmp(old[i], new[k]);

		if (order != 0) {
			found = arena_grow(a, found, *count, sizeof(*found));
			found[(*count)++] = order < 0 ? arena_fmt(a, "-%s", old[i]) : arena_fmt(a, "+%s", new[k]);
		}
		i += order <= 0;
		k += order >= 0;
	}
	return found;
}

#endif
