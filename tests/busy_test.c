/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices whose nodes somebody has open: they are not taken from their drivers, on no way, because that would hang in the
 * kernel; who it is is told. And what hangs all the same is written down for those who come later.
 */
#include "life.h"

#include "core/holders.h"
#include "core/same.h"
#include "core/stake.h"

#define NIC "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define BOARD "0000:03:00.0"
#define SLOT "/devices/pci0000:00/0000:00:01.0/"
#define CONTROL SLOT AUDIO "/sound/card0/controlC0"
#define PLAYBACK SLOT AUDIO "/sound/card0/pcmC0D0p"
#define SOUND \
	"P: /class/sound\nL: controlC0=../.." CONTROL "\nL: pcmC0D0p=../.." PLAYBACK "\nP: " CONTROL "\nP: " PLAYBACK "\n"

#define HELD_CONTROL "holder/dev/snd/controlC0"
#define PIPEWIRE "733 user@1000.service pipewire"
#define LENT "handover: 1\ndevices: {it: {at: \"01:00.1\"}}\npre-start:\n- bind: it\n"
#define STOPPED_BEFORE(unit) \
	"handover: 1\ndevices: {it: {at: \"01:00.1\"}}\npre-start:\n- service: {stop: " unit "}\n- bind: it\n"

/* Two functions in one group, one of them with sound. */
static struct host *pair_with(const char *more)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n;
	char *text = file_read(a, "tests/hosts/lab-pair.host", &n);

	text[n] = '\0';
	return host_from(arena_fmt(a, "%s\n" SOUND "%s", text, more));
}

static void add_unit(struct life *x, const char *unit)
{
	sim_set(x->sim, arena_fmt(x->a, "unit/%s/state", unit), "active");
	sim_set(x->sim, arena_fmt(x->a, "unit/%s/run", unit), "1234");
}

/* --- processes that come and go while handover works ---------------------------------------------------------------- */

static struct {
	const char *node, *line;	/* opened ... */
	const char *file;		/* ... with the write to a file of this name */
	const char *closed;		/* closed by its process ... */
	unsigned after_waits;		/* ... after so many waits */
	const char *mute;		/* asked who has it open, the kernel does not answer */
	unsigned waits, asked;
	char unbound[8][16];		/* functions that were taken from their drivers */
	size_t n;
} scene;

static void see(struct life *x, const char *name, const char *value)
{
	const char *file = strrchr(name, '/') + 1;

	if (strcmp(file, "unbind") == 0 && scene.n < COUNT(scene.unbound))
		snprintf(scene.unbound[scene.n++], sizeof(scene.unbound[0]), "%s", value);
	if (scene.file && strcmp(file, scene.file) == 0)
		sim_set(x->sim, scene.node, scene.line);
}

static int wait_and_close(struct host *h, unsigned ms)
{
	struct life *x = (struct life *)h;

	if (++scene.waits == scene.after_waits)
		sim_remove(x->sim, scene.closed);
	return life_wait(h, ms);
}

static ssize_t count_reads(struct host *h, const char *name, char *buf, size_t size)
{
	scene.asked += strncmp(name, "holder/", 7) == 0;
	if (scene.mute && strcmp(name, scene.mute) == 0)
		return -ETIMEDOUT;
	return life_read(h, name, buf, size);
}

static int count_lists(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	scene.asked += strncmp(name, "holder/", 7) == 0;
	return life_list(h, name, a, names, n);
}

static struct life *watched(struct host *sim)
{
	static struct host_ops ops;
	struct life *x = life_new(sim);

	memset(&scene, 0, sizeof(scene));
	ops = *x->host.ops;
	ops.wait = wait_and_close;
	ops.read = count_reads;
	ops.list = count_lists;
	x->host.ops = &ops;
	x->before = see;
	return x;
}

static bool was_unbound(const char *address)
{
	for (size_t i = 0; i < scene.n; i++)
		if (strcmp(scene.unbound[i], address) == 0)
			return true;
	return false;
}

