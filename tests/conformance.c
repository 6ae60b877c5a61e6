/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulator claims, a real kernel must say too: the same assertions, run on either.
 *
 *     conformance HOST_FILE    on the simulator, grown from a capture of one of the lab's topologies
 *     conformance              on the running kernel; only in the lab, for it binds, removes and unloads at will
 *
 * A new rule in host/sim_*.c starts with an assertion in one of these files:
 *
 *     conformance_pair.c       drivers, ids, overrides, power (topology pair)
 *     conformance_hotplug.c    functions leave the bus and are found again (seed)
 *     conformance_groups.c     the IOMMU groups they are in then (seed, builtin)
 *     conformance_nic.c        network interfaces, their module, single USB devices (seed)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"
#include "host/hostfile.h"
#include "host/live.h"

#define WRITE_MS 10000

struct host *host;
const char *part = "";
static unsigned held, broken;
static unsigned long long last_life;	/* the highest seen so far */

void assertion(int ok, const char *what, const char *name, const char *wanted, const char *seen)
{
	if (ok) {
		held++;
		return;
	}
	broken++;
	printf("FAILED %s: %.60s %s: wanted %.60s, seen %.60s\n", part, what, name, wanted, seen);
}

void put(const char *name, const char *value, int code)
{
	struct host_stuck stuck;
	int seen = host_write(host, name, value, WRITE_MS, &stuck);

	assertion(seen == -code, value, name, code ? strerrorname_np(code) : "ok", seen ? strerrorname_np(-seen) : "ok");
}

/* What a name reads, or the name of the errno. */
static bool is_read(const char *name, const char *text, char buf[HOST_VALUE_BYTES])
{
	ssize_t n = host_read(host, name, buf, HOST_VALUE_BYTES);

	if (n < 0)
		snprintf(buf, HOST_VALUE_BYTES, "%s", strerrorname_np((int)-n));
	return text ? n >= 0 && strcmp(buf, text) == 0 : n == -ENOENT;
}

void reads(const char *name, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	bool ok = is_read(name, text, buf);

	assertion(ok, "read", name, text ? text : "ENOENT", buf);
}

void comes(const char *name, const char *text)
{
	int64_t until = host_now(host) + COMES_MS;
	char buf[HOST_VALUE_BYTES];

	while (!is_read(name, text, buf) && host_now(host) < until)
		host_wait(host, 100);
	reads(name, text);
}

/* Names of one function. */
struct name {
	char text[HOST_NAME_BYTES];
};

static struct name name_of(const char *prefix, const char *bdf, const char *file)
{
	struct name n;

	snprintf(n.text, sizeof(n.text), "%.80s%.20s%s%.80s", prefix, bdf, *file ? "/" : "", file);
	return n;
}

void put_file(const char *bdf, const char *file, const char *value, int code)
{
	put(name_of(DEVICE, bdf, file).text, value, code);
}

void reads_file(const char *bdf, const char *file, const char *text)
{
	reads(name_of(DEVICE, bdf, file).text, text);
}

void driver(const char *bdf, const char *text)
{
	reads_file(bdf, "driver", text);
}

void driver_comes(const char *bdf, const char *text)
{
	comes(name_of(DEVICE, bdf, "driver").text, text);
}

void group(const char *bdf, const char *members)
{
	reads(name_of("group/", bdf, "").text, members);
}

size_t count(const char *folder, const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char link[HOST_VALUE_BYTES], **names;
	size_t n = 0, found = 0;

	if (host_list(host, folder, a, &names, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		found += !*text || (host_link(host, arena_fmt(a, "%s/%s", folder, names[i]), link, sizeof(link)) >= 0 &&
				    strstr(link, text));
	return found;
}

void counts(const char *folder, const char *text, size_t wanted)
{
	char want[32], seen[32];
	size_t n = count(folder, text);

	snprintf(want, sizeof(want), "%zu", wanted);
	snprintf(seen, sizeof(seen), "%zu", n);
	assertion(n == wanted, "names in", folder, want, seen);
}

void counts_come(const char *folder, const char *text, size_t wanted)
{
	int64_t until = host_now(host) + COMES_MS;

	while (count(folder, text) != wanted && host_now(host) < until)
		host_wait(host, 100);
	counts(folder, text, wanted);
}

unsigned long long life_of(const char *bdf)
{
	char text[32];

	return host_read(host, name_of("life/", bdf, "").text, text, sizeof(text)) >= 0 ? strtoull(text, NULL, 10) : 0;
}

void is_gone(const char *bdf)
{
	reads(name_of("life/", bdf, "").text, NULL);
	reads(name_of("id/", bdf, "").text, NULL);
	group(bdf, NULL);
	driver(bdf, NULL);
	reads_file(bdf, "vendor", NULL);
	assertion(!host_has(host, name_of(DEVICE, bdf, "").text), "name", bdf, "ENOENT", "there");
}

void removes(const char *bdf)
{
	unsigned long long life = life_of(bdf);

	last_life = life > last_life ? life : last_life;
	put_file(bdf, "remove", "1", 0);
	is_gone(bdf);
}

void is_back(const char *bdf, const char *driver_text)
{
	unsigned long long life = life_of(bdf);
	char want[32], seen[32];

	snprintf(want, sizeof(want), "above %llu", last_life);
	snprintf(seen, sizeof(seen), "%llu", life);
	assertion(life > last_life, "life", bdf, want, seen);
	last_life = life > last_life ? life : last_life;
	driver_comes(bdf, driver_text);
	reads_file(bdf, "driver_override", "(null)");
}

void rescans(const char *file)
{
	put(file, "1", 0);
}

static struct host *open_simulated(const char *file)
{
	char *text = malloc(HOSTFILE_BYTES_MAX);
	struct host *h = NULL;
	struct error err;
	FILE *in = fopen(file, "r");

	if (!in || !text) {
		perror(file);
		exit(2);
	}
	if (hostfile_parse(text, fread(text, 1, HOSTFILE_BYTES_MAX, in), file, &h, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	fclose(in);
	free(text);
	return h;
}

static const char *run(void)
{
	if (life_of(BUILTIN_AHCI)) {
		conformance_groups_builtin();
		return "builtin";
	}
	if (life_of(SEED_NIC)) {
		conformance_groups_seed();
		conformance_hotplug();
		conformance_nic();
		conformance_module();
		conformance_usb();
		return "seed";
	}
	if (life_of(PAIR_NIC)) {
		conformance_pair();
		return "pair";
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *topology;
	struct error err;

	if (argc > 1)
		host = open_simulated(argv[1]);
	else if (live_open(&host, &err) < 0)
		return 2;
	topology = run();
	host_close(host);
	if (!topology) {
		fprintf(stderr, "conformance: this is none of the lab's machines\n");
		return 2;
	}
	printf("figure conformance-%s %u\n", topology, held);
	if (broken)
		printf("%u assertions do not hold\n", broken);
	return broken ? 1 : 0;
}
