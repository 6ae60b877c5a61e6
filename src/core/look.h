/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LOOK_H
#define HANDOVER_LOOK_H

#include "core/step.h"

/*
 * What a step reads now. Values belong to buf. goal: of a network interface, only what the next write can depend on is
 * read: nothing that may be anything; while it has not the name that it shall have, nothing but that and whether it is up;
 * and while it is not up and shall be, nothing that comes back after that, since each look takes time that the network is
 * away. NULL: all is read. What is asked last (step.h) is never read here. What is not read is VALUE_ANY.
 */
struct look_buffer {
	struct value v[STEP_LOOKS_MAX];
	char text[STEP_TEXT_BYTES];
	size_t used;
};
int step_read(struct host *h, const struct step *s, const struct looks *goal, struct looks *now,
	      struct look_buffer *buf, struct error *err);

/* Whether both are at the same network interface: "nic/0000:00:1f.6/" is what they have in common. x is one of nic/. */
bool look_is_of_same(const char *x, const char *y);

/*
 * Once more, of what step_read() has read, that of the network interface whose name is that look, and which has just got
 * it. Its sysctls are not read: they are taken for those of a new one.
 */
int step_read_nic(struct host *h, const struct step *s, const struct looks *goal, size_t name, struct look_buffer *buf,
		  struct error *err);

#endif
