/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "host/hostfile.h"
#include "host/live.h"
#include "verb/verb.h"

#define READER_MS 1000	/* how long whoever reads our stderr may take */

/*
 * A line on stderr, in one write. Whoever reads it may have stopped reading: then, after a moment, nothing more is
 * said, because a hook that waits for a reader holds the VM's lock. poll() says a pipe can take PIPE_BUF bytes.
 */
static void put_line(const char *line)
{
	static bool mute;
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (!mute && poll(&p, 1, READER_MS) > 0)
		(void)!write(STDERR_FILENO, line, strlen(line));
	else
		mute = true;
}

void complain(const char *fmt, ...)
{
	char text[2 * ERROR_MAX], line[2 * ERROR_MAX + 16];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "handover: %s\n", text);
	put_line(line);
}

static char *read_host_file(const char *path, struct arena *a, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = arena_alloc(a, HOSTFILE_BYTES_MAX + 1);
	for (*n = 0; *n <= HOSTFILE_BYTES_MAX; *n += (size_t)got) {
		got = read(fd, text + *n, HOSTFILE_BYTES_MAX + 1 - *n);
		if (got <= 0)
			break;
	}
	if (got < 0)
		text = NULL;
	close(fd);
	return text;
}

enum outcome open_host(struct run *r, struct host **h)
{
	struct error err;
	char *text;
	size_t n;

	if (!r->host_file) {
		if (live_open(h, &err) == 0)
			return OUTCOME_DONE;
		complain("%s", err.text);
		return OUTCOME_FAILED;
	}
	text = read_host_file(r->host_file, r->arena, &n);
	if (!text)
		complain("%s: cannot read this host file: %s", r->host_file, strerror(errno));
	else if (hostfile_parse(text, n, r->host_file, h, &err) < 0)
		complain("%s", err.text);
	else
		return OUTCOME_DONE;
	return OUTCOME_REFUSED;
}

void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void print_findings(const struct findings *f, FILE *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *line = arena_fmt(f->arena, "%.3500s\n", finding_line(&f->list[i], f->arena));

		if (f->list[i].severity == SEVERITY_ERROR || out == stderr)
			put_line(line);
		else
			fputs(line, out);
	}
	if (f->dropped)
		complain("%zu more findings are not shown", f->dropped);
}

const char *step_line(const struct step *s, const struct looks *from, const struct looks *to, struct arena *a)
{
	const char *x = value_shown(&from->v[0]), *y = value_shown(&to->v[0]);

	if (strcmp(x, y) == 0)
		return arena_fmt(a, "%s %s  %s, stays", s->action->name, s->device, x);
	return arena_fmt(a, "%s %s  %s -> %s", s->action->name, s->device, x, y);
}

void tell_event(void *arg, const struct event *e)
{
	const struct teller *t = arg;
	const struct step *s = e->step;
	const char *back = e->goal == GOAL_TO ? "" : " back";
	char what[ERROR_MAX + 16] = "";

	if (t->quiet && e->kind != EVENT_FAILED)
		return;
	switch (e->kind) {
	case EVENT_REACHED:
		snprintf(what, sizeof(what), "%.100s (%lld ms)", value_shown(&step_goal(s, e->goal)->v[0]),
			 (long long)e->ms);
		break;
	case EVENT_GONE:
		snprintf(what, sizeof(what), "no longer there, nothing to give back");
		break;
	case EVENT_FAILED:
		snprintf(what, sizeof(what), "failed: %s", e->text);
		break;
	}
	complain("%u %s %zu/%zu %s%s %s ... %s", t->vmid, t->phase, e->index + 1, e->total, s->action->name, back, s->device,
		 what);
}
