/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The base library: memory, errors, findings, text and numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/str.h"
#include "base/text.h"
#include "base/tree.h"
#include "base/waits.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* --- arena ------------------------------------------------------------------------------------------------------- */

static void memory_is_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 17, 4096, 64 * 1024, 64 * 1024 + 1, 1 << 20 };
	_cleanup_arena_ struct arena *a = arena_new();
	size_t given = 0;

	(void)state;
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < COUNT(sizes); i++) {
			unsigned char *p = arena_alloc(a, sizes[i]);

			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xff, sizes[i]);
			given += sizes[i];
			assert_true(arena_used(a) >= given);
		}
}

static void an_array_grows_when_its_room_is_used(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	uint64_t *list = NULL;

	(void)state;
	for (size_t n = 0; n < 100; n++) {
		uint64_t *before = list;
		bool full = n == 0 || n == 4 || n == 8 || n == 16 || n == 32 || n == 64;

		list = arena_grow(a, list, n, sizeof(*list));
		assert_int_equal(list != before, full);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(list[i], i * 7);
		list[n] = n * 7;
	}
}

/* Had a list less room than it says, one would overwrite the other. */
static void lists_that_grow_together_do_not_touch(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	uint64_t *x = NULL, *y = NULL;

	(void)state;
	for (size_t n = 0; n < 40; n++) {
		x = arena_grow(a, x, n, sizeof(*x));
		y = arena_grow(a, y, n, sizeof(*y));
		x[n] = n;
		y[n] = ~n;
		for (size_t i = 0; i <= n; i++) {
			assert_int_equal(x[i], i);
			assert_int_equal(y[i], ~i);
		}
	}
}

static void text_is_copied_and_formatted(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char text[] = "text";
	const char *copy = arena_dup(a, text), *part = arena_dupn(a, text, 2), *none = arena_dupn(a, text, 0);
	char big[5000];

	(void)state;
	text[0] = 'x';
	assert_string_equal(copy, "text");
	assert_string_equal(part, "te");
	assert_string_equal(none, "");
	assert_string_equal(arena_fmt(a, "%s-%d", copy, 7), "text-7");
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_string_equal(arena_fmt(a, "%s", big), big);
}

static void a_seal_can_be_taken_off(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t used = arena_used(a);

	(void)state;
	arena_seal(a, true);
	arena_seal(a, false);
	assert_int_equal(used, 0);
	assert_non_null(arena_alloc(a, 1));
	assert_true(arena_used(a) > 0);
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static const char *long_text(char *buf, size_t n)
{
	memset(buf, 'x', n);
	buf[n] = '\0';
	return buf;
}

static void an_error_is_a_code_and_a_sentence(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, -EINVAL, "it is %d", 7), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "it is 7");
	assert_int_equal(error_errno(&err, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "cannot open 'x': No such file or directory");
	assert_int_equal(error_errno(&err, -9999, "cannot"), -9999);
	assert_string_equal(err.text, "cannot: unknown error");
	assert_int_equal(error_in(&err, "device %d", 3), -9999);
	assert_int_equal(err.code, -9999);
	assert_string_equal(err.text, "device 3: cannot: unknown error");
}

static void a_sentence_is_cut_at_its_limit(void **state)
{
	char text[2 * ERROR_MAX + 1];
	struct error err;

	(void)state;
	error_set(&err, -EIO, "%s", long_text(text, ERROR_MAX - 1));
	assert_string_equal(err.text, text);
	error_set(&err, -EIO, "%s", long_text(text, ERROR_MAX));
	assert_int_equal(strlen(err.text), ERROR_MAX - 1);
	error_errno(&err, -EIO, "%s", long_text(text, 2 * ERROR_MAX));
	assert_int_equal(strlen(err.text), ERROR_MAX - 1);
	error_errno(&err, -EIO, "%s", long_text(text, ERROR_MAX - 4));
	assert_string_equal(err.text + ERROR_MAX - 4, ": I");
	error_set(&err, -EIO, "inner");
	error_in(&err, "%s", long_text(text, 2 * ERROR_MAX));
	assert_int_equal(strlen(err.text), ERROR_MAX - 1);
	error_set(&err, -EIO, "inner");
	error_in(&err, "%s", long_text(text, ERROR_MAX - 4));
	assert_string_equal(err.text + ERROR_MAX - 4, ": i");
	assert_int_equal(err.code, -EIO);
}

