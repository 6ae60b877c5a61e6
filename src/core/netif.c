/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/netif.h"
#include "core/stake.h"

#define CLASS "sys/class/net"
#define OPEN_VSWITCH "ovs-system"
#define WORD_BYTES 32

static int by_name(const void *a, const void *b)
{
	const struct netif *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct netif *netif_find(const struct netifs *n, const char *name)
{
	struct netif key = { .name = name };

	return n->n ? bsearch(&key, n->list, n->n, sizeof(*n->list), by_name) : NULL;
}

/* --- which there are -------------------------------------------------------------------------------------------- */

static void add(struct netifs *n, const char *name)
{
	char path[HOST_VALUE_BYTES];
	struct netif *nic;

	/* bonding_masters is a file of this folder. */
	if (host_link(n->host, arena_fmt(n->arena, CLASS "/%s", name), path, sizeof(path)) < 0)
		return;
	n->list = arena_grow(n->arena, n->list, n->n, sizeof(*n->list));
	nic = &n->list[n->n++];
	*nic = (struct netif){ .name = name, .path = arena_dup(n->arena, path) };
	nic->function = path_function(nic->path, n->arena);
	nic->usb = nic->function ? path_usb(nic->path, n->arena) : NULL;
}

static struct netif *card_of(const struct netifs *n, const struct netif *nic)
{
	for (size_t i = 0; i < n->n; i++)
		if (str_same(n->list[i].function, nic->function) && str_same(n->list[i].usb, nic->usb))
			return &n->list[i];
	return NULL;
}

int netifs_read(struct host *h, const struct inventory *inv, struct arena *a, struct netifs *n)
{
	char **names;
	size_t count;
	int code = host_list(h, CLASS, a, &names, &count);

	*n = (struct netifs){ .host = h, .inventory = inv, .arena = a };
	if (code < 0)
		return code;
	for (size_t i = 0; i < count; i++)
		add(n, names[i]);
	if (n->n)
		qsort(n->list, n->n, sizeof(*n->list), by_name);
	for (size_t i = 0; i < n->n; i++)
		if (n->list[i].function)
			n->list[i].card = card_of(n, &n->list[i]);
	return 0;
}

/* --- what stands on what ---------------------------------------------------------------------------------------- */

/* A file of an interface, "" if it cannot be read. */
static const char *file_of(const struct netifs *n, const struct netif *nic, const char *file, char word[WORD_BYTES])
{
	if (host_read(n->host, arena_fmt(n->arena, CLASS "/%s/%s", nic->name, file), word, WORD_BYTES) < 0)
		word[0] = '\0';
	return word;
}

static bool has(const struct netifs *n, const struct netif *nic, const char *file)
{
	return host_has(n->host, arena_fmt(n->arena, CLASS "/%s/%s", nic->name, file));
}

static void add_lower(const struct netifs *n, struct netif *nic, struct netif *lower)
{
	if (!lower || lower == nic)
		return;
	nic->lower = arena_grow(n->arena, nic->lower, nic->n_lower, sizeof(struct netif *));
	nic->lower[nic->n_lower++] = lower;
}

static void look_at_links(const struct netifs *n, struct netif *nic)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	bool has_master = false;
	char **names;
	size_t count;

	if (host_list(n->host, arena_fmt(scratch, CLASS "/%s", nic->name), scratch, &names, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (str_starts(names[i], "lower_"))
			add_lower(n, nic, netif_find(n, names[i] + strlen("lower_")));
		nic->has_upper |= str_starts(names[i], "upper_");
		has_master |= strcmp(names[i], "master") == 0;
	}
	nic->has_upper |= has_master;
	if (nic->n_lower == 0 && !nic->function && !has_master)
		add_lower(n, nic, netif_find(n, OPEN_VSWITCH));
}

void netif_look(const struct netifs *n, struct netif *nic)
{
	char address[WORD_BYTES];

	if (nic->looked)
		return;
	nic->looked = true;
	look_at_links(n, nic);
	if (nic->function) {
		nic->physical = *file_of(n, nic, "device/physfn", address) ? arena_dup(n->arena, address) : NULL;
	} else {
		/* "vmbr0.10" is a VLAN of one. */
		bool vlan = strchr(nic->name, '.') != NULL;

		nic->bridge = (!vlan && str_starts(nic->name, "vmbr")) || has(n, nic, "bridge");
		nic->bond = (!vlan && str_starts(nic->name, "bond")) || has(n, nic, "bonding");
	}
}

static bool stands_on(const struct netifs *n, struct netif *nic, const char *device, unsigned depth)
{
	netif_look(n, nic);
	if (path_is_on(nic->path, device) || str_same(nic->physical, device))
		return true;
	for (size_t i = 0; depth < NETIF_NEST_MAX && i < nic->n_lower; i++)
		if (stands_on(n, nic->lower[i], device, depth + 1))
			return true;
	return false;
}

bool netif_stands_on(const struct netifs *n, struct netif *nic, const char *device)
{
	return stands_on(n, nic, device, 0);
}

/* --- what it is ------------------------------------------------------------------------------------------------- */

bool netif_is_up(const struct netifs *n, const struct netif *nic)
{
	char word[WORD_BYTES];
	ssize_t code;

	/* "down" is one without carrier too; but the carrier of one that is not up cannot be read: carrier_show(). */
	if (*file_of(n, nic, "operstate", word) && strcmp(word, "down") != 0 && strcmp(word, "notpresent") != 0)
		return true;
	code = host_read(n->host, arena_fmt(n->arena, CLASS "/%s/carrier", nic->name), word, sizeof(word));
	return code > 0 || (code < 0 && code != -EINVAL && code != -ENOENT);
}

bool netif_is_wired(const struct netifs *n, const struct netif *nic)
{
	const struct function *fn = nic->function ? inventory_find(n->inventory, nic->function) : NULL;
	char type[WORD_BYTES];

	/* ARPHRD_ETHER is 1; wireless cards have it too, but no bridge takes them as they are: udev calls them wl... */
	if (!nic->function || (fn && fn->virtual) || str_starts(nic->name, "wl") || has(n, nic, "phy80211"))
		return false;
	file_of(n, nic, "type", type);
	return *type == '\0' || strcmp(type, "1") == 0;
}

const char *netif_place(const struct netif *nic, struct arena *a)
{
	return nic->usb ? arena_fmt(a, "USB %s at %s", nic->usb, nic->function) : nic->function;
}
