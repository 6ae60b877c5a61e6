/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_GROUND_H
#define HANDOVER_TESTS_GROUND_H

/* A host's root in a folder of the test's own, which stands for root's. */
#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"
#include "core/prepare.h"

struct ground {
	char root[64];
	struct trust trust;
	struct arena *arena;
	struct findings f;
	int dir;
};

static inline void ground_put(const struct ground *g, const char *name, const char *text)
{
	int fd = openat(g->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* With the folders of profiles, and these. */
static inline struct ground *ground_new(const char *const *folders, size_t n)
{
	static const char *const common[] = { "etc", "etc/handover", "etc/handover/profiles", "etc/pve", "etc/pve/handover" };
	struct ground *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	umask(022);
	strcpy(g->root, "/tmp/handover-ground-XXXXXX");
	assert_non_null(mkdtemp(g->root));
	g->dir = open(g->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(g->dir >= 0);
	for (size_t i = 0; i < COUNT(common); i++)
		assert_int_equal(mkdirat(g->dir, common[i], 0755), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mkdirat(g->dir, folders[i], 0755), 0);
	g->trust = (struct trust){ g->root, geteuid() };
	g->arena = arena_new();
	findings_init(&g->f, g->arena);
	return g;
}

static inline int ground_end(void **state)
{
	struct ground *g = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", g->root);
	close(g->dir);
	arena_free(g->arena);
	free(g);
	return system(command);
}

/* Only what is told of this one is in g->f then. */
static inline const struct profile *ground_load(struct ground *g, const char *path, uint64_t *hash)
{
	g->f.n = g->f.errors = 0;
	return profile_load_as(&g->trust, path, hash, &g->f);
}

#endif
