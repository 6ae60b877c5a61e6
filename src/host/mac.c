/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/mac.h"

bool mac_parse(const char *text, uint8_t mac[MAC_BYTES])
{
	static const uint8_t zero[MAC_BYTES];
	char digits[3] = "", again[MAC_TEXT_BYTES];

	if (strlen(text) != MAC_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < MAC_BYTES; i++) {
		uint64_t byte;

		memcpy(digits, text + i * 3, 2);
		if (!str_hex(digits, 2, 2, &byte) || text[i * 3 + 2] != (i + 1 < MAC_BYTES ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)byte;
	}
	mac_format(mac, again);
	return strcmp(text, again) == 0 && !(mac[0] & 1) && memcmp(mac, zero, MAC_BYTES) != 0;
}

void mac_format(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT_BYTES])
{
	snprintf(text, MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
