/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topology seed: functions leave the bus and are found again. Those used here are alone in their groups. */
#include <errno.h>
#include <stdio.h>

#include "conformance.h"

/* A USB controller on the root bus; each behind its port: a device without a driver, a USB controller, and a NIC. */
#define XHCI "0000:00:14.0"
#define EDU_PORT "0000:00:1b.0"
#define EDU "0000:01:00.0"
#define EDU_ID "1234 11e8"
#define MOUSE_PORT "0000:00:1c.0"
#define MOUSE_XHCI "0000:02:00.0"
#define MOUSE_ID "0627:0001"
#define NIC "0000:03:00.0"
#define NIC_ID "8086 10d3"
#define ON_ROOT "0000:00:1f.4"	/* any other function of the root bus */

#define RESCAN "sys/bus/pci/rescan"
#define ALL_BUSES "sys/class/pci_bus"
#define ROUNDS 20

/* kstrtoul() with base 0; what is not zero will do. */
static void values(const char *file, const char *yes)
{
	static const char *const nonsense[] = { "x", "", "-1", " 1", "1 1", "0x", "1x", "08" };

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++)
		put(file, nonsense[i], EINVAL);
	put(file, "0", 0);
	put(file, "0x0", 0);
	put(file, yes, 0);
}

static void values_of_remove(void)
{
	unsigned long long life = life_of(EDU);

	part = "values written to remove and rescan";
	reads_file(EDU, "vendor", "0x1234");
	values(DEVICE EDU "/remove", "2");
	is_gone(EDU);
	assertion(life > 0, "life", EDU, "a number", "none");
	put(DEVICE EDU "/remove", "1", ENOENT);
	put(DEVICE EDU "/rescan", "1", ENOENT);
	put(DEVICE EDU "/driver_override", "vfio-pci", ENOENT);
	put("sys/bus/pci/drivers_probe", EDU, ENODEV);
	put(RESCAN, "x", EINVAL);
	put(RESCAN, "0", 0);
	is_gone(EDU);
	values(BUSES "0000:01/rescan", "0x1");
	is_back(EDU, NULL);
	removes(EDU);
	values(DEVICE EDU_PORT "/rescan", "010");
	is_back(EDU, NULL);
	removes(EDU);
	values(RESCAN, "+1");
	is_back(EDU, NULL);
	group(EDU, EDU);
}

static void there_already(void)
{
	unsigned long long life = life_of(EDU);
	char want[32], seen[32];

	part = "a rescan of what is there";
	rescans(RESCAN);
	rescans(DEVICE EDU "/rescan");
	driver(NIC, "e1000e");
	snprintf(want, sizeof(want), "%llu", life);
	snprintf(seen, sizeof(seen), "%llu", life_of(EDU));
	assertion(life == life_of(EDU), "life", EDU, want, seen);
	/* Who is there and has no driver is not offered one. */
	put_file(NIC, "driver/unbind", NIC, 0);
	rescans(RESCAN);
	driver(NIC, NULL);
	put(DRIVERS "e1000e/bind", NIC, 0);
	driver(NIC, "e1000e");
}

static void scopes(void)
{
	part = "what a rescan finds";
	removes(EDU);
	removes(MOUSE_XHCI);
	rescans(BUSES "0000:02/rescan");
	is_back(MOUSE_XHCI, "xhci_hcd");
	is_gone(EDU);
	/* A function's file is about the bus it is on. */
	rescans(DEVICE MOUSE_XHCI "/rescan");
	is_gone(EDU);
	rescans(BUSES "0000:01/rescan");
	is_back(EDU, NULL);
	/* A bus, and all below it. */
	removes(EDU);
	rescans(DEVICE ON_ROOT "/rescan");
	is_back(EDU, NULL);
	removes(EDU);
	rescans(BUSES "0000:00/rescan");
	is_back(EDU, NULL);
	removes(EDU);
	rescans(DEVICE EDU_PORT "/rescan");
	is_back(EDU, NULL);
	/* But none above. */
	removes(EDU);
	removes(XHCI);
	rescans(BUSES "0000:01/rescan");
	is_back(EDU, NULL);
	is_gone(XHCI);
	rescans(DEVICE EDU "/rescan");
	is_gone(XHCI);
	removes(EDU);
	rescans(RESCAN);
	is_back(XHCI, "xhci_hcd");
	is_back(EDU, NULL);
	group(XHCI, XHCI);
	group(EDU, EDU);
}

