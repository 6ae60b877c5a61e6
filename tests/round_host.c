/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A random host: buses, slots, groups as the kernel makes them at boot, and all that hangs on the functions. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "round.h"

#define SLOT_FUNCTIONS 8
#define BUSES_MAX 12
#define VF_DEVICE 0x10		/* where an SR-IOV card has its virtual functions here */

enum kind {
	KIND_GPU, KIND_AUDIO, KIND_NIC, KIND_NIC_OTHER, KIND_USB, KIND_SMBUS, KIND_SPI, KIND_SERIAL, KIND_SENSOR, KIND_NVME,
	KIND_SATA, ENDPOINTS, KIND_BRIDGE = ENDPOINTS, KIND_ROOT, KIND_PF, KIND_VF, KINDS,
};

static const struct made_kind kinds[KINDS] = {
	[KIND_GPU] = { "030000", "10de:2783", "nouveau", "nouveau" },
	[KIND_AUDIO] = { "040300", "10de:22bc", "snd_hda_intel", "snd_hda_intel" },
	[KIND_NIC] = { "020000", "8086:15bb", "e1000e", "e1000e" },
	[KIND_NIC_OTHER] = { "020000", "8086:1521", "igb", "igb" },
	[KIND_USB] = { "0c0330", "8086:a36d", "xhci_hcd", "xhci_pci" },
	[KIND_SMBUS] = { "0c0500", "8086:a323", "i801_smbus", "i2c_i801" },
	[KIND_SPI] = { "0c8000", "8086:a324", "intel-spi", "spi_intel_pci" },
	[KIND_SERIAL] = { "070002", "8086:a363", "serial", NULL },
	[KIND_SENSOR] = { "118000", "8086:a379", NULL, NULL },
	[KIND_NVME] = { "010802", "144d:a808", "nvme", "nvme" },
	[KIND_SATA] = { "010601", "8086:a352", "ahci", "ahci" },
	[KIND_BRIDGE] = { "060400", "8086:a340", "pcieport", NULL },
	[KIND_ROOT] = { "060000", "8086:3ec2", NULL, NULL },
	[KIND_PF] = { "020000", "8086:1563", "ixgbe", "ixgbe" },
	[KIND_VF] = { "020000", "8086:1565", "ixgbevf", "ixgbevf" },
};

const char *const made_units[MADE_UNITS] = { "fan.service", "display.service", "netbird.service", "backup.timer" };
const char *const made_commands[MADE_COMMANDS] = { "/usr/local/bin/notify", "/usr/local/bin/gpu-fan" };

unsigned dice_pick(struct dice *d, unsigned n)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	/* splitmix64 */
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z ^ z >> 31) % n);
}

bool dice_chance(struct dice *d, unsigned percent)
{
	return dice_pick(d, 100) < percent;
}

/* What is being made. */
struct maker {
	struct dice *d;
	struct arena *a;
	struct made_host *h;
	FILE *out;
	unsigned buses, slots, ports, groups;
	bool vfio, iommu;
};

/* --- the topology ------------------------------------------------------------------------------------------------ */

static struct made_function *add(struct maker *m, unsigned bus, unsigned device, unsigned fn, enum kind kind, int parent)
{
	struct made_function *f;

	if (m->h->n == MADE_FUNCTIONS_MAX)
		return NULL;
	f = &m->h->f[m->h->n++];
	*f = (struct made_function){ .kind = &kinds[kind], .slot = m->slots, .parent = parent, .group = -1 };
	f->bridge = kind == KIND_BRIDGE || kind == KIND_ROOT;
	f->pf = kind == KIND_PF;
	f->vf = kind == KIND_VF;
	f->bound = f->kind->driver && (f->bridge || dice_chance(m->d, 92));
	snprintf(f->address, sizeof(f->address), "0000:%02x:%02x.%x", bus, device, fn);
	f->path = arena_fmt(m->a, "%s/%s", parent < 0 ? "/devices/pci0000:00" : m->h->f[parent].path, f->address);
	return f;
}

/* Which functions of a slot have bit 7 and ACS: as chipsets have it (function 0 alone), as graphics cards (all), or mixed. */
static void set_headers(struct maker *m, size_t first)
{
	unsigned style = dice_pick(m->d, 4), acs = dice_pick(m->d, 4);
	bool many = m->h->n - first > 1;

	for (size_t i = first; i < m->h->n; i++) {
		struct made_function *f = &m->h->f[i];

		f->many = many && (i == first || style == 1 || (style == 2 && dice_chance(m->d, 50)));
		f->acs = f->bridge ? dice_chance(m->d, 70) : acs == 1 || (acs == 2 && dice_chance(m->d, 50));
	}
}

static void fill_bus(struct maker *m, unsigned bus, int parent, unsigned depth);

