/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seam, the .host text, and what the simulated kernel answers to a write. */
#include "support.h"

#include <glob.h>

#include "host/live.h"
#include "base/str.h"

#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"

#define HEAD "handover-host: 1\n"
#define BLOCK HEAD "P: /devices/x\n"

/* --- reading a .host text ---------------------------------------------------------------------------------------- */

static void every_kind_of_line_is_read(void **state)
{
	struct host *h = host_from("handover-host: 1\n"
				   "source: made: all kinds of lines\n"
				   "kernel: 6.14.11-3-pve\n"
				   "# a comment\n"
				   "\n"
				   "P: /devices/pci0000:00/0000:00:02.0\n"
				   "A: vendor=0x8086\n"
				   "A: power/control=on\n"
				   "A: label=a=b\\nc\\\\n\n"
				   "A: empty=\n"
				   "H: config=8680\n"
				   "H: config+0fE=0aBc\n"
				   "L: driver=../../../bus/pci/drivers/e1000e\n"
				   "V: module/e1000e=live\n"
				   "V: proc/cmdline=root=/dev/sda\\nquiet\n"
				   "F: etc/pve/qemu-server/100.conf\n"
				   "| hostpci0: 00:02.0\n"
				   "# in between\n"
				   "|\n"
				   "|  two spaces: \\n is itself\n");
	char buf[HOST_VALUE_BYTES];

	(void)state;
	assert_reads(h, "source", "made: all kinds of lines");
	assert_reads(h, "proc/sys/kernel/osrelease", "6.14.11-3-pve");
	assert_reads(h, "sys/devices/pci0000:00/0000:00:02.0/vendor", "0x8086");
	assert_reads(h, DEVICES "/0000:00:02.0/power/control", "on");
	assert_reads(h, DEVICES "/0000:00:02.0/label", "a=b\nc\\n");
	assert_reads(h, DEVICES "/0000:00:02.0/empty", "");
	assert_int_equal(host_read_bytes(h, DEVICES "/0000:00:02.0/config", buf, sizeof(buf)), 0x100);
	assert_memory_equal(buf, "\x86\x80\0", 3);
	assert_memory_equal(buf + 0xfe, "\x0a\xbc", 2);
	assert_reads(h, DEVICES "/0000:00:02.0/driver", "e1000e");
	assert_reads(h, "module/e1000e", "live");
	assert_reads(h, "proc/cmdline", "root=/dev/sda\nquiet");
	assert_reads(h, "etc/pve/qemu-server/100.conf", "hostpci0: 00:02.0\n\n two spaces: \\n is itself");
	host_close(h);
}

