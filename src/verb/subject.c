/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "core/builtin.h"
#include "core/off.h"
#include "core/pvecluster.h"
#include "core/pverefuse.h"
#include "verb/subject.h"

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* What stands in for the profile of a VM that has none. False: nothing does, and that has been told. */
static bool use_builtin(struct run *r, struct host *h, const struct policy *policy, struct subject *s)
{
	struct pve_guest guest;
	struct error err = { 0 };
	const char *node;
	bool is_there = pveconf_read(h, s->vmid, r->arena, &guest, &err) == 0;

	if (!is_there && err.code != -ENOENT) {
		complain("%s", err.text);
		return false;
	}
	if (is_there)
		s->profile = builtin_profile(&guest, policy, s->vmid, &s->hash, &s->findings);
	/* Nothing is planned then, so nobody else tells it. */
	if (is_there && !s->profile)
		pverefuse_tell(h, &guest, s->vmid, NULL, NULL, &s->findings);
	s->idle = is_there && !s->profile && s->findings.errors == 0;
	s->left_to_proxmox = s->idle && guest_asks_for_devices(&guest);
	s->path = s->idle ? NULL : BUILTIN_FILE;
	if (s->profile || s->findings.errors || s->idle)
		return true;
	node = pvecluster_node_of(h, s->vmid, r->arena);
	print_findings(&s->findings, stderr);
	if (node)
		complain("VM %u is not on this host but on the node '%s'; ask there, or by the path of a profile", s->vmid, node);
	else if (pve_is_container(h, s->vmid))
		complain("%u is a container: it has no hostpci lines, and no profile; write " PROFILE_FOLDER_HOST "/%u.yaml", s->vmid,
			 s->vmid);
	else
		complain("there is no VM %u on this host: it has neither a configuration in /etc/pve/qemu-server nor a profile", s->vmid);
	return false;
}

static bool find_vm(const char *arg, struct subject *s)
{
	if (!all_digits(arg)) {
		s->vmid = profile_vmid(arg);
		return true;
	}
	if (!vmid_parse(arg, &s->vmid)) {
		complain("'%s' is no VMID; it is a number from %d to %d", arg, VMID_MIN, VMID_MAX);
		return false;
	}
	s->path = profile_path(s->vmid, &s->findings);
	return true;
}

bool subject_prepare(struct run *r, const char *arg, struct host *h, struct subject *s)
{
	const struct policy *policy;
	struct error err = { 0 };

	*s = (struct subject){ .path = arg };
	findings_init(&s->findings, r->arena);
	if (!find_vm(arg, s))
		return false;
	policy = open_policy(r, h, &s->findings);
	if (!policy)
		return true;
	if (s->path)
		s->profile = profile_load(s->path, &s->hash, &s->findings);
	else if (!use_builtin(r, h, policy, s))
		return false;
	s->planner = (struct planner){ .host = h, .policy = policy, .profile = s->profile, .vmid = s->vmid };
	if (s->profile && !prepare_plan(&s->planner, NULL, &s->findings, &err) && err.code) {
		complain("%s", err.text);
		return false;
	}
	return true;
}

void subject_tell_off(struct subject *s, struct host *h, bool error)
{
	const struct place place = { .file = "/proc/cmdline" };
	const char *off = off_reason(h, s->findings.arena), *remedy = "boot without it";

	if (!off || s->idle)
		return;
	if (error && needs_host(s->planner.guest, s->profile))
		finding_add(&s->findings, SEVERITY_ERROR, "switched-off", place, remedy,
			    "%s: no device leaves the host, so the VM would not start", off);
	else
		finding_add(&s->findings, SEVERITY_NOTE, "switched-off", place, remedy,
			    "%s: the hook and the boot do nothing of this", off);
}

const char *subject_files(const struct subject *s)
{
	return s->profile ? profile_files(s->profile, s->findings.arena) : s->path;
}

const char *subject_shown(const struct subject *s, const char *arg)
{
	if (!s->path)
		return arg;
	return strcmp(s->path, arg) == 0 ? subject_files(s) : arena_fmt(s->findings.arena, "%s (profile %s)", arg, subject_files(s));
}

void subject_print_idle(const struct run *r, const struct subject *s)
{
	if (!r->quiet)
		printf("VM %u asks for no device%s; there is nothing to do\n", s->vmid,
		       s->left_to_proxmox ? " that is not left to Proxmox" : "");
}

bool subject_is_whole(const struct subject *s)
{
	return s->profile && s->findings.errors == s->planner.refused;
}
