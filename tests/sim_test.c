/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulated kernel answers to a write. The rules of driver_override, bind, unbind and drivers_probe are as a
 * running Linux 6.1 answers; those of new_id and remove_id are as drivers/pci/pci-driver.c has them.
 */
#include "support.h"

#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"
#define BDF "0000:00:02.0"
#define FREE "0000:00:03.0"	/* has no driver, and none matches it */
#define DRIVER DEVICES "/" BDF "/driver"
#define OVERRIDE DEVICES "/" BDF "/driver_override"
#define PROBE "sys/bus/pci/drivers_probe"
#define POWER DEVICES "/" BDF "/power/control"

static struct host *host_make(void)
{
	return host_from(
		"handover-host: 1\nsource: made: a network card, and a function nobody drives\n"
		"P: /devices/pci0000:00/" BDF "\nA: vendor=0x8086\nA: device=0x10d3\nA: class=0x020000\n"
		"A: modalias=pci:nic\nA: driver_override=(null)\nA: power/control=on\nA: reset_method=pm\n"
		"A: numa_node=-1\nL: driver=../../../bus/pci/drivers/e1000e\n"
		"P: /devices/pci0000:00/" FREE "\nA: vendor=0x1234\nA: device=0x5678\nA: class=0x020000\n"
		"A: driver_override=(null)\n"
		"P: /bus/pci/drivers/vfio-pci\nP: /bus/pci/drivers/igc\n"
		"P: /bus/pci/drivers/nic\nL: module=../../../../module/nic_pci\nV: modalias/pci:nic=nic_pci other\n");
}

/* --- bind, unbind, probe ----------------------------------------------------------------------------------------- */

static void a_bound_function_is_not_bound_to_another_driver(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", BDF), -ENODEV);
	/* It matches nic by its modalias, but is bound. */
	assert_int_equal(poke_host(h, DRIVERS "/nic/bind", BDF), -EBUSY);
	assert_int_equal(poke_host(h, OVERRIDE, "vfio-pci"), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", BDF), -EBUSY);
	assert_reads(h, DRIVER, "e1000e");
	host_close(h);
}

static void only_the_driver_that_holds_it_is_unbound(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/unbind", BDF), -ENODEV);
	assert_reads(h, DRIVER, "e1000e");
	assert_int_equal(poke_host(h, DRIVERS "/e1000e/unbind", BDF), 0);
	assert_absent(h, DRIVER);
	assert_false(host_has(h, DRIVERS "/e1000e/" BDF));
	assert_int_equal(poke_host(h, DRIVERS "/e1000e/unbind", BDF), -ENODEV);
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), -ENOENT);
	host_close(h);
}

static void a_function_is_unbound_by_its_own_link(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_absent(h, DRIVER);
	host_close(h);
}

static void a_probe_of_a_bound_function_changes_nothing(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, OVERRIDE, "vfio-pci"), 0);
	assert_int_equal(poke_host(h, PROBE, BDF), 0);
	assert_reads(h, DRIVER, "e1000e");
	host_close(h);
}

static void a_probe_of_what_is_not_there_fails(void **state)
{
	static const char *const bad[] = { "0000:ff:1f.7", "", "00:02.0", "../devices/" BDF, BDF "\n" };
	struct host *h = host_make();

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(poke_host(h, PROBE, bad[i]), -ENODEV);
		assert_int_equal(poke_host(h, DRIVERS "/e1000e/bind", bad[i]), -ENODEV);
		assert_int_equal(poke_host(h, DRIVERS "/e1000e/unbind", bad[i]), -ENODEV);
	}
	host_close(h);
}

static void a_driver_whose_ids_do_not_match_is_not_bound(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", BDF), -ENODEV);
	assert_int_equal(poke_host(h, DRIVERS "/igc/bind", BDF), -ENODEV);
	assert_absent(h, DRIVER);
	/* It matches by nature, or by what its module claims. */
	assert_int_equal(poke_host(h, DRIVERS "/nic/bind", BDF), 0);
	assert_reads(h, DRIVER, "nic");
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, DRIVERS "/e1000e/bind", BDF), 0);
	assert_reads(h, DRIVER, "e1000e");
	assert_true(host_has(h, DRIVERS "/e1000e/" BDF));
	host_close(h);
}

static void a_probe_finds_what_matches(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, PROBE, BDF), 0);
	assert_reads(h, DRIVER, "e1000e");
	/* Nothing matches this one, and that is no error. */
	assert_int_equal(poke_host(h, PROBE, FREE), 0);
	assert_absent(h, DEVICES "/" FREE "/driver");
	host_close(h);
}

