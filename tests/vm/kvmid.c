/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proxmox's QEMU takes "-id VMID", and by that Proxmox and handover know whose process it is; Debian's does not.
 * Preloaded, this hides the two words from main(): what the kernel says of the command line stays as it was given.
 */
#include <string.h>

__attribute__((constructor)) static void hide_id(int argc, char **argv)
{
	if (argc == 0 || strcmp(argv[0], "/usr/bin/kvm") != 0)
		return;
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-id") == 0)
			argv[i] = argv[i + 1] = (char *)"-nodefaults";	/* once or three times, it is the same */
}
