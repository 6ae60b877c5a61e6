/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host's disks carry, seen from mounts, swap, pools, holders and open nodes down to functions. */
#include "support.h"

#include "core/mounts.h"
#include "core/stake.h"

#define SATA "pci0000:00/0000:00:17.0"
#define SATA_DISK SATA "/ata1/host0/target0:0:0/0:0:0:0"
#define HBA "pci0000:00/0000:00:01.0/0000:01:00.0"
#define NVME "pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0"
#define NVME_2 "pci0000:00/0000:00:1b.0/0000:03:00.0/nvme/nvme1"
#define XHCI "pci0000:00/0000:00:14.0"
#define TEXT_BYTES (2 * MOUNTS_BYTES_MAX)
#define LEAVE "leave it, or move the system to a disk of another controller"

/* A host that is made up call by call, and what it stands on. */
struct made {
	struct arena *a;
	struct host *h;
	struct inventory inventory;
	struct stakes s;
	char *mounts;	/* proc/self/mountinfo so far */
	size_t length;
	unsigned minor;	/* the last one given out */
};

static int make(void **state)
{
	struct arena *a = arena_new();
	struct made *m = arena_alloc(a, sizeof(*m));

	m->a = a;
	m->h = sim_new();
	m->mounts = arena_alloc(a, TEXT_BYTES);
	sim_make_folder(m->h, "sys/class/block");
	sim_set(m->h, "proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	*state = m;
	return 0;
}

static int unmake(void **state)
{
	struct made *m = *state;

	host_close(m->h);
	arena_free(m->a);
	return 0;
}

static void set(struct made *m, const char *block, const char *file, const char *text)
{
	sim_set(m->h, arena_fmt(m->a, "sys/class/block/%s/%s", block, file), text);
}

/* A block device in a folder below /sys/devices, with the next number of major 8. */
static void block(struct made *m, const char *folder, const char *name)
{
	sim_make_folder(m->h, arena_fmt(m->a, "sys/devices/%s/%s", folder, name));
	sim_set_link(m->h, arena_fmt(m->a, "sys/class/block/%s", name),
		     arena_fmt(m->a, "../../devices/%s/%s", folder, name));
	set(m, name, "dev", arena_fmt(m->a, "8:%u", ++m->minor));
	set(m, name, "size", "1000");
}

/* Disks behind a function of SATA or SAS: one for each word of names. */
static void disks(struct made *m, const char *function, const char *names)
{
	char *rest = arena_dup(m->a, names), *name;

	while ((name = strsep(&rest, " ")) != NULL)
		block(m, arena_fmt(m->a, "%s/host/target/block", function), name);
}

/* n partitions of a disk, which are numbered behind between ("p" or ""). */
static void parts(struct made *m, const char *disk, const char *between, unsigned n)
{
	char target[HOST_VALUE_BYTES];

	assert_true(host_link(m->h, arena_fmt(m->a, "sys/class/block/%s", disk), target, sizeof(target)) > 0);
	for (unsigned i = 1; i <= n; i++) {
		const char *name = arena_fmt(m->a, "%s%s%u", disk, between, i);

		block(m, target + strlen("../../devices/"), name);
		set(m, name, "partition", arena_fmt(m->a, "%u", i));
	}
}

/* A virtual device on others, linked from both sides as the kernel does it. */
static void stack(struct made *m, const char *name, const char *below)
{
	char *rest = arena_dup(m->a, below), *slave;

	block(m, "virtual/block", name);
	while (*below && (slave = strsep(&rest, " ")) != NULL) {
		sim_set_link(m->h, arena_fmt(m->a, "sys/class/block/%s/slaves/%s", name, slave), "x");
		sim_set_link(m->h, arena_fmt(m->a, "sys/class/block/%s/holders/%s", slave, name), "x");
	}
}

static void mapped(struct made *m, const char *name, const char *shown, const char *uuid, const char *below)
{
	stack(m, name, below);
	set(m, name, "dm/name", shown);
	set(m, name, "dm/uuid", uuid);
}

static void raid(struct made *m, const char *name, const char *level, const char *below)
{
	stack(m, name, below);
	set(m, name, "md/level", level);
}

/* A line of mountinfo. */
static void mounted_as(struct made *m, const char *number, const char *root, const char *point, const char *type,
		       const char *source)
{
	m->length += (size_t)snprintf(m->mounts + m->length, TEXT_BYTES - m->length,
				      "%u 1 %s %s %s rw,relatime shared:1 - %s %s rw\n", m->minor, number, root, point,
				      type, source);
	sim_set(m->h, "proc/self/mountinfo", m->mounts);
}

/* A file system on one block device. */
static void mounted(struct made *m, const char *name, const char *point)
{
	char number[32];

	assert_true(host_read(m->h, arena_fmt(m->a, "sys/class/block/%s/dev", name), number, sizeof(number)) > 0);
	mounted_as(m, number, "/", point, "ext4", arena_fmt(m->a, "/dev/%s", name));
}

static void dataset(struct made *m, const char *name, const char *point)
{
	mounted_as(m, "0:30", "/", point, "zfs", name);
}

static void swap(struct made *m, const char *name, const char *type)
{
	sim_set(m->h, "proc/swaps", arena_fmt(m->a, "Filename\tType\tSize\n%s   %s\t1000\t0\t-2\n", name, type));
}

static void label(struct made *m, const char *name, const char *text)
{
	sim_set(m->h, arena_fmt(m->a, "label/%s", name), text);
}

static void imported(struct made *m, const char *pool)
{
	sim_set(m->h, "proc/spl/kstat/zfs/arcstats", "9 1 0x01\n");
	sim_set(m->h, arena_fmt(m->a, "proc/spl/kstat/zfs/%s/state", pool), "ONLINE\n");
}

/* The root file system on an own NVMe disk, where a test is about other disks. */
static void root_elsewhere(struct made *m)
{
	block(m, NVME, "nvme0n1");
	mounted(m, "nvme0n1", "/");
}
#define ROOT_ELSEWHERE "root-disk nvme0n1: nvme0n1 -> 0000:02:00.0 holds /\n"

static void look(struct made *m)
{
	m->s = (struct stakes){ .host = m->h, .inventory = &m->inventory, .arena = m->a };
	stakes_storage(&m->s);
}

/* All stakes of the host, a line each. */
static void assert_told(struct made *m, const char *text)
{
	const char *all = "";

	look(m);
	for (size_t i = 0; i < m->s.n; i++)
		all = arena_fmt(m->a, "%s%s %s: %s\n", all, m->s.list[i].code, m->s.list[i].name, m->s.list[i].what);
	assert_string_equal(all, text);
}

static const struct stake *stake_of(struct made *m, const char *code, const char *name)
{
	for (size_t i = 0; i < m->s.n; i++)
		if (strcmp(m->s.list[i].code, code) == 0 && strcmp(m->s.list[i].name, name) == 0)
			return &m->s.list[i];
	fail_msg("no stake %s of %s", code, name);
	return NULL;
}

static void assert_remedy(struct made *m, const char *code, const char *name, const char *remedy)
{
	const struct stake *stake = stake_of(m, code, name);

	if (remedy)
		assert_non_null(stake->remedy);
	else
		assert_null(stake->remedy);
	if (remedy)
		assert_string_equal(stake->remedy, remedy);
}

/* --- the host's own disks --------------------------------------------------------------------------------------- */

static void root_on_nvme_is_found_by_its_number(void **state)
{
	struct made *m = *state;

	block(m, NVME, "nvme0n1");
	parts(m, "nvme0n1", "p", 3);
	mounted_as(m, "0:5", "/", "/dev", "devtmpfs", "udev");
	mounted_as(m, "8:3", "/", "/", "ext4", "/dev/root");
	mounted(m, "nvme0n1p1", "/boot/efi");
	mounted(m, "nvme0n1p3", "/var/lib/vz");
	/* What is mounted is gone, and its name another disk's. */
	disks(m, SATA, "sda");
	mounted_as(m, "8:99", "/", "/mnt/gone", "ext4", "/dev/sda");
	assert_told(m, "root-disk nvme0n1: nvme0n1p2 -> 0000:02:00.0 holds /; also /boot/efi\n");
	assert_remedy(m, "root-disk", "nvme0n1", LEAVE);
	assert_string_equal(m->s.list[0].path, "../../devices/" NVME "/nvme0n1/nvme0n1p2");
	assert_true(stake_is_on(&m->s.list[0], "0000:00:1d.0"));
}

static void a_disk_next_to_the_root_disk_is_free(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda sdb");
	parts(m, "sda", "", 2);
	parts(m, "sdb", "", 1);
	mounted(m, "sda1", "/");
	label(m, "sdb1", "ext4 data");
	label(m, "sda2", "vfat");
	assert_told(m, "root-disk sda: sda1 -> 0000:00:17.0 holds /\n");
}

static void lvm_on_luks_is_named_layer_by_layer(void **state)
{
	struct made *m = *state;

	block(m, NVME, "nvme0n1");
	parts(m, "nvme0n1", "p", 3);
	mapped(m, "dm-0", "nvme0n1p3_crypt", "CRYPT-LUKS2-aa-nvme0n1p3_crypt", "nvme0n1p3");
	mapped(m, "dm-1", "pve-root", "LVM-aa", "dm-0");
	mapped(m, "dm-2", "pve-swap", "LVM-bb", "dm-0");
	mapped(m, "dm-3", "pve-vm--100--disk--0", "LVM-cc", "dm-0");
	mounted(m, "dm-1", "/");
	mounted(m, "nvme0n1p2", "/boot");
	swap(m, "/dev/dm-2", "partition");
	assert_told(m, "root-disk nvme0n1: nvme0n1p3 -> 0000:02:00.0 holds nvme0n1p3_crypt (luks), pve-root (lvm), "
		       "which / is on; also /boot and swap\n");
}

static void both_disks_of_a_raid_hold_what_is_on_it(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda");
	disks(m, HBA, "sdb sdc");
	parts(m, "sda", "", 2);
	parts(m, "sdb", "", 2);
	raid(m, "md0", "raid1", "sda1 sdb1");
	mounted(m, "sdc", "/");
	mounted(m, "md0", "/boot");
	assert_told(m, "root-disk sda: sda1 -> 0000:00:17.0 holds md0 (raid1), which /boot is on\n"
		       "root-disk sdb: sdb1 -> 0000:01:00.0 holds md0 (raid1), which /boot is on\n"
		       "root-disk sdc: sdc -> 0000:01:00.0 holds /\n");
}

static void a_partition_of_a_raid_leads_to_its_disks(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda sdb");
	raid(m, "md126", "raid1", "sda sdb");
	parts(m, "md126", "p", 2);
	mounted(m, "md126p2", "/");
	assert_told(m, "root-disk sda: sda -> 0000:00:17.0 holds md126 (raid1), md126p2, which / is on\n"
		       "root-disk sdb: sdb -> 0000:00:17.0 holds md126 (raid1), md126p2, which / is on\n");
}

static void a_mirror_of_zfs_is_found_by_its_labels(void **state)
{
	struct made *m = *state;
	static const char *const pair[] = { "sda", "sdb" };

	disks(m, SATA, "sda sdb");
	for (size_t i = 0; i < COUNT(pair); i++) {
		parts(m, pair[i], "", 3);
		label(m, arena_fmt(m->a, "%s2", pair[i]), "vfat");
		label(m, arena_fmt(m->a, "%s3", pair[i]), "zfs_member rpool");
		/* What is left of an older life of the disk: it has partitions now. */
		label(m, pair[i], "zfs_member tank");
	}
	imported(m, "rpool");
	dataset(m, "rpool/ROOT/pve-1", "/");
	dataset(m, "rpool", "/rpool");
	assert_told(m, "root-disk sda: sda3 -> 0000:00:17.0 holds pool rpool, which / is on\n"
		       "root-disk sdb: sdb3 -> 0000:00:17.0 holds pool rpool, which / is on\n");
	assert_remedy(m, "root-disk", "sdb", LEAVE);
}

static void all_devices_of_a_btrfs_hold_it(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda sdb");
	disks(m, HBA, "sdc");
	parts(m, "sda", "", 3);
	parts(m, "sdb", "", 3);
	mounted_as(m, "0:25", "/@rootfs", "/", "btrfs", "/dev/sda3");
	mounted_as(m, "0:25", "/@var", "/var/lib/vz", "btrfs", "/dev/sda3");
	sim_set_link(m->h, "sys/fs/btrfs/aa-bb/devices/sda3", "x");
	sim_set_link(m->h, "sys/fs/btrfs/aa-bb/devices/sdb3", "x");
	assert_told(m, "root-disk sda: sda3 -> 0000:00:17.0 holds /\n"
		       "root-disk sdb: sdb3 -> 0000:00:17.0 holds /\n");
}

static void btrfs_on_a_mapped_device_is_found_by_its_name(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda");
	mapped(m, "dm-0", "luks-1", "CRYPT-LUKS1-aa", "sda");
	mounted_as(m, "0:25", "/", "/", "btrfs", "/dev/mapper/luks-1");
	assert_told(m, "root-disk sda: sda -> 0000:00:17.0 holds luks-1 (luks), which / is on\n");
}

static void each_path_of_a_multipath_disk_holds_it(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda");
	disks(m, HBA, "sdb");
	mapped(m, "dm-0", "mpatha", "mpath-36001", "sda sdb");
	mapped(m, "dm-1", "mpatha-part1", "part1-mpath-36001", "dm-0");
	mounted(m, "dm-1", "/");
	assert_told(m, "root-disk sda: sda -> 0000:00:17.0 holds mpatha (multipath), mpatha-part1, which / is on\n"
		       "root-disk sdb: sdb -> 0000:01:00.0 holds mpatha (multipath), mpatha-part1, which / is on\n");
}

static void each_controller_of_an_nvme_subsystem_holds_its_disk(void **state)
{
	struct made *m = *state;
	static const char folder[] = "sys/devices/virtual/nvme-subsystem/nvme-subsys0";

	block(m, folder + strlen("sys/devices/"), "nvme0n1");
	parts(m, "nvme0n1", "p", 1);
	mounted(m, "nvme0n1p1", "/");
	sim_set_link(m->h, "sys/class/nvme-subsystem/nvme-subsys0",
		     "../../devices/virtual/nvme-subsystem/nvme-subsys0");
	sim_set_link(m->h, arena_fmt(m->a, "%s/nvme0", folder), "../../../" NVME);
	sim_set_link(m->h, arena_fmt(m->a, "%s/nvme1", folder), "../../../" NVME_2);
	/* A path that is none of PCI. */
	sim_set_link(m->h, arena_fmt(m->a, "%s/nvme2", folder), "../../nvme-fabrics/ctl/nvme2");
	/* The hidden disk of each path. */
	block(m, NVME, "nvme0c0n1");
	set(m, "nvme0c0n1", "hidden", "1");
	label(m, "nvme0c0n1", "zfs_member x");
	assert_told(m, "root-disk nvme0n1: nvme0n1p1 -> 0000:02:00.0 holds /\n"
		       "root-disk nvme0n1: nvme0n1p1 -> 0000:03:00.0 holds /\n");
	assert_string_equal(m->s.list[1].path, "../../../" NVME_2 "/nvme0n1/nvme0n1p1");
}

static void swap_is_root_as_a_partition_a_file_and_a_zvol(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, SATA, "sda");
	parts(m, "sda", "", 2);
	mounted(m, "sda1", "/mnt/a b");
	swap(m, "/dev/sda2", "partition");
	assert_told(m, ROOT_ELSEWHERE "root-disk sda: sda2 -> 0000:00:17.0 holds swap\n");
	/* Its mount is told with an escape, too. */
	mounted_as(m, "8:3", "/x", "/mnt/b\\040c", "ext4", "/dev/sda1");
	swap(m, "/mnt/b\\040c/swapfile", "file");
	assert_told(m, ROOT_ELSEWHERE "root-disk sda: sda1 -> 0000:00:17.0 holds swap file /mnt/b c/swapfile\n");
	label(m, "sda2", "zfs_member tank");
	imported(m, "tank");
	disks(m, HBA, "sdb");
	label(m, "sdb", "zfs_member old");
	stack(m, "zd0", "");
	swap(m, "/dev/zd0", "partition");
	assert_told(m, ROOT_ELSEWHERE "root-disk sda: sda2 -> 0000:00:17.0 "
		       "holds pool tank, zd0 (zvol), which swap is on\n"
		       "storage-member sdb: sdb -> 0000:01:00.0 holds pool old, which is not imported\n");
}

