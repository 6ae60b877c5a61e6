/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover register VMID...: Proxmox calls handover for these guests from now on. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "host/child.h"
#include "verb/register.h"
#include "verb/subject.h"

/* --- what there is to do ----------------------------------------------------------------------------------------- */

static void refuse(struct registration *x, enum outcome o, const char *text)
{
	x->outcome = o;
	x->text = text;
	x->go_on = false;
}

bool registration_find(struct registry *g, struct registration *x)
{
	x->guest = guests_find(&g->guests, x->vmid);
	if (!x->guest)
		refuse(x, OUTCOME_REFUSED, "there is no VM and no container of that number on any node");
	else if (!x->guest->text)
		refuse(x, OUTCOME_FAILED, arena_fmt(g->a, "its configuration '/%s' cannot be read", x->guest->name));
	else
		x->before = guest_value(x->guest->text, "hookscript", g->a);
	return x->guest && x->guest->text;
}

bool registration_is_locked(struct registry *g, struct registration *x)
{
	const char *lock = guest_value(x->guest->text, "lock", g->a);

	if (lock)
		refuse(x, OUTCOME_BUSY, arena_fmt(g->a, "it is locked (%s), and Proxmox changes nothing of it; try "
						  "again when that has ended", lock));
	return lock;
}

static bool is_ours(const struct registry *g, const struct link *l, const char *volume)
{
	return volume && (strcmp(volume, l->volume) == 0 || link_of_volume(g, volume) == LINK_OURS);
}

static void look(struct registry *g, const struct link *l, struct registration *x)
{
	bool ours;

	if (!registration_find(g, x))
		return;
	ours = is_ours(g, l, x->before);
	x->go_on = true;
	if (strcmp(x->guest->node, g->guests.here) != 0 && !ours) {
		refuse(x, OUTCOME_REFUSED, arena_fmt(g->a, "it is on node %s; run `handover register %u` there first, "
						     "then here", x->guest->node, x->vmid));
	} else if (strcmp(x->guest->node, g->guests.here) != 0) {
		x->text = arena_fmt(g->a, "it is on node %s; when it comes here, its hookscript %s is handover",
				    x->guest->node, x->before);
	} else if (ours) {
		x->text = arena_fmt(g->a, "its hookscript is %s already", x->before);
	} else if (x->before && !g->r->replace) {
		refuse(x, OUTCOME_REFUSED, arena_fmt(g->a, "it has a hookscript, '%s', and Proxmox calls only one; "
						     "--replace puts handover in its place until `handover unregister "
						     "%u`", x->before, x->vmid));
	} else {
		x->set = !registration_is_locked(g, x);
	}
}

/* --- doing it ---------------------------------------------------------------------------------------------------- */

void registration_set(struct registry *g, struct registration *x, const char *volume)
{
	const char *now;
	struct error err;
	int code;

	x->kept = keep_conf(g, x->vmid, x->guest->text, &err);
	if (!x->kept) {
		refuse(x, OUTCOME_FAILED, arena_dup(g->a, err.text));
		return;
	}
	code = pve_set_hookscript(g, x, volume, &err);
	if (code == 0)
		return;
	/* What was not changed needs no copy. */
	if (guest_reread(g->host, x->guest, g->a, &now) >= 0 && strcmp(now, x->guest->text) == 0 &&
	    unlink(x->kept) == 0)
		x->kept = NULL;
	/* PVE/AbstractConfig.pm, lock_file_full() and check_lock(). */
	refuse(x, strstr(err.text, "got timeout") || strstr(err.text, "is locked") ? OUTCOME_BUSY : OUTCOME_FAILED,
	       arena_dup(g->a, err.text));
}

/* What is replaced is written down before; of an earlier life of this number nothing is put back. */
static void set(struct registry *g, const struct link *l, struct registration *x)
{
	struct error err;

	if (keep_hookscript(g, x->vmid, x->before, &err) < 0) {
		refuse(x, OUTCOME_FAILED, arena_dup(g->a, err.text));
		return;
	}
	registration_set(g, x, l->volume);
	if (!x->go_on)
		return;
	x->text = arena_fmt(g->a, "its hookscript is %s now", l->volume);
	if (x->before)
		note_add(&x->notes, g->a, "its hookscript was '%s'; `handover unregister %u` puts that back", x->before,
			 x->vmid);
}

/* --- what else there is to know ---------------------------------------------------------------------------------- */

static void read_devices(const char *text, const char *values[HOSTPCI_MAX], struct arena *a)
{
	for (int i = 0; i < HOSTPCI_MAX; i++)
		values[i] = guest_value(text, arena_fmt(a, "hostpci%d", i), a);
}

