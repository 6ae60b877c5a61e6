/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/holders.h"
#include "core/pveconf.h"
#include "core/stake.h"

#define DEVICES "sys/bus/pci/devices"
#define SHOWN_MAX 3	/* in one line */

/* Folders of nodes. */
enum folder { IN_DEV, IN_DRI, IN_SND, IN_VFIO, IN_VFIO_DEVICES, FOLDERS };
static const char *const folders[FOLDERS] = { "dev", "dev/dri", "dev/snd", "dev/vfio", "dev/vfio/devices" };

/* Classes of sysfs whose entries are named as their nodes are. */
static const struct {
	const char *class;
	enum folder folder;
	bool vfio;	/* of functions with a driver of vfio's, else of all others */
	bool usb;	/* of devices on USB too */
} classes[] = {
	{ "sys/class/vfio-dev", IN_VFIO_DEVICES, true, false },
	{ "sys/class/drm", IN_DRI, false, false },
	{ "sys/class/sound", IN_SND, false, false },
	{ "sys/class/i2c-dev", IN_DEV, false, true },
};

struct search {
	struct host *host;
	struct arena *arena;
	const char *only;	/* the function that is asked for, NULL: all */
	struct holders *found;
	struct {
		bool asked;
		char **names;
		size_t n;
	} open[FOLDERS];	/* nodes that somebody has open */
};

/* Asked once: it is a look through all processes. */
static void list_open(struct search *s, enum folder folder)
{
	if (s->open[folder].asked)
		return;
	s->open[folder].asked = true;
	if (host_list(s->host, arena_fmt(s->arena, "holder/%s", folders[folder]), s->arena, &s->open[folder].names,
		      &s->open[folder].n) < 0)
		s->open[folder].n = 0;
}

static bool is_open(struct search *s, enum folder folder, const char *name)
{
	list_open(s, folder);
	for (size_t i = 0; i < s->open[folder].n; i++)
		if (strcmp(s->open[folder].names[i], name) == 0)
			return true;
	return false;
}

/* --- a process --------------------------------------------------------------------------------------------------- */

/* The VM of "101.scope": qemu-server starts each in a scope of its number (PVE/QemuServer.pm, vm_start_nolock). */
static unsigned vm_of(const char *unit, struct arena *a)
{
	const char *dot = strchr(unit, '.');
	unsigned vmid;

	return dot && strcmp(dot, ".scope") == 0 && vmid_parse(arena_dupn(a, unit, (size_t)(dot - unit)), &vmid) ? vmid : 0;
}

static unsigned container_of_unit(const char *unit)
{
	unsigned ctid;

	return str_starts(unit, "lxc/") && vmid_parse(unit + strlen("lxc/"), &ctid) ? ctid : 0;
}

static void describe(struct search *s, struct holder *x, const char *process, const char *unit)
{
	struct arena *a = s->arena;
	unsigned vm = vm_of(unit, a), container = container_of_unit(unit);

	x->guest = vm ? vm : container;
	x->remedy = "end that process first";
	x->process = process;
	if (vm) {
		x->process = arena_fmt(a, "%s of VM %u (%s)", process, vm, unit);
		x->remedy = arena_fmt(a, "stop VM %u first", vm);
		x->unit = unit;
	} else if (container) {
		x->process = arena_fmt(a, "%s of container %u", process, container);
		x->remedy = arena_fmt(a, "stop container %u first", container);
		x->unit = arena_fmt(a, "pve-container@%u.service", container);
	} else if (strcmp(unit, "-") != 0) {
		x->process = arena_fmt(a, "%s of %s", process, unit);
		x->unit = unit;
		if (strstr(unit, ".service"))
			x->remedy = arena_fmt(a, "stop %s first", unit);
	}
}

static bool is_known(const struct search *s, const struct holder *x)
{
	const char *function = path_function(x->path, s->arena);

	for (size_t i = 0; i < s->found->n; i++)
		if (strcmp(s->found->list[i].process, x->process) == 0 &&
		    str_same(path_function(s->found->list[i].path, s->arena), function))
			return true;
	return false;
}