static void a_value_may_hold_nul_bytes(void **state)
{
	struct host *h = host_from(BLOCK "A: x=\\0a\\0\nV: proc/7/cmdline=kvm\\0-id\\0101\\0\n"
				   "V: proc/8/cmdline=long\\0er\nV: proc/8/cmdline=\\0\n");
	_cleanup_arena_ struct arena *a = arena_new();
	char buf[64];

	(void)state;
	assert_int_equal(host_read_bytes(h, "proc/7/cmdline", buf, sizeof(buf)), 12);
	assert_memory_equal(buf, "kvm\0-id\000101\0", 13);
	assert_int_equal(host_read_bytes(h, "sys/devices/x/x", buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "\0a\0", 4);
	/* The last one is the one there is. */
	assert_int_equal(host_read(h, "proc/8/cmdline", buf, sizeof(buf)), 1);
	assert_memory_equal(buf, "\0", 2);
	assert_contains(host_dump(a, h), "proc/7/cmdline = kvm\\00-id\\00101\\00\n");
	host_close(h);
}

static void what_the_kernel_derives_is_made(void **state)
{
	struct host *h = host_from(HEAD "P: /devices/pci0000:00/0000:00:01.0/0000:01:00.0\nA: vendor=0x8086\n"
				   "L: driver=../../../../bus/pci/drivers/e1000e\n"
				   "L: iommu_group=../../../../kernel/iommu_groups/7\n");
	_cleanup_arena_ struct arena *a = arena_new();
	char **names;
	size_t n;

	(void)state;
	assert_reads(h, DEVICES "/0000:01:00.0/vendor", "0x8086");
	assert_reads(h, DEVICES "/0000:01:00.0/subsystem", "pci");
	assert_reads(h, DRIVERS "/e1000e/0000:01:00.0/vendor", "0x8086");
	assert_reads(h, "sys/kernel/iommu_groups/7/devices/0000:01:00.0/vendor", "0x8086");
	assert_int_equal(host_list(h, "sys/kernel/iommu_groups/7/devices", a, &names, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "0000:01:00.0");
	/* The bridge above was not described, but stands in the tree. */
	assert_true(host_has(h, DEVICES "/0000:00:01.0"));
	host_close(h);
}

static void each_mistake_is_told_with_its_line(void **state)
{
	static const struct { const char *text, *what; } cases[] = {
		{ "", "test.host:0: the text is empty" },
		{ "\n" HEAD, "test.host:1: the first line is 'handover-host: 1'" },
		{ "# comment\n" HEAD, "test.host:1: the first line is 'handover-host: 1'" },
		{ "source: made\n", "test.host:1: the first line is" },
		{ "handover-host: 2\n", "test.host:1: this program reads 'handover-host: 1'" },
		{ "handover-host:1\n", "test.host:1: there is no ': '" },
		{ HEAD "source: found somewhere\n", "test.host:2: source starts with captured" },
		{ HEAD "colour: red\n", "test.host:2: unknown line" },
		{ HEAD "Q: x=y\n", "test.host:2: unknown line" },
		{ HEAD "Pa: /x\n", "test.host:2: unknown line" },
		{ HEAD "just text\n", "test.host:2: there is no ': '" },
		{ HEAD "P:/devices/x\n", "test.host:2: there is no ': '" },
		{ HEAD "P: devices/x\n", "test.host:2: a P: line is a path" },
		{ HEAD "P: /\n", "test.host:2: a P: line is a path" },
		{ HEAD "P: /devices/../etc\n", "test.host:2: a P: line is a path" },
		{ HEAD "P: /devices//x\n", "test.host:2: a P: line is a path" },
		{ HEAD "P: /devices/x/\n", "test.host:2: a P: line is a path" },
		{ HEAD "A: vendor=1\n", "test.host:2: an A: line is" },
		{ BLOCK "A: vendor\n", "test.host:3: there is no '='" },
		{ BLOCK "A: =1\n", "test.host:3: an A: line is" },
		{ BLOCK "A: ../y=1\n", "test.host:3: an A: line is" },
		{ BLOCK "A: /y=1\n", "test.host:3: an A: line is" },
		{ BLOCK "A: y=\\t\n", "test.host:3: an A: line is" },
		{ BLOCK "A: y=1\\\n", "test.host:3: an A: line is" },
		{ HEAD "H: config=00\n", "test.host:2: an H: line needs a P: line" },
		{ BLOCK "H: config=\n", "test.host:3: bytes are pairs" },
		{ BLOCK "H: config=0\n", "test.host:3: bytes are pairs" },
		{ BLOCK "H: config=0g\n", "test.host:3: bytes are pairs" },
		{ BLOCK "H: config+=00\n", "test.host:3: the offset behind '+'" },
		{ BLOCK "H: config+1000=00\n", "test.host:3: the offset behind '+'" },
		{ BLOCK "H: config+xy=00\n", "test.host:3: the offset behind '+'" },
		{ BLOCK "H: config+fff=0000\n", "test.host:3: bytes are pairs of hex digits, at most 4096" },
		{ HEAD "L: driver=x\n", "test.host:2: an L: line is" },
		{ BLOCK "L: driver=\n", "test.host:3: an L: line is" },
		{ BLOCK "L: driver=../drivers/\n", "test.host:3: an L: line is" },
		{ BLOCK "L: driver=../..\n", "test.host:3: an L: line is" },
		{ HEAD "V: sys/x=1\n", "test.host:2: a V: line is" },
		{ HEAD "V: /etc/x=1\n", "test.host:2: a V: line is" },
		{ HEAD "V: etc/../x=1\n", "test.host:2: a V: line is" },
		{ HEAD "V: etc/x\n", "test.host:2: there is no '='" },
		{ HEAD "V: etc/x=\\1\n", "test.host:2: a V: line is" },
		{ HEAD "V: etc/x=\\\n", "test.host:2: a V: line is" },
		{ HEAD "F: sys/x\n", "test.host:2: an F: line names" },
		{ HEAD "F: ../x\n", "test.host:2: an F: line names" },
		{ HEAD "| text\n", "test.host:2: a line that starts with '|'" },
		{ HEAD "F: etc/x\nP: /devices/x\n| text\n", "test.host:4: a line that starts with '|'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host *h = NULL;
		struct error err = { 0 };
		int code = hostfile_parse(cases[i].text, strlen(cases[i].text), "test.host", &h, &err);

		if (code != -EINVAL || strncmp(err.text, cases[i].what, strlen(cases[i].what)) != 0)
			fail_msg("'%s' gives %d '%s', should be '%s'", cases[i].text, code, err.text, cases[i].what);
		assert_null(h);
	}
}

static int parse(const char *text, size_t n, struct error *err)
{
	struct host *h = NULL;
	int code = hostfile_parse(text, n, "test.host", &h, err);

	host_close(h);
	return code;
}

static int parse_text(const char *text, struct error *err)
{
	return parse(text, strlen(text), err);
}

static void a_nul_byte_is_refused(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(parse(HEAD "V: etc/x=a\0b\n", sizeof(HEAD) + 14, &err), -EINVAL);
	assert_string_equal(err.text, "test.host:2: there is a NUL byte; this is not a .host text");
}

static const char *repeat(struct arena *a, const char *head, char c, size_t n, const char *tail)
{
	char *text = arena_alloc(a, strlen(head) + n + strlen(tail) + 1);

	strcpy(text, head);
	memset(text + strlen(head), c, n);
	strcpy(text + strlen(head) + n, tail);
	return text;
}

static void a_line_has_16384_bytes_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct error err;

	(void)state;
	assert_int_equal(parse_text(repeat(a, HEAD "#", 'x', HOSTFILE_LINE_MAX - 1, "\n"), &err), 0);
	assert_int_equal(parse_text(repeat(a, HEAD "#", 'x', HOSTFILE_LINE_MAX, "\n"), &err), -EINVAL);
	assert_string_equal(err.text, "test.host:2: the line is longer than 16384 bytes");
	/* With no newline at its end as well. */
	assert_int_equal(parse_text(repeat(a, HEAD "#", 'x', HOSTFILE_LINE_MAX - 1, ""), &err), 0);
	assert_int_equal(parse_text(repeat(a, HEAD "#", 'x', HOSTFILE_LINE_MAX, ""), &err), -EINVAL);
}

static void a_thing_stands_in_one_folder(void **state)
{
	static const char *const names[] = { "0000:00:02.0", "usb1", "1-2.1", "1-2:1.0", "input/input3" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *text = arena_fmt(a, HEAD "P: /devices/a/%s\nP: /devices/b/%s\n", names[i], names[i]);

		assert_int_equal(parse_text(text, &err), -EEXIST);
		assert_string_equal(err.text,
				    arena_fmt(a, "test.host: '%s' stands in two folders", str_basename(names[i])));
	}
	/* What is no name on a bus may stand anywhere. */
	assert_int_equal(parse_text(HEAD "P: /devices/a/0000:00:02\nP: /devices/b/0000:00:02\n", &err), 0);
}

static void a_host_has_4096_functions_and_drivers_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct error err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *text = arena_alloc(a, (SIM_PCI_MAX + 2) * 64), *end = stpcpy(text, HEAD);

		for (unsigned k = 0; k <= SIM_PCI_MAX; k++) {
			if (k == SIM_PCI_MAX)
				assert_int_equal(parse_text(text, &err), 0);
			end += i == 0 ? sprintf(end, "P: /devices/pci0000:00/%04x:00:00.0\n", k) :
					sprintf(end, "P: /bus/pci/drivers/d%u\n", k);
		}
		assert_int_equal(parse_text(text, &err), -E2BIG);
		assert_contains(err.text, i == 0 ? "more than 4096 PCI functions" : "more than 4096 PCI drivers");
	}
}

