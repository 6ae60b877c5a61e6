/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ACTION_H
#define HANDOVER_ACTION_H

#include <stdbool.h>

#include "core/phase.h"
#include "core/step.h"

struct planner;
struct wish;

/* What may stand behind a key of a step. */
enum field_kind {
	FIELD_DEVICES,	/* a device's name from 'devices', or a list of them */
	FIELD_WORD,	/* one word: the name of a kernel driver, or another word the action knows */
	FIELD_TIME,	/* "10s", "500ms"; at most PHASE_MS */
	FIELD_USB,	/* USB devices: "vendor:device", or the port as sysfs has it, "1-2.1"; or a list of them */
	FIELD_UNITS,	/* a map of one of the field's verbs to units of systemd: "{restart: ssh.service}" */
	FIELD_MODULES,	/* the same with kernel modules */
	FIELD_COMMAND,	/* one command: its full path, or a list of that and its arguments, which may be any text */
};

struct field {
	const char *name;	/* the key */
	enum field_kind kind;
	bool required;
	const char *help;	/* one line, for the man page */
	const char *const *verbs;	/* of FIELD_UNITS and FIELD_MODULES, NULL at the end */
};

/*
 * An action: one file in src/action, one name in meson.build. It only thinks; the engine acts.
 *
 * plan() turns one wish of a profile into steps, by looking at the inventory; it adds findings where the wish cannot
 * be granted. It never writes.
 *
 * next() is asked by the engine, again and again, for the one write that leads from what a step's looks read now to
 * what they shall read: it must be a pure function of the two, so that it finds its way from wherever a killed run
 * has left the device. It returns false if there is no such write, and says why in *err, and in poke->look what of.
 */
struct action {
	const char *name;		/* the key of the step */
	const char *help;		/* one line */
	unsigned phases;		/* PHASE_BIT()s it may stand in, and that of AFTER_NETWORK (profile.h) */
	const char *phases_why;		/* why not in the other phases; ends "'bind' cannot stand in post-start: " */
	/* The first is the action's own key; ends with a NULL name; at most ACTION_FIELDS_MAX. */
	const struct field *fields;
	void (*plan)(struct planner *p, const struct wish *w);
	bool (*next)(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *poke,
		     struct error *err);
};

/* All actions, NULL at the end: made from the list in meson.build. */
extern const struct action *const actions[];

/* The action of that name, or NULL. */
const struct action *action_find(const char *name);

#endif
