/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SELECT_H
#define HANDOVER_SELECT_H

#include "base/findings.h"
#include "core/inventory.h"
#include "core/profile.h"
#include "core/pveconf.h"
#include "core/usb.h"

struct selection {
	const struct function **list;	/* by address */
	size_t n;
};

bool selection_holds(const struct selection *s, const struct function *fn);

/* Once each. */
void selection_add(struct selection *s, const struct function *fn, struct arena *a);

/* Whether a function has that id (vendor:device, or with subsystem), and is at that place (see str_is_pci_place()). */
bool function_has_id(const struct function *fn, const char *id);
bool function_is_at(const struct function *fn, const char *place);

/*
 * The functions a device of a profile means on this host. All its selectors must hold. What is not exactly what was
 * asked for becomes an error in f that lists the candidates and, where the device has moved, says where it is now:
 * device-absent, device-ambiguous, device-different, hostpci-absent, hostpci-bad, hostpci-mapping, hostpci-keep,
 * mapping-absent, usb-absent, usb-ambiguous. False then. What a mapping is on this node stands in w->mapped and in the
 * guest's lines: alternatives.h.
 * guest is the VM's configuration, NULL where there is no VM. usb is what hangs on the controllers; NULL where w has no
 * 'usb', or where it could not be read, which has been told.
 */
bool select_functions(const struct device_wish *w, const struct inventory *inv, const struct pve_guest *guest,
		      const struct usb *usb, struct selection *s, struct findings *f);

#endif
