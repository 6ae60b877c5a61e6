/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Crontabs, units and scripts that write to the PCI bus, or take the network down. */
#include <fnmatch.h>
#include <string.h>

#include "base/str.h"
#include "core/history_parts.h"

#define ORIGINS_SHOWN 3

/* What a file does of one kind. */
struct sum {
	struct selection functions;	/* that are named, and there */
	const char *absent;		/* the first that is named, and not there */
	bool unnamed;			/* one that a variable names, or that cannot be known */
	const char *value;		/* the first one's */
	unsigned first, last;		/* lines; 0: nothing */
	const char *phase;		/* of the first; "" = none */
};

/* What a file does. */
struct doing {
	const struct trace_file *file;
	struct sum sums[DEED_KINDS];
	unsigned first;
};

/* --- what it is done to ------------------------------------------------------------------------------------------ */

static bool names(const struct past *p, const struct deed *d, const struct function *fn)
{
	switch (d->kind) {
	case DEED_NEW_ID:
		return d->device && function_has_id(fn, d->device);
	case DEED_UNLOAD:
		return d->value && past_drives(p, d->value, fn);
	case DEED_RESCAN:
	case DEED_NETWORK:
	case DEED_RUNS:
	case DEED_KINDS:
		return false;
	case DEED_REMOVE:
	case DEED_UNBIND:
	case DEED_BIND:
	case DEED_OVERRIDE:
	case DEED_DRIVERCTL:
	case DEED_RESET:
	case DEED_VFS:
		break;
	}
	/* An interface stands for its card. */
	return d->device && (fnmatch(d->device, fn->address, 0) == 0 ||
			     (fn->nic && strncmp(fn->nic, d->device, strlen(d->device)) == 0 &&
			      fn->nic[strlen(d->device)] == ','));
}

static bool has_device(enum deed_kind kind)
{
	return kind != DEED_RESCAN && kind != DEED_NETWORK && kind != DEED_RUNS && kind != DEED_UNLOAD;
}

static void add_deed(const struct past *p, struct sum *s, const struct deed *d, const struct trace_line *l)
{
	const struct inventory *inv = p->q->inventory;
	size_t before = s->functions.n;

	for (size_t i = 0; i < inv->n; i++)
		if (names(p, d, &inv->functions[i]))
			selection_add(&s->functions, &inv->functions[i], p->arena);
	if (has_device(d->kind) && !d->device)
		s->unnamed = true;
	else if (s->functions.n == before && !s->absent)
		s->absent = d->device;
	if (!s->first) {
		s->first = l->number;
		s->value = d->value;
		s->phase = l->when;
	}
	s->last = l->number;
}

static struct doing read_doing(const struct past *p, const struct trace_file *f)
{
	struct doing doing = { .file = f };

	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->lines[i].n; k++) {
			const struct deed *d = &f->lines[i].deeds[k];

			if (d->kind == DEED_RUNS)
				continue;
			add_deed(p, &doing.sums[d->kind], d, &f->lines[i]);
			if (!doing.first && d->kind != DEED_NETWORK)
				doing.first = f->lines[i].number;
		}
	return doing;
}

/* Kinds after which a device is not where a plan has it. */
static bool is_harmful(enum deed_kind kind)
{
	return has_device(kind) ? kind != DEED_VFS : kind == DEED_UNLOAD;
}

/* Whether it changes a function that a VM gets, or may. */
static bool harms(const struct past *p, const struct doing *d)
{
	const struct selection *given = p->q->functions ? &p->given : &p->lent;

	for (int k = 0; k < DEED_KINDS; k++) {
		const struct sum *s = &d->sums[k];

		if (!s->first || !is_harmful((enum deed_kind)k))
			continue;
		if (s->unnamed && given->n)
			return true;
		for (size_t i = 0; i < s->functions.n; i++)
			if (selection_holds(given, s->functions.list[i]))
				return true;
	}
	return false;
}

/* --- who runs it ------------------------------------------------------------------------------------------------- */

static bool is_hook_of(const struct trace_file *f, unsigned vmid, unsigned depth)
{
	for (size_t i = 0; i < f->n_origins; i++) {
		const struct trace_origin *o = &f->origins[i];

		if (o->by ? depth && is_hook_of(o->by, vmid, depth - 1) : vmid == 0 || o->vmid == vmid)
			return true;
	}
	return false;
}

/* Whether a snippet that is no guest's hookscript. */
static bool is_idle(const struct trace_file *f)
{
	return f->n_origins == 0 && strstr(f->name, "/snippets/");
}

