/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proxmox's storages: which there are, and where hookscripts are in them. */
#include "support.h"

#include "core/storage_cfg.h"

static struct storages parse(struct arena *a, const char *text)
{
	struct storages s;

	storage_parse(text, a, &s);
	return s;
}

/* The one of that id in a text. */
static struct storage parse_one(struct arena *a, const char *text, const char *id)
{
	struct storages all = parse(a, text);
	const struct storage *s = storage_find(&all, id);

	assert_non_null(s);
	return *s;
}

static void what_the_installer_writes_is_read(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct storages all =
		parse(a, "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\n"
			 "lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\tcontent rootdir,images\n\n");
	const struct storage *local = storage_find(&all, "local"), *lvm = storage_find(&all, "local-lvm");

	(void)state;
	assert_int_equal(all.n, 2);
	assert_string_equal(local->type, "dir");
	assert_true(storage_has_files(local));
	assert_false(local->snippets);
	assert_false(local->shared);
	assert_false(local->disabled);
	assert_null(local->mountpoint);
	assert_string_equal(storage_snippets(local, a), "/var/lib/vz/snippets");
	assert_false(storage_has_files(lvm));
}

static void there_is_a_local_storage_whatever_the_file_says(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char *const texts[] = {
		"", "\n\n", "nonsense", "dir: other\n\tpath /srv\n", "zfspool: local\n\tpool rpool/data\n",
		"dir: local\n\tpath /elsewhere\n\tcontent iso\n", "btrfs: local\n\tpath /var/lib/vz\n\tdisable\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct storage s = parse_one(a, texts[i], "local");

		assert_string_equal(s.type, "dir");
		assert_string_equal(s.path, "/var/lib/vz");
		assert_true(s.snippets);
		assert_false(s.disabled);
	}
}

static void local_needs_no_path_and_is_on_every_node(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct storage s = parse_one(a, "dir: local\n\tnodes pve2\n\tdisable\n\tcontent snippets\n", "local");

	(void)state;
	assert_string_equal(s.path, "/var/lib/vz");
	assert_true(storage_is_of_node(&s, "pve1"));
	assert_true(s.disabled);
}

static void a_section_ends_at_an_empty_line(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct storages all =
		parse(a, "dir: one\n\tpath /one\ndir: two\n\tcontent snippets\n \n# no end either\n\t# nor this\n"
			 "\tnodes a\n\ndir: three\n\tpath /three");

	(void)state;
	assert_null(storage_find(&all, "two"));
	assert_string_equal(storage_find(&all, "one")->path, "/one");
	assert_true(storage_find(&all, "one")->snippets);
	assert_string_equal(storage_find(&all, "one")->nodes, "a");
	/* The last line needs no newline. */
	assert_string_equal(storage_find(&all, "three")->path, "/three");
}

