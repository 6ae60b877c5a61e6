/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>

#include "host/live_bus.h"
#include "host/live_transient.h"

/* A property of the unit to be: its name, its type, its value. */
static int put(sd_bus_message *m, const char *name, const char *type, const void *value)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', type);
	if (r >= 0)
		r = sd_bus_message_append_basic(m, *type, value);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_words(sd_bus_message *m, const char *const *words)
{
	int r = sd_bus_message_open_container(m, 'a', "s");

	for (; r >= 0 && *words; words++)
		r = sd_bus_message_append_basic(m, 's', *words);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ExecStart is a list of a program, its words, and whether a failure does not count. */
static int put_command(sd_bus_message *m, const char *const *words)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", "ExecStart");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(sasb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sasb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sasb");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", words[0]);
	if (r >= 0)
		r = put_words(m, words);
	if (r >= 0)
		r = sd_bus_message_append(m, "b", 0);
	for (int i = 0; r >= 0 && i < 4; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

static int put_before(sd_bus_message *m)
{
	return sd_bus_message_append(m, "(sv)", "Before", "as", 1, "pve-guests.service");
}

/* Nobody signals the worker of a write, not even at a shutdown: it would not help, see host.h. */
static int put_properties(sd_bus_message *m, const char *description, const char *const *words)
{
	int r = sd_bus_message_open_container(m, 'a', "(sv)");

	if (r >= 0)
		r = put(m, "Description", "s", description);
	if (r >= 0)
		r = put(m, "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = put(m, "KillMode", "s", "process");
	if (r >= 0)
		r = put(m, "OOMScoreAdjust", "i", &(int){ -900 });
	if (r >= 0)
		r = put_before(m);
	if (r >= 0)
		r = put_command(m, words);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int live_transient_start(const char *unit, const char *description, const char *const *words)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	_cleanup_message_ sd_bus_message *m = NULL;
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	int64_t end = bus_end_after(TRANSIENT_MS);
	int r = bus_open(NULL, end, &bus);

	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &m, SERVICE, MANAGER_PATH, MANAGER, "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "fail");
	if (r >= 0)
		r = put_properties(m, description, words);
	/* Units that would be made along with it: none. */
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = bus_allow(bus, end);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &error, NULL);
	return r < 0 ? r : 0;
}
