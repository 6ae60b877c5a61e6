/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover rehearse VMID|PROFILE: three lives of the VM, done by the same code on a copy of the host. */
#include <stdlib.h>
#include <string.h>

#include "core/same.h"
#include "host/hostfile.h"
#include "verb/json.h"
#include "verb/subject.h"
#include "verb/verb.h"

#define LIVES 3
#define DIFFERENCES_MAX 20

/* One life: what was planned, and what the host looked like at its turns. */
struct life {
	struct subject subject;
	struct inventory before, during, after;
	enum outcome out, back;
	struct error error;
	const char *differences[DIFFERENCES_MAX];
	size_t n_differences;
};

/* How steps are shown while they are done. */
struct listener {
	bool loud;
};

static struct host *copy_host(struct run *r, struct host *h)
{
	struct host *copy = NULL;
	struct error err;
	char *text = NULL, source[HOST_VALUE_BYTES];
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (host_read(h, "source", source, sizeof(source)) < 0)
		strcpy(source, "captured for a rehearsal");
	if (!out || hostfile_write(h, source, out, &err) < 0 || fclose(out) != 0 ||
	    hostfile_parse(text, n, r->host_file ? r->host_file : "this host", &copy, &err) < 0)
		complain("cannot copy the host: %s", err.text);
	free(text);
	return copy;
}

static void show(void *arg, const struct event *e)
{
	const struct listener *l = arg;
	/* The run's own arena is sealed while the engine works. */
	_cleanup_arena_ struct arena *a = arena_new();
	const struct step *s = e->step;
	bool back = e->goal != GOAL_TO;

	if (!l->loud)
		return;
	printf("  %zu/%zu  %s", e->index + 1, e->total,
	       step_line(s, back ? &s->to : &s->from, step_goal(s, e->goal), a));
	if (e->kind == EVENT_FAILED)
		printf("  FAILED: %s\n", e->text);
	else
		printf("  (%u write%s)%s%s\n", e->writes, e->writes == 1 ? "" : "s", !back && s->why ? "  " : "",
		       !back && s->why ? s->why : "");
}

static enum outcome lend(struct run *r, struct life *l, struct host *h, struct store *store, struct listener *ear)
{
	unsigned vmid = l->subject.vmid ? l->subject.vmid : VMID_MIN;
	struct lender lender;
	bool ended;

	lender_init(&lender, h, store, r->arena, "rehearsal");
	lender.engine.tell = show;
	lender.engine.arg = ear;
	if (ear->loud)
		printf("\npre-start\n%s", l->subject.planner.plan.n ? "" : "  nothing\n");
	l->out = lend_out(&lender, vmid, l->subject.profile, l->subject.hash, &l->subject.planner.plan, &l->error);
	if (l->out != OUTCOME_DONE)
		return l->out;
	if (inventory_read(h, r->arena, &l->during, &l->error) < 0)
		return OUTCOME_FAILED;
	if (ear->loud)
		printf("\npost-start\n  nothing\n\npre-stop\n  nothing\n\npost-stop\n%s",
		       l->subject.planner.plan.n ? "" : "  nothing\n");
	l->back = lend_back(&lender, vmid, &ended, &l->error);
	return l->back;
}

/* False: the profile cannot be planned; that has been told. */
static bool live(struct run *r, struct life *l, struct host *h, struct store *store, struct listener *ear)
{
	if (!subject_prepare(r, r->args[0], h, &l->subject) || l->subject.findings.errors)
		return false;
	l->before = *l->subject.planner.found;
	if (ear->loud)
		printf("%s\n  profile %s\n  host    %s\n", l->subject.profile->name ? l->subject.profile->name : "(no name)",
		       l->subject.path, r->host_file ? r->host_file : "a copy of this host");
	lend(r, l, h, store, ear);
	if (inventory_read(h, r->arena, &l->after, &l->error) < 0)
		return false;
	l->n_differences = same_differences(&l->before, &l->after, r->arena, l->differences, DIFFERENCES_MAX);
	return true;
}

/* --- the table ------------------------------------------------------------------------------------------------- */

static const char *cell(const struct inventory *inv, const char *address, struct arena *a)
{
	const struct function *fn = inventory_find(inv, address);

	if (!fn)
		return "gone";
	return arena_fmt(a, "%s, %s", fn->driver ? fn->driver : "no driver",
			 fn->group >= 0 ? arena_fmt(a, "group %d", fn->group) : "no group");
}

/* What the plan is about, and who shares a group with it. */
static bool concerns(const struct life *l, const struct function *fn)
{
	for (size_t i = 0; i < l->subject.planner.plan.n; i++) {
		const struct function *step = inventory_find(&l->before, l->subject.planner.plan.steps[i].device);

		if (step && function_same_group(step, fn))
			return true;
	}
	return false;
}

