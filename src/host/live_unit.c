/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/live_bus.h"
#include "host/live_unit.h"

#define UNIT SERVICE ".Unit"

#define UNIT_NAME_BYTES 256	/* NUL included; UNIT_NAME_MAX of systemd's src/basic/unit-name.h */
#define INVOCATION_BYTES 16

/* --- names ------------------------------------------------------------------------------------------------------- */

enum what { WHAT_STATE, WHAT_RUN };

struct wanted {
	char unit[UNIT_NAME_BYTES];
	enum what what;
};

static bool is_suffix(const char *s)
{
	static const char *const suffixes[] = { "service", "socket", "target", "device", "mount", "automount", "swap",
						"timer", "path", "slice", "scope" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (strcmp(s, suffixes[i]) == 0)
			return true;
	return false;
}

/* As unit_name_is_valid() of systemd has it, but a template ("getty@.service") is no unit that could run. */
static bool is_unit_name(const char *s)
{
	const char *dot = strrchr(s, '.'), *at = strchr(s, '@');

	if (!dot || dot == s || at == s || (at && at + 1 == dot) || !is_suffix(dot + 1))
		return false;
	for (; *s; s++)
		if (!isascii(*s) || (!isalnum((unsigned char)*s) && !strchr(":-_.\\@", *s)))
			return false;
	return true;
}

static int parse(const char *rest, struct wanted *w)
{
	const char *slash = strrchr(rest, '/');
	size_t n = slash ? (size_t)(slash - rest) : 0;

	if (n == 0 || n >= sizeof(w->unit))
		return -EINVAL;
	memcpy(w->unit, rest, n);
	w->unit[n] = '\0';
	if (!is_unit_name(w->unit))
		return -EINVAL;
	if (strcmp(slash + 1, "state") != 0 && strcmp(slash + 1, "run") != 0)
		return -ENOENT;
	w->what = strcmp(slash + 1, "run") == 0 ? WHAT_RUN : WHAT_STATE;
	return 0;
}

/* What systemd says of a unit is told by the error's name; libsystemd's errno for it is for its own programs. */
static int code_of(int r, const sd_bus_error *error)
{
	if (sd_bus_error_has_name(error, SERVICE ".NoSuchUnit") || sd_bus_error_has_name(error, SERVICE ".UnitMasked"))
		return -ENOENT;
	return r;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* The object of a unit, loaded if it was not: GetUnit knows only those that systemd needs at the moment. */
static int load(sd_bus *bus, int64_t end, const char *unit, sd_bus_message **reply, const char **path)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_allow(bus, end);

	if (r >= 0)
		r = sd_bus_call_method(bus, SERVICE, MANAGER_PATH, MANAGER, "LoadUnit", &error, reply, "s", unit);
	if (r < 0)
		return code_of(r, &error);
	return sd_bus_message_read(*reply, "o", path);
}

static int property(sd_bus *bus, int64_t end, const char *path, const char *name, char *buf, size_t size)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	char *text = NULL;
	int r = bus_allow(bus, end);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, path, UNIT, name, &error, &text);
	if (r < 0)
		return code_of(r, &error);
	r = snprintf(buf, size, "%s", text);
	free(text);
	return r < 0 || (size_t)r >= size ? -E2BIG : r;
}

/* systemd keeps the last run's identifier until the next one begins. */
static ssize_t invocation(sd_bus *bus, int64_t end, const char *path, char *buf, size_t size)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	const unsigned char *id;
	const void *bytes;
	size_t n = 0;
	int r = bus_allow(bus, end);

	if (r >= 0)
		r = sd_bus_get_property(bus, SERVICE, path, UNIT, "InvocationID", &error, &reply, "ay");
	if (r < 0)
		return code_of(r, &error);
	r = sd_bus_message_read_array(reply, 'y', &bytes, &n);
	if (r < 0 || (n != 0 && n != INVOCATION_BYTES))
		return -EBADMSG;
	if (size <= 2 * n)
		return -E2BIG;
	id = bytes;
	for (size_t i = 0; i < n; i++)
		snprintf(buf + 2 * i, 3, "%02x", id[i]);
	buf[2 * n] = '\0';
	return (ssize_t)(2 * n);
}

/* Newer systemds have states of which this program does not know; what is none of these runs. */
static bool runs(const char *state)
{
	return strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0 && strcmp(state, "maintenance") != 0;
}

