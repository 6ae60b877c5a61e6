/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology seed: the network interface of a function, the module that drives it, and a single USB device.
 *
 * An interface that comes back has the name the kernel gives it, "eth" and the lowest number that is free
 * (net/core/dev.c, dev_alloc_name()); where udev runs, that gives it the same as before. Here nobody does, so the
 * interfaces keep the kernel's names, and both kinds of host can say the same.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"

#define NIC SEED_NIC
#define NAME "eth0"
#define OTHER_NAME "eth1"	/* of 03:00.0 */
#define BRIDGE "vmbr0"
#define BOND "bond0"
#define NIC_NAMES "nic/" NIC "/"
#define XHCI "0000:00:14.0"
#define KEYBOARD "usb/" XHCI "/1:1"
#define KEYBOARD_ID "0627:0001"

/* --- network interfaces ------------------------------------------------------------------------------------------- */

static void is_fresh(void)
{
	comes(NIC_NAMES "name", NAME);
	reads(NIC_NAMES "mtu", "1500");
	reads(NIC_NAMES "up", "down");
	reads(NIC_NAMES "master", NULL);
	reads(NIC_NAMES "vlans", NULL);
	reads(NIC_NAMES "altnames", NULL);
	reads(NIC_NAMES "alias", NULL);
	reads(NIC_NAMES "mac", NULL);
	reads(NIC_NAMES "port", NULL);
	reads(NIC_NAMES "addresses", NULL);
	reads(NIC_NAMES "routes", NULL);
	reads(NIC_NAMES "fdb", NULL);
	reads(NIC_NAMES "master-mac", NULL);
	reads(NIC_NAMES "link", NULL);
	reads(NIC_NAMES "sysctls", NULL);
	reads(NIC_NAMES "children", NULL);
	reads(NIC_NAMES "carrier", NULL);
	reads(NIC_NAMES "gateway", NULL);
	reads(NIC_NAMES "loose", NULL);
}

static void is_absent(void)
{
	static const char *const names[] = {
		"name", "mac", "mtu", "link", "master", "port", "vlans", "up", "addresses", "routes", "fdb", "master-mac", "children",
		"altnames", "alias", "sysctls", "features", "rings", "coalesce", "pause", "eee", "wol", "modes", "carrier",
		"gateway", "loose",
	};
	char name[HOST_NAME_BYTES];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(name, sizeof(name), NIC_NAMES "%s", names[i]);
		reads(name, NULL);
	}
	put(NIC_NAMES "mtu", "1400", ENOENT);
	put(NIC_NAMES "master", BRIDGE, ENOENT);
	put(NIC_NAMES "up", "up", ENOENT);
}

static void nic_values(void)
{
	part = "values of a network interface";
	is_fresh();
	put(NIC_NAMES "mtu", "x", EINVAL);
	put(NIC_NAMES "mtu", "", EINVAL);
	put(NIC_NAMES "mtu", "20", EINVAL);
	put(NIC_NAMES "mtu", "65536", EINVAL);
	put(NIC_NAMES "up", "x", EINVAL);
	put(NIC_NAMES "up", "", EINVAL);
	put(NIC_NAMES "loose", "x", EACCES);
	put(NIC_NAMES "carrier", "on", EACCES);
	put(NIC_NAMES "gateway", "192.0.2.254 over eth0", EACCES);
	put(NIC_NAMES "speed", "10", ENOENT);
	put("nic/0000:00:1f.4/mtu", "1400", ENOENT);
	put("nic/0000:ff:1f.7/mtu", "1400", ENOENT);
	is_fresh();
	put(NIC_NAMES "mtu", "1400", 0);
	reads(NIC_NAMES "mtu", "1400");
	put(NIC_NAMES "up", "up", 0);
	put(NIC_NAMES "up", "up", 0);
	reads(NIC_NAMES "up", "up");
	put(NIC_NAMES "mtu", "1500", 0);
	put(NIC_NAMES "up", "down", 0);
	is_fresh();
}

