/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SAID_H
#define HANDOVER_SAID_H

#include "core/engine.h"

#define SAID_LINE_BYTES 240	/* of a line that is told, NUL included; the rest is cut off */

/* What is left of a command that was run; "" where nothing is known. */
struct said {
	char how[SAID_LINE_BYTES];	/* "it ended with exit status 3" */
	char last[SAID_LINE_BYTES];	/* of what it has said, the last line */
};

/*
 * After a write to a command: every line it has said is told (EVENT_SAID), made harmless. For any other name nothing is
 * done. No memory is asked for.
 */
void said_tell(struct engine *e, const struct step *s, const char *at, struct said *said);

#endif
