/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SCAN_H
#define HANDOVER_SCAN_H

#include "core/plan.h"
#include "core/split.h"

/* Whether an earlier step of the plan removes the function, and none has found it again. */
bool scan_is_removed(const struct planner *p, const struct function *fn);

/*
 * A rescan brings back everything that is missing on its bus. Whether that is only what was moved: not what an earlier
 * step of the plan has removed on purpose (where own is set), nor what another VM has removed. Told.
 */
bool scan_brings_only(struct planner *p, const struct wish *w, const struct forecast *f, bool own);

#endif
