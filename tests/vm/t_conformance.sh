# SPDX-License-Identifier: GPL-2.0-or-later
# t_conformance.sh - the simulator's rules, asked of a real kernel (topology pair; carries the program conformance)
/lab/conformance
