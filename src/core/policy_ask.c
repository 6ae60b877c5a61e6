/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/policy.h"
#include "core/select.h"
#include "core/usb.h"

bool names_have(const struct names *names, const char *word)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], word) == 0)
			return true;
	return false;
}

const char *policy_line_remedy(const char *key, const struct names *names, const char *word, struct arena *a)
{
	const char *line = arena_fmt(a, "%s =", key);

	for (size_t i = 0; i < names->n; i++)
		line = arena_fmt(a, "%s %s", line, names->list[i]);
	return arena_fmt(a, "%s '%s %s' under [allow] in " POLICY_PATH, names->n ? "write" : "add", line, word);
}

/* A word is what it looks like: an interface that is called "10de" is not a vendor. */
static bool means(const char *word, const struct function *fn)
{
	return (str_is_pci_place(word) && function_is_at(fn, word)) ||
	       (str_is_pci_id(word) && function_has_id(fn, word));
}

static const char *find_function(const struct names *names, const struct function *fn)
{
	for (size_t i = 0; i < names->n; i++)
		if (means(names->list[i], fn))
			return names->list[i];
	return NULL;
}

bool policy_allows(const struct policy *p, const char *code, const struct function *fn, const char *name)
{
	for (size_t i = 0; i < p->n_allows; i++) {
		const struct names *names = &p->allows[i].names;

		if (strcmp(p->allows[i].code, code) == 0)
			return (fn && find_function(names, fn)) || (name && names_have(names, name));
	}
	return false;
}

const char *policy_protects(const struct policy *p, const struct function *fn, const char *nic)
{
	const char *word = fn ? find_function(&p->devices, fn) : NULL;

	for (size_t i = 0; !word && nic && i < p->nics.n; i++)
		if (strcmp(p->nics.list[i], nic) == 0)
			word = p->nics.list[i];
	return word;
}

const char *policy_protects_usb(const struct policy *p, const char *id, const char *port)
{
	for (size_t i = 0; i < p->usb.n; i++) {
		const char *word = p->usb.list[i];

		if ((id && strcmp(word, id) == 0) || (port && usb_is_at(port, word)))
			return word;
	}
	return NULL;
}
