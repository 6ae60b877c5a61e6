/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/bits.h"
#include "host/children.h"
#include "host/fdb.h"
#include "host/host.h"
#include "host/ipwords.h"
#include "host/names.h"
#include "host/settings.h"
#include "host/sysctls.h"
#include "host/vlans.h"

/*
 * Any text is what is written to a network interface; what is taken of it is written again, taken for the same, and
 * written alike.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define TEXT_BYTES (64 * 1024)
#define SMALL 40	/* there is no room for all in less, and that is said */

/* What is read from a text; all of them at once would be too much for the stack. */
static union {
	struct names names;
	struct bits bits;
	struct children children;
	struct fdb fdb;
	struct vlans vlans;
	struct sysctls sysctls;
	struct ip_addresses addresses;
	struct ip_routes routes;
	struct setting_value settings[SETTINGS_MAX];
} read;

#define KIND(kind) \
	static ssize_t again_##kind(const char *text, char *buf) \
	{ \
		if (kind##_parse(text, (void *)&read) < 0) \
			return -1; \
		for (size_t size = 0; size < SMALL; size++) \
			if (kind##_format((void *)&read, buf, size) >= (ssize_t)size) \
				abort(); \
		return kind##_format((void *)&read, buf, TEXT_BYTES); \
	}

KIND(names)
KIND(bits)
KIND(children)
KIND(fdb)
KIND(vlans)
KIND(sysctls)
KIND(ip_addresses)
KIND(ip_routes)

/* What a text has on is known and on, and something else is neither. */
static ssize_t again_features(const char *text, char *buf)
{
	if (bits_parse(text, &read.bits) < 0)
		return -1;
	for (size_t i = 0; i < read.bits.n; i++)
		if (!bits_know(&read.bits, read.bits.list[i].name) || !bits_have(&read.bits, read.bits.list[i].name))
			abort();
	if (bits_have(&read.bits, "no name") || bits_know(&read.bits, ""))
		abort();
	/* One that is off is not told. */
	if (bits_add(&read.bits, "off", false) == 0 && bits_have(&read.bits, "off"))
		abort();
	return bits_format(&read.bits, buf, TEXT_BYTES);
}

static ssize_t again_settings(const struct setting *table, size_t n, const char *text, char *buf)
{
	if (settings_parse(table, n, text, read.settings) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct setting_value usual = { false, table[i].usual };

		/* What is left as it is has the value already. */
		if (setting_change(&table[i], &read.settings[i], &read.settings[i]).is_known && read.settings[i].is_known)
			abort();
		setting_change(&table[i], &usual, &read.settings[i]);
		port_cost_is_automatic(read.settings[i].number);
	}
	for (size_t size = 0; size < SMALL; size++)
		if (settings_format(table, n, read.settings, buf, size) >= (ssize_t)size)
			abort();
	return settings_format(table, n, read.settings, buf, TEXT_BYTES);
}

static ssize_t again_link(const char *text, char *buf)
{
	return again_settings(link_settings, LINK_SETTINGS, text, buf);
}

static ssize_t again_port(const char *text, char *buf)
{
	return again_settings(port_settings, PORT_SETTINGS, text, buf);
}

/* What the card chooses itself is no longer there when it is read again. */
static ssize_t again_card(const struct card_settings *card, const char *text, char *buf)
{
	if (settings_parse(card->settings, card->n, text, read.settings) < 0)
		return -1;
	if (card->leave_out)
		card->leave_out(read.settings);
	return settings_format(card->settings, card->n, read.settings, buf, TEXT_BYTES);
}

static ssize_t again_coalesce(const char *text, char *buf)
{
	return again_card(&card_coalesce, text, buf);
}

static ssize_t again_pause(const char *text, char *buf)
{
	return again_card(&card_pause, text, buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static ssize_t (*const kinds[])(const char *text, char *buf) = {
		again_names, again_bits, again_children, again_features, again_fdb, again_vlans, again_sysctls, again_ip_addresses,
		again_ip_routes, again_link, again_port, again_coalesce, again_pause,
	};
	static char text[HOST_VALUE_BYTES], once[TEXT_BYTES], twice[TEXT_BYTES];

	if (n >= sizeof(text))
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		ssize_t len = kinds[i](text, once);

		if (len == -1)
			continue;
		if (len < 0 || (size_t)len != strlen(once) || kinds[i](once, twice) != len || strcmp(once, twice) != 0)
			abort();
	}
	return 0;
}
