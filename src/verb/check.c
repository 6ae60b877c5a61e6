/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover check PROFILE...: is the profile right, as far as it can be told without a host? */
#include "core/prepare.h"
#include "verb/json.h"
#include "verb/verb.h"

static enum outcome run(struct run *r)
{
	struct findings f;
	uint64_t hash;

	findings_init(&f, r->arena);
	for (int i = 0; i < r->n_args; i++) {
		size_t before = f.errors;

		profile_load(r->args[i], &hash, &f);
		if (f.errors == before && !r->json && !r->quiet)
			printf("%s: ok\n", r->args[i]);
	}
	if (r->json)
		json_print(json_findings(&f));
	else
		print_findings(&f, stdout);
	return f.errors ? OUTCOME_REFUSED : OUTCOME_DONE;
}

const struct verb verb_check = {
	.name = "check",
	.args = "PROFILE...",
	.help = "says what is wrong in profiles: place, code, and what to write instead",
	.min_args = 1,
	.max_args = 1000,
	.run = run,
};
