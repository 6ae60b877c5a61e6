/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "host/vlans.h"

static bool has(const uint64_t *bits, unsigned id)
{
	return bits[id / 64] >> (id % 64) & 1;
}

static void put(uint64_t *bits, unsigned id, bool on)
{
	uint64_t bit = UINT64_C(1) << (id % 64);

	bits[id / 64] = on ? bits[id / 64] | bit : bits[id / 64] & ~bit;
}

static void copy(struct vlans *to, const struct vlans *from, unsigned id)
{
	put(to->member, id, true);
	put(to->untagged, id, has(from->untagged, id));
	if (from->pvid == id)
		to->pvid = id;
}

int vlans_add(struct vlans *v, const struct vlan_range *r)
{
	if (r->from < 1 || r->from > r->to || r->to > VLAN_ID_MAX)
		return -EINVAL;
	if (r->pvid && (r->from != r->to || (v->pvid && v->pvid != r->from)))
		return -EINVAL;
	for (unsigned id = r->from; id <= r->to; id++) {
		put(v->member, id, true);
		put(v->untagged, id, r->untagged);
	}
	if (r->pvid)
		v->pvid = r->from;
	return 0;
}

static bool is_alike(const struct vlans *a, const struct vlans *b, unsigned id)
{
	return has(a->member, id) == has(b->member, id) && has(a->untagged, id) == has(b->untagged, id) &&
	       (a->pvid == id) == (b->pvid == id);
}

/* Whether id continues the range, which is not of the PVID. */
static bool continues(const struct vlans *v, const struct vlan_range *r, unsigned id)
{
	return id <= VLAN_ID_MAX && has(v->member, id) && has(v->untagged, id) == r->untagged && v->pvid != id;
}

bool vlans_next(const struct vlans *v, struct vlan_range *r)
{
	unsigned id = r->to + 1;

	while (id <= VLAN_ID_MAX && !has(v->member, id))
		id++;
	if (id > VLAN_ID_MAX)
		return false;
	*r = (struct vlan_range){ id, id, v->pvid == id, has(v->untagged, id) };
	while (!r->pvid && continues(v, r, r->to + 1))
		r->to++;
	return true;
}

struct vlans vlans_without(const struct vlans *v, const struct vlans *other)
{
	struct vlans left = { 0 };

	for (unsigned id = 1; id <= VLAN_ID_MAX; id++)
		if (has(v->member, id) && !has(other->member, id))
			copy(&left, v, id);
	return left;
}

struct vlans vlans_unlike(const struct vlans *v, const struct vlans *other)
{
	struct vlans left = { 0 };

	for (unsigned id = 1; id <= VLAN_ID_MAX; id++)
		if (has(v->member, id) && !is_alike(v, other, id))
			copy(&left, v, id);
	return left;
}

static bool skip(const char **s, const char *word)
{
	if (!str_starts(*s, word))
		return false;
	*s += strlen(word);
	return true;
}

static bool take_id(const char **s, unsigned *id)
{
	if (**s < '1' || **s > '9')
		return false;
	for (*id = 0; **s >= '0' && **s <= '9'; (*s)++) {
		*id = *id * 10 + (unsigned)(**s - '0');
		if (*id > VLAN_ID_MAX)
			return false;
	}
	return true;
}

static bool take_range(const char **s, struct vlan_range *r)
{
	if (!take_id(s, &r->from))
		return false;
	r->to = r->from;
	if (skip(s, "-") && (!take_id(s, &r->to) || r->to == r->from))
		return false;
	r->pvid = skip(s, " pvid");
	r->untagged = skip(s, " untagged");
	return true;
}

int vlans_parse(const char *text, struct vlans *v)
{
	struct vlan_range r = { 0 };
	unsigned last;

	*v = (struct vlans){ 0 };
	if (*text == '\0')
		return 0;
	do {
		last = r.to;
		if (!take_range(&text, &r) || r.from <= last || vlans_add(v, &r) < 0)
			return -EINVAL;
	} while (skip(&text, ", "));
	return *text == '\0' ? 0 : -EINVAL;
}

ssize_t vlans_format(const struct vlans *v, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);
	struct vlan_range r = { 0 };

	while (vlans_next(v, &r)) {
		text_separate(&t, ", ");
		text_add(&t, "%u", r.from);
		if (r.to != r.from)
			text_add(&t, "-%u", r.to);
		text_add(&t, "%s%s", r.pvid ? " pvid" : "", r.untagged ? " untagged" : "");
	}
	return text_length(&t);
}
