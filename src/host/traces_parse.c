/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of each kind of file says what shall be done with devices. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "host/traces.h"

#define CRON_FIELDS 5
#define WORDS_MAX 64

/* A file whose lines are taken one after the other. */
struct parser {
	struct trace_file *f;
	struct arena *arena;	/* of what is kept */
	struct arena *scratch;	/* of a line, while it is taken */
	struct shell shell;
	size_t n_deeds;
	const char *phase;	/* of a script; NULL: any */
	size_t indent;		/* of the line that began it; SIZE_MAX: an arm of case did */
};

static const char *const phases[] = { "pre-start", "post-start", "pre-stop", "post-stop" };

static struct trace_line *add(struct parser *p, unsigned number)
{
	struct trace_line *l;

	p->f->lines = arena_grow(p->arena, p->f->lines, p->f->n, sizeof(*p->f->lines));
	l = &p->f->lines[p->f->n++];
	*l = (struct trace_line){ .number = number, .when = "" };
	return l;
}

static bool ends_with_backslash(const char *line)
{
	size_t n = strlen(line);

	return n && line[n - 1] == '\\';
}

/* What is cut off elsewhere than at its end may have become one that the next line would go on from. */
static void cut_backslashes(char *line)
{
	while (ends_with_backslash(line))
		line[strlen(line) - 1] = '\0';
}

/* As it can be shown. */
static const char *shown(struct arena *a, const char *text)
{
	char *copy = arena_dup(a, text);

	for (char *c = copy; *c; c++)
		*c = *c == '\t' ? ' ' : *c;
	str_harmless(copy);
	cut_backslashes(copy);
	return copy;
}

static void add_text(struct parser *p, unsigned number, const char *text)
{
	add(p, number)->text = shown(p->arena, text);
}

static const char *copy_or_null(struct arena *a, const char *word)
{
	return word ? arena_dup(a, word) : NULL;
}

/* The deeds of the line that the shell took last. */
static struct trace_line *add_deeds(struct parser *p, unsigned number, const char *when)
{
	struct deed *deeds;
	struct trace_line *l;

	if (p->shell.n > TRACE_DEEDS_MAX - p->n_deeds)
		p->shell.n = TRACE_DEEDS_MAX - p->n_deeds;
	p->n_deeds += p->shell.n;
	if (!p->shell.n)
		return NULL;
	deeds = arena_array(p->arena, p->shell.n, sizeof(*deeds));
	for (size_t i = 0; i < p->shell.n; i++) {
		deeds[i].kind = p->shell.deeds[i].kind;
		deeds[i].device = copy_or_null(p->arena, p->shell.deeds[i].device);
		deeds[i].value = copy_or_null(p->arena, p->shell.deeds[i].value);
	}
	l = add(p, number);
	l->when = arena_dup(p->arena, when);
	l->deeds = deeds;
	l->n = p->shell.n;
	return l;
}

static size_t blanks(const char *line)
{
	return strspn(line, " \t");
}

static size_t words_of(const char *line, struct arena *a, char *words[WORDS_MAX])
{
	return str_words(arena_dup(a, line), words, WORDS_MAX);
}

static bool is_vfio(const char *word)
{
	return strcmp(word, "vfio-pci") == 0 || strcmp(word, "vfio_pci") == 0;
}

/* --- modules ----------------------------------------------------------------------------------------------------- */

static bool has_word(char *const *words, size_t n, bool (*is)(const char *word))
{
	for (size_t i = 0; i < n; i++)
		if (is(words[i]))
			return true;
	return false;
}

static bool is_ids(const char *word)
{
	return str_starts(word, "ids=");
}

/* A command that an "install" line has in place of loading the module. */
static bool does_nothing(const char *command)
{
	const char *name = str_basename(command);

	return strcmp(name, "false") == 0 || strcmp(name, "true") == 0 || strcmp(name, ":") == 0;
}

