/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_CRASH_SCENES_H
#define HANDOVER_TESTS_CRASH_SCENES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/policy.h"
#include "host/host.h"

/* What is being broken. */
struct scene {
	const char *host_file;
	const char *profile;	/* text, or the name of a file */
	const char *boot;	/* what boot has done before, undisturbed; NULL: nothing */
	bool keep;		/* 'return: keep': after a whole life the devices are elsewhere, on purpose */
	bool is_boot;		/* the profile is a host.yaml: it is done once, and done again until it is done */
	bool all_pairs;		/* of breaks; else a sample */
};

/* What each host allows, and has. */
#define CRASH_COMMAND "/usr/local/bin/notify"
extern const struct policy crash_policy;

/*
 * Those that are made for an action or a way back; and each profile below profiles/ with each host of tests/hosts on which
 * it can be planned and does something, after its folder's host.yaml if there is one. The process ends if a profile cannot be
 * planned anywhere.
 */
const struct scene *scenes_find(const char *root, size_t *n);

/* A file below the root, to be freed. */
char *scenes_read(const char *root, const char *name, size_t *n);

struct host *scenes_host(const char *root, const struct scene *scene);

#endif
