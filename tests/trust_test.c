/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that only their owner can have written: who else has a hand on the way to one is found, and named. */
#include "ground.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trust.h"
#include "core/prepare.h"

#define ADMIN 0
#define SOMEBODY 12345
#define PROFILE "/etc/handover/profiles/100.yaml"
#define GOOD "handover: 1\nname: the good one\n"
#define EVIL "handover: 1\nname: somebody's\n"

static int set_up(void **state)
{
	static const char *const folders[] = { "elsewhere" };
	struct ground *g = ground_new(folders, COUNT(folders));

	ground_put(g, "etc/handover/profiles/100.yaml", GOOD);
	*state = g;
	return 0;
}

static const struct profile *load(struct ground *g, const char *path)
{
	uint64_t hash;

	return ground_load(g, path, &hash);
}

static void assert_trusted(struct ground *g)
{
	const struct profile *p = load(g, PROFILE);

	if (!p)
		fail_msg("%s", finding_line(&g->f.list[0], g->arena));
	assert_string_equal(p->name, "the good one");
}

/* Not read, with this code; and in what is told, these texts, of which @ stands for the root. */
static void assert_refused(struct ground *g, const char *code, const char *what, const char *remedy)
{
	const struct finding *f;

	assert_null(load(g, PROFILE));
	f = assert_only(&g->f, code);
	assert_string_equal(f->place.file, PROFILE);
	assert_contains(f->what, *what == '@' ? arena_fmt(g->arena, "'%s%s", g->root, what + 1) : what);
	assert_contains(f->remedy, remedy);
}

static void set_mode(const struct ground *g, const char *name, mode_t mode)
{
	assert_int_equal(fchmodat(g->dir, name, mode, 0), 0);
}

/* How a message calls the user who runs this. */
static const char *self(const struct ground *g)
{
	return geteuid() ? arena_fmt(g->arena, "user %u", geteuid()) : "root";
}

static void needs_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* --- who may have written it ------------------------------------------------------------------------------------- */

static void what_only_its_owner_can_write_is_read(void **state)
{
	struct ground *g = *state;

	assert_trusted(g);
	set_mode(g, "etc/handover/profiles/100.yaml", 0600);
	assert_trusted(g);
	set_mode(g, "etc/handover", 0700);
	assert_trusted(g);
	/* As on pmxcfs without quorum. */
	set_mode(g, "etc/handover/profiles", 0555);
	set_mode(g, "etc/handover/profiles/100.yaml", 0440);
	assert_trusted(g);
	set_mode(g, "etc/handover/profiles", 0755);
}

static void pmxcfs_gives_its_files_to_a_group_that_reads(void **state)
{
	struct ground *g = *state;
	uint64_t hash;

	needs_root();
	ground_put(g, "etc/pve/handover/100.yaml", GOOD);
	assert_int_equal(fchownat(g->dir, "etc/pve", 0, 33, 0), 0);
	assert_int_equal(fchownat(g->dir, "etc/pve/handover", 0, 33, 0), 0);
	assert_int_equal(fchownat(g->dir, "etc/pve/handover/100.yaml", 0, 33, 0), 0);
	set_mode(g, "etc/pve/handover/100.yaml", 0640);
	assert_non_null(profile_load_as(&g->trust, "/etc/pve/handover/100.yaml", &hash, &g->f));
	set_mode(g, "etc/pve/handover/100.yaml", 0660);
	assert_null(profile_load_as(&g->trust, "/etc/pve/handover/100.yaml", &hash, &g->f));
	assert_contains(assert_only(&g->f, "profile-untrusted")->what, "mode 0660, so its group could have written");
}

static const char *const way[] = { "etc", "etc/handover", "etc/handover/profiles", "etc/handover/profiles/100.yaml" };

