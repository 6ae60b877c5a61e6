/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/waits.h"
#include "core/action.h"
#include "core/holders.h"
#include "core/look.h"
#include "core/nic.h"
#include "core/reach.h"
#include "core/said.h"
#include "host/command.h"

/* On the way back a write that fails is tried again: a group in use answers EINVAL and then lets go. */
#define BACK_TRIES 3
#define BACK_PAUSE_MS 200

/* On the way back nothing that does not come may use up what others need: it has half of what is left. */
static unsigned time_left(const struct engine *e, unsigned at_most)
{
	int64_t left = (e->end - host_now(e->host)) / (e->back ? 2 : 1);

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
	char address[BDF_TEXT_MAX], waits[WAITS_BYTES];

	waits_shown(e->stuck.wchan, e->stuck.stack, waits);
	snprintf(e->stuck_what, sizeof(e->stuck_what), "%s", p->what);
	snprintf(e->stuck_device, sizeof(e->stuck_device), "%s",
		 look_function(s->look[p->look], address) ? address : s->device);
	snprintf(e->stuck_at, sizeof(e->stuck_at), "%s", p->at);
	if (str_starts(p->at, "unit/"))
		return error_set(err, -ETIMEDOUT, "%s: systemd has not done it in time, and process %d still waits for it; "
				 "`systemctl list-jobs` shows what is under way", p->what, (int)e->stuck.pid);
	return error_set(err, -ETIMEDOUT, "%s has not come back from the kernel: process %d still writes to '%s'%s%s",
			 p->what, (int)e->stuck.pid, p->at, *waits ? " and waits in " : "", waits);
}

static void add(char list[ERROR_MAX], const char *text)
{
	size_t n = strlen(list);

	snprintf(list + n, ERROR_MAX - n, "%s%s", n ? "; " : "", text);
}

__attribute__((format(printf, 3, 4))) static void miss(struct engine *e, bool network, const char *fmt, ...)
{
	char text[ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strstr(e->missing, text))
		return;
	add(e->missing, text);
	if (network)
		add(e->lost, text);
}

/* A command says more than an errno. */
static void failed(const struct poke *p, int code, const struct said *said, struct error *err)
{
	if (*said->how)
		error_set(err, code, "%s failed: %s%s%s", p->what, said->how, *said->last ? "; it said last: " : "",
			  said->last);
	else
		error_errno(err, code, "%s failed (writing '%s' to '%s')", p->what, p->put, p->at);
}

/* These take one lock for the whole host (drivers/pci/probe.c, pci_lock_rescan_remove()). */
static bool is_of_the_bus(const char *at)
{
	return strcmp(str_basename(at), "remove") == 0 || strcmp(str_basename(at), "rescan") == 0;
}

/*
 * One write until end, and a look until seen at what it did. What is seen decides: a write may fail and still have
 * taken effect, and drivers_probe and its like succeed without having done anything.
 */
static int do_write(struct engine *e, const struct step *s, const struct poke *p, int64_t end, int64_t seen,
		    struct error *err)
{
	int64_t ms = end - host_now(e->host);
	struct host_stuck hangs;
	struct said said;
	int code;

	if (ms <= 0)
		return error_set(err, -ETIME, "the time for this phase (%u s) is used up", (e->phase_ms ? e->phase_ms : PHASE_MS) / 1000);
	if (e->stuck.pid && is_of_the_bus(e->stuck_at) && is_of_the_bus(p->at))
		return error_set(err, -EBUSY, "nothing can be removed or found while process %d writes to '%s'",
				 (int)e->stuck.pid, e->stuck_at);
	e->writes++;
	code = host_write(e->host, p->at, p->put, (unsigned)ms, &hangs);
	/* Drivers answer ETIMEDOUT and ETIME too: what hangs has a worker that does not come back. */
	if (hangs.pid) {
		e->stuck = hangs;
		return stuck(e, s, p, err);
	}
	said_tell(e, s, p->at, &said);
	if (code == 0 && *p->aside)
		miss(e, false, "%s", p->aside);
	if (code == 0 && p->is_seen_later)
		return 0;
	/* EAGAIN: the driver's probe is deferred, and is tried again by the kernel (drivers/base/dd.c). */
	if (code < 0 && code != -EAGAIN && !has_become(e->host, s->look[p->look], &p->becomes)) {
		failed(p, code, &said, err);
		return code == -ETIMEDOUT || code == -ETIME ? -EIO : code;
	}
	if (wait_to_become(e, s->look[p->look], &p->becomes, seen))
		return 0;
	return error_set(err, -EIO, "%s did nothing: '%s' does not become '%s'", p->what, s->look[p->look],
			 value_shown(&p->becomes));
}

