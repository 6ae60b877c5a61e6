/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_NIC_H
#define HANDOVER_SIM_NIC_H

#include "host/host.h"

/*
 * Network interfaces of the simulated host: the values below nic/ADDRESS. An interface goes when its driver lets its
 * function go, and what hung on it with it; it comes back down, by its old name, in no bridge (seen in the lab;
 * net/core/dev.c, unregister_netdevice_many()). The old name is udev's doing: without that it is "eth" and the lowest
 * free number. Any bridge and bond is there, and keeps its address on the wire. It has the carrier it had as soon as it is up
 * again, and its gateway answers once it is back in its bridge or bond, or has routes again, if it answered before (seen in
 * the lab; a real switch takes its time).
 */
void sim_nic_leave(struct host *h, const char *bdf, const char *driver);
void sim_nic_return(struct host *h, const char *bdf, const char *driver);

/*
 * Around each change. Notes the other end, as far as it is known of; afterwards: the cable is still plugged in, so what is up
 * has the carrier that it had, and who answered by it does so again, from the place where it did.
 */
void sim_nic_note_end(struct host *h, const char *bdf);
void sim_nic_meet_end(struct host *h, const char *bdf);

/* "nic/ADDRESS/WHAT" */
struct nic_name {
	char text[HOST_NAME_BYTES];
};
struct nic_name nic_at(const char *bdf, const char *what);

/* A write to "ADDRESS/WHAT": 0 or a negative errno. */
int sim_nic_write(struct host *h, const char *rest, const char *value);

/* The same for "NAME/state" of a unit of systemd: start, stop, restart. */
int sim_unit_write(struct host *h, const char *rest, const char *verb);

#endif
