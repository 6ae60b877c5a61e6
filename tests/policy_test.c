/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's policy: what is taken, what is refused and where, and what it then says of a device. */
#include "support.h"

#include "core/policy.h"
#include "core/policy_lines.h"
#include "core/step.h"

/* A policy that was read, and what was said about it. */
struct result {
	struct arena *arena;
	struct findings f;
	const struct policy *p;
};

static void parse_bytes(struct result *r, const char *text, size_t n)
{
	r->arena = arena_new();
	findings_init(&r->f, r->arena);
	r->p = policy_parse(text, n, "test.conf", &r->f);
	assert_int_equal(r->p == NULL, r->f.errors > 0);
}

static void end(struct result *r)
{
	arena_free(r->arena);
}

static void parse(struct result *r, const char *text)
{
	parse_bytes(r, text, strlen(text));
}

static void parse_good(struct result *r, const char *text)
{
	parse(r, text);
	if (!r->p)
		fail_msg("%s", finding_line(&r->f.list[0], r->arena));
	assert_int_equal(r->f.n, 0);
}

static void assert_names(const struct names *names, const char *expected)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = "";

	for (size_t i = 0; i < names->n; i++)
		text = arena_fmt(a, "%s%s%s", text, *text ? " " : "", names->list[i]);
	assert_string_equal(text, expected);
}

static const struct names *allowed(const struct policy *p, const char *code)
{
	for (size_t i = 0; i < p->n_allows; i++)
		if (strcmp(p->allows[i].code, code) == 0)
			return &p->allows[i].names;
	fail_msg("nothing is allowed for %s", code);
	return NULL;
}

/* --- what is taken ----------------------------------------------------------------------------------------------- */

static void assert_defaults(const struct policy *p)
{
	assert_false(p->untrusted_guests);
	assert_true(p->automatic);
	assert_int_equal(p->devices.n + p->nics.n + p->usb.n + p->n_allows, 0);
	assert_int_equal(p->run.n + p->modules.n + p->services.n, 0);
	assert_int_equal(p->phase_ms, PHASE_MS);
	assert_int_equal(p->lock_ms, LOCK_MS);
	assert_false(p->profile_required);
}

static void an_empty_policy_is_the_default(void **state)
{
	static const char *const texts[] = {
		"", "\n", "\xef\xbb\xbf", "# nothing\n; at all", "  \n\t\r\n", "[allow]\n[protect]\n\n[timeouts]\r\n[profiles]",
	};
	struct policy none = policy_default();

	(void)state;
	assert_defaults(&none);
	assert_null(none.file);
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct result r;

		parse_good(&r, texts[i]);
		assert_defaults(r.p);
		assert_string_equal(r.p->file, "test.conf");
		end(&r);
	}
}

static void all_keys_are_read(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "untrusted-guests = yes\n"
		       "[protect]\n"
		       "auto=no\n"
		       "devices = 0000:02:00.0, 03:00.1 04:00\t10DE:2783,10de:2783:1043:8927\n"
		       "nics = eno1,enp3s0f0np0 , wlan.7\r\n"
		       "usb = 046D:c31c 1-2.1\n"
		       "[allow]\n"
		       "# in between\n"
		       "management-nic = eno2 00:1f.6\n"
		       "console = 00:02.0 ttyS0\n"
		       "last-keyboard = 1-4 046d:c31c\n"
		       "storage-member   =   sdb nvme0n1p3\n"
		       "modules = 8021q nvidia-uvm\n"
		       "run = /usr/bin/true /opt/x/y.sh\n"
		       "services = netbird.service getty@tty1.service\n"
		       "[timeouts]\n"
		       "phase = 2m\n"
		       "lock = 1500ms\n"
		       "[profiles]\n"
		       "profile = required");
	assert_true(r.p->untrusted_guests);
	assert_false(r.p->automatic);
	assert_names(&r.p->devices, "0000:02:00.0 03:00.1 04:00 10de:2783 10de:2783:1043:8927");
	assert_names(&r.p->nics, "eno1 enp3s0f0np0 wlan.7");
	assert_names(&r.p->usb, "046d:c31c 1-2.1");
	assert_int_equal(r.p->n_allows, 4);
	assert_string_equal(r.p->allows[0].code, "management-nic");
	assert_names(allowed(r.p, "management-nic"), "eno2 00:1f.6");
	assert_names(allowed(r.p, "console"), "00:02.0 ttyS0");
	assert_names(allowed(r.p, "last-keyboard"), "1-4 046d:c31c");
	assert_names(allowed(r.p, "storage-member"), "sdb nvme0n1p3");
	assert_names(&r.p->modules, "8021q nvidia-uvm");
	assert_names(&r.p->run, "/usr/bin/true /opt/x/y.sh");
	assert_names(&r.p->services, "netbird.service getty@tty1.service");
	assert_int_equal(r.p->phase_ms, 120000);
	assert_int_equal(r.p->lock_ms, 1500);
	assert_true(r.p->profile_required);
	end(&r);
}

