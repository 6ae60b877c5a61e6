/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seam read NAME | seam write NAME VALUE: one call at the seam, on the running kernel. The value, or "absent", or the
 * error comes out; the exit status is 0 for a value and for a write that succeeded.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "host/host.h"
#include "host/live.h"

static int report(ssize_t code, const char *value)
{
	if (code >= 0)
		puts(value);
	else if (code == -ENOENT)
		puts("absent");
	else
		puts(strerrorname_np((int)-code));
	return code < 0;
}

int main(int argc, char **argv)
{
	_cleanup_host_ struct host *h = NULL;
	char value[HOST_VALUE_BYTES] = "";
	struct host_stuck stuck;
	struct error err = { 0 };

	if (live_open(&h, &err) < 0) {
		fprintf(stderr, "seam: %s\n", err.text);
		return 2;
	}
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return report(host_read(h, argv[2], value, sizeof(value)), value);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		return report(host_write(h, argv[2], argv[3], 5000, &stuck), "done");
	fprintf(stderr, "usage: seam read NAME | seam write NAME VALUE\n");
	return 2;
}
