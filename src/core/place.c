/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/nic.h"
#include "core/place.h"
#include "core/scan.h"
#include "host/command.h"

#define DEVICES "sys/bus/pci/devices"
#define IFRELOAD "/usr/sbin/ifreload"	/* of ifupdown2, which Proxmox VE has */

/* A step of a whole slot, eight functions, has room for all looks, and for as many USB devices as are left. */
#define LOOKS_OF_A_FUNCTION 40	/* at most, USB devices apart */
#define LOOKS_OF_FUNCTIONS (PLACE_FUNCTIONS_MAX * LOOKS_OF_A_FUNCTION)
#define LOOKS_AT_USB (STEP_LOOKS_MAX - LOOKS_OF_FUNCTIONS)

/* What it reads before is what it shall read again: within the step, or when the lease has ended. */
static void look_again(struct step *s, const char *name, const char *text, enum stay stay)
{
	if (stay == STAY_RETURNS)
		step_look(s, name, value_of(text), value_of(text), value_any());
	else
		step_look(s, name, value_of(text), value_any(), stay == STAY_LENT ? value_of(text) : value_any());
}

/* The same of what is only hoped for. A step may begin without it; one that is undone has it back. */
static void look_hoped(struct step *s, const char *name, const char *text, enum stay stay)
{
	step_look(s, name, value_hoped(text), stay == STAY_RETURNS ? value_hoped(text) : value_any(),
		  stay == STAY_LENT ? value_hoped(text) : value_any());
}

void place_power(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	if (fn->power_control)
		look_again(s, arena_fmt(p->arena, DEVICES "/%s/power/control", fn->address), fn->power_control, stay);
}

void place_attributes(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	if (fn->reset_methods)
		look_again(s, arena_fmt(p->arena, DEVICES "/%s/reset_method", fn->address), fn->reset_methods, stay);
	if (fn->d3cold)
		look_again(s, arena_fmt(p->arena, DEVICES "/%s/d3cold_allowed", fn->address), fn->d3cold, stay);
}

static size_t count_looks(const struct step *s, const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_looks; i++)
		n += str_starts(s->look[i], prefix);
	return n;
}

static const char *ifreload_name(struct planner *p)
{
	char name[HOST_NAME_BYTES] = "";

	command_name_add(name, IFRELOAD);
	command_name_add(name, "-a");
	return arena_dup(p->arena, name);
}

/* It is of use again once it has a carrier and its gateway answers, if both were so. */
static void hope_for_network(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	const struct nic *nic = nic_hopes_of(p, fn);
	const char *const texts[][2] = { { NIC_CARRIER, nic->carrier }, { NIC_GATEWAY, nic->gateway } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i][1])
			look_hoped(s, arena_fmt(p->arena, "nic/%s/%s", fn->address, texts[i][0]), texts[i][1], stay);
	/* Once in a run of the program: it is for all interfaces. */
	if (nic->gateway && p->profile->network == NETWORK_IFRELOAD && !count_looks(s, COMMAND_PREFIX))
		look_hoped(s, ifreload_name(p), "1", stay);
}

void place_nic(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	const struct nic *nic;

	if (p->profile->network == NETWORK_NONE)
		return;
	nic = nic_of(p, fn);
	for (enum nic_what what = 0; what < NIC_KEPT; what++) {
		const char *text = nic->text[what];

		/* It comes back down. If somebody has raised it by then, or after boot, it is never taken down again. */
		if (text && (what != NIC_UP || strcmp(text, "down") != 0))
			look_again(s, arena_fmt(p->arena, "nic/%s/%s", fn->address, nic_what_name(what)), text, stay);
	}
	hope_for_network(p, s, fn, stay);
}

void place_udev(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	const char *look = arena_fmt(p->arena, "udev/%s", fn->address);
	char text[16];

	if (host_read(p->host, look, text, sizeof(text)) < 0 || strcmp(text, "done") != 0)
		return;
	step_look(s, look, value_any(), stay == STAY_RETURNS ? value_hoped("done") : value_any(),
		  stay == STAY_RETURNS ? value_any() : value_hoped("done"));
}

void place_usb(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	const char *folder = arena_fmt(p->arena, "usb/%s", fn->address);
	char **ports, text[64];
	size_t n, known = count_looks(s, "usb/");

	if (fn->class >> 8 != 0x0c03 || stay == STAY_KEPT || host_list(p->host, folder, p->arena, &ports, &n) < 0)
		return;
	for (size_t i = 0; i < n && known + i < LOOKS_AT_USB; i++) {
		const char *look = arena_fmt(p->arena, "%s/%s", folder, ports[i]);
		struct value hoped;

		if (host_read(p->host, look, text, sizeof(text)) < 0)
			continue;
		hoped = value_hoped(arena_dup(p->arena, text));
		step_look(s, look, value_any(), stay == STAY_RETURNS ? hoped : value_any(),
			  stay == STAY_RETURNS ? value_any() : hoped);
	}
}

