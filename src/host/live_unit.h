/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_UNIT_H
#define HANDOVER_LIVE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The provider unit/ of the running systemd, over D-Bus; see host.h for what it answers. No program is executed, and
 * no connection outlives a call, so none is inherited by a child.
 *
 * rest is what stands behind "unit/": "netbird.service/state".
 * -EINVAL: no name of a unit, or no such verb. -ENOENT: systemd did not boot this host, or has not loaded such a unit
 * (there is none, it is masked, its file is broken). -ECONNREFUSED: systemd runs, but cannot be reached.
 */

/* -ETIMEDOUT: no answer within UNIT_READ_MS, all questions of this read together. */
#define UNIT_READ_MS 2000

ssize_t live_unit_read(const char *rest, char *buf, size_t size);

/*
 * start, stop or restart; waits for the end of the job however long that takes, so only a worker may call it. Only
 * systemd's answer that it took the job has a deadline, UNIT_JOB_MS: -ETIMEDOUT.
 * How the job ended: 0, also if it was skipped by a condition; -ETIME: it took longer than its unit may; -ECANCELED:
 * another job took its place; -ENODEV: a unit it needs failed; -EIO: it failed.
 */
#define UNIT_JOB_MS 20000

int live_unit_write(const char *rest, const char *verb);

/* Who answers, if not the systemd of this host: for tests. */
struct unit_peer {
	const char *address;	/* "unix:path=..." */
	bool is_bus;		/* a message bus that systemd is a client of, not systemd itself */
};

ssize_t live_unit_read_from(const struct unit_peer *peer, const char *rest, char *buf, size_t size);
int live_unit_write_to(const struct unit_peer *peer, const char *rest, const char *verb);

#endif
