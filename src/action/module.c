/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module: kernel modules are loaded, or taken out while the VM runs. */
#include <string.h>

#include "core/plan.h"
#include "core/turn.h"

extern const struct action action_module;

static const char *const verbs[] = { "load", "unload", NULL };

static const struct field fields[] = {
	{ .name = "module", .kind = FIELD_MODULES, .required = true, .verbs = verbs,
	  .help = "load: they are loaded and stay; unload: they are taken out, and loaded again when the VM has stopped" },
	{ 0 },
};

static void plan_one(struct planner *p, const struct wish *w, const struct word *name, bool load)
{
	const char *look = arena_fmt(p->arena, "module/%s", name->s);
	char state[32] = "";
	bool loaded = host_read(p->host, look, state, sizeof(state)) > 0;
	struct step *s;

	if (loaded && strcmp(state, "builtin") == 0) {
		if (!load)
			finding_add(p->findings, SEVERITY_ERROR, "module-builtin", name->place, NULL,
				    "'%s' is built into the kernel and cannot be taken out", name->s);
		return;
	}
	s = loaded == load ? NULL : planner_add_named(p, w, name->s);
	if (s && load)
		step_look(s, look, value_of(NULL), value_of("live"), value_any());
	else if (s)
		step_look(s, look, value_of("live"), value_of(NULL), value_of("live"));
}

static void plan(struct planner *p, const struct wish *w)
{
	const struct words *names = &w->fields[0];

	for (size_t i = 0; i < names->n; i++)
		plan_one(p, w, &names->list[i], strcmp(names->verb.s, "load") == 0);
}

const struct action action_module = {
	.name = "module",
	.help = "load kernel modules, or take them out while the VM runs",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_BOOT),
	.phases_why = "drivers are changed before the VM starts, and changed back after it has stopped",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
