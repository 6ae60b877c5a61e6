/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define DISTANCE_WORD_MAX 64
#define INTERFACE_MAX 15	/* IFNAMSIZ with its NUL */
#define USB_LEVEL_MAX 6		/* drivers/usb/core/hub.h, MAX_TOPO_LEVEL */
#define ID_DIGITS 4
#define ID_SHORT_MAX 9		/* strlen("vvvv:dddd") */
#define ID_LONG_MAX 19		/* strlen("vvvv:dddd:ssss:ssss") */

bool str_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

const char *str_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool str_decimal(const char *s, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (!*s || (s[0] == '0' && s[1]))
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v) || v > max)
			return false;
	}
	*value = v;
	return true;
}

bool str_hex(const char *s, size_t min_digits, size_t max_digits, uint64_t *value)
{
	size_t n = strlen(s);
	uint64_t v = 0;

	if (n < min_digits || n > max_digits || n > 16)
		return false;
	for (; *s; s++) {
		int c = tolower((unsigned char)*s);

		if (!isxdigit(c))
			return false;
		v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*value = v;
	return true;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned str_distance(const char *a, const char *b, unsigned limit)
{
	unsigned row[DISTANCE_WORD_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > DISTANCE_WORD_MAX || nb > DISTANCE_WORD_MAX)
		return limit + 1;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb] > limit ? limit + 1 : row[nb];
}

const char *str_nearest(const char *s, const char *const *words)
{
	unsigned limit = strlen(s) < 4 ? 1 : 2, best = limit + 1;
	const char *nearest = NULL;

	for (; *words; words++) {
		unsigned d = str_distance(s, *words, limit);

		if (d < best) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}

size_t str_words(char *s, char **words, size_t max)
{
	size_t n = 0;
	char *word;

	while (n < max && (word = strsep(&s, " \t")) != NULL)
		if (*word)
			words[n++] = word;
	return n;
}

bool str_is_word(const char *s, size_t max)
{
	size_t n = 0;

	if (!isalnum((unsigned char)*s))
		return false;
	for (; s[n]; n++)
		if (!isalnum((unsigned char)s[n]) && s[n] != '-' && s[n] != '_')
			return false;
	return n <= max;
}

bool str_duration(const char *s, unsigned max_ms, unsigned *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };
	size_t n = strspn(s, "0123456789");
	char digits[16];
	uint64_t v;

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, s, n);
	digits[n] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(s + n, units[i].name) == 0 && str_decimal(digits, max_ms / units[i].ms, &v) && v > 0) {
			*ms = (unsigned)(v * units[i].ms);
			return true;
		}
	return false;
}

bool str_is_unit(const char *s)
{
	static const char *const suffixes[] = { ".service", ".socket", ".target", ".timer", ".mount", ".path", ".slice" };
	size_t n = strlen(s);

	if (n > STR_UNIT_MAX || s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t len = strlen(suffixes[i]);

		if (n > len && strcmp(s + n - len, suffixes[i]) == 0)
			return true;
	}
	return false;
}

bool str_is_pci_id(const char *s)
{
	size_t n = strlen(s);

	if (n != ID_SHORT_MAX && n != ID_LONG_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (i % (ID_DIGITS + 1) == ID_DIGITS ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

bool str_is_usb_id(const char *s)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	return strspn(s, hex) == 4 && s[4] == ':' && strspn(s + 5, hex) == 4 && s[9] == '\0';
}

/* A number of at most three digits, and what stands behind it. */
static const char *small_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && n <= 3 && *s != '0' ? s + n : NULL;
}

bool str_is_usb_port(const char *s)
{
	unsigned level = 0;

	for (s = small_number(s); s && *s == (level ? '.' : '-'); s = small_number(s + 1))
		level++;
	return s && *s == '\0' && level && level <= USB_LEVEL_MAX;
}

bool str_is_interface(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= INTERFACE_MAX && strcmp(s, ".") != 0 && strcmp(s, "..") != 0 &&
	       strcspn(s, "/:% \t\n\v\f\r\xa0") == n;
}

void str_harmless(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

bool str_is_path(const char *s, size_t max)
{
	if (*s != '/' || strlen(s) > max)
		return false;
	for (const char *c = s; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	while (*s) {
		size_t n = strcspn(++s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
	}
	return true;
}

uint64_t str_hash(uint64_t hash, const void *data, size_t n)
{
	const unsigned char *p = data;

	while (n--)
		hash = (hash ^ *p++) * 0x100000001b3u;
	return hash;
}

static bool hex_field(const char **s, size_t min_digits, size_t max_digits, char end, uint64_t *value)
{
	size_t n = strspn(*s, "0123456789abcdef");
	char digits[9];

	if (n > max_digits || n >= sizeof(digits) || (*s)[n] != end)
		return false;
	memcpy(digits, *s, n);
	digits[n] = '\0';
	*s += n + (end != '\0');
	return str_hex(digits, min_digits, max_digits, value);
}

bool bdf_parse(const char *s, struct bdf *bdf)
{
	uint64_t domain, bus, device, function;

	/* More than four digits are never written with a zero in front, so that no address has two spellings. */
	if (s[0] == '0' && strcspn(s, ":") > 4)
		return false;
	if (!hex_field(&s, 4, 8, ':', &domain) || !hex_field(&s, 2, 2, ':', &bus) ||
	    !hex_field(&s, 2, 2, '.', &device) || !hex_field(&s, 1, 1, '\0', &function) ||
	    device > 0x1f || function > 7)
		return false;
	*bdf = (struct bdf){ (uint32_t)domain, (uint8_t)bus, (uint8_t)device, (uint8_t)function };
	return true;
}

void bdf_format(const struct bdf *bdf, char text[BDF_TEXT_MAX])
{
	snprintf(text, BDF_TEXT_MAX, "%04x:%02x:%02x.%x", (unsigned)bdf->domain, bdf->bus, bdf->device & 0x1fu,
		 bdf->function & 7u);
}

bool str_is_pci_place(const char *s)
{
	const char *domain = strchr(s, ':') == strrchr(s, ':') ? "0000:" : "", *function = strchr(s, '.') ? "" : ".0";
	char whole[2 * BDF_TEXT_MAX], text[BDF_TEXT_MAX];
	struct bdf bdf;

	if (strlen(s) >= BDF_TEXT_MAX)
		return false;
	snprintf(whole, sizeof(whole), "%s%s%s", domain, s, function);
	if (!bdf_parse(whole, &bdf))
		return false;
	bdf_format(&bdf, text);
	return strcmp(text, whole) == 0;
}

int bdf_compare(const struct bdf *a, const struct bdf *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	if (a->bus != b->bus)
		return a->bus < b->bus ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->function > b->function) - (a->function < b->function);
}

bool bdf_same_bus(const struct bdf *a, const struct bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus;
}
