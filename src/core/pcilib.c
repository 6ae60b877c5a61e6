/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/pcilib.h"

#define NAME_BYTES 256
#define ROW_BYTES 16
#define HEADER_BYTES 64	/* of config space: the standard header, which anybody may read */

/* libpci's error callback must not return (lib/pci.h), so it jumps; nothing of ours is held while libpci runs. */
static jmp_buf fence;

__attribute__((noreturn)) static void on_error(char *msg, ...)
{
	(void)msg;
	longjmp(fence, 1);
}

static void on_message(char *msg, ...)
{
	(void)msg;
}

/*
 * In the dump a function is named by its place in the inventory: libpci's reader knows four digits of domain only,
 * and hosts with VMD or Hyper-V have more.
 */
static unsigned index_of(const struct pci_dev *d)
{
	return (unsigned)d->bus << 8 | (unsigned)d->dev << 3 | d->func;
}

/* A row of the dump, as `lspci -x` prints it. Rows of zeros are left out: what a dump does not give is zero. */
static void write_row(FILE *out, size_t at, const unsigned char *bytes, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	char line[3 * ROW_BYTES + 1], *to = line;

	for (size_t i = 0; i < n; i++) {
		*to++ = ' ';
		*to++ = digit[bytes[i] >> 4];
		*to++ = digit[bytes[i] & 0xf];
	}
	*to = '\0';
	fprintf(out, "%02zx:%s\n", at, line);
}

static void write_function(FILE *out, unsigned i, const unsigned char *config, size_t size)
{
	static const unsigned char zeros[ROW_BYTES];

	fprintf(out, "%02x:%02x.%x x\n", i >> 8, i >> 3 & 0x1f, i & 7);
	for (size_t at = 0; at < size; at += ROW_BYTES) {
		size_t n = size - at < ROW_BYTES ? size - at : ROW_BYTES;

		if (memcmp(config + at, zeros, n) != 0 || at + n == size)
			write_row(out, at, config + at, n);
	}
	fputc('\n', out);
}

static int write_dump(const struct inventory *inv, const unsigned char *const *configs, const size_t *sizes, int fd)
{
	FILE *out = fdopen(dup(fd), "w");

	if (!out)
		return -errno;
	for (unsigned i = 0; i < inv->n && i < 0x10000; i++)
		if (sizes[i] >= HEADER_BYTES)
			write_function(out, i, configs[i], sizes[i]);
	return fclose(out) ? -EIO : 0;
}

static void add_capabilities(struct function *f, const struct pci_dev *d)
{
	for (const struct pci_cap *c = d->first_cap; c; c = c->next) {
		if (f->n_capabilities == FUNCTION_CAPABILITIES_MAX)
			return;
		f->capabilities[f->n_capabilities++] = (struct capability){ c->id, c->type == PCI_CAP_EXTENDED };
	}
}

static void decode(struct function *f, struct pci_dev *d)
{
	struct pci_cap *acs;

	pci_fill_info(d, PCI_FILL_IDENT | PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
	f->has_config = true;
	f->header = pci_read_byte(d, PCI_HEADER_TYPE);
	f->bridge = f->bridge || (f->header & 0x7f) != PCI_HEADER_TYPE_NORMAL;
	f->pcie = pci_find_cap(d, PCI_CAP_ID_EXP, PCI_CAP_NORMAL) != NULL;
	acs = pci_find_cap(d, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);
	f->has_acs = acs != NULL;
	if (acs)
		f->acs_control = pci_read_word(d, (int)acs->addr + PCI_ACS_CTRL);
	add_capabilities(f, d);
}

static void use(struct pci_access *acc, struct inventory *inv)
{
	pci_init(acc);
	pci_scan_bus(acc);
	for (struct pci_dev *d = acc->devices; d; d = d->next)
		if (index_of(d) < inv->n)
			decode(&inv->functions[index_of(d)], d);
}

static struct pci_access *access_new(void)
{
	struct pci_access *acc = pci_alloc();

	acc->error = on_error;
	acc->warning = on_message;
	acc->debug = on_message;
	return acc;
}

int pcilib_decode(struct inventory *inv, const unsigned char *const *configs, const size_t *sizes, struct error *err)
{
	struct pci_access *volatile acc = NULL;
	char path[64];
	int fd = memfd_create("config-space", MFD_CLOEXEC), code;

	if (fd < 0)
		return error_errno(err, -errno, "cannot make room for the config spaces");
	code = write_dump(inv, configs, sizes, fd);
	if (code < 0) {
		close(fd);
		return error_errno(err, code, "cannot gather the config spaces");
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (setjmp(fence) == 0) {
		acc = access_new();
		acc->method = PCI_ACCESS_DUMP;
		pci_set_param(acc, (char *)"dump.name", path);
		use(acc, inv);
		pci_cleanup(acc);
	} else {
		code = error_set(err, -EIO, "libpci cannot read the config spaces");
	}
	close(fd);
	return code;
}

/* Kept for the life of the process: reading pci.ids is what costs. */
static struct pci_access *names;

/* Leaves buf alone if libpci gives up. */
static void ask(char *buf, int size, int flags, int x, int y)
{
	char answer[NAME_BYTES];

	if (setjmp(fence))
		return;
	if (!names)
		names = access_new();
	if (pci_lookup_name(names, answer, sizeof(answer), flags, x, y))
		snprintf(buf, (size_t)size, "%s", answer);
}

static const char *lookup(struct arena *a, int flags, int x, int y)
{
	char buf[NAME_BYTES] = "";

	ask(buf, sizeof(buf), flags, x, y);
	return arena_dup(a, buf);
}

const char *function_name(const struct function *fn, struct arena *a)
{
	return lookup(a, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, fn->vendor, fn->device);
}

const char *function_class_name(const struct function *fn, struct arena *a)
{
	return lookup(a, PCI_LOOKUP_CLASS, (int)(fn->class >> 8), 0);
}
