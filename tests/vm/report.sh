# SPDX-License-Identifier: GPL-2.0-or-later
# report.sh - how a guest speaks to `run`; its init sources it, whichever it is
#
# Of four serial ports: ttyS0 the kernel's console, ttyS1 what the script says,
# ttyS2 what init tells `run`. ttyS3 is QEMU's monitor, see cable in lib.sh.

tell() {
	local up _
	read -r up _ </proc/uptime
	echo "$* $up" >/dev/ttyS2
}

# run_script: runs /lab/script, tells its exit status, ends QEMU.
run_script() {
	local writer status _
	[ -f /lab/env ] && . /lab/env
	stty -F /dev/ttyS1 raw -echo
	stty -F /dev/ttyS2 raw -echo
	tell ready

	# Through a pipe: the script's output is no terminal, as in a task log. A
	# process left behind may keep it open, hence the limit on waiting for its end.
	exec 3> >(exec cat >/dev/ttyS1)
	writer=$!
	cd /root || exit
	setsid bash /lab/script </dev/null >&3 2>&1 3>&-
	status=$?
	exec 3>&-
	for _ in {1..40}; do
		kill -0 $writer 2>/dev/null || break
		sleep 0.05
	done
	stty -F /dev/ttyS1 raw    # returns when the port has sent everything
	tell "exit $status"
	stty -F /dev/ttyS2 raw

	# QEMU ends at a write to this port. An orderly power-off would take every
	# device's lock and so wait for ever for a script's stuck unbind.
	printf '\0' | dd of=/dev/port bs=1 seek=$((0xf4)) conv=notrunc 2>/dev/null
	poweroff -f
}
