/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "core/leftover.h"
#include "core/pveconf.h"

static bool has_generation(struct lender *l, unsigned vmid, const char *generation)
{
	struct lease lease;
	struct error ignored;

	return journal_peek(l->store, vmid, l->arena, &lease, &ignored) == 0 && strcmp(lease.generation, generation) == 0;
}

enum outcome leftover_end(struct lender *l, unsigned vmid, const char *generation, struct leftover *x,
			  struct error *err)
{
	enum outcome o = lend_lock(l, vmid, err);

	*x = (struct leftover){ 0 };
	if (o != OUTCOME_DONE)
		return o;
	x->other = generation && !has_generation(l, vmid, generation);
	if (x->other)
		return OUTCOME_DONE;
	/*
	 * The lock of Proxmox first: a start that is under way holds it until its QEMU runs. Once it is free, either QEMU is
	 * there or nobody is starting it; and a start that begins now waits for the VM's lock of ours.
	 */
	x->starting = pve_config_locked(vmid);
	if (x->starting) {
		error_set(err, -EBUSY, "Proxmox is starting or stopping it just now; try again");
		return OUTCOME_BUSY;
	}
	x->qemu = pve_running(l->host, vmid);
	return x->qemu ? OUTCOME_DONE : lend_back(l, vmid, &x->ended, err);
}
