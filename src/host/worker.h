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

/*
 * The same for writes of which one follows the other: the child is kept for the next, with the descriptors, and so the
 * locks, that the caller had at the first. It ends when the caller does, but not in the midst of a write. name and value
 * are those of host_write().
 *
 * -ETIMEDOUT, -EOWNERDEAD: as above, and there is a new child for the next write, as there is if it was killed between
 * two writes.
 */
struct worker {
	pid_t pid;
	int socket;	/* to it, -1: there is none */
};
typedef int (*worker_job)(void *arg, const char *name, const char *value);
int worker_write(struct worker *w, worker_job job, void *arg, const char *name, const char *value, unsigned deadline_ms,
		 struct host_stuck *stuck);

/* Before the caller's locks change, and when it has nothing more to write. Waits until it is gone, for a second at most. */
void worker_end(struct worker *w);

#endif
