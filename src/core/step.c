/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/action.h"
#include "core/nic.h"
#include "core/step.h"

struct value value_of(const char *text)
{
	return (struct value){ .kind = VALUE_TEXT, .text = text };
}

struct value value_any(void)
{
	return (struct value){ .kind = VALUE_ANY };
}

struct value value_present(void)
{
	return (struct value){ .kind = VALUE_PRESENT };
}

struct value value_hoped(const char *text)
{
	return (struct value){ .kind = VALUE_HOPED, .text = text };
}

struct value value_new(struct arena *a)
{
	return (struct value){ .kind = VALUE_NEW, .was = arena_alloc(a, STEP_LIFE_BYTES) };
}

static bool is_there(const struct value *v)
{
	return v->text || v->kind == VALUE_PRESENT || v->kind == VALUE_NEW;
}

/* As long as nobody has begun, what is there is still the old one. */
static bool is_new(const struct value *now, const struct value *goal)
{
	return now->kind == VALUE_NEW || (now->text && *goal->was && strcmp(now->text, goal->was) != 0);
}

bool value_fits(const struct value *now, const struct value *goal)
{
	switch (goal->kind) {
	case VALUE_TEXT:
	case VALUE_HOPED:
		return now->kind != VALUE_PRESENT && now->kind != VALUE_NEW && str_same(now->text, goal->text);
	case VALUE_ANY:
		return true;
	case VALUE_PRESENT:
		return is_there(now);
	case VALUE_NEW:
		return is_new(now, goal);
	}
	return false;
}

const char *value_shown(const struct value *v)
{
	switch (v->kind) {
	case VALUE_TEXT:
	case VALUE_HOPED:
		return !v->text ? "none" : *v->text ? v->text : "nothing";
	case VALUE_ANY:
		return "any";
	case VALUE_PRESENT:
		return "there";
	case VALUE_NEW:
		return "found anew";
	}
	return "";
}

bool looks_fit(const struct step *s, const struct looks *now, const struct looks *goal)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (!value_fits(&now->v[i], &goal->v[i]))
			return false;
	return true;
}

bool looks_fit_but_hopes(const struct step *s, const struct looks *now, const struct looks *goal)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (goal->v[i].kind != VALUE_HOPED && !value_fits(&now->v[i], &goal->v[i]))
			return false;
	return true;
}

bool looks_are_any(const struct step *s, const struct looks *goal)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (goal->v[i].kind != VALUE_ANY)
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

struct step step_new(const struct action *action, const char *device, enum phase phase, struct arena *a)
{
	return (struct step){
		.action = action,
		.device = device,
		.phase = phase,
		.look = arena_array(a, STEP_LOOKS_MAX, sizeof(char *)),
		.from.v = arena_array(a, STEP_LOOKS_MAX, sizeof(struct value)),
		.to.v = arena_array(a, STEP_LOOKS_MAX, sizeof(struct value)),
		.home.v = arena_array(a, STEP_LOOKS_MAX, sizeof(struct value)),
	};
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

void step_was(struct step *s, size_t look, const char *text)
{
	if (s->to.v[look].kind == VALUE_NEW)
		snprintf(s->to.v[look].was, STEP_LIFE_BYTES, "%s", text);
	if (s->home.v[look].kind == VALUE_NEW)
		snprintf(s->home.v[look].was, STEP_LIFE_BYTES, "%s", text);
}

bool step_is_lent(const struct step *s)
{
	return s->phase == PHASE_PRE_START || s->phase == PHASE_BOOT;
}

bool look_function(const char *look, char address[BDF_TEXT_MAX])
{
	static const char *const prefixes[] = { "sys/bus/pci/devices/", "life/", "id/", "group/", "nic/", "usb/", "udev/" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		const char *at = look + strlen(prefixes[i]);
		struct bdf bdf;
		size_t n;

		if (!str_starts(look, prefixes[i]))
			continue;
		n = strcspn(at, "/");
		if (n >= BDF_TEXT_MAX)
			return false;
		memcpy(address, at, n);
		address[n] = '\0';
		return bdf_parse(address, &bdf);
	}
	return false;
}

bool look_is_witness(const char *look)
{
	return str_starts(look, "id/") || str_starts(look, "group/");
}

bool look_is_of_this_program(const char *look)
{
	return str_starts(look, "command/");
}

bool look_is_of_nic(const char *look, const char *what)
{
	return str_starts(look, "nic/") && strcmp(str_basename(look), what) == 0;
}

bool look_is_asked_last(const char *look)
{
	return look_is_of_nic(look, NIC_GATEWAY);
}

bool look_is_of_the_network(const char *look)
{
	return look_is_asked_last(look) || look_is_of_nic(look, NIC_CARRIER);
}

bool step_changes(const struct step *s, const char *address)
{
	char other[BDF_TEXT_MAX];

	for (size_t i = 0; i < s->n_looks; i++)
		if (!look_is_witness(s->look[i]) && look_function(s->look[i], other) && strcmp(other, address) == 0 &&
		    (s->from.v[i].kind != VALUE_ANY || s->to.v[i].kind != VALUE_ANY))
			return true;
	return false;
}

bool steps_share(const struct step *x, const struct step *y, char address[BDF_TEXT_MAX])
{
	for (size_t k = 0; k < x->n_looks; k++)
		if (look_function(x->look[k], address) && step_changes(x, address) && step_changes(y, address))
			return true;
	return false;
}
