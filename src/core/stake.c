/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/str.h"
#include "core/stake.h"
#include "core/yaml_text.h"

/* Volumes, mount points and commands are named by whoever makes them, and a terminal obeys some characters. */
static const char *plain(struct arena *a, const char *text)
{
	size_t size = strlen(text) + 1;
	char *shown = arena_alloc(a, size);

	text_show(text, shown, size);
	return shown;
}

void stake_add(struct stakes *s, const char *code, const char *path, const char *name, const char *remedy,
	       const char *what, ...)
{
	struct stake stake = { .code = code, .path = path, .name = name };
	va_list ap;

	va_start(ap, what);
	stake.what = plain(s->arena, arena_vfmt(s->arena, what, ap));
	va_end(ap);
	stake.remedy = remedy ? plain(s->arena, remedy) : NULL;
	s->list = arena_grow(s->arena, s->list, s->n, sizeof(stake));
	s->list[s->n++] = stake;
}

int stake_ask(struct stakes *s, const char *node, struct holder_process **list, size_t *n)
{
	s->look.host = s->host;
	s->look.arena = s->arena;
	return holder_ask(&s->look, node, list, n);
}

void stake_unasked(struct stakes *s, const char *node, const char *path, const char *name, int code)
{
	stake_add(s, "holders-unreadable", path, name, code == -EACCES ? "ask as root" : NULL,
		  "it is not known who has /%s open, which is on %s: %s", node, path_function(path, s->arena), strerror(-code));
}

void stake_holders(struct stakes *s, const char *node, const char *path, const char *name, struct holder_process **list,
		   size_t *n)
{
	int code = stake_ask(s, node, list, n);

	if (code < 0)
		stake_unasked(s, node, path, name, code);
}

bool path_is_on(const char *path, const char *device)
{
	bool port = str_is_usb_port(device);
	size_t n = strlen(device);

	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t length = strcspn(part, "/");

		if (n > 0 && length >= n && memcmp(part, device, n) == 0 && (length == n || (port && part[n] == '.')))
			return true;
		part += length;
	}
	return false;
}

bool stake_is_on(const struct stake *stake, const char *device)
{
	return path_is_on(stake->path, device);
}

bool stakes_ask(const struct stakes *s, const char *path)
{
	for (size_t i = 0; s->asked && i < s->n_asked; i++)
		if (path_is_on(path, s->asked[i]))
			return true;
	return !s->asked;
}

const char *path_function(const char *path, struct arena *a)
{
	const char *last = NULL;
	struct bdf bdf;

	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t length = strcspn(part, "/");
		const char *text = arena_dupn(a, part, length);

		if (bdf_parse(text, &bdf))
			last = text;
		part += length;
	}
	return last;
}

const char *path_usb(const char *path, struct arena *a)
{
	const char *last = NULL;

	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t length = strcspn(part, "/");
		const char *text = arena_dupn(a, part, length);

		if (str_is_usb_port(text))
			last = text;
		part += length;
	}
	return last;
}

/* The name in the ACPI tables of what has that folder; false: it has none. */
static bool acpi_path(const struct stakes *s, const char *folder, char buf[HOST_NAME_BYTES])
{
	return host_read(s->host, arena_fmt(s->arena, "%s/firmware_node/path", folder), buf, HOST_NAME_BYTES) > 0;
}

/*
 * The same of a thing, or of the nearest device it hangs on: since 6.5 there are two more between a serial port and its
 * device (drivers/tty/serial/serial_base_bus.c).
 */
static bool acpi_path_above(const struct stakes *s, const char *link, char buf[HOST_NAME_BYTES])
{
	const char *at = strstr(link, "devices/");
	char *folder = at ? arena_fmt(s->arena, "sys/%s", at) : NULL, *slash;

	while (folder && strcmp(folder, "sys/devices") != 0) {
		if (acpi_path(s, folder, buf))
			return true;
		slash = strrchr(folder, '/');
		*slash = '\0';
	}
	return false;
}

/* The function nearest above that name. */
static const char *function_above(const struct stakes *s, const char *name)
{
	const char *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < s->inventory->n; i++) {
		const char *address = s->inventory->functions[i].address;
		char own[HOST_NAME_BYTES];
		size_t n;

		if (!acpi_path(s, arena_fmt(s->arena, "sys/bus/pci/devices/%s", address), own))
			continue;
		n = strlen(own);
		if (n > longest && strncmp(name, own, n) == 0 && name[n] == '.') {
			longest = n;
			found = address;
		}
	}
	return found;
}

const char *stake_path(const struct stakes *s, const char *folder, const char *name)
{
	char link[HOST_NAME_BYTES * 2], acpi[HOST_NAME_BYTES];

	if (host_link(s->host, arena_fmt(s->arena, "%s/%s", folder, name), link, sizeof(link)) < 0)
		return NULL;
	if (path_function(link, s->arena))
		return arena_dup(s->arena, link);
	return acpi_path_above(s, link, acpi) ? function_above(s, acpi) : NULL;
}
