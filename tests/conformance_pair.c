/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topology pair: modules, drivers, overrides, ids, power, USB devices, names put together from others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"

/* Two functions of one IOMMU group, their twins, and a device that has no driver. */
#define NIC PAIR_NIC
#define AUDIO "0000:01:00.1"
#define TWIN "0000:02:00.0"
#define BARE "0000:03:00.0"
#define NIC_ID "8086 100e"
/* And the host's USB controller, with a keyboard at its first port. */
#define XHCI "0000:00:14.0"
#define KEYBOARD "usb/" XHCI "/1:1"
#define KEYBOARD_ID "0627:0001"

static void module_and_driver(void)
{
	part = "loading a module";
	reads("module/vfio_pci", NULL);
	reads(DRIVERS "vfio-pci/module", NULL);
	put("module/no_such_module", "load", ENOENT);
	put("module/vfio_pci", "load", 0);
	put("module/vfio_pci", "load", 0);
	reads("module/vfio_pci", "live");
	reads(DRIVERS "vfio-pci/module", "vfio_pci");
	driver(NIC, "e1000");
	driver(BARE, NULL);
}

static void bind_and_unbind(void)
{
	part = "bind and unbind";
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DRIVERS "e1000/bind", NIC, EBUSY);
	put(DRIVERS "vfio-pci/unbind", NIC, ENODEV);
	put(DRIVERS "e1000/bind", "0000:ff:1f.7", ENODEV);
	put(DRIVERS "e1000/bind", "nonsense", ENODEV);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	driver(NIC, NULL);
	reads(DRIVERS "e1000/" NIC "/vendor", NULL);
	put(DEVICE NIC "/driver/unbind", NIC, ENOENT);
	put(DRIVERS "e1000/unbind", NIC, ENODEV);
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DRIVERS "snd_hda_intel/bind", NIC, ENODEV);
	put(DRIVERS "no_such_driver/bind", NIC, ENOENT);
	put(DRIVERS "e1000/bind", NIC, 0);
	driver(NIC, "e1000");
	reads(DRIVERS "e1000/" NIC "/vendor", "0x8086");
}

static void probe(void)
{
	part = "drivers_probe";
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, "e1000");
	put("sys/bus/pci/drivers_probe", "0000:ff:1f.7", ENODEV);
	put("sys/bus/pci/drivers_probe", BARE, 0);
	driver(BARE, NULL);
	put(DRIVERS "e1000/unbind", NIC, 0);
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, "e1000");
}

static void override(void)
{
	static char page[HOST_VALUE_BYTES - 1];

	part = "driver_override";
	reads(DEVICE NIC "/driver_override", "(null)");
	put(DEVICE NIC "/driver_override", "vfio-pci", 0);
	reads(DEVICE NIC "/driver_override", "vfio-pci");
	driver(NIC, "e1000");
	/* The match is tested before whether it is bound. */
	put(DRIVERS "e1000/bind", NIC, ENODEV);
	put(DRIVERS "vfio-pci/bind", NIC, EBUSY);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	put(DRIVERS "e1000/bind", NIC, ENODEV);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	driver(NIC, "vfio-pci");
	put(DEVICE NIC "/driver_override", "", 0);
	reads(DEVICE NIC "/driver_override", "(null)");
	driver(NIC, "vfio-pci");
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DEVICE NIC "/driver_override", "no_such_driver", 0);
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, NULL);
	put(DRIVERS "e1000/bind", NIC, ENODEV);
	/* A page is 4096 bytes: with its newline a value may have 4094. */
	memset(page, 'x', sizeof(page) - 1);
	put(DEVICE NIC "/driver_override", page, EINVAL);
	reads(DEVICE NIC "/driver_override", "no_such_driver");
	page[sizeof(page) - 2] = '\0';
	put(DEVICE NIC "/driver_override", page, 0);
	reads(DEVICE NIC "/driver_override", page);
	put(DEVICE NIC "/driver_override", "e1000", 0);
	put(DRIVERS "e1000/bind", NIC, 0);
	put(DEVICE NIC "/driver_override", "", 0);
	driver(NIC, "e1000");
	driver(AUDIO, "snd_hda_intel");
}

static void override_makes_any_driver_match(void)
{
	part = "override to a driver that does not know the device";
	put(DEVICE BARE "/driver_override", "vfio-pci", 0);
	put("sys/bus/pci/drivers_probe", BARE, 0);
	driver(BARE, "vfio-pci");
	put(DEVICE BARE "/driver/unbind", BARE, 0);
	put(DEVICE BARE "/driver_override", "", 0);
	driver(BARE, NULL);
}

static void power(void)
{
	part = "power/control";
	put(DEVICE NIC "/power/control", "bogus", EINVAL);
	put(DEVICE NIC "/power/control", "on", 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DEVICE NIC "/driver_override", "vfio-pci", 0);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	reads(DEVICE NIC "/power/control", "auto");
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DEVICE NIC "/power/control", "auto", 0);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DEVICE NIC "/driver_override", "", 0);
	put(DRIVERS "e1000/bind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
}

