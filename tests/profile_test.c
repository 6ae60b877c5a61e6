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

#include "base/str.h"
#include "core/action.h"
#include "core/profile.h"
#include "core/profile_codes.h"

#define FILE_ROOM ((size_t)PROFILE_BYTES_MAX * 2)

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
	assert_null(w->mapping.s);
	w = profile_device(r.p, "mapped-audio");
	assert_string_equal(w->mapping.s, "GPU_2-a");
	assert_string_equal(w->id.s, "10de:22bc");
	assert_null(w->mapped);
	result_free(&r);
}

static void what_an_action_does_is_read_with_its_verb(void **state)
{
	const struct wish *w;
	struct result r;

	(void)state;
	parse_good(&r, "actions");
	w = &r.p->steps[PHASE_PRE_START][5];
	assert_ptr_equal(w->action, action_find("module"));
	assert_string_equal(w->fields[0].verb.s, "unload");
	assert_int_equal(w->fields[0].verb.place.line, 16);
	assert_int_equal(w->fields[0].verb.place.column, 14);
	words_are(&w->fields[0], "nouveau", "nvidia_drm");
	w = r.p->steps[PHASE_POST_STOP];
	assert_null(w[0].fields[0].verb.s);
	assert_string_equal(w[1].fields[0].verb.s, "restart");
	words_are(&w[1].fields[0], "netbird.service", NULL);
	assert_int_equal(r.p->n_steps[PHASE_BOOT], 0);
	result_free(&r);

	parse_good(&r, "boot");
	assert_int_equal(r.p->n_steps[PHASE_BOOT], 6);
	assert_int_equal(r.p->steps[PHASE_BOOT][0].phase, PHASE_BOOT);
	words_are(&r.p->steps[PHASE_BOOT][0].fields[1], "rest", NULL);
	result_free(&r);

	parse_good(&r, "after-network");
	assert_int_equal(r.p->n_steps[AFTER_NETWORK], 4);
	w = r.p->steps[AFTER_NETWORK];
	assert_string_equal(w[0].action->name, "wait");
	words_are(&w[0].fields[2], "5s", NULL);
	words_are(&w[2].fields[0], "netbird.service", NULL);
	assert_string_equal(w[3].action->name, "run");
	assert_int_equal(r.p->n_steps[PHASE_PRE_START], 1);
	result_free(&r);
}

static void empty_phases_are_nothing_to_do(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "nothing-to-do");
	assert_string_equal(r.p->name, "nothing: to do");
	assert_int_equal(r.p->n_devices + r.p->n_accepts, 0);
	for (int p = 0; p < PROFILE_SECTIONS; p++)
		assert_int_equal(r.p->n_steps[p], 0);
	result_free(&r);
	parse_good(&r, "after-network-empty");
	assert_int_equal(r.p->n_steps[AFTER_NETWORK], 0);
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

/* The codes that no small file shows. */
static bool is_shown_elsewhere(enum profile_code code)
{
	return code == CODE_PROFILE_TOO_LARGE || code == CODE_TOO_MANY_NODES || code == CODE_TOO_MANY_KEYS ||
	       code == CODE_TOO_MANY_DEVICES || code == CODE_TOO_MANY_STEPS ||
	       code == CODE_TOO_MANY_HOSTS ||	/* profile_limits_test.c */
	       code == CODE_BASE_MISSING || code == CODE_EXTENDS_CIRCLE || code == CODE_TOO_MANY_BASES ||	/* sharing_test.c */
	       code == CODE_MISSING_OPTION;					/* profile_actions_test.c */
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
		if (!seen[c] && !is_shown_elsewhere(code))
			fail_msg("no bad profile shows '%s'", profile_code_name(code));
	}
}

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
	/* The second line names what the third has, so it is looked at after it. */
	static const char text[] = "handover: 1\naccept: {console: x}\ndevices: {gpu: {}}\n";
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	(void)state;
	findings_init(&f, a);
	finding_add(&f, SEVERITY_ERROR, "other", (struct place){ "z.yaml", 9, 9 }, NULL, "other");
	assert_non_null(profile_parse("handover: 1\n", 12, "test.yaml", &f));
	assert_null(profile_parse(text, strlen(text), "test.yaml", &f));
	assert_int_equal(f.n, 3);
	assert_string_equal(f.list[0].code, "other");
	assert_int_equal(f.list[1].place.line, 2);
	assert_int_equal(f.list[2].place.line, 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_good_profiles_load),
		cmocka_unit_test(a_profile_is_read_with_all_its_places),
		cmocka_unit_test(each_selector_is_kept_as_sysfs_writes_it),
		cmocka_unit_test(what_an_action_does_is_read_with_its_verb),
		cmocka_unit_test(empty_phases_are_nothing_to_do),
		cmocka_unit_test(the_order_of_keys_is_free),
		cmocka_unit_test(quotes_blocks_marks_and_line_ends_do_not_matter),
		cmocka_unit_test(all_bad_profiles_are_told_as_expected),
		cmocka_unit_test(each_bad_profile_shows_the_code_it_is_named_after),
		cmocka_unit_test(every_line_is_printable_and_has_a_place),
		cmocka_unit_test(every_code_has_a_case),
		cmocka_unit_test(a_cut_profile_is_never_half_a_profile),
		cmocka_unit_test(findings_of_others_are_left_alone),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
