/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host is reached by, and reaches what it needs by: from routes and peers down to the cards. */
#include "support.h"

#include <arpa/inet.h>
#include <time.h>

#include "core/peers.h"
#include "core/routes.h"
#include "core/stake.h"

#define ONBOARD "0000:00:1f.6"
#define SECOND "0000:02:00.0"
#define THIRD "0000:03:00.0"
#define XHCI "0000:00:14.0"
#define NO_OTHER "this host has no other network card: give the VM a virtual NIC on "
#define ESTABLISHED 1
#define LISTENING 10

/* --- hosts that are made ----------------------------------------------------------------------------------------- */

struct net {
	struct arena *a;
	struct host *h;
	struct inventory inv;
	struct stakes s;
	const char *routes4, *routes6, *sockets4, *sockets6, *mounts;
};

static struct net *net_new(void)
{
	struct arena *a = arena_new();
	struct net *x = arena_alloc(a, sizeof(*x));

	x->a = a;
	x->h = sim_new();
	x->routes4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
	x->routes6 = x->mounts = "";
	x->sockets4 = x->sockets6 = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";
	sim_set(x->h, "sys/devices/virtual/net/lo/type", "772\n");
	sim_set_link(x->h, "sys/class/net/lo", "../../devices/virtual/net/lo");
	sim_set(x->h, "sys/class/net/bonding_masters", "\n");
	return x;
}

static void net_free(struct net *x)
{
	host_close(x->h);
	arena_free(x->a);
}

/* An interface that is up, on a function, below a folder of it ("" = at once). */
static void nic_below(struct net *x, const char *name, const char *function, const char *below)
{
	const char *device = arena_fmt(x->a, "sys/devices/pci0000:00/%s", function);
	const char *folder = arena_fmt(x->a, "%s%s/net/%s", device, below, name);

	sim_set(x->h, arena_fmt(x->a, "%s/vendor", device), "0x8086\n");
	sim_set(x->h, arena_fmt(x->a, "%s/device", device), "0x15bb\n");
	sim_set(x->h, arena_fmt(x->a, "%s/class", device), "0x020000\n");
	sim_set(x->h, arena_fmt(x->a, "%s/operstate", folder), "up\n");
	sim_set(x->h, arena_fmt(x->a, "%s/type", folder), "1\n");
	sim_set_link(x->h, arena_fmt(x->a, "sys/class/net/%s", name),
		     arena_fmt(x->a, "../../%s", folder + strlen("sys/")));
	sim_set_link(x->h, arena_fmt(x->a, "%s/device", folder), "../..");
}

static void nic(struct net *x, const char *name, const char *function)
{
	nic_below(x, name, function, "");
}

static void set(struct net *x, const char *interface, const char *file, const char *text)
{
	sim_set(x->h, arena_fmt(x->a, "sys/class/net/%s/%s", interface, file), text);
}

static void down(struct net *x, const char *interface)
{
	set(x, interface, "operstate", "down\n");
}

/* A virtual interface. */
static void virtual(struct net *x, const char *name)
{
	sim_set(x->h, arena_fmt(x->a, "sys/devices/virtual/net/%s/operstate", name), "up\n");
	sim_set_link(x->h, arena_fmt(x->a, "sys/class/net/%s", name),
		     arena_fmt(x->a, "../../devices/virtual/net/%s", name));
}

/* upper, made if there is none, stands on lower. */
static void stack(struct net *x, const char *upper, const char *lower)
{
	if (!host_has(x->h, arena_fmt(x->a, "sys/class/net/%s", upper)))
		virtual(x, upper);
	sim_set_link(x->h, arena_fmt(x->a, "sys/class/net/%s/lower_%s", upper, lower), arena_fmt(x->a, "../%s", lower));
	sim_set_link(x->h, arena_fmt(x->a, "sys/class/net/%s/upper_%s", lower, upper), arena_fmt(x->a, "../%s", upper));
}

/* An address as /proc/net/route, tcp and tcp6 have it: words with the lowest byte first. */
static const char *words(struct net *x, const char *address)
{
	uint8_t b[16];
	bool v6 = strchr(address, ':') != NULL;
	const char *text = "";

	if (inet_pton(v6 ? AF_INET6 : AF_INET, address, b) != 1)
		fail_msg("'%s' is no address", address);
	for (size_t i = 0; i < (v6 ? 16 : 4); i += 4)
		text = arena_fmt(x->a, "%s%02X%02X%02X%02X", text, b[i + 3], b[i + 2], b[i + 1], b[i]);
	return text;
}

static void route4(struct net *x, const char *to, unsigned prefix, const char *interface, unsigned metric)
{
	struct in_addr mask = { .s_addr = htonl(prefix ? UINT32_MAX << (32 - prefix) : 0) };

	x->routes4 = arena_fmt(x->a, "%s%s\t%s\t00000000\t0001\t0\t0\t%u\t%s\t0\t0\t0     \n", x->routes4, interface,
			       words(x, to), metric, words(x, inet_ntoa(mask)));
}

static void route6(struct net *x, const char *to, unsigned prefix, const char *interface, unsigned metric,
		   unsigned flags)
{
	const char *hex = "";
	uint8_t b[16];

	if (inet_pton(AF_INET6, to, b) != 1)
		fail_msg("'%s' is no address", to);
	for (size_t i = 0; i < sizeof(b); i++)
		hex = arena_fmt(x->a, "%s%02x", hex, b[i]);
	x->routes6 = arena_fmt(x->a, "%s%s %02x %032x 00 %032x %08x 00000001 00000000 %08x %8s\n", x->routes6, hex,
			       prefix, 0, 0, metric, flags, interface);
}

/* vmbr0 or whatever: a default route, and that of its link. */
static void gateway(struct net *x, const char *interface)
{
	route4(x, "0.0.0.0", 0, interface, 0);
	route4(x, "192.168.10.0", 24, interface, 0);
}

static void session(struct net *x, const char *own, unsigned port, const char *other, unsigned state)
{
	bool v6 = strchr(own, ':') != NULL;
	const char **sockets = v6 ? &x->sockets6 : &x->sockets4;

	*sockets = arena_fmt(x->a, "%s   0: %s:%04X %s:C350 %02X 00000000:00000000 00:00000000 00000000     0 0 4711\n",
			     *sockets, words(x, own), port, words(x, other), state);
}

