/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal as text: lines of fields between tabs. Values are "-" (absent), "=" and the text, "*" (any), "+" (there),
 * "!" (new), or "?" and one of the first two (hoped for).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/journal.h"
#include "core/journal_text.h"

#define FIELDS_MAX 8

/* --- writing ---------------------------------------------------------------------------------------------------- */

static void put_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\t')
			fputs("\\t", out);
		else if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\\')
			fputs("\\\\", out);
		else
			fputc(*s, out);
	}
}

static void put_optional(FILE *out, const char *s)
{
	fputs(s ? "=" : "-", out);
	if (s)
		put_text(out, s);
}

static const char value_letters[] = {
	[VALUE_TEXT] = '=', [VALUE_ANY] = '*', [VALUE_PRESENT] = '+', [VALUE_NEW] = '!', [VALUE_HOPED] = '?',
};

static void put_value(FILE *out, const struct value *v)
{
	fputc('\t', out);
	if (v->kind != VALUE_TEXT)
		fputc(value_letters[v->kind], out);
	if (v->kind == VALUE_TEXT || v->kind == VALUE_HOPED)
		put_optional(out, v->text);
}

static void put_step(FILE *out, const struct step *s)
{
	fprintf(out, "step\t%s\t", s->action->name);
	put_text(out, s->device);
	fprintf(out, "\t%s\t", phase_name(s->phase));
	put_optional(out, s->id);
	fputc('\t', out);
	put_optional(out, s->why);
	fprintf(out, "\t%u\n", s->patience_ms);
	for (size_t i = 0; i < s->n_looks; i++) {
		fputs("look\t", out);
		put_text(out, s->look[i]);
		put_value(out, &s->from.v[i]);
		put_value(out, &s->to.v[i]);
		put_value(out, &s->home.v[i]);
		fputc('\n', out);
	}
}

char *journal_write_text(const struct lease *lease, struct arena *a)
{
	char *text = NULL, *copy;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return NULL;
	fprintf(out, "handover-journal\t%d\nvmid\t%u\nboot\t", JOURNAL_VERSION, lease->vmid);
	put_text(out, lease->boot_id);
	fprintf(out, "\ngeneration\t%s\nprofile\t", lease->generation);
	put_text(out, lease->profile);
	fprintf(out, "\t%016llx\n", (unsigned long long)lease->profile_hash);
	for (size_t i = 0; i < lease->n; i++)
		put_step(out, &lease->steps[i]);
	if (fflush(out) == 0)
		fprintf(out, "ready\t%zu\t%016llx\n", lease->n, (unsigned long long)str_hash(STR_HASH_START, text, n));
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	copy = arena_dupn(a, text, n);
	free(text);
	return copy;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

struct reader {
	const char *text, *at, *end;	/* whole lines only */
	const char *file;
	unsigned line;
	struct arena *a;
	struct error *err;
	uint64_t version;
	char *field[FIELDS_MAX];
	size_t n;
};

static int damaged(struct reader *r, const char *what)
{
	error_set(r->err, -EBADMSG, "%s:%u: damaged: %s; nothing was touched", r->file, r->line, what);
	return -EBADMSG;
}

static bool unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s != '\\')
			*to++ = *s;
		else if (s[1] == 't' || s[1] == 'n' || s[1] == '\\')
			*to++ = *++s == 't' ? '\t' : *s == 'n' ? '\n' : '\\';
		else
			return false;
	}
	*to = '\0';
	return true;
}

/* The next line, in fields. False at the end; a line that is no line of a journal has n = 0. */
static bool next_line(struct reader *r)
{
	const char *newline;
	char *line;

	if (r->at == r->end)
		return false;
	newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	r->line++;
	r->n = 0;
	line = arena_dupn(r->a, r->at, (size_t)(newline - r->at));
	if (strlen(line) == (size_t)(newline - r->at))
		while (line && r->n < FIELDS_MAX)
			r->field[r->n++] = strsep(&line, "\t");
	if (line)
		r->n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (!unescape(r->field[i]))
			r->n = 0;
	r->at = newline + 1;
	return true;
}

