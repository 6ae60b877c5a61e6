/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prepare.h"
#include "crash_break.h"
#include "crash_scenes.h"
#include "host/hostfile.h"

#define SCENES_MAX 64
#define VMID 100

static const char *commands[] = { CRASH_COMMAND };
static const char *own_units[] = { "networking.service", "netbird.service" };

/* Breaks are counted in steps: what the host stands on is told, and not refused. */
const struct policy crash_policy = {
	.automatic = false, .services = { own_units, 2 }, .run = { commands, 1 },
};

#define LAB "tests/hosts/lab-pair.host"
#define WORKSTATION "tests/hosts/workstation-4070.host"
#define ELITEDESK "tests/hosts/elitedesk.host"
#define ELITEDESK_BOOT "profiles/elitedesk/host.yaml"

/* The host's VM has these by its own configuration, so each profile must accept that. */
#define SPLIT_SLOT \
	"handover: 1\naccept: {unverified-isolation: [lpc, audio, nic]}\ndevices:\n  lpc: {at: \"00:1f.0\"}\n" \
	"  audio: {at: \"00:1f.3\"}\n  nic: {at: \"00:1f.6\"}\n"

static const struct scene made[] = {
	{ .host_file = LAB, .all_pairs = true, .profile = "handover: 1\ndevices:\n  nic: {at: \"01:00.0\", id: \"8086:100e\"}\n"
				       "pre-start:\n  - bind: nic\n" },
	{ .host_file = WORKSTATION, .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\", functions: all}\n"
					       "pre-start:\n  - bind: gpu\n" },
	{ .host_file = WORKSTATION,
	  .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\n  usb: {at: \"79:00.3\"}\n"
		     "pre-start:\n  - bind: gpu\n  - bind: usb\n    driver: nouveau\n    return: xhci_hcd\n" },
	{ .host_file = WORKSTATION, .keep = true,
	  .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\npre-start:\n  - bind: gpu\n    return: keep\n" },
	{ .host_file = WORKSTATION,
	  .profile = "handover: 1\ndevices:\n  gpu: {id: \"10de:2783\"}\npre-start:\n  - bind: gpu\n    return: nouveau\n" },
	/* Every other action, in every phase it may stand in, and a network card that leaves and comes back. */
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT "  smbus: {at: \"00:1f.4\"}\n  wifi: {at: \"00:14.3\"}\n"
		     "pre-start:\n  - bind: wifi\n  - module: {unload: iwlwifi}\n  - service: {stop: netbird.service}\n  - usb: \"8087:0aaa\"\n"
		     "  - cycle: nic\n  - remove: smbus\n  - rescan: smbus\n  - wait: smbus\n    driver: i801_smbus\n"
		     "  - check: smbus\n    group: alone\n  - remove: audio\n"
		     "post-start:\n  - service: {start: networking.service}\n  - check: nic\n"
		     "pre-stop:\n  - service: {restart: networking.service}\n"
		     "post-stop:\n  - cycle: [audio, nic]\n  - service: {restart: netbird.service}\n" },
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT
		     "pre-start:\n  - bind: nic\n    return: cycle\n" },
	/* Commands, before and behind what goes back, and the same one twice in a phase. */
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT
		     "pre-start:\n  - run: " CRASH_COMMAND "\n  - bind: audio\n  - run: [" CRASH_COMMAND ", a b]\n  - run: " CRASH_COMMAND "\n"
		     "post-start:\n  - run: " CRASH_COMMAND "\npre-stop:\n  - run: " CRASH_COMMAND "\n"
		     "post-stop:\n  - run: " CRASH_COMMAND "\n  - run: [" CRASH_COMMAND ", a b]\n  - run: " CRASH_COMMAND "\n" },
	/* What post-stop does is broken in the middle, and then again when that is taken back. */
	{ .host_file = ELITEDESK, .boot = ELITEDESK_BOOT,
	  .profile = SPLIT_SLOT "  smbus: {at: \"00:1f.4\"}\n"
		     "pre-start:\n  - bind: audio\n"
		     "post-stop:\n  - service: {restart: netbird.service}\n  - cycle: audio\n  - cycle: smbus\n" },
};

#define MADE (sizeof(made) / sizeof(*made))

char *scenes_read(const char *root, const char *name, size_t *n)
{
	char path[4096], *text = malloc(HOSTFILE_BYTES_MAX);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	in = fopen(path, "re");
	must(in && text, path);
	*n = fread(text, 1, HOSTFILE_BYTES_MAX - 1, in);
	text[*n] = '\0';
	fclose(in);
	return text;
}

