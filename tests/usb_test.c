/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs on USB controllers: names of the seam, keyboards and pointers, and what comes and goes with a driver. */
#include "support.h"

#include "core/usb.h"
#include "host/usbtree.h"

#define FIRST "0000:00:14.0"
#define SECOND "0000:05:00.0"
#define EMPTY "0000:00:1a.0"
#define DEVICES "sys/bus/pci/devices"
#define XHCI "sys/bus/pci/drivers/xhci_hcd"
#define HUB "/devices/pci0000:00/" FIRST "/usb3/3-2"
#define FUNCTION(path, vendor, device) \
	"P: /devices/pci0000:00/" path "\nA: vendor=" vendor "\nA: device=" device "\nA: class=0x0c0330\n" \
	"A: driver_override=(null)\n"
#define ON_XHCI "L: driver=../../../bus/pci/drivers/xhci_hcd\n"
#define ON(path) "P: /devices/pci0000:00/" FIRST "/" path "\n"
#define ID(vendor, product) "A: idVendor=" vendor "\nA: idProduct=" product "\n"
#define BOOT(protocol) "A: bInterfaceClass=03\nA: bInterfaceSubClass=01\nA: bInterfaceProtocol=" protocol "\n"
#define USB_KEYS "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
#define MOUSE_KEYS "1f0000 0 0 0 0"

/*
 * The first controller has buses 3 and 10, so that numeric order shows. The second one's root hub is not right below
 * the PCI function. Bus 7 is a virtual one.
 */
static const char *const text =
	"handover-host: 1\nsource: made: two USB controllers, hubs, keyboards of all kinds\n"
	FUNCTION(FIRST, "0x8086", "0xa36d") "A: subsystem_vendor=0x103c\nA: subsystem_device=0x83e1\nA: power/control=on\n"
	"L: iommu_group=../../../kernel/iommu_groups/4\n" ON_XHCI
	ON("usb10") ID("1d6b", "0003") "A: bDeviceClass=09\n"
	ON("usb10/10-1") ID("0781", "5581") "A: product=Stick \033[2J \302\233""31m\n"
	ON("usb3") ID("1d6b", "0002") "A: bDeviceClass=09\n"
	ON("usb3/3-0:1.0") "A: bInterfaceClass=09\n"
	"P: " HUB "\n" ID("05e3", "0610") "A: bDeviceClass=09\nA: product=USB2.1 Hub\n"
	"P: " HUB "/3-2.4\n" ID("05e3", "0608") "A: bDeviceClass=09\n"
	"P: " HUB "/3-2.4/3-2.4.1\n" ID("046d", "c077") "A: product=Mouse\n"
	"P: " HUB "/3-2.4/3-2.4.1/3-2.4.1:1.0\n" BOOT("02")
	"P: " HUB "/3-2.4/3-2.4.1/3-2.4.1:1.0/0003:046D:C077.0002/input/input6\nA: capabilities/key=" MOUSE_KEYS "\n"
	"P: " HUB "/3-2.1\n" ID("046d", "c31c") "A: product=Keyboard\n"
	"P: " HUB "/3-2.1/3-2.1:1.0\n" BOOT("01") "L: driver=../../../../../../../bus/usb/drivers/usbhid\n"
	"P: " HUB "/3-2.1/3-2.1:1.0/0003:046D:C31C.0001/input/input5\nA: name=Keyboard\n"
	"A: capabilities/key=" USB_KEYS "\n"
	/* Its input says what it is, whatever its interface says. */
	ON("usb3/3-5") ID("1234", "0005") ON("usb3/3-5/3-5:1.0") BOOT("01")
	ON("usb3/3-5/3-5:1.0/0003:1234:0005.0003/input/input7") "A: name=Remote\nA: capabilities/key=fffffffe\n"
	ON("usb3/3-5/3-5:1.0/0003:1234:0005.0003/input/input8") "A: name=Buttons\nA: capabilities/key=fffffffc\n"
	ON("usb3/3-10") ID("1234", "0010") ON("usb3/3-10/3-10:1.0") BOOT("01")
	ON("usb3/3-11") ID("1234", "0011") ON("usb3/3-11/3-11:1.1") BOOT("02")
	ON("usb3/3-12") ID("1234", "0012") ON("usb3/3-12/3-12:1.0") BOOT("01")
	"L: driver=../../../../../../bus/usb/drivers/usbfs\n"
	/* Vendor's own, and a keyboard without boot protocol. */
	ON("usb3/3-13") ID("1234", "0013") ON("usb3/3-13/3-13:1.0") "A: bInterfaceClass=ff\nA: bInterfaceSubClass=01\n"
	"A: bInterfaceProtocol=01\n" ON("usb3/3-13/3-13:1.1") "A: bInterfaceClass=03\nA: bInterfaceSubClass=00\n"
	"A: bInterfaceProtocol=01\n"
	FUNCTION("0000:00:1c.0/" SECOND, "0x1b21", "0x2142") "L: iommu_group=../../../../kernel/iommu_groups/14\n"
	"L: driver=../../../../bus/pci/drivers/xhci_hcd\n"
	"P: /devices/pci0000:00/0000:00:1c.0/" SECOND "/glue.1.auto/usb4\n" ID("1d6b", "0002")
	"P: /devices/pci0000:00/0000:00:1c.0/" SECOND "/glue.1.auto/usb4/4-1\n" ID("04d9", "0169") "A: product=Second\n"
	"P: /devices/pci0000:00/0000:00:1c.0/" SECOND "/glue.1.auto/usb4/4-1/4-1:1.0\n" BOOT("01")
	FUNCTION("0000:00:1c.0/0000:05:00.1", "0x1b21", "0x2143") "L: iommu_group=../../../../kernel/iommu_groups/14\n"
	FUNCTION(EMPTY, "0x8086", "0xa36e") ON_XHCI
	"P: /devices/pci0000:00/0000:00:1c.0\nL: iommu_group=../../../kernel/iommu_groups/14\n"
	"P: /devices/platform/vhci_hcd.0/usb7/7-1\n" ID("aaaa", "bbbb")
	"P: /devices/platform/vhci_hcd.0/usb7/7-1/7-1:1.0/0003:AAAA:BBBB.0009/input/input9\nA: name=Far\n"
	"A: capabilities/key=fffffffffffffffe\n"
	"P: /devices/platform/i8042/serio0/input/input0\nA: name=AT Translated Set 2 keyboard\n"
	"A: capabilities/key=402000002 3803078f800d001 feffffdfffefffff fffffffffffffffe\n"
	"P: /devices/LNXSYSTM:00/LNXPWRBN:00/input/input1\nA: name=Power Button\nA: capabilities/key=10000000000000 0\n"
	"P: /bus/pci/drivers/vfio-pci\n";

