# SPDX-License-Identifier: GPL-2.0-or-later
# t_network.sh - a NIC that leaves comes back exactly as it was (topology seed): as port of a bridge, of one that knows
# VLANs, of a bond in a bridge, with VLAN interfaces on top as Proxmox makes them, and with addresses, routes and rules of
# its own; told by iproute2 and ethtool. A guest's tap is on the bridge all the time.
. /lab/lib.sh

nic=0000:00:1f.6
port=eth0

# profile BACK: VM 100 has the NIC.
profile() {
	mkdir -p /etc/handover/profiles
	printf 'guard = no\n[allow]\nmanagement-nic = %s\n' "$nic" >/etc/handover/handover.conf
	cat >/etc/handover/profiles/100.yaml <<-END
	handover: 1
	accept: {unverified-isolation: [testdev, edu, nic], management-nic: nic}
	devices:
	  testdev: {id: "1b36:0005", at: "00:1f.4"}
	  edu:     {id: "1234:11e8", at: "00:1f.5"}
	  nic:     {id: "8086:100e", at: "00:1f.6"}
	pre-start:
	  - cycle: nic
	  - bind: nic
	    return: $1
	END
}

# each: each entry of a list on a line of its own, sorted, without what changes by itself: the index, the order by it, and
# the timers of a port.
each() {
	sed -E -e 's/"(ifindex|[a-z_]*timer|topology_change_ack)":[0-9.]+,?//g' -e 's/\},\{"(ifname|link|mac|type|dst)"/}\n{"\1"/g' \
		-e 's/^\[//' -e 's/\]$//' | sort
}

