/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/sim.h"
#include "host/sim_hotplug.h"

#define DEVICES "sys/bus/pci/devices"
#define GROUPS "sys/kernel/iommu_groups"
#define BUSES "sys/class/pci_bus"
#define REMOVED "removed"		/* why a folder is aside */
#define UNMADE "unmade" /* a virtual one's: no scan finds it (drivers/pci/probe.c, pci_bus_generic_read_dev_vendor_id()) */
#define HEADER_TYPE 0x0e
#define HEADER_MULTIFUNCTION 0x80
#define LIFE_FIRST 3000
#define LIFE_STEP 50

/* One write being obeyed. */
struct hotplug {
	struct host *h;
	struct sim_pci *pci;
	struct arena *a;	/* for names; freed when the write is done */
};

static const char *name_of(struct hotplug *x, const char *folder, const char *a, const char *b)
{
	return arena_fmt(x->a, "%s/%s%s%s", folder, a, b ? "/" : "", b ? b : "");
}

static bool get(struct hotplug *x, const char *name, char *buf, size_t size)
{
	return host_read(x->h, name, buf, size) >= 0;
}

/* A link from one name below sys/ to another. */
static void link_to(struct hotplug *x, const char *from, const char *to)
{
	char target[HOST_NAME_BYTES * 2] = "";

	for (const char *s = strchr(from, '/') + 1; (s = strchr(s, '/')) != NULL; s++)
		strcat(target, "../");
	strcat(target, to + strlen("sys/"));
	sim_set_link(x->h, from, target);
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static unsigned header_of(struct hotplug *x, const char *path)
{
	char config[HOST_VALUE_BYTES * 2];
	ssize_t n = host_read_bytes(x->h, name_of(x, path, "config", NULL), config, sizeof(config));

	return n > HEADER_TYPE ? (unsigned char)config[HEADER_TYPE] : 0;
}

/* A function alone in its group although its slot has others is isolated in a way its header does not tell: by ACS. */
static bool has_acs(struct hotplug *x, const char *path)
{
	unsigned char c[HOST_VALUE_BYTES * 2];
	ssize_t n = host_read_bytes(x->h, name_of(x, path, "config", NULL), (char *)c, sizeof(c));

	/* PCI_EXT_CAP_ID_ACS 0x0d, control at 6; all of REQ_ACS_FLAGS (drivers/iommu/iommu.c) */
	for (ssize_t at = 0x100; at + 8 <= n && at;) {
		unsigned id = c[at] | (unsigned)c[at + 1] << 8;

		if (id == 0x0d)
			return (c[at + 6] & 0x1d) == 0x1d;
		at = (c[at + 2] >> 4 | c[at + 3] << 4) & 0xffc;
	}
	return false;
}

static long life_of(struct hotplug *x, const char *bdf)
{
	char text[32];

	return get(x, name_of(x, "life", bdf, NULL), text, sizeof(text)) ? strtol(text, NULL, 10) : 0;
}

static const char *group_of(struct hotplug *x, const char *path, char buf[32])
{
	return get(x, name_of(x, path, "iommu_group", NULL), buf, 32) ? buf : NULL;
}

static bool same_slot(const char *a, const char *b)
{
	size_t n = strcspn(a, ".");

	return strncmp(a, b, n) == 0 && b[n] == '.' && strcmp(a, b) != 0;
}

/*
 * drivers/iommu/iommu.c, get_pci_function_alias_group(): the group of the first function of the slot in the bus's list
 * that has no ACS. New functions go to the end of that list, so their lives tell its order.
 */
static const char *sibling_group(struct hotplug *x, const char *bdf, char buf[32])
{
	char **names, first[BDF_TEXT_MAX] = "";
	long life = 0;
	size_t n;

	if (host_list(x->h, DEVICES, x->a, &names, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *path = name_of(x, DEVICES, names[i], NULL);

		if (!same_slot(bdf, names[i]) || has_acs(x, path) || (life && life_of(x, names[i]) > life))
			continue;
		life = life_of(x, names[i]);
		snprintf(first, sizeof(first), "%s", names[i]);
	}
	return *first ? group_of(x, name_of(x, DEVICES, first, NULL), buf) : NULL;
}

/* drivers/iommu/iommu.c, iommu_group_alloc(): the lowest number that is free. */
static const char *new_group(struct hotplug *x, char buf[32])
{
	for (unsigned i = 0;; i++) {
		snprintf(buf, 32, "%u", i);
		if (!host_has(x->h, name_of(x, GROUPS, buf, NULL)))
			return buf;
	}
}

/*
 * drivers/iommu/iommu.c, pci_device_group(), asked while the function is added: only its own header counts then
 * (drivers/pci/probe.c, pci_scan_slot(), sets dev->multifunction afterwards).
 */
static void join_group(struct hotplug *x, const char *bdf, const char *path)
{
	char buf[32], mark[32];
	const char *group = NULL;

	if (!get(x, name_of(x, path, "sim_group", NULL), mark, sizeof(mark)) || strcmp(mark, "none") == 0)
		return;
	if (strcmp(mark, "bridge") == 0)
		group = group_of(x, arena_fmt(x->a, "%.*s", (int)(str_basename(path) - path - 1), path), buf);
	else if ((header_of(x, path) & HEADER_MULTIFUNCTION) && !has_acs(x, path))
		group = sibling_group(x, bdf, buf);
	if (!group)
		group = new_group(x, buf);
	link_to(x, name_of(x, path, "iommu_group", NULL), name_of(x, GROUPS, group, NULL));
	link_to(x, name_of(x, name_of(x, GROUPS, group, "devices"), bdf, NULL), path);
}

static void leave_group(struct hotplug *x, const char *bdf, const char *path)
{
	char buf[32], **names;
	const char *group = group_of(x, path, buf), *members;
	size_t n;

	if (!group)
		return;
	members = name_of(x, GROUPS, group, "devices");
	sim_remove(x->h, name_of(x, members, bdf, NULL));
	sim_remove(x->h, name_of(x, path, "iommu_group", NULL));
	if (host_list(x->h, members, x->a, &names, &n) == 0 && n == 0)
		sim_remove(x->h, name_of(x, GROUPS, group, NULL));
}

/* --- leaving and being found -------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	struct bdf x, y;

	bdf_parse(*(char *const *)a, &x);
	bdf_parse(*(char *const *)b, &y);
	return bdf_compare(&x, &y);
}

/* The functions that stand in a folder, by address. */
static size_t functions_in(struct hotplug *x, const char *folder, char ***names)
{
	struct bdf bdf;
	size_t all, n = 0;

	if (host_list(x->h, folder, x->a, names, &all) < 0)
		return 0;
	for (size_t i = 0; i < all; i++)
		if (bdf_parse((*names)[i], &bdf))
			(*names)[n++] = (*names)[i];
	if (n)
		qsort(*names, n, sizeof(**names), by_address);
	return n;
}

/* Each bus has a link in a class, from drivers/pci/probe.c, pci_alloc_child_bus(), to remove.c, pci_remove_bus(). */
static void link_bus_below(struct hotplug *x, const char *path, bool there)
{
	const char *folder = name_of(x, path, "pci_bus", NULL);
	char **names;
	size_t n;

	if (host_list(x->h, folder, x->a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (there)
			link_to(x, name_of(x, BUSES, names[i], NULL), name_of(x, folder, names[i], NULL));
		else
			sim_remove(x->h, name_of(x, BUSES, names[i], NULL));
	}
}

/* drivers/pci/remove.c, pci_stop_bus_device(): what is behind a bridge first, the last found first. */
static void stop(struct hotplug *x, const char *path)
{
	const char *bdf = str_basename(path);
	char **names;

	for (size_t i = functions_in(x, path, &names); i-- > 0;)
		stop(x, name_of(x, path, names[i], NULL));
	sim_pci_detach(x->pci, bdf);
	leave_group(x, bdf, path);
	link_bus_below(x, path, false);
	sim_remove(x->h, name_of(x, DEVICES, bdf, NULL));
	sim_remove(x->h, name_of(x, "life", bdf, NULL));
	if (host_has(x->h, name_of(x, "udev", bdf, NULL)))
		sim_set(x->h, name_of(x, path, "sim_udev", NULL), "");
	sim_remove(x->h, name_of(x, "udev", bdf, NULL));
}

static void set_if_there(struct hotplug *x, const char *path, const char *file, const char *text)
{
	const char *name = name_of(x, path, file, NULL);

	if (host_has(x->h, name))
		sim_set(x->h, name, text);
}

static void next_life(struct hotplug *x, const char *bdf)
{
	char text[32];
	long last = LIFE_FIRST;

	if (get(x, "sim/last_life", text, sizeof(text)))
		last = strtol(text, NULL, 10);
	snprintf(text, sizeof(text), "%ld", last + LIFE_STEP);
	sim_set(x->h, "sim/last_life", text);
	sim_set(x->h, name_of(x, "life", bdf, NULL), text);
}

static bool has_power_management(struct hotplug *x, const char *path)
{
	unsigned char c[HOST_VALUE_BYTES * 2];
	ssize_t n = host_read_bytes(x->h, name_of(x, path, "config", NULL), (char *)c, sizeof(c));
	int left = 48;

	/* The list of capabilities begins at 0x34; 0x01 is power management (include/uapi/linux/pci_regs.h). */
	for (unsigned at = n > 0x40 ? c[0x34] & 0xfcu : 0; at >= 0x40 && (ssize_t)at + 1 < n && left--; at = c[at + 1] & 0xfcu)
		if (c[at] == 0x01)
			return true;
	return false;
}

/* What the kernel sets anew: drivers/pci/probe.c and pci-sysfs.c; power/control: drivers/pci/pci.c, pci_pm_init(). */
static void add(struct hotplug *x, const char *path)
{
	const char *bdf = str_basename(path);
	char methods[HOST_VALUE_BYTES];

	next_life(x, bdf);
	link_to(x, name_of(x, DEVICES, bdf, NULL), path);
	set_if_there(x, path, "driver_override", "(null)");
	set_if_there(x, path, "power/control", "on");
	/* Only what has the power management capability may: pci_pm_init(). */
	set_if_there(x, path, "d3cold_allowed", has_power_management(x, path) ? "1" : "0");
	set_if_there(x, path, "sriov_numvfs", "0");
	if (get(x, name_of(x, path, "sim_reset_method", NULL), methods, sizeof(methods)))
		set_if_there(x, path, "reset_method", methods);
	if (host_has(x->h, name_of(x, path, "sim_udev", NULL)))
		sim_set(x->h, name_of(x, "udev", bdf, NULL), "done");
	join_group(x, bdf, path);
	link_bus_below(x, path, true);
}

/*
 * drivers/pci/probe.c, pci_rescan_bus(): all functions of the bus and of those below are added first (so their groups
 * are known), then drivers meet them (pci_bus_add_devices()). Function 0 always answers here.
 */
static void scan(struct hotplug *x, const char *folder)
{
	char **names;
	size_t n;

	sim_put_back(x->h, folder, REMOVED);
	n = functions_in(x, folder, &names);
	for (size_t i = 0; i < n; i++)
		if (!host_has(x->h, name_of(x, DEVICES, names[i], NULL)))
			add(x, name_of(x, folder, names[i], NULL));
	for (size_t i = 0; i < n; i++)
		scan(x, name_of(x, folder, names[i], NULL));
}

static void meet_drivers(struct hotplug *x, const char *folder)
{
	char **names, driver[64];
	size_t n = functions_in(x, folder, &names);

	for (size_t i = 0; i < n; i++) {
		const char *path = name_of(x, folder, names[i], NULL), *new = name_of(x, path, "sim_met", NULL);
		char text[32];

		/* One that was there already and has no driver is not asked again. */
		if (!get(x, new, text, sizeof(text)) || strtol(text, NULL, 10) != life_of(x, names[i])) {
			snprintf(text, sizeof(text), "%ld", life_of(x, names[i]));
			sim_set(x->h, new, text);
			if (!get(x, name_of(x, path, "driver", NULL), driver, sizeof(driver)))
				sim_pci_probe(x->pci, names[i]);
		}
		meet_drivers(x, path);
	}
}

static void rescan(struct hotplug *x, const char *folder)
{
	scan(x, folder);
	meet_drivers(x, folder);
}

static void rescan_all(struct hotplug *x)
{
	char **names;
	size_t n;

	if (host_list(x->h, "sys/devices", x->a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (str_starts(names[i], "pci"))
			rescan(x, name_of(x, "sys/devices", names[i], NULL));
}

/* --- writes ------------------------------------------------------------------------------------------------------- */

static const char *folder_of(struct hotplug *x, const char *name)
{
	return arena_fmt(x->a, "%.*s", (int)(str_basename(name) - name - 1), name);
}

static int obey(struct hotplug *x, const char *name)
{
	const char *folder = folder_of(x, name), *above = folder_of(x, folder);
	struct bdf bdf;

	if (strcmp(str_basename(name), "remove") == 0) {
		stop(x, folder);
		sim_set_aside(x->h, folder, host_has(x->h, name_of(x, folder, "physfn", NULL)) ? UNMADE : REMOVED);
	} else if (strcmp(name, "sys/bus/pci/rescan") == 0) {
		rescan_all(x);
	} else if (strcmp(str_basename(above), "pci_bus") == 0) {
		/* .../pci0000:00/pci_bus/0000:00/rescan */
		rescan(x, folder_of(x, above));
	} else if (bdf_parse(str_basename(folder), &bdf)) {
		/* The bus the function is on, and not the one below it (drivers/pci/pci-sysfs.c, dev_rescan_store()). */
		rescan(x, above);
	}
	return 0;
}

/* lib/kstrtox.c, kstrtoul() with base 0: digits as in C, and one '+' before them. */
static bool number_of(const char *text, unsigned long *number)
{
	char *end;

	text += *text == '+';
	if (!strchr("0123456789", *text) || !*text)
		return false;
	errno = 0;
	*number = strtoul(text, &end, 0);
	return errno == 0 && *end == '\0';
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

/* drivers/pci/pci.c, reset_method_store(): some of those it has, or none; "default" is all of them. */
static int write_reset_method(struct hotplug *x, const char *name, const char *value)
{
	char all[HOST_VALUE_BYTES], *at = arena_dup(x->a, value), *word;
	const char *methods = "";

	if (!get(x, name_of(x, folder_of(x, name), "sim_reset_method", NULL), all, sizeof(all)))
		return -EINVAL;
	if (strcmp(value, "default") == 0) {
		sim_set(x->h, name, all);
		return 0;
	}
	while ((word = strsep(&at, " ")) != NULL) {
		if (!*word)
			continue;
		if (!has_word(all, word))
			return -EINVAL;
		methods = arena_fmt(x->a, "%s%s%s", methods, *methods ? " " : "", word);
	}
	sim_set(x->h, name, methods);
	return 0;
}

static int write_d3cold(struct hotplug *x, const char *name, const char *value)
{
	unsigned long number;

	if (!number_of(value, &number))
		return -EINVAL;
	sim_set(x->h, name, number ? "1" : "0");
	return 0;
}

int sim_hotplug_write(struct host *h, struct sim_pci *pci, const char *name, const char *value)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct hotplug x = { h, pci, a };
	const char *file = str_basename(name);
	unsigned long number;

	if (strcmp(file, "reset_method") == 0)
		return write_reset_method(&x, name, value);
	if (strcmp(file, "d3cold_allowed") == 0)
		return write_d3cold(&x, name, value);
	if (strcmp(file, "remove") != 0 && strcmp(file, "rescan") != 0)
		return -ENOSYS;
	/* Zero is taken, and does nothing. */
	if (!number_of(value, &number))
		return -EINVAL;
	return number ? obey(&x, name) : 0;
}

/* --- settling ----------------------------------------------------------------------------------------------------- */

/*
 * Kept with the function, for when it is found again: whether its group is its bridge's, its own to choose, or none;
 * and the reset methods it has by nature.
 */
static void settle_function(struct hotplug *x, const char *path)
{
	char group[32], above[32], methods[HOST_VALUE_BYTES];
	const char *bdf = str_basename(path), *mark = "none", *parent = folder_of(x, path);
	struct bdf ignored;

	if (group_of(x, path, group)) {
		mark = "own";
		if (bdf_parse(str_basename(parent), &ignored) && group_of(x, parent, above) && strcmp(group, above) == 0)
			mark = "bridge";
	}
	sim_set(x->h, name_of(x, path, "sim_group", NULL), mark);
	if (get(x, name_of(x, path, "reset_method", NULL), methods, sizeof(methods)))
		sim_set(x->h, name_of(x, path, "sim_reset_method", NULL), methods);
	sim_set(x->h, name_of(x, path, "remove", NULL), "");
	sim_set(x->h, name_of(x, path, "rescan", NULL), "");
	next_life(x, bdf);
	sim_set(x->h, name_of(x, path, "sim_met", NULL), arena_fmt(x->a, "%ld", life_of(x, bdf)));
}

static void settle_bus(struct hotplug *x, const char *folder, const char *bdf)
{
	char bus[BDF_TEXT_MAX];
	const char *path;

	snprintf(bus, sizeof(bus), "%.*s", (int)(strrchr(bdf, ':') - bdf), bdf);
	path = name_of(x, name_of(x, folder, "pci_bus", NULL), bus, NULL);
	sim_set(x->h, name_of(x, path, "rescan", NULL), "");
	link_to(x, name_of(x, BUSES, bus, NULL), path);
}

static void settle_folder(struct hotplug *x, const char *folder)
{
	char **names;
	size_t n = functions_in(x, folder, &names);

	for (size_t i = 0; i < n; i++) {
		settle_function(x, name_of(x, folder, names[i], NULL));
		settle_bus(x, folder, names[i]);
		settle_folder(x, name_of(x, folder, names[i], NULL));
	}
}

void sim_hotplug_settle(struct host *h)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct hotplug x = { h, NULL, a };
	char **names;
	size_t n;

	sim_set(h, "sys/bus/pci/rescan", "");
	if (host_list(h, "sys/devices", a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (str_starts(names[i], "pci"))
			settle_folder(&x, name_of(&x, "sys/devices", names[i], NULL));
}
