# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash. Commands, options and what they take are asked of `handover --help`, so they are the program's own.

# _handover_guests: the VMIDs of this node's VMs and containers.
_handover_guests() {
	local file
	for file in /etc/pve/{qemu-server,lxc}/[1-9]*.conf; do
		[[ $file == *'*'* ]] || basename "$file" .conf
	done
}

# _handover_value HELP OPTION: what the option takes, FILE for example, if it takes anything.
_handover_value() {
	[[ $2 == --* && $1 =~ $'\n  '$2' '([A-Z]+)' ' ]] && echo "${BASH_REMATCH[1]}"
}

# _handover_files WORD: its files and folders.
_handover_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$1")
}

_handover() {
	local word=${COMP_WORDS[COMP_CWORD]} help usage value verb='' words='' i
	local phases='pre-start post-start pre-stop post-stop'
	COMPREPLY=()
	help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return 0

	if value=$(_handover_value "$help" "${COMP_WORDS[COMP_CWORD - 1]}"); then
		[[ $value != FILE ]] || _handover_files "$word"
		return 0
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} != -* ]] && ! _handover_value "$help" "${COMP_WORDS[i - 1]}" >/dev/null; then
			verb=${COMP_WORDS[i]}
			break
		fi
	done
	if [[ $word == -* ]]; then
		words=$(sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$help")
	elif [[ -z $verb ]]; then
		words="$(sed -n 's/^handover \([a-z][a-z-]*\).*/\1/p' <<<"$help") $(_handover_guests)"
	elif [[ $verb == [0-9]* ]]; then
		words=$phases
	else
		usage=$(sed -n "s/^handover $verb \(.*\)/\1/p" <<<"$help")
		[[ $usage != *VMID* ]] || words=$(_handover_guests)
		[[ $usage != *PHASE* ]] || words+=" $phases"
		[[ $usage != *PROFILE* && $usage != *FILE* ]] || _handover_files "$word"
	fi
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _handover handover
