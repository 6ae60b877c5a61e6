#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# life.sh - installed, upgraded, removed and purged, in a chroot that it may use up
#
# /new and /older have a package each, /files says what is in it.
set -u
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive

failed=0
wants=/etc/systemd/system/multi-user.target.wants

# succeeds WHAT COMMAND...
succeeds() {
	local what=$1
	shift
	if "$@" >/tmp/said 2>&1; then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		sed 's/^/    /' /tmp/said
		failed=1
	fi
}

# fails WHAT COMMAND...
fails() {
	local what=$1
	shift
	succeeds "$what" eval "! $(printf '%q ' "$@")"
}

# apt WORD...: what it said is in /tmp/apt.
apt() {
	apt-get -y -qq -o Dpkg::Use-Pty=0 "$@" >/tmp/apt 2>&1
	local status=$?
	cat /tmp/apt
	return $status
}

installed() {
	dpkg-query -W -f '${Status}' handover 2>/dev/null | grep -qx 'install ok installed'
}

# same FILE SUM
same() {
	[ "$(sha256sum <"$1")" = "$2" ]
}

listing() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/lib/dpkg \
		-o -path /var/lib/apt -o -path /var/cache -o -path /var/log \) -prune -o -print | sort
}

no_unit_was_started() {
	! grep -E 'start|invoke|policy-rc.d' /tmp/apt
}

# --- installed -----------------------------------------------------------------------------------------------------

# Its libraries stay when it goes: what is compared in the end is ours.
succeeds "apt installs it with what it needs" apt install --no-install-recommends /new/handover_*.deb
apt purge handover >/dev/null
listing >/tmp/before
succeeds "it is installed anew" apt install /new/handover_*.deb
succeeds "no unit is started" no_unit_was_started
succeeds "it has the files of the list" diff /files <(dpkg -L handover | sed 's,^/lib/,/usr/lib/,' |
	while read -r f; do [ -d "$f" ] || echo "$f"; done | sort)
version=$(dpkg-query -W -f '${Version}' handover)
succeeds "the program says the package's version" test "$(handover --version)" = "handover $version"
succeeds "its folders are root's, and anybody may look" \
	test "$(stat -c '%U:%G %a' /etc/handover /etc/handover/profiles | sort -u)" = "root:root 755"
succeeds "its profiles are right" bash -c 'handover check /usr/share/handover/profiles/*.yaml /usr/share/handover/profiles/*/*.yaml'
succeeds "the policy as it comes says nothing" bash -c '! grep -E "^[^#[]" /etc/handover/handover.conf'
succeeds "what an earlier life left is cleared at boot" test -L $wants/handover-reconcile.service
fails "steps before the network are for the admin to enable" test -e $wants/handover-boot.service
succeeds "without a file for the boot, nothing is done" handover boot

# --- upgraded ------------------------------------------------------------------------------------------------------

apt purge handover >/dev/null
succeeds "an older one is installed" apt install /older/handover_*.deb
succeeds "it is older" test "$(handover --version)" = "handover 0.0.1"
succeeds "it is upgraded" apt install /new/handover_*.deb
succeeds "to this version" test "$(handover --version)" = "handover $version"
fails "a policy that nobody changed is the new one" grep -q 'Of the older version' /etc/handover/handover.conf
fails "what is not in it any more is gone" test -e /usr/share/handover/profiles/older.yaml

apt purge handover >/dev/null
apt install /older/handover_*.deb >/dev/null
sed -i 's/^#devices = .*/devices = 0000:03:00.0/' /etc/handover/handover.conf
echo 'handover: 1' >/etc/handover/profiles/100.yaml
ln -s /lib/systemd/system/handover-boot.service $wants/handover-boot.service
# A guest with its lease, and the process that watches over it: its hook is still running, as far as that can see.
mkdir -m 700 /run/handover /run/handover/lock
sleep 1000 &
hook=$!
printf 'handover-journal\t1\ngeneration\t1234567890abcdef\n' >/run/handover/100.journal
chmod 600 /run/handover/100.journal
/usr/libexec/handover-guard 100 1234567890abcdef $hook "$(cut -d' ' -f22 /proc/$hook/stat)" 90000 /usr/bin/handover &
guard=$!
policy=$(sha256sum </etc/handover/handover.conf)
journal=$(sha256sum </run/handover/100.journal)
succeeds "one that is in use is upgraded" apt -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
	install /new/handover_*.deb
