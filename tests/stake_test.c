/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a stake hangs, and how its evidence is written. */
#include "support.h"

#include "core/holder.h"
#include "core/stake.h"

#define SLOT "../../devices/pci0000:00/0000:00:1c.0/0000:05:00.0"

static void a_stake_hangs_on_every_device_on_the_way(void **state)
{
	struct stake disk = { .path = SLOT "/usb3/3-2/3-2.1/3-2.1:1.0/host6/target6:0:0/6:0:0:0/block/sdf" };
	struct stake folder = { .path = "/devices//pci0000:00/0000:00:1f.6/" };

	(void)state;
	assert_true(stake_is_on(&disk, "0000:00:1c.0"));
	assert_true(stake_is_on(&disk, "0000:05:00.0"));
	assert_true(stake_is_on(&disk, "3-2"));
	assert_true(stake_is_on(&disk, "3-2.1"));
	assert_true(stake_is_on(&disk, "sdf"));
	/* Who writes a path by hand may leave the hubs out. */
	assert_true(path_is_on(SLOT "/usb3/3-2.1.4/3-2.1.4:1.0", "3-2"));
	assert_false(path_is_on(SLOT "/usb3/3-20/3-20.1", "3-2"));
	assert_false(path_is_on(SLOT "/usb3/3-2/3-2:1.0", "3-2.1"));
	assert_true(stake_is_on(&folder, "0000:00:1f.6"));
	assert_false(stake_is_on(&folder, ""));
	assert_false(stake_is_on(&disk, "0000:05:00"));
	assert_false(stake_is_on(&disk, "0000:05:00.00"));
	assert_false(stake_is_on(&disk, "3-2.1:1"));
	assert_false(stake_is_on(&disk, "sd"));
}

static void the_last_function_of_a_path_is_the_one_that_has_it(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(path_function(SLOT "/nvme/nvme0/nvme0n1", a), "0000:05:00.0");
	assert_string_equal(path_function("/devices/pci0000:00/10000:e1:00.0", a), "10000:e1:00.0");
	assert_null(path_function("../../devices/pci0000:00/pci0000:00", a));
	assert_null(path_function("../../devices/virtual/block/dm-0", a));
	assert_null(path_function("", a));
}

static void the_last_usb_device_of_a_path_is_the_one_that_has_it(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(path_usb(SLOT "/usb3/3-2/3-2.1/3-2.1:1.0/host6/target6:0:0/6:0:0:0/block/sdf", a), "3-2.1");
	assert_string_equal(path_usb("../../devices/pci0000:00/0000:00:14.0/usb1/1-3", a), "1-3");
	assert_null(path_usb(SLOT "/nvme/nvme0/nvme0n1", a));
	assert_null(path_usb("", a));
}

static void evidence_is_one_line_and_what_is_added_stays(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct stakes s = { .arena = a };

	(void)state;
	for (int i = 0; i < 100; i++)
		stake_add(&s, "console", SLOT, "fb0", i % 2 ? "leave\tit" : NULL, "%s %d",
			  "a\nb\033[2J\177\303\244\342\200\256\302\233\377", i);
	assert_int_equal(s.n, 100);
	assert_string_equal(s.list[99].what, "a?b?[2J?\303\244??? 99");
	assert_string_equal(s.list[99].remedy, "leave it");
	assert_null(s.list[0].remedy);
	assert_string_equal(s.list[0].code, "console");
	assert_string_equal(s.list[0].path, SLOT);
	assert_string_equal(s.list[0].name, "fb0");
}

/* --- who has a node open ----------------------------------------------------------------------------------------- */

/* Counts what is asked; each answer takes its time. */
struct busy {
	struct host host, *sim;
	unsigned lists, reads;
	int64_t ms, now;
};

static ssize_t busy_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct busy *b = (struct busy *)h;

	b->reads++;
	b->now += b->ms;
	return b->sim->ops->read(b->sim, name, buf, size);
}

static int busy_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	struct busy *b = (struct busy *)h;

	b->lists++;
	return b->sim->ops->list(b->sim, name, a, names, n);
}

static int64_t busy_now(struct host *h)
{
	return ((struct busy *)h)->now;
}