/* Only what has the power management capability may lose its power, drivers/pci/pci.c, pci_pm_init(). */
static void power_is_as_at_first(void)
{
	part = "power/control and d3cold_allowed of a function found again";
	reads_file(NIC, "d3cold_allowed", "1");
	put_file(NIC, "d3cold_allowed", "x", EINVAL);
	put_file(NIC, "d3cold_allowed", "", EINVAL);
	put_file(NIC, "d3cold_allowed", "0x2", 0);
	reads_file(NIC, "d3cold_allowed", "1");
	put_file(NIC, "d3cold_allowed", "0", 0);
	reads_file(NIC, "d3cold_allowed", "0");
	put_file(NIC, "power/control", "auto", 0);
	removes(NIC);
	rescans(BUSES "0000:03/rescan");
	is_back(NIC, "e1000e");
	reads_file(NIC, "d3cold_allowed", "1");
	reads_file(NIC, "power/control", "on");
	reads_file(EDU, "d3cold_allowed", "0");
	put_file(EDU, "d3cold_allowed", "1", 0);
	reads_file(EDU, "d3cold_allowed", "1");
	put_file(EDU, "power/control", "auto", 0);
	removes(EDU);
	rescans(BUSES "0000:01/rescan");
	is_back(EDU, NULL);
	reads_file(EDU, "d3cold_allowed", "0");
	reads_file(EDU, "power/control", "on");
}

static void reset_is_as_at_first(void)
{
	part = "reset_method";
	reads_file(NIC, "reset_method", "pm bus");
	put_file(NIC, "reset_method", "nonsense", EINVAL);
	put_file(NIC, "reset_method", "flr", EINVAL);
	put_file(NIC, "reset_method", "bus flr", EINVAL);
	reads_file(NIC, "reset_method", "pm bus");
	put_file(NIC, "reset_method", "bus pm", 0);
	reads_file(NIC, "reset_method", "bus pm");
	put_file(NIC, "reset_method", "default", 0);
	reads_file(NIC, "reset_method", "pm bus");
	put_file(NIC, "reset_method", " bus ", 0);
	reads_file(NIC, "reset_method", "bus");
	removes(NIC);
	rescans(RESCAN);
	is_back(NIC, "e1000e");
	reads_file(NIC, "reset_method", "pm bus");
	put_file(NIC, "reset_method", "", 0);
	reads_file(NIC, "reset_method", "");
	removes(NIC);
	rescans(RESCAN);
	is_back(NIC, "e1000e");
	reads_file(NIC, "reset_method", "pm bus");
	reads_file(EDU, "reset_method", "bus");
	put_file(EDU, "reset_method", "pm", EINVAL);
	reads_file(ON_ROOT, "reset_method", NULL);
}

static void override_is_lost(void)
{
	part = "the driver of a function found again";
	put("module/vfio_pci", "load", 0);
	put_file(NIC, "driver_override", "vfio-pci", 0);
	put_file(NIC, "driver/unbind", NIC, 0);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	driver(NIC, "vfio-pci");
	removes(NIC);
	reads(DRIVERS "vfio-pci/" NIC "/vendor", NULL);
	rescans(RESCAN);
	is_back(NIC, "e1000e");
	reads(DRIVERS "e1000e/" NIC "/vendor", "0x8086");
	/* One that was free is offered to all drivers like any other. */
	put_file(NIC, "driver/unbind", NIC, 0);
	removes(NIC);
	rescans(RESCAN);
	is_back(NIC, "e1000e");
}

/*
 * Two drivers match, one by new_id: drivers/base/bus.c, bus_for_each_drv(), asks the one first that was registered
 * first (e1000e, or vfio-pci once e1000e has been loaded anew). A .host does not say which that is, so only that one of
 * them has it can be said.
 */