/* Whether a driver lets go of the function by this: it may wait for whoever has a node open (holders.h). */
static bool takes_from_driver(const char *at)
{
	return strcmp(str_basename(at), "unbind") == 0 || strcmp(str_basename(at), "remove") == 0;
}

/* Nothing is written that would not come back. Whoever closes his nodes in a while has it. */
static int wait_for_holders(struct engine *e, const struct step *s, const struct poke *p, struct error *err)
{
	int64_t end = host_now(e->host) + time_left(e, HOLDERS_MS);
	char address[BDF_TEXT_MAX];

	if (!takes_from_driver(p->at) || !look_function(s->look[p->look], address))
		return 0;
	for (;;) {
		/* The run's own arena is sealed. */
		_cleanup_arena_ struct arena *a = arena_new();
		struct holder_look look = { .host = e->host, .arena = a };
		struct holders found;

		holders_read(&look, address, &found);
		if (found.n == 0 && found.n_unknown == 0)
			return 0;
		if (host_now(e->host) >= end && found.n)
			return error_set(err, -EBUSY, "%s is not tried, because it would hang in the kernel: %s", p->what,
					 holders_shown(&found, a));
		if (host_now(e->host) >= end)
			return error_set(err, -EBUSY, "%s is not tried, because it may hang in the kernel: %s is open, and it cannot be "
					 "told by whom (%s); look with `fuser -v %s`", p->what, found.unknown[0].node,
					 strerrordesc_np(-found.unknown[0].code), found.unknown[0].node);
		host_wait(e->host, HOLDERS_PAUSE_MS);
	}
}

/* All tries have the time of one. What a try did is looked at for its share of it, or no time were left for the next. */
static int write_patiently(struct engine *e, const struct step *s, const struct poke *p, struct error *err)
{
	int tries = e->back ? BACK_TRIES : 1, code = wait_for_holders(e, s, p, err);
	int64_t end = host_now(e->host) + time_left(e, p->deadline_ms), now;

	if (code < 0)
		return code;
	for (;;) {
		now = host_now(e->host);
		code = do_write(e, s, p, end, now + (end - now) / tries, err);
		if (code == 0 || code == -ETIMEDOUT || --tries == 0 || host_now(e->host) + BACK_PAUSE_MS >= end)
			return code;
		host_wait(e->host, BACK_PAUSE_MS);
	}
}

/* What may come about by itself is given the time for it; a file that nobody can write is only waited for. */
static int do_poke(struct engine *e, const struct step *s, const struct poke *p, struct error *err)
{
	int64_t end = host_now(e->host) + time_left(e, p->patience_ms);

	if ((p->patience_ms || !*p->at) && wait_to_become(e, s->look[p->by_itself], &p->by_itself_is, end))
		return 0;
	if (*p->at)
		return write_patiently(e, s, p, err);
	return error_set(err, -EIO, "%s", p->what);
}

static int read_patiently(struct engine *e, const struct step *s, const struct looks *want, struct looks *now,
			  struct look_buffer *buf, struct error *err)
{
	int code = step_read(e->host, s, want, now, buf, err);

	for (int n = 1; e->back && n < BACK_TRIES && code < 0; n++) {
		host_wait(e->host, BACK_PAUSE_MS);
		code = step_read(e->host, s, want, now, buf, err);
	}
	return code;
}

/* --- hopes ------------------------------------------------------------------------------------------------------- */

/* All hopes together leave time for what must be. */
static int64_t hope_end(const struct engine *e, const char *look, int64_t now)
{
	int64_t left = (e->end - now) / 2;

	if (look_is_of_the_network(look))
		return now + (left < HOPE_NETWORK_MS ? left : HOPE_NETWORK_MS);
	return now + time_left(e, HOPE_MS * 4) / 4;
}

/* A command is no hope but what helps where one is in vain. */
static bool is_hope(const struct step *s, const struct looks *want, size_t i)
{
	return want->v[i].kind == VALUE_HOPED && !str_starts(s->look[i], COMMAND_PREFIX);
}

/*
 * Looks once. What has come is asked for no more; what is asked last is only asked when the others of the network have come,
 * or for the last time. Returns until when what has not come is waited for; 0: all has come.
 */
static int64_t look_for_hopes(struct engine *e, const struct step *s, struct looks *want, int64_t begun, bool at_last)
{
	bool asks = true;
	int64_t end = 0;

	for (int last = 0; last < 2; last++)
		for (size_t i = 0; i < s->n_looks; i++) {
			const char *look = s->look[i];

			if (!is_hope(s, want, i) || look_is_asked_last(look) != !!last)
				continue;
			if ((!last || asks || at_last) && has_become(e->host, look, &want->v[i])) {
				want->v[i] = value_any();
				continue;
			}
			asks = asks && !look_is_of_the_network(look);
			if (hope_end(e, look, begun) > end)
				end = hope_end(e, look, begun);
		}
	return end;
}

