/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/nic.h"
#include "core/turn.h"

#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

#define PROBE_PATIENCE_MS 1000	/* for a driver that meets a function found anew by itself */
#define NAME_PATIENCE_MS 3000	/* for udev, to give an interface its name */
#define NIC_PATIENCE_MS 10000	/* for an interface to appear once its driver is bound */

/* What a rule works with. */
struct turn {
	const struct step *s;
	const struct value *now, *goal;
	struct poke *p;
	struct error *err;
};

/* What a rule says: it has a write; it has none, and the next rule is asked; or there is none at all. */
enum answer { WRITES, PASSES, FAILS };

static bool fits(const struct turn *t, size_t i)
{
	return value_fits(&t->now[i], &t->goal[i]);
}

static enum answer poke(struct turn *t, size_t look, struct value becomes, const char *at, const char *put)
{
	snprintf(t->p->at, sizeof(t->p->at), "%s", at);
	snprintf(t->p->put, sizeof(t->p->put), "%s", put);
	t->p->look = look;
	t->p->becomes = becomes;
	*t->p->aside = '\0';
	t->p->patience_ms = 0;
	t->p->deadline_ms = WRITE_MS;
	return WRITES;
}

/* Before it is written, what is wanted may come about by itself: this look may read so. */
static void patiently(struct turn *t, unsigned ms, size_t look, struct value is)
{
	t->p->patience_ms = ms;
	t->p->by_itself = look;
	t->p->by_itself_is = is;
}

/* Nothing can be written: it is only waited for. */
static enum answer only_wait(struct turn *t, unsigned ms, size_t look, struct value is)
{
	poke(t, look, is, "", "");
	patiently(t, ms, look, is);
	return WRITES;
}

#define WHAT(t, ...) snprintf((t)->p->what, sizeof((t)->p->what), __VA_ARGS__)

/* Index of the look of that name at this function, or -1. */
static int find(const struct turn *t, const char *prefix, const char *address, const char *suffix)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), "%s%s%s", prefix, address, suffix);
	for (size_t i = 0; i < t->s->n_looks; i++)
		if (strcmp(t->s->look[i], name) == 0)
			return (int)i;
	return -1;
}

static int find_driver(const struct turn *t, const char *address)
{
	return find(t, DEVICES "/", address, "/driver");
}

static const char *address_of(const struct turn *t, size_t i, char address[BDF_TEXT_MAX])
{
	return look_function(t->s->look[i], address) ? address : "";
}

/* "its", or "0000:00:1f.4's" if the step is about several functions. */
struct owner {
	char text[BDF_TEXT_MAX + 2];
};

static struct owner owner_of(const struct turn *t, size_t i)
{
	char address[BDF_TEXT_MAX];
	struct owner o = { "its" };

	if (look_function(t->s->look[i], address) && strcmp(address, t->s->device) != 0)
		snprintf(o.text, sizeof(o.text), "%s's", address);
	return o;
}

/* --- modules --------------------------------------------------------------------------------------------------- */

static enum answer load_modules(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		if (!str_starts(t->s->look[i], "module/") || fits(t, i) || !t->goal[i].text)
			continue;
		WHAT(t, "loading the module '%.60s'", str_basename(t->s->look[i]));
		poke(t, i, value_of("live"), t->s->look[i], "load");
		t->p->deadline_ms = BIND_MS;
		return WRITES;
	}
	return PASSES;
}

static enum answer unload_modules(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		if (!str_starts(t->s->look[i], "module/") || fits(t, i) || !t->now[i].text)
			continue;
		WHAT(t, "unloading the module '%.60s'", str_basename(t->s->look[i]));
		return poke(t, i, value_of(NULL), t->s->look[i], "unload");
	}
	return PASSES;
}

/* --- leaving and coming back ------------------------------------------------------------------------------------- */

static enum answer unbind(struct turn *t, size_t i, const char *address)
{
	char at[HOST_NAME_BYTES];

	/* Through the device's own link: whoever holds it by then lets go. */
	snprintf(at, sizeof(at), "%s/unbind", t->s->look[i]);
	WHAT(t, "unbinding %s from '%.60s'", strcmp(address, t->s->device) == 0 ? "it" : address,
	     t->now[i].text ? t->now[i].text : "its driver");
	return poke(t, i, value_of(NULL), at, address);
}

