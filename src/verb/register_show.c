/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verb/register.h"

void note_add(struct notes *n, struct arena *a, const char *fmt, ...)
{
	va_list ap;

	if (n->n == REGISTER_NOTES_MAX)
		return;
	va_start(ap, fmt);
	n->list[n->n++] = arena_vfmt(a, fmt, ap);
	va_end(ap);
}

const char *registration_name(const struct registration *x, struct arena *a)
{
	return arena_fmt(a, "%s %u", x->guest && x->guest->container ? "container" : "VM", x->vmid);
}

/* --- for people -------------------------------------------------------------------------------------------------- */

static void show_notes(const struct registry *g, const struct notes *notes, const struct notes *warnings,
		       const char *who)
{
	for (size_t i = 0; i < warnings->n; i++)
		printf("%swarning: %s\n", who, warnings->list[i]);
	for (size_t i = 0; i < notes->n && !g->r->quiet; i++)
		printf("%s%s\n", who, notes->list[i]);
}

static void show_one(const struct registry *g, const struct registration *x)
{
	const char *who = registration_name(x, g->a);
	bool refused = x->outcome != OUTCOME_DONE && x->outcome != OUTCOME_WILL_FAIL;

	if (refused)
		complain("%s: %s", who, x->text);
	else if (!g->r->quiet)
		printf("%s: %s\n", who, x->text);
	if (x->kept && !g->r->quiet)
		printf("%s: its configuration as it was is %s\n", who, x->kept);
	show_notes(g, &x->notes, &x->warnings, arena_fmt(g->a, "%s: ", who));
	print_findings(&x->findings, stdout);
	if (x->verdict && x->outcome == OUTCOME_WILL_FAIL)
		complain("%s: %s", who, x->verdict);
	else if (x->verdict && !g->r->quiet)
		printf("%s: %s\n", who, x->verdict);
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

static struct json_object *json_notes(const struct notes *n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n->n; i++)
		json_object_array_add(list, json_text(n->list[i]));
	return list;
}

static struct json_object *json_link(const struct link *l)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "storage", json_text(l->storage->id));
	json_add(o, "volume", json_text(l->volume));
	json_add(o, "path", json_text(l->path));
	json_add(o, "target", json_text(l->target));
	json_add(o, "made", json_object_new_boolean(l->made));
	return o;
}

static struct json_object *json_registration(const struct registration *x)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "vmid", json_vmid(x->vmid));
	json_add(o, "container", json_object_new_boolean(x->guest && x->guest->container));
	json_add(o, "outcome", json_object_new_int((int)x->outcome));
	json_add(o, "text", json_text(x->text));
	json_add(o, "before", json_text(x->before));
	json_add(o, "kept", json_text(x->kept));
	json_add(o, "notes", json_notes(&x->notes));
	json_add(o, "warnings", json_notes(&x->warnings));
	json_add(o, "findings", json_findings(&x->findings));
	json_add(o, "verdict", json_text(x->verdict));
	return o;
}

static void show_json(const struct registry *g, const struct link *l)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_add(o, "link", l ? json_link(l) : NULL);
	for (size_t i = 0; i < g->n; i++)
		json_object_array_add(list, json_registration(&g->list[i]));
	json_add(o, "guests", list);
	json_add(o, "notes", json_notes(&g->notes));
	json_add(o, "warnings", json_notes(&g->warnings));
	json_print(o);
}

enum outcome registry_show(const struct registry *g, const struct link *l)
{
	enum outcome worst = OUTCOME_DONE;

	for (size_t i = 0; i < g->n; i++)
		worst = outcome_worse(worst, g->list[i].outcome);
	if (g->r->json) {
		show_json(g, l);
		return worst;
	}
	if (l && !g->r->quiet && l->state == LINK_OURS)
		printf("%s -> %s%s\n", l->path, l->target ? l->target : g->program, l->made ? ": made" : "");
	for (size_t i = 0; i < g->n; i++)
		show_one(g, &g->list[i]);
	show_notes(g, &g->notes, &g->warnings, "");
	return worst;
}
