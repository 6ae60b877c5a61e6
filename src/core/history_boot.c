/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What modprobe and the kernel are told: ids of vfio-pci, soft dependencies, blacklists, pcie_acs_override. */
#include <string.h>

#include "base/str.h"
#include "core/history_parts.h"
#include "core/isolation.h"

#define WORDS_MAX 128
#define CMDLINE "proc/cmdline"

/* A word that says something, and where. */
struct saying {
	const struct trace_file *file;	/* NULL: only the running kernel's command line has it */
	unsigned line, column;
	const char *text;
	bool runs;		/* the running kernel's command line has it */
};

static struct place place_of(const struct past *p, const struct saying *w)
{
	return w->file ? past_place(p, w->file, w->line, w->column) : (struct place){ .file = "/" CMDLINE };
}

/* "drop X", and what makes that count. */
static const char *drop(const struct past *p, const struct saying *w, const char *what)
{
	const char *apply = w->file ? past_apply(w->file) :
			    "it comes from /etc/default/grub or /etc/kernel/cmdline, and a boot makes the change count";

	return arena_fmt(p->arena, "%s%s%s", what, apply ? "; " : "", apply ? apply : "");
}

/* --- the ids of vfio-pci ----------------------------------------------------------------------------------------- */

#define ID_FIELDS 6	/* vendor, device, subvendor, subdevice, class, mask: drivers/vfio/pci/vfio_pci.c,
	vfio_pci_fill_ids() */
#define ANY 0xffffffffu

static bool id_fits(const struct past *p, const char *id, const struct function *fn)
{
	uint64_t field[ID_FIELDS] = { 0, 0, ANY, ANY, 0, 0 };
	char *at = arena_dup(p->arena, id), *word;
	size_t n = 0;

	while (n < ID_FIELDS && (word = strsep(&at, ":")) != NULL)
		if (!str_hex(word, 1, 8, &field[n++]))
			return false;
	return n >= 2 && field[0] == fn->vendor && field[1] == fn->device &&
	       (field[2] == ANY || field[2] == fn->subvendor) && (field[3] == ANY || field[3] == fn->subdevice) &&
	       ((field[4] ^ fn->class) & field[5]) == 0;
}

/* What an id takes; a bridge is refused (drivers/vfio/pci/vfio_pci_core.c, vfio_pci_core_register_device()). */
static struct selection taken_by(const struct past *p, const char *id)
{
	const struct inventory *inv = p->q->inventory;
	struct selection s = { 0 };

	for (size_t i = 0; i < inv->n; i++)
		if (!inv->functions[i].bridge && id_fits(p, id, &inv->functions[i]))
			selection_add(&s, &inv->functions[i], p->arena);
	return s;
}

/* The ids of one line. */
struct ids {
	struct selection taken;		/* all that they take */
	struct selection robbed;	/* of those, what the host uses and no VM is given */
	const char *kept;		/* the ids that take nothing of that */
	const char *unknown;		/* the ids that take nothing here */
};

static const char *join(const struct past *p, const char *list, const char *id)
{
	return list ? arena_fmt(p->arena, "%s,%s", list, id) : id;
}

static void take_id(const struct past *p, struct ids *ids, const char *id)
{
	struct selection taken = taken_by(p, id);
	size_t before = ids->robbed.n;

	for (size_t i = 0; i < taken.n; i++) {
		const struct function *fn = taken.list[i];

		selection_add(&ids->taken, fn, p->arena);
		if (past_is_used(fn) && !selection_holds(&p->lent, fn))
			selection_add(&ids->robbed, fn, p->arena);
	}
	if (taken.n == 0)
		ids->unknown = join(p, ids->unknown, id);
	if (ids->robbed.n == before)
		ids->kept = join(p, ids->kept, id);
}

/* As it has to be written: of a line of modprobe.d with "options" before it. */
static const char *setting(const struct past *p, const struct saying *w, const char *ids)
{
	bool options = w->file && w->file->kind == TRACE_MODPROBE;

	return arena_fmt(p->arena, options ? "'options vfio-pci ids=%s'" : "'vfio-pci.ids=%s'", ids);
}

