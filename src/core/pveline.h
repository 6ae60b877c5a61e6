/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PVELINE_H
#define HANDOVER_PVELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * The lines of a guest's current configuration: those before the first section, "[PENDING]" or "[snapshot]"
 * (qemu-server, PVE/QemuServer.pm, parse_vm_config; pve-container, PVE/LXC/Config.pm, parse_pct_config). Lines may be
 * of any length and end in carriage returns; each is "key: value" with a key of small letters, '_' and '-' that may end in
 * digits. '#' begins a line of the description, whose bytes may be written as %XX. A container also has raw lines of
 * lxc, "lxc.mount.entry: ..." or with '='.
 */
struct pve_line {
	unsigned number;	/* counted from 1 */
	const char *text;	/* the whole line, without spaces at its end */
	const char *key;	/* NULL: it is no setting, and Proxmox passes it over */
	const char *value;	/* trimmed */
};

struct pve_reader {
	bool container;
	struct arena *arena;
	char *at;		/* what is not read yet, NULL at the end */
	char *rest;		/* what stands behind the section that was met at the end, NULL: none was */
	unsigned number;
	char *description;	/* as far as it was read, NULL: there is none */
	size_t n_description;
};

/* The text is copied. */
void pveline_start(struct pve_reader *r, const char *text, bool container, struct arena *a);

/* The next line that is neither empty nor part of the description. False: there is none before a section or the end. */
bool pveline_next(struct pve_reader *r, struct pve_line *line);

/*
 * After the last line, goes on to those of the next section: of a snapshot, say, which may be rolled back to. The
 * description is that section's then. False: there is none.
 */
bool pveline_next_section(struct pve_reader *r);

/* The description after the last line, without spaces at its end; NULL: there is none. */
const char *pveline_description(struct pve_reader *r);

#endif
