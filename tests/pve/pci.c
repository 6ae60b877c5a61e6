/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start does with hostpci lines, after pre-start: PVE/QemuServer/PCI.pm; pve-common, PVE/SysFSTools.pm. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "pve.h"

#define DEVICES "/sys/bus/pci/devices"
#define VFIO "/sys/bus/pci/drivers/vfio-pci"
#define RESERVATIONS RUN "/pci-id-reservations"
#define HOSTPCI_MAX 16
#define FUNCTIONS_MAX 32
#define RESERVED_S 35		/* the start's timeout and 5 s */

struct functions {
	char name[FUNCTIONS_MAX][TEXT_BYTES];
	size_t n;
	bool missing;
};

bool has_hostpci(const struct guest *g)
{
	char key[TEXT_BYTES], value[TEXT_BYTES];

	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (conf_get(g, text_of(key, "hostpci%d", i), value))
			return true;
	return false;
}

static bool injected(const char *what)
{
	const char *fail = getenv("PVE_FAIL");

	return fail && strcmp(fail, what) == 0;
}

/* All that begin with it, as Proxmox looks for them: "0000:01:00" is every function of the slot. */
static void find_functions(const char *id, struct functions *f)
{
	char full[TEXT_BYTES];
	DIR *dir = opendir(DEVICES);
	size_t before = f->n;
	struct dirent *e;

	text_of(full, strchr(id, ':') == strrchr(id, ':') ? "0000:%s" : "%s", id);
	while (dir && (e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, full, strlen(full)) == 0 && f->n < FUNCTIONS_MAX)
			text_of(f->name[f->n++], "%s", e->d_name);
	if (dir)
		closedir(dir);
	f->missing = f->missing || f->n == before;
}

static void functions_of(const struct guest *g, struct functions *f)
{
	char key[TEXT_BYTES], value[TEXT_BYTES];

	*f = (struct functions){ .n = 0 };
	for (int i = 0; i < HOSTPCI_MAX; i++) {
		char *at = value, *id;

		if (!conf_get(g, text_of(key, "hostpci%d", i), value))
			continue;
		value[strcspn(value, ",")] = '\0';
		if (strncmp(at, "host=", strlen("host=")) == 0)
			at += strlen("host=");
		while ((id = strsep(&at, ";")) != NULL)
			find_functions(id, f);
	}
}

/* --- reservations ----------------------------------------------------------------------------------------------- */

static bool counts(const char *id, const char *how)
{
	struct guest g = { .id = id };

	if (strncmp(how, "time:", strlen("time:")) == 0)
		return strtol(how + strlen("time:"), NULL, 10) >= time(NULL);
	return strncmp(how, "pid:", strlen("pid:")) == 0 && strtol(how + strlen("pid:"), NULL, 10) == qemu_pid(&g);
}

static bool is_one_of(const struct functions *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->name[i], name) == 0)
			return true;
	return false;
}

/* Copies what is others' and still counts; false if one of the functions is among it. */
static bool keep_others(const struct guest *g, const struct functions *f, FILE *to)
{
	char line[TEXT_BYTES], name[TEXT_BYTES], id[TEXT_BYTES], how[TEXT_BYTES];
	FILE *from = fopen(RESERVATIONS, "re");
	bool is_free = true;

	while (from && fgets(line, sizeof(line), from)) {
		if (sscanf(line, "%511s %511s %511s", name, id, how) != 3 || strcmp(id, g->id) == 0 || !counts(id, how))
			continue;
		fputs(line, to);
		if (f && is_one_of(f, name)) {
			say("PCI device '%s' already in use by VMID '%s'", name, id);
			is_free = false;
		}
	}
	if (from)
		fclose(from);
	return is_free;
}

