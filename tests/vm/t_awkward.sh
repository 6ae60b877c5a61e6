# SPDX-License-Identifier: GPL-2.0-or-later
# t_awkward.sh - the awkward driver does what it is for
#
#   AWKWARD_KO=$(tests/vm/build-awkward DIR) tests/vm/run tests/vm/t_awkward.sh
. /lab/lib.sh

bdf=0000:03:00.0
driver=/sys/bus/pci/drivers/awkward
knobs=/sys/module/awkward/parameters

is_bound() {
	[ -e $driver/$bdf ]
}

is_free() {
	[ ! -e $driver/$bdf ]
}

try() {
	put $bdf /sys/bus/pci/drivers_probe
}

release() {
	put $bdf $driver/unbind
}

error_of() {
	{ "$@"; } 2>&1 >/dev/null | sed 's/.*: //'
}

[ -e /lab/awkward.ko ] || die "/lab/awkward.ko was not carried"
same "the device" 1234:11e8 "$(ids_of $bdf)"
same "its driver at first" - "$(driver_of $bdf)"

succeeds "loads, told to fail" insmod /lab/awkward.ko probe=fail
same "a failed probe leaves it unbound" - "$(driver_of $bdf)"
same "the knob reads back" fail "$(value_of $knobs/probe)"
fails "no such outcome" put bogus $knobs/probe
# drivers_probe says yes to a probe that failed, bind does not.
succeeds "drivers_probe accepts" try
same "and nothing is bound" - "$(driver_of $bdf)"
same "bind says why" "Input/output error" "$(error_of eval "echo $bdf >$driver/bind")"

put ok $knobs/probe
succeeds "drivers_probe" try
same "bound" awkward "$(driver_of $bdf)"
succeeds "has its node" test -c /dev/awkward0
succeeds "unbinds" release
fails "the node is gone" test -e /dev/awkward0

put defer $knobs/probe
put 2 $knobs/defers
put 400 $knobs/kick_ms
start=$(now_ms)
succeeds "drivers_probe accepts a deferral" try
same "unbound for now" - "$(driver_of $bdf)"
wait_for "bound later" 20 is_bound
figure awkward_deferred_ms $(($(now_ms) - start))
same "all deferrals used" 0 "$(value_of $knobs/defers)"
succeeds "unbinds" release
put 1 $knobs/defers
put 0 $knobs/kick_ms
same "bind of a deferred probe" "Resource temporarily unavailable" "$(error_of eval "echo $bdf >$driver/bind")"
sleep 1
same "nobody tries again unasked" - "$(driver_of $bdf)"
succeeds "the next probe" try
same "bound" awkward "$(driver_of $bdf)"
succeeds "unbinds" release

put ok $knobs/probe
put 1500 $knobs/slow_ms
start=$(now_ms)
succeeds "a slow probe" try
took=$(($(now_ms) - start))
[ $took -ge 1500 ] || die "took only $took ms"
ok "took its time"
put 0 $knobs/slow_ms
same "bound" awkward "$(driver_of $bdf)"

hangs_until_closed() {
	local what=$1 file=$2 value=$3 writer
	exec 5</dev/awkward0
	{ echo "$value" >"$file"; } 5<&- &
	writer=$!
	is_stuck() { [ "$(state_of "$writer")" = D ]; }
	wait_for "$what waits in state D" 10 is_stuck
	kill -KILL $writer
	sleep 1
	same "and cannot be killed" D "$(state_of "$writer")"
	same "the node is still there, shut" "No such device" "$(error_of eval '5<&- : </dev/awkward0')"
	exec 5<&-
	wait $writer 2>/dev/null
	ok "$what ends once the node is closed"
}

hangs_until_closed unbind $driver/unbind $bdf
same "unbound" - "$(driver_of $bdf)"
try
same "bound" awkward "$(driver_of $bdf)"
hangs_until_closed remove "$pci/$bdf/remove" 1
fails "removed" test -e "$pci/$bdf"
put 1 /sys/bus/pci/rescan
wait_for "found again and bound" 10 is_bound

succeeds "unloads" rmmod awkward
fails "no warning in the kernel log" grep -E 'WARNING|BUG' <(dmesg)