static struct usb read_usb(struct arena *a, struct host *h)
{
	struct usb u;
	struct error err;

	if (usb_read(h, a, &u, &err) < 0)
		fail_msg("%s", err.text);
	return u;
}

static const char *listed(struct arena *a, struct host *h, const char *name)
{
	const char *all = "";
	char **names;
	size_t n;

	assert_int_equal(host_list(h, name, a, &names, &n), 0);
	for (size_t i = 0; i < n; i++)
		all = arena_fmt(a, "%s%s%s", all, i ? " " : "", names[i]);
	return all;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static void names_of_sysfs_are_taken_apart(void **state)
{
	static const struct { const char *text; enum usb_kind kind; unsigned bus; const char *port; } cases[] = {
		{ "usb1", USB_ROOT_HUB, 1, "" },
		{ "usb12", USB_ROOT_HUB, 12, "" },
		{ "1-1", USB_DEVICE, 1, "1" },
		{ "12-14.3.255", USB_DEVICE, 12, "14.3.255" },
		{ "1-1.2.3.4.5.6.77", USB_DEVICE, 1, "1.2.3.4.5.6.77" },
		{ "1-1:1.0", USB_INTERFACE, 1, "1" },
		{ "1-2.1:10.31", USB_INTERFACE, 1, "2.1" },
		{ "2-0:1.0", USB_INTERFACE, 2, "" },
	};
	static const char *const bad[] = {
		"", "usb", "usb0", "usb01", "usb1x", "usb1-1", "usb12345", "1", "-1", "1-", "0-1", "01-1", "1-0", "1-01",
		"1-1.", "1-1..2", "1-.1", "1-256", "1-1:", "1-1:1", "1-1:1.", "1-1:1.0x", "1-1:1.0.0", "1-0:", "1-0.1",
		"1-1 ", "1-1.2.3.4.5.6.777", "ep_00", "0000:00:14.0", "usb1-port1", "1-1/2",
	};
	struct usb_name name;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (usb_name_parse(cases[i].text, &name) != cases[i].kind)
			fail_msg("'%s' is kind %d", cases[i].text, (int)name.kind);
		assert_int_equal(name.bus, cases[i].bus);
		assert_string_equal(name.port, cases[i].port);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (usb_name_parse(bad[i], &name) != USB_NOTHING)
			fail_msg("'%s' is kind %d", bad[i], (int)name.kind);
}

static void ports_are_counted_by_root_hub(void **state)
{
	struct host *h = host_from(text);
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(listed(a, h, "usb/" FIRST), "1:10 1:11 1:12 1:13 1:2 1:2.1 1:2.4 1:2.4.1 1:5 2:1");
	assert_string_equal(listed(a, h, "usb/" SECOND), "1:1");
	assert_string_equal(listed(a, h, "usb/" EMPTY), "");
	assert_string_equal(listed(a, h, "usb/0000:00:1c.0"), "");
	assert_reads(h, "usb/" FIRST "/1:2.1", "046d:c31c");
	assert_reads(h, "usb/" FIRST "/2:1", "0781:5581");
	assert_reads(h, "usb/" SECOND "/1:1", "04d9:0169");
	assert_absent(h, "usb/" FIRST "/1:1");
	assert_absent(h, "usb/" FIRST "/3:1");
	assert_absent(h, "usb/" SECOND "/2:1");
	assert_absent(h, "usb/" EMPTY "/1:1");
	assert_absent(h, "usb/0000:ff:1f.7/1:1");
	assert_true(host_has(h, "usb/" FIRST));
	assert_true(host_has(h, "usb/" FIRST "/1:2.1"));
	assert_false(host_has(h, "usb/" FIRST "/1:1"));
	assert_false(host_has(h, "usb/0000:ff:1f.7"));
	host_close(h);
}

static void ids_and_groups_are_put_together(void **state)
{
	struct host *h = host_from(text);

	(void)state;
	assert_reads(h, "id/" FIRST, "8086:a36d:103c:83e1");
	assert_reads(h, "id/" SECOND, "1b21:2142:0000:0000");
	/* It was not described. */
	assert_absent(h, "id/0000:00:1c.0");
	assert_absent(h, "id/0000:ff:1f.7");
	assert_reads(h, "group/" FIRST, FIRST);
	assert_reads(h, "group/0000:05:00.1", "0000:00:1c.0 " SECOND " 0000:05:00.1");
	assert_absent(h, "group/" EMPTY);
	assert_absent(h, "group/0000:ff:1f.7");
	host_close(h);
}

static void a_group_is_sorted_by_address_and_holds_only_functions(void **state)
{
	struct host *h = host_from("handover-host: 1\n"
		"P: /devices/pci10000:00/10000:00:01.0\nL: iommu_group=../../../kernel/iommu_groups/1\n"
		"P: /devices/pci0000:00/0000:00:02.0\nL: iommu_group=../../../kernel/iommu_groups/1\n"
		"P: /devices/pci0000:00/0000:0a:00.0\nL: iommu_group=../../../kernel/iommu_groups/1\n"
		"P: /kernel/iommu_groups/1/devices/PNP0C02:00\n");

	(void)state;
	assert_reads(h, "group/10000:00:01.0", "0000:00:02.0 0000:0a:00.0 10000:00:01.0");
	host_close(h);
}

static void names_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = {
		"id/00:14.0", "id/0000:00:14.0/x", "id/0000:00:1F.0", "id/x", "id/0000:00:14.00000000000000000000000",
		"group/14.0", "group/" FIRST "/devices", "usb/x", "usb/x/1:1", "usb/" FIRST "/1", "usb/" FIRST "/1:",
		"usb/" FIRST "/:1", "usb/" FIRST "/0:1", "usb/" FIRST "/01:1", "usb/" FIRST "/1:0", "usb/" FIRST "/1:2.1x",
		"usb/" FIRST "/1:2.1:1.0", "usb/" FIRST "/1:1/idVendor", "usb/" FIRST "/usb3", "usb/" FIRST "/-1:1",
		"usb/" FIRST "/10000:1", "usb/" FIRST "/1:1.2.3.4.5.6.777",
	};
	struct host *h = host_from(text);
	_cleanup_arena_ struct arena *a = arena_new();
	char buf[HOST_VALUE_BYTES], **names;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (host_read(h, bad[i], buf, sizeof(buf)) != -EINVAL)
			fail_msg("%s is read", bad[i]);
		assert_int_equal(host_read_bytes(h, bad[i], buf, sizeof(buf)), -EINVAL);
		assert_false(host_has(h, bad[i]));
	}
	assert_int_equal(host_list(h, "usb/x", a, &names, &n), -EINVAL);
	assert_int_equal(host_list(h, "usb/0000:ff:1f.7", a, &names, &n), -ENOENT);
	assert_int_equal(host_list(h, "usb/" FIRST "/1:2", a, &names, &n), -ENOTDIR);
	assert_int_equal(host_list(h, "id/" FIRST, a, &names, &n), -ENOTDIR);
	assert_int_equal(host_list(h, "group/" FIRST, a, &names, &n), -ENOTDIR);
	assert_int_equal(host_read(h, "usb/" FIRST, buf, sizeof(buf)), -EISDIR);
	host_close(h);
}

