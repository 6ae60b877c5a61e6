/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module: kernel modules are loaded, or taken out while the VM runs. */
#include <string.h>

#include "base/str.h"
#include "core/modules.h"
#include "core/plan.h"
#include "core/turn.h"

extern const struct action action_module;

static const char *const verbs[] = { "load", "unload", NULL };

static const struct field fields[] = {
	{ .name = "module", .kind = FIELD_MODULES, .required = true, .verbs = verbs,
	  .help = "load: they are loaded and stay; unload: they are taken out, and loaded again when the VM has stopped" },
	{ 0 },
};

static bool is_listed(const struct planner *p, const char *module)
{
	for (size_t i = 0; i < p->policy->modules.n; i++)
		if (strcmp(module_name(p->policy->modules.list[i], p->arena), module) == 0)
			return true;
	return false;
}

static bool is_unused(struct planner *p, const struct word *name, const char *module, const struct module_use *use)
{
	if (use->function) {
		finding_add(p->findings, SEVERITY_ERROR, "module-in-use", name->place,
			    "hand that over first with 'bind', or leave the module", "%s drives %s%s", module,
			    use->function->address, use->more ? arena_fmt(p->arena, " and %zu more", use->more) : "");
		return false;
	}
	if (use->holder) {
		finding_add(p->findings, SEVERITY_ERROR, "module-in-use", name->place,
			    arena_fmt(p->arena, "take %s out first, if the host can do without it", use->holder),
			    "%s is needed by %s", module, use->holder);
		return false;
	}
	return true;
}

/* What drives no PCI function may hold the host's network, disks or keyboard: what those are for, nobody can see. */
static bool may_go(struct planner *p, const struct word *name, const char *module)
{
	struct module_use use = module_use(p, module);

	if (!is_unused(p, name, module, &use))
		return false;
	if (use.serves_lent || is_listed(p, module))
		return true;
	finding_add(p->findings, SEVERITY_ERROR, "module-not-allowed", name->place,
		    policy_line_remedy("modules", &p->policy->modules, module, p->arena),
		    "the policy of this host does not allow to take out %s, and it is not only for what steps before this one hand "
		    "over", module);
	return false;
}

/* Whether it is for a device of the profile: the kernel, too, loads it for that. */
static bool is_for_device(const struct planner *p, const char *module)
{
	for (size_t i = 0; i < p->profile->n_devices; i++)
		for (size_t k = 0; k < p->devices[i].n; k++) {
			char *copy = arena_dup(p->arena, p->devices[i].list[k]->modules), *word;

			while ((word = strsep(&copy, " ")) != NULL)
				if (strcmp(module_name(word, p->arena), module) == 0)
					return true;
		}
	return false;
}

/*
 * Code in the kernel that the host runs for nothing else is more for guests and users to attack: a profile may be a
 * stranger's.
 */
static bool may_come(struct planner *p, const struct word *name, const char *module)
{
	if (str_starts(module, "vfio") || is_for_device(p, module) || is_listed(p, module))
		return true;
	finding_add(p->findings, SEVERITY_ERROR, "module-not-allowed", name->place,
		    policy_line_remedy("modules", &p->policy->modules, module, p->arena),
		    "the policy of this host does not allow to load %s, and it is no driver of a device that the profile names",
		    module);
	return false;
}

static void plan_one(struct planner *p, const struct wish *w, const struct word *name, bool load)
{
	const char *module = module_name(name->s, p->arena), *look = arena_fmt(p->arena, "module/%s", module);
	char state[32] = "";
	bool loaded = host_read(p->host, look, state, sizeof(state)) > 0;
	struct step *s;

	if (loaded && strcmp(state, "builtin") == 0) {
		if (!load)
			finding_add(p->findings, SEVERITY_ERROR, "module-builtin", name->place, NULL,
				    "'%s' is built into the kernel and cannot be taken out", name->s);
		return;
	}
	if (loaded == load || !(load ? may_come(p, name, module) : may_go(p, name, module)))
		return;
	s = planner_add_named(p, w, name->s);
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