static void mounted(struct net *x, const char *where, const char *type, const char *source, const char *options)
{
	x->mounts = arena_fmt(x->a, "%s36 25 0:44 / %s rw,relatime shared:1 master:2 - %s %s %s\n", x->mounts, where,
			      type, source, options);
}

static void look(struct net *x)
{
	struct error err;

	sim_set(x->h, "proc/net/route", x->routes4);
	sim_set(x->h, "proc/net/ipv6_route", x->routes6);
	sim_set(x->h, "proc/net/tcp", x->sockets4);
	sim_set(x->h, "proc/net/tcp6", x->sockets6);
	sim_set(x->h, "proc/self/mountinfo", x->mounts);
	sim_make_folder(x->h, "sys/bus/pci/devices");
	assert_int_equal(sim_settle(x->h, &err), 0);
	if (inventory_read(x->h, x->a, &x->inv, &err) < 0)
		fail_msg("%s", err.text);
	x->s = (struct stakes){ .host = x->h, .inventory = &x->inv, .arena = x->a };
	stakes_network(&x->s);
}

static const struct stake *stake_of(const struct net *x, const char *name)
{
	for (size_t i = 0; i < x->s.n; i++)
		if (strcmp(x->s.list[i].name, name) == 0)
			return &x->s.list[i];
	fail_msg("there is no stake of %s", name);
	return NULL;
}

/* That it stands on this card, and on none but those already asked for: n in all. */
static const struct stake *assert_carries(const struct net *x, size_t n, const char *name, const char *what)
{
	const struct stake *stake = stake_of(x, name);

	assert_string_equal(stake->code, "management-nic");
	assert_string_equal(stake->what, what);
	assert_int_equal(x->s.n, n);
	return stake;
}

/* --- from the default route down --------------------------------------------------------------------------------- */

static void a_card_with_the_default_route_is_a_stake(void **state)
{
	struct net *x = net_new();
	const struct stake *stake;

	(void)state;
	nic(x, "eno1", ONBOARD);
	gateway(x, "eno1");
	look(x);
	stake = assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route");
	assert_string_equal(stake->path, "../../devices/pci0000:00/" ONBOARD "/net/eno1");
	assert_true(stake_is_on(stake, ONBOARD));
	assert_string_equal(stake->remedy, NO_OTHER "a bridge (VirtIO), or add a USB network card and move what eno1 "
			    "carries to it first");
	net_free(x);
}

static void a_host_without_routes_stands_on_no_card(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	look(x);
	assert_int_equal(x->s.n, 0);
	net_free(x);
}

static void a_card_is_seen_through_its_bridge(void **state)
{
	struct net *x = net_new();
	const struct stake *stake;

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "vmbr0", "eno1");
	virtual(x, "tap100i0");
	stack(x, "vmbr0", "tap100i0");
	gateway(x, "vmbr0");
	look(x);
	stake = assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	assert_string_equal(stake->remedy,
			    NO_OTHER "vmbr0 (VirtIO), or add a USB network card and move vmbr0 to it first");
	net_free(x);
}

static void a_bridge_of_another_name_is_one_too(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "lan", "eno1");
	set(x, "lan", "bridge/stp_state", "0\n");
	gateway(x, "lan");
	look(x);
	assert_contains(stake_of(x, "eno1")->remedy, "give the VM a virtual NIC on lan (VirtIO)");
	net_free(x);
}

static void a_card_is_seen_through_a_vlan_of_its_bridge(void **state)
{
	struct net *x = net_new();
	const struct stake *stake;

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "vmbr0", "eno1");
	stack(x, "vmbr0.10", "vmbr0");
	gateway(x, "vmbr0.10");
	look(x);
	stake = assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0.10");
	assert_contains(stake->remedy, "a virtual NIC on vmbr0 (VirtIO)");
	net_free(x);
}

static void a_card_is_seen_through_its_own_vlan(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "eno1.100", "eno1");
	gateway(x, "eno1.100");
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through eno1.100");
	net_free(x);
}

/* A bridge over a bond of two functions: each of them counts, and it is said that there is another. */
static void both_slaves_of_a_bond_count(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "enp1s0f0", "0000:01:00.0");
	nic(x, "enp1s0f1", "0000:01:00.1");
	stack(x, "bond0", "enp1s0f0");
	stack(x, "bond0", "enp1s0f1");
	stack(x, "vmbr0", "bond0");
	gateway(x, "vmbr0");
	look(x);
	assert_carries(x, 2, "enp1s0f0", "enp1s0f0 (0000:01:00.0) carries the default route through vmbr0; "
		       "bond0 also has enp1s0f1");
	assert_carries(x, 2, "enp1s0f1", "enp1s0f1 (0000:01:00.1) carries the default route through vmbr0; "
		       "bond0 also has enp1s0f0");
	assert_string_equal(stake_of(x, "enp1s0f1")->remedy, "take enp1s0f1 out of bond0 first");
	/* One that is down keeps nothing up. */
	down(x, "enp1s0f1");
	look(x);
	assert_carries(x, 2, "enp1s0f0", "enp1s0f0 (0000:01:00.0) carries the default route through vmbr0");
	net_free(x);
}

static void two_slaves_on_one_function_are_one_card(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "enp1s0", SECOND);
	nic(x, "enp1s0d1", SECOND);
	stack(x, "uplink", "enp1s0");
	stack(x, "uplink", "enp1s0d1");
	set(x, "uplink", "bonding/mode", "802.3ad 4\n");
	stack(x, "vmbr0", "uplink");
	gateway(x, "vmbr0");
	look(x);
	assert_carries(x, 1, "enp1s0", "enp1s0 (" SECOND ") carries the default route through vmbr0");
	assert_contains(stake_of(x, "enp1s0")->remedy, NO_OTHER "vmbr0");
	/* What it carries by both is counted once. */
	for (unsigned i = 0; i < 5; i++)
		mounted(x, arena_fmt(x->a, "/mnt/%u", i), "nfs4", "x:/", "addr=192.168.10.5");
	look(x);
	assert_contains(stake_of(x, "enp1s0")->what, "; the NFS mount /mnt/1 from 192.168.10.5; and 3 more");
	net_free(x);
}