static void tell_robbed(const struct past *p, const struct saying *w, const struct ids *ids, const char *list)
{
	const char *remedy = ids->kept ? arena_fmt(p->arena, "write %s: handover binds by address, and needs none of "
						   "the others",
						   setting(p, w, ids->kept)) :
				arena_fmt(p->arena, "drop %s: handover binds by address", setting(p, w, list));

	finding_add(p->f, SEVERITY_WARNING, "history-vfio-ids", place_of(p, w), drop(p, w, remedy),
		    "vfio-pci takes each function with these ids that has no driver yet, at boot and when it is found "
		    "anew: also %s, "
		    "which the host uses and no VM is given", past_names(p, &ids->robbed));
}

static void tell_ids(const struct past *p, const struct saying *w, char *list)
{
	const char *whole = arena_dup(p->arena, list);
	struct ids ids = { 0 };
	struct selection asked;

	for (char *id; (id = strsep(&list, ",")) != NULL;)
		if (*id)
			take_id(p, &ids, id);
	asked = past_asked(p, &ids.taken);
	if (p->q->functions && asked.n == 0)
		return;
	if (ids.robbed.n)
		tell_robbed(p, w, &ids, whole);
	else if (ids.taken.n)
		finding_add(p->f, SEVERITY_NOTE, "history-vfio-ids", place_of(p, w),
			    drop(p, w, arena_fmt(p->arena, "keep it if that is meant; else drop %s", setting(p, w,
													     whole))),
			    "vfio-pci takes %s at boot, and when found anew: the host never uses %s, and after a VM "
			    "%s back there, unless "
			    "'return' says otherwise", past_names(p, &asked), asked.n == 1 ? "it" : "them",
			    asked.n == 1 ? "it goes" : "they go");
	if (ids.unknown && !p->q->functions)
		finding_add(p->f, SEVERITY_NOTE, "history-vfio-ids", place_of(p, w), drop(p, w, "drop them"),
			    "nothing on this host has the ids %s", ids.unknown);
}

/* --- soft dependencies ------------------------------------------------------------------------------------------- */

/* Of all functions those that a module could drive, and that are asked about. */
static struct selection driven_by(const struct past *p, const char *pattern)
{
	const struct inventory *inv = p->q->inventory;
	struct selection s = { 0 };

	for (size_t i = 0; i < inv->n; i++)
		if (past_asks(p, &inv->functions[i]) && past_could_drive(p, pattern, &inv->functions[i]))
			selection_add(&s, &inv->functions[i], p->arena);
	return s;
}

static void tell_softdep(const struct past *p, const struct saying *w, const char *module)
{
	struct selection driven = driven_by(p, module);

	if (driven.n == 0)
		return;
	finding_add(p->f, SEVERITY_NOTE, "history-softdep", place_of(p, w),
		    drop(p, w, arena_fmt(p->arena, "keep it as long as ids= lists one of them, and drop '%s' with the "
					 "ids", w->text)),
		    "vfio-pci is loaded before %s, so that it is first to look at %s: of these it takes what ids= "
		    "lists, and "
		    "nothing else", module, past_names(p, &driven));
}

/* --- blacklists -------------------------------------------------------------------------------------------------- */

/* What keeps a module from being loaded. */
struct block {
	struct saying word;
	const char *module;
	bool hard;	/* also if it is asked for by name, as handover does */
	struct selection gone;	/* what it drives now, and could not drive again */
	struct selection alone;	/* what has no driver, and for which none is loaded */
};

struct blocks {
	struct block *list;
	size_t n;
};

static void add_block(const struct past *p, struct blocks *b, struct saying w, const char *module, bool hard)
{
	b->list = arena_grow(p->arena, b->list, b->n, sizeof(*b->list));
	b->list[b->n++] = (struct block){ .word = w, .module = module, .hard = hard };
}

static bool is_blocked(const struct past *p, const struct blocks *b, const char *module)
{
	for (size_t i = 0; i < b->n; i++)
		if (past_same_module(p, b->list[i].module, module))
			return true;
	return false;
}

/* Whether no module is left that would be loaded for it by itself. */
static bool is_left_alone(const struct past *p, const struct blocks *b, const struct function *fn)
{
	char *at = arena_dup(p->arena, fn->modules ? fn->modules : ""), *module;

	if (!*at)
		return false;
	while ((module = strsep(&at, " ")) != NULL)
		if (*module && !is_blocked(p, b, module))
			return false;
	return true;
}

