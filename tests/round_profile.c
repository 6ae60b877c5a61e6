/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A random profile for a random host: every action, in every phase it may stand in. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/profile.h"
#include "round.h"

#define DEVICES_MAX 4
#define EXTRAS_MAX 3	/* steps about no device, or that only look */

/* What is being written. */
struct writer {
	struct dice *d;
	struct arena *a;
	const struct made_host *h;
	const struct made_function *device[DEVICES_MAX];
	bool several[DEVICES_MAX];	/* its name stands for a whole slot */
	unsigned n_devices;
	const char *steps[PROFILE_SECTIONS];	/* text of each phase, and of 'after-network' */
	const char *moved;		/* what may be moved: "d0, d1" */
};

static void add_step(struct writer *w, int section, const char *text)
{
	w->steps[section] = arena_fmt(w->a, "%s  - %s\n", w->steps[section], text);
}

/* --- devices ----------------------------------------------------------------------------------------------------- */

static const struct made_function *pick_function(struct writer *w)
{
	for (int tries = 0; tries < 50; tries++) {
		const struct made_function *f = &w->h->f[dice_pick(w->d, (unsigned)w->h->n)];
		bool taken = false;

		for (unsigned i = 0; i < w->n_devices; i++)
			taken = taken || w->device[i] == f;
		if (!taken && (!(f->bridge || f->pf) || dice_chance(w->d, 2)))
			return f;
	}
	return NULL;
}

/* Some are on the same slot as one before: that is where groups, scans and siblings meet. */
static const struct made_function *pick_sibling(struct writer *w)
{
	const struct made_function *first = w->n_devices ? w->device[0] : NULL;

	for (size_t i = 0; first && i < w->h->n; i++) {
		const struct made_function *f = &w->h->f[(i + dice_pick(w->d, 8)) % w->h->n];
		bool taken = f->slot != first->slot || f->bridge || f->pf;

		for (unsigned k = 0; k < w->n_devices; k++)
			taken = taken || w->device[k] == f;
		if (!taken)
			return f;
	}
	return pick_function(w);
}

static void write_device(struct writer *w, FILE *out, unsigned i)
{
	const struct made_function *f = w->device[i];
	unsigned way = dice_pick(w->d, 20);
	const char *at = f->address + strlen("0000:");

	w->several[i] = way < 2;
	if (way == 0)
		fprintf(out, "  d%u: {at: \"%.*s\"}\n", i, (int)strcspn(at, "."), at);
	else if (way == 1)
		fprintf(out, "  d%u: {at: \"%s\", functions: all}\n", i, at);
	else if (way < 10)
		fprintf(out, "  d%u: {at: \"%s\"}\n", i, f->address);
	else
		fprintf(out, "  d%u: {at: \"%s\", id: \"%s\"}\n", i, at, f->kind->id);
}

/* --- steps about devices ----------------------------------------------------------------------------------------- */

static void write_bind(struct writer *w, unsigned i)
{
	const char *driver = w->device[i]->kind->driver, *text = arena_fmt(w->a, "bind: d%u", i);

	if (driver && dice_chance(w->d, 5))
		text = arena_fmt(w->a, "%s\n    driver: %s", text, driver);
	/* Back to its own by name; to another one, or to none, is no round trip. */
	if (dice_chance(w->d, 35))
		text = arena_fmt(w->a, "%s\n    return: cycle", text);
	else if (w->device[i]->bound && !w->several[i] && dice_chance(w->d, 25))
		text = arena_fmt(w->a, "%s\n    return: %s", text, driver);
	else if (dice_chance(w->d, 20))
		text = arena_fmt(w->a, "%s\n    return: driver", text);
	add_step(w, PHASE_PRE_START, text);
}

static void write_use(struct writer *w, unsigned i)
{
	unsigned way = dice_pick(w->d, 100);

	if (way < 48) {
		write_bind(w, i);
	} else if (way < 60) {
		add_step(w, PHASE_PRE_START, arena_fmt(w->a, "remove: d%u", i));
		if (dice_chance(w->d, 50))
			add_step(w, PHASE_PRE_START, arena_fmt(w->a, "rescan: d%u", i));
	} else if (way < 75) {
		add_step(w, dice_chance(w->d, 50) ? PHASE_PRE_START : PHASE_POST_STOP, arena_fmt(w->a, "cycle: d%u", i));
	} else if (way < 84) {
		add_step(w, PHASE_PRE_START, arena_fmt(w->a, "isolate: d%u%s%s%s", i, *w->moved ? "\n    moving: [" : "",
						       w->moved, *w->moved ? "]" : ""));
		if (dice_chance(w->d, 60))
			write_bind(w, i);
	}
	if (dice_chance(w->d, 10))
		add_step(w, PHASE_POST_STOP, arena_fmt(w->a, "cycle: d%u", i));
}

/* --- the others -------------------------------------------------------------------------------------------------- */

