/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running host's side of the seam, for scripts in the lab:
 *
 *     seam read NAME            prints the value, or the errno
 *     seam write NAME VALUE [MS]  within so many milliseconds; prints "ok", or the errno
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/live.h"

#define DEADLINE_MS 60000

static int say(int code)
{
	puts(code < 0 ? strerrorname_np(-code) : "ok");
	return code < 0;
}

int main(int argc, char **argv)
{
	_cleanup_host_ struct host *h = NULL;
	char buf[HOST_VALUE_BYTES];
	struct host_stuck stuck;
	struct error err;
	ssize_t n;

	if (live_open(&h, &err) < 0) {
		fprintf(stderr, "seam: %s\n", err.text);
		return 2;
	}
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "write") == 0)
		return say(host_write(h, argv[2], argv[3], argc == 5 ? (unsigned)atoi(argv[4]) : DEADLINE_MS, &stuck));
	if (argc != 3 || strcmp(argv[1], "read") != 0) {
		fputs("usage: seam read NAME | seam write NAME VALUE [MS]\n", stderr);
		return 2;
	}
	n = host_read(h, argv[2], buf, sizeof(buf));
	if (n < 0)
		return say((int)n);
	puts(buf);
	return 0;
}
