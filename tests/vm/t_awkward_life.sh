# SPDX-License-Identifier: GPL-2.0-or-later
# t_awkward_life.sh - handover with a host driver that misbehaves (topology pair; carries awkward.ko): a removal that
# does not come back, a probe that fails, defers, or takes long on the way home.
. /lab/lib.sh

edu=0000:03:00.0
parameters=/sys/module/awkward/parameters

succeeds "insmod" insmod /lab/awkward.ko
wait_for "awkward has the device" 5 test "$(driver_of $edu)" = awkward
mkdir -p /etc/handover/profiles
cat >/etc/handover/profiles/100.yaml <<'P'
handover: 1
devices:
  board: {id: "1234:11e8"}
pre-start:
  - bind: board
P
cat >/etc/handover/profiles/101.yaml <<'P'
handover: 1
devices:
  nic: {at: "01:00.0"}
pre-start:
  - bind: nic
P
snapshot >/tmp/before

unchanged() {
	snapshot | diff /tmp/before - || die "$1: it is not as it was"
	ok "$1: it is as it was"
}

# status_is DESC WANTED COMMAND...: and what it says goes to /tmp/said.
status_is() {
	local desc=$1 wanted=$2
	shift 2
	"$@" >/tmp/said 2>&1
	same "$desc: status" "$wanted" $?
}

says() {
	grep -q -- "$1" /tmp/said || die "'$1' was not said: $(cat /tmp/said)"
	ok "it says '$1'"
}

status_is "a plain life" 0 handover 100 pre-start
same "driver" vfio-pci "$(driver_of $edu)"
status_is "a plain life ends" 0 handover 100 post-stop
unchanged "after a plain life"

# Its removal waits for an open node, uninterruptibly, as i2c, sound and vfio do.
exec 7</dev/awkward0
begun=$(now_ms)
status_is "the host driver does not let go" 3 handover 100 pre-start
took=$(($(now_ms) - begun))
figure vm-stuck-write-ms $took
[ $took -lt 20000 ] || die "it took $took ms to notice"
says "unbinding it from 'awkward' has not come back from the kernel"
says "waits in awkward_remove"
cat /tmp/said
status_is "meanwhile another start" 4 handover 100 pre-start
says "handover-write"
cat /tmp/said
status_is "and recover" 4 handover recover
status_is "and status" 3 handover status
says "stuck"
# Who only looks must not hang with it: reading driver_override takes the lock that the removal holds.
begun=$(now_ms)
status_is "a start of another VM goes on" 0 handover 101 pre-start
took=$(($(now_ms) - begun))
figure vm-pre-start-beside-stuck-ms $took
[ $took -lt 10000 ] || die "it took $took ms"
same "the other VM's device" vfio-pci "$(driver_of 0000:01:00.0)"
status_is "and its stop" 0 handover 101 post-stop
status_is "a capture goes on" 0 handover capture
status_is "a plan with the stuck device is refused" 2 handover plan /etc/handover/profiles/100.yaml
says "device-stuck"
exec 7<&-
wait_for "the removal ends with the node's closing" 5 test "$(driver_of $edu)" = -
status_is "recover" 0 handover recover
unchanged "after a stuck removal"

# Another VM's QEMU has its memory locked, and its command line is in that: it counts as running, and nobody waits for it.
mkdir -p /etc/pve/qemu-server /run/qemu-server
printf 'hostpci0: 01:00.0\n' >/etc/pve/qemu-server/200.conf
sh -c 'while :; do sleep 1; done' kvm -id 200 &
qemu=$!
echo $qemu >/run/qemu-server/200.pid
put $qemu $parameters/lock
begun=$(now_ms)
status_is "a start beside a QEMU that does not answer" 2 handover 101 pre-start
took=$(($(now_ms) - begun))
figure vm-pre-start-beside-locked-ms $took
[ $took -lt 15000 ] || die "it took $took ms"
says "VM 200 .*\[other-guest\]"
cat /tmp/said
put 0 $parameters/lock
kill $qemu
wait $qemu
rm /run/qemu-server/200.pid /etc/pve/qemu-server/200.conf
status_is "a start when it has ended" 0 handover 101 pre-start
status_is "and its stop" 0 handover 101 post-stop
unchanged "after a QEMU that did not answer"

put fail $parameters/probe
status_is "start with a driver that will fail" 0 handover 100 pre-start
status_is "the host driver's probe fails" 3 handover 100 post-stop
says "binding it to .awkward. failed"
cat /tmp/said
same "driver" - "$(driver_of $edu)"
put ok $parameters/probe
status_is "recover, now that it can" 0 handover recover 100
unchanged "after a failed probe"

put defer $parameters/probe
put 1 $parameters/defers
status_is "start with a driver that will defer" 0 handover 100 pre-start
status_is "the probe is deferred, then done" 0 handover 100 post-stop
put ok $parameters/probe
unchanged "after a deferred probe"

put 2000 $parameters/slow_ms
status_is "start with a slow driver" 0 handover 100 pre-start
status_is "a slow probe is waited for" 0 handover 100 post-stop
unchanged "after a slow probe"

# The driver goes away while the VM runs; where its module cannot be found, it can only be said.
status_is "start" 0 handover 100 pre-start
succeeds "rmmod" rmmod awkward
status_is "its home is gone" 3 handover 100 post-stop
says "loading the module .awkward. failed"
cat /tmp/said
cp /lab/awkward.ko "/lib/modules/$(uname -r)/" && depmod || die "depmod"
status_is "recover, now that the module can be found" 0 handover recover
unchanged "after the driver was away"
status_is "start" 0 handover 100 pre-start
succeeds "rmmod" rmmod awkward
status_is "the module is loaded to go home" 0 handover 100 post-stop
unchanged "after the driver was away and came back"
