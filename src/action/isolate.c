/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isolate: each of some functions alone in its IOMMU group, by moving as few functions as can be. */
#include "core/isolation.h"
#include "core/nic.h"
#include "core/place.h"
#include "core/split.h"
#include "core/turn.h"

extern const struct action action_isolate;

enum { FIELD_ISOLATE, FIELD_MOVING };

static const struct field fields[] = {
	{ .name = "isolate", .kind = FIELD_DEVICES, .required = true,
	  .help = "the devices; each is to be alone in its IOMMU group" },
	{ .name = "moving", .kind = FIELD_DEVICES,
	  .help = "what else may be removed and found anew for it; nothing else is touched" },
	{ 0 },
};

static void check_accepted(struct planner *p, const struct wish *w, const struct selection *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		isolation_check(p, w->place, wanted->list[i], true);
}

/* Before a VM starts the host is in use; its network must not go away for what can be done at boot. */
static bool check_nics(struct planner *p, const struct wish *w, const struct selection *moved)
{
	bool ok = true;

	for (size_t i = 0; w->phase != PHASE_BOOT && i < moved->n; i++) {
		const struct nic *nic = nic_of(p, moved->list[i]);
		const char *name = nic->text[NIC_NAME];

		if (nic_is_none(nic))
			continue;
		finding_add(p->findings, SEVERITY_ERROR, "nic-moves", w->place,
			    "put this step under 'boot' in /etc/handover/host.yaml: it is done there before there is a network",
			    "for this the network interface %s (%s) would have to leave for a while",
			    name ? name : "of unknown name", nic->address);
		ok = false;
	}
	return ok;
}

static bool check_iommu(struct planner *p, const struct wish *w, const struct selection *wanted)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->list[i]->group < 0) {
			finding_add(p->findings, SEVERITY_ERROR, "no-iommu", w->place,
				    "switch VT-d or AMD-Vi on in the firmware and the IOMMU on the kernel command line",
				    "%s is in no IOMMU group, so it cannot be alone in one", wanted->list[i]->address);
			return false;
		}
	return true;
}

static void foresee(struct planner *p, const struct selection *moved)
{
	struct forecast f;

	split_foretell(p->inventory, moved, p->arena, &f);
	planner_foresee(p, &f);
}

static void plan(struct planner *p, const struct wish *w)
{
	struct selection wanted = planner_select(p, &w->fields[FIELD_ISOLATE]), moved;
	struct selection movable = planner_select(p, &w->fields[FIELD_MOVING]);
	const char *why, *remedy;

	if (wanted.n == 0 || (w->fields[FIELD_MOVING].n && movable.n == 0) || !check_iommu(p, w, &wanted))
		return;
	if (!split_plan(p->inventory, &wanted, &movable, p->arena, &moved, &why, &remedy)) {
		finding_add(p->findings, SEVERITY_ERROR, "cannot-isolate", w->place, remedy, "%s", why);
		return;
	}
	/* One that is refused is planned all the same: what is said of later steps shall be so once it is accepted. */
	check_accepted(p, w, &wanted);
	if (!check_nics(p, w, &moved)) {
		foresee(p, &moved);
		return;
	}
	if (moved.n && !place_cycle(p, w, &moved))
		return;
	for (size_t i = 0; i < wanted.n; i++)
		planner_expect(p, w, wanted.list[i], NULL, wanted.list[i]->address, 0);
}

const struct action action_isolate = {
	.name = "isolate",
	.help = "give each device an IOMMU group of its own, by the gentlest way there is",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_BOOT),
	.phases_why = "groups cannot change while QEMU holds a device, and are not needed afterwards",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
