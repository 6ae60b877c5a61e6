/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_MODULE_H
#define HANDOVER_LIVE_MODULE_H

#include <stddef.h>
#include <sys/types.h>

/* The providers module/ and modalias/ of the running kernel, through libkmod; see host.h for what they answer. */
struct kmod_ctx;

/* The modules of the running kernel, or NULL if there is no folder of them. */
struct kmod_ctx *live_module_open(void);
void live_module_close(struct kmod_ctx *ctx);

ssize_t live_module_state(struct kmod_ctx *ctx, const char *module, char *buf, size_t size);
ssize_t live_module_candidates(struct kmod_ctx *ctx, const char *alias, char *buf, size_t size);

/* Loads a module and what it needs. 0 if it is there already. */
int live_module_load(struct kmod_ctx *ctx, const char *module);

/*
 * Takes a module out, and it alone: what it needed stays. -EBUSY: something holds it. -ENOENT: it is not loaded, or
 * built in. May block for as long as its drivers take to let go of their devices.
 */
int live_module_unload(struct kmod_ctx *ctx, const char *module);

#endif
