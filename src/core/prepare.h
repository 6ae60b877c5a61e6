/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_PREPARE_H
#define HANDOVER_PREPARE_H

#include "base/trust.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/store.h"

/* What an admin wrote for this host. */
#define FOLDER_HOST "/etc/handover"

/* Where a VM's profile is looked for, in this order: on this host, then for the whole cluster. */
#define PROFILE_FOLDER_HOST "/etc/handover/profiles"
#define PROFILE_FOLDER_CLUSTER "/etc/pve/handover"

/* What is done once per boot: not on /etc/pve, which is there only after the network. */
#define PROFILE_HOST "/etc/handover/host.yaml"

/* What comes with the program, or with others: only bases of profiles. */
#define PROFILE_FOLDER_SHARED "/usr/share/handover/profiles"

/* The file of a VM's profile, or NULL if there is none. That there are two is told in f (shadowed, a warning). */
const char *profile_path(unsigned vmid, struct findings *f);

/*
 * Reads and parses a profile file, and what it extends: the base NAME is the first NAME.yaml there is in the folder of the
 * profile that extends it, in PROFILE_FOLDER_HOST, PROFILE_FOLDER_CLUSTER and PROFILE_FOLDER_SHARED. PROFILE_HOST is
 * read when there is no cluster yet, so for it and its bases that folder is passed over.
 * Each must be a regular file, not a link, of at most PROFILE_BYTES_MAX bytes. Below /etc/handover, /etc/pve/handover and
 * PROFILE_FOLDER_SHARED, where the hook and the boot read, nobody but root may have written it: see trust_open(). NULL: f
 * says why. hash becomes str_hash() of its bytes, and then those of its bases, as far as they could be read.
 */
const struct profile *profile_load(const char *path, uint64_t *hash, struct findings *f);

/*
 * Reads and parses the policy, which nobody but root may have written. No such file: policy_default(), whose file is NULL.
 * NULL: it is not to be trusted, or wrong; f says why.
 */
const struct policy *policy_load(const char *path, struct findings *f);

/* The same with another owner and root, as a test has them. */
const struct profile *profile_load_as(const struct trust *t, const char *path, uint64_t *hash, struct findings *f);
const struct policy *policy_load_as(const struct trust *t, const char *path, struct findings *f);

/*
 * Everything a plan needs: of p, host, policy (NULL: the default), profile, vmid, guest (NULL: not read yet) and now are
 * given. Reads the host's inventory, what other VMs have (store; NULL: not known) and, if vmid is not 0 and the host has
 * it, the VM's configuration; then plan_make(). False: the findings say why, or err does if the host could not be read.
 */
bool prepare_plan(struct planner *p, struct store *store, struct findings *f, struct error *err);

/* The VMID a profile file is named after ("100.yaml"), or 0. */
unsigned profile_vmid(const char *path);

#endif
