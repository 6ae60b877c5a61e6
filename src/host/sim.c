/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/sim.h"
#include "host/sim_children.h"
#include "host/sim_command.h"
#include "host/sim_holder.h"
#include "host/sim_hotplug.h"
#include "host/sim_module.h"
#include "host/sim_nic.h"
#include "host/sim_node.h"
#include "host/sim_pci.h"

#define LINKS_MAX 16	/* links followed for one name */

struct fault {
	unsigned at;		/* number of the write, 0 = none */
	enum sim_fault kind;
	int code;
	void (*die)(void *arg);
	void *arg;
};

struct sim {
	struct host host;
	struct arena *arena;
	struct node root;
	struct sim_pci *pci;
	int64_t clock;
	unsigned writes;
	struct fault fault;
	void (*seen)(void *arg, const char *name, const char *value);
	void *seen_arg;
};

static struct sim *sim_of(struct host *h)
{
	return (struct sim *)h;
}

/* --- the tree ----------------------------------------------------------------------------------------------- */

static struct node *child_find(struct node *dir, const char *name, size_t n)
{
	return (struct node *)tree_find(dir->in, name, n);
}

static void child_insert(struct node *dir, struct node *node)
{
	node->parent = dir;
	tree_add(&dir->in, &node->b);
}

static struct node *child_add(struct sim *s, struct node *dir, const char *name, size_t n, enum kind kind)
{
	struct node *node = arena_alloc(s->arena, sizeof(*node));

	node->b.name = arena_dupn(s->arena, name, n);
	node->kind = kind;
	child_insert(dir, node);
	return node;
}

static void child_take(struct node *node)
{
	tree_take(&node->parent->in, &node->b);
}

/* Walks name from start; the last part is followed too if it is a link and follow is set. */
static struct node *walk(struct sim *s, struct node *start, const char *name, bool follow, int *links)
{
	struct node *at = start;

	for (;;) {
		size_t n = strcspn(name, "/");
		bool last = name[n] == '\0';

		if (n == 2 && name[0] == '.' && name[1] == '.')
			at = at->parent ? at->parent : at;
		else if (n > 0)
			at = at->kind == FOLDER ? child_find(at, name, n) : NULL;
		if (!at)
			return NULL;
		if (at->kind == LINK && (!last || follow)) {
			if (!at->parent || ++*links > LINKS_MAX)
				return NULL;
			at = walk(s, at->parent, (const char *)at->data, true, links);
			if (!at)
				return NULL;
		}
		if (last)
			return at;
		name += n + 1;
	}
}

static struct node *find(struct sim *s, const char *name, bool follow)
{
	int links = 0;

	return walk(s, &s->root, name, follow, &links);
}

static struct node *make(struct sim *s, const char *name, enum kind kind)
{
	struct node *at = &s->root;

	for (;;) {
		size_t n = strcspn(name, "/");
		struct node *c = child_find(at, name, n);
		bool last = name[n] == '\0';

		if (!c)
			c = child_add(s, at, name, n, last ? kind : FOLDER);
		if (c->kind == LINK && !last) {
			int links = 0;

			c = walk(s, c->parent, (const char *)c->data, true, &links);
			if (!c)
				return NULL;
		}
		at = c;
		if (last)
			return at;
		name += n + 1;
	}
}

static void put(struct sim *s, struct node *node, enum kind kind, const void *data, size_t n)
{
	if (!node)
		return;
	node->kind = kind;
	node->data = (unsigned char *)arena_dupn(s->arena, data, n);
	node->n = n;
	node->room = n;
}

void sim_set_text(struct host *h, const char *name, const char *text, size_t n)
{
	struct sim *s = sim_of(h);

	put(s, make(s, name, FILE_), FILE_, text, n);
}

void sim_set(struct host *h, const char *name, const char *text)
{
	sim_set_text(h, name, text, strlen(text));
}

void sim_set_bytes(struct host *h, const char *name, size_t offset, const void *data, size_t n)
{
	struct sim *s = sim_of(h);
	struct node *node = make(s, name, FILE_);

	if (!node)
		return;
	if (!node->data || node->room < offset + n) {
		size_t room = offset + n < 2 * node->room ? 2 * node->room : offset + n;
		unsigned char *bigger = arena_alloc(s->arena, room + 1);

		if (node->data)
			memcpy(bigger, node->data, node->n);
		node->data = bigger;
		node->room = room;
	}
	if (node->n < offset + n)
		node->n = offset + n;
	memcpy(node->data + offset, data, n);
}

