/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/holder.h"
#include "core/pveconf.h"

#define CONTAINER "lxc/"

/* A folder of nodes, and which of them somebody has open. */
struct holder_folder {
	const char *name;	/* "dev/snd" */
	char **open;
	size_t n;
	int code;		/* a negative errno: they are not known */
};

/* --- a process --------------------------------------------------------------------------------------------------- */

/* The VM of "101.scope": qemu-server starts each in a scope of its number (PVE/QemuServer.pm, vm_start_nolock). */
static unsigned vm_of(const char *unit, struct arena *a)
{
	const char *dot = strchr(unit, '.');
	unsigned vmid;

	if (!dot || strcmp(dot, ".scope") != 0)
		return 0;
	return vmid_parse(arena_dupn(a, unit, (size_t)(dot - unit)), &vmid) ? vmid : 0;
}

static void describe(struct holder_process *p, struct arena *a)
{
	unsigned vm = p->unit ? vm_of(p->unit, a) : 0, container = 0;

	p->text = arena_fmt(a, "process %s (%s)", p->pid, p->command);
	p->remedy = arena_fmt(a, "end process %s first", p->pid);
	if (!p->unit)
		return;
	if (str_starts(p->unit, CONTAINER) && !vmid_parse(p->unit + strlen(CONTAINER), &container))
		container = 0;
	p->guest = vm ? vm : container;
	if (vm) {
		p->text = arena_fmt(a, "%s of VM %u (%s)", p->text, vm, p->unit);
		p->remedy = arena_fmt(a, "stop VM %u first", vm);
	} else if (container) {
		p->text = arena_fmt(a, "%s of container %u", p->text, container);
		p->remedy = arena_fmt(a, "stop container %u first", container);
	} else {
		p->text = arena_fmt(a, "%s of %s", p->text, p->unit);
		if (str_is_unit(p->unit))
			p->remedy = arena_fmt(a, "stop %s first", p->unit);
	}
}

static bool parse(char *line, struct arena *a, struct holder_process *p)
{
	*p = (struct holder_process){ .pid = strsep(&line, " "), .command = "?" };
	p->unit = line ? strsep(&line, " ") : NULL;
	if (str_same(p->unit, "-"))
		p->unit = NULL;
	if (line && *line)
		p->command = line;
	if (!*p->pid)
		return false;
	describe(p, a);
	return true;
}

/* --- a node ------------------------------------------------------------------------------------------------------ */

static int is_open(struct holder_look *look, const char *node);

static const struct holder_folder *folder_of(struct holder_look *look, const char *name)
{
	struct holder_folder f = { .name = name };

	for (size_t i = 0; i < look->n_folders; i++)
		if (strcmp(look->folders[i].name, name) == 0)
			return &look->folders[i];
	/* Of a folder in which nothing is open nobody needs the list. */
	f.code = strchr(name, '/') ? is_open(look, name) : 1;
	if (f.code == 1)
		f.code = host_list(look->host, arena_fmt(look->arena, "holder/%s", name), look->arena, &f.open, &f.n);
	if (f.code < 0)
		f.n = 0;
	if (f.code == -ENOENT)
		f.code = 0;
	look->folders = arena_grow(look->arena, look->folders, look->n_folders, sizeof(f));
	look->folders[look->n_folders] = f;
	return &look->folders[look->n_folders++];
}

/* 1: somebody has it open, or something in it. */
static int is_open(struct holder_look *look, const char *node)
{
	const char *slash = strrchr(node, '/');
	const struct holder_folder *f = folder_of(look, arena_dupn(look->arena, node, (size_t)(slash - node)));

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->open[i], slash + 1) == 0)
			return 1;
	return f->code;
}

int holder_ask(struct holder_look *look, const char *node, struct holder_process **list, size_t *n)
{
	int code = is_open(look, node);
	char *text, *line;
	int64_t begun;
	ssize_t got;
	bool cut;

	*list = NULL;
	*n = 0;
	if (code != 1)
		return code;
	if (look->spent >= HOLDER_ASK_MS)
		return -ETIMEDOUT;
	text = arena_alloc(look->arena, HOLDER_BYTES);
	begun = host_now(look->host);
	got = host_read_lines(look->host, arena_fmt(look->arena, "holder/%s", node), text, HOLDER_BYTES, &cut);
	look->spent += host_now(look->host) - begun;
	/* He has closed it meanwhile. */
	if (got < 0)
		return got == -ENOENT ? 0 : (int)got;
	/* Not even one line: somebody has it. */
	if (cut && got == 0)
		return -E2BIG;
	while ((line = strsep(&text, "\n")) != NULL) {
		*list = arena_grow(look->arena, *list, *n, sizeof(**list));
		*n += parse(line, look->arena, &(*list)[*n]);
	}
	return 0;
}

int holder_list(struct holder_look *look, const char *folder, char ***names, size_t *n)
{
	const struct holder_folder *f = folder_of(look, folder);

	*names = f->open;
	*n = f->n;
	return f->code < 0 ? f->code : 0;
}
