# SPDX-License-Identifier: GPL-2.0-or-later
# t_qemu.sh - a real QEMU, started, told and ended as Proxmox does it, with a network card that handover lent it
# (topologies pair and, with systemd, desk). What runs in it (guest.c) sends and receives with the card all the time.
# Carries the table of tests/pve, its program, that guest and kvmid.
. /lab/lib.sh
pve=/lab/pve
perl_ms=5000	# an emulated machine takes its time for everything
PVE_ROW_SECONDS=90
without_steps=yes
own_bind=new_id
. /lab/table.sh
export PVE_QEMU=1 PVE_PRELOAD=/lab/libkvmid.so

case $VM_TOPOLOGY in
pair) mine=(0000:01:00.0 0000:01:00.1) ;;
*) mine=(0000:03:00.0) ;;
esac
nic=${mine[0]}
mac=$(value_of "$(echo $pci/$nic/net/*)/address")
console=/run/pve/$vm.console

mkdir -p /etc/handover/profiles /var/lib/vz/snippets
printf 'guard = %s\n[timeouts]\npost-stop = %ss\n' "$guard" "$guard_after" >/etc/handover/handover.conf
[ -d /sys/fs/cgroup/system.slice ] || mount -t tmpfs tmpfs /sys/fs/cgroup
modprobe vfio-pci
snapshot >/tmp/before
: >/tmp/figures

# The VM of whoever has written nothing: a hostpci line. Its profile is the built-in one.
set_up() {
	# What a row that failed has left.
	[ ! -d /run/handover ] || handover recover >/dev/null 2>&1
	rm -rf /run/handover /etc/handover/profiles/*
	cat >/etc/pve/qemu-server/$vm.conf <<-C
		hookscript: local:snippets/handover
		machine: q35
		hostpci0: ${nic%.*},pcie=1,rombar=0
		args: -kernel /lab/guest
	C
}

own_profile() {
	printf 'handover: 1\ndevices: {nic: {at: "%s"}}\npre-start:\n  - bind: nic\n' "$nic" \
		>/etc/handover/profiles/$vm.yaml
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

no_qemu() {
	! grep -qsx kvm /proc/[0-9]*/comm
}

# answered N: the guest has booted N times, seen the card that it was given, and got an answer through it.
has_answered() {
	[ "$(grep -cs '^gateway answers' $console)" = "$1" ]
}

answered() {
	wait_for "the guest uses the card, boot $1" "$seconds" has_answered "$1"
	same "its card, boot $1" "$1" "$(grep -c "^nic $mac" $console)"
}

# The host's driver gets an answer from the network too.
ping_gateway() {
	ping -c 1 -W 2 -I "$1" 10.0.2.2 >/dev/null 2>&1
}

host_works() {
	local name
	name=$(echo $pci/$nic/net/*)
	name=${name##*/}
	ip link set "$name" up
	ip address add 10.0.2.99/24 dev "$name" metric 4000
	wait_for "the host's driver sends and receives" 20 ping_gateway "$name"
	ip address flush dev "$name"
	ip link set "$name" down
}

# over WHAT: nothing is lent, nothing left.
over() {
	wait_for "$1: it is over" "$seconds" is_over $vm
	home
	wait_for "$1: QEMU has gone" "$seconds" no_qemu
	same "$1: nothing is lent" "nothing is lent" "$(handover status)"
}

# over_and_works WHAT: and the host's card works.
over_and_works() {
	over "$1"
	host_works
	is_home || die "$1: it is not as it was"
}

# --- the rows ---------------------------------------------------------------------------------------------------------

# measured NAME VALUE: a figure of a row, of which nothing is printed where all went well.
measured() {
	figure "$@" >>/tmp/figures
}

# mean PHASE: of what its hooks took.
mean() {
	awk -v phase="$1" '$1 == phase { n++; ms += $2 } END { printf "%d", ms / n }' /run/pve/times
}

# What the guest has said last is worth knowing then.
die() {
	echo "FAILED $*"
	tail -n 20 $console /run/pve/qmeventd.log 2>/dev/null
	exit 1
}

cycles() {
	local cycle
	for ((cycle = 1; cycle <= $1; cycle++)); do
		rm -f $trace $console
		qm start
		came "$up"
		lent
		answered 1
		qm stop
		came "$up $(stopped)"
		over "cycle $cycle"
	done
	over_and_works "the last cycle"
}

row_cycles() {
	cycles 10
	measured vm-qemu-cycles 10
	measured vm-qemu-pre-start-ms "$(mean pre-start)"
	measured vm-qemu-post-stop-ms "$(mean post-stop)"
}

