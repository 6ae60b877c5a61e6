/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handover init VMID [FILE]: a first profile for a VM, from its configuration and this host. Never over another file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alternatives.h"
#include "core/draft.h"
#include "core/history.h"
#include "core/prepare.h"
#include "verb/json.h"
#include "verb/verb.h"

static enum outcome not_written(const char *path, int code)
{
	if (code == -EEXIST)
		complain("%s is there already, and is not touched; `handover init VMID -` shows what would be written", path);
	else
		complain("cannot write %s: %s", path, strerror(-code));
	return OUTCOME_REFUSED;
}

/* The cluster file system knows neither nameless files nor links (pve-cluster, src/pmxcfs). */
static int put_directly(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), code = 0;
	size_t n = strlen(text);

	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, text, n) != (ssize_t)n || fsync(fd) < 0)
		code = errno ? -errno : -EIO;
	close(fd);
	if (code < 0)
		unlinkat(folder, name, 0);
	return code;
}

/* It appears whole and flushed, or not at all. */
static int put_whole(int folder, const char *name, const char *text)
{
	char link[64];
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644), code = 0;
	size_t n = strlen(text);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EISDIR))
		return put_directly(folder, name, text);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (write(fd, text, n) != (ssize_t)n || fsync(fd) < 0 ||
	    linkat(AT_FDCWD, link, folder, name, AT_SYMLINK_FOLLOW) < 0 || fsync(folder) < 0)
		code = errno ? -errno : -EIO;
	close(fd);
	return code;
}

static enum outcome put_file(struct run *r, const char *path, const char *text)
{
	const char *name = str_basename(path);
	const char *in = name == path ? "." : arena_dupn(r->arena, path, (size_t)(name - path));
	int folder, code;

	/* Of an installation by hand only the folder of all may be there. */
	if (strcmp(in, PROFILE_FOLDER_HOST "/") == 0 && mkdir(FOLDER_HOST, 0755) < 0 && errno != EEXIST)
		return not_written(FOLDER_HOST, -errno);
	if (strcmp(in, PROFILE_FOLDER_HOST "/") == 0 && mkdir(in, 0755) < 0 && errno != EEXIST)
		return not_written(in, -errno);
	folder = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return not_written(path, -errno);
	errno = 0;
	code = put_whole(folder, name, text);
	close(folder);
	return code < 0 ? not_written(path, code) : OUTCOME_DONE;
}

/* Where a VM's own profile is looked for first. */
static const char *home_of(const struct run *r, unsigned vmid)
{
	return arena_fmt(r->arena, PROFILE_FOLDER_HOST "/%u.yaml", vmid);
}

/* Where to, NULL: standard output. False: told. */
static bool find_place(struct run *r, unsigned vmid, const char **path)
{
	struct findings ignored;
	const char *there;

	*path = r->n_args > 1 && strcmp(r->args[1], "-") != 0 ? r->args[1] : NULL;
	if (r->n_args > 1 || r->host_file)
		return true;
	*path = home_of(r, vmid);
	findings_init(&ignored, r->arena);
	there = profile_path(vmid, &ignored);
	if (!there)
		return true;
	not_written(there, -EEXIST);
	return false;
}

static void print_json(const struct drafting *d, const char *path)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "vmid", json_object_new_int((int)d->vmid));
	json_add(o, "path", json_text(path));
	json_add(o, "profile", json_text(d->text));
	json_add(o, "handed_over", json_object_new_int((int)d->n_done));
	json_add(o, "open", json_object_new_int((int)d->n_open));
	json_add(o, "findings", json_findings(&d->findings));
	json_print(o);
}

/* Its hostpci selectors are looked up by the VMID, which the file's name says if it is not asked for by VMID. */
static const char *how_to_look(const struct run *r, const struct drafting *d, const char *path)
{
	const char *home = home_of(r, d->vmid);

	if (strcmp(path, home) == 0)
		return arena_fmt(r->arena, "look with `handover plan %u`", d->vmid);
	if (strcmp(str_basename(path), str_basename(home)) == 0)
		return arena_fmt(r->arena, "look with `handover plan %s`", path);
	return arena_fmt(r->arena, "move it to %s, and look with `handover plan %u`", home, d->vmid);
}

