/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What containers that run have of the host: nodes, folders of nodes, network cards. */
#include "support.h"

#include "core/stake.h"

#define IGPU "0000:00:02.0"
#define AUDIO "0000:00:1f.3"
#define XHCI "0000:00:14.0"
#define CARD "0000:01:00.0"
#define CARD_2 "0000:02:00.0"
#define NIC "0000:03:00.0"
#define NIC_2 "0000:04:00.0"
#define DEVICE "P: /devices/pci0000:00/"

/* Two cards of NVIDIA's, one of AMD's in the processor, two network cards, and some USB devices. */
#define HOST \
	"handover-host: 1\nsource: made: devices that containers like to have\n" \
	DEVICE IGPU "\nA: vendor=0x1002\nA: device=0x0001\nA: class=0x030000\nL: driver=../../../bus/pci/drivers/amdgpu\n" \
	DEVICE AUDIO "\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x040300\n" \
	DEVICE XHCI "\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x0c0330\nL: driver=../../../bus/pci/drivers/xhci_hcd\n" \
	DEVICE CARD "\nA: vendor=0x10de\nA: device=0x0001\nA: class=0x030000\nL: driver=../../../bus/pci/drivers/nvidia\n" \
	DEVICE "0000:01:00.1\nA: vendor=0x10de\nA: device=0x0001\nA: class=0x040300\n" \
	DEVICE CARD_2 "\nA: vendor=0x10de\nA: device=0x0001\nA: class=0x030200\nL: driver=../../../bus/pci/drivers/nvidia\n" \
	DEVICE NIC "\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x020000\nL: driver=../../../bus/pci/drivers/igb\n" \
	DEVICE NIC_2 "\nA: vendor=0x8086\nA: device=0x0001\nA: class=0x020000\nL: driver=../../../bus/pci/drivers/igb\n" \
	"P: /bus/pci/drivers/amdgpu\nP: /bus/pci/drivers/nvidia\nP: /bus/pci/drivers/igb\nP: /bus/pci/drivers/xhci_hcd\n" \
	DEVICE XHCI "/usb1\nA: bDeviceClass=09\nA: busnum=1\nA: devnum=1\n" \
	DEVICE XHCI "/usb1/1-1\nA: bDeviceClass=09\nA: busnum=1\nA: devnum=2\n" \
	DEVICE XHCI "/usb1/1-1/1-1.2\nA: bDeviceClass=00\nA: busnum=1\nA: devnum=4\n" \
	DEVICE XHCI "/usb1/1-3\nA: bDeviceClass=00\nA: busnum=1\nA: devnum=3\n" \
	"P: /class/drm\nL: card0=../../devices/pci0000:00/" IGPU "/drm/card0\n" \
	"L: card0-HDMI-A-1=../../devices/pci0000:00/" IGPU "/drm/card0/card0-HDMI-A-1\n" \
	"L: card1=../../devices/pci0000:00/" CARD "/drm/card1\n" \
	"L: renderD128=../../devices/pci0000:00/" IGPU "/drm/renderD128\n" \
	"P: /class/sound\nL: controlC0=../../devices/pci0000:00/" AUDIO "/sound/card0/controlC0\n" \
	"P: /class/tty\nL: ttyUSB0=../../devices/pci0000:00/" XHCI "/usb1/1-3/1-3:1.0/ttyUSB0/tty/ttyUSB0\n" \
	"P: /class/net\nL: eno1=../../devices/pci0000:00/" NIC "/net/eno1\n" \
	"V: nic/" NIC "/name=eno1\n" \
	"P: /fs/cgroup/lxc/105\n"

/* What such a container has, a line each: "DEVICE: WHAT". */
static void assert_has(const char *config, const char *told)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *h = host_from(HOST);
	struct inventory inventory;
	struct stakes s = { .host = h, .inventory = &inventory, .arena = a };
	const char *all = "";
	struct error err;

	sim_set(h, "etc/pve/lxc/105.conf", config);
	sim_set_link(h, "dev/dri/by-path/pci-" IGPU "-card", "../card0");
	sim_set_link(h, "dev/serial/by-id/usb-relay", "../../ttyUSB0");
	assert_int_equal(inventory_read(h, a, &inventory, &err), 0);
	stakes_containers(&s, 0);
	for (size_t i = 0; i < s.n; i++) {
		assert_string_equal(s.list[i].code, "other-guest");
		assert_string_equal(s.list[i].remedy, "stop container 105 first");
		all = arena_fmt(a, "%s%s\n", all, s.list[i].what);
	}
	assert_string_equal(all, told);
}

#define WITH " is with container 105, which runs: "

