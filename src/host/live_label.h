/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_LABEL_H
#define HANDOVER_LIVE_LABEL_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The provider label/ of the running kernel: what libblkid finds on a block device; see host.h for what it answers.
 * rest is the name behind "label/", as /sys/class/block has it ("nvme0n1p3"); root is the folder "/".
 *
 * It reads the disk, and so may block for as long as that takes.
 */

/* The length, NUL added. -ENOENT: nothing that is known, or no such device. -ENOTBLK: no block device. Else as the disk answers. */
ssize_t live_label_read(int root, const char *rest, char *buf, size_t size);

/* The same of anything that is open, a disk or its image. */
ssize_t live_label_probe(int fd, char *buf, size_t size);

#endif
