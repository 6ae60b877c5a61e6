/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_BLOCKS_H
#define HANDOVER_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "host/host.h"

/*
 * The block devices of a host, and which stands on which: partitions, and whatever the kernel has linked by holders/
 * and slaves/ (block/holder.c, bd_link_disk_holder(): device mapper, MD, bcache). Read once, const afterwards.
 */
struct block {
	const char *name;	/* as sysfs has it: "sda3"; '!' stands for the '/' of a node's name */
	const char *path;	/* the target of its link in sys/class/block */
	const char *number;	/* "8:3", "" if it has none */
	const char *shown;	/* as an administrator knows it: "pve-root"; its name, if device mapper has no other */
	const char *kind;	/* "lvm", "luks", "multipath", "raid1", "zvol"; NULL: a disk or a partition */
	const char *file;	/* what a loop device was made of, NULL: it is none */
	const char *btrfs;	/* the mounted btrfs it belongs to, by UUID; NULL: to none */
	const char *holder;	/* the first entry of holders/, NULL: nothing holds it */
	struct block *whole;	/* of a partition; NULL: it is none */
	struct block **below;	/* what it is made of */
	size_t n_below;
	bool mapper;		/* of device mapper: its node is /dev/mapper/SHOWN too */
	bool parted;		/* there are partitions on it */
	bool empty;		/* no medium in it */
};

struct blocks {
	struct block *list;	/* by name */
	size_t n;
};

/* -ENOENT: the host has no block devices at all. One that goes while it is read is left out. */
int blocks_read(struct host *h, struct arena *a, struct blocks *b);

struct block *blocks_by_name(const struct blocks *b, const char *name);
struct block *blocks_by_number(const struct blocks *b, const char *number);

/* By "/dev/sda3" or "/dev/mapper/pve-root"; NULL for other names that udev gives, too. */
struct block *blocks_by_node(const struct blocks *b, const char *node);

/*
 * The ways on which a device is reached in sysfs: its own path; with native multipath of NVMe, whose disks belong to a
 * virtual subsystem (drivers/nvme/host/multipath.c), one through each controller. None: they cannot be read.
 */
const char **block_paths(const struct block *b, struct host *h, struct arena *a, size_t *n);

#endif
