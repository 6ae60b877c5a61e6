/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_REGISTER_H
#define HANDOVER_REGISTER_H

#include "core/guests.h"
#include "core/storage_cfg.h"
#include "verb/json.h"
#include "verb/verb.h"

/*
 * How Proxmox is told to call us: a link in the snippets of a storage, which leads to this program, and "hookscript:
 * STORAGE:snippets/handover" in a guest's configuration, which only Proxmox's own commands write.
 *
 * Whatever is killed on the way leaves nothing that keeps a guest from starting: the link is there before a guest names
 * it, and goes after no guest does any more; it is made, and takes the place of another, in one step. What a
 * configuration was is kept before it is changed.
 */
#define HOOK_NAME "handover"

/* Configurations as they were, VMID.conf.DATE, and the hookscript that --replace has replaced, VMID.hookscript. */
#define KEEP_PATH "/var/lib/handover"
#define REGISTER_LOCK "hookscripts"	/* one at a time: nobody takes a link away that another has just made */

#define REGISTER_NOTES_MAX 16

/* What a person is told besides what was done. Warnings are told with --quiet too. */
struct notes {
	const char *list[REGISTER_NOTES_MAX];
	size_t n;
};

/* What becomes of one guest. */
struct registration {
	unsigned vmid;
	const struct guest *guest;
	enum outcome outcome;
	bool go_on;		/* nothing speaks against it so far */
	bool set;		/* its hookscript is to be changed */
	const char *before;	/* its hookscript now, NULL: none */
	const char *text;	/* what was done, or why not */
	const char *kept;	/* where its configuration as it was is, NULL: it was not changed */
	const char *verdict;	/* whether it would start, NULL: nobody has asked */
	struct notes notes, warnings;
	struct findings findings;	/* of its plan */
};

/* One run. */
struct registry {
	struct run *r;
	struct arena *a;
	struct host *host;
	struct guests guests;
	struct storages storages;
	const char *program;	/* this program's own file */
	struct store keep;
	struct lockset locks;
	struct notes notes, warnings;
	struct registration *list;
	size_t n;
};

void note_add(struct notes *n, struct arena *a, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

struct link;

/* --- for both commands: register.c ------------------------------------------------------------------------------- */

/* A whole run: takes the guests that are meant, opens the registry, acts, and closes it. */
typedef enum outcome registry_act(struct registry *g);
enum outcome registry_run(struct run *r, registry_act *act);

/*
 * What is to be done with each, by decide(), which finds go_on and set. It is done twice: before anything is changed,
 * so that nothing is if no guest goes on; and once the lock is held, by what stands in the files then.
 */
typedef void registration_look(struct registry *g, const struct link *l, struct registration *x);
enum outcome registry_look(struct registry *g, const struct link *l, registration_look *decide, struct error *err);

/* Whether there is one that nothing speaks against. */
bool registry_goes_on(const struct registry *g);

/* Its guest, and the hookscript that has now. False: it cannot be had, as its text says. */
bool registration_find(struct registry *g, struct registration *x);

/* Whether Proxmox has locked its configuration, as its text then says. */
bool registration_is_locked(struct registry *g, struct registration *x);

/* Keeps its configuration, and has its hookscript set, or taken out (NULL). If that fails, it does not go on. */
void registration_set(struct registry *g, struct registration *x, const char *volume);

/* --- the link: register_link.c ----------------------------------------------------------------------------------- */

enum link_state {
	LINK_ABSENT,
	LINK_OURS,	/* whatever it is, it leads to this program's file */
	LINK_ELSEWHERE,	/* a link to another file */
	LINK_DANGLING,	/* a link to nothing */
	LINK_FILE,
	LINK_OTHER,	/* a folder, say */
	LINK_UNKNOWN,	/* its storage is not there, or does not answer */
};

struct link {
	const struct storage *storage;
	const char *volume;	/* "local:snippets/handover" */
	const char *folder, *path;
	enum link_state state;
	const char *target;	/* of a link */
	bool made;
};

/* The link that a storage has, or could have. */
struct link link_in(const struct registry *g, const struct storage *s);

/* What stands at a path. *target, which may be NULL, becomes what a link says. */
enum link_state link_look(const struct registry *g, const char *path, const char **target);

/*
 * Whether the storage's folder is mounted, and can be looked at: a server that is gone would hold us up for as long as
 * its mount says.
 */
bool link_answers(const struct registry *g, const struct storage *s, struct error *err);

/* The file of a hookscript's volume, on a storage that answers. NULL: err says why there is nothing to look at. */
const char *link_path(const struct registry *g, const char *volume, struct error *err);

/* What stands behind a hookscript's volume. */
enum link_state link_of_volume(const struct registry *g, const char *volume);

/* Whether it could be made; else err says what is in the way. */
bool link_check(struct registry *g, const struct link *l, bool replace, struct error *err);

/* Makes it, and the folder. What it replaces is kept beside it. */
int link_make(struct registry *g, struct link *l, struct error *err);

/* Takes it away if it is ours and no guest names it. True: it is gone now. */
bool link_tidy(struct registry *g, const struct storage *s);

/* --- what is kept: register_keep.c ------------------------------------------------------------------------------- */

/* Opens KEEP_PATH and takes the lock; purpose, "register", is for those who wait for it. */
enum outcome keep_open(struct registry *g, const char *purpose, struct error *err);

#define KEEP_NAMES_MAX 100	/* for one thing in one second */

/* "20261121-221500", as what is kept is named; it is UTC. */
const char *keep_date(struct arena *a);

/* Keeps a configuration. NULL: err says why not. */
const char *keep_conf(struct registry *g, unsigned vmid, const char *text, struct error *err);

/* The hookscript that was replaced: kept (NULL: forgotten), and found again (NULL: there is none). */
int keep_hookscript(struct registry *g, unsigned vmid, const char *volume, struct error *err);
const char *keep_find_hookscript(struct registry *g, unsigned vmid);

/* --- Proxmox: register_pve.c ------------------------------------------------------------------------------------- */

/* Whether this is a Proxmox host, we are root there, and what it has could be read. Anything but DONE has been told. */
enum outcome registry_open(struct registry *g);
void registry_close(struct registry *g);

/* "local (/var/lib/vz), nas (/mnt/pve/nas)": those that a link could be in on this node. */
const char *registry_storages(const struct registry *g);

/* The one --storage means. NULL: that has been told, with those it could be. */
const struct storage *registry_storage(const struct registry *g);

/* Has Proxmox set a guest's hookscript, or take it out (NULL), and looks whether it has. */
int pve_set_hookscript(struct registry *g, const struct registration *x, const char *volume, struct error *err);

/* Calls the hook as Proxmox would, with a phase that is none. */
int pve_try_hook(struct registry *g, const char *path, unsigned vmid, struct error *err);

/* --- what is told: register_show.c ------------------------------------------------------------------------------- */

/* "VM 100", "container 200" */
const char *registration_name(const struct registration *x, struct arena *a);

/* Prints a run, and returns its outcome, which is the worst of its guests'. link may be NULL. */
enum outcome registry_show(const struct registry *g, const struct link *l);

#endif
