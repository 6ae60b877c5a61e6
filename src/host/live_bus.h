/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_BUS_H
#define HANDOVER_LIVE_BUS_H

#include <stdint.h>
#include <systemd/sd-bus.h>

/*
 * A connection to the running systemd that ends in time, whatever its other end does: all that is asked through it
 * shares one moment, end, on CLOCK_MONOTONIC in microseconds. For live_unit.c and live_transient.c alone.
 */
#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SERVICE ".Manager"

#define _cleanup_bus_ __attribute__((cleanup(sd_bus_close_unrefp)))
#define _cleanup_message_ __attribute__((cleanup(sd_bus_message_unrefp)))
#define _cleanup_slot_ __attribute__((cleanup(sd_bus_slot_unrefp)))
#define _cleanup_error_ __attribute__((cleanup(sd_bus_error_free)))

struct unit_peer;

int64_t bus_end_after(int ms);

/*
 * peer is NULL for this host's own systemd. -ENOENT: systemd did not boot it. -ECONNREFUSED: it cannot be reached.
 * -ETIMEDOUT: it does not answer.
 */
int bus_open(const struct unit_peer *peer, int64_t end, sd_bus **bus);

/* The next call may take what is left until end; -ETIMEDOUT: nothing is. */
int bus_allow(sd_bus *bus, int64_t end);

/* Handles what has come, or waits for more. */
int bus_turn(sd_bus *bus, uint64_t wait_us);

#endif