static int any_section(struct writer *w)
{
	static const int sections[] = { PHASE_PRE_START, PHASE_POST_START, PHASE_PRE_STOP, PHASE_POST_STOP, AFTER_NETWORK };

	return sections[dice_pick(w->d, 5)];
}

/* Most of what is looked for is so. */
static void write_look(struct writer *w)
{
	unsigned i = dice_pick(w->d, w->n_devices);
	const char *action = dice_chance(w->d, 50) ? "check" : "wait", *text = arena_fmt(w->a, "%s: d%u", action, i);

	if (dice_chance(w->d, 15))
		text = arena_fmt(w->a, "%s\n    driver: vfio-pci", text);
	if (*action == 'w')
		text = arena_fmt(w->a, "%s\n    for: 100ms", text);
	else if (dice_chance(w->d, 10))
		text = arena_fmt(w->a, "%s\n    group: alone", text);
	add_step(w, any_section(w), text);
}

const char *const made_modules[MADE_MODULES] = {
	"nouveau", "e1000e", "igb", "xhci_pci", "vfio_pci", "snd_hda_intel", "nvme",
};

static void write_module(struct writer *w)
{
	const char *verb = dice_chance(w->d, 70) ? "load" : "unload";

	add_step(w, PHASE_PRE_START, arena_fmt(w->a, "module: {%s: %s}", verb, made_modules[dice_pick(w->d, MADE_MODULES)]));
}

static void write_usb(struct writer *w)
{
	unsigned i = w->h->n_usb ? dice_pick(w->d, (unsigned)w->h->n_usb) : 0;

	if (w->h->n_usb)
		add_step(w, dice_chance(w->d, 50) ? PHASE_PRE_START : PHASE_POST_START,
			 arena_fmt(w->a, "usb: \"%s\"", dice_chance(w->d, 70) ? w->h->usb[i].port : w->h->usb[i].id));
}

static void write_extra(struct writer *w)
{
	static const char *const verbs[] = { "start", "stop", "restart" };
	unsigned way = dice_pick(w->d, 10);

	if (way < 3)
		add_step(w, any_section(w), arena_fmt(w->a, "service: {%s: %s}", verbs[dice_pick(w->d, 3)],
						    made_units[dice_pick(w->d, MADE_UNITS)]));
	else if (way < 5)
		add_step(w, any_section(w), arena_fmt(w->a, "run: [%s, \"a b\"]", made_commands[dice_pick(w->d, MADE_COMMANDS)]));
	else if (way < 6)
		write_module(w);
	else if (way < 8)
		write_usb(w);
	else
		write_look(w);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void write_steps(struct writer *w)
{
	unsigned extras = dice_pick(w->d, EXTRAS_MAX + 1);

	for (unsigned i = 0; i < w->n_devices; i++)
		w->moved = dice_chance(w->d, 70) ? arena_fmt(w->a, "%s%sd%u", w->moved, *w->moved ? ", " : "", i) : w->moved;
	for (unsigned i = 0; i < w->n_devices; i++) {
		if (extras && dice_chance(w->d, 50)) {
			write_extra(w);
			extras--;
		}
		write_use(w, i);
	}
	while (extras--)
		write_extra(w);
}

static void write_accepts(struct writer *w, FILE *out)
{
	static const char *const codes[] = { "console", "last-keyboard", "management-nic", "platform-function",
					     "storage-member" };
	const char *all = "";

	for (unsigned i = 0; i < w->n_devices; i++)
		all = arena_fmt(w->a, "%s%sd%u", all, *all ? ", " : "", i);
	fprintf(out, "accept:\n  unverified-isolation: [%s]\n", dice_chance(w->d, 90) ? all : "d0");
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (dice_chance(w->d, 40))
			fprintf(out, "  %s: [%s]\n", codes[i], all);
}

const char *make_profile(struct dice *d, const struct made_host *h, struct arena *a)
{
	struct writer w = { .d = d, .a = a, .h = h, .moved = "" };
	unsigned devices = 1 + dice_pick(d, DEVICES_MAX);
	char *text = NULL, *copy;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert(out);
	for (int i = 0; i < PROFILE_SECTIONS; i++)
		w.steps[i] = "";
	while (w.n_devices < devices) {
		w.device[w.n_devices] = dice_chance(d, 50) ? pick_sibling(&w) : pick_function(&w);
		if (!w.device[w.n_devices])
			break;
		w.n_devices++;
	}
	fprintf(out, "handover: 1\n");
	if (w.n_devices) {
		write_accepts(&w, out);
		fprintf(out, "devices:\n");
		for (unsigned i = 0; i < w.n_devices; i++)
			write_device(&w, out, i);
		write_steps(&w);
	}
	for (int i = 0; i < PROFILE_SECTIONS; i++)
		if (*w.steps[i])
			fprintf(out, "%s:\n%s", section_name(i), w.steps[i]);
	fclose(out);
	copy = arena_dupn(a, text, n);
	free(text);
	return copy;
}