/* --- driver_override --------------------------------------------------------------------------------------------- */

static void an_override_shuts_the_matching_driver_out(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, OVERRIDE, "vfio-pci"), 0);
	assert_reads(h, OVERRIDE, "vfio-pci");
	assert_int_equal(poke_host(h, DRIVERS "/e1000e/bind", BDF), -ENODEV);
	assert_int_equal(poke_host(h, PROBE, BDF), 0);
	assert_reads(h, DRIVER, "vfio-pci");
	host_close(h);
}

static void an_override_that_is_cleared_leaves_the_driver(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, OVERRIDE, "vfio-pci"), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", BDF), 0);
	assert_int_equal(poke_host(h, OVERRIDE, ""), 0);
	assert_reads(h, OVERRIDE, "(null)");
	assert_reads(h, DRIVER, "vfio-pci");
	host_close(h);
}

static void an_override_may_name_a_driver_that_is_not_there(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, OVERRIDE, "nosuch"), 0);
	assert_int_equal(poke_host(h, PROBE, BDF), 0);
	assert_absent(h, DRIVER);
	assert_int_equal(poke_host(h, DRIVERS "/nosuch/bind", BDF), -ENOENT);
	assert_int_equal(poke_host(h, OVERRIDE, ""), 0);
	assert_int_equal(poke_host(h, DRIVERS "/e1000e/bind", BDF), 0);
	assert_reads(h, DRIVER, "e1000e");
	host_close(h);
}

static void an_override_of_a_page_is_refused(void **state)
{
	static char value[HOST_VALUE_BYTES];
	struct host *h = host_make();

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	assert_int_equal(poke_host(h, OVERRIDE, "nosuch"), 0);
	assert_int_equal(poke_host(h, OVERRIDE, value), -EINVAL);
	value[HOST_VALUE_BYTES - 2] = '\0';
	assert_int_equal(poke_host(h, OVERRIDE, value), -EINVAL);
	assert_reads(h, OVERRIDE, "nosuch");
	host_close(h);
}

/* --- ids at run time --------------------------------------------------------------------------------------------- */

static void a_new_id_takes_what_is_free_at_once(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/new_id", "1234 5678"), 0);
	assert_reads(h, DEVICES "/" FREE "/driver", "vfio-pci");
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/new_id", "1234 5678"), -EEXIST);
	/* The other one is bound, so it stays; but now both would have it. */
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/new_id", "8086 10d3"), 0);
	assert_reads(h, DRIVER, "e1000e");
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", BDF), 0);
	assert_reads(h, DRIVER, "vfio-pci");
	host_close(h);
}

static void a_new_id_does_not_beat_an_override(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DEVICES "/" FREE "/driver_override", "igc"), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/new_id", "1234 5678"), 0);
	assert_absent(h, DEVICES "/" FREE "/driver");
	host_close(h);
}

static void a_removed_id_matches_no_longer(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/remove_id", "1234 5678"), -ENODEV);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/new_id", "1234 5678"), 0);
	assert_int_equal(poke_host(h, DRIVERS "/igc/remove_id", "1234 5678"), -ENODEV);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/remove_id", "1234 5678"), 0);
	/* What is bound stays. */
	assert_reads(h, DEVICES "/" FREE "/driver", "vfio-pci");
	assert_int_equal(poke_host(h, DEVICES "/" FREE "/driver/unbind", FREE), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", FREE), -ENODEV);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/remove_id", "1234 5678"), -ENODEV);
	host_close(h);
}

static void an_id_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "", "1234", "x y", "1234 x" };
	struct host *h = host_make();

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/new_id", bad[i]), -EINVAL);
		assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/remove_id", bad[i]), -EINVAL);
	}
	host_close(h);
}

static void a_host_with_ids_given_at_boot_keeps_them(void **state)
{
	struct host *h =
		host_from("handover-host: 1\nP: /devices/pci0000:00/" BDF "\nA: vendor=0x8086\nA: device=0x10d3\n"
			  "A: driver_override=(null)\nL: driver=../../../bus/pci/drivers/vfio-pci\n"
			  "P: /devices/pci0000:00/" FREE "\nA: vendor=0x8086\nA: device=0x1234\n"
			  "A: driver_override=vfio-pci\nL: driver=../../../bus/pci/drivers/vfio-pci\n");

	(void)state;
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_int_equal(poke_host(h, PROBE, BDF), 0);
	assert_reads(h, DRIVER, "vfio-pci");
	/* This one had it by its override alone. */
	assert_int_equal(poke_host(h, DEVICES "/" FREE "/driver/unbind", FREE), 0);
	assert_int_equal(poke_host(h, DEVICES "/" FREE "/driver_override", ""), 0);
	assert_int_equal(poke_host(h, PROBE, FREE), 0);
	assert_absent(h, DEVICES "/" FREE "/driver");
	host_close(h);
}

