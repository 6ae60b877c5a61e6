/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/usb.h"
#include "core/yaml_text.h"
#include "host/usbtree.h"

#define INPUTS "sys/class/input"

/* include/uapi/linux/input-event-codes.h; input_id takes the first 32 keys but KEY_RESERVED for a keyboard's. */
#define KEYBOARD_KEYS 0xfffffffeu
#define BTN_MOUSE 0x110
/* A word of a capability is an unsigned long: drivers/input/input.c, input_print_bitmap(). */
#define WORD_BITS 64

struct reader {
	struct host *h;
	struct arena *a;
	struct usb *u;
	struct usb_device **by_name;
	bool *has_input;	/* of each device */
	char buf[HOST_VALUE_BYTES];
};

static const char *get(struct reader *r, const char *folder, const char *name, const char *file)
{
	const char *path = arena_fmt(r->a, "%s/%s/%s", folder, name, file);

	return host_read(r->h, path, r->buf, sizeof(r->buf)) < 0 ? NULL : r->buf;
}

/* Whoever builds a device chooses its name, and a terminal obeys some characters. */
static const char *copy_name(struct reader *r, const char *name)
{
	char shown[HOST_VALUE_BYTES];

	text_show(name, shown, sizeof(shown));
	return arena_dup(r->a, shown);
}

static bool reads(struct reader *r, const char *name, const char *file, const char *text)
{
	return str_same(get(r, USB_DEVICES, name, file), text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct usb_device *const *)a)->name, (*(struct usb_device *const *)b)->name);
}

static struct usb_device *find(struct reader *r, const char *name)
{
	struct usb_device wanted = { .name = name }, *key = &wanted, **found;

	found = r->u->n ? bsearch(&key, r->by_name, r->u->n, sizeof(*r->by_name), by_name) : NULL;
	return found ? *found : NULL;
}

/* --- devices ---------------------------------------------------------------------------------------------------- */

static void read_device(struct reader *r, const struct usb_bus *bus, const char *name, const char *port)
{
	struct usb_device d = { .controller = bus->controller, .name = name };
	char id[USB_ID_BYTES];
	const char *product;

	if (usb_id_read(r->h, bus, port, id) < 0)
		return;
	d.port = arena_fmt(r->a, "%u:%s", bus->hub, port);
	d.id = arena_dup(r->a, id);
	product = get(r, USB_DEVICES, name, "product");
	d.product = product ? copy_name(r, product) : "";
	/* USB_CLASS_HUB */
	d.hub = reads(r, name, "bDeviceClass", "09");
	r->u->devices = arena_grow(r->a, r->u->devices, r->u->n, sizeof(d));
	r->u->devices[r->u->n++] = d;
}

static int by_place(const void *a, const void *b)
{
	const struct usb_device *x = a, *y = b;
	struct bdf first, second;

	bdf_parse(x->controller, &first);
	bdf_parse(y->controller, &second);
	/* Ports are numbers between dots, none with a zero in front. */
	return bdf_compare(&first, &second) ? bdf_compare(&first, &second) : strverscmp(x->port, y->port);
}

static void read_devices(struct reader *r, const struct usb_buses *b)
{
	struct usb_name name;

	for (size_t i = 0; i < b->n_names; i++) {
		const struct usb_bus *bus;

		if (usb_name_parse(b->names[i], &name) != USB_DEVICE)
			continue;
		bus = usb_bus_find(b, name.bus);
		if (bus)
			read_device(r, bus, b->names[i], name.port);
	}
	r->has_input = arena_array(r->a, r->u->n, sizeof(*r->has_input));
	r->by_name = arena_array(r->a, r->u->n, sizeof(*r->by_name));
	if (!r->u->n)
		return;
	qsort(r->u->devices, r->u->n, sizeof(*r->u->devices), by_place);
	for (size_t i = 0; i < r->u->n; i++)
		r->by_name[i] = &r->u->devices[i];
	qsort(r->by_name, r->u->n, sizeof(*r->by_name), by_name);
}

/* --- inputs ----------------------------------------------------------------------------------------------------- */

/* A word of keys, number 0 the lowest; the kernel writes the highest first and leaves zeros in front out. */
static uint64_t word(const char *keys, unsigned number)
{
	const char *end = keys + strlen(keys);
	char digits[WORD_BITS / 4 + 1];
	uint64_t v = 0;

	for (;; number--) {
		const char *space = memrchr(keys, ' ', (size_t)(end - keys));
		const char *start = space ? space + 1 : keys;

		if (number == 0 && (size_t)(end - start) < sizeof(digits)) {
			memcpy(digits, start, (size_t)(end - start));
			digits[end - start] = '\0';
			str_hex(digits, 1, WORD_BITS / 4, &v);
		}
		if (number == 0 || !space)
			return v;
		end = space;
	}
}

/* The last USB device that a path goes through. */
static struct usb_device *device_on(struct reader *r, char *path)
{
	struct usb_device *found = NULL, *d;
	char *part;

