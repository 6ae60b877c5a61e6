/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/holders.h"
#include "core/stake.h"

#define DEVICES "sys/bus/pci/devices"
#define SHOWN_MAX 3	/* in one line */

/* Classes of sysfs whose entries are named as their nodes are. */
static const struct {
	const char *class;
	const char *folder;
	bool vfio;	/* of functions with a driver of vfio's, else of all others */
	bool usb;	/* of devices on USB too */
} classes[] = {
	{ "sys/class/vfio-dev", "dev/vfio/devices", true, false },
	{ "sys/class/drm", "dev/dri", false, false },
	{ "sys/class/sound", "dev/snd", false, false },
	{ "sys/class/i2c-dev", "dev", false, true },
};

struct search {
	struct host *host;
	struct arena *arena;
	struct holder_look *look;
	const char *only;	/* the function that is asked for, NULL: all */
	struct holders *found;
};

/* --- a process --------------------------------------------------------------------------------------------------- */

static bool is_known(const struct search *s, const struct holder *x)
{
	const char *function = path_function(x->path, s->arena);

	for (size_t i = 0; i < s->found->n; i++)
		if (str_same(s->found->list[i].process, x->process) &&
		    str_same(path_function(s->found->list[i].path, s->arena), function))
			return true;
	return false;
}

static void add(struct search *s, const struct holder *x)
{
	if (is_known(s, x))
		return;
	s->found->list = arena_grow(s->arena, s->found->list, s->found->n, sizeof(*x));
	s->found->list[s->found->n++] = *x;
}

static void add_node(struct search *s, const char *folder, const char *name, const char *path)
{
	const char *node = arena_fmt(s->arena, "%s/%s", folder, name);
	struct holder_process *list;
	struct holder x = { .node = arena_fmt(s->arena, "/%s", node), .path = path };
	size_t n;
	int code = holder_ask(s->look, node, &list, &n);

	for (size_t i = 0; i < n; i++) {
		x.process = list[i].text;
		x.remedy = list[i].remedy;
		x.guest = list[i].guest;
		x.unit = list[i].guest && str_starts(list[i].unit, "lxc/") ?
			 arena_fmt(s->arena, "pve-container@%u.service", x.guest) : list[i].unit;
		add(s, &x);
	}
	if (code < 0) {
		s->found->unknown = arena_grow(s->arena, s->found->unknown, s->found->n_unknown, sizeof(*s->found->unknown));
		s->found->unknown[s->found->n_unknown++] = (struct holder_unknown){ x.node, x.path, code };
	}
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
	char **names;
	size_t n;

	if (driver && str_starts(driver, "vfio")) {
		group = link_name(s, address, "iommu_group");
		if (group)
			add_node(s, "dev/vfio", group, address);
	} else if (driver && strcmp(driver, "nvidia") == 0 && holder_list(s->look, "dev", &names, &n) == 0) {
		for (size_t i = 0; i < n; i++)
			if (str_starts(names[i], "nvidia"))
				add_node(s, "dev", names[i], address);
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

void holders_read(struct holder_look *look, const char *address, struct holders *found)
{
	struct search s = { .host = look->host, .arena = look->arena, .look = look, .only = address, .found = found };
	char **names;
	size_t n;

	*found = (struct holders){ 0 };
	if (address)
		add_function(&s, address);
	else if (host_list(s.host, DEVICES, s.arena, &names, &n) == 0)
		for (size_t i = 0; i < n; i++)
			add_function(&s, names[i]);
	for (size_t class = 0; class < sizeof(classes) / sizeof(*classes); class++)
		if (host_list(s.host, classes[class].class, s.arena, &names, &n) == 0)
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
