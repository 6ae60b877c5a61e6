/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What containers that run have of the host's devices, by the lines of their configurations. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "core/stake.h"

#define CONTAINERS "etc/pve/lxc"
#define NETS "sys/class/net"
#define USB_DEVICES "sys/bus/usb/devices"
#define CONFIG_MAX 65536
#define CARDS_MAX 32		/* lxc.net.N of one container */
#define NUMBER_BYTES 16
#define USB_CLASS_HUB "09"	/* include/uapi/linux/usb/ch9.h */
#define CLASS_DISPLAY 0x03	/* base classes of PCI */
#define CLASS_NETWORK 0x02
#define BASE_SHIFT 16

/* lxc.net.N, of two lines. */
struct card {
	char number[NUMBER_BYTES];
	bool phys;
	const char *link, *line;
};

struct reader {
	struct stakes *s;
	unsigned ctid;
	const char *line;	/* that is being read */
	size_t first;		/* the first stake of it */
	struct card cards[CARDS_MAX];
	size_t n_cards;
};

/* --- what is told ------------------------------------------------------------------------------------------------ */

/* Of a folder of nodes, the first on each function says it; USB devices may leave one by one. */
static bool is_told(const struct reader *r, const char *path)
{
	const char *function = path_function(path, r->s->arena);

	for (size_t i = r->first; i < r->s->n; i++)
		if (strcmp(r->s->list[i].path, path) == 0 ||
		    (str_same(path_function(r->s->list[i].path, r->s->arena), function) && !strstr(path, "/usb")))
			return true;
	return false;
}

static void add(struct reader *r, const char *path, const char *name, const char *what)
{
	if (!path || is_told(r, path))
		return;
	stake_add(r->s, "other-guest", path, name, arena_fmt(r->s->arena, "stop container %u first", r->ctid),
		  "%s is with container %u, which runs: '%s'", what, r->ctid, r->line);
}

static void add_node(struct reader *r, const char *node, const char *path)
{
	const char *function = path ? path_function(path, r->s->arena) : NULL;

	if (function)
		add(r, path, str_basename(node), arena_fmt(r->s->arena, "/dev/%s -> %s", node, function));
}

/* --- nodes that a class has -------------------------------------------------------------------------------------- */

/* Folders below /dev, "" for /dev itself, and how the nodes begin that a class has there. */
static const struct {
	const char *folder, *begins, *class;
} classes[] = {
	{ "dri/", "card", "sys/class/drm" },
	{ "dri/", "renderD", "sys/class/drm" },
	{ "snd/", "", "sys/class/sound" },
	{ "input/", "", "sys/class/input" },
	{ "", "i2c-", "sys/class/i2c-dev" },
	{ "", "tty", "sys/class/tty" },
	{ "", "fb", "sys/class/graphics" },
	{ "", "sd", "sys/class/block" },
	{ "", "sr", "sys/class/block" },
	{ "", "nvme", "sys/class/block" },
};

static void take_node(struct reader *r, const char *node)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		const char *name = node + strlen(classes[i].folder);

		if (str_starts(node, classes[i].folder) && !strchr(name, '/') && str_starts(name, classes[i].begins))
			add_node(r, node, stake_path(r->s, classes[i].class, name));
	}
}

/* A folder is in the container with all that is in it, now or later. */
static bool take_folder(struct reader *r, const char *folder)
{
	bool is_one = false;
	char **names;
	size_t n;

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (!*classes[i].folder || strcmp(arena_fmt(r->s->arena, "%s/", folder), classes[i].folder) != 0)
			continue;
		is_one = true;
		if (host_list(r->s->host, classes[i].class, r->s->arena, &names, &n) < 0)
			continue;
		for (size_t k = 0; k < n; k++)
			if (str_starts(names[k], classes[i].begins) && !strchr(names[k], '-'))
				take_node(r, arena_fmt(r->s->arena, "%s/%s", folder, names[k]));
	}
	return is_one;
}

/* --- other nodes ------------------------------------------------------------------------------------------------- */

