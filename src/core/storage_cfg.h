/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STORAGE_CFG_H
#define HANDOVER_STORAGE_CFG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "host/host.h"

/*
 * Proxmox's storages, as far as it takes hookscripts from them. The text is read as pve-common,
 * PVE/SectionConfig.pm, parse_config(), and pve-storage, PVE/Storage/Plugin.pm, parse_config(), do: a section is
 * "TYPE: ID" in the first column and the lines below it up to an empty one; a property stands behind a blank; "#" makes
 * a line a comment; of two properties with one name the first counts, of two sections the last. What is not understood
 * is left out, as Proxmox does.
 */
#define STORAGE_FILE "etc/pve/storage.cfg"
#define STORAGE_BYTES_MAX (1024 * 1024)	/* pmxcfs takes no larger file */

/* Where hookscripts are, if nobody says otherwise. */
#define STORAGE_LOCAL "local"
#define STORAGE_LOCAL_PATH "/var/lib/vz"

struct storage {
	const char *id, *type;
	const char *path;	/* NULL: it has none, and so no folder for snippets */
	const char *dir;	/* content-dirs snippets=: below path; NULL: "snippets" */
	const char *nodes;	/* "pve1,pve2": only these have it; NULL: all */
	const char *mountpoint;	/* is_mountpoint: a path; "" is path itself; NULL: it need not be one */
	bool disabled;
	bool shared;		/* one and the same on all nodes */
	const char *content;	/* "iso,vztmpl"; NULL: what is usual for its type */
	bool snippets;		/* whether that is in it; hookscripts are taken from it all the same */
};

struct storages {
	struct storage *list;
	size_t n;
};

/* There always is "local": without a usable one in the file Proxmox makes one up. All text belongs to the arena. */
void storage_parse(const char *text, struct arena *a, struct storages *s);

/* The host's. No such file: "local" alone. */
int storage_read(struct host *h, struct arena *a, struct storages *s, struct error *err);

/* NULL: there is none of that name. */
const struct storage *storage_find(const struct storages *s, const char *id);

/* Whether hookscripts can be in it: it is made of a folder. */
bool storage_has_files(const struct storage *s);

/* Whether that node has it. */
bool storage_is_of_node(const struct storage *s, const char *node);

/* "/var/lib/vz/snippets". Only for those that have files. */
const char *storage_snippets(const struct storage *s, struct arena *a);

/* The file that a hookscript's volume, "local:snippets/handover", is; NULL: it is none, or its storage is not there. */
const char *storage_hookscript(const struct storages *s, const char *volume, struct arena *a);

#endif
