/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SUBJECT_H
#define HANDOVER_SUBJECT_H

#include "core/prepare.h"
#include "verb/verb.h"

/* What a command is about: a profile on a host, planned. */
struct subject {
	unsigned vmid;		/* 0: none known */
	bool idle;		/* the VM has no profile, and asks for no device of ours: there is nothing to plan */
	bool left_to_proxmox;	/* ... but for such as Proxmox handles alone: mdev, driver=keep, or not as they should be */
	const char *path;	/* of the profile; NULL: idle */
	const struct profile *profile;
	uint64_t hash;
	struct findings findings;
	struct planner planner;	/* its plan is to be used only if findings has no error */
};

/*
 * arg is a VMID, whose profile is looked up (without one the built-in stands in), or a file. False: there is not even a
 * profile or a host to speak of, and that has been told. True with findings.errors: the profile cannot be planned here.
 * True without a profile and without errors: it is idle.
 */
bool subject_prepare(struct run *r, const char *arg, struct host *h, struct subject *s);

/* Adds that handover is switched off (off.h), if it is: a note, or an error if the VM would not start for it. */
void subject_tell_off(struct subject *s, struct host *h, bool error);

/* Which files it is made of: "a.yaml, which extends b.yaml". */
const char *subject_files(const struct subject *s);

/* The same behind what was asked for, if that is something else: "100 (profile a.yaml)". */
const char *subject_shown(const struct subject *s, const char *arg);

/* The one line there is to say of an idle one. */
void subject_print_idle(const struct run *r, const struct subject *s);

/* Whether the plan is there, and nothing but the guard rails may speak against it. */
bool subject_is_whole(const struct subject *s);

#endif
