/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/profile_parts.h"
#include "core/pveconf.h"
#include "core/pveprops.h"

static const char *const device_keys[] = { "id", "at", "functions", "hostpci", "mapping", "usb", NULL };

const char *const profile_accept_codes[] = {
	"console", "last-keyboard", "management-nic", "platform-function", "storage-member", "unverified-isolation", NULL,
};

static void id_read(struct loader *l, const struct node *node, struct word *id)
{
	struct word word;

	if (!word_read(l, node, "'id'", &word))
		return;
	if (!str_is_pci_id(word.s))
		profile_bad(l->f, CODE_BAD_ID, word.place,
			    "write vendor:device or vendor:device:subvendor:subdevice, four hex digits each, as "
			    "'lspci -nn' shows them",
			    "'id' cannot be %s", yaml_quote(l->arena, word.s));
	word.s = arena_lower(l->arena, word.s);
	*id = word;
}

static void at_read(struct loader *l, const struct node *node, struct word *at)
{
	struct word word;

	if (!word_read(l, node, "'at'", &word))
		return;
	word.s = arena_lower(l->arena, word.s);
	if (!str_is_pci_place(word.s))
		profile_bad(l->f, CODE_BAD_AT, word.place,
			    "write bus:device.function in hex as 'lspci' shows it, such as \"00:1f.3\"",
			    "'at' cannot be %s", yaml_quote(l->arena, node->text));
	*at = word;
}

static void functions_read(struct loader *l, const struct node *node, bool *all)
{
	struct word word;

	if (!word_read(l, node, "'functions'", &word))
		return;
	*all = true;
	if (strcmp(word.s, "all") != 0)
		profile_bad(l->f, CODE_BAD_FUNCTIONS, word.place, "write 'all', or leave the key out",
			    "'functions' cannot be %s", yaml_quote(l->arena, word.s));
}

static void hostpci_read(struct loader *l, const struct node *node, struct device_wish *w)
{
	uint64_t n;

	if (!number_read(l, node, "'hostpci'", HOSTPCI_MAX - 1, "write the number of the VM's hostpci line, 0 to 15",
			 &n))
		return;
	w->hostpci = (int)n;
	w->hostpci_place = node->place;
}

static void mapping_read(struct loader *l, const struct node *node, struct word *mapping)
{
	struct word word;

	if (!word_read(l, node, "'mapping'", &word))
		return;
	if (!props_is_mapping(word.s))
		profile_bad(l->f, CODE_BAD_MAPPING, word.place,
			    "write the name that Datacenter, Resource Mappings shows: a letter, then letters, digits, '-' and '_'",
			    "'mapping' cannot be %s", yaml_quote(l->arena, word.s));
	*mapping = word;
}

static void usb_read(struct loader *l, const struct node *node, struct word *usb)
{
	struct word word;

	if (!word_read(l, node, "'usb'", &word))
		return;
	if (!str_is_usb_id(word.s) && !str_is_usb_port(word.s))
		profile_bad(l->f, CODE_BAD_USB, word.place,
			    "write vendor:device as 'lsusb' shows it, such as \"046d:c31c\", or a port such as \"1-2.1\"",
			    "'usb' cannot be %s", yaml_quote(l->arena, word.s));
	word.s = arena_lower(l->arena, word.s);
	*usb = word;
}

/* Looks at which keys stand there, not at what was read: a selector with a bad value is a selector. */
static void selectors_check(struct loader *l, const struct node *map, const char *name)
{
	bool has_slot = map_find(map, "id") || map_find(map, "at") || map_find(map, "usb");
	const struct node *functions = map_find(map, "functions");

	if (!has_slot && !map_find(map, "hostpci") && !map_find(map, "mapping"))
		profile_bad(l->f, CODE_NO_SELECTOR, map->key->place,
			    "give at least one of 'id', 'at', 'hostpci', 'mapping' and 'usb'",
			    "nothing says which device %s is", name);
	else if (!has_slot && functions)
		profile_bad(l->f, CODE_FUNCTIONS_ALONE, functions->key->place, "give 'id', 'at' or 'usb' too, or leave it out",
			    "'functions' of %s has no slot to go by", name);
}