static void a_text_has_8_mib_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n = HOSTFILE_BYTES_MAX;
	char *text = arena_alloc(a, n + 2);
	struct error err;

	(void)state;
	memset(text, '\n', n + 1);
	memcpy(text, HEAD, strlen(HEAD));
	assert_int_equal(parse(text, n, &err), 0);
	assert_int_equal(parse(text, n + 1, &err), -E2BIG);
	assert_contains(err.text, "test.host: longer than 8388608 bytes");
}

static void a_config_space_has_4096_bytes_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char buf[HOST_VALUE_BYTES + 1];
	struct error err;
	struct host *h;

	(void)state;
	h = host_from(repeat(a, BLOCK "H: config=", '7', HOST_VALUE_BYTES * 2, "\n"));
	assert_int_equal(host_read_bytes(h, "sys/devices/x/config", buf, sizeof(buf)), HOST_VALUE_BYTES);
	host_close(h);
	assert_int_equal(parse_text(repeat(a, BLOCK "H: config=", '7', HOST_VALUE_BYTES * 2 + 2, "\n"), &err), -EINVAL);
	h = host_from(BLOCK "H: config+fff=01\n");
	assert_int_equal(host_read_bytes(h, "sys/devices/x/config", buf, sizeof(buf)), HOST_VALUE_BYTES);
	assert_int_equal(buf[HOST_VALUE_BYTES - 1], 1);
	host_close(h);
	assert_int_equal(parse_text(BLOCK "H: config+fff=0101\n", &err), -EINVAL);
}

