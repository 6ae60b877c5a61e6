/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check and wait, which look and write nothing whatever they find; service, whose ways back differ by verb. */
#include "support.h"

#include "core/action.h"
#include "core/prepare.h"

#define TEXT \
	"handover-host: 1\nsource: made: one function without driver, one with, two units\n" \
	"P: /devices/pci0000:00/0000:00:02.0\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x030000\n" \
	"A: driver_override=(null)\nL: iommu_group=../../../kernel/iommu_groups/1\n" \
	"P: /devices/pci0000:00/0000:00:03.0\nA: vendor=0x8086\nA: device=0x0002\nA: class=0x020000\n" \
	"A: driver_override=(null)\nL: iommu_group=../../../kernel/iommu_groups/1\nL: driver=../../../bus/pci/drivers/e1000e\n" \
	"P: /bus/pci/drivers/e1000e\nP: /bus/pci/drivers/i915\n" \
	"V: unit/on.service/state=active\nV: unit/on.service/run=aa\n" \
	"V: unit/off.service/state=inactive\nV: unit/off.service/run=\n"

#define CARD \
	"V: nic/0000:00:03.0/name=eno1\nV: nic/0000:00:03.0/mtu=1500\nV: nic/0000:00:03.0/up=down\n" \
	"V: nic/0000:00:03.0/master=vmbr0\nV: nic/0000:00:03.0/vlans=1 pvid untagged\n"

#define HEAD "handover: 1\ndevices: {free: {at: \"00:02.0\"}, nic: {at: \"00:03.0\"}}\n"

struct scene {
	struct arena *a;
	struct host *host;
	struct findings f;
	struct planner p;
};

static const char *units[] = { "on.service", "off.service" };
static const struct policy allowing = { .automatic = true, .services = { units, COUNT(units) } };

static const struct step *plan_step(struct scene *s, const char *phase, const char *step)
{
	const struct profile *profile;
	struct error err = { 0 };
	const char *text;

	*s = (struct scene){ .a = arena_new(), .host = host_from(TEXT) };
	findings_init(&s->f, s->a);
	text = arena_fmt(s->a, HEAD "%s:\n- %s\n", phase, step);
	profile = profile_parse(text, strlen(text), "test.yaml", &s->f);
	s->p = (struct planner){ .host = s->host, .policy = &allowing, .profile = profile };
	if (!profile || !prepare_plan(&s->p, NULL, &s->f, &err))
		fail_msg("%s", s->f.n ? finding_line(&s->f.list[0], s->a) : err.text);
	assert_int_equal(s->p.plan.n, 1);
	return &s->p.plan.steps[0];
}

static void scene_end(struct scene *s)
{
	host_close(s->host);
	arena_free(s->a);
}

/* What is written from one state to another: "start unit/off.service/state", one after the other. */
static const char *writes(struct scene *s, const struct step *step, enum goal from, enum goal to)
{
	static struct poke w[STEP_WRITES_MAX];
	size_t n = step_writes(step, step_goal(step, from), step_goal(step, to), w);
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_fmt(s->a, "%s%s%s %s", text, *text ? ", " : "", w[i].put, w[i].at);
	return text;
}

/* With the host as it is, what comes next? "" and how long, if it is only waited for. */
static void only_waits(const char *step_text, unsigned ms, const char *says)
{
	static const char *const phases[] = { "boot", "pre-start", "post-start", "pre-stop", "post-stop" };

	for (size_t k = 0; k < COUNT(phases); k++) {
		struct value v[STEP_LOOKS_MAX];
		char text[STEP_LOOKS_MAX][64];
		struct looks now = { v };
		struct poke p = { 0 };
		struct error err;
		struct scene s;
		const struct step *step = plan_step(&s, phases[k], step_text);

		for (size_t i = 0; i < step->n_looks; i++)
			v[i] = value_of(host_read(s.host, step->look[i], text[i], sizeof(text[i])) < 0 ? NULL : text[i]);
		assert_false(looks_fit(step, &now, &step->to));
		assert_true(step->action->next(step, &now, &step->to, &p, &err));
		assert_string_equal(p.at, "");
		assert_int_equal(p.patience_ms, ms);
		assert_string_equal(p.what, says);
		/* Nothing to go back from, whether the start fails or the lease ends. */
		assert_string_equal(writes(&s, step, GOAL_FROM, GOAL_TO), "");
		assert_true(looks_fit(step, &now, &step->from) && looks_fit(step, &now, &step->home));
		scene_end(&s);
	}
}

