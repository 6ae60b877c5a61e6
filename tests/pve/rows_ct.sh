# SPDX-License-Identifier: GPL-2.0-or-later
# rows_ct.sh - what happens to containers, and whether the emulation keeps its own promises; see table.sh.

# --- containers ------------------------------------------------------------------------------------------------------

row_ct_stop() {
	pct start
	lent $ct
	pct stop
	came "$up $asked $back lxc:gone stop:ok"
	home $ct
}

row_ct_shutdown() {
	pct start
	pct shutdown
	came "$up $asked $back lxc:gone stop:ok"
	home $ct
}

row_ct_poweroff() {
	pct start
	pct guest $ct poweroff
	came "$up $back lxc:gone"
	home $ct
}

row_ct_crash() {
	pct start
	pct guest $ct crash
	came "$up $back lxc:gone"
	home $ct
}

row_ct_reboot_inside() {
	pct start
	pct guest $ct reboot
	came "$up reset"
	lent $ct
	pct stop
	came "$up reset $asked $back lxc:gone stop:ok"
	home $ct
}

row_ct_reboot() {
	pct start
	pct reboot
	came "$up $asked $back lxc:gone reboot:ok $up"
	lent $ct
	pct stop
	home $ct
}

# needs guard
row_ct_start_fails() {
	PVE_FAIL=lxc fails_to pct start
	came "$lend start:lxc"
	forgotten soon $ct
}

row_ct_start_fails_then_starts() {
	PVE_FAIL=lxc fails_to pct start
	pct start || die "it does not start"
	[ "$guard" = yes ] || came "$lend start:lxc [pre-start back lend 0] ${up#"$lend "}"
	stays_lent $ct
	pct stop
	home $ct
}

row_ct_recover_while_it_runs() {
	pct start
	handover recover || die "recover: $?"
	lent $ct
	pct stop
	home $ct
}

row_ct_recover_under_lock() {
	pct start
	exec 7<>/run/lock/lxc/pve-config-$ct.lock
	flock 7
	handover recover $ct
	same "recover under Proxmox's lock" 4 $?
	lent $ct
	exec 7<&-
	pct stop
	home $ct
}

# --- the emulation itself: does a hook see what section 1 of the facts says? ----------------------------------------

# hook TEXT: what is called in handover's place.
hook() {
	rm /var/lib/vz/snippets/handover
	printf '#!/bin/sh\n%s\n' "$1" >/run/pve/hook
	chmod 755 /run/pve/hook
	ln -s /run/pve/hook /var/lib/vz/snippets/handover
}

# At each phase, what is there; a word of the lock each.
contract='{ echo "$0 $# $1 $2"; echo "$LC_ALL $LVM_SUPPRESS_FD_WARNINGS $PATH ${PVE_MIGRATED_FROM-absent}"
	echo "$(pwd) $(umask)"; read -r line || echo "stdin ends"
	for fd in /proc/self/fd/*; do [ ! -e "$fd" ] || readlink "$fd"; done | grep -c -e lock- -e .lock$
	flock -n -s /run/lock/qemu-server/lock-100.conf true && echo free || echo held; } >>/run/pve/seen
echo on stdout; echo on stderr >&2'

told() {
	printf '%s\n' "/var/lib/vz/snippets/handover 2 $vm $1" "C 1 /sbin:/bin:/usr/sbin:/usr/bin $2" "/ 0022" "stdin ends" 0 "$3"
}

row_contract() {
	hook "$contract"
	qm start 2>/run/pve/said
	same "both pipes are copied" "on stderr on stderr on stdout on stdout " "$(sort /run/pve/said | tr '\n' ' ')"
	qm stop
	came "[pre-start 0] [post-start 0] start:ok [pre-stop 0] $(old 'stop:ok [post-stop 0] cleanup:ok
		' && new '[post-stop 0] stop:ok cleanup:nothing')"
	{ told pre-start '' held; told post-start '' held; told pre-stop absent held; told post-stop absent held; } |
		diff - /run/pve/seen || die "the hook sees something else"
}

row_contract_migration() {
	hook "$contract"
	qmeventd PVE_PERL_MS=${perl_ms:-500}
	to_other_node
	qm migrate-in $vm other fail
	came "[pre-start 0] [post-start 0] start:ok $(old stop:ok && new '[post-stop 0] stop:ok') cleanup:no-config"
	{ told pre-start other held; told post-start other held; new "$(told post-stop absent free)"; } |
		diff - /run/pve/seen || die "the hook sees something else"
}

row_contract_ct() {
	hook "echo \$2 \${PVE_MIGRATED_FROM-absent} \$(flock -n /run/lock/lxc/pve-config-$ct.lock true && echo free || echo held) \\
		>>/run/pve/seen; echo on stdout; echo on stderr >&2"
	pct start 2>/dev/null
	pct guest $ct poweroff
	came '[pre-start 0] [post-start 0] start:ok [post-stop 0] lxc:gone'
	same "the hooks" "pre-start absent held post-start absent held post-stop absent free " "$(tr '\n' ' ' </run/pve/seen)"
	same "what post-stop says" "on stderr" "$(cat /run/pve/ct-$ct.stderr)"
}

# A child that keeps a pipe keeps the start; one that has its own descriptors does not, unless it is in the task's group.
row_contract_pipes() {
	hook '[ $2 != pre-start ] || sleep 3 &'
	qm start
	came '[pre-start holds-pipe 0] [post-start 0] start:ok'
	hook '[ $2 != post-stop ] || { echo $$ >/run/pve/group; sleep 100 </dev/null >/dev/null 2>&1 & echo $! >/run/pve/child; }'
	qm stop
	wait_for "it is stopped" "$seconds" test -s /run/pve/child
	[ "$PVE_GENERATION" = old ] || wait_for "what is in the task's group is killed" 3 test ! -e "/proc/$(cat /run/pve/child)/exe"
	kill "$(cat /run/pve/child)" 2>/dev/null || :
}

row_contract_hang() {
	hook 'exec sleep 100'
	PVE_HOOK_S=1 fails_to qm start
	came '[pre-start hangs signal-9] start:hook'
}
