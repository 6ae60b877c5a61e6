/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait: something must become so within a time. It waits for the kernel's events and no longer than it must. */
#include "core/plan.h"
#include "core/turn.h"

extern const struct action action_wait;

#define WAIT_DEFAULT_MS 10000

enum { FIELD_WAIT, FIELD_IS_BOUND, FIELD_FOR };

static const struct field fields[] = {
	{ .name = "wait", .kind = FIELD_DEVICES, .required = true, .help = "the devices that are to be there" },
	{ .name = "driver", .kind = FIELD_WORD, .help = "the driver they are to be bound to" },
	{ .name = "for", .kind = FIELD_TIME, .help = "how long at most, such as 10s, which is what is waited if nothing is said" },
	{ 0 },
};

static void plan(struct planner *p, const struct wish *w)
{
	struct selection s = planner_select(p, &w->fields[FIELD_WAIT]);
	unsigned ms = WAIT_DEFAULT_MS;

	if (w->fields[FIELD_FOR].n)
		str_duration(w->fields[FIELD_FOR].list[0].s, PHASE_MS, &ms);
	for (size_t i = 0; i < s.n; i++)
		planner_expect(p, w, s.list[i], field_word(&w->fields[FIELD_IS_BOUND], NULL), NULL, ms);
}

const struct action action_wait = {
	.name = "wait",
	.help = "wait until devices are there or bound to a driver; fail if that takes too long",
	.phases = (1u << PROFILE_SECTIONS) - 1,
	.fields = fields,
	.plan = plan,
	.next = turn_wait,
};
