/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/pveconf.h"

/*
 * Any text is a configuration; what is taken from it are addresses that are some, and of no snapshot; and written again
 * it is taken for the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static void touch_address(struct arena *a, const char *address)
{
	struct bdf bdf;

	require(bdf_parse(strchr(address, '.') ? address : arena_fmt(a, "%s.0", address), &bdf));
}

static void touch_hostpci(struct arena *a, const struct hostpci *p)
{
	require(p->present || (!p->n && !p->mapping && !p->keep && !p->mdev));
	for (size_t i = 0; i < p->n; i++)
		touch_address(a, p->addresses[i]);
	require(!p->mapping || !strpbrk(p->mapping, ",\n"));
}

static struct pve_guest parse(struct arena *a, const char *text)
{
	struct pve_guest guest;

	pveconf_parse(text, a, &guest);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		touch_hostpci(a, &guest.hostpci[i]);
	return guest;
}

static void require_same_hostpci(const struct hostpci *x, const struct hostpci *y)
{
	require(x->present == y->present && x->n == y->n && x->keep == y->keep && x->mdev == y->mdev &&
		str_same(x->mapping, y->mapping));
	for (size_t i = 0; i < x->n; i++)
		require(strcmp(x->addresses[i], y->addresses[i]) == 0);
}

static void require_same(const struct pve_guest *x, const struct pve_guest *y)
{
	require(x->has_usb == y->has_usb);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		require_same_hostpci(&x->hostpci[i], &y->hostpci[i]);
}

static char *write_hostpci(struct arena *a, const struct hostpci *p, int i, char *text)
{
	text = arena_fmt(a, "%shostpci%d: ", text, i);
	for (size_t k = 0; k < p->n; k++)
		text = arena_fmt(a, "%s%s%s", text, k ? ";" : "host=", p->addresses[k]);
	if (p->mapping)
		text = arena_fmt(a, "%s,mapping=%s", text, p->mapping);
	return arena_fmt(a, "%s%s%s,pcie=1\n", text, p->keep ? ",driver=keep" : "", p->mdev ? ",mdev=x" : "");
}

static const char *write_guest(struct arena *a, const struct pve_guest *guest)
{
	char *text = arena_dup(a, guest->has_usb ? "usb0: host=1-1\n" : "");

	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (guest->hostpci[i].present)
			text = write_hostpci(a, &guest->hostpci[i], i, text);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = n ? arena_dupn(a, (const char *)data, n) : "";
	struct pve_guest alone = parse(a, text), again;

	/* What follows a section does not count. */
	again = parse(
		a, arena_fmt(a, "%s\n[snapshot]\nhostpci0: 01:00.0\nhostpci15: mapping=x\nusb0: host=1-1\n", text));
	require_same(&alone, &again);
	again = parse(a, write_guest(a, &alone));
	require_same(&alone, &again);
	return 0;
}
