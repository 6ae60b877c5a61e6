/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LOOK_H
#define HANDOVER_LOOK_H

#include "core/step.h"

/*
 * What a step reads now. Values belong to buf. goal: of a network interface, only what the next write can depend on is
 * read: nothing that may be anything, and while it has not the name that it shall have, nothing but that and whether it
 * is up; the others are as if absent. NULL: all is read. What is asked last (step.h) is never read here, and as if absent.
 */
struct look_buffer {
	struct value v[STEP_LOOKS_MAX];
	char text[STEP_TEXT_BYTES];
};
int step_read(struct host *h, const struct step *s, const struct looks *goal, struct looks *now,
	      struct look_buffer *buf, struct error *err);

#endif
