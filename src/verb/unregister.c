/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover unregister VMID...: Proxmox no longer calls handover for these guests. */
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "verb/register.h"

/* --- what there is to do ----------------------------------------------------------------------------------------- */

/* Also where the link or its storage is gone, or it leads to where handover was: with it the guest does not start. */
static bool is_ours(const struct registry *g, const char *volume)
{
	switch (link_of_volume(g, volume)) {
	case LINK_OURS:
		return true;
	case LINK_ABSENT:
	case LINK_DANGLING:
	case LINK_UNKNOWN:
		return strcmp(str_basename(volume), HOOK_NAME) == 0;
	case LINK_ELSEWHERE:
	case LINK_FILE:
	case LINK_OTHER:
		break;
	}
	return false;
}

static void look(struct registry *g, const struct link *l, struct registration *x)
{
	(void)l;
	if (!registration_find(g, x))
		return;
	x->outcome = OUTCOME_REFUSED;
	if (strcmp(x->guest->node, g->guests.here) != 0) {
		x->text = arena_fmt(g->a, "it is on node %s; run `handover unregister %u` there", x->guest->node,
				    x->vmid);
	} else if (x->before && !is_ours(g, x->before)) {
		x->text = arena_fmt(g->a, "its hookscript is '%s', which is not handover; it stays", x->before);
	} else if (!x->before) {
		x->outcome = OUTCOME_DONE;
		x->go_on = true;
		x->text = "it has no hookscript";
	} else if (!registration_is_locked(g, x)) {
		x->outcome = OUTCOME_DONE;
		x->go_on = x->set = true;
	}
}

/* --- doing it ---------------------------------------------------------------------------------------------------- */

/* What --replace has replaced, if Proxmox would still take it. */
static const char *earlier(struct registry *g, struct registration *x)
{
	const char *volume = keep_find_hookscript(g, x->vmid), *path;
	struct error err;
	struct stat st;

	if (!volume)
		return NULL;
	path = link_path(g, volume, &err);
	if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR))
		return volume;
	if (path)
		note_add(&x->notes, g->a, "its hookscript was '%s' before, which is not there any more, or cannot be "
			 "run; it is not put back", volume);
	else
		note_add(&x->notes, g->a, "its hookscript was '%s' before; it is not put back, for %s", volume, err.text);
	return NULL;
}

static void set(struct registry *g, struct registration *x)
{
	const char *volume = earlier(g, x);
	struct error ignored;

	registration_set(g, x, volume);
	if (!x->go_on)
		return;
	/* If that is killed or fails, a later `register` forgets it. */
	keep_hookscript(g, x->vmid, NULL, &ignored);
	x->text = volume ? arena_fmt(g->a, "its hookscript is '%s' again, as before handover", volume) :
			   arena_fmt(g->a, "its hookscript %s is taken out", x->before);
	if (host_has(g->host, arena_fmt(g->a, "run/handover/%u.journal", x->vmid)))
		note_add(&x->notes, g->a, "it is lent something at the moment; when it has stopped, handover's guard "
			 "gives that back, or `handover recover %u`", x->vmid);
}

/* The storage of a hookscript that was taken out. */
static bool was_taken_from(const struct registry *g, const struct storage *s)
{
	const char *volume = arena_fmt(g->a, "%s:snippets/" HOOK_NAME, s->id);

	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].go_on && g->list[i].set && str_same(g->list[i].before, volume))
			return true;
	return strcmp(s->id, STORAGE_LOCAL) == 0;
}

/* By what stands in the configurations now. */
static enum outcome tidy(struct registry *g, struct error *err)
{
	if (guests_read(g->host, g->a, &g->guests, err) < 0)
		return OUTCOME_FAILED;
	for (size_t i = 0; i < g->storages.n; i++)
		if (storage_has_files(&g->storages.list[i]) && was_taken_from(g, &g->storages.list[i]))
			link_tidy(g, &g->storages.list[i]);
	return OUTCOME_DONE;
}

static enum outcome do_unregister(struct registry *g)
{
	struct error err = { 0 };
	enum outcome o;

	o = registry_look(g, NULL, look, &err);
	if (o == OUTCOME_DONE && !registry_goes_on(g))
		return registry_show(g, NULL);
	if (o == OUTCOME_DONE)
		o = keep_open(g, "unregister", &err);
	if (o == OUTCOME_DONE)
		o = registry_look(g, NULL, look, &err);
	for (size_t i = 0; i < g->n && o == OUTCOME_DONE; i++)
		if (g->list[i].set)
			set(g, &g->list[i]);
	if (o == OUTCOME_DONE)
		o = tidy(g, &err);
	if (o == OUTCOME_DONE)
		return registry_show(g, NULL);
	complain("%s", err.text);
	return o;
}

static enum outcome run(struct run *r)
{
	return registry_run(r, do_unregister);
}

const struct verb verb_unregister = {
	.name = "unregister",
	.args = "VMID...",
	.help = "takes that hookscript out again, or puts the one back that was there before",
	.min_args = 1,
	.max_args = 1000,
	.run = run,
};