static void print_table(const struct run *r, const struct life *l)
{
	printf("\n%-14s %-26s %-26s %-26s %s\n", "device", "before", "while the VM runs", "after", "what it is");
	for (size_t i = 0; i < l->before.n; i++) {
		const struct function *fn = &l->before.functions[i];

		if (concerns(l, fn))
			printf("%-14s %-26s %-26s %-26s %s\n", fn->address, cell(&l->before, fn->address, r->arena),
			       cell(&l->during, fn->address, r->arena), cell(&l->after, fn->address, r->arena),
			       function_name(fn, r->arena));
	}
}

static void print_verdict(size_t n, const struct life *l)
{
	if (l->out != OUTCOME_DONE || l->back != OUTCOME_DONE)
		printf("life %zu: failed: %s\n", n, l->error.text);
	else if (l->n_differences == 0)
		printf("life %zu: %zu steps and back; the host is as it was\n", n, l->subject.planner.plan.n);
	else
		printf("life %zu: %zu steps and back; %zu differences:\n", n, l->subject.planner.plan.n, l->n_differences);
	for (size_t i = 0; i < l->n_differences && i < DIFFERENCES_MAX; i++)
		printf("  %s\n", l->differences[i]);
}

static struct json_object *json_state(const struct life *l, const struct inventory *inv, struct arena *a)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < inv->n; i++) {
		const struct function *fn = &inv->functions[i];
		struct json_object *o;

		if (!concerns(l, fn))
			continue;
		o = json_object_new_object();
		json_add(o, "device", json_text(fn->address));
		json_add(o, "driver", json_text(fn->driver));
		json_add(o, "group_members", json_text(group_members(inv, fn, a)));
		json_object_array_add(list, o);
	}
	return list;
}

static void print_json(const struct life *lives, size_t n, struct arena *a)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		const struct life *l = &lives[i];
		struct json_object *o = json_object_new_object(), *steps = json_object_new_array();
		struct json_object *differences = json_object_new_array();

		for (size_t k = 0; k < l->subject.planner.plan.n; k++)
			json_object_array_add(steps, json_step(&l->subject.planner.plan.steps[k]));
		for (size_t k = 0; k < l->n_differences && k < DIFFERENCES_MAX; k++)
			json_object_array_add(differences, json_text(l->differences[k]));
		json_add(o, "steps", steps);
		json_add(o, "before", json_state(l, &l->before, a));
		json_add(o, "during", json_state(l, &l->during, a));
		json_add(o, "after", json_state(l, &l->after, a));
		json_add(o, "error", json_text(*l->error.text ? l->error.text : NULL));
		json_add(o, "differences", differences);
		json_object_array_add(list, o);
	}
	json_print(list);
}

/* With 'return: keep' and its like a difference is what was asked for. */
static bool stays_away(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (!looks_fit(&plan->steps[i], &plan->steps[i].home, &plan->steps[i].from))
			return true;
	return false;
}

static enum outcome verdict(const struct life *lives, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (lives[i].out != OUTCOME_DONE)
			return lives[i].out;
		if (lives[i].back != OUTCOME_DONE)
			return lives[i].back;
		if (lives[i].n_differences && !stays_away(&lives[i].subject.planner.plan))
			return OUTCOME_CHANGED;
	}
	return OUTCOME_DONE;
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL, *copy = NULL;
	struct life *lives = arena_array(r->arena, LIVES, sizeof(*lives));
	struct store store;
	enum outcome o;
	size_t n;

	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	copy = copy_host(r, h);
	if (!copy)
		return OUTCOME_FAILED;
	store_open_memory(&store);
	for (n = 0; n < LIVES; n++) {
		struct listener ear = { n == 0 && !r->json };

		if (!live(r, &lives[n], copy, &store, &ear)) {
			print_findings(&lives[n].subject.findings, stdout);
			store_close(&store);
			return OUTCOME_REFUSED;
		}
	}
	store_close(&store);
	if (r->json) {
		print_json(lives, n, r->arena);
		return verdict(lives, n);
	}
	print_findings(&lives[0].subject.findings, stdout);
	print_table(r, &lives[0]);
	putchar('\n');
	for (size_t i = 0; i < n; i++)
		print_verdict(i + 1, &lives[i]);
	return verdict(lives, n);
}

const struct verb verb_rehearse = {
	.name = "rehearse",
	.args = "VMID|PROFILE",
	.help = "goes through three lives of the VM on a copy of this host",
	.min_args = 1,
	.max_args = 1,
	.takes_host = true,
	.run = run,
};
