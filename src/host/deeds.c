/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "host/deeds.h"
#include "host/deeds_words.h"

/* A command of a line: what stands between separators. */
struct command {
	char *words[SHELL_WORDS_MAX];
	size_t n;
	char *target;	/* where its output goes; NULL: nowhere that is written */
};

/* A line that is taken apart. */
struct lexer {
	const char *at;
	char *to;			/* words are put together here, on zeros */
	const char *word;		/* the one that is, while in_word */
	struct command now, before;	/* before: whose output comes in */
	bool is_target;			/* the next word is one */
	bool in_word;
};

static bool is_separator(char c)
{
	return strchr(";|&(){}`", c);
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* --- deeds ------------------------------------------------------------------------------------------------------- */

/*
 * An option, which may be what a variable has, is not what a command writes; and "device" is the link to a function, and
 * no name of one.
 */
static const char *plain_or_null(const char *word)
{
	return word && *word != '-' && strcmp(word, "device") != 0 && word_is_plain(word) ? word : NULL;
}

static const char *copy_or_null(struct arena *a, const char *word)
{
	return word ? arena_dup(a, word) : NULL;
}

/* What is kept is copied: its words may be of the line, or of the command alone. */
static void add(struct shell *s, enum deed_kind kind, const char *device, const char *value)
{
	if (s->n < SHELL_DEEDS_MAX)
		s->deeds[s->n++] = (struct deed){ kind, copy_or_null(s->arena, device), copy_or_null(s->arena, value) };
}

/* Once for each word that the variables of device stand for. */
static void add_each(struct shell *s, enum deed_kind kind, const char *device, const char *value)
{
	size_t n = device ? word_alternatives(s, device) : 1;

	value = value ? plain_or_null(word_expand(s, value, 0)) : NULL;
	for (size_t i = 0; i < n && s->n < SHELL_DEEDS_MAX; i++)
		add(s, kind, device ? plain_or_null(word_expand(s, device, i)) : NULL, value);
}

/* What a command writes: the words behind echo or printf. */
static const char *written(const struct command *c, size_t number)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *name = str_basename(c->words[i]);

		if (strcmp(name, "echo") != 0 && strcmp(name, "printf") != 0)
			continue;
		while (i + 1 < c->n && (c->words[i + 1][0] == '-' || c->words[i + 1][0] == '%'))
			i++;
		return i + 1 + number < c->n ? c->words[i + 1 + number] : NULL;
	}
	return NULL;
}

/* "10de 2783" or "10de:2783" as new_id takes it. */
static void add_id(struct shell *s, const char *first, const char *second, const char *driver)
{
	const char *id = first ? word_expand(s, first, 0) : NULL, *device = second ? word_expand(s, second, 0) : NULL;

	if (id && device && strchr(id, ':') == NULL)
		id = arena_fmt(s->scratch, "%s:%s", id, device);
	id = id ? arena_lower(s->scratch, id) : NULL;
	add(s, DEED_NEW_ID, id && str_is_pci_id(id) ? id : NULL, driver && word_is_plain(driver) ? driver : NULL);
}

/* The part of a path so many above its last; "" if there is none. */
static char *part_above(struct arena *a, const char *path, unsigned above)
{
	char *copy = arena_dup(a, path), *slash;

	for (;; above--) {
		slash = strrchr(copy, '/');
		if (!slash)
			return above ? arena_dup(a, "") : copy;
		if (above == 0)
			return slash + 1;
		*slash = '\0';
	}
}

static bool is_driver_folder(const char *path)
{
	return str_starts(path, "/sys/bus/pci/drivers/") || strstr(path, "/drivers/pci:");
}

/* unbind, bind, new_id in the folder of a driver: what is written names the device. */
static void add_to_driver(struct shell *s, const char *path, const char *file, const struct command *from)
{
	const char *driver = word_expand(s, part_above(s->scratch, path, 1), 0), *device = written(from, 0);

	while (driver && str_starts(driver, "pci:"))
		driver += strlen("pci:");
	if (strcmp(file, "unbind") == 0)
		add_each(s, DEED_UNBIND, device, NULL);
	else if (strcmp(file, "bind") == 0)
		add_each(s, DEED_BIND, device, driver);
	else if (strcmp(file, "new_id") == 0)
		add_id(s, device, written(from, 1), driver);
}

static bool is_of_function(const char *path)
{
	return str_starts(path, "/sys/bus/pci/devices/") || str_starts(path, "/sys/devices/pci") ||
	       (str_starts(path, "/sys/class/net/") && strstr(path, "/device/")) || str_starts(path, "/sys/class/drm/");
}