void sim_set_link(struct host *h, const char *name, const char *target)
{
	struct sim *s = sim_of(h);

	put(s, make(s, name, LINK), LINK, target, strlen(target));
}

void sim_make_folder(struct host *h, const char *name)
{
	make(sim_of(h), name, FOLDER);
}

void sim_remove(struct host *h, const char *name)
{
	struct node *node = find(sim_of(h), name, false);

	if (node && node->parent)
		child_take(node);
}

void sim_set_aside(struct host *h, const char *name, const char *reason)
{
	struct node *node = find(sim_of(h), name, false);

	if (!node || !node->parent)
		return;
	child_take(node);
	node->reason = arena_dup(sim_of(h)->arena, reason);
	node->next = node->parent->aside;
	node->parent->aside = node;
}

void sim_put_back(struct host *h, const char *folder, const char *reason)
{
	struct node *dir = find(sim_of(h), folder, true);

	if (!dir)
		return;
	for (struct node **at = &dir->aside; *at;) {
		struct node *node = *at;

		if (strcmp(node->reason, reason) != 0) {
			at = &node->next;
			continue;
		}
		*at = node->next;
		/* What has come into its place meanwhile is what there is. */
		if (!child_find(dir, node->b.name, strlen(node->b.name)))
			child_insert(dir, node);
	}
}

static int path_of(const struct node *node, char *buf, size_t size)
{
	int n = 0;

	if (node->parent && node->parent->parent) {
		n = path_of(node->parent, buf, size);
		if (n < 0)
			return n;
		if ((size_t)n + 1 < size)
			buf[n++] = '/';
	}
	if ((size_t)n + strlen(node->b.name) >= size)
		return -ENAMETOOLONG;
	strcpy(buf + n, node->b.name);
	return n + (int)strlen(node->b.name);
}

int sim_resolve(struct host *h, const char *name, char *buf, size_t size)
{
	struct node *node = find(sim_of(h), name, true);

	if (!node)
		return -ENOENT;
	return node->parent ? path_of(node, buf, size) : -EINVAL;
}

/* Folders that are asked for. */
struct folders {
	struct arena *arena;
	bool (*wanted)(const char *name);
	struct node **list;
	size_t n;
};

static void folders_gather(struct branch *b, struct folders *f)
{
	struct node *node = (struct node *)b;

	if (!b)
		return;
	folders_gather(b->left, f);
	if (node->kind == FOLDER && f->wanted(b->name)) {
		f->list = arena_grow(f->arena, f->list, f->n, sizeof(*f->list));
		f->list[f->n++] = node;
	}
	/* A text may put a link or a file where a folder was: no name leads into that any more. */
	if (node->kind == FOLDER)
		folders_gather(node->in, f);
	folders_gather(b->right, f);
}

void sim_each_folder(struct host *h, const char *name, bool (*wanted)(const char *name),
		     void (*each)(void *arg, const char *path), void *arg)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct node *top = find(sim_of(h), name, false);
	struct folders f = { .arena = a, .wanted = wanted };
	char path[HOST_NAME_BYTES];

	if (top && top->kind == FOLDER)
		folders_gather(top->in, &f);
	for (size_t i = 0; i < f.n; i++)
		if (path_of(f.list[i], path, sizeof(path)) >= 0)
			each(arg, path);
}

size_t sim_memory(struct host *h)
{
	return arena_used(sim_of(h)->arena);
}

/* --- the seam ----------------------------------------------------------------------------------------------- */

static ssize_t copy_out(const struct node *node, char *buf, size_t size)
{
	size_t n = node->n < size ? node->n : size;

	/* What fits is there then, as after read(2). */
	if (n)
		memcpy(buf, node->data, n);
	if (n == size)
		return -E2BIG;
	buf[node->n] = '\0';
	return (ssize_t)node->n;
}

static ssize_t sim_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct node *node = find(sim_of(h), name, true);

	if (!node)
		return sim_command_read(h, name, buf, size);
	return node->kind == FILE_ ? copy_out(node, buf, size) : -EISDIR;
}

static ssize_t sim_link(struct host *h, const char *name, char *buf, size_t size)
{
	struct node *node = find(sim_of(h), name, false);

	/* One that is not in the tree may be there with arguments. */
	if (!node)
		return str_starts(name, "command/") ? -EINVAL : -ENOENT;
	return node->kind == LINK ? copy_out(node, buf, size) : -EINVAL;
}

/* What a folder has, in order. */
struct listing {
	struct arena *arena;
	char **names;
	size_t n;
};