row_profile() {
	own_profile
	cycles 1
}

# Three times: no hook, the same QEMU, the same lease.
row_guest_reboots() {
	local pid lease i
	qm start
	answered 1
	pid=$(cat /run/qemu-server/$vm.pid)
	lease=$(cat </run/handover/$vm.journal)
	for i in 1 2 3; do
		qm guest $vm reboot
		answered $((i + 1))
	done
	same "QEMU" "$pid" "$(cat /run/qemu-server/$vm.pid)"
	[ "$lease" = "$(cat /run/handover/$vm.journal)" ] || die "the lease has changed"
	lent
	# SeaBIOS adds resets of its own.
	grep -qx reset $trace || die "it did not reset"
	sed -i '/^reset$/d' $trace
	came "$up"
	measured vm-qemu-guest-reboots 3
	qm stop
	over_and_works "a guest that rebooted"
}

row_real_poweroff() {
	qm start
	answered 1
	qm guest $vm poweroff
	came "$up $gone"
	same "the guest's last word" off "$(tail -n 1 $console)"
	over_and_works "a guest that powered off"
}

row_real_shutdown() {
	qm start
	answered 1
	qm shutdown
	came "$up $(stopped)"
	over "a guest whose power button was pressed"
}

row_real_reboot() {
	qm start
	answered 1
	qm reboot
	came "$up $(old "$asked reboot:ok $gone" && new "$asked $back reboot:ok cleanup:nothing") $up"
	answered 2
	qm stop
	over "a VM that was rebooted through Proxmox"
}

# While its card sends and receives.
row_kill_9() {
	qm start
	answered 1
	qm guest $vm crash
	came "$up $gone"
	over_and_works "a QEMU that was killed"
}

row_kill_9_nobody_calls() {
	qm start
	answered 1
	no_qmeventd
	qm guest $vm crash
	forgotten late
	came "$up"
	over_and_works "a QEMU that was killed, and nobody called"
}

row_poweroff_nobody_calls() {
	no_qmeventd
	qm start
	answered 1
	qm guest $vm poweroff
	wait_for "the guest has powered off" "$seconds" grep -qx off $console
	# -no-shutdown: its QEMU stays, and with it the lease.
	stays_lent
	"$pve" qm stop $vm
	[ "$PVE_GENERATION" = new ] || forgotten late
	over "a guest that powered off, and qmeventd was not there"
}

# QEMU's own words for a device that it cannot have are others; that it ends before it is a daemon is the same.
row_qemu_refuses() {
	echo 'args: -device no-such-device' >>/etc/pve/qemu-server/$vm.conf
	fails_to qm start
	came "$lend start:qemu"
	forgotten soon
	over "a QEMU that did not start"
}

row_real_quick_restart() {
	qmeventd PVE_PERL_MS=$perl_ms
	qm start
	answered 1
	qm stop && qm start || die "it does not start again"
	came "$up $(old "$asked stop:ok [pre-start 0] ${up#"$lend "}"
		new "$asked $back stop:ok $up") cleanup:runs"
	answered 2
	qm guest $vm reset
	answered 3
	stays_lent
	qm stop
	over "stopped and started again at once"
}

# Who asks while the guest is at it changes nothing.
row_real_node_held() {
	local pid
	qm start
	answered 1
	pid=$(cat /run/qemu-server/$vm.pid)
	same "QEMU's node" "/dev/vfio/$(group_of "$nic")" "$(readlink /proc/"$pid"/fd/* | grep '/dev/vfio/[0-9]')"
	if [ -d /run/systemd/system ]; then
		same "QEMU's scope" "0::/qemu.slice/$vm.scope" "$(cat /proc/"$pid"/cgroup)"
	fi
	handover $vm post-stop || die "a post-stop while it runs: $?"
	handover recover $vm || die "recover while it runs: $?"
	lent
	qm guest $vm reboot
	answered 2
	qm stop
	over "somebody asked while it ran"
}

begun=$(now_ms)
# Each in both, but what is one and the same.
if [ "$VM_TOPOLOGY" = pair ]; then
	rows new cycles guest-reboots real-poweroff kill-9
	rows old real-poweroff kill-9-nobody-calls qemu-refuses
else
	rows new profile real-shutdown kill-9-nobody-calls real-node-held
	rows old profile kill-9 real-shutdown real-reboot real-quick-restart poweroff-nobody-calls
fi
cat /tmp/figures
figure vm-qemu-ms $(($(now_ms) - begun))
figure vm-qemu-rows $n_rows
[ $n_failed -eq 0 ]
