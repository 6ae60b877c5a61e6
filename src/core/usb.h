/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_USB_H
#define HANDOVER_USB_H

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

/*
 * What hangs on the USB controllers of a host, read once, const afterwards. Only controllers that are PCI functions
 * count, and root hubs themselves are left out.
 *
 * A keyboard is told as udev tells one (src/udev/udev-builtin-input_id.c, test_key()): an input that has ESC, the
 * digits and all letters up to D. So a mouse or a remote control that says it can type anything is one. Where a device
 * shows no input at all, say because no driver has taken it yet, its boot protocol tells (HID 1.11, 4.2 and 4.3); one
 * that a VM has already (driver usbfs) is no keyboard of the host's.
 */
struct usb_device {
	const char *controller;	/* PCI address */
	const char *port;	/* "1:2.1", as behind usb/ADDRESS/ on the seam */
	const char *name;	/* "1-2.1", as sysfs calls it until its controller changes drivers */
	const char *id;		/* "046d:c31c" */
	const char *product;	/* as it calls itself, "" if it does not; control characters are '?' */
	bool hub, keyboard, pointer;
};

struct usb {
	struct usb_device *devices;	/* by controller and port */
	size_t n;
	/*
	 * Keyboards that are not below a USB controller, by name: the PS/2 one, those of Bluetooth in user space. They
	 * do not count as a keyboard that stays: the kernel shows a PS/2 keyboard whether or not one is plugged in.
	 */
	const char **other_keyboards;
	size_t n_others;
};

/* A host without USB has none. A device that goes while it is read is left out. */
int usb_read(struct host *h, struct arena *a, struct usb *u, struct error *err);

enum usb_input { USB_KEYBOARD, USB_POINTER };
/* The n devices of a controller, one behind the other. NULL: it has none. */
const struct usb_device *usb_on(const struct usb *u, const char *controller, size_t *n);

/* Whether a word of a person's means it: "046d:c31c", or its name, "1-2.1". */
bool usb_is_meant(const struct usb_device *d, const char *word);

/* Whether the device at a port is that at another one, or behind it: ports are named so, "1-2.1" is behind "1-2". */
bool usb_is_at(const char *port, const char *above);

/* Whether a device goes when that does: its controller, by address, or a device, by name ("1-2.1"). */
bool usb_goes_with(const struct usb_device *d, const char *leaving);

/*
 * n controllers and devices leave the host: the keyboards, or the pointers, that go with them, if none stays. 0: one
 * stays, or there was none. lost has room for all devices.
 */
size_t usb_last(const struct usb *u, enum usb_input input, const char *const *leaving, size_t n,
		const struct usb_device **lost);

#endif
