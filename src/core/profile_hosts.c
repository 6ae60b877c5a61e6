/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 'hosts': what the devices are on one host or another. */
#include <string.h>

#include "base/str.h"
#include "core/profile_parts.h"

const char *const profile_host_keys[HOST_KEYS + 1] = { "node", "dmi", "machine-id", NULL };
static const char *const host_entry_keys[] = { "node", "dmi", "machine-id", "devices", NULL };

static void dmi_check(struct loader *l, const struct word *word)
{
	if (!*word->s)
		profile_bad(l->f, CODE_BAD_HOST, word->place,
			    "write what /sys/class/dmi/id/product_name holds, or the vendor and that", "'dmi' cannot be empty");
	else if (strlen(word->s) > PROFILE_DMI_MAX)
		profile_bad(l->f, CODE_TOO_LONG, word->place, "copy it from /sys/class/dmi/id/product_name",
			    "a word of 'dmi' is longer than %d bytes", PROFILE_DMI_MAX);
}

/* machine-id(5): 32 hex digits, in lower case. */
static void machine_id_check(struct loader *l, struct word *word)
{
	size_t n = strspn(word->s, "0123456789abcdefABCDEF");

	if (n != 32 || word->s[n])
		profile_bad(l->f, CODE_BAD_HOST, word->place, "copy the 32 hex digits from /etc/machine-id",
			    "'machine-id' cannot be %s", yaml_quote(l->arena, word->s));
	word->s = arena_lower(l->arena, word->s);
}

static void host_words_read(struct loader *l, const struct node *node, struct host_wish *h)
{
	words_read(l, node, node_subject(l, node), NULL, &h->words);
	for (size_t i = 0; i < h->words.n; i++)
		switch (h->key) {
		case HOST_NODE:
			word_check(l, &h->words.list[i], "'node'");
			break;
		case HOST_DMI:
			dmi_check(l, &h->words.list[i]);
			break;
		case HOST_MACHINE_ID:
			machine_id_check(l, &h->words.list[i]);
			break;
		}
	words_check_twice(l, &h->words);
}

static void host_devices_read(struct loader *l, const struct node *node, struct host_wish *h)
{
	struct profile part = { 0 }, *whole = l->p;

	l->p = &part;
	devices_read(l, node);
	l->p = whole;
	h->devices = part.devices;
	h->n_devices = part.n_devices;
}

/* Looks at which keys stand there, not at what was read. */
static void host_keys_check(struct loader *l, const struct node *map)
{
	const struct node *first = NULL;

	for (const struct node *n = map->first; n; n = n->next) {
		size_t k = 0;

		while (k < HOST_KEYS && strcmp(n->key->text, profile_host_keys[k]) != 0)
			k++;
		if (k < HOST_KEYS && first)
			profile_bad(l->f, CODE_BAD_HOST, n->key->place, "make it an entry of its own",
				    "a host is told by one thing, and here are '%s' and '%s'", first->key->text, n->key->text);
		first = k < HOST_KEYS && !first ? n : first;
	}
	if (!first)
		profile_bad(l->f, CODE_BAD_HOST, map->place, "give one of 'node', 'dmi' and 'machine-id'",
			    "nothing says which host this is");
	if (!map_find(map, "devices"))
		profile_bad(l->f, CODE_BAD_HOST, map->place, "add 'devices', with those that are others there",
			    "nothing says what the devices of this host are");
}

static void host_read_entry(struct loader *l, const struct node *map)
{
	struct layer *layer = l->layer;
	struct host_wish h = { .place = map->place };

	if (!node_is(l, map, NODE_MAP, "an entry of 'hosts'", "write a map such as {node: pve1, devices: {...}}"))
		return;
	for (const struct node *n = map->first; n; n = n->next) {
		size_t k = 0;

		while (k < HOST_KEYS && strcmp(n->key->text, profile_host_keys[k]) != 0)
			k++;
		if (k < HOST_KEYS) {
			h.key = (enum host_key)k;
			host_words_read(l, n, &h);
		} else if (strcmp(n->key->text, "devices") == 0) {
			host_devices_read(l, n, &h);
		} else {
			key_bad(l, n->key, host_entry_keys, "in an entry of 'hosts'");
		}
	}
	host_keys_check(l, map);
	layer->hosts = arena_grow(l->arena, layer->hosts, layer->n_hosts, sizeof(h));
	layer->hosts[layer->n_hosts++] = h;
}

void hosts_read(struct loader *l, const struct node *list)
{
	l->layer->hosts_place = list->key->place;
	if (!node_is(l, list, NODE_LIST, "'hosts'", "write entries such as '- {node: pve1, devices: {...}}' below it")) {
		l->names = NULL;
		return;
	}
	if (!list->first)
		profile_bad(l->f, CODE_EMPTY_LIST, list->place, "name at least one, or leave the key out",
			    "the list of 'hosts' is empty");
	for (const struct node *n = list->first; n; n = n->next) {
		if (l->layer->n_hosts == PROFILE_HOSTS_MAX) {
			profile_bad(l->f, CODE_TOO_MANY_HOSTS, n->place, NULL, "'hosts' has more than %d entries",
				    PROFILE_HOSTS_MAX);
			l->names = NULL;
			return;
		}
		host_read_entry(l, n);
	}
}
