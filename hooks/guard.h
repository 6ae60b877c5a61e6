/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_GUARD_H
#define HANDOVER_GUARD_H

#include "base/arena.h"
#include "base/error.h"

/*
 * Starts the process that watches over a lease (core/guard.h): as a transient unit of systemd, which survives the
 * caller's process group and control group; where there is no systemd, detached, in a session of its own. Waits until it
 * watches, at most GUARD_MS. after_ms is how long it waits for a post-stop once the guest has ended. -ENOENT: it is not
 * installed.
 */
#define GUARD_MS 5000
int guard_start(unsigned vmid, const char *generation, unsigned after_ms, struct arena *a, struct error *err);

#endif
