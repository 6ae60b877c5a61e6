/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "hookscript.h"
#include "verb/verb.h"

static const struct verb *const verbs[] = {
	&verb_init, &verb_check, &verb_plan, &verb_rehearse, &verb_doctor, &verb_register, &verb_unregister, &verb_boot,
	&verb_status, &verb_recover, &verb_map, &verb_capture, NULL,
};

static void print_help(void)
{
	puts("handover VMID PHASE\n"
	     "    what Proxmox VE calls: PHASE is pre-start, post-start, pre-stop or post-stop\n");
	for (const struct verb *const *v = verbs; *v; v++)
		printf("handover %s%s%s\n    %s\n", (*v)->name, *(*v)->args ? " " : "", (*v)->args, (*v)->help);
	puts("\nOptions:\n"
	     "  --json         print JSON\n"
	     "  --host FILE    work on the host in a .host text (init, check, plan, rehearse, doctor, map, capture)\n"
	     "  --boot FILE    begin with what this file does at boot (rehearse)\n"
	     "  --policy FILE  what the host allows, in place of " POLICY_PATH " (init, check, plan,\n"
	     "                 rehearse, doctor)\n"
	     "  --storage ID   put the link into this storage's snippets, in place of 'local' (register)\n"
	     "  --replace      also where another hookscript is, which unregister puts back (register)\n"
	     "  --quiet        print only what is wrong\n"
	     "  --version      print the version\n"
	     "  --help         print this\n"
	     "\nExit status: 0 done or nothing to do; 1 failed, the host is as it was; 2 usage, profile, or refused,\n"
	     "the host was not touched; 3 the host is not as it was, the message says what; 4 busy, try again; 5 doctor has\n"
	     "warnings, or init left a decision open; 6 doctor, init or register foresees a failure.");
}

static const struct verb *find_verb(const char *name)
{
	const char *names[sizeof(verbs) / sizeof(*verbs)] = { NULL };
	const char *nearest;

	for (size_t i = 0; verbs[i]; i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
		names[i] = verbs[i]->name;
	}
	nearest = str_nearest(name, names);
	if (nearest)
		complain("no command '%s'; did you mean '%s'?", name, nearest);
	else
		complain("no command '%s'; `handover --help` lists them", name);
	return NULL;
}

/* Options that name something, and why a command may not have one. */
static const struct named_option {
	const char *name;
	unsigned takes;		/* the bit of verb->takes */
	size_t at;		/* in struct run */
	const char *what, *why;
} named_options[] = {
	{ "--host", TAKES_HOST, offsetof(struct run, host_file), "a file", "it is not about a host in a file" },
	{ "--boot", TAKES_BOOT, offsetof(struct run, boot_file), "a file", "it does not begin with a boot" },
	{ "--policy", TAKES_POLICY, offsetof(struct run, policy_file), "a file", "it asks for no policy" },
	{ "--storage", TAKES_STORAGE, offsetof(struct run, storage), "a storage", "it makes no link" },
};
#define NAMED_OPTIONS (sizeof(named_options) / sizeof(*named_options))

static const char **named_of(struct run *r, const struct named_option *o)
{
	return (const char **)(void *)((char *)r + o->at);
}

static const struct named_option *find_named_option(const char *word)
{
	for (size_t i = 0; i < NAMED_OPTIONS; i++)
		if (strcmp(word, named_options[i].name) == 0)
			return &named_options[i];
	return NULL;
}

/* Takes the options out of argv, wherever they stand. Returns the number of words left, or a negative outcome. */
static int take_options(struct run *r, int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		const struct named_option *named = find_named_option(argv[i]);

		if (named) {
			if (++i == argc) {
				complain("%s needs %s", named->name, named->what);
				return -(int)OUTCOME_REFUSED;
			}
			*named_of(r, named) = argv[i];
		} else if (strcmp(argv[i], "--json") == 0) {
			r->json = true;
		} else if (strcmp(argv[i], "--quiet") == 0) {
			r->quiet = true;
		} else if (strcmp(argv[i], "--replace") == 0) {
			r->replace = true;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			complain("no option '%s'; `handover --help` lists them", argv[i]);
			return -(int)OUTCOME_REFUSED;
		} else {
			argv[n++] = argv[i];
		}
	}
	return n;
}

static enum outcome run_verb(struct run *r, int n, char **words)
{
	const struct verb *v = find_verb(words[0]);

	if (!v)
		return OUTCOME_REFUSED;
	r->args = words + 1;
	r->n_args = n - 1;
	if (r->n_args < v->min_args || r->n_args > v->max_args) {
		complain("usage: handover %s%s%s", v->name, *v->args ? " " : "", v->args);
		return OUTCOME_REFUSED;
	}
	for (size_t i = 0; i < NAMED_OPTIONS; i++)
		if (*named_of(r, &named_options[i]) && !(v->takes & named_options[i].takes)) {
			complain("%s does not take %s: %s", v->name, named_options[i].name, named_options[i].why);
			return OUTCOME_REFUSED;
		}
	if (r->replace && !(v->takes & TAKES_REPLACE)) {
		complain("%s does not take --replace: it replaces nothing", v->name);
		return OUTCOME_REFUSED;
	}
	return v->run(r);
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

/* A caller may have closed some: the next file to be opened, the journal say, must not become our stderr. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * A caller's environment is not ours, and libraries listen to it: libsystemd to SYSTEMD_BUS_TIMEOUT, libudev to
 * SYSTEMD_DEVICE_VERIFY_SYSFS, libkmod to KMOD_LOG. What is left is for commands, which libkmod too may start
 * ("install" lines of modprobe.d). Nothing is allocated, so it cannot fail. What ld.so and libc have read before main()
 * is out of reach.
 */
static void keep_to_own_environment(void)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8";
	static char *own[] = { path, locale, NULL };

	environ = own;
}

int main(int argc, char **argv)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct run r = { .arena = arena };
	int n;

	keep_to_own_environment();
	fill_standard_descriptors();
	/* A caller that ignores its children would take the workers' results from us. */
	signal(SIGCHLD, SIG_DFL);
	/*
	 * What a caller left open is not ours. A worker that inherited an open node of the device it unbinds would
	 * wait for itself.
	 */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	/* Whoever reads our output may go; that must not kill a run between two writes. */
	signal(SIGPIPE, SIG_IGN);
	/* A line at a time, so that lines of two programs in one task log do not mix. */
	setvbuf(stderr, NULL, _IOLBF, 0);
	if (argc < 2 || has_word(argc, argv, "--help")) {
		print_help();
		return (int)(argc < 2 ? OUTCOME_REFUSED : OUTCOME_DONE);
	}
	if (has_word(argc, argv, "--version")) {
		puts("handover " HANDOVER_VERSION);
		return OUTCOME_DONE;
	}
	n = take_options(&r, argc, argv);
	if (n < 0)
		return -n;
	if (n == 0) {
		complain("which command? `handover --help` lists them");
		return OUTCOME_REFUSED;
	}
	/* Every command starts with a letter; a VMID, right or wrong, does not. */
	if (!isalpha((unsigned char)argv[0][0]))
		return (int)hookscript(&r, n, argv);
	return (int)run_verb(&r, n, argv);
}
