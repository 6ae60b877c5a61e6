/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/pvecluster.h"
#include "core/pveprops.h"

#define FOLDER "etc/pve"
#define HOSTNAME "proc/sys/kernel/hostname"
#define NODE_BYTES 256
#define VMLIST_BYTES_MAX (4 * 1024 * 1024)	/* a line of about 60 bytes for each guest */

bool pvecluster_is_down(struct host *h, struct error *err)
{
	/* pmxcfs always has the first two. A capture has only what was read of the rest. */
	static const char *const signs[] = { FOLDER "/.version", FOLDER "/local", FOLDER "/qemu-server", FOLDER "/lxc",
					     FOLDER "/nodes", FOLDER "/corosync.conf", FOLDER "/mapping" };
	char text[NODE_BYTES];
	bool broken = host_read(h, signs[0], text, sizeof(text)) == -ENOTCONN;

	if (!broken && !host_has(h, FOLDER))
		return false;
	for (size_t i = 0; !broken && i < sizeof(signs) / sizeof(*signs); i++)
		if (host_has(h, signs[i]))
			return false;
	error_set(err, -ENOTCONN, "/" FOLDER " is %s: pmxcfs, which has the configurations of all guests, does not run; "
		  "look at `systemctl status pve-cluster`", broken ? "a mount that nobody serves" : "empty");
	return true;
}

const char *pvecluster_short_name(struct host *h, struct arena *a)
{
	char name[NODE_BYTES];

	return host_read(h, HOSTNAME, name, sizeof(name)) < 0 ? "" : arena_dupn(a, name, strcspn(name, "."));
}

const char *pvecluster_node(struct host *h, struct arena *a)
{
	const char *name = pvecluster_short_name(h, a);

	return props_is_node(name) ? name : NULL;
}

/* "NAME" with its quotes after "KEY", with its own, and a colon; NULL: it does not stand there. */
static const char *text_of(const char *at, const char *key, struct arena *a)
{
	at = strstr(at, key);
	at = at ? at + strlen(key) : "";
	at += strspn(at, " \t:");
	return *at == '"' ? arena_dupn(a, at + 1, strcspn(at + 1, "\"")) : NULL;
}

const char *pvecluster_node_of(struct host *h, unsigned vmid, struct arena *a)
{
	char *text = arena_alloc(a, VMLIST_BYTES_MAX), *line;
	const char *node = NULL;

	if (host_read_bytes(h, FOLDER "/.vmlist", text, VMLIST_BYTES_MAX) < 0)
		return NULL;
	line = strstr(text, arena_fmt(a, "\"%u\":", vmid));
	if (line) {
		line[strcspn(line, "}")] = '\0';
		node = text_of(line, "\"node\"", a);
	}
	return node && props_is_node(node) ? node : NULL;
}
