# SPDX-License-Identifier: GPL-2.0-or-later
# host.sh [ROW...] - the table on a host without devices; started by run, inside its namespace.
here=${BASH_SOURCE[0]%/*}
. "$here/../vm/lib.sh"
. "$here/table.sh"

# What a profile's steps run: one more word, and what is "lent" is a file.
cat >/etc/handover/step <<'S'
#!/bin/sh
# step ID WORD
echo "$2" >>/run/pve/trace
case $2 in
lend)
	touch "/run/pve/lent-$1"
	[ ! -e /run/pve/slow ] || sleep 8
	[ ! -e /run/pve/fail ]
	;;
started) [ ! -e /run/pve/fail-started ] ;;
back) rm -f "/run/pve/lent-$1" ;;
esac
S
chmod 755 /etc/handover/step
printf 'guard = %s\n[timeouts]\npost-stop = %ss\n[allow]\nrun = /etc/handover/step\n' "$guard" "$guard_after" \
	>/etc/handover/handover.conf

for id in $vm $ct; do
	{
		echo "handover: 1"
		for step in pre-start:lend post-start:started pre-stop:stopping post-stop:back; do
			printf '%s:\n  - run: [/etc/handover/step, "%s", %s]\n' "${step%:*}" $id "${step#*:}"
		done
	} >/etc/handover/profiles/$id.yaml
done

set_up() {
	rm -rf /run/handover
	echo 'hookscript: local:snippets/handover' >/etc/pve/qemu-server/$vm.conf
	cp /etc/pve/qemu-server/$vm.conf /etc/pve/lxc/$ct.conf
}

# There are no devices: Proxmox says of its own what is wrong with them.
break_start() {
	export PVE_FAIL=$1
}

mend_start() {
	unset PVE_FAIL
}

is_lent() {
	[ -e "/run/pve/lent-$1" ] && [ -e "/run/handover/$1.journal" ]
}

is_home() {
	[ ! -e "/run/pve/lent-$1" ]
}

if [ $# -gt 0 ]; then
	rows old "$@"
	rows new "$@"
elif [ "$guard" = no ]; then
	# shellcheck disable=SC2086 # lists of words
	rows old $guarded_rows
	rows new $guarded_rows $guarded_ct_rows
else
	# shellcheck disable=SC2086 # lists of words
	rows old $vm_rows
	rows new $vm_rows $ct_rows
fi
if [ "$guard" = yes ]; then
	figure pve-rows $n_rows
else
	figure pve-rows-without-guard $n_rows
fi
[ $n_failed -eq 0 ]