static void a_node_is_told_with_the_line_that_gives_it(void **state)
{
	(void)state;
	assert_has("dev0: /dev/dri/renderD128,gid=104\n",
		   "/dev/dri/renderD128 -> " IGPU WITH "'dev0: /dev/dri/renderD128,gid=104'\n");
	assert_has("dev1: deny-write=1,path=/dev/snd/controlC0\n",
		   "/dev/snd/controlC0 -> " AUDIO WITH "'dev1: deny-write=1,path=/dev/snd/controlC0'\n");
	assert_has("lxc.mount.entry = /dev/ttyUSB0 dev/ttyUSB0 none bind\n",
		   "/dev/ttyUSB0 -> " XHCI WITH "'lxc.mount.entry = /dev/ttyUSB0 dev/ttyUSB0 none bind'\n");
	assert_has("lxc.mount.entry: /srv/dev/dri/card0 srv none bind\n", "");
	assert_has("description: /dev/dri/card0\ndevice: /dev/dri/card0\n[snap]\ndev0: /dev/dri/card0\n", "");
}

static void a_folder_gives_every_card_that_has_a_node_there(void **state)
{
	static const char *const folders[] = { "/dev/dri", "/dev/dri/", "/dev/dri/by-path" };

	(void)state;
	for (size_t i = 0; i < COUNT(folders); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *line = arena_fmt(a, "lxc.mount.entry: %s dev/dri none bind,optional,create=dir", folders[i]);

		assert_has(line, arena_fmt(a, "/dev/dri/card0 -> " IGPU WITH "'%s'\n/dev/dri/card1 -> " CARD WITH "'%s'\n",
					   line, line));
	}
}

static void a_node_by_its_path_is_found_by_the_link_or_the_name(void **state)
{
	(void)state;
	assert_has("dev0: /dev/dri/by-path/pci-" IGPU "-card\n",
		   "/dev/dri/card0 -> " IGPU WITH "'dev0: /dev/dri/by-path/pci-" IGPU "-card'\n");
	assert_has("dev0: /dev/dri/by-path/pci-" CARD "-render\n",
		   "/dev/dri/by-path/pci-" CARD "-render -> " CARD WITH "'dev0: /dev/dri/by-path/pci-" CARD "-render'\n");
	assert_has("dev0: /dev/serial/by-id/usb-relay\n",
		   "/dev/ttyUSB0 -> " XHCI WITH "'dev0: /dev/serial/by-id/usb-relay'\n");
}

static void nodes_that_cards_share_are_of_all_cards_of_their_driver(void **state)
{
	(void)state;
	assert_has("dev0: /dev/nvidiactl\n", "/dev/nvidiactl -> " CARD WITH "'dev0: /dev/nvidiactl'\n"
		   "/dev/nvidiactl -> " CARD_2 WITH "'dev0: /dev/nvidiactl'\n");
	assert_has("dev0: /dev/nvidia0\n", "/dev/nvidia0 -> " CARD WITH "'dev0: /dev/nvidia0'\n"
		   "/dev/nvidia0 -> " CARD_2 WITH "'dev0: /dev/nvidia0'\n");
	assert_has("dev0: /dev/kfd\n", "/dev/kfd -> " IGPU WITH "'dev0: /dev/kfd'\n");
}

static void usb_nodes_are_of_the_device_or_of_all_that_are_no_hubs(void **state)
{
	(void)state;
	assert_has("dev0: /dev/bus/usb/001/004\n",
		   "/dev/bus/usb/001/004 (USB 1-1.2) -> " XHCI WITH "'dev0: /dev/bus/usb/001/004'\n");
	assert_has("lxc.mount.entry: /dev/bus/usb/001 dev/bus/usb/001 none bind\n",
		   "/dev/bus/usb/001 (USB 1-1.2) -> " XHCI WITH "'lxc.mount.entry: /dev/bus/usb/001 dev/bus/usb/001 none bind'\n"
		   "/dev/bus/usb/001 (USB 1-3) -> " XHCI WITH "'lxc.mount.entry: /dev/bus/usb/001 dev/bus/usb/001 none bind'\n");
	assert_has("dev0: /dev/bus/usb/002\n", "");
	assert_has("dev0: /dev/bus/usbmon\n", "");
}

static void a_network_card_is_with_the_container_that_it_was_given_to(void **state)
{
	(void)state;
	/* The container has not taken it, or it has another of that name. */
	assert_has("lxc.net.1.type: phys\nlxc.net.1.link: eno1\n",
		   "eno1 -> " NIC WITH "'lxc.net.1.link: eno1'\n");
	/* It is away; the only card without interface is it. */
	assert_has("lxc.net.0.link: eno2\nlxc.net.0.type: phys\n",
		   "eno2, which no longer is an interface of the host and may be " NIC_2 ","
		   WITH "'lxc.net.0.link: eno2'\n");
	/* A bridge's port is a pair of virtual ones. */
	assert_has("lxc.net.0.type: veth\nlxc.net.0.link: eno1\n", "");
	assert_has("lxc.net.0.type: phys\nlxc.net.1.link: eno1\n", "");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_told_with_the_line_that_gives_it),
		cmocka_unit_test(a_folder_gives_every_card_that_has_a_node_there),
		cmocka_unit_test(a_node_by_its_path_is_found_by_the_link_or_the_name),
		cmocka_unit_test(nodes_that_cards_share_are_of_all_cards_of_their_driver),
		cmocka_unit_test(usb_nodes_are_of_the_device_or_of_all_that_are_no_hubs),
		cmocka_unit_test(a_network_card_is_with_the_container_that_it_was_given_to),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
