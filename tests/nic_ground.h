/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_TESTS_NIC_GROUND_H
#define HANDOVER_TESTS_NIC_GROUND_H

/* The ground for tests of nic/ on a real kernel: a network namespace of the test's own. */
#include "support.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/live_nic.h"

#define ADDRESS "0000:01:00.0"
#define DEVICES "sys/bus/pci/devices"

/* --- interfaces of a namespace, in a folder that says a function has them ---------------------------------------- */

static const char *why_not;	/* the kernel's part cannot be tested; NULL = it can */
static bool has_vlans __attribute__((unused));		/* its bridges know VLANs */

/* What a command prints, without the newline at its end. */
__attribute__((unused)) static const char *said(const char *command)
{
	static char text[1 << 16];
	FILE *in = popen(command, "re");
	size_t n;

	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (pclose(in) != 0)
		fail_msg("'%s' fails", command);
	return text;
}

static bool runs(const char *command)
{
	return system(command) == 0;
}

static void enter_namespace(void)
{
	if (geteuid() != 0)
		why_not = "needs root";
	else if (!runs("ip -V >/dev/null 2>&1 && bridge -V >/dev/null 2>&1"))
		why_not = "needs iproute2";
	else if (unshare(CLONE_NEWNET) < 0)
		why_not = "no network namespace can be made";
	else if (!runs("ip link add p0 type veth && ip link add b0 type bridge && ip link delete p0"))
		why_not = "this kernel has no veth or no bridge";
	else
		has_vlans = runs("ip link set b0 type bridge vlan_filtering 1 2>/dev/null");
	if (!why_not)
		runs("ip link delete b0");
	else
		fprintf(stderr, "skipped, on a real kernel: %s\n", why_not);
	if (!why_not && !has_vlans)
		fprintf(stderr, "skipped, VLANs: this kernel's bridges know none\n");
}

struct ground {
	char path[64];
	int root;
};

__attribute__((unused)) static void make_folder(const struct ground *g, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "mkdir -p '%s/%s'", g->path, name);
	assert_true(runs(path));
}

/* p0 and its peer; two bridges. The function has p0. */
static int set_up(void **state)
{
	struct ground *g = calloc(1, sizeof(*g));
	char proc[80];

	*state = g;
	assert_non_null(g);
	g->root = -1;
	if (why_not)
		return 0;
	strcpy(g->path, "/tmp/handover-nic-XXXXXX");
	assert_non_null(mkdtemp(g->path));
	make_folder(g, DEVICES "/" ADDRESS "/net/p0");
	snprintf(proc, sizeof(proc), "%s/proc", g->path);
	assert_int_equal(symlink("/proc", proc), 0);
	g->root = open(g->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(g->root >= 0);
	assert_true(runs("ip link add p0 type veth peer name peer0"));
	assert_true(runs("ip link add b0 type bridge && ip link add b1 type bridge"));
	if (has_vlans)
		assert_true(runs("ip link set b0 type bridge vlan_filtering 1"));
	return 0;
}

static int tear_down(void **state)
{
	struct ground *g = *state;
	char command[128];

	if (g->root >= 0) {
		close(g->root);
		snprintf(command, sizeof(command), "rm -rf '%s'", g->path);
		runs(command);
		runs("ip link delete peer0; ip link delete b0; ip link delete b1");
	}
	free(g);
	return 0;
}

static int poke(const struct ground *g, const char *what, const char *value)
{
	char name[64];

	snprintf(name, sizeof(name), ADDRESS "/%s", what);
	return live_nic_write(g->root, name, value);
}

static void assert_nic(const struct ground *g, const char *what, const char *value)
{
	char name[64], buf[HOST_VALUE_BYTES];
	ssize_t n;

	snprintf(name, sizeof(name), ADDRESS "/%s", what);
	n = live_nic_read(g->root, name, buf, sizeof(buf));
	if (n < 0)
		fail_msg("%s: error %d, should be '%s'", what, (int)n, value);
	assert_string_equal(buf, value);
	assert_int_equal(n, strlen(value));
}

__attribute__((unused)) static void assert_no_nic(const struct ground *g, const char *what)
{
	char name[64], buf[HOST_VALUE_BYTES];

	snprintf(name, sizeof(name), ADDRESS "/%s", what);
	assert_int_equal(live_nic_read(g->root, name, buf, sizeof(buf)), -ENOENT);
}

static struct ground *on_kernel(void **state)
{
	if (why_not)
		skip();
	return *state;
}

#define KERNEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
