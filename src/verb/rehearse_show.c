/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/same.h"
#include "verb/json.h"
#include "verb/rehearse.h"

static const char *cell(const struct inventory *inv, const char *address, struct arena *a)
{
	const struct function *fn = inventory_find(inv, address);

	if (!fn)
		return "gone";
	return arena_fmt(a, "%s, %s", fn->driver ? fn->driver : "no driver",
			 fn->group >= 0 ? arena_fmt(a, "group %d", fn->group) : "no group");
}

static bool plan_concerns(const struct life *l, const struct function *fn)
{
	for (size_t i = 0; i < l->subject.planner.plan.n; i++) {
		const struct step *s = &l->subject.planner.plan.steps[i];
		char address[BDF_TEXT_MAX];

		for (size_t k = 0; k < s->n_looks; k++) {
			const struct function *other;

			if (!look_function(s->look[k], address))
				continue;
			other = inventory_find(&l->before, address);
			if (other && (strcmp(address, fn->address) == 0 || function_same_group(other, fn)))
				return true;
		}
	}
	return false;
}

/* What the plans are about, and who shares a group with it. */
static bool concerns(const struct rehearsal *x, const struct function *fn)
{
	return (x->boots && plan_concerns(&x->boot, fn)) || (x->n && plan_concerns(&x->lives[0], fn));
}

static const struct inventory *first(const struct rehearsal *x)
{
	return x->boots ? &x->boot.before : &x->lives[0].before;
}

static void print_table(const struct rehearsal *x)
{
	struct arena *a = x->run->arena;
	const struct inventory *start = first(x);

	printf("\n%-14s", "device");
	if (x->boots)
		printf(" %-26s %-26s", "at power-on", "after boot");
	else
		printf(" %-26s", "before");
	if (x->n)
		printf(" %-26s %-26s", "while the VM runs", "after");
	puts(" what it is");
	for (size_t i = 0; i < start->n; i++) {
		const struct function *fn = &start->functions[i];

		if (!concerns(x, fn))
			continue;
		printf("%-14s %-26s", fn->address, cell(start, fn->address, a));
		if (x->boots)
			printf(" %-26s", cell(&x->boot.after, fn->address, a));
		if (x->n)
			printf(" %-26s %-26s", cell(&x->lives[0].during, fn->address, a),
			       cell(&x->lives[0].after, fn->address, a));
		printf(" %s\n", function_name(fn, a));
	}
}

static void print_life(size_t n, const struct life *l)
{
	if (l->out != OUTCOME_DONE || l->back != OUTCOME_DONE)
		printf("life %zu: failed: %s\n", n, l->error.text);
	else if (l->n_differences == 0)
		printf("life %zu: %zu steps and back; the host is as it was\n", n, l->subject.planner.plan.n);
	else
		printf("life %zu: %zu steps and back; %zu differences:\n", n, l->subject.planner.plan.n, l->n_differences);
	for (size_t i = 0; i < l->n_differences && i < DIFFERENCES_MAX; i++)
		printf("  %s\n", l->differences[i]);
}

/* Whether it is the same incarnation of the function. */
static bool stayed(const struct inventory *then, const struct inventory *now, const struct function *fn)
{
	const struct function *x = inventory_find(then, fn->address), *y = inventory_find(now, fn->address);

	return x && y && x->life && y->life && strcmp(x->life, y->life) == 0 && x->nic && y->nic;
}

static void print_nic(const struct rehearsal *x, const struct function *fn)
{
	const char *when = "at boot, before there is a network";
	bool leaves = x->boots && !stayed(&x->boot.before, &x->boot.after, fn), again = false;

	for (size_t i = 0; i < x->n; i++)
		again = again || !stayed(&x->lives[i].before, &x->lives[i].during, fn) ||
			!stayed(&x->lives[i].before, &x->lives[i].after, fn);
	if (again)
		when = leaves ? "at boot and in the VM's life" : "in the VM's life";
	printf("network %s (%s): ", fn->nic, fn->address);
	if (leaves || again)
		printf("leaves %s%s\n", when, again ? "" : "; never afterwards");
	else
		puts("never leaves");
}