/* modprobe.d(5). */
static bool is_modprobe_line(char *const *words, size_t n)
{
	if (n < 2)
		return false;
	if (strcmp(words[0], "options") == 0)
		return is_vfio(words[1]) && has_word(words, n, is_ids);
	if (strcmp(words[0], "softdep") == 0)
		return has_word(words, n, is_vfio);
	if (strcmp(words[0], "install") == 0)
		return n == 3 && does_nothing(words[2]);
	return strcmp(words[0], "blacklist") == 0;
}

static void take_modprobe(struct parser *p, unsigned number, const char *line)
{
	char *words[WORDS_MAX];
	size_t n = words_of(line, p->scratch, words);

	if (line[blanks(line)] != '#' && is_modprobe_line(words, n))
		add_text(p, number, line);
}

static void take_module(struct parser *p, unsigned number, const char *line)
{
	char *words[WORDS_MAX];

	if (words_of(line, p->scratch, words) && (is_vfio(words[0]) || strcmp(words[0], "vfio") == 0))
		add_text(p, number, words[0]);
}

/* --- the kernel command line ------------------------------------------------------------------------------------- */

static bool is_cmdline_word(const char *word)
{
	return str_starts(word, "vfio-pci.ids=") || str_starts(word, "vfio_pci.ids=") ||
	       str_starts(word, "pcie_acs_override") || str_starts(word, "modprobe.blacklist=") ||
	       str_starts(word, "modprobe_blacklist=") || str_starts(word, "module_blacklist=");
}

/* /etc/default/grub has it in quotes behind a name. */
static void take_cmdline(struct parser *p, unsigned number, const char *line)
{
	char *words[WORDS_MAX], *copy = arena_dup(p->scratch, line + blanks(line)), *equals;
	const char *kept = NULL;
	size_t n;

	if (strcmp(str_basename(p->f->name), "cmdline") != 0) {
		equals = strchr(copy, '=');
		if (!str_starts(copy, "GRUB_CMDLINE_LINUX") || !equals)
			return;
		*equals = '\0';
		copy = equals + 1;
	}
	for (char *c = copy; *c; c++)
		*c = *c == '"' || *c == '\'' ? ' ' : *c;
	n = str_words(copy, words, WORDS_MAX);
	for (size_t i = 0; i < n; i++)
		if (is_cmdline_word(words[i]))
			kept = kept ? arena_fmt(p->scratch, "%s %s", kept, words[i]) : words[i];
	if (kept)
		add_text(p, number, kept);
}

/* --- driverctl, udev --------------------------------------------------------------------------------------------- */

static void take_driverctl(struct parser *p, unsigned number, const char *line)
{
	char *words[WORDS_MAX];

	if (number == 1 && words_of(line, p->scratch, words) && str_is_word(words[0], DEED_WORD_MAX))
		add_text(p, number, words[0]);
}

/* Keys by which a rule says what it is about, and those that change what we change. */
static bool is_udev_key(const char *key)
{
	static const char *const keys[] = { "ACTION", "SUBSYSTEM", "KERNEL", "KERNELS", "DRIVER", "DRIVERS",
					    "ATTR{vendor}", "ATTRS{vendor}", "ATTR{device}", "ATTRS{device}",
						    "ATTR{class}",
					    "ATTR{driver_override}", "ATTR{sriov_numvfs}",
						    "ATTR{device/sriov_numvfs}" };
	size_t n = strcspn(key, "=!+: ");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i]) == n && strncmp(key, keys[i], n) == 0)
			return true;
	return false;
}

/* The next key with its value of a rule, 'KEY=="VALUE"', which is cut there; NULL: there is none that is whole. */
static char *next_key(char **at)
{
	char *key = *at + strspn(*at, " \t,"), *quote = strchr(key, '"'), *end = quote ? strchr(quote + 1, '"') : NULL;

	if (!end)
		return NULL;
	*at = end + (end[1] ? 2 : 1);
	end[1] = '\0';
	return key;
}

