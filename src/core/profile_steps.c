/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/action.h"
#include "core/profile_parts.h"

/* The names of all actions, NULL at the end. */
static const char *const *action_names(struct arena *a)
{
	const char **names;
	size_t n = 0;

	while (actions[n])
		n++;
	names = arena_array(a, n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = actions[i]->name;
	return names;
}

static size_t fields_count(const struct action *action)
{
	size_t n = 0;

	while (n < ACTION_FIELDS_MAX && action->fields[n].name)
		n++;
	return n;
}

static const char *const *field_names(struct arena *a, const struct action *action)
{
	size_t n = fields_count(action);
	const char **names = arena_array(a, n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = action->fields[i].name;
	return names;
}

static bool is_option(const char *key)
{
	for (size_t i = 0; actions[i]; i++)
		for (size_t k = 1; k < fields_count(actions[i]); k++)
			if (strcmp(actions[i]->fields[k].name, key) == 0)
				return true;
	return false;
}

/* A step without action: most likely one of its keys was meant to be one. */
static void action_bad(struct loader *l, const struct node *step)
{
	const char *const *names = action_names(l->arena);
	const struct node *guess = NULL;
	size_t looked = 0;

	for (const struct node *n = step->first; n && looked < ACTION_FIELDS_MAX; n = n->next, looked++) {
		if (str_nearest(n->key->text, names)) {
			guess = n;
			break;
		}
		if (!guess && !is_option(n->key->text))
			guess = n;
	}
	if (guess)
		profile_bad(l->f, CODE_UNKNOWN_ACTION, guess->key->place,
			    words_hint(l, guess->key->text, names, "known are"), "%s is not an action",
			    node_subject(l, guess));
	else
		profile_bad(l->f, CODE_NO_ACTION, step->place, words_hint(l, "", names, "give one of"),
			    "this step has no action");
}

/* The one action of a step, or NULL and it is told why. */
static const struct action *action_read(struct loader *l, const struct node *step)
{
	const struct action *action = NULL;

	for (const struct node *n = step->first; n; n = n->next) {
		const struct action *found = action_find(n->key->text);

		if (found && action) {
			profile_bad(l->f, CODE_TWO_ACTIONS, n->key->place, "make it a step of its own",
				    "a step has one action, and this one has '%s' and '%s'", action->name, found->name);
			return NULL;
		}
		if (found)
			action = found;
	}
	if (!action)
		action_bad(l, step);
	return action;
}

static const char *phases_hint(struct arena *a, const struct action *action)
{
	const char *text = "";

	for (int section = 0; section < PROFILE_SECTIONS; section++)
		if (action->phases & PHASE_BIT(section))
			text = arena_fmt(a, "%s%s'%s'", text, *text ? " or " : "", section_name(section));
	return arena_fmt(a, "put it under %s", text);
}

/* What is no phase has one reason for all: a step that lends or changes has its own place in the plan. */
static const char *phases_why(const struct action *action, int section)
{
	return section == AFTER_NETWORK ? "that is for those who use the network, and no device or driver is changed there" :
					  action->phases_why;
}

static void count_check(struct loader *l, const struct words *words, const char *subject)
{
	if (words->n > 1)
		profile_bad(l->f, CODE_TOO_MANY_WORDS, words->list[1].place, "keep one",
			    "%s is one word, and here are %zu", subject, words->n);
}

static void names_check(struct loader *l, const struct words *words, const char *subject)
{
	for (size_t i = 0; i < words->n; i++)
		word_check(l, &words->list[i], subject);
}

static const char *time_hint(struct loader *l)
{
	return arena_fmt(l->arena, "write a time such as 500ms or 10s, at most %ds", PHASE_MS / 1000);
}

static void time_check(struct loader *l, const struct words *words, const char *subject)
{
	unsigned ms;

	for (size_t i = 0; i < words->n; i++)
		if (!str_duration(words->list[i].s, PHASE_MS, &ms))
			profile_bad(l->f, CODE_BAD_TIME, words->list[i].place, time_hint(l), "%s cannot be %s", subject,
				    yaml_quote(l->arena, words->list[i].s));
}

static void usb_check(struct loader *l, const struct words *words, const char *subject)
{
	for (size_t i = 0; i < words->n; i++)
		if (!str_is_usb_id(words->list[i].s) && !str_is_usb_port(words->list[i].s))
			profile_bad(l->f, CODE_BAD_USB, words->list[i].place,
				    "write vendor:device as 'lsusb' shows it, such as \"046d:c31c\", or a port such as "
				    "\"1-2.1\"", "%s cannot be %s", subject, yaml_quote(l->arena, words->list[i].s));
}

static void units_check(struct loader *l, const struct words *words, const char *subject)
{
	for (size_t i = 0; i < words->n; i++)
		if (!str_is_unit(words->list[i].s))
			profile_bad(l->f, CODE_BAD_UNIT, words->list[i].place,
				    "write the unit's full name, such as ssh.service", "%s cannot be %s", subject,
				    yaml_quote(l->arena, words->list[i].s));
}

/* The first word is the command, the others are its own affair. */
static void command_check(struct loader *l, const struct words *words, const char *subject)
{
	for (size_t i = 0; i < words->n; i++)
		if (strlen(words->list[i].s) > PROFILE_COMMAND_MAX)
			profile_bad(l->f, CODE_TOO_LONG, words->list[i].place, "write a shorter one, or run a script",
				    "a word of %s is longer than %d bytes", subject, PROFILE_COMMAND_MAX);
		else if (i == 0 && !str_is_path(words->list[i].s, PROFILE_COMMAND_MAX))
			profile_bad(l->f, CODE_BAD_COMMAND, words->list[i].place,
				    "write its full path, such as /usr/local/bin/notify, and arguments behind it in a list: "
				    "[PATH, ARGUMENT, ...]", "%s cannot be %s", subject, yaml_quote(l->arena, words->list[i].s));
}

/* "{VERB: NAME}": the words are those behind the verb. False: it is told what is wrong. */
static bool verb_read(struct loader *l, const struct node *node, const struct field *field, struct words *words)
{
	const char *subject = node_subject(l, node);
	const struct node *entry = node->first;
	const char *remedy = arena_fmt(l->arena, "write '%s: {%s: NAME}'", field->name, field->verbs[0]);

	if (!node_is(l, node, NODE_MAP, subject, remedy))
		return false;
	for (size_t i = 0; entry && !entry->next && field->verbs[i]; i++)
		if (strcmp(field->verbs[i], entry->key->text) == 0) {
			words_read(l, entry, node_subject(l, entry), NULL, words);
			words->verb = (struct word){ entry->key->text, entry->key->place };
			return true;
		}
	if (entry && entry->next)
		profile_bad(l->f, CODE_BAD_VERB, entry->next->key->place, "make it a step of its own",
			    "a step %s does one thing, and this one has two", subject);
	else if (entry)
		profile_bad(l->f, CODE_BAD_VERB, entry->key->place,
			    words_hint(l, entry->key->text, field->verbs, "it is one of"),
			    "%s is nothing that %s does", node_subject(l, entry), subject);
	else
		profile_bad(l->f, CODE_BAD_VERB, node->place, words_hint(l, "", field->verbs, "it is one of"),
			    "nothing says what %s does", subject);
	return false;
}

static void field_read(struct loader *l, const struct node *node, const struct field *field, struct words *words)
{
	const char *subject = node_subject(l, node);

	if (field->verbs) {
		if (!verb_read(l, node, field, words))
			return;
	} else {
		words_read(l, node, subject, field->kind == FIELD_TIME ? time_hint(l) : NULL, words);
	}
	switch (field->kind) {
	case FIELD_DEVICES:
		words_check_devices(l, words);
		return;
	case FIELD_WORD:
		count_check(l, words, subject);
		names_check(l, words, subject);
		return;
	case FIELD_TIME:
		count_check(l, words, subject);
		time_check(l, words, subject);
		return;
	case FIELD_USB:
		words_check_twice(l, words);
		usb_check(l, words, subject);
		return;
	case FIELD_UNITS:
		words_check_twice(l, words);
		units_check(l, words, subject);
		return;
	case FIELD_MODULES:
		words_check_twice(l, words);
		names_check(l, words, subject);
		return;
	case FIELD_COMMAND:
		command_check(l, words, subject);
		return;
	}
}

static void fields_read(struct loader *l, const struct node *step, struct wish *w)
{
	const struct field *fields = w->action->fields;
	size_t n_fields = fields_count(w->action);
	bool seen[ACTION_FIELDS_MAX] = { false };

	for (const struct node *n = step->first; n; n = n->next) {
		size_t i = 0;

		while (i < n_fields && strcmp(fields[i].name, n->key->text) != 0)
			i++;
		if (i == n_fields) {
			key_bad(l, n->key, field_names(l->arena, w->action),
				arena_fmt(l->arena, "in a step '%s'", w->action->name));
			continue;
		}
		seen[i] = true;
		field_read(l, n, &fields[i], &w->fields[i]);
	}
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i].required && !seen[i])
			profile_bad(l->f, CODE_MISSING_OPTION, w->place,
				    arena_fmt(l->arena, "add '%s: ...': %s", fields[i].name, fields[i].help),
				    "'%s' needs '%s'", w->action->name, fields[i].name);
}

