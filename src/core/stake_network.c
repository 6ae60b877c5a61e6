/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "core/netif.h"
#include "core/peers.h"
#include "core/routes.h"
#include "core/stake.h"

#define REASONS_NAMED 3		/* of what a card carries; the rest is counted */
#define FREE_NAMED 4		/* of the cards that carry nothing */

/* One thing that a card carries. */
struct reason {
	const char *what;	/* "the default route" */
	const char *through;	/* the interface its route names */
};

/* What is known of a card: of the first interface on it, netif->card. */
struct card {
	struct reason reasons[REASONS_NAMED];
	size_t n_reasons;
	unsigned mark;		/* of the last reason's walk */
	struct netif *nic;	/* the interface of the first reason */
	const char *bridge;	/* above it, NULL: none */
	struct netif *bond;	/* above it, NULL: none */
	bool used;		/* something stands on it, or has a route over it */
};

struct network {
	struct stakes *s;
	struct arena *arena;
	struct netifs nets;
	struct routes routes;
	struct card *cards;	/* as many as interfaces */
	unsigned marks;
	const char *missing;	/* why cards may carry more than is known; NULL: all is known */
	bool cut;		/* there may be more sessions than are known */
};

/* On the way down from an interface to the cards below. */
struct walk {
	struct reason reason;
	const char *bridge;
	struct netif *bond;
	unsigned depth;
};

/* Of an interface that is not virtual. */
static struct card *card_of(const struct network *w, const struct netif *nic)
{
	return &w->cards[nic->card - w->nets.list];
}

/* --- who carries what ------------------------------------------------------------------------------------------- */

static bool is_told(const struct card *c, const struct reason *reason)
{
	for (size_t i = 0; i < c->n_reasons && i < REASONS_NAMED; i++)
		if (strcmp(c->reasons[i].what, reason->what) == 0 &&
		    strcmp(c->reasons[i].through, reason->through) == 0)
			return true;
	return false;
}

static void blame(struct network *w, const struct walk *walk, struct netif *nic)
{
	struct card *c = card_of(w, nic);

	if (!c->bridge)
		c->bridge = walk->bridge;
	if (!c->bond)
		c->bond = walk->bond;
	if (c->mark == w->marks || is_told(c, &walk->reason))
		return;
	c->mark = w->marks;
	if (!c->nic)
		c->nic = nic;
	if (c->n_reasons < REASONS_NAMED)
		c->reasons[c->n_reasons] = walk->reason;
	c->n_reasons++;
}

/* False: it stands on no card. */
static bool descend(struct network *w, struct walk walk, struct netif *nic)
{
	bool found = nic->function;

	if (nic->mark == w->marks || walk.depth++ > NETIF_NEST_MAX)
		return false;
	nic->mark = w->marks;
	netif_look(&w->nets, nic);
	if (!walk.bridge && nic->bridge)
		walk.bridge = nic->name;
	if (nic->bond)
		walk.bond = nic;
	for (size_t i = 0; i < nic->n_lower; i++)
		found |= descend(w, walk, nic->lower[i]);
	if (!nic->function)
		return found;
	blame(w, &walk, nic);
	/* A virtual function does not outlive its card. */
	for (size_t i = 0; nic->physical && i < w->nets.n; i++)
		if (str_same(w->nets.list[i].function, nic->physical))
			descend(w, walk, &w->nets.list[i]);
	return true;
}

/* False: no card is known that does. */
static bool carry(struct network *w, const char *what, const char *interface)
{
	struct netif *nic = netif_find(&w->nets, interface);

	w->marks++;
	return nic && descend(w, (struct walk){ .reason = { what, interface } }, nic);
}