/* A hostpci line of x that y has too. */
static const char *shared_device(const char *x, const char *y, struct arena *a)
{
	const char *mine[HOSTPCI_MAX], *theirs[HOSTPCI_MAX];

	read_devices(x, mine, a);
	read_devices(y, theirs, a);
	for (int i = 0; i < HOSTPCI_MAX; i++)
		for (int k = 0; mine[i] && k < HOSTPCI_MAX; k++)
			if (str_same(mine[i], theirs[k]))
				return mine[i];
	return NULL;
}

/* A clone keeps the hookscript and the devices. */
static void tell_clones(struct registry *g, const struct link *l, struct registration *x)
{
	const char *mine = x->set ? l->volume : x->before;

	for (size_t i = 0; i < g->guests.n; i++) {
		const struct guest *y = &g->guests.list[i];
		const char *theirs = y->text ? guest_value(y->text, "hookscript", g->a) : NULL, *device;

		if (y->vmid == x->vmid || !str_same(mine, theirs) || strcmp(y->node, x->guest->node) != 0)
			continue;
		device = shared_device(x->guest->text, y->text, g->a);
		if (device)
			note_add(&x->warnings, g->a, "guest %u has this hookscript too, and the same device ('%s'), as "
				 "a clone has: only one of the two runs at a time; `handover unregister %u` if that is "
				 "not meant", y->vmid, device, y->vmid);
	}
}

static bool has_profile(struct registry *g, unsigned vmid)
{
	return host_has(g->host, arena_fmt(g->a, "%s/%u.yaml", &PROFILE_FOLDER_HOST[1], vmid)) ||
	       host_has(g->host, arena_fmt(g->a, "%s/%u.yaml", &PROFILE_FOLDER_CLUSTER[1], vmid));
}

/* Whether it would start, by the same plan that its hook makes. */
static void foresee(struct registry *g, struct registration *x)
{
	struct subject s;

	if (x->guest->container && !has_profile(g, x->vmid)) {
		x->verdict = "it has no profile, and without one a container is lent nothing";
		return;
	}
	if (pve_running(g->host, x->vmid)) {
		x->verdict = arena_fmt(g->a, "it runs, and is lent something from its next start on; when it is "
				       "stopped, `handover doctor %u` says whether that will go well", x->vmid);
		return;
	}
	if (!subject_prepare(g->r, arena_fmt(g->a, "%u", x->vmid), g->host, &s)) {
		x->outcome = OUTCOME_WILL_FAIL;
		x->verdict = "it would not start like this";
		return;
	}
	subject_tell_off(&s, g->host, true);
	x->findings = s.findings;
	if (s.findings.errors) {
		x->outcome = OUTCOME_WILL_FAIL;
		x->verdict = arena_fmt(g->a, "it would not start like this; `handover doctor %u` looks again", x->vmid);
	} else if (s.idle) {
		x->verdict = "it would start, and be lent nothing: it has neither a hostpci line nor a profile";
	} else {
		x->verdict = arena_fmt(g->a, "it would start; `handover plan %u` shows what is done then", x->vmid);
	}
}

static void tell(struct registry *g, const struct link *l, struct registration *x)
{
	const char *template = guest_value(x->guest->text, "template", g->a);

	tell_clones(g, l, x);
	if (strcmp(x->guest->node, g->guests.here) != 0)
		return;
	if (str_same(template, "1"))
		note_add(&x->warnings, g->a, "it is a template: each clone of it will have this hookscript and its "
			 "devices");
	else
		foresee(g, x);
}

static const char *other_nodes(const struct registry *g)
{
	const char *text = NULL;

	for (size_t i = 0; i < g->guests.n_nodes; i++)
		if (strcmp(g->guests.nodes[i], g->guests.here) != 0)
			text = arena_fmt(g->a, "%s%s%s", text ? text : "", text ? ", " : "", g->guests.nodes[i]);
	return text;
}

/* What this node cannot see: the others' files. */
static void tell_nodes(struct registry *g, const struct link *l)
{
	const char *nodes = other_nodes(g);

	if (nodes && l->storage->shared)
		note_add(&g->warnings, g->a, "a guest that goes to another node takes its hookscript along, and "
			 "storage '%s' is the same everywhere: '%s' leads to that node's own '%s', so install handover "
			 "on %s, or it does not start there", l->storage->id, l->path, g->program, nodes);
	else if (nodes)
		note_add(&g->warnings, g->a, "a guest that goes to another node takes its hookscript along, but not "
			 "the file: install handover on %s and run `handover register` with the same words there, or "
			 "it does not start there", nodes);
}

