/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/pveconf.h"
#include "core/reservations.h"

#define FILE_MAX (64 * 1024)	/* some hundred devices */
#define WORDS 3

/* Seconds since 1970; -1: not known. */
static int64_t wall_clock(struct host *h)
{
	char text[32];
	uint64_t now;

	return host_read(h, "clock/now", text, sizeof(text)) > 0 && str_decimal(text, INT64_MAX, &now) ? (int64_t)now : -1;
}

static bool is_valid_until(struct host *h, uint64_t end, struct reservation *r)
{
	int64_t now = wall_clock(h);

	if (now >= 0)
		r->seconds = (int64_t)end - now;
	return now < 0 || r->seconds > 0;
}

static bool is_valid_for(struct host *h, uint64_t pid, struct reservation *r)
{
	int running = pve_running(h, r->vmid);

	r->pid = (int)pid;
	/* Where it cannot be found out, it is rather believed. */
	return running < 0 || running == r->pid;
}

/* Whether a line is a valid reservation: of that VM, or of another one. */
static bool take(struct host *h, unsigned vmid, bool of_others, char *line, struct reservation *r)
{
	char *words[WORDS + 1];
	size_t n = str_words(line, words, WORDS + 1);
	uint64_t number;

	*r = (struct reservation){ .seconds = -1 };
	if (n == 0 || !str_is_pci_place(words[0]))
		return false;
	r->place = words[0];
	if (n < 2 || !vmid_parse(words[1], &r->vmid))
		return of_others;
	if ((r->vmid == vmid) == of_others)
		return false;
	if (n == WORDS && str_starts(words[2], "time:") && str_decimal(words[2] + strlen("time:"), INT64_MAX, &number))
		return is_valid_until(h, number, r);
	if (n == WORDS && str_starts(words[2], "pid:") && str_decimal(words[2] + strlen("pid:"), INT32_MAX, &number))
		return is_valid_for(h, number, r);
	return true;
}

static void read_lines(struct host *h, unsigned vmid, bool of_others, struct arena *a, struct reservation **list, size_t *n)
{
	char *text = arena_alloc(a, FILE_MAX), *line;
	struct reservation r;
	bool cut;

	*list = NULL;
	*n = 0;
	if (host_read_lines(h, RESERVATIONS_PATH, text, FILE_MAX, &cut) < 0)
		return;
	while ((line = strsep(&text, "\n")) != NULL) {
		if (!take(h, vmid, of_others, line, &r))
			continue;
		*list = arena_grow(a, *list, *n, sizeof(**list));
		(*list)[(*n)++] = r;
	}
}

void reservations_read(struct host *h, unsigned self, struct arena *a, struct reservation **list, size_t *n)
{
	read_lines(h, self, true, a, list, n);
}

void reservations_of(struct host *h, unsigned vmid, struct arena *a, struct reservation **list, size_t *n)
{
	read_lines(h, vmid, false, a, list, n);
}
