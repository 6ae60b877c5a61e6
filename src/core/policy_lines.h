/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_POLICY_LINES_H
#define HANDOVER_POLICY_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"

/*
 * What libinih takes of a line (INI_MAX_LINE of ini.h, which counts the line's end and the NUL too). It would cut a
 * longer one, and read on as if a new line began there.
 */
#define POLICY_LINE_MAX 197

/*
 * Whether a text says the same to a person and to libinih, which reads more than it should into some lines and less
 * into others (ini.c, ini_parse_stream()): each line is blank, a comment, "[section]", or "key = value", starts in the
 * first column, is at most POLICY_LINE_MAX bytes long, and has no comment behind it. One error for each that is not so.
 */
bool policy_lines_check(const char *text, size_t n, const char *file, struct findings *f);

#endif
