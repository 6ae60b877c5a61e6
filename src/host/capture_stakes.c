/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "host/capture.h"

/* A class or bus, and what of its things a host can stand on. Lists end with NULL. */
struct class {
	const char *folder;		/* below sys/ */
	const char *prefix;		/* of names wanted, a digit behind it; "" = all */
	const char *const *files;
	const char *const *links;	/* a '*' at the end: all that begin so */
	const char *nodes;		/* the folder of their device nodes; NULL = they have none that matters */
};

static const char *const no_files[] = { NULL };
static const char *const device_link[] = { "device", NULL };

static const char *const block_files[] = { "dev", "partition", "size", "removable", "hidden", "dm/name", "md/level",
					   "loop/backing_file", NULL };
static const char *const block_links[] = { "device", "holders/*", "slaves/*", NULL };

/* No address: it says whose card this is, and nothing is decided by it. */
static const char *const net_files[] = { "operstate", "carrier", "type", NULL };
static const char *const net_links[] = { "device", "phy80211", "master", "upper_*", "lower_*", NULL };
static const char *const net_folders[] = { "bridge", "bonding", NULL };

static const char *const tty_files[] = { "active", NULL };
static const char *const screen_files[] = { "name", NULL };
static const char *const vtconsole_files[] = { "name", "bind", NULL };
static const char *const watchdog_files[] = { "state", "identity", "nowayout", NULL };
static const char *const subsystem_links[] = { "nvme*", NULL };
static const char *const iscsi_files[] = { "address", "persistent_address", NULL };

static const struct class classes[] = {
	{ "class/block", "", block_files, block_links, "dev" },
	{ "class/nvme-subsystem", "", no_files, subsystem_links, NULL },
	{ "class/iscsi_connection", "", iscsi_files, device_link, NULL },
	{ "class/net", "", net_files, net_links, NULL },
	{ "class/tty", "", tty_files, device_link, "dev" },
	{ "class/graphics", "fb", screen_files, device_link, "dev" },
	{ "class/vtconsole", "vtcon", vtconsole_files, no_files, NULL },
	{ "class/drm", "card", no_files, device_link, "dev/dri" },
	{ "class/drm", "renderD", no_files, device_link, "dev/dri" },
	{ "class/sound", "controlC", no_files, device_link, "dev/snd" },
	{ "class/sound", "pcmC", no_files, device_link, "dev/snd" },
	{ "class/vfio-dev", "vfio", no_files, device_link, "dev/vfio/devices" },
	{ "class/watchdog", "watchdog", watchdog_files, device_link, "dev" },
	{ "class/mtd", "mtd", no_files, device_link, "dev" },
	{ "class/i2c-dev", "i2c-", no_files, device_link, "dev" },
	{ "class/tpm", "tpm", no_files, device_link, "dev" },
	{ "class/tpmrm", "tpmrm", no_files, device_link, "dev" },
	{ "bus/gpio/devices", "gpiochip", no_files, no_files, "dev" },
};

/* What is on these belongs to guests, or is on a disk that is looked at itself. */
static const char *const unlabelled[] = { "zd", "rbd", "nbd", "drbd", "loop" };

/* A thing of a class. */
struct thing {
	const struct class *class;
	const char *name;
	const char *folder;	/* "sys/class/block/sda" */
	const char *path;	/* "/devices/..." */
};

struct stakes {
	struct writer *w;
	struct thing *things;
	size_t n;
	struct words consoles;	/* of sys/class/tty/console/active */
	struct words firmware;	/* paths that have had their block */
	struct words looked;	/* folders below holder/ that were listed, and what was found there */
	struct words held;
	bool any_value;		/* V: lines were begun */
};

/* --- which things ------------------------------------------------------------------------------------------------ */

static bool reads(struct stakes *s, const char *folder, const char *file, const char *text)
{
	return capture_get(s->w, folder, file, NULL) >= 0 && strcmp(s->w->buf, text) == 0;
}

