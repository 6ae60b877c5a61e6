/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_FAKE_SYSTEMD_H
#define HANDOVER_TESTS_FAKE_SYSTEMD_H

/*
 * A systemd that says what a test wants to hear: a child process that serves the part of org.freedesktop.systemd1 that
 * is asked for, on a socket in a temporary folder. It plays either end of the wire: systemd's own socket, or a message
 * bus. A test changes *script, and asks peer. Included once, after support.h.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "host/live_unit.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"
#define JOB "/org/freedesktop/systemd1/job/7"
#define OTHER_JOB "/org/freedesktop/systemd1/job/77"

enum greets { GREETS, KEEPS_SILENT, HANGS_UP };

/* Shared with the child: what it shall say, and what it was asked. */
struct script {
	enum greets greets;
	const char *load_state, *active_state, *result;	/* literals: the child is a fork and has them too */
	const char *error;				/* what a job is refused with */
	unsigned id_bytes;				/* of the invocation */
	unsigned slow_ms;				/* before each answer */
	bool no_answer;					/* to a job that is asked for */
	bool job_ends_late, hangs_up_in_job;

	char asked[512];				/* "StartUnit x.service replace; ..." */
};

static struct script *script;
static struct unit_peer peer;
static char folder[] = "/tmp/handover-systemd-XXXXXX", address[128];
static pid_t fake;

static void note(const char *method, const char *more)
{
	size_t n = strlen(script->asked);

	snprintf(script->asked + n, sizeof(script->asked) - n, "%s%s%s;", method, *more ? " " : "", more);
}

static void dawdle(void)
{
	usleep(script->slow_ms * 1000);
}

static int on_hello(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg, (void)error;
	note("Hello", "");
	return sd_bus_reply_method_return(m, "s", ":1.42");
}

static int on_add_match(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg, (void)error;
	note("AddMatch", "");
	return sd_bus_reply_method_return(m, "");
}

static int on_load(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *unit;
	int r = sd_bus_message_read(m, "s", &unit);

	(void)arg, (void)error;
	note("LoadUnit", r < 0 ? "?" : unit);
	dawdle();
	return sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/unit/netbird_2eservice");
}

static int on_subscribe(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg, (void)error;
	note("Subscribe", "");
	return sd_bus_reply_method_return(m, "");
}

static int job_removed(sd_bus *bus, unsigned id, const char *path, const char *result)
{
	return sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", MANAGER, "JobRemoved", "uoss", id, path,
				  "netbird.service", result);
}

static int on_job(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	const char *unit, *mode;
	char text[128];

	(void)arg;
	if (sd_bus_message_read(m, "ss", &unit, &mode) < 0)
		return -EINVAL;
	snprintf(text, sizeof(text), "%s %s", unit, mode);
	note(sd_bus_message_get_member(m), text);
	if (script->no_answer)
		return 1;
	if (script->error)
		return sd_bus_error_setf(error, script->error, "no");
	/* The end of another's job is not ours. */
	job_removed(bus, 77, OTHER_JOB, "failed");
	if (!script->job_ends_late && !script->hangs_up_in_job)
		job_removed(bus, 7, JOB, script->result);
	sd_bus_reply_method_return(m, "o", JOB);
	if (script->hangs_up_in_job) {
		sd_bus_flush(bus);
		sd_bus_close(bus);
	} else if (script->job_ends_late) {
		sd_bus_flush(bus);
		usleep(300000);
		job_removed(bus, 77, OTHER_JOB, "done");
		job_removed(bus, 7, JOB, script->result);
	}
	return 1;
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *name, sd_bus_message *reply,
		    void *arg, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)arg, (void)error;
	dawdle();
	return sd_bus_message_append(reply, "s",
				     strcmp(name, "LoadState") == 0 ? script->load_state : script->active_state);
}

static int get_id(sd_bus *bus, const char *path, const char *interface, const char *name, sd_bus_message *reply,
		  void *arg, sd_bus_error *error)
{
	static const unsigned char id[32] = { 0x00, 0x01, 0xab, 0xcd, 0xef, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff };

	(void)bus, (void)path, (void)interface, (void)name, (void)arg, (void)error;
	dawdle();
	return sd_bus_message_append_array(reply, 'y', id, script->id_bytes);
}

static const sd_bus_vtable bus_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Hello", "", "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AddMatch", "s", "", on_add_match, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("LoadUnit", "s", "o", on_load, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RestartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("LoadState", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("ActiveState", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("InvocationID", "ay", get_id, 0, 0),
	SD_BUS_VTABLE_END,
};

/* What a message bus passes on bears the unique name of its sender. */
static int offer(sd_bus *bus, bool is_bus)
{
	int r = sd_bus_set_sender(bus, is_bus ? ":1.1" : "org.freedesktop.systemd1");

	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus", bus_vtable,
					     NULL);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", MANAGER, manager_vtable, NULL);
	if (r >= 0)
		r = sd_bus_add_fallback_vtable(bus, NULL, "/org/freedesktop/systemd1/unit", UNIT, unit_vtable, NULL,
					       NULL);
	return r;
}

static void serve_one(int fd, bool is_bus)
{
	static const sd_id128_t id = SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);
	sd_bus *bus = NULL;

	if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 || sd_bus_set_server(bus, 1, id) < 0 ||
	    sd_bus_set_anonymous(bus, 1) < 0 || sd_bus_start(bus) < 0 || offer(bus, is_bus) < 0)
		_exit(1);
	for (;;) {
		int r = sd_bus_process(bus, NULL);

		if (r < 0 || (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0))
			break;
	}
	sd_bus_close_unref(bus);
}

static _Noreturn void serve(int socket)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		char byte;

		if (fd < 0)
			_exit(1);
		if (script->greets == GREETS) {
			serve_one(fd, peer.is_bus);
			continue;
		}
		/* Until the other side gives up. */
		while (script->greets == KEEPS_SILENT && (read(fd, &byte, 1) > 0 || errno == EAGAIN))
			usleep(10000);
		close(fd);
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void start(bool is_bus)
{
	static const struct script usual = {
		.load_state = "loaded", .active_state = "active", .result = "done", .id_bytes = 16,
	};
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/socket", folder);
	unlink(path);
	snprintf(address, sizeof(address), "unix:path=%s", path);
	peer = (struct unit_peer){ address, is_bus };
	*script = usual;
	fd = listen_at(path);
	fake = fork();
	assert_true(fake >= 0);
	if (fake == 0)
		serve(fd);
	close(fd);
}

static int start_systemd(void **state)
{
	(void)state;
	start(false);
	return 0;
}

static int start_bus(void **state)
{
	(void)state;
	start(true);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	if (fake) {
		kill(fake, SIGKILL);
		waitpid(fake, NULL, 0);
	}
	fake = 0;
	return 0;
}

static int make_folder(void **state)
{
	(void)state;
	script = mmap(NULL, sizeof(*script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return script == MAP_FAILED || !mkdtemp(folder) ? -1 : 0;
}

static int remove_folder(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/socket", folder);
	unlink(path);
	return rmdir(folder);
}

#endif