static void a_file_or_folder_that_others_may_write_is_named(void **state)
{
	static const struct {
		mode_t mode;
		const char *who;
	} modes[] = {
		{ 0777, "anybody" }, { 0775, "its group" }, { 0757, "anybody" }, { 01777, "anybody" }, { 0722, "anybody" },
	};
	struct ground *g = *state;

	for (size_t i = 0; i < COUNT(way); i++)
		for (size_t k = 0; k < COUNT(modes); k++) {
			set_mode(g, way[i], modes[k].mode);
			assert_refused(g, "profile-untrusted",
				       arena_fmt(g->arena, "@/%s' belongs to %s and has mode %04o, so %s could", way[i],
						 self(g), (unsigned)modes[k].mode, modes[k].who),
				       arena_fmt(g->arena, "chmod go-w %s/%s", g->root, way[i]));
			set_mode(g, way[i], 0755);
		}
	assert_trusted(g);
}

static void the_root_is_looked_at_too(void **state)
{
	struct ground *g = *state;

	assert_int_equal(fchmod(g->dir, 0777), 0);
	assert_refused(g, "profile-untrusted", "@' belongs to ", "chmod go-w ");
	assert_int_equal(fchmod(g->dir, 0755), 0);
	assert_trusted(g);
}

static void a_foreign_owner_is_named(void **state)
{
	struct ground *g = *state;

	needs_root();
	for (size_t i = 0; i < COUNT(way); i++) {
		assert_int_equal(fchownat(g->dir, way[i], SOMEBODY, ADMIN, 0), 0);
		assert_refused(g, "profile-untrusted",
			       arena_fmt(g->arena, "@/%s' belongs to user 12345 and has mode 0%o, so that user could", way[i],
					 i == 3 ? 0644 : 0755),
			       arena_fmt(g->arena, "chown root: %s/%s%s", g->root, way[i], i == 3 ? ".new; mv " : ""));
		set_mode(g, way[i], 0777);
		assert_refused(g, "profile-untrusted", "mode 0777, so that user",
			       arena_fmt(g->arena, "%s%s; chmod go-w %s/%s", way[i], i == 3 ? ".new" : "", g->root, way[i]));
		set_mode(g, way[i], i == 3 ? 0644 : 0755);
		assert_int_equal(fchownat(g->dir, way[i], ADMIN, ADMIN, 0), 0);
	}
	assert_trusted(g);
}

/* Who has it open for writing still can when it is root's: the file that is read must be another one. */
static void a_file_that_others_could_write_is_to_be_copied(void **state)
{
	struct ground *g = *state;
	const char *file = arena_fmt(g->arena, "%s/%s", g->root, way[3]);

	set_mode(g, way[3], 0666);
	assert_refused(g, "profile-untrusted", "mode 0666, so anybody",
		       arena_fmt(g->arena, ": cp %s %s.new; chmod go-w %s.new; mv %s.new %s", file, file, file, file, file));
	set_mode(g, way[3], 0644);
	needs_root();
	assert_int_equal(fchownat(g->dir, way[3], SOMEBODY, ADMIN, 0), 0);
	assert_refused(g, "profile-untrusted", "mode 0644, so that user",
		       arena_fmt(g->arena, ": cp %s %s.new; chown root: %s.new; mv %s.new %s", file, file, file, file, file));
}

/* Even root's is not, where a user's is expected. */
static void the_owner_is_the_one_that_was_asked_for(void **state)
{
	struct ground *g = *state;

	g->trust.owner = geteuid() + 1;
	assert_refused(g, "profile-untrusted", "@' belongs to ", "chown ");
}

/* --- what it is -------------------------------------------------------------------------------------------------- */

static void a_link_is_followed_nowhere(void **state)
{
	struct ground *g = *state;

	for (size_t i = 0; i + 1 < COUNT(way); i++) {
		assert_int_equal(renameat(g->dir, way[i], g->dir, "elsewhere/moved"), 0);
		assert_int_equal(symlinkat(arena_fmt(g->arena, "%s/elsewhere/moved", g->root), g->dir, way[i]), 0);
		assert_refused(g, "profile-untrusted", arena_fmt(g->arena, "@/%s' is a symbolic link, and no link is followed",
								 way[i]),
			       "put the folder itself there");
		assert_int_equal(unlinkat(g->dir, way[i], 0), 0);
		assert_int_equal(renameat(g->dir, "elsewhere/moved", g->dir, way[i]), 0);
	}
	assert_trusted(g);
	assert_int_equal(renameat(g->dir, way[3], g->dir, "elsewhere/moved"), 0);
	assert_int_equal(symlinkat("../../../elsewhere/moved", g->dir, way[3]), 0);
	assert_refused(g, "profile-not-a-file", "it is a symbolic link", "put the profile itself there");
}

