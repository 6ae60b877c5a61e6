/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve - an emulation of how Proxmox VE starts and stops guests, as far as a hookscript can tell: see README.md. Nothing
 * here is Proxmox's; what it does, and in which order, is what was read in and seen of pve-guest-common, qemu-server,
 * pve-container and pve-common.
 */
#ifndef PVE_H
#define PVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STATE "/run/pve"			/* of the emulation itself */
#define RUN "/run/qemu-server"
#define SNIPPETS "/var/lib/vz/snippets/"	/* of the storage "local" */
#define QMEVENTD_SOCKET "/run/qmeventd.sock"
#define KVM "/usr/bin/kvm"

#define TEXT_BYTES 512
#define MS_PER_S 1000
#define TICK_MS 10

/* --- node.c: names, time, locks, configurations ------------------------------------------------------------------- */

struct guest {
	bool is_ct;
	const char *id;
	const char *source;	/* a migration's node, where the configuration still is; NULL: it is on this one */
};

/* qemu-server to 9.1.12, where post-stop is left to `qm cleanup`; false: since 9.1.13. PVE_GENERATION says which. */
bool is_old(void);

/* A time of Proxmox's, which a test may shorten by a variable of that name. */
unsigned setting(const char *name, unsigned otherwise);

/* What happened, a word at a time, in STATE/trace: the tests compare it with what should have. */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* For the task's log. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void quit(const char *format, ...) __attribute__((format(printf, 1, 2)));

void sleep_ms(unsigned ms);
long long now_ms(void);
char *text_of(char buf[TEXT_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));
bool write_file(const char *path, const char *text);
/* Its first line, without the newline; false if there is none. */
bool first_line(const char *path, char line[TEXT_BYTES]);

/* Where the guest's configuration is, and whether it is. */
bool conf_exists(const struct guest *g);
/* A key's value in the current configuration, which ends at the first "[". */
bool conf_get(const struct guest *g, const char *key, char value[TEXT_BYTES]);
/* NULL takes the key away. */
void conf_set(const struct guest *g, const char *key, const char *value);
void conf_path(const struct guest *g, char path[TEXT_BYTES]);

/* The configuration's flock, exclusively (PVE/Tools.pm, lock_file_full): a descriptor, or -1 after so many seconds. */
int lock_conf(const struct guest *g, unsigned seconds);

/* --- hook.c ----------------------------------------------------------------------------------------------------- */

/* PVE/GuestHelpers.pm, exec_hookscript: false if it failed. stdout_too: what it says there is kept as well. */
bool exec_hookscript(const struct guest *g, const char *phase, bool stdout_too);

/* --- qemu.c ----------------------------------------------------------------------------------------------------- */

/* The process of the VM's QEMU, 0 if none runs (PVE/QemuServer/Helpers.pm, check_running). */
pid_t qemu_pid(const struct guest *g);
bool qemu_start(const struct guest *g, bool minimised);

/* What QEMU is told, and what happens in it. */
enum qemu_word { QUIT, POWER_BUTTON, RESET, GUEST_OFF, GUEST_REBOOT, CRASH };
bool qemu_tell(const struct guest *g, enum qemu_word word);
/* Until it has gone: false if it has not in so many seconds. */
bool qemu_wait(const struct guest *g, unsigned seconds);
/* Whether the process is the QEMU of a VM, whose id it puts there (qmeventd.c, get_vmid_from_pid). */
bool qemu_id(pid_t pid, char id[TEXT_BYTES]);
/* What the program is when it is called KVM. */
int kvm_main(int argc, char **argv);

/* --- real.c ----------------------------------------------------------------------------------------------------- */

/* With PVE_QEMU=1 what is KVM is a real QEMU, and these stand in for the two above. */
bool real_start(const struct guest *g, bool minimised);
bool real_tell(const struct guest *g, enum qemu_word word);

/* --- qmeventd.c ------------------------------------------------------------------------------------------------- */

int qmeventd_main(void);

/* --- pci.c ------------------------------------------------------------------------------------------------------ */

/* What a start does with the hostpci lines; NULL if all went well, or a word for what did not. */
const char *pci_prepare(const struct guest *g);
void pci_started(const struct guest *g);
void pci_release(const struct guest *g);
/* The next /dev/vfio node of the VM's devices, from *at = 0 on; false if there is none left. */
bool pci_node(const struct guest *g, size_t *at, char node[TEXT_BYTES]);
/* The next function of the VM's devices, in Proxmox's order. */
bool pci_function(const struct guest *g, size_t *at, char name[TEXT_BYTES]);
bool has_hostpci(const struct guest *g);

/* --- vm.c, ct.c ------------------------------------------------------------------------------------------------- */

struct command {
	const char *name;
	bool (*run)(const struct guest *g, char **args);
	bool is_task;		/* in a worker with its own process group; otherwise in this process */
};

extern const struct command vm_commands[], ct_commands[];

#endif
