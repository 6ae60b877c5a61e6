/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_CONFORMANCE_H
#define HANDOVER_CONFORMANCE_H

#include <stdbool.h>

#include "host/host.h"

#define DEVICE "sys/bus/pci/devices/"
#define DRIVERS "sys/bus/pci/drivers/"
#define BUSES "sys/class/pci_bus/"
#define USB_NAMES "sys/bus/usb/devices"
#define INPUTS "sys/class/input"

/* What tells the topologies from each other. */
#define PAIR_NIC "0000:01:00.0"
#define SEED_NIC "0000:00:1f.6"
#define BUILTIN_AHCI "0000:00:1f.2"

/* Drivers take their functions, and devices show up behind them, some time after the write; not longer than this. */
#define COMES_MS 5000

/* The host all this is asked of, and what is being asked at present. */
extern struct host *host;
extern const char *part;

void assertion(int ok, const char *what, const char *name, const char *wanted, const char *seen);

/* A write answers with this errno, 0 if it is taken. */
void put(const char *name, const char *value, int code);

/* A name reads so; NULL: it is not there. The second waits for it. */
void reads(const char *name, const char *text);
void comes(const char *name, const char *text);

/* The same for DEVICE/BDF/FILE, PREFIX/BDF and the function's driver. */
void put_file(const char *bdf, const char *file, const char *value, int code);
void reads_file(const char *bdf, const char *file, const char *text);
void driver(const char *bdf, const char *text);
void driver_comes(const char *bdf, const char *text);
void group(const char *bdf, const char *members);

/* How many of the names in a folder are links with this text in their targets; with "" all names count. */
size_t count(const char *folder, const char *text);
void counts(const char *folder, const char *text, size_t wanted);
void counts_come(const char *folder, const char *text, size_t wanted);

/*
 * A removal, and what is true of a function ever after; and its return, by that file, which must have given it a life
 * above all there were. The driver is waited for; NULL: none takes it.
 */
void is_gone(const char *bdf);
void removes(const char *bdf);
void is_back(const char *bdf, const char *driver_text);
void rescans(const char *file);
unsigned long long life_of(const char *bdf);

/* The parts. All leave the devices as they found them, but groups that were split stay split. */
void conformance_pair(void);
void conformance_hotplug(void);
void conformance_groups_seed(void);
void conformance_groups_builtin(void);
void conformance_nic(void);
void conformance_module(void);
void conformance_usb(void);

#endif
