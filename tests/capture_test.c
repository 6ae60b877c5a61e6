/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host stands on: as a simulated host has it, and what of it a capture takes. */
#include "support.h"

#include "core/rails.h"

#define HEAD "handover-host: 1\n"
#define BUS "P: /bus/pci/devices\n"
#define SATA "0000:00:17.0"
#define DISK "/devices/pci0000:00/" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda"
#define FUNCTION "P: /devices/pci0000:00/" SATA "\nA: vendor=0x8086\nA: device=0xa352\nA: class=0x010601\n" \
	"A: driver_override=(null)\nL: driver=../../../bus/pci/drivers/ahci\n" \
	"P: /bus/pci/drivers/ahci\nP: /bus/pci/drivers/vfio-pci\n"

/* A disk with a partition, which device mapper has. */
#define STORAGE HEAD FUNCTION \
	"P: /class/block\nL: sda=../.." DISK "\nL: sda1=../.." DISK "/sda1\nL: dm-0=../../devices/virtual/block/dm-0\n" \
	"P: " DISK "\nA: dev=8:0\nA: size=1000\nA: removable=0\nL: device=../../../0:0:0:0\n" \
	"P: " DISK "/sda1\nA: dev=8:1\nA: partition=1\nA: size=900\n" \
	"L: holders/dm-0=../../../../../../../../../../virtual/block/dm-0\n" \
	"P: /devices/virtual/block/dm-0\nA: dev=253:0\nA: size=800\nA: dm/name=pve-root\nA: dm/uuid=LVM-abcdefghijkl\n" \
	"L: slaves/sda1=../../../../pci0000:00/" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1\n" \
	"V: label/sda1=LVM2_member\nV: holder/dev/sda=900 smartmontools.service smartd\n"

/* --- a simulated host -------------------------------------------------------------------------------------------- */

static void assert_disk_is_there(struct host *h)
{
	assert_reads(h, "sys/class/block/sda", "sda");
	assert_reads(h, "sys/class/block/sda/size", "1000");
	assert_reads(h, "sys/class/block/sda1/partition", "1");
	assert_reads(h, "sys/class/block/sda1/holders/dm-0/dm/name", "pve-root");
	assert_reads(h, "sys/class/block/dm-0/slaves/sda1/dev", "8:1");
}

/* The links of the class and of what is on top stay, and lead nowhere. */
static void assert_disk_is_away(struct host *h)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char **names;
	size_t n;

	assert_absent(h, "sys/class/block/sda/size");
	assert_absent(h, "sys/class/block/sda1/partition");
	assert_absent(h, "sys/class/block/dm-0/slaves/sda1/dev");
	assert_int_equal(host_list(h, "sys/class/block/sda1/holders", a, &names, &n), -ENOENT);
	assert_int_equal(host_list(h, "sys/class/block", a, &names, &n), 0);
	assert_int_equal(n, 3);
	assert_reads(h, "sys/class/block/dm-0/dm/name", "pve-root");
	/* Who holds a node, and what is on a disk, is what the text says. */
	assert_reads(h, "holder/dev/sda", "900 smartmontools.service smartd");
	assert_reads(h, "label/sda1", "LVM2_member");
}

static void what_hangs_on_a_function_goes_with_its_driver(void **state)
{
	struct host *h = host_from(STORAGE);

	(void)state;
	assert_disk_is_there(h);
	assert_int_equal(poke_host(h, "sys/bus/pci/drivers/ahci/unbind", SATA), 0);
	assert_disk_is_away(h);
	assert_int_equal(poke_host(h, "sys/bus/pci/devices/" SATA "/driver_override", "vfio-pci"), 0);
	assert_int_equal(poke_host(h, "sys/bus/pci/drivers/vfio-pci/bind", SATA), 0);
	assert_disk_is_away(h);
	assert_int_equal(poke_host(h, "sys/bus/pci/drivers/vfio-pci/unbind", SATA), 0);
	assert_int_equal(poke_host(h, "sys/bus/pci/devices/" SATA "/driver_override", ""), 0);
	assert_int_equal(poke_host(h, "sys/bus/pci/drivers/ahci/bind", SATA), 0);
	assert_disk_is_there(h);
	host_close(h);
}

static void what_hangs_on_a_function_goes_with_the_function(void **state)
{
	struct host *h = host_from(STORAGE);

	(void)state;
	assert_int_equal(poke_host(h, "sys/bus/pci/devices/" SATA "/remove", "1"), 0);
	assert_disk_is_away(h);
	assert_int_equal(poke_host(h, "sys/bus/pci/rescan", "1"), 0);
	assert_disk_is_there(h);
	host_close(h);
}

/* --- a capture --------------------------------------------------------------------------------------------------- */

/* The capture of a host from text, which is the same once more. */
static const char *capture_of(struct arena *a, const char *text)
{
	struct host *h = host_from(text), *copy;
	const char *first = host_capture(a, h), *again;

	copy = host_from(first);
	again = host_capture(a, copy);
	assert_string_equal(first, again);
	host_close(h);
	host_close(copy);
	return first;
}