/* --- attributes -------------------------------------------------------------------------------------------------- */

static void what_is_read_only_cannot_be_written(void **state)
{
	static const char *const names[] = { DEVICES "/" BDF "/vendor", DEVICES "/" BDF "/numa_node",
					     DEVICES "/" BDF "/class", DRIVERS "/nic/module" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_make();
	const char *before = host_dump(a, h);

	(void)state;
	/* The last leads to a folder that is not there. */
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(poke_host(h, names[i], "0x1"), i + 1 < COUNT(names) ? -EACCES : -ENOENT);
	assert_int_equal(poke_host(h, DEVICES "/" BDF "/nosuch", "1"), -ENOENT);
	assert_int_equal(poke_host(h, DEVICES "/" BDF "/sriov_numvfs", "1"), -ENOENT);
	assert_string_equal(host_dump(a, h), before);
	host_close(h);
}

static void power_control_is_on_or_auto(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, POWER, "bogus"), -EINVAL);
	assert_int_equal(poke_host(h, POWER, ""), -EINVAL);
	assert_reads(h, POWER, "on");
	assert_int_equal(poke_host(h, POWER, "auto"), 0);
	assert_reads(h, POWER, "auto");
	assert_int_equal(poke_host(h, POWER, "on"), 0);
	assert_reads(h, POWER, "on");
	host_close(h);
}

static void vfio_changes_power_control(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, OVERRIDE, "vfio-pci"), 0);
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_reads(h, POWER, "on");
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", BDF), 0);
	assert_reads(h, POWER, "auto");
	assert_int_equal(poke_host(h, DRIVER "/unbind", BDF), 0);
	assert_reads(h, POWER, "on");
	/* A function without that file is bound as well. */
	assert_int_equal(poke_host(h, DEVICES "/" FREE "/driver_override", "vfio-pci"), 0);
	assert_int_equal(poke_host(h, DRIVERS "/vfio-pci/bind", FREE), 0);
	assert_absent(h, DEVICES "/" FREE "/power/control");
	host_close(h);
}

/* --- modules ----------------------------------------------------------------------------------------------------- */

static void vfio_is_loaded(void **state)
{
	struct host *h = host_load("workstation-4070");

	(void)state;
	assert_absent(h, "module/vfio_pci");
	assert_false(host_has(h, DRIVERS "/vfio-pci"));
	assert_int_equal(poke_host(h, "module/vfio_pci", "load"), 0);
	assert_reads(h, "module/vfio_pci", "live");
	assert_reads(h, DRIVERS "/vfio-pci/module", "vfio_pci");
	assert_true(host_has(h, DRIVERS "/vfio-pci/bind"));
	assert_true(host_has(h, DRIVERS "/vfio-pci/unbind"));
	/* It takes nothing by itself. */
	assert_reads(h, DEVICES "/0000:02:00.0/driver", "nouveau");
	assert_int_equal(poke_host(h, "module/vfio_pci", "load"), 0);
	host_close(h);
}

static void other_modules_are_not_found(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, "module/nosuch", "load"), -ENOENT);
	assert_absent(h, "module/nosuch");
	assert_int_equal(poke_host(h, "module/vfio_pci", "unload"), -ENOENT);
	assert_absent(h, "module/vfio_pci");
	host_close(h);
}

/* --- faults, and what is seen ------------------------------------------------------------------------------------ */

static jmp_buf death;

static void die(void *arg)
{
	++*(int *)arg;
	longjmp(death, 1);
}