static void what_is_no_header_begins_no_section(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char *const bad[] = {
		"dir", "dir:", ": x1", "dir: a b", " dir: x1", "dir x1:", "dir: x", "dir: -x", "dir: x-", "dir: 1x",
		"dir: a/b", "#dir: x1", "dir: x1\303\244",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(parse(a, arena_fmt(a, "%s\n\tpath /x\n", bad[i])).n, 1);
	assert_string_equal(parse_one(a, "DIR:x1\n\tpath /x\n", "x1").type, "dir");
	assert_string_equal(parse_one(a, "dir:   x_1.b-2  \r\n\tpath /x\r\n", "x_1.b-2").path, "/x");
}

static void the_first_property_and_the_last_section_count(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct storages all = parse(a, "dir: x1\n\tpath /a\n\tpath /b\n\ndir: x1\n\tpath /c\n\tpath /d\n\n");

	(void)state;
	assert_int_equal(all.n, 2);
	assert_string_equal(storage_find(&all, "x1")->path, "/c");
}

static void only_types_of_files_with_a_path_have_snippets(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const struct { const char *type, *path; bool files, shared, mounted; } cases[] = {
		{ "dir", "path /x", true, false, false },     { "btrfs", "path /x", true, false, false },
		{ "nfs", "path /x", true, true, true },	      { "cifs", "path /x", true, true, true },
		{ "cephfs", "path /x", true, true, true },    { "glusterfs", "path /x", true, true, true },
		{ "dir", "server y", false, false, false },   { "dir", "path x", false, false, false },
		{ "dir", "path /", false, false, false },     { "lvm", "path /x", false, false, false },
		{ "zfspool", "path /x", false, false, false }, { "rbd", "pool x", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct storage s = parse_one(a, arena_fmt(a, "%s: x1\n\t%s\n", cases[i].type, cases[i].path), "x1");

		assert_int_equal(storage_has_files(&s), cases[i].files);
		assert_int_equal(s.shared, cases[i].shared);
		assert_int_equal(s.mountpoint != NULL, cases[i].mounted);
	}
}

static void switches_are_read_as_proxmox_reads_them(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const struct { const char *value; bool on; } cases[] = {
		{ "", true }, { " 1", true }, { " yes", true }, { " ON", true }, { " True", true },
		{ " 0", false }, { " no", false }, { " off", false }, { " 2", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *v = cases[i].value;
		struct storage s = parse_one(a, arena_fmt(a, "dir: x1\n\tpath /x\n\tdisable%s\n\tshared%s\n"
							     "\tis_mountpoint%s\n", v, v, v), "x1");

		assert_int_equal(s.disabled, cases[i].on);
		assert_int_equal(s.shared, cases[i].on);
		assert_int_equal(s.mountpoint != NULL, cases[i].on);
	}
	assert_string_equal(parse_one(a, "dir: x1\n\tpath /x/y\n\tis_mountpoint /x\n", "x1").mountpoint, "/x");
}

static void content_and_nodes_are_lists(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct storage s =
		parse_one(a, "dir: x1\n\tpath /x\n\tcontent iso;snippets backup\n\tnodes pve1, pve2\n", "x1");

	(void)state;
	assert_true(s.snippets);
	assert_true(storage_is_of_node(&s, "pve1"));
	assert_true(storage_is_of_node(&s, "pve2"));
	assert_false(storage_is_of_node(&s, "pve"));
	assert_false(storage_is_of_node(&s, "pve11"));
	s = parse_one(a, "dir: x1\n\tpath /x\n\tcontent iso,snippetsx,xsnippets\n", "x1");
	assert_false(s.snippets);
	assert_true(storage_is_of_node(&s, "any"));
}

static void snippets_may_be_in_another_folder(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const struct { const char *dirs, *path; } cases[] = {
		{ "snippets=hooks", "/x/hooks" },    { "iso=i,snippets=a/b", "/x/a/b" },
		{ "snippets=a;iso=i", "/x/a" },      { "snippets=a,snippets=b", "/x/b" },
		{ "iso=snippets", "/x/snippets" },   { "snippets=", "/x/snippets" },
		{ "xsnippets=a", "/x/snippets" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *text = arena_fmt(a, "dir: x1\n\tpath /x\n\tcontent-dirs %s\n", cases[i].dirs);
		struct storage s = parse_one(a, text, "x1");

		assert_string_equal(storage_snippets(&s, a), cases[i].path);
	}
}

static void a_volume_is_a_file_of_its_storage(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char *const bad[] = { "", "handover", "local:handover", "local:snippets/", "local:snippets/a/b",
					   "local:iso/x.iso", "nowhere:snippets/x", "lvm1:snippets/x", ":snippets/x" };
	struct storages all = parse(a, "lvm: lvm1\n\tvgname x\n\ndir: x1\n\tpath /x\n\tcontent-dirs snippets=h\n");

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_null(storage_hookscript(&all, bad[i], a));
	assert_string_equal(storage_hookscript(&all, "local:snippets/handover", a), "/var/lib/vz/snippets/handover");
	assert_string_equal(storage_hookscript(&all, "x1:snippets/a b:c", a), "/x/h/a b:c");
}

static void a_file_of_less_than_1_mib_is_read(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char *text = arena_alloc(a, STORAGE_BYTES_MAX + 1);
	struct storages all = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(storage_read(h, a, &all, &err), 0);
	assert_int_equal(all.n, 1);
	memset(text, '#', STORAGE_BYTES_MAX - 1);
	memcpy(text, "dir: x1\n\tpath /x\n\n#", strlen("dir: x1\n\tpath /x\n\n#"));
	sim_set(h, STORAGE_FILE, text);
	assert_int_equal(storage_read(h, a, &all, &err), 0);
	assert_int_equal(all.n, 2);
	/* One byte more is refused, not cut. */
	text[STORAGE_BYTES_MAX - 1] = '#';
	sim_set(h, STORAGE_FILE, text);
	assert_int_equal(storage_read(h, a, &all, &err), -E2BIG);
	assert_contains(err.text, "/etc/pve/storage.cfg");
	assert_int_equal(all.n, 2);
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_installer_writes_is_read),
		cmocka_unit_test(there_is_a_local_storage_whatever_the_file_says),
		cmocka_unit_test(local_needs_no_path_and_is_on_every_node),
		cmocka_unit_test(a_section_ends_at_an_empty_line),
		cmocka_unit_test(what_is_no_header_begins_no_section),
		cmocka_unit_test(the_first_property_and_the_last_section_count),
		cmocka_unit_test(only_types_of_files_with_a_path_have_snippets),
		cmocka_unit_test(switches_are_read_as_proxmox_reads_them),
		cmocka_unit_test(content_and_nodes_are_lists),
		cmocka_unit_test(snippets_may_be_in_another_folder),
		cmocka_unit_test(a_volume_is_a_file_of_its_storage),
		cmocka_unit_test(a_file_of_less_than_1_mib_is_read),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
