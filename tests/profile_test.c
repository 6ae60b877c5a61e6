/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profile loader against the files under tests/profiles. bad/CODE.yaml and bad/CODE-VARIANT.yaml are refused with
 * exactly the lines of the .expected file beside them, good/ loads. To write the expected lines anew, go to bad/ and
 * run, for each X, `profile_load X.yaml >X.expected`; then read the difference.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "core/action.h"
#include "core/profile.h"
#include "core/profile_codes.h"
#include "core/yaml.h"

#define FILE_ROOM ((size_t)PROFILE_BYTES_MAX * 2)
#define SLOW_MS 1000		/* a tenth of it is expected; with sanitizers, on a busy machine, more */

static const char *source_root;

/* --- helpers ----------------------------------------------------------------------------------------------------- */

/* What was read, and what was said of it. */
struct result {
	struct arena *arena;
	struct findings f;
	const struct profile *p;
};

/* From a buffer of exactly that size, so that a byte read beyond it shows. */
static void parse_bytes(struct result *r, const char *text, size_t n, const char *file)
{
	char *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	r->arena = arena_new();
	findings_init(&r->f, r->arena);
	r->p = profile_parse(copy, n, file, &r->f);
	free(copy);
	assert_int_equal(r->p == NULL, r->f.errors > 0);
	assert_int_equal(r->f.n > 0, r->f.errors > 0);
}

static void parse(struct result *r, const char *text)
{
	parse_bytes(r, text, strlen(text), "test.yaml");
}

static void result_free(struct result *r)
{
	arena_free(r->arena);
}

static char *file_text(struct arena *a, const char *path, size_t *n)
{
	char *text = arena_alloc(a, FILE_ROOM);
	FILE *in = fopen(path, "re");

	if (!in)
		fail_msg("cannot open '%s'", path);
	*n = fread(text, 1, FILE_ROOM - 1, in);
	fclose(in);
	return text;
}

static void parse_file(struct result *r, const char *path)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n;
	const char *text = file_text(a, path, &n);

	parse_bytes(r, text, n, str_basename(path));
}

static void parse_good(struct result *r, const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();

	parse_file(r, arena_fmt(a, "%s/tests/profiles/good/%s.yaml", source_root, name));
	for (size_t i = 0; i < r->f.n; i++)
		print_error("%s\n", finding_line(&r->f.list[i], r->arena));
	assert_non_null(r->p);
}

static const char *lines_of(const struct result *r)
{
	const char *text = "";

	for (size_t i = 0; i < r->f.n; i++)
		text = arena_fmt(r->arena, "%s%s\n", text, finding_line(&r->f.list[i], r->arena));
	return text;
}

static size_t count_code(const struct result *r, enum profile_code code)
{
	size_t n = 0;

	for (size_t i = 0; i < r->f.n; i++)
		n += strcmp(r->f.list[i].code, profile_code_name(code)) == 0;
	return n;
}

static void files_find(const char *pattern, glob_t *found)
{
	_cleanup_arena_ struct arena *a = arena_new();

	assert_int_equal(glob(arena_fmt(a, "%s/tests/profiles/%s", source_root, pattern), 0, NULL, found), 0);
	assert_true(found->gl_pathc > 0);
}

/* --- good profiles ----------------------------------------------------------------------------------------------- */

static void all_good_profiles_load(void **state)
{
	glob_t found;

	(void)state;
	files_find("good/*.yaml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct result r;

		parse_file(&r, found.gl_pathv[i]);
		if (!r.p)
			fail_msg("%s", lines_of(&r));
		result_free(&r);
	}
	globfree(&found);
}

static void words_are(const struct words *words, const char *a, const char *b)
{
	assert_int_equal(words->n, b ? 2 : a ? 1 : 0);
	if (a)
		assert_string_equal(words->list[0].s, a);
	if (b)
		assert_string_equal(words->list[1].s, b);
}