static void tell_hard(const struct past *p, const struct block *b, const struct selection *s)
{
	finding_add(p->f, SEVERITY_WARNING, "history-blacklist", place_of(p, &b->word),
		    drop(p, &b->word, arena_fmt(p->arena, "drop '%s'", b->word.text)),
		    "%s cannot be loaded, not by handover either, and after a VM %s would go back to it: once the "
		    "module is out, "
		    "there is no way back", b->module, past_names(p, s));
}

static bool same_functions(const struct selection *x, const struct selection *y)
{
	for (size_t i = 0; i < x->n; i++)
		if (!selection_holds(y, x->list[i]))
			return false;
	return x->n == y->n;
}

/* Lines of which each keeps a module from the same functions are told together, with the first of them. */
static void tell_soft(const struct past *p, struct blocks *all, size_t first)
{
	const struct selection *s = &all->list[first].alone;
	const char *modules = NULL, *lines = NULL;

	for (size_t i = first; i < all->n; i++) {
		struct block *b = &all->list[i];

		if (!same_functions(&b->alone, s))
			continue;
		modules = modules ? arena_fmt(p->arena, "%s, %s", modules, b->module) : b->module;
		lines = arena_fmt(p->arena, "%s%s'%s'", lines ? lines : "", lines ? ", " : "", b->word.text);
		if (i > first && b->word.file)
			lines = arena_fmt(p->arena, "%s (/%s:%u)", lines, b->word.file->name, b->word.line);
		if (i > first)
			b->alone.n = 0;
	}
	finding_add(p->f, SEVERITY_NOTE, "history-blacklist", place_of(p, &all->list[first].word),
		    drop(p, &all->list[first].word,
			 arena_fmt(p->arena,
				   "keep that if it is meant; else drop what keeps the right driver away: %s", lines)),
		    "no driver of the host's is loaded by itself for %s, for %s must not be: without a VM nothing "
		    "uses %s",
		    past_names(p, s), modules, s->n == 1 ? "it" : "them");
}

/* Finds what a line keeps its module from. */
static void look_at_block(const struct past *p, const struct blocks *all, struct block *b)
{
	const struct inventory *inv = p->q->inventory;

	for (size_t i = 0; i < inv->n; i++) {
		const struct function *fn = &inv->functions[i];

		if (!past_asks(p, fn))
			continue;
		if (b->hard && selection_holds(&p->lent, fn) && past_drives(p, b->module, fn))
			selection_add(&b->gone, fn, p->arena);
		else if (past_could_drive(p, b->module, fn) && is_left_alone(p, all, fn) && !past_is_used(fn))
			selection_add(&b->alone, fn, p->arena);
	}
}

static void tell_blocks(const struct past *p, struct blocks *all)
{
	for (size_t i = 0; i < all->n; i++)
		look_at_block(p, all, &all->list[i]);
	for (size_t i = 0; i < all->n; i++) {
		if (all->list[i].gone.n)
			tell_hard(p, &all->list[i], &all->list[i].gone);
		if (all->list[i].alone.n)
			tell_soft(p, all, i);
	}
}

/* --- pcie_acs_override ------------------------------------------------------------------------------------------- */

/* Of the functions that "id:8086:a348" names those for which nothing is overridden. */
static struct selection in_vain(const struct past *p, const char *word)
{
	char *at = arena_dup(p->arena, word), *part;
	struct selection s = { 0 };

	while ((part = strsep(&at, ",=")) != NULL) {
		struct selection named = str_starts(part, "id:") ? taken_by(p, part + strlen("id:")) :
			(struct selection){ 0 };

		for (size_t i = 0; i < named.n; i++)
			if (!named.list[i]->pcie && past_asks(p, named.list[i]))
				selection_add(&s, named.list[i], p->arena);
	}
	return s;
}