/* The line must be this key with this many fields in all. */
static int expect(struct reader *r, const char *key, size_t n)
{
	if (!next_line(r))
		return -ENODATA;
	if (r->n != n || strcmp(r->field[0], key) != 0)
		return damaged(r, "it is not the line that belongs here");
	return 0;
}

static bool take_optional(const char *field, const char **text)
{
	if (strcmp(field, "-") == 0)
		*text = NULL;
	else if (*field == '=')
		*text = field + 1;
	else
		return false;
	return true;
}

static bool take_value(struct arena *a, const char *field, struct value *v)
{
	*v = value_of(NULL);
	if (*field == '?') {
		v->kind = VALUE_HOPED;
		return take_optional(field + 1, &v->text);
	}
	if (take_optional(field, &v->text))
		return true;
	if (strcmp(field, "*") == 0)
		*v = value_any();
	else if (strcmp(field, "+") == 0)
		*v = value_present();
	else if (strcmp(field, "!") == 0)
		*v = value_new(a);
	else
		return false;
	return true;
}

static int take_look(struct reader *r, struct step *s)
{
	struct value from, to, home;

	if (r->n != 5 || s->n_looks == STEP_LOOKS_MAX || strlen(r->field[1]) >= HOST_NAME_BYTES ||
	    !take_value(r->a, r->field[2], &from) || !take_value(r->a, r->field[3], &to) ||
	    !take_value(r->a, r->field[4], &home))
		return damaged(r, "it is no look of a step");
	step_look(s, r->field[1], from, to, home);
	return 0;
}

static int take_step(struct reader *r, struct lease *lease)
{
	const struct action *action;
	struct step *s;
	uint64_t patience = 0;
	int phase;

	/* Before version 2 no step had patience. */
	if (r->n != (r->version < 2 ? 6 : 7) || lease->n == PLAN_STEPS_MAX)
		return damaged(r, "it is no step, or one too many");
	action = action_find(r->field[1]);
	phase = phase_find(r->field[3]);
	if (!action || phase < 0)
		return damaged(r, "it is no step of this program");
	s = &lease->steps[lease->n++];
	*s = step_new(action, r->field[2], (enum phase)phase, r->a);
	if (!take_optional(r->field[4], &s->id) || !take_optional(r->field[5], &s->why) ||
	    (r->version >= 2 && !str_decimal(r->field[6], PHASE_MS, &patience)))
		return damaged(r, "it is no step of this program");
	s->patience_ms = (unsigned)patience;
	return 0;
}

static int take_ready(struct reader *r, const struct lease *lease, size_t before)
{
	uint64_t n, hash;

	if (r->n != 3 || !str_decimal(r->field[1], PLAN_STEPS_MAX, &n) || !str_hex(r->field[2], 16, 16, &hash) ||
	    n != lease->n || hash != str_hash(STR_HASH_START, r->text, before))
		return damaged(r, "the lease is not what was written");
	return 0;
}

static int take_header(struct reader *r, struct lease *lease)
{
	uint64_t v;
	int code = expect(r, "handover-journal", 2);

	if (code == 0 && (!str_decimal(r->field[1], JOURNAL_VERSION, &r->version) || r->version < JOURNAL_VERSION - 1))
		return damaged(r, "it is of another version of handover");
	if (code == 0)
		code = expect(r, "vmid", 2);
	if (code == 0 && strcmp(r->field[1], "0") != 0 && !vmid_parse(r->field[1], &lease->vmid))
		return damaged(r, "it is no VMID");
	if (code == 0)
		code = expect(r, "boot", 2);
	if (code == 0)
		lease->boot_id = r->field[1];
	if (code == 0)
		code = expect(r, "generation", 2);
	if (code == 0 && !str_hex(r->field[1], 16, 16, &v))
		return damaged(r, "it is no generation");
	if (code == 0)
		lease->generation = r->field[1];
	if (code == 0)
		code = expect(r, "profile", 3);
	if (code == 0 && !str_hex(r->field[2], 16, 16, &lease->profile_hash))
		return damaged(r, "it is no hash");
	if (code == 0)
		lease->profile = r->field[1];
	return code;
}

