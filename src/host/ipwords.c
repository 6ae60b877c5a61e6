/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
#include "host/ipwords.h"

#define ENTRY_BYTES 512
#define WORDS_MAX 64

/* --- an address in bytes ----------------------------------------------------------------------------------------- */

static size_t size_of(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

bool ip_bytes_same(const struct ip_bytes *a, const struct ip_bytes *b)
{
	return a->family == b->family && (!a->family || memcmp(a->bytes, b->bytes, size_of(a->family)) == 0);
}

static bool take_bytes(const char *text, struct ip_bytes *ip)
{
	*ip = (struct ip_bytes){ .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	return inet_pton(ip->family, text, ip->bytes) == 1;
}

/* "192.0.2.1/24"; without a length it is the longest. */
static bool take_prefix(char *text, struct ip_bytes *ip, unsigned *prefix)
{
	char *slash = strchr(text, '/');
	uint64_t n;

	if (slash)
		*slash = '\0';
	if (!take_bytes(text, ip))
		return false;
	*prefix = (unsigned)size_of(ip->family) * 8;
	if (slash && !str_decimal(slash + 1, *prefix, &n))
		return false;
	*prefix = slash ? (unsigned)n : *prefix;
	return true;
}

struct shown {
	char text[INET6_ADDRSTRLEN];
};

static struct shown show(const struct ip_bytes *ip)
{
	struct shown s = { "" };

	inet_ntop(ip->family, ip->bytes, s.text, sizeof(s.text));
	return s;
}

/* --- words of an entry ------------------------------------------------------------------------------------------- */

/* Takes the words of an entry into a list. */
struct taker {
	bool (*take)(char **words, size_t n, void *list);
	void *list;
};

static bool take_entry(char *entry, void *arg)
{
	const struct taker *t = arg;
	char *words[WORDS_MAX];
	size_t n = str_words(entry, words, WORDS_MAX);

	return n > 0 && t->take(words, n, t->list);
}

static int take_entries(const char *text, bool (*take)(char **words, size_t n, void *list), void *list)
{
	return text_entries(text, ", ", ENTRY_BYTES, take_entry, &(struct taker){ take, list });
}

/* A word with a number behind it. */
static bool take_number(char **words, size_t n, size_t *i, const char *word, uint32_t max, uint32_t *number)
{
	uint64_t value;

	if (strcmp(words[*i], word) != 0 || *i + 1 == n || !str_decimal(words[*i + 1], max, &value))
		return false;
	*number = (uint32_t)value;
	++*i;
	return true;
}

static bool take_ip(char **words, size_t n, size_t *i, const char *word, struct ip_bytes *ip)
{
	if (strcmp(words[*i], word) != 0 || *i + 1 == n || ip->family || !take_bytes(words[*i + 1], ip))
		return false;
	++*i;
	return true;
}

/* --- addresses --------------------------------------------------------------------------------------------------- */

/* As `ip address` calls them; the bits of include/uapi/linux/if_addr.h. */
static const struct {
	const char *word;
	uint32_t flag;
} flags[] = {
	{ "nodad", 0x02 }, { "home", 0x10 }, { "mngtmpaddr", 0x100 }, { "noprefixroute", 0x200 }, { "autojoin", 0x400 },
};

bool ip_address_same(const struct ip_address *a, const struct ip_address *b)
{
	return ip_bytes_same(&a->local, &b->local) && ip_bytes_same(&a->peer, &b->peer) && ip_bytes_same(&a->broadcast, &b->broadcast) &&
	       a->prefix == b->prefix && a->scope == b->scope && a->metric == b->metric && a->flags == b->flags &&
	       a->is_deprecated == b->is_deprecated && strcmp(a->label, b->label) == 0;
}

int ip_addresses_add(struct ip_addresses *list, const struct ip_address *a)
{
	if (list->n == IP_ADDRESSES_MAX)
		return -E2BIG;
	list->list[list->n++] = *a;
	return 0;
}

static bool take_flag(const char *word, struct ip_address *a)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (strcmp(word, flags[i].word) == 0) {
			a->flags |= flags[i].flag;
			return true;
		}
	a->is_deprecated = strcmp(word, "deprecated") == 0;
	return a->is_deprecated;
}

static bool take_address(char **words, size_t n, void *list)
{
	struct ip_address a = { 0 };

	if (!take_prefix(words[0], &a.local, &a.prefix))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (strcmp(words[i], "peer") == 0 && i + 1 < n && !a.peer.family) {
			if (!take_prefix(words[++i], &a.peer, &a.prefix) || a.peer.family != a.local.family)
				return false;
		} else if (strcmp(words[i], "label") == 0 && i + 1 < n && strlen(words[i + 1]) < IP_LABEL_BYTES) {
			strcpy(a.label, words[++i]);
		} else if (!take_ip(words, n, &i, "brd", &a.broadcast) &&
			   !take_number(words, n, &i, "scope", 255, &a.scope) &&
			   !take_number(words, n, &i, "metric", UINT32_MAX, &a.metric) && !take_flag(words[i], &a)) {
			return false;
		}
	}
	if (a.broadcast.family && (a.broadcast.family != AF_INET || a.local.family != AF_INET))
		return false;
	return ip_addresses_add(list, &a) == 0;
}

