/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "core/ip.h"

#define BYTE_BITS 8
#define BYTE_DIGITS 2
#define WORD_BYTES 4

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2. */
static void unmap(struct ip *ip)
{
	static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	uint8_t v4[IP4_BYTES];

	if (!ip->v6 || memcmp(ip->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memcpy(v4, ip->bytes + sizeof(mapped), sizeof(v4));
	*ip = (struct ip){ 0 };
	memcpy(ip->bytes, v4, sizeof(v4));
}

bool ip_parse(const char *s, struct ip *ip)
{
	char text[INET6_ADDRSTRLEN];
	struct ip found = { 0 };
	size_t n = strcspn(s, "%");

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	found.v6 = strchr(text, ':') != NULL;
	if (inet_pton(found.v6 ? AF_INET6 : AF_INET, text, found.bytes) != 1)
		return false;
	unmap(&found);
	*ip = found;
	return true;
}

/* n bytes of hex at s. */
static bool take_bytes(const char *s, size_t n, uint8_t *bytes)
{
	char pair[BYTE_DIGITS + 1] = "";
	uint64_t v;

	for (size_t i = 0; i < n; i++) {
		memcpy(pair, s + i * BYTE_DIGITS, BYTE_DIGITS);
		if (!str_hex(pair, BYTE_DIGITS, BYTE_DIGITS, &v))
			return false;
		bytes[i] = (uint8_t)v;
	}
	return true;
}

bool ip_from_words(const char *hex, struct ip *ip)
{
	size_t n = strlen(hex);
	uint8_t bytes[IP_BYTES];
	struct ip found = { .v6 = n == IP_BYTES * BYTE_DIGITS };

	if ((n != IP4_BYTES * BYTE_DIGITS && !found.v6) || !take_bytes(hex, n / BYTE_DIGITS, bytes))
		return false;
	for (size_t i = 0; i < n / BYTE_DIGITS; i++)
		found.bytes[i] = bytes[i - i % WORD_BYTES + WORD_BYTES - 1 - i % WORD_BYTES];
	unmap(&found);
	*ip = found;
	return true;
}

bool ip6_from_hex(const char *hex, struct ip *ip)
{
	struct ip found = { .v6 = true };

	if (strlen(hex) != IP_BYTES * BYTE_DIGITS || !take_bytes(hex, IP_BYTES, found.bytes))
		return false;
	*ip = found;
	return true;
}

const char *ip_text(const struct ip *ip, struct arena *a)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->bytes, text, sizeof(text));
	return arena_dup(a, text);
}

bool ip_same(const struct ip *x, const struct ip *y)
{
	return x->v6 == y->v6 && memcmp(x->bytes, y->bytes, sizeof(x->bytes)) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[IP_BYTES] = { [IP_BYTES - 1] = 1 };

	return ip->v6 ? memcmp(ip->bytes, one, sizeof(one)) == 0 : ip->bytes[0] == 127;
}

bool ip_is_link_local(const struct ip *ip)
{
	if (ip->v6)
		return ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
	return ip->bytes[0] == 169 && ip->bytes[1] == 254;
}

bool ip_is_multicast(const struct ip *ip)
{
	return ip->v6 ? ip->bytes[0] == 0xff : (ip->bytes[0] & 0xf0) == 0xe0;
}

struct ip ip_masked(const struct ip *ip, unsigned prefix)
{
	struct ip masked = { .v6 = ip->v6 };

	for (unsigned i = 0; i < IP_BYTES && i * BYTE_BITS < prefix; i++) {
		unsigned bits = prefix - i * BYTE_BITS, mask = bits >= BYTE_BITS ? 0xffu : 0xffu << (BYTE_BITS - bits);

		masked.bytes[i] = (uint8_t)(ip->bytes[i] & mask);
	}
	return masked;
}
