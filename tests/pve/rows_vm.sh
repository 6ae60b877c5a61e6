# SPDX-License-Identifier: GPL-2.0-or-later
# rows_vm.sh - what happens to VMs; see table.sh.

# --- starts that fail ------------------------------------------------------------------------------------------------

row_start_hook_fails() {
	touch /run/pve/fail
	fails_to qm start
	came '[pre-start lend back 1] start:hook'
	home
}

row_start_hookscript_absent() {
	rm /var/lib/vz/snippets/handover
	fails_to qm start
	came '[pre-start absent] start:hook'
	home
}

# needs guard, and the three below it
row_start_device_missing() {
	break_start missing
	fails_to qm start
	came "$lend start:missing"
	mend_start
	forgotten soon
}

row_start_device_reserved() {
	break_start reserved
	fails_to qm start
	came "$lend start:reserved"
	mend_start
	forgotten soon
}

row_start_bind_fails() {
	break_start bind
	fails_to qm start
	came "$lend ${own_bind:-} start:bind"
	mend_start
	forgotten soon
}

row_start_qemu_exits() {
	PVE_FAIL=qemu fails_to qm start
	came "$lend start:qemu"
	forgotten soon
}

# QEMU ends after it has spoken to qmeventd. Needs guard in the new generation.
row_start_qemu_exits_late() {
	PVE_FAIL=handshake fails_to qm start
	if [ "$PVE_GENERATION" = new ]; then
		came "$lend start:qemu cleanup:nothing"
		forgotten soon
	elif [ "$guard" = yes ]; then
		forgotten soon
	else
		came "$lend start:qemu $gone"
		home
	fi
}

# The next start does what nobody did before; with a guard, either of the two.
row_start_fails_then_starts() {
	PVE_FAIL=qemu fails_to qm start
	qm start || die "it does not start"
	[ "$guard" = yes ] || came "$lend start:qemu [pre-start back lend 0] ${up#"$lend "}"
	stays_lent
	qm stop
	home_after_stop
}

home_after_stop() {
	wait_for "it is stopped" "$seconds" is_over "${1:-$vm}"
	home "${1:-$vm}"
}

# "Stop" in the GUI while pre-start is at work: its process group is killed. Needs guard.
row_start_task_stopped() {
	touch /run/pve/slow
	"$pve" qm start $vm &
	wait_for "pre-start is at it" "$seconds" grep -q lend $trace
	"$pve" stop-task $vm
	wait
	came '[pre-start lend'
	forgotten soon
}

row_start_config_locked() {
	echo 'lock: migrate' >>/etc/pve/qemu-server/$vm.conf
	fails_to qm start
	came 'start:locked'
	home
}

# Whether a guard watches is asked by taking its lock for a moment, which may be the one in which it takes it itself.
row_guard_is_asked_for() {
	local generation=0123456789abcdef guard
	guard=$(dirname "$(readlink -f "$(command -v handover)")")/handover-guard
	mkdir -p -m 700 /run/handover/lock
	: >/run/handover/lock/guard-$generation
	exec 7</run/handover/lock/guard-$generation
	flock -s 7
	"$guard" $vm $generation $$ 0 1000 /bin/false 7<&- &
	sleep 0.3
	exec 7<&-
	wait $!
	same "a guard without a lease ends" 0 $?
	home
}

# --- stops -----------------------------------------------------------------------------------------------------------

row_stop() {
	qm start
	came "$up"
	lent
	qm stop
	came "$up $(stopped)"
	home
}

row_shutdown() {
	qm start
	qm shutdown
	came "$up $(stopped)"
	home
}

row_guest_poweroff() {
	qm start
	qm guest $vm poweroff
	came "$up $gone"
	home
}

row_crash() {
	qm start
	qm guest $vm crash
	came "$up $gone"
	home
}

row_guest_reboot() {
	qm start
	qm guest $vm reboot
	came "$up reset"
	lent
	qm stop
	home_after_stop
}

row_qm_reset() {
	qm start
	qm guest $vm reset
	came "$up reset"
	lent
	qm stop
	home_after_stop
}

row_guest_reboot_0() {
	echo 'reboot: 0' >>/etc/pve/qemu-server/$vm.conf
	qm start
	qm guest $vm reboot
	came "$up $gone"
	home
}

row_qm_reset_reboot_0() {
	echo 'reboot: 0' >>/etc/pve/qemu-server/$vm.conf
	qm start
	qm guest $vm reset
	came "$up $gone"
	home
}

row_qm_reboot() {
	qm start
	qm reboot
	came "$up $(old "$asked reboot:ok $gone" && new "$asked $back reboot:ok cleanup:nothing") $up"
	lent
	qm stop
	home_after_stop
}

# needs guard in the old generation: QEMU has gone from qmeventd's sight, and not from the host.
row_slow_exit() {
	qmeventd PVE_EXIT_S=10
	PVE_SLOW_S=2 qm start
	qm guest $vm poweroff
	came "$up $(old cleanup:runs && new "$gone")"
	if [ "$PVE_GENERATION" = old ]; then
		lent
		handover recover $vm || die "recover while QEMU is there: $?"
		lent
		wait_for "QEMU has gone" "$seconds" test ! -e /run/qemu-server/$vm.pid
		forgotten late
	fi
	home
}

