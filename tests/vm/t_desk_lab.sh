# SPDX-License-Identifier: GPL-2.0-or-later
# t_desk_lab.sh - the lab with systemd: is it booted as a Proxmox host would be?
#
#   tests/vm/run -r -t desk [-k KERNEL] tests/vm/t_desk_lab.sh
. /lab/lib.sh

# Every function but the host bridge: address, ids, driver, group.
seen() {
	local dir bdf
	for dir in "$pci"/*; do
		bdf=${dir##*/}
		[ "$bdf" = 0000:00:00.0 ] && continue
		echo "${bdf#0000:} $(ids_of "$bdf") $(driver_of "$bdf") $(members_of "$bdf")"
	done | sed 's/0000://g'
}

wanted() {
	slot=00:1f.0,00:1f.3,00:1f.4,00:1f.5,00:1f.6
	cat <<-END
	00:14.0 1b36:000d xhci_hcd 00:14.0
	00:1a.0 1af4:1001 virtio-pci 00:1a.0
	00:1b.0 1b36:000c pcieport 00:1b.0
	00:1c.0 1b36:000c pcieport 00:1c.0
	00:1d.0 1b36:000c pcieport 00:1d.0
	00:1f.0 8086:2918 lpc_ich $slot
	00:1f.3 8086:293e snd_hda_intel $slot
	00:1f.4 1b36:0005 - $slot
	00:1f.5 1234:11e8 - $slot
	00:1f.6 8086:100e e1000 $slot
	01:00.0 1234:11e8 - 01:00.0
	02:00.0 1033:0194 xhci_hcd 02:00.0
	03:00.0 8086:10d3 e1000e 03:00.0
	END
}

# property UNIT NAME: what systemd knows of it.
property() {
	systemctl show -P "$2" "$1"
}

echo "kernel $(uname -r), topology $VM_TOPOLOGY, carrying: $(cd /lab && echo *)"
case $VM_KERNEL-$(uname -r) in
6.1-6.1.*) ok "kernel 6.1" ;;
newer-6.1.*) die "-k newer is 6.1" ;;
newer-*) ok "kernel newer than 6.1" ;;
*) die "-k $VM_KERNEL" ;;
esac
same "root" 0 "$EUID"
fails "stdout is no terminal" test -t 1

same "process 1" systemd "$(</proc/1/comm)"
same "the system" running "$(systemctl is-system-running --wait)"
same "multi-user.target" active "$(property multi-user.target ActiveState)"
same "udev" active "$(property systemd-udevd.service ActiveState)"
succeeds "udev has settled" udevadm settle --timeout=20

wanted >/tmp/wanted
seen >/tmp/seen
diff -u /tmp/wanted /tmp/seen || die "devices, drivers and groups"
cat /tmp/seen
ok "devices, drivers and groups"
fails "vfio is not loaded" test -e /sys/module/vfio
fails "nor vfio-pci" test -e /sys/bus/pci/drivers/vfio-pci
same "an id finds its module" e1000 "$(modprobe -R pci:v00008086d0000100Esv*sd*bc*sc*i*)"

# The network: by ifupdown2's unit, and in the order that Proxmox gives it.
same "eno1 is" 0000:00:1f.6 "$(name_of /sys/class/net/eno1/device)"
same "networking.service" active/exited "$(property networking.service ActiveState)/$(property networking.service SubState)"
succeeds "it is ifupdown2's" grep -q ifupdown2 <(property networking.service ExecStart)
succeeds "after network-pre.target" grep -qw network-pre.target <(property networking.service After)
succeeds "after ifupdown2-pre.service" grep -qw ifupdown2-pre.service <(property networking.service After)
same "eno1 is a port of" vmbr0 "$(name_of /sys/class/net/eno1/master)"
same "vmbr0's address" 10.0.2.15/24 "$(ip -4 -br addr show dev vmbr0 | grep -o '[0-9.]*/[0-9]*')"
same "the way out" "default via 10.0.2.2 dev vmbr0" "$(ip route show default | grep -o 'default.*vmbr0')"
gateway_pings() {
	ping -q -n -c 1 -W 1 10.0.2.2 >/dev/null
}
wait_for "the gateway answers" 15 gateway_pings
succeeds "and has an address" grep -q 'from 10.0.2.2 \[' <(arping -c 1 -w 2 10.0.2.2 2>/dev/null || arping -c 1 -w 2 -I vmbr0 10.0.2.2)

if [ -e /usr/bin/handover ]; then
	succeeds "the program runs" handover --version
else
	ok "no program carried"
fi
succeeds "no unit has failed" test -z "$(systemctl list-units --failed --no-legend)"
figure uptime_s "$(cut -d ' ' -f 1 /proc/uptime)"
