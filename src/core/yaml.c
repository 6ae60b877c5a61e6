/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "core/profile_codes.h"
#include "core/yaml.h"
#include "core/yaml_text.h"

#define _cleanup_event_ __attribute__((cleanup(yaml_event_delete)))

struct reader {
	yaml_parser_t parser;
	struct findings *f;
	const char *file;
	const char *text;	/* without byte order mark */
	size_t n;
	size_t n_nodes;
	unsigned depth;
	struct span *spans;
	size_t n_spans;
};

static struct node *node_read(struct reader *r, const yaml_event_t *e);

const char *node_kind_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_WORD:
		return "a word";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a map";
	}
	return "?";
}

bool node_is_absent(const struct node *node)
{
	return node->kind == NODE_WORD && node->plain && !*node->text;
}

static struct place place_of(const struct reader *r, yaml_mark_t mark)
{
	return (struct place){ r->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

static void syntax_bad(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "not enough memory";
	struct place place = place_of(r, p->problem_mark);
	size_t at = text_offset(r->text, r->n, p->problem_mark.index);

	if (at < r->n && r->text[at] == '\t')
		profile_bad(r->f, CODE_YAML_TAB, place, "use spaces", "a tab stands here");
	else if (p->context && p->context_mark.line != p->problem_mark.line)
		profile_bad(r->f, CODE_YAML_SYNTAX, place, "look at indentation, quotes and colons here and above",
			    "this is not YAML: %s, %s that starts in line %zu", problem, p->context,
			    p->context_mark.line + 1);
	else
		profile_bad(r->f, CODE_YAML_SYNTAX, place, "look at indentation, quotes and colons here and above",
			    "this is not YAML: %s", problem);
}

static bool event_next(struct reader *r, yaml_event_t *e)
{
	if (yaml_parser_parse(&r->parser, e))
		return true;
	syntax_bad(r);
	return false;
}

static void properties_check(struct reader *r, struct place place, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		profile_bad(r->f, CODE_YAML_ANCHOR, place, "write the value out where it is needed",
			    "anchors such as %s are not known here",
			    yaml_quote(r->f->arena, arena_fmt(r->f->arena, "&%s", (const char *)anchor)));
	if (tag)
		profile_bad(r->f, CODE_YAML_TAG, place, "leave it out; what a value means is known from its key",
			    "tags such as %s are not known here", yaml_quote(r->f->arena, (const char *)tag));
}

static void span_add(struct reader *r, size_t start, size_t end, bool quoted)
{
	r->spans = arena_grow(r->f->arena, r->spans, r->n_spans, sizeof(*r->spans));
	r->spans[r->n_spans++] = (struct span){ start, end, quoted };
}

static void word_fill(struct reader *r, struct node *node, const yaml_event_t *e)
{
	size_t n = e->data.scalar.length;

	node->kind = NODE_WORD;
	node->text = arena_dupn(r->f->arena, (const char *)e->data.scalar.value, n);
	node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	span_add(r, e->start_mark.index, e->end_mark.index,
		 e->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
		 e->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	if (text_is_printable(node->text, n))
		return;
	node->told = true;
	profile_bad(r->f, CODE_CONTROL_CHARACTER, node->place,
		    "write the text in one line, without tabs and escapes; after '|' or '>' put '-'",
		    "%s holds a character that does not show", yaml_quote(r->f->arena, node->text));
}

/* Whether value may be added under key; if not, why has been told. */
static bool key_check(struct reader *r, const struct node *map, const struct node *key)
{
	struct arena *a = r->f->arena;

	if (key->told)
		return false;
	if (node_is_absent(key)) {
		profile_bad(r->f, CODE_BAD_KEY, key->place, "write one word before the ':'", "there is no key here");
		return false;
	}
	if (key->kind != NODE_WORD) {
		profile_bad(r->f, CODE_BAD_KEY, key->place, "write one word before the ':'", "%s cannot be a key",
			    node_kind_name(key->kind));
		return false;
	}
	if (key->plain && strcmp(key->text, "<<") == 0) {
		profile_bad(r->f, CODE_YAML_MERGE, key->place, "write the keys out where they are needed",
			    "merge keys ('<<') are not known here");
		return false;
	}
	for (const struct node *n = map->first; n; n = n->next) {
		if (strcmp(n->key->text, key->text) != 0)
			continue;
		profile_bad(r->f, CODE_DUPLICATE_KEY, key->place, "keep one of the two, with all that both say",
			    "%s stands in this map twice, first in line %u", yaml_quote(a, key->text),
			    n->key->place.line);
		return false;
	}
	return true;
}

static bool list_fill(struct reader *r, struct node *list)
{
	const struct node **end = &list->first;

	for (;;) {
		_cleanup_event_ yaml_event_t e;
		struct node *item;

		if (!event_next(r, &e))
			return false;
		if (e.type == YAML_SEQUENCE_END_EVENT)
			return true;
		item = node_read(r, &e);
		if (!item)
			return false;
		*end = item;
		end = &item->next;
	}
}

static bool map_fill(struct reader *r, struct node *map)
{
	const struct node **end = &map->first;
	const struct node *key = NULL;
	size_t keys = 0;

	for (;;) {
		_cleanup_event_ yaml_event_t e;
		struct node *node;

		if (!event_next(r, &e))
			return false;
		if (e.type == YAML_MAPPING_END_EVENT)
			return true;
		node = node_read(r, &e);
		if (!node)
			return false;
		if (!key && ++keys > YAML_KEYS_MAX) {
			profile_bad(r->f, CODE_TOO_MANY_KEYS, node->place, "nothing needs as many",
				    "a map has at most %d keys", YAML_KEYS_MAX);
			return false;
		}
		if (!key) {
			key = node;
			continue;
		}
		if (key_check(r, map, key)) {
			node->key = key;
			*end = node;
			end = &node->next;
		}
		key = NULL;
	}
}

static bool collection_fill(struct reader *r, struct node *node)
{
	bool good;

	if (r->depth == YAML_DEPTH_MAX) {
		profile_bad(r->f, CODE_TOO_DEEP, node->place, "nothing needs more",
			    "lists and maps are nested more than %d deep", YAML_DEPTH_MAX);
		return false;
	}
	r->depth++;
	good = node->kind == NODE_LIST ? list_fill(r, node) : map_fill(r, node);
	r->depth--;
	return good;
}

/* The node that begins with this event, and all in it; NULL if reading must end here. */
static struct node *node_read(struct reader *r, const yaml_event_t *e)
{
	struct node *node;

	if (r->n_nodes++ == YAML_NODES_MAX) {
		profile_bad(r->f, CODE_TOO_MANY_NODES, place_of(r, e->start_mark), "nothing needs as many",
			    "a file has at most %d keys, words, lists and maps", YAML_NODES_MAX);
		return NULL;
	}
	node = arena_alloc(r->f->arena, sizeof(*node));
	node->place = place_of(r, e->start_mark);
	node->text = "";
	if (e->type == YAML_ALIAS_EVENT) {
		node->told = true;
		profile_bad(r->f, CODE_YAML_ALIAS, node->place, "write the value out where it is needed",
			    "aliases such as %s are not known here",
			    yaml_quote(r->f->arena,
				       arena_fmt(r->f->arena, "*%s", (const char *)e->data.alias.anchor)));
		return node;
	}
	if (e->type == YAML_SCALAR_EVENT) {
		properties_check(r, node->place, e->data.scalar.anchor, e->data.scalar.tag);
		word_fill(r, node, e);
		return node;
	}
	if (e->type == YAML_SEQUENCE_START_EVENT) {
		node->kind = NODE_LIST;
		properties_check(r, node->place, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	} else {
		node->kind = NODE_MAP;
		properties_check(r, node->place, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	}
	return collection_fill(r, node) ? node : NULL;
}

static void empty_bad(struct reader *r)
{
	profile_bad(r->f, CODE_YAML_EMPTY, (struct place){ r->file, 1, 1 }, "its first line is 'handover: 1'",
		    "there is nothing in this file");
}

/*
 * Directives are looked for before libyaml sees them: it compares each with all before it, which takes long where
 * there are thousands.
 */
static bool directives_check(struct reader *r)
{
	struct place place = { r->file, 1, 1 };

	if (!text_starts_directive(r->text, r->n, 0, &place))
		return true;
	profile_bad(r->f, CODE_YAML_DIRECTIVE, place, "leave the line out",
		    "directives ('%%YAML', '%%TAG') are not known here");
	return false;
}

static void documents_bad(struct reader *r, struct place place)
{
	profile_bad(r->f, CODE_YAML_DOCUMENTS, place, "put it in a file of its own", "a second document starts here");
}

static const struct node *document_read(struct reader *r)
{
	_cleanup_event_ yaml_event_t e;
	const struct node *root;

	if (!event_next(r, &e))
		return NULL;
	root = node_read(r, &e);
	if (root && node_is_absent(root) && !root->told) {
		empty_bad(r);
		return NULL;
	}
	return root;
}

/* What is left after the document: nothing. */
static bool end_check(struct reader *r)
{
	_cleanup_event_ yaml_event_t end, next;
	struct place place;

	memset(&next, 0, sizeof(next));
	if (!event_next(r, &end))
		return false;
	place = place_of(r, end.end_mark);
	if (text_starts_directive(r->text, r->n, end.end_mark.index, &place)) {
		documents_bad(r, place);
		return false;
	}
	if (!event_next(r, &next))
		return false;
	if (next.type == YAML_STREAM_END_EVENT)
		return true;
	documents_bad(r, place_of(r, next.start_mark));
	/* It is not read, so its tabs are not judged. */
	span_add(r, next.start_mark.index, SIZE_MAX, true);
	return true;
}

static const struct node *stream_read(struct reader *r)
{
	_cleanup_event_ yaml_event_t start, e;
	const struct node *root;

	memset(&e, 0, sizeof(e));
	if (!event_next(r, &start) || !event_next(r, &e))
		return NULL;
	if (e.type == YAML_STREAM_END_EVENT) {
		empty_bad(r);
		return NULL;
	}
	root = document_read(r);
	if (!root || !end_check(r))
		return NULL;
	text_check_tabs(r->text, r->n, r->spans, r->n_spans, r->file, r->f);
	return root;
}

const struct node *yaml_tree(const char *text, size_t n, const char *file, struct findings *f)
{
	size_t mark = text_mark(text, n);
	struct reader r = { .f = f, .file = file, .text = text + mark, .n = n - mark };
	const struct node *root;

	if (!text_check(r.text, r.n, file, f) || !directives_check(&r))
		return NULL;
	if (!yaml_parser_initialize(&r.parser)) {
		syntax_bad(&r);
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, r.n);
	root = stream_read(&r);
	yaml_parser_delete(&r.parser);
	return root;
}
