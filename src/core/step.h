/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STEP_H
#define HANDOVER_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "core/phase.h"
#include "host/host.h"

/*
 * A step is data: what of one or more functions is to change, what it reads before (from), while lent (to), and after
 * the lease (home). What to write is not stored: the action's next() finds it from what the host reads at that
 * moment, which is the same rule forwards, backwards, and after a crash anywhere in between.
 */
#define STEP_LOOKS_MAX 448
#define STEP_TEXT_BYTES (512 * 1024)	/* of all that its looks read */
#define PLAN_STEPS_MAX 256
#define STEP_LIFE_BYTES 40	/* a value of life/, unit/.../run or command/, NUL included */

enum value_kind {
	VALUE_TEXT,	/* exactly this */
	VALUE_ANY,	/* whatever it is, it is right */
	VALUE_PRESENT,	/* whatever it is, it is there */
	VALUE_NEW,	/* there, and not what it was when the step (or its way back) was begun: a function found anew */
	VALUE_HOPED,	/* this is waited for, for a while; without it the step is done all the same, and that is told */
};

/* A value of a look. NULL text means the name does not exist: no driver, no device. */
struct value {
	enum value_kind kind;
	const char *text;	/* of VALUE_TEXT and VALUE_HOPED, and of what was read */
	char *was;		/* of VALUE_NEW: STEP_LIFE_BYTES bytes, "" until the step is begun */
};

struct looks {
	struct value *v;
};

struct step {
	const struct action *action;
	const char *device;		/* what it is about: a PCI address, a unit, a module. See engine_back() */
	enum phase phase;		/* in which the step is done; all but those of post-stop are undone when the lease ends */
	size_t n_looks;
	const char **look;		/* names on the host, as host_read() takes them */
	struct looks from, to, home;
	const char *why;		/* "with 0000:02:00.0: same IOMMU group", or NULL */
	const char *id;			/* vendor:device:subvendor:subdevice of device, NULL: the looks tell who it is */
	unsigned patience_ms;		/* how long what nobody can write may take to come about; 0: it must be so already;
					 * or how long a command may run */
};

/*
 * Every wait is bounded (milliseconds). A phase that needs longer than PHASE_MS is given up and undone; going back has
 * the same time once more.
 */
#define WRITE_MS 10000
#define BIND_MS 30000
#define PHASE_MS 45000
#define LOCK_MS 5000
#define HOPE_MS 5000
/*
 * A network interface negotiates for up to 5 s before it has a carrier, and a switch that does not know who is there lets
 * nothing through for a while: 3 s where it looks for other switches first (IEEE 802.1Q, MigrateTime), 30 s where it is
 * old. The latter is not waited for: all hopes have at most half of what is left of the phase.
 */
#define HOPE_NETWORK_MS 20000
/* How long a command may run that is to help where a gateway does not answer. */
#define REMEDY_MS 15000

/* One write on the host, and what it changes. */
#define POKE_WHAT_BYTES 256
struct poke {
	char what[POKE_WHAT_BYTES];	/* for a person: "binding it to 'e1000'" */
	char at[HOST_NAME_BYTES];	/* "": there is nothing to write, only to wait for */
	char put[HOST_VALUE_BYTES];
	size_t look;			/* index of the look that changes */
	struct value becomes;		/* what it will read */
	char aside[POKE_WHAT_BYTES];	/* what a person is to be told once it is written, "" */
	bool perhaps;			/* foretold only: it is left out if the host reads so already */
	unsigned patience_ms;		/* it may come about by itself: before writing, wait so long ... */
	size_t by_itself;		/* ... for this look ... */
	struct value by_itself_is;	/* ... to read so; then nothing is written */
	unsigned deadline_ms;		/* for the write, and for what must then be seen */
	bool is_seen_later;		/* a write that succeeds is not looked at: somebody else looks whether it did anything */
};

struct value value_of(const char *text);
struct value value_any(void);
struct value value_present(void);
struct value value_hoped(const char *text);
struct value value_new(struct arena *a);

/* Whether a step asks for nothing at a goal. */
bool looks_are_any(const struct step *s, const struct looks *goal);

/* Notes what a look read when its step, or its way back, was begun; text is shorter than STEP_LIFE_BYTES. */
void step_was(struct step *s, size_t look, const char *text);

/* Whether the step is done on the way out (pre-start, boot): the lease is held once all of these are. */
bool step_is_lent(const struct step *s);

/* Whether what was read, or another goal, is what goal asks for. */
bool value_fits(const struct value *now, const struct value *goal);

/* "nouveau", "none", "there": a value for a person. */
const char *value_shown(const struct value *v);

/* A step of no looks, for STEP_LOOKS_MAX of them. */
struct step step_new(const struct action *action, const char *device, enum phase phase, struct arena *a);

/* Adds a look to a step; what it reads goes from 'from' to 'to' and, when the lease ends, to 'home'. */
void step_look(struct step *s, const char *name, struct value from, struct value to, struct value home);

enum goal { GOAL_TO, GOAL_FROM, GOAL_HOME };
const struct looks *step_goal(const struct step *s, enum goal goal);
bool looks_fit(const struct step *s, const struct looks *now, const struct looks *goal);

/* The same, but for what is only hoped for. */
bool looks_fit_but_hopes(const struct step *s, const struct looks *now, const struct looks *goal);

/*
 * The writes that lead from one state of a step to another, as far as they can be foretold: what the engine will do
 * if the host answers as expected. They belong to a; at most STEP_WRITES_MAX.
 */
#define STEP_WRITES_MAX 96
size_t step_writes(const struct step *s, const struct looks *from, const struct looks *goal, struct poke *writes);

/* The address of the PCI function that a name on the host is about: "life/...", "sys/bus/pci/devices/.../driver". */
bool look_function(const char *look, char address[BDF_TEXT_MAX]);

/* Whether a look only tells who or where a function is (id/, group/): it is looked at, and never changed. */
bool look_is_witness(const char *look);

/*
 * Whether what a look reads is counted from the start of each program, so that it says nothing to another one: how often
 * a command has ended well (command/).
 */
bool look_is_of_this_program(const char *look);

/* Whether it is that of a network interface: nic/ADDRESS/what. */
bool look_is_of_nic(const char *look, const char *what);

/*
 * Whether to look costs the network something, so that it is not done with the other looks but when all else is as it shall
 * be: nic/ADDRESS/gateway. Until then it reads as absent.
 */
bool look_is_asked_last(const char *look);

/* Whether it tells if a network interface that is back is of use: its carrier, its gateway. */
bool look_is_of_the_network(const char *look);

/* Whether a step changes the function of that address, or lets it go and come back. */
bool step_changes(const struct step *s, const char *address);

/* Whether there is a function that both change: its address. */
bool steps_share(const struct step *x, const struct step *y, char address[BDF_TEXT_MAX]);

#endif