static void a_swap_file_is_on_the_innermost_mount(void **state)
{
	struct made *m = *state;

	disks(m, HBA, "sda sdb cciss!c0d0");
	mounted(m, "sda", "/mnt/a");
	mounted(m, "cciss!c0d0", "/");
	mounted(m, "sdb", "/mnt");
	swap(m, "/swapfile", "file");
	look(m);
	assert_string_equal(stake_of(m, "root-disk", "cciss!c0d0")->what,
			    "cciss!c0d0 -> 0000:01:00.0 holds / and swap file /swapfile");
	swap(m, "/mnt/a/swapfile", "file");
	look(m);
	assert_string_equal(stake_of(m, "root-disk", "sda")->what,
			    "sda -> 0000:01:00.0 holds swap file /mnt/a/swapfile");
	swap(m, "/mnt/ab/swapfile", "file");
	look(m);
	assert_string_equal(stake_of(m, "root-disk", "sdb")->what,
			    "sdb -> 0000:01:00.0 holds swap file /mnt/ab/swapfile");
	swap(m, "/dev/cciss/c0d0", "partition");
	look(m);
	assert_string_equal(stake_of(m, "root-disk", "cciss!c0d0")->what,
			    "cciss!c0d0 -> 0000:01:00.0 holds / and swap");
}

