# SPDX-License-Identifier: GPL-2.0-or-later
# t_desk_boot.sh - is handover-boot.service at the right place of the boot?
#
#   units=/etc/systemd/system
#   tests/vm/run -r -t desk -c systemd.wants=handover-boot.service tests/vm/t_desk_boot.sh \
#       hooks/handover-boot.service:$units/handover-boot.service \
#       hooks/handover-reconcile.service:$units/handover-reconcile.service \
#       tests/vm/t_desk_boot.conf:$units/handover-boot.service.d/t_desk_boot.conf
#
# In the place of the program this script itself, called with "split", removes
# all functions of the slot but the first, and finds them again.
. /lab/lib.sh

functions=(0000:00:1f.3 0000:00:1f.4 0000:00:1f.5 0000:00:1f.6)
seen=/run/desk_boot

# as_it_is TIME: what the boot has come to, at one moment, as shell variables.
as_it_is() {
	echo "$1_ms=$(now_ms) $1_nic=$(name_of "$pci/0000:00:1f.6/net/eno1") $1_driver=$(driver_of 0000:00:1f.6)" \
		"$1_sound=$(driver_of 0000:00:1f.3) $1_index=$(value_of /sys/class/net/eno1/ifindex)" \
		"$1_bridge=$(name_of /sys/class/net/vmbr0) $1_flags=$(value_of /sys/class/net/eno1/flags)" >>$seen
}

if [ "${1:-}" = split ]; then
	as_it_is before
	for bdf in "${functions[@]}"; do
		put 1 "$pci/$bdf/remove"
	done
	put 1 /sys/bus/pci/devices/0000:00:1f.0/rescan
	wait_for "eno1" 20 test -e "$pci/0000:00:1f.6/net/eno1"
	as_it_is after
	exit
fi

# property UNIT NAME: what systemd knows of it.
property() {
	systemctl show -P "$2" "$1"
}

# earlier UNIT UNIT: the first was done before the second began.
earlier() {
	local done_at begun_at
	done_at=$(property "$1" ExecMainExitTimestampMonotonic)
	begun_at=$(property "$2" InactiveExitTimestampMonotonic)
	[ "$done_at" -gt 0 ] && [ "$done_at" -le "$begun_at" ] ||
		die "$1 ended at $done_at us, $2 began at $begun_at us"
	ok "$1 was done $(((begun_at - done_at) / 1000)) ms before $2"
}

same "the system" running "$(systemctl is-system-running --wait)"
same "handover-boot.service" active/success \
	"$(property handover-boot.service ActiveState)/$(property handover-boot.service Result)"
fails "no order was given up" grep -i 'ordering cycle' <(journalctl -b --no-pager)
cat $seen
. $seen

# Before: coldplug was done, the network was not.
same "the NIC had its name" eno1 "$before_nic"
same "and its driver" e1000 "$before_driver"
same "sound had its driver" snd_hda_intel "$before_sound"
same "there was no bridge" - "$before_bridge"
same "and eno1 was down" 0 $((before_flags & 1))
[ "$after_index" -gt "$before_index" ] || die "eno1 was not found again"
ok "eno1 was removed and found again"

# After: each function has its own group, its driver, and udev has seen it.
for bdf in 0000:00:1f.0 "${functions[@]}"; do
	same "the group of $bdf" "$bdf" "$(members_of "$bdf")"
done
same "the NIC's driver" e1000 "$(driver_of 0000:00:1f.6)"
same "sound's driver" snd_hda_intel "$(driver_of 0000:00:1f.3)"

# The network came up later, once, and is as it would have been.
earlier handover-boot.service network-pre.target
[ "${ORDER:-}" = debian ] || earlier handover-boot.service ifupdown2-pre.service
earlier handover-boot.service networking.service
same "networking.service" active/success \
	"$(property networking.service ActiveState)/$(property networking.service Result)"
same "eno1 is the one that was found again" "$after_index" "$(value_of /sys/class/net/eno1/ifindex)"
same "eno1 is a port of" vmbr0 "$(name_of /sys/class/net/eno1/master)"
same "vmbr0's address" 10.0.2.15/24 "$(ip -4 -br addr show dev vmbr0 | grep -o '[0-9.]*/[0-9]*')"
gateway_pings() {
	ping -q -n -c 1 -W 1 10.0.2.2 >/dev/null
}
wait_for "the gateway answers" 15 gateway_pings
same "vmbr0 got its link, times" 1 "$(value_of /sys/class/net/vmbr0/carrier_up_count)"
succeeds "and goes on answering" grep -q '^30 packets.* 0% packet loss' <(ping -q -n -c 30 -i 0.1 10.0.2.2)
figure settle_ms $((($(property handover-boot.service ExecMainStartTimestampMonotonic) -
	$(property handover-boot.service InactiveExitTimestampMonotonic)) / 1000))
figure split_ms $((after_ms - before_ms))

# The other unit, among stand-ins of Proxmox's own.
for unit in pve-cluster pve-guests; do
	printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 0.5\n' >/etc/systemd/system/$unit.service
done
# Through a target, for they are to be started at once.
printf '[Unit]\nWants=pve-guests.service handover-reconcile.service pve-cluster.service\n' \
	>/etc/systemd/system/pve.target
[ -e /usr/bin/handover ] || ln -s true /usr/bin/handover
systemctl daemon-reload
for unit in handover-boot handover-reconcile; do
	succeeds "$unit.service is valid" test -z "$(systemd-analyze verify --man=no "$unit.service" 2>&1 | tee /dev/fd/2)"
	succeeds "$unit.service can be enabled" systemctl -q enable $unit.service
	succeeds "for each boot" test -L /etc/systemd/system/multi-user.target.wants/$unit.service
done
succeeds "all three start" systemctl start pve.target
is_done() {
	[ "$(property "$1" ExecMainExitTimestampMonotonic)" != 0 ]
}
wait_for "and are done" 20 is_done pve-guests.service
earlier pve-cluster.service handover-reconcile.service
earlier handover-reconcile.service pve-guests.service
