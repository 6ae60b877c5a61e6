/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/engine.h"
#include "core/look.h"
#include "core/reach.h"

/* --- is it still the device that was meant? ------------------------------------------------------------------------ */

enum identity { IDENTITY_SAME, IDENTITY_GONE, IDENTITY_OTHER, IDENTITY_UNKNOWN };

/* Only what is not there is gone; what cannot be read for another reason is unknown, and no lease ends on that. */
static bool is_gone(ssize_t code)
{
	return code == -ENOENT || code == -ENODEV;
}

static enum identity identify(struct host *h, const struct step *s, struct error *err)
{
	char name[HOST_NAME_BYTES], id[64];
	ssize_t n;

	if (!s->id)
		return IDENTITY_SAME;
	snprintf(name, sizeof(name), "id/%.200s", s->device);
	n = host_read(h, name, id, sizeof(id));
	if (is_gone(n))
		return IDENTITY_GONE;
	if (n < 0) {
		error_errno(err, (int)n, "cannot read '%s', to know whether it is the same device", name);
		return IDENTITY_UNKNOWN;
	}
	return strcmp(id, s->id) == 0 ? IDENTITY_SAME : IDENTITY_OTHER;
}

static unsigned phase_ms(const struct engine *e)
{
	return e->phase_ms ? e->phase_ms : PHASE_MS;
}

static void tell(const struct engine *e, const struct event *event)
{
	if (e->tell)
		e->tell(e->arg, event);
}

/* --- forward ----------------------------------------------------------------------------------------------------- */

/* The first function of that id, "" if there is none. The run's own arena is sealed. */
static void find_id(struct host *h, const char *id, char address[BDF_TEXT_MAX])
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **names, text[64];
	size_t n;

	*address = '\0';
	if (host_list(h, "sys/bus/pci/devices", a, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n && !*address; i++)
		if (host_read(h, arena_fmt(a, "id/%s", names[i]), text, sizeof(text)) > 0 && strcmp(text, id) == 0)
			snprintf(address, BDF_TEXT_MAX, "%s", names[i]);
}

/* Addresses change with the firmware, and with cards that come and go. */
static int tell_other(struct engine *e, const char *device, const char *id, struct error *err)
{
	char name[HOST_NAME_BYTES], there[64], address[BDF_TEXT_MAX];

	snprintf(name, sizeof(name), "id/%.200s", device);
	if (host_read(e->host, name, there, sizeof(there)) < 0)
		strcpy(there, "nothing");
	find_id(e->host, id, address);
	return error_set(err, -ESTALE, "the plan was made for %s, but there is %s at %s now; %s%s", id, there, device,
			 *address ? "that device is at " : "that device is nowhere on this host", address);
}

/* Whoever has no id of its own says with looks who it is. */
static int check_looks(struct engine *e, const struct step *s, const struct looks *now, struct error *err)
{
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < s->n_looks; i++) {
		const struct value *was = &s->from.v[i];

		if (was->kind == VALUE_HOPED || value_fits(&now->v[i], was))
			continue;
		if (str_starts(s->look[i], "id/") && was->text && look_function(s->look[i], address))
			return tell_other(e, address, was->text, err);
		return error_set(err, -ESTALE, "'%s' is %s, but was %s when the plan was made", s->look[i],
				 value_shown(&now->v[i]), value_shown(was));
	}
	return 0;
}

static int check_before(struct engine *e, const struct step *s, struct error *err)
{
	enum identity who = identify(e->host, s, err);
	struct look_buffer buf;
	struct looks now;
	int code;

	if (who == IDENTITY_UNKNOWN)
		return err->code;
	if (who != IDENTITY_SAME)
		return tell_other(e, s->device, s->id, err);
	code = step_read(e->host, s, NULL, &now, &buf, err);
	return code < 0 ? code : check_looks(e, s, &now, err);
}

/*
 * What must be found anew is noted as it is now, so that a later run knows the old one from the new one. On the way
 * back a journal that cannot be written stops nobody: then a later run does no more than find it anew once more.
 */