static void derived_names_are_values_and_not_written(void **state)
{
	static const char *const names[] = { "id/" FIRST, "group/0000:05:00.1", "usb/" FIRST "/1:2.1" };
	struct host *h = host_from(text);
	char buf[HOST_VALUE_BYTES], exact[HOST_VALUE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		size_t n = (size_t)host_read(h, names[i], buf, sizeof(buf));

		assert_int_equal(host_link(h, names[i], buf, sizeof(buf)), -EINVAL);
		assert_int_equal(poke_host(h, names[i], "x"), -EPERM);
		assert_int_equal(host_read(h, names[i], exact, n + 1), n);
		for (size_t size = 0; size <= n; size++) {
			memset(exact, 'x', sizeof(exact));
			assert_int_equal(host_read(h, names[i], exact, size), -E2BIG);
			assert_int_equal(exact[size], 'x');
		}
	}
	host_close(h);
}

static void odd_attributes_are_no_ids(void **state)
{
	struct host *h = host_from("handover-host: 1\n"
		"P: /devices/pci0000:00/0000:00:02.0\nA: vendor=8086\nA: device=0x1\nA: subsystem_vendor=\n"
		"P: /devices/pci0000:00/0000:00:02.0/usb1/1-1\nA: idVendor=46d\nA: idProduct=c31c\n"
		"P: /devices/pci0000:00/0000:00:02.0/usb1/1-2\nA: idVendor=046d\n");
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_absent(h, "id/0000:00:02.0");
	assert_absent(h, "usb/0000:00:02.0/1:1");
	assert_absent(h, "usb/0000:00:02.0/1:2");
	assert_int_equal(read_usb(a, h).n, 0);
	host_close(h);
}

