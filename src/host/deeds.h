/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_DEEDS_H
#define HANDOVER_DEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * What a line of shell, or of what looks like it, does to a host's PCI functions and network. It is read as text, and
 * nothing of it is run: words are what stands between blanks and ";|&(){}", without quotes; variables are known if a
 * line before has set them ("GPU=0000:01:00.0", "for dev in A B; do"). What is behind an if counts as if it were done.
 */
enum deed_kind {
	DEED_REMOVE,	/* takes device off the bus */
	DEED_RESCAN,	/* looks for functions anew */
	DEED_UNBIND,	/* takes device from its driver */
	DEED_BIND,	/* gives device to the driver value; NULL: to any that matches */
	DEED_NEW_ID,	/* makes the driver value take all of the id device: "10de:2783" */
	DEED_OVERRIDE,	/* writes value to driver_override of device */
	DEED_DRIVERCTL,	/* the same by driverctl, which binds it too; value NULL: takes it back */
	DEED_RESET,
	DEED_VFS,	/* makes value virtual functions of device */
	DEED_UNLOAD,	/* takes the module value out */
	DEED_NETWORK,	/* takes bridges or interfaces down: value is the command */
	DEED_RUNS,	/* the file value */
	DEED_KINDS,
};

struct deed {
	enum deed_kind kind;
	/*
	 * An address, which may have wildcards of the shell ("0000:00:1f.*"), or the name of a network interface;
	 * NULL: not known, or none is meant.
	 */
	const char *device;
	const char *value;
};

#define DEED_WORD_MAX 64	/* bytes of a device or value; what is longer is not known */
#define DEED_PATH_MAX 200	/* of the file that DEED_RUNS names */
#define SHELL_LINE_MAX 4096	/* a longer line does nothing */
#define SHELL_WORDS_MAX 64	/* of a command; what is behind is left out */
#define SHELL_VARIABLES_MAX 32	/* more are not known */
#define SHELL_VALUE_MAX 4096	/* bytes of a word with its variables replaced; what is longer is not known */
#define SHELL_DEEDS_MAX 16	/* of a line; more are left out, so that it can be written again */

struct variable {
	const char *name;
	char *value;	/* one word or several; room for SHELL_VALUE_MAX, since lines may set it often */
};

/* Zeroed but for its arena; a file's lines are taken one after the other. */
struct shell {
	struct arena *arena;	/* of variables and deeds */
	struct arena *scratch;	/* of a command, while it is taken */
	struct variable variables[SHELL_VARIABLES_MAX];
	size_t n_variables;
	struct deed deeds[SHELL_DEEDS_MAX];	/* of the line that was taken last */
	size_t n;
};

/* Takes a line without its newline. */
void shell_take(struct shell *s, const char *line);

/*
 * A line that shell_take() takes for exactly this deed: what is kept of a line whose other words are nobody's business.
 */
const char *deed_line(const struct deed *d, struct arena *a);

#endif
