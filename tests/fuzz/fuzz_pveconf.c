/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "core/pveprops.h"

/*
 * Any text is a configuration; what is taken from it are addresses that are some, and of no snapshot; and the lines that
 * were taken, written again, are taken for the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

/* What Proxmox leaves out is nothing but its reason. */
static void touch_hostpci(const struct hostpci *p)
{
	require(p->present == (p->value != NULL));
	require(!p->left_out || (!p->n && !p->mapping && !p->keep && !p->mdev && !p->refused && p->rombar));
	for (size_t i = 0; i < p->n; i++)
		require(props_is_pci_list_with_domain(p->addresses[i]) && !strchr(p->addresses[i], ';'));
	require(!p->mapping || props_is_mapping(p->mapping));
	require(p->left_out || p->refused || (p->present == (p->n || p->mapping)));
}

static void touch_usb(const struct pve_usb *u)
{
	require(u->present == (u->value != NULL));
	require(!u->id || (strlen(u->id) == strlen("046d:c52b") && props_is_id(u->id)));
	require(!u->port || props_is_usb_port(u->port));
	require(!!u->id + !!u->port + u->spice <= 1);
	require(u->left_out || u->refused || u->present == (u->id || u->port || u->spice || u->mapping));
}

static struct pve_guest parse(struct arena *a, const char *text)
{
	struct pve_guest guest;

	pveconf_parse(text, a, &guest);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		touch_hostpci(&guest.hostpci[i]);
	for (int i = 0; i < PVE_USB_MAX; i++)
		touch_usb(&guest.usb[i]);
	for (size_t i = 0; i < guest.n_left_out; i++)
		require(guest.left_out[i].why && guest.left_out[i].line.text && guest.left_out[i].line.number);
	return guest;
}

static void require_same_hostpci(const struct hostpci *x, const struct hostpci *y)
{
	require(x->present == y->present && x->n == y->n && x->keep == y->keep && x->pcie == y->pcie && x->x_vga == y->x_vga &&
		x->legacy_igd == y->legacy_igd && x->rombar == y->rombar);
	require(str_same(x->value, y->value) && str_same(x->left_out, y->left_out) && str_same(x->refused, y->refused));
	require(str_same(x->mapping, y->mapping) && str_same(x->mdev, y->mdev) && str_same(x->romfile, y->romfile));
	for (size_t i = 0; i < x->n; i++)
		require(strcmp(x->addresses[i], y->addresses[i]) == 0);
}

static void require_same_usb(const struct pve_usb *x, const struct pve_usb *y)
{
	require(x->present == y->present && x->spice == y->spice && x->usb3 == y->usb3 && str_same(x->value, y->value));
	require(str_same(x->id, y->id) && str_same(x->port, y->port) && str_same(x->mapping, y->mapping));
}

static void require_same(const struct pve_guest *x, const struct pve_guest *y)
{
	require(x->has_usb == y->has_usb && x->template == y->template && x->no_reboot == y->no_reboot);
	require(str_same(x->name, y->name) && str_same(x->lock, y->lock) && str_same(x->args, y->args) &&
		str_same(x->description, y->description));
	for (int i = 0; i < HOSTPCI_MAX; i++)
		require_same_hostpci(&x->hostpci[i], &y->hostpci[i]);
	for (int i = 0; i < PVE_USB_MAX; i++)
		require_same_usb(&x->usb[i], &y->usb[i]);
}

static char *add(struct arena *a, char *text, const char *key, const char *value)
{
	return value ? arena_fmt(a, "%s%s: %s\n", text, key, value) : text;
}

/* As Proxmox would write it, but for what is of no interest here. */
static const char *write_guest(struct arena *a, const struct pve_guest *g)
{
	char *text = arena_fmt(a, "%s%s%s", g->template ? "template: 1\n" : "", g->no_reboot ? "reboot: off\n" : "",
			       g->description ? "#" : "");

	for (const char *s = g->description ? g->description : ""; *s; s++)
		text = arena_fmt(a, "%s%%%02x", text, (unsigned char)*s);
	text = arena_fmt(a, "%s\n", text);
	text = add(a, add(a, add(a, text, "name", g->name), "lock", g->lock), "args", g->args);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		text = add(a, text, arena_fmt(a, "hostpci%d", i), g->hostpci[i].value);
	for (int i = 0; i < PVE_USB_MAX; i++)
		text = add(a, text, arena_fmt(a, "usb%d", i), g->usb[i].value);
	return text;
}

static void touch_container(struct arena *a, const char *text)
{
	struct pve_container c;

	pvect_parse(text, a, &c);
	for (size_t i = 0; i < c.n_nodes; i++)
		require(c.nodes[i].number < PVE_NODES_MAX && str_starts(c.nodes[i].path, "/dev/"));
	for (size_t i = 0; i < c.n_lxc; i++)
		require(str_starts(c.lxc[i].key, "lxc."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = n ? arena_dupn(a, (const char *)data, n) : "";
	struct pve_guest alone = parse(a, text), again;

	/* What follows a section does not count. */
	again = parse(
		a, arena_fmt(a, "%s\n[snapshot]\nhostpci0: 01:00.0\nhostpci15: mapping=x\nusb0: host=1-1\n#x\n", text));
	require_same(&alone, &again);
	/* Writing it takes time in the square of the description. */
	if (n < 2000) {
		again = parse(a, write_guest(a, &alone));
		require_same(&alone, &again);
	}
	touch_container(a, text);
	return 0;
}
