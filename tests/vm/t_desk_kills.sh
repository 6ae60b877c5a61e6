# SPDX-License-Identifier: GPL-2.0-or-later
# t_desk_kills.sh - as t_kills.sh, on the EliteDesk (topology seed; carries desk.sh and killer): `handover boot` and VM
# 100's phases, with functions that leave and come back, are killed before each write and each order to a worker; so are
# workers, and whoever of its processes is about to send a netlink message.
# Then recover, or boot again: all functions must be there, with their drivers and groups, and the NIC in vmbr0.
. /lab/lib.sh
. /lab/desk.sh

kills=0
dirty=0

desk_profiles
# Split already, they have nothing to move; here they leave at each boot.
sed -i 's/^boot:/&\n  - cycle: [audio, testdev, edu, nic]/' /etc/handover/host.yaml
desk_bridge
succeeds "boot" handover --quiet boot
each_alone "after boot" "${slot[@]}"

# Of the network what is asked for; its carrier takes seconds to come back.
state() {
	snapshot
	bridge -compressvlans vlan show dev "$port"
}
state >/tmp/before

note() {
	dirty=$((dirty + 1))
	echo "dirty: $*"
}

# clean DESC: everything is as after boot.
clean() {
	kills=$((kills + 1))
	state 2>&1 | diff /tmp/before - >/tmp/diff || note "$1: $(cat /tmp/diff)"
}

# The next boot of the host, as far as handover can tell.
new_boot() {
	rm -f /run/handover/host.journal
}

is_prepared() {
	[[ $(</run/handover/host.journal) == *$'\nheld' ]]
}

# Every other time what was begun is taken back first.
after_boot() {
	if [ $((kills % 2)) -eq 0 ]; then
		handover recover >/tmp/out 2>/tmp/err || note "$1: recover: $(cat /tmp/err)"
		[ ! -e /run/handover/host.journal ] || is_prepared || note "$1: after recover: $(handover status)"
		state 2>&1 | diff /tmp/before - >/tmp/diff || note "$1: after recover: $(cat /tmp/diff)"
	fi
	handover --quiet boot 2>/tmp/err || note "$1: boot: $(cat /tmp/err)"
	is_prepared || note "$1: $(handover status)"
	clean "$1"
}

after_phase() {
	handover recover >/tmp/out 2>/tmp/err || note "$1: recover: $(cat /tmp/err)"
	same_nic=$(life_of $nic)
	[ "$same_nic" = "$nic_life" ] || note "$1: the NIC was found anew"
	[ ! -e /run/handover/100.journal ] || note "$1: $(handover status 100)"
	clean "$1"
}

# killed CALL N ARGUMENTS...: handover, killed at the Nth such call. False if it came to its end.
killed() {
	local call=$1 n=$2
	shift 2
	# bash would tell of each death on its own stderr
	rm -f /tmp/killed
	{
		KILLER_CALL=$call KILLER_AT=$n KILLER_SAID=/tmp/killed LD_PRELOAD=/lab/libkiller.so handover --quiet "$@"
		[ $? -eq 137 ] || [ -e /tmp/killed ]
	} 2>/dev/null
}

# every_boot CALL [STRIDE]: at each such call, or at each STRIDEth.
every_boot() {
	local call=$1 stride=${2:-1} n=1

	while new_boot && killed "$call" $n boot; do
		after_boot "boot, $call $n"
		n=$((n + stride))
		[ $n -lt 400 ] || die "boot never ends"
	done
	clean "boot"
	[ $n -gt 3 ] || die "only $((n - 1)) calls of $call at boot"
	ok "boot, killed before its $((n - 1)) calls of $call, by $stride"
}

# every_phase CALL PHASE LEAST: at least so many calls are to be met.
every_phase() {
	local call=$1 phase=$2 least=$3 n=1

	while :; do
		[ "$phase" = pre-start ] || handover --quiet 100 pre-start || die "pre-start before $phase"
		killed "$call" $n 100 "$phase" || break
		after_phase "$phase, $call $n"
		n=$((n + 1))
		[ $n -lt 200 ] || die "$phase never ends"
	done
	handover --quiet 100 post-stop || die "post-stop after $phase"
	[ $n -gt "$least" ] || die "only $((n - 1)) calls of $call in $phase"
	ok "$phase, killed before each of its $((n - 1)) calls of $call"
}

# A worker is killed whenever it is about to write to this file: going out, and being taken back.
worker() {
	local file=$1
	shift
	strace -qq -f -o /dev/null -P "$file" -e inject=write:signal=KILL handover "$@" 2>/dev/null >&2
	[ $? -ne 0 ] || die "$* did not notice that its worker for $file was killed"
}

for file in "$pci/$audio/remove" "$pci/$nic/remove" /sys/class/pci_bus/0000:00/rescan \
	/sys/bus/pci/drivers/e1000/unbind; do
	new_boot
	worker "$file" boot
	after_boot "boot, workers for $file killed"
done
ok "boot, its workers killed"
every_boot write
every_boot order
# Nearly all of them ask, and whoever was to be told asks again.
every_boot send 3
nic_life=$(life_of $nic)
for file in "$pci/$audio/driver_override" /sys/bus/pci/drivers/vfio-pci/bind; do
	worker "$file" 100 pre-start
	after_phase "pre-start, workers for $file killed"
done
for file in "$pci/$audio/remove" /sys/class/pci_bus/0000:00/rescan "$pci/$lpc/driver_override"; do
	handover --quiet 100 pre-start || die "pre-start"
	worker "$file" 100 post-stop
	after_phase "post-stop, workers for $file killed"
done
ok "pre-start and post-stop, their workers killed"
for phase in pre-start post-stop; do
	every_phase write $phase 3
	every_phase order $phase 3
done
# After it the card has no interface that would be asked.
every_phase send pre-start 3
figure vm-desk-kills $kills
figure vm-desk-kills-dirty $dirty
[ $dirty -eq 0 ]