/* The function, or the interface, in whose folder a file is. */
static const char *owner_of(struct shell *s, const char *path, unsigned above)
{
	const char *part = part_above(s->scratch, path, above);

	return strcmp(part, "device") == 0 ? part_above(s->scratch, path, above + 1) : part;
}

static void add_to_function(struct shell *s, const char *path, const char *file, const struct command *from)
{
	if (strcmp(file, "unbind") == 0) {
		add_each(s, DEED_UNBIND, owner_of(s, path, 2), NULL);
		return;
	}
	if (strcmp(file, "remove") == 0)
		add_each(s, DEED_REMOVE, owner_of(s, path, 1), NULL);
	else if (strcmp(file, "driver_override") == 0)
		add_each(s, DEED_OVERRIDE, owner_of(s, path, 1), written(from, 0));
	else if (strcmp(file, "reset") == 0)
		add_each(s, DEED_RESET, owner_of(s, path, 1), NULL);
	else if (strcmp(file, "sriov_numvfs") == 0)
		add_each(s, DEED_VFS, owner_of(s, path, 1), written(from, 0));
}

/* A file that a command writes to. */
static void take_target(struct shell *s, const char *path, const struct command *from)
{
	const char *whole = word_expand(s, path, 0), *file = str_basename(path);

	/* As udev names a device's folder. */
	if (str_starts(path, "/sys$") || str_starts(path, "/sys%p"))
		path = arena_fmt(s->scratch, "/sys/bus/pci/devices/$kernel/%s", file);
	/* "$SYSFS/devices/..." */
	if (whole && *path == '$' && str_starts(whole, "/sys/") && word_alternatives(s, path) == 1)
		path = whole;
	if (!str_starts(path, "/sys/"))
		return;
	if (strcmp(file, "rescan") == 0 && strstr(path, "pci"))
		add(s, DEED_RESCAN, NULL, NULL);
	else if (strcmp(path, "/sys/bus/pci/drivers_probe") == 0)
		add_each(s, DEED_BIND, written(from, 0), NULL);
	else if (is_driver_folder(path))
		add_to_driver(s, path, file, from);
	else if (is_of_function(path))
		add_to_function(s, path, file, from);
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

static void take_tee(struct shell *s, const struct command *c, size_t first, const struct command *before)
{
	for (size_t i = first; i < c->n; i++)
		if (c->words[i][0] != '-')
			take_target(s, c->words[i], before);
}

static void take_driverctl(struct shell *s, const struct command *c, size_t first)
{
	size_t i = first;

	while (i < c->n && c->words[i][0] == '-')
		i++;
	if (i + 2 < c->n && strcmp(c->words[i], "set-override") == 0)
		add_each(s, DEED_DRIVERCTL, c->words[i + 1], c->words[i + 2]);
	else if (i + 1 < c->n && strcmp(c->words[i], "unset-override") == 0)
		add_each(s, DEED_DRIVERCTL, c->words[i + 1], NULL);
}

/* "modprobe -r MODULE", and "modprobe vfio-pci ids=10de:2783,...". */
static void take_modprobe(struct shell *s, const struct command *c, size_t first)
{
	bool out = false;

	for (size_t i = first; i < c->n; i++) {
		const char *word = c->words[i];

		if (word[0] == '-')
			out = out || strcmp(word, "-r") == 0 || strcmp(word, "--remove") == 0 || strcmp(word,
													"-rf") == 0;
		else if (out)
			add_each(s, DEED_UNLOAD, NULL, word);
		else if (str_starts(word, "ids="))
			add_id(s, word + strlen("ids="), NULL, "vfio-pci");
		else if (str_is_pci_id(word))
			add_id(s, word, NULL, "vfio-pci");
	}
}

static void take_rmmod(struct shell *s, const struct command *c, size_t first)
{
	for (size_t i = first; i < c->n; i++)
		if (c->words[i][0] != '-')
			add_each(s, DEED_UNLOAD, NULL, c->words[i]);
}

static bool is_networking(const char *word)
{
	const char *name = str_basename(word);

	return strcmp(name, "networking") == 0 || strcmp(name, "networking.service") == 0;
}

/*
 * ifdown(8) of ifupdown2 deletes bridges without regard to the guests' interfaces in them, and so does whatever stops
 * networking.service; "reload" does not (ifreload -a).
 */
static void take_systemctl(struct shell *s, const struct command *c, size_t first)
{
	static const char *const verbs[] = { "restart", "stop", "try-restart", NULL };
	const char *verb = NULL;

	for (size_t i = first; i < c->n; i++) {
		if (is_one_of(c->words[i], verbs))
			verb = c->words[i];
		else if (verb && is_networking(c->words[i]))
			add(s, DEED_NETWORK, NULL, arena_fmt(s->scratch, "systemctl %s networking", verb));
	}
}

static void take_service(struct shell *s, const struct command *c, size_t first)
{
	if (first + 1 < c->n && is_networking(c->words[first]) &&
	    (strcmp(c->words[first + 1], "restart") == 0 || strcmp(c->words[first + 1], "stop") == 0))
		add(s, DEED_NETWORK, NULL, arena_fmt(s->scratch, "systemctl %s networking", c->words[first + 1]));
}

static void take_ifdown(struct shell *s, const struct command *c, size_t first)
{
	for (size_t i = first; i < c->n; i++)
		if (word_is_plain(c->words[i]) && (c->words[i][0] != '-' || strcmp(c->words[i], "-a") == 0))
			add(s, DEED_NETWORK, NULL, arena_fmt(s->scratch, "ifdown %s", c->words[i]));
}

#define NETWORKING "/etc/init.d/networking"

/* Where people have scripts, and not what a distribution brings. */
static bool is_script(const char *path)
{
	static const char *const folders[] = { "/root/", "/usr/local/", "/opt/", "/etc/", "/home/", "/srv/",
					       "/var/lib/vz/", NULL };
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+@:-";

	/* Nothing that a shell would take apart when it is written again. */
	if (!str_is_path(path, DEED_PATH_MAX) || path[strspn(path, plain)] != '\0')
		return false;
	for (const char *const *folder = folders; *folder; folder++)
		if (str_starts(path, *folder))
			return true;
	return false;
}

static bool names_a_command(const char *path);

/* One by the name of a command that is known here would be that, when it is written again. */
static void take_script(struct shell *s, const char *word)
{
	const char *path = word_expand(s, word, 0);

	if (path && is_script(path) && !names_a_command(path))
		add(s, DEED_RUNS, NULL, path);
}

static void take_interpreter(struct shell *s, const struct command *c, size_t first)
{
	while (first < c->n && c->words[first][0] == '-')
		first++;
	if (first < c->n)
		take_script(s, c->words[first]);
}

/* Words that stand before a command. */
static const char *const prefixes[] = { "sudo", "exec", "time", "nice", "nohup", "if", "elif", "then", "else", "do",
					"while", "until", "!", "-", "sh", "bash", "-c", "/bin/sh", "/bin/bash",
					"/usr/bin/bash", "/usr/bin/sh", "-e", "-x", "-lc", "env", "/usr/bin/env",
						"system",
					"pre-up", "up", "post-up", "pre-down", "down", "post-down", NULL };

static bool is_assignment(const char *word)
{
	size_t n = 0;

	while (isalnum((unsigned char)word[n]) || word[n] == '_')
		n++;
	return n && !isdigit((unsigned char)word[0]) && word[n] == '=';
}

/*
 * "for NAME in WORDS". Of a value nobody looks at more than SHELL_WORDS_MAX words, so no more are looked for, let alone
 * put together: each word may stand for as many again.
 */
static void take_list(struct shell *s, const struct command *c, size_t first)
{
	char value[SHELL_VALUE_MAX + 1] = "";
	size_t used = 0, left = SHELL_WORDS_MAX;

	if (first + 1 >= c->n || strcmp(c->words[first + 1], "in") != 0)
		return;
	for (size_t i = first + 2; i < c->n && left; i++) {
		size_t n = word_alternatives(s, c->words[i]);

		for (size_t k = 0; k < n && left; k++, left--) {
			const char *word = word_expand(s, c->words[i], k);

			if (word && strlen(word) + (used > 0) <= SHELL_VALUE_MAX - used) {
				word_append(value, &used, " ", used > 0);
				word_append(value, &used, word, strlen(word));
			}
		}
	}
	variable_set(s, c->words[first], value);
}

static void take_assignment(struct shell *s, char *word)
{
	char *equals = strchr(word, '=');
	const char *value = word_expand(s, equals + 1, 0);

	variable_set(s, arena_dupn(s->scratch, word, (size_t)(equals - word)), value ? value : "");
}

static const struct {
	const char *name;
	void (*take)(struct shell *s, const struct command *c, size_t first);
} commands[] = {
	{ "driverctl", take_driverctl }, { "modprobe", take_modprobe }, { "rmmod", take_rmmod },
	{ "systemctl", take_systemctl }, { "service", take_service }, { "ifdown", take_ifdown },
	{ "source", take_interpreter }, { ".", take_interpreter }, { "perl", take_interpreter }, { "for", take_list },
};

static bool names_a_command(const char *path)
{
	for (size_t k = 0; k < sizeof(commands) / sizeof(*commands); k++)
		if (strcmp(str_basename(path), commands[k].name) == 0)
			return true;
	return strcmp(str_basename(path), "tee") == 0 || strcmp(path, NETWORKING) == 0;
}

static void take_command(struct shell *s, const struct command *c, const struct command *before)
{
	size_t i = 0;

	while (i < c->n && (is_one_of(c->words[i], prefixes) || is_assignment(c->words[i]))) {
		if (is_assignment(c->words[i]))
			take_assignment(s, c->words[i]);
		i++;
	}
	if (c->target)
		take_target(s, c->target, c);
	if (i == c->n)
		return;
	if (strcmp(str_basename(c->words[i]), "tee") == 0)
		take_tee(s, c, i + 1, before);
	if (strcmp(c->words[i], NETWORKING) == 0) {
		take_service(s, c, i);
		return;
	}
	for (size_t k = 0; k < sizeof(commands) / sizeof(*commands); k++)
		if (strcmp(str_basename(c->words[i]), commands[k].name) == 0) {
			commands[k].take(s, c, i + 1);
			return;
		}
	take_script(s, c->words[i]);
}

/* --- the line ---------------------------------------------------------------------------------------------------- */

static void end_word(struct lexer *l)
{
	if (!l->in_word)
		return;
	*l->to++ = '\0';
	l->in_word = false;
}

/* Where the bytes of a word go; its first one makes it a word. */
static void put(struct lexer *l, char c)
{
	if (!l->in_word) {
		l->word = l->to;
		if (l->is_target)
			l->now.target = l->to;
		else if (l->now.n < SHELL_WORDS_MAX)
			l->now.words[l->now.n++] = l->to;
		l->is_target = false;
		l->in_word = true;
	}
	*l->to++ = c;
}

static void end_command(struct shell *s, struct lexer *l, bool piped)
{
	end_word(l);
	s->scratch = arena_new();
	take_command(s, &l->now, &l->before);
	arena_free(s->scratch);
	s->scratch = NULL;
	l->before = piped ? l->now : (struct command){ .n = 0 };
	l->now = (struct command){ .n = 0 };
	l->is_target = false;
}

/* "2>/dev/null", ">&2", ">>": the number before is no word. */
static void take_redirection(struct lexer *l)
{
	if (l->in_word && l->now.n && l->now.words[l->now.n - 1] == l->word &&
	    l->word[strspn(l->word, "0123456789")] == '\0')
		l->now.n--;
	end_word(l);
	while (l->at[1] == '>' || l->at[1] == '|' || l->at[1] == '&')
		l->at++;
	l->is_target = true;
}

/* In the value of an assignment, blanks between quotes are of it. */
static bool is_inside_value(const struct lexer *l, char quote)
{
	return quote && l->in_word && is_assignment(l->word);
}

void shell_take(struct shell *s, const char *line)
{
	/* A word of one byte has its NUL too. */
	char words[2 * SHELL_LINE_MAX + 2] = "", quote = '\0';
	struct lexer l = { .at = line, .to = words };

	s->n = 0;
	if (strlen(line) > SHELL_LINE_MAX)
		return;
	for (; *l.at; l.at++) {
		char c = *l.at;

		if (c == '\\' && l.at[1])
			put(&l, *++l.at);
		else if (c == '"' || c == '\'')
			quote = quote == c ? '\0' : quote ? quote : c;
		else if (c == '#' && !l.in_word && !quote)
			break;
		else if (c == '$' && l.at[1] == '{')
			for (put(&l, c); l.at[1] && l.at[0] != '}'; l.at++)
				put(&l, l.at[1]);
		else if (c == '>')
			take_redirection(&l);
		else if (c == ',' && l.is_target && !l.in_word)
			continue;
		else if (isspace((unsigned char)c) && !is_inside_value(&l, quote))
			end_word(&l);
		else if (is_separator(c))
			end_command(s, &l, c == '|' && l.at[1] != '|');
		else
			put(&l, c);
	}
	end_command(s, &l, false);
}
