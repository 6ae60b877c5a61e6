/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ini.h>
#include <string.h>

#include "base/str.h"
#include "core/policy.h"
#include "core/policy_lines.h"
#include "core/profile.h"
#include "core/step.h"
#include "core/yaml.h"
#include "core/yaml_text.h"

_Static_assert(POLICY_LINE_MAX + 3 <= INI_MAX_LINE, "ini.h: the line, CR, LF and NUL");

/* --- words ------------------------------------------------------------------------------------------------------- */

#define MODULE_NAME_MAX 55	/* include/linux/module.h, MODULE_NAME_LEN */
#define KERNEL_NAME_MAX 31	/* of a disk (DISK_NAME_LEN, include/linux/blkdev.h) or another thing of /sys/class */

enum {
	WORD_PLACE = 1,
	WORD_ID = 2,
	WORD_INTERFACE = 4,
	WORD_PORT = 8,
	WORD_NAME = 16,
	WORD_PATH = 32,
	WORD_UNIT = 64,
	WORD_USB_ID = 128,
	WORD_MODULE = 256,
};
#define WORD_DEVICE (WORD_PLACE | WORD_ID)

static bool is_name(const char *s)
{
	return str_is_word(s, KERNEL_NAME_MAX);
}

static bool is_module(const char *s)
{
	return str_is_word(s, MODULE_NAME_MAX);
}

/* What a profile can name: another path would stand there for nothing. */
static bool is_path(const char *s)
{
	return str_is_path(s, PROFILE_COMMAND_MAX);
}

static const struct word_kind {
	unsigned kind;
	bool (*is)(const char *s);
	bool hex;		/* upper and lower case are the same */
	const char *name;
} word_kinds[] = {
	{ WORD_PLACE, str_is_pci_place, true, "an address such as 02:00.0" },
	{ WORD_ID, str_is_pci_id, true, "an id such as 10de:2783" },
	{ WORD_INTERFACE, str_is_interface, false, "a network interface such as eno1" },
	{ WORD_USB_ID, str_is_usb_id, true, "an id such as 046d:c31c" },
	{ WORD_PORT, str_is_usb_port, false, "a USB port such as 1-2.1" },
	{ WORD_NAME, is_name, false, "a name of the kernel's such as sda or ttyS0" },
	{ WORD_PATH, is_path, false, "a full path such as /usr/bin/true" },
	{ WORD_UNIT, str_is_unit, false, "a unit such as ssh.service" },
	{ WORD_MODULE, is_module, false, "a kernel module such as 8021q" },
};
#define WORD_KINDS (sizeof(word_kinds) / sizeof(*word_kinds))

/*
 * The word as the policy keeps it, or NULL: it is none of these. An interface may be called "#" and "first"; whoever
 * writes so means a comment.
 */
static const char *word_of(struct arena *a, const char *s, unsigned kinds)
{
	for (size_t i = 0; i < WORD_KINDS && *s != '#'; i++) {
		const char *word = word_kinds[i].hex ? arena_lower(a, s) : s;

		if ((kinds & word_kinds[i].kind) && word_kinds[i].is(word))
			return word;
	}
	return NULL;
}

/* "an address such as ..., or an id such as ..." */
static const char *kinds_text(struct arena *a, unsigned kinds)
{
	const char *text = "";

	for (size_t i = 0; i < WORD_KINDS; i++)
		if (kinds & word_kinds[i].kind)
			text = arena_fmt(a, "%s%s%s", text, *text ? ", or " : "", word_kinds[i].name);
	return text;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

enum kind {
	KIND_CHOICE,	/* one of two words, of which the second is true */
	KIND_WORDS,
	KIND_CONSENT,	/* words too: the devices a profile may accept the risk for that the key is called by */
	KIND_TIME,
};

static const char *const yes[] = { "no", "yes", NULL };
static const char *const required[] = { "optional", "required", NULL };

static const char *const sections[] = { "protect", "allow", "timeouts", "profiles", NULL };
#define SECTIONS (sizeof(sections) / sizeof(*sections) - 1)

static const struct key {
	const char *section, *name;
	enum kind kind;
	size_t at;		/* where in struct policy; KIND_CONSENT: allows */
	const char *const *choices;
	unsigned words, most_ms;
} keys[] = {
	{ "", "guard", KIND_CHOICE, offsetof(struct policy, guard), .choices = yes },
	{ "", "untrusted-guests", KIND_CHOICE, offsetof(struct policy, untrusted_guests), .choices = yes },
	{ "protect", "auto", KIND_CHOICE, offsetof(struct policy, automatic), .choices = yes },
	{ "protect", "devices", KIND_WORDS, offsetof(struct policy, devices), .words = WORD_DEVICE },
	{ "protect", "nics", KIND_WORDS, offsetof(struct policy, nics), .words = WORD_INTERFACE },
	{ "protect", "usb", KIND_WORDS, offsetof(struct policy, usb), .words = WORD_USB_ID | WORD_PORT },
	{ "allow", "console", KIND_CONSENT, 0, .words = WORD_DEVICE | WORD_NAME },
	{ "allow", "last-keyboard", KIND_CONSENT, 0, .words = WORD_DEVICE | WORD_PORT },
	{ "allow", "management-nic", KIND_CONSENT, 0, .words = WORD_DEVICE | WORD_INTERFACE },
	{ "allow", "storage-member", KIND_CONSENT, 0, .words = WORD_DEVICE | WORD_NAME },
	{ "allow", "modules", KIND_WORDS, offsetof(struct policy, modules), .words = WORD_MODULE },
	{ "allow", "run", KIND_WORDS, offsetof(struct policy, run), .words = WORD_PATH },
	{ "allow", "services", KIND_WORDS, offsetof(struct policy, services), .words = WORD_UNIT },
	{ "timeouts", "phase", KIND_TIME, offsetof(struct policy, phase_ms), .most_ms = POLICY_PHASE_MAX_MS },
	{ "timeouts", "lock", KIND_TIME, offsetof(struct policy, lock_ms), .most_ms = POLICY_LOCK_MAX_MS },
	{ "timeouts", "post-stop", KIND_TIME, offsetof(struct policy, post_stop_ms), .most_ms = POLICY_POST_STOP_MAX_MS },
	{ "profiles", "profile", KIND_CHOICE, offsetof(struct policy, profile_required), .choices = required },
};
#define KEYS (sizeof(keys) / sizeof(*keys))

bool policy_needs_consent(const char *code)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].kind == KIND_CONSENT && strcmp(keys[i].name, code) == 0)
			return true;
	return false;
}