static void tell_acs(const struct past *p, const struct saying *w)
{
	struct selection vain = in_vain(p, w->text);
	const char *more = vain.n ? arena_fmt(p->arena, "; of what it names, %s is conventional PCI, for which it "
					      "does nothing",
					      past_names(p, &vain)) : "";

	if (p->q->functions && p->given.n == 0)
		return;
	finding_add(p->f, SEVERITY_NOTE, "history-acs-override", place_of(p, w),
		    drop(p, w, arena_fmt(p->arena, "drop '%s' if an IOMMU group of its own can be had by 'isolate', "
					 "or by another slot; as "
						 "long as it stands, profiles must accept 'unverified-isolation'",
							 w->text)),
		    "'%s' has the kernel take functions for isolated of which it does not know that: IOMMU groups "
		    "prove nothing%s%s",
		    w->text, w->runs ? "" : ", from the next boot on", more);
}

/* --- where it stands --------------------------------------------------------------------------------------------- */

/* A word of the kernel command line. */
static void take_parameter(const struct past *p, const struct saying *w, struct blocks *b)
{
	char *value = arena_dup(p->arena, strchr(w->text, '=') ? strchr(w->text, '=') + 1 : ""), *module;
	bool hard = str_starts(w->text, "module_blacklist=");

	if (str_starts(w->text, "vfio-pci.ids=") || str_starts(w->text, "vfio_pci.ids="))
		tell_ids(p, w, value);
	else if (is_acs_override(w->text))
		tell_acs(p, w);
	else if (hard || str_starts(w->text, "modprobe.blacklist=") || str_starts(w->text, "modprobe_blacklist="))
		while ((module = strsep(&value, ",")) != NULL)
			if (*module)
				add_block(p, b, *w, module, hard);
}

static void take_modprobe(const struct past *p, const struct trace_file *f, const struct trace_line *l,
			  struct blocks *b)
{
	char *words[WORDS_MAX], *copy = arena_dup(p->arena, l->text);
	size_t n = str_words(copy, words, WORDS_MAX);
	struct saying w = { .file = f, .line = l->number, .column = 1, .text = l->text + strspn(l->text, " \t") };

	if (n < 2)
		return;
	w.column = (unsigned)(words[0] - copy) + 1;
	if (strcmp(words[0], "options") == 0) {
		for (size_t i = 2; i < n; i++)
			if (str_starts(words[i], "ids=")) {
				w.column = (unsigned)(words[i] - copy) + 1;
				tell_ids(p, &w, words[i] + strlen("ids="));
			}
	} else if (strcmp(words[0], "softdep") == 0) {
		tell_softdep(p, &w, words[1]);
	} else {
		add_block(p, b, w, words[1], strcmp(words[0], "install") == 0);
	}
}

/* The words of the running kernel's command line. */
struct running {
	char *words[WORDS_MAX];
	bool told[WORDS_MAX];
	size_t n;
};

static void read_running(const struct past *p, struct running *r)
{
	char *text = arena_alloc(p->arena, HOST_VALUE_BYTES);

	*r = (struct running){ 0 };
	if (host_read(p->q->host, CMDLINE, text, HOST_VALUE_BYTES) > 0)
		r->n = str_words(text, r->words, WORDS_MAX);
}

/* What stands in a file is told there, where it can be edited. */
static void take_cmdline(const struct past *p, const struct trace_file *f, const struct trace_line *l,
			 struct running *r,
			 struct blocks *b)
{
	char *words[WORDS_MAX];
	size_t n = str_words(arena_dup(p->arena, l->text), words, WORDS_MAX);

	for (size_t i = 0; i < n; i++) {
		struct saying w = { .file = f, .line = l->number, .column = 1, .text = words[i] };

		for (size_t k = 0; k < r->n; k++)
			if (strcmp(r->words[k], words[i]) == 0)
				w.runs = r->told[k] = true;
		take_parameter(p, &w, b);
	}
}

void past_modules(struct past *p)
{
	struct blocks b = { 0 };
	struct running r;

	read_running(p, &r);
	for (size_t i = 0; i < p->traces.n; i++) {
		const struct trace_file *f = p->traces.list[i];

		for (size_t k = 0; k < f->n; k++) {
			if (f->kind == TRACE_MODPROBE)
				take_modprobe(p, f, &f->lines[k], &b);
			else if (f->kind == TRACE_CMDLINE)
				take_cmdline(p, f, &f->lines[k], &r, &b);
		}
	}
	for (size_t i = 0; i < r.n; i++)
		if (!r.told[i])
			take_parameter(p, &(struct saying){ .text = r.words[i], .runs = true }, &b);
	tell_blocks(p, &b);
}
