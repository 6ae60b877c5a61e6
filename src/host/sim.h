/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_H
#define HANDOVER_SIM_H

#include <stdio.h>

#include "base/error.h"
#include "host/host.h"

/*
 * A host in memory: a tree of folders, files and links, and the kernel's rules for what a write changes (sim_pci.h).
 * A name with no rule cannot be written (-EACCES), as sysfs answers for a read-only attribute.
 * Time stands still but for host_wait().
 */
struct host *sim_new(void);

/* Builds the tree; folders are made on the way. The host must be a simulated one, which only sim_is() can tell. */
void sim_set(struct host *h, const char *name, const char *text);
void sim_set_text(struct host *h, const char *name, const char *text, size_t n);
void sim_set_bytes(struct host *h, const char *name, size_t offset, const void *data, size_t n);
void sim_set_link(struct host *h, const char *name, const char *target);
void sim_make_folder(struct host *h, const char *name);

/* Everything below name goes. */
void sim_remove(struct host *h, const char *name);

/*
 * A folder that leaves the tree for a while: it is kept, with everything below it, inside the folder it stood in, and
 * sim_put_back() brings back into folder all that was set aside there for that reason (any word). What is aside
 * cannot be seen by any name and is not dumped.
 */
void sim_set_aside(struct host *h, const char *name, const char *reason);
void sim_put_back(struct host *h, const char *folder, const char *reason);

/* Where a name leads once all links on the way are followed, the last one included; -ENOENT if nowhere. */
int sim_resolve(struct host *h, const char *name, char *buf, size_t size);

/*
 * Calls each, with its path, for every folder below that one that is there now and whose own name is wanted: what is
 * above comes first, the rest in order of names. Links are not followed.
 */
void sim_each_folder(struct host *h, const char *name, bool (*wanted)(const char *name),
		     void (*each)(void *arg, const char *path), void *arg);

/* Bytes the host takes so far. */
size_t sim_memory(struct host *h);

/*
 * Makes what the kernel derives from the devices' own links; called once after the tree has been read. -E2BIG: it has
 * more than SIM_PCI_MAX PCI functions, or as many drivers. Each looks for others of its kind, in more places than one.
 * -EEXIST: two folders have the name of one thing, as no kernel lets them (drivers/base/bus.c, bus_add_device()).
 */
#define SIM_PCI_MAX 4096
int sim_settle(struct host *h, struct error *err);

/* The whole tree, a line per file and link, sorted: two hosts are the same if their dumps are. */
void sim_dump(struct host *h, FILE *out);

/*
 * What can go wrong with a write. DIE: the writing program is killed; its caller's die() is called and must not
 * return. HANG: the kernel does not come back (-ETIMEDOUT); the write has no effect.
 */
enum sim_fault { SIM_FAIL_BEFORE, SIM_FAIL_AFTER, SIM_DIE_BEFORE, SIM_DIE_AFTER, SIM_HANG };
#define SIM_FAULTS 5

/* The nth write from now (1 = the next) goes wrong in this way; code is the negative errno it fails with. */
void sim_break(struct host *h, unsigned nth, enum sim_fault fault, int code, void (*die)(void *arg), void *arg);

/* How many writes there were so far. */
unsigned sim_writes(const struct host *h);

/*
 * Called before every write with its name and value, for tests that want to see them, or to break the very one
 * (sim_break() with 1); NULL ends it.
 */
void sim_watch(struct host *h, void (*seen)(void *arg, const char *name, const char *value), void *arg);

#endif
