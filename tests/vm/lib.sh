# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - what the guest's scripts share; source it: . /lab/lib.sh
#
# Plain bash wherever it can be: in an emulated guest every program started
# costs some 50 ms, and a snapshot looks at a dozen devices.

pci=/sys/bus/pci/devices

# ok DESC: one more thing is as it should be.
ok() {
	echo "ok $*"
}

# die DESC: it is not; the script ends here.
die() {
	echo "FAILED $*"
	exit 1
}

# same DESC WANTED SEEN
same() {
	[ "$2" = "$3" ] || die "$1: wanted '$2', seen '$3'"
	ok "$1: $3"
}

# succeeds DESC COMMAND..., fails DESC COMMAND...
succeeds() {
	local desc=$1
	shift
	"$@" || die "$desc: '$*' exits with $?"
	ok "$desc"
}

fails() {
	local desc=$1
	shift
	"$@" && die "$desc: '$*' succeeds"
	ok "$desc"
}

# wait_for DESC SECONDS COMMAND...: COMMAND succeeds within SECONDS.
wait_for() {
	local desc=$1 end=$((SECONDS + $2 + 1))
	shift 2
	until "$@"; do
		[ $SECONDS -lt $end ] || die "$desc: '$*' not true in time"
		sleep 0.05
	done
	ok "$desc"
}

# figure NAME VALUE: a measurement, for whoever collects them.
figure() {
	echo "figure $1 $2"
}

# now_ms: milliseconds, for differences.
now_ms() {
	echo $((${EPOCHREALTIME/.} / 1000))
}

# put VALUE FILE: one value into a file of sysfs. Fails quietly if it is refused.
put() {
	{ echo "$1" >"$2"; } 2>/dev/null
}

# value_of FILE: its first line; - if it is absent, empty, unreadable or (null).
value_of() {
	local value=
	[ -r "$1" ] && read -r value 2>/dev/null <"$1"
	case $value in
	'' | '(null)') echo - ;;
	*) echo "$value" ;;
	esac
}

# name_of LINK: the last part of where it points; - if there is none.
name_of() {
	if cd -P "$1" 2>/dev/null; then
		echo "${PWD##*/}"
		cd "$OLDPWD" || return
	else
		echo -
	fi
}

# All of these take a full address, 0000:01:00.0, and print - for nothing.
driver_of() {
	name_of "$pci/$1/driver"
}

group_of() {
	name_of "$pci/$1/iommu_group"
}

override_of() {
	value_of "$pci/$1/driver_override"
}

ids_of() {
	local vendor device
	vendor=$(value_of "$pci/$1/vendor")
	device=$(value_of "$pci/$1/device")
	echo "${vendor#0x}:${device#0x}"
}

# members_of BDF: every device of its group, sorted, separated by commas.
members_of() {
	local members=() member
	for member in "$pci/$1"/iommu_group/devices/*; do
		[ -e "$member" ] && members+=("${member##*/}")
	done
	local IFS=,
	echo "${members[*]:--}"
}

# nic_of BDF: name, MTU, master and "up" of each of its network interfaces.
nic_of() {
	local dir nics=()
	for dir in "$pci/$1"/net/*; do
		[ -e "$dir" ] || continue
		nics+=("${dir##*/}/$(value_of "$dir/mtu")/$(name_of "$dir/master")/$(up_of "$dir")")
	done
	local IFS=,
	echo "${nics[*]:--}"
}

# up_of FOLDER: whether the interface of that folder of sysfs was put up.
up_of() {
	local flags
	flags=$(value_of "$1/flags")
	[ $((${flags/#-/0} & 1)) -eq 1 ] && echo up || echo down
}

# life_of BDF: a number that is never given out twice; removed and found again, a function has another.
life_of() {
	stat -L -c %i "$pci/$1" 2>/dev/null || echo -
}

# snapshot: what must come back as it was of each PCI function, its network interface included; a line for each thing,
# which begins with the function's address. Group numbers are not in it: the kernel hands them out anew.
snapshot() (
	shopt -s nullglob
	cd "$pci" || exit
	stat -c '%n %N' */driver */net/*/master
	printf '%s\n' */iommu_group/devices/*
	grep -sH . */{vendor,device,driver_override,reset_method,power/control,d3cold_allowed,sriov_numvfs} \
		*/net/*/{mtu,flags}
)

# state_of PID: R, S, ...; D if it hangs in the kernel; - if it is gone.
state_of() {
	local line
	read -r line 2>/dev/null <"/proc/$1/stat" || { echo -; return; }
	line=${line##*) }
	echo "${line%% *}"
}

# cable NETDEV off|on: pulls or plugs in the cable of the topology's netdev of that id, by QEMU's monitor (QMP, see
# `run`). Fails if QEMU refuses. In a process of its own, or the port would become the script's terminal.
cable() (
	up=true
	[ "$2" = on ] || up=false
	exec {monitor}<>/dev/ttyS3
	stty raw -echo <&"$monitor"
	# What the port sent back before it was told not to is a command half begun; the first byte ends that.
	printf '\xff\n{"execute": "qmp_capabilities"}\n' >&"$monitor"
	printf '{"execute": "set_link", "arguments": {"name": "%s", "up": %s}, "id": "cable"}\n' "$1" $up >&"$monitor"
	while read -r -t 20 line <&"$monitor"; do
		case $line in
		*'"id": "cable"'*)
			[[ $line = *'"return"'* ]]
			exit
			;;
		esac
	done
	exit 1
)