static void one_side_of_a_link_is_enough(void **state)
{
	struct made *m = *state;

	disks(m, HBA, "sda sdb");
	mapped(m, "dm-0", "a", "LVM-a", "sda sdb");
	sim_remove(m->h, "sys/class/block/dm-0/slaves/sda");
	sim_remove(m->h, "sys/class/block/sdb/holders/dm-0");
	mounted(m, "dm-0", "/");
	assert_told(m, "root-disk sda: sda -> 0000:01:00.0 holds a (lvm), which / is on\n"
		       "root-disk sdb: sdb -> 0000:01:00.0 holds a (lvm), which / is on\n");
}

static void bind_mounts_count_as_what_they_cover(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, SATA, "sda sdb");
	mounted(m, "sda", "/mnt/data");
	mounted_as(m, "8:2", "/var", "/var", "ext4", "/dev/sda");
	mounted_as(m, "8:2", "/srv", "/srv", "ext4", "/dev/sda");
	mounted(m, "sdb", "/mnt/b");
	mounted_as(m, "8:3", "/sub", "/mnt/c", "ext4", "/dev/sdb");
	mounted_as(m, "8:3", "/sub", "/mnt/c", "ext4", "/dev/sdb");
	assert_told(m, ROOT_ELSEWHERE "root-disk sda: sda -> 0000:00:17.0 holds /var\n"
		       "storage-in-use sdb: sdb -> 0000:00:17.0 holds /mnt/b and /mnt/c\n");
}

static void a_file_on_zfs_leads_to_the_disks_of_the_pool(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb");
	label(m, "sda", "zfs_member tank");
	imported(m, "tank");
	dataset(m, "tank/img", "/tank/img");
	stack(m, "loop0", "");
	set(m, "loop0", "loop/backing_file", "/tank/img/boot.img");
	mounted(m, "loop0", "/boot");
	/* The file of this one is on a mount that is no block device's, and of that one on none. */
	mounted_as(m, "0:60", "/", "/run", "tmpfs", "tmpfs");
	stack(m, "loop1", "");
	set(m, "loop1", "loop/backing_file", "/run/x.img");
	mounted(m, "loop1", "/mnt/x");
	stack(m, "loop2", "");
	set(m, "loop2", "loop/backing_file", "x.img (deleted)");
	mounted(m, "loop2", "/mnt/y");
	assert_told(m, ROOT_ELSEWHERE "root-disk sda: sda -> 0000:01:00.0 holds pool tank, "
		       "loop0 (/tank/img/boot.img), which /boot is on\n");
}

