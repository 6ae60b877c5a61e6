/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/guests.h"
#include "core/pvecluster.h"
#include "core/pveconf.h"
#include "core/pveline.h"

#define LOCAL "etc/pve/local"	/* "nodes/pve1": pve-cluster, src/pmxcfs/cfs-plug-link.c */

static const char *own_node(struct host *h, struct arena *a)
{
	char text[HOST_NAME_BYTES];

	return host_link(h, LOCAL, text, sizeof(text)) >= 0 ? arena_dup(a, str_basename(text)) : pvecluster_short_name(h, a);
}

ssize_t guest_reread(struct host *h, const struct guest *guest, struct arena *a, const char **text)
{
	char *buf = arena_alloc(a, GUESTS_CONF_BYTES_MAX + 1);
	ssize_t n = host_read_bytes(h, guest->name, buf, GUESTS_CONF_BYTES_MAX + 1);

	if (n >= 0)
		*text = buf;
	return n;
}

/* buf is used for one after the other. */
static void read_folder(struct host *h, const char *node, bool container, struct arena *a, char *buf, struct guests *g)
{
	const char *folder = arena_fmt(a, GUESTS_NODES "/%s/%s", node, container ? "lxc" : "qemu-server");
	char **names;
	size_t n;

	if (host_list(h, folder, a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct guest guest = { pveconf_name(names[i], a), node, container, NULL, NULL };
		ssize_t length;

		if (!guest.vmid)
			continue;
		guest.name = arena_fmt(a, "%s/%s", folder, names[i]);
		length = host_read_bytes(h, guest.name, buf, GUESTS_CONF_BYTES_MAX + 1);
		if (length == -ENOENT)
			continue;
		guest.text = length < 0 ? NULL : arena_dup(a, buf);
		g->list = arena_grow(a, g->list, g->n, sizeof(*g->list));
		g->list[g->n++] = guest;
	}
}

int guests_read(struct host *h, struct arena *a, struct guests *g, struct error *err)
{
	char *buf = arena_alloc(a, GUESTS_CONF_BYTES_MAX + 1);
	struct guests all = { 0 };
	int code = host_list(h, GUESTS_NODES, a, &all.nodes, &all.n_nodes);

	if (code < 0 && code != -ENOENT)
		return error_errno(err, code, "cannot list '/" GUESTS_NODES "'");
	if (code < 0 || all.n_nodes == 0)
		return error_set(err, -ENOENT, "there is no '/" GUESTS_NODES "': either this is no Proxmox VE host, or "
				 "its cluster file system is not mounted (`systemctl status pve-cluster`)");
	all.here = own_node(h, a);
	for (size_t i = 0; i < all.n_nodes; i++) {
		read_folder(h, all.nodes[i], false, a, buf, &all);
		read_folder(h, all.nodes[i], true, a, buf, &all);
	}
	*g = all;
	return 0;
}

const struct guest *guests_find(const struct guests *g, unsigned vmid)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].vmid == vmid)
			return &g->list[i];
	return NULL;
}

static bool is_setting(const struct pve_line *line, const char *key)
{
	return line->key && strcmp(line->key, key) == 0;
}

const char *guest_value(const char *text, const char *key, struct arena *a)
{
	const char *last = NULL;
	struct pve_reader r;
	struct pve_line line;

	/* Of two lines with one key the last counts. */
	pveline_start(&r, text, false, a);
	while (pveline_next(&r, &line))
		if (is_setting(&line, key))
			last = line.value;
	return last;
}

bool guest_names_hookscript(const struct guest *guest, const char *volume, struct arena *a)
{
	struct pve_reader r;
	struct pve_line line;

	if (!guest->text)
		return true;
	pveline_start(&r, guest->text, guest->container, a);
	do
		while (pveline_next(&r, &line))
			if (is_setting(&line, "hookscript") && strcmp(line.value, volume) == 0)
				return true;
	while (pveline_next_section(&r));
	return false;
}
