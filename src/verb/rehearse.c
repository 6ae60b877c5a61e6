/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover rehearse VMID|PROFILE: a boot and three lives of the VM, done by the same code on a copy of the host. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/action.h"
#include "core/same.h"
#include "host/command.h"
#include "host/hostfile.h"
#include "verb/rehearse.h"

/* How steps are shown while they are done: the first life is told, the others are not. */
struct listener {
	bool loud;
	size_t writes;		/* so far */
};

static void put_unit(struct host *h, const char *unit, FILE *out)
{
	static const char *const whats[] = { "state", "run" };
	char name[HOST_NAME_BYTES], text[64];

	for (size_t i = 0; i < sizeof(whats) / sizeof(*whats); i++) {
		snprintf(name, sizeof(name), "unit/%.200s/%s", unit, whats[i]);
		if (host_read(h, name, text, sizeof(text)) >= 0)
			fprintf(out, "V: %s=%s\n", name, text);
	}
}

static void put_command(struct host *h, const struct words *words, FILE *out)
{
	char name[HOST_NAME_BYTES] = "", count[32];
	bool fits = true;

	for (size_t i = 0; i < words->n && fits; i++)
		fits = command_name_add(name, words->list[i].s);
	if (fits && host_read(h, name, count, sizeof(count)) >= 0)
		fprintf(out, "V: %s=%s\n", name, count);
}

/* Units and commands are in no capture of a running host: only the profile says which matter. */
static void put_named(struct run *r, struct host *h, FILE *out)
{
	struct subject s;

	if (r->host_file || !subject_prepare(r, r->args[0], h, &s) || !s.profile)
		return;
	for (int section = 0; section < PROFILE_SECTIONS; section++)
		for (size_t i = 0; i < s.profile->n_steps[section]; i++) {
			const struct wish *w = &s.profile->steps[section][i];

			for (size_t k = 0; w->action->fields[0].kind == FIELD_UNITS && k < w->fields[0].n; k++)
				put_unit(h, w->fields[0].list[k].s, out);
			if (w->action->fields[0].kind == FIELD_COMMAND)
				put_command(h, &w->fields[0], out);
		}
}

static struct host *copy_host(struct run *r, struct host *h)
{
	struct host *copy = NULL;
	struct error err;
	char *text = NULL, source[HOST_VALUE_BYTES];
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (host_read(h, "source", source, sizeof(source)) < 0)
		strcpy(source, "captured for a rehearsal");
	if (!out || hostfile_write(h, source, out, &err) < 0 || (put_named(r, h, out), fclose(out)) != 0 ||
	    hostfile_parse(text, n, r->host_file ? r->host_file : "this host", &copy, &err) < 0)
		complain("cannot copy the host: %s", err.text);
	free(text);
	return copy;
}

static void show(void *arg, const struct event *e)
{
	struct listener *l = arg;
	/* The run's own arena is sealed while the engine works. */
	_cleanup_arena_ struct arena *a = arena_new();
	const struct step *s = e->step;
	bool back = e->goal != GOAL_TO;

	l->writes += e->writes;
	if (!l->loud || e->kind == EVENT_SAID || (e->kind != EVENT_FAILED && looks_are_any(s, step_goal(s, e->goal))))
		return;
	printf("  %zu/%zu  %s", e->index + 1, e->total,
	       step_line(s, back ? &s->to : &s->from, step_goal(s, e->goal), a));
	if (e->kind == EVENT_FAILED)
		printf("  FAILED: %s\n", e->text);
	else if (e->writes == 0)
		printf("  (nothing to write)%s%s\n", e->text ? "  but " : "", e->text ? e->text : "");
	else
		printf("  (%u write%s)%s%s\n", e->writes, e->writes == 1 ? "" : "s", !back && s->why ? "  " : "",
		       !back && s->why ? s->why : "");
}

static size_t count(const struct life *l, enum phase phase)
{
	size_t n = 0;

	for (size_t i = 0; i < l->subject.planner.plan.n; i++)
		n += l->subject.planner.plan.steps[i].phase == phase;
	return n;
}

