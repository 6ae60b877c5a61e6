/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "core/yaml.h"

/*
 * What a plain scalar is to a YAML reader: the regular expressions of the YAML 1.1 types (yaml.org/type) and of the
 * core schema of YAML 1.2, both. Where they differ, one of them is a surprise.
 */
#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

static const char *const nothing[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const bools[] = {
	"true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO",
	"on", "On", "ON", "off", "Off", "OFF", "y", "Y", "n", "N", NULL,
};
static const char *const not_finite[] = { ".inf", ".Inf", ".INF", NULL };
static const char *const not_a_number[] = { ".nan", ".NaN", ".NAN", NULL };

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

static const char *skip(const char *s, const char *set)
{
	return s + strspn(s, set);
}

static bool is_all(const char *s, const char *set)
{
	return *s && !*skip(s, set);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_sign(const char *s)
{
	return *s == '+' || *s == '-' ? s + 1 : s;
}

/* (:[0-5]?[0-9])+ : NULL if there is none. */
static const char *skip_sixties(const char *s)
{
	const char *end = NULL;

	while (*s == ':' && is_digit(s[1])) {
		if (s[1] <= '5' && is_digit(s[2]))
			s += 3;
		else
			s += 2;
		end = s;
	}
	return end;
}

/* Whole numbers of base 2, 8, 10, 16 and 60. */
static bool is_int(const char *text)
{
	const char *s = skip_sign(text), *end;

	if (s[0] == '0' && s[1] == 'b')
		return is_all(s + 2, "01_");
	if (s[0] == '0' && s[1] == 'x')
		return is_all(s + 2, HEX_DIGITS "_");
	if (s[0] == '0' && s[1] == 'o')
		return s == text && is_all(s + 2, "01234567");
	if (is_all(s, DIGITS) || (*s == '0' && is_all(s, "01234567_")))
		return true;
	if (*s < '1' || *s > '9')
		return false;
	s = skip(s, DIGITS "_");
	end = skip_sixties(s);
	return !*s || (end && !*end);
}

/* [eE][-+]?[0-9]+ to the end; *sign tells whether a sign stood there. */
static bool is_exponent(const char *s, bool *sign)
{
	if (*s != 'e' && *s != 'E')
		return false;
	*sign = s[1] == '+' || s[1] == '-';
	return is_all(skip_sign(s + 1), DIGITS);
}

/* Only YAML 1.1 allows '_', and only with a point and a signed exponent. */
static bool is_decimal_float(const char *s)
{
	bool underscore, point, sign = true;
	const char *start = s, *fraction;

	if (is_digit(*s))
		s = skip(s, DIGITS "_");
	point = *s == '.';
	if (!point && s == start)
		return false;
	fraction = s + point;
	if (s == start && !is_digit(*fraction))
		return false;
	s = point ? skip(fraction, DIGITS "_") : s;
	underscore = memchr(start, '_', (size_t)(s - start)) != NULL;
	if (!*s)
		return point;
	return is_exponent(s, &sign) && (!underscore || (point && sign));
}

static bool is_float(const char *text)
{
	const char *s = skip_sign(text), *end;

	if (is_one_of(s, not_finite) || is_one_of(text, not_a_number))
		return true;
	end = is_digit(*s) ? skip_sixties(skip(s, DIGITS "_")) : NULL;
	if (end && *end == '.' && !*skip(end + 1, DIGITS "_"))
		return true;
	return is_decimal_float(s);
}

/* min to max digits, and then one character of next ("" = the end); NULL if not. */
static const char *skip_digits(const char *s, size_t min, size_t max, const char *next)
{
	size_t n = s ? strspn(s, DIGITS) : 0;

	if (!s || n < min || n > max || (*next ? !s[n] || !strchr(next, s[n]) : s[n]))
		return NULL;
	return s + n + (*next != '\0');
}

/* The time after a date: "10:20:30", ".5", and "Z" or "+02:00". */
static bool is_time(const char *s)
{
	s = skip_digits(s, 1, 2, ":");
	s = skip_digits(s, 2, 2, ":");
	if (!s || !is_digit(s[0]) || !is_digit(s[1]))
		return false;
	s += 2;
	if (*s == '.')
		s = skip(s + 1, DIGITS);
	s = skip(s, " \t");
	if (*s == 'Z')
		return !s[1];
	if (*s != '+' && *s != '-')
		return !*s && s[-1] != ' ' && s[-1] != '\t';
	return skip_digits(s + 1, 1, 2, "") || skip_digits(skip_digits(s + 1, 1, 2, ":"), 2, 2, "");
}

static bool is_timestamp(const char *text)
{
	const char *month = skip_digits(text, 4, 4, "-"), *day;

	if (skip_digits(skip_digits(month, 2, 2, "-"), 2, 2, ""))
		return true;
	day = skip_digits(month, 1, 2, "-");
	if (!day)
		return false;
	if (skip_digits(day, 1, 2, "Tt"))
		return is_time(skip_digits(day, 1, 2, "Tt"));
	return skip_digits(day, 1, 2, " \t") && is_time(skip(skip_digits(day, 1, 2, " \t"), " \t"));
}

const char *yaml_surprise(const char *text)
{
	if (is_one_of(text, nothing))
		return "no value";
	if (is_one_of(text, bools))
		return "true or false";
	if (is_int(text) || is_float(text))
		return "a number";
	if (is_timestamp(text))
		return "a time";
	if (strcmp(text, "<<") == 0)
		return "a merge key";
	return strcmp(text, "=") == 0 ? "a default value" : NULL;
}
