/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/sim.h"
#include "host/sim_holder.h"

#define DEVICES "sys/bus/pci/devices"
#define CONTAINER "pve-container@"

/* --- what would hang --------------------------------------------------------------------------------------------- */

/* The function that a write takes from its driver; "" if it takes none. */
static void function_of(const char *name, const char *value, char address[BDF_TEXT_MAX])
{
	const char *file = str_basename(name), *start, *end;

	*address = '\0';
	if (strcmp(file, "unbind") == 0) {
		snprintf(address, BDF_TEXT_MAX, "%s", value);
	} else if (strcmp(file, "remove") == 0 && file != name) {
		end = start = file - 1;
		while (start > name && start[-1] != '/')
			start--;
		snprintf(address, BDF_TEXT_MAX, "%.*s", (int)(end - start), start);
	}
}

static bool is_held(struct host *h, const char *address, struct arena *a)
{
	char group[32], **names;
	size_t n;

	if (host_read(h, arena_fmt(a, DEVICES "/%s/iommu_group", address), group, sizeof(group)) > 0 &&
	    host_has(h, arena_fmt(a, "holder/dev/vfio/%s", group)))
		return true;
	if (host_list(h, arena_fmt(a, DEVICES "/%s/vfio-dev", address), a, &names, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (host_has(h, arena_fmt(a, "holder/dev/vfio/devices/%s", names[i])))
			return true;
	return false;
}

bool sim_holder_hangs(struct host *h, const char *name, const char *value)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char address[BDF_TEXT_MAX], driver[64];
	struct bdf bdf;

	function_of(name, value, address);
	return bdf_parse(address, &bdf) &&
	       host_read(h, arena_fmt(a, DEVICES "/%s/driver", address), driver, sizeof(driver)) > 0 &&
	       str_starts(driver, "vfio") && is_held(h, address, a);
}

/* --- what ends --------------------------------------------------------------------------------------------------- */

/* "101.scope" of "4711 101.scope kvm". */
static bool is_of(const char *line, const char *unit)
{
	const char *at = strchr(line, ' ');
	size_t n = strlen(unit);

	return at && strncmp(at + 1, unit, n) == 0 && at[1 + n] == ' ';
}

static void end_in(struct host *h, const char *node, const char *unit, struct arena *a)
{
	char text[HOST_VALUE_BYTES], *at = text, *line;
	const char *left = "";

	if (host_read(h, node, text, sizeof(text)) < 0)
		return;
	while ((line = strsep(&at, "\n")) != NULL)
		if (!is_of(line, unit))
			left = arena_fmt(a, "%s%s%s", left, *left ? "\n" : "", line);
	if (*left)
		sim_set(h, node, left);
	else
		sim_remove(h, node);
}

static void end_below(struct host *h, const char *folder, const char *unit, struct arena *a)
{
	char **names;
	size_t n;

	if (host_list(h, folder, a, &names, &n) < 0) {
		end_in(h, folder, unit, a);
		return;
	}
	for (size_t i = 0; i < n; i++)
		end_below(h, arena_fmt(a, "%s/%s", folder, names[i]), unit, a);
}

void sim_holder_stop(struct host *h, const char *unit)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t digits = strlen(CONTAINER);

	if (str_starts(unit, CONTAINER))
		unit = arena_fmt(a, "lxc/%.*s", (int)strcspn(unit + digits, "."), unit + digits);
	end_below(h, "holder", unit, a);
}
