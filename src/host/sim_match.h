/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_SIM_MATCH_H
#define HANDOVER_SIM_MATCH_H

#include "host/host.h"

/*
 * Which driver would take which function of the simulated host (drivers/pci/pci-driver.c, pci_match_device()): by
 * override, by an id it was told of, by nature.
 */
struct sim_match;

/* What it keeps belongs to a. */
struct sim_match *sim_match_new(struct host *h, struct arena *a);

/* An attribute of the function that is "0x" and up to 8 hex digits; 0 if there is none. */
unsigned sim_match_hex(struct sim_match *m, const char *bdf, const char *file);

bool sim_match_is(struct sim_match *m, const char *bdf, const char *driver);

/*
 * A function that had this driver when the host was described: it matches, whatever modalias says. One that matches
 * nothing by nature, vfio-pci or pci-stub, was told of the function's id.
 */
void sim_match_learn(struct sim_match *m, const char *bdf, const char *driver);

/* new_id and remove_id: -EINVAL, -EEXIST, -ENODEV. */
int sim_match_add_id(struct sim_match *m, const char *driver, const char *ids);
int sim_match_remove_id(struct sim_match *m, const char *driver, const char *ids);

/* The driver is unloaded. What it was told of before the host was described it is told of again when it returns. */
void sim_match_forget(struct sim_match *m, const char *driver);

#endif
