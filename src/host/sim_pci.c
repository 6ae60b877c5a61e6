/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/sim.h"
#include "host/sim_children.h"
#include "host/sim_hotplug.h"
#include "host/sim_match.h"
#include "host/sim_nic.h"
#include "host/sim_pci.h"

#define DEVICES "sys/bus/pci/devices"
#define DRIVERS "sys/bus/pci/drivers"
#define GROUPS "sys/kernel/iommu_groups"

struct sim_pci {
	struct host *host;
	struct arena *arena;
	struct sim_match *match;
	size_t n_functions;	/* when the text was read */
	char twice[BDF_TEXT_MAX];	/* a function that stood in two folders of it */
};

/* FOLDER/A or FOLDER/A/B. Names stay in the host's arena: simulated hosts do not live long. */
static const char *name_of(struct sim_pci *p, const char *folder, const char *a, const char *b)
{
	return arena_fmt(p->arena, "%s/%s%s%s", folder, a, b ? "/" : "", b ? b : "");
}

static const char *attr(struct sim_pci *p, const char *bdf, const char *file, char *buf, size_t size)
{
	return host_read(p->host, name_of(p, DEVICES, bdf, file), buf, size) < 0 ? NULL : buf;
}

struct sim_pci *sim_pci_new(struct host *h, struct arena *a)
{
	struct sim_pci *p = arena_alloc(a, sizeof(*p));

	p->host = h;
	p->arena = a;
	p->match = sim_match_new(h, a);
	return p;
}

/* --- the driver's link ------------------------------------------------------------------------------------------ */

static bool device_path(struct sim_pci *p, const char *bdf, char *buf, size_t size)
{
	return sim_resolve(p->host, name_of(p, DEVICES, bdf, NULL), buf, size) >= 0;
}

static const char *driver_of(struct sim_pci *p, const char *bdf, char *buf, size_t size)
{
	return attr(p, bdf, "driver", buf, size);
}

/* A link from a folder below sys/ at depth parts to another name below sys/. */
static void link_to(struct sim_pci *p, const char *from, const char *to)
{
	char target[HOST_NAME_BYTES * 2] = "";

	for (const char *s = strchr(from, '/') + 1; (s = strchr(s, '/')) != NULL; s++)
		strcat(target, "../");
	strcat(target, to + strlen("sys/"));
	sim_set_link(p->host, from, target);
}

/*
 * Drivers that allow runtime power management when they take a function. vfio-pci forbids it when it lets go
 * (drivers/vfio/pci/vfio_pci_core.c, vfio_pci_core_register_device() and _unregister_device()), i801_smbus does not
 * (drivers/i2c/busses/i2c-i801.c, i801_probe() and i801_remove()). There are others, for which a host has to be looked
 * at.
 */
static void driver_power(struct sim_pci *p, const char *path, const char *driver, bool takes)
{
	const char *at = name_of(p, path, "power/control", NULL);
	bool vfio = strcmp(driver, "vfio-pci") == 0;

	if (host_has(p->host, at) && (vfio || (takes && strcmp(driver, "i801_smbus") == 0)))
		sim_set(p->host, at, takes ? "auto" : "on");
}

static int attach(struct sim_pci *p, const char *bdf, const char *driver)
{
	char path[HOST_NAME_BYTES];

	if (!device_path(p, bdf, path, sizeof(path)))
		return -ENODEV;
	link_to(p, name_of(p, path, "driver", NULL), name_of(p, DRIVERS, driver, NULL));
	link_to(p, name_of(p, DRIVERS, driver, bdf), path);
	driver_power(p, path, driver, true);
	sim_children_return(p->host, path);
	sim_nic_return(p->host, bdf, driver);
	return 0;
}

static int detach(struct sim_pci *p, const char *bdf, const char *driver)
{
	char path[HOST_NAME_BYTES];

	if (!device_path(p, bdf, path, sizeof(path)))
		return -ENODEV;
	sim_children_leave(p->host, path);
	sim_nic_leave(p->host, bdf, driver);
	sim_remove(p->host, name_of(p, path, "driver", NULL));
	sim_remove(p->host, name_of(p, DRIVERS, driver, bdf));
	driver_power(p, path, driver, false);
	return 0;
}

/* drivers/base/dd.c, device_attach(): the first driver that matches. Which of several is first a .host cannot say. */
static int probe(struct sim_pci *p, const char *bdf)
{
	struct arena *a = arena_new();
	char driver[64], **names;
	size_t n;

	if (!driver_of(p, bdf, driver, sizeof(driver)) && host_list(p->host, DRIVERS, a, &names, &n) == 0) {
		for (size_t i = 0; i < n; i++) {
			if (!sim_match_is(p->match, bdf, names[i]))
				continue;
			attach(p, bdf, names[i]);
			break;
		}
	}
	arena_free(a);
	return 0;
}

