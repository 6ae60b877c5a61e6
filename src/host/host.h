/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HOST_H
#define HANDOVER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

/*
 * The seam: everything the program knows of a host, and everything it does to it, goes through these calls over
 * names and strings. Two hosts implement them: the running kernel (live.h) and one in memory, grown from a .host
 * text (sim.h). Nothing above knows which it has.
 *
 * Names are paths without the leading '/'. They come from providers:
 *   sys/..., proc/...     the kernel's files
 *   run/..., etc/...      files of Proxmox and of the host; read only
 *   module/NAME           state of a kernel module: "live" or "builtin", absent if not loaded; writing "load" loads it,
 *                         "unload" takes it out; -EBUSY: in use. Devices it drives do not keep it: they lose their
 *                         driver
 *   modalias/ALIAS        modules that could drive a device of that modalias, in lookup order, separated by spaces;
 *                         "" if none could
 *   life/ADDRESS          a number that no other function has or ever had since boot, this one after a removal and
 *                         rescan included; absent if the function is (the inode of its folder in sysfs; fs/kernfs/dir.c,
 *                         __kernfs_new_node(), gives none twice)
 *   id/ADDRESS            vendor, device and subsystem of a function: "8086:a348:103c:83e1"
 *   group/ADDRESS         the functions of its IOMMU group, by address, separated by spaces; absent: it is in none
 *   usb/ADDRESS/HUB:PORT  "046d:c31c": the USB device at that port below a USB controller. HUB is 1 for the controller's
 *                         first root hub, PORT as sysfs writes it ("2.1"); the folder usb/ADDRESS lists them. Bus
 *                         numbers, which change, are not part of it
 *   nic/ADDRESS/WHAT      the network interface of a function; all are absent if it has none:
 *       name              "eno1"; writing renames it (it must be down)
 *       mtu               "1500"
 *       up                "up" or "down" (IFF_UP: what was asked for, not the carrier)
 *       master            "vmbr0"; absent: none. Writing it puts the interface into that bridge or bond, "" takes it out
 *       port              its settings there as far as they are not as usual: "cost 50, isolated on" (settings.h);
 *                         absent: all are, or it is no port
 *       fdb               entries of the bridge's table that somebody has made for it: "52:54:00:00:00:02 vlan 5"
 *                         (fdb.h); absent: none
 *       master-mac        the master's address on the wire; absent: it has none, or there is no master. A bridge to which
 *                         one is written keeps it from then on
 *       vlans             its VLANs as port of a bridge: "1 pvid untagged, 2-4094"; absent: it is no port of a bridge
 *       addresses         its IP addresses, but for those that come by themselves (link-local, of a router's advertisements):
 *                         "192.0.2.1/24 brd 192.0.2.255, 2001:db8::1/64" (ipwords.h); absent: none
 *       routes            the routes over it, of all tables, but for those that the kernel makes:
 *                         "0.0.0.0/0 via 192.0.2.254 table 100"; absent: none. They go when it goes down
 *       children          the VLAN and macvlan interfaces on top of it, each with what it has (children.h):
 *                         "eno1.10 vlan 10 / mtu 1500 / master vmbr0v10 / up"; absent: none. Those that are missing are
 *                         made; others stay
 *       altnames          its other names, sorted: "enp0s31f6 uplink"; absent: none
 *       alias             its description; absent: none
 *       mac               its address on the wire, "52:54:00:00:00:01"; absent: the card's own. Of a port of a bond its
 *                         own, and not the one that the bond gives it
 *       link              its queue and flags as far as they are not as usual: "txqlen 500, promisc on" (settings.h);
 *                         absent: all are
 *       sysctls           its settings below proc/sys/net that are not those of "default": "ipv4/conf/rp_filter 2"
 *                         (sysctls.h); absent: all are
 *       features          those of its features that can be switched and are on, "tx-scatter-gather rx-gro" (bits.h)
 *       rings, coalesce   "rx 256, tx 256", "rx-usecs 3": what of these its driver knows
 *       pause, eee        "autoneg on", "enabled off"
 *       wol, modes        what wakes it, "magic", and what it advertises, "1000baseT/Full"; modes is absent if it does not
 *                         negotiate. All of these are absent if its driver does not know them, and what the card chooses
 *                         itself is left out
 *       carrier           "on": it is up, and something answers at the other end of its cable; absent otherwise
 *       gateway           "192.0.2.254 over vmbr0": the gateway of the main table's default route that goes out by it, or by
 *                         a bridge, bond or VLAN above it, IPv4 before IPv6, if it answers (neighbour.h); absent if it does
 *                         not, or if there is none. Reading it sends to the network, and takes up to a second
 *       loose             what else hangs on it and would be lost with it, in words; absent: nothing
 *   udev/ADDRESS          "done" once udev has applied its rules to a function and to its network interface, "pending" until
 *                         then; absent if the function is, or if there is no udev
 *   unit/NAME/WHAT        a unit of systemd; absent if there is no such unit, or no systemd:
 *       state             "active", "inactive", "failed", ...; writing "start", "stop", "restart" does that and
 *                         waits for its end
 *       run               an identifier of this run of the unit (InvocationID), "" if it does not run
 *   command/PATH%20WORD   a command by its full path, and its arguments, written as host/command.h says: how often it has
 *                         ended well in this program's run, "0", "1", ...; absent if there is no such file that may be
 *                         run: regular, executable, and nobody but root can have put it there. Writing "run" runs it, without
 *                         a shell, and kills it at the deadline. 0: it has ended with status 0; -ENOENT: there is no
 *                         such file; -EPERM: it may not be run; -ETIME: it did not end in time; -ECANCELED: it failed
 *   result/PATH%20WORD    the last run of that command by this program: a line that says how it ended, then what it has
 *                         said on its standard output and error, as far as it was kept; absent if there was none
 *   holder/NODE           who has a device node open ("holder/dev/watchdog0"): a line for each process, "PID UNIT COMMAND",
 *                         UNIT the last part of its cgroup ("101.scope" of a VM), "-" if it has none; absent: nobody.
 *                         A folder of nodes ("holder/dev", "holder/dev/snd") lists those that somebody has open
 *   clock/now             seconds since 1970, by the host's own clock, which may be set; absent: not known
 *   label/BLOCK           what is on a block device as libblkid tells it, "zfs_member rpool": the kind, then its label if
 *                         it has one; absent: nothing that is known
 *
 * All calls return 0 or more, or a negative errno as the kernel gave it; -ETIMEDOUT where the kernel does not answer at
 * all. None blocks for longer than a few seconds.
 */