/* --- devices ----------------------------------------------------------------------------------------------------- */

static void devices_stand_in_order_with_what_they_are(void **state)
{
	static const char *const wanted[] = {
		FIRST " 1:2 3-2 05e3:0610 'USB2.1 Hub' hub", FIRST " 1:2.1 3-2.1 046d:c31c 'Keyboard' keyboard",
		FIRST " 1:2.4 3-2.4 05e3:0608 '' hub", FIRST " 1:2.4.1 3-2.4.1 046d:c077 'Mouse' pointer",
		FIRST " 1:5 3-5 1234:0005 '' keyboard", FIRST " 1:10 3-10 1234:0010 '' keyboard",
		FIRST " 1:11 3-11 1234:0011 '' pointer", FIRST " 1:12 3-12 1234:0012 ''", FIRST " 1:13 3-13 1234:0013 ''",
		FIRST " 2:1 10-1 0781:5581 'Stick ?[2J ?31m'", SECOND " 1:1 4-1 04d9:0169 'Second' keyboard",
	};
	struct host *h = host_from(text);
	_cleanup_arena_ struct arena *a = arena_new();
	struct usb u = read_usb(a, h);

	(void)state;
	assert_int_equal(u.n, COUNT(wanted));
	for (size_t i = 0; i < u.n; i++) {
		const struct usb_device *d = &u.devices[i];

		assert_string_equal(arena_fmt(a, "%s %s %s %s '%s'%s%s%s", d->controller, d->port, d->name, d->id,
					      d->product, d->hub ? " hub" : "", d->keyboard ? " keyboard" : "",
					      d->pointer ? " pointer" : ""), wanted[i]);
	}
	assert_int_equal(u.n_others, 2);
	assert_string_equal(u.other_keyboards[0], "AT Translated Set 2 keyboard");
	assert_string_equal(u.other_keyboards[1], "Far");
	host_close(h);
}

