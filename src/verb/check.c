/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover check VMID|PROFILE...: is the profile right, and, where a host is named, may it be done there? */
#include <string.h>

#include "core/prepare.h"
#include "verb/json.h"
#include "verb/subject.h"
#include "verb/verb.h"

/* A VM is one of a host; a file is looked at by itself unless a host is named. */
static bool is_about_host(const struct run *r, const char *arg)
{
	return r->host_file || arg[strspn(arg, "0123456789")] == '\0';
}

/* False: there is not even a host or a VM to speak of, and that has been told. */
static bool look(struct run *r, const char *arg, struct host *h, struct subject *s)
{
	if (is_about_host(r, arg)) {
		if (!subject_prepare(r, arg, h, s))
			return false;
		subject_tell_off(s, h, false);
		return true;
	}
	*s = (struct subject){ .path = arg };
	findings_init(&s->findings, r->arena);
	s->profile = profile_load(arg, &s->hash, &s->findings);
	return true;
}

static void tell(const struct run *r, const char *arg, const struct subject *s, struct json_object *all)
{
	if (all) {
		json_add_findings(all, &s->findings);
		return;
	}
	print_findings(&s->findings, stdout);
	if (s->idle)
		subject_print_idle(r, s);
	else if (s->findings.errors == 0 && !r->quiet)
		printf("%s: ok\n", subject_shown(s, arg));
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct json_object *all = NULL;
	enum outcome o = OUTCOME_DONE;

	for (int i = 0; i < r->n_args && o == OUTCOME_DONE; i++)
		if (!h && is_about_host(r, r->args[i]))
			o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	all = r->json ? json_object_new_array() : NULL;
	for (int i = 0; i < r->n_args; i++) {
		struct subject s;

		if (!look(r, r->args[i], h, &s)) {
			o = OUTCOME_REFUSED;
			continue;
		}
		tell(r, r->args[i], &s, all);
		o = s.findings.errors ? OUTCOME_REFUSED : o;
	}
	if (all)
		json_print(all);
	return o;
}

const struct verb verb_check = {
	.name = "check",
	.args = "VMID|PROFILE...",
	.help = "says what is wrong in profiles: place, code, and what to write instead; with a VMID or --host, on that host too",
	.min_args = 1,
	.max_args = 1000,
	.takes = TAKES_HOST | TAKES_POLICY,
	.run = run,
};
