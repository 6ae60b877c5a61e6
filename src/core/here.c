/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/action.h"
#include "core/here.h"
#include "core/pvecluster.h"
#include "core/yaml.h"

#define MACHINE_ID "etc/machine-id"
#define DMI "sys/class/dmi/id/"
#define SHOWN_MAX 8	/* hosts in a message */

/* --- which host this is -------------------------------------------------------------------------------------------- */

/* Firmware likes to fill its texts with spaces. */
static const char *get(struct host *h, const char *name, struct arena *a)
{
	char text[HOST_VALUE_BYTES];
	size_t n, start;

	if (host_read(h, name, text, sizeof(text)) < 0)
		return "";
	start = strspn(text, " \t");
	n = strlen(text);
	while (n > start && strchr(" \t\n", text[n - 1]))
		n--;
	return arena_dupn(a, text + start, n - start);
}

struct identity identity_read(struct host *h, struct arena *a)
{
	const char *vendor = get(h, DMI "sys_vendor", a);
	struct identity id = {
		.node = pvecluster_short_name(h, a),
		.product = get(h, DMI "product_name", a),
		.full_product = "",
		.machine_id = get(h, MACHINE_ID, a),
	};

	/* Some have their vendor in it already. */
	if (*vendor && *id.product && !str_starts(id.product, vendor))
		id.full_product = arena_fmt(a, "%s %s", vendor, id.product);
	return id;
}

static bool is_word(const struct words *words, const char *text)
{
	for (size_t i = 0; i < words->n; i++)
		if (*text && strcmp(words->list[i].s, text) == 0)
			return true;
	return false;
}

static bool fits(const struct identity *id, const struct host_wish *w)
{
	switch (w->key) {
	case HOST_NODE:
		return is_word(&w->words, id->node);
	case HOST_DMI:
		return is_word(&w->words, id->product) || is_word(&w->words, id->full_product);
	case HOST_MACHINE_ID:
		return is_word(&w->words, id->machine_id);
	}
	return false;
}

const struct host_wish *identity_find(const struct identity *id, const struct layer *layer)
{
	for (size_t i = 0; i < layer->n_hosts; i++)
		if (fits(id, &layer->hosts[i]))
			return &layer->hosts[i];
	return NULL;
}

/* --- what is told -------------------------------------------------------------------------------------------------- */

static const char *identity_shown(const struct identity *id, struct arena *a)
{
	const char *product = *id->full_product ? id->full_product : id->product;
	const char *text = *id->node ? arena_fmt(a, "node %s", yaml_quote(a, id->node)) : "a host without name";

	if (*product)
		text = arena_fmt(a, "%s, dmi %s", text, yaml_quote(a, product));
	return *id->machine_id ? arena_fmt(a, "%s, machine-id %s", text, yaml_quote(a, id->machine_id)) : text;
}

/* "node 'pve1' or 'pve2', dmi 'HP EliteDesk 800 G4'": of all files, the first few. */
static const char *hosts_shown(const struct profile *p, struct arena *a)
{
	const char *text = "";
	size_t n = 0;

	for (size_t i = 0; i < p->n_layers; i++)
		for (size_t k = 0; k < p->layers[i].n_hosts; k++) {
			const struct host_wish *w = &p->layers[i].hosts[k];

			for (size_t j = 0; j < w->words.n; j++) {
				if (n++ == SHOWN_MAX)
					return arena_fmt(a, "%s, ...", text);
				text = arena_fmt(a, "%s%s%s %s", text, *text ? ", " : "", profile_host_keys[w->key],
						 yaml_quote(a, w->words.list[j].s));
			}
		}
	return text;
}

/* The first layer that has hosts: there is one. */
static const struct layer *first_with_hosts(const struct profile *p)
{
	const struct layer *l = p->layers;

	while (l->n_hosts == 0)
		l++;
	return l;
}

static void tell_missing(const struct profile *p, const struct identity *id, const struct host_wish *entry,
			 const struct word *device, struct findings *f)
{
	struct arena *a = f->arena;

	if (entry)
		finding_add(f, SEVERITY_ERROR, "host-incomplete", entry->place,
			    arena_fmt(a, "add it to this entry, or to 'devices' for all hosts"),
			    "this is %s, and its entry of 'hosts' has no device %s, which a step names", identity_shown(id, a),
			    yaml_quote(a, device->s));
	else
		finding_add(f, SEVERITY_ERROR, "host-unknown", first_with_hosts(p)->hosts_place,
			    "add an entry for this host, or its devices to 'devices'",
			    "this is %s, and the profile knows %s; so there is no device %s, which a step names",
			    identity_shown(id, a), hosts_shown(p, a), yaml_quote(a, device->s));
}

/* --- the profile --------------------------------------------------------------------------------------------------- */

static bool has_hosts(const struct profile *p)
{
	for (size_t i = 0; i < p->n_layers; i++)
		if (p->layers[i].n_hosts)
			return true;
	return false;
}

/* The first device that a list has, a step names, and this host has not. */
static const struct word *find_missing(const struct profile *p, const struct device_wish *list, size_t n)
{
	const struct word *word = NULL;

	for (size_t i = 0; !word && i < n; i++)
		word = profile_device(p, list[i].name) ? NULL : profile_names(p, list[i].name, false);
	return word;
}

/* The same of all entries of all hosts: nowhere else can it come from. */
static const struct word *first_missing(const struct profile *p)
{
	const struct word *word = NULL;

	for (size_t i = 0; i < p->n_layers; i++)
		for (size_t k = 0; !word && k < p->layers[i].n_hosts; k++)
			word = find_missing(p, p->layers[i].hosts[k].devices, p->layers[i].hosts[k].n_devices);
	return word;
}

const struct profile *profile_here(const struct profile *p, struct host *h, struct findings *f)
{
	const struct host_wish **entries, *entry = NULL;
	const struct word *missing;
	struct identity id;
	struct profile *here;

	if (!has_hosts(p))
		return p;
	id = identity_read(h, f->arena);
	entries = arena_array(f->arena, p->n_layers, sizeof(const struct host_wish *));
	for (size_t i = 0; i < p->n_layers; i++) {
		entries[i] = identity_find(&id, &p->layers[i]);
		entry = entry ? entry : entries[i];
	}
	here = arena_alloc(f->arena, sizeof(*here));
	*here = *p;
	profile_gather(here, entries, f->arena);
	missing = first_missing(here);
	if (!missing)
		return here;
	tell_missing(p, &id, entry, missing, f);
	return NULL;
}
