/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard rails: what the host stands on does not leave it, unless those whose word counts have said so. */
#include "life.h"

#include "core/builtin.h"
#include "core/rails.h"

#define LPC "0000:00:1f.0"
#define IGPU "0000:00:02.0"
#define SMBUS "0000:00:1f.4"
#define DESK "/devices/pci0000:00/"

/* The elitedesk, and more of it. */
static struct host *desk_with(const char *more)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n;
	char *text = file_read(a, "tests/hosts/elitedesk.host", &n);

	text[n] = '\0';
	return host_from(arena_fmt(a, "%s\n%s", text, more));
}

static const char *one(struct life *x, const char *at, const char *accept)
{
	return arena_fmt(x->a, "handover: 1\n%s\ndevices: {it: {at: \"%s\"}}\npre-start:\n- cycle: it\n", accept, at);
}

/* What is refused of a function that leaves; its only error. */
static const struct finding *refused(struct life *x, const char *at, const char *code)
{
	return life_refused(x, 0, one(x, at, "name: test"), code);
}

/* --- consoles ---------------------------------------------------------------------------------------------------- */

#define SCREEN \
	"P: /class/graphics\nL: fb0=../../devices/pci0000:00/" IGPU "/graphics/fb0\n" \
	"P: /class/vtconsole/vtcon0\nA: bind=0\nA: name=(S) dummy device\n" \
	"P: /class/vtconsole/vtcon1\nA: bind=1\nA: name=(M) frame buffer device\n"

static void the_screen_with_the_console_stays(void **state)
{
	struct life *x = life_guarded(desk_with(""));
	const struct finding *f = refused(x, "00:02.0", "console");

	(void)state;
	assert_contains(f->what, "it is the boot VGA device");
	assert_contains(f->remedy, "add 'accept: {console: it}' to the profile and 'console = " IGPU "' under [allow]");
	life_free(x);
	x = life_guarded(desk_with(SCREEN));
	assert_contains(refused(x, "00:02.0", "console")->what, "fb0 -> " IGPU " shows the host's console (it is the boot VGA");
	/* With vfio-pci since boot, it shows nothing of the host's. */
	sim_set_link(x->sim, DEVICES "/" IGPU "/driver", "../../../bus/pci/drivers/vfio-pci");
	sim_remove(x->sim, "sys/class/graphics/fb0");
	life_must_plan(x, 0, one(x, "00:02.0", "name: test"));
	life_free(x);
}

/* Another card shows the console: the one the firmware has used may go. */
static void a_boot_screen_without_the_console_may_leave(void **state)
{
	struct life *x = life_guarded(desk_with("P: /class/graphics\nL: fb0=../../devices/pci0000:00/0000:00:1f.3/graphics/fb0\n"
						"P: /class/vtconsole/vtcon1\nA: bind=1\nA: name=(M) frame buffer device\n"));

	(void)state;
	life_must_plan(x, 0, one(x, "00:02.0", "name: test"));
	refused(x, "00:1f.3", "console");
	life_free(x);
}

static void a_serial_console_that_the_firmware_does_not_know_is_below_the_lpc_bridge(void **state)
{
	struct life *x = life_guarded(desk_with(
		"P: /class/tty/console\nA: active=tty0 ttyS0 ttyS1\n"
		"P: /class/tty\nL: ttyS0=../../devices/platform/serial8250/serial8250:0/serial8250:0.0/tty/ttyS0\n"
		"P: /devices/platform/serial8250/serial8250:0/serial8250:0.0/tty/ttyS0\n"));

	(void)state;
	life_plan(x, 0, one(x, "00:1f.0", "name: test"));
	assert_contains(life_finding(x, "console")->what, "ttyS0 is the host's serial console; the firmware does not say where "
			"it is, and such ports are below the LPC bridge, " LPC);
	assert_null(strstr(life_finding(x, "console")->what, "ttyS1"));
	life_free(x);
}

/* Touchpads are on it, and no flash memory. */
static void intels_low_power_buses_have_no_firmware_on_them(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct function functions[] = {
		{ .address = "0000:00:15.0", .class = 0x0c8000, .driver = "intel-lpss" },
		{ .address = "0000:00:1f.5", .class = 0x0c8000, .driver = "intel-spi" },
		{ .address = "0000:00:1f.6", .class = 0x0c8000 },
	};
	struct inventory inventory = { functions, COUNT(functions) };
	_cleanup_host_ struct host *h = sim_new();
	struct stakes s = { .host = h, .inventory = &inventory, .arena = a };

	(void)state;
	stakes_platform(&s);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.list[0].what, "it is a serial bus controller of the platform (I2C, SPI) (driver intel-lpss)");
	assert_contains(s.list[1].what, "the firmware's flash memory may be on it (driver intel-spi)");
	assert_contains(s.list[2].what, "the firmware's flash memory may be on it");
}

/* A serial port of the board stands in the ACPI tables below the LPC bridge, and nowhere else. */
static void a_serial_console_stays(void **state)
{
	struct life *x = life_guarded(desk_with(
		"P: " DESK LPC "\nA: firmware_node/path=\\\\_SB_.PCI0.LPCB\n"
		"P: /class/tty/console\nA: active=tty0 ttyS0\nP: /class/tty\nL: ttyS0=../../devices/pnp0/00:05/tty/ttyS0\n"
		"P: /devices/pnp0/00:05\nA: firmware_node/path=\\\\_SB_.PCI0.LPCB.UAR1\n"
		"P: /devices/pnp0/00:05/tty/ttyS0\nL: device=../../../00:05\n"));
	const struct finding *f;

	(void)state;
	life_plan(x, 0, one(x, "00:1f.0", "name: test"));
	f = life_finding(x, "console");
	assert_contains(f->what, "ttyS0 -> " LPC " is the host's serial console");
	assert_contains(f->remedy, "SSH: it is the only way in then");
	/* Not a console, so nobody's matter. */
	sim_set(x->sim, "sys/class/tty/console/active", "tty0");
	life_plan(x, 0, one(x, "00:1f.0", "name: test"));
	assert_null(find_code(&x->f, "console"));
	life_free(x);
}

/* --- whose word counts ------------------------------------------------------------------------------------------- */

