/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/live_bus.h"
#include "host/live_unit.h"

/*
 * How this host's systemd is reached, best first. Its own socket needs no bus to run and is for root alone; systemctl
 * does the same (src/shared/bus-util.c, bus_connect_system_systemd()). The addresses stand here because an address from
 * the environment may name a program to be executed.
 */
static const struct unit_peer host_peers[] = {
	{ "unix:path=/run/systemd/private", false },
	{ "unix:path=/run/dbus/system_bus_socket", true },
};

int64_t bus_end_after(int ms)
{
	return clock_us(CLOCK_MONOTONIC) + (int64_t)ms * 1000;
}

int bus_turn(sd_bus *bus, uint64_t wait_us)
{
	int r = sd_bus_process(bus, NULL);

	if (r == 0)
		r = sd_bus_wait(bus, wait_us);
	return r == -EINTR ? 0 : r;
}

/*
 * A call on a connection that is not ready waits for it without a deadline (src/libsystemd/sd-bus/sd-bus.c,
 * bus_ensure_running(): until libsystemd's own 90 s for the greeting). The kernel lets us connect to a socket whose
 * owner hangs, so that is where a hanging systemd is met first.
 */
static int open_peer(const struct unit_peer *peer, int64_t end, sd_bus **ret)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, peer->address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, peer->is_bus);
	if (r >= 0)
		r = sd_bus_start(bus);
	while (r >= 0 && sd_bus_is_ready(bus) == 0) {
		int64_t left = end - clock_us(CLOCK_MONOTONIC);

		r = left > 0 ? bus_turn(bus, (uint64_t)left) : -ETIMEDOUT;
	}
	if (r < 0)
		/* Its queue of connections is full: it does not answer either. */
		return r == -EAGAIN ? -ETIMEDOUT : r;
	*ret = bus;
	bus = NULL;
	return 0;
}

static int open_host(int64_t end, sd_bus **bus)
{
	int r = -ECONNREFUSED;

	if (sd_booted() <= 0)
		return -ENOENT;
	for (size_t i = geteuid() == 0 ? 0 : 1; i < sizeof(host_peers) / sizeof(*host_peers); i++) {
		r = open_peer(&host_peers[i], end, bus);
		if (r >= 0 || r == -ETIMEDOUT)
			break;
	}
	/* A socket that is not there says nothing of the unit. */
	return r == -ENOENT ? -ECONNREFUSED : r;
}

int bus_open(const struct unit_peer *peer, int64_t end, sd_bus **bus)
{
	return peer ? open_peer(peer, end, bus) : open_host(end, bus);
}

int bus_allow(sd_bus *bus, int64_t end)
{
	int64_t left = end - clock_us(CLOCK_MONOTONIC);

	return left > 0 ? sd_bus_set_method_call_timeout(bus, (uint64_t)left) : -ETIMEDOUT;
}
