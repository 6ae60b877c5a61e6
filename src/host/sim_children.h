/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_CHILDREN_H
#define HANDOVER_SIM_CHILDREN_H

#include "base/error.h"
#include "host/host.h"

/*
 * What a driver makes below its PCI function, USB devices and their inputs above all, goes when it lets go of the
 * function and comes back when it takes it again. It is kept aside inside the function's own folder until then, so
 * it goes wherever that folder goes. Bus numbers stay the same, where a kernel may give others.
 *
 * path is the function's folder below sys/devices, resolved. PCI functions below it are not its driver's.
 */

/* Before the driver lets go: its link must still be there. */
void sim_children_leave(struct host *h, const char *path);

/* After a driver has taken the function: if it is the one whose children left, they are back. */
void sim_children_return(struct host *h, const char *path);

/*
 * A write to a resolved name: 0 or a negative errno; -ENOSYS if no rule here is about it. Zero in a USB device's
 * "authorized" takes away what drivers made below it, anything else brings it back (drivers/usb/core/hub.c,
 * usb_deauthorize_device(); seen on 6.1).
 */
int sim_children_write(struct host *h, const char *name, const char *value);

/* Derives the folders of the USB bus and of the input class from the whole tree. Fails as sim_settle() does. */
int sim_children_settle(struct host *h, struct error *err);

#endif
