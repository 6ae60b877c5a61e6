#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# setup.sh - everything a fresh Debian machine needs, then the job
#
#   ./setup.sh run      the main job: a boot and a VM's three lives, rehearsed on the host of an EliteDesk
#   ./setup.sh test     all tests; the last line says how many passed and failed
#   ./setup.sh install  builds and installs handover on this host
#   ./setup.sh deb      builds a Debian package, handover_VERSION_amd64.deb, in build-deb or the folder given
#
# `test --short` is what needs neither QEMU nor a kernel, with the compiler in CC: for a container, of Debian 12 or 13.
# `test --long` builds and lints the package in chroots of both, goes through its life there, and runs the short tests.
# Packages are installed by name with apt-get, and only those that are missing.
set -eu
cd "$(dirname "$(readlink -f "$0")")"
# Debian's own tools, whatever else a machine has in its PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C.UTF-8

build_packages="gcc libc6-dev meson ninja-build pkg-config libyaml-dev libpci-dev libkmod-dev libmnl-dev libblkid-dev libsystemd-dev libjson-c-dev libinih-dev scdoc pci.ids"
short_packages="libcmocka-dev python3 python3-yaml python3-jsonschema bash util-linux mount strace"
package_packages="debhelper dpkg-dev fakeroot"
test_packages="$short_packages $package_packages clang llvm libclang-rt-14-dev cppcheck qemu-system-x86 linux-image-amd64 linux-headers-amd64 make
	busybox-static kmod pciutils iproute2 ethtool zstd mmdebstrap e2fsprogs lintian reuse shellcheck"

say() {
	printf '== %s\n' "$*"
}

need() {
	missing=
	for package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "setup.sh: run as root, or install first:$missing" >&2
		exit 1
	fi
	say "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	# A source that cannot be used, as Proxmox's own without a subscription, matters only if a package is missing then.
	apt-get update -qq || say "apt-get update had errors; going on with what is known"
	# shellcheck disable=SC2086 # a list of words
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# configured FOLDER OPTION...: a build folder of these options.
configured() {
	folder=$1
	shift
	[ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >/dev/null
}

build() {
	# shellcheck disable=SC2086
	need $build_packages
	configured build-plain -Dtests=false
	ninja -C build-plain --quiet
}

run() {
	build
	build-plain/handover rehearse profiles/elitedesk/100.yaml --boot profiles/elitedesk/host.yaml --host tests/hosts/elitedesk.host
}

# suite NAME FOLDER OPTION...: runs it; what failed is printed at once, everything is counted at the end.
suite() {
	name=$1
	folder=$2
	shift 2
	say "$name"
	meson test -C "$folder" --no-stdsplit --print-errorlogs "$@" || true
	logs="$logs $name=$folder/meson-logs/$(basename "$folder")-$name.json"
	mv "$folder/meson-logs/testlog.json" "$folder/meson-logs/$(basename "$folder")-$name.json"
}

run_tests() {
	# shellcheck disable=SC2086
	need $build_packages $test_packages
	logs=
	export VM_TESTS=require
	say "building with gcc, and with clang and its sanitizers"
	configured build --werror
	ninja -C build --quiet
	CC=clang configured build-sanitized --werror -Db_sanitize=address,undefined -Dfuzz=true
	ninja -C build-sanitized --quiet
	suite gcc build --no-suite vm
	suite sanitized build-sanitized --no-suite vm --no-suite static --no-suite package
	suite vm build --suite vm
	# shellcheck disable=SC2086
	python3 tests/summary.py $logs
}

run_short_tests() {
	cc=${CC:-gcc}
	# shellcheck disable=SC2086
	need "$cc" $build_packages $short_packages
	logs=
	configured "build-short-$cc" --werror -Dvm=false
	suite "short-$cc" "build-short-$cc" --suite unit --suite cli --suite docs
	# shellcheck disable=SC2086
	python3 tests/summary.py $logs
}

run_long_tests() {
	need mmdebstrap debian-archive-keyring
	for release in bookworm trixie; do
		say "$release"
		tests/package/chroots "$release"
	done
	echo "2 passed, 0 failed"
}

# From a copy, for debhelper writes beside its sources, and the packages into the folder above.
deb() {
	mkdir -p "$1"
	to=$(readlink -f "$1")
	# shellcheck disable=SC2086
	need $build_packages $package_packages
	# What is called otherwise elsewhere: systemd.pc is in a package of its own since Debian 13.
	dpkg-checkbuilddeps >/dev/null 2>&1 || apt-get build-dep -y -qq --no-install-recommends ./ >/dev/null
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/src"
	tar -c --exclude='./build*' --exclude=./.git . | tar -x -C "$work/src"
	say "building the package"
	(cd "$work/src" && dpkg-buildpackage -us -uc -b) >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
	# Of the one before, perhaps of another version, nothing is left to be taken for it.
	rm -f "$to"/handover_*_amd64.* "$to"/handover-dbgsym_*_amd64.deb
	mv "$work"/handover* "$to"
	ls "$to"/handover_*.deb
}

install_here() {
	deb build-deb
	# A policy that was written by hand stays.
	apt-get install -y -qq --reinstall -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		./build-deb/handover_*.deb
	# Proxmox's installer does not make the snippets folder of its storage "local".
	if [ -d /var/lib/vz ]; then
		mkdir -p /var/lib/vz/snippets
		ln -sfn /usr/bin/handover /var/lib/vz/snippets/handover
	fi
	say "installed; Proxmox is told to call it for a VM with: handover register VMID"
}

case ${1-} in
run) run ;;
test)
	case ${2-} in
	"") run_tests ;;
	--short) run_short_tests ;;
	--long) run_long_tests ;;
	*)
		echo "setup.sh: test, test --short, or test --long" >&2
		exit 2
		;;
	esac
	;;
install) install_here ;;
deb) deb "${2:-build-deb}" ;;
*)
	sed -n '5,8s/^#   //p' "$0" >&2
	exit 2
	;;
esac