static bool is_wanted(struct stakes *s, const struct thing *t)
{
	size_t n = strlen(t->class->prefix);

	if (n && (!str_starts(t->name, t->class->prefix) || !isdigit((unsigned char)t->name[n])))
		return false;
	/* drm's connectors are named like their card: "card0-HDMI-A-1". */
	if (strcmp(t->class->folder, "class/drm") == 0 && strchr(t->name, '-'))
		return false;
	if (strcmp(t->class->folder, "class/tty") == 0) {
		for (size_t i = 0; i < s->consoles.n; i++)
			if (strcmp(s->consoles.list[i], t->name) == 0)
				return true;
		return strcmp(t->name, "console") == 0 || str_starts(t->name, "ttyUSB") || str_starts(t->name, "ttyACM");
	}
	/* loop0 and the like, which stand ready. */
	return strcmp(t->class->folder, "class/block") != 0 || !str_starts(t->path, "/devices/virtual/") ||
	       !reads(s, t->folder, "size", "0");
}

/* A link that leads nowhere tells of what is away; and a function has its own block. */
static bool is_there(struct stakes *s, const struct thing *t)
{
	struct bdf bdf;
	char **names;
	size_t n;

	return !bdf_parse(str_basename(t->path), &bdf) && host_list(s->w->h, t->folder, s->w->arena, &names, &n) == 0;
}

