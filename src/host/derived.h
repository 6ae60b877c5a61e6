/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_DERIVED_H
#define HANDOVER_DERIVED_H

#include "host/host.h"

/*
 * Names of the seam that are put together from the kernel's files, the same for every host: id/ADDRESS, group/ADDRESS
 * and usb/ADDRESS/HUB:PORT, as host.h has them. Nothing can be written to them, and none is a link.
 * ADDRESS is as sysfs writes it. Only host.c calls these, with names that are well-formed paths.
 */
bool derived_is(const char *name);

/*
 * Returns the value's length. -EINVAL: there can be no such name. -ENOENT: there is none on this host now.
 * -E2BIG: it does not fit.
 */
ssize_t derived_read(struct host *h, const char *name, char *buf, size_t size);

/*
 * Only usb/ADDRESS is a folder: the devices below all root hubs of a controller, without these themselves. It is
 * empty while no driver runs the controller. -ENOTDIR: it is a value.
 */
int derived_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n);

#endif
