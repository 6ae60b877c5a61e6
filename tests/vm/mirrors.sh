# SPDX-License-Identifier: GPL-2.0-or-later
# mirrors.sh - for what is brought from Debian's mirrors; source it

keys=/usr/share/keyrings/debian-archive-keyring.gpg

# mirrors: those this machine uses itself, in whichever format they are written
# down; this works before any list was ever downloaded.
mirrors() {
	local codename
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get update --print-uris | sed -n "s,^'\(.*\)/dists/$codename/InRelease'.*,\1,p"
}

# settings: the mirror is reached as this machine's apt reaches it: proxies, for example.
settings() {
	apt-config dump --no-empty --format '%F "%v";%n' Acquire::http Acquire::https
}

# three_times COMMAND...: networks fail for a moment; three times in a row is
# an answer. What the last one said is in $dir/log.
three_times() {
	local try
	for try in 1 2 3; do
		"$@" >"$dir/log" 2>&1 && return
		sleep "$try"
	done
	cat "$dir/log" >&2
	return 1
}
