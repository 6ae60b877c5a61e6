# SPDX-License-Identifier: GPL-2.0-or-later
# t_stakes.sh - what a host stands on, seen through the seam, and captured (topology stakes; carries the program seam)
. /lab/lib.sh

# seen NAME: the value of the seam, or the errno.
seen() {
	/lab/seam read "$1"
}

# has TEXT: a line of the capture.
has() {
	grep -qxF -- "$1" /tmp/captured || die "the capture has no line '$1'"
	ok "captured: $1"
}

has_not() {
	fails "not captured: $1" grep -qF -- "$1" /tmp/captured
}

# What udev and systemd would load, and the disks' modules.
modprobe -qa sd_mod virtio_blk i2c_dev iTCO_wdt ext4
wait_for "a disk behind AHCI" 20 test -b /dev/sda
wait_for "a disk behind NVMe" 20 test -b /dev/nvme0n1
wait_for "a disk behind virtio" 20 test -b /dev/vda

# --- what is on a disk

same "an empty disk" ENOENT "$(seen label/sda)"
succeeds "swap" mkswap -L 'my swap' /dev/sda >/dev/null
same "swap and its label" "swap my swap" "$(seen label/sda)"
printf 'LUKS\272\276\0\1' >/dev/vda
same "LUKS" crypto_LUKS "$(seen label/vda)"
succeeds "a file system" mke2fs -L root /dev/nvme0n1 >/dev/null
same "a file system" "ext2 root" "$(seen label/nvme0n1)"
mkdir -p /mnt/disk
succeeds "which is mounted" mount -t ext4 /dev/nvme0n1 /mnt/disk
same "mounted, it is read as before" "ext2 root" "$(seen label/nvme0n1)"
succeeds "swap is used" swapon /dev/sda
same "no such disk" ENOENT "$(seen label/sdz)"
same "no disk" ENOTBLK "$(seen label/null)"

# --- who has a node open

same "nobody" ENOENT "$(seen holder/dev/vda)"
exec 3</dev/vda
same "this script" "$$ - bash" "$(seen holder/dev/vda | head -n 1)"
exec 3<&-
same "nobody any more" ENOENT "$(seen holder/dev/vda)"
# The node that daemons open, which arms it.
exec 3>/dev/watchdog
same "a watchdog by its other name" "$$ - bash" "$(seen holder/dev/watchdog0 | head -n 1)"
same "it runs" active "$(seen sys/class/watchdog/watchdog0/state)"
mkdir /sys/fs/cgroup/lab 2>/dev/null || mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/lxc/105/ns /sys/fs/cgroup/system.slice/x.service
echo $$ >/sys/fs/cgroup/lxc/105/ns/cgroup.procs
same "in a container" "$$ lxc/105 bash" "$(seen holder/dev/watchdog0 | head -n 1)"
echo $$ >/sys/fs/cgroup/system.slice/x.service/cgroup.procs
same "in a service" "$$ x.service bash" "$(seen holder/dev/watchdog0 | head -n 1)"

# --- a capture

# A shell's child inherits the node, the program that asks does not count.
before=$(now_ms)
handover capture >/tmp/captured 2>/tmp/errors || die "capture: $(cat /tmp/errors)"
figure capture_ms $(($(now_ms) - before))
echo V >&3
exec 3>&-
nvme=/devices/pci0000:00/0000:00:10.0/nvme/nvme0/nvme0n1
has "L: nvme0n1=../..$nvme"
has "P: $nvme"
has "A: dev=$(cat /sys/class/block/nvme0n1/dev)"
succeeds "captured: a disk behind virtio" grep -q "^P: /devices/pci0000:00/0000:00:11.0/virtio[0-9]*/block/vda\$" /tmp/captured
has "V: label/sda=swap my swap"
has "V: label/vda=crypto_LUKS"
has "V: label/nvme0n1=ext2 root"
has "V: holder/dev/watchdog0=$$ x.service bash"
succeeds "captured: the mount" grep -q '^| .* /mnt/disk .* - ext4 /dev/nvme0n1 rw$' /tmp/captured
has_not "tmpfs"
succeeds "captured: where it swaps to" grep -q '^| /dev/sda[[:space:]]' /tmp/captured
succeeds "captured: a NIC" grep -q '^P: /devices/pci0000:00/0000:00:19.0/net/' /tmp/captured
has_not 52:54:00
has_not secret
has "P: /devices/virtual/tty/console"
has "A: active=ttyS0"
succeeds "captured: its terminal" grep -q '^L: ttyS0=../../devices/.*/tty/ttyS0$' /tmp/captured
has "P: /devices/pci0000:00/0000:00:12.0/graphics/fb0"
has "P: /devices/pci0000:00/0000:00:12.0/drm/card0"
has "P: /devices/pci0000:00/0000:00:1b.0/sound/card0/controlC0"
has "A: identity=iTCO_wdt"
succeeds "captured: an I2C bus" grep -q '^P: /devices/pci0000:00/0000:00:1f.3/i2c-.*/i2c-dev/i2c-' /tmp/captured
has 'A: firmware_node/path=\\_SB_.PCI0.SF8_'
has "P: /fs/cgroup/lxc/105"
handover capture --host /tmp/captured >/tmp/again || die "what was captured does not load"
succeeds "a capture of it is the same" cmp /tmp/captured /tmp/again
handover map >/tmp/map
handover map --host /tmp/captured >/tmp/map.host || die "no map of what was captured"
succeeds "its map is this host's" diff -u /tmp/map /tmp/map.host
