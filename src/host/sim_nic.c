/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/sim.h"
#include "host/sim_nic.h"

#define MTU_DEFAULT "1500"	/* net/ethernet/eth.c, ether_setup() */
#define MTU_MAX 65535
/* What the kernel gives a new port of a bridge (net/bridge/br_vlan.c, nbp_vlan_init(), default_pvid). */
#define VLANS_DEFAULT "1 pvid untagged"

struct nic_name {
	char text[HOST_NAME_BYTES];
};

static struct nic_name at(const char *bdf, const char *what)
{
	struct nic_name n;

	snprintf(n.text, sizeof(n.text), "nic/%.40s/%.40s", bdf, what);
	return n;
}

void sim_nic_leave(struct host *h, const char *bdf, const char *driver)
{
	static const char *const whats[] = { "name", "mtu", "up", "master", "vlans", "loose" };
	char name[64];

	if (host_read(h, at(bdf, "name").text, name, sizeof(name)) < 0)
		return;
	/* Where nothing of the seam can see it: who had it, and what it was called. */
	sim_set(h, at(bdf, "sim_driver").text, driver);
	sim_set(h, at(bdf, "sim_name").text, name);
	for (size_t i = 0; i < sizeof(whats) / sizeof(*whats); i++)
		sim_remove(h, at(bdf, whats[i]).text);
}

void sim_nic_return(struct host *h, const char *bdf, const char *driver)
{
	char had[64], name[64];

	if (host_read(h, at(bdf, "sim_driver").text, had, sizeof(had)) < 0 || strcmp(had, driver) != 0 ||
	    host_read(h, at(bdf, "sim_name").text, name, sizeof(name)) < 0)
		return;
	sim_set(h, at(bdf, "name").text, name);
	sim_set(h, at(bdf, "mtu").text, MTU_DEFAULT);
	sim_set(h, at(bdf, "up").text, "down");
}

static int write_master(struct host *h, const char *bdf, const char *value)
{
	char before[64];
	bool same = host_read(h, at(bdf, "master").text, before, sizeof(before)) >= 0 && strcmp(before, value) == 0;

	if (same)
		return 0;
	sim_remove(h, at(bdf, "master").text);
	sim_remove(h, at(bdf, "vlans").text);
	if (!*value)
		return 0;
	sim_set(h, at(bdf, "master").text, value);
	sim_set(h, at(bdf, "vlans").text, VLANS_DEFAULT);
	return 0;
}

int sim_nic_write(struct host *h, const char *rest, const char *value)
{
	const char *what = str_basename(rest);
	char bdf[BDF_TEXT_MAX], up[16] = "";
	uint64_t mtu;

	snprintf(bdf, sizeof(bdf), "%.*s", (int)strcspn(rest, "/"), rest);
	if (!host_has(h, at(bdf, "name").text))
		return -ENODEV;
	host_read(h, at(bdf, "up").text, up, sizeof(up));
	if (strcmp(what, "master") == 0)
		return write_master(h, bdf, value);
	if (strcmp(what, "name") == 0 && strcmp(up, "up") == 0)
		return -EBUSY;
	if (strcmp(what, "mtu") == 0 && !str_decimal(value, MTU_MAX, &mtu))
		return -EINVAL;
	if (strcmp(what, "up") == 0 && strcmp(value, "up") != 0 && strcmp(value, "down") != 0)
		return -EINVAL;
	if (strcmp(what, "vlans") == 0 && !host_has(h, at(bdf, "master").text))
		return -EOPNOTSUPP;
	if (strcmp(what, "loose") == 0)
		return -EINVAL;
	sim_set(h, at(bdf, what).text, value);
	return 0;
}

/* --- units ------------------------------------------------------------------------------------------------------- */

static void set_run(struct host *h, const char *unit, bool runs)
{
	char name[HOST_NAME_BYTES], run[40] = "", last[40] = "1000";

	if (runs) {
		host_read(h, "sim/last_run", last, sizeof(last));
		snprintf(run, sizeof(run), "%032lx", strtoul(last, NULL, 16) + 1);
		sim_set(h, "sim/last_run", run);
	}
	snprintf(name, sizeof(name), "unit/%.200s/state", unit);
	sim_set(h, name, runs ? "active" : "inactive");
	snprintf(name, sizeof(name), "unit/%.200s/run", unit);
	sim_set(h, name, run);
}

int sim_unit_write(struct host *h, const char *rest, const char *verb)
{
	char unit[HOST_NAME_BYTES], name[HOST_NAME_BYTES], state[32];
	bool runs;

	snprintf(unit, sizeof(unit), "%.*s", (int)strcspn(rest, "/"), rest);
	snprintf(name, sizeof(name), "unit/%.200s/state", unit);
	if (host_read(h, name, state, sizeof(state)) < 0)
		return -ENOENT;
	runs = strcmp(state, "active") == 0;
	if (strcmp(verb, "restart") == 0 || (strcmp(verb, "start") == 0 && !runs))
		set_run(h, unit, true);
	else if (strcmp(verb, "stop") == 0 && runs)
		set_run(h, unit, false);
	else if (strcmp(verb, "start") != 0 && strcmp(verb, "stop") != 0)
		return -EINVAL;
	return 0;
}
