# SPDX-License-Identifier: GPL-2.0-or-later
# t_pve.sh - Proxmox's calling code, emulated, around a VM that has real devices (topology pair): both functions of
# 01:00 are lent through the first. Carries the table of tests/pve and its program.
. /lab/lib.sh
pve=/lab/pve
perl_ms=5000	# an emulated machine takes its time for everything
without_steps=yes
own_bind=new_id	# Proxmox binds what the profile leaves to it, and says so
. /lab/table.sh

mine=(0000:01:00.0 0000:01:00.1)
spare=0000:03:00.0	# nobody's, alone in its group

mkdir -p /etc/handover/profiles /var/lib/vz/snippets
printf 'guard = %s\n[timeouts]\npost-stop = %ss\n' "$guard" "$guard_after" >/etc/handover/handover.conf
cat >/etc/handover/profiles/$vm.yaml <<'P'
handover: 1
devices:
  nic: {id: "8086:100e", at: "01:00.0"}
pre-start:
  - bind: nic
P
mount -t tmpfs tmpfs /sys/fs/cgroup
modprobe vfio-pci
snapshot >/tmp/before

set_up() {
	# What a row that failed has left.
	[ ! -d /run/handover ] || handover recover >/dev/null 2>&1
	rm -rf /run/handover
	printf 'hookscript: local:snippets/handover\nhostpci0: 0000:01:00,pcie=1\nmachine: q35\n' >/etc/pve/qemu-server/$vm.conf
}

# What Proxmox finds when pre-start is through. The spare device is in the VM's configuration and not in its profile.
break_start() {
	case $1 in
	missing) echo 'hostpci1: 0000:7f:1f.7' ;;
	reserved)
		echo "hostpci1: $spare"
		echo "$spare 101 time:$(($(date +%s) + 600))" >/run/qemu-server/pci-id-reservations
		;;
	bind)
		echo "hostpci1: $spare"
		put nobody $pci/$spare/driver_override
		;;
	esac >>/etc/pve/qemu-server/$vm.conf
}

mend_start() {
	put '' $pci/$spare/driver_override
	rm -f /run/qemu-server/pci-id-reservations
}

is_lent() {
	local bdf
	for bdf in "${mine[@]}"; do
		[ "$(driver_of "$bdf")" = vfio-pci ] || return
	done
	[ -e "/run/handover/$1.journal" ]
}

is_home() {
	snapshot | diff /tmp/before -
}

# A reservation that is there before pre-start is seen by it. One that comes later is played where there are no devices.
row_start_device_reserved() {
	break_start reserved
	fails_to qm start
	came '[pre-start 2] start:hook'
	mend_start
	home
}

# Whoever has a clone, with the same hostpci line and no profile, is refused what the first one has.
row_clone() {
	qm start
	cp /etc/pve/qemu-server/$vm.conf /etc/pve/qemu-server/101.conf
	fails_to qm start 101
	came "$up [pre-start 2] start:hook"
	lent
	qm stop
	home_after_stop
}

# While QEMU has the group's node open.
row_node_held() {
	local pid
	qm start
	pid=$(cat /run/qemu-server/$vm.pid)
	same "QEMU's node" "/dev/vfio/$(group_of "${mine[0]}")" "$(readlink /proc/"$pid"/fd/* | grep /dev/vfio/)"
	handover $vm post-stop || die "a post-stop while it runs: $?"
	lent
	qm stop
	home_after_stop
}

begun=$(now_ms)
for generation in old new; do
	rows $generation stop qm-reboot slow-exit quick-restart backup-of-stopped migration-fails
done
# The same in both.
rows old start-qemu-exits guest-poweroff guest-reboot-0 start-device-missing
rows new start-device-reserved start-bind-fails start-fails-then-starts crash clone node-held
figure pve-lab-ms $(($(now_ms) - begun))
figure pve-rows $n_rows
[ $n_failed -eq 0 ]