static void an_ipv6_default_route_counts(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	nic(x, "enp2s0", SECOND);
	nic(x, "enp3s0", THIRD);
	stack(x, "vmbr0", "eno1");
	route6(x, "fe80::", 64, "enp2s0", 256, 0x1);
	route6(x, "::", 0, "vmbr0", 1024, 0x3);
	/* What refuses, what is not up, and what the kernel adds for itself. */
	route6(x, "::", 0, "enp2s0", 1, 0x201);
	route6(x, "::", 0, "enp3s0", 1, 0x2);
	route6(x, "::", 0, "lo", UINT32_MAX, 0x200200);
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	net_free(x);
}

static void a_route_that_refuses_leads_nowhere(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	/* Not over lo to its cards either. */
	stack(x, "ovs-system", "eno1");
	x->routes4 = arena_fmt(x->a, "%s%s", x->routes4,
			       "*\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
			       "lo\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
			       "eno1\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n"
			       "eno1\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"
			       "eno1\t0000000x\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
			       "eno1\t00000000\n");
	look(x);
	assert_int_equal(x->s.n, 0);
	net_free(x);
}

static void every_default_route_counts_and_is_told_once(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	nic(x, "enp2s0", SECOND);
	stack(x, "vmbr0", "eno1");
	route4(x, "0.0.0.0", 0, "vmbr0", 0);
	route4(x, "0.0.0.0", 0, "vmbr0", 50);
	route4(x, "0.0.0.0", 0, "enp2s0", 100);
	route6(x, "::", 0, "vmbr0", 1024, 0x3);
	look(x);
	assert_carries(x, 2, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries the default route");
	net_free(x);
}

static void links_in_a_circle_end(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	virtual(x, "vmbr0");
	virtual(x, "vmbr1");
	stack(x, "vmbr0", "vmbr0");
	stack(x, "vmbr0", "vmbr1");
	stack(x, "vmbr1", "vmbr0");
	stack(x, "vmbr1", "eno1");
	stack(x, "eno1", "vmbr0");
	gateway(x, "vmbr0");
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	net_free(x);
}

/* net/core/dev.c lets eight stand on each other; a text may have any number. */
static void a_stack_that_no_kernel_has_ends(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "s0", "eno1");
	for (unsigned i = 1; i < 100; i++)
		stack(x, arena_fmt(x->a, "s%u", i), arena_fmt(x->a, "s%u", i - 1));
	gateway(x, "s7");
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through s7");
	gateway(x, "s99");
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through s7");
	net_free(x);
}

/* Forty bonds over forty bonds, eight times: more ways down than could be gone. */
static void every_interface_is_gone_through_once(void **state)
{
	enum { HIGH = 8, WIDE = 40 };
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	for (unsigned i = 0; i < WIDE; i++)
		stack(x, arena_fmt(x->a, "s0.%u", i), "eno1");
	for (unsigned level = 1; level < HIGH; level++)
		for (unsigned i = 0; i < WIDE * WIDE; i++)
			stack(x, arena_fmt(x->a, "s%u.%u", level, i / WIDE),
			      arena_fmt(x->a, "s%u.%u", level - 1, i % WIDE));
	gateway(x, "s7.0");
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through s7.0");
	net_free(x);
}

/* The switch's own port has no link to its cards; a port of another bridge has nothing to do with it. */
static void a_card_is_seen_through_open_vswitch(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	nic(x, "enp2s0", SECOND);
	stack(x, "ovs-system", "eno1");
	virtual(x, "vmbr0");
	stack(x, "vmbr1", "enp2s0");
	virtual(x, "tap100i0");
	stack(x, "vmbr1", "tap100i0");
	sim_set_link(x->h, "sys/class/net/tap100i0/master", "../vmbr1");
	gateway(x, "vmbr0");
	route4(x, "10.0.0.0", 24, "vmbr1", 0);
	mounted(x, "/mnt/nas", "nfs4", "10.0.0.5:/tank", "rw,addr=10.0.0.5");
	look(x);
	assert_carries(x, 2, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	assert_carries(x, 2, "enp2s0",
		       "enp2s0 (" SECOND ") carries the NFS mount /mnt/nas from 10.0.0.5 through vmbr1");
	net_free(x);
}

static void the_card_of_a_virtual_function_counts(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "enp2s0", SECOND);
	nic(x, "enp2s0v0", "0000:02:10.0");
	sim_set_link(x->h, "sys/devices/pci0000:00/0000:02:10.0/physfn", "../" SECOND);
	gateway(x, "enp2s0v0");
	look(x);
	assert_carries(x, 2, "enp2s0v0", "enp2s0v0 (0000:02:10.0) carries the default route");
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries the default route through enp2s0v0");
	net_free(x);
}

static void a_card_on_usb_is_told_by_its_port(void **state)
{
	struct net *x = net_new();
	const struct stake *stake;

	(void)state;
	nic_below(x, "enx001122334455", XHCI, "/usb1/1-2/1-2.1/1-2.1:1.0");
	nic_below(x, "enx001122334466", XHCI, "/usb1/1-3/1-3:1.0");
	nic_below(x, "enx001122334477", XHCI, "/usb1/1-3/1-3:1.2");
	gateway(x, "enx001122334455");
	look(x);
	stake = assert_carries(x, 1, "enx001122334455",
			       "enx001122334455 (USB 1-2.1 at " XHCI ") carries the default route");
	assert_true(stake_is_on(stake, "1-2.1"));
	assert_true(stake_is_on(stake, XHCI));
	/* Two interfaces of one device are one card. */
	assert_string_equal(stake->remedy,
			    "free network cards of this host: enx001122334466 (USB 1-3 at " XHCI "); give the VM a "
			    "free card, or move what enx001122334455 carries to one first");
	net_free(x);
}

/* --- sessions of SSH --------------------------------------------------------------------------------------------- */

/* eno1 below vmbr0 with the default route; enp2s0 with the network 192.168.1.0/24 and fd00::/64. */
static struct net *two_networks(void)
{
	struct net *x = net_new();