#define HOST_NAME_BYTES 256	/* longest name, NUL included */
#define HOST_VALUE_BYTES 4096	/* longest value, NUL included: one page, as sysfs has it */

/* The process that does a write, by its name. */
#define HOST_WORKER "handover-write"

/* What is known of a write that did not return. */
struct host_stuck {
	pid_t pid;		/* the worker; 0 if no write is stuck */
	char wchan[64];		/* the kernel function it waits in, "" if unknown */
	char stack[1024];	/* its kernel stack, a function a line, "" if unknown */
};

struct host;

struct host_ops {
	ssize_t (*read)(struct host *h, const char *name, char *buf, size_t size);
	void (*ahead)(struct host *h, const char *const *names, size_t n);	/* NULL: it has no use for that */
	ssize_t (*link)(struct host *h, const char *name, char *buf, size_t size);
	int (*list)(struct host *h, const char *name, struct arena *a, char ***names, size_t *n);
	int (*write)(struct host *h, const char *name, const char *value, unsigned deadline_ms,
		     struct host_stuck *stuck);
	void (*rest)(struct host *h);	/* NULL: it keeps nothing between two writes */
	int (*wait)(struct host *h, unsigned ms);
	int64_t (*now)(struct host *h);
	void (*close)(struct host *h);
};

struct host {
	const struct host_ops *ops;
};

/*
 * Reads a value into buf (NUL added) and returns its length, without the newline at its end. A symbolic link reads
 * as the last part of its target: ".../driver" reads "e1000e". -ENOENT: no such name. -E2BIG: it does not fit.
 */
ssize_t host_read(struct host *h, const char *name, char *buf, size_t size);

/*
 * These, all of nic/, are what host_read() is called for next, in this order: the kernel is asked meanwhile. names stays
 * as it is until they are read, or, if they are not, until host_read_ahead() has been called for none.
 */
void host_read_ahead(struct host *h, const char *const *names, size_t n);

/*
 * A file of an id, folder/file: four hex digits behind the prefix ("", or "0x"). 0, or a negative errno; -ENOENT also for
 * a device that is just going (ENODEV), and for what no kernel writes. What cannot be read is unknown, and not gone.
 */
int host_read_hex4(struct host *h, const char *folder, const char *file, const char *prefix, uint64_t *v);

/* Like host_read(), byte for byte: config space, and files whose newline matters. */
ssize_t host_read_bytes(struct host *h, const char *name, char *buf, size_t size);

/*
 * The lines of a file that may be long and is of use in part (proc/net/tcp): as many whole ones as fit. *cut says
 * whether there are more. Of what is no plain file of the kernel or of the host, none are read then.
 */
ssize_t host_read_lines(struct host *h, const char *name, char *buf, size_t size, bool *cut);

/* The target of a symbolic link as it stands in it. -EINVAL: not a link. */
ssize_t host_link(struct host *h, const char *name, char *buf, size_t size);

/* The names in a folder, sorted, without "." and "..". They belong to a. */
int host_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n);

/* Whether the name exists (links are not followed). */
bool host_has(struct host *h, const char *name);

/*
 * Writes value and a newline, in one write(2), by a worker process that is given deadline_ms. 0 means only that the
 * kernel took it: look afterwards whether it did what you want.
 * -ETIMEDOUT: the worker is still inside the kernel. It is not signalled: a signal makes such waits uninterruptible
 * (drivers/vfio/vfio_main.c, vfio_unregister_group_dev). It keeps the caller's open locks, so that whoever comes
 * later meets them. stuck then says where it hangs.
 * Only core/reach.c may call this.
 */
int host_write(struct host *h, const char *name, const char *value, unsigned deadline_ms, struct host_stuck *stuck);

/*
 * Lets the worker go, which is kept from one host_write() to the next, with the locks that the caller had at the first.
 * Whoever writes does it when he is done, before locks are given up or taken.
 */
void host_rest(struct host *h);

/* Waits until something on the host changes, at most ms. It may return early for no reason: look again. */
int host_wait(struct host *h, unsigned ms);

/* Milliseconds on a clock that only goes forward. */
int64_t host_now(struct host *h);

void host_close(struct host *h);
void host_closep(struct host **h);
#define _cleanup_host_ __attribute__((cleanup(host_closep)))

#endif
