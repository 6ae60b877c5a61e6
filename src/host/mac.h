/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_MAC_H
#define HANDOVER_MAC_H

#include <stdbool.h>
#include <stdint.h>

/* An Ethernet address and its text, "52:54:00:00:00:01", in small letters. */
#define MAC_BYTES 6
#define MAC_TEXT_BYTES 18

/* Strict: exactly that text, of an address that an interface may have (include/linux/etherdevice.h, is_valid_ether_addr()). */
bool mac_parse(const char *text, uint8_t mac[MAC_BYTES]);
void mac_format(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT_BYTES]);

#endif
