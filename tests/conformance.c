/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulator claims, a real kernel must say too: the same assertions, run on either.
 *
 *     conformance HOST_FILE    on the simulator, grown from a capture of the lab's topology "pair"
 *     conformance              on the running kernel; only in the lab, for it binds and unbinds at will
 *
 * A new rule in host/sim_*.c starts with an assertion here. Each leaves the devices as it found them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/hostfile.h"
#include "host/live.h"

/* Topology pair: two functions of one IOMMU group, their twins, and a device that has no driver. */
#define NIC "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define TWIN "0000:02:00.0"
#define BARE "0000:03:00.0"
#define NIC_ID "8086 100e"
/* And the host's USB controller, with a keyboard at its first port. */
#define XHCI "0000:00:14.0"
#define KEYBOARD "usb/" XHCI "/1:1"
#define KEYBOARD_ID "0627:0001"
#define USB_MS 5000

#define DEVICE "sys/bus/pci/devices/"
#define DRIVERS "sys/bus/pci/drivers/"

static struct host *host;
static const char *part = "";
static unsigned held, broken;

static void assertion(int ok, const char *what, const char *name, const char *wanted, const char *seen)
{
	if (ok) {
		held++;
		return;
	}
	broken++;
	printf("FAILED %s: %.60s %s: wanted %.60s, seen %.60s\n", part, what, name, wanted, seen);
}

/* A write answers with this errno, 0 if it is taken. */
static void put(const char *name, const char *value, int code)
{
	struct host_stuck stuck;
	int seen = host_write(host, name, value, 10000, &stuck);

	assertion(seen == -code, value, name, code ? strerrorname_np(code) : "ok", seen ? strerrorname_np(-seen) : "ok");
}

/* A name reads so; NULL: it is not there. */
static void reads(const char *name, const char *text)
{
	char buf[HOST_VALUE_BYTES];
	ssize_t n = host_read(host, name, buf, sizeof(buf));
	const char *seen = n < 0 ? strerrorname_np((int)-n) : buf;

	assertion(text ? n >= 0 && strcmp(buf, text) == 0 : n == -ENOENT, "read", name, text ? text : "ENOENT", seen);
}

static void driver(const char *bdf, const char *text)
{
	char name[HOST_NAME_BYTES];

	snprintf(name, sizeof(name), DEVICE "%s/driver", bdf);
	reads(name, text);
}

static void module_and_driver(void)
{
	part = "loading a module";
	reads("module/vfio_pci", NULL);
	reads(DRIVERS "vfio-pci/module", NULL);
	put("module/no_such_module", "load", ENOENT);
	put("module/vfio_pci", "load", 0);
	put("module/vfio_pci", "load", 0);
	reads("module/vfio_pci", "live");
	reads(DRIVERS "vfio-pci/module", "vfio_pci");
	driver(NIC, "e1000");
	driver(BARE, NULL);
}

static void bind_and_unbind(void)
{
	part = "bind and unbind";
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DRIVERS "e1000/bind", NIC, EBUSY);
	put(DRIVERS "vfio-pci/unbind", NIC, ENODEV);
	put(DRIVERS "e1000/bind", "0000:ff:1f.7", ENODEV);
	put(DRIVERS "e1000/bind", "nonsense", ENODEV);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	driver(NIC, NULL);
	reads(DRIVERS "e1000/" NIC "/vendor", NULL);
	put(DEVICE NIC "/driver/unbind", NIC, ENOENT);
	put(DRIVERS "e1000/unbind", NIC, ENODEV);
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DRIVERS "snd_hda_intel/bind", NIC, ENODEV);
	put(DRIVERS "no_such_driver/bind", NIC, ENOENT);
	put(DRIVERS "e1000/bind", NIC, 0);
	driver(NIC, "e1000");
	reads(DRIVERS "e1000/" NIC "/vendor", "0x8086");
}

static void probe(void)
{
	part = "drivers_probe";
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, "e1000");
	put("sys/bus/pci/drivers_probe", "0000:ff:1f.7", ENODEV);
	put("sys/bus/pci/drivers_probe", BARE, 0);
	driver(BARE, NULL);
	put(DRIVERS "e1000/unbind", NIC, 0);
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, "e1000");
}

