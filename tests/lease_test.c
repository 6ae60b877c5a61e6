/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices between VMs: what Proxmox has reserved, what another VM was lent, who comes first; and when nobody gets any. */
#include "life.h"

#include <sys/wait.h>
#include <time.h>

#include "core/leftover.h"
#include "core/off.h"
#include "core/reservations.h"
#include "host/live.h"

#define CARD "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define RACES 100

static const char one_card[] = "handover: 1\ndevices: {it: {at: \"01:00\"}}\npre-start:\n- bind: it\n";

static struct life *pair(void)
{
	return life_new(host_load("lab-pair"));
}

static void set_running(struct life *x, unsigned vmid, unsigned pid)
{
	const char *cmdline = arena_fmt(x->a, "kvm%c-id%c%u", '\0', '\0', vmid);
	const char *id = arena_fmt(x->a, "%u", vmid);

	sim_set(x->sim, arena_fmt(x->a, "run/qemu-server/%u.pid", vmid), arena_fmt(x->a, "%u", pid));
	sim_set_bytes(x->sim, arena_fmt(x->a, "proc/%u/cmdline", pid), 0, cmdline, strlen("kvm.-id.") + strlen(id) + 1);
}

/* --- what Proxmox has reserved ----------------------------------------------------------------------------------- */

/* How many count for VM 100, and the first of them. */
static size_t reserved(struct life *x, const char *text, struct reservation *first)
{
	struct reservation *list;
	size_t n;

	sim_set(x->sim, RESERVATIONS_PATH, text);
	reservations_read(&x->host, 100, x->a, &list, &n);
	*first = n ? list[0] : (struct reservation){ 0 };
	return n;
}

static void a_reservation_is_valid_until_its_time(void **state)
{
	struct life *x = pair();
	struct reservation r;

	(void)state;
	sim_set(x->sim, "clock/now", "1755600000");
	assert_int_equal(reserved(x, CARD " 101 time:1755600042\n", &r), 1);
	assert_string_equal(r.place, CARD);
	assert_int_equal(r.vmid, 101);
	assert_int_equal(r.pid, 0);
	assert_int_equal(r.seconds, 42);
	/* As Proxmox compares: at that second it is over. */
	assert_int_equal(reserved(x, CARD " 101 time:1755600000\n", &r), 0);
	assert_int_equal(reserved(x, CARD " 101 time:1755500000\n", &r), 0);
	/* Where the time is not known, nobody knows that it is over. */
	sim_remove(x->sim, "clock/now");
	assert_int_equal(reserved(x, CARD " 101 time:1\n", &r), 1);
	assert_int_equal(r.seconds, -1);
	life_free(x);
}

static void a_reservation_is_valid_as_long_as_its_process_is_the_vms(void **state)
{
	struct life *x = pair();
	struct reservation r;

	(void)state;
	assert_int_equal(reserved(x, CARD " 101 pid:4711\n", &r), 0);
	set_running(x, 101, 4711);
	assert_int_equal(reserved(x, CARD " 101 pid:4711\n", &r), 1);
	assert_int_equal(r.pid, 4711);
	/* It was another life of that VM. */
	assert_int_equal(reserved(x, CARD " 101 pid:4712\n", &r), 0);
	/* Or another VM's process. */
	assert_int_equal(reserved(x, CARD " 102 pid:4711\n", &r), 0);
	/* That cannot be found out. */
	x->deaf = "run/qemu-server/101.pid";
	assert_int_equal(reserved(x, CARD " 101 pid:4712\n", &r), 1);
	life_free(x);
}

static void a_vms_own_reservation_never_counts(void **state)
{
	struct life *x = pair();
	struct reservation r;

	(void)state;
	set_running(x, 100, 4711);
	assert_int_equal(reserved(x, CARD " 100 time:99999999999\n" CARD " 100 pid:4711\n" CARD " 100 later:1\n", &r), 0);
	assert_int_equal(reserved(x, CARD " 100 time:99999999999\n" AUDIO " 101 time:99999999999\n", &r), 1);
	assert_string_equal(r.place, AUDIO);
	life_free(x);
}