struct host *scenes_host(const char *root, const struct scene *scene)
{
	struct host *h = NULL;
	struct error err = { 0 };
	size_t n;
	char *text = scenes_read(root, scene->host_file, &n);

	must(hostfile_parse(text, n, scene->host_file, &h, &err) == 0, err.text);
	free(text);
	sim_set(h, "command" CRASH_COMMAND, "0");
	return h;
}

/* --- those of the folders ---------------------------------------------------------------------------------------- */

/* Names below the root, in order; they are never freed. */
static size_t find_files(const char *root, const char *pattern, const char **names, size_t n)
{
	char path[4096];
	glob_t g;

	snprintf(path, sizeof(path), "%s/%s", root, pattern);
	if (glob(path, 0, NULL, &g) != 0)
		return n;
	for (size_t i = 0; i < g.gl_pathc && n < SCENES_MAX; i++)
		names[n++] = strdup(g.gl_pathv[i] + strlen(root) + 1);
	globfree(&g);
	return n;
}

/* How many steps it has on that host; 0: it cannot be planned there. */
static size_t count_steps(const char *root, const struct scene *scene)
{
	struct arena *a = arena_new();
	struct host *h = scenes_host(root, scene);
	struct findings f;
	struct planner p;
	struct error err;
	struct store store;
	size_t length, n = 0;
	char *text = scenes_read(root, scene->profile, &length);
	const struct profile *profile;

	store_open_memory(&store);
	findings_init(&f, a);
	profile = profile_parse(text, length, scene->profile, &f);
	must(profile != NULL, scene->profile);
	p = (struct planner){ .host = h, .policy = &crash_policy, .profile = profile, .vmid = scene->is_boot ? 0 : VMID };
	if (prepare_plan(&p, &store, &f, &err))
		n = p.plan.n;
	free(text);
	host_close(h);
	arena_free(a);
	return n;
}

static bool is_boot_profile(const char *name)
{
	size_t n = strlen(name), suffix = strlen("/host.yaml");

	return n > suffix && strcmp(name + n - suffix, "/host.yaml") == 0;
}

/* The host.yaml beside it. */
static const char *boot_of(const char *profile, const char *const *profiles, size_t n)
{
	size_t folder = (size_t)(strrchr(profile, '/') - profile) + 1;

	for (size_t i = 0; i < n; i++)
		if (is_boot_profile(profiles[i]) && strncmp(profiles[i], profile, folder) == 0 &&
		    !strchr(profiles[i] + folder, '/'))
			return profiles[i];
	return NULL;
}

/* A folder of its own is that of a machine of the seeds, of which all pairs are tried. */
static size_t add_scenes(const char *root, struct scene scene, const char *boot, struct scene *list, size_t n)
{
	static const char *hosts[SCENES_MAX];
	static size_t n_hosts;
	size_t before = n;

	if (n_hosts == 0)
		n_hosts = find_files(root, "tests/hosts/*.host", hosts, 0);
	for (size_t i = 0; i < n_hosts && n < SCENES_MAX; i++) {
		struct scene first = { .host_file = hosts[i], .profile = boot, .is_boot = true };

		scene.host_file = hosts[i];
		scene.boot = boot && count_steps(root, &first) ? boot : NULL;
		/* What boot has split is planned in the scene itself. */
		if (scene.boot || (!boot && count_steps(root, &scene)))
			list[n++] = scene;
	}
	must(n > before, "a profile of profiles/ can be planned on no host of tests/hosts");
	return n;
}

const struct scene *scenes_find(const char *root, size_t *n)
{
	static struct scene list[SCENES_MAX];
	static const char *profiles[SCENES_MAX];
	size_t n_profiles = find_files(root, "profiles/*.yaml", profiles, 0), machines = n_profiles;

	n_profiles = find_files(root, "profiles/*/*.yaml", profiles, n_profiles);
	memcpy(list, made, sizeof(made));
	*n = MADE;
	for (size_t i = 0; i < n_profiles; i++) {
		struct scene scene = { .profile = profiles[i], .is_boot = is_boot_profile(profiles[i]),
				       .all_pairs = i >= machines };
		const char *boot = scene.is_boot ? NULL : boot_of(profiles[i], profiles, n_profiles);

		*n = add_scenes(root, scene, boot, list, *n);
	}
	return list;
}
