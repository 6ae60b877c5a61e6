# SPDX-License-Identifier: GPL-2.0-or-later
# t_busy.sh - devices whose nodes a process has open are not taken from their drivers, on the way out and on the way back;
# what hangs all the same is told to all who come later (topology pair; carries vfiohold and awkward.ko).
. /lab/lib.sh

nic=0000:01:00.0 audio=0000:01:00.1
twin=0000:02:00.0
edu=0000:03:00.0
opener=/usr/local/bin/opener

mkdir -p /etc/handover/profiles /usr/local/bin
cat >/etc/handover/profiles/100.yaml <<'P'
handover: 1
devices:
  nic: {at: "01:00.0"}
  twin: {at: "02:00.0"}
pre-start:
  - bind: twin
  - bind: nic
P
printf 'handover: 1\ndevices: {nic: {at: "01:00.0"}}\npre-start:\n  - run: %s\n  - bind: nic\n' $opener \
	>/etc/handover/profiles/101.yaml
printf 'handover: 1\ndevices: {board: {at: "03:00.0"}}\npre-start:\n  - bind: board\n' >/etc/handover/profiles/102.yaml
printf '[allow]\nrun = %s\n' $opener >>/etc/handover/handover.conf
chmod 755 /usr /usr/local /usr/local/bin
modprobe -qa snd_hda_intel vfio_pci
succeeds "insmod" insmod /lab/awkward.ko

control_of() {
	local dir
	for dir in "$pci/$audio"/sound/card*/controlC*; do
		[ -e "$dir" ] && echo "/dev/snd/${dir##*/}"
	done
}
has_control() {
	[ -c "$(control_of)" ]
}
wait_for "the sound card's node" 20 has_control
control=$(control_of)
snapshot >/tmp/before

unchanged() {
	snapshot | diff /tmp/before - || die "$1: it is not as it was"
	ok "$1: it is as it was"
}

# status_is DESC WANTED COMMAND...: and what it says goes to /tmp/said. It takes no longer than a few seconds.
status_is() {
	local desc=$1 wanted=$2 begun
	shift 2
	begun=$(now_ms)
	"$@" >/tmp/said 2>&1
	same "$desc: status" "$wanted" $?
	took=$(($(now_ms) - begun))
	[ $took -lt 20000 ] || die "$desc: it took $took ms"
}

says() {
	grep -q -- "$1" /tmp/said || die "'$1' was not said: $(cat /tmp/said)"
	ok "it says '$1'"
}

# Nobody is left who writes.
nothing_hangs() {
	local comm
	for comm in /proc/[0-9]*/comm; do
		[ "$(value_of "$comm")" = handover-write ] && die "$1: a write hangs"
	done
	ok "$1: nothing hangs"
}

# --- when the start is planned

exec 7<"$control"
status_is "an open sound card" 2 handover 100 pre-start
says "$control is held by process $$ (bash);.* end process $$ first \\[device-busy\\]"
figure vm-busy-refused-ms $took
nothing_hangs "an open sound card"
unchanged "an open sound card"
mkdir /sys/fs/cgroup/lab 2>/dev/null || mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/lxc/105/ns /sys/fs/cgroup/user.slice/user@1000.service/app.slice/pipewire.service
echo $$ >/sys/fs/cgroup/lxc/105/ns/cgroup.procs
status_is "in a container" 2 handover 100 pre-start
says "held by process $$ (bash) of container 105;.* stop container 105 first \\[other-guest\\]"
echo $$ >/sys/fs/cgroup/user.slice/user@1000.service/app.slice/pipewire.service/cgroup.procs
status_is "in a user's service" 2 handover 100 pre-start
says "of user@1000.service;.* stop user@1000.service first \\[device-busy\\]"
echo $$ >/sys/fs/cgroup/cgroup.procs
# That is why: the kernel would wait for it.
same "the kernel does not come back" ETIMEDOUT "$(/lab/seam write sys/bus/pci/devices/$audio/driver/unbind $audio 3000 7<&-)"
exec 7<&-
wait_for "but once it is closed" 10 test ! -e "$pci/$audio/driver"
succeeds "bound again" put $audio /sys/bus/pci/drivers/snd_hda_intel/bind
wait_for "the sound card is back" 10 has_control
control=$(control_of)
unchanged "after that"

