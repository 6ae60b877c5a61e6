/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/str.h"
#include "core/modules.h"
#include "core/rails.h"
#include "core/scan.h"

/* Which module drives what: of p->found, NULL for none. */
struct drivers {
	const struct planner *p;
	const char **was;	/* as it was found */
	const char **now;	/* at this point of the plan */
};

const char *module_name(const char *word, struct arena *a)
{
	char *name = arena_dup(a, word);

	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : *c;
	return name;
}

static const char *module_of(const struct planner *p, const char *driver)
{
	char text[HOST_VALUE_BYTES];

	if (!driver || host_read(p->host, arena_fmt(p->arena, "sys/bus/pci/drivers/%s/module", driver), text, sizeof(text)) <= 0)
		return NULL;
	return arena_dup(p->arena, text);
}

static struct drivers drivers_read(const struct planner *p)
{
	struct drivers d = {
		.p = p,
		.was = arena_array(p->arena, p->found->n, sizeof(*d.was)),
		.now = arena_array(p->arena, p->found->n, sizeof(*d.now)),
	};

	for (size_t i = 0; i < p->found->n; i++) {
		const struct function *fn = &p->found->functions[i];
		const char *driver = scan_is_removed(p, fn) ? NULL : driver_lent(p, fn);

		d.was[i] = module_of(p, fn->driver);
		d.now[i] = str_same(driver, fn->driver) ? d.was[i] : module_of(p, driver);
	}
	return d;
}

static bool is_taken_out(const struct planner *p, const char *module)
{
	const char *look = arena_fmt(p->arena, "module/%s", module);

	for (size_t i = 0; i < p->plan.n; i++) {
		const struct step *s = &p->plan.steps[i];

		for (size_t k = 0; k < s->n_looks; k++)
			if (strcmp(s->look[k], look) == 0 && s->to.v[k].kind == VALUE_TEXT && !s->to.v[k].text)
				return true;
	}
	return false;
}

static size_t holders(const struct planner *p, const char *module, char ***names)
{
	size_t n = 0;

	return host_list(p->host, arena_fmt(p->arena, "sys/module/%s/holders", module), p->arena, names, &n) < 0 ? 0 : n;
}

/* It drove functions, and has none of them now. */
static bool is_lent(const struct drivers *d, const char *module)
{
	bool drove = false;

	for (size_t i = 0; i < d->p->found->n; i++) {
		if (str_same(d->now[i], module))
			return false;
		drove = drove || str_same(d->was[i], module);
	}
	return drove;
}

/* Names, each once. */
struct seen {
	const char **names;
	size_t n;
	struct arena *a;
};

static bool see(struct seen *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->names[i], name) == 0)
			return false;
	s->names = arena_grow(s->a, s->names, s->n, sizeof(*s->names));
	s->names[s->n++] = name;
	return true;
}

/* Whether it needs the other one, or one that does. */
static bool needs(const struct planner *p, const char *module, const char *other)
{
	struct seen seen = { .a = p->arena };

	see(&seen, other);
	for (size_t i = 0; i < seen.n; i++) {
		char **names;
		size_t n = holders(p, seen.names[i], &names);

		for (size_t k = 0; k < n; k++) {
			if (strcmp(names[k], module) == 0)
				return true;
			see(&seen, names[k]);
		}
	}
	return false;
}

/* It is there for a module whose functions have all left. */
static bool is_for_lent(const struct drivers *d, const char *module)
{
	const char *before = NULL;

	for (size_t i = 0; i < d->p->found->n; i++) {
		const char *other = d->was[i];

		if (!other || str_same(other, d->now[i]) || str_same(other, before))
			continue;
		before = other;
		if (is_lent(d, other) && needs(d->p, module, other))
			return true;
	}
	return false;
}

/* seen: those that are looked at already. */
static bool serves_lent(const struct drivers *d, const char *module, struct seen *seen)
{
	char **names;
	size_t n;

	if (!see(seen, module) || is_lent(d, module) || is_for_lent(d, module))
		return true;
	n = holders(d->p, module, &names);
	for (size_t i = 0; i < n; i++)
		if (!serves_lent(d, names[i], seen))
			return false;
	return n > 0;
}

struct module_use module_use(const struct planner *p, const char *module)
{
	struct drivers d = drivers_read(p);
	struct seen seen = { .a = p->arena };
	struct module_use use = { .serves_lent = serves_lent(&d, module, &seen) };
	char **names;
	size_t n = holders(p, module, &names);

	for (size_t i = 0; i < p->found->n; i++) {
		if (!str_same(d.now[i], module))
			continue;
		use.more += use.function != NULL;
		use.function = use.function ? use.function : &p->found->functions[i];
	}
	for (size_t i = 0; i < n && !use.holder; i++)
		use.holder = is_taken_out(p, names[i]) ? NULL : names[i];
	return use;
}
