/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The action bind: what it plans on which host, and whether next() finds its way from wherever a run may have left a
 * device.
 */
#include "support.h"

#include "core/engine.h"
#include "core/look.h"
#include "core/prepare.h"

#define DEVICE "0000:01:00.0"
#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

/* --- a plan ------------------------------------------------------------------------------------------------------ */

/* A host, a profile, and what became of them. */
struct scene {
	struct arena *arena;
	struct host *host;
	struct findings f;
	struct planner p;
	bool planned;
};

static void scene_plan(struct scene *s, struct host *h, const char *text)
{
	const struct profile *profile;
	struct error err = { 0 };

	*s = (struct scene){ .arena = arena_new(), .host = h };
	findings_init(&s->f, s->arena);
	profile = profile_parse(text, strlen(text), "test.yaml", &s->f);
	if (!profile)
		fail_msg("%s", finding_line(&s->f.list[0], s->arena));
	s->p = (struct planner){ .host = h, .profile = profile };
	s->planned = prepare_plan(&s->p, NULL, &s->f, &err);
	assert_int_equal(err.code, 0);
	assert_int_equal(s->planned, s->f.errors == 0);
}

static void scene_end(struct scene *s)
{
	host_close(s->host);
	arena_free(s->arena);
}

/* One device and one step that binds it; options are further lines of the step. */
static void plan_bind(struct scene *s, struct host *h, const char *device, const char *options)
{
	_cleanup_arena_ struct arena *a = arena_new();

	scene_plan(s, h,
		   arena_fmt(a, "handover: 1\ndevices:\n  it: {%s}\npre-start:\n  - bind: it\n%s", device, options));
}

static const struct step *step_at(const struct scene *s, size_t i)
{
	assert_true(i < s->p.plan.n);
	return &s->p.plan.steps[i];
}

static void assert_value(const struct value *v, const char *text)
{
	assert_int_equal(v->kind, VALUE_TEXT);
	if (text)
		assert_string_equal(v->text, text);
	else
		assert_null(v->text);
}

static size_t count_writes(const struct step *s, const struct looks *from, const struct looks *to)
{
	static struct poke writes[STEP_WRITES_MAX];

	return step_writes(s, from, to, writes);
}

/* --- what is planned --------------------------------------------------------------------------------------------- */

static void siblings_of_the_group_go_along_and_say_why(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "id: \"10de:2783\"", "");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, 2);
	/* From the highest address down. */
	assert_string_equal(step_at(&s, 0)->device, "0000:02:00.1");
	assert_string_equal(step_at(&s, 0)->why, "with 0000:02:00.0: same IOMMU group");
	assert_string_equal(step_at(&s, 0)->id, "10de:22bc:1043:896e");
	assert_string_equal(step_at(&s, 1)->device, "0000:02:00.0");
	assert_null(step_at(&s, 1)->why);
	assert_int_equal(step_at(&s, 1)->phase, PHASE_PRE_START);
	scene_end(&s);
}

/* Only one that was just found may get its driver by itself; one that stands there unbound waits for nobody. */
static void nothing_is_waited_for_on_the_way_out(void **state)
{
	static struct poke writes[STEP_WRITES_MAX];
	const struct step *step;
	struct scene s;
	size_t n;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "id: \"10de:2783\"", "    return: cycle\n");
	assert_true(s.planned);
	step = step_at(&s, 1);
	n = step_writes(step, &step->from, &step->to, writes);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(writes[i].patience_ms, 0);
	n = step_writes(step, &step->to, &step->home, writes);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(writes[i].patience_ms > 0, strcmp(writes[i].put, "nouveau") == 0);
	scene_end(&s);
}

