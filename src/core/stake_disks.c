/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/stake_disks.h"

#define LAYERS_MAX 32	/* a thing that is higher above its disks is told as one that is not known */
#define DOUBT_MAX 1024
#define CLASS_STORAGE 0x01	/* base class of PCI */
#define CLASS_BASE_SHIFT 16

#define ROOT_DISK "root-disk"
#define UNREADABLE "storage-unreadable"
#define STORAGE_MEMBER "storage-member"

/* One way down: what has been passed, from above. */
struct walk {
	struct storage *w;
	const struct thing *thing;
	struct {
		const char *text;
		bool lvm;
	} layers[LAYERS_MAX];
	size_t n;
};

struct standing *storage_of(struct storage *w, const struct block *b)
{
	return &w->standing[b - w->blocks.list];
}

struct block *storage_base(struct block *b)
{
	return b->whole ? b->whole : b;
}

void storage_doubt(struct storage *w, int code, const char *what, ...)
{
	char text[DOUBT_MAX];
	va_list ap;

	w->denied = w->denied || code == -EACCES || code == -EPERM;
	if (w->doubt)
		return;
	va_start(ap, what);
	vsnprintf(text, sizeof(text), what, ap);
	va_end(ap);
	w->doubt = arena_dup(w->arena, text);
}

const char *storage_names(struct arena *a, const char *const *names, size_t n)
{
	size_t shown = n < SHOWN_MAX ? n : SHOWN_MAX;
	const char *text = "";

	for (size_t i = 0; i < shown; i++)
		text = arena_fmt(a, "%s%s%s", text, i == 0 ? "" : i + 1 == n ? " and " : ", ", names[i]);
	return n > shown ? arena_fmt(a, "%s and %zu more", text, n - shown) : text;
}

/* --- claims ----------------------------------------------------------------------------------------------------- */

static enum hold_code code_of(const struct thing *t)
{
	if (t->rank <= RANK_SWAP)
		return HOLD_ROOT;
	return t->rank < RANK_MEMBER ? HOLD_IN_USE : HOLD_MEMBER;
}

/* A thin volume is on a pool, that on its data, both of LVM: only the volume has a name that is known. */
static const char *layers_text(const struct walk *k)
{
	struct arena *a = k->w->arena;
	const char *text = "";

	for (size_t i = k->n; i-- > 0;)
		if (i == 0 || !k->layers[i].lvm || !k->layers[i - 1].lvm)
			text = arena_fmt(a, "%s%s%s", text, *text ? ", " : "", k->layers[i].text);
	return text;
}

static void claim(struct walk *k, const struct block *disk, const struct block *member)
{
	struct standing *d = storage_of(k->w, disk);
	enum hold_code code = code_of(k->thing);
	struct hold *hold = &d->holds[code];

	/* On the host's own disk the rest does not matter: nothing of it can be accepted. */
	if (!d->physical || hold->last == k->thing || (code != HOLD_ROOT && d->holds[HOLD_ROOT].thing))
		return;
	hold->last = k->thing;
	if (hold->thing) {
		if (hold->n_also < SHOWN_MAX)
			hold->also[hold->n_also] = k->thing->name;
		hold->n_also++;
		return;
	}
	hold->thing = k->thing;
	hold->member = member;
	hold->layers = layers_text(k);
}

bool storage_in_use(struct storage *w, const struct block *disk)
{
	const struct standing *d = storage_of(w, disk);

	return d->holds[HOLD_ROOT].thing || d->holds[HOLD_IN_USE].thing;
}

/* --- down to the disks ------------------------------------------------------------------------------------------ */

static bool push(struct walk *k, const char *layer, bool lvm)
{
	if (k->n == LAYERS_MAX) {
		storage_doubt(k->w, -ELOOP, "%s is on more than %d layers of block devices", k->thing->name,
			      LAYERS_MAX);
		return false;
	}
	k->layers[k->n].text = layer;
	k->layers[k->n++].lvm = lvm;
	return true;
}

