/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/traces.h"

/*
 * The first byte is the kind of file, of two that are written otherwise with its highest bit; the rest, up to a NUL, its
 * text. What is taken of it can be shown, names no file
 * outside the folders of scripts, and written again it is taken for the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static const char *const names[] = {
	[TRACE_MODPROBE] = "etc/modprobe.d/x.conf", [TRACE_MODULES] = "etc/modules",
	[TRACE_CMDLINE] = "etc/default/grub", [TRACE_DRIVERCTL] = "etc/driverctl.d/pci-x",
	[TRACE_UDEV] = "etc/udev/rules.d/x.rules", [TRACE_CRON] = "etc/crontab",
	[TRACE_UNIT] = "etc/systemd/system/x.service", [TRACE_SCRIPT] = "root/x",
};

static const char *name_of(enum trace_kind kind, bool other)
{
	if (other && kind == TRACE_CMDLINE)
		return "etc/kernel/cmdline";
	return other && kind == TRACE_CRON ? "var/spool/cron/crontabs/root" : names[kind];
}

static void touch_word(const char *word)
{
	for (const char *c = word; c && *c; c++)
		require(*c >= ' ' && *c <= '~');
}

static void touch(const struct trace_file *f)
{
	unsigned last = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct trace_line *l = &f->lines[i];

		require(l->number > last && l->number <= TRACE_LINES_MAX && (l->n || l->text));
		last = l->number;
		touch_word(l->text);
		touch_word(l->when);
		for (size_t k = 0; k < l->n; k++) {
			touch_word(l->deeds[k].device);
			touch_word(l->deeds[k].value);
			require(l->deeds[k].kind != DEED_RUNS || str_is_path(l->deeds[k].value, DEED_PATH_MAX));
		}
	}
}

static struct trace_file parse(struct arena *a, enum trace_kind kind, bool other, const char *text)
{
	struct trace_file f = { .name = name_of(kind, other), .kind = kind };

	trace_parse(&f, arena_dup(a, text), a);
	touch(&f);
	return f;
}

static const char *write_file(struct arena *a, const struct trace_file *f)
{
	const char *text = "";
	unsigned number = 1;

	for (size_t i = 0; i < f->n; i++) {
		for (; number < f->lines[i].number; number++)
			text = arena_fmt(a, "%s\n", text);
		text = arena_fmt(a, "%s%s\n", text, trace_written(f, &f->lines[i], a));
		number++;
	}
	return text;
}

static void require_same(const struct trace_file *x, const struct trace_file *y)
{
	require(x->n == y->n);
	for (size_t i = 0; i < x->n; i++) {
		const struct trace_line *l = &x->lines[i], *m = &y->lines[i];

		require(l->number == m->number && l->n == m->n);
		require(str_same(l->text, m->text) && str_same(l->when, m->when));
		for (size_t k = 0; k < l->n; k++) {
			require(l->deeds[k].kind == m->deeds[k].kind);
			require(str_same(l->deeds[k].device, m->deeds[k].device));
			require(str_same(l->deeds[k].value, m->deeds[k].value));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct trace_file first, again;
	enum trace_kind kind;
	bool other;

	if (n < 1)
		return 0;
	other = data[0] & 0x80;
	kind = (enum trace_kind)(data[0] % (TRACE_SCRIPT + 1));
	first = parse(a, kind, other, n > 1 ? arena_dupn(a, (const char *)data + 1, n - 1) : "");
	again = parse(a, kind, other, write_file(a, &first));
	require_same(&first, &again);
	return 0;
}