struct policy policy_default(void)
{
	return (struct policy){
		.automatic = true, .guard = true, .phase_ms = PHASE_MS, .lock_ms = LOCK_MS, .post_stop_ms = POLICY_POST_STOP_MS,
	};
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* inih asks for a line and calls back with what is in it before it asks for the next, so this one is the place. */
struct reading {
	const char *next, *end;	/* of the text */
	const char *line;
	struct place place;
	bool lost;		/* in a section that is unknown */
	bool short_lines;	/* libinih was built for shorter lines than its header says */
	unsigned section_line[SECTIONS], key_line[KEYS];	/* 0: not seen yet */
	struct policy *policy;
	struct findings *f;
	struct arena *a;
};

/* Characters count, not bytes. s points into the line. */
static struct place place_of(const struct reading *r, const char *s)
{
	struct place place = r->place;

	for (const char *c = r->line; c < s; c++)
		place.column += ((unsigned char)*c & 0xc0) != 0x80;
	return place;
}

static void bad_value(const struct reading *r, const struct key *k, const char *value, const char *text,
		      const char *remedy)
{
	if (*text == '#')
		remedy = "put the comment on a line of its own";
	finding_add(r->f, SEVERITY_ERROR, "policy-value", place_of(r, value), remedy, "'%s' cannot be %s", k->name,
		    yaml_quote(r->a, text));
}

static bool has_value(const struct reading *r, const struct key *k, const char *value)
{
	if (value[strspn(value, " \t,")])
		return true;
	finding_add(r->f, SEVERITY_ERROR, "policy-value", r->place, "write one, or leave the line out",
		    "'%s' has no value", k->name);
	return false;
}

static void choice_read(const struct reading *r, const struct key *k, const char *value, const char *text, bool *to)
{
	const char *nearest = str_nearest(text, k->choices);

	*to = strcmp(text, k->choices[1]) == 0;
	if (!*to && strcmp(text, k->choices[0]) != 0)
		bad_value(r, k, value, text,
			  nearest ? arena_fmt(r->a, "did you mean '%s'", nearest) :
				    arena_fmt(r->a, "write '%s' or '%s'", k->choices[1], k->choices[0]));
}

static void time_read(const struct reading *r, const struct key *k, const char *value, const char *text, unsigned *to)
{
	if (!str_duration(text, k->most_ms, to) || *to < POLICY_TIME_MIN_MS)
		bad_value(r, k, value, text,
			  arena_fmt(r->a, "write a time from %ds to %us, such as 10s", POLICY_TIME_MIN_MS / 1000,
				    k->most_ms / 1000));
}

/* text is a copy of what stands at value. */
static void words_read(const struct reading *r, const struct key *k, const char *value, char *text, struct names *to)
{
	char *rest = text, *s;

	to->list = arena_array(r->a, POLICY_NAMES_MAX, sizeof(*to->list));
	while ((s = strsep(&rest, " \t,")) != NULL) {
		const char *word = word_of(r->a, s, k->words);

		if (!*s)
			continue;
		if (to->n == POLICY_NAMES_MAX) {
			finding_add(r->f, SEVERITY_ERROR, "policy-value", place_of(r, value + (s - text)),
				    "name fewer, by id perhaps", "'%s' has more than %d words", k->name,
				    POLICY_NAMES_MAX);
			return;
		}
		if (!word)
			bad_value(r, k, value + (s - text), s, arena_fmt(r->a, "write %s", kinds_text(r->a, k->words)));
		to->list[to->n++] = word;
	}
}

static void consent_read(const struct reading *r, const struct key *k, const char *value, char *text)
{
	struct policy *p = r->policy;

	p->allows = arena_grow(r->a, p->allows, p->n_allows, sizeof(*p->allows));
	p->allows[p->n_allows].code = k->name;
	words_read(r, k, value, text, &p->allows[p->n_allows++].names);
}

static void value_read(const struct reading *r, const struct key *k, const char *text)
{
	void *to = (char *)r->policy + k->at;
	const char *value = strchr(r->line, '=') + 1;

	value += strspn(value, " \t");
	if (!has_value(r, k, text))
		return;
	switch (k->kind) {
	case KIND_CHOICE:
		choice_read(r, k, value, text, to);
		break;
	case KIND_WORDS:
		words_read(r, k, value, arena_dup(r->a, text), to);
		break;
	case KIND_CONSENT:
		consent_read(r, k, value, arena_dup(r->a, text));
		break;
	case KIND_TIME:
		time_read(r, k, value, text, to);
		break;
	}
}

static void unknown_key(const struct reading *r, const char *section, const char *name)
{
	const char *names[KEYS + 1] = { NULL }, *nearest, *remedy = "handover.conf(5) has the keys";
	size_t n = 0;

	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, section) == 0)
			names[n++] = keys[i].name;
		else if (strcmp(keys[i].name, name) == 0)
			remedy = *keys[i].section ? arena_fmt(r->a, "it belongs under [%s]", keys[i].section) :
						    "it belongs before the first section";
	}
	nearest = str_nearest(name, names);
	finding_add(r->f, SEVERITY_ERROR, "policy-unknown", r->place,
		    nearest ? arena_fmt(r->a, "did you mean '%s'", nearest) : remedy, "'%s' is not known %s%s%s", name,
		    *section ? "under [" : "before the first section", section, *section ? "]" : "");
}

