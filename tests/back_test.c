/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network interface that is back is looked at: its carrier, its gateway, and what is said where one of them does not come. */
#include "life.h"

#include <setjmp.h>

#define NIC "0000:00:1f.6"
#define GATEWAY "192.0.2.254 over vmbr0"
#define NIC_LENT(back) \
	"handover: 1\naccept: {unverified-isolation: it}\ndevices: {it: {at: \"00:1f.6\"}}\n" \
	"pre-start:\n- bind: it\n  return: " back "\n"
#define NIC_CYCLED \
	"handover: 1\naccept: {unverified-isolation: it}\ndevices: {it: {at: \"00:1f.6\"}}\npre-start:\n- cycle: it\n"

/* A host on whose interface somebody answers. How often he is asked is counted: each look asks first whether it is a link. */
static unsigned asked;
static ssize_t (*link_on)(struct host *h, const char *name, char *buf, size_t size);

static ssize_t link_and_count(struct host *h, const char *name, char *buf, size_t size)
{
	asked += strcmp(name, "nic/" NIC "/gateway") == 0;
	return link_on(h, name, buf, size);
}

static struct life *new_life(void)
{
	static struct host_ops counting;
	struct life *x = life_booted(host_load("elitedesk"));

	sim_set(x->sim, "nic/" NIC "/carrier", "on");
	sim_set(x->sim, "nic/" NIC "/gateway", GATEWAY);
	counting = *x->host.ops;
	link_on = counting.link;
	counting.link = link_and_count;
	x->host.ops = &counting;
	asked = 0;
	return x;
}

static const char *told_of(const struct life *x)
{
	const char *text = "";

	for (size_t i = 0; i < x->n_told; i++)
		if (*x->told[i].text) {
			assert_string_equal(text, "");
			text = x->told[i].text;
		}
	return text;
}

static void the_gateway_is_asked_once_when_all_is_back(void **state)
{
	static const char *const texts[] = { NIC_LENT("driver"), NIC_LENT("cycle") };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct life *x = new_life();
		int64_t begun;

		life_must_lend(x, 100, texts[i]);
		assert_int_equal(asked, 1);
		assert_absent(x->sim, "nic/" NIC "/carrier");
		assert_absent(x->sim, "nic/" NIC "/gateway");
		begun = host_now(x->sim);
		x->n_told = 0;
		life_must_end(x, 100);
		assert_int_equal(asked, 2);
		assert_reads(x->sim, "nic/" NIC "/carrier", "on");
		assert_reads(x->sim, "nic/" NIC "/gateway", GATEWAY);
		assert_string_equal(told_of(x), "");
		assert_true(host_now(x->sim) - begun < 1000);
		life_free(x);
	}
}

static void one_that_only_leaves_for_a_moment_is_looked_at_too(void **state)
{
	struct life *x = new_life();

	(void)state;
	life_must_lend(x, 100, NIC_CYCLED);
	assert_int_equal(asked, 2);
	assert_reads(x->sim, "nic/" NIC "/gateway", GATEWAY);
	life_must_end(x, 100);
	assert_int_equal(asked, 2);
	life_free(x);
}