/* What it is as shipped changes nothing; without the "#" before its keys it is right too. */
static void the_example_is_a_policy(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct result r;
	size_t n, used = 0, keys = 0;
	char *text = file_read(a, "profiles/handover.conf.example", &n), *live = arena_alloc(a, n + 1);

	(void)state;
	parse_bytes(&r, text, n);
	assert_int_equal(r.f.n, 0);
	assert_defaults(r.p);
	end(&r);
	for (size_t i = 0; i < n; i++) {
		bool key = text[i] == '#' && (i == 0 || text[i - 1] == '\n') && text[i + 1] >= 'a' && text[i + 1] <= 'z';

		keys += key;
		if (!key)
			live[used++] = text[i];
	}
	parse_good(&r, live);
	assert_int_equal(keys, 17);
	assert_int_equal(r.p->devices.n, 2);
	assert_int_equal(r.p->n_allows, 4);
	end(&r);
}

/* The last literal block of the page. */
static void the_example_of_the_manual_is_a_policy(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct result r;
	size_t n;
	char *text = file_read(a, "doc/handover.conf.5.scd", &n), *end_of = text, *begin = NULL;

	(void)state;
	for (char *mark = strstr(text, "```\n"); mark; mark = strstr(mark + 1, "```\n")) {
		begin = end_of;
		end_of = mark;
	}
	assert_non_null(begin);
	*end_of = '\0';
	parse_good(&r, begin + strlen("```\n"));
	assert_true(r.p->untrusted_guests);
	assert_names(allowed(r.p, "management-nic"), "eno2");
	end(&r);
}

static void a_value_at_its_default_is_taken(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "untrusted-guests = no\n[protect]\nauto = yes\n[profiles]\nprofile = optional\n");
	assert_defaults(r.p);
	end(&r);
}

/* --- what is refused --------------------------------------------------------------------------------------------- */

#define TEN "0123456789"
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LINE_197 "#" NINETY NINETY TEN "012345"

