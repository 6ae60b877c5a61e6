/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove: functions leave the host, and are found again when the VM has stopped, or by a later step 'rescan'. */
#include "core/place.h"
#include "core/turn.h"

extern const struct action action_remove;

static const struct field fields[] = {
	{ .name = "remove", .kind = FIELD_DEVICES, .required = true, .help = "the devices that leave" },
	{ 0 },
};

static void plan(struct planner *p, const struct wish *w)
{
	struct selection moved = planner_select(p, &w->fields[0]);
	bool may = moved.n > 0;

	for (size_t i = 0; i < moved.n; i++)
		may = place_may_leave(p, w, moved.list[i]) && place_may_be_found(p, w, moved.list[i]) && may;
	if (!may)
		return;
	for (size_t i = moved.n; i-- > 0;) {
		const struct function *fn = moved.list[i];
		struct step *s = planner_add(p, w, fn);

		if (!s)
			return;
		s->id = NULL;
		step_look(s, arena_fmt(p->arena, "life/%s", fn->address), value_present(), value_of(NULL), value_present());
		place_lent(p, s, fn);
	}
}

const struct action action_remove = {
	.name = "remove",
	.help = "take devices off the bus; they come back when the VM has stopped",
	.phases = PHASE_BIT(PHASE_PRE_START),
	.phases_why = "what is removed is found again when the VM stops; at boot and after a stop, use 'cycle'",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