	while ((part = strsep(&path, "/")) != NULL)
		if ((d = find(r, part)) != NULL)
			found = d;
	return found;
}

static void add_other(struct reader *r, const char *input)
{
	const char *name = get(r, INPUTS, input, "name");

	r->u->other_keyboards = arena_grow(r->a, r->u->other_keyboards, r->u->n_others, sizeof(name));
	r->u->other_keyboards[r->u->n_others++] = copy_name(r, name ? name : input);
}

static void read_input(struct reader *r, const char *input)
{
	char link[HOST_VALUE_BYTES];
	struct usb_device *d;
	const char *keys;
	bool keyboard, pointer;

	if (host_link(r->h, arena_fmt(r->a, INPUTS "/%s", input), link, sizeof(link)) < 0)
		return;
	keys = get(r, INPUTS, input, "capabilities/key");
	if (!keys)
		return;
	keyboard = (word(keys, 0) & KEYBOARD_KEYS) == KEYBOARD_KEYS;
	pointer = word(keys, BTN_MOUSE / WORD_BITS) >> BTN_MOUSE % WORD_BITS & 1;
	d = device_on(r, link);
	if (d) {
		d->keyboard |= keyboard;
		d->pointer |= pointer;
		r->has_input[d - r->u->devices] = true;
	} else if (keyboard) {
		add_other(r, input);
	}
}

static int read_inputs(struct reader *r)
{
	char **names;
	size_t n;
	int code = host_list(r->h, INPUTS, r->a, &names, &n);

	for (size_t i = 0; code == 0 && i < n; i++)
		/* Their event nodes stand there too, and have no capabilities. */
		if (str_starts(names[i], "input"))
			read_input(r, names[i]);
	return code == -ENOENT ? 0 : code;
}

/* --- interfaces ------------------------------------------------------------------------------------------------- */

static void read_interface(struct reader *r, const char *name)
{
	struct usb_device *d = find(r, arena_dupn(r->a, name, strcspn(name, ":")));

	if (!d || r->has_input[d - r->u->devices] || reads(r, name, "driver", "usbfs") ||
	    !reads(r, name, "bInterfaceClass", "03") || !reads(r, name, "bInterfaceSubClass", "01"))
		return;
	d->keyboard |= reads(r, name, "bInterfaceProtocol", "01");
	d->pointer |= reads(r, name, "bInterfaceProtocol", "02");
}

int usb_read(struct host *h, struct arena *a, struct usb *u, struct error *err)
{
	struct usb read = { 0 };
	struct reader r = { .h = h, .a = a, .u = &read };
	struct usb_buses buses;
	struct usb_name name;
	int code = usb_buses_read(h, a, &buses);

	if (code < 0)
		return error_errno(err, code, "cannot list the USB devices in " USB_DEVICES);
	read_devices(&r, &buses);
	code = read_inputs(&r);
	if (code < 0)
		return error_errno(err, code, "cannot list the inputs in " INPUTS);
	for (size_t i = 0; i < buses.n_names; i++)
		if (usb_name_parse(buses.names[i], &name) == USB_INTERFACE)
			read_interface(&r, buses.names[i]);
	*u = read;
	return 0;
}

const struct usb_device *usb_on(const struct usb *u, const char *controller, size_t *n)
{
	size_t first = 0, end = u->n;
	struct bdf wanted, bdf;

	*n = 0;
	if (!bdf_parse(controller, &wanted))
		return NULL;
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		bdf_parse(u->devices[middle].controller, &bdf);
		if (bdf_compare(&bdf, &wanted) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (first + *n < u->n && strcmp(u->devices[first + *n].controller, controller) == 0)
		++*n;
	return *n ? &u->devices[first] : NULL;
}

bool usb_is_meant(const struct usb_device *d, const char *word)
{
	return strcasecmp(d->id, word) == 0 || strcmp(d->name, word) == 0;
}

bool usb_is_at(const char *port, const char *above)
{
	size_t n = strlen(above);

	return strncmp(port, above, n) == 0 && (port[n] == '\0' || port[n] == '.');
}

bool usb_goes_with(const struct usb_device *d, const char *leaving)
{
	return strcmp(d->controller, leaving) == 0 || usb_is_at(d->name, leaving);
}

static bool leaves(const struct usb_device *d, const char *const *leaving, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (usb_goes_with(d, leaving[i]))
			return true;
	return false;
}

size_t usb_last(const struct usb *u, enum usb_input input, const char *const *leaving, size_t n,
		const struct usb_device **lost)
{
	size_t n_lost = 0;

	for (size_t i = 0; i < u->n; i++) {
		if (input == USB_KEYBOARD ? !u->devices[i].keyboard : !u->devices[i].pointer)
			continue;
		if (!leaves(&u->devices[i], leaving, n))
			return 0;
		lost[n_lost++] = &u->devices[i];
	}
	return n_lost;
}
