/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/sim.h"
#include "host/sim_module.h"

#define DRIVERS "sys/bus/pci/drivers"

/* Calls act for each driver of a module; how many there were. */
static size_t each_driver(struct host *h, struct sim_pci *pci, const char *module,
			  void (*act)(struct sim_pci *pci, const char *driver))
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **names, text[64];
	size_t n, found = 0;

	if (host_list(h, DRIVERS, a, &names, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (host_read(h, arena_fmt(a, DRIVERS "/%s/module", names[i]), text, sizeof(text)) < 0 ||
		    strcmp(text, module) != 0)
			continue;
		act(pci, names[i]);
		found++;
	}
	return found;
}

static void unload(struct host *h, struct sim_pci *pci, const char *name)
{
	each_driver(h, pci, name + strlen("module/"), sim_pci_release);
	sim_remove(h, name);
}

static int load(struct host *h, struct sim_pci *pci, const char *name)
{
	const char *module = name + strlen("module/");

	/* drivers/vfio/pci/vfio_pci.c registers "vfio-pci", which no host need have had before. */
	if (strcmp(module, "vfio_pci") == 0) {
		sim_set(h, "sys/module/vfio_pci/initstate", "live");
		sim_set_link(h, DRIVERS "/vfio-pci/module", "../../../../module/vfio_pci");
		sim_pci_register(pci, "vfio-pci");
	}
	sim_put_back(h, DRIVERS, "unloaded");
	if (each_driver(h, pci, module, sim_pci_offer) == 0)
		return -ENOENT;
	sim_set(h, name, "live");
	return 0;
}

int sim_module_write(struct host *h, struct sim_pci *pci, const char *name, const char *value)
{
	char state[32];
	bool there = host_read(h, name, state, sizeof(state)) >= 0;

	if (strcmp(value, "load") == 0)
		return there ? 0 : load(h, pci, name);
	if (strcmp(value, "unload") != 0)
		return -EINVAL;
	if (!there || strcmp(state, "builtin") == 0)
		return -ENOENT;
	unload(h, pci, name);
	return 0;
}