static void tell(const struct run *r, const struct drafting *d, const char *path)
{
	if (r->json) {
		print_json(d, path);
		return;
	}
	if (!path)
		fputs(d->text, stdout);
	print_findings(&d->findings, path ? stdout : stderr);
	if (path && !r->quiet)
		printf("%s is written: %zu device%s handed over, %zu wait%s for a decision; %s\n", path, d->n_done,
		       d->n_done == 1 ? " is" : "s are", d->n_open, d->n_open == 1 ? "s" : "", how_to_look(r, d, path));
}

static bool read_guest(struct run *r, struct host *h, unsigned vmid, struct pve_guest *guest)
{
	struct error err;

	if (pveconf_read(h, vmid, r->arena, guest, &err) < 0) {
		complain("%s", err.text);
		return false;
	}
	for (int i = 0; i < HOSTPCI_MAX; i++)
		if (guest->hostpci[i].present)
			return true;
	complain("VM %u has no hostpci line, so it borrows nothing; add its devices first: qm set %u --hostpci0 ADDRESS", vmid, vmid);
	return false;
}

/* What its mappings are on this node. Where the host cannot be read, draft_make() says so. */
static void find_mappings(struct run *r, struct host *h, unsigned vmid, struct pve_guest *guest)
{
	struct inventory inv;
	struct findings ignored;
	struct planner p = { .host = h, .vmid = vmid, .guest = guest, .found = &inv, .findings = &ignored, .arena = r->arena,
			     .mappings = pvemap_read_here(h, r->arena) };
	struct error err;

	findings_init(&ignored, r->arena);
	if (inventory_read(h, r->arena, &inv, &err) == 0)
		alternatives_choose(&p, guest);
}

/* What was set up on this host before, as far as it is about what the VM gets. */
static void look_back(struct drafting *d)
{
	struct selection functions;
	struct inventory inv;
	struct error err;

	if (inventory_read(d->host, d->arena, &inv, &err) < 0)
		return;
	functions = history_functions(d->guest, &inv, d->arena);
	history_find(&(struct history){ .host = d->host, .inventory = &inv, .vmid = d->vmid, .functions = &functions },
		     &d->findings);
}

static enum outcome run(struct run *r)
{
	_cleanup_host_ struct host *h = NULL;
	struct drafting d = { .arena = r->arena };
	struct pve_guest guest;
	struct findings f;
	struct error err;
	const char *path;
	enum outcome o;

	if (!vmid_parse(r->args[0], &d.vmid)) {
		complain("'%s' is no VMID; it is a number from %d to %d", r->args[0], VMID_MIN, VMID_MAX);
		return OUTCOME_REFUSED;
	}
	if (!find_place(r, d.vmid, &path))
		return OUTCOME_REFUSED;
	o = open_host(r, &h);
	if (o != OUTCOME_DONE)
		return o;
	findings_init(&f, r->arena);
	d.policy = open_policy(r, h, &f);
	print_findings(&f, stderr);
	if (!d.policy || !read_guest(r, h, d.vmid, &guest))
		return OUTCOME_REFUSED;
	find_mappings(r, h, d.vmid, &guest);
	d.host = h;
	d.guest = &guest;
	if (!draft_make(&d, &err)) {
		complain("%s", err.text);
		return OUTCOME_FAILED;
	}
	look_back(&d);
	o = path ? put_file(r, path, d.text) : OUTCOME_DONE;
	if (o != OUTCOME_DONE)
		return o;
	tell(r, &d, path);
	return d.findings.errors ? OUTCOME_WILL_FAIL : d.n_open ? OUTCOME_WARNINGS : OUTCOME_DONE;
}

const struct verb verb_init = {
	.name = "init",
	.args = "VMID [FILE]",
	.help = "writes a first profile for a VM, from its configuration and this host; FILE - is standard output",
	.min_args = 1,
	.max_args = 2,
	.takes = TAKES_HOST | TAKES_POLICY,
	.run = run,
};
