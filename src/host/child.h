/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_CHILD_H
#define HANDOVER_CHILD_H

#include "host/host.h"

/*
 * Runs a program, without a shell, and waits for its end no longer than it may take.
 *
 * It is run by a child of a worker (worker.h): if this program is killed, the worker still ends it at its deadline, and
 * holds the locks until then. The program itself holds nothing of ours: no descriptor but /dev/null and a pipe, no
 * signal mask, no variable of our environment; it has a session of its own, so it keeps neither the locks nor the
 * output that Proxmox waits for the end of, whatever it leaves running.
 */
#define CHILD_OUTPUT_BYTES 3072	/* of what it says, so much is kept, from its beginning */
#define CHILD_KILL_MS 1000	/* for it to end when it is killed */
#define CHILD_HOW_BYTES 512	/* with a path in it */

/* A run, in memory that this program, the worker, and the child until its execve() share: from child_new(). */
struct child {
	int error;			/* why it could not be started */
	char how[CHILD_HOW_BYTES];	/* how it has ended, "" as long as it runs */
	char said[CHILD_OUTPUT_BYTES + 1];	/* on its standard output and error; a NUL became '?' */
	size_t n_said;
	size_t n_lost;			/* bytes that were not kept */
};

/* NULL: there is no memory. */
struct child *child_new(void);
void child_free(struct child *c);

/*
 * Runs words[0], a full path, with these words and this environment, both with a NULL at their ends. 0: it has ended
 * with status 0. -ENOENT: there is no such file; -EPERM: it may not be run, see child_open(); -ETIME: it did not end
 * within ms and was killed; -ECANCELED: it failed; of all these how tells. -ETIMEDOUT: the worker does not come back,
 * and is left alone. At most a little more than ms and CHILD_KILL_MS pass.
 */
int child_run(struct child *c, char *const *words, char *const *environment, unsigned ms, struct host_stuck *stuck);

/*
 * Opens (O_PATH) what may be run: a regular executable file that nobody but root can have written or put there,
 * wherever links lead (trust_follow()). Whoever could change it, or the way to it, would be root. What is refused is
 * -EPERM; what is not there, or cannot be reached, -ENOENT. *why says so, and belongs to the arena.
 */
int child_open(const char *path, struct arena *a, const char **why);

#endif