static bool wait_for_hopes(struct engine *e, const struct step *s, struct looks *want)
{
	int64_t begun = host_now(e->host), end;

	while ((end = look_for_hopes(e, s, want, begun, false)) > host_now(e->host))
		host_wait(e->host, (unsigned)(end - host_now(e->host)));
	return end == 0 || look_for_hopes(e, s, want, begun, true) == 0;
}

/* "eno1 (0000:00:1f.6)": an interface by the name that it shall have. */
static const char *interface_shown(const struct step *s, size_t look, char buf[HOST_NAME_BYTES])
{
	char address[BDF_TEXT_MAX] = "", name[HOST_NAME_BYTES];

	look_function(s->look[look], address);
	snprintf(name, sizeof(name), "nic/%s/name", address);
	snprintf(buf, HOST_NAME_BYTES, "%s", address);
	for (size_t i = 0; i < s->n_looks; i++)
		if (strcmp(s->look[i], name) == 0 && s->from.v[i].text)
			snprintf(buf, HOST_NAME_BYTES, "%.40s (%s)", s->from.v[i].text, address);
	return buf;
}

/* What is still missing is told, and fails no step. Of a USB device that may be all: a person may have unplugged it. */
static void tell_missing(struct engine *e, const struct step *s, const struct looks *want)
{
	for (size_t i = 0; i < s->n_looks; i++) {
		const char *text = want->v[i].text;
		char buf[HOST_NAME_BYTES];

		if (!is_hope(s, want, i))
			continue;
		if (look_is_asked_last(s->look[i])) {
			miss(e, true, "the gateway %.*s does not answer%s, as it did before %s left; look with `ip neighbour` and "
				"`ip route`", (int)strcspn(text, " "), text, text + strcspn(text, " "),
			     interface_shown(s, i, buf));
		} else if (look_is_of_the_network(s->look[i])) {
			miss(e, true, "no carrier on %s, which had one before; look at its cable, and at the switch's port",
			     interface_shown(s, i, buf));
		} else {
			miss(e, false, "%s has not come back as %s", s->look[i], value_shown(&want->v[i]));
		}
	}
}

/* The command that may help where a gateway does not answer, and has not been run yet. s->n_looks: there is none. */
static size_t find_remedy(struct engine *e, const struct step *s, const struct looks *want)
{
	size_t remedy = s->n_looks;
	bool lost = false;

	for (size_t i = 0; i < s->n_looks; i++) {
		if (want->v[i].kind != VALUE_HOPED)
			continue;
		lost = lost || look_is_asked_last(s->look[i]);
		if (str_starts(s->look[i], COMMAND_PREFIX) && !has_become(e->host, s->look[i], &want->v[i]))
			remedy = i;
	}
	return lost ? remedy : s->n_looks;
}

static int run_remedy(struct engine *e, const struct step *s, const struct looks *want, size_t look, struct error *err)
{
	int64_t end = host_now(e->host) + time_left(e, REMEDY_MS);
	struct poke p = { .put = "run", .look = look, .becomes = want->v[look] };
	struct command_words words = { 0 };

	command_name_parse(s->look[look], &words);
	snprintf(p.at, sizeof(p.at), "%s", s->look[look]);
	snprintf(p.what, sizeof(p.what), "running '%.60s%s%.20s' because the gateway does not answer", words.word[0],
		 words.word[1] ? " " : "", words.word[1] ? words.word[1] : "");
	return do_write(e, s, &p, end, end, err);
}

/*
 * What a step hopes for is given a while. Then nothing of it is asked for any more, and the rest is looked at once again: with
 * the carrier some of it may have changed.
 */
static void hope(struct engine *e, const struct step *s, struct looks *want)
{
	struct error err = { 0 };
	bool came = wait_for_hopes(e, s, want);
	size_t remedy = came ? s->n_looks : find_remedy(e, s, want);

	if (remedy < s->n_looks && run_remedy(e, s, want, remedy, &err) == 0)
		came = wait_for_hopes(e, s, want);
	if (!came)
		tell_missing(e, s, want);
	if (err.code)
		miss(e, true, "%s", err.text);
	for (size_t i = 0; i < s->n_looks; i++)
		if (want->v[i].kind == VALUE_HOPED)
			want->v[i] = value_any();
}

/* --- step by step ------------------------------------------------------------------------------------------------ */

