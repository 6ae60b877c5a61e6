/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/sim_match.h"

#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

/* A function whose driver has it in its table. */
struct native {
	struct native *next;
	const char *bdf, *driver;
};

/* An id a driver was told of at run time: new_id, or the parameter ids= of vfio-pci. */
struct dynamic_id {
	struct dynamic_id *next;
	const char *driver;
	unsigned vendor, device;
	bool is_parameter;	/* drivers/vfio/pci/vfio_pci.c, vfio_pci_fill_ids(): each time it is loaded */
};

struct sim_match {
	struct host *host;
	struct arena *arena;
	struct native *natives;
	struct dynamic_id *ids;
};

struct sim_match *sim_match_new(struct host *h, struct arena *a)
{
	struct sim_match *m = arena_alloc(a, sizeof(*m));

	m->host = h;
	m->arena = a;
	return m;
}

static bool attr(struct sim_match *m, const char *bdf, const char *file, char *buf, size_t size)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), DEVICES "/%.40s/%.40s", bdf, file);
	return host_read(m->host, name, buf, size) >= 0;
}

unsigned sim_match_hex(struct sim_match *m, const char *bdf, const char *file)
{
	char text[32];
	uint64_t v = 0;

	if (attr(m, bdf, file, text, sizeof(text)) && str_starts(text, "0x"))
		str_hex(text + 2, 1, 8, &v);
	return (unsigned)v;
}

static struct dynamic_id **find_id(struct sim_match *m, const char *driver, unsigned vendor, unsigned device)
{
	struct dynamic_id **i;

	for (i = &m->ids; *i; i = &(*i)->next)
		if ((*i)->vendor == vendor && (*i)->device == device && strcmp((*i)->driver, driver) == 0)
			break;
	return i;
}

static bool is_native(struct sim_match *m, const char *bdf, const char *driver)
{
	for (const struct native *i = m->natives; i; i = i->next)
		if (strcmp(i->bdf, bdf) == 0 && strcmp(i->driver, driver) == 0)
			return true;
	return false;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = words; *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");

		if (len == n && strncmp(s, word, n) == 0)
			return true;
		s += len;
	}
	return false;
}

/* The driver's module is among those that claim the device's modalias. */
static bool claims(struct sim_match *m, const char *bdf, const char *driver)
{
	char alias[HOST_NAME_BYTES / 2], name[HOST_NAME_BYTES], candidates[HOST_VALUE_BYTES], module[64];

	if (!attr(m, bdf, "modalias", alias, sizeof(alias)))
		return false;
	snprintf(name, sizeof(name), "modalias/%s", alias);
	if (host_read(m->host, name, candidates, sizeof(candidates)) < 0)
		return false;
	snprintf(name, sizeof(name), DRIVERS "/%.100s/module", driver);
	return host_read(m->host, name, module, sizeof(module)) > 0 && has_word(candidates, module);
}

bool sim_match_is(struct sim_match *m, const char *bdf, const char *driver)
{
	char override[HOST_VALUE_BYTES];

	if (attr(m, bdf, "driver_override", override, sizeof(override)) && strcmp(override, "(null)") != 0)
		return strcmp(override, driver) == 0;
	return *find_id(m, driver, sim_match_hex(m, bdf, "vendor"), sim_match_hex(m, bdf, "device")) ||
	       is_native(m, bdf, driver) || claims(m, bdf, driver);
}

static void keep_id(struct sim_match *m, const char *driver, unsigned vendor, unsigned device, bool is_parameter)
{
	struct dynamic_id *id = arena_alloc(m->arena, sizeof(*id));

	*id = (struct dynamic_id){ m->ids, arena_dup(m->arena, driver), vendor, device, is_parameter };
	m->ids = id;
}

void sim_match_learn(struct sim_match *m, const char *bdf, const char *driver)
{
	struct native *native;

	if (strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "pci-stub") == 0) {
		keep_id(m, driver, sim_match_hex(m, bdf, "vendor"), sim_match_hex(m, bdf, "device"), true);
		return;
	}
	native = arena_alloc(m->arena, sizeof(*native));
	*native = (struct native){ m->natives, arena_dup(m->arena, bdf), arena_dup(m->arena, driver) };
	m->natives = native;
}

int sim_match_add_id(struct sim_match *m, const char *driver, const char *ids)
{
	unsigned vendor, device;

	if (sscanf(ids, "%x %x", &vendor, &device) != 2)
		return -EINVAL;
	if (*find_id(m, driver, vendor, device))
		return -EEXIST;
	keep_id(m, driver, vendor, device, false);
	return 0;
}

int sim_match_remove_id(struct sim_match *m, const char *driver, const char *ids)
{
	unsigned vendor, device;
	struct dynamic_id **i;

	if (sscanf(ids, "%x %x", &vendor, &device) != 2)
		return -EINVAL;
	i = find_id(m, driver, vendor, device);
	if (!*i)
		return -ENODEV;
	*i = (*i)->next;
	return 0;
}

/* drivers/pci/pci-driver.c, pci_unregister_driver() */
void sim_match_forget(struct sim_match *m, const char *driver)
{
	struct dynamic_id **i = &m->ids;

	while (*i) {
		if (!(*i)->is_parameter && strcmp((*i)->driver, driver) == 0)
			*i = (*i)->next;
		else
			i = &(*i)->next;
	}
}