static void nobody_is_asked_where_nobody_answered(void **state)
{
	static const struct {
		const char *gone, *also;
		unsigned asked;
	} cases[] = {
		{ "nic/" NIC "/gateway", "nic/" NIC "/none", 1 },
		{ "nic/" NIC "/carrier", "nic/" NIC "/gateway", 0 },
		{ "nic/" NIC "/carrier", "nic/" NIC "/none", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = new_life();
		int64_t begun;

		sim_remove(x->sim, cases[i].gone);
		sim_remove(x->sim, cases[i].also);
		life_must_lend(x, 100, NIC_LENT("driver"));
		begun = host_now(x->sim);
		x->n_told = 0;
		life_must_end(x, 100);
		if (asked != cases[i].asked)
			fail_msg("case %zu: asked %u times", i, asked);
		assert_string_equal(told_of(x), "");
		assert_true(host_now(x->sim) - begun < 1000);
		life_free(x);
	}
}

/* All is back and the lease has ended, but the host is not as it was; the last line says why, and nobody can try again. */
static void assert_lost(struct life *x, enum outcome o, const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char last[STORE_LAST_BYTES];

	assert_int_equal(o, OUTCOME_CHANGED);
	assert_string_equal(x->err.text, arena_fmt(a, "all is back, but the network is not as it was: %s", text));
	assert_false(life_has_lease(x, 100));
	assert_true(store_get_last(&x->store, 100, last) > 0);
	assert_string_equal(last, arena_fmt(a, "the network was not as it was: %s", text));
	assert_int_equal(life_back(x, 100), OUTCOME_DONE);
	assert_false(x->ended);
	assert_int_equal(x->n_told, 0);
}

/* What happens at the other end while the card is away. */
static void end_without(const char *gone, const char *text)
{
	struct life *x = new_life();
	char last[STORE_LAST_BYTES];
	int64_t begun;
	enum outcome o;

	life_must_lend(x, 100, NIC_LENT("driver"));
	sim_remove(x->sim, gone);
	begun = host_now(x->sim);
	o = life_back(x, 100);
	assert_true(x->ended);
	assert_string_equal(told_of(x), text);
	/* All is back; it was waited for, and not longer than was said. */
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	assert_in_range(host_now(x->sim) - begun, HOPE_NETWORK_MS, HOPE_NETWORK_MS + 1000);
	assert_lost(x, o, text);
	/* The next lease is about the network as it is now. */
	life_must_lend(x, 100, NIC_LENT("driver"));
	assert_int_equal(store_get_last(&x->store, 100, last), -ENOENT);
	life_must_end(x, 100);
	assert_int_equal(store_get_last(&x->store, 100, last), -ENOENT);
	life_free(x);
}

#define NO_GATEWAY \
	"the gateway 192.0.2.254 does not answer over vmbr0, as it did before eno1 (" NIC ") left; look with `ip neighbour` " \
	"and `ip route`"
#define NO_CARRIER "no carrier on eno1 (" NIC "), which had one before; look at its cable, and at the switch's port"

static void a_gateway_that_does_not_answer_is_told(void **state)
{
	(void)state;
	end_without("nic/" NIC "/sim_gateway", NO_GATEWAY);
}

static void a_carrier_that_does_not_come_is_told(void **state)
{
	(void)state;
	end_without("nic/" NIC "/sim_carrier", NO_CARRIER "; " NO_GATEWAY);
}

/* A switch that takes its time. */
static struct life *slow;
static int64_t lets_through_at;
static ssize_t (*read_fast)(struct host *h, const char *name, char *buf, size_t size);

static ssize_t read_slowly(struct host *h, const char *name, char *buf, size_t size)
{
	if (strcmp(name, "nic/" NIC "/carrier") == 0 && host_now(slow->sim) < lets_through_at)
		return -ENOENT;
	return read_fast(h, name, buf, size);
}

static void a_switch_that_takes_its_time_is_waited_for(void **state)
{
	static const int64_t after_ms[] = { 1, HOPE_MS + 1000, HOPE_NETWORK_MS - 1, HOPE_NETWORK_MS + 5000 };
	static struct host_ops slowly;

	(void)state;
	for (size_t i = 0; i < COUNT(after_ms); i++) {
		bool comes = after_ms[i] < HOPE_NETWORK_MS;
		int64_t begun;

		slow = new_life();
		life_must_lend(slow, 100, NIC_LENT("driver"));
		slowly = *slow->host.ops;
		read_fast = slowly.read;
		slowly.read = read_slowly;
		slow->host.ops = &slowly;
		begun = host_now(slow->sim);
		lets_through_at = begun + after_ms[i];
		assert_int_equal(life_back(slow, 100), comes ? OUTCOME_DONE : OUTCOME_CHANGED);
		assert_string_equal(told_of(slow), comes ? "" : NO_CARRIER);
		/* Without a carrier it is asked for the last time only. */
		assert_int_equal(asked, 2);
		assert_true(host_now(slow->sim) - begun <= HOPE_NETWORK_MS);
		life_free(slow);
	}
}

static void a_start_that_fails_waits_for_the_network_as_well(void **state)
{
	struct life *x = new_life();

	(void)state;
	/* The second write after the card was let go fails for good, so all is undone. */
	sim_break(x->sim, 4, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
	assert_true(life_lend(x, 100, NIC_LENT("driver")) != OUTCOME_DONE);
	assert_reads(x->sim, "nic/" NIC "/gateway", GATEWAY);
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	assert_int_equal(asked, 2);
	life_free(x);
}

/* From the first write on nobody answers any more. */
static void silence(struct life *x, const char *name, const char *value)
{
	(void)name, (void)value;
	if (host_has(x->sim, "nic/" NIC "/sim_gateway"))
		sim_remove(x->sim, "nic/" NIC "/sim_gateway");
}

static void break_unit(struct life *x, const char *name, const char *value)
{
	(void)value;
	if (str_starts(name, "unit/"))
		sim_break(x->sim, 1, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
}

static void a_start_that_fails_says_that_the_network_is_not_as_it_was(void **state)
{
	static const char *const texts[] = {
		NIC_LENT("driver"),
		/* This one had come back already, and was told then. */
		NIC_CYCLED "- service: {start: other.service}\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct life *x = new_life();

		sim_set(x->sim, "unit/other.service/state", "inactive");
		sim_set(x->sim, "unit/other.service/run", "");
		x->before = break_unit;
		x->after = silence;
		if (i == 0)
			sim_break(x->sim, 4, SIM_FAIL_BEFORE, -EIO, NULL, NULL);
		assert_int_equal(life_lend(x, 100, texts[i]), OUTCOME_CHANGED);
		assert_contains(x->err.text, "failed");
		assert_contains(x->err.text, "; all is back, but the network is not as it was: " NO_GATEWAY);
		assert_false(life_has_lease(x, 100));
		assert_int_equal(life_back(x, 100), OUTCOME_DONE);
		assert_false(x->ended);
		life_free(x);
	}
}

/* A switch may be slow, and the VM that starts may be the gateway. */
static void a_start_goes_on_without_the_network(void **state)
{
	struct life *x = new_life();

	(void)state;
	x->after = silence;
	life_must_lend(x, 100, NIC_CYCLED);
	assert_string_equal(told_of(x), NO_GATEWAY);
	/* It is not lent, so the way back is not about it. */
	life_must_end(x, 100);
	assert_int_equal(x->n_told, 1);
	assert_string_equal(told_of(x), "");
	life_free(x);
}

static void what_post_stop_does_may_lose_the_network_as_well(void **state)
{
	struct life *x = new_life();
	enum outcome o;

	(void)state;
	life_must_lend(x, 100, "handover: 1\naccept: {unverified-isolation: it}\ndevices: {it: {at: \"00:1f.6\"}}\n"
			       "post-stop:\n- cycle: it\n");
	x->after = silence;
	o = life_back(x, 100);
	assert_string_equal(told_of(x), NO_GATEWAY);
	assert_lost(x, o, NO_GATEWAY);
	life_free(x);
}

/* A step that fails is told first; the network, which nobody tries again, is told with it. */
static void a_failure_does_not_hide_the_network(void **state)
{
	static const struct {
		const char *steps;
		bool ends;
	} cases[] = {
		{ "pre-start:\n- service: {stop: other.service}\n- bind: it\n", false },
		{ "pre-start:\n- bind: it\npost-stop:\n- service: {stop: other.service}\n", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = new_life();

		sim_set(x->sim, "unit/other.service/state", "active");
		sim_set(x->sim, "unit/other.service/run", "1");
		life_must_lend(x, 100, arena_fmt(x->a, "handover: 1\naccept: {unverified-isolation: it}\n"
						       "devices: {it: {at: \"00:1f.6\"}}\n%s", cases[i].steps));
		x->before = break_unit;
		x->after = silence;
		assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
		assert_contains(x->err.text, "other.service: ");
		assert_contains(x->err.text, "; and the network is not as it was: " NO_GATEWAY);
		assert_int_equal(life_has_lease(x, 100), !cases[i].ends);
		x->before = NULL;
		/* Whoever takes the rest back asks the network once more: it may have come since. */
		if (!cases[i].ends)
			assert_lost(x, life_back(x, 100), NO_GATEWAY);
		assert_int_equal(life_back(x, 100), OUTCOME_DONE);
		assert_false(x->ended);
		life_free(x);
	}
}

/* What a VM that runs has not got after all. */
static void what_is_given_back_early_may_lose_the_network_as_well(void **state)
{
	static const bool all[PLAN_STEPS_MAX] = { true };
	struct life *x = new_life();
	char last[STORE_LAST_BYTES];
	struct lender l;
	struct lease lease;

	(void)state;
	life_must_lend(x, 100, NIC_LENT("driver"));
	assert_int_equal(journal_peek(&x->store, 100, x->a, &lease, &x->err), 0);
	assert_int_equal(lease.n, 1);
	sim_remove(x->sim, "nic/" NIC "/sim_gateway");
	life_lender(x, &l, x->a, 100);
	assert_int_equal(lend_give(&l, 100, lease.generation, all, &x->err), OUTCOME_CHANGED);
	lockset_release(&l.locks);
	assert_string_equal(x->err.text, "all is back, but the network is not as it was: " NO_GATEWAY);
	/* Post-stop has nothing to do with it any more. */
	life_must_end(x, 100);
	assert_int_equal(x->n_told, 0);
	assert_true(store_get_last(&x->store, 100, last) > 0);
	life_free(x);
}

/* --- network: ---------------------------------------------------------------------------------------------------- */

#define IFRELOAD "command/usr/sbin/ifreload"

/* Writes to the command, and what each does. */
static unsigned ifreloads;
static bool helps;

static void after_ifreload(struct life *x, const char *name, const char *value)
{
	if (strcmp(name, IFRELOAD "%20-a") != 0)
		return;
	assert_string_equal(value, "run");
	ifreloads++;
	if (helps)
		sim_set(x->sim, "nic/" NIC "/gateway", GATEWAY);
}

static struct life *life_with_ifreload(void)
{
	struct life *x = new_life();

	sim_set(x->sim, IFRELOAD, "");
	x->after = after_ifreload;
	ifreloads = 0;
	return x;
}

static void ifreload_is_run_once_where_the_gateway_does_not_answer(void **state)
{
	static const struct {
		bool answers, helps;
		const char *told;
	} cases[] = { { true, false, "" }, { false, true, "" }, { false, false, NO_GATEWAY } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = life_with_ifreload();

		helps = cases[i].helps;
		life_must_lend(x, 100, NIC_LENT("driver") "network: ifreload\n");
		assert_int_equal(ifreloads, 0);
		if (!cases[i].answers)
			sim_remove(x->sim, "nic/" NIC "/sim_gateway");
		assert_int_equal(life_back(x, 100), *cases[i].told ? OUTCOME_CHANGED : OUTCOME_DONE);
		assert_int_equal(ifreloads, !cases[i].answers);
		assert_string_equal(told_of(x), cases[i].told);
		assert_false(life_has_lease(x, 100));
		life_free(x);
	}
}

static void an_ifreload_that_fails_is_told_too(void **state)
{
	struct life *x = life_with_ifreload();

	(void)state;
	life_must_lend(x, 100, NIC_LENT("driver") "network: ifreload\n");
	sim_remove(x->sim, "nic/" NIC "/sim_gateway");
	sim_remove(x->sim, IFRELOAD);
	assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
	assert_contains(told_of(x), NO_GATEWAY "; running '/usr/sbin/ifreload -a' because the gateway does not answer failed");
	assert_contains(x->err.text, told_of(x));
	life_free(x);
}

static jmp_buf death;

static void die_before_rescan(struct life *x, const char *name, const char *value)
{
	(void)value;
	if (strcmp(strrchr(name, '/'), "/rescan") != 0)
		return;
	x->before = NULL;
	longjmp(death, 1);
}

/* What a command was does not make a step of another program that has to find its function again. */
static void one_killed_before_the_rescan_is_found_again(void **state)
{
	static struct lender l;
	_cleanup_arena_ struct arena *a = arena_new();
	struct life *x = life_with_ifreload();

	(void)state;
	life_must_lend(x, 100, "handover: 1\nnetwork: ifreload\naccept: {unverified-isolation: it}\n"
			       "devices: {it: {at: \"00:1f.6\"}}\npost-stop:\n- cycle: it\n");
	x->before = die_before_rescan;
	if (setjmp(death) == 0) {
		life_lender(x, &l, a, 100);
		lend_back(&l, 100, &x->ended, &x->err);
		fail_msg("nobody was killed");
	}
	lockset_release(&l.locks);
	assert_absent(x->sim, "life/" NIC);
	life_must_end(x, 100);
	assert_reads(x->sim, "nic/" NIC "/master", "vmbr0");
	assert_reads(x->sim, "nic/" NIC "/gateway", GATEWAY);
	assert_int_equal(ifreloads, 0);
	life_free(x);
}

static void ifreload_must_be_there(void **state)
{
	struct life *x = new_life();

	(void)state;
	life_refused(x, 100, NIC_LENT("driver") "network: ifreload\n", "ifreload-missing");
	/* Where nobody answers it would never be run; but that may be otherwise when the start is real. */
	sim_remove(x->sim, "nic/" NIC "/gateway");
	life_refused(x, 100, NIC_LENT("driver") "network: ifreload\n", "ifreload-missing");
	/* No interface, no network. */
	life_must_plan(x, 100, "handover: 1\nnetwork: ifreload\naccept: {unverified-isolation: it}\n"
			       "devices: {it: {at: \"00:1f.3\"}}\npre-start:\n- bind: it\n");
	life_free(x);
}

static void with_network_none_the_interface_is_left_as_it_comes(void **state)
{
	struct life *x = new_life();

	(void)state;
	sim_set(x->sim, "nic/" NIC "/loose", "upper eno1.100");
	life_refused(x, 100, NIC_LENT("driver"), "nic-loose-ends");
	asked = 0;
	life_must_lend(x, 100, NIC_LENT("driver") "network: none\n");
	x->n_told = 0;
	life_must_end(x, 100);
	assert_int_equal(asked, 0);
	assert_string_equal(told_of(x), "");
	assert_reads(x->sim, DEVICES "/" NIC "/driver", "e1000e");
	assert_reads(x->sim, "nic/" NIC "/up", "down");
	assert_absent(x->sim, "nic/" NIC "/master");
	life_free(x);
}

/* One lender may take several things back: what is said of one is not said of the next, which may not even begin. */
static void that_all_is_back_is_said_of_no_other(void **state)
{
	struct life *x = new_life();
	struct lender first, second;
	struct error err;

	(void)state;
	life_lender(x, &first, x->a, 100);
	lender_init(&second, &x->host, &x->store, x->a, "a test");
	second.all_back = true;
	second.lock_ms = 10;
	assert_int_equal(lend_lock(&second, 100, &err), OUTCOME_BUSY);
	assert_false(second.all_back);
	lockset_release(&second.locks);
	lockset_release(&first.locks);
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(that_all_is_back_is_said_of_no_other),
		cmocka_unit_test(the_gateway_is_asked_once_when_all_is_back),
		cmocka_unit_test(one_that_only_leaves_for_a_moment_is_looked_at_too),
		cmocka_unit_test(nobody_is_asked_where_nobody_answered),
		cmocka_unit_test(a_gateway_that_does_not_answer_is_told),
		cmocka_unit_test(a_carrier_that_does_not_come_is_told),
		cmocka_unit_test(a_switch_that_takes_its_time_is_waited_for),
		cmocka_unit_test(a_start_that_fails_waits_for_the_network_as_well),
		cmocka_unit_test(a_start_that_fails_says_that_the_network_is_not_as_it_was),
		cmocka_unit_test(a_start_goes_on_without_the_network),
		cmocka_unit_test(what_post_stop_does_may_lose_the_network_as_well),
		cmocka_unit_test(a_failure_does_not_hide_the_network),
		cmocka_unit_test(what_is_given_back_early_may_lose_the_network_as_well),
		cmocka_unit_test(ifreload_is_run_once_where_the_gateway_does_not_answer),
		cmocka_unit_test(an_ifreload_that_fails_is_told_too),
		cmocka_unit_test(one_killed_before_the_rescan_is_found_again),
		cmocka_unit_test(ifreload_must_be_there),
		cmocka_unit_test(with_network_none_the_interface_is_left_as_it_comes),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