static void a_profile_is_read_with_all_its_places(void **state)
{
	const struct device_wish *lpc;
	const struct wish *w;
	struct result r;

	(void)state;
	parse_good(&r, "igpu-audio");
	assert_string_equal(r.p->file, "igpu-audio.yaml");
	assert_string_equal(r.p->name, "UHD 630 and DisplayPort audio to Windows 11");
	assert_int_equal(r.p->n_accepts, 3);
	assert_string_equal(r.p->accepts[0].code, "unverified-isolation");
	words_are(&r.p->accepts[0].devices, "lpc", "audio");
	words_are(&r.p->accepts[1].devices, "lpc", NULL);
	assert_int_equal(r.p->accepts[2].devices.place.line, 3);
	assert_int_equal(r.p->accepts[2].devices.place.column, 70);

	assert_int_equal(r.p->n_devices, 3);
	lpc = profile_device(r.p, "lpc");
	assert_ptr_equal(lpc, &r.p->devices[1]);
	assert_null(profile_device(r.p, "lp"));
	assert_string_equal(lpc->id.s, "8086:a306");
	assert_string_equal(lpc->at.s, "0000:00:1f.0");
	assert_int_equal(lpc->place.line, 6);
	assert_int_equal(lpc->place.column, 3);
	assert_int_equal(lpc->at.place.column, 32);
	assert_int_equal(lpc->hostpci, -1);
	assert_false(lpc->functions_all);

	assert_int_equal(r.p->n_steps[PHASE_PRE_START], 2);
	w = r.p->steps[PHASE_PRE_START];
	assert_ptr_equal(w[0].action, action_find("bind"));
	words_are(&w[0].fields[0], "igpu", "lpc");
	words_are(&w[0].fields[1], NULL, NULL);
	assert_int_equal(w[1].phase, PHASE_PRE_START);
	assert_int_equal(w[1].place.line, 10);
	assert_int_equal(w[1].place.column, 5);
	words_are(&w[1].fields[0], "audio", NULL);
	assert_int_equal(w[1].fields[0].list[0].place.column, 11);
	words_are(&w[1].fields[2], "driver", NULL);
	assert_int_equal(w[1].fields[2].place.line, 11);
	result_free(&r);
}

static void each_selector_is_kept_as_sysfs_writes_it(void **state)
{
	const struct device_wish *w;
	struct result r;

	(void)state;
	parse_good(&r, "selectors");
	w = profile_device(r.p, "long-id");
	assert_string_equal(w->id.s, "10de:2783:1043:8927");
	assert_null(w->at.s);
	w = profile_device(r.p, "slot");
	assert_string_equal(w->at.s, "02:00");
	assert_true(w->functions_all);
	assert_string_equal(profile_device(r.p, "vmd")->at.s, "10000:e1:00.0");
	w = profile_device(r.p, "vm-last");
	assert_int_equal(w->hostpci, 15);
	assert_int_equal(w->hostpci_place.line, 12);
	assert_null(w->id.s);
	assert_int_equal(profile_device(r.p, "vm")->hostpci, 0);
	result_free(&r);
}

static void empty_phases_are_nothing_to_do(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "nothing-to-do");
	assert_string_equal(r.p->name, "nothing: to do");
	assert_int_equal(r.p->n_devices + r.p->n_accepts, 0);
	for (int p = 0; p < PHASES; p++)
		assert_int_equal(r.p->n_steps[p], 0);
	result_free(&r);
}

static void the_order_of_keys_is_free(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "steps-before-devices");
	assert_int_equal(r.p->n_steps[PHASE_PRE_START], 1);
	words_are(&r.p->steps[PHASE_PRE_START][0].fields[0], "gpu", NULL);
	words_are(&r.p->steps[PHASE_PRE_START][0].fields[2], "keep", NULL);
	assert_true(profile_device(r.p, "gpu")->functions_all);
	result_free(&r);
}

static void quotes_blocks_marks_and_line_ends_do_not_matter(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "text-forms");
	assert_string_equal(r.p->name, "one line out of two");
	assert_string_equal(profile_device(r.p, "quoted")->id.s, "8086:1234");
	assert_non_null(profile_device(r.p, "yes"));
	assert_string_equal(profile_device(r.p, "0")->id.s, "8086:1234");
	assert_int_equal(r.p->steps[PHASE_PRE_START][0].fields[0].n, 3);
	result_free(&r);
}

