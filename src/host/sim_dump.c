/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/str.h"
#include "host/sim_node.h"

#define DUMP_DATA_MAX 128	/* of more than that, config space above all, a dump tells the hash */

static void dump_data(const struct node *c, FILE *out)
{
	static const char digit[] = "0123456789abcdef";

	if (c->n > DUMP_DATA_MAX) {
		fprintf(out, "%zu bytes, %016llx\n", c->n, (unsigned long long)str_hash(STR_HASH_START, c->data, c->n));
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		unsigned char byte = c->data[i];

		if (byte >= ' ' && byte < 0x7f && byte != '\\') {
			putc_unlocked(byte, out);
			continue;
		}
		putc_unlocked('\\', out);
		putc_unlocked(digit[byte >> 4], out);
		putc_unlocked(digit[byte & 0xf], out);
	}
	putc_unlocked('\n', out);
}

static void dump_path(const struct node *node, FILE *out)
{
	if (node->parent->parent) {
		dump_path(node->parent, out);
		putc_unlocked('/', out);
	}
	fputs(node->b.name, out);
}

void nodes_dump(const struct branch *in, FILE *out)
{
	const struct node *c = (const struct node *)in;

	if (!in)
		return;
	nodes_dump(in->left, out);
	dump_path(c, out);
	fputs(c->kind == FOLDER ? "/\n" : c->kind == LINK ? " -> " : " = ", out);
	if (c->kind != FOLDER)
		dump_data(c, out);
	nodes_dump(c->in, out);
	nodes_dump(in->right, out);
}
