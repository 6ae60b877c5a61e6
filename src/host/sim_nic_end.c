/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is at the other end of a simulated interface's cable: somebody who gives it a carrier, and perhaps a gateway. */
#include <string.h>

#include "host/sim.h"
#include "host/sim_nic.h"

static bool reads_alike(struct host *h, const char *bdf, const char *x, const char *y)
{
	char a[HOST_VALUE_BYTES] = "", b[HOST_VALUE_BYTES] = "";

	host_read(h, nic_at(bdf, x).text, a, sizeof(a));
	host_read(h, nic_at(bdf, y).text, b, sizeof(b));
	return strcmp(a, b) == 0;
}

static void remember(struct host *h, const char *bdf, const char *what, const char *as)
{
	char text[HOST_VALUE_BYTES];

	if (host_read(h, nic_at(bdf, what).text, text, sizeof(text)) >= 0)
		sim_set(h, nic_at(bdf, as).text, text);
	else
		sim_remove(h, nic_at(bdf, as).text);
}

void sim_nic_note_end(struct host *h, const char *bdf)
{
	if (host_has(h, nic_at(bdf, "carrier").text))
		sim_set(h, nic_at(bdf, "sim_carrier").text, "on");
	if (!host_has(h, nic_at(bdf, "gateway").text))
		return;
	remember(h, bdf, "gateway", "sim_gateway");
	remember(h, bdf, "master", "sim_master");
	remember(h, bdf, "routes", "sim_routes");
}

void sim_nic_meet_end(struct host *h, const char *bdf)
{
	char up[16] = "", gateway[64];
	bool on;

	host_read(h, nic_at(bdf, "up").text, up, sizeof(up));
	on = strcmp(up, "up") == 0 && host_has(h, nic_at(bdf, "sim_carrier").text);
	if (on)
		sim_set(h, nic_at(bdf, "carrier").text, "on");
	else
		sim_remove(h, nic_at(bdf, "carrier").text);
	if (on && reads_alike(h, bdf, "master", "sim_master") &&
	    (!host_has(h, nic_at(bdf, "sim_routes").text) || host_has(h, nic_at(bdf, "routes").text)) &&
	    host_read(h, nic_at(bdf, "sim_gateway").text, gateway, sizeof(gateway)) >= 0)
		sim_set(h, nic_at(bdf, "gateway").text, gateway);
	else
		sim_remove(h, nic_at(bdf, "gateway").text);
}