# The new pre-start comes before the old post-stop, which never comes.
row_quick_restart() {
	qmeventd PVE_PERL_MS=${perl_ms:-1000}
	qm start
	qm stop && qm start || die "it does not start again"
	came "$up $(old "$asked stop:ok [pre-start back lend 0] ${up#"$lend "}"
		new "$asked $back stop:ok $up") cleanup:runs"
	stays_lent
	qm stop
	home_after_stop
}

# Who waits for the lock too long gives up. Needs guard.
row_cleanup_without_lock() {
	qmeventd PVE_CLEANUP_LOCK_S=1
	qm start
	exec 7<>/run/lock/qemu-server/lock-$vm.conf
	flock 7
	qm guest $vm poweroff
	came "$up cleanup:no-flock"
	lent
	handover recover $vm
	same "recover under Proxmox's lock" 4 $?
	lent
	stays_lent
	exec 7<&-
	forgotten late
}

# needs guard in the old generation
row_no_qmeventd() {
	no_qmeventd
	qm start
	qm stop
	came "$up $(old "$asked stop:ok" && new "$asked $back stop:ok")"
	[ "$PVE_GENERATION" = new ] || forgotten late
	home
}

# needs guard in the old generation: what qmeventd has started ends with it.
row_host_shutdown() {
	qmeventd PVE_PERL_MS=${perl_ms:-500}0
	qm start
	qm shutdown
	no_qmeventd
	came "$up $(old "$asked stop:ok" && new "$asked $back stop:ok")"
	[ "$PVE_GENERATION" = new ] || forgotten late
	home
}

# needs guard
row_config_gone() {
	qm start
	rm /etc/pve/qemu-server/$vm.conf
	qm guest $vm poweroff
	came "$up cleanup:no-config"
	forgotten late
}

# A hook that fails once the VM runs is a warning, and keeps nothing back.
row_post_start_fails() {
	touch /run/pve/fail-started
	qm start || die "it does not start"
	came '[pre-start lend 0] [post-start started 1] start:ok'
	lent
	qm stop
	home_after_stop
}

# --- more than starts and stops --------------------------------------------------------------------------------------

row_hibernate_refused() {
	qm start
	echo 'hostpci0: 0000:7f:1f.7' >>/etc/pve/qemu-server/$vm.conf
	fails_to qm suspend
	came "$up suspend:refused"
	lent
	qm stop
	home_after_stop
}

row_hibernate() {
	qm start
	qm suspend
	came "$up $(old "suspend:ok $gone" && new "suspend:ok $gone")"
	home
	qm start || die "it does not start again"
	lent
	qm stop
	home_after_stop
}

row_backup_of_stopped() {
	qm backup
	came "$up $(stopped)"
	home
}

row_backup_stop_mode() {
	qmeventd PVE_PERL_MS=${perl_ms:-1000}
	qm start
	qm backup
	came "$up $(old "$asked stop:ok [pre-start back lend 0] ${up#"$lend "}"
		new "$asked $back stop:ok $up") cleanup:runs"
	lent
	qm stop
	home_after_stop
}

# Its QEMU has no device, so none is handed over.
row_backup_of_template() {
	echo 'template: 1' >>/etc/pve/qemu-server/$vm.conf
	qm backup
	came "[pre-start 0] start:ok [pre-stop 0] $(old 'stop:ok [post-stop 0] cleanup:ok'
		new '[post-stop 0] stop:ok cleanup:nothing')"
	home
}

to_other_node() {
	mkdir -p /etc/pve/nodes/other/qemu-server
	mv /etc/pve/qemu-server/$vm.conf /etc/pve/nodes/other/qemu-server
}

row_migration_target() {
	to_other_node
	qm migrate-in $vm other || die "it does not start"
	came "$up"
	lent
	qm stop
	came "$up $(stopped)"
	home
}

# needs guard in the old generation
row_migration_fails() {
	qmeventd PVE_PERL_MS=${perl_ms:-500}
	to_other_node
	qm migrate-in $vm other fail
	came "$up $(old stop:ok && new "$back stop:ok") cleanup:no-config"
	[ "$PVE_GENERATION" = new ] || forgotten late
	home
}

# needs guard: on the source nobody is called at all.
row_migration_source() {
	qmeventd PVE_PERL_MS=${perl_ms:-500}
	qm start
	qm migrate-away
	came "$up stop:ok cleanup:no-config"
	forgotten late
}

row_rollback() {
	qm start
	PVE_ROLLBACK_MS=700 qm rollback
	came "$up $(old "$asked stop:ok cleanup:rollback [pre-start back lend 0] ${up#"$lend "}"
		new "$asked $back stop:ok cleanup:rollback $up")"
	lent
	qm stop
	home_after_stop
}

# The lock is kept all through the restore, and QEMU runs under it.
row_live_restore() {
	PVE_RESTORE_MS=1500 "$pve" qm start $vm &
	came "$up"
	lent
	handover recover $vm
	same "recover under Proxmox's lock" 4 $?
	wait
	lent
	qm stop
	home_after_stop
}

# A clone has the hookscript and no profile: nothing is lent to it, and nothing taken from the other.
row_clone() {
	qm start
	cp /etc/pve/qemu-server/$vm.conf /etc/pve/qemu-server/101.conf
	came "$up"
	qm start 101 || die "the clone does not start"
	came "$up [pre-start 0] [post-start 0] start:ok"
	lent
	qm stop 101
	lent
	qm stop
	home_after_stop
}

row_recover_while_it_runs() {
	qm start
	handover recover || die "recover: $?"
	lent
	fails_to qm start
	came "$up start:runs"
	lent
	qm stop
	home_after_stop
}