static void head(const struct listener *ear, const char *phase, size_t steps)
{
	if (ear->loud)
		printf("\n%s\n%s", phase, steps ? "" : "  nothing\n");
}

static enum outcome lend(struct run *r, struct life *l, struct host *h, struct store *store, struct listener *ear)
{
	unsigned vmid = l->subject.vmid ? l->subject.vmid : VMID_MIN;
	struct lender lender;
	struct error ignored;
	bool ended;

	lender_init(&lender, h, store, r->arena, "rehearsal");
	lender.engine.tell = show;
	lender.engine.arg = ear;
	head(ear, "pre-start", count(l, PHASE_PRE_START));
	l->out = lend_out(&lender, vmid, l->subject.profile, l->subject.hash, &l->subject.planner.plan, &l->error);
	for (enum phase p = PHASE_POST_START; l->out == OUTCOME_DONE && p <= PHASE_PRE_STOP; p++) {
		head(ear, phase_name(p), count(l, p));
		l->out = lend_phase(&lender, vmid, p, &l->error);
	}
	if (l->out == OUTCOME_CHANGED || l->out == OUTCOME_REFUSED)
		return l->out;
	if (inventory_read(h, r->arena, &l->during, &l->error) < 0)
		return OUTCOME_FAILED;
	head(ear, "post-stop", l->subject.planner.plan.n);
	l->back = lend_back(&lender, vmid, &ended, l->out == OUTCOME_DONE ? &l->error : &ignored);
	return l->back;
}

/* What the guard rails refuse comes first; what would be done is shown all the same. */
static void print_refusal(const struct subject *s, const struct listener *ear)
{
	const struct findings *f = &s->findings;

	if (!ear->loud || f->errors == 0)
		return;
	puts("\nREFUSED on this host, and shown as it would be:");
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].severity == SEVERITY_ERROR)
			printf("  %s\n", finding_line(&f->list[i], f->arena));
}

/* False: the profile cannot be planned; that has been told. */
static bool live(struct run *r, struct life *l, struct host *h, struct store *store, struct listener *ear)
{
	if (!subject_prepare(r, r->args[0], h, &l->subject) || !subject_is_whole(&l->subject))
		return false;
	print_refusal(&l->subject, ear);
	l->before = *l->subject.planner.found;
	lend(r, l, h, store, ear);
	if (inventory_read(h, r->arena, &l->after, &l->error) < 0)
		return false;
	l->n_differences = same_differences(&l->before, &l->after, r->arena, l->differences, DIFFERENCES_MAX);
	return true;
}

/* What a second run at boot would write: nothing, if the first has reached what was asked for. */
static size_t writes_again(struct rehearsal *x, const char *path, struct host *h)
{
	struct listener ear = { 0 };
	struct subject s;
	struct lender lender;
	struct store store;
	struct error err;

	if (!subject_prepare(x->run, path, h, &s) || !subject_is_whole(&s))
		return 1;
	store_open_memory(&store);
	lender_init(&lender, h, &store, x->run->arena, "rehearsal");
	lender.engine.tell = show;
	lender.engine.arg = &ear;
	if (lend_out(&lender, HOST_VMID, s.profile, s.hash, &s.planner.plan, &err) != OUTCOME_DONE)
		ear.writes++;
	store_close(&store);
	return ear.writes;
}

/* What boot makes of the host is what all lives begin with. False: told. */
static bool boot(struct rehearsal *x, const char *path, struct host *h, struct store *store, struct listener *ear)
{
	struct life *l = &x->boot;
	struct lender lender;

	if (!subject_prepare(x->run, path, h, &l->subject) || !subject_is_whole(&l->subject))
		return false;
	print_refusal(&l->subject, ear);
	l->before = *l->subject.planner.found;
	lender_init(&lender, h, store, x->run->arena, "rehearsal");
	lender.engine.tell = show;
	lender.engine.arg = ear;
	head(ear, "boot", l->subject.planner.plan.n);
	l->out = lend_out(&lender, HOST_VMID, l->subject.profile, l->subject.hash, &l->subject.planner.plan, &l->error);
	if (inventory_read(h, x->run->arena, &l->after, &l->error) < 0)
		return false;
	x->boots = true;
	x->writes_again = l->out == OUTCOME_DONE ? writes_again(x, path, h) : 0;
	return true;
}