static void disks_are_captured_with_what_is_on_them(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, STORAGE);

	(void)state;
	assert_contains(text,
			"\nP: /class/block\nL: dm-0=../../devices/virtual/block/dm-0\nL: sda=../.." DISK
			"\nL: sda1=../.." DISK "/sda1\n");
	assert_contains(text, "\nP: " DISK "\nA: dev=8:0\nA: size=1000\nA: removable=0\nL: device=../../../0:0:0:0\n\n");
	assert_contains(text, "\nP: " DISK "/sda1\nA: dev=8:1\nA: partition=1\nA: size=900\n"
			"L: holders/dm-0=../../../../../../../../../../virtual/block/dm-0\n");
	assert_contains(text, "\nA: dm/name=pve-root\nA: dm/uuid=LVM-\nL: slaves/sda1=../../../../pci0000:00/" SATA "/ata1/");
	assert_contains(text, "\n\nV: label/sda1=LVM2_member\nV: holder/dev/sda=900 smartmontools.service smartd\n");
}

static void the_numbers_of_disks_are_not_captured(void **state)
{
	static const struct { const char *uuid, *captured; } cases[] = {
		{ "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-dm_crypt", "CRYPT-LUKS2-" },
		{ "CRYPT-PLAIN-swap", "CRYPT-PLAIN-swap" },
		{ "mpath-3600508b1001c2ff0", "mpath-" },
		{ "part1-mpath-3600508b1001c2ff0", "part1-mpath-" },
		{ "LVM-0123456789-pool", "LVM-" },
		{ "3600508b1001c2ff0", "" },
		{ "", "" },
	};
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *text = capture_of(a, arena_fmt(a, HEAD BUS "P: /class/block\n"
							   "L: dm-0=../../devices/virtual/block/dm-0\n"
							   "P: /devices/virtual/block/dm-0\nA: size=1\nA: dm/uuid=%s\n",
							   cases[i].uuid));

		assert_contains(text, arena_fmt(a, "\nA: dm/uuid=%s\n", cases[i].captured));
	}
}

static void guests_disks_and_empty_ones_are_left_alone(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "P: /class/block\nL: zd0=../../devices/virtual/block/zd0\n"
		"L: loop0=../../devices/virtual/block/loop0\nL: loop1=../../devices/virtual/block/loop1\n"
		"L: dm-1=../../devices/virtual/block/dm-1\nL: md0=../../devices/virtual/block/md0\n"
		"L: cciss!c0d0=../../devices/pci0000:00/0000:00:01.0/c0d0/block/cciss!c0d0\n"
		"P: /devices/virtual/block/zd0\nA: size=8\nP: /devices/virtual/block/loop0\nA: size=0\n"
		"P: /devices/virtual/block/loop1\nA: size=8\nP: /devices/virtual/block/md0\nA: size=8\nA: md/level=raid1\n"
		"P: /devices/virtual/block/dm-1\nA: size=8\nA: dm/uuid=LVM-x\n"
		"P: /devices/pci0000:00/0000:00:01.0/c0d0/block/cciss!c0d0\nA: size=8\n"
		"V: label/zd0=ntfs secret\nV: label/loop1=ext4 secret\nV: label/dm-1=ext4 secret\nV: label/md0=ext4 root\n"
		"V: label/cciss!c0d0=zfs_member tank\nV: holder/dev/zd0=5 101.scope kvm\n"
		"V: holder/dev/cciss/c0d0=6 - x\nV: holder/dev/other=7 - secret\n");

	(void)state;
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "loop0"));
	assert_contains(text, "A: md/level=raid1\n");
	assert_contains(text, "V: label/cciss!c0d0=zfs_member tank\nV: label/md0=ext4 root\n");
	assert_contains(text, "V: holder/dev/cciss/c0d0=6 - x\nV: holder/dev/zd0=5 101.scope kvm\n");
}

static void nvme_below_a_subsystem_is_captured_with_its_controllers(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "P: /class/nvme-subsystem\n"
		"L: nvme-subsys0=../../devices/virtual/nvme-subsystem/nvme-subsys0\n"
		"P: /devices/virtual/nvme-subsystem/nvme-subsys0\nA: serial=secret\n"
		"L: nvme0=../../../pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0\n"
		"P: /devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1\nA: dev=259:0\n");

	(void)state;
	assert_contains(text, "\nP: /devices/virtual/nvme-subsystem/nvme-subsys0\n"
			"L: nvme0=../../../pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0\n");
	assert_null(strstr(text, "secret"));
}

static void interfaces_are_captured_with_what_is_above_and_below(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "P: /class/net\n"
		"A: bonding_masters=bond0\nL: eno1=../../devices/pci0000:00/0000:00:1f.6/net/eno1\n"
		"L: vmbr0=../../devices/virtual/net/vmbr0\n"
		"P: /devices/pci0000:00/0000:00:1f.6/net/eno1\nA: address=secret\nA: operstate=up\nA: carrier=1\n"
		"A: type=1\nL: device=../../../0000:00:1f.6\nL: master=../../../../virtual/net/vmbr0\n"
		"L: upper_vmbr0=../../../../virtual/net/vmbr0\n"
		"P: /devices/virtual/net/vmbr0\nA: operstate=up\n"
		"L: lower_eno1=../../../pci0000:00/0000:00:1f.6/net/eno1\n");

	(void)state;
	assert_contains(text, "\nP: /class/net\nL: eno1=");
	assert_contains(text, "\nP: /devices/pci0000:00/0000:00:1f.6/net/eno1\nA: operstate=up\nA: carrier=1\nA: type=1\n"
			"L: device=../../../0000:00:1f.6\nL: master=../../../../virtual/net/vmbr0\n"
			"L: upper_vmbr0=../../../../virtual/net/vmbr0\n");
	assert_contains(text, "\nL: lower_eno1=../../../pci0000:00/0000:00:1f.6/net/eno1\n");
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "bonding_masters"));
}

