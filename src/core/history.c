/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fnmatch.h>
#include <string.h>

#include "base/str.h"
#include "core/history_parts.h"

#define GUESTS "etc/pve/qemu-server"
#define NAMES_SHOWN 6

bool past_asks(const struct past *p, const struct function *fn)
{
	return !p->q->functions || selection_holds(&p->given, fn);
}

struct selection past_asked(const struct past *p, const struct selection *all)
{
	struct selection asked = { 0 };

	for (size_t i = 0; i < all->n; i++)
		if (past_asks(p, all->list[i]))
			selection_add(&asked, all->list[i], p->arena);
	return asked;
}

bool past_is_used(const struct function *fn)
{
	return fn->driver && strcmp(fn->driver, "vfio-pci") != 0 && strcmp(fn->driver, "pci-stub") != 0;
}

const char *past_names(const struct past *p, const struct selection *s)
{
	const char *text = "";

	for (size_t i = 0; i < s->n && i < NAMES_SHOWN; i++) {
		const struct function *fn = s->list[i];

		text = arena_fmt(p->arena, "%s%s%s", text, *text ? ", " : "", fn->address);
		if (past_is_used(fn))
			text = arena_fmt(p->arena, "%s (%s)", text, fn->driver);
	}
	return s->n > NAMES_SHOWN ? arena_fmt(p->arena, "%s and %zu more", text, s->n - NAMES_SHOWN) : text;
}

static char *with_underscores(struct arena *a, const char *text)
{
	char *copy = arena_dup(a, text);

	for (char *c = copy; *c; c++)
		*c = *c == '-' ? '_' : *c;
	return copy;
}

bool past_same_module(const struct past *p, const char *pattern, const char *module)
{
	/* A '-' in a class of characters is none of a name. */
	const char *wanted = strchr(pattern, '[') ? pattern : with_underscores(p->arena, pattern);

	return fnmatch(wanted, with_underscores(p->arena, module), 0) == 0;
}

bool past_could_drive(const struct past *p, const char *pattern, const struct function *fn)
{
	char *at = arena_dup(p->arena, fn->modules ? fn->modules : ""), *module;

	while ((module = strsep(&at, " ")) != NULL)
		if (*module && past_same_module(p, pattern, module))
			return true;
	return false;
}

bool past_drives(const struct past *p, const char *module, const struct function *fn)
{
	char name[HOST_NAME_BYTES];

	return past_is_used(fn) &&
	       host_read(p->q->host, arena_fmt(p->arena, "sys/bus/pci/drivers/%s/module", fn->driver), name,
			 sizeof(name)) > 0 &&
	       past_same_module(p, module, name);
}

struct place past_place(const struct past *p, const struct trace_file *f, unsigned line, unsigned column)
{
	return (struct place){ .file = arena_fmt(p->arena, "/%s", f->name), .line = line, .column = column };
}

const char *past_apply(const struct trace_file *f)
{
	switch (f->kind) {
	case TRACE_MODPROBE:
		return "`update-initramfs -u -k all` and a boot make it count";
	case TRACE_CMDLINE:
		return strcmp(str_basename(f->name), "cmdline") == 0 ? "`proxmox-boot-tool refresh` and a boot make "
			"it count" :
			"`update-grub` and a boot make it count";
	case TRACE_UDEV:
		return "`udevadm control --reload` makes it count";
	case TRACE_UNIT:
		return "`systemctl daemon-reload` makes it count";
	case TRACE_MODULES:
	case TRACE_DRIVERCTL:
	case TRACE_CRON:
	case TRACE_SCRIPT:
		break;
	}
	return NULL;
}

struct selection history_functions(const struct pve_guest *guest, const struct inventory *inv, struct arena *a)
{
	struct selection s = { 0 };

	for (int n = 0; n < HOSTPCI_MAX; n++)
		for (size_t i = 0; guest->hostpci[n].present && i < guest->hostpci[n].n; i++)
			for (size_t k = 0; k < inv->n; k++)
				if (function_is_at(&inv->functions[k], guest->hostpci[n].addresses[i]))
					selection_add(&s, &inv->functions[k], a);
	return s;
}

static void add_guest(struct past *p, unsigned vmid)
{
	struct selection s;
	struct pve_guest guest;
	struct error err;

	if (pveconf_read(p->q->host, vmid, p->arena, &guest, &err) < 0)
		return;
	s = history_functions(&guest, p->q->inventory, p->arena);
	for (size_t i = 0; i < s.n; i++)
		selection_add(&p->lent, s.list[i], p->arena);
}

static void read_guests(struct past *p)
{
	char **names;
	unsigned vmid;
	size_t n;

	for (size_t i = 0; i < p->given.n; i++)
		selection_add(&p->lent, p->given.list[i], p->arena);
	if (host_list(p->q->host, GUESTS, p->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if ((vmid = pveconf_name(names[i], p->arena)) != 0)
			add_guest(p, vmid);
}

/* The same functions of the inventory that is worked with: a plan has a copy of it. */
static struct selection of_inventory(const struct past *p, const struct selection *s)
{
	struct selection found = { 0 };

	for (size_t i = 0; s && i < s->n; i++) {
		const struct function *fn = inventory_find(p->q->inventory, s->list[i]->address);

		if (fn)
			selection_add(&found, fn, p->arena);
	}
	return found;
}

void history_find(const struct history *q, struct findings *f)
{
	struct past p = { .q = q, .f = f, .arena = f->arena };

	p.given = of_inventory(&p, q->functions);
	p.anew = of_inventory(&p, q->found_anew);
	traces_read(q->host, p.arena, &p.traces);
	read_guests(&p);
	past_modules(&p);
	past_overrides(&p);
	past_scripts(&p);
}