/*
 * It is there, and it must not be, or not this one. A driver that does not let go holds only the device's lock when it is
 * unbound, but the whole host's when it is removed with it (drivers/pci/remove.c, pci_stop_and_remove_bus_device_locked).
 */
static enum answer leave(struct turn *t)
{
	for (size_t i = t->s->n_looks; i-- > 0;) {
		char address[BDF_TEXT_MAX], at[HOST_NAME_BYTES];
		int driver;

		if (!str_starts(t->s->look[i], "life/") || fits(t, i) || t->goal[i].kind == VALUE_PRESENT ||
		    (!t->now[i].text && t->now[i].kind == VALUE_TEXT))
			continue;
		driver = find_driver(t, address_of(t, i, address));
		if (driver >= 0 && (t->now[driver].text || t->now[driver].kind == VALUE_ANY))
			return unbind(t, (size_t)driver, address);
		snprintf(at, sizeof(at), DEVICES "/%s/remove", address);
		WHAT(t, "removing %s", strcmp(address, t->s->device) == 0 ? "it" : address);
		return poke(t, i, value_of(NULL), at, "1");
	}
	return PASSES;
}

/* One rescan of the narrowest bus brings all that are missing there; "Rescan scope" in drivers/pci/pci-sysfs.c. */
static enum answer come_back(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		char address[BDF_TEXT_MAX], at[HOST_NAME_BYTES];

		if (!str_starts(t->s->look[i], "life/") || fits(t, i))
			continue;
		address_of(t, i, address);
		/* "0000:00:1f.3" is on the bus "0000:00" */
		snprintf(at, sizeof(at), "sys/class/pci_bus/%.*s/rescan", (int)(strrchr(address, ':') - address),
			 address);
		WHAT(t, "looking for %s and what else is missing on its bus", address);
		poke(t, i, t->goal[i].kind == VALUE_NEW ? t->goal[i] : value_present(), at, "1");
		t->p->deadline_ms = BIND_MS;
		return WRITES;
	}
	return PASSES;
}

/* Another device in the place of the one that was meant is nothing to go on with. */
static enum answer know(struct turn *t)
{
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < t->s->n_looks; i++) {
		if (!str_starts(t->s->look[i], "id/") || fits(t, i) || !t->now[i].text)
			continue;
		t->p->look = i;
		error_set(t->err, -ENODEV, "%s is now %s and was %s: another device has come in its place",
			  address_of(t, i, address), t->now[i].text, t->goal[i].text ? t->goal[i].text : "nothing");
		return FAILS;
	}
	return PASSES;
}

/* Found a moment ago: what tells who it is may take another. */
static enum answer meet(struct turn *t)
{
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < t->s->n_looks; i++) {
		if (!str_starts(t->s->look[i], "id/") || fits(t, i) || find(t, "life/", address_of(t, i, address), "") < 0)
			continue;
		WHAT(t, "%s does not tell who it is", address);
		return only_wait(t, PROBE_PATIENCE_MS, i, t->goal[i]);
	}
	return PASSES;
}

/* --- drivers ---------------------------------------------------------------------------------------------------- */

/* sysfs shows an empty driver_override as "(null)", and a lone newline empties it. */
static enum answer override(struct turn *t, size_t i, const char *text)
{
	bool clear = strcmp(text, "(null)") == 0;
	struct owner its = owner_of(t, i);

	if (clear)
		WHAT(t, "clearing %s driver_override", its.text);
	else
		WHAT(t, "setting %s driver_override to '%.60s'", its.text, text);
	return poke(t, i, value_of(text), t->s->look[i], clear ? "" : text);
}

static enum answer bind(struct turn *t, size_t i, const char *address, const char *driver)
{
	char at[HOST_NAME_BYTES];

	/* By name and not by drivers_probe, because only this reports the probe's error (drivers/base/bus.c). */
	snprintf(at, sizeof(at), DRIVERS "/%.100s/bind", driver);
	WHAT(t, "binding %s to '%.60s'", strcmp(address, t->s->device) == 0 ? "it" : address, driver);
	poke(t, i, value_of(driver), at, address);
	t->p->deadline_ms = BIND_MS;
	return WRITES;
}

/* Somebody else's binding is not undone, unless the function was found anew, where the kernel chose. */
static bool is_ours(const struct turn *t, size_t i, const char *address)
{
	const char *driver = t->now[i].text;

	return find(t, "life/", address, "") >= 0 || str_same(driver, t->s->from.v[i].text) ||
	       str_same(driver, t->s->to.v[i].text) || str_same(driver, t->s->home.v[i].text);
}