/* What a tunnel goes through is in no table that is read here; where another default route has a card, that is it. */
static void find_default(struct network *w)
{
	const char *lost = NULL;
	bool found = false;

	for (size_t i = 0; i < w->routes.n; i++) {
		if (w->routes.list[i].prefix != 0)
			continue;
		if (carry(w, "the default route", w->routes.list[i].interface))
			found = true;
		else if (!lost)
			lost = w->routes.list[i].interface;
	}
	if (lost && !found && !w->missing)
		w->missing = arena_fmt(w->arena, "the default route goes through %s, and it is not known which card "
				       "carries it", lost);
}

static void find_reasons(struct network *w)
{
	const struct route *route;
	struct peers peers;

	w->missing = w->routes.missing;
	find_default(w);
	peers_read(w->s->host, w->arena, &peers);
	w->cut = peers.cut;
	for (size_t i = 0; i < peers.n; i++) {
		route = routes_find(&w->routes, &peers.list[i].ip);
		if (route && (route->prefix || !peers.list[i].own))
			carry(w, peers.list[i].what, route->interface);
	}
}

/* --- who carries nothing ---------------------------------------------------------------------------------------- */

/* Every interface that is up has routes of its link, and for groups: they say nothing of its use. */
static bool is_use(const struct route *route)
{
	return !ip_is_link_local(&route->to) && !ip_is_multicast(&route->to);
}

static void find_used(struct network *w)
{
	for (size_t i = 0; i < w->routes.n; i++) {
		const struct route *route = &w->routes.list[i];
		const struct netif *nic = is_use(route) ? netif_find(&w->nets, route->interface) : NULL;

		if (nic && nic->function)
			card_of(w, nic)->used = true;
	}
	for (size_t i = 0; i < w->nets.n; i++) {
		struct netif *nic = &w->nets.list[i];

		if (!nic->function)
			continue;
		netif_look(&w->nets, nic);
		if (nic->has_upper || ((w->missing || w->cut) && netif_is_up(&w->nets, nic)))
			card_of(w, nic)->used = true;
	}
}

struct others {
	const char *free;	/* "enp2s0 (0000:02:00.0), enp3s0 (0000:03:00.0)"; "": none */
	size_t n_free;
	size_t n;		/* of all that could take over, free or not */
};

static struct others find_others(struct network *w)
{
	struct others o = { .free = "" };

	for (size_t i = 0; i < w->nets.n; i++) {
		const struct netif *nic = &w->nets.list[i];

		if (nic->card != nic || !netif_is_wired(&w->nets, nic))
			continue;
		o.n++;
		if (w->cards[i].used || w->cards[i].n_reasons || o.n_free++ >= FREE_NAMED)
			continue;
		o.free = arena_fmt(w->arena, "%s%s%s (%s)", o.free, *o.free ? ", " : "", nic->name,
				   netif_place(nic, w->arena));
	}
	if (o.n_free > FREE_NAMED)
		o.free = arena_fmt(w->arena, "%s and %zu more", o.free, o.n_free - FREE_NAMED);
	return o;
}

/* --- how it is told --------------------------------------------------------------------------------------------- */

/* Another card that is up in the same bond; NULL: there is none. */
static const struct netif *other_port(struct network *w, const struct card *c)
{
	for (size_t i = 0; c->bond && i < c->bond->n_lower; i++) {
		const struct netif *other = c->bond->lower[i];

		if (other->function && other->card != c->nic->card && netif_is_up(&w->nets, other))
			return other;
	}
	return NULL;
}

static const char *remedy_of(struct network *w, const struct card *c, const struct others *o)
{
	const char *burden = c->bridge ? c->bridge : arena_fmt(w->arena, "what %s carries", c->nic->name);
	bool alone = o->n <= (netif_is_wired(&w->nets, c->nic->card) ? 1 : 0);

	if (other_port(w, c))
		return arena_fmt(w->arena, "take %s out of %s first", c->nic->name, c->bond->name);
	if (o->n_free && c->bridge)
		return arena_fmt(w->arena, "free network cards of this host: %s; give the VM a virtual NIC on %s, or "
				 "move %s to a free card first", o->free, c->bridge, burden);
	if (o->n_free)
		return arena_fmt(w->arena, "free network cards of this host: %s; give the VM a free card, or move %s "
				 "to one first", o->free, burden);
	return arena_fmt(w->arena, "%s: give the VM a virtual NIC on %s (VirtIO), or add a USB network card and move "
			 "%s to it first", alone ? "this host has no other network card" :
			 "no other network card of this host is free", c->bridge ? c->bridge : "a bridge", burden);
}