/* A line of holder/, "PID UNIT COMMAND". */
static void add_process(struct search *s, const char *node, const char *path, const char *line)
{
	char pid[16], unit[HOST_NAME_BYTES], command[64];
	struct holder x = { .node = node, .path = path };

	if (sscanf(line, "%15s %255s %63s", pid, unit, command) != 3)
		return;
	describe(s, &x, arena_fmt(s->arena, "process %s (%s)", pid, command), arena_dup(s->arena, unit));
	if (is_known(s, &x))
		return;
	s->found->list = arena_grow(s->arena, s->found->list, s->found->n, sizeof(x));
	s->found->list[s->found->n++] = x;
}

static void add_node(struct search *s, enum folder folder, const char *name, const char *path)
{
	const char *node = arena_fmt(s->arena, "%s/%s", folders[folder], name);
	char *text = arena_alloc(s->arena, HOST_VALUE_BYTES), *line;

	if (!is_open(s, folder, name) ||
	    host_read(s->host, arena_fmt(s->arena, "holder/%s", node), text, HOST_VALUE_BYTES) < 0)
		return;
	while ((line = strsep(&text, "\n")) != NULL)
		add_process(s, arena_fmt(s->arena, "/%s", node), path, line);
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */

static const char *link_name(struct search *s, const char *address, const char *file)
{
	char text[HOST_VALUE_BYTES];

	return host_read(s->host, arena_fmt(s->arena, DEVICES "/%s/%s", address, file), text, sizeof(text)) < 0 ?
	       NULL : arena_dup(s->arena, text);
}

/* Nodes that are named after the group, or after the driver. */
static void add_function(struct search *s, const char *address)
{
	const char *driver = link_name(s, address, "driver"), *group;

	if (driver && str_starts(driver, "vfio")) {
		group = link_name(s, address, "iommu_group");
		if (group)
			add_node(s, IN_VFIO, group, address);
	} else if (driver && strcmp(driver, "nvidia") == 0) {
		list_open(s, IN_DEV);
		for (size_t i = 0; i < s->open[IN_DEV].n; i++)
			if (str_starts(s->open[IN_DEV].names[i], "nvidia"))
				add_node(s, IN_DEV, s->open[IN_DEV].names[i], address);
	}
}

static void add_thing(struct search *s, size_t class, const char *name)
{
	char link[HOST_NAME_BYTES * 2];
	const char *function, *driver;

	if (host_link(s->host, arena_fmt(s->arena, "%s/%s", classes[class].class, name), link, sizeof(link)) < 0)
		return;
	function = path_function(link, s->arena);
	if (!function || (s->only && strcmp(function, s->only) != 0) || (!classes[class].usb && strstr(link, "/usb")))
		return;
	driver = link_name(s, function, "driver");
	if (driver && str_starts(driver, "vfio") == classes[class].vfio)
		add_node(s, classes[class].folder, name, arena_dup(s->arena, link));
}

void holders_read(struct host *h, const char *address, struct arena *a, struct holders *found)
{
	struct search s = { .host = h, .arena = a, .only = address, .found = found };
	char **names;
	size_t n;

	*found = (struct holders){ 0 };
	if (address)
		add_function(&s, address);
	else if (host_list(h, DEVICES, a, &names, &n) == 0)
		for (size_t i = 0; i < n; i++)
			add_function(&s, names[i]);
	for (size_t class = 0; class < sizeof(classes) / sizeof(*classes); class++)
		if (host_list(h, classes[class].class, a, &names, &n) == 0)
			for (size_t i = 0; i < n; i++)
				add_thing(&s, class, names[i]);
}

const char *holders_shown(const struct holders *found, struct arena *a)
{
	const char *text = "", *remedies = "";

	for (size_t i = 0; i < found->n && i < SHOWN_MAX; i++) {
		const struct holder *x = &found->list[i];

		text = arena_fmt(a, "%s%s%s is held by %s", text, i ? "; " : "", x->node, x->process);
		if (!strstr(remedies, x->remedy))
			remedies = arena_fmt(a, "%s; %s", remedies, x->remedy);
	}
	if (found->n > SHOWN_MAX)
		text = arena_fmt(a, "%s; and %zu more", text, found->n - SHOWN_MAX);
	return arena_fmt(a, "%s%s", text, remedies);
}
