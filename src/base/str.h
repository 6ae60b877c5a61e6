/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_STR_H
#define HANDOVER_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that may be absent: NULL equals only NULL. */
bool str_same(const char *a, const char *b);

bool str_starts(const char *s, const char *prefix);

/* The part after the last '/'. */
const char *str_basename(const char *path);

/*
 * Strict numbers: the whole text, digits only (no sign, no space, no prefix), not above max. Leading zeros are
 * refused for decimals, because people read them as octal or as an address. False leaves *value alone.
 */
bool str_decimal(const char *s, uint64_t max, uint64_t *value);
bool str_hex(const char *s, size_t min_digits, size_t max_digits, uint64_t *value);

/* How many letters must change to make a of b; at most limit + 1 is returned. */
unsigned str_distance(const char *a, const char *b, unsigned limit);

/* The word of the NULL-terminated list that is nearest to s, or NULL if none is near enough to be a slip. */
const char *str_nearest(const char *s, const char *const *words);

/* Cuts s into its words, in place: what stands between spaces and tabs. At most max; what is behind is left out. */
size_t str_words(char *s, char **words, size_t max);

/* A word of letters, digits, '-' and '_' that starts with a letter or digit; 1 to max bytes. */
bool str_is_word(const char *s, size_t max);

/* "500ms", "10s", "2m", not above max milliseconds and not zero. False leaves *ms alone. */
bool str_duration(const char *s, unsigned max_ms, unsigned *ms);

/*
 * The name of a unit of systemd with its suffix, as src/basic/unit-name.c has it: letters, digits and ":-_.\\@", at
 * most STR_UNIT_MAX bytes.
 */
#define STR_UNIT_MAX 255
bool str_is_unit(const char *s);

/* "10de:2783" or, with subsystem, "10de:2783:1043:8927". */
bool str_is_pci_id(const char *s);

/* "0000:00:1f.3" as sysfs has it; also without the domain, and without the function, which means the whole slot. */
bool str_is_pci_place(const char *s);

/* "046d:c31c"; "1-2.1", a port as sysfs names it (drivers/usb/core/usb.c, usb_alloc_dev()), behind at most five hubs. */
bool str_is_usb_id(const char *s);
bool str_is_usb_port(const char *s);

/*
 * The name of a network interface: net/core/dev.c, dev_valid_name(), without '%', for which the kernel would fill in a
 * number.
 */
bool str_is_interface(const char *s);

/* Text that strangers chose, for a line that people read: all but printable ASCII becomes '?'. */
void str_harmless(char *s);

/*
 * The full path of a file in one spelling: ASCII that shows, without spaces, no component empty, "." or ".."; 2 to max
 * bytes.
 */
bool str_is_path(const char *s, size_t max);

/* FNV-1a, 64 bit: to notice damage, not to keep secrets. Start with STR_HASH_START. */
#define STR_HASH_START 0xcbf29ce484222325u
uint64_t str_hash(uint64_t hash, const void *data, size_t n);

/* A PCI address "DDDD:BB:DD.F" as sysfs writes it (lower case, 4 to 8 digits of domain). */
struct bdf {
	uint32_t domain;
	uint8_t bus, device, function;
};
#define BDF_TEXT_MAX 24

/* Strict: exactly the text of sysfs. False leaves *bdf alone. */
bool bdf_parse(const char *s, struct bdf *bdf);
void bdf_format(const struct bdf *bdf, char text[BDF_TEXT_MAX]);
int bdf_compare(const struct bdf *a, const struct bdf *b);
bool bdf_same_bus(const struct bdf *a, const struct bdf *b);

#endif
