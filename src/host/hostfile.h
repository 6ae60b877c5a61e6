/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HOSTFILE_H
#define HANDOVER_HOSTFILE_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "host/host.h"

/*
 * The .host text: one host, as far as handover looks at it. Lines, UTF-8, at most HOSTFILE_LINE_MAX bytes each,
 * HOSTFILE_BYTES_MAX in all, of a host that has at most SIM_PCI_MAX PCI functions and drivers (sim.h) and takes at most
 * HOSTFILE_MEMORY_MAX: a short line can make a hundred folders, or a file of 4096 bytes. '#' starts a comment line;
 * empty lines separate blocks.
 *
 *   handover-host: 1                            first line
 *   source: captured | transcribed | made, then words: the machine, or where it was transcribed from, or the shape it shows
 *   kernel: 6.14.11-3-pve
 *
 *   P: /devices/pci0000:00/0000:00:01.1/0000:02:00.0     a folder below /sys; what follows belongs to it
 *   A: vendor=0x10de                            a file and its text; \n, \\ and \0 stand for newline, backslash and NUL
 *   H: config=de108327                          a file of bytes, in hex
 *   H: config+100=1000                          more of it, from offset 0x100; what is between is zero
 *   L: driver=../../../../bus/pci/drivers/nouveau        a symbolic link
 *
 *   V: module/vfio_pci=live                     a value that is not below /sys, by its name on the seam
 *   F: etc/pve/qemu-server/100.conf             a file of several lines; each follows as "| text"
 *   | hostpci0: 0000:02:00
 *
 *   V: nic/0000:00:1f.6/name=eno1               so too the values of nic/ and unit/
 *   P: /devices/pci0000:00/0000:00:14.0/usb1/1-1         a USB device, and an interface of it below
 *   P: /devices/.../usb1/1-1/1-1:1.0/0003:046D:C31C.0001/input/input5        an input device
 *
 *   P: /class/block                             a class: its links to things, which have blocks of their own
 *   L: sda=../../devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda
 *   P: /devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda
 *   L: holders/dm-0=../../../../../../../../../virtual/block/dm-0           a file or link in a folder of it
 *   P: /fs/cgroup/lxc/105                       a folder that counts by being there: container 105 runs
 *   V: label/sda3=zfs_member rpool              so too the values of label/ and holder/
 *   V: proc/4711/cmdline=kvm\0-id\0101          and files of proc, run and etc
 *
 * P, A, H, L are umockdev's letters; its E, N and S lines are read over, so that a recording of umockdev-record
 * loads. Links that the kernel derives need not be written: a block whose last part is a PCI address stands on the
 * pci bus; the bus's, the driver's and the IOMMU group's own folders are made from the devices' links. So too those of
 * the USB bus, for folders named like USB devices, and of the class input, for inputN in a folder named input. Links of
 * other classes are written: what they lead to leaves with the function above it, and they lead nowhere until it is back.
 * Config space that is given only in part takes ids, class and subsystem from the files of those names.
 */
#define HOSTFILE_VERSION 1
#define HOSTFILE_BYTES_MAX (8 * 1024 * 1024)
#define HOSTFILE_LINE_MAX (16 * 1024)
#define HOSTFILE_MEMORY_MAX ((size_t)64 * 1024 * 1024)

/*
 * A simulated host from text, which needs no NUL at its end. file is only a name for messages, which carry file:line.
 * The host is closed with host_close().
 */
int hostfile_parse(const char *text, size_t n, const char *file, struct host **h, struct error *err);

/*
 * Writes any host, live or simulated, as a .host text. source is the text behind "source: ". What it takes, and what it
 * leaves out of what is private, is in handover-host(5).
 */
int hostfile_write(struct host *h, const char *source, FILE *out, struct error *err);

#endif
