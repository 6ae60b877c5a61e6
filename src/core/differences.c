/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/engine.h"
#include "core/look.h"

/* What a later step has changed again. */
static bool is_changed_later(const struct lease *lease, size_t i, size_t look)
{
	for (size_t later = i + 1; later < lease->n; later++) {
		const struct step *s = &lease->steps[later];

		for (size_t k = 0; lease->marks[later] != MARK_NONE && k < s->n_looks; k++)
			if (strcmp(s->look[k], lease->steps[i].look[look]) == 0 && s->to.v[k].kind != VALUE_ANY)
				return true;
	}
	return false;
}

/* The function that a look is about; the step may be about several. */
static const char *subject(const struct step *s, size_t look, char address[BDF_TEXT_MAX])
{
	return look_function(s->look[look], address) ? address : s->device;
}

/* "driver", "life": the last part of a look's name, or the first where the last is the function itself. */
static const char *what_of(const char *look, const char *subject, struct arena *a)
{
	const char *last = str_basename(look);

	return strcmp(last, subject) == 0 ? arena_fmt(a, "%.*s", (int)strcspn(look, "/"), look) : last;
}

/*
 * Whether a step says anything of the host now, and where it shall be then. One of post-stop does while it is under way:
 * until it has ended it may go back to where it came from.
 */
static bool has_goal(const struct lease *lease, size_t i, enum goal *goal)
{
	enum mark mark = lease->marks[i];

	if (lease->steps[i].phase != PHASE_POST_STOP)
		return mark != MARK_NONE && mark != MARK_GIVEN;
	*goal = GOAL_FROM;
	return mark == MARK_DO || mark == MARK_UNDO;
}

size_t engine_differences(struct host *h, const struct lease *lease, enum goal asked, struct arena *a,
			  const char **lines, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < lease->n; i++) {
		const struct step *s = &lease->steps[i];
		struct look_buffer buf;
		struct looks now;
		enum goal goal = asked;
		struct error err;

		if (!has_goal(lease, i, &goal))
			continue;
		if (step_read(h, s, NULL, &now, &buf, &err) < 0) {
			if (n++ < max)
				lines[n - 1] = arena_fmt(a, "%s: %s", s->device, err.text);
			continue;
		}
		for (size_t k = 0; k < s->n_looks; k++) {
			const struct value *want = &step_goal(s, goal)->v[k];
			char address[BDF_TEXT_MAX];
			const char *who = subject(s, k, address);

			if (look_is_of_this_program(s->look[k]) || look_is_asked_last(s->look[k]) || value_fits(&now.v[k], want))
				continue;
			if ((goal == GOAL_TO && is_changed_later(lease, i, k)) || n++ >= max)
				continue;
			lines[n - 1] = arena_fmt(a, "%s %s: %s, should be %s", who, what_of(s->look[k], who, a),
						 value_shown(&now.v[k]), value_shown(want));
		}
	}
	return n;
}
