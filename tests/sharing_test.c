/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles that are shared: bases, hosts, and the device that is known by what hangs on it. */
#include "ground.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/action.h"
#include "core/here.h"
#include "core/prepare.h"
#include "core/profile_codes.h"
#include "core/select.h"

/* --- bases that are in memory -------------------------------------------------------------------------------------- */

/* What 'extends' may name. */
struct shelf {
	const char *name, *text;
};

static bool bring(void *arg, const char *file, const struct word *word, struct findings *f, struct base_text *base)
{
	const struct shelf *s = arg;

	(void)file;
	assert_true(str_is_word(word->s, PROFILE_WORD_MAX));
	for (; s->name; s++)
		if (strcmp(s->name, word->s) == 0) {
			*base = (struct base_text){ arena_fmt(f->arena, "%s.yaml", s->name), s->text, strlen(s->text) };
			return true;
		}
	profile_bad(f, CODE_BASE_MISSING, word->place, NULL, "there is no '%s'", word->s);
	return false;
}

struct result {
	struct arena *arena;
	struct findings f;
	const struct profile *p;
};

static void parse(struct result *r, const char *text, const struct shelf *shelf)
{
	const struct bases bases = { bring, (void *)shelf };

	r->arena = arena_new();
	findings_init(&r->f, r->arena);
	r->p = profile_parse_with(text, strlen(text), "100.yaml", shelf ? &bases : NULL, &r->f);
	assert_int_equal(r->p == NULL, r->f.errors > 0);
}

static void parse_good(struct result *r, const char *text, const struct shelf *shelf)
{
	parse(r, text, shelf);
	if (!r->p)
		fail_msg("%s", finding_line(&r->f.list[0], r->arena));
}

static void assert_lines(const struct result *r, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < r->f.n && i < n; i++)
		assert_string_equal(finding_line(&r->f.list[i], r->arena), lines[i]);
	assert_int_equal(r->f.n, n);
}

#define HEAD "handover: 1\n"

static const struct shelf desk[] = {
	{ "desk", HEAD "name: of the desk\naccept: {platform-function: lpc, unverified-isolation: [lpc, audio]}\n"
	  "when-busy: {wait: 60s}\n"
	  "devices:\n  lpc: {id: \"8086:a306\", at: \"00:1f.0\"}\n  audio: {id: \"8086:a348\"}\n  wifi: {id: \"8086:a370\"}\n"
	  "pre-start:\n  - bind: [lpc, audio]\npost-stop:\n  - cycle: audio\n"
	  "network: ifreload\n" },
	{ "office", HEAD "extends: desk\nname: of the office\ndevices: {lpc: {at: \"00:1f.1\"}}\npost-stop: []\n" },
	{ 0 },
};

static void what_is_not_said_is_the_base_s(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: desk\n", desk);
	assert_string_equal(r.p->file, "100.yaml");
	assert_string_equal(r.p->extends.s, "desk");
	assert_string_equal(r.p->name, "of the desk");
	assert_int_equal(r.p->wait_ms, 60000);
	assert_int_equal(r.p->n_accepts, 2);
	assert_int_equal(r.p->n_steps[PHASE_PRE_START], 1);
	assert_int_equal(r.p->n_steps[PHASE_POST_STOP], 1);
	/* No step names the other. */
	assert_int_equal(r.p->n_devices, 2);
	assert_null(profile_device(r.p, "wifi"));
	assert_string_equal(profile_device(r.p, "audio")->id.place.file, "desk.yaml");
	assert_int_equal(profile_device(r.p, "audio")->id.place.line, 7);
	assert_string_equal(profile_files(r.p, r.arena), "100.yaml, which extends desk.yaml");
	arena_free(r.arena);
}

static void whole_keys_devices_and_phases_are_replaced(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: desk\nname: mine\nwhen-busy: refuse\nnetwork: none\naccept: {console: gpu}\n"
			    "devices: {gpu: {id: \"10de:2783\"}, lpc: {id: \"8086:1234\"}}\npre-start:\n  - bind: [gpu, lpc]\n", desk);
	assert_string_equal(r.p->name, "mine");
	assert_int_equal(r.p->wait_ms, 0);
	assert_int_equal(r.p->network, NETWORK_NONE);
	/* Nothing is merged deeper: of 'accept' only what stands here, and of 'lpc' not the base's address. */
	assert_int_equal(r.p->n_accepts, 1);
	assert_string_equal(r.p->accepts[0].code, "console");
	assert_string_equal(profile_device(r.p, "lpc")->id.s, "8086:1234");
	assert_null(profile_device(r.p, "lpc")->at.s);
	assert_int_equal(r.p->n_steps[PHASE_PRE_START], 1);
	assert_string_equal(r.p->steps[PHASE_PRE_START][0].fields[0].list[0].s, "gpu");
	assert_string_equal(r.p->steps[PHASE_POST_STOP][0].place.file, "desk.yaml");
	arena_free(r.arena);
	/* A key without value, or an empty list, replaces too. */
	parse_good(&r, HEAD "extends: desk\naccept: {}\npre-start:\npost-stop: []\n", desk);
	assert_int_equal(r.p->n_accepts + r.p->n_steps[PHASE_PRE_START] + r.p->n_steps[PHASE_POST_STOP], 0);
	assert_int_equal(r.p->network, NETWORK_IFRELOAD);
	assert_int_equal(r.p->n_devices, 0);
	arena_free(r.arena);
}

