/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/policy.h"
#include "core/step.h"

struct policy policy_default(void)
{
	return (struct policy){ .automatic = true, .phase_ms = PHASE_MS, .lock_ms = LOCK_MS };
}

bool names_have(const struct names *names, const char *word)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], word) == 0)
			return true;
	return false;
}

/* Only the defaults: there is no reader yet, so no policy can allow anything. */
const struct policy *policy_parse(const char *text, size_t n, const char *file, struct findings *f)
{
	struct policy *p = arena_alloc(f->arena, sizeof(*p));

	(void)text;
	*p = policy_default();
	if (n == 0)
		return p;
	finding_add(f, SEVERITY_ERROR, "policy-unreadable", (struct place){ .file = file }, NULL,
		    "policies are not read yet");
	return NULL;
}

const struct policy *policy_load(const char *path, struct findings *f)
{
	(void)path;
	return policy_parse("", 0, NULL, f);
}

bool policy_allows(const struct policy *p, const char *code, const struct function *fn, const char *name)
{
	for (size_t i = 0; i < p->n_allows; i++)
		if (strcmp(p->allows[i].code, code) == 0 && ((fn && names_have(&p->allows[i].names, fn->address)) ||
							     (name && names_have(&p->allows[i].names, name))))
			return true;
	return false;
}

const char *policy_protects(const struct policy *p, const struct function *fn, const char *nic)
{
	if (fn && names_have(&p->devices, fn->address))
		return fn->address;
	return nic && names_have(&p->nics, nic) ? nic : NULL;
}

const char *policy_protects_usb(const struct policy *p, const char *id, const char *port)
{
	return names_have(&p->usb, id) ? id : names_have(&p->usb, port) ? port : NULL;
}
