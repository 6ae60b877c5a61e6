# SPDX-License-Identifier: GPL-2.0-or-later
# t_back.sh - the network is looked at once an interface is back: its carrier, also with its cable pulled meanwhile, and
# its gateway, which is QEMU's; and it comes back where the hook is killed between remove and rescan, where a rescan
# fails, and where the name is another at first (topology seed; carries the program seam)
. /lab/lib.sh

nic=0000:00:1f.6
gateway="10.0.2.2 over vmbr0"
rescan=/sys/devices/pci0000:00/pci_bus/0000:00/rescan
lock=/run/lock/qemu-server/lock-100.conf

mkdir -p /etc/handover/profiles /run/qemu-server /run/lock/qemu-server

# profile STEP [LINE]: what VM 100 has, and a line more at the top.
profile() {
	cat >/etc/handover/profiles/100.yaml <<-END
	handover: 1
	$2
	accept: {unverified-isolation: [testdev, edu, nic], management-nic: nic}
	devices:
	  testdev: {id: "1b36:0005", at: "00:1f.4"}
	  edu:     {id: "1234:11e8", at: "00:1f.5"}
	  nic:     {id: "8086:100e", at: "00:1f.6"}
	pre-start:
	  - $1
	END
}

policy() {
	printf '%s\n[allow]\nmanagement-nic = %s\n' "$1" $nic >/etc/handover/handover.conf
}

reads() {
	/lab/seam read "nic/$nic/$1"
}

answers() {
	[ "$(reads gateway)" = "$gateway" ]
}

in_place() {
	[ "$(reads name)/$(reads master)/$(reads up)" = eno1/vmbr0/up ]
}

# lent: the hook lends the NIC.
lent() {
	handover 100 pre-start >/tmp/said 2>&1 || die "pre-start: $(cat /tmp/said)"
	same "lent" vfio-pci "$(driver_of $nic)"
}

# given_back [STATUS]: the hook takes it back, and exits so; what it says is in /tmp/said, when it began in $begun, how
# long it took in $took.
given_back() {
	local code
	begun=$(now_ms)
	handover 100 post-stop >/tmp/said 2>&1
	code=$?
	took=$(($(now_ms) - begun))
	[ $code -eq "${1:-0}" ] || die "post-stop exits with $code: $(cat /tmp/said)"
	in_place || die "not in its place: $(nic_of $nic), $(cat /tmp/said)"
	ok "in its place"
}

# told WHAT: it is said last of all, once it has been waited for, and nothing is left to be done.
told() {
	tail -n 1 /tmp/said | grep -q "all is back, but .*$1" || die "'$1' is not told: $(cat /tmp/said)"
	[ "$took" -ge 15000 ] && [ "$took" -lt 40000 ] || die "it was waited for $took ms"
	[ ! -e /run/handover/100.journal ] || die "a lease is left"
	succeeds "recover has nothing to do" handover recover 100
	ok "told, and no lease is left: $1"
}

# carrier_is 0|1: of the interface, as its driver sees it.
carrier_is() {
	[ "$(value_of /sys/class/net/eno1/carrier)" = "$1" ]
}

silent() {
	grep -e carrier -e gateway /tmp/said && die "$1: something is said of the network"
	ok "$1: nothing is said of the network"
}

modprobe -a vfio-pci tun
# Found anew it is alone in its IOMMU group.
put 1 $pci/$nic/remove && put 1 /sys/bus/pci/rescan || die "rescan"
wait_for "it has an interface" 10 test -e $pci/$nic/net
old=$(reads name)
ip link set "$old" name eno1
ip link add vmbr0 type bridge vlan_filtering 1
ip link set eno1 master vmbr0
ip link set eno1 up
ip link set vmbr0 up
ip address add 10.0.2.15/24 dev vmbr0
wait_for "carrier" 20 grep -q 1 /sys/class/net/eno1/carrier
same "nobody is asked without a default route" ENOENT "$(reads gateway)"
ip route add default via 10.0.2.2
wait_for "the gateway answers" 20 answers
same "the carrier" on "$(reads carrier)"
policy 'guard = no'

# It answers before and after, and nothing is said.
profile 'bind: nic'
handover --json plan 100 >/tmp/plan 2>&1
grep -q "\"hoped\": *\"$gateway\"" /tmp/plan || die "the plan does not hope for the gateway: $(head -c 600 /tmp/plan)"
ok "the plan hopes for the gateway"
lent
same "away: carrier" ENOENT "$(reads carrier)"
given_back
silent "the gateway answers"
succeeds "it answers as soon as the hook has ended" answers
figure vm-back-verified-ms "$took"

# The bridge keeps from the host what comes without a tag: the NIC is back, and the gateway is silent.
lent
bridge vlan del dev vmbr0 vid 1 self
given_back 3
told "the gateway 10.0.2.2 does not answer over vmbr0, as it did before eno1 ($nic) left"
grep -q 'no carrier' /tmp/said && die "the carrier is there: $(cat /tmp/said)"
figure vm-back-silent-ms "$took"
bridge vlan add dev vmbr0 vid 1 pvid untagged self
wait_for "the gateway answers again" 10 answers

