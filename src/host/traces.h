/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TRACES_H
#define HANDOVER_TRACES_H

#include "base/arena.h"
#include "host/deeds.h"
#include "host/host.h"

/*
 * The files of a host in which people have written what shall be done with its devices, and of each the lines that say
 * so. A capture takes these lines and nothing else of them, and whoever explains them (core/history.h) reads the same.
 *
 *   TRACE_MODPROBE   etc/modprobe.d/NAME.conf: options of vfio-pci, softdep with it, blacklist, install of nothing
 *   TRACE_MODULES    etc/modules, etc/modules-load.d/NAME.conf, etc/initramfs-tools/modules: names of vfio's modules
 *   TRACE_CMDLINE    etc/kernel/cmdline, etc/default/grub and its folder: words for vfio-pci, of blacklists,
 *                    pcie_acs_override
 *   TRACE_DRIVERCTL  etc/driverctl.d/pci-ADDRESS: the driver
 *   TRACE_UDEV       etc/udev/rules.d/NAME.rules: driver_override, sriov_numvfs, and commands with deeds
 *   TRACE_CRON       etc/crontab, etc/cron.d/NAME, var/spool/cron/crontabs/USER: lines with deeds
 *   TRACE_UNIT       etc/systemd/system/NAME.service and what is dropped in: Exec lines with deeds
 *   TRACE_SCRIPT     etc/rc.local, etc/network/interfaces, etc/cron.daily/NAME and the like, the snippets of the
 *                    storage local, the hookscripts of guests, and the scripts that any of these runs: lines with deeds
 *
 * A line has what deeds.h says of it; in the others it stands as it is in the file. Lines that end with a backslash are
 * one with the next (kmod, cron's shell, udev, systemd), and have the first one's number.
 */
enum trace_kind {
	TRACE_MODPROBE,
	TRACE_MODULES,
	TRACE_CMDLINE,
	TRACE_DRIVERCTL,
	TRACE_UDEV,
	TRACE_CRON,
	TRACE_UNIT,
	TRACE_SCRIPT,
};

#define TRACE_FILES_MAX 256	/* that have such lines or are run by one that has; more are left out */
#define TRACE_READS_MAX 512	/* files that are read for it */
#define TRACE_FOLDER_MAX 512	/* entries of a folder that are looked at */
#define TRACE_BYTES_MAX (64 * 1024)	/* of a file; what is behind is left out by whole lines */
#define TRACE_LINES_MAX 4000	/* of a file; so too */
#define TRACE_DEEDS_MAX 1000	/* of a file; more are left out */
#define TRACE_DEPTH_MAX 3	/* scripts that one another run */
#define TRACE_LINE_MAX 4096	/* bytes of a line; what is longer is left out */
#define TRACE_WHEN_MAX 64	/* bytes of the times of a crontab, or of the key of a unit; so too */
#define TRACE_RULE_MAX 512	/* bytes of what is kept of the keys of a rule; so too */

struct trace_line {
	unsigned number;
	const char *text;	/* of the kinds that have no deeds: the line, without a comment */
	/* Of a crontab "@reboot" or "0 3 * * *"; of a unit "ExecStart"; of a script the phase, "pre-stop", "" = any. */
	const char *when;
	struct deed *deeds;
	size_t n;
};

struct trace_file;

/* Who runs a script: a line of another file, or Proxmox, as the hookscript of a guest. */
struct trace_origin {
	const struct trace_file *by;	/* NULL: Proxmox */
	unsigned number;		/* of its line, and that line's 'when' */
	const char *when;
	unsigned vmid;
};

struct trace_file {
	const char *name;	/* "etc/modprobe.d/vfio.conf" */
	enum trace_kind kind;
	unsigned depth;		/* so many scripts run one another before it */
	struct trace_origin *origins;	/* none: it stands where such files are looked for */
	size_t n_origins;
	struct trace_line *lines;
	size_t n;
};

struct traces {
	struct arena *arena;
	struct trace_file **list;
	size_t n;
	size_t reads;		/* of files, whether anything was in them or not */
	char *buf;		/* TRACE_BYTES_MAX */
};

/* Reads all of a host. What cannot be read is not there; of what is no plain file nothing is read. */
void traces_read(struct host *h, struct arena *a, struct traces *t);

/* The lines of one file from text, which is taken apart; the parser of all kinds. */
void trace_parse(struct trace_file *f, char *text, struct arena *a);

/* How a line is written so that it is taken for the same: without what is nobody's business. */
const char *trace_written(const struct trace_file *f, const struct trace_line *l, struct arena *a);

/*
 * Where a storage of Proxmox has its snippets, without "/" in front: "var/lib/vz/snippets" of "local". Only those of
 * types dir and btrfs: others may be on a server that does not answer. NULL: it is none of them.
 */
const char *trace_snippets(struct host *h, const char *storage, struct arena *a);

#endif
