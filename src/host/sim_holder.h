/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_HOLDER_H
#define HANDOVER_SIM_HOLDER_H

#include "host/host.h"

/* Processes of the simulated host that have nodes open: the values below holder/. */

/*
 * Whether a write of value to name, links followed, would not come back: it unbinds or removes a function that a driver
 * of vfio's has, and a node of it or of its group is open (drivers/vfio/vfio_main.c, vfio_unregister_group_dev(); seen
 * in the lab). Whoever has the group's node is taken to have this function of it.
 */
bool sim_holder_hangs(struct host *h, const char *name, const char *value);

/* The processes of a unit of systemd that is stopped end; those of "pve-container@105.service" are in "lxc/105". */
void sim_holder_stop(struct host *h, const char *unit);

#endif
