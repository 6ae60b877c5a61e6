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

static void hear(struct client *c, int fd, char *line)
{
	if (sscanf(line, "VMID %15s", c->id) == 1)
		return;
	c->graceful = true;
	c->guest = strcmp(line, "SHUTDOWN 1") == 0;
	/* It has stopped, not ended: -no-shutdown. */
	if (write(fd, "quit\n", strlen("quit\n")) < 0)
		say("qmeventd: cannot tell VM %s's QEMU to quit: %s", c->id, strerror(errno));
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
	char text[TEXT_BYTES], *at = text, *line;
	ssize_t n = read(polled[i].fd, text, sizeof(text) - 1);

	if (n <= 0) {
		close(polled[i].fd);
		polled[i].fd = -1;
		cleanup(&clients[i]);
		return;
	}
	text[n] = '\0';
	while ((line = strsep(&at, "\n")) != NULL)
		if (*line)
			hear(&clients[i], polled[i].fd, line);
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
