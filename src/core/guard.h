/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_CORE_GUARD_H
#define HANDOVER_CORE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The process that watches over a lease when nobody calls (hooks/guard.c), as it is found by those who start it or ask
 * for it. Proxmox calls no hook after a start that fails behind pre-start (qemu-server, PVE/QemuServer.pm,
 * vm_start_nolock), and up to qemu-server 9.1.12 no post-stop where QEMU ends slowly or the VM is started again at once
 * (qm.pm, cleanup).
 */
#define GUARD_LOCK_BYTES 64
#define GUARD_START_BYTES 24

/* The process that watches over that lease; 0: nobody does. */
pid_t guard_find(const char *generation);

/* The lock it holds as long as it watches, with its process id in it. */
void guard_lock_path(const char *generation, char path[GUARD_LOCK_BYTES]);

/* When a process was started, in the kernel's clock ticks since boot (fs/proc/array.c, field 22 of /proc/PID/stat). */
bool guard_process_start(pid_t pid, char start[GUARD_START_BYTES]);

#endif