static void device_fill(struct loader *l, const struct node *map, struct device_wish *w)
{
	const char *subject = node_subject(l, map);

	if (!node_is(l, map, NODE_MAP, subject, "write a map such as {id: \"8086:15f3\"}"))
		return;
	for (const struct node *n = map->first; n; n = n->next) {
		const char *key = n->key->text;

		if (strcmp(key, "id") == 0)
			id_read(l, n, &w->id);
		else if (strcmp(key, "at") == 0)
			at_read(l, n, &w->at);
		else if (strcmp(key, "functions") == 0)
			functions_read(l, n, &w->functions_all);
		else if (strcmp(key, "hostpci") == 0)
			hostpci_read(l, n, w);
		else if (strcmp(key, "mapping") == 0)
			mapping_read(l, n, &w->mapping);
		else if (strcmp(key, "usb") == 0)
			usb_read(l, n, &w->usb);
		else
			key_bad(l, n->key, device_keys, "in a device");
	}
	selectors_check(l, map, subject);
}

/* False: there are too many already. Bad names count too, so that a step which uses one is not told a second time. */
static bool name_add(struct loader *l, const char *name)
{
	size_t n = 0;

	for (; l->names[n]; n++)
		if (strcmp(l->names[n], name) == 0)
			return true;
	if (n == PROFILE_DEVICES_MAX)
		return false;
	l->names[n] = name;
	return true;
}

static void device_read(struct loader *l, const struct node *node)
{
	struct profile *p = l->p;
	struct device_wish *w;
	struct word name;

	p->devices = arena_grow(l->arena, p->devices, p->n_devices, sizeof(*p->devices));
	w = &p->devices[p->n_devices++];
	*w = (struct device_wish){ .name = node->key->text, .place = node->key->place, .hostpci = -1 };
	if (word_read(l, node->key, "a device's name", &name))
		word_check(l, &name, "a device's name");
	device_fill(l, node, w);
}

void devices_read(struct loader *l, const struct node *map)
{
	if (!node_is(l, map, NODE_MAP, "'devices'", "write entries such as 'igpu: {id: \"8086:3e92\"}' below it")) {
		l->names = NULL;
		return;
	}
	for (const struct node *n = map->first; n; n = n->next) {
		if (l->names && !name_add(l, n->key->text)) {
			profile_bad(l->f, CODE_TOO_MANY_DEVICES, n->key->place, NULL, "there are more than %d names of devices",
				    PROFILE_DEVICES_MAX);
			l->names = NULL;
			return;
		}
		device_read(l, n);
	}
}

void accepts_read(struct loader *l, const struct node *map)
{
	struct profile *p = l->p;

	if (!node_is(l, map, NODE_MAP, "'accept'", "write entries such as 'console: igpu' below it"))
		return;
	for (const struct node *n = map->first; n; n = n->next) {
		struct accept accept = { .code = n->key->text };

		words_read(l, n, node_subject(l, n), NULL, &accept.devices);
		words_check_devices(l, &accept.devices);
		p->accepts = arena_grow(l->arena, p->accepts, p->n_accepts, sizeof(*p->accepts));
		p->accepts[p->n_accepts++] = accept;
		for (size_t i = 0;; i++) {
			if (!profile_accept_codes[i]) {
				profile_bad(l->f, CODE_UNKNOWN_RISK, n->key->place,
					    words_hint(l, accept.code, profile_accept_codes, "known are"),
					    "%s is not a finding that can be accepted",
					    yaml_quote(l->arena, accept.code));
				break;
			}
			if (strcmp(profile_accept_codes[i], accept.code) == 0)
				break;
		}
	}
}