/* One that was down comes back down by itself; whoever raises it meanwhile, after a boot that was killed, is right. */
static void no_interface_is_taken_down(void **state)
{
	static const struct { const char *device, *look; bool looked_at; } cases[] = {
		{ "at: \"00:14.3\"", "nic/0000:00:14.3/up", false },
		{ "at: \"00:1f.6\"", "nic/0000:00:1f.6/up", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool found = false;
		struct scene s;

		plan_bind(&s, host_load("elitedesk"), cases[i].device, i ? "    driver: iwlwifi\n" : "    driver: e1000e\n");
		for (size_t k = 0; k < s.p.plan.n; k++)
			for (size_t l = 0; l < s.p.plan.steps[k].n_looks; l++)
				found = found || strcmp(s.p.plan.steps[k].look[l], cases[i].look) == 0;
		assert_int_equal(found, cases[i].looked_at);
		scene_end(&s);
	}
}

static void siblings_that_are_named_are_not_doubled(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "id: \"10de:2783\", functions: all", "");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, 2);
	assert_null(step_at(&s, 0)->why);
	assert_null(step_at(&s, 1)->why);
	scene_end(&s);
}

static void siblings_named_in_another_step_are_left_to_it(void **state)
{
	struct scene s;

	(void)state;
	scene_plan(&s, host_load("workstation-4070"),
		   "handover: 1\ndevices:\n  gpu: {at: \"02:00.0\"}\n  audio: {at: \"02:00.1\"}\n"
		   "pre-start:\n  - bind: gpu\n  - bind: audio\n    return: keep\n");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, 2);
	assert_string_equal(step_at(&s, 0)->device, "0000:02:00.0");
	assert_string_equal(step_at(&s, 1)->device, "0000:02:00.1");
	assert_null(step_at(&s, 1)->why);
	assert_value(&step_at(&s, 1)->home.v[0], "vfio-pci");
	scene_end(&s);
}

static void a_bridge_of_the_group_stays(void **state)
{
	struct scene s;

	(void)state;
	/* 0000:12:02.0, a bridge, is in group 24 as well. */
	plan_bind(&s, host_load("workstation-4070"), "id: \"1b21:2426\"", "");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, 1);
	assert_string_equal(step_at(&s, 0)->device, "0000:77:00.0");
	scene_end(&s);
}

static void another_driver_than_vfio_takes_no_siblings_along(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "id: \"10de:2783\"", "    driver: xhci_hcd\n");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, 1);
	assert_value(&step_at(&s, 0)->to.v[0], "xhci_hcd");
	assert_value(&step_at(&s, 0)->to.v[1], "xhci_hcd");
	scene_end(&s);
}

static void a_device_that_is_not_there_makes_no_step(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "id: \"dead:beef\"", "");
	assert_only(&s.f, "device-absent");
	assert_int_equal(s.p.plan.n, 0);
	scene_end(&s);
}

static void a_bridge_is_refused(void **state)
{
	static const char *const bridges[] = { "at: \"00:01.1\"", "at: \"00:01.0\"" };

	(void)state;
	for (size_t i = 0; i < COUNT(bridges); i++) {
		struct scene s;

		plan_bind(&s, host_load("workstation-4070"), bridges[i], "");
		assert_contains(assert_only(&s.f, "bridge")->what, "is a bridge");
		assert_int_equal(s.p.plan.n, 0);
		scene_end(&s);
	}
}

static void a_function_without_iommu_group_is_refused(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"00:00.2\"", "");
	assert_contains(assert_only(&s.f, "no-iommu")->what, "0000:00:00.2");
	scene_end(&s);
}

static void only_vfio_needs_an_iommu_group(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"00:00.2\"", "    driver: ccp\n");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, 1);
	scene_end(&s);
}

static void virtual_functions_that_are_on_are_refused(void **state)
{
	static const struct {
		const char *vfs;
		bool good;
	} cases[] = { { "0", true }, { "1", false }, { "63", false } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host *h = host_load("workstation-4070");
		struct scene s;

		sim_set(h, DEVICES "/0000:07:00.0/sriov_numvfs", cases[i].vfs);
		plan_bind(&s, h, "at: \"07:00.0\"", "");
		assert_int_equal(s.planned, cases[i].good);
		if (!cases[i].good)
			assert_contains(assert_only(&s.f, "vfs-enabled")->what, cases[i].vfs);
		scene_end(&s);
	}
}

