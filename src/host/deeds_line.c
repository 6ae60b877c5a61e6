/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A deed, written again as a line that reads as the same: what a capture has in place of the line it was on. */
#include "host/deeds.h"

const char *deed_line(const struct deed *d, struct arena *a)
{
	const char *device = d->device ? d->device : "$unknown", *value = d->value ? d->value : "$unknown";

	switch (d->kind) {
	case DEED_REMOVE:
		return arena_fmt(a, "echo 1 > /sys/bus/pci/devices/%s/remove", device);
	case DEED_RESCAN:
		return "echo 1 > /sys/bus/pci/rescan";
	case DEED_UNBIND:
		return arena_fmt(a, "echo %s > /sys/bus/pci/devices/%s/driver/unbind", device, device);
	case DEED_BIND:
		return d->value ? arena_fmt(a, "echo %s > /sys/bus/pci/drivers/%s/bind", device, value) :
				  arena_fmt(a, "echo %s > /sys/bus/pci/drivers_probe", device);
	case DEED_NEW_ID:
		return arena_fmt(a, "echo %s > /sys/bus/pci/drivers/%s/new_id", device, value);
	case DEED_OVERRIDE:
		return arena_fmt(a, "echo %s > /sys/bus/pci/devices/%s/driver_override", value, device);
	case DEED_DRIVERCTL:
		return d->value ? arena_fmt(a, "driverctl set-override %s %s", device, value) :
				  arena_fmt(a, "driverctl unset-override %s", device);
	case DEED_RESET:
		return arena_fmt(a, "echo 1 > /sys/bus/pci/devices/%s/reset", device);
	case DEED_VFS:
		return arena_fmt(a, "echo %s > /sys/bus/pci/devices/%s/sriov_numvfs", value, device);
	case DEED_UNLOAD:
		return arena_fmt(a, "modprobe -r %s", value);
	case DEED_NETWORK:
	case DEED_RUNS:
		return value;
	case DEED_KINDS:
		break;
	}
	return "";
}
