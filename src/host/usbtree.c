/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/usbtree.h"

/* A number of at most four digits, none of them a zero in front; *s then stands behind it. */
static bool take_number(const char **s, unsigned *value)
{
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || n > 4 || (n > 1 && **s == '0'))
		return false;
	for (*value = 0; n; n--, (*s)++)
		*value = *value * 10 + (unsigned)(**s - '0');
	return true;
}

static bool take_port(const char **s)
{
	const char *start = *s;
	unsigned port;

	for (;; (*s)++) {
		if (!take_number(s, &port) || port == 0 || port > 255)
			return false;
		if (**s != '.')
			return *s - start < USB_PORT_MAX;
	}
}

bool usb_port_ok(const char *text)
{
	return take_port(&text) && *text == '\0';
}

static bool take_interface(const char **s)
{
	unsigned number;

	if (**s != ':')
		return false;
	(*s)++;
	if (!take_number(s, &number) || **s != '.')
		return false;
	(*s)++;
	return take_number(s, &number) && **s == '\0';
}

static enum usb_kind kind_of(const char *s, struct usb_name *name)
{
	bool root = str_starts(s, "usb");
	const char *port;

	s += root ? strlen("usb") : 0;
	if (!take_number(&s, &name->bus) || name->bus == 0)
		return USB_NOTHING;
	if (root)
		return *s == '\0' ? USB_ROOT_HUB : USB_NOTHING;
	if (*s++ != '-')
		return USB_NOTHING;
	port = s;
	if (str_starts(s, "0:"))
		return s++, take_interface(&s) ? USB_INTERFACE : USB_NOTHING;
	if (!take_port(&s))
		return USB_NOTHING;
	memcpy(name->port, port, (size_t)(s - port));
	if (*s == '\0')
		return USB_DEVICE;
	return take_interface(&s) ? USB_INTERFACE : USB_NOTHING;
}

enum usb_kind usb_name_parse(const char *text, struct usb_name *name)
{
	memset(name, 0, sizeof(*name));
	name->kind = kind_of(text, name);
	return name->kind;
}

/*
 * The PCI function a root hub hangs on: the last PCI address of its path. There may be folders of other devices
 * between the two (drivers/usb/dwc3/dwc3-pci.c makes some).
 */
static const char *controller_of(struct host *h, struct arena *a, const char *root_hub)
{
	char name[HOST_NAME_BYTES], link[HOST_VALUE_BYTES], *at = link, *part;
	const char *found = NULL;
	struct bdf bdf;

	snprintf(name, sizeof(name), USB_DEVICES "/%s", root_hub);
	if (host_link(h, name, link, sizeof(link)) < 0)
		return NULL;
	while ((part = strsep(&at, "/")) != NULL)
		if (bdf_parse(part, &bdf))
			found = part;
	return found ? arena_dup(a, found) : NULL;
}

static int by_number(const void *a, const void *b)
{
	const struct usb_bus *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int by_controller(const void *a, const void *b)
{
	const struct usb_bus *x = a, *y = b;
	int order = strcmp(x->controller, y->controller);

	return order ? order : by_number(a, b);
}

static void number_hubs(struct usb_bus *buses, size_t n)
{
	if (!n)
		return;
	qsort(buses, n, sizeof(*buses), by_controller);
	for (size_t i = 0; i < n; i++)
		buses[i].hub = i > 0 && strcmp(buses[i - 1].controller, buses[i].controller) == 0 ? buses[i - 1].hub + 1 : 1;
	qsort(buses, n, sizeof(*buses), by_number);
}

int usb_buses_read(struct host *h, struct arena *a, struct usb_buses *b)
{
	struct usb_buses read = { 0 };
	struct usb_name name;
	int code = host_list(h, USB_DEVICES, a, &read.names, &read.n_names);

	if (code < 0 && code != -ENOENT)
		return code;
	for (size_t i = 0; i < read.n_names; i++) {
		const char *controller;

		if (usb_name_parse(read.names[i], &name) != USB_ROOT_HUB)
			continue;
		controller = controller_of(h, a, read.names[i]);
		if (!controller)
			continue;
		read.buses = arena_grow(a, read.buses, read.n, sizeof(*read.buses));
		read.buses[read.n++] = (struct usb_bus){ .number = name.bus, .controller = controller };
	}
	number_hubs(read.buses, read.n);
	*b = read;
	return 0;
}

const struct usb_bus *usb_bus_find(const struct usb_buses *b, unsigned number)
{
	const struct usb_bus wanted = { .number = number };

	return b->n ? bsearch(&wanted, b->buses, b->n, sizeof(wanted), by_number) : NULL;
}

int usb_id_read(struct host *h, const struct usb_bus *bus, const char *port, char id[USB_ID_BYTES])
{
	char folder[HOST_NAME_BYTES / 2];
	uint64_t vendor, device;
	int code;

	snprintf(folder, sizeof(folder), USB_DEVICES "/%u-%.*s", bus->number, USB_PORT_MAX, port);
	code = host_read_hex4(h, folder, "idVendor", "", &vendor);
	if (code == 0)
		code = host_read_hex4(h, folder, "idProduct", "", &device);
	if (code == 0)
		snprintf(id, USB_ID_BYTES, "%04x:%04x", (unsigned)vendor & 0xffff, (unsigned)device & 0xffff);
	return code;
}
