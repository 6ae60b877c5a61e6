/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TURN_H
#define HANDOVER_TURN_H

#include "core/step.h"

/*
 * The next write for everything that is said in names of the seam: how functions of the PCI bus leave, come back and
 * change drivers, how their network interfaces find their place again, how units and modules go on and off, that a
 * command is run. Each is a rule from what a look reads to what it shall read; together they are what most actions'
 * next() is.
 *
 * In this order: modules are loaded; functions that must leave are unbound and removed; what is missing is looked for
 * by one rescan of its bus; what was found must be who it was; drivers, their overrides and power; the network
 * interface gets its name, size and place, and goes up; then units, commands, USB devices and modules that must go. What
 * nobody can write (an IOMMU group, an interface that has yet to appear) is waited for as long as the step has patience.
 */
bool turn_next(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *poke,
	       struct error *err);

/* The same for a step that only looks: it is waited as long as the step has patience, and nothing is written. */
bool turn_wait(const struct step *s, const struct looks *now, const struct looks *goal, struct poke *poke,
	       struct error *err);

#endif
