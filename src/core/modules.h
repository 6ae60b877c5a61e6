/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_MODULES_H
#define HANDOVER_MODULES_H

#include "core/plan.h"

/*
 * What stands on a kernel module at this point of a plan. delete_module(2) takes a module from under every device its
 * driver has, and asks nobody: a bound driver does not count as a user (kernel/module/main.c, try_stop_module()). It
 * refuses only while another module needs it (sys/module/NAME/holders) or somebody has taken a reference.
 */
struct module_use {
	const struct function *function;	/* it drives this one, and perhaps others; NULL: none */
	size_t more;				/* how many others */
	const char *holder;			/* a module that needs it, and that no earlier step takes out; NULL: none */
	/*
	 * Earlier steps have taken all it was for off its driver: it drove functions, or needs a module that did, or only
	 * such modules need it, and none of these functions is on its driver any more.
	 */
	bool serves_lent;
};

struct module_use module_use(const struct planner *p, const char *module);

/* A module's name as sysfs has it: '-' is written '_'. */
const char *module_name(const char *word, struct arena *a);

#endif
