/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_LIVE_TRANSIENT_H
#define HANDOVER_LIVE_TRANSIENT_H

/*
 * Starts a program as a service of systemd of its own, with no file (systemd's StartTransientUnit): outside of the
 * caller's process group, session and control group, with its output in the journal. words[0] is the program's full
 * path; NULL ends the list. At a shutdown of the host it ends after Proxmox's guests (Before=pve-guests.service). It is
 * gone from systemd's list as soon as it has ended, however it did.
 *
 * -ENOENT: systemd did not boot this host. -ETIMEDOUT: no answer within TRANSIENT_MS. Else as sd-bus has it. 0: systemd
 * took the job, and the program is about to run. Only for a worker: connecting may block.
 */
#define TRANSIENT_MS 3000

int live_transient_start(const char *unit, const char *description, const char *const *words);

#endif