static void add_virtual(struct maker *m, unsigned bus, int parent)
{
	unsigned n = 1 + dice_pick(m->d, 3);

	for (unsigned i = 0; i < n; i++) {
		m->slots += i == 0;
		/* drivers/pci/iov.c, pci_iov_add_virtfn(): it is no multifunction device by its header. */
		add(m, bus, VF_DEVICE, i, KIND_VF, parent);
	}
}

static void fill_slot(struct maker *m, unsigned bus, unsigned device, int parent, unsigned depth)
{
	unsigned n = dice_chance(m->d, 40) ? 1 : 1 + dice_pick(m->d, SLOT_FUNCTIONS);
	bool bridges = depth < 3 && m->buses < BUSES_MAX && dice_chance(m->d, depth ? 20 : 40);
	bool sriov = !bridges && depth && dice_chance(m->d, 8);
	size_t first = m->h->n;

	m->slots++;
	n = bridges && n > 3 ? 3 : sriov ? 1 : n;
	for (unsigned fn = 0, i = 0; i < n && fn < SLOT_FUNCTIONS; i++) {
		enum kind kind = bridges ? KIND_BRIDGE : sriov ? KIND_PF : (enum kind)dice_pick(m->d, ENDPOINTS);

		add(m, bus, device, fn, kind, parent);
		fn += 1 + (dice_chance(m->d, 20) ? dice_pick(m->d, 3) : 0);
	}
	set_headers(m, first);
	if (sriov)
		add_virtual(m, bus, parent);
	for (size_t i = first, end = m->h->n; bridges && i < end; i++)
		if (m->buses < BUSES_MAX)
			fill_bus(m, ++m->buses, (int)i, depth + 1);
}

