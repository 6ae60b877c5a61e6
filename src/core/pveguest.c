/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of a VM that are about devices of the host, or about how it is started. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "core/pveprops.h"

#define ID_DIGITS 4

/* --- hostpciN ----------------------------------------------------------------------------------------------------- */

static bool is_file(const char *s)
{
	return !strchr(s, ';');
}

static bool is_mdev(const char *s)
{
	return !strpbrk(s, "/.:");
}

/* "0x10de" */
static bool is_hex_id(const char *s)
{
	uint64_t v;

	return str_starts(s, "0x") && str_hex(s + 2, ID_DIGITS, ID_DIGITS, &v);
}

static bool is_driver(const char *s)
{
	return strcmp(s, "vfio") == 0 || strcmp(s, "keep") == 0;
}

/* PVE/QemuServer/PCI.pm, hostpci_fmt; 'driver' since qemu-server 9.0.25. */
enum {
	HOST, MAPPING, ROMBAR, ROMFILE, PCIE, X_VGA, LEGACY_IGD, MDEV, DRIVER, VENDOR, DEVICE, SUB_VENDOR, SUB_DEVICE,
	HOSTPCI_KEYS
};

static const struct prop hostpci_format[HOSTPCI_KEYS] = {
	[HOST] = { .key = "host", .is_default = true, .fits = props_is_pci_list,
		   .what = "addresses such as 0000:02:00.0, hex digits in small letters, with ';' between" },
	[MAPPING] = { .key = "mapping", .fits = props_is_mapping, .what = "the name of a resource mapping" },
	[ROMBAR] = { .key = "rombar", .kind = PROP_FLAG },
	[ROMFILE] = { .key = "romfile", .fits = is_file, .what = "the name of a file below /usr/share/kvm" },
	[PCIE] = { .key = "pcie", .kind = PROP_FLAG },
	[X_VGA] = { .key = "x-vga", .kind = PROP_FLAG },
	[LEGACY_IGD] = { .key = "legacy-igd", .kind = PROP_FLAG },
	[MDEV] = { .key = "mdev", .fits = is_mdev, .what = "the name of a type of mediated devices" },
	[DRIVER] = { .key = "driver", .fits = is_driver, .what = "vfio or keep" },
	[VENDOR] = { .key = "vendor-id", .fits = is_hex_id, .what = "0x and four hex digits" },
	[DEVICE] = { .key = "device-id", .fits = is_hex_id, .what = "0x and four hex digits" },
	[SUB_VENDOR] = { .key = "sub-vendor-id", .fits = is_hex_id, .what = "0x and four hex digits" },
	[SUB_DEVICE] = { .key = "sub-device-id", .fits = is_hex_id, .what = "0x and four hex digits" },
};

/* The domain is left out by people and by Proxmox; sysfs has it always. */
static void add_addresses(struct hostpci *p, struct arena *a, const char *list)
{
	char *at = arena_dup(a, list), *id;

	while ((id = strsep(&at, ";")) != NULL) {
		bool full = strchr(id, ':') != strrchr(id, ':');

		p->addresses = arena_grow(a, p->addresses, p->n, sizeof(*p->addresses));
		p->addresses[p->n++] = full ? id : arena_fmt(a, "0000:%s", id);
	}
}

static bool is_on(const char *flag)
{
	return flag && *flag == '1';
}

/* PVE/QemuServer/PCI.pm, parse_hostpci(), and what parse_hostpci_devices() says of one line alone. */
static const char *why_refused(const struct hostpci *p)
{
	if (p->n && p->mapping)
		return "'host' and 'mapping' are both set";
	if (!p->n && !p->mapping)
		return "neither 'host' nor 'mapping' is set";
	if (p->mdev && p->n > 1)
		return "a mediated device is of one function only";
	if (!p->legacy_igd)
		return NULL;
	if (!p->rombar)
		return "legacy-igd needs rombar";
	if (p->x_vga)
		return "legacy-igd goes with no x-vga";
	if (p->mdev)
		return "legacy-igd goes with no mdev";
	return NULL;
}

static const char *take_hostpci(struct hostpci *p, struct arena *a, const char *text)
{
	const char *v[HOSTPCI_KEYS], *why = props_parse(text, hostpci_format, HOSTPCI_KEYS, v, a);

	p->present = true;
	if (why) {
		if (!p->value || p->left_out)
			*p = (struct hostpci){ .present = true, .value = text, .left_out = why, .rombar = true };
		return why;
	}
	*p = (struct hostpci){
		.present = true, .value = text, .mapping = v[MAPPING], .keep = v[DRIVER] && strcmp(v[DRIVER], "keep") == 0,
		.mdev = v[MDEV], .pcie = is_on(v[PCIE]), .x_vga = is_on(v[X_VGA]), .legacy_igd = is_on(v[LEGACY_IGD]),
		.rombar = !v[ROMBAR] || is_on(v[ROMBAR]), .romfile = v[ROMFILE], .vendor_id = v[VENDOR],
		.device_id = v[DEVICE], .sub_vendor_id = v[SUB_VENDOR], .sub_device_id = v[SUB_DEVICE],
	};
	if (v[HOST])
		add_addresses(p, a, v[HOST]);
	p->refused = why_refused(p);
	return NULL;
}

