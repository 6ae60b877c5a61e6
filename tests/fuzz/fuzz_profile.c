/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/action.h"
#include "core/profile.h"

/*
 * Any bytes are a profile or a list of errors, and never both; a profile that loads keeps what profile.h promises; and
 * what is said about the rest stays one line of printable text.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static void touch_words(const struct profile *p, const struct words *words, bool devices)
{
	require(words->n <= PROFILE_WORDS_MAX);
	for (size_t i = 0; i < words->n; i++) {
		const struct word *w = &words->list[i];

		require(strlen(w->s) <= PROFILE_WORD_MAX && w->place.line && w->place.column);
		if (devices)
			require(profile_device(p, w->s) != NULL);
	}
}

static void touch_device(const struct profile *p, const struct device_wish *w)
{
	require(profile_device(p, w->name) == w && w->place.line);
	require(w->id.s || w->at.s || w->hostpci >= 0);
	require(w->hostpci >= -1 && w->hostpci < 16);
	require(!w->id.s || strlen(w->id.s) == 9 || strlen(w->id.s) == 19);
	require(!w->at.s || strlen(w->at.s) >= 5);
}

static void touch_profile(const struct profile *p)
{
	require(!p->name || strlen(p->name) <= PROFILE_NAME_MAX);
	require(p->n_devices <= PROFILE_DEVICES_MAX);
	for (size_t i = 0; i < p->n_devices; i++)
		touch_device(p, &p->devices[i]);
	for (size_t i = 0; i < p->n_accepts; i++) {
		require(strlen(p->accepts[i].code) > 0);
		touch_words(p, &p->accepts[i].devices, true);
	}
	for (int phase = 0; phase < PHASES; phase++) {
		require(p->n_steps[phase] <= PROFILE_STEPS_MAX);
		for (size_t i = 0; i < p->n_steps[phase]; i++) {
			const struct wish *w = &p->steps[phase][i];

			require(w->phase == (enum phase)phase && (w->action->phases & PHASE_BIT(phase)));
			for (size_t k = 0; w->action->fields[k].name; k++)
				touch_words(p, &w->fields[k], w->action->fields[k].kind == FIELD_DEVICES);
		}
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
	const struct profile *p;
	struct findings f;

	findings_init(&f, arena);
	p = profile_parse((const char *)data, n, "fuzz.yaml", &f);
	require((p != NULL) == (f.errors == 0) && (p != NULL) == (f.n == 0));
	if (p)
		touch_profile(p);
	for (size_t i = 0; i < f.n; i++)
		touch_finding(&f.list[i], arena);
	return 0;
}
