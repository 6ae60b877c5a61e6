# SPDX-License-Identifier: GPL-2.0-or-later
# t_guard.sh - when nobody calls: starts that fail behind pre-start, hooks and guests that are killed, post-stops that never
# come. The lab plays Proxmox: it holds the configuration lock while it calls (topologies pair and, with systemd, desk;
# carries killer).
. /lab/lib.sh

case $VM_TOPOLOGY in
pair) nic=0000:01:00.0 ;;
*) nic=0000:03:00.0 ;;
esac
driver=$(driver_of $nic)
lock=/run/lock/qemu-server/lock-100.conf
after=3		# seconds that a post-stop has

mkdir -p /etc/handover/profiles /run/qemu-server /run/lock/qemu-server
printf 'handover: 1\ndevices: {nic: {at: "%s"}}\npre-start:\n  - bind: nic\n' $nic >/etc/handover/profiles/100.yaml
printf '[timeouts]\npost-stop = %ss\n[allow]\nmanagement-nic = %s\n' $after $nic >/etc/handover/handover.conf
mkfifo /tmp/never
snapshot >/tmp/before

# locked COMMAND...: under the VM's lock, as all hooks are.
locked() {
	(exec 9>$lock; flock 9; "$@")
}

# qemu: what Proxmox would have started.
qemu() {
	bash -c 'read -r _ <>/tmp/never' kvm -id 100 </dev/null >/dev/null 2>&1 9>&- &
	echo $! >/run/qemu-server/100.pid
}

end_qemu() {
	kill -9 "$(</run/qemu-server/100.pid)"
	rm -f /run/qemu-server/100.pid
}

is_back() {
	[ ! -e /run/handover/100.journal ] && [ "$(driver_of $nic)" = "$driver" ]
}

as_before() {
	snapshot | diff /tmp/before - || die "$1: the host is not as it was"
	ok "$1: the host is as it was"
}

# guard: its process, as status tells it.
guard() {
	handover status 100 | sed -n 's/.*watched over by process //p'
}

no_guard() {
	! grep -qsx handover-guard /proc/[0-9]*/comm
}

fail_start() {
	handover 100 pre-start || return
	[ "$(driver_of $nic)" = vfio-pci ] || return
	[ -n "$(guard)" ] && [ "$(cat "/proc/$(guard)/comm")" = handover-guard ]
}

succeeds "a start that fails behind pre-start" locked fail_start
wait_for "its device is back" 10 is_back
wait_for "the guard has ended" 5 no_guard
as_before "a failed start"

killed_hook() {
	strace -o /dev/null -e inject=write:signal=KILL:when=4 handover --quiet 100 pre-start 2>/dev/null
	[ $? -ne 0 ] && [ -e /run/handover/100.journal ]
}

succeeds "a hook that is killed between two writes" locked killed_hook
wait_for "its device is back" 10 is_back
wait_for "the guard has ended" 5 no_guard
as_before "a killed hook"

# Processes that it makes: who reads for it, its guard where there is no systemd, its worker.
killed_before_fork() {
	KILLER_CALL=fork KILLER_AT=$1 LD_PRELOAD=/lab/libkiller.so handover --quiet 100 pre-start
	[ $? -eq 137 ]
} 2>/dev/null

# Until it has a guard it has changed nothing, and nobody watches.
forks=0
while locked killed_before_fork $((forks + 1)); do
	forks=$((forks + 1))
	wait_for "killed before process $forks: nobody watches any more" 20 no_guard
	snapshot | diff /tmp/before - || die "not as it was"
	succeeds "recover" handover --quiet recover 100
	succeeds "and there is no lease" is_back
done
[ $forks -ge 2 ] || die "only $forks processes"
succeeds "it was not killed any more" locked handover --quiet 100 post-stop
wait_for "the guard has ended" 5 no_guard
as_before "a hook killed before each of $forks processes"

start() {
	handover --quiet 100 pre-start && qemu && sleep 0.3 && handover --quiet 100 post-start
}