/* --- usbN --------------------------------------------------------------------------------------------------------- */

/* Behind four hex digits that may have 0x before them; NULL: there are none. */
static const char *half_end(const char *s)
{
	s += str_starts(s, "0x") ? 2 : 0;
	return strspn(s, "0123456789abcdefABCDEF") == ID_DIGITS ? s + ID_DIGITS : NULL;
}

/* "046d:c52b" of that, also with 0x before each half; NULL: it is none. */
static const char *usb_id(const char *s, struct arena *a)
{
	const char *colon = half_end(s), *end = colon && *colon == ':' ? half_end(colon + 1) : NULL;

	return end && !*end ? arena_lower(a, arena_fmt(a, "%.4s:%.4s", colon - ID_DIGITS, end - ID_DIGITS)) : NULL;
}

static bool is_spice(const char *s)
{
	return strcasecmp(s, "spice") == 0;
}

static bool is_usb(const char *s)
{
	const char *colon = half_end(s), *end = colon && *colon == ':' ? half_end(colon + 1) : NULL;

	return (end && !*end) || props_is_usb_port(s) || is_spice(s);
}

enum { USB_HOST, USB_MAPPING, USB3, USB_KEYS };

static const struct prop usb_format[USB_KEYS] = {
	[USB_HOST] = { .key = "host", .is_default = true, .fits = is_usb,
		       .what = "vendor:device, bus-port such as 1-2.1, or spice" },
	[USB_MAPPING] = { .key = "mapping", .fits = props_is_mapping, .what = "the name of a resource mapping" },
	[USB3] = { .key = "usb3", .kind = PROP_FLAG },
};

static const char *take_usb(struct pve_usb *u, struct arena *a, const char *text)
{
	const char *v[USB_KEYS], *why = props_parse(text, usb_format, USB_KEYS, v, a);

	u->present = true;
	if (why) {
		if (!u->value || u->left_out)
			*u = (struct pve_usb){ .present = true, .value = text, .left_out = why };
		return why;
	}
	*u = (struct pve_usb){ .present = true, .value = text, .mapping = v[USB_MAPPING], .usb3 = is_on(v[USB3]) };
	if (v[USB_HOST]) {
		u->id = usb_id(v[USB_HOST], a);
		u->port = props_is_usb_port(v[USB_HOST]) ? v[USB_HOST] : NULL;
		u->spice = is_spice(v[USB_HOST]);
	}
	/* PVE/QemuServer/USB.pm, get_usb_devices(): of a line that says so, in small letters, it asks for no mapping. */
	if (u->mapping && str_same(v[USB_HOST], "spice"))
		u->mapping = NULL;
	/* parse_usb_device(), print_usbdevice_full() */
	else if (!v[USB_HOST] == !u->mapping)
		u->refused = u->mapping ? "'host' and 'mapping' are both set" : "neither 'host' nor 'mapping' is set";
	return NULL;
}

/* --- the lines ---------------------------------------------------------------------------------------------------- */

static void leave_out(struct pve_left_out **list, size_t *n, struct arena *a, const struct pve_line *line,
		      const char *why)
{
	*list = arena_grow(a, *list, *n, sizeof(**list));
	(*list)[(*n)++] = (struct pve_left_out){ *line, why };
}

/* A flag that is none is left out by Proxmox: then why is not NULL. */
static const char *take_flag(const char *value, bool when, bool *flag)
{
	int is = props_flag(value);

	if (is < 0)
		return "it is neither 0 nor 1";
	*flag = is == when;
	return NULL;
}

/* "hostpci16": a device of that kind, but one too many, or its number is not written as Proxmox does. */
static bool is_like(const char *key, const char *prefix)
{
	return str_starts(key, prefix) && key[strlen(prefix)] != '\0' &&
	       key[strlen(prefix) + strspn(key + strlen(prefix), "0123456789")] == '\0';
}

/* Settings that are kept as they stand there. */
static const struct {
	const char *key;
	size_t at;
} texts[] = {
	{ "name", offsetof(struct pve_guest, name) },	{ "lock", offsetof(struct pve_guest, lock) },
	{ "machine", offsetof(struct pve_guest, machine) }, { "bios", offsetof(struct pve_guest, bios) },
	{ "args", offsetof(struct pve_guest, args) },	{ "hookscript", offsetof(struct pve_guest, hookscript) },
	{ "tags", offsetof(struct pve_guest, tags) },	{ "ostype", offsetof(struct pve_guest, ostype) },
	{ "vga", offsetof(struct pve_guest, vga) },
};

static void take_text(struct pve_guest *g, const struct pve_line *line)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(texts[i].key, line->key) == 0) {
			const char **text = (void *)((char *)g + texts[i].at);

			*text = line->value;
			return;
		}
	g->n_others++;
}

