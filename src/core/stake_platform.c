/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and the firmware keep below functions of the platform: watchdogs, flash, TPM, GPIO. */
#include <string.h>

#include "base/str.h"
#include "core/stake.h"

#define WATCHDOGS "sys/class/watchdog"

/* Nodes of these stand for something the board needs; a process that has one open is at work on it. */
static const struct {
	const char *folder;	/* of the class or bus */
	const char *what;
} nodes[] = {
	{ "sys/class/mtd", "flash memory" },
	{ "sys/class/tpm", "a TPM" },
	{ "sys/class/tpmrm", "a TPM" },
	{ "sys/bus/gpio/devices", "GPIO lines" },
};

/* An armed watchdog resets the host when nobody feeds it any more: drivers/watchdog/watchdog_dev.c, state_show(). */
static void add_watchdog(struct stakes *s, const char *name)
{
	const char *path = stake_path(s, WATCHDOGS, name);
	struct holder_process *list;
	char state[32];
	size_t n;
	bool active = host_read(s->host, arena_fmt(s->arena, WATCHDOGS "/%s/state", name), state, sizeof(state)) > 0 &&
		      strcmp(state, "active") == 0;

	if (!path)
		return;
	stake_holders(s, arena_fmt(s->arena, "dev/%s", name), path, name, &list, &n);
	if (active || n)
		stake_add(s, "watchdog-armed", path, name, "without it the host would be reset: leave this device to the host",
			  "%s -> %s is %s%s%s", name, path_function(path, s->arena), active ? "armed" : "open",
			  n ? ", held by " : "", n ? list[0].text : "");
}

static void add_node(struct stakes *s, const char *folder, const char *name, const char *what)
{
	const char *path = stake_path(s, folder, name);
	struct holder_process *list;
	size_t n = 0;

	if (path)
		stake_holders(s, arena_fmt(s->arena, "dev/%s", name), path, name, &list, &n);
	if (n)
		stake_add(s, "device-held", path, name,
			  arena_fmt(s->arena, "%s, if the host can do without it", list[0].remedy),
			  "/dev/%s -> %s, %s, is held by %s", name, path_function(path, s->arena), what, list[0].text);
}

static void add_nodes(struct stakes *s, const char *folder, const char *what)
{
	char **names;
	size_t n;

	if (host_list(s->host, folder, s->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		add_node(s, folder, names[i], what);
}

static void add_watchdogs(struct stakes *s)
{
	char **names;
	size_t n;

	if (host_list(s->host, WATCHDOGS, s->arena, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		add_watchdog(s, names[i]);
}

/* --- functions the board is made of ------------------------------------------------------------------------------ */

/* Base class and subclass: include/linux/pci_ids.h, and the PCI Code and ID Assignment Specification. */
static const struct {
	unsigned class;
	const char *driver;	/* only with that; NULL: with any */
	bool always;		/* with a driver or without: firmware and kernel share it all the same */
	const char *what;
} platform[] = {
	{ 0x0601, NULL, true, "the LPC/eSPI bridge: firmware flash, TPM, keyboard controller and super-I/O are behind it" },
	{ 0x0c05, NULL, true, "the SMBus controller: memory modules, sensors and often a watchdog are on it" },
	/* drivers/mfd/intel-lpss-pci.c: touchpads and the like. */
	{ 0x0c80, "intel-lpss", true, "a serial bus controller of the platform (I2C, SPI)" },
	{ 0x0c80, NULL, true, "a serial bus controller (SPI, I2C): the firmware's flash memory may be on it" },
	{ 0x0580, NULL, false, "the platform's power or memory controller" },
	{ 0x0780, NULL, false, "a communication controller of the platform (management engine, serial port)" },
	{ 0x0880, NULL, false, "a system peripheral of the platform" },
	{ 0x1180, NULL, false, "the platform's sensors" },
};

static void add_function(struct stakes *s, const struct function *fn)
{
	bool driven = fn->driver && !str_starts(fn->driver, "vfio") && strcmp(fn->driver, "pci-stub") != 0;

	/* Behind a bridge it is a card, not the platform. */
	for (size_t i = 0; !fn->parent && i < sizeof(platform) / sizeof(*platform); i++) {
		if (fn->class >> 8 != platform[i].class || (!platform[i].always && !driven) ||
		    (platform[i].driver && !str_same(fn->driver, platform[i].driver)))
			continue;
		stake_add(s, "platform-function", fn->address, fn->address, NULL, "it is %s%s%s%s", platform[i].what,
			  driven ? " (driver " : "", driven ? fn->driver : "", driven ? ")" : "");
		break;
	}
}

void stakes_platform(struct stakes *s)
{
	add_watchdogs(s);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		add_nodes(s, nodes[i].folder, nodes[i].what);
	for (size_t i = 0; i < s->inventory->n; i++)
		add_function(s, &s->inventory->functions[i]);
}
