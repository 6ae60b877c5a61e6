# SPDX-License-Identifier: GPL-2.0-or-later
# t_seam.sh - modules are loaded and taken out through the seam; units where no systemd runs (topology pair; carries
# the program seam)
. /lab/lib.sh

nic=0000:01:00.0

state() {
	/lab/seam read "module/$1"
}

write() {
	/lab/seam write "module/$1" "$2"
}

same "not loaded" ENOENT "$(state veth)"
same "what is not loaded cannot be taken out" ENOENT "$(write veth unload)"
same "load" ok "$(write veth load)"
same "loaded" live "$(state veth)"
succeeds "a pair of interfaces" ip link add v0 type veth peer name v1
same "unload" ok "$(write veth unload)"
same "unloaded" ENOENT "$(state veth)"
fails "an interface does not hold its driver" test -e /sys/class/net/v0

same "no such verb" EINVAL "$(write veth remove)"
same "no such module" ENOENT "$(write no_such_module unload)"
same "no such module" ENOENT "$(write no_such_module load)"
same "a module with a dash" ok "$(write snd-hda-intel unload)"
same "is the one with an underscore" ENOENT "$(state snd_hda_intel)"
same "and comes back" ok "$(write snd_hda_intel load)"
builtin=$(sed -n 's|.*/\(.*\)\.ko$|\1|p' "/lib/modules/$(uname -r)/modules.builtin" | head -n 1)
same "$builtin" builtin "$(state "$builtin")"
same "what is built in stays" ENOENT "$(write "$builtin" unload)"

same "vfio-pci and what it needs" ok "$(write vfio_pci load)"
same "another module needs it" EBUSY "$(write vfio_pci_core unload)"
same "it stays" live "$(state vfio_pci_core)"
same "nothing needs it" ok "$(write vfio_pci unload)"
same "what it needed stays" live "$(state vfio_pci_core)"
same "and can go" ok "$(write vfio_pci_core unload)"

wait_for "a keyboard" 20 test -e /dev/input/event0
same "evdev" live "$(state evdev)"
exec 3</dev/input/event0
same "a node is open" EBUSY "$(write evdev unload)"
same "it stays" live "$(state evdev)"
exec 3<&-
same "the node is closed" ok "$(write evdev unload)"

same "a driver with a device" e1000 "$(driver_of $nic)"
ip link set "$(ls /sys/bus/pci/devices/$nic/net)" up || die "the interface does not come up"
same "is not in use" ok "$(write e1000 unload)"
same "and lets go of the device" - "$(driver_of $nic)"
same "load" ok "$(write e1000 load)"
same "and it takes the device" e1000 "$(driver_of $nic)"

unit=unit/init.scope/state
same "without systemd there is no unit" ENOENT "$(/lab/seam read $unit)"
same "and none to start" ENOENT "$(/lab/seam write $unit start)"
# Nobody knows what a systemd that cannot be asked has.
mkdir -p /run/systemd/system
same "a systemd that cannot be reached" ECONNREFUSED "$(/lab/seam read $unit)"
same "starts nothing" ECONNREFUSED "$(/lab/seam write $unit start)"
