/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_CLOCK_H
#define HANDOVER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* What a clock of the kernel's shows, to measure time by: CLOCK_MONOTONIC; CLOCK_BOOTTIME counts a suspended host's too. */
int64_t clock_us(clockid_t clock);
int64_t clock_ms(clockid_t clock);

#endif