static void look_at(struct life *x, struct inventory *inv)
{
	if (inventory_read(x->sim, x->a, inv, &x->err) < 0)
		fail_msg("%s", x->err.text);
}

static void assert_as_it_was(struct life *x, const struct inventory *then)
{
	struct inventory now;
	const char *line;

	look_at(x, &now);
	if (same_differences(then, &now, x->a, &line, 1))
		fail_msg("%s", line);
}

/* --- planning -------------------------------------------------------------------------------------------------------- */

static void a_node_that_is_open_refuses_a_start(void **state)
{
	struct life *x = watched(pair_with("V: " HELD_CONTROL "=" PIPEWIRE "\nV: holder/dev/snd/pcmC0D0p=" PIPEWIRE "\n"));
	const struct finding *f = life_refused(x, 100, LENT, "device-busy");

	(void)state;
	/* One process is told once. */
	assert_string_equal(f->what, "its driver would not let go of " AUDIO ": /dev/snd/controlC0 is held by process 733 "
				     "(pipewire) of user@1000.service");
	assert_string_equal(f->remedy, "stop user@1000.service first");
	life_free(x);
}

static void whoever_has_it_is_named(void **state)
{
	static const struct { const char *line, *code, *what, *remedy; } cases[] = {
		{ "5 - aplay", "device-busy", "process 5 (aplay)", "end process 5 first" },
		{ "5 session-3.scope aplay", "device-busy", "process 5 (aplay) of session-3.scope", "end process 5 first" },
		{ "5 mpd.service mpd", "device-busy", "process 5 (mpd) of mpd.service", "stop mpd.service first" },
		{ "5 101.scope kvm", "other-guest", "process 5 (kvm) of VM 101 (101.scope)", "stop VM 101 first" },
		{ "5 lxc/105 pulseaudio", "other-guest", "process 5 (pulseaudio) of container 105", "stop container 105 first" },
		{ "5 - a\n6 x.service b", "device-busy", "process 5 (a); /dev/snd/controlC0 is held by process 6 (b) of x.service",
		  "end process 5 first; stop x.service first" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct life *x = life_new(pair_with(""));
		const struct finding *f;

		sim_set(x->sim, HELD_CONTROL, cases[i].line);
		f = life_refused(x, 100, LENT, cases[i].code);
		assert_contains(f->what, arena_fmt(x->a, "%s: /dev/snd/controlC0 is held by %s", AUDIO, cases[i].what));
		assert_string_equal(f->remedy, cases[i].remedy);
		life_free(x);
	}
}

/* Of a VM that runs, and is asked about. */
static void what_a_vm_has_itself_is_no_reason(void **state)
{
	struct life *x = life_new(pair_with("V: " HELD_CONTROL "=5 100.scope kvm\n"));

	(void)state;
	life_must_plan(x, 100, LENT);
	life_refused(x, 101, LENT, "other-guest");
	life_free(x);
}

/* Driver of the function, what stands in sysfs, what is open. */
static void all_nodes_below_a_function_count_and_no_others(void **state)
{
#define I2C "P: /class/i2c-dev\nL: i2c-7=../.." SLOT AUDIO "/drm/card0/card0-DP-1/i2c-7/i2c-dev/i2c-7\n"
#define CARD "P: /class/drm\nL: renderD128=../.." SLOT AUDIO "/drm/renderD128\n"
#define CDEV "P: /class/vfio-dev\nL: vfio3=../.." SLOT AUDIO "/vfio-dev/vfio3\n"
#define USB_SOUND "P: /class/sound\nL: controlC1=../.." SLOT AUDIO "/usb1/1-2/1-2:1.0/sound/card1/controlC1\n"
	static const struct { const char *driver, *text, *held, *node; } cases[] = {
		{ "snd_hda_intel", "", "dev/snd/controlC0", "/dev/snd/controlC0" },
		{ "snd_hda_intel", "", "dev/snd/pcmC0D0p", "/dev/snd/pcmC0D0p" },
		{ "snd_hda_intel", "", "dev/snd/controlC1", NULL },
		{ "snd_hda_intel", USB_SOUND, "dev/snd/controlC1", NULL },
		{ "amdgpu", CARD, "dev/dri/renderD128", "/dev/dri/renderD128" },
		{ "amdgpu", CARD, "dev/dri/card1", NULL },
		{ "amdgpu", I2C, "dev/i2c-7", "/dev/i2c-7" },
		{ "amdgpu", I2C, "dev/i2c-8", NULL },
		{ "amdgpu", "", "dev/nvidia0", NULL },
		{ "nvidia", "", "dev/nvidia0", "/dev/nvidia0" },
		{ "nvidia", "", "dev/nvidia-uvm", "/dev/nvidia-uvm" },
		{ "nvidia", "", "dev/null", NULL },
		{ "vfio-pci", "", "dev/vfio/7", "/dev/vfio/7" },
		{ "vfio-pci", "", "dev/vfio/8", NULL },
		{ "vfio-pci", "", "dev/vfio/vfio", NULL },
		{ "vfio-pci", CDEV, "dev/vfio/devices/vfio3", "/dev/vfio/devices/vfio3" },
		{ "vfio-pci", CDEV, "dev/vfio/devices/vfio4", NULL },
		/* With vfio-pci it has no card of the host's; with a driver of the host's it is nobody's group. */
		{ "vfio-pci", "", "dev/snd/controlC0", NULL },
		{ "snd_hda_intel", CDEV, "dev/vfio/devices/vfio3", NULL },
		{ "snd_hda_intel", "", "dev/vfio/7", NULL },
		{ NULL, "", "dev/snd/controlC0", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_host_ struct host *h = pair_with(cases[i].text);
		struct holder_look look = { .host = h, .arena = a };
		struct holders one, all;

		sim_remove(h, DEVICES "/" AUDIO "/driver");
		if (cases[i].driver)
			sim_set_link(h, DEVICES "/" AUDIO "/driver", arena_fmt(a, "../../../../bus/pci/drivers/%s", cases[i].driver));
		sim_set(h, arena_fmt(a, "holder/%s", cases[i].held), "5 - x");
		holders_read(&look, AUDIO, &one);
		holders_read(&look, NULL, &all);
		if (one.n != (cases[i].node ? 1 : 0) || all.n != one.n)
			fail_msg("%s, %s: %zu, and %zu of all", cases[i].driver, cases[i].held, one.n, all.n);
		if (cases[i].node)
			assert_string_equal(one.list[0].node, cases[i].node);
		holders_read(&look, NIC, &one);
		assert_int_equal(one.n, 0);
	}
}

/* However many nodes a card has. */
static void all_processes_are_looked_through_once_for_a_folder(void **state)
{
	struct life *x = watched(pair_with(""));
	struct holder_look look = { .host = &x->host, .arena = x->a };
	struct holders found;

	(void)state;
	holders_read(&look, AUDIO, &found);
	assert_int_equal(scene.asked, 1);
	/* And not at all for what has no nodes. */
	holders_read(&look, NIC, &found);
	assert_int_equal(scene.asked, 1);
	life_free(x);
}

static void only_three_processes_are_told(void **state)
{
	_cleanup_host_ struct host *h = pair_with("V: " HELD_CONTROL "=5 - a\\n6 - b\\n7 - c\\n8 - d\n");
	_cleanup_arena_ struct arena *a = arena_new();
	struct holder_look look = { .host = h, .arena = a };
	struct holders found;

	(void)state;
	holders_read(&look, AUDIO, &found);
	assert_string_equal(holders_shown(&found, a), "/dev/snd/controlC0 is held by process 5 (a); /dev/snd/controlC0 is held by "
			    "process 6 (b); /dev/snd/controlC0 is held by process 7 (c); and 1 more; end process 5 first; end process 6 first; end process 7 first");
}

/* Each function is in doubt for itself: the first of them may be one that stays. */
static void nodes_that_cannot_be_asked_about_are_all_told(void **state)
{
	_cleanup_host_ struct host *h = pair_with("P: /class/drm\nL: card0=../.." SLOT NIC "/drm/card0\n");
	_cleanup_arena_ struct arena *a = arena_new();
	struct stakes s = { .host = h, .arena = a };

	(void)state;
	sim_make_folder(h, "holder/dev/dri/card0");
	sim_make_folder(h, "holder/dev/snd/controlC0");
	stakes_busy(&s, 0);
	assert_int_equal(s.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(s.list[i].code, "holders-unreadable");
	assert_string_equal(s.list[0].what, "it is not known who has /dev/dri/card0 open, which is on " NIC ": Is a directory");
	assert_string_equal(s.list[1].what, "it is not known who has /dev/snd/controlC0 open, which is on " AUDIO
					    ": Is a directory");
}

static void a_process_that_an_earlier_step_stops_is_no_reason(void **state)
{
	static const struct { const char *unit, *line, *profile; } stopped[] = {
		{ "mpd.service", "5 mpd.service mpd", STOPPED_BEFORE("mpd.service") },
		{ "user@1000.service", PIPEWIRE, STOPPED_BEFORE("user@1000.service") },
		{ "pve-container@105.service", "5 lxc/105 mpd", STOPPED_BEFORE("pve-container@105.service") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(stopped); i++) {
		struct life *x = watched(pair_with(""));

		add_unit(x, stopped[i].unit);
		sim_set(x->sim, HELD_CONTROL, stopped[i].line);
		life_must_lend(x, 100, stopped[i].profile);
		assert_true(was_unbound(AUDIO));
		life_must_end(x, 100);
		life_free(x);
	}
}

static void a_process_that_nothing_stops_in_time_is_a_reason(void **state)
{
	static const char *const profiles[] = {
		/* Another one, too late, only started anew, and started again. */
		STOPPED_BEFORE("other.service"),
		LENT "- service: {stop: mpd.service}\n",
		"handover: 1\ndevices: {it: {at: \"01:00.1\"}}\npre-start:\n- service: {restart: mpd.service}\n- bind: it\n",
		"handover: 1\ndevices: {it: {at: \"01:00.1\"}}\npre-start:\n- service: {stop: mpd.service}\n"
		"- service: {start: mpd.service}\n- bind: it\n",
		LENT "pre-stop:\n- service: {stop: mpd.service}\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		struct life *x = life_new(pair_with("V: " HELD_CONTROL "=5 mpd.service mpd\n"));

		add_unit(x, "mpd.service");
		add_unit(x, "other.service");
		life_refused(x, 100, profiles[i], "device-busy");
		life_free(x);
	}
}

/* Who has it open now says nothing of then. */
static void what_leaves_when_the_vm_has_stopped_is_asked_then(void **state)
{
	struct life *x = watched(pair_with("V: " HELD_CONTROL "=" PIPEWIRE "\n"));

	(void)state;
	life_must_plan(x, 100, "handover: 1\ndevices: {it: {at: \"01:00.1\"}}\npost-stop:\n- cycle: it\n");
	life_free(x);
}

static bool plan_now(struct life *x, const char *text)
{
	const struct profile *profile;

	findings_init(&x->f, x->a);
	profile = profile_parse(text, strlen(text), "test.yaml", &x->f);
	assert_non_null(profile);
	x->p = (struct planner){ .host = &x->host, .policy = x->policy, .profile = profile, .vmid = 100, .now = true };
	return prepare_plan(&x->p, &x->store, &x->f, &x->err);
}

static void a_start_waits_a_moment_for_whoever_only_looks(void **state)
{
	struct life *x = watched(pair_with("V: " HELD_CONTROL "=9 - alsactl\n"));
	int64_t begun = host_now(x->sim);

	(void)state;
	/* Not for a person who only wants to see the plan. */
	life_refused(x, 100, LENT, "device-busy");
	assert_int_equal(host_now(x->sim), begun);
	assert_false(plan_now(x, LENT));
	assert_in_range(host_now(x->sim) - begun, HOLDERS_MS, HOLDERS_MS + HOLDERS_PAUSE_MS);
	scene.closed = HELD_CONTROL;
	scene.after_waits = scene.waits + 3;
	assert_true(plan_now(x, LENT));
	life_free(x);
}

/* --- on the way out ---------------------------------------------------------------------------------------------------- */

static void nothing_is_taken_from_a_driver_that_would_not_let_go(void **state)
{
	struct life *x = watched(pair_with(""));
	int64_t begun = host_now(x->sim);
	struct inventory before;

	(void)state;
	look_at(x, &before);
	scene.file = "driver_override";
	scene.node = HELD_CONTROL;
	scene.line = PIPEWIRE;
	assert_int_equal(life_lend(x, 100, LENT), OUTCOME_FAILED);
	assert_contains(x->err.text, AUDIO ": unbinding it from 'snd_hda_intel' is not tried, because it would hang in the kernel: "
				     "/dev/snd/controlC0 is held by process 733 (pipewire) of user@1000.service; stop "
				     "user@1000.service first");
	assert_false(was_unbound(AUDIO));
	assert_in_range(host_now(x->sim) - begun, HOLDERS_MS, HOLDERS_MS + 2 * HOLDERS_PAUSE_MS);
	assert_false(life_has_lease(x, 100));
	assert_as_it_was(x, &before);
	life_free(x);
}

/* That somebody has it open is known, and by whom is not: a process that moves between control groups, say. */
static void what_is_open_by_nobody_knows_whom_is_not_taken_either(void **state)
{
	struct life *x = watched(pair_with(""));
	struct inventory before;

	(void)state;
	look_at(x, &before);
	scene.file = "driver_override";
	scene.node = scene.mute = HELD_CONTROL;
	scene.line = PIPEWIRE;
	assert_int_equal(life_lend(x, 100, LENT), OUTCOME_FAILED);
	assert_contains(x->err.text, AUDIO ": unbinding it from 'snd_hda_intel' is not tried, because it may hang in the kernel: "
				     "/dev/snd/controlC0 is open, and it cannot be told by whom (Connection timed out)");
	assert_false(was_unbound(AUDIO));
	assert_as_it_was(x, &before);
	life_free(x);
}

static void whoever_closes_it_in_time_stops_nothing(void **state)
{
	struct life *x = watched(pair_with(""));

	(void)state;
	scene.file = "driver_override";
	scene.node = scene.closed = HELD_CONTROL;
	scene.line = PIPEWIRE;
	scene.after_waits = 5;
	life_must_lend(x, 100, LENT);
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "vfio-pci");
	life_free(x);
}

static void a_function_that_is_removed_is_not_taken_either(void **state)
{
#define DESK_AUDIO "0000:00:1f.3"
	static const char *const ways[] = { "cycle", "remove" };

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct life *x = watched(host_load("elitedesk"));
		const char *boot;
		size_t n;

		sim_remove(x->sim, "etc/pve/qemu-server/100.conf");
		sim_set_link(x->sim, "sys/class/sound/controlC0", "../../devices/pci0000:00/" DESK_AUDIO "/sound/card0/controlC0");
		boot = file_read(x->a, "profiles/elitedesk/host.yaml", &n);
		life_must_lend(x, HOST_VMID, arena_dupn(x->a, boot, n));
		x->removed = 0;
		scene.n = 0;
		scene.file = "state";
		scene.node = HELD_CONTROL;
		scene.line = "5 - aplay";
		assert_int_equal(life_lend(x, 100, arena_fmt(x->a, "handover: 1\ndevices: {it: {at: \"00:1f.3\"}}\npre-start:\n"
							     "- service: {stop: netbird.service}\n- %s: it\n", ways[i])),
				 OUTCOME_FAILED);
		assert_contains(x->err.text, "is held by process 5 (aplay)");
		assert_false(was_unbound(DESK_AUDIO));
		assert_int_equal(x->removed, 0);
		assert_reads(x->sim, DEVICES "/" DESK_AUDIO "/driver", "snd_hda_intel");
		life_free(x);
	}
}

/* --- on the way back --------------------------------------------------------------------------------------------------- */

#define BOTH "handover: 1\ndevices: {it: {at: \"01:00.1\"}, board: {at: \"03:00.0\"}}\npre-start:\n- bind: board\n- bind: it\n"

static void what_a_process_has_through_vfio_stays_and_the_others_go_home(void **state)
{
	static const char *const ends[] = { BOTH, BOTH "  return: cycle\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct life *x = watched(pair_with(""));
		struct inventory before;
		struct lease lease;

		sim_set_link(x->sim, DEVICES "/" BOARD "/driver", "../../../../bus/pci/drivers/awkward");
		assert_int_equal(sim_settle(x->sim, &x->err), 0);
		look_at(x, &before);
		life_must_lend(x, 100, ends[i]);
		sim_set(x->sim, "holder/dev/vfio/7", "4711 - t_hold");
		scene.n = 0;
		assert_int_equal(life_back(x, 100), OUTCOME_CHANGED);
		assert_contains(x->err.text, "unbinding it from 'vfio-pci' is not tried");
		assert_contains(x->err.text, "/dev/vfio/7 is held by process 4711 (t_hold); end process 4711 first");
		assert_reads(x->sim, DEVICES "/" BOARD "/driver", "awkward");
		assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "vfio-pci");
		assert_false(was_unbound(AUDIO));
		assert_int_equal(journal_peek(&x->store, 100, x->a, &lease, &x->err), 0);
		assert_string_equal(lease_state(&lease), "stuck");
		sim_remove(x->sim, "holder");
		life_must_end(x, 100);
		assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
		assert_as_it_was(x, &before);
		life_free(x);
	}
}

static void a_qemu_that_is_about_to_end_is_waited_for(void **state)
{
	struct life *x = watched(pair_with(""));

	(void)state;
	life_must_lend(x, 100, LENT);
	sim_set(x->sim, "holder/dev/vfio/7", "4711 100.scope kvm");
	scene.closed = "holder/dev/vfio/7";
	scene.after_waits = scene.waits + 4;
	life_must_end(x, 100);
	assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "snd_hda_intel");
	life_free(x);
}

