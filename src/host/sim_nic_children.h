/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_NIC_CHILDREN_H
#define HANDOVER_SIM_NIC_CHILDREN_H

#include "host/host.h"

/* Interfaces on top of a function's network interface: nic/BDF/children. They go with it, like all that it has. */
int sim_nic_children_write(struct host *h, const char *bdf, const char *value);

/* What follows for them when the interface below goes up or down, or has become smaller. */
void sim_nic_children_follow(struct host *h, const char *bdf, const char *what);

/* Whether there is a macvlan, and so no place for a bridge or bond (net/core/dev.c, netdev_rx_handler_register()). */
bool sim_nic_children_receive(struct host *h, const char *bdf);

#endif
