/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an interface is of use: its carrier and its gateway, on a real kernel. The other end is in a namespace of its own. */
#include "nic_ground.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "host/neighbour.h"

/* --- the other end ----------------------------------------------------------------------------------------------- */

static struct {
	pid_t pid;
	int ask, answer;
} there;

/* Runs commands in a namespace of its own, for as long as it is asked to. */
static _Noreturn void serve(int ask, int answer)
{
	char command[512], ok = unshare(CLONE_NEWNET) == 0;
	ssize_t n;

	do {
		if (write(answer, &ok, 1) != 1)
			break;
		n = read(ask, command, sizeof(command) - 1);
		command[n > 0 ? n : 0] = '\0';
		ok = n > 0 && system(command) == 0;
	} while (n > 0);
	_exit(0);
}

static bool is_answered(void)
{
	char ok = 0;

	return read(there.answer, &ok, 1) == 1 && ok;
}

static bool runs_there(const char *command)
{
	return write(there.ask, command, strlen(command)) == (ssize_t)strlen(command) && is_answered();
}

static int set_up_both(void **state)
{
	int ask[2], answer[2];
	char command[64];

	set_up(state);
	if (why_not)
		return 0;
	assert_true(pipe2(ask, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0);
	there.pid = fork();
	assert_true(there.pid >= 0);
	if (there.pid == 0) {
		close(ask[1]);
		close(answer[0]);
		serve(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	there.ask = ask[1];
	there.answer = answer[0];
	assert_true(is_answered());
	snprintf(command, sizeof(command), "ip link set peer0 netns %d", (int)there.pid);
	assert_true(runs(command));
	return 0;
}

static int tear_down_both(void **state)
{
	char command[64];

	if (!why_not) {
		snprintf(command, sizeof(command), "ip link set peer0 netns %d", (int)getpid());
		runs_there(command);
		close(there.ask);
		close(there.answer);
		waitpid(there.pid, NULL, 0);
	}
	return tear_down(state);
}

#define BOTH(test) cmocka_unit_test_setup_teardown(test, set_up_both, tear_down_both)

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void the_carrier_is_the_other_ends(void **state)
{
	struct ground *g = on_kernel(state);

	assert_no_nic(g, "carrier");
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_no_nic(g, "carrier");
	assert_true(runs_there("ip link set peer0 up"));
	assert_nic(g, "carrier", "on");
	assert_int_equal(poke(g, "up", "down"), 0);
	assert_no_nic(g, "carrier");
	assert_int_equal(poke(g, "carrier", "on"), -EACCES);
	assert_int_equal(poke(g, "gateway", "192.0.2.254 over p0"), -EACCES);
}

static void a_gateway_over_the_bridge_answers(void **state)
{
	struct ground *g = on_kernel(state);
	int64_t begun;

	assert_true(runs("ip link set p0 up && ip link set p0 master b0 && ip link set b0 up"));
	assert_true(runs("ip address add 198.51.100.1/24 dev b0 && ip address add 192.0.2.1/24 dev b0"));
	assert_true(runs_there("ip link set peer0 up && ip address add 192.0.2.254/24 dev peer0"));
	assert_no_nic(g, "gateway");
	/* Of another table, and to a part of the world: they are not the default route. */
	assert_true(runs("ip route add default via 192.0.2.254 table 100 && ip route add 203.0.113.0/24 via 192.0.2.254"));
	assert_no_nic(g, "gateway");
	/* Nobody was asked so far. */
	assert_true(runs_there("! ip neighbour show 192.0.2.1 | grep -q lladdr"));
	assert_true(runs("ip route add default via 192.0.2.254"));
	assert_nic(g, "gateway", "192.0.2.254 over b0");
	/* The question says where the host is. */
	assert_true(runs_there("ip neighbour show 192.0.2.1 | grep -q lladdr"));

	assert_true(runs_there("ip address flush dev peer0"));
	begun = clock_ms(CLOCK_MONOTONIC);
	assert_no_nic(g, "gateway");
	assert_in_range(clock_ms(CLOCK_MONOTONIC) - begun, NEIGHBOUR_TRIES * NEIGHBOUR_TRY_MS,
			NEIGHBOUR_TRIES * NEIGHBOUR_TRY_MS + 800);
	assert_true(runs_there("ip address add 192.0.2.254/24 dev peer0"));
	assert_nic(g, "gateway", "192.0.2.254 over b0");
}

static void a_gateway_over_what_stands_on_it_is_found(void **state)
{
	struct ground *g = on_kernel(state);

	if (!runs("ip link add link p0 name p0.5 type vlan id 5 2>/dev/null"))
		skip();
	assert_true(runs("ip link set p0 up && ip link set p0.5 up && ip link set p0.5 master b1 && ip link set b1 up"));
	assert_true(runs("ip address add 192.0.2.1/24 dev b1 && ip route add default via 192.0.2.254"));
	assert_true(runs_there("ip link set peer0 up && ip link add link peer0 name peer0.5 type vlan id 5"));
	assert_true(runs_there("ip link set peer0.5 up && ip address add 192.0.2.254/24 dev peer0.5"));
	assert_nic(g, "gateway", "192.0.2.254 over b1");
	assert_true(runs("ip link delete p0.5"));
	/* Now the bridge stands on something else. */
	assert_no_nic(g, "gateway");
}

static void the_gateway_that_the_kernel_prefers_is_asked(void **state)
{
	struct ground *g = on_kernel(state);

	assert_true(runs("ip link set p0 up && ip address add 192.0.2.1/24 dev p0 && ip link set b1 up"));
	assert_true(runs("ip address add 198.51.100.1/24 dev b1"));
	assert_true(runs_there("ip link set peer0 up && ip address add 192.0.2.254/24 dev peer0"));
	assert_true(runs_there("ip address add 192.0.2.253/24 dev peer0"));
	assert_true(runs("ip route add default via 198.51.100.254"));
	assert_no_nic(g, "gateway");
	assert_true(runs("ip route add default via 192.0.2.253 metric 200 && ip route add default via 192.0.2.254 metric 100"));
	assert_nic(g, "gateway", "192.0.2.254 over p0");
	assert_true(runs("ip route del default metric 100 && ip route del default metric 200"));
	assert_true(runs("ip route replace default nexthop via 198.51.100.254 nexthop via 192.0.2.253"));
	assert_nic(g, "gateway", "192.0.2.253 over p0");
	/* Without an address of its own there it is asked all the same. */
	assert_true(runs("ip route del default && ip address flush dev p0 && ip address flush dev b1"));
	assert_true(runs("ip route add default via 192.0.2.254 dev p0 onlink"));
	assert_nic(g, "gateway", "192.0.2.254 over p0");
}

static void a_gateway_of_ipv6_is_asked_where_there_is_no_other(void **state)
{
	struct ground *g = on_kernel(state);

	if (access("/proc/sys/net/ipv6", F_OK) != 0)
		skip();
	assert_true(runs("echo 0 >/proc/sys/net/ipv6/conf/p0/accept_dad; ip link set p0 up"));
	assert_true(runs_there("ip link set peer0 up && ip address add 2001:db8::ffff/64 dev peer0 nodad"));
	assert_true(runs("ip address add 2001:db8::1/64 dev p0 nodad && ip -6 route add default via 2001:db8::ffff"));
	assert_nic(g, "gateway", "2001:db8::ffff over p0");
	assert_true(runs_there("ip address add fe80::ffff/64 dev peer0 nodad"));
	assert_true(runs("ip -6 route replace default via fe80::ffff dev p0"));
	assert_nic(g, "gateway", "fe80::ffff over p0");
	assert_true(runs_there("ip address add 192.0.2.254/24 dev peer0"));
	assert_true(runs("ip address add 192.0.2.1/24 dev p0 && ip route add default via 192.0.2.254"));
	assert_nic(g, "gateway", "192.0.2.254 over p0");
	assert_true(runs("ip route del default"));
	assert_true(runs_there("ip address del fe80::ffff/64 dev peer0"));
	assert_no_nic(g, "gateway");
}

static void one_that_is_down_has_no_gateway(void **state)
{
	struct ground *g = on_kernel(state);

	assert_true(runs("ip link set p0 master b0 && ip link set b0 up && ip address add 192.0.2.1/24 dev b0"));
	assert_true(runs("ip route add default via 192.0.2.254"));
	assert_true(runs_there("ip link set peer0 up && ip address add 192.0.2.254/24 dev peer0"));
	assert_no_nic(g, "gateway");
	assert_int_equal(poke(g, "up", "up"), 0);
	assert_nic(g, "gateway", "192.0.2.254 over b0");
	assert_int_equal(poke(g, "master", ""), 0);
	assert_no_nic(g, "gateway");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(the_carrier_is_the_other_ends),
		BOTH(a_gateway_over_the_bridge_answers),
		BOTH(a_gateway_over_what_stands_on_it_is_found),
		BOTH(the_gateway_that_the_kernel_prefers_is_asked),
		BOTH(a_gateway_of_ipv6_is_asked_where_there_is_no_other),
		BOTH(one_that_is_down_has_no_gateway),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
