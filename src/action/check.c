/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: something must be so, or the phase fails. */
#include <string.h>

#include "core/plan.h"
#include "core/turn.h"

extern const struct action action_check;

enum { FIELD_CHECK, FIELD_IS_BOUND, FIELD_GROUP };

static const struct field fields[] = {
	{ .name = "check", .kind = FIELD_DEVICES, .required = true, .help = "the devices that must be there" },
	{ .name = "driver", .kind = FIELD_WORD, .help = "the driver they must be bound to" },
	{ .name = "group", .kind = FIELD_WORD, .help = "alone: each must share its IOMMU group with nobody" },
	{ 0 },
};

static void plan(struct planner *p, const struct wish *w)
{
	struct selection s = planner_select(p, &w->fields[FIELD_CHECK]);
	const char *group = field_word(&w->fields[FIELD_GROUP], NULL);

	if (group && strcmp(group, "alone") != 0) {
		finding_add(p->findings, SEVERITY_ERROR, "bad-group", w->fields[FIELD_GROUP].list[0].place,
			    "write 'alone'; numbers change, so they are not checked", "'group' cannot be '%s'", group);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		planner_expect(p, w, s.list[i], field_word(&w->fields[FIELD_IS_BOUND], NULL),
			       group ? s.list[i]->address : NULL, 0);
}

const struct action action_check = {
	.name = "check",
	.help = "look whether devices are there, bound to a driver, or alone in their IOMMU groups; fail if not",
	.phases = (1u << PROFILE_SECTIONS) - 1,
	.fields = fields,
	.plan = plan,
	.next = turn_wait,
};
