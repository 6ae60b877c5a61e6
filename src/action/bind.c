/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind: a function of a device goes to another driver, vfio-pci unless told otherwise, and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/plan.h"

extern const struct action action_bind;

#define VFIO "vfio-pci"
#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

enum { FIELD_BIND, FIELD_TO, FIELD_RETURN };
enum { LOOK_DRIVER, LOOK_OVERRIDE };	/* what follows is there only where it is needed */

static const struct field fields[] = {
	{ "bind", FIELD_DEVICES, true,
	  "the devices; to vfio-pci, the other endpoints of their IOMMU groups go with them" },
	{ "driver", FIELD_DRIVER, false, "the driver they go to; vfio-pci if nothing is said" },
	{ "return", FIELD_DRIVER, false,
	  "where they go when the VM has stopped: driver (the one they came from), keep, or the name of a driver" },
	{ 0 },
};

/* --- what to write next ----------------------------------------------------------------------------------------- */

static bool poke(struct poke *p, size_t look, const char *becomes, const char *at, const char *put)
{
	snprintf(p->at, sizeof(p->at), "%s", at);
	snprintf(p->put, sizeof(p->put), "%s", put);
	p->look = look;
	p->becomes = value_of(becomes);
	p->deadline_ms = WRITE_MS;
	return true;
}

/* sysfs shows an empty driver_override as "(null)", and a lone newline empties it. */
static bool poke_override(const struct step *s, struct poke *p, const char *text)
{
	bool clear = strcmp(text, "(null)") == 0;

	snprintf(p->what, sizeof(p->what),
		 clear ? "clearing its driver_override" : "setting its driver_override to '%.60s'", text);
	return poke(p, LOOK_OVERRIDE, text, s->look[LOOK_OVERRIDE], clear ? "" : text);
}

static bool poke_unbind(const struct step *s, struct poke *p, const char *driver)
{
	char at[HOST_NAME_BYTES];

	/* Through the device's own link: whoever holds it by then lets go. */
	snprintf(at, sizeof(at), "%s/unbind", s->look[LOOK_DRIVER]);
	snprintf(p->what, sizeof(p->what), "unbinding it from '%.60s'", driver);
	return poke(p, LOOK_DRIVER, NULL, at, s->device);
}

static bool poke_bind(const struct step *s, struct poke *p, const char *driver)
{
	char at[HOST_NAME_BYTES];

	/* By name and not by drivers_probe, because only this reports the probe's error (drivers/base/bus.c). */
	snprintf(at, sizeof(at), DRIVERS "/%s/bind", driver);
	snprintf(p->what, sizeof(p->what), "binding it to '%.60s'", driver);
	poke(p, LOOK_DRIVER, driver, at, s->device);
	p->deadline_ms = BIND_MS;
	return true;
}

static bool poke_module(const struct step *s, struct poke *p, size_t look)
{
	snprintf(p->what, sizeof(p->what), "loading the module '%.60s'", str_basename(s->look[look]));
	poke(p, look, "live", s->look[look], "load");
	p->deadline_ms = BIND_MS;
	return true;
}

static bool poke_power(const struct step *s, struct poke *p, size_t look, const char *text)
{
	snprintf(p->what, sizeof(p->what), "setting its power/control to '%.20s'", text);
	return poke(p, look, text, s->look[look], text);
}

static bool is_ours(const struct step *s, const char *driver)
{
	return str_same(driver, s->from.v[LOOK_DRIVER].text) || str_same(driver, s->to.v[LOOK_DRIVER].text) ||
	       str_same(driver, s->home.v[LOOK_DRIVER].text);
}

/*
 * The driver_override protocol: the override names the new driver before the old one lets go, so that in between no
 * other driver can take the function, whatever ids somebody wrote to some new_id; it goes back last of all.
 */
static bool next_driver(const struct step *s, const struct looks *now, const char *goal, struct poke *p,
			struct error *err)
{
	const char *driver = now->v[LOOK_DRIVER].text;

	if (driver && !is_ours(s, driver)) {
		error_set(err, -EBUSY, "it is bound to '%s', which is not handover's doing; unbind it by hand, then "
				       "run `handover recover`", driver);
		return false;
	}
	if (goal && !str_same(now->v[LOOK_OVERRIDE].text, goal))
		return poke_override(s, p, goal);
	return driver ? poke_unbind(s, p, driver) : poke_bind(s, p, goal);
}

static bool next(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *p,
		 struct error *err)
{
	/* Modules before all else: a driver must be there to be bound to. */
	for (size_t i = LOOK_OVERRIDE + 1; i < s->n_looks; i++)
		if (str_starts(s->look[i], "module/") && !value_fits(&now->v[i], &goal->v[i]))
			return poke_module(s, p, i);
	if (!value_fits(&now->v[LOOK_DRIVER], &goal->v[LOOK_DRIVER]))
		return next_driver(s, now, goal->v[LOOK_DRIVER].text, p, err);
	if (!value_fits(&now->v[LOOK_OVERRIDE], &goal->v[LOOK_OVERRIDE]))
		return poke_override(s, p, goal->v[LOOK_OVERRIDE].text);
	for (size_t i = LOOK_OVERRIDE + 1; i < s->n_looks; i++)
		if (!value_fits(&now->v[i], &goal->v[i]))
			return poke_power(s, p, i, goal->v[i].text);
	error_set(err, -EINVAL, "nothing is left to write");
	return false;
}