static void profile_and_policy_must_both_accept_a_console(void **state)
{
	static const char *allowed[] = { IGPU };
	static struct allow allow = { "console", { allowed, 1 } };
	static const struct policy allows = { .automatic = true, .allows = &allow, .n_allows = 1 };
	static const struct policy warns = { .automatic = false };
	struct life *x = life_guarded(desk_with(""));
	const char *accepts = one(x, "00:02.0", "accept: {console: it}");
	const struct finding *f = life_refused(x, 0, accepts, "console");

	(void)state;
	assert_null(strstr(f->remedy, "accept:"));
	assert_contains(f->remedy, "add 'console = " IGPU "' under [allow]");
	x->policy = &allows;
	f = refused(x, "00:02.0", "console");
	assert_contains(f->remedy, "add 'accept: {console: it}' to the profile");
	assert_null(strstr(f->remedy, "[allow]"));
	life_must_plan(x, 0, accepts);
	f = life_finding(x, "console");
	assert_int_equal(f->severity, SEVERITY_NOTE);
	assert_contains(f->what, "(accepted)");
	x->policy = &warns;
	life_must_plan(x, 0, one(x, "00:02.0", "name: test"));
	assert_int_equal(life_finding(x, "console")->severity, SEVERITY_WARNING);
	life_free(x);
}

/* What 'accept' knows is what can be accepted. */
static void what_can_be_accepted_is_what_profiles_may_name(void **state)
{
	static const char *const never[] = { "root-disk", "storage-in-use", "other-guest", "watchdog-armed", "device-held", "bridge" };

	(void)state;
	for (const char *const *code = profile_accept_codes; *code; code++)
		if (strcmp(*code, "unverified-isolation") != 0 && rails_consent(*code) == CONSENT_NEVER)
			fail_msg("%s can be named and not accepted", *code);
	for (size_t i = 0; i < COUNT(never); i++)
		assert_int_equal(rails_consent(never[i]), CONSENT_NEVER);
	assert_int_equal(rails_consent("platform-function"), CONSENT_PROFILE);
	assert_int_equal(rails_consent("console"), CONSENT_BOTH);
}

static void the_profile_alone_may_accept_a_platform_function(void **state)
{
	struct life *x = life_guarded(desk_with(""));

	(void)state;
	assert_contains(refused(x, "00:1f.4", "platform-function")->what, "the SMBus controller");
	life_must_plan(x, 0, one(x, "00:1f.4", "accept: {platform-function: it}"));
	/* Of the others only with a driver of the host's. */
	assert_contains(refused(x, "00:12.0", "platform-function")->what, "(driver intel_pch_thermal)");
	sim_remove(x->sim, DEVICES "/0000:00:12.0/driver");
	life_must_plan(x, 0, one(x, "00:12.0", "name: test"));
	life_free(x);
}

static void what_the_policy_protects_stays(void **state)
{
	static const char *devices[] = { "0000:00:1f.3" };
	static const char *nics[] = { "eno1" };
	static const char *usb[] = { "8087:0aaa" };
	static const struct policy protects = { .automatic = true, .devices = { devices, 1 }, .nics = { nics, 1 }, .usb = { usb, 1 } };
	struct life *x = life_guarded(desk_with(""));

	(void)state;
	x->policy = &protects;
	assert_contains(refused(x, "00:1f.3", "protected")->remedy, "take '0000:00:1f.3' out of [protect]");
	life_plan(x, 0, one(x, "00:1f.6", "name: test"));
	assert_contains(life_finding(x, "protected")->what, "protects eno1, which is on 0000:00:1f.6: 'eno1'");
	life_refused(x, 0, "handover: 1\npre-start:\n- usb: \"8087:0aaa\"\n", "protected");
	life_free(x);
}

/* --- what hangs below what leaves -------------------------------------------------------------------------------- */

#define HUBS "0000:09:00.3"	/* of b550-hubs: the keyboard is at port 3-4.4.4.3, behind four hubs */
#define LET_GO(port) "handover: 1\ndevices: {hubs: {at: \"09:00.3\"}}\npre-start:\n- usb: \"" port "\"\n"

static struct policy protects_usb(const char **word)
{
	return (struct policy){ .automatic = true, .usb = { word, 1 } };
}

static void a_protected_usb_device_keeps_what_it_hangs_on(void **state)
{
	static const char bind[] = "handover: 1\ndevices: {hubs: {at: \"09:00.3\"}}\npre-start:\n- bind: hubs\n";
	static const struct { const char *word, *profile, *what; } cases[] = {
		{ "046d:c30e", bind, "protects 3-4.4.4.3 (046d:c30e), which is on " HUBS ": '046d:c30e'" },
		{ "3-4.4.4", bind, ", which is on " HUBS ": '3-4.4.4'" },
		{ "046d:c30e", LET_GO("3-4"), "protects 3-4.4.4.3 (046d:c30e), which is behind 3-4 (2109:2812): '046d:c30e'" },
		{ "3-4.4", LET_GO("3-4"), ", which is behind 3-4 (2109:2812): '3-4.4'" },
		{ "3-4", LET_GO("3-4.4.4.3"), "protects 3-4.4.4.3 (046d:c30e): '3-4'" },
	};
	struct life *x = life_guarded(host_load("b550-hubs"));
	struct policy policy;
	const char *word;

	(void)state;
	x->policy = &policy;
	for (size_t i = 0; i < COUNT(cases); i++) {
		word = cases[i].word;
		policy = protects_usb(&word);
		assert_false(life_plan(x, 0, cases[i].profile));
		assert_contains(life_finding(x, "protected")->what, cases[i].what);
		/* However much is behind it, a word is told once. */
		assert_int_equal(count_findings(&x->f, "protected"), 1);
	}
	/* What is beside it may go. */
	word = "3-4.4";
	policy = protects_usb(&word);
	life_must_plan(x, 0, LET_GO("3-4.1"));
	word = "3-40";
	life_plan(x, 0, LET_GO("3-4"));
	assert_null(find_code(&x->f, "protected"));
	life_free(x);
}