/*
 * The driver_override protocol: the override names the new driver before the old one lets go, so that in between no
 * other driver can take the function, whatever ids somebody wrote to some new_id; it goes back last of all.
 */
static enum answer change_driver(struct turn *t, size_t i, const char *address)
{
	int o = find(t, DEVICES "/", address, "/driver_override");
	const char *driver = t->now[i].text, *goal = t->goal[i].text;
	bool reserved = goal && o >= 0 && str_same(t->now[o].text, goal);

	if (driver && !is_ours(t, i, address)) {
		t->p->look = i;
		error_set(t->err, -EBUSY, "it is bound to '%s', which is not handover's doing; unbind it by hand, then "
					  "run `handover recover`", driver);
		return FAILS;
	}
	if (goal && o >= 0 && !reserved)
		override(t, (size_t)o, goal);
	else if (driver)
		unbind(t, i, address);
	else
		bind(t, i, address, goal);
	/* Just found: a driver that takes its time, or has yet to be loaded by udev, is not disturbed. */
	if (!driver && !reserved && find(t, "life/", address, "") >= 0)
		patiently(t, PROBE_PATIENCE_MS, i, t->goal[i]);
	return WRITES;
}

static enum answer drivers(struct turn *t)
{
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < t->s->n_looks; i++) {
		const char *look = t->s->look[i];

		if (!fits(t, i) && str_starts(look, DEVICES "/") && strcmp(str_basename(look), "driver") == 0)
			return change_driver(t, i, address_of(t, i, address));
	}
	return PASSES;
}

/* What is left of a function: its override, its power. Each is a file that takes what it shall read. */
static enum answer attributes(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		const char *look = t->s->look[i];

		if (fits(t, i) || !str_starts(look, DEVICES "/") || !t->goal[i].text)
			continue;
		if (strcmp(str_basename(look), "driver_override") == 0)
			return override(t, i, t->goal[i].text);
		WHAT(t, "setting %s %.60s to '%.20s'", owner_of(t, i).text,
		     strstr(look, "power/") ? strstr(look, "power/") : str_basename(look), t->goal[i].text);
		return poke(t, i, t->goal[i], look, t->goal[i].text);
	}
	return PASSES;
}

/* --- the network interface's place -------------------------------------------------------------------------------- */

static enum answer nic_name(struct turn *t, size_t i, const char *address)
{
	int up = find(t, "nic/", address, "/up");

	if (!t->now[i].text && t->now[i].kind == VALUE_TEXT) {
		WHAT(t, "the network interface '%.20s' of %s has not come back", t->goal[i].text, address);
		return only_wait(t, NIC_PATIENCE_MS, i, value_present());
	}
	/* One that is up cannot be renamed by a kernel before 6.2 (net/core/dev.c, dev_change_name). */
	if (up >= 0 && str_same(t->now[up].text, "up")) {
		WHAT(t, "taking %s's interface down, to rename it", address);
		return poke(t, (size_t)up, value_of("down"), t->s->look[up], "down");
	}
	WHAT(t, "naming %s's interface '%.20s'", address, t->goal[i].text);
	poke(t, i, t->goal[i], t->s->look[i], t->goal[i].text);
	patiently(t, NAME_PATIENCE_MS, i, t->goal[i]);
	return WRITES;
}

/* udev gives an interface its other names together with the first; what it has not done by then is written. */
static void wait_for_udev(struct turn *t, size_t i, const char *address)
{
	int udev = find(t, "udev/", address, "");

	if (udev >= 0 && !str_same(t->now[udev].text, "done"))
		patiently(t, PROBE_PATIENCE_MS, i, t->goal[i]);
}

static enum answer nic_value(struct turn *t, size_t i, enum nic_what what)
{
	const char *text = t->goal[i].text ? t->goal[i].text : "";
	char address[BDF_TEXT_MAX];

	address_of(t, i, address);
	if (what == NIC_NAME)
		return nic_name(t, i, address);
	WHAT(t, "setting %s interface's %s to '%.60s'", owner_of(t, i).text, nic_what_name(what), text);
	poke(t, i, t->goal[i], t->s->look[i], text);
	/* Nobody can undo that: a bridge that was given an address no longer takes that of a port. */
	if (what == NIC_MASTER_MAC) {
		WHAT(t, "giving its bridge or bond the address '%.20s', which it keeps from then on", text);
		snprintf(t->p->aside, sizeof(t->p->aside), "its bridge or bond had another address by then, has %.20s again, and "
			 "keeps that from now on", text);
	}
	if (what == NIC_ALTNAMES)
		wait_for_udev(t, i, address);
	return WRITES;
}

