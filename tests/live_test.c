/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The providers holder/ and label/ of the running kernel, asked of made folders and images, and of this host. */
#include "support.h"

#include <endian.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/live.h"
#include "host/live_holder.h"
#include "host/live_label.h"
#include "host/reader.h"

#define NOBODY 999999	/* asks, and is nobody's parent */
#define SOMEBODY 65534	/* a user without privileges */

/* --- a folder "/" with processes --------------------------------------------------------------------------------- */

static char root_name[64];
static int root = -1;

static int make_root(void **state)
{
	(void)state;
	strcpy(root_name, "/tmp/handover-live-XXXXXX");
	if (!mkdtemp(root_name) || chmod(root_name, 0755) < 0)
		return -1;
	root = open(root_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Its processes have nodes open that every host has. */
	return root < 0 || mkdirat(root, "proc", 0755) < 0 || symlinkat("/dev", root, "dev") < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	close(root);
	return nftw(root_name, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A process with one descriptor; more are added below its folder. */
static void put_process(unsigned pid, unsigned parent, const char *cgroup, const char *comm, const char *target)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *folder = arena_fmt(a, "proc/%u", pid);

	assert_int_equal(mkdirat(root, folder, 0755), 0);
	assert_int_equal(mkdirat(root, arena_fmt(a, "%s/fd", folder), 0755), 0);
	put(arena_fmt(a, "%s/cgroup", folder), cgroup);
	put(arena_fmt(a, "%s/comm", folder), comm);
	put(arena_fmt(a, "%s/stat", folder), arena_fmt(a, "%u (a) 1 b) S %u 1 1", pid, parent));
	assert_int_equal(symlinkat(target, root, arena_fmt(a, "%s/fd/7", folder)), 0);
}

static void put_descriptor(unsigned pid, unsigned fd, const char *target)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%u/fd/%u", pid, fd);
	assert_int_equal(symlinkat(target, root, name), 0);
}

static void holds(const char *node, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	ssize_t n = live_holder_read(root, NOBODY, node, buf, sizeof(buf));

	if (n < 0)
		fail_msg("%s: error %d, should be '%s'", node, (int)n, text);
	assert_string_equal(buf, text);
	assert_int_equal(n, strlen(text));
}

static ssize_t refused(const char *node)
{
	char buf[HOST_VALUE_BYTES];

	return live_holder_read(root, NOBODY, node, buf, sizeof(buf));
}

/* --- holder/ ----------------------------------------------------------------------------------------------------- */

static void who_has_a_node_open_is_told_once(void **state)
{
	(void)state;
	put_process(101, 1, "0::/qemu.slice/101.scope\n", "kvm\n", "/dev/full");
	put_descriptor(101, 8, "/dev/full");
	put_descriptor(101, 9, "/dev/zero");
	holds("dev/full", "101 101.scope kvm");
	holds("dev/zero", "101 101.scope kvm");
	assert_int_equal(refused("dev/fuller"), -ENOENT);
	assert_int_equal(refused("dev/ful"), -ENOENT);
}

static void each_process_has_a_line(void **state)
{
	char buf[HOST_VALUE_BYTES], *second;

	(void)state;
	put_process(5, 1, "0::/system.slice/ssh.service\n", "sshd\n", "/dev/null");
	put_process(12, 5, "0::/lxc/105/ns/system.slice/x.service\n", "x\n", "/dev/null");
	assert_true(live_holder_read(root, NOBODY, "dev/null", buf, sizeof(buf)) > 0);
	second = strchr(buf, '\n');
	assert_non_null(second);
	*second++ = '\0';
	/* A folder of a test has no order, as /proc has. */
	assert_true(strcmp(buf, "5 ssh.service sshd") == 0 || strcmp(second, "5 ssh.service sshd") == 0);
	assert_true(strcmp(buf, "12 lxc/105 x") == 0 || strcmp(second, "12 lxc/105 x") == 0);
}

static void a_node_that_is_gone_is_not_the_one_of_now(void **state)
{
	(void)state;
	put_process(5, 1, "0::/\n", "x\n", "/dev/zero (deleted)");
	put_descriptor(5, 1, "/mnt/dev/zero");
	assert_int_equal(refused("dev/zero"), -ENOENT);
	assert_int_equal(refused("dev/zero (deleted)"), -ENOENT);
}

static void whoever_asks_does_not_count(void **state)
{
	char buf[64];

	(void)state;
	put_process(5, 1, "0::/\n", "handover\n", "/dev/null");
	put_process(6, 5, "0::/\n", "handover-read\n", "/dev/null");
	assert_int_equal(live_holder_read(root, 5, "dev/null", buf, sizeof(buf)), -ENOENT);
	put_process(7, 6, "0::/\n", "other\n", "/dev/null");
	assert_int_equal(live_holder_read(root, 5, "dev/null", buf, sizeof(buf)), strlen("7 - other"));
	assert_string_equal(buf, "7 - other");
}

static void a_command_is_one_harmless_word(void **state)
{
	(void)state;
	put_process(5, 1, "0::/a b/\x1b[1m\n", "Web Content\x1b\n\xff\n", "/dev/zero");
	holds("dev/zero", "5 a_b/?[1m Web_Content???");
	put("proc/5/comm", "\n");
	holds("dev/zero", "5 a_b/?[1m -");
}

static void the_unit_is_the_one_the_host_knows(void **state)
{
	static const struct { const char *cgroup, *unit; } cases[] = {
		{ "", "-" },
		{ "0::/\n", "-" },
		{ "0::/init.scope\n", "init.scope" },
		{ "0::/qemu.slice/101.scope\n", "101.scope" },
		{ "0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service" },
		{ "0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/session.slice/pipewire.service\n", "user@1000.service" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "user@1000.service" },
		/* What a service makes below its own. */
		{ "0::/system.slice/x.service/a/b\n", "x.service" },
		{ "0::/lxc/105\n", "lxc/105" },
		{ "0::/lxc/105/ns/init.scope\n", "lxc/105" },
		{ "0::/lxc.monitor/105\n", "lxc.monitor/105" },
		{ "0::/other/lxc/105/ns\n", "105/ns" },
		{ "0::/one\n", "one" },
		{ "0::/one/two/three\n", "two/three" },
		{ "0::/.scope\n", ".scope" },
		/* Version 1 beside it. */
		{ "12:cpu:/x.scope\n1:name=systemd:/y.scope\n0::/z.scope\n", "z.scope" },
		{ "1:name=systemd:/y.scope\n", "-" },
	};
	char unit[HOLDER_UNIT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		live_holder_unit(cases[i].cgroup, unit);
		if (strcmp(unit, cases[i].unit) != 0)
			fail_msg("'%s' gives '%s', should be '%s'", cases[i].cgroup, unit, cases[i].unit);
	}
}

static void only_names_of_nodes_are_looked_for(void **state)
{
	static const char *const bad[] = { "", "dev", "dev/", "dev//sda", "dev/null/", "etc/shadow", "dev/.x", "dev/../x",
					   "dev/a b", "dev/a\nb", "/dev/null", "dev/a\x1b" };

	(void)state;
	put_process(5, 1, "0::/\n", "x\n", "/etc/shadow");
	put_descriptor(5, 1, "/dev/a b");
	put_descriptor(5, 2, "/dev/.x");
	put_descriptor(5, 3, "/dev/");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(refused(bad[i]), -ENOENT);
}

static void what_does_not_fit_is_left_out_by_whole_lines(void **state)
{
	static const char text[] = "5 a b\n6 c d\n7 e f";
	char buf[64];

	(void)state;
	assert_int_equal(live_holder_cut(text, strlen(text), buf, strlen(text) + 1), strlen(text));
	assert_string_equal(buf, text);
	assert_int_equal(live_holder_cut(text, strlen(text), buf, strlen(text)), 11);
	assert_string_equal(buf, "5 a b\n6 c d");
	assert_int_equal(live_holder_cut(text, strlen(text), buf, 6), 5);
	assert_string_equal(buf, "5 a b");
	assert_int_equal(live_holder_cut(text, strlen(text), buf, 5), -E2BIG);
	put_process(5, 1, "0::/\n", "x\n", "/dev/null");
	put_process(6, 1, "0::/\n", "x\n", "/dev/null");
	assert_int_equal(live_holder_read(root, NOBODY, "dev/null", buf, strlen("5 - x\n6 - x")), strlen("5 - x"));
	assert_null(strchr(buf, '\n'));
	assert_int_equal(live_holder_read(root, NOBODY, "dev/null", buf, strlen("5 - x")), -E2BIG);
}

static void who_cannot_be_looked_at_might_have_it(void **state)
{
	bool is_root = geteuid() == 0;
	ssize_t n, other;
	char buf[64];

	(void)state;
	put_process(5, 1, "0::/\n", "x\n", "/dev/null");
	put_process(6, 1, "0::/\n", "x\n", "/dev/zero");
	assert_int_equal(fchmodat(root, "proc/5/fd", 0, 0), 0);
	/* Root looks at everything. */
	if (is_root)
		assert_int_equal(seteuid(SOMEBODY), 0);
	n = refused("dev/null");
	other = live_holder_read(root, NOBODY, "dev/zero", buf, sizeof(buf));
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmodat(root, "proc/5/fd", 0755, 0), 0);
	assert_int_equal(n, -EACCES);
	assert_int_equal(other, strlen("6 - x"));
}

