/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/trust.h"
#include "core/prepare.h"
#include "core/yaml_text.h"
#include "host/hostfile.h"
#include "host/live.h"
#include "verb/verb.h"

#define READER_MS 1000	/* how long whoever reads our stderr may take */
#define LINE_BYTES 3600	/* with its newline; poll() says a pipe can take PIPE_BUF bytes */

/* As text that shows, with a newline behind it: a part may be of a VM's configuration, of a profile or of a device. */
static void show_line(const char *text, char line[LINE_BYTES])
{
	text_show(text, line, LINE_BYTES - 1);
	strcat(line, "\n");
}

/*
 * A line on stderr, in one write. Whoever reads it may have stopped reading: then, after a moment, nothing more is
 * said, because a hook that waits for a reader holds the VM's lock.
 */
static void put_line(const char *text)
{
	static bool mute;
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[LINE_BYTES];

	show_line(text, line);
	/* Where both are one log, in the order in which it was said; the hook says nothing on stdout. */
	fflush(stdout);
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
	snprintf(line, sizeof(line), "handover: %s", text);
	put_line(line);
}

/* "/dev/stdin": whoever calls us has chosen what is behind it, and waits. What another FIFO has to say is not waited for. */
static bool is_stdin(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstat(STDIN_FILENO, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* At most max bytes, and one more, which tells that there are too many. */
static char *read_named_file(const char *path, size_t max, struct arena *a, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = arena_alloc(a, max + 1);
	if (is_stdin(fd))
		fcntl(fd, F_SETFL, 0);
	got = read_whole(fd, text, max + 1);
	close(fd);
	*n = got < 0 ? 0 : (size_t)got;
	errno = got < 0 ? (int)-got : 0;
	return got < 0 ? NULL : text;
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
	text = read_named_file(r->host_file, HOSTFILE_BYTES_MAX, r->arena, &n);
	if (!text)
		complain("%s: cannot read this host file: %s", r->host_file, strerror(errno));
	else if (hostfile_parse(text, n, r->host_file, h, &err) < 0)
		complain("%s", err.text);
	else
		return OUTCOME_DONE;
	return OUTCOME_REFUSED;
}

static const struct policy *policy_of_file(const char *path, struct findings *f)
{
	size_t n;
	char *text = read_named_file(path, POLICY_BYTES_MAX, f->arena, &n);

	if (text)
		return policy_parse(text, n, path, f);
	finding_add(f, SEVERITY_ERROR, "policy-unreadable", (struct place){ .file = path }, "give the path of a policy", "%s",
		    strerrordesc_np(errno));
	return NULL;
}

/* Its owner's, where it was captured. */
static const struct policy *policy_of_host(struct host *h, struct findings *f)
{
	char *text = arena_alloc(f->arena, POLICY_BYTES_MAX + 1);
	ssize_t n = host_read_bytes(h, &POLICY_PATH[1], text, POLICY_BYTES_MAX + 1);

	return policy_parse(text, n > 0 ? (size_t)n : 0, n < 0 ? NULL : POLICY_PATH, f);
}

const struct policy *open_policy(const struct run *r, struct host *h, struct findings *f)
{
	if (r->policy_file)
		return policy_of_file(r->policy_file, f);
	return r->host_file ? policy_of_host(h, f) : policy_load(POLICY_PATH, f);
}

enum outcome outcome_worse(enum outcome a, enum outcome b)
{
	static const int rank[] = { [OUTCOME_DONE] = 0, [OUTCOME_WARNINGS] = 1, [OUTCOME_WILL_FAIL] = 2, [OUTCOME_BUSY] = 3,
				    [OUTCOME_REFUSED] = 4, [OUTCOME_FAILED] = 5, [OUTCOME_CHANGED] = 6 };

	return rank[b] > rank[a] ? b : a;
}

static sigset_t ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return set;
}

void block_signals(void)
{
	sigset_t set = ending_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
}

int wait_for_signal(unsigned ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	sigset_t set = ending_signals();
	int signal = sigtimedwait(&set, NULL, &time);

	return signal > 0 ? signal : 0;
}

void print_findings(const struct findings *f, FILE *out)
{
	const char *dropped;

	for (size_t i = 0; i < f->n; i++) {
		const char *text;
		char line[LINE_BYTES];

		/* Notes are for those who ask; a task log has no room for them. */
		if (f->list[i].severity == SEVERITY_NOTE && out == stderr)
			continue;
		text = finding_line(&f->list[i], f->arena);
		show_line(text, line);
		if (f->list[i].severity == SEVERITY_ERROR || out == stderr)
			put_line(text);
		else
			fputs(line, out);
	}
	dropped = findings_dropped(f, f->arena);
	if (dropped)
		complain("%s", dropped);
}

/* Beside its driver, which its first look tells. */
static bool is_renewed(const struct step *s, const struct looks *goal)
{
	for (size_t i = 1; i < s->n_looks; i++)
		if (str_starts(s->look[i], "life/") && goal->v[i].kind == VALUE_NEW)
			return goal->v[0].kind == VALUE_TEXT;
	return false;
}

static const char *unit_state(const struct value *v)
{
	if (v->kind == VALUE_NEW)
		return "restarted";
	return v->kind == VALUE_TEXT && v->text && !*v->text ? "stopped" : value_shown(v);
}

/* The look that tells a step best: the first, but that a function is found anew says less than where it then is. */
void step_state(const struct step *s, const struct looks *goal, char *buf, size_t size)
{
	const struct value *v = &goal->v[0];
	char address[BDF_TEXT_MAX];

	for (size_t i = 0; i < s->n_looks; i++) {
		const struct value *group = &goal->v[i];

		if (!str_starts(s->look[i], "group/") || group->kind != VALUE_TEXT || !look_function(s->look[i], address))
			continue;
		if (strcmp(address, s->device) != 0 || v->kind == VALUE_PRESENT)
			continue;
		snprintf(buf, size, "%s%s", i && v->kind == VALUE_NEW ? "found anew, " : "",
			 strcmp(group->text, address) == 0 ? "alone in its IOMMU group" : "in its IOMMU group");
		if (i == 0 || v->kind == VALUE_NEW)
			return;
	}
	if (str_starts(s->look[0], "command/"))
		snprintf(buf, size, "%s", v->kind == VALUE_NEW ? "has run" : value_shown(v));
	else if (str_starts(s->look[0], "unit/"))
		snprintf(buf, size, "%s", unit_state(v));
	else if (str_starts(s->look[0], "id/") && v->kind == VALUE_TEXT && v->text)
		snprintf(buf, size, "there");
	else
		snprintf(buf, size, "%.200s%s", value_shown(v), is_renewed(s, goal) ? ", found anew" : "");
}

/* Which functions leave with it, if there are several. */
static const char *step_device(const struct step *s, struct arena *a)
{
	const char *text = "";
	char address[BDF_TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->n_looks; i++)
		if (str_starts(s->look[i], "life/") && look_function(s->look[i], address)) {
			text = arena_fmt(a, "%s%s%s", text, n ? " " : "", address);
			n++;
		}
	return n > 1 ? text : s->device;
}

const char *step_line(const struct step *s, const struct looks *from, const struct looks *to, struct arena *a)
{
	const char *device = step_device(s, a);
	char x[256], y[256];

	step_state(s, from, x, sizeof(x));
	step_state(s, to, y, sizeof(y));
	if (strcmp(x, y) == 0)
		return arena_fmt(a, "%s %s  %s, stays", s->action->name, device, x);
	if (strcmp(x, "any") == 0)
		return arena_fmt(a, "%s %s  %s", s->action->name, device, y);
	return arena_fmt(a, "%s %s  %s -> %s", s->action->name, device, x, y);
}

void tell_event(void *arg, const struct event *e)
{
	const struct teller *t = arg;
	const struct step *s = e->step;
	const char *back = e->goal == GOAL_TO ? "" : " back";
	char what[ERROR_MAX + 16] = "", state[256];

	if (e->kind != EVENT_FAILED && !e->text && (t->quiet || looks_are_any(s, step_goal(s, e->goal))))
		return;
	switch (e->kind) {
	case EVENT_REACHED:
		step_state(s, step_goal(s, e->goal), state, sizeof(state));
		snprintf(what, sizeof(what), "%s (%lld ms)%s%s", state, (long long)e->ms, e->text ? "; but " : "",
			 e->text ? e->text : "");
		break;
	case EVENT_GONE:
		snprintf(what, sizeof(what), "no longer there, nothing to give back");
		break;
	case EVENT_FAILED:
		snprintf(what, sizeof(what), "failed: %s", e->text);
		break;
	case EVENT_SAID:
		if (!t->quiet)
			complain("%s | %s", t->who, e->text);
		return;
	}
	complain("%s %zu/%zu %s%s %s ... %s", t->who, e->index + 1, e->total, s->action->name, back, s->device, what);
}