succeeds "no unit is started, and none is stopped" no_unit_was_started
succeeds "the policy is the admin's" same /etc/handover/handover.conf "$policy"
succeeds "the admin's profile is there" grep -qx 'handover: 1' /etc/handover/profiles/100.yaml
succeeds "the boot's steps are enabled" test -L $wants/handover-boot.service
succeeds "the lease is as it was" same /run/handover/100.journal "$journal"
succeeds "who watches over it is the same process" kill -0 $guard
succeeds "of the program it was started from" \
	test "$(readlink /proc/$guard/exe)" = "/usr/libexec/handover-guard (deleted)"

# --- removed -------------------------------------------------------------------------------------------------------

fails "while something is lent it is not removed" apt remove handover
succeeds "it is said of whom" grep -q 'nobody could give back then: 100$' /tmp/apt
succeeds "and how to give it back" grep -q 'handover recover VMID' /tmp/apt
succeeds "it is still installed" installed
succeeds "and works" handover --version
succeeds "who watches is not disturbed" kill -0 $guard
succeeds "after a removal that was refused, an upgrade is possible" apt install --reinstall /new/handover_*.deb
kill $guard $hook
wait
rm -f /run/handover/100.journal
touch /run/handover/host.journal
mkdir -p /var/lib/handover/lock
touch /var/lib/handover/100.{conf.20261121-221500,hookscript} /var/lib/handover/lock/hookscripts

mkdir -p /etc/pve/nodes/{pve1,pve2}/{qemu-server,lxc} /var/lib/vz/snippets
ln -s nodes/pve1/qemu-server nodes/pve1/lxc /etc/pve/
ln -s /usr/bin/handover /var/lib/vz/snippets/handover
printf 'bios: ovmf\nhookscript: local:snippets/handover\n' >/etc/pve/nodes/pve1/qemu-server/100.conf
printf 'bios: ovmf\n\n[before]\nhookscript: local:snippets/handover\n' >/etc/pve/nodes/pve1/qemu-server/101.conf
printf 'hookscript: local:snippets/gpu.sh\n' >/etc/pve/nodes/pve1/qemu-server/102.conf
: >/etc/pve/nodes/pve1/qemu-server/103.conf
printf 'arch: amd64\nhookscript: nfs:snippets/handover\n[pve:pending]\n' >/etc/pve/nodes/pve2/lxc/200.conf
succeeds "it is removed" apt remove handover
succeeds "guests that name the hook are told, of each node, and no others" diff - <(grep ': .*snippets/' /tmp/apt) <<'END'
  pve1/qemu-server/100.conf: local:snippets/handover
  pve2/lxc/200.conf: nfs:snippets/handover
END
succeeds "it is said what Proxmox would do, and how to go on" \
	bash -c 'grep -q "hookscript ... does not exist" /tmp/apt && grep -q "qm set VMID --delete hookscript" /tmp/apt'
fails "the program is gone" test -e /usr/bin/handover
succeeds "policy and profiles stay" test -f /etc/handover/handover.conf -a -f /etc/handover/profiles/100.yaml
succeeds "guests' configurations are as they were" grep -q handover /etc/pve/nodes/pve1/qemu-server/100.conf

# --- purged --------------------------------------------------------------------------------------------------------

succeeds "it is purged" apt purge handover
succeeds "an admin's profile is not ours to take" test -f /etc/handover/profiles/100.yaml
fails "the policy is" test -e /etc/handover/handover.conf
fails "the link in the snippets folder goes" test -L /var/lib/vz/snippets/handover
fails "nothing is left in /run" test -e /run/handover
fails "nor of what was kept" test -e /var/lib/handover
rm -r /etc/handover /etc/pve
rmdir /var/lib/vz/snippets /var/lib/vz
succeeds "nothing else is left" diff /tmp/before <(listing)

succeeds "what nobody touched leaves nothing" bash -c 'apt-get -y -qq install /new/handover_*.deb && apt-get -y -qq purge handover'
succeeds "not even folders" diff /tmp/before <(listing)
exit $failed