static void a_folder_lists_what_is_open_in_it(void **state)
{
	static const char *const wanted[] = { "null", "pts" };
	_cleanup_arena_ struct arena *a = arena_new();
	char **names;
	size_t n;

	(void)state;
	put_process(5, 1, "0::/\n", "x\n", "/dev/pts/ptmx");
	put_descriptor(5, 1, "/dev/null");
	put_descriptor(5, 2, "/dev/null");
	put_descriptor(5, 3, "/dev/no-such-node");
	put_descriptor(5, 5, "/dev/no-such-folder/node");
	put_descriptor(5, 4, "/dev/zero (deleted)");
	put_process(6, NOBODY, "0::/\n", "x\n", "/dev/full");
	assert_int_equal(live_holder_list(root, NOBODY, "dev", a, &names, &n), 0);
	assert_int_equal(n, COUNT(wanted));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(names[i], wanted[i]);
	assert_int_equal(live_holder_list(root, NOBODY, "dev/pts", a, &names, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "ptmx");
	assert_int_equal(live_holder_list(root, NOBODY, "dev/null", a, &names, &n), -ENOENT);
	assert_int_equal(live_holder_list(root, NOBODY, "etc", a, &names, &n), -ENOENT);
}

/* --- of this host ------------------------------------------------------------------------------------------------ */

/* A child whose own child has the node open, until the pipe is closed. */
static pid_t start_holder(const char *node, int pipe_ends[2])
{
	pid_t child;
	char byte;

	assert_int_equal(pipe(pipe_ends), 0);
	child = fork();
	if (child == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			prctl(PR_SET_NAME, "t holder");
			if (open(node, O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
				_exit(1);
			if (write(pipe_ends[1], "x", 1) == 1)
				pause();
			_exit(0);
		}
		waitpid(grandchild, NULL, 0);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
	return child;
}

/* Nodes of a container, or of anybody who has made a mount namespace. */
static const struct own_node {
	const char *name;
	mode_t mode;
	unsigned major, minor;
	bool is_removed;
	const char *asked;
	bool counts;
} own_nodes[] = {
	{ "/dev/full", S_IFCHR, 1, 7, false, "dev/full", true },
	{ "/dev/full", S_IFCHR, 1, 7, true, "dev/full", true },
	{ "/dev/full", S_IFCHR, 1, 5, false, "dev/full", false },
	{ "/dev/full", S_IFBLK, 1, 7, false, "dev/full", false },
	{ "/dev/full", S_IFREG, 0, 0, false, "dev/full", false },
	{ "/dev/vfio-no-such", S_IFCHR, 1, 7, false, "dev/vfio-no-such", false },
};

static bool make_own_dev(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0;
}

/* A child that has it open in a /dev of its own; nothing is asked of a driver. 0: it cannot be made here. */
static pid_t start_own(const struct own_node *o)
{
	int ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!make_own_dev() || mknod(o->name, o->mode | 0600, makedev(o->major, o->minor)) < 0 ||
		    open(o->name, O_PATH | O_CLOEXEC) < 0 || (o->is_removed && unlink(o->name) < 0))
			_exit(1);
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1) {
		waitpid(child, NULL, 0);
		child = 0;
	}
	close(ends[0]);
	return child;
}

static void a_name_is_not_yet_a_node_of_this_host(void **state)
{
	char buf[HOST_VALUE_BYTES];
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < COUNT(own_nodes); i++) {
		pid_t child = start_own(&own_nodes[i]);
		ssize_t n;

		if (!child)
			skip();
		n = live_holder_read(slash, NOBODY, own_nodes[i].asked, buf, sizeof(buf));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		if (own_nodes[i].counts != (n > 0) || (n <= 0 && n != -ENOENT))
			fail_msg("case %zu: %d", i, (int)n);
	}
	close(slash);
}