/* A USB card with two interfaces, of which one is in a bridge. */
#define USB_CARD "devices/pci0000:00/0000:00:14.0/usb1/1-9/1-9:1.0/net/"
static const char usb_card[] =
	"P: /" USB_CARD "enx0\nP: /" USB_CARD "enx1\nL: upper_vmbr9=../../../../../../../virtual/net/vmbr9\n"
	"P: /devices/virtual/net/vmbr9\nL: lower_enx1=../../../" USB_CARD "enx1\n"
	"P: /devices/virtual/net/vmbr9.5\nL: lower_vmbr9=../vmbr9\n"
	"P: /class/net\nL: enx0=../../" USB_CARD "enx0\nL: enx1=../../" USB_CARD "enx1\n"
	"L: vmbr9=../../devices/virtual/net/vmbr9\nL: vmbr9.5=../../devices/virtual/net/vmbr9.5\n";

static void a_protected_interface_keeps_all_that_is_below_it(void **state)
{
	static const struct { const char *word, *what; } cases[] = {
		{ "enx0", "protects enx0, which is on 0000:00:14.0: 'enx0'" },
		{ "enx1", "protects enx1, which is on 0000:00:14.0: 'enx1'" },
		{ "vmbr9", "protects vmbr9, which stands on 0000:00:14.0: 'vmbr9'" },
		{ "vmbr9.5", "protects vmbr9.5, which stands on 0000:00:14.0: 'vmbr9.5'" },
	};
	struct life *x = life_guarded(desk_with(usb_card));
	const char *word;
	struct policy policy = { .automatic = true, .nics = { &word, 1 } };

	(void)state;
	x->policy = &policy;
	for (size_t i = 0; i < COUNT(cases); i++) {
		word = cases[i].word;
		life_plan(x, 0, one(x, "00:14.0", "name: test"));
		assert_contains(life_finding(x, "protected")->what, cases[i].what);
		life_plan(x, 0, one(x, "00:1f.3", "name: test"));
		assert_null(find_code(&x->f, "protected"));
	}
	life_free(x);
	x = life_guarded(host_load("fuji-bond"));
	x->policy = &policy;
	word = "bond0";
	life_plan(x, 0, one(x, "05:00.1", "name: test"));
	assert_contains(life_finding(x, "protected")->what, "protects bond0, which stands on 0000:05:00.1");
	life_free(x);
}

static void what_is_protected_and_not_there_is_warned_of(void **state)
{
	static const char *devices[] = { "02:00.0", "00:1f.3", "8086:ffff" }, *nics[] = { "eno1", "eno7" };
	static const char *usb[] = { "062a:4101", "1-1", "7-7" };
	static const struct policy policy = {
		.file = "/etc/handover/handover.conf", .automatic = true,
		.devices = { devices, 3 }, .nics = { nics, 2 }, .usb = { usb, 3 },
	};
	struct life *x = life_guarded(desk_with(""));

	(void)state;
	x->policy = &policy;
	life_must_plan(x, 0, one(x, "00:12.0", "accept: {platform-function: it}"));
	assert_int_equal(count_findings(&x->f, "protected-absent"), 4);
	assert_int_equal(life_finding(x, "protected-absent")->severity, SEVERITY_WARNING);
	assert_contains(life_finding(x, "protected-absent")->what, "'02:00.0' of 'devices' under [protect] is nothing that");
	/* That they cannot be listed is another matter. */
	x->deaf = "sys/bus/usb/devices";
	life_must_plan(x, 0, one(x, "00:12.0", "accept: {platform-function: it}"));
	assert_int_equal(count_findings(&x->f, "protected-absent"), 3);
	life_free(x);
}

/* --- keyboards --------------------------------------------------------------------------------------------------- */

static void a_hub_takes_the_keyboard_behind_it_along(void **state)
{
	struct life *x = life_guarded(host_load("b550-hubs"));

	(void)state;
	assert_contains(life_refused(x, 0, LET_GO("3-4"), "last-keyboard")->what,
			"046d:c30e HID compliant keyboard at port 3-4.4.4.3, is behind port 3-4, which leaves");
	assert_contains(life_finding(x, "last-pointer")->what, "at port 3-4.4.4.2, is behind port 3-4, which leaves");
	life_must_plan(x, 0, LET_GO("3-4.1"));
	assert_null(find_code(&x->f, "last-pointer"));
	life_free(x);
}

#define USB_ALONE "devices: {ports: {at: \"00:14.0\"}}\npre-start:\n- usb: \"1-1\"\n"

static void the_last_keyboard_may_be_let_go_alone(void **state)
{
	static const char *words[] = { "1-1", "062a:4101", "00:14.0" };
	static const char plain[] = "handover: 1\n" USB_ALONE, accepts[] = "handover: 1\naccept: {last-keyboard: ports}\n" USB_ALONE;
	struct allow allow = { "last-keyboard", { words, 1 } };
	struct policy policy = { .automatic = true };
	struct life *x = life_guarded(desk_with(""));
	const struct finding *f;

	(void)state;
	x->policy = &policy;
	f = life_refused(x, 0, plain, "last-keyboard");
	assert_contains(f->remedy, "add 'accept: {last-keyboard: ports}' to the profile and 'last-keyboard = 1-1' under [allow]");
	assert_contains(life_refused(x, 0, "handover: 1\npre-start:\n- usb: \"1-1\"\n", "last-keyboard")->remedy,
			"name 0000:00:14.0 under 'devices' in the profile and add 'accept: {last-keyboard: NAME}'");
	f = life_refused(x, 0, accepts, "last-keyboard");
	assert_contains(f->remedy, "all the same, add 'last-keyboard = 1-1' under [allow]");
	policy.allows = &allow;
	policy.n_allows = 1;
	for (size_t i = 0; i < COUNT(words); i++) {
		allow.names.list = &words[i];
		life_must_plan(x, 0, accepts);
		assert_contains(life_finding(x, "last-keyboard")->what, "(accepted)");
		life_refused(x, 0, plain, "last-keyboard");
	}
	life_free(x);
}