/* What it has of its own. Whether the card's own address is absent the simulator does not know: it is not asked. */
static void nic_own(void)
{
	part = "what a network interface has of its own";
	reads(NIC_NAMES "mac", NULL);
	put(NIC_NAMES "mac", "", EINVAL);
	put(NIC_NAMES "mac", "01:00:5e:00:00:01", EINVAL);
	put(NIC_NAMES "mac", "52:54:00:00:00:AA", EINVAL);
	put(NIC_NAMES "altnames", "uplink enp0s31f6", 0);
	reads(NIC_NAMES "altnames", "enp0s31f6 uplink");
	put(NIC_NAMES "altnames", "uplink " OTHER_NAME, EEXIST);
	put(NIC_NAMES "altnames", "a  b", EINVAL);
	put(NIC_NAMES "altnames", "third", 0);
	reads(NIC_NAMES "altnames", "third");
	put(NIC_NAMES "altnames", "", 0);
	put(NIC_NAMES "alias", "to the switch, port 7", 0);
	reads(NIC_NAMES "alias", "to the switch, port 7");
	put(NIC_NAMES "alias", "", 0);
	put(NIC_NAMES "link", "promisc on, txqlen 500, arp on", 0);
	reads(NIC_NAMES "link", "txqlen 500, promisc on");
	put(NIC_NAMES "sysctls", "rp_filter 2", EINVAL);
	put(NIC_NAMES "sysctls", "ipv6/conf/accept_ra 0, ipv4/conf/arp_ignore 2", 0);
	reads(NIC_NAMES "sysctls", "ipv4/conf/arp_ignore 2, ipv6/conf/accept_ra 0");
	put(NIC_NAMES "sysctls", "", 0);
	put(NIC_NAMES "link", "arp 0", EINVAL);
	put(NIC_NAMES "link", "speed 1", EINVAL);
	reads(NIC_NAMES "link", "txqlen 500, promisc on");
	put(NIC_NAMES "link", "", 0);
	is_fresh();
}

/* What the driver has there at first the simulator does not know: it is not asked. */
static void nic_card(void)
{
	part = "what ethtool sets of a card";
	put(NIC_NAMES "wol", "magic  unicast", EINVAL);
	put(NIC_NAMES "rings", "rx 512, tx 512", 0);
	reads(NIC_NAMES "rings", "rx 512, tx 512");
	put(NIC_NAMES "rings", "rx many", EINVAL);
	put(NIC_NAMES "rings", "rx 256, tx 256", 0);
	put(NIC_NAMES "features", "tx-scatter-gather tx-checksum-ip-generic", 0);
	reads(NIC_NAMES "features", "tx-scatter-gather tx-checksum-ip-generic");
	put(NIC_NAMES "pause", "autoneg on", 0);
	reads(NIC_NAMES "pause", "autoneg on");
	put(NIC_NAMES "pause", "loud on", EINVAL);
}

/* While it is up, 6.1 refuses (EBUSY), and newer kernels do not: that is not asked. */
static void nic_name(void)
{
	static const char *const nonsense[] = { "", "a/b", "a b", "a:b", "eth%d", ".", "sixteen-is-a-lot" };

	part = "names of a network interface";
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++)
		put(NIC_NAMES "name", nonsense[i], EINVAL);
	put(NIC_NAMES "name", OTHER_NAME, EEXIST);
	reads(NIC_NAMES "name", NAME);
	put(NIC_NAMES "name", NAME, 0);
	put(NIC_NAMES "name", "fifteen-is-good", 0);
	reads(NIC_NAMES "name", "fifteen-is-good");
	put(NIC_NAMES "name", NAME, 0);
	is_fresh();
}