static void a_loop_leads_to_the_mount_of_its_file(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, SATA, "sda sdb");
	mounted(m, "sda", "/mnt/data");
	stack(m, "loop0", "");
	set(m, "loop0", "loop/backing_file", "/mnt/data/usr.img");
	mounted(m, "loop0", "/usr");
	/* Made of a disk, and not mounted. */
	stack(m, "loop1", "");
	set(m, "loop1", "loop/backing_file", "/dev/sdb");
	assert_told(m, ROOT_ELSEWHERE
		       "root-disk sda: sda -> 0000:00:17.0 holds loop0 (/mnt/data/usr.img), which /usr is on\n"
		       "storage-in-use sdb: sdb -> 0000:00:17.0 holds loop1 (/dev/sdb), which is active\n");
	assert_remedy(m, "storage-in-use", "sdb", "losetup -d /dev/loop1");
}

/* --- disks in use ----------------------------------------------------------------------------------------------- */

static void many_mounts_are_counted(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	parts(m, "sda", "", 5);
	for (int i = 0; i < 5; i++)
		mounted_as(m, "8:3", arena_fmt(m->a, "/%d", i), arena_fmt(m->a, "/mnt/%d", i), "ext4", "/dev/sda1");
	for (int i = 2; i <= 5; i++)
		mounted(m, arena_fmt(m->a, "sda%d", i), arena_fmt(m->a, "/srv/%d", i));
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda1 -> 0000:01:00.0 "
		       "holds /mnt/0, /mnt/1, /mnt/2 and 2 more; "
		       "also /srv/2, /srv/3, /srv/4 and 1 more\n");
	assert_remedy(m, "storage-in-use", "sda", "unmount /mnt/0, /mnt/1, /mnt/2 and 2 more");
}

static void a_disk_on_usb_hangs_on_its_port_and_its_controller(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	block(m, XHCI "/usb2/2-1/2-1.4/2-1.4:1.0/host4/target4:0:0/4:0:0:0/block", "sdc");
	parts(m, "sdc", "", 1);
	mounted(m, "sdc1", "/mnt/usb");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sdc: sdc1 -> 2-1.4 -> 0000:00:14.0 holds /mnt/usb\n");
	assert_true(stake_is_on(&m->s.list[1], "0000:00:14.0"));
	assert_true(stake_is_on(&m->s.list[1], "2-1.4"));
	assert_false(stake_is_on(&m->s.list[1], "2-2"));
	assert_remedy(m, "storage-in-use", "sdc", "unmount /mnt/usb");
}

static void a_pool_counts_as_what_it_is(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc");
	parts(m, "sda", "", 2);
	label(m, "sda1", "zfs_member tank");
	/* Its log. */
	label(m, "sda2", "zfs_member tank");
	label(m, "sdb", "zfs_member tank");
	label(m, "sdc", "zfs_member old pool");
	imported(m, "tank");
	assert_told(m, ROOT_ELSEWHERE
		    "storage-in-use sda: sda1 -> 0000:01:00.0 holds pool tank, which is imported\n"
		    "storage-in-use sdb: sdb -> 0000:01:00.0 holds pool tank, which is imported\n"
		    "storage-member sdc: sdc -> 0000:01:00.0 holds pool old pool, which is not imported\n");
	assert_remedy(m, "storage-in-use", "sda", "zpool export tank");
	assert_remedy(m, "storage-member", "sdc", NULL);
	dataset(m, "tank", "/tank");
	dataset(m, "tank/vm", "/tank/vm");
	look(m);
	assert_string_equal(stake_of(m, "storage-in-use", "sdb")->what,
			    "sdb -> 0000:01:00.0 holds pool tank, which /tank and /tank/vm are on");
}

static void a_pool_on_luks_leads_to_the_disk(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	mapped(m, "dm-0", "tank1", "CRYPT-LUKS2-aa", "sda");
	label(m, "dm-0", "zfs_member tank");
	imported(m, "tank");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda -> 0000:01:00.0 "
		       "holds tank1 (luks), pool tank, which is imported\n");
}

static void what_a_guest_calls_its_pool_does_not_matter(void **state)
{
	struct made *m = *state;

	disks(m, SATA, "sda sdb sdc");
	label(m, "sda", "zfs_member rpool");
	label(m, "sdb", "zfs_member tank");
	imported(m, "rpool");
	imported(m, "tank");
	dataset(m, "rpool", "/");
	stack(m, "zd0", "");
	parts(m, "zd0", "p", 1);
	mapped(m, "dm-0", "ssd-vm--100", "LVM-aa", "sdc");
	label(m, "zd0p1", "zfs_member rpool");
	label(m, "dm-0", "zfs_member rpool");
	assert_told(m, "root-disk sda: sda -> 0000:00:17.0 holds pool rpool, which / is on\n"
		       "storage-in-use sdb: sdb -> 0000:00:17.0 holds pool tank, which is imported\n"
		       "storage-in-use sdc: sdc -> 0000:00:17.0 holds ssd-vm--100 (lvm), which is active\n");
}

static void a_member_without_a_name_may_be_of_any_pool(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	label(m, "sda", "zfs_member");
	assert_told(m, ROOT_ELSEWHERE "storage-member sda: sda -> 0000:01:00.0 "
		       "holds pool (no name), which is not imported\n");
	disks(m, HBA, "sdb");
	label(m, "sdb", "zfs_member tank");
	imported(m, "tank");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sdb: sdb -> 0000:01:00.0 holds pool tank, which is imported\n"
		       "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "the name of the ZFS pool on sda cannot be read: No data available\n");
}

static void what_is_active_is_in_use_though_nothing_is_mounted(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc sdd sde");
	parts(m, "sda", "", 1);
	mapped(m, "dm-1", "my--ssd-data_tdata", "LVM-a", "sda1");
	mapped(m, "dm-2", "my--ssd-data-tpool", "LVM-b", "dm-1");
	mapped(m, "dm-3", "my--ssd-vm--100--disk--0", "LVM-c", "dm-2");
	mapped(m, "dm-4", "my--ssd-vm--101--disk--0", "LVM-d", "dm-2");
	raid(m, "md1", "raid5", "sdb");
	parts(m, "md1", "p", 1);
	mapped(m, "dm-5", "secret", "CRYPT-PLAIN-secret", "sdc");
	mapped(m, "dm-6", "mpathb", "mpath-1", "sdd");
	mapped(m, "dm-7", "odd", "", "sde");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda1 -> 0000:01:00.0 holds my--ssd-vm--100--disk--0 (lvm), "
		       "which is active; also my--ssd-vm--101--disk--0\n"
		       "storage-in-use sdb: sdb -> 0000:01:00.0 holds md1 (raid5), md1p1, which is active\n"
		       "storage-in-use sdc: sdc -> 0000:01:00.0 holds secret (crypt), which is active\n"
		       "storage-in-use sdd: sdd -> 0000:01:00.0 holds mpathb (multipath), which is active\n"
		       "storage-in-use sde: sde -> 0000:01:00.0 holds odd (dm), which is active\n");
	assert_remedy(m, "storage-in-use", "sda", "vgchange -an my-ssd");
	assert_remedy(m, "storage-in-use", "sdb", "mdadm --stop /dev/md1");
	assert_remedy(m, "storage-in-use", "sdc", "cryptsetup close secret");
	assert_remedy(m, "storage-in-use", "sdd", "multipath -f mpathb");
	assert_remedy(m, "storage-in-use", "sde", "dmsetup remove odd");
}

