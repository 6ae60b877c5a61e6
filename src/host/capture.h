/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_CAPTURE_H
#define HANDOVER_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/tree.h"
#include "host/host.h"
#include "host/hostfile.h"

/*
 * What the parts of hostfile_write() share. A line that could not be read back, because it or a name in it is too long
 * or has what no line can hold, is left out, never cut; so is the value of a file that cannot be read.
 */
struct words {
	struct branch *tree;
	const char **list;	/* in the order they came */
	size_t n;
};

struct writer {
	struct host *h;
	struct arena *arena;
	FILE *out;
	char buf[HOSTFILE_LINE_MAX];	/* the value read last */
	char name[HOST_NAME_BYTES];	/* and its name */
	size_t folder;			/* length of the P: line's path */
	struct words aliases;		/* modalias texts seen */
	struct words modules;		/* modules seen */
};

/* Reads FOLDER/A or FOLDER/A/B into buf; its name is then in name. */
ssize_t capture_get(struct writer *w, const char *folder, const char *a, const char *b);

/* Adds a copy of s; false if it was there, or there is no place for more. */
bool capture_remember(struct writer *w, struct words *words, const char *s);

/* "P: /PATH" with an empty line before it; false: left out, and nothing may follow that belongs to it. */
bool capture_folder(struct writer *w, const char *path);

/* What a link in a folder of a bus or a class leads to, "/devices/...", for a P: line; false: it is no such link. */
bool capture_path(struct writer *w, const char *name, char path[HOST_NAME_BYTES]);

/* "A: NAME=TEXT" or "V: NAME=TEXT", with the escapes of hostfile.h. */
void capture_line(struct writer *w, char letter, const char *name, const char *text, size_t n);

/* An A: line for each of these files of a folder that is there. The list ends with NULL. */
void capture_files(struct writer *w, const char *folder, const char *const *files);

/* "L: NAME=TARGET" if FOLDER/NAME is a link. */
void capture_link(struct writer *w, const char *folder, const char *name);

/* capture_stakes.c: disks, network, console and platform, in folders of sysfs; who holds what. */
void capture_stakes(struct writer *w);

/* capture_system.c: mounts, routes, sessions, guests that run, the owner's policy. */
void capture_system(struct writer *w);

/* capture_history.c: what people have written of what shall be done with devices (traces.h). */
void capture_history(struct writer *w);

#endif
