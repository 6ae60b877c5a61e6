/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What acts whenever a device is added, also when it is found anew: driverctl's files, and udev's rules. */
#include <fnmatch.h>
#include <string.h>

#include "base/str.h"
#include "core/history_parts.h"

#define KEYS_MAX 16

static bool is_found_anew(const struct past *p, const struct selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (selection_holds(&p->anew, s->list[i]))
			return true;
	return false;
}

static bool any_lent(const struct past *p, const struct selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (selection_holds(&p->lent, s->list[i]))
			return true;
	return false;
}

/* --- driverctl --------------------------------------------------------------------------------------------------- */

/*
 * A file for each device, with the driver's name, which udev has loaded on each "add" (driverctl, 05-driverctl.rules,
 * driverctl@.service, load-override): driver_override is set, and the device bound by it.
 */
static void tell_driverctl(const struct past *p, const struct trace_file *f, const struct trace_line *l,
			   const struct function *fn)
{
	struct place place = past_place(p, f, l->number, 1);
	struct selection one = { &fn, 1 };
	bool vfio = strcmp(l->text, "vfio-pci") == 0;
	const char *drop = arena_fmt(p->arena, "`driverctl unset-override %s` drops it, and handover binds the device "
				     "when a VM "
				     "starts", fn->address);

	if (is_found_anew(p, &one) || (!vfio && any_lent(p, &one)))
		finding_add(p->f, SEVERITY_WARNING, "history-driverctl", place, drop,
			    "driverctl gives %s to %s whenever it is added: also when it is found anew for a VM or "
			    "after it, at the "
			    "same time as handover", fn->address, l->text);
	else if (vfio)
		finding_add(p->f, SEVERITY_NOTE, "history-driverctl", place,
			    arena_fmt(p->arena, "keep it if that is meant; else %s", drop),
			    "driverctl gives %s to vfio-pci at boot: that is where it goes back to after a VM",
				    fn->address);
	else
		finding_add(p->f, SEVERITY_NOTE, "history-driverctl", place, "keep it: no VM is given the device",
			    "driverctl gives %s to %s at boot", fn->address, l->text);
}

static void take_driverctl(const struct past *p, const struct trace_file *f)
{
	static const char prefix[] = "pci-";
	const char *device = str_basename(f->name);
	const struct function *fn;

	if (!str_starts(device, prefix))
		return;
	device += strlen(prefix);
	fn = inventory_find(p->q->inventory, device);
	if (fn && past_asks(p, fn))
		tell_driverctl(p, f, &f->lines[0], fn);
	else if (!fn && !p->q->functions)
		finding_add(p->f, SEVERITY_NOTE, "history-driverctl", past_place(p, f, 1, 1),
			    arena_fmt(p->arena, "drop it with `rm /%s`", f->name),
			    "driverctl has an override for %.64s, and there is no such function on this host", device);
}

/* --- udev -------------------------------------------------------------------------------------------------------- */

/* A key of a rule: 'ATTR{vendor}=="0x10de"'. */
struct key {
	const char *name, *sign, *value;
};

static size_t parse_rule(struct arena *a, const char *text, struct key *keys)
{
	char *at = arena_dup(a, text);
	size_t n = 0;

	while (n < KEYS_MAX && *at) {
		char *name = at + strspn(at, " ,"), *quote = strchr(name, '"'), *end = quote ? strchr(quote + 1,
												      '"') : NULL;
		size_t length = strcspn(name, "=!+:");

		if (!end || length >= (size_t)(quote - name))
			break;
		at = end + 1;
		*end = '\0';
		keys[n].sign = arena_dupn(a, name + length, (size_t)(quote - name) - length);
		keys[n].value = quote + 1;
		name[length] = '\0';
		keys[n++].name = name;
	}
	return n;
}

static const char *read_value(const struct function *fn, const char *name, struct arena *a)
{
	if (strcmp(name, "KERNEL") == 0 || strcmp(name, "KERNELS") == 0)
		return fn->address;
	if (strcmp(name, "SUBSYSTEM") == 0)
		return "pci";
	if (strcmp(name, "DRIVER") == 0 || strcmp(name, "DRIVERS") == 0)
		return fn->driver ? fn->driver : "";
	if (strcmp(name, "ATTR{vendor}") == 0 || strcmp(name, "ATTRS{vendor}") == 0)
		return arena_fmt(a, "0x%04x", (unsigned)fn->vendor);
	if (strcmp(name, "ATTR{device}") == 0 || strcmp(name, "ATTRS{device}") == 0)
		return arena_fmt(a, "0x%04x", (unsigned)fn->device);
	if (strcmp(name, "ATTR{class}") == 0)
		return arena_fmt(a, "0x%06x", (unsigned)fn->class);
	return NULL;
}