static void nic_bridge(void)
{
	part = "a network interface in a bridge";
	put(NIC_NAMES "vlans", "1", ENOENT);
	put(NIC_NAMES "master", "a/b", EINVAL);
	put(NIC_NAMES "master", "", 0);
	put(NIC_NAMES "master", BRIDGE, 0);
	reads(NIC_NAMES "master", BRIDGE);
	reads(NIC_NAMES "vlans", "1 pvid untagged");
	put(NIC_NAMES "vlans", "bogus", EINVAL);
	put(NIC_NAMES "vlans", "0", EINVAL);
	put(NIC_NAMES "vlans", "1 pvid, 2 pvid", EINVAL);
	put(NIC_NAMES "vlans", "2-9, 10 pvid untagged, 11, 12-4094", 0);
	reads(NIC_NAMES "vlans", "2-9, 10 pvid untagged, 11-4094");
	/* It is in that bridge already. */
	put(NIC_NAMES "master", BRIDGE, 0);
	reads(NIC_NAMES "vlans", "2-9, 10 pvid untagged, 11-4094");
	put(NIC_NAMES "vlans", "", 0);
	reads(NIC_NAMES "vlans", "");
	put(NIC_NAMES "master", "", 0);
	is_fresh();
	put(NIC_NAMES "master", BRIDGE, 0);
	reads(NIC_NAMES "vlans", "1 pvid untagged");
	put(NIC_NAMES "master", "", 0);
}

/* What it is to its bridge. */
static void nic_port(void)
{
	part = "a network interface as port of a bridge";
	put(NIC_NAMES "port", "isolated on", ENOENT);
	put(NIC_NAMES "master-mac", "52:54:00:00:00:66", ENOENT);
	put(NIC_NAMES "fdb", "52:54:00:00:00:02", EOPNOTSUPP);
	put(NIC_NAMES "fdb", "52:54:00:00:00:03 self", 0);
	put(NIC_NAMES "master", BRIDGE, 0);
	reads(NIC_NAMES "port", NULL);
	put(NIC_NAMES "port", "isolated on, cost 50, learning on", 0);
	reads(NIC_NAMES "port", "cost 50, isolated on");
	put(NIC_NAMES "port", "isolated 1", EINVAL);
	put(NIC_NAMES "port", "queue 1", EINVAL);
	put(NIC_NAMES "fdb", "52:54:00:00:00:03 self, 52:54:00:00:00:02 vlan 1", 0);
	reads(NIC_NAMES "fdb", "52:54:00:00:00:02 vlan 1, 52:54:00:00:00:03 self");
	put(NIC_NAMES "fdb", "52:54:00:00:00:02,", EINVAL);
	put(NIC_NAMES "master-mac", "", EINVAL);
	put(NIC_NAMES "master-mac", "52:54:00:00:00:66", 0);
	reads(NIC_NAMES "master-mac", "52:54:00:00:00:66");
	put(NIC_NAMES "master", "", 0);
	reads(NIC_NAMES "port", NULL);
	reads(NIC_NAMES "master-mac", NULL);
	reads(NIC_NAMES "fdb", "52:54:00:00:00:03 self");
	put(NIC_NAMES "master", BRIDGE, 0);
	reads(NIC_NAMES "port", NULL);
	reads(NIC_NAMES "master-mac", "52:54:00:00:00:66");
	put(NIC_NAMES "fdb", "", 0);
	put(NIC_NAMES "master", "", 0);
	is_fresh();
}

static void nic_bond(void)
{
	part = "a network interface as port of a bond";
	put(NIC_NAMES "master", BOND, 0);
	reads(NIC_NAMES "master", BOND);
	reads(NIC_NAMES "up", "up");
	reads(NIC_NAMES "vlans", NULL);
	reads(NIC_NAMES "port", NULL);
	put(NIC_NAMES "vlans", "1", ENOENT);
	put(NIC_NAMES "port", "cost 50", EINVAL);
	put(NIC_NAMES "port", "queue 2", 0);
	reads(NIC_NAMES "port", "queue 2");
	put(NIC_NAMES "fdb", "52:54:00:00:00:02", EOPNOTSUPP);
	put(NIC_NAMES "master", "", 0);
	is_fresh();
	/* One that is up is lowered for it. */
	put(NIC_NAMES "up", "up", 0);
	put(NIC_NAMES "master", BOND, 0);
	reads(NIC_NAMES "up", "up");
	put(NIC_NAMES "master", "", 0);
	is_fresh();
}

#define ADDRESSES "192.0.2.1/24 brd 192.0.2.255, 2001:db8::1/64 nodad"
#define ROUTES "0.0.0.0/0 via 192.0.2.254 table 100, 198.51.100.0/24, ::/0 via 2001:db8::ffff metric 1024"

