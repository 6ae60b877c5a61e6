/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/pvecluster.h"
#include "core/pveconf.h"
#include "core/pvemap.h"
#include "core/pveprops.h"

#define DESCRIPTION_MAX 4096	/* PVE/Mapping/PCI.pm, maxLength */

struct reader {
	enum pvemap_kind kind;
	struct arena *a;
	char *at;
	unsigned number;
	struct pve_mappings m;
	struct pve_mapping *section;	/* that is being read, or NULL */
	bool has_mdev, skip;
};

static void pass_over(struct reader *r, const char *text, const char *why)
{
	struct pve_mappings *m = &r->m;

	m->bad = arena_grow(r->a, m->bad, m->n_bad, sizeof(*m->bad));
	m->bad[m->n_bad++] = (struct pve_map_bad){ r->number, r->section ? r->section->name : NULL, text, why };
}

/* --- the property string of a map --------------------------------------------------------------------------------- */

static bool is_short(const char *s)
{
	return strlen(s) <= DESCRIPTION_MAX;
}

enum { NODE, ID, PATH, DESCRIPTION, PCI_ONLY, SUBSYSTEM = PCI_ONLY, GROUP, KEYS };

static const struct prop pci_format[KEYS] = {
	[NODE] = { .key = "node", .fits = props_is_node, .what = "the name of a node", .required = true },
	[ID] = { .key = "id", .fits = props_is_id, .what = "vendor:device in hex", .required = true },
	[PATH] = { .key = "path", .fits = props_is_pci_list_with_domain, .required = true,
		   .what = "addresses with domain such as 0000:02:00.0, hex digits in small letters, with ';' between" },
	[DESCRIPTION] = { .key = "description", .fits = is_short, .what = "text of at most 4096 bytes" },
	[SUBSYSTEM] = { .key = "subsystem-id", .fits = props_is_id, .what = "vendor:device in hex" },
	[GROUP] = { .key = "iommugroup", .kind = PROP_INTEGER },
};

static const struct prop usb_format[PCI_ONLY] = {
	[NODE] = { .key = "node", .fits = props_is_node, .what = "the name of a node", .required = true },
	[ID] = { .key = "id", .fits = props_is_id, .what = "vendor:device in hex", .required = true },
	[PATH] = { .key = "path", .fits = props_is_usb_port, .what = "bus-port such as 1-4.2" },
	[DESCRIPTION] = { .key = "description", .fits = is_short, .what = "text of at most 4096 bytes" },
};

