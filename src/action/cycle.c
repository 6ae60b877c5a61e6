/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cycle: functions are removed together and found anew by one rescan of their bus: as fresh as after a boot. */
#include "core/place.h"
#include "core/turn.h"

extern const struct action action_cycle;

static const struct field fields[] = {
	{ .name = "cycle", .kind = FIELD_DEVICES, .required = true,
	  .help = "the devices; they leave together and come back together" },
	{ 0 },
};

static void plan(struct planner *p, const struct wish *w)
{
	struct selection moved = planner_select(p, &w->fields[0]);

	if (moved.n)
		place_cycle(p, w, &moved);
}

const struct action action_cycle = {
	.name = "cycle",
	.help = "remove devices and find them anew, so that their drivers meet them fresh",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_POST_STOP) | PHASE_BIT(PHASE_BOOT),
	.phases_why = "a device that QEMU holds cannot be removed",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
