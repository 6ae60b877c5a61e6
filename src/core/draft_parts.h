/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_DRAFT_PARTS_H
#define HANDOVER_DRAFT_PARTS_H

#include "core/draft.h"

/* Between draft.c, draft_boot.c and draft_text.c. */

#define DRAFT_CODES_MAX 8

/* A device by the name that a draft has for it. */
struct draft_device {
	const char *name;		/* "gpu" */
	const char *codes[DRAFT_CODES_MAX];	/* what would have to be accepted for it */
	size_t n_codes;
};

/* A device of the draft: functions of one hostpci line that are treated alike. */
struct unit {
	int entry;			/* of hostpciN */
	struct draft_device device;
	const char *selector;		/* "{hostpci: 0}" */
	struct selection functions;	/* n = 0: not on this host */
	bool cycle;			/* has no reset of its own, and comes back by being found anew */
	const char *no_cycle;		/* why it does not, though it has no reset; NULL: it does, or has one */
	bool open;			/* not done: ... */
	bool impossible;		/* ... nothing that a person could accept would change that */
	const char **reasons;		/* why, a sentence each */
	size_t n_reasons;
	const char *along;		/* what of its group would have to go along and may not: addresses, "" if nothing */
	unsigned device_line, step_line;	/* in the text that is tried */
};

struct units {
	const struct inventory *inventory;
	struct unit *list;
	size_t n;
	struct selection all;		/* the VM's */
};

/* Those of the VM's hostpci lines, with the way back that their functions have. */
void draft_find_units(struct drafting *d, struct units *u);

/* "gpu", by class; a second one is "gpu2". */
const char *draft_name(struct drafting *d, const struct function *fn, size_t nth);

/* The text as it is tried: what is done, and candidate too, all its codes accepted. Lines of units are noted. */
const char *draft_trial(struct drafting *d, struct units *u, const struct unit *candidate);

/* Plans a text for a VM (0: for the boot). */
void draft_plan(struct drafting *d, const char *text, unsigned vmid, struct findings *f);

/* Whether a profile may accept what has this code. */
bool draft_is_acceptable(const char *code);

/* Whether the code is among the first n of a device. */
bool draft_has_code(const struct draft_device *x, const char *code, size_t n);

/* False: it has it already, or has no room for it. */
bool draft_add_code(struct draft_device *x, const char *code);

/* "console: [gpu], platform-function: [lpc, spi]", the value of 'accept' for these devices; "": nothing to accept. */
const char *draft_accepts(struct drafting *d, const struct draft_device *list, size_t n);

/* A copy of words, one more behind. */
const char *draft_join(struct arena *a, const char *words, const char *word);

/* The host.yaml that would split the groups of those that cannot be done for what they share; NULL: nothing to split. */
const char *draft_boot(struct drafting *d, const struct units *u);

/* What a person is to read. boot: of draft_boot(). */
const char *draft_text(struct drafting *d, const struct units *u, const char *boot);

#endif
