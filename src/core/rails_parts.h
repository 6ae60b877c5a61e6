/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_RAILS_PARTS_H
#define HANDOVER_RAILS_PARTS_H

#include "core/netif.h"
#include "core/rails.h"
#include "core/usb.h"

/* What the parts of the guard rails share; for rails*.c alone. */

/* The host, as far as it is asked whether something may leave. */
struct rails {
	struct planner *p;
	struct stakes stakes;
	struct netifs nets;
	struct usb usb;
	bool usb_known;			/* else usb is empty, and usb_error says why */
	struct error usb_error;
	struct leaving *leaving;	/* each once; because is NULL if anybody has named it */
	size_t n_leaving;
};

/* One thing on what leaves, by the names that a policy may have for it. */
struct called {
	const char *name;	/* "sda", "eno1", "1-2.1" */
	const char *id;		/* of a USB device, else NULL */
};

/* What is wrong with something that leaves. */
struct trouble {
	const struct leaving *leaving;
	const char *code;
	struct called *things;	/* all of that code that are on it */
	size_t n_things;
	const char *what;
	const char *remedy;	/* NULL: none but accepting it */
};

/* How it was told. */
enum told { TOLD_NOT, TOLD_FORETOLD, TOLD_ACCEPTED, TOLD_WARNED, TOLD_REFUSED };

void trouble_add(const struct rails *r, struct trouble *t, const char *name, const char *id);
enum told rails_tell(struct planner *p, const struct trouble *t);

/* "0000:00:14.0" or "1-2.1". */
const char *leaving_name(const struct leaving *l);

/* The same for a line: "1-2.1 (046d:c31c)"; "0000:15:00.1, which shares its IOMMU group with 0000:15:00.0". */
const char *leaving_id(const struct planner *p, const struct leaving *l);

/* It is a USB device, or a controller of such. */
bool leaving_has_usb(const struct leaving *l);

/* What to do about one that nobody has named, then the rest of a remedy; either may be missing. */
const char *leaving_remedy(const struct planner *p, const struct leaving *l, const char *remedy);

/* "split the group at boot ('isolate')", for fn to be alone in its own; NULL: that cannot be done. */
const char *rails_split(const struct planner *p, const struct function *fn);

/* x, between, y; either may be NULL. */
const char *rails_join(struct arena *a, const char *x, const char *between, const char *y);

/* rails_input.c: the last keyboard and the last pointer. */
void rails_check_input(struct rails *r);

/* rails_protect.c: what the policy says by itself. */
void rails_check_protected(struct rails *r, const struct leaving *l);
void rails_check_absent(const struct rails *r, const struct policy *policy, struct findings *f);

#endif