static void override(void)
{
	static char page[HOST_VALUE_BYTES - 1];

	part = "driver_override";
	reads(DEVICE NIC "/driver_override", "(null)");
	put(DEVICE NIC "/driver_override", "vfio-pci", 0);
	reads(DEVICE NIC "/driver_override", "vfio-pci");
	driver(NIC, "e1000");
	/* The match is tested before whether it is bound. */
	put(DRIVERS "e1000/bind", NIC, ENODEV);
	put(DRIVERS "vfio-pci/bind", NIC, EBUSY);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	put(DRIVERS "e1000/bind", NIC, ENODEV);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	driver(NIC, "vfio-pci");
	put(DEVICE NIC "/driver_override", "", 0);
	reads(DEVICE NIC "/driver_override", "(null)");
	driver(NIC, "vfio-pci");
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	put(DRIVERS "vfio-pci/bind", NIC, ENODEV);
	put(DEVICE NIC "/driver_override", "no_such_driver", 0);
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, NULL);
	put(DRIVERS "e1000/bind", NIC, ENODEV);
	/* A page is 4096 bytes: with its newline a value may have 4094. */
	memset(page, 'x', sizeof(page) - 1);
	put(DEVICE NIC "/driver_override", page, EINVAL);
	reads(DEVICE NIC "/driver_override", "no_such_driver");
	page[sizeof(page) - 2] = '\0';
	put(DEVICE NIC "/driver_override", page, 0);
	reads(DEVICE NIC "/driver_override", page);
	put(DEVICE NIC "/driver_override", "e1000", 0);
	put(DRIVERS "e1000/bind", NIC, 0);
	put(DEVICE NIC "/driver_override", "", 0);
	driver(NIC, "e1000");
	driver(AUDIO, "snd_hda_intel");
}

static void override_makes_any_driver_match(void)
{
	part = "override to a driver that does not know the device";
	put(DEVICE BARE "/driver_override", "vfio-pci", 0);
	put("sys/bus/pci/drivers_probe", BARE, 0);
	driver(BARE, "vfio-pci");
	put(DEVICE BARE "/driver/unbind", BARE, 0);
	put(DEVICE BARE "/driver_override", "", 0);
	driver(BARE, NULL);
}

static void power(void)
{
	part = "power/control";
	put(DEVICE NIC "/power/control", "bogus", EINVAL);
	put(DEVICE NIC "/power/control", "on", 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DEVICE NIC "/driver_override", "vfio-pci", 0);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	reads(DEVICE NIC "/power/control", "auto");
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DEVICE NIC "/power/control", "auto", 0);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	put(DEVICE NIC "/driver/unbind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
	put(DEVICE NIC "/driver_override", "", 0);
	put(DRIVERS "e1000/bind", NIC, 0);
	reads(DEVICE NIC "/power/control", "on");
}

static void new_id(void)
{
	part = "new_id";
	put(DRIVERS "vfio-pci/new_id", "nonsense", EINVAL);
	put(DRIVERS "e1000/unbind", TWIN, 0);
	put(DRIVERS "vfio-pci/new_id", NIC_ID, 0);
	/* The twin was free, so it is taken at once; what has a driver stays. */
	driver(TWIN, "vfio-pci");
	driver(NIC, "e1000");
	put(DRIVERS "vfio-pci/new_id", NIC_ID, EEXIST);
	put(DEVICE TWIN "/driver/unbind", TWIN, 0);
	/* Both drivers match now; by name, each can have it. */
	put(DRIVERS "vfio-pci/bind", TWIN, 0);
	put(DEVICE TWIN "/driver/unbind", TWIN, 0);
	put(DRIVERS "e1000/bind", TWIN, 0);
	driver(TWIN, "e1000");
	/* The override beats the id. */
	put(DEVICE TWIN "/driver_override", "e1000", 0);
	put(DRIVERS "e1000/unbind", TWIN, 0);
	put(DRIVERS "vfio-pci/bind", TWIN, ENODEV);
	put("sys/bus/pci/drivers_probe", TWIN, 0);
	driver(TWIN, "e1000");
	put(DEVICE TWIN "/driver_override", "", 0);
	put(DRIVERS "vfio-pci/remove_id", NIC_ID, 0);
	put(DRIVERS "vfio-pci/remove_id", NIC_ID, ENODEV);
	put(DRIVERS "e1000/unbind", TWIN, 0);
	put(DRIVERS "vfio-pci/bind", TWIN, ENODEV);
	put(DRIVERS "e1000/bind", TWIN, 0);
}

static void attributes(void)
{
	part = "attributes";
	put(DEVICE NIC "/vendor", "0x1", EACCES);
	put(DEVICE NIC "/no_such_file", "1", ENOENT);
	put(DEVICE "0000:ff:1f.7/driver_override", "x", ENOENT);
	reads(DEVICE NIC "/vendor", "0x8086");
	reads(DEVICE NIC "/no_such_file", NULL);
	reads(DEVICE NIC "/iommu_group", "7");
	reads(DEVICE AUDIO "/iommu_group", "7");
	reads("sys/kernel/iommu_groups/7/devices/" AUDIO "/vendor", "0x8086");
	reads(DEVICE TWIN "/iommu_group", "8");
	reads(DEVICE BARE "/driver", NULL);
	reads(DEVICE BARE "/driver_override", "(null)");
}

