# SPDX-License-Identifier: GPL-2.0-or-later
# t_conformance.sh - the simulator's rules, asked of a real kernel (topologies pair, seed, builtin; carries the program
# conformance)
. /lab/lib.sh

# The simulator takes any bridge's name; here there must be one.
ip link add vmbr0 type bridge || die "no bridge"
modprobe bonding max_bonds=0
ip link add bond0 type bond mode active-backup || die "no bond"
/lab/conformance
