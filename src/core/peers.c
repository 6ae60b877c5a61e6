/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/mounts.h"
#include "core/peers.h"

#define SSHD_CONFIG "etc/ssh/sshd_config"
#define SSHD_CONFIGS SSHD_CONFIG ".d"
#define ISCSI "sys/class/iscsi_connection"

#define PORT_SSH 22
#define PORT_MAX 65535
#define PORT_DIGITS 4
#define ESTABLISHED "01"	/* include/net/tcp_states.h */

#define SPACES " \t"
#define LINKS_MAX 8		/* knet of corosync: KNET_MAX_LINK */

struct name {
	const char *text;
	struct ip ip;
};

struct reader {
	struct host *h;
	struct arena *a;	/* of the peers */
	struct arena *scratch;
	struct peers *p;
	char *text;		/* the file being read */
	bool cut;		/* it has more */
	struct name *names;	/* of /etc/hosts */
	size_t n_names;
	uint64_t ports[PEERS_PORTS_MAX];
	size_t n_ports;
};

/* The lines of a file, as many as there is room for; "" if it cannot be read. */
static char *lines_of(struct reader *r, const char *name, size_t size)
{
	if (host_read_lines(r->h, name, r->text, size, &r->cut) < 0)
		r->text[0] = '\0';
	return r->text;
}

static void add(struct reader *r, const struct ip *to, const char *what)
{
	for (size_t i = 0; i < r->p->n; i++)
		if (ip_same(&r->p->list[i].ip, to) && strcmp(r->p->list[i].what, what) == 0)
			return;
	if (r->p->n == PEERS_MAX)
		return;
	r->p->list = arena_grow(r->a, r->p->list, r->p->n, sizeof(*r->p->list));
	r->p->list[r->p->n++] = (struct peer){ .ip = *to, .what = what };
}

static void add_ip(struct reader *r, const struct ip *ip, const char *before, const char *behind)
{
	if (!ip_is_loopback(ip))
		add(r, ip, arena_fmt(r->a, "%s %s%s", before, ip_text(ip, r->scratch), behind));
}

/* An address, or a name that /etc/hosts has: all its addresses then. */
static void add_host(struct reader *r, const char *host, const char *before, const char *behind)
{
	struct ip ip;

	if (ip_parse(host, &ip)) {
		add_ip(r, &ip, before, behind);
		return;
	}
	for (size_t i = 0; i < r->n_names; i++)
		if (strcasecmp(r->names[i].text, host) == 0)
			add_ip(r, &r->names[i].ip, before, behind);
}

/* --- names ------------------------------------------------------------------------------------------------------ */

static void read_names(struct reader *r)
{
	char *text = lines_of(r, "etc/hosts", PEERS_TEXT_BYTES), *line, *words[PEERS_NAMES_MAX];

	while ((line = strsep(&text, "\n")) != NULL) {
		struct name name;
		size_t n;

		line[strcspn(line, "#\r")] = '\0';
		n = str_words(line, words, PEERS_NAMES_MAX);
		if (n == 0 || !ip_parse(words[0], &name.ip))
			continue;
		for (size_t i = 1; i < n; i++) {
			name.text = arena_dup(r->scratch, words[i]);
			r->names = arena_grow(r->scratch, r->names, r->n_names, sizeof(name));
			r->names[r->n_names++] = name;
		}
	}
}

/* --- sessions --------------------------------------------------------------------------------------------------- */

static void add_port(struct reader *r, const char *text)
{
	uint64_t port;

	if (str_decimal(text, PORT_MAX, &port) && port > 0 && r->n_ports < PEERS_PORTS_MAX)
		r->ports[r->n_ports++] = port;
}

/* "Port 2222", "Port=2222", "ListenAddress 10.0.0.1:2222", "ListenAddress [fd00::1]:2222": sshd_config(5). */
static void read_ports(struct reader *r, const char *file)
{
	char *text = lines_of(r, file, PEERS_TEXT_BYTES), *line, *words[2];

	while ((line = strsep(&text, "\n")) != NULL) {
		char *equals = strchr(line, '='), *colon;

		line[strcspn(line, "#\r")] = '\0';
		if (equals)
			*equals = ' ';
		if (str_words(line, words, 2) < 2)
			continue;
		colon = strrchr(words[1], ':');
		if (strcasecmp(words[0], "Port") == 0)
			add_port(r, words[1]);
		/* An address of IPv6 without brackets has no port. */
		else if (strcasecmp(words[0], "ListenAddress") == 0 && colon &&
			 (strchr(words[1], ':') == colon || colon[-1] == ']'))
			add_port(r, colon + 1);
	}
}

