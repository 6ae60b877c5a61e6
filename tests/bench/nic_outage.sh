# SPDX-License-Identifier: GPL-2.0-or-later
# nic_outage.sh - in the guest of nic-outage.
. /lab/lib.sh
. /lab/desk.sh

tap=tap100i0	# another VM's port of the bridge
ways=(idle floor stop leave ifreload seed)
declare -A gaps lost deleted
moved=()

title() {
	case $1 in
	idle) echo "nothing happens" ;;
	floor) echo "ip link set eno1 down; up" ;;
	stop) echo "handover, VM stop on the EliteDesk" ;;
	leave) echo "handover, the card must leave" ;;
	ifreload) echo "remove, rescan, ifreload -a" ;;
	seed) echo "5 x remove, rescan, restart networking" ;;
	esac
}

nic_profiles() {
	desk_profiles
	sed -i 's/8086:100e/8086:10d3/' /etc/handover/host.yaml /etc/handover/profiles/100.yaml
	cat >/etc/handover/profiles/102.yaml <<-'END'
	handover: 1
	accept: {management-nic: nic}
	devices: {nic: {id: "8086:10d3", at: "00:1f.6"}}
	pre-start:
	  - cycle: nic
	END
	printf 'management-nic = eno1\n' >>/etc/handover/handover.conf
}

plug_tap() {
	ip link show $tap >/dev/null 2>&1 || ip tuntap add $tap mode tap
	ip link set $tap master vmbr0 up
}

# -- the ways

way_idle() { sleep 1; }
way_floor() { ip link set eno1 down; ip link set eno1 up; }
way_stop() { handover --quiet 100 post-stop; }
way_leave() { handover --quiet 102 pre-start; }
way_ifreload() {
	echo 1 >"$pci/$nic/remove"
	echo 1 >/sys/bus/pci/rescan
	udevadm settle
	ifreload -a
}
way_seed() {
	local bdf
	for bdf in "${slot[@]}"; do
		echo 1 >"$pci/$bdf/remove"
	done
	echo 1 >/sys/bus/pci/rescan
	systemctl restart networking
}

# What is not measured, before and after.
prepare() {
	[ "$1" != stop ] || handover --quiet 100 pre-start || die "pre-start"
}
tidy() {
	[ "$1" != leave ] || handover --quiet 102 post-stop || die "post-stop"
	plug_tap
	wait_for "the gateway answers after $1" 30 gateway_answers
}

# longest_gap FILE: between two answers that `ping -D` wrote there, in ms.
longest_gap() {
	awk -F '[][]' '/bytes from/ { if (last && $2 - last > gap) gap = $2 - last; last = $2 } END { printf "%d", gap * 1000 }' "$1"
}

answered_since() {
	awk -F '[][]' -v since="$2" '/bytes from/ && $2 > since { n++ } END { exit n < 50 }' "$1"
}

measure() {
	local way=$1 pinger monitor done_at

	prepare "$way"
	ping -D -n -i 0.01 10.0.2.2 >/tmp/ping &
	pinger=$!
	ip monitor link >/tmp/links &
	monitor=$!
	wait_for "answers before $way" 30 answered_since /tmp/ping 0
	"way_$way" >/tmp/said 2>&1 || die "$way: $(cat /tmp/said)"
	done_at=$EPOCHREALTIME
	wait_for "answers after $way" 40 answered_since /tmp/ping "$done_at"
	{ kill -INT $pinger; wait $pinger; kill $monitor; wait $monitor; } 2>/dev/null
	gaps[$way]+=" $(longest_gap /tmp/ping)"
	[ "$(name_of /sys/class/net/$tap/master)" = vmbr0 ] || lost[$way]=$((${lost[$way]:-0} + 1))
	deleted[$way]=$((${deleted[$way]:-0} + $(grep -c 'Deleted.* eno1[:@]' /tmp/links)))
	tidy "$way"
}

median() {
	local sorted
	mapfile -t sorted < <(printf '%s\n' "$@" | sort -n)
	echo $(((sorted[($# - 1) / 2] + sorted[$# / 2]) / 2))
}

smallest() { printf '%s\n' "$@" | sort -n | head -n 1; }
largest() { printf '%s\n' "$@" | sort -n | tail -n 1; }

# -- how long handover itself takes, between the card's removal and its being up, without what the kernel does meanwhile

own_share() {
	CALLS_SAID=/tmp/calls LD_PRELOAD=/lab/libcalls.so handover --quiet 102 pre-start || die "pre-start"
	handover --quiet 102 post-stop
	wait_for "the gateway answers" 30 gateway_answers
	# It begins with the first "1" and its newline, which is for "remove"; the second is for "rescan". What the kernel does:
	# writes of workers, and messages to the kernel, which it answers before sendto() returns, once it has the lock of all
	# interfaces. From the end of the rescan until the last wait for an event, udev names the interface; what handover asks
	# and reads meanwhile takes nobody's time.
	sort -n /tmp/calls | awk '
		$3 == "handover-write" && $4 == "write" && $5 == 2 && begin && !found { found = $2 }
		$3 == "handover-write" && $4 == "write" && $5 == 2 && !begin { begin = $1 }
		begin && $3 == "handover-write" && $4 != "poll" { kernel += $2 - $1 }
		begin && !found && $3 == "handover-read" && $4 == "sendto" { kernel += $2 - $1 }
		found && $3 == "handover-read" && $4 == "sendto" { since += $2 - $1 }
		found && $3 == "handover" && $4 == "poll" && $5 <= 200 { named = $2 - found; since = 0 }
		found && $3 == "handover-write" && $4 == "sendto" { end = $2; others = kernel + since + named }
		END { printf "%d %d\n", (end - begin) / 1000, (end - begin - others) / 1000 }'
}

same "the system" running "$(systemctl is-system-running --wait)"
nic_profiles
wait_for "the gateway answers" 30 gateway_answers
handover --quiet boot || die "boot"
plug_tap
wait_for "the gateway answers" 30 gateway_answers
for ((pair = 0; pair < PAIRS; pair++)); do
	for way in "${ways[@]}"; do
		measure "$way"
	done
done

printf '\n| the longest time without an answer, of %d | median | smallest | largest | tap lost | card deleted |\n|---|---|---|---|---|---|\n' "$PAIRS"
for way in "${ways[@]}"; do
	# shellcheck disable=SC2086 # numbers
	printf '| %s | %d ms | %d ms | %d ms | %d | %d |\n' "$(title "$way")" "$(median ${gaps[$way]})" "$(smallest ${gaps[$way]})" \
		"$(largest ${gaps[$way]})" "${lost[$way]:-0}" "${deleted[$way]}"
done

own=()
for ((pair = 0; pair < PAIRS; pair++)); do
	read -r whole mine < <(own_share | tail -n 1)
	own+=("$mine")
	moved+=("$whole")
done
# shellcheck disable=SC2086 # numbers
{
	floor=$(median ${gaps[floor]})
	figure outage-leave-to-floor-percent $(($(median ${gaps[leave]}) * 100 / floor))
	figure outage-leave-to-seed-percent $(($(median ${gaps[leave]}) * 100 / $(median ${gaps[seed]})))
	figure outage-stop-to-idle-percent $(($(largest ${gaps[stop]}) * 100 / $(largest ${gaps[idle]})))
}
figure outage-move-ms "$(median "${moved[@]}")"
figure outage-own-share-ms "$(median "${own[@]}")"
