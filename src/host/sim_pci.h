/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_PCI_H
#define HANDOVER_SIM_PCI_H

#include "base/error.h"
#include "host/host.h"

/*
 * The rules of the PCI bus and its drivers, as far as handover writes to them. Each is seen in a real kernel by
 * tests/conformance_pair.c, or names the kernel's file and function beside it.
 */
struct sim_pci;

struct sim_pci *sim_pci_new(struct host *h, struct arena *a);

/*
 * Derives bus, driver and group folders from the devices' links, and learns which driver each device has by nature.
 * Fails as sim_settle() does.
 */
int sim_pci_settle(struct sim_pci *pci, struct error *err);

/* A driver lets go of the function it has; the first that matches a function takes it. */
void sim_pci_detach(struct sim_pci *pci, const char *bdf);
void sim_pci_probe(struct sim_pci *pci, const char *bdf);

/* A driver comes, with its files bind, unbind, new_id, remove_id. */
void sim_pci_register(struct sim_pci *pci, const char *driver);

/* It goes, and lets go of all it has: it is aside ("unloaded"); one that is there takes what is free and its own. */
void sim_pci_release(struct sim_pci *pci, const char *driver);
void sim_pci_offer(struct sim_pci *pci, const char *driver);

/* A write to a resolved name: 0 or a negative errno; -ENOSYS if no rule of the PCI bus is about it. */
int sim_pci_write(struct sim_pci *pci, const char *name, const char *value);

#endif