static void a_usb_controller_stays_where_keyboards_cannot_be_listed(void **state)
{
	static const char bind[] = "handover: 1\ndevices: {it: {at: \"00:14.0\"}}\npre-start:\n- bind: it\n";
	static const char *usb[] = { "062a:4101" };
	static const struct policy warns = { .automatic = false };
	static const struct policy protects = { .automatic = false, .usb = { usb, 1 } };
	struct life *x = life_guarded(desk_with(""));

	(void)state;
	x->deaf = "sys/class/input";
	assert_contains(life_refused(x, 0, bind, "input-unreadable")->what,
			"the host's last keyboard may be on 0000:00:14.0: cannot list the inputs in sys/class/input");
	life_must_plan(x, 0, one(x, "00:12.0", "accept: {platform-function: it}"));
	x->policy = &warns;
	life_must_plan(x, 0, bind);
	assert_int_equal(life_finding(x, "input-unreadable")->severity, SEVERITY_WARNING);
	x->policy = &protects;
	assert_contains(life_refused(x, 0, bind, "protected")->what, "it is not known whether one is on 0000:00:14.0");
	life_free(x);
}

/* --- consent ----------------------------------------------------------------------------------------------------- */

/* Four disks of one pool hang on the controller. */
static void consent_to_one_thing_says_nothing_of_the_one_beside_it(void **state)
{
	static const char accepts[] = "handover: 1\naccept: {storage-member: hba}\ndevices: {hba: {at: \"05:00.0\"}}\n"
				      "pre-start:\n- bind: hba\n";
	static const char *sdc[] = { "sdc" }, *all[] = { "sdc", "sdd", "sde", "sdf" }, *slot[] = { "05:00" };
	static const char *id[] = { "1000:0097" };
	struct allow allow = { "storage-member", { sdc, 1 } };
	struct policy policy = { .automatic = true, .allows = &allow, .n_allows = 1 };
	struct life *x = life_guarded(host_load("epyc3251-zfs"));
	const struct finding *f;

	(void)state;
	f = life_refused(x, 0, accepts, "storage-member");
	assert_contains(f->what, "there is storage on 0000:05:00.0 that the host does not use: sdc1, sdd1, sde1 and 1 more hold pool "
			"tank, which is not imported");
	assert_string_equal(f->remedy, "add 'storage-member = 0000:05:00.0' under [allow] in /etc/handover/handover.conf");
	x->policy = &policy;
	f = life_refused(x, 0, accepts, "storage-member");
	assert_string_equal(f->remedy, "add 'sdd sde sdf' to 'storage-member' under [allow] in /etc/handover/handover.conf");
	allow.names = (struct names){ all, COUNT(all) };
	life_must_plan(x, 0, accepts);
	allow.names = (struct names){ slot, COUNT(slot) };
	life_must_plan(x, 0, accepts);
	allow.names = (struct names){ id, COUNT(id) };
	life_must_plan(x, 0, accepts);
	life_free(x);
}
/* --- isolation --------------------------------------------------------------------------------------------------- */

static const struct policy untrusted = { .automatic = false, .untrusted_guests = true };

#define OF_SLOT(accept, steps) \
	"handover: 1\n" accept "devices: {lpc: {at: \"00:1f.0\"}, audio: {at: \"00:1f.3\"}}\n" steps
#define ACCEPTED "accept: {unverified-isolation: [lpc, audio]}\n"

static void untrusted_guests_get_no_split_by_bookkeeping(void **state)
{
	struct life *x = life_new(desk_with(""));

	(void)state;
	life_must_plan(x, 0, OF_SLOT(ACCEPTED, "boot:\n- isolate: audio\n"));
	x->policy = &untrusted;
	life_refused(x, 0, OF_SLOT(ACCEPTED, "boot:\n- isolate: audio\n"), "untrusted-guests");
	life_free(x);
}

/* Whichever way the slot was split, and by whomever: what a VM is to have is asked about when it gets it. */
static void what_is_handed_over_out_of_a_split_slot_must_be_accepted(void **state)
{
	static const char *const steps[] = {
		"pre-start:\n- bind: audio\n", "pre-start:\n- bind: audio\n  return: cycle\n",
		"pre-start:\n- cycle: audio\n- bind: audio\n", "boot:\n- bind: audio\n  return: keep\n",
		"pre-start:\n- remove: audio\n- rescan: audio\n- bind: audio\n",
		/* Told once, though two steps are about it. */
		"pre-start:\n- isolate: audio\n- bind: audio\n",
	};
	struct life *x = life_booted(desk_with(""));

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		const char *refused = arena_fmt(x->a, OF_SLOT("", "%s"), steps[i]);
		const char *accepted = arena_fmt(x->a, OF_SLOT(ACCEPTED, "%s"), steps[i]);
		const struct finding *f;

		x->policy = &without_rails;
		f = life_refused(x, 101, refused, "unverified-isolation");
		assert_contains(f->remedy, "'accept: {unverified-isolation: audio}'");
		life_must_plan(x, 101, accepted);
		x->policy = &untrusted;
		life_refused(x, 101, accepted, "untrusted-guests");
	}
	/* What no VM gets is nobody's matter. */
	life_must_plan(x, 101, OF_SLOT("", "pre-start:\n- cycle: audio\n"));
	sim_make_folder(x->sim, DRIVERS "/pci-stub");
	life_must_plan(x, 101, OF_SLOT("", "pre-start:\n- bind: audio\n  driver: pci-stub\n"));
	life_free(x);
}

/* A slot that cycle splits in this very plan. */
static void what_a_step_before_has_split_must_be_accepted(void **state)
{
	struct life *x = life_idle(desk_with(""));

	(void)state;
	sim_remove(x->sim, "etc/pve/qemu-server/100.conf");
	life_refused(x, 101, OF_SLOT("", "pre-start:\n- cycle: audio\n- bind: audio\n"), "unverified-isolation");
	life_must_plan(x, 101, OF_SLOT(ACCEPTED, "pre-start:\n- cycle: audio\n- bind: audio\n"));
	life_free(x);
}