static void a_file_has_16384_bytes_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *buf = arena_alloc(a, HOSTFILE_LINE_MAX * 2);
	const char *half = repeat(a, "| ", 'x', HOSTFILE_LINE_MAX / 2 - 1, "\n");
	struct error err;
	struct host *h = host_from(arena_fmt(a, HEAD "F: etc/x\n%s%s", half, half));

	(void)state;
	assert_int_equal(host_read_bytes(h, "etc/x", buf, HOSTFILE_LINE_MAX * 2), HOSTFILE_LINE_MAX);
	host_close(h);
	assert_int_equal(parse_text(arena_fmt(a, HEAD "F: etc/x\n%s%s|\n", half, half), &err), -EINVAL);
	assert_string_equal(err.text, "test.host:5: the file is longer than 16384 bytes");
}

static void a_name_has_254_bytes_at_most(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct error err;

	(void)state;
	assert_int_equal(parse_text(repeat(a, HEAD "V: etc/", 'x', 250, "=1\n"), &err), 0);
	assert_int_equal(parse_text(repeat(a, HEAD "V: etc/", 'x', 251, "=1\n"), &err), -EINVAL);
	assert_int_equal(parse_text(repeat(a, HEAD "F: etc/", 'x', 250, "\n"), &err), 0);
	assert_int_equal(parse_text(repeat(a, HEAD "F: etc/", 'x', 251, "\n"), &err), -EINVAL);
	assert_int_equal(parse_text(repeat(a, HEAD "P: /", 'x', 250, "\n"), &err), 0);
	assert_int_equal(parse_text(repeat(a, HEAD "P: /", 'x', 251, "\n"), &err), -EINVAL);
	/* With its folder before it: "sys/devices/x/". */
	assert_int_equal(parse_text(repeat(a, BLOCK "A: ", 'x', 240, "=1\n"), &err), 0);
	assert_int_equal(parse_text(repeat(a, BLOCK "A: ", 'x', 241, "=1\n"), &err), -EINVAL);
	assert_int_equal(parse_text(repeat(a, BLOCK "L: x=", 'y', 254, "\n"), &err), 0);
	assert_int_equal(parse_text(repeat(a, BLOCK "L: x=", 'y', 256, "\n"), &err), -EINVAL);
}

static void long_names_are_dumped_and_captured(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(repeat(a, HEAD "P: /bus/pci/drivers/", 'x', 230, "\n"));

	(void)state;
	/* The driver's own files are longer than what the seam takes; they are there all the same. */
	assert_contains(host_dump(a, h), repeat(a, DRIVERS "/", 'x', 230, "/remove_id = \n"));
	assert_contains(host_capture(a, h), repeat(a, "P: /bus/pci/drivers/", 'x', 230, "\n"));
	host_close(h);
}

static void a_recording_of_umockdev_loads(void **state)
{
	struct host *h = host_from("P: /devices/pci0000:00/0000:00:02.0\n"
				   "E: DRIVER=e1000e\nE: PCI_ID=8086:10D3\nN: bus/usb/001/001=12345\nS: dri/by-path/x\n"
				   "A: vendor=0x8086\\n\nA: device=0x10d3\\n\n"
				   "L: driver=../../../bus/pci/drivers/e1000e\nH: config=8680D310\n\n"
				   "P: /devices/pci0000:00\nE: X=\n");

	(void)state;
	assert_reads(h, DEVICES "/0000:00:02.0/vendor", "0x8086");
	assert_reads(h, DEVICES "/0000:00:02.0/driver", "e1000e");
	assert_absent(h, DEVICES "/0000:00:02.0/DRIVER");
	host_close(h);
}

