/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "host/capture.h"
#include "host/usbtree.h"

/* What handover looks at of a PCI function; absent files are left out. */
static const char *const function_files[] = {
	"vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "modalias", "numa_node",
	"boot_vga", "driver_override", "reset_method", "power/control", "d3cold_allowed", "sriov_totalvfs",
	"sriov_numvfs", "firmware_node/path", NULL,
};
static const char *const function_links[] = { "driver", "iommu_group", "physfn", NULL };

/* Of USB no serial numbers: they say whose devices these are, and nothing is decided by them. */
static const char *const usb_files[] = {
	"idVendor", "idProduct", "bDeviceClass", "product", "manufacturer", "busnum", "devnum", "authorized", NULL,
};
static const char *const interface_files[] = { "bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol", NULL };
static const char *const input_files[] = { "name", "capabilities/key", NULL };
static const char *const nic_values[] = {
	"name", "mtu", "up", "master", "vlans", "port", "fdb", "master-mac", "addresses", "routes", "children",
	"altnames", "alias", "mac", "link", "sysctls", "features", "rings", "coalesce", "pause", "eee", "wol", "modes",
	"carrier", "loose",
};

/* By machine-id profiles may know a host; a rehearsal is done on a copy that has been captured. */
static const char *const values[] = {
	"proc/cmdline", "proc/sys/kernel/hostname", "proc/sys/kernel/random/boot_id", "etc/machine-id",
};

/* Of what the firmware says only whose make and which model it is: no serial numbers. */
static const char *const dmi_files[] = { "sys_vendor", "product_name", NULL };

/* Of a VM's configuration only these lines are taken: the rest is nobody's business. */
static const char *const config_keys[] = { "hostpci", "usb", "machine", "hookscript", "reboot", "lock", "vga" };

#define GUESTS "etc/pve/qemu-server"
#define ROW 16		/* bytes of config space in a line */
#define WORDS_MAX 4096

/* --- lines ------------------------------------------------------------------------------------------------------- */

ssize_t capture_get(struct writer *w, const char *folder, const char *a, const char *b)
{
	int n = snprintf(w->name, sizeof(w->name), "%s/%s%s%s", folder, a, b ? "/" : "", b ? b : "");

	return n < (int)sizeof(w->name) ? host_read(w->h, w->name, w->buf, sizeof(w->buf)) : -ENAMETOOLONG;
}

bool capture_remember(struct writer *w, struct words *words, const char *s)
{
	struct branch *word;

	if (words->n == WORDS_MAX || tree_find(words->tree, s, strlen(s)))
		return false;
	word = arena_alloc(w->arena, sizeof(*word));
	word->name = arena_dup(w->arena, s);
	tree_add(&words->tree, word);
	words->list = arena_grow(w->arena, words->list, words->n, sizeof(*words->list));
	words->list[words->n++] = word->name;
	return true;
}

/* As the reader takes it, with so many bytes of a folder before it. */
static bool name_fits(const char *name, size_t before)
{
	return *name && before + strlen(name) < HOST_NAME_BYTES - 1 && !strchr(name, '\n') && !strstr(name, "..") &&
	       !strstr(name, "//");
}

/* How a byte of a text is written. */
static const char *escape(char c)
{
	switch (c) {
	case '\n':
		return "\\n";
	case '\\':
		return "\\\\";
	case '\0':
		return "\\0";
	}
	return NULL;
}

void capture_line(struct writer *w, char letter, const char *name, const char *text, size_t n)
{
	size_t length = strlen("A: =") + strlen(name) + n;

	for (size_t i = 0; i < n; i++)
		length += escape(text[i]) != NULL;
	if (length > HOSTFILE_LINE_MAX || strchr(name, '=') ||
	    !name_fits(name, letter == 'A' ? strlen("sys/") + w->folder : 0))
		return;
	fprintf(w->out, "%c: %s=", letter, name);
	for (size_t i = 0; i < n; i++) {
		const char *escaped = escape(text[i]);

		if (escaped)
			fputs(escaped, w->out);
		else
			fputc(text[i], w->out);
	}
	fputc('\n', w->out);
}

