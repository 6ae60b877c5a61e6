/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/host.h"
#include "host/live_nic.h"
#include "host/live_nic_children.h"
#include "host/live_nic_ip.h"
#include "host/live_nic_parts.h"
#include "host/reader.h"
#include "host/rtnl.h"

#define DEVICES "sys/bus/pci/devices"

/* How often a read begins anew because the interface got another name, or another address, under way. */
#define TRIES 3

/* --- finding it -------------------------------------------------------------------------------------------------- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int is_upper(const struct dirent *e)
{
	return str_starts(e->d_name, NIC_UPPER);
}

static int is_virtio(const struct dirent *e)
{
	return str_starts(e->d_name, "virtio");
}

int nic_uppers(const struct nic *nic, const char *folder, struct dirent ***list)
{
	int n = scandirat(nic->root, folder, list, is_upper, by_name);

	return n >= 0 ? n : errno == ENOENT ? -ENODEV : -errno;
}

void nic_free_entries(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static int find_interfaces(struct nic *nic)
{
	char *slots[] = { nic->first, nic->second };
	struct dirent **list;
	int n = scandirat(nic->root, nic->folder, &list, is_entry, by_name);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n && i < 2; i++)
		snprintf(slots[i], IFNAMSIZ, "%.*s", IFNAMSIZ - 1, list[i]->d_name);
	nic_free_entries(list, n);
	return n > 0 ? 0 : -ENOENT;
}

/* A virtio function's driver has a device of its own, and that has the interface (drivers/virtio/virtio.c). */
static int find_virtio(struct nic *nic)
{
	struct dirent **list;
	int n, len = -1;

	snprintf(nic->folder, sizeof(nic->folder), DEVICES "/%s", nic->address);
	n = scandirat(nic->root, nic->folder, &list, is_virtio, by_name);
	if (n < 0)
		return -errno;
	if (n > 0)
		len = snprintf(nic->folder, sizeof(nic->folder), DEVICES "/%s/%s/net", nic->address, list[0]->d_name);
	nic_free_entries(list, n);
	return len > 0 && (size_t)len < sizeof(nic->folder) ? find_interfaces(nic) : -ENOENT;
}

static int nic_open(struct nic *nic, int root, const char *address)
{
	int code;

	*nic = (struct nic){ .root = root };
	snprintf(nic->address, sizeof(nic->address), "%s", address);
	snprintf(nic->folder, sizeof(nic->folder), DEVICES "/%s/net", address);
	code = find_interfaces(nic);
	if (code == -ENOENT)
		code = find_virtio(nic);
	if (code < 0)
		return code;
	code = rtnl_open(&nic->rtnl);
	if (code < 0)
		return code;
	code = rtnl_link_named(&nic->rtnl, nic->first, &nic->link);
	if (code < 0)
		rtnl_close(&nic->rtnl);
	return code;
}

static void nic_close(struct nic *nic)
{
	rtnl_close(&nic->rtnl);
}

/* --- what hangs on it -------------------------------------------------------------------------------------------- */

void nic_loose_add(struct nic_loose *p, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_separate(&p->text, ", ");
	if (p->of)
		text_add(&p->text, "upper %s has ", p->of);
	text_add(&p->text, "%s", text);
}

void nic_loose_ip(struct nic_loose *loose, const char *what, const struct ip_bytes *ip, unsigned prefix, const char *how)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(ip->family, ip->bytes, text, sizeof(text));
	nic_loose_add(loose, "%s %s/%u%s", what, text, prefix, how);
}

/* Interfaces on top: they go with it (NETDEV_UNREGISTER in net/8021q, macvlan, ipvlan). The master is one of them. */
static int tell_uppers(struct nic *nic, const char *master, struct nic_loose *p)
{
	char folder[HOST_NAME_BYTES + IFNAMSIZ];
	struct dirent **list;
	int n, code = 0;

	snprintf(folder, sizeof(folder), "%s/%s", nic->folder, nic->first);
	n = nic_uppers(nic, folder, &list);
	if (n < 0)
		return n;
	for (int i = 0; i < n && code == 0; i++) {
		const char *name = list[i]->d_name + strlen(NIC_UPPER);

		if (strcmp(name, master) != 0)
			code = nic_loose_child(nic, name, p);
	}
	nic_free_entries(list, n);
	return code;
}