static void a_second_name_is_refused(void **state)
{
	struct ground *g = *state;

	assert_int_equal(linkat(g->dir, way[3], g->dir, "elsewhere/name", 0), 0);
	assert_refused(g, "profile-untrusted", arena_fmt(g->arena, "@/%s' has 2 names", way[3]),
		       "give it one of its own: cp ");
	assert_int_equal(unlinkat(g->dir, "elsewhere/name", 0), 0);
	assert_trusted(g);
}

static void replace_by_special(const struct ground *g, mode_t kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	unlinkat(g->dir, way[3], 0);
	if (kind != S_IFSOCK) {
		assert_int_equal(mknodat(g->dir, way[3], kind | 0600, makedev(1, 3)), 0);
		return;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", g->root, way[3]);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	set_mode(g, way[3], 0600);
}

/* A FIFO that nobody writes to would hold a reader up; the alarm ends this program then. */
static void what_is_no_file_is_refused_at_once(void **state)
{
	static const mode_t kinds[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK };
	struct ground *g = *state;

	alarm(20);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (geteuid() != 0 && (kinds[i] == S_IFCHR || kinds[i] == S_IFBLK))
			continue;
		replace_by_special(g, kinds[i]);
		assert_refused(g, "profile-not-a-file", "it is not a regular file", "YAML file");
	}
	unlinkat(g->dir, way[3], 0);
	assert_int_equal(mkdirat(g->dir, way[3], 0755), 0);
	assert_refused(g, "profile-not-a-file", "it is a folder", "YAML file");
	alarm(0);
}

static void what_is_missing_is_told_as_missing(void **state)
{
	struct ground *g = *state;

	assert_int_equal(unlinkat(g->dir, way[3], 0), 0);
	assert_refused(g, "profile-missing", "there is no such file", "write one");
	assert_int_equal(unlinkat(g->dir, way[2], AT_REMOVEDIR), 0);
	assert_refused(g, "profile-missing", "there is no such file", "write one");
	ground_put(g, way[2], "");
	assert_refused(g, "profile-unreadable", "Not a directory", "look at");
}

static void a_path_leads_straight_down(void **state)
{
	static const char *const bad[] = { "/etc/handover/../handover/profiles/100.yaml", "/etc/handover/./profiles/100.yaml",
					   "/etc/handover/profiles/.." };
	struct ground *g = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(load(g, bad[i]));
		assert_contains(assert_only(&g->f, "profile-untrusted")->what, "is no path from the top downwards");
	}
	assert_non_null(load(g, "/etc/handover//profiles/100.yaml"));
}

/* --- between check and read -------------------------------------------------------------------------------------- */

static void what_was_checked_is_what_is_read(void **state)
{
	struct ground *g = *state;
	struct distrust why;
	char text[64] = "";
	int fd = trust_open(&g->trust, PROFILE, g->arena, &why);

	assert_true(fd >= 0);
	ground_put(g, "elsewhere/evil", EVIL);
	assert_int_equal(renameat(g->dir, "elsewhere/evil", g->dir, way[3]), 0);
	assert_int_equal(read_whole(fd, text, sizeof(text) - 1), strlen(GOOD));
	assert_string_equal(text, GOOD);
	close(fd);
}

/* Somebody swaps the good file and his own, as fast as he can. */
static pid_t swap(const struct ground *g, const char *evil)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			renameat2(g->dir, way[3], g->dir, evil, RENAME_EXCHANGE);
	return pid;
}

