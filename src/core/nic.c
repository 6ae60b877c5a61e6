/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "core/nic.h"

static const char *const whats[NIC_WHATS] = {
	[NIC_NAME] = "name",
	[NIC_MAC] = "mac",
	[NIC_MTU] = "mtu",
	[NIC_LINK] = "link",
	[NIC_SYSCTLS] = "sysctls",
	[NIC_MASTER] = "master",
	[NIC_PORT] = "port",
	[NIC_VLANS] = "vlans",
	[NIC_UP] = "up",
	[NIC_ADDRESSES] = "addresses",
	[NIC_ROUTES] = "routes",
	[NIC_FDB] = "fdb",
	[NIC_MASTER_MAC] = "master-mac",
	[NIC_CHILDREN] = "children",
	[NIC_ALTNAMES] = "altnames",
	[NIC_ALIAS] = "alias",
	[NIC_FEATURES] = "features",
	[NIC_RINGS] = "rings",
	[NIC_COALESCE] = "coalesce",
	[NIC_PAUSE] = "pause",
	[NIC_EEE] = "eee",
	[NIC_WOL] = "wol",
	[NIC_MODES] = "modes",
	[NIC_LOOSE] = "loose",
};

const char *nic_what_name(enum nic_what what)
{
	return whats[what];
}

bool nic_comes_by_itself(const char *what)
{
	static const enum nic_what list[] = {
		NIC_NAME, NIC_MASTER_MAC, NIC_FEATURES, NIC_RINGS, NIC_COALESCE, NIC_PAUSE, NIC_EEE, NIC_WOL, NIC_MODES,
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (strcmp(whats[list[i]], what) == 0)
			return true;
	return false;
}

static void read_what(struct planner *p, struct nic *nic, enum nic_what what)
{
	char text[HOST_VALUE_BYTES];
	ssize_t n = host_read(p->host, arena_fmt(p->arena, "nic/%s/%s", nic->address, whats[what]), text, sizeof(text));

	if (n >= 0) {
		nic->text[what] = arena_dup(p->arena, text);
	} else if (n != -ENOENT && n != -ENODEV && !nic->unknown) {
		nic->unknown = whats[what];
		nic->why = n == -E2BIG ? "there is more of it than can be kept" : strerrordesc_np((int)-n);
	}
}

static struct nic *find_nic(struct planner *p, const struct function *fn)
{
	struct nic *nic;

	for (size_t i = 0; i < p->n_nics; i++)
		if (strcmp(p->nics[i]->address, fn->address) == 0)
			return p->nics[i];
	nic = arena_alloc(p->arena, sizeof(*nic));
	nic->address = fn->address;
	for (enum nic_what what = 0; what < NIC_WHATS; what++)
		read_what(p, nic, what);
	p->nics = arena_grow(p->arena, p->nics, p->n_nics, sizeof(*p->nics));
	p->nics[p->n_nics++] = nic;
	return nic;
}

const struct nic *nic_of(struct planner *p, const struct function *fn)
{
	return find_nic(p, fn);
}

static const char *read_hope(struct planner *p, const struct nic *nic, const char *what)
{
	char text[HOST_VALUE_BYTES];

	if (host_read(p->host, arena_fmt(p->arena, "nic/%s/%s", nic->address, what), text, sizeof(text)) < 0)
		return NULL;
	return arena_dup(p->arena, text);
}

/* Without a carrier nobody answers: nobody is asked. */
const struct nic *nic_hopes_of(struct planner *p, const struct function *fn)
{
	struct nic *nic = find_nic(p, fn);

	if (!nic->is_asked && nic->text[NIC_NAME])
		nic->carrier = read_hope(p, nic, NIC_CARRIER);
	if (!nic->is_asked && nic->carrier)
		nic->gateway = read_hope(p, nic, NIC_GATEWAY);
	nic->is_asked = true;
	return nic;
}

bool nic_is_none(const struct nic *nic)
{
	return !nic->unknown && !nic->text[NIC_NAME];
}
