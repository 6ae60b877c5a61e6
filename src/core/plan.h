/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PLAN_H
#define HANDOVER_PLAN_H

#include "base/findings.h"
#include "core/action.h"
#include "core/inventory.h"
#include "core/profile.h"
#include "core/pveconf.h"
#include "core/select.h"
#include "core/step.h"

/* The steps of a whole lease, in the order in which they are done. What is printed is this, and what is run is this. */
struct plan {
	struct step *steps;
	size_t n;
};

/* What an action's plan() works with. */
struct planner {
	struct host *host;			/* to be read only */
	const struct inventory *inventory;
	const struct profile *profile;
	const struct pve_guest *guest;		/* NULL: no VM is known */
	struct findings *findings;
	struct arena *arena;
	struct plan plan;
	struct selection *devices;		/* of profile->devices; n = 0 where the device was not found */
};

/*
 * Makes the plan of a profile for a host. Pure: it reads the host and changes nothing. False if there is any error in
 * findings; the plan is then not to be used. p->host to p->arena are given; the rest is filled in.
 */
bool plan_make(struct planner *p);

/* The functions a wish's field names, without doubles, by address. n = 0 if one was not found: that has been told. */
struct selection planner_select(struct planner *p, const struct words *names);

/* Whether any wish of this action names the function itself. */
bool planner_names(const struct planner *p, const struct action *action, const struct function *fn);

/* A new step at the end of the plan, for the action to fill in. NULL if there are PLAN_STEPS_MAX already (told). */
struct step *planner_add(struct planner *p, const struct wish *w, const struct function *fn);

/* Adds a look to a step; what it reads goes from 'from' to 'to' and, when the lease ends, to 'home'. */
void step_look(struct step *s, const char *name, struct value from, struct value to, struct value home);

struct value value_of(const char *text);
struct value value_any(void);
bool value_fits(const struct value *now, const struct value *goal);

enum goal { GOAL_TO, GOAL_FROM, GOAL_HOME };
const struct looks *step_goal(const struct step *s, enum goal goal);
bool looks_fit(const struct step *s, const struct looks *now, const struct looks *goal);

/*
 * The writes that lead from one state of a step to another, as far as they can be foretold: what the engine will do
 * if the host answers as expected. They belong to a; at most STEP_WRITES_MAX.
 */
#define STEP_WRITES_MAX 16
size_t step_writes(const struct step *s, const struct looks *from, const struct looks *goal, struct poke *writes);

#endif
