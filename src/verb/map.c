/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover map: what hangs on the USB controllers of this host, and what would go with one. */
#include <string.h>

#include "core/inventory.h"
#include "core/usb.h"
#include "verb/json.h"
#include "verb/verb.h"

/* include/linux/pci_ids.h: PCI_CLASS_SERIAL_USB, of which two have no ports for USB devices: _USB4 and _USB_DEVICE. */
#define CLASS_USB 0x0c03
#define CLASS_USB4 0x0c0340
#define CLASS_USB_DEVICE 0x0c03fe

struct map {
	struct arena *a;
	struct host *host;
	struct inventory inv;
	struct usb usb;
};

/* Its class says so; or it has USB devices, which is the better witness. */
static bool is_controller(const struct map *m, const struct function *fn)
{
	size_t n;

	if (usb_on(&m->usb, fn->address, &n))
		return true;
	return fn->class >> 8 == CLASS_USB && fn->class != CLASS_USB4 && fn->class != CLASS_USB_DEVICE;
}

/* All functions of the group by address, itself included; NULL: it is in none. */
static const char *members_of(const struct map *m, const struct function *fn)
{
	char text[HOST_VALUE_BYTES];

	if (host_read(m->host, arena_fmt(m->a, "group/%s", fn->address), text, sizeof(text)) < 0)
		return NULL;
	return arena_dup(m->a, text);
}

static const char *group_words(const struct map *m, const struct function *fn)
{
	const char *members = members_of(m, fn);

	if (!members)
		return "in no IOMMU group";
	if (strcmp(members, fn->address) == 0)
		return "alone in its IOMMU group";
	return arena_fmt(m->a, "in one IOMMU group: %s", members);
}

static const char *marks(const struct usb_device *d)
{
	if (d->keyboard && d->pointer)
		return "  keyboard, pointer";
	if (d->keyboard)
		return "  keyboard";
	if (d->pointer)
		return "  pointer";
	return d->hub ? "  hub" : "";
}

/* How many hubs are between a device and its root hub. */
static int depth(const char *port)
{
	int n = 0;

	while ((port = strchr(port, '.')) != NULL) {
		port++;
		n++;
	}
	return n;
}

static void print_device(const struct usb_device *d)
{
	int indent = 2 + 2 * depth(d->port);

	printf("%*s%-*s  %s  %s%s\n", indent, "", 12 - indent, d->name, d->id, *d->product ? d->product : "(no name)",
	       marks(d));
}

static void print_controller(const struct map *m, const struct function *fn)
{
	size_t n;
	const struct usb_device *devices = usb_on(&m->usb, fn->address, &n);

	printf("%s (%04x:%04x %s): %s, %s\n", fn->address, fn->vendor, fn->device, function_name(fn, m->a),
	       fn->driver ? fn->driver : "no driver", group_words(m, fn));
	for (size_t i = 0; i < n; i++)
		print_device(&devices[i]);
	if (!n)
		puts("  no devices are seen");
}

static void print_map(const struct map *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->inv.n; i++) {
		if (!is_controller(m, &m->inv.functions[i]))
			continue;
		print_controller(m, &m->inv.functions[i]);
		n++;
	}
	if (n == 0)
		puts("this host has no USB controller");
	for (size_t i = 0; i < m->usb.n_others; i++)
		printf("elsewhere: %s  keyboard\n", m->usb.other_keyboards[i]);
}

static struct json_object *json_device(const struct usb_device *d)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "port", json_text(d->name));
	json_add(o, "id", json_text(d->id));
	json_add(o, "product", json_text(d->product));
	json_add(o, "hub", json_object_new_boolean(d->hub));
	json_add(o, "keyboard", json_object_new_boolean(d->keyboard));
	json_add(o, "pointer", json_object_new_boolean(d->pointer));
	return o;
}

static struct json_object *json_controller(const struct map *m, const struct function *fn)
{
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();
	size_t n;
	const struct usb_device *d = usb_on(&m->usb, fn->address, &n);

	json_add(o, "address", json_text(fn->address));
	json_add(o, "id", json_text(fn->id));
	json_add(o, "name", json_text(function_name(fn, m->a)));
	json_add(o, "driver", json_text(fn->driver));
	json_add(o, "group_members", json_text(members_of(m, fn)));
	for (size_t i = 0; i < n; i++)
		json_object_array_add(devices, json_device(&d[i]));
	json_add(o, "devices", devices);
	return o;
}

static void print_json(const struct map *m)
{
	struct json_object *o = json_object_new_object(), *controllers = json_object_new_array();
	struct json_object *others = json_object_new_array();

	for (size_t i = 0; i < m->inv.n; i++)
		if (is_controller(m, &m->inv.functions[i]))
			json_object_array_add(controllers, json_controller(m, &m->inv.functions[i]));
	for (size_t i = 0; i < m->usb.n_others; i++)
		json_object_array_add(others, json_text(m->usb.other_keyboards[i]));
	json_add(o, "controllers", controllers);
	json_add(o, "other_keyboards", others);
	json_print(o);
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct map m = { .a = r->arena };
	struct error err;
	enum outcome o = open_host(r, &h);

	if (o != OUTCOME_DONE)
		return o;
	m.host = h;
	if (inventory_read(h, r->arena, &m.inv, &err) < 0 || usb_read(h, r->arena, &m.usb, &err) < 0) {
		complain("%s", err.text);
		return OUTCOME_FAILED;
	}
	if (r->json)
		print_json(&m);
	else
		print_map(&m);
	return OUTCOME_DONE;
}

const struct verb verb_map = {
	.name = "map",
	.args = "",
	.takes = TAKES_HOST,
	.help = "shows the USB controllers, what hangs on each, and which of it are keyboards and pointers",
	.run = run,
};