# told: the network as others tell it, but for groups that were joined and routes to link-local addresses, which follow,
# and addr_assign_type, where a bond leaves its mark.
told() {
	ip -d -j link show | each
	bridge -j -compressvlans vlan show | each
	bridge -j -d link show | each
	bridge -j fdb show | each | grep -v -e '"33:33' -e '"01:00:5e'
	ip -j address show | each
	ip -j route show table all | each
	ip -j -6 route show table all | each | grep -v -e '"fe80::' -e '"ff00::'
	ip -j rule show
	ip -j -6 rule show
	ethtool "$port" | grep -v -e 'Link detected' -e Speed -e Duplex -e MDI-X
	ethtool -k "$port"
	ethtool -g "$port" | grep -v n/a
	ethtool -a "$port"
	(cd /proc/sys/net && grep -s . ipv4/conf/"$port".*/* ipv6/conf/"$port".*/* ipv6/conf/mv0/*)
	(cd /proc/sys/net && grep -s . ipv4/conf/"$port"/* ipv6/conf/"$port"/* ipv4/neigh/"$port"/* ipv6/neigh/"$port"/*)
	grep -s . /sys/class/net/"$port"/{ifalias,mtu,tx_queue_len,flags,address,operstate}
}

as_it_was() {
	told >/tmp/after
	cmp -s /tmp/before /tmp/after
}

# settled: two looks, more than a second apart, in which duplicates of new addresses are looked for, are alike.
settled() {
	told >/tmp/before
	sleep 1.5
	as_it_was
}

# comes_back DESC [BRIDGE]: the NIC is lent and comes back, by both ways; what was set up before is there again.
comes_back() {
	local desc=$1 bridge=${2-vmbr0} back begun index end
	wait_for "$desc: carrier" 20 grep -q 1 /sys/class/net/"$port"/carrier
	wait_for "$desc: nothing changes any more" 20 settled
	for back in driver cycle; do
		told >/tmp/before
		index=$(value_of /sys/class/net/"$port"/ifindex)
		profile $back
		handover 100 pre-start >/tmp/said 2>&1 || die "$desc: pre-start: $(cat /tmp/said)"
		same "$desc: lent" vfio-pci "$(driver_of $nic)"
		if [ -e /sys/class/net/tap100i0 ]; then
			same "$desc: the tap stays" "$bridge" "$(name_of /sys/class/net/tap100i0/master)"
		fi
		begun=$(now_ms)
		handover 100 post-stop >/tmp/said 2>&1 || die "$desc: post-stop: $(cat /tmp/said)"
		figure "vm-network-return-ms" $(($(now_ms) - begun))
		end=$((SECONDS + 20))
		until as_it_was; do
			[ $SECONDS -lt $end ] || die "$desc, $back: not as it was: $(diff /tmp/before /tmp/after | cut -c 1-1500)"
			sleep 0.2
		done
		fails "$desc, $back: it is another" test "$index" = "$(value_of /sys/class/net/"$port"/ifindex)"
		ok "$desc, $back: as it was"
	done
}

clear_all() {
	ip link delete vmbr0 2>/dev/null
	ip link delete bond0 2>/dev/null
	ip link set "$port" down
	ip address flush dev "$port"
}

modprobe -a vfio-pci tun 8021q macvlan
modprobe bonding max_bonds=0
ip link set "$port" up
wait_for "it is there" 10 test -e /sys/class/net/"$port"

# -- a bridge, with a guest on it

ip link add vmbr0 type bridge
ip tuntap add tap100i0 mode tap
ip link set tap100i0 master vmbr0
ip link set tap100i0 up
ip link set "$port" mtu 9000
ip link set "$port" master vmbr0
ip link set vmbr0 up
ip address add 10.0.2.15/24 dev vmbr0
comes_back "a bridge, MTU 9000"

# They have no order that means anything, and come back by the alphabet.
ip link property add dev "$port" altname enp0s31f6 altname uplink
ip link set "$port" alias "to the switch, port 7" txqueuelen 500
ip link set "$port" type bridge_slave cost 50 isolated on learning off
bridge fdb add 52:54:00:00:00:22 dev "$port" master static vlan 1
ip link set vmbr0 address 52:54:00:00:00:66
comes_back "a bridge, other names, settings as a port"
ip link delete vmbr0
ip link property del dev "$port" altname uplink altname enp0s31f6
ip link set "$port" alias "" txqueuelen 1000 mtu 1500

# -- one that knows VLANs, as Proxmox makes them

ip link add vmbr0 type bridge vlan_filtering 1
ip link set tap100i0 master vmbr0
ip link set "$port" master vmbr0
ip link set "$port" up
bridge vlan add dev "$port" vid 2-4094
bridge vlan del dev "$port" vid 1
bridge vlan add dev "$port" vid 10 pvid untagged
ip link set vmbr0 up
comes_back "a bridge that knows VLANs"
clear_all

# -- a bridge that knows none: a guest with a tag has its own, and the host's address is on a VLAN

ip link add vmbr0 type bridge
ip link set "$port" mtu 9000
ip link set "$port" master vmbr0
ip link set "$port" up
ip link set vmbr0 up
ip link add link "$port" name "$port.5" type vlan id 5
echo 1 >/proc/sys/net/ipv6/conf/"$port.5"/disable_ipv6
ip link set "$port.5" up
ip link add vmbr0v5 type bridge
ip link set "$port.5" master vmbr0v5
bridge link set dev "$port.5" learning off
ip link set tap100i0 master vmbr0v5
ip link set vmbr0v5 up
ip link add link "$port" name "$port.9" type vlan id 9 gvrp on reorder_hdr off
ip link set "$port.9" mtu 1400 address 52:54:00:00:00:99 alias "for the office"
ip link add link "$port" name mgmt type vlan id 10 proto 802.1ad
ip link set mgmt mtu 1500 up
ip address add 203.0.113.1/24 brd + dev mgmt
ip address add 2001:db8:10::1/64 dev mgmt nodad
ip route add default via 203.0.113.254
ip -6 route add default via 2001:db8:10::ffff table 10
comes_back "a bridge with VLAN interfaces beside it" vmbr0v5
for child in vmbr0v5 "$port.5" "$port.9" mgmt; do
	ip link delete "$child"
done
clear_all
ip link set "$port" mtu 1500

# -- a bond in a bridge

ip link add bond0 type bond mode active-backup miimon 100
ip link set "$port" down
ip link set "$port" master bond0
ip link add vmbr0 type bridge
ip link set tap100i0 master vmbr0
ip link set bond0 master vmbr0
ip link set bond0 up
ip link set vmbr0 up
comes_back "a bond in a bridge"
clear_all

# -- addresses of its own

ip link delete tap100i0
ip link set "$port" up
ip address add 192.0.2.1/24 brd + dev "$port"
ip address add 192.0.2.2/24 dev "$port"
ip address add 198.51.100.1/24 dev "$port" label "$port:1"
ip address add 2001:db8::1/64 dev "$port"
ip address add 2001:db8::2/64 dev "$port" nodad
ip route add 203.0.113.0/24 via 192.0.2.254 metric 10 mtu 1400
ip route add default via 192.0.2.254 table 100
ip -6 route add default via 2001:db8::ffff table 100
ip -6 route add 2001:db8:5::/48 dev "$port" metric 7
echo 2 >/proc/sys/net/ipv4/conf/"$port"/arp_ignore
echo 0 >/proc/sys/net/ipv6/conf/"$port"/accept_ra
echo 77 >/proc/sys/net/ipv4/neigh/"$port"/gc_stale_time
ethtool -K "$port" tso off gro off rxvlan off >/dev/null
ethtool -G "$port" rx 512 tx 1024
ethtool -s "$port" advertise 0x020
ip rule add from 192.0.2.1 lookup 100
ip rule add iif "$port" lookup 100 priority 500
ip -6 rule add oif "$port" lookup 100
ip link add link "$port" name mv0 type macvlan mode bridge
ip link set mv0 up
ip address add 192.0.2.77/24 dev mv0
comes_back "addresses, routes and rules, and a macvlan"
