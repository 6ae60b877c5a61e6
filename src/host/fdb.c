/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "host/fdb.h"
#include "host/vlans.h"

#define ENTRY_BYTES 64
#define WORDS_MAX 8

static int compare(const struct fdb_entry *x, const struct fdb_entry *y)
{
	int c = memcmp(x->mac, y->mac, MAC_BYTES);

	if (c == 0)
		c = x->vlan - y->vlan;
	if (c == 0)
		c = x->is_self - y->is_self;
	if (c == 0)
		c = x->is_local - y->is_local;
	return c ? c : x->is_sticky - y->is_sticky;
}

int fdb_add(struct fdb *fdb, const struct fdb_entry *e)
{
	size_t at = fdb->n;

	if (fdb->n == FDB_MAX || fdb_has(fdb, e))
		return -EINVAL;
	for (; at > 0 && compare(&fdb->entry[at - 1], e) > 0; at--)
		fdb->entry[at] = fdb->entry[at - 1];
	fdb->entry[at] = *e;
	fdb->n++;
	return 0;
}

bool fdb_has(const struct fdb *fdb, const struct fdb_entry *e)
{
	for (size_t i = 0; i < fdb->n; i++)
		if (compare(&fdb->entry[i], e) == 0)
			return true;
	return false;
}

static bool take_words(char **words, size_t n, struct fdb_entry *e)
{
	uint64_t vlan;

	if (n == 0 || !mac_parse(words[0], e->mac))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (strcmp(words[i], "self") == 0)
			e->is_self = true;
		else if (strcmp(words[i], "local") == 0)
			e->is_local = true;
		else if (strcmp(words[i], "sticky") == 0)
			e->is_sticky = true;
		else if (strcmp(words[i], "vlan") != 0 || i + 1 == n || !str_decimal(words[++i], VLAN_ID_MAX, &vlan) || vlan == 0)
			return false;
		else
			e->vlan = (uint16_t)vlan;
	}
	return !(e->is_self && (e->is_local || e->is_sticky));
}

static bool take(char *entry, void *fdb)
{
	struct fdb_entry e = { 0 };
	char *words[WORDS_MAX];

	return take_words(words, str_words(entry, words, WORDS_MAX), &e) && fdb_add(fdb, &e) == 0;
}

int fdb_parse(const char *text, struct fdb *fdb)
{
	*fdb = (struct fdb){ 0 };
	return text_entries(text, ", ", ENTRY_BYTES, take, fdb);
}

ssize_t fdb_format(const struct fdb *fdb, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < fdb->n; i++) {
		const struct fdb_entry *e = &fdb->entry[i];
		char mac[MAC_TEXT_BYTES];

		mac_format(e->mac, mac);
		text_separate(&t, ", ");
		text_add(&t, "%s", mac);
		if (e->vlan)
			text_add(&t, " vlan %u", e->vlan);
		text_add(&t, "%s%s%s", e->is_self ? " self" : "", e->is_local ? " local" : "", e->is_sticky ? " sticky" : "");
	}
	return text_length(&t);
}
