/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rescan: functions that an earlier step of the same plan removed are found again. */
#include "core/place.h"
#include "core/scan.h"
#include "core/turn.h"

extern const struct action action_rescan;

static const struct field fields[] = {
	{ .name = "rescan", .kind = FIELD_DEVICES, .required = true,
	  .help = "the devices that come back; an earlier step 'remove' names them too" },
	{ 0 },
};

static void plan(struct planner *p, const struct wish *w)
{
	struct selection found = planner_select(p, &w->fields[0]);
	struct forecast f;

	for (size_t i = 0; i < found.n; i++)
		if (!scan_is_removed(p, found.list[i])) {
			finding_add(p->findings, SEVERITY_ERROR, "not-removed", w->place,
				    "write a step 'remove' before it, or 'cycle' in place of both",
				    "%s is not removed by any earlier step", found.list[i]->address);
			return;
		}
	split_foretell(p->inventory, &found, p->arena, &f);
	if (!place_may_return(p, w, &f) || !scan_brings_only(p, w, &f, true))
		return;
	for (size_t i = 0; i < found.n; i++) {
		const struct function *fn = found.list[i];
		struct step *s = planner_add(p, w, fn);

		if (!s)
			return;
		s->id = NULL;
		step_look(s, arena_fmt(p->arena, "life/%s", fn->address), value_any(), value_present(), value_any());
		place_found(p, s, fn, &f, false);
		/* Until the earlier step has been done it is there, and then it is not. */
		for (size_t k = 0; k < s->n_looks; k++)
			s->from.v[k] = value_any();
	}
	planner_foresee(p, &f);
}

const struct action action_rescan = {
	.name = "rescan",
	.help = "find devices again that an earlier step has removed",
	.phases = PHASE_BIT(PHASE_PRE_START),
	.phases_why = "it belongs to a step 'remove', which stands in pre-start",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