static void bcache_holds_its_disk_and_its_cache(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	parts(m, "nvme0n1", "p", 2);
	disks(m, SATA, "sdb");
	stack(m, "bcache0", "sda sdb");
	mounted(m, "bcache0", "/mnt/slow");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda -> 0000:01:00.0 "
		       "holds bcache0 (bcache), which /mnt/slow is on\n"
		       "storage-in-use sdb: sdb -> 0000:00:17.0 holds bcache0 (bcache), which /mnt/slow is on\n");
}

static void a_mount_in_another_namespace_is_seen(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc");
	mapped(m, "dm-0", "ssd-vm--200", "LVM-a", "sdb");
	sim_set(m->h, "sys/fs/ext4/sda/session_write_kbytes", "1");
	label(m, "sda", "zfs_member old");
	sim_set(m->h, "sys/fs/xfs/dm-0/x", "1");
	sim_set_link(m->h, "sys/fs/btrfs/aa/devices/sdc", "x");
	assert_told(m, ROOT_ELSEWHERE
		    "storage-in-use sda: sda -> 0000:01:00.0 "
		    "holds a file system (ext4) that a container or service has mounted\n"
		    "storage-in-use sdb: sdb -> 0000:01:00.0 "
		    "holds ssd-vm--200 (lvm), which a container or service has mounted\n"
		    "storage-in-use sdc: sdc -> 0000:01:00.0 "
		    "holds a file system (btrfs) that a container or service has mounted\n");
	assert_remedy(m, "storage-in-use", "sda", "stop the container or service");
}

static void who_has_a_free_disk_open_is_named(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc cciss!c0d0");
	parts(m, "sdb", "", 2);
	label(m, "sda", "zfs_member guest");
	sim_set(m->h, "holder/dev/nvme0n1", "1 init.scope systemd\n");
	sim_set(m->h, "holder/dev/sda", "4711 101.scope kvm\n");
	sim_set(m->h, "holder/dev/sdb2", "812 smartd.service smartd -n\n813 - dd\n");
	sim_set(m->h, "holder/dev/sdc", "99 session-1.scope dd\n");
	sim_set(m->h, "holder/dev/cciss/c0d0", "12");
	assert_told(m, ROOT_ELSEWHERE
		    "storage-in-use cciss!c0d0: cciss!c0d0 -> 0000:01:00.0 is held open by process 12 (?)\n"
		    "storage-in-use sda: sda -> 0000:01:00.0 "
		    "is held open by process 4711 (kvm) of VM 101 (101.scope)\n"
		    "storage-in-use sdb: sdb2 -> 0000:01:00.0 "
		    "is held open by process 812 (smartd -n) of smartd.service and 1 more\n"
		    "storage-in-use sdc: sdc -> 0000:01:00.0 is held open by process 99 (dd) of session-1.scope\n"
		    "storage-member sda: sda -> 0000:01:00.0 holds pool guest, which is not imported\n");
	assert_remedy(m, "storage-in-use", "sda", "stop VM 101 first");
	assert_remedy(m, "storage-in-use", "sdb", "stop smartd.service first");
	assert_remedy(m, "storage-in-use", "sdc", "end process 99 first");
	assert_remedy(m, "storage-in-use", "cciss!c0d0", "end process 12 first");
}

static void who_only_looks_after_a_disk_does_not_hold_it(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb");
	sim_set(m->h, "holder/dev/sda", "612 multipathd.service multipathd\n613 udev.service (udev-worker)\n");
	sim_set(m->h, "holder/dev/sdb", "612 multipathd.service multipathd\n99 - dd\n");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sdb: sdb -> 0000:01:00.0 is held open by process 99 (dd)\n");
}

static void a_boot_partition_that_proxmox_keeps_is_the_hosts(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb");
	parts(m, "sda", "", 2);
	sim_set(m->h, "etc/kernel/proxmox-boot-uuids", "# kept\nA1B2-C3D4\n../x\nDEAD-BEEF\n");
	sim_set_link(m->h, "dev/disk/by-uuid/A1B2-C3D4", "../../sda2");
	assert_told(m, ROOT_ELSEWHERE "root-disk sda: sda2 -> 0000:01:00.0 holds the boot loader\n");
}

/* --- labels that take their time -------------------------------------------------------------------------------- */

/* Reading a label waits; each disk answers once it has been asked so often. */
struct slow {
	struct host host, *sim;
	unsigned answers_at;
	int64_t now;
	const char *log;
	struct arena *a;
};
#define SLOW_MS 2000

static ssize_t slow_read(struct host *h, const char *name, char *buf, size_t size)
{
	struct slow *s = (struct slow *)h;
	unsigned before = 0;

	if (strncmp(name, "label/", strlen("label/")) == 0) {
		for (const char *at = s->log; (at = strstr(at, name)) != NULL; at++)
			before++;
		s->log = arena_fmt(s->a, "%s%s;", s->log, name);
		if (before + 1 < s->answers_at) {
			s->now += SLOW_MS;
			return -ETIMEDOUT;
		}
	}
	return s->sim->ops->read(s->sim, name, buf, size);
}

static ssize_t slow_link(struct host *h, const char *name, char *buf, size_t size)
{
	struct slow *s = (struct slow *)h;

	return strncmp(name, "label/", strlen("label/")) == 0 ? -EINVAL : s->sim->ops->link(s->sim, name, buf, size);
}

static int slow_list(struct host *h, const char *name, struct arena *a, char ***names, size_t *n)
{
	struct slow *s = (struct slow *)h;

	return s->sim->ops->list(s->sim, name, a, names, n);
}

static int64_t slow_now(struct host *h)
{
	return ((struct slow *)h)->now;
}

static const struct host_ops slow_ops = { .read = slow_read, .link = slow_link, .list = slow_list, .now = slow_now };

/* All stakes while the disks are asleep, of these functions only (NULL: all). */
static const char *told_slowly(struct made *m, struct slow *slow, unsigned answers_at, const char *asked)
{
	const char *all = "", *const names[] = { asked };

	*slow = (struct slow){ { &slow_ops }, .sim = m->h, .answers_at = answers_at, .log = "", .a = m->a };
	m->s = (struct stakes){ .host = &slow->host, .inventory = &m->inventory, .arena = m->a,
				.asked = asked ? names : NULL, .n_asked = 1 };
	stakes_storage(&m->s);
	for (size_t i = 0; i < m->s.n; i++)
		all = arena_fmt(m->a, "%s%s %s: %s\n", all, m->s.list[i].code, m->s.list[i].name, m->s.list[i].what);
	return all;
}

static void disks_that_spin_up_do_it_together(void **state)
{
	struct made *m = *state;
	struct slow slow;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc sdd");
	label(m, "sdc", "zfs_member tank");
	assert_string_equal(told_slowly(m, &slow, 2, NULL),
			    ROOT_ELSEWHERE "storage-member sdc: sdc -> 0000:01:00.0 holds pool tank, which is not imported\n");
	assert_int_equal(slow.now, 4 * SLOW_MS);
}

