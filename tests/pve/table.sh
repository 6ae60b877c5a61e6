# SPDX-License-Identifier: GPL-2.0-or-later
# table.sh - what happens to guests, a row each; sourced by `run` (without devices) and tests/vm/t_pve.sh (with).
#
# Whoever sources it has sourced lib.sh, has put the program pve into $pve, and says in functions what it knows of its
# place: set_up (configurations and profiles anew), is_lent ID, is_home ID, break_start WHAT, mend_start. What happened is compared as words, see
# `pve` (pve.h, trace): "[PHASE" a hook is called, "N]" it ended with status N, and between them what the profile's own
# steps wrote; "start:ok", "stop:ok", "cleanup:ok" and so on are the ends of Proxmox's tasks.

# --- the one constant ------------------------------------------------------------------------------------------------
# yes: a lease that nobody ends goes back by itself, soon after a start that failed, or late where post-stop may still
# come. no: the guard is switched off, and the lease stays until the guest's next start or `handover recover`. Rows that
# say "needs guard" assert the one or the other.
guard=${PVE_GUARD:-yes}
guard_after=${PVE_GUARD_AFTER:-3}	# seconds that a post-stop has; the policy says so
guard_soon=${PVE_GUARD_SOON:-15}	# limits of the test's own
guard_late=$((guard_after + guard_soon))

seconds=${PVE_ROW_SECONDS:-20}		# how long words may take to come
trace=/run/pve/trace
vm=100
ct=200

# Words of a life. The profile's steps say lend, started, stopping, back.
lend='[pre-start lend 0]'
up="$lend [post-start started 0] start:ok"
asked='[pre-stop stopping 0]'
back='[post-stop back 0]'
gone="$back cleanup:ok"			# QEMU ended by itself

# old|new WORDS: of one generation only.
old() {
	[ "$PVE_GENERATION" != old ] || echo "$*"
}

new() {
	[ "$PVE_GENERATION" != new ] || echo "$*"
}

# What a stop through Proxmox leaves.
stopped() {
	old "$asked stop:ok $back cleanup:ok"
	new "$asked $back stop:ok cleanup:nothing"
}

