/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "host/child.h"
#include "host/command.h"
#include "host/live_command.h"

/* A command that was run: in memory that this program and the worker share, as its child is. */
struct command {
	struct command *next;
	char name[HOST_NAME_BYTES];	/* behind "command/" */
	unsigned count;
	struct child child;		/* its last run */
};

int live_command_look(const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct command_words words;
	const char *why;
	int fd;

	if (!command_name_parse(name, &words))
		return -EINVAL;
	fd = child_open(words.word[0], a, &why);
	if (fd < 0)
		return fd == -EPERM ? -ENOENT : fd;
	close(fd);
	return 0;
}

/* --- the provider ------------------------------------------------------------------------------------------------ */

static const struct command *find(const struct command *list, const char *rest)
{
	while (list && strcmp(list->name, rest) != 0)
		list = list->next;
	return list;
}

ssize_t live_command_count(const struct command *list, const char *name, char *buf, size_t size)
{
	const struct command *c = find(list, name + strlen(COMMAND_PREFIX));
	int n = snprintf(buf, size, "%u", c ? c->count : 0);

	return (size_t)n < size ? n : -E2BIG;
}

ssize_t live_command_result(const struct command *list, const char *name, char *buf, size_t size)
{
	const struct command *c = find(list, name + strlen("result/"));
	char lost[64] = "";
	int n;

	if (!c || !*c->child.how)
		return -ENOENT;
	if (c->child.n_lost)
		snprintf(lost, sizeof(lost), "\n(%zu more bytes)", c->child.n_lost);
	n = snprintf(buf, size, "%s\n%s%s", c->child.how, c->child.said, lost);
	return n >= 0 && (size_t)n < size ? n : -E2BIG;
}

/* Its place in the list, which is made if it was never run. */
static struct command *enlist(struct command **list, const char *rest)
{
	struct command *c = (struct command *)find(*list, rest);

	if (c)
		return c;
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	strcpy(c->name, rest);
	c->next = *list;
	*list = c;
	return c;
}

int live_command_write(struct command **list, const char *name, const char *value, unsigned deadline_ms,
		       struct host_stuck *stuck)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8", mark[] = "HANDOVER=1";
	static char *const environment[] = { path, locale, mark, NULL };
	struct command_words words;
	struct command *c;
	int code;

	if (!command_name_parse(name, &words) || strcmp(value, "run") != 0)
		return -EINVAL;
	c = enlist(list, name + strlen(COMMAND_PREFIX));
	if (!c)
		return -ENOMEM;
	code = child_run(&c->child, words.word, environment, deadline_ms, stuck);
	if (code == 0)
		c->count++;
	return code;
}

void live_command_close(struct command *list)
{
	while (list) {
		struct command *next = list->next;

		munmap(list, sizeof(*list));
		list = next;
	}
}
