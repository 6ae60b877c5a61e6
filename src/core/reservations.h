/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_RESERVATIONS_H
#define HANDOVER_RESERVATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "host/host.h"

/*
 * Which PCI functions Proxmox has reserved for VMs: run/qemu-server/pci-id-reservations (qemu-server,
 * PVE/QemuServer/PCI.pm, reserve_pci_usage), a line for each: "0000:02:00.0 101 time:1755600000" from the moment a start
 * has chosen its devices, valid until then; "0000:02:00.0 101 pid:4711" once QEMU runs, valid as long as that process is
 * the VM's. Proxmox looks at it only after pre-start, when the device has already left the host.
 */
struct reservation {
	const char *place;	/* "0000:02:00.0"; "0000:02:00": the whole slot */
	unsigned vmid;		/* 0: the line does not say it as it should */
	int pid;		/* the VM's process, 0: there is none yet */
	int64_t seconds;	/* how much longer it is valid, -1: until its process ends, or not known */
};

#define RESERVATIONS_PATH "run/qemu-server/pci-id-reservations"

/*
 * Those that are valid now, without those of the VM 'self' (0: of nobody). Where the time is not known (clock/now), one
 * that has an end is valid. A line that begins with an address and goes on in a way that is not known counts as valid:
 * a later Proxmox may have written it. What begins otherwise is none.
 */
void reservations_read(struct host *h, unsigned self, struct arena *a, struct reservation **list, size_t *n);

/* The same, but only those of that VM. */
void reservations_of(struct host *h, unsigned vmid, struct arena *a, struct reservation **list, size_t *n);

#endif