static void what_forbids_a_sibling_forbids_the_device(void **state)
{
	struct host *h = host_load("workstation-4070");
	struct scene s;

	(void)state;
	sim_set(h, DEVICES "/0000:02:00.1/sriov_numvfs", "2");
	plan_bind(&s, h, "at: \"02:00.0\"", "");
	assert_contains(assert_only(&s.f, "vfs-enabled")->what, "0000:02:00.1");
	assert_false(s.planned);
	scene_end(&s);
}

static void a_driver_that_is_not_loaded_is_refused(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"02:00.0\"", "    driver: nosuch\n");
	assert_contains(assert_only(&s.f, "driver-missing")->what, "'nosuch'");
	assert_int_equal(s.f.list[0].place.line, 6);
	scene_end(&s);

	plan_bind(&s, host_load("workstation-4070"), "at: \"02:00.0\"", "    return: nosuch\n");
	assert_contains(assert_only(&s.f, "driver-missing")->what, "'nosuch'");
	assert_int_equal(s.f.list[0].place.line, 6);
	scene_end(&s);
}

static void a_function_is_bound_by_one_step_only(void **state)
{
	struct scene s;

	(void)state;
	scene_plan(&s, host_load("workstation-4070"),
		   "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\n  slot: {at: \"02:00\"}\n"
		   "pre-start:\n  - bind: gpu\n  - bind: slot\n");
	assert_contains(assert_only(&s.f, "device-twice")->what, "0000:02:00.0 is bound twice");
	assert_int_equal(s.f.list[0].place.line, 7);
	scene_end(&s);
}

static void return_driver_is_where_it_came_from(void **state)
{
	static const char *const options[] = { "", "    return: driver\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		struct scene s;
		const struct step *step;

		plan_bind(&s, host_load("workstation-4070"), "at: \"02:00\"", options[i]);
		step = step_at(&s, 1);
		assert_string_equal(step->look[0], DEVICES "/0000:02:00.0/driver");
		assert_value(&step->from.v[0], "nouveau");
		assert_value(&step->to.v[0], "vfio-pci");
		assert_value(&step->home.v[0], "nouveau");
		assert_value(&step->from.v[1], "(null)");
		assert_value(&step->to.v[1], "vfio-pci");
		assert_value(&step->home.v[1], "(null)");
		assert_value(&step->home.v[2], "on");
		assert_value(&step_at(&s, 0)->home.v[2], "auto");
		scene_end(&s);
	}
}

static void return_keep_stays_with_the_new_driver(void **state)
{
	struct scene s;
	const struct step *step;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"02:00\"", "    return: keep\n");
	step = step_at(&s, 1);
	assert_value(&step->from.v[0], "nouveau");
	assert_value(&step->home.v[0], "vfio-pci");
	assert_value(&step->home.v[1], "vfio-pci");
	assert_int_equal(count_writes(step, &step->to, &step->home), 0);
	scene_end(&s);
}

static void return_name_goes_to_that_driver(void **state)
{
	struct scene s;
	const struct step *step;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"02:00\"", "    return: snd_hda_intel\n");
	step = step_at(&s, 1);
	assert_value(&step->from.v[0], "nouveau");
	assert_value(&step->home.v[0], "snd_hda_intel");
	assert_value(&step->home.v[1], "(null)");
	scene_end(&s);
}

/* What its interface's name shall be when the VM has stopped: any if nobody asks. */
static struct value home_of_name(const struct step *s)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (strcmp(s->look[i], "nic/0000:00:14.3/name") == 0)
			return s->home.v[i];
	return value_any();
}

