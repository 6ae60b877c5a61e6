/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guests of all nodes, by their configurations, and their hookscripts. */
#include "support.h"

#include "core/guests.h"

#define VOLUME "local:snippets/handover"

static const char *value(struct arena *a, const char *text)
{
	return guest_value(text, "hookscript", a);
}

static void only_the_current_configuration_has_values(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(value(a, "name: x\nhookscript: " VOLUME "\n\n[before]\nhookscript: local:snippets/old\n"),
			    VOLUME);
	assert_null(value(a, "name: x\n[PENDING]\nhookscript: " VOLUME "\n"));
	assert_null(value(a, ""));
}

static void a_value_is_trimmed_and_the_last_counts(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(value(a, "hookscript:  local:snippets/a b \t\r\n"), "local:snippets/a b");
	assert_string_equal(value(a, "hookscript:" VOLUME), VOLUME);
	assert_string_equal(value(a, "hookscript: a:snippets/a\nhookscript: " VOLUME "\n"), VOLUME);
}

static void what_is_no_such_line_has_no_value(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char *const bad[] = {
		"#hookscript: " VOLUME, " hookscript: " VOLUME, "hookscripts: " VOLUME, "hookscript " VOLUME,
		"hookscript:", "hookscript: \t", "description: hookscript: " VOLUME,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_null(value(a, bad[i]));
}

static void a_snapshot_may_be_rolled_back_to(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct guest guest = { .vmid = 100 };

	(void)state;
	guest.text = "name: x\n\n[before]\nhookscript: " VOLUME "\n";
	assert_true(guest_names_hookscript(&guest, VOLUME, a));
	guest.text = "[PENDING]\nname: y\n[one]\n[two]\n#x\nhookscript: " VOLUME "\n";
	assert_true(guest_names_hookscript(&guest, VOLUME, a));
	guest.text = "[one]";
	assert_false(guest_names_hookscript(&guest, VOLUME, a));
	guest.text = "hookscript: " VOLUME ".old\n#hookscript: " VOLUME "\n";
	assert_false(guest_names_hookscript(&guest, VOLUME, a));
	/* What cannot be read may name it. */
	guest.text = NULL;
	assert_true(guest_names_hookscript(&guest, VOLUME, a));
}

static void guests_of_all_nodes_are_found(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	struct guests g;
	struct error err;

	(void)state;
	sim_set(h, "proc/sys/kernel/hostname", "pve1.example.org");
	sim_set(h, "etc/pve/nodes/pve1/qemu-server/100.conf", "name: one\n");
	sim_set(h, "etc/pve/nodes/pve1/qemu-server/notes.txt", "x");
	sim_set(h, "etc/pve/nodes/pve2/lxc/200.conf", "hostname: two\n");
	assert_int_equal(guests_read(h, a, &g, &err), 0);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.n_nodes, 2);
	assert_string_equal(g.here, "pve1");
	assert_string_equal(guests_find(&g, 100)->node, "pve1");
	assert_false(guests_find(&g, 100)->container);
	assert_string_equal(guests_find(&g, 200)->node, "pve2");
	assert_true(guests_find(&g, 200)->container);
	assert_string_equal(guests_find(&g, 200)->text, "hostname: two\n");
	assert_null(guests_find(&g, 101));
	host_close(h);
}

static void without_nodes_there_is_no_proxmox(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	struct guests g = { .n = 7 };
	struct error err;

	(void)state;
	assert_int_equal(guests_read(h, a, &g, &err), -ENOENT);
	assert_contains(err.text, "pve-cluster");
	assert_int_equal(g.n, 7);
	host_close(h);
}

static void a_configuration_of_1_mib_is_read(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char *text = arena_alloc(a, GUESTS_CONF_BYTES_MAX + 2);
	struct guests g;
	struct error err;

	(void)state;
	memset(text, 'x', GUESTS_CONF_BYTES_MAX);
	sim_set(h, "etc/pve/nodes/pve1/qemu-server/100.conf", text);
	assert_int_equal(guests_read(h, a, &g, &err), 0);
	assert_int_equal(strlen(guests_find(&g, 100)->text), GUESTS_CONF_BYTES_MAX);
	text[GUESTS_CONF_BYTES_MAX] = 'x';
	sim_set(h, "etc/pve/nodes/pve1/qemu-server/100.conf", text);
	assert_int_equal(guests_read(h, a, &g, &err), 0);
	/* It is there, and cannot be read. */
	assert_null(guests_find(&g, 100)->text);
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_current_configuration_has_values),
		cmocka_unit_test(a_value_is_trimmed_and_the_last_counts),
		cmocka_unit_test(what_is_no_such_line_has_no_value),
		cmocka_unit_test(a_snapshot_may_be_rolled_back_to),
		cmocka_unit_test(guests_of_all_nodes_are_found),
		cmocka_unit_test(without_nodes_there_is_no_proxmox),
		cmocka_unit_test(a_configuration_of_1_mib_is_read),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