/* Proxmox takes what the VM's hostpci lines name, whatever the profile says. */
static void what_the_vm_names_must_be_accepted_too(void **state)
{
	struct life *x = life_booted(desk_with(""));
	const struct finding *f;

	(void)state;
	sim_set(x->sim, "etc/pve/qemu-server/101.conf", "hostpci0: 00:1f.3\n");
	f = life_refused(x, 101, "handover: 1\n", "unverified-isolation");
	assert_string_equal(f->place.file, "/etc/pve/qemu-server/101.conf");
	assert_contains(f->remedy, "name 0000:00:1f.3 under 'devices' in the profile");
	assert_true(x->p.refused == x->f.errors);
	life_refused(x, 101, OF_SLOT("", "pre-start:\n- bind: audio\n"), "unverified-isolation");
	life_must_plan(x, 101, OF_SLOT(ACCEPTED, ""));
	/* It has no sibling. */
	sim_set(x->sim, "etc/pve/qemu-server/101.conf", "hostpci0: 00:02.0\n");
	life_must_plan(x, 101, "handover: 1\n");
	life_free(x);
}

/* What the kernel itself has found to be apart is; what it was told to believe is not. */
static void groups_of_an_override_prove_nothing(void **state)
{
	static const char profile[] = "handover: 1\ndevices: {usb: {at: \"05:00.4\"}}\npre-start:\n- bind: usb\n";
	struct life *x = life_new(host_load("acs-override"));

	(void)state;
	assert_contains(life_refused(x, 0, profile, "unverified-isolation")->what, "0000:05:00.4 is in another IOMMU group than");
	sim_set(x->sim, "proc/cmdline", "root=/dev/sda3 amd_iommu=on");
	life_must_plan(x, 0, profile);
	life_free(x);
}

/* --- the platform ------------------------------------------------------------------------------------------------ */

#define WATCHDOG \
	"P: /class/watchdog\nL: watchdog0=../../devices/pci0000:00/" SMBUS "/iTCO_wdt/watchdog/watchdog0\n" \
	"P: " DESK SMBUS "/iTCO_wdt/watchdog/watchdog0\nA: state="

static void an_armed_watchdog_stays_whatever_is_accepted(void **state)
{
	static const char *const hosts[] = {
		WATCHDOG "active\n", WATCHDOG "inactive\nV: holder/dev/watchdog0=612 watchdog-mux.service watchdog-mux\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct life *x = life_guarded(desk_with(hosts[i]));
		const struct finding *f = life_refused(x, 0, one(x, "00:1f.4", "accept: {platform-function: it}"), "watchdog-armed");

		assert_contains(f->what, "watchdog0 -> " SMBUS " is ");
		assert_null(strstr(f->remedy, "accept"));
		life_free(x);
	}
	struct life *x = life_guarded(desk_with(WATCHDOG "inactive\n"));

	life_must_plan(x, 0, one(x, "00:1f.4", "accept: {platform-function: it}"));
	life_free(x);
}

static void a_node_that_a_process_has_open_is_named_with_it(void **state)
{
	struct life *x = life_guarded(desk_with("P: /class/mtd\nL: mtd0=../../devices/pci0000:00/" SMBUS "/mtd/mtd0\n"
						"V: holder/dev/mtd0=733 fwupd.service fwupd\n"));
	const struct finding *f = life_refused(x, 0, one(x, "00:1f.4", "accept: {platform-function: it}"), "device-held");

	(void)state;
	assert_contains(f->what, "/dev/mtd0 -> " SMBUS ", flash memory, is held by process 733 (fwupd) of fwupd.service");
	assert_contains(f->remedy, "stop fwupd.service first");
	life_free(x);
}

/* --- guests ------------------------------------------------------------------------------------------------------ */

static void set_running(struct life *x, unsigned vmid)
{
	static const char cmdline[] = "kvm\0-id\0" "101";

	sim_set(x->sim, arena_fmt(x->a, "run/qemu-server/%u.pid", vmid), "4711");
	sim_set_bytes(x->sim, "proc/4711/cmdline", 0, cmdline, sizeof(cmdline));
}

static void what_another_vm_has_stays_with_it(void **state)
{
	struct life *x = life_guarded(desk_with("F: etc/pve/qemu-server/101.conf\n| hostpci2: 0000:00:1f.3\n"));

	(void)state;
	/* It does not run. */
	life_must_plan(x, 0, one(x, "00:1f.3", "name: test"));
	set_running(x, 101);
	assert_contains(refused(x, "00:1f.3", "other-guest")->what, "VM 101, which runs, has it as hostpci2");
	life_free(x);
}

static void what_a_process_has_through_vfio_stays_with_it(void **state)
{
	struct life *x = life_guarded(host_load("elitedesk-seed"));

	(void)state;
	life_must_plan(x, 0, one(x, "00:1f.3", "name: test"));
	sim_set(x->sim, "holder/dev/vfio/7", "4711 101.scope kvm");
	assert_contains(refused(x, "00:1f.3", "other-guest")->what, "/dev/vfio/7 is held by process 4711 (kvm) of VM 101 (101.scope)");
	life_free(x);
}

/* Or what is in use would leave because somebody could not be asked. */
static void of_what_nobody_can_say_who_has_it_open_is_in_doubt(void **state)
{
	struct life *x = life_guarded(host_load("elitedesk-seed"));

	(void)state;
	sim_make_folder(x->sim, "holder/dev/vfio/7");
	assert_contains(refused(x, "00:1f.3", "holders-unreadable")->what,
			"it is not known who has /dev/vfio/7 open, which is on 0000:00:1f.3: Is a directory");
	life_free(x);
	x = life_guarded(desk_with("P: /class/i2c-dev\nL: i2c-5=../../devices/pci0000:00/" SMBUS "/i2c-5/i2c-dev/i2c-5\n"
				   "V: holder/dev/i2c-5/x=1\n"));
	assert_contains(life_refused(x, 0, one(x, "00:1f.4", "accept: {platform-function: it}"), "holders-unreadable")->what,
			"it is not known who has /dev/i2c-5 open, which is on " SMBUS);
	life_free(x);
}