static void step_read(struct loader *l, const struct node *step, int section)
{
	struct profile *p = l->p;
	struct wish w = { .phase = section < PHASES ? (enum phase)section : 0, .place = step->place };

	if (!node_is(l, step, NODE_MAP, "a step", "write 'ACTION: DEVICE'"))
		return;
	w.action = action_read(l, step);
	if (!w.action)
		return;
	if (!(w.action->phases & PHASE_BIT(section)))
		profile_bad(l->f, CODE_WRONG_PHASE, step->place, phases_hint(l->arena, w.action), "'%s' cannot stand in %s: %s",
			    w.action->name, section_name(section), phases_why(w.action, section));
	fields_read(l, step, &w);
	p->steps[section] = arena_grow(l->arena, p->steps[section], p->n_steps[section], sizeof(w));
	p->steps[section][p->n_steps[section]++] = w;
}

void steps_read(struct loader *l, const struct node *list, int section)
{
	const char *subject = node_subject(l, list);
	size_t n = 0;

	if (node_is_absent(list))
		return;
	if (list->kind == NODE_WORD && list->plain && !list->told) {
		const char *surprise = yaml_surprise(list->text);

		/* "~" and "null" say the same as leaving it empty. */
		if (surprise && strcmp(surprise, yaml_surprise("")) == 0)
			return;
	}
	if (!node_is(l, list, NODE_LIST, subject, "write steps such as '- bind: DEVICE' below it"))
		return;
	for (const struct node *step = list->first; step; step = step->next) {
		if (++n > PROFILE_STEPS_MAX) {
			profile_bad(l->f, CODE_TOO_MANY_STEPS, step->place, NULL, "%s has more than %d steps", subject,
				    PROFILE_STEPS_MAX);
			return;
		}
		step_read(l, step, section);
	}
}
