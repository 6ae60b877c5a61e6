/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/sim.h"
#include "host/sim_holder.h"
#include "host/sim_nic.h"

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

static void stop(struct host *h, const char *unit)
{
	set_run(h, unit, false);
	sim_holder_stop(h, unit);
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
		stop(h, unit);
	else if (strcmp(verb, "start") != 0 && strcmp(verb, "stop") != 0)
		return -EINVAL;
	return 0;
}
