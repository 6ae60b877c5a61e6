/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's consoles: a screen, serial lines. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/stake.h"

#define GRAPHICS "sys/class/graphics"
#define CONSOLES "sys/class/vtconsole"
#define TTYS "sys/class/tty"
#define TEXT_MAX 256
#define CLASS_LPC 0x0601	/* base class and subclass of PCI */
#define SUBCLASS_SHIFT 8
#define CONSOLE_REMEDY "see that the host can be reached by SSH: it is the only way in then"

static bool read_text(struct stakes *s, char buf[TEXT_MAX], const char *name)
{
	return host_read(s->host, name, buf, TEXT_MAX) > 0;
}

/* What cannot be read is rather taken for one that shows the console. */
static bool is_bound(struct stakes *s, const char *console)
{
	char text[TEXT_MAX];
	ssize_t n = host_read(s->host, arena_fmt(s->arena, CONSOLES "/%s/bind", console), text, sizeof(text));

	return (n < 0 && n != -ENOENT) || (n > 0 && strcmp(text, "1") == 0);
}

/* A text console is on a frame buffer: drivers/tty/vt/vt.c, show_bind(), show_name(). */
static bool is_console_on_frame_buffer(struct stakes *s)
{
	char **names, name[TEXT_MAX];
	size_t n;

	if (host_list(s->host, CONSOLES, s->arena, &names, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_bound(s, names[i]) && read_text(s, name, arena_fmt(s->arena, CONSOLES "/%s/name", names[i])) &&
		    strstr(name, "frame buffer"))
			return true;
	return false;
}

/* fbcon shows all consoles on the first frame buffer (drivers/video/fbdev/core/fbcon.c, fbcon_startup()). */
static const char *first_frame_buffer(struct stakes *s, const char **name)
{
	char **names, link[HOST_NAME_BYTES * 2];
	size_t n;

	if (!is_console_on_frame_buffer(s) || host_list(s->host, GRAPHICS, s->arena, &names, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!str_starts(names[i], "fb") || strcmp(names[i], "fbcon") == 0 ||
		    host_link(s->host, arena_fmt(s->arena, GRAPHICS "/%s", names[i]), link, sizeof(link)) < 0)
			continue;
		*name = names[i];
		return arena_dup(s->arena, link);
	}
	return NULL;
}

/* Where the firmware has shown its screen, and the console is, unless a driver for VMs has taken it. */
static const struct function *boot_screen(struct stakes *s)
{
	for (size_t i = 0; i < s->inventory->n; i++) {
		const struct function *fn = &s->inventory->functions[i];
		char text[TEXT_MAX];

		if (read_text(s, text, arena_fmt(s->arena, "sys/bus/pci/devices/%s/boot_vga", fn->address)) &&
		    strcmp(text, "1") == 0 && (!fn->driver || !str_starts(fn->driver, "vfio")))
			return fn;
	}
	return NULL;
}

static void add_screen(struct stakes *s)
{
	const struct function *boot = boot_screen(s);
	const char *name = NULL, *path = first_frame_buffer(s, &name), *address = path ? path_function(path, s->arena) : NULL;
	bool same = boot && address && strcmp(address, boot->address) == 0;

	if (address)
		stake_add(s, "console", path, name, CONSOLE_REMEDY, "%s -> %s shows the host's console%s", name, address,
			  same ? " (it is the boot VGA device)" : "");
	else if (boot)
		stake_add(s, "console", boot->address, boot->address, CONSOLE_REMEDY,
			  "it is the boot VGA device, which shows the host's console");
}

/*
 * The LPC bridge, for a port of the board of which the firmware says nothing: it is a device of its driver's then
 * (drivers/tty/serial/8250/8250_core.c, "serial8250").
 */
static const char *lpc_of(struct stakes *s, const char *port)
{
	if (!str_starts(port, "ttyS") || !host_has(s->host, arena_fmt(s->arena, TTYS "/%s", port)))
		return NULL;
	for (size_t i = 0; i < s->inventory->n; i++)
		if (s->inventory->functions[i].class >> SUBCLASS_SHIFT == CLASS_LPC && !s->inventory->functions[i].parent)
			return s->inventory->functions[i].address;
	return NULL;
}

static void add_port(struct stakes *s, const char *port, const char *is)
{
	const char *path = stake_path(s, TTYS, port), *lpc = path ? NULL : lpc_of(s, port);

	if (path)
		stake_add(s, "console", path, port, CONSOLE_REMEDY, "%s -> %s %s", port, path_function(path, s->arena), is);
	else if (lpc)
		stake_add(s, "console", lpc, port, CONSOLE_REMEDY, "%s %s; the firmware does not say where it is, and such ports "
			  "are below the LPC bridge, %s", port, is, lpc);
}

static bool is_serial(const char *tty)
{
	return str_starts(tty, "ttyS") || str_starts(tty, "ttyUSB");
}

/* Which of them are consoles is not known. */
static void add_all_ports(struct stakes *s)
{
	char **names;
	size_t n;

	if (host_list(s->host, TTYS, s->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (is_serial(names[i]))
			add_port(s, names[i], "may be the host's serial console: the kernel does not answer which one is");
}

/* "tty0 ttyS0": those that kernel messages and logins go to. */
static void add_serial(struct stakes *s)
{
	char text[TEXT_MAX], *at = text, *word;
	ssize_t n = host_read(s->host, TTYS "/console/active", text, sizeof(text));

	if (n < 0 && n != -ENOENT)
		add_all_ports(s);
	while (n > 0 && (word = strsep(&at, " ")) != NULL)
		if (is_serial(word))
			add_port(s, arena_dup(s->arena, word), "is the host's serial console");
}

void stakes_console(struct stakes *s)
{
	add_screen(s);
	add_serial(s);
}
