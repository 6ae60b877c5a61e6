# SPDX-License-Identifier: GPL-2.0-or-later
# t_nic.sh - network interfaces at the seam: of a namespace (nic_test), and the host's own, which goes and comes back
# (topology seed; carries the programs nic_test, nic_own_test, nic_ip_test, nic_children_test, nic_gateway_test and seam)
. /lab/lib.sh

modprobe -a veth 8021q macvlan bonding vrf max_bonds=0 2>/dev/null
for test in nic_test nic_own_test nic_ip_test nic_children_test nic_gateway_test; do
	/lab/$test /lab >/tmp/said 2>&1 || die "$test: $(grep -v RUN /tmp/said)"
	grep SKIPPED /tmp/said && die "$test leaves something out here"
	ok "$test: $(grep -c ' OK ' /tmp/said) tests"
done

address=0000:00:1f.6
nic=nic/$address
names='name mac mtu link master port vlans up addresses routes fdb master-mac children altnames alias sysctls loose'

# reads WHAT VALUE
reads() {
	same "$1" "$2" "$(/lab/seam read "$nic/$1")"
}

# writes WHAT VALUE
writes() {
	same "$1 <- '$2'" ok "$(/lab/seam write "$nic/$1" "$2")"
}

first=$(ls "$pci/$address/net")
reads name "$first"
reads mtu 1500
reads up down
reads master ENOENT
for what in vlans mac link port addresses routes fdb master-mac children altnames alias sysctls loose; do
	reads $what ENOENT
done
same "a function without an interface" ENOENT "$(/lab/seam read nic/0000:00:1f.3/name)"
same "a function that is not there" ENOENT "$(/lab/seam read nic/0000:00:1e.7/mtu)"
same "a write to what is not there" ENOENT "$(/lab/seam write nic/0000:00:1e.7/mtu 1400)"
same "a write to what is only read" EACCES "$(/lab/seam write $nic/loose x)"
same "a master that is not there" ENODEV "$(/lab/seam write $nic/master vmbr0)"

# As a host of Proxmox has it: a bridge that knows VLANs, and the NIC its port.
ip link add vmbr0 type bridge vlan_filtering 1
writes name eno1
reads name eno1
writes mac 52:54:00:00:00:77
writes mtu 1400
writes link "txqlen 500, group 3"
writes altnames "enp0s31f6 uplink"
writes alias "to the switch"
writes sysctls "ipv4/conf/arp_ignore 2, ipv6/conf/accept_ra 0"
writes master vmbr0
writes vlans "2-9, 10 pvid untagged, 11-4094"
writes up up
same "sysfs says master" vmbr0 "$(name_of /sys/class/net/eno1/master)"
same "sysfs says mtu" 1400 "$(value_of /sys/class/net/eno1/mtu)"
said=$(bridge -j -compressvlans vlan show dev eno1)
untagged='{"vlan":10,"flags":["PVID","Egress Untagged"]}'
same "bridge says VLANs" \
	"[{\"ifname\":\"eno1\",\"vlans\":[{\"vlan\":2,\"vlanEnd\":9},$untagged,{\"vlan\":11,\"vlanEnd\":4094}]}]" \
	"${said//,\"flags\":\[\]/}"
reads loose ENOENT

