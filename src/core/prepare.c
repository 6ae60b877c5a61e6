/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/alternatives.h"
#include "core/lend.h"
#include "core/prepare.h"

const char *profile_path(unsigned vmid, struct arena *a)
{
	static const char *const folders[] = { PROFILE_FOLDER_HOST, PROFILE_FOLDER_CLUSTER };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		const char *path = arena_fmt(a, "%s/%u.yaml", folders[i], vmid);

		/* Whatever it is that stands there: a folder or a broken link is told of when it is read. */
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return path;
	}
	return NULL;
}

unsigned profile_vmid(const char *path)
{
	const char *name = str_basename(path), *dot = strrchr(name, '.');
	char digits[16];
	unsigned vmid;
	size_t n = dot ? (size_t)(dot - name) : 0;

	if (n == 0 || n >= sizeof(digits) || strcmp(dot, ".yaml") != 0)
		return 0;
	memcpy(digits, name, n);
	digits[n] = '\0';
	return vmid_parse(digits, &vmid) ? vmid : 0;
}

static void refuse(struct findings *f, const char *path, const char *code, const char *remedy, const char *what)
{
	finding_add(f, SEVERITY_ERROR, code, (struct place){ .file = path }, remedy, "%s", what);
}

static void refuse_profile(struct findings *f, const char *path, const struct distrust *why)
{
	if (why->code == -ENOENT)
		refuse(f, path, "profile-missing", "write one, or give its right path", "there is no such file");
	else if (why->code == -ELOOP)
		refuse(f, path, "profile-not-a-file", "put the profile itself there", "it is a symbolic link");
	else if (why->code == -EISDIR)
		refuse(f, path, "profile-not-a-file", "give the path of a YAML file", "it is a folder");
	else if (why->code == -ENXIO)
		refuse(f, path, "profile-not-a-file", "give the path of a YAML file", "it is not a regular file");
	else if (why->code == -EPERM)
		refuse(f, path, "profile-untrusted", why->remedy, why->what);
	else
		refuse(f, path, "profile-unreadable", "look at its owner and mode", strerrordesc_np(-why->code));
}

/* One byte more than allowed is read, so that the parser sees it is too long. -1: why says why not. */
static ssize_t read_file(int fd, char *text, size_t max, struct distrust *why)
{
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read_whole(fd, text, max + 1);
	close(fd);
	if (n >= 0)
		return n;
	*why = (struct distrust){ .code = (int)n, .what = strerrordesc_np((int)-n) };
	return -1;
}

/* What the hook and the boot read, which nobody looks at then. */
static bool is_of_the_host(const char *path)
{
	return str_starts(path, FOLDER_HOST "/") || str_starts(path, PROFILE_FOLDER_CLUSTER "/");
}

const struct profile *profile_load_as(const struct trust *t, const char *path, uint64_t *hash, struct findings *f)
{
	char *text = arena_alloc(f->arena, PROFILE_BYTES_MAX + 1);
	struct distrust why = { 0 };
	int fd = is_of_the_host(path) ? trust_open(t, path, f->arena, &why) : plain_open(path, f->arena, &why);
	ssize_t n = read_file(fd, text, PROFILE_BYTES_MAX, &why);

	if (n < 0) {
		refuse_profile(f, path, &why);
		return NULL;
	}
	*hash = str_hash(STR_HASH_START, text, (size_t)n);
	return profile_parse(text, (size_t)n, path, f);
}

const struct profile *profile_load(const char *path, uint64_t *hash, struct findings *f)
{
	return profile_load_as(&trust_host, path, hash, f);
}

static void refuse_policy(struct findings *f, const char *path, const struct distrust *why)
{
	switch (why->code) {
	case -ELOOP:
	case -EISDIR:
	case -ENXIO:
	case -EPERM:
		refuse(f, path, "policy-untrusted", why->remedy, why->what);
		break;
	default:
		refuse(f, path, "policy-unreadable", "look at its owner and mode", why->what);
	}
}

const struct policy *policy_load_as(const struct trust *t, const char *path, struct findings *f)
{
	char *text = arena_alloc(f->arena, POLICY_BYTES_MAX + 1);
	struct policy *p = arena_alloc(f->arena, sizeof(*p));
	struct distrust why = { 0 };
	ssize_t n = read_file(trust_open(t, path, f->arena, &why), text, POLICY_BYTES_MAX, &why);

	if (n >= 0)
		return policy_parse(text, (size_t)n, path, f);
	*p = policy_default();
	if (why.code == -ENOENT)
		return p;
	refuse_policy(f, path, &why);
	return NULL;
}

const struct policy *policy_load(const char *path, struct findings *f)
{
	return policy_load_as(&trust_host, path, f);
}

/* The VM's configuration; p->guest stays NULL where there is none. */
static bool read_guest(struct planner *p, struct pve_guest *guest, struct error *err)
{
	int code = p->vmid ? pveconf_read(p->host, p->vmid, p->arena, guest, err) : -ENOENT;

	p->guest = code == 0 ? guest : NULL;
	if (code == -ENOENT)
		*err = (struct error){ 0 };
	return code == 0 || code == -ENOENT;
}

bool prepare_plan(struct planner *p, struct store *store, struct findings *f, struct error *err)
{
	struct inventory *inv = arena_alloc(f->arena, sizeof(*inv));
	struct policy *policy = arena_alloc(f->arena, sizeof(*policy));
	struct pve_guest *guest = arena_alloc(f->arena, sizeof(*guest));
	struct lent *lent = NULL;
	size_t n_lent = 0;

	*policy = policy_default();
	*p = (struct planner){
		.host = p->host,
		.policy = p->policy ? p->policy : policy,
		.profile = p->profile,
		.vmid = p->vmid,
		.now = p->now,
		.found = inv,
		.findings = f,
		.arena = f->arena,
	};
	if (inventory_read(p->host, f->arena, inv, err) < 0 || !read_guest(p, guest, err))
		return false;
	if (store)
		lend_list(store, p->host, p->vmid, f->arena, &lent, &n_lent);
	p->lent = lent;
	p->n_lent = n_lent;
	alternatives_choose(p, p->guest ? guest : NULL);
	return plan_make(p);
}
