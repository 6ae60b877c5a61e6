/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs in a VM in the lab: no operating system, but what one does with a network card that it was given. It looks
 * for the card, resets it, asks 10.0.2.2 for its address again and again, with descriptors and frames in its own memory,
 * and does what it is told on its serial port: r, reboot; p, power off. The power button is obeyed as well.
 *
 * A multiboot image, 32 bits, without libraries. Registers: Intel 8254x developer's manual; the chipset's are where
 * SeaBIOS puts them on a q35 (PMBASE 0x600), its S5 is type 0 (QEMU, hw/acpi/core.c).
 */
#include <stdbool.h>
#include <stdint.h>

#define SERIAL 0x3f8
#define PM1_STATUS 0x600
#define PM1_ENABLE 0x602
#define PM1_CONTROL 0x604
#define PM_TIMER 0x608		/* 24 bits, 3.58 MHz */
#define RESET_CONTROL 0xcf9
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

#define PIC 0x20
#define TIMER 0x40
#define TIMER_PERIODIC 0x34
#define TIMER_50_HZ 23864	/* of 1.193 MHz */
#define FIRST_VECTOR 0x20
#define INTERRUPT_GATE 0x8e00

#define POWER_BUTTON 0x100
#define SLEEP_ENABLE 0x2000
#define FULL_RESET 6
#define TICKS_PER_MS 3580
#define TIMER_MASK 0xffffff

#define BUSES 8
#define SLOTS 32
#define FUNCTIONS 8
#define COMMAND 4
#define COMMAND_MEMORY_AND_MASTER 6
#define BAR0 0x10

enum {
	CTRL = 0x0, IMC = 0xd8, RCTL = 0x100, TCTL = 0x400, RAL = 0x5400, RAH = 0x5404,
	RDBAL = 0x2800, RDBAH = 0x2804, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818,
	TDBAL = 0x3800, TDBAH = 0x3804, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818,
};
#define CTRL_LINK_UP (1U << 6)
#define CTRL_RESET (1U << 26)
#define RCTL_ENABLE_ALL 0x801a	/* enabled, every frame, broadcasts, buffers of 2 KiB */
#define TCTL_ENABLE_PAD 0xa
#define SEND_END_REPORT 0xb	/* end of packet, checksum of the frame, report */
#define DONE 1
#define RING 8			/* the least that RDLEN and TDLEN can say */
#define BUFFER 2048
#define RESET_MS 20
#define ASK_MS 250

__asm__(".section .multiboot, \"ax\"\n.balign 4\n"
	".long 0x1badb002, 0, -0x1badb002\n"
	".globl _start\n"
	"_start: mov $stack + 16384, %esp\n"
	"lgdt gdt_register\n"
	"ljmp $8, $1f\n"
	"1: call run\n"
	"tick: push %eax\n"
	"mov $0x20, %al\n"		/* end of interrupt */
	"out %al, $0x20\n"
	"pop %eax\n"
	"iret\n"
	".section .rodata\n.balign 8\n"
	"gdt: .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n"	/* code and data, all 4 GiB */
	"gdt_register: .word 23\n.long gdt\n"
	".section .bss\n.balign 16\nstack: .skip 16384\n.text\n");

extern const char tick[];

struct gate {
	uint16_t low, selector, type, high;
};

struct __attribute__((packed)) table_register {
	uint16_t limit;
	uint32_t base;
};

struct receive {
	uint64_t address;
	uint16_t length, checksum;
	uint8_t status, errors;
	uint16_t special;
};

struct send {
	uint64_t address;
	uint16_t length;
	uint8_t checksum_offset, command, status, checksum_start;
	uint16_t special;
};

static volatile struct receive receives[RING] __attribute__((aligned(16)));
static volatile struct send sends[RING] __attribute__((aligned(16)));
static uint8_t buffers[RING][BUFFER];
static uint8_t frame[60];	/* the shortest there is, without its checksum */

struct nic {
	volatile uint8_t *registers;
	uint8_t mac[6];
	unsigned received, sent;
};

/* --- ports ------------------------------------------------------------------------------------------------------ */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(in8(SERIAL + 5) & 0x20))
			;
		out8(SERIAL, (uint8_t)*text);
	}
}

static void say_hex(uint32_t value, unsigned digits)
{
	char text[] = { 0, 0 };

	while (digits--) {
		text[0] = "0123456789abcdef"[value >> digits * 4 & 15];
		say(text);
	}
}

static bool is_past(uint32_t since, uint32_t ms)
{
	return ((in32(PM_TIMER) - since) & TIMER_MASK) > ms * TICKS_PER_MS;
}

/* The timer's interrupt, 50 times a second, and no other: between two of them the processor sleeps. */
static void start_ticks(void)
{
	static struct gate gates[FIRST_VECTOR + 1];
	uintptr_t at_tick = (uintptr_t)tick;
	struct table_register idt = { sizeof(gates) - 1, (uintptr_t)gates };
	static const uint8_t master[] = { 0x11, FIRST_VECTOR, 4, 1 };

	gates[FIRST_VECTOR] = (struct gate){ (uint16_t)at_tick, 8, INTERRUPT_GATE, (uint16_t)(at_tick >> 16) };
	__asm__ volatile("lidt %0" : : "m"(idt));
	out8(PIC, master[0]);
	for (unsigned i = 1; i < sizeof(master); i++)
		out8(PIC + 1, master[i]);
	out8(PIC + 1, 0xfe);
	out8(TIMER + 3, TIMER_PERIODIC);
	out8(TIMER, TIMER_50_HZ & 0xff);
	out8(TIMER, TIMER_50_HZ >> 8);
}

static void doze(void)
{
	__asm__ volatile("sti\nhlt\ncli" : : : "memory");
}

