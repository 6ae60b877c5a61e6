/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "core/plan.h"

struct value value_of(const char *text)
{
	return (struct value){ .text = text };
}

struct value value_any(void)
{
	return (struct value){ .any = true };
}

bool value_fits(const struct value *now, const struct value *goal)
{
	return goal->any || str_same(now->text, goal->text);
}

bool looks_fit(const struct step *s, const struct looks *now, const struct looks *goal)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (!value_fits(&now->v[i], &goal->v[i]))
			return false;
	return true;
}

const struct looks *step_goal(const struct step *s, enum goal goal)
{
	switch (goal) {
	case GOAL_TO:
		return &s->to;
	case GOAL_FROM:
		return &s->from;
	case GOAL_HOME:
		return &s->home;
	}
	return NULL;
}

void step_look(struct step *s, const char *name, struct value from, struct value to, struct value home)
{
	size_t i = s->n_looks++;

	assert(i < STEP_LOOKS_MAX);
	s->look[i] = name;
	s->from.v[i] = from;
	s->to.v[i] = to;
	s->home.v[i] = home;
}

size_t step_writes(const struct step *s, const struct looks *from, const struct looks *goal, struct poke *writes)
{
	struct looks now = *from;
	struct error err;
	size_t n = 0;

	while (n < STEP_WRITES_MAX && !looks_fit(s, &now, goal) && s->action->next(s, &now, goal, &writes[n], &err)) {
		writes[n].perhaps = now.v[writes[n].look].any;
		now.v[writes[n].look] = writes[n].becomes;
		n++;
	}
	return n;
}

static struct selection *selection_of(struct planner *p, const char *name)
{
	for (size_t i = 0; i < p->profile->n_devices; i++)
		if (strcmp(p->profile->devices[i].name, name) == 0)
			return &p->devices[i];
	return NULL;
}

static bool holds(const struct selection *s, const struct function *fn)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i] == fn)
			return true;
	return false;
}

struct selection planner_select(struct planner *p, const struct words *names)
{
	struct selection all = { 0 };

	for (size_t i = 0; i < names->n; i++) {
		const struct selection *s = selection_of(p, names->list[i].s);

		if (!s || s->n == 0)
			return (struct selection){ 0 };
		for (size_t j = 0; j < s->n; j++) {
			if (holds(&all, s->list[j]))
				continue;
			all.list = arena_grow(p->arena, all.list, all.n, sizeof(*all.list));
			all.list[all.n++] = s->list[j];
		}
	}
	return all;
}

bool planner_names(const struct planner *p, const struct action *action, const struct function *fn)
{
	for (int phase = 0; phase < PHASES; phase++)
		for (size_t i = 0; i < p->profile->n_steps[phase]; i++) {
			const struct wish *w = &p->profile->steps[phase][i];
			struct planner *look = (struct planner *)p;

			for (size_t j = 0; w->action == action && j < w->fields[0].n; j++) {
				const struct selection *s = selection_of(look, w->fields[0].list[j].s);

				if (s && holds(s, fn))
					return true;
			}
		}
	return false;
}

struct step *planner_add(struct planner *p, const struct wish *w, const struct function *fn)
{
	struct step *s;

	if (p->plan.n == PLAN_STEPS_MAX) {
		finding_add(p->findings, SEVERITY_ERROR, "plan-too-long", w->place, "hand over fewer devices",
			    "the plan needs more than %d steps", PLAN_STEPS_MAX);
		return NULL;
	}
	s = &p->plan.steps[p->plan.n++];
	*s = (struct step){ .action = w->action, .device = fn->address, .phase = w->phase, .id = fn->id };
	return s;
}

bool plan_make(struct planner *p)
{
	size_t n = p->profile->n_devices;

	p->plan = (struct plan){ .steps = arena_array(p->arena, PLAN_STEPS_MAX, sizeof(struct step)) };
	p->devices = arena_array(p->arena, n, sizeof(*p->devices));
	for (size_t i = 0; i < n; i++)
		select_functions(&p->profile->devices[i], p->inventory, p->guest, &p->devices[i], p->findings);
	for (int phase = 0; phase < PHASES; phase++)
		for (size_t i = 0; i < p->profile->n_steps[phase]; i++) {
			const struct wish *w = &p->profile->steps[phase][i];

			w->action->plan(p, w);
		}
	return p->findings->errors == 0;
}
