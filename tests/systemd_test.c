/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The provider unit/, and a systemd that says what a test wants to hear: a child process that serves the part of
 * org.freedesktop.systemd1 that is asked for, on a socket in a temporary folder. It plays either end of the wire:
 * systemd's own socket, or a message bus.
 */
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "host/live.h"
#include "host/live_unit.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"
#define JOB "/org/freedesktop/systemd1/job/7"
#define OTHER_JOB "/org/freedesktop/systemd1/job/77"

/* --- the fake ---------------------------------------------------------------------------------------------------- */

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
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus", bus_vtable, NULL);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", MANAGER, manager_vtable, NULL);
	if (r >= 0)
		r = sd_bus_add_fallback_vtable(bus, NULL, "/org/freedesktop/systemd1/unit", UNIT, unit_vtable, NULL, NULL);
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

/* --- what is asked ----------------------------------------------------------------------------------------------- */

static void answers(const char *rest, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	ssize_t n = live_unit_read_from(&peer, rest, buf, sizeof(buf));

	if (n < 0)
		fail_msg("%s: error %d, should be '%s'", rest, (int)n, text);
	assert_string_equal(buf, text);
	assert_int_equal(n, strlen(text));
}

static ssize_t refused(const char *rest)
{
	char buf[HOST_VALUE_BYTES];

	return live_unit_read_from(&peer, rest, buf, sizeof(buf));
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static const char *const good_names[] = {
	"a.service", "netbird.service", "getty@tty1.service", "-.mount", "dev-disk-by\\x2duuid.device", "a:b_c-d.e.socket",
	"x.target", "x.automount", "x.swap", "x.timer", "x.path", "x.slice", "x.scope", "A9.service",
};

static const char *const bad_names[] = {
	"", "service", ".service", "a", "a.", "a.servic", "a.services", "a.Service", "a b.service", "a;b.service",
	"a*.service", "a\n.service", "\xc3\xa4.service", "@x.service", "getty@.service", "a.service.", "a.conf", "a/b.service",
	"/a.service", "$(x).service", "a'.service",
};

static void only_names_of_units_are_asked_for(void **state)
{
	char rest[HOST_VALUE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(good_names); i++) {
		snprintf(rest, sizeof(rest), "%s/state", good_names[i]);
		answers(rest, "active");
	}
	script->asked[0] = '\0';
	for (size_t i = 0; i < COUNT(bad_names); i++) {
		snprintf(rest, sizeof(rest), "%s/state", bad_names[i]);
		if (refused(rest) != -EINVAL)
			fail_msg("'%s' is taken for a unit", bad_names[i]);
		assert_int_equal(live_unit_write_to(&peer, rest, "start"), -EINVAL);
	}
	assert_string_equal(script->asked, "");
}

static void a_name_has_at_most_255_bytes(void **state)
{
	char rest[HOST_VALUE_BYTES] = "";

	(void)state;
	memset(rest, 'a', 247);
	strcpy(rest + 247, ".service/state");
	answers(rest, "active");
	memset(rest, 'a', 248);
	strcpy(rest + 248, ".service/state");
	assert_int_equal(refused(rest), -EINVAL);
}

static void a_unit_has_a_state_and_a_run(void **state)
{
	(void)state;
	assert_int_equal(refused("a.service"), -EINVAL);
	assert_int_equal(refused("a.service/"), -ENOENT);
	assert_int_equal(refused("a.service/states"), -ENOENT);
	assert_int_equal(refused("a.service/state/state"), -EINVAL);
	assert_int_equal(live_unit_write_to(&peer, "a.service/run", "start"), -EPERM);
	assert_int_equal(live_unit_write_to(&peer, "a.service/pid", "start"), -ENOENT);
	assert_string_equal(script->asked, "");
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static void the_state_is_systemds(void **state)
{
	static const char *const states[] = { "active", "inactive", "failed", "activating", "deactivating", "reloading",
					      "maintenance", "something new" };

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		script->active_state = states[i];
		answers("netbird.service/state", states[i]);
	}
	assert_contains(script->asked, "LoadUnit netbird.service;");
}

static void what_is_not_loaded_is_absent(void **state)
{
	static const char *const states[] = { "not-found", "masked", "error", "bad-setting", "stub", "merged" };

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		script->load_state = states[i];
		assert_int_equal(refused("netbird.service/state"), -ENOENT);
		assert_int_equal(refused("netbird.service/run"), -ENOENT);
	}
}

static void a_run_is_told_from_the_next(void **state)
{
	static const char *const running[] = { "active", "activating", "reloading", "deactivating", "refreshing" };
	static const char *const down[] = { "inactive", "failed", "maintenance" };

	(void)state;
	for (size_t i = 0; i < COUNT(running); i++) {
		script->active_state = running[i];
		answers("netbird.service/run", "0001abcdef05060708090a0b0c0d0eff");
	}
	for (size_t i = 0; i < COUNT(down); i++) {
		script->active_state = down[i];
		answers("netbird.service/run", "");
	}
}

