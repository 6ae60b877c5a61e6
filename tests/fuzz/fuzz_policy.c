/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy.h"

/*
 * Any bytes are a policy or a list of errors, and never both; a policy keeps what policy.h promises; its words stand in
 * the text whole; what is said about the rest stays one line of printable text.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

/* Whether the text has this word, with what may stand before and behind one. */
static bool stands_in(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = text; (s = strcasestr(s, word)) != NULL; s++)
		if (s > text && strchr(" \t,=", s[-1]) && (!s[n] || strchr(" \t,\r\n", s[n])))
			return true;
	return false;
}

static void touch_names(const char *text, const struct names *names)
{
	require(names->n <= POLICY_NAMES_MAX);
	for (size_t i = 0; i < names->n; i++)
		require(*names->list[i] && stands_in(text, names->list[i]) && names_have(names, names->list[i]));
}

static void touch_policy(const char *text, const struct policy *p)
{
	static const struct function card = {
		.address = "0000:02:00.1", .bdf = { 0, 2, 0, 1 }, .id = "10de:2783:1043:8927",
	};
	const char *word = policy_protects(p, &card, "eno1");

	require(p->file != NULL);
	require(p->phase_ms >= POLICY_TIME_MIN_MS && p->phase_ms <= POLICY_PHASE_MAX_MS);
	require(p->lock_ms >= POLICY_TIME_MIN_MS && p->lock_ms <= POLICY_LOCK_MAX_MS);
	touch_names(text, &p->devices);
	touch_names(text, &p->nics);
	touch_names(text, &p->usb);
	touch_names(text, &p->run);
	touch_names(text, &p->services);
	touch_names(text, &p->modules);
	require(!word || names_have(&p->devices, word) || names_have(&p->nics, word));
	for (size_t i = 0; i < p->n_allows; i++) {
		require(policy_needs_consent(p->allows[i].code) && p->allows[i].names.n > 0);
		touch_names(text, &p->allows[i].names);
		require(policy_allows(p, p->allows[i].code, NULL, p->allows[i].names.list[0]));
		policy_allows(p, p->allows[i].code, &card, NULL);
	}
}

static void touch_finding(const struct finding *finding, struct arena *arena)
{
	const char *line = finding_line(finding, arena);

	require(finding->code != NULL && strlen(line) < 4096);
	for (; *line; line++)
		require((unsigned char)*line >= 0x20 && *line != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct policy *p;
	struct findings f;

	findings_init(&f, arena);
	p = policy_parse((const char *)data, n, "fuzz.conf", &f);
	require((p != NULL) == (f.errors == 0) && (p != NULL) == (f.n == 0));
	if (p)
		touch_policy(arena_dupn(arena, (const char *)data, n), p);
	for (size_t i = 0; i < f.n; i++)
		touch_finding(&f.list[i], arena);
	return 0;
}