/* The driver that had the interface must be there again, or it would be waited for in vain. */
static void an_interface_comes_back_with_its_driver_only(void **state)
{
	static const char *const options[] = {
		"", "    return: cycle\n", "    driver: iwlwifi\n    return: cycle\n", "    return: iwlwifi\n",
		"    return: vfio-pci\n", "    return: keep\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		struct scene s;
		struct value home;

		plan_bind(&s, host_load("elitedesk"), "at: \"00:14.3\"", options[i]);
		home = home_of_name(step_at(&s, 0));
		if (i < 4)
			assert_value(&home, "wlp0s20f3");
		else
			assert_int_equal(home.kind, VALUE_ANY);
		scene_end(&s);
	}
}

static void an_override_that_was_there_comes_back(void **state)
{
	struct host *h = host_load("workstation-4070");
	struct scene s;

	(void)state;
	sim_set(h, DEVICES "/0000:02:00.0/driver_override", "nouveau");
	plan_bind(&s, h, "at: \"02:00\"", "");
	assert_value(&step_at(&s, 1)->from.v[1], "nouveau");
	assert_value(&step_at(&s, 1)->to.v[1], "vfio-pci");
	assert_value(&step_at(&s, 1)->home.v[1], "nouveau");
	scene_end(&s);
}

static void a_device_without_driver_goes_back_to_none(void **state)
{
	struct scene s;
	const struct step *step;
	size_t i = 0;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"0b:00.0\"", "");
	/* The whole of group 18 goes along, but for its bridges. */
	while (strcmp(step_at(&s, i)->device, "0000:0b:00.0") != 0)
		i++;
	step = step_at(&s, i);
	assert_value(&step->from.v[0], NULL);
	assert_value(&step->home.v[0], NULL);
	scene_end(&s);
}

/* --- where vfio-pci is already ----------------------------------------------------------------------------------- */

static const char made_host[] =
	"handover-host: 1\nsource: made: one function, three drivers\n"
	"P: /devices/pci0000:00/" DEVICE "\nA: vendor=0x8086\nA: device=0x10d3\nA: subsystem_vendor=0x8086\n"
	"A: subsystem_device=0x0000\nA: class=0x020000\nA: driver_override=(null)\nA: power/control=on\n"
	"L: driver=../../../bus/pci/drivers/%s\nL: iommu_group=../../../kernel/iommu_groups/1\n"
	"P: /bus/pci/drivers/e1000e\nP: /bus/pci/drivers/igc\nP: /bus/pci/drivers/vfio-pci\n"
	"P: /bus/pci/drivers/pci-stub\nV: module/vfio_pci=live\n";

static struct host *host_make(const char *driver)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *text = arena_alloc(a, sizeof(made_host) + strlen(driver));
	const char *at = strstr(made_host, "%s");

	sprintf(text, "%.*s%s%s", (int)(at - made_host), made_host, driver, at + 2);
	return host_from(text);
}

static void a_device_that_is_there_already_stays(void **state)
{
	static const char *const options[] = { "", "    return: keep\n", "    return: driver\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		static struct poke writes[STEP_WRITES_MAX];
		struct scene s;
		const struct step *step;
		size_t n;

		plan_bind(&s, host_make("vfio-pci"), "at: \"01:00.0\"", options[i]);
		assert_true(s.planned);
		assert_int_equal(s.p.plan.n, 1);
		step = step_at(&s, 0);
		assert_value(&step->to.v[0], "vfio-pci");
		assert_value(&step->to.v[1], "(null)");
		assert_value(&step->home.v[0], "vfio-pci");
		assert_value(&step->home.v[1], "(null)");
		assert_int_equal(count_writes(step, &step->from, &step->to), 0);
		/* Power control may have been changed meanwhile, so it is named; nothing else is. */
		n = step_writes(step, &step->to, &step->home, writes);
		for (size_t k = 0; k < n; k++)
			assert_true(writes[k].perhaps && strstr(writes[k].at, "/power/control"));
		scene_end(&s);
	}
}

static void a_device_that_is_there_already_can_go_home(void **state)
{
	struct scene s;
	const struct step *step;

	(void)state;
	plan_bind(&s, host_make("vfio-pci"), "at: \"01:00.0\"", "    return: e1000e\n");
	step = step_at(&s, 0);
	assert_int_equal(count_writes(step, &step->from, &step->to), 0);
	assert_value(&step->home.v[0], "e1000e");
	assert_true(count_writes(step, &step->to, &step->home) > 0);
	scene_end(&s);
}