static void nic_addresses(void)
{
	part = "addresses of a network interface and routes over it";
	put(NIC_NAMES "addresses", "192.0.2.1/33", EINVAL);
	put(NIC_NAMES "addresses", ADDRESSES, 0);
	reads(NIC_NAMES "addresses", ADDRESSES);
	put(NIC_NAMES "addresses", "192.0.2.2/24", 0);
	reads(NIC_NAMES "addresses", "192.0.2.2/24");
	put(NIC_NAMES "routes", ROUTES, ENETDOWN);
	put(NIC_NAMES "up", "up", 0);
	put(NIC_NAMES "addresses", ADDRESSES, 0);
	put(NIC_NAMES "routes", "0.0.0.0/0 dev lo", EINVAL);
	put(NIC_NAMES "routes", ROUTES, 0);
	reads(NIC_NAMES "routes", ROUTES);
	reads(NIC_NAMES "loose", NULL);
	put(NIC_NAMES "up", "down", 0);
	reads(NIC_NAMES "routes", NULL);
	reads(NIC_NAMES "addresses", "192.0.2.1/24 brd 192.0.2.255");
	put(NIC_NAMES "addresses", "", 0);
	is_fresh();
}

#define VLAN NAME ".7 vlan 7"
#define CHILDREN VLAN " / mtu 1400 / up // " NAME ".9 vlan 9 loose-binding / mac 52:54:00:00:00:09 / mtu 1300"

/* Who is in a bridge has no macvlan, and who has one gets into none. */
static void nic_children(void)
{
	part = "interfaces on top of a network interface";
	put(NIC_NAMES "children", VLAN, EINVAL);
	put(NIC_NAMES "children", "", 0);
	put(NIC_NAMES "children", VLAN " / mtu 1400 / up", ENETDOWN);
	put(NIC_NAMES "children", VLAN " / mtu 1400", 0);
	put(NIC_NAMES "up", "up", 0);
	reads(NIC_NAMES "children", VLAN " / mtu 1400 / up");
	put(NIC_NAMES "children", CHILDREN, 0);
	put(NIC_NAMES "children", CHILDREN, 0);
	reads(NIC_NAMES "children", CHILDREN);
	put(NIC_NAMES "children", NAME ".7 vlan 8 / mtu 1400", EEXIST);
	put(NIC_NAMES "children", NAME ".8 vlan 7 / mtu 1400", EEXIST);
	put(NIC_NAMES "children", OTHER_NAME " vlan 8 / mtu 1400", EEXIST);
	put(NIC_NAMES "children", VLAN " / mtu 1501", ERANGE);
	put(NIC_NAMES "children", "", 0);
	reads(NIC_NAMES "children", CHILDREN);
	reads(NIC_NAMES "loose", NULL);
	put(NIC_NAMES "mtu", "1200", 0);
	put(NIC_NAMES "up", "down", 0);
	reads(NIC_NAMES "children", VLAN " / mtu 1200 // " NAME ".9 vlan 9 loose-binding / mac 52:54:00:00:00:09 / mtu 1200");
	put(NIC_NAMES "children", "mv0 macvlan bridge / mac 52:54:00:00:00:0a / mtu 1200", 0);
	put(NIC_NAMES "master", BRIDGE, EBUSY);
	put_file(NIC, "driver/unbind", NIC, 0);
	is_absent();
	put(DRIVERS "e1000/bind", NIC, 0);
	is_fresh();
}

