/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PROFILE_H
#define HANDOVER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/findings.h"
#include "core/phase.h"

/*
 * A profile is what a person wrote in YAML: which devices are meant, and what is to be done with them in each phase.
 * It says nothing about the host it will meet; that is the planner's affair. The language is described in
 * handover-profile(5) and profiles/profile.schema.json.
 *
 * All limits are refused with the place that is too much; none is cut silently.
 */
#define PROFILE_VERSION 1		/* the value of the key 'handover' */
#define PROFILE_BYTES_MAX (256 * 1024)
#define PROFILE_DEVICES_MAX 64
#define PROFILE_STEPS_MAX 64		/* in one phase */
#define PROFILE_WORDS_MAX 64		/* in one list */
#define PROFILE_NAME_MAX 256		/* bytes of 'name' */
#define PROFILE_WORD_MAX 64		/* bytes of a device's name or any other single word */
#define PROFILE_WAIT_MAX_MS (10 * 60 * 1000)	/* of 'when-busy': Proxmox holds the VM's lock meanwhile */
#define PROFILE_COMMAND_MAX 200		/* bytes of a command's path, and of each argument */

struct action;

/* A scalar and where it stands. s is NULL where the key is absent. */
struct word {
	const char *s;
	struct place place;
};

/* One word or a list of them; the language does not tell the two apart. */
struct words {
	struct word *list;
	size_t n;
	struct place place;	/* of the key */
	struct word verb;	/* "restart" of "{restart: [a, b]}"; s is NULL where the field has no verbs */
};

/* An entry of 'devices': selectors that must all hold. */
struct mapped;
struct device_wish {
	const char *name;	/* the key: what steps call it */
	struct place place;
	struct word id;		/* "vendor:device" or "vendor:device:subvendor:subdevice", hex digits, lower case */
	struct word at;		/* "00:1f.3", "0000:00:1f.3", or without function: that slot's */
	bool functions_all;	/* 'functions: all': every function of the slot, not only those that match id */
	int hostpci;		/* N of the VM's hostpciN, or -1 */
	struct place hostpci_place;
	struct word mapping;	/* name of a resource mapping of Proxmox */
	const struct mapped *mapped;	/* what that is on this node: set for select.h, never by the loader */
};

#define ACTION_FIELDS_MAX 8

/* One step a person asked for: an action and its options, each as the words that stood there (n = 0: absent). */
struct wish {
	const struct action *action;
	enum phase phase;
	struct place place;
	struct words fields[ACTION_FIELDS_MAX];	/* in the order of action->fields */
};

/* 'accept: {CODE: [device, ...]}': a finding the author of the profile has seen and lives with. */
struct accept {
	const char *code;
	struct words devices;
};

struct profile {
	const char *file;	/* as findings name it */
	const char *name;	/* NULL if none was given */
	unsigned wait_ms;	/* 'when-busy': how long a start waits for what another VM has; 0: it is refused at once */
	struct device_wish *devices;
	size_t n_devices;
	struct accept *accepts;
	size_t n_accepts;
	struct wish *steps[PHASES];
	size_t n_steps[PHASES];
};

/*
 * Reads a profile from text. Returns NULL if anything in it is wrong; then f holds at least one error, each with
 * file, line, column, code and remedy. Never half a profile. file is only a name for findings and is not opened.
 * text needs no NUL at its end. The profile belongs to the arena of f.
 */
const struct profile *profile_parse(const char *text, size_t n, const char *file, struct findings *f);

/* Whether it is about the host at boot, and not about a VM. */
bool profile_is_host(const struct profile *p);

/* The device of that name, or NULL. */
const struct device_wish *profile_device(const struct profile *p, const char *name);

/* The codes 'accept' knows, NULL at the end. */
extern const char *const profile_accept_codes[];

#endif