static void after_network_is_a_whole_key(void **state)
{
	static const struct shelf shelf[] = {
		{ "desk", HEAD "devices:\n  nic: {id: \"8086:15bb\"}\n  wifi: {id: \"8086:a370\"}\n"
		  "after-network:\n  - check: nic\n  - service: {restart: netbird.service}\n" },
		{ "left", HEAD "extends: desk\nnetwork: none\n" },
		{ "boot", HEAD "boot:\n" },
		{ 0 },
	};
	static const char *const beside_none[] = {
		"desk.yaml:5:1: error: 'after-network' cannot stand beside 'network: none' of 100.yaml: nobody looks then whether an "
		"interface comes back; leave one of the two out, or write 'after-network: []' [after-network-none]",
	};
	static const char *const beside_boot[] = {
		"100.yaml:3:1: error: 'after-network' cannot stand beside 'boot', which is done before there is a network; leave it "
		"out; a unit that needs the network has 'After=network-online.target' [boot-alone]",
	};
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: desk\n", shelf);
	assert_int_equal(r.p->n_steps[AFTER_NETWORK], 2);
	assert_string_equal(r.p->steps[AFTER_NETWORK][0].place.file, "desk.yaml");
	/* Of the base's devices, only those that it names are looked for. */
	assert_int_equal(r.p->n_devices, 1);
	assert_string_equal(r.p->devices[0].name, "nic");
	arena_free(r.arena);
	parse_good(&r, HEAD "extends: desk\nafter-network:\n  - service: {restart: a.service}\n", shelf);
	assert_int_equal(r.p->n_steps[AFTER_NETWORK], 1);
	assert_string_equal(r.p->steps[AFTER_NETWORK][0].place.file, "100.yaml");
	assert_int_equal(r.p->n_devices, 0);
	arena_free(r.arena);
	/* What holds in the end is what counts. */
	parse_good(&r, HEAD "extends: desk\nnetwork: none\nafter-network: []\n", shelf);
	arena_free(r.arena);
	parse_good(&r, HEAD "extends: left\nnetwork: restore\n", shelf);
	assert_int_equal(r.p->n_steps[AFTER_NETWORK], 2);
	arena_free(r.arena);
	parse(&r, HEAD "extends: desk\nnetwork: none\n", shelf);
	assert_lines(&r, beside_none, COUNT(beside_none));
	arena_free(r.arena);
	parse(&r, HEAD "extends: boot\nafter-network:\n", shelf);
	assert_lines(&r, beside_boot, COUNT(beside_boot));
	arena_free(r.arena);
}

static void a_base_may_extend_another(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: office\nname: mine\n", desk);
	assert_string_equal(r.p->extends.s, "office");
	assert_string_equal(r.p->name, "mine");
	assert_string_equal(profile_device(r.p, "lpc")->at.s, "00:1f.1");
	assert_null(profile_device(r.p, "lpc")->id.s);
	assert_string_equal(profile_device(r.p, "audio")->id.s, "8086:a348");
	assert_int_equal(r.p->n_steps[PHASE_POST_STOP], 0);
	assert_int_equal(r.p->n_accepts, 2);
	assert_string_equal(profile_files(r.p, r.arena), "100.yaml, which extends office.yaml, which extends desk.yaml");
	arena_free(r.arena);
}