# Where the guard has QEMU's pidfd, it has seen it run; a QEMU that is gone before that was a start that failed.
guard_sees_qemu() {
	local lock
	for lock in /run/handover/lock/guard-*; do
		[ ! -e "$lock" ] || readlink "/proc/$(cat "$lock")"/fd/* 2>/dev/null | grep -q pidfd || return 1
	done
}

qm() {
	"$pve" qm "$1" "${2:-$vm}" "${@:3}" || return
	[ "$1" != start ] && [ "$1" != rollback ] || wait_for "the guard has seen QEMU" "$seconds" guard_sees_qemu
}

pct() {
	"$pve" pct "$1" "${2:-$ct}" "${@:3}"
}

# qmeventd [NAME=VALUE...]: from now on there is one, of these settings.
qmeventd() {
	no_qmeventd
	rm -f /run/qmeventd.sock
	env PVE_EXIT_S=1 "$@" "$pve" qmeventd >>/run/pve/qmeventd.log 2>&1 &
	echo $! >/run/pve/qmeventd.pid
	disown
	until [ -S /run/qmeventd.sock ]; do sleep 0.02; done
}

# It ends, with the `qm cleanup` that it has started.
no_qmeventd() {
	[ ! -e /run/pve/qmeventd.pid ] || { kill -KILL -- "-$(cat /run/pve/qmeventd.pid)"; rm /run/pve/qmeventd.pid; } 2>/dev/null
}

# What came so far, on one line. When the guard does the steps of post-stop, between two calls of a hook, is its own
# affair; whether it may is asked by lent and home. In a place whose profiles have no steps, their words are not wanted.
seen() {
	local words=() said=() word inside=
	[ ! -e $trace ] || mapfile -t words <$trace
	for word in "${words[@]}"; do
		case $word in
		'['*) inside=yes ;;
		back) [ -n "$inside" ] || continue ;;
		esac
		said+=("$word")
		[[ $word != *']' ]] || inside=
	done
	echo "${said[*]}"
}

wanted() {
	local word words=()
	for word in $*; do
		case $word in
		lend | started | stopping | back) [ -z "${without_steps:-}" ] || continue ;;
		esac
		words+=("$word")
	done
	echo "${words[*]}"
}

has_come() {
	[ "$(seen)" = "$1" ]
}

# came WORDS: these, and no others, in this order.
came() {
	local words end=$((SECONDS + seconds + 1))
	words=$(wanted "$*")
	until has_come "$words"; do
		[ $SECONDS -lt $end ] || die "wanted: $words; seen: $(seen)"
		sleep 0.05
	done
}

lent() {
	is_lent "${1:-$vm}" || die "${2:-it} is not lent"
}

# stays_lent [ID]: longer than any guard would wait.
stays_lent() {
	lent "${1:-$vm}"
	[ "$guard" != yes ] || sleep $((guard_after + 1))
	lent "${1:-$vm}"
}

no_guard() {
	! compgen -G '/run/handover/lock/guard-*' >/dev/null
}

# Nothing is left: no change, no lease, no process.
home() {
	is_home "${1:-$vm}" || die "it is not as it was"
	[ ! -e "/run/handover/${1:-$vm}.journal" ] || die "there is still a lease: $(handover status "${1:-$vm}")"
	wait_for "no guard is left" "$seconds" no_guard
}

is_over() {
	[ ! -e "/run/handover/$1.journal" ] && is_home "$1" >/dev/null
}

# forgotten soon|late [ID]: needs guard. Nobody calls post-stop any more, after a start that failed or where it may still
# come.
forgotten() {
	local id=${2:-$vm} limit=guard_$1
	if [ "$guard" = yes ]; then
		wait_for "the guard gives it back" "${!limit}" is_over "$id"
	else
		lent "$id"
		wait_for "it is given back" "$seconds" handover recover "$id"
	fi
	home "$id"
}

fails_to() {
	"$@" && die "'$*' succeeds"
	return 0
}

# --- the rows ---------------------------------------------------------------------------------------------------------

. "${BASH_SOURCE[0]%/*}/rows_vm.sh"
. "${BASH_SOURCE[0]%/*}/rows_ct.sh"

vm_rows='start-hook-fails start-hookscript-absent start-device-missing start-device-reserved start-bind-fails
	start-qemu-exits start-qemu-exits-late start-fails-then-starts start-task-stopped start-config-locked
	guard-is-asked-for
	stop shutdown guest-poweroff crash guest-reboot qm-reset guest-reboot-0 qm-reset-reboot-0 qm-reboot slow-exit
	quick-restart cleanup-without-lock no-qmeventd host-shutdown config-gone post-start-fails
	hibernate-refused hibernate backup-of-stopped backup-stop-mode backup-of-template migration-target
	migration-fails migration-source rollback live-restore clone recover-while-it-runs
	contract contract-migration contract-pipes contract-hang'
# Those that need the guard, in one of the generations at least.
guarded_rows='start-device-missing start-device-reserved start-bind-fails start-qemu-exits start-qemu-exits-late
	start-fails-then-starts start-task-stopped slow-exit quick-restart cleanup-without-lock no-qmeventd host-shutdown
	config-gone backup-stop-mode migration-fails migration-source rollback'
guarded_ct_rows='ct-start-fails ct-start-fails-then-starts'
# pve-container has but one way.
ct_rows='ct-stop ct-shutdown ct-poweroff ct-crash ct-reboot-inside ct-reboot ct-start-fails ct-start-fails-then-starts
	ct-recover-while-it-runs ct-recover-under-lock contract-ct'

# --- running them ----------------------------------------------------------------------------------------------------

n_rows=0
n_failed=0

clear_away() {
	local pidfile
	no_qmeventd
	for pidfile in /run/qemu-server/*.pid /run/pve/ct-*.pid; do
		[ ! -s "$pidfile" ] || kill -KILL "$(cat "$pidfile")" 2>/dev/null
	done
	rm -rf /run/qemu-server /run/pve /run/lock/qemu-server /run/lock/lxc /sys/fs/cgroup/lxc*/$ct
	mkdir -p /run/qemu-server /run/pve /run/lock/qemu-server /run/lock/lxc
	rm -rf /etc/pve/nodes /etc/pve/qemu-server /etc/pve/lxc
	mkdir -p /etc/pve/qemu-server /etc/pve/lxc
	ln -sfn "$(command -v handover)" /var/lib/vz/snippets/handover
}

# rows GENERATION ROW...: each by itself, and all of them, whatever becomes of one.
rows() {
	local row log=/tmp/pve-row.log
	export PVE_GENERATION=$1
	shift
	for row; do
		clear_away
		set_up
		qmeventd
		n_rows=$((n_rows + 1))
		if ("row_${row//-/_}") >$log 2>&1; then
			echo "ok $PVE_GENERATION $row"
		else
			n_failed=$((n_failed + 1))
			echo "FAILED $PVE_GENERATION $row: $(grep '^FAILED' $log)"
			cat $log
			[ ! -e /run/pve/qmeventd.log ] || sed 's/^/qmeventd: /' /run/pve/qmeventd.log
		fi
	done
	clear_away
}
