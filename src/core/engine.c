/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/engine.h"

#define DEVICES "sys/bus/pci/devices"

/* On the way back a write that fails is tried again: a group in use answers EINVAL and then lets go. */
#define BACK_TRIES 3
#define BACK_PAUSE_MS 200

int step_read(struct host *h, const struct step *s, struct looks *now, struct look_buffer *buf, struct error *err)
{
	now->v = buf->v;
	for (size_t i = 0; i < s->n_looks; i++) {
		ssize_t n = host_read(h, s->look[i], buf->text[i], sizeof(buf->text[i]));

		buf->v[i] = value_of(n >= 0 ? buf->text[i] : NULL);
		if (n < 0 && n != -ENOENT && n != -ENODEV)
			return error_errno(err, (int)n, "cannot read '%s'", s->look[i]);
	}
	return 0;
}

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

/* --- one step ---------------------------------------------------------------------------------------------------- */

static unsigned time_left(const struct engine *e, unsigned at_most)
{
	int64_t left = e->end - host_now(e->host);

	return left <= 0 ? 0 : left < at_most ? (unsigned)left : at_most;
}

static bool has_become(struct host *h, const char *look, const struct value *goal)
{
	char text[HOST_VALUE_BYTES];
	struct value now = value_of(host_read(h, look, text, sizeof(text)) < 0 ? NULL : text);

	return value_fits(&now, goal);
}

/* Looks until it is so, or its time is over. */
static bool wait_to_become(struct engine *e, const char *look, const struct value *goal, int64_t end)
{
	while (!has_become(e->host, look, goal)) {
		int64_t left = end - host_now(e->host);

		if (left <= 0)
			return false;
		host_wait(e->host, (unsigned)left);
	}
	return true;
}

static int stuck(struct engine *e, const struct step *s, const struct poke *p, struct error *err)
{
	e->stuck_device = s->device;
	snprintf(e->stuck_at, sizeof(e->stuck_at), "%s", p->at);
	return error_set(err, -ETIMEDOUT, "%s has not come back from the kernel: process %d still writes to '%s'%s%s",
			 p->what, (int)e->stuck.pid, p->at, *e->stuck.wchan ? " and waits in " : "", e->stuck.wchan);
}

/*
 * One write, and a look at what it did. What is seen decides: a write may fail and still have taken effect, and
 * drivers_probe and its like succeed without having done anything.
 */
static int do_write(struct engine *e, const struct step *s, const struct poke *p, struct error *err)
{
	unsigned ms = time_left(e, p->deadline_ms);
	int64_t end = host_now(e->host) + ms;
	struct host_stuck hangs;
	int code;

	if (ms == 0)
		return error_set(err, -ETIME, "the time for this phase (%d s) is used up", PHASE_MS / 1000);
	e->writes++;
	code = host_write(e->host, p->at, p->put, ms, &hangs);
	/* Drivers answer ETIMEDOUT and ETIME too: what hangs has a worker that does not come back. */
	if (hangs.pid) {
		e->stuck = hangs;
		return stuck(e, s, p, err);
	}
	/* EAGAIN: the driver's probe is deferred, and is tried again by the kernel (drivers/base/dd.c). */
	if (code < 0 && code != -EAGAIN && !has_become(e->host, s->look[p->look], &p->becomes)) {
		error_errno(err, code, "%s failed (writing '%s' to '%s')", p->what, p->put, p->at);
		return code == -ETIMEDOUT || code == -ETIME ? -EIO : code;
	}
	if (wait_to_become(e, s->look[p->look], &p->becomes, end))
		return 0;
	return error_set(err, -EIO, "%s did nothing: '%s' does not become '%s'", p->what, s->look[p->look],
			 value_shown(&p->becomes));
}

/* What may come about by itself is given the time for it; a file that nobody can write is only waited for. */
static int do_poke(struct engine *e, const struct step *s, const struct poke *p, struct error *err)
{
	int64_t end = host_now(e->host) + time_left(e, p->patience_ms);

	if ((p->patience_ms || !*p->at) && wait_to_become(e, s->look[p->by_itself], &p->by_itself_is, end))
		return 0;
	if (*p->at)
		return do_write(e, s, p, err);
	return error_set(err, -EIO, "%s", p->what);
}

static int write_patiently(struct engine *e, const struct step *s, const struct poke *p, bool back, struct error *err)
{
	int code = do_poke(e, s, p, err);

	for (int n = 1; back && *p->at && n < BACK_TRIES && code < 0 && code != -ETIMEDOUT && code != -ETIME; n++) {
		host_wait(e->host, time_left(e, BACK_PAUSE_MS));
		code = do_write(e, s, p, err);
	}
	return code;
}

/* What a step hopes for is given a while; what is still missing then is told, and is nobody's failure. */
static int hope(struct engine *e, const struct step *s, const struct looks *want, struct look_buffer *buf,
		struct error *err)
{
	int64_t end = host_now(e->host) + time_left(e, HOPE_MS);
	struct looks now;
	size_t i;
	int code;

	while ((code = step_read(e->host, s, &now, buf, err)) == 0 && !looks_fit(s, &now, want) &&
	       host_now(e->host) < end)
		host_wait(e->host, (unsigned)(end - host_now(e->host)));
	if (code < 0 || looks_fit(s, &now, want))
		return code;
	for (i = 0; value_fits(&now.v[i], &want->v[i]);)
		i++;
	snprintf(e->missing, sizeof(e->missing), "%s has not come back as %s", s->look[i], value_shown(&want->v[i]));
	return 0;
}

