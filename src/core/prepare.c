/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/alternatives.h"
#include "core/here.h"
#include "core/lend.h"
#include "core/prepare.h"
#include "core/profile_codes.h"

/* Whatever it is that stands there: a folder or a broken link is told of when it is read. 0, or a negative errno. */
static int look_for(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
}

/* What cannot be looked at, as on a cluster file system that is down, is not taken for absent. */
static bool is_absent(int code)
{
	return code == -ENOENT || code == -ENOTDIR;
}

const char *profile_path(unsigned vmid, struct findings *f)
{
	const char *mine = arena_fmt(f->arena, PROFILE_FOLDER_HOST "/%u.yaml", vmid);
	const char *shared = arena_fmt(f->arena, PROFILE_FOLDER_CLUSTER "/%u.yaml", vmid);

	int code = look_for(shared);

	if (is_absent(look_for(mine)))
		return is_absent(code) ? NULL : shared;
	if (code == 0)
		finding_add(f, SEVERITY_WARNING, "shadowed", (struct place){ .file = shared },
			    "remove or rename the one that is not meant", "it is not used, because this host has a profile "
			    "of its own for VM %u, %s", vmid, mine);
	return mine;
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
	return str_starts(path, FOLDER_HOST "/") || str_starts(path, PROFILE_FOLDER_CLUSTER "/") ||
	       str_starts(path, PROFILE_FOLDER_SHARED "/");
}

/* A profile and what it extends, as they are read. */
struct reading {
	const struct trust *trust;
	const char *path;	/* of the profile itself */
	uint64_t *hash;
};

/* Its length, or -1: why says why not. */
static ssize_t read_profile(const struct trust *t, const char *path, char **text, struct arena *a, struct distrust *why)
{
	int fd = is_of_the_host(path) ? trust_open(t, path, a, why) : plain_open(path, a, why);

	*text = fd < 0 ? NULL : arena_alloc(a, PROFILE_BYTES_MAX + 1);
	return read_file(fd, *text, PROFILE_BYTES_MAX, why);
}

/* Beside the profile that extends it, then where profiles are: how many folders there are to look in. */
static size_t folders_of_bases(const struct reading *r, const char *file, const char *folders[4], struct arena *a)
{
	bool boot = strcmp(r->path, PROFILE_HOST) == 0;
	const char *common[] = { PROFILE_FOLDER_HOST, boot ? NULL : PROFILE_FOLDER_CLUSTER, PROFILE_FOLDER_SHARED };
	size_t n = 0, length = (size_t)(str_basename(file) - file);

	folders[n++] = length > 1 ? arena_dupn(a, file, length - 1) : length ? "/" : ".";
	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
		if (common[i] && strcmp(common[i], folders[0]) != 0)
			folders[n++] = common[i];
	return n;
}

static const char *path_in(const char *folder, const char *name, struct arena *a)
{
	if (strcmp(folder, ".") == 0)
		return arena_fmt(a, "%s.yaml", name);
	return arena_fmt(a, "%s/%s.yaml", strcmp(folder, "/") == 0 ? "" : folder, name);
}

static void refuse_base(struct findings *f, const struct word *word, const char *const *folders, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_fmt(f->arena, "%s%s%s", text, i == 0 ? "" : i + 1 < n ? ", " : " and ",
				 path_in(folders[i], word->s, f->arena));
	profile_bad(f, CODE_BASE_MISSING, word->place, "write it, or give its right name",
		    "there is no base '%s': looked for %s", word->s, text);
}

/* The word is a plain one, so it leads into no other folder. */
static bool bring_base(void *arg, const char *file, const struct word *word, struct findings *f, struct base_text *base)
{
	const struct reading *r = arg;
	const char *folders[4], *path;
	size_t n = folders_of_bases(r, file, folders, f->arena);
	char *text;

	for (size_t i = 0; i < n; i++) {
		struct distrust why = { 0 };
		ssize_t length;

		path = path_in(folders[i], word->s, f->arena);
		length = read_profile(r->trust, path, &text, f->arena, &why);
		if (length < 0 && why.code == -ENOENT)
			continue;
		if (length < 0) {
			refuse_profile(f, path, &why);
			return false;
		}
		/* A NUL, which no profile holds, lies between two files. */
		*r->hash = str_hash(str_hash(*r->hash, "", 1), text, (size_t)length);
		*base = (struct base_text){ path, text, (size_t)length };
		return true;
	}
	refuse_base(f, word, folders, n);
	return false;
}

const struct profile *profile_load_as(const struct trust *t, const char *path, uint64_t *hash, struct findings *f)
{
	struct reading reading = { t, path, hash };
	const struct bases bases = { bring_base, &reading };
	struct distrust why = { 0 };
	char *text;
	ssize_t n = read_profile(t, path, &text, f->arena, &why);

	if (n < 0) {
		refuse_profile(f, path, &why);
		return NULL;
	}
	*hash = str_hash(STR_HASH_START, text, (size_t)n);
	return profile_parse_with(text, (size_t)n, path, &bases, f);
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
	int code = 0;

	/* It was read already. What is chosen for its mappings is written into a copy. */
	if (p->guest)
		*guest = *p->guest;
	else
		code = p->vmid ? pveconf_read(p->host, p->vmid, p->arena, guest, err) : -ENOENT;
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
		.guest = p->guest,
		.findings = f,
		.arena = f->arena,
		.mappings = pvemap_read_here(p->host, f->arena),
	};
	if (inventory_read(p->host, f->arena, inv, err) < 0 || !read_guest(p, guest, err))
		return false;
	p->profile = profile_here(p->profile, p->host, f);
	if (!p->profile)
		return false;
	if (store)
		lend_list(store, p->host, p->vmid, f->arena, &lent, &n_lent);
	p->lent = lent;
	p->n_lent = n_lent;
	alternatives_choose(p, p->guest ? guest : NULL);
	return plan_make(p);
}
