/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was set up on a host before: how it is read, what is told of it, and what of it a capture takes. */
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/history.h"
#include "host/live.h"
#include "host/traces.h"

#define GPU "0000:01:00.0"
#define TWIN "0000:02:00.0"
#define NIC "0000:00:1f.6"
#define FUNCTION(path, ids, class, driver) \
	"P: /devices/pci0000:00/" path "\nA: vendor=0x10de\nA: device=0x" ids "\nA: class=0x" class "\n" \
	"A: modalias=pci:" ids "\nA: driver_override=(null)\nL: driver=../../../bus/pci/drivers/" driver "\n"

/* Two cards of a kind, one of which VM 100 has; and a network card. */
#define HOST \
	"handover-host: 1\nsource: made\n" FUNCTION(GPU, "2783", "030000", "vfio-pci") \
	FUNCTION(TWIN, "2783", "030000", "nouveau") FUNCTION(NIC, "15bb", "020000", "e1000e") \
	"P: /bus/pci/drivers/vfio-pci\nL: module=../../../../module/vfio_pci\n" \
	"P: /bus/pci/drivers/nouveau\nL: module=../../../../module/nouveau\n" \
	"P: /bus/pci/drivers/e1000e\nL: module=../../../../module/e1000e\n" \
	"V: modalias/pci:2783=nvidiafb nouveau nvidia\nV: modalias/pci:15bb=e1000e\nV: nic/" NIC "/name=eno1\n" \
	"F: etc/pve/qemu-server/100.conf\n| hostpci0: 01:00.0\n"

/* --- a shell's lines --------------------------------------------------------------------------------------------- */

static const char *deeds_text(struct shell *s)
{
	static const char *const names[DEED_KINDS] = {
		[DEED_REMOVE] = "remove", [DEED_RESCAN] = "rescan", [DEED_UNBIND] = "unbind", [DEED_BIND] = "bind",
		[DEED_NEW_ID] = "new_id", [DEED_OVERRIDE] = "override", [DEED_DRIVERCTL] = "driverctl",
		[DEED_RESET] = "reset", [DEED_VFS] = "vfs", [DEED_UNLOAD] = "unload", [DEED_NETWORK] = "network",
		[DEED_RUNS] = "runs",
	};
	const char *text = "";

	for (size_t i = 0; i < s->n; i++) {
		const struct deed *d = &s->deeds[i];

		text = arena_fmt(s->arena, "%s%s%s %s %s", text, *text ? "; " : "", names[d->kind],
				 d->device ? d->device : "-", d->value ? d->value : "-");
	}
	return text;
}

static const struct {
	const char *line, *deeds;
} lines[] = {
	{ "echo 1 > /sys/bus/pci/devices/0000\\:00\\:1f.3/remove && echo 1 > /sys/bus/pci/rescan",
	  "remove 0000:00:1f.3 -; rescan - -" },
	{ "echo 1 >/sys/bus/pci/devices/0000:00:1f.3/remove", "remove 0000:00:1f.3 -" },
	{ "echo 1 | sudo tee -a \"/sys/bus/pci/devices/0000:00:1f.3/remove\" >/dev/null", "remove 0000:00:1f.3 -" },
	{ "sudo sh -c 'echo 1 > /sys/bus/pci/devices/0000:00:1f.3/reset'", "reset 0000:00:1f.3 -" },
	{ "if [ -e /sys/bus/pci/rescan ]; then echo 1 > /sys/bus/pci/rescan; fi", "rescan - -" },
	{ "echo 1 > /sys/bus/pci/devices/0000:00:1f.*/remove", "remove 0000:00:1f.* -" },
	{ "echo 1 > /sys/class/net/eno1/device/remove", "remove eno1 -" },
	{ "echo 4 > /sys/class/net/eno1/device/sriov_numvfs", "vfs eno1 4" },
	{ "echo 1 > /sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/remove", "remove 0000:02:00.0 -" },
	{ "echo 1 > /sys/class/pci_bus/0000:00/rescan", "rescan - -" },
	{ "echo -n 0000:02:00.0 > /sys/bus/pci/devices/0000:02:00.0/driver/unbind", "unbind 0000:02:00.0 -" },
	{ "printf '%s' 0000:02:00.0 > /sys/bus/pci/drivers/nouveau/unbind", "unbind 0000:02:00.0 -" },
	{ "echo 0000:02:00.0 > /sys/bus/pci/drivers/vfio-pci/bind", "bind 0000:02:00.0 vfio-pci" },
	{ "echo 0000:02:00.0 > /sys/module/nvidia/drivers/pci:nvidia/bind", "bind 0000:02:00.0 nvidia" },
	{ "echo 0000:02:00.0 > /sys/bus/pci/drivers_probe", "bind 0000:02:00.0 -" },
	{ "echo 10DE 2783 > /sys/bus/pci/drivers/vfio-pci/new_id", "new_id 10de:2783 vfio-pci" },
	{ "modprobe vfio-pci ids=10de:2783", "new_id 10de:2783 vfio-pci" },
	{ "echo vfio-pci > /sys/bus/pci/devices/0000:02:00.0/driver_override", "override 0000:02:00.0 vfio-pci" },
	{ "driverctl --nosave set-override 0000:02:00.0 vfio-pci", "driverctl 0000:02:00.0 vfio-pci" },
	{ "/usr/sbin/driverctl unset-override 0000:02:00.0", "driverctl 0000:02:00.0 -" },
	{ "modprobe -r snd_hda_intel; rmmod nouveau", "unload - snd_hda_intel; unload - nouveau" },
	{ "systemctl restart networking netbird", "network - systemctl restart networking" },
	{ "systemctl reload networking", "" },
	{ "/etc/init.d/networking restart", "network - systemctl restart networking" },
	{ "service networking stop", "network - systemctl stop networking" },
	{ "ifdown -a && ifup -a", "network - ifdown -a" },
	{ "source /root/x.sh", "runs - /root/x.sh" },
	{ ". /root/x.sh; bash -x /opt/y; /usr/local/bin/z 1", "runs - /root/x.sh; runs - /opt/y; runs - "
		"/usr/local/bin/z" },
	{ "post-up /root/x.sh", "runs - /root/x.sh" },
	{ "open(my $fh, '>', \"/sys/bus/pci/devices/0000:02:00.0/remove\");", "remove 0000:02:00.0 -" },
	{ "system(\"echo 1 > /sys/bus/pci/rescan\");", "rescan - -" },
	{ "echo 1 > \"/sys/bus/pci/devices/$1/remove\"", "remove - -" },
	{ "echo \"$1\" > /sys/bus/pci/drivers/nouveau/unbind", "unbind - -" },
	{ "GPU=0000:02:00.0; echo 1 > /sys/bus/pci/devices/${GPU}/remove", "remove 0000:02:00.0 -" },
	{ "for d in 0 1; do echo 1 > /sys/bus/pci/devices/0000:02:00.$d/remove; done",
	  "remove 0000:02:00.0 -; remove 0000:02:00.1 -" },
	{ "ALL=\"0000:02:00.0 0000:02:00.1\"; for d in $ALL; do echo 1 > /sys/bus/pci/devices/$d/remove; done",
	  "remove 0000:02:00.0 -; remove 0000:02:00.1 -" },
	{ "P=/sys/bus/pci/devices; echo 1 > $P/0000:02:00.0/remove", "remove 0000:02:00.0 -" },
	{ "echo vfio-pci > /sys$devpath/driver_override", "override - vfio-pci" },
	/* What only looks, or is about something else. */
	{ "cat /sys/bus/pci/devices/0000:02:00.0/driver_override", "" },
	{ "# echo 1 > /sys/bus/pci/rescan", "" },
	{ "true # echo 1 > /sys/bus/pci/rescan", "" },
	{ "echo 'see systemctl restart networking'", "" },
	{ "echo 0 > /sys/class/vtconsole/vtcon0/bind", "" },
	{ "echo 1-1 > /sys/bus/usb/drivers/usb/unbind", "" },
	{ "/usr/bin/env >/dev/null 2>&1", "" },
	{ "cp /root/x.sh /root/y.sh", "" },
	{ "/bin/true; /mnt/pve/nas/x.sh; /dev/watchdog", "" },
	{ "${", "" }, { "$", "" }, { "\\", "" }, { ">", "" }, { "'", "" }, { "for", "" }, { "echo >", "" },
		{ "|||&&;;", "" },
	{ "X=; echo 1 > $X/remove", "" }, { "tee", "" }, { "driverctl set-override", "" }, { "echo > "
		"/sys/bus/pci/drivers/x/bind", "bind - x" },
};