/* A template: its devices are named by those who extend it. */
static void a_base_may_name_devices_that_it_has_not(void **state)
{
	static const struct shelf shelf[] = {
		{ "gaming", HEAD "pre-start:\n  - bind: gpu\npost-stop:\n  - wait: gpu\n" },
		{ 0 },
	};
	static const char *const lines[] = {
		"gaming.yaml:3:11: error: 'gpu' is not an entry of 'devices'; 'devices' has 'card' [unknown-device]",
		"gaming.yaml:5:11: error: 'gpu' is not an entry of 'devices'; 'devices' has 'card' [unknown-device]",
	};
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: gaming\ndevices: {gpu: {id: \"10de:2783\"}}\n", shelf);
	assert_string_equal(r.p->steps[PHASE_PRE_START][0].fields[0].list[0].s, "gpu");
	arena_free(r.arena);
	parse(&r, HEAD "extends: gaming\ndevices: {card: {id: \"10de:2783\"}}\n", shelf);
	assert_lines(&r, lines, COUNT(lines));
	arena_free(r.arena);
}

static void what_is_wrong_in_a_base_is_told_where_it_stands(void **state)
{
	static const struct shelf shelf[] = {
		{ "old", "handover: 2\ndevices: 7\n" }, { "torn", HEAD "devices: {\n" }, { "empty", "" },
		{ "wrong", HEAD "extends: torn\nname: ''\ndevices: {a: {id: x}}\n" },
		{ "replaced", HEAD "pre-start: [{fly: a}]\n" },
		{ 0 },
	};
	static const char *const old[] = { "old.yaml:1:11: error: the profile is of version 2, and only version 1 is known; write "
					   "'handover: 1' and the keys of that version [wrong-version]" };
	static const char *const wrong[] = {
		"100.yaml:3:7: error: 'name' is empty; say what the profile is for, or leave the key out [empty-name]",
		"wrong.yaml:3:7: error: 'name' is empty; say what the profile is for, or leave the key out [empty-name]",
		("wrong.yaml:4:19: error: 'id' cannot be 'x'; write vendor:device or vendor:device:subvendor:subdevice, four hex "
		 "digits each, as 'lspci -nn' shows them [bad-id]"),
	};
	struct result r;

	(void)state;
	parse(&r, HEAD "extends: old\npre-start: [{bind: gpu}]\n", shelf);
	assert_lines(&r, old, COUNT(old));
	arena_free(r.arena);
	/* In the order of the files; the last one's is libyaml's. */
	parse(&r, HEAD "extends: wrong\nname: ''\n", shelf);
	assert_int_equal(r.f.n, 4);
	assert_string_equal(r.f.list[3].code, "yaml-syntax");
	assert_string_equal(r.f.list[3].place.file, "torn.yaml");
	r.f.n = 3;
	assert_lines(&r, wrong, COUNT(wrong));
	arena_free(r.arena);
	parse(&r, HEAD "extends: empty\n", shelf);
	assert_string_equal(assert_only(&r.f, "yaml-empty")->place.file, "empty.yaml");
	arena_free(r.arena);
	/* What is replaced is wrong all the same. */
	parse(&r, HEAD "extends: replaced\npre-start: []\n", shelf);
	assert_string_equal(assert_only(&r.f, "unknown-action")->place.file, "replaced.yaml");
	arena_free(r.arena);
	parse(&r, HEAD "extends: nowhere\n", shelf);
	assert_int_equal(assert_only(&r.f, "base-missing")->place.column, 10);
	arena_free(r.arena);
}

static void boot_and_the_phases_of_a_vm_do_not_meet_in_a_base(void **state)
{
	static const struct shelf shelf[] = {
		{ "boot", HEAD "devices: {a: {hostpci: 0}}\nboot:\n  - cycle: a\n" },
		{ "vm", HEAD "when-busy: refuse\ndevices: {a: {hostpci: 0}}\npre-start:\n  - bind: a\n" },
		{ 0 },
	};
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: boot\n", shelf);
	assert_true(profile_is_host(r.p));
	arena_free(r.arena);
	parse(&r, HEAD "extends: boot\npre-start: []\n", shelf);
	assert_string_equal(assert_only(&r.f, "boot-alone")->place.file, "100.yaml");
	arena_free(r.arena);
	parse(&r, HEAD "extends: vm\nboot: []\n", shelf);
	assert_int_equal(r.f.n, 2);
	assert_string_equal(r.f.list[0].code, "boot-alone");
	assert_string_equal(r.f.list[1].place.file, "vm.yaml");
	arena_free(r.arena);
}

static void circles_are_named(void **state)
{
	static const struct shelf shelf[] = {
		{ "a", HEAD "extends: b\n" }, { "b", HEAD "extends: c\n" }, { "c", HEAD "extends: a\n" }, { "100", HEAD }, { 0 },
	};
	const struct finding *f;
	struct result r;

	(void)state;
	parse(&r, HEAD "extends: a\n", shelf);
	f = assert_only(&r.f, "extends-circle");
	assert_string_equal(f->what, "'extends' goes round: a.yaml -> b.yaml -> c.yaml -> a.yaml");
	assert_string_equal(f->place.file, "c.yaml");
	assert_int_equal(f->place.line, 2);
	arena_free(r.arena);
	parse(&r, HEAD "extends: \"100\"\n", shelf);
	assert_string_equal(assert_only(&r.f, "extends-circle")->what, "'extends' goes round: 100.yaml -> 100.yaml");
	arena_free(r.arena);
}

/* b1 extends b2 ... extends bN. */
static void parse_chain(struct result *r, size_t n)
{
	static struct shelf shelf[PROFILE_BASES_MAX + 3];
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < n; i++)
		shelf[i] = (struct shelf){ arena_fmt(a, "b%zu", i + 1),
					   i + 1 == n ? HEAD "name: the last\n" : arena_fmt(a, HEAD "extends: b%zu\n", i + 2) };
	shelf[n] = (struct shelf){ 0 };
	parse(r, HEAD "extends: b1\n", shelf);
}

