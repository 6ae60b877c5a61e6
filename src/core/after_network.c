/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/after_network.h"
#include "core/look.h"

/* Whether that look of a step is at a network interface, and has something to come back to. */
static bool brings_nic(const struct step *s, size_t look, enum goal goal)
{
	return str_starts(s->look[look], "nic/") && step_goal(s, goal)->v[look].kind != VALUE_ANY;
}

/* Whether a step from that one on brings it back while the lease lasts: it is no longer away when that ends. */
static bool is_found_from(const struct plan *plan, size_t from, const char *nic)
{
	for (size_t i = from; i < plan->n; i++)
		for (size_t k = 0; k < plan->steps[i].n_looks; k++)
			if (brings_nic(&plan->steps[i], k, GOAL_TO) && look_is_of_same(nic, plan->steps[i].look[k]))
				return true;
	return false;
}

/* The functions whose interfaces a step brings back, behind those that others do: "0000:00:1f.6, 0000:02:00.0". */
static const char *add_nics(struct planner *p, size_t step, enum goal goal, const char *text)
{
	const struct step *s = &p->plan.steps[step];
	char address[BDF_TEXT_MAX];

	for (size_t k = 0; k < s->n_looks; k++) {
		if (!brings_nic(s, k, goal) || !look_function(s->look[k], address) || strstr(text, address) ||
		    (goal == GOAL_HOME && is_found_from(&p->plan, step + 1, s->look[k])))
			continue;
		text = arena_fmt(p->arena, "%s%s%s", text, *text ? ", " : "", address);
	}
	return text;
}

static void plan_after(struct planner *p, enum phase phase, const char *nics)
{
	const struct profile *profile = p->profile;
	size_t from = p->plan.n;

	for (size_t i = 0; *nics && i < profile->n_steps[AFTER_NETWORK]; i++) {
		struct wish *w = arena_alloc(p->arena, sizeof(*w));

		*w = profile->steps[AFTER_NETWORK][i];
		w->phase = phase;
		w->action->plan(p, w);
	}
	for (size_t i = from; i < p->plan.n; i++)
		if (!p->plan.steps[i].why)
			p->plan.steps[i].why = arena_fmt(p->arena, "after-network: %s", nics);
}

void after_network_within(struct planner *p, size_t from, enum phase phase)
{
	const char *nics = "";

	for (size_t i = from; i < p->plan.n; i++)
		nics = add_nics(p, i, GOAL_TO, nics);
	plan_after(p, phase, nics);
}

void after_network_home(struct planner *p)
{
	const char *nics = "";

	for (size_t i = 0; i < p->plan.n; i++)
		nics = add_nics(p, i, GOAL_HOME, nics);
	plan_after(p, PHASE_POST_STOP, nics);
}
