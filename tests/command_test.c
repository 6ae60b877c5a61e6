/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands as the seam has them: what the running host gives to one and keeps from it, and how it ends. They are those
 * of any Debian, so that nobody needs to be root.
 */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/str.h"
#include "host/child.h"
#include "host/command.h"
#include "host/live.h"
#include "host/live_command.h"

#define SOON_MS 5000	/* for what takes no time, on a busy machine */

/* --- names --------------------------------------------------------------------------------------------------------- */

static const char *name_of(struct arena *a, const char *const *words)
{
	char name[HOST_NAME_BYTES] = "";

	for (; *words; words++)
		assert_true(command_name_add(name, *words));
	return arena_dup(a, name);
}

#define NAME(a, ...) name_of(a, (const char *const[]){ __VA_ARGS__, NULL })

static void a_command_has_one_name_and_a_name_one_command(void **state)
{
	static const char *const commands[][5] = {
		{ "/usr/sbin/nvidia-smi", "-pm", "0" }, { "/x", "a b" }, { "/x", "a", "b" }, { "/x", "" }, { "/x", "", "" }, { "/x" },
		{ "/x", "a+b" }, { "/x", "a%20b" }, { "/x", "../../etc", "..", "." }, { "/x", "/" }, { "/x", "\303\244=\\" },
		{ "/a..b/c+d%/x", "x" },
	};
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(NAME(a, "/usr/sbin/nvidia-smi", "-pm", "0"), "command/usr/sbin/nvidia-smi%20-pm%200");
	assert_string_equal(NAME(a, "/x", "a b", "../%"), "command/x%20a+b%20.%2E%2F%25");
	for (size_t i = 0; i < COUNT(commands); i++) {
		const char *name = name_of(a, commands[i]);
		struct command_words words;
		size_t n = 0;

		assert_true(command_name_parse(name, &words));
		assert_null(strstr(name, ".."));
		for (; commands[i][n]; n++)
			assert_string_equal(words.word[n], commands[i][n]);
		assert_null(words.word[n]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(name_of(a, commands[k]), name);
	}
}

static void what_is_no_name_of_a_command_is_none(void **state)
{
	static const char *const names[] = {
		"command/", "command", "commander/x", "command/x/", "command/x//y", "command/../x", "command/.%2E/x", "command/x/.",
		"command/x%2", "command/x%", "command/x%zz", "command/x%00", "command/x%20a%00", "command/x%2f", "command/x%20a/b",
		"command/x%20%61", "command/x%20a b", "command/x+y", "command/x=",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct command_words words;

		if (command_name_parse(names[i], &words))
			fail_msg("%s", names[i]);
	}
}

static void a_name_is_as_long_as_a_name_may_be(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *most = arena_fmt(a, "%0*d", HOST_NAME_BYTES - 1 - (int)strlen("command/x%20"), 0);
	char name[HOST_NAME_BYTES] = "";
	struct command_words words;

	(void)state;
	assert_true(command_name_add(name, "/x") && command_name_add(name, most));
	assert_int_equal(strlen(name), HOST_NAME_BYTES - 1);
	assert_true(command_name_parse(name, &words));
	assert_string_equal(words.word[1], most);
	*name = '\0';
	assert_true(command_name_add(name, "/x"));
	assert_false(command_name_add(name, arena_fmt(a, "%s0", most)));
}

/* --- the running host ---------------------------------------------------------------------------------------------- */

struct bench {
	struct arena *a;
	struct host *host;
	struct host_stuck stuck;
	int64_t took;		/* milliseconds of the last run */
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct error err;

	assert_non_null(b);
	b->a = arena_new();
	assert_int_equal(live_open(&b->host, &err), 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	host_close(b->host);
	arena_free(b->a);
	free(b);
	return 0;
}

static int run_within(struct bench *b, unsigned ms, const char *name)
{
	int64_t begun = host_now(b->host);
	int code = host_write(b->host, name, "run", ms, &b->stuck);

	b->took = host_now(b->host) - begun;
	return code;
}

static const char *result(struct bench *b, const char *name)
{
	char text[HOST_VALUE_BYTES];

	if (host_read(b->host, arena_fmt(b->a, "result/%s", name + strlen("command/")), text, sizeof(text)) < 0)
		return "nothing";
	return arena_dup(b->a, text);
}

/* What a command that ends well has said. */
static const char *output(struct bench *b, const char *name)
{
	int code = run_within(b, SOON_MS, name);
	const char *text = result(b, name), *newline = strchr(text, '\n');

	if (code < 0)
		fail_msg("%s: %d, %s", name, code, text);
	assert_true(str_starts(text, "it ended well"));
	return newline ? newline + 1 : "";
}

#define SHELL(b, script) NAME((b)->a, "/bin/sh", "-c", script)

static void the_environment_is_three_variables(void **state)
{
	struct bench *b = *state;

	setenv("LD_LIBRARY_PATH", "/tmp", 1);
	setenv("VMID", "100", 1);
	assert_string_equal(output(b, NAME(b->a, "/usr/bin/env")),
			    "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C.UTF-8\nHANDOVER=1");
	unsetenv("LD_LIBRARY_PATH");
	unsetenv("VMID");
}

static void the_arguments_are_those_that_were_given(void **state)
{
	struct bench *b = *state;

	assert_string_equal(output(b, NAME(b->a, "/usr/bin/printf", "<%s>", "a b", "", "$HOME", "*", "`id`;", "\303\244%20+")),
			    "<a b><><$HOME><*><`id`;><\303\244%20+>");
}

static void it_stands_in_the_root_and_reads_nothing(void **state)
{
	struct bench *b = *state;

	umask(077);
	assert_string_equal(output(b, SHELL(b, "pwd; umask; readlink /proc/self/fd/0; cat")), "/\n0022\n/dev/null");
	umask(022);
}

/* Main ignores SIGPIPE, and the worker blocks all. */
static void no_signal_is_blocked_or_ignored(void **state)
{
	struct bench *b = *state;

	signal(SIGPIPE, SIG_IGN);
	assert_string_equal(output(b, NAME(b->a, "/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")),
			    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000");
	signal(SIGPIPE, SIG_DFL);
}

static void it_has_a_session_of_its_own(void **state)
{
	struct bench *b = *state;
	int pid, group, session;

	assert_int_equal(sscanf(output(b, SHELL(b, "cut -d' ' -f1,5,6 /proc/$$/stat")), "%d %d %d", &pid, &group, &session), 3);
	assert_int_equal(pid, group);
	assert_int_equal(pid, session);
	assert_int_not_equal(session, getsid(0));
}

/* --- descriptors and locks ----------------------------------------------------------------------------------------- */

static void it_has_three_descriptors(void **state)
{
	struct bench *b = *state;
	int left_open = open("/dev/zero", O_RDONLY), high;

	/* One that nobody marked, and far away. 3 is that of ls, on the folder. */
	high = fcntl(left_open, F_DUPFD, 700);
	assert_true(high >= 700);
	assert_string_equal(output(b, NAME(b->a, "/bin/ls", "/proc/self/fd")), "0\n1\n2\n3");
	close(left_open);
	close(high);
}

/* Whatever it leaves running, its caller's output and locks are not kept. */
static void what_it_leaves_running_keeps_no_lock_and_no_output(void **state)
{
	struct bench *b = *state;
	struct lockset set = { 0 };
	struct error err;
	char path[] = "/tmp/handover-run-XXXXXX", byte;
	const char *name = SHELL(b, "sleep 20 & echo $!");
	int dir, ends[2], pid, flag;
	unsigned wait_ms = 0;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(lockset_take(&set, dir, "vm-100", "a test", &wait_ms, &err), 0);
	/* As Proxmox's pipe, it is not closed by an execve(). */
	flag = fcntl(set.held[0].fd, F_GETFD);
	assert_int_equal(fcntl(set.held[0].fd, F_SETFD, flag & ~FD_CLOEXEC), 0);
	assert_int_equal(pipe(ends), 0);
	pid = atoi(output(b, name));
	assert_true(b->took < SOON_MS);
	assert_int_equal(kill(pid, 0), 0);
	lockset_release(&set);
	close(ends[1]);
	assert_int_equal(lockset_take(&set, dir, "vm-100", "a test", &wait_ms, &err), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	lockset_release(&set);
	close(ends[0]);
	unlinkat(dir, "vm-100", 0);
	close(dir);
	rmdir(path);
}

/* The worker has them, as it has for any write: nobody else begins while a command runs. */
static void a_command_that_outlives_its_caller_is_ended_and_guarded(void **state)
{
	struct bench *b = *state;
	struct lockset set = { 0 };
	struct error err;
	char path[] = "/tmp/handover-run-XXXXXX";
	unsigned wait_ms = 0;
	pid_t caller;
	int dir, code;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	caller = fork();
	if (caller == 0) {
		if (lockset_take(&set, dir, "vm-100", "a test", &wait_ms, &err) == 0)
			run_within(b, 1000, NAME(b->a, "/bin/sleep", "20"));
		_exit(0);
	}
	usleep(400 * 1000);
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	code = lockset_take(&set, dir, "vm-100", "a test", &wait_ms, &err);
	assert_int_equal(code, -EBUSY);
	assert_contains(err.text, "handover-write");
	/* At its deadline all is over. */
	wait_ms = SOON_MS;
	assert_int_equal(lockset_take(&set, dir, "vm-100", "a test", &wait_ms, &err), 0);
	lockset_release(&set);
	unlinkat(dir, "vm-100", 0);
	close(dir);
	rmdir(path);
}

/* --- how it ends --------------------------------------------------------------------------------------------------- */

static void only_what_ends_well_is_counted(void **state)
{
	struct bench *b = *state;
	const char *good = NAME(b->a, "/bin/true"), *other = NAME(b->a, "/bin/true", "x"), *bad = NAME(b->a, "/bin/false");

	assert_reads(b->host, good, "0");
	assert_string_equal(result(b, good), "nothing");
	assert_int_equal(run_within(b, SOON_MS, good), 0);
	assert_reads(b->host, good, "1");
	assert_int_equal(run_within(b, SOON_MS, good), 0);
	assert_reads(b->host, good, "2");
	assert_reads(b->host, other, "0");
	assert_string_equal(result(b, good), "it ended well");
	assert_int_equal(run_within(b, SOON_MS, bad), -ECANCELED);
	assert_reads(b->host, bad, "0");
	assert_string_equal(result(b, bad), "it ended with exit status 1");
}

static void how_it_ended_is_told(void **state)
{
	struct bench *b = *state;
	const char *name = SHELL(b, "echo out; echo err >&2; exit 7");

	assert_int_equal(run_within(b, SOON_MS, name), -ECANCELED);
	assert_string_equal(result(b, name), "it ended with exit status 7\nout\nerr");
	name = SHELL(b, "echo x; kill -SEGV $$");
	assert_int_equal(run_within(b, SOON_MS, name), -ECANCELED);
	assert_string_equal(result(b, name), "it was ended by signal 11 (Segmentation fault)\nx");
	/* 127 is what shells say, and no failure to start. */
	name = SHELL(b, "exit 127");
	assert_int_equal(run_within(b, SOON_MS, name), -ECANCELED);
	assert_string_equal(result(b, name), "it ended with exit status 127");
}

static bool is_running(int pid)
{
	char path[64], text[64] = "";
	const char *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	state = strrchr(text, ')');
	return state && state[2] != 'Z' && state[2] != 'X';
}

static void at_its_deadline_it_is_killed_with_all_it_has_started(void **state)
{
	struct bench *b = *state;
	const char *name = SHELL(b, "trap '' TERM; (sleep 30 & echo $!; wait) & echo $!; wait"), *text;
	int child, grandchild;

	assert_int_equal(run_within(b, 500, name), -ETIME);
	assert_int_equal(b->stuck.pid, 0);
	assert_true(b->took >= 500 && b->took < 500 + SOON_MS);
	text = result(b, name);
	assert_true(str_starts(text, "it did not end within 0.5 s and was killed\n"));
	assert_int_equal(sscanf(strchr(text, '\n'), "%d %d", &child, &grandchild), 2);
	for (int i = 0; i < 100 && (is_running(child) || is_running(grandchild)); i++)
		usleep(10 * 1000);
	assert_false(is_running(child));
	assert_false(is_running(grandchild));
	assert_reads(b->host, name, "0");
}

/* Then nobody is left to end it in time. */
static void it_dies_with_its_worker(void **state)
{
	struct bench *b = *state;
	char path[] = "/tmp/handover-run-XXXXXX";
	int fd = mkstemp(path), worker = 0, command = 0;
	pid_t killer;
	FILE *in;

	assert_true(fd >= 0);
	killer = fork();
	if (killer == 0) {
		char text[32];

		for (ssize_t n = 0; n <= 0; usleep(10 * 1000))
			n = pread(fd, text, sizeof(text), 0);
		kill(atoi(text), SIGKILL);
		_exit(0);
	}
	assert_int_equal(run_within(b, SOON_MS, SHELL(b, arena_fmt(b->a, "echo $PPID $$ >%s; exec sleep 20", path))), -EOWNERDEAD);
	waitpid(killer, NULL, 0);
	in = fdopen(fd, "r");
	assert_int_equal(fscanf(in, "%d %d", &worker, &command), 2);
	fclose(in);
	unlink(path);
	for (int i = 0; i < 100 && is_running(command); i++)
		usleep(10 * 1000);
	assert_false(is_running(command));
}

static void what_it_closes_or_floods_does_not_hold_us_up(void **state)
{
	struct bench *b = *state;
	const char *name = SHELL(b, "exec >&- 2>&-; sleep 0.3; exit 3");

	assert_int_equal(run_within(b, SOON_MS, name), -ECANCELED);
	assert_string_equal(result(b, name), "it ended with exit status 3");
	assert_int_equal(run_within(b, 300, NAME(b->a, "/usr/bin/yes")), -ETIME);
	assert_true(b->took < 300 + SOON_MS);
	/* Its child goes on to flood what nobody reads. */
	assert_int_equal(run_within(b, SOON_MS, SHELL(b, "yes & sleep 0.1")), 0);
	assert_true(b->took < SOON_MS);
}

static void of_its_output_the_beginning_is_kept(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct bench *b = *state;
	const char *text;

	text = output(b, NAME(b->a, "/usr/bin/printf", arena_fmt(a, "%%0%dd", CHILD_OUTPUT_BYTES), "0"));
	assert_int_equal(strlen(text), CHILD_OUTPUT_BYTES);
	text = output(b, NAME(b->a, "/usr/bin/printf", arena_fmt(a, "%%0%dd", CHILD_OUTPUT_BYTES + 1), "0"));
	assert_int_equal(strcspn(text, "\n"), CHILD_OUTPUT_BYTES);
	assert_string_equal(strchr(text, '\n'), "\n(1 more bytes)");
	/* The next run of it says nothing of the last; a byte that ends a text does not. */
	assert_string_equal(output(b, NAME(b->a, "/usr/bin/printf", "a\\0b")), "a?b");
	assert_string_equal(output(b, NAME(b->a, "/usr/bin/printf", "a\\0b")), "a?b");
}

/* --- which file ----------------------------------------------------------------------------------------------------- */

/* One of Debian's own. Only its path tells a shell what it is run from. */
static void a_script_is_run_by_its_interpreter(void **state)
{
	struct bench *b = *state;
	char head[3] = "";
	int fd = open("/usr/bin/ldd", O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, head, 2), 2);
	close(fd);
	assert_string_equal(head, "#!");
	assert_contains(output(b, NAME(b->a, "/usr/bin/ldd", "--version")), "ldd ");
}

static void what_is_not_there_is_not_run(void **state)
{
	static const char *const names[] = { "command/usr/bin/no-such-command", "command/usr/bin/env/x", "command/nowhere/x" };
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT(names); i++) {
		assert_absent(b->host, names[i]);
		assert_int_equal(run_within(b, SOON_MS, names[i]), -ENOENT);
		assert_contains(result(b, names[i]), "it is not run: ");
		assert_absent(b->host, names[i]);
	}
	assert_int_equal(host_write(b->host, "command/bin/true", "walk", SOON_MS, &b->stuck), -EINVAL);
	assert_int_equal(host_write(b->host, "command/bin/true/.%2E/true", "run", SOON_MS, &b->stuck), -EINVAL);
	assert_int_equal(host_write(b->host, "result/bin/true", "run", SOON_MS, &b->stuck), -EPERM);
	assert_reads(b->host, "command/bin/true", "0");
}

static void a_file_that_others_could_write_is_not_run(void **state)
{
	struct bench *b = *state;
	char path[] = "/tmp/handover-run-XXXXXX";
	const char *name;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/bin/sh\necho no\n", 18), 18);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	name = NAME(b->a, path);
	assert_absent(b->host, name);
	assert_int_equal(run_within(b, SOON_MS, name), -EPERM);
	assert_contains(result(b, name), "it is not run: '/tmp' belongs to root and has mode 1777, so anybody could");
	unlink(path);
	assert_absent(b->host, "command/dev/null");
	assert_int_equal(run_within(b, SOON_MS, "command/dev/null"), -EPERM);
	assert_absent(b->host, "command/etc/passwd");
	assert_int_equal(run_within(b, SOON_MS, "command/etc/passwd"), -EPERM);
	assert_string_equal(result(b, "command/etc/passwd"), "it is not run: '/etc/passwd' is not executable");
	assert_int_equal(run_within(b, SOON_MS, "command/etc"), -EPERM);
	assert_string_equal(result(b, "command/etc"), "it is not run: '/etc' is a folder");
}

/* Whoever can write the folder can turn the link elsewhere between two looks at it, so what it leads to now is no matter. */
static void a_link_in_a_folder_of_others_leads_nowhere(void **state)
{
	struct bench *b = *state;
	char folder[] = "/tmp/handover-run-XXXXXX";
	const char *path, *name;

	assert_non_null(mkdtemp(folder));
	path = arena_fmt(b->a, "%s/x", folder);
	name = NAME(b->a, path);
	assert_int_equal(symlink("/bin/true", path), 0);
	assert_absent(b->host, name);
	assert_int_equal(run_within(b, SOON_MS, name), -EPERM);
	assert_contains(result(b, name), "it is not run: '/tmp' belongs to root and has mode 1777");
	unlink(path);
	rmdir(folder);
}

/* The same questions to the simulated host: it must not answer otherwise. */
static void the_simulated_host_answers_the_same(void **state)
{
	struct bench *b = *state;
	struct host *sim = sim_new();
	struct host *hosts[] = { b->host, sim };

	sim_set(sim, "command/bin/true", "0");
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct host *h = hosts[i];

		assert_reads(h, "command/bin/true", "0");
		assert_reads(h, "command/bin/true%20a", "0");
		assert_int_equal(poke_host(h, "command/bin/true%20a", "run"), 0);
		assert_reads(h, "command/bin/true%20a", "1");
		assert_reads(h, "command/bin/true", "0");
		assert_int_equal(poke_host(h, "command/bin/true", "run"), 0);
		assert_int_equal(poke_host(h, "command/bin/true", "run"), 0);
		assert_reads(h, "command/bin/true", "2");
		assert_int_equal(poke_host(h, "command/bin/true", "stop"), -EINVAL);
		assert_int_equal(poke_host(h, "command/bin/true%2", "run"), -EINVAL);
		assert_absent(h, "command/bin/no-such%20a");
		assert_int_equal(poke_host(h, "command/bin/no-such%20a", "run"), -ENOENT);
	}
	host_close(sim);
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_has_one_name_and_a_name_one_command),
		cmocka_unit_test(what_is_no_name_of_a_command_is_none),
		cmocka_unit_test(a_name_is_as_long_as_a_name_may_be),
		ON_BENCH(the_environment_is_three_variables),
		ON_BENCH(the_arguments_are_those_that_were_given),
		ON_BENCH(it_stands_in_the_root_and_reads_nothing),
		ON_BENCH(no_signal_is_blocked_or_ignored),
		ON_BENCH(it_has_a_session_of_its_own),
		ON_BENCH(it_has_three_descriptors),
		ON_BENCH(what_it_leaves_running_keeps_no_lock_and_no_output),
		ON_BENCH(a_command_that_outlives_its_caller_is_ended_and_guarded),
		ON_BENCH(only_what_ends_well_is_counted),
		ON_BENCH(how_it_ended_is_told),
		ON_BENCH(at_its_deadline_it_is_killed_with_all_it_has_started),
		ON_BENCH(it_dies_with_its_worker),
		ON_BENCH(what_it_closes_or_floods_does_not_hold_us_up),
		ON_BENCH(of_its_output_the_beginning_is_kept),
		ON_BENCH(a_script_is_run_by_its_interpreter),
		ON_BENCH(what_is_not_there_is_not_run),
		ON_BENCH(a_file_that_others_could_write_is_not_run),
		ON_BENCH(a_link_in_a_folder_of_others_leads_nowhere),
		ON_BENCH(the_simulated_host_answers_the_same),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