/* The file is Proxmox's own: what is not understood there is of a Proxmox that knows more. */
static void a_line_that_is_not_understood_is_believed_if_it_names_a_device(void **state)
{
	static const struct { const char *text; unsigned vmid; } believed[] = {
		{ CARD, 0 },			 { CARD "\n", 0 },
		{ CARD " x time:1", 0 },	 { CARD " 7 time:1", 0 },
		{ CARD " 101", 101 },		 { CARD " 101 time:", 101 },
		{ CARD " 101 time:soon", 101 },	 { CARD " 101 pid:4711 node:2", 101 },
		{ CARD " 101 cgroup:x", 101 },	 { "0000:01:00 101 until:2", 101 },
	};
	static const char *const others[] = { "", "\n\n", "# " CARD " 101 pid:1", "0000:01 101 time:99999999999", "x", " \t " };
	struct life *x = pair();
	struct reservation r;

	(void)state;
	sim_set(x->sim, "clock/now", "1755600000");
	for (size_t i = 0; i < COUNT(believed); i++) {
		assert_int_equal(reserved(x, believed[i].text, &r), 1);
		assert_int_equal(r.vmid, believed[i].vmid);
	}
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(reserved(x, others[i], &r), 0);
	sim_remove(x->sim, RESERVATIONS_PATH);
	reservations_read(&x->host, 100, x->a, &(struct reservation *){ NULL }, &(size_t){ 1 });
	life_free(x);
}

static const struct finding *refused_by(struct life *x, const char *reservations)
{
	sim_set(x->sim, RESERVATIONS_PATH, reservations);
	life_plan(x, 100, one_card);
	return life_finding(x, "other-guest");
}

static void what_is_reserved_is_refused_before_anything_is_touched(void **state)
{
	struct life *x = pair();
	const struct finding *f;

	(void)state;
	sim_set(x->sim, "clock/now", "1755600000");
	f = refused_by(x, CARD " 101 time:1755600042\n");
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_contains(f->what, "another guest has " CARD ": VM 101, which is being started, has reserved it for 42 s more");
	assert_int_equal(count_findings(&x->f, "other-guest"), 1);
	/* Without function it is the whole slot. */
	refused_by(x, "0000:01:00 101 time:1755600042\n");
	assert_int_equal(count_findings(&x->f, "other-guest"), 2);
	/* A VM that has it by a resource mapping has no address in its configuration. */
	set_running(x, 101, 4711);
	f = refused_by(x, AUDIO " 101 pid:4711\n");
	assert_contains(f->what, AUDIO ": VM 101 has reserved it, for process 4711");
	assert_contains(f->remedy, "stop VM 101 first");
	assert_contains(refused_by(x, AUDIO " ?\n")->what, "in a line that is not understood");
	assert_int_equal(sim_writes(x->sim), 0);
	/* Over, or about another device. */
	sim_set(x->sim, RESERVATIONS_PATH, CARD " 101 time:1755600000\n0000:02:00.0 101 time:1755600042\n");
	life_must_plan(x, 100, one_card);
	life_free(x);
}

static void a_capture_has_the_reservations_and_the_time(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("lab-pair");
	const char *text = host_capture(a, h);

	(void)state;
	sim_set(h, "clock/now", "1755600000");
	assert_null(strstr(host_capture(a, h), "clock/now"));
	sim_set(h, RESERVATIONS_PATH, CARD " 101 time:1755600042\n" AUDIO " 101 pid:4711\n");
	text = host_capture(a, h);
	assert_contains(text, "\nF: run/qemu-server/pci-id-reservations\n| " CARD " 101 time:1755600042\n| " AUDIO
			" 101 pid:4711\n\nV: clock/now=1755600000\n");
	host_close(h);
	h = host_from(text);
	assert_string_equal(host_capture(a, h), text);
	host_close(h);
}