static void a_line_does_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct shell s = { .arena = a };
		const char *text;

		shell_take(&s, lines[i].line);
		text = deeds_text(&s);
		if (strcmp(text, lines[i].deeds) != 0)
			fail_msg("%s: '%s', should be '%s'", lines[i].line, text, lines[i].deeds);
	}
}

static void a_deed_is_written_as_it_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct shell s = { .arena = a }, again = { .arena = a };
		const char *first, *text = "";

		shell_take(&s, lines[i].line);
		first = deeds_text(&s);
		for (size_t k = 0; k < s.n; k++)
			text = arena_fmt(a, "%s%s%s", text, k ? " && " : "", deed_line(&s.deeds[k], a));
		shell_take(&again, text);
		assert_string_equal(deeds_text(&again), first);
	}
}

/* A line of n bytes that ends in a deed. */
static const char *line_of(struct arena *a, size_t n)
{
	static const char deed[] = "; echo 1 > /sys/bus/pci/rescan";
	char *line = arena_alloc(a, n + 1);

	memset(line, 'x', n - strlen(deed));
	memcpy(line + n - strlen(deed), deed, strlen(deed));
	return line;
}

static size_t deeds_in(struct arena *a, const char *line)
{
	struct shell s = { .arena = a };

	shell_take(&s, line);
	return s.n;
}

static const char *repeated(struct arena *a, const char *text, size_t n)
{
	size_t length = strlen(text);
	char *all = arena_alloc(a, n * length + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * length, text, length);
	return all;
}

static const char *word_deed(struct arena *a, size_t n)
{
	struct shell s = { .arena = a };

	shell_take(&s, arena_fmt(a, "echo 1 > /sys/bus/pci/devices/%s/remove", repeated(a, "a", n)));
	assert_int_equal(s.n, 1);
	return s.deeds[0].device;
}

static size_t path_deeds(struct arena *a, size_t n)
{
	return deeds_in(a, arena_fmt(a, "/root/%s", repeated(a, "x", n - strlen("/root/"))));
}

static void limits_of_a_line_hold(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct shell s = { .arena = a };

	(void)state;
	assert_int_equal(deeds_in(a, line_of(a, SHELL_LINE_MAX)), 1);
	assert_int_equal(deeds_in(a, line_of(a, SHELL_LINE_MAX + 1)), 0);
	assert_int_equal(deeds_in(a, repeated(a, "ifdown a;", SHELL_DEEDS_MAX)), SHELL_DEEDS_MAX);
	assert_int_equal(deeds_in(a, repeated(a, "ifdown a;", SHELL_DEEDS_MAX + 1)), SHELL_DEEDS_MAX);
	assert_int_equal(deeds_in(a, arena_fmt(a, "modprobe %s -r x", repeated(a, "y ", SHELL_WORDS_MAX - 3))), 1);
	assert_int_equal(deeds_in(a, arena_fmt(a, "modprobe %s -r x", repeated(a, "y ", SHELL_WORDS_MAX - 2))), 0);
	assert_int_equal(strlen(word_deed(a, DEED_WORD_MAX)), DEED_WORD_MAX);
	assert_null(word_deed(a, DEED_WORD_MAX + 1));
	assert_int_equal(path_deeds(a, DEED_PATH_MAX), 1);
	assert_int_equal(path_deeds(a, DEED_PATH_MAX + 1), 0);
	for (size_t i = 0; i < SHELL_VARIABLES_MAX + 1; i++)
		shell_take(&s, arena_fmt(a, "V%zu=0000:02:00.0", i));
	shell_take(&s, arena_fmt(a, "driverctl unset-override $V%d", SHELL_VARIABLES_MAX - 1));
	assert_string_equal(s.deeds[0].device, "0000:02:00.0");
	shell_take(&s, arena_fmt(a, "driverctl unset-override $V%d", SHELL_VARIABLES_MAX));
	assert_null(s.deeds[0].device);
}