/* --- bad profiles ------------------------------------------------------------------------------------------------ */

static void compare_expected(const char *path, const struct result *r)
{
	size_t n, stem = strlen(path) - strlen(".yaml");
	const char *expected = file_text(r->arena, arena_fmt(r->arena, "%.*s.expected", (int)stem, path), &n);

	assert_string_equal(lines_of(r), expected);
}

static void all_bad_profiles_are_told_as_expected(void **state)
{
	glob_t found;

	(void)state;
	files_find("bad/*.yaml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct result r;

		parse_file(&r, found.gl_pathv[i]);
		compare_expected(found.gl_pathv[i], &r);
		assert_null(r.p);
		result_free(&r);
	}
	globfree(&found);
}

/* CODE.yaml or CODE-VARIANT.yaml says CODE somewhere; of two codes that fit the longer one counts. */
static void each_bad_profile_shows_the_code_it_is_named_after(void **state)
{
	glob_t found;

	(void)state;
	files_find("bad/*.yaml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = str_basename(found.gl_pathv[i]);
		size_t best = 0;
		enum profile_code code = CODE_YAML_SYNTAX;
		struct result r;

		for (int c = 0; c < PROFILE_CODES; c++) {
			const char *text = profile_code_name((enum profile_code)c);
			size_t n = strlen(text);

			if (str_starts(name, text) && (name[n] == '-' || name[n] == '.') && n > best) {
				best = n;
				code = (enum profile_code)c;
			}
		}
		if (!best)
			fail_msg("'%s' is not named after a code", name);
		parse_file(&r, found.gl_pathv[i]);
		if (!count_code(&r, code))
			fail_msg("'%s' does not show its code", name);
		result_free(&r);
	}
	globfree(&found);
}

static void every_line_is_printable_and_has_a_place(void **state)
{
	glob_t found;

	(void)state;
	files_find("bad/*.yaml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct result r;

		parse_file(&r, found.gl_pathv[i]);
		for (size_t k = 0; k < r.f.n; k++) {
			const struct finding *f = &r.f.list[k];
			const char *line = finding_line(f, r.arena);

			assert_true(f->place.line > 0 && f->place.column > 0);
			assert_true(f->severity == SEVERITY_ERROR);
			for (; *line; line++)
				assert_true((unsigned char)*line >= ' ' && *line != 0x7f);
			if (k)
				assert_true(f[-1].place.line <= f->place.line);
		}
		result_free(&r);
	}
	globfree(&found);
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

static const char *make_hostpci(struct arena *a, size_t n)
{
	return arena_fmt(a, HEAD "devices: {d: {hostpci: %zu}}\n", n);
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
	{ make_words, PROFILE_WORDS_MAX, CODE_TOO_MANY_WORDS, true },
	{ make_accepted, PROFILE_WORDS_MAX, CODE_TOO_MANY_WORDS, true },
	{ make_name, PROFILE_NAME_MAX, CODE_TOO_LONG, true },
	{ make_device_name, PROFILE_WORD_MAX, CODE_TOO_LONG, true },
	{ make_driver, PROFILE_WORD_MAX, CODE_TOO_LONG, true },
	{ make_hostpci, 15, CODE_BAD_NUMBER, true },
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
			fail_msg("limit %zu, '%s', at its most: %s", i, profile_code_name(limits[i].code), lines_of(&r));
		result_free(&r);
		parse(&r, limits[i].make(a, limits[i].max + 1));
		if (count_code(&r, limits[i].code) != 1 || (limits[i].loads && r.f.n != 1))
			fail_msg("limit %zu, '%s', and one more: %s", i, profile_code_name(limits[i].code), lines_of(&r));
		result_free(&r);
	}
}

/* The codes that a file here cannot show: profile_actions_test.c brings actions of its own for them. */
static bool is_shown_elsewhere(enum profile_code code)
{
	return code == CODE_TWO_ACTIONS || code == CODE_MISSING_OPTION;
}

static bool is_limit(enum profile_code code)
{
	for (size_t i = 0; i < LIMITS; i++)
		if (limits[i].code == code)
			return true;
	return false;
}

