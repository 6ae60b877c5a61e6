/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_POLICY_H
#define HANDOVER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"
#include "core/inventory.h"

/*
 * What this host allows, whatever a profile says: /etc/handover/handover.conf, an INI file that handover.conf(5)
 * describes. Profiles are shared between hosts; the policy is not, and no profile can widen it. Without a file all is
 * at its safe default, as policy_default() has it.
 */
#define POLICY_PATH "/etc/handover/handover.conf"
#define POLICY_BYTES_MAX (64 * 1024)
#define POLICY_NAMES_MAX 64	/* words of one key */
#define POLICY_TIME_MIN_MS 1000
#define POLICY_PHASE_MAX_MS (10 * 60 * 1000)
#define POLICY_LOCK_MAX_MS (60 * 1000)
#define POLICY_POST_STOP_MS (90 * 1000)		/* if nothing is said */
#define POLICY_POST_STOP_MAX_MS (60 * 60 * 1000)

/* Words of a key, in the order of the file. */
struct names {
	const char **list;
	size_t n;
};

/* "management-nic = eno1": a risk, and the devices that profiles may accept it for. */
struct allow {
	const char *code;
	struct names names;	/* places, ids, interfaces, disks, ports: see policy_allows() */
};

struct policy {
	const char *file;		/* NULL: there is none */
	bool untrusted_guests;		/* untrusted-guests = yes: no unverified isolation for anybody */
	/* [protect] */
	bool automatic;			/* auto = yes: what the host is seen to stand on is refused; no: told as a warning */
	struct names devices;		/* places ("0000:02:00.0", "02:00.0", "02:00") or ids ("10de:2783") */
	struct names nics;		/* names of network interfaces */
	struct names usb;		/* ids ("046d:c31c") or ports ("1-2.1") */
	/* [allow] */
	struct allow *allows;
	size_t n_allows;
	struct names run;		/* commands by full path */
	struct names modules;		/* that steps may take out although they serve the host */
	struct names services;		/* units that steps may start, stop and restart */
	bool guard;			/* guard = yes: a process watches over each lease */
	/* [timeouts], milliseconds */
	unsigned phase_ms, lock_ms;
	unsigned post_stop_ms;		/* how long after a guest's end its post-stop may come, before the guard gives back */
	/* [profiles] */
	bool profile_required;		/* profile = required: a VM with hostpci and no profile does not start */
};

/* What holds where nothing is said. */
struct policy policy_default(void);

/*
 * Reads a policy from text, which needs no NUL at its end. NULL if anything in it is wrong: an unknown section, key or
 * code, a line that is too long, a value that is none; then f holds at least one error, each with file and line. Never
 * half a policy. It belongs to the arena of f. file is only a name for findings. Hex digits of places and ids are kept
 * in lower case, as sysfs has them.
 */
const struct policy *policy_parse(const char *text, size_t n, const char *file, struct findings *f);

/* Whether [allow] must name a device too before a profile's accept counts: such a risk can lock the host out. */
bool policy_needs_consent(const char *code);

/*
 * Whether [allow] names this for that code: the function by its place (see str_is_pci_place(): a whole slot too) or by
 * id (vendor:device, or with subsystem), or the thing itself by the name it has ("eno1", "sda", "1-2.1"). fn and name
 * may be NULL.
 */
bool policy_allows(const struct policy *p, const char *code, const struct function *fn, const char *name);

/* Whether [protect] names the function or its network interface; by which word. NULL: it does not. Both may be NULL. */
const char *policy_protects(const struct policy *p, const struct function *fn, const char *nic);

/* The same of a USB device, by id, or by its port or one that it is behind. */
const char *policy_protects_usb(const struct policy *p, const char *id, const char *port);

/* Whether a list of the policy has this word, exactly. */
bool names_have(const struct names *names, const char *word);

/* What to write so that a list under [allow] has this word too: the whole line, because a key stands there once. */
const char *policy_line_remedy(const char *key, const struct names *names, const char *word, struct arena *a);

#endif