static void vfio_that_is_not_loaded_is_loaded_first(void **state)
{
	static struct poke writes[STEP_WRITES_MAX];
	struct scene s;
	const struct step *step;
	size_t n;

	(void)state;
	plan_bind(&s, host_load("workstation-4070"), "at: \"79:00.3\"", "");
	step = step_at(&s, 0);
	n = step_writes(step, &step->from, &step->to, writes);
	assert_true(n > 1);
	assert_string_equal(writes[0].at, "module/vfio_pci");
	assert_string_equal(writes[0].put, "load");
	/* A plan may be done while somebody else loads it. */
	assert_true(writes[0].perhaps);
	for (size_t i = 1; i < n; i++)
		assert_string_not_equal(writes[i].at, "module/vfio_pci");
	n = step_writes(step, &step->to, &step->home, writes);
	for (size_t i = 0; i < n; i++)
		assert_string_not_equal(writes[i].at, "module/vfio_pci");
	scene_end(&s);

	plan_bind(&s, host_make("e1000e"), "at: \"01:00.0\"", "");
	for (size_t i = 0; i < step_at(&s, 0)->n_looks; i++)
		assert_string_not_equal(step_at(&s, 0)->look[i], "module/vfio_pci");
	scene_end(&s);
}

/* --- how long a plan may be -------------------------------------------------------------------------------------- */

/* One group of n functions, eight to a slot. */
static struct host *host_of(size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct host *h;

	fputs("handover-host: 1\nsource: made: one large group\nP: /bus/pci/drivers/vfio-pci\n", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "P: /devices/pci0000:00/0000:%02zx:%02zx.%zx\nA: vendor=0x8086\nA: device=0x154c\n"
			"A: class=0x020000\nA: driver_override=(null)\n"
			"L: iommu_group=../../../kernel/iommu_groups/1\n", 1 + i / 256, i / 8 % 32, i % 8);
	fclose(out);
	h = host_from(text);
	free(text);
	return h;
}

static void a_plan_of_256_steps_is_made(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_of(PLAN_STEPS_MAX), "at: \"01:00.0\"", "");
	assert_true(s.planned);
	assert_int_equal(s.p.plan.n, PLAN_STEPS_MAX);
	scene_end(&s);
}

static void a_plan_of_257_steps_is_refused(void **state)
{
	struct scene s;

	(void)state;
	plan_bind(&s, host_of(PLAN_STEPS_MAX + 1), "at: \"01:00.0\"", "");
	assert_false(s.planned);
	assert_contains(assert_only(&s.f, "plan-too-long")->what, "256");
	assert_int_equal(s.p.plan.n, PLAN_STEPS_MAX);
	scene_end(&s);
}

/* --- next() ------------------------------------------------------------------------------------------------------ */

static const char *const states[] = { NULL, "e1000e", "vfio-pci" };		/* of the driver */
static const char *const overrides[] = { "(null)", "e1000e", "vfio-pci" };
static const char *const powers[] = { "on", "auto" };
static const char *const returns[] = { "", "    return: keep\n", "    return: igc\n" };

/* By writes, as a person would: so the state is one that a host can be in. */
static void bring_to(struct host *h, const char *driver, const char *override, const char *power)
{
	if (host_has(h, DEVICES "/" DEVICE "/driver"))
		assert_int_equal(poke_host(h, DEVICES "/" DEVICE "/driver/unbind", DEVICE), 0);
	if (driver) {
		_cleanup_arena_ struct arena *a = arena_new();

		assert_int_equal(poke_host(h, DEVICES "/" DEVICE "/driver_override", driver), 0);
		assert_int_equal(poke_host(h, arena_fmt(a, DRIVERS "/%s/bind", driver), DEVICE), 0);
	}
	assert_int_equal(poke_host(h, DEVICES "/" DEVICE "/driver_override",
				   strcmp(override, "(null)") == 0 ? "" : override), 0);
	assert_int_equal(poke_host(h, DEVICES "/" DEVICE "/power/control", power), 0);
}