/* In their order: an interface that is up cannot be renamed, and one without master has no VLANs. */
static enum answer nics(struct turn *t)
{
	for (enum nic_what what = 0; what < NIC_KEPT; what++)
		for (size_t i = 0; i < t->s->n_looks; i++) {
			const char *look = t->s->look[i];

			if (!fits(t, i) && look_is_of_nic(look, nic_what_name(what)))
				return nic_value(t, i, what);
		}
	return PASSES;
}

/* --- units, commands, USB --------------------------------------------------------------------------------------- */

static enum answer units(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		const char *look = t->s->look[i], *verb = "start";
		char at[HOST_NAME_BYTES];

		if (fits(t, i) || !str_starts(look, "unit/"))
			continue;
		if (t->goal[i].kind == VALUE_NEW)
			verb = "restart";
		else if (str_same(t->goal[i].text, ""))
			verb = "stop";
		snprintf(at, sizeof(at), "%.*s/state", (int)(str_basename(look) - look - 1), look);
		WHAT(t, "%sing %.80s", strcmp(verb, "stop") == 0 ? "stopp" : verb, t->s->device);
		poke(t, i, t->goal[i], at, verb);
		t->p->deadline_ms = BIND_MS;
		return WRITES;
	}
	return PASSES;
}

static enum answer commands(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		if (fits(t, i) || t->goal[i].kind == VALUE_HOPED || !str_starts(t->s->look[i], "command/"))
			continue;
		WHAT(t, "running it");
		poke(t, i, t->goal[i], t->s->look[i], "run");
		t->p->deadline_ms = t->s->patience_ms;
		return WRITES;
	}
	return PASSES;
}

static enum answer usb(struct turn *t)
{
	for (size_t i = 0; i < t->s->n_looks; i++) {
		const char *look = t->s->look[i];

		if (fits(t, i) || !str_starts(look, "sys/bus/usb/devices/") || !t->goal[i].text)
			continue;
		WHAT(t, "setting '%.60s' to '%.20s'", look + strlen("sys/"), t->goal[i].text);
		return poke(t, i, t->goal[i], look, t->goal[i].text);
	}
	return PASSES;
}

/* --- what nobody can write --------------------------------------------------------------------------------------- */

static enum answer wait_for_it(struct turn *t)
{
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < t->s->n_looks; i++) {
		const char *look = t->s->look[i], *text = t->goal[i].text;

		if (fits(t, i) || t->goal[i].kind == VALUE_HOPED)
			continue;
		if (str_starts(look, "group/"))
			WHAT(t, "%s shares its IOMMU group: '%.60s', should be '%.40s'", address_of(t, i, address),
			     t->now[i].text ? t->now[i].text : "none", text ? text : "none");
		else if (str_starts(look, "id/") && !t->now[i].text)
			WHAT(t, "%s is not there", address_of(t, i, address));
		else if (strcmp(str_basename(look), "driver") == 0)
			WHAT(t, "its driver is %.60s, should be %.60s", t->now[i].text ? t->now[i].text : "none",
			     text ? text : "none");
		else
			WHAT(t, "'%.60s' is '%.30s', should be '%.20s'", look, t->now[i].text ? t->now[i].text : "none",
			     text ? text : "none");
		return only_wait(t, t->s->patience_ms, i, t->goal[i]);
	}
	return PASSES;
}

typedef enum answer (*rule)(struct turn *t);

static bool ask(struct turn *t, const rule *rules)
{
	for (; *rules; rules++) {
		enum answer a = (*rules)(t);

		if (a != PASSES)
			return a == WRITES;
	}
	error_set(t->err, -EINVAL, "nothing is left to write");
	return false;
}

bool turn_wait(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *p,
	       struct error *err)
{
	static const rule rules[] = { know, wait_for_it, NULL };

	return ask(&(struct turn){ s, now->v, goal->v, p, err }, rules);
}

bool turn_next(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *p,
	       struct error *err)
{
	static const rule rules[] = {
		load_modules, leave, come_back, know, meet, drivers, attributes, nics, units, commands, usb,
		unload_modules, wait_for_it, NULL,
	};

	return ask(&(struct turn){ s, now->v, goal->v, p, err }, rules);
}
