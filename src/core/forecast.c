/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine will write if the host answers as expected: for plans that are shown. */
#include <string.h>

#include "core/action.h"
#include "core/nic.h"
#include "core/step.h"

/* A forecast being made. */
struct foretold {
	const struct step *s;
	const struct looks *goal;
	struct value v[STEP_LOOKS_MAX];	/* what the looks will read */
};

static bool is_of(const char *look, const char *address)
{
	char other[BDF_TEXT_MAX];

	return look_function(look, other) && strcmp(other, address) == 0;
}

/* A function that its driver lets go of has no interface, and one that is removed has nothing. */
static void leaves(struct foretold *f, const char *address, bool removed)
{
	for (size_t i = 0; i < f->s->n_looks; i++) {
		const char *look = f->s->look[i];

		if (!is_of(look, address) || str_starts(look, "life/") || str_starts(look, "id/"))
			continue;
		if (str_starts(look, "nic/"))
			f->v[i] = value_of(NULL);
		else if (removed)
			f->v[i] = value_any();
	}
}

/*
 * One that is found anew: the driver it had takes it by itself, unless it took an override to get it there; it shares a
 * group with whom that was foretold; its interface is there, but not in its place. What else the kernel sets is not known.
 */
static void comes_back(struct foretold *f, const char *address)
{
	const struct value *goal = f->goal->v;
	bool by_itself = true;

	for (size_t i = 0; i < f->s->n_looks; i++)
		if (is_of(f->s->look[i], address) && strcmp(str_basename(f->s->look[i]), "driver_override") == 0) {
			by_itself = goal[i].kind != VALUE_TEXT || str_same(goal[i].text, "(null)");
			f->v[i] = value_of("(null)");
		}
	for (size_t i = 0; i < f->s->n_looks; i++) {
		const char *look = f->s->look[i], *what = str_basename(look);

		if (!is_of(look, address))
			continue;
		if (look_is_witness(look) || str_starts(look, "life/") ||
		    (str_starts(look, "nic/") && nic_comes_by_itself(what)))
			f->v[i] = goal[i];
		else if (strcmp(what, "driver") == 0)
			f->v[i] = by_itself ? goal[i] : value_of(NULL);
		else if (str_starts(look, "nic/") && strcmp(what, "up") == 0)
			f->v[i] = value_of("down");
		else if (str_starts(look, "nic/") && strcmp(what, "master") == 0)
			f->v[i] = value_of(NULL);
		else if (strcmp(what, "driver_override") != 0)
			f->v[i] = value_any();
	}
}

/* All that are missing on a bus come back by one rescan of it. */
static void bus_comes_back(struct foretold *f, const char *first)
{
	size_t bus = strcspn(first, ":");
	char address[BDF_TEXT_MAX];

	bus += 1 + strcspn(first + bus + 1, ":");
	for (size_t i = 0; i < f->s->n_looks; i++)
		if (str_starts(f->s->look[i], "life/") && look_function(f->s->look[i], address) &&
		    strncmp(address, first, bus) == 0 && !value_fits(&f->v[i], &f->goal->v[i]))
			comes_back(f, address);
}

/* What changes with a write although it is not what was written: all looks of a family become what is wanted. */
static void family_changes(struct foretold *f, const char *family)
{
	for (size_t i = 0; i < f->s->n_looks; i++)
		if (str_starts(f->s->look[i], family))
			f->v[i] = f->goal->v[i];
}

static void apply(struct foretold *f, const struct poke *p)
{
	const char *look = f->s->look[p->look];
	bool life = str_starts(look, "life/");
	char address[BDF_TEXT_MAX];

	f->v[p->look] = p->becomes;
	/* A unit's state and its run change together. */
	if (str_starts(look, "unit/"))
		family_changes(f, "unit/");
	if (!look_function(look, address))
		return;
	if (p->becomes.kind == VALUE_TEXT && !p->becomes.text && (life || strcmp(str_basename(look), "driver") == 0))
		leaves(f, address, life);
	if (life && p->becomes.kind != VALUE_TEXT) {
		comes_back(f, address);
		bus_comes_back(f, address);
	}
	/* Siblings' groups change when a function leaves and is found: as foretold. */
	if (life)
		family_changes(f, "group/");
}

size_t step_writes(const struct step *s, const struct looks *from, const struct looks *goal, struct poke *writes)
{
	struct foretold f = { .s = s, .goal = goal };
	struct looks now = { f.v };
	struct error err;
	size_t n = 0;

	memcpy(f.v, from->v, s->n_looks * sizeof(*f.v));
	/* What is only waited for is no write. */
	for (size_t asked = 0; n < STEP_WRITES_MAX && asked < STEP_WRITES_MAX && !looks_fit(s, &now, goal); asked++) {
		writes[n] = (struct poke){ 0 };
		if (!s->action->next(s, &now, goal, &writes[n], &err))
			break;
		writes[n].perhaps = (f.v[writes[n].look].kind == VALUE_ANY && writes[n].becomes.kind != VALUE_NEW) ||
				    writes[n].patience_ms;
		apply(&f, &writes[n]);
		n += *writes[n].at != '\0';
	}
	return n;
}