static void keys_that_are_none_make_no_keyboard(void **state)
{
	static const struct { const char *keys; bool keyboard, pointer; } cases[] = {
		{ "fffffffe", true, false },
		{ "ffffffff", true, false },
		{ "0 fffffffe", true, false },
		{ "fffffffe 0", false, false },
		{ "fffffffc", false, false },
		{ "7ffffffe", false, false },
		{ "", false, false },
		{ " ", false, false },
		{ "0", false, false },
		{ "fffffffffffffffff", false, false },
		{ "nonsense", false, false },
		{ "1f0000 0 0 0 0", false, true },
		{ "10000 0 0 0 fffffffe", true, true },
		{ "20000 0 0 0 0", false, false },
		{ "10000 0 0 0", false, false },
		{ "1 10000 0 0 0 0", false, true },
	};
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host *h = host_from(arena_fmt(a, "handover-host: 1\nP: /devices/pci0000:00/" FIRST "/usb1/1-1\n"
			ID("1234", "5678") "P: /devices/pci0000:00/" FIRST "/usb1/1-1/1-1:1.0/input/input1\n"
			"A: capabilities/key=%s\n", cases[i].keys));
		struct usb u = read_usb(a, h);

		assert_int_equal(u.n, 1);
		if (u.devices[0].keyboard != cases[i].keyboard || u.devices[0].pointer != cases[i].pointer)
			fail_msg("'%s'", cases[i].keys);
		host_close(h);
	}
}

/* The port of the first keyboard that is lost; NULL: none. */
static const char *last_keyboard(const struct usb *u, const char *const *leaving, size_t n)
{
	const struct usb_device *lost[16];

	assert_true(u->n <= COUNT(lost));
	return usb_last(u, USB_KEYBOARD, leaving, n, lost) ? lost[0]->port : NULL;
}

static void a_host_without_usb_has_none(void **state)
{
	struct host *h = sim_new();
	_cleanup_arena_ struct arena *a = arena_new();
	struct usb u = read_usb(a, h);

	(void)state;
	assert_int_equal(u.n, 0);
	assert_int_equal(u.n_others, 0);
	assert_null(last_keyboard(&u, NULL, 0));
	host_close(h);
}

static void the_last_keyboard_is_named(void **state)
{
	static const char *const both[] = { SECOND, FIRST };
	static const char *const wrong[] = { EMPTY, "0000:ff:1f.7" };
	struct host *h = host_from(text);
	_cleanup_arena_ struct arena *a = arena_new();
	struct usb u = read_usb(a, h);

	(void)state;
	assert_null(last_keyboard(&u, NULL, 0));
	assert_null(last_keyboard(&u, wrong, COUNT(wrong)));
	assert_null(last_keyboard(&u, both, 1));
	assert_null(last_keyboard(&u, both + 1, 1));
	/* A PS/2 keyboard that is perhaps not there does not count. */
	assert_string_equal(last_keyboard(&u, both, 2), "1:2.1");
	/* Where there was none, none is lost. */
	for (size_t i = 0; i < u.n; i++)
		u.devices[i].keyboard = false;
	assert_null(last_keyboard(&u, both, 2));
	host_close(h);
}

static void the_captured_host_has_its_keyboard(void **state)
{
	static const char *const controller[] = { FIRST };
	struct host *h = host_load("lab-pair");
	_cleanup_arena_ struct arena *a = arena_new();
	struct usb u = read_usb(a, h);

	(void)state;
	assert_int_equal(u.n, 1);
	assert_string_equal(u.devices[0].product, "QEMU USB Keyboard");
	assert_true(u.devices[0].keyboard);
	assert_false(u.devices[0].pointer);
	assert_int_equal(u.n_others, 1);
	assert_ptr_equal(last_keyboard(&u, controller, 1), u.devices[0].port);
	host_close(h);
}

/* --- drivers come and go ----------------------------------------------------------------------------------------- */

