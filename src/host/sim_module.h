/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_MODULE_H
#define HANDOVER_SIM_MODULE_H

#include "host/sim_pci.h"

/*
 * Modules of PCI drivers: "load" and "unload" written to "module/NAME". One that was never there, on a host that does
 * not say it has it, cannot be loaded (-ENOENT), but for vfio_pci.
 */
int sim_module_write(struct host *h, struct sim_pci *pci, const char *name, const char *value);

#endif