/* --- may it? ---------------------------------------------------------------------------------------------------- */

/* At boot there is no network yet. */
static void tell_what_it_costs(struct planner *p, const struct wish *w, const struct nic *nic)
{
	const char *name = nic->text[NIC_NAME], *up = nic->text[NIC_UP], *master = nic->text[NIC_MASTER];

	if (w->phase == PHASE_BOOT || !name || !up || strcmp(up, "up") != 0)
		return;
	finding_add(p->findings, SEVERITY_NOTE, "network-away", w->place, NULL,
		    "%s (%s) leaves with what goes over it%s%s%s: that is away until %s", name, nic->address, master ? " (" : "",
		    master ? master : "", master ? ")" : "", p->profile->network == NETWORK_NONE ?
		    "somebody else brings it back, for 'network' is 'none'" :
		    "it is back and its link is up, which a step at boot would not cost");
}

/* An interface that does not say where it belongs could not be brought back there. */
static bool may_nic_leave(struct planner *p, const struct wish *w, const struct function *fn)
{
	const struct nic *nic = nic_of(p, fn);
	bool is_left = p->profile->network == NETWORK_NONE;
	char count[32];

	if (nic->unknown && !is_left)
		finding_add(p->findings, SEVERITY_ERROR, "nic-unreadable", w->place,
			    "try again; if it stays so, look for a process that changes the network and does not come back",
			    "of the network interface of %s, '%s' cannot be read (%s), so it could not be brought back",
			    fn->address, nic->unknown, nic->why);
	else if (nic->text[NIC_LOOSE] && *nic->text[NIC_LOOSE] && !is_left)
		finding_add(p->findings, SEVERITY_ERROR, "nic-loose-ends", w->place,
			    "take these off the interface first, or put them on a bridge above it",
			    "the network interface of %s would lose what handover cannot bring back: %s", fn->address,
			    nic->text[NIC_LOOSE]);
	else if (p->profile->network == NETWORK_IFRELOAD && !nic_is_none(nic) &&
		 host_read(p->host, ifreload_name(p), count, sizeof(count)) < 0)
		finding_add(p->findings, SEVERITY_ERROR, "ifreload-missing", w->place,
			    "install ifupdown2, or write 'network: restore'",
			    "'network: ifreload' needs " IFRELOAD ", which is not there, or others than root could have put "
			    "it there");
	else {
		tell_what_it_costs(p, w, nic);
		return true;
	}
	return false;
}

bool place_may_leave_with(struct planner *p, const struct wish *w, const struct function *fn,
			  const struct function *because)
{
	struct findings *f = p->findings;

	if (fn->bridge) {
		finding_add(f, SEVERITY_ERROR, "bridge", w->place, "name the devices behind it",
			    "%s is a bridge (%s), and all that is behind it would go with it", fn->address,
			    function_class_name(fn, p->arena));
		return false;
	}
	if (fn->stuck) {
		finding_add(f, SEVERITY_ERROR, "device-stuck", w->place,
			    "look for a process in state D (`ps axo pid,stat,wchan,args`) and for what it waits for",
			    "%s does not answer: a write to it hangs in the kernel", fn->address);
		return false;
	}
	if (fn->vfs > 0) {
		finding_add(f, SEVERITY_ERROR, "vfs-enabled", w->place,
			    "hand over a virtual function, or set sriov_numvfs to 0 first",
			    "%s has %d virtual functions switched on; unbinding it would take them all away",
			    fn->address, fn->vfs);
		return false;
	}
	/* Whatever else forbids it: that the host stands on it is to be said too. */
	planner_leaves(p, (struct leaving){ .fn = fn, .because = because, .place = w->place, .phase = w->phase });
	return may_nic_leave(p, w, fn);
}

bool place_may_leave(struct planner *p, const struct wish *w, const struct function *fn)
{
	return place_may_leave_with(p, w, fn, NULL);
}

bool place_may_be_found(struct planner *p, const struct wish *w, const struct function *fn)
{
	if (!fn->virtual)
		return true;
	finding_add(p->findings, SEVERITY_ERROR, "virtual-function", w->place, "bind it, with 'return: driver' or 'keep'",
		    "%s is a virtual function: once removed, no rescan finds it again", fn->address);
	return false;
}