static const struct bad {
	const char *text, *line;
} bads[] = {
	/* the shape of lines */
	{ "auto = yes", ":1:1: error: 'auto' is not known before the first section; it belongs under [protect] "
			"[policy-unknown]" },
	{ "[protect]\n auto = yes", ":2:1: error: this line is indented, as if it went on with the one above; begin it in the "
				    "first column [policy-syntax]" },
	{ "[protect]\nnics = eno1\n\teno2\n", ":3:1: error: this line is indented" },
	{ "\n  # a comment", ":2:1: error: this line is indented" },
	{ "[protect]\nnics = eno1 ; the first", ":2:13: error: a ';' after a blank hides the rest of this line; put the "
						"comment on a line of its own [policy-syntax]" },
	{ "[protect] ; here", ":1:11: error: a ';' after a blank" },
	{ "[protect", ":1:1: error: there is no ']' after the '['; write [NAME] [policy-syntax]" },
	{ "[protect] auto = no", ":1:10: error: something stands behind the ']'; put it on a line of its own "
				 "[policy-syntax]" },
	{ "\n\nyes", ":3:1: error: there is no '=' in this line; write KEY = VALUE [policy-syntax]" },
	{ "[protect]\nauto: yes", ":2:1: error: there is no '=' in this line" },
	{ "[protect]\ndevices: 02:00.0 = x", ":2:1: error: what stands before the '=' is not one word; write KEY = VALUE "
					     "[policy-syntax]" },
	{ "[protect]\nauto no = yes", ":2:1: error: what stands before the '='" },
	{ "= yes", ":1:1: error: what stands before the '='" },
	{ LINE_197 "x\n", ":1:198: error: this line is longer than 197 bytes; write fewer words, or shorter ones "
			  "[policy-syntax]" },
	{ "\x80", ":1:1: error: byte 0x80 here is not UTF-8; save the file as UTF-8 [not-utf8]" },
	{ "[protect]\n\n# \x1b[2J", ":3:3: error: character U+001B here does not show; delete it [control-character]" },
	{ "a\rb", ":1:2: error: character U+000D here does not show" },
	{ "# \xe2\x80\xae", ":1:3: error: character U+202E here does not show" },
	/* sections and keys */
	{ "[protekt]", ":1:1: error: there is no section 'protekt'; did you mean 'protect' [policy-unknown]" },
	{ "\n[nothing]\nx = y", ":2:1: error: there is no section 'nothing'; handover.conf(5) has the sections "
				"[policy-unknown]" },
	{ "[]", ":1:1: error: there is no section ''" },
	{ "[ allow ]", ":1:1: error: there is no section ' allow '; did you mean 'allow'" },
	{ "[a\tb]", ":1:1: error: there is no section 'a\\x09b'" },
	{ "[protect]\nAuto = yes", ":2:1: error: 'Auto' is not known under [protect]; did you mean 'auto' [policy-unknown]" },
	{ "[allow]\nroot-disk = sda", ":2:1: error: 'root-disk' is not known under [allow]; handover.conf(5) has the keys "
				      "[policy-unknown]" },
	{ "[allow]\nuntrusted-guests = yes", ":2:1: error: 'untrusted-guests' is not known under [allow]; it belongs before "
					     "the first section [policy-unknown]" },
	{ "[allow]\n\n[timeouts]\n[allow]\n", ":4:1: error: [allow] stood in line 1 already; put its keys there "
					      "[policy-twice]" },
	{ "[protect]\nnics = eno1\n\nnics = eno2\n", ":4:1: error: 'nics' stood in line 2 already; keep one of the two, with all that both say "
						     "[policy-twice]" },
	/* values */
	{ "untrusted-guests = true", ":1:20: error: 'untrusted-guests' cannot be 'true'; write 'yes' or 'no' "
				     "[policy-value]" },
	{ "untrusted-guests = Yes", ":1:20: error: 'untrusted-guests' cannot be 'Yes'; did you mean 'yes' [policy-value]" },
	{ "untrusted-guests =yes # no", ":1:19: error: 'untrusted-guests' cannot be 'yes # no'; write 'yes' or 'no'" },
	{ "[profiles]\nprofile = require", ":2:11: error: 'profile' cannot be 'require'; did you mean 'required'" },
	{ "[protect]\nauto =", ":2:1: error: 'auto' has no value; write one, or leave the line out [policy-value]" },
	{ "[protect]\nnics = , ,", ":2:1: error: 'nics' has no value" },
	{ "[protect]\nnics = eno1 # the first", ":2:13: error: 'nics' cannot be '#'; put the comment on a line of its own" },
	{ "[protect]\ndevices = 02:00.0 2:00.0", ":2:19: error: 'devices' cannot be '2:00.0'; write an address such as "
						 "02:00.0, or an id such as 10de:2783 [policy-value]" },
	{ "[protect]\ndevices = eno1", ":2:11: error: 'devices' cannot be 'eno1'" },
	{ "[protect]\ndevices = 10de:2783:1043", ":2:11: error: 'devices' cannot be '10de:2783:1043'" },
	{ "[protect]\ndevices = 02:20.0", ":2:11: error: 'devices' cannot be '02:20.0'" },
	{ "[protect]\nnics = a/b", ":2:8: error: 'nics' cannot be 'a/b'; write a network interface such as eno1" },
	{ "[protect]\nnics = sixteen-letters-", ":2:8: error: 'nics' cannot be" },
	{ "[protect]\nnics = \xc3\xa4 x:y", ":2:10: error: 'nics' cannot be 'x:y'" },
	{ "[protect]\nusb = 1-2.", ":2:7: error: 'usb' cannot be '1-2.'; write an id such as 046d:c31c, or a USB port "
				   "such as 1-2.1" },
	{ "[protect]\nusb = 046d:c31c:0000:0000", ":2:7: error: 'usb' cannot be" },
	{ "[allow]\nmanagement-nic = eth%d", ":2:18: error: 'management-nic' cannot be 'eth%d'; write an address such as "
					     "02:00.0, or an id such as 10de:2783, or a network interface such as eno1" },
	{ "[allow]\nconsole = /dev/tty0", ":2:11: error: 'console' cannot be '/dev/tty0'" },
	{ "[allow]\nlast-keyboard = usb1", ":2:17: error: 'last-keyboard' cannot be 'usb1'" },
	{ "[allow]\nstorage-member = *", ":2:18: error: 'storage-member' cannot be '*'" },
	{ "[allow]\nrun = true", ":2:7: error: 'run' cannot be 'true'; write a full path such as /usr/bin/true" },
	{ "[allow]\nrun = /", ":2:7: error: 'run' cannot be '/'" },
	{ "[allow]\nrun = /bin/", ":2:7: error: 'run' cannot be '/bin/'" },
	{ "[allow]\nrun = /bin//sh", ":2:7: error: 'run' cannot be '/bin//sh'" },
	{ "[allow]\nrun = /bin/../sh", ":2:7: error: 'run' cannot be '/bin/../sh'" },
	{ "[allow]\nrun = /bin/..", ":2:7: error: 'run' cannot be '/bin/..'" },
	{ "[allow]\nrun = /bin/\xc3\xa4", ":2:7: error: 'run' cannot be '/bin/\xc3\xa4'" },
	{ "[allow]\nrun = /./sh", ":2:7: error: 'run' cannot be '/./sh'" },
	{ "[allow]\nmodules = ../x", ":2:11: error: 'modules' cannot be '../x'; write a kernel module such as 8021q" },
	{ "[allow]\nservices = ssh", ":2:12: error: 'services' cannot be 'ssh'; write a unit such as ssh.service" },
	{ "[allow]\nshutdown = 101", ":2:1: error: 'shutdown' is not known under [allow]" },
	{ "[timeouts]\nphase = 999ms", ":2:9: error: 'phase' cannot be '999ms'; write a time from 1s to 600s, such as 10s" },
	{ "[timeouts]\nphase = 601s", ":2:9: error: 'phase' cannot be '601s'" },
	{ "[timeouts]\nphase = 45", ":2:9: error: 'phase' cannot be '45'" },
	{ "[timeouts]\nlock = 61s", ":2:8: error: 'lock' cannot be '61s'; write a time from 1s to 60s, such as 10s" },
	{ "[timeouts]\nlock = 10s 20s", ":2:8: error: 'lock' cannot be '10s 20s'" },
};

