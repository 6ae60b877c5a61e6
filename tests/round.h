/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_ROUND_H
#define HANDOVER_TESTS_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

/* Random hosts and profiles: the same number gives the same ones, on every machine. */
struct dice {
	uint64_t state;
};

unsigned dice_pick(struct dice *d, unsigned n);	/* 0 to n - 1 */
bool dice_chance(struct dice *d, unsigned percent);

#define MADE_FUNCTIONS_MAX 96
#define MADE_USB_MAX 32

/* What a device is, and who drives it. */
struct made_kind {
	const char *class, *id;		/* "030000", "10de:2783" */
	const char *driver, *module;	/* NULL: none; a driver without module is built in */
};

struct made_function {
	char address[BDF_TEXT_MAX];
	const char *path;		/* below /sys */
	const struct made_kind *kind;
	unsigned slot;			/* the same for all of a slot */
	int parent;			/* the bridge above, -1: none */
	bool many;			/* bit 7 of its header byte */
	bool acs;			/* it has ACS that isolates it */
	bool bridge, pf, vf;
	bool bound;
	int group;			/* -1: none */
};

struct made_host {
	struct made_function f[MADE_FUNCTIONS_MAX];
	size_t n;
	struct {
		char port[16];		/* "1-2" */
		const char *id;
	} usb[MADE_USB_MAX];
	size_t n_usb;
	const char *text;		/* as .host */
};

#define MADE_UNITS 4
#define MADE_COMMANDS 2
#define MADE_MODULES 7
extern const char *const made_units[MADE_UNITS], *const made_commands[MADE_COMMANDS], *const made_modules[MADE_MODULES];

/* A host whose IOMMU groups are what the kernel makes of it at boot. It belongs to a. */
const struct made_host *make_host(struct dice *d, struct arena *a);

/* The text of a profile for that host: most of them can be planned. */
const char *make_profile(struct dice *d, const struct made_host *h, struct arena *a);

#endif
