/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/command.h"
#include "host/sim.h"
#include "host/sim_command.h"

ssize_t sim_command_read(struct host *h, const char *name, char *buf, size_t size)
{
	char file[HOST_NAME_BYTES], ignored[HOST_VALUE_BYTES];
	const char *gap = strstr(name, COMMAND_GAP);

	if (!gap || !str_starts(name, COMMAND_PREFIX))
		return -ENOENT;
	snprintf(file, sizeof(file), "%.*s", (int)(gap - name), name);
	if (h->ops->read(h, file, ignored, sizeof(ignored)) < 0)
		return -ENOENT;
	return (size_t)snprintf(buf, size, "0") < size ? 1 : -E2BIG;
}

int sim_command_write(struct host *h, const char *name, const char *value)
{
	struct command_words words;
	char count[24];
	uint64_t n;
	ssize_t got = host_read(h, name, count, sizeof(count));

	if (!command_name_parse(name, &words) || strcmp(value, "run") != 0)
		return -EINVAL;
	if (got < 0)
		return (int)got;
	if (!str_decimal(count, UINT32_MAX, &n))
		return -EPERM;
	snprintf(count, sizeof(count), "%u", (unsigned)n + 1);
	sim_set(h, name, count);
	return 0;
}
