/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover plan VMID|PROFILE [PHASE]: what would be done, and how it goes back. Nothing is changed. */
#include <ctype.h>
#include <string.h>

#include "core/prepare.h"
#include "verb/json.h"
#include "verb/subject.h"
#include "verb/verb.h"

static void print_writes(const struct step *s, const struct looks *from, const struct looks *to, const char *title)
{
	static struct poke w[STEP_WRITES_MAX];
	size_t n = step_writes(s, from, to, w);

	for (size_t i = 0; i < n; i++)
		printf("       %-5s %s%s: write '%s' to %s\n", i ? "" : title, w[i].what,
		       w[i].perhaps ? ", unless it is so already" : "", w[i].put, w[i].at);
}

static void print_step(const struct run *r, const struct plan *plan, size_t i)
{
	const struct step *s = &plan->steps[i];

	printf("  %zu/%zu  %s%s%s\n", i + 1, plan->n, step_line(s, &s->from, &s->to, r->arena), s->why ? "  " : "",
	       s->why ? s->why : "");
	print_writes(s, &s->from, &s->to, "");
	if (s->phase != PHASE_BOOT && s->phase != PHASE_POST_STOP && looks_fit(s, &s->to, &s->home))
		printf("       back  nothing to write\n");
	else if (s->phase != PHASE_POST_STOP && s->phase != PHASE_BOOT)
		print_writes(s, &s->to, &s->home, "back");
}

static bool goes_back(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].phase != PHASE_POST_STOP)
			return true;
	return false;
}

static void print_plan(const struct run *r, const struct subject *s, int only)
{
	const struct plan *plan = &s->planner.plan;

	printf("profile %s\n", subject_files(s));
	for (int phase = 0; phase < PHASES; phase++) {
		size_t n = 0;

		if ((only >= 0 && phase != only) || (phase == PHASE_BOOT) != profile_is_host(s->profile))
			continue;
		printf("%s\n", phase_name((enum phase)phase));
		if (phase == PHASE_PRE_START && s->profile->wait_ms) {
			printf("  waits at most %g s while another VM has one of the devices\n", s->profile->wait_ms / 1000.0);
			n++;
		}
		if (phase == PHASE_POST_STOP && goes_back(plan)) {
			printf("  what was lent goes back, last step first: the lines named back\n");
			n++;
		}
		for (size_t i = 0; i < plan->n; i++)
			if ((int)plan->steps[i].phase == phase) {
				print_step(r, plan, i);
				n++;
			}
		if (n == 0)
			printf("  nothing\n");
	}
}

/* What the profile extends, one file through the other. */
static struct json_object *json_bases(const struct profile *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 1; p && i < p->n_layers; i++)
		json_object_array_add(list, json_text(p->layers[i].file));
	return list;
}

static void print_json(const struct subject *s, int only)
{
	struct json_object *o = json_object_new_object(), *steps = json_object_new_array();
	bool whole = s->findings.errors == 0;

	for (size_t i = 0; whole && i < s->planner.plan.n; i++)
		if (only < 0 || (int)s->planner.plan.steps[i].phase == only)
			json_object_array_add(steps, json_step(&s->planner.plan.steps[i]));
	json_add(o, "profile", json_text(s->path));
	json_add(o, "bases", json_bases(s->profile));
	json_add(o, "vmid", s->vmid ? json_object_new_int((int)s->vmid) : NULL);
	json_add(o, "wait_ms", json_object_new_int(s->profile ? (int)s->profile->wait_ms : 0));
	json_add(o, "steps", steps);
	json_add(o, "findings", json_findings(&s->findings));
	json_print(o);
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct subject s;
	enum outcome o;
	int only = -1;

	if (r->n_args == 2 && (only = phase_find(r->args[1])) < 0) {
		complain("no phase '%s'; there are pre-start, post-start, pre-stop, post-stop and boot", r->args[1]);
		return OUTCOME_REFUSED;
	}
	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	if (!subject_prepare(r, r->args[0], h, &s))
		return OUTCOME_REFUSED;
	subject_tell_off(&s, h, false);
	if (r->json)
		print_json(&s, only);
	else
		print_findings(&s.findings, stdout);
	if (s.findings.errors)
		return OUTCOME_REFUSED;
	if (!r->json && s.idle)
		subject_print_idle(r, &s);
	else if (!r->json)
		print_plan(r, &s, only);
	return OUTCOME_DONE;
}

const struct verb verb_plan = {
	.name = "plan",
	.args = "VMID|PROFILE [PHASE]",
	.help = "shows the steps of a profile on this host, each with its way back; changes nothing",
	.min_args = 1,
	.max_args = 2,
	.takes = TAKES_HOST | TAKES_POLICY,
	.run = run,
};
