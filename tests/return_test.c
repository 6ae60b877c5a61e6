/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How what was lent comes back: network interfaces with their places, USB controllers with what is plugged in, devices
 * that are found anew, and what becomes of a lease where that is not to be had.
 */
#include "life.h"

#include <setjmp.h>

#define AUDIO "0000:00:1f.3"
#define NIC "0000:00:1f.6"
#define USB "0000:77:00.0"
#define MOUSE "sys/devices/pci0000:00/0000:00:02.2/0000:11:00.0/0000:12:02.0/" USB "/usb5/5-1"

#define ACCEPT "accept: {unverified-isolation: it}\n"
#define AUDIO_LENT(back) "handover: 1\n" ACCEPT "devices: {it: {at: \"00:1f.3\"}}\npre-start:\n- bind: it\n  return: " back "\n"
#define NIC_LENT(back) "handover: 1\n" ACCEPT "devices: {it: {at: \"00:1f.6\"}}\npre-start:\n- bind: it\n  return: " back "\n"

/* --- network interfaces ------------------------------------------------------------------------------------------ */

static void a_lent_network_card_comes_back_to_its_place(void **state)
{
	static const char *const texts[] = { NIC_LENT("driver"), NIC_LENT("cycle") };
	static const char *const place[][2] = {
		{ "nic/" NIC "/name", "eno1" }, { "nic/" NIC "/mtu", "9000" }, { "nic/" NIC "/master", "vmbr0" },
		{ "nic/" NIC "/vlans", "7 pvid untagged, 20-22" }, { "nic/" NIC "/up", "up" },
		{ "nic/" NIC "/port", "cost 50, isolated on" }, { "nic/" NIC "/master-mac", "52:54:00:00:00:66" },
		{ "nic/" NIC "/fdb", "52:54:00:00:00:02 vlan 7, 52:54:00:00:00:03 self" },
		{ "nic/" NIC "/addresses", "192.0.2.1/24 brd 192.0.2.255, 2001:db8::1/64" },
		{ "nic/" NIC "/routes", "0.0.0.0/0 via 192.0.2.254 table 100, ::/0 via fe80::1 metric 1024" },
		{ "nic/" NIC "/mac", "52:54:00:00:00:77" }, { "nic/" NIC "/link", "txqlen 500, promisc on" },
		{ "nic/" NIC "/features", "tx-scatter-gather rx-gro" }, { "nic/" NIC "/rings", "rx 512, tx 256" },
		{ "nic/" NIC "/coalesce", "rx-usecs 3" }, { "nic/" NIC "/pause", "autoneg on" },
		{ "nic/" NIC "/eee", "enabled off" }, { "nic/" NIC "/wol", "" }, { "nic/" NIC "/modes", "1000baseT/Full" },
		{ "nic/" NIC "/sysctls", "ipv4/conf/rp_filter 2" },
		{ "nic/" NIC "/altnames", "enp0s31f6 uplink" }, { "nic/" NIC "/alias", "to the switch, port 7" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct life *x = life_booted(host_load("elitedesk"));

		for (size_t k = 0; k < COUNT(place); k++)
			sim_set(x->sim, place[k][0], place[k][1]);
		x->removed = x->scanned = 0;
		life_must_lend(x, 100, texts[i]);
		assert_reads(x->sim, DEVICES "/" NIC "/driver", "vfio-pci");
		for (size_t k = 0; k < COUNT(place); k++)
			assert_absent(x->sim, place[k][0]);
		assert_int_equal(x->removed, 0);
		life_must_end(x, 100);
		assert_reads(x->sim, DEVICES "/" NIC "/driver", "e1000e");
		for (size_t k = 0; k < COUNT(place); k++)
			assert_reads(x->sim, place[k][0], place[k][1]);
		assert_int_equal(x->removed, i);
		assert_int_equal(x->scanned, i);
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

/* As the kernel does where no udev is: another name, and somebody has taken it up already. */
static void rename_it(struct life *x, const char *name, const char *value)
{
	if (strcmp(name, DRIVERS "/e1000e/bind") != 0 || strcmp(value, NIC) != 0)
		return;
	sim_set(x->sim, "nic/" NIC "/name", "eth0");
	sim_set(x->sim, "nic/" NIC "/up", "up");
}

static void an_interface_with_another_name_gets_its_own(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	life_must_lend(x, 100, NIC_LENT("driver"));
	x->after = rename_it;
	life_must_end(x, 100);
	assert_reads(x->sim, "nic/" NIC "/name", "eno1");
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	assert_reads(x->sim, "nic/" NIC "/up", "up");
	life_free(x);
}

/* By then another port's, say of a guest that has started meanwhile. Nothing undoes what is written then, so it is said. */
static void a_bridge_that_is_given_its_address_keeps_it_and_that_is_said(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	sim_set(x->sim, "nic/" NIC "/master-mac", "52:54:00:00:00:66");
	life_must_lend(x, 100, NIC_LENT("driver"));
	life_must_end(x, 100);
	assert_string_equal(life_event(x, EVENT_REACHED, NIC)->text, "");
	life_must_lend(x, 100, NIC_LENT("driver"));
	sim_set(x->sim, "sim/master/vmbr0/mac", "52:54:00:00:00:05");
	life_must_end(x, 100);
	assert_string_equal(life_event(x, EVENT_REACHED, NIC)->text,
			    "its bridge or bond had another address by then, has 52:54:00:00:00:66 again, and keeps that from now on");
	assert_reads(x->sim, "nic/" NIC "/master-mac", "52:54:00:00:00:66");
	life_free(x);
}

/* --- USB controllers --------------------------------------------------------------------------------------------- */

#define USB_LENT(back) "handover: 1\ndevices: {it: {at: \"77:00.0\"}}\npre-start:\n- bind: it\n  return: " back "\n"

static void a_lent_usb_controller_brings_its_devices(void **state)
{
	static const char *const texts[] = { USB_LENT("driver"), USB_LENT("cycle") };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct life *x = life_new(host_load("workstation-4070"));

		assert_reads(x->sim, "usb/" USB "/1:1", "046d:c077");
		life_must_lend(x, 100, texts[i]);
		assert_absent(x->sim, "usb/" USB "/1:1");
		life_must_end(x, 100);
		assert_reads(x->sim, "usb/" USB "/1:1", "046d:c077");
		assert_string_equal(life_event(x, EVENT_REACHED, USB)->text, "");
		life_free(x);
	}
}

/* What somebody has done meanwhile shows once a driver takes the controller. */
static void unplug(struct life *x, const char *name, const char *value)
{
	(void)name, (void)value;
	if (!host_has(x->sim, "sys/bus/usb/devices/5-1"))
		return;
	sim_remove(x->sim, MOUSE);
	sim_remove(x->sim, "sys/bus/usb/devices/5-1");
}

static void plug_another(struct life *x, const char *name, const char *value)
{
	(void)name, (void)value;
	if (host_has(x->sim, "sys/bus/usb/devices/5-1"))
		sim_set(x->sim, MOUSE "/idProduct", "c31c");
}

static void a_usb_device_that_is_gone_is_told_and_no_failure(void **state)
{
	static void (*const changes[])(struct life *, const char *, const char *) = { unplug, plug_another };
	static const char *const texts[] = { USB_LENT("driver"), USB_LENT("cycle") };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct life *x = life_new(host_load("workstation-4070"));
		int64_t begun;

		life_must_lend(x, 100, texts[i / 2]);
		x->after = changes[i % 2];
		begun = host_now(&x->host);
		life_must_end(x, 100);
		assert_reads(x->sim, DEVICES "/" USB "/driver", "xhci_hcd");
		assert_string_equal(life_event(x, EVENT_REACHED, USB)->text,
				    "usb/" USB "/1:1 has not come back as 046d:c077");
		assert_true(host_now(&x->host) - begun <= HOPE_MS);
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

/* --- found anew -------------------------------------------------------------------------------------------------- */

#define BOTH_ENDS \
	"handover: 1\ndevices: {it: {at: \"00:1f.3\"}}\npre-start:\n- cycle: it\npost-stop:\n- cycle: it\n"

static void a_cycle_before_and_one_after_both_happen(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	for (unsigned life = 1; life <= 2; life++) {
		x->removed = x->scanned = 0;
		life_must_lend(x, 100, BOTH_ENDS);
		assert_int_equal(x->removed, 1);
		assert_int_equal(x->scanned, 1);
		life_must_end(x, 100);
		assert_int_equal(x->removed, 2);
		assert_int_equal(x->scanned, 2);
		assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
		assert_reads(x->sim, "group/" AUDIO, AUDIO);
		assert_false(life_has_lease(x, 100));
	}
	/* A second end has nothing to do. */
	assert_int_equal(life_back(x, 100), OUTCOME_DONE);
	assert_false(x->ended);
	assert_int_equal(x->removed, 2);
	life_free(x);
}

static jmp_buf death;
static unsigned scans_left;

static void die_before_a_scan(struct life *x, const char *name, const char *value)
{
	(void)x, (void)value;
	if (strcmp(strrchr(name, '/'), "/rescan") == 0 && scans_left-- == 0)
		longjmp(death, 1);
}

enum run { RUN_OUT, RUN_BACK };

/* One call of the program that is killed before it scans; false if it came to its end. */
static bool killed(struct life *x, enum run run, const char *text)
{
	static struct lender l;
	struct arena *volatile a = arena_new();
	volatile bool died = true;

	scans_left = 0;
	x->before = die_before_a_scan;
	if (run == RUN_OUT)
		life_must_plan(x, 100, text);
	if (setjmp(death) == 0) {
		life_lender(x, &l, a, 100);
		if (run == RUN_OUT)
			lend_out(&l, 100, x->p.profile, 1, &x->p.plan, &x->err);
		else
			lend_back(&l, 100, &x->ended, &x->err);
		died = false;
	}
	x->before = NULL;
	/* As the kernel does for a process that ends. */
	lockset_release(&l.locks);
	arena_free(a);
	return died;
}

static void who_is_killed_while_a_device_is_away_brings_it_back(void **state)
{
	static const struct { const char *text; enum run run; } cases[] = {
		{ BOTH_ENDS, RUN_OUT }, { BOTH_ENDS, RUN_BACK }, { AUDIO_LENT("cycle"), RUN_BACK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = life_booted(host_load("elitedesk"));

		if (cases[i].run == RUN_BACK)
			life_must_lend(x, 100, cases[i].text);
		assert_true(killed(x, cases[i].run, cases[i].text));
		assert_absent(x->sim, "life/" AUDIO);
		assert_true(life_has_lease(x, 100));
		life_must_end(x, 100);
		assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
		assert_reads(x->sim, "group/" AUDIO, AUDIO);
		assert_reads(x->sim, DEVICES "/" AUDIO "/power/control", "auto");
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

static void a_device_that_has_gone_is_not_looked_for(void **state)
{
	static const char *const texts[] = { AUDIO_LENT("cycle"), AUDIO_LENT("driver"), AUDIO_LENT("keep") };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct life *x = life_booted(host_load("elitedesk"));
		unsigned writes;

		life_must_lend(x, 100, texts[i]);
		assert_int_equal(poke_host(x->sim, DEVICES "/" AUDIO "/remove", "1"), 0);
		writes = sim_writes(x->sim);
		life_must_end(x, 100);
		assert_non_null(life_event(x, EVENT_GONE, AUDIO));
		assert_int_equal(x->n_told, 1);
		assert_int_equal(sim_writes(x->sim), writes);
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

/* Somebody has plugged another one in. */
static void another_comes(struct life *x, const char *name, const char *value)
{
	(void)value;
	if (strcmp(strrchr(name, '/'), "/rescan") == 0)
		sim_set(x->sim, DEVICES "/" AUDIO "/device", "0x9999");
}

static void another_device_in_its_place_is_no_device_to_go_on_with(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));
	unsigned writes;

	(void)state;
	life_must_lend(x, 100, AUDIO_LENT("cycle"));
	x->after = another_comes;
	assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
	assert_contains(x->err.text, AUDIO " is now 8086:9999:103c:83e2 and was 8086:a348:103c:83e2: another device "
			"has come in its place");
	assert_non_null(life_event(x, EVENT_FAILED, AUDIO));
	assert_true(life_has_lease(x, 100));
	/* Nor the next time; it is not even touched. */
	x->after = NULL;
	writes = sim_writes(x->sim);
	assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
	assert_contains(x->err.text, "another device has come in its place");
	assert_int_equal(sim_writes(x->sim), writes);
	/* Once the right one stands there again all is well. */
	sim_set(x->sim, DEVICES "/" AUDIO "/device", "0xa348");
	life_must_end(x, 100);
	assert_false(life_has_lease(x, 100));
	life_free(x);
}

/* The same on the way out: the start fails. */
static void another_device_after_a_cycle_ends_the_start(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	x->after = another_comes;
	assert_int_not_equal(life_lend(x, 100, BOTH_ENDS), OUTCOME_DONE);
	assert_contains(x->err.text, AUDIO " is now 8086:9999:103c:83e2 and was 8086:a348:103c:83e2");
	life_free(x);
}

/* --- a named driver ---------------------------------------------------------------------------------------------- */

/* It is the graphics card's: its audio function, which goes along, would be probed by it. */
static void what_goes_along_returns_to_its_own_driver(void **state)
{
	struct life *x = life_new(host_load("workstation-4070"));

	(void)state;
	life_must_lend(x, 100, "handover: 1\ndevices: {gpu: {at: \"02:00.0\"}}\npre-start:\n- bind: gpu\n  return: nouveau\n");
	assert_reads(x->sim, DEVICES "/0000:02:00.1/driver", "vfio-pci");
	life_must_end(x, 100);
	assert_reads(x->sim, DEVICES "/0000:02:00.0/driver", "nouveau");
	assert_reads(x->sim, DEVICES "/0000:02:00.1/driver", "snd_hda_intel");
	life_free(x);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

/* Function 0 joins the others again, and each of them then leaves it: one that is held up keeps the rest where they are. */
static void the_order_of_coming_home_is_kept_when_one_is_held_up(void **state)
{
	struct life *x = life_idle(host_load("elitedesk"));
	enum outcome o;

	(void)state;
	life_must_lend(x, 100, "handover: 1\ndevices: {it: {at: \"00:1f.0\", functions: all}}\npre-start:\n- bind: it\n"
			       "  return: cycle\n");
	/* Its unbinding hangs. */
	sim_break(x->sim, 1, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
	o = life_back(x, 100);
	if (o != OUTCOME_DONE)
		fail_msg("%s", x->err.text);
	assert_reads(x->sim, DEVICES "/" NIC "/driver", "e1000e");
	assert_false(life_has_lease(x, 100));
	life_free(x);
}

/* --- post-stop --------------------------------------------------------------------------------------------------- */

#define AFTER \
	"handover: 1\ndevices: {it: {at: \"00:1f.3\"}}\npost-stop:\n- service: {restart: netbird.service}\n" \
	"- cycle: it\n- service: {restart: networking.service}\n"

static const char *run_of(struct life *x, const char *unit)
{
	char text[HOST_VALUE_BYTES] = "";

	host_read(x->sim, arena_fmt(x->a, "unit/%s/run", unit), text, sizeof(text));
	return arena_dup(x->a, text);
}

static void a_unit_that_is_gone_after_the_stop_keeps_nothing_from_being_done(void **state)
{
	struct life *x = life_booted(host_load("elitedesk"));
	const char *run = run_of(x, "networking.service");

	(void)state;
	life_must_lend(x, 100, AFTER);
	x->removed = 0;
	sim_remove(x->sim, "unit/netbird.service");
	assert_int_equal(life_back(x, 100), OUTCOME_FAILED);
	assert_contains(x->err.text, "netbird.service");
	assert_non_null(life_event(x, EVENT_FAILED, "netbird.service"));
	assert_non_null(life_event(x, EVENT_REACHED, AUDIO));
	assert_non_null(life_event(x, EVENT_REACHED, "networking.service"));
	assert_int_equal(x->removed, 1);
	assert_string_not_equal(run_of(x, "networking.service"), run);
	assert_false(life_has_lease(x, 100));
	life_free(x);
}

/* Every write of post-stop fails once: what it was about is left as it was found, and what follows is done. */
static void a_write_that_fails_after_the_stop_keeps_nothing_from_being_done(void **state)
{
	static const char *const failing[] = {
		"netbird.service", AUDIO, AUDIO, AUDIO, AUDIO, "networking.service",
	};

	(void)state;
	for (unsigned nth = 1; nth <= COUNT(failing); nth++) {
		struct life *x = life_booted(host_load("elitedesk"));
		const char *run = run_of(x, "networking.service");

		life_must_lend(x, 100, AFTER);
		sim_break(x->sim, nth, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
		assert_int_equal(life_back(x, 100), OUTCOME_FAILED);
		assert_contains(x->err.text, failing[nth - 1]);
		assert_non_null(life_event(x, EVENT_FAILED, failing[nth - 1]));
		assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
		assert_reads(x->sim, DEVICES "/" AUDIO "/power/control", "auto");
		assert_reads(x->sim, "group/" AUDIO, AUDIO);
		if (nth < COUNT(failing))
			assert_string_not_equal(run_of(x, "networking.service"), run);
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

/* The step itself was done with in an earlier run: that it cannot be taken back is this run's own failure. */
static void what_post_stop_cannot_take_back_keeps_the_lease(void **state)
{
	enum { RESCAN = 4 };	/* the restart, unbind and remove come before it */
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	life_must_lend(x, 100, AFTER);
	sim_break(x->sim, RESCAN, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
	sim_break(x->sim, 1, SIM_HANG, -EIO, NULL, NULL);
	assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
	assert_contains(x->err.text, AUDIO);
	assert_true(life_has_lease(x, 100));
	assert_int_equal(life_back(x, 100), OUTCOME_DONE);
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
	assert_reads(x->sim, DEVICES "/" AUDIO "/power/control", "auto");
	assert_false(life_has_lease(x, 100));
	life_free(x);
}

/* --- the host's own lease ---------------------------------------------------------------------------------------- */

static size_t differences(struct life *x, enum goal goal, bool of_vms)
{
	const char *lines[8];
	struct lease lease;

	assert_int_equal(journal_peek(&x->store, HOST_VMID, x->a, &lease, &x->err), 0);
	assert_true(lease_is_prepared(&x->host, &lease));
	return of_vms ? engine_differences(&x->host, &lease, goal, x->a, lines, COUNT(lines)) :
	       lend_host_differences(&x->store, &x->host, &lease, x->a, lines, COUNT(lines));
}

static void what_boot_has_prepared_is_so_and_in_nobodys_way(void **state)
{
	static const char *const texts[] = { AUDIO_LENT("cycle"), NIC_LENT("driver"), BOTH_ENDS };
	struct life *x = life_booted(host_load("elitedesk"));

	(void)state;
	assert_int_equal(differences(x, GOAL_TO, true), 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		life_must_lend(x, 100, texts[i]);
		/* What a VM has is away from where boot put it, and nothing to complain of. */
		assert_int_equal(differences(x, GOAL_TO, false), 0);
		life_must_end(x, 100);
		assert_int_equal(differences(x, GOAL_TO, true), 0);
	}
	/* Where an interface is, is the network's affair by then. What else has changed is told, also beside a VM that looks. */
	sim_remove(x->sim, "nic/" NIC "/master");
	assert_int_equal(differences(x, GOAL_TO, false), 0);
	sim_set(x->sim, "sys/bus/pci/devices/" NIC "/driver_override", "somebody");
	assert_int_equal(differences(x, GOAL_TO, false), 1);
	life_must_lend(x, 100, "handover: 1\ndevices: {it: {at: \"00:1f.6\"}}\npost-start:\n- check: it\n");
	assert_int_equal(differences(x, GOAL_TO, false), 1);
	life_free(x);
}

static void what_boot_is_still_preparing_is_lent_to_nobody(void **state)
{
	struct life *x = life_idle(host_load("elitedesk"));
	struct lease lease = { .vmid = HOST_VMID, .generation = "0123456789abcdef", .profile = "host.yaml" };
	struct journal j;
	unsigned writes;

	(void)state;
	life_must_plan(x, HOST_VMID, "handover: 1\naccept: {unverified-isolation: it}\n"
		       "devices: {it: {at: \"00:1f.3\"}}\nboot:\n- isolate: it\n");
	lease.boot_id = "b81e4a90-27d5-4f63-8c0a-1e9f6d3b7a52";
	lease.steps = x->p.plan.steps;
	lease.n = x->p.plan.n;
	lease.marks = arena_array(x->a, lease.n, sizeof(enum mark));
	assert_int_equal(journal_begin(&j, &x->store, &lease, x->a, &x->err), 0);
	assert_int_equal(journal_mark(&j, &lease, 0, MARK_DO, &x->err), 0);
	writes = sim_writes(x->sim);
	assert_int_equal(life_lend(x, 100, AUDIO_LENT("driver")), OUTCOME_BUSY);
	assert_string_equal(x->err.text, AUDIO " is still being prepared by `handover boot`; if that was interrupted, run it again");
	assert_int_equal(sim_writes(x->sim), writes);
	/* Another device is not. */
	life_must_lend(x, 100, "handover: 1\ndevices: {it: {at: \"00:02.0\"}}\npre-start:\n- bind: it\n");
	life_must_end(x, 100);
	/* It is taken back like any lease that was not held; then the device is free. */
	journal_close(&j);
	life_must_end(x, HOST_VMID);
	life_must_plan(x, 100, AUDIO_LENT("driver"));
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lent_network_card_comes_back_to_its_place),
		cmocka_unit_test(an_interface_with_another_name_gets_its_own),
		cmocka_unit_test(a_bridge_that_is_given_its_address_keeps_it_and_that_is_said),
		cmocka_unit_test(a_lent_usb_controller_brings_its_devices),
		cmocka_unit_test(a_usb_device_that_is_gone_is_told_and_no_failure),
		cmocka_unit_test(a_cycle_before_and_one_after_both_happen),
		cmocka_unit_test(who_is_killed_while_a_device_is_away_brings_it_back),
		cmocka_unit_test(a_device_that_has_gone_is_not_looked_for),
		cmocka_unit_test(another_device_in_its_place_is_no_device_to_go_on_with),
		cmocka_unit_test(another_device_after_a_cycle_ends_the_start),
		cmocka_unit_test(what_goes_along_returns_to_its_own_driver),
		cmocka_unit_test(the_order_of_coming_home_is_kept_when_one_is_held_up),
		cmocka_unit_test(a_unit_that_is_gone_after_the_stop_keeps_nothing_from_being_done),
		cmocka_unit_test(a_write_that_fails_after_the_stop_keeps_nothing_from_being_done),
		cmocka_unit_test(what_post_stop_cannot_take_back_keeps_the_lease),
		cmocka_unit_test(what_boot_has_prepared_is_so_and_in_nobodys_way),
		cmocka_unit_test(what_boot_is_still_preparing_is_lent_to_nobody),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
