/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real QEMU, started and told as Proxmox does it: PVE/QemuServer.pm, config_to_command; PVE/QemuServer/PCI.pm. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pve.h"

#define WORDS_MAX 96
#define GREETINGS 3		/* QMP's own, the answer to qmp_capabilities, and the one that counts */

struct words {
	char text[WORDS_MAX][TEXT_BYTES];
	char *argv[WORDS_MAX + 1];
	size_t n;
};

static void add(struct words *w, const char *option, const char *value)
{
	const char *both[] = { option, value };

	for (size_t i = 0; i < 2 && both[i]; i++) {
		if (w->n == WORDS_MAX)
			quit("more than %d words for QEMU", WORDS_MAX);
		w->argv[w->n] = text_of(w->text[w->n], "%s", both[i]);
		w->n++;
	}
	w->argv[w->n] = NULL;
}

/* PVE/Systemd.pm, enter_systemd_scope: VMID.scope in qemu.slice. */
static void add_scope(struct words *w, const struct guest *g)
{
	char unit[TEXT_BYTES];

	if (access("/run/systemd/system", F_OK) < 0)
		return;
	add(w, "systemd-run", "--scope");
	add(w, "--quiet", "--collect");
	add(w, "--slice=qemu", text_of(unit, "--unit=%s", g->id));
}

static void add_machine(struct words *w, const struct guest *g)
{
	char text[TEXT_BYTES];

	add(w, KVM, NULL);
	add(w, "-id", g->id);
	add(w, "-name", text_of(text, "vm%s,debug-threads=on", g->id));
	add(w, "-no-shutdown", NULL);
	add(w, "-chardev", text_of(text, "socket,id=qmp,path=" RUN "/%s.qmp,server=on,wait=off", g->id));
	add(w, "-mon", "chardev=qmp,mode=control");
	add(w, "-chardev", "socket,id=qmp-event,path=" QMEVENTD_SOCKET ",reconnect=5");
	add(w, "-mon", "chardev=qmp-event,mode=control");
	add(w, "-pidfile", text_of(text, RUN "/%s.pid", g->id));
	add(w, "-daemonize", NULL);
	add(w, "-smp", "1,sockets=1,cores=1,maxcpus=1");
	add(w, "-nodefaults", NULL);
	add(w, "-boot", "menu=off,strict=on");
	add(w, "-vga", "none");
	add(w, "-display", "none");
	add(w, "-m", "64");
	add(w, "-machine", "type=q35");
	add(w, "-accel", "tcg");
	/* serial0: socket; what is said there is kept, which Proxmox would not. */
	add(w, "-chardev",
	    text_of(text, "socket,id=serial0,path=" RUN "/%s.serial0,server=on,wait=off,"
			  "logfile=" STATE "/%s.console,logappend=on", g->id, g->id));
	add(w, "-device", "isa-serial,chardev=serial0");
}

/* All functions of the one hostpci line in one slot, the first with the bit that says that there are more. */
static void add_hostpci(struct words *w, const struct guest *g)
{
	char text[TEXT_BYTES], name[TEXT_BYTES], line[TEXT_BYTES];
	const char *rom = conf_get(g, "hostpci0", line) && strstr(line, ",rombar=0") ? ",rombar=0" : "";
	size_t at = 0;

	/* Of pve-q35-4.0.cfg. */
	add(w, "-device", "pcie-root-port,id=ich9-pcie-port-1,addr=1c.0,multifunction=on,bus=pcie.0,port=1,chassis=1");
	while (pci_function(g, &at, name))
		add(w, "-device",
		    text_of(text, "vfio-pci,host=%s,id=hostpci0.%zu,bus=ich9-pcie-port-1,addr=0x0.%zu%s%s", name,
			    at - 1, at - 1, rom, at == 1 ? ",multifunction=on" : ""));
}

/* `args:`, as it stands there; the lab has no quotes in it. */
static void add_args(struct words *w, const struct guest *g)
{
	char line[TEXT_BYTES], *at = line, *word;

	if (conf_get(g, "reboot", line) && strcmp(line, "0") == 0)
		add(w, "-no-reboot", NULL);
	if (!conf_get(g, "args", line))
		return;
	while ((word = strsep(&at, " ")) != NULL)
		if (*word)
			add(w, word, NULL);
}

bool real_start(const struct guest *g, bool minimised)
{
	static struct words w;
	int status;
	pid_t pid;

	w.n = 0;
	add_scope(&w, g);
	add_machine(&w, g);
	if (!minimised)
		add_hostpci(&w, g);
	add_args(&w, g);
	pid = fork();
	if (pid < 0)
		quit("fork: %s", strerror(errno));
	if (pid == 0) {
		if (getenv("PVE_PRELOAD"))
			setenv("LD_PRELOAD", getenv("PVE_PRELOAD"), 1);
		execvp(w.argv[0], w.argv);
		_exit(EXIT_FAILURE);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- telling it ------------------------------------------------------------------------------------------------- */

static int connect_to(const struct guest *g, const char *what)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), RUN "/%s.%s", g->id, what);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		quit("cannot connect to %s: %s", address.sun_path, strerror(errno));
	return fd;
}

/* Until it has answered, or has gone. */
static bool qmp(const struct guest *g, const char *command)
{
	int fd = connect_to(g, "qmp"), lines = 0;
	char line[TEXT_BYTES];
	FILE *f = fdopen(fd, "r");

	if (!f || dprintf(fd, "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"%s\"}\n", command) < 0)
		quit("cannot tell VM %s's QEMU to %s: %s", g->id, command, strerror(errno));
	while (lines < GREETINGS && fgets(line, sizeof(line), f))
		lines += strstr(line, "\"event\"") == NULL;
	fclose(f);
	return true;
}

static bool type(const struct guest *g, const char *text)
{
	int fd = connect_to(g, "serial0");
	bool typed = write(fd, text, strlen(text)) > 0;

	close(fd);
	return typed;
}

bool real_tell(const struct guest *g, enum qemu_word word)
{
	switch (word) {
	case QUIT:
		return qmp(g, "quit");
	case POWER_BUTTON:
		return qmp(g, "system_powerdown");
	case RESET:
		return qmp(g, "system_reset");
	case GUEST_OFF:
		return type(g, "p");
	case GUEST_REBOOT:
		return type(g, "r");
	case CRASH:
		break;
	}
	return kill(qemu_pid(g), SIGKILL) == 0;
}
