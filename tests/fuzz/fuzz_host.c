/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/inventory.h"
#include "host/hostfile.h"
#include "host/sim.h"

/*
 * Any bytes are a host or one line that says why not. A host can be listed, dumped and captured; its capture is a host
 * again, whose capture is the same text; and its functions are the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good)
{
	if (!good)
		abort();
}

static void touch_error(const struct error *err)
{
	require(err->code < 0 && strncmp(err->text, "fuzz.host", 9) == 0 && !strchr(err->text, '\n'));
}

static struct host *parse(const char *text, size_t n)
{
	struct host *h = NULL;
	struct error err = { 0 };

	if (hostfile_parse(text, n, "fuzz.host", &h, &err) == 0)
		return h;
	touch_error(&err);
	require(h == NULL);
	return NULL;
}

static const char *capture(struct arena *a, struct host *h)
{
	char *text = NULL, *copy;
	struct error err;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	require(out != NULL);
	require(hostfile_write(h, "made by a fuzzer", out, &err) == 0);
	fclose(out);
	copy = arena_dupn(a, text, n);
	free(text);
	return copy;
}

static void dump(struct host *h)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	require(out != NULL);
	sim_dump(h, out);
	fclose(out);
	free(text);
}

/* The bus is always made; but a text may have a link on the way to it that leads nowhere. */
static bool has_bus(struct arena *a, struct host *h)
{
	char **names;
	size_t n;

	return host_list(h, "sys/bus/pci/devices", a, &names, &n) == 0;
}

static void touch_inventory(struct arena *a, struct host *h, struct inventory *inv)
{
	struct error err;

	require(inventory_read(h, a, inv, &err) == 0);
	for (size_t i = 0; i < inv->n; i++) {
		const struct function *fn = &inv->functions[i];

		require(inventory_find(inv, fn->address) == fn);
		require(i == 0 || bdf_compare(&inv->functions[i - 1].bdf, &fn->bdf) < 0);
		require(fn->id && fn->modules && fn->n_capabilities <= FUNCTION_CAPABILITIES_MAX);
		require(fn->has_config || (!fn->header && !fn->pcie && !fn->has_acs && !fn->n_capabilities));
	}
}

static void require_same(struct host *h, const struct function *x, const struct function *y)
{
	char name[HOST_NAME_BYTES], link[HOST_VALUE_BYTES];

	require(strcmp(x->address, y->address) == 0 && strcmp(x->id, y->id) == 0 && x->class == y->class);
	/* A file of that name is no driver, and is not captured. */
	snprintf(name, sizeof(name), "sys/bus/pci/devices/%s/driver", x->address);
	if (host_link(h, name, link, sizeof(link)) >= 0)
		require(str_same(x->driver, y->driver));
}

/* Whether all files of bytes are config spaces; of others a capture has only what is text. */
static bool is_text(const char *data, size_t n)
{
	static const char bytes[] = "\nH: ", config[] = "config";

	for (const char *at = data; (at = memmem(at, n - (size_t)(at - data), bytes, strlen(bytes))) != NULL; at++)
		if (n - (size_t)(at - data) < strlen(bytes) + strlen(config) ||
		    memcmp(at + strlen(bytes), config, strlen(config)) != 0 ||
		    !memchr("=+", at[strlen(bytes) + strlen(config)], 2))
			return false;
	return true;
}

static void recapture(struct arena *a, struct host *h, const struct inventory *inv)
{
	const char *text = capture(a, h);
	struct host *copy = parse(text, strlen(text));
	struct inventory again;

	require(copy != NULL);
	require(strcmp(capture(a, copy), text) == 0);
	touch_inventory(a, copy, &again);
	require(inv->n == again.n);
	for (size_t i = 0; i < inv->n; i++)
		require_same(h, &inv->functions[i], &again.functions[i]);
	host_close(copy);
}

static void poke(struct host *h, const struct inventory *inv)
{
	struct host_stuck stuck;

	for (size_t i = 0; i < inv->n && i < 4; i++) {
		const char *address = inv->functions[i].address;
		char name[HOST_NAME_BYTES];

		snprintf(name, sizeof(name), "sys/bus/pci/devices/%s/driver_override", address);
		host_write(h, name, "vfio-pci", 1000, &stuck);
		snprintf(name, sizeof(name), "sys/bus/pci/devices/%s/driver/unbind", address);
		host_write(h, name, address, 1000, &stuck);
		host_write(h, "sys/bus/pci/drivers_probe", address, 1000, &stuck);
		host_write(h, "module/vfio_pci", "load", 1000, &stuck);
		host_write(h, "sys/bus/pci/drivers/vfio-pci/bind", address, 1000, &stuck);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = parse((const char *)data, n);
	struct inventory inv;

	if (!h)
		return 0;
	dump(h);
	if (has_bus(a, h)) {
		touch_inventory(a, h, &inv);
		capture(a, h);
		if (is_text((const char *)data, n))
			recapture(a, h, &inv);
		poke(h, &inv);
		dump(h);
	}
	host_close(h);
	return 0;
}