static ssize_t read_unit(sd_bus *bus, int64_t end, const struct wanted *w, char *buf, size_t size)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	char loaded[32], state[32];
	const char *path;
	int r = load(bus, end, w->unit, &reply, &path);

	if (r >= 0)
		r = property(bus, end, path, "LoadState", loaded, sizeof(loaded));
	if (r >= 0 && strcmp(loaded, "loaded") != 0)
		r = -ENOENT;
	if (r >= 0)
		r = property(bus, end, path, "ActiveState", state, sizeof(state));
	if (r < 0)
		return r;
	if (w->what == WHAT_RUN && runs(state))
		return invocation(bus, end, path, buf, size);
	r = snprintf(buf, size, "%s", w->what == WHAT_RUN ? "" : state);
	return r < 0 || (size_t)r >= size ? -E2BIG : r;
}

ssize_t live_unit_read_from(const struct unit_peer *peer, const char *rest, char *buf, size_t size)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int64_t end = bus_end_after(UNIT_READ_MS);
	struct wanted w;
	int r = parse(rest, &w);

	if (r == 0)
		r = bus_open(peer, end, &bus);
	return r < 0 ? r : read_unit(bus, end, &w, buf, size);
}

ssize_t live_unit_read(const char *rest, char *buf, size_t size)
{
	return live_unit_read_from(NULL, rest, buf, size);
}

/* --- jobs -------------------------------------------------------------------------------------------------------- */

struct unit_job {
	const char *path;
	bool done;
	int code;
};

static const char *method_of(const char *verb)
{
	static const struct { const char *verb, *method; } verbs[] = {
		{ "start", "StartUnit" },
		{ "stop", "StopUnit" },
		{ "restart", "RestartUnit" },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verb, verbs[i].verb) == 0)
			return verbs[i].method;
	return NULL;
}

/* The results are those of job_result_to_string() of systemd's src/core/job.c. */
static int code_of_result(const char *result)
{
	static const struct { const char *result; int code; } results[] = {
		{ "done", 0 },
		{ "skipped", 0 },
		{ "timeout", -ETIME },
		{ "canceled", -ECANCELED },
		{ "dependency", -ENODEV },
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (strcmp(result, results[i].result) == 0)
			return results[i].code;
	return -EIO;
}

static int job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_job *job = userdata;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0 || !job->path ||
	    strcmp(path, job->path) != 0)
		return 0;
	job->done = true;
	job->code = code_of_result(result);
	return 0;
}

static int subscribe(sd_bus *bus, int64_t end)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_allow(bus, end);

	if (r >= 0)
		r = sd_bus_call_method(bus, SERVICE, MANAGER_PATH, MANAGER, "Subscribe", &error, NULL, "");
	return r;
}

static int begin(sd_bus *bus, int64_t end, const char *method, const char *unit, sd_bus_message **reply,
		 const char **path)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_allow(bus, end);

	if (r >= 0)
		r = sd_bus_call_method(bus, SERVICE, MANAGER_PATH, MANAGER, method, &error, reply, "ss", unit,
				       "replace");
	if (r < 0)
		return code_of(r, &error);
	return sd_bus_message_read(*reply, "o", path);
}

/*
 * A short job is over before its path is answered. Its end is heard all the same: a call leaves what comes before its
 * answer in the queue, for bus_turn().
 */
static int run_job(sd_bus *bus, int64_t end, const char *method, const char *unit)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_slot_ sd_bus_slot *slot = NULL;
	struct unit_job job = { 0 };
	int r = bus_allow(bus, end);

	if (r >= 0)
		r = sd_bus_match_signal(bus, &slot, SERVICE, MANAGER_PATH, MANAGER, "JobRemoved", job_removed, &job);
	if (r >= 0)
		r = subscribe(bus, end);
	if (r >= 0)
		r = begin(bus, end, method, unit, &reply, &job.path);
	while (r >= 0 && !job.done)
		r = bus_turn(bus, UINT64_MAX);
	return r < 0 ? r : job.code;
}

int live_unit_write_to(const struct unit_peer *peer, const char *rest, const char *verb)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int64_t end = bus_end_after(UNIT_JOB_MS);
	const char *method = method_of(verb);
	struct wanted w;
	int r = parse(rest, &w);

	if (r < 0)
		return r;
	if (w.what != WHAT_STATE)
		return -EPERM;
	if (!method)
		return -EINVAL;
	r = bus_open(peer, end, &bus);
	return r < 0 ? r : run_job(bus, end, method, w.unit);
}

int live_unit_write(const char *rest, const char *verb)
{
	return live_unit_write_to(NULL, rest, verb);
}
