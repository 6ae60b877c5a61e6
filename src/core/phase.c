/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/phase.h"

static const char *const names[PHASES] = {
	[PHASE_PRE_START] = "pre-start",
	[PHASE_POST_START] = "post-start",
	[PHASE_PRE_STOP] = "pre-stop",
	[PHASE_POST_STOP] = "post-stop",
	[PHASE_BOOT] = "boot",
};

const char *phase_name(enum phase p)
{
	return names[p];
}

int phase_find(const char *name)
{
	for (int p = 0; p < PHASES; p++)
		if (strcmp(name, names[p]) == 0)
			return p;
	return -1;
}