void rehearsal_print(const struct rehearsal *x)
{
	const struct inventory *start = first(x);

	print_table(x);
	putchar('\n');
	if (x->boots && x->boot.out != OUTCOME_DONE)
		printf("boot: failed: %s\n", x->boot.error.text);
	else if (x->boots && x->writes_again)
		printf("boot: %zu steps; run again they write again (%zu)\n", x->boot.subject.planner.plan.n, x->writes_again);
	else if (x->boots)
		printf("boot: %zu steps; run again they write nothing\n", x->boot.subject.planner.plan.n);
	for (size_t i = 0; i < x->n; i++)
		print_life(i + 1, &x->lives[i]);
	for (size_t i = 0; i < start->n; i++)
		if (start->functions[i].nic)
			print_nic(x, &start->functions[i]);
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static struct json_object *json_state(const struct rehearsal *x, const struct inventory *inv)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < inv->n; i++) {
		const struct function *fn = &inv->functions[i];
		struct json_object *o;

		if (!concerns(x, fn))
			continue;
		o = json_object_new_object();
		json_add(o, "device", json_text(fn->address));
		json_add(o, "driver", json_text(fn->driver));
		json_add(o, "group_members", json_text(group_members(inv, fn, x->run->arena)));
		json_add(o, "network_interface", json_text(fn->nic));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_life(const struct rehearsal *x, const struct life *l, const char *what)
{
	struct json_object *o = json_object_new_object(), *steps = json_object_new_array();
	struct json_object *differences = json_object_new_array();

	for (size_t k = 0; k < l->subject.planner.plan.n; k++)
		json_object_array_add(steps, json_step(&l->subject.planner.plan.steps[k]));
	for (size_t k = 0; k < l->n_differences && k < DIFFERENCES_MAX; k++)
		json_object_array_add(differences, json_text(l->differences[k]));
	json_add(o, "what", json_text(what));
	json_add(o, "findings", json_findings(&l->subject.findings));
	json_add(o, "steps", steps);
	json_add(o, "before", json_state(x, &l->before));
	json_add(o, "during", json_state(x, &l->during));
	json_add(o, "after", json_state(x, &l->after));
	json_add(o, "error", json_text(*l->error.text ? l->error.text : NULL));
	json_add(o, "differences", differences);
	return o;
}

void rehearsal_print_json(const struct rehearsal *x)
{
	struct json_object *list = json_object_new_array();

	if (x->boots)
		json_object_array_add(list, json_life(x, &x->boot, "boot"));
	for (size_t i = 0; i < x->n; i++)
		json_object_array_add(list, json_life(x, &x->lives[i], "life"));
	json_print(list);
}

/* --- the verdict ------------------------------------------------------------------------------------------------- */

/* What a look of a step reads in the end, and in the beginning. */
static bool ends_elsewhere(const struct step *s, size_t look)
{
	const struct value *end = s->home.v[look].kind == VALUE_ANY ? &s->to.v[look] : &s->home.v[look];

	return end->kind == VALUE_TEXT && (s->from.v[look].kind != VALUE_TEXT || !value_fits(end, &s->from.v[look]));
}

/*
 * Whether a step asks for that difference: its function shall have another driver in the end, with 'return: keep' and its
 * like, and then other things of it are others, too; or it is the members of a group, of which one is to have another, as
 * after 'isolate'.
 */
static bool is_asked_for(const struct step *s, const char *difference)
{
	for (size_t i = 0; i < s->n_looks; i++) {
		char address[BDF_TEXT_MAX];

		if (!ends_elsewhere(s, i) || !look_function(s->look[i], address))
			continue;
		if (str_starts(s->look[i], "group/") && strstr(difference, " " SAME_GROUP ": "))
			return true;
		if (strcmp(str_basename(s->look[i]), "driver") == 0 && str_starts(difference, address))
			return true;
	}
	return false;
}

static bool all_asked_for(const struct life *l)
{
	const struct plan *plan = &l->subject.planner.plan;

	for (size_t i = 0; i < l->n_differences; i++) {
		bool asked = false;

		for (size_t k = 0; k < plan->n && i < DIFFERENCES_MAX && !asked; k++)
			asked = is_asked_for(&plan->steps[k], l->differences[i]);
		if (!asked)
			return false;
	}
	return true;
}

static enum outcome life_outcome(const struct life *l)
{
	/* What would not be done on this host says nothing about it, however it ends. */
	if (l->subject.findings.errors)
		return OUTCOME_REFUSED;
	if (l->out != OUTCOME_DONE)
		return l->out;
	if (l->back != OUTCOME_DONE)
		return l->back;
	return all_asked_for(l) ? OUTCOME_DONE : OUTCOME_CHANGED;
}

enum outcome rehearsal_outcome(const struct rehearsal *x)
{
	enum outcome o = OUTCOME_DONE;

	if (x->boots && x->boot.subject.findings.errors)
		o = OUTCOME_REFUSED;
	else if (x->boots && x->boot.out != OUTCOME_DONE)
		return x->boot.out;
	for (size_t i = 0; i < x->n; i++) {
		enum outcome life = life_outcome(&x->lives[i]);

		if (life != OUTCOME_DONE && life != OUTCOME_REFUSED)
			return life;
		o = life == OUTCOME_REFUSED ? life : o;
	}
	return o;
}