int ip_addresses_parse(const char *text, struct ip_addresses *list)
{
	list->n = 0;
	return take_entries(text, take_address, list);
}

static void put_address(struct text *t, const struct ip_address *a)
{
	if (a->peer.family)
		text_add(t, "%s peer %s/%u", show(&a->local).text, show(&a->peer).text, a->prefix);
	else
		text_add(t, "%s/%u", show(&a->local).text, a->prefix);
	if (a->broadcast.family)
		text_add(t, " brd %s", show(&a->broadcast).text);
	if (a->scope)
		text_add(t, " scope %u", a->scope);
	if (*a->label)
		text_add(t, " label %s", a->label);
	if (a->metric)
		text_add(t, " metric %u", (unsigned)a->metric);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (a->flags & flags[i].flag)
			text_add(t, " %s", flags[i].word);
	if (a->is_deprecated)
		text_add(t, " deprecated");
}

ssize_t ip_addresses_format(const struct ip_addresses *list, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < list->n; i++) {
		text_separate(&t, ", ");
		put_address(&t, &list->list[i]);
	}
	return text_length(&t);
}

/* --- routes ------------------------------------------------------------------------------------------------------ */

/* As `ip route` calls them. */
static const char *const metrics[ROUTE_METRICS] = {
	[RTAX_LOCK] = "lock", [RTAX_MTU] = "mtu", [RTAX_WINDOW] = "window", [RTAX_RTT] = "rtt", [RTAX_RTTVAR] = "rttvar",
	[RTAX_SSTHRESH] = "ssthresh", [RTAX_CWND] = "cwnd", [RTAX_ADVMSS] = "advmss", [RTAX_REORDERING] = "reordering",
	[RTAX_HOPLIMIT] = "hoplimit", [RTAX_INITCWND] = "initcwnd", [RTAX_FEATURES] = "features",
	[RTAX_RTO_MIN] = "rto_min", [RTAX_INITRWND] = "initrwnd", [RTAX_QUICKACK] = "quickack",
	[RTAX_FASTOPEN_NO_COOKIE] = "fastopen_no_cookie",
};