static const char *take_map(struct reader *r, const char *text)
{
	struct pve_mapping *s = r->section;
	const char *v[KEYS] = { 0 };
	const char *why = r->kind == PVEMAP_PCI ? props_parse(text, pci_format, KEYS, v, r->a)
						: props_parse(text, usb_format, PCI_ONLY, v, r->a);

	if (why)
		return why;
	s->maps = arena_grow(r->a, s->maps, s->n, sizeof(*s->maps));
	s->maps[s->n++] = (struct pve_map){ .line = r->number, .text = text, .node = v[NODE], .id = v[ID], .path = v[PATH],
					    .subsystem = v[SUBSYSTEM], .group = v[GROUP] };
	return NULL;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static const char *take_mdev(struct reader *r, const char *value)
{
	if (r->kind != PVEMAP_PCI)
		return "there is no such property";
	if (r->has_mdev)
		return "it is given twice";
	if (*value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return "it is neither 0 nor 1";
	r->has_mdev = true;
	r->section->mdev = strcmp(value, "0") != 0;
	return NULL;
}

/* NULL, or why the property does not count. */
static const char *take_property(struct reader *r, char *line)
{
	char *key = line + strspn(line, " \t\r\v\f"), *value = key + strcspn(key, " \t\r\v\f");

	if (key == line || !*key)
		return "it is no property, which begins with a tab, and only an empty line ends a section";
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t\r\v\f");
	if (strcmp(key, "map") == 0)
		return take_map(r, value);
	if (strcmp(key, "mdev") == 0)
		return take_mdev(r, value);
	/* Others, those of a later Proxmox too, say nothing that matters here. */
	return NULL;
}

static void end_section(struct reader *r)
{
	struct pve_mapping *s = r->section;
	size_t i;

	for (i = 0; i < r->m.n && s; i++)
		if (strcmp(r->m.list[i].name, s->name) == 0)
			break;
	r->section = NULL;
	r->skip = false;
	if (!s)
		return;
	/* A section without any map counts as none, and hides one of that name before it. */
	if (s->n == 0 && i < r->m.n)
		r->m.list[i] = r->m.list[--r->m.n];
	if (s->n == 0)
		return;
	if (i == r->m.n) {
		r->m.list = arena_grow(r->a, r->m.list, r->m.n, sizeof(*r->m.list));
		r->m.n++;
	}
	r->m.list[i] = *s;
}

static void begin_section(struct reader *r, const char *name)
{
	if (!isspace((unsigned char)*name) && !strpbrk(name, " \t\r\v\f") && props_is_mapping(name)) {
		r->section = arena_alloc(r->a, sizeof(*r->section));
		*r->section = (struct pve_mapping){ .name = name, .line = r->number };
		r->has_mdev = false;
		return;
	}
	pass_over(r, name, "it is not the name of a mapping");
	/* What is no header at all is one line; a name that cannot be one takes its section along. */
	r->skip = !isspace((unsigned char)*name) && !strpbrk(name, " \t\r\v\f");
}

static void take_line(struct reader *r, char *line)
{
	bool ends = *line == '\0';
	size_t n = strlen(line);
	const char *text, *why;

	while (n && isspace((unsigned char)line[n - 1]))
		line[--n] = '\0';
	if (line[strspn(line, " \t\r\v\f")] == '#')
		return;
	if (ends)
		end_section(r);
	else if (!r->section && !r->skip && *line)
		begin_section(r, line);
	else if (r->section && *line) {
		text = arena_dup(r->a, line);
		why = take_property(r, line);
		if (why)
			pass_over(r, text, why);
	}
}

void pvemap_parse(const char *text, enum pvemap_kind kind, struct arena *a, struct pve_mappings *m)
{
	struct reader r = { .kind = kind, .a = a, .at = arena_dup(a, text) };
	char *line;

	while ((line = strsep(&r.at, "\n")) != NULL) {
		r.number++;
		take_line(&r, line);
	}
	end_section(&r);
	*m = r.m;
}

int pvemap_read(struct host *h, enum pvemap_kind kind, struct arena *a, struct pve_mappings *m, struct error *err)
{
	const char *name = kind == PVEMAP_PCI ? PVEMAP_PCI_FILE : PVEMAP_USB_FILE;
	char *text = arena_alloc(a, PVECONF_BYTES_MAX + 1);
	ssize_t n = host_read_bytes(h, name, text, PVECONF_BYTES_MAX + 1);

	*m = (struct pve_mappings){ 0 };
	if ((n == -ENOENT || n == -ENOTCONN) && pvecluster_is_down(h, err))
		return err->code;
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return error_errno(err, (int)n, "cannot read '/%s'", name);
	pvemap_parse(text, kind, a, m);
	return 0;
}

struct pvemap_here pvemap_read_here(struct host *h, struct arena *a)
{
	struct pvemap_here here = { .node = pvecluster_node(h, a) };
	struct error ignored;

	if (here.node && pvemap_read(h, PVEMAP_PCI, a, &here.pci, &ignored) < 0)
		here.node = NULL;
	return here;
}

const struct pve_mapping *pvemap_find(const struct pve_mappings *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->list[i].name, name) == 0)
			return &m->list[i];
	return NULL;
}

/* --- is it right? ------------------------------------------------------------------------------------------------- */