/* Of files that are run for standing where they stand. */
static const char *by_place(const struct past *p, const struct trace_file *f, const char *when)
{
	const char *unit = str_basename(f->name);

	switch (f->kind) {
	case TRACE_CRON:
		return strcmp(when, "@reboot") == 0 ? "cron, at every boot" : arena_fmt(p->arena, "cron, at '%s'",
											when);
	case TRACE_UNIT:
		if (strcmp(unit + strlen(unit) - strlen(".conf"), ".conf") == 0)
			unit = arena_fmt(p->arena, "%s, of a unit", unit);
		return arena_fmt(p->arena, "systemd, by %s (%s)", unit, when);
	case TRACE_SCRIPT:
	case TRACE_MODPROBE:
	case TRACE_MODULES:
	case TRACE_CMDLINE:
	case TRACE_DRIVERCTL:
	case TRACE_UDEV:
		break;
	}
	if (strcmp(f->name, "etc/rc.local") == 0)
		return "systemd, at every boot";
	if (str_starts(f->name, "etc/cron."))
		return "cron";
	if (str_starts(f->name, "etc/network/"))
		return "ifupdown2, with the network";
	return is_idle(f) ? "nobody now: no guest has it as its hookscript" : "nobody that is known";
}

static const char *hook_text(const struct past *p, const struct trace_file *f)
{
	const char *text = "";

	for (size_t i = 0; i < f->n_origins; i++)
		if (!f->origins[i].by)
			text = arena_fmt(p->arena, "%s%s%u", text, *text ? ", " : "", f->origins[i].vmid);
	return *text ? arena_fmt(p->arena, "hookscript of %s", text) : NULL;
}

static const char *origin_text(const struct past *p, const struct trace_origin *o)
{
	const char *hook = o->by->kind == TRACE_SCRIPT ? hook_text(p, o->by) : NULL;

	if (o->by->kind == TRACE_SCRIPT)
		return arena_fmt(p->arena, "/%s:%u%s%s%s%s%s", o->by->name, o->number, hook || *o->when ? " (" : "",
				 hook ? hook : "",
				 *o->when ? (hook ? ", at " : "at ") : "", o->when, hook || *o->when ? ")" : "");
	return arena_fmt(p->arena, "/%s:%u (%s)", o->by->name, o->number, by_place(p, o->by, o->when));
}

static const char *run_by(const struct past *p, const struct trace_file *f, const char *when)
{
	const char *text = hook_text(p, f);
	size_t shown = 0;

	text = text ? arena_fmt(p->arena, "Proxmox VE, as %s", text) : NULL;
	for (size_t i = 0; i < f->n_origins && shown < ORIGINS_SHOWN; i++) {
		if (!f->origins[i].by)
			continue;
		text = arena_fmt(p->arena, "%s%s%s", text ? text : "", text ? "; and by " : "",
				 origin_text(p, &f->origins[i]));
		shown++;
	}
	return text ? text : by_place(p, f, when);
}

/* --- what it does, in words -------------------------------------------------------------------------------------- */

static const char *things(const struct past *p, const struct sum *s)
{
	const char *text = s->functions.n ? past_names(p, &s->functions) : NULL;

	if (s->unnamed)
		text = arena_fmt(p->arena, "%s%sdevices that a variable names", text ? text : "", text ? " and " : "");
	if (!text && s->absent)
		text = arena_fmt(p->arena, "%s, which is not there,", s->absent);
	return text ? text : "nothing that is there";
}

static const char *verb_of(const struct past *p, enum deed_kind kind, const struct sum *s)
{
	const char *what = things(p, s);

	switch (kind) {
	case DEED_REMOVE:
		return arena_fmt(p->arena, "removes %s", what);
	case DEED_RESCAN:
		return "looks for removed functions on all buses";
	case DEED_UNBIND:
		return arena_fmt(p->arena, "unbinds %s", what);
	case DEED_BIND:
		return arena_fmt(p->arena, "gives %s to %s", what, s->value ? s->value : "any driver");
	case DEED_NEW_ID:
		return arena_fmt(p->arena, "has %s take all with the id of %s, now and later", s->value ? s->value :
				 "a driver", what);
	case DEED_OVERRIDE:
		return arena_fmt(p->arena, "writes %s to driver_override of %s", s->value ? s->value : "a driver",
				 what);
	case DEED_DRIVERCTL:
		return s->value ? arena_fmt(p->arena, "has driverctl give %s to %s", what, s->value) :
				  arena_fmt(p->arena, "has driverctl take %s back", what);
	case DEED_RESET:
		return arena_fmt(p->arena, "resets %s", what);
	case DEED_VFS:
		return arena_fmt(p->arena, "makes virtual functions of %s", what);
	case DEED_UNLOAD:
		return arena_fmt(p->arena, "takes out %s%s%s", s->value ? s->value : "a module", s->functions.n ?
				 ", which drives " : "",
				 s->functions.n ? past_names(p, &s->functions) : "");
	case DEED_NETWORK:
	case DEED_RUNS:
	case DEED_KINDS:
		break;
	}
	return "";
}

static const char *summary(const struct past *p, const struct doing *d)
{
	const char *text = "";

	for (int k = 0; k < DEED_KINDS; k++) {
		const struct sum *s = &d->sums[k];
		const char *lines, *phase;

		if (!s->first || k == DEED_NETWORK)
			continue;
		lines = s->first == s->last ? arena_fmt(p->arena, "line %u", s->first) :
			arena_fmt(p->arena, "lines %u to %u", s->first, s->last);
		phase = d->file->kind == TRACE_SCRIPT && *s->phase ? arena_fmt(p->arena, ", at %s", s->phase) : "";
		text = arena_fmt(p->arena, "%s%s%s (%s%s)", text, *text ? ", " : "", verb_of(p, (enum deed_kind)k, s),
				 lines, phase);
	}
	return text;
}