static void tell_storage(struct registry *g, const struct link *l)
{
	const struct storage *s = l->storage;

	if (s->disabled)
		note_add(&g->notes, g->a, "storage '%s' is disabled; Proxmox takes hookscripts from it all the same",
			 s->id);
	else if (!s->snippets && s->content)
		note_add(&g->notes, g->a, "storage '%s' does not list snippets as content; Proxmox takes hookscripts "
			 "from it all the same; to have them listed: pvesm set %s --content %s,snippets", s->id, s->id,
			 s->content);
	else if (!s->snippets)
		note_add(&g->notes, g->a, "storage '%s' does not list snippets as content; Proxmox takes hookscripts "
			 "from it all the same", s->id);
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* The guests that are meant, each once. False: one is no VMID, which has been told. */
static bool take_vmids(struct registry *g)
{
	const struct run *r = g->r;

	g->list = arena_array(g->a, (size_t)r->n_args, sizeof(*g->list));
	for (int i = 0; i < r->n_args; i++) {
		struct registration *x = &g->list[g->n];
		bool twice = false;

		if (!vmid_parse(r->args[i], &x->vmid)) {
			complain("'%s' is no VMID; it is a number from %d to %d", r->args[i], VMID_MIN, VMID_MAX);
			return false;
		}
		for (size_t k = 0; k < g->n; k++)
			twice = twice || g->list[k].vmid == x->vmid;
		g->n += !twice;
	}
	return true;
}

enum outcome registry_run(struct run *r, registry_act *act)
{
	struct registry g = { .r = r, .a = r->arena, .keep = STORE_CLOSED };
	enum outcome o;

	if (!take_vmids(&g))
		return OUTCOME_REFUSED;
	block_signals();
	o = registry_open(&g);
	if (o == OUTCOME_DONE)
		o = act(&g);
	registry_close(&g);
	return o;
}

enum outcome registry_look(struct registry *g, const struct link *l, registration_look *decide, struct error *err)
{
	if (guests_read(g->host, g->a, &g->guests, err) < 0)
		return OUTCOME_FAILED;
	for (size_t i = 0; i < g->n; i++) {
		g->list[i] = (struct registration){ .vmid = g->list[i].vmid };
		findings_init(&g->list[i].findings, g->a);
		decide(g, l, &g->list[i]);
	}
	return OUTCOME_DONE;
}

bool registry_goes_on(const struct registry *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].go_on)
			return true;
	return false;
}

/* What is handover already, by another volume, needs none of it. */
static bool needs_link(const struct registry *g, const struct link *l)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].set || (g->list[i].go_on && str_same(g->list[i].before, l->volume)))
			return true;
	return false;
}

/* The link, and whether Proxmox comes to us by it, before any guest names it. */
static int prepare_link(struct registry *g, struct link *l, struct error *err)
{
	int code = link_make(g, l, err), fd;
	const char *why = NULL;

	if (code < 0)
		return code;
	fd = child_open(l->path, g->a, &why);
	if (fd != -EPERM) {
		if (fd >= 0)
			close(fd);
		return pve_try_hook(g, l->path, g->list[0].vmid, err);
	}
	note_add(&g->warnings, g->a, "%s, and Proxmox runs it as root; it was not called for a try", why);
	return 0;
}

static enum outcome fail(enum outcome o, const struct error *err)
{
	complain("%s", err->text);
	return o;
}

/* With the link there, and the lock held. */
static void set_all(struct registry *g, const struct link *l)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].set)
			set(g, l, &g->list[i]);
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].go_on)
			tell(g, l, &g->list[i]);
	tell_nodes(g, l);
}

static enum outcome do_register(struct registry *g)
{
	const struct storage *s = registry_storage(g);
	struct error err = { 0 };
	enum outcome o;
	struct link l;
	bool link;

	if (!s)
		return OUTCOME_REFUSED;
	l = link_in(g, s);
	if (!link_answers(g, s, &err)) {
		complain("%s; those that could be: %s", err.text, registry_storages(g));
		return OUTCOME_REFUSED;
	}
	l.state = link_look(g, l.path, &l.target);
	o = registry_look(g, &l, look, &err);
	if (o == OUTCOME_DONE && !registry_goes_on(g))
		return registry_show(g, NULL);
	if (o == OUTCOME_DONE && needs_link(g, &l) && !link_check(g, &l, g->r->replace, &err))
		o = OUTCOME_REFUSED;
	if (o == OUTCOME_DONE)
		o = keep_open(g, "register", &err);
	if (o == OUTCOME_DONE)
		o = registry_look(g, &l, look, &err);
	link = needs_link(g, &l);
	if (o == OUTCOME_DONE && link && prepare_link(g, &l, &err) < 0)
		o = OUTCOME_FAILED;
	if (o != OUTCOME_DONE)
		return fail(o, &err);
	set_all(g, &l);
	if (link)
		tell_storage(g, &l);
	return registry_show(g, link ? &l : NULL);
}

static enum outcome run(struct run *r)
{
	return registry_run(r, do_register);
}

const struct verb verb_register = {
	.name = "register",
	.args = "VMID...",
	.help = "makes handover the hookscript of these VMs and containers, and says whether they would start",
	.min_args = 1,
	.max_args = 1000,
	.takes = TAKES_STORAGE | TAKES_REPLACE,
	.run = run,
};