static void consoles_are_captured_and_other_terminals_are_not(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "P: /class/tty\nL: console=../../devices/virtual/tty/console\n"
		"L: tty0=../../devices/virtual/tty/tty0\nL: tty1=../../devices/virtual/tty/tty1\n"
		"L: ttyS0=../../devices/pnp0/00:04/tty/ttyS0\nL: ttyS1=../../devices/platform/serial8250/tty/ttyS1\n"
		"P: /devices/virtual/tty/console\nA: active=tty0 ttyS0\nP: /devices/virtual/tty/tty0\nA: active=tty1\n"
		"P: /devices/virtual/tty/tty1\nP: /devices/pnp0/00:04\nA: firmware_node/path=\\\\_SB_.PCI0.LPCB.UAR1\n"
		"P: /devices/pnp0/00:04/tty/ttyS0\nL: device=../../../00:04\nP: /devices/platform/serial8250/tty/ttyS1\n"
		"P: /class/vtconsole\nL: vtcon0=../../devices/virtual/vtconsole/vtcon0\n"
		"P: /devices/virtual/vtconsole/vtcon0\nA: name=(S) dummy device\nA: bind=1\n"
		"V: holder/dev/ttyS0=77 serial-getty@ttyS0.service agetty\n");

	(void)state;
	assert_contains(text, "\nP: /class/tty\nL: console=../../devices/virtual/tty/console\n"
			"L: tty0=../../devices/virtual/tty/tty0\nL: ttyS0=../../devices/pnp0/00:04/tty/ttyS0\n\n");
	assert_contains(text, "\nP: /devices/virtual/tty/console\nA: active=tty0 ttyS0\n");
	assert_contains(text, "\nP: /devices/pnp0/00:04\nA: firmware_node/path=\\\\_SB_.PCI0.LPCB.UAR1\n");
	assert_contains(text, "\nP: /devices/pnp0/00:04/tty/ttyS0\nL: device=../../../00:04\n");
	assert_contains(text, "\nA: name=(S) dummy device\nA: bind=1\n");
	assert_contains(text, "\nV: holder/dev/ttyS0=77 serial-getty@ttyS0.service agetty\n");
	assert_null(strstr(text, "tty1="));
	assert_null(strstr(text, "ttyS1"));
}

/* A thing of each class below a function; what is beside it in the class is none of it. */
static void what_hangs_on_the_platform_is_captured_with_who_holds_it(void **state)
{
	static const struct { const char *class, *name, *node, *other; } cases[] = {
		{ "class/graphics", "fb0", "fb0", "fbcon" },
		{ "class/drm", "card0", "dri/card0", "card0-HDMI-A-1" },
		{ "class/drm", "renderD128", "dri/renderD128", "ttm" },
		{ "class/sound", "controlC0", "snd/controlC0", "card0" },
		{ "class/sound", "pcmC0D0p", "snd/pcmC0D0p", "timer" },
		{ "class/vfio-dev", "vfio0", "vfio/devices/vfio0", "vfiox" },
		{ "class/watchdog", "watchdog0", "watchdog0", "watchdogs" },
		{ "class/mtd", "mtd0ro", "mtd0ro", "mtdblock" },
		{ "class/i2c-dev", "i2c-4", "i2c-4", "i2c-x" },
		{ "class/tpm", "tpm0", "tpm0", "tpmx" },
		{ "class/tpmrm", "tpmrm0", "tpmrm0", "tpmrmx" },
		{ "bus/gpio/devices", "gpiochip0", "gpiochip0", "gpiochips" },
	};
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *path = arena_fmt(a, "/devices/pci0000:00/0000:00:1f.0/x/%s", cases[i].name);
		const char *up = strcmp(cases[i].class, "bus/gpio/devices") == 0 ? "../../.." : "../..";
		const char *text = capture_of(a, arena_fmt(a, HEAD BUS "P: /%s\nL: %s=%s%s\nL: %s=%s%sx\nP: %s\nP: %sx\n"
							   "V: holder/dev/%s=5 - one\\n6 - two\nV: holder/dev/x=7 - x\n",
							   cases[i].class, cases[i].name, up, path, cases[i].other, up,
							   path, path, path, cases[i].node));

		assert_contains(text, arena_fmt(a, "\nP: /%s\nL: %s=%s%s\n\nP: %s\n", cases[i].class, cases[i].name, up,
						path, path));
		assert_contains(text, arena_fmt(a, "\n\nV: holder/dev/%s=5 - one\\n6 - two\n", cases[i].node));
		assert_null(strstr(text, "holder/dev/x"));
	}
}

