/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/action.h"

const struct action *action_find(const char *name)
{
	for (const struct action *const *a = actions; *a; a++)
		if (strcmp((*a)->name, name) == 0)
			return *a;
	return NULL;
}
