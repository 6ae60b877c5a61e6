# SPDX-License-Identifier: GPL-2.0-or-later
# t_caller.sh - a caller that is not as kind as Proxmox (topology pair): closed descriptors, ignored children, a pipe
# that nobody reads, a start that is under way while somebody recovers.
. /lab/lib.sh

mkdir -p /etc/handover/profiles /run/lock/qemu-server /run/qemu-server
cat >/etc/handover/profiles/100.yaml <<'P'
handover: 1
devices:
  nic: {id: "8086:100e", at: "01:00.0"}
pre-start:
  - bind: nic
P
snapshot >/tmp/before

unchanged() {
	snapshot | diff /tmp/before - || die "$1: it is not as it was"
	ok "$1: it is as it was"
}

handover 100 pre-start <&- >&- 2>&- || die "with closed descriptors: $?"
same "with closed descriptors" vfio-pci "$(driver_of 0000:01:00.0)"
grep -aq "^handover: " /run/handover/100.journal && die "a message went into the journal"
succeeds "and back" handover 100 post-stop <&- 2>&-
unchanged "closed descriptors"

(trap '' CHLD && exec handover 100 pre-start) || die "with children ignored: $?"
(trap '' CHLD && exec handover 100 post-stop) || die "with children ignored: $?"
unchanged "children ignored"

mkfifo /tmp/full
exec 8<>/tmp/full
head -c 65536 /dev/zero >&8
begun=$(now_ms)
handover 100 pre-start 2>&8 || die "with a full pipe: $?"
took=$(($(now_ms) - begun))
figure vm-full-pipe-ms $took
[ $took -lt 10000 ] || die "it waited $took ms for a reader"
succeeds "and back" handover 100 post-stop 2>/dev/null
unchanged "a pipe that nobody reads"
exec 8<&-

# Proxmox holds the VM's configuration lock until QEMU runs; recover must not come between the two.
touch /run/lock/qemu-server/lock-100.conf
succeeds "pre-start" handover 100 pre-start
flock /run/lock/qemu-server/lock-100.conf sleep 3 &
sleep 0.5
handover recover 2>/tmp/said
same "recover while Proxmox starts the VM" 4 $?
wait
sh -c 'sleep 100; :' -id 100 &
echo $! >/run/qemu-server/100.pid
sleep 0.5
succeeds "recover while it runs" handover recover
same "the VM keeps its device" vfio-pci "$(driver_of 0000:01:00.0)"
handover 100 pre-start 2>/tmp/said
same "a start of a VM that runs" 2 $?
succeeds "a late post-stop" handover 100 post-stop
same "the VM keeps its device" vfio-pci "$(driver_of 0000:01:00.0)"
kill %2 2>/dev/null
rm /run/qemu-server/100.pid
succeeds "recover when it has ended" handover recover
unchanged "in the end"
