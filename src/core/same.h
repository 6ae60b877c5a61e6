/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SAME_H
#define HANDOVER_SAME_H

#include "core/inventory.h"

/*
 * "As it was" is this list, everywhere: of every PCI function its presence and identity, driver, driver_override, the
 * members of its IOMMU group, reset_method, power/control, d3cold_allowed, number of virtual functions, and the place
 * of its network interface: name, MTU, bridge, VLANs, up.
 * Not in it: group numbers, which are reused, and modules that were loaded.
 *
 * Returns how many differences there are between a host then and now, and puts the first max of them into lines:
 * "0000:02:00.0 driver: nouveau, was vfio-pci".
 */
#define SAME_GROUP "IOMMU group members"	/* as these lines say it */
size_t same_differences(const struct inventory *then, const struct inventory *now, struct arena *a, const char **lines,
			size_t max);

/* "0000:02:00.0 0000:02:00.1": the members of a function's IOMMU group, by address; "" if it has none. */
const char *group_members(const struct inventory *inv, const struct function *fn, struct arena *a);

#endif