static void what_is_away_is_not_captured(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "P: /class/sound\n"
		"L: controlC0=../../devices/pci0000:00/0000:00:1f.3/sound/card0/controlC0\n"
		"L: controlC1=../../devices/pci0000:00/0000:00:1f.4\n"
		"P: /devices/pci0000:00/0000:00:1f.4\nA: vendor=0x8086\n");

	(void)state;
	assert_null(strstr(text, "class/sound"));
	assert_null(strstr(text, "1f.3"));
}

static void functions_groups_and_iscsi_are_captured_too(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD "P: /devices/pci0000:00/0000:00:1f.0\nA: vendor=0x8086\n"
		"A: firmware_node/path=\\\\_SB_.PCI0.LPCB\nL: iommu_group=../../../kernel/iommu_groups/7\n"
		"P: /kernel/iommu_groups/7\nP: /class/watchdog\n"
		"L: watchdog0=../../devices/pci0000:00/0000:00:1f.0/iTCO_wdt/watchdog/watchdog0\n"
		"P: /devices/pci0000:00/0000:00:1f.0/iTCO_wdt/watchdog/watchdog0\nA: state=active\n"
		"A: identity=iTCO_wdt\nA: nowayout=0\nA: timeout=30\n"
		"P: /class/iscsi_connection\n"
		"L: connection1:0=../../devices/platform/host6/session1/connection1:0/iscsi_connection/connection1:0\n"
		"P: /devices/platform/host6/session1/connection1:0/iscsi_connection/connection1:0\n"
		"A: address=10.0.0.9\nA: persistent_address=10.0.0.8\nA: port=3260\n"
		"V: holder/dev/nvidiactl=61 - nvidia-smi\nV: holder/dev/vfio/7=4711 101.scope kvm\n");

	(void)state;
	assert_contains(text, "\nA: firmware_node/path=\\\\_SB_.PCI0.LPCB\n");
	assert_contains(text, "\nA: state=active\nA: identity=iTCO_wdt\nA: nowayout=0\n\n");
	assert_contains(text, "\nA: address=10.0.0.9\nA: persistent_address=10.0.0.8\n\n");
	assert_contains(text, "\nV: holder/dev/nvidiactl=61 - nvidia-smi\n");
	assert_contains(text, "\nV: holder/dev/vfio/7=4711 101.scope kvm\n");
}

static void of_mounts_what_is_on_devices_and_comes_over_the_network_is_captured(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "F: proc/self/mountinfo\n"
		"| 21 1 0:20 / /proc rw,relatime shared:1 - proc proc rw,secret\n"
		"| 22 1 253:1 / / rw,relatime shared:2 - ext4 /dev/mapper/pve-root rw,errors=remount-ro\n"
		"| 23 1 0:30 / /rpool rw,noatime shared:3 - zfs rpool/ROOT rw,xattr,noacl\n"
		"| 24 1 0:31 /x /mnt/a\\040b rw - nfs4 store:/export rw,vers=4.2,clientaddr=10.0.0.1,addr=10.0.0.5\n"
		"| 25 1 0:32 / /mnt/c rw master:1 - cifs //nas/share ro,username=secret,addr=10.0.0.6\n"
		"| 26 1 0:33 / /mnt/d rw - fuse.sshfs me@far:/ rw,user_id=0\n"
		"| 27 1 0:34 / /run rw - tmpfs secret rw\n| 29 1 0:36 / /mnt/g rw - fuse.glusterfs nas:/vol rw,user_id=0\n"
		"| 28 1 0:35 / /mnt/f rw - btrfs /dev/sdb1 rw,subvolid=5,subvol=/\n"
		"| no mount at all\n"
		"F: etc/hosts\n| 127.0.0.1 localhost\n| 10.0.0.5 secret store.lan store # nas\n| 10.0.0.6\tnas\n"
		"V: proc/swaps=Filename\\n/dev/dm-1\n"
		"V: proc/spl/kstat/zfs/rpool/state=ONLINE\nV: proc/spl/kstat/zfs/tank/io=1\n"
		"V: proc/spl/kstat/zfs/arcstats=secret\n");

	(void)state;
	assert_contains(text, "\n\nF: proc/self/mountinfo\n"
			"| 22 1 253:1 / / rw,relatime shared:2 - ext4 /dev/mapper/pve-root rw\n"
			"| 23 1 0:30 / /rpool rw,noatime shared:3 - zfs rpool/ROOT rw\n"
			"| 24 1 0:31 /x /mnt/a\\040b rw - nfs4 store:/export rw,addr=10.0.0.5\n"
			"| 25 1 0:32 / /mnt/c rw master:1 - cifs //nas/share ro,addr=10.0.0.6\n"
			"| 26 1 0:33 / /mnt/d rw - fuse.sshfs me@far:/ rw\n"
			"| 29 1 0:36 / /mnt/g rw - fuse.glusterfs nas:/vol rw\n"
			"| 28 1 0:35 / /mnt/f rw - btrfs /dev/sdb1 rw,subvolid=5,subvol=/\n\n");
	assert_contains(text, "\n\nF: etc/hosts\n| 10.0.0.5 store\n| 10.0.0.6 nas\n");
	assert_contains(text, "\n\nF: proc/swaps\n| Filename\n| /dev/dm-1\n");
	assert_contains(text, "\n\nV: proc/spl/kstat/zfs/rpool/state=ONLINE\nV: proc/spl/kstat/zfs/tank/state=\n");
	assert_null(strstr(text, "secret"));
}