static void what_a_running_container_has_stays_with_it(void **state)
{
	struct life *x = life_guarded(desk_with(
		"F: etc/pve/lxc/105.conf\n| dev0: /dev/dri/renderD128,gid=104\n| [snap]\n| dev1: /dev/snd/controlC0\n"
		"P: /class/drm\nL: renderD128=../../devices/pci0000:00/" IGPU "/drm/renderD128\n"));
	const char *profile = one(x, "00:02.0", "accept: {console: it}");

	(void)state;
	life_plan(x, 0, profile);
	assert_null(find_code(&x->f, "other-guest"));
	sim_make_folder(x->sim, "sys/fs/cgroup/lxc/105");
	life_plan(x, 0, profile);
	assert_contains(life_finding(x, "other-guest")->what, "/dev/dri/renderD128 -> " IGPU " is with container 105, which runs");
	life_free(x);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

/* A profile of one thing, while Proxmox hands over another by itself, and with it its whole group. */
static void what_proxmox_takes_along_is_guarded_too(void **state)
{
	struct life *x = life_guarded(desk_with("F: etc/pve/qemu-server/200.conf\n| hostpci0: 00:1f.3\n"));
	const struct finding *f;

	(void)state;
	life_plan(x, 200, "handover: 1\ndevices: {it: {at: \"00:14.2\"}}\npre-start:\n- check: it\n");
	f = life_finding(x, "platform-function");
	assert_string_equal(f->place.file, "/etc/pve/qemu-server/200.conf");
	assert_int_equal(count_findings(&x->f, "platform-function"), 3);
	assert_contains(f->remedy, "under 'devices' in the profile and add 'accept: {platform-function: NAME}'");
	life_free(x);
}

static void what_leaves_with_another_says_so(void **state)
{
	static const char audio[] = "handover: 1\ndevices: {audio: {at: \"00:1f.3\"}}\npre-start:\n- bind: audio\n";
	static const char both[] = "handover: 1\ndevices: {audio: {at: \"00:1f.3\"}, nic: {at: \"00:1f.6\"}}\n"
				   "pre-start:\n- bind: [audio, nic]\n";
	static const struct policy warns = { .automatic = false };
	struct life *x = life_guarded(desk_with("F: etc/pve/qemu-server/200.conf\n| hostpci0: 00:1f\n"
						"F: etc/pve/qemu-server/201.conf\n| hostpci0: 00:1f.3\n"));
	const struct finding *f;

	(void)state;
	life_plan(x, 0, audio);
	f = life_finding(x, "platform-function");
	assert_contains(f->what, "the host stands on 0000:00:1f.5, which shares its IOMMU group with 0000:00:1f.3: it is a serial bus");
	assert_true(str_starts(f->remedy, "split the group at boot ('isolate'), or leave 0000:00:1f.3; to hand it over all the same, "));
	/* One finding for one network card. */
	assert_non_null(find_code(&x->f, "management-nic"));
	assert_null(find_code(&x->f, "nic-taken-along"));
	life_plan(x, 0, both);
	assert_null(strstr(life_finding(x, "management-nic")->what, "shares its IOMMU group"));
	assert_null(strstr(life_finding(x, "management-nic")->remedy, "isolate"));
	/* Where the rails only warn, what nobody has named is refused still; but what Proxmox takes, handover does not. */
	x->policy = &warns;
	life_refused(x, 0, audio, "nic-taken-along");
	life_must_plan(x, 201, "handover: 1\ndevices: {it: {at: \"00:14.2\"}}\npre-start:\n- check: it\n");
	assert_int_equal(life_finding(x, "nic-taken-along")->severity, SEVERITY_WARNING);
	x->policy = NULL;
	/* The VM names the whole slot. */
	life_plan(x, 200, audio);
	assert_null(strstr(life_finding(x, "platform-function")->what, "shares its IOMMU group"));
	life_free(x);
}

static void a_sibling_with_a_driver_of_the_hosts_spoils_the_group(void **state)
{
	struct life *x = life_new(host_load("workstation-4070"));
	const struct finding *f = life_refused(x, 0, "handover: 1\ndevices: {gpu: {at: \"02:00.0\"}, audio: {at: \"02:00.1\"}}\n"
					       "pre-start:\n- bind: gpu\n- bind: audio\n  driver: snd_hda_intel\n", "group-not-viable");

	(void)state;
	assert_contains(f->what, "0000:02:00.1 stays with the driver 'snd_hda_intel' in the IOMMU group of 0000:02:00.0");
	life_free(x);
}

static void usb_devices_that_cannot_be_listed_are_told(void **state)
{
	struct life *x = life_guarded(desk_with(""));

	(void)state;
	x->deaf = "sys/bus/usb/devices";
	assert_contains(life_refused(x, 0, "handover: 1\npre-start:\n- usb: \"1-1\"\n", "usb-unreadable")->what,
			"cannot list the USB devices");
	life_free(x);
}

/* --- services ---------------------------------------------------------------------------------------------------- */

/* Whatever a unit is called, and whatever is to become of it. */
static void a_shared_profile_touches_no_unit_that_the_policy_does_not_list(void **state)
{
	static const char *const verbs[] = { "start", "stop", "restart" };
	static const char *const units[] = { "ssh.service", "poweroff.target", "netbird.service" };
	static const char *services[] = { "ssh.service", "cron.service" };
	static const struct policy allows = { .automatic = true, .services = { services, 2 } };
	struct life *x = life_guarded(desk_with(
		"V: unit/ssh.service/state=active\nV: unit/ssh.service/run=1\n"
		"V: unit/poweroff.target/state=inactive\nV: unit/poweroff.target/run=\n"));

	(void)state;
	for (size_t i = 0; i < COUNT(verbs) * COUNT(units); i++) {
		const char *unit = units[i / COUNT(verbs)], *verb = verbs[i % COUNT(verbs)];
		const char *text = arena_fmt(x->a, "handover: 1\npre-start:\n- service: {%s: %s}\n", verb, unit);
		const struct finding *f;

		x->policy = NULL;
		f = life_refused(x, 0, text, "service-not-allowed");
		assert_contains(f->what, arena_fmt(x->a, "does not allow to %s %s", verb, unit));
		assert_string_equal(f->remedy, arena_fmt(x->a, "add 'services = %s' under [allow] in " POLICY_PATH, unit));
		x->policy = &allows;
		if (i < COUNT(verbs))
			life_must_plan(x, 0, text);
		else
			assert_string_equal(life_refused(x, 0, text, "service-not-allowed")->remedy,
					    arena_fmt(x->a, "write 'services = ssh.service cron.service %s' under [allow] in "
						      POLICY_PATH, unit));
	}
	life_free(x);
}

/* --- modules ----------------------------------------------------------------------------------------------------- */

#define UNLOAD(what) "- module: {unload: [" what "]}\n"
#define CARD "handover: 1\ndevices: {gpu: {at: \"02:00.0\"}, audio: {at: \"02:00.1\"}}\npre-start:\n"

/* A driver is taken from under its devices without a question of the kernel's. */
static void a_module_that_drives_a_device_stays(void **state)
{
	static const char *listed[] = { "e1000e" };
	static const struct policy allows = { .automatic = false, .modules = { listed, 1 } };
	struct life *x = life_guarded(desk_with(""));
	const struct finding *f;

	(void)state;
	f = life_refused(x, 0, "handover: 1\npre-start:\n" UNLOAD("e1000e"), "module-in-use");
	assert_string_equal(f->what, "e1000e drives 0000:00:1f.6");
	assert_string_equal(f->remedy, "hand that over first with 'bind', or leave the module");
	life_refused(x, 0, "handover: 1\nboot:\n" UNLOAD("xhci_pci"), "module-in-use");
	/* The policy cannot allow it either, nor a step that comes later. */
	x->policy = &allows;
	life_refused(x, 0, "handover: 1\npre-start:\n" UNLOAD("e1000e"), "module-in-use");
	life_refused(x, 0, "handover: 1\naccept: {unverified-isolation: nic}\ndevices: {nic: {at: \"00:1f.6\"}}\npre-start:\n"
		     UNLOAD("e1000e") "- cycle: nic\n", "module-in-use");
	life_free(x);
}

/* Both functions of a card with snd_hda_intel and nouveau, and the host's own sound. */
static void a_module_goes_with_the_last_device_it_drives(void **state)
{
	struct life *x = life_new(host_load("workstation-4070"));

	(void)state;
	life_refused(x, 0, CARD "- remove: audio\n" UNLOAD("nouveau"), "module-in-use");
	life_refused(x, 0, CARD "- bind: audio\n" UNLOAD("snd_hda_intel"), "module-in-use");
	life_refused(x, 0, CARD UNLOAD("nouveau") "- bind: gpu\n", "module-in-use");
	life_must_plan(x, 0, CARD "- bind: [gpu, audio]\n" UNLOAD("nouveau"));
	life_must_plan(x, 0, CARD "- remove: [gpu, audio]\n" UNLOAD("nouveau"));
	/* Found again, it has its driver again. */
	life_refused(x, 0, CARD "- remove: gpu\n- rescan: gpu\n" UNLOAD("nouveau"), "module-in-use");
	/* And vfio-pci is in use by then. */
	sim_set(x->sim, "module/vfio_pci", "live");
	sim_set_link(x->sim, DRIVERS "/vfio-pci/module", "../../../../module/vfio_pci");
	assert_string_equal(life_refused(x, 0, CARD "- bind: gpu\n" UNLOAD("vfio-pci"), "module-in-use")->what,
			    "vfio_pci drives 0000:02:00.0 and 1 more");
	life_free(x);
}

static void holds(struct life *x, const char *module, const char *holder)
{
	sim_set_link(x->sim, arena_fmt(x->a, "sys/module/%s/holders/%s", module, holder), arena_fmt(x->a, "../../%s", holder));
	sim_set(x->sim, arena_fmt(x->a, "module/%s", holder), "live");
	sim_set(x->sim, arena_fmt(x->a, "module/%s", module), "live");
}

/* As NVIDIA's driver comes: nvidia_drm -> nvidia_modeset -> nvidia, and libraries below it. */
static void modules_that_are_only_there_for_it_go_too(void **state)
{
	struct life *x = life_new(host_load("workstation-4070"));

	(void)state;
	holds(x, "nouveau", "nouveau_modeset");
	holds(x, "nouveau_modeset", "nouveau_drm");
	holds(x, "ttm", "nouveau");
	holds(x, "drm", "ttm");
	holds(x, "drm", "nouveau");
	life_must_plan(x, 0, CARD "- bind: gpu\n" UNLOAD("nouveau-drm, nouveau_modeset, nouveau, ttm, drm"));
	/* In their order. */
	assert_string_equal(life_refused(x, 0, CARD "- bind: gpu\n" UNLOAD("nouveau_modeset"), "module-in-use")->what,
			    "nouveau_modeset is needed by nouveau_drm");
	/* They are for a device that stays. */
	life_refused(x, 0, CARD UNLOAD("nouveau_drm"), "module-not-allowed");
	/* One of them is for something else as well. */
	holds(x, "drm", "ast");
	assert_string_equal(life_refused(x, 0, CARD "- bind: gpu\n" UNLOAD("nouveau_drm, nouveau_modeset, nouveau, ttm, drm"),
					 "module-in-use")->what, "drm is needed by ast");
	life_free(x);
}

/* The host's network, keyboard and guests may be on it, and nothing says so. */
static void a_module_without_a_device_needs_the_policys_word(void **state)
{
	static const char *listed[] = { "usbhid", "dm-crypt" };
	static const struct policy allows = { .automatic = true, .modules = { listed, 2 } };
	static const char *const modules[] = { "usbhid", "dm_crypt", "dm-crypt", "bonding" };
	struct life *x = life_guarded(desk_with("V: module/usbhid=live\nV: module/dm_crypt=live\nV: module/bonding=live\n"));

	(void)state;
	for (size_t i = 0; i < COUNT(modules); i++) {
		const char *text = arena_fmt(x->a, "handover: 1\npre-start:\n" UNLOAD("%s"), modules[i]);

		x->policy = NULL;
		assert_string_equal(life_refused(x, 0, text, "module-not-allowed")->remedy,
				    arena_fmt(x->a, "add 'modules = %s' under [allow] in " POLICY_PATH,
					      i == 2 ? "dm_crypt" : modules[i]));
		x->policy = &allows;
		if (i < 3)
			life_must_plan(x, 0, text);
		else
			assert_string_equal(life_refused(x, 0, text, "module-not-allowed")->remedy,
					    "write 'modules = usbhid dm-crypt bonding' under [allow] in " POLICY_PATH);
	}
	/* What is not loaded makes no step. */
	life_must_plan(x, 0, "handover: 1\npre-start:\n" UNLOAD("kvm"));
	life_free(x);
}

/* A profile may be a stranger's, and each module is more to attack. */
static void a_module_comes_for_a_device_or_by_the_policys_word(void **state)
{
	static const char *listed[] = { "br_netfilter" };
	static const struct policy allows = { .automatic = true, .modules = { listed, 1 } };
	static const char load[] = "handover: 1\ndevices: {gpu: {at: \"02:00.0\"}}\npre-start:\n  - module: {load: %s}\n";
	struct life *x = life_guarded(host_load("workstation-4070"));
	const char *text = arena_fmt(x->a, load, "br_netfilter");

	(void)state;
	sim_set(x->sim, "modalias/pci:v000010DEd00002783sv00001043sd0000896Ebc03sc00i00", "nouveau nvidia_drm");
	assert_string_equal(life_refused(x, 0, text, "module-not-allowed")->remedy,
			    "add 'modules = br_netfilter' under [allow] in " POLICY_PATH);
	assert_contains(x->f.list[0].what, "does not allow to load br_netfilter");
	life_must_plan(x, 0, arena_fmt(x->a, load, "[vfio_pci, vfio-iommu-type1]"));
	/* A driver of the card, but not of another one. */
	life_must_plan(x, 0, arena_fmt(x->a, load, "nvidia-drm"));
	life_refused(x, 0, arena_fmt(x->a, load, "igb"), "module-not-allowed");
	x->policy = &allows;
	life_must_plan(x, 0, text);
	life_free(x);
}

/* --- without a profile ------------------------------------------------------------------------------------------- */

static const struct profile *builtin_of(struct life *x, const char *config, const struct policy *policy)
{
	struct pve_guest guest;
	uint64_t hash;

	findings_init(&x->f, x->a);
	pveconf_parse(config, x->a, &guest);
	return builtin_profile(&guest, policy, 100, &hash, &x->f);
}

static void a_vm_without_a_profile_has_its_hostpci_lines_bound(void **state)
{
	static const struct policy any = { .automatic = true }, required = { .automatic = true, .profile_required = true };
	static const char lines[] = "hostpci0: 02:00\nhostpci1: mapping=gpu\nhostpci3: 0000:03:00.0,driver=keep\nhostpci15: 04:00.1\n";
	struct life *x = life_guarded(host_load("workstation-4070"));
	const struct profile *p = builtin_of(x, lines, &any);

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->n_devices, 3);
	assert_int_equal(p->devices[1].hostpci, 1);
	assert_int_equal(p->devices[2].hostpci, 15);
	assert_int_equal(p->n_steps[PHASE_PRE_START], 1);
	assert_string_equal(p->steps[PHASE_PRE_START][0].action->name, "bind");
	assert_int_equal(p->n_accepts, 0);
	assert_null(builtin_of(x, "hostpci1: mapping=gpu,mdev=x\n", &any));
	assert_int_equal(x->f.errors, 0);
	assert_null(builtin_of(x, "memory: 512\n", &required));
	assert_int_equal(x->f.errors, 0);
	assert_null(builtin_of(x, "hostpci1: mapping=gpu\n", &required));
	assert_string_equal(assert_only(&x->f, "profile-required")->remedy,
			    "write /etc/handover/profiles/100.yaml, or take the hookscript off the VM");
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_screen_with_the_console_stays),
		cmocka_unit_test(a_boot_screen_without_the_console_may_leave),
		cmocka_unit_test(a_serial_console_stays),
		cmocka_unit_test(a_serial_console_that_the_firmware_does_not_know_is_below_the_lpc_bridge),
		cmocka_unit_test(intels_low_power_buses_have_no_firmware_on_them),
		cmocka_unit_test(profile_and_policy_must_both_accept_a_console),
		cmocka_unit_test(what_can_be_accepted_is_what_profiles_may_name),
		cmocka_unit_test(the_profile_alone_may_accept_a_platform_function),
		cmocka_unit_test(what_the_policy_protects_stays),
		cmocka_unit_test(a_protected_usb_device_keeps_what_it_hangs_on),
		cmocka_unit_test(a_protected_interface_keeps_all_that_is_below_it),
		cmocka_unit_test(what_is_protected_and_not_there_is_warned_of),
		cmocka_unit_test(a_hub_takes_the_keyboard_behind_it_along),
		cmocka_unit_test(the_last_keyboard_may_be_let_go_alone),
		cmocka_unit_test(a_usb_controller_stays_where_keyboards_cannot_be_listed),
		cmocka_unit_test(consent_to_one_thing_says_nothing_of_the_one_beside_it),
		cmocka_unit_test(untrusted_guests_get_no_split_by_bookkeeping),
		cmocka_unit_test(what_is_handed_over_out_of_a_split_slot_must_be_accepted),
		cmocka_unit_test(what_a_step_before_has_split_must_be_accepted),
		cmocka_unit_test(what_the_vm_names_must_be_accepted_too),
		cmocka_unit_test(groups_of_an_override_prove_nothing),
		cmocka_unit_test(an_armed_watchdog_stays_whatever_is_accepted),
		cmocka_unit_test(a_node_that_a_process_has_open_is_named_with_it),
		cmocka_unit_test(what_another_vm_has_stays_with_it),
		cmocka_unit_test(what_a_process_has_through_vfio_stays_with_it),
		cmocka_unit_test(of_what_nobody_can_say_who_has_it_open_is_in_doubt),
		cmocka_unit_test(what_a_running_container_has_stays_with_it),
		cmocka_unit_test(what_proxmox_takes_along_is_guarded_too),
		cmocka_unit_test(what_leaves_with_another_says_so),
		cmocka_unit_test(a_sibling_with_a_driver_of_the_hosts_spoils_the_group),
		cmocka_unit_test(usb_devices_that_cannot_be_listed_are_told),
		cmocka_unit_test(a_shared_profile_touches_no_unit_that_the_policy_does_not_list),
		cmocka_unit_test(a_module_that_drives_a_device_stays),
		cmocka_unit_test(a_module_goes_with_the_last_device_it_drives),
		cmocka_unit_test(modules_that_are_only_there_for_it_go_too),
		cmocka_unit_test(a_module_without_a_device_needs_the_policys_word),
		cmocka_unit_test(a_module_comes_for_a_device_or_by_the_policys_word),
		cmocka_unit_test(a_vm_without_a_profile_has_its_hostpci_lines_bound),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
