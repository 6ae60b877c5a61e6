/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What processes have open, so that its driver would not let go of it. */
#include <string.h>

#include "base/str.h"
#include "core/holders.h"
#include "core/stake.h"

/* The same may be told by the configuration of the guest it is with. */
static bool is_told(const struct stakes *s, const struct holder *x)
{
	const char *function = path_function(x->path, s->arena);

	for (size_t i = 0; x->guest && function && i < s->n; i++)
		if (strcmp(s->list[i].code, "other-guest") == 0 && stake_is_on(&s->list[i], function))
			return true;
	return false;
}

void stakes_busy(struct stakes *s, unsigned self)
{
	struct holders found;

	s->look.host = s->host;
	s->look.arena = s->arena;
	holders_read(&s->look, NULL, &found);
	for (size_t i = 0; i < found.n_unknown; i++) {
		const struct holder_unknown *x = &found.unknown[i];

		stake_unasked(s, x->node + 1, x->path, str_basename(x->node), x->code);
	}
	for (size_t i = 0; i < found.n; i++) {
		const struct holder *x = &found.list[i];

		if ((self && x->guest == self) || is_told(s, x))
			continue;
		stake_add(s, x->guest ? "other-guest" : "device-busy", x->path, str_basename(x->node), x->remedy,
			  "%s is held by %s", x->node, x->process);
		s->list[s->n - 1].unit = x->unit;
	}
}
