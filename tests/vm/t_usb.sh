# SPDX-License-Identifier: GPL-2.0-or-later
# t_usb.sh - USB controllers on a real kernel (topology seed): VM 100 has the one with the mouse, three lives in a row;
# the one with the host's only keyboard is refused. Then single USB devices, whose controller stays.
. /lab/lib.sh

keyboards=0000:00:14.0
mice=0000:02:00.0

# profile: stdin are the steps of VM 100.
profile() {
	mkdir -p /etc/handover/profiles
	{
		printf 'handover: 1\ndevices: {keyboards: {at: "00:14.0"}, mice: {id: "1033:0194", at: "02:00.0"}}\n'
		cat
	} >/etc/handover/profiles/100.yaml
}

# below CONTROLLER: what `handover map` shows on it, without the bus, which has another number each time: "1 0627:0001".
below() {
	handover map | awk -v at="$1" '/^[^ ]/ { on = $1 == at } on && /^ / && sub(/^[0-9]+-/, "", $1) { print $1, $2 }'
}

# has CONTROLLER WHAT: there is something, and it is that.
has() {
	handover map | awk -v at="$1" '/^[^ ]/ { on = $1 == at } on && /^ /' | grep -q "$2"
}

wait_for "the keyboard" 15 has $keyboards keyboard
wait_for "the mouse" 15 has $mice pointer
handover map
snapshot >/tmp/before
was=$(below $mice)
others=$(below $keyboards)
same "the mouse is at port" 1 "${was% *}"

profile <<-'END'
pre-start:
  - bind: mice
END
for life in 1 2 3; do
	succeeds "life $life: pre-start" handover 100 pre-start
	same "life $life: driver" vfio-pci "$(driver_of $mice)"
	succeeds "life $life: node of its group" test -c "/dev/vfio/$(group_of $mice)"
	same "life $life: the host has no mouse there" "" "$(below $mice)"
	same "life $life: the host has its keyboard" "$others" "$(below $keyboards)"
	begun=$(now_ms)
	succeeds "life $life: post-stop" handover 100 post-stop
	figure vm-usb-post-stop-ms-$life $(($(now_ms) - begun))
	# It is back when post-stop ends, not some time later.
	same "life $life: the mouse is back" "$was" "$(below $mice)"
	snapshot | diff /tmp/before - || die "life $life: not as it was"
	ok "life $life: as it was"
done

# Found anew with all that hangs on it.
first=$(life_of $mice)
profile <<-'END'
pre-start:
  - bind: mice
    return: cycle
END
succeeds "pre-start" handover 100 pre-start
succeeds "post-stop" handover 100 post-stop
fails "the controller was found anew" test "$first" = "$(life_of $mice)"
same "the mouse is back" "$was" "$(below $mice)"
snapshot | diff /tmp/before - || die "not as it was"

# The host's last keyboard.
for step in '{bind: keyboards}' '{remove: keyboards}' '{usb: "1-1"}' '{bind: [keyboards, mice]}'; do
	echo "pre-start: [$step]" | profile
	handover 100 pre-start 2>/tmp/said
	same "$step: status" 2 $?
	succeeds "$step is refused" grep -q '\[last-keyboard\]' /tmp/said
	succeeds "and it is named" grep -qE "Keyboard at port 1-1, (is on $keyboards, which )?leaves" /tmp/said
	snapshot | diff /tmp/before - || die "$step: something was touched"
	same "$step: the keyboard is there" "$others" "$(below $keyboards)"
done
cat /tmp/said

# One device goes, its controller stays. Keyboard and mouse have one id here, so it is named by its port.
echo "pre-start: [{usb: \"${was#* }\"}]" | profile
handover 100 pre-start 2>/tmp/said
same "two devices have that id: status" 2 $?
succeeds "and that is told" grep -q '\[usb-ambiguous\]' /tmp/said
mouse=$(grep -ls Mouse /sys/bus/usb/devices/*/product)
mouse=${mouse%/product}
mouse=${mouse##*/}
echo "pre-start: [{usb: \"$mouse\"}]" | profile
succeeds "VM 100 gets the mouse at $mouse" handover 100 pre-start
same "its controller stays" xhci_hcd "$(driver_of $mice)"
fails "the host has no mouse" has $mice pointer
succeeds "VM 100 stops" handover 100 post-stop
wait_for "the mouse is back" 10 has $mice pointer
snapshot | diff /tmp/before - || die "not as it was"
same "in the end" "nothing is lent" "$(handover status)"