static void some_runs_have_no_identifier(void **state)
{
	(void)state;
	script->id_bytes = 0;
	answers("dev-sda.device/run", "");
	script->id_bytes = 15;
	assert_int_equal(refused("dev-sda.device/run"), -EBADMSG);
	script->id_bytes = 17;
	assert_int_equal(refused("dev-sda.device/run"), -EBADMSG);
}

static void what_does_not_fit_is_not_cut(void **state)
{
	char buf[33];

	(void)state;
	assert_int_equal(live_unit_read_from(&peer, "a.service/state", buf, 6), -E2BIG);
	assert_int_equal(live_unit_read_from(&peer, "a.service/state", buf, 7), 6);
	assert_int_equal(live_unit_read_from(&peer, "a.service/run", buf, 32), -E2BIG);
	assert_int_equal(live_unit_read_from(&peer, "a.service/run", buf, 33), 32);
	script->active_state = "a state longer than any that is known";
	assert_int_equal(refused("a.service/state"), -E2BIG);
}

static void no_connection_is_left_open(void **state)
{
	int before = dup(0);

	(void)state;
	close(before);
	answers("a.service/state", "active");
	script->load_state = "masked";
	assert_int_equal(refused("a.service/state"), -ENOENT);
	assert_int_equal(live_unit_write_to(&peer, "a.service/state", "start"), 0);
	assert_int_equal(dup(0), before);
	close(before);
}

static void a_read_is_cheap(void **state)
{
	int64_t begun = now_ms();
	int n = 200;

	(void)state;
	for (int i = 0; i < n; i++)
		answers("a.service/state", "active");
	printf("figure unit-read-us %d\n", (int)((now_ms() - begun) * 1000 / n));
}

/* --- deadlines --------------------------------------------------------------------------------------------------- */

static void times_out_in_time(void)
{
	int64_t begun = now_ms(), took;

	assert_int_equal(refused("netbird.service/state"), -ETIMEDOUT);
	took = now_ms() - begun;
	if (took < UNIT_READ_MS - 50 || took > UNIT_READ_MS + 1000)
		fail_msg("%d ms", (int)took);
}

static void a_systemd_that_does_not_greet_is_not_waited_for(void **state)
{
	(void)state;
	script->greets = KEEPS_SILENT;
	times_out_in_time();
}

static void a_systemd_that_does_not_answer_is_not_waited_for(void **state)
{
	(void)state;
	script->slow_ms = 3 * UNIT_READ_MS;
	times_out_in_time();
}

/* Each answer comes in time, all of them do not. */
static void slow_answers_share_one_deadline(void **state)
{
	(void)state;
	script->slow_ms = UNIT_READ_MS * 4 / 10;
	times_out_in_time();
}

static void a_full_queue_is_not_waited_for(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int64_t begun = now_ms();
	int held[64], n = 0;

	(void)state;
	kill(fake, SIGSTOP);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/socket", folder);
	do {
		held[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	} while (connect(held[n++], (struct sockaddr *)&sun, sizeof(sun)) == 0 && n < (int)COUNT(held));
	assert_true(n < (int)COUNT(held));
	assert_int_equal(refused("netbird.service/state"), -ETIMEDOUT);
	assert_true(now_ms() - begun < UNIT_READ_MS + 1000);
	while (n > 0)
		close(held[--n]);
}

static void a_hang_up_is_an_error(void **state)
{
	ssize_t code;

	(void)state;
	script->greets = HANGS_UP;
	code = refused("netbird.service/state");
	assert_true(code < 0 && code != -ENOENT && code != -ETIMEDOUT);
	script->greets = GREETS;
	answers("netbird.service/state", "active");
}

/* --- jobs -------------------------------------------------------------------------------------------------------- */

static const struct { const char *result; int code; } results[] = {
	{ "done", 0 }, { "skipped", 0 }, { "failed", -EIO }, { "timeout", -ETIME }, { "canceled", -ECANCELED },
	{ "dependency", -ENODEV }, { "invalid", -EIO }, { "assert", -EIO }, { "something new", -EIO },
};

static void each_end_of_a_job_has_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(results) * 2; i++) {
		script->result = results[i / 2].result;
		script->job_ends_late = i % 2;
		if (live_unit_write_to(&peer, "netbird.service/state", "stop") != results[i / 2].code)
			fail_msg("%s%s", results[i / 2].result, i % 2 ? ", late" : "");
	}
}

static void a_verb_is_its_method(void **state)
{
	static const struct { const char *verb, *asked; } verbs[] = {
		{ "start", "Subscribe;StartUnit netbird.service replace;" },
		{ "stop", "Subscribe;StopUnit netbird.service replace;" },
		{ "restart", "Subscribe;RestartUnit netbird.service replace;" },
	};
	static const char *const bad[] = { "", "Start", "start ", "reload", "kill", "StartUnit", "load" };

	(void)state;
	for (size_t i = 0; i < COUNT(verbs); i++) {
		script->asked[0] = '\0';
		assert_int_equal(live_unit_write_to(&peer, "netbird.service/state", verbs[i].verb), 0);
		assert_contains(script->asked, verbs[i].asked);
	}
	script->asked[0] = '\0';
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(live_unit_write_to(&peer, "netbird.service/state", bad[i]), -EINVAL);
	assert_string_equal(script->asked, "");
}

