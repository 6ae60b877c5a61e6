# SPDX-License-Identifier: GPL-2.0-or-later
# t_rails.sh - what the host stands on is refused on a real kernel, with the evidence, and nothing is touched (topology
# desk, with systemd and its disk at 1a.0; carries desk.sh).
. /lab/lib.sh
. /lab/desk.sh

disk=0000:00:1a.0
keyboard=0000:00:14.0
spare=0000:03:00.0	# the second NIC, behind a root port
refusals=0

# refused DESC BDF CODE PATTERN...: handing it over is; every PATTERN is in what is said, and nothing was touched.
refused() {
	local desc=$1 bdf=$2 code=$3 pattern
	shift 3
	mkdir -p /etc/handover/profiles
	printf 'handover: 1\ndevices: {it: {at: "%s"}}\n%s\npre-start:\n  - bind: it\n' "$bdf" "${accept:-}" \
		>/etc/handover/profiles/101.yaml
	snapshot >/tmp/before
	handover 101 pre-start >/tmp/said 2>&1
	same "$desc: status" 2 $?
	for pattern in "\\[$code\\]" "$@"; do
		grep -q -e "$pattern" /tmp/said || die "$desc: no '$pattern' in: $(cat /tmp/said)"
	done
	ok "$desc: $(grep -m 1 -e "\\[$code\\]" /tmp/said)"
	refusals=$((refusals + 1))
	snapshot | diff /tmp/before - || die "$desc: something was touched"
	[ ! -e /run/handover/101.journal ] || die "$desc: there is a lease"
}

root=$(basename "$(findmnt -no SOURCE /)")
refused "the root disk's controller" $disk root-disk "$root -> $disk"
fails "nobody can accept that" grep -q 'accept' /tmp/said

wait_for "the network is up" 30 gateway_answers
refused "the NIC under the bridge" "$nic" management-nic "eno1" "vmbr0" "default route" "free network cards.*$spare" \
	"add 'accept: {management-nic: it}' to the profile and 'management-nic = eno1' under \\[allow\\]"
accept='accept: {management-nic: it}'
refused "with the profile's word alone" "$nic" management-nic "add 'management-nic = eno1' under"
accept=

refused "the keyboard's controller" $keyboard last-keyboard "on $keyboard, which leaves"

modprobe iTCO_wdt
exec 9>/dev/watchdog0
accept='accept: {platform-function: it, console: it}'
refused "an open watchdog" "$lpc" watchdog-armed "watchdog0 -> $lpc is armed, held by process $$"
accept=
echo V >&9
exec 9>&-
refused "the LPC bridge, with the serial console below it" "$lpc" console "ttyS0 -> $lpc is the host's serial console"
grep -q '\[platform-function\]' /tmp/said || die "nor is it a function of the platform"
grep -q '\[watchdog-armed\]' /tmp/said && die "the watchdog is no longer armed"

# As Proxmox starts one: a process "-id 102" with a pid file. That it has the device, its configuration says.
mkdir -p /etc/pve/qemu-server /run/qemu-server
echo "hostpci0: ${spare#0000:}" >/etc/pve/qemu-server/102.conf
mkfifo /tmp/never
bash -c 'read -r _ <>/tmp/never' kvm -id 102 &
vm=$!
echo $vm >/run/qemu-server/102.pid
refused "what another VM has" $spare other-guest "VM 102, which runs, has it as hostpci0"
kill $vm
wait $vm 2>/dev/null
accept=
printf 'handover: 1\ndevices: {it: {at: "%s"}}\npre-start:\n  - bind: it\n' $spare >/etc/handover/profiles/101.yaml
succeeds "once it has stopped, another may have it" handover 101 pre-start
same "driver of $spare" vfio-pci "$(driver_of $spare)"
succeeds "and gives it back" handover 101 post-stop

# Without a profile the VM's hostpci lines are bound, and a policy may want one to be written.
rm /etc/handover/profiles/101.yaml
echo "hostpci0: ${spare#0000:}" >/etc/pve/qemu-server/101.conf
succeeds "a VM without a profile starts" handover 101 pre-start
same "its device" vfio-pci "$(driver_of $spare)"
handover status >/tmp/said
succeeds "status says what it is lent by" grep -q 'VM 101 .*from built-in$' /tmp/said
succeeds "and stops" handover 101 post-stop
same "the host's again" e1000e "$(driver_of $spare)"
printf 'guard = no\n[profiles]\nprofile = required\n' >/etc/handover/handover.conf
handover 101 pre-start 2>/tmp/said
same "with 'profile = required'" 2 $?
succeeds "it says so" grep -q '\[profile-required\]' /tmp/said
echo "hostpci0: ${disk#0000:}" >/etc/pve/qemu-server/101.conf
rm /etc/handover/handover.conf
handover 101 pre-start 2>/tmp/said
same "the built-in profile has all rails" 2 $?
succeeds "it says so" grep -q '\[root-disk\]' /tmp/said

handover doctor >/tmp/said
for code in root-disk management-nic console platform-function; do
	succeeds "doctor knows $code" grep -q "^$code " /tmp/said
done
figure rails-refused-$VM_DISK "$refusals"
