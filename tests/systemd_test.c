/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The provider unit/, asked of a fake systemd, and of this host's. */
#include "support.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include "fake_systemd.h"
#include "host/live.h"

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
	"a.service", "netbird.service", "getty@tty1.service", "-.mount", "dev-disk-by\\x2duuid.device",
	"a:b_c-d.e.socket", "x.target", "x.automount", "x.swap", "x.timer", "x.path", "x.slice", "x.scope",
	"A9.service",
};

static const char *const bad_names[] = {
	"", "service", ".service", "a", "a.", "a.servic", "a.services", "a.Service", "a b.service", "a;b.service",
	"a*.service", "a\n.service", "\xc3\xa4.service", "@x.service", "getty@.service", "a.service.", "a.conf",
	"a/b.service", "/a.service", "$(x).service", "a'.service",
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