static void each_wrong_line_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		struct result r;
		const char *line;

		parse(&r, bads[i].text);
		if (r.p || r.f.n != 1)
			fail_msg("%zu findings for '%s'", r.f.n, bads[i].text);
		line = finding_line(&r.f.list[0], r.arena);
		if (strncmp(line, "test.conf", 9) != 0 || strncmp(line + 9, bads[i].line, strlen(bads[i].line)) != 0)
			fail_msg("'%s' should begin with '%s'", line, bads[i].line);
		end(&r);
	}
}

static void a_zero_byte_ends_nothing(void **state)
{
	static const char text[] = "[protect]\n#\0\nauto = no\n";
	struct result r;

	(void)state;
	parse_bytes(&r, text, sizeof(text) - 1);
	assert_contains(finding_line(assert_only(&r.f, "control-character"), r.arena), "test.conf:2:2: ");
	end(&r);
}

static void all_wrong_keys_are_told_at_once(void **state)
{
	struct result r;

	(void)state;
	parse(&r, "untrusted-guests = maybe\n[bogus]\nx = y\n[protect]\nauto = 1\nnics = / eno1 :\n[timeouts]\nphase = 1h\n");
	assert_int_equal(r.f.n, 6);
	assert_int_equal(r.f.list[0].place.line, 1);
	assert_int_equal(r.f.list[1].place.line, 2);
	assert_int_equal(r.f.list[2].place.line, 5);
	assert_int_equal(r.f.list[3].place.line, 6);
	assert_int_equal(r.f.list[3].place.column, 8);
	assert_int_equal(r.f.list[4].place.column, 15);
	assert_int_equal(r.f.list[5].place.line, 8);
	end(&r);
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static void a_line_of_197_bytes_is_read_whole(void **state)
{
	static const char *const ends[] = { "", "\n", "\r\n", "\n[protect]\nauto = no\n" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct result r;

	(void)state;
	assert_int_equal(strlen(LINE_197), POLICY_LINE_MAX);
	for (size_t i = 0; i < COUNT(ends); i++) {
		parse_good(&r, arena_fmt(a, "%s%s", LINE_197, ends[i]));
		assert_int_equal(r.p->automatic, i < 3);
		end(&r);
	}
	/* The last word ends where the line does. */
	parse_good(&r, arena_fmt(a, "[allow]\nrun = /%s%*s\nservices = a.service", NINETY, POLICY_LINE_MAX - 98, " /a/end"));
	assert_names(&r.p->run, "/" NINETY " /a/end");
	assert_names(&r.p->services, "a.service");
	end(&r);
}

static void a_key_has_64_words(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	_cleanup_arena_ struct arena *a = arena_new();
	const char *words = "x0 x1";
	struct result r;

	(void)state;
	for (const char *c = letters; *c; c++)
		words = arena_fmt(a, "%s %c", words, *c);
	parse_good(&r, arena_fmt(a, "[protect]\nnics = %s", words));
	assert_int_equal(r.p->nics.n, POLICY_NAMES_MAX);
	assert_string_equal(r.p->nics.list[0], "x0");
	assert_string_equal(r.p->nics.list[63], "9");
	end(&r);
	parse(&r, arena_fmt(a, "[protect]\nnics=%s,more", words));
	assert_string_equal(finding_line(assert_only(&r.f, "policy-value"), r.arena),
			    "test.conf:2:136: error: 'nics' has more than 64 words; name fewer, by id perhaps [policy-value]");
	end(&r);
}

static void a_policy_has_64_kib(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *text = arena_alloc(a, POLICY_BYTES_MAX + 1);
	struct result r;

	(void)state;
	memset(text, '\n', POLICY_BYTES_MAX + 1);
	memcpy(text + POLICY_BYTES_MAX - 22, "untrusted-guests = yes", 22);
	parse_bytes(&r, text, POLICY_BYTES_MAX);
	assert_non_null(r.p);
	assert_true(r.p->untrusted_guests);
	end(&r);
	parse_bytes(&r, text, POLICY_BYTES_MAX + 1);
	assert_string_equal(finding_line(assert_only(&r.f, "policy-too-large"), r.arena),
			    "test.conf: error: a policy has at most 64 KiB, and this one has more; is this the right file? "
			    "[policy-too-large]");
	end(&r);
}

static void times_have_bounds(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "[timeouts]\nphase = 1s\nlock = 1000ms\n");
	assert_int_equal(r.p->phase_ms, 1000);
	assert_int_equal(r.p->lock_ms, 1000);
	end(&r);
	parse_good(&r, "[timeouts]\nphase = 10m\nlock = 60s\n");
	assert_int_equal(r.p->phase_ms, 600000);
	assert_int_equal(r.p->lock_ms, 60000);
	end(&r);
}

/* --- what it says of a device ------------------------------------------------------------------------------------ */

static const struct function card = {
	.address = "0000:02:00.1", .bdf = { 0, 2, 0, 1 }, .id = "10de:2783:1043:8927",
};
static const struct function far_card = {
	.address = "10000:02:00.1", .bdf = { 0x10000, 2, 0, 1 }, .id = "8086:0a54:1028:2100",
};

static bool allows(const char *words, const struct function *fn, const char *name)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct result r;
	bool answer;

	parse_good(&r, arena_fmt(a, "[allow]\nmanagement-nic = %s\n", words));
	answer = policy_allows(r.p, "management-nic", fn, name);
	assert_false(policy_allows(r.p, "console", fn, name));
	assert_false(policy_allows(r.p, "management", fn, name));
	end(&r);
	return answer;
}

