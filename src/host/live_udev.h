/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_UDEV_H
#define HANDOVER_LIVE_UDEV_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The provider udev/ of the running host, from udev's database; see host.h for what it answers. rest is what stands
 * behind "udev/": an address. Nothing is asked of the daemon; but a device's uevent is read, see reader.h.
 */
ssize_t live_udev_read(const char *rest, char *buf, size_t size);

#endif
