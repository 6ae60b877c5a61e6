/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_ERROR_H
#define HANDOVER_ERROR_H

#define ERROR_MAX 1024

/*
 * One failure, told once: a negative errno and one sentence. It lives on the caller's stack and needs no memory
 * of its own, so it can be made while the arena is sealed.
 *
 * A function that fails returns the negative errno and fills *err; on success it leaves *err alone. Whoever adds
 * context on the way up calls error_in(); only verbs and hooks print.
 */
struct error {
	int code;		/* negative errno */
	char text[ERROR_MAX];	/* lower case, no full stop; cut if longer */
};

/* Sets *err and returns code, so that it can stand in a return. code must be negative. */
int error_set(struct error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* Like error_set(), and adds ": " and the text of the errno. */
int error_errno(struct error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* Puts "outer: " before the sentence that is there and returns its code. */
int error_in(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(1, 2)));

#endif