/* --- findings ---------------------------------------------------------------------------------------------------- */

static void findings_are_kept_up_to_their_limit(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	(void)state;
	findings_init(&f, a);
	for (size_t i = 0; i < FINDINGS_MAX; i++)
		finding_add(&f, i % 2 ? SEVERITY_ERROR : SEVERITY_WARNING, "code", (struct place){ 0 }, NULL, "nr %zu",
			    i);
	assert_int_equal(f.n, FINDINGS_MAX);
	assert_int_equal(f.dropped, 0);
	assert_int_equal(f.errors, FINDINGS_MAX / 2);
	finding_add(&f, SEVERITY_NOTE, "code", (struct place){ 0 }, NULL, "one more");
	assert_int_equal(f.n, FINDINGS_MAX);
	assert_int_equal(f.dropped, 1);
	assert_int_equal(f.errors, FINDINGS_MAX / 2);
	finding_add(&f, SEVERITY_ERROR, "code", (struct place){ 0 }, NULL, "an error more");
	assert_int_equal(f.dropped, 2);
	assert_int_equal(f.errors, FINDINGS_MAX / 2 + 1);
	assert_string_equal(findings_dropped(&f, a), "2 more findings are not shown: 1 warning, 1 note");
}

static void add(struct findings *f, enum severity severity, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		finding_add(f, severity, "code", (struct place){ 0 }, NULL, "%s %zu", what, i);
}

static void what_is_graver_takes_the_place_of_what_is_less_so(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	(void)state;
	findings_init(&f, a);
	add(&f, SEVERITY_NOTE, FINDINGS_MAX, "note");
	assert_null(findings_dropped(&f, a));
	add(&f, SEVERITY_WARNING, 1, "warning");
	add(&f, SEVERITY_ERROR, 1, "error");
	/* The last notes make room, and the order is that in which things were told. */
	assert_int_equal(f.n, FINDINGS_MAX);
	assert_string_equal(f.list[FINDINGS_MAX - 3].what, "note 61");
	assert_string_equal(f.list[FINDINGS_MAX - 2].what, "warning 0");
	assert_string_equal(f.list[FINDINGS_MAX - 1].what, "error 0");
	assert_string_equal(findings_dropped(&f, a), "2 more findings are not shown: 2 notes");
	add(&f, SEVERITY_ERROR, FINDINGS_MAX, "one more");
	assert_int_equal(f.errors, FINDINGS_MAX + 1);
	assert_int_equal(f.warnings, 1);
	assert_string_equal(f.list[0].what, "error 0");
	assert_string_equal(f.list[FINDINGS_MAX - 1].what, "one more 62");
	assert_string_equal(findings_dropped(&f, a), "66 more findings are not shown: 1 error, 1 warning, 64 notes");
}

