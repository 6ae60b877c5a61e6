/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_H
#define HANDOVER_LIVE_H

#include "base/error.h"
#include "host/host.h"

/* The running kernel. Reading needs no privilege but for config space beyond 64 bytes. */
int live_open(struct host **h, struct error *err);

#endif
