/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state in /run when somebody else was there first: nothing of his is used, and nothing of his is changed. */
#include "support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/store.h"

#define SOMEBODY 12345
#define FOREIGN "what somebody else has written\n"

/* A /run of the test's own, with a file and a folder of somebody else's in it. */
struct ground {
	char run[64];
	char state[96];		/* where the store is to be */
	int dir;
};

static int set_up(void **state)
{
	struct ground *g = calloc(1, sizeof(*g));
	int fd;

	assert_non_null(g);
	strcpy(g->run, "/tmp/handover-state-XXXXXX");
	assert_non_null(mkdtemp(g->run));
	snprintf(g->state, sizeof(g->state), "%s/handover", g->run);
	g->dir = open(g->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(g->dir >= 0);
	assert_int_equal(mkdirat(g->dir, "theirs", 0700), 0);
	fd = openat(g->dir, "foreign", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, FOREIGN, strlen(FOREIGN)), strlen(FOREIGN));
	close(fd);
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	struct ground *g = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", g->run);
	close(g->dir);
	free(g);
	return system(command);
}

static mode_t mode_of(const struct ground *g, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(g->dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static void assert_foreign_untouched(const struct ground *g)
{
	char text[64] = "";
	int fd = openat(g->dir, "foreign", O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(FOREIGN));
	assert_string_equal(text, FOREIGN);
	close(fd);
}

/* --- what can stand in a file's place ---------------------------------------------------------------------------- */

enum kind { LINK, DANGLING_LINK, HARD_LINK, FIFO, SOCKET, FOLDER, DEVICE, FOREIGN_FILE, KINDS };

static bool can_make(enum kind kind)
{
	return geteuid() == 0 || (kind != DEVICE && kind != FOREIGN_FILE);
}

static void make_socket(const struct ground *g, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%.60s/%.40s", g->run, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void make(const struct ground *g, enum kind kind, const char *name)
{
	char foreign[96];

	snprintf(foreign, sizeof(foreign), "%s/foreign", g->run);
	switch (kind) {
	case LINK:
		assert_int_equal(symlinkat(foreign, g->dir, name), 0);
		break;
	case DANGLING_LINK:
		assert_int_equal(symlinkat("made-by-a-link", g->dir, name), 0);
		break;
	case HARD_LINK:
		assert_int_equal(linkat(g->dir, "foreign", g->dir, name, 0), 0);
		break;
	case FIFO:
		assert_int_equal(mkfifoat(g->dir, name, 0600), 0);
		break;
	case SOCKET:
		make_socket(g, name);
		break;
	case FOLDER:
		assert_int_equal(mkdirat(g->dir, name, 0700), 0);
		break;
	case DEVICE:
		assert_int_equal(mknodat(g->dir, name, S_IFCHR | 0600, makedev(1, 3)), 0);
		break;
	case FOREIGN_FILE:
		close(openat(g->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		assert_int_equal(fchownat(g->dir, name, SOMEBODY, SOMEBODY, 0), 0);
		break;
	case KINDS:
		break;
	}
}

static void unmake(const struct ground *g, enum kind kind, const char *name)
{
	assert_int_equal(unlinkat(g->dir, name, kind == FOLDER ? AT_REMOVEDIR : 0), 0);
}

/* --- the folder -------------------------------------------------------------------------------------------------- */

static void assert_store_refused(const struct ground *g)
{
	struct store store = STORE_CLOSED;
	struct error err;

	assert_int_equal(store_open(&store, g->state, &err), -EPERM);
	assert_contains(err.text, g->state);
	assert_contains(err.text, "must be a folder that belongs to the user who runs handover and is closed to all others");
	assert_int_equal(store.dir, -1);
}

static void what_is_made_is_closed_to_others(void **state)
{
	static const char *const names[] = { "vm-100" };
	const struct ground *g = *state;
	struct lockset set = { 0 };
	struct store store;
	struct error err;
	mode_t before = umask(0);
	int fd;

	assert_int_equal(store_open(&store, g->state, &err), 0);
	fd = store_create(&store, 100);
	assert_true(fd >= 0);
	assert_int_equal(store_lock(&store, &set, names, 1, "test", 0, &err), 0);
	umask(before);
	assert_int_equal(mode_of(g, "handover"), S_IFDIR | 0700);
	assert_int_equal(mode_of(g, "handover/100.journal"), S_IFREG | 0600);
	assert_int_equal(mode_of(g, "handover/lock"), S_IFDIR | 0700);
	assert_int_equal(mode_of(g, "handover/lock/vm-100"), S_IFREG | 0600);
	close(fd);
	lockset_release(&set);
	store_close(&store);
}

static void a_folder_that_others_may_enter_is_refused(void **state)
{
	static const mode_t modes[] = { 0710, 0720, 0740, 0701, 0702, 0704, 0770, 01777 };
	const struct ground *g = *state;
	struct store store;
	struct error err;

	assert_int_equal(mkdirat(g->dir, "handover", 0700), 0);
	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_int_equal(fchmodat(g->dir, "handover", modes[i], 0), 0);
		assert_store_refused(g);
	}
	assert_int_equal(fchmodat(g->dir, "handover", 0700, 0), 0);
	assert_int_equal(store_open(&store, g->state, &err), 0);
	store_close(&store);
}

static void somebody_elses_folder_is_refused(void **state)
{
	const struct ground *g = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdirat(g->dir, "handover", 0700), 0);
	assert_int_equal(fchownat(g->dir, "handover", SOMEBODY, 0, 0), 0);
	assert_store_refused(g);
}

static void what_is_no_folder_is_refused(void **state)
{
	const struct ground *g = *state;

	alarm(20);
	for (enum kind kind = LINK; kind < KINDS; kind++) {
		if (kind == FOLDER || !can_make(kind))
			continue;
		make(g, kind, "handover");
		assert_store_refused(g);
		unmake(g, kind, "handover");
	}
	/* A link to a folder that would do. */
	assert_int_equal(symlinkat("theirs", g->dir, "handover"), 0);
	assert_store_refused(g);
	alarm(0);
	assert_foreign_untouched(g);
}

static int lock_once(const struct ground *g, struct error *err)
{
	static const char *const names[] = { "vm-100" };
	struct lockset set = { 0 };
	struct store store;
	int code;

	assert_int_equal(store_open(&store, g->state, err), 0);
	code = store_lock(&store, &set, names, 1, "test", 0, err);
	lockset_release(&set);
	store_close(&store);
	return code;
}

static void the_folder_of_locks_is_looked_at_as_well(void **state)
{
	const struct ground *g = *state;
	struct error err;

	assert_int_equal(lock_once(g, &err), 0);
	assert_int_equal(fchmodat(g->dir, "handover/lock", 0711, 0), 0);
	assert_int_equal(lock_once(g, &err), -EPERM);
	assert_int_equal(renameat(g->dir, "handover/lock", g->dir, "theirs/lock"), 0);
	assert_int_equal(symlinkat("../theirs", g->dir, "handover/lock"), 0);
	assert_int_equal(lock_once(g, &err), -EPERM);
	assert_contains(err.text, "'lock' must be a folder");
	assert_int_equal(faccessat(g->dir, "theirs/vm-100", F_OK, 0), -1);
}

/* --- the files --------------------------------------------------------------------------------------------------- */

static void what_is_no_lock_of_ours_is_not_taken(void **state)
{
	const struct ground *g = *state;
	struct error err;

	assert_int_equal(lock_once(g, &err), 0);
	alarm(20);
	for (enum kind kind = LINK; kind < KINDS; kind++) {
		if (!can_make(kind))
			continue;
		unlinkat(g->dir, "handover/lock/vm-100", 0);
		make(g, kind, "handover/lock/vm-100");
		assert_int_equal(lock_once(g, &err), -EPERM);
		assert_contains(err.text, "the lock of vm-100 is not a file of handover's own");
		assert_foreign_untouched(g);
		unmake(g, kind, "handover/lock/vm-100");
	}
	alarm(0);
	assert_int_equal(faccessat(g->dir, "handover/lock/made-by-a-link", F_OK, 0), -1);
	assert_int_equal(lock_once(g, &err), 0);
}

static void what_is_no_journal_of_ours_is_not_used(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct ground *g = *state;
	struct journal j = { .fd = -1 };
	struct lease lease;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, g->state, &err), 0);
	alarm(20);
	for (enum kind kind = LINK; kind < KINDS; kind++) {
		if (!can_make(kind))
			continue;
		make(g, kind, "handover/100.journal");
		assert_int_equal(store_append(&store, 100), -EPERM);
		assert_int_equal(store_create(&store, 100), -EEXIST);
		assert_int_equal(journal_peek(&store, 100, a, &lease, &err), -EPERM);
		assert_int_equal(journal_load(&j, &store, 100, a, &lease, &err), -EPERM);
		assert_contains(err.text, "'" STORE_PATH "/100.journal' is not a file of handover's own");
		assert_foreign_untouched(g);
		unmake(g, kind, "handover/100.journal");
	}
	alarm(0);
	assert_int_equal(faccessat(g->dir, "handover/made-by-a-link", F_OK, 0), -1);
	store_close(&store);
}

static void what_is_kept_of_a_lease_is_a_file_of_ours(void **state)
{
	static char text[STORE_LAST_BYTES + 1], got[STORE_LAST_BYTES];
	const struct ground *g = *state;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, g->state, &err), 0);
	assert_int_equal(store_get_last(&store, 100, got), -ENOENT);
	alarm(20);
	for (enum kind kind = LINK; kind < KINDS; kind++) {
		if (!can_make(kind))
			continue;
		make(g, kind, "handover/100.last");
		assert_int_equal(store_get_last(&store, 100, got), -EPERM);
		assert_int_equal(store_put_last(&store, 100, "x"), kind == FOLDER ? -EEXIST : 0);
		assert_foreign_untouched(g);
		if (kind == FOLDER)
			unmake(g, kind, "handover/100.last");
		else
			assert_int_equal(store_get_last(&store, 100, got), 1);
		store_remove_last(&store, 100);
	}
	alarm(0);
	memset(text, 'x', STORE_LAST_BYTES);
	assert_int_equal(store_put_last(&store, 100, text), -E2BIG);
	assert_int_equal(store_get_last(&store, 100, got), -ENOENT);
	text[STORE_LAST_BYTES - 1] = '\0';
	assert_int_equal(store_put_last(&store, 100, text), 0);
	assert_int_equal(store_get_last(&store, 100, got), STORE_LAST_BYTES - 1);
	assert_string_equal(got, text);
	store_close(&store);
}