void capture_files(struct writer *w, const char *folder, const char *const *files)
{
	for (; *files; files++) {
		ssize_t n = capture_get(w, folder, *files, NULL);

		if (n >= 0)
			capture_line(w, 'A', *files, w->buf, (size_t)n);
	}
}

void capture_link(struct writer *w, const char *folder, const char *name)
{
	char link[HOST_VALUE_BYTES];
	ssize_t n;

	if (snprintf(w->name, sizeof(w->name), "%s/%s", folder, name) >= (int)sizeof(w->name))
		return;
	n = host_link(w->h, w->name, link, sizeof(link));
	if (n > 0 && n < HOST_NAME_BYTES && !strchr(link, '\n') && !strchr(name, '=') &&
	    name_fits(name, strlen("sys/") + w->folder) && name_fits(str_basename(link), 0))
		fprintf(w->out, "L: %s=%s\n", name, link);
}

bool capture_folder(struct writer *w, const char *path)
{
	if (strlen(path) + strlen("sys") >= HOST_NAME_BYTES - 1 || !name_fits(path + 1, 0))
		return false;
	fprintf(w->out, "\nP: %s\n", path);
	w->folder = strlen(path);
	return true;
}

bool capture_path(struct writer *w, const char *name, char path[HOST_NAME_BYTES])
{
	char link[HOST_VALUE_BYTES];
	const char *at;

	if (host_link(w->h, name, link, sizeof(link)) < 0 || !(at = strstr(link, "/devices/")) ||
	    !name_fits(at + 1, strlen("sys/")))
		return false;
	strcpy(path, at);
	return true;
}

/* --- PCI --------------------------------------------------------------------------------------------------------- */

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
	char path[HOST_NAME_BYTES], folder[HOST_NAME_BYTES / 2];

	snprintf(folder, sizeof(folder), "sys/bus/pci/devices/%s", bdf);
	if (!capture_path(w, folder, path) || !capture_folder(w, path))
		return;
	capture_files(w, folder, function_files);
	if (capture_get(w, folder, "modalias", NULL) >= 0)
		capture_remember(w, &w->aliases, w->buf);
	put_config(w, folder);
	for (const char *const *link = function_links; *link; link++)
		capture_link(w, folder, *link);
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
	char **names, module[HOST_NAME_BYTES];
	size_t n;

	if (host_list(w->h, "sys/bus/pci/drivers", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_fmt(w->arena, "/bus/pci/drivers/%s", names[i]);

		if (!capture_folder(w, path))
			continue;
		path = arena_fmt(w->arena, "sys%s", path);
		capture_link(w, path, "module");
		if (host_read(w->h, arena_fmt(w->arena, "%s/module", path), module, sizeof(module)) > 0)
			capture_remember(w, &w->modules, module);
	}
}