# What would be lost with it.
ip address add 192.0.2.1/24 dev eno1 valid_lft 600 preferred_lft 600
ip link add link eno1 name eno1.100 type vlan id 100
ip link add link eno1 name mv0 type macvlan mode bridge 2>/dev/null && die "a bridge's port takes a macvlan"
ip link set eno1.100 type vlan egress 1:2
ip link add link eno1 name eno1.5 type vlan id 5
ip link add link eno1.5 name eno1.5.6 type vlan id 6
reads loose "address 192.0.2.1/24 for a while, upper eno1.100 has a map of priorities, upper eno1.5 has eno1.5.6 on it"
ip link delete eno1.100
ip link delete eno1.5
ip address flush dev eno1
writes master ''
ip link add link eno1 name mv0 type macvlan mode bridge
ip link add link eno1 name iv0 type macvlan mode source
reads loose "upper iv0 has a mode, flag or queue that is not known"
ip link delete iv0
reads loose ENOENT
ip link delete mv0
writes up down
modprobe bonding max_bonds=0
ip link add bond0 type bond
ip link set eno1 master bond0
reads master bond0
reads loose ENOENT
reads vlans ENOENT
reads mac 52:54:00:00:00:77
writes port "queue 2"
reads port "queue 2"
ip link delete bond0
ip link add red type vrf table 7
ip link set eno1 master red
reads loose "master red is no bridge or bond"
same "a master that is neither" ENODEV "$(/lab/seam write $nic/master red)"
ip link delete red
writes up up
writes master vmbr0
writes vlans "2-9, 10 pvid untagged, 11-4094"
writes port "cost 50, isolated on"
writes fdb "52:54:00:00:00:02 vlan 10, 52:54:00:00:00:03 self"
writes master-mac 52:54:00:00:00:66
writes addresses "192.0.2.1/24 brd 192.0.2.255, 2001:db8::1/64"
writes routes "0.0.0.0/0 via 192.0.2.254 table 100, 198.51.100.0/24 via 192.0.2.2, ::/0 via 2001:db8::ffff metric 1024"
ip link add vmbr0v5 type bridge
ip link set vmbr0v5 address 52:54:00:00:00:55
writes children "eno1.5 vlan 5 / mtu 1400 / sysctls ipv6/conf/disable_ipv6 1 / master vmbr0v5 / up / master-mac 52:54:00:00:00:55 \
// eno1.6 vlan 6 / mtu 1300 / up / addresses 203.0.113.1/24 / routes 198.18.0.0/24 via 203.0.113.2"
reads loose ENOENT

# It goes, everything with it, and comes back.
declare -A before
for what in $names; do
	before[$what]=$(/lab/seam read "$nic/$what")
done
put "$address" /sys/bus/pci/drivers/e1000/unbind || die "unbind"
for what in $names; do
	reads "$what" ENOENT
done
put "$address" /sys/bus/pci/drivers/e1000/bind || die "bind"
reads master ENOENT
reads mtu 1500
for what in mac link port addresses routes fdb children altnames alias sysctls; do
	reads $what ENOENT
done
for what in $names; do
	[ "${before[$what]}" = ENOENT ] || writes "$what" "${before[$what]}"
done
for what in $names; do
	reads "$what" "${before[$what]}"
done

# The kernel waits for this program with the lock of the network held (net/bridge/br_stp_if.c, br_stp_call_user()).
# Nobody else gets an answer meanwhile; who asks through the seam is told so.
mkdir -p /sbin
cat >/sbin/bridge-stp <<-'END'
	#!/bin/bash
	export PATH=/usr/sbin:/usr/bin
	: >/tmp/held
	while [ -e /tmp/hold ]; do
		sleep 0.1
	done
END
chmod +x /sbin/bridge-stp
: >/tmp/hold
ip link set vmbr0 type bridge stp_state 1 &
wait_for "the network is locked" 5 test -e /tmp/held
start=$(now_ms)
reads mtu ETIMEDOUT
figure nic-read-locked-ms $(($(now_ms) - start))
same "a write while the network is locked" ETIMEDOUT "$(/lab/seam write $nic/mtu 1450 5000)"
rm /tmp/hold
wait
wait_for "the write that was left behind comes to its end" 5 grep -qx 1450 /sys/class/net/eno1/mtu
reads mtu 1450

# Before 6.2 an interface that is up keeps its name.
said=$(/lab/seam write $nic/name eno9)
case $VM_KERNEL/$said in
6.1/EBUSY | newer/ok) ok "renaming it while it is up: $said" ;;
*) die "renaming it while it is up: $said" ;;
esac

start=$(now_ms)
for _ in {1..10}; do
	/lab/seam read $nic/loose >/dev/null
done
figure nic-read-ms $((($(now_ms) - start) / 10))