static int tell_virtual_functions(const struct nic *nic, struct nic_loose *p)
{
	char name[HOST_NAME_BYTES], text[32];
	uint64_t count;
	ssize_t n;

	snprintf(name, sizeof(name), DEVICES "/%s/sriov_numvfs", nic->address);
	n = read_file(nic->root, name, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	text[strcspn(text, "\n")] = '\0';
	if (!str_decimal(text, UINT32_MAX, &count))
		return -EBADMSG;
	if (count)
		nic_loose_add(p, "%u virtual function%s", (unsigned)count, count == 1 ? "" : "s");
	return 0;
}

static ssize_t read_loose(struct nic *nic, char *buf, size_t size)
{
	struct nic_loose p = { .text = text_begin(buf, size) };
	struct rtnl_link master = { 0 };
	int code = 0;
	ssize_t n;

	if (nic->link.master)
		code = rtnl_link_at(&nic->rtnl, nic->link.master, &master);
	if (code == 0)
		code = nic_loose_addresses(nic, &p);
	if (code == 0)
		code = nic_loose_routes(nic, &p);
	if (code == 0)
		code = tell_uppers(nic, master.name, &p);
	if (code < 0)
		return code;
	if (nic->link.master && !master.is_bridge && !master.is_bond)
		nic_loose_add(&p, "master %s is no bridge or bond", master.name);
	if (nic->second[0])
		nic_loose_add(&p, "second interface %s", nic->second);
	code = tell_virtual_functions(nic, &p);
	if (code < 0)
		return code;
	n = text_length(&p.text);
	return n ? n : -ENOENT;
}

/* --- the other names --------------------------------------------------------------------------------------------- */

ssize_t nic_put_text(char *buf, size_t size, const char *text)
{
	int n = snprintf(buf, size, "%s", text);

	return n < 0 || (size_t)n >= size ? -E2BIG : n;
}

static ssize_t read_name(struct nic *nic, char *buf, size_t size)
{
	return nic_put_text(buf, size, nic->link.name);
}

static int write_name(struct nic *nic, const char *value)
{
	return str_is_interface(value) ? rtnl_set_name(&nic->rtnl, nic->link.index, value) : -EINVAL;
}

static ssize_t read_mtu(struct nic *nic, char *buf, size_t size)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", (unsigned)nic->link.mtu);
	return nic_put_text(buf, size, text);
}

static int write_mtu(struct nic *nic, const char *value)
{
	uint64_t mtu;

	if (!str_decimal(value, INT32_MAX, &mtu))
		return -EINVAL;
	return rtnl_set_mtu(&nic->rtnl, nic->link.index, (uint32_t)mtu);
}

static ssize_t read_up(struct nic *nic, char *buf, size_t size)
{
	return nic_put_text(buf, size, nic->link.flags & IFF_UP ? "up" : "down");
}

static int write_up(struct nic *nic, const char *value)
{
	bool up = strcmp(value, "up") == 0;

	if (!up && strcmp(value, "down") != 0)
		return -EINVAL;
	return rtnl_set_up(&nic->rtnl, nic->link.index, up);
}

static ssize_t read_master(struct nic *nic, char *buf, size_t size)
{
	struct rtnl_link master;
	int code;

	if (!nic->link.master)
		return -ENOENT;
	code = rtnl_link_at(&nic->rtnl, nic->link.master, &master);
	return code < 0 ? code : nic_put_text(buf, size, master.name);
}

static int write_master(struct nic *nic, const char *value)
{
	struct rtnl_link master = { 0 };
	int code;

	if (*value == '\0')
		return rtnl_set_master(&nic->rtnl, nic->link.index, 0);
	if (!str_is_interface(value))
		return -EINVAL;
	code = rtnl_link_named(&nic->rtnl, value, &master);
	if (code < 0)
		return code;
	if (!master.is_bridge && !master.is_bond)
		return -ENODEV;
	/* Before 6.3 a bond takes nobody who is up; it raises its ports itself (bond_main.c, bond_enslave()). */
	if (master.is_bond && nic->link.flags & IFF_UP && nic->link.master != master.index)
		code = rtnl_set_up(&nic->rtnl, nic->link.index, false);
	return code < 0 ? code : rtnl_set_master(&nic->rtnl, nic->link.index, master.index);
}

static ssize_t read_vlans(struct nic *nic, char *buf, size_t size)
{
	struct vlans v;
	int code;

	if (!nic->link.is_port)
		return -ENOENT;
	code = rtnl_vlans(&nic->rtnl, nic->link.index, &v);
	return code < 0 ? code : vlans_format(&v, buf, size);
}

static int write_vlans(struct nic *nic, const char *value)
{
	struct vlans wanted, there, todo;
	struct vlan_range range = { 0 };
	int code = vlans_parse(value, &wanted);

	if (code < 0)
		return code;
	if (!nic->link.is_port)
		return -ENOENT;
	code = rtnl_vlans(&nic->rtnl, nic->link.index, &there);
	todo = vlans_without(&there, &wanted);
	while (code == 0 && vlans_next(&todo, &range))
		code = rtnl_vlan_remove(&nic->rtnl, nic->link.index, &range);
	/* Adding what is there gives it these flags, and takes others away (net/bridge/br_vlan.c, __vlan_add_flags()). */
	todo = vlans_unlike(&wanted, &there);
	range = (struct vlan_range){ 0 };
	while (code == 0 && vlans_next(&todo, &range))
		code = rtnl_vlan_add(&nic->rtnl, nic->link.index, &range);
	return code;
}

