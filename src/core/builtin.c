/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/builtin.h"
#include "core/prepare.h"

static bool is_ours(const struct hostpci *h)
{
	return !h->mdev && !h->keep && !h->refused && (h->mapping || h->n);
}

bool guest_asks_for_devices(const struct pve_guest *guest)
{
	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (guest->hostpci[i].present)
			return true;
	return false;
}

/* The profile a person would write; NULL if no line of the VM is for us. */
static const char *text_of(const struct pve_guest *guest, struct arena *a)
{
	const char *devices = "", *names = "";

	for (int i = 0; i < HOSTPCI_MAX; i++) {
		const char *comma = *names ? ", " : "";

		if (!is_ours(&guest->hostpci[i]))
			continue;
		devices = arena_fmt(a, "%s%shostpci%d: {hostpci: %d}", devices, comma, i, i);
		names = arena_fmt(a, "%s%shostpci%d", names, comma, i);
	}
	return *names ? arena_fmt(a, "handover: 1\nname: what the VM's hostpci lines name\ndevices: {%s}\n"
				     "pre-start:\n  - bind: [%s]\n", devices, names) : NULL;
}

const struct profile *builtin_profile(const struct pve_guest *guest, const struct policy *policy, unsigned vmid,
				      uint64_t *hash, struct findings *f)
{
	const char *text;

	if (guest_asks_for_devices(guest) && policy->profile_required) {
		finding_add(f, SEVERITY_ERROR, "profile-required", (struct place){ .file = policy->file },
			    arena_fmt(f->arena, "write " PROFILE_FOLDER_HOST "/%u.yaml, or take the hookscript off the VM", vmid),
			    "the policy says 'profile = required', and VM %u has hostpci lines but no profile", vmid);
		return NULL;
	}
	text = text_of(guest, f->arena);
	if (!text)
		return NULL;
	*hash = str_hash(STR_HASH_START, text, strlen(text));
	return profile_parse(text, strlen(text), BUILTIN_FILE, f);
}

bool builtin_is(const struct profile *profile)
{
	return strcmp(profile->file, BUILTIN_FILE) == 0;
}

const char *builtin_remedy(const struct planner *p, const char *code)
{
	return arena_fmt(p->arena, "write a profile with `handover init %u` and accept '%s' there", p->vmid, code);
}