static void take_udev(struct parser *p, unsigned number, const char *line)
{
	char *at = arena_dup(p->scratch, line), *key;
	const char *kept = "", *run = "";
	bool writes = false;

	if (line[blanks(line)] == '#')
		return;
	while ((key = next_key(&at)) != NULL) {
		if (is_udev_key(key)) {
			kept = arena_fmt(p->scratch, "%s%s%s", kept, *kept ? ", " : "", key);
			writes = writes || str_starts(key, "ATTR{driver_override}=\"") || strstr(key,
												 "sriov_numvfs}=\"");
		} else if (str_starts(key, "RUN")) {
			run = arena_fmt(p->scratch, "%s; %.*s", run, (int)strcspn(strchr(key, '"') + 1, "\""),
					strchr(key, '"') + 1);
		}
	}
	if (strlen(kept) > TRACE_RULE_MAX)
		return;
	shell_take(&p->shell, run);
	if (add_deeds(p, number, "") || writes) {
		if (!p->shell.n)
			add(p, number);
		p->f->lines[p->f->n - 1].text = shown(p->arena, kept);
	}
}

/* --- crontabs, units --------------------------------------------------------------------------------------------- */

static bool is_time(const char *word, bool first)
{
	static const char times[] = "0123456789*/,-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ~";

	return word[0] == '@' ? first && word[1 + strspn(word + 1, times)] == '\0' : word[strspn(word, times)] == '\0';
}

/* The tables of the system name a user before the command: crontab(5). */
static bool has_user(const struct trace_file *f)
{
	return !str_starts(f->name, "var/spool/");
}

static void take_cron(struct parser *p, unsigned number, const char *line)
{
	const char *at = line + blanks(line), *when = "";
	size_t fields = *at == '@' ? 1 : CRON_FIELDS;

	if (*at == '#')
		return;
	for (size_t i = 0; i < fields + has_user(p->f); i++) {
		size_t n = strcspn(at, " \t");
		const char *word = arena_dupn(p->scratch, at, n);

		if (i < fields && !is_time(word, i == 0)) {
			/* "PATH=..." */
			shell_take(&p->shell, line);
			return;
		}
		if (i < fields)
			when = arena_fmt(p->scratch, "%s%s%s", when, *when ? " " : "", word);
		at += n;
		at += blanks(at);
	}
	if (strlen(when) > TRACE_WHEN_MAX)
		return;
	shell_take(&p->shell, at);
	add_deeds(p, number, when);
}

static void take_unit(struct parser *p, unsigned number, const char *line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t key = strspn(line, letters);
	const char *equals = line + key + blanks(line + key);

	if (!str_starts(line, "Exec") || key > TRACE_WHEN_MAX || *equals != '=')
		return;
	shell_take(&p->shell, equals + 1 + strspn(equals + 1, "-@:+!| \t"));
	add_deeds(p, number, arena_dupn(p->scratch, line, key));
}

/* --- scripts ----------------------------------------------------------------------------------------------------- */

static const char *phase_in(const char *line)
{
	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++)
		if (strstr(line, phases[i]))
			return phases[i];
	return NULL;
}

/* "pre-stop)", in quotes or not, and perhaps with others, of which the first counts. */
static const char *arm_of(const char *line, struct arena *a)
{
	size_t n = strspn(line, "'\"(abcdefghijklmnopqrstuvwxyz-| ");

	return line[n] == ')' ? phase_in(arena_dupn(a, line, n)) : NULL;
}

static bool begins_with_word(const char *line, const char *const *words)
{
	size_t n = strcspn(line, " \t;({");

	for (; *words; words++)
		if (strlen(*words) == n && strncmp(line, *words, n) == 0)
			return true;
	return false;
}

/* "if [ "$2" = pre-stop ]; then", "} elsif ($phase eq 'pre-stop') {" */
static const char *condition_of(const char *line)
{
	static const char *const words[] = { "if", "elif", "elsif", "[", "[[", "}", "else", NULL };

	return begins_with_word(line, words) && !str_starts(line, "else ") ? phase_in(line) : NULL;
}

static void begin_phase(struct parser *p, const char *line)
{
	static const char *const ends[] = { "fi", "else", "elif", "elsif", "}", "esac", NULL };
	const char *text = line + blanks(line), *arm = arm_of(text, p->scratch), *condition = condition_of(text);

	if (p->phase && p->indent != SIZE_MAX && blanks(line) <= p->indent && begins_with_word(text, ends))
		p->phase = NULL;
	if (arm) {
		p->phase = arm;
		p->indent = SIZE_MAX;
	} else if (condition) {
		p->phase = condition;
		p->indent = blanks(line);
	}
}

