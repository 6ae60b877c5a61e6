/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's consoles: a screen, serial lines. */
#include <string.h>

#include "base/str.h"
#include "core/stake.h"

#define GRAPHICS "sys/class/graphics"
#define CONSOLES "sys/class/vtconsole"
#define TTYS "sys/class/tty"
#define TEXT_MAX 256
#define CONSOLE_REMEDY "see that the host can be reached by SSH: it is the only way in then"

static bool read_text(struct stakes *s, char buf[TEXT_MAX], const char *name)
{
	return host_read(s->host, name, buf, TEXT_MAX) > 0;
}

/* A text console is on a frame buffer: drivers/tty/vt/vt.c, show_bind(), show_name(). */
static bool is_console_on_frame_buffer(struct stakes *s)
{
	char **names, name[TEXT_MAX], bind[TEXT_MAX];
	size_t n;

	if (host_list(s->host, CONSOLES, s->arena, &names, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (read_text(s, bind, arena_fmt(s->arena, CONSOLES "/%s/bind", names[i])) && strcmp(bind, "1") == 0 &&
		    read_text(s, name, arena_fmt(s->arena, CONSOLES "/%s/name", names[i])) && strstr(name, "frame buffer"))
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

/* "tty0 ttyS0": those that kernel messages and logins go to. */
static void add_serial(struct stakes *s)
{
	char text[TEXT_MAX], *at = text, *word;

	if (!read_text(s, text, TTYS "/console/active"))
		return;
	while ((word = strsep(&at, " ")) != NULL) {
		const char *path = str_starts(word, "ttyS") || str_starts(word, "ttyUSB") ? stake_path(s, TTYS, word) : NULL;

		if (path)
			stake_add(s, "console", path, arena_dup(s->arena, word), CONSOLE_REMEDY,
				  "%s -> %s is the host's serial console", arena_dup(s->arena, word),
				  path_function(path, s->arena));
	}
}

void stakes_console(struct stakes *s)
{
	add_screen(s);
	add_serial(s);
}