#define TCP "  sl  local_address rem_address   st tx_queue rx_queue\n"
#define SSH_22 "| 0: 0100007F:0016 0200007F:C001 01 00000000:00000000\n"
#define SSH_222 "| 1: 0100007F:00DE 0200007F:C001 01 00000000:00000000\n"
#define LISTENS "| 2: 00000000:0016 00000000:0000 0A 00000000:00000000\n"
#define OUT_22 "| 3: 0100007F:C002 0200007F:0016 01 00000000:00000000\n"

static void of_connections_the_sessions_of_ssh_are_captured(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *table = HEAD BUS "F: proc/net/tcp\n| " TCP SSH_22 SSH_222 LISTENS OUT_22;
	const char *text = capture_of(a, table);

	(void)state;
	assert_contains(text, "\n\nF: proc/net/tcp\n| " TCP SSH_22);
	assert_null(strstr(text, SSH_222));
	assert_null(strstr(text, LISTENS));
	assert_null(strstr(text, OUT_22));
	text = capture_of(a, arena_fmt(a, "%sF: etc/ssh/sshd_config\n| # Port 22\n| port 222\n| PasswordAuthentication no\n"
				       "F: proc/net/tcp6\n| " TCP SSH_222, table));
	assert_contains(text, "\n\nF: etc/ssh/sshd_config\n| port 222\n\n");
	assert_contains(text, "\n\nF: proc/net/tcp\n| " TCP SSH_22 SSH_222);
	assert_contains(text, "\n\nF: proc/net/tcp6\n| " TCP SSH_222);
	text = capture_of(a, arena_fmt(a, "%sF: etc/ssh/sshd_config.d/a.conf\n| ListenAddress 10.0.0.1:222\n"
				       "| ListenAddress secret\n"
				       "F: etc/ssh/sshd_config.d/secret\n| Port 22\n", table));
	assert_contains(text, "\n\nF: etc/ssh/sshd_config.d/a.conf\n| ListenAddress 10.0.0.1:222\n\n");
	assert_contains(text, "\n\nF: proc/net/tcp\n| " TCP SSH_22 SSH_222);
	assert_null(strstr(text, "secret"));
}

#define ROUTE_TO(address, flags) \
	"| " address " 40 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 " \
	flags "     eno1\n"

static void routes_are_captured_and_addresses_are_not(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "V: proc/net/route=Iface\tDestination\\nvmbr0\t00000000\\n\n"
		"F: proc/net/ipv6_route\n" ROUTE_TO("00000000000000000000000000000000", "00450003")
		ROUTE_TO("fd00000000000000525400fffe123456", "80200001") ROUTE_TO("ff000000000000000000000000000000", "00000001")
		ROUTE_TO("fd000000000000000000000000000000", "00100001"));

	(void)state;
	assert_contains(text, "\n\nF: proc/net/route\n| Iface\tDestination\n| vmbr0\t00000000\n");
	assert_contains(text, "\n\nF: proc/net/ipv6_route\n" ROUTE_TO("00000000000000000000000000000000", "00450003"));
	assert_null(strstr(text, "fffe123456"));
	assert_null(strstr(text, "| ff0000"));
	assert_null(strstr(text, "| fd0000"));
}

static void of_the_cluster_the_addresses_are_captured(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char nodes[] = "| nodelist {\n|   node {\n|     name: pve1\n|     ring0_addr: pve1.lan\n"
				    "|     ring1_addr: 10.1.0.1\n|   }\n| }\n";
	static const char conf[] = "| totem {\n|   cluster_name: secret\n| nodelist {\n|   node {\n|     name: pve1\n"
				   "|     nodeid: secret\n|     ring0_addr: pve1.lan\n|     ring1_addr: 10.1.0.1\n"
				   "|     ringing: secret\n|   }\n| }\n";
	const char *text = capture_of(a, arena_fmt(a, HEAD BUS "F: etc/pve/corosync.conf\n%sF: etc/corosync/corosync.conf\n%s"
						   "F: etc/pve/ceph.conf\n| [global]\n| \tmon_host = 10.2.0.1 mon2\n"
						   "| mon host=10.2.0.3\n| mon_hostess = secret\n| fsid = secret\n"
						   "| public network = 10.3.0.0/24\n| cluster-network=10.4.0.0/24\n"
						   "F: etc/hosts\n| 10.1.0.9 PVE1.lan\n| 10.2.0.2 mon2\n| 10.3.0.1 secret\n",
						   conf, conf));

	(void)state;
	assert_contains(text, arena_fmt(a, "\n\nF: etc/pve/corosync.conf\n%s", nodes));
	assert_contains(text, arena_fmt(a, "\n\nF: etc/corosync/corosync.conf\n%s", nodes));
	assert_contains(text, "\n\nF: etc/pve/ceph.conf\n| \tmon_host = 10.2.0.1 mon2\n| mon host=10.2.0.3\n"
			"| public network = 10.3.0.0/24\n| cluster-network=10.4.0.0/24\n\n");
	assert_contains(text, "\n\nF: etc/hosts\n| 10.1.0.9 PVE1.lan\n| 10.2.0.2 mon2\n");
	assert_null(strstr(text, "secret"));
}