static void read_all_ports(struct reader *r)
{
	char **names;
	size_t n;

	/* Where it is, if nothing else is said; and what was begun before that was said goes on. */
	r->ports[r->n_ports++] = PORT_SSH;
	read_ports(r, SSHD_CONFIG);
	if (host_list(r->h, SSHD_CONFIGS, r->scratch, &names, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (strlen(names[i]) > strlen(".conf") &&
			    strcmp(names[i] + strlen(names[i]) - strlen(".conf"), ".conf") == 0)
				read_ports(r, arena_fmt(r->scratch, SSHD_CONFIGS "/%s", names[i]));
}

static bool is_ssh(const struct reader *r, uint64_t port)
{
	for (size_t i = 0; i < r->n_ports; i++)
		if (r->ports[i] == port)
			return true;
	return false;
}

/* "0A01A8C0:0016" in two. */
static bool take_end(char *text, struct ip *ip, uint64_t *port)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return false;
	*colon = '\0';
	return ip_from_words(text, ip) && str_hex(colon + 1, PORT_DIGITS, PORT_DIGITS, port);
}

/* net/ipv4/tcp_ipv4.c, get_tcp4_sock(): "0: 6801A8C0:0016 0701A8C0:C350 01 ...". */
static void read_sessions(struct reader *r, const char *file)
{
	char *text = lines_of(r, file, PEERS_SOCKETS_BYTES), *line, *words[4];

	r->p->cut |= r->cut;
	while (r->p->n < PEERS_SESSIONS_MAX && (line = strsep(&text, "\n")) != NULL) {
		struct ip own, other;
		uint64_t port, from;
		const char *what;

		if (str_words(line, words, 4) < 4 || strcmp(words[3], ESTABLISHED) != 0 ||
		    !take_end(words[1], &own, &port) || !is_ssh(r, port) || !take_end(words[2], &other, &from) ||
		    ip_same(&own, &other) || ip_is_loopback(&other))
			continue;
		what = arena_fmt(r->a, "an SSH session with %s", ip_text(&other, r->scratch));
		add(r, ip_is_link_local(&other) ? &own : &other, what);
	}
}

/* --- corosync --------------------------------------------------------------------------------------------------- */

struct node {
	const char *name;
	const char *address[LINKS_MAX];
};

static void add_node(struct reader *r, const struct node *node, const char *own_name)
{
	const char *behind = node->name ? arena_fmt(r->scratch, " (node %s)", node->name) : "";

	if (str_same(node->name, own_name))
		return;
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (node->address[i])
			add_host(r, node->address[i], "corosync's link to", behind);
}

/* "ring0_addr: 10.0.0.2", "name: pve2". */
static void take_node_line(struct reader *r, struct node *node, char *key, const char *value)
{
	size_t link;

	key[strcspn(key, SPACES)] = '\0';
	value += strspn(value, SPACES);
	value = arena_dupn(r->scratch, value, strcspn(value, SPACES));
	if (strcmp(key, "name") == 0)
		node->name = value;
	link = str_starts(key, "ring") ? (size_t)(key[strlen("ring")] - '0') : LINKS_MAX;
	if (link < LINKS_MAX && strcmp(key + strlen("ring0"), "_addr") == 0)
		node->address[link] = value;
}

static void read_corosync(struct reader *r)
{
	char own_name[HOST_NAME_BYTES], *text = lines_of(r, "etc/pve/corosync.conf", PEERS_TEXT_BYTES), *line;
	bool known = host_read(r->h, "proc/sys/kernel/hostname", own_name, sizeof(own_name)) > 0;
	struct node node = { 0 };

	if (*text == '\0')
		text = lines_of(r, "etc/corosync/corosync.conf", PEERS_TEXT_BYTES);
	while ((line = strsep(&text, "\n")) != NULL) {
		char *colon = strchr(line, ':');

		line += strspn(line, SPACES);
		line[strcspn(line, "\r")] = '\0';
		if (*line == '#')
			continue;
		if (str_starts(line, "node") && strpbrk(line, "{:") && *strpbrk(line, "{:") == '{') {
			node = (struct node){ .name = NULL };
		} else if (*line == '}') {
			add_node(r, &node, known ? own_name : "");
			node = (struct node){ .name = NULL };
		} else if (colon) {
			*colon = '\0';
			take_node_line(r, &node, line, colon + 1);
		}
	}
}

/* --- the host itself -------------------------------------------------------------------------------------------- */

static void read_own(struct reader *r)
{
	char name[HOST_NAME_BYTES];

	if (host_read(r->h, "proc/sys/kernel/hostname", name, sizeof(name)) <= 0)
		return;
	for (size_t i = 0; i < r->n_names; i++) {
		size_t n = r->p->n;

		if (strcasecmp(r->names[i].text, name) == 0)
			add_ip(r, &r->names[i].ip, "the host's own address", "");
		if (r->p->n > n)
			r->p->list[n].own = true;
	}
}

/* --- storage ---------------------------------------------------------------------------------------------------- */

/*
 * The host in "10.0.0.5:/export", "//10.0.0.5/share", "[fd00::5]:6789", "v2:10.0.0.5:3300/0", "[v2:[fd00::5]:3300/0",
 * "10.0.0.0/24".
 */
static char *host_in(char *s)
{
	struct ip ip;

	s += strspn(s, "/[");
	if (str_starts(s, "v1:") || str_starts(s, "v2:"))
		s += strlen("v1:");
	s += strspn(s, "[");
	s[strcspn(s, "]/")] = '\0';
	if (!ip_parse(s, &ip))
		s[strcspn(s, ":")] = '\0';
	return s;
}

static void add_hosts(struct reader *r, char *list, const char *separators, const char *before)
{
	for (char *word; (word = strsep(&list, separators)) != NULL;)
		add_host(r, host_in(word), before, "");
}

/* The value of an option of a mount; NULL: it has none. */
static char *option(char *options, const char *key)
{
	char *found = NULL;

	for (char *part; (part = strsep(&options, ",")) != NULL;)
		if (str_starts(part, key))
			found = part + strlen(key);
	return found;
}

static const char *mount_kind(const char *type)
{
	static const struct { const char *type, *kind; } kinds[] = {
		{ "nfs", "NFS" }, { "nfs4", "NFS" }, { "cifs", "CIFS" }, { "smb3", "CIFS" }, { "ceph", "Ceph" },
		{ "fuse.glusterfs", "GlusterFS" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].kind;
	return NULL;
}

static void take_mount(struct reader *r, const struct mount *m)
{
	const char *kind = mount_kind(m->type), *before;
	char *address, *monitors, *source;

	if (!kind)
		return;
	before = arena_fmt(r->scratch, "the %s mount %s from", kind, m->point);
	monitors = option(arena_dup(r->scratch, m->options), "mon_addr=");
	address = option(arena_dup(r->scratch, m->options), "addr=");
	source = arena_dup(r->scratch, m->source);
	if (address)
		add_host(r, address, before, "");
	else if (monitors)
		add_hosts(r, monitors, "/,", before);
	else if (strcmp(m->type, "ceph") == 0)
		add_hosts(r, source, ",", before);
	else
		add_host(r, host_in(source), before, "");
}

static void read_mounts(struct reader *r)
{
	struct mounts mounts;
	struct error ignored;

	/* What of it cannot be read is told by those who look at disks. */
	mounts_read(r->h, r->scratch, &mounts, &ignored);
	for (size_t i = 0; i < mounts.n; i++)
		take_mount(r, &mounts.list[i]);
}

static void read_iscsi(struct reader *r)
{
	static const char *const files[] = { "persistent_address", "address" };
	char **names, address[HOST_NAME_BYTES];
	size_t n;

	if (host_list(r->h, ISCSI, r->scratch, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++)
			if (host_read(r->h, arena_fmt(r->scratch, ISCSI "/%s/%s", names[i], files[k]), address,
				      sizeof(address)) > 0)
				add_host(r, host_in(address), "an iSCSI session with", "");
}

/* "mon_host = 10.0.0.1 10.0.0.2", with spaces or dashes for its underscores too (ceph.conf, ConfFile.cc). */
static void read_ceph(struct reader *r)
{
	static const struct { const char *key, *before; } keys[] = {
		{ "mon_host", "Ceph's monitor" }, { "public_network", "Ceph's public network" },
		{ "cluster_network", "Ceph's cluster network" },
	};
	char *text = lines_of(r, "etc/pve/ceph.conf", PEERS_TEXT_BYTES), *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		char *key = line + strspn(line, SPACES), *value = strchr(line, '='), *end;

		if (!value || *key == '#' || *key == ';')
			continue;
		for (end = value; end > key && strchr(SPACES, end[-1]); end--)
			;
		*end = '\0';
		for (char *s = key; *s; s++)
			*s = *s == ' ' || *s == '-' ? '_' : *s;
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (strcmp(key, keys[i].key) == 0)
				add_hosts(r, value + 1, " \t\r,;", keys[i].before);
	}
}

void peers_read(struct host *h, struct arena *a, struct peers *p)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	struct reader r = { .h = h, .a = a, .scratch = scratch, .p = p };

	*p = (struct peers){ 0 };
	r.text = arena_alloc(scratch, PEERS_TEXT_BYTES);
	read_names(&r);
	read_all_ports(&r);
	read_sessions(&r, "proc/net/tcp");
	read_sessions(&r, "proc/net/tcp6");
	read_corosync(&r);
	read_own(&r);
	read_mounts(&r);
	read_iscsi(&r);
	read_ceph(&r);
}
