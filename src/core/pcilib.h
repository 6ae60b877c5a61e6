/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PCILIB_H
#define HANDOVER_PCILIB_H

#include "core/inventory.h"

/*
 * What libpci knows of the functions of an inventory: header and capabilities. configs[i] holds sizes[i] bytes of
 * config space of function i, 0 if none could be read. The host itself is not touched: libpci is given a dump.
 */
int pcilib_decode(struct inventory *inv, const unsigned char *const *configs, const size_t *sizes, struct error *err);

#endif