static void print_title(const struct run *r, const struct subject *s, const char *boot_path)
{
	printf("%s\n  profile %s\n", s->profile->name ? s->profile->name : "(no name)", subject_files(s));
	if (boot_path && strcmp(boot_path, s->path) != 0)
		printf("  boot    %s\n", boot_path);
	printf("  host    %s\n", r->host_file ? r->host_file : "a copy of this host");
}

/* The host.yaml to begin with: the one that was given; on this host, its own. NULL: none. */
static const char *find_boot(const struct run *r)
{
	if (r->boot_file || r->host_file)
		return r->boot_file;
	return access(PROFILE_HOST, F_OK) == 0 ? PROFILE_HOST : NULL;
}

/* False: something could not be planned, and it is told what. */
static bool rehearse(struct rehearsal *x, struct host *h, struct store *boot_store, struct store *store)
{
	struct run *r = x->run;
	const char *boot_path = find_boot(r);
	struct subject s;

	if (!subject_prepare(r, r->args[0], h, &s) || (!s.profile && !s.idle))
		return print_findings(&s.findings, stdout), false;
	x->idle = s.idle;
	if (s.idle && !r->json)
		subject_print_idle(r, &s);
	if (s.idle)
		return true;
	if (profile_is_host(s.profile))
		boot_path = s.path;
	if (!r->json)
		print_title(r, &s, boot_path);
	if (boot_path && !boot(x, boot_path, h, boot_store, &(struct listener){ .loud = !r->json }))
		return print_findings(&x->boot.subject.findings, stdout), false;
	if (x->boot.out != OUTCOME_DONE)
		return true;
	for (; x->n < LIVES && !profile_is_host(s.profile); x->n++)
		if (!live(r, &x->lives[x->n], h, store, &(struct listener){ .loud = x->n == 0 && !r->json }))
			return print_findings(&x->lives[x->n].subject.findings, stdout), false;
	return true;
}

/* But for the errors, which head the rehearsal. */
static void print_rest(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].severity != SEVERITY_ERROR)
			puts(finding_line(&f->list[i], f->arena));
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL, *copy = NULL;
	struct rehearsal *x = arena_alloc(r->arena, sizeof(*x));
	struct store boot_store, store;
	enum outcome o = open_host(r, &h);
	bool done;

	if (o != OUTCOME_DONE)
		return o;
	copy = copy_host(r, h);
	if (!copy)
		return OUTCOME_FAILED;
	x->run = r;
	store_open_memory(&boot_store);
	store_open_memory(&store);
	done = rehearse(x, copy, &boot_store, &store);
	store_close(&boot_store);
	store_close(&store);
	if (!done)
		return OUTCOME_REFUSED;
	if (r->json) {
		rehearsal_print_json(x);
		return rehearsal_outcome(x);
	}
	if (x->idle)
		return OUTCOME_DONE;
	if ((x->boots && x->boot.subject.findings.n) || (x->n && x->lives[0].subject.findings.n))
		putchar('\n');
	if (x->boots)
		print_rest(&x->boot.subject.findings);
	if (x->n)
		print_rest(&x->lives[0].subject.findings);
	rehearsal_print(x);
	return rehearsal_outcome(x);
}

const struct verb verb_rehearse = {
	.name = "rehearse",
	.args = "VMID|PROFILE",
	.help = "goes through a boot and three lives of the VM on a copy of this host",
	.min_args = 1,
	.max_args = 1,
	.takes = TAKES_HOST | TAKES_BOOT | TAKES_POLICY,
	.run = run,
};
