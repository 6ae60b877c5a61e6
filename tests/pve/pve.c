/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pve.h"

#define STOP_TASK_TRIES 5
#define GROUP_MS 200		/* between TERM and KILL, when a task has ended by itself */

static const char usage[] = "usage: pve qm|pct COMMAND ID [ARGUMENT...] | pve stop-task ID | pve qmeventd";

static void make_folders(void)
{
	static const char *const folders[] = { STATE, RUN, "/run/lock", "/run/lock/qemu-server", "/run/lock/lxc" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdir(folders[i], 0755) < 0 && errno != EEXIST)
			quit("cannot make %s: %s", folders[i], strerror(errno));
}

/* As the daemons have it: pve-common, PVE/Daemon.pm and PVE/CLIHandler.pm. */
static void take_environment(void)
{
	setenv("LC_ALL", "C", 1);
	setenv("LVM_SUPPRESS_FD_WARNINGS", "1", 1);
	setenv("PATH", "/sbin:/bin:/usr/sbin:/usr/bin", 1);
	umask(S_IWGRP | S_IWOTH);
	if (chdir("/") < 0)
		quit("cannot go to /");
}

static char *task_path(const struct guest *g, char path[TEXT_BYTES])
{
	return text_of(path, STATE "/task-%s", g->id);
}

/* PVE/RESTEnvironment.pm, fork_worker: a group of its own, of which nothing is left behind. */
static int run_task(const struct command *c, const struct guest *g, char **args)
{
	char path[TEXT_BYTES], text[TEXT_BYTES];
	pid_t pid = fork();
	int status;

	if (pid < 0)
		quit("fork: %s", strerror(errno));
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		_exit(c->run(g, args) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	setpgid(pid, pid);
	write_file(task_path(g, path), text_of(text, "%d\n", pid));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	unlink(path);
	if (kill(-pid, SIGTERM) == 0) {
		sleep_ms(GROUP_MS);
		kill(-pid, SIGKILL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* "Stop" in the GUI. */
static int stop_task(const struct guest *g)
{
	char path[TEXT_BYTES], line[TEXT_BYTES];
	pid_t pid;

	if (!first_line(task_path(g, path), line))
		return EXIT_FAILURE;
	pid = (pid_t)strtol(line, NULL, 10);
	kill(-pid, SIGTERM);
	for (int i = 0; i < STOP_TASK_TRIES && kill(-pid, 0) == 0; i++)
		sleep_ms(MS_PER_S);
	kill(-pid, SIGKILL);
	return EXIT_SUCCESS;
}

static int run_command(const struct command *list, const struct guest *g, const char *name, char **args)
{
	for (const struct command *c = list; c->name; c++) {
		if (strcmp(c->name, name) != 0)
			continue;
		if (c->is_task)
			return run_task(c, g, args);
		return c->run(g, args) ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	quit("%s", usage);
}

int main(int argc, char **argv)
{
	const char *called = argc ? strrchr(argv[0], '/') : NULL;
	struct guest g = { .is_ct = false };

	if (called && strcmp(called, "/kvm") == 0)
		return kvm_main(argc, argv);
	make_folders();
	take_environment();
	if (argc == 2 && strcmp(argv[1], "qmeventd") == 0)
		return qmeventd_main();
	if (argc == 3 && strcmp(argv[1], "stop-task") == 0) {
		g.id = argv[2];
		return stop_task(&g);
	}
	if (argc < 4)
		quit("%s", usage);
	g.is_ct = strcmp(argv[1], "pct") == 0;
	g.id = argv[3];
	return run_command(g.is_ct ? ct_commands : vm_commands, &g, argv[2], argv + 4);
}