static int note_was(struct engine *e, struct journal *j, struct lease *lease, size_t i, enum goal goal,
		    struct error *err)
{
	struct step *s = &lease->steps[i];
	char text[HOST_VALUE_BYTES];
	int code = 0;

	for (size_t k = 0; k < s->n_looks && code == 0; k++) {
		const struct value *want = &step_goal(s, goal)->v[k];
		ssize_t n;

		if (want->kind != VALUE_NEW || (lease->marks[i] == MARK_UNDO && *want->was))
			continue;
		n = host_read(e->host, s->look[k], text, sizeof(text));
		if (n < 0 && !is_gone(n))
			return error_errno(err, (int)n, "cannot read '%s'", s->look[k]);
		code = journal_was(j, lease, i, k, n <= 0 ? "gone" : text, err);
		if (code < 0 && goal != GOAL_TO && n < STEP_LIFE_BYTES) {
			step_was(s, k, n <= 0 ? "gone" : text);
			code = 0;
		}
	}
	return code;
}

/* reach(), and what of it had not come back is written down, for those who come later. */
static int go(struct engine *e, struct journal *j, const struct lease *lease, size_t i, enum goal goal, struct error *err)
{
	pid_t before = e->stuck.pid;
	int code = reach(e, &lease->steps[i], goal, err);
	struct error ignored;

	if (e->stuck.pid && e->stuck.pid != before)
		journal_doubt(j, i, &(struct doubt){ (int)e->stuck.pid, e->stuck_what, e->stuck_at }, &ignored);
	return code;
}

static int step_forward(struct engine *e, struct journal *j, struct lease *lease, size_t i, struct error *err)
{
	int code = check_before(e, &lease->steps[i], err);

	if (code == 0)
		code = note_was(e, j, lease, i, GOAL_TO, err);
	if (code == 0)
		code = journal_mark(j, lease, i, MARK_DO, err);
	if (code == 0)
		code = go(e, j, lease, i, GOAL_TO, err);
	if (code == 0)
		code = journal_mark(j, lease, i, MARK_DID, err);
	return code;
}

static struct event event_of(const struct lease *lease, size_t i, enum goal goal)
{
	return (struct event){ EVENT_REACHED, &lease->steps[i], i, lease->n, goal, 0, 0, NULL };
}

/* Tells how a step ended: by code, and by what it took since begun. */
static void tell_end(struct engine *e, struct event *event, int64_t begun, int code, const struct error *err)
{
	event->ms = host_now(e->host) - begun;
	event->writes = e->writes;
	if (code < 0) {
		event->kind = EVENT_FAILED;
		event->text = err->text;
	} else if (*e->missing) {
		event->text = e->missing;
	}
	tell(e, event);
}

int engine_forward(struct engine *e, struct journal *j, struct lease *lease, enum phase phase, struct error *err)
{
	e->end = host_now(e->host) + phase_ms(e);
	for (size_t i = 0; i < lease->n; i++) {
		struct event event = event_of(lease, i, GOAL_TO);
		int64_t begun = host_now(e->host);
		int code;

		if (lease->steps[i].phase != phase || lease->marks[i] >= MARK_DID)
			continue;
		code = step_forward(e, j, lease, i, err);
		tell_end(e, &event, begun, code, err);
		if (code < 0)
			return error_in(err, "%s", lease->steps[i].device);
	}
	return 0;
}

/* --- back -------------------------------------------------------------------------------------------------------- */

static bool is_about(const struct step *s, const char *device)
{
	return strcmp(s->device, device) == 0 || step_changes(s, device);
}

static bool is_about_the_same(const struct step *x, const struct step *y)
{
	char address[BDF_TEXT_MAX];

	return strcmp(x->device, y->device) == 0 || steps_share(x, y, address);
}

/*
 * Whether x finds a function anew that y shall share an IOMMU group with: the order of the two makes the group, so x done
 * first would leave y where it can never be.
 */
