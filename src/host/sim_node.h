/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_NODE_H
#define HANDOVER_SIM_NODE_H

#include <stdio.h>

#include "base/tree.h"

/* The tree of a simulated host: used by host/sim.c and host/sim_dump.c alone. */
enum kind { FOLDER, FILE_, LINK };

struct node {
	struct branch b;	/* its name, and its place among those in the same folder */
	struct node *parent;
	struct branch *in;	/* what is in this folder */
	struct node *aside, *next;	/* what is not there at present, by next */
	const char *reason;	/* why this one is not */
	enum kind kind;
	unsigned char *data;	/* of a file or link, NUL behind it */
	size_t n, room;		/* room: of a file that is written in pieces, what data has */
};

/* As sim_dump(): what is in a folder, and below it. */
void nodes_dump(const struct branch *in, FILE *out);

#endif