/* "a|b" are alternatives: udev(7). */
static bool value_fits_any(struct arena *a, const char *patterns, const char *value)
{
	char *at = arena_dup(a, patterns), *pattern;

	while ((pattern = strsep(&at, "|")) != NULL)
		if (fnmatch(pattern, value, 0) == 0)
			return true;
	return false;
}

/* Of a network interface it is about the card below. */
static bool is_of_net(const struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, "SUBSYSTEM") == 0 && strcmp(keys[i].value, "net") == 0)
			return true;
	return false;
}

static bool rule_fits(const struct past *p, const struct key *keys, size_t n, const struct function *fn)
{
	bool net = is_of_net(keys, n), named = false;

	if (net && !fn->nic)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *value = read_value(fn, keys[i].name, p->arena);
		bool fits;

		if (!value || (net && str_starts(keys[i].name, "SUBSYSTEM")))
			continue;
		if (net && strcmp(keys[i].name, "KERNEL") == 0)
			value = arena_dupn(p->arena, fn->nic, strcspn(fn->nic, ","));
		if (strcmp(keys[i].sign, "==") != 0 && strcmp(keys[i].sign, "!=") != 0)
			continue;
		fits = value_fits_any(p->arena, keys[i].value, value);
		if (fits == (keys[i].sign[0] == '!'))
			return false;
		named = named || keys[i].sign[0] == '=';
	}
	return named;
}

/* What it writes to driver_override; NULL: nothing. */
static const char *driver_of(const struct key *keys, size_t n, const struct trace_line *l)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, "ATTR{driver_override}") == 0 && strcmp(keys[i].sign, "=") == 0)
			return keys[i].value;
	for (size_t i = 0; i < l->n; i++)
		if (l->deeds[i].kind == DEED_OVERRIDE || l->deeds[i].kind == DEED_DRIVERCTL ||
		    l->deeds[i].kind == DEED_BIND)
			return l->deeds[i].value ? l->deeds[i].value : "a driver";
	return NULL;
}

static bool makes_vfs(const struct key *keys, size_t n, const struct trace_line *l)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(keys[i].name, "sriov_numvfs") && strcmp(keys[i].sign, "=") == 0)
			return true;
	return l->n && l->deeds[0].kind == DEED_VFS;
}

static void tell_driver(const struct past *p, struct place place, const char *driver, const struct selection *s)
{
	bool vfio = strcmp(driver, "vfio-pci") == 0, harm = is_found_anew(p, s) || (!vfio && any_lent(p, s));

	if (harm)
		finding_add(p->f, SEVERITY_WARNING, "history-udev", place,
			    "drop the line; handover binds the device when a VM starts, and gives it back",
			    "udev has %s given to %.64s on each 'add': also on being found anew for a VM or after it, "
			    "at the same time as "
			    "handover", past_names(p, s), driver);
	else
		finding_add(p->f, SEVERITY_NOTE, "history-udev", place,
			    vfio ? "keep it if that is meant; else drop the line" : "keep it: no VM is given the "
				    "device",
			    "udev has %s given to %.64s at boot%s", past_names(p, s), driver,
			    vfio ? ": what a VM had goes back there" : "");
}

static void take_rule(const struct past *p, const struct trace_file *f, const struct trace_line *l)
{
	struct place place = past_place(p, f, l->number, 1);
	const struct inventory *inv = p->q->inventory;
	struct key keys[KEYS_MAX];
	size_t n = parse_rule(p->arena, l->text, keys);
	const char *driver = driver_of(keys, n, l);
	struct selection s = { 0 };

	for (size_t i = 0; i < inv->n; i++)
		if (past_asks(p, &inv->functions[i]) && rule_fits(p, keys, n, &inv->functions[i]))
			selection_add(&s, &inv->functions[i], p->arena);
	if (s.n == 0)
		return;
	if (driver)
		tell_driver(p, place, driver, &s);
	else if (makes_vfs(keys, n, l))
		finding_add(p->f, SEVERITY_NOTE, "history-udev", place, "keep it: handover lends virtual functions, "
			    "and makes none",
			    "udev has the virtual functions of %s made on each 'add'", past_names(p, &s));
}

void past_overrides(struct past *p)
{
	for (size_t i = 0; i < p->traces.n; i++) {
		const struct trace_file *f = p->traces.list[i];

		if (f->kind == TRACE_DRIVERCTL)
			take_driverctl(p, f);
		for (size_t k = 0; f->kind == TRACE_UDEV && k < f->n; k++)
			take_rule(p, f, &f->lines[k]);
	}
}
