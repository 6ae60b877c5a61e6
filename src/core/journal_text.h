/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_JOURNAL_TEXT_H
#define HANDOVER_JOURNAL_TEXT_H

#include "core/journal.h"

/* The lease as journal_parse() reads it, up to and with "ready". NULL: out of memory. */
char *journal_write_text(const struct lease *lease, struct arena *a);

/* "do", "did", "undo", "undid"; NULL for MARK_NONE. */
const char *journal_mark_word(enum mark m);

#endif
