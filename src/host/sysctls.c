/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/sysctls.h"

#define ENTRY_BYTES 96

const char *const sysctl_folders[SYSCTL_FOLDERS] = { "ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh" };

static const char *folder_of(const char *text)
{
	for (size_t i = 0; i < SYSCTL_FOLDERS; i++)
		if (str_starts(text, sysctl_folders[i]) && text[strlen(sysctl_folders[i])] == '/')
			return sysctl_folders[i];
	return NULL;
}

/* Numbers, of either sign; no kernel has others there but for addresses that it makes itself. */
static bool is_number(const char *text)
{
	size_t n = strspn(text + (*text == '-'), "0123456789");

	return n > 0 && text[n + (*text == '-')] == '\0';
}

static int compare(const struct sysctl *x, const struct sysctl *y)
{
	int c = strcmp(x->folder, y->folder);

	return c ? c : strcmp(x->file, y->file);
}

const struct sysctl *sysctls_find(const struct sysctls *all, const struct sysctl *s)
{
	for (size_t i = 0; i < all->n; i++)
		if (compare(&all->list[i], s) == 0)
			return &all->list[i];
	return NULL;
}

int sysctls_add(struct sysctls *all, const char *folder, const char *file, const char *text)
{
	struct sysctl s = { .folder = folder };
	size_t at = all->n;

	if (!str_is_word(file, sizeof(s.file) - 1) || strlen(text) >= sizeof(s.text) || !is_number(text))
		return -EINVAL;
	strcpy(s.file, file);
	strcpy(s.text, text);
	if (sysctls_find(all, &s))
		return -EINVAL;
	if (all->n == SYSCTLS_MAX)
		return -E2BIG;
	for (; at > 0 && compare(&all->list[at - 1], &s) > 0; at--)
		all->list[at] = all->list[at - 1];
	all->list[at] = s;
	all->n++;
	return 0;
}

/* "ipv4/conf/rp_filter 2" */
static bool take(char *entry, struct sysctls *all)
{
	const char *folder = folder_of(entry);
	char *space = strchr(entry, ' ');

	if (!folder || !space)
		return false;
	*space = '\0';
	return sysctls_add(all, folder, entry + strlen(folder) + 1, space + 1) == 0;
}

int sysctls_parse(const char *text, struct sysctls *all)
{
	all->n = 0;
	while (*text) {
		char entry[ENTRY_BYTES];
		size_t n = strcspn(text, ",");

		if (n >= sizeof(entry))
			return -EINVAL;
		memcpy(entry, text, n);
		entry[n] = '\0';
		if (!take(entry, all))
			return -EINVAL;
		text += n;
		if (*text && (!str_starts(text, ", ") || !text[2]))
			return -EINVAL;
		text += *text ? 2 : 0;
	}
	return 0;
}

ssize_t sysctls_format(const struct sysctls *all, char *buf, size_t size)
{
	size_t n = 0;

	if (size == 0)
		return -E2BIG;
	buf[0] = '\0';
	for (size_t i = 0; i < all->n; i++) {
		const struct sysctl *s = &all->list[i];
		int len = snprintf(buf + n, size - n, "%s%s/%s %s", i ? ", " : "", s->folder, s->file, s->text);

		if (len < 0 || (size_t)len >= size - n)
			return -E2BIG;
		n += (size_t)len;
	}
	return (ssize_t)n;
}
