/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/str.h"
#include "base/trust.h"
#include "core/guard.h"
#include "core/store.h"

#define STAT_BYTES 1024
#define START_FIELD 22

void guard_lock_path(const char *generation, char path[GUARD_LOCK_BYTES])
{
	snprintf(path, GUARD_LOCK_BYTES, STORE_PATH "/lock/guard-%.16s", generation);
}

static ssize_t read_text(int fd, char *buf, size_t size)
{
	ssize_t n = read_whole(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n;
}

pid_t guard_find(const char *generation)
{
	char path[GUARD_LOCK_BYTES], text[16];
	uint64_t pid = 0;
	int fd;

	guard_lock_path(generation, path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && read_text(fd, text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		str_decimal(text, INT32_MAX, &pid);
	}
	close(fd);
	return (pid_t)pid;
}

bool guard_process_start(pid_t pid, char start[GUARD_START_BYTES])
{
	char path[64], text[STAT_BYTES], *at, *word = NULL;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	read_text(fd, text, sizeof(text));
	close(fd);
	/* A command may have spaces and brackets in it: field 3 stands behind the last ")". */
	at = strrchr(text, ')');
	for (int field = 2; at && field < START_FIELD; field++)
		word = strsep(&at, " ");
	word = at ? strsep(&at, " ") : word;
	if (!word || strlen(word) >= GUARD_START_BYTES)
		return false;
	strcpy(start, word);
	return true;
}
