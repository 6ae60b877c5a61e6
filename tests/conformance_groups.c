/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slot 1f, whose functions share a group as the host boots: into which one each comes when it is found again. Numbers
 * of groups are given anew each time, so only who is with whom is asked.
 */
#include <stdio.h>
#include <string.h>

#include "conformance.h"

#define SLOT "0000:00:1f."
#define ROOT_BUS BUSES "0000:00/rescan"

/* The driver each function has by nature; of the slot's eight places most are empty. */
static const char *const *drivers;

static const char *const drivers_seed[8] = { "lpc_ich", NULL, NULL, "snd_hda_intel", NULL, NULL, "e1000", NULL };
static const char *const drivers_builtin[8] = { "lpc_ich", NULL, "ahci", "i801_smbus", NULL, "snd_hda_intel", "e1000" };

struct address {
	char text[16];
};

static struct address function(char digit)
{
	struct address a;

	snprintf(a.text, sizeof(a.text), SLOT "%c", digit);
	return a;
}

/* Who is with whom: "045 3 6" is a group of three functions, and two groups of one. */
static void are(const char *groups)
{
	for (const char *s = groups; *s; s += strspn(s, " ")) {
		char members[128] = "";
		size_t n = strcspn(s, " ");

		for (size_t i = 0; i < n; i++) {
			strcat(members, i ? " " : "");
			strcat(members, function(s[i]).text);
		}
		for (size_t i = 0; i < n; i++)
			group(function(s[i]).text, members);
		s += n;
	}
}

/* All these are removed, one after the other. */
static void leave(const char *functions)
{
	for (; *functions; functions++)
		removes(function(*functions).text);
}

/* They are found again by one rescan, in order of address. */
static void return_by(const char *file, const char *functions)
{
	rescans(file);
	for (; *functions; functions++)
		is_back(function(*functions).text, drivers[*functions - '0']);
}

static void cycle(const char *functions)
{
	leave(functions);
	return_by(ROOT_BUS, functions);
}

/* Only function 0 says in its header that there are more: each of the others is alone from then on. */
static void split_one_by_one(void)
{
	part = "functions leave a shared group one by one";
	are("03456");
	leave("3");
	are("0456");
	return_by(DEVICE SLOT "4/rescan", "3");
	are("0456 3");
	cycle("6");
	are("045 3 6");
	leave("4");
	are("05 3 6");
	return_by("sys/bus/pci/rescan", "4");
	are("05 3 4 6");
	cycle("5");
	are("0 3 4 5 6");
	cycle("3");
	are("0 3 4 5 6");
}

/* It joins the first of the others in the order in which they were added, which is not that of their addresses. */
static void function_0_joins(void)
{
	part = "function 0 is found while others are there";
	/* added: 0 6 4 5 3 */
	cycle("0");
	are("06 3 4 5");
	/* 4 5 3 0 6, and 6 leaves its group behind */
	cycle("6");
	are("0 3 4 5 6");
	cycle("03");
	are("04 3 5 6");
	/* 5 6 0 3 4: whom it was with before does not count */
	cycle("4");
	cycle("0");
	are("05 3 4 6");
}

static void all_at_once(void)
{
	part = "the whole slot is removed and found again";
	for (int i = 0; i < 2; i++) {
		leave("03456");
		return_by("sys/bus/pci/rescan", "03456");
		are("0 3 4 5 6");
	}
	/* In which order they are removed makes no difference. */
	leave("60453");
	return_by(ROOT_BUS, "03456");
	are("0 3 4 5 6");
	cycle("0");
	are("03 4 5 6");
	leave("456");
	are("03");
	return_by(ROOT_BUS, "456");
	are("03 4 5 6");
	cycle("03456");
	are("0 3 4 5 6");
}

void conformance_groups_seed(void)
{
	drivers = drivers_seed;
	split_one_by_one();
	function_0_joins();
	all_at_once();
}

/* AHCI and SMBus have bit 7 in their headers too. */
static void bit_7_stays(void)
{
	part = "functions with bit 7 are found again";
	are("02356");
	cycle("2");
	are("02356");
	leave("3");
	are("0256");
	return_by(ROOT_BUS, "3");
	are("02356");
	cycle("0");
	are("02356");
	cycle("6");
	are("0235 6");
	cycle("5");
	are("023 5 6");
}

static void bit_7_joins(void)
{
	part = "functions with bit 7 join the first that was added";
	/* added: 2 3 0 6 5 */
	cycle("0");
	are("023 5 6");
	/* 2 3 6 5 0 */
	cycle("23");
	are("0 236 5");
	/* 6 5 0 2 3: all but the sound, which pulls them in, as a VM that had it would find out */
	cycle("0236");
	are("0235 6");
	cycle("02356");
	are("023 5 6");
	leave("65320");
	return_by("sys/bus/pci/rescan", "02356");
	are("023 5 6");
}

/* drivers/i2c/busses/i2c-i801.c, i801_probe() allows it to sleep; i801_remove() does not take that back. */
static void driver_allows_sleep(void)
{
	static const char smbus[] = SLOT "3";

	part = "power/control of a driver that lets its function sleep";
	reads_file(smbus, "power/control", "auto");
	put_file(smbus, "driver/unbind", smbus, 0);
	reads_file(smbus, "power/control", "auto");
	put_file(smbus, "power/control", "on", 0);
	reads_file(smbus, "power/control", "on");
	put(DRIVERS "i801_smbus/bind", smbus, 0);
	reads_file(smbus, "power/control", "auto");
	cycle("3");
	reads_file(smbus, "power/control", "auto");
}

void conformance_groups_builtin(void)
{
	drivers = drivers_builtin;
	driver_allows_sleep();
	bit_7_stays();
	bit_7_joins();
}
