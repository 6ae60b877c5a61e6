/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "core/pveprops.h"

#define DOMAIN_DIGITS 4
#define ID_DIGITS 4
#define MAPPING_MIN 2

int props_flag(const char *s)
{
	static const char *const yes[] = { "1", "on", "yes", "true" }, *const no[] = { "0", "off", "no", "false" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return 1;
		if (strcasecmp(s, no[i]) == 0)
			return 0;
	}
	return -1;
}

bool props_is_mapping(const char *s)
{
	size_t n = strlen(s);

	if (n < MAPPING_MIN || !isalpha((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_' && *s != '-')
			return false;
	return true;
}

bool props_is_node(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-')
			return false;
	return true;
}

bool props_is_id(const char *s)
{
	for (size_t i = 0; i < 2 * ID_DIGITS + 1; i++)
		if (i == ID_DIGITS ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return false;
	return s[2 * ID_DIGITS + 1] == '\0';
}

/* How many hex digits in small letters s begins with. */
static size_t digits(const char *s)
{
	return strspn(s, "0123456789abcdef");
}

/* Exactly n of them, and moves behind. */
static bool take_digits(const char **s, size_t n)
{
	if (digits(*s) != n)
		return false;
	*s += n;
	return true;
}

/* Where an address ends; NULL: it is none. */
static const char *address_end(const char *s, bool with_domain)
{
	size_t n = digits(s);

	if (n >= DOMAIN_DIGITS && s[n] == ':')
		s += n + 1;
	else if (with_domain)
		return NULL;
	if (!take_digits(&s, 2) || *s++ != ':' || !take_digits(&s, 2))
		return NULL;
	if (*s == '.') {
		s++;
		return take_digits(&s, 1) ? s : NULL;
	}
	return s;
}

static bool is_list(const char *s, bool with_domain)
{
	for (;;) {
		s = address_end(s, with_domain);
		if (!s || *s == '\0')
			return s;
		if (*s++ != ';')
			return false;
	}
}

bool props_is_pci_list(const char *s)
{
	return is_list(s, false);
}

bool props_is_pci_list_with_domain(const char *s)
{
	return is_list(s, true);
}

bool props_is_usb_port(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || s[n] != '-')
		return false;
	do {
		s += n + 1;
		n = strspn(s, "0123456789");
	} while (n && s[n] == '.');
	return n && s[n] == '\0';
}

static bool is_integer(const char *s)
{
	s += *s == '+' || *s == '-';
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static size_t find(const struct prop *format, size_t n, const char *key)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (key ? strcmp(format[i].key, key) == 0 : format[i].is_default)
			break;
	return i;
}

static const char *shown(const char *text, struct arena *a)
{
	char *copy = arena_fmt(a, "%.100s", text);

	str_harmless(copy);
	return copy;
}

/* NULL, or why the value is refused. */
static const char *check(const struct prop *p, const char **value, struct arena *a)
{
	int flag = p->kind == PROP_FLAG ? props_flag(*value) : 0;

	if (p->kind == PROP_FLAG && flag >= 0)
		*value = flag ? "1" : "0";
	else if (p->kind == PROP_FLAG)
		return arena_fmt(a, "'%s' cannot be '%s', only 0 or 1", p->key, shown(*value, a));
	else if (p->kind == PROP_INTEGER && !is_integer(*value))
		return arena_fmt(a, "'%s' cannot be '%s', only a whole number", p->key, shown(*value, a));
	else if (p->fits && !p->fits(*value))
		return arena_fmt(a, "'%s' cannot be '%s', only %s", p->key, shown(*value, a), p->what);
	return NULL;
}

static const char *take(char *part, const struct prop *format, size_t n, const char **values, struct arena *a)
{
	char *eq = strchr(part, '=');
	const char *value = eq ? eq + 1 : part;
	size_t i;

	if (eq == part || (eq && !*value))
		return arena_fmt(a, "'%s' has no %s", shown(part, a), eq == part ? "key" : "value");
	if (eq)
		*eq = '\0';
	i = find(format, n, eq ? part : NULL);
	/* A key of a later Proxmox is no reason to keep a VM from starting; 'driver' came with qemu-server 9.0.25. */
	if (i == n)
		return eq ? NULL : arena_fmt(a, "'%s' has no key", shown(part, a));
	if (values[i])
		return arena_fmt(a, "'%s' is given twice", format[i].key);
	values[i] = value;
	return check(&format[i], &values[i], a);
}

const char *props_parse(const char *text, const struct prop *format, size_t n, const char **values, struct arena *a)
{
	char *at = arena_dup(a, text), *part;

	memset(values, 0, n * sizeof(*values));
	while ((part = strsep(&at, ",")) != NULL) {
		const char *why;

		if (part[strspn(part, " \t\r\v\f")] == '\0')
			continue;
		why = take(part, format, n, values, a);
		if (why)
			return why;
	}
	for (size_t i = 0; i < n; i++)
		if (format[i].required && !values[i])
			return arena_fmt(a, "'%s' is missing", format[i].key);
	return NULL;
}
