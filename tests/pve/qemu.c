/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What looks like a QEMU: its command line, its pid file, its link to qmeventd, and the nodes that it holds. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pve.h"

#define ARGS_MAX 48
#define CMDLINE_BYTES 4096

static bool is_real(void)
{
	return setting("PVE_QEMU", 0);
}

/* --- as Proxmox sees it ----------------------------------------------------------------------------------------- */

bool qemu_id(pid_t pid, char id[TEXT_BYTES])
{
	char path[TEXT_BYTES], cmdline[CMDLINE_BYTES];
	FILE *f = fopen(text_of(path, "/proc/%d/cmdline", pid), "re");
	size_t n = f ? fread(cmdline, 1, sizeof(cmdline) - 1, f) : 0;
	const char *end = cmdline + n;

	if (f)
		fclose(f);
	cmdline[n] = '\0';
	for (const char *s = cmdline; s < end; s += strlen(s) + 1)
		if (strcmp(s, "-id") == 0) {
			text_of(id, "%s", s + strlen("-id") + 1);
			return true;
		}
	return false;
}

pid_t qemu_pid(const struct guest *g)
{
	char path[TEXT_BYTES], line[TEXT_BYTES], id[TEXT_BYTES];
	pid_t pid;

	if (!first_line(text_of(path, RUN "/%s.pid", g->id), line))
		return 0;
	pid = (pid_t)strtol(line, NULL, 10);
	return pid > 0 && qemu_id(pid, id) && strcmp(id, g->id) == 0 ? pid : 0;
}

bool qemu_wait(const struct guest *g, unsigned seconds)
{
	long long end = now_ms() + (long long)seconds * MS_PER_S;

	while (qemu_pid(g)) {
		if (now_ms() > end)
			return false;
		sleep_ms(TICK_MS);
	}
	return true;
}

static void add_options(const struct guest *g, char **argv, int n, bool minimised)
{
	static char nodes[ARGS_MAX][TEXT_BYTES], value[TEXT_BYTES];
	size_t at = 0;

	if (conf_get(g, "reboot", value) && strcmp(value, "0") == 0)
		argv[n++] = (char *)"-no-reboot";
	for (int i = 0; !minimised && n < ARGS_MAX - 1 && pci_node(g, &at, nodes[i]); i++) {
		/* A group's node is opened once for all its functions, which follow one another. */
		if (i && strcmp(nodes[i], nodes[i - 1]) == 0)
			continue;
		argv[n++] = (char *)"-node";
		argv[n++] = nodes[i];
	}
	argv[n] = NULL;
}