static const struct lent *lent_sibling(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; i < p->n_lent; i++) {
		const struct function *other = inventory_find(p->inventory, p->lent[i].address);

		if (other && other != fn && function_same_slot(other, fn))
			return &p->lent[i];
	}
	return NULL;
}

static bool may_return(struct planner *p, const struct wish *w, const struct forecast *f, size_t i)
{
	const struct function *fn = &p->inventory->functions[i];
	const struct lent *lent = f->joins[i] ? lent_sibling(p, fn) : NULL;

	if (lent)
		finding_add(p->findings, SEVERITY_ERROR, "merge-risk", w->place,
			    arena_fmt(p->arena, "stop VM %u first", lent->vmid),
			    "%s would join the IOMMU group of a sibling while VM %u has %s: %s", fn->address, lent->vmid,
			    lent->address, forecast_reason(f, fn, p->arena));
	else if (f->outlook[i] == OUTLOOK_MERGE_RISK)
		finding_add(p->findings, SEVERITY_ERROR, "merge-risk", w->place,
			    arena_fmt(p->arena, "leave %s where it is, or let all of its slot leave together (%s)",
				      fn->address, forecast_siblings(f, fn, p->arena)),
			    "%s would end in the IOMMU group of another function: %s", fn->address,
			    forecast_reason(f, fn, p->arena));
	else
		return true;
	return false;
}

bool place_may_return(struct planner *p, const struct wish *w, const struct forecast *f)
{
	bool may = true;

	for (size_t i = 0; i < p->inventory->n; i++)
		if (f->moved[i])
			may = may_return(p, w, f, i) && may;
	return may;
}

/* --- leaving and coming back within a step ------------------------------------------------------------------------- */

static void look_at_driver(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	const char *override = fn->override ? fn->override : "(null)";
	const char *look = arena_fmt(p->arena, DEVICES "/%s/driver", fn->address);

	/* None had taken it, perhaps because its module was not there yet: if one does now, that is what a boot would do. */
	if (stay == STAY_RETURNS && !fn->driver)
		step_look(s, look, value_any(), value_any(), value_any());
	else
		look_again(s, look, fn->driver, stay);
	look_again(s, arena_fmt(p->arena, DEVICES "/%s/driver_override", fn->address), override, stay);
}

static void look_at_all(struct planner *p, struct step *s, const struct function *fn, enum stay stay)
{
	look_at_driver(p, s, fn, stay);
	place_power(p, s, fn, stay);
	place_attributes(p, s, fn, stay);
	place_nic(p, s, fn, stay);
	place_usb(p, s, fn, stay);
	place_udev(p, s, fn, stay);
}

void place_lent(struct planner *p, struct step *s, const struct function *fn)
{
	step_look(s, arena_fmt(p->arena, "id/%s", fn->address), value_of(fn->id), value_any(), value_of(fn->id));
	look_at_all(p, s, fn, STAY_LENT);
}

void place_found(struct planner *p, struct step *s, const struct function *fn, const struct forecast *f, bool is_there)
{
	struct arena *a = p->arena;

	/* If another step has taken it away, where it came from is nobody's matter. */
	step_look(s, arena_fmt(a, "id/%s", fn->address), is_there ? value_of(fn->id) : value_any(), value_of(fn->id),
		  value_any());
	look_at_all(p, s, fn, STAY_RETURNS);
	if (fn->group >= 0)
		step_look(s, arena_fmt(a, "group/%s", fn->address), value_any(), value_of(forecast_members(f, fn, a)),
			  value_any());
}

/* Whether a function stays while others of its slot leave. */
static bool is_sibling(const struct function *fn, const struct selection *moved)
{
	bool sibling = false;

	for (size_t i = 0; i < moved->n; i++) {
		if (moved->list[i] == fn)
			return false;
		sibling = sibling || function_same_slot(fn, moved->list[i]);
	}
	return sibling && fn->group >= 0;
}

/* Siblings that stay are witnesses: their groups must become what is foretold, and nobody else may move them meanwhile. */
static void look_at_siblings(struct planner *p, struct step *s, const struct selection *moved, const struct forecast *f)
{
	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct function *fn = &p->inventory->functions[i];

		if (is_sibling(fn, moved))
			step_look(s, arena_fmt(p->arena, "group/%s", fn->address), value_any(),
				  value_of(forecast_members(f, fn, p->arena)), value_any());
	}
}

static void tell_outlook(struct planner *p, const struct wish *w, const struct forecast *f)
{
	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct function *fn = &p->inventory->functions[i];

		if (f->moved[i])
			finding_add(p->findings, SEVERITY_NOTE, "iommu-outlook", w->place, NULL, "%s %s: %s", fn->address,
				    outlook_name(f->outlook[i]), forecast_reason(f, fn, p->arena));
	}
}

