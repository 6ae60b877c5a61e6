/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <net/route.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/routes.h"

#define MIB (1024 * 1024)
#define HEX32_DIGITS 8
#define BYTE_BITS 8

/* Columns of /proc/net/route. */
enum { V4_INTERFACE, V4_TO, V4_FLAGS = 3, V4_METRIC = 6, V4_MASK, V4_COLUMNS };
/* Columns of /proc/net/ipv6_route. */
enum { V6_TO, V6_PREFIX, V6_METRIC = 5, V6_FLAGS = 8, V6_INTERFACE, V6_COLUMNS };

struct table {
	const char *file;
	bool always;		/* every host has it */
	bool (*take)(char **column, size_t n, struct route *route);
};

static bool leads_somewhere(const char *interface, uint64_t flags)
{
	return (flags & RTF_UP) && !(flags & RTF_REJECT) && str_is_interface(interface) &&
	       strcmp(interface, "lo") != 0 && strcmp(interface, "*") != 0;
}

static bool take_v4(char **column, size_t n, struct route *route)
{
	uint64_t flags, metric, mask;

	if (n < V4_COLUMNS || !ip_from_words(column[V4_TO], &route->to) || route->to.v6 ||
	    !str_hex(column[V4_FLAGS], 1, HEX32_DIGITS, &flags) || !str_hex(column[V4_MASK], 1, HEX32_DIGITS, &mask) ||
	    !leads_somewhere(column[V4_INTERFACE], flags))
		return false;
	/* It is written with a sign: one that is below zero is above all others. */
	route->metric = str_decimal(column[V4_METRIC], UINT32_MAX, &metric) ? (uint32_t)metric : UINT32_MAX;
	route->prefix = (unsigned)__builtin_popcountll(mask);
	strcpy(route->interface, column[V4_INTERFACE]);
	return true;
}

static bool take_v6(char **column, size_t n, struct route *route)
{
	uint64_t flags, metric, prefix;

	if (n < V6_COLUMNS || !ip6_from_hex(column[V6_TO], &route->to) ||
	    !str_hex(column[V6_PREFIX], 1, 2, &prefix) || prefix > IP_BYTES * BYTE_BITS ||
	    !str_hex(column[V6_METRIC], 1, HEX32_DIGITS, &metric) ||
	    !str_hex(column[V6_FLAGS], 1, HEX32_DIGITS, &flags) ||
	    !leads_somewhere(column[V6_INTERFACE], flags))
		return false;
	route->metric = (uint32_t)metric;
	route->prefix = (unsigned)prefix;
	strcpy(route->interface, column[V6_INTERFACE]);
	return true;
}

static void take_table(const struct table *table, char *text, struct arena *a, struct routes *r)
{
	char *columns[V6_COLUMNS], *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		struct route route = { .order = r->n };

		if (!table->take(columns, str_words(line, columns, V6_COLUMNS), &route))
			continue;
		route.to = ip_masked(&route.to, route.prefix);
		r->list = arena_grow(a, r->list, r->n, sizeof(route));
		r->list[r->n++] = route;
	}
}

/* What fits of a table is taken, whatever else it has. */
static void read_table(struct host *h, const struct table *table, struct arena *a, struct routes *r)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	char *text = arena_alloc(scratch, ROUTES_BYTES_MAX);
	bool cut;
	ssize_t n = host_read_lines(h, table->file, text, ROUTES_BYTES_MAX, &cut);

	if (cut)
		r->missing = arena_fmt(a, "/%s has more than %d MiB", table->file, ROUTES_BYTES_MAX / MIB);
	else if (n < 0 && (n != -ENOENT || table->always))
		r->missing = arena_fmt(a, "/%s cannot be read: %s", table->file, strerror((int)-n));
	if (n > 0)
		take_table(table, text, a, r);
}

/* By where they lead, the longest prefix first. */
static int by_prefix(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int bytes;

	if (x->to.v6 != y->to.v6)
		return x->to.v6 ? 1 : -1;
	if (x->prefix != y->prefix)
		return x->prefix > y->prefix ? -1 : 1;
	bytes = memcmp(x->to.bytes, y->to.bytes, sizeof(x->to.bytes));
	if (bytes)
		return bytes;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void routes_read(struct host *h, struct arena *a, struct routes *r)
{
	static const struct table tables[] = {
		{ "proc/net/route", true, take_v4 }, { "proc/net/ipv6_route", false, take_v6 },
	};

	*r = (struct routes){ 0 };
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		read_table(h, &tables[i], a, r);
	if (r->n)
		qsort(r->list, r->n, sizeof(*r->list), by_prefix);
}

/* The first that is not before key. */
static const struct route *at_or_behind(const struct routes *r, const struct route *key)
{
	size_t from = 0, to = r->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (by_prefix(&r->list[middle], key) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < r->n ? &r->list[from] : NULL;
}

const struct route *routes_find(const struct routes *r, const struct ip *to)
{
	for (unsigned prefix = (to->v6 ? IP_BYTES : IP4_BYTES) * BYTE_BITS; ; prefix--) {
		struct route key = { .to = ip_masked(to, prefix), .prefix = prefix };
		const struct route *found = at_or_behind(r, &key);

		if (found && found->prefix == prefix && ip_same(&found->to, &key.to))
			return found;
		if (prefix == 0)
			return NULL;
	}
}