static void so_many_bases_and_not_one_more(void **state)
{
	const struct finding *f;
	struct result r;

	(void)state;
	parse_chain(&r, PROFILE_BASES_MAX);
	assert_non_null(r.p);
	assert_string_equal(r.p->name, "the last");
	assert_int_equal(r.p->n_layers, PROFILE_BASES_MAX + 1);
	arena_free(r.arena);
	parse_chain(&r, PROFILE_BASES_MAX + 1);
	f = assert_only(&r.f, profile_code_name(CODE_TOO_MANY_BASES));
	assert_string_equal(f->what, "'b9' is the base number 9, and there are at most 8");
	assert_string_equal(f->place.file, "b8.yaml");
	arena_free(r.arena);
}

/* Together they have no more names of devices than one file may have. */
static void names_of_devices_count_in_all_files(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = HEAD "devices:\n";
	struct shelf shelf[2] = { { 0 } };
	struct result r;

	(void)state;
	for (size_t i = 0; i < PROFILE_DEVICES_MAX; i++)
		text = arena_fmt(a, "%s  d%zu: {hostpci: 0}\n", text, i);
	shelf[0] = (struct shelf){ "base", text };
	parse_good(&r, HEAD "extends: base\ndevices: {d0: {hostpci: 1}, d63: {hostpci: 2}}\n"
			    "hosts: [{node: a, devices: {d5: {hostpci: 1}}}]\n", shelf);
	assert_int_equal(r.p->n_devices, 2);
	arena_free(r.arena);
	parse(&r, HEAD "extends: base\nhosts: [{node: a, devices: {other: {hostpci: 1}}}]\n", shelf);
	assert_string_equal(assert_only(&r.f, "too-many-devices")->place.file, "base.yaml");
	arena_free(r.arena);
}

/* Neither a name that leads elsewhere nor one of nothing is looked for. */
static void only_plain_words_are_looked_for(void **state)
{
	static const char *const words[] = { "../x", "\"..\"", "a/b", "/x", ".x", "x.yaml", "\"\"", "[a]", "{a: b}", "\"a b\"", "1",
					     "~", "\"a\\\\b\"" };

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct result r;

		/* bring() would say base-missing. */
		parse(&r, arena_fmt(a, HEAD "extends: %s\n", words[i]), desk);
		assert_int_equal(r.f.n, 1);
		assert_string_not_equal(r.f.list[0].code, "base-missing");
		arena_free(r.arena);
	}
}

/* --- hosts --------------------------------------------------------------------------------------------------------- */

#define DMI "P: /class/dmi\nL: id=../../devices/virtual/dmi/id\nP: /devices/virtual/dmi/id\n"
#define NODE(name) "handover-host: 1\nsource: made: a host by name\nV: proc/sys/kernel/hostname=" name "\n"

static const struct profile *here(struct result *r, const char *host)
{
	struct host *h = host_from(host);
	const struct profile *p = profile_here(r->p, h, &r->f);

	host_close(h);
	return p;
}

static const char hosts[] = HEAD
	"devices: {gpu: {at: \"01:00.0\"}, nic: {at: \"02:00.0\"}}\n"
	"hosts:\n"
	"  - {node: [pve1, pve2], devices: {gpu: {at: \"11:00.0\"}}}\n"
	"  - {dmi: [\"EliteDesk 800 G4\", Acme Station 7], devices: {gpu: {at: \"12:00.0\"}, nic: {at: \"13:00.0\"}}}\n"
	"  - {machine-id: \"0123456789ABCDEF0123456789abcdef\", devices: {gpu: {at: \"14:00.0\"}}}\n"
	"  - {node: pve1, devices: {gpu: {at: \"15:00.0\"}}}\n"
	"pre-start:\n  - bind: [gpu, nic]\n";

