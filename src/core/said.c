/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "core/said.h"
#include "core/yaml_text.h"

static const char command[] = "command/";

void said_tell(struct engine *e, const struct step *s, const char *at, struct said *said)
{
	char name[HOST_NAME_BYTES], text[HOST_VALUE_BYTES], *rest = text, *line;

	memset(said, 0, sizeof(*said));
	if (!str_starts(at, command))
		return;
	snprintf(name, sizeof(name), "result/%s", at + strlen(command));
	if (host_read(e->host, name, text, sizeof(text)) < 0)
		return;
	text_show(strsep(&rest, "\n"), said->how, sizeof(said->how));
	/* What draws its progress over one line has written many. */
	while ((line = strsep(&rest, "\r\n")) != NULL) {
		if (!*line)
			continue;
		text_show(line, said->last, sizeof(said->last));
		if (e->tell)
			e->tell(e->arg, &(struct event){ .kind = EVENT_SAID, .step = s, .text = said->last });
	}
}