static void looking_never_binds_and_never_unbinds(void **state)
{
	(void)state;
	only_waits("{check: free, driver: i915}", 0, "its driver is none, should be i915");
	only_waits("{check: nic, driver: i915}", 0, "its driver is e1000e, should be i915");
	only_waits("{check: nic, group: alone}", 0,
		   "0000:00:03.0 shares its IOMMU group: '0000:00:02.0 0000:00:03.0', should be '0000:00:03.0'");
	only_waits("{wait: free, driver: i915}", 10000, "its driver is none, should be i915");
	only_waits("{wait: nic, driver: i915, for: 300ms}", 300, "its driver is e1000e, should be i915");
}

static void a_device_that_is_away_is_waited_for_as_long_as_asked(void **state)
{
	struct value v[2] = { value_of("i915"), value_of(NULL) };
	struct looks now = { v };
	struct poke p = { 0 };
	struct error err;
	struct scene s;
	const struct step *step = plan_step(&s, "post-stop", "{wait: free, driver: i915, for: 20s}");

	(void)state;
	assert_int_equal(step->n_looks, 2);
	assert_true(step->action->next(step, &now, &step->to, &p, &err));
	assert_int_equal(p.patience_ms, 20000);
	assert_string_equal(p.what, "0000:00:02.0 is not there");
	/* Another device in its place is nothing to wait for. */
	v[1] = value_of("8086:9999:0000:0000");
	assert_false(step->action->next(step, &now, &step->to, &p, &err));
	assert_contains(err.text, "another device has come in its place");
	scene_end(&s);
}

/* What is written on the way out, when the start fails then, and when the lease ends. */
static void unit_goes(const char *phase, const char *step_text, const char *out, const char *undone, const char *back)
{
	struct scene s;
	const struct step *step = plan_step(&s, phase, step_text);

	assert_string_equal(writes(&s, step, GOAL_FROM, GOAL_TO), out);
	assert_string_equal(writes(&s, step, GOAL_TO, GOAL_FROM), undone);
	assert_string_equal(writes(&s, step, GOAL_TO, GOAL_HOME), back);
	scene_end(&s);
}

#define ON "unit/on.service/state"
#define OFF "unit/off.service/state"

static void a_unit_goes_back_to_what_it_was(void **state)
{
	(void)state;
	unit_goes("pre-start", "service: {stop: on.service}", "stop " ON, "start " ON, "start " ON);
	unit_goes("pre-start", "service: {start: off.service}", "start " OFF, "stop " OFF, "stop " OFF);
	unit_goes("pre-start", "service: {restart: on.service}", "restart " ON, "", "");
	/* When the VM runs, no start can fail any more. */
	unit_goes("post-start", "service: {stop: on.service}", "stop " ON, "", "start " ON);
	unit_goes("post-start", "service: {start: off.service}", "start " OFF, "", "stop " OFF);
}

/* --- a network that does not answer ------------------------------------------------------------------------------- */

struct deaf {
	struct host host, *sim;
	const char *name;	/* cannot be read; NULL: what is under nic/ cannot, ... */
	int at;			/* ... at this read, and only then */
};

static ssize_t deaf_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct deaf *d = (struct deaf *)h;

	if (d->name ? strcmp(name, d->name) == 0 : strncmp(name, "nic/", 4) == 0 && d->at-- == 0)
		return -ETIMEDOUT;
	return d->sim->ops->read(d->sim, name, buf, size);
}