	nic(x, "eno1", ONBOARD);
	nic(x, "enp2s0", SECOND);
	stack(x, "vmbr0", "eno1");
	gateway(x, "vmbr0");
	route4(x, "192.168.1.0", 24, "enp2s0", 0);
	route6(x, "fd00::", 64, "enp2s0", 256, 0x1);
	return x;
}

static void a_session_counts_where_its_answers_go(void **state)
{
	struct net *x = two_networks();

	(void)state;
	session(x, "192.168.10.104", 22, "10.9.9.9", ESTABLISHED);
	session(x, "192.168.1.104", 22, "192.168.1.7", ESTABLISHED);
	session(x, "192.168.1.104", 22, "192.168.1.7", ESTABLISHED);
	look(x);
	assert_carries(x, 2, "eno1",
		       "eno1 (" ONBOARD ") carries the default route through vmbr0; an SSH session with 10.9.9.9");
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries an SSH session with 192.168.1.7");
	net_free(x);
}

static void what_is_no_session_from_elsewhere_does_not_count(void **state)
{
	struct net *x = two_networks();

	(void)state;
	route4(x, "127.0.0.0", 8, "enp2s0", 0);
	route6(x, "::1", 128, "enp2s0", 0, 0x1);
	session(x, "0.0.0.0", 22, "0.0.0.0", LISTENING);
	session(x, "192.168.1.104", 22, "192.168.1.8", LISTENING);
	session(x, "192.168.1.104", 8006, "192.168.1.7", ESTABLISHED);
	session(x, "127.0.0.1", 22, "127.0.0.1", ESTABLISHED);
	session(x, "127.0.0.2", 22, "127.0.0.1", ESTABLISHED);
	session(x, "192.168.1.104", 22, "192.168.1.104", ESTABLISHED);
	session(x, "fd00::4", 22, "::1", ESTABLISHED);
	session(x, "::ffff:127.0.0.2", 22, "::ffff:127.0.0.1", ESTABLISHED);
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	net_free(x);
}

static void sessions_over_ipv6_count(void **state)
{
	struct net *x = two_networks();

	(void)state;
	session(x, "fd00::4", 22, "fd00::7", ESTABLISHED);
	session(x, "::ffff:192.168.1.104", 22, "::ffff:192.168.1.9", ESTABLISHED);
	look(x);
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries an SSH session with fd00::7; "
		       "an SSH session with 192.168.1.9");
	net_free(x);
}

/* Every link has fe80::/64: the host's own address there says which it is. */
static void a_session_on_a_link_is_found_by_the_hosts_own_address(void **state)
{
	struct net *x = two_networks();

	(void)state;
	route6(x, "fe80::", 64, "vmbr0", 256, 0x1);
	route6(x, "fe80::", 64, "enp2s0", 256, 0x1);
	route6(x, "fe80::2", 128, "enp2s0", 0, 0x80200001);
	session(x, "fe80::2", 22, "fe80::77", ESTABLISHED);
	look(x);
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries an SSH session with fe80::77");
	net_free(x);
}

static void sshd_is_asked_for_at_its_ports(void **state)
{
	static const char *const files[] = { "etc/ssh/sshd_config", "etc/ssh/sshd_config.d/port.conf" };
	static const struct { const char *text; bool counts; } cases[] = {
		{ "Port 2222\n", true }, { "  port\t2222 # ours\n", true }, { "Port=2222\r\n", true },
		{ "Port 22\nPort 2222", true }, { "ListenAddress 192.168.1.104:2222\n", true },
		{ "ListenAddress [::]:2222\n", true }, { "#Port 2222\n", false }, { "Port 22222\n", false },
		{ "Port 0\n", false }, { "Port\n", false }, { "ListenAddress fd00::2222\n", false },
		{ "ListenAddress 192.168.1.104\n", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(files); i++) {
		struct net *x = two_networks();
		bool counts = cases[i / COUNT(files)].counts;

		sim_set(x->h, files[i % COUNT(files)], cases[i / COUNT(files)].text);
		session(x, "192.168.1.104", 2222, "192.168.1.7", ESTABLISHED);
		look(x);
		if (x->s.n != (counts ? 2 : 1))
			fail_msg("'%s': %zu stakes", cases[i / COUNT(files)].text, x->s.n);
		net_free(x);
	}
}

static void a_file_that_sshd_does_not_read_has_no_ports(void **state)
{
	struct net *x = two_networks();

	(void)state;
	sim_set(x->h, "etc/ssh/sshd_config.d/port.conf.old", "Port 2222\n");
	session(x, "192.168.1.104", 2222, "192.168.1.7", ESTABLISHED);
	look(x);
	assert_int_equal(x->s.n, 1);
	net_free(x);
}

/* Only so much of the sockets is read; what is there counts, and nothing is told of the rest. */
static void of_very_many_sockets_the_first_are_read(void **state)
{
	struct net *x = two_networks();
	char *text = arena_alloc(x->a, PEERS_SOCKETS_BYTES * 2), *at;

	(void)state;
	nic(x, "enp3s0", THIRD);
	session(x, "192.168.1.104", 22, "192.168.1.7", ESTABLISHED);
	at = stpcpy(text, x->sockets4);
	while (at - text < PEERS_SOCKETS_BYTES + HOST_VALUE_BYTES)
		at = stpcpy(at, "   1: 0100007F:1F46 0100007F:C350 01 00000000:00000000 00:00000000 00000000\n");
	x->sockets4 = text;
	session(x, "192.168.1.104", 22, "192.168.1.8", ESTABLISHED);
	look(x);
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries an SSH session with 192.168.1.7");
	/* A card over which nothing is known to go may have one of the rest. */
	assert_contains(stake_of(x, "eno1")->remedy, "no other network card of this host is free");
	net_free(x);
}

/* --- corosync ---------------------------------------------------------------------------------------------------- */

#define NODES \
	"logging {\n  debug: off\n}\n\nnodelist {\n" \
	"  node {\n    name: pve1\n    nodeid: 1\n    quorum_votes: 1\n    ring0_addr: 192.168.1.104\n  }\n" \
	"  node {\n    ring0_addr: pve2-ring\n    nodeid: 2\n    name: pve2\n    ring1_addr: 192.168.10.2\n  }\n" \
	"  node {\n    name: pve3\n    ring0_addr: 192.168.1.3 \n    # ring1_addr: 10.0.0.1\n  }\n}\n" \
	"totem {\n  cluster_name: lab\n  interface {\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n}\n"

static void corosyncs_links_count_by_address_and_by_name(void **state)
{
	struct net *x = two_networks();

	(void)state;
	sim_set(x->h, "etc/pve/corosync.conf", NODES);
	sim_set(x->h, "etc/corosync/corosync.conf", "nodelist {\n node {\n  ring0_addr: 192.168.1.99\n }\n}\n");
	sim_set(x->h, "etc/hosts", "127.0.0.1 localhost pve2-ring\n# 192.168.1.9 pve2-ring\n"
		"192.168.1.2\tpve2.lab pve2 PVE2-Ring # the ring\n");
	sim_set(x->h, "proc/sys/kernel/hostname", "pve1\n");
	look(x);
	assert_carries(x, 2, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0; "
		       "corosync's link to 192.168.10.2 (node pve2)");
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries corosync's link to 192.168.1.2 (node pve2); "
		       "corosync's link to 192.168.1.3 (node pve3)");
	net_free(x);
}