static bool too_many(struct planner *p, const struct wish *w, const struct selection *moved)
{
	size_t looks = moved->n * LOOKS_OF_A_FUNCTION, siblings = 0;

	for (size_t i = 0; i < p->inventory->n; i++)
		siblings += is_sibling(&p->inventory->functions[i], moved);
	if (looks + siblings <= LOOKS_OF_FUNCTIONS)
		return false;
	finding_add(p->findings, SEVERITY_ERROR, "cycle-too-large", w->place, "make it two steps",
		    "at most %d functions leave and come back together, fewer where many siblings stay in their slots, and these "
		    "are %zu with %zu siblings", PLACE_FUNCTIONS_MAX, moved->n, siblings);
	return true;
}

struct step *place_cycle(struct planner *p, const struct wish *w, const struct selection *moved)
{
	struct forecast f;
	struct step *s;
	bool may = !too_many(p, w, moved);

	for (size_t i = 0; i < moved->n; i++)
		may = place_may_leave(p, w, moved->list[i]) && place_may_be_found(p, w, moved->list[i]) && may;
	/* What cannot leave has nothing to return to; of one that does not answer, nothing could be foretold. */
	if (!may)
		return NULL;
	split_foretell(p->inventory, moved, p->arena, &f);
	if (!place_may_return(p, w, &f) || !scan_brings_only(p, w, &f, w->phase != PHASE_POST_STOP))
		return NULL;
	s = planner_add(p, w, moved->list[0]);
	if (!s)
		return NULL;
	s->id = NULL;
	for (size_t i = 0; i < moved->n; i++) {
		const struct function *fn = moved->list[i];

		step_look(s, arena_fmt(p->arena, "life/%s", fn->address), value_present(), value_new(p->arena), value_present());
		place_found(p, s, fn, &f, true);
	}
	look_at_siblings(p, s, moved, &f);
	tell_outlook(p, w, &f);
	planner_foresee(p, &f);
	return s;
}

/* --- the way home ------------------------------------------------------------------------------------------------ */

/* The function of a look at a life, or NULL. */
static const struct function *function_of(const struct planner *p, const char *look)
{
	char address[BDF_TEXT_MAX];

	return str_starts(look, "life/") && look_function(look, address) ? inventory_find(p->inventory, address) : NULL;
}

static void drop(struct selection *s, const struct function *fn)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i] != fn)
			s->list[n++] = s->list[i];
	s->n = n;
}

/* What is away while lent. */
static struct selection find_away(const struct planner *p)
{
	struct selection away = { 0 };

	for (size_t i = 0; i < p->inventory->n; i++)
		if (scan_is_removed(p, &p->inventory->functions[i]))
			selection_add(&away, &p->inventory->functions[i], p->arena);
	return away;
}

/* What a step finds on its way home. One scan of a bus finds all that are away there. */
static struct selection found_by(struct planner *p, const struct step *s, struct selection *away)
{
	struct selection found = { 0 };

	for (size_t k = 0; k < s->n_looks; k++) {
		const struct function *fn = function_of(p, s->look[k]);

		if (fn && (s->home.v[k].kind == VALUE_NEW || (s->home.v[k].kind != VALUE_ANY && selection_holds(away, fn))))
			selection_add(&found, fn, p->arena);
	}
	for (size_t i = away->n; found.n && i-- > 0;)
		if (bdf_same_bus(&away->list[i]->bdf, &found.list[0]->bdf))
			selection_add(&found, away->list[i], p->arena);
	for (size_t i = 0; i < found.n; i++)
		drop(away, found.list[i]);
	return found;
}

static void say_members(struct planner *p, struct step *s, const struct forecast *f)
{
	char address[BDF_TEXT_MAX];

	for (size_t k = 0; k < s->n_looks; k++)
		if (str_starts(s->look[k], "group/") && s->home.v[k].kind == VALUE_TEXT && look_function(s->look[k], address))
			s->home.v[k] = value_of(forecast_members(f, inventory_find(p->inventory, address), p->arena));
}

void place_come_home(struct planner *p)
{
	struct selection away = find_away(p);

	for (size_t i = p->plan.n; i-- > 0;) {
		struct step *s = &p->plan.steps[i];
		struct selection found = found_by(p, s, &away);
		struct forecast f;

		if (found.n == 0)
			continue;
		split_foretell(p->inventory, &found, p->arena, &f);
		if (place_may_return(p, p->wishes[i], &f))
			scan_brings_only(p, p->wishes[i], &f, false);
		say_members(p, s, &f);
		planner_foresee(p, &f);
	}
}
