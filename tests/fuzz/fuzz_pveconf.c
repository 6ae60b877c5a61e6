/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/pveconf.h"

/* Any text is a configuration; what is taken from it are addresses that are some, and of no snapshot. */
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
	require(!p->mapping || !strchr(p->mapping, '\n'));
}

static struct pve_guest parse(struct arena *a, const char *text)
{
	struct pve_guest guest;

	pveconf_parse(text, a, &guest);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		touch_hostpci(a, &guest.hostpci[i]);
	return guest;
}

/* What follows a section does not count. */
static void require_same(const struct pve_guest *x, const struct pve_guest *y)
{
	require(x->has_usb == y->has_usb);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		require(x->hostpci[i].present == y->hostpci[i].present && x->hostpci[i].n == y->hostpci[i].n &&
			str_same(x->hostpci[i].mapping, y->hostpci[i].mapping));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = n ? arena_dupn(a, (const char *)data, n) : "";
	struct pve_guest alone = parse(a, text), followed;

	followed = parse(
		a, arena_fmt(a, "%s\n[snapshot]\nhostpci0: 01:00.0\nhostpci15: mapping=x\nusb0: host=1-1\n", text));
	require_same(&alone, &followed);
	return 0;
}
