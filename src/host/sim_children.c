/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/sim.h"
#include "host/sim_children.h"
#include "host/usbtree.h"

#define INPUTS "sys/class/input"

/*
 * Folders of a PCI function that are not its driver's: groups of attributes, and devices that the PCI core makes
 * (drivers/base/power/sysfs.c and wakeup_stats.c, drivers/pci/pcie/aspm.c).
 */
static const char *const own_folders[] = { "power", "link", "wakeup", "firmware_node", NULL };

static bool is_own(const char *folder)
{
	struct bdf bdf;

	for (const char *const *own = own_folders; *own; own++)
		if (strcmp(*own, folder) == 0)
			return true;
	/* A bus below, one that a driver has made too: its functions have more links than those known here. */
	return bdf_parse(folder, &bdf) || str_starts(folder, "pci");
}

/* Where the kernel links a folder to, below a bus or a class; false if nowhere that is known here. */
static bool link_of(const char *path, char link[HOST_NAME_BYTES])
{
	const char *folder = str_basename(path);
	static const char inputs[] = "/input/input";
	struct usb_name usb;
	uint64_t number;

	if (usb_name_parse(folder, &usb) != USB_NOTHING) {
		snprintf(link, HOST_NAME_BYTES, USB_DEVICES "/%s", folder);
		return true;
	}
	/* drivers/input/input.c, input_allocate_device(): "input%lu", in the folder of its class below its parent. */
	snprintf(link, HOST_NAME_BYTES, INPUTS "/%s", folder);
	return str_starts(folder, "input") && str_decimal(folder + strlen("input"), UINT32_MAX, &number) &&
	       folder - path > (ptrdiff_t)strlen("/input/") &&
	       str_starts(folder - strlen("/input/"), inputs);
}

static void make_link(struct host *h, const char *link, const char *path)
{
	char target[HOST_NAME_BYTES * 2] = "";

	for (const char *s = strchr(link, '/') + 1; (s = strchr(s, '/')) != NULL; s++)
		strcat(target, "../");
	strcat(target, path + strlen("sys/"));
	sim_set_link(h, link, target);
}

/* Every folder from path down that stands on the USB bus or in the input class is linked there, or no longer. */
static void link_below(struct host *h, struct arena *a, const char *path, bool there)
{
	char link[HOST_NAME_BYTES], **names;
	size_t n;

	if (host_link(h, path, link, sizeof(link)) != -EINVAL || host_list(h, path, a, &names, &n) < 0)
		return;
	if (link_of(path, link) && there)
		make_link(h, link, path);
	else if (link_of(path, link))
		sim_remove(h, link);
	for (size_t i = 0; i < n; i++)
		link_below(h, a, arena_fmt(a, "%s/%s", path, names[i]), there);
}

static bool is_folder(struct host *h, struct arena *a, const char *path)
{
	char link[HOST_NAME_BYTES], **names;
	size_t n;

	return host_link(h, path, link, sizeof(link)) == -EINVAL && host_list(h, path, a, &names, &n) == 0;
}

static void link_children(struct host *h, struct arena *a, const char *path, bool there, const char *aside)
{
	char **names;
	size_t n;

	if (host_list(h, path, a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *child = arena_fmt(a, "%s/%s", path, names[i]);

		if (is_own(names[i]) || !is_folder(h, a, child))
			continue;
		link_below(h, a, child, there);
		if (aside)
			sim_set_aside(h, child, aside);
	}
}

void sim_children_leave(struct host *h, const char *path)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char driver[HOST_NAME_BYTES];

	if (host_read(h, arena_fmt(a, "%s/driver", path), driver, sizeof(driver)) >= 0)
		link_children(h, a, path, false, driver);
}

/* drivers/usb/core/usb.c, usb_alloc_dev(): a device that is found is let in, whether it was shut out before or not. */
static void let_in_below(struct host *h, struct arena *a, const char *path)
{
	char link[HOST_NAME_BYTES], **names;
	struct usb_name usb;
	size_t n;

	if (host_link(h, path, link, sizeof(link)) != -EINVAL)
		return;
	if (usb_name_parse(str_basename(path), &usb) != USB_NOTHING && host_has(h, arena_fmt(a, "%s/authorized", path))) {
		sim_set(h, arena_fmt(a, "%s/authorized", path), "1");
		sim_put_back(h, path, "authorized");
	}
	if (host_list(h, path, a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (!is_own(names[i]))
			let_in_below(h, a, arena_fmt(a, "%s/%s", path, names[i]));
}

void sim_children_return(struct host *h, const char *path)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char driver[HOST_NAME_BYTES];

	if (host_read(h, arena_fmt(a, "%s/driver", path), driver, sizeof(driver)) < 0)
		return;
	sim_put_back(h, path, driver);
	let_in_below(h, a, path);
	link_children(h, a, path, true, NULL);
}

int sim_children_write(struct host *h, const char *name, const char *value)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *path = arena_fmt(a, "%.*s", (int)(str_basename(name) - name - 1), name);
	struct usb_name usb;
	uint64_t number;

	if (strcmp(str_basename(name), "authorized") != 0 || usb_name_parse(str_basename(path), &usb) == USB_NOTHING)
		return -ENOSYS;
	if (!str_decimal(value, UINT32_MAX, &number))
		return -EINVAL;
	sim_set(h, name, number ? "1" : "0");
	if (number) {
		sim_put_back(h, path, "authorized");
		link_children(h, a, path, true, NULL);
	} else {
		link_children(h, a, path, false, "authorized");
	}
	return 0;
}

static bool may_be_linked(const char *name)
{
	struct usb_name usb;

	return usb_name_parse(name, &usb) != USB_NOTHING || str_starts(name, "input");
}

/* What is being settled. */
struct settling {
	struct host *h;
	char twice[HOST_NAME_BYTES];	/* stands in two folders; "": nothing does */
};

static void settle_path(void *arg, const char *path)
{
	struct settling *s = arg;
	char link[HOST_NAME_BYTES];

	if (!link_of(path, link))
		return;
	if (host_has(s->h, link))
		snprintf(s->twice, sizeof(s->twice), "%s", str_basename(path));
	make_link(s->h, link, path);
}

int sim_children_settle(struct host *h, struct error *err)
{
	struct settling s = { .h = h };

	/* These folders hold what the tree has, whatever else a text says. */
	sim_remove(h, USB_DEVICES);
	sim_remove(h, INPUTS);
	sim_each_folder(h, "sys/devices", may_be_linked, settle_path, &s);
	return s.twice[0] ? error_set(err, -EEXIST, "'%s' stands in two folders", s.twice) : 0;
}