static void add_things(struct stakes *s, const struct class *class)
{
	struct arena *a = s->w->arena;
	char **names, path[HOST_NAME_BYTES];
	size_t n;

	if (host_list(s->w->h, arena_fmt(a, "sys/%s", class->folder), a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct thing t = { .class = class, .name = names[i] };

		t.folder = arena_fmt(a, "sys/%s/%s", class->folder, names[i]);
		if (!capture_path(s->w, t.folder, path))
			continue;
		t.path = arena_dup(a, path);
		if (!is_there(s, &t) || !is_wanted(s, &t))
			continue;
		s->things = arena_grow(a, s->things, s->n, sizeof(t));
		s->things[s->n++] = t;
	}
}

static void read_consoles(struct stakes *s)
{
	if (capture_get(s->w, "sys/class/tty/console", "active", NULL) < 0)
		return;
	for (char *at = s->w->buf, *word; (word = strsep(&at, " ")) != NULL;)
		capture_remember(s->w, &s->consoles, word);
}

/* --- what is said of them ---------------------------------------------------------------------------------------- */

/* All links whose names begin as the pattern does, those of the thing itself or of a folder in it. */
static void put_matching(struct stakes *s, const struct thing *t, const char *pattern)
{
	const char *prefix = str_basename(pattern), *folder = t->folder;
	size_t below = (size_t)(prefix - pattern), n_prefix = strlen(prefix) - 1, n;
	struct arena *a = s->w->arena;
	char **names;

	if (below)
		folder = arena_fmt(a, "%s/%.*s", t->folder, (int)below - 1, pattern);
	if (host_list(s->w->h, folder, a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strncmp(names[i], prefix, n_prefix) == 0)
			capture_link(s->w, t->folder, arena_fmt(a, "%.*s%s", (int)below, pattern, names[i]));
}

static void put_links(struct stakes *s, const struct thing *t)
{
	for (const char *const *link = t->class->links; *link; link++) {
		if (strchr(*link, '*'))
			put_matching(s, t, *link);
		else
			capture_link(s->w, t->folder, *link);
	}
}

/*
 * "LVM-...", "CRYPT-LUKS2-...", "part1-mpath-...": the words that tell what made it. From the first that is longer on,
 * it is the number of a disk or of what is on it.
 */
#define UUID_WORD_MAX 8

static void put_uuid(struct stakes *s, const struct thing *t)
{
	ssize_t n = capture_get(s->w, t->folder, "dm/uuid", NULL);
	size_t at = 0;

	if (n < 0)
		return;
	for (;;) {
		size_t word = strcspn(s->w->buf + at, "-");

		if (word > UUID_WORD_MAX)
			break;
		at += word;
		if (s->w->buf[at] != '-')
			break;
		at++;
	}
	capture_line(s->w, 'A', "dm/uuid", s->w->buf, at);
}

static void put_thing(struct stakes *s, const struct thing *t)
{
	if (!capture_folder(s->w, t->path))
		return;
	capture_files(s->w, t->folder, t->class->files);
	if (t->class->files == block_files)
		put_uuid(s, t);
	put_links(s, t);
	/* These count by being there. */
	for (const char *const *inside = t->class->files == net_files ? net_folders : no_files; *inside; inside++)
		if (host_has(s->w->h, arena_fmt(s->w->arena, "%s/%s", t->folder, *inside)))
			capture_folder(s->w, arena_fmt(s->w->arena, "%s/%s", t->path, *inside));
}

/* The class's own folder: the links to all things of it, which may be wanted by several prefixes. */
static void put_class(struct stakes *s, size_t first, size_t end)
{
	const char *folder = s->things[first].class->folder;

	if (!capture_folder(s->w, arena_fmt(s->w->arena, "/%s", folder)))
		return;
	for (size_t i = first; i < end; i++)
		capture_link(s->w, arena_fmt(s->w->arena, "sys/%s", folder), s->things[i].name);
	for (size_t i = first; i < end; i++)
		put_thing(s, &s->things[i]);
}

/*
 * Where the firmware has what such a thing is on: that tells below which PCI function it is. What hangs on one in
 * sysfs too needs no word of the firmware.
 */
static void put_firmware(struct stakes *s, const struct thing *t)
{
	static const char *const files[] = { "firmware_node/path", NULL };
	struct arena *a = s->w->arena;
	char *path = arena_dup(a, t->path), *slash;
	struct bdf bdf;

	for (char *at = arena_dup(a, t->path), *part; (part = strsep(&at, "/")) != NULL;)
		if (bdf_parse(part, &bdf))
			return;
	while ((slash = strrchr(path, '/')) > path) {
		const char *folder;

		*slash = '\0';
		folder = arena_fmt(a, "sys%s", path);
		if (capture_get(s->w, folder, files[0], NULL) >= 0 && capture_remember(s->w, &s->firmware, path) &&
		    capture_folder(s->w, path))
			capture_files(s->w, folder, files);
	}
}

/* --- file systems that are mounted, wherever ---------------------------------------------------------------------- */

/* A folder for each block device that has one: fs/ext4/sysfs.c, fs/xfs/xfs_sysfs.c, fs/f2fs/sysfs.c. */
static void put_mounted(struct stakes *s)
{
	static const char *const kinds[] = { "ext4", "xfs", "f2fs" };
	struct arena *a = s->w->arena;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (size_t k = 0; k < s->n; k++)
			if (s->things[k].class->files == block_files &&
			    host_has(s->w->h, arena_fmt(a, "sys/fs/%s/%s", kinds[i], s->things[k].name)))
				capture_folder(s->w, arena_fmt(a, "/fs/%s/%s", kinds[i], s->things[k].name));
}

/* The devices of each btrfs; a number stands for its UUID, which says whose it is. */
static void put_btrfs(struct stakes *s)
{
	struct arena *a = s->w->arena;
	char **uuids, **names;
	size_t n, n_names, number = 0;

	if (host_list(s->w->h, "sys/fs/btrfs", a, &uuids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *folder = arena_fmt(a, "sys/fs/btrfs/%s/devices", uuids[i]);

		if (host_list(s->w->h, folder, a, &names, &n_names) < 0 ||
		    !capture_folder(s->w, arena_fmt(a, "/fs/btrfs/%04zu/devices", ++number)))
			continue;
		for (size_t k = 0; k < n_names; k++)
			capture_link(s->w, folder, names[k]);
	}
}

/* --- labels and holders ------------------------------------------------------------------------------------------ */

static void put_value(struct stakes *s, const char *folder, const char *name)
{
	ssize_t n = capture_get(s->w, folder, name, NULL);

	if (n < 0)
		return;
	if (!s->any_value)
		fputc('\n', s->w->out);
	s->any_value = true;
	capture_line(s->w, 'V', s->w->name, s->w->buf, (size_t)n);
}

/* Whether a pool that this host has imported may be on it. */
static bool is_of_pool(struct stakes *s, const char *name)
{
	static const char kind[] = "zfs_member ";
	struct writer *w = s->w;

	return capture_get(w, "label", name, NULL) >= 0 && str_starts(w->buf, kind) && !strchr(w->buf, '/') &&
	       host_has(w->h, arena_fmt(w->arena, "proc/spl/kstat/zfs/%s", w->buf + strlen(kind)));
}

static void put_label(struct stakes *s, const struct thing *t)
{
	if (t->class->files != block_files)
		return;
	for (size_t i = 0; i < sizeof(unlabelled) / sizeof(*unlabelled); i++)
		if (str_starts(t->name, unlabelled[i]) && isdigit((unsigned char)t->name[strlen(unlabelled[i])]))
			return;
	/* What is on a logical volume shows where it is used; most are guests' disks. */
	if (capture_get(s->w, t->folder, "dm/uuid", NULL) >= 0 && str_starts(s->w->buf, "LVM-") &&
	    !is_of_pool(s, t->name))
		return;
	put_value(s, "label", t->name);
}

/* To ask for each node would be to look at all processes for each: what is open in a folder is asked once. */
static void look_in(struct stakes *s, const char *folder)
{
	struct arena *a = s->w->arena;
	char **names;
	size_t n;

	if (!capture_remember(s->w, &s->looked, folder) ||
	    host_list(s->w->h, arena_fmt(a, "holder/%s", folder), a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		capture_remember(s->w, &s->held, arena_fmt(a, "%s/%s", folder, names[i]));
}

static void put_holder(struct stakes *s, const char *nodes, const char *name)
{
	char *node = arena_fmt(s->w->arena, "%s/%s", nodes, name);

	/* "cciss!c0d0" is /dev/cciss/c0d0: drivers/base/core.c, device_get_devnode(). */
	for (char *c = node; *c; c++)
		if (*c == '!')
			*c = '/';
	look_in(s, arena_fmt(s->w->arena, "%.*s", (int)(strrchr(node, '/') - node), node));
	for (size_t i = 0; i < s->held.n; i++)
		if (strcmp(s->held.list[i], node) == 0)
			put_value(s, "holder", node);
}

static void put_values(struct stakes *s)
{
	struct writer *w = s->w;
	char **groups;
	size_t n;

	for (size_t i = 0; i < s->n; i++)
		put_label(s, &s->things[i]);
	for (size_t i = 0; i < s->n; i++)
		if (s->things[i].class->nodes)
			put_holder(s, s->things[i].class->nodes, s->things[i].name);
	/* These have no class in sysfs. */
	look_in(s, "dev");
	for (size_t i = 0; i < s->held.n; i++)
		if (str_starts(s->held.list[i], "dev/nvidia"))
			put_value(s, "holder", s->held.list[i]);
	if (host_list(w->h, "sys/kernel/iommu_groups", w->arena, &groups, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		put_holder(s, "dev/vfio", groups[i]);
}

void capture_stakes(struct writer *w)
{
	struct stakes s = { .w = w };
	size_t first = 0;

	read_consoles(&s);
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		add_things(&s, &classes[i]);
	for (size_t i = 0; i < s.n; i++) {
		bool is_last = i + 1 == s.n;

		if (is_last || strcmp(s.things[i].class->folder, s.things[i + 1].class->folder) != 0) {
			put_class(&s, first, i + 1);
			first = i + 1;
		}
	}
	for (size_t i = 0; i < s.n; i++)
		put_firmware(&s, &s.things[i]);
	put_mounted(&s);
	put_btrfs(&s);
	put_values(&s);
}
