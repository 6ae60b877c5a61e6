/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libkmod.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/live_module.h"

static void no_log(void *data, int priority, const char *file, int line, const char *fn, const char *fmt, va_list ap)
{
	(void)data, (void)priority, (void)file, (void)line, (void)fn, (void)fmt, (void)ap;
}

struct kmod_ctx *live_module_open(void)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);

	if (ctx) {
		kmod_set_log_fn(ctx, no_log, NULL);
		kmod_load_resources(ctx);
	}
	return ctx;
}

void live_module_close(struct kmod_ctx *ctx)
{
	if (ctx)
		kmod_unref(ctx);
}

ssize_t live_module_state(struct kmod_ctx *ctx, const char *module, char *buf, size_t size)
{
	struct kmod_module *mod;
	const char *text = NULL;
	int err = kmod_module_new_from_name(ctx, module, &mod);

	if (err < 0)
		return err;
	switch (kmod_module_get_initstate(mod)) {
	case KMOD_MODULE_BUILTIN:
		text = "builtin";
		break;
	case KMOD_MODULE_LIVE:
		text = "live";
		break;
	default:
		/* coming, going or unknown: not there to be used */
		break;
	}
	kmod_module_unref(mod);
	return text ? snprintf(buf, size, "%s", text) : -ENOENT;
}

/* A module that claims an alias twice is one candidate. */
static bool is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

ssize_t live_module_candidates(struct kmod_ctx *ctx, const char *alias, char *buf, size_t size)
{
	struct kmod_list *list = NULL, *i;
	size_t n = 0;
	int err = kmod_module_new_from_lookup(ctx, alias, &list);

	if (err < 0)
		return err;
	buf[0] = '\0';
	kmod_list_foreach(i, list) {
		struct kmod_module *mod = kmod_module_get_module(i);
		const char *name = kmod_module_get_name(mod);
		int len = is_listed(buf, name) ? 0 : snprintf(buf + n, size - n, "%s%s", n ? " " : "", name);

		kmod_module_unref(mod);
		if (len < 0 || n + (size_t)len >= size) {
			buf[n] = '\0';
			break;
		}
		n += (size_t)len;
	}
	kmod_module_unref_list(list);
	return (ssize_t)n;
}

int live_module_load(struct kmod_ctx *ctx, const char *module)
{
	struct kmod_module *mod;
	int err = kmod_module_new_from_name(ctx, module, &mod);

	if (err < 0)
		return err;
	err = kmod_module_probe_insert_module(mod, 0, NULL, NULL, NULL, NULL);
	kmod_module_unref(mod);
	return err > 0 ? 0 : err;
}

int live_module_unload(struct kmod_ctx *ctx, const char *module)
{
	struct kmod_module *mod;
	int err = kmod_module_new_from_name(ctx, module, &mod);

	if (err < 0)
		return err;
	err = kmod_module_remove_module(mod, KMOD_REMOVE_NOWAIT);
	kmod_module_unref(mod);
	/* EWOULDBLOCK: it has users, or other modules need it (kernel/module/main.c, delete_module()). */
	return err == -EAGAIN ? -EBUSY : err > 0 ? 0 : err;
}