static void corosyncs_own_copy_is_read_where_the_clusters_is_not_mounted(void **state)
{
	struct net *x = two_networks();

	(void)state;
	sim_set(x->h, "etc/corosync/corosync.conf", NODES);
	look(x);
	/* Nobody knows this host's name, nor has one for pve2-ring. */
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries corosync's link to 192.168.1.104 (node pve1); "
		       "corosync's link to 192.168.1.3 (node pve3)");
	net_free(x);
}

/* --- storage ----------------------------------------------------------------------------------------------------- */

static void servers_of_mounts_count(void **state)
{
	static const struct { const char *type, *source, *options, *kind; } cases[] = {
		{ "nfs", "10.0.0.5:/tank", "rw,vers=3,mountaddr=192.168.10.9,addr=192.168.1.5", "NFS" },
		{ "nfs4", "nas:/tank", "rw,clientaddr=192.168.10.104,addr=192.168.1.5", "NFS" },
		{ "nfs4", "192.168.1.5:/tank", "rw", "NFS" },
		{ "nfs4", "nas:/", "rw", "NFS" },
		{ "cifs", "//elsewhere/share", "rw,vers=3.0,addr=192.168.1.5", "CIFS" },
		{ "smb3", "//192.168.1.5/share", "rw", "CIFS" },
		{ "cifs", "//nas/share/sub", "rw", "CIFS" },
		{ "ceph", "192.168.1.5:6789,127.0.0.1:6789:/", "rw,name=admin", "Ceph" },
		{ "ceph", "nas:/sub", "rw", "Ceph" },
		{ "ceph", "admin@a7f64266.cephfs=/", "rw,mon_addr=192.168.1.5:6789/127.0.0.1:3300", "Ceph" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *x = two_networks();

		sim_set(x->h, "etc/hosts", "192.168.1.5 nas\n");
		mounted(x, "/mnt/pve/my\\040nas", cases[i].type, cases[i].source, cases[i].options);
		look(x);
		assert_carries(x, 2, "enp2s0",
			       arena_fmt(x->a, "enp2s0 (" SECOND ") carries the %s mount /mnt/pve/my nas from "
					 "192.168.1.5", cases[i].kind));
		net_free(x);
	}
}

static void servers_with_an_address_of_ipv6_count(void **state)
{
	static const struct { const char *type, *source, *options; } cases[] = {
		{ "nfs4", "[fd00::5]:/tank", "rw,addr=fd00::5" }, { "nfs4", "[fd00::5]:/tank", "rw" },
		{ "ceph", "[fd00::5]:6789:/", "rw" }, { "cifs", "//x/share", "addr=fd00::5%enp2s0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *x = two_networks();

		mounted(x, "/mnt", cases[i].type, cases[i].source, cases[i].options);
		look(x);
		assert_contains(stake_of(x, "enp2s0")->what, " mount /mnt from fd00::5");
		net_free(x);
	}
}

static void other_mounts_do_not_count(void **state)
{
	struct net *x = two_networks();

	(void)state;
	mounted(x, "/", "ext4", "/dev/sda1", "rw,addr=192.168.1.5");
	mounted(x, "/mnt/a", "nfsd", "192.168.1.5:/", "rw,addr=192.168.1.5");
	mounted(x, "/mnt/b", "nfs4", "unknown:/", "rw");
	mounted(x, "/mnt/c", "nfs4", "localhost:/", "rw,addr=127.0.0.1");
	x->mounts = arena_fmt(x->a, "%s36 25 0:44 / /mnt/d rw - nfs4\n36 25\n\n", x->mounts);
	look(x);
	assert_int_equal(x->s.n, 1);
	net_free(x);
}

static void iscsi_counts(void **state)
{
	struct net *x = two_networks();

	(void)state;
	sim_set(x->h, "sys/class/iscsi_connection/connection1:0/persistent_address", "192.168.1.6\n");
	sim_set(x->h, "sys/class/iscsi_connection/connection1:0/address", "192.168.1.6\n");
	sim_set(x->h, "sys/class/iscsi_connection/connection2:0/address", "fd00::6\n");
	look(x);
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries an iSCSI session with 192.168.1.6; "
		       "an iSCSI session with fd00::6");
	net_free(x);
}

static void ceph_counts_by_its_monitors_and_networks(void **state)
{
	static const struct { const char *text, *what; } cases[] = {
		{ "[global]\n\tmon_host = 192.168.1.2 127.0.0.1\n", "Ceph's monitor 192.168.1.2" },
		{ "mon host=192.168.10.1,192.168.1.2:6789\n", "Ceph's monitor 192.168.1.2" },
		{ " mon-host = [v2:192.168.1.2:3300/0,v1:192.168.1.2:6789/0]\n", "Ceph's monitor 192.168.1.2" },
		{ "mon_host = [v2:[fd00::2]:3300/0,v1:[fd00::2]:6789/0]\n", "Ceph's monitor fd00::2" },
		{ "mon_host = fd00::2\r\n", "Ceph's monitor fd00::2" },
		{ "cluster_network = 192.168.1.4/24\n", "Ceph's cluster network 192.168.1.4" },
		{ "public_network = 192.168.1.4/24\n", "Ceph's public network 192.168.1.4" },
		{ "# mon_host = 192.168.1.2\n;mon_host = 192.168.1.2\nmon_host\n=192.168.1.2\n", NULL },
		{ "mon_hosts = 192.168.1.2\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *x = two_networks();

		sim_set(x->h, "etc/pve/ceph.conf", cases[i].text);
		look(x);
		if (cases[i].what)
			assert_carries(x, 2, "enp2s0",
				       arena_fmt(x->a, "enp2s0 (" SECOND ") carries %s", cases[i].what));
		else
			assert_int_equal(x->s.n, 1);
		net_free(x);
	}
}

/* --- which route ------------------------------------------------------------------------------------------------- */

static void the_longest_prefix_leads_then_the_lowest_metric(void **state)
{
	static const struct { const char *server, *card; } cases[] = {
		{ "10.0.0.5", "enp4s0" }, { "10.0.0.6", "enp3s0" }, { "10.0.1.5", "enp2s0" }, { "10.1.0.5", "eno1" },
		{ "172.16.0.5", "enp3s0" }, { "fd00:0:0:1::5", "enp3s0" }, { "fd00::5", "enp2s0" },
		{ "2001:db8::5", "eno1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net *x = net_new();

		nic(x, "eno1", ONBOARD);
		nic(x, "enp2s0", SECOND);
		nic(x, "enp3s0", THIRD);
		nic(x, "enp4s0", "0000:04:00.0");
		route4(x, "0.0.0.0", 0, "eno1", 0);
		route4(x, "10.0.0.0", 16, "enp2s0", 0);
		route4(x, "10.0.0.0", 24, "enp3s0", 100);
		route4(x, "10.0.0.5", 32, "enp4s0", 200);
		route4(x, "172.16.0.0", 24, "enp2s0", 200);
		route4(x, "172.16.0.0", 24, "enp3s0", 100);
		route4(x, "172.16.0.0", 24, "enp4s0", 100);
		route6(x, "::", 0, "eno1", 1024, 0x3);
		route6(x, "fd00::", 16, "enp2s0", 1, 0x1);
		route6(x, "fd00:0:0:1::", 64, "enp3s0", 1024, 0x1);
		mounted(x, "/mnt", "nfs4", "x:/", arena_fmt(x->a, "addr=%s", cases[i].server));
		look(x);
		assert_contains(stake_of(x, cases[i].card)->what, "the NFS mount /mnt from ");
		assert_int_equal(x->s.n, strcmp(cases[i].card, "eno1") == 0 ? 1 : 2);
		net_free(x);
	}
}

/* A peer with no route to it needs no card. */
static void who_cannot_be_reached_needs_no_card(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	route4(x, "10.0.0.0", 24, "eno1", 0);
	mounted(x, "/mnt", "nfs4", "x:/", "addr=10.1.0.5");
	mounted(x, "/mnt", "nfs4", "x:/", "addr=fd00::5");
	look(x);
	assert_int_equal(x->s.n, 0);
	net_free(x);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void ten_thousand_routes_are_searched_at_once(void **state)
{
	enum { ROUTES = 10000, PEERS = 1000, LINE = 128 };
	struct net *x = two_networks();
	char *text = arena_alloc(x->a, ROUTES * LINE), *at = text;
	char *mounts = arena_alloc(x->a, PEERS * LINE), *end = mounts;
	const struct stake *stake;
	double start;

	(void)state;
	for (unsigned i = 0; i < ROUTES; i++)
		at += sprintf(at, "%s\t00%02X%02X0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
			      i % 2 ? "vmbr0" : "enp2s0", i % 256, i / 256);
	x->routes4 = arena_fmt(x->a, "%s%s", x->routes4, text);
	for (unsigned i = 0; i < PEERS; i++)
		end += sprintf(end, "36 25 0:44 / /mnt/%u rw - nfs4 x:/ addr=10.%u.%u.5\n", i, i / 256, i % 256);
	x->mounts = mounts;
	start = seconds();
	look(x);
	start = seconds() - start;
	stake = assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries the NFS mount /mnt/0 from 10.0.0.5; the "
			       "NFS mount /mnt/2 from 10.0.2.5; the NFS mount /mnt/4 from 10.0.4.5; and 497 more");
	assert_contains(stake->remedy, "no other network card of this host is free");
	assert_contains(stake_of(x, "eno1")->what, "; the NFS mount /mnt/3 from 10.0.3.5; and 498 more");
	printf("figure network-10000-routes-ms %.0f\n", start * 1000);
	assert_true(start < 2);
	net_free(x);
}

/* --- what is free ------------------------------------------------------------------------------------------------ */

static void a_card_that_is_up_and_carries_nothing_is_free(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "vmbr0", "eno1");
	gateway(x, "vmbr0");
	nic(x, "enp2s0", SECOND);
	nic(x, "enp3s0", THIRD);
	down(x, "enp3s0");
	/* What every interface has that is up. */
	route6(x, "fe80::", 64, "enp2s0", 256, 0x1);
	route6(x, "fe80::1234", 128, "enp2s0", 0, 0x80200001);
	route6(x, "ff00::", 8, "enp2s0", 256, 0x1);
	look(x);
	assert_string_equal(stake_of(x, "eno1")->remedy,
			    "free network cards of this host: enp2s0 (" SECOND "), enp3s0 (" THIRD "); give the VM a "
			    "virtual NIC on vmbr0, or move vmbr0 to a free card first");
	net_free(x);
}

static void a_card_in_use_is_not_free(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "vmbr0", "eno1");
	gateway(x, "vmbr0");
	/* In another bridge; with a network of its own; with a VLAN. */
	nic(x, "enp2s0", SECOND);
	stack(x, "vmbr1", "enp2s0");
	nic(x, "enp3s0", THIRD);
	route4(x, "10.0.0.0", 24, "enp3s0", 0);
	nic(x, "enp4s0", "0000:04:00.0");
	stack(x, "enp4s0.5", "enp4s0");
	look(x);
	assert_string_equal(stake_of(x, "eno1")->remedy,
			    "no other network card of this host is free: give the VM a virtual NIC on vmbr0 (VirtIO), "
			    "or add a USB network card and move vmbr0 to it first");
	net_free(x);
}

static void what_cannot_stand_in_is_no_other_card(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "vmbr0", "eno1");
	gateway(x, "vmbr0");
	nic(x, "wlp2s0", SECOND);
	nic(x, "wifi", THIRD);
	set(x, "wifi", "phy80211/index", "0\n");
	nic(x, "ibp4s0", "0000:04:00.0");
	set(x, "ibp4s0", "type", "32\n");
	nic(x, "eno1v0", "0000:05:00.0");
	sim_set_link(x->h, "sys/devices/pci0000:00/0000:05:00.0/physfn", "../" ONBOARD);
	look(x);
	assert_contains(stake_of(x, "eno1")->remedy, NO_OTHER "vmbr0 (VirtIO)");
	net_free(x);
}