static void what_does_not_answer_in_time_may_be_accepted_as_a_member(void **state)
{
	struct made *m = *state;
	struct slow slow;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	assert_string_equal(told_slowly(m, &slow, 100, NULL),
			    ROOT_ELSEWHERE "storage-member sda: sda -> 0000:01:00.0 may be part of a pool that is not imported: "
			    "its label cannot be read in time\n");
	/* A disk gets some ten seconds. */
	assert_int_equal(slow.now, 5 * SLOW_MS);
	/* But where a pool is imported and not found, that may be it. */
	imported(m, "tank");
	assert_contains(told_slowly(m, &slow, 100, NULL), "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host "
			"stands on: no block device is labelled as part of pool tank");
}

static void all_labels_together_take_a_bounded_time(void **state)
{
	struct made *m = *state;
	struct slow slow;

	root_elsewhere(m);
	for (unsigned i = 0; i < 50; i++)
		disks(m, HBA, arena_fmt(m->a, "sd%02u", i));
	told_slowly(m, &slow, 100, NULL);
	assert_true(slow.now >= STAKES_LABELS_MS && slow.now <= STAKES_LABELS_MS + SLOW_MS);
}

static void disks_that_stay_are_left_asleep_unless_a_pool_is_looked_for(void **state)
{
	struct made *m = *state;
	struct slow slow;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	disks(m, SATA, "sdb sdc");
	label(m, "sda", "zfs_member tank");
	label(m, "sdc", "zfs_member rpool");
	sim_make_folder(m->h, "holder/dev/sdb");
	assert_string_equal(told_slowly(m, &slow, 1, "0000:01:00.0"),
			    ROOT_ELSEWHERE "storage-member sda: sda -> 0000:01:00.0 holds pool tank, which is not imported\n");
	assert_string_equal(slow.log, "label/sda;");
	imported(m, "rpool");
	assert_string_equal(told_slowly(m, &slow, 1, "0000:01:00.0"),
			    ROOT_ELSEWHERE "storage-in-use sdc: sdc -> 0000:00:17.0 holds pool rpool, which is imported\n"
			    "storage-member sda: sda -> 0000:01:00.0 holds pool tank, which is not imported\n");
}

static void a_pool_on_a_logical_volume_is_found_there_if_nowhere_else(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb");
	mapped(m, "dm-0", "pve-tank", "LVM-aa", "sda");
	mapped(m, "dm-1", "pve-vm--100--disk--0", "LVM-bb", "sda");
	label(m, "dm-0", "zfs_member tank");
	label(m, "dm-1", "zfs_member rpool");
	imported(m, "tank");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda -> 0000:01:00.0 holds pve-tank (lvm), pool tank, which is imported; "
		       "also pve-vm--100--disk--0\n");
	/* A guest's is none of the host's. */
	label(m, "sdb", "zfs_member tank");
	label(m, "dm-0", "ext4");
	assert_told(m, ROOT_ELSEWHERE
		    "storage-in-use sda: sda -> 0000:01:00.0 holds pve-tank (lvm), which is active; also pve-vm--100--disk--0\n"
		    "storage-in-use sdb: sdb -> 0000:01:00.0 holds pool tank, which is imported\n");
}

static void virtual_disks_and_far_ones_have_no_stake(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	stack(m, "nbd0", "");
	stack(m, "zram0", "");
	block(m, "platform/host3/session1/target3:0:0/3:0:0:0/block", "sdx");
	mounted(m, "nbd0", "/mnt/n");
	mounted(m, "sdx", "/mnt/x");
	mounted_as(m, "0:44", "/", "/mnt/nfs", "nfs4", "nas:/export");
	mounted_as(m, "0:45", "/", "/etc/pve", "fuse", "/dev/fuse");
	swap(m, "/dev/zram0", "partition");
	assert_told(m, ROOT_ELSEWHERE);
}

/* --- what cannot be read, and odd hosts ------------------------------------------------------------------------- */

static void sleeping_disks_are_asked_no_more_than_needed(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc sr0");
	parts(m, "sda", "", 1);
	mounted(m, "sda1", "/mnt/a");
	set(m, "sdb", "size", "0");
	mapped(m, "dm-0", "x", "CRYPT-PLAIN-x", "sdc");
	/* Each would be taken for a member of a pool if it were asked. */
	label(m, "sda", "zfs_member a");
	label(m, "sda1", "zfs_member a");
	label(m, "sdb", "zfs_member a");
	label(m, "sdc", "zfs_member a");
	label(m, "sr0", "zfs_member a");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda1 -> 0000:01:00.0 holds /mnt/a\n"
		       "storage-in-use sdc: sdc -> 0000:01:00.0 holds x (crypt), which is active\n");
}

static void without_a_list_of_mounts_each_function_with_a_disk_is_in_doubt(void **state)
{
	struct made *m = *state;
	struct function without[] = { { .address = "0000:00:1f.2", .class = 0x010601 } };

	m->inventory = (struct inventory){ without, COUNT(without) };
	disks(m, HBA, "sda sdb");
	disks(m, SATA, "sdc sdd");
	block(m, XHCI "/usb2/2-1/2-1:1.0/host4/block", "sde");
	block(m, XHCI "/usb2/2-2/2-2:1.0/host5/block", "sdf");
	stack(m, "nbd0", "");
	swap(m, "/dev/sdd", "partition");
	/* A folder can be no list. */
	sim_make_folder(m->h, "proc/self/mountinfo");
	assert_told(m, "root-disk sdd: sdd -> 0000:00:17.0 holds swap\n"
		       "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "/proc/self/mountinfo cannot be read: Is a directory\n"
		       "storage-unreadable sde: sde -> 2-1 -> 0000:00:14.0 may hold what the host stands on: "
		       "/proc/self/mountinfo cannot be read: Is a directory\n"
		       "storage-unreadable sdf: sdf -> 2-2 -> 0000:00:14.0 may hold what the host stands on: "
		       "/proc/self/mountinfo cannot be read: Is a directory\n");
	assert_remedy(m, "storage-unreadable", "sda", NULL);
}

