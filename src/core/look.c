/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/look.h"

/* How many looks from this one on are at the network interface of the same function: "nic/0000:00:1f.6/". */
static size_t count_of_nic(const struct step *s, size_t i)
{
	size_t prefix = (size_t)(str_basename(s->look[i]) - s->look[i]), n = 0;

	while (i + n < s->n_looks && strncmp(s->look[i + n], s->look[i], prefix) == 0)
		n++;
	return n;
}

/* What is read of a step, and up to where: of the interface whose looks end there, little if it has not got its name. */
struct reading {
	const struct step *s;
	const struct looks *goal;
	size_t unnamed_until;
};

static bool is_needed(const struct reading *r, size_t i)
{
	if (look_is_asked_last(r->s->look[i]))
		return false;
	if (!r->goal || !str_starts(r->s->look[i], "nic/"))
		return true;
	if (i < r->unnamed_until && strcmp(str_basename(r->s->look[i]), "up") != 0)
		return false;
	return r->goal->v[i].kind != VALUE_ANY;
}

/* Of the n looks from this one on, how many are read one after the other. */
static size_t count_of_needed(const struct reading *r, size_t i, size_t n)
{
	size_t needed = 0;

	while (needed < n && is_needed(r, i + needed))
		needed++;
	return needed;
}

/* An interface's name is the first look at it. */
static void go_on(struct host *h, struct reading *r, size_t i, const struct value *now)
{
	size_t n;

	if (!str_starts(r->s->look[i], "nic/") || strcmp(str_basename(r->s->look[i]), "name") != 0)
		return;
	n = count_of_nic(r->s, i);
	if (r->goal && !value_fits(now, &r->goal->v[i]))
		r->unnamed_until = i + n;
	else
		host_read_ahead(h, r->s->look + i + 1, count_of_needed(r, i + 1, n - 1));
}

int step_read(struct host *h, const struct step *s, const struct looks *goal, struct looks *now,
	      struct look_buffer *buf, struct error *err)
{
	struct reading r = { s, goal, 0 };
	char *at = buf->text;

	now->v = buf->v;
	for (size_t i = 0; i < s->n_looks; i++) {
		size_t left = (size_t)(buf->text + sizeof(buf->text) - at);
		ssize_t n;

		buf->v[i] = value_of(NULL);
		if (!is_needed(&r, i))
			continue;
		n = host_read(h, s->look[i], at, left < HOST_VALUE_BYTES ? left : HOST_VALUE_BYTES);
		if (n < 0 && n != -ENOENT && n != -ENODEV) {
			host_read_ahead(h, NULL, 0);
			return error_errno(err, (int)n, "cannot read '%s'", s->look[i]);
		}
		buf->v[i] = value_of(n >= 0 ? at : NULL);
		go_on(h, &r, i, &buf->v[i]);
		at += n >= 0 ? n + 1 : 0;
	}
	return 0;
}
