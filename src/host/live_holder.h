/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_HOLDER_H
#define HANDOVER_LIVE_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"

/*
 * The provider holder/ of the running kernel: who has a device node open, by the links below /proc/PID/fd; see host.h
 * for what it answers. rest is the name behind "holder/", "dev/snd/pcmC0D0p"; root is the folder "/".
 *
 * Only a link that reads as the node is followed, and no file server is asked for what is there: one may not answer. What
 * counts then is that it is this host's node, by type and device number. ours is a process that does not count, nor do its
 * children.
 */

/*
 * The length, NUL added. -ENOENT: nobody, or no name of a node. -EACCES: nobody that could be looked at, and not all
 * could. What does not fit is left out by whole lines; -E2BIG: not even the first fits. Waits for whoever changes
 * control groups (kernel/cgroup/cgroup.c, proc_cgroup_show(), takes cgroup_mutex).
 */
ssize_t live_holder_read(int root, pid_t ours, const char *rest, char *buf, size_t size);

/* The names in a folder of nodes that somebody has open, sorted; -ENOENT: none. They belong to a. Does not wait. */
int live_holder_list(int root, pid_t ours, const char *rest, struct arena *a, char ***names, size_t *n);

/* The lines of text, n bytes, that fit into buf; the length, or -E2BIG. */
ssize_t live_holder_cut(const char *text, size_t n, char *buf, size_t size);

/*
 * Who a process works for, by the text of its /proc/PID/cgroup: "101.scope", "ssh.service", "user@1000.service", "lxc/105"; where the path
 * names no unit its last two parts; "-": none, as kernel threads have it.
 */
#define HOLDER_UNIT_BYTES 256
void live_holder_unit(const char *cgroup, char unit[HOLDER_UNIT_BYTES]);

#endif