static bool push_block(struct walk *k, const struct block *b)
{
	const char *made_of = b->file ? b->file : b->kind;

	return push(k, made_of ? arena_fmt(k->w->arena, "%s (%s)", b->shown, made_of) : b->shown,
		    str_same(b->kind, "lvm"));
}

static void walk(struct walk *k, struct block *b);

static void walk_pool(struct walk *k, struct pool *pool)
{
	if (!push(k, arena_fmt(k->w->arena, "pool %s", *pool->name ? pool->name : "(no name)"), false))
		return;
	for (size_t i = 0; i < pool->n; i++)
		walk(k, pool->members[i]);
	k->n--;
}

static void walk_file(struct walk *k, const char *file)
{
	const struct mount *m = mounts_of_file(&k->w->mounts, file);
	struct block *block;
	struct pool *pool;

	if (!m)
		return;
	storage_place(k->w, m, &block, &pool);
	if (pool)
		walk_pool(k, pool);
	for (size_t i = 0; block && i < k->w->blocks.n; i++)
		if (storage_is_fellow(block, &k->w->blocks.list[i]))
			walk(k, &k->w->blocks.list[i]);
}

/* Nothing below /sys and /proc says of which pool a zvol is, so it is of all that are imported. */
static void walk_zvol(struct walk *k)
{
	for (size_t i = 0; i < k->w->n_pools; i++)
		if (k->w->pools[i]->imported)
			walk_pool(k, k->w->pools[i]);
}

static bool is_zvol(const struct block *b)
{
	return str_same(b->kind, "zvol");
}

/* What is made of other things, as opposed to a disk. */
static bool is_layer(const struct block *b)
{
	return b->n_below || b->file || is_zvol(b);
}

static void walk(struct walk *k, struct block *b)
{
	struct standing *d = storage_of(k->w, b);

	if (d->seen == k->thing)
		return;
	d->seen = k->thing;
	if (b->whole ? !is_layer(b->whole) : (!is_layer(b) || d->physical))
		claim(k, storage_base(b), b);
	if ((!is_layer(b) && !(b->whole && is_layer(b->whole))) || !push_block(k, b))
		return;
	for (size_t i = 0; i < b->n_below; i++)
		walk(k, b->below[i]);
	if (b->whole)
		walk(k, b->whole);
	else if (is_zvol(b))
		walk_zvol(k);
	else if (b->file && !b->n_below)
		walk_file(k, b->file);
	k->n--;
}

void storage_stand(struct storage *w, const struct thing *t)
{
	struct walk k = { .w = w, .thing = t };

	if (t->pool)
		walk_pool(&k, t->pool);
	else
		walk(&k, t->block);
}

/* --- stakes ----------------------------------------------------------------------------------------------------- */

/* "0000:00:17.0", or "1-2.1 -> 0000:00:14.0"; NULL: on no function. */
static const char *way_of(struct arena *a, const char *path)
{
	const char *function = path_function(path, a), *port = function ? path_usb(path, a) : NULL;

	return port ? arena_fmt(a, "%s -> %s", port, function) : function;
}

static const char *also_text(struct arena *a, const struct hold *hold)
{
	return hold->n_also ? arena_fmt(a, "; also %s", storage_names(a, hold->also, hold->n_also)) : "";
}

static void write_hold(struct storage *w, const struct block *disk, const struct hold *hold, const char *code)
{
	const struct thing *t = hold->thing;
	const char *does = t->direct, *holds = NULL, **paths;
	size_t n;

	if (*hold->layers) {
		holds = arena_fmt(w->arena, "%s, %s%s", hold->layers, t->layered, also_text(w->arena, hold));
		does = arena_fmt(w->arena, "holds %s, %s", hold->layers, t->layered);
	}
	paths = block_paths(hold->member, w->s->host, w->arena, &n);
	if (n == 0) {
		w->blind = true;
		storage_doubt(w, -ENOENT, "the controllers of %s cannot be read", disk->name);
	}
	for (size_t i = 0; i < n; i++) {
		const char *way = way_of(w->arena, paths[i]);

		if (!way)
			continue;
		stake_add(w->s, code, paths[i], disk->name, t->remedy, "%s -> %s %s%s", hold->member->name, way, does,
			  also_text(w->arena, hold));
		if (strcmp(code, STORAGE_MEMBER) == 0) {
			w->s->list[w->s->n - 1].member = hold->member->name;
			w->s->list[w->s->n - 1].holds = holds;
		}
	}
}