static const char *variable(struct shell *s, const char *line, const char *name)
{
	shell_take(s, line);
	for (size_t i = 0; i < s->n_variables; i++)
		if (strcmp(s->variables[i].name, name) == 0)
			return s->variables[i].value;
	return "";
}

static void limits_of_a_variable_hold(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct shell s = { .arena = a };
	char *words[SHELL_WORDS_MAX + 2];
	const char *half = repeated(a, "h", SHELL_VALUE_MAX / 2), *value;

	(void)state;
	shell_take(&s, arena_fmt(a, "H=%s", half));
	assert_int_equal(strlen(variable(&s, "V=$H$H", "V")), SHELL_VALUE_MAX);
	assert_string_equal(variable(&s, "V=$H$H.", "V"), "");
	assert_string_equal(variable(&s, "V=$H.$H", "V"), "");
	/* Of a list what has no more room is left out, by whole words. */
	shell_take(&s, arena_fmt(a, "L=%s", half + 1));
	assert_int_equal(strlen(variable(&s, "for V in $H $L; do", "V")), SHELL_VALUE_MAX);
	assert_int_equal(strlen(variable(&s, "for V in $H $H; do", "V")), SHELL_VALUE_MAX / 2);
	value = variable(&s, "for V in $H $H x; do", "V");
	assert_string_equal(value + SHELL_VALUE_MAX / 2, " x");
	shell_take(&s, arena_fmt(a, "B='%s last'", repeated(a, " b", SHELL_WORDS_MAX - 1)));
	value = variable(&s, "for V in $B; do", "V");
	assert_int_equal(str_words(arena_dup(a, value), words, COUNT(words)), SHELL_WORDS_MAX);
	assert_non_null(strstr(value, "last"));
	value = variable(&s, "for V in x $B y; do", "V");
	assert_int_equal(str_words(arena_dup(a, value), words, COUNT(words)), SHELL_WORDS_MAX);
	assert_null(strstr(value, "last"));
	assert_int_equal(s.n_variables, 4);
}

/* --- files ------------------------------------------------------------------------------------------------------- */

static struct trace_file parsed(struct arena *a, enum trace_kind kind, const char *name, const char *text)
{
	struct trace_file f = { .name = name, .kind = kind };

	trace_parse(&f, arena_dup(a, text), a);
	return f;
}

static void lines_have_their_numbers_and_phases(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct trace_file f = parsed(a, TRACE_SCRIPT, "x", "#!/bin/sh\n"
		"case \"$2\" in\n"
		"pre-start)\n\tifdown a\n\t;;\n"
		"'pre-stop') ifdown b ;;\n"
		"*)\n\tifdown c\nesac\n"
		"if [ \"$2\" = post-stop ]; then\n"
		"\tif true; then\n\t\tifdown d\n\tfi\n\tifdown e\n"
		"fi\n"
		"ifdown \\\n f\r\n"
		"} elsif ($phase eq 'post-start') {\n    ifdown g;\n}\nifdown h\n");
	static const struct {
		unsigned number;
		const char *when, *value;
	} expected[] = {
		{ 4, "pre-start", "ifdown a" }, { 6, "pre-stop", "ifdown b" }, { 8, "", "ifdown c" },
		{ 12, "post-stop", "ifdown d" }, { 14, "post-stop", "ifdown e" }, { 16, "", "ifdown f" },
		{ 19, "post-start", "ifdown g" }, { 21, "", "ifdown h" },
	};

	(void)state;
	assert_int_equal(f.n, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_int_equal(f.lines[i].number, expected[i].number);
		assert_string_equal(f.lines[i].when, expected[i].when);
		assert_string_equal(f.lines[i].deeds[0].value, expected[i].value);
	}
}

static void crontabs_have_times_and_perhaps_users(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct trace_file own = parsed(a, TRACE_CRON, "var/spool/cron/crontabs/root",
				       "A=/root/x.sh\n@reboot $A\n0 3 * * 1-5 ifdown a\n0 3 * ifdown b\n@reboot\n*/5");
	struct trace_file all = parsed(a, TRACE_CRON, "etc/cron.d/x", "@reboot root ifdown a\n1 2 3 4 5 root ifdown "
				       "b\n");

	(void)state;
	assert_int_equal(own.n, 2);
	assert_string_equal(own.lines[0].when, "@reboot");
	assert_string_equal(own.lines[0].deeds[0].value, "/root/x.sh");
	assert_string_equal(own.lines[1].when, "0 3 * * 1-5");
	assert_int_equal(all.n, 2);
	assert_string_equal(all.lines[0].deeds[0].value, "ifdown a");
	assert_string_equal(all.lines[1].when, "1 2 3 4 5");
}

static size_t traces_of(struct host *h, struct arena *a)
{
	struct traces t;

	traces_read(h, a, &t);
	return t.n;
}

static size_t lines_with(struct arena *a, const char *text)
{
	struct trace_file f = parsed(a, TRACE_SCRIPT, "x", text);

	return f.n;
}

