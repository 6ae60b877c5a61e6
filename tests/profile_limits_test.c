/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much the profile loader takes, and how long it takes at most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/profile.h"
#include "core/profile_codes.h"
#include "core/yaml.h"

#define SLOW_MS 1000		/* a tenth of it is expected; with sanitizers, on a busy machine, more */
#define MEMORY_MAX ((size_t)16 * 1024 * 1024)

/* What was read, and what was said of it. */
struct result {
	struct arena *arena;
	struct findings f;
	const struct profile *p;
};

static void parse(struct result *r, const char *text)
{
	r->arena = arena_new();
	findings_init(&r->f, r->arena);
	r->p = profile_parse(text, strlen(text), "test.yaml", &r->f);
	assert_int_equal(r->p == NULL, r->f.errors > 0);
}

static void result_free(struct result *r)
{
	arena_free(r->arena);
}

static const char *first_line(const struct result *r)
{
	return r->f.n ? finding_line(&r->f.list[0], r->arena) : "nothing is told";
}

static size_t count_code(const struct result *r, enum profile_code code)
{
	size_t n = 0;

	for (size_t i = 0; i < r->f.n; i++)
		n += strcmp(r->f.list[i].code, profile_code_name(code)) == 0;
	return n;
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

#define HEAD "handover: 1\n"

static const char *repeat(struct arena *a, const char *fmt, size_t n)
{
	size_t room = strlen(fmt) + 24, used = 0;
	char *text = arena_array(a, n + 1, room);

	for (size_t i = 0; i < n; i++) {
		const char *number = arena_fmt(a, "%zu", i);

		for (const char *c = fmt; *c; c++) {
			if (*c != '#') {
				text[used++] = *c;
				continue;
			}
			memcpy(text + used, number, strlen(number));
			used += strlen(number);
		}
	}
	return text;
}

static const char *make_bytes(struct arena *a, size_t n)
{
	char *text = arena_alloc(a, n + 1);

	memset(text, ' ', n);
	memcpy(text, HEAD "#", strlen(HEAD "#"));
	return text;
}

static const char *make_depth(struct arena *a, size_t n)
{
	return arena_fmt(a, "handover: %s1%s\n", repeat(a, "[", n - 1), repeat(a, "]", n - 1));
}

static const char *make_nodes(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "pre-start: [%s]\n", repeat(a, "a,", n - 5));
}

static const char *make_keys(struct arena *a, size_t n)
{
	return repeat(a, "key#: 1\n", n);
}

static const char *make_devices(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "devices:\n%s", repeat(a, "  d#: {id: \"8086:1234\"}\n", n));
}

static const char *make_steps(struct arena *a, size_t n)
{
	return arena_fmt(a, "%spre-start:\n%s", make_devices(a, 1), repeat(a, "  - bind: d0\n", n));
}

static const char *make_after_network(struct arena *a, size_t n)
{
	return arena_fmt(a, "%safter-network:\n%s", make_devices(a, 1), repeat(a, "  - check: d0\n", n));
}

static const char *make_words(struct arena *a, size_t n)
{
	return arena_fmt(a, "%spre-start:\n  - bind: [%s]\n", make_devices(a, PROFILE_DEVICES_MAX),
			 repeat(a, "d#,", n));
}

static const char *make_accepted(struct arena *a, size_t n)
{
	return arena_fmt(a, "%saccept: {console: [%s]}\n", make_devices(a, PROFILE_DEVICES_MAX), repeat(a, "d#,", n));
}

static const char *make_name(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "name: %s\n", repeat(a, "n", n));
}

static const char *make_device_name(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "devices: {%s: {hostpci: 1}}\n", repeat(a, "n", n));
}

static const char *make_driver(struct arena *a, size_t n)
{
	return arena_fmt(a, "%spre-start:\n  - bind: d0\n    driver: %s\n", make_devices(a, 1), repeat(a, "n", n));
}

static const char *make_command(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "pre-start:\n  - run: /%s\n", repeat(a, "n", n - 1));
}

static const char *make_argument(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "pre-start:\n  - run: [/bin/n, %s]\n", repeat(a, "n", n));
}

static const char *make_arguments(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "pre-start:\n  - run: [%s]\n", repeat(a, "/bin/n,", n));
}

static const char *make_hostpci(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "devices: {d: {hostpci: %zu}}\n", n);
}

static const char *make_hosts(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "hosts:\n%s", repeat(a, "  - {node: n#, devices: {}}\n", n));
}

static const char *make_host_names(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "hosts:\n  - {node: [%s], devices: {}}\n", repeat(a, "n#,", n));
}

static const char *make_host_devices(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "devices: {d0: {hostpci: 0}}\nhosts:\n  - {node: h, devices: {%s}}\n",
			 repeat(a, "d#: {hostpci: 0}, ", n));
}

static const char *make_dmi(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "hosts: [{dmi: %s, devices: {}}]\n", repeat(a, "n", n));
}

static const char *make_base_name(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "extends: %s\n", repeat(a, "n", n));
}