# Its cable is pulled while it is away: it is back in its place, and what is missing is told. With the cable it answers.
lent
succeeds "the cable is pulled while it is lent" cable n0 off
given_back 3
told "no carrier on eno1 ($nic), which had one before"
succeeds "there is no carrier" carrier_is 0
figure vm-back-no-carrier-ms "$took"
succeeds "the cable is plugged in" cable n0 on
wait_for "the gateway answers once the cable is plugged in" 20 answers

# Somebody plugs it in while it is waited for.
lent
succeeds "the cable is pulled while it is lent" cable n0 off
(
	until [ "$(name_of /sys/class/net/eno1/master)" = vmbr0 ]; do
		sleep 0.05
	done
	sleep 5
	cable n0 on && now_ms >/tmp/plugged
) &
given_back
wait
silent "a late carrier"
succeeds "the gateway answers with a late carrier" answers
late=$((begun + took - $(cat /tmp/plugged)))
[ "$took" -ge 5000 ] && [ $late -ge 0 ] && [ $late -lt 10000 ] || die "$took ms, $late ms of them with the cable"
figure vm-back-late-carrier-ms "$late"

# What had no carrier before it left is not waited for.
succeeds "the cable is pulled before it is lent" cable n0 off
wait_for "its carrier is gone" 20 carrier_is 0
lent
given_back
silent "no carrier before"
[ "$took" -lt 10000 ] || die "it was waited for $took ms"
figure vm-back-never-carrier-ms "$took"
succeeds "the cable is plugged in" cable n0 on
wait_for "the gateway answers after all" 20 answers

# ifupdown2 mends it. It is not in the lab: what stands in its place writes down how it was called.
mkdir -p /usr/sbin
profile 'bind: nic' 'network: ifreload'
handover 100 pre-start >/tmp/said 2>&1 && die "without ifreload it starts"
grep -q 'ifreload-missing' /tmp/said || die "no ifreload: $(cat /tmp/said)"
ok "network: ifreload needs an ifreload"
cat >/usr/sbin/ifreload <<-'END'
	#!/bin/bash
	echo "${0##*/} $*" >>/tmp/ifreloads
	bridge vlan add dev vmbr0 vid 1 pvid untagged self
END
chmod 755 /usr/sbin/ifreload
lent
bridge vlan del dev vmbr0 vid 1 self
given_back
silent "ifreload has helped"
same "it was run once" "ifreload -a" "$(cat /tmp/ifreloads)"
succeeds "the gateway answers after ifreload" answers
lent
given_back
same "it is not run where the gateway answers" 1 "$(wc -l </tmp/ifreloads)"

# network: none: it comes back down, in no bridge, and is nobody's affair.
profile 'bind: nic' 'network: none'
lent
handover 100 post-stop >/tmp/said 2>&1 || die "post-stop: $(cat /tmp/said)"
same "network: none" ENOENT/down "$(reads master)/$(reads up)"
silent "network: none"
ip link set dev "$(reads name)" name eno1
ip link set eno1 master vmbr0
ip link set eno1 up
wait_for "the gateway answers after network: none" 20 answers

# Somebody gives it its name a while after it has appeared, as udev does; and it was up by then.
profile 'bind: nic'
lent
(
	until [ -e "$pci/$nic/net/$old" ]; do
		sleep 0.05
	done
	sleep 1
	ip link set "$old" name eno1
) &
given_back
wait
silent "another name at first"
lent
given_back
silent "another name, and nobody who changes it"

# gone: the function has been removed, and the one that shall find it again is held up in its write.
gone() {
	[ ! -e "$pci/$nic" ]
}

# The rescan does not come back, and the hook is killed there, under the lock that Proxmox has. Its guard brings the NIC back.
profile 'cycle: nic'
policy ''
mkfifo /tmp/slow
mount --bind /tmp/slow $rescan || die "mount"
exec 9>$lock
flock 9
handover 100 pre-start >/tmp/said 2>&1 9>&- &
hook=$!
wait_for "it is removed" 20 gone
kill -9 $hook
wait $hook 2>/dev/null
gone || die "somebody has found it already"
# The one that hangs holds it still; what it writes is read, and gone.
umount -l $rescan
timeout 10 cat /tmp/slow >/dev/null
begun=$(now_ms)
exec 9>&-
wait_for "in its place after the kill" 30 in_place
figure vm-back-killed-place-ms $(($(now_ms) - begun))
wait_for "the gateway answers after the kill" 30 answers
figure vm-back-killed-ms $(($(now_ms) - begun))
wait_for "the lease has ended" 30 test ! -e /run/handover/100.journal

# The rescan fails, as often as the hook tries: it says so. Its guard, or whoever recovers, finds it again.
mount --bind /dev/full $rescan || die "mount"
exec 9>$lock
flock 9
handover 100 pre-start >/tmp/said 2>&1 9>&-
code=$?
same "a rescan that fails: the hook's exit status" 3 $code
grep -q "$nic" /tmp/said || die "it does not say what is missing: $(cat /tmp/said)"
gone || die "somebody has found it already"
umount $rescan
begun=$(now_ms)
exec 9>&-
handover recover 100 >/tmp/said 2>&1 || die "recover: $(cat /tmp/said)"
succeeds "in its place after a rescan that has failed" in_place
wait_for "the gateway answers after a rescan that has failed" 30 answers
figure vm-back-rescan-failed-ms $(($(now_ms) - begun))
