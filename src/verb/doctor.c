/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover doctor [VMID|PROFILE]: what this host stands on; or what stands in the way of a VM. Nothing is changed. */
#include <stdio.h>

#include "base/str.h"
#include "core/history.h"
#include "core/off.h"
#include "core/rails.h"
#include "verb/json.h"
#include "verb/subject.h"

static enum outcome verdict(const struct findings *f)
{
	return f->errors ? OUTCOME_WILL_FAIL : f->warnings ? OUTCOME_WARNINGS : OUTCOME_DONE;
}

/* --- the host ---------------------------------------------------------------------------------------------------- */

static const char *consent_text(const char *code)
{
	switch (rails_consent(code)) {
	case CONSENT_NEVER:
		return "never leaves";
	case CONSENT_PROFILE:
		return "leaves if the profile accepts it";
	case CONSENT_BOTH:
		return "leaves if profile and policy accept it";
	}
	return "?";
}

static const char *device_of(const struct stake *s, struct arena *a)
{
	const char *address = path_function(s->path, a);

	return address ? address : "-";
}

static void print_stakes(const struct stakes *s)
{
	for (size_t i = 0; i < s->n; i++)
		printf("%-18s %-12s  %s (%s)\n", s->list[i].code, device_of(&s->list[i], s->arena), s->list[i].what,
		       consent_text(s->list[i].code));
}

static void print_stakes_json(const struct stakes *s, const struct findings *history)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n; i++) {
		struct json_object *o = json_object_new_object();

		json_add(o, "device", json_text(path_function(s->list[i].path, s->arena)));
		json_add(o, "code", json_text(s->list[i].code));
		json_add(o, "name", json_text(s->list[i].name));
		json_add(o, "what", json_text(s->list[i].what));
		json_add(o, "remedy", json_text(s->list[i].remedy));
		json_object_array_add(list, o);
	}
	json_add_findings(list, history);
	json_print(list);
}

static enum outcome look_at_host(struct run *r, struct host *h)
{
	struct inventory inv;
	struct stakes s = { .host = h, .inventory = &inv, .arena = r->arena };
	const char *off = off_reason(h, r->arena);
	struct findings f, past;
	const struct policy *policy;
	struct error err;

	findings_init(&f, r->arena);
	findings_init(&past, r->arena);
	policy = open_policy(r, h, &f);
	if (inventory_read(h, r->arena, &inv, &err) < 0) {
		complain("%s", err.text);
		return OUTCOME_FAILED;
	}
	rails_read(&s, 0);
	rails_check_host(h, policy, &inv, &f);
	print_findings(&f, stderr);
	history_find(&(struct history){ .host = h, .inventory = &inv }, &past);
	if (off)
		complain("%s: no device leaves the host", off);
	if (r->json) {
		print_stakes_json(&s, &past);
	} else {
		print_stakes(&s);
		print_findings(&past, stdout);
	}
	f.warnings += past.warnings;
	return verdict(&f);
}

/* --- a VM -------------------------------------------------------------------------------------------------------- */

/* What any step takes away and has found again: its number of a life changes on the way there or back. */
static void add_found_anew(struct selection *anew, const struct planner *p, const struct step *s)
{
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < s->n_looks; i++) {
		const struct function *fn;

		if (!str_starts(s->look[i], "life/") || !look_function(s->look[i], address))
			continue;
		fn = inventory_find(p->found, address);
		if (fn && (s->to.v[i].kind == VALUE_NEW || s->home.v[i].kind == VALUE_NEW ||
			   (s->to.v[i].kind == VALUE_TEXT && !s->to.v[i].text)))
			selection_add(anew, fn, p->arena);
	}
}

/* What was set up on this host before, as far as it is about the devices of the plan. */
static void look_back(struct subject *s)
{
	const struct planner *p = &s->planner;
	struct selection functions = { 0 }, anew = { 0 };

	if (!p->found)
		return;
	for (size_t i = 0; i < p->n_leaving; i++)
		if (p->leaving[i].fn)
			selection_add(&functions, p->leaving[i].fn, p->arena);
	for (size_t i = 0; s->profile && i < s->profile->n_devices; i++)
		for (size_t k = 0; p->devices && k < p->devices[i].n; k++)
			selection_add(&functions, p->devices[i].list[k], p->arena);
	for (size_t i = 0; i < p->plan.n; i++)
		add_found_anew(&anew, p, &p->plan.steps[i]);
	history_find(&(struct history){ .host = p->host, .inventory = p->found, .vmid = s->vmid,
				       .functions = &functions,
					.found_anew = &anew }, &s->findings);
}

static enum outcome look_at_vm(struct run *r, struct host *h)
{
	static const char *const texts[] = {
		[OUTCOME_DONE] = "fine",
		[OUTCOME_WARNINGS] = "there are warnings",
		[OUTCOME_WILL_FAIL] = "it will not start like this",
	};
	struct subject s;
	enum outcome o;

	if (!subject_prepare(r, r->args[0], h, &s))
		return OUTCOME_REFUSED;
	subject_tell_off(&s, h, true);
	look_back(&s);
	o = verdict(&s.findings);
	if (r->json) {
		json_print(json_findings(&s.findings));
		return o;
	}
	print_findings(&s.findings, stdout);
	if (s.idle)
		subject_print_idle(r, &s);
	else if (!r->quiet)
		printf("%s: %s\n", subject_shown(&s, r->args[0]), texts[o]);
	return o;
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	enum outcome o = open_host(r, &h);

	if (o != OUTCOME_DONE)
		return o;
	return r->n_args ? look_at_vm(r, h) : look_at_host(r, h);
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "[VMID|PROFILE]",
	.help = "what this host stands on, with the evidence; or what stands in the way of a VM",
	.max_args = 1,
	.takes = TAKES_HOST | TAKES_POLICY,
	.run = run,
};