static int take_steps(struct reader *r, struct lease *lease)
{
	lease->steps = arena_array(r->a, PLAN_STEPS_MAX, sizeof(*lease->steps));
	for (;;) {
		size_t before = (size_t)(r->at - r->text);
		int code = 0;

		if (!next_line(r))
			return -ENODATA;
		if (r->n == 0)
			return damaged(r, "it is no line of a journal");
		if (strcmp(r->field[0], "ready") == 0)
			return take_ready(r, lease, before);
		if (strcmp(r->field[0], "step") == 0)
			code = take_step(r, lease);
		else if (strcmp(r->field[0], "look") == 0 && lease->n)
			code = take_look(r, &lease->steps[lease->n - 1]);
		else
			return damaged(r, "it is no line of a lease");
		if (code < 0)
			return code;
	}
}

static const char *const mark_words[] = { NULL, "do", "did", "undo", "undid", "given" };

const char *journal_mark_word(enum mark m)
{
	return mark_words[m];
}

/* Which mark may follow which: a step may be begun again after a crash, but nothing is done before its "do". */
static bool follows(enum mark before, enum mark m)
{
	switch (m) {
	case MARK_NONE:
		return false;
	case MARK_DO:
		return before == MARK_NONE;
	case MARK_DID:
		return before == MARK_DO;
	case MARK_UNDO:
		return before == MARK_DO || before == MARK_DID || before == MARK_UNDO;
	case MARK_UNDID:
		return before == MARK_UNDO;
	case MARK_GIVEN:
		return before == MARK_UNDID;
	}
	return false;
}

/* The steps of a phase are begun one after the other, each when the one before it has ended. */
static bool is_next(const struct lease *lease, size_t i)
{
	for (size_t before = i; before-- > 0;)
		if (lease->steps[before].phase == lease->steps[i].phase)
			return lease->marks[before] == MARK_DID || lease->marks[before] == MARK_UNDID;
	return true;
}

static bool may_begin(const struct lease *lease, size_t i)
{
	enum phase phase = lease->steps[i].phase;

	/* One that could not be begun, or not be taken back, does not stop those behind it. */
	if (phase == PHASE_POST_STOP)
		return true;
	return is_next(lease, i) && lease->held == (phase == PHASE_POST_START || phase == PHASE_PRE_STOP);
}

static bool all_done(const struct lease *lease)
{
	for (size_t i = 0; i < lease->n; i++)
		if (step_is_lent(&lease->steps[i]) && lease->marks[i] != MARK_DID)
			return false;
	return true;
}

static bool take_word(struct reader *r, struct lease *lease)
{
	if (r->n != 1)
		return false;
	if (strcmp(r->field[0], "held") == 0 && !lease->held && all_done(lease))
		lease->held = true;
	else if (strcmp(r->field[0], "stuck") == 0)
		lease->stuck = true;
	else
		return false;
	return true;
}

static uint64_t was_hash(size_t step, size_t look, const char *text)
{
	uint64_t hash = str_hash(STR_HASH_START, &step, sizeof(step));

	return str_hash(str_hash(hash, &look, sizeof(look)), text, strlen(text));
}

void journal_was_line(char line[WAS_LINE_BYTES], size_t step, size_t look, const char *text)
{
	snprintf(line, WAS_LINE_BYTES, "was\t%zu\t%zu\t=%s\t%016llx\n", step, look, text,
		 (unsigned long long)was_hash(step, look, text));
}