/* The function of a look is asked for nothing more. False: it was asked for nothing. */
static bool give_up(const struct step *s, struct looks *want, size_t look)
{
	char address[BDF_TEXT_MAX], other[BDF_TEXT_MAX];
	bool is_function = look_function(s->look[look], address), asked = false;

	for (size_t i = 0; i < s->n_looks; i++) {
		if (i != look && !(is_function && look_function(s->look[i], other) && strcmp(address, other) == 0))
			continue;
		asked = asked || want->v[i].kind != VALUE_ANY;
		want->v[i] = value_any();
	}
	return asked;
}

/* Whether a network interface's name is waited for, or written: then the rest of the interface is there, too. */
static bool is_about_name(const struct step *s, const struct poke *p)
{
	return look_is_of_nic(s->look[p->look], nic_what_name(NIC_NAME));
}

/*
 * Whether the next write may follow without a look at everything: one at a network interface changes nothing that the
 * next depends on but what can be read of the interface, and each takes time that the network is away. What they changed
 * besides is seen when all is looked at again, and so is what was not read before (look.h).
 */
static bool may_go_on(const struct step *s, const struct poke *p)
{
	return is_about_name(s, p) || (str_starts(p->at, "nic/") && p->patience_ms == 0);
}

/* What goes on from a look at everything. */
struct going {
	struct engine *e;
	const struct step *s;
	struct looks *want;
	bool *tried;		/* of each look: that it was written, without a look at it */
	size_t look;		/* that the last write is about; s->n_looks: none yet */
};

/*
 * Writes as far as may be without a look at everything. What was read a moment ago is not read again before it is written;
 * what was read before may have come with what was written since.
 */
static int write_on(struct going *g, struct looks *now, struct look_buffer *buf, struct error *err)
{
	struct poke p = { 0 };
	struct error ignored;
	bool is_fresh = true;
	size_t last;
	int code = 0;

	for (int n = 0; n < STEP_WRITES_MAX && !looks_fit_but_hopes(g->s, now, g->want); n++) {
		bool again = g->s->action->next(g->s, now, g->want, &p, err);

		last = g->look;
		g->look = p.look;
		if (!again)
			return err->code;
		if (n > 0 && (!may_go_on(g->s, &p) || now->v[p.look].kind == VALUE_ANY))
			return 0;
		/* What is known of another interface may be old: a name is waited for for seconds. */
		if (n > 0 && is_fresh && !look_is_of_same(g->s->look[p.look], g->s->look[last]))
			return 0;
		/* All is looked at again later, which needs no look of its own: until that has shown that it did nothing. */
		p.is_seen_later = may_go_on(g->s, &p) && !g->tried[p.look];
		g->tried[p.look] = true;
		if (is_fresh || !has_become(g->e->host, g->s->look[p.look], &p.becomes))
			code = do_poke(g->e, g->s, &p, err);
		if (code < 0 || !may_go_on(g->s, &p))
			return code;
		now->v[p.look] = p.becomes;
		is_fresh = is_about_name(g->s, &p);
		/* What cannot be read for a moment is no failure. */
		if (is_fresh && step_read_nic(g->e->host, g->s, g->want, p.look, buf, &ignored) < 0)
			return 0;
	}
	return 0;
}

/* One write on the way to what is wanted, or those of a network interface. 1: nothing is left to write. */
static int advance(struct going *g, struct error *err)
{
	struct look_buffer buf;
	struct looks now;
	int code = read_patiently(g->e, g->s, g->want, &now, &buf, err);

	g->look = g->s->n_looks;
	if (code < 0)
		return code;
	if (looks_fit(g->s, &now, g->want))
		return 1;
	if (!looks_fit_but_hopes(g->s, &now, g->want))
		return write_on(g, &now, &buf, err);
	hope(g->e, g->s, g->want);
	return 0;
}

static int go_there(struct engine *e, const struct step *s, enum goal goal, struct error *err)
{
	struct value wanted[STEP_LOOKS_MAX];
	bool tried[STEP_LOOKS_MAX] = { false };
	struct looks want = { wanted };
	struct going g = { e, s, &want, tried, 0 };
	struct error first = { 0 };

	memcpy(wanted, step_goal(s, goal)->v, s->n_looks * sizeof(*wanted));
	e->writes = 0;
	*e->missing = '\0';
	for (int n = 0; n < STEP_WRITES_MAX; n++) {
		struct error why = { 0 };
		int code = advance(&g, &why);

		if (code < 0 && !first.code)
			first = why;
		if (code > 0 || (code < 0 && (!e->back || g.look == s->n_looks || !give_up(s, &want, g.look)))) {
			if (first.code)
				*err = first;
			return first.code;
		}
	}
	return error_set(err, -ELOOP, "%d writes did not bring it where it shall be", STEP_WRITES_MAX);
}

int reach(struct engine *e, const struct step *s, enum goal goal, struct error *err)
{
	int code = go_there(e, s, goal, err);

	host_rest(e->host);
	return code;
}
