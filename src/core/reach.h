/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_REACH_H
#define HANDOVER_REACH_H

#include "core/engine.h"

/*
 * Write after write until the step is at its goal. On the way back a function that will not go there does not keep the
 * others of the step away: a network interface may have left with it.
 */
int reach(struct engine *e, const struct step *s, enum goal goal, struct error *err);

#endif
