/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_HOLDERS_H
#define HANDOVER_HOLDERS_H

#include <stddef.h>

#include "base/arena.h"
#include "core/holder.h"

/*
 * Who keeps the driver of a function from letting go of it: processes that have a device node below it open. A driver
 * that is unbound then waits inside the kernel, where nobody can end it, or leaves the process with what is no longer
 * there:
 *   vfio      /dev/vfio/GROUP and /dev/vfio/devices/vfioN: drivers/vfio/vfio_main.c, vfio_unregister_group_dev()
 *   sound     /dev/snd: sound/core/init.c, snd_card_free(). Not of cards on USB (sound/usb/card.c,
 *             usb_audio_disconnect(), does not wait)
 *   I2C       /dev/i2c-N, those of a graphics card too: drivers/i2c/i2c-core-base.c, i2c_del_adapter()
 *   graphics  /dev/dri: amdgpu, i915 and nouveau crash or hang
 *   nvidia    all of /dev/nvidia*, which its modules share: its nv_pci_remove() sleeps until the last use has ended
 * With vfio-pci a function has only the first, with another driver only the others, and without a driver none.
 */
struct holder {
	const char *node;	/* "/dev/snd/controlC0" */
	const char *path;	/* of the node's device in sysfs, as a link leads there, or the function's address */
	const char *process;	/* "process 733 (pipewire) of user@1000.service", or of VM 101 (101.scope), of container 105 */
	const char *remedy;	/* "stop VM 101 first" */
	const char *unit;	/* of systemd: with it the process ends; NULL: none is known */
	unsigned guest;		/* the VM or container it is of, 0 = none */
};

/* A node of which it is not known who has it open. */
struct holder_unknown {
	const char *node, *path;	/* as of a holder */
	int code;			/* a negative errno */
};

struct holders {
	struct holder *list;	/* each process once for each function */
	size_t n;
	struct holder_unknown *unknown;
	size_t n_unknown;
};

/*
 * Of one function, or with address NULL of all. This process and its children do not count. What is found belongs to the
 * look's arena.
 */
void holders_read(struct holder_look *look, const char *address, struct holders *found);

/*
 * A program whose service was just stopped, or that only looks, closes its nodes within moments: for so long they are
 * looked at again, after each of these pauses at the latest.
 */
#define HOLDERS_MS 2000
#define HOLDERS_PAUSE_MS 100

/* In one line: "/dev/snd/controlC0 is held by process 733 (pipewire) of mpd.service; stop mpd.service first". */
const char *holders_shown(const struct holders *found, struct arena *a);

#endif