static bool open_own(const char *name, unsigned major, unsigned minor)
{
	return mknod(name, S_IFCHR | 0600, makedev(major, minor)) == 0 && open(name, O_PATH | O_CLOEXEC) >= 0;
}

/* What a host is told whose /dev is that of whoever has the nodes open: 0 it is so, 1 it is not, 2 it cannot be made here. */
static int look_at_own_nodes(void)
{
	char buf[HOST_VALUE_BYTES];
	int slash;

	if (!make_own_dev() || !open_own("/dev/watchdog", 10, 130) ||
	    mknod("/dev/watchdog0", S_IFCHR | 0600, makedev(250, 0)) < 0)
		return 2;
	/* The kernel's next device has the number of the one that is gone. */
	if (!open_own("/dev/sound", 116, 1) || unlink("/dev/sound") < 0 ||
	    mknod("/dev/sound", S_IFCHR | 0600, makedev(116, 1)) < 0)
		return 2;
	slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return live_holder_read(slash, NOBODY, "dev/watchdog0", buf, sizeof(buf)) > 0 &&
	       live_holder_read(slash, NOBODY, "dev/watchdog1", buf, sizeof(buf)) == -ENOENT &&
	       live_holder_read(slash, NOBODY, "dev/sound", buf, sizeof(buf)) == -ENOENT ? 0 : 1;
}

