/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmeventd (qemu-server, src/qmeventd/qmeventd.c): hears of QEMUs that end, and calls `qm cleanup` for them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pve.h"

#define CLIENTS_MAX 16
#define BACKLOG 8

struct client {
	char id[TEXT_BYTES];
	bool graceful, guest;
	char text[TEXT_BYTES];	/* of a line that has not ended yet */
	size_t n;
};

static struct client clients[CLIENTS_MAX];
static struct pollfd polled[CLIENTS_MAX + 1];	/* the last listens */

static void take_client(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
		if (polled[i].fd < 0) {
			clients[i] = (struct client){ .graceful = false };
			polled[i].fd = fd;
			return;
		}
	quit("qmeventd: more than %d clients", CLIENTS_MAX);
}

static void tell(const struct client *c, int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		say("qmeventd: cannot tell VM %s's QEMU: %s", c->id, strerror(errno));
}

/* QMP, from a real QEMU. One that has stopped, and does not run again, is told to quit. */
static void hear_qmp(struct client *c, int fd, const char *line)
{
	static const char *const going_on[] = { "running", "paused", "suspended", "prelaunch" };
	char status[TEXT_BYTES];
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);

	if (strstr(line, "\"QMP\"")) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || !qemu_id(peer.pid, c->id))
			quit("qmeventd: process %d is no QEMU", peer.pid);
		tell(c, fd, "{\"execute\":\"qmp_capabilities\"}\n");
	} else if (strstr(line, "\"event\": \"SHUTDOWN\"")) {
		c->graceful = true;
		c->guest = strstr(line, "\"guest\": true") != NULL;
		tell(c, fd, "{\"execute\":\"query-status\"}\n");
	} else if (strstr(line, "\"event\": \"RESET\"")) {
		trace("reset");
	} else if (sscanf(line, "{\"return\": {\"status\": \"%511[a-z]", status) == 1) {
		for (size_t i = 0; i < sizeof(going_on) / sizeof(*going_on); i++)
			if (strcmp(status, going_on[i]) == 0)
				return;
		tell(c, fd, "{\"execute\":\"quit\"}\n");
	}
}

static void hear(struct client *c, int fd, const char *line)
{
	if (*line == '{') {
		hear_qmp(c, fd, line);
		return;
	}
	if (sscanf(line, "VMID %15s", c->id) == 1)
		return;
	c->graceful = true;
	c->guest = strcmp(line, "SHUTDOWN 1") == 0;
	/* It has stopped, not ended: -no-shutdown. */
	tell(c, fd, "quit\n");
}

static void cleanup(const struct client *c)
{
	char graceful[] = { (char)('0' + c->graceful), '\0' }, guest[] = { (char)('0' + c->guest), '\0' };
	char *argv[] = { (char *)"pve", (char *)"qm", (char *)"cleanup", (char *)c->id, graceful, guest, NULL };

	if (!*c->id || fork() != 0)
		return;
	signal(SIGCHLD, SIG_DFL);
	execv("/proc/self/exe", argv);
	_exit(EXIT_FAILURE);
}

static void serve_client(int i)
{
	struct client *c = &clients[i];
	ssize_t n = read(polled[i].fd, c->text + c->n, sizeof(c->text) - 1 - c->n);
	char *at = c->text, *end;

	if (n <= 0) {
		close(polled[i].fd);
		polled[i].fd = -1;
		cleanup(c);
		return;
	}
	c->n += (size_t)n;
	c->text[c->n] = '\0';
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		*end = '\0';
		hear(c, polled[i].fd, at);
	}
	c->n = strlen(at);
	memmove(c->text, at, c->n + 1);
	if (c->n == sizeof(c->text) - 1)
		quit("qmeventd: a line of more than %zu bytes: %s", c->n, c->text);
}

int qmeventd_main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = QMEVENTD_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A service of its own: what it has started ends with it. */
	setsid();
	unlink(QMEVENTD_SOCKET);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
		quit("qmeventd: cannot listen at " QMEVENTD_SOCKET ": %s", strerror(errno));
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < CLIENTS_MAX; i++)
		polled[i] = (struct pollfd){ -1, POLLIN, 0 };
	polled[CLIENTS_MAX] = (struct pollfd){ fd, POLLIN, 0 };
	for (;;) {
		if (poll(polled, CLIENTS_MAX + 1, -1) < 0)
			continue;
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (polled[i].fd >= 0 && polled[i].revents)
				serve_client(i);
		if (polled[CLIENTS_MAX].revents)
			take_client(fd);
	}
}
