/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/inventory.h"
#include "core/pcilib.h"

#define DEVICES "sys/bus/pci/devices"
#define CONFIG_MAX 4096

/* One function being read. */
struct reader {
	struct host *h;
	struct arena *a;
	const char *address;
	char buf[HOST_VALUE_BYTES];
};

static const char *get(struct reader *r, const char *file)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), DEVICES "/%s/%s", r->address, file);
	return host_read(r->h, name, r->buf, sizeof(r->buf)) < 0 ? NULL : r->buf;
}

static const char *get_unless_stuck(struct reader *r, struct function *f, const char *file)
{
	char name[HOST_NAME_BYTES];
	ssize_t n;

	snprintf(name, sizeof(name), DEVICES "/%s/%s", r->address, file);
	n = host_read(r->h, name, r->buf, sizeof(r->buf));
	f->stuck = n == -ETIMEDOUT;
	return n < 0 ? NULL : r->buf;
}

static const char *get_copy(struct reader *r, const char *file)
{
	const char *s = get(r, file);

	return s ? arena_dup(r->a, s) : NULL;
}

static bool get_hex(struct reader *r, const char *file, size_t digits, uint64_t *value)
{
	const char *s = get(r, file);

	return s && str_starts(s, "0x") && str_hex(s + 2, 1, digits, value);
}

static int get_number(struct reader *r, const char *file)
{
	const char *s = get(r, file);
	uint64_t v;

	return s && str_decimal(s, 1 << 30, &v) ? (int)v : -1;
}

static const char *parent_of(struct reader *r)
{
	char name[HOST_NAME_BYTES], link[HOST_NAME_BYTES * 2], *slash;
	struct bdf bdf;

	snprintf(name, sizeof(name), DEVICES "/%s", r->address);
	if (host_link(r->h, name, link, sizeof(link)) < 0 || !(slash = strrchr(link, '/')))
		return NULL;
	*slash = '\0';
	return bdf_parse(str_basename(link), &bdf) ? arena_dup(r->a, str_basename(link)) : NULL;
}

static const char *candidates(struct reader *r)
{
	char name[HOST_NAME_BYTES];
	const char *alias = get(r, "modalias");

	if (!alias || snprintf(name, sizeof(name), "modalias/%s", alias) >= (int)sizeof(name) ||
	    host_read(r->h, name, r->buf, sizeof(r->buf)) < 0)
		return "";
	return arena_dup(r->a, r->buf);
}

static bool read_ids(struct reader *r, struct function *f)
{
	uint64_t vendor, device, class, subvendor = 0, subdevice = 0;

	if (!get_hex(r, "vendor", 4, &vendor) || !get_hex(r, "device", 4, &device) || !get_hex(r, "class", 6, &class))
		return false;
	get_hex(r, "subsystem_vendor", 4, &subvendor);
	get_hex(r, "subsystem_device", 4, &subdevice);
	f->vendor = (uint16_t)vendor;
	f->device = (uint16_t)device;
	f->subvendor = (uint16_t)subvendor;
	f->subdevice = (uint16_t)subdevice;
	f->class = (uint32_t)class;
	f->id = arena_fmt(r->a, "%04x:%04x:%04x:%04x", f->vendor, f->device, f->subvendor, f->subdevice);
	return true;
}

static const char *get_named(struct reader *r, const char *provider, const char *what)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), "%s/%s%s%s", provider, r->address, *what ? "/" : "", what);
	return host_read(r->h, name, r->buf, sizeof(r->buf)) < 0 ? NULL : r->buf;
}

/* Only of network controllers: to ask for it takes a system call or five. */
static const char *read_nic(struct reader *r, uint32_t class)
{
	static const struct {
		const char *what, *before;
	} parts[] = { { "mtu", "mtu " }, { "master", "in " }, { "vlans", "vlans " }, { "up", "" } };
	const char *text = class >> 16 == 0x02 ? get_named(r, "nic", "name") : NULL;

	if (!text)
		return NULL;
	text = arena_dup(r->a, text);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *value = get_named(r, "nic", parts[i].what);

		if (value)
			text = arena_fmt(r->a, "%s, %s%s", text, parts[i].before, value);
	}
	return text;
}