static void a_bus_is_told_what_is_listened_for_before_the_job(void **state)
{
	(void)state;
	assert_int_equal(live_unit_write_to(&peer, "netbird.service/state", "start"), 0);
	assert_string_equal(script->asked, "Hello;AddMatch;Subscribe;StartUnit netbird.service replace;");
}

static void a_refused_job_says_why(void **state)
{
	static const struct { const char *error; int code; } errors[] = {
		{ "org.freedesktop.systemd1.NoSuchUnit", -ENOENT },
		{ "org.freedesktop.systemd1.UnitMasked", -ENOENT },
		{ "org.freedesktop.DBus.Error.AccessDenied", -EACCES },
		{ "org.freedesktop.DBus.Error.NoReply", -ETIMEDOUT },
		{ "org.example.Strange", -EIO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		script->error = errors[i].error;
		if (live_unit_write_to(&peer, "netbird.service/state", "start") != errors[i].code)
			fail_msg("%s", errors[i].error);
	}
}

static void a_job_whose_systemd_goes_away_has_no_answer(void **state)
{
	(void)state;
	script->hangs_up_in_job = true;
	assert_int_equal(live_unit_write_to(&peer, "netbird.service/state", "stop"), -ECONNRESET);
}

/* --- this host --------------------------------------------------------------------------------------------------- */

static int open_live(void **state)
{
	struct error err;

	return live_open((struct host **)state, &err);
}

static int close_live(void **state)
{
	host_close(*state);
	return 0;
}

static void the_host_answers_for_units(void **state)
{
	struct host *h = *state;
	char buf[HOST_VALUE_BYTES];

	assert_int_equal(host_read(h, "unit/a b.service/state", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(host_link(h, "unit/a.service/state", buf, sizeof(buf)), -EINVAL);
	assert_absent(h, "unit/handover-no-such-unit.service/state");
	assert_absent(h, "unit/handover-no-such-unit.service/run");
	assert_int_equal(poke_host(h, "unit/a.service/state", "sleep"), -EINVAL);
	assert_int_equal(poke_host(h, "unit/a.service/run", "start"), -EPERM);
	assert_int_equal(poke_host(h, "unit/a b.service/state", "start"), -EINVAL);
}

static void without_systemd_there_are_no_units(void **state)
{
	struct host *h = *state;

	if (sd_booted() > 0) {
		assert_reads(h, "unit/init.scope/state", "active");
		skip();
	}
	assert_absent(h, "unit/init.scope/state");
	assert_absent(h, "unit/init.scope/run");
	assert_int_equal(poke_host(h, "unit/handover-no-such-unit.service/state", "start"), -ENOENT);
}

#define test_with_systemd(f) cmocka_unit_test_setup_teardown(f, start_systemd, stop)
#define test_with_bus(f) cmocka_unit_test_setup_teardown(f, start_bus, stop)
#define test_with_host(f) cmocka_unit_test_setup_teardown(f, open_live, close_live)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		test_with_systemd(only_names_of_units_are_asked_for),
		test_with_systemd(a_name_has_at_most_255_bytes),
		test_with_systemd(a_unit_has_a_state_and_a_run),
		test_with_systemd(the_state_is_systemds),
		test_with_bus(the_state_is_systemds),
		test_with_systemd(what_is_not_loaded_is_absent),
		test_with_systemd(a_run_is_told_from_the_next),
		test_with_bus(a_run_is_told_from_the_next),
		test_with_systemd(some_runs_have_no_identifier),
		test_with_systemd(what_does_not_fit_is_not_cut),
		test_with_systemd(no_connection_is_left_open),
		test_with_systemd(a_read_is_cheap),
		test_with_systemd(a_systemd_that_does_not_greet_is_not_waited_for),
		test_with_bus(a_systemd_that_does_not_greet_is_not_waited_for),
		test_with_systemd(a_systemd_that_does_not_answer_is_not_waited_for),
		test_with_systemd(slow_answers_share_one_deadline),
		test_with_systemd(a_full_queue_is_not_waited_for),
		test_with_systemd(a_hang_up_is_an_error),
		test_with_systemd(each_end_of_a_job_has_its_answer),
		test_with_bus(each_end_of_a_job_has_its_answer),
		test_with_systemd(a_verb_is_its_method),
		test_with_bus(a_bus_is_told_what_is_listened_for_before_the_job),
		test_with_systemd(a_refused_job_says_why),
		test_with_systemd(a_job_whose_systemd_goes_away_has_no_answer),
		test_with_host(the_host_answers_for_units),
		test_with_host(without_systemd_there_are_no_units),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