static bool regroups(const struct step *x, const struct step *y, enum goal goal)
{
	char address[BDF_TEXT_MAX];

	for (size_t k = 0; k < y->n_looks; k++) {
		const struct value *members = &step_goal(y, goal)->v[k];

		if (!str_starts(y->look[k], "group/") || members->kind != VALUE_TEXT || !members->text)
			continue;
		for (size_t i = 0; i < x->n_looks; i++)
			if (step_goal(x, goal)->v[i].kind == VALUE_NEW && look_function(x->look[i], address) &&
			    strstr(members->text, address))
				return true;
	}
	return false;
}

static bool stops(const struct lease *lease, const bool *failed, const struct engine *e, size_t i, enum goal goal)
{
	if (e->stuck.pid && is_about(&lease->steps[i], e->stuck_device))
		return true;
	for (size_t later = i + 1; later < lease->n; later++)
		if (failed[later] && (is_about_the_same(&lease->steps[i], &lease->steps[later]) ||
				      regroups(&lease->steps[i], &lease->steps[later], goal)))
			return true;
	return false;
}

/* Gone by itself: not one function is there of a step that left them where they are, or has no looks at that. */
static enum identity identify_back(struct engine *e, const struct step *s, enum mark mark, struct error *err)
{
	bool leaves = false, there = false;

	for (size_t i = 0; i < s->n_looks; i++) {
		char text[STEP_LIFE_BYTES];
		ssize_t n;

		if (!str_starts(s->look[i], "life/"))
			continue;
		/* Once it was begun, the function may be away because of us. */
		if (mark != MARK_DID || (s->to.v[i].kind == VALUE_TEXT && !s->to.v[i].text))
			return IDENTITY_SAME;
		leaves = true;
		n = host_read(e->host, s->look[i], text, sizeof(text));
		there = there || !is_gone(n);
	}
	if (leaves)
		return there ? IDENTITY_SAME : IDENTITY_GONE;
	return identify(e->host, s, err);
}

static int step_back(struct engine *e, struct journal *j, struct lease *lease, size_t i, enum goal goal,
		     struct event *event, struct error *err)
{
	const struct step *s = &lease->steps[i];
	enum mark before = lease->marks[i];
	struct error ignored;
	enum identity who = identify_back(e, s, before, err);
	size_t lost = strlen(e->lost);
	int code = 0;

	e->writes = 0;
	*e->missing = '\0';
	if (who == IDENTITY_SAME)
		code = note_was(e, j, lease, i, goal, err);
	if (code < 0)
		return code;
	/* Looking finds the way back, so it needs no mark to be safe, and a full disk does not stop it. */
	journal_mark(j, lease, i, MARK_UNDO, &ignored);
	e->back = true;
	if (who == IDENTITY_SAME)
		code = go(e, j, lease, i, goal, err);
	else if (who == IDENTITY_UNKNOWN)
		code = err->code;
	else
		event->kind = EVENT_GONE;
	e->back = false;
	/*
	 * Where the network has not come back as it was the step stays begun: whoever comes to this lease again, say because
	 * we were killed before that was told, looks once more.
	 */
	if (code == 0 && lease->marks[i] == MARK_UNDO && strlen(e->lost) == lost)
		journal_mark(j, lease, i, MARK_UNDID, &ignored);
	return code;
}

/* The steps that which says, NULL: all. */
static int back(struct engine *e, struct journal *j, struct lease *lease, const bool *which, enum goal goal,
		struct error *err)
{
	bool failed[PLAN_STEPS_MAX] = { false };
	int first = 0;

	e->end = host_now(e->host) + phase_ms(e);
	e->left = 0;
	*e->lost = '\0';
	for (size_t i = lease->n; i-- > 0;) {
		struct event event = event_of(lease, i, goal);
		int64_t begun = host_now(e->host);
		struct error why = { 0 };
		int code;

		if (lease->steps[i].phase == PHASE_POST_STOP || lease->marks[i] == MARK_NONE ||
		    lease->marks[i] >= MARK_UNDID || (which && !which[i]))
			continue;
		if (stops(lease, failed, e, i, goal)) {
			failed[i] = true;
			e->left++;
			continue;
		}
		code = step_back(e, j, lease, i, goal, &event, &why);
		tell_end(e, &event, begun, code, &why);
		if (code == 0)
			continue;
		failed[i] = true;
		e->left++;
		if (!first)
			*err = why;
		first = first ? first : error_in(err, "%s", lease->steps[i].device);
	}
	if (e->left && !first)
		return error_set(err, -EBUSY, "%s is still inside the kernel", e->stuck_device);
	return first;
}