static void config_space_given_in_part_gets_the_ids(void **state)
{
	static const char ids[] = "A: vendor=0x8086\nA: device=0x10d3\nA: class=0x020003\nA: revision=0x07\n"
				  "A: subsystem_vendor=0x1043\nA: subsystem_device=0x896e\n";
	static const unsigned char expected[64] = { 0x86, 0x80, 0xd3, 0x10, [8] = 0x07, 0x03, 0x00, 0x02, [0x2c] = 0x43,
						    0x10, 0x6e, 0x89 };
	_cleanup_arena_ struct arena *a = arena_new();
	unsigned char buf[HOST_VALUE_BYTES + 1];
	struct host *h;

	(void)state;
	h = host_from(arena_fmt(a, HEAD "P: /devices/pci0000:00/0000:00:02.0\n%sH: config+3f=00\n", ids));
	assert_int_equal(host_read_bytes(h, DEVICES "/0000:00:02.0/config", (char *)buf, sizeof(buf)), 64);
	assert_memory_equal(buf, expected, 64);
	host_close(h);
	/* A bridge has other registers where an endpoint has its subsystem. */
	h = host_from(
		arena_fmt(a, HEAD "P: /devices/pci0000:00/0000:00:02.0\n%sH: config+0e=01\nH: config+3f=00\n", ids));
	host_read_bytes(h, DEVICES "/0000:00:02.0/config", (char *)buf, sizeof(buf));
	assert_int_equal(buf[0x2c], 0);
	assert_int_equal(buf[0], 0x86);
	host_close(h);
	/* What was given stays. */
	h = host_from(
		arena_fmt(a, HEAD "P: /devices/pci0000:00/0000:00:02.0\n%sH: config=11223344\nH: config+3f=00\n", ids));
	host_read_bytes(h, DEVICES "/0000:00:02.0/config", (char *)buf, sizeof(buf));
	assert_memory_equal(buf, "\x11\x22\x33\x44", 4);
	assert_int_equal(buf[0x2c], 0);
	host_close(h);
}

static void links_that_lead_in_circles_end(void **state)
{
	char buf[64];
	struct host *h =
		host_from(HEAD "P: /devices/pci0000:00\nL: pci0000:01=../pci0000:00\nL: 0000:00:01.0=../pci0000:00\n"
			       "L: pci0000:02=pci0000:03\nL: pci0000:03=pci0000:02\n"
			       "P: /devices/pci0000:00/0000:00:02.0\nL: driver=driver\n");

	(void)state;
	assert_int_equal(host_read(h, "sys/devices/pci0000:00/pci0000:02/x", buf, sizeof(buf)), -ENOENT);
	assert_false(host_has(h, DEVICES "/0000:00:01.0"));
	assert_true(host_has(h, DEVICES "/0000:00:02.0"));
	host_close(h);
}

/* --- the seam ---------------------------------------------------------------------------------------------------- */