static struct looks look(struct host *h, const struct step *s, struct look_buffer *buf)
{
	struct looks now;
	struct error err;

	assert_int_equal(step_read(h, s, NULL, &now, buf, &err), 0);
	return now;
}

static void assert_becomes(struct host *h, const struct step *s, const struct poke *p)
{
	static struct look_buffer buf;
	struct looks now = look(h, s, &buf);

	if (!value_fits(&now.v[p->look], &p->becomes))
		fail_msg("'%s' to '%s': reads %s, was to become %s", p->put, p->at, now.v[p->look].text,
			 p->becomes.text);
}

/* Whenever a driver lets go, the override names the one that is to come: nobody else can take the function then. */
static void assert_safe(struct host *h, const struct step *s, enum goal goal, const struct poke *p)
{
	if (strcmp(p->at, DEVICES "/" DEVICE "/driver/unbind") == 0 && step_goal(s, goal)->v[0].text)
		assert_reads(h, DEVICES "/" DEVICE "/driver_override", step_goal(s, goal)->v[0].text);
}

static size_t walk(struct host *h, const struct step *s, enum goal goal)
{
	static struct look_buffer buf;
	const struct looks *want = step_goal(s, goal);
	struct looks now = look(h, s, &buf);
	struct error err;
	size_t n;

	for (n = 0; !looks_fit(s, &now, want); n++) {
		struct poke p, again;

		if (n == STEP_WRITES_MAX)
			fail_msg("the goal is not reached");
		if (!s->action->next(s, &now, want, &p, &err) || !s->action->next(s, &now, want, &again, &err))
			fail_msg("%s", err.text);
		assert_string_equal(p.at, again.at);
		assert_string_equal(p.put, again.put);
		assert_safe(h, s, goal, &p);
		assert_int_equal(poke_host(h, p.at, p.put), 0);
		assert_becomes(h, s, &p);
		now = look(h, s, &buf);
	}
	return n;
}

static void every_state_leads_to_every_goal(void **state)
{
	size_t longest = 0, walks = 0;

	(void)state;
	for (size_t from = 0; from < COUNT(states); from++)
		for (size_t r = 0; r < COUNT(returns); r++) {
			struct host *h = host_make("e1000e");
			struct scene s;

			bring_to(h, states[from], "(null)", "on");
			plan_bind(&s, h, "at: \"01:00.0\"", returns[r]);
			assert_true(s.planned);
			for (size_t d = 0; d < COUNT(states); d++)
				for (size_t o = 0; o < COUNT(overrides); o++)
					for (size_t p = 0; p < COUNT(powers); p++)
						for (int goal = GOAL_TO; goal <= GOAL_HOME; goal++) {
							const char *now = states[d];
							size_t n;

							/* Only what the step knows of; the rest is foreign. */
							if (now && strcmp(now, "e1000e") == 0 && from != 1)
								continue;
							bring_to(h, now, overrides[o], powers[p]);
							n = walk(h, step_at(&s, 0), (enum goal)goal);
							longest = n > longest ? n : longest;
							walks++;
						}
			scene_end(&s);
		}
	assert_int_equal(walks, 3 * (2 + 3 + 2) * 3 * 2 * 3);
	assert_true(longest > 2 && longest <= STEP_WRITES_MAX);
}