/* The first watchdog has two nodes, and a name that is gone was another device's. */
static void the_nodes_of_a_host_are_known_by_their_names(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(look_at_own_nodes());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_running_kernel_tells_who_has_a_terminal(void **state)
{
	_cleanup_host_ struct host *h = NULL;
	_cleanup_arena_ struct arena *a = arena_new();
	char buf[HOST_VALUE_BYTES], node[64], unit[HOLDER_UNIT_BYTES], command[64];
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), mine, ends[2];
	struct error err;
	const char *name;
	pid_t child;
	int pid;

	(void)state;
	if (pty < 0 || unlockpt(pty) < 0 || ptsname_r(pty, node, sizeof(node)) != 0)
		skip();
	assert_int_equal(live_open(&h, &err), 0);
	name = arena_fmt(a, "holder%s", node);
	mine = open(node, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(mine >= 0);
	/* This program and its children do not count. Without privileges others are not seen. */
	assert_int_equal(host_read(h, name, buf, sizeof(buf)), geteuid() == 0 ? -ENOENT : -EACCES);
	child = start_holder(node, ends);
	assert_true(host_read(h, name, buf, sizeof(buf)) > 0);
	assert_int_equal(sscanf(buf, "%d %255s %63s", &pid, unit, command), 3);
	assert_string_equal(command, "t_holder");
	assert_int_not_equal(pid, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(mine);
	close(pty);
	close(ends[0]);
	close(ends[1]);
}

#define MANY 800

/* Children of a child, which count, have it open; the pipe ends with them. */
static pid_t start_many(const char *node)
{
	int ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (open(node, O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
			_exit(1);
		for (int i = 0; i < MANY; i++)
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				pause();
				_exit(0);
			}
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

/* More lines than a page has, and more than one answer: whole lines come of them, and never none. */
static void many_who_have_a_node_open_are_somebody(void **state)
{
	static const size_t sizes[] = { HOST_VALUE_BYTES, HOST_VALUE_BYTES + 1, READER_BYTES };
	_cleanup_host_ struct host *h = NULL;
	char buf[READER_BYTES];
	struct error err;
	pid_t child;
	bool cut;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(live_open(&h, &err), 0);
	child = start_many("/dev/full");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		ssize_t n = host_read_lines(h, "holder/dev/full", buf, sizes[i], &cut);

		assert_false(cut);
		assert_true(n > (ssize_t)sizes[i] / 2 && n < (ssize_t)sizes[i]);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* --- label/ ------------------------------------------------------------------------------------------------------ */

#define IMAGE_BYTES (64 * 1024 * 1024)	/* less is none for libblkid's zfs_member */

static int new_image(void)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, IMAGE_BYTES), 0);
	return fd;
}

static void put_at(int fd, off_t offset, const void *data, size_t n)
{
	assert_int_equal(pwrite(fd, data, n, offset), n);
}

/* include/linux/swap.h, union swap_header: the magic at the end of the first page, version and label at 1024. */
static void put_swap(int fd, const char *label)
{
	const uint32_t version = 1, last_page = 4095;

	put_at(fd, 4086, "SWAPSPACE2", 10);
	put_at(fd, 1024, &version, sizeof(version));
	put_at(fd, 1028, &last_page, sizeof(last_page));
	put_at(fd, 1052, label, strlen(label));
}

/* A pair of an XDR encoded nvlist: its size, its size decoded, the name, the type, one element, the value. */
static size_t put_pair(unsigned char *to, const char *name, uint32_t type, const void *value, size_t n)
{
	uint32_t length = (uint32_t)strlen(name), padded = (length + 3) & ~3u, size = 12 + padded + 8 + (uint32_t)n;
	const uint32_t head[] = { htobe32(size), htobe32(size), htobe32(length) }, kind[] = { htobe32(type), htobe32(1) };

	memcpy(to, head, sizeof(head));
	memcpy(to + 12, name, length);
	memcpy(to + 12 + padded, kind, sizeof(kind));
	memcpy(to + 12 + padded + 8, value, n);
	return size;
}

/* The first label of a pool's member: include/sys/vdev_impl.h of OpenZFS, vdev_label_t. */
static void put_zfs(int fd, const char *pool)
{
	const uint64_t uberblock[] = { 0x00bab10c, 5000, 1, 1, 1 }, number = htobe64(5000), active = 0;
	unsigned char list[4096] = { 1, 1 }, text[64] = { 0 };
	const uint32_t length = htobe32((uint32_t)strlen(pool));
	size_t n = 12;

	memcpy(text, &length, sizeof(length));
	memcpy(text + 4, pool, strlen(pool));
	n += put_pair(list + n, "version", 8, &number, sizeof(number));
	n += put_pair(list + n, "name", 9, text, 4 + ((strlen(pool) + 3) & ~3u));
	n += put_pair(list + n, "state", 8, &active, sizeof(active));
	n += put_pair(list + n, "txg", 8, &number, sizeof(number));
	n += put_pair(list + n, "pool_guid", 8, &number, sizeof(number));
	put_pair(list + n, "guid", 8, &number, sizeof(number));
	put_at(fd, 16 * 1024, list, sizeof(list));
	for (int i = 0; i < 8; i++)
		put_at(fd, (128 + i) * 1024, uberblock, sizeof(uberblock));
}

static void probes(int fd, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	ssize_t n = live_label_probe(fd, buf, sizeof(buf));

	if (n < 0)
		fail_msg("error %d, should be '%s'", (int)n, text);
	assert_string_equal(buf, text);
	assert_int_equal(n, strlen(text));
	assert_int_equal(live_label_probe(fd, buf, strlen(text)), -E2BIG);
	close(fd);
}

static void what_is_on_a_disk_is_named_with_its_label(void **state)
{
	int fd = new_image();

	(void)state;
	put_swap(fd, "my swap");
	probes(fd, "swap my swap");
	fd = new_image();
	put_swap(fd, "");
	probes(fd, "swap");
	fd = new_image();
	put_at(fd, 0, "LUKS\xba\xbe\0\1", 8);
	probes(fd, "crypto_LUKS");
	fd = new_image();
	put_zfs(fd, "rpool");
	probes(fd, "zfs_member rpool");
}

static void a_label_is_harmless(void **state)
{
	int fd = new_image();

	(void)state;
	put_swap(fd, "a\x1b[2J\nb\xff");
	probes(fd, "swap a?[2J?b?");
}

static void a_pool_is_seen_below_what_was_there_before(void **state)
{
	int fd = new_image();

	(void)state;
	put_swap(fd, "old");
	put_zfs(fd, "tank");
	probes(fd, "zfs_member tank");
}

static void an_empty_disk_has_no_label(void **state)
{
	char buf[64];
	int fd = new_image();

	(void)state;
	assert_int_equal(live_label_probe(fd, buf, sizeof(buf)), -ENOENT);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(live_label_probe(fd, buf, sizeof(buf)) < 0);
	close(fd);
}

static void only_block_devices_are_read(void **state)
{
	static const char *const bad[] = { "", "../etc/shadow", "a/b", ".", "..", "!..!etc!shadow", "a b", "\x1b" };
	char buf[64];

	(void)state;
	assert_int_equal(unlinkat(root, "dev", 0), 0);
	assert_int_equal(mkdirat(root, "dev", 0755), 0);
	assert_int_equal(mkdirat(root, "dev/cciss", 0755), 0);
	put("dev/cciss/c0d0", "");
	put("dev/sda", "");
	/* A file is none, but it was found. */
	assert_int_equal(live_label_read(root, "sda", buf, sizeof(buf)), -ENOTBLK);
	assert_int_equal(live_label_read(root, "cciss!c0d0", buf, sizeof(buf)), -ENOTBLK);
	assert_int_equal(live_label_read(root, "sdb", buf, sizeof(buf)), -ENOENT);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(live_label_read(root, bad[i], buf, sizeof(buf)), -ENOENT);
}

static void the_running_kernel_is_asked_by_the_names_of_the_seam(void **state)
{
	_cleanup_host_ struct host *h = NULL;
	struct error err;
	char buf[64];

	(void)state;
	assert_int_equal(live_open(&h, &err), 0);
	assert_int_equal(host_read(h, "label/null", buf, sizeof(buf)), -ENOTBLK);
	assert_int_equal(host_read(h, "label/no-such-disk", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(host_read(h, "label/../etc/passwd", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(host_link(h, "label/null", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(poke_host(h, "label/null", "x"), -EPERM);
	assert_int_equal(poke_host(h, "holder/dev/null", "x"), -EPERM);
}

/* --- the process that looks --------------------------------------------------------------------------------------- */

static pid_t only_child(void)
{
	char name[64], text[64] = { 0 };
	int fd;

	snprintf(name, sizeof(name), "/proc/self/task/%d/children", getpid());
	fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoi(text);
}

/* As the kernel does for want of memory: to look again changes nothing. */
static void a_reader_that_is_killed_is_followed_by_another(void **state)
{
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct reader r = { .socket = -1 };
	char text[HOST_VALUE_BYTES];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(reader_read(&r, slash, "proc/sys/kernel/ostype", text, sizeof(text)) > 0);
		assert_string_equal(text, "Linux\n");
		kill(only_child(), SIGKILL);
		assert_true(waitpid(-1, NULL, 0) > 0);
	}
	assert_int_equal(reader_read(&r, slash, "no/such/file", text, sizeof(text)), -ENOENT);
	reader_close(&r);
	waitpid(-1, NULL, 0);
	close(slash);
}

static void assert_file(struct reader *r, int folder, const char *name, const char *begin)
{
	char text[HOST_VALUE_BYTES];

	assert_true(reader_read(r, folder, name, text, sizeof(text)) > 0);
	assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
}

/* Whatever it was asked for ahead, an answer is the one to its question. */
static void a_reader_is_asked_ahead(void **state)
{
	static const char *const names[] = { "proc/sys/kernel/ostype", "no/such/file", "proc/version", "proc/sys/kernel/ostype" };
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct reader r = { .socket = -1 };
	char text[HOST_VALUE_BYTES];

	(void)state;
	reader_ask_ahead(&r, slash, names, 4);
	assert_int_equal(r.n_asked, 4);
	assert_file(&r, slash, "proc/sys/kernel/ostype", "Linux\n");
	assert_int_equal(reader_read(&r, slash, "no/such/file", text, sizeof(text)), -ENOENT);
	/* Not what comes next. */
	assert_file(&r, slash, "proc/sys/kernel/ostype", "Linux\n");
	assert_int_equal(r.n_asked, 0);
	assert_file(&r, slash, "proc/version", "Linux version");
	reader_ask_ahead(&r, slash, names + 2, 2);
	reader_ask_ahead(&r, slash, NULL, 0);
	assert_file(&r, slash, "proc/sys/kernel/ostype", "Linux\n");
	reader_ask_ahead(&r, slash, names, 3);
	assert_file(&r, slash, "proc/sys/kernel/ostype", "Linux\n");
	/* One that was killed gives what the next one is asked for. */
	reader_ask_ahead(&r, slash, names + 2, 2);
	kill(only_child(), SIGKILL);
	assert_file(&r, slash, "proc/version", "Linux version");
	assert_file(&r, slash, "proc/sys/kernel/ostype", "Linux\n");
	reader_close(&r);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(slash);
}

/* More than the socket takes: the rest is asked for when its turn comes. */
static void a_reader_is_asked_for_no_more_than_it_takes(void **state)
{
	static const char *names[4096];
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct reader r = { .socket = -1 };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = "proc/version";
	reader_ask_ahead(&r, slash, names, COUNT(names));
	assert_true(r.n_asked > 64 && r.n_asked < COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_file(&r, slash, "proc/version", "Linux version");
	reader_close(&r);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(slash);
}

/* The list of mounts may be long: it comes in pieces. */
static void a_reader_gives_all_of_a_file_or_its_beginning(void **state)
{
	static const size_t sizes[] = { 0, 1, READER_BYTES - 1, READER_BYTES, READER_BYTES + 1, 2 * READER_BYTES,
					5 * READER_BYTES + 7 };
	static char text[6 * READER_BYTES], got[6 * READER_BYTES];
	struct reader r = { .socket = -1 };

	(void)state;
	put("other", "other");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			text[k] = (char)('a' + k / READER_BYTES + k % 7);
		text[sizes[i]] = '\0';
		put("all", text);
		assert_int_equal(reader_read(&r, root, "all", got, sizes[i] + 1), sizes[i]);
		assert_string_equal(got, text);
		/* One byte too few: what there is room for, and what is asked next is answered. */
		if (sizes[i])
			assert_int_equal(reader_read(&r, root, "all", got, sizes[i]), -E2BIG);
		assert_memory_equal(got, text, sizes[i]);
		assert_int_equal(reader_read(&r, root, "other", got, sizeof(got)), strlen("other"));
	}
	reader_close(&r);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

#define in_a_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_root(who_has_a_node_open_is_told_once),
		in_a_root(each_process_has_a_line),
		in_a_root(a_node_that_is_gone_is_not_the_one_of_now),
		in_a_root(whoever_asks_does_not_count),
		in_a_root(a_command_is_one_harmless_word),
		cmocka_unit_test(the_unit_is_the_one_the_host_knows),
		in_a_root(only_names_of_nodes_are_looked_for),
		in_a_root(what_does_not_fit_is_left_out_by_whole_lines),
		in_a_root(who_cannot_be_looked_at_might_have_it),
		in_a_root(a_folder_lists_what_is_open_in_it),
		cmocka_unit_test(a_name_is_not_yet_a_node_of_this_host),
		cmocka_unit_test(the_nodes_of_a_host_are_known_by_their_names),
		cmocka_unit_test(the_running_kernel_tells_who_has_a_terminal),
		cmocka_unit_test(many_who_have_a_node_open_are_somebody),
		cmocka_unit_test(a_reader_that_is_killed_is_followed_by_another),
		cmocka_unit_test(a_reader_is_asked_ahead),
		cmocka_unit_test(a_reader_is_asked_for_no_more_than_it_takes),
		in_a_root(a_reader_gives_all_of_a_file_or_its_beginning),
		cmocka_unit_test(what_is_on_a_disk_is_named_with_its_label),
		cmocka_unit_test(a_label_is_harmless),
		cmocka_unit_test(a_pool_is_seen_below_what_was_there_before),
		cmocka_unit_test(an_empty_disk_has_no_label),
		in_a_root(only_block_devices_are_read),
		cmocka_unit_test(the_running_kernel_is_asked_by_the_names_of_the_seam),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