static void a_link_reads_as_its_last_part(void **state)
{
	struct host *h = sim_new();
	char buf[64];

	(void)state;
	sim_set_link(h, "sys/a/driver", "../../bus/pci/drivers/nouveau");
	assert_int_equal(host_read(h, "sys/a/driver", buf, sizeof(buf)), 7);
	assert_string_equal(buf, "nouveau");
	assert_int_equal(host_link(h, "sys/a/driver", buf, sizeof(buf)), 29);
	assert_string_equal(buf, "../../bus/pci/drivers/nouveau");
	/* It leads nowhere, and is there. */
	assert_true(host_has(h, "sys/a/driver"));
	assert_false(host_has(h, "sys/a/driver/module"));
	assert_false(host_has(h, "sys/a/nothing"));
	sim_set(h, "sys/a/file", "text");
	assert_int_equal(host_link(h, "sys/a/file", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(host_link(h, "sys/a/nothing", buf, sizeof(buf)), -ENOENT);
	host_close(h);
}

static void a_name_leads_through_links(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char buf[64], **names;
	size_t n;

	(void)state;
	sim_set(h, "sys/devices/x/y/file", "text");
	sim_set_link(h, "sys/bus/x", "../devices/x");
	assert_reads(h, "sys/bus/x/y/file", "text");
	assert_true(sim_resolve(h, "sys/bus/x/y", buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "sys/devices/x/y");
	assert_int_equal(host_list(h, "sys/bus/x", a, &names, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "y");
	assert_true(sim_resolve(h, "sys/bus/z", buf, sizeof(buf)) < 0);
	host_close(h);
}

static void one_newline_at_the_end_is_not_read(void **state)
{
	struct host *h = sim_new();
	char buf[16];

	(void)state;
	sim_set(h, "etc/x", "text\n\n");
	assert_int_equal(host_read(h, "etc/x", buf, sizeof(buf)), 5);
	assert_string_equal(buf, "text\n");
	assert_int_equal(host_read_bytes(h, "etc/x", buf, sizeof(buf)), 6);
	sim_set(h, "etc/x", "\n");
	assert_int_equal(host_read(h, "etc/x", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	host_close(h);
}

static void a_value_that_does_not_fit_is_never_cut(void **state)
{
	struct host *h = sim_new();
	char buf[8];

	(void)state;
	sim_set(h, "etc/x", "12345678");
	sim_set_link(h, "etc/link", "a/12345678");
	sim_set_link(h, "etc/short", "a/very/long/way/1234567");
	assert_int_equal(host_read(h, "etc/x", buf, 8), -E2BIG);
	assert_int_equal(host_read_bytes(h, "etc/x", buf, 8), -E2BIG);
	assert_int_equal(host_read(h, "etc/link", buf, 8), -E2BIG);
	assert_int_equal(host_link(h, "etc/link", buf, 8), -E2BIG);
	assert_int_equal(host_read(h, "etc/short", buf, 8), 7);
	assert_string_equal(buf, "1234567");
	sim_set(h, "etc/x", "1234567");
	assert_int_equal(host_read(h, "etc/x", buf, 8), 7);
	assert_int_equal(host_read_bytes(h, "etc/x", buf, 8), 7);
	host_close(h);
}

/* Sockets and mounts may be many, and each is of use alone. */
static void of_a_long_file_whole_lines_are_read(void **state)
{
	struct host *live, *h = host_from(HEAD "V: etc/x=123\\n4567\\n\nV: etc/line=12345678\n");
	struct error err;
	char buf[4096];
	bool cut;

	(void)state;
	assert_int_equal(host_read_lines(h, "etc/x", buf, 10, &cut), 9);
	assert_string_equal(buf, "123\n4567\n");
	assert_false(cut);
	assert_int_equal(host_read_lines(h, "etc/x", buf, 9, &cut), 4);
	assert_string_equal(buf, "123\n");
	assert_true(cut);
	assert_int_equal(host_read_lines(h, "etc/line", buf, 8, &cut), 0);
	assert_string_equal(buf, "");
	assert_int_equal(host_read_lines(h, "etc/y", buf, sizeof(buf), &cut), -ENOENT);
	assert_false(cut);
	host_close(h);
	assert_int_equal(live_open(&live, &err), 0);
	assert_in_range(host_read_lines(live, "proc/kallsyms", buf, sizeof(buf), &cut), sizeof(buf) / 2, sizeof(buf) - 1);
	assert_int_equal(buf[strlen(buf) - 1], '\n');
	assert_true(cut);
	host_close(live);
}

static void folders_are_listed_sorted(void **state)
{
	static const char *const expected[] = { "10", "9", "a", "b" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char **names = NULL, buf[8];
	size_t n = 7;

	(void)state;
	sim_set(h, "etc/x/b", "");
	sim_set(h, "etc/x/9", "");
	sim_set_link(h, "etc/x/a", "nowhere");
	sim_make_folder(h, "etc/x/10");
	assert_int_equal(host_list(h, "etc/x", a, &names, &n), 0);
	assert_int_equal(n, COUNT(expected));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(names[i], expected[i]);
	assert_int_equal(host_list(h, "etc/x/10", a, &names, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(host_list(h, "etc/y", a, &names, &n), -ENOENT);
	assert_int_equal(host_list(h, "etc/x/b", a, &names, &n), -ENOTDIR);
	assert_int_equal(host_read(h, "etc/x/10", buf, sizeof(buf)), -EISDIR);
	assert_true(host_has(h, "etc/x/10"));
	host_close(h);
}

static void names_that_climb_are_refused(void **state)
{
	static const char *const bad[] = { "",	       "/", "/etc/x",  "..",	  "../x",   "etc/..",
					   "etc/../x", ".", "./etc/x", "etc/./x", "etc//x", "etc/x/" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char buf[64], **names;
	size_t n;

	(void)state;
	sim_set(h, "etc/x", "text");
	sim_set(h, "etc/..x", "text");
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(host_read(h, bad[i], buf, sizeof(buf)), -EINVAL);
		assert_int_equal(host_read_bytes(h, bad[i], buf, sizeof(buf)), -EINVAL);
		assert_int_equal(host_link(h, bad[i], buf, sizeof(buf)), -EINVAL);
		assert_int_equal(host_list(h, bad[i], a, &names, &n), -EINVAL);
		assert_int_equal(poke_host(h, bad[i], "x"), -EINVAL);
		assert_false(host_has(h, bad[i]));
	}
	assert_reads(h, "etc/..x", "text");
	assert_int_equal(sim_writes(h), 0);
	host_close(h);
}

static void names_and_values_have_their_limits(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	const char *fits = repeat(a, "etc/", 'x', HOST_NAME_BYTES - 5, ""),
		   *over = repeat(a, "etc/", 'x', HOST_NAME_BYTES - 4, "");

	(void)state;
	sim_set(h, fits, "text");
	sim_set(h, over, "text");
	assert_true(host_has(h, fits));
	assert_false(host_has(h, over));
	/* A value and its newline fill a page at most, NUL included. */
	assert_int_equal(poke_host(h, fits, repeat(a, "", 'x', HOST_VALUE_BYTES - 2, "")), -EACCES);
	assert_int_equal(poke_host(h, fits, repeat(a, "", 'x', HOST_VALUE_BYTES - 1, "")), -EINVAL);
	host_close(h);
}

/* --- capture ----------------------------------------------------------------------------------------------------- */

static void assert_capture_is_the_host(struct host *h)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *first = host_capture(a, h), *second;
	struct host *copy = host_from(first), *again;

	second = host_capture(a, copy);
	assert_string_equal(first, second);
	again = host_from(second);
	assert_string_equal(host_dump(a, copy), host_dump(a, again));
	host_close(copy);
	host_close(again);
}

static void a_capture_of_every_host_is_idempotent(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	glob_t found;

	(void)state;
	assert_int_equal(glob(arena_fmt(a, "%s/tests/hosts/*.host", source_root), 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;
		struct host *h = host_load(arena_fmt(a, "%.*s", (int)(strlen(name) - 5), name));

		assert_capture_is_the_host(h);
		host_close(h);
	}
	assert_true(found.gl_pathc >= 2);
	globfree(&found);
}

/* What a captured host says of its functions is what the host said. */
static void a_captured_host_has_the_same_functions(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_load("lab-pair"), *copy = host_from(host_capture(a, h));

	(void)state;
	/* This one was captured in the first place, so there is nothing more in it than a capture takes. */
	sim_remove(h, "source");
	sim_remove(copy, "source");
	assert_string_equal(host_dump(a, h), host_dump(a, copy));
	host_close(h);
	host_close(copy);
}

static void odd_values_survive_a_capture(void **state)
{
	struct host *h = host_from(
		HEAD "kernel: 6.1\nP: /devices/pci0000:00/0000:00:02.0\nA: vendor=a\\nb\\\\c\n"
		     "A: modalias=pci:x\nA: class= \nH: config=00\nL: driver=../../../bus/pci/drivers/a b\n"
		     "V: modalias/pci:x=one\\ntwo three\nV: module/three=li\\nve\n"
		     "P: /kernel/iommu_groups/3\nA: type=DMA\\nFQ\n"
		     "V: proc/cmdline=a\\\\b\\nc\nF: etc/pve/qemu-server/7.conf\n| hostpci0: x\n|  usb0: y\n");
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *copy = host_from(host_capture(a, h));

	(void)state;
	assert_capture_is_the_host(h);
	assert_reads(copy, DEVICES "/0000:00:02.0/vendor", "a\nb\\c");
	assert_reads(copy, DEVICES "/0000:00:02.0/driver", "a b");
	assert_reads(copy, "modalias/pci:x", "one\ntwo three");
	assert_reads(copy, "sys/kernel/iommu_groups/3/type", "DMA\nFQ");
	assert_reads(copy, "proc/cmdline", "a\\b\nc");
	host_close(h);
	host_close(copy);
}

static void a_config_space_longer_than_4096_bytes_is_captured_as_4096(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(repeat(a, HEAD "P: /devices/pci0000:00/0000:00:02.0\nA: config=", 'x', 5000, "\n")),
		    *copy;
	char buf[HOST_VALUE_BYTES + 1];

	(void)state;
	assert_capture_is_the_host(h);
	copy = host_from(host_capture(a, h));
	assert_int_equal(host_read_bytes(copy, DEVICES "/0000:00:02.0/config", buf, sizeof(buf)), HOST_VALUE_BYTES);
	host_close(h);
	host_close(copy);
}

static void the_bus_holds_what_stands_on_it(void **state)
{
	struct host *h = host_from(HEAD "P: /devices/platform/x/pci0000:00/0000:00:02.0\nA: vendor=0x8086\n"
				   "A: 0000:00:03.0=a file\nP: /bus/pci/devices\nL: 0000:00:04.0=../../../devices/x\n");
	_cleanup_arena_ struct arena *a = arena_new();
	char **names;
	size_t n;

	(void)state;
	assert_int_equal(host_list(h, DEVICES, a, &names, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "0000:00:02.0");
	assert_reads(h, DEVICES "/0000:00:02.0/vendor", "0x8086");
	assert_capture_is_the_host(h);
	host_close(h);
}

static void of_a_vms_configuration_only_what_matters_is_captured(void **state)
{
	struct host *h = sim_new();
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	(void)state;
	sim_make_folder(h, DEVICES);
	sim_set(h, "etc/pve/qemu-server/100.conf", "name: secret\nhostpci0: 02:00.0\ncipassword: secret\nmachine: q35\n"
		"#hostpci1: secret\n[snapshot]\nhostpci2: secret\n");
	text = host_capture(a, h);
	assert_contains(text, "\nF: etc/pve/qemu-server/100.conf\n| hostpci0: 02:00.0\n| machine: q35\n");
	assert_null(strstr(text, "secret"));
	host_close(h);
}

static void a_host_without_pci_bus_cannot_be_captured(void **state)
{
	struct host *h = sim_new();
	struct error err;
	FILE *out = fopen("/dev/null", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(hostfile_write(h, "made", out, &err), -ENOENT);
	assert_contains(err.text, "sys/bus/pci/devices");
	fclose(out);
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_line_is_read),
		cmocka_unit_test(a_value_may_hold_nul_bytes),
		cmocka_unit_test(what_the_kernel_derives_is_made),
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(a_line_has_16384_bytes_at_most),
		cmocka_unit_test(a_thing_stands_in_one_folder),
		cmocka_unit_test(a_host_has_4096_functions_and_drivers_at_most),
		cmocka_unit_test(a_text_has_8_mib_at_most),
		cmocka_unit_test(a_config_space_has_4096_bytes_at_most),
		cmocka_unit_test(a_file_has_16384_bytes_at_most),
		cmocka_unit_test(a_name_has_254_bytes_at_most),
		cmocka_unit_test(long_names_are_dumped_and_captured),
		cmocka_unit_test(a_recording_of_umockdev_loads),
		cmocka_unit_test(config_space_given_in_part_gets_the_ids),
		cmocka_unit_test(links_that_lead_in_circles_end),
		cmocka_unit_test(a_link_reads_as_its_last_part),
		cmocka_unit_test(a_name_leads_through_links),
		cmocka_unit_test(one_newline_at_the_end_is_not_read),
		cmocka_unit_test(a_value_that_does_not_fit_is_never_cut),
		cmocka_unit_test(of_a_long_file_whole_lines_are_read),
		cmocka_unit_test(folders_are_listed_sorted),
		cmocka_unit_test(names_that_climb_are_refused),
		cmocka_unit_test(names_and_values_have_their_limits),
		cmocka_unit_test(a_capture_of_every_host_is_idempotent),
		cmocka_unit_test(a_captured_host_has_the_same_functions),
		cmocka_unit_test(odd_values_survive_a_capture),
		cmocka_unit_test(a_config_space_longer_than_4096_bytes_is_captured_as_4096),
		cmocka_unit_test(the_bus_holds_what_stands_on_it),
		cmocka_unit_test(of_a_vms_configuration_only_what_matters_is_captured),
		cmocka_unit_test(a_host_without_pci_bus_cannot_be_captured),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