static void only_the_nth_write_goes_wrong(void **state)
{
	struct host *h = host_make();

	(void)state;
	assert_int_equal(poke_host(h, POWER, "auto"), 0);
	sim_break(h, 2, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
	assert_int_equal(poke_host(h, POWER, "on"), 0);
	assert_int_equal(poke_host(h, POWER, "auto"), -EIO);
	assert_reads(h, POWER, "on");
	assert_int_equal(poke_host(h, POWER, "auto"), 0);
	assert_int_equal(sim_writes(h), 4);
	sim_break(h, 1, SIM_FAIL_AFTER, -EINVAL, NULL, NULL);
	assert_int_equal(poke_host(h, POWER, "on"), -EINVAL);
	assert_reads(h, POWER, "on");
	sim_break(h, 0, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
	assert_int_equal(poke_host(h, POWER, "auto"), 0);
	host_close(h);
}

static void a_program_dies_before_or_after_its_write(void **state)
{
	static const struct { enum sim_fault fault; const char *reads; } cases[] = { { SIM_DIE_BEFORE, "on" },
										     { SIM_DIE_AFTER, "auto" } };
	static int deaths;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host *volatile h = host_make();

		deaths = 0;
		sim_break(h, 1, cases[i].fault, -EIO, die, &deaths);
		if (setjmp(death) == 0) {
			poke_host(h, POWER, "auto");
			fail_msg("the write returned");
		}
		assert_int_equal(deaths, 1);
		assert_reads(h, POWER, cases[i].reads);
		host_close(h);
	}
}

static void a_write_that_hangs_takes_its_time_and_does_nothing(void **state)
{
	struct host *h = host_make();
	struct host_stuck stuck;
	int64_t before;

	(void)state;
	before = host_now(h);
	sim_break(h, 1, SIM_HANG, -ETIMEDOUT, NULL, NULL);
	assert_int_equal(host_write(h, POWER, "auto", 1234, &stuck), -ETIMEDOUT);
	assert_true(stuck.pid != 0);
	assert_int_equal(host_now(h) - before, 1234);
	assert_reads(h, POWER, "on");
	assert_int_equal(host_write(h, POWER, "auto", 1234, &stuck), 0);
	assert_int_equal(stuck.pid, 0);
	host_close(h);
}

static void time_passes_only_while_waiting(void **state)
{
	struct host *h = host_make();
	int64_t before;

	(void)state;
	before = host_now(h);
	assert_int_equal(poke_host(h, POWER, "auto"), 0);
	assert_int_equal(host_now(h), before);
	assert_int_equal(host_wait(h, 20), 0);
	assert_int_equal(host_now(h), before + 20);
	host_close(h);
}

static void see(void *arg, const char *name, const char *value)
{
	char *seen = arg;

	sprintf(seen + strlen(seen), "%s=%s\n", strrchr(name, '/') + 1, value);
}

static void every_write_is_seen(void **state)
{
	struct host *h = host_make();
	char seen[256] = "";

	(void)state;
	sim_watch(h, see, seen);
	poke_host(h, POWER, "bogus");
	poke_host(h, OVERRIDE, "vfio-pci");
	sim_watch(h, NULL, NULL);
	poke_host(h, OVERRIDE, "");
	assert_string_equal(seen, "control=bogus\ndriver_override=vfio-pci\n");
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bound_function_is_not_bound_to_another_driver),
		cmocka_unit_test(only_the_driver_that_holds_it_is_unbound),
		cmocka_unit_test(a_function_is_unbound_by_its_own_link),
		cmocka_unit_test(a_probe_of_a_bound_function_changes_nothing),
		cmocka_unit_test(a_probe_of_what_is_not_there_fails),
		cmocka_unit_test(a_driver_whose_ids_do_not_match_is_not_bound),
		cmocka_unit_test(a_probe_finds_what_matches),
		cmocka_unit_test(an_override_shuts_the_matching_driver_out),
		cmocka_unit_test(an_override_that_is_cleared_leaves_the_driver),
		cmocka_unit_test(an_override_may_name_a_driver_that_is_not_there),
		cmocka_unit_test(an_override_of_a_page_is_refused),
		cmocka_unit_test(a_new_id_takes_what_is_free_at_once),
		cmocka_unit_test(a_new_id_does_not_beat_an_override),
		cmocka_unit_test(a_removed_id_matches_no_longer),
		cmocka_unit_test(an_id_that_is_none_is_refused),
		cmocka_unit_test(a_host_with_ids_given_at_boot_keeps_them),
		cmocka_unit_test(what_is_read_only_cannot_be_written),
		cmocka_unit_test(power_control_is_on_or_auto),
		cmocka_unit_test(vfio_changes_power_control),
		cmocka_unit_test(vfio_is_loaded),
		cmocka_unit_test(other_modules_are_not_found),
		cmocka_unit_test(only_the_nth_write_goes_wrong),
		cmocka_unit_test(a_program_dies_before_or_after_its_write),
		cmocka_unit_test(a_write_that_hangs_takes_its_time_and_does_nothing),
		cmocka_unit_test(time_passes_only_while_waiting),
		cmocka_unit_test(every_write_is_seen),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
