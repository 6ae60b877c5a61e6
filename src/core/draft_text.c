/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/draft_parts.h"

#define WIDTH 118	/* of a line of the draft */

/* A text that grows; line is the number of the one that is being written. */
struct writer {
	struct arena *a;
	const char *text;
	unsigned line;
};

static void put(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writer *w, const char *fmt, ...)
{
	const char *more;
	va_list ap;

	va_start(ap, fmt);
	more = arena_vfmt(w->a, fmt, ap);
	va_end(ap);
	for (const char *s = more; *s; s++)
		w->line += *s == '\n';
	w->text = arena_fmt(w->a, "%s%s", w->text, more);
}

/* A comment, broken between words. */
static void put_comment(struct writer *w, const char *indent, const char *first, const char *text)
{
	char *rest = arena_dup(w->a, text);
	const char *lead = first;

	str_harmless(rest);
	while (*rest) {
		size_t room = WIDTH - strlen(indent) - strlen(lead) - 2, n = strlen(rest);

		if (n > room) {
			for (n = room; n > 0 && rest[n] != ' '; n--)
				;
			n = n ? n : room;
		}
		put(w, "%s# %s%.*s\n", indent, lead, (int)n, rest);
		rest += n;
		rest += *rest == ' ';
		lead = "  ";
	}
}

const char *draft_join(struct arena *a, const char *words, const char *word)
{
	return *words ? arena_fmt(a, "%s, %s", words, word) : word;
}

const char *draft_accepts(struct drafting *d, const struct draft_device *list, size_t n)
{
	const char *all = "";

	for (size_t c = 0; profile_accept_codes[c]; c++) {
		const char *names = "";

		for (size_t i = 0; i < n; i++)
			if (draft_has_code(&list[i], profile_accept_codes[c], list[i].n_codes))
				names = draft_join(d->arena, names, list[i].name);
		if (*names)
			all = draft_join(d->arena, all, arena_fmt(d->arena, "%s: [%s]", profile_accept_codes[c], names));
	}
	return all;
}

/* Of the candidate alone, or of those that wait and could be done. */
static const char *accepts(struct drafting *d, const struct units *u, const struct unit *candidate)
{
	struct draft_device *list = arena_array(d->arena, u->n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		if (candidate ? candidate == &u->list[i] : !u->list[i].impossible)
			list[n++] = u->list[i].device;
	return draft_accepts(d, list, n);
}

static bool is_done(const struct unit *u, const struct unit *candidate)
{
	return !u->open || u == candidate;
}

static size_t count_done(const struct units *u, const struct unit *candidate)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += is_done(&u->list[i], candidate);
	return n;
}

static size_t count_there(const struct units *u, const struct unit *candidate)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += u->list[i].functions.n || is_done(&u->list[i], candidate);
	return n;
}

const char *draft_trial(struct drafting *d, struct units *u, const struct unit *candidate)
{
	struct writer w = { .a = d->arena, .text = "", .line = 1 };
	const char *accepted = candidate ? accepts(d, u, candidate) : "";

	put(&w, "handover: 1\n");
	if (*accepted)
		put(&w, "accept: {%s}\n", accepted);
	if (count_there(u, candidate))
		put(&w, "devices:\n");
	for (size_t i = 0; i < u->n; i++) {
		u->list[i].device_line = w.line;
		/* One that is not there spoils the plan of the others. */
		if (u->list[i].functions.n || is_done(&u->list[i], candidate))
			put(&w, "  %s: %s\n", u->list[i].device.name, u->list[i].selector);
	}
	if (count_done(u, candidate))
		put(&w, "pre-start:\n");
	for (size_t i = 0; i < u->n; i++) {
		u->list[i].step_line = w.line;
		if (is_done(&u->list[i], candidate))
			put(&w, "- bind: %s\n%s", u->list[i].device.name, u->list[i].cycle ? "  return: cycle\n" : "");
	}
	return w.text;
}

static void put_function(struct writer *w, const struct function *fn)
{
	const char *name = function_name(fn, w->a), *way = fn->reset_methods ? fn->reset_methods : "none of its own";

	put_comment(w, "  ", "", arena_fmt(w->a, "%s %s%s%s (%04x:%04x), driver %s, reset: %s", fn->address,
					   function_class_name(fn, w->a), *name ? ": " : "", name, fn->vendor, fn->device,
					   fn->driver ? fn->driver : "none", way));
}

