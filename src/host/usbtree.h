/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_USBTREE_H
#define HANDOVER_USBTREE_H

#include "host/host.h"

/*
 * How sysfs names what hangs on USB controllers, and which controller a bus belongs to. Bus numbers are given out
 * anew whenever a driver takes a controller, so nothing outside a single look at the host may rest on them.
 */
#define USB_DEVICES "sys/bus/usb/devices"
#define USB_PORT_MAX 16		/* NUL included: include/linux/usb.h, struct usb_device, devpath */

enum usb_kind {
	USB_NOTHING,
	USB_ROOT_HUB,		/* "usb1": drivers/usb/core/usb.c, usb_alloc_dev() */
	USB_DEVICE,		/* "1-2.1": ditto */
	USB_INTERFACE,		/* "1-2.1:1.0", "1-0:1.0" of a root hub: drivers/usb/core/message.c, usb_set_configuration() */
};

struct usb_name {
	enum usb_kind kind;
	unsigned bus;
	char port[USB_PORT_MAX];	/* of a device: "2.1", and of an interface's device; "" for a root hub */
};

/* Takes the name of a folder apart. USB_NOTHING: sysfs would not name anything of USB so. */
enum usb_kind usb_name_parse(const char *text, struct usb_name *name);

/* "2.1": the numbers of the ports on the way from the root hub. */
bool usb_port_ok(const char *text);

struct usb_bus {
	unsigned number;
	unsigned hub;			/* its controller's first, second, ... root hub */
	const char *controller;		/* PCI address */
};

/* The buses below PCI controllers, by number, and all names in USB_DEVICES. They belong to the arena. */
struct usb_buses {
	struct usb_bus *buses;
	size_t n;
	char **names;
	size_t n_names;
};

/* A host without USB has no buses, and that is no error. */
int usb_buses_read(struct host *h, struct arena *a, struct usb_buses *b);

/* NULL: the bus is not there, or not below a PCI function (a virtual one, for example). */
const struct usb_bus *usb_bus_find(const struct usb_buses *b, unsigned number);

/* "046d:c31c": what usb/ADDRESS/HUB:PORT on the seam reads of that bus's controller. -ENOENT: no device is there. */
#define USB_ID_BYTES 10
int usb_id_read(struct host *h, const struct usb_bus *bus, const char *port, char id[USB_ID_BYTES]);

#endif
