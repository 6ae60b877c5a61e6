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

#include "base/clock.h"
#include "base/str.h"
#include "base/trust.h"
#include "host/host.h"
#include "host/live_holder.h"
#include "host/live_label.h"
#include "host/live_command.h"
#include "host/live_nic.h"
#include "host/live_udev.h"
#include "host/reader.h"

/* What the child keeps of its parent's. */
#define KEPT_SOCKET 3
#define KEPT_ROOT 4

/* What comes back: the result, and the bytes if there are any. Behind one that is full comes another. */
struct answer {
	ssize_t result;
	char bytes[READER_BYTES];
};

static int open_file(int root, const char *name)
{
	int fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

ssize_t read_file(int root, const char *name, char *buf, size_t size)
{
	int fd = open_file(root, name);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read_whole(fd, buf, size);
	close(fd);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -E2BIG;
	buf[n] = '\0';
	return n;
}

static ssize_t read_any(int root, struct live_nic *nic, const char *name, char *buf, size_t size)
{
	if (str_starts(name, "nic/"))
		return live_nic_ask(nic, name + strlen("nic/"), buf, size);
	if (str_starts(name, "label/"))
		return live_label_read(root, name + strlen("label/"), buf, size);
	if (str_starts(name, "udev/"))
		return live_udev_read(name + strlen("udev/"), buf, size);
	/* Who asks does not count: it is the parent of the one that looks. */
	if (str_starts(name, "holder/"))
		return live_holder_read(root, getppid(), name + strlen("holder/"), buf, size);
	return live_command_look(name);
}

static bool is_file(const char *name)
{
	static const char *const others[] = { "nic/", "label/", "udev/", "holder/", "command/" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (str_starts(name, others[i]))
			return false;
	return true;
}

static bool send_answer(const struct answer *a)
{
	return send(KEPT_SOCKET, a, sizeof(a->result) + (a->result > 0 ? (size_t)a->result : 0), MSG_NOSIGNAL) >= 0;
}

static bool send_file(const char *name, struct answer *a)
{
	int fd = open_file(KEPT_ROOT, name);
	bool sent;

	do {
		a->result = fd < 0 ? fd : read_whole(fd, a->bytes, sizeof(a->bytes));
		sent = send_answer(a);
	} while (sent && a->result == READER_BYTES);
	if (fd >= 0)
		close(fd);
	return sent;
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
		bool is_long;

		name[n] = '\0';
		is_long = is_file(name);
		if (!is_long)
			a.result = read_any(KEPT_ROOT, nic, name, a.bytes, sizeof(a.bytes));
		/* What is asked later is about what is there then. */
		if (!is_asked_more(KEPT_SOCKET))
			live_nic_forget(nic);
		if (!(is_long ? send_file(name, &a) : send_answer(&a)))
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

static ssize_t ask(struct reader *r, const char *name)
{
	if (r->n_asked) {
		r->n_asked--;
		r->asked++;
		return 0;
	}
	return send(r->socket, name, strlen(name), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static ssize_t receive(const struct reader *r, int64_t until, struct answer *a)
{
	struct pollfd p = { .fd = r->socket, .events = POLLIN };
	int64_t left = until - clock_ms(CLOCK_MONOTONIC);
	ssize_t n;

	if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
		return -ETIMEDOUT;
	n = recv(r->socket, a, sizeof(*a), 0);
	return n < (ssize_t)sizeof(a->result) ? -EIO : 0;
}

/* All that comes to what was asked for. *broken: the child did not answer, and is no longer asked. */
static ssize_t collect(struct reader *r, char *buf, size_t size, bool *broken)
{
	int64_t until = clock_ms(CLOCK_MONOTONIC) + READ_MS;
	struct answer a;
	size_t n = 0;

	do {
		ssize_t code = receive(r, until, &a);
		size_t more;

		*broken = code < 0;
		if (*broken)
			reader_close(r);
		if (*broken || a.result < 0)
			return *broken ? code : a.result;
		more = (size_t)a.result < size - n ? (size_t)a.result : size - n;
		memcpy(buf + n, a.bytes, more);
		n += more;
	} while (a.result == READER_BYTES && n < size);
	/* What would still come is of no use. */
	if (a.result == READER_BYTES)
		reader_close(r);
	if (n == size)
		return -E2BIG;
	buf[n] = '\0';
	return (ssize_t)n;
}

static ssize_t read_by_child(struct reader *r, int root, const char *name, char *buf, size_t size, bool is_second)
{
	bool broken;
	ssize_t n;

	if (r->n_asked && strcmp(r->asked[0], name) != 0)
		reader_close(r);
	if (r->socket < 0 && (n = start(r, root)) < 0)
		return n;
	n = ask(r, name);
	broken = n < 0;
	if (broken)
		reader_close(r);
	else
		n = collect(r, buf, size, &broken);
	/* Ended by somebody, as for want of memory: to look again harms nobody. */
	if (broken && n != -ETIMEDOUT && !is_second)
		return read_by_child(r, root, name, buf, size, true);
	return n;
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
