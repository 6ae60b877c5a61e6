/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_WORKER_H
#define HANDOVER_WORKER_H

#include "host/host.h"

/*
 * Runs job(arg) in a child process and waits for it at most deadline_ms. The job returns 0 or a negative errno, which
 * becomes the result. The child has its own session, /dev/null as its standard descriptors and all signals blocked:
 * Proxmox waits for the end of the hook's output (PVE::Cmd::run) and kills its process group, and neither may touch
 * a write that is inside the kernel. Its other descriptors stay open, so a lock that the caller holds stays held for
 * as long as the child lives.
 *
 * -ETIMEDOUT: the child still runs and is left alone; stuck describes it.
 * -EOWNERDEAD: the child was killed by somebody; the write may or may not have happened.
 */
int worker_run(int (*job)(void *arg), void *arg, unsigned deadline_ms, struct host_stuck *stuck);

#endif
