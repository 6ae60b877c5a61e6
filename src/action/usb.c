/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb: the host lets go of single USB devices while the VM runs; their controller stays. */
#include <string.h>

#include "core/plan.h"
#include "core/turn.h"
#include "core/usb.h"

extern const struct action action_usb;

static const struct field fields[] = {
	{ .name = "usb", .kind = FIELD_USB, .required = true,
	  .help = "the devices, by vendor:device or by port, such as \"1-2.1\"; the host's drivers let go of them" },
	{ 0 },
};

/* One that somebody keeps out already, another VM's lease say, is not let in at the end of this one. */
static void look_at_device(struct planner *p, struct step *s, const char *name)
{
	const char *authorized = arena_fmt(p->arena, "sys/bus/usb/devices/%s/authorized", name);
	char text[16];
	bool out = host_read(p->host, authorized, text, sizeof(text)) > 0 && strcmp(text, "0") == 0;
	struct value found = out ? value_any() : value_of("1");

	step_look(s, authorized, found, value_of("0"), found);
}

static void plan_one(struct planner *p, const struct wish *w, const struct usb *u, const struct word *word)
{
	const struct usb_device *found = NULL;
	struct step *s;

	for (size_t i = 0; i < u->n; i++) {
		if (!usb_is_meant(&u->devices[i], word->s))
			continue;
		if (found) {
			finding_add(p->findings, SEVERITY_ERROR, "usb-ambiguous", word->place, "name it by its port",
				    "'%s' is at port %s and at port %s", word->s, found->name, u->devices[i].name);
			return;
		}
		found = &u->devices[i];
	}
	if (!found) {
		finding_add(p->findings, SEVERITY_ERROR, "usb-absent", word->place, "compare with `handover map`",
			    "there is no USB device '%s'", word->s);
		return;
	}
	planner_leaves(p, (struct leaving){ .usb = found, .place = word->place, .phase = w->phase });
	s = planner_add_named(p, w, found->name);
	if (s)
		look_at_device(p, s, found->name);
}

static void plan(struct planner *p, const struct wish *w)
{
	struct usb u;
	struct error err;

	if (usb_read(p->host, p->arena, &u, &err) < 0) {
		finding_add(p->findings, SEVERITY_ERROR, "usb-unreadable", w->place, NULL, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < w->fields[0].n; i++)
		plan_one(p, w, &u, &w->fields[0].list[i]);
}

const struct action action_usb = {
	.name = "usb",
	.help = "let go of single USB devices while the VM runs; their controller stays with the host",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_POST_START),
	.phases_why = "they go before or when the VM starts and come back when it has stopped",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