static bool read_function(struct reader *r, struct function *f)
{
	const char *override, *methods;

	*f = (struct function){ .address = r->address };
	if (!bdf_parse(r->address, &f->bdf) || !read_ids(r, f))
		return false;
	/* Host bridges (0600) are no header layout of their own; PCI-to-PCI (0604) ones may come without config. */
	f->bridge = f->class >> 8 == 0x0600 || f->class >> 8 == 0x0604;
	f->parent = parent_of(r);
	f->life = get_named(r, "life", "");
	f->life = f->life ? arena_dup(r->a, f->life) : NULL;
	f->nic = read_nic(r, f->class);
	f->driver = get_copy(r, "driver");
	override = get_unless_stuck(r, f, "driver_override");
	f->override = override && strcmp(override, "(null)") != 0 ? arena_dup(r->a, override) : NULL;
	methods = get(r, "reset_method");
	f->reset_methods = methods && *methods ? arena_dup(r->a, methods) : NULL;
	f->power_control = get_copy(r, "power/control");
	f->d3cold = get_copy(r, "d3cold_allowed");
	f->group = get_number(r, "iommu_group");
	f->vfs = f->stuck ? -1 : get_number(r, "sriov_numvfs");
	f->virtual = get(r, "physfn") != NULL;
	f->modules = candidates(r);
	return true;
}

static const unsigned char *read_config(struct reader *r, struct function *f, size_t *size)
{
	char name[HOST_NAME_BYTES], buf[CONFIG_MAX + 1];
	ssize_t n;

	snprintf(name, sizeof(name), DEVICES "/%s/config", r->address);
	/* What did not answer once is not asked again: each time costs seconds. */
	n = f->stuck ? -ETIMEDOUT : host_read_bytes(r->h, name, buf, sizeof(buf));
	f->stuck = n == -ETIMEDOUT;
	*size = n > 0 ? (size_t)n : 0;
	return (unsigned char *)arena_dupn(r->a, buf, *size);
}

static int by_address(const void *a, const void *b)
{
	struct bdf x, y;

	if (!bdf_parse(*(char *const *)a, &x) || !bdf_parse(*(char *const *)b, &y))
		return strcmp(*(char *const *)a, *(char *const *)b);
	return bdf_compare(&x, &y);
}

int inventory_read(struct host *h, struct arena *a, struct inventory *inv, struct error *err)
{
	struct inventory read = { 0 };
	const unsigned char **configs;
	size_t n, *sizes;
	char **names;
	int code = host_list(h, DEVICES, a, &names, &n);

	if (code < 0)
		return error_errno(err, code, "cannot list the PCI devices in " DEVICES);
	if (n)
		qsort(names, n, sizeof(*names), by_address);
	read.functions = arena_array(a, n, sizeof(*read.functions));
	configs = arena_array(a, n, sizeof(*configs));
	sizes = arena_array(a, n, sizeof(*sizes));
	for (size_t i = 0; i < n; i++) {
		struct reader r = { .h = h, .a = a, .address = names[i] };

		if (!read_function(&r, &read.functions[read.n]))
			continue;
		configs[read.n] = read_config(&r, &read.functions[read.n], &sizes[read.n]);
		read.n++;
	}
	code = pcilib_decode(&read, configs, sizes, err);
	if (code == 0)
		*inv = read;
	return code;
}

const struct function *inventory_find(const struct inventory *inv, const char *address)
{
	for (size_t i = 0; i < inv->n; i++)
		if (strcmp(inv->functions[i].address, address) == 0)
			return &inv->functions[i];
	return NULL;
}

bool function_same_group(const struct function *a, const struct function *b)
{
	return a == b || (a->group >= 0 && a->group == b->group);
}

bool function_same_slot(const struct function *a, const struct function *b)
{
	return bdf_same_bus(&a->bdf, &b->bdf) && a->bdf.device == b->bdf.device;
}
