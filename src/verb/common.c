/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "host/hostfile.h"
#include "host/live.h"
#include "verb/verb.h"

void complain(const char *fmt, ...)
{
	char line[2 * ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "handover: %s\n", line);
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
	for (size_t i = 0; i < f->n; i++)
		fprintf(f->list[i].severity == SEVERITY_ERROR ? stderr : out, "%s\n",
			finding_line(&f->list[i], f->arena));
	if (f->dropped)
		fprintf(stderr, "handover: %zu more findings are not shown\n", f->dropped);
}

const char *value_shown(const struct value *v)
{
	return v->any ? "any" : v->text ? v->text : "none";
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

	if (t->quiet && e->kind != EVENT_FAILED)
		return;
	fprintf(stderr, "handover: %u %s %zu/%zu %s%s %s ... ", t->vmid, t->phase, e->index + 1, e->total,
		s->action->name, back, s->device);
	switch (e->kind) {
	case EVENT_REACHED:
		fprintf(stderr, "%s (%lld ms)\n", value_shown(&step_goal(s, e->goal)->v[0]), (long long)e->ms);
		break;
	case EVENT_GONE:
		fputs("no longer there, nothing to give back\n", stderr);
		break;
	case EVENT_FAILED:
		fprintf(stderr, "failed: %s\n", e->text);
		break;
	}
}
