/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "core/yaml_text.h"
#include "host/child.h"
#include "verb/register.h"

/* Proxmox's own commands; they wait at most 10 s for a guest's lock (qemu-server, PVE/QemuConfig.pm). */
#define QM "/usr/sbin/qm"
#define PCT "/usr/sbin/pct"
#define SET_MS 60000

/* A phase that there is not: the hook says so, and ends well. */
#define NO_PHASE "register"
#define TRY_MS 10000
#define LINE_BYTES 400
#define GONE " (deleted)"	/* fs/d_path.c, of a file that has been replaced */

/* --- the host ---------------------------------------------------------------------------------------------------- */

static enum outcome refuse(const char *why)
{
	complain("%s", why);
	return OUTCOME_REFUSED;
}

static const char *own_file(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return (size_t)n > strlen(GONE) && strcmp(path + n - strlen(GONE), GONE) == 0 ? NULL : arena_dup(a, path);
}

static bool is_there(const char *path)
{
	return access(path, X_OK) == 0;
}

enum outcome registry_open(struct registry *g)
{
	struct error err;
	enum outcome o;

	if (geteuid() != 0)
		return refuse("only root may set a hookscript, and only as root@pam on the node itself; no API token "
			      "can; run it as root");
	if (!is_there(QM) && !is_there(PCT))
		return refuse("this is no Proxmox VE host: there is neither " QM " nor " PCT);
	g->program = own_file(g->a);
	if (!g->program)
		return refuse("handover was replaced while it ran; run it again");
	o = open_host(g->r, &g->host);
	if (o != OUTCOME_DONE)
		return o;
	if (guests_read(g->host, g->a, &g->guests, &err) < 0 || storage_read(g->host, g->a, &g->storages, &err) < 0)
		return refuse(err.text);
	return OUTCOME_DONE;
}

void registry_close(struct registry *g)
{
	lockset_release(&g->locks);
	store_close(&g->keep);
	host_closep(&g->host);
}

/* --- the storage ------------------------------------------------------------------------------------------------- */

const char *registry_storages(const struct registry *g)
{
	const char *text = NULL;

	for (size_t i = 0; i < g->storages.n; i++) {
		const struct storage *s = &g->storages.list[i];

		if (storage_has_files(s) && storage_is_of_node(s, g->guests.here))
			text = arena_fmt(g->a, "%s%s%s (%s)", text ? text : "", text ? ", " : "", s->id, s->path);
	}
	return text;
}

const struct storage *registry_storage(const struct registry *g)
{
	const char *id = g->r->storage ? g->r->storage : STORAGE_LOCAL, *why = NULL;
	const struct storage *s = storage_find(&g->storages, id);

	if (!s)
		why = "there is no such storage in /" STORAGE_FILE;
	else if (!storage_has_files(s))
		why = arena_fmt(g->a, "it is of type %s and has no folder for snippets", s->type);
	else if (!storage_is_of_node(s, g->guests.here))
		why = arena_fmt(g->a, "it is for the nodes %s, and this is %s", s->nodes, g->guests.here);
	if (!why)
		return s;
	complain("storage '%s': %s; those that could be: %s", id, why, registry_storages(g));
	return NULL;
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

/* What a command says last, or how it ended. */
static const char *last_words(const struct child *c, char line[LINE_BYTES])
{
	char said[CHILD_OUTPUT_BYTES + 1], *rest = said, *word;

	text_show(c->how, line, LINE_BYTES);
	memcpy(said, c->said, sizeof(said));
	while ((word = strsep(&rest, "\r\n")) != NULL)
		if (*word)
			text_show(word, line, LINE_BYTES);
	return line;
}

static int run(char *const *words, char *const *environment, unsigned ms, const char *what, struct error *err)
{
	struct child *c = child_new();
	struct host_stuck stuck;
	char line[LINE_BYTES];
	int code;

	if (!c)
		return error_set(err, -ENOMEM, "%s: no memory", what);
	code = child_run(c, words, environment, ms, &stuck);
	if (code == -ECANCELED)
		error_set(err, code, "%s failed: %s", what, last_words(c, line));
	else if (code < 0)
		error_set(err, code, "%s: %s", what, *c->how ? c->how : strerrordesc_np(-code));
	child_free(c);
	return code;
}

int pve_set_hookscript(struct registry *g, const struct registration *x, const char *volume, struct error *err)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	static char *const environment[] = { path, locale, NULL };
	static char set[] = "set", option[] = "--hookscript", del[] = "--delete", key[] = "hookscript";
	char *program = arena_dup(g->a, x->guest->container ? PCT : QM), *vmid = arena_fmt(g->a, "%u", x->vmid);
	char *words[] = { program, set, vmid, volume ? option : del, volume ? arena_dup(g->a, volume) : key, NULL };
	const char *now = NULL, *text;
	struct error why = { 0 };
	ssize_t n;

	/* Also of one that failed, or was killed, only the look says what it has done. */
	run(words, environment, SET_MS, arena_fmt(g->a, "`%s set %s %s %s`", str_basename(program), vmid, words[3],
						  words[4]), &why);
	n = guest_reread(g->host, x->guest, g->a, &text);
	if (n < 0)
		return error_errno(err, (int)n, "cannot read '/%s' to see whether its hookscript was set",
				   x->guest->name);
	now = guest_value(text, "hookscript", g->a);
	if (str_same(now, volume))
		return 0;
	if (why.code)
		return error_set(err, why.code, "%s", why.text);
	return error_set(err, -EIO, "`%s set` ended well, but its hookscript is %s", str_basename(program),
			 now ? now : "not set");
}

int pve_try_hook(struct registry *g, const char *path, unsigned vmid, struct error *err)
{
	/* pve-common, PVE/CLIHandler.pm and PVE/Daemon.pm; LVM_SUPPRESS_FD_WARNINGS is for LVM alone. */
	static char path_there[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin", locale[] = "LC_ALL=C", phase[] = NO_PHASE;
	static char *const environment[] = { path_there, locale, NULL };
	char *words[] = { arena_dup(g->a, path), arena_fmt(g->a, "%u", vmid), phase, NULL };

	return run(words, environment, TRY_MS, arena_fmt(g->a, "'%s', called as Proxmox will,", path), err);
}
