/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVECONF_H
#define HANDOVER_PVECONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "core/pveline.h"
#include "host/host.h"

/* qemu-server, PVE/QemuServer/PCI.pm: hostpci0 to hostpci15; PVE/QemuServer/USB.pm: usb0 to usb13. */
#define HOSTPCI_MAX 16
#define PVE_USB_MAX 14

/*
 * One hostpciN of a VM's current configuration. Of two lines with one key the last good one counts.
 *
 * A line that is no property string of its kind is left out by Proxmox when it reads the file, and the VM starts
 * without the device (qemu-server, PVE/QemuServer.pm, parse_vm_config, check_type): left_out says why, and all else is empty.
 * One that Proxmox reads and cannot do what it says keeps the VM from being started: refused says why, as far as the
 * line alone tells it; pvecheck.h looks at the host too.
 */
struct hostpci {
	bool present;			/* there is such a line, good or bad */
	const char *value;		/* what it says, as it stands there */
	const char *left_out, *refused;	/* NULL: it is not */
	const char *mapping;		/* name of a resource mapping, NULL if addresses are given */
	const char **addresses;		/* "0000:02:00.0", or "0000:02:00" for all functions of a slot */
	size_t n;
	bool keep;			/* driver=keep: Proxmox itself does not bind it to vfio-pci */
	const char *mdev;		/* the type of a mediated device, or NULL */
	bool pcie, x_vga, legacy_igd;
	bool rombar;			/* true unless the line says rombar=0 */
	const char *romfile;		/* below /usr/share/kvm, or NULL */
	const char *vendor_id, *device_id, *sub_vendor_id, *sub_device_id;	/* "0x10de", or NULL */
};

/* One usbN. At most one of id, port, spice and mapping is there. */
struct pve_usb {
	bool present;
	const char *value, *left_out, *refused;	/* as above */
	const char *id;			/* "046d:c52b", small letters, or NULL */
	const char *port;		/* "1-2.1": bus and ports, as sysfs names it, or NULL */
	const char *mapping;
	bool spice;			/* what the viewer redirects: no device of the host */
	bool usb3;
};

struct pve_guest {
	struct hostpci hostpci[HOSTPCI_MAX];
	struct pve_usb usb[PVE_USB_MAX];
	bool has_usb;			/* a usbN line that names a device of the host */
	/* As they stand there, NULL: there is no such line. */
	const char *name, *lock, *machine, *bios, *args, *hookscript, *tags, *ostype, *vga;
	const char *description;	/* with what was written as %XX, NULL: there is none */
	bool template;
	bool no_reboot;			/* reboot: 0 */
	/* Lines that Proxmox would leave out, of those that are known here, and why. What has no key is no setting. */
	struct pve_left_out {
		struct pve_line line;
		const char *why;
	} *left_out;
	size_t n_left_out;
	size_t n_others;		/* settings that are none of the above */
};

/* devN of a container. */
struct pve_node {
	unsigned number;
	const char *path;		/* "/dev/dri/renderD128" */
	const char *line;		/* the whole line */
};
#define PVE_NODES_MAX 256		/* pve-container, PVE/LXC/Config.pm: dev0 to dev255 */

struct pve_container {
	struct pve_node *nodes;
	size_t n_nodes;
	struct pve_line *lxc;		/* raw lines, in the order in which they stand there */
	size_t n_lxc;
	const char *name, *lock, *hookscript, *tags, *description;
	bool template;
	struct pve_left_out *left_out;
	size_t n_left_out;
	size_t n_others;
};

#define VMID_MIN 100
#define VMID_MAX 999999999

/* Decimal, no leading zero, 100 to 999999999 (pve-common, PVE/JSONSchema.pm, pve-vmid). */
bool vmid_parse(const char *s, unsigned *vmid);

/* The number of the guest whose configuration has that name, "101.conf"; 0: it is no configuration. */
unsigned pveconf_name(const char *name, struct arena *a);

/* Larger ones pmxcfs does not take (pve-cluster, src/pmxcfs/memdb.h, MEMDB_MAX_FILE_SIZE). */
#define PVECONF_BYTES_MAX (1024 * 1024)

/*
 * Reads etc/pve/qemu-server/VMID.conf of the host. Only what stands before the first section ("[") is the current
 * configuration; the rest are snapshots and pending changes. -ENOENT: there is no such VM on this host. -ENOTCONN: the
 * cluster file system is not there, so nobody knows (pvecluster.h). -E2BIG: larger than PVECONF_BYTES_MAX.
 */
int pveconf_read(struct host *h, unsigned vmid, struct arena *a, struct pve_guest *guest, struct error *err);

/* The same from text, for any source of it. */
void pveconf_parse(const char *text, struct arena *a, struct pve_guest *guest);

/* The same of a container: etc/pve/lxc/CTID.conf. */
int pvect_read(struct host *h, unsigned ctid, struct arena *a, struct pve_container *ct, struct error *err);
void pvect_parse(const char *text, struct arena *a, struct pve_container *ct);

/* "hostpci0" with prefix "hostpci" is 0; -1: it is no such key, or its number is above max. */
int pveconf_index(const char *key, const char *prefix, unsigned max);

/*
 * Process id of the VM's running QEMU, or 0; -1 if that cannot be found out, which is to be taken as running: from
 * run/qemu-server/VMID.pid, believed only if that process was started with "-id VMID" (qemu-server,
 * PVE/QemuServer/Helpers.pm, check_running). Of a container that of its monitor, as long as there is a process in its
 * control group (lxc, src/lxc/cgroups/cgfsng.c; Documentation/admin-guide/cgroup-v2.rst, cgroup.events).
 */
#define CONTAINER_EVENTS "sys/fs/cgroup/lxc/%u/cgroup.events"
int pve_running(struct host *h, unsigned vmid);

/* Whether the number is that of a container on this host. */
bool pve_is_container(struct host *h, unsigned vmid);

/*
 * Whether Proxmox holds the guest's configuration lock, as it does from before pre-start until after post-start
 * (pve-guest-common, PVE/AbstractConfig.pm, lock_config_full). Taken shared and dropped at once. The hooks themselves
 * always run under it, so they must not ask.
 */
bool pve_config_locked(unsigned vmid);

/* Its file: qemu-server, PVE/QemuConfig.pm, and pve-container, PVE/LXC/Config.pm, config_file_lock(). */
#define PVE_LOCK_PATH_BYTES 64
void pve_lock_path(unsigned vmid, bool container, char path[PVE_LOCK_PATH_BYTES]);

#endif
