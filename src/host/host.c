/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/derived.h"
#include "host/host.h"

/* Names are built from text of profiles and of other programs: none may climb out of its folder. */
static bool name_ok(const char *name)
{
	if (*name == '\0' || strlen(name) >= HOST_NAME_BYTES)
		return false;
	for (const char *s = name; ; s++) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
		if (*s == '\0')
			return true;
	}
}

ssize_t host_read_bytes(struct host *h, const char *name, char *buf, size_t size)
{
	if (!name_ok(name))
		return -EINVAL;
	return derived_is(name) ? derived_read(h, name, buf, size) : h->ops->read(h, name, buf, size);
}

void host_read_ahead(struct host *h, const char *const *names, size_t n)
{
	if (h->ops->ahead)
		h->ops->ahead(h, names, n);
}

ssize_t host_read_lines(struct host *h, const char *name, char *buf, size_t size, bool *cut)
{
	ssize_t n;
	char *end;

	buf[0] = '\0';
	n = host_read_bytes(h, name, buf, size);
	*cut = n == -E2BIG;
	if (!*cut)
		return n;
	buf[size - 1] = '\0';
	end = strrchr(buf, '\n');
	end = end ? end + 1 : buf;
	*end = '\0';
	return end - buf;
}

ssize_t host_link(struct host *h, const char *name, char *buf, size_t size)
{
	return name_ok(name) && !derived_is(name) ? h->ops->link(h, name, buf, size) : -EINVAL;
}

/* A target is longer than what its last part needs, so it is not read into the caller's buffer. */
static ssize_t read_link_name(struct host *h, const char *name, char *buf, size_t size)
{
	char target[HOST_VALUE_BYTES];
	ssize_t n = h->ops->link(h, name, target, sizeof(target));
	const char *last = str_basename(target);

	if (n < 0)
		return n;
	n -= last - target;
	if ((size_t)n >= size)
		return -E2BIG;
	memcpy(buf, last, (size_t)n + 1);
	return n;
}

ssize_t host_read(struct host *h, const char *name, char *buf, size_t size)
{
	ssize_t n;

	if (!name_ok(name))
		return -EINVAL;
	if (derived_is(name))
		return derived_read(h, name, buf, size);
	n = read_link_name(h, name, buf, size);
	if (n != -EINVAL)
		return n;
	n = h->ops->read(h, name, buf, size);
	if (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return n;
}

int host_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	if (!name_ok(name))
		return -EINVAL;
	return derived_is(name) ? derived_list(h, name, a, names, n) : h->ops->list(h, name, a, names, n);
}

bool host_has(struct host *h, const char *name)
{
	char buf[HOST_NAME_BYTES * 2];
	ssize_t n;

	if (!name_ok(name))
		return false;
	if (derived_is(name)) {
		n = derived_read(h, name, buf, sizeof(buf));
		return n >= 0 || n == -E2BIG || n == -EISDIR;
	}
	n = h->ops->link(h, name, buf, sizeof(buf));
	return n >= 0 || n == -EINVAL || n == -E2BIG;
}

int host_write(struct host *h, const char *name, const char *value, unsigned deadline_ms, struct host_stuck *stuck)
{
	memset(stuck, 0, sizeof(*stuck));
	if (!name_ok(name) || strlen(value) + 1 >= HOST_VALUE_BYTES)
		return -EINVAL;
	if (derived_is(name))
		return -EPERM;
	return h->ops->write(h, name, value, deadline_ms, stuck);
}

void host_rest(struct host *h)
{
	if (h->ops->rest)
		h->ops->rest(h);
}

int host_wait(struct host *h, unsigned ms)
{
	return h->ops->wait(h, ms);
}

int64_t host_now(struct host *h)
{
	return h->ops->now(h);
}

void host_close(struct host *h)
{
	if (h)
		h->ops->close(h);
}

void host_closep(struct host **h)
{
	host_close(*h);
}

int host_read_hex4(struct host *h, const char *folder, const char *file, const char *prefix, uint64_t *v)
{
	char name[HOST_NAME_BYTES], text[32];
	ssize_t n;

	snprintf(name, sizeof(name), "%s/%s", folder, file);
	n = host_read(h, name, text, sizeof(text));
	if (n < 0)
		return n == -ENODEV ? -ENOENT : (int)n;
	return str_starts(text, prefix) && str_hex(text + strlen(prefix), 4, 4, v) ? 0 : -ENOENT;
}
