/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_NIC_H
#define HANDOVER_LIVE_NIC_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The provider nic/ of the running kernel: sysfs tells which interface a function has, rtnetlink the rest; see host.h
 * for what they answer. rest is the name behind "nic/", "0000:00:1f.6/mtu"; root is the folder "/".
 *
 * Both may block as rtnl.h says, and live_nic_read() on the device's lock besides. Of several interfaces of a function
 * the first by name counts; the second is among what is loose.
 */

/* The length, NUL added. -ENOENT: absent. -E2BIG: it does not fit. */
ssize_t live_nic_read(int root, const char *rest, char *buf, size_t size);

/*
 * The same for questions of which one follows the other at once: an interface that was found for one is not looked for
 * again for the next, until it is forgotten. NULL: out of memory.
 */
struct live_nic;
struct live_nic *live_nic_new(int root);
ssize_t live_nic_ask(struct live_nic *n, const char *rest, char *buf, size_t size);
void live_nic_forget(struct live_nic *n);

/*
 * -EINVAL: the value is none for this name. -ENODEV: what shall be the master is no bridge or bond, or is not there. -EACCES:
 * not to be written. -ENOENT: no such name. Else as the kernel has it. VLANs are removed and added range by range:
 * after a failure some may be changed.
 */
int live_nic_write(int root, const char *rest, const char *value);

#endif
