# SPDX-License-Identifier: GPL-2.0-or-later
# t_kills.sh - handover killed before its Nth write, its Nth fork and its Nth order to a worker, for every N of pre-start
# and post-stop, and each of its workers killed before it writes (topology pair; carries killer). Then `handover recover`: the
# host must be as it was.
. /lab/lib.sh

nic=0000:01:00.0
audio=0000:01:00.1
kills=0
dirty=0

mkdir -p /etc/handover/profiles
cat >/etc/handover/profiles/100.yaml <<'P'
handover: 1
devices:
  nic: {id: "8086:100e", at: "01:00.0"}
pre-start:
  - bind: nic
P
snapshot >/tmp/before

# The workers of a killed run finish what they are at; recover itself waits for the locks they hold.
recovered() {
	kills=$((kills + 1))
	if ! handover recover 2>/tmp/err >/tmp/out; then
		dirty=$((dirty + 1))
		echo "dirty: $1: recover: $(cat /tmp/err)"
	elif ! snapshot | diff /tmp/before - >/tmp/diff; then
		dirty=$((dirty + 1))
		echo "dirty: $1: $(cat /tmp/diff)"
	elif [ "$(handover status)" != "nothing is lent" ]; then
		dirty=$((dirty + 1))
		echo "dirty: $1: $(handover status)"
	fi
}

# killed CALL N PHASE: runs it, killed at the Nth such call. False if it came to its end.
killed() {
	# bash would tell of each death on its own stderr
	{
		KILLER_CALL=$1 KILLER_AT=$2 LD_PRELOAD=/lab/libkiller.so handover 100 "$3"
		[ $? -eq 137 ]
	} 2>/dev/null
}

every() {
	local call=$1 phase=$2 n=1

	while :; do
		[ "$phase" = pre-start ] || handover --quiet 100 pre-start || die "pre-start before $phase"
		killed "$call" $n "$phase" || break
		recovered "$phase, $call $n"
		n=$((n + 1))
		[ $n -lt 200 ] || die "$phase never ends"
	done
	handover --quiet 100 post-stop || die "post-stop after $phase"
	[ $n -gt "${3:-3}" ] || die "only $((n - 1)) calls of $call in $phase"
	ok "$phase, killed before each of its $((n - 1)) calls of $call"
}

# A worker is killed whenever it is about to write to this file: going out, being undone, or going back.
worker() {
	local phase=$1 file=$2

	[ "$phase" = pre-start ] || handover --quiet 100 pre-start || die "pre-start before $phase"
	strace -qq -f -o /dev/null -P "$file" -e inject=write:signal=KILL handover 100 "$phase" 2>/dev/null >&2
	case $? in
	0) die "$phase did not notice that its worker for $file was killed" ;;
	esac
	recovered "$phase, workers for $file killed"
}

every write pre-start
every write post-stop
every fork pre-start 2
every fork post-stop 2
every order pre-start
every order post-stop
for bdf in $nic $audio; do
	worker pre-start /sys/bus/pci/devices/$bdf/driver_override
	worker post-stop /sys/bus/pci/devices/$bdf/driver_override
done
for driver in vfio-pci/bind e1000/unbind snd_hda_intel/unbind; do
	worker pre-start /sys/bus/pci/drivers/$driver
done
for driver in vfio-pci/unbind e1000/bind snd_hda_intel/bind; do
	worker post-stop /sys/bus/pci/drivers/$driver
done
snapshot | diff /tmp/before - || die "not as it was"
figure vm-kills $kills
figure vm-kills-dirty $dirty
[ $dirty -eq 0 ]
