/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_WAITS_H
#define HANDOVER_WAITS_H

/*
 * Where in the kernel a process waits, for a person: "awkward_remove, called by pci_device_remove, unbind_store". wchan
 * and stack are what proc(5) has in /proc/PID/wchan and /proc/PID/stack, which only root may read; either may be empty.
 * "" if it is not known, or the process waits for nothing.
 */
#define WAITS_BYTES 384
void waits_shown(const char *wchan, const char *stack, char buf[WAITS_BYTES]);

#endif