static void two_drivers_match(void)
{
	part = "a function found again that two drivers match";
	put_file(NIC, "driver/unbind", NIC, 0);
	put(DRIVERS "vfio-pci/new_id", NIC_ID, 0);
	driver_comes(NIC, "vfio-pci");
	removes(NIC);
	rescans(RESCAN);
	reads_file(NIC, "driver_override", "(null)");
	reads_file(NIC, "driver/" NIC "/vendor", "0x8086");
	/* An id outlives the function. */
	put(DRIVERS "vfio-pci/new_id", NIC_ID, EEXIST);
	put(DRIVERS "vfio-pci/remove_id", NIC_ID, 0);
	put_file(NIC, "driver/unbind", NIC, 0);
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DRIVERS "e1000e/bind", NIC, 0);
	driver(NIC, "e1000e");
	/* Where only that one matches it has it, each time. */
	put(DRIVERS "vfio-pci/new_id", EDU_ID, 0);
	driver_comes(EDU, "vfio-pci");
	put_file(EDU, "driver/unbind", EDU, 0);
	removes(EDU);
	rescans(RESCAN);
	is_back(EDU, "vfio-pci");
	put(DRIVERS "vfio-pci/remove_id", EDU_ID, 0);
	removes(EDU);
	rescans(RESCAN);
	is_back(EDU, NULL);
}

static void bridge(void)
{
	size_t buses = count(ALL_BUSES, "");

	part = "a root port with what is behind it";
	removes(MOUSE_PORT);
	is_gone(MOUSE_XHCI);
	counts(USB_NAMES, MOUSE_XHCI, 0);
	counts(INPUTS, MOUSE_XHCI, 0);
	counts(ALL_BUSES, "", buses - 1);
	put(BUSES "0000:02/rescan", "1", ENOENT);
	/* Its bus is no more. */
	rescans(BUSES "0000:01/rescan");
	is_gone(MOUSE_PORT);
	rescans(BUSES "0000:00/rescan");
	is_back(MOUSE_PORT, "pcieport");
	is_back(MOUSE_XHCI, "xhci_hcd");
	group(MOUSE_PORT, MOUSE_PORT);
	group(MOUSE_XHCI, MOUSE_XHCI);
	counts(ALL_BUSES, "", buses);
	counts_come(USB_NAMES, MOUSE_XHCI "/usb", 6);
	reads("usb/" MOUSE_XHCI "/1:1", MOUSE_ID);
	/* A function that left before its port did is found with it. */
	removes(EDU);
	removes(EDU_PORT);
	rescans(RESCAN);
	is_back(EDU_PORT, "pcieport");
	is_back(EDU, NULL);
	group(EDU, EDU);
	rescans(BUSES "0000:01/rescan");
}

static void usb_leaves_with_its_controller(void)
{
	part = "USB devices of a controller found again";
	counts_come(USB_NAMES, XHCI "/usb", 6);
	removes(XHCI);
	counts(USB_NAMES, XHCI, 0);
	counts(INPUTS, XHCI, 0);
	reads("usb/" XHCI "/1:1", NULL);
	counts_come(USB_NAMES, MOUSE_XHCI "/usb", 6);
	removes(MOUSE_XHCI);
	counts(USB_NAMES, "/usb", 0);
	rescans(RESCAN);
	is_back(XHCI, "xhci_hcd");
	is_back(MOUSE_XHCI, "xhci_hcd");
	counts_come(USB_NAMES, XHCI "/usb", 6);
	counts_come(USB_NAMES, MOUSE_XHCI "/usb", 6);
	comes("usb/" XHCI "/1:1", MOUSE_ID);
	comes("usb/" MOUSE_XHCI "/1:1", MOUSE_ID);
}

static void lives(void)
{
	part = "no life comes twice";
	for (int i = 0; i < ROUNDS; i++) {
		removes(EDU);
		rescans(BUSES "0000:01/rescan");
		is_back(EDU, NULL);
	}
}

void conformance_hotplug(void)
{
	values_of_remove();
	there_already();
	scopes();
	power_is_as_at_first();
	reset_is_as_at_first();
	override_is_lost();
	two_drivers_match();
	bridge();
	usb_leaves_with_its_controller();
	lives();
}
