/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover capture: this host as one text. */
#include <string.h>

#include "host/hostfile.h"
#include "verb/verb.h"

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	char node[HOST_VALUE_BYTES], kernel[HOST_VALUE_BYTES], source[HOST_VALUE_BYTES];
	struct error err;
	enum outcome o = open_host(r, &h);

	if (o != OUTCOME_DONE)
		return o;
	if (r->host_file && host_read(h, "source", source, sizeof(source)) > 0) {
		/* A copy of a capture says where the first came from. */
	} else {
		if (host_read(h, "proc/sys/kernel/hostname", node, sizeof(node)) < 0)
			strcpy(node, "unknown host");
		if (host_read(h, "proc/sys/kernel/osrelease", kernel, sizeof(kernel)) < 0)
			strcpy(kernel, "unknown kernel");
		snprintf(source, sizeof(source), "captured %.200s, Linux %.200s", node, kernel);
	}
	if (hostfile_write(h, source, stdout, &err) == 0)
		return OUTCOME_DONE;
	complain("%s", err.text);
	return OUTCOME_FAILED;
}

const struct verb verb_capture = {
	.name = "capture",
	.args = "",
	.takes = TAKES_HOST,
	.help = "prints this host as a .host text, for bug reports, tests, and planning on another machine",
	.run = run,
};
