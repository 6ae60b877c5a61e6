/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind: a function of a device goes to another driver, vfio-pci unless told otherwise, and back. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/isolation.h"
#include "core/place.h"
#include "core/turn.h"

extern const struct action action_bind;

#define VFIO "vfio-pci"
#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

enum { FIELD_BIND, FIELD_TO, FIELD_RETURN };

static const struct field fields[] = {
	{ .name = "bind", .kind = FIELD_DEVICES, .required = true,
	  .help = "the devices; to vfio-pci, the other endpoints of their IOMMU groups go with them" },
	{ .name = "driver", .kind = FIELD_WORD, .help = "the driver they go to; vfio-pci if nothing is said" },
	{ .name = "return", .kind = FIELD_WORD,
	  .help = "where they go when the VM has stopped: driver (the one they came from), cycle (the same, after they were removed "
	  "and found anew, for devices that cannot be reset), keep, or the name of a driver" },
	{ 0 },
};

/* A wish being planned. */
struct wanted {
	struct planner *p;
	const struct wish *w;
	const char *driver;	/* where to */
	const char *back;	/* "driver", "cycle", "keep" or a name */
	const char *module;	/* look to load for it first, NULL if the driver is there */
};

static bool driver_is_there(struct planner *p, const char *driver)
{
	return host_has(p->host, arena_fmt(p->arena, DRIVERS "/%s", driver));
}

static bool returns_by_word(const struct wanted *x)
{
	return strcmp(x->back, "driver") == 0 || strcmp(x->back, "cycle") == 0 || strcmp(x->back, "keep") == 0;
}

static bool check_drivers(struct wanted *x)
{
	struct findings *f = x->p->findings;
	const struct words *to = &x->w->fields[FIELD_TO], *back = &x->w->fields[FIELD_RETURN];

	if (!driver_is_there(x->p, x->driver)) {
		if (strcmp(x->driver, VFIO) != 0) {
			finding_add(f, SEVERITY_ERROR, "driver-missing", to->n ? to->list[0].place : x->w->place,
				    "load its module first", "no driver '%s' is loaded", x->driver);
			return false;
		}
		x->module = "module/vfio_pci";
	}
	if (!returns_by_word(x) && !driver_is_there(x->p, x->back) && strcmp(x->back, x->driver) != 0) {
		finding_add(f, SEVERITY_ERROR, "driver-missing", back->list[0].place,
			    "write driver, cycle, keep, or the name of a driver that is loaded", "no driver '%s' is loaded",
			    x->back);
		return false;
	}
	return true;
}

/* What forbids handing this function to anybody, whatever the profile says. */
static bool check_function(struct wanted *x, const struct function *fn, const struct function *because)
{
	if (!place_may_leave_with(x->p, x->w, fn, because) ||
	    (strcmp(x->back, "cycle") == 0 && !place_may_be_found(x->p, x->w, fn)))
		return false;
	if (fn->group < 0 && strcmp(x->driver, VFIO) == 0) {
		finding_add(x->p->findings, SEVERITY_ERROR, "no-iommu", x->w->place,
			    "switch VT-d or AMD-Vi on in the firmware and the IOMMU on the kernel command line",
			    "%s is in no IOMMU group, so vfio-pci cannot take it", fn->address);
		return false;
	}
	/* Told, and planned all the same: a rehearsal shows what it would come to. */
	if (strstr(x->driver, "vfio"))
		isolation_check(x->p, x->w->place, fn, false);
	return true;
}

/* The module of a driver may be unloaded while the VM runs; to go home it is loaded again. */
static void add_home_module(struct wanted *x, struct step *s, const char *driver)
{
	struct arena *a = x->p->arena;
	char module[HOST_VALUE_BYTES], state[32];
	const char *look;

	if (!driver || host_read(x->p->host, arena_fmt(a, DRIVERS "/%s/module", driver), module, sizeof(module)) < 0)
		return;
	look = arena_fmt(a, "module/%s", module);
	if (host_read(x->p->host, look, state, sizeof(state)) > 0 && strcmp(state, "live") == 0)
		step_look(s, look, value_of("live"), value_any(), value_of("live"));
}

