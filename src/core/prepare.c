/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static const struct profile *refuse(struct findings *f, const char *path, const char *code, const char *remedy,
				    const char *what)
{
	finding_add(f, SEVERITY_ERROR, code, (struct place){ .file = path }, remedy, "%s", what);
	return NULL;
}

static const struct profile *refuse_open(struct findings *f, const char *path, int code)
{
	if (code == ENOENT)
		return refuse(f, path, "profile-missing", "write one, or give its right path", "there is no such file");
	if (code == ELOOP)
		return refuse(f, path, "profile-not-a-file", "put the profile itself there", "it is a symbolic link");
	return refuse(f, path, "profile-unreadable", "look at its owner and mode", strerrordesc_np(code));
}

const struct profile *profile_load(const char *path, uint64_t *hash, struct findings *f)
{
	char *text = arena_alloc(f->arena, PROFILE_BYTES_MAX + 1);
	size_t n = 0;
	struct stat st;
	ssize_t got;
	/* O_NONBLOCK: a FIFO must not hold the hook up. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return refuse_open(f, path, errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(f, path, "profile-not-a-file", "give the path of a YAML file",
			      S_ISDIR(st.st_mode) ? "it is a folder" : "it is not a regular file");
	}
	/* One byte more than allowed, so that the parser sees it is too long. */
	do {
		got = read(fd, text + n, PROFILE_BYTES_MAX + 1 - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && n <= PROFILE_BYTES_MAX);
	if (got < 0) {
		int code = errno;

		close(fd);
		return refuse_open(f, path, code);
	}
	close(fd);
	*hash = str_hash(STR_HASH_START, text, n);
	return profile_parse(text, n, path, f);
}

/* The VM's configuration; *guest stays NULL where there is none. */
static bool read_guest(struct planner *p, struct error *err)
{
	struct pve_guest *guest = arena_alloc(p->arena, sizeof(*guest));
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
	if (inventory_read(p->host, f->arena, inv, err) < 0 || !read_guest(p, err))
		return false;
	if (store)
		lend_list(store, p->host, p->vmid, f->arena, &lent, &n_lent);
	p->lent = lent;
	p->n_lent = n_lent;
	return plan_make(p);
}
