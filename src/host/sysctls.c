/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "base/text.h"
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
static bool take(char *entry, void *all)
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
	return text_entries(text, ", ", ENTRY_BYTES, take, all);
}

ssize_t sysctls_format(const struct sysctls *all, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (size_t i = 0; i < all->n; i++) {
		text_separate(&t, ", ");
		text_add(&t, "%s/%s %s", all->list[i].folder, all->list[i].file, all->list[i].text);
	}
	return text_length(&t);
}
