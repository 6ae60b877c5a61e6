/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other VMs and containers have by their configurations. */
#include <string.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "core/reservations.h"
#include "core/select.h"
#include "core/stake.h"

#define VMS "etc/pve/qemu-server"

/* --- VMs --------------------------------------------------------------------------------------------------------- */

/* Its configuration may name it more than once. */
static bool is_known(const struct stakes *s, const char *address)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].code, "other-guest") == 0 && strcmp(s->list[i].path, address) == 0)
			return true;
	return false;
}

static void add_vm(struct stakes *s, unsigned vmid)
{
	struct pve_guest guest;
	struct error ignored;
	int pid = pve_running(s->host, vmid);

	if (pid == 0 || pveconf_read(s->host, vmid, s->arena, &guest, &ignored) < 0)
		return;
	for (size_t i = 0; i < s->inventory->n; i++) {
		const struct function *fn = &s->inventory->functions[i];

		for (int k = 0; k < HOSTPCI_MAX && !is_known(s, fn->address); k++)
			for (size_t m = 0; m < guest.hostpci[k].n && !is_known(s, fn->address); m++)
				if (function_is_at(fn, guest.hostpci[k].addresses[m]))
					stake_add(s, "other-guest", fn->address, fn->address,
						  arena_fmt(s->arena, "stop VM %u first", vmid),
						  "VM %u, which runs, has it as hostpci%d", vmid, k);
	}
}

static void add_reservation(struct stakes *s, const struct reservation *r, const char *address)
{
	struct arena *a = s->arena;

	if (r->pid)
		stake_add(s, "other-guest", address, address, arena_fmt(a, "stop VM %u first", r->vmid),
			  "VM %u has reserved it, for process %d", r->vmid, r->pid);
	else if (r->seconds >= 0)
		stake_add(s, "other-guest", address, address, "try again when that start has ended",
			  "VM %u, which is being started, has reserved it for %lld s more", r->vmid, (long long)r->seconds);
	else if (r->vmid)
		stake_add(s, "other-guest", address, address, "try again when that start has ended", "VM %u has reserved it",
			  r->vmid);
	else
		stake_add(s, "other-guest", address, address, "look in /" RESERVATIONS_PATH " whose it is",
			  "Proxmox has reserved it in a line that is not understood");
}

/* A start that has chosen its devices and has no QEMU yet; and what a resource mapping has given to a VM that runs. */
static void add_reservations(struct stakes *s, unsigned self)
{
	struct reservation *list;
	size_t n;

	reservations_read(s->host, self, s->arena, &list, &n);
	for (size_t i = 0; i < s->inventory->n; i++) {
		const struct function *fn = &s->inventory->functions[i];

		for (size_t k = 0; k < n && !is_known(s, fn->address); k++)
			if (function_is_at(fn, list[k].place))
				add_reservation(s, &list[k], fn->address);
	}
}

void stakes_guests(struct stakes *s, unsigned self)
{
	char **names;
	size_t n;

	if (host_list(s->host, VMS, s->arena, &names, &n) == 0)
		for (size_t i = 0; i < n; i++) {
			unsigned vmid = pveconf_name(names[i], s->arena);

			if (vmid && vmid != self)
				add_vm(s, vmid);
		}
	add_reservations(s, self);
	stakes_containers(s, self);
}
