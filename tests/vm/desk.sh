# SPDX-License-Identifier: GPL-2.0-or-later
# desk.sh - the lab's EliteDesk (topologies seed and desk): its profiles, and its network; source it after lib.sh.

lpc=0000:00:1f.0
audio=0000:00:1f.3
testdev=0000:00:1f.4
edu=0000:00:1f.5
nic=0000:00:1f.6
slot=("$lpc" "$audio" "$testdev" "$edu" "$nic")
lent=("$lpc" "$audio")
port=eno1	# what the NIC is called

# desk_devices: what profiles name.
desk_devices() {
	cat <<-'END'
	handover: 1
	accept: {platform-function: [lpc, testdev, edu], unverified-isolation: [lpc, audio], console: lpc}
	devices:
	  lpc:     {id: "8086:2918", at: "00:1f.0"}
	  audio:   {id: "8086:293e", at: "00:1f.3"}
	  testdev: {id: "1b36:0005", at: "00:1f.4"}
	  edu:     {id: "1234:11e8", at: "00:1f.5"}
	  nic:     {id: "8086:100e", at: "00:1f.6"}
	END
}

# desk_profile VMID: stdin are its steps. The serial console is below the LPC bridge, and the owner allows that it leaves.
desk_profile() {
	mkdir -p /etc/handover/profiles
	printf 'guard = no\n[allow]\nconsole = %s\n' "$lpc" >/etc/handover/handover.conf
	{ desk_devices; cat; } >"/etc/handover/profiles/$1.yaml"
}

# desk_profiles: those of boot and of VM 100, as in profiles/elitedesk.
desk_profiles() {
	desk_profile 100 <<-'END'
	pre-start:
	  - isolate: [lpc, audio]
	  - bind: lpc
	  - bind: audio
	    return: cycle
	END
	{
		desk_devices
		cat <<-'END'
		boot:
		  - isolate: [lpc, audio]
		    moving: [testdev, edu, nic]
		END
	} >/etc/handover/host.yaml
}

# desk_bridge [NAME]: vmbr0 with the NIC as its port, as Proxmox has it. NAME is what it shall be called; there is no
# udev to call it so when it is found anew, and handover waits a while for that.
desk_bridge() {
	port=$(ls "$pci/$nic/net")
	if [ -n "${1:-}" ]; then
		ip link set "$port" name "$1"
		port=$1
	fi
	ip link set "$port" mtu 1400
	ip link add vmbr0 type bridge vlan_filtering 1
	ip link set "$port" master vmbr0
	bridge vlan add dev "$port" vid 2-200
	ip link set "$port" up
	ip link set vmbr0 up
	ip address add 10.0.2.15/24 dev vmbr0
}

gateway_answers() {
	ping -q -c 1 -W 1 10.0.2.2 >/dev/null 2>&1
}

# desk_network: what the host's network is made of, as text; not ifindex, which is another for an interface found anew.
desk_network() {
	echo "$port is $(name_of "/sys/class/net/$port/device"), in $(name_of "/sys/class/net/$port/master")"
	ip -br link show dev "$port"
	ip -br link show dev vmbr0
	ip -4 -br address show dev vmbr0
	bridge -compressvlans vlan show dev "$port"
}

# each_alone DESC BDF...: each shares its IOMMU group with nobody.
each_alone() {
	local desc=$1 bdf
	shift
	for bdf; do
		same "$desc: group of $bdf" "$bdf" "$(members_of "$bdf")"
	done
}

# lives BDF...: which one it is of each, on one line.
lives() {
	local bdf text=''
	for bdf; do
		text+="$bdf $(life_of "$bdf") "
	done
	echo "$text"
}