/* --- what hangs all the same ------------------------------------------------------------------------------------------- */

/* As seen in the lab: whoever writes it all the same has it coming. */
static void the_simulated_kernel_does_not_come_back_either(void **state)
{
	static const char *const nodes[] = { "holder/dev/vfio/7", "holder/dev/vfio/devices/vfio3" };
	struct life *x = watched(pair_with(""));

	(void)state;
	life_must_lend(x, 100, LENT);
	sim_make_folder(x->sim, DEVICES "/" AUDIO "/vfio-dev/vfio3");
	for (size_t i = 0; i < COUNT(nodes); i++) {
		sim_set(x->sim, nodes[i], "4711 101.scope kvm");
		assert_int_equal(poke_host(x->sim, DEVICES "/" AUDIO "/driver/unbind", AUDIO), -ETIMEDOUT);
		assert_int_equal(poke_host(x->sim, DEVICES "/" AUDIO "/remove", "1"), -ETIMEDOUT);
		assert_reads(x->sim, DEVICES "/" AUDIO "/driver", "vfio-pci");
		sim_remove(x->sim, nodes[i]);
	}
	assert_int_equal(poke_host(x->sim, DEVICES "/" AUDIO "/driver/unbind", AUDIO), 0);
	life_free(x);
}

static void hang(struct life *x, const char *name, const char *value)
{
	if (strcmp(strrchr(name, '/') + 1, "unbind") == 0 && strcmp(value, AUDIO) == 0)
		sim_break(x->sim, 1, SIM_HANG, -EIO, NULL, NULL);
}