static void a_device_is_allowed_by_place_id_or_name(void **state)
{
	(void)state;
	assert_true(allows("0000:02:00.1", &card, NULL));
	assert_true(allows("02:00.1", &card, "eno1"));
	assert_true(allows("02:00", &card, NULL));
	assert_true(allows("10DE:2783", &card, NULL));
	assert_true(allows("eno7 10de:2783:1043:8927", &card, NULL));
	assert_true(allows("eno1", &card, "eno1"));
	assert_true(allows("eno1", NULL, "eno1"));
	assert_true(allows("10000:02:00.1", &far_card, NULL));
	assert_false(allows("02:00.0", &card, "eno1"));
	assert_false(allows("02:00.1", &far_card, "eno1"));
	assert_false(allows("10de:2783:1043:8928", &card, NULL));
	assert_false(allows("10de:2784 8086:0a54", &card, NULL));
	assert_false(allows("eno1", &card, "eno10"));
	assert_false(allows("eno1", &card, NULL));
	/* The name of an interface, however much it looks like the start of an id or an address. */
	assert_false(allows("10de 02 0000", &card, NULL));
}

static void without_a_policy_nothing_is_allowed_or_protected(void **state)
{
	struct policy none = policy_default();

	(void)state;
	assert_false(policy_allows(&none, "console", &card, "eno1"));
	assert_null(policy_protects(&none, &card, "eno1"));
	assert_null(policy_protects_usb(&none, "046d:c31c", "1-2"));
}