/* What look k of step i read when it, or its way back, was begun. */
static bool take_was(struct reader *r, struct lease *lease)
{
	const char *text;
	struct step *s;
	uint64_t i, k, hash;

	if (r->n != 5 || strcmp(r->field[0], "was") != 0 || !str_decimal(r->field[1], PLAN_STEPS_MAX, &i) ||
	    i >= lease->n || !str_decimal(r->field[2], STEP_LOOKS_MAX, &k) || k >= lease->steps[i].n_looks ||
	    !take_optional(r->field[3], &text) || !text || strlen(text) >= STEP_LIFE_BYTES ||
	    !str_hex(r->field[4], 16, 16, &hash) || hash != was_hash(i, k, text))
		return false;
	s = &lease->steps[i];
	if (s->to.v[k].kind != VALUE_NEW && s->home.v[k].kind != VALUE_NEW)
		return false;
	step_was(s, k, text);
	return true;
}

/* What would end a field or a line, or begin an escape, is replaced: it is for people. */
void journal_doubt_line(char line[DOUBT_LINE_BYTES], size_t step, const struct doubt *doubt)
{
	char what[POKE_WHAT_BYTES], at[HOST_NAME_BYTES], *const texts[] = { what, at };

	snprintf(what, sizeof(what), "%s", doubt->what);
	snprintf(at, sizeof(at), "%s", doubt->at);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (char *s = texts[i]; (s = strpbrk(s, "\t\n\\")) != NULL;)
			*s = '?';
	snprintf(line, DOUBT_LINE_BYTES, "doubt\t%zu\t%d\t%s\t%s\n", step, doubt->pid, what, at);
}

/* On the way back the mark before it may be missing: it is no reason to stop there. */
static bool take_doubt(struct reader *r, struct lease *lease)
{
	uint64_t i, pid;

	if (r->n != 5 || strcmp(r->field[0], "doubt") != 0 || !str_decimal(r->field[1], PLAN_STEPS_MAX, &i) ||
	    i >= lease->n || lease->marks[i] == MARK_NONE || lease->marks[i] >= MARK_UNDID ||
	    !str_decimal(r->field[2], INT32_MAX, &pid) || pid == 0)
		return false;
	lease->doubts[i] = (struct doubt){ (int)pid, r->field[3], r->field[4] };
	return true;
}

static bool take_mark(struct reader *r, struct lease *lease)
{
	uint64_t i;

	if (r->n != 2 || !str_decimal(r->field[1], PLAN_STEPS_MAX, &i) || i >= lease->n)
		return false;
	for (enum mark m = MARK_DO; m <= MARK_GIVEN; m++)
		if (strcmp(r->field[0], mark_words[m]) == 0 && follows(lease->marks[i], m) &&
		    (m != MARK_DO || may_begin(lease, i))) {
			lease->marks[i] = m;
			if (m == MARK_DID || m == MARK_UNDID)
				lease->doubts[i].pid = 0;
			return true;
		}
	return false;
}

static int take_rest(struct reader *r, struct lease *lease)
{
	while (next_line(r)) {
		if (r->n == 0)
			return damaged(r, "it is no line of a journal");
		if (!take_word(r, lease) && !take_was(r, lease) && !take_doubt(r, lease) && !take_mark(r, lease))
			return damaged(r, "it does not follow from what stands before it");
	}
	return 0;
}

int journal_parse(const char *text, size_t n, const char *file, struct arena *a, struct lease *lease, size_t *good,
		  struct error *err)
{
	const char *last = n ? memrchr(text, '\n', n) : NULL;
	struct reader r = { .text = text, .at = text, .end = last ? last + 1 : text, .file = file, .a = a, .err = err };
	struct lease read = { 0 };
	int code;

	if (n > JOURNAL_BYTES_MAX)
		return error_set(err, -EBADMSG, "%s: damaged: longer than %d bytes", file, JOURNAL_BYTES_MAX);
	code = take_header(&r, &read);
	if (code == 0)
		code = take_steps(&r, &read);
	if (code == -ENODATA)
		return error_set(err, -ENODATA, "%s: nothing was begun", file);
	if (code < 0)
		return code;
	read.marks = arena_array(a, read.n, sizeof(*read.marks));
	read.doubts = arena_array(a, read.n, sizeof(*read.doubts));
	code = take_rest(&r, &read);
	if (code < 0)
		return code;
	*lease = read;
	*good = (size_t)(r.end - text);
	return 0;
}