static void a_list_of_mounts_that_is_too_long_or_damaged_is_told(void **state)
{
	struct made *m = *state;
	char *text = arena_alloc(m->a, MOUNTS_BYTES_MAX + 1);

	disks(m, HBA, "sda");
	memset(text, 'x', MOUNTS_BYTES_MAX);
	sim_set(m->h, "proc/self/mountinfo", text);
	assert_told(m, "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "/proc/self/mountinfo is longer than 4194304 bytes\n");
	/* Its beginning counts. */
	disks(m, SATA, "sdb");
	memcpy(text, "1 0 8:2 / / rw - ext4 /dev/sdb rw\n", strlen("1 0 8:2 / / rw - ext4 /dev/sdb rw\n"));
	for (char *at = text + 1000; at < text + MOUNTS_BYTES_MAX; at += 1000)
		*at = '\n';
	sim_set(m->h, "proc/self/mountinfo", text);
	look(m);
	assert_string_equal(stake_of(m, "root-disk", "sdb")->what, "sdb -> 0000:00:17.0 holds /");
	stake_of(m, "storage-unreadable", "sda");
	sim_remove(m->h, "sys/class/block/sdb");
	sim_set(m->h, "proc/self/mountinfo", "1 0 8:9 / / rw - ext4 /dev/nfs rw\n2 1 8:1 / /mnt rw shared:1\n");
	assert_told(m, "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "line 2 of /proc/self/mountinfo is not what the kernel writes\n");
	sim_set(m->h, "proc/self/mountinfo", "1 0 8:9 / / rw - ext4 /dev/sdq rw\n");
	assert_told(m, "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "/ is on /dev/sdq (8:9), which is not among the block devices\n");
	sim_set(m->h, "proc/self/mountinfo", "");
	assert_told(m, "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "/proc/self/mountinfo does not tell what / is on\n");
}

static void swap_that_is_not_found_is_told(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda");
	swap(m, "/dev/mapper/sda", "partition");
	assert_told(m, ROOT_ELSEWHERE "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "swap is on /dev/mapper/sda, which is not among the block devices\n");
	swap(m, "/dev/sdz9", "partition");
	assert_told(m, ROOT_ELSEWHERE "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "swap is on /dev/sdz9, which is not among the block devices\n");
	sim_remove(m->h, "proc/swaps");
	sim_make_folder(m->h, "proc/swaps");
	assert_told(m, ROOT_ELSEWHERE "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "/proc/swaps cannot be read: Is a directory\n");
	sim_remove(m->h, "proc/swaps");
	assert_told(m, ROOT_ELSEWHERE);
}

static void a_pool_whose_disks_are_not_found_may_be_on_any(void **state)
{
	struct made *m = *state;

	disks(m, HBA, "sda");
	imported(m, "rpool");
	dataset(m, "rpool/ROOT", "/");
	assert_told(m, "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "no block device is labelled as part of pool rpool, which is imported\n");
}

static void a_disk_that_cannot_be_read_is_in_doubt_alone(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc");
	sim_make_folder(m->h, "label/sda");
	sim_make_folder(m->h, "holder/dev/sdb");
	assert_told(m, ROOT_ELSEWHERE "storage-unreadable sda: sda -> 0000:01:00.0 may hold what the host stands on: "
		       "what is on sda cannot be read: Is a directory\n"
		       "storage-unreadable sdb: sdb -> 0000:01:00.0 may hold what the host stands on: "
		       "who has open sdb cannot be read: Is a directory\n");
	sim_remove(m->h, "label/sda");
	sim_remove(m->h, "holder/dev");
	sim_set(m->h, "holder/dev", "");
	sim_set(m->h, "holder/dev/sdb", "1 - x");
	sim_remove(m->h, "sys/class/block/sda");
	sim_remove(m->h, "sys/class/block/sdb");
	assert_told(m, ROOT_ELSEWHERE "storage-unreadable sdc: sdc -> 0000:01:00.0 may hold what the host stands on: "
		       "who has open sdc cannot be read: Not a directory\n");
}

static void functions_made_for_disks_are_in_doubt_if_no_disk_can_be_seen(void **state)
{
	struct made *m = *state;
	struct function functions[] = {
		{ .address = "0000:00:14.0", .class = 0x0c0330 }, { .address = "0000:00:17.0", .class = 0x010601 },
		{ .address = "0000:02:00.0", .class = 0x010802 },
	};

	m->inventory = (struct inventory){ functions, COUNT(functions) };
	sim_set_link(m->h, "sys/bus/pci/devices/0000:02:00.0", "../../../devices/pci0000:00/0000:00:1d.0/0000:02:00.0");
	sim_remove(m->h, "sys/class/block");
	sim_set(m->h, "sys/class/block", "");
	mounted_as(m, "8:1", "/", "/", "ext4", "/dev/sda");
	assert_told(m, "storage-unreadable 0000:00:17.0: 0000:00:17.0 -> its disks may hold what the host stands on: "
		       "/sys/class/block cannot be read: Not a directory\n"
		       "storage-unreadable 0000:02:00.0: 0000:02:00.0 -> its disks may hold what the host stands on: "
		       "/sys/class/block cannot be read: Not a directory\n");
	assert_true(stake_is_on(&m->s.list[0], "0000:00:17.0"));
	assert_true(stake_is_on(&m->s.list[1], "0000:00:1d.0"));
}

static void an_nvme_subsystem_without_controllers_puts_all_in_doubt(void **state)
{
	struct made *m = *state;
	struct function functions[] = { { .address = "0000:02:00.0", .class = 0x010802 } };

	m->inventory = (struct inventory){ functions, COUNT(functions) };
	block(m, "virtual/nvme-subsystem/nvme-subsys0", "nvme0n1");
	mounted(m, "nvme0n1", "/");
	sim_set_link(m->h, "sys/class/nvme-subsystem/nvme-subsys0/subsystem", "../../../../class/nvme-subsystem");
	disks(m, SATA, "sda");
	assert_told(m, "storage-unreadable sda: sda -> 0000:00:17.0 may hold what the host stands on: "
		       "the controllers of nvme0n1 cannot be read\n"
		       "storage-unreadable 0000:02:00.0: 0000:02:00.0 -> its disks may hold what the host stands on: "
		       "the controllers of nvme0n1 cannot be read\n");
}

static void circles_end_and_what_they_hold_is_in_use(void **state)
{
	struct made *m = *state;

	root_elsewhere(m);
	disks(m, HBA, "sda sdb sdc");
	mapped(m, "dm-0", "a", "", "sda");
	mapped(m, "dm-1", "b", "", "dm-0");
	sim_set_link(m->h, "sys/class/block/dm-0/slaves/dm-1", "x");
	sim_set_link(m->h, "sys/class/block/dm-1/holders/dm-0", "x");
	/* On itself; and held by what is not there. */
	sim_set_link(m->h, "sys/class/block/sdb/slaves/sdb", "x");
	sim_set_link(m->h, "sys/class/block/sdc/holders/gone", "x");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda -> 0000:01:00.0 is held by dm-0\n"
		       "storage-in-use sdc: sdc -> 0000:01:00.0 is held by gone\n");
	mounted(m, "dm-1", "/mnt/b");
	look(m);
	assert_string_equal(stake_of(m, "storage-in-use", "sda")->what,
			    "sda -> 0000:01:00.0 holds a (dm), b (dm), which /mnt/b is on");
}

static void a_disk_that_claims_to_be_made_of_others_is_a_disk_still(void **state)
{
	struct made *m = *state;

	disks(m, HBA, "sda sdb");
	sim_set_link(m->h, "sys/class/block/sda/slaves/sdb", "x");
	mounted(m, "sda", "/");
	assert_told(m, "root-disk sda: sda -> 0000:01:00.0 holds /\n"
		       "root-disk sdb: sdb -> 0000:01:00.0 holds sda, which / is on\n");
}

static void too_many_layers_are_told(void **state)
{
	struct made *m = *state;

	disks(m, HBA, "sda sdb");
	mapped(m, "dm-0", "d0", "", "sda");
	for (int i = 1; i < 40; i++)
		mapped(m, arena_fmt(m->a, "dm-%d", i), arena_fmt(m->a, "d%d", i), "", arena_fmt(m->a, "dm-%d", i - 1));
	mounted(m, "dm-39", "/");
	look(m);
	assert_contains(stake_of(m, "storage-unreadable", "sda")->what, "/ is on more than 32 layers of block devices");
}

static void odd_names_stay_on_one_line(void **state)
{
	struct made *m = *state;
	char *name = arena_alloc(m->a, 300);

	root_elsewhere(m);
	disks(m, HBA, "sda sdb");
	disks(m, HBA, memset(name, 'n', 299));
	mapped(m, "dm-0", "a\033[2J\nb", "LVM-x", "sda");
	mounted_as(m, "8:3", "/", "/mnt/\\012\\134\\011x", "ext4", "/dev/sdb");
	assert_told(m, ROOT_ELSEWHERE "storage-in-use sda: sda -> 0000:01:00.0 holds a?[2J?b (lvm), which is active\n"
		       "storage-in-use sdb: sdb -> 0000:01:00.0 holds /mnt/?\\ x\n");
	assert_remedy(m, "storage-in-use", "sda", "vgchange -an a?[2J?b");
}

static void many_disks_and_mounts_are_seen(void **state)
{
	struct made *m = *state;

	for (int i = 0; i < 400; i++) {
		const char *disk = arena_fmt(m->a, "sd%03d-", i);

		disks(m, arena_fmt(m->a, "pci0000:00/0000:00:01.0/0000:%02x:00.0", i / 8 + 1), disk);
		parts(m, disk, "", 1);
		mounted(m, arena_fmt(m->a, "%s1", disk), i ? arena_fmt(m->a, "/mnt/%d", i) : "/");
	}
	for (int i = 0; i < 1000; i++)
		mounted_as(m, "0:50", "/", arena_fmt(m->a, "/overlay/%d", i), "overlay", "overlay");
	look(m);
	assert_int_equal(m->s.n, 400);
	assert_string_equal(m->s.list[0].what, "sd000-1 -> 0000:01:00.0 holds /");
	assert_string_equal(m->s.list[399].what, "sd399-1 -> 0000:32:00.0 holds /mnt/399");
}

static void a_host_without_disks_stands_on_none(void **state)
{
	struct made *m = *state;

	sim_remove(m->h, "sys/class/block");
	assert_told(m, "");
	sim_make_folder(m->h, "sys/class/block");
	assert_told(m, "");
}

/* No word of disks is no word that there are none. */
static void a_host_that_says_nothing_of_disks_may_have_them_on_any_storage_function(void **state)
{
	struct made *m = *state;
	struct function functions[] = {
		{ .address = "0000:00:14.0", .class = 0x0c0330 }, { .address = "0000:00:17.0", .class = 0x010601 },
	};

	m->inventory = (struct inventory){ functions, COUNT(functions) };
	sim_remove(m->h, "sys/class/block");
	assert_told(m, "storage-unreadable 0000:00:17.0: 0000:00:17.0 -> its disks may hold what the host stands on: "
		       "/sys/class/block is not there\n");
	assert_remedy(m, "storage-unreadable", "0000:00:17.0", NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(root_on_nvme_is_found_by_its_number),
		CASE(a_disk_next_to_the_root_disk_is_free),
		CASE(lvm_on_luks_is_named_layer_by_layer),
		CASE(both_disks_of_a_raid_hold_what_is_on_it),
		CASE(a_partition_of_a_raid_leads_to_its_disks),
		CASE(a_mirror_of_zfs_is_found_by_its_labels),
		CASE(all_devices_of_a_btrfs_hold_it),
		CASE(btrfs_on_a_mapped_device_is_found_by_its_name),
		CASE(each_path_of_a_multipath_disk_holds_it),
		CASE(each_controller_of_an_nvme_subsystem_holds_its_disk),
		CASE(swap_is_root_as_a_partition_a_file_and_a_zvol),
		CASE(a_swap_file_is_on_the_innermost_mount),
		CASE(one_side_of_a_link_is_enough),
		CASE(bind_mounts_count_as_what_they_cover),
		CASE(a_loop_leads_to_the_mount_of_its_file),
		CASE(a_file_on_zfs_leads_to_the_disks_of_the_pool),
		CASE(many_mounts_are_counted),
		CASE(a_disk_on_usb_hangs_on_its_port_and_its_controller),
		CASE(a_pool_counts_as_what_it_is),
		CASE(a_pool_on_luks_leads_to_the_disk),
		CASE(what_a_guest_calls_its_pool_does_not_matter),
		CASE(a_member_without_a_name_may_be_of_any_pool),
		CASE(what_is_active_is_in_use_though_nothing_is_mounted),
		CASE(bcache_holds_its_disk_and_its_cache),
		CASE(a_mount_in_another_namespace_is_seen),
		CASE(who_has_a_free_disk_open_is_named),
		CASE(who_only_looks_after_a_disk_does_not_hold_it),
		CASE(a_boot_partition_that_proxmox_keeps_is_the_hosts),
		CASE(disks_that_spin_up_do_it_together),
		CASE(what_does_not_answer_in_time_may_be_accepted_as_a_member),
		CASE(all_labels_together_take_a_bounded_time),
		CASE(disks_that_stay_are_left_asleep_unless_a_pool_is_looked_for),
		CASE(a_pool_on_a_logical_volume_is_found_there_if_nowhere_else),
		CASE(virtual_disks_and_far_ones_have_no_stake),
		CASE(sleeping_disks_are_asked_no_more_than_needed),
		CASE(without_a_list_of_mounts_each_function_with_a_disk_is_in_doubt),
		CASE(a_list_of_mounts_that_is_too_long_or_damaged_is_told),
		CASE(swap_that_is_not_found_is_told),
		CASE(a_pool_whose_disks_are_not_found_may_be_on_any),
		CASE(a_disk_that_cannot_be_read_is_in_doubt_alone),
		CASE(functions_made_for_disks_are_in_doubt_if_no_disk_can_be_seen),
		CASE(an_nvme_subsystem_without_controllers_puts_all_in_doubt),
		CASE(circles_end_and_what_they_hold_is_in_use),
		CASE(a_disk_that_claims_to_be_made_of_others_is_a_disk_still),
		CASE(too_many_layers_are_told),
		CASE(odd_names_stay_on_one_line),
		CASE(many_disks_and_mounts_are_seen),
		CASE(a_host_without_disks_stands_on_none),
		CASE(a_host_that_says_nothing_of_disks_may_have_them_on_any_storage_function),
	};

	if (argc > 1)
		source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