static void list_all(const struct branch *b, struct listing *l)
{
	if (!b)
		return;
	list_all(b->left, l);
	l->names = arena_grow(l->arena, l->names, l->n, sizeof(*l->names));
	l->names[l->n++] = arena_dup(l->arena, b->name);
	list_all(b->right, l);
}

static int sim_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	struct node *dir = find(sim_of(h), name, true);
	struct listing l = { .arena = a };

	if (!dir)
		return -ENOENT;
	if (dir->kind != FOLDER)
		return -ENOTDIR;
	list_all(dir->in, &l);
	*names = l.names;
	*n = l.n;
	return 0;
}

static int obey(struct sim *s, const char *name, const char *value)
{
	char resolved[HOST_NAME_BYTES];
	int n;

	if (str_starts(name, "module/"))
		return sim_module_write(&s->host, s->pci, name, value);
	if (str_starts(name, "nic/"))
		return sim_nic_write(&s->host, name + strlen("nic/"), value);
	if (str_starts(name, "unit/"))
		return sim_unit_write(&s->host, name + strlen("unit/"), value);
	if (str_starts(name, "command/"))
		return sim_command_write(&s->host, name, value);
	n = sim_resolve(&s->host, name, resolved, sizeof(resolved));
	if (n < 0)
		return n;
	n = sim_pci_write(s->pci, resolved, value);
	if (n == -ENOSYS)
		n = sim_hotplug_write(&s->host, s->pci, resolved, value);
	if (n == -ENOSYS)
		n = sim_children_write(&s->host, resolved, value);
	return n == -ENOSYS ? -EACCES : n;
}

static bool hangs(struct sim *s, const char *name, const char *value)
{
	char resolved[HOST_NAME_BYTES];

	return sim_resolve(&s->host, name, resolved, sizeof(resolved)) >= 0 && sim_holder_hangs(&s->host, resolved, value);
}

static int sim_write(struct host *h, const char *name, const char *value, unsigned deadline_ms,
		     struct host_stuck *stuck)
{
	struct sim *s = sim_of(h);
	struct fault f;
	bool broken;
	int code;

	if (s->seen)
		s->seen(s->seen_arg, name, value);
	f = s->fault;
	broken = ++s->writes == f.at;
	if (broken && f.kind == SIM_FAIL_BEFORE)
		return f.code;
	if (broken && f.kind == SIM_DIE_BEFORE)
		f.die(f.arg);
	if ((broken && f.kind == SIM_HANG) || hangs(s, name, value)) {
		s->clock += deadline_ms;
		stuck->pid = 1;
		return -ETIMEDOUT;
	}
	code = obey(s, name, value);
	if (broken && f.kind == SIM_DIE_AFTER)
		f.die(f.arg);
	return broken ? f.code : code;
}

static int sim_wait(struct host *h, unsigned ms)
{
	sim_of(h)->clock += ms;
	return 0;
}

static int64_t sim_now(struct host *h)
{
	return sim_of(h)->clock;
}

static void sim_close(struct host *h)
{
	struct arena *a = sim_of(h)->arena;

	arena_free(a);
}

static const struct host_ops sim_ops = {
	.read = sim_read,
	.link = sim_link,
	.list = sim_list,
	.write = sim_write,
	.wait = sim_wait,
	.now = sim_now,
	.close = sim_close,
};

struct host *sim_new(void)
{
	struct arena *a = arena_new();
	struct sim *s = arena_alloc(a, sizeof(*s));

	s->host.ops = &sim_ops;
	s->arena = a;
	s->root.b.name = "";
	s->root.kind = FOLDER;
	s->pci = sim_pci_new(&s->host, a);
	return &s->host;
}

int sim_settle(struct host *h, struct error *err)
{
	return sim_pci_settle(sim_of(h)->pci, err);
}

void sim_break(struct host *h, unsigned nth, enum sim_fault fault, int code, void (*die)(void *arg), void *arg)
{
	struct sim *s = sim_of(h);

	assert(code < 0);
	s->fault = (struct fault){ nth ? s->writes + nth : 0, fault, code, die, arg };
}

unsigned sim_writes(const struct host *h)
{
	return ((const struct sim *)h)->writes;
}

void sim_watch(struct host *h, void (*seen)(void *arg, const char *name, const char *value), void *arg)
{
	sim_of(h)->seen = seen;
	sim_of(h)->seen_arg = arg;
}

void sim_dump(struct host *h, FILE *out)
{
	nodes_dump(sim_of(h)->root.in, out);
}