static void put_groups(struct writer *w)
{
	static const char *const files[] = { "type", NULL };
	char **names;
	size_t n;

	if (host_list(w->h, "sys/kernel/iommu_groups", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_fmt(w->arena, "/kernel/iommu_groups/%s", names[i]);

		if (capture_folder(w, path))
			capture_files(w, arena_fmt(w->arena, "sys%s", path), files);
	}
}

/* --- USB --------------------------------------------------------------------------------------------------------- */

/* A path that leaves no place for its longest file is left out with all its files. */
static bool put_block(struct writer *w, const char *name)
{
	char path[HOST_NAME_BYTES];

	return capture_path(w, name, path) && strlen(path) + strlen("sys/capabilities/key") < HOST_NAME_BYTES &&
	       capture_folder(w, path);
}

static void put_usb_name(struct writer *w, const char *name, enum usb_kind kind)
{
	const char *folder = arena_fmt(w->arena, USB_DEVICES "/%s", name);

	if (!put_block(w, folder))
		return;
	capture_files(w, folder, kind == USB_INTERFACE ? interface_files : usb_files);
	if (kind == USB_INTERFACE)
		capture_link(w, folder, "driver");
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
			capture_files(w, folder, input_files);
	}
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

static void put_dmi(struct writer *w)
{
	char path[HOST_NAME_BYTES];

	if (!capture_path(w, "sys/class/dmi/id", path) || !capture_folder(w, "/class/dmi"))
		return;
	capture_link(w, "sys/class/dmi", "id");
	if (capture_folder(w, path))
		capture_files(w, "sys/class/dmi/id", dmi_files);
}

/* --- values ------------------------------------------------------------------------------------------------------ */

static void put_value(struct writer *w, const char *folder, const char *a, const char *b)
{
	ssize_t n = capture_get(w, folder, a, b);

	if (n >= 0)
		capture_line(w, 'V', w->name, w->buf, (size_t)n);
}

static void put_modules(struct writer *w)
{
	ssize_t n;

	fputc('\n', w->out);
	for (size_t i = 0; i < w->aliases.n; i++) {
		n = capture_get(w, "modalias", w->aliases.list[i], NULL);
		if (n <= 0)
			continue;
		capture_line(w, 'V', w->name, w->buf, (size_t)n);
		for (char *at = w->buf, *word; (word = strsep(&at, " ")) != NULL;)
			capture_remember(w, &w->modules, word);
	}
	capture_remember(w, &w->modules, "vfio_pci");
	for (size_t i = 0; i < w->modules.n; i++) {
		n = capture_get(w, "module", w->modules.list[i], NULL);
		if (n > 0)
			capture_line(w, 'V', w->name, w->buf, (size_t)n);
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
		for (size_t k = 0; k < 2; k++)
			put_value(w, "unit", names[i], whats[k]);
}

/* The same of commands, whose paths are folders here. */
static void put_commands(struct writer *w, const char *folder)
{
	char **names;
	size_t n;

	if (host_list(w->h, folder, w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		put_value(w, folder, names[i], NULL);
		put_commands(w, arena_fmt(w->arena, "%s/%s", folder, names[i]));
	}
}

static void put_values(struct writer *w)
{
	fputc('\n', w->out);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		ssize_t n = host_read(w->h, values[i], w->buf, sizeof(w->buf));

		if (n >= 0)
			capture_line(w, 'V', values[i], w->buf, (size_t)n);
	}
}

static void put_interfaces(struct writer *w)
{
	char **names;
	size_t n;

	if (host_list(w->h, "sys/bus/pci/devices", w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(nic_values) / sizeof(*nic_values); k++)
			put_value(w, "nic", names[i], nic_values[k]);
		put_value(w, "udev", names[i], NULL);
	}
}

/* --- Proxmox ----------------------------------------------------------------------------------------------------- */

static bool wanted(const char *line)
{
	for (size_t i = 0; i < sizeof(config_keys) / sizeof(*config_keys); i++)
		if (str_starts(line, config_keys[i]))
			return true;
	return false;
}

static void put_mappings(struct writer *w)
{
	static const char *const files[] = { "etc/pve/mapping/pci.cfg", "etc/pve/mapping/usb.cfg" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (host_read_bytes(w->h, files[i], w->buf, sizeof(w->buf)) <= 0)
			continue;
		fprintf(w->out, "\nF: %s\n", files[i]);
		for (char *at = w->buf, *line; (line = strsep(&at, "\n")) != NULL && at;)
			fprintf(w->out, "| %s\n", line);
	}
}

static void put_guests(struct writer *w)
{
	char **names;
	size_t n;

	if (host_list(w->h, GUESTS, w->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (capture_get(w, GUESTS, names[i], NULL) < 0)
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
		put_dmi(w);
		put_modules(w);
		put_values(w);
		put_units(w);
		put_commands(w, "command");
		put_interfaces(w);
		put_guests(w);
		put_mappings(w);
		capture_stakes(w);
		capture_system(w);
		capture_history(w);
		if (fflush(out) || ferror(out))
			code = error_set(err, -EIO, "cannot write the capture");
	}
	arena_free(a);
	return code;
}
