/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/derived.h"
#include "host/usbtree.h"

#define DEVICES "sys/bus/pci/devices"

enum family { NONE, ID, GROUP, USB };

/* A name taken apart. */
struct parts {
	enum family family;
	char address[BDF_TEXT_MAX];
	struct bdf bdf;
	const char *rest;	/* behind ADDRESS and its '/'; NULL if there is nothing */
};

static enum family family_of(const char *name, const char **rest)
{
	static const struct { const char *prefix; enum family family; } families[] = {
		{ "id/", ID }, { "group/", GROUP }, { "usb/", USB },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		*rest = name + strlen(families[i].prefix);
		if (str_starts(name, families[i].prefix))
			return families[i].family;
	}
	return NONE;
}

bool derived_is(const char *name)
{
	const char *rest;

	return family_of(name, &rest) != NONE;
}

static bool take_apart(const char *name, struct parts *p)
{
	const char *address;
	size_t n;

	p->family = family_of(name, &address);
	n = strcspn(address, "/");
	p->rest = address[n] ? address + n + 1 : NULL;
	if (n >= sizeof(p->address))
		return false;
	memcpy(p->address, address, n);
	p->address[n] = '\0';
	return bdf_parse(p->address, &p->bdf);
}

static ssize_t put(const char *text, char *buf, size_t size)
{
	size_t n = strlen(text);

	if (n >= size)
		return -E2BIG;
	memcpy(buf, text, n + 1);
	return (ssize_t)n;
}

/* A text written by hand may leave the subsystem out, as lspci does for bridges that have none. */
static ssize_t read_id(struct host *h, const struct parts *p, char *buf, size_t size)
{
	char folder[HOST_NAME_BYTES / 2], text[24];
	uint64_t vendor = 0, device = 0, subvendor = 0, subdevice = 0;
	int code;

	snprintf(folder, sizeof(folder), DEVICES "/%s", p->address);
	code = host_read_hex4(h, folder, "vendor", "0x", &vendor);
	if (code == 0)
		code = host_read_hex4(h, folder, "device", "0x", &device);
	if (code < 0)
		return code;
	code = host_read_hex4(h, folder, "subsystem_vendor", "0x", &subvendor);
	if (code == 0)
		code = host_read_hex4(h, folder, "subsystem_device", "0x", &subdevice);
	if (code < 0 && code != -ENOENT)
		return code;
	snprintf(text, sizeof(text), "%04x:%04x:%04x:%04x", (unsigned)vendor, (unsigned)device, (unsigned)subvendor,
		 (unsigned)subdevice);
	return put(text, buf, size);
}

static int by_address(const void *a, const void *b)
{
	return bdf_compare(a, b);
}

/* What is not on a PCI bus may be in a group too. */
static struct bdf *functions_of(char **names, size_t *n, struct arena *a)
{
	struct bdf *list = arena_array(a, *n, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < *n; i++)
		count += bdf_parse(names[i], &list[count]);
	if (count)
		qsort(list, count, sizeof(*list), by_address);
	*n = count;
	return list;
}

static ssize_t read_group(struct host *h, const struct parts *p, char *buf, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char name[HOST_NAME_BYTES], **names, text[BDF_TEXT_MAX];
	struct bdf *list;
	size_t n, length = 0;

	snprintf(name, sizeof(name), DEVICES "/%s/iommu_group/devices", p->address);
	if (host_list(h, name, a, &names, &n) < 0)
		return -ENOENT;
	list = functions_of(names, &n, a);
	for (size_t i = 0; i < n; i++) {
		ssize_t put_in;

		if (i > 0)
			buf[length++] = ' ';
		bdf_format(&list[i], text);
		put_in = put(text, buf + length, size - length);
		if (put_in < 0)
			return put_in;
		length += (size_t)put_in;
		if (i + 1 < n && length + 1 >= size)
			return -E2BIG;
	}
	return n ? (ssize_t)length : -ENOENT;
}

static bool is_there(struct host *h, const struct parts *p)
{
	char folder[HOST_NAME_BYTES / 2];

	snprintf(folder, sizeof(folder), DEVICES "/%s", p->address);
	return host_has(h, folder);
}

static ssize_t read_usb(struct host *h, const struct parts *p, char *buf, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *colon = p->rest ? strchr(p->rest, ':') : NULL;
	char id[USB_ID_BYTES];
	struct usb_buses b;
	uint64_t hub;
	int code;

	if (!p->rest)
		return is_there(h, p) ? -EISDIR : -ENOENT;
	if (!colon || !str_decimal(arena_dupn(a, p->rest, (size_t)(colon - p->rest)), 9999, &hub) || hub == 0 ||
	    !usb_port_ok(colon + 1))
		return -EINVAL;
	code = usb_buses_read(h, a, &b);
	for (size_t i = 0; code == 0 && i < b.n; i++) {
		if (b.buses[i].hub != hub || strcmp(b.buses[i].controller, p->address) != 0)
			continue;
		code = usb_id_read(h, &b.buses[i], colon + 1, id);
		return code < 0 ? code : put(id, buf, size);
	}
	return code < 0 ? code : -ENOENT;
}

ssize_t derived_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct parts p;

	if (!take_apart(name, &p) || (p.rest && p.family != USB))
		return -EINVAL;
	switch (p.family) {
	case ID:
		return read_id(h, &p, buf, size);
	case GROUP:
		return read_group(h, &p, buf, size);
	case USB:
		return read_usb(h, &p, buf, size);
	case NONE:
		break;
	}
	return -EINVAL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int derived_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	char **list = NULL;
	struct usb_buses b;
	struct usb_name u;
	struct parts p;
	size_t count = 0;
	int code;

	if (!take_apart(name, &p))
		return -EINVAL;
	if (p.family != USB || p.rest)
		return -ENOTDIR;
	if (!is_there(h, &p))
		return -ENOENT;
	code = usb_buses_read(h, a, &b);
	if (code < 0)
		return code;
	for (size_t i = 0; i < b.n_names; i++) {
		const struct usb_bus *bus;

		if (usb_name_parse(b.names[i], &u) != USB_DEVICE)
			continue;
		bus = usb_bus_find(&b, u.bus);
		if (!bus || strcmp(bus->controller, p.address) != 0)
			continue;
		list = arena_grow(a, list, count, sizeof(*list));
		list[count++] = arena_fmt(a, "%u:%s", bus->hub, u.port);
	}
	if (count)
		qsort(list, count, sizeof(*list), by_name);
	*names = list;
	*n = count;
	return 0;
}