static void what_a_driver_made_goes_with_it(void **state)
{
	struct host *h = host_from(text);
	_cleanup_arena_ struct arena *a = arena_new();
	const char *before = host_dump(a, h);

	(void)state;
	assert_reads(h, "sys/bus/usb/devices/3-2.1:1.0/driver", "usbhid");
	assert_reads(h, "sys/class/input/input5/name", "Keyboard");
	assert_int_equal(poke_host(h, XHCI "/unbind", FIRST), 0);
	assert_string_equal(listed(a, h, "usb/" FIRST), "");
	assert_absent(h, "usb/" FIRST "/1:2.1");
	assert_string_equal(listed(a, h, "sys/bus/usb/devices"), "4-1 4-1:1.0 7-1 7-1:1.0 usb4 usb7");
	assert_string_equal(listed(a, h, "sys/class/input"), "input0 input1 input9");
	assert_false(host_has(h, "sys/devices/pci0000:00/" FIRST "/usb3"));
	assert_true(host_has(h, DEVICES "/" FIRST "/power/control"));
	assert_null(strstr(host_dump(a, h), "3-2"));
	/* The other controller has all it had. */
	assert_string_equal(listed(a, h, "usb/" SECOND), "1:1");
	assert_int_equal(poke_host(h, XHCI "/bind", FIRST), 0);
	assert_string_equal(host_dump(a, h), before);
	host_close(h);
}

static void it_comes_back_only_with_its_own_driver(void **state)
{
	struct host *h = host_from(text);
	_cleanup_arena_ struct arena *a = arena_new();
	const char *before = host_dump(a, h);

	(void)state;
	assert_int_equal(poke_host(h, DEVICES "/" SECOND "/driver_override", "vfio-pci"), 0);
	for (int life = 0; life < 3; life++) {
		assert_int_equal(poke_host(h, DEVICES "/" SECOND "/driver/unbind", SECOND), 0);
		assert_int_equal(poke_host(h, "sys/bus/pci/drivers/vfio-pci/bind", SECOND), 0);
		assert_string_equal(listed(a, h, "usb/" SECOND), "");
	}
	assert_int_equal(poke_host(h, DEVICES "/" SECOND "/driver/unbind", SECOND), 0);
	assert_int_equal(poke_host(h, DEVICES "/" SECOND "/driver_override", ""), 0);
	assert_int_equal(poke_host(h, "sys/bus/pci/drivers_probe", SECOND), 0);
	assert_string_equal(host_dump(a, h), before);
	host_close(h);
}

static void functions_below_a_bridge_stay(void **state)
{
	struct host *h = host_from("handover-host: 1\n"
		"P: /devices/pci0000:00/0000:00:1c.0\nA: power/control=on\nL: driver=../../../bus/pci/drivers/pcieport\n"
		"P: /devices/pci0000:00/0000:00:1c.0/pci_bus/0000:05\nA: cpuaffinity=3\n"
		"P: /devices/pci0000:00/0000:00:1c.0/0000:00:1c.0:pcie001\nA: x=y\n"
		"P: /devices/pci0000:00/0000:00:1c.0/" SECOND "/usb1/1-1\n" ID("1234", "5678"));

	(void)state;
	assert_int_equal(poke_host(h, "sys/bus/pci/drivers/pcieport/unbind", "0000:00:1c.0"), 0);
	assert_reads(h, "usb/" SECOND "/1:1", "1234:5678");
	assert_true(host_has(h, DEVICES "/0000:00:1c.0/pci_bus/0000:05"));
	assert_true(host_has(h, DEVICES "/0000:00:1c.0/power/control"));
	assert_false(host_has(h, DEVICES "/0000:00:1c.0/0000:00:1c.0:pcie001"));
	host_close(h);
}

static void a_folder_is_set_aside_and_put_back_for_a_reason(void **state)
{
	struct host *h = sim_new();
	_cleanup_arena_ struct arena *a = arena_new();
	const char *before;

	(void)state;
	sim_set(h, "x/a/file", "1");
	sim_set(h, "x/b", "2");
	before = host_dump(a, h);
	sim_set_aside(h, "x/a", "one");
	sim_set_aside(h, "x/b", "other");
	sim_set_aside(h, "x/none", "one");
	assert_string_equal(host_dump(a, h), "x/\n");
	sim_put_back(h, "x", "nobody");
	sim_put_back(h, "nowhere", "one");
	assert_string_equal(host_dump(a, h), "x/\n");
	sim_put_back(h, "x", "one");
	assert_string_equal(host_dump(a, h), "x/\nx/a/\nx/a/file = 1\n");
	sim_put_back(h, "x", "other");
	assert_string_equal(host_dump(a, h), before);
	/* What is new in its place stays. */
	sim_set_aside(h, "x/b", "one");
	sim_set(h, "x/b", "3");
	sim_put_back(h, "x", "one");
	assert_reads(h, "x/b", "3");
	host_close(h);
}