static bool is_with_vfio(const struct selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!str_same(s->list[i]->driver, "vfio-pci"))
			return false;
	return s->n;
}

static void put_devices(struct writer *w, const struct units *u)
{
	put(w, "devices:\n");
	for (size_t i = 0; i < u->n; i++) {
		for (size_t k = 0; k < u->list[i].functions.n; k++)
			put_function(w, u->list[i].functions.list[k]);
		if (is_with_vfio(&u->list[i].functions))
			put(w, "  # It is with vfio-pci already, so the host does not use it, and it goes back there.\n");
		/* A device that is not there would be an error even if no step names it. */
		put(w, "  %s%s: %s\n", u->list[i].functions.n ? "" : "# ", u->list[i].device.name, u->list[i].selector);
	}
}

static void put_step(struct writer *w, const struct unit *u, const char *mark)
{
	if (u->cycle)
		put_comment(w, "  ", "", "it has no reset of its own: removed and found anew, whoever has it next meets it fresh");
	else if (u->no_cycle)
		put_comment(w, "  ", "", arena_fmt(w->a, "it has no reset of its own, and goes back as the guest left it, for it cannot "
						   "be found anew: %s", u->no_cycle));
	put(w, "  %s- bind: %s\n", mark, u->device.name);
	if (u->cycle)
		put(w, "  %s  return: cycle\n", mark);
}

static void put_open_step(struct writer *w, const struct unit *u, const char *boot)
{
	put_comment(w, "  ", "", arena_fmt(w->a, u->impossible ? "%s cannot be handed over as things are:" : "%s waits for a decision:",
					   u->device.name));
	for (size_t i = 0; i < u->n_reasons; i++)
		put_comment(w, "  ", "- ", u->reasons[i]);
	if (*u->along)
		put_comment(w, "  ", "- ", arena_fmt(w->a, "what shares its IOMMU group would go with it, and may not: %s%s", u->along,
						      boot ? "; the split below comes first" : ""));
	put_step(w, u, "# ");
}

static void put_steps(struct writer *w, const struct units *u, const char *boot)
{
	put(w, count_done(u, NULL) ? "pre-start:\n" : "# pre-start:\n");
	for (size_t i = 0; i < u->n; i++)
		if (u->list[i].open)
			put_open_step(w, &u->list[i], boot);
		else
			put_step(w, &u->list[i], "");
}

static void put_what_is_not_ours(struct writer *w, const struct pve_guest *guest)
{
	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (guest->hostpci[i].present && (guest->hostpci[i].mdev || guest->hostpci[i].keep))
			put(w, "# hostpci%d is left to Proxmox: %s.\n", i,
			    guest->hostpci[i].mdev ? "it is a mediated device" : "it says driver=keep");
	if (guest->has_usb)
		put(w, "# USB devices of its usbN lines need nothing: QEMU takes each from its driver and gives it back.\n");
}

const char *draft_text(struct drafting *d, const struct units *u, const char *boot)
{
	struct writer w = { .a = d->arena, .text = "", .line = 1 };
	const char *accepted = accepts(d, u, NULL);
	bool any = false;

	put_comment(&w, "", "", arena_fmt(d->arena, "What VM %u%s%s%s borrows from this host by its hostpci lines, as `handover init` found "
					  "it; handover-profile(5) has more.", d->vmid, d->guest->name ? " (" : "",
					  d->guest->name ? d->guest->name : "", d->guest->name ? ")" : ""));
	for (size_t i = 0; i < u->n; i++)
		any = any || u->list[i].functions.n;
	if (*accepted || count_done(u, NULL) < u->n)
		put(&w, "# What is commented out needs a decision first; the reasons stand beside it. Then `handover plan %u`.\n", d->vmid);
	put_what_is_not_ours(&w, d->guest);
	put(&w, "handover: 1\nname: VM %u\n", d->vmid);
	if (*accepted)
		put(&w, "# accept: {%s}\n", accepted);
	if (any)
		put_devices(&w, u);
	if (u->n)
		put_steps(&w, u, boot);
	if (boot)
		put(&w, "%s", boot);
	return w.text;
}