static void every_code_has_a_case(void **state)
{
	bool seen[PROFILE_CODES] = { false };
	glob_t found;

	(void)state;
	files_find("bad/*.yaml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct result r;

		parse_file(&r, found.gl_pathv[i]);
		for (int c = 0; c < PROFILE_CODES; c++)
			seen[c] |= count_code(&r, (enum profile_code)c) > 0;
		result_free(&r);
	}
	globfree(&found);
	for (int c = 0; c < PROFILE_CODES; c++) {
		enum profile_code code = (enum profile_code)c;

		assert_non_null(profile_code_name(code));
		if (!seen[c] && !is_limit(code) && !is_shown_elsewhere(code))
			fail_msg("no bad profile shows '%s'", profile_code_name(code));
	}
}

/* --- hostile and broken input ------------------------------------------------------------------------------------ */

static void a_cut_profile_is_never_half_a_profile(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	glob_t found;

	(void)state;
	files_find("good/*.yaml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		size_t n;
		const char *text = file_text(a, found.gl_pathv[i], &n);

		for (size_t cut = 0; cut < n; cut++) {
			struct result r;

			/* parse_bytes() itself asserts that there is either a profile or an error. */
			parse_bytes(&r, text, cut, "cut.yaml");
			result_free(&r);
		}
	}
	globfree(&found);
}

static void findings_of_others_are_left_alone(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	(void)state;
	findings_init(&f, a);
	finding_add(&f, SEVERITY_ERROR, "other", (struct place){ "z.yaml", 9, 9 }, NULL, "other");
	assert_non_null(profile_parse(HEAD, strlen(HEAD), "test.yaml", &f));
	assert_null(profile_parse("nam: x\n", 7, "test.yaml", &f));
	assert_int_equal(f.n, 3);
	assert_string_equal(f.list[0].code, "other");
}

static const char *pad(struct arena *a, const char *head, const char *unit)
{
	size_t n = strlen(head), len = strlen(unit);
	char *text = arena_alloc(a, PROFILE_BYTES_MAX + 1);

	memcpy(text, head, n);
	for (; n + len <= PROFILE_BYTES_MAX; n += len)
		memcpy(text + n, unit, len);
	return text;
}

static const char *make_far_words(struct arena *a, const char *devices)
{
	static const char word[] = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy#,";

	return arena_fmt(a, "%spre-start:\n%s", devices,
			 repeat(a, arena_fmt(a, "- bind: [%s]\n", repeat(a, word, 2)), 64));
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
	if (ms > SLOW_MS || arena_used(r.arena) > 64 * (size_t)PROFILE_BYTES_MAX)
		fail_msg("'%s' took %ld ms and %zu bytes", what, ms, arena_used(r.arena));
	result_free(&r);
}

static void the_worst_input_takes_little_time_and_memory(void **state)
{
	static const char *const units[][2] = {
		{ "", "[" }, { "", "{" }, { "", "- " }, { "", "? " }, { "", "a" }, { "", "1" }, { "", "a:\n" }, { "[", "a," },
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
	fast("words that are near nothing", make_far_words(a, make_devices(a, PROFILE_DEVICES_MAX)));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_good_profiles_load),
		cmocka_unit_test(a_profile_is_read_with_all_its_places),
		cmocka_unit_test(each_selector_is_kept_as_sysfs_writes_it),
		cmocka_unit_test(empty_phases_are_nothing_to_do),
		cmocka_unit_test(the_order_of_keys_is_free),
		cmocka_unit_test(quotes_blocks_marks_and_line_ends_do_not_matter),
		cmocka_unit_test(all_bad_profiles_are_told_as_expected),
		cmocka_unit_test(each_bad_profile_shows_the_code_it_is_named_after),
		cmocka_unit_test(every_line_is_printable_and_has_a_place),
		cmocka_unit_test(each_limit_is_told_at_one_more_and_not_before),
		cmocka_unit_test(every_code_has_a_case),
		cmocka_unit_test(a_cut_profile_is_never_half_a_profile),
		cmocka_unit_test(findings_of_others_are_left_alone),
		cmocka_unit_test(the_worst_input_takes_little_time_and_memory),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
