/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_NIC_CHILDREN_H
#define HANDOVER_LIVE_NIC_CHILDREN_H

#include <dirent.h>

#include "host/live_nic_ip.h"

/* In an interface's folder, the names of those on top. */
#define NIC_UPPER "upper_"

/* live_nic.c: these entries of a folder, by name; how many, or a negative errno. -ENODEV: it is gone. */
int nic_uppers(const struct nic *nic, const char *folder, struct dirent ***list);
void nic_free_entries(struct dirent **list, int n);

/* What of an interface on top could not be made anew: of one that is not known here, the interface itself. */
int nic_loose_child(struct nic *nic, const char *name, struct nic_loose *loose);

#endif