unsigned ip_route_scope(const struct ip_route *r)
{
	if (r->to.family == AF_INET6)
		return RT_SCOPE_UNIVERSE;
	if (r->type == RTN_LOCAL || r->type == RTN_NAT)
		return RT_SCOPE_HOST;
	return r->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

static void put_route(struct text *t, const struct ip_route *r)
{
	text_add(t, "%s/%u", show(&r->to).text, r->prefix);
	if (r->via.family)
		text_add(t, " via %s", show(&r->via).text);
	if (r->type != RTN_UNICAST)
		text_add(t, " type %u", r->type);
	if (r->table != RT_TABLE_MAIN)
		text_add(t, " table %u", (unsigned)r->table);
	if (r->metric)
		text_add(t, " metric %u", (unsigned)r->metric);
	if (r->protocol != RTPROT_BOOT)
		text_add(t, " proto %u", r->protocol);
	if (r->scope != ip_route_scope(r))
		text_add(t, " scope %u", r->scope);
	if (r->source.family)
		text_add(t, " src %s", show(&r->source).text);
	if (r->tos)
		text_add(t, " tos %u", r->tos);
	if (r->preference)
		text_add(t, " pref %u", r->preference);
	for (size_t i = 0; i < ROUTE_METRICS; i++)
		if (metrics[i] && r->metrics[i])
			text_add(t, " %s %u", metrics[i], (unsigned)r->metrics[i]);
	if (r->is_onlink)
		text_add(t, " onlink");
}

static int compare(const struct ip_route *a, const struct ip_route *b)
{
	char x[ENTRY_BYTES], y[ENTRY_BYTES];
	struct text tx = text_begin(x, sizeof(x)), ty = text_begin(y, sizeof(y));

	put_route(&tx, a);
	put_route(&ty, b);
	return strcmp(x, y);
}

bool ip_routes_has(const struct ip_routes *r, const struct ip_route *route)
{
	for (size_t i = 0; i < r->n; i++)
		if (compare(&r->list[i], route) == 0)
			return true;
	return false;
}

int ip_routes_add(struct ip_routes *list, const struct ip_route *r)
{
	size_t at = list->n;

	if (list->n == IP_ROUTES_MAX)
		return -E2BIG;
	for (; at > 0 && compare(&list->list[at - 1], r) > 0; at--)
		list->list[at] = list->list[at - 1];
	list->list[at] = *r;
	list->n++;
	return 0;
}

static bool take_metric(char **words, size_t n, size_t *i, struct ip_route *r)
{
	for (size_t k = 0; k < ROUTE_METRICS; k++)
		if (metrics[k] && take_number(words, n, i, metrics[k], UINT32_MAX, &r->metrics[k]))
			return true;
	return false;
}

static bool take_word(char **words, size_t n, size_t *i, struct ip_route *r, bool *has_scope)
{
	if (take_number(words, n, i, "scope", 255, &r->scope))
		return *has_scope = true;
	if (strcmp(words[*i], "onlink") == 0)
		return r->is_onlink = true;
	return take_ip(words, n, i, "via", &r->via) || take_ip(words, n, i, "src", &r->source) ||
	       take_number(words, n, i, "type", RTN_MAX, &r->type) ||
	       take_number(words, n, i, "table", UINT32_MAX, &r->table) ||
	       take_number(words, n, i, "metric", UINT32_MAX, &r->metric) ||
	       take_number(words, n, i, "proto", 255, &r->protocol) || take_number(words, n, i, "tos", 255, &r->tos) ||
	       take_number(words, n, i, "pref", 3, &r->preference) || take_metric(words, n, i, r);
}

static bool take_route(char **words, size_t n, void *list)
{
	struct ip_route r = { .type = RTN_UNICAST, .table = RT_TABLE_MAIN, .protocol = RTPROT_BOOT };
	bool has_scope = false;

	if (!take_prefix(words[0], &r.to, &r.prefix))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!take_word(words, n, &i, &r, &has_scope))
			return false;
	/* An IPv4 route may lead over an IPv6 gateway, and not the other way round. */
	if ((r.source.family && r.source.family != r.to.family) || (r.to.family == AF_INET6 && r.via.family == AF_INET))
		return false;
	if (!has_scope)
		r.scope = ip_route_scope(&r);
	return !ip_routes_has(list, &r) && ip_routes_add(list, &r) == 0;
}

int ip_routes_parse(const char *text, struct ip_routes *list)
{
	list->n = 0;
	return take_entries(text, take_route, list);
}

ssize_t ip_routes_format(const struct ip_routes *list, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < list->n; i++) {
		text_separate(&t, ", ");
		put_route(&t, &list->list[i]);
	}
	return text_length(&t);
}