/* --- capture ----------------------------------------------------------------------------------------------------- */

static void a_capture_has_what_hangs_on_pci_controllers(void **state)
{
	struct host *h = host_from(text), *copy;
	_cleanup_arena_ struct arena *a = arena_new();
	const char *captured;
	struct usb u;

	(void)state;
	sim_set(h, DEVICES "/" FIRST "/usb3/3-5/serial", "SECRET");
	sim_set(h, "nic/0000:05:00.1/name", "eno1");
	sim_set(h, "nic/0000:05:00.1/loose", "a bond\nand more");
	sim_set(h, "unit/x.service/state", "active");
	captured = host_capture(a, h);
	assert_null(strstr(captured, "SECRET"));
	assert_contains(captured, "\nV: unit/x.service/state=active\n");
	assert_null(strstr(captured, "usb7/7-1\n"));
	assert_contains(captured, "\nV: nic/0000:05:00.1/name=eno1\nV: nic/0000:05:00.1/loose=a bond\\nand more\n");
	copy = host_from(captured);
	assert_string_equal(host_capture(a, copy), captured);
	assert_string_equal(listed(a, copy, "usb/" FIRST), listed(a, h, "usb/" FIRST));
	u = read_usb(a, copy);
	assert_int_equal(u.n, 11);
	assert_int_equal(u.n_others, 2);
	assert_true(u.devices[1].keyboard);
	assert_reads(copy, "sys/bus/usb/devices/3-2.1:1.0/driver", "usbhid");
	host_close(copy);
	host_close(h);
}

static void the_bus_and_the_class_hold_what_the_tree_has(void **state)
{
	struct host *h = host_from("handover-host: 1\n"
		"P: /bus/usb/devices\nL: 9-9=../../../devices/nowhere\nP: /class/input\nL: input9=../../devices/nowhere\n"
		"P: /devices/pci0000:00/" FIRST "/usb1/1-1/1-1:1.0/input5\nP: /devices/pci0000:00/" FIRST "/input/inputs\n"
		"P: /devices/virtual/input/input3\nP: /devices/x/input/input03\n"
		"P: /devices/y\nA: usb2=a file\nL: usb3=../x\n");
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(listed(a, h, "sys/bus/usb/devices"), "1-1 1-1:1.0 usb1");
	assert_string_equal(listed(a, h, "sys/class/input"), "input3");
	assert_reads(h, "sys/bus/usb/devices/usb1", "usb1");
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_sysfs_are_taken_apart),
		cmocka_unit_test(ports_are_counted_by_root_hub),
		cmocka_unit_test(ids_and_groups_are_put_together),
		cmocka_unit_test(a_group_is_sorted_by_address_and_holds_only_functions),
		cmocka_unit_test(names_that_cannot_be_are_refused),
		cmocka_unit_test(derived_names_are_values_and_not_written),
		cmocka_unit_test(odd_attributes_are_no_ids),
		cmocka_unit_test(devices_stand_in_order_with_what_they_are),
		cmocka_unit_test(keys_that_are_none_make_no_keyboard),
		cmocka_unit_test(a_host_without_usb_has_none),
		cmocka_unit_test(the_last_keyboard_is_named),
		cmocka_unit_test(the_captured_host_has_its_keyboard),
		cmocka_unit_test(what_a_driver_made_goes_with_it),
		cmocka_unit_test(it_comes_back_only_with_its_own_driver),
		cmocka_unit_test(functions_below_a_bridge_stay),
		cmocka_unit_test(a_folder_is_set_aside_and_put_back_for_a_reason),
		cmocka_unit_test(a_capture_has_what_hangs_on_pci_controllers),
		cmocka_unit_test(the_bus_and_the_class_hold_what_the_tree_has),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
