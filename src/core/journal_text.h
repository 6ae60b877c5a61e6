/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_JOURNAL_TEXT_H
#define HANDOVER_JOURNAL_TEXT_H

#include "core/journal.h"

/* The lease as journal_parse() reads it, up to and with "ready". NULL: out of memory. */
char *journal_write_text(const struct lease *lease, struct arena *a);

/* "do", "did", "undo", "undid", "given"; NULL for MARK_NONE. */
const char *journal_mark_word(enum mark m);

/* "was 3 0 =15369 HASH": the line that says what look 0 of step 3 read; with a hash, since a wrong number would be believed. */
#define WAS_LINE_BYTES (64 + STEP_LIFE_BYTES)
void journal_was_line(char line[WAS_LINE_BYTES], size_t step, size_t look, const char *text);

/* "doubt 3 4711 unbinding it from 'awkward' sys/...": step, process, what it does, file. */
#define DOUBT_LINE_BYTES 640
void journal_doubt_line(char line[DOUBT_LINE_BYTES], size_t step, const struct doubt *doubt);

#endif
