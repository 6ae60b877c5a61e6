/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_VERB_H
#define HANDOVER_VERB_H

#include <stdio.h>

#include "base/arena.h"
#include "base/findings.h"
#include "core/lend.h"
#include "core/policy.h"
#include "host/host.h"

/* What the command line said, and what every command works with. */
struct run {
	struct arena *arena;
	bool json, quiet;
	const char *host_file;	/* --host, NULL: the running kernel */
	const char *boot_file;	/* --boot, NULL: not given */
	const char *policy_file;	/* --policy, NULL: not given */
	const char *storage;	/* --storage, NULL: not given */
	bool replace;		/* --replace */
	char **args;		/* behind the command's name */
	int n_args;
};

#define TAKES_HOST 1u
#define TAKES_BOOT 2u
#define TAKES_POLICY 4u
#define TAKES_STORAGE 8u
#define TAKES_REPLACE 16u

/* A command: one file in src/verb, one line in main.c's table, from which the help is made. */
struct verb {
	const char *name, *args, *help;
	int min_args, max_args;
	unsigned takes;		/* TAKES_ bits: the options that make sense */
	enum outcome (*run)(struct run *r);
};

/* hooks/boot.c */
extern const struct verb verb_boot;

extern const struct verb verb_init, verb_check, verb_plan, verb_rehearse, verb_doctor, verb_register, verb_unregister,
	verb_status, verb_recover, verb_map, verb_capture;

/* --- for commands ---------------------------------------------------------------------------------------------- */

/* The host the command line means. Anything but OUTCOME_DONE: that it cannot be had has been told. */
enum outcome open_host(struct run *r, struct host **h);

/*
 * What the host allows: what --policy says; else, of a .host, what its owner's policy was; else /etc/handover/handover.conf.
 * NULL: something is wrong with it, and stands in f.
 */
const struct policy *open_policy(const struct run *r, struct host *h, struct findings *f);

/* Of two outcomes the one that is worse for the host: 3 before 1, 1 before 4. */
enum outcome outcome_worse(enum outcome a, enum outcome b);

/*
 * "Stop task" in Proxmox's GUI sends TERM to the whole process group, and KILL five seconds later; on a terminal ^C
 * sends INT. Between two writes they would leave the host half-way for no gain, so a run that changes the host ends as
 * it would have; KILL is what the journal is for.
 */
void block_signals(void);

/* Waits so long, or until one of these signals, which are blocked, asks for the end: its number, which is then taken; else 0. */
int wait_for_signal(unsigned ms);

/* "handover: WHAT" on stderr, one line. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* All findings, a line each: errors on stderr, the rest on out; notes are left out where that is stderr. */
void print_findings(const struct findings *f, FILE *out);

/* "alone in its IOMMU group", "vfio-pci": where a step shall be at a goal. */
void step_state(const struct step *s, const struct looks *goal, char *buf, size_t size);

/* "bind 0000:02:00.0  nouveau -> vfio-pci", as a step goes from one goal to another. */
const char *step_line(const struct step *s, const struct looks *from, const struct looks *to, struct arena *a);

/* What the engine tells, as plain short lines on stderr; arg is a struct teller. */
struct teller {
	const char *who;	/* "100 pre-start" */
	bool quiet;
};
void tell_event(void *arg, const struct event *e);

#endif
