/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "pve.h"

#define FILE_BYTES 65536

bool is_old(void)
{
	const char *generation = getenv("PVE_GENERATION");

	return generation && strcmp(generation, "old") == 0;
}

unsigned setting(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value && *value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

void trace(const char *format, ...)
{
	char line[TEXT_BYTES];
	va_list args;
	int n, fd;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[n++] = '\n';
	fd = open(STATE "/trace", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		quit("cannot write " STATE "/trace");
	close(fd);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void quit(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("pve: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void sleep_ms(unsigned ms)
{
	struct timespec t = { ms / MS_PER_S, ms % MS_PER_S * 1000000L };

	nanosleep(&t, NULL);
}

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

char *text_of(char buf[TEXT_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(buf, TEXT_BYTES, format, args);
	va_end(args);
	return buf;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n = (ssize_t)strlen(text);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, (size_t)n) == n;
	return close(fd) == 0 && written;
}

bool first_line(const char *path, char line[TEXT_BYTES])
{
	FILE *f = fopen(path, "re");
	bool read = f && fgets(line, TEXT_BYTES, f);

	if (f)
		fclose(f);
	if (read)
		line[strcspn(line, "\n")] = '\0';
	return read;
}

/* --- configurations ----------------------------------------------------------------------------------------------- */

void conf_path(const struct guest *g, char path[TEXT_BYTES])
{
	if (g->source)
		text_of(path, "/etc/pve/nodes/%s/qemu-server/%s.conf", g->source, g->id);
	else
		text_of(path, "/etc/pve/%s/%s.conf", g->is_ct ? "lxc" : "qemu-server", g->id);
}

bool conf_exists(const struct guest *g)
{
	char path[TEXT_BYTES];

	conf_path(g, path);
	return access(path, F_OK) == 0;
}

static bool is_key(const char *line, const char *key)
{
	size_t n = strlen(key);

	return strncmp(line, key, n) == 0 && strncmp(line + n, ": ", 2) == 0;
}

bool conf_get(const struct guest *g, const char *key, char value[TEXT_BYTES])
{
	char path[TEXT_BYTES], line[TEXT_BYTES];
	bool found = false;
	FILE *f;

	conf_path(g, path);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && *line != '[')
		if (is_key(line, key)) {
			line[strcspn(line, "\n")] = '\0';
			strcpy(value, line + strlen(key) + 2);
			found = true;
		}
	if (f)
		fclose(f);
	return found;
}

void conf_set(const struct guest *g, const char *key, const char *value)
{
	char path[TEXT_BYTES], line[TEXT_BYTES], text[FILE_BYTES] = "";
	FILE *f;

	conf_path(g, path);
	if (value)
		snprintf(text, sizeof(text), "%s: %s\n", key, value);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!is_key(line, key) && strlen(text) + strlen(line) < sizeof(text))
			strcat(text, line);
	if (f)
		fclose(f);
	if (!write_file(path, text))
		quit("cannot write %s", path);
}

/* --- the lock ----------------------------------------------------------------------------------------------------- */

static void wake(int signal)
{
	(void)signal;
}

int lock_conf(const struct guest *g, unsigned seconds)
{
	/* Not restarted: the alarm ends the wait. */
	struct sigaction alarmed = { .sa_handler = wake }, before;
	char path[TEXT_BYTES];
	int fd, code;

	text_of(path, g->is_ct ? "/run/lock/lxc/pve-config-%s.lock" : "/var/lock/qemu-server/lock-%s.conf", g->id);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		quit("cannot open %s: %s", path, strerror(errno));
	sigaction(SIGALRM, &alarmed, &before);
	alarm(seconds);
	code = flock(fd, LOCK_EX);
	alarm(0);
	sigaction(SIGALRM, &before, NULL);
	if (code == 0)
		return fd;
	close(fd);
	say("can't lock file '%s' - got timeout", path);
	return -1;
}