static int take_key(void *user, const char *section, const char *name, const char *text)
{
	struct reading *r = user;

	if (r->lost)
		return 1;
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, section) != 0 || strcmp(keys[i].name, name) != 0)
			continue;
		if (r->key_line[i])
			finding_add(r->f, SEVERITY_ERROR, "policy-twice", r->place,
				    "keep one of the two, with all that both say",
				    "'%s' stood in line %u already", name, r->key_line[i]);
		else
			value_read(r, &keys[i], text);
		r->key_line[i] = r->place.line;
		return 1;
	}
	unknown_key(r, section, name);
	return 1;
}

/* inih itself does not tell of a section before there is a key in it. */
static void enter_section(struct reading *r)
{
	const char *name = arena_dupn(r->a, r->line + 1, strcspn(r->line + 1, "]")), *nearest;

	r->lost = false;
	for (size_t i = 0; i < SECTIONS; i++) {
		if (strcmp(sections[i], name) != 0)
			continue;
		if (r->section_line[i])
			finding_add(r->f, SEVERITY_ERROR, "policy-twice", r->place, "put its keys there",
				    "[%s] stood in line %u already", name, r->section_line[i]);
		r->section_line[i] = r->place.line;
		return;
	}
	r->lost = true;
	nearest = str_nearest(name, sections);
	finding_add(r->f, SEVERITY_ERROR, "policy-unknown", r->place,
		    nearest ? arena_fmt(r->a, "did you mean '%s'", nearest) : "handover.conf(5) has the sections",
		    "there is no section %s", yaml_quote(r->a, name));
}

static char *give_line(char *buf, int size, void *stream)
{
	struct reading *r = stream;
	const char *newline;
	size_t n;

	if (r->next == r->end)
		return NULL;
	newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
	n = (size_t)((newline ? newline : r->end) - r->next);
	r->place.line++;
	r->short_lines = n >= (size_t)size;
	if (r->short_lines)
		return NULL;
	r->line = arena_dupn(r->a, r->next, n);
	memcpy(buf, r->line, n + 1);
	r->next += n + (newline != NULL);
	if (*buf == '[')
		enter_section(r);
	return buf;
}

const struct policy *policy_parse(const char *text, size_t n, const char *file, struct findings *f)
{
	struct policy *p = arena_alloc(f->arena, sizeof(*p));
	size_t before = f->errors, mark = text_mark(text, n);
	struct reading r = {
		.next = text + mark, .end = text + n, .place = { file, 0, 1 }, .policy = p, .f = f, .a = f->arena,
	};

	if (n > POLICY_BYTES_MAX) {
		finding_add(f, SEVERITY_ERROR, "policy-too-large", (struct place){ .file = file },
			    "is this the right file?", "a policy has at most %d KiB, and this one has more", POLICY_BYTES_MAX / 1024);
		return NULL;
	}
	if (!text_check(text + mark, n - mark, file, f) || !policy_lines_check(text + mark, n - mark, file, f))
		return NULL;
	*p = policy_default();
	p->file = file;
	/* What is left for inih to complain of was refused above. If it does: this is not the inih that we know. */
	if (ini_parse_stream(give_line, &r, take_key, &r) != 0 || r.short_lines)
		finding_add(f, SEVERITY_ERROR, "policy-syntax", r.place, "is this Debian's libinih?",
			    "libinih does not read this line");
	return f->errors == before ? p : NULL;
}
