/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HISTORY_PARTS_H
#define HANDOVER_HISTORY_PARTS_H

#include "core/history.h"
#include "host/traces.h"

/* What the parts of history_find() share. */
struct past {
	const struct history *q;
	struct findings *f;
	struct arena *arena;
	struct traces traces;
	struct selection given, anew;	/* q->functions and q->found_anew, of q->inventory */
	struct selection lent;	/* what VMs get: the one that is asked about, and all others of this host */
};

/* Whether a function is one that is asked about; of the host, each is. */
bool past_asks(const struct past *p, const struct function *fn);

/* Of functions those that are asked about. */
struct selection past_asked(const struct past *p, const struct selection *all);

/* "0000:02:00.0, 0000:65:00.0 (nouveau)": the host's own drivers behind them; after some, only how many more. */
const char *past_names(const struct past *p, const struct selection *s);

/* Whether the host uses it: it has a driver, and not one that waits for a VM. */
bool past_is_used(const struct function *fn);

/* Whether two names of a module are one: '-' and '_' are. One of them may have wildcards, as in softdep. */
bool past_same_module(const struct past *p, const char *pattern, const char *module);

/* Whether the module could drive a function, by its modalias. */
bool past_could_drive(const struct past *p, const char *pattern, const struct function *fn);

/* Whether the function has a driver of the host's, and that is of this module. */
bool past_drives(const struct past *p, const char *module, const struct function *fn);

/* "/etc/modprobe.d/vfio.conf:3:1" */
struct place past_place(const struct past *p, const struct trace_file *f, unsigned line, unsigned column);

/* What is still to be done after a file was edited: NULL if nothing is. */
const char *past_apply(const struct trace_file *f);

/* history_boot.c: what modprobe and the kernel are told. */
void past_modules(struct past *p);

/* history_files.c: driverctl's files, and udev's rules. */
void past_overrides(struct past *p);

/* history_scripts.c: crontabs, units and scripts. */
void past_scripts(struct past *p);

#endif