static void guests_that_run_are_captured(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD BUS "V: run/qemu-server/101.pid=4711\\n\nV: run/qemu-server/101.qmp=secret\n"
		"V: proc/4711/cmdline=/usr/bin/kvm\\0-id\\0101\\0-name\\0secret\\0\n"
		/* Another has its number by now, and one was never there. */
		"V: run/qemu-server/102.pid=4712\nV: proc/4712/cmdline=kvm\\0-id\\0103\\0\n"
		"V: run/qemu-server/104.pid=4713\nV: run/qemu-server/secret.pid=4711\n"
		"P: /fs/cgroup/lxc/105\nP: /fs/cgroup/lxc/secret\n"
		"F: etc/pve/lxc/105.conf\n| hostname: secret\n| dev0: /dev/dri/renderD128,gid=104\n"
		"| lxc.mount.entry: /dev/snd dev/snd none bind\n| lxc.cgroup2.devices.allow: c 116:* rwm\n"
		"| lxc.net.1.type: phys\n| lxc.net.1.link: eno2\n| lxc.net.1.hwaddr: 02:00:00:00:00:01\n"
		"| device: secret\n| [snapshot]\n| dev1: secret\n");

	(void)state;
	assert_contains(text, "\n\nV: run/qemu-server/101.pid=4711\nV: proc/4711/cmdline=kvm\\0-id\\0101\n\n");
	assert_contains(text, "\n\nP: /fs/cgroup/lxc/105\n\n");
	assert_contains(text, "\n\nF: etc/pve/lxc/105.conf\n| dev0: /dev/dri/renderD128,gid=104\n"
			"| lxc.mount.entry: /dev/snd dev/snd none bind\n| lxc.cgroup2.devices.allow: c 116:* rwm\n"
			"| lxc.net.1.type: phys\n| lxc.net.1.link: eno2\n");
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "4712"));
	assert_null(strstr(text, "4713"));
}

static void the_owners_policy_is_captured_whole_or_not_at_all(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *line = arena_alloc(a, 8000);
	const char *text = capture_of(a, HEAD BUS "F: etc/handover/handover.conf\n| # mine\n|\n| [allow]\n"
		"|   management-nic = eno1\n");

	(void)state;
	assert_contains(text, "\n\nF: etc/handover/handover.conf\n| # mine\n| \n| [allow]\n|   management-nic = eno1\n");
	memset(line, 'x', 7999);
	text = capture_of(a, arena_fmt(a, HEAD BUS "F: etc/handover/handover.conf\n| %s\n| %s\n", line, line));
	assert_contains(text, "\nF: etc/handover/handover.conf\n");
	text = capture_of(a, arena_fmt(a, HEAD BUS "F: etc/handover/handover.conf\n| %s\n| %s\n| %.382s\n", line, line, line));
	assert_null(strstr(text, "handover.conf"));
}

/* --- what a text cannot hold ------------------------------------------------------------------------------------- */

static void what_no_line_can_hold_is_left_out(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new();
	char *big = arena_alloc(a, HOSTFILE_LINE_MAX);
	const char *text, *deep;

	(void)state;
	memset(big, '\n', HOSTFILE_LINE_MAX - 100);
	sim_make_folder(h, "sys/bus/pci/devices");
	sim_set_link(h, "sys/class/graphics/fb0", "../../devices/virtual/graphics/fb0");
	/* Each of its newlines is two bytes of a line. */
	sim_set(h, "sys/devices/virtual/graphics/fb0/name", big);
	sim_set_link(h, "sys/class/watchdog/watchdog0=x", "../../devices/virtual/watchdog0=x");
	sim_set(h, "sys/devices/virtual/watchdog0=x/state", "active");
	sim_set(h, "holder/dev/watchdog0=x", "5 - x");
	memset(big, 'x', 240);
	big[240] = '\0';
	deep = arena_fmt(a, "sys/devices/%s", big);
	sim_set(h, arena_fmt(a, "%s/state", deep), "active");
	sim_set_link(h, "sys/class/watchdog/watchdog1", arena_fmt(a, "../../%s", deep + strlen("sys/")));
	text = host_capture(a, h);
	assert_contains(text, "\nP: /devices/virtual/graphics/fb0\n\n");
	assert_null(strstr(text, "holder"));
	assert_null(strstr(text, "L: watchdog0=x"));
	assert_null(strstr(text, "state=active\nA: x"));
	host_close(h);
	capture_of(a, text);
}