static void of_many_free_cards_some_are_named(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	gateway(x, "eno1");
	for (unsigned i = 1; i <= 6; i++)
		nic(x, arena_fmt(x->a, "enp%us0", i), arena_fmt(x->a, "0000:0%u:00.0", i));
	look(x);
	assert_contains(stake_of(x, "eno1")->remedy, "enp3s0 (0000:03:00.0), enp4s0 (0000:04:00.0) and 2 more; give");
	net_free(x);
}

/* --- the host itself --------------------------------------------------------------------------------------------- */

static void the_address_of_the_hosts_own_name_counts_where_its_link_is(void **state)
{
	struct net *x = two_networks();

	(void)state;
	sim_set(x->h, "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 pve1\n192.168.1.104 pve1.lan PVE1\n");
	sim_set(x->h, "proc/sys/kernel/hostname", "pve1\n");
	look(x);
	assert_carries(x, 2, "enp2s0", "enp2s0 (" SECOND ") carries the host's own address 192.168.1.104");
	/* An address of no link is nobody's: it does not go where the gateway is. */
	sim_set(x->h, "etc/hosts", "10.9.9.9 pve1\n");
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	net_free(x);
}

/* --- what cannot be known ---------------------------------------------------------------------------------------- */

static void a_tunnel_goes_through_a_card_that_is_not_known(void **state)
{
	static const char *const tunnels[] = { "wg0", "tun7" };

	(void)state;
	for (size_t i = 0; i < COUNT(tunnels); i++) {
		struct net *x = net_new();

		nic(x, "eno1", ONBOARD);
		nic(x, "enp2s0", SECOND);
		down(x, "enp2s0");
		/* The other may be gone already. */
		if (i == 0)
			virtual(x, tunnels[i]);
		route4(x, "0.0.0.0", 0, tunnels[i], 0);
		route4(x, "192.168.10.0", 24, "eno1", 0);
		look(x);
		assert_int_equal(x->s.n, 1);
		assert_string_equal(x->s.list[0].code, "network-unreadable");
		assert_contains(x->s.list[0].what, arena_fmt(x->a, "eno1 (" ONBOARD ") is up, and it is not known what goes "
				"through it: the default route goes through %s, and it is not known which card carries it",
				tunnels[i]));
		/* The other default route is what a tunnel goes through. */
		route4(x, "0.0.0.0", 0, "eno1", 100);
		look(x);
		assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route");
		net_free(x);
	}
}

