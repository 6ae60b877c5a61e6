/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/builtin.h"
#include "core/isolation.h"
#include "core/split.h"

#define VENDOR_INTEL 0x8086

bool is_acs_override(const char *word)
{
	return strcmp(word, "pcie_acs_override") == 0 || str_starts(word, "pcie_acs_override=");
}

static bool is_overridden(struct planner *p)
{
	char text[HOST_VALUE_BYTES], *at = text, *word;

	if (host_read(p->host, "proc/cmdline", text, sizeof(text)) < 0)
		return false;
	while ((word = strsep(&at, " \t\n")) != NULL)
		if (is_acs_override(word))
			return true;
	return false;
}

/*
 * Intel's integrated endpoints send nothing to each other but what the IOMMU has translated: VT-d specification,
 * "Root-Complex Peer to Peer Considerations"; drivers/pci/quirks.c, pci_quirk_rciep_acs(). On a root bus, a PCI Express
 * function that is no bridge is one.
 */
static bool is_integrated_of_intel(const struct function *fn)
{
	return fn->vendor == VENDOR_INTEL && fn->pcie && !fn->parent && !fn->bridge;
}

static bool is_kept_apart(const struct function *fn)
{
	return fn->has_acs || fn->virtual || is_integrated_of_intel(fn);
}

/* Two functions of one slot, in two groups: does nothing but that show that they are apart? */
static bool is_artefact(struct planner *p, const struct function *fn, const struct function *other)
{
	if (is_kept_apart(fn) || is_kept_apart(other))
		return false;
	return !function_is_one_of_several(fn) || !function_is_one_of_several(other) || is_overridden(p);
}

/* The function of its slot that it may reach past the IOMMU; NULL: none. */
static const struct function *reached_by(struct planner *p, const struct function *fn, bool alone)
{
	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct function *other = &p->inventory->functions[i];

		if (strcmp(fn->address, other->address) != 0 && function_same_slot(fn, other) &&
		    (alone || (fn->group >= 0 && other->group >= 0 && !function_same_group(fn, other))) &&
		    is_artefact(p, fn, other))
			return other;
	}
	return NULL;
}

static const char *accept_line(struct planner *p, const struct function *fn)
{
	const char *name = planner_name(p, fn);

	if (builtin_is(p->profile))
		return arena_fmt(p->arena, "if its guest is trusted, %s", builtin_remedy(p, "unverified-isolation"));
	return name ? arena_fmt(p->arena, "if its guest is trusted, add 'accept: {unverified-isolation: %s}' to the profile", name) :
		      arena_fmt(p->arena, "if its guest is trusted, name %s under 'devices' in the profile and add "
				"'accept: {unverified-isolation: NAME}'", fn->address);
}

static const char *what(struct planner *p, const struct function *fn, const struct function *other, bool alone)
{
	if (alone)
		return arena_fmt(p->arena, "%s can get an IOMMU group of its own, but nothing says that the hardware keeps it apart from "
				 "the other functions of its slot", fn->address);
	return arena_fmt(p->arena, "%s is in another IOMMU group than %s of its slot, but nothing says that the hardware keeps the two "
			 "apart", fn->address, other->address);
}

bool isolation_check(struct planner *p, struct place place, const struct function *fn, bool alone)
{
	const struct function *other = reached_by(p, fn, alone);
	bool untrusted = p->policy->untrusted_guests;

	if (!other || (!untrusted && planner_accepts(p, "unverified-isolation", fn)))
		return true;
	if (selection_holds(&p->doubted, fn))
		return false;
	selection_add(&p->doubted, fn, p->arena);
	/* What is not split then changes all that follows; else the plan is whole but for this. */
	p->refused += !alone;
	if (untrusted)
		finding_add(p->findings, SEVERITY_ERROR, "untrusted-guests", place,
			    "use a slot or a board whose hardware separates the two (ACS)",
			    "%s, and the host's policy says 'untrusted-guests = yes': no profile may accept that",
			    what(p, fn, other, alone));
	else
		finding_add(p->findings, SEVERITY_ERROR, "unverified-isolation", place, accept_line(p, fn), "%s",
			    what(p, fn, other, alone));
	return false;
}
