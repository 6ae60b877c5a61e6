/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/after_network.h"
#include "core/alternatives.h"
#include "core/place.h"
#include "core/plan.h"
#include "core/pvemap_check.h"
#include "core/pverefuse.h"
#include "core/rails.h"

static struct selection *selection_of(struct planner *p, const char *name)
{
	for (size_t i = 0; i < p->profile->n_devices; i++)
		if (strcmp(p->profile->devices[i].name, name) == 0)
			return &p->devices[i];
	return NULL;
}

struct selection planner_select(struct planner *p, const struct words *names)
{
	struct selection all = { 0 };

	for (size_t i = 0; i < names->n; i++) {
		const struct selection *s = selection_of(p, names->list[i].s);

		if (!s || s->n == 0)
			return (struct selection){ 0 };
		for (size_t j = 0; j < s->n; j++)
			selection_add(&all, s->list[j], p->arena);
	}
	return all;
}

bool planner_names(const struct planner *p, const struct action *action, const struct function *fn)
{
	for (int section = 0; section < PROFILE_SECTIONS; section++)
		for (size_t i = 0; i < p->profile->n_steps[section]; i++) {
			const struct wish *w = &p->profile->steps[section][i];
			struct planner *look = (struct planner *)p;

			for (size_t j = 0; w->action == action && j < w->fields[0].n; j++) {
				const struct selection *s = selection_of(look, w->fields[0].list[j].s);

				if (s && selection_holds(s, fn))
					return true;
			}
		}
	return false;
}

bool planner_accepts(const struct planner *p, const char *code, const struct function *fn)
{
	for (size_t i = 0; i < p->profile->n_accepts; i++) {
		const struct accept *x = &p->profile->accepts[i];

		for (size_t k = 0; strcmp(x->code, code) == 0 && k < x->devices.n; k++) {
			const struct selection *s = selection_of((struct planner *)p, x->devices.list[k].s);

			if (s && selection_holds(s, fn))
				return true;
		}
	}
	return false;
}

const char *planner_name(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; i < p->profile->n_devices; i++)
		if (selection_holds(&p->devices[i], fn))
			return p->profile->devices[i].name;
	return NULL;
}

void planner_leaves(struct planner *p, struct leaving leaving)
{
	leaving.after = p->plan.n;
	p->leaving = arena_grow(p->arena, p->leaving, p->n_leaving, sizeof(*p->leaving));
	p->leaving[p->n_leaving++] = leaving;
}

void planner_foresee(struct planner *p, const struct forecast *f)
{
	for (size_t i = 0; i < p->inventory->n; i++)
		p->inventory->functions[i].group = f->group[i];
}

struct step *planner_add_named(struct planner *p, const struct wish *w, const char *device)
{
	struct step *s;

	if (p->plan.n == PLAN_STEPS_MAX) {
		finding_add(p->findings, SEVERITY_ERROR, "plan-too-long", w->place, "hand over fewer devices",
			    "the plan needs more than %d steps", PLAN_STEPS_MAX);
		return NULL;
	}
	p->wishes[p->plan.n] = w;
	s = &p->plan.steps[p->plan.n++];
	*s = step_new(w->action, device, w->phase, p->arena);
	return s;
}

struct step *planner_add(struct planner *p, const struct wish *w, const struct function *fn)
{
	struct step *s = planner_add_named(p, w, fn->address);

	if (s)
		s->id = fn->id;
	return s;
}

void planner_expect(struct planner *p, const struct wish *w, const struct function *fn, const char *driver,
		    const char *members, unsigned patience_ms)
{
	struct step *s = planner_add_named(p, w, fn->address);
	struct arena *a = p->arena;

	if (!s)
		return;
	s->patience_ms = patience_ms;
	if (driver)
		step_look(s, arena_fmt(a, "sys/bus/pci/devices/%s/driver", fn->address), value_any(), value_of(driver),
			  value_any());
	if (members)
		step_look(s, arena_fmt(a, "group/%s", fn->address), value_any(), value_of(members), value_any());
	step_look(s, arena_fmt(a, "id/%s", fn->address), value_any(), value_of(fn->id), value_any());
}

const char *field_word(const struct words *w, const char *otherwise)
{
	return w->n ? w->list[0].s : otherwise;
}

/* What the steps are planned for changes as they are planned; what was found stays as it was found. */
static const struct inventory *copy_inventory(struct arena *a, const struct inventory *found)
{
	struct inventory *copy = arena_alloc(a, sizeof(*copy));

	copy->n = found->n;
	copy->functions = arena_array(a, found->n, sizeof(*copy->functions));
	if (found->n)
		memcpy(copy->functions, found->functions, found->n * sizeof(*copy->functions));
	return copy;
}

/* What a device may be selected by that is no PCI function; NULL: none is, or that it cannot be read is told. */
static const struct usb *read_usb(struct planner *p)
{
	struct usb *usb = arena_alloc(p->arena, sizeof(*usb));
	struct error err;

	for (size_t i = 0; i < p->profile->n_devices; i++) {
		const struct word *word = &p->profile->devices[i].usb;

		if (!word->s)
			continue;
		if (usb_read(p->host, p->arena, usb, &err) == 0)
			return usb;
		finding_add(p->findings, SEVERITY_ERROR, "usb-unreadable", word->place, NULL, "%s", err.text);
		return NULL;
	}
	return NULL;
}

static void select_devices(struct planner *p)
{
	const struct usb *usb = read_usb(p);

	p->devices = arena_array(p->arena, p->profile->n_devices, sizeof(*p->devices));
	for (size_t i = 0; i < p->profile->n_devices; i++) {
		struct device_wish w = p->profile->devices[i];

		if (w.mapping.s)
			w.mapped = alternatives_find(p, w.mapping.s);
		select_functions(&w, p->inventory, p->guest, usb, &p->devices[i], p->findings);
	}
}

bool plan_make(struct planner *p)
{

	p->plan = (struct plan){ .steps = arena_array(p->arena, PLAN_STEPS_MAX, sizeof(struct step)) };
	p->wishes = arena_array(p->arena, PLAN_STEPS_MAX, sizeof(*p->wishes));
	p->inventory = copy_inventory(p->arena, p->found);
	select_devices(p);
	for (int phase = 0; phase < PHASES; phase++) {
		/* What has come home is what steps of post-stop find. */
		if (phase == PHASE_POST_STOP) {
			rails_check_groups(p);
			place_come_home(p);
			after_network_home(p);
		}
		for (size_t i = 0; i < p->profile->n_steps[phase]; i++) {
			const struct wish *w = &p->profile->steps[phase][i];
			size_t from = p->plan.n;

			w->action->plan(p, w);
			after_network_within(p, from, w->phase);
		}
	}
	pvemap_check(p);
	if (p->guest)
		pverefuse_tell(p->host, p->guest, p->vmid, p->found, &p->mappings, p->findings);
	rails_check(p);
	return p->findings->errors == 0;
}