/* NULL, or why Proxmox leaves the line out. */
static const char *take_line(struct pve_guest *g, struct arena *a, const struct pve_line *line)
{
	int n;

	if (!line->key)
		return "it is no line of the form 'key: value'";
	n = pveconf_index(line->key, "hostpci", HOSTPCI_MAX - 1);
	if (n >= 0)
		return take_hostpci(&g->hostpci[n], a, line->value);
	n = pveconf_index(line->key, "usb", PVE_USB_MAX - 1);
	if (n >= 0)
		return take_usb(&g->usb[n], a, line->value);
	if (is_like(line->key, "hostpci") || is_like(line->key, "usb"))
		return arena_fmt(a, "there are only hostpci0 to hostpci%d and usb0 to usb%d", HOSTPCI_MAX - 1, PVE_USB_MAX - 1);
	if (strcmp(line->key, "template") == 0)
		return take_flag(line->value, true, &g->template);
	if (strcmp(line->key, "reboot") == 0)
		return take_flag(line->value, false, &g->no_reboot);
	take_text(g, line);
	return NULL;
}

void pveconf_parse(const char *text, struct arena *a, struct pve_guest *guest)
{
	struct pve_guest g = { 0 };
	struct pve_reader r;
	struct pve_line line;

	for (int i = 0; i < HOSTPCI_MAX; i++)
		g.hostpci[i].rombar = true;
	pveline_start(&r, text, false, a);
	while (pveline_next(&r, &line)) {
		const char *why = take_line(&g, a, &line);

		if (why)
			leave_out(&g.left_out, &g.n_left_out, a, &line, why);
	}
	for (int i = 0; i < PVE_USB_MAX; i++)
		g.has_usb |= g.usb[i].id || g.usb[i].port || g.usb[i].mapping;
	g.description = pveline_description(&r);
	*guest = g;
}

/* --- containers --------------------------------------------------------------------------------------------------- */

static bool is_device(const char *s)
{
	return str_starts(s, "/dev/") && !strstr(s, "/../") && !(strlen(s) >= 3 && strcmp(s + strlen(s) - 3, "/..") == 0);
}

static bool is_mode(const char *s)
{
	return *s == '0' && strlen(s) == 4 && strspn(s, "01234567") == 4;
}

/* pve-container, PVE/LXC/Config.pm, dev_fmt */
enum { NODE_PATH, NODE_MODE, NODE_UID, NODE_GID, NODE_DENY_WRITE, NODE_KEYS };

static const struct prop node_format[NODE_KEYS] = {
	[NODE_PATH] = { .key = "path", .is_default = true, .fits = is_device, .what = "a path below /dev", .required = true },
	[NODE_MODE] = { .key = "mode", .fits = is_mode, .what = "0 and three octal digits" },
	[NODE_UID] = { .key = "uid", .kind = PROP_INTEGER },
	[NODE_GID] = { .key = "gid", .kind = PROP_INTEGER },
	[NODE_DENY_WRITE] = { .key = "deny-write", .kind = PROP_FLAG },
};

static const char *take_node(struct pve_container *c, struct arena *a, unsigned number, const struct pve_line *line)
{
	const char *v[NODE_KEYS], *why = props_parse(line->value, node_format, NODE_KEYS, v, a);

	if (why)
		return why;
	c->nodes = arena_grow(a, c->nodes, c->n_nodes, sizeof(*c->nodes));
	c->nodes[c->n_nodes++] = (struct pve_node){ number, v[NODE_PATH], line->text };
	return NULL;
}

static const char *take_ct_line(struct pve_container *c, struct arena *a, const struct pve_line *line)
{
	int n;

	if (!line->key)
		return "it is no line of the form 'key: value'";
	n = pveconf_index(line->key, "dev", PVE_NODES_MAX - 1);
	if (n >= 0)
		return take_node(c, a, (unsigned)n, line);
	if (str_starts(line->key, "lxc.")) {
		c->lxc = arena_grow(a, c->lxc, c->n_lxc, sizeof(*c->lxc));
		c->lxc[c->n_lxc++] = *line;
	} else if (strcmp(line->key, "hostname") == 0) {
		c->name = line->value;
	} else if (strcmp(line->key, "lock") == 0) {
		c->lock = line->value;
	} else if (strcmp(line->key, "hookscript") == 0) {
		c->hookscript = line->value;
	} else if (strcmp(line->key, "tags") == 0) {
		c->tags = line->value;
	} else if (strcmp(line->key, "template") == 0) {
		return take_flag(line->value, true, &c->template);
	} else {
		c->n_others++;
	}
	return NULL;
}

void pvect_parse(const char *text, struct arena *a, struct pve_container *ct)
{
	struct pve_container c = { 0 };
	struct pve_reader r;
	struct pve_line line;

	pveline_start(&r, text, true, a);
	while (pveline_next(&r, &line)) {
		const char *why = take_ct_line(&c, a, &line);

		if (why)
			leave_out(&c.left_out, &c.n_left_out, a, &line, why);
	}
	c.description = pveline_description(&r);
	*ct = c;
}