static void new_id(void)
{
	part = "new_id";
	put(DRIVERS "vfio-pci/new_id", "nonsense", EINVAL);
	put(DRIVERS "e1000/unbind", TWIN, 0);
	put(DRIVERS "vfio-pci/new_id", NIC_ID, 0);
	/* The twin was free, so it is taken at once; what has a driver stays. */
	driver(TWIN, "vfio-pci");
	driver(NIC, "e1000");
	put(DRIVERS "vfio-pci/new_id", NIC_ID, EEXIST);
	put(DEVICE TWIN "/driver/unbind", TWIN, 0);
	/* Both drivers match now; by name, each can have it. */
	put(DRIVERS "vfio-pci/bind", TWIN, 0);
	put(DEVICE TWIN "/driver/unbind", TWIN, 0);
	put(DRIVERS "e1000/bind", TWIN, 0);
	driver(TWIN, "e1000");
	/* The override beats the id. */
	put(DEVICE TWIN "/driver_override", "e1000", 0);
	put(DRIVERS "e1000/unbind", TWIN, 0);
	put(DRIVERS "vfio-pci/bind", TWIN, ENODEV);
	put("sys/bus/pci/drivers_probe", TWIN, 0);
	driver(TWIN, "e1000");
	put(DEVICE TWIN "/driver_override", "", 0);
	put(DRIVERS "vfio-pci/remove_id", NIC_ID, 0);
	put(DRIVERS "vfio-pci/remove_id", NIC_ID, ENODEV);
	put(DRIVERS "e1000/unbind", TWIN, 0);
	put(DRIVERS "vfio-pci/bind", TWIN, ENODEV);
	put(DRIVERS "e1000/bind", TWIN, 0);
}

static void attributes(void)
{
	part = "attributes";
	put(DEVICE NIC "/vendor", "0x1", EACCES);
	put(DEVICE NIC "/no_such_file", "1", ENOENT);
	put(DEVICE "0000:ff:1f.7/driver_override", "x", ENOENT);
	reads(DEVICE NIC "/vendor", "0x8086");
	reads(DEVICE NIC "/no_such_file", NULL);
	reads(DEVICE NIC "/iommu_group/devices/" AUDIO "/vendor", "0x8086");
	reads(DEVICE AUDIO "/iommu_group/devices/" NIC "/vendor", "0x8086");
	reads(DEVICE NIC "/iommu_group/devices/" TWIN "/vendor", NULL);
	reads(DEVICE BARE "/driver", NULL);
	reads(DEVICE BARE "/driver_override", "(null)");
}

/* USB devices and their inputs come some time after their controller's driver. */
static void keyboard_comes(void)
{
	int64_t until = host_now(host) + COMES_MS;

	while (host_now(host) < until && count(INPUTS, XHCI "/usb") == 0)
		host_wait(host, 100);
	reads(KEYBOARD, KEYBOARD_ID);
	counts("usb/" XHCI, "", 1);
	/* Two root hubs, each with its interface; the keyboard and its interface. */
	counts(USB_NAMES, XHCI "/usb", 6);
}

static void keyboard_is_gone(void)
{
	reads(KEYBOARD, NULL);
	counts("usb/" XHCI, "", 0);
	counts(USB_NAMES, XHCI, 0);
	counts(INPUTS, XHCI, 0);
}

static void usb(void)
{
	part = "USB";
	keyboard_comes();
	/* The kernel has named its input and an event node, of which a capture has the first. */
	assertion(count(INPUTS, XHCI "/usb") >= 1, "input below", XHCI, "1", "0");
	reads("usb/" XHCI "/1:2", NULL);
	reads("usb/" XHCI "/2:1", NULL);
	reads("usb/" XHCI "/3:1", NULL);
	reads("usb/" NIC "/1:1", NULL);
	counts("usb/" NIC, "", 0);
	put(DEVICE XHCI "/driver/unbind", XHCI, 0);
	keyboard_is_gone();
	put(DEVICE XHCI "/driver_override", "vfio-pci", 0);
	put(DRIVERS "vfio-pci/bind", XHCI, 0);
	keyboard_is_gone();
	put(DEVICE XHCI "/driver/unbind", XHCI, 0);
	put(DEVICE XHCI "/driver_override", "", 0);
	put(DRIVERS "xhci_hcd/bind", XHCI, 0);
	keyboard_comes();
}

static void derived(void)
{
	part = "names put together from others";
	reads("id/" NIC, "8086:100e:1af4:1100");
	reads("id/" XHCI, "1b36:000d:1af4:1100");
	reads("id/0000:ff:1f.7", NULL);
	reads("group/" NIC, NIC " " AUDIO);
	reads("group/" AUDIO, NIC " " AUDIO);
	reads("group/" XHCI, XHCI);
	reads("group/0000:ff:1f.7", NULL);
	put("id/" NIC, "8086:100e:1af4:1100", EPERM);
	put("group/" NIC, "", EPERM);
	put(KEYBOARD, KEYBOARD_ID, EPERM);
}

void conformance_pair(void)
{
	attributes();
	derived();
	module_and_driver();
	bind_and_unbind();
	probe();
	override();
	override_makes_any_driver_match();
	power();
	new_id();
	usb();
}