static const struct nic_part own_parts[] = {
	{ "name", read_name, write_name },
	{ "mtu", read_mtu, write_mtu },
	{ "up", read_up, write_up },
	{ "master", read_master, write_master },
	{ "vlans", read_vlans, write_vlans },
	{ "loose", read_loose, NULL },
};

static const struct {
	const struct nic_part *list;
	size_t n;
} parts[] = {
	{ own_parts, sizeof(own_parts) / sizeof(*own_parts) },
	{ nic_link_parts, sizeof(nic_link_parts) / sizeof(*nic_link_parts) },
	{ nic_port_parts, sizeof(nic_port_parts) / sizeof(*nic_port_parts) },
	{ nic_ip_parts, sizeof(nic_ip_parts) / sizeof(*nic_ip_parts) },
	{ nic_sysctl_parts, sizeof(nic_sysctl_parts) / sizeof(*nic_sysctl_parts) },
	{ nic_ethtool_parts, sizeof(nic_ethtool_parts) / sizeof(*nic_ethtool_parts) },
	{ nic_children_parts, sizeof(nic_children_parts) / sizeof(*nic_children_parts) },
	{ nic_gateway_parts, sizeof(nic_gateway_parts) / sizeof(*nic_gateway_parts) },
};

const struct nic_part *nic_part_named(const char *name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (size_t k = 0; k < parts[i].n; k++)
			if (strcmp(parts[i].list[k].name, name) == 0)
				return &parts[i].list[k];
	return NULL;
}

/* "ADDRESS/WHAT"; NULL if it is not that. */
static const struct nic_part *what_of(const char *rest, char address[BDF_TEXT_MAX])
{
	const char *slash = strchr(rest, '/');
	struct bdf bdf;

	if (!slash || slash - rest >= BDF_TEXT_MAX)
		return NULL;
	memcpy(address, rest, (size_t)(slash - rest));
	address[slash - rest] = '\0';
	if (!bdf_parse(address, &bdf))
		return NULL;
	return nic_part_named(slash + 1);
}

struct live_nic {
	int root;
	bool is_found;
	struct nic nic;
};

struct live_nic *live_nic_new(int root)
{
	struct live_nic *n = calloc(1, sizeof(*n));

	if (n)
		n->root = root;
	return n;
}

void live_nic_forget(struct live_nic *n)
{
	if (n->is_found)
		nic_close(&n->nic);
	n->is_found = false;
}

/* Found already, or now. */
static int find(struct live_nic *n, const char *address)
{
	int code;

	if (n->is_found && strcmp(n->nic.address, address) == 0)
		return 0;
	live_nic_forget(n);
	code = nic_open(&n->nic, n->root, address);
	n->is_found = code == 0;
	return code;
}

ssize_t live_nic_ask(struct live_nic *n, const char *rest, char *buf, size_t size)
{
	char address[BDF_TEXT_MAX];
	const struct nic_part *what = what_of(rest, address);
	ssize_t got = -ENOENT;

	if (!what)
		return -ENOENT;
	for (int i = 0; i < TRIES; i++) {
		got = find(n, address);
		if (got == 0)
			got = what->read(&n->nic, buf, size);
		/* Whatever has gone wrong: its answer may still be on its way. */
		if (got < 0 && got != -ENOENT)
			live_nic_forget(n);
		if (got != -ENODEV && got != -EINTR)
			return got;
	}
	return got == -ENODEV ? -ENOENT : -EAGAIN;
}

ssize_t live_nic_read(int root, const char *rest, char *buf, size_t size)
{
	struct live_nic n = { .root = root };
	ssize_t got = live_nic_ask(&n, rest, buf, size);

	live_nic_forget(&n);
	return got;
}

int live_nic_write(int root, const char *rest, const char *value)
{
	char address[BDF_TEXT_MAX];
	const struct nic_part *what = what_of(rest, address);
	struct nic nic;
	int code = -EINTR;

	if (!what)
		return -ENOENT;
	if (!what->write)
		return -EACCES;
	/* Somebody else has changed the network while it was listed: they all compare before they change anything. */
	for (int n = 0; n < TRIES && code == -EINTR; n++) {
		code = nic_open(&nic, root, address);
		if (code < 0)
			continue;
		code = what->write(&nic, value);
		nic_close(&nic);
	}
	return code;
}
