/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "verb/subject.h"

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

bool subject_prepare(struct run *r, const char *arg, struct host *h, struct subject *s)
{
	struct error err = { 0 };

	*s = (struct subject){ .path = arg };
	findings_init(&s->findings, r->arena);
	if (all_digits(arg)) {
		if (!vmid_parse(arg, &s->vmid)) {
			complain("'%s' is no VMID; it is a number from %d to %d", arg, VMID_MIN, VMID_MAX);
			return false;
		}
		s->path = profile_path(s->vmid, r->arena);
		if (!s->path) {
			complain("VM %u has no profile; write " PROFILE_FOLDER_HOST "/%u.yaml", s->vmid, s->vmid);
			return false;
		}
	} else {
		s->vmid = profile_vmid(arg);
	}
	s->profile = profile_load(s->path, &s->hash, &s->findings);
	if (s->profile && !prepare_plan(&s->planner, h, NULL, s->profile, s->vmid, &s->findings, &err) && err.code) {
		complain("%s", err.text);
		return false;
	}
	return true;
}
