# SPDX-License-Identifier: GPL-2.0-or-later
# t_conformance.sh - the simulator's rules, asked of a real kernel (topologies pair, seed, builtin; carries the program
# conformance)
. /lab/lib.sh

# The simulator takes any bridge's name; here there must be one.
ip link add vmbr0 type bridge || die "no bridge"
/lab/conformance