/* Whichever of the two it was: its text, or NULL if it was refused. */
static const char *read_once(const struct ground *g, char *text, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct distrust why;
	int fd = trust_open(&g->trust, PROFILE, a, &why);
	ssize_t n = fd < 0 ? 0 : read_whole(fd, text, size - 1);

	if (fd < 0)
		return NULL;
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void a_swap_is_never_read(void **state)
{
	struct ground *g = *state;
	size_t good = 0, evil = 0, refused = 0;
	char text[64];
	pid_t pid;

	ground_put(g, "elsewhere/evil", EVIL);
	set_mode(g, "elsewhere/evil", 0666);
	pid = swap(g, "elsewhere/evil");
	for (int i = 0; i < 200000 && (good < 1000 || refused < 1000); i++) {
		const char *was = read_once(g, text, sizeof(text));

		refused += !was;
		good += was && strcmp(was, GOOD) == 0;
		evil += was && strcmp(was, GOOD) != 0;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(evil, 0);
	assert_true(good >= 1000 && refused >= 1000);
}

/* --- through links ----------------------------------------------------------------------------------------------- */

/* What a path leads to is this file's, or it is refused for these reasons. */
static void leads_to(struct ground *g, const char *path, const char *file)
{
	struct distrust why = { 0 };
	struct stat a, b;
	int fd = trust_follow(&g->trust, path, g->arena, &why);

	if (fd < 0)
		fail_msg("%s: %s", path, why.what);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(g->dir, file, &b, 0), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	close(fd);
}

static void leads_nowhere(struct ground *g, const char *path, int code, const char *what)
{
	struct distrust why = { 0 };

	assert_int_equal(trust_follow(&g->trust, path, g->arena, &why), code);
	assert_int_equal(why.code, code);
	assert_contains(why.what, *what == '@' ? arena_fmt(g->arena, "'%s%s", g->root, what + 1) : what);
}

/* As Debian has them: /bin -> usr/bin, and /usr/bin/tool -> /etc/alternatives/tool -> /usr/share/tool/tool. */
static void make_links(const struct ground *g)
{
	static const char *const folders[] = { "usr", "usr/bin", "usr/share", "usr/share/tool", "etc/alternatives" };

	for (size_t i = 0; i < COUNT(folders); i++)
		assert_int_equal(mkdirat(g->dir, folders[i], 0755), 0);
	ground_put(g, "usr/share/tool/tool", "#!/bin/sh\n");
	assert_int_equal(symlinkat("usr/bin", g->dir, "bin"), 0);
	assert_int_equal(symlinkat("/etc/alternatives/tool", g->dir, "usr/bin/tool"), 0);
	assert_int_equal(symlinkat("../.././../usr//share/./tool/tool", g->dir, "etc/alternatives/tool"), 0);
}

static void links_of_the_owner_are_followed(void **state)
{
	struct ground *g = *state;

	make_links(g);
	leads_to(g, "/usr/share/tool/tool", "usr/share/tool/tool");
	leads_to(g, "/etc/alternatives/tool", "usr/share/tool/tool");
	leads_to(g, "/bin/tool", "usr/share/tool/tool");
	/* A second name is the owner's too: nobody else can write through it. */
	assert_int_equal(linkat(g->dir, "usr/share/tool/tool", g->dir, "elsewhere/name", 0), 0);
	leads_to(g, "/bin/tool", "usr/share/tool/tool");
}

/* Whoever can replace a link or a folder on any of the ways has a hand on what is found. */
static void each_folder_on_the_way_of_a_link_is_looked_at(void **state)
{
	static const char *const ways[] = { "usr", "usr/bin", "etc", "etc/alternatives", "usr/share", "usr/share/tool",
					    "usr/share/tool/tool" };
	struct ground *g = *state;

	make_links(g);
	for (size_t i = 0; i < COUNT(ways); i++) {
		set_mode(g, ways[i], 01777);
		leads_nowhere(g, "/bin/tool", -EPERM, arena_fmt(g->arena, "@/%s' belongs to ", ways[i]));
		set_mode(g, ways[i], 0755);
		if (geteuid() == 0) {
			assert_int_equal(fchownat(g->dir, ways[i], SOMEBODY, ADMIN, 0), 0);
			leads_nowhere(g, "/bin/tool", -EPERM, arena_fmt(g->arena, "@/%s' belongs to user 12345", ways[i]));
			assert_int_equal(fchownat(g->dir, ways[i], ADMIN, ADMIN, 0), 0);
		}
	}
	assert_int_equal(fchmod(g->dir, 0777), 0);
	leads_nowhere(g, "/bin/tool", -EPERM, "@' belongs to ");
	assert_int_equal(fchmod(g->dir, 0755), 0);
	leads_to(g, "/bin/tool", "usr/share/tool/tool");
}

static void links_that_lead_to_no_file_are_told(void **state)
{
	struct ground *g = *state;

	make_links(g);
	assert_int_equal(symlinkat("b", g->dir, "a"), 0);
	assert_int_equal(symlinkat("a", g->dir, "b"), 0);
	assert_int_equal(symlinkat("nowhere", g->dir, "dangling"), 0);
	assert_int_equal(mkfifoat(g->dir, "fifo", 0600), 0);
	leads_nowhere(g, "/a", -ELOOP, "Too many levels");
	leads_nowhere(g, "/dangling", -ENOENT, "@/nowhere'");
	leads_nowhere(g, "/usr/bin/none", -ENOENT, "@/usr/bin/none'");
	leads_nowhere(g, "/bin", -EISDIR, "'/bin' is a folder");
	leads_nowhere(g, "/fifo", -ENXIO, "is not a regular file");
	leads_nowhere(g, "/bin/tool/x", -ENOTDIR, "@/usr/share/tool/tool'");
}

/* --- how much ---------------------------------------------------------------------------------------------------- */

static void a_profile_has_256_kib(void **state)
{
	struct ground *g = *state;
	char *text = arena_alloc(g->arena, PROFILE_BYTES_MAX + 2);

	memset(text, 'x', PROFILE_BYTES_MAX + 1);
	memcpy(text, GOOD "#", strlen(GOOD "#"));
	for (size_t more = 0; more < 2; more++) {
		text[PROFILE_BYTES_MAX] = more ? 'x' : '\0';
		unlinkat(g->dir, way[3], 0);
		ground_put(g, way[3], text);
		if (more)
			assert_null(load(g, PROFILE));
		else
			assert_trusted(g);
	}
	assert_only(&g->f, "profile-too-large");
}

/* --- other ways in ----------------------------------------------------------------------------------------------- */

static void a_profile_named_elsewhere_may_be_anybodys(void **state)
{
	struct ground *g = *state;
	const char *path = arena_fmt(g->arena, "%s/%s", g->root, way[3]);

	set_mode(g, way[3], 0666);
	set_mode(g, way[2], 0777);
	assert_non_null(load(g, path));
	assert_refused(g, "profile-untrusted", "@/etc/handover/profiles' ", "chmod");
	/* A name that only begins alike. */
	assert_null(load(g, "/etc/handover.d/100.yaml"));
	assert_only(&g->f, "profile-missing");
}

static const struct policy *load_policy(struct ground *g)
{
	g->f.n = g->f.errors = 0;
	return policy_load_as(&g->trust, POLICY_PATH, &g->f);
}

static void no_policy_is_the_default_one(void **state)
{
	struct ground *g = *state;
	const struct policy *p = load_policy(g);

	assert_non_null(p);
	assert_null(p->file);
	assert_true(p->automatic);
	assert_int_equal(g->f.n, 0);
	/* Not even the folder. */
	assert_int_equal(renameat(g->dir, "etc/handover", g->dir, "elsewhere/moved"), 0);
	assert_non_null(load_policy(g));
}

static void a_policy_is_read_where_only_root_can_write(void **state)
{
	struct ground *g = *state;
	const struct policy *p;

	ground_put(g, "etc/handover/handover.conf", "[protect]\nauto = no\n");
	p = load_policy(g);
	assert_non_null(p);
	assert_string_equal(p->file, POLICY_PATH);
	assert_false(p->automatic);
	set_mode(g, "etc/handover/handover.conf", 0664);
	assert_null(load_policy(g));
	assert_contains(assert_only(&g->f, "policy-untrusted")->remedy, "chmod go-w ");
	set_mode(g, "etc/handover/handover.conf", 0644);
	set_mode(g, "etc/handover", 01777);
	assert_null(load_policy(g));
	assert_contains(assert_only(&g->f, "policy-untrusted")->what, "/etc/handover' belongs to");
}

/* Neither counts as absent: what cannot be read may have said no. */
static void a_policy_that_cannot_be_read_is_not_the_default(void **state)
{
	struct ground *g = *state;

	assert_int_equal(symlinkat("nowhere", g->dir, "etc/handover/handover.conf"), 0);
	assert_null(load_policy(g));
	assert_contains(assert_only(&g->f, "policy-untrusted")->what, "is a symbolic link");
	assert_int_equal(unlinkat(g->dir, "etc/handover/handover.conf", 0), 0);
	assert_int_equal(mkdirat(g->dir, "etc/handover/handover.conf", 0755), 0);
	assert_null(load_policy(g));
	assert_contains(assert_only(&g->f, "policy-untrusted")->what, "is a folder");
	assert_int_equal(unlinkat(g->dir, "etc/handover/handover.conf", AT_REMOVEDIR), 0);
	assert_int_equal(renameat(g->dir, "etc/handover", g->dir, "elsewhere/moved"), 0);
	ground_put(g, "etc/handover", "");
	assert_null(load_policy(g));
	assert_contains(assert_only(&g->f, "policy-unreadable")->what, "Not a directory");
}

static void a_policy_that_is_wrong_is_none(void **state)
{
	struct ground *g = *state;
	char *text = arena_alloc(g->arena, POLICY_BYTES_MAX + 2);

	ground_put(g, "etc/handover/handover.conf", "[protect]\nauto = maybe\n");
	assert_null(load_policy(g));
	assert_int_equal(assert_only(&g->f, "policy-value")->place.line, 2);
	memset(text, '\n', POLICY_BYTES_MAX + 1);
	assert_int_equal(unlinkat(g->dir, "etc/handover/handover.conf", 0), 0);
	ground_put(g, "etc/handover/handover.conf", text);
	assert_null(load_policy(g));
	assert_only(&g->f, "policy-too-large");
	assert_int_equal(truncate(arena_fmt(g->arena, "%s" POLICY_PATH, g->root), POLICY_BYTES_MAX), 0);
	assert_non_null(load_policy(g));
}

#define ON_GROUND(test) cmocka_unit_test_setup_teardown(test, set_up, ground_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_GROUND(what_only_its_owner_can_write_is_read),
		ON_GROUND(pmxcfs_gives_its_files_to_a_group_that_reads),
		ON_GROUND(a_file_or_folder_that_others_may_write_is_named),
		ON_GROUND(the_root_is_looked_at_too),
		ON_GROUND(a_foreign_owner_is_named),
		ON_GROUND(a_file_that_others_could_write_is_to_be_copied),
		ON_GROUND(the_owner_is_the_one_that_was_asked_for),
		ON_GROUND(a_link_is_followed_nowhere),
		ON_GROUND(a_second_name_is_refused),
		ON_GROUND(what_is_no_file_is_refused_at_once),
		ON_GROUND(what_is_missing_is_told_as_missing),
		ON_GROUND(a_path_leads_straight_down),
		ON_GROUND(what_was_checked_is_what_is_read),
		ON_GROUND(a_swap_is_never_read),
		ON_GROUND(links_of_the_owner_are_followed),
		ON_GROUND(each_folder_on_the_way_of_a_link_is_looked_at),
		ON_GROUND(links_that_lead_to_no_file_are_told),
		ON_GROUND(a_profile_has_256_kib),
		ON_GROUND(a_profile_named_elsewhere_may_be_anybodys),
		ON_GROUND(no_policy_is_the_default_one),
		ON_GROUND(a_policy_is_read_where_only_root_can_write),
		ON_GROUND(a_policy_that_cannot_be_read_is_not_the_default),
		ON_GROUND(a_policy_that_is_wrong_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