/* All that it had; the next call is to lose it. */
static void nic_in_use(void)
{
	put(NIC_NAMES "mac", "52:54:00:00:00:77", 0);
	reads(NIC_NAMES "mac", "52:54:00:00:00:77");
	put(NIC_NAMES "altnames", "uplink", 0);
	put(NIC_NAMES "alias", "to the switch", 0);
	put(NIC_NAMES "link", "txqlen 500", 0);
	put(NIC_NAMES "sysctls", "ipv4/conf/arp_ignore 2", 0);
	put(NIC_NAMES "mtu", "1400", 0);
	put(NIC_NAMES "master", BRIDGE, 0);
	put(NIC_NAMES "vlans", "2-4094", 0);
	put(NIC_NAMES "up", "up", 0);
	put(NIC_NAMES "port", "cost 50, isolated on", 0);
	put(NIC_NAMES "fdb", "52:54:00:00:00:02 vlan 2, 52:54:00:00:00:03 self", 0);
	put(NIC_NAMES "addresses", ADDRESSES, 0);
	put(NIC_NAMES "routes", ROUTES, 0);
	put(NIC_NAMES "children", CHILDREN, 0);
	reads(NIC_NAMES "up", "up");
	reads(NIC_NAMES "loose", NULL);
}

static void nic_comes_and_goes(void)
{
	part = "a network interface leaves with its driver";
	nic_in_use();
	put_file(NIC, "driver/unbind", NIC, 0);
	is_absent();
	put("module/vfio_pci", "load", 0);
	put_file(NIC, "driver_override", "vfio-pci", 0);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	is_absent();
	put_file(NIC, "driver/unbind", NIC, 0);
	put_file(NIC, "driver_override", "", 0);
	put(DRIVERS "e1000/bind", NIC, 0);
	is_fresh();
	part = "a network interface leaves with its function";
	nic_in_use();
	removes(NIC);
	is_absent();
	rescans(BUSES "0000:00/rescan");
	is_back(NIC, "e1000");
	is_fresh();
	part = "a network interface leaves from another driver";
	nic_in_use();
	put_file(NIC, "driver_override", "vfio-pci", 0);
	put_file(NIC, "driver/unbind", NIC, 0);
	put(DRIVERS "vfio-pci/bind", NIC, 0);
	removes(NIC);
	rescans("sys/bus/pci/rescan");
	is_back(NIC, "e1000");
	is_fresh();
}

void conformance_nic(void)
{
	nic_values();
	nic_name();
	nic_own();
	nic_card();
	nic_bridge();
	nic_port();
	nic_bond();
	nic_addresses();
	nic_children();
	nic_comes_and_goes();
}

/* --- modules ------------------------------------------------------------------------------------------------------ */

static void unloaded(void)
{
	reads("module/e1000", NULL);
	driver(NIC, NULL);
	reads(DRIVERS "e1000/module", NULL);
	put(DRIVERS "e1000/bind", NIC, ENOENT);
	put("sys/bus/pci/drivers_probe", NIC, 0);
	driver(NIC, NULL);
	is_absent();
}

static void loaded(void)
{
	reads("module/e1000", "live");
	reads(DRIVERS "e1000/module", "e1000");
	driver_comes(NIC, "e1000");
	is_fresh();
}

static void module_of_nic(void)
{
	part = "a module is taken out and loaded again";
	reads("module/e1000", "live");
	nic_in_use();
	put("module/e1000", "x", EINVAL);
	put("module/e1000", "load", 0);
	reads(NIC_NAMES "mtu", "1400");
	put("module/e1000", "unload", 0);
	unloaded();
	put("module/e1000", "unload", ENOENT);
	put("module/no_such_module", "unload", ENOENT);
	reads(DEVICE "0000:03:00.0/driver", "e1000e");
	put("module/e1000", "load", 0);
	loaded();
	/* What was free before is taken. */
	put_file(NIC, "driver/unbind", NIC, 0);
	put("module/e1000", "unload", 0);
	put("module/e1000", "load", 0);
	loaded();
	/* What has been found meanwhile, too. */
	put("module/e1000", "unload", 0);
	removes(NIC);
	rescans("sys/bus/pci/rescan");
	is_back(NIC, NULL);
	unloaded();
	put("module/e1000", "load", 0);
	loaded();
	/* Not what is to have another. */
	put_file(NIC, "driver_override", "vfio-pci", 0);
	put("module/e1000", "unload", 0);
	put("module/e1000", "load", 0);
	driver(NIC, NULL);
	is_absent();
	put_file(NIC, "driver_override", "", 0);
	put(DRIVERS "e1000/bind", NIC, 0);
	loaded();
}