static void end_phase(struct parser *p, const char *line)
{
	static const char *const esac[] = { "esac", NULL };

	if (p->indent == SIZE_MAX && (strstr(line, ";;") || begins_with_word(line + blanks(line), esac)))
		p->phase = NULL;
}

static void take_script(struct parser *p, unsigned number, const char *line)
{
	const char *text = line + blanks(line);

	if (*text == '#')
		return;
	begin_phase(p, line);
	shell_take(&p->shell, arm_of(text, p->scratch) ? strchr(text, ')') + 1 : text);
	add_deeds(p, number, p->phase ? p->phase : "");
	end_phase(p, line);
}

/* --- all --------------------------------------------------------------------------------------------------------- */

static void take(struct parser *p, unsigned number, const char *line)
{
	switch (p->f->kind) {
	case TRACE_MODPROBE:
		take_modprobe(p, number, line);
		break;
	case TRACE_MODULES:
		take_module(p, number, line);
		break;
	case TRACE_CMDLINE:
		take_cmdline(p, number, line);
		break;
	case TRACE_DRIVERCTL:
		take_driverctl(p, number, line);
		break;
	case TRACE_UDEV:
		take_udev(p, number, line);
		break;
	case TRACE_CRON:
		take_cron(p, number, line);
		break;
	case TRACE_UNIT:
		take_unit(p, number, line);
		break;
	case TRACE_SCRIPT:
		take_script(p, number, line);
		break;
	}
}

/* A line and those that go on from it, as one. *number becomes that of the last. */
static char *join_lines(char *line, char **at, unsigned *number)
{
	while (ends_with_backslash(line)) {
		line[strlen(line) - 1] = ' ';
		if (!*at)
			break;
		/* strsep() has put a NUL where the newline was. */
		line[strlen(line)] = ' ';
		strsep(at, "\n");
		(*number)++;
	}
	return line;
}

void trace_parse(struct trace_file *f, char *text, struct arena *a)
{
	/* The shell's variables end with the file: up to TRACE_READS_MAX files are read. */
	_cleanup_arena_ struct arena *own = arena_new();
	struct parser p = { .f = f, .arena = a, .shell = { .arena = own } };
	unsigned number = 0;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL && number < TRACE_LINES_MAX) {
		unsigned first = ++number;

		line = join_lines(line, &text, &number);
		line[strcspn(line, "\r")] = '\0';
		cut_backslashes(line);
		if (strlen(line) > TRACE_LINE_MAX)
			continue;
		p.scratch = arena_new();
		take(&p, first, line);
		arena_free(p.scratch);
	}
}

static const char *deeds_written(const struct trace_line *l, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < l->n; i++)
		text = arena_fmt(a, "%s%s%s", text, i ? " && " : "", deed_line(&l->deeds[i], a));
	return text;
}

const char *trace_written(const struct trace_file *f, const struct trace_line *l, struct arena *a)
{
	const char *deeds = deeds_written(l, a);

	switch (f->kind) {
	case TRACE_CMDLINE:
		if (strcmp(str_basename(f->name), "cmdline") == 0)
			break;
		return arena_fmt(a, "GRUB_CMDLINE_LINUX=\"%s\"", l->text);
	case TRACE_UDEV:
		if (!l->n)
			break;
		return arena_fmt(a, "%s%sRUN+=\"%s\"", l->text, *l->text ? ", " : "", deeds);
	case TRACE_CRON:
		return arena_fmt(a, "%s %s%s", l->when, has_user(f) ? "root " : "", deeds);
	case TRACE_UNIT:
		return arena_fmt(a, "%s=%s", l->when, deeds);
	case TRACE_SCRIPT:
		return *l->when ? arena_fmt(a, "%s) %s ;;", l->when, deeds) : deeds;
	case TRACE_MODPROBE:
	case TRACE_MODULES:
	case TRACE_DRIVERCTL:
		break;
	}
	return l->text;
}
