/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "host/host.h"
#include "host/live_label.h"

#define LABEL_BYTES 256		/* of a kind or a label; the longest that libblkid knows are shorter */

struct found {
	char kind[LABEL_BYTES], label[LABEL_BYTES];
};

/* A value may hold any bytes, and need not end. */
static void take(blkid_probe probe, const char *name, char text[LABEL_BYTES])
{
	const char *data;
	size_t n;

	*text = '\0';
	if (blkid_probe_lookup_value(probe, name, &data, &n) == 0 && n < LABEL_BYTES) {
		memcpy(text, data, n);
		text[n] = '\0';
	}
	str_harmless(text);
}

/*
 * What was written over may still be found behind what is there now. libblkid looks for members of something larger
 * first, and of several the first is told; but a ZFS label is never passed over.
 */
static int look(blkid_probe probe, struct found *first)
{
	struct found next = { 0 };
	int code;

	errno = 0;
	while ((code = blkid_do_probe(probe)) == 0) {
		take(probe, "TYPE", next.kind);
		take(probe, "LABEL", next.label);
		if (!first->kind[0] || strcmp(next.kind, "zfs_member") == 0)
			*first = next;
	}
	if (first->kind[0])
		return 0;
	/* It could not be read: nobody knows what is on it. */
	return code > 0 ? -ENOENT : errno ? -errno : -EIO;
}

ssize_t live_label_probe(int fd, char *buf, size_t size)
{
	blkid_probe probe = blkid_new_probe();
	struct found found = { 0 };
	ssize_t n;

	if (!probe)
		return -ENOMEM;
	errno = 0;
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0) {
		n = errno ? -errno : -EIO;
	} else {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
		n = look(probe, &found);
		if (n == 0) {
			n = snprintf(buf, size, "%s%s%s", found.kind, found.label[0] ? " " : "", found.label);
			n = (size_t)n < size ? n : -E2BIG;
		}
	}
	blkid_free_probe(probe);
	return n;
}

/* Such as the kernel names block devices. */
static bool is_block(const char *rest)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:!";

	return *rest && rest[strspn(rest, plain)] == '\0' && *rest != '.' && !strstr(rest, "!.");
}

ssize_t live_label_read(int root, const char *rest, char *buf, size_t size)
{
	char name[HOST_NAME_BYTES];
	struct stat st;
	ssize_t n;
	int fd;

	if (!is_block(rest) || strlen(rest) + strlen("dev/") >= sizeof(name))
		return -ENOENT;
	snprintf(name, sizeof(name), "dev/%s", rest);
	/* "cciss!c0d0" is /dev/cciss/c0d0: drivers/base/core.c, device_get_devnode(). */
	for (char *s = name; *s; s++)
		if (*s == '!')
			*s = '/';
	fd = openat(root, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		n = -errno;
	else
		n = S_ISBLK(st.st_mode) ? live_label_probe(fd, buf, size) : -ENOTBLK;
	close(fd);
	return n;
}
