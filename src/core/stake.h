/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STAKE_H
#define HANDOVER_STAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"
#include "core/holder.h"
#include "core/inventory.h"
#include "host/host.h"

/*
 * A stake is one thing the host stands on, and where that hangs: a disk with the root file system on it, a network card
 * under the bridge that carries the default route, the screen with the host's console. Whoever takes a device away asks
 * for the stakes on it first. All are read from the host, and each brings its evidence; what cannot be read is no
 * stake, but for what says so.
 */
struct stake {
	const char *code;	/* of the finding it becomes: "root-disk", "management-nic" */
	const char *path;	/* of the thing in sysfs, as a link leads there: it hangs on every device on the way */
	const char *name;	/* the thing itself, as a policy names it: "sda", "eno1", "watchdog0" */
	const char *what;	/* the evidence: "sda3 -> 0000:00:17.0 holds pool rpool" */
	const char *remedy;	/* what to do instead, NULL if it goes without saying */
	const char *unit;	/* of systemd: once it is stopped, this is no stake any more; NULL: none */
	/* Of what several disks hold together: "sda3" and "pool rpool, which is not imported". Else NULL. */
	const char *member, *holds;
};

struct stakes {
	struct host *host;	/* to be read only */
	const struct inventory *inventory;
	struct arena *arena;
	/*
	 * What is asked about: functions by address, USB devices by name. Of others, disks are not waited for, so that
	 * their stakes are not complete. NULL: all there are.
	 */
	const char *const *asked;
	size_t n_asked;
	/* filled in: */
	struct stake *list;
	size_t n;
	struct holder_look look;	/* so that whoever has nodes open is looked for once */
};

/*
 * Adds one. path and name are kept, not copied. what is a format; what of it and of remedy cannot be seen, or a terminal
 * obeys, becomes '?' (text_show()).
 */
void stake_add(struct stakes *s, const char *code, const char *path, const char *name, const char *remedy,
	       const char *what, ...) __attribute__((format(printf, 6, 7), nonnull(1, 2, 3, 4, 6)));

/*
 * All stakes_...() together wait no longer than that for disks and processes, and for one more read (READ_MS,
 * host/reader.h) of each: what is not known by then is told as such.
 */
#define STAKES_LABELS_MS 15000
#define STAKES_MS (STAKES_LABELS_MS + HOLDER_ASK_MS)

/* Whether it hangs on that: a PCI function by address, or a USB device as sysfs calls it ("1-2.1"). */
bool stake_is_on(const struct stake *stake, const char *device);

/* The same of any path of sysfs. What is behind a hub hangs on the port of the hub: "1-2.1" on "1-2". */
bool path_is_on(const char *path, const char *device);
/* Whether something asked about is on the way to what has that path. */
bool stakes_ask(const struct stakes *s, const char *path);

/* The last PCI function on a path of sysfs ("0000:00:17.0"), or NULL: there is none, it is a virtual device. */
const char *path_function(const char *path, struct arena *a);

/* The last USB device on it ("1-2.1"), or NULL. */
const char *path_usb(const char *path, struct arena *a);

/*
 * Where something of a class hangs ("sys/class/tty", "ttyS0"): what its link leads to if that goes through a PCI function;
 * else the function by whose name in the ACPI tables it stands, as a serial port below the LPC bridge does ("\_SB_.PCI0.LPCB"
 * and "\_SB_.PCI0.LPCB.UAR1": firmware_node/path, drivers/acpi/device_sysfs.c). NULL: it hangs on no function.
 */
const char *stake_path(const struct stakes *s, const char *folder, const char *name);

/*
 * What the disks carry, through partitions, LVM, LUKS, MD, multipath, ZFS and btrfs: a stake for each disk below.
 *   root-disk        /, /boot, /boot/efi, /usr, /var or swap is on it, or a boot partition that Proxmox keeps for itself
 *                    (/etc/kernel/proxmox-boot-uuids: proxmox-boot-tool)
 *   storage-in-use   something else that is mounted; a holder (device mapper, MD) or an imported ZFS pool; an open node
 *   storage-member   a ZFS pool that is not imported, by its label; or it may be, for its label cannot be read in time
 *   storage-unreadable
 *                    what it carries is not known, for something cannot be read: of a disk, or of the host, and then
 *                    on every function that has a disk below it
 */
void stakes_storage(struct stakes *s);

/*
 * The network the host is reached by, and reaches what it needs by, through bridges, bonds and VLANs: management-nic for
 * the default route, sessions of SSH, corosync's links, the host's own address, NFS, CIFS, GlusterFS, iSCSI and Ceph. The
 * remedy names the network cards that carry nothing at all. Where a table of routes cannot be read, or is too long, or
 * the default route goes through what is on no card, each card that is up and of which nothing is known is
 * network-unreadable. One stake for a card, with the gravest of its reasons.
 */
void stakes_network(struct stakes *s);

/* The screen with the host's console, serial consoles: console. */
void stakes_console(struct stakes *s);

/*
 * What hangs below functions of the platform: watchdog-armed, device-held (a node that a process has open),
 * holders-unreadable (it is not known who has it open), and platform-function for those the firmware and the kernel
 * share.
 */
void stakes_platform(struct stakes *s);

/*
 * The processes that have a node open ("dev/mtd0"), as holder_ask(). What of that is not known becomes a stake
 * holders-unreadable of the thing of that path and name, and n is 0.
 */
void stake_holders(struct stakes *s, const char *node, const char *path, const char *name, struct holder_process **list,
		   size_t *n);

/* That it is not known, for a negative errno. */
void stake_unasked(struct stakes *s, const char *node, const char *path, const char *name, int code);

/* The same without a stake: what holder_ask() returns. */
int stake_ask(struct stakes *s, const char *node, struct holder_process **list, size_t *n);

/*
 * What other VMs and containers have by their configurations, or Proxmox has reserved: other-guest. vmid: the one that
 * asks, 0 = none.
 */
void stakes_guests(struct stakes *s, unsigned vmid);

/*
 * What a process has open so that its driver would not let go (holders.h): other-guest if that is a VM's or container's,
 * else device-busy. What the asking VM itself has open does not count. Called last: what is told of a guest already is not
 * told again.
 */
void stakes_busy(struct stakes *s, unsigned vmid);

/*
 * The containers' part of it, by the lines of their configurations: nodes (dev0, lxc.mount.entry), folders of nodes, and
 * network cards (lxc.net.N). An interface that is with a container is no longer the host's, so that each card which has
 * a driver and no interface may be it.
 */
void stakes_containers(struct stakes *s, unsigned ctid);

#endif