static void the_clock_of_this_host_is_read(void **state)
{
	char text[32];
	struct host *h;
	struct error err;
	time_t before = time(NULL);

	(void)state;
	assert_int_equal(live_open(&h, &err), 0);
	assert_true(host_read(h, "clock/now", text, sizeof(text)) > 0);
	assert_true(atoll(text) >= before && atoll(text) <= time(NULL));
	assert_int_equal(host_read(h, "clock/now", text, 3), -E2BIG);
	assert_absent(h, "clock/then");
	assert_true(poke_host(h, "clock/now", "0") < 0);
	host_close(h);
}

/* --- what another VM was lent ------------------------------------------------------------------------------------ */

static enum outcome end_leftover(struct life *x, unsigned vmid, struct leftover *found)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lender l;
	enum outcome o;

	x->n_told = 0;
	lender_init(&l, &x->host, &x->store, a, "a test");
	l.engine.tell = life_hear;
	l.engine.arg = x;
	l.lock_ms = 0;
	o = leftover_end(&l, vmid, NULL, found, &x->err);
	lockset_release(&l.locks);
	return o;
}

static void a_lease_whose_qemu_is_gone_is_given_back(void **state)
{
	struct life *x = pair();
	struct leftover found;

	(void)state;
	life_must_lend(x, 101, one_card);
	assert_int_equal(end_leftover(x, 101, &found), OUTCOME_DONE);
	assert_true(found.ended);
	assert_reads(x->sim, DEVICES "/" CARD "/driver", "e1000");
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
	assert_reads(x->sim, DEVICES "/" CARD "/driver_override", "(null)");
	/* And may be lent to the one who asked. */
	life_must_lend(x, 100, one_card);
	assert_int_equal(end_leftover(x, 101, &found), OUTCOME_DONE);
	assert_false(found.ended);
	life_free(x);
}

static void a_lease_whose_qemu_runs_is_left_alone(void **state)
{
	struct life *x = pair();
	struct leftover found;

	(void)state;
	life_must_lend(x, 101, one_card);
	set_running(x, 101, 4711);
	assert_int_equal(end_leftover(x, 101, &found), OUTCOME_DONE);
	assert_int_equal(found.qemu, 4711);
	assert_false(found.ended);
	x->deaf = "run/qemu-server/101.pid";
	assert_int_equal(end_leftover(x, 101, &found), OUTCOME_DONE);
	assert_true(found.qemu < 0);
	assert_true(life_has_lease(x, 101));
	assert_reads(x->sim, DEVICES "/" CARD "/driver", "vfio-pci");
	life_free(x);
}

/* Another run is at it, in another process, for a lock is a process's own. */
static void a_lease_that_somebody_works_on_is_busy(void **state)
{
	_cleanup_locks_ struct lockset locks = { 0 };
	struct life *x = pair();
	struct leftover found;
	const char *name = "vm-101";

	(void)state;
	life_must_lend(x, 101, one_card);
	assert_int_equal(store_lock(&x->store, &locks, &name, 1, "VM 101, post-stop", 0, &x->err), 0);
	assert_int_equal(end_leftover(x, 101, &found), OUTCOME_BUSY);
	assert_contains(x->err.text, "vm-101 is in use");
	assert_true(life_has_lease(x, 101));
	life_free(x);
}

