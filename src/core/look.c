/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/look.h"
#include "core/nic.h"

bool look_is_of_same(const char *x, const char *y)
{
	return strncmp(x, y, (size_t)(str_basename(x) - x)) == 0;
}

/* How many looks from this one on are at the network interface of the same function: "nic/0000:00:1f.6/". */
static size_t count_of_nic(const struct step *s, size_t i)
{
	size_t n = 0;

	while (i + n < s->n_looks && look_is_of_same(s->look[i], s->look[i + n]))
		n++;
	return n;
}

/* What is read of a step; and of the interface whose looks end there, only whether it is up, or nothing more. */
struct reading {
	const struct step *s;
	const struct looks *goal;
	bool is_new;		/* the interface has just appeared */
	size_t unnamed_until, waits_until;
	const char *ahead[STEP_LOOKS_MAX];
};

/*
 * The settings of an interface that has just appeared are those of "default" (net/ipv4/devinet.c, inetdev_init();
 * net/ipv6/addrconf.c, ipv6_add_dev()). They are hundreds of files, and whoever writes them compares them anyway.
 */
static bool is_known(const struct reading *r, size_t i)
{
	return r->is_new && look_is_of_nic(r->s->look[i], nic_what_name(NIC_SYSCTLS));
}

static bool is_needed(const struct reading *r, size_t i)
{
	if (look_is_asked_last(r->s->look[i]) || is_known(r, i))
		return false;
	if (!r->goal || !str_starts(r->s->look[i], "nic/"))
		return true;
	if (i < r->waits_until || (i < r->unnamed_until && !look_is_of_nic(r->s->look[i], nic_what_name(NIC_UP))))
		return false;
	return r->goal->v[i].kind != VALUE_ANY;
}

/* The n looks from this one on, as far as they are read one after the other; how many. */
static size_t list_needed(struct reading *r, size_t i, size_t n)
{
	size_t needed = 0;

	for (size_t end = i + n; i < end; i++) {
		if (!is_needed(r, i))
			continue;
		r->ahead[needed++] = r->s->look[i];
		if (r->goal && look_is_of_nic(r->s->look[i], nic_what_name(NIC_UP)))
			break;
	}
	return needed;
}

/* An interface's name is the first look at it, and whether it is up the last that is read before it is. */
static void go_on(struct host *h, struct reading *r, size_t i, const struct value *now)
{
	bool is_name = look_is_of_nic(r->s->look[i], nic_what_name(NIC_NAME));
	bool fits = !r->goal || value_fits(now, &r->goal->v[i]);
	size_t n;

	if (!is_name && !(r->goal && look_is_of_nic(r->s->look[i], nic_what_name(NIC_UP))))
		return;
	n = count_of_nic(r->s, i);
	if (fits)
		host_read_ahead(h, r->ahead, list_needed(r, i + 1, n - 1));
	else if (is_name)
		r->unnamed_until = i + n;
	else
		r->waits_until = i + n;
}

/* Those from one look on until another. */
static int read_looks(struct host *h, struct reading *r, size_t from, size_t until, struct look_buffer *buf,
		      struct error *err)
{
	for (size_t i = from; i < until; i++) {
		size_t left = sizeof(buf->text) - buf->used;
		char *at = buf->text + buf->used;
		ssize_t n;

		buf->v[i] = is_known(r, i) ? value_of(NULL) : value_any();
		if (!is_needed(r, i))
			continue;
		n = host_read(h, r->s->look[i], at, left < HOST_VALUE_BYTES ? left : HOST_VALUE_BYTES);
		if (n < 0 && n != -ENOENT && n != -ENODEV) {
			host_read_ahead(h, NULL, 0);
			return error_errno(err, (int)n, "cannot read '%s'", r->s->look[i]);
		}
		buf->v[i] = value_of(n >= 0 ? at : NULL);
		go_on(h, r, i, &buf->v[i]);
		buf->used += n >= 0 ? (size_t)n + 1 : 0;
	}
	return 0;
}

int step_read(struct host *h, const struct step *s, const struct looks *goal, struct looks *now,
	      struct look_buffer *buf, struct error *err)
{
	struct reading r = { .s = s, .goal = goal };

	now->v = buf->v;
	buf->used = 0;
	return read_looks(h, &r, 0, s->n_looks, buf, err);
}

int step_read_nic(struct host *h, const struct step *s, const struct looks *goal, size_t name, struct look_buffer *buf,
		  struct error *err)
{
	struct reading r = { .s = s, .goal = goal, .is_new = true };

	return read_looks(h, &r, name, name + count_of_nic(s, name), buf, err);
}