static const struct host_ops busy_ops = { .read = busy_read, .list = busy_list, .now = busy_now };

static void a_process_is_told_with_what_it_works_for(void **state)
{
	static const struct { const char *line, *text, *remedy; unsigned guest; } cases[] = {
		{ "733 user@1000.service pipewire", "process 733 (pipewire) of user@1000.service", "stop user@1000.service first", 0 },
		{ "4711 101.scope kvm", "process 4711 (kvm) of VM 101 (101.scope)", "stop VM 101 first", 101 },
		{ "52 lxc/105 jellyfin", "process 52 (jellyfin) of container 105", "stop container 105 first", 105 },
		{ "12 - dd if=x", "process 12 (dd if=x)", "end process 12 first", 0 },
		{ "13 a/b", "process 13 (?) of a/b", "end process 13 first", 0 },
		{ "14", "process 14 (?)", "end process 14 first", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_host_ struct host *h = sim_new();
		struct holder_look look = { .host = h, .arena = a };
		struct holder_process *list;
		size_t n;

		sim_set(h, "holder/dev/snd/controlC0", arena_fmt(a, "%s\n99 - other\n", cases[i].line));
		assert_int_equal(holder_ask(&look, "dev/snd/controlC0", &list, &n), 0);
		assert_int_equal(n, 2);
		assert_string_equal(list[0].text, cases[i].text);
		assert_string_equal(list[0].remedy, cases[i].remedy);
		assert_int_equal(list[0].guest, cases[i].guest);
		assert_string_equal(list[1].pid, "99");
	}
}

static void more_holders_than_are_read_are_whole_ones(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *h = sim_new();
	struct holder_look look = { .host = h, .arena = a };
	char *text = arena_alloc(a, HOLDER_BYTES * 2), *at = text;
	struct holder_process *list;
	size_t n;

	(void)state;
	while (at - text < HOLDER_BYTES + 100)
		at = stpcpy(at, "4711 user@1000.service pipewire\n");
	sim_set(h, "holder/dev/sda", text);
	assert_int_equal(holder_ask(&look, "dev/sda", &list, &n), 0);
	assert_int_equal(n, (HOLDER_BYTES - 1) / strlen("4711 user@1000.service pipewire\n"));
	assert_string_equal(list[n - 1].text, "process 4711 (pipewire) of user@1000.service");
}

/* Each list and each read goes through all processes. */
static void only_nodes_that_somebody_has_open_are_asked_for(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *sim = sim_new();
	struct busy b = { { &busy_ops }, .sim = sim };
	struct holder_look look = { .host = &b.host, .arena = a };
	struct holder_process *list;
	size_t n;

	(void)state;
	sim_set(sim, "holder/dev/sda", "1 - x");
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(holder_ask(&look, arena_fmt(a, "dev/sdb%u", i), &list, &n), 0);
		assert_int_equal(holder_ask(&look, arena_fmt(a, "dev/vfio/%u", i), &list, &n), 0);
		assert_int_equal(n, 0);
	}
	assert_int_equal(b.lists, 1);
	assert_int_equal(b.reads, 0);
}

static void all_questions_together_take_a_bounded_time(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *sim = sim_new();
	struct busy b = { { &busy_ops }, .sim = sim, .ms = 2000 };
	struct holder_look look = { .host = &b.host, .arena = a };
	struct holder_process *list;
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		sim_set(sim, arena_fmt(a, "holder/dev/sd%u", i), "1 - x");
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(holder_ask(&look, arena_fmt(a, "dev/sd%u", i), &list, &n),
				 i < HOLDER_ASK_MS / 2000 ? 0 : -ETIMEDOUT);
	assert_int_equal(b.now, HOLDER_ASK_MS);
}