static void lines_that_find_no_place_are_left_out(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *h = sim_new(), *copy;
	char *line = arena_alloc(a, 8000), buf[HOSTFILE_LINE_MAX * 2];
	const char *text;

	(void)state;
	memset(line, 'x', 7999);
	sim_make_folder(h, "sys/bus/pci/devices");
	sim_set(h, "proc/swaps", arena_fmt(a, "one\n%s\n%s\n%s\nlast\n", line, line, line));
	text = host_capture(a, h);
	copy = host_from(text);
	assert_int_equal(host_read_bytes(copy, "proc/swaps", buf, sizeof(buf)), 4 + 2 * 8000 + 5);
	assert_string_equal(buf + 4 + 2 * 8000, "last\n");
	host_close(h);
	host_close(copy);
}

static void values_with_nul_bytes_survive_a_capture(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = capture_of(a, HEAD "P: /devices/pci0000:00/0000:00:02.0\nA: vendor=a\\0b\\0\n"
				      "V: proc/cmdline=\\0quiet\n");

	(void)state;
	assert_contains(text, "\nA: vendor=a\\0b\\0\n");
	assert_contains(text, "\nV: proc/cmdline=\\0quiet\n");
}

/* --- what is looked at and what is taken ------------------------------------------------------------------------- */

/* All stakes of a host, a line each. */
static const char *stakes_of(struct arena *a, const char *text)
{
	_cleanup_host_ struct host *h = host_from(text);
	struct inventory inventory;
	struct stakes s = { .host = h, .inventory = &inventory, .arena = a };
	const char *all = "";
	struct error err;

	assert_int_equal(inventory_read(h, a, &inventory, &err), 0);
	rails_read(&s, 0);
	for (size_t i = 0; i < s.n; i++)
		all = arena_fmt(a, "%s%s %s: %s (%s)\n", all, s.list[i].code, s.list[i].name, s.list[i].what,
				s.list[i].remedy ? s.list[i].remedy : "");
	return all;
}

#define AT_SATA "../../devices/pci0000:00/" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/"
#define AT_NIC "../../devices/pci0000:00/0000:00:19."
#define DISK_AT(name, number) \
	"P: /devices/pci0000:00/" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/" name "\nA: dev=" number "\nA: size=1000\n"
#define NIC(function, name) \
	"P: /devices/pci0000:00/0000:00:19." function "\nA: vendor=0x8086\nA: device=0x15bb\nA: class=0x020000\n" \
	"P: /devices/pci0000:00/0000:00:19." function "/net/" name "\nA: operstate=up\nA: type=1\n"
#define ON_SATA(what) "P: /devices/pci0000:00/" SATA "/" what "\n"

