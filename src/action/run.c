/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run: a command that the host's policy allows is run, as root and without a shell. */
#include <errno.h>
#include <string.h>

#include "core/plan.h"
#include "core/turn.h"
#include "host/command.h"

extern const struct action action_run;

#define RUN_DEFAULT_MS 10000

enum { FIELD_RUN, FIELD_FOR };

static const struct field fields[] = {
	{ .name = "run", .kind = FIELD_COMMAND, .required = true,
	  .help = "the full path of a command that the host's policy lists, or a list of that and its arguments" },
	{ .name = "for", .kind = FIELD_TIME,
	  .help = "how long it may run, such as 10s, which is what it has if nothing is said; then it is killed" },
	{ 0 },
};

/* Only the path counts: the policy's owner knows what the command does with any arguments. */
static bool is_allowed(const struct planner *p, const struct word *path)
{
	if (names_have(&p->policy->run, path->s))
		return true;
	finding_add(p->findings, SEVERITY_ERROR, "run-not-allowed", path->place,
		    policy_line_remedy("run", &p->policy->run, path->s, p->arena),
		    "the policy of this host does not allow to run %s", path->s);
	return false;
}

/* "/usr/sbin/nvidia-smi -pm 0": for people; what could be taken for several words, or none, is in quotes. */
static const char *command_shown(const struct words *words, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < words->n; i++) {
		const char *s = words->list[i].s, *quote = *s && !strchr(s, ' ') ? "" : "\"";

		text = arena_fmt(a, "%s%s%s%s%s", text, i ? " " : "", quote, s, quote);
	}
	return text;
}

/* NULL: told. */
static const char *command_name(struct planner *p, const struct words *words)
{
	char name[HOST_NAME_BYTES] = "";

	for (size_t i = 0; i < words->n; i++) {
		if (command_name_add(name, words->list[i].s))
			continue;
		finding_add(p->findings, SEVERITY_ERROR, "run-too-long", words->place, "put them into a script, and run that",
			    "the command and its arguments do not fit in %d bytes", HOST_NAME_BYTES - 1);
		return NULL;
	}
	return arena_dup(p->arena, name);
}

static bool is_there(struct planner *p, const struct word *path, const char *name)
{
	char count[32];
	ssize_t n = host_read(p->host, name, count, sizeof(count));

	if (n >= 0)
		return true;
	finding_add(p->findings, SEVERITY_ERROR, "run-missing", path->place,
		    arena_fmt(p->arena, "compare with `namei -l %s`", path->s), "%s %s", path->s,
		    n == -ENOENT ? "is no executable file, or others than root could have put it there: it, and all folders on the "
				   "way, must belong to root and be writable by nobody else" :
				   arena_fmt(p->arena, "cannot be looked at: %s", strerrordesc_np((int)-n)));
	return false;
}

static void plan(struct planner *p, const struct wish *w)
{
	const struct words *command = &w->fields[FIELD_RUN];
	const char *name;
	struct step *s;

	if (!is_allowed(p, &command->list[0]))
		return;
	name = command_name(p, command);
	if (!name || !is_there(p, &command->list[0], name))
		return;
	s = planner_add_named(p, w, command_shown(command, p->arena));
	if (!s)
		return;
	s->patience_ms = RUN_DEFAULT_MS;
	if (w->fields[FIELD_FOR].n)
		str_duration(w->fields[FIELD_FOR].list[0].s, PHASE_MS, &s->patience_ms);
	step_look(s, name, value_any(), value_new(p->arena), value_any());
}

const struct action action_run = {
	.name = "run",
	.help = "run a command that the host's policy allows",
	.phases = PHASE_BIT(PHASE_PRE_START) | PHASE_BIT(PHASE_POST_START) | PHASE_BIT(PHASE_PRE_STOP) |
		  PHASE_BIT(PHASE_POST_STOP) | PHASE_BIT(AFTER_NETWORK),
	.phases_why = "at boot a unit of systemd does it, with an order of its own",
	.fields = fields,
	.plan = plan,
	.next = turn_next,
};
