# SPDX-License-Identifier: GPL-2.0-or-later
# t_life.sh - the main job on a real kernel (topology pair): VM 100's two functions go from their host drivers to
# vfio-pci and come back, three lives in a row, while an identical pair (the same vendor:device) is VM 101's.
. /lab/lib.sh

mine=(0000:01:00.0 0000:01:00.1)
twin=(0000:02:00.0 0000:02:00.1)

mkdir -p /etc/handover/profiles
cat >/etc/handover/profiles/100.yaml <<'P'
handover: 1
name: a network card and the audio function in its slot
devices:
  nic: {id: "8086:100e", at: "01:00.0"}
pre-start:
  - bind: nic
P
sed 's/01:00.0/02:00.0/' /etc/handover/profiles/100.yaml >/etc/handover/profiles/101.yaml
sed 's/01:00.0/01:00.1/; s/8086:100e/8086:2668/' /etc/handover/profiles/100.yaml >/etc/handover/profiles/102.yaml

# drivers DESC DRIVER BDF...: what the functions are bound to.
drivers() {
	local desc=$1 driver=$2 bdf
	shift 2
	for bdf; do
		same "$desc: $bdf" "$driver" "$(driver_of "$bdf")"
	done
}

unchanged() {
	snapshot | diff "$1" - || die "$2: it is not as it was"
	ok "$2: it is as it was"
}

snapshot >/tmp/before
snapshot | grep "^0000:02" >/tmp/twin-before

succeeds "check" handover check /etc/handover/profiles/100.yaml
succeeds "plan" handover plan 100
unchanged /tmp/before "after check and plan"

for life in 1 2 3; do
	begun=$(now_ms)
	succeeds "life $life: pre-start" handover 100 pre-start
	figure vm-pre-start-ms-$life $(($(now_ms) - begun))
	drivers "life $life: while the VM runs" vfio-pci "${mine[@]}"
	same "life $life: group" "0000:01:00.0,0000:01:00.1" "$(members_of 0000:01:00.0)"
	[ -c "/dev/vfio/$(group_of 0000:01:00.0)" ] || die "there is no node of the group"
	snapshot | grep "^0000:02" | diff /tmp/twin-before - || die "the twin was touched"
	ok "life $life: the twin is untouched"
	succeeds "life $life: post-start" handover 100 post-start
	succeeds "life $life: pre-stop" handover 100 pre-stop
	drivers "life $life: after pre-stop" vfio-pci "${mine[@]}"
	begun=$(now_ms)
	succeeds "life $life: post-stop" handover 100 post-stop
	figure vm-post-stop-ms-$life $(($(now_ms) - begun))
	unchanged /tmp/before "life $life"
	same "life $life: driver" e1000 "$(driver_of 0000:01:00.0)"
	same "life $life: driver" snd_hda_intel "$(driver_of 0000:01:00.1)"
	same "life $life: nothing is lent" "nothing is lent" "$(handover status)"
done

# Two VMs, each with one of the twins.
succeeds "VM 100 starts" handover 100 pre-start
succeeds "VM 101 starts" handover 101 pre-start
drivers "both run" vfio-pci "${mine[@]}" "${twin[@]}"
# As Proxmox holds the lock of a VM's configuration from before its pre-start until QEMU runs.
mkdir -p /run/lock/qemu-server
flock /run/lock/qemu-server/lock-100.conf handover 102 pre-start 2>/tmp/err
same "VM 102 wants what VM 100 has: status" 4 $?
grep -q "lent to VM 100" /tmp/err || die "it does not say who has it: $(cat /tmp/err)"
ok "VM 102 is told: $(cat /tmp/err)"
succeeds "VM 101 stops" handover 101 post-stop
drivers "VM 100 still runs" vfio-pci "${mine[@]}"
snapshot | grep "^0000:02" | diff /tmp/twin-before - || die "the twin did not come back"

# A start that fails after pre-start: Proxmox calls nobody; the next start ends the earlier life first.
succeeds "VM 100 starts again without a stop" handover 100 pre-start
drivers "VM 100 runs" vfio-pci "${mine[@]}"
succeeds "VM 100 stops" handover 100 post-stop
succeeds "a second post-stop finds nothing to do" handover 100 post-stop

# The same, but another VM comes first and wants what it had.
succeeds "VM 100 starts, and fails" handover 100 pre-start
handover 102 pre-start 2>/tmp/err
same "VM 102 wants what VM 100, which is gone, has: status" 0 $?
grep -q "gave back what VM 100, which does not run, had left lent" /tmp/err || die "it does not say so: $(cat /tmp/err)"
same "whose it is now" "102.journal lock" "$(echo $(ls /run/handover))"
succeeds "VM 102 stops" handover 102 post-stop
unchanged /tmp/before "in the end"

# An id left in new_id, as Proxmox leaves it, must not keep the device from going home.
succeeds "VM 100 starts" handover 100 pre-start
succeeds "new_id" put "8086 100e" /sys/bus/pci/drivers/vfio-pci/new_id
succeeds "VM 100 stops" handover 100 post-stop
unchanged /tmp/before "after a stale new_id"