/* --- what is asked for ------------------------------------------------------------------------------------------ */

/* A wish being planned. */
struct wanted {
	struct planner *p;
	const struct wish *w;
	const char *driver;	/* where to */
	const char *back;	/* "driver", "keep" or a name */
	const char *module;	/* look to load for it first, NULL if the driver is there */
};

static const char *word_or(const struct words *w, const char *otherwise)
{
	return w->n ? w->list[0].s : otherwise;
}

static bool driver_is_there(struct planner *p, const char *driver)
{
	return host_has(p->host, arena_fmt(p->arena, DRIVERS "/%s", driver));
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
	if (strcmp(x->back, "driver") != 0 && strcmp(x->back, "keep") != 0 && !driver_is_there(x->p, x->back) &&
	    strcmp(x->back, x->driver) != 0) {
		finding_add(f, SEVERITY_ERROR, "driver-missing", back->list[0].place,
			    "write driver, keep, or the name of a driver that is loaded", "no driver '%s' is loaded",
			    x->back);
		return false;
	}
	return true;
}

/* What forbids handing this function to anybody, whatever the profile says. */
static bool check_function(struct wanted *x, const struct function *fn)
{
	struct findings *f = x->p->findings;

	if (fn->bridge)
		finding_add(f, SEVERITY_ERROR, "bridge", x->w->place, "name the devices behind it",
			    "%s is a bridge (%s); a bridge cannot be given to a VM", fn->address,
			    function_class_name(fn, x->p->arena));
	else if (fn->group < 0 && strcmp(x->driver, VFIO) == 0)
		finding_add(f, SEVERITY_ERROR, "no-iommu", x->w->place,
			    "switch VT-d or AMD-Vi on in the firmware and the IOMMU on the kernel command line",
			    "%s is in no IOMMU group, so vfio-pci cannot take it", fn->address);
	else if (fn->stuck)
		finding_add(f, SEVERITY_ERROR, "device-stuck", x->w->place,
			    "look for a process in state D (`ps axo pid,stat,wchan,args`) and for what it waits for",
			    "%s does not answer: a write to it hangs in the kernel", fn->address);
	else if (fn->vfs > 0)
		finding_add(f, SEVERITY_ERROR, "vfs-enabled", x->w->place,
			    "hand over a virtual function, or set sriov_numvfs to 0 first",
			    "%s has %d virtual functions switched on; unbinding it would take them all away",
			    fn->address, fn->vfs);
	else
		return true;
	return false;
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

/* Home of the driver and of the override, by 'return'. */
static void add_looks(struct wanted *x, struct step *s, const struct function *fn)
{
	struct arena *a = x->p->arena;
	const char *override = fn->override ? fn->override : "(null)";
	bool moves = !str_same(fn->driver, x->driver), keep = strcmp(x->back, "keep") == 0;
	const char *to = moves ? x->driver : override;
	const char *home = keep ? x->driver : strcmp(x->back, "driver") == 0 ? fn->driver : x->back;

	step_look(s, arena_fmt(a, DEVICES "/%s/driver", fn->address), value_of(fn->driver), value_of(x->driver),
		  value_of(home));
	step_look(s, arena_fmt(a, DEVICES "/%s/driver_override", fn->address), value_of(override), value_of(to),
		  value_of(keep ? to : override));
	/* A driver may change it when it takes or leaves the function; vfio-pci does both. */
	if (fn->power_control)
		step_look(s, arena_fmt(a, DEVICES "/%s/power/control", fn->address), value_of(fn->power_control),
			  value_any(), keep ? value_any() : value_of(fn->power_control));
	if (x->module)
		step_look(s, x->module, value_any(), value_of("live"), value_any());
	if (moves && !keep)
		add_home_module(x, s, home);
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
	if (!check_function(x, fn))
		return;
	s = planner_add(x->p, x->w, fn);
	if (!s)
		return;
	add_looks(x, s, fn);
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

static bool is_named(const struct selection *named, const struct function *fn)
{
	for (size_t i = 0; i < named->n; i++)
		if (named->list[i] == fn)
			return true;
	return false;
}

/* From the highest address down, so that a GPU's audio leaves before the GPU and comes back after it. */
static void plan(struct planner *p, const struct wish *w)
{
	struct wanted x = {
		.p = p, .w = w,
		.driver = word_or(&w->fields[FIELD_TO], VFIO),
		.back = word_or(&w->fields[FIELD_RETURN], "driver"),
	};
	struct selection named = planner_select(p, &w->fields[FIELD_BIND]);

	if (named.n == 0 || !check_drivers(&x))
		return;
	for (size_t i = p->inventory->n; i-- > 0;) {
		const struct function *fn = &p->inventory->functions[i];
		const struct function *because = taken_along_by(&x, &named, fn);

		if (is_named(&named, fn))
			add_step(&x, fn, NULL);
		else if (because && strcmp(x.driver, VFIO) == 0)
			add_step(&x, fn, because);
	}
}

const struct action action_bind = {
	.name = "bind",
	.help = "give devices to vfio-pci (or another driver) before the VM starts, and back after it has stopped",
	.phases = PHASE_BIT(PHASE_PRE_START),
	.phases_why = "QEMU holds the devices from its start to its end",
	.fields = fields,
	.plan = plan,
	.next = next,
};
