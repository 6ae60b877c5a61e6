# SPDX-License-Identifier: GPL-2.0-or-later
# t_desk_life.sh - the EliteDesk on a real kernel (topology seed; carries desk.sh): `handover boot` splits slot 1f, and
# VM 100 has its LPC bridge and audio three times, while the host's NIC in the same slot stays where it is.
. /lab/lib.sh
. /lab/desk.sh

all=$(IFS=,; echo "${slot[*]}")
desk_profiles
desk_bridge eno1
wait_for "the gateway answers" 20 gateway_answers
for bdf in "${slot[@]}"; do
	same "at power-on: group of $bdf" "$all" "$(members_of "$bdf")"
done
desk_network >/tmp/network
lives "${slot[@]}" >/tmp/lives-before

# -- boot

begun=$(now_ms)
succeeds "boot" handover boot
figure vm-desk-boot-ms $(($(now_ms) - begun))
each_alone "after boot" "${slot[@]}"
wait_for "the gateway answers" 20 gateway_answers
desk_network | diff /tmp/network - || die "the network is not as it was"
ok "the network is as it was: $(nic_of $nic)"
same "the LPC bridge never left" "$(lives $lpc)" "$(sed "s/ $audio.*/ /" /tmp/lives-before)"
for bdf in $audio $testdev $edu $nic; do
	fails "$bdf was found anew" grep -q "$(lives "$bdf")" /tmp/lives-before
done
same "driver of $lpc" lpc_ich "$(driver_of $lpc)"
same "driver of $audio" snd_hda_intel "$(driver_of $audio)"
same "driver of $nic" e1000 "$(driver_of $nic)"

lives "${slot[@]}" >/tmp/lives-boot
strace -f -qq -y -e trace=write,pwrite64,writev,openat,sendto,sendmsg -o /tmp/trace handover boot >/tmp/said 2>&1 ||
	die "boot, again: $(cat /tmp/said)"
same "boot, again" "handover: boot: done before, and still so" "$(cat /tmp/said)"
fails "it writes nothing" grep -E 'write.*</sys/|openat.*/sys.*O_(WRONLY|RDWR)' /tmp/trace
same "and nothing was found anew" "$(cat /tmp/lives-boot)" "$(lives "${slot[@]}")"
handover status
handover status >/tmp/status || die "status exits with $?"

# -- three lives

snapshot >/tmp/before
index=$(value_of /sys/class/net/eno1/ifindex)
nic_life=$(life_of $nic)
audio_lives=" $(life_of $audio) "
for life in 1 2 3; do
	begun=$(now_ms)
	succeeds "life $life: pre-start" handover 100 pre-start
	figure vm-desk-pre-start-ms-$life $(($(now_ms) - begun))
	succeeds "life $life: post-start" handover 100 post-start
	for bdf in "${lent[@]}"; do
		same "life $life: driver of $bdf" vfio-pci "$(driver_of "$bdf")"
		succeeds "life $life: node of its group" test -c "/dev/vfio/$(group_of "$bdf")"
	done
	each_alone "life $life" "${slot[@]}"
	snapshot | grep -v -e "^$lpc" -e "^$audio" >/tmp/rest
	grep -v -e "^$lpc" -e "^$audio" /tmp/before | diff - /tmp/rest || die "life $life: others were touched"
	ok "life $life: nothing else was touched"
	handover status 100 >/tmp/status || die "status exits with $?"
	for bdf in "${lent[@]}"; do
		succeeds "life $life: status tells of $bdf" grep -q "bind $bdf  .* -> vfio-pci" /tmp/status
	done
	succeeds "life $life: the gateway answers" gateway_answers
	succeeds "life $life: pre-stop" handover 100 pre-stop
	begun=$(now_ms)
	succeeds "life $life: post-stop" handover 100 post-stop
	figure vm-desk-post-stop-ms-$life $(($(now_ms) - begun))
	snapshot | diff /tmp/before - || die "life $life: not as it was"
	ok "life $life: as it was"
	same "life $life: driver of $lpc" lpc_ich "$(driver_of $lpc)"
	same "life $life: driver of $audio" snd_hda_intel "$(driver_of $audio)"
	[[ $audio_lives != *" $(life_of $audio) "* ]] || die "life $life: audio was not found anew"
	ok "life $life: audio was found anew"
	audio_lives+="$(life_of $audio) "
	same "life $life: the NIC is the one of boot" "$nic_life, $index" \
		"$(life_of $nic), $(value_of /sys/class/net/eno1/ifindex)"
	desk_network | diff /tmp/network - || die "life $life: the network is not as it was"
	succeeds "life $life: the gateway answers" gateway_answers
	same "life $life: VM 100" "VM 100: it has no lease" "$(handover status 100)"
done
succeeds "boot, again" handover boot
each_alone "in the end" "${slot[@]}"