int engine_back(struct engine *e, struct journal *j, struct lease *lease, enum goal goal, struct error *err)
{
	return back(e, j, lease, NULL, goal, err);
}

int engine_give(struct engine *e, struct journal *j, struct lease *lease, const bool *which, struct error *err)
{
	int code = back(e, j, lease, which, GOAL_HOME, err);

	for (size_t i = 0; i < lease->n && code == 0; i++) {
		if (which[i] && lease->marks[i] == MARK_UNDO)
			code = journal_mark(j, lease, i, MARK_UNDID, err);
		if (code == 0 && which[i] && lease->marks[i] == MARK_UNDID)
			code = journal_mark(j, lease, i, MARK_GIVEN, err);
	}
	return code;
}

/* --- after ------------------------------------------------------------------------------------------------------- */

/* Whether what was noted of a step by a run that was killed says nothing to this one. */
static bool is_of_another_program(const struct step *s)
{
	for (size_t i = 0; i < s->n_looks; i++)
		if (look_is_of_this_program(s->look[i]) && s->to.v[i].kind == VALUE_NEW)
			return true;
	return false;
}

static int do_after(struct engine *e, struct journal *j, struct lease *lease, size_t i, struct event *event,
		    struct error *err)
{
	const struct step *s = &lease->steps[i];
	enum identity who = IDENTITY_SAME;
	int code = 0;

	if (lease->marks[i] == MARK_NONE || is_of_another_program(s)) {
		who = identify_back(e, s, MARK_DID, err);
		code = who == IDENTITY_UNKNOWN ? err->code : note_was(e, j, lease, i, GOAL_TO, err);
	}
	if (code == 0)
		code = journal_mark(j, lease, i, MARK_DO, err);
	if (code == 0 && who == IDENTITY_SAME)
		code = go(e, j, lease, i, GOAL_TO, err);
	else if (code == 0)
		event->kind = EVENT_GONE;
	return code < 0 ? code : journal_mark(j, lease, i, MARK_DID, err);
}

/* One step of post-stop: done, or else taken back to where it came from. */
static int step_after(struct engine *e, struct journal *j, struct lease *lease, size_t i, struct error *err)
{
	struct event event = event_of(lease, i, GOAL_TO), back = event_of(lease, i, GOAL_FROM);
	int64_t begun = host_now(e->host);
	struct error why = { 0 };
	int code = 0, undone;

	e->writes = 0;
	*e->missing = '\0';
	if (lease->marks[i] != MARK_UNDO) {
		code = do_after(e, j, lease, i, &event, err);
		tell_end(e, &event, begun, code, err);
	}
	if (lease->marks[i] == MARK_NONE || lease->marks[i] == MARK_DID)
		return code;
	e->end += phase_ms(e);
	undone = step_back(e, j, lease, i, GOAL_FROM, &back, &why);
	e->end -= phase_ms(e);
	if (undone == 0)
		return code;
	tell_end(e, &back, begun, undone, &why);
	e->left++;
	/* It may have failed in an earlier run, and only the way back in this one. */
	if (code < 0)
		return code;
	*err = why;
	return undone;
}

int engine_after(struct engine *e, struct journal *j, struct lease *lease, struct error *err)
{
	int first = 0;

	e->end = host_now(e->host) + phase_ms(e);
	e->left = 0;
	for (size_t i = 0; i < lease->n; i++) {
		struct error why = { 0 };
		int code;

		if (lease->steps[i].phase != PHASE_POST_STOP || lease->marks[i] == MARK_DID ||
		    lease->marks[i] == MARK_UNDID)
			continue;
		code = step_after(e, j, lease, i, &why);
		if (code < 0 && !first) {
			*err = why;
			first = error_in(err, "%s", lease->steps[i].device);
		}
	}
	return first;
}