static void a_protected_device_is_told_by_the_word_for_it(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "[protect]\ndevices = 03:00.0 10de:2783\nnics = eno1 eno2\n");
	assert_string_equal(policy_protects(r.p, &card, "eno2"), "10de:2783");
	assert_string_equal(policy_protects(r.p, &far_card, "eno2"), "eno2");
	assert_string_equal(policy_protects(r.p, NULL, "eno1"), "eno1");
	assert_null(policy_protects(r.p, &far_card, "eno3"));
	assert_null(policy_protects(r.p, &far_card, NULL));
	assert_null(policy_protects(r.p, NULL, NULL));
	end(&r);
}

static void a_protected_usb_port_protects_what_is_behind_it(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, "[protect]\nusb = 1-2 046D:C31C\n");
	assert_string_equal(policy_protects_usb(r.p, "046d:c31c", "9-9"), "046d:c31c");
	assert_string_equal(policy_protects_usb(r.p, "046d:c31c", NULL), "046d:c31c");
	assert_string_equal(policy_protects_usb(r.p, "dead:beef", "1-2"), "1-2");
	assert_string_equal(policy_protects_usb(r.p, NULL, "1-2.4.1"), "1-2");
	assert_null(policy_protects_usb(r.p, "dead:beef", "1-20"));
	assert_null(policy_protects_usb(r.p, "dead:beef", "1-1.2"));
	assert_null(policy_protects_usb(r.p, NULL, NULL));
	end(&r);
}

static void four_risks_need_the_consent_of_the_host(void **state)
{
	(void)state;
	assert_true(policy_needs_consent("console"));
	assert_true(policy_needs_consent("last-keyboard"));
	assert_true(policy_needs_consent("management-nic"));
	assert_true(policy_needs_consent("storage-member"));
	assert_false(policy_needs_consent("unverified-isolation"));
	assert_false(policy_needs_consent("platform-function"));
	/* Keys of [allow], but no risks. */
	assert_false(policy_needs_consent("run"));
	assert_false(policy_needs_consent("services"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_policy_is_the_default),
		cmocka_unit_test(all_keys_are_read),
		cmocka_unit_test(the_example_is_a_policy),
		cmocka_unit_test(the_example_of_the_manual_is_a_policy),
		cmocka_unit_test(a_value_at_its_default_is_taken),
		cmocka_unit_test(each_wrong_line_is_told_with_its_place),
		cmocka_unit_test(a_zero_byte_ends_nothing),
		cmocka_unit_test(all_wrong_keys_are_told_at_once),
		cmocka_unit_test(a_line_of_197_bytes_is_read_whole),
		cmocka_unit_test(a_key_has_64_words),
		cmocka_unit_test(a_policy_has_64_kib),
		cmocka_unit_test(times_have_bounds),
		cmocka_unit_test(a_device_is_allowed_by_place_id_or_name),
		cmocka_unit_test(without_a_policy_nothing_is_allowed_or_protected),
		cmocka_unit_test(a_protected_device_is_told_by_the_word_for_it),
		cmocka_unit_test(a_protected_usb_port_protects_what_is_behind_it),
		cmocka_unit_test(four_risks_need_the_consent_of_the_host),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