static void tell(struct network *w, const struct card *c, const struct others *o)
{
	const char *said = "", *through = c->nic->name;
	size_t named = c->n_reasons < REASONS_NAMED ? c->n_reasons : REASONS_NAMED;
	const struct netif *other = other_port(w, c);

	for (size_t i = 0; i < named; i++) {
		const struct reason *reason = &c->reasons[i];
		bool same = strcmp(reason->through, through) == 0 || strcmp(reason->through, c->nic->name) == 0;

		said = arena_fmt(w->arena, "%s%s%s%s%s", said, i ? "; " : "", reason->what, same ? "" : " through ",
				 same ? "" : reason->through);
		through = reason->through;
	}
	if (c->n_reasons > named)
		said = arena_fmt(w->arena, "%s; and %zu more", said, c->n_reasons - named);
	if (other)
		said = arena_fmt(w->arena, "%s; %s also has %s", said, c->bond->name, other->name);
	stake_add(w->s, "management-nic", c->nic->path, c->nic->name, remedy_of(w, c, o), "%s (%s) carries %s",
		  c->nic->name, netif_place(c->nic, w->arena), said);
}

/* Only one stake for a card: that it may carry more than is known does not make it graver. */
static void tell_unknown(struct network *w, struct netif *nic)
{
	struct card *c = card_of(w, nic);

	if (c->nic || !netif_is_up(&w->nets, nic))
		return;
	c->nic = nic;
	stake_add(w->s, "network-unreadable", nic->path, nic->name,
		  arena_fmt(w->arena, "if the host does not need %s, take it down first: ip link set %s down",
			    nic->name, nic->name),
		  "%s (%s) is up, and it is not known what goes through it: %s", nic->name, netif_place(nic, w->arena),
		  w->missing);
}

/* Where it cannot be seen what stands on an interface, any that is up may carry something. */
static void tell_blind(struct stakes *s, int code)
{
	const char *why = code == -ENOENT ? "is not there" :
			  arena_fmt(s->arena, "cannot be read: %s", strerror(-code));

	for (size_t i = 0; i < s->inventory->n; i++) {
		const struct function *fn = &s->inventory->functions[i];
		char up[HOST_NAME_BYTES];

		if (!fn->nic || (host_read(s->host, arena_fmt(s->arena, "nic/%s/up", fn->address), up, sizeof(up)) > 0 &&
				 strcmp(up, "down") == 0))
			continue;
		stake_add(s, "network-unreadable", fn->address, fn->address, NULL,
			  "it is a network card (%.*s), and it is not known what goes through it: /sys/class/net %s",
			  (int)strcspn(fn->nic, ","), fn->nic, why);
	}
}

void stakes_network(struct stakes *s)
{
	struct network w = { .s = s, .arena = s->arena };
	struct others others;
	int code = netifs_read(s->host, s->inventory, s->arena, &w.nets);

	if (code < 0) {
		tell_blind(s, code);
		return;
	}
	routes_read(s->host, s->arena, &w.routes);
	w.cards = arena_array(s->arena, w.nets.n, sizeof(*w.cards));
	find_reasons(&w);
	find_used(&w);
	others = find_others(&w);
	for (size_t i = 0; i < w.nets.n; i++)
		if (w.nets.list[i].card == &w.nets.list[i] && w.cards[i].n_reasons)
			tell(&w, &w.cards[i], &others);
	for (size_t i = 0; w.missing && i < w.nets.n; i++)
		if (w.nets.list[i].function)
			tell_unknown(&w, &w.nets.list[i]);
}