/* Whether it is known already that a function must stay. A way over USB is none: each device there may go alone. */
static bool is_told(const struct storage *w, const char *function)
{
	for (size_t i = 0; i < w->s->n; i++) {
		const struct stake *stake = &w->s->list[i];

		if ((strcmp(stake->code, ROOT_DISK) == 0 || strcmp(stake->code, UNREADABLE) == 0) &&
		    stake_is_on(stake, function))
			return true;
	}
	return false;
}

static void write_doubt(struct storage *w, const char *path, const char *name, const char *way, const char *doubt)
{
	stake_add(w->s, UNREADABLE, path, name, w->denied ? "ask as root" : NULL,
		  "%s -> %s may hold what the host stands on: %s", name, way, doubt);
}

/*
 * What is not known of the host is told once for each function, and for each disk on USB; what is not known of a disk,
 * of the disk.
 */
static void write_doubts(struct storage *w)
{
	for (size_t i = 0; i < w->blocks.n; i++) {
		const struct block *b = &w->blocks.list[i];
		const struct standing *d = &w->standing[i];
		const char *own = storage_in_use(w, b) ? NULL : d->doubt, **paths;
		size_t n;

		if (!d->physical || b->whole || d->holds[HOLD_ROOT].thing || (!own && !w->doubt))
			continue;
		paths = block_paths(b, w->s->host, w->arena, &n);
		for (size_t k = 0; k < n; k++) {
			const char *way = way_of(w->arena, paths[k]);

			if (way && (own || !is_told(w, way)))
				write_doubt(w, paths[k], b->name, way, own ? own : w->doubt);
		}
	}
}

/* Members of pools are told by their labels only. */
static void write_slow(struct storage *w)
{
	for (size_t i = 0; i < w->blocks.n; i++) {
		const struct block *b = &w->blocks.list[i];
		const struct block *base = storage_base(&w->blocks.list[i]);
		const char **paths;
		size_t n;

		if (!w->standing[i].slow || storage_in_use(w, base))
			continue;
		paths = block_paths(b, w->s->host, w->arena, &n);
		for (size_t k = 0; k < n; k++) {
			const char *way = way_of(w->arena, paths[k]);

			if (way)
				stake_add(w->s, STORAGE_MEMBER, paths[k], base->name, NULL, "%s -> %s may be part of a pool that is not "
					  "imported: its label cannot be read in time", b->name, way);
		}
	}
}

/* Where the disks cannot be seen, any function that is made for disks may have one. */
static void write_blind(struct storage *w)
{
	const struct inventory *inv = w->s->inventory;

	for (size_t i = 0; w->blind && i < inv->n; i++) {
		const struct function *fn = &inv->functions[i];
		const char *name = arena_fmt(w->arena, "sys/bus/pci/devices/%s", fn->address);
		char target[HOST_VALUE_BYTES];

		if (fn->class >> CLASS_BASE_SHIFT != CLASS_STORAGE || is_told(w, fn->address))
			continue;
		if (host_link(w->s->host, name, target, sizeof(target)) < 0)
			snprintf(target, sizeof(target), "%s", fn->address);
		write_doubt(w, arena_dup(w->arena, target), fn->address, "its disks", w->doubt);
	}
}

void storage_write(struct storage *w)
{
	static const char *const codes[HOLD_CODES] = { ROOT_DISK, "storage-in-use", STORAGE_MEMBER };

	for (size_t code = 0; code < HOLD_CODES; code++)
		for (size_t i = 0; i < w->blocks.n; i++)
			if (w->standing[i].holds[code].thing)
				write_hold(w, &w->blocks.list[i], &w->standing[i].holds[code], codes[code]);
	write_slow(w);
	write_doubts(w);
	write_blind(w);
}
