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
#define PROFILE_DEVICES_MAX 64		/* names of devices, in all that 'devices' and 'hosts' have, with those of bases */
#define PROFILE_STEPS_MAX 64		/* in one phase, or in 'after-network' */
#define PROFILE_WORDS_MAX 64		/* in one list */
#define PROFILE_NAME_MAX 256		/* bytes of 'name' */
#define PROFILE_WORD_MAX 64		/* bytes of a device's name or any other single word */
#define PROFILE_WAIT_MAX_MS (10 * 60 * 1000)	/* of 'when-busy': Proxmox holds the VM's lock meanwhile */
#define PROFILE_COMMAND_MAX 200		/* bytes of a command's path, and of each argument */
#define PROFILE_BASES_MAX 8		/* files that one extends, one through the other */
#define PROFILE_HOSTS_MAX 64		/* entries of 'hosts' */
#define PROFILE_DMI_MAX 128		/* bytes of a machine's name as its firmware says it */

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
	struct word usb;	/* "046d:c31c" in lower case, or a port "1-2.1": the controller that this USB device hangs on */
};

/* By what an entry of 'hosts' knows a host; these words are its keys. */
enum host_key { HOST_NODE, HOST_DMI, HOST_MACHINE_ID };
#define HOST_KEYS 3
extern const char *const profile_host_keys[HOST_KEYS + 1];

/* An entry of 'hosts': what the devices are there. */
struct host_wish {
	struct place place;
	enum host_key key;
	struct words words;	/* any of them is meant */
	struct device_wish *devices;
	size_t n_devices;
};

/* What one file says of the devices. */
struct layer {
	const char *file;
	struct device_wish *devices;
	size_t n_devices;
	struct host_wish *hosts;
	size_t n_hosts;
	struct place hosts_place;	/* of the key */
};

/* 'network': what is done for an interface that comes back; these words are what may stand there, in this order. */
enum network {
	NETWORK_RESTORE,	/* it is brought back to its place, and what does not answer then is told */
	NETWORK_IFRELOAD,	/* the same, and `ifreload -a` is run where its gateway does not answer */
	NETWORK_NONE,		/* nothing: it is somebody else's affair */
};

#define ACTION_FIELDS_MAX 8

/*
 * Where steps stand in a profile: each phase, and behind the phases 'after-network', whose steps are done in whichever
 * of them a network interface comes back (after_network.h).
 */
#define AFTER_NETWORK PHASES
#define PROFILE_SECTIONS (PHASES + 1)

/* Its key: "pre-start", ..., "after-network". */
const char *section_name(int section);

/* One step a person asked for: an action and its options, each as the words that stood there (n = 0: absent). */
struct wish {
	const struct action *action;
	enum phase phase;	/* of 'after-network': only known of the copy that is planned */
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
	enum network network;
	struct word extends;	/* the name of its base; s is NULL if it has none */
	struct layer *layers;	/* the file itself, then its bases, each the one that the file before it extends */
	size_t n_layers;
	struct device_wish *devices;	/* as they are where no entry of 'hosts' fits; here.h has those of a host */
	size_t n_devices;
	struct accept *accepts;
	size_t n_accepts;
	struct wish *steps[PROFILE_SECTIONS];
	size_t n_steps[PROFILE_SECTIONS];
};

/*
 * Reads a profile from text. Returns NULL if anything in it is wrong; then f holds at least one error, each with
 * file, line, column, code and remedy. Never half a profile. file is only a name for findings and is not opened.
 * text needs no NUL at its end. The profile belongs to the arena of f.
 */
const struct profile *profile_parse(const char *text, size_t n, const char *file, struct findings *f);

/*
 * Where the bases come from that profiles extend, so that the loader opens no file itself. bring() gives the text of the
 * base whose name stands in word, a plain word (str_is_word()); file is the profile that extends it. False: it cannot be
 * had, and f holds an error that says why.
 */
struct base_text {
	const char *file, *text;
	size_t n;
};
struct bases {
	bool (*bring)(void *arg, const char *file, const struct word *word, struct findings *f, struct base_text *base);
	void *arg;
};

/*
 * The same with what it extends: name, when-busy, network, after-network, accept and each phase are those of the first
 * file that has that key, and so is each device; nothing is merged deeper. Of bases, only devices that a step or 'accept'
 * names are kept. bases NULL is profile_parse(): a profile that extends another is then judged by itself. Names of
 * devices are not looked up in it, as they may be its base's, and no plan is to be made of it.
 */
const struct profile *profile_parse_with(const char *text, size_t n, const char *file, const struct bases *bases,
					 struct findings *f);

/* "a.yaml", or "a.yaml, which extends b.yaml, which extends c.yaml". */
const char *profile_files(const struct profile *p, struct arena *a);

/* Whether a step names the device, and where: NULL if none does. Of accept: too, if that is asked for. */
const struct word *profile_names(const struct profile *p, const char *device, bool accepts);

/*
 * The devices as they are where these entries of hosts fit, one of each layer, or NULL: of each name the first there is,
 * in the order of layers, and in each first what its entry of 'hosts' says.
 */
void profile_gather(struct profile *p, const struct host_wish *const *fits, struct arena *a);

/* Whether it is about the host at boot, and not about a VM. */
bool profile_is_host(const struct profile *p);

/* The device of that name, or NULL. */
const struct device_wish *profile_device(const struct profile *p, const char *name);

/* The codes 'accept' knows, NULL at the end. */
extern const char *const profile_accept_codes[];

#endif