static void without_routes_every_card_that_is_up_is_told(void **state)
{
	struct net *x = two_networks();
	const struct stake *stake;

	(void)state;
	nic(x, "enp3s0", THIRD);
	down(x, "enp3s0");
	nic(x, "enp4s0", "0000:04:00.0");
	set(x, "enp4s0", "operstate", "down\n");
	set(x, "enp4s0", "carrier", "0\n");
	look(x);
	sim_remove(x->h, "proc/net/route");
	x->s.n = 0;
	stakes_network(&x->s);
	stake = stake_of(x, "eno1");
	assert_string_equal(stake->code, "network-unreadable");
	assert_string_equal(stake->what, "eno1 (" ONBOARD ") is up, and it is not known what goes through it: "
			    "/proc/net/route cannot be read: No such file or directory");
	assert_string_equal(stake->remedy, "if the host does not need eno1, take it down first: ip link set eno1 down");
	assert_true(stake_is_on(stake, ONBOARD));
	assert_string_equal(stake_of(x, "enp2s0")->code, "network-unreadable");
	/* Without a carrier it is up all the same; one that is down is nothing the host stands on. */
	assert_string_equal(stake_of(x, "enp4s0")->code, "network-unreadable");
	assert_int_equal(x->s.n, 3);
	net_free(x);
}

