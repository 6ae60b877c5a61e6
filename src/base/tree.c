/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/tree.h"

/*
 * A branch is one level above its left one, and above its right one or level with it, but never with two in a row.
 * The two turns below make that so again.
 */
static unsigned level_of(const struct branch *t)
{
	return t ? t->level : 0;
}

static struct branch *skew(struct branch *t)
{
	struct branch *left = t->left;

	if (!left || left->level != t->level)
		return t;
	t->left = left->right;
	left->right = t;
	return left;
}

static struct branch *split(struct branch *t)
{
	struct branch *right = t->right;

	if (!right || !right->right || right->right->level != t->level)
		return t;
	t->right = right->left;
	right->left = t;
	right->level++;
	return right;
}

struct branch *tree_find(struct branch *root, const char *name, size_t n)
{
	while (root) {
		int order = strncmp(name, root->name, n);

		if (order == 0 && root->name[n] == '\0')
			return root;
		root = order > 0 ? root->right : root->left;
	}
	return NULL;
}

void tree_add(struct branch **root, struct branch *b)
{
	struct branch *t = *root;

	if (!t) {
		b->left = b->right = NULL;
		b->level = 1;
		*root = b;
		return;
	}
	tree_add(strcmp(b->name, t->name) < 0 ? &t->left : &t->right, b);
	*root = split(skew(t));
}

/* Something below t is gone. */
static struct branch *lower(struct branch *t)
{
	unsigned left = level_of(t->left), right = level_of(t->right), level = (left < right ? left : right) + 1;

	if (level < t->level) {
		t->level = level;
		if (t->right && level < t->right->level)
			t->right->level = level;
	}
	t = skew(t);
	if (t->right)
		t->right = skew(t->right);
	if (t->right && t->right->right)
		t->right->right = skew(t->right->right);
	t = split(t);
	if (t->right)
		t->right = split(t->right);
	return t;
}

void tree_take(struct branch **root, const struct branch *b)
{
	struct branch *t = *root, *heir;
	int order = strcmp(b->name, t->name);

	if (order == 0 && !t->left) {
		/* Level 1: at most one is right of it, without any below. */
		*root = t->right;
		return;
	}
	if (order == 0) {
		for (heir = t->left; heir->right; heir = heir->right)
			;
		tree_take(&t->left, heir);
		heir->left = t->left;
		heir->right = t->right;
		heir->level = t->level;
		t = heir;
	} else {
		tree_take(order < 0 ? &t->left : &t->right, b);
	}
	*root = lower(t);
}
