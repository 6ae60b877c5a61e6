/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-device.h>
#include <unistd.h>

#include "base/str.h"
#include "host/live_udev.h"

#define UDEV_RUNS "/run/udev/control"	/* its socket; src/udev/udev-ctrl.c */

/* 1: its rules have been applied, 0: not yet; -ENODEV: there is no such device. */
static int is_done(sd_device *d)
{
	int done = sd_device_get_is_initialized(d);

	return done == -ENOENT ? 0 : done;
}

/* The network interfaces of a function, whose names its rules give. */
static int are_children_done(sd_device *d)
{
	int done = 1;

	for (sd_device *child = sd_device_get_child_first(d, NULL); child && done > 0;
	     child = sd_device_get_child_next(d, NULL)) {
		const char *subsystem = NULL;

		if (sd_device_get_subsystem(child, &subsystem) >= 0 && str_same(subsystem, "net"))
			done = is_done(child);
	}
	return done;
}

ssize_t live_udev_read(const char *rest, char *buf, size_t size)
{
	sd_device *d = NULL;
	struct bdf bdf;
	char path[64];
	int done, n;

	if (!bdf_parse(rest, &bdf))
		return -EINVAL;
	if (access(UDEV_RUNS, F_OK) < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.40s", rest);
	done = sd_device_new_from_syspath(&d, path);
	if (done < 0)
		return done == -ENODEV ? -ENOENT : done;
	done = is_done(d);
	if (done > 0)
		done = are_children_done(d);
	sd_device_unref(d);
	if (done < 0)
		return done == -ENODEV ? -ENOENT : done;
	n = snprintf(buf, size, "%s", done ? "done" : "pending");
	return (size_t)n < size ? n : -E2BIG;
}