const char *pvemap_path(const struct pve_map *map, size_t n, struct arena *a)
{
	const char *s = map->path;
	char *path;

	for (; s && n; n--) {
		s = strchr(s, ';');
		s = s ? s + 1 : NULL;
	}
	if (!s)
		return NULL;
	path = arena_dupn(a, s, strcspn(s, ";"));
	return strchr(path, '.') ? path : arena_fmt(a, "%s.0", path);
}

static const char *id_of(const struct function *fn, struct arena *a)
{
	return arena_fmt(a, "%04x:%04x", fn->vendor, fn->device);
}

static const char *subsystem_of(const struct function *fn, struct arena *a)
{
	return arena_fmt(a, "%04x:%04x", fn->subvendor, fn->subdevice);
}

/* NULL: it is in none. */
static const char *group_of(const struct function *fn, struct arena *a)
{
	return fn->group < 0 ? NULL : arena_fmt(a, "%d", fn->group);
}

static const char *differs(const char *key, const char *says, const char *is, const struct function *fn,
			   struct arena *a)
{
	if (!says && is)
		return arena_fmt(a, "it lacks %s=%s for %s", key, is, fn->address);
	return is ? arena_fmt(a, "it says %s=%s for %s, which has %s", key, says, fn->address, is)
		  : arena_fmt(a, "it says %s=%s for %s, which has none", key, says, fn->address);
}

static bool provides_mdev(struct host *h, const struct function *fn, struct arena *a)
{
	return host_has(h, arena_fmt(a, "sys/bus/pci/devices/%s/mdev_supported_types", fn->address)) ||
	       host_has(h, arena_fmt(a, "sys/bus/pci/devices/%s/nvidia", fn->address));
}

/* In the order in which Proxmox asks. */
static enum pve_map_fault fault_of(struct host *h, const struct pve_mapping *mapping, const struct pve_map *map,
				   const struct function *fn, bool first, struct arena *a, const char **why)
{
	const char *id = id_of(fn, a), *group = group_of(fn, a), *subsystem = subsystem_of(fn, a);

	if (strcmp(map->id, id) != 0) {
		*why = differs("id", map->id, id, fn, a);
		return MAP_ID;
	}
	if (first && !str_same(map->group, group)) {
		*why = differs("iommugroup", map->group, group, fn, a);
		return MAP_GROUP;
	}
	if (mapping->mdev && !provides_mdev(h, fn, a)) {
		*why = arena_fmt(a, "it says mdev=1, and %s provides no mediated devices", fn->address);
		return MAP_MDEV;
	}
	if (!str_same(map->subsystem, subsystem)) {
		*why = differs("subsystem-id", map->subsystem, subsystem, fn, a);
		return MAP_SUBSYSTEM;
	}
	return MAP_RIGHT;
}

enum pve_map_fault pvemap_fault(struct host *h, const struct pve_mapping *mapping, const struct pve_map *map,
				const struct inventory *inv, struct arena *a, const char **why)
{
	const char *path;

	for (size_t i = 0; (path = pvemap_path(map, i, a)) != NULL; i++) {
		const struct function *fn = inventory_find(inv, path);
		enum pve_map_fault fault;

		if (!fn) {
			*why = arena_fmt(a, "there is no %s", path);
			return MAP_ABSENT;
		}
		fault = fault_of(h, mapping, map, fn, i == 0, a, why);
		if (fault != MAP_RIGHT)
			return fault;
	}
	return MAP_RIGHT;
}

const char *pvemap_right_line(const struct pve_map *map, const struct inventory *inv, struct arena *a)
{
	const char *first = pvemap_path(map, 0, a), *group;
	const struct function *fn = first ? inventory_find(inv, first) : NULL;

	if (!fn)
		return NULL;
	group = group_of(fn, a);
	return arena_fmt(a, "map id=%s%s%s,node=%s,path=%s,subsystem-id=%s", id_of(fn, a), group ? ",iommugroup=" : "",
			 group ? group : "", map->node, map->path, subsystem_of(fn, a));
}
