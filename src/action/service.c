/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service: units of systemd are started, stopped or restarted. */
#include <errno.h>
#include <string.h>

#include "core/plan.h"
#include "core/turn.h"

extern const struct action action_service;

static const char *const verbs[] = { "restart", "start", "stop", NULL };

static const struct field fields[] = {
	{ .name = "service", .kind = FIELD_UNITS, .required = true, .verbs = verbs,
	  .help = "restart, start or stop, and the units; what was started or stopped goes back when the VM has stopped" },
	{ 0 },
};

/* One that runs: its state is neither of these. */
static bool runs(const char *state)
{
	return strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0;
}

/*
 * from is what a start that fails brings back, so it is said in pre-start alone; later the unit may have changed by
 * itself. home is what the end of the lease brings back.
 */
static void look_at_unit(struct step *s, const char *verb, const char *text, const char *state, const char *run,
			 struct arena *a)
{
	bool runs_now = runs(text), undone = s->phase == PHASE_PRE_START;
	struct value stopped = undone && !runs_now ? value_of("") : value_any();
	struct value active = undone && strcmp(text, "active") == 0 ? value_of("active") : value_any();

	if (strcmp(verb, "restart") == 0) {
		step_look(s, run, value_any(), value_new(a), value_any());
		step_look(s, state, value_any(), value_of("active"), value_any());
	} else if (strcmp(verb, "start") == 0) {
		step_look(s, state, value_any(), value_of("active"), value_any());
		step_look(s, run, stopped, value_present(), runs_now ? value_any() : value_of(""));
	} else {
		step_look(s, run, value_any(), value_of(""), value_any());
		step_look(s, state, active, value_any(), runs_now ? value_of("active") : value_any());
	}
}

/*
 * A profile may come from another host, and there is no unit that is harmless everywhere: poweroff.target starts,
 * debug-shell.service opens a root shell, a slice takes all that is in it along. So only the policy's own words count,
 * spelled as the profile spells them: another name of the same unit is not listed.
 */
static bool is_allowed(struct planner *p, const struct word *unit, const char *verb)
{
	const struct names *services = &p->policy->services;

	if (names_have(services, unit->s))
		return true;
	finding_add(p->findings, SEVERITY_ERROR, "service-not-allowed", unit->place,
		    policy_line_remedy("services", services, unit->s, p->arena),
		    "the policy of this host does not allow to %s %s", verb, unit->s);
	return false;
}

static void plan_one(struct planner *p, const struct wish *w, const struct word *unit)
{
	const char *state = arena_fmt(p->arena, "unit/%s/state", unit->s), *run = arena_fmt(p->arena, "unit/%s/run", unit->s);
	char text[64];
	ssize_t n = host_read(p->host, state, text, sizeof(text));
	struct step *s;

	if (n < 0) {
		finding_add(p->findings, SEVERITY_ERROR, "unit-missing", unit->place,
			    "compare with `systemctl list-unit-files`", "%s: %s", unit->s,
			    n == -ENOENT ? "there is no such unit, or no systemd" : strerrordesc_np((int)-n));
		return;
	}
	if (!is_allowed(p, unit, w->fields[0].verb.s))
		return;
	s = planner_add_named(p, w, unit->s);
	if (s)
		look_at_unit(s, w->fields[0].verb.s, text, state, run, p->arena);
}

static void plan(struct planner *p, const struct wish *w)
{
	for (size_t i = 0; i < w->fields[0].n; i++)
		plan_one(p, w, &w->fields[0].list[i]);
}

const struct action action_service = {
	.name = "service",
	.help = "start, stop or restart units of systemd",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_POST_START) | PHASE_BIT(PHASE_PRE_STOP) |
		  PHASE_BIT(PHASE_POST_STOP) | PHASE_BIT(AFTER_NETWORK),
	.phases_why = "systemd is busy with the boot itself then: give the unit an order of its own",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