/* What can be read still counts; but no card can be called free then. */
static void what_is_known_is_told_besides(void **state)
{
	struct net *x = two_networks();
	const struct stake *stake;

	(void)state;
	nic(x, "enp3s0", THIRD);
	route6(x, "::", 0, "vmbr0", 1024, 0x3);
	look(x);
	sim_remove(x->h, "proc/net/route");
	sim_make_folder(x->h, "proc/net/route");
	x->s.n = 0;
	stakes_network(&x->s);
	stake = assert_carries(x, 3, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	assert_contains(stake->remedy, "no other network card of this host is free");
	assert_string_equal(stake_of(x, "enp2s0")->code, "network-unreadable");
	assert_contains(stake_of(x, "enp2s0")->what, "Is a directory");
	net_free(x);
}

static void a_host_without_ipv6_is_known(void **state)
{
	struct net *x = two_networks();

	(void)state;
	look(x);
	sim_remove(x->h, "proc/net/ipv6_route");
	x->s.n = 0;
	stakes_network(&x->s);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	net_free(x);
}

static void a_table_that_is_too_long_is_told(void **state)
{
	struct net *x = two_networks();
	char *text = arena_alloc(x->a, ROUTES_BYTES_MAX + HOST_VALUE_BYTES), *at = stpcpy(text, x->routes4);

	(void)state;
	while (at - text < ROUTES_BYTES_MAX)
		at = stpcpy(at, "vmbr0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	x->routes4 = text;
	look(x);
	/* What fits counts. */
	assert_carries(x, 2, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0");
	assert_string_equal(stake_of(x, "enp2s0")->code, "network-unreadable");
	assert_contains(stake_of(x, "enp2s0")->what, ": /proc/net/route has more than 8 MiB");
	net_free(x);
}

/* --- how much is told -------------------------------------------------------------------------------------------- */

static void the_gravest_reasons_are_named_and_the_rest_counted(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	stack(x, "vmbr0", "eno1");
	gateway(x, "vmbr0");
	stack(x, "eno1.100", "eno1");
	route4(x, "192.168.1.0", 24, "eno1.100", 0);
	mounted(x, "/mnt/a", "nfs4", "x:/", "addr=192.168.10.5");
	mounted(x, "/mnt/b", "nfs4", "x:/", "addr=192.168.1.5");
	sim_set(x->h, "etc/pve/corosync.conf", "nodelist {\n node {\n  name: pve2\n  ring0_addr: 192.168.1.2\n }\n}\n");
	session(x, "192.168.10.104", 22, "192.168.10.7", ESTABLISHED);
	look(x);
	assert_carries(x, 1, "eno1", "eno1 (" ONBOARD ") carries the default route through vmbr0; an SSH session with "
		       "192.168.10.7; corosync's link to 192.168.1.2 (node pve2) through eno1.100; and 2 more");
	net_free(x);
}

/* --- no interfaces to be seen ------------------------------------------------------------------------------------ */

static void without_interfaces_every_card_in_use_may_carry_something(void **state)
{
	struct net *x = net_new();

	(void)state;
	nic(x, "eno1", ONBOARD);
	nic(x, "enp2s0", SECOND);
	nic(x, "enp3s0", THIRD);
	sim_set(x->h, "nic/" ONBOARD "/name", "eno1");
	sim_set(x->h, "nic/" ONBOARD "/up", "up");
	/* What is down carries nothing, and SECOND has no interface at all. */
	sim_set(x->h, "nic/" THIRD "/name", "enp3s0");
	sim_set(x->h, "nic/" THIRD "/up", "down");
	gateway(x, "eno1");
	sim_remove(x->h, "sys/class/net");
	look(x);
	assert_int_equal(x->s.n, 1);
	assert_string_equal(x->s.list[0].code, "network-unreadable");
	assert_string_equal(x->s.list[0].path, ONBOARD);
	assert_string_equal(x->s.list[0].what, "it is a network card (eno1), and it is not known what goes through it: "
			    "/sys/class/net is not there");
	net_free(x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_with_the_default_route_is_a_stake),
		cmocka_unit_test(a_host_without_routes_stands_on_no_card),
		cmocka_unit_test(a_card_is_seen_through_its_bridge),
		cmocka_unit_test(a_bridge_of_another_name_is_one_too),
		cmocka_unit_test(a_card_is_seen_through_a_vlan_of_its_bridge),
		cmocka_unit_test(a_card_is_seen_through_its_own_vlan),
		cmocka_unit_test(both_slaves_of_a_bond_count),
		cmocka_unit_test(two_slaves_on_one_function_are_one_card),
		cmocka_unit_test(an_ipv6_default_route_counts),
		cmocka_unit_test(a_route_that_refuses_leads_nowhere),
		cmocka_unit_test(every_default_route_counts_and_is_told_once),
		cmocka_unit_test(links_in_a_circle_end),
		cmocka_unit_test(a_stack_that_no_kernel_has_ends),
		cmocka_unit_test(every_interface_is_gone_through_once),
		cmocka_unit_test(a_card_is_seen_through_open_vswitch),
		cmocka_unit_test(the_card_of_a_virtual_function_counts),
		cmocka_unit_test(a_card_on_usb_is_told_by_its_port),
		cmocka_unit_test(a_session_counts_where_its_answers_go),
		cmocka_unit_test(what_is_no_session_from_elsewhere_does_not_count),
		cmocka_unit_test(sessions_over_ipv6_count),
		cmocka_unit_test(a_session_on_a_link_is_found_by_the_hosts_own_address),
		cmocka_unit_test(sshd_is_asked_for_at_its_ports),
		cmocka_unit_test(a_file_that_sshd_does_not_read_has_no_ports),
		cmocka_unit_test(of_very_many_sockets_the_first_are_read),
		cmocka_unit_test(corosyncs_links_count_by_address_and_by_name),
		cmocka_unit_test(corosyncs_own_copy_is_read_where_the_clusters_is_not_mounted),
		cmocka_unit_test(servers_of_mounts_count),
		cmocka_unit_test(servers_with_an_address_of_ipv6_count),
		cmocka_unit_test(other_mounts_do_not_count),
		cmocka_unit_test(iscsi_counts),
		cmocka_unit_test(ceph_counts_by_its_monitors_and_networks),
		cmocka_unit_test(the_longest_prefix_leads_then_the_lowest_metric),
		cmocka_unit_test(who_cannot_be_reached_needs_no_card),
		cmocka_unit_test(ten_thousand_routes_are_searched_at_once),
		cmocka_unit_test(a_card_that_is_up_and_carries_nothing_is_free),
		cmocka_unit_test(a_card_in_use_is_not_free),
		cmocka_unit_test(what_cannot_stand_in_is_no_other_card),
		cmocka_unit_test(of_many_free_cards_some_are_named),
		cmocka_unit_test(the_address_of_the_hosts_own_name_counts_where_its_link_is),
		cmocka_unit_test(a_tunnel_goes_through_a_card_that_is_not_known),
		cmocka_unit_test(without_routes_every_card_that_is_up_is_told),
		cmocka_unit_test(what_is_known_is_told_besides),
		cmocka_unit_test(a_host_without_ipv6_is_known),
		cmocka_unit_test(a_table_that_is_too_long_is_told),
		cmocka_unit_test(the_gravest_reasons_are_named_and_the_rest_counted),
		cmocka_unit_test(without_interfaces_every_card_in_use_may_carry_something),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
