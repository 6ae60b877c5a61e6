/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TREE_H
#define HANDOVER_TREE_H

#include <stddef.h>

/*
 * Names in the order of strcmp(), each once, in a balanced tree: Arne Andersson, "Balanced Search Trees Made Simple",
 * 1993. However many there are and in whatever order they come, one is found, added or taken out in some tens of
 * comparisons. What has such a name begins with its branch; an empty tree is NULL, and memory is the owner's affair.
 * Who wants to see all goes left, here, right.
 */
struct branch {
	struct branch *left, *right;
	unsigned level;
	const char *name;	/* set by the owner, and left alone while it is in a tree */
};

/* The one whose name is the first n bytes of name, or NULL. */
struct branch *tree_find(struct branch *root, const char *name, size_t n);

/* None in it may have that name. */
void tree_add(struct branch **root, struct branch *b);

/* b must be in it. */
void tree_take(struct branch **root, const struct branch *b);

#endif