/* To end a lease removes the name, whatever it has become meanwhile. */
static void what_is_removed_is_a_name_in_the_folder(void **state)
{
	const struct ground *g = *state;
	struct store store;
	struct error err;

	assert_int_equal(store_open(&store, g->state, &err), 0);
	make(g, LINK, "handover/100.journal");
	assert_int_equal(store_remove(&store, 100), 0);
	make(g, HARD_LINK, "handover/100.journal");
	assert_int_equal(store_remove(&store, 100), 0);
	assert_foreign_untouched(g);
	store_close(&store);
}

/* Somebody renames the folder while it is in use, and puts his own in its place. */
static void a_store_stays_where_it_was_opened(void **state)
{
	const struct ground *g = *state;
	struct store store;
	struct error err;
	int fd;

	assert_int_equal(store_open(&store, g->state, &err), 0);
	assert_int_equal(renameat(g->dir, "handover", g->dir, "theirs/moved"), 0);
	assert_int_equal(symlinkat("theirs", g->dir, "handover"), 0);
	fd = store_create(&store, 100);
	assert_true(fd >= 0);
	assert_int_equal(faccessat(g->dir, "theirs/moved/100.journal", F_OK, 0), 0);
	assert_int_equal(faccessat(g->dir, "theirs/100.journal", F_OK, 0), -1);
	close(fd);
	store_close(&store);
}

#define ON_GROUND(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_GROUND(what_is_made_is_closed_to_others),
		ON_GROUND(a_folder_that_others_may_enter_is_refused),
		ON_GROUND(somebody_elses_folder_is_refused),
		ON_GROUND(what_is_no_folder_is_refused),
		ON_GROUND(the_folder_of_locks_is_looked_at_as_well),
		ON_GROUND(what_is_no_lock_of_ours_is_not_taken),
		ON_GROUND(what_is_no_journal_of_ours_is_not_used),
		ON_GROUND(what_is_kept_of_a_lease_is_a_file_of_ours),
		ON_GROUND(what_is_removed_is_a_name_in_the_folder),
		ON_GROUND(a_store_stays_where_it_was_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