static void what_cannot_be_asked_is_not_nobody(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *h = sim_new();
	struct stakes s = { .host = h, .arena = a };
	struct holder_process *list;
	size_t n;

	(void)state;
	stake_holders(&s, "dev/sda", SLOT "/sda", "sda", &list, &n);
	assert_int_equal(s.n, 0);
	sim_make_folder(h, "holder/dev/mtd0");
	s = (struct stakes){ .host = h, .arena = a };
	stake_holders(&s, "dev/mtd0", SLOT "/mtd0", "mtd0", &list, &n);
	assert_int_equal(n, 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].code, "holders-unreadable");
	assert_string_equal(s.list[0].what, "it is not known who has /dev/mtd0 open, which is on 0000:05:00.0: Is a directory");
	sim_remove(h, "holder/dev");
	sim_set(h, "holder/dev", "");
	s = (struct stakes){ .host = h, .arena = a };
	stake_holders(&s, "dev/vfio/7", SLOT, "x", &list, &n);
	assert_int_equal(s.n, 1);
}

/* --- consoles ------------------------------------------------------------------------------------------------------ */

static ssize_t mute_read(struct host *h, const char *name, char *buf, size_t size)
{
	if (strcmp(name, "sys/class/tty/console/active") == 0 || strcmp(name, "sys/class/vtconsole/vtcon1/bind") == 0)
		return -ETIMEDOUT;
	return ((struct busy *)h)->sim->ops->read(((struct busy *)h)->sim, name, buf, size);
}

static int plain_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	return ((struct busy *)h)->sim->ops->list(((struct busy *)h)->sim, name, a, names, n);
}

static ssize_t plain_link(struct host *h, const char *name, char *buf, size_t size)
{
	return ((struct busy *)h)->sim->ops->link(((struct busy *)h)->sim, name, buf, size);
}

/* A graphics card whose driver hangs while it lets go keeps the lock of all consoles. */
static void consoles_that_are_not_told_are_not_none(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *sim = host_from(
		"handover-host: 1\nsource: made: consoles\n"
		"P: /devices/pci0000:00/0000:00:02.0\nA: class=0x030000\nA: vendor=0x8086\nA: device=0x3e92\n"
		"P: /devices/pci0000:00/0000:00:02.0/graphics/fb0\n"
		"P: /devices/pci0000:00/0000:00:16.3\nA: class=0x070002\nA: vendor=0x8086\nA: device=0xa363\n"
		"P: /devices/pci0000:00/0000:00:16.3/tty/ttyS4\n"
		"P: /class/graphics\nL: fb0=../../devices/pci0000:00/0000:00:02.0/graphics/fb0\n"
		"P: /class/tty\nL: ttyS4=../../devices/pci0000:00/0000:00:16.3/tty/ttyS4\nL: console=../../devices/virtual/tty/console\n"
		"P: /devices/virtual/tty/console\nA: active=tty0\n"
		"P: /class/vtconsole\nL: vtcon1=../../devices/virtual/vtconsole/vtcon1\n"
		"P: /devices/virtual/vtconsole/vtcon1\nA: name=(M) frame buffer device\nA: bind=0\n");
	static const struct host_ops ops = { .read = mute_read, .list = plain_list, .link = plain_link };
	struct busy b = { { &ops }, .sim = sim };
	struct inventory inv;
	struct error err;
	struct stakes s = { .host = sim, .inventory = &inv, .arena = a };

	(void)state;
	assert_int_equal(inventory_read(sim, a, &inv, &err), 0);
	stakes_console(&s);
	assert_int_equal(s.n, 0);
	s.host = &b.host;
	stakes_console(&s);
	assert_int_equal(s.n, 2);
	assert_true(stake_is_on(&s.list[0], "0000:00:02.0"));
	assert_string_equal(s.list[1].what, "ttyS4 -> 0000:00:16.3 may be the host's serial console: the kernel does not answer "
					    "which one is");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stake_hangs_on_every_device_on_the_way),
		cmocka_unit_test(the_last_function_of_a_path_is_the_one_that_has_it),
		cmocka_unit_test(the_last_usb_device_of_a_path_is_the_one_that_has_it),
		cmocka_unit_test(evidence_is_one_line_and_what_is_added_stays),
		cmocka_unit_test(a_process_is_told_with_what_it_works_for),
		cmocka_unit_test(more_holders_than_are_read_are_whole_ones),
		cmocka_unit_test(only_nodes_that_somebody_has_open_are_asked_for),
		cmocka_unit_test(all_questions_together_take_a_bounded_time),
		cmocka_unit_test(what_cannot_be_asked_is_not_nobody),
		cmocka_unit_test(consoles_that_are_not_told_are_not_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