static void fill_bus(struct maker *m, unsigned bus, int parent, unsigned depth)
{
	unsigned slots = depth ? 1 + (dice_chance(m->d, 20) ? 1 : 0) : 3 + dice_pick(m->d, 5), device = 0;

	if (!depth)
		add(m, 0, 0, 0, KIND_ROOT, -1);
	for (unsigned i = 0; i < slots; i++) {
		device += depth && i == 0 ? 0 : 1 + dice_pick(m->d, 3);
		if (device < VF_DEVICE)
			fill_slot(m, bus, device, parent, depth);
	}
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

/* drivers/pci/pci.c, pci_acs_path_enabled(): this bridge and all above it. */
static bool path_isolates(const struct made_host *h, int bridge)
{
	for (; bridge >= 0; bridge = h->f[bridge].parent)
		if (!h->f[bridge].acs)
			return false;
	return true;
}

/*
 * drivers/iommu/iommu.c, pci_device_group(), asked for all functions when the whole bus is known: behind a bridge that
 * isolates nothing they are in its group; else those of a slot without ACS share one.
 */
static void set_group(struct maker *m, struct made_function *f)
{
	struct made_host *h = m->h;

	if (f->parent >= 0 && !path_isolates(h, f->parent)) {
		f->group = h->f[f->parent].group;
		return;
	}
	for (size_t i = 0; !f->acs && !f->vf && i < h->n && &h->f[i] != f; i++)
		if (h->f[i].slot == f->slot && !h->f[i].acs)
			f->group = h->f[i].group;
	if (f->group < 0)
		f->group = (int)m->groups++;
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static void say(struct maker *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct maker *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(m->out, fmt, ap);
	va_end(ap);
	fputc('\n', m->out);
}

/* A link from a folder below /sys to another name below /sys. */
static void say_link(struct maker *m, const char *from, const char *name, const char *to)
{
	const char *up = "";

	for (const char *s = strchr(from + 1, '/'); s; s = strchr(s + 1, '/'))
		up = arena_fmt(m->a, "%s../", up);
	say(m, "L: %s=%s../%s", name, up, to);
}

/* The PCI Express type of the capability: include/uapi/linux/pci_regs.h. */
static unsigned express_type(const struct made_function *f)
{
	if (f->bridge)
		return f->parent < 0 ? 4 : 6;
	return f->parent < 0 ? 9 : 0;
}

static void say_config(struct maker *m, const struct made_function *f, bool power)
{
	say(m, "H: config+04=07041000");
	say(m, "H: config+0e=%02x", (f->many ? 0x80u : 0) | (f->kind == &kinds[KIND_BRIDGE] ? 1 : 0));
	say(m, "H: config+34=%s", power ? "40" : "50");
	if (power)
		say(m, "H: config+40=0150030008000000");
	say(m, "H: config+50=1000%02x00", 2 | express_type(f) << 4);
	if (f->acs)
		say(m, "H: config+100=0d0001005f001d00");
	else if (dice_chance(m->d, 20))
		say(m, "H: config+100=0d0001005f000100");	/* it could, and is not switched on */
	say(m, "H: config+fff=00");
}

static const char *alias_of(struct maker *m, const struct made_function *f)
{
	const char *id = f->kind->id, *class = f->kind->class;

	return arena_fmt(m->a, "pci:v0000%.4sd0000%.4ssv00001043sd00008694bc%.2ssc%.2si%.2s", id, id + 5, class, class + 2,
			 class + 4);
}

static void say_attributes(struct maker *m, struct made_function *f)
{
	static const char *const methods[] = { "flr", "flr pm", "pm bus", "bus" };
	bool power = dice_chance(m->d, 80);

	say(m, "\nP: %s", f->path);
	say(m, "A: vendor=0x%.4s\nA: device=0x%.4s", f->kind->id, f->kind->id + 5);
	say(m, "A: subsystem_vendor=0x1043\nA: subsystem_device=0x8694");
	say(m, "A: class=0x%s\nA: revision=0x10\nA: modalias=%s", f->kind->class, alias_of(m, f));
	if (dice_chance(m->d, 70))
		say(m, "A: reset_method=%s", methods[dice_pick(m->d, 4)]);
	say(m, "A: power/control=%s", dice_chance(m->d, 30) ? "auto" : "on");
	say(m, "A: d3cold_allowed=%d", power && dice_chance(m->d, 90));
	say_config(m, f, power);
	if (f->group >= 0)
		say_link(m, f->path, "iommu_group", arena_fmt(m->a, "kernel/iommu_groups/%d", f->group));
}

static void say_driver(struct maker *m, struct made_function *f)
{
	/* Given to vfio-pci at boot: by its override, or by ids= that the module was loaded with. */
	bool vfio = m->vfio && f->bound && !f->bridge && !f->pf && f->group >= 0 && dice_chance(m->d, 6);

	say(m, "A: driver_override=%s", vfio && dice_chance(m->d, 50) ? "vfio-pci" : "(null)");
	if (f->bound)
		say_link(m, f->path, "driver", arena_fmt(m->a, "bus/pci/drivers/%s", vfio ? "vfio-pci" : f->kind->driver));
	f->bound = f->bound && !vfio;
}

static void say_virtual(struct maker *m, const struct made_function *f)
{
	unsigned n = 0;

	for (size_t i = 0; f->pf && i < m->h->n; i++)
		if (m->h->f[i].vf && m->h->f[i].parent == f->parent)
			say(m, "L: virtfn%u=../%s", n++, m->h->f[i].address);
	if (f->pf)
		say(m, "A: sriov_totalvfs=8\nA: sriov_numvfs=%u", n);
	for (size_t i = 0; f->vf && i < m->h->n; i++)
		if (m->h->f[i].pf && m->h->f[i].parent == f->parent)
			say(m, "L: physfn=../%s", m->h->f[i].address);
}

static void say_nic(struct maker *m, const struct made_function *f, unsigned number)
{
	static const char *const vlans[] = { "1 pvid untagged", "1 pvid untagged, 2-4094", "20 pvid untagged, 30" };
	const char *at = arena_fmt(m->a, "nic/%s", f->address);
	bool port = dice_chance(m->d, 50), up = dice_chance(m->d, 30);

	if (!f->bound || strncmp(f->kind->class, "0200", 4) != 0)
		return;
	say(m, "V: %s/name=eth%u\nV: %s/mtu=%s", at, number, at, dice_chance(m->d, 30) ? "9000" : "1500");
	say(m, "V: %s/up=%s", at, up ? "up" : "down");
	if (port)
		say(m, "V: %s/master=vmbr%u\nV: %s/vlans=%s", at, number % 3, at, vlans[dice_pick(m->d, 3)]);
	if (port && dice_chance(m->d, 20))
		say(m, "V: %s/port=isolated on\nV: %s/fdb=52:54:00:00:01:%02x", at, at, number);
	/* A bridge has one address, whichever of its ports is asked. */
	if (port && number % 3 == 1)
		say(m, "V: %s/master-mac=52:54:00:00:02:01", at);
	if (dice_chance(m->d, 20))
		say(m, "V: %s/addresses=192.0.2.%u/24", at, number + 1);
	if (up && dice_chance(m->d, 20))
		say(m, "V: %s/routes=198.51.100.0/24 table %u", at, number + 1);
	if (dice_chance(m->d, 20))
		say(m, "V: %s/altnames=enp%us0 uplink%u\nV: %s/alias=to the switch", at, number, number, at);
	if (dice_chance(m->d, 20))
		say(m, "V: %s/mac=52:54:00:00:00:%02x\nV: %s/link=txqlen 500", at, number, at);
	if (dice_chance(m->d, 20))
		say(m, "V: %s/children=eth%u.7 vlan 7 / mtu 1500 / master vmbr%uv7%s", at, number, number % 3,
		    up ? " / up" : "");
	if (dice_chance(m->d, 2))
		say(m, "V: %s/loose=eth%u.9 has a map of priorities", at, number);
}

static void say_usb_device(struct maker *m, const char *hub, const char *port)
{
	static const char *const ids[] = { "046d:c31c", "046d:c077", "8087:0aaa", "062a:4101" };
	const char *id = ids[dice_pick(m->d, 4)], *path = arena_fmt(m->a, "%s/%s", hub, port);

	say(m, "\nP: %s\nA: idVendor=%.4s\nA: idProduct=%s\nA: bDeviceClass=00\nA: authorized=1", path, id, id + 5);
	say_link(m, path, "driver", "bus/usb/drivers/usb");
	say(m, "\nP: %s/%s:1.0\nA: bInterfaceClass=%s\nA: authorized=1", path, port, dice_chance(m->d, 50) ? "03" : "e0");
	if (m->h->n_usb == MADE_USB_MAX)
		return;
	snprintf(m->h->usb[m->h->n_usb].port, sizeof(m->h->usb[0].port), "%s", port);
	m->h->usb[m->h->n_usb++].id = id;
}

static void say_usb(struct maker *m, const struct made_function *f)
{
	const char *hub;
	unsigned n = dice_pick(m->d, 4), bus;

	if (!f->bound || f->kind != &kinds[KIND_USB])
		return;
	bus = ++m->ports;
	hub = arena_fmt(m->a, "%s/usb%u", f->path, bus);
	say(m, "\nP: %s\nA: idVendor=1d6b\nA: idProduct=0002\nA: bDeviceClass=09\nA: busnum=%u\nA: authorized=1", hub, bus);
	for (unsigned i = 1; i <= n; i++)
		say_usb_device(m, hub, arena_fmt(m->a, "%u-%u", bus, i));
}

static void say_drivers(struct maker *m)
{
	if (m->vfio)
		say(m, "\nP: /bus/pci/drivers/vfio-pci\nL: module=../../../../module/vfio_pci\nV: module/vfio_pci=live");
	for (size_t k = 0; k < KINDS; k++) {
		if (!kinds[k].driver)
			continue;
		say(m, "\nP: /bus/pci/drivers/%s", kinds[k].driver);
		if (kinds[k].module)
			say(m, "L: module=../../../../module/%s\nV: module/%s=live", kinds[k].module, kinds[k].module);
	}
	say(m, "V: module/snd=live");
}

static void say_rest(struct maker *m)
{
	for (size_t i = 0; i < m->h->n; i++) {
		const struct made_function *f = &m->h->f[i];

		if (f->kind->module)
			say(m, "V: modalias/%s=%s", alias_of(m, f), f->kind->module);
		if (dice_chance(m->d, 90))
			say(m, "V: udev/%s=done", f->address);
	}
	for (size_t i = 0; i < MADE_UNITS; i++) {
		bool runs = dice_chance(m->d, 60);

		say(m, "V: unit/%s/state=%s\nV: unit/%s/run=%s", made_units[i], runs ? "active" : dice_chance(m->d, 30) ?
		    "failed" : "inactive", made_units[i], runs ? "5b0c1de2f4a94c5f8d37a6021e9b7c48" : "");
	}
	for (size_t i = 0; i < MADE_COMMANDS; i++)
		say(m, "V: command%s=0", made_commands[i]);
}

static char *take_text(FILE *out, char **text, size_t *n, struct arena *a)
{
	char *copy;

	fclose(out);
	copy = arena_dupn(a, *text, *n);
	free(*text);
	return copy;
}

const struct made_host *make_host(struct dice *d, struct arena *a)
{
	struct maker m = { .d = d, .a = a, .h = arena_alloc(a, sizeof(struct made_host)) };
	char *text = NULL;
	size_t n = 0;

	m.vfio = dice_chance(d, 50);
	m.iommu = dice_chance(d, 98);
	m.out = open_memstream(&text, &n);
	assert(m.out);
	say(&m, "handover-host: 1\nsource: made at random by tests/round_test.c\nkernel: 6.8.12-11-pve");
	say(&m, "V: proc/sys/kernel/random/boot_id=b81e4a90-27d5-4f63-8c0a-1e9f6d3b7a52");
	fill_bus(&m, 0, -1, 0);
	for (size_t i = 0; m.iommu && i < m.h->n; i++)
		set_group(&m, &m.h->f[i]);
	for (size_t i = 0; i < m.h->n; i++) {
		struct made_function *f = &m.h->f[i];

		say_attributes(&m, f);
		say_driver(&m, f);
		say_virtual(&m, f);
		say_nic(&m, f, (unsigned)i);
		say_usb(&m, f);
	}
	say_drivers(&m);
	say_rest(&m);
	m.h->text = take_text(m.out, &text, &n, a);
	return m.h;
}