void sim_pci_detach(struct sim_pci *p, const char *bdf)
{
	char driver[64];

	if (driver_of(p, bdf, driver, sizeof(driver)))
		detach(p, bdf, driver);
}

void sim_pci_probe(struct sim_pci *p, const char *bdf)
{
	probe(p, bdf);
}

/* --- what a write does ------------------------------------------------------------------------------------------ */

static int has_device(struct sim_pci *p, const char *bdf)
{
	struct bdf address;

	/* drivers/base/bus.c, bus_find_device_by_name(): any text is looked up, so a wrong one is just not there. */
	return bdf_parse(bdf, &address) && host_has(p->host, name_of(p, DEVICES, bdf, NULL));
}

static int write_bind(struct sim_pci *p, const char *driver, const char *bdf)
{
	char bound[64];

	if (!has_device(p, bdf) || !sim_match_is(p->match, bdf, driver))
		return -ENODEV;
	if (driver_of(p, bdf, bound, sizeof(bound)))
		return -EBUSY;
	return attach(p, bdf, driver);
}

static int write_unbind(struct sim_pci *p, const char *driver, const char *bdf)
{
	char bound[64];

	if (!has_device(p, bdf) || !str_same(driver_of(p, bdf, bound, sizeof(bound)), driver))
		return -ENODEV;
	return detach(p, bdf, driver);
}

/*
 * drivers/base/driver.c, driver_set_override(): a lone newline clears; with its newline a value must stay two bytes
 * below a page.
 */
static int write_override(struct sim_pci *p, const char *name, const char *value)
{
	if (strlen(value) + 1 >= HOST_VALUE_BYTES - 1)
		return -EINVAL;
	sim_set(p->host, name, *value ? value : "(null)");
	return 0;
}

static int write_power_control(struct sim_pci *p, const char *name, const char *value)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "auto") != 0)
		return -EINVAL;
	sim_set(p->host, name, value);
	return 0;
}

/* Every free function that matches is probed at once; what another driver has stays. */
void sim_pci_offer(struct sim_pci *p, const char *driver)
{
	struct arena *a = arena_new();
	char **names;
	size_t n;

	if (host_list(p->host, DEVICES, a, &names, &n) == 0)
		for (size_t i = 0; i < n; i++)
			write_bind(p, driver, names[i]);
	arena_free(a);
}