/* --- what to do -------------------------------------------------------------------------------------------------- */

static const char *add_remedy(const struct past *p, const char *text, const char *more)
{
	return text ? arena_fmt(p->arena, "%s; %s", text, more) : more;
}

/* Who calls it calls handover in its place. */
static const char *hook_remedy(const struct past *p, const struct trace_file *f, const char *text)
{
	for (size_t i = 0; i < f->n_origins; i++) {
		unsigned vmid = f->origins[i].vmid;

		if (f->origins[i].by || (p->q->vmid && p->q->vmid != vmid))
			continue;
		text = add_remedy(p, text, arena_fmt(p->arena, "`%s set %u --hookscript local:snippets/handover` has "
						     "handover called in its place",
						      pve_is_container(p->q->host, vmid) ? "pct" : "qm", vmid));
	}
	return text;
}

static const char *origins_remedy(const struct past *p, const struct trace_file *f, const char *text)
{
	size_t shown = 0;

	for (size_t i = 0; i < f->n_origins && shown < ORIGINS_SHOWN; i++) {
		const struct trace_origin *o = &f->origins[i];

		if (!o->by)
			continue;
		text = o->by->n_origins ? hook_remedy(p, o->by, text) :
			add_remedy(p, text, arena_fmt(p->arena, "drop line %u of /%s", o->number, o->by->name));
		shown++;
	}
	return text;
}

static const char *instead(const struct doing *d)
{
	if (d->sums[DEED_REMOVE].first || d->sums[DEED_RESCAN].first)
		return "'isolate' under 'boot' in /etc/handover/host.yaml splits a slot before there is a network, and "
		       "'return: cycle' of 'bind' has a device found anew after a VM";
	return "handover binds devices when a VM starts, and gives them back";
}

static const char *remedy_of(const struct past *p, const struct doing *d, const char *what)
{
	const struct trace_file *f = d->file;
	const char *text = origins_remedy(p, f, hook_remedy(p, f, NULL));

	if (!text)
		text = is_idle(f) ? "drop the file" : what;
	return add_remedy(p, text, instead(d));
}

/* --- findings ---------------------------------------------------------------------------------------------------- */

static bool concerns(const struct past *p, const struct doing *d)
{
	if (!p->q->functions || harms(p, d) || d->sums[DEED_RESCAN].first)
		return true;
	if (p->q->vmid && is_hook_of(d->file, p->q->vmid, TRACE_DEPTH_MAX))
		return true;
	for (size_t i = 0; i < d->sums[DEED_VFS].functions.n; i++)
		if (past_asks(p, d->sums[DEED_VFS].functions.list[i]))
			return true;
	return false;
}

static const char *when_of(const struct trace_file *f, unsigned number)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->lines[i].number == number)
			return f->lines[i].when;
	return "";
}

static void tell_script(const struct past *p, const struct doing *d)
{
	const struct trace_file *f = d->file;
	bool warns = harms(p, d) && !is_idle(f);

	finding_add(p->f, warns ? SEVERITY_WARNING : SEVERITY_NOTE, "history-script", past_place(p, f, d->first, 1),
		    remedy_of(p, d, arena_fmt(p->arena, "drop these lines")), "it %s; it is run by %s%s", summary(p, d),
		    run_by(p, f, when_of(f, d->first)),
		    warns ? ", whether a VM has the device then or not" : "");
}

static void tell_network(const struct past *p, const struct doing *d)
{
	const struct sum *s = &d->sums[DEED_NETWORK];
	const struct trace_file *f = d->file;
	bool idle = is_idle(f);

	finding_add(p->f, idle ? SEVERITY_NOTE : SEVERITY_WARNING, "history-network", past_place(p, f, s->first, 1),
		    "drop the line: handover puts a network card back into its bridge by itself; where it is needed "
		    "for something else, "
		    "`ifreload -a` leaves the guests where they are",
		    "'%s' takes bridges down, and the guests' interfaces out of them, which nobody puts back: guests "
		    "that run lose "
		    "their network; it is run by %s", s->value, run_by(p, f, when_of(f, s->first)));
}

void past_scripts(struct past *p)
{
	for (size_t i = 0; i < p->traces.n; i++) {
		const struct trace_file *f = p->traces.list[i];
		struct doing d;

		if (f->kind != TRACE_CRON && f->kind != TRACE_UNIT && f->kind != TRACE_SCRIPT)
			continue;
		d = read_doing(p, f);
		if (!concerns(p, &d))
			continue;
		if (d.first)
			tell_script(p, &d);
		if (d.sums[DEED_NETWORK].first)
			tell_network(p, &d);
	}
}
