/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "core/journal_text.h"

/*
 * Any bytes are a lease, no lease yet, or damage. What is read keeps what journal.h promises, and written again it is
 * read as the same. The hash would keep nearly every input out, so what stands in the last "ready" is put right first.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static int parse(struct arena *a, const char *text, size_t n, struct lease *lease, size_t *good)
{
	struct error err = { 0 };
	int code = journal_parse(text, n, "fuzz.journal", a, lease, good, &err);

	require(code == 0 || code == -ENODATA || code == -EBADMSG);
	require(err.code == code && (code == 0 || strncmp(err.text, "fuzz.journal:", 13) == 0));
	return code;
}

static void touch_looks(const struct step *s, const struct looks *l)
{
	for (size_t i = 0; i < s->n_looks; i++)
		require((l->v[i].kind == VALUE_TEXT || l->v[i].kind == VALUE_HOPED || !l->v[i].text) &&
			(l->v[i].kind == VALUE_NEW) == (l->v[i].was != NULL));
}

static void touch_lease(const struct lease *l)
{
	require(l->vmid == 0 || (l->vmid >= 100 && l->vmid <= 999999999));
	require(l->boot_id && strlen(l->generation) == GENERATION_BYTES - 1 && l->profile);
	require(l->n <= PLAN_STEPS_MAX);
	for (size_t i = 0; i < l->n; i++) {
		const struct step *s = &l->steps[i];

		require(s->action && s->device && phase_name(s->phase) && s->n_looks <= STEP_LOOKS_MAX);
		for (size_t k = 0; k < s->n_looks; k++)
			require(strlen(s->look[k]) < HOST_NAME_BYTES);
		touch_looks(s, &s->from);
		touch_looks(s, &s->to);
		touch_looks(s, &s->home);
		require(l->marks[i] <= MARK_GIVEN);
		if (l->doubts[i].pid) {
			char line[DOUBT_LINE_BYTES];

			journal_doubt_line(line, i, &l->doubts[i]);
			require(line[strlen(line) - 1] == '\n' && strchr(line, '\n') == line + strlen(line) - 1);
		}
	}
	require(lease_state(l) != NULL);
}

static void require_same(const struct lease *x, const struct lease *y)
{
	require(x->vmid == y->vmid && x->n == y->n && strcmp(x->profile, y->profile) == 0 &&
		strcmp(x->boot_id, y->boot_id) == 0 && x->profile_hash == y->profile_hash);
	for (size_t i = 0; i < x->n; i++) {
		const struct step *s = &x->steps[i], *t = &y->steps[i];

		require(s->action == t->action && strcmp(s->device, t->device) == 0 && s->n_looks == t->n_looks);
		for (size_t k = 0; k < s->n_looks; k++)
			require(strcmp(s->look[k], t->look[k]) == 0 && s->to.v[k].kind == t->to.v[k].kind &&
				str_same(s->to.v[k].text, t->to.v[k].text) &&
				str_same(s->home.v[k].text, t->home.v[k].text) &&
				str_same(s->from.v[k].text, t->from.v[k].text));
	}
}

/* Devices and names are written as they are: they are the kernel's, which has none with such characters. */
static bool is_plain(const struct lease *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strpbrk(l->steps[i].device, "\t\n\\"))
			return false;
		for (size_t k = 0; k < l->steps[i].n_looks; k++)
			if (strpbrk(l->steps[i].look[k], "\t\n\\"))
				return false;
	}
	return true;
}

/* "ready\tN\tHASH\n" with the hash of what is before it. */
static void put_hash_right(char *text, size_t n)
{
	char *ready = n ? memmem(text, n, "\nready\t", 7) : NULL, *tab, hash[17];

	if (!ready)
		return;
	ready++;
	tab = memchr(ready + 6, '\t', n - (size_t)(ready + 6 - text));
	if (!tab || n - (size_t)(tab - text) < 18 || tab[17] != '\n')
		return;
	snprintf(hash, sizeof(hash), "%016llx",
		 (unsigned long long)str_hash(STR_HASH_START, text, (size_t)(ready - text)));
	memcpy(tab + 1, hash, 16);
}

static void read_and_write(struct arena *a, const char *text, size_t n)
{
	struct lease lease, again;
	size_t good = 0, whole = 0;

	if (parse(a, text, n, &lease, &good) < 0)
		return;
	require(good <= n && good > 0 && text[good - 1] == '\n');
	touch_lease(&lease);
	if (!is_plain(&lease))
		return;
	text = journal_write_text(&lease, a);
	require(text != NULL);
	/* Written anew it may be longer than a journal may be; journal_begin() refuses that. */
	if (strlen(text) > JOURNAL_BYTES_MAX)
		return;
	require(parse(a, text, strlen(text), &again, &whole) == 0 && whole == strlen(text));
	require_same(&lease, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	/* Of exactly that size, so that a byte read beyond it shows. */
	char *text = malloc(n ? n : 1);

	require(text != NULL);
	if (n)
		memcpy(text, data, n);
	read_and_write(a, text, n);
	put_hash_right(text, n);
	read_and_write(a, text, n);
	free(text);
	return 0;
}