static void who_has_a_device_is_named_to_whoever_wants_it(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct life *x = pair();
	struct lender l;

	(void)state;
	life_must_lend(x, 101, one_card);
	life_must_plan(x, 100, one_card);
	life_lender(x, &l, a, 100);
	assert_int_equal(lend_out(&l, 100, x->p.profile, 1, &x->p.plan, &x->err), OUTCOME_BUSY);
	assert_int_equal(l.rival, 101);
	lockset_release(&l.locks);
	/* Not when it is but a lock. */
	life_must_end(x, 101);
	life_must_plan(x, 100, one_card);
	life_lender(x, &l, a, 100);
	l.lock_ms = 0;
	{
		_cleanup_locks_ struct lockset locks = { 0 };
		const char *name = CARD;

		assert_int_equal(store_lock(&x->store, &locks, &name, 1, "a test", 0, &x->err), 0);
		assert_int_equal(lend_out(&l, 100, x->p.profile, 1, &x->p.plan, &x->err), OUTCOME_BUSY);
		assert_int_equal(l.rival, 0);
	}
	lockset_release(&l.locks);
	life_free(x);
}

/* In a process of its own, with a host of its own: only the store is shared. Its exit status is the outcome. */
static pid_t start_lender(struct life *x, unsigned vmid, int go)
{
	pid_t pid = fork();

	if (pid == 0) {
		char byte;

		life_must_plan(x, vmid, one_card);
		(void)!read(go, &byte, 1);
		_exit((int)life_lend(x, vmid, one_card));
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void of_two_that_want_one_device_at_once_one_gets_it(void **state)
{
	struct life *x = pair();
	int won[2] = { 0, 0 };

	(void)state;
	for (int i = 0; i < RACES; i++) {
		unsigned winner;
		int go[2], first, second;
		pid_t a, b;

		assert_int_equal(pipe(go), 0);
		a = start_lender(x, 100, go[0]);
		b = start_lender(x, 101, go[0]);
		assert_int_equal(write(go[1], "gg", 2), 2);
		first = status_of(a);
		second = status_of(b);
		close(go[0]);
		close(go[1]);
		if (!(first == OUTCOME_DONE && second == OUTCOME_BUSY) && !(first == OUTCOME_BUSY && second == OUTCOME_DONE))
			fail_msg("race %d: %d and %d", i, first, second);
		winner = first == OUTCOME_DONE ? 100 : 101;
		won[winner - 100]++;
		assert_true(life_has_lease(x, winner));
		assert_false(life_has_lease(x, winner == 100 ? 101 : 100));
		/* Its host is gone with its process; the lease is all that is left. */
		assert_int_equal(store_remove(&x->store, winner), 0);
	}
	printf("figure lease-races %d\n", won[0] + won[1]);
	life_free(x);
}

/* --- switched off ------------------------------------------------------------------------------------------------ */

static void words_of_the_kernel_command_line_switch_it_off(void **state)
{
	static const char *const off[] = {
		"handover=off", "quiet handover=off splash", "\"handover=off\"", "systemd.unit=rescue.target",
		"systemd.unit=emergency.target", "systemd.unit=\"rescue.target\"", "rescue", "emergency", "ro single", "s", "S", "-s",
		"1", "-b", "modprobe.blacklist=vfio_pci", "modprobe.blacklist=vfio,vfio_pci", "modprobe.blacklist=nouveau,vfio-pci",
		"module_blacklist=vfio-pci", "module-blacklist=a,vfio_pci,b", "quiet modprobe.blacklist=a modprobe.blacklist=vfio_pci\n",
		"3 single", "systemd.unit=multi-user.target rescue",
	};
	static const char *const on[] = {
		"", "quiet", "handover=on", "nohandover=off", "handover=offline", "systemd.unit=rescue", "systemd.unit=multi-user.target",
		"singles", "init=/single", "modprobe.blacklist=", "modprobe.blacklist=vfio", "modprobe.blacklist=xvfio_pci,vfio_pcix",
		"module_blacklist", "blacklist=vfio_pci", "vfio-pci.ids=10de:2783", "single 3", "rescue systemd.unit=graphical.target", "12",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(off) + COUNT(on); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *line = i < COUNT(off) ? off[i] : on[i - COUNT(off)], *reason;
		struct host *h = sim_new();

		sim_set(h, "proc/cmdline", arena_fmt(a, "BOOT_IMAGE=/vmlinuz root=ZFS=rpool/ROOT/pve-1 %s", line));
		reason = off_reason(h, a);
		host_close(h);
		if (!reason != (i >= COUNT(off)))
			fail_msg("'%s': %s", line, reason ? reason : "not off");
	}
}

static void the_word_that_switches_it_off_is_named(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();

	(void)state;
	assert_null(off_reason(h, a));
	sim_set(h, "proc/cmdline", "quiet modprobe.blacklist=vfio,vfio-pci systemd.unit=rescue.target");
	assert_string_equal(off_reason(h, a), "'modprobe.blacklist=vfio,vfio-pci' stands on the kernel command line");
	sim_set(h, "proc/cmdline", "systemd.unit=rescue.target");
	assert_string_equal(off_reason(h, a), "'systemd.unit=rescue.target' stands on the kernel command line");
	host_close(h);
}

static void a_vm_needs_the_host_if_it_has_hostpci_lines_or_steps(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct pve_guest guest;
	struct findings f;
	static const char steps[] = "handover: 1\npost-stop:\n- service: {restart: a.service}\n", none[] = "handover: 1\npre-start:\n";

	(void)state;
	findings_init(&f, a);
	assert_false(needs_host(NULL, NULL));
	pveconf_parse("name: x\nusb0: host=1-2\n", a, &guest);
	assert_false(needs_host(&guest, NULL));
	pveconf_parse("hostpci15: mapping=gpu\n", a, &guest);
	assert_true(needs_host(&guest, NULL));
	assert_true(needs_host(NULL, profile_parse(steps, strlen(steps), "x", &f)));
	assert_false(needs_host(NULL, profile_parse(none, strlen(none), "x", &f)));
}

/* --- profiles ---------------------------------------------------------------------------------------------------- */

static void a_profile_says_how_long_it_waits(void **state)
{
	static const struct { const char *text; unsigned ms; } cases[] = {
		{ "name: x", 0 },		  { "when-busy: refuse", 0 },	       { "when-busy: {wait: 60s}", 60000 },
		{ "when-busy: {wait: 1ms}", 1 }, { "when-busy: {wait: 10m}", 600000 }, { "when-busy: {wait: 600000ms}", 600000 },
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct findings f;

	(void)state;
	findings_init(&f, a);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *text = arena_fmt(a, "handover: 1\n%s\n", cases[i].text);
		const struct profile *p = profile_parse(text, strlen(text), "x", &f);

		assert_non_null(p);
		assert_int_equal(p->wait_ms, cases[i].ms);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reservation_is_valid_until_its_time),
		cmocka_unit_test(a_reservation_is_valid_as_long_as_its_process_is_the_vms),
		cmocka_unit_test(a_vms_own_reservation_never_counts),
		cmocka_unit_test(a_line_that_is_not_understood_is_believed_if_it_names_a_device),
		cmocka_unit_test(what_is_reserved_is_refused_before_anything_is_touched),
		cmocka_unit_test(a_capture_has_the_reservations_and_the_time),
		cmocka_unit_test(the_clock_of_this_host_is_read),
		cmocka_unit_test(a_lease_whose_qemu_is_gone_is_given_back),
		cmocka_unit_test(a_lease_whose_qemu_runs_is_left_alone),
		cmocka_unit_test(a_lease_that_somebody_works_on_is_busy),
		cmocka_unit_test(who_has_a_device_is_named_to_whoever_wants_it),
		cmocka_unit_test(of_two_that_want_one_device_at_once_one_gets_it),
		cmocka_unit_test(words_of_the_kernel_command_line_switch_it_off),
		cmocka_unit_test(the_word_that_switches_it_off_is_named),
		cmocka_unit_test(a_vm_needs_the_host_if_it_has_hostpci_lines_or_steps),
		cmocka_unit_test(a_profile_says_how_long_it_waits),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