# --- once the start has begun

# Opens the node when it is told to, and closes it after so many seconds.
hold_when_told() {
	# Without children, which would have it open too.
	bash -c 'trap "exec 7<$0; read -rt $1 _ <>/tmp/never; exec 7<&-" USR1; echo >/tmp/ready
		while :; do read -rt 0.1 _ <>/tmp/never; done' \
		"$control" "$1" &
	holder=$!
	wait_for "a process that waits" 10 test -e /tmp/ready
	rm /tmp/ready
	printf '#!/bin/bash\nkill -USR1 %s\nwhile [ ! /proc/%s/fd/7 -ef %s ]; do :; done\n' $holder $holder "$control" >$opener
	chmod 755 $opener
}
mkfifo /tmp/never
hold_when_told 1000
status_is "opened at the last moment" 1 handover 101 pre-start
says "$audio: unbinding it from 'snd_hda_intel' is not tried, because it would hang in the kernel: $control is held by process $holder (bash)"
figure vm-busy-undone-ms $took
nothing_hangs "opened at the last moment"
unchanged "opened at the last moment"
same "nothing is lent" "nothing is lent" "$(handover status)"
kill -KILL $holder
wait $holder 2>/dev/null
hold_when_told 0.7
status_is "closed in time" 0 handover 101 pre-start
same "its driver" vfio-pci "$(driver_of $audio)"
status_is "and the end of it" 0 handover 101 post-stop
kill -KILL $holder
wait $holder 2>/dev/null
unchanged "closed in time"

# --- on the way back

status_is "VM 100 starts" 0 handover 100 pre-start
group=$(group_of $audio)
/lab/vfiohold "$group" $audio >/tmp/held &
holder=$!
is_held() { grep -q held /tmp/held; }
wait_for "somebody has it through vfio" 10 is_held
status_is "it is to go back" 3 handover 100 post-stop
says "unbinding it from 'vfio-pci' is not tried"
says "/dev/vfio/$group is held by process $holder (vfiohold)"
figure vm-busy-stuck-ms $took
cat /tmp/said
nothing_hangs "it is to go back"
same "it stays" vfio-pci "$(driver_of $audio)"
same "the other goes home" e1000 "$(driver_of $twin)"
status_is "status" 3 handover status
says "stuck"
status_is "recover" 3 handover recover
says "is held by process $holder (vfiohold)"
succeeds "the bus is free: a rescan" timeout 10 bash -c 'echo 1 >/sys/bus/pci/rescan'
same "who writes it all the same hangs" ETIMEDOUT "$(/lab/seam write sys/bus/pci/devices/$audio/driver/unbind $audio 2000)"
kill -KILL $holder
wait $holder 2>/dev/null
wait_for "until it is let go" 10 test ! -e "$pci/$audio/driver"
status_is "recover, once nobody has it" 0 handover recover
unchanged "on the way back"

# --- what hangs all the same: handover does not know this driver's node

exec 7</dev/awkward0
status_is "a driver that does not let go" 3 handover 102 pre-start
says "$edu: unbinding it from 'awkward' has not come back from the kernel: process [0-9]* still writes to"
says "and waits in awkward_remove, called by pci_device_remove"
cat /tmp/said
status_is "meanwhile another start" 4 handover 102 pre-start
says "handover-write, for VM 102, pre-start): $edu: unbinding it from 'awkward', writing to '.*/unbind', which waits in the kernel in awkward_remove, called by"
cat /tmp/said
status_is "and recover" 4 handover recover 102
says "unbinding it from 'awkward'"
status_is "and status" 3 handover status
says "in doubt: $edu: unbinding it from 'awkward': process [0-9]* (handover-write), which was writing to '.*/unbind', waits in the kernel in awkward_remove"
exec 7<&-
wait_for "it ends with the node's closing" 10 test ! -e "$pci/$edu/driver"
status_is "status, now that it has ended" 3 handover status
says "has ended by now"
status_is "recover" 0 handover recover
unchanged "in the end"
fails "no warning in the kernel log" grep -E 'WARNING|BUG' <(dmesg)