/* A line whose times have n bytes. */
static size_t cron_lines(struct arena *a, size_t n)
{
	const char *times = arena_fmt(a, "%s * * * *", repeated(a, "1", n - strlen(" * * * *")));

	return parsed(a, TRACE_CRON, "var/spool/cron/crontabs/x", arena_fmt(a, "%s ifdown a\n", times)).n;
}

/* A rule of which n bytes are kept. */
static size_t rules_of(struct arena *a, size_t n)
{
	static const char rest[] = "KERNEL==\"\", ATTR{driver_override}=\"x\"";
	const char *text = arena_fmt(a, "KERNEL==\"%s\", ATTR{driver_override}=\"x\"\n", repeated(a, "1", n - strlen(rest)));

	return parsed(a, TRACE_UDEV, "etc/udev/rules.d/x.rules", text).n;
}

static void limits_of_a_file_hold(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(HOST);
	const char *filler = repeated(a, "#\n", TRACE_BYTES_MAX / 2 - 5);

	(void)state;
	assert_int_equal(lines_with(a, arena_fmt(a, "%sifdown a", repeated(a, "\n", TRACE_LINES_MAX - 1))), 1);
	assert_int_equal(lines_with(a, arena_fmt(a, "%sifdown a", repeated(a, "\n", TRACE_LINES_MAX))), 0);
	assert_int_equal(lines_with(a, arena_fmt(a, "%s;ifdown a", repeated(a, "x", TRACE_LINE_MAX - 9))), 1);
	assert_int_equal(lines_with(a, arena_fmt(a, "%s;ifdown a", repeated(a, "x", TRACE_LINE_MAX - 8))), 0);
	assert_int_equal(lines_with(a, repeated(a, "ifdown a\n", TRACE_DEEDS_MAX)), TRACE_DEEDS_MAX);
	assert_int_equal(lines_with(a, repeated(a, "ifdown a\n", TRACE_DEEDS_MAX + 1)), TRACE_DEEDS_MAX);
	assert_int_equal(cron_lines(a, TRACE_WHEN_MAX), 1);
	assert_int_equal(cron_lines(a, TRACE_WHEN_MAX + 1), 0);
	assert_int_equal(rules_of(a, TRACE_RULE_MAX), 1);
	assert_int_equal(rules_of(a, TRACE_RULE_MAX + 1), 0);
	/* Whole lines of the beginning count. */
	sim_set(h, "etc/rc.local", arena_fmt(a, "ifdown a\n%s", filler));
	assert_int_equal(traces_of(h, a), 1);
	sim_set(h, "etc/rc.local", arena_fmt(a, "ifdown a\n%s%s", filler, filler));
	assert_int_equal(traces_of(h, a), 1);
	sim_set(h, "etc/rc.local", repeated(a, "x", 2 * TRACE_BYTES_MAX));
	assert_int_equal(traces_of(h, a), 0);
	host_close(h);
}

