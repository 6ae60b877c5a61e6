/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/alternatives.h"
#include "core/reservations.h"

/* Who else has devices. */
struct others {
	struct planner *p;
	struct reservation *reserved;
	size_t n_reserved;
};

bool alternative_has(const struct alternative *x, const struct function *fn)
{
	for (size_t i = 0; i < x->n; i++)
		if (function_is_at(fn, x->places[i]))
			return true;
	return false;
}

static struct alternative read_alternative(const struct pve_map *map, struct arena *a)
{
	struct alternative x = { .map = map };
	char *at = arena_dup(a, map->path), *place;

	while ((place = strsep(&at, ";")) != NULL) {
		x.places = arena_grow(a, x.places, x.n, sizeof(*x.places));
		x.places[x.n++] = place;
	}
	return x;
}

struct alternative *alternatives_of(const struct pvemap_here *here, const char *name, struct arena *a, size_t *n)
{
	const struct pve_mapping *m = pvemap_find(&here->pci, name);
	struct alternative *list = NULL;

	*n = 0;
	for (size_t i = 0; m && i < m->n; i++) {
		if (strcmp(m->maps[i].node, here->node) != 0)
			continue;
		list = arena_grow(a, list, *n, sizeof(*list));
		list[(*n)++] = read_alternative(&m->maps[i], a);
	}
	return list;
}

const struct mapped *alternatives_find(const struct planner *p, const char *name)
{
	for (size_t i = 0; i < p->n_mapped; i++)
		if (strcmp(p->mapped[i].name, name) == 0)
			return &p->mapped[i];
	return NULL;
}

/* --- who has it --------------------------------------------------------------------------------------------------- */

static const char *had_by_line(const struct planner *p, const struct pve_guest *guest, int before,
			       const struct function *fn)
{
	for (int i = 0; guest && i < before; i++)
		for (size_t k = 0; !guest->hostpci[i].mdev && k < guest->hostpci[i].n; k++)
			if (function_is_at(fn, guest->hostpci[i].addresses[k]))
				return arena_fmt(p->arena, "hostpci%d has %s", i, fn->address);
	return NULL;
}

static const char *reserved_by(const struct others *o, const struct function *fn)
{
	for (size_t i = 0; i < o->n_reserved; i++)
		if (function_is_at(fn, o->reserved[i].place))
			return arena_fmt(o->p->arena, "VM %u has reserved %s", o->reserved[i].vmid, fn->address);
	return NULL;
}

/*
 * A VM that runs has reserved what it has, and one that is being started is about to. What was lent to one that does
 * neither is free to Proxmox; it is given back before this VM gets it.
 */
static const char *lent_to(const struct planner *p, const struct function *fn)
{
	for (size_t i = 0; i < p->n_lent; i++) {
		const struct lent *x = &p->lent[i];

		if (strcmp(x->address, fn->address) == 0 &&
		    (pve_running(p->host, x->vmid) != 0 || (p->now && pve_config_locked(x->vmid))))
			return arena_fmt(p->arena, "VM %u is lent %s", x->vmid, fn->address);
	}
	return NULL;
}

static const char *why_busy(const struct others *o, const struct pve_guest *guest, int line,
			    const struct alternative *x)
{
	const struct planner *p = o->p;

	for (size_t i = 0; i < p->found->n; i++) {
		const struct function *fn = &p->found->functions[i];
		const char *why = NULL;

		if (alternative_has(x, fn))
			why = had_by_line(p, guest, line, fn);
		if (alternative_has(x, fn) && !why)
			why = reserved_by(o, fn);
		if (alternative_has(x, fn) && !why)
			why = lent_to(p, fn);
		if (why)
			return why;
	}
	return NULL;
}

/* --- the choice --------------------------------------------------------------------------------------------------- */

static void tell_choice(struct planner *p, const struct mapped *m, struct place place)
{
	const char *busy = "";

	/* Where none is free, what the rails tell of the first one is the reason. */
	if (m->n < 2 || m->chosen->busy)
		return;
	for (size_t i = 0; i < m->n && &m->list[i] != m->chosen; i++)
		busy = arena_fmt(p->arena, "%s; %s", busy, m->list[i].busy);
	finding_add(p->findings, SEVERITY_NOTE, "mapping-chosen", place, NULL,
		    "of the %zu devices that the mapping '%s' has on this node, %s is what Proxmox will choose as the host is now%s",
		    m->n, m->name, m->chosen->map->path, busy);
}

static struct mapped *add_mapped(const struct others *o, const struct pve_guest *guest, int line, const char *name)
{
	struct planner *p = o->p;
	struct mapped *m;

	p->mapped = arena_grow(p->arena, p->mapped, p->n_mapped, sizeof(*p->mapped));
	m = &p->mapped[p->n_mapped++];
	*m = (struct mapped){ .name = name, .hostpci = line };
	m->list = alternatives_of(&p->mappings, name, p->arena, &m->n);
	for (size_t i = 0; i < m->n; i++) {
		m->list[i].busy = why_busy(o, guest, line < 0 ? HOSTPCI_MAX : line, &m->list[i]);
		if (!m->chosen && !m->list[i].busy)
			m->chosen = &m->list[i];
	}
	/* Where none is free Proxmox does not start the VM: what is told of the first one says why. */
	if (!m->chosen && m->n)
		m->chosen = &m->list[0];
	return m;
}

void alternatives_choose(struct planner *p, struct pve_guest *guest)
{
	struct others o = { .p = p };

	reservations_read(p->host, p->vmid, p->arena, &o.reserved, &o.n_reserved);
	for (int i = 0; guest && i < HOSTPCI_MAX; i++) {
		struct hostpci *h = &guest->hostpci[i];
		const struct mapped *m;

		if (!h->mapping || h->refused || h->mdev)
			continue;
		m = add_mapped(&o, guest, i, h->mapping);
		if (!m->chosen)
			continue;
		h->addresses = m->chosen->places;
		h->n = m->chosen->n;
		tell_choice(p, m, (struct place){ .file = arena_fmt(p->arena, "/etc/pve/qemu-server/%u.conf", p->vmid) });
	}
	for (size_t i = 0; p->profile && i < p->profile->n_devices; i++) {
		const struct word *name = &p->profile->devices[i].mapping;
		const struct mapped *m;

		if (!name->s || alternatives_find(p, name->s))
			continue;
		m = add_mapped(&o, guest, -1, name->s);
		if (m->chosen)
			tell_choice(p, m, name->place);
	}
}