static ssize_t deaf_link(struct host *h, const char *name, char *buf, size_t size)
{
	const struct deaf *d = (const struct deaf *)h;

	return d->name && strcmp(name, d->name) == 0 ? -EINVAL : d->sim->ops->link(d->sim, name, buf, size);
}

static int deaf_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	const struct deaf *d = (const struct deaf *)h;

	return d->sim->ops->list(d->sim, name, a, names, n);
}

static const struct host_ops deaf_ops = { .read = deaf_read, .link = deaf_link, .list = deaf_list };

static bool plan_deaf(struct planner *p, struct deaf *d, const char *text, struct arena *a, struct findings *f)
{
	const struct profile *profile;
	struct error err = { 0 };

	findings_init(f, a);
	profile = profile_parse(text, strlen(text), "test.yaml", f);
	assert_non_null(profile);
	*p = (struct planner){ .host = &d->host, .profile = profile };
	return prepare_plan(p, NULL, f, &err);
}

/* Or it would leave as if it were none, and nobody would put it back into its bridge. */
static void an_interface_that_cannot_be_read_does_not_leave(void **state)
{
	static const char *const names[] = { "nic/0000:00:03.0/name", "nic/0000:00:03.0/master", "nic/0000:00:03.0/loose" };
	static const char *const steps[] = { "cycle: nic", "remove: nic", "{bind: nic, driver: i915}" };

	(void)state;
	for (size_t i = 0; i < COUNT(names) * COUNT(steps); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *text = arena_fmt(a, HEAD "pre-start:\n- %s\n", steps[i / COUNT(names)]);
		struct deaf d = { { &deaf_ops }, host_from(TEXT), names[i % COUNT(names)], 0 };
		struct findings f;
		struct planner p;

		assert_false(plan_deaf(&p, &d, text, a, &f));
		assert_non_null(find_code(&f, "nic-unreadable"));
		host_close(d.sim);
	}
}

static size_t count_nic_looks(const struct planner *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->plan.n; i++)
		for (size_t k = 0; k < p->plan.steps[i].n_looks; k++)
			n += strncmp(p->plan.steps[i].look[k], "nic/", 4) == 0;
	return n;
}

/* Whoever kills the process that reads, at whichever read: it is refused, or all that was to be brought back is. */
static void an_interface_that_cannot_be_read_once_is_not_lost(void **state)
{
	static const char *const steps[] = { "cycle: nic", "remove: nic", "{bind: nic, driver: i915}" };

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		size_t refused = 0, looks = 0;
		bool all = false;

		for (int at = -1; !all; at++) {
			_cleanup_arena_ struct arena *a = arena_new();
			const char *text = arena_fmt(a, HEAD "pre-start:\n- %s\n", steps[i]);
			struct deaf d = { { &deaf_ops }, host_from(TEXT CARD), NULL, at };
			struct findings f;
			struct planner p;

			if (!plan_deaf(&p, &d, text, a, &f)) {
				assert_true(find_code(&f, "nic-unreadable") || find_code(&f, "network-unreadable"));
				refused++;
			} else if (at < 0) {
				looks = count_nic_looks(&p);
			} else {
				assert_int_equal(count_nic_looks(&p), looks);
				all = d.at >= 0;
			}
			host_close(d.sim);
		}
		assert_int_equal(looks, 4);	/* it is down, and comes back so */
		assert_true(refused >= looks);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interface_that_cannot_be_read_does_not_leave),
		cmocka_unit_test(an_interface_that_cannot_be_read_once_is_not_lost),
		cmocka_unit_test(looking_never_binds_and_never_unbinds),
		cmocka_unit_test(a_device_that_is_away_is_waited_for_as_long_as_asked),
		cmocka_unit_test(a_unit_goes_back_to_what_it_was),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
