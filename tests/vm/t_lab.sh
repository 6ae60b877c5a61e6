# SPDX-License-Identifier: GPL-2.0-or-later
# t_lab.sh - the lab itself: is the machine what its topology says?
#
#   tests/vm/run [-t TOPOLOGY] [-k KERNEL] tests/vm/t_lab.sh
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
	case $VM_TOPOLOGY in
	pair)
		cat <<-'END'
		00:01.0 1b36:000c pcieport 00:01.0
		00:02.0 1b36:000c pcieport 00:02.0
		00:03.0 1b36:000c pcieport 00:03.0
		00:14.0 1b36:000d xhci_hcd 00:14.0
		00:19.0 8086:10d3 e1000e 00:19.0
		00:1f.0 8086:2918 lpc_ich 00:1f.0
		01:00.0 8086:100e e1000 01:00.0,01:00.1
		01:00.1 8086:2668 snd_hda_intel 01:00.0,01:00.1
		02:00.0 8086:100e e1000 02:00.0,02:00.1
		02:00.1 8086:2668 snd_hda_intel 02:00.0,02:00.1
		03:00.0 1234:11e8 - 03:00.0
		END
		;;
	seed)
		slot=00:1f.0,00:1f.3,00:1f.4,00:1f.5,00:1f.6
		cat <<-END
		00:14.0 1b36:000d xhci_hcd 00:14.0
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
		;;
	builtin)
		slot=00:1f.0,00:1f.2,00:1f.3,00:1f.5,00:1f.6
		cat <<-END
		00:14.0 1b36:000d xhci_hcd 00:14.0
		00:1b.0 1b36:000c pcieport 00:1b.0
		00:1c.0 1b36:000c pcieport 00:1c.0
		00:1d.0 1b36:000c pcieport 00:1d.0
		00:1f.0 8086:2918 lpc_ich $slot
		00:1f.2 8086:2922 ahci $slot
		00:1f.3 8086:2930 i801_smbus $slot
		00:1f.5 8086:293e snd_hda_intel $slot
		00:1f.6 8086:100e e1000 $slot
		01:00.0 1234:11e8 - 01:00.0
		02:00.0 1033:0194 xhci_hcd 02:00.0
		03:00.0 8086:10d3 e1000e 03:00.0
		END
		;;
	esac
}

keyboard_is_there() {
	grep -qs 'Keyboard' /sys/bus/usb/devices/*/product
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

wanted >/tmp/wanted
seen >/tmp/seen
[ -s /tmp/wanted ] || die "nothing known about this topology"
diff -u /tmp/wanted /tmp/seen || die "devices, drivers and groups"
cat /tmp/seen
ok "devices, drivers and groups"
wait_for "a USB keyboard" 10 keyboard_is_there
wait_for "its event node" 10 test -c /dev/input/event1

fails "vfio is not loaded" test -e /sys/module/vfio
fails "nor vfio-pci" test -e /sys/bus/pci/drivers/vfio-pci
same "an id finds its module" e1000 "$(modprobe -R pci:v00008086d0000100Esv*sd*bc*sc*i*)"
echo 'softdep e1000 pre: vfio-pci' >/etc/modprobe.d/t_lab.conf
succeeds "modprobe.d is heard" grep -q vfio-pci <(modprobe -D e1000)
rm /etc/modprobe.d/t_lab.conf
succeeds "lspci knows names" grep -q 'USB controller: Red Hat' <(lspci -s 14.0)

# There and back with the drivers' own knobs: what a snapshot is for.
case $VM_TOPOLOGY in
pair) bdf=0000:01:00.1 ;;
*) bdf=0000:03:00.0 ;;
esac
native=$(driver_of $bdf)
snapshot >/tmp/before
succeeds "vfio-pci loads" modprobe vfio-pci
put vfio-pci "$pci/$bdf/driver_override"
same "override" vfio-pci "$(override_of $bdf)"
put $bdf "$pci/$bdf/driver/unbind"
put $bdf /sys/bus/pci/drivers_probe
same "driver" vfio-pci "$(driver_of $bdf)"
succeeds "its group's node" test -c "/dev/vfio/$(group_of $bdf)"
snapshot >/tmp/lent
fails "the snapshots differ" cmp -s /tmp/before /tmp/lent
put $bdf "$pci/$bdf/driver/unbind"
put '' "$pci/$bdf/driver_override"
put $bdf /sys/bus/pci/drivers_probe
same "driver" "$native" "$(driver_of $bdf)"
snapshot >/tmp/after
diff -u /tmp/before /tmp/after || die "not as it was"
ok "as it was"

# Found again, a function leaves its slot's group only if its header lacks the
# multifunction bit: seed's sound does, the others of this table have it.
case $VM_TOPOLOGY in
pair) bdf=0000:01:00.1 members=0000:01:00.0,0000:01:00.1 ;;
seed) bdf=0000:00:1f.3 members=0000:00:1f.3 ;;
builtin) bdf=0000:00:1f.3 members=$(members_of 0000:00:1f.3) ;;
esac
put 1 "$pci/$bdf/remove"
fails "removed" test -e "$pci/$bdf"
put 1 /sys/bus/pci/rescan
wait_for "found again" 10 test -e "$pci/$bdf"
same "its group" "$members" "$(members_of $bdf)"

# Its cable is pulled: of an e1000, see README.md.
netdev=n0 bdf=0000:00:1f.6
[ "$VM_TOPOLOGY" = pair ] && netdev=nA bdf=0000:01:00.0
nic=$(echo "$pci/$bdf"/net/*)
carrier_is() {
	[ "$(value_of "$nic/carrier")" = "$1" ]
}
ip link set "${nic##*/}" up
wait_for "${nic##*/} has a carrier" 20 carrier_is 1
succeeds "its cable is pulled" cable $netdev off
wait_for "it has none" 20 carrier_is 0
succeeds "its cable is plugged in" cable $netdev on
wait_for "it has a carrier again" 20 carrier_is 1
fails "there is no such cable" cable n9 off

if [ -e /usr/bin/handover ]; then
	succeeds "the program runs" handover --version
else
	ok "no program carried"
fi
figure uptime_s "$(cut -d ' ' -f 1 /proc/uptime)"
