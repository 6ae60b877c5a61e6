# SPDX-License-Identifier: GPL-2.0-or-later
# t_desk_systemd.sh - the EliteDesk as it is used (run -r, topology desk): handover-boot.service splits slot 1f before
# networking.service brings vmbr0 up, once; then VM 100 lives, and the network does not notice.
#
#   units=/etc/systemd/system
#   tests/vm/run -r -t desk -c 'systemd.wants=handover-boot.service systemd.wants=handover-reconcile.service' \
#       tests/vm/t_desk_systemd.sh tests/vm/desk.sh hooks/handover-boot.service:$units/handover-boot.service \
#       hooks/handover-reconcile.service:$units/handover-reconcile.service \
#       tests/vm/t_desk_systemd.conf:$units/handover-boot.service.d/t_desk_systemd.conf
. /lab/lib.sh
. /lab/desk.sh

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

# longest_gap FILE: between two answers that `ping -D` wrote there, in ms.
longest_gap() {
	awk -F '[][]' '/bytes from/ { if (last && $2 - last > gap) gap = $2 - last; last = $2 } END { printf "%d", gap * 1000 }' \
		"$1"
}

same "the system" running "$(systemctl is-system-running --wait)"
journalctl -b --no-pager -o cat -u handover-boot.service -u handover-reconcile.service
for unit in handover-boot handover-reconcile networking; do
	same "$unit.service" success/0 "$(property $unit.service Result)/$(property $unit.service ExecMainStatus)"
done
succeeds "handover-reconcile.service has run" grep -qx 'nothing is lent' \
	<(journalctl -b --no-pager -o cat -u handover-reconcile.service)
fails "no order was given up" grep -i 'ordering cycle' <(journalctl -b --no-pager)
earlier handover-boot.service network-pre.target
earlier handover-boot.service networking.service
earlier handover-boot.service handover-reconcile.service
figure vm-desk-boot-unit-ms $((($(property handover-boot.service ExecMainExitTimestampMonotonic) -
	$(property handover-boot.service ExecMainStartTimestampMonotonic)) / 1000))

each_alone "after boot" "${slot[@]}"
same "driver of $lpc" lpc_ich "$(driver_of $lpc)"
same "driver of $audio" snd_hda_intel "$(driver_of $audio)"
same "the NIC" eno1/1500/vmbr0/up "$(nic_of $nic)"
wait_for "the gateway answers" 15 gateway_answers
same "vmbr0 got its link, times" 1 "$(value_of /sys/class/net/vmbr0/carrier_up_count)"
handover boot 2>/tmp/said
same "boot again" "0: handover: boot: done before, and still so" "$?: $(cat /tmp/said)"
succeeds "status" grep -q '^host  prepared at boot' <(handover status)

# -- one life, and units that take part in it

for unit in again off on; do
	printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/desk-$unit.service
done
systemctl daemon-reload
systemctl start desk-again.service desk-off.service
echo 'services = desk-off.service desk-on.service desk-again.service' >>/etc/handover/handover.conf
cat >>/etc/handover/profiles/100.yaml <<-'END'
  - service: {stop: desk-off.service}
  - service: {start: desk-on.service}
post-stop:
  - service: {restart: desk-again.service}
END
again=$(property desk-again.service InvocationID)
off=$(property desk-off.service InvocationID)
snapshot >/tmp/before
desk_network >/tmp/network
index=$(value_of /sys/class/net/eno1/ifindex)
nic_life=$(life_of $nic)
audio_life=$(life_of $audio)

ip monitor link >/tmp/links &
monitor=$!
ping -D -n -i 0.05 10.0.2.2 >/tmp/idle &
pinger=$!
sleep 3
kill -INT $pinger
wait $pinger
ping -D -n -i 0.05 10.0.2.2 >/tmp/life &
pinger=$!
succeeds "pre-start" handover 100 pre-start
succeeds "post-start" handover 100 post-start
for bdf in "${lent[@]}"; do
	same "driver of $bdf" vfio-pci "$(driver_of "$bdf")"
	succeeds "node of its group" test -c "/dev/vfio/$(group_of "$bdf")"
done
same "stopped for it" inactive "$(property desk-off.service ActiveState)"
same "started for it" active "$(property desk-on.service ActiveState)"
succeeds "pre-stop" handover 100 pre-stop
succeeds "post-stop" handover 100 post-stop
sleep 1
kill -INT $pinger
wait $pinger
kill $monitor

same "started again" active "$(property desk-off.service ActiveState)"
fails "in a run of its own" test "$off" = "$(property desk-off.service InvocationID)"
same "stopped again" inactive "$(property desk-on.service ActiveState)"
same "restarted" active "$(property desk-again.service ActiveState)"
fails "in a new run" test "$again" = "$(property desk-again.service InvocationID)"
snapshot | diff /tmp/before - || die "not as it was"
desk_network | diff /tmp/network - || die "the network is not as it was"
fails "audio was found anew" test "$audio_life" = "$(life_of $audio)"
same "the NIC is the one of boot" "$nic_life, $index" "$(life_of $nic), $(value_of /sys/class/net/eno1/ifindex)"
fails "no interface was deleted" grep -i deleted /tmp/links
succeeds "pings before" test "$(grep -c 'bytes from' /tmp/idle)" -gt 20
succeeds "pings meanwhile" test "$(grep -c 'bytes from' /tmp/life)" -gt 20
idle=$(longest_gap /tmp/idle)
gap=$(longest_gap /tmp/life)
figure vm-desk-gap-idle-ms "$idle"
figure vm-desk-gap-ms "$gap"
tail -n 3 /tmp/life
# A NIC that leaves is away for seconds, and what is sent meanwhile is lost. Where all was answered, an emulated processor
# was busy elsewhere.
grep -q ' 0% packet loss' /tmp/life || [ "$gap" -lt 1000 ] ||
	die "the gateway was away for $gap ms ($idle ms when nothing happened)"
same "vmbr0 got its link, times" 1 "$(value_of /sys/class/net/vmbr0/carrier_up_count)"
succeeds "no unit has failed" test -z "$(systemctl list-units --failed --no-legend)"

# -- the network that does not come back by itself: ifupdown2 mends it

[ "$VM_KERNEL" = 6.1 ] || exit 0
{
	desk_devices | sed 's/audio\]/audio, nic]/; s/console: lpc/&, management-nic: nic/'
	printf 'network: ifreload\npre-start:\n  - bind: nic\n'
} >/etc/handover/profiles/103.yaml
echo 'management-nic = eno1' >>/etc/handover/handover.conf
desk_network >/tmp/network
succeeds "the NIC is lent" handover 103 pre-start
same "driver of $nic" vfio-pci "$(driver_of $nic)"
succeeds "meanwhile somebody takes vmbr0's address away" ip address del 10.0.2.15/24 dev vmbr0
begin=$EPOCHREALTIME
succeeds "post-stop: what comes back is of use again" handover 103 post-stop
figure vm-desk-ifreload-ms $(((${EPOCHREALTIME/.} - ${begin/.}) / 1000))
succeeds "the gateway answers" gateway_answers
desk_network | diff /tmp/network - || die "the network is not as it was after ifreload"
