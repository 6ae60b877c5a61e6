/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/waits.h"

#define CALLERS_MAX 4	/* enough to come from a wait to the driver's removal */

static void append(char buf[WAITS_BYTES], const char *between, const char *function, size_t n)
{
	size_t used = strlen(buf);

	if (used + strlen(between) + n < WAITS_BYTES)
		snprintf(buf + used, WAITS_BYTES - used, "%s%.*s", between, (int)n, function);
}

/* The function of a line "[<0>] unbind_store+0x92/0xa0 [module]": fs/proc/base.c, proc_pid_stack(). */
static const char *function_of(const char *line, size_t *n)
{
	const char *name = line + strcspn(line, "]\n");

	if (*line != '[' || *name != ']')
		return NULL;
	name += 1 + strspn(name + 1, " ");
	*n = strcspn(name, "+ \n");
	return *n ? name : NULL;
}

static bool is_first(const char *buf, const char *function, size_t n)
{
	return strlen(buf) == n && strncmp(buf, function, n) == 0;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}

void waits_shown(const char *wchan, const char *stack, char buf[WAITS_BYTES])
{
	size_t callers = 0, n = strcspn(wchan, "\n");

	*buf = '\0';
	/* fs/proc/base.c, proc_pid_wchan(): "0" of one that waits for nothing. */
	if (n != 1 || *wchan != '0')
		append(buf, "", wchan, n);
	for (const char *line = stack; line && callers < CALLERS_MAX; line = next_line(line)) {
		const char *function = function_of(line, &n);

		if (!function || (callers == 0 && is_first(buf, function, n)))
			continue;
		append(buf, !*buf ? "" : callers++ ? ", " : ", called by ", function, n);
	}
}
