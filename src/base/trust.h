/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TRUST_H
#define HANDOVER_TRUST_H

#include <sys/types.h>

#include "base/arena.h"

/*
 * Whose files are believed, and where the walk to them begins: on a host {"/", 0}, which is trust_host. A test has a
 * folder of its own, and its own user.
 */
struct trust {
	const char *root;
	uid_t owner;
};

extern const struct trust trust_host;

/* Why a file was not opened. The texts belong to an arena, or are constants. */
struct distrust {
	int code;		/* negative errno, see trust_open() */
	const char *what;	/* which folder or file, whose it is, its mode: lower case, no full stop */
	const char *remedy;	/* what to do, or NULL */
};

/*
 * Opens a regular file for reading that nobody but the owner can have written, or put there. From the root on, each
 * folder and then the file must belong to the owner and be writable by nobody else; on a folder, write permission is
 * what renaming and replacing need. Links are followed nowhere, and a file with a second name is refused, because that
 * one may lie in anybody's folder (where fs.protected_hardlinks is 0). POSIX ACLs count: their mask is the group's part
 * of the mode (fs/posix_acl.c). On pmxcfs files are root:www-data 0640 and folders 0755, which passes
 * (pve-cluster, src/pmxcfs/pmxcfs.c, cfs_fuse_getattr()).
 *
 * All is checked on open descriptors, the file once more on the one that is returned: what is read from it is what was
 * checked, whoever renames what meanwhile. Neither a FIFO nor a device holds it up.
 *
 * path starts with '/' and has no "." and "..". Returns a descriptor; or a negative errno, which is why->code too:
 *   -ENOENT  the file, or a folder above it, is not there
 *   -ELOOP   the file is a symbolic link      -EISDIR  it is a folder      -ENXIO  it is another special file
 *   -EPERM   somebody else could have written it, or path is none that can be walked: why says what to do
 *   others   the kernel's, from looking at it
 */
int trust_open(const struct trust *t, const char *path, struct arena *a, struct distrust *why);

/*
 * Finds a regular file, through links too, that nobody but the owner can have written, or put there: each folder on the
 * way, and on the way of each link, and then the file, belongs to the owner and is writable by nobody else. So whoever
 * follows the path once more comes to the same file, unless the owner changes it. A link's own owner and mode say
 * nothing: it can only be replaced, and the folder it is in was looked at. Names that the file has elsewhere are no
 * matter, for the file is its owner's.
 *
 * Returns a descriptor (O_PATH, which opens nothing: a device node or a FIFO is only looked at), or answers as
 * trust_open() does; -ELOOP here means that links lead to links without end.
 */
int trust_follow(const struct trust *t, const char *path, struct arena *a, struct distrust *why);

/*
 * Opens a regular file wherever it is and whosever it is: only that the file itself is no link and no special file.
 * Answers as trust_open() does.
 */
int plain_open(const char *path, struct arena *a, struct distrust *why);

/*
 * Whether an open file is what a program made for itself: a regular file of the user who runs it, with one name only,
 * so that it is nobody's other file. 0; -ENOENT: it has been removed since; -EPERM: it is none.
 */
int own_file_check(int fd);

/* Reads to the end of the file, or until size bytes are there. Returns their number, or a negative errno. */
ssize_t read_whole(int fd, char *buf, size_t size);

#endif
