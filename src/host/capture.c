/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "host/hostfile.h"
#include "host/usbtree.h"

/* What handover looks at of a PCI function; absent files are left out. */
static const char *const function_files[] = {
	"vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "modalias", "numa_node",
	"boot_vga", "driver_override", "reset_method", "power/control", "d3cold_allowed", "sriov_totalvfs",
	"sriov_numvfs",
};
static const char *const function_links[] = { "driver", "iommu_group", "physfn" };

/* Of USB no serial numbers: they say whose devices these are, and nothing is decided by them. */
static const char *const usb_files[] = {
	"idVendor", "idProduct", "bDeviceClass", "product", "manufacturer", "busnum", "devnum", "authorized",
};
static const char *const interface_files[] = { "bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol" };
static const char *const input_files[] = { "name", "capabilities/key" };
static const char *const nic_values[] = { "name", "mtu", "up", "master", "vlans", "loose" };

static const char *const values[] = { "proc/cmdline", "proc/sys/kernel/hostname", "proc/sys/kernel/random/boot_id" };

/* Of a VM's configuration only these lines are taken: the rest is nobody's business. */
static const char *const config_keys[] = { "hostpci", "usb", "machine", "hookscript", "reboot", "lock" };

#define GUESTS "etc/pve/qemu-server"
#define MAPPINGS "etc/pve/mapping/pci.cfg"
#define ROW 16		/* bytes of config space in a line */
#define ALIASES_MAX 4096

struct writer {
	struct host *h;
	struct arena *arena;
	FILE *out;
	char buf[HOST_VALUE_BYTES * 4];
	char name[HOST_NAME_BYTES];
	char **aliases;		/* modalias texts seen */
	size_t n_aliases;
	char **modules;		/* modules seen */
	size_t n_modules;
};

static ssize_t get(struct writer *w, const char *folder, const char *a, const char *b)
{
	int n = snprintf(w->name, sizeof(w->name), "%s/%s%s%s", folder, a, b ? "/" : "", b ? b : "");

	return n < (int)sizeof(w->name) ? host_read(w->h, w->name, w->buf, sizeof(w->buf)) : -ENAMETOOLONG;
}

static void put_escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\\')
			fputs("\\\\", out);
		else
			fputc(*s, out);
	}
	fputc('\n', out);
}

static void remember(struct arena *a, char ***list, size_t *n, const char *s)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*list)[i], s) == 0)
			return;
	if (*n == ALIASES_MAX)
		return;
	*list = arena_grow(a, *list, *n, sizeof(**list));
	(*list)[(*n)++] = arena_dup(a, s);
}

/* All-zero rows are left out, but for the last, which says how long the file is. */
static void put_config(struct writer *w, const char *folder)
{
	static const char zeros[ROW];
	ssize_t n;

	snprintf(w->name, sizeof(w->name), "%s/config", folder);
	n = host_read_bytes(w->h, w->name, w->buf, sizeof(w->buf));
	/* More than a config space is none. */
	n = n > HOST_VALUE_BYTES ? HOST_VALUE_BYTES : n;
	for (ssize_t at = 0; at < n; at += ROW) {
		size_t len = (size_t)(n - at < ROW ? n - at : ROW);

		if (memcmp(w->buf + at, zeros, len) == 0 && at + ROW < n)
			continue;
		fprintf(w->out, at ? "H: config+%zx=" : "H: config=", (size_t)at);
		for (size_t i = 0; i < len; i++)
			fprintf(w->out, "%02x", (unsigned char)w->buf[(size_t)at + i]);
		fputc('\n', w->out);
	}
}

static void put_function(struct writer *w, const char *bdf)
{
	char link[HOST_NAME_BYTES * 2], folder[HOST_NAME_BYTES / 2];
	const char *path;

	snprintf(folder, sizeof(folder), "sys/bus/pci/devices/%s", bdf);
	if (host_link(w->h, folder, link, sizeof(link)) < 0)
		return;
	path = strstr(link, "/devices/");
	if (!path)
		return;
	fprintf(w->out, "\nP: %s\n", path);
	for (size_t i = 0; i < sizeof(function_files) / sizeof(*function_files); i++) {
		if (get(w, folder, function_files[i], NULL) < 0)
			continue;
		fprintf(w->out, "A: %s=", function_files[i]);
		put_escaped(w->out, w->buf);
		if (strcmp(function_files[i], "modalias") == 0)
			remember(w->arena, &w->aliases, &w->n_aliases, w->buf);
	}
	put_config(w, folder);
	for (size_t i = 0; i < sizeof(function_links) / sizeof(*function_links); i++) {
		snprintf(w->name, sizeof(w->name), "%s/%s", folder, function_links[i]);
		if (host_link(w->h, w->name, link, sizeof(link)) >= 0)
			fprintf(w->out, "L: %s=%s\n", function_links[i], link);
	}
}