static struct doubt doubt_of(struct life *x, struct lease *lease)
{
	if (journal_peek(&x->store, 100, x->a, lease, &x->err) < 0)
		fail_msg("%s", x->err.text);
	for (size_t i = 0; i < lease->n; i++)
		if (lease->doubts[i].pid)
			return lease->doubts[i];
	fail_msg("nothing is in doubt");
	return (struct doubt){ 0 };
}

static void a_write_that_does_not_come_back_is_written_down(void **state)
{
	struct life *x = watched(pair_with(""));
	struct doubt doubt;
	struct lease lease;
	char *lock;
	FILE *in;

	(void)state;
	x->before = hang;
	assert_int_equal(life_lend(x, 100, LENT), OUTCOME_CHANGED);
	assert_contains(x->err.text, "unbinding it from 'snd_hda_intel' has not come back from the kernel: process 1 still writes to "
				     "'" DEVICES "/" AUDIO "/driver/unbind'");
	doubt = doubt_of(x, &lease);
	assert_int_equal(doubt.pid, 1);
	assert_string_equal(doubt.what, "unbinding it from 'snd_hda_intel'");
	assert_string_equal(doubt.at, DEVICES "/" AUDIO "/driver/unbind");
	assert_string_equal(lease_state(&lease), "stuck");
	/* Those who wait for its locks read it there. */
	in = fopen(arena_fmt(x->a, "%s/store/lock/%s", x->folder, AUDIO), "re");
	assert_non_null(in);
	lock = arena_alloc(x->a, 1024);
	assert_true(fread(lock, 1, 1023, in) > 0);
	fclose(in);
	assert_string_equal(lock, "a test\n" AUDIO ": unbinding it from 'snd_hda_intel', writing to '" DEVICES "/" AUDIO
				  "/driver/unbind'\n");
	/* It has ended with its locks: the same way back is gone. */
	x->before = NULL;
	life_must_end(x, 100);
	assert_false(life_has_lease(x, 100));
	life_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_that_is_open_refuses_a_start),
		cmocka_unit_test(whoever_has_it_is_named),
		cmocka_unit_test(what_a_vm_has_itself_is_no_reason),
		cmocka_unit_test(all_nodes_below_a_function_count_and_no_others),
		cmocka_unit_test(all_processes_are_looked_through_once_for_a_folder),
		cmocka_unit_test(only_three_processes_are_told),
		cmocka_unit_test(nodes_that_cannot_be_asked_about_are_all_told),
		cmocka_unit_test(a_process_that_an_earlier_step_stops_is_no_reason),
		cmocka_unit_test(a_process_that_nothing_stops_in_time_is_a_reason),
		cmocka_unit_test(what_leaves_when_the_vm_has_stopped_is_asked_then),
		cmocka_unit_test(a_start_waits_a_moment_for_whoever_only_looks),
		cmocka_unit_test(nothing_is_taken_from_a_driver_that_would_not_let_go),
		cmocka_unit_test(what_is_open_by_nobody_knows_whom_is_not_taken_either),
		cmocka_unit_test(whoever_closes_it_in_time_stops_nothing),
		cmocka_unit_test(a_function_that_is_removed_is_not_taken_either),
		cmocka_unit_test(what_a_process_has_through_vfio_stays_and_the_others_go_home),
		cmocka_unit_test(a_qemu_that_is_about_to_end_is_waited_for),
		cmocka_unit_test(the_simulated_kernel_does_not_come_back_either),
		cmocka_unit_test(a_write_that_does_not_come_back_is_written_down),
	};

	source_root = argc > 1 ? argv[1] : source_root;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