/* drivers/base/bus.c, bus_remove_driver(): it lets go of all. */
void sim_pci_release(struct sim_pci *p, const char *driver)
{
	struct arena *a = arena_new();
	char **names;
	struct bdf bdf;
	size_t n;

	if (host_list(p->host, name_of(p, DRIVERS, driver, NULL), a, &names, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (bdf_parse(names[i], &bdf))
				detach(p, names[i], driver);
	sim_set_aside(p->host, name_of(p, DRIVERS, driver, NULL), "unloaded");
	sim_match_forget(p->match, driver);
	arena_free(a);
}

/* drivers/pci/pci-driver.c, new_id_store(): what is new is tried at once. */
static int write_new_id(struct sim_pci *p, const char *driver, const char *value)
{
	int code = sim_match_add_id(p->match, driver, value);

	if (code == 0)
		sim_pci_offer(p, driver);
	return code;
}

static int write_driver_file(struct sim_pci *p, const char *driver, const char *file, const char *value)
{
	if (strcmp(file, "bind") == 0)
		return write_bind(p, driver, value);
	if (strcmp(file, "unbind") == 0)
		return write_unbind(p, driver, value);
	if (strcmp(file, "new_id") == 0)
		return write_new_id(p, driver, value);
	if (strcmp(file, "remove_id") == 0)
		return sim_match_remove_id(p->match, driver, value);
	return -ENOSYS;
}

int sim_pci_write(struct sim_pci *p, const char *name, const char *value)
{
	static const char drivers[] = DRIVERS "/";
	const char *file = str_basename(name);

	if (str_starts(name, drivers)) {
		char driver[64];
		const char *s = name + strlen(drivers);
		size_t n = strcspn(s, "/");

		if (s + n + 1 != file || n >= sizeof(driver))
			return -ENOSYS;
		memcpy(driver, s, n);
		driver[n] = '\0';
		return write_driver_file(p, driver, file, value);
	}
	if (strcmp(name, "sys/bus/pci/drivers_probe") == 0)
		return has_device(p, value) ? probe(p, value) : -ENODEV;
	if (strcmp(file, "driver_override") == 0)
		return write_override(p, name, value);
	if (strcmp(file, "control") == 0 && strstr(name, "/power/control"))
		return write_power_control(p, name, value);
	return -ENOSYS;
}

/* --- a host just read from text --------------------------------------------------------------------------------- */

/* What a link of a function leads to. A file of that name is no link, and what it says may be no name. */
static bool link_name(struct sim_pci *p, const char *bdf, const char *file, char *buf, size_t size)
{
	char target[HOST_NAME_BYTES];

	return host_link(p->host, name_of(p, DEVICES, bdf, file), target, sizeof(target)) >= 0 &&
	       attr(p, bdf, file, buf, size);
}

static void settle_driver(struct sim_pci *p, const char *bdf, const char *path)
{
	char driver[64], override[HOST_VALUE_BYTES];

	if (!link_name(p, bdf, "driver", driver, sizeof(driver)))
		return;
	link_to(p, name_of(p, DRIVERS, driver, bdf), path);
	if (attr(p, bdf, "driver_override", override, sizeof(override)) && strcmp(override, driver) == 0)
		return;
	sim_match_learn(p->match, bdf, driver);
}

static void settle_group(struct sim_pci *p, const char *bdf, const char *path)
{
	char group[32];

	if (link_name(p, bdf, "iommu_group", group, sizeof(group)))
		link_to(p, name_of(p, name_of(p, GROUPS, group, "devices"), bdf, NULL), path);
}

/* Config space given in part gets the registers every function has: include/uapi/linux/pci_regs.h. */
static void settle_config(struct sim_pci *p, const char *bdf, const char *path)
{
	unsigned class = sim_match_hex(p->match, bdf, "class"), revision = sim_match_hex(p->match, bdf, "revision");
	unsigned vendor = sim_match_hex(p->match, bdf, "vendor"), device = sim_match_hex(p->match, bdf, "device");
	unsigned subvendor = sim_match_hex(p->match, bdf, "subsystem_vendor");
	unsigned subdevice = sim_match_hex(p->match, bdf, "subsystem_device");
	unsigned char head[4], config[HOST_VALUE_BYTES * 2];
	const char *at = name_of(p, path, "config", NULL);
	ssize_t n;

	n = host_read_bytes(p->host, at, (char *)config, sizeof(config));
	if (n < 16 || config[0] || config[1])
		return;
	memcpy(head, (unsigned char[]){ vendor & 0xff, vendor >> 8 & 0xff, device & 0xff, device >> 8 & 0xff }, 4);
	sim_set_bytes(p->host, at, 0, head, 4);
	memcpy(head, (unsigned char[]){ revision & 0xff, class & 0xff, class >> 8 & 0xff, class >> 16 & 0xff }, 4);
	sim_set_bytes(p->host, at, 8, head, 4);
	if ((config[0x0e] & 0x7f) != 0)
		return;
	memcpy(head, (unsigned char[]){ subvendor & 0xff, subvendor >> 8 & 0xff, subdevice & 0xff,
					subdevice >> 8 & 0xff }, 4);
	sim_set_bytes(p->host, at, 0x2c, head, 4);
}

static void settle_function(struct sim_pci *p, const char *bdf, const char *path)
{
	link_to(p, name_of(p, DEVICES, bdf, NULL), path);
	link_to(p, name_of(p, path, "subsystem", NULL), "sys/bus/pci");
	settle_driver(p, bdf, path);
	settle_group(p, bdf, path);
	settle_config(p, bdf, path);
}

static bool is_address(const char *name)
{
	struct bdf bdf;

	return bdf_parse(name, &bdf);
}

static void settle_path(void *arg, const char *path)
{
	struct sim_pci *p = arg;

	const char *bdf = str_basename(path);

	if (++p->n_functions > SIM_PCI_MAX)
		return;
	if (host_has(p->host, name_of(p, DEVICES, bdf, NULL)))
		snprintf(p->twice, sizeof(p->twice), "%s", bdf);
	settle_function(p, bdf, path);
}

void sim_pci_register(struct sim_pci *p, const char *driver)
{
	static const char *const files[] = { "bind", "unbind", "new_id", "remove_id" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		sim_set(p->host, name_of(p, DRIVERS, driver, files[i]), "");
}

int sim_pci_settle(struct sim_pci *p, struct error *err)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **names;
	size_t n;
	int code;

	/* The bus's folder holds what stands on the bus, whatever else a text says. */
	sim_remove(p->host, DEVICES);
	sim_make_folder(p->host, DEVICES);
	sim_make_folder(p->host, DRIVERS);
	sim_set(p->host, "sys/bus/pci/drivers_probe", "");
	sim_each_folder(p->host, "sys/devices", is_address, settle_path, p);
	if (p->n_functions > SIM_PCI_MAX)
		return error_set(err, -E2BIG, "it has more than %d PCI functions; no real host does", SIM_PCI_MAX);
	if (p->twice[0])
		return error_set(err, -EEXIST, "'%s' stands in two folders", p->twice);
	code = sim_children_settle(p->host, err);
	if (code < 0)
		return code;
	sim_hotplug_settle(p->host);
	if (host_list(p->host, DRIVERS, a, &names, &n) < 0)
		return 0;
	if (n > SIM_PCI_MAX)
		return error_set(err, -E2BIG, "it has more than %d PCI drivers; no real host does", SIM_PCI_MAX);
	for (size_t i = 0; i < n; i++)
		sim_pci_register(p, names[i]);
	return 0;
}