static int put_functions(struct writer *w, struct error *err)
{
	char **names;
	size_t n;
	int code = host_list(w->h, "sys/bus/pci/devices", w->arena, &names, &n);

	if (code < 0)
		return error_errno(err, code, "cannot list sys/bus/pci/devices");
	for (size_t i = 0; i < n; i++)
		put_function(w, names[i]);
	return 0;
}

static void put_drivers(struct writer *w)
{
	char **names, link[HOST_NAME_BYTES * 2];
	size_t n;

	if (host_list(w->h, "sys/bus/pci/drivers", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		fprintf(w->out, "\nP: /bus/pci/drivers/%s\n", names[i]);
		snprintf(w->name, sizeof(w->name), "sys/bus/pci/drivers/%s/module", names[i]);
		if (host_link(w->h, w->name, link, sizeof(link)) < 0)
			continue;
		fprintf(w->out, "L: module=%s\n", link);
		remember(w->arena, &w->modules, &w->n_modules, str_basename(link));
	}
}

static void put_groups(struct writer *w)
{
	char **names;
	size_t n;

	if (host_list(w->h, "sys/kernel/iommu_groups", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		fprintf(w->out, "\nP: /kernel/iommu_groups/%s\n", names[i]);
		if (get(w, "sys/kernel/iommu_groups", names[i], "type") < 0)
			continue;
		fputs("A: type=", w->out);
		put_escaped(w->out, w->buf);
	}
}

/*
 * A block for what stands on a bus or in a class. A path too long for a name of the seam cannot be read back, with
 * its longest file behind it.
 */
static bool put_block(struct writer *w, const char *name)
{
	char link[HOST_VALUE_BYTES];
	const char *path;

	if (host_link(w->h, name, link, sizeof(link)) < 0 || !(path = strstr(link, "/devices/")) ||
	    strlen(path) + strlen("sys/capabilities/key") >= HOST_NAME_BYTES)
		return false;
	fprintf(w->out, "\nP: %s\n", path);
	return true;
}

static void put_files(struct writer *w, const char *folder, const char *const *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (get(w, folder, files[i], NULL) < 0)
			continue;
		fprintf(w->out, "A: %s=", files[i]);
		put_escaped(w->out, w->buf);
	}
}

static void put_usb_name(struct writer *w, const char *name, enum usb_kind kind)
{
	char folder[HOST_NAME_BYTES], link[HOST_VALUE_BYTES];

	snprintf(folder, sizeof(folder), USB_DEVICES "/%s", name);
	if (!put_block(w, folder))
		return;
	if (kind != USB_INTERFACE) {
		put_files(w, folder, usb_files, sizeof(usb_files) / sizeof(*usb_files));
		return;
	}
	put_files(w, folder, interface_files, sizeof(interface_files) / sizeof(*interface_files));
	snprintf(w->name, sizeof(w->name), USB_DEVICES "/%s/driver", name);
	if (host_link(w->h, w->name, link, sizeof(link)) >= 0)
		fprintf(w->out, "L: driver=%s\n", link);
}

/* What is below PCI controllers; the rest goes to no VM with a PCI function. */
static void put_usb(struct writer *w)
{
	struct usb_buses b;
	struct usb_name name;

	if (usb_buses_read(w->h, w->arena, &b) < 0)
		return;
	for (size_t i = 0; i < b.n_names; i++)
		if (usb_name_parse(b.names[i], &name) != USB_NOTHING && usb_bus_find(&b, name.bus))
			put_usb_name(w, b.names[i], name.kind);
}

static void put_inputs(struct writer *w)
{
	char folder[HOST_NAME_BYTES], **names;
	size_t n;

	if (host_list(w->h, "sys/class/input", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		snprintf(folder, sizeof(folder), "sys/class/input/%.200s", names[i]);
		/* Not their event nodes, which have numbers of their own. */
		if (str_starts(names[i], "input") && put_block(w, folder))
			put_files(w, folder, input_files, sizeof(input_files) / sizeof(*input_files));
	}
}

static void put_modules(struct writer *w)
{
	fputc('\n', w->out);
	for (size_t i = 0; i < w->n_aliases; i++) {
		if (get(w, "modalias", w->aliases[i], NULL) <= 0)
			continue;
		fprintf(w->out, "V: modalias/%s=", w->aliases[i]);
		put_escaped(w->out, w->buf);
		for (char *at = w->buf, *word; (word = strsep(&at, " ")) != NULL;)
			remember(w->arena, &w->modules, &w->n_modules, word);
	}
	remember(w->arena, &w->modules, &w->n_modules, "vfio_pci");
	for (size_t i = 0; i < w->n_modules; i++) {
		if (get(w, "module", w->modules[i], NULL) <= 0)
			continue;
		fprintf(w->out, "V: module/%s=", w->modules[i]);
		put_escaped(w->out, w->buf);
	}
}

/* Of the running host no units are captured: only a profile could say which matter. A .host that has some keeps them. */
static void put_units(struct writer *w)
{
	static const char *const whats[] = { "state", "run" };
	char **names;
	size_t n;

	if (host_list(w->h, "unit", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 2; k++) {
			if (get(w, "unit", names[i], whats[k]) < 0)
				continue;
			fprintf(w->out, "V: unit/%s/%s=", names[i], whats[k]);
			put_escaped(w->out, w->buf);
		}
}

static void put_values(struct writer *w)
{
	fputc('\n', w->out);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (host_read(w->h, values[i], w->buf, sizeof(w->buf)) < 0)
			continue;
		fprintf(w->out, "V: %s=", values[i]);
		put_escaped(w->out, w->buf);
	}
}

static void put_interface(struct writer *w, const char *bdf)
{
	for (size_t i = 0; i < sizeof(nic_values) / sizeof(*nic_values); i++) {
		if (get(w, "nic", bdf, nic_values[i]) < 0)
			continue;
		fprintf(w->out, "V: %s=", w->name);
		put_escaped(w->out, w->buf);
	}
	if (get(w, "udev", bdf, NULL) >= 0)
		fprintf(w->out, "V: udev/%s=%s\n", bdf, w->buf);
}

static void put_interfaces(struct writer *w)
{
	char **names;
	size_t n;

	if (host_list(w->h, "sys/bus/pci/devices", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		put_interface(w, names[i]);
}

static bool wanted(const char *line)
{
	for (size_t i = 0; i < sizeof(config_keys) / sizeof(*config_keys); i++)
		if (str_starts(line, config_keys[i]))
			return true;
	return false;
}

static void put_mappings(struct writer *w)
{
	if (host_read_bytes(w->h, MAPPINGS, w->buf, sizeof(w->buf)) <= 0)
		return;
	fprintf(w->out, "\nF: " MAPPINGS "\n");
	for (char *at = w->buf, *line; (line = strsep(&at, "\n")) != NULL && at;)
		fprintf(w->out, "| %s\n", line);
}

static void put_guests(struct writer *w)
{
	char **names;
	size_t n;

	if (host_list(w->h, GUESTS, w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (get(w, GUESTS, names[i], NULL) < 0)
			continue;
		fprintf(w->out, "\nF: " GUESTS "/%s\n", names[i]);
		for (char *at = w->buf, *line; (line = strsep(&at, "\n")) != NULL && *line != '[';)
			if (wanted(line))
				fprintf(w->out, "| %s\n", line);
	}
}

int hostfile_write(struct host *h, const char *source, FILE *out, struct error *err)
{
	struct writer *w;
	struct arena *a = arena_new();
	int code;

	w = arena_alloc(a, sizeof(*w));
	*w = (struct writer){ .h = h, .arena = a, .out = out };
	fprintf(out, "handover-host: %d\nsource: %s\n", HOSTFILE_VERSION, source);
	if (host_read(h, "proc/sys/kernel/osrelease", w->buf, sizeof(w->buf)) > 0)
		fprintf(out, "kernel: %s\n", w->buf);
	code = put_functions(w, err);
	if (code == 0) {
		put_drivers(w);
		put_groups(w);
		put_usb(w);
		put_inputs(w);
		put_modules(w);
		put_values(w);
		put_units(w);
		put_interfaces(w);
		put_guests(w);
		put_mappings(w);
		if (fflush(out) || ferror(out))
			code = error_set(err, -EIO, "cannot write the capture");
	}
	arena_free(a);
	return code;
}