/* How many of the names in a folder are links with this text in their targets; with "" all names count. */
static size_t count(const char *folder, const char *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char link[HOST_VALUE_BYTES], **names;
	size_t n = 0, found = 0;

	if (host_list(host, folder, a, &names, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		found += !*text || (host_link(host, arena_fmt(a, "%s/%s", folder, names[i]), link, sizeof(link)) >= 0 &&
				    strstr(link, text));
	return found;
}

static void counts(const char *folder, const char *text, size_t wanted)
{
	char want[32], seen[32];
	size_t n = count(folder, text);

	snprintf(want, sizeof(want), "%zu", wanted);
	snprintf(seen, sizeof(seen), "%zu", n);
	assertion(n == wanted, "names in", folder, want, seen);
}

/* USB devices and their inputs come some time after their controller's driver. */
static void keyboard_comes(void)
{
	int64_t until = host_now(host) + USB_MS;

	while (host_now(host) < until && count("sys/class/input", XHCI "/usb") == 0)
		host_wait(host, 100);
	reads(KEYBOARD, KEYBOARD_ID);
	counts("usb/" XHCI, "", 1);
	/* Two root hubs, each with its interface; the keyboard and its interface. */
	counts("sys/bus/usb/devices", XHCI "/usb", 6);
}

static void keyboard_is_gone(void)
{
	reads(KEYBOARD, NULL);
	counts("usb/" XHCI, "", 0);
	counts("sys/bus/usb/devices", XHCI, 0);
	counts("sys/class/input", XHCI, 0);
}

static void usb(void)
{
	part = "USB";
	keyboard_comes();
	/* The kernel has named its input and an event node, of which a capture has the first. */
	assertion(count("sys/class/input", XHCI "/usb") >= 1, "input below", XHCI, "1", "0");
	reads("usb/" XHCI "/1:2", NULL);
	reads("usb/" XHCI "/2:1", NULL);
	reads("usb/" XHCI "/3:1", NULL);
	reads("usb/" NIC "/1:1", NULL);
	counts("usb/" NIC, "", 0);
	put(DEVICE XHCI "/driver/unbind", XHCI, 0);
	keyboard_is_gone();
	put(DEVICE XHCI "/driver_override", "vfio-pci", 0);
	put(DRIVERS "vfio-pci/bind", XHCI, 0);
	keyboard_is_gone();
	put(DEVICE XHCI "/driver/unbind", XHCI, 0);
	put(DEVICE XHCI "/driver_override", "", 0);
	put(DRIVERS "xhci_hcd/bind", XHCI, 0);
	keyboard_comes();
}

static void derived(void)
{
	part = "names put together from others";
	reads("id/" NIC, "8086:100e:1af4:1100");
	reads("id/" XHCI, "1b36:000d:1af4:1100");
	reads("id/0000:ff:1f.7", NULL);
	reads("group/" NIC, NIC " " AUDIO);
	reads("group/" AUDIO, NIC " " AUDIO);
	reads("group/" XHCI, XHCI);
	reads("group/0000:ff:1f.7", NULL);
	put("id/" NIC, "8086:100e:1af4:1100", EPERM);
	put("group/" NIC, "", EPERM);
	put(KEYBOARD, KEYBOARD_ID, EPERM);
}

static struct host *open_simulated(const char *file)
{
	char *text = malloc(HOSTFILE_BYTES_MAX);
	struct host *h = NULL;
	struct error err;
	FILE *in = fopen(file, "r");

	if (!in || !text) {
		perror(file);
		exit(2);
	}
	if (hostfile_parse(text, fread(text, 1, HOSTFILE_BYTES_MAX, in), file, &h, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	fclose(in);
	free(text);
	return h;
}

int main(int argc, char **argv)
{
	struct error err;

	if (argc > 1)
		host = open_simulated(argv[1]);
	else if (live_open(&host, &err) < 0)
		return 2;
	attributes();
	derived();
	module_and_driver();
	bind_and_unbind();
	probe();
	override();
	override_makes_any_driver_match();
	power();
	new_id();
	usb();
	host_close(host);
	printf("figure conformance %u\n", held);
	if (broken)
		printf("%u assertions do not hold\n", broken);
	return broken ? 1 : 0;
}
