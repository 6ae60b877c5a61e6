/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "core/profile.h"

/*
 * profile_load FILE...: what the loader says of each file, one line a finding; "FILE: loads" if it says nothing.
 * Status 1 if any of them does not load. For tests in other languages.
 */
static const struct profile *load(const char *file, struct findings *f)
{
	size_t room = PROFILE_BYTES_MAX + 1, n;
	char *text = arena_alloc(f->arena, room);
	FILE *in = fopen(file, "re");

	if (!in) {
		perror(file);
		exit(2);
	}
	n = fread(text, 1, room, in);
	fclose(in);
	return profile_parse(text, n, file, f);
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct findings f;

		findings_init(&f, arena);
		if (load(argv[i], &f))
			printf("%s: loads\n", argv[i]);
		else
			status = 1;
		for (size_t k = 0; k < f.n; k++)
			puts(finding_line(&f.list[k], arena));
	}
	return status;
}