bool qemu_start(const struct guest *g, bool minimised)
{
	char pidfile[TEXT_BYTES], name[TEXT_BYTES];
	char *argv[ARGS_MAX + 1] = { (char *)KVM, (char *)"-id", (char *)g->id, (char *)"-name",
				     text_of(name, "vm%s,debug-threads=on", g->id), (char *)"-no-shutdown",
				     (char *)"-pidfile", text_of(pidfile, RUN "/%s.pid", g->id),
				     (char *)"-daemonize" };
	int n = 0, status;
	pid_t pid;

	if (is_real())
		return real_start(g, minimised);
	while (argv[n])
		n++;
	add_options(g, argv, n, minimised);
	pid = fork();
	if (pid < 0)
		quit("fork: %s", strerror(errno));
	if (pid == 0) {
		execv("/proc/self/exe", argv);
		_exit(EXIT_FAILURE);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool qemu_tell(const struct guest *g, enum qemu_word word)
{
	static const int signals[] = { [QUIT] = SIGTERM,     [POWER_BUTTON] = SIGUSR1, [RESET] = SIGHUP,
				       [GUEST_OFF] = SIGUSR1, [GUEST_REBOOT] = SIGUSR2, [CRASH] = SIGKILL };

	return is_real() ? real_tell(g, word) : kill(qemu_pid(g), signals[word]) == 0;
}

/* --- the process itself ------------------------------------------------------------------------------------------- */

struct kvm {
	const char *id, *pidfile;
	bool no_reboot;
	int qmeventd;		/* -1: it is not there, or has gone */
	int signals;
};

static int connect_qmeventd(const char *id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = QMEVENTD_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    dprintf(fd, "VMID %s\n", id) > 0)
		return fd;
	close(fd);
	return -1;
}

/* Where it takes its time, with devices to let go of, qmeventd sees the end of the link long before it has gone. */
static _Noreturn void leave(const struct kvm *k)
{
	unsigned seconds = setting("PVE_SLOW_S", 0);

	if (seconds) {
		close(k->qmeventd);
		sleep_ms(seconds * MS_PER_S);
	}
	unlink(k->pidfile);
	_exit(EXIT_SUCCESS);
}

/* With -no-shutdown it stays until somebody tells it to quit: qmeventd does, where it is. */
static void shut_down(const struct kvm *k, bool by_guest)
{
	if (k->qmeventd >= 0)
		dprintf(k->qmeventd, "SHUTDOWN %d\n", by_guest);
}

static void obey(const struct kvm *k, unsigned signal)
{
	if (signal == SIGUSR1) {
		shut_down(k, true);
	} else if (signal == SIGTERM) {
		shut_down(k, false);
		leave(k);
	} else if (k->no_reboot) {
		shut_down(k, signal == SIGUSR2);
	} else {
		trace("reset");
	}
}

static _Noreturn void serve(struct kvm *k)
{
	for (;;) {
		struct pollfd p[] = { { k->signals, POLLIN, 0 }, { k->qmeventd, POLLIN, 0 } };
		struct signalfd_siginfo info;
		char word[TEXT_BYTES];

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents && read(k->signals, &info, sizeof(info)) == sizeof(info))
			obey(k, info.ssi_signo);
		if (!p[1].revents)
			continue;
		if (read(k->qmeventd, word, sizeof(word)) > 0)
			leave(k);
		close(k->qmeventd);
		k->qmeventd = -1;
	}
}

/* SIGUSR1: the guest powers off. SIGUSR2: it resets. SIGHUP: QMP's system_reset. SIGTERM: QMP's quit. */
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool hold_nodes(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-node") == 0 && open(argv[i + 1], O_RDWR | O_CLOEXEC) < 0) {
			say("kvm: vfio: cannot open %s: %s", argv[i + 1], strerror(errno));
			return false;
		}
	return true;
}

static _Noreturn void daemon_main(struct kvm *k, int argc, char **argv, int ready)
{
	char pid[TEXT_BYTES];
	const char *fail = getenv("PVE_FAIL");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	k->signals = take_signals();
	if (!hold_nodes(argc, argv) || (fail && strcmp(fail, "qemu") == 0))
		_exit(EXIT_FAILURE);
	if (!write_file(k->pidfile, text_of(pid, "%d\n", getpid())))
		_exit(EXIT_FAILURE);
	k->qmeventd = connect_qmeventd(k->id);
	if (fail && strcmp(fail, "handshake") == 0) {
		unlink(k->pidfile);
		_exit(EXIT_FAILURE);
	}
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	close(ready);
	serve(k);
}

int kvm_main(int argc, char **argv)
{
	struct kvm k = { .qmeventd = -1 };
	int ready[2];
	char byte;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-id") == 0 && i + 1 < argc)
			k.id = argv[i + 1];
		if (strcmp(argv[i], "-pidfile") == 0 && i + 1 < argc)
			k.pidfile = argv[i + 1];
		k.no_reboot = k.no_reboot || strcmp(argv[i], "-no-reboot") == 0;
	}
	if (!k.id || !k.pidfile || pipe2(ready, O_CLOEXEC) < 0)
		return EXIT_FAILURE;
	if (fork() == 0) {
		close(ready[0]);
		daemon_main(&k, argc, argv, ready[1]);
	}
	close(ready[1]);
	/* -daemonize: the first process ends when the machine is there. */
	return read(ready[0], &byte, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