/* Each line has something that a capture could leave out, and would find something else without. */
static void a_capture_stands_on_what_its_host_stands_on(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const char text[] = HEAD FUNCTION DISK_AT("sda", "8:0") DISK_AT("sdb", "8:16") DISK_AT("sdc", "8:32")
		DISK_AT("sdd", "8:48") DISK_AT("sde", "8:64") DISK_AT("sdf", "8:80") DISK_AT("sda/sda1", "8:1") "A: partition=1\n"
		DISK_AT("nvme0c0n1", "259:1") "A: hidden=1\n"
		"P: /devices/virtual/block/loop0\nA: dev=7:0\nA: size=1000\nA: loop/backing_file=/mnt/b/image\n"
		"P: /class/block\nL: sda=" AT_SATA "sda\nL: sda1=" AT_SATA "sda/sda1\nL: sdb=" AT_SATA "sdb\nL: sdc=" AT_SATA "sdc\n"
		"L: sdd=" AT_SATA "sdd\nL: nvme0c0n1=" AT_SATA "nvme0c0n1\nL: loop0=../../devices/virtual/block/loop0\n"
		"L: dm-0=../../devices/virtual/block/dm-0\nL: sde=" AT_SATA "sde\nL: sdf=" AT_SATA "sdf\n"
		"V: label/nvme0c0n1=zfs_member tank\n"
		"P: /devices/virtual/block/dm-0\nA: dev=253:0\nA: size=1000\nA: dm/name=pve-z\nA: dm/uuid=LVM-abc\n"
		"L: slaves/sde=../../../sde\nV: label/dm-0=zfs_member volume\nV: proc/spl/kstat/zfs/volume/state=ONLINE\n"
		"F: etc/kernel/proxmox-boot-uuids\n| secret\nV: dev/disk/by-uuid/secret=sdf\n"
		"P: /fs/ext4/sdd\nP: /fs/ext4/features\n"
		"P: /fs/btrfs/8c2d-secret/devices\nL: sdb=../../../../devices/sdb\nL: sdc=../../../../devices/sdc\n"
		"F: proc/self/mountinfo\n| 1 0 0:20 / / rw - ext4 rootfs rw\n| 2 1 0:31 / /mnt/b rw - btrfs /dev/sdb rw\n"
		"| 3 1 7:0 / /mnt/loop rw - ext4 /dev/loop0 rw\n| 4 1 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
		"| 5 1 0:40 / /mnt/g rw - fuse.glusterfs nas:/vol rw\nV: proc/swaps=Filename\\n\n"
		NIC("0", "eno1") "L: upper_lan=x\nL: upper_team=x\n" NIC("1", "eno2") "L: upper_team=x\n"
		NIC("2", "wifi") "L: phy80211=../../ieee80211/phy0\n" NIC("3", "vf") "L: device=../../../0000:00:19.3\n"
		"P: /devices/pci0000:00/0000:00:19.3\nL: physfn=../0000:00:19.1\n"
		"P: /devices/virtual/net/lan\nA: operstate=up\nL: lower_team=../team\nP: /devices/virtual/net/lan/bridge\n"
		"P: /devices/virtual/net/team\nA: operstate=up\nL: upper_lan=../lan\nL: lower_eno1=x\nL: lower_eno2=x\n"
		"P: /devices/virtual/net/team/bonding\n"
		"P: /class/net\nL: eno1=" AT_NIC "0/net/eno1\nL: eno2=" AT_NIC "1/net/eno2\nL: wifi=" AT_NIC "2/net/wifi\n"
		"L: vf=" AT_NIC "3/net/vf\nL: lan=../../devices/virtual/net/lan\nL: team=../../devices/virtual/net/team\n"
		"F: proc/net/route\n| Iface\n| lan 00000000 0 0003 0 0 0 00000000\n| vf 0000010A 0 0001 0 0 0 0000FFFF\n"
		"| lan 0000000A 0 0001 0 0 0 000000FF\nV: proc/sys/kernel/hostname=pve1\nF: etc/hosts\n| 10.1.0.5 Nas\n"
		"| 10.0.0.1 PVE1\n"
		"F: etc/pve/corosync.conf\n| nodelist {\n| node {\n| name: pve1\n| ring0_addr: 10.1.0.1\n| }\n| node {\n"
		"| name: pve2\n| ring0_addr: 10.1.0.2\n| }\n| }\n"
		"F: etc/pve/ceph.conf\n| public network = 10.1.0.0/24\n| cluster_network = 10.1.1.0/24\n"
		"F: etc/ssh/sshd_config.d/a.conf\n| ListenAddress 10.0.0.1:2222\n"
		"F: proc/net/tcp\n| sl\n| 0: 0100000A:08AE 0700000A:C001 01 0:0 0:0\n"
		"P: /fs/cgroup/lxc/105\nF: etc/pve/lxc/105.conf\n| dev0: /dev/dri/renderD128\n| dev1: /dev/ttyUSB0\n"
		"P: /class/drm\nL: renderD128=../../devices/pci0000:00/" SATA "/drm/renderD128\n" ON_SATA("drm/renderD128")
		"P: /class/tty\nL: ttyUSB0=../../devices/pci0000:00/" SATA "/tty/ttyUSB0\n" ON_SATA("tty/ttyUSB0");
	_cleanup_host_ struct host *h = host_from(text);
	const char *capture = host_capture(a, h), *found = stakes_of(a, text);

	(void)state;
	assert_null(strstr(capture, "secret"));
	assert_contains(found, "storage-in-use sdb");
	assert_contains(found, "storage-in-use sdc");
	assert_contains(found, "storage-in-use sdd");
	assert_contains(found, "sde -> " SATA " holds pve-z (lvm), pool volume, which is imported");
	assert_contains(found, "sdf -> " SATA " holds the boot loader");
	assert_contains(found, "an SSH session with 10.0.0.7");
	assert_contains(found, "the GlusterFS mount /mnt/g from 10.1.0.5");
	assert_contains(found, "the host's own address 10.0.0.1");
	assert_contains(found, "/dev/ttyUSB0 -> ");
	assert_string_equal(stakes_of(a, capture), found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hangs_on_a_function_goes_with_its_driver),
		cmocka_unit_test(what_hangs_on_a_function_goes_with_the_function),
		cmocka_unit_test(disks_are_captured_with_what_is_on_them),
		cmocka_unit_test(the_numbers_of_disks_are_not_captured),
		cmocka_unit_test(guests_disks_and_empty_ones_are_left_alone),
		cmocka_unit_test(nvme_below_a_subsystem_is_captured_with_its_controllers),
		cmocka_unit_test(interfaces_are_captured_with_what_is_above_and_below),
		cmocka_unit_test(consoles_are_captured_and_other_terminals_are_not),
		cmocka_unit_test(what_hangs_on_the_platform_is_captured_with_who_holds_it),
		cmocka_unit_test(what_is_away_is_not_captured),
		cmocka_unit_test(functions_groups_and_iscsi_are_captured_too),
		cmocka_unit_test(of_mounts_what_is_on_devices_and_comes_over_the_network_is_captured),
		cmocka_unit_test(of_connections_the_sessions_of_ssh_are_captured),
		cmocka_unit_test(routes_are_captured_and_addresses_are_not),
		cmocka_unit_test(of_the_cluster_the_addresses_are_captured),
		cmocka_unit_test(guests_that_run_are_captured),
		cmocka_unit_test(the_owners_policy_is_captured_whole_or_not_at_all),
		cmocka_unit_test(a_capture_stands_on_what_its_host_stands_on),
		cmocka_unit_test(what_no_line_can_hold_is_left_out),
		cmocka_unit_test(lines_that_find_no_place_are_left_out),
		cmocka_unit_test(values_with_nul_bytes_survive_a_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