/* Nodes that all cards of a driver share, or that no class tells the card of. */
static bool take_driver(struct reader *r, const char *node)
{
	static const struct {
		const char *nodes, *driver;
	} drivers[] = {
		{ "nvidia", "nvidia" }, { "kfd", "amdgpu" },
	};
	const char *driver = NULL;

	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++)
		if (str_starts(node, drivers[i].nodes))
			driver = drivers[i].driver;
	for (size_t i = 0; driver && i < r->s->inventory->n; i++) {
		const struct function *fn = &r->s->inventory->functions[i];

		if (fn->class >> BASE_SHIFT == CLASS_DISPLAY && str_same(fn->driver, driver))
			add_node(r, node, fn->address);
	}
	return driver;
}

/* A number of a USB device; below zero: it has none. */
static int usb_number(const struct reader *r, const char *name, const char *file)
{
	char text[NUMBER_BYTES];
	uint64_t number;

	if (host_read(r->s->host, arena_fmt(r->s->arena, USB_DEVICES "/%s/%s", name, file), text, sizeof(text)) < 0 ||
	    !str_decimal(text, INT32_MAX, &number))
		return -1;
	return (int)number;
}

static bool is_hub(const struct reader *r, const char *name)
{
	char class[NUMBER_BYTES];

	return host_read(r->s->host, arena_fmt(r->s->arena, USB_DEVICES "/%s/bDeviceClass", name), class,
			 sizeof(class)) > 0 && strcmp(class, USB_CLASS_HUB) == 0;
}

/* "bus/usb/001/004", and the folders "bus/usb/001" and "bus/usb": drivers/usb/core/usb.c, usb_devnode(). */
static bool take_usb(struct reader *r, const char *node)
{
	static const char folder[] = "bus/usb";
	int bus = -1, device = -1;
	char **names;
	size_t n;

	if (!str_starts(node, folder) || (node[strlen(folder)] && node[strlen(folder)] != '/'))
		return false;
	sscanf(node + strlen(folder), "/%d/%d", &bus, &device);
	if (host_list(r->s->host, USB_DEVICES, r->s->arena, &names, &n) < 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (!str_is_usb_port(names[i]) || (bus >= 0 && usb_number(r, names[i], "busnum") != bus) ||
		    (device >= 0 ? usb_number(r, names[i], "devnum") != device : is_hub(r, names[i])))
			continue;
		add_node(r, arena_fmt(r->s->arena, "%s (USB %s)", node, names[i]),
			 stake_path(r->s, USB_DEVICES, names[i]));
	}
	return true;
}

/* "dri/by-path/pci-0000:00:02.0-render" and "../renderD128": "dri/renderD128". */
static const char *followed(struct arena *a, const char *node, const char *target)
{
	char *folder = arena_dup(a, node), *slash = strrchr(folder, '/');

	if (slash)
		*slash = '\0';
	while (slash && str_starts(target, "../")) {
		target += strlen("../");
		slash = strrchr(folder, '/');
		*(slash ? slash : folder) = '\0';
	}
	return *folder ? arena_fmt(a, "%s/%s", folder, target) : target;
}

/* udev's names are links to nodes. Those of a path have the function in them, which is so of a capture too. */
static void take_link(struct reader *r, const char *node)
{
	static const char mark[] = "/by-path/pci-";
	const char *at = strstr(node, mark), *address;
	char target[HOST_NAME_BYTES];
	struct bdf bdf;

	if (host_link(r->s->host, arena_fmt(r->s->arena, "dev/%s", node), target, sizeof(target)) > 0) {
		take_node(r, followed(r->s->arena, node, arena_dup(r->s->arena, target)));
	} else if (at) {
		at += strlen(mark);
		address = arena_dupn(r->s->arena, at, strcspn(at, "-"));
		if (bdf_parse(address, &bdf))
			add_node(r, node, address);
	}
}

/* What stands behind "/dev/". */
static void take_device(struct reader *r, char *node)
{
	static const char by_path[] = "/by-path";
	size_t n = strlen(node);

	while (n && node[n - 1] == '/')
		node[--n] = '\0';
	/* All of "dri/by-path" is all of "dri". */
	if (n > strlen(by_path) && strcmp(node + n - strlen(by_path), by_path) == 0)
		node[n - strlen(by_path)] = '\0';
	if (take_driver(r, node) || take_usb(r, node) || take_folder(r, node))
		return;
	take_node(r, node);
	take_link(r, node);
}

/* --- network cards ----------------------------------------------------------------------------------------------- */

