/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "host/host.h"
#include "host/live_holder.h"
#include "host/live_label.h"
#include "host/live_command.h"
#include "host/live_nic.h"
#include "host/reader.h"

/* What the child keeps of its parent's. */
#define KEPT_SOCKET 3
#define KEPT_ROOT 4

/* What comes back: the result, and the bytes if there are any. */
struct answer {
	ssize_t result;
	char bytes[READER_BYTES];	/* a config space is a page; a command line of QEMU's has several */
};

ssize_t read_file(int root, const char *name, char *buf, size_t size)
{
	int fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buf + n, size - n);
		if (got > 0)
			n += (size_t)got;
	} while (got > 0 && n < size);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	if (n == size)
		return -E2BIG;
	buf[n] = '\0';
	return (ssize_t)n;
}

static ssize_t read_any(int root, struct live_nic *nic, const char *name, char *buf, size_t size)
{
	if (str_starts(name, "nic/"))
		return live_nic_ask(nic, name + strlen("nic/"), buf, size);
	if (str_starts(name, "label/"))
		return live_label_read(root, name + strlen("label/"), buf, size);
	/* Who asks does not count: it is the parent of the one that looks. */
	if (str_starts(name, "holder/"))
		return live_holder_read(root, getppid(), name + strlen("holder/"), buf, size);
	if (str_starts(name, "command/"))
		return live_command_look(name);
	return read_file(root, name, buf, size);
}

static bool is_asked_more(int socket)
{
	struct pollfd p = { .fd = socket, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/*
 * The child keeps nothing of its parent's but the two descriptors it needs: not the output Proxmox waits for the end
 * of, and not the locks, which say that a write is under way.
 */
static _Noreturn void serve(int socket, int root)
{
	int null = open("/dev/null", O_RDWR);
	char name[HOST_NAME_BYTES];
	struct live_nic *nic;
	struct answer a;
	ssize_t n;

	setsid();
	prctl(PR_SET_NAME, "handover-read");
	for (int fd = 0; fd <= 2; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			_exit(1);
	socket = fcntl(socket, F_DUPFD, KEPT_ROOT + 1);
	root = fcntl(root, F_DUPFD, KEPT_ROOT + 1);
	if (socket < 0 || root < 0 || dup2(socket, KEPT_SOCKET) < 0 || dup2(root, KEPT_ROOT) < 0 ||
	    close_range(KEPT_ROOT + 1, ~0U, 0) < 0 || (nic = live_nic_new(KEPT_ROOT)) == NULL)
		_exit(1);
	while ((n = recv(KEPT_SOCKET, name, sizeof(name) - 1, 0)) > 0) {
		name[n] = '\0';
		a.result = read_any(KEPT_ROOT, nic, name, a.bytes, sizeof(a.bytes));
		/* What is asked later is about what is there then. */
		if (!is_asked_more(KEPT_SOCKET))
			live_nic_forget(nic);
		if (send(KEPT_SOCKET, &a, sizeof(a.result) + (a.result > 0 ? (size_t)a.result : 0), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

static int start(struct reader *r, int root)
{
	sigset_t all, before;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		serve(pair[1], root);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -errno;
	}
	r->socket = pair[0];
	return 0;
}

static ssize_t ask(struct reader *r, const char *name, struct answer *a)
{
	struct pollfd p = { .fd = r->socket, .events = POLLIN };
	ssize_t n;

	if (r->n_asked) {
		r->n_asked--;
		r->asked++;
	} else if (send(r->socket, name, strlen(name), MSG_NOSIGNAL) < 0) {
		return -errno;
	}
	if (poll(&p, 1, READ_MS) <= 0)
		return -ETIMEDOUT;
	n = recv(r->socket, a, sizeof(*a), 0);
	return n < (ssize_t)sizeof(a->result) ? -EIO : 0;
}

static ssize_t read_by_child(struct reader *r, int root, const char *name, char *buf, size_t size, bool is_second)
{
	struct answer a;
	ssize_t code;

	if (r->n_asked && strcmp(r->asked[0], name) != 0)
		reader_close(r);
	if (r->socket < 0 && (code = start(r, root)) < 0)
		return code;
	code = ask(r, name, &a);
	if (code < 0)
		reader_close(r);
	/* Ended by somebody, as for want of memory: to look again harms nobody. */
	if (code < 0 && code != -ETIMEDOUT && !is_second)
		return read_by_child(r, root, name, buf, size, true);
	if (code < 0)
		return code;
	if (a.result < 0)
		return a.result;
	if ((size_t)a.result >= size)
		return -E2BIG;
	memcpy(buf, a.bytes, (size_t)a.result);
	buf[a.result] = '\0';
	return a.result;
}

ssize_t reader_read(struct reader *r, int root, const char *name, char *buf, size_t size)
{
	return read_by_child(r, root, name, buf, size, false);
}

/* What does not go into the socket at once is asked for in its turn: both sides waiting to send would wait for ever. */
void reader_ask_ahead(struct reader *r, int root, const char *const *names, size_t n)
{
	if (r->n_asked)
		reader_close(r);
	if (r->socket < 0 && start(r, root) < 0)
		return;
	r->asked = names;
	while (r->n_asked < n && send(r->socket, names[r->n_asked], strlen(names[r->n_asked]),
				      MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		r->n_asked++;
}

void reader_close(struct reader *r)
{
	/* A worker may have it, too. */
	if (r->socket >= 0) {
		shutdown(r->socket, SHUT_RDWR);
		close(r->socket);
	}
	*r = (struct reader){ .socket = -1 };
}