/* --- the network card -------------------------------------------------------------------------------------------- */

static uint32_t config(uint32_t device, uint32_t at)
{
	out32(CONFIG_ADDRESS, 0x80000000U | device << 8 | at);
	return in32(CONFIG_DATA);
}

/* Bus, slot and function in one number, or -1; says what else is there. */
static int find_nic(void)
{
	for (int device = 0; device < BUSES * SLOTS * FUNCTIONS; device++) {
		uint32_t id = config((uint32_t)device, 0);

		if (id == 0xffffffffU)
			continue;
		say("pci ");
		say_hex(id & 0xffff, 4);
		say(":");
		say_hex(id >> 16, 4);
		say("\n");
		if (id == 0x100e8086U || id == 0x10d38086U)
			return device;
	}
	return -1;
}

static volatile uint32_t *at(const struct nic *nic, unsigned name)
{
	return (volatile uint32_t *)(nic->registers + name);
}

static void set_up_rings(struct nic *nic)
{
	for (unsigned i = 0; i < RING; i++) {
		receives[i] = (struct receive){ .address = (uintptr_t)buffers[i] };
		sends[i] = (struct send){ .address = 0 };
	}
	*at(nic, RDBAL) = (uint32_t)(uintptr_t)receives;
	*at(nic, RDBAH) = 0;
	*at(nic, RDLEN) = sizeof(receives);
	*at(nic, RDH) = 0;
	*at(nic, RDT) = RING - 1;
	*at(nic, TDBAL) = (uint32_t)(uintptr_t)sends;
	*at(nic, TDBAH) = 0;
	*at(nic, TDLEN) = sizeof(sends);
	*at(nic, TDH) = 0;
	*at(nic, TDT) = 0;
	*at(nic, RCTL) = RCTL_ENABLE_ALL;
	*at(nic, TCTL) = TCTL_ENABLE_PAD;
}

static void take_nic(struct nic *nic, uint32_t device)
{
	uint32_t command = config(device, COMMAND), low, high, since;

	out32(CONFIG_ADDRESS, 0x80000000U | device << 8 | COMMAND);
	out16(CONFIG_DATA, (uint16_t)(command | COMMAND_MEMORY_AND_MASTER));
	nic->registers = (volatile uint8_t *)(uintptr_t)(config(device, BAR0) & ~15U);
	*at(nic, CTRL) |= CTRL_RESET;
	for (since = in32(PM_TIMER); !is_past(since, RESET_MS);)
		;
	*at(nic, IMC) = 0xffffffffU;
	*at(nic, CTRL) |= CTRL_LINK_UP;
	low = *at(nic, RAL);
	high = *at(nic, RAH);
	say("nic ");
	for (unsigned i = 0; i < sizeof(nic->mac); i++) {
		nic->mac[i] = (uint8_t)(i < 4 ? low >> i * 8 : high >> (i - 4) * 8);
		say_hex(nic->mac[i], 2);
		say(i < sizeof(nic->mac) - 1 ? ":" : "\n");
	}
	set_up_rings(nic);
}

/* Who has 10.0.2.2? Tell 10.0.2.77. */
static void ask(struct nic *nic)
{
	static const uint8_t arp[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	static const uint8_t us[] = { 10, 0, 2, 77 }, them[] = { 10, 0, 2, 2 };
	volatile struct send *s = &sends[nic->sent % RING];

	for (unsigned i = 0; i < 6; i++) {
		frame[i] = 0xff;
		frame[6 + i] = frame[22 + i] = nic->mac[i];
	}
	for (unsigned i = 0; i < sizeof(arp); i++)
		frame[12 + i] = arp[i];
	for (unsigned i = 0; i < sizeof(us); i++) {
		frame[28 + i] = us[i];
		frame[38 + i] = them[i];
	}
	*s = (struct send){ .address = (uintptr_t)frame, .length = sizeof(frame), .command = SEND_END_REPORT };
	*at(nic, TDT) = ++nic->sent % RING;
}

/* Whether 10.0.2.2 has told. Each buffer goes back to the card. */
static bool is_told(struct nic *nic)
{
	bool told = false;

	for (unsigned i = nic->received % RING; receives[i].status & DONE; i = ++nic->received % RING) {
		const uint8_t *f = buffers[i];

		told = told || (f[12] == 8 && f[13] == 6 && f[21] == 2 && f[28] == 10 && f[31] == 2);
		receives[i].status = 0;
		*at(nic, RDT) = i;
	}
	return told;
}

/* --- what it is told ---------------------------------------------------------------------------------------------- */

static void power_off(void)
{
	say("off\n");
	out16(PM1_CONTROL, SLEEP_ENABLE);
}

static void listen(void)
{
	char word = 0;

	if (in8(SERIAL + 5) & 1)
		word = (char)in8(SERIAL);
	if (word == 'r')
		out8(RESET_CONTROL, FULL_RESET);
	if (word == 'p' || in16(PM1_STATUS) & POWER_BUTTON)
		power_off();
}

static _Noreturn void work(struct nic *nic)
{
	bool first = true;

	for (;;) {
		uint32_t since = in32(PM_TIMER);

		ask(nic);
		while (!is_past(since, ASK_MS)) {
			doze();
			listen();
			if (!is_told(nic) || !first)
				continue;
			say("gateway answers\n");
			first = false;
		}
	}
}

_Noreturn void run(void);

_Noreturn void run(void)
{
	struct nic nic = { .received = 0 };
	int device;

	start_ticks();
	out16(PM1_ENABLE, POWER_BUTTON);
	say("guest is up\n");
	device = find_nic();
	if (device >= 0) {
		take_nic(&nic, (uint32_t)device);
		work(&nic);
	}
	say("no nic\n");
	for (;;) {
		doze();
		listen();
	}
}