/* A profile that has n of something: with max of it this is not told, with one more it is. */
static const struct limit {
	const char *(*make)(struct arena *a, size_t n);
	size_t max;
	enum profile_code code;
	bool loads;		/* with max */
} limits[] = {
	{ make_bytes, PROFILE_BYTES_MAX, CODE_PROFILE_TOO_LARGE, true },
	{ make_depth, YAML_DEPTH_MAX, CODE_TOO_DEEP, false },
	{ make_nodes, YAML_NODES_MAX, CODE_TOO_MANY_NODES, false },
	{ make_keys, YAML_KEYS_MAX, CODE_TOO_MANY_KEYS, false },
	{ make_devices, PROFILE_DEVICES_MAX, CODE_TOO_MANY_DEVICES, true },
	{ make_steps, PROFILE_STEPS_MAX, CODE_TOO_MANY_STEPS, true },
	{ make_after_network, PROFILE_STEPS_MAX, CODE_TOO_MANY_STEPS, true },
	{ make_words, PROFILE_WORDS_MAX, CODE_TOO_MANY_WORDS, true },
	{ make_accepted, PROFILE_WORDS_MAX, CODE_TOO_MANY_WORDS, true },
	{ make_name, PROFILE_NAME_MAX, CODE_TOO_LONG, true },
	{ make_device_name, PROFILE_WORD_MAX, CODE_TOO_LONG, true },
	{ make_driver, PROFILE_WORD_MAX, CODE_TOO_LONG, true },
	{ make_command, PROFILE_COMMAND_MAX, CODE_TOO_LONG, true },
	{ make_argument, PROFILE_COMMAND_MAX, CODE_TOO_LONG, true },
	{ make_arguments, PROFILE_WORDS_MAX, CODE_TOO_MANY_WORDS, true },
	{ make_hostpci, 15, CODE_BAD_NUMBER, true },
	{ make_hosts, PROFILE_HOSTS_MAX, CODE_TOO_MANY_HOSTS, true },
	{ make_host_names, PROFILE_WORDS_MAX, CODE_TOO_MANY_WORDS, true },
	{ make_host_devices, PROFILE_DEVICES_MAX, CODE_TOO_MANY_DEVICES, true },
	{ make_dmi, PROFILE_DMI_MAX, CODE_TOO_LONG, true },
	{ make_base_name, PROFILE_WORD_MAX, CODE_TOO_LONG, true },
};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

static void each_limit_is_told_at_one_more_and_not_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < LIMITS; i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct result r;

		parse(&r, limits[i].make(a, limits[i].max));
		if (limits[i].loads != (r.p != NULL) || count_code(&r, limits[i].code))
			fail_msg("limit %zu, '%s', at its most: %s", i, profile_code_name(limits[i].code),
				 first_line(&r));
		result_free(&r);
		parse(&r, limits[i].make(a, limits[i].max + 1));
		if (count_code(&r, limits[i].code) != 1 || (limits[i].loads && r.f.n != 1))
			fail_msg("limit %zu, '%s', and one more: %s", i, profile_code_name(limits[i].code),
				 first_line(&r));
		result_free(&r);
	}
}

/* --- the worst ---------------------------------------------------------------------------------------------------- */

static const char *pad(struct arena *a, const char *head, const char *unit)
{
	size_t n = strlen(head), len = strlen(unit);
	char *text = arena_alloc(a, PROFILE_BYTES_MAX + 1);

	memcpy(text, head, n);
	for (; n + len <= PROFILE_BYTES_MAX; n += len)
		memcpy(text + n, unit, len);
	return text;
}

#define LONG_WORD "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"

/* Long names, and thousands of words as long that are none of them. */
static const char *make_far_words(struct arena *a)
{
	const char *step = arena_fmt(a, "- bind: [%s]\n", repeat(a, "x" LONG_WORD "#,", 50));

	return arena_fmt(a, HEAD "devices:\n%spre-start:\n%s", repeat(a, "  z" LONG_WORD "#: {hostpci: 0}\n", 64),
			 repeat(a, step, 60));
}

static void fast(const char *what, const char *text)
{
	struct timespec start, end;
	struct result r;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &start);
	parse(&r, text);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	if (ms > SLOW_MS || arena_used(r.arena) > MEMORY_MAX)
		fail_msg("'%s' took %ld ms and %zu bytes", what, ms, arena_used(r.arena));
	result_free(&r);
}

static void the_worst_input_takes_little_time_and_memory(void **state)
{
	static const char *const units[][2] = {
		{ "", "[" }, { "", "{" }, { "", "- " }, { "", "? " }, { "", "a" }, { "", "1" }, { "", "a:\n" },
		{ "[", "a," },
		{ "{", "a," }, { "", "- \n" }, { "", "\n" }, { "", "#\n" }, { "", ":" }, { "", "&a " }, { "[", "*a," },
		{ "", "'" }, { "", "\t" }, { "", "%TAG !a! b\n" }, { "a: 1\n...\n", "%TAG !a! b\n" }, { "", "[{" },
		{ HEAD "name: ", "1_" }, { HEAD "name: 1", ":59" }, { HEAD "name: \"", "\\x07" },
		{ HEAD "pre-start:\n", "- {a: 1, b: 2}\n" }, { HEAD "pre-start:\n- bind: [", "1," },
		{ HEAD "accept:\n", "  a: [a, b, c, d]\n" }, { HEAD "name: |\n", " a\n" }, { "", "\"a\" " },
	};
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		fast(units[i][1], pad(a, units[i][0], units[i][1]));
	fast("many tag handles", repeat(a, "%TAG !a#! b\n", 14000));
	fast("many tag handles below", arena_fmt(a, "a: 1\n...\n%s", repeat(a, "%TAG !a#! b\n", 14000)));
	fast("many keys", repeat(a, "k#:\n", 20000));
	fast("devices of many hosts", arena_fmt(a, HEAD "hosts:\n%s", repeat(a,
	     arena_fmt(a, "  - {node: h, devices: {%s}}\n", repeat(a, "d#: {hostpci: 0},", 64)), 64)));
	fast("words that are near nothing", make_far_words(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_is_told_at_one_more_and_not_before),
		cmocka_unit_test(the_worst_input_takes_little_time_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