/* To be found anew on the way home, where it was. */
static void add_cycle(struct wanted *x, struct step *s, const struct function *fn)
{
	struct arena *a = x->p->arena;

	place_attributes(x->p, s, fn, STAY_LENT);
	place_udev(x->p, s, fn, STAY_LENT);
	s->id = NULL;
	step_look(s, arena_fmt(a, "life/%s", fn->address), value_present(), value_present(), value_new(a));
	step_look(s, arena_fmt(a, "id/%s", fn->address), value_of(fn->id), value_of(fn->id), value_of(fn->id));
	if (fn->group >= 0)
		/* Whom it shares it with then, place_come_home() knows when all steps are planned. */
		step_look(s, arena_fmt(a, "group/%s", fn->address), value_any(), value_any(), value_of(fn->address));
}

/* Home of the driver and of the override, by 'return'. */
static void add_looks(struct wanted *x, struct step *s, const struct function *fn, const struct function *because)
{
	struct arena *a = x->p->arena;
	const char *override = fn->override ? fn->override : "(null)";
	bool moves = !str_same(fn->driver, x->driver), keep = strcmp(x->back, "keep") == 0;
	enum stay stay = keep ? STAY_KEPT : STAY_LENT;
	const char *to = moves ? x->driver : override;
	/* A driver that is named is that of the devices that are named. */
	const char *home = keep ? x->driver : returns_by_word(x) || because ? fn->driver : x->back;
	bool cycle = strcmp(x->back, "cycle") == 0;
	/* With another driver than it had it has no interface, or another one. */
	enum stay children = str_same(home, fn->driver) ? stay : STAY_KEPT;

	step_look(s, arena_fmt(a, DEVICES "/%s/driver", fn->address), value_of(fn->driver), value_of(x->driver),
		  value_of(home));
	step_look(s, arena_fmt(a, DEVICES "/%s/driver_override", fn->address), value_of(override), value_of(to),
		  value_of(keep ? to : override));
	place_power(x->p, s, fn, stay);
	if (x->module)
		step_look(s, x->module, value_any(), value_of("live"), value_any());
	if (moves && !keep)
		add_home_module(x, s, home);
	if (moves || cycle) {
		place_nic(x->p, s, fn, children);
		place_usb(x->p, s, fn, children);
	}
	if (cycle)
		add_cycle(x, s, fn);
}

static void add_step(struct wanted *x, const struct function *fn, const struct function *because)
{
	struct step *s;

	for (size_t i = 0; i < x->p->plan.n; i++)
		if (x->p->plan.steps[i].action == &action_bind && strcmp(x->p->plan.steps[i].device, fn->address) == 0) {
			if (!because)
				finding_add(x->p->findings, SEVERITY_ERROR, "device-twice", x->w->place,
					    "name it in one step only", "%s is bound twice", fn->address);
			return;
		}
	if (!check_function(x, fn, because))
		return;
	s = planner_add(x->p, x->w, fn);
	if (!s)
		return;
	add_looks(x, s, fn, because);
	if (because)
		s->why = arena_fmt(x->p->arena, "with %s: same IOMMU group", because->address);
}

/* Proxmox binds every endpoint of a group (PVE/SysFSTools.pm, pci_dev_group_bind_to_vfio), so they go together. */
static const struct function *taken_along_by(const struct wanted *x, const struct selection *named,
					     const struct function *fn)
{
	if (fn->bridge || planner_names(x->p, &action_bind, fn))
		return NULL;
	for (size_t i = 0; i < named->n; i++)
		if (function_same_group(named->list[i], fn))
			return named->list[i];
	return NULL;
}

/* From the highest address down, so that a GPU's audio leaves before the GPU and comes back after it. */
static void plan(struct planner *p, const struct wish *w)
{
	struct wanted x = {
		.p = p, .w = w,
		.driver = field_word(&w->fields[FIELD_TO], VFIO),
		.back = field_word(&w->fields[FIELD_RETURN], "driver"),
	};
	struct selection named = planner_select(p, &w->fields[FIELD_BIND]);

	if (named.n == 0 || !check_drivers(&x))
		return;
	for (size_t i = p->inventory->n; i-- > 0;) {
		const struct function *fn = &p->inventory->functions[i];
		const struct function *because = taken_along_by(&x, &named, fn);

		if (selection_holds(&named, fn))
			add_step(&x, fn, NULL);
		else if (because && strcmp(x.driver, VFIO) == 0)
			add_step(&x, fn, because);
	}
}

const struct action action_bind = {
	.name = "bind",
	.help = "give devices to vfio-pci (or another driver) before the VM starts, and back after it has stopped",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_BOOT),
	.phases_why = "QEMU holds the devices from its start to its end",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
