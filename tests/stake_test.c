/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a stake hangs, and how its evidence is written. */
#include "support.h"

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

static void evidence_is_one_line_and_what_is_added_stays(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct stakes s = { .arena = a };

	(void)state;
	for (int i = 0; i < 100; i++)
		stake_add(&s, "console", SLOT, "fb0", i % 2 ? "leave\tit" : NULL, "%s %d",
			  "a\nb\033[2J\177\303\244", i);
	assert_int_equal(s.n, 100);
	assert_string_equal(s.list[99].what, "a?b?[2J?\303\244 99");
	assert_string_equal(s.list[99].remedy, "leave?it");
	assert_null(s.list[0].remedy);
	assert_string_equal(s.list[0].code, "console");
	assert_string_equal(s.list[0].path, SLOT);
	assert_string_equal(s.list[0].name, "fb0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stake_hangs_on_every_device_on_the_way),
		cmocka_unit_test(the_last_function_of_a_path_is_the_one_that_has_it),
		cmocka_unit_test(evidence_is_one_line_and_what_is_added_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