/* What the address sanitizer is told to free stays for a while. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define KEEPS_FREED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(KEEPS_FREED)
#define KEEPS_FREED true
#endif
#ifndef KEEPS_FREED
#define KEEPS_FREED false
#endif
#define KIB_MAX (8 * 1024)

/* A process of its own takes a file that goes on with a line until it is full. */
static bool needs_little(enum trace_kind kind, const char *name, const char *begin, const char *line)
{
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n = (TRACE_BYTES_MAX - strlen(begin) - 1) / strlen(line);
	const char *text = arena_fmt(a, "%s%s", begin, repeated(a, line, n));
	struct rusage before, after;
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		alarm(60);
		getrusage(RUSAGE_SELF, &before);
		parsed(a, kind, name, text);
		getrusage(RUSAGE_SELF, &after);
		_exit(after.ru_maxrss - before.ru_maxrss > KIB_MAX && !KEEPS_FREED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Text of a few bytes stands for a long value, or for many. */
static void a_file_needs_little_memory(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *many = arena_fmt(a, "B='%s'\n", repeated(a, " 0000:02:00.0", SHELL_WORDS_MAX));
	const char *deep = arena_fmt(a, "B=/sys/%s\n", repeated(a, "x/", SHELL_VALUE_MAX / 2 - 50));
	const struct {
		enum trace_kind kind;
		const char *name, *begin, *line;
	} files[] = {
		{ TRACE_SCRIPT, "etc/rc.local", many, arena_fmt(a, "for A in%s\n", repeated(a, " $B", 62)) },
		{ TRACE_SCRIPT, "etc/rc.local", many, arena_fmt(a, "for A in%s\n", repeated(a, " $B$B$B$U", 62)) },
		{ TRACE_SCRIPT, "etc/rc.local", many, "echo $B>/sys/bus/pci/drivers_probe\n" },
		{ TRACE_SCRIPT, "etc/rc.local", deep, "A=$B$A\n" },
		{ TRACE_SCRIPT, "etc/rc.local", deep, arena_fmt(a, "%s\n", repeated(a, "A=$B;", 800)) },
		{ TRACE_SCRIPT, "etc/rc.local", deep, arena_fmt(a, "%s\n", repeated(a, ">$B/x;", 600)) },
		{ TRACE_SCRIPT, "etc/rc.local", deep, arena_fmt(a, "tee%s\n", repeated(a, " $B", 63)) },
		{ TRACE_SCRIPT, "etc/rc.local", arena_fmt(a, "B=/root/%s\n", repeated(a, "x", 190)),
		  arena_fmt(a, "%s\n", repeated(a, "$B;", SHELL_DEEDS_MAX)) },
		{ TRACE_UDEV, "etc/udev/rules.d/x.rules", "", arena_fmt(a, "%s\n", repeated(a, "RUN=\"\",", 580)) },
		{ TRACE_UDEV, "etc/udev/rules.d/x.rules", "", arena_fmt(a, "%s\n", repeated(a, "KERNEL=\"\",", 400)) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		if (!needs_little(files[i].kind, files[i].name, files[i].begin, files[i].line))
			fail_msg("file %zu needs too much", i);
}

/* So many scripts in a folder, each with a deed or without. */
static size_t traces_of_many(size_t n, const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(HOST);
	size_t found;

	for (size_t i = 0; i < n; i++)
		sim_set(h, arena_fmt(a, "etc/cron.daily/%05zu", i), text);
	sim_set(h, "etc/rc.local", "ifdown a\n");
	found = traces_of(h, a);
	host_close(h);
	return found;
}

/* A file of modprobe's behind so many that are none. */
static size_t traces_behind(size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(HOST);
	size_t found;

	for (size_t i = 0; i < n; i++)
		sim_set(h, arena_fmt(a, "etc/modprobe.d/%05zu", i), "blacklist x\n");
	sim_set(h, "etc/modprobe.d/x.conf", "blacklist x\n");
	found = traces_of(h, a);
	host_close(h);
	return found;
}

static size_t chain_of(unsigned depth)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(HOST);
	size_t found;

	sim_set(h, "etc/rc.local", "/root/1\n");
	for (unsigned i = 1; i < depth; i++)
		sim_set(h, arena_fmt(a, "root/%u", i), arena_fmt(a, "/root/%u\n", i + 1));
	sim_set(h, arena_fmt(a, "root/%u", depth), "ifdown a\n/root/1\n");
	found = traces_of(h, a);
	host_close(h);
	return found;
}

static void limits_of_a_host_hold(void **state)
{
	(void)state;
	assert_int_equal(traces_of_many(TRACE_FILES_MAX - 1, "ifdown a\n"), TRACE_FILES_MAX);
	assert_int_equal(traces_of_many(TRACE_FILES_MAX, "ifdown a\n"), TRACE_FILES_MAX);
	/* etc/rc.local is read after them, and these before: modules twice, cmdline, grub, crontab. */
	assert_int_equal(traces_of_many(TRACE_READS_MAX - 6, "true\n"), 1);
	assert_int_equal(traces_of_many(TRACE_READS_MAX - 5, "true\n"), 0);
	assert_int_equal(traces_behind(TRACE_FOLDER_MAX - 1), 1);
	assert_int_equal(traces_behind(TRACE_FOLDER_MAX), 0);
	assert_int_equal(chain_of(TRACE_DEPTH_MAX), TRACE_DEPTH_MAX + 1);
	assert_int_equal(chain_of(TRACE_DEPTH_MAX + 1), 0);
}

static void what_is_no_text_is_not_read(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(HOST "V: etc/rc.local=\\0ELF\\nifdown a\\n\nV: etc/cron.daily/x=ifdown a\\n\\0\n");

	(void)state;
	assert_int_equal(traces_of(h, a), 0);
	host_close(h);
}

/* A folder below /var/tmp with what somebody may have put in a file's place. */
static void what_is_no_file_is_not_opened(void **state)
{
	char folder[] = "/var/tmp/handover-history-XXXXXX", path[64], buf[64];
	struct host *h;
	struct error err;
	int dir, fifo;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(symlinkat("/dev/zero", dir, "zero"), 0);
	assert_int_equal(live_open(&h, &err), 0);
	snprintf(path, sizeof(path), "%s/fifo", folder + 1);
	assert_int_equal(host_read_bytes(h, path, buf, sizeof(buf)), -ENXIO);
	/* A writer that waits for a reader has met none. */
	fifo = openat(dir, "fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(fifo, -1);
	assert_int_equal(errno, ENXIO);
	snprintf(path, sizeof(path), "%s/zero", folder + 1);
	assert_int_equal(host_read_bytes(h, path, buf, sizeof(buf)), -ENXIO);
	assert_int_equal(host_read_bytes(h, folder + 1, buf, sizeof(buf)), -EISDIR);
	host_close(h);
	unlinkat(dir, "fifo", 0);
	unlinkat(dir, "zero", 0);
	close(dir);
	rmdir(folder);
}

/* --- what is told ------------------------------------------------------------------------------------------------ */

struct look {
	struct arena *a;
	struct host *h;
	struct inventory inv;
	struct findings f;
};

/* Of the whole host (vmid 0), or of VM 100, which gets the first card, found anew or not. */
static struct look *look_back(const char *more, unsigned vmid, bool anew)
{
	struct arena *a = arena_new();
	struct look *l = arena_alloc(a, sizeof(*l));
	struct selection functions = { 0 };
	struct error err;

	l->a = a;
	l->h = host_from(arena_fmt(a, HOST "%s", more));
	findings_init(&l->f, a);
	assert_int_equal(inventory_read(l->h, a, &l->inv, &err), 0);
	selection_add(&functions, inventory_find(&l->inv, GPU), a);
	history_find(&(struct history){ .host = l->h, .inventory = &l->inv, .vmid = vmid,
					.functions = vmid ? &functions : NULL, .found_anew = anew ? &functions :
						NULL }, &l->f);
	return l;
}

static void look_free(struct look *l)
{
	host_close(l->h);
	arena_free(l->a);
}

/* Exactly one finding: its code and severity, and parts of its text. */
static void assert_told(const char *more, unsigned vmid, bool anew, enum severity severity, const char *code,
			const char *place, const char *what, const char *remedy)
{
	struct look *l = look_back(more, vmid, anew);
	const struct finding *f = assert_only(&l->f, code);

	assert_int_equal(f->severity, severity);
	assert_true(str_starts(finding_line(f, l->a), place));
	assert_contains(f->what, what);
	assert_contains(f->remedy, remedy);
	look_free(l);
}

static void assert_silent(const char *more, unsigned vmid)
{
	struct look *l = look_back(more, vmid, false);

	if (l->f.n)
		fail_msg("unexpected: %s", finding_line(&l->f.list[0], l->a));
	look_free(l);
}

#define MODPROBE "F: etc/modprobe.d/x.conf\n"
#define NOTE SEVERITY_NOTE
#define WARNING SEVERITY_WARNING

static void ids_take_every_card_of_a_kind(void **state)
{
	(void)state;
	assert_told(MODPROBE "|\n|   options vfio-pci disable_vga=1 ids=10de:2783\n", 0, false, WARNING,
		    "history-vfio-ids",
		    "/etc/modprobe.d/x.conf:2:34: ", "also " TWIN " (nouveau), which the host uses", "drop 'options "
		    "vfio-pci ids=10de:2783'");
	assert_told(MODPROBE "| options vfio_pci ids=10de:2783,1234:5678,10de:15bb:0:0\n", 100, false, WARNING,
		    "history-vfio-ids",
		    "/etc/modprobe.d/x.conf:1:18: ", TWIN, "write 'options vfio-pci ids=1234:5678'");
	/* What the running kernel was told, and where that is written. */
	assert_told("V: proc/cmdline=quiet vfio-pci.ids=10de:2783\n", 100, false, WARNING, "history-vfio-ids",
		    "/proc/cmdline: ", TWIN,
		    "'vfio-pci.ids=10de:2783'");
	assert_told("V: proc/cmdline=quiet vfio-pci.ids=10de:2783\nF: etc/default/grub\n| "
		    "GRUB_CMDLINE_LINUX=\"vfio-pci.ids=10de:2783\"\n",
		    100, false, WARNING, "history-vfio-ids", "/etc/default/grub:1:1: ", TWIN, "update-grub");
	/* Nothing of it is the VM's. */
	assert_silent(MODPROBE "| options vfio-pci ids=10de:15bb\n", 100);
	assert_told(MODPROBE "| options vfio-pci ids=10de:15bb\n", 0, false, WARNING, "history-vfio-ids", "/etc", NIC,
		    "drop");
	assert_told(MODPROBE "| options vfio-pci ids=1234:5678\n", 0, false, NOTE, "history-vfio-ids", "/etc",
		    "nothing on this host has the ids 1234:5678", "drop them");
	/* All of them are VMs'. */
	assert_told(MODPROBE "| options vfio-pci ids=10de:2783\nF: etc/pve/qemu-server/101.conf\n| hostpci0: 02:00\n",
		    100, false,
		    NOTE, "history-vfio-ids", "/etc", "vfio-pci takes " GPU " at boot", "keep it");
}

static void ids_are_matched_as_the_driver_matches_them(void **state)
{
	(void)state;
	assert_silent(MODPROBE "| options vfio-pci ids=10de:2783:1:2\n", 100);
	assert_silent(MODPROBE "| options vfio-pci ids=10de\n", 100);
	assert_silent(MODPROBE "| options vfio-pci ids=10de:2783:ffffffff:ffffffff:020000:ff0000\n", 100);
	assert_told(MODPROBE "| options vfio-pci ids=10de:2783:ffffffff:ffffffff:030000:ff0000\n", 100, false, WARNING,
		    "history-vfio-ids", "/etc", TWIN, "drop");
	assert_silent(MODPROBE "| # options vfio-pci ids=10de:2783\n| options kvm ignore_msrs=1\n", 0);
}

static void a_softdep_is_told_of_what_it_is_about(void **state)
{
	(void)state;
	assert_told(MODPROBE "| softdep nvidia* pre: vfio-pci\n", 100, false, NOTE, "history-softdep",
		    "/etc/modprobe.d/x.conf:1:1: ",
		    GPU, "drop 'softdep nvidia* pre: vfio-pci'");
	assert_silent(MODPROBE "| softdep xhci_pci pre: vfio-pci\n| softdep nouveau pre: i915\n", 0);
	assert_silent(MODPROBE "| softdep e1000e pre: vfio-pci\n", 100);
}

static void blacklists_are_told_where_no_driver_is_left(void **state)
{
	(void)state;
	/* Every Proxmox host has this one. */
	assert_silent(MODPROBE "| blacklist nvidiafb\n", 0);
	assert_silent(MODPROBE "| blacklist nvidiafb\n| blacklist nouveau\n", 100);
	assert_told(MODPROBE "| blacklist nvidiafb\n| blacklist nouveau\n| blacklist nvidia\n", 100, false, NOTE,
		    "history-blacklist",
		    "/etc/modprobe.d/x.conf:1:1: ", "for nvidiafb, nouveau, nvidia must not be", "'blacklist nouveau' "
		    "(/etc/modprobe.d/x.conf:2)");
	assert_told("V: proc/cmdline=modprobe.blacklist=nvidiafb,nouveau,nvidia\n", 100, false, NOTE,
		    "history-blacklist",
		    "/proc/cmdline: ", GPU, "boot");
	/* What the host uses keeps its driver. */
	assert_silent(MODPROBE "| blacklist e1000e\n", 0);
}

static void a_driver_that_cannot_be_loaded_is_a_warning(void **state)
{
	static const char lent[] = MODPROBE "| install e1000e /bin/false\nF: etc/pve/qemu-server/101.conf\n| "
		"hostpci0: 00:1f.6\n";

	(void)state;
	assert_told(lent, 0, false, WARNING, "history-blacklist", "/etc/modprobe.d/x.conf:1:1: ", "e1000e cannot be "
		    "loaded",
		    "drop 'install e1000e /bin/false'");
	assert_silent(lent, 100);
	assert_silent(MODPROBE "| install e1000e /sbin/modprobe -i e1000e\n", 0);
	assert_told("V: proc/cmdline=module_blacklist=e1000e\nF: etc/pve/qemu-server/101.conf\n| hostpci0: 00:1f.6\n",
		    0, false, WARNING,
		    "history-blacklist", "/proc/cmdline: ", NIC, "module_blacklist=e1000e");
}

static void an_acs_override_is_told(void **state)
{
	(void)state;
	assert_told("V: proc/cmdline=pcie_acs_override=downstream,id:10de:2783\n", 100, false, NOTE,
		    "history-acs-override",
		    "/proc/cmdline: ", "of what it names, " GPU " is conventional PCI", "drop "
		    "'pcie_acs_override=downstream,id:10de:2783'");
	assert_told("F: etc/kernel/cmdline\n| quiet pcie_acs_override=downstream\n", 0, false, NOTE,
		    "history-acs-override",
		    "/etc/kernel/cmdline:1:1: ", "from the next boot on", "proxmox-boot-tool refresh");
	assert_silent("V: proc/cmdline=pcie_acs_overridden\n", 0);
}

static void driverctl_races_with_what_is_found_anew(void **state)
{
	static const char file[] = "F: etc/driverctl.d/pci-" GPU "\n| vfio-pci\n";

	(void)state;
	assert_told(file, 100, false, NOTE, "history-driverctl", "/etc/driverctl.d/pci-" GPU ":1:1: ",
		    "gives " GPU " to vfio-pci at boot",
		    "driverctl unset-override " GPU);
	assert_told(file, 100, true, WARNING, "history-driverctl", "/etc", "at the same time as handover", "driverctl "
		    "unset-override");
	assert_told("F: etc/driverctl.d/pci-" GPU "\n| nouveau\n", 0, false, WARNING, "history-driverctl", "/etc",
		    "to nouveau",
		    "driverctl unset-override");
	assert_told("F: etc/driverctl.d/pci-" NIC "\n| e1000e\n", 0, false, NOTE, "history-driverctl", "/etc",
		    "to e1000e at boot", "keep it");
	assert_silent("F: etc/driverctl.d/pci-" NIC "\n| vfio-pci\n", 100);
	assert_told("F: etc/driverctl.d/pci-0000:09:00.0\n| vfio-pci\n", 0, false, NOTE, "history-driverctl", "/etc",
		    "there is no such function", "rm /etc/driverctl.d/pci-0000:09:00.0");
	assert_silent("F: etc/driverctl.d/vmbus-x\n| uio\n", 0);
}

static void udev_races_with_what_is_found_anew(void **state)
{
	static const char rule[] = "F: etc/udev/rules.d/9.rules\n| # none\n| ACTION==\"add\", KERNEL==\"0000:01:*\", "
		"ATTR{vendor}==\"0x10de\", ATTR{driver_override}=\"vfio-pci\"\n";

	(void)state;
	assert_told(rule, 100, false, NOTE, "history-udev", "/etc/udev/rules.d/9.rules:2:1: ", GPU " given to "
		    "vfio-pci at boot", "drop the line");
	assert_told(rule, 100, true, WARNING, "history-udev", "/etc", "at the same time as handover", "drop the line");
	assert_told("F: etc/udev/rules.d/9.rules\n| SUBSYSTEM==\"pci\", KERNEL==\"" GPU "\", RUN+=\"/bin/sh -c 'echo "
		    "nouveau > "
		    "/sys$devpath/driver_override'\"\n", 0, false, WARNING, "history-udev", "/etc", "to nouveau",
			    "drop");
	assert_told("F: etc/udev/rules.d/9.rules\n| SUBSYSTEM==\"net\", KERNEL==\"eno1\", "
		    "ATTR{device/sriov_numvfs}=\"4\"\n", 0, false, NOTE,
		    "history-udev", "/etc", "virtual functions of " NIC, "keep it");
	assert_silent("F: etc/udev/rules.d/9.rules\n| KERNEL!=\"0000:01:*\", ATTR{device}==\"0x15bb\", "
		      "ATTR{driver_override}=\"vfio-pci\"\n", 100);
	assert_silent("F: etc/udev/rules.d/9.rules\n| ATTR{driver_override}==\"vfio-pci\", KERNEL==\"" GPU "\", "
		      "MODE=\"0600\"\n", 0);
}

static void scripts_are_told_with_who_runs_them(void **state)
{
	(void)state;
	assert_told("F: var/spool/cron/crontabs/root\n| @reboot /root/a.sh\nF: root/a.sh\n| . /root/b.sh\nF: "
		    "root/b.sh\n|\n"
		    "| echo 1 > /sys/bus/pci/devices/" GPU "/remove\n", 100, false, WARNING, "history-script",
			    "/root/b.sh:2:1: ",
		    "it removes " GPU " (line 2); it is run by /root/a.sh:1", "isolate");
	assert_told("F: etc/cron.d/x\n| @reboot root echo " TWIN " > /sys/bus/pci/drivers/nouveau/unbind\n", 0, false,
		    NOTE,
		    "history-script", "/etc/cron.d/x:1:1: ", "it unbinds " TWIN " (nouveau) (line 1); it is run by "
		    "cron, at every boot",
		    "drop these lines");
	assert_silent("F: etc/cron.d/x\n| @reboot root echo " TWIN " > /sys/bus/pci/drivers/nouveau/unbind\n", 100);
	/* A new id takes what the VM has too. */
	assert_told("F: etc/rc.local\n| echo 10de 2783 > /sys/bus/pci/drivers/vfio-pci/new_id\n", 100, false, WARNING,
		    "history-script",
		    "/etc/rc.local:1:1: ", "it is run by systemd, at every boot", "drop");
	/* One that a variable names may be any. */
	assert_told("F: etc/systemd/system/x.service\n| [Service]\n| ExecStart=/bin/sh -c 'echo 1 > "
		    "/sys/bus/pci/devices/$GPU/reset'\n", 100,
		    false, WARNING, "history-script", "/etc/systemd/system/x.service:2:1: ", "devices that a variable "
			    "names", "drop");
	assert_told("F: etc/systemd/system/x.service.d/o.conf\n| ExecStop=/bin/sh -c 'echo 1 > /sys/bus/pci/rescan'\n",
		    100, false, NOTE,
		    "history-script", "/etc", "looks for removed functions on all buses", "drop");
}

static void hookscripts_are_told_of_their_guests(void **state)
{
	static const char hook[] = "F: srv/s/snippets/h.sh\n| case $2 in\n"
		"| pre-stop) echo 1 > /sys/bus/pci/devices/" GPU "/remove ;;\n| esac\n"
		"F: etc/pve/storage.cfg\n| dir: files\n| \tpath /srv/s\n| \tcontent snippets\n"
		"F: etc/pve/qemu-server/101.conf\n| hookscript: files:snippets/h.sh\n| [old]\n| hookscript: "
		"files:snippets/none.sh\n";
	static const char idle[] = "F: var/lib/vz/snippets/h.sh\n| echo 1 > /sys/bus/pci/devices/" GPU "/remove\n";

	(void)state;
	assert_told(hook, 0, false, WARNING, "history-script", "/srv/s/snippets/h.sh:2:1: ",
		    "(line 2, at pre-stop); it is run by Proxmox VE, as hookscript of 101", "`qm set 101 --hookscript "
		    "local:snippets/handover`");
	assert_told(idle, 0, false, NOTE, "history-script", "/var/lib/vz/snippets/h.sh:1:1: ", "nobody now", "drop "
		    "the file");
	/* What cloud-init does in a guest. */
	assert_silent("F: var/lib/vz/snippets/user.yaml\n| runcmd:\n| - systemctl restart networking\n", 0);
}

static void who_takes_bridges_down_is_told(void **state)
{
	(void)state;
	assert_told("F: etc/crontab\n| 1 2 * * * root systemctl restart networking\n", 0, false, WARNING,
		    "history-network",
		    "/etc/crontab:1:1: ", "cron, at '1 2 * * *'", "ifreload -a");
	assert_silent("F: etc/crontab\n| 1 2 * * * root systemctl restart networking\n", 100);
	assert_silent("F: etc/crontab\n| 1 2 * * * root systemctl reload networking\n", 0);
}

static void a_host_without_a_past_is_silent(void **state)
{
	(void)state;
	assert_silent("", 0);
	assert_silent("", 100);
}

/* --- captures ---------------------------------------------------------------------------------------------------- */

static void a_capture_takes_deeds_and_no_secrets(void **state)
{
	struct host *h = host_from(HOST "F: var/spool/cron/crontabs/root\n| TOKEN=secret\n| @reboot curl -u me:secret "
				   "x; /root/a.sh secret\n"
		"| 0 3 * * * /root/secret.sh\n"
		"F: root/a.sh\n| PASSWORD=secret\n| echo secret | passwd; echo 1 > /sys/bus/pci/rescan # secret\n"
		"F: root/secret.sh\n| echo secret\n"
		MODPROBE "| # secret\n| options vfio-pci ids=10de:2783\n| install x /bin/sh -c secret\n"
		"F: etc/default/grub\n| GRUB_CMDLINE_LINUX=\"password=secret pcie_acs_override=downstream\"\n"
		"F: etc/udev/rules.d/9.rules\n| KERNEL==\"x\", ENV{A}=\"secret\", ATTR{driver_override}=\"y\"\n"
		"F: etc/pve/storage.cfg\n| cifs: secret\n| \tpath /mnt/secret\n| dir: local\n| \tpath /var/lib/vz\n| "
		"\tprune secret\n");
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = host_capture(a, h), *again;

	(void)state;
	assert_null(strstr(text, "secret"));
	assert_contains(text, "F: var/spool/cron/crontabs/root\n|\n| @reboot /root/a.sh\n\n");
	assert_contains(text, "F: root/a.sh\n|\n| echo 1 > /sys/bus/pci/rescan\n");
	assert_contains(text, "F: etc/modprobe.d/x.conf\n|\n| options vfio-pci ids=10de:2783\n\n");
	assert_contains(text, "F: etc/default/grub\n| GRUB_CMDLINE_LINUX=\"pcie_acs_override=downstream\"\n");
	assert_contains(text, "F: etc/udev/rules.d/9.rules\n| KERNEL==\"x\", ATTR{driver_override}=\"y\"\n");
	assert_contains(text, "F: etc/pve/storage.cfg\n| dir: local\n| \tpath /var/lib/vz\n");
	host_close(h);
	h = host_from(text);
	again = host_capture(a, h);
	assert_string_equal(strstr(again, "\nF: "), strstr(text, "\nF: "));
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_does_what_it_says),
		cmocka_unit_test(a_deed_is_written_as_it_is_read),
		cmocka_unit_test(limits_of_a_line_hold),
		cmocka_unit_test(limits_of_a_variable_hold),
		cmocka_unit_test(lines_have_their_numbers_and_phases),
		cmocka_unit_test(crontabs_have_times_and_perhaps_users),
		cmocka_unit_test(limits_of_a_file_hold),
		cmocka_unit_test(a_file_needs_little_memory),
		cmocka_unit_test(limits_of_a_host_hold),
		cmocka_unit_test(what_is_no_text_is_not_read),
		cmocka_unit_test(what_is_no_file_is_not_opened),
		cmocka_unit_test(ids_take_every_card_of_a_kind),
		cmocka_unit_test(ids_are_matched_as_the_driver_matches_them),
		cmocka_unit_test(a_softdep_is_told_of_what_it_is_about),
		cmocka_unit_test(blacklists_are_told_where_no_driver_is_left),
		cmocka_unit_test(a_driver_that_cannot_be_loaded_is_a_warning),
		cmocka_unit_test(an_acs_override_is_told),
		cmocka_unit_test(driverctl_races_with_what_is_found_anew),
		cmocka_unit_test(udev_races_with_what_is_found_anew),
		cmocka_unit_test(scripts_are_told_with_who_runs_them),
		cmocka_unit_test(hookscripts_are_told_of_their_guests),
		cmocka_unit_test(who_takes_bridges_down_is_told),
		cmocka_unit_test(a_host_without_a_past_is_silent),
		cmocka_unit_test(a_capture_takes_deeds_and_no_secrets),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