static void the_first_entry_that_fits_counts(void **state)
{
	static const struct { const char *host, *gpu, *nic; } rows[] = {
		{ NODE("pve1"), "11:00.0", "02:00.0" },
		{ NODE("pve2.example.org"), "11:00.0", "02:00.0" },
		{ NODE("pve2") DMI "A: product_name=EliteDesk 800 G4\n", "11:00.0", "02:00.0" },
		{ NODE("pve3") DMI "A: product_name=EliteDesk 800 G4\n", "12:00.0", "13:00.0" },
		{ NODE("pve3") DMI "A: sys_vendor=HP\nA: product_name= EliteDesk 800 G4 \n", "12:00.0", "13:00.0" },
		{ NODE("pve3") DMI "A: sys_vendor=Acme\nA: product_name=Station 7\n", "12:00.0", "13:00.0" },
		{ NODE("pve3") DMI "A: sys_vendor=Acme\nA: product_name=Acme Station 7\n", "12:00.0", "13:00.0" },
		{ NODE("pve3") "V: etc/machine-id=0123456789abcdef0123456789abcdef\n", "14:00.0", "02:00.0" },
		/* Not a part of it, nor in other letters, nor a neighbour. */
		{ NODE("pve3") DMI "A: product_name=EliteDesk 800 G4 Mini\n", "01:00.0", "02:00.0" },
		{ NODE("pve3") DMI "A: product_name=elitedesk 800 g4\n", "01:00.0", "02:00.0" },
		{ NODE("pve3") DMI "A: sys_vendor=Acme\n", "01:00.0", "02:00.0" },
		{ NODE("pve11"), "01:00.0", "02:00.0" },
		{ NODE("PVE1"), "01:00.0", "02:00.0" },
		{ "handover-host: 1\nsource: made: a host without name\n", "01:00.0", "02:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct profile *p;
		struct result r;

		parse_good(&r, hosts, NULL);
		p = here(&r, rows[i].host);
		assert_non_null(p);
		assert_int_equal(p->n_devices, 2);
		assert_string_equal(profile_device(p, "gpu")->at.s, rows[i].gpu);
		assert_string_equal(profile_device(p, "nic")->at.s, rows[i].nic);
		/* The profile itself is what it was. */
		assert_string_equal(profile_device(r.p, "gpu")->at.s, "01:00.0");
		arena_free(r.arena);
	}
}

static void a_profile_without_hosts_is_the_same_everywhere(void **state)
{
	struct result r;

	(void)state;
	parse_good(&r, HEAD "devices: {gpu: {hostpci: 0}}\n", NULL);
	assert_ptr_equal(here(&r, NODE("pve1")), r.p);
	arena_free(r.arena);
}

static void a_host_that_nobody_knows_is_told_who_is_known(void **state)
{
	static const char text[] = HEAD "hosts:\n  - {node: [pve1, pve2], devices: {gpu: {hostpci: 0}}}\n"
		"  - {dmi: EliteDesk 800 G4, devices: {gpu: {hostpci: 1}, nic: {hostpci: 2}}}\n"
		"accept: {console: nic}\npre-start:\n  - bind: gpu\n";
	const struct finding *f;
	struct result r;

	(void)state;
	parse_good(&r, text, NULL);
	assert_int_equal(r.p->n_devices, 0);
	assert_null(here(&r, NODE("pve3") DMI "A: sys_vendor=Acme\nA: product_name=Station 7\n"));
	f = assert_only(&r.f, "host-unknown");
	assert_string_equal(f->what, "this is node 'pve3', dmi 'Acme Station 7', and the profile knows node 'pve1', node 'pve2', dmi "
				     "'EliteDesk 800 G4'; so there is no device 'gpu', which a step names");
	assert_int_equal(f->place.line, 2);
	arena_free(r.arena);
	/* What is only accepted may be missing: there is no such risk here. */
	parse_good(&r, text, NULL);
	assert_non_null(here(&r, NODE("pve1")));
	arena_free(r.arena);
}

static void an_entry_that_lacks_a_device_is_told(void **state)
{
	const struct finding *f;
	struct result r;

	(void)state;
	parse_good(&r, HEAD "hosts:\n  - {node: pve1, devices: {gpu: {hostpci: 0}}}\n"
			    "  - {node: pve2, devices: {gpu: {hostpci: 1}, nic: {hostpci: 2}}}\npre-start:\n  - bind: [gpu, nic]\n", NULL);
	assert_null(here(&r, NODE("pve1")));
	f = assert_only(&r.f, "host-incomplete");
	assert_string_equal(f->what, "this is node 'pve1', and its entry of 'hosts' has no device 'nic', which a step names");
	assert_int_equal(f->place.line, 3);
	r.f.n = r.f.errors = 0;
	assert_non_null(here(&r, NODE("pve2")));
	arena_free(r.arena);
}

/* Each file by itself first, so what is nearer to the VM counts; of the base, only what is needed. */
static void hosts_of_a_base_count_below_what_extends_it(void **state)
{
	static const struct shelf shelf[] = {
		{ "base", HEAD "devices: {a: {hostpci: 1}, b: {hostpci: 1}, c: {hostpci: 1}, unused: {hostpci: 1}}\n"
		  "hosts: [{node: pve1, devices: {a: {hostpci: 2}, b: {hostpci: 2}, d: {hostpci: 2}}}]\n"
		  "pre-start:\n  - bind: [a, b, c]\n" },
		{ 0 },
	};
	const struct profile *p;
	struct result r;

	(void)state;
	parse_good(&r, HEAD "extends: base\ndevices: {a: {hostpci: 3}}\nhosts: [{node: pve2, devices: {b: {hostpci: 4}}}]\n", shelf);
	p = here(&r, NODE("pve1"));
	assert_int_equal(p->n_devices, 3);
	assert_int_equal(profile_device(p, "a")->hostpci, 3);
	assert_int_equal(profile_device(p, "b")->hostpci, 2);
	assert_int_equal(profile_device(p, "c")->hostpci, 1);
	p = here(&r, NODE("pve2"));
	assert_int_equal(profile_device(p, "a")->hostpci, 3);
	assert_int_equal(profile_device(p, "b")->hostpci, 4);
	assert_null(profile_device(p, "unused"));
	arena_free(r.arena);
}

static void a_capture_tells_which_host_it_is(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = host_from(NODE("pve7.example.org") DMI "A: sys_vendor=HP\nA: product_name=EliteDesk\nA: product_serial=X1\n"
				   "P: /devices/pci0000:00/0000:00:02.0\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x030000\n"
				   "V: etc/machine-id=0123456789abcdef0123456789abcdef\n");
	const char *text = host_capture(a, h);
	struct host *again = host_from(text);
	struct identity id = identity_read(again, a);

	(void)state;
	assert_string_equal(id.node, "pve7");
	assert_string_equal(id.product, "EliteDesk");
	assert_string_equal(id.full_product, "HP EliteDesk");
	assert_string_equal(id.machine_id, "0123456789abcdef0123456789abcdef");
	assert_null(strstr(text, "product_serial"));
	host_close(h);
	host_close(again);
}

/* --- files --------------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	static const char *const folders[] = { "usr", "usr/share", "usr/share/handover", "usr/share/handover/profiles" };

	*state = ground_new(folders, COUNT(folders));
	return 0;
}

/* Which base a profile gets. */
static const char *base_of(struct ground *g, const char *path)
{
	uint64_t hash;
	const struct profile *p = ground_load(g, path, &hash);

	if (!p)
		fail_msg("%s", finding_line(&g->f.list[0], g->arena));
	assert_int_equal(p->n_layers, 2);
	return p->layers[1].file;
}

static void bases_are_looked_for_beside_the_profile_first(void **state)
{
	struct ground *g = *state;

	ground_put(g, "etc/handover/profiles/100.yaml", HEAD "extends: desk\n");
	ground_put(g, "etc/pve/handover/101.yaml", HEAD "extends: desk\n");
	ground_put(g, "etc/handover/host.yaml", HEAD "extends: desk\n");
	ground_put(g, "usr/share/handover/profiles/desk.yaml", HEAD);
	assert_string_equal(base_of(g, "/etc/handover/profiles/100.yaml"), "/usr/share/handover/profiles/desk.yaml");
	ground_put(g, "etc/pve/handover/desk.yaml", HEAD);
	assert_string_equal(base_of(g, "/etc/handover/profiles/100.yaml"), "/etc/pve/handover/desk.yaml");
	assert_string_equal(base_of(g, "/etc/pve/handover/101.yaml"), "/etc/pve/handover/desk.yaml");
	/* At boot there is no cluster yet. */
	assert_string_equal(base_of(g, "/etc/handover/host.yaml"), "/usr/share/handover/profiles/desk.yaml");
	ground_put(g, "etc/handover/profiles/desk.yaml", HEAD);
	assert_string_equal(base_of(g, "/etc/handover/profiles/100.yaml"), "/etc/handover/profiles/desk.yaml");
	assert_string_equal(base_of(g, "/etc/pve/handover/101.yaml"), "/etc/pve/handover/desk.yaml");
	assert_string_equal(base_of(g, "/etc/handover/host.yaml"), "/etc/handover/profiles/desk.yaml");
	ground_put(g, "etc/handover/desk.yaml", HEAD);
	assert_string_equal(base_of(g, "/etc/handover/host.yaml"), "/etc/handover/desk.yaml");
}

static void a_base_that_is_nowhere_is_told_with_the_folders(void **state)
{
	struct ground *g = *state;
	const struct finding *f;
	uint64_t hash;

	ground_put(g, "etc/handover/profiles/100.yaml", HEAD "extends: desk\n");
	assert_null(ground_load(g, "/etc/handover/profiles/100.yaml", &hash));
	f = assert_only(&g->f, "base-missing");
	assert_string_equal(f->what, "there is no base 'desk': looked for /etc/handover/profiles/desk.yaml, "
				     "/etc/pve/handover/desk.yaml and /usr/share/handover/profiles/desk.yaml");
	assert_int_equal(f->place.line, 2);
}

/* The first that is there, whatever it is, counts: else somebody could have another one read. */
static void bases_are_trusted_by_the_same_rules(void **state)
{
	static const char *const folders[] = { "etc/handover/profiles", "etc/pve/handover", "usr/share/handover/profiles" };
	struct ground *g = *state;
	uint64_t hash;

	ground_put(g, "etc/handover/profiles/100.yaml", HEAD "extends: desk\n");
	for (size_t i = COUNT(folders); i > 0; i--) {
		const char *name = arena_fmt(g->arena, "%s/desk.yaml", folders[i - 1]);

		ground_put(g, name, HEAD);
		assert_non_null(ground_load(g, "/etc/handover/profiles/100.yaml", &hash));
		assert_int_equal(fchmodat(g->dir, name, 0664, 0), 0);
		assert_null(ground_load(g, "/etc/handover/profiles/100.yaml", &hash));
		assert_string_equal(assert_only(&g->f, "profile-untrusted")->place.file, arena_fmt(g->arena, "/%s", name));
		assert_int_equal(unlinkat(g->dir, name, 0), 0);
		assert_int_equal(symlinkat("100.yaml", g->dir, name), 0);
		assert_null(ground_load(g, "/etc/handover/profiles/100.yaml", &hash));
		assert_only(&g->f, "profile-not-a-file");
	}
}

static void the_hash_covers_the_bases(void **state)
{
	struct ground *g = *state;
	const char *path = "/etc/handover/profiles/100.yaml";
	uint64_t alone, first, again, changed, moved, gone;

	ground_put(g, "etc/handover/profiles/100.yaml", HEAD);
	assert_non_null(ground_load(g, path, &alone));
	assert_true(alone == str_hash(STR_HASH_START, HEAD, strlen(HEAD)));
	ground_put(g, "etc/handover/profiles/100.yaml", HEAD "extends: a\n");
	ground_put(g, "etc/handover/profiles/a.yaml", HEAD "extends: b\n");
	ground_put(g, "etc/handover/profiles/b.yaml", HEAD);
	assert_non_null(ground_load(g, path, &first));
	assert_non_null(ground_load(g, path, &again));
	assert_true(first == again);
	ground_put(g, "etc/handover/profiles/b.yaml", HEAD "name: other\n");
	assert_non_null(ground_load(g, path, &changed));
	assert_true(changed != first);
	/* A line that goes from one file to the next is a change. */
	ground_put(g, "etc/handover/profiles/a.yaml", HEAD "extends: b\n#x\n");
	ground_put(g, "etc/handover/profiles/b.yaml", HEAD);
	assert_non_null(ground_load(g, path, &changed));
	ground_put(g, "etc/handover/profiles/a.yaml", HEAD "extends: b\n");
	ground_put(g, "etc/handover/profiles/b.yaml", "#x\n" HEAD);
	assert_non_null(ground_load(g, path, &moved));
	assert_true(moved != changed);
	assert_int_equal(unlinkat(g->dir, "etc/handover/profiles/b.yaml", 0), 0);
	assert_null(ground_load(g, path, &gone));
	assert_true(gone != first && gone != alone);
}

/* --- the controller that a USB device hangs on ---------------------------------------------------------------------- */

#define CONTROLLER(address) "P: /devices/pci0000:00/" address "\nA: vendor=0x8086\nA: device=0xa36d\nA: class=0x0c0330\n"
#define USB(path, vendor, product) "P: /devices/pci0000:00/" path "\nA: idVendor=" vendor "\nA: idProduct=" product "\n"

static const char usb_host[] =
	"handover-host: 1\nsource: made: controllers, two of them with the same stick\n"
	CONTROLLER("0000:00:14.0") USB("0000:00:14.0/usb1", "1d6b", "0002") USB("0000:00:14.0/usb1/1-2", "046d", "c31c")
	USB("0000:00:14.0/usb1/1-3", "05e3", "0610") USB("0000:00:14.0/usb1/1-3/1-3.1", "0781", "5581")
	USB("0000:00:14.0/usb1/1-3/1-3.2", "0781", "5581")
	CONTROLLER("0000:00:15.0") USB("0000:00:15.0/usb2", "1d6b", "0002") USB("0000:00:15.0/usb2/2-1", "04d9", "0169")
	USB("0000:00:15.0/usb2/2-4", "1234", "0001")
	CONTROLLER("0000:00:15.1") USB("0000:00:15.1/usb3", "1d6b", "0002") USB("0000:00:15.1/usb3/3-1", "1234", "0001")
	CONTROLLER("0000:00:16.0");

struct choice {
	struct arena *arena;
	struct findings f;
	struct selection s;
	bool found;
};

static void choose(struct choice *c, const char *usb_word, const char *at, bool all)
{
	struct device_wish w = { .name = "it", .hostpci = -1, .usb = { .s = usb_word }, .at = { .s = at }, .functions_all = all };
	struct host *h = host_from(usb_host);
	struct inventory inv;
	struct error err;
	struct usb usb;

	*c = (struct choice){ .arena = arena_new() };
	findings_init(&c->f, c->arena);
	assert_int_equal(inventory_read(h, c->arena, &inv, &err), 0);
	assert_int_equal(usb_read(h, c->arena, &usb, &err), 0);
	c->found = select_functions(&w, &inv, NULL, &usb, &c->s, &c->f);
	assert_int_equal(c->found, c->f.n == 0);
	host_close(h);
}

static void a_device_is_the_controller_of_a_usb_device(void **state)
{
	static const struct { const char *usb, *at; bool all; const char *first; size_t n; } rows[] = {
		{ "046d:c31c", NULL, false, "0000:00:14.0", 1 }, { "1-2", NULL, false, "0000:00:14.0", 1 },
		{ "1-3.2", NULL, false, "0000:00:14.0", 1 }, { "05e3:0610", NULL, false, "0000:00:14.0", 1 },
		/* Two of a kind on one controller are one controller. */
		{ "0781:5581", NULL, false, "0000:00:14.0", 1 }, { "3-1", NULL, false, "0000:00:15.1", 1 },
		/* All selectors must hold; the slot of it; those of that slot. */
		{ "1234:0001", "00:15.1", false, "0000:00:15.1", 1 }, { "04d9:0169", NULL, true, "0000:00:15.0", 2 },
		{ "1234:0001", "00:15", false, "0000:00:15.0", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct choice c;

		choose(&c, rows[i].usb, rows[i].at, rows[i].all);
		if (!c.found)
			fail_msg("%s: %s", rows[i].usb, finding_line(&c.f.list[0], c.arena));
		assert_int_equal(c.s.n, rows[i].n);
		assert_string_equal(c.s.list[0]->address, rows[i].first);
		arena_free(c.arena);
	}
}

static void a_usb_device_that_is_not_there_or_twice_is_told(void **state)
{
	struct choice c;

	(void)state;
	choose(&c, "dead:beef", NULL, false);
	assert_string_equal(assert_only(&c.f, "usb-absent")->what, "'it': no USB device 'dead:beef' hangs on any controller; there are "
		"046d:c31c at 1-2 on 0000:00:14.0, 05e3:0610 at 1-3 on 0000:00:14.0, 0781:5581 at 1-3.1 on 0000:00:14.0, "
		"0781:5581 at 1-3.2 on 0000:00:14.0, ...");
	arena_free(c.arena);
	choose(&c, "1234:0001", NULL, false);
	assert_string_equal(assert_only(&c.f, "usb-ambiguous")->what, "'it' is the controller that '1234:0001' hangs on, and there are "
		"several: 1234:0001 at 2-4 on 0000:00:15.0, 1234:0001 at 3-1 on 0000:00:15.1");
	arena_free(c.arena);
	choose(&c, "046d:c31c", "00:15.0", false);
	assert_string_equal(assert_only(&c.f, "device-different")->what,
			    "'it': there is 046d:c31c at 1-2 on 0000:00:14.0, and the other selectors mean another device");
	arena_free(c.arena);
	/* A root hub is its controller, and has no name of its own here. */
	choose(&c, "1d6b:0002", NULL, false);
	assert_only(&c.f, "usb-absent");
	arena_free(c.arena);
}

static void a_plan_looks_at_usb_if_a_device_is_selected_by_it(void **state)
{
	struct planner p = { .vmid = 0 };
	struct host *h = host_from(usb_host);
	struct error err = { 0 };
	struct result r;

	(void)state;
	parse_good(&r, HEAD "devices: {hid: {usb: \"046D:C31C\"}, other: {usb: \"2-1\"}}\npre-start:\n  - check: [hid, other]\n", NULL);
	p.host = h;
	p.profile = r.p;
	if (!prepare_plan(&p, NULL, &r.f, &err))
		fail_msg("%s %s", err.text, r.f.n ? finding_line(&r.f.list[0], r.arena) : "");
	assert_int_equal(p.plan.n, 2);
	assert_string_equal(p.plan.steps[0].device, "0000:00:14.0");
	assert_string_equal(p.plan.steps[1].device, "0000:00:15.0");
	arena_free(r.arena);
	host_close(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_is_the_base_s),
		cmocka_unit_test(whole_keys_devices_and_phases_are_replaced),
		cmocka_unit_test(after_network_is_a_whole_key),
		cmocka_unit_test(a_base_may_extend_another),
		cmocka_unit_test(a_base_may_name_devices_that_it_has_not),
		cmocka_unit_test(what_is_wrong_in_a_base_is_told_where_it_stands),
		cmocka_unit_test(boot_and_the_phases_of_a_vm_do_not_meet_in_a_base),
		cmocka_unit_test(circles_are_named),
		cmocka_unit_test(so_many_bases_and_not_one_more),
		cmocka_unit_test(names_of_devices_count_in_all_files),
		cmocka_unit_test(only_plain_words_are_looked_for),
		cmocka_unit_test(the_first_entry_that_fits_counts),
		cmocka_unit_test(a_profile_without_hosts_is_the_same_everywhere),
		cmocka_unit_test(a_host_that_nobody_knows_is_told_who_is_known),
		cmocka_unit_test(an_entry_that_lacks_a_device_is_told),
		cmocka_unit_test(hosts_of_a_base_count_below_what_extends_it),
		cmocka_unit_test(a_capture_tells_which_host_it_is),
		cmocka_unit_test_setup_teardown(bases_are_looked_for_beside_the_profile_first, set_up, ground_end),
		cmocka_unit_test_setup_teardown(a_base_that_is_nowhere_is_told_with_the_folders, set_up, ground_end),
		cmocka_unit_test_setup_teardown(bases_are_trusted_by_the_same_rules, set_up, ground_end),
		cmocka_unit_test_setup_teardown(the_hash_covers_the_bases, set_up, ground_end),
		cmocka_unit_test(a_device_is_the_controller_of_a_usb_device),
		cmocka_unit_test(a_usb_device_that_is_not_there_or_twice_is_told),
		cmocka_unit_test(a_plan_looks_at_usb_if_a_device_is_selected_by_it),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
