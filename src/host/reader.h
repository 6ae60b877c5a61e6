/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_READER_H
#define HANDOVER_READER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads that can block for ever. driver_override_show() and sriov_numvfs_show() take the device's lock, which an
 * unbind that does not come back holds (drivers/pci/pci-sysfs.c, drivers/pci/iov.c): whoever merely looks at such a
 * device hangs with it, and no signal helps. So a child process looks; one that does not answer within READ_MS is left
 * where it is, and another takes its place; one that was killed is asked for once more. Config space, too, is not answered while the device is being reset, which
 * may take a minute for a card that does not come back (drivers/pci/access.c, pci_wait_cfg()). nic/ asks rtnetlink,
 * which waits for whoever changes the network (rtnl.h); label/ reads a disk; holder/ reads control groups, which waits for
 * whoever changes them (live_holder.h); command/ may be on a file system whose server is gone. What the consoles are is
 * told under console_lock(), which an unbind of a graphics card may hold (drivers/tty/vt/vt.c, show_bind();
 * drivers/tty/tty_io.c, show_cons_active()); a USB device's product under its lock (drivers/usb/core/sysfs.c), a network
 * interface's carrier, since 6.8, under that of all interfaces (net/core/net-sysfs.c, carrier_show()). The command line of
 * a process is in its memory, which it may have locked for as long as it likes (fs/proc/base.c, get_mm_cmdline()). mountinfo
 * asks each file system for its options, and ZFS and btrfs take locks for that which they hold while a disk does not answer
 * (module/os/linux/zfs/zpl_super.c, __zpl_show_devname(); fs/btrfs/super.c, btrfs_show_options()). udev/ reads a device's
 * uevent, which takes its lock in 6.1.120 and 6.11.7 to 6.14 (drivers/base/core.c, uevent_show(), "Synchronize with
 * really_probe()"); an iSCSI connection's address and an IOMMU group's type are told under the mutex of who changes them
 * (drivers/scsi/scsi_transport_iscsi.c, ep_mutex; drivers/iommu/iommu.c, iommu_group_show_type()).
 */
#define READ_MS 2000
#define READER_BYTES (16 * 1024)	/* of one answer: a longer file comes in several */

struct reader {
	int socket;	/* to the child, -1 = there is none */
	const char *const *asked;	/* what it was asked for already, */
	size_t n_asked;		/* and has not yet given */
};

/*
 * Like read(): the length, or a negative errno; -ETIMEDOUT if the kernel does not answer, -E2BIG with size bytes in buf if
 * there are more. root is the folder "/". name is a file, or begins with "nic/", "label/", "udev/", "holder/", or with
 * "command/": then there are no bytes, only 0 if it may be run.
 */
ssize_t reader_read(struct reader *r, int root, const char *name, char *buf, size_t size);

/*
 * Asks the child for all of these at once: they are what reader_read() is called for next, in this order, and names
 * stays as it is until then. Whoever reads another name first, or is done with them, has a new child begin.
 */
void reader_ask_ahead(struct reader *r, int root, const char *const *names, size_t n);

/* The child ends when it notices. */
void reader_close(struct reader *r);

/* The file's bytes, NUL behind them; -E2BIG if they do not fit. Blocks as long as the kernel likes. */
ssize_t read_file(int root, const char *name, char *buf, size_t size);

#endif