static void what_was_foretold_is_what_is_written(void **state)
{
	(void)state;
	for (size_t r = 0; r < COUNT(returns); r++) {
		static struct poke writes[STEP_WRITES_MAX];
		static struct look_buffer buf;
		struct scene s;
		const struct step *step;
		struct looks now;
		size_t n;

		plan_bind(&s, host_make("e1000e"), "at: \"01:00.0\"", returns[r]);
		step = step_at(&s, 0);
		n = step_writes(step, &step->from, &step->to, writes);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(poke_host(s.host, writes[i].at, writes[i].put), 0);
		now = look(s.host, step, &buf);
		assert_true(looks_fit(step, &now, &step->to));
		n = step_writes(step, &step->to, &step->home, writes);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(poke_host(s.host, writes[i].at, writes[i].put), 0);
		now = look(s.host, step, &buf);
		assert_true(looks_fit(step, &now, &step->home));
		scene_end(&s);
	}
}

static void a_foreign_driver_is_refused(void **state)
{
	static struct look_buffer buf;
	struct scene s;

	(void)state;
	plan_bind(&s, host_make("e1000e"), "at: \"01:00.0\"", "");
	for (size_t o = 0; o < COUNT(overrides); o++) {
		bring_to(s.host, "pci-stub", overrides[o], "on");
		for (int goal = GOAL_TO; goal <= GOAL_HOME; goal++) {
			struct looks now = look(s.host, step_at(&s, 0), &buf);
			struct error err = { 0 };
			struct poke p;

			assert_false(step_at(&s, 0)->action->next(
				step_at(&s, 0), &now, step_goal(step_at(&s, 0), (enum goal)goal), &p, &err));
			assert_int_equal(err.code, -EBUSY);
			assert_contains(err.text, "'pci-stub'");
		}
	}
	scene_end(&s);
}

static void at_the_goal_there_is_nothing_to_write(void **state)
{
	struct scene s;
	const struct step *step;
	struct error err = { 0 };
	struct poke p;

	(void)state;
	plan_bind(&s, host_make("e1000e"), "at: \"01:00.0\"", "");
	step = step_at(&s, 0);
	assert_false(step->action->next(step, &step->from, &step->from, &p, &err));
	assert_true(err.code < 0);
	scene_end(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siblings_of_the_group_go_along_and_say_why),
		cmocka_unit_test(nothing_is_waited_for_on_the_way_out),
		cmocka_unit_test(no_interface_is_taken_down),
		cmocka_unit_test(siblings_that_are_named_are_not_doubled),
		cmocka_unit_test(siblings_named_in_another_step_are_left_to_it),
		cmocka_unit_test(a_bridge_of_the_group_stays),
		cmocka_unit_test(another_driver_than_vfio_takes_no_siblings_along),
		cmocka_unit_test(a_device_that_is_not_there_makes_no_step),
		cmocka_unit_test(a_bridge_is_refused),
		cmocka_unit_test(a_function_without_iommu_group_is_refused),
		cmocka_unit_test(only_vfio_needs_an_iommu_group),
		cmocka_unit_test(virtual_functions_that_are_on_are_refused),
		cmocka_unit_test(what_forbids_a_sibling_forbids_the_device),
		cmocka_unit_test(a_driver_that_is_not_loaded_is_refused),
		cmocka_unit_test(a_function_is_bound_by_one_step_only),
		cmocka_unit_test(return_driver_is_where_it_came_from),
		cmocka_unit_test(return_keep_stays_with_the_new_driver),
		cmocka_unit_test(return_name_goes_to_that_driver),
		cmocka_unit_test(an_interface_comes_back_with_its_driver_only),
		cmocka_unit_test(an_override_that_was_there_comes_back),
		cmocka_unit_test(a_device_without_driver_goes_back_to_none),
		cmocka_unit_test(a_device_that_is_there_already_stays),
		cmocka_unit_test(a_device_that_is_there_already_can_go_home),
		cmocka_unit_test(vfio_that_is_not_loaded_is_loaded_first),
		cmocka_unit_test(a_plan_of_256_steps_is_made),
		cmocka_unit_test(a_plan_of_257_steps_is_refused),
		cmocka_unit_test(every_state_leads_to_every_goal),
		cmocka_unit_test(what_was_foretold_is_what_is_written),
		cmocka_unit_test(a_foreign_driver_is_refused),
		cmocka_unit_test(at_the_goal_there_is_nothing_to_write),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
