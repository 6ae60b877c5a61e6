/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pveconf_print FILE: what is read of a file of Proxmox, for tests/pveconf/run. NAME.conf is a VM's configuration, NAME.ct
 * a container's, NAME.pci and NAME.usb are mappings.
 */
#include <stdio.h>
#include <string.h>

#include "core/pveconf.h"
#include "core/pvemap.h"

static void put(const char *key, const char *value)
{
	if (value)
		printf("\t%s=%s\n", key, value);
}

static void put_flag(const char *key, bool value)
{
	if (value)
		printf("\t%s\n", key);
}

static void print_hostpci(const struct hostpci *p, int n)
{
	printf("hostpci%d %s\n", n, p->left_out ? "left out" : p->refused ? "refused" : "taken");
	put("why", p->left_out ? p->left_out : p->refused);
	put("mapping", p->mapping);
	for (size_t i = 0; i < p->n; i++)
		put("address", p->addresses[i]);
	put("mdev", p->mdev);
	put_flag("driver=keep", p->keep);
	put_flag("pcie", p->pcie);
	put_flag("x-vga", p->x_vga);
	put_flag("legacy-igd", p->legacy_igd);
	put_flag("without rombar", !p->rombar);
	put("romfile", p->romfile);
	put("vendor-id", p->vendor_id);
	put("device-id", p->device_id);
	put("sub-vendor-id", p->sub_vendor_id);
	put("sub-device-id", p->sub_device_id);
}

static void print_usb(const struct pve_usb *u, int n)
{
	printf("usb%d %s\n", n, u->left_out ? "left out" : u->refused ? "refused" : "taken");
	put("why", u->left_out ? u->left_out : u->refused);
	put("id", u->id);
	put("port", u->port);
	put("mapping", u->mapping);
	put_flag("spice", u->spice);
	put_flag("usb3", u->usb3);
}

static void print_rest(const struct pve_left_out *list, size_t n, size_t others, const char *description)
{
	put("description", description);
	for (size_t i = 0; i < n; i++)
		printf("line %u left out: %.60s: %s\n", list[i].line.number, list[i].line.text, list[i].why);
	printf("%zu others\n", others);
}

static void print_vm(const char *text, struct arena *a)
{
	struct pve_guest g;

	pveconf_parse(text, a, &g);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (g.hostpci[i].present)
			print_hostpci(&g.hostpci[i], i);
	for (int i = 0; i < PVE_USB_MAX; i++)
		if (g.usb[i].present)
			print_usb(&g.usb[i], i);
	puts("VM");
	put("name", g.name);
	put("lock", g.lock);
	put("machine", g.machine);
	put("bios", g.bios);
	put("args", g.args);
	put("hookscript", g.hookscript);
	put("tags", g.tags);
	put("ostype", g.ostype);
	put("vga", g.vga);
	put_flag("template", g.template);
	put_flag("no reboot", g.no_reboot);
	put_flag("has USB", g.has_usb);
	print_rest(g.left_out, g.n_left_out, g.n_others, g.description);
}

static void print_container(const char *text, struct arena *a)
{
	struct pve_container c;

	pvect_parse(text, a, &c);
	for (size_t i = 0; i < c.n_nodes; i++)
		printf("dev%u %s\n", c.nodes[i].number, c.nodes[i].path);
	for (size_t i = 0; i < c.n_lxc; i++)
		printf("%s '%s'\n", c.lxc[i].key, c.lxc[i].value);
	puts("container");
	put("name", c.name);
	put("lock", c.lock);
	put("hookscript", c.hookscript);
	put("tags", c.tags);
	put_flag("template", c.template);
	print_rest(c.left_out, c.n_left_out, c.n_others, c.description);
}

static void print_mappings(const char *text, enum pvemap_kind kind, struct arena *a)
{
	struct pve_mappings m;

	pvemap_parse(text, kind, a, &m);
	for (size_t i = 0; i < m.n; i++) {
		printf("mapping %s, line %u%s\n", m.list[i].name, m.list[i].line, m.list[i].mdev ? ", mdev" : "");
		for (size_t k = 0; k < m.list[i].n; k++) {
			const struct pve_map *map = &m.list[i].maps[k];

			printf("\tline %u: node=%s id=%s path=%s subsystem-id=%s iommugroup=%s\n", map->line, map->node, map->id,
			       map->path ? map->path : "-", map->subsystem ? map->subsystem : "-", map->group ? map->group : "-");
		}
	}
	for (size_t i = 0; i < m.n_bad; i++)
		printf("line %u passed over, of %s: %s: %s\n", m.bad[i].line, m.bad[i].name ? m.bad[i].name : "no mapping",
		       m.bad[i].text, m.bad[i].why);
}

int main(int argc, char **argv)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *ends = argc == 2 ? strrchr(argv[1], '.') : NULL;
	char *text = arena_alloc(a, PVECONF_BYTES_MAX + 1);
	FILE *file = ends ? fopen(argv[1], "r") : NULL;

	if (!file || fread(text, 1, PVECONF_BYTES_MAX, file) == 0)
		return 2;
	fclose(file);
	if (strcmp(ends, ".conf") == 0)
		print_vm(text, a);
	else if (strcmp(ends, ".ct") == 0)
		print_container(text, a);
	else
		print_mappings(text, strcmp(ends, ".pci") == 0 ? PVEMAP_PCI : PVEMAP_USB, a);
	return 0;
}