/* Write after write until the step is at its goal. */
static int reach(struct engine *e, const struct step *s, enum goal goal, struct error *err)
{
	const struct looks *want = step_goal(s, goal);
	struct look_buffer buf;
	struct looks now;
	struct poke p;
	int code;

	e->writes = 0;
	*e->missing = '\0';
	for (int n = 0; n < STEP_WRITES_MAX; n++) {
		code = step_read(e->host, s, &now, &buf, err);
		if (code < 0)
			return code;
		if (looks_fit(s, &now, want))
			return 0;
		if (looks_fit_but_hopes(s, &now, want))
			return hope(e, s, want, &buf, err);
		memset(&p, 0, sizeof(p));
		if (!s->action->next(s, &now, want, &p, err))
			return err->code;
		code = write_patiently(e, s, &p, goal != GOAL_TO, err);
		if (code < 0)
			return code;
	}
	return error_set(err, -ELOOP, "%d writes did not bring it where it shall be", STEP_WRITES_MAX);
}

static void tell(const struct engine *e, const struct event *event)
{
	if (e->tell)
		e->tell(e->arg, event);
}

/* --- forward ----------------------------------------------------------------------------------------------------- */

static int check_before(struct engine *e, const struct step *s, struct error *err)
{
	struct look_buffer buf;
	struct looks now;
	int code;

	enum identity who = identify(e->host, s, err);

	if (who == IDENTITY_UNKNOWN)
		return err->code;
	if (who != IDENTITY_SAME)
		return error_set(err, -ESTALE, "it is no longer the device the plan was made for");
	code = step_read(e->host, s, &now, &buf, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < s->n_looks; i++)
		if (!value_fits(&now.v[i], &s->from.v[i]))
			return error_set(err, -ESTALE, "'%s' is %s, but was %s when the plan was made", s->look[i],
					 value_shown(&now.v[i]), value_shown(&s->from.v[i]));
	return 0;
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

static int step_forward(struct engine *e, struct journal *j, struct lease *lease, size_t i, struct error *err)
{
	const struct step *s = &lease->steps[i];
	int code = check_before(e, s, err);

	if (code == 0)
		code = note_was(e, j, lease, i, GOAL_TO, err);
	if (code == 0)
		code = journal_mark(j, lease, i, MARK_DO, err);
	if (code == 0)
		code = reach(e, s, GOAL_TO, err);
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
	e->end = host_now(e->host) + PHASE_MS;
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

static bool stops(const struct lease *lease, const bool *failed, const struct engine *e, size_t i)
{
	const char *device = lease->steps[i].device;

	if (e->stuck.pid && e->stuck_device && strcmp(e->stuck_device, device) == 0)
		return true;
	for (size_t later = i + 1; later < lease->n; later++)
		if (failed[later] && strcmp(lease->steps[later].device, device) == 0)
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
	int code = 0;

	e->writes = 0;
	*e->missing = '\0';
	if (who == IDENTITY_SAME)
		code = note_was(e, j, lease, i, goal, err);
	if (code < 0)
		return code;
	/* Looking finds the way back, so it needs no mark to be safe, and a full disk does not stop it. */
	journal_mark(j, lease, i, MARK_UNDO, &ignored);
	if (who == IDENTITY_SAME)
		code = reach(e, s, goal, err);
	else if (who == IDENTITY_UNKNOWN)
		code = err->code;
	else
		event->kind = EVENT_GONE;
	if (code == 0 && lease->marks[i] == MARK_UNDO)
		journal_mark(j, lease, i, MARK_UNDID, &ignored);
	return code;
}

int engine_back(struct engine *e, struct journal *j, struct lease *lease, enum goal goal, struct error *err)
{
	bool failed[PLAN_STEPS_MAX] = { false };
	int first = 0;

	e->end = host_now(e->host) + PHASE_MS;
	e->left = 0;
	for (size_t i = lease->n; i-- > 0;) {
		struct event event = event_of(lease, i, goal);
		int64_t begun = host_now(e->host);
		struct error why = { 0 };
		int code;

		if (lease->steps[i].phase == PHASE_POST_STOP || lease->marks[i] == MARK_NONE ||
		    lease->marks[i] == MARK_UNDID)
			continue;
		if (stops(lease, failed, e, i)) {
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

/* --- after ------------------------------------------------------------------------------------------------------- */

static int do_after(struct engine *e, struct journal *j, struct lease *lease, size_t i, struct event *event,
		    struct error *err)
{
	const struct step *s = &lease->steps[i];
	enum identity who = IDENTITY_SAME;
	int code = 0;

	if (lease->marks[i] == MARK_NONE) {
		who = identify_back(e, s, MARK_DID, err);
		code = who == IDENTITY_UNKNOWN ? err->code : note_was(e, j, lease, i, GOAL_TO, err);
	}
	if (code == 0)
		code = journal_mark(j, lease, i, MARK_DO, err);
	if (code == 0 && who == IDENTITY_SAME)
		code = reach(e, s, GOAL_TO, err);
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
	undone = step_back(e, j, lease, i, GOAL_FROM, &back, &why);
	if (undone < 0)
		tell_end(e, &back, begun, undone, &why);
	e->left += undone < 0;
	return code;
}

int engine_after(struct engine *e, struct journal *j, struct lease *lease, struct error *err)
{
	int first = 0;

	e->end = host_now(e->host) + PHASE_MS;
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