static struct card *card_of(struct reader *r, const char *number)
{
	for (size_t i = 0; i < r->n_cards; i++)
		if (strcmp(r->cards[i].number, number) == 0)
			return &r->cards[i];
	if (r->n_cards == CARDS_MAX)
		return NULL;
	snprintf(r->cards[r->n_cards].number, NUMBER_BYTES, "%.*s", NUMBER_BYTES - 1, number);
	return &r->cards[r->n_cards++];
}

/* "lxc.net.0.type: phys", "lxc.net.0.link: eno2": lxc.container.conf(5). */
static void take_net(struct reader *r, const char *key, const char *value)
{
	const char *dot = strchr(key, '.');
	struct card *card = dot ? card_of(r, arena_dupn(r->s->arena, key, (size_t)(dot - key))) : NULL;

	if (!card)
		return;
	if (strcmp(dot, ".type") == 0)
		card->phys = strcmp(value, "phys") == 0;
	if (strcmp(dot, ".link") == 0) {
		card->link = value;
		card->line = r->line;
	}
}

/* Whether the interface of a network card is in another network namespace: it has a driver, and none here. */
static bool is_away(const struct function *fn)
{
	return fn->class >> BASE_SHIFT == CLASS_NETWORK && fn->driver && !str_starts(fn->driver, "vfio") && !fn->nic;
}

/* The host sees no interface that is with a container: net/core/net-sysfs.c shows those of its own namespace. */
static void add_card(struct reader *r, const struct card *card)
{
	const char *path = stake_path(r->s, NETS, card->link);

	r->line = card->line;
	r->first = r->s->n;
	if (path) {
		add(r, path, card->link,
		    arena_fmt(r->s->arena, "%s -> %s", card->link, path_function(path, r->s->arena)));
		return;
	}
	for (size_t i = 0; i < r->s->inventory->n; i++) {
		const struct function *fn = &r->s->inventory->functions[i];

		if (is_away(fn))
			add(r, fn->address, card->link,
			    arena_fmt(r->s->arena, "%s, which no longer is an interface of the host and may be %s,",
				      card->link, fn->address));
	}
}

/* --- configurations ---------------------------------------------------------------------------------------------- */

/* A value up to its first comma or space. */
static char *first_word(struct arena *a, const char *s)
{
	return arena_dupn(a, s, strcspn(s, ", \t"));
}

/*
 * "dev0: /dev/dri/renderD128,gid=104", "dev0: path=/dev/kfd", "lxc.mount.entry: /dev/dri dev/dri none bind". What Proxmox
 * would refuse counts as well: the container runs, by whatever it was started with.
 */
static void take_line(struct reader *r, const struct pve_line *line)
{
	static const char dev[] = "/dev/", net[] = "lxc.net.";
	const char *node = line->key ? strstr(line->value, dev) : NULL;
	bool is_mount = line->key && strcmp(line->key, "lxc.mount.entry") == 0;

	r->line = line->text;
	r->first = r->s->n;
	if (!line->key)
		return;
	if (node && (is_mount ? node == line->value : pveconf_index(line->key, "dev", PVE_NODES_MAX - 1) >= 0))
		take_device(r, first_word(r->s->arena, node + strlen(dev)));
	else if (str_starts(line->key, net))
		take_net(r, line->key + strlen(net), first_word(r->s->arena, line->value));
}

static void add_container(struct stakes *s, unsigned ctid, const char *name)
{
	struct reader r = { .s = s, .ctid = ctid };
	char *text = arena_alloc(s->arena, CONFIG_MAX);
	struct pve_reader reader;
	struct pve_line line;
	bool cut;

	/* A container that runs has a control group: lxc, src/lxc/cgroups/cgfsng.c. */
	if (!host_has(s->host, arena_fmt(s->arena, "sys/fs/cgroup/lxc/%u", ctid)) ||
	    host_read_lines(s->host, arena_fmt(s->arena, CONTAINERS "/%s", name), text, CONFIG_MAX, &cut) < 0)
		return;
	pveline_start(&reader, text, true, s->arena);
	while (pveline_next(&reader, &line))
		take_line(&r, &line);
	for (size_t i = 0; i < r.n_cards; i++)
		if (r.cards[i].phys && r.cards[i].link)
			add_card(&r, &r.cards[i]);
}

void stakes_containers(struct stakes *s, unsigned self)
{
	char **names;
	size_t n;

	if (host_list(s->host, CONTAINERS, s->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		unsigned ctid = pveconf_name(names[i], s->arena);

		if (ctid && ctid != self)
			add_container(s, ctid, names[i]);
	}
}