/* Which are built in is the kernel's choice; of 6.1 it is this one. */
static void module_builtin(void)
{
	char state[32];

	part = "a module that is no file";
	if (host_read(host, "module/shpchp", state, sizeof(state)) < 0)
		return;
	reads("module/shpchp", "builtin");
	put("module/shpchp", "load", 0);
	put("module/shpchp", "unload", ENOENT);
	reads("module/shpchp", "builtin");
}

/* drivers/pci/pci-driver.c, pci_free_dynids() */
static void module_forgets_ids(void)
{
	part = "a module that was told of ids";
	put("module/vfio_pci", "load", 0);
	put(DRIVERS "vfio-pci/new_id", "1234 ffff", 0);
	put(DRIVERS "vfio-pci/new_id", "1234 ffff", EEXIST);
	put("module/vfio_pci", "unload", 0);
	reads("module/vfio_pci", NULL);
	reads(DRIVERS "vfio-pci/module", NULL);
	put("module/vfio_pci", "load", 0);
	put(DRIVERS "vfio-pci/remove_id", "1234 ffff", ENODEV);
}

static void module_of_usb(void)
{
	part = "the module of USB controllers";
	counts_come(USB_NAMES, "/usb", 12);
	put("module/xhci_pci", "unload", 0);
	counts(USB_NAMES, "/usb", 0);
	counts(INPUTS, "/usb", 0);
	driver(XHCI, NULL);
	put("module/xhci_pci", "load", 0);
	driver_comes(XHCI, "xhci_hcd");
	counts_come(USB_NAMES, "/usb", 12);
	comes(KEYBOARD, KEYBOARD_ID);
}

void conformance_module(void)
{
	module_of_nic();
	module_builtin();
	module_forgets_ids();
	module_of_usb();
}

/* --- a USB device ------------------------------------------------------------------------------------------------- */

/* USB_NAMES/NAME/FILE of the keyboard, or of its interface. Bus numbers change. */
static const char *keyboard(struct arena *a, bool is_interface, const char *file)
{
	char link[HOST_VALUE_BYTES], **names;
	size_t n = 0;

	if (host_list(host, USB_NAMES, a, &names, &n) < 0)
		return "";
	for (size_t i = 0; i < n; i++) {
		const char *port = strchr(names[i], '-');

		if (port && strcmp(port, "-1") == 0 &&
		    host_link(host, arena_fmt(a, USB_NAMES "/%s", names[i]), link, sizeof(link)) >= 0 &&
		    strstr(link, XHCI "/usb"))
			return arena_fmt(a, USB_NAMES "/%s%s/%s", names[i], is_interface ? ":1.0" : "", file);
	}
	return "";
}

void conformance_usb(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *authorized = keyboard(a, false, "authorized"), *user = keyboard(a, true, "driver");

	part = "a USB device is shut out and let in";
	counts_come(USB_NAMES, XHCI "/usb", 6);
	comes(user, "usbhid");
	reads(authorized, "1");
	put(authorized, "x", EINVAL);
	put(authorized, "", EINVAL);
	for (int i = 0; i < 2; i++) {
		put(authorized, "0", 0);
		reads(authorized, "0");
		reads(user, NULL);
		reads(KEYBOARD, KEYBOARD_ID);
		counts(USB_NAMES, XHCI "/usb", 5);
		counts(INPUTS, XHCI, 0);
		put(authorized, "0", 0);
		put(authorized, "1", 0);
		reads(authorized, "1");
		comes(user, "usbhid");
		counts_come(USB_NAMES, XHCI "/usb", 6);
		assertion(count(INPUTS, XHCI "/usb") > 0, "inputs below", XHCI, "1", "0");
		put(authorized, "1", 0);
	}
	/* Who is shut out stays so until its controller has found it again. */
	put(authorized, "0", 0);
	put_file(XHCI, "driver/unbind", XHCI, 0);
	put(DRIVERS "xhci_hcd/bind", XHCI, 0);
	counts_come(USB_NAMES, XHCI "/usb", 6);
	reads(keyboard(a, false, "authorized"), "1");
}
