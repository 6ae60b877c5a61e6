# SPDX-License-Identifier: GPL-2.0-or-later
# t_guard_kills.sh - hook, guard or both are killed at random moments of a start; and two VMs want one device at once
# (topology seed). Whoever is left, or `handover recover`, brings the host back to what it was.
. /lab/lib.sh

kills=50
races=100
device=0000:01:00.0	# edu, behind a root port: no driver
nic=0000:03:00.0
folder=/run/lock/qemu-server

mkdir -p /etc/handover/profiles /run/qemu-server $folder
printf 'handover: 1\ndevices: {nic: {at: "%s"}, edu: {at: "%s"}}\npre-start:\n  - bind: [nic, edu]\n' $nic $device \
	>/etc/handover/profiles/100.yaml
for vmid in 101 102; do
	printf 'handover: 1\ndevices: {edu: {at: "%s"}}\npre-start:\n  - bind: edu\n' $device >/etc/handover/profiles/$vmid.yaml
done
echo '[allow]' >/etc/handover/handover.conf
RANDOM=4711
snapshot >/tmp/before

guard_of() {
	handover status "$1" | sed -n 's/.*watched over by process //p'
}

gone() {
	[ ! -e /run/handover/100.journal ] && ! grep -qsx handover-guard /proc/[0-9]*/comm
}

# until_gone SECONDS
until_gone() {
	local end=$((SECONDS + $1))
	until gone; do
		[ $SECONDS -lt $end ] || return
		sleep 0.1
	done
}

dirty=0
for ((i = 1; i <= kills; i++)); do
	exec 9>$folder/lock-100.conf
	flock 9
	handover --quiet 100 pre-start 2>/tmp/said 9>&- &
	hook=$!
	sleep "0.$(printf '%03d' $((RANDOM % 900)))"
	guard=$(guard_of 100)
	case $((RANDOM % 3)) in
	0) victims=$hook ;;
	1) victims=$guard ;;
	2) victims="$hook $guard" ;;
	esac
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$victims" ] || kill -9 $victims 2>/dev/null
	wait $hook 2>/dev/null
	exec 9>&-
	# Proxmox's start has failed. With the guard dead somebody must ask; twice does no harm.
	if ! until_gone 6; then
		handover --quiet recover 100 2>>/tmp/said
		handover --quiet recover 100 2>>/tmp/said
	fi
	until_gone 3
	if ! snapshot | diff /tmp/before - >/tmp/difference || [ -e /run/handover/100.journal ]; then
		dirty=$((dirty + 1))
		echo "kill $i of '$victims' (hook $hook, guard $guard): the host is not as it was"
		cat /tmp/difference /tmp/said
	fi
done
figure vm-guard-kills $kills
figure vm-guard-kills-dirty $dirty
[ $dirty -eq 0 ] || die "$dirty of $kills kills left something"

# Proxmox holds the lock of each VM's configuration until its QEMU runs: without that, the winner would be taken for one
# whose start has failed, and give way.
wrong=0
echo 'guard = no' >/etc/handover/handover.conf
exec 7>$folder/lock-101.conf 8>$folder/lock-102.conf
flock 7
flock 8
for ((i = 1; i <= races; i++)); do
	handover --quiet 101 pre-start 2>/tmp/said.101 7>&- 8>&- &
	first=$!
	handover --quiet 102 pre-start 2>/tmp/said.102 7>&- 8>&- &
	wait $first
	a=$?
	wait $!
	b=$?
	[ "$a/$b" = 0/4 ] || [ "$a/$b" = 4/0 ] || {
		wrong=$((wrong + 1))
		echo "race $i ended with $a and $b"
		cat /tmp/said.10[12]
	}
	handover --quiet 101 post-stop
	handover --quiet 102 post-stop
done
exec 7>&- 8>&-
figure vm-races $races
figure vm-races-wrong $wrong
[ $wrong -eq 0 ] || die "$wrong of $races races had no winner, or two"
snapshot | diff /tmp/before - || die "the host is not as it was"
ok "all is as it was"