succeeds "a VM starts" locked start
pid=$(guard)
memory=$(sed -n 's/^Rss:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup")
figure guard-kib "$memory"
[ "$memory" -gt 0 ] && [ "$memory" -lt 4096 ] || die "the guard has $memory KiB"
switches=$(grep ctxt /proc/$pid/status)
sleep 3
same "the guard has not woken up" "$switches" "$(grep ctxt /proc/$pid/status)"
same "the device is the VM's" vfio-pci "$(driver_of $nic)"
end_qemu
sleep 1
same "post-stop may still come" vfio-pci "$(driver_of $nic)"
wait_for "it did not" $((after + 8)) is_back
wait_for "the guard has ended" 5 no_guard
as_before "QEMU killed, no post-stop"

succeeds "a VM starts" locked start
end_qemu
succeeds "post-stop comes" locked handover --quiet 100 post-stop
succeeds "its device is back at once" is_back
wait_for "the guard has ended" 5 no_guard
as_before "post-stop"

# Older Proxmox: stopped and started again at once, pre-start comes before the old post-stop, which then never does.
succeeds "a VM starts" locked start
first=$(guard)
end_qemu
succeeds "and again at once" locked start
second=$(guard)
[ -n "$second" ] && [ "$first" != "$second" ] || die "no guard of its own: '$first', '$second'"
wait_for "the first guard has ended" 5 test ! -e "/proc/$first"
same "a late post-stop does nothing" vfio-pci "$(handover 100 post-stop 2>/dev/null; driver_of $nic)"
sleep $((after + 1))
same "nor does the first guard" vfio-pci "$(driver_of $nic)"
end_qemu
wait_for "it is back" $((after + 8)) is_back
as_before "two starts"

# "Stop task" in Proxmox's GUI: TERM, then KILL, to the worker's process group.
setsid bash -c 'echo $$ >/tmp/group; exec 9>'$lock'; flock 9; handover --quiet 100 pre-start; sleep 100' &
wait_for "a start is under way" 10 sh -c "[ -n \"\$(handover status 100 | grep watched)\" ] && [ $(basename $pci/$nic) ]"
wait_for "it is lent" 10 test "$(readlink -f $pci/$nic/driver)" != ''
sleep 1
kill -TERM -- "-$(</tmp/group)"
sleep 0.2
kill -KILL -- "-$(</tmp/group)" 2>/dev/null
wait_for "a stopped task: its device is back" 15 is_back
wait_for "the guard has ended" 5 no_guard
as_before "a stopped task"

# A unit that is stopped takes all processes of its cgroup along, and so the hook that it called.
if [ -d /run/systemd/system ]; then
	systemd-run -q --unit=caller bash -c "exec 9>$lock; flock 9; handover --quiet 100 pre-start; touch /tmp/lent; sleep 100"
	wait_for "a unit has called pre-start" 30 test -e /tmp/lent
	pid=$(guard)
	unit=$(sed 's,.*/,,' "/proc/$pid/cgroup")
	succeeds "$unit, the guard's unit, is stopped after the guests are at a shutdown" \
		grep -qw pve-guests.service <(systemctl show -P Before "$unit")
	systemctl kill --signal=KILL caller.service
	wait_for "the unit is dead" 10 test ! -e /sys/fs/cgroup/system.slice/caller.service
	succeeds "the guard is not" grep -qx handover-guard "/proc/$pid/comm"
	wait_for "a dead unit: its device is back" 15 is_back
	wait_for "the guard has ended" 5 no_guard
	as_before "a dead unit"
fi

# No guard, no NIC.
mv /usr/bin/handover-guard /tmp
locked handover 100 pre-start 2>/tmp/said
same "without a guard no network card leaves" 2 $?
succeeds "it says why" grep -q 'handover-guard is not installed' /tmp/said
as_before "no guard"
mv /tmp/handover-guard /usr/bin
[ -d /run/systemd/system ] && figure guard-systemd 1 || figure guard-systemd 0