static void a_finding_is_one_line(void **state)
{
	static const struct { struct place place; enum severity severity; const char *remedy, *line; } cases[] = {
		{ { "a.yaml", 3, 7 }, SEVERITY_ERROR, "do this", "a.yaml:3:7: error: it is 5; do this [some-code]" },
		{ { "a.yaml", 3, 7 }, SEVERITY_WARNING, NULL, "a.yaml:3:7: warning: it is 5 [some-code]" },
		{ { "a.yaml", 0, 0 }, SEVERITY_ERROR, NULL, "a.yaml: error: it is 5 [some-code]" },
		{ { NULL, 3, 7 }, SEVERITY_NOTE, "do this", "note: it is 5; do this [some-code]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct findings f;

		findings_init(&f, a);
		finding_add(&f, cases[i].severity, "some-code", cases[i].place, cases[i].remedy, "it is %d", 5);
		assert_string_equal(finding_line(&f.list[0], a), cases[i].line);
	}
}

/* --- text and numbers -------------------------------------------------------------------------------------------- */

static void absent_text_equals_only_absent_text(void **state)
{
	(void)state;
	assert_true(str_same(NULL, NULL));
	assert_false(str_same(NULL, ""));
	assert_false(str_same("", NULL));
	assert_true(str_same("a", "a"));
	assert_false(str_same("a", "b"));
	assert_true(str_starts("abc", "ab") && str_starts("abc", "") && str_starts("abc", "abc"));
	assert_false(str_starts("ab", "abc"));
	assert_string_equal(str_basename("a/b/c"), "c");
	assert_string_equal(str_basename("c"), "c");
	assert_string_equal(str_basename("a/"), "");
}

static void words_stand_between_spaces_and_tabs(void **state)
{
	char line[] = "\t one  two\tthree four ", empty[] = " \t", *words[4];

	(void)state;
	assert_int_equal(str_words(empty, words, COUNT(words)), 0);
	/* What is behind the last is left out, and does not stick to it. */
	assert_int_equal(str_words(line, words, 3), 3);
	assert_string_equal(words[0], "one");
	assert_string_equal(words[1], "two");
	assert_string_equal(words[2], "three");
	memcpy(line, "\t one  two\tthree four ", sizeof(line));
	assert_int_equal(str_words(line, words, COUNT(words)), 4);
	assert_string_equal(words[3], "four");
}

static void decimals_are_strict(void **state)
{
	static const struct { const char *s; uint64_t max, value; } good[] = {
		{ "0", 0, 0 }, { "7", 7, 7 }, { "10", 10, 10 }, { "18446744073709551615", UINT64_MAX, UINT64_MAX },
	};
	static const struct { const char *s; uint64_t max; } bad[] = {
		{ "", 9 },
		{ "8", 7 },
		{ "11", 10 },
		{ "00", 9 },
		{ "07", 9 },
		{ "+7", 9 },
		{ "-0", 9 },
		{ " 7", 9 },
		{ "7 ", 9 },
		{ "7\n", 9 },
		{ "0x7", 99 },
		{ "7a", 999 },
		{ "1", 0 },
		{ "18446744073709551616", UINT64_MAX },
		{ "184467440737095516150", UINT64_MAX },
		{ "99999999999999999999999", UINT64_MAX },
		{ "\xd9\xa3", 9 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(str_decimal(good[i].s, good[i].max, &v));
		assert_int_equal(v, good[i].value);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		v = 42;
		assert_false(str_decimal(bad[i].s, bad[i].max, &v));
		assert_int_equal(v, 42);
	}
}

static void hex_is_strict(void **state)
{
	static const struct { const char *s; size_t min, max; uint64_t value; } good[] = {
		{ "0", 1, 1, 0 },	{ "00ff", 4, 4, 0xff },
		{ "AbC", 1, 4, 0xabc }, { "ffffffffffffffff", 1, 16, UINT64_MAX },
		{ "", 0, 4, 0 },
	};
	static const struct { const char *s; size_t min, max; } bad[] = {
		{ "", 1, 4 }, { "123", 4, 4 }, { "12345", 4, 4 }, { "0x12", 1, 8 }, { "12g4", 1, 8 }, { "+123", 1, 8 },
		{ " 123", 1, 8 }, { "00000000000000000", 1, 99 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(str_hex(good[i].s, good[i].min, good[i].max, &v));
		assert_int_equal(v, good[i].value);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		v = 42;
		assert_false(str_hex(bad[i].s, bad[i].min, bad[i].max, &v));
		assert_int_equal(v, 42);
	}
}

static void words_are_letters_digits_and_two_marks(void **state)
{
	(void)state;
	assert_true(str_is_word("a", 1) && str_is_word("vfio-pci", 8) && str_is_word("snd_hda_intel", 64));
	assert_true(str_is_word("8139too", 64));
	assert_false(str_is_word("", 8) || str_is_word("ab", 1) || str_is_word("vfio-pci", 7));
	assert_false(str_is_word("-a", 8) || str_is_word("_a", 8) || str_is_word("a b", 8) || str_is_word("a/b", 8));
	assert_false(str_is_word("a.b", 8) || str_is_word("\xc3\xa4", 8) || str_is_word("a\n", 8));
}

static void times_are_strict_and_bounded(void **state)
{
	static const struct {
		const char *text;
		unsigned ms;
	} good[] = {
		{ "1ms", 1 }, { "500ms", 500 }, { "10s", 10000 }, { "45s", 45000 }, { "45000ms", 45000 },
	};
	static const char *const bad[] = {
		"", "s", "ms", "0s", "0ms", "00s", "010s", "46s", "45001ms", "1m", "10", "10 s", " 10s", "10s ", "10S", "10sec",
		"-1s", "+1s", "1.5s", "0x1s", "1e3ms", "99999999999999999999ms", "18446744073709551617ms", "4294967297s",
	};
	unsigned ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(str_duration(good[i].text, 45000, &ms));
		assert_int_equal(ms, good[i].ms);
	}
	ms = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (str_duration(bad[i], 45000, &ms) || ms != 7)
			fail_msg("'%s' is taken for a time", bad[i]);
	assert_true(str_duration("2m", 120000, &ms));
	assert_int_equal(ms, 120000);
	assert_false(str_duration("2m", 119999, &ms));
	assert_true(str_duration("4294967295ms", UINT32_MAX, &ms));
	assert_int_equal(ms, UINT32_MAX);
}

static void a_unit_has_a_name_and_a_suffix(void **state)
{
	static const char *const good[] = {
		"a.service", "getty@tty1.service", "dev-disk-by\\x2dlabel-x.mount", "a.b.socket", "x:y_z-0.target", "a.timer",
		"a.path", "a.slice", "service.service", "-.mount",
	};
	static const char *const bad[] = {
		"", "a", ".service", "a.", "a.servic", "a.Service", "a.service ", "a b.service", "a/b.service", "../a.service",
		"a.service\n", "a*.service", "\xc3\xa4.service", "a.device", "a.scope", "a.service.d",
	};
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!str_is_unit(good[i]))
			fail_msg("'%s' is a unit", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (str_is_unit(bad[i]))
			fail_msg("'%s' is no unit", bad[i]);
	snprintf(name, sizeof(name), "%0247d.service", 0);
	assert_int_equal(strlen(name), 255);
	assert_true(str_is_unit(name));
	snprintf(name, sizeof(name), "%0248d.service", 0);
	assert_false(str_is_unit(name));
}

static void a_usb_device_is_named_by_id_or_port(void **state)
{
	static const char *const ids[] = { "046d:c31c", "046D:C31C", "0000:0000" };
	static const char *const ports[] = { "1-2", "1-2.1", "10-16.4.3.2.1", "999-1", "1-1.2.3.4.5.6" };
	static const char *const neither[] = {
		"", "046d", "046d:", ":c31c", "46d:c31c", "046d:c31", "046d:c31c:", "046d:c31c0", "0046d:c31c", "046g:c31c",
		"046d-c31c", " 046d:c31c", "0x46d:c31c", "1", "1-", "-1", "1.2", "1-2.", "1-2..1", "1-0", "0-1", "01-2", "1-02",
		"1-2-3", "1-2.1.", "1000-1", "1-1000", "usb1", "1-2:1.0", "1-2/..", "1-2.1 ", "1-1.2.3.4.5.6.7",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		assert_true(str_is_usb_id(ids[i]) && !str_is_usb_port(ids[i]));
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		assert_true(str_is_usb_port(ports[i]) && !str_is_usb_id(ports[i]));
	for (size_t i = 0; i < sizeof(neither) / sizeof(*neither); i++)
		if (str_is_usb_id(neither[i]) || str_is_usb_port(neither[i]))
			fail_msg("'%s' names no USB device", neither[i]);
}

static void distance_counts_letters_that_must_change(void **state)
{
	(void)state;
	assert_int_equal(str_distance("", "", 2), 0);
	assert_int_equal(str_distance("abc", "abc", 0), 0);
	assert_int_equal(str_distance("abc", "abd", 2), 1);
	assert_int_equal(str_distance("abc", "ab", 2), 1);
	assert_int_equal(str_distance("abc", "xabc", 2), 1);
	assert_int_equal(str_distance("chekc", "check", 2), 2);
	assert_int_equal(str_distance("kitten", "sitting", 5), 3);
	assert_int_equal(str_distance("kitten", "sitting", 2), 3);
	assert_int_equal(str_distance("abc", "xyz", 1), 2);
	assert_int_equal(str_distance("", "abc", 5), 3);
}

static void words_too_long_are_near_to_nothing(void **state)
{
	char x[66], y[66];

	(void)state;
	long_text(x, 64);
	long_text(y, 64);
	assert_int_equal(str_distance(x, y, 2), 0);
	long_text(x, 65);
	long_text(y, 65);
	assert_int_equal(str_distance(x, y, 2), 3);
}

static void the_nearest_word_is_a_slip_away(void **state)
{
	static const char *const words[] = { "check", "plan", "rehearse", "status", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_string_equal(str_nearest("chekc", words), "check");
	assert_string_equal(str_nearest("pla", words), "plan");
	assert_string_equal(str_nearest("status", words), "status");
	assert_null(str_nearest("pl", words));		/* two away, and short */
	assert_null(str_nearest("frobnicate", words));
	assert_null(str_nearest("", words));
	assert_null(str_nearest("check", none));
}

static void the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_int_equal(str_hash(STR_HASH_START, "", 0), 0xcbf29ce484222325u);
	assert_int_equal(str_hash(STR_HASH_START, "a", 1), 0xaf63dc4c8601ec8cu);
	assert_int_equal(str_hash(STR_HASH_START, "foobar", 6), 0x85944171f73967e8u);
	assert_int_equal(str_hash(str_hash(STR_HASH_START, "foo", 3), "bar", 3), 0x85944171f73967e8u);
}

/* --- addresses --------------------------------------------------------------------------------------------------- */

static void an_address_is_as_sysfs_writes_it(void **state)
{
	static const struct { const char *s; struct bdf bdf; } good[] = {
		{ "0000:00:00.0", { 0, 0, 0, 0 } },
		{ "0000:ff:1f.7", { 0, 0xff, 0x1f, 7 } },
		{ "10000:e1:00.1", { 0x10000, 0xe1, 0, 1 } },
		{ "ffffffff:02:03.4", { 0xffffffff, 2, 3, 4 } },
	};
	static const char *const bad[] = {
		"",
		"00:00.0",
		"000:00:00.0",
		"0000:00:00",
		"0000:00:00.",
		"0000:00:00.8",
		"0000:00:20.0",
		"0000:0:00.0",
		"0000:00:0.0",
		"0000:000:00.0",
		"0000:00:000.0",
		"0000:00:00.00",
		"0000:FF:00.0",
		"0000:00:1F.0",
		"0000:00:00.0 ",
		" 0000:00:00.0",
		"0000:00:00.0\n",
		"0000.00.00.0",
		"123456789:00:00.0",
		"0x00:00:00.0",
		"0000:00:00:0",
		"00000:00:00.0",
		"00010000:e1:00.1",
		"g000:00:00.0",
		":00:00.0",
		"0000::00.0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[BDF_TEXT_MAX];
		struct bdf bdf;

		assert_true(bdf_parse(good[i].s, &bdf));
		assert_int_equal(bdf_compare(&bdf, &good[i].bdf), 0);
		bdf_format(&bdf, text);
		assert_string_equal(text, good[i].s);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bdf bdf = { 1, 2, 3, 4 };

		if (bdf_parse(bad[i], &bdf))
			fail_msg("'%s' is taken", bad[i]);
		assert_true(bdf.domain == 1 && bdf.bus == 2 && bdf.device == 3 && bdf.function == 4);
	}
}

static void addresses_are_ordered_by_their_numbers(void **state)
{
	static const struct bdf order[] = { { 0, 0, 0, 0 },	  { 0, 0, 0, 1 },	  { 0, 0, 1, 0 },
					    { 0, 1, 0, 0 },	  { 0, 0xff, 0, 0 },	  { 1, 0, 0, 0 },
					    { 0x10000, 0, 0, 0 }, { 0xffffffff, 0, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t k = 0; k < COUNT(order); k++) {
			int c = bdf_compare(&order[i], &order[k]);

			assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
			/* The first three are on one bus, and no others. */
			assert_true(bdf_same_bus(&order[i], &order[k]) == (i == k || (i < 3 && k < 3)));
		}
}

static void interfaces_are_named_as_the_kernel_lets_them(void **state)
{
	static const char *const good[] = { "e", "eno1", "enp0s31f6", "fifteen-is-good", "eth0.100", "-", "...", "b\xc3\xbc" };
	static const char *const bad[] = { "", ".", "..", "sixteen-is-a-lot", "a b", "a/b", "a:b", "eth%d", "a\n", "\ta",
					   "\xc3\xa0" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(str_is_interface(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(str_is_interface(bad[i]));
}

/* --- names in order ----------------------------------------------------------------------------------------------- */

#define TREE_NAMES 1000

struct leaf {
	struct branch b;	/* first */
	char name[8];
	bool in;
};

static unsigned tree_depth(const struct branch *b)
{
	unsigned left = b ? tree_depth(b->left) : 0, right = b ? tree_depth(b->right) : 0;

	return b ? 1 + (left > right ? left : right) : 0;
}

static size_t tree_count(const struct branch *b, const char **last)
{
	size_t n;

	if (!b)
		return 0;
	n = tree_count(b->left, last);
	assert_true(!*last || strcmp(*last, b->name) < 0);
	*last = b->name;
	return n + 1 + tree_count(b->right, last);
}

/* In order, with all that are in and no others, and no deeper than twice the logarithm. */
static void assert_tree(struct branch *root, struct leaf *leaves, size_t n_in)
{
	const char *last = NULL;

	assert_int_equal(tree_count(root, &last), n_in);
	assert_true(n_in == 0 || 1u << (tree_depth(root) / 2) <= n_in + 1);
	for (size_t i = 0; i < TREE_NAMES; i++)
		assert_ptr_equal(tree_find(root, leaves[i].name, strlen(leaves[i].name)), leaves[i].in ? &leaves[i].b : NULL);
}

/* The nth to come: as they are counted, backwards, or all over the place. */
static size_t tree_turn(int order, size_t i)
{
	return order == 0 ? i : order == 1 ? TREE_NAMES - 1 - i : i * 379 % TREE_NAMES;
}

static void names_are_found_in_any_order(void **state)
{
	static struct leaf leaves[TREE_NAMES];

	(void)state;
	for (int order = 0; order < 9; order++) {
		struct branch *root = NULL;
		size_t n = 0;

		for (size_t i = 0; i < TREE_NAMES; i++) {
			struct leaf *l = &leaves[tree_turn(order / 3, i)];

			snprintf(l->name, sizeof(l->name), "%zu", (size_t)(l - leaves));
			l->b.name = l->name;
			l->in = true;
			tree_add(&root, &l->b);
			n++;
		}
		assert_tree(root, leaves, n);
		for (size_t i = 0; i < TREE_NAMES; i++) {
			struct leaf *l = &leaves[tree_turn(order % 3, i)];

			l->in = false;
			tree_take(&root, &l->b);
			n--;
			if (i % 97 == 0)
				assert_tree(root, leaves, n);
		}
		assert_null(root);
	}
}

static void text_is_put_together_as_far_as_it_fits(void **state)
{
	char buf[] = "old text";
	struct text t = text_begin(buf, sizeof("a, bc"));

	(void)state;
	assert_string_equal(buf, "");
	assert_int_equal(text_length(&t), 0);
	text_separate(&t, ", ");
	text_add(&t, "%s", "a");
	text_separate(&t, ", ");
	text_add(&t, "%s", "bc");
	assert_string_equal(buf, "a, bc");
	assert_int_equal(text_length(&t), 5);
	text_add(&t, "%c", 'd');
	assert_int_equal(text_length(&t), -E2BIG);
	assert_string_equal(buf, "a, bc");
	text_add(&t, "%s", "");
	assert_int_equal(text_length(&t), -E2BIG);
	t = text_begin(buf, 0);
	text_add(&t, "%s", "");
	assert_int_equal(text_length(&t), -E2BIG);
	assert_string_equal(buf, "a, bc");
}

static bool join(char *entry, void *arg)
{
	text_add(arg, "<%s>", entry);
	return strcmp(entry, "no") != 0;
}

static void text_has_entries(void **state)
{
	static const struct { const char *text, *separator, *seen; int code; } cases[] = {
		{ "", ", ", "", 0 }, { "a", ", ", "<a>", 0 }, { "a b, c", ", ", "<a b><c>", 0 }, { "a b", " ", "<a><b>", 0 },
		{ "abcdefg, h", ", ", "<abcdefg><h>", 0 }, { "abcdefgh, i", ", ", "", -EINVAL }, { "a,b", ", ", "<a>", -EINVAL },
		{ "a, ", ", ", "<a>", -EINVAL }, { "a,", ", ", "<a>", -EINVAL }, { "a ", " ", "<a>", -EINVAL },
		{ "a  b", " ", "<a><><b>", 0 }, { "a, no, b", ", ", "<a><no>", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char seen[64];
		struct text t = text_begin(seen, sizeof(seen));

		assert_int_equal(text_entries(cases[i].text, cases[i].separator, sizeof("abcdefg"), join, &t), cases[i].code);
		assert_string_equal(seen, cases[i].seen);
	}
}

static void a_name_is_found_whole(void **state)
{
	struct branch *root = NULL, a = { .name = "driver" }, b = { .name = "driver_override" };

	(void)state;
	tree_add(&root, &b);
	assert_null(tree_find(root, "driver", 6));
	tree_add(&root, &a);
	assert_ptr_equal(tree_find(root, "driver/bind", 6), &a);
	assert_ptr_equal(tree_find(root, "driver_override", 15), &b);
	assert_null(tree_find(root, "drive", 5));
	assert_null(tree_find(root, "", 0));
}

/* --- waits ------------------------------------------------------------------------------------------------------- */

static void where_a_process_waits_is_its_function_and_who_called_it(void **state)
{
	static const struct { const char *wchan, *stack, *shown; } cases[] = {
		{ "", "", "" },
		{ "0", "", "" },
		{ "0\n", "", "" },
		{ "awkward_remove", "", "awkward_remove" },
		{ "awkward_remove", "[<0>] awkward_remove+0x31/0x50 [awkward]\n[<0>] pci_device_remove+0x36/0xa0\n",
		  "awkward_remove, called by pci_device_remove" },
		{ "snd_card_free", "[<0>] wait_for_completion+0x1/0x2\n[<0>] snd_card_free+0x3/0x4\n",
		  "snd_card_free, called by wait_for_completion, snd_card_free" },
		{ "0", "[<0>] a+0x1/0x2\n[<0>] b+0x1/0x2\n[<0>] c+0x1/0x2", "a, called by b, c" },
		/* Of a stack that cannot be read, or is something else. */
		{ "a", "Permission denied\n\n[<0>]\n[<0>] \n[<0> b\n", "a" },
		{ "a", "[<0>] 1+\n[<0>] 2+\n[<0>] 3+\n[<0>] 4+\n[<0>] 5+\n[<0>] 6+\n[<0>] 7+\n", "a, called by 1, 2, 3, 4" },
	};
	char buf[WAITS_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		waits_shown(cases[i].wchan, cases[i].stack, buf);
		assert_string_equal(buf, cases[i].shown);
	}
}

static void a_long_wait_is_cut_by_whole_functions(void **state)
{
	char stack[2 * WAITS_BYTES + 32] = "[<0>] ", buf[WAITS_BYTES];

	(void)state;
	memset(stack + 6, 'x', 2 * WAITS_BYTES);
	strcat(stack, "+0x1/0x2\n[<0>] b+");
	waits_shown("a", stack, buf);
	assert_string_equal(buf, "a, b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(an_array_grows_when_its_room_is_used),
		cmocka_unit_test(lists_that_grow_together_do_not_touch),
		cmocka_unit_test(text_is_copied_and_formatted),
		cmocka_unit_test(a_seal_can_be_taken_off),
		cmocka_unit_test(an_error_is_a_code_and_a_sentence),
		cmocka_unit_test(a_sentence_is_cut_at_its_limit),
		cmocka_unit_test(findings_are_kept_up_to_their_limit),
		cmocka_unit_test(what_is_graver_takes_the_place_of_what_is_less_so),
		cmocka_unit_test(a_finding_is_one_line),
		cmocka_unit_test(absent_text_equals_only_absent_text),
		cmocka_unit_test(words_stand_between_spaces_and_tabs),
		cmocka_unit_test(decimals_are_strict),
		cmocka_unit_test(hex_is_strict),
		cmocka_unit_test(words_are_letters_digits_and_two_marks),
		cmocka_unit_test(times_are_strict_and_bounded),
		cmocka_unit_test(a_unit_has_a_name_and_a_suffix),
		cmocka_unit_test(a_usb_device_is_named_by_id_or_port),
		cmocka_unit_test(distance_counts_letters_that_must_change),
		cmocka_unit_test(words_too_long_are_near_to_nothing),
		cmocka_unit_test(the_nearest_word_is_a_slip_away),
		cmocka_unit_test(the_hash_is_fnv_1a),
		cmocka_unit_test(interfaces_are_named_as_the_kernel_lets_them),
		cmocka_unit_test(names_are_found_in_any_order),
		cmocka_unit_test(text_is_put_together_as_far_as_it_fits),
		cmocka_unit_test(text_has_entries),
		cmocka_unit_test(a_name_is_found_whole),
		cmocka_unit_test(an_address_is_as_sysfs_writes_it),
		cmocka_unit_test(addresses_are_ordered_by_their_numbers),
		cmocka_unit_test(where_a_process_waits_is_its_function_and_who_called_it),
		cmocka_unit_test(a_long_wait_is_cut_by_whole_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
