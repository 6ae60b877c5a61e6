/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVECONF_H
#define HANDOVER_PVECONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

/* qemu-server, PVE/QemuServer/PCI.pm: hostpci0 to hostpci15. */
#define HOSTPCI_MAX 16

/* One hostpciN of a VM's current configuration. */
struct hostpci {
	bool present;
	const char *mapping;		/* name of a resource mapping, NULL if addresses are given */
	const char **addresses;		/* "0000:02:00.0", or "0000:02:00" for all functions of a slot */
	size_t n;
	bool keep;			/* driver=keep: Proxmox itself does not bind it to vfio-pci */
	bool mdev;
};

struct pve_guest {
	struct hostpci hostpci[HOSTPCI_MAX];
	bool has_usb;			/* a usbN line that names a device of the host */
};

#define VMID_MIN 100
#define VMID_MAX 999999999

/* Decimal, no leading zero, 100 to 999999999 (pve-common, PVE/JSONSchema.pm, pve-vmid). */
bool vmid_parse(const char *s, unsigned *vmid);

/* The number of the guest whose configuration has that name, "101.conf"; 0: it is no configuration. */
unsigned pveconf_name(const char *name, struct arena *a);

/*
 * Reads etc/pve/qemu-server/VMID.conf of the host. Only what stands before the first section ("[") is the current
 * configuration; the rest are snapshots and pending changes. -ENOENT: there is no such VM on this host.
 */
int pveconf_read(struct host *h, unsigned vmid, struct arena *a, struct pve_guest *guest, struct error *err);

/* The same from text, for any source of it. */
void pveconf_parse(const char *text, struct arena *a, struct pve_guest *guest);

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