/* With how = NULL ours go. */
static bool reserve(const struct guest *g, const struct functions *f, const char *how)
{
	int lock = open(RESERVATIONS ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	FILE *to = fopen(RESERVATIONS ".new", "we");
	bool is_free;

	if (lock < 0 || !to || flock(lock, LOCK_EX) < 0)
		quit("cannot write " RESERVATIONS);
	is_free = keep_others(g, how ? f : NULL, to);
	for (size_t i = 0; how && is_free && i < f->n; i++)
		fprintf(to, "%s %s %s\n", f->name[i], g->id, how);
	fclose(to);
	if (is_free)
		rename(RESERVATIONS ".new", RESERVATIONS);
	close(lock);
	return is_free;
}

/* --- binding ---------------------------------------------------------------------------------------------------- */

static bool value_of(const char *device, const char *file, char value[TEXT_BYTES])
{
	char path[TEXT_BYTES];

	return first_line(text_of(path, DEVICES "/%s/%s", device, file), value);
}

static bool is_vfio(const char *device)
{
	char path[TEXT_BYTES];

	return access(text_of(path, VFIO "/%s", device), F_OK) == 0;
}

static bool bind_device(const char *device)
{
	char vendor[TEXT_BYTES], id[TEXT_BYTES], path[TEXT_BYTES], text[TEXT_BYTES];

	if (is_vfio(device))
		return true;
	/* The engine was to do this before; what it left out is written here for ever. */
	trace("new_id");
	if (!value_of(device, "vendor", vendor) || !value_of(device, "device", id))
		return false;
	if (!write_file(VFIO "/new_id", text_of(text, "%s %s", vendor + 2, id + 2)) && errno != EEXIST)
		return false;
	if (access(text_of(path, DEVICES "/%s/driver", device), F_OK) == 0 && !is_vfio(device))
		write_file(text_of(path, DEVICES "/%s/driver/unbind", device), device);
	return is_vfio(device) || write_file(VFIO "/bind", device);
}

static bool bind_group(const char *device)
{
	char path[TEXT_BYTES];
	DIR *dir = opendir(text_of(path, DEVICES "/%s/iommu_group/devices", device));
	bool bound = dir != NULL;
	struct dirent *e;

	while (bound && (e = readdir(dir)) != NULL) {
		if (*e->d_name == '.' || access(text_of(path, DEVICES "/%s/pci_bus", e->d_name), F_OK) == 0)
			continue;
		bound = bind_device(e->d_name);
	}
	if (dir)
		closedir(dir);
	if (!bound)
		say("Cannot bind %s to vfio", device);
	else if (access(text_of(path, DEVICES "/%s/reset", device), F_OK) == 0 && !write_file(path, "1"))
		say("error writing '1' to '%s': failed to reset PCI device '%s', but trying to continue", path, device);
	return bound;
}

const char *pci_prepare(const struct guest *g)
{
	struct functions f;
	char how[TEXT_BYTES];

	functions_of(g, &f);
	if (f.missing || injected("missing"))
		return "missing";
	text_of(how, "time:%ld", (long)time(NULL) + RESERVED_S);
	if ((f.n && !reserve(g, &f, how)) || injected("reserved"))
		return "reserved";
	if (f.n && access(VFIO, F_OK) < 0 && system("modprobe vfio-pci") != 0)
		return "bind";
	for (size_t i = 0; i < f.n; i++)
		if (!bind_group(f.name[i]))
			return "bind";
	return injected("bind") ? "bind" : NULL;
}

void pci_started(const struct guest *g)
{
	struct functions f;
	char how[TEXT_BYTES];

	functions_of(g, &f);
	if (f.n)
		reserve(g, &f, text_of(how, "pid:%d", qemu_pid(g)));
}

void pci_release(const struct guest *g)
{
	reserve(g, NULL, NULL);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool pci_function(const struct guest *g, size_t *at, char name[TEXT_BYTES])
{
	struct functions f;

	functions_of(g, &f);
	if (*at >= f.n)
		return false;
	/* PVE/SysFSTools.pm, lspci: sorted. */
	qsort(f.name, f.n, sizeof(*f.name), by_name);
	text_of(name, "%s", f.name[(*at)++]);
	return true;
}

bool pci_node(const struct guest *g, size_t *at, char node[TEXT_BYTES])
{
	char path[TEXT_BYTES], group[TEXT_BYTES];
	struct functions f;
	ssize_t n;

	functions_of(g, &f);
	for (; *at < f.n; (*at)++) {
		n = readlink(text_of(path, DEVICES "/%s/iommu_group", f.name[*at]), group, sizeof(group) - 1);
		if (n <= 0)
			continue;
		group[n] = '\0';
		text_of(node, "/dev/vfio%s", strrchr(group, '/'));
		(*at)++;
		return access(node, F_OK) == 0;
	}
	return false;
}
