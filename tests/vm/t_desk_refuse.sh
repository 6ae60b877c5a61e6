# SPDX-License-Identifier: GPL-2.0-or-later
# t_desk_refuse.sh - what must not be done to functions of slot 1f is refused, and nothing is touched (topologies seed
# and builtin; carries desk.sh). Each order that a real kernel was seen to go wrong with stands here as a profile.
. /lab/lib.sh
. /lab/desk.sh

# state: what must not change when something is refused.
state() {
	snapshot
	stat -L -c '%n %i' "$pci"/*
	[ ! -d /run/handover ] || ls /run/handover/*.journal 2>/dev/null
}

# refused DESC STATUS VMID PATTERN...: its start is, every PATTERN is in what is said, and nothing was touched.
refused() {
	local desc=$1 status=$2 vmid=$3 pattern
	shift 3
	state >/tmp/state
	handover "$vmid" pre-start >/tmp/said 2>&1
	same "$desc: status" "$status" $?
	for pattern; do
		grep -q -e "$pattern" /tmp/said || die "$desc: no '$pattern' in: $(cat /tmp/said)"
	done
	ok "$desc: $(grep -m 1 -e "$1" /tmp/said)"
	state | diff /tmp/state - || die "$desc: something was touched"
}

quiet() {
	"$@" >/dev/null
}

seed() {
	local not=2

	# As it powers on: all functions in one group, the NIC in use.
	desk_profile 101 <<-'END'
	pre-start:
	  - isolate: [lpc, audio]
	END
	refused "isolate, nothing else may move" $not 101 '\[cannot-isolate\]' "name 0000:00:1f.4 under 'moving'"
	desk_profile 101 <<-'END'
	pre-start:
	  - isolate: [lpc, audio]
	    moving: [testdev, edu, nic]
	END
	refused "isolate before a VM, the NIC would move" $not 101 '\[nic-moves\]' 'eno1 (0000:00:1f.6)' host.yaml
	desk_profile 101 <<-'END'
	pre-start:
	  - isolate: nic
	END
	sed -i 's/isolation: \[lpc, audio\]/isolation: [lpc, audio, nic]/' /etc/handover/profiles/101.yaml
	refused "isolate the NIC itself before a VM" $not 101 '\[nic-moves\]'
	grep -v accept: /etc/handover/host.yaml >/tmp/host.yaml
	cp /etc/handover/host.yaml /tmp/host.yaml.good
	cp /tmp/host.yaml /etc/handover/host.yaml
	state >/tmp/state
	handover boot 2>/tmp/said
	same "boot without 'accept': status" $not $?
	succeeds "boot without 'accept' is told why" grep -q unverified-isolation /tmp/said
	state | diff /tmp/state - || die "something was touched"
	cp /tmp/host.yaml.good /etc/handover/host.yaml

	# Split. Found again with a sibling there, function 0 would join it: A5.
	succeeds "boot" handover --quiet boot
	siblings='0000:00:1f.3, 0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6'
	for step in 'pre-start: [cycle: lpc]' 'post-stop: [cycle: lpc]' 'pre-start: [remove: lpc]' \
		'pre-start: [{bind: lpc, return: cycle}]' 'pre-start: [remove: lpc, rescan: lpc]'; do
		echo "$step" | sed -E 's/(remove|rescan|cycle): (\[[^]]*\]|[a-z]+)/{\1: \2}/g' | desk_profile 101
		refused "A5, $step" $not 101 '\[merge-risk\]' "$siblings"
	done
	# With audio, as a stop of the VM was once ended: A8.
	siblings='0000:00:1f.4, 0000:00:1f.5, 0000:00:1f.6'
	for step in 'pre-start: [cycle: [lpc, audio]]' 'post-stop: [cycle: [lpc, audio]]' \
		'post-stop: [cycle: [audio, lpc]]' 'pre-start: [remove: [lpc, audio]]' \
		'pre-start: [remove: audio, remove: lpc, rescan: [lpc, audio]]' \
		'pre-start: [remove: [audio, lpc], rescan: [lpc, audio]]'; do
		echo "$step" | sed -E 's/(remove|rescan|cycle): (\[[^]]*\]|[a-z]+)/{\1: \2}/g' | desk_profile 101
		refused "A8, $step" $not 101 '\[merge-risk\]' "$siblings"
	done
	# The good ways are none of these.
	echo 'post-stop: [{cycle: audio}]' | desk_profile 101
	succeeds "audio alone may be found anew" quiet handover plan 101
	echo 'pre-start: [{cycle: [lpc, audio, testdev, edu, nic]}]' | desk_profile 101
	succeeds "and so may the whole slot" quiet handover plan 101

	# While VM 100 has lpc and audio.
	succeeds "VM 100 starts" handover --quiet 100 pre-start
	# Proxmox is not done with it: else it would be taken for a VM whose start has failed.
	mkdir -p /run/lock/qemu-server
	exec 7>/run/lock/qemu-server/lock-100.conf
	flock 7
	for step in '{bind: audio}' '{cycle: audio}' '{remove: audio}'; do
		echo "pre-start: [$step]" | desk_profile 101
		refused "VM 101 wants what VM 100 has, $step" 4 101 'lent to VM 100'
	done
	echo 'pre-start: [{cycle: [lpc, audio, testdev, edu, nic]}]' | desk_profile 101
	refused "the whole slot, while VM 100 has some of it" 4 101 'lent to VM 100'
	exec 7>&-
	succeeds "VM 100 stops" handover --quiet 100 post-stop
	each_alone "in the end" "${slot[@]}"
}

builtin() {
	local devices='handover: 1
accept: {platform-function: [lpc, ahci, smbus], unverified-isolation: [ahci, smbus, hda]}
devices: {lpc: {at: "00:1f.0"}, ahci: {at: "00:1f.2"}, smbus: {at: "00:1f.3"}, hda: {at: "00:1f.5"}, nic: {at: "00:1f.6"}}'

	mkdir -p /etc/handover/profiles
	for step in '{isolate: ahci}' '{isolate: ahci, moving: [lpc, smbus, hda, nic]}' \
		'{isolate: smbus, moving: [hda]}'; do
		printf '%s\npre-start: [%s]\n' "$devices" "$step" >/etc/handover/profiles/101.yaml
		refused "the chipset's own functions stay together, $step" 2 101 '\[cannot-isolate\]' 'bit 7'
		printf '%s\nboot: [%s]\n' "$devices" "$step" >/etc/handover/host.yaml
		state >/tmp/state
		handover boot 2>/tmp/said
		same "at boot too: status" 2 $?
		succeeds "at boot too" grep -q '\[cannot-isolate\]' /tmp/said
		state | diff /tmp/state - || die "something was touched"
	done

	# Sound is one that leaves. While a VM has it, the others must stay where they are: C8.
	printf '%s\npre-start: [{isolate: hda}, {bind: hda}]\n' "$devices" >/etc/handover/profiles/100.yaml
	succeeds "VM 100 starts" handover --quiet 100 pre-start
	same "sound is alone" 0000:00:1f.5 "$(members_of 0000:00:1f.5)"
	same "sound is the VM's" vfio-pci "$(driver_of 0000:00:1f.5)"
	for step in '{cycle: [lpc, ahci, smbus, nic]}' '{cycle: [lpc, ahci, smbus]}' '{cycle: lpc}' '{cycle: ahci}' \
		'{bind: smbus, return: cycle}'; do
		printf '%s\npre-start: [%s]\n' "$devices" "$step" >/etc/handover/profiles/101.yaml
		refused "C8, $step" 2 101 '\[merge-risk\]' 'VM 100'
	done
	succeeds "VM 100 stops" handover --quiet 100 post-stop
	same "sound is the host's" snd_hda_intel "$(driver_of 0000:00:1f.5)"
	same "AHCI never left" ahci "$(driver_of 0000:00:1f.2)"
}

case $VM_TOPOLOGY in
seed)
	desk_profiles
	desk_bridge eno1
	seed
	;;
builtin) builtin ;;
esac
