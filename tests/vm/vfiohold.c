/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfiohold GROUP ADDRESS - has a function open through vfio as QEMU has it, and does not listen when the kernel asks for
 * it. Prints "held", and ends when it is killed.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	int container = open("/dev/vfio/vfio", O_RDWR), group;
	char path[64];

	if (argc != 3 || container < 0)
		return fail("/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%s", argv[1]);
	group = open(path, O_RDWR);
	if (group < 0)
		return fail(path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0 || ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return fail("container");
	if (ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]) < 0)
		return fail(argv[2]);
	puts("held");
	fflush(stdout);
	pause();
	return 0;
}
