/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SYSCTLS_H
#define HANDOVER_SYSCTLS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Settings of an interface below proc/sys/net, and their text: "ipv4/conf/rp_filter 2, ipv6/conf/accept_ra 0". Each is a
 * folder, a file and what is in it, a number.
 */
#define SYSCTLS_MAX 96	/* more do not fit into a value of the seam */
#define SYSCTL_FILE_BYTES 48
#define SYSCTL_TEXT_BYTES 24

#define SYSCTL_FOLDERS 4
extern const char *const sysctl_folders[SYSCTL_FOLDERS];

struct sysctl {
	const char *folder;	/* of sysctl_folders */
	char file[SYSCTL_FILE_BYTES], text[SYSCTL_TEXT_BYTES];
};

struct sysctls {
	struct sysctl list[SYSCTLS_MAX];
	size_t n;
};

/* -E2BIG: one too many. -EINVAL: it is no such setting, or is there already. */
int sysctls_add(struct sysctls *all, const char *folder, const char *file, const char *text);

/* The setting of that folder and file, or NULL. */
const struct sysctl *sysctls_find(const struct sysctls *all, const struct sysctl *s);

/* -EINVAL: the text is none; *all is then of no use. */
int sysctls_parse(const char *text, struct sysctls *all);

/* In the order of the folders and of the alphabet. The length, or -E2BIG. */
ssize_t sysctls_format(const struct sysctls *all, char *buf, size_t size);

#endif
